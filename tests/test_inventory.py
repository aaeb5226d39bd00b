"""The parts: /inventory, which answers at /parts too."""

import pytest
from conftest import problem


def test_create_part_as_the_assignment_shows_it(ana):
    response = ana.post("/inventory", json={"name": "speaker", "price": "20", "quantity": "10"})
    assert response.status_code == 201
    assert response.json == {"id": 1, "name": "speaker", "price": 20, "quantity": 10}
    assert response.headers["Location"] == "/inventory/1"
    assert ana.get(response.headers["Location"]).json == response.json


@pytest.mark.parametrize("caller_name", ["anyone", "carla"])
def test_only_mechanics_write(request, caller_name, part):
    caller = request.getfixturevalue(caller_name)
    status = {"anyone": 401, "carla": 403}[caller_name]
    body = {"name": "horn", "price": 1, "quantity": 1}
    problem(caller.post("/inventory", json=body), status)
    problem(caller.put("/inventory/1", json=body), status)
    problem(caller.patch("/inventory/1", json=body), status)
    problem(caller.delete("/inventory/1"), status)
    assert caller.get("/inventory").json == [part]
