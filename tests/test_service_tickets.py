"""The service tickets, their mechanics, and the parts that move between stock and tickets."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import problem


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
    assert response.json == {
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
    assert ana.get("/service_tickets/1").json == response.json


@pytest.mark.parametrize(("who", "status"), [("anyone", 401), ("carla", 403)])
def test_only_mechanics_work_on_tickets(request, ana, part, ticket, who, status):
    caller = request.getfixturevalue(who)
    before = ana.get("/service_tickets/1").json
    for method, path in [
        ("post", "/service_tickets"),
        ("get", "/service_tickets"),
        ("put", "/service_tickets/1"),
        ("patch", "/service_tickets/1"),
        ("delete", "/service_tickets/1"),
        ("put", "/service_tickets/1/edit"),
        ("put", "/service_tickets/1/assign-mechanic/1"),
        ("put", "/service_tickets/1/remove-mechanic/1"),
        ("post", "/service_tickets/1/assign-inventory/1"),
        ("post", "/ticket_inventory/1/assign-inventory/1"),
        ("delete", "/service_tickets/1/remove-inventory/1"),
        ("delete", "/ticket_inventory/1/remove-inventory/1"),
    ]:
        problem(getattr(caller, method)(path, json={"add_ids": [1]}), status)
    assert ana.get("/service_tickets/1").json == before
    assert stock(ana) == 10


def test_put_and_patch_a_ticket(ana, dave, ticket):
    ana.put("/service_tickets/1/assign-mechanic/1")
    changed = ana.patch("/service_tickets/1", json={"service_date": "2026-02-03", "price": 75})
    assert (changed.json["service_date"], changed.json["total"]) == ("2026-02-03", 75)
    replaced = ana.put("/service_tickets/1", json=body_for(dave)).json
    assert (replaced["customer_id"], replaced["vin"]) == (dave.id, "WVWZZZ1JZ3W386752")
    assert replaced["service_date"] == dt.date.today().isoformat()
    assert [mechanic["first_name"] for mechanic in replaced["mechanics"]] == ["Ana"]
    assert ana.get("/service_tickets/1").json == replaced


def test_ticket_of_an_unknown_customer_is_refused(ana, carla, ticket):
    for customer_id in (99, 0, 2**31, 10**30):
        body = body_for(carla, customer_id=customer_id)
        problem(ana.post("/service_tickets", json=body), 400, "customer_id")
        problem(ana.patch("/service_tickets/1", json=body), 400, "customer_id")
    assert ana.get("/service_tickets").json == [ticket]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/service_tickets/9"),
        ("put", "/service_tickets/9"),
        ("patch", "/service_tickets/9"),
        ("delete", "/service_tickets/9"),
        ("put", "/service_tickets/9/edit"),
        ("put", "/service_tickets/9/assign-mechanic/1"),
        ("put", "/service_tickets/1/assign-mechanic/9"),
        ("put", "/service_tickets/1/remove-mechanic/9"),
        ("post", "/service_tickets/9/assign-inventory/1"),
        ("post", "/ticket_inventory/1/assign-inventory/9"),
        ("delete", "/service_tickets/9/remove-inventory/1"),
        ("delete", "/ticket_inventory/1/remove-inventory/1"),
    ],
)
def test_what_does_not_exist_is_not_found(ana, part, ticket, method, path):
    assert "There is no" in problem(getattr(ana, method)(path, json={"bad": 1}), 404)


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


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["add_ids"]),
        ({"add_ids": [], "remove_ids": []}, ["add_ids"]),
        ({"add_ids": [1, 99]}, ["add_ids"]),
        ({"add_ids": [1], "remove_ids": [99]}, ["remove_ids"]),
        ({"add_ids": [1, 2], "remove_ids": [1]}, ["remove_ids"]),
        ({"add_ids": 1}, ["add_ids"]),
        ({"add_ids": None}, ["add_ids"]),
        ({"add_ids": [1.5, "x", True, None]}, ["add_ids"]),
        ({"add_ids": [10**30]}, ["add_ids"]),
        ({"add_ids": [1], "mechanics": []}, ["mechanics"]),
    ],
)
def test_edit_with_a_mistake_changes_nothing(ana, bert, ticket, body, fields):
    problem(ana.put("/service_tickets/1/edit", json=body), 400, *fields)
    assert ana.get("/service_tickets/1").json == ticket


def test_assign_a_part_takes_one_piece_from_stock(ana, part, ticket):
    response = ana.post("/ticket_inventory/1/assign-inventory/1")
    assert response.status_code == 201
    assert response.json == {
        "id": 1,
        "ticket_id": 1,
        "inventory_id": 1,
        "quantity": 1,
        "unit_price": 20,
    }
    assert response.headers["Location"] == "/service_tickets/1"
    assert stock(ana) == 9
    shown = ana.get("/service_tickets/1").json
    assert shown["parts"] == [
        {"inventory_id": 1, "name": "speaker", "quantity": 1, "unit_price": 20}
    ]
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
    assert "inventory 1" in problem(response, 409)
    assert (stock(ana), lines(ana)) == (6, {1: 4})


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "x", "", True, None, [], 10**9, "1e3"])
def test_assign_a_wrong_quantity_is_refused(ana, part, ticket, quantity):
    response = ana.post("/ticket_inventory/1/assign-inventory/1", json={"quantity": quantity})
    problem(response, 400, "quantity")
    assert (stock(ana), lines(ana)) == (10, {})


@pytest.mark.parametrize("quantity", ["0", "-1", "1.5", "x", "", "1000001"])
def test_remove_a_wrong_quantity_is_refused(ana, part, ticket, quantity):
    ana.post("/ticket_inventory/1/assign-inventory/1", json={"quantity": 2})
    path = f"/ticket_inventory/1/remove-inventory/1?quantity={quantity}"
    problem(ana.delete(path), 400, "quantity")
    assert (stock(ana), lines(ana)) == (8, {1: 2})


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
        headers = {"Authorization": ana.environ_base["HTTP_AUTHORIZATION"]}
        path = "/ticket_inventory/1/assign-inventory/1"
        return app.test_client().post(path, headers=headers).status_code

    with ThreadPoolExecutor(20) as threads:
        statuses = list(threads.map(take_one, range(20)))
    assert sorted(statuses) == [201] * 5 + [409] * 15
    assert (stock(ana), lines(ana)) == (0, {1: 5})


def test_list_tickets_of_one_customer(ana, carla, dave, ticket):
    other = ana.post("/service_tickets", json=body_for(dave)).json
    assert ana.get("/service_tickets").json == [ticket, other]
    assert ana.get(f"/service_tickets?customer_id={dave.id}").json == [other]
    assert ana.get("/service_tickets?customer_id=99").json == []
    problem(ana.get("/service_tickets?customer_id=x"), 400, "customer_id")
