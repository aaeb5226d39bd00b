"""What tests do with the shop: open it, have accounts and callers in it, and check answers."""

import contextlib
import os
import re

import sqlalchemy as sa
from click.testing import CliRunner
from werkzeug.security import generate_password_hash

# Hash passwords in a thirtieth of the usual time, from the module's own first hash on.
USUAL_COST = generate_password_hash.__defaults__
generate_password_hash.__defaults__ = ("scrypt:1024:8:1", 16)

import seed  # noqa: E402
from mechanic_shop import Customer, Mechanic, create_app, db, encode_token, limiter  # noqa: E402

PASSWORD = "correct-horse"
PASSWORD_HASH = generate_password_hash(PASSWORD)
SECRET = "a secret that only the tests know, 40 b."
ELSEWHERE = "198.51.100.7"
MODELS = {"customer": Customer, "mechanic": Mechanic}
NEW_LIMITER = dict(vars(limiter))  # as the module makes it, before an app has set it up
INSIDE = re.compile(r"Traceback|File \"|sqlalchemy|sqlite|psycopg|pymysql|\b(SELECT|INSERT|FROM)\b")
ERROR_HEADERS = {"WWW-Authenticate": {401}, "Allow": {405}, "Retry-After": {429, 503}}


def open_shop(**settings):
    """Return the app of a shop with these settings.

    All apps of a process have one limiter, and what the first of them sets would stay: so each one
    begins with the limiter as it was.
    """
    vars(limiter).update(NEW_LIMITER)
    limiter.limit_manager.set_default_limits([])
    return create_app(settings)


def close(app):
    """Close an app's connections to the database."""
    with app.app_context():
        db.engine.dispose()


def run_seed(*arguments, answers=None):
    """Run seed.py in this process, with answers to its questions; return its result."""
    return CliRunner().invoke(seed.main, arguments, input=answers)


# === The database =================================================================================


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


@contextlib.contextmanager
def full_disk():
    """Leave SQLite no room, in connections that are opened in the block."""

    def stop_growing(connection, _record):
        connection.execute("PRAGMA max_page_count = 1")  # or as many as there are

    sa.event.listen(sa.Engine, "connect", stop_growing)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "connect", stop_growing)


# === Callers ======================================================================================


def add_account(app, role, first_name):
    """Store an account without the wait for a password hash, and return its id."""
    email = f"{first_name}@{role}.example".lower()
    names = {"first_name": first_name, "last_name": "Example"}
    statement = sa.insert(MODELS[role]).values(**names, email=email, password=PASSWORD_HASH)
    with app.app_context():
        new_id = db.session.execute(statement).inserted_primary_key.id
        db.session.commit()
    return new_id


def token_of(app, role, account_id):
    """Return a fresh token for an account."""
    with app.app_context():
        return encode_token(account_id, role)


def calling(app, token=None, address="127.0.0.1"):
    """Return a caller: a test client that sends this token and calls from this address."""
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    if token:
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def caller(app, role, first_name):
    """Add an account and return a caller who has logged in, and knows id, email and token."""
    account_id = add_account(app, role, first_name)
    token = token_of(app, role, account_id)
    client = calling(app, token)
    client.id, client.token = account_id, token
    client.email = f"{first_name}@{role}.example".lower()
    return client


# === Answers ======================================================================================


def shows(record, fields):
    """Say whether a record in an answer has these values. It may have more: a new column."""
    assert {name: record[name] for name in fields} == fields
    return True


def problem(response, status, *fields):
    """Assert that a response is this refusal, with these wrong fields; return its detail."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.content_type == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    for header, statuses in ERROR_HEADERS.items():
        assert (header in response.headers) == (status in statuses), header
    assert not INSIDE.search(response.get_data(as_text=True))
    body = response.json
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert body["title"]
    assert body["detail"]
    assert sorted(body.get("errors", {})) == sorted(fields), body
    for messages in body.get("errors", {}).values():
        assert isinstance(messages, list)
        assert all(isinstance(message, str) for message in messages)
    return body["detail"]
