"""A server that is killed, a disk that is full, a database that cannot be written."""

import http.client
import itertools
import random
import sqlite3
import threading

import pytest
import sqlalchemy as sa
from harness.servers import everything, running_server, until
from harness.shop import PASSWORD, calling, problem

from mechanic_shop import db

WRITERS = 6


@pytest.fixture
def database_file(tmp_path):
    return tmp_path / "shop.db"


@pytest.fixture
def database_url(database_file):
    return f"sqlite:///{database_file}"


def check(database_file):
    """Assert that the database itself finds nothing wrong."""
    with sqlite3.connect(database_file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


class Writer:
    """Writes to a ticket of its own, and knows what must be stored, or may be, after a crash."""

    def __init__(self, number, token, customer_id, part_id):
        self.random = random.Random(number)
        self.token = token
        self.part_id = part_id
        self.job = {"customer_id": customer_id, "vin": f"VIN{number}", "price": 10}
        self.names = (f"note {number}-{n}" for n in itertools.count())
        self.answered = {"note": None, "pieces": 0, "tickets": frozenset()}
        self.maybe = None
        self.writes = 0

    def open(self, server):
        """Open the ticket that the writer works on."""
        answer = server.call(
            "POST", "/service_tickets", self.job | {"service_desc": "new"}, self.token
        )
        self.path = answer.headers["Location"]
        self.answered["note"] = "new"

    def next_write(self):
        """Return a request and what is stored after it."""
        stored, name = self.answered, next(self.names)
        parts = self.path.replace("service_tickets", "ticket_inventory")
        quantity = self.random.randint(1, 3)
        writes = [
            ("PATCH", self.path, {"service_desc": name}, {"note": name}),
            (
                "POST",
                f"{parts}/assign-inventory/{self.part_id}",
                {"quantity": quantity},
                {"pieces": stored["pieces"] + quantity},
            ),
            (
                "POST",
                "/service_tickets",
                self.job | {"service_desc": name},
                {"tickets": stored["tickets"] | {name}},
            ),
        ]
        if stored["pieces"]:
            path = f"{parts}/remove-inventory/{self.part_id}?quantity=1"
            writes.append(("DELETE", path, None, {"pieces": stored["pieces"] - 1}))
        method, path, body, change = self.random.choice(writes)
        return (method, path, body), stored | change

    def work(self, server):
        """Write until the server is gone."""
        while True:
            request, stored = self.next_write()
            self.maybe = stored
            try:
                answer = server.call(*request, token=self.token)
            except (OSError, http.client.HTTPException):
                return
            if answer.status_code < 300:
                self.answered = stored
                self.writes += 1
            else:
                assert answer.status_code == 503, answer.get_data(as_text=True)
            self.maybe = None

    def look(self, server):
        """Return what a server says is stored."""
        ticket = server.call("GET", self.path, token=self.token).json
        descriptions = set()
        for page in itertools.count(1):
            path = f"/service_tickets?per_page=100&page={page}"
            tickets = server.call("GET", path, token=self.token).json
            if not tickets:
                break
            mine = [found for found in tickets if found["vin"] == self.job["vin"]]
            descriptions |= {found["service_desc"] for found in mine if found["id"] != ticket["id"]}
        pieces = sum(line["quantity"] for line in ticket["parts"])
        return {
            "note": ticket["service_desc"],
            "pieces": pieces,
            "tickets": frozenset(descriptions),
        }


@pytest.mark.slow
def test_kill_in_the_middle_of_writes_loses_nothing_that_was_answered(
    app, ana, carla, database_file
):
    stock = 100_000
    body = {"name": "washer", "price": 0.1, "quantity": stock}
    part = ana.post("/inventory", json=body).json
    writers = [Writer(number, ana.token, carla.id, part["id"]) for number in range(WRITERS)]
    chance = random.Random(1)
    for kills in range(4):
        with running_server(workers=2, FLASK_RATELIMIT_ENABLED="false") as server:
            for writer in writers:
                if kills == 0:
                    writer.open(server)
                else:
                    stored = writer.look(server)
                    assert stored in (writer.answered, writer.maybe or writer.answered)
                    writer.answered, writer.maybe = stored, None
            left = server.call("GET", f"/inventory/{part['id']}").json["quantity"]
            assert left + sum(writer.answered["pieces"] for writer in writers) == stock
            enough = sum(writer.writes for writer in writers) + chance.randint(5, 60)
            threads = [threading.Thread(target=writer.work, args=[server]) for writer in writers]
            for thread in threads:
                thread.start()
            until(lambda enough=enough: sum(writer.writes for writer in writers) >= enough)
            server.kill()
            for thread in threads:
                thread.join()
        check(database_file)


def fill(app):
    """Let the database take no more room."""
    with app.app_context():
        db.engine.dispose()
        sa.event.listen(db.engine, "connect", stop_growing)


def make_room(app):
    with app.app_context():
        sa.event.remove(db.engine, "connect", stop_growing)
        db.engine.dispose()


def stop_growing(connection, _record):
    connection.execute("PRAGMA max_page_count = 1")  # not less than there are


def refused(response):
    """Assert that the database could not store something, and that the answer says so."""
    problem(response, 503)
    assert int(response.headers["Retry-After"]) > 0
    return True


READS = ["/health", "/inventory", "/inventory/1", "/customers", "/customers/1", "/mechanics"]
READS += ["/mechanics/profile", "/mechanics/ranking", "/service_tickets", "/service_tickets/1"]


def reads(client):
    """Return what a client reads everywhere."""
    responses = [client.get(path) for path in READS]
    assert {response.status_code for response in responses} == {200}
    return [response.json for response in responses]


def test_full_disk_refuses_writes_and_goes_on_reading(app, ana, part, ticket, database_url):
    ana.post("/service_tickets/1/assign-inventory/1", json={"quantity": 2})
    fill(app)
    long = {"name": "x" * 255, "price": 1, "quantity": 1}
    answers = [ana.post("/inventory", json=long) for _ in range(40)]
    assert refused(answers[-1])
    stored = [answer.json["id"] for answer in answers if answer.status_code == 201]
    before = everything(database_url)
    assert len(before["inventory"]) == 1 + len(stored)
    wide = {"customer_id": 1, "vin": "1", "service_desc": "é" * 500, "price": 1}
    writes = [ana.post("/service_tickets", json=wide) for _ in range(10)]
    assert refused(writes[-1])
    read = reads(ana)
    make_room(app)
    assert reads(ana) == read
    assert ana.post("/inventory", json=long).status_code == 201
    assert ana.delete("/service_tickets/1").status_code == 200
    assert ana.get("/inventory/1").json["quantity"] == 10


def test_read_only_database_refuses_writes_and_goes_on_reading(
    make_app, app, ana, carla, part, ticket, database_file, database_url
):
    ana.put("/service_tickets/1/assign-mechanic/1")
    ana.post("/service_tickets/1/assign-inventory/1", json={"quantity": 2})
    before, read = everything(database_url), reads(ana)
    url = f"sqlite:///file:{database_file}?mode=ro&uri=true"
    closed = make_app(SQLALCHEMY_DATABASE_URI=url)
    mechanic = calling(closed, ana.token)
    person = {"first_name": "Eve", "last_name": "E", "email": "e@x.example", "password": PASSWORD}
    horn = {"name": "horn", "price": 1, "quantity": 1}
    job = {"customer_id": 1, "vin": "1", "service_desc": "Oil", "price": 1}
    for method, path, body in [
        ("POST", "/customers", person),
        ("PATCH", "/customers/1", {"phone": "1"}),
        ("POST", "/mechanics", person),
        ("PATCH", "/mechanics/1", {"salary": 1}),
        ("POST", "/service_tickets", job),
        ("PUT", "/service_tickets/1", job),
        ("DELETE", "/service_tickets/1", None),
        ("PUT", "/service_tickets/1/remove-mechanic/1", None),
        ("PUT", "/service_tickets/1/edit", {"remove_ids": [1]}),
        ("POST", "/service_tickets/1/assign-inventory/1", None),
        ("DELETE", "/service_tickets/1/remove-inventory/1", None),
        ("POST", "/inventory", horn),
        ("PUT", "/inventory/1", horn),
    ]:
        sent = {} if body is None else {"json": body}
        assert refused(mechanic.open(path, method=method, **sent)), path
    assert reads(mechanic) == read
    login = {"email": carla.email, "password": PASSWORD}
    assert mechanic.post("/customers/login", json=login).status_code == 200
    assert everything(database_url) == before


def test_missing_database_is_away_and_not_a_failure(app, ana, tmp_path):
    with app.app_context():
        db.engine.dispose()
    (tmp_path / "shop.db").rename(tmp_path / "moved.db")
    (tmp_path / "shop.db").mkdir()
    for path in ("/health", "/inventory", "/mechanics", "/service_tickets"):
        assert refused(ana.get(path))
    (tmp_path / "shop.db").rmdir()
    (tmp_path / "moved.db").rename(tmp_path / "shop.db")
    assert ana.get("/health").status_code == 200
    assert ana.get("/mechanics/profile").json["id"] == ana.id


def test_locked_database_is_busy_and_not_a_failure(make_app, environment, database_file):
    environment.setenv("DATABASE_URL", f"sqlite:///{database_file}?timeout=0.2")
    client = calling(make_app(RATELIMIT_ENABLED=False))
    person = {"first_name": "Eve", "last_name": "E", "email": "e@x.example", "password": PASSWORD}
    with sqlite3.connect(database_file) as other:
        other.execute("BEGIN IMMEDIATE")
        assert refused(client.post("/customers", json=person))
        assert client.get("/inventory").status_code == 200
        other.rollback()
    other.close()
    assert client.post("/customers", json=person).status_code == 201
