"""The fixtures: a shop with an empty database, the people who call it, records, and a held call.

The database is a SQLite file, or that which TEST_DATABASE_URL names. TEST_REDIS_URL names a Redis
for rate limits and cache. Both are emptied, so the database on a server must have a name that
begins with shop_test. With TEST_NO_SKIP=1 a test that would be skipped fails instead.
"""

import os
import re
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import redis
import sqlalchemy as sa
from harness import shop
from harness.shop import SECRET, caller, calling, open_shop

from mechanic_shop import cache, db, limiter


@sa.event.listens_for(sa.Engine, "connect")
def prepare_sqlite_for_tests(connection, _record):
    """Let SQLite write without waiting for the disk, and return rows in an unusual order.

    No test unplugs the machine. A query without ORDER BY shows itself when its order is reversed.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA reverse_unordered_selects = ON")


def pytest_configure():
    """Refuse a database whose name does not say that the tests may empty it."""
    url = os.environ.get("TEST_DATABASE_URL")
    if url and not str(sa.make_url(url).database).startswith("shop_test"):
        raise pytest.UsageError(
            "The tests delete all tables of the database that TEST_DATABASE_URL names, so its "
            "name must begin with shop_test."
        )


def pytest_xdist_auto_num_workers():
    """Run one test after the other where all share a server's database."""
    return 0 if os.environ.get("TEST_DATABASE_URL") else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """With TEST_NO_SKIP=1, let a skipped test fail."""
    report = yield
    if report.skipped and os.environ.get("TEST_NO_SKIP") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which TEST_NO_SKIP forbids: {report.longrepr}"
    return report


# === The shop =====================================================================================


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """What the tests of a process share: a database, and the app that was opened on it."""
    url = shop.empty_database(tmp_path_factory.mktemp("shop"))
    shared = SimpleNamespace(engine=sa.create_engine(url), app=None)
    yield shared
    shared.engine.dispose()
    if shared.app:
        shop.close(shared.app)


@pytest.fixture
def database_url(shared):
    """The URL of a database with empty tables."""
    found = set(sa.inspect(shared.engine).get_table_names()) - {"sqlite_sequence"}
    if found == set(db.metadata.tables):
        shop.delete_rows(shared.engine)
    else:
        shop.drop_tables(shared.engine)
        db.metadata.create_all(shared.engine)
    return shared.engine.url.render_as_string(hide_password=False)


@pytest.fixture
def redis_url():
    """The URL of an empty Redis database, or None."""
    url = os.environ.get("TEST_REDIS_URL")
    if url:
        with redis.from_url(url) as connection:
            connection.flushdb()
    return url


@pytest.fixture
def environment(monkeypatch, database_url, redis_url):
    """The environment of a shop, for this process and for those that it starts."""
    for variable in list(os.environ):
        if re.match("FLASK_|SQLALCHEMY_|(REDIS_URL|HOST|PORT)$", variable):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SECRET_KEY", SECRET)
    if redis_url:
        monkeypatch.setenv("REDIS_URL", redis_url)
    return monkeypatch


@pytest.fixture
def make_app(environment):
    """A function that opens the shop with these settings; all are closed after the test."""
    apps = []

    def make(**settings):
        apps.append(open_shop(**settings))
        return apps[-1]

    yield make
    for app in apps:
        shop.close(app)


@pytest.fixture
def app(shared, environment):
    """The shop with its default settings.

    Tests share it until one opens another: limiter and cache belong to the one opened last.
    """
    if not (shared.app and cache.app is shared.app and limiter.enabled):
        if shared.app:
            shop.close(shared.app)
        shared.app = open_shop()
    with shared.app.app_context():
        cache.clear()
        limiter.reset()
    return shared.app


@pytest.fixture
def unlimited(app, monkeypatch):
    """Turn the rate limits off."""
    monkeypatch.setattr(limiter, "enabled", False)


# === People and records ===========================================================================


@pytest.fixture
def anyone(app):
    """Somebody who has not logged in."""
    return calling(app)


def person(role, first_name):
    """Return a fixture: a caller with this role and name, who has logged in."""

    @pytest.fixture
    def logged_in(app):
        return caller(app, role, first_name)

    return logged_in


ana = person("mechanic", "Ana")
bert = person("mechanic", "Bert")
carla = person("customer", "Carla")
dave = person("customer", "Dave")


@pytest.fixture
def part(ana):
    """A part with 10 pieces in stock."""
    return ana.post("/inventory", json={"name": "speaker", "price": 20, "quantity": 10}).json


@pytest.fixture
def ticket(ana, carla):
    """Carla's ticket, with nobody and nothing on it."""
    body = {"customer_id": carla.id, "vin": "1HGCM82633A004352", "service_desc": "Oil", "price": 50}
    return ana.post("/service_tickets", json=body).json


@pytest.fixture
def full_ticket(ana, part, ticket):
    """Carla's ticket, with Ana and two of the ten pieces on it."""
    ana.put("/service_tickets/1/assign-mechanic/1")
    ana.post("/ticket_inventory/1/assign-inventory/1", json={"quantity": 2})
    return ana.get("/service_tickets/1").json


# === The database, watched ========================================================================


@pytest.fixture
def statements_of(app):
    """A function that returns the SQL statements that a call sends."""

    def statements_of(call):
        statements = []

        def note(_connection, _cursor, statement, *_rest):
            statements.append(statement)

        with app.app_context():
            engine = db.engine
        sa.event.listen(engine, "before_cursor_execute", note)
        response = call()
        sa.event.remove(engine, "before_cursor_execute", note)
        assert response.status_code < 400, response.text
        return statements

    return statements_of


@pytest.fixture
def hold(app):
    """A function that makes a call in a thread and holds it at an SQL statement meanwhile.

    It takes the call, the event ("before_cursor_execute", "after_cursor_execute", or "rollback",
    with "" as text), a part of the statement, and what happens while the call is held; it returns
    what the call answers.
    """

    def run_held(call, event, text, meanwhile):
        held, go_on = threading.Event(), threading.Event()

        def wait(_connection, _cursor=None, statement="", *_rest):
            if threading.current_thread().name.startswith("held") and text in statement:
                held.set()
                assert go_on.wait(20)

        with app.app_context():
            engine = db.engine
        sa.event.listen(engine, event, wait)
        with ThreadPoolExecutor(1, thread_name_prefix="held") as threads:
            answer = threads.submit(call)
            try:
                assert held.wait(20), "the call never came to this statement"
                meanwhile()
            finally:
                go_on.set()
        sa.event.remove(engine, event, wait)
        return answer.result()

    return run_held
