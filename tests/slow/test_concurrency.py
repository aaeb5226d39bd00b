"""Many callers at the same moment: no piece, no edit and no answer gets lost."""

import random
from collections import Counter

import pytest
from harness.servers import at_once, staffed_server
from harness.shop import PASSWORD, add_account, empty_database

pytestmark = pytest.mark.slow
CALLERS = 32
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


def call(server, method, path, body=None):
    """Send a request again until the database is not busy, and return the answer."""
    for _attempt in range(100):
        answer = server.call(method, path, body, server.token)
        if answer.status_code != 503:
            break
        assert int(answer.headers["Retry-After"]) > 0
    assert answer.status_code < 500, answer.get_data(as_text=True)
    return answer


@pytest.fixture
def tickets(server):
    """The addresses of four tickets."""
    body = {"customer_id": server.customer_id, "vin": "VIN1", "service_desc": "Oil", "price": 50}
    return [call(server, "POST", "/service_tickets", body).headers["Location"] for _ in range(4)]


@pytest.fixture
def parts(server):
    """The ids of two parts."""
    body = {"name": "washer", "price": 0.1, "quantity": STOCK}
    return [call(server, "POST", "/inventory", body).json["id"] for _ in range(2)]


@pytest.fixture
def bert_id(server, request):
    """The id of another mechanic."""
    return add_account(server.app, "mechanic", f"Bert-{request.node.name}"[:60])


def pieces_of(server, path):
    """Return how many pieces of each part are on a ticket."""
    answer = call(server, "GET", path)
    lines = answer.json["parts"] if answer.status_code == 200 else []
    return Counter({line["inventory_id"]: line["quantity"] for line in lines})


def stock_of(server, part_id):
    return call(server, "GET", f"/inventory/{part_id}").json["quantity"]


def of_parts(ticket):
    return ticket.replace("service_tickets", "ticket_inventory")


# === Stock ========================================================================================


def test_assign_and_remove_at_once_moves_every_piece_once(server, tickets, parts):
    def work(number):
        chance, moved = random.Random(number), Counter()
        for _ in range(6):
            ticket, part = chance.choice(tickets), chance.choice(parts)
            pieces = chance.randint(1, 3)
            if chance.random() < 0.6:
                path = f"{of_parts(ticket)}/assign-inventory/{part}"
                answer = call(server, "POST", path, {"quantity": pieces})
                assert answer.status_code in (201, 409)
            else:
                path = f"{of_parts(ticket)}/remove-inventory/{part}?quantity={pieces}"
                answer = call(server, "DELETE", path)
                assert answer.status_code in (200, 404, 409)
                pieces = -pieces
            if answer.status_code < 300:
                moved[ticket, part] += pieces
        return moved

    moved = Counter()
    for movement in at_once(CALLERS, work):
        moved.update(movement)
    assert any(moved.values())
    for part in parts:
        on_tickets = 0
        for ticket in tickets:
            pieces = pieces_of(server, ticket)[part]
            assert pieces == moved[ticket, part]
            on_tickets += pieces
        assert stock_of(server, part) == STOCK - on_tickets >= 0


def test_last_pieces_go_to_those_who_were_first(server, tickets, parts):
    def work(number):
        path = f"{of_parts(tickets[number % 4])}/assign-inventory/{parts[0]}"
        return call(server, "POST", path, {"quantity": 7}).status_code

    assert Counter(at_once(CALLERS, work)) == {201: STOCK // 7, 409: CALLERS - STOCK // 7}
    assert stock_of(server, parts[0]) == STOCK % 7


def test_delete_a_ticket_at_once_puts_its_parts_back_once(server, tickets, parts):
    for ticket in tickets:
        path = f"{of_parts(ticket)}/assign-inventory/{parts[0]}"
        call(server, "POST", path, {"quantity": 10})

    def work(number):
        return call(server, "DELETE", tickets[number % 4]).status_code

    answers = at_once(CALLERS, work)
    assert Counter(answers)[200] == len(tickets)
    assert set(answers) <= {200, 404, 409}
    assert stock_of(server, parts[0]) == STOCK


def test_delete_a_part_and_assign_it_at_once_is_one_or_the_other(server, tickets, parts):
    def work(number):
        if number % 2:
            path = f"{of_parts(tickets[number % 4])}/assign-inventory/{parts[0]}"
            return "assign", call(server, "POST", path).status_code
        return "delete", call(server, "DELETE", f"/inventory/{parts[0]}").status_code

    answers = set(at_once(CALLERS, work))
    on_tickets = sum(pieces_of(server, ticket)[parts[0]] for ticket in tickets)
    if ("delete", 200) in answers:
        assert answers <= {("delete", 200), ("delete", 404), ("assign", 404), ("assign", 409)}
        assert on_tickets == 0
    else:
        assert answers == {("delete", 409), ("assign", 201)}
        assert stock_of(server, parts[0]) == STOCK - on_tickets


def test_everything_at_once_keeps_the_stock(server, tickets, parts, bert_id):
    job = {"customer_id": server.customer_id, "vin": "V2", "service_desc": "Tyres", "price": 10}
    expected = {200, 201, 404, 409}

    def work(number):
        chance = random.Random(number)
        mine = call(server, "POST", "/service_tickets", job).headers["Location"]
        for _ in range(5):
            ticket, part = chance.choice([mine, *tickets]), chance.choice(parts)
            method, path, body = chance.choice(
                [
                    ("POST", f"{of_parts(ticket)}/assign-inventory/{part}", {"quantity": 2}),
                    ("POST", f"{of_parts(ticket)}/assign-inventory/{part}", None),
                    ("DELETE", f"{of_parts(ticket)}/remove-inventory/{part}", None),
                    ("DELETE", f"{of_parts(ticket)}/remove-inventory/{part}?quantity=1", None),
                    ("PUT", f"{ticket}/edit", {"add_ids": [bert_id]}),
                    ("PUT", f"{ticket}/edit", {"remove_ids": [bert_id]}),
                    ("PATCH", ticket, {"service_desc": f"by {number}"}),
                    ("PATCH", f"/inventory/{part}", {"name": f"by {number}", "price": number}),
                    ("GET", "/service_tickets", None),
                    ("GET", "/mechanics/ranking", None),
                ]
            )
            assert call(server, method, path, body).status_code in expected
        assert call(server, "DELETE", mine).status_code == 200

    at_once(CALLERS, work)
    for part in parts:
        on_tickets = sum(pieces_of(server, ticket)[part] for ticket in tickets)
        assert stock_of(server, part) == STOCK - on_tickets


# === Records ======================================================================================


def test_register_the_same_email_at_once_has_one_winner(server):
    emails = ["eve@x.example", "EVE@x.example ", "eve@X.EXAMPLE"]
    person = {"first_name": "Eve", "last_name": "Example", "password": PASSWORD}

    def work(number):
        body = person | {"email": emails[number % 3], "phone": str(number)}
        answer = call(server, "POST", "/customers", body)
        return answer.status_code, answer.json.get("phone")

    answers = at_once(12, work)
    assert Counter(status for status, _phone in answers) == {201: 1, 409: 11}
    found = call(server, "GET", "/customers?search=eve@x.example").json
    assert [customer["phone"] for customer in found] == [
        phone for status, phone in answers if status == 201
    ]


def test_take_a_free_email_at_once_has_one_winner(server):
    ids = [add_account(server.app, "customer", f"C{number}") for number in range(4)]

    def work(number):
        path = f"/customers/{ids[number % 4]}"
        return number % 4, call(server, "PATCH", path, {"email": "boss@x.example"}).status_code

    answers = at_once(CALLERS, work)
    winners = {number for number, status in answers if status == 200}
    assert len(winners) == 1
    assert {status for number, status in answers if number not in winners} == {409}


def test_edit_mechanics_of_a_ticket_at_once_keeps_every_edit(server, tickets, bert_id):
    ids = [server.mechanic_id, bert_id]

    def work(number):
        for _ in range(3):
            path = f"{tickets[0]}/assign-mechanic/{ids[number % 2]}"
            assert call(server, "PUT", path).status_code == 200
            body = {"service_desc": f"by {number}"} if number % 2 else {"price": number}
            assert call(server, "PATCH", tickets[0], body).status_code == 200

    at_once(CALLERS, work)
    ticket = call(server, "GET", tickets[0]).json
    assert [mechanic["id"] for mechanic in ticket["mechanics"]] == ids
    assert int(ticket["service_desc"].removeprefix("by ")) % 2 == 1
    assert ticket["price"] % 2 == 0
