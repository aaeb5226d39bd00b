"""The mechanics: staff, who see everything and one of whom works on each ticket."""

import pytest
from conftest import PASSWORD, problem

NEW = {
    "first_name": "Gus",
    "last_name": "Moreau",
    "email": "gus@shop.example",
    "salary": 41000.5,
    "address": "2 Mill Lane",
    "password": "long-enough",
}
STORED = {field: value for field, value in NEW.items() if field != "password"}


def test_mechanic_adds_a_mechanic(ana, anyone):
    response = ana.post("/mechanics", json=NEW)
    assert response.status_code == 201
    assert response.json == {"id": 2, **STORED}
    assert response.headers["Location"] == "/mechanics/2"
    credentials = {"email": NEW["email"], "password": NEW["password"]}
    assert anyone.post("/mechanics/login", json=credentials).json["id"] == 2


@pytest.mark.parametrize(("who", "status"), [("anyone", 401), ("carla", 403)])
def test_nobody_else_becomes_or_sees_a_mechanic(request, ana, who, status):
    caller = request.getfixturevalue(who)
    problem(caller.post("/mechanics", json=NEW), status)
    for path in ("", "/1", "/profile", "/my-tickets", "/ranking"):
        problem(caller.get(f"/mechanics{path}"), status)
    for method in ("put", "patch", "delete"):
        problem(getattr(caller, method)("/mechanics/1", json=NEW), status)
    assert [mechanic["id"] for mechanic in ana.get("/mechanics").json] == [1]


def test_profile_shows_the_caller(ana, bert):
    assert ana.get("/mechanics/profile").json == ana.get(f"/mechanics/{ana.id}").json
    assert bert.get("/mechanics/profile").json["first_name"] == "Bert"


def test_mechanics_change_each_other(ana, bert):
    path = f"/mechanics/{bert.id}"
    assert ana.patch(path, json={"salary": "50000.25"}).json["salary"] == 50000.25
    assert ana.put(path, json=STORED).json == {"id": bert.id, **STORED}
    names = {"first_name": "Gus", "last_name": "M", "email": "g@shop.example"}
    emptied = {"id": bert.id, "salary": None, "address": None, **names}
    assert bert.put(path, json=names).json == emptied


def test_a_password_changes_only_who_has_it(ana, bert, anyone):
    path = f"/mechanics/{bert.id}"
    for method in (ana.patch, ana.put):
        problem(method(path, json=NEW), 403)
    problem(ana.patch(path, json={"password": "x"}), 403)
    problem(ana.patch("/mechanics/99", json={"password": "long-enough"}), 403)
    credentials = {"email": bert.email, "password": PASSWORD}
    assert anyone.post("/mechanics/login", json=credentials).status_code == 200
    assert bert.patch(path, json={"password": "long-enough"}).status_code == 200
    problem(anyone.post("/mechanics/login", json=credentials), 401)


def test_delete_another_mechanic(ana, bert):
    response = ana.delete(f"/mechanics/{bert.id}")
    assert response.json == {"message": f"Successfully deleted mechanic {bert.id}"}
    problem(ana.delete(f"/mechanics/{bert.id}"), 404)
    problem(bert.get("/mechanics/profile"), 401)


def test_nobody_deletes_their_own_account(ana):
    problem(ana.delete(f"/mechanics/{ana.id}"), 403)
    assert ana.get("/mechanics/profile").status_code == 200


def test_delete_a_mechanic_on_a_ticket_is_refused(ana, bert, ticket):
    ana.put(f"/service_tickets/1/assign-mechanic/{bert.id}")
    assert "tickets" in problem(ana.delete(f"/mechanics/{bert.id}"), 409)
    assert [m["id"] for m in ana.get("/service_tickets/1").json["mechanics"]] == [bert.id]


def test_change_to_a_taken_email_is_refused(ana, bert):
    problem(ana.post("/mechanics", json={**NEW, "email": bert.email}), 409)
    problem(ana.patch(f"/mechanics/{ana.id}", json={"email": bert.email}), 409)


def test_my_tickets_are_those_the_caller_works_on(ana, bert, carla, ticket):
    ana.put(f"/service_tickets/1/assign-mechanic/{bert.id}")
    assert ana.get("/mechanics/my-tickets").json == []
    mine = bert.get("/mechanics/my-tickets").json
    assert mine == [ana.get("/service_tickets/1").json]
    problem(carla.get("/mechanics/my-tickets"), 403)


def test_ranking_has_most_tickets_first_then_the_lower_id(ana, bert, carla, ticket):
    gus = ana.post("/mechanics", json=NEW).json
    body = {"customer_id": carla.id, "vin": "A", "service_desc": "Brakes", "price": 1}
    second = ana.post("/service_tickets", json=body).json
    for ticket_id in (ticket["id"], second["id"]):
        ana.put(f"/service_tickets/{ticket_id}/assign-mechanic/{gus['id']}")
    assert ana.get("/mechanics/ranking").json == [
        {"id": gus["id"], "first_name": "Gus", "last_name": "Moreau", "ticket_count": 2},
        {"id": ana.id, "first_name": "Ana", "last_name": "Example", "ticket_count": 0},
        {"id": bert.id, "first_name": "Bert", "last_name": "Example", "ticket_count": 0},
    ]
    second_page = ana.get("/mechanics/ranking?page=2&per_page=2")
    assert [mechanic["id"] for mechanic in second_page.json] == [bert.id]
    assert second_page.headers["X-Total-Count"] == "3"


def test_password_is_in_no_answer(ana, bert, carla, ticket):
    ana.put(f"/service_tickets/1/assign-mechanic/{bert.id}")
    for path in (
        *("/customers", f"/customers/{carla.id}", "/mechanics", "/mechanics/profile"),
        *("/mechanics/ranking", "/mechanics/my-tickets", "/service_tickets", "/service_tickets/1"),
    ):
        text = ana.get(path).get_data(as_text=True)
        assert "password" not in text
        assert "scrypt" not in text
