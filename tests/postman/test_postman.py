"""The Postman collection: complete, true to the shop, and green whenever it is run."""

import difflib
import json
import re
import shutil
import statistics
import subprocess

import make_collection
import pytest
from harness.servers import everything, running_server
from harness.shop import close
from werkzeug.exceptions import HTTPException

TEXT = make_collection.FILE.read_text(encoding="utf-8")
COLLECTION = json.loads(TEXT)
REGENERATE = "Regenerate it with: python tests/make_collection.py"
ADD = "Add a request for it to the folder every_route in tests/collection_requests.py."
CHANGE = "If this is what the shop should answer now, change tests/collection_requests.py."
NOT_THERE = {("GET", "/garage"), ("DELETE", "/inventory")}  # requests that show 404 and 405
FROM_LINKS = {"{{next_page}}": "/customers", "{{last_page}}": "/customers"}
FROM_LOG_IN = {"mechanic_token", "mechanic_id", "customer_token", "customer_id", "logged_in"}
LIMITS = {"all logins": 100, "customers.create_customer": 60}  # a minute; 10 for one email
NEWMAN = "newman@6.2.2"


def inside(item):
    """Yield what is in a folder, the folders in it included."""
    for inner in item.get("item", []):
        yield inner
        yield from inside(inner)


REQUESTS = [item for item in inside(COLLECTION) if "request" in item]
ASSIGNMENT, EVERY_ROUTE, REFUSALS = COLLECTION["item"]


def script(item, listen="test"):
    """Return the lines of a script of a request or of the collection."""
    events = {event["listen"]: event["script"]["exec"] for event in item["event"]}
    return events.get(listen, [])


# === What the file holds ==========================================================================


@pytest.mark.slow
def test_collection_is_what_the_shop_answers_and_fits_its_limits(tmp_path):
    player = make_collection.main(tmp_path / "collection.json")
    made = (tmp_path / "collection.json").read_text(encoding="utf-8")
    if made != TEXT:
        lines = difflib.unified_diff(TEXT.splitlines(), made.splitlines(), "stored", "made", n=1)
        changes = "\n".join(list(lines)[:40])
        pytest.fail(f"{REGENERATE}\n{changes}", pytrace=False)
    for name, calls in player.calls.items():
        limit = LIMITS.get(name, 10 if "@" in name else 200)
        assert 3 * calls <= limit, f"three runs in a minute are too much for the limit of {name}"


def route_of(app, item):
    """Return the method and rule that answer a request, or its path if none does."""
    method = item["request"]["method"]
    path = item["request"]["url"]["raw"].removeprefix("{{base_url}}").partition("?")[0]
    path = re.sub(r"\{\{\w+\}\}", "1", FROM_LINKS.get(path, path))
    try:
        rule, _arguments = app.url_map.bind("shop.example").match(path, method, return_rule=True)
    except HTTPException:
        return method, path
    return method, rule.rule


def routes_of(app):
    """Return the view of each method and rule that a shop has."""
    return {
        (method, rule.rule): app.view_functions[rule.endpoint]
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def missing_routes(app):
    """Return a text for each route that the collection lacks.

    A view needs a request for each of its methods, and one for each of its addresses.
    """
    routes = routes_of(app)
    shown = {route_of(app, item) for item in inside(EVERY_ROUTE) if "request" in item}
    methods = {(routes.get((method, rule)), method) for method, rule in shown}
    addresses = {(routes.get((method, rule)), rule) for method, rule in shown}
    return sorted(
        f"{method} {rule} (the view {view.__name__})"
        for (method, rule), view in routes.items()
        if (view, method) not in methods or (view, rule) not in addresses
    )


def test_every_route_has_a_request(app):
    missing = missing_routes(app)
    if missing:
        lines = ["The collection does not show:", *missing, ADD, REGENERATE]
        pytest.fail("\n".join(lines), pytrace=False)


def test_new_route_is_noticed(make_app):
    app = make_app()
    before = missing_routes(app)
    app.add_url_rule("/a-new-route", view_func=lambda: [], methods=["GET"])
    assert set(missing_routes(app)) - set(before) == {"GET /a-new-route (the view <lambda>)"}


def test_every_request_has_a_route(app):
    gone = {route_of(app, item) for item in REQUESTS} - set(routes_of(app)) - NOT_THERE
    assert not gone, f"The shop no longer has these. {CHANGE} {REGENERATE}"


def test_every_route_is_shown_with_a_good_answer():
    for item in inside(EVERY_ROUTE):
        if "request" in item:
            assert item["name"].startswith(("200 ", "201 ")), item["name"]


def test_folders_are_the_assignment_every_route_and_refusals():
    assert ASSIGNMENT["name"].startswith("1 The assignment")
    assert 30 <= sum("request" in item for item in inside(ASSIGNMENT)) <= 40
    assert EVERY_ROUTE["name"].startswith("2 Every route")
    assert REFUSALS["name"].startswith("3 What is refused")
    codes = {item["response"][0]["code"] for item in inside(REFUSALS) if "request" in item}
    assert codes == {400, 401, 403, 404, 405, 409, 413, 415}


def test_names_are_short_and_begin_with_the_status():
    names = [item["name"] for item in REQUESTS]
    assert len(names) == len(set(names))
    for item in REQUESTS:
        assert item["name"].startswith(f"{item['response'][0]['code']} "), item["name"]
        assert len(item["name"]) <= 60, item["name"]


def test_requests_and_folders_have_a_description():
    assert COLLECTION["info"]["description"]
    for item in inside(COLLECTION):
        assert item.get("request", item)["description"], item["name"]


def test_each_request_checks_its_answer():
    for item in REQUESTS:
        code = item["response"][0]["code"]
        helper = "refuses" if code >= 400 else "answers"
        first, *others = script(item)
        assert re.match(rf"(const body = )?{helper}\(pm, {code}\b", first), item["name"]
        if code < 400:
            assert any(line.startswith("pm.test(") for line in others), item["name"]


def test_scripts_are_short():
    lengths = [len(script(item)) + len(script(item, "prerequest")) for item in REQUESTS]
    assert statistics.median(lengths) < 10
    assert max(lengths) < 40


def test_saved_answers_are_short():
    for item in REQUESTS:
        (answer,) = item["response"]
        tested = "\n".join(script(item))
        for header in answer["header"]:
            assert f'"{header["key"]}"' in tested, f"{item['name']}: {header['key']} is not tested"
        assert "\n" not in answer["body"], item["name"]
        if answer["_postman_previewlanguage"] == "json":
            body = json.loads(answer["body"])
            assert not isinstance(body, list) or len(body) <= 3, item["name"]


def test_file_is_small():
    assert len(TEXT.encode()) <= 400_000


def test_tokens_and_ids_are_variables():
    assert COLLECTION["auth"]["bearer"][0]["value"] == "{{mechanic_token}}"
    assert "eyJ" not in TEXT, "so does every token begin"
    for item in REQUESTS:
        url = item["request"]["url"]["raw"]
        assert url.startswith("{{base_url}}")
        ids = re.findall(r"/([0-9]+)", url)
        assert set(ids) <= {"1", "2", "3", "999999"}, "the sample data's, and nobody's"


# === Played by newman, which is Postman without windows ===========================================

needs_npx = pytest.mark.skipif(
    not shutil.which("npx"), reason="npx is not installed: it runs newman"
)


@pytest.fixture
def shop(environment, database_url):
    """A running shop with fresh sample data, which are there again after each run."""
    close(make_collection.sample_shop(database_url))
    with running_server(HOST="127.0.0.1") as server:
        server.database_url = database_url
        server.data = everything(database_url)
        yield server


def play(collection, shop, tmp_path, *options):
    """Play a collection with newman, see that it leaves nothing behind, and return its report."""
    file, report = tmp_path / "collection.json", tmp_path / "report.json"
    file.write_text(json.dumps(collection), encoding="utf-8")
    command = [shutil.which("npx"), "--yes", "--prefer-offline", NEWMAN, "run", file, *options]
    command += ["--env-var", f"base_url=http://127.0.0.1:{shop.port}", "--color", "off"]
    command += ["--reporter-cli-no-success-assertions"]
    command += ["--reporters", "cli,json", "--reporter-json-export", report]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=600)
    if done.returncode:
        pytest.fail(f"{done.stdout[-8000:]}{done.stderr}\n{CHANGE} {REGENERATE}", pytrace=False)
    assert everything(shop.database_url) == shop.data
    return json.loads(report.read_text(encoding="utf-8"))["run"]["stats"]


@needs_npx
@pytest.mark.slow
def test_collection_passes_twice_and_leaves_nothing_behind(shop, tmp_path):
    description = " ".join(COLLECTION["info"]["description"].split())
    sent = int(re.search(r"a run sends (\d+)", description)[1])
    stats = play(COLLECTION, shop, tmp_path, "--iteration-count", "2")
    assert stats["items"]["total"] == 2 * len(REQUESTS)
    assert stats["assertions"]["total"] > 2 * 600
    assert 2 * sent <= stats["requests"]["total"] <= 2 * (sent + 20), "two for each minute"


@needs_npx
@pytest.mark.slow
def test_assignment_runs_alone(shop, tmp_path):
    stats = play(COLLECTION, shop, tmp_path, "--folder", ASSIGNMENT["name"])
    assert stats["items"]["total"] == sum("request" in item for item in inside(ASSIGNMENT))


def upside_down(item):
    """Return a folder with all that is in it in reverse order."""
    if "item" not in item:
        return item
    return item | {"item": [upside_down(inner) for inner in reversed(item["item"])]}


@needs_npx
@pytest.mark.slow
def test_each_request_needs_no_other(shop, tmp_path):
    names = [variable["key"] for variable in COLLECTION["variable"] if not variable["value"]]
    forget = [
        f'pm.collectionVariables.set("{name}", "");' for name in names if name not in FROM_LOG_IN
    ]
    before_each = "\n".join([*forget, *script(COLLECTION, "prerequest")])
    after_each = "\n".join(script(COLLECTION))
    events = make_collection.events(prerequest=before_each, test=after_each)
    play(upside_down(COLLECTION) | {"event": events}, shop, tmp_path)
