"""The lists: a page at a time, searched, and in few SQL statements."""

import re

import pytest
import sqlalchemy as sa
from conftest import PASSWORD_HASH, problem

from mechanic_shop import (
    Customer,
    Inventory,
    Mechanic,
    ServiceTicket,
    TicketInventory,
    db,
    service_mechanic,
)

PATHS = [
    "/customers",
    "/mechanics",
    "/mechanics/ranking",
    "/mechanics/my-tickets",
    "/service_tickets",
    "/inventory",
]


def follow(client, path, rel):
    """Return what following a link from page to page shows, beginning at this path."""
    seen = []
    while path:
        response = client.get(path)
        assert response.status_code == 200
        seen += [record["id"] for record in response.json]
        path = links(response).get(rel)
    return seen


def links(response):
    return {
        rel: url for url, rel in re.findall(r'<([^>]*)>; rel="(\w+)"', response.headers["Link"])
    }


@pytest.fixture
def shop(app, ana, carla):
    """Ana, in a shop with 25 of everything, two mechanics and two parts on each ticket."""
    numbers = range(2, 26)
    with app.app_context():
        for model in (Customer, Mechanic):
            db.session.execute(sa.insert(model), [person(number) for number in numbers])
        numbers = range(1, 26)
        parts = [{"name": f"part {number}", "price": 1, "quantity": 50} for number in numbers]
        db.session.execute(sa.insert(Inventory), parts)
        ticket = {"customer_id": carla.id, "vin": "A1", "service_desc": "Oil", "price": 1}
        db.session.execute(sa.insert(ServiceTicket), [ticket] * 25)
        workers = {(number, mechanic_id) for number in numbers for mechanic_id in (1, number)}
        worker_rows = [{"ticket_id": t, "mechanic_id": m} for t, m in sorted(workers)]
        db.session.execute(sa.insert(service_mechanic), worker_rows)
        lines = [
            {"ticket_id": t, "inventory_id": i, "quantity": 1, "unit_price": 1}
            for t in numbers
            for i in (t, t % 25 + 1)
        ]
        db.session.execute(sa.insert(TicketInventory), lines)
        db.session.commit()
    return ana


def person(number):
    return {
        "first_name": f"First{number}",
        "last_name": f"Last{number}",
        "email": f"p{number}@x.example",
        "password": PASSWORD_HASH,
    }


@pytest.mark.parametrize("path", PATHS)
def test_links_lead_to_every_record_once(shop, path):
    first = shop.get(f"{path}?per_page=4")
    total = int(first.headers["X-Total-Count"])
    assert total >= 25
    assert "prev" not in links(first)
    forward = follow(shop, f"{path}?per_page=4", "next")
    assert len(forward) == len(set(forward)) == total
    if "ranking" not in path:
        assert forward == sorted(forward)
    backward = follow(shop, links(first)["last"], "prev")
    assert sorted(backward) == sorted(forward)
    last = shop.get(links(first)["last"])
    assert "next" not in links(last)
    assert links(last)["first"] == links(first)["first"]


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_20_records_unless_told_otherwise(shop, path):
    assert len(shop.get(path).json) == 20
    assert len(shop.get(f"{path}?per_page=100").json) >= 25
    assert shop.get(f"{path}?page=2").json != shop.get(path).json


def test_links_are_relative_and_keep_the_other_parameters(shop):
    response = shop.get("/customers?search=first1&per_page=3&page=2", base_url="http://a.example")
    assert links(response) == {
        "first": "/customers?page=1&per_page=3&search=first1",
        "prev": "/customers?page=1&per_page=3&search=first1",
        "next": "/customers?page=3&per_page=3&search=first1",
        "last": "/customers?page=4&per_page=3&search=first1",
    }
    assert links(shop.get("/parts?per_page=20"))["next"].startswith("/parts?")
    of_carla = shop.get("/service_tickets?customer_id=1&per_page=20")
    assert links(of_carla)["next"] == "/service_tickets?page=2&per_page=20&customer_id=1"


def test_page_past_the_end_is_empty_and_leads_back(shop):
    response = shop.get("/inventory?page=1000000")
    assert response.json == []
    assert response.headers["X-Total-Count"] == "25"
    assert links(response)["prev"] == links(response)["last"] == "/inventory?page=2&per_page=20"


def test_empty_list_is_one_page(ana):
    response = ana.get("/service_tickets")
    assert (response.json, response.headers["X-Total-Count"]) == ([], "0")
    assert set(links(response)) == {"first", "last"}


@pytest.mark.parametrize("path", [*PATHS, "/customers/my-tickets"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        *(("page=" + value, "page") for value in ["0", "-1", "abc", "1.5", "1e3", "1000001", ""]),
        *(("per_page=" + value, "per_page") for value in ["0", "101", "x", "9" * 50, "٣"]),
    ],
)
def test_wrong_page_is_refused(ana, carla, path, query, field):
    caller = carla if path.startswith("/customers/") else ana
    problem(caller.get(f"{path}?{query}"), 400, field)


def found(client, path, text):
    response = client.get(path, query_string={"search": text})
    assert response.status_code == 200
    names = [record.get("name") or record["email"] for record in response.json]
    assert response.headers["X-Total-Count"] == str(len(names))
    return names


def test_search_parts_by_a_piece_of_the_name(ana):
    for name in ("100% wool mat", "100 bolts", "snake_case badge", "SnakeXcase", "back\\slash"):
        ana.post("/inventory", json={"name": name, "price": 1, "quantity": 1})
    assert found(ana, "/inventory", "100%") == ["100% wool mat"]
    assert found(ana, "/inventory", "snake_case") == ["snake_case badge"]
    assert found(ana, "/inventory", "SNAKE") == ["snake_case badge", "SnakeXcase"]
    assert found(ana, "/inventory", "k\\s") == ["back\\slash"]
    assert found(ana, "/inventory", "%") == ["100% wool mat"]
    assert found(ana, "/inventory", "' OR 1=1 --") == []
    assert found(ana, "/inventory", " bolts ") == ["100 bolts"]
    assert len(found(ana, "/inventory", "")) == 5


def test_search_customers_by_name_or_email(ana, carla, dave):
    assert found(ana, "/customers", "ARL") == [carla.email]
    assert found(ana, "/customers", "dave exam") == [dave.email]
    assert found(ana, "/customers", "dave@") == [dave.email]
    assert found(ana, "/customers", "customer.example") == [carla.email, dave.email]


@pytest.mark.parametrize("text", ["\0", "x" * 256])
def test_search_that_no_database_takes_is_refused(ana, text):
    for path in ("/inventory", "/customers"):
        problem(ana.get(path, query_string={"search": text}), 400, "search")


@pytest.mark.parametrize("path", PATHS)
def test_statements_of_a_list_do_not_grow_with_its_rows(shop, count_statements, path):
    few = count_statements(lambda: shop.get(f"{path}?per_page=2"))
    many = count_statements(lambda: shop.get(f"{path}?per_page=25"))
    assert few == many <= 5


def test_statements_of_one_ticket_do_not_grow_with_what_is_on_it(shop, carla, count_statements):
    little = count_statements(lambda: carla.get("/service_tickets/1"))
    for number in range(3, 20):
        shop.post(f"/ticket_inventory/1/assign-inventory/{number}")
    shop.put("/service_tickets/1/edit", json={"add_ids": list(range(3, 20))})
    much = count_statements(lambda: carla.get("/service_tickets/1"))
    assert little == much <= 6
    mine = count_statements(lambda: carla.get("/customers/my-tickets?per_page=25"))
    assert mine <= 5
