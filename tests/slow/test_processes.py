"""Four processes with four threads each, which share a database server and Redis."""

import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
import sqlalchemy as sa
from harness.servers import at_once, staffed_server
from harness.shop import empty_database

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(
        not (os.environ.get("TEST_DATABASE_URL") and os.environ.get("TEST_REDIS_URL")),
        reason="needs TEST_DATABASE_URL and TEST_REDIS_URL, which tests/with_servers.py sets",
    ),
]

LOG = "--no-control-socket --access-logfile - --access-logformat 'answered by %(p)s'"
CONNECTIONS = {
    "postgresql": "SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid != pg_backend_pid()",
    "mysql": "SELECT id FROM information_schema.processlist"
    " WHERE db = database() AND id != connection_id()",
}
WITH_TRANSACTION = {
    "postgresql": " AND state IN ('idle in transaction', 'idle in transaction (aborted)')",
    "mysql": " AND id IN (SELECT trx_mysql_thread_id FROM information_schema.innodb_trx)",
}
CLOSE = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}


def ids_of_connections(database, more=None):
    """Return the ids of all connections to the database but this one."""
    kind = database.dialect.name
    query = CONNECTIONS[kind] + (more[kind] if more else "")
    return set(database.exec_driver_sql(query).scalars())


@pytest.fixture(scope="module")
def redis_client():
    """A client of the Redis, which is empty at first."""
    with redis.from_url(os.environ["TEST_REDIS_URL"]) as client:
        client.flushdb()
        yield client


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A connection to the empty database."""
    url = empty_database(tmp_path_factory.mktemp("processes"))
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


@pytest.fixture(scope="module")
def server(database, redis_client):
    url = database.engine.url.render_as_string(hide_password=False)
    shared = {"REDIS_URL": os.environ["TEST_REDIS_URL"], "GUNICORN_CMD_ARGS": LOG}
    of_other_tests = ids_of_connections(database)
    with staffed_server(url, workers=4, threads=4, **shared) as server:
        server.connections = lambda more=None: ids_of_connections(database, more) - of_other_tests
        yield server


@pytest.fixture
def part(server):
    """The address of a part with 10 pieces."""
    body = {"name": "speaker", "price": 20, "quantity": 10}
    return server.call("POST", "/inventory", body, server.token).headers["Location"]


def processes_of(server):
    """Return the ids of the processes that have answered."""
    return set(re.findall(r"answered by <(\d+)>", server.log()))


def test_limits_hold_across_processes(server):
    login = {"email": "a@x.example"}
    logins = [server.call("POST", "/mechanics/login", login).status_code for _ in range(20)]
    assert logins == [400] * 10 + [429] * 10
    registrations = [server.call("POST", "/customers", {}).status_code for _ in range(70)]
    assert registrations == [400] * 60 + [429] * 10
    assert len(processes_of(server)) > 1


def test_read_after_a_write_is_fresh_in_every_process(server, part):
    done = threading.Event()

    def read_on(_number):
        while not done.is_set():
            server.call("GET", part)

    with ThreadPoolExecutor(4) as readers:
        reading = [readers.submit(read_on, number) for number in range(4)]
        try:
            for number in range(40):
                server.call("PATCH", part, {"quantity": number}, server.token)
                for _ in range(3):
                    assert server.call("GET", part).json["quantity"] == number
                    assert server.call("GET", "/inventory").json[-1]["quantity"] == number
        finally:
            done.set()
        for reader in reading:
            reader.result()
    assert len(processes_of(server)) == 4


# === Connections ==================================================================================


def test_1200_requests_leave_no_connection_behind(server, redis_client, part):
    job = {"customer_id": server.customer_id, "vin": "V1", "service_desc": "Oil", "price": 50}
    ticket = server.call("POST", "/service_tickets", job, server.token).headers["Location"]
    calls = [
        (200, "GET", "/inventory", None),
        (200, "GET", part, None),
        (200, "GET", ticket, None),
        (200, "PATCH", part, {"price": 21}),
        (200, "PUT", f"{ticket}/assign-mechanic/{server.mechanic_id}", None),
        (400, "POST", "/inventory", {}),
        (404, "GET", "/inventory/999999", None),
        (409, "DELETE", f"/customers/{server.customer_id}", None),
    ]

    def work(_number):
        for status, method, path, body in calls * 15:
            assert server.call(method, path, body, server.token).status_code == status

    at_once(10, work)
    assert 4 <= len(server.connections()) <= 4 * 4
    assert server.connections(WITH_TRANSACTION) == set()
    number = str(redis_client.connection_pool.connection_kwargs["db"])
    clients = [client for client in redis_client.client_list() if client["db"] == number]
    assert len(clients) <= 40  # 16 for the limits, 16 for the cache, and some of the tests


def test_connections_that_the_server_closed_are_replaced(server, database, part):
    def write(_number):
        return server.call("PATCH", part, {"price": 22}, server.token).status_code

    assert at_once(16, write) == [200] * 16
    closed = server.connections()
    assert closed
    for connection_id in closed:
        database.exec_driver_sql(CLOSE[database.dialect.name].format(connection_id))
    assert at_once(16, write) == [200] * 16
    assert server.connections().isdisjoint(closed)
