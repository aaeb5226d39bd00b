"""The rate limits, counted for each address."""

import pytest
from harness.shop import ELSEWHERE, PASSWORD, calling, problem


def statuses(call, times):
    return [call().status_code for _ in range(times)]


def refused(response):
    assert "per 1 minute" in problem(response, 429)
    assert 0 <= int(response.headers["Retry-After"]) <= 60
    assert response.headers["X-RateLimit-Remaining"] == "0"
    return True


def test_default_limit_counts_for_each_address_and_route(app, anyone, part):
    assert statuses(lambda: anyone.get("/inventory"), 200) == [200] * 200
    assert refused(anyone.get("/inventory"))
    assert refused(anyone.get("/inventory", headers={"X-Forwarded-For": ELSEWHERE}))
    assert anyone.get("/inventory/1").status_code == 200
    assert anyone.get("/parts").status_code == 200
    assert calling(app, address=ELSEWHERE).get("/inventory").status_code == 200


def test_answers_say_what_is_left(anyone, part):
    first, second = anyone.get("/inventory"), anyone.get("/inventory")
    assert first.headers["X-RateLimit-Limit"] == "200"
    left = [response.headers["X-RateLimit-Remaining"] for response in (first, second)]
    assert left == ["199", "198"]
    assert "X-RateLimit-Reset" in first.headers
    assert "Retry-After" not in first.headers


def test_limit_is_a_setting(make_app):
    client = calling(make_app(RATELIMIT_DEFAULT="3/minute"))
    assert statuses(lambda: client.get("/inventory"), 4) == [200, 200, 200, 429]
    client = calling(make_app(RATELIMIT_ENABLED=False))
    assert statuses(lambda: client.get("/inventory"), 205) == [200] * 205
    client = calling(make_app())
    assert client.get("/inventory").headers["X-RateLimit-Limit"] == "200"


def test_health_has_no_limit(anyone):
    assert statuses(lambda: anyone.get("/health"), 205) == [200] * 205


def test_registration_is_limited(app, anyone):
    assert statuses(lambda: anyone.post("/customers", json={}), 60) == [400] * 60
    assert refused(anyone.post("/customers", json={}))
    elsewhere = calling(app, address=ELSEWHERE)
    assert elsewhere.post("/customers", json={}).status_code == 400


def test_logins_are_limited_for_an_address_over_both_routes(app, anyone):
    def login(number):
        kind = ("customers", "mechanics")[number % 2]
        return anyone.post(f"/{kind}/login", json={"email": f"{number}@x.example"})

    for number in range(100):
        problem(login(number), 400, "password")
    assert refused(login(100))
    assert refused(login(101))
    elsewhere = calling(app, address=ELSEWHERE)
    problem(elsewhere.post("/customers/login", json={}), 400, "email", "password")


def test_logins_are_limited_for_an_address_and_email(app, anyone, ana, bert):
    wrong = {"email": ana.email, "password": "wrong-password"}
    right = {"email": ana.email, "password": PASSWORD}
    for number in range(10):
        kind = ("customers", "mechanics")[number % 2]
        spelling = {"email": (ana.email, f" {ana.email.upper()} ")[number % 2]}
        problem(anyone.post(f"/{kind}/login", json=wrong | spelling), 401)
    assert refused(anyone.post("/mechanics/login", json=right))
    assert refused(anyone.post("/customers/login", json=right))
    other = {"email": bert.email, "password": PASSWORD}
    assert anyone.post("/mechanics/login", json=other).status_code == 200
    elsewhere = calling(app, address=ELSEWHERE)
    assert elsewhere.post("/mechanics/login", json=right).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b'"text"',
        b"null",
        b"[" * 10_000,
        b'{"a":' * 10_000,
        b"\xff\xfe",
        b'{"email": ["a"]}',
        b'{"email": {"a": ' + b"9" * 4000 + b"}}",
        b'{"email": "\\ud800\\u0000"}',
        b'{"email": "' + b"x" * 60_000 + b'"}',
        '{"email": "eve@x.example"}'.encode("utf-16"),
    ],
    ids=lambda body: repr(body[:16]),
)
def test_no_body_switches_the_login_limit_off(anyone, caplog, body):
    def login():
        return anyone.post("/mechanics/login", data=body, content_type="application/json")

    assert statuses(login, 10) == [400] * 10
    assert refused(login())
    assert caplog.text == ""  # the limiter would say that it goes over to the counters in memory


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_no_content_type_switches_the_login_limit_off(anyone, content_type):
    def login():
        return anyone.post("/mechanics/login", data=b"{}", content_type=content_type)

    assert statuses(login, 10) == [415] * 10
    assert refused(login())


def test_limit_comes_before_every_other_refusal(make_app):
    client = calling(make_app(RATELIMIT_DEFAULT="1/minute"))
    problem(client.get("/mechanics"), 401)
    response = client.get("/mechanics")
    assert refused(response)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-For",
        "X-Real-IP",
        "X-Client-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "Forwarded",
    ],
)
def test_forwarded_address_does_not_move_the_limit(app, monkeypatch, header):
    monkeypatch.setitem(app.config, "RATELIMIT_DEFAULT", "3/minute")
    client = calling(app)

    def call(number):
        sent = f"for=192.0.2.{number}" if header == "Forwarded" else f"192.0.2.{number}"
        return client.get("/inventory", headers={header: sent})

    assert [call(number).status_code for number in range(4)] == [200, 200, 200, 429]


@pytest.mark.parametrize("name", ["x" * 60_000, "127.0.0.1, 127.0.0.1", "'; --", "\x00", ELSEWHERE])
def test_login_limit_holds_whatever_the_forwarded_address(anyone, name):
    def login():
        return anyone.post("/customers/login", json={"email": 1}, headers={"X-Forwarded-For": name})

    assert statuses(login, 11) == [400] * 10 + [429]
