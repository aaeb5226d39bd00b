"""What is special about parts: the examples of the assignment."""

from harness.shop import shows


def test_examples_of_the_assignment_work_as_sent(ana):
    created = ana.post("/inventory", json={"name": "speaker", "price": "20", "quantity": "10"})
    assert shows(created.json, {"id": 1, "name": "speaker", "price": 20, "quantity": 10})
    body = {"name": "pioneer speakers 6.5 inch", "price": 25.00, "quantity": 42}
    assert shows(ana.put("/inventory/1", json=body).json, {"id": 1, **body})
    assert ana.delete("/inventory/1").json == {"message": "Successfully deleted inventory 1"}
    created = ana.post("/inventory", json={"name": "speaker", "price": 20})  # as in the model
    assert created.json["quantity"] == 1
