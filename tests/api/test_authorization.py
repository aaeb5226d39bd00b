"""Who may do what: every route and method, and every kind of caller."""

import re
import time

import pytest
import sqlalchemy as sa
import time_machine
from harness.matrix import FIRST_ADDRESS, PEOPLE, ROWS
from harness.servers import everything
from harness.shop import (
    MODELS,
    PASSWORD,
    PASSWORD_HASH,
    SECRET,
    add_account,
    calling,
    problem,
    token_of,
)
from jose import jwt

from mechanic_shop import db

READS = [route for route in ROWS if route[0] == "GET"]
WRITES = [route for route in ROWS if route[0] != "GET"]
# With a token that is not, or no longer, valid a caller is nobody: the column "any" holds.
BAD_TOKENS = ["expired", "forged", "of a deleted account", "from before a password change"]

PERSON = {"first_name": "Eve", "last_name": "Example", "email": "eve@mail.example"}
JOB = {"customer_id": 1, "vin": "VIN1", "service_desc": "Brakes", "price": 80}
PART = {"name": "horn", "price": 12.5, "quantity": 4}
BODIES = {
    "/customers": PERSON | {"password": PASSWORD},
    "/customers/<id:customer_id>": PERSON,
    "/customers/login": {"email": "carla@customer.example", "password": PASSWORD},
    "/mechanics": PERSON | {"password": PASSWORD},
    "/mechanics/<id:mechanic_id>": PERSON,  # with another email, which only ana may give to ana
    "/mechanics/login": {"email": "ana@mechanic.example", "password": PASSWORD},
    "/service_tickets": JOB,
    "/service_tickets/<id:ticket_id>": JOB,
    "/service_tickets/<id:ticket_id>/edit": {"add_ids": [2], "remove_ids": [1]},
    "/inventory": PART,
    "/inventory/<id:inventory_id>": PART,
}


def path_of(rule, record_id=1):
    return re.sub("<id:[a-z_]+>", str(record_id), rule)


def send(client, method, rule, record_id=1, slash=""):
    """Call a route with a body that it takes."""
    body = BODIES.get(FIRST_ADDRESS[rule]) if method in ("POST", "PUT", "PATCH") else None
    body = {"json": body} if body else {}
    return client.open(path_of(rule, record_id) + slash, method=method, **body)


@pytest.fixture
def people(anyone, carla, dave, ana, bert):
    """The callers of the matrix by name; the ids are those of its paths."""
    assert (carla.id, dave.id, ana.id, bert.id) == (1, 2, 1, 2)
    return dict(zip(PEOPLE, (anyone, carla, dave, ana, bert), strict=True))


@pytest.fixture
def open_shop(people, request):
    """A function that prepares what a rule's path names, so that a write would change something."""

    def prepare(rule):
        if "inventory_id" in rule:
            request.getfixturevalue("part")
        if "ticket_id" in rule:
            request.getfixturevalue("ticket")
            if "assign-mechanic" not in rule:
                people["ana"].put("/service_tickets/1/assign-mechanic/1")
            if "inventory_id" in rule:
                path = "/ticket_inventory/1/assign-inventory/1"
                people["ana"].post(path, json={"quantity": 2})

    return prepare


def bad_token(app, kind, role):
    """Return a token that was, or pretends to be, one of an account with this role."""
    if kind == "expired":
        with time_machine.travel(time.time() - 3601):
            return token_of(app, role, 1)
    if kind == "forged":
        claims = jwt.get_unverified_claims(token_of(app, role, 1))
        return jwt.encode(claims, SECRET[::-1])
    account_id = add_account(app, role, "Greta")
    token = token_of(app, role, account_id)
    model = MODELS[role]
    change = sa.update(model).values(password=PASSWORD_HASH[::-1])
    if kind == "of a deleted account":
        change = sa.delete(model)
    with app.app_context():
        db.session.execute(change.where(model.id == account_id))
        db.session.commit()
    return token


def test_matrix_has_a_row_for_every_route_and_method(app):
    routes = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    missing, left = sorted(routes - set(ROWS)), sorted(set(ROWS) - routes)
    where = "in tests/test_authorization.py (for a second address of a blueprint: to ALIASES)"
    assert not missing, (
        f"New routes {missing}: for each, add a row to MATRIX {where}, which says what each caller "
        f"gets, and, if the route takes a body, an example to BODIES."
    )
    assert not left, f"The app has no routes {left}: delete their rows from MATRIX {where}."


def test_marks_of_the_views_say_what_the_matrix_says(app):
    for rule in app.url_map.iter_rules():
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            statuses = ROWS[method, rule.rule]
            roles = {"customer": statuses["carla"] < 400}
            roles["mechanic"] = min(statuses["ana"], statuses["bert"]) < 400
            expected = {role for role, may in roles.items() if may}
            marks = getattr(app.view_functions[rule.endpoint], "roles", None)
            if statuses["anyone"] < 400:
                assert marks is None, rule
            else:
                assert set(marks) == expected, rule


@pytest.mark.parametrize("person", PEOPLE)
def test_reads_answer_as_the_matrix_says(people, part, ticket, person):
    for route in READS:
        path, status = path_of(route[1]), ROWS[route][person]
        response = people[person].get(path)
        assert (path, response.status_code) == (path, status)
        assert people[person].head(path).status_code == status
        if status >= 400:
            problem(response, status)


@pytest.mark.parametrize(
    ("method", "rule", "person"),
    [
        (*route, person)
        for route in WRITES
        for person in PEOPLE
        if ROWS[route][person] < 400
        # Whoever may post may do so at each alias, and at each address all callers get the same.
        and (FIRST_ADDRESS[route[1]] == route[1] or person == "ana")
    ],
)
def test_write_granted_by_the_matrix_works(database_url, people, open_shop, method, rule, person):
    open_shop(rule)
    before = everything(database_url)
    response = send(people[person], method, rule)
    assert response.status_code == ROWS[method, rule][person], response.get_data(as_text=True)
    assert (everything(database_url) != before) == (not rule.endswith("/login"))


@pytest.mark.parametrize(("method", "rule"), WRITES)
def test_write_refused_by_the_matrix_changes_nothing(database_url, people, open_shop, method, rule):
    open_shop(rule)
    before = everything(database_url)
    for person, status in ROWS[method, rule].items():
        if status >= 400:
            problem(send(people[person], method, rule), status)
    assert everything(database_url) == before


@pytest.mark.parametrize("kind", BAD_TOKENS)
def test_bad_token_makes_its_bearer_anyone(app, database_url, people, part, ticket, kind):
    callers = {role: calling(app, bad_token(app, kind, role)) for role in MODELS}
    before = everything(database_url)
    for (method, rule), statuses in ROWS.items():
        role = "customer" if statuses["carla"] < 400 else "mechanic"
        if statuses["anyone"] == 401:
            response = send(callers[role], method, rule)
            problem(response, 401)
            assert response.headers["WWW-Authenticate"] == "Bearer"
        elif method == "GET" or rule.endswith("/login"):
            assert send(callers[role], method, rule).status_code == statuses["anyone"]
    assert everything(database_url) == before
    assert send(callers["customer"], "POST", "/customers").status_code == 201


def test_method_without_a_row_is_not_allowed(database_url, people, part, ticket):
    before = everything(database_url)
    for rule in FIRST_ADDRESS:
        allowed = {method for method, other in ROWS if other == rule}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"} - allowed:
            response = people["ana"].open(path_of(rule), method=method)
            problem(response, 405)
            assert allowed <= set(response.headers["Allow"].split(", "))
        options = people["anyone"].options(path_of(rule))
        assert options.status_code == 200
        assert options.get_data() == b""
    assert everything(database_url) == before


def test_trailing_slash_opens_no_door(database_url, people, part, ticket):
    before = everything(database_url)
    for (method, rule), statuses in ROWS.items():
        for person in ("anyone", "dave"):
            if statuses[person] >= 400:
                problem(send(people[person], method, rule, slash="/"), statuses[person])
    assert everything(database_url) == before


def test_token_is_checked_before_the_body(people):
    for method, rule in WRITES:
        if ROWS[method, rule]["anyone"] == 401:
            response = people["anyone"].open(path_of(rule), method=method, data="{")
            problem(response, 401)


def test_customer_learns_nothing_about_other_customers_ids(people):
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        there = send(people["carla"], method, "/customers/<id:customer_id>", 2)
        missing = send(people["carla"], method, "/customers/<id:customer_id>", 999)
        assert problem(there, 403) == problem(missing, 403)


def test_customer_learns_nothing_about_other_customers_tickets(people, ticket):
    there = people["dave"].get("/service_tickets/1")
    missing = people["dave"].get("/service_tickets/2")
    assert problem(there, 404).replace("1", "2") == problem(missing, 404)
