"""The shop under test, and the people who call it.

Each test has an empty database of its own: a SQLite file, or the server that
TEST_DATABASE_URL names. TEST_REDIS_URL names a Redis for rate limits and cache; its
database is emptied. With TEST_NO_SKIP=1 a test that would be skipped fails instead.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from werkzeug.security import generate_password_hash

import mechanic_shop
from mechanic_shop import db, encode_token

PASSWORD = "correct-horse"
PASSWORD_HASH = generate_password_hash(PASSWORD)
SECRET = "a secret that only the tests know, 40 b."
ELSEWHERE = "198.51.100.7"


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


def empty_database(folder):
    """Return the URL of an empty database: of a new file in the folder, or of the server's."""
    url = os.environ.get("TEST_DATABASE_URL")
    if not url:
        return f"sqlite:///{folder}/shop.db"
    engine = sa.create_engine(url)
    found = sa.MetaData()
    found.reflect(engine)
    found.drop_all(engine)
    engine.dispose()
    return url


@pytest.fixture
def database_url(tmp_path):
    """The URL of an empty database."""
    return empty_database(tmp_path)


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
def environment(monkeypatch, tmp_path, database_url, redis_url):
    """The environment of a shop, for this process and for those that it starts."""
    for variable in list(os.environ):
        if variable.startswith("FLASK_"):
            monkeypatch.delenv(variable)
    monkeypatch.delenv("REDIS_URL", raising=False)
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
        app = mechanic_shop.create_app(settings)
        apps.append(app)
        return app

    yield make
    for app in apps:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def app(make_app):
    return make_app()


def add_account(app, role, first_name):
    """Store an account without the wait for a password hash, and return its id."""
    columns = {
        "first_name": first_name,
        "last_name": "Example",
        "email": f"{first_name}@{role}.example".lower(),
        "password": PASSWORD_HASH,
    }
    with app.app_context():
        model = mechanic_shop.ROLES[role]
        new_id = db.session.execute(sa.insert(model).values(**columns)).inserted_primary_key.id
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
    """Add an account and return a test client of it, which knows its id and email."""
    account_id = add_account(app, role, first_name)
    client = calling(app, token_of(app, role, account_id))
    client.id = account_id
    client.email = f"{first_name}@{role}.example".lower()
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
def count_statements(app):
    """A function that returns how many SQL statements a call takes."""
    statements = []
    with app.app_context():
        engine = db.engine

    def note(connection, cursor, statement, *_rest):
        statements.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)

    def count(call):
        statements.clear()
        response = call()
        assert response.status_code < 400
        return len(statements)

    yield count
    sa.event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def hold(app):
    """A function that makes a call in a thread and holds it at an SQL statement meanwhile.

    It takes the call, the event ("before_cursor_execute" or "after_cursor_execute"), a part of
    the statement, and what happens while the call is held; it returns what the call answers.
    """

    def run_held(call, event, text, meanwhile):
        held, go_on = threading.Event(), threading.Event()

        def wait(connection, cursor, statement, *_rest):
            if threading.current_thread().name.startswith("held") and text in statement:
                held.set()
                assert go_on.wait(20)

        with app.app_context():
            engine = db.engine
        sa.event.listen(engine, event, wait)
        try:
            with ThreadPoolExecutor(1, thread_name_prefix="held") as threads:
                answer = threads.submit(call)
                assert held.wait(20)
                try:
                    meanwhile()
                finally:
                    go_on.set()
                return answer.result()
        finally:
            sa.event.remove(engine, event, wait)

    return run_held


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
