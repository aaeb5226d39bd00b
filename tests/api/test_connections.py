"""The connections: few to the database, given back early and replaced when lost; and the caller's.

A connection that is kept while nothing is asked is missing elsewhere.
"""

import hashlib
import io

import pytest
import sqlalchemy as sa
from harness.shop import ELSEWHERE, PASSWORD, calling, problem

from mechanic_shop import db

# === To the database ==============================================================================


@pytest.fixture
def engine(app):
    with app.app_context():
        return db.engine


def test_busy_connections_are_a_503_until_one_is_free(make_app):
    pool = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.1}
    app = make_app(SQLALCHEMY_ENGINE_OPTIONS=pool)
    caller = calling(app)
    with app.app_context(), db.engine.connect():
        for _ in range(2):
            answer = caller.get("/health")
            problem(answer, 503)
            assert answer.headers["Retry-After"] == "1"
    assert caller.get("/health").status_code == 200


@pytest.mark.parametrize("name", ["InterfaceError", "OperationalError"])
def test_driver_that_lost_its_connection_is_a_503(engine, anyone, name):
    error = getattr(engine.dialect.dbapi, name)

    def fail(*_statement):
        raise error("connection already closed")

    sa.event.listen(engine, "do_execute", fail)
    answer = anyone.get("/health")
    detail = problem(answer, 503)
    assert "already closed" not in detail
    assert answer.headers["Retry-After"] == "1"
    sa.event.remove(engine, "do_execute", fail)
    assert anyone.get("/health").status_code == 200


def test_connections_that_are_lost_between_two_calls_are_replaced(engine, ana):
    connections = []
    sa.event.listen(engine, "checkin", lambda connection, _record: connections.append(connection))
    assert ana.patch(f"/mechanics/{ana.id}", json={"salary": 1}).status_code == 200
    assert connections
    for connection in connections:
        connection.close()
    assert ana.patch(f"/mechanics/{ana.id}", json={"salary": 2}).status_code == 200
    assert ana.get("/mechanics/profile").json["salary"] == 2


def test_no_connection_is_kept_while_a_password_is_hashed(engine, anyone, ana, carla, monkeypatch):
    hashing, hash_password = [], hashlib.scrypt

    def watch(*arguments, **options):
        hashing.append(engine.pool.checkedout())
        return hash_password(*arguments, **options)

    monkeypatch.setattr(hashlib, "scrypt", watch)
    person = {"first_name": "E", "last_name": "F", "email": "e@x.example", "password": PASSWORD}
    for caller, method, path, body, status in [
        (anyone, "POST", "/customers/login", {"email": carla.email}, 200),
        (anyone, "POST", "/customers/login", {"email": "nobody@x.example"}, 401),
        (anyone, "POST", "/mechanics/login", {"email": ana.email}, 200),
        (anyone, "POST", "/customers", person, 201),
        (ana, "POST", "/mechanics", person, 201),
        (carla, "PATCH", f"/customers/{carla.id}", {}, 200),
        (ana, "PUT", f"/mechanics/{ana.id}", person | {"email": ana.email}, 200),
    ]:
        hashing.clear()
        answer = caller.open(path, method=method, json={"password": PASSWORD} | body)
        assert answer.status_code == status, path
        assert hashing == [0], f"{method} {path}"


def test_no_connection_is_kept_while_a_body_comes_in(engine, ana, part):
    receiving = []

    class Body(io.BytesIO):
        def readinto(self, buffer):
            receiving.append(engine.pool.checkedout())
            return super().readinto(buffer)

    text = b'{"price": 7}'
    for path, method, status in [
        ("/inventory/1", "PATCH", 200),
        ("/inventory/1", "GET", 200),
        ("/mechanics/login", "POST", 400),
    ]:
        receiving.clear()
        sent = {"input_stream": Body(text), "content_length": len(text)}
        answer = ana.open(path, method=method, content_type="application/json", **sent)
        assert answer.status_code == status
        assert set(receiving) == {0}, f"{method} {path}"


# === From the caller, through a proxy =============================================================


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
