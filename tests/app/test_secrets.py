"""Secrets: the shop's key, passwords being hashed, and what no answer and no log shows."""

import hashlib
import logging
import stat
import threading
import time
from types import SimpleNamespace

import flask
import pytest
from harness.servers import at_once, copy_shop, running_server
from harness.shop import PASSWORD, add_account, caller, calling, problem

from mechanic_shop import db, load_secret_key

pytestmark = pytest.mark.once
EVE = {"first_name": "Eve", "last_name": "Example", "email": "eve@x.example", "password": PASSWORD}
CREDENTIALS = {"email": EVE["email"], "password": PASSWORD}


# === The key ======================================================================================


def key_in(folder):
    """Return the key that a shop with this folder for its data has."""
    return load_secret_key(flask.Flask("shop", instance_path=str(folder)))


def test_key_is_made_once_in_a_file_that_only_the_owner_reads(tmp_path):
    folder = tmp_path / "new" / "folder"
    key = key_in(folder)
    assert len(key) == 64
    assert key_in(folder) == key
    assert key_in(tmp_path / "other") != key
    (file,) = folder.iterdir()
    assert (file.name, file.read_text()) == ("secret_key", key)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("")  # as after a full disk: it counts as missing
    assert len(key_in(folder)) == 64


@pytest.mark.parametrize("variable", ["SECRET_KEY", "FLASK_SECRET_KEY"])
@pytest.mark.parametrize(("key", "long_enough"), [("é" * 15, 0), ("é" * 16, 1), ("1" * 32, 1)])
def test_key_has_at_least_32_bytes(make_app, environment, variable, key, long_enough):
    environment.delenv("SECRET_KEY")
    environment.setenv(variable, key)
    if long_enough:
        assert caller(make_app(), "customer", "Eve").get("/customers/1").status_code == 200
    else:
        with pytest.raises(ValueError, match="at least 32 bytes"):
            make_app()


# === Passwords ====================================================================================


def test_two_passwords_are_hashed_at_once_whoever_sends_them(app, ana, monkeypatch):
    hashing = SimpleNamespace(now=0, most=0, all=0)
    lock, scrypt = threading.Lock(), hashlib.scrypt

    def watch(*arguments, **options):
        with lock:
            hashing.now, hashing.all = hashing.now + 1, hashing.all + 1
            hashing.most = max(hashing.most, hashing.now)
        time.sleep(0.02)  # the tests' hashes cost too little to meet each other
        with lock:
            hashing.now -= 1
        return scrypt(*arguments, **options)

    def work(number):
        sender = calling(app, ana.token)
        if number % 3 == 0:
            login = {"email": f"c{number // 3}@customer.example", "password": PASSWORD}
            return sender.post("/customers/login", json=login).status_code
        if number % 3 == 1:
            person = EVE | {"email": f"e{number}@x.example"}
            return sender.post("/customers", json=person).status_code
        path = f"/customers/{ids[number // 3]}"
        return sender.patch(path, json={"password": PASSWORD}).status_code

    ids = [add_account(app, "customer", f"c{number}") for number in range(8)]
    monkeypatch.setattr(hashlib, "scrypt", watch)
    assert at_once(24, work) == [200, 201, 200] * 8
    assert (hashing.most, hashing.all) == (2, 24)


# === Answers and the log ==========================================================================


def test_server_prints_and_answers_no_secret(tmp_path, environment):
    environment.delenv("SECRET_KEY")
    folder = copy_shop(tmp_path / "shop")
    wrong, new = "wrong-battery-staple", "new-battery-staple"
    with running_server(folder=folder) as server:
        server.call("POST", "/customers", EVE)
        token = server.call("POST", "/customers/login", CREDENTIALS).json["token"]
        answers = [
            server.call("POST", "/customers", EVE),
            server.call("POST", "/customers/login", CREDENTIALS | {"password": wrong}),
            server.call("POST", "/customers/login", CREDENTIALS | {"password": {"$": wrong}}),
            server.call("GET", "/"),
            server.call("GET", "/customers/1", token=token),
            server.call("GET", "/mechanics", token=token),
            server.call("GET", "/customers/my-tickets", token=token + "x"),
            server.call("PATCH", "/customers/1", {"password": new}, token=token),
        ]
        log = server.log()
    statuses = [answer.status_code for answer in answers]
    assert statuses == [409, 401, 400, 200, 200, 403, 401, 200]
    assert "POST /customers/login" in log
    key = (folder / "instance" / "secret_key").read_text()
    for text in (log, *(f"{answer.headers}{answer.data}" for answer in answers)):
        for secret in (PASSWORD, wrong, new, token, token.split(".")[2], key, "scrypt"):
            assert secret not in text


def test_failure_of_the_database_logs_no_secret(app, anyone, caplog):
    caplog.set_level(logging.DEBUG)
    with app.app_context():
        db.drop_all()
    for path, body in (("/customers", EVE), ("/customers/login", CREDENTIALS)):
        problem(anyone.post(path, json=body), 503)
    assert "INSERT INTO customers" in caplog.text
    for secret in (PASSWORD, EVE["email"], "scrypt:"):
        assert secret not in caplog.text


def test_unexpected_error_is_a_problem_without_its_cause(make_app):
    app = make_app()
    app.add_url_rule("/broken", view_func=lambda: int("a secret"))
    answer = calling(app).get("/broken")
    problem(answer, 500)
    assert "secret" not in answer.get_data(as_text=True)


def test_no_answer_is_kept_by_others(ana, part):
    for path in ("/", "/health", "/inventory", "/inventory/1", "/customers", "/mechanics/profile"):
        for _first_and_cached in range(2):
            headers = ana.get(path).headers
            assert (path, headers["Cache-Control"]) == (path, "no-store")
            assert "Set-Cookie" not in headers
