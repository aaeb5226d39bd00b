"""The shop under test, and the people who call it.

Each test begins with an empty database: a SQLite file, or the server that TEST_DATABASE_URL
names. TEST_REDIS_URL names a Redis for rate limits and cache. Both are emptied, so the database
on a server must have a name that begins with shop_test. With TEST_NO_SKIP=1 a test that would be
skipped fails instead.
"""

import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from werkzeug.security import generate_password_hash

# Hash passwords in a thirtieth of the usual time, from the module's own first hash on.
USUAL_COST = generate_password_hash.__defaults__
generate_password_hash.__defaults__ = ("scrypt:1024:8:1", 16)

import mechanic_shop  # noqa: E402
from mechanic_shop import Customer, Mechanic, cache, db, encode_token, limiter  # noqa: E402

PASSWORD = "correct-horse"
PASSWORD_HASH = generate_password_hash(PASSWORD)
SECRET = "a secret that only the tests know, 40 b."
ELSEWHERE = "198.51.100.7"
MODELS = {"customer": Customer, "mechanic": Mechanic}


@sa.event.listens_for(sa.Engine, "connect")
def do_not_wait_for_the_disk(connection, _record):
    """Let SQLite write without waiting for the disk: no test unplugs the machine."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


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
def pytest_runtest_makereport(item, call):
    report = yield
    if report.skipped and os.environ.get("TEST_NO_SKIP") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which TEST_NO_SKIP forbids: {report.longrepr}"
    return report


# --- The database and the settings ---


def drop_tables(engine):
    """Drop all tables of a database."""
    found = sa.MetaData()
    found.reflect(engine)
    found.drop_all(engine)


def empty_database(folder):
    """Return the URL of an empty database: of a new file in the folder, or of the server's."""
    url = os.environ.get("TEST_DATABASE_URL")
    if not url:
        return f"sqlite:///{folder}/shop.db"
    engine = sa.create_engine(url)
    drop_tables(engine)
    engine.dispose()
    return url


def delete_rows(engine):
    """Delete the rows of all tables, so that ids begin with 1 again: faster than new tables."""
    tables = [table.name for table in reversed(db.metadata.sorted_tables)]
    statements = [f"DELETE FROM {table}" for table in tables]
    if engine.dialect.name == "sqlite":
        statements.append("DELETE FROM sqlite_sequence")
    elif engine.dialect.name == "postgresql":
        statements = [f"TRUNCATE {', '.join(tables)} RESTART IDENTITY"]
    else:
        statements += [f"ALTER TABLE {table} AUTO_INCREMENT = 1" for table in tables]
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """What the tests of a process share: a database, and the app that was opened on it."""
    url = empty_database(tmp_path_factory.mktemp("shop"))
    shared = SimpleNamespace(engine=sa.create_engine(url), app=None, opened=None)
    yield shared
    shared.engine.dispose()
    if shared.app:
        close(shared.app)


@pytest.fixture
def database_url(shared):
    """The URL of a database with empty tables."""
    found = set(sa.inspect(shared.engine).get_table_names()) - {"sqlite_sequence"}
    if found == set(db.metadata.tables):
        delete_rows(shared.engine)
    else:
        drop_tables(shared.engine)
        db.metadata.create_all(shared.engine)
    return shared.engine.url.render_as_string(hide_password=False)


@pytest.fixture
def redis_url():
    """The URL of an empty Redis database, or None."""
    url = os.environ.get("TEST_REDIS_URL")
    if url:
        import redis

        with redis.from_url(url) as connection:
            connection.flushdb()
    return url


@pytest.fixture
def environment(monkeypatch, database_url, redis_url):
    """The environment of a shop, for this process and for those that it starts."""
    for variable in list(os.environ):
        if variable.startswith(("FLASK_", "SQLALCHEMY_")):
            monkeypatch.delenv(variable)
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SECRET_KEY", SECRET)
    if redis_url:
        monkeypatch.setenv("REDIS_URL", redis_url)
    return monkeypatch


# --- The shop ---


def close(app):
    """Close an app's connections to the database."""
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def make_app(environment):
    """A function that opens the shop with these settings; all are closed after the test."""
    apps = []

    def make(**settings):
        apps.append(mechanic_shop.create_app(settings))
        return apps[-1]

    yield make
    for app in apps:
        close(app)


@pytest.fixture
def app(shared, environment, database_url, redis_url):
    """The shop with its default settings.

    Tests share it until one opens another: limiter and cache belong to the one opened last.
    """
    here = (database_url, redis_url)
    current = shared.app and limiter.enabled and limiter.storage is shared.storage
    if not current or shared.opened != here:
        if shared.app:
            close(shared.app)
        shared.app, shared.opened = mechanic_shop.create_app(), here
        shared.storage = limiter.storage
    with shared.app.app_context():
        cache.clear()
        limiter.reset()
    return shared.app


@pytest.fixture
def unlimited(app, monkeypatch):
    """Turn the rate limits off."""
    monkeypatch.setattr(limiter, "enabled", False)


# --- People ---


def add_account(app, role, first_name):
    """Store an account without the wait for a password hash, and return its id."""
    columns = {
        "first_name": first_name,
        "last_name": "Example",
        "email": f"{first_name}@{role}.example".lower(),
        "password": PASSWORD_HASH,
    }
    with app.app_context():
        statement = sa.insert(MODELS[role]).values(**columns)
        new_id = db.session.execute(statement).inserted_primary_key.id
        db.session.commit()
    return new_id


def token_of(app, role, account_id):
    """Return a fresh token for an account."""
    with app.app_context():
        return encode_token(account_id, role)


def calling(app, token=None, address="127.0.0.1"):
    """Return a test client that sends this token and calls from this address."""
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    if token:
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def caller(app, role, first_name):
    """Add an account and return a test client of it, which knows its id, email and token."""
    account_id = add_account(app, role, first_name)
    token = token_of(app, role, account_id)
    client = calling(app, token)
    client.id = account_id
    client.email = f"{first_name}@{role}.example".lower()
    client.token = token
    return client


@pytest.fixture
def anyone(app):
    """Somebody who has not logged in."""
    return calling(app)


@pytest.fixture
def ana(app):
    """A mechanic."""
    return caller(app, "mechanic", "Ana")


@pytest.fixture
def bert(app):
    """Another mechanic."""
    return caller(app, "mechanic", "Bert")


@pytest.fixture
def carla(app):
    """A customer."""
    return caller(app, "customer", "Carla")


@pytest.fixture
def dave(app):
    """Another customer."""
    return caller(app, "customer", "Dave")


# --- Records ---


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


# --- The database, watched ---


@pytest.fixture
def statements_of(app):
    """A function that returns the SQL statements that a call sends."""
    statements = []
    with app.app_context():
        engine = db.engine

    def note(connection, cursor, statement, *_rest):
        statements.append(statement)

    def statements_of(call):
        statements.clear()
        response = call()
        assert response.status_code < 400, response.get_data(as_text=True)
        return list(statements)

    sa.event.listen(engine, "before_cursor_execute", note)
    yield statements_of
    sa.event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def hold(app):
    """A function that makes a call in a thread and holds it at an SQL statement meanwhile.

    It takes the call, the event ("before_cursor_execute", "after_cursor_execute", or "rollback",
    with "" as text), a part of the statement, and what happens while the call is held; it returns
    what the call answers.
    """

    def run_held(call, event, text, meanwhile):
        held, go_on = threading.Event(), threading.Event()

        def wait(connection, cursor=None, statement="", *_rest):
            if threading.current_thread().name.startswith("held") and text in statement:
                held.set()
                assert go_on.wait(20)

        with app.app_context():
            engine = db.engine
        sa.event.listen(engine, event, wait)
        try:
            with ThreadPoolExecutor(1, thread_name_prefix="held") as threads:
                answer = threads.submit(call)
                assert held.wait(20), "the call never came to this statement"
                try:
                    meanwhile()
                finally:
                    go_on.set()
                return answer.result()
        finally:
            sa.event.remove(engine, event, wait)

    return run_held


# --- Answers ---


def shows(record, fields):
    """Say whether a record in an answer has these values. It may have more: a new column."""
    assert {name: record[name] for name in fields} == fields
    return True


def problem(response, status, *fields):
    """Assert that a response is this refusal, and return its detail."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.content_type == "application/problem+json"
    body = response.json
    assert body["type"] == "about:blank"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert sorted(body.get("errors", {})) == sorted(fields), body
    for messages in body.get("errors", {}).values():
        assert all(isinstance(message, str) for message in messages)
    return body["detail"]
