"""What stays secret: the key, passwords and tokens; and the headers that help with it."""

import logging
import stat

import flask
import pytest
import sqlalchemy as sa
from harness.servers import copy_shop, running_server
from harness.shop import PASSWORD, caller, calling, problem

from mechanic_shop import db, load_secret_key

EVE = {"first_name": "Eve", "last_name": "Example", "email": "eve@x.example", "password": PASSWORD}
CREDENTIALS = {"email": EVE["email"], "password": PASSWORD}


# --- The key ---


def test_key_is_made_once_in_a_file_that_only_the_owner_reads(tmp_path):
    def key_in(folder):
        app = flask.Flask("shop", instance_path=str(folder))
        return load_secret_key(app)

    folder = tmp_path / "new" / "folder"
    key = key_in(folder)
    assert len(key) == 64
    assert key_in(folder) == key
    assert key_in(tmp_path / "other") != key
    (file,) = folder.iterdir()
    assert file.read_text() == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("key", ["k", "k" * 31, "é" * 15])
def test_key_under_32_bytes_is_refused(make_app, key):
    with pytest.raises(RuntimeError, match="at least 32 bytes") as refusal:
        make_app(SECRET_KEY=key)
    assert key not in str(refusal.value).replace("SECRET_KEY", "").replace("k", "k ")


@pytest.mark.parametrize("key", ["é" * 16, "1" * 32])
@pytest.mark.parametrize("variable", ["SECRET_KEY", "FLASK_SECRET_KEY"])
def test_key_of_32_bytes_is_enough(make_app, environment, variable, key):
    environment.delenv("SECRET_KEY")
    environment.setenv(variable, key)
    assert caller(make_app(), "customer", "Eve").get("/customers/1").status_code == 200


# --- Answers and the log ---


def test_server_prints_and_answers_no_secret(tmp_path, environment):
    environment.delenv("SECRET_KEY")
    folder = copy_shop(tmp_path / "shop")
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
        db.drop_all()
    for path, body in (("/customers", EVE), ("/customers/login", CREDENTIALS)):
        response = anyone.post(path, json=body)
        problem(response, 503)
        assert "customers" not in response.get_data(as_text=True)
    assert "customers" in caplog.text
    for secret in (PASSWORD, EVE["email"], "scrypt:"):
        assert secret not in caplog.text


def test_no_answer_is_kept_by_others_or_taken_for_another_type(ana, part, ticket):
    for method, path in [
        *(("GET", path) for path in ("/", "/health", "/inventory", "/inventory/1", "/parts/1")),
        *(("GET", path) for path in ("/inventory/99", "/inventory?page=x", "/nothing")),
        *(("GET", path) for path in ("/customers", "/customers/1", "/customers/my-tickets")),
        *(("GET", path) for path in ("/mechanics", "/mechanics/profile", "/mechanics/ranking")),
        *(("GET", path) for path in ("/service_tickets", "/service_tickets/1")),
        *(("POST", path) for path in ("/inventory", "/mechanics/login")),
        *(("BREW", "/"), ("OPTIONS", "/mechanics")),
    ]:
        for _first_and_cached in range(2):
            headers = ana.open(path, method=method).headers
            assert (path, headers["Cache-Control"]) == (path, "no-store")
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "Set-Cookie" not in headers


def test_error_without_a_name_of_its_own_is_a_problem_without_its_cause(make_app):
    app = make_app()

    @app.get("/broken")
    def broken():
        """Fail."""
        raise RuntimeError(db.session.scalar(sa.text("SELECT 'a secret'")))

    response = calling(app).get("/broken")
    problem(response, 500)
    assert "secret" not in response.get_data(as_text=True)
