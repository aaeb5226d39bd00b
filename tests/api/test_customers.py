"""What is special about customers: they register, change their own email, and see their tickets."""

from harness.resources import RESOURCES
from harness.shop import PASSWORD, problem, shows

EVE = RESOURCES["/customers"].whole()
TICKET = RESOURCES["/service_tickets"].whole()


def login_status(client, email, password=PASSWORD):
    body = {"email": email, "password": password}
    return client.post("/customers/login", json=body).status_code


def test_taken_email_is_refused_however_it_is_spelled(anyone, ana, carla, dave):
    for email in (carla.email, f" {carla.email.upper()} "):
        problem(anyone.post("/customers", json=EVE | {"email": email}), 409)
        problem(dave.patch("/customers/2", json={"email": email}), 409)
    assert dave.get("/customers/2").json["email"] == dave.email
    assert dave.patch("/customers/2", json={"email": dave.email}).status_code == 200
    assert anyone.post("/customers", json=EVE | {"email": ana.email}).status_code == 201


def test_password_stays_until_a_mechanic_gives_a_new_one(ana, carla, anyone):
    body = RESOURCES["/customers"].shown() | {"email": carla.email}
    assert shows(carla.put("/customers/1", json=body).json, body)
    assert login_status(anyone, carla.email) == 200
    assert ana.patch("/customers/1", json={"password": "forgotten-no-more"}).status_code == 200
    assert login_status(anyone, carla.email) == 401
    assert login_status(anyone, carla.email, "forgotten-no-more") == 200


def test_customers_see_only_their_own_tickets(ana, carla, dave, full_ticket):
    other = ana.post("/service_tickets", json=TICKET | {"customer_id": dave.id}).json
    third = ana.post("/service_tickets", json=TICKET).json
    assert carla.get("/customers/my-tickets").json == [full_ticket, third]
    assert dave.get("/customers/my-tickets").json == [other]
