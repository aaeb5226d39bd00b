"""What is special about parts: the assignment's examples, and HEAD."""

from harness.shop import problem, shows


def test_examples_of_the_assignment_work_as_sent(ana):
    created = ana.post("/inventory", json={"name": "speaker", "price": "20", "quantity": "10"})
    assert created.status_code == 201
    assert shows(created.json, {"id": 1, "name": "speaker", "price": 20, "quantity": 10})
    body = {"name": "pioneer speakers 6.5 inch", "price": 25.00, "quantity": 42}
    assert shows(ana.put("/inventory/1", json=body).json, {"id": 1, **body})
    assert ana.delete("/inventory/1").json == {"message": "Successfully deleted inventory 1"}


def test_part_without_a_quantity_is_one_piece(ana):
    created = ana.post("/inventory", json={"name": "horn", "price": 5})
    assert created.json["quantity"] == 1


def test_both_addresses_change_the_same_parts(ana, part):
    assert ana.patch("/parts/1", json={"price": 21}).json["price"] == 21
    assert ana.get("/inventory/1").json == ana.get("/parts/1").json == part | {"price": 21}
    assert ana.delete("/parts/1").status_code == 200
    problem(ana.get("/inventory/1"), 404)


def test_head_is_get_without_a_body(anyone, part):
    response = anyone.head("/inventory")
    assert (response.status_code, response.get_data()) == (200, b"")
    assert response.headers["X-Total-Count"] == "1"
