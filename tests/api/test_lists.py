"""The lists: a page at a time, linked to each other, searched, and in few SQL statements."""

import re

import pytest
from harness.matrix import ALIASES
from harness.resources import RESOURCES
from harness.shop import problem

PER_PAGE = 20  # unless the caller says otherwise
PATHS = [*RESOURCES, "/mechanics/ranking", "/mechanics/my-tickets", "/customers/my-tickets"]
SEARCHED = ["/customers", "/inventory", "/parts"]


@pytest.fixture
def reader(unlimited, ana, carla):
    """A function that reads a list as one who may, in a shop with five of everything.

    Each ticket is Carla's, and has Ana, another mechanic and a part on it.
    """
    for number in range(1, 6):
        for path, resource in RESOURCES.items():
            assert ana.post(path, json=resource.whole(number)).status_code == 201
        ana.put(f"/service_tickets/{number}/edit", json={"add_ids": [ana.id, number + 1]})
        ana.post(f"/ticket_inventory/{number}/assign-inventory/{number}")
    return lambda path: (carla if path.startswith("/customers/my") else ana).get(path)


def links(response):
    found = re.findall(r'<([^>]*)>; rel="(\w+)"', response.headers["Link"])
    return {relation: target for target, relation in found}


@pytest.mark.parametrize("path", PATHS)
def test_links_lead_to_every_record_once(reader, path):
    def follow(path, relation):
        """Return the pages that the links of this relation lead to, one after the other."""
        pages = []
        while path:
            response = reader(path)
            assert response.headers["X-Total-Count"] == str(len(everything))
            pages.append(response.json)
            path = links(response).get(relation)
        return pages

    everything = reader(f"{path}?per_page=100").json
    assert len(everything) >= 5
    forward = follow(f"{path}?page=1&per_page=2", "next")
    assert sum(forward, []) == everything
    ends = links(reader(f"{path}?page=2&per_page=2"))
    assert ends["first"] == f"{path}?page=1&per_page=2"
    assert ends["last"] == f"{path}?page={len(forward)}&per_page=2"
    assert follow(ends["last"], "prev") == forward[::-1]


def test_a_page_has_20_records_unless_told_otherwise(reader, ana):
    for number in range(PER_PAGE):
        ana.post("/inventory", json=RESOURCES["/inventory"].whole(number))
    assert len(reader("/inventory").json) == PER_PAGE
    assert len(reader("/inventory?per_page=100").json) == PER_PAGE + 5
    for path in PATHS:
        assert links(reader(path))["first"] == f"{path}?page=1&per_page={PER_PAGE}"


def test_links_are_relative_and_keep_the_parameters_that_the_list_knows(reader, ana):
    response = ana.get("/customers?search=eve&x=1&per_page=1&page=2", base_url="http://a.example")
    target = "/customers?page={}&per_page=1&search=eve"
    pages = {"first": 1, "prev": 1, "next": 3, "last": 5}
    assert links(response) == {name: target.format(page) for name, page in pages.items()}
    of_carla = ana.get("/service-tickets?customer_id=1&per_page=2&search=x")
    assert links(of_carla)["next"] == "/service-tickets?page=2&per_page=2&customer_id=1"
    odd = ana.get("/inventory", query_string={"per_page": 1, "search": 'a&page=9>; rel="next" é'})
    quoted = "&search=a%26page%3D9%3E%3B+rel%3D%22next%22+%C3%A9"
    assert links(odd)["first"] == f"/inventory?page=1&per_page=1{quoted}"


def test_page_past_the_end_is_empty_and_leads_back(reader, ana):
    for query, total, last in [("page=1000000", 5, 3), ("page=2&search=nothing", 0, 1)]:
        response = ana.get(f"/inventory?per_page=2&{query}")
        assert (response.json, response.headers["X-Total-Count"]) == ([], str(total))
        assert "next" not in links(response)
        assert links(response)["last"].startswith(f"/inventory?page={last}&")


ODD_NUMBERS = ["", "%20", "null", "1.5", "1e3", "NaN", "9" * 30, "9" * 5000, "0x1", "%00"]
ODD_NUMBERS += ["1000000000", "2147483648", "1%00", "%FF", "🔧", "'%20OR%20'1'='1", "[]"]


@pytest.mark.parametrize("path", [*PATHS, *ALIASES["/inventory"], *ALIASES["/service_tickets"]])
def test_odd_number_is_refused_where_it_is_known(unlimited, ana, carla, path):
    client = carla if path.startswith("/customers/my") else ana
    known = ["page", "per_page"]
    known += ["customer_id"] if path in ("/service_tickets", "/service-tickets") else []
    for value in ODD_NUMBERS:
        query = "&".join(f"{name}={value}" for name in known)
        problem(client.get(f"{path}?{query}"), 400, *known)
    for query in ("page=-1", "page=0", "page=1000001", "per_page=0", "per_page=101"):
        problem(client.get(f"{path}?{query}"), 400, query.partition("=")[0])
    for query in ("x=1", "&&&=", "%00=%00", "page[]=2", "a=" + "&a=" * 5000, "quantity=x"):
        assert client.get(f"{path}?{query}").json == client.get(path).json


# --- Searching ---


def found(client, path, text):
    response = client.get(path, query_string={"search": text})
    assert response.status_code == 200
    assert response.headers["X-Total-Count"] == str(len(response.json))
    return [record.get("name") or record["email"] for record in response.json]


def test_search_parts_by_a_piece_of_the_name(ana):
    for name in ("100% wool mat", "100 bolts", "snake_case badge", "SnakeXcase", "back\\slash"):
        ana.post("/inventory", json={"name": name, "price": 1})
    for text, names in [
        ("100%", ["100% wool mat"]),
        ("%", ["100% wool mat"]),
        ("snake_case", ["snake_case badge"]),
        ("SNAKE", ["snake_case badge", "SnakeXcase"]),
        ("k\\s", ["back\\slash"]),
        (" bolts ", ["100 bolts"]),
        ("' OR 1=1 --", []),
    ]:
        assert found(ana, "/inventory", text) == names
    for text in ("", "  "):
        assert len(found(ana, "/inventory", text)) == 5


def test_search_customers_within_the_first_name_the_last_name_or_the_email(ana, carla, dave):
    carla.patch("/customers/1", json={"last_name": "Novak"})
    for text, customers in [
        ("ARL", [carla]),
        ("ovA", [carla]),
        ("avE@Cust", [dave]),
        ("xampl", [carla, dave]),  # of both emails
        ("EXAMPLE", [carla, dave]),
        *((across, []) for across in ("a n", "carla novak", "carlanovak", "novak carla")),
    ]:
        assert found(ana, "/customers", text) == [customer.email for customer in customers], text


@pytest.mark.parametrize("path", SEARCHED)
def test_odd_search_finds_nothing(ana, carla, part, path):
    for text in ("%", "_", "\\", "'", "'; DROP TABLE x; --", "🔧", "\u202e1", "x" * 255):
        assert found(ana, path, text) == []
    for text in ("%ED%A0%80", "%FF"):
        assert ana.get(f"{path}?search={text}").json == []
    assert ana.get(f"{path}?search=%00").status_code in (200, 400)  # some databases refuse it
    problem(ana.get(f"{path}?search={'x' * 256}"), 400, "search")


# --- Statements ---


@pytest.mark.parametrize("path", PATHS)
def test_statements_of_a_list_do_not_grow_with_its_rows(reader, statements_of, path):
    few = statements_of(lambda: reader(f"{path}?per_page=1"))
    many = statements_of(lambda: reader(f"{path}?per_page=5"))
    assert len(few) == len(many)


@pytest.mark.parametrize("path", SEARCHED)
def test_list_without_a_search_has_no_filter(ana, part, statements_of, path):
    def filters(query):
        statements = statements_of(lambda: ana.get(path + query))
        return [statement for statement in statements if "LIKE" in statement.upper()]

    assert filters("?search=x")
    assert not filters("?page=2")
