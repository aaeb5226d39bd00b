"""What else of a request may be odd: path, method and headers. Nothing breaks or leaks."""

import re
from urllib.parse import quote

import pytest
from harness.servers import everything
from harness.shop import problem, shows

LEAK = re.compile(r"Traceback|File \"|sqlalchemy|sqlite|psycopg|pymysql|\b(SELECT|INSERT|FROM)\b")

HOSTILE_IDS = [
    "-1",
    "0x1",
    "1.0",
    "1e0",
    "1,2",
    "1_0",
    "+1",
    "1 ",
    "2147483648",
    "1" + "0" * 30,
    "9" * 5000,
    "NaN",
    "null",
    "__proto__",
    "[]",
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
    "1'; DROP TABLE inventory; --",
    "1 OR 1=1",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "../1",
    "%31",
]
RECORDS = ["/customers/{}", "/mechanics/{}", "/service_tickets/{}", "/inventory/{}", "/parts/{}"]
PATHS = {
    "GET": RECORDS,
    "PATCH": RECORDS,
    "PUT": [
        "/service_tickets/{}/edit",
        "/service_tickets/{}/assign-mechanic/1",
        "/service_tickets/1/remove-mechanic/{}",
    ],
    "POST": ["/ticket_inventory/{}/assign-inventory/1", "/ticket_inventory/1/assign-inventory/{}"],
    "DELETE": [
        *RECORDS,
        "/ticket_inventory/{}/remove-inventory/1",
        "/service-tickets/1/remove-inventory/{}",
    ],
}


def harmless(response):
    """Assert that a response is no failure of the server and, as a refusal, says nothing of it."""
    assert response.status_code < 500, response.get_data(as_text=True)
    if response.status_code >= 400:
        problem(response, response.status_code, *response.json.get("errors", {}))
        assert not LEAK.search(response.get_data(as_text=True))
        assert len(response.get_data()) < 2000
    return response.status_code


@pytest.mark.parametrize("method", PATHS)
def test_hostile_id_in_a_path_is_not_found(unlimited, database_url, ana, full_ticket, method):
    before = everything(database_url)
    for path in PATHS[method]:
        for hostile in HOSTILE_IDS:
            response = ana.open(path.format(quote(hostile, safe="")), method=method, json={})
            assert harmless(response) == 404, (path, hostile)
    assert everything(database_url) == before


@pytest.mark.parametrize(
    "path",
    [
        *("/nothing", "/customers/x", "/customers/1/x", "/inventory/-1", "/../../x"),
        *("/%ff", "/inventory/%c0%af", "/inventory/%ed%a0%80", "/%2e%2e/seed.py", "/static/x"),
        *("/inventory//", "/inventory//1", "/customers//login"),
    ],
)
def test_unknown_address_is_not_found_and_leads_nowhere(ana, part, path):
    for method in ("GET", "POST", "DELETE"):
        response = ana.open(path, method=method, headers={"Host": "evil.example"})
        assert harmless(response) == 404
        assert "Location" not in response.headers


@pytest.mark.parametrize("path", ["//nothing", "//evil.example/", "//evil.example/inventory"])
def test_path_with_two_slashes_at_its_beginning_leads_nowhere(ana, path):
    response = ana.get("/", environ_overrides={"PATH_INFO": path})
    problem(response, 404)
    assert "Location" not in response.headers


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


@pytest.mark.parametrize(
    "method", ["get", "BREW", "G" * 5000, "DELETE\0", "🔧", "TRACE", "CONNECT"]
)
def test_odd_method_is_not_allowed(database_url, ana, part, method):
    before = everything(database_url)
    for path in ("/", "/inventory", "/inventory/1", "/customers/login"):
        if method != "get" or path == "/customers/login":
            response = ana.open(path, environ_overrides={"REQUEST_METHOD": method})
            assert harmless(response) == 405
    assert everything(database_url) == before


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
def test_method_override_is_ignored(ana, part, method):
    names = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
    asked = {"headers": dict.fromkeys(names, "DELETE"), "query_string": {"_method": "DELETE"}}
    response = ana.open("/inventory/1", method=method, data={"_method": "DELETE"}, **asked)
    assert response.status_code == (405 if method == "POST" else 200)
    assert ana.get("/inventory").json == [part]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:99999"},
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
        {"If-None-Match": "*"},
        {"If-Modified-Since": "Thu, 99 Foo 99999999 99:99:99 GMT"},
        {"If-Range": "x", "Range": "bytes=0-0"},
        {"Range": "lines=1-2"},
        {"Expect": "200-maybe"},
        {"Origin": "null"},
    ],
    ids=str,
)
def test_odd_headers_do_no_harm(ana, carla, part, headers):
    statuses = {"/": 200, "/inventory": 200, "/inventory/1": 200, "/customers": 200, "/x": 404}
    for path, status in statuses.items():
        response = ana.get(path, headers=headers)
        assert harmless(response) == status, path
        assert "evil.example" not in response.get_data(as_text=True) + str(response.headers)
    body = {"name": "x", "price": 1, "quantity": 1}
    response = ana.post("/inventory", json=body, headers=headers)
    assert response.status_code == 201
    assert response.headers["Location"] == "/inventory/2"
    first, second = ana.get("/inventory").json
    assert first == part
    assert shows(second, {"id": 2, **body})


def test_host_that_is_too_long_is_refused(ana, part):
    headers = {"Host": "a" * 300}
    body = {"name": "x", "price": 1, "quantity": 1}
    for path in ("/", "/inventory", "/inventory/1", "/nothing"):
        assert harmless(ana.get(path, headers=headers)) == 400
    assert harmless(ana.post("/inventory", json=body, headers=headers)) == 400
    assert ana.get("/inventory").json == [part]
