"""Who may do what: every route and method, and every kind of caller."""

import io
import re

import pytest
from harness.matrix import FIRST_ADDRESS, PEOPLE, ROWS
from harness.resources import RESOURCES
from harness.servers import at_once, everything
from harness.shop import PASSWORD, calling, problem

pytestmark = pytest.mark.once
WRITES = [route for route in ROWS if route[0] != "GET"]
BODIES = {  # of the routes that take a body and are none of a resource
    "/customers/login": {"email": "carla@customer.example", "password": PASSWORD},
    "/mechanics/login": {"email": "ana@mechanic.example", "password": PASSWORD},
    "/service_tickets/<id:ticket_id>/edit": {"add_ids": [2], "remove_ids": [1]},
}


def path_of(rule, record_id=1):
    return re.sub("<id:[a-z_]+>", str(record_id), rule)


def send(client, method, rule, record_id=1, slash="", **body):
    """Call a route, with a body that it takes or with this one."""
    first = FIRST_ADDRESS[rule]
    resource = RESOURCES.get(re.sub("/<id:[a-z_]+>$", "", first))
    if first in BODIES:
        body = body or {"json": BODIES[first]}
    elif resource and method != "DELETE":
        # A PUT or PATCH of a mechanic has another email, which only that mechanic may give.
        body = body or {"json": resource.whole() if method == "POST" else resource.shown()}
    return client.open(path_of(rule, record_id) + slash, method=method, **body)


@pytest.fixture
def people(unlimited, anyone, carla, dave, ana, bert):
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
                people["ana"].post("/ticket_inventory/1/assign-inventory/1")

    return prepare


def test_matrix_has_a_row_for_every_route_and_method(app):
    routes = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"  # Flask's own
    }
    missing, left = sorted(routes - set(ROWS)), sorted(set(ROWS) - routes)
    where = "in tests/harness/matrix.py (for a second address of a blueprint: to ALIASES)"
    assert not missing, (
        f"New routes {missing}: for each, add a row to MATRIX {where}, which says what each caller "
        f"gets, and, if the route takes a body, a row to RESOURCES in tests/harness/resources.py "
        f"or an example to BODIES in tests/api/test_authorization.py."
    )
    assert not left, f"The app has no routes {left}: delete their rows from MATRIX {where}."


@pytest.mark.parametrize("person", PEOPLE)
def test_reads_answer_as_the_matrix_says(people, part, ticket, person):
    for (method, rule), statuses in ROWS.items():
        if method == "GET":
            for path in (path_of(rule), path_of(rule) + "/" * (rule != "/")):
                response = people[person].get(path)
                assert (path, response.status_code) == (path, statuses[person])
                assert people[person].head(path).status_code == statuses[person]
                if statuses[person] >= 400:
                    problem(response, statuses[person])


@pytest.mark.parametrize(
    ("method", "rule", "person"),
    [
        (*route, person)
        for route in WRITES
        for person in PEOPLE
        if ROWS[route][person] < 400
        # Whoever may write may do so at each alias, and at each address all callers get the same.
        and (FIRST_ADDRESS[route[1]] == route[1] or person == "ana")
    ],
)
def test_write_granted_by_the_matrix_works(database_url, people, open_shop, method, rule, person):
    open_shop(rule)
    before = everything(database_url)
    response = send(people[person], method, rule)
    assert response.status_code == ROWS[method, rule][person], response.text
    assert (everything(database_url) != before) == (not rule.endswith("/login"))


@pytest.mark.parametrize(("method", "rule"), WRITES)
def test_write_refused_by_the_matrix_changes_nothing(database_url, people, open_shop, method, rule):
    open_shop(rule)
    before = everything(database_url)
    for person, status in ROWS[method, rule].items():
        for slash in ("", "/"):
            if status >= 400:
                problem(send(people[person], method, rule, slash=slash), status)
            if status == 401:  # the token is checked before the body
                problem(send(people[person], method, rule, slash=slash, data="{"), status)
    assert everything(database_url) == before


def test_method_without_a_row_is_not_allowed(people):
    for rule in FIRST_ADDRESS:
        allowed = {method for method, other in ROWS if other == rule}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} - allowed:
            response = people["ana"].open(path_of(rule, 999_999_999), method=method)
            problem(response, 405)
            found = set(response.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"}
            assert found == allowed, rule


def test_customer_learns_nothing_about_what_others_have(people, ticket):
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        there = send(people["carla"], method, "/customers/<id:customer_id>", 2)
        missing = send(people["carla"], method, "/customers/<id:customer_id>", 999)
        assert problem(there, 403) == problem(missing, 403)
        assert "own" in problem(there, 403)
    there, missing = (people["dave"].get(f"/service_tickets/{number}") for number in (1, 2))
    assert problem(there, 404).replace("1", "2") == problem(missing, 404)


def test_caller_whose_body_comes_in_slowly_holds_no_connection(make_app, ana, part):
    pool = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.1}
    app = make_app(SQLALCHEMY_ENGINE_OPTIONS=pool)
    meanwhile = []

    class Body(io.BytesIO):
        def readinto(self, buffer):
            meanwhile.extend(at_once(1, lambda _: calling(app).get("/health").status_code))
            return super().readinto(buffer)

    body = {"input_stream": Body(b'{"price": 7}'), "content_length": 12}
    body["content_type"] = "application/json"
    response = calling(app, ana.token).patch("/inventory/1", **body)
    assert response.json == part | {"price": 7}
    assert set(meanwhile) == {200}
