"""The service tickets, their mechanics, and the parts that move between stock and tickets."""

import datetime as dt

import pytest
from harness.servers import at_once
from harness.shop import problem, shows


def body_for(customer, **fields):
    return {
        "customer_id": customer.id,
        "vin": "wvwzzz1jz3w386752",
        "service_desc": "Replace clutch",
        "price": 250,
        **fields,
    }


def stock(client, inventory_id=1):
    return client.get(f"/inventory/{inventory_id}").json["quantity"]


def lines(client, ticket_id=1):
    parts = client.get(f"/service_tickets/{ticket_id}").json["parts"]
    return {line["inventory_id"]: line["quantity"] for line in parts}


def test_open_a_ticket(ana, carla):
    response = ana.post("/service_tickets", json=body_for(carla, price="250.5"))
    assert response.status_code == 201
    assert response.headers["Location"] == "/service_tickets/1"
    expected = {
        "id": 1,
        "customer_id": carla.id,
        "vin": "WVWZZZ1JZ3W386752",
        "service_desc": "Replace clutch",
        "service_date": dt.date.today().isoformat(),
        "price": 250.5,
        "mechanics": [],
        "parts": [],
        "total": 250.5,
    }
    assert shows(response.json, expected)
    assert ana.get("/service_tickets/1").json == response.json


def test_ticket_without_a_price_costs_nothing_yet(ana, carla):
    body = body_for(carla)
    del body["price"]
    response = ana.post("/service_tickets", json=body)
    assert response.status_code == 201
    assert (response.json["price"], response.json["total"]) == (0, 0)


def test_both_spellings_show_the_same_tickets(ana, ticket, part):
    path = "/service-tickets/1"
    assert ana.get(path).json == ticket
    assert ana.get("/service-tickets").json == [ticket]
    assert ana.put(f"{path}/assign-mechanic/1").json["mechanics"][0]["id"] == ana.id
    for address in ("service-tickets", "service_tickets", "ticket_inventory"):
        assigned = ana.post(f"/{address}/1/assign-inventory/1")
        assert ana.get(assigned.headers["Location"]).json["id"] == 1
    assert ana.delete(f"{path}/remove-inventory/1?quantity=2").status_code == 200
    assert ana.get("/service_tickets/1").json == ana.get(path).json
    assert (stock(ana), lines(ana)) == (9, {1: 1})


def test_put_and_patch_a_ticket(ana, dave, ticket):
    ana.put("/service_tickets/1/assign-mechanic/1")
    changed = ana.patch("/service_tickets/1", json={"service_date": "2026-02-03", "price": 75})
    assert (changed.json["service_date"], changed.json["total"]) == ("2026-02-03", 75)
    replaced = ana.put("/service_tickets/1", json=body_for(dave, vin="abc", price=80)).json
    assert (replaced["customer_id"], replaced["vin"], replaced["price"]) == (dave.id, "ABC", 80)
    assert [mechanic["first_name"] for mechanic in replaced["mechanics"]] == ["Ana"]
    whole = {"customer_id": dave.id, "vin": "ABC", "service_desc": "Brakes"}
    kept = ana.put("/service_tickets/1", json=whole).json
    assert kept == replaced | whole
    assert kept["service_date"] == "2026-02-03"
    assert ana.get("/service_tickets/1").json == kept


def test_ticket_of_an_unknown_customer_is_refused(ana, carla, ticket):
    for customer_id in (99, 0):
        body = body_for(carla, customer_id=customer_id)
        for response in (
            ana.post("/service_tickets", json=body),
            ana.patch("/service_tickets/1", json=body),
        ):
            problem(response, 400, "customer_id")
            message = f"There is no customer {customer_id}."
            assert response.json["errors"]["customer_id"] == [message]
    assert ana.get("/service_tickets").json == [ticket]


def test_ticket_of_a_customer_who_is_deleted_meanwhile_is_a_conflict_that_says_so(ana, dave, hold):
    answer = hold(
        lambda: ana.post("/service_tickets", json=body_for(dave)),
        "before_cursor_execute",
        "INSERT INTO service_tickets",
        lambda: ana.delete(f"/customers/{dave.id}"),
    )
    detail = problem(answer, 409)
    assert "deleted at the same moment" in detail
    assert "email" not in detail
    assert ana.get("/service_tickets").json == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "/service_tickets/9", None),
        ("put", "/service_tickets/9", {"customer_id": 1, "vin": "A", "service_desc": "Oil"}),
        ("patch", "/service_tickets/9", {"price": 1}),
        ("delete", "/service_tickets/9", None),
        ("put", "/service_tickets/9/edit", {"add_ids": [1]}),
        ("put", "/service_tickets/9/assign-mechanic/1", None),
        ("put", "/service_tickets/9/remove-mechanic/1", None),
        ("put", "/service_tickets/1/assign-mechanic/9", None),
        ("put", "/service_tickets/1/remove-mechanic/9", None),
        ("post", "/ticket_inventory/9/assign-inventory/1", None),
        ("post", "/ticket_inventory/1/assign-inventory/9", None),
        ("delete", "/ticket_inventory/9/remove-inventory/1", None),
        ("delete", "/ticket_inventory/1/remove-inventory/1", None),
    ],
)
def test_what_does_not_exist_is_not_found(ana, part, ticket, method, path, body):
    response = ana.open(path, method=method, json=body) if body else ana.open(path, method=method)
    assert "There is no" in problem(response, 404)
    assert (stock(ana), ana.get("/service_tickets").json) == (10, [ticket])


# --- Mechanics ---


def test_assign_and_remove_a_mechanic_twice_is_the_same_as_once(ana, bert, ticket):
    for _ in range(2):
        response = ana.put(f"/service_tickets/1/assign-mechanic/{bert.id}")
        assert response.status_code == 200
        assert response.json["mechanics"] == [
            {"id": bert.id, "first_name": "Bert", "last_name": "Example"}
        ]
    assert response.json == ana.get("/service_tickets/1").json
    for _ in range(2):
        response = ana.put(f"/service_tickets/1/remove-mechanic/{bert.id}")
        assert response.status_code == 200
        assert response.json == ticket


def test_edit_adds_and_removes_mechanics_at_once(ana, bert, ticket):
    ana.put(f"/service_tickets/1/assign-mechanic/{bert.id}")
    body = {"add_ids": [ana.id, ana.id], "remove_ids": [bert.id]}
    for _ in range(2):
        edited = ana.put("/service_tickets/1/edit", json=body).json
        assert [mechanic["id"] for mechanic in edited["mechanics"]] == [ana.id]
    assert edited == ana.get("/service_tickets/1").json


def test_mechanics_and_parts_of_a_ticket_are_in_order_of_their_ids(ana, bert, part, ticket):
    ana.post("/inventory", json={"name": "horn", "price": 5, "quantity": 3})
    assert ana.put(f"/service_tickets/1/assign-mechanic/{bert.id}").status_code == 200
    edited = ana.put("/service_tickets/1/edit", json={"add_ids": [ana.id]})
    for part_id in (2, 1):
        ana.post(f"/ticket_inventory/1/assign-inventory/{part_id}")
    shown = ana.get("/service_tickets/1").json
    assert [mechanic["id"] for mechanic in shown["mechanics"]] == [ana.id, bert.id]
    assert edited.json["mechanics"] == shown["mechanics"]
    assert [line["inventory_id"] for line in shown["parts"]] == [1, 2]


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({}, "add_ids", "Name at least one mechanic."),
        ({"add_ids": [], "remove_ids": []}, "add_ids", "Name at least one mechanic."),
        ({"add_ids": [1, 99]}, "add_ids", "There is no mechanic 99."),
        ({"add_ids": [1], "remove_ids": [99]}, "remove_ids", "There is no mechanic 99."),
        ({"add_ids": [1, 2], "remove_ids": [1]}, "remove_ids", "both lists"),
        ({"add_ids": 1}, "add_ids", "Not a list"),
        ({"add_ids": None}, "add_ids", ""),
        ({"add_ids": [1.5, "x", True, None]}, "add_ids", ""),
        ({"add_ids": [10**30]}, "add_ids", ""),
        ({"add_ids": [1], "mechanics": []}, "mechanics", ""),
    ],
)
def test_edit_with_a_mistake_changes_nothing(ana, bert, ticket, body, field, message):
    response = ana.put("/service_tickets/1/edit", json=body)
    problem(response, 400, field)
    assert message in response.json["errors"][field][0]
    assert ana.get("/service_tickets/1").json == ticket


@pytest.mark.parametrize("field", ["add_ids", "remove_ids"])
def test_edit_takes_at_most_100_ids_and_answers_more_of_them_briefly(ana, ticket, field):
    hundred = [ana.id] * 100
    assert ana.put("/service_tickets/1/edit", json={field: hundred}).status_code == 200
    before = ana.get("/service_tickets/1").json
    for ids in ([*hundred, ana.id], list(range(1000, 9000)), ["x"] * 9000, [{}] * 9000):
        response = ana.put("/service_tickets/1/edit", json={field: ids})
        problem(response, 400, field)
        assert len(response.get_data()) < 500
    assert ana.get("/service_tickets/1").json == before


def test_edit_with_a_mechanic_who_is_deleted_meanwhile_changes_nothing(ana, bert, ticket, hold):
    answer = hold(
        lambda: ana.put("/service_tickets/1/edit", json={"add_ids": [ana.id, bert.id]}),
        "after_cursor_execute",
        "mechanics.id IN",
        lambda: ana.delete(f"/mechanics/{bert.id}"),
    )
    problem(ana.get(f"/mechanics/{bert.id}"), 404)
    assert "deleted at the same moment" in problem(answer, 409)
    assert ana.get("/service_tickets/1").json == ticket


# --- Parts ---


def test_assign_a_part_takes_one_piece_from_stock(ana, part, ticket):
    response = ana.post("/ticket_inventory/1/assign-inventory/1")
    assert response.status_code == 201
    expected = {
        "id": 1,
        "ticket_id": 1,
        "inventory_id": 1,
        "quantity": 1,
        "unit_price": 20,
    }
    assert shows(response.json, expected)
    assert response.headers["Location"] == "/service_tickets/1"
    assert stock(ana) == 9
    shown = ana.get("/service_tickets/1").json
    (line,) = shown["parts"]
    assert shows(line, {"inventory_id": 1, "name": "speaker", "quantity": 1, "unit_price": 20})
    assert shown["total"] == 70


def test_assign_again_adds_to_the_same_line(ana, part, ticket):
    ana.post("/ticket_inventory/1/assign-inventory/1", json={"quantity": 2})
    response = ana.post("/service_tickets/1/assign-inventory/1", json={"quantity": "3"})
    assert (response.json["id"], response.json["quantity"]) == (1, 5)
    assert (stock(ana), lines(ana)) == (5, {1: 5})


def test_price_of_a_part_is_the_one_when_first_assigned(ana, part, ticket):
    ana.post("/ticket_inventory/1/assign-inventory/1")
    ana.patch("/inventory/1", json={"price": 0.1})
    ana.post("/ticket_inventory/1/assign-inventory/1")
    assert ana.get("/service_tickets/1").json["total"] == 90


def test_total_is_rounded_to_cents(ana, ticket):
    ana.post("/inventory", json={"name": "washer", "price": 0.1, "quantity": 10})
    ana.post("/ticket_inventory/1/assign-inventory/1", json={"quantity": 3})
    assert ana.get("/service_tickets/1").json["total"] == 50.3


def test_out_of_stock_changes_nothing(ana, part, ticket):
    ana.post("/ticket_inventory/1/assign-inventory/1", json={"quantity": 4})
    response = ana.post("/ticket_inventory/1/assign-inventory/1", json={"quantity": 7})
    assert problem(response, 409) == "Not enough stock of part 1: 7 wanted."
    assert (stock(ana), lines(ana)) == (6, {1: 4})
    assert ana.post("/ticket_inventory/1/assign-inventory/1", json={"quantity": 6}).json
    assert (stock(ana), lines(ana)) == (0, {1: 10})


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "x", "", True, None, [], 10**9, "1e3"])
def test_assign_a_wrong_quantity_is_refused(ana, part, ticket, quantity):
    response = ana.post("/ticket_inventory/1/assign-inventory/1", json={"quantity": quantity})
    problem(response, 400, "quantity")
    assert (stock(ana), lines(ana)) == (10, {})


def test_remove_a_part_puts_it_back_into_stock(ana, part, ticket):
    ana.post("/ticket_inventory/1/assign-inventory/1", json={"quantity": 5})
    removed = {"message": "Successfully removed inventory 1 from service ticket 1"}
    assert ana.delete("/ticket_inventory/1/remove-inventory/1?quantity=2").json == removed
    assert (stock(ana), lines(ana)) == (7, {1: 3})
    problem(ana.delete("/ticket_inventory/1/remove-inventory/1?quantity=4"), 409)
    assert (stock(ana), lines(ana)) == (7, {1: 3})
    assert ana.delete("/service_tickets/1/remove-inventory/1").json == removed
    assert (stock(ana), lines(ana)) == (10, {})
    problem(ana.delete("/ticket_inventory/1/remove-inventory/1"), 404)
    assert stock(ana) == 10


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *((f"quantity={value}", "quantity") for value in ["0", "-1", "1.5", "x", "", "1000001"]),
        ("Quantity=1", "Quantity"),
        ("quantity=1&page=1", "page"),
        ("quantity%20=1", "quantity "),
        ("id=1", "id"),
    ],
)
def test_remove_with_a_wrong_or_unknown_parameter_moves_nothing(ana, full_ticket, query, field):
    problem(ana.delete(f"/ticket_inventory/1/remove-inventory/1?{query}"), 400, field)
    assert ana.get("/service_tickets/1").json == full_ticket
    assert stock(ana) == 8


def test_delete_a_ticket_puts_its_parts_back_into_stock(ana, part, ticket):
    ana.post("/inventory", json={"name": "horn", "price": 5, "quantity": 1})
    ana.post("/ticket_inventory/1/assign-inventory/1", json={"quantity": 5})
    ana.post("/ticket_inventory/1/assign-inventory/2")
    ana.put(f"/service_tickets/1/assign-mechanic/{ana.id}")
    response = ana.delete("/service_tickets/1")
    assert response.json == {"message": "Successfully deleted service ticket 1"}
    assert (stock(ana, 1), stock(ana, 2)) == (10, 1)
    problem(ana.get("/service_tickets/1"), 404)
    assert ana.delete("/inventory/2").status_code == 200


def test_twenty_callers_share_the_last_five_pieces(app, ana, part, ticket):
    ana.patch("/inventory/1", json={"quantity": 5})

    def take_one(_number):
        headers = {"Authorization": f"Bearer {ana.token}"}
        path = "/ticket_inventory/1/assign-inventory/1"
        return app.test_client().post(path, headers=headers).status_code

    assert sorted(at_once(20, take_one)) == [201] * 5 + [409] * 15
    assert (stock(ana), lines(ana)) == (0, {1: 5})


@pytest.mark.parametrize(
    ("call", "held_at", "meanwhile", "statuses", "left"),
    [
        ("post assign", "UPDATE service_tickets", "post assign", (201, 201), (6, {1: 4})),
        ("delete remove", "UPDATE service_tickets", "delete remove", (404, 200), (10, {})),
        ("post assign", "UPDATE service_tickets", "delete ticket", (404, 200), (10, None)),
        ("delete ticket", "UPDATE service_tickets", "post assign", (200, 201), (10, None)),
        ("delete ticket", "UPDATE service_tickets", "delete ticket", (404, 200), (10, None)),
    ],
)
def test_two_who_change_a_ticket_at_once_lose_no_piece(
    ana, full_ticket, hold, call, held_at, meanwhile, statuses, left
):
    paths = {
        "assign": "/ticket_inventory/1/assign-inventory/1",
        "remove": "/ticket_inventory/1/remove-inventory/1",
        "ticket": "/service_tickets/1",
    }
    answers = []

    def send(text):
        method, name = text.split()
        return ana.open(paths[name], method=method)

    held = hold(
        lambda: send(call),
        "before_cursor_execute",
        held_at,
        lambda: answers.append(send(meanwhile)),
    )
    assert (held.status_code, answers[0].status_code) == statuses
    pieces, on_ticket = left
    assert stock(ana) == pieces
    if on_ticket is None:
        problem(ana.get("/service_tickets/1"), 404)
    else:
        assert lines(ana) == on_ticket


# --- Lists ---


def test_list_tickets_of_one_customer(ana, carla, dave, ticket):
    other = ana.post("/service_tickets", json=body_for(dave)).json
    assert ana.get("/service_tickets").json == [ticket, other]
    assert ana.get(f"/service_tickets?customer_id={dave.id}").json == [other]
    assert ana.get("/service_tickets?customer_id=99").json == []
    problem(ana.get("/service_tickets?customer_id=x"), 400, "customer_id")
