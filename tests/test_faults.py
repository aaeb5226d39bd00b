"""Redis, PostgreSQL and the shop's own processes fail while eight callers go on calling.

The Redis and the PostgreSQL that fail here are started for it, on free ports.
"""

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa
from conftest import problem, token_of
from servers import running_server
from with_servers import new_database

pytestmark = pytest.mark.slow
STOCK = 1_000_000
CUT_OFF = {"ConnectionResetError", "RemoteDisconnected", "IncompleteRead"}  # by a killed worker
LOG = "--no-control-socket --access-logfile - --access-logformat 'answered by %(p)s'"
POSTGRESQL = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)  # where Debian has it


def until(condition):
    """Wait for something to become true; fail the test if it does not."""
    for _attempt in range(1200):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("what was waited for did not happen")


def program(name):
    """Return the path of a program. Skips the test where there is none."""
    path = shutil.which(name) or shutil.which(name, path=POSTGRESQL)
    return path or pytest.skip(f"{name} is not installed")


class Instance:
    """A server of our own, which can be stopped and started again at the same address."""

    def __init__(self, answers, command, **options):
        self.answers = answers
        self.command = command
        self.options = options | {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def start(self):
        self.process = subprocess.Popen(self.command, **self.options)
        until(self.answers)

    def stop(self, signal_number=signal.SIGKILL):
        self.process.send_signal(signal_number)
        self.process.wait(60)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def own_redis(tmp_path):
    """A Redis that forgets everything when it stops."""
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0?socket_timeout=0.2"

    def answers():
        with contextlib.suppress(redis.RedisError), redis.from_url(url) as connection:
            return connection.ping()

    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    instance = Instance(answers, [program("redis-server"), *options])
    instance.url = url
    instance.start()
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def own_postgresql():
    """A PostgreSQL with its usual safety. It refuses to run as root: the user postgres does it."""
    folder = tempfile.mkdtemp()
    options = {"user": "postgres"} if os.getuid() == 0 else {}
    if options:
        shutil.chown(folder, options["user"])
    port = free_port()
    url = f"postgresql+psycopg://shop@127.0.0.1:{port}/postgres"
    engine = sa.create_engine(url, poolclass=sa.NullPool)

    def answers():
        with contextlib.suppress(sa.exc.OperationalError), engine.connect():
            return True

    make = [program("initdb"), "-D", folder, "-U", "shop", "-A", "trust"]
    subprocess.run(make, check=True, cwd=folder, stdout=subprocess.DEVNULL, **options)
    settings = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
    command = [program("postgres"), "-D", folder, "-p", str(port), *settings]
    instance = Instance(answers, command, cwd=folder, **options)
    instance.url = url
    instance.start()
    yield instance
    instance.stop(signal.SIGQUIT)
    shutil.rmtree(folder)


@pytest.fixture
def database_url(own_postgresql, monkeypatch):
    monkeypatch.setenv("TEST_POSTGRESQL_URL", own_postgresql.url)
    with new_database("postgresql") as url:
        yield url


@pytest.fixture
def redis_url(own_redis):
    return own_redis.url


@pytest.fixture
def server(app, ana, carla):
    """Four processes; a part with many pieces, and a ticket for each of four writers."""
    ana.post("/inventory", json={"name": "washer", "price": 0.1, "quantity": STOCK})
    job = {"customer_id": carla.id, "vin": "VIN1", "service_desc": "Oil", "price": 50}
    for _ in range(4):
        ana.post("/service_tickets", json=job)
    settings = {"FLASK_RATELIMIT_DEFAULT": "1000000/minute", "GUNICORN_CMD_ARGS": LOG}
    with running_server(workers=4, **settings) as server:
        server.token = token_of(app, "mechanic", ana.id)
        until(lambda: server.call("GET", "/health") and len(answering(server)) == 4)
        yield server


def answering(server):
    """Return the ids of the processes that have answered."""
    return {int(pid) for pid in re.findall(r"answered by <(\d+)>", server.log())}


def booted(server):
    """Return the ids of the processes that were started to answer."""
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
        self.threads = [threading.Thread(target=self.read) for _ in range(4)]
        self.threads += [threading.Thread(target=self.write, args=[n]) for n in range(1, 5)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.wait_for(100)
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
            self.call("GET", "/inventory/1")
            self.call("GET", "/mechanics/profile", None, self.server.token)

    def write(self, ticket_id):
        path = f"/ticket_inventory/{ticket_id}/assign-inventory/1"
        while not self.done.is_set():
            if self.call("POST", path, {"quantity": 1}, self.server.token):
                self.written[ticket_id] += 1
            else:
                with self.lock:
                    self.unclear += 1

    def wait_for(self, more, *whats):
        """Return when so many more calls were made (that ended like this)."""

        def count():
            with self.lock:
                totals = sum(self.seen.values(), Counter())
                return sum(totals[what] for what in whats) if whats else totals.total()

        goal = count() + more
        until(lambda: count() >= goal)

    def enter(self, phase):
        """Begin a phase."""
        with self.lock:
            self.phase = phase

    @property
    def outcomes(self):
        """All that the callers saw."""
        return set().union(*self.seen.values())


def check_stock(load, database_url):
    """Assert that no piece and no answered write is lost, and no more stored than was sent."""
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        stock = connection.scalar(sa.text("SELECT quantity FROM inventory"))
        query = "SELECT ticket_id, quantity FROM ticket_inventory"
        stored = Counter(dict(map(tuple, connection.execute(sa.text(query)))))
    engine.dispose()
    assert stock + stored.total() == STOCK
    assert stored >= load.written
    assert (stored - load.written).total() <= load.unclear
    assert load.server.call("GET", "/inventory/1").json["quantity"] == stock


def logins(server, email):
    """Return the statuses of calls that count against the limit of 10 for an email."""
    return [
        server.call("POST", "/mechanics/login", {"email": email}).status_code for _ in range(50)
    ]


def hits(server):
    """Return whether a second read comes from the cache."""
    answers = [server.call("GET", "/inventory/1") for _ in range(2)]
    return answers[-1].headers.get("hit_cache") == "True"


def test_redis_that_is_killed_and_comes_back_fails_no_call(server, own_redis, database_url):
    assert logins(server, "before@x.example") == [400] * 10 + [429] * 40
    with Load(server) as load:
        load.enter("away")
        own_redis.stop()
        load.wait_for(400)
        away = Counter(logins(server, "away@x.example"))
        load.enter("back")
        own_redis.start()
        load.wait_for(400)
    assert load.outcomes == {200, 201}
    assert set(away) == {400, 429}  # each process counts for itself
    assert 10 <= away[400] <= 4 * 10
    assert hits(server)
    emails = (f"back{number}@x.example" for number in range(600))
    until(lambda: logins(server, next(emails)) == [400] * 10 + [429] * 40)
    check_stock(load, database_url)


def test_redis_that_hangs_for_a_while_fails_no_call(server, own_redis, database_url):
    with Load(server) as load:
        load.enter("hanging")
        own_redis.process.send_signal(signal.SIGSTOP)
        load.wait_for(100)
        load.enter("back")
        own_redis.process.send_signal(signal.SIGCONT)
        load.wait_for(400)
    assert load.outcomes == {200, 201}
    assert hits(server)
    check_stock(load, database_url)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGQUIT], ids=["stop", "crash"])
def test_postgresql_that_restarts_loses_no_answered_write(
    server, own_postgresql, database_url, signal_number
):
    with Load(server) as load:
        load.enter("away")
        own_postgresql.stop(signal_number)
        load.wait_for(100, 503)
        assert server.call("GET", "/health").status_code == 503
        load.enter("back")
        own_postgresql.start()
        load.wait_for(400, 200, 201)
        answers = [server.call("GET", "/health").status_code for _ in range(40)]
    assert answers == [200] * 40
    assert set(load.seen["before"]) == {200, 201}
    assert load.outcomes == {200, 201, 503}
    for refusal in load.refusals:
        problem(refusal, 503)
        assert 1 <= int(refusal.headers["Retry-After"]) <= 60
    assert len(booted(server)) == 4
    check_stock(load, database_url)


def test_worker_that_is_killed_fails_only_its_own_calls(server, database_url):
    with Load(server) as load:
        load.enter("killed")
        os.kill(booted(server)[0], signal.SIGKILL)
        load.wait_for(400, 200, 201)
        until(lambda: len(booted(server)) == 5)
        load.wait_for(400, 200, 201)
    failed = load.seen["killed"].total() - load.seen["killed"][200] - load.seen["killed"][201]
    assert failed <= len(load.threads)  # each caller had one call under way
    assert load.outcomes - CUT_OFF == {200, 201}
    check_stock(load, database_url)


def test_rolling_restart_fails_no_call(server, database_url):
    old = booted(server)
    with Load(server) as load:
        load.enter("restart")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: len(booted(server)) == 8)
        until(lambda: all(f"Worker exiting (pid: {pid})" in server.log() for pid in old))
        load.enter("restarted")
        load.wait_for(400)
    assert load.outcomes == {200, 201}
    check_stock(load, database_url)
