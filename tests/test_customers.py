"""The customers: who registers, sees, changes and deletes whom."""

import pytest
from conftest import PASSWORD, problem

NEW = {
    "first_name": "Eve",
    "last_name": "Novak",
    "email": "eve@mail.example",
    "phone": "555-0101",
    "address": "1 Mill Lane",
    "password": "long-enough",
}


def without_password(body):
    return {field: value for field, value in body.items() if field != "password"}


def test_register_as_a_customer(anyone):
    response = anyone.post("/customers", json=NEW)
    assert response.status_code == 201
    assert response.json == {"id": 1, **without_password(NEW)}
    assert response.headers["Location"] == "/customers/1"
    credentials = {"email": NEW["email"], "password": NEW["password"]}
    assert anyone.post("/customers/login", json=credentials).status_code == 200


def test_register_needs_only_names_email_and_password(anyone):
    body = {"first_name": "Eve", "last_name": "N", "email": "e@x.example", "password": "12345678"}
    response = anyone.post("/customers", json=body)
    assert response.json == {"id": 1, "phone": None, "address": None, **without_password(body)}


def test_register_with_a_taken_email_is_refused(anyone, carla):
    for email in (carla.email, f" {carla.email.upper()} "):
        detail = problem(anyone.post("/customers", json={**NEW, "email": email}), 409)
        assert "email" in detail


def test_text_is_stored_without_blanks_around_it(anyone):
    body = {**NEW, "first_name": "  Eve\t", "email": " EVE@Mail.Example ", "phone": "  "}
    stored = anyone.post("/customers", json=body).json
    assert (stored["first_name"], stored["email"], stored["phone"]) == ("Eve", NEW["email"], "")


def test_a_customer_is_no_mechanic(carla, ana):
    assert carla.get(f"/customers/{carla.id}").json["email"] == carla.email
    problem(carla.get("/customers"), 403)
    assert len(ana.get("/customers").json) == 1


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_another_customer_is_refused_whether_it_exists_or_not(carla, dave, method):
    for customer_id in (dave.id, 999):
        problem(getattr(carla, method)(f"/customers/{customer_id}", json=NEW), 403)
    assert dave.get(f"/customers/{dave.id}").json["first_name"] == "Dave"


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_unknown_customer_is_not_found_for_mechanics(ana, method):
    assert "customer 999" in problem(getattr(ana, method)("/customers/999", json=NEW), 404)


@pytest.mark.parametrize("who", ["carla", "ana"])
def test_customer_or_mechanic_changes_a_customer(request, carla, who):
    caller = request.getfixturevalue(who)
    path = f"/customers/{carla.id}"
    assert caller.patch(path, json={"phone": "555-0199"}).json["phone"] == "555-0199"
    replaced = caller.put(path, json=without_password(NEW)).json
    assert replaced == {"id": carla.id, **without_password(NEW)}
    assert caller.get(path).json == replaced


def test_put_empties_what_it_leaves_out_and_keeps_the_password(carla, anyone):
    path = f"/customers/{carla.id}"
    carla.patch(path, json={"phone": "555-0199", "address": "1 Mill Lane"})
    body = {"first_name": "Carla", "last_name": "Novak", "email": carla.email}
    assert carla.put(path, json=body).json == {
        "id": carla.id,
        "phone": None,
        "address": None,
        **body,
    }
    credentials = {"email": carla.email, "password": PASSWORD}
    assert anyone.post("/customers/login", json=credentials).status_code == 200


def test_change_to_a_taken_email_is_refused(carla, dave):
    path = f"/customers/{carla.id}"
    problem(carla.patch(path, json={"email": dave.email}), 409)
    assert carla.get(path).json["email"] == carla.email
    assert carla.patch(path, json={"email": carla.email}).status_code == 200


def test_customers_and_mechanics_may_share_an_email(anyone, ana):
    assert anyone.post("/customers", json={**NEW, "email": ana.email}).status_code == 201


@pytest.mark.parametrize("who", ["carla", "ana"])
def test_delete_a_customer(request, carla, who):
    caller = request.getfixturevalue(who)
    response = caller.delete(f"/customers/{carla.id}")
    assert response.json == {"message": f"Successfully deleted customer {carla.id}"}
    problem(carla.get(f"/customers/{carla.id}"), 401)


def test_delete_a_customer_with_tickets_is_refused(carla, ticket):
    assert "tickets" in problem(carla.delete(f"/customers/{carla.id}"), 409)
    assert carla.get("/customers/my-tickets").json == [ticket]


def test_customers_see_only_their_own_tickets(ana, carla, dave, ticket):
    body = {**ticket_body(dave), "price": 5}
    other = ana.post("/service_tickets", json=body).json
    assert carla.get("/customers/my-tickets").json == [ticket]
    assert dave.get("/customers/my-tickets").json == [other]
    assert carla.get(f"/service_tickets/{ticket['id']}").json == ticket
    problem(carla.get(f"/service_tickets/{other['id']}"), 404)
    problem(ana.get("/customers/my-tickets"), 403)


def ticket_body(customer):
    return {"customer_id": customer.id, "vin": "ABC", "service_desc": "Brakes", "price": 50}


def test_mechanic_gives_a_customer_a_new_password(ana, carla, anyone):
    path = f"/customers/{carla.id}"
    assert ana.patch(path, json={"password": "forgotten-no-more"}).status_code == 200
    credentials = {"email": carla.email, "password": "forgotten-no-more"}
    assert anyone.post("/customers/login", json=credentials).status_code == 200
    problem(anyone.post("/customers/login", json={**credentials, "password": PASSWORD}), 401)
