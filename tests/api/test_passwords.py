"""Passwords: what becomes of them, and what hashing them may cost."""

import hashlib
import threading
import time
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from harness.servers import at_once
from harness.shop import PASSWORD, USUAL_COST, add_account, calling, problem
from werkzeug.security import generate_password_hash

from mechanic_shop import Customer, db

EVE = {"first_name": "Eve", "last_name": "Novak", "email": "eve@x.example", "password": PASSWORD}


@pytest.fixture
def hashing(monkeypatch):
    """What is hashed: how many passwords at once at most, and with which cost each."""
    seen = SimpleNamespace(now=0, most=0, costs=[])
    lock, scrypt = threading.Lock(), hashlib.scrypt

    def watch(password, *, salt, n, r, p, **options):
        with lock:
            seen.now += 1
            seen.most = max(seen.most, seen.now)
            seen.costs.append((n, r, p, len(salt)))
        try:
            time.sleep(0.02)
            return scrypt(password, salt=salt, n=n, r=r, p=p, **options)
        finally:
            with lock:
                seen.now -= 1

    monkeypatch.setattr(hashlib, "scrypt", watch)
    return seen


def test_password_is_stored_as_a_hash_and_keeps_its_blanks(app, anyone, monkeypatch):
    monkeypatch.setattr(generate_password_hash, "__defaults__", USUAL_COST)
    anyone.post("/customers", json=EVE | {"password": "  secret-12  "})
    with app.app_context():
        assert db.session.scalar(sa.select(Customer.password)).startswith("scrypt:32768:8:1$")
    login = {"email": EVE["email"]}
    for password in ("secret-12", "  secret-12", "  Secret-12  "):
        problem(anyone.post("/customers/login", json=login | {"password": password}), 401)
    login["password"] = "  secret-12  "
    assert anyone.post("/customers/login", json=login).status_code == 200
    assert calling(app).patch("/customers/1", json={"password": " " * 7}).status_code == 401


def test_every_login_hashes_one_password_at_the_cost_of_a_new_one(anyone, hashing):
    anyone.post("/customers", json=EVE)
    fresh = hashing.costs.pop()
    for email, password, status in [
        (EVE["email"], EVE["password"], 200),
        (EVE["email"], "wrong-password", 401),
        ("nobody@x.example", EVE["password"], 401),
        ("no email", "x", 401),
        ("\u00e9ve@x.example", EVE["password"], 401),
    ]:
        hashing.costs.clear()
        answer = anyone.post("/customers/login", json={"email": email, "password": password})
        assert answer.status_code == status
        assert hashing.costs == [fresh], email
    generate_password_hash("x")
    assert hashing.costs == [fresh, fresh]


def test_registrations_at_once_hash_two_passwords_at_once(app, hashing):
    def register(number):
        body = EVE | {"email": f"e{number}@x.example"}
        return calling(app).post("/customers", json=body).status_code

    assert at_once(6, register) == [201] * 6
    assert (hashing.most, len(hashing.costs)) == (2, 6)


def test_password_changes_at_once_hash_two_passwords_at_once(app, ana, hashing):
    ids = [add_account(app, "customer", f"c{number}") for number in range(6)]

    def change(number):
        path = f"/customers/{ids[number]}"
        return calling(app, ana.token).patch(path, json={"password": PASSWORD}).status_code

    assert at_once(6, change) == [200] * 6
    assert (hashing.most, len(hashing.costs)) == (2, 6)


def test_thirty_logins_at_once_all_succeed_and_hash_two_passwords_at_once(app, hashing):
    for number in range(30):
        add_account(app, "customer", f"c{number}")

    def log_in(number):
        body = {"email": f"c{number}@customer.example", "password": PASSWORD}
        return calling(app).post("/customers/login", json=body).status_code

    assert at_once(30, log_in) == [200] * 30
    assert (hashing.most, len(hashing.costs)) == (2, 30)


def test_failed_hash_leaves_the_gate_open(anyone, carla, monkeypatch):
    def fail(*_arguments, **_options):
        raise MemoryError

    body = {"email": carla.email, "password": PASSWORD}
    with monkeypatch.context() as patch:
        patch.setattr(hashlib, "scrypt", fail)
        for _ in range(3):
            problem(anyone.post("/customers/login", json=body), 500)
    assert anyone.post("/customers/login", json=body).status_code == 200
