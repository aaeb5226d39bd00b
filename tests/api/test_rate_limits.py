"""The rate limits: who is counted, by what, and that nothing a caller sends evades them."""

import io

import pytest
from harness.shop import ELSEWHERE, PASSWORD, calling, problem

from mechanic_shop import limiter

LOGIN = "/mechanics/login"


def until_refused(call):
    """Return how many calls are answered before one is refused with a 429."""
    for count in range(300):
        response = call()
        if response.status_code == 429:
            problem(response, 429)
            assert 0 <= int(response.headers["Retry-After"]) <= 60
            assert response.headers["X-RateLimit-Remaining"] == "0"
            return count
    raise AssertionError("300 calls were answered")


def test_default_limit_is_200_a_minute_for_each_address_and_route(app, anyone, part):
    assert until_refused(lambda: anyone.get("/inventory")) == 200
    assert anyone.get("/inventory", headers={"X-Forwarded-For": ELSEWHERE}).status_code == 429
    assert anyone.get("/inventory/1").status_code == 200
    assert anyone.get("/parts").status_code == 200
    assert calling(app, address=ELSEWHERE).get("/inventory").status_code == 200


def test_answers_say_what_is_left(anyone, part):
    first, second = anyone.get("/inventory"), anyone.get("/inventory")
    limit = int(first.headers["X-RateLimit-Limit"])
    left = [int(response.headers["X-RateLimit-Remaining"]) for response in (first, second)]
    assert left == [limit - 1, limit - 2]
    assert "X-RateLimit-Reset" in first.headers
    assert "Retry-After" not in first.headers


def test_limit_is_a_setting(make_app):
    client = calling(make_app(RATELIMIT_DEFAULT="3/minute"))
    assert until_refused(lambda: client.get("/inventory")) == 3
    client = calling(make_app(RATELIMIT_ENABLED=False))
    assert {client.get("/inventory").status_code for _ in range(300)} == {200}


def test_health_has_no_limit(make_app):
    client = calling(make_app(RATELIMIT_DEFAULT="1/minute"))
    assert [client.get("/health").status_code for _ in range(3)] == [200] * 3


def test_limit_comes_before_every_other_refusal_and_says_what_it_is(make_app):
    client = calling(make_app(RATELIMIT_DEFAULT="1/minute"))
    problem(client.get("/mechanics"), 401)
    assert problem(client.get("/mechanics"), 429) == "Too many requests: 1 per 1 minute."
    problem(client.patch("/inventory/1"), 401)
    problem(client.patch("/inventory/1", data=b"x" * 70_000), 429)


def test_registration_is_limited_to_60_a_minute(app, anyone):
    assert until_refused(lambda: anyone.post("/customers", json={})) == 60
    problem(calling(app, address=ELSEWHERE).post("/customers"), 415)


# --- Logins ---


def test_logins_are_limited_to_10_a_minute_for_an_address_and_email(app, anyone, ana, bert):
    number = 0

    def guess():
        nonlocal number
        number += 1
        email = (ana.email, f" {ana.email.upper()} ")[number % 2]
        body = {"email": email, "password": "wrong-password"}
        return anyone.post(f"/{('customers', 'mechanics')[number % 2]}/login", json=body)

    assert until_refused(guess) == 10
    right = {"email": ana.email, "password": PASSWORD}
    for kind in ("customers", "mechanics"):
        problem(anyone.post(f"/{kind}/login", json=right), 429)
    elsewhere = calling(app, address=ELSEWHERE)
    assert elsewhere.post("/mechanics/login", json=right).status_code == 200
    other = {"email": bert.email, "password": PASSWORD}
    assert anyone.post("/mechanics/login", json=other).status_code == 200


def test_default_limit_counts_logins_too(make_app):
    client = calling(make_app(RATELIMIT_DEFAULT="3/minute"))
    emails = iter(f"{number}@x.example" for number in range(300))
    body = {"password": PASSWORD}
    assert (
        until_refused(lambda: client.post("/customers/login", json=body | {"email": next(emails)}))
        == 3
    )


class BrokenBody(io.BytesIO):
    """A body that the server cannot receive."""

    def readinto(self, _buffer):
        raise OSError("malformed chunk")


BODIES = [b"", b"{", b"null", b"[1]", b"[" * 10_000, b"\xff\xfe", b'{"email": ["a"]}']
BODIES += [b'{"email": "\\ud800\\u0000", "password": "\\ud800\\u0000 long"}']
BODIES += [b'{"email": {"a": ' + b"9" * 5000 + b"}}", b'{"email": "' + b"x" * 70_000 + b'"}']
BODIES += [BrokenBody(b"{}")]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", None])
def test_no_body_switches_the_login_limit_off(app, caplog, content_type):
    counts = []
    for number, body in enumerate([b"{}", *BODIES]):
        client = calling(app, address=f"192.0.2.{number}")
        sent = {"data": body, "content_type": content_type}
        if isinstance(body, BrokenBody):
            sent = {"input_stream": body, "content_length": 2, "content_type": content_type}
        counts.append(until_refused(lambda client=client, sent=sent: client.post(LOGIN, **sent)))
    assert counts == counts[:1] * len(counts)
    assert caplog.text == ""  # the limiter would say that it goes over to the counters in memory


def test_emails_of_any_length_leave_little_in_the_store_of_the_counters(anyone, redis_url):
    for number, length in enumerate((10, 240, 260, 65_000)):
        body = {"email": f"{number}{'e' * length}@x.example", "password": PASSWORD}
        assert anyone.post(LOGIN, json=body).status_code in (400, 401)
    keys = limiter.storage.storage.keys() if redis_url else list(limiter.storage.storage)
    assert 0 < sum(map(len, keys)) < 2000


# --- Callers behind a proxy ---


def statuses_of_forwarded(app, *addresses):
    """Return the statuses of calls that a proxy passes on, for what X-Forwarded-For says."""
    proxy = calling(app, address="10.0.0.1")
    headers = [{"X-Forwarded-For": address} for address in addresses]
    return [proxy.get("/inventory", headers=header).status_code for header in headers]


def test_forwarded_address_counts_for_nothing_by_default(make_app):
    app = make_app(RATELIMIT_DEFAULT="1/minute")
    assert statuses_of_forwarded(app, ELSEWHERE, "192.0.2.1", "x" * 60_000) == [200, 429, 429]


def test_address_that_the_trusted_proxy_appended_counts(make_app, environment):
    environment.setenv("FLASK_TRUSTED_PROXIES", "1")
    app = make_app(RATELIMIT_DEFAULT="1/minute")
    assert statuses_of_forwarded(app, ELSEWHERE, ELSEWHERE, "192.0.2.1") == [200, 429, 200]
    forged = [f"192.0.2.{number}, 203.0.113.9" for number in range(3)]
    assert statuses_of_forwarded(app, *forged) == [200, 429, 429]
