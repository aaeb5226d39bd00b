"""What is special about tickets: their mechanics, and parts that move between stock and them."""

import datetime as dt

import pytest
from harness.resources import RESOURCES
from harness.shop import problem, shows

TICKET = RESOURCES["/service_tickets"].whole()
REQUIRED = RESOURCES["/service_tickets"].whole(required=True)
ASSIGN = "/ticket_inventory/1/assign-inventory/1"
REMOVE = "/ticket_inventory/1/remove-inventory/1"


def stock(client, inventory_id=1):
    return client.get(f"/inventory/{inventory_id}").json["quantity"]


def lines(client):
    """Return how many pieces of each part are on ticket 1."""
    parts = client.get("/service_tickets/1").json["parts"]
    return {line["inventory_id"]: line["quantity"] for line in parts}


def mechanics(ticket):
    return [mechanic["id"] for mechanic in ticket["mechanics"]]


# --- The ticket ---


def test_ticket_is_of_today_and_costs_nothing_unless_said_otherwise(ana, carla):
    days = [dt.date.today().isoformat()]
    created = ana.post("/service_tickets", json=REQUIRED).json
    days.append(dt.date.today().isoformat())
    assert created["service_date"] in days
    assert shows(created, {"price": 0, "mechanics": [], "parts": [], "total": 0})


def test_put_keeps_what_is_on_a_ticket_and_moves_it_to_another_customer(ana, dave, full_ticket):
    body = TICKET | {"customer_id": dave.id}
    changed = ana.put("/service_tickets/1", json=body).json
    assert changed == full_ticket | body | {"total": body["price"] + 40}
    assert dave.get("/service_tickets/1").json == changed


def test_ticket_of_a_customer_who_is_deleted_meanwhile_is_a_conflict(ana, dave, hold):
    answer = hold(
        lambda: ana.post("/service_tickets", json=TICKET | {"customer_id": dave.id}),
        "before_cursor_execute",
        "INSERT INTO",
        lambda: ana.delete(f"/customers/{dave.id}"),
    )
    problem(answer, 409)
    assert ana.get("/service_tickets").json == []


def test_list_tickets_of_one_customer(ana, dave, ticket):
    other = ana.post("/service_tickets", json=TICKET | {"customer_id": dave.id}).json
    assert ana.get("/service_tickets").json == [ticket, other]
    assert ana.get(f"/service_tickets?customer_id={dave.id}").json == [other]
    assert ana.get("/service_tickets?customer_id=99").json == []


@pytest.mark.parametrize(
    "call",
    [
        "PUT /service_tickets/9/edit",
        "PUT /service_tickets/9/assign-mechanic/1",
        "PUT /service_tickets/1/assign-mechanic/9",
        "PUT /service_tickets/1/remove-mechanic/9",
        "POST /ticket_inventory/9/assign-inventory/1",
        "POST /ticket_inventory/1/assign-inventory/9",
        "DELETE /ticket_inventory/9/remove-inventory/1",
        "DELETE /ticket_inventory/1/remove-inventory/9",
    ],
)
def test_what_does_not_exist_is_not_found(ana, full_ticket, call):
    method, path = call.split()
    assert "9" in problem(ana.open(path, method=method, json={}), 404)
    assert (stock(ana), ana.get("/service_tickets").json) == (8, [full_ticket])


# --- Its mechanics ---


def test_assign_and_remove_a_mechanic_twice_is_the_same_as_once(ana, bert, ticket):
    bert_is_on_it = [{"id": bert.id, "first_name": "Bert", "last_name": "Example"}]
    for _ in range(2):
        response = ana.put(f"/service_tickets/1/assign-mechanic/{bert.id}")
        assert (response.status_code, response.json["mechanics"]) == (200, bert_is_on_it)
    assert response.json == ana.get("/service_tickets/1").json
    for _ in range(2):
        response = ana.put(f"/service_tickets/1/remove-mechanic/{bert.id}")
        assert (response.status_code, response.json) == (200, ticket)


def test_edit_adds_mechanics_and_then_takes_others_off(ana, bert, ticket):
    for body, expected in [
        ({"add_ids": [bert.id]}, [bert.id]),
        ({"add_ids": [str(ana.id), ana.id]}, [ana.id, bert.id]),
        ({"remove_ids": [bert.id, bert.id]}, [ana.id]),
        ({"add_ids": [bert.id], "remove_ids": [ana.id]}, [bert.id]),
        ({"add_ids": [ana.id, bert.id], "remove_ids": [bert.id]}, [ana.id]),
        ({"add_ids": [ana.id] * 100, "remove_ids": [bert.id] * 100}, [ana.id]),
        ({}, [ana.id]),
    ]:
        response = ana.put("/service_tickets/1/edit", json=body)
        assert (response.status_code, mechanics(response.json)) == (200, expected), body
        assert response.json == ana.get("/service_tickets/1").json


def test_edit_with_a_mechanic_who_does_not_exist_changes_nothing(ana, full_ticket, bert):
    for body in ({"add_ids": [bert.id, 99]}, {"add_ids": [bert.id], "remove_ids": [1, 99]}):
        assert "99" in problem(ana.put("/service_tickets/1/edit", json=body), 400)
        assert ana.get("/service_tickets/1").json == full_ticket


# --- Its parts ---


def test_assigned_part_is_taken_from_stock_and_shown_on_the_ticket(ana, part, ticket):
    response = ana.post(ASSIGN)
    assert (response.status_code, response.headers["Location"]) == (201, "/service_tickets/1")
    line = {"inventory_id": 1, "quantity": 1, "unit_price": 20}
    assert shows(response.json, {"id": 1, "ticket_id": 1, **line})
    response = ana.post(ASSIGN, json={"quantity": "3"})
    assert shows(response.json, {"id": 1, "quantity": 4})
    shown = ana.get("/service_tickets/1").json
    assert shows(shown, {"price": 50, "total": 130})
    assert shows(shown["parts"][0], {"name": "speaker", **line, "quantity": 4})
    assert (stock(ana), lines(ana)) == (6, {1: 4})


def test_part_keeps_the_price_of_its_first_piece_on_the_ticket(ana, full_ticket):
    ana.patch("/inventory/1", json={"price": 0.1})
    assert ana.post(ASSIGN).json["unit_price"] == 20
    assert ana.get("/service_tickets/1").json["total"] == 110


def test_total_is_rounded_to_cents(ana, part, ticket):
    ana.patch("/inventory/1", json={"price": 0.1})
    ana.post(ASSIGN, json={"quantity": 2})
    assert ana.patch("/service_tickets/1", json={"price": 0.1}).json["total"] == 0.3


def test_too_few_in_stock_changes_nothing(ana, full_ticket):
    assert "stock" in problem(ana.post(ASSIGN, json={"quantity": 9}), 409)
    assert (stock(ana), lines(ana)) == (8, {1: 2})
    assert ana.post(ASSIGN, json={"quantity": 8}).status_code == 201
    assert (stock(ana), lines(ana)) == (0, {1: 10})


def test_removed_pieces_go_back_into_stock(ana, full_ticket):
    removed = {"message": "Successfully removed inventory 1 from service ticket 1"}
    ana.post(ASSIGN, json={"quantity": 3})
    assert ana.delete(f"{REMOVE}?quantity=2").json == removed
    assert (stock(ana), lines(ana)) == (7, {1: 3})
    assert "3" in problem(ana.delete(f"{REMOVE}?quantity=4"), 409)
    assert (stock(ana), lines(ana)) == (7, {1: 3})
    assert ana.delete(REMOVE).json == removed
    assert (stock(ana), lines(ana)) == (10, {})
    problem(ana.delete(REMOVE), 404)
    assert stock(ana) == 10


def test_remove_with_a_wrong_or_unknown_parameter_moves_nothing(ana, full_ticket):
    wrong = [(f"quantity={value}", "quantity") for value in ("0", "-1", "1.5", "x", "", "1000001")]
    wrong += [
        ("Quantity=1", "Quantity"),
        ("quantity=1&page=1", "page"),
        ("quantity+=1", "quantity "),
    ]
    for query, field in wrong:
        problem(ana.delete(f"{REMOVE}?{query}"), 400, field)
    assert (stock(ana), ana.get("/service_tickets/1").json) == (8, full_ticket)


def test_deleted_ticket_puts_its_parts_back_into_stock(ana, part, ticket):
    ana.post("/inventory", json={"name": "horn", "price": 5, "quantity": 1})
    for part_id in (2, 1):
        ana.post(f"/ticket_inventory/1/assign-inventory/{part_id}")
    assert list(lines(ana)) == [1, 2]  # in order of the ids
    assert ana.delete("/service_tickets/1").status_code == 200
    assert (stock(ana, 1), stock(ana, 2)) == (10, 1)
    assert ana.delete("/inventory/2").status_code == 200


@pytest.mark.parametrize(
    ("call", "meanwhile", "statuses", "left"),
    [
        ("POST assign", "POST assign", [201, 201], (6, {1: 4})),
        ("DELETE remove", "DELETE remove", [200, 404], (10, {})),
        ("POST assign", "DELETE ticket", [200, 404], (10, None)),
        ("DELETE ticket", "POST assign", [201, 200], (10, None)),
        ("DELETE ticket", "DELETE ticket", [200, 404], (10, None)),
        ("PUT bert on", "PUT bert on", [200, 200], (8, {1: 2})),
        ("PUT ana off", "PUT ana off", [200, 200], (8, {1: 2})),
        ("PUT edit", "PUT bert on", [200, 200], (8, {1: 2})),
    ],
)
def test_two_who_change_a_ticket_at_once_lose_no_piece(
    ana, bert, full_ticket, hold, call, meanwhile, statuses, left
):
    paths = {"assign": ASSIGN, "remove": REMOVE, "ticket": "/service_tickets/1"}
    paths["bert on"] = f"/service_tickets/1/assign-mechanic/{bert.id}"
    paths["ana off"] = f"/service_tickets/1/remove-mechanic/{ana.id}"
    paths["edit"] = "/service_tickets/1/edit"
    answers = []

    def send(call):
        method, name = call.split(" ", 1)
        body = {"json": {"add_ids": [bert.id]}} if name == "edit" else {}
        answers.append(ana.open(paths[name], method=method, **body))

    hold(lambda: send(call), "before_cursor_execute", "UPDATE", lambda: send(meanwhile))
    assert [answer.status_code for answer in answers] == statuses
    shown = ana.get("/service_tickets/1")
    on_ticket = lines(ana) if shown.status_code == 200 else None
    assert (stock(ana), on_ticket) == left
