"""The rate limits, counted for each address."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import ELSEWHERE, PASSWORD, calling, problem


def statuses(call, times):
    return [call().status_code for _ in range(times)]


def refused(response):
    problem(response, 429)
    assert 0 <= int(response.headers["Retry-After"]) <= 60
    assert response.headers["X-RateLimit-Remaining"] == "0"
    return True


def test_default_limit_counts_for_each_address_and_route(app, anyone, part):
    assert statuses(lambda: anyone.get("/inventory"), 200) == [200] * 200
    assert refused(anyone.get("/inventory"))
    assert refused(anyone.get("/inventory", headers={"X-Forwarded-For": ELSEWHERE}))
    assert anyone.get("/inventory/1").status_code == 200
    assert calling(app, address=ELSEWHERE).get("/inventory").status_code == 200


def test_answers_say_what_is_left(anyone, part):
    first, second = anyone.get("/inventory"), anyone.get("/inventory")
    assert first.headers["X-RateLimit-Limit"] == "200"
    assert (first.headers["X-RateLimit-Remaining"], second.headers["X-RateLimit-Remaining"]) == (
        "199",
        "198",
    )
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
    assert statuses(lambda: anyone.get("/health"), 250) == [200] * 250


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
    "body", [b"", b"{", b"[1]", b'"text"', b"null", b'{"email": ["a"]}', b'{"email": "\\ud800"}']
)
def test_logins_without_a_readable_email_are_limited_too(anyone, body):
    def login():
        return anyone.post("/mechanics/login", data=body, content_type="application/json")

    assert statuses(login, 10) == [400] * 10
    assert refused(login())


def test_limit_comes_before_every_other_refusal(make_app):
    client = calling(make_app(RATELIMIT_DEFAULT="1/minute"))
    problem(client.get("/mechanics"), 401)
    assert refused(client.get("/mechanics"))


def test_too_many_logins_at_the_same_moment_are_told_to_come_back(app, anyone):
    def login(number):
        body = {"email": f"{number}@x.example", "password": PASSWORD}
        return calling(app).post("/customers/login", json=body)

    with ThreadPoolExecutor(40) as threads:
        answers = list(threads.map(login, range(40)))
    assert {answer.status_code for answer in answers} == {401, 503}
    busy = next(answer for answer in answers if answer.status_code == 503)
    problem(busy, 503)
    assert busy.headers["Retry-After"] == "1"
    problem(login(40), 401)
