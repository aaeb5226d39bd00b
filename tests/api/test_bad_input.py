"""What is refused in a body, always in the same format and with nothing stored; and what is taken.

The fields of a record are tried with PATCH; POST and PUT use the same schema.
"""

import gzip
import io
import itertools
import json
import math

import pytest
from harness.servers import everything
from harness.shop import calling, problem, shows

# What each field takes: text, a whole number and so on, as in VALUES.
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
RECORDS = {
    "/customers/1": CUSTOMER,
    "/mechanics/1": MECHANIC,
    "/service_tickets/1": TICKET,
    "/inventory/1": PART,
}
ACTIONS = {
    ("PUT", "/service_tickets/1/edit"): {"add_ids": "ids", "remove_ids": "ids"},
    ("POST", "/ticket_inventory/1/assign-inventory/1"): {"quantity": "pieces"},
}
GOOD = {
    "/customers": {"first_name": "Eve", "last_name": "Novak", "email": "e@x.example"},
    "/mechanics": {"first_name": "Eve", "last_name": "Novak", "email": "ana@mechanic.example"},
    "/service_tickets": {"customer_id": 1, "vin": "VIN1", "service_desc": "Brakes", "price": 5},
    "/inventory": {"name": "horn", "price": 5, "quantity": 3},
}
LIMITS = {  # the longest text and the largest number that a field takes
    "/customers/1": {"first_name": 100, "last_name": 100, "phone": 32, "address": 255},
    "/mechanics/1": {"first_name": 100, "last_name": 100, "address": 255, "salary": 10_000_000},
    "/service_tickets/1": {"vin": 17, "service_desc": 500, "price": 1_000_000},
    "/inventory/1": {"name": 255, "price": 1_000_000, "quantity": 1_000_000},
}

# Values as they stand in a JSON body, and the kinds of fields that take them.
VALUES = [
    ("null", "note salary"),
    ("true", ""),
    ("false", ""),
    ("{}", ""),
    ('{"$ne": null}', ""),
    ('{"__proto__": {"role": "mechanic"}}', ""),
    ("[]", "ids"),
    ('["text"]', ""),
    ("[[1]]", ""),
    ("[null]", ""),
    ("[true]", ""),
    ("[1.5]", ""),
    ("[-1]", ""),
    (f"[{2**31}]", ""),
    (f"[{2**63}]", ""),
    ("[1e400]", ""),
    ("[NaN]", ""),
    ('""', "note"),
    ('"   "', "note"),
    ('"\\n\\t\\u00a0\\u2003"', "note"),
    ('"\\u0000"', ""),
    ('"a wrench\\u0000"', "password"),
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
    ('"\\\\x00 \\\\u0000 \\\\"', "text note password"),
    ('"  blanks around  "', "text note password"),
    ('"o\'neill=1@x.example"', "text note password email"),
    ('" EVE@X.example\\n"', "text note password email"),
    ('"eve@x.example\\u0000"', "password"),
    ('"eve\\u202e@x.example"', "text note password"),
    ('"🔧@x.example"', "text note password"),
    ('"éve@x.example"', "text note password"),
    ('"e\\u0301ve@x.example"', "text note password"),
    ('"eve@x.example,mallory@x.example"', "text note password"),
    ('"Eve <eve@x.example>"', "text note password"),
    ('"eve@x.example\\nbcc:bob@x.example"', "text note password"),
    ('"eve@@x.example"', "text note password"),
    ('"eve@x..example"', "text note password"),
    ('"a b@x.example"', "text note password"),
    (f'"{"e" * 250}@x.example"', "service_desc"),
    (f'"{"a" * 5000}"', ""),
    (f'"{"é" * 5000}"', ""),
    ("-1", ""),
    ('"-1"', "text note"),
    ('"+1"', "text note"),
    ("-0.01", ""),
    ("0.001", ""),
    ("19.999", ""),
    ('"19.999"', "text note"),
    ('"1."', "text note"),
    ('".5"', "text note"),
    ("2.9", "money salary"),
    ("2.0", "money salary count pieces"),
    ('"2.0"', "text note money salary"),
    ('"10.50"', "text note money salary"),
    ('"007"', "text note vin money salary count pieces"),
    ("2147483648", ""),
    ("9223372036854775808", ""),
    (f"{10**30}", ""),
    (f"{-(10**30)}", ""),
    ("1" + "0" * 400, ""),
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
    ('"AB-1"', "text note"),
    ('"A1\\n\\n;"', "text note"),
    ('"ß"', "text note"),
    ('"vın1"', "text note"),
    ('"2026-01-05"', "text note password day"),
    ('"2026-02-30"', "text note password"),
    ('"0000-01-01"', "text note password"),
    ('"2026-01-05T10:00:00Z"', "text note password"),
    ('"99999-01-01"', "text note password"),
    ('"01.02.2026"', "text note password"),
    ("1767571200", ""),
]
LONG = [text for text, kinds in VALUES if "service_desc" in kinds]  # too long for other texts


@pytest.fixture
def database(unlimited, database_url, ana, carla, full_ticket):
    """The URL of a shop in which every record has the id 1."""
    assert (ana.id, carla.id, full_ticket["id"]) == (1, 1, 1)
    return database_url


def send(client, method, path, body, **headers):
    """Send bytes or text as a JSON body."""
    return client.open(path, method=method, data=body, content_type="application/json", **headers)


def values_for(fields, field, *, taken):
    """Return the values that a field takes, or those that it refuses.

    Fields of the same kind share them out: each value is tried with one of them.
    """
    kind = fields[field]
    alike = [name for name in fields if fields[name] == kind]
    values = [
        text for text, kinds in VALUES if (kind in kinds.split() or field in kinds.split()) == taken
    ]
    return values[alike.index(field) :: len(alike)]


def bodies_for(fields, *, taken):
    """Yield bodies, each as a dict of texts, that together have all values for all these fields.

    A body has one value for each field, as long as there are more of them.
    """
    for row in itertools.zip_longest(*(values_for(fields, name, taken=taken) for name in fields)):
        yield {name: text for name, text in zip(fields, row, strict=True) if text is not None}


def in_json(texts):
    """Return a body of texts that are JSON."""
    return "{" + ", ".join(f'"{name}": {text}' for name, text in texts.items()) + "}"


def stored(kind, value):
    """Return a value as the contract says that it is stored."""
    if not isinstance(value, str):
        return value
    if kind in ("money", "salary", "count"):
        return float(value)
    text = value.strip()
    return {"email": text.lower(), "vin": text.upper()}.get(kind, text)


# --- The fields of records ---


@pytest.mark.parametrize("path", RECORDS)
def test_value_that_a_field_cannot_take_is_refused(database, ana, carla, path):
    client = carla if path == "/customers/1" else ana
    before = everything(database)
    for texts in bodies_for(RECORDS[path], taken=False):
        problem(send(client, "PATCH", path, in_json(texts)), 400, *texts)
    assert everything(database) == before


@pytest.mark.parametrize("path", RECORDS)
def test_odd_value_that_a_field_takes_is_read_back_as_sent(database, ana, path):
    fields = {name: kind for name, kind in RECORDS[path].items() if kind != "password"}
    for texts in bodies_for(fields, taken=True):
        response = send(ana, "PATCH", path, in_json(texts))
        assert response.status_code == 200, (texts, response.text)
        sent = {name: stored(fields[name], json.loads(text)) for name, text in texts.items()}
        assert shows(response.json, sent)
        assert ana.get(path).json == response.json, texts


@pytest.mark.parametrize("path", RECORDS)
def test_limit_of_a_field_is_the_contracts(database, ana, path):
    for field, limit in LIMITS[path].items():
        taken, refused = limit, limit + 1
        if limit < 1000:
            taken, refused = "X" * limit, "X" * (limit + 1)
        assert ana.patch(path, json={field: taken}).json[field] == taken
        problem(ana.patch(path, json={field: refused}), 400, field)


def test_password_has_8_to_128_characters(database, anyone):
    person = GOOD["/customers"]
    for text in ("1234567", "x" * 129, ""):
        problem(anyone.post("/customers", json=person | {"password": text}), 400, "password")
    for number, text in enumerate(["12345678", "x" * 128, "🔧" * 128, "a wrench\n"]):
        account = {"email": f"e{number}@x.example", "password": text}
        assert anyone.post("/customers", json=person | account).status_code == 201
        assert anyone.post("/customers/login", json=account).status_code == 200


def test_price_is_stored_to_the_cent(ana, part):
    for cents in (0, 1, 7, 10, 29, 115, 1999, 99_999_999, 100_000_000):
        response = ana.patch("/inventory/1", json={"price": cents / 100})
        assert math.isclose(response.json["price"] * 100, cents, abs_tol=1e-6)
        assert ana.get("/inventory/1").json["price"] == cents / 100
    problem(ana.patch("/inventory/1", json={"price": 1_000_000.01}), 400, "price")


@pytest.mark.parametrize("path", GOOD)
def test_post_and_put_refuse_what_patch_refuses(database, ana, path):
    fields = RECORDS[f"{path}/1"]
    before = everything(database)
    for number, field in enumerate(fields):
        for text in values_for(fields, field, taken=False)[number::15]:
            others = "".join(
                f', "{name}": {json.dumps(value)}'
                for name, value in GOOD[path].items()
                if name != field
            )
            body = f'{{"{field}": {text}{others}}}'
            missing = {"password"} & fields.keys() - {field}
            problem(send(ana, "POST", path, body), 400, field, *missing)
            problem(send(ana, "PUT", f"{path}/1", body), 400, field)
    assert everything(database) == before


def test_body_without_a_required_field_is_refused(database, ana):
    before = everything(database)
    optional = ("note", "salary", "day", "price of a ticket", "count")
    for path, good in GOOD.items():
        kinds = RECORDS[f"{path}/1"] | ({"price": optional[3]} if "tickets" in path else {})
        required = {field for field, kind in kinds.items() if kind not in optional}
        problem(ana.post(path, json={}), 400, *required)
        problem(ana.put(f"{path}/1", json={}), 400, *required - {"password"})
        for field in required - {"password"}:
            body = {name: value for name, value in good.items() if name != field}
            problem(ana.put(f"{path}/1", json=body), 400, field)
    assert everything(database) == before


def test_new_column_is_tried_here(app):
    for path, fields in RECORDS.items():
        schema = app.view_functions[endpoint(app, path)].body_schema
        taken = {name for name, field in schema.fields.items() if not field.dump_only}
        assert taken == set(fields), (
            f"The schema of {path} has other fields than the tests try: for a new field, say in "
            f"RECORDS in tests/test_bad_input.py what it takes (a required one: in GOOD, too), "
            f"for one that is gone, delete it there."
        )


def endpoint(app, path):
    return app.url_map.bind("").match(path, method="PATCH")[0]


# --- The fields of actions ---


@pytest.mark.parametrize(("method", "path"), ACTIONS)
def test_value_that_an_action_cannot_take_is_refused(database, ana, method, path):
    before = everything(database)
    for texts in bodies_for(ACTIONS[method, path], taken=False):
        problem(send(ana, method, path, in_json(texts)), 400, *texts)
    assert everything(database) == before


def test_login_with_odd_values_is_refused(database, anyone):
    before = everything(database)
    for number, (text, _kinds) in enumerate(VALUES):
        kind = ("customers", "mechanics")[number % 2]
        one = send(anyone, "POST", f"/{kind}/login", f'{{"email": {text}}}')
        assert one.status_code == 400, text
        if number % 8 == 0:  # each of these costs a hash
            body = f'{{"email": {text}, "password": {text}}}'
            both = send(anyone, "POST", f"/{kind}/login", body)
            assert both.status_code in (400, 401), text
    assert everything(database) == before


# --- Whole bodies ---

ROUTES = [
    *(("POST", path) for path in GOOD),
    *((method, f"{path}/1") for path in GOOD for method in ("PUT", "PATCH")),
    *ACTIONS,
    ("POST", "/customers/login"),
    ("POST", "/mechanics/login"),
]
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
    "Python": b"{'name': 1}",
    "bad UTF-8": b'{"name": "\xff\xfe"}',
    "raw control character": b'{"name": "a\x00b"}',
    "half of an emoji": b'{"name": "horn \\ud83d", "price": 1, "quantity": 1}',
    "halves in the wrong order": b'{"email": "\\udd27\\ud83d", "password": "\\udd27\\ud83d"}',
    "half of an emoji in a list": b'{"quantity": [{"name": "\\ud83d"}]}',
    "half of an emoji in a name": b'{"\\ud83d": 1}',
    "deep lists": b"[" * 10_000 + b"]" * 10_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep and open": b"[" * 60_000,
    "form": b"name=horn&price=1&quantity=1",
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "compressed": gzip.compress(b'{"name": "horn", "price": 1, "quantity": 1}'),
    "number too long to read": b'{"price": ' + b"9" * 10_000 + b"}",
}


def test_body_that_is_no_json_object_is_refused(database, ana):
    before = everything(database)
    for method, path in ROUTES:
        for name, body in BODIES.items():
            if not (name == "nothing" and "assign-inventory" in path):
                detail = problem(send(ana, method, path, body), 400)
                assert detail == "The body must be a valid JSON object.", (path, name)
    assert everything(database) == before


def test_unknown_field_of_any_name_is_refused_and_named(database, ana):
    before = everything(database)
    names = ["id", "__proto__", "role", "<script>", "🔧", "", "total", "parts", "mechanics"]
    for method, path in ROUTES:
        for name in [*names, "\0"]:
            response = send(ana, method, path, json.dumps({name: 1}))
            problem(response, 400, *response.json["errors"])
            assert name in response.json["errors"], (path, name)
    assert everything(database) == before


def test_every_wrong_field_is_named(anyone):
    body = {"first_name": "", "email": "x", "password": "short", "unknown_field": "E"}
    response = anyone.post("/customers", json=body)
    problem(response, 400, "first_name", "last_name", "email", "password", "unknown_field")


def test_of_a_field_that_is_there_twice_the_last_one_counts(ana, part):
    body = '{"name": "horn", "price": 1, "name": "bell", "quantity": 2}'
    response = send(ana, "PATCH", "/inventory/1", body)
    assert shows(response.json, {"id": 1, "name": "bell", "price": 1, "quantity": 2})
    assert ana.get("/inventory").json == [response.json]


def test_body_of_another_type_is_refused(database, ana):
    before = everything(database)
    types = [None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"]
    types += ["multipart/form-data; boundary=x", "*/*", "\xf0\x9f\x94\xa7", "a" * 50_000]
    for content_type in types:
        for method, path in ROUTES:
            body = b'{"quantity": 1}'
            problem(ana.open(path, method=method, data=body, content_type=content_type), 415)
    assert everything(database) == before


@pytest.mark.parametrize("charset", ["utf-16", "utf-32", "latin-1", "unknown"])
def test_json_of_another_charset_is_refused_or_read_back_as_sent(ana, part, charset):
    text = '{"name": "Hörn"}'
    body = text.encode("utf-8" if charset == "unknown" else charset)
    content_type = f"application/json; charset={charset}"
    response = ana.patch("/inventory/1", data=body, content_type=content_type)
    expected = part
    if charset == "latin-1":
        problem(response, 400)
    else:
        expected = part | {"name": "Hörn"}
        assert response.json == expected
    assert ana.get("/inventory/1").json == expected


def test_compressed_body_is_not_unpacked(ana, part):
    bomb = gzip.compress(b'{"name": "horn", "price": 1, "quantity": 1}' + b" " * 10_000_000)
    for encoding in ("gzip", "deflate", "br", "x-unknown", "gzip, gzip"):
        headers = {"Content-Encoding": encoding}
        problem(send(ana, "PATCH", "/inventory/1", bomb, headers=headers), 400)
        assert ana.get("/inventory/1").json == part


def test_body_over_64_kib_is_refused_before_anything_else(database, app, ana):
    largest = b"{" + b" " * (64 * 1024 - 2) + b"}"
    for method, path in ROUTES:
        response = send(ana, method, path, largest)
        assert response.status_code in (200, 201, 400), path
        before = everything(database)
        problem(send(ana, method, path, largest + b" "), 413)
        problem(send(calling(app), method, path, largest + b" "), 413)
        assert everything(database) == before


def test_body_in_chunks_is_refused_before_anything_else(database, app, ana):
    before = everything(database)
    for method, path in [*ROUTES, ("GET", "/inventory"), ("POST", "/nothing")]:
        chunks = {"wsgi.input": io.BytesIO(b"{}"), "wsgi.input_terminated": True}
        chunks["HTTP_TRANSFER_ENCODING"] = "chunked"
        for client in (ana, calling(app)):
            response = send(client, method, path, None, environ_overrides=chunks)
            assert "Content-Length" in problem(response, 411)
    assert everything(database) == before


@pytest.mark.parametrize("length", ["", "-1", "abc", "1.5", "9" * 30, "0x10", "٣"])
def test_odd_content_length_does_no_harm(ana, part, length):
    body = {"CONTENT_LENGTH": length, "wsgi.input": io.BytesIO(b'{"name": "horn"}')}
    response = send(ana, "PATCH", "/inventory/1", None, environ_overrides=body)
    problem(response, 413 if length == "9" * 30 else 400)
    assert ana.get("/inventory/1").json == part
