"""What stays secret: the key, passwords and tokens; and the headers that help with it."""

import logging
import os
import stat
import subprocess
import sys
import threading
from html.parser import HTMLParser

import pytest
import sqlalchemy as sa
from conftest import PASSWORD, calling, problem
from servers import copy_shop, running_server

from mechanic_shop import db, kept_secret

EVE = {"first_name": "Eve", "last_name": "Example", "email": "eve@x.example", "password": PASSWORD}
CREDENTIALS = {"email": EVE["email"], "password": PASSWORD}


@pytest.fixture
def folder(tmp_path, environment):
    """A copy of the shop that makes its own key, in an instance folder of its own."""
    environment.delenv("SECRET_KEY")
    return copy_shop(tmp_path / "shop")


def test_key_is_kept_in_a_file_that_only_the_owner_reads(folder):
    with running_server(folder=folder) as server:
        assert server.call("POST", "/customers", EVE).status_code == 201
        token = server.call("POST", "/customers/login", CREDENTIALS).json["token"]
    file = folder / "instance" / "secret_key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = file.read_text()
    assert len(key) >= 32
    with running_server(folder=folder) as server:
        assert server.call("GET", "/customers/1", token=token).status_code == 200
    assert file.read_text() == key


def test_shops_in_two_folders_have_different_keys(tmp_path):
    assert kept_secret(tmp_path / "one") != kept_secret(tmp_path / "two")


def test_key_is_made_once_by_all_who_ask_together(tmp_path):
    barrier = threading.Barrier(16)
    keys = []

    def ask(folder):
        barrier.wait()
        keys.append(kept_secret(folder))

    for attempt in range(10):
        folder = tmp_path / f"instance{attempt}"
        askers = [threading.Thread(target=ask, args=[folder]) for _ in range(barrier.parties)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        assert keys == [(folder / "secret_key").read_text()] * barrier.parties
        assert os.listdir(folder) == ["secret_key"]
        keys.clear()


@pytest.mark.slow
def test_processes_that_start_together_take_each_others_tokens(folder):
    with running_server(folder=folder, workers=4) as server:
        server.call("POST", "/customers", EVE)
        token = server.call("POST", "/customers/login", CREDENTIALS).json["token"]
        answers = [server.call("GET", "/customers/1", token=token) for _ in range(40)]
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize("script", ["mechanic_shop.py", "seed.py"])
def test_short_key_refuses_to_start_with_one_line(folder, script):
    result = subprocess.run(
        [sys.executable, script],
        cwd=folder,
        env=os.environ | {"SECRET_KEY": "k" * 31},
        capture_output=True,
        text=True,
    )
    assert result.returncode != 0
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "SECRET_KEY must have at least 32 bytes" in result.stderr
    assert "kkk" not in result.stderr
    assert not (folder / "instance").exists()


@pytest.mark.parametrize("key", ["k", "k" * 31, "é" * 15])
def test_key_under_32_bytes_is_refused(make_app, key):
    with pytest.raises(RuntimeError, match="at least 32 bytes"):
        make_app(SECRET_KEY=key)


@pytest.mark.parametrize("key", ["k" * 32, "é" * 16, "1" * 32])
def test_key_of_32_bytes_is_enough(make_app, environment, key):
    environment.setenv("SECRET_KEY", key)
    assert calling(make_app()).get("/health").status_code == 200


def test_server_prints_and_answers_no_secret(folder):
    wrong, new = "wrong-battery-staple", "new-battery-staple"
    with running_server(folder=folder) as server:
        answers = [
            server.call("POST", "/customers", EVE),
            server.call("POST", "/customers", EVE),
            server.call("POST", "/customers/login", CREDENTIALS | {"password": wrong}),
            server.call("POST", "/customers/login", CREDENTIALS | {"password": {"$": wrong}}),
            server.call("PUT", "/customers/login", CREDENTIALS),
            server.call("GET", "/"),
            server.call("GET", "/customers"),
            server.call("GET", "/nothing"),
        ]
        login = server.call("POST", "/customers/login", CREDENTIALS)
        token = login.json["token"]
        answers += [
            server.call("GET", "/customers/1", token=token),
            server.call("GET", "/mechanics", token=token),
            server.call("GET", "/customers/my-tickets", token=token + "x"),
            server.call("PATCH", "/customers/1", {"password": new}, token=token),
            server.call("GET", "/customers/1", token=token),
        ]
        log = server.log()
    assert {answer.status_code for answer in answers} == {200, 201, 400, 401, 403, 404, 405, 409}
    assert "POST /customers/login" in log
    key = (folder / "instance" / "secret_key").read_text()
    shown = [f"{answer.headers}{answer.get_data(as_text=True)}" for answer in answers]
    for text in (log, *shown):
        for secret in (PASSWORD, wrong, new, token, token.split(".")[2], key, "scrypt"):
            assert secret not in text
    assert key not in login.get_data(as_text=True)


def test_failure_of_the_database_logs_no_secret(app, anyone, caplog):
    caplog.set_level(logging.DEBUG)
    with app.app_context():
        db.session.execute(sa.text("DROP TABLE service_mechanic"))
        db.session.execute(sa.text("DROP TABLE ticket_inventory"))
        db.session.execute(sa.text("DROP TABLE service_tickets"))
        db.session.execute(sa.text("DROP TABLE customers"))
        db.session.commit()
    for path, body in (("/customers", EVE), ("/customers/login", CREDENTIALS)):
        response = anyone.post(path, json=body)
        assert response.status_code in (500, 503)
        problem(response, response.status_code)
        assert "customers" not in response.get_data(as_text=True)
    assert "customers" in caplog.text
    for secret in (PASSWORD, EVE["email"], "scrypt:"):
        assert secret not in caplog.text


def test_answers_carry_the_headers_that_keep_them_private(ana, part, ticket):
    for method, path, caching in [
        ("GET", "/", "no-store"),
        ("GET", "/health", "no-store"),
        ("GET", "/inventory", "no-cache"),
        ("GET", "/inventory/1", "no-cache"),
        ("GET", "/parts/1", "no-cache"),
        ("GET", "/inventory/99", "no-store"),
        ("GET", "/inventory?page=x", "no-store"),
        ("POST", "/inventory", "no-store"),
        ("GET", "/customers", "no-store"),
        ("GET", "/customers/1", "no-store"),
        ("GET", "/customers/my-tickets", "no-store"),
        ("GET", "/mechanics", "no-store"),
        ("GET", "/mechanics/profile", "no-store"),
        ("GET", "/mechanics/ranking", "no-store"),
        ("GET", "/service_tickets", "no-store"),
        ("GET", "/service_tickets/1", "no-store"),
        ("POST", "/mechanics/login", "no-store"),
        ("GET", "/nothing", "no-store"),
        ("BREW", "/", "no-store"),
        ("OPTIONS", "/mechanics", "no-store"),
    ]:
        for _first_and_cached in range(2):
            headers = ana.open(path, method=method).headers
            assert (path, headers["Cache-Control"]) == (path, caching)
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "Set-Cookie" not in headers


def test_refusals_by_the_limiter_carry_the_headers_too(make_app):
    client = calling(make_app(RATELIMIT_DEFAULT="1/minute"))
    client.get("/inventory")
    response = client.get("/inventory")
    problem(response, 429)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"


class Blocked(HTMLParser):
    """Collects what in a page its policy would block."""

    TAGS = {"audio", "base", "embed", "iframe", "img", "link", "object", "script", "svg", "video"}

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag in self.TAGS or any(name.startswith("on") for name, _value in attributes):
            self.found.append(tag)


def test_front_page_works_under_its_content_security_policy(anyone):
    response = anyone.get("/")
    policy = response.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "style-src 'unsafe-inline'"} <= set(policy)
    page = response.get_data(as_text=True)
    assert "<style>" in page
    assert Blocked(page).found == []
    assert not any(word in page for word in ("url(", "@import", "@font-face"))
