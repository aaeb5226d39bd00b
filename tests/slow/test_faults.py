"""Redis, the database and the shop's own processes fail while eight callers go on calling.

The servers that fail here are started for it, on free ports.
"""

import contextlib
import http.client
import os
import re
import signal
import threading
from collections import Counter, defaultdict
from itertools import count

import pytest
import sqlalchemy as sa
from harness.servers import NotThere, new_database, own_server, staffed_server, until
from harness.shop import problem

pytestmark = pytest.mark.slow
STOCK = 1_000_000
CUT_OFF = {"ConnectionResetError", "RemoteDisconnected", "IncompleteRead"}  # by a killed worker
LOG = "--no-control-socket --access-logfile - --access-logformat 'answered by %(p)s'"
SIGNALS = {
    ("postgresql", "stop"): signal.SIGINT,
    ("postgresql", "crash"): signal.SIGQUIT,
    ("mariadb", "stop"): signal.SIGTERM,
    ("mariadb", "crash"): signal.SIGKILL,
}
on_postgresql = pytest.mark.parametrize("own_database", ["postgresql"], indirect=True)


@contextlib.contextmanager
def own_server_or_skip(kind):
    """Run a server of our own; skip the test where it is not installed."""
    with contextlib.ExitStack() as closing:
        try:
            server = closing.enter_context(own_server(kind))
        except NotThere as error:
            pytest.skip(str(error))
        server.kind = kind
        yield server


@pytest.fixture(scope="module")
def own_redis():
    with own_server_or_skip("redis") as redis:
        yield redis


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def own_database(request):
    with own_server_or_skip(request.param) as database:
        yield database


@pytest.fixture(scope="module")
def server(own_database, own_redis):
    """Four processes that share a database and Redis."""
    settings = {"REDIS_URL": own_redis.url, "GUNICORN_CMD_ARGS": LOG}
    with (
        new_database(own_database.url) as url,
        staffed_server(url, workers=4, **settings) as server,
    ):
        server.database_url = url
        until(lambda: server.call("GET", "/health") and len(answering(server)) == 4)
        yield server


def answering(server):
    """Return the ids of the processes that have answered."""
    return {int(pid) for pid in re.findall(r"answered by <(\d+)>", server.log())}


def booted(server):
    """Return the ids of the processes that were started to answer, in order."""
    return [int(pid) for pid in re.findall(r"Booting worker with pid: (\d+)", server.log())]


class Load:
    """Four readers and four writers who go on calling, and what they saw in each phase."""

    def __init__(self, server):
        self.server = server
        self.phase = "before"
        self.seen = defaultdict(Counter)
        self.refusals = []
        self.written = Counter()  # pieces on each ticket, as the answers say
        self.unclear = 0  # writes that may be stored or not: the answer was no 201
        self.lock = threading.Lock()
        self.done = threading.Event()
        job = {"customer_id": server.customer_id, "vin": "V1", "service_desc": "Oil", "price": 50}
        self.part = self.create("/inventory", {"name": "x", "price": 0.1, "quantity": STOCK})
        self.tickets = [self.create("/service_tickets", job) for _ in range(4)]
        self.threads = [threading.Thread(target=self.read) for _ in range(4)]
        self.threads += [threading.Thread(target=self.write, args=[id]) for id in self.tickets]

    def create(self, path, body):
        """Add a record and return its id."""
        return self.server.call("POST", path, body, self.server.token).json["id"]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.wait_for(50)
        return self

    def __exit__(self, *_error):
        self.done.set()
        for thread in self.threads:
            thread.join()
        for phase, seen in self.seen.items():
            print(f"{phase}: {dict(seen)}")

    def call(self, *request):
        """Send a request, note what became of it in the phase it ended in; return whether done."""
        try:
            answer = self.server.call(*request)
            what = answer.status_code
        except (OSError, http.client.HTTPException) as error:
            answer, what = None, type(error).__name__
        with self.lock:
            self.seen[self.phase][what] += 1
            if what == 503:
                self.refusals.append(answer)
        return what in (200, 201)

    def read(self):
        while not self.done.is_set():
            self.call("GET", f"/inventory/{self.part}")
            self.call("GET", "/mechanics/profile", None, self.server.token)

    def write(self, ticket_id):
        path = f"/ticket_inventory/{ticket_id}/assign-inventory/{self.part}"
        while not self.done.is_set():
            if self.call("POST", path, {"quantity": 1}, self.server.token):
                self.written[ticket_id] += 1
            else:
                with self.lock:
                    self.unclear += 1

    def wait_for(self, more, *whats):
        """Return when so many more calls were made (that ended like this)."""

        def count_calls():
            with self.lock:
                totals = sum(self.seen.values(), Counter())
                return sum(totals[what] for what in whats) if whats else totals.total()

        goal = count_calls() + more
        until(lambda: count_calls() >= goal)

    def enter(self, phase):
        """Begin a phase."""
        with self.lock:
            self.phase = phase

    @property
    def outcomes(self):
        """All that the callers saw."""
        return set().union(*self.seen.values())


def check_stock(load):
    """Assert that no piece and no answered write is lost, and no more stored than was sent."""
    engine = sa.create_engine(load.server.database_url)
    with engine.connect() as connection:
        query = f"SELECT quantity FROM inventory WHERE id = {load.part}"
        stock = connection.scalar(sa.text(query))
        query = f"SELECT ticket_id, quantity FROM ticket_inventory WHERE inventory_id = {load.part}"
        stored = Counter(dict(map(tuple, connection.execute(sa.text(query)))))
    engine.dispose()
    assert stock + stored.total() == STOCK
    assert stored >= load.written
    assert (stored - load.written).total() <= load.unclear
    assert load.server.call("GET", f"/inventory/{load.part}").json["quantity"] == stock


# === Redis ========================================================================================


def logins(server, email):
    """Return the statuses of calls that count against the limit of 10 for an email."""
    return [
        server.call("POST", "/mechanics/login", {"email": email}).status_code for _ in range(50)
    ]


def hits(load):
    """Return whether a second read comes from the cache."""
    answers = [load.server.call("GET", f"/inventory/{load.part}") for _ in range(2)]
    return answers[-1].headers.get("hit_cache") == "True"


@on_postgresql
def test_redis_that_is_killed_and_comes_back_fails_no_call(server, own_redis):
    assert logins(server, "before@x.example") == [400] * 10 + [429] * 40
    with Load(server) as load:
        load.enter("away")
        own_redis.stop()
        load.wait_for(200)
        away = Counter(logins(server, "away@x.example"))
        load.enter("back")
        own_redis.start()
        own_redis.wait()
        load.wait_for(200)
    assert load.outcomes == {200, 201}
    assert set(away) == {400, 429}  # each process counts for itself
    assert 10 <= away[400] <= 4 * 10
    assert hits(load)
    emails = (f"back{number}@x.example" for number in count())
    until(lambda: logins(server, next(emails)) == [400] * 10 + [429] * 40)
    check_stock(load)


@on_postgresql
def test_redis_that_hangs_for_a_while_fails_no_call(server, own_redis):
    with Load(server) as load:
        load.enter("hanging")
        own_redis.process.send_signal(signal.SIGSTOP)
        load.wait_for(60)
        load.enter("back")
        own_redis.process.send_signal(signal.SIGCONT)
        load.wait_for(200)
    assert load.outcomes == {200, 201}
    assert hits(load)
    check_stock(load)


# === The database =================================================================================


@pytest.mark.parametrize("how", ["stop", "crash"])
def test_database_that_restarts_loses_no_answered_write(server, own_database, how):
    workers = booted(server)
    with Load(server) as load:
        load.enter("away")
        own_database.stop(SIGNALS[own_database.kind, how])
        load.wait_for(60, 503)
        assert server.call("GET", "/health").status_code == 503
        load.enter("back")
        own_database.start()
        own_database.wait()
        load.wait_for(200, 200, 201)
        answers = [server.call("GET", "/health").status_code for _ in range(40)]
    assert answers == [200] * 40
    assert set(load.seen["before"]) == {200, 201}
    assert load.outcomes == {200, 201, 503}
    for refusal in load.refusals:
        problem(refusal, 503)
        assert 1 <= int(refusal.headers["Retry-After"]) <= 60
    assert booted(server) == workers, "no process had to be replaced"
    check_stock(load)


# === The processes ================================================================================


@on_postgresql
def test_worker_that_is_killed_fails_only_its_own_calls(server):
    workers = booted(server)
    with Load(server) as load:
        load.enter("killed")
        os.kill(workers[-4], signal.SIGKILL)  # the oldest
        load.wait_for(100, 200, 201)
        until(lambda: len(booted(server)) == len(workers) + 1)
        load.wait_for(200, 200, 201)
    failed = load.seen["killed"].total() - load.seen["killed"][200] - load.seen["killed"][201]
    assert failed <= len(load.threads)  # each caller had one call under way
    assert load.outcomes - CUT_OFF == {200, 201}
    check_stock(load)


@on_postgresql
def test_rolling_restart_fails_no_call(server):
    old = booted(server)
    with Load(server) as load:
        load.enter("restart")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: len(booted(server)) == len(old) + 4)
        until(lambda: all(f"Worker exiting (pid: {pid})" in server.log() for pid in old[-4:]))
        load.enter("restarted")
        load.wait_for(100)
    assert load.outcomes == {200, 201}
    check_stock(load)
