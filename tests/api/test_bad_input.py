"""What is odd in a body or a path: it is refused in one format, and nothing is stored.

What the fields of records take and refuse stands in tests/harness/resources.py.
"""

import gzip
import io
import json
from urllib.parse import quote

import pytest
from harness.resources import RESOURCES, rows, whole_number
from harness.servers import everything
from harness.shop import problem, shows

EDIT = ("PUT", "/service_tickets/1/edit")
ASSIGN = ("POST", "/ticket_inventory/1/assign-inventory/1")
ROUTES = [  # those that take a body
    *(("POST", path) for path in RESOURCES),
    *((method, f"{path}/1") for path in RESOURCES for method in ("PUT", "PATCH")),
    *(EDIT, ASSIGN, ("POST", "/customers/login"), ("POST", "/mechanics/login")),
]


@pytest.fixture
def database(unlimited, database_url, ana, carla, full_ticket):
    """The URL of a shop in which every record has the id 1."""
    assert (ana.id, carla.id, full_ticket["id"]) == (1, 1, 1)
    return database_url


@pytest.fixture
def nothing_changes(database):
    """Assert after the test that the database is as it was before."""
    before = everything(database)
    yield
    assert everything(database) == before


def send(client, method, path, body, **options):
    """Send bytes or text as a JSON body."""
    return client.open(path, method=method, data=body, content_type="application/json", **options)


def harmless(response):
    """Assert that a response is no failure of the server, and return its status."""
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        problem(response, response.status_code, *response.json.get("errors", {}))
    return response.status_code


# --- The fields of a body ---


@pytest.mark.parametrize("path", RESOURCES)
def test_value_that_a_field_refuses_is_named(nothing_changes, ana, path):
    resource = RESOURCES[path]
    for wrong in rows(resource.fields, "refused"):
        body = resource.whole() | wrong
        problem(ana.post(path, json=body), 400, *wrong)
        problem(ana.put(f"{path}/1", json=body), 400, *wrong)
        problem(ana.patch(f"{path}/1", json=wrong), 400, *wrong)


@pytest.mark.parametrize("path", RESOURCES)
def test_odd_value_that_a_field_takes_is_read_back(database, ana, path):
    for pairs in rows(RESOURCES[path].fields, "taken"):
        sent = {name: pair[0] for name, pair in pairs.items()}
        response = ana.patch(f"{path}/1", json=sent)
        assert response.status_code == 200, response.text
        assert shows(response.json, {name: pair[1] for name, pair in pairs.items()})
        assert ana.get(f"{path}/1").json == response.json


def test_wrong_number_of_pieces_is_refused(nothing_changes, ana):
    for quantity in whole_number(1, 1_000_000).refused:
        problem(ana.post(ASSIGN[1], json={"quantity": quantity}), 400, "quantity")


def test_wrong_list_of_ids_is_refused(nothing_changes, ana):
    wrong = [None, 1, "1", {}, [[1]], [None], [True], [1.5], ["x"], [10**9], [2**63], [1e400]]
    for ids in (*wrong, [1] * 101, ["x"] * 5000):
        for body in ({"add_ids": ids}, {"remove_ids": ids}, {"add_ids": ids, "remove_ids": ids}):
            problem(ana.put(EDIT[1], json=body), 400, *body)


@pytest.mark.parametrize("name", ["id", "total", "__proto__", "<script>", "🔧", "", "\0", "\ud83d"])
def test_unknown_field_is_refused_and_named(nothing_changes, ana, name):
    for method, path in ROUTES:
        response = send(ana, method, path, json.dumps({name: 1}))
        problem(response, 400, *response.json["errors"])
        assert name in response.json["errors"], path


def test_half_of_an_emoji_is_refused(nothing_changes, ana):
    half = "half of an emoji \ud83d"
    for method, path, body in [
        ("POST", "/inventory", {"name": half, "price": 1}),
        ("PATCH", "/inventory/1", {"name": half}),
        ("PATCH", "/customers/1", {"password": half}),
        ("POST", "/customers/login", {"email": "e@x.example", "password": half}),
    ]:
        problem(send(ana, method, path, json.dumps(body)), 400)


def test_nul_does_no_harm(database, ana):  # some databases store it, others refuse it
    assert harmless(ana.patch("/inventory/1", json={"name": "NUL \0"})) in (200, 400)


# --- Whole bodies ---

BODIES = [b"", b" \n", b"null", b"true", b"1", b"NaN", b'"text"', b"[]", b'[{"name": "horn"}]']
BODIES += [b'{"name": "horn", "pri', b'{"name": "horn",}', b"{} {}", b"{'name': 1}", b"name=horn"]
BODIES += [b'{"name": "\xff\xfe"}', b'{"name": "a\x00b"}', b"[" * 60_000, b'{"a":' * 10_000]
BODIES += [b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000]
BODIES += [gzip.compress(b'{"name": "horn"}', mtime=0), b'{"price": ' + b"9" * 10_000 + b"}"]


@pytest.mark.once
@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:20]))
def test_body_that_is_no_json_object_is_refused(nothing_changes, ana, body):
    for method, path in ROUTES:
        if body or (method, path) != ASSIGN:  # which needs no body
            assert "JSON" in problem(send(ana, method, path, body), 400)


@pytest.mark.once
@pytest.mark.parametrize("kind", [None, "", "text/plain", "multipart/form-data", "a" * 50_000])
def test_body_of_another_type_is_refused(nothing_changes, ana, kind):
    for method, path in ROUTES:
        body = b'{"quantity": 1}'
        problem(ana.open(path, method=method, data=body, content_type=kind), 415)


@pytest.mark.once
def test_body_over_64_kib_is_refused(nothing_changes, ana):
    largest = b"{" + b" " * (64 * 1024 - 2) + b"}"
    for method, path in ROUTES:
        if method != "PATCH" and (method, path) not in (EDIT, ASSIGN):  # these would do it
            assert harmless(send(ana, method, path, largest)) == 400
        problem(send(ana, method, path, largest + b" "), 413)
    assert send(ana, "PATCH", "/inventory/1", largest).status_code == 200


def test_body_in_chunks_is_read_if_it_is_not_too_large(database, ana):
    for blanks, status in ((7, 200), (70_000, 413)):
        body = io.BytesIO(b'{"price": %d}' % blanks + b" " * blanks)
        chunks = {"wsgi.input": body, "wsgi.input_terminated": True}
        chunks["HTTP_TRANSFER_ENCODING"] = "chunked"
        response = send(ana, "PATCH", "/inventory/1", None, environ_overrides=chunks)
        assert harmless(response) == status
    assert ana.get("/inventory/1").json["price"] == 7


# --- Paths ---

HOSTILE_IDS = ["-1", "0x1", "1.0", "1_0", "+1", "1 ", "1" * 10, "9" * 5000, "NaN", "*", "%", "\0"]
HOSTILE_IDS += ["1\n", "٣", "🔧", "1'; DROP TABLE x; --", "<script>alert(1)</script>", "../1"]
WITH_IDS = [f"{path}/{{}}" for path in RESOURCES]
WITH_IDS += ["/service_tickets/{}/edit", "/service-tickets/1/remove-inventory/{}"]
WITH_IDS += ["/service_tickets/{}/assign-mechanic/1", "/service_tickets/1/remove-mechanic/{}"]


@pytest.mark.once
@pytest.mark.parametrize("path", WITH_IDS)
def test_hostile_id_in_a_path_is_not_found(nothing_changes, ana, path):
    for hostile in HOSTILE_IDS:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            address = path.format(quote(hostile, safe=""))
            assert harmless(ana.open(address, method=method, json={})) == 404, (method, hostile)


ADDRESSES = ["/nothing", "/customers/1/x", "/../x", "/\xff", "/inventory/\xc0\xaf", "/inventory//"]
ADDRESSES += ["/inventory//1", "/customers//login", "//nothing", "//evil.example/inventory"]


@pytest.mark.once
@pytest.mark.parametrize("path", ADDRESSES)
def test_unknown_address_is_not_found_and_leads_nowhere(ana, part, path):
    forged = {"PATH_INFO": path, "HTTP_HOST": "evil.example"}
    for method in ("GET", "POST", "DELETE"):
        response = ana.open("/", method=method, environ_overrides=forged)
        assert harmless(response) == 404
        assert "Location" not in response.headers
