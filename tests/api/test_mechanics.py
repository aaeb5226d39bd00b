"""The mechanics: the staff, their own accounts, their tickets and their ranking."""

import pytest
from harness.shop import PASSWORD, problem, shows

NEW = {
    "first_name": "Gus",
    "last_name": "Moreau",
    "email": "gus@shop.example",
    "salary": 41000.5,
    "address": "2 Mill Lane",
    "password": "long-enough",
}
WHOLE = {field: value for field, value in NEW.items() if field != "password"}


def test_mechanic_adds_a_mechanic(ana, anyone):
    response = ana.post("/mechanics", json=NEW)
    assert response.status_code == 201
    assert shows(response.json, {"id": 2, **WHOLE})
    assert response.headers["Location"] == "/mechanics/2"
    credentials = {"email": NEW["email"], "password": NEW["password"]}
    assert anyone.post("/mechanics/login", json=credentials).json["id"] == 2


def test_profile_shows_the_caller(ana, bert):
    assert ana.get("/mechanics/profile").json == ana.get(f"/mechanics/{ana.id}").json
    assert bert.get("/mechanics/profile").json["first_name"] == "Bert"


@pytest.mark.parametrize("number", ["0", "000", "99"])
def test_mechanic_who_does_not_exist_is_not_found_and_not_the_caller(ana, number):
    path = f"/mechanics/{number}"
    assert problem(ana.get(path), 404) == f"There is no mechanic {int(number)}."
    problem(ana.put(path, json=WHOLE), 404)
    problem(ana.patch(path, json={"salary": 1}), 404)
    problem(ana.delete(path), 404)


def test_mechanics_change_each_other(ana, bert):
    path = f"/mechanics/{bert.id}"
    assert ana.patch(path, json={"salary": "50000.25"}).json["salary"] == 50000.25
    whole = WHOLE | {"email": bert.email}
    assert shows(ana.put(path, json=whole).json, {"id": bert.id, **whole})
    names = {"first_name": "Gus", "last_name": "M", "email": bert.email}
    assert shows(bert.put(path, json=names).json, {"id": bert.id, **whole, **names})
    assert bert.patch(path, json={"salary": None}).json["salary"] is None


def test_mechanics_change_only_their_own_password(ana, bert, anyone):
    path = f"/mechanics/{bert.id}"
    new = {"password": "long-enough"}
    problem(ana.patch(path, json=new), 403)
    problem(ana.put(path, json=NEW | {"email": bert.email}), 403)
    credentials = {"email": bert.email, "password": PASSWORD}
    assert anyone.post("/mechanics/login", json=credentials).status_code == 200
    assert bert.patch(path, json=new).status_code == 200
    problem(anyone.post("/mechanics/login", json=credentials), 401)


def test_mechanics_change_only_their_own_email(ana, bert):
    path = f"/mechanics/{bert.id}"
    problem(ana.patch(path, json={"email": "boss@x.example"}), 403)
    problem(ana.put(path, json=WHOLE), 403)
    assert bert.get("/mechanics/profile").json["email"] == bert.email
    assert ana.put(path, json=WHOLE | {"email": bert.email.upper()}).status_code == 200
    assert bert.patch(path, json={"email": "boss@x.example"}).json["email"] == "boss@x.example"


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


def test_taken_email_is_refused(ana, bert):
    problem(ana.post("/mechanics", json={**NEW, "email": bert.email}), 409)
    problem(ana.patch(f"/mechanics/{ana.id}", json={"email": bert.email}), 409)


def test_my_tickets_are_those_the_caller_works_on(ana, bert, ticket):
    ana.put(f"/service_tickets/1/assign-mechanic/{bert.id}")
    assert ana.get("/mechanics/my-tickets").json == []
    assert bert.get("/mechanics/my-tickets").json == [ana.get("/service_tickets/1").json]


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


def test_password_is_in_no_answer(ana, carla, full_ticket):
    for path in (
        *("/customers", f"/customers/{carla.id}", "/mechanics", "/mechanics/profile"),
        *("/mechanics/ranking", "/mechanics/my-tickets", "/service_tickets", "/service_tickets/1"),
    ):
        text = ana.get(path).get_data(as_text=True)
        assert "Example" in text or "1HGCM82633A004352" in text
        assert "password" not in text
        assert "scrypt" not in text
