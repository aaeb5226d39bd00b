"""The customers: they register, and their records are read, changed and deleted."""

import pytest
from harness.shop import PASSWORD, problem, shows

NEW = {
    "first_name": "Eve",
    "last_name": "Novak",
    "email": "eve@mail.example",
    "phone": "555-0101",
    "address": "1 Mill Lane",
    "password": "long-enough",
}
WHOLE = {field: value for field, value in NEW.items() if field != "password"}


def test_register_as_a_customer(anyone):
    response = anyone.post("/customers", json=NEW)
    assert response.status_code == 201
    assert shows(response.json, {"id": 1, **WHOLE})
    assert response.headers["Location"] == "/customers/1"
    credentials = {"email": NEW["email"], "password": NEW["password"]}
    assert anyone.post("/customers/login", json=credentials).status_code == 200


def test_register_needs_only_names_email_and_password(anyone):
    body = {"first_name": "Eve", "last_name": "N", "email": "e@x.example", "password": "12345678"}
    stored = {"id": 1, "phone": None, "address": None, **body}
    del stored["password"]
    assert shows(anyone.post("/customers", json=body).json, stored)


def test_register_with_a_taken_email_is_refused(anyone, carla):
    for email in (carla.email, f" {carla.email.upper()} "):
        detail = problem(anyone.post("/customers", json={**NEW, "email": email}), 409)
        assert detail == "Another account has this email address."


def test_text_is_stored_without_blanks_around_it(anyone):
    body = {**NEW, "first_name": "  Eve\t", "email": " EVE@Mail.Example ", "phone": "  "}
    stored = anyone.post("/customers", json=body).json
    assert (stored["first_name"], stored["email"], stored["phone"]) == ("Eve", NEW["email"], "")


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_unknown_customer_is_not_found(ana, method):
    response = getattr(ana, method)("/customers/999", json=WHOLE)
    assert problem(response, 404) == "There is no customer 999."


@pytest.mark.parametrize("who", ["carla", "ana"])
def test_customer_or_mechanic_changes_a_customer(request, carla, who):
    caller = request.getfixturevalue(who)
    path = f"/customers/{carla.id}"
    assert caller.patch(path, json={"phone": "555-0199"}).json["phone"] == "555-0199"
    replaced = caller.put(path, json=WHOLE).json
    assert shows(replaced, {"id": carla.id, **WHOLE})
    assert caller.get(path).json == replaced


def test_put_keeps_what_it_leaves_out(carla, anyone):
    path = f"/customers/{carla.id}"
    carla.patch(path, json={"phone": "555-0199", "address": "1 Mill Lane"})
    body = {"first_name": "Carla", "last_name": "Novak", "email": carla.email}
    kept = {"phone": "555-0199", "address": "1 Mill Lane"}
    assert shows(carla.put(path, json=body).json, {"id": carla.id, **kept, **body})
    assert carla.put(path, json=body | {"phone": None}).json["phone"] is None
    credentials = {"email": carla.email, "password": PASSWORD}
    assert anyone.post("/customers/login", json=credentials).status_code == 200


def test_change_to_a_taken_email_is_refused(carla, dave):
    path = f"/customers/{carla.id}"
    assert "email" in problem(carla.patch(path, json={"email": dave.email}), 409)
    assert carla.get(path).json["email"] == carla.email
    assert carla.patch(path, json={"email": carla.email}).status_code == 200


def test_change_of_the_email_of_a_customer_who_is_deleted_meanwhile_says_so(ana, carla, hold):
    answer = hold(
        lambda: carla.patch("/customers/1", json={"email": "new@x.example"}),
        "before_cursor_execute",
        "UPDATE customers",
        lambda: ana.delete("/customers/1"),
    )
    detail = problem(answer, 409)
    assert "deleted at the same moment" in detail
    assert "email" not in detail


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
    body = {"customer_id": dave.id, "vin": "ABC", "service_desc": "Brakes", "price": 5}
    other = ana.post("/service_tickets", json=body).json
    assert carla.get("/customers/my-tickets").json == [ticket]
    assert dave.get("/customers/my-tickets").json == [other]


def test_mechanic_gives_a_customer_a_new_password(ana, carla, anyone):
    path = f"/customers/{carla.id}"
    assert ana.patch(path, json={"password": "forgotten-no-more"}).status_code == 200
    credentials = {"email": carla.email, "password": "forgotten-no-more"}
    assert anyone.post("/customers/login", json=credentials).status_code == 200
    problem(anyone.post("/customers/login", json={**credentials, "password": PASSWORD}), 401)
