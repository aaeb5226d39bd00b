"""Write postman_collection.json: the requests of collection_requests.py, with saved answers.

    python tests/make_collection.py [FILE]

The requests are sent, in their order, to a shop of its own with the sample data, and its
answers become the saved examples. What differs each time, such as a token, is replaced.
"""

import collections
import contextlib
import itertools
import json
import re
import sys
import tempfile
from pathlib import Path

import sqlalchemy as sa
from collection_requests import COLLECTION, PROBLEM, STEPS, Folder
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT))

import mechanic_shop  # noqa: E402
import seed  # noqa: E402

FILE = ROOT / "postman_collection.json"
SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
JSON_HEADER = {"Content-Type": "application/json"}
LINK = re.compile(r'<([^>]+)>; rel="(\w+)"')
ID_VARIABLE = re.compile(r'"(\{\{\w+_id\}\})"')
NONCE = re.compile(r"(nonce[-=]\"?)[\w-]+")
LONG_TEXT = "x" * 70_000  # more than the shop reads
LISTED = 3  # of a list, so many records are saved
FORGET_IDS = """
    UPDATE sqlite_sequence SET seq = (SELECT coalesce(max(id), 0) FROM {table})
    WHERE name = '{table}'"""
WIDTH = 100  # of a line of the file, if it is possible
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
    "unique": "",
    "logged_in": "",
    "made": "[]",
}

# === Scripts ======================================================================================

BEFORE_EACH = """\
// Helpers for the scripts of the requests. They are global, as they are set without const. Each
// script has a pm of its own, so it hands in its pm.

// What a request may need first: [caller, call, body, {variable: field of the answer}]
const steps = {
%s
};

// Send a call, and hand its error and its response to a function.
send = (pm, caller, call, body, handle) => {
    const fill = (text) => pm.variables.replaceIn(text);
    const [method, path] = fill(call).split(" ");
    const header = {"Content-Type": "application/json"};
    if (caller !== "anyone") {
        header.Authorization = fill(`Bearer {{${caller}_token}}`);
    }
    const text = body && fill(JSON.stringify(body).replace(/"({{\\w+_id}})"/g, "$1"));
    const url = fill("{{base_url}}") + path;
    pm.sendRequest({url, method, header, body: body && {mode: "raw", raw: text}}, handle);
};

// Remember the address of a new record, so that it is deleted in the end.
remember = (pm, path, response) => {
    const isList = path.lastIndexOf("/") === 0;
    if (response.code === 201 && isList) {
        const made = JSON.parse(pm.collectionVariables.get("made"));
        made.push(response.headers.get("Location"));
        pm.collectionVariables.set("made", JSON.stringify(made));
    }
};

// Take these steps, one after the other.
prepare = (pm, names) => {
    if (names.length === 0) {
        return;
    }
    const [name, ...others] = names;
    const [caller, call, body, keep] = steps[name];
    send(pm, caller, call, body, (error, response) => {
        if (error || response.code >= 400) {
            pm.collectionVariables.set("logged_in", "");
            pm.test(`Prepared: ${name}`, () => {
                throw new Error(error ? error.message : response.text());
            });
            return;
        }
        remember(pm, call.split(" ")[1], response);
        const found = response.json();
        const links = response.headers.get("Link") || "";
        for (const [, address, rel] of links.matchAll(/<([^>]+)>; rel="(\\w+)"/g)) {
            found[rel] = address;
        }
        for (const variable in keep) {
            pm.collectionVariables.set(variable, found[keep[variable]]);
        }
        prepare(pm, others);
    });
};

// Names and email addresses are made of this, so that none is ever taken.
const random = Math.random().toString(36).slice(2, 6);
pm.collectionVariables.set("unique", Date.now().toString(36) + random);
pm.collectionVariables.set("made", "[]");

// Log in, at most once a minute.
const minute = Math.floor(Date.now() / 60000);
const loggedIn = `${pm.variables.get("base_url")} ${minute}`;
if (pm.collectionVariables.get("logged_in") !== loggedIn) {
    pm.collectionVariables.set("logged_in", loggedIn);
    prepare(pm, ["Ana logs in", "Ada logs in"]);
}"""

AFTER_EACH = """\
// Helpers for the tests of the requests; each hands in its pm.

require("chai").config.truncateThreshold = 1000; // show an answer in full where a test fails

// Test the status and the content type, and return the answer.
answers = (pm, status, contentType = "application/json") => {
    if (pm.response.code === 401 && status !== 401) {
        pm.collectionVariables.set("logged_in", ""); // the token is old: the next request logs in
    }
    pm.test(`The status is ${status}`, () => pm.expect(pm.response.code).to.eql(status));
    pm.test(`The content type is ${contentType}`, () => {
        pm.expect(pm.response.headers.get("Content-Type")).to.eql(contentType);
    });
    return contentType.includes("json") ? pm.response.json() : pm.response.text();
};

// Test that the request is refused, and return the answer.
refuses = (pm, status, detail, fields = []) => {
    const titles = {
%s
    };
    const body = answers(pm, status, "application/problem+json");
    pm.test(`The answer says: ${detail}`, () => {
        pm.expect(body).to.include({type: "about:blank", title: titles[status], status});
        pm.expect(body.detail).to.include(detail);
    });
    if (status === 401) {
        pm.test("The answer asks for a bearer token", () => {
            pm.expect(pm.response.headers.get("WWW-Authenticate")).to.eql("Bearer");
        });
    }
    if (fields.length > 0) {
        pm.test(`The answer names what is wrong: ${fields.join(", ")}`, () => {
            pm.expect(body.errors).to.have.all.keys(fields);
            Object.values(body.errors).flat().forEach((text) => pm.expect(text).to.be.a("string"));
        });
    }
    return body;
};

// Delete what was made for this request and by it, the newest first.
const cleanUp = () => {
    const made = JSON.parse(pm.collectionVariables.get("made"));
    if (made.length === 0) {
        return;
    }
    const address = made.pop();
    pm.collectionVariables.set("made", JSON.stringify(made));
    send(pm, "mechanic", `DELETE ${address}`, null, (error, response) => {
        const isGone = response && [200, 404].includes(response.code); // 404: gone already
        if (!isGone) {
            pm.test(`Cleaned up: ${address}`, () => {
                throw new Error(error ? error.message : response.text());
            });
        }
        cleanUp();
    });
};

remember(pm, pm.request.url.getPath(), pm.response);
cleanUp();"""


def js(value):
    """Return a value as JavaScript on one line."""
    return json.dumps(value, ensure_ascii=False)


def js_steps():
    """Return all steps as members of a JavaScript object."""
    members = []
    for name, step in STEPS.items():
        parts = [js(step.caller), js(step.call), js(step.body), js(step.keep)]
        members.append(f"    {js(name)}: [{', '.join(parts)}],")
    return "\n".join(members)


def js_list(names):
    """Return names as a JavaScript array, in which one that is repeated is written once."""
    items = []
    for name, group in itertools.groupby(names):
        times = len(list(group))
        items.append(js(name) if times == 1 else f"...Array({times}).fill({js(name)})")
    return f"[{', '.join(items)}]"


def before_each():
    """Return the collection's pre-request script."""
    return BEFORE_EACH % js_steps()


def after_each():
    """Return the collection's test script."""
    refusals = sorted({request.status for request in requests(COLLECTION)} - {200, 201})
    return AFTER_EACH % "\n".join(
        f"        {status}: {js(HTTP_STATUS_CODES[status])}," for status in refusals
    )


def prerequest_script(request):
    """Return what Postman runs before a request."""
    lines = [request.before] if request.before else []
    if request.given:
        lines.append(f"prepare(pm, {js_list(request.given)});")
    return "\n".join(lines)


def js_test(name, code):
    """Return a test of Postman."""
    lines = "\n".join(f"    {line}" for line in code.strip().splitlines())
    return f"pm.test({js(name)}, () => {{\n{lines}\n}});"


def expected(request):
    """Return the call of the helper that tests status, content type, and what is refused."""
    if request.content_type == PROBLEM:
        fields = f", {js(request.errors)}" if request.errors else ""
        return f"refuses(pm, {request.status}, {js(request.detail)}{fields});"
    content_type = "" if request.content_type in JSON_HEADER.values() else request.content_type
    return f"answers(pm, {request.status}{', ' + js(content_type) if content_type else ''});"


def test_script(request):
    """Return what Postman runs after a request."""
    code = "\n".join(request.tests.values())
    first = expected(request)
    lines = [f"const body = {first}" if re.search(r"\bbody\b", code) else first]
    for variable in VARIABLES:
        if re.search(rf"(?<![.\"\w]){variable}(?![\":\w])", code):
            value = f'pm.collectionVariables.get("{variable}")'
            value = f"Number({value})" if variable.endswith("_id") else value
            lines.append(f"const {variable} = {value};")
    for variable, field in request.keep.items():
        lines.append(f'pm.collectionVariables.set("{variable}", body.{field});')
    return "\n".join([*lines, *itertools.starmap(js_test, request.tests.items())])


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
        self.app = app
        self.client = app.test_client()
        self.variables = {**VARIABLES, "long_text": LONG_TEXT}
        self.numbers = itertools.count(1)
        self.made = []
        self.sent = 0
        self.calls = collections.Counter()  # by what the shop's limits count
        self.take("Ana logs in")
        self.take("Ada logs in")

    def fill(self, text):
        """Return a text with the values of the variables in it."""
        return re.sub(r"\{\{(\w+)\}\}", lambda match: str(self.variables[match[1]]), text)

    def send(self, caller, call, body=None, headers=JSON_HEADER, keep=None):
        """Send a call, and keep what it is asked to keep of the answer."""
        method, path = self.fill(call).split(" ")
        headers = {name: self.fill(value) for name, value in headers.items()}
        if caller != "anyone":
            headers["Authorization"] = self.fill(f"Bearer {{{{{caller}_token}}}}")
        self.sent += 1
        self.count(method, path, body)
        body = None if body is None else self.fill(body)
        response = self.client.open(path, method=method, headers=headers, data=body)
        if response.status_code == 201 and call.rindex("/") == call.index("/"):
            self.made.append(response.headers["Location"])
        if keep:
            links = {rel: url for url, rel in LINK.findall(response.headers.get("Link", ""))}
            found = links or response.json
            self.variables |= {variable: found[field] for variable, field in keep.items()}
        return response

    def count(self, method, path, body):
        """Count a call under each name under which the shop limits it, for three runs in a minute.

        Where the body has {{unique}}, each run logs in with another email.
        """
        if path.endswith("/login"):
            self.calls["all logins"] += 1
            if "{{unique}}" not in body:
                self.calls[json.loads(body)["email"].strip().lower()] += 1
        elif path != "/health":
            urls = self.app.url_map.bind("")
            with contextlib.suppress(HTTPException):  # 404 and 405
                self.calls[urls.match(path.partition("?")[0], method)[0]] += 1

    def take(self, name):
        """Take a step that a request needs."""
        step = STEPS[name]
        answer = self.send(step.caller, step.call, json_body(step.body), keep=step.keep)
        expect(answer.status_code < 400, f"{name!r} ({step.call})", answer)

    def play(self, request):
        """Prepare a request, send it, delete what was made, and return the answer."""
        self.variables["unique"] = next(self.numbers)
        for name in request.given:
            self.take(name)
        headers = dict(header_pairs(request))
        answer = self.send(
            request.caller, request.call, json_body(request.body), headers, request.keep
        )
        as_expected = answer.status_code == request.status
        if request.content_type == PROBLEM:
            as_expected = as_expected and request.detail in answer.json["detail"]
            as_expected = as_expected and set(request.errors) == {*answer.json.get("errors", {})}
        expect(as_expected, f"{request.name!r} ({request.call})", answer)
        while self.made:
            address = self.made.pop()
            gone = self.send("mechanic", f"DELETE {address}")
            expect(gone.status_code in (200, 404), f"DELETE {address}", gone)
        self.forget_ids()
        return answer

    def forget_ids(self):
        """Let new records get the same ids again, so that no answer depends on another request."""
        with self.app.app_context():
            for table in mechanic_shop.db.metadata.sorted_tables:
                if "id" in table.columns:
                    statement = FORGET_IDS.format(table=table.name)
                    mechanic_shop.db.session.execute(sa.text(statement))
            mechanic_shop.db.session.commit()


def expect(expectation, call, answer):
    """Raise RuntimeError with the answer in it when a call is not answered as expected."""
    if not expectation:
        text = f"{answer.status}\n{answer.get_data(as_text=True)}"
        raise RuntimeError(
            f"tests/collection_requests.py does not expect this. {call} is answered {text}"
        )


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


def requests(folder):
    """Yield the requests in a folder and in the folders in it."""
    for item in folder.items:
        if isinstance(item, Folder):
            yield from requests(item)
        else:
            yield item


def json_body(body, **options):
    """Return a body as text, with its variables, or None. Ids are numbers."""
    if body is None or isinstance(body, str):
        return body
    return ID_VARIABLE.sub(r"\1", json.dumps(body, ensure_ascii=False, **options))


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
    """Return a request as Postman stores it, without its name, description and scripts."""
    method, path = request.call.split(" ")
    header = [{"key": key, "value": value} for key, value in header_pairs(request)]
    stored = {"method": method, "header": header, "url": postman_url(path)}
    if request.caller != "mechanic":  # mechanics are what the collection has
        stored["auth"] = postman_auth(request.caller)
    if request.body is not None:
        text = json_body(request.body, indent=4)
        stored["body"] = {"mode": "raw", "raw": text, "options": {"raw": {"language": "json"}}}
    return stored


def steady(value, volatile):
    """Return the JSON of an answer with what differs each time replaced."""
    if isinstance(value, list):
        return [steady(item, volatile) for item in value]
    if isinstance(value, dict):
        steadied = {key: steady(item, volatile) for key, item in value.items()}
        return steadied | {key: volatile[key] for key in value if key in volatile}
    return value


def saved_body(request, answer):
    """Return the body of an answer as it is saved: a few records of a list, the head of a page."""
    if not answer.is_json:
        head, end, _rest = answer.get_data(as_text=True).partition("</title>")
        return " ".join(NONCE.sub(r"\1<the nonce>", f"{head}{end}...").split())
    saved = steady(answer.json, {"token": "<the token>"} | request.volatile)
    return json.dumps(saved[:LISTED] if isinstance(saved, list) else saved, ensure_ascii=False)


def saved_headers(request, answer):
    """Return the headers of an answer that its tests look at, with steady values."""
    headers = dict(answer.headers)
    headers |= {"Retry-After": "60", "X-RateLimit-Reset": "1767225600"}
    if answer.allow:
        headers["Allow"] = ", ".join(sorted(answer.allow))
    if answer.content_security_policy:
        policy = answer.headers["Content-Security-Policy"]
        headers["Content-Security-Policy"] = NONCE.sub(r"\1<the nonce>", policy)
    names = re.findall(r'headers\.get\("([\w-]+)"\)', "\n".join(request.tests.values()))
    return [{"key": name, "value": headers[name]} for name in dict.fromkeys(names)]


def example(request, answer):
    """Return an answer as a saved example of Postman."""
    reason = HTTP_STATUS_CODES[request.status]
    return {
        "name": f"{request.status} {reason}",
        "originalRequest": postman_request(request),
        "status": reason,
        "code": request.status,
        "_postman_previewlanguage": "json" if answer.is_json else "html",
        "header": saved_headers(request, answer),
        "body": saved_body(request, answer),
    }


def postman_item(item, player):
    """Return a folder or a request as Postman stores it."""
    if isinstance(item, Folder):
        items = [postman_item(inner, player) for inner in item.items]
        return {"name": item.name, "description": item.says, "item": items}
    return {
        "name": item.name,
        "event": events(prerequest=prerequest_script(item), test=test_script(item)),
        "request": postman_request(item) | {"description": item.says},
        "response": [example(item, player.play(item))],
    }


def play_all(folder):
    """Return the collection, and the player that has played it to a shop in a folder."""
    app = sample_shop(f"sqlite:///{folder}/shop.db")
    player = Player(app)
    stored = postman_item(COLLECTION, player)
    with app.app_context():
        mechanic_shop.db.engine.dispose()
    numbers = {"{requests}": len(list(requests(COLLECTION))), "{sent}": player.sent}
    description = stored.pop("description")
    for name, number in numbers.items():
        description = description.replace(name, str(number))
    info = {"name": stored.pop("name"), "description": description, "schema": SCHEMA}
    around = {
        "auth": postman_auth("mechanic"),
        "event": events(prerequest=before_each(), test=after_each()),
        "variable": [{"key": key, "value": value} for key, value in VARIABLES.items()],
    }
    return {"info": info} | stored | around, player


def as_text(value, indent=""):
    """Return JSON in which a list or an object that fits on a line stands on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if not value or not isinstance(value, list | dict) or len(indent + line) <= WIDTH:
        return line
    deeper = indent + "\t"
    if isinstance(value, list):
        members, (start, end) = [as_text(item, deeper) for item in value], "[]"
    else:
        members = [f"{json.dumps(key)}: {as_text(item, deeper)}" for key, item in value.items()]
        start, end = "{}"
    separator = f",\n{deeper}"
    return f"{start}\n{deeper}{separator.join(members)}\n{indent}{end}"


def main(file=FILE):
    """Write the collection, and return the player that has played it."""
    file = Path(file)
    with tempfile.TemporaryDirectory() as folder:
        collection, player = play_all(folder)
    file.write_text(as_text(collection) + "\n", encoding="utf-8", newline="\n")
    print(f"Wrote {file.name}.")
    return player


if __name__ == "__main__":
    main(*sys.argv[1:])
