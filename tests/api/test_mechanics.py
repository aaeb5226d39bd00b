"""What is special about mechanics: their own accounts, their tickets, and their ranking."""

from harness.resources import RESOURCES
from harness.shop import PASSWORD, problem, shows

GUS = RESOURCES["/mechanics"].whole()
WHOLE = RESOURCES["/mechanics"].shown()
TICKET = RESOURCES["/service_tickets"].whole()


def test_profile_shows_the_caller(ana, bert):
    for caller in (ana, bert):
        assert caller.get("/mechanics/profile").json == ana.get(f"/mechanics/{caller.id}").json


def test_mechanics_change_only_their_own_password(ana, bert, anyone):
    new = {"password": "long-enough"}
    problem(ana.patch("/mechanics/2", json=new), 403)
    problem(ana.put("/mechanics/2", json=WHOLE | {"email": bert.email} | new), 403)
    credentials = {"email": bert.email, "password": PASSWORD}
    assert anyone.post("/mechanics/login", json=credentials).status_code == 200
    assert bert.patch("/mechanics/2", json=new).status_code == 200
    problem(anyone.post("/mechanics/login", json=credentials), 401)
    assert anyone.post("/mechanics/login", json=credentials | new).json["id"] == bert.id


def test_mechanics_change_only_their_own_email(ana, bert):
    problem(ana.patch("/mechanics/2", json={"email": "boss@x.example"}), 403)
    problem(ana.put("/mechanics/2", json=WHOLE), 403)
    repeated = ana.put("/mechanics/2", json=WHOLE | {"email": bert.email.upper()})
    assert shows(repeated.json, WHOLE | {"email": bert.email})
    assert bert.patch("/mechanics/2", json={"email": "boss@x.example"}).status_code == 200
    problem(bert.patch("/mechanics/2", json={"email": ana.email}), 409)
    assert bert.get("/mechanics/profile").json["email"] == "boss@x.example"


def test_nobody_deletes_their_own_account(ana, bert):
    problem(ana.delete("/mechanics/1"), 403)
    assert ana.get("/mechanics/profile").status_code == 200
    assert bert.delete("/mechanics/1").status_code == 200
    problem(ana.get("/mechanics/profile"), 401)


def test_my_tickets_are_those_the_caller_works_on(ana, bert, ticket):
    for _ in range(3):
        ana.post("/service_tickets", json=TICKET)
    for ticket_id in (1, 3, 2):
        ana.put(f"/service_tickets/{ticket_id}/assign-mechanic/{bert.id}")
    assert ana.get("/mechanics/my-tickets").json == []
    assert bert.get("/mechanics/my-tickets").json == ana.get("/service_tickets").json[:3]


def test_ranking_has_most_tickets_first_then_the_lower_id(ana, bert, ticket):
    gus = ana.post("/mechanics", json=GUS).json
    second = ana.post("/service_tickets", json=TICKET).json
    for ticket_id in (ticket["id"], second["id"]):
        ana.put(f"/service_tickets/{ticket_id}/assign-mechanic/{gus['id']}")
    names = {"first_name": gus["first_name"], "last_name": gus["last_name"]}
    expected = [
        {"id": gus["id"], **names, "ticket_count": 2},
        {"id": ana.id, "first_name": "Ana", "last_name": "Example", "ticket_count": 0},
        {"id": bert.id, "first_name": "Bert", "last_name": "Example", "ticket_count": 0},
    ]
    assert ana.get("/mechanics/ranking").json == expected
    second_page = ana.get("/mechanics/ranking?page=2&per_page=2")
    assert (second_page.json, second_page.headers["X-Total-Count"]) == (expected[2:], "3")
