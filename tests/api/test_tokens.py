"""The logins, the tokens that they answer with, and what becomes of passwords."""

import base64
import functools
import hashlib
import json

import pytest
import sqlalchemy as sa
import time_machine
from harness.resources import RESOURCES
from harness.shop import PASSWORD, SECRET, USUAL_COST, calling, problem, shows, token_of
from jose import jwt
from werkzeug.security import generate_password_hash

from mechanic_shop import Customer, db

EVE = RESOURCES["/customers"].whole()
GUS = RESOURCES["/mechanics"].whole()
KINDS = {"customers": "carla", "mechanics": "bert"}


@pytest.fixture(params=KINDS)
def kind(request):
    """What is tried for both kinds of accounts."""
    return request.param


@pytest.fixture
def account(request, ana, kind):
    """Somebody of this kind, other than Ana."""
    return request.getfixturevalue(KINDS[kind])


@pytest.fixture
def path(kind, account):
    """The address of the account."""
    return f"/{kind}/{account.id}"


def log_in(client, kind, email, password=PASSWORD):
    return client.post(f"/{kind}/login", json={"email": email, "password": password})


# --- Logging in ---


def test_login_answers_with_a_token(app, anyone, kind, account):
    response = log_in(anyone, kind, f" {account.email.upper()}")
    assert response.status_code == 200
    assert set(response.json) == {"message", "id", "token", "expires_in"}
    assert shows(response.json, {"id": account.id, "expires_in": 3600})
    assert calling(app, response.json["token"]).get(f"/{kind}/my-tickets").json == []


def test_wrong_password_and_unknown_email_are_one_answer(anyone, ana, dave, kind, account):
    of_the_other_kind = {"customers": ana, "mechanics": dave}[kind].email
    answers = [log_in(anyone, kind, email) for email in ("nobody@x.example", of_the_other_kind)]
    answers.append(log_in(anyone, kind, account.email, PASSWORD.upper()))
    [detail] = {problem(answer, 401) for answer in answers}
    assert "password" in detail


def test_login_checks_email_and_password_as_registration_does(anyone, kind):
    for email, password, *fields in [
        (None, None, "email", "password"),
        (["a@x.example"], {"$ne": None}, "email", "password"),
        ("a@x", "1234567", "email", "password"),
        ("ána@mechanic.example", "p" * 129, "email", "password"),
        ("ana@mechanic.example", "", "password"),
    ]:
        problem(log_in(anyone, kind, email, password), 400, *fields)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_login_does_not_outlive_a_change_of_the_password_meanwhile(
    app, ana, hold, kind, account, path, method
):
    def change():
        caller = account if method == "PATCH" else ana
        response = caller.open(path, method=method, json={"password": "another-one"})
        assert response.status_code == 200

    call = functools.partial(log_in, calling(app), kind, account.email)
    answer = hold(call, "after_cursor_execute", f"FROM {kind}", change)
    assert answer.status_code in (200, 401)
    problem(calling(app, answer.json.get("token")).get(path), 401)


# --- Tokens ---


def test_token_says_whose_it_is_and_dies_after_an_hour(ana):
    claims = jwt.get_unverified_claims(ana.token)
    assert shows(claims, {"sub": str(ana.id), "role": "mechanic", "exp": claims["iat"] + 3600})
    assert "scrypt" not in str(claims)
    for seconds, status in ((3595, 200), (3605, 401)):
        with time_machine.travel(claims["iat"] + seconds):
            assert ana.get("/mechanics/profile").status_code == status


def test_token_dies_with_a_change_of_the_password_and_of_nothing_else(app, account, kind, path):
    assert account.patch(path, json={"email": "new@x.example", "address": "1"}).status_code == 200
    assert account.patch(path, json={"password": PASSWORD}).status_code == 200
    problem(account.get(path), 401)
    token = token_of(app, kind.removesuffix("s"), account.id)
    assert calling(app, token).get(path).status_code == 200


def test_token_dies_with_its_account_and_the_next_one_does_not_inherit_it(ana, carla, anyone):
    ana.delete("/customers/1")
    successor = anyone.post("/customers", json=EVE | {"email": carla.email}).json
    for customer_id in (carla.id, successor["id"]):
        problem(carla.get(f"/customers/{customer_id}"), 401)


def bad_tokens(good):
    """Yield tokens that the shop has not signed so."""

    def encoded(text):
        return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    claims = jwt.get_unverified_claims(good)
    header, payload, signature = good.split(".")
    yield from ("", "not a token", header, f"{good} {good}", f"{header}.{payload}.", "ü.ü.ü")
    yield f"{header}.{encoded(json.dumps(claims | {'role': 'customer'}))}.{signature}"
    yield encoded('{"alg": "none", "typ": "JWT"}') + f".{payload}."
    yield encoded('{"alg":' + "[" * 5000 + "]" * 5000 + "}") + f".{payload}.{signature}"
    yield jwt.encode(claims, SECRET[::-1])
    yield jwt.encode(claims, SECRET, algorithm="HS512")
    del claims["exp"]
    yield jwt.encode(claims, SECRET)


def test_bad_token_is_refused(anyone, ana):
    for token in bad_tokens(ana.token):
        header = {"Authorization": f"Bearer {token}".encode().decode("latin-1")}
        problem(anyone.get("/mechanics/profile", headers=header), 401)


HEADERS = ["", "Bearer", "Bearer" + " A." * 30_000, "Basic {token}", "Basic \xe9", "{token}"]
HEADERS += ["Bearer {token} ,"]


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: ascii(header)[:20])
def test_odd_authorization_header_opens_nothing(ana, anyone, part, header):
    headers = {"Authorization": header.format(token=ana.token)}
    problem(anyone.get("/mechanics", headers=headers), 401)
    problem(anyone.delete("/inventory/1", headers=headers), 401)
    assert anyone.get("/inventory", headers=headers).json == [part]
    headers = {"Authorization": f"bEARER {ana.token}"}
    assert anyone.get("/mechanics", headers=headers).status_code == 200


def test_key_that_looks_like_json_signs_too(make_app):
    app = make_app(SECRET_KEY='["a secret", "that looks like a list"]')
    calling(app).post("/customers", json=EVE)
    token = log_in(calling(app), "customers", EVE["email"]).json["token"]
    assert calling(app, token).get("/customers/1").status_code == 200


# --- Passwords ---


@pytest.fixture
def costs(monkeypatch):
    """The cost of each password that is hashed, of a new one or at a login."""
    costs, scrypt = [], hashlib.scrypt

    def watch(password, *, n, r, p, **options):
        costs.append((n, r, p))
        return scrypt(password, n=n, r=r, p=p, **options)

    monkeypatch.setattr(hashlib, "scrypt", watch)
    return costs


def test_password_is_stored_as_a_hash_that_is_costly_to_guess(app, anyone, monkeypatch):
    monkeypatch.setattr(generate_password_hash, "__defaults__", USUAL_COST)
    anyone.post("/customers", json=EVE)
    with app.app_context():
        assert db.session.scalar(sa.select(Customer.password)).startswith("scrypt:32768:8:1$")
    assert log_in(anyone, "customers", EVE["email"]).status_code == 200


@pytest.mark.parametrize(
    ("password", "other"),
    [
        ("  secret  ", "  secret "),
        ("12345678", "12345678 "),
        ("x" * 128, "x" * 127),
        ("🔧" * 128, "🔧" * 127 + "🪛"),
        ("wrench\n\0\t", "wrench\n\0\n"),
    ],
)
def test_password_is_taken_to_the_letter(anyone, ana, kind, password, other):
    body = RESOURCES[f"/{kind}"].whole() | {"password": password}
    assert ana.post(f"/{kind}", json=body).status_code == 201
    assert log_in(anyone, kind, body["email"], other).status_code == 401
    assert log_in(anyone, kind, body["email"], password).status_code == 200


def test_every_login_hashes_one_password_at_the_cost_of_a_new_one(ana, kind, account, costs):
    ana.post("/mechanics", json=GUS)
    statuses = [
        log_in(ana, kind, account.email).status_code,
        log_in(ana, kind, account.email, "wrong-password").status_code,
        log_in(ana, kind, "nobody@x.example").status_code,
    ]
    assert statuses == [200, 401, 401]
    assert costs == [costs[0]] * 4


def test_password_is_in_no_answer(ana, carla, full_ticket):
    paths = ["/customers", "/customers/1", "/mechanics", "/mechanics/1", "/mechanics/profile"]
    paths += ["/mechanics/ranking", "/mechanics/my-tickets", "/service_tickets"]
    for response in (ana.post("/mechanics", json=GUS), *map(ana.get, paths)):
        assert response.status_code < 300
        assert "password" not in response.text
        assert "scrypt" not in response.text
