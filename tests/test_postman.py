"""The Postman collection: complete, true to the shop, and green whenever it is run."""

import difflib
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import make_collection
import pytest
from servers import everything
from werkzeug.exceptions import HTTPException

TEXT = make_collection.FILE.read_text(encoding="utf-8")
COLLECTION = json.loads(TEXT)
NOT_THERE = {("GET", "/garage"), ("DELETE", "/inventory")}  # asked for to show 404 and 405
FROM_LINKS = {"{{next_page}}": "/customers", "{{last_page}}": "/customers"}
FROM_LOG_IN = {"mechanic_token", "mechanic_id", "customer_token", "customer_id"}
NEWMAN = "newman@6.2.2"


def inside(item):
    """Yield what is in a folder, the folders in it included."""
    for inner in item.get("item", []):
        yield inner
        yield from inside(inner)


REQUESTS = [item for item in inside(COLLECTION) if "request" in item]


def script(item, listen="test"):
    """Return a script of a request or of the collection."""
    return "\n".join(
        line
        for event in item["event"]
        if event["listen"] == listen
        for line in event["script"]["exec"]
    )


@pytest.mark.slow
def test_collection_is_what_the_shop_answers(tmp_path):
    made = make_collection.make_collection(tmp_path)
    if made != TEXT:
        lines = difflib.unified_diff(TEXT.splitlines(), made.splitlines(), "stored", "made", n=1)
        changes = "\n".join(list(lines)[:40])
        pytest.fail(f"To make it anew: python tests/make_collection.py\n{changes}", pytrace=False)


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


def test_collection_and_shop_know_the_same_routes(app):
    routes = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    asked = {route_of(app, item) for item in REQUESTS}
    shown = {route_of(app, item) for item in REQUESTS if item["response"][0]["code"] < 400}
    assert routes - shown == set()
    assert asked - routes == NOT_THERE


def test_requests_and_folders_say_what_they_show():
    assert COLLECTION["info"]["description"]
    for item in inside(COLLECTION):
        assert item.get("request", item)["description"], item["name"]
    for folder in [COLLECTION, *inside(COLLECTION)]:
        names = [item["name"] for item in folder.get("item", [])]
        assert len(names) == len(set(names)), names


@pytest.mark.parametrize("item", REQUESTS, ids=lambda item: item["name"])
def test_request_checks_status_content_type_and_body(item):
    answer = item["response"][0]
    names = re.findall(r"^pm\.test\(\"(.+)\", \(\) =>", script(item), re.MULTILINE)
    assert len(names) == len(set(names)) >= 3
    assert names[0] == f"Status is {answer['code']} {answer['status']}"
    sent = {header["key"]: header["value"] for header in answer["header"]}
    if "Content-Type" in sent:
        assert names[1] == f"Content type is {sent['Content-Type']}"
    else:
        assert (names[1], answer["code"]) == ("No content type, as there is no content", 304)
    if answer["code"] >= 400:
        assert sent["Content-Type"] == "application/problem+json"
        assert str(answer["code"]) in item["name"]


@pytest.mark.parametrize("item", REQUESTS, ids=lambda item: item["name"])
def test_request_has_a_good_example_and_a_refusal(item):
    codes = sorted(answer["code"] for answer in item["response"])
    assert codes[0] < 400 <= codes[-1]
    for answer in item["response"]:
        assert answer["name"].startswith(f"{answer['code']} {answer['status']}")
        assert answer["originalRequest"]["url"]["raw"].startswith("{{base_url}}")


def test_tokens_and_ids_are_variables():
    assert COLLECTION["auth"]["bearer"][0]["value"] == "{{mechanic_token}}"
    assert "eyJ" not in TEXT, "so does every token begin"
    for item in REQUESTS:
        url = item["request"]["url"]["raw"]
        assert url.startswith("{{base_url}}")
        assert "auth" not in item["request"], "the folder says who calls"
        ids = re.findall(r"/([0-9]+)", url)
        assert set(ids) <= {"1", "2", "3", "999999"}, "the sample data's, and nobody's"


# === Played by newman, which is Postman without windows ===========================================

needs_npx = pytest.mark.skipif(
    not shutil.which("npx"), reason="npx is not installed: it runs newman"
)


def is_well(base_url):
    """Say whether a server answers."""
    try:
        with urllib.request.urlopen(f"{base_url}/health", timeout=5) as answer:
            return answer.status == 200
    except urllib.error.URLError:
        return False


@pytest.fixture
def server(environment):
    """The address of a running shop with fresh sample data."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment.setenv("HOST", "127.0.0.1")
    environment.setenv("PORT", str(port))
    start = {"cwd": make_collection.ROOT, "stdout": subprocess.DEVNULL}
    subprocess.run([sys.executable, "seed.py"], check=True, **start)
    base_url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "mechanic_shop.py"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, **start) as process:
        deadline = time.monotonic() + 60
        while not is_well(base_url):
            assert process.poll() is None, "the shop did not open"
            assert time.monotonic() < deadline, "the shop does not answer"
            time.sleep(0.1)
        yield base_url
        process.terminate()


def play(collection, base_url, folder):
    """Play a collection with newman and return its report of the run."""
    file, report = folder / "collection.json", folder / "report.json"
    file.write_text(json.dumps(collection), encoding="utf-8")
    command = [shutil.which("npx"), "--yes", NEWMAN, "run", file, "--color", "off"]
    command += ["--env-var", f"base_url={base_url}"]
    command += ["--reporters", "cli,json", "--reporter-json-export", report]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=600)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    run = json.loads(report.read_text(encoding="utf-8"))["run"]
    assert run["failures"] == []
    return run


@needs_npx
@pytest.mark.slow
def test_collection_passes_three_times_in_a_row(server, database_url, tmp_path):
    sample_data = everything(database_url)
    for _run in range(3):
        stats = play(COLLECTION, server, tmp_path)["stats"]
        assert stats["items"]["total"] == len(REQUESTS) >= 70
        assert stats["assertions"]["total"] >= 250
    data = everything(database_url)
    for table, rows in sample_data.items():
        assert set(rows) <= set(data[table]), "the sample data stays as it is"


def upside_down(item):
    """Return a folder with all that is in it in reverse order."""
    if "item" not in item:
        return item
    return item | {"item": [upside_down(inner) for inner in reversed(item["item"])]}


@needs_npx
@pytest.mark.slow
def test_each_request_needs_only_the_log_in(server, tmp_path):
    log_in, *folders = COLLECTION["item"]
    names = [variable["key"] for variable in COLLECTION["variable"] if not variable["value"]]
    forget = [
        f'pm.collectionVariables.set("{name}", "");' for name in names if name not in FROM_LOG_IN
    ]
    before_each = "\n".join([*forget, script(COLLECTION, "prerequest")])
    backwards = {
        "item": [log_in, *map(upside_down, reversed(folders))],
        "event": make_collection.events(prerequest=before_each),
    }
    play(COLLECTION | backwards, server, tmp_path)
