"""Write postman_collection.json: the requests of collection_requests.py, with recorded answers.

    python tests/make_collection.py

The requests are played, in their order, against a shop of its own with the sample data, and
their answers become the saved examples. What differs each time, such as a token, is replaced.
"""

import dataclasses
import itertools
import json
import re
import sys
import tempfile
from pathlib import Path

from collection_requests import COLLECTION, FOUND, Folder
from werkzeug.http import HTTP_STATUS_CODES

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT))

import mechanic_shop  # noqa: E402
import seed  # noqa: E402

FILE = ROOT / "postman_collection.json"
SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
JSON_HEADER = {"Content-Type": "application/json"}
LINK = re.compile(r'<([^>]+)>; rel="(\w+)"')
LONG_TEXT = "x" * 70_000  # more than the shop reads
HEADERS_TO_SAVE = [
    "Content-Type",
    "Location",
    "Link",
    "X-Total-Count",
    "ETag",
    "Cache-Control",
    "hit_cache",
    "X-RateLimit-Limit",
    "Retry-After",
    "WWW-Authenticate",
    "Allow",
]
VARIABLES = {
    "base_url": "http://127.0.0.1:5000",
    "password": seed.PASSWORD,
    "mechanic_token": "",
    "mechanic_id": "",
    "customer_token": "",
    "customer_id": "",
    "own_token": "",
    "own_id": "",
    "part_id": "",
    "ticket_id": "",
    "next_page": "",
    "last_page": "",
    "etag": "",
    "unique": "",
}

# === Scripts ======================================================================================

BEFORE_EACH = """\
// Never used before: names and email addresses are made of it, so that none is ever taken.
const random = Math.random().toString(36).slice(2, 6);
pm.collectionVariables.set("unique", Date.now().toString(36) + random);"""

PREPARE = """\
// What this request needs, made first: [caller, call, body, {variable: what to keep in it}]
const steps = [
%s
];
const fill = (text) => pm.variables.replaceIn(text);

function prepare() {
    if (steps.length === 0) {
        return;
    }
    const [caller, call, body, keep] = steps.shift();
    const [method, path] = fill(call).split(" ");
    pm.sendRequest({
        url: fill("{{base_url}}") + path,
        method: method,
        header: {
            "Content-Type": "application/json",
            "Authorization": fill(`Bearer {{${caller}_token}}`),
        },
        body: body && {mode: "raw", raw: fill(JSON.stringify(body))},
    }, (error, response) => {
        if (error || response.code >= 400) {
            pm.test(`${call} prepares this request (is the token of "Log in" still good?)`, () => {
                pm.expect.fail(error ? error.message : response.text());
            });
            return;
        }
        const found = response.json();%s
        for (const variable in keep) {
            pm.collectionVariables.set(variable, found[keep[variable]]);
        }
        prepare();
    });
}

prepare();"""


def js(value):
    """Return a value as JavaScript on one line."""
    return json.dumps(value, ensure_ascii=False)


def js_step(step):
    """Return a step of a preparation as an element of a JavaScript array."""
    array = js([step.caller, step.call, step.body, step.keep])
    return f"    ...Array({step.times}).fill({array})," if step.times > 1 else f"    {array},"


def prerequest_script(request):
    """Return what Postman runs before a request."""
    parts = [request.before] if request.before else []
    if request.given:
        kept = {field for step in request.given for field in step.keep.values()}
        found = [f"\n        found.{name} = {FOUND[name]};" for name in FOUND if name in kept]
        parts.append(PREPARE % ("\n".join(map(js_step, request.given)), "".join(found)))
    return "\n\n".join(parts)


def js_test(name, code):
    """Return a test of Postman."""
    lines = "\n".join(f"    {line}" for line in code.strip().splitlines())
    return f"pm.test({js(name)}, () => {{\n{lines}\n}});"


def problem_tests(request):
    """Yield the tests of a refusal: that it is a problem document, and says what is wrong."""
    members = {"type": "about:blank", "title": reason(request.status), "status": request.status}
    code = f"pm.expect(body).to.include({js(members)});\n"
    code += f"pm.expect(body.detail).to.include({js(request.detail)});"
    yield f"The problem says: {request.detail}", code
    if request.errors:
        code = f"pm.expect(body.errors).to.have.all.keys({js(request.errors)});\n"
        code += "const texts = Object.values(body.errors).flat();\n"
        code += 'texts.forEach((text) => pm.expect(text).to.be.a("string"));'
        yield f"It names what is wrong: {', '.join(request.errors)}", code


def test_script(request):
    """Return what Postman runs after a request: the tests of status, content type and body."""
    status = f"pm.response.to.have.status({request.status});"
    tests = {f"Status is {request.status} {reason(request.status)}": status}
    content_type = 'pm.response.headers.get("Content-Type")'
    if request.content_type:
        is_this = f"pm.expect({content_type}).to.eql({js(request.content_type)});"
        tests[f"Content type is {request.content_type}"] = is_this
    else:
        tests["No content type, as there is no content"] = (
            f"pm.expect({content_type}).to.be.undefined;"
        )
    tests |= dict(problem_tests(request)) if request.status >= 400 else {}
    tests |= request.tests
    code = "\n".join(tests.values())
    lines = ["const body = pm.response.json();"] if re.search(r"\bbody\b", code) else []
    for variable in VARIABLES:
        if re.search(rf"(?<![.\"\w]){variable}(?![\":\w])", code):
            value = f'pm.collectionVariables.get("{variable}")'
            value = f"Number({value})" if variable.endswith("_id") else value
            lines.append(f"const {variable} = {value};")
    for variable, field in request.keep.items():
        lines.append(f'pm.collectionVariables.set("{variable}", pm.response.json().{field});')
    return "\n".join([*lines, "", *itertools.starmap(js_test, tests.items())]).strip()


def events(**scripts):
    """Return Postman's events of these scripts, without the empty ones."""
    return [
        {"listen": name, "script": {"type": "text/javascript", "exec": code.splitlines()}}
        for name, code in scripts.items()
        if code
    ]


# === The shop that answers ========================================================================


class Player:
    """Sends the requests to a shop and keeps the variables, as Postman does."""

    def __init__(self, app):
        self.client = app.test_client()
        self.variables = {**VARIABLES, "long_text": LONG_TEXT}
        self.numbers = itertools.count(1)

    def fill(self, text):
        """Return a text with the values of the variables in it."""
        return re.sub(r"\{\{(\w+)\}\}", lambda match: str(self.variables[match[1]]), text)

    def send(self, caller, call, body, headers, keep):
        """Send a call, and keep what it is asked to keep of the answer."""
        method, path = self.fill(call).split(" ")
        headers = {name: self.fill(value) for name, value in headers.items()}
        if caller != "anyone":
            headers["Authorization"] = self.fill(f"Bearer {{{{{caller}_token}}}}")
        response = self.client.open(path, method=method, headers=headers, data=body)
        found = response.json if isinstance(response.json, dict) else {}
        links = {rel: url for url, rel in LINK.findall(response.headers.get("Link", ""))}
        found = found | links | {"etag": response.headers.get("ETag")}
        for variable, field in keep.items():
            self.variables[variable] = found[field]
        return response

    def prepare(self, request):
        """Do what has to be done before a request."""
        self.variables["unique"] = next(self.numbers)
        for step in request.given:
            for _time in range(step.times):
                body = None if step.body is None else self.fill(json.dumps(step.body))
                answer = self.send(step.caller, step.call, body, JSON_HEADER, step.keep)
                expect(answer.status_code < 400, request, answer)

    def play(self, request):
        """Send a request and return the answer."""
        body = raw_body(request)
        headers = dict(header_pairs(request))
        body = None if body is None else self.fill(body)
        return self.send(request.caller, request.call, body, headers, request.keep)


def expect(expectation, request, answer):
    """Raise RuntimeError with the answer in it when a request is not answered as expected."""
    if not expectation:
        text = f"{answer.status}\n{answer.get_data(as_text=True)}"
        raise RuntimeError(f"{request.name!r} ({request.call}) is answered {text}")


def sample_shop(database_url):
    """Return a shop with the sample data and the default limits, whatever the environment says."""
    app = mechanic_shop.create_app(
        {
            "SQLALCHEMY_DATABASE_URI": database_url,
            "SECRET_KEY": "a secret key for a shop that lasts a minute",
            "RATELIMIT_ENABLED": True,
            "RATELIMIT_DEFAULT": "200/minute",
            "RATELIMIT_STORAGE_URI": "memory://",
            "CACHE_TYPE": "SimpleCache",
        }
    )
    with app.app_context():
        seed.fill(customers=25, tickets=15)
    return app


# === The collection ===============================================================================


def reason(status):
    """Return the words that belong to a status."""
    return HTTP_STATUS_CODES[status]


def raw_body(request):
    """Return the body of a request as text, with its variables, or None."""
    if request.body is None or isinstance(request.body, str):
        return request.body
    text = json.dumps(request.body, indent=4, ensure_ascii=False)
    return re.sub(r'"(\{\{\w+_id\}\})"', r"\1", text)  # ids are numbers


def header_pairs(request):
    """Return the headers of a request as pairs."""
    headers = {} if request.body is None else JSON_HEADER
    return list((headers | request.headers).items())


def postman_url(path):
    """Return the URL of a path as Postman stores it."""
    url = {"raw": "{{base_url}}" + path}
    place, _, query = path.partition("?")
    if not place.startswith("/"):  # the path is a variable
        return url | {"host": [url["raw"]]}
    url |= {"host": ["{{base_url}}"], "path": place.split("/")[1:]}
    if query:
        pairs = (pair.partition("=") for pair in query.split("&"))
        url["query"] = [{"key": key, "value": value} for key, _, value in pairs]
    return url


def postman_auth(caller):
    """Return how a caller shows who is calling, as Postman stores it."""
    if caller == "anyone":
        return {"type": "noauth"}
    token = {"key": "token", "value": f"{{{{{caller}_token}}}}", "type": "string"}
    return {"type": "bearer", "bearer": [token]}


def postman_request(request):
    """Return a request as Postman stores it, without its name and scripts."""
    method, path = request.call.split(" ")
    header = [{"key": key, "value": value} for key, value in header_pairs(request)]
    stored = {"method": method, "header": header, "url": postman_url(path)}
    if request.body is not None:
        options = {"raw": {"language": "json"}}
        stored["body"] = {"mode": "raw", "raw": raw_body(request), "options": options}
    return stored


def steady(value, volatile):
    """Return the JSON of an answer with what differs each time replaced."""
    if isinstance(value, list):
        return [steady(item, volatile) for item in value]
    if isinstance(value, dict):
        steadied = {key: steady(item, volatile) for key, item in value.items()}
        return steadied | {key: volatile[key] for key in value if key in volatile}
    return value


def example(request, answer, title=""):
    """Return an answer as a saved example of Postman."""
    status = answer.status_code
    headers = {name: answer.headers.get(name) for name in HEADERS_TO_SAVE}
    if headers["Retry-After"]:
        headers["Retry-After"] = "60"
    if headers["Allow"]:
        headers["Allow"] = ", ".join(sorted(answer.allow))
    text = answer.get_data(as_text=True)
    for long_part, short in {"<style>.*?</style>": "<style>...</style>", "<h2>.*": "..."}.items():
        text = re.sub(f"(?s){long_part}", short, text)
    if answer.is_json:
        volatile = {"token": "<the token>"} | request.volatile
        text = json.dumps(steady(answer.json, volatile), indent=4, ensure_ascii=False)
    original = postman_request(request) | {"auth": postman_auth(request.caller)}
    return {
        "name": f"{status} {reason(status)}" + (f": {title}" if title else ""),
        "originalRequest": original,
        "status": reason(status),
        "code": status,
        "_postman_previewlanguage": "json" if answer.is_json else "html",
        "header": [{"key": name, "value": value} for name, value in headers.items() if value],
        "cookie": [],
        "body": text,
    }


def examples(request, player):
    """Return the saved examples of a request: its answer, and one that goes the other way."""
    player.prepare(request)
    answer = player.play(request)
    expect(answer.status_code == request.status, request, answer)
    saved = [example(request, answer)]
    other = request.other
    title, changes = other if other else ("without a token", {"caller": "anyone"})
    changed = dataclasses.replace(request, keep={}, **changes)
    if other and (answer.status_code < 400 or "given" in changes):  # a refusal changed nothing
        player.prepare(changed)
    answer = player.play(changed)
    expect((answer.status_code < 400) != (request.status < 400), changed, answer)
    return [*saved, example(changed, answer, title)]


def postman_item(item, caller, player):
    """Return a folder or a request as Postman stores it."""
    if isinstance(item, Folder):
        stored = {"name": item.name, "description": item.says}
        if item.caller:
            stored["auth"] = postman_auth(item.caller)
        caller = item.caller or caller
        return stored | {"item": [postman_item(inner, caller, player) for inner in item.items]}
    request = dataclasses.replace(item, caller=caller)
    description = {"description": request.says}
    return {
        "name": request.name,
        "event": events(prerequest=prerequest_script(request), test=test_script(request)),
        "request": postman_request(request) | description,
        "response": examples(request, player),
    }


def make_collection(folder):
    """Return the collection as text. The database of the shop that answers lies in the folder."""
    app = sample_shop(f"sqlite:///{folder}/shop.db")
    stored = postman_item(COLLECTION, None, Player(app))
    with app.app_context():
        mechanic_shop.db.engine.dispose()
    info = {"name": stored.pop("name"), "description": stored.pop("description"), "schema": SCHEMA}
    variables = [{"key": key, "value": value} for key, value in VARIABLES.items()]
    around = {"event": events(prerequest=BEFORE_EACH), "variable": variables}
    return json.dumps({"info": info} | stored | around, indent="\t", ensure_ascii=False) + "\n"


def main():
    """Write the collection."""
    with tempfile.TemporaryDirectory() as folder:
        FILE.write_text(make_collection(folder), encoding="utf-8", newline="\n")
    print(f"Wrote {FILE.name}.")


if __name__ == "__main__":
    main()
