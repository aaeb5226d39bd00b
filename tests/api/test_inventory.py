"""The parts: /inventory, which answers at /parts too."""

import pytest
from harness.shop import problem, shows


def test_create_part_as_the_assignment_shows_it(ana):
    response = ana.post("/inventory", json={"name": "speaker", "price": "20", "quantity": "10"})
    assert response.status_code == 201
    assert shows(response.json, {"id": 1, "name": "speaker", "price": 20, "quantity": 10})
    assert response.headers["Location"] == "/inventory/1"
    assert ana.get(response.headers["Location"]).json == response.json


def test_part_without_a_quantity_is_one_piece(ana):
    response = ana.post("/inventory", json={"name": "horn", "price": 5})
    assert response.status_code == 201
    assert shows(response.json, {"id": 1, "name": "horn", "price": 5, "quantity": 1})


def test_both_addresses_show_the_same_parts(ana, part):
    created = ana.post("/parts", json={"name": "horn", "price": 9.5, "quantity": 3})
    assert created.headers["Location"] == "/parts/2"
    assert ana.get("/inventory").json == ana.get("/parts").json == [part, created.json]
    assert ana.patch("/parts/1", json={"price": 21}).json["price"] == 21
    assert ana.get("/inventory/1").json["price"] == 21
    assert ana.delete("/parts/1").json == {"message": "Successfully deleted inventory 1"}
    problem(ana.get("/inventory/1"), 404)


@pytest.mark.parametrize("path", ["/inventory", "/inventory/1", "/parts", "/parts/1", "/health"])
def test_trailing_slash_is_no_redirect(anyone, part, path):
    assert anyone.get(path + "/").status_code == 200
    assert anyone.get(path + "/").json == anyone.get(path).json


def test_trailing_slash_is_no_redirect_for_writes(ana, part, ticket):
    created = ana.post("/parts/", json={"name": "horn", "price": 1, "quantity": 1})
    assert (created.status_code, created.headers["Location"]) == (201, "/parts/2")
    assert ana.patch("/inventory/2/", json={"price": 2}).status_code == 200
    assert ana.post("/ticket_inventory/1/assign-inventory/2/").status_code == 201
    assert ana.delete("/ticket_inventory/1/remove-inventory/2/").status_code == 200


def test_put_takes_the_whole_part_and_keeps_the_stock_it_does_not_name(ana, part):
    body = {"name": "pioneer speakers 6.5 inch", "price": 25.00, "quantity": 42}
    assert shows(ana.put("/inventory/1", json=body).json, {"id": 1, **body})
    problem(ana.put("/inventory/1", json={"quantity": 3}), 400, "name", "price")
    renamed = ana.put("/inventory/1", json={"name": "speakers", "price": 20})
    kept = {"id": 1, "name": "speakers", "price": 20, "quantity": 42}
    assert shows(renamed.json, kept)
    assert ana.get("/inventory/1").json == renamed.json


def test_patch_changes_what_is_sent(ana, part):
    assert ana.patch("/inventory/1", json={"quantity": 11}).json == {**part, "quantity": 11}
    assert ana.patch("/inventory/1", json={}).json == {**part, "quantity": 11}


def test_delete_part(ana, part):
    response = ana.delete("/inventory/1")
    assert response.json == {"message": "Successfully deleted inventory 1"}
    assert problem(ana.delete("/inventory/1"), 404) == "There is no part 1."
    assert ana.get("/inventory").json == []


def test_delete_part_on_a_ticket_is_refused(ana, full_ticket):
    assert "tickets" in problem(ana.delete("/inventory/1"), 409)
    assert ana.get("/inventory/1").status_code == 200


def test_id_of_a_deleted_part_is_not_used_again(ana, part):
    ana.delete("/inventory/1")
    assert ana.post("/inventory", json={"name": "horn", "price": 1, "quantity": 1}).json["id"] == 2


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_unknown_part_is_not_found(ana, part, method):
    body = {"name": "horn", "price": 1}
    for number in ("2", "0", "999999999", "2147483648"):
        problem(getattr(ana, method)(f"/inventory/{number}", json=body), 404)


def test_head_is_get_without_a_body(anyone, part):
    response = anyone.head("/inventory")
    assert response.status_code == 200
    assert response.get_data() == b""
    assert response.headers["X-Total-Count"] == "1"


def test_change_of_a_part_that_is_deleted_meanwhile_is_a_conflict(ana, hold, part):
    changed = hold(
        lambda: ana.patch("/inventory/1", json={"price": 21}),
        "before_cursor_execute",
        "UPDATE inventory",
        lambda: ana.delete("/inventory/1"),
    )
    assert "deleted at the same moment" in problem(changed, 409)
    problem(ana.get("/inventory/1"), 404)
