"""The lists: a page at a time, searched, and in few SQL statements."""

import re

import pytest
import sqlalchemy as sa
from harness.shop import PASSWORD_HASH, problem

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
def reader(app, ana, carla):
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
def test_links_lead_to_every_record_once(reader, path):
    first = reader.get(f"{path}?per_page=4")
    total = int(first.headers["X-Total-Count"])
    assert total >= 25
    assert "prev" not in links(first)
    forward = follow(reader, f"{path}?per_page=4", "next")
    assert len(forward) == len(set(forward)) == total
    if "ranking" not in path:
        assert forward == sorted(forward)
    backward = follow(reader, links(first)["last"], "prev")
    assert sorted(backward) == sorted(forward)
    last = reader.get(links(first)["last"])
    assert "next" not in links(last)
    assert links(last)["first"] == links(first)["first"]


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_20_records_unless_told_otherwise(reader, path):
    assert len(reader.get(path).json) == 20
    assert len(reader.get(f"{path}?per_page=100").json) >= 25
    assert reader.get(f"{path}?page=2").json != reader.get(path).json


def test_links_are_relative_and_keep_the_other_parameters(reader):
    response = reader.get("/customers?search=first1&per_page=3&page=2", base_url="http://a.example")
    first = "/customers?page=1&per_page=3&search=first1"
    assert links(response) == {
        "first": first,
        "prev": first,
        "next": first.replace("page=1", "page=3", 1),
        "last": first.replace("page=1", "page=4", 1),
    }
    assert links(reader.get("/parts?per_page=20"))["next"].startswith("/parts?")
    of_carla = reader.get("/service_tickets?customer_id=1&per_page=20")
    assert links(of_carla)["next"] == "/service_tickets?page=2&per_page=20&customer_id=1"
    odd = reader.get("/inventory", query_string={"search": 'a&page=9>; rel="next" é'})
    assert links(odd)["first"].endswith("&search=a%26page%3D9%3E%3B+rel%3D%22next%22+%C3%A9")


def test_page_past_the_end_is_empty_and_leads_back(reader):
    response = reader.get("/inventory?page=1000000")
    assert response.json == []
    assert response.headers["X-Total-Count"] == "25"
    assert {"first", "last"} <= set(links(response))
    assert "next" not in links(response)
    assert links(response)["last"] == "/inventory?page=2&per_page=20"


def test_empty_list_is_one_page(ana):
    response = ana.get("/service_tickets")
    assert (response.json, response.headers["X-Total-Count"]) == ([], "0")
    assert set(links(response)) == {"first", "last"}


# As they stand in an address; no number of a page is one of them.
ODD_NUMBERS = ["", "%20", "null", "abc", "-1", "0", "1.5", "1e0", "1e3", "1e400", "NaN", "Infinity"]
ODD_NUMBERS += ["1000001", "2147483648", "9223372036854775808", "9" * 5000, "1_0", "0x1", "%2B1"]
ODD_NUMBERS += ["%00", "1%00", "1%0a", "%FF", "%ED%A0%80", "🔧", "٣", "'%20OR%20'1'='1", "[]"]


@pytest.mark.parametrize("path", [*PATHS, "/parts", "/service-tickets", "/customers/my-tickets"])
def test_odd_number_in_the_address_is_refused(ana, carla, path):
    client = carla if path == "/customers/my-tickets" else ana
    known = ["page", "per_page"]
    if path in ("/service_tickets", "/service-tickets"):
        known.append("customer_id")
    for value in ODD_NUMBERS:
        query = "&".join(f"{name}={value}" for name in known)
        wrong = [name for name in known if name != "customer_id" or value not in ("0", "1000001")]
        problem(client.get(f"{path}?{query}"), 400, *wrong)
    problem(client.get(f"{path}?per_page=101"), 400, "per_page")
    for value in ("0", "1000001", *ODD_NUMBERS[:3]):
        response = client.get(f"{path}?customer_id={value}")
        if "customer_id" not in known:
            assert response.status_code == 200
        elif value in ODD_NUMBERS[:3]:
            problem(response, 400, "customer_id")
        else:
            assert response.json == []


@pytest.mark.parametrize("query", ["&&&=", "%00=%00", "page[]=2", "a=" + "&a=" * 5000, ";"])
def test_parameter_that_a_list_does_not_know_changes_nothing(ana, part, query):
    for path in PATHS:
        assert ana.get(f"{path}?{query}").json == ana.get(path).json


# --- Searching ---


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


def test_search_customers_within_the_first_name_the_last_name_or_the_email(ana, carla, dave):
    assert found(ana, "/customers", "ARL") == [carla.email]
    assert found(ana, "/customers", "avE@Cust") == [dave.email]
    assert found(ana, "/customers", "xampl") == [carla.email, dave.email]
    with_last_name = found(ana, "/customers", "EXAMPLE")
    assert with_last_name == [carla.email, dave.email]
    for across in ("a e", "carla example", "carlaexample", "example carla", "ecarla", "e d"):
        assert found(ana, "/customers", across) == []


def test_search_finds_each_of_the_three_columns(app, ana):
    row = {"first_name": "Only", "last_name": "These", "email": "three@x.example"}
    with app.app_context():
        db.session.execute(sa.insert(Customer).values(**row, password=PASSWORD_HASH))
        db.session.commit()
    for text in ("only", "these", "three"):
        assert found(ana, "/customers", text) == ["three@x.example"]


def test_odd_search_finds_nothing(ana, carla, part):
    for path in ("/customers", "/inventory", "/parts"):
        for text in ("%", "_", "\\", "'", "'; DROP TABLE x; --", "🔧", "\u202e1"):
            assert found(ana, path, text) == []
        for text in ("%ED%A0%80", "%FF", "%25"):
            assert ana.get(f"{path}?search={text}").json == []
        for text in ("%00", "horn%00", "x" * 256, "x" * 60_000):
            problem(ana.get(f"{path}?search={text}"), 400, "search")


# --- Statements ---


@pytest.mark.parametrize("path", PATHS)
def test_statements_of_a_list_do_not_grow_with_its_rows(reader, statements_of, path):
    few = len(statements_of(lambda: reader.get(f"{path}?per_page=2")))
    many = len(statements_of(lambda: reader.get(f"{path}?per_page=25")))
    assert few == many <= 5


def test_statements_of_one_ticket_do_not_grow_with_what_is_on_it(reader, carla, statements_of):
    little = len(statements_of(lambda: carla.get("/service_tickets/1")))
    for number in range(3, 20):
        reader.post(f"/ticket_inventory/1/assign-inventory/{number}")
    reader.put("/service_tickets/1/edit", json={"add_ids": list(range(3, 20))})
    much = len(statements_of(lambda: carla.get("/service_tickets/1")))
    assert little == much <= 6
    mine = len(statements_of(lambda: carla.get("/customers/my-tickets?per_page=25")))
    assert mine <= 5


@pytest.mark.parametrize("path", ["/customers", "/inventory"])
def test_list_without_a_search_has_no_filter(ana, part, statements_of, path):
    def filters(address):
        statements = statements_of(lambda: ana.get(address))
        assert len(statements) >= 2
        return ["LIKE" in statement.upper() for statement in statements]

    assert not any(filters(path))
    assert filters(f"{path}?search=x").count(True) == 2  # of the page, and of the count
