"""Who may do what: every route and method, and every kind of caller."""

import re
import time

import pytest
import sqlalchemy as sa
import time_machine
from conftest import PASSWORD, PASSWORD_HASH, SECRET, add_account, calling, problem, token_of
from jose import jwt
from servers import everything

from mechanic_shop import ROLES, db

# Every id in a path is 1: customer 1 is carla, mechanic 1 is ana, and ticket 1 is carla's.
MATRIX = """
method rule                                                                 any carla dave ana bert
GET    /                                                                    200   200  200 200  200
GET    /health                                                              200   200  200 200  200
POST   /customers                                                           201   201  201 201  201
POST   /customers/login                                                     200   200  200 200  200
GET    /customers                                                           401   403  403 200  200
GET    /customers/my-tickets                                                401   200  200 403  403
GET    /customers/<id:customer_id>                                          401   200  403 200  200
PUT    /customers/<id:customer_id>                                          401   200  403 200  200
PATCH  /customers/<id:customer_id>                                          401   200  403 200  200
DELETE /customers/<id:customer_id>                                          401   200  403 200  200
POST   /mechanics                                                           401   403  403 201  201
POST   /mechanics/login                                                     200   200  200 200  200
GET    /mechanics                                                           401   403  403 200  200
GET    /mechanics/profile                                                   401   403  403 200  200
GET    /mechanics/my-tickets                                                401   403  403 200  200
GET    /mechanics/ranking                                                   401   403  403 200  200
GET    /mechanics/<id:mechanic_id>                                          401   403  403 200  200
PUT    /mechanics/<id:mechanic_id>                                          401   403  403 200  200
PATCH  /mechanics/<id:mechanic_id>                                          401   403  403 200  200
DELETE /mechanics/<id:mechanic_id>                                          401   403  403 403  200
POST   /service_tickets                                                     401   403  403 201  201
GET    /service_tickets                                                     401   403  403 200  200
GET    /service_tickets/<id:ticket_id>                                      401   200  404 200  200
PUT    /service_tickets/<id:ticket_id>                                      401   403  403 200  200
PATCH  /service_tickets/<id:ticket_id>                                      401   403  403 200  200
DELETE /service_tickets/<id:ticket_id>                                      401   403  403 200  200
PUT    /service_tickets/<id:ticket_id>/edit                                 401   403  403 200  200
PUT    /service_tickets/<id:ticket_id>/assign-mechanic/<id:mechanic_id>     401   403  403 200  200
PUT    /service_tickets/<id:ticket_id>/remove-mechanic/<id:mechanic_id>     401   403  403 200  200
POST   /service_tickets/<id:ticket_id>/assign-inventory/<id:inventory_id>   401   403  403 201  201
DELETE /service_tickets/<id:ticket_id>/remove-inventory/<id:inventory_id>   401   403  403 200  200
POST   /ticket_inventory/<id:ticket_id>/assign-inventory/<id:inventory_id>  401   403  403 201  201
DELETE /ticket_inventory/<id:ticket_id>/remove-inventory/<id:inventory_id>  401   403  403 200  200
POST   /inventory                                                           401   403  403 201  201
GET    /inventory                                                           200   200  200 200  200
GET    /inventory/<id:inventory_id>                                         200   200  200 200  200
PUT    /inventory/<id:inventory_id>                                         401   403  403 200  200
PATCH  /inventory/<id:inventory_id>                                         401   403  403 200  200
DELETE /inventory/<id:inventory_id>                                         401   403  403 200  200
POST   /parts                                                               401   403  403 201  201
GET    /parts                                                               200   200  200 200  200
GET    /parts/<id:inventory_id>                                             200   200  200 200  200
PUT    /parts/<id:inventory_id>                                             401   403  403 200  200
PATCH  /parts/<id:inventory_id>                                             401   403  403 200  200
DELETE /parts/<id:inventory_id>                                             401   403  403 200  200
"""
PEOPLE = ["anyone", "carla", "dave", "ana", "bert"]
ROWS = {
    (method, rule): dict(zip(PEOPLE, map(int, statuses), strict=True))
    for method, rule, *statuses in map(str.split, MATRIX.strip().splitlines()[1:])
}
READS = [route for route in ROWS if route[0] == "GET"]
WRITES = [route for route in ROWS if route[0] != "GET"]
GRANTED = {
    route: [person for person, status in ROWS[route].items() if status < 400] for route in WRITES
}
# With a token that is not, or no more, valid a caller is nobody: the column "any" holds.
BAD_TOKENS = ["expired", "forged", "of a deleted account", "from before a password change"]

PERSON = {"first_name": "Eve", "last_name": "Example", "email": "eve@mail.example"}
JOB = {"customer_id": 1, "vin": "VIN1", "service_desc": "Brakes", "price": 80}
PART = {"name": "horn", "price": 12.5, "quantity": 4}
BODIES = {
    "/customers": PERSON | {"password": PASSWORD},
    "/customers/<id:customer_id>": PERSON,
    "/customers/login": {"email": "carla@customer.example", "password": PASSWORD},
    "/mechanics": PERSON | {"password": PASSWORD},
    "/mechanics/<id:mechanic_id>": PERSON,
    "/mechanics/login": {"email": "ana@mechanic.example", "password": PASSWORD},
    "/service_tickets": JOB,
    "/service_tickets/<id:ticket_id>": JOB,
    "/service_tickets/<id:ticket_id>/edit": {"add_ids": [2], "remove_ids": [1]},
    "/inventory": PART,
    "/inventory/<id:inventory_id>": PART,
    "/parts": PART,
    "/parts/<id:inventory_id>": PART,
}


def path_of(rule, record_id=1):
    return re.sub("<id:[a-z_]+>", str(record_id), rule)


def send(client, method, rule, email="eve@mail.example"):
    """Call a route with a body that it takes."""
    body = {"json": BODIES[rule]} if method != "GET" and rule in BODIES else {}
    if rule in ("/customers", "/mechanics") and body:
        body = {"json": BODIES[rule] | {"email": email}}
    return client.open(path_of(rule), method=method, **body)


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
                people["ana"].post("/service_tickets/1/assign-inventory/1", json={"quantity": 2})

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
    model = ROLES[role]
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
    assert routes == set(ROWS)


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
    [(*route, person) for route in WRITES if route[0] != "POST" for person in GRANTED[route]],
)
def test_change_granted_by_the_matrix_works(database_url, people, open_shop, method, rule, person):
    open_shop(rule)
    before = everything(database_url)
    response = send(people[person], method, rule)
    assert response.status_code == ROWS[method, rule][person], response.get_data(as_text=True)
    assert everything(database_url) != before


@pytest.mark.parametrize("rule", [rule for method, rule in WRITES if method == "POST"])
def test_post_granted_by_the_matrix_works(database_url, people, open_shop, rule):
    open_shop(rule)
    for person in GRANTED["POST", rule]:
        before = everything(database_url)
        response = send(people[person], "POST", rule, email=f"{person}@mail.example")
        assert response.status_code == ROWS["POST", rule][person], response.get_data(as_text=True)
        assert (everything(database_url) != before) == (not rule.endswith("/login"))


@pytest.mark.parametrize(("method", "rule"), WRITES)
def test_write_refused_by_the_matrix_changes_nothing(
    app, database_url, people, open_shop, method, rule
):
    open_shop(rule)
    before = everything(database_url)
    for person, status in ROWS[method, rule].items():
        if status >= 400:
            problem(send(people[person], method, rule), status)
    assert everything(database_url) == before


@pytest.mark.parametrize("kind", BAD_TOKENS)
def test_bad_token_makes_its_bearer_anyone(app, database_url, people, part, ticket, kind):
    callers = {role: calling(app, bad_token(app, kind, role)) for role in ROLES}
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
    for rule in {rule for _method, rule in ROWS}:
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
                response = people[person].open(path_of(rule) + "/", method=method)
                problem(response, statuses[person])
    assert everything(database_url) == before


@pytest.mark.parametrize("path", ["/customers", "/mechanics", "/mechanics/ranking"])
def test_cached_answer_is_for_those_who_may_read_it(people, path):
    answer = people["ana"].get(path).json
    assert people["bert"].get(path).json == answer
    problem(people["anyone"].get(path), 401)
    problem(people["carla"].get(path), 403)


def test_caller_is_refused_before_the_record_and_the_body_are_looked_at(people):
    for method, rule in WRITES:
        for person, status in ROWS[method, rule].items():
            if "<id:" in rule and (status >= 400 or person in ("ana", "bert")):
                own = (method, rule, person) == ("DELETE", "/mechanics/<id:mechanic_id>", "ana")
                path = path_of(rule, 1 if own else 999)
                response = people[person].open(path, method=method, data="{")
                problem(response, status if status >= 400 else 404)


def test_customer_learns_nothing_about_other_customers_ids(people):
    there = people["carla"].get("/customers/2")
    missing = people["carla"].get("/customers/999")
    assert problem(there, 403) == problem(missing, 403)


def test_customer_learns_nothing_about_other_customers_tickets(people, ticket):
    there = people["dave"].get("/service_tickets/1")
    missing = people["dave"].get("/service_tickets/2")
    assert problem(there, 404).replace("1", "2") == problem(missing, 404)
