"""Many callers at once, in three processes: no piece, no edit and no answer gets lost."""

import random
from collections import Counter

import pytest
from harness.servers import at_once, staffed_server
from harness.shop import PASSWORD, add_account, empty_database

pytestmark = pytest.mark.slow
CALLERS = 24
STOCK = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Three processes that keep nothing in a cache of their own."""
    settings = {
        "FLASK_RATELIMIT_ENABLED": "false",
        "FLASK_CACHE_TYPE": "NullCache",
        "FLASK_CACHE_NO_NULL_WARNING": "true",
    }
    database_url = empty_database(tmp_path_factory.mktemp("concurrency"))
    with staffed_server(database_url, workers=3, **settings) as server:
        yield server


@pytest.fixture
def call(server):
    """A function that sends a request, again while the database is busy; returns the answer."""

    def call(method, path, body=None):
        for _attempt in range(100):
            answer = server.call(method, path, body, server.token)
            if answer.status_code != 503:
                break
        assert answer.status_code < 500, answer.data
        return answer

    return call


@pytest.fixture
def tickets(server, call):
    """The ids of four tickets."""
    body = {"customer_id": server.customer_id, "vin": "VIN1", "service_desc": "Oil", "price": 50}
    return [call("POST", "/service_tickets", body).json["id"] for _ in range(4)]


@pytest.fixture
def parts(call):
    """The ids of two parts."""
    body = {"name": "washer", "price": 0.1, "quantity": STOCK}
    return [call("POST", "/inventory", body).json["id"] for _ in range(2)]


@pytest.fixture
def pieces(call):
    """A function that returns how many pieces of a part are in stock, and how many on tickets."""

    def pieces(part, tickets):
        on_tickets = Counter()
        for ticket in tickets:
            for line in call("GET", f"/service_tickets/{ticket}").json.get("parts", []):
                on_tickets[line["inventory_id"]] += line["quantity"]
        return call("GET", f"/inventory/{part}").json["quantity"], on_tickets[part]

    return pieces


def test_assign_and_remove_at_once_moves_every_piece_once(call, pieces, tickets, parts):
    def work(number):
        chance, moved = random.Random(number), Counter()
        for _ in range(6):
            ticket, part = chance.choice(tickets), chance.choice(parts)
            quantity = chance.randint(1, 3)
            path = f"/ticket_inventory/{ticket}"
            if chance.random() < 0.6:
                body = {"quantity": quantity}
                status = call("POST", f"{path}/assign-inventory/{part}", body).status_code
                assert status in (201, 409)
                moved[part] += quantity if status == 201 else 0
            else:
                path = f"{path}/remove-inventory/{part}?quantity={quantity}"
                status = call("DELETE", path).status_code
                assert status in (200, 404, 409)
                moved[part] -= quantity if status == 200 else 0
        return moved

    moved = Counter()
    for movement in at_once(CALLERS, work):
        moved.update(movement)
    assert any(moved.values())
    for part in parts:
        assert pieces(part, tickets) == (STOCK - moved[part], moved[part])


def test_last_pieces_go_to_those_who_were_first(call, pieces, tickets, parts):
    def work(number):
        path = f"/ticket_inventory/{tickets[number % 4]}/assign-inventory/{parts[0]}"
        return call("POST", path, {"quantity": 7}).status_code

    assert Counter(at_once(CALLERS, work)) == {201: STOCK // 7, 409: CALLERS - STOCK // 7}
    assert pieces(parts[0], tickets) == (STOCK % 7, STOCK - STOCK % 7)


def test_delete_a_ticket_at_once_puts_its_parts_back_once(call, pieces, tickets, parts):
    for ticket in tickets:
        path = f"/ticket_inventory/{ticket}/assign-inventory/{parts[0]}"
        call("POST", path, {"quantity": 10})

    def work(number):
        return call("DELETE", f"/service_tickets/{tickets[number % 4]}").status_code

    answers = Counter(at_once(CALLERS, work))
    assert answers[200] == len(tickets)
    assert answers.keys() <= {200, 404, 409}
    assert pieces(parts[0], []) == (STOCK, 0)


def test_register_the_same_email_at_once_has_one_winner(call):
    emails = ["eve@x.example", "EVE@x.example ", "eve@X.EXAMPLE"]
    person = {"first_name": "Eve", "last_name": "Example", "password": PASSWORD}

    def work(number):
        body = person | {"email": emails[number % 3], "phone": str(number)}
        answer = call("POST", "/customers", body)
        return answer.status_code, answer.json.get("phone")

    answers = at_once(12, work)
    assert Counter(status for status, _phone in answers) == {201: 1, 409: 11}
    (eve,) = call("GET", "/customers?search=eve@x.example").json
    assert (201, eve["phone"]) in answers


def test_edit_mechanics_of_a_ticket_at_once_keeps_every_edit(server, call, tickets):
    ids = [add_account(server.app, "mechanic", f"M{number}") for number in range(6)]
    leaving, staying = ids[:3], ids[3:]
    call("PUT", f"/service_tickets/{tickets[0]}/edit", {"add_ids": leaving})

    def work(number):
        path = f"/service_tickets/{tickets[0]}"
        if number % 2:
            return call("PUT", f"{path}/assign-mechanic/{staying[number // 2 % 3]}").status_code
        return call("PUT", f"{path}/remove-mechanic/{leaving[number // 2 % 3]}").status_code

    assert at_once(12, work) == [200] * 12
    ticket = call("GET", f"/service_tickets/{tickets[0]}").json
    assert [mechanic["id"] for mechanic in ticket["mechanics"]] == staying
