"""What callers send by mistake or to do harm: nothing breaks, leaks or is stored in pieces."""

import gzip
import io
import json
import math
import re
from urllib.parse import quote

import pytest
from conftest import ELSEWHERE, PASSWORD, calling, problem, token_of
from servers import everything

LEAK = re.compile(r"Traceback|File \"|sqlalchemy|sqlite|psycopg|pymysql|\b(SELECT|INSERT|FROM)\b")

# What each field is: required text (text), optional text (note), an amount of money, and so on.
PERSON = {"first_name": "text", "last_name": "text", "email": "email", "address": "note"}
CUSTOMER = PERSON | {"phone": "note", "password": "password"}
MECHANIC = PERSON | {"salary": "salary", "password": "password"}
TICKET = {
    "customer_id": "customer",
    "vin": "vin",
    "service_desc": "text",
    "service_date": "day",
    "price": "money",
}
PART = {"name": "text", "price": "money", "quantity": "count"}
ROUTES = {
    ("POST", "/customers"): CUSTOMER,
    ("PUT", "/customers/1"): CUSTOMER,
    ("PATCH", "/customers/1"): CUSTOMER,
    ("POST", "/mechanics"): MECHANIC,
    ("PUT", "/mechanics/1"): MECHANIC,
    ("PATCH", "/mechanics/1"): MECHANIC,
    ("POST", "/service_tickets"): TICKET,
    ("PUT", "/service_tickets/1"): TICKET,
    ("PATCH", "/service_tickets/1"): TICKET,
    ("PUT", "/service_tickets/1/edit"): {"add_ids": "adds", "remove_ids": "removes"},
    ("POST", "/inventory"): PART,
    ("PUT", "/inventory/1"): PART,
    ("PATCH", "/inventory/1"): PART,
    ("POST", "/service_tickets/1/assign-inventory/1"): {"quantity": "pieces"},
    ("POST", "/ticket_inventory/1/assign-inventory/1"): {"quantity": "pieces"},
}
HASHING = [("POST", "/customers"), ("POST", "/mechanics")]  # a new account costs a password hash
CHANGES = [route for route in ROUTES if route[0] != "POST" and not route[1].endswith("/edit")]
BODY_ROUTES = [*ROUTES, ("POST", "/customers/login"), ("POST", "/mechanics/login")]
OPTIONAL = ("note", "salary", "day", "pieces", "removes")
GOOD = {
    "first_name": "Eve",
    "last_name": "Example",
    "password": PASSWORD,
    "customer_id": 1,
    "vin": "VIN1",
    "service_desc": "Brakes",
    "name": "horn",
    "price": 1,
    "quantity": 1,
    "add_ids": [1],
}

# Values as they stand in a JSON body, and the kinds of fields that take them.
VALUES = [
    ("null", "note salary"),
    ("true", ""),
    ("{}", ""),
    ('{"$ne": null}', ""),
    ('{"__proto__": {"role": "mechanic"}}', ""),
    ("[]", "removes"),
    ('["text"]', ""),
    ("[[1]]", ""),
    ("[null]", ""),
    ("[true]", ""),
    ("[1.5]", ""),
    ("[-1]", ""),
    (f"[{2**31}]", ""),
    (f"[{2**63}]", ""),
    ("[1e400]", ""),
    ('["\\u0000"]', ""),
    ('""', "note"),
    ('"   "', "note"),
    ('"\\n\\t\\u00a0\\u2003"', "note"),
    ('"\\u200b\\u2060\\ufeff"', "note"),
    ('"\\u0007\\u001b"', "note"),
    ('"\\u0000"', ""),
    ('"a wrench\\u0000"', ""),
    ('"a wrench\\ud800"', ""),
    ('"\\udd27\\ud83d a wrench"', ""),
    ('"a wrench \\ud83d\\udd27"', "text note password"),
    ('"a wrench 🔧👩‍🔧 Ünï"', "text note password"),
    ('"e\\u0301e\\u0301 combining"', "text note password"),
    ('"\\u202egnirts\\u202c \\u200f"', "text note password"),
    ('"\\u001b[31mred\\u001b[0m\\u0007\\u007f"', "text note password"),
    ('"line\\r\\nSet-Cookie: a=b"', "text note password"),
    ('"\'; DROP TABLE customers; --"', "text note password"),
    ("\"x' OR '1'='1\"", "text note password"),
    ('"<script>alert(1)</script>"', "text note password"),
    ('"{{7*7}} ${7*7} %s%n%00"', "text note password"),
    ('"../../etc/passwd"', "text note password"),
    ('"__proto__"', "text note password"),
    ('"\\\\x00 \\\\u0000 \\\\"', "text note password"),
    ('"o\'neill=1@x.example"', "text note password email"),
    ('" EVE@X.example\\n"', "text note password email"),
    ('"eve@x.example\\u0000"', ""),
    ('"eve\\u202e@x.example"', "text note password"),
    ('"🔧@x.example"', "text note password"),
    ('"eve@x.example,mallory@x.example"', "text note password"),
    ('"Eve <eve@x.example>"', "text note password"),
    (f'"{"a" * 5000}"', ""),
    (f'"{"é" * 10000}"', ""),
    ("-1", ""),
    ('"-1"', "text note"),
    ("-0.01", ""),
    ("0.001", ""),
    ("1e-400", "money salary count"),
    ("2.9", "money salary"),
    ("2.0", "money salary count pieces"),
    ('"10.50"', "text note money salary"),
    ('"007"', "text note vin money salary count pieces"),
    ("2147483648", ""),
    ("9223372036854775807", ""),
    ("9223372036854775808", ""),
    (f"{10**30}", ""),
    ("1" + "0" * 5000, ""),
    ("1e30", ""),
    ("1e400", ""),
    ("-1e400", ""),
    ("NaN", ""),
    ("Infinity", ""),
    ("-Infinity", ""),
    ('"NaN"', "text note vin"),
    ('"1e3"', "text note vin"),
    ('"1_000"', "text note"),
    ('"0x10"', "text note vin"),
    ('"٣"', "text note"),
    ('"１２"', "text note"),
    ('" 20 "', "text note vin"),
    ('"1,5"', "text note"),
    ('"1HGCM82633A0043520"', "text note password"),
    ('"vın1"', "text note"),
    ('"2026-01-05"', "text note password day"),
    ('"2026-02-30"', "text note password"),
    ('"0000-01-01"', "text note password"),
    ('"2026-01-05T10:00:00Z"', "text note password"),
    ('"99999-01-01"', "text note password"),
    ("1767571200", ""),
]
ODD_PASSWORDS = [text for text, kinds in VALUES if "password" in kinds]
BODIES = {
    "nothing": b"",
    "blanks": b"  \n",
    "null": b"null",
    "true": b"true",
    "number": b"1",
    "NaN": b"NaN",
    "text": b'"text"',
    "list": b"[]",
    "list of records": b'[{"name": "horn", "price": 1, "quantity": 1}]',
    "cut off": b'{"name": "horn", "pri',
    "comma too many": b'{"name": "horn",}',
    "two documents": b"{} {}",
    "comment": b"{} // that is all",
    "bad UTF-8": b'{"name": "\xff\xfe"}',
    "surrogate in UTF-8": b'{"name": "\xed\xa0\x80"}',
    "raw control character": b'{"name": "a\x00b"}',
    "deep lists": b"[" * 10_000 + b"]" * 10_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep and open": b"[" * 60_000,
    "form": b"name=horn&price=1&quantity=1",
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "compressed": gzip.compress(b'{"name": "horn", "price": 1, "quantity": 1}'),
    "number too long to read": b'{"price": ' + b"9" * 10_000 + b"}",
}
CONTENT_TYPES = [
    None,
    "",
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "application/json-patch",
    "application/octet-stream",
    "application",
    "*/*",
    "\xf0\x9f\x94\xa7",
    "a" * 50_000,
]
HOSTILE_IDS = [
    "-1",
    "0x1",
    "1.0",
    "1e0",
    "1,2",
    "1_0",
    "+1",
    "1 ",
    " 1",
    "2147483648",
    "9223372036854775808",
    "1" + "0" * 30,
    "9" * 5000,
    "1e400",
    "NaN",
    "Infinity",
    "null",
    "undefined",
    "__proto__",
    "[]",
    "{}",
    "*",
    "%",
    "\0",
    "1\0",
    "1\n",
    "٣",
    "１",
    "🔧",
    "\u202e1",
    "\x1b[31m",
    "'",
    "1'; DROP TABLE inventory; --",
    "1 OR 1=1",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "../1",
    "..%2f1",
    "%31",
]
RECORDS = ["/customers/{}", "/mechanics/{}", "/service_tickets/{}", "/inventory/{}", "/parts/{}"]
PATHS = {
    "GET": RECORDS,
    "PATCH": RECORDS,
    "PUT": [
        *RECORDS,
        "/service_tickets/{}/edit",
        "/service_tickets/{}/assign-mechanic/1",
        "/service_tickets/1/assign-mechanic/{}",
        "/service_tickets/{}/remove-mechanic/1",
        "/service_tickets/1/remove-mechanic/{}",
    ],
    "POST": [
        "/service_tickets/{}/assign-inventory/1",
        "/service_tickets/1/assign-inventory/{}",
        "/ticket_inventory/{}/assign-inventory/1",
        "/ticket_inventory/1/assign-inventory/{}",
    ],
    "DELETE": [
        *RECORDS,
        "/service_tickets/{}/remove-inventory/1",
        "/service_tickets/1/remove-inventory/{}",
        "/ticket_inventory/{}/remove-inventory/1",
        "/ticket_inventory/1/remove-inventory/{}",
    ],
}
NUMBERS = [  # as they stand in an address; no parameter takes one of them
    "",
    "%20",
    "null",
    "abc",
    "-1",
    "1.5",
    "1e0",
    "1e400",
    "NaN",
    "Infinity",
    "2147483648",
    "9223372036854775808",
    "1" + "0" * 30,
    "9" * 5000,
    "1_0",
    "0x1",
    "%2B1",
    "%00",
    "1%00",
    "1%0a",
    "%FF",
    "%ED%A0%80",
    "%F0%9F%94%A7",
    "%D9%A3",
    "'%20OR%20'1'='1",
    "<script>",
    "[]",
]
TEXTS = ["%ED%A0%80", "%FF", "🔧", "%E2%80%AE1", "%", "%25", "_", "\\", "'", "'; DROP TABLE x; --"]
LISTS = ["/customers", "/mechanics", "/mechanics/ranking", "/mechanics/my-tickets"]
LISTS += ["/service_tickets", "/inventory", "/parts"]


@pytest.fixture
def app(make_app):
    return make_app(RATELIMIT_ENABLED=False)


@pytest.fixture
def shop(app, database_url, ana, carla, part, ticket):
    """A shop in which every record has the id 1."""
    ana.put("/service_tickets/1/assign-mechanic/1")
    ana.post("/service_tickets/1/assign-inventory/1")
    assert (ana.id, carla.id, part["id"], ticket["id"]) == (1, 1, 1, 1)
    return database_url


def slow_if(takes_long, route):
    """Return a route as the parameters of a test."""
    return pytest.param(*route, marks=[pytest.mark.slow] if takes_long else [])


def harmless(response):
    """Assert that a response is no failure of the server and, as a refusal, says nothing of it."""
    assert response.status_code < 500, response.get_data(as_text=True)
    if response.status_code >= 400:
        problem(response, response.status_code, *response.json.get("errors", {}))
        assert not LEAK.search(response.get_data(as_text=True))
        assert len(response.get_data()) < 2000
    return response.status_code


def send(client, method, path, body, **headers):
    """Send bytes or text as a JSON body."""
    return client.open(path, method=method, data=body, content_type="application/json", **headers)


def body_with(method, path, field, value, email):
    """Return the JSON text of a good body with a value, as it is written, in one field."""
    fields = {field: value}
    if method != "PATCH":
        for name in ROUTES[method, path]:
            if name in GOOD and (name != "password" or method == "POST"):
                fields.setdefault(name, json.dumps(GOOD[name]))
        if "email" in ROUTES[method, path]:
            fields.setdefault("email", json.dumps(email))
    return "{" + ", ".join(f'"{name}": {text}' for name, text in fields.items()) + "}"


def stored(kind, value):
    """Return a value as the contract says that it is stored."""
    if not isinstance(value, str):
        return value
    if kind in ("money", "salary", "count"):
        return float(value)
    text = value.strip()
    return {"email": text.lower(), "vin": text.upper()}.get(kind, text)


@pytest.mark.parametrize(
    ("method", "path"),
    [slow_if(route in CHANGES or route == HASHING[1], route) for route in ROUTES],
)
def test_value_that_a_field_cannot_take_is_refused(shop, ana, method, path):
    before = everything(shop)
    for field, kind in ROUTES[method, path].items():
        for text, kinds in VALUES:
            if kind not in kinds.split():
                body = body_with(method, path, field, text, "eve@x.example")
                response = send(ana, method, path, body)
                assert harmless(response) == 400, (field, text)
                assert field in response.json.get("errors", {field: []}), (field, text)
    assert everything(shop) == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        slow_if(route in HASHING or (route in CHANGES and route[0] == "PUT"), route)
        for route, fields in ROUTES.items()
        if fields.keys() & {"first_name", "vin", "name"}
    ],
)
def test_odd_value_that_a_field_takes_is_read_back_as_sent(shop, ana, method, path):
    for field, kind in ROUTES[method, path].items():
        for number, (text, kinds) in enumerate(VALUES):
            if kind in kinds.split() and kind != "password":
                email = f"{field}{number}@x.example"
                response = send(ana, method, path, body_with(method, path, field, text, email))
                assert harmless(response) in (200, 201), (field, text)
                assert response.json[field] == stored(kind, json.loads(text)), (field, text)
                read = ana.get(response.headers.get("Location", path))
                assert read.json == response.json, (field, text)


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("customers", ODD_PASSWORDS[:5]),
        pytest.param("customers", ODD_PASSWORDS[5:], marks=pytest.mark.slow),
        pytest.param("mechanics", ODD_PASSWORDS, marks=pytest.mark.slow),
    ],
)
def test_odd_password_opens_the_account(anyone, ana, kind, texts):
    for number, text in enumerate(texts):
        email = f"eve{number}@x.example"
        body = body_with("POST", f"/{kind}", "password", text, email)
        assert send(ana, "POST", f"/{kind}", body).status_code == 201, text
        login = f'{{"email": "{email}", "password": {text}}}'
        assert send(anyone, "POST", f"/{kind}/login", login).status_code == 200, text


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("customers", VALUES[::4]),
        pytest.param("customers", VALUES, marks=pytest.mark.slow),
        pytest.param("mechanics", VALUES, marks=pytest.mark.slow),
    ],
)
def test_login_with_hostile_values_is_refused(anyone, shop, kind, values):
    for text, _kinds in values:
        both = send(anyone, "POST", f"/{kind}/login", f'{{"email": {text}, "password": {text}}}')
        assert harmless(both) in (400, 401), text
        one = send(anyone, "POST", f"/{kind}/login", f'{{"email": {text}}}')
        assert harmless(one) == 400, text


def test_body_without_a_required_field_is_refused(shop, ana):
    before = everything(shop)
    for (method, path), kinds in ROUTES.items():
        optional = {field for field, kind in kinds.items() if kind in OPTIONAL}
        optional |= {"password"} if method == "PUT" else set()
        required = kinds.keys() - optional if method != "PATCH" else ()
        for field in required:
            body = {name: GOOD.get(name, "eve@x.example") for name in required if name != field}
            problem(ana.open(path, method=method, json=body), 400, field)
    assert everything(shop) == before


def test_body_that_is_no_json_object_is_refused(shop, ana):
    before = everything(shop)
    for method, path in BODY_ROUTES:
        for name, body in BODIES.items():
            if not (name == "nothing" and "assign-inventory" in path):
                assert harmless(send(ana, method, path, body)) == 400, (path, name)
    assert everything(shop) == before


def test_unknown_field_is_refused(shop, ana):
    before = everything(shop)
    for method, path in BODY_ROUTES:
        for field in ("id", "__proto__", "constructor", "role", "<script>", "🔧", "", "total"):
            response = ana.open(path, method=method, json=GOOD | {field: 1})
            assert harmless(response) == 400, (path, field)
            assert field in response.json["errors"]
    assert everything(shop) == before


def test_field_that_is_there_twice_is_stored_once(ana):
    body = '{"name": "horn", "price": 1, "quantity": 1, "name": "bell", "quantity": 2}'
    response = send(ana, "POST", "/inventory", body)
    assert response.status_code in (201, 400)
    assert response.json["name"] == "bell"
    assert ana.get("/inventory").json == [response.json]


def test_body_of_another_type_is_refused(shop, ana):
    before = everything(shop)
    for content_type in CONTENT_TYPES:
        for method, path in BODY_ROUTES:
            body = b'{"name": "horn"}'
            response = ana.open(path, method=method, data=body, content_type=content_type)
            assert problem(response, 415), (path, content_type)
    assert everything(shop) == before


def test_body_over_64_kib_is_refused(shop, ana):
    body = b"{" + b" " * (64 * 1024 - 2) + b"}"
    for method, path in BODY_ROUTES:
        assert harmless(send(ana, method, path, body)) in (200, 201, 400), path
        before = everything(shop)
        problem(send(ana, method, path, body + b" "), 413)
        assert everything(shop) == before


@pytest.mark.parametrize("text", [b"} ", b"x" * 100_000], ids=["by a byte", "by far"])
def test_body_in_chunks_over_64_kib_is_refused(shop, ana, text):
    body = b"{" + b" " * (64 * 1024 - 2) + text
    before = everything(shop)
    for method, path in BODY_ROUTES:
        chunks = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
        chunks["HTTP_TRANSFER_ENCODING"] = "chunked"
        problem(send(ana, method, path, None, environ_overrides=chunks), 413)
    assert everything(shop) == before


@pytest.mark.parametrize("length", ["", "-1", "abc", "1.5", "9" * 30, "0x10", "٣"])
def test_odd_content_length_does_no_harm(shop, ana, length):
    before = everything(shop)
    body = {"CONTENT_LENGTH": length, "wsgi.input": io.BytesIO(b'{"name": "horn"}')}
    response = send(ana, "POST", "/inventory", None, environ_overrides=body)
    assert harmless(response) in (400, 413)
    assert everything(shop) == before


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "x-unknown", "gzip, gzip"])
def test_compressed_body_is_not_unpacked(shop, ana, encoding):
    before = everything(shop)
    bomb = gzip.compress(b'{"name": "horn", "price": 1, "quantity": 1}' + b" " * 10_000_000)
    response = send(ana, "POST", "/inventory", bomb, headers={"Content-Encoding": encoding})
    assert harmless(response) in (400, 415)
    assert everything(shop) == before


@pytest.mark.parametrize("charset", ["utf-16", "utf-32", "latin-1", "unknown"])
def test_json_of_another_charset_is_refused_or_read_back_as_sent(ana, charset):
    text = '{"name": "Hörn", "price": 1, "quantity": 1}'
    body = text.encode("utf-8" if charset == "unknown" else charset)
    content_type = f"application/json; charset={charset}"
    response = ana.post("/inventory", data=body, content_type=content_type)
    if harmless(response) == 201:
        assert response.json["name"] == "Hörn"
    assert ana.get("/inventory").json == ([response.json] if response.status_code == 201 else [])


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_hostile_id_in_a_path_is_not_found(shop, ana, method):
    before = everything(shop)
    for path in PATHS[method]:
        for hostile in HOSTILE_IDS:
            response = ana.open(path.format(quote(hostile, safe="")), method=method, json={})
            assert harmless(response) == 404, (path, hostile)
    assert everything(shop) == before


@pytest.mark.parametrize("path", ["/%ff", "/inventory/%c0%af", "/inventory/%ed%a0%80", "/../../x"])
def test_path_of_odd_bytes_is_not_found(anyone, path):
    problem(anyone.get(path), 404)


@pytest.mark.parametrize("parameter", ["page", "per_page"])
def test_hostile_page_is_refused(shop, ana, carla, parameter):
    for path in [*LISTS, "/customers/my-tickets"]:
        client = carla if path == "/customers/my-tickets" else ana
        for value in [*NUMBERS, "0"]:
            response = client.get(f"{path}?{parameter}={value}")
            assert harmless(response) == 400, (path, value)
            assert list(response.json["errors"]) == [parameter]


def test_hostile_customer_id_is_refused(shop, ana):
    for value in NUMBERS:
        response = ana.get(f"/service_tickets?customer_id={value}")
        assert harmless(response) == 400, value
        assert list(response.json["errors"]) == ["customer_id"]


@pytest.mark.parametrize("resource", ["service_tickets", "ticket_inventory"])
def test_hostile_quantity_to_remove_is_refused(shop, ana, resource):
    before = everything(shop)
    for value in [*NUMBERS, "0"]:
        response = ana.delete(f"/{resource}/1/remove-inventory/1?quantity={value}")
        assert harmless(response) == 400, value
        assert list(response.json["errors"]) == ["quantity"]
    assert everything(shop) == before


@pytest.mark.parametrize("path", ["/customers", "/inventory", "/parts"])
def test_hostile_search_finds_nothing(shop, ana, path):
    for text in TEXTS:
        response = ana.get(f"{path}?search={text}")
        assert harmless(response) == 200
        assert response.json == []
        assert response.headers["X-Total-Count"] == "0"
    for text in ("%00", "horn%00", "x" * 300, "x" * 60_000):
        problem(ana.get(f"{path}?search={text}"), 400, "search")


@pytest.mark.parametrize("query", ["page", "&&&=", "%00=%00", "page[]=2", "a=" + "&a=" * 5000, ";"])
def test_odd_query_does_no_harm(shop, ana, query):
    for path in LISTS:
        assert harmless(ana.get(f"{path}?{query}")) in (200, 400)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Bearer  ,",
        "Bearer {token} {token}",
        "Bearer {token}, Bearer {token}",
        "Bearer {token},",
        'Bearer "{token}"',
        "Bearer token={token}",
        "Bearer={token}",
        "Bearer\0{token}",
        "Basic {token}",
        "Basic YW5hOmNvcnJlY3QtaG9yc2U=",
        "Basic ====",
        "Digest username=ana, response={token}",
        "Token {token}",
        "{token}",
        "Bearer 🔧",
        "Bearer \x80\xff",
        "Bearer ..",
        "Bearer e30.e30.",
        "Bearer " + "." * 100_000,
        "Bearer " + "A" * 100_000,
        "Bearer " + "A." * 50_000,
        "A" * 100_000 + " {token}",
    ],
)
def test_odd_authorization_header_opens_nothing(app, ana, anyone, header):
    token = token_of(app, "mechanic", ana.id)
    assert calling(app, token).get("/mechanics").status_code == 200
    headers = {}
    if header is not None:
        headers["Authorization"] = header.format(token=token).encode().decode("latin-1")
    problem(anyone.get("/mechanics", headers=headers), 401)
    problem(anyone.delete("/inventory/1", headers=headers), 401)
    assert anyone.get("/inventory", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-For",
        "X-Real-IP",
        "X-Client-IP",
        "X-Cluster-Client-IP",
        "X-Originating-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "Client-IP",
        "Forwarded",
    ],
)
def test_forwarded_address_does_not_move_the_rate_limit(make_app, header):
    client = calling(make_app(RATELIMIT_DEFAULT="3/minute"))

    def call(number):
        sent = f"for=192.0.2.{number}" if header == "Forwarded" else f"192.0.2.{number}"
        return client.get("/inventory", headers={header: sent})

    assert [call(number).status_code for number in range(4)] == [200, 200, 200, 429]


@pytest.mark.parametrize("name", ["x" * 60_000, "127.0.0.1, 127.0.0.1", "'; --", "\x00", ELSEWHERE])
def test_login_limit_holds_whatever_the_forwarded_address(make_app, name):
    client = calling(make_app())

    def login():
        return client.post("/customers/login", json={"email": 1}, headers={"X-Forwarded-For": name})

    assert [login().status_code for _ in range(11)] == [400] * 10 + [429]


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
def test_method_override_is_ignored(ana, part, method):
    names = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
    asked = {"headers": dict.fromkeys(names, "DELETE"), "query_string": {"_method": "DELETE"}}
    response = ana.open("/inventory/1", method=method, data={"_method": "DELETE"}, **asked)
    assert response.status_code == (405 if method == "POST" else 200)
    assert ana.get("/inventory").json == [part]


@pytest.mark.parametrize(
    "method", ["get", "BREW", "G" * 5000, "DELETE\0", "🔧", "TRACE", "CONNECT"]
)
def test_odd_method_is_not_allowed(shop, ana, method):
    before = everything(shop)
    for path in ("/", "/inventory", "/inventory/1", "/customers/login"):
        if method != "get" or path == "/customers/login":
            assert harmless(ana.open(path, environ_overrides={"REQUEST_METHOD": method})) == 405
    assert everything(shop) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:99999"},
        {"Host": "a" * 5000},
        {"Host": ""},
        {"Host": "[::1"},
        {"Host": "x'\"<script>"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "javascript"},
        {"X-Original-URL": "/mechanics", "X-Rewrite-URL": "/mechanics"},
        {"Accept": "text/html"},
        {"Accept": "application/xml;q=banana"},
        {"Accept-Encoding": "gzip;q=x, \x00"},
        {"Accept-Language": "../../etc/passwd"},
        {"Cookie": "session=" + "A" * 5000},
        {"Cookie": "session=.eJwNyk.AA.BB; session="},
        {"Cookie": "=;;;=\x00"},
        {"If-None-Match": '"'},
        {"If-None-Match": 'W/"a", "b'},
        {"If-Modified-Since": "Thu, 99 Foo 99999999 99:99:99 GMT"},
        {"If-Range": "x", "Range": "bytes=0-0"},
        {"Range": "bytes=-99999999999999999999"},
        {"Range": "lines=1-2"},
        {"Expect": "200-maybe"},
        {"Upgrade": "websocket", "Connection": "Upgrade"},
        {"Origin": "null"},
    ],
    ids=str,
)
def test_odd_headers_do_no_harm(ana, part, headers):
    for path in ("/", "/inventory", "/inventory/1", "/customers", "/nothing"):
        response = ana.get(path, headers=headers)
        harmless(response)
        assert "evil.example" not in response.get_data(as_text=True) + str(response.headers)
    response = ana.post(
        "/inventory", json={"name": "x", "price": 1, "quantity": 1}, headers=headers
    )
    harmless(response)
    assert response.headers.get("Location", "/inventory/2") == "/inventory/2"


def test_text_is_data_wherever_it_is_shown_and_searched(ana, anyone):
    names = [json.loads(text) for text, kinds in VALUES if "text" in kinds.split()]
    for name in names:
        part = {"name": name, "price": 1, "quantity": 1}
        assert ana.post("/inventory", json=part).status_code == 201
    listed = anyone.get("/inventory?per_page=100")
    assert [part["name"] for part in listed.json] == [name.strip() for name in names]
    assert listed.content_type == "application/json"
    for name in names:
        found = anyone.get("/inventory", query_string={"search": name})
        assert name.strip() in [part["name"] for part in found.json]
        assert len(found.json) < len(names)


def test_money_is_stored_to_the_cent(ana):
    for cents in (0, 1, 7, 10, 29, 115, 1999, 99_999_999, 100_000_000):
        response = ana.post("/inventory", json={"name": "x", "price": cents / 100, "quantity": 0})
        assert math.isclose(response.json["price"] * 100, cents, abs_tol=1e-6)
        assert ana.get(response.headers["Location"]).json["price"] == cents / 100
    problem(
        ana.post("/inventory", json={"name": "x", "price": 1_000_000.01, "quantity": 0}),
        400,
        "price",
    )
