"""Several processes: they are one shop, and what they do while Redis, the database or they fail.

The servers that fail here are started for it, on free ports.
"""

import contextlib
import http.client
import re
import signal
import sqlite3
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
import redis
from harness.servers import (
    NotThere,
    new_database,
    own_server,
    running_server,
    staffed_server,
    until,
)
from harness.shop import PASSWORD, problem

pytestmark = [pytest.mark.slow, pytest.mark.once]
STOCK = 1_000_000
STOP = {"postgresql": signal.SIGINT, "mariadb": signal.SIGTERM}
on_postgresql = pytest.mark.parametrize("own_database", ["postgresql"], indirect=True)
LOG = "--no-control-socket --access-logfile - --access-logformat 'answered by %(p)s'"


@contextlib.contextmanager
def own_server_or_skip(kind):
    """Run a server of our own; skip the test where it is not installed."""
    with contextlib.ExitStack() as closing:
        try:
            server = closing.enter_context(own_server(kind))
        except NotThere as error:
            pytest.skip(str(error))
        yield server


@pytest.fixture(scope="module")
def own_redis():
    with own_server_or_skip("redis") as server:
        yield server


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def own_database(request):
    with own_server_or_skip(request.param) as database:
        database.stopping = STOP[request.param]
        yield database


@pytest.fixture(scope="module")
def server(own_database, own_redis):
    """Four processes with four threads each, which share a new database and an empty Redis."""
    with redis.from_url(own_redis.url) as connection:
        connection.flushall()
    settings = {"REDIS_URL": own_redis.url, "GUNICORN_CMD_ARGS": LOG}
    with (
        new_database(own_database.url) as url,
        staffed_server(url, workers=4, threads=4, **settings) as server,
    ):
        until(lambda: server.call("GET", "/health") and processes_of(server) == 4)
        yield server


def processes_of(server):
    """Return how many processes have answered."""
    return len(set(re.findall(r"answered by <(\d+)>", server.log())))


def create(server, path, body):
    """Add a record and return its id."""
    return server.call("POST", path, body, server.token).json["id"]


@pytest.fixture
def part(server):
    """The address of a part."""
    body = {"name": "speaker", "price": 20, "quantity": 10}
    return f"/inventory/{create(server, '/inventory', body)}"


def check_reads(server, part, quantities):
    """Assert that every read after a write shows it, while others go on reading."""
    done = threading.Event()

    def read_on():
        while not done.is_set():
            assert server.call("GET", part).status_code == 200

    with ThreadPoolExecutor(4) as threads:
        readers = [threads.submit(read_on) for _ in range(4)]
        try:
            for quantity in quantities:
                server.call("PATCH", part, {"quantity": quantity}, server.token)
                for _ in range(3):
                    assert server.call("GET", part).json["quantity"] == quantity
                    assert server.call("GET", "/inventory").json[-1]["quantity"] == quantity
        finally:
            done.set()
        for reader in readers:
            reader.result()


def logins(server, email):
    """Return the statuses of calls that count against the limit of 10 for an email."""
    guess = {"email": email, "password": PASSWORD}
    return [server.call("POST", "/mechanics/login", guess).status_code for _ in range(50)]


# === One shop =====================================================================================


@on_postgresql
def test_limits_hold_across_processes(server):
    assert logins(server, "one@x.example") == [401] * 10 + [429] * 40


def test_read_after_a_write_is_fresh_in_every_process(server, part):
    check_reads(server, part, range(40))
    reads = [server.call("GET", part) for _ in range(2)]
    assert reads[-1].headers["hit_cache"] == "True"


# === Redis ========================================================================================


@on_postgresql
def test_redis_that_is_full_makes_no_read_stale(server, own_redis, part):
    reads = [server.call("GET", part) for _ in range(8)]
    assert reads[-1].headers["hit_cache"] == "True"
    with redis.from_url(own_redis.url) as connection:
        try:
            connection.config_set("maxmemory", "1")  # what is there stays, and nothing comes to it
            with pytest.raises(redis.ResponseError, match="memory"):
                connection.set("x", "y")
            check_reads(server, part, range(20, 30))
        finally:
            connection.config_set("maxmemory", "0")


@contextlib.contextmanager
def away(own_redis, how):
    """Stop Redis, or let it hang, until the block ends."""
    if how == "killed":
        own_redis.stop()
    else:
        own_redis.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        if how == "killed":
            own_redis.start()
        else:
            own_redis.process.send_signal(signal.SIGCONT)
        own_redis.wait()


@on_postgresql
@pytest.mark.parametrize("how", ["killed", "hanging"])
def test_redis_that_is_away_fails_no_call_and_limits_go_on(server, own_redis, part, how):
    with away(own_redis, how):
        check_reads(server, part, range(40, 42))
        statuses = Counter(logins(server, f"{how}@x.example"))
        assert statuses.keys() == {401, 429}  # each process counts for itself
        assert 10 <= statuses[401] <= 4 * 10
        assert "The cache does not answer" in server.log()
    emails = (f"back-{how}-{number}@x.example" for number in count())
    until(lambda: logins(server, next(emails)) == [401] * 10 + [429] * 40)
    check_reads(server, part, range(50, 52))


# === Whatever fails, no answered write is lost ====================================================


class Load:
    """Six callers who put pieces on a ticket each and read the part, until the block ends."""

    def __init__(self, server):
        job = {"customer_id": server.customer_id, "vin": "V1", "service_desc": "Oil", "price": 50}
        self.server, self.token = server, server.token
        self.part = create(server, "/inventory", {"name": "x", "price": 0.1, "quantity": STOCK})
        self.tickets = [create(server, "/service_tickets", job) for _ in range(6)]
        self.assigned = Counter()  # pieces on each ticket, as the answers say
        self.unclear = Counter()  # calls after which a piece is there or not
        self.seen = Counter()  # the statuses; 0 for a call without an answer

    def __enter__(self):
        self.done = threading.Event()
        self.threads = ThreadPoolExecutor(len(self.tickets))
        self.callers = [self.threads.submit(self.work, ticket) for ticket in self.tickets]
        return self

    def __exit__(self, *_error):
        self.done.set()
        for caller in self.callers:
            caller.result()
        self.threads.shutdown()

    def work(self, ticket):
        path = f"/ticket_inventory/{ticket}/assign-inventory/{self.part}"
        status = None
        while status != 0 and not self.done.is_set():
            status = self.call("POST", path, {"quantity": 1}, self.token)
            (self.assigned if status == 201 else self.unclear)[ticket] += 1
            self.call("GET", f"/inventory/{self.part}")

    def call(self, *request):
        """Send a request and return its status."""
        status = 0
        with contextlib.suppress(OSError, http.client.HTTPException):
            answer = self.server.call(*request)
            status = answer.status_code
        if status not in (0, 200, 201, 500):
            problem(answer, 503)
        self.seen[status] += 1
        return status

    def wait_for(self, more, status):
        """Return when so many more calls have ended with this status."""
        goal = self.seen[status] + more
        until(lambda: self.seen[status] >= goal or any(caller.done() for caller in self.callers))

    def check(self):
        """Assert that what was answered is stored, that no more is, and that no piece is gone."""
        pieces = Counter()
        for ticket in self.tickets:
            answer = self.server.call("GET", f"/service_tickets/{ticket}", token=self.token)
            pieces[ticket] = sum(line["quantity"] for line in answer.json["parts"])
            assert 0 <= pieces[ticket] - self.assigned[ticket] <= self.unclear[ticket]
        in_stock = self.server.call("GET", f"/inventory/{self.part}").json["quantity"]
        assert in_stock + pieces.total() == STOCK


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_database_that_is_away_for_a_while_loses_no_answered_write(server, own_database, how):
    with Load(server) as load:
        load.wait_for(30, 201)
        own_database.stop(own_database.stopping if how == "stopped" else own_database.ending)
        load.wait_for(30, 503)
        assert server.call("GET", "/health").status_code == 503
        own_database.start()
        own_database.wait()
        load.wait_for(60, 201)
        assert {server.call("GET", "/health").status_code for _ in range(20)} == {200}
    # A call whose answer is made when the database goes cannot end its transaction.
    assert load.seen[500] <= len(load.tickets)
    assert load.seen[0] == 0
    load.check()


def test_shop_that_is_killed_loses_no_answered_write(environment, tmp_path):
    url = f"sqlite:///{tmp_path}/killed.db"
    with staffed_server(url) as server:
        load = Load(server)
    environment.setenv("DATABASE_URL", url)
    environment.setenv("FLASK_RATELIMIT_ENABLED", "false")
    for pieces in (20, 75, 40):
        with running_server(workers=2) as load.server:
            load.check()
            with load:
                load.wait_for(pieces, 201)
                load.server.kill()
        with contextlib.closing(sqlite3.connect(tmp_path / "killed.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with running_server() as load.server:
        load.check()
    assert load.seen[500] == 0
