"""What is refused in a request, always in the same shape, with nothing stored."""

import json

import pytest
from conftest import problem

PART = {"name": "horn", "price": 5, "quantity": 3}
PERSON = {
    "first_name": "Eve",
    "last_name": "Novak",
    "email": "eve@mail.example",
    "password": "long-enough",
}

WRONG_TEXT = [
    None,
    1,
    1.5,
    True,
    ["x"],
    {"x": 1},
    "",
    "   ",
    "\0",
    "a\0b",
    "\ud800",
    "\u200b",
    "\n",
]
WRONG_NUMBERS = [
    *(None, True, False, [], {}, "", " ", "x", "1_000", "٣", "1e3", "+1", "-1", " 1", "1 ", "0x1"),
    *(-1, -0.5, 10**30, -(10**30), 2**63, 10**400, float("inf"), float("-inf"), float("nan")),
    "9" * 5000,
]


def sent(value):
    """Return a JSON body as text, with NaN and Infinity as Python writes them."""
    return {"data": json.dumps(value), "content_type": "application/json"}


@pytest.mark.parametrize("value", [*WRONG_TEXT, "x" * 256], ids=lambda value: repr(value)[:12])
def test_wrong_name_of_a_part_is_refused(ana, value):
    problem(ana.post("/inventory", **sent({**PART, "name": value})), 400, "name")
    assert ana.get("/inventory").json == []


@pytest.mark.parametrize("field", ["price", "quantity"])
@pytest.mark.parametrize("value", [*WRONG_NUMBERS, 1_000_001], ids=lambda value: repr(value)[:12])
def test_wrong_number_is_refused(ana, part, field, value):
    problem(ana.post("/inventory", **sent({**PART, field: value})), 400, field)
    problem(ana.patch("/inventory/1", **sent({field: value})), 400, field)
    assert ana.get("/inventory").json == [part]


@pytest.mark.parametrize("value", [2.9, 0.1, "10.0", "2.9", "1."])
def test_a_piece_is_never_rounded(ana, value):
    problem(ana.post("/inventory", json={**PART, "quantity": value}), 400, "quantity")


@pytest.mark.parametrize("value", [0.001, 19.999, "19.999", "1.", ".5", "1.123"])
def test_a_price_has_at_most_two_decimals(ana, value):
    problem(ana.post("/inventory", json={**PART, "price": value}), 400, "price")


@pytest.mark.parametrize(
    ("fields", "stored"),
    [
        ({"price": "20", "quantity": "10"}, {"price": 20, "quantity": 10}),
        ({"price": "20.5", "quantity": 10.0}, {"price": 20.5, "quantity": 10}),
        ({"price": "120.25", "quantity": "007"}, {"price": 120.25, "quantity": 7}),
        ({"price": 0, "quantity": 0}, {"price": 0, "quantity": 0}),
        ({"price": 1_000_000, "quantity": 1_000_000}, {"price": 1e6, "quantity": 1_000_000}),
        ({"price": 19.99, "quantity": 1}, {"price": 19.99, "quantity": 1}),
    ],
)
def test_numbers_are_taken_as_digits_too(ana, fields, stored):
    response = ana.post("/inventory", json={**PART, **fields})
    assert response.json == {"id": 1, "name": "horn", **stored}
    assert ana.get("/inventory/1").json == response.json


def test_negative_zero_is_zero(ana):
    ana.post("/inventory", **sent({**PART, "price": -0.0}))
    assert '"price":0.0' in ana.get("/inventory/1").get_data(as_text=True)


@pytest.mark.parametrize("value", [*WRONG_NUMBERS, 10_000_001, 0.001], ids=lambda v: repr(v)[:12])
def test_wrong_salary_is_refused(ana, value):
    response = ana.patch("/mechanics/1", **sent({"salary": value}))
    if value is None:
        assert response.json["salary"] is None
    else:
        problem(response, 400, "salary")
        assert ana.get("/mechanics/1").json["salary"] is None


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("first_name", [*WRONG_TEXT, "x" * 101]),
        ("last_name", [*WRONG_TEXT, "x" * 101]),
        ("phone", [1, True, [], "1" * 33, "\0", "\udfff"]),
        ("address", [1, True, {}, "x" * 256, "\0"]),
        ("password", [*WRONG_TEXT, "1234567", "x" * 129, " " * 20, "       x       "]),
        ("email", [*WRONG_TEXT, "eve", "eve@", "@x.example", "eve@x", "a b@x.example"]),
        ("email", ["eve@x.example\nbcc:bob@x.example", "e" * 250 + "@x.example", "eve@x..example"]),
        ("id", [1, None]),
        ("__proto__", [{"admin": True}]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_field_of_a_customer_is_refused(make_app, ana, field, values):
    client = make_app(RATELIMIT_ENABLED=False).test_client()
    for value in values:
        problem(client.post("/customers", **sent({**PERSON, field: value})), 400, field)
    assert ana.get("/customers").json == []


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("vin", [*WRONG_TEXT, "x" * 18, "AB CD", "AB-1", "ÄB1", "ß", "ſ", "１", "A1\n\n;"]),
        ("service_desc", [*WRONG_TEXT, "x" * 501]),
        ("service_date", [None, 1, "", "x", "2026-13-01", "2026-02-30", "01.02.2026", [], True]),
        ("price", WRONG_NUMBERS),
        ("customer_id", [None, "", "x", 1.5, True, [1], 99, -1]),
        ("total", [1]),
        ("parts", [[]]),
        ("mechanics", [[1]]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_field_of_a_ticket_is_refused(ana, carla, field, values):
    body = {"customer_id": carla.id, "vin": "A1", "service_desc": "Oil", "price": 5}
    for value in values:
        problem(ana.post("/service_tickets", **sent({**body, field: value})), 400, field)
    assert ana.get("/service_tickets").json == []


def test_every_wrong_field_is_named(anyone):
    body = {"first_name": "", "email": "x", "password": "short", "nickname": "E"}
    response = anyone.post("/customers", json=body)
    detail = problem(response, 400, "first_name", "last_name", "email", "password", "nickname")
    assert "last_name" in detail


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"nope", b"{'name': 1}", b'{"name": "horn"', b"\xff\xfe", b'{"name": "\xff"}'),
        *(b"[" * 100, b"[" * 10_000, b'{"a":' * 10_000, b"1" * 5000),
    ],
    ids=lambda body: repr(body[:12]),
)
def test_body_that_is_no_json_is_refused(ana, body):
    response = ana.post("/inventory", data=body, content_type="application/json")
    assert "JSON" in problem(response, 400)


@pytest.mark.parametrize("body", [[], [PART], "text", 1, 1.5, True, None])
def test_body_that_is_no_object_is_refused(ana, part, body):
    assert "object" in problem(ana.post("/inventory", **sent(body)), 400)
    assert "object" in problem(ana.patch("/inventory/1", **sent(body)), 400)
    problem(ana.patch("/mechanics/2", **sent(body)), 404)


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_body_of_another_type_is_refused(ana, ticket, part, content_type):
    for call, path in [
        (ana.post, "/inventory"),
        (ana.patch, "/inventory/1"),
        (ana.post, "/ticket_inventory/1/assign-inventory/1"),
        (ana.post, "/customers/login"),
    ]:
        problem(call(path, data='{"quantity": 1}', content_type=content_type), 415)
    assert ana.get("/inventory").json == [part]


def test_body_over_64_kib_is_refused(ana, part):
    largest = json.dumps(PART).ljust(64 * 1024)
    sent_as = {"content_type": "application/json"}
    assert ana.post("/inventory", data=largest, **sent_as).status_code == 201
    problem(ana.post("/inventory", data=largest + " ", **sent_as), 413)
    problem(ana.patch("/inventory/1", data=largest + " ", **sent_as), 413)
    problem(ana.post("/mechanics/login", data=largest + " ", **sent_as), 413)
    assert len(ana.get("/inventory").json) == 2


@pytest.mark.parametrize("path", ["/nothing", "/customers/x", "/customers/1/x", "/inventory/-1"])
def test_unknown_address_is_not_found(ana, path):
    problem(ana.get(path), 404)
    problem(ana.post(path, json={}), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("delete", "/inventory", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("put", "/customers/login", {"OPTIONS", "POST"}),
        ("post", "/inventory/1", {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"}),
        ("post", "/inventory/999999999", {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"}),
    ],
)
def test_wrong_method_is_told_the_right_ones(anyone, method, path, allowed):
    response = getattr(anyone, method)(path)
    problem(response, 405)
    assert set(response.headers["Allow"].split(", ")) == allowed


def test_refusals_are_decided_in_order(anyone, carla, ana):
    broken = {"data": "{", "content_type": "application/json"}
    problem(anyone.patch("/inventory/9", **broken), 401)
    problem(carla.patch("/inventory/9", **broken), 403)
    problem(ana.patch("/inventory/9", **broken), 404)
    problem(carla.patch("/customers/99", **broken), 403)
    problem(ana.delete("/mechanics/1", **broken), 403)


@pytest.mark.parametrize("name", ["\\ud800", "\\udfff", "\\u0000", "<script>"])
def test_unknown_field_of_any_name_is_refused(anyone, name):
    body = f'{{"{name}": 1, "email": "a@x.example", "password": "correct-horse"}}'
    response = anyone.post("/customers/login", data=body, content_type="application/json")
    problem(response, 400, json.loads(f'"{name}"'))


@pytest.mark.parametrize("path", ["/inventory//", "/inventory//1", "/customers//login"])
def test_address_with_two_slashes_is_not_found_and_leads_nowhere(anyone, part, path):
    response = anyone.get(path, headers={"Host": "evil.example"})
    problem(response, 404)
    assert "Location" not in response.headers
