"""The logins, and the tokens that they answer with."""

import base64
import datetime as dt
import json

import pytest
import sqlalchemy as sa
import time_machine
from harness.shop import (
    PASSWORD,
    PASSWORD_HASH,
    SECRET,
    calling,
    drop_tables,
    problem,
    token_of,
)
from jose import jws, jwt

from mechanic_shop import Customer, db

HOUR = dt.timedelta(hours=1)


# --- Logging in ---


@pytest.mark.parametrize(("kind", "who"), [("customers", "carla"), ("mechanics", "ana")])
def test_login_answers_with_a_token(request, anyone, app, kind, who):
    account = request.getfixturevalue(who)
    credentials = {"email": f" {account.email.upper()}", "password": PASSWORD}
    response = anyone.post(f"/{kind}/login", json=credentials)
    assert response.status_code == 200
    assert set(response.json) == {"message", "id", "token", "expires_in"}
    assert (response.json["id"], response.json["expires_in"]) == (account.id, 3600)
    assert calling(app, response.json["token"]).get(f"/{kind}/my-tickets").json == []


@pytest.mark.parametrize("kind", ["customers", "mechanics"])
@pytest.mark.parametrize("password", [PASSWORD.upper(), "p" * 1000])
def test_wrong_password_and_unknown_email_are_one_answer(anyone, ana, carla, kind, password):
    answers = []
    for email in (ana.email, carla.email, "nobody@mail.example", "no email"):
        response = anyone.post(f"/{kind}/login", json={"email": email, "password": password})
        assert problem(response, 401) == "Wrong email or password."
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
        ({"email": " ", "password": ""}, ["email", "password"]),
        ({"email": "a@b.example", "password": "x", "role": "mechanic"}, ["role"]),
    ],
)
def test_login_asks_for_email_and_password(anyone, body, fields):
    problem(anyone.post("/mechanics/login", json=body), 400, *fields)


@pytest.mark.parametrize("email", ["c\u00e1rla@customer.example", "\u24d2arla@customer.example"])
def test_login_with_an_email_that_only_looks_alike_is_refused(anyone, carla, email):
    body = {"email": email, "password": PASSWORD}
    assert problem(anyone.post("/customers/login", json=body), 401) == "Wrong email or password."


IGNORE_CASE = (
    "CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
)
LENIENT = {  # a collation for each engine, an email, and others that the engine takes for equal
    "sqlite": ("NOCASE", "ANA@x.example", ["ana@x.example"]),
    "postgresql": ("any_case", "ANA@x.example", ["ana@x.example"]),
    "mysql": (  # the default of newer MariaDB servers
        "utf8mb4_unicode_ci",
        "ana@x.example",
        ["a\u0001na@x.example", "\u00e1na@x.example", "ana@x.example\u200b"],
    ),
}


@pytest.fixture
def lenient_emails(shared, environment):
    """An email, and others that the column of the table takes for equal to it."""
    collation, stored, others = LENIENT[shared.engine.dialect.name]
    drop_tables(shared.engine)
    table = Customer.__table__.to_metadata(sa.MetaData())
    table.c.email.type = sa.String(254, collation=collation)
    with shared.engine.begin() as connection:
        if collation == "any_case":
            connection.exec_driver_sql(IGNORE_CASE)
        table.create(connection)
    yield stored, others
    drop_tables(shared.engine)
    if collation == "any_case":
        with shared.engine.begin() as connection:
            connection.exec_driver_sql("DROP COLLATION any_case")


def test_login_with_an_email_that_only_the_database_takes_for_equal_is_refused(
    lenient_emails, app, anyone
):
    stored, others = lenient_emails
    columns = {"first_name": "A", "last_name": "B", "email": stored, "password": PASSWORD_HASH}
    with app.app_context():
        db.session.execute(sa.insert(Customer).values(**columns))
        db.session.commit()
        for email in others:
            assert db.session.scalar(sa.select(Customer.id).filter_by(email=email)) == 1
    for email in others:
        problem(anyone.post("/customers/login", json={"email": email, "password": PASSWORD}), 401)


# --- Tokens ---


def claims_of(token):
    return jwt.get_unverified_claims(token)


def signed(claims, secret=SECRET, algorithm="HS256"):
    return jwt.encode(claims, secret, algorithm=algorithm)


def unsigned(claims):
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
    return b".".join([*encoded, b""]).replace(b"=", b"").decode()


def test_token_says_whose_it_is_and_for_how_long(carla):
    claims = claims_of(carla.token)
    assert claims["sub"] == str(carla.id)
    assert claims["role"] == "customer"
    assert claims["exp"] - claims["iat"] == 3600
    assert "scrypt" not in str(claims)


def test_token_dies_after_an_hour(ana):
    now = dt.datetime.now(dt.UTC)
    with time_machine.travel(now + HOUR - dt.timedelta(seconds=5)):
        assert ana.get("/mechanics/profile").status_code == 200
    with time_machine.travel(now + HOUR + dt.timedelta(seconds=5)):
        response = ana.get("/mechanics/profile")
        problem(response, 401)
        assert response.headers["WWW-Authenticate"] == "Bearer"


def test_token_dies_with_a_password_change(app, carla):
    path = f"/customers/{carla.id}"
    assert carla.patch(path, json={"password": PASSWORD}).status_code == 200
    problem(carla.get(path), 401)
    token = token_of(app, "customer", carla.id)
    assert calling(app, token).get(path).status_code == 200


@pytest.mark.parametrize("method", ["patch", "delete"])
@pytest.mark.parametrize("kind", ["customers", "mechanics"])
def test_login_does_not_outlive_a_change_of_the_password_meanwhile(
    app, ana, bert, carla, hold, kind, method
):
    account = {"customers": carla, "mechanics": bert}[kind]
    path = f"/{kind}/{account.id}"
    changer = account if method == "patch" else ana

    def change():
        body = {"json": {"password": "another-one"}} if method == "patch" else {}
        assert changer.open(path, method=method, **body).status_code == 200

    body = {"email": account.email, "password": PASSWORD}
    answer = hold(lambda: calling(app).post(f"/{kind}/login", json=body), "rollback", "", change)
    assert answer.status_code == 200
    problem(calling(app, answer.json["token"]).get(path), 401)


def test_token_lives_through_other_changes(carla):
    path = f"/customers/{carla.id}"
    carla.patch(path, json={"email": "new@mail.example", "phone": "1"})
    assert carla.get(path).status_code == 200


def test_token_dies_with_its_account_and_the_next_one_does_not_inherit_it(ana, carla, anyone):
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
    odd = {
        "sub": [1, None, "one", "99", "-1", "1e0", "1" + "0" * 30, "9" * 5000, [[[[]]]]],
        "role": ["owner", None, ["mechanic"], {"mechanic": 1}],
        "fingerprint": [7, None, "", "ü", "ab" * 32, claims["fingerprint"].upper()],
        "exp": ["never", None, float("inf"), float("-inf"), float("nan"), -(10**400), True],
        "iat": [float("inf")],
        "nbf": [float("inf"), 10**400],
    }
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
        "not ascii": "ü.ü.ü",
        "claims are a list": jws.sign(b"[1]", SECRET, algorithm="HS256"),
        "claims are null": jws.sign(b"null", SECRET, algorithm="HS256"),
        "claims are no JSON": jws.sign(b"{", SECRET, algorithm="HS256"),
        "claims are deep": jws.sign(b"[" * 10_000, SECRET, algorithm="HS256"),
        **{f"without {name}": signed(without[name]) for name in claims if name != "iat"},
        **{
            f"{name} is {value!r:.20}": signed(claims | {name: value})
            for name, values in odd.items()
            for value in values
        },
    }


def test_bad_tokens_are_refused(anyone, ana):
    for name, token in bad_tokens(ana.token).items():
        header = {"Authorization": f"Bearer {token}".encode().decode("latin-1")}
        response = anyone.get("/mechanics/profile", headers=header)
        assert response.status_code == 401, name
        problem(response, 401)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Bearer  ,",
        "Bearer{token}",
        "Bearer={token}",
        "Bearer\0{token}",
        "Bearer {token} {token}",
        "Bearer {token}, Bearer {token}",
        "Bearer {token},",
        'Bearer "{token}"',
        "Bearer token={token}",
        "Basic {token}",
        "Basic !!",
        "Basic YW5hOmNvcnJlY3QtaG9yc2U=",
        "Digest username=ana, response={token}",
        "Token {token}",
        "{token}",
        "Bearer 🔧",
        "Bearer \x80\xff",
        "Bearer ..",
        "Bearer e30.e30.",
        "Bearer " + "." * 100_000,
        "Bearer " + "A." * 50_000,
        "A" * 100_000 + " {token}",
    ],
    ids=lambda header: repr(header)[:30],
)
def test_odd_authorization_header_opens_nothing(ana, anyone, part, header):
    headers = {}
    if header is not None:
        headers["Authorization"] = header.format(token=ana.token).encode().decode("latin-1")
    problem(anyone.get("/mechanics", headers=headers), 401)
    problem(anyone.delete("/inventory/1", headers=headers), 401)
    assert anyone.get("/inventory", headers=headers).json == [part]


def test_scheme_is_bearer_in_any_case(anyone, ana):
    for scheme in ("bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {ana.token}"}
        assert anyone.get("/mechanics/profile", headers=headers).status_code == 200


def test_secret_that_looks_like_json_signs_too(make_app):
    app = make_app(SECRET_KEY='["a secret", "that looks like a list"]')
    body = {"first_name": "Eve", "last_name": "N", "email": "e@x.example", "password": PASSWORD}
    created = calling(app).post("/customers", json=body)
    token = token_of(app, "customer", created.json["id"])
    assert calling(app, token).get("/customers/1").json == created.json
