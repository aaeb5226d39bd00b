"""The Postman collection: it shows every route, is true to the shop, and leaves no trace.

Nothing generates postman_collection.json. newman, which plays it, is Postman without windows.
"""

import contextlib
import json
import re
import shutil
import subprocess
import sys

import pytest
from harness.servers import ROOT, everything, running_server
from werkzeug.exceptions import HTTPException

NEWMAN = "newman@6.2.2"
TEXT = (ROOT / "postman_collection.json").read_text(encoding="utf-8")
COLLECTION = json.loads(TEXT)
ASSIGNMENT = COLLECTION["item"][0]
KEEP_ANSWER = """ // under the name of its request
const {code, headers} = pm.response;
const answer = {code, header: headers.toObject(), text: pm.response.text()};
pm.globals.set(pm.info.requestName, JSON.stringify(answer));"""


def requests(folder):
    """Yield the requests in a folder and in the folders in it."""
    for item in folder["item"]:
        yield from requests(item) if "item" in item else [item]


def test_every_route_has_a_request(app):
    urls, views, shown = app.url_map.bind(""), app.view_functions, set()
    for item in requests(COLLECTION):
        method, url = item["request"]["method"], item["request"]["url"]["raw"]
        path = re.sub(r"\{\{\w+\}\}", "1", url.removeprefix("{{base_url}}")).partition("?")[0]
        with contextlib.suppress(HTTPException):  # 404 and 405 are shown, too
            rule, _ids = urls.match(path, method, return_rule=True)
            if item["name"].startswith("2"):
                shown |= {(method, views[rule.endpoint]), rule.rule}
    missing = [
        f"{method} {rule}"
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if not {(method, views[rule.endpoint]), rule.rule} <= shown and rule.endpoint != "static"
    ]
    assert not missing, "Add a request to postman_collection.json that is answered 200 or 201."


def test_names_begin_with_the_status_and_are_short():
    names = [item["name"] for item in requests(COLLECTION)]
    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"[2-4]\d\d .{1,56}", name)] == []


def test_file_is_laid_out_as_postman_exports_it():
    assert TEXT.rstrip("\n") == json.dumps(COLLECTION, indent="\t", ensure_ascii=False)


@pytest.fixture
def play(environment, database_url, tmp_path):
    """A function that plays a collection to a shop with sample data, and returns the answers.

    It fails when a request's test fails, or when it does not leave the data as it was.
    """
    if not shutil.which("npx"):
        pytest.skip("npx is not installed: it runs newman")
    subprocess.run([sys.executable, ROOT / "seed.py"], check=True, capture_output=True)
    data = everything(database_url)

    def play(collection, *options):
        file, answers = tmp_path / "collection.json", tmp_path / "answers.json"
        keep_answer = {"listen": "test", "script": {"exec": KEEP_ANSWER.splitlines()}}
        played = collection | {"event": [*collection["event"], keep_answer]}
        file.write_text(json.dumps(played), encoding="utf-8")
        command = [shutil.which("npx"), "--yes", "--prefer-offline", NEWMAN, "run", file, *options]
        command += ["--env-var", f"base_url=http://127.0.0.1:{server.port}", "--color", "off"]
        command += ["--reporter-cli-no-success-assertions", "--export-globals", answers]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr
        assert everything(database_url) == data
        values = json.loads(answers.read_text(encoding="utf-8"))["values"]
        return {value["key"]: json.loads(value["value"]) for value in values}

    with running_server() as server:
        yield play


def upside_down(item):
    """Return a folder with all that is in it in reverse order."""
    return item | {"item": [*map(upside_down, item["item"][::-1])]} if "item" in item else item


def assert_same(saved, answer, where):
    """Compare a saved value with today's. Ids, tokens, and numbers in texts differ each time."""
    field = where.rpartition(", ")[2]
    if field == "errors":  # the fields count, not marshmallow's words
        assert set(saved) == set(answer), where
    elif isinstance(saved, dict):
        for key in saved:
            assert_same(saved[key], answer.get(key), f"{where}, {key}")
    elif isinstance(saved, list):
        for one, other in zip(saved, answer[: len(saved)], strict=True):
            assert_same(one, other, where)
    elif isinstance(saved, str) and field != "token":
        assert re.sub(r"\d+", "1", saved) == re.sub(r"\d+", "1", str(answer)), where
    elif field not in ("id", "ticket_id", "inventory_id", "token"):
        assert saved == answer, where


@pytest.mark.slow
def test_collection_passes_three_times_in_any_order_and_answers_as_saved(play):
    answers = play(COLLECTION)
    saved = [(item["name"], one) for item in requests(COLLECTION) for one in item["response"]]
    assert len(saved) > 30
    for name, example in saved:
        answer = answers[name]
        assert example["code"] == answer["code"], name
        assert {field["key"].lower() for field in example["header"]} <= set(answer["header"]), name
        assert_same(json.loads(example["body"]), json.loads(answer["text"]), name)
    play(upside_down(COLLECTION))
    play(COLLECTION)


@pytest.mark.slow
def test_assignment_runs_alone(play):
    answers = play(COLLECTION, "--folder", ASSIGNMENT["name"])
    assert set(answers) == {item["name"] for item in requests(ASSIGNMENT)}
