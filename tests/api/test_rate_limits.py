"""The rate limits: who is counted, by what, and that nothing a caller sends evades them."""

import functools
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
    first, second = anyone.get("/inventory"), anyone.get("/inventory")
    assert first.headers["X-RateLimit-Limit"] == "200"
    assert second.headers["X-RateLimit-Remaining"] == "198"
    assert "X-RateLimit-Reset" in first.headers
    assert "Retry-After" not in first.headers
    assert until_refused(lambda: anyone.get("/inventory")) == 198
    assert anyone.get("/inventory/1").status_code == 200
    assert anyone.get("/parts").status_code == 200
    assert calling(app, address=ELSEWHERE).get("/inventory").status_code == 200


def test_registration_is_limited_to_60_a_minute(app, anyone):
    assert until_refused(lambda: anyone.post("/customers", json={})) == 60
    problem(calling(app, address=ELSEWHERE).post("/customers"), 400)


def test_limit_comes_before_every_other_refusal_and_says_what_it_is(make_app):
    client = calling(make_app(RATELIMIT_DEFAULT="1/minute"))
    problem(client.get("/mechanics"), 401)
    assert problem(client.get("/mechanics"), 429) == "Too many requests: 1 per 1 minute."
    problem(client.patch("/inventory/1"), 401)
    problem(client.patch("/inventory/1", data=b"x" * 70_000), 429)
    assert [client.get("/health").status_code for _ in range(3)] == [200] * 3


# --- Logins ---


def test_logins_are_limited_to_10_a_minute_for_an_address_and_email(app, anyone, ana, bert):
    kinds = ("customers", "mechanics") * 20
    emails = (ana.email, f" {ana.email.upper()} ", ana.email) * 20
    guesses = zip(kinds, emails, strict=False)

    def guess():
        kind, email = next(guesses)
        body = {"email": email, "password": "wrong-password"}
        return anyone.post(f"/{kind}/login", json=body)

    assert until_refused(guess) == 10
    right, other = ({"email": who.email, "password": PASSWORD} for who in (ana, bert))
    problem(anyone.post(LOGIN, json=right), 429)
    answer = anyone.post(LOGIN, json=other)
    assert answer.status_code == 200
    limit, left = (answer.headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining"))
    assert (limit, left) == ("10", "9")  # of the email, not of the route
    assert calling(app, address=ELSEWHERE).post(LOGIN, json=right).status_code == 200


def test_default_limit_counts_logins_too(make_app):
    client = calling(make_app(RATELIMIT_DEFAULT="3/minute"))
    bodies = ({"email": f"{number}@x.example", "password": PASSWORD} for number in range(300))
    assert until_refused(lambda: client.post(LOGIN, json=next(bodies))) == 3


class BrokenBody(io.BytesIO):
    """A body that the server cannot receive."""

    def readinto(self, _buffer):
        raise OSError("malformed chunk")


BODIES = [b"{}", b"", b"{", b"null", b"[1]", b"[" * 10_000, b"\xff\xfe", b'{"email": ["a"]}']
BODIES += [b'{"email": "\\ud800\\u0000", "password": "\\ud800\\u0000 long"}']
BODIES += [b'{"email": {"a": ' + b"9" * 5000 + b"}}", b'{"email": "' + b"x" * 70_000 + b'"}']


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", None])
def test_no_body_switches_the_limits_of_a_login_off(make_app, caplog, content_type):
    app = make_app(RATELIMIT_DEFAULT="12/minute")
    sent = [{"data": body} for body in BODIES]
    sent.append({"input_stream": BrokenBody(), "content_length": 2})
    counts = set()
    for number, body in enumerate(sent):
        client = calling(app, address=f"192.0.2.{number}")
        call = functools.partial(client.post, LOGIN, content_type=content_type, **body)
        counts.add(until_refused(call))
    assert counts == {12}  # a body without a valid email and password is no guess
    assert caplog.text == ""  # the limiter would say that it goes over to the counters in memory


def test_emails_of_any_length_leave_little_in_the_store_of_the_counters(anyone, redis_url):
    for number, length in enumerate((10, 240, 260, 65_000)):
        body = {"email": f"{number}{'e' * length}@x.example", "password": PASSWORD}
        assert anyone.post(LOGIN, json=body).status_code in (400, 401)
    keys = limiter.storage.storage.keys() if redis_url else list(limiter.storage.storage)
    assert 0 < sum(map(len, keys)) < 2000
