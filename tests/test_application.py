"""The shop as a program: its settings, its front page, its health, and how it starts."""

import html
import os
import re
import socket
import subprocess
import sys

import flask
import pytest
from conftest import SECRET, calling, problem
from servers import copy_shop, running_server

import mechanic_shop


@pytest.fixture
def fresh_clone(tmp_path, environment):
    """A folder with only the program in it, as the environment has no settings."""
    for variable in ("DATABASE_URL", "SECRET_KEY", "REDIS_URL"):
        environment.delenv(variable, raising=False)
    return copy_shop(tmp_path / "clone")


def run(folder, *arguments, **environment):
    """Run Python in a folder and return the finished process."""
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def printed_until_stopped(server):
    """Stop a server as Ctrl+C does, and return what it printed."""
    server.process.terminate()
    server.process.wait(timeout=20)
    return server.log()


def test_empty_clone_starts_and_says_how_to_get_sample_data(fresh_clone):
    with running_server(folder=fresh_clone, PYTHONWARNINGS="error") as server:
        assert server.call("GET", "/inventory").json == []
        output = printed_until_stopped(server)
    assert "python seed.py" in output
    assert "Traceback" not in output
    assert (fresh_clone / "instance" / "mechanic_shop.db").exists()


def test_key_is_kept_from_one_start_to_the_next(fresh_clone):
    keys = set()
    for _ in range(2):
        with running_server(folder=fresh_clone):
            keys.add((fresh_clone / "instance" / "secret_key").read_text())
    assert [len(key) for key in keys] == [64]


def test_seeded_clone_does_not_ask_for_sample_data(fresh_clone):
    assert run(fresh_clone, "seed.py").returncode == 0
    with running_server(folder=fresh_clone) as server:
        assert len(server.call("GET", "/inventory").json) >= 12
        assert "seed.py" not in printed_until_stopped(server)


def test_port_in_use_gets_a_message(fresh_clone):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        finished = run(fresh_clone, "mechanic_shop.py", PORT=str(port))
    assert finished.returncode == 1
    assert f"Port {port} is in use" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"FLASK_SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"PORT": "http"}, "http"),
        ({"DATABASE_URL": "no url"}, "URL"),
        ({"DATABASE_URL": "sqlite:////nowhere/at/all.db"}, "unable to open"),
    ],
)
def test_wrong_setting_gets_one_clear_line(fresh_clone, settings, words):
    finished = run(fresh_clone, "mechanic_shop.py", **settings)
    assert finished.returncode == 1
    assert "Traceback" not in finished.stderr
    assert finished.stderr.startswith("The shop cannot open: ")
    assert words in finished.stderr.splitlines()[0]


def test_environment_sets_the_extensions(make_app, environment):
    environment.setenv("FLASK_RATELIMIT_DEFAULT", "7/minute")
    environment.setenv("FLASK_SECRET_KEY", "1" * 64)
    environment.setenv("FLASK_SQLALCHEMY_DATABASE_URI", "sqlite:////nowhere/at/all.db")
    app = make_app()
    assert calling(app).get("/inventory").headers["X-RateLimit-Limit"] == "7"
    assert app.config["SECRET_KEY"] == SECRET
    assert make_app(RATELIMIT_DEFAULT="8/minute").config["RATELIMIT_DEFAULT"] == "8/minute"
    environment.delenv("SECRET_KEY")
    assert make_app().test_client().get("/health").status_code == 200


def settings():
    """Return the settings that a shop in this environment opens with."""
    config = flask.Flask("shop").config
    mechanic_shop.configure(config, {})
    return config


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_reached_by_psycopg_3(environment, scheme):
    environment.setenv("DATABASE_URL", f"{scheme}://me@host/shop")
    assert settings()["SQLALCHEMY_DATABASE_URI"] == "postgresql+psycopg://me@host/shop"


def test_redis_url_serves_limits_and_cache(environment):
    environment.setenv("REDIS_URL", "redis://localhost/1")
    assert settings()["CACHE_TYPE"] == "RedisCache"
    assert settings()["CACHE_REDIS_URL"] == "redis://localhost/1"
    assert settings()["RATELIMIT_STORAGE_URI"] == "redis://localhost/1"


def test_debug_mode_is_off_unless_asked_for(make_app, environment):
    assert make_app().debug is False
    environment.setenv("FLASK_DEBUG", "1")
    assert make_app().debug


def test_health(anyone):
    response = anyone.get("/health")
    assert response.json == {"status": "ok"}
    assert response.headers["Cache-Control"] == "no-store"


def test_all_answers_are_private_unless_they_are_the_inventory(ana, anyone, ticket, part):
    for path in ("/", "/customers", "/mechanics/profile", "/service_tickets/1", "/nothing"):
        response = ana.get(path)
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    problem(anyone.get("/inventory/99"), 404)
    assert anyone.get("/inventory/99").headers["Cache-Control"] == "no-store"


def test_front_page_shows_every_route_and_who_may_call_it(app, anyone):
    response = anyone.get("/")
    assert response.content_type == "text/html; charset=utf-8"
    page = response.get_data(as_text=True)
    rows = {cells[0:2]: cells[2:] for cells in rows_of(page)}
    for rule in app.url_map.iter_rules():
        methods = ", ".join(sorted(rule.methods - {"HEAD", "OPTIONS"}))
        summary, who = rows.pop((methods, rule.rule))
        assert summary == app.view_functions[rule.endpoint].__doc__
        assert who in ("anyone", "customer", "mechanic", "customer, mechanic")
    assert rows == {}
    assert not re.search(r"(src|href)=|https?://|url\(", page)


def rows_of(page):
    """Yield the cells of each row of the page's tables, as text."""
    for row in page.split("<tr>")[1:]:
        cells = re.sub(r"</table>.*", "", row, flags=re.S).split("<td>")[1:]
        yield tuple(html.unescape(re.sub("<[^>]*>", "", cell)).strip() for cell in cells)


def test_500_is_a_problem_without_its_cause(make_app):
    app = make_app()

    @app.get("/broken")
    def broken():
        """Fail."""
        raise RuntimeError("SELECT secret FROM shop")

    response = calling(app).get("/broken")
    problem(response, 500)
    assert "SELECT" not in response.get_data(as_text=True)
