"""The logins and the tokens that they answer with."""

import base64
import datetime as dt
import json

import pytest
import time_machine
from conftest import PASSWORD, SECRET, calling, problem, token_of
from jose import jwt

HOUR = dt.timedelta(hours=1)


def claims_of(token):
    return jwt.get_unverified_claims(token)


def signed(claims, secret=SECRET, algorithm="HS256"):
    return jwt.encode(claims, secret, algorithm=algorithm)


def unsigned(claims):
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
    return b".".join([*encoded, b""]).replace(b"=", b"").decode()


@pytest.mark.parametrize(("kind", "who"), [("customers", "carla"), ("mechanics", "ana")])
def test_login_answers_with_a_token(request, anyone, app, kind, who):
    account = request.getfixturevalue(who)
    credentials = {"email": f" {account.email.upper()}", "password": PASSWORD}
    response = anyone.post(f"/{kind}/login", json=credentials)
    assert response.status_code == 200
    assert set(response.json) == {"message", "id", "token", "expires_in"}
    assert (response.json["id"], response.json["expires_in"]) == (account.id, 3600)
    assert response.headers["Cache-Control"] == "no-store"
    caller = calling(app, response.json["token"])
    assert caller.get(f"/{kind}/my-tickets").json == []


@pytest.mark.parametrize("kind", ["customers", "mechanics"])
@pytest.mark.parametrize("password", ["wrong-password", "x", PASSWORD.upper(), "p" * 1000])
def test_wrong_password_and_unknown_email_are_one_answer(anyone, ana, carla, kind, password):
    answers = []
    for email in (ana.email, carla.email, "nobody@mail.example", "no email"):
        response = anyone.post(f"/{kind}/login", json={"email": email, "password": password})
        problem(response, 401)
        assert response.headers["WWW-Authenticate"] == "Bearer"
        answers.append(response.json)
    assert answers[1:] == answers[:-1]


def test_login_of_one_kind_does_not_open_the_other(anyone, ana, carla):
    for kind, account in (("customers", ana), ("mechanics", carla)):
        credentials = {"email": account.email, "password": PASSWORD}
        problem(anyone.post(f"/{kind}/login", json=credentials), 401)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["email", "password"]),
        ({"email": "ana@mechanic.example"}, ["password"]),
        ({"password": PASSWORD}, ["email"]),
        ({"email": None, "password": None}, ["email", "password"]),
        ({"email": 1, "password": ["x"]}, ["email", "password"]),
        ({"email": "a@b.example", "password": "x", "role": "mechanic"}, ["role"]),
    ],
)
def test_login_asks_for_email_and_password(anyone, body, fields):
    problem(anyone.post("/mechanics/login", json=body), 400, *fields)


@pytest.mark.parametrize("email", ["c\u00e1rla@customer.example", "\u24d2arla@customer.example"])
def test_login_with_an_email_that_only_looks_alike_is_refused(anyone, carla, email):
    body = {"email": email, "password": PASSWORD}
    assert problem(anyone.post("/customers/login", json=body), 401) == "Wrong email or password."


def test_token_says_whose_it_is_and_for_how_long(app, carla):
    claims = claims_of(token_of(app, "customer", carla.id))
    assert claims["sub"] == str(carla.id)
    assert claims["role"] == "customer"
    assert claims["exp"] - claims["iat"] == 3600
    assert "scrypt" not in str(claims)


def test_token_dies_after_an_hour(app, ana):
    now = dt.datetime.now(dt.UTC)
    with time_machine.travel(now + HOUR - dt.timedelta(seconds=5)):
        assert ana.get("/mechanics/profile").status_code == 200
    with time_machine.travel(now + HOUR + dt.timedelta(seconds=5)):
        response = ana.get("/mechanics/profile")
        problem(response, 401)
        assert response.headers["WWW-Authenticate"] == "Bearer"


def test_token_dies_with_a_password_change(app, carla, anyone):
    path = f"/customers/{carla.id}"
    assert carla.patch(path, json={"password": PASSWORD}).status_code == 200
    problem(carla.get(path), 401)
    token = token_of(app, "customer", carla.id)
    assert calling(app, token).get(path).status_code == 200


def test_token_lives_through_other_changes(carla):
    path = f"/customers/{carla.id}"
    carla.patch(path, json={"email": "new@mail.example", "phone": "1"})
    assert carla.get(path).status_code == 200


def test_token_dies_with_its_account_and_the_next_one_does_not_inherit_it(app, ana, carla, anyone):
    ana.delete(f"/customers/{carla.id}")
    body = {"first_name": "Eve", "last_name": "N", "email": carla.email, "password": PASSWORD}
    successor = anyone.post("/customers", json=body).json
    assert successor["id"] != carla.id
    for customer_id in (carla.id, successor["id"]):
        problem(carla.get(f"/customers/{customer_id}"), 401)


def test_token_of_a_customer_is_none_of_the_mechanic_with_the_same_id(ana, carla):
    assert ana.id == carla.id == 1
    problem(carla.get("/mechanics/profile"), 403)
    problem(ana.get("/customers/my-tickets"), 403)


def bad_tokens(good):
    claims = claims_of(good)
    header, payload, signature = good.split(".")
    deep = base64.urlsafe_b64encode(b'{"alg":' + b"[" * 5000 + b"]" * 5000 + b"}").decode()
    without = {name: {k: v for k, v in claims.items() if k != name} for name in claims}
    return {
        "empty": "",
        "words": "not a token",
        "unsigned": unsigned(claims),
        "other secret": signed(claims, "another secret of more than 32 bytes"),
        "other algorithm": signed(claims, algorithm="HS512"),
        "changed payload": f"{header}.{payload[:-2]}xx.{signature}",
        "no signature": f"{header}.{payload}.",
        "one part": header,
        "two tokens": f"{good} {good}",
        "deep header": f"{deep}.{payload}.{signature}",
        "deep claims": signed({**claims, "sub": [[[[]]]]}),
        "not ascii": "ü.ü.ü",
        "without exp": signed(without["exp"]),
        "without sub": signed(without["sub"]),
        "without role": signed(without["role"]),
        "without fingerprint": signed(without["fingerprint"]),
        "numeric sub": signed({**claims, "sub": 1}),
        "odd sub": signed({**claims, "sub": "one"}),
        "unknown sub": signed({**claims, "sub": "99"}),
        "unknown role": signed({**claims, "role": "owner"}),
        "odd role": signed({**claims, "role": ["mechanic"]}),
        "odd fingerprint": signed({**claims, "fingerprint": 7}),
        "other fingerprint": signed({**claims, "fingerprint": "ab" * 32}),
        "odd exp": signed({**claims, "exp": "never"}),
        "claims are a list": jwt.encode({}, SECRET) + "x",
    }


def test_bad_tokens_are_refused(app, ana):
    good = token_of(app, "mechanic", ana.id)
    for name, token in bad_tokens(good).items():
        caller = calling(app)
        header = {"Authorization": f"Bearer {token}".encode().decode("latin-1")}
        response = caller.get("/mechanics/profile", headers=header)
        assert response.status_code == 401, name
        problem(response, 401)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "{}", "Token {}", "Basic {}", "Basic !!", "Bearer{}"]
)
def test_token_without_its_scheme_is_refused(app, anyone, ana, header):
    sent = header.format(token_of(app, "mechanic", ana.id))
    problem(anyone.get("/mechanics/profile", headers={"Authorization": sent}), 401)


def test_scheme_is_bearer_in_any_case(app, anyone, ana):
    for scheme in ("bearer", "BEARER"):
        header = {"Authorization": f"{scheme} {token_of(app, 'mechanic', ana.id)}"}
        assert anyone.get("/mechanics/profile", headers=header).status_code == 200


def test_secret_that_looks_like_json_signs_too(make_app):
    app = make_app(SECRET_KEY='["a secret", "that looks like a list"]')
    body = {"first_name": "Eve", "last_name": "N", "email": "e@x.example", "password": PASSWORD}
    created = calling(app).post("/customers", json=body)
    token = token_of(app, "customer", created.json["id"])
    assert calling(app, token).get("/customers/1").json == created.json
