"""Several processes that share a database, on each engine; and the connections they keep.

A test of an engine is skipped where its server does not answer; see with_servers.py.
"""

import contextlib
import os
import re
import secrets
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
import sqlalchemy as sa
from click.testing import CliRunner
from conftest import ELSEWHERE, SECRET, calling, problem, token_of
from servers import ROOT, at_once, everything, running_server
from with_servers import SERVERS, NotThere, new_database, redis_database, server_engine

import seed
from mechanic_shop import db

on_each_engine = pytest.mark.parametrize("kind", ["sqlite", *SERVERS])
on_each_server = pytest.mark.parametrize("kind", SERVERS)
on_postgresql = pytest.mark.parametrize("kind", ["postgresql"])

STARTER = """
import os, sys
from mechanic_shop import create_app, db
print("ready", flush=True)
for url in sys.stdin:
    os.environ["DATABASE_URL"] = url.strip()
    try:
        with create_app().app_context():
            db.engine.dispose()
        print("made", flush=True)
    except Exception as error:
        print(repr(error), flush=True)
"""
GUNICORN = ["-m", "gunicorn", "mechanic_shop:create_app()", "--threads", "4", "--workers"]
LOG = "--no-control-socket --access-logfile - --access-logformat 'answered by %(p)s'"
UNLIMITED = {"FLASK_RATELIMIT_DEFAULT": "1000000/minute"}

CONNECTIONS = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE datname = :name",
    "mariadb": "SELECT id FROM information_schema.processlist WHERE db = :name",
}
CLOSE = {"postgresql": "SELECT pg_terminate_backend(:id)", "mariadb": "KILL :id"}
OPEN_TRANSACTIONS = CONNECTIONS["postgresql"] + " AND state LIKE 'idle in transaction%'"


@contextlib.contextmanager
def or_skip(server):
    """Give what a server gives; skip the test where it does not answer."""
    with contextlib.ExitStack() as closing:
        try:
            url = closing.enter_context(server)
        except NotThere as error:
            pytest.skip(str(error))
        yield url


@contextlib.contextmanager
def empty_database(kind, folder):
    """Make a database on an engine; gives its URL. Skips the test where there is no server."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/{secrets.token_hex(4)}.db"
    else:
        with or_skip(new_database(kind)) as url:
            yield url


@pytest.fixture
def kind():
    """The engine; None is the one that all other tests run on."""
    return None


@pytest.fixture
def database_url(request, kind, tmp_path):
    """The URL of an empty database on the engine that the test names."""
    if kind is None:
        yield request.getfixturevalue("database_url")
        return
    with empty_database(kind, tmp_path) as url:
        yield url


@pytest.fixture
def look(kind, database_url):
    """A function that returns the first column of what the database server knows of the shop."""
    name = sa.make_url(database_url).database

    def ask(query, **parameters):
        with server_engine(kind).connect() as connection:
            result = connection.execute(sa.text(query), {"name": name} | parameters)
            return result.scalars().all() if result.returns_rows else []

    return ask


@pytest.fixture
def shared_redis():
    """The URL of an empty Redis database."""
    with or_skip(redis_database()) as url:
        yield url


@pytest.fixture
def start(app, ana, monkeypatch, shared_redis):
    """A function that starts four processes with four threads each, for a mechanic to call."""
    monkeypatch.setattr("servers.GUNICORN", GUNICORN)
    with contextlib.ExitStack() as closing:

        def start_server(**settings):
            settings |= {"REDIS_URL": shared_redis, "GUNICORN_CMD_ARGS": LOG}
            server = closing.enter_context(running_server(workers=4, **settings))
            server.token = token_of(app, "mechanic", ana.id)
            return server

        yield start_server


def processes_of(server):
    """Return the ids of the processes that have answered."""
    return set(re.findall(r"answered by <(\d+)>", server.log()))


# --- Starting together ---


@pytest.fixture(scope="module")
def starters():
    """Four processes that open the shop on each database that they are told."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("FLASK_", "REDIS_"))}
    with contextlib.ExitStack() as closing:
        processes = []
        for _ in range(4):
            process = subprocess.Popen(
                [sys.executable, "-W", "error", "-c", STARTER],
                cwd=ROOT,
                env=variables | {"SECRET_KEY": SECRET},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            closing.enter_context(process)
            closing.callback(process.kill)
            processes.append(process)
        assert [process.stdout.readline() for process in processes] == ["ready\n"] * 4
        yield processes


def indexes_of(database_url):
    """Return the table and name of each index in a database."""
    engine = sa.create_engine(database_url)
    found = sa.MetaData()
    found.reflect(engine)
    engine.dispose()
    return {(table.name, index.name) for table in found.tables.values() for index in table.indexes}


@on_each_engine
@pytest.mark.parametrize("rounds", [1, pytest.param(10, marks=pytest.mark.slow)])
def test_processes_that_start_together_make_the_tables(starters, kind, rounds, tmp_path):
    declared = {(t.name, i.name) for t in db.metadata.sorted_tables for i in t.indexes}
    for _ in range(rounds):
        with empty_database(kind, tmp_path) as url:
            for process in starters:
                process.stdin.write(f"{url}\n")
                process.stdin.flush()
            assert [process.stdout.readline() for process in starters] == ["made\n"] * 4
            assert everything(url) == {table.name: [] for table in db.metadata.sorted_tables}
            assert indexes_of(url) >= declared


@on_each_engine
def test_sample_data_fills_each_engine(environment, kind, database_url):
    for arguments in ([], ["--reset", "--yes"]):
        result = CliRunner().invoke(seed.main, arguments)
        assert result.exit_code == 0, result.output
        rows = {table: len(rows) for table, rows in everything(database_url).items()}
        assert rows["mechanics"] == len(seed.MECHANICS)
        assert rows["customers"] == 25
        assert rows["service_tickets"] == 15
        assert rows["inventory"] == len(seed.PARTS)
        assert rows["service_mechanic"] >= 15
        assert rows["ticket_inventory"] >= 15


# --- Four processes with four threads each ---


@pytest.mark.slow
@on_postgresql
def test_limits_hold_across_processes(start, kind, part):
    server = start(FLASK_RATELIMIT_DEFAULT="40/minute")
    login = {"email": "a@x.example"}
    logins = [server.call("POST", "/mechanics/login", login).status_code for _ in range(30)]
    reads = [server.call("GET", "/inventory").status_code for _ in range(60)]
    assert logins == [400] * 10 + [429] * 20
    assert reads == [200] * 40 + [429] * 20
    assert len(processes_of(server)) > 1


@pytest.mark.slow
@on_postgresql
def test_read_after_a_write_is_fresh_in_every_process(start, kind, part):
    server = start(**UNLIMITED)
    done = threading.Event()

    def read_on(_number):
        while not done.is_set():
            server.call("GET", "/inventory/1")

    def quantity(path):
        return server.call("GET", path).json

    with ThreadPoolExecutor(4) as readers:
        reading = [readers.submit(read_on, number) for number in range(4)]
        try:
            for number in range(100):
                server.call("PATCH", "/inventory/1", {"quantity": number}, server.token)
                for _ in range(3):
                    assert quantity("/inventory/1")["quantity"] == number
                    assert quantity("/inventory")[0]["quantity"] == number
        finally:
            done.set()
        for reader in reading:
            reader.result()
    assert len(processes_of(server)) == 4


@pytest.mark.slow
@on_postgresql
def test_stock_is_exact_under_64_clients(start, kind, ana, carla, database_url):
    washers = {"name": "washer", "price": 0.1, "quantity": 200}
    part_id = ana.post("/inventory", json=washers).json["id"]
    job = {"customer_id": carla.id, "vin": "VIN1", "service_desc": "Oil", "price": 50}
    tickets = [ana.post("/service_tickets", json=job).headers["Location"] for _ in range(16)]
    server = start(**UNLIMITED)

    def assign(number):
        path = f"{tickets[number % 16]}/assign-inventory/{part_id}"
        answers = (server.call("POST", path, {"quantity": 1}, server.token) for _ in range(5))
        return Counter(answer.status_code for answer in answers)

    assert sum(at_once(64, assign), Counter()) == {201: 200, 409: 120}
    assert server.call("GET", f"/inventory/{part_id}").json["quantity"] == 0
    on_tickets = [server.call("GET", path, token=server.token).json["parts"] for path in tickets]
    assert sum(line["quantity"] for lines in on_tickets for line in lines) == 200
    assert len(processes_of(server)) == 4


# --- Connections ---


@pytest.mark.slow
@on_postgresql
def test_10000_requests_leave_no_connection_behind(
    start, app, kind, part, ticket, look, shared_redis
):
    def redis_clients():
        with redis.from_url(shared_redis) as connection:
            number = str(connection.connection_pool.connection_kwargs["db"])
            return [client["id"] for client in connection.client_list() if client["db"] == number]

    before = redis_clients()
    server = start(**UNLIMITED)
    calls = [
        (200, "GET", "/inventory", None),
        (200, "GET", "/inventory/1", None),
        (200, "GET", "/service_tickets/1", None),
        (200, "PATCH", "/inventory/1", {"price": 21}),
        (200, "PUT", "/service_tickets/1/assign-mechanic/1", None),
        (400, "POST", "/inventory", {}),
        (404, "GET", "/inventory/99", None),
        (409, "POST", "/ticket_inventory/1/assign-inventory/1", {"quantity": 999}),
    ]

    def work(_number):
        for status, method, path, body in calls * 125:
            assert server.call(method, path, body, server.token).status_code == status

    at_once(10, work)
    with app.app_context():
        db.engine.dispose()
    assert 4 <= len(look(CONNECTIONS[kind])) <= 4 * 4
    assert look(OPEN_TRANSACTIONS) == []
    assert 4 <= len(redis_clients()) - len(before) <= 4 * 4 * 2  # for the limits, for the cache


@on_each_server
def test_connections_that_the_server_closed_are_replaced(make_app, ana, kind, part, look):
    def read(_number):
        return ana.get("/mechanics/profile").status_code

    for _ in range(3):
        assert at_once(4, read) == [200] * 4
        connections = look(CONNECTIONS[kind])
        assert connections
        for connection in connections:
            look(CLOSE[kind], id=connection)
        assert at_once(4, read) == [200] * 4
        assert ana.patch("/inventory/1", json={"quantity": 3}).status_code == 200
        assert set(look(CONNECTIONS[kind])).isdisjoint(connections)


@on_postgresql
def test_refusals_leave_no_transaction_open(make_app, ana, kind, part, ticket, look):
    app = make_app()

    @app.get("/broken")
    def broken():
        """Fail with a transaction open."""
        db.session.execute(sa.select(1))
        raise RuntimeError

    caller = calling(app)
    caller.environ_base["HTTP_AUTHORIZATION"] = ana.environ_base["HTTP_AUTHORIZATION"]
    twin = {"first_name": "A", "last_name": "B", "email": ana.email, "password": "long-enough"}
    too_many = {"quantity": 999}
    assert problem(caller.post("/inventory", json={}), 400, "name", "price", "quantity")
    assert problem(caller.get("/customers/99"), 404)
    assert problem(caller.post("/mechanics", json=twin), 409)
    assert problem(caller.post("/ticket_inventory/1/assign-inventory/1", json=too_many), 409)
    assert problem(caller.delete("/customers/1"), 409)
    assert problem(caller.get("/broken"), 500)
    assert look(CONNECTIONS[kind])
    assert look(OPEN_TRANSACTIONS) == []


# --- Behind a proxy ---


def statuses_of_forwarded(app, *addresses):
    """Return the statuses of calls that a proxy passes on, for what X-Forwarded-For says."""
    proxy = calling(app, address="10.0.0.1")
    headers = [{"X-Forwarded-For": address} for address in addresses]
    return [proxy.get("/inventory", headers=header).status_code for header in headers]


def test_forwarded_address_counts_for_nothing_by_default(make_app):
    app = make_app(RATELIMIT_DEFAULT="1/minute")
    assert statuses_of_forwarded(app, ELSEWHERE, "192.0.2.1", "192.0.2.2") == [200, 429, 429]


def test_address_that_the_trusted_proxy_appended_counts(make_app, environment):
    environment.setenv("FLASK_TRUSTED_PROXIES", "1")
    app = make_app(RATELIMIT_DEFAULT="1/minute")
    assert statuses_of_forwarded(app, ELSEWHERE, ELSEWHERE, "192.0.2.1") == [200, 429, 200]
    forged = [f"192.0.2.{number}, 203.0.113.9" for number in range(3)]
    assert statuses_of_forwarded(app, *forged) == [200, 429, 429]
