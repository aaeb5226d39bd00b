"""The shop as a program: its settings, its health, and how it starts or says why it does not."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import flask
import pytest
from harness.servers import copy_shop
from harness.shop import SECRET, calling
from werkzeug import serving

import mechanic_shop
import seed
from mechanic_shop import Mechanic, db

# --- Settings ---


def settings():
    """Return the settings that a shop in this environment opens with."""
    config = flask.Flask("shop").config
    mechanic_shop.load_settings(config, {})
    return config


def test_environment_sets_the_extensions(make_app, environment):
    environment.setenv("FLASK_RATELIMIT_DEFAULT", "7/minute")
    environment.setenv("FLASK_SECRET_KEY", "1" * 64)
    environment.setenv("FLASK_SQLALCHEMY_DATABASE_URI", "sqlite:////nowhere/at/all.db")
    app = make_app()
    assert calling(app).get("/inventory").headers["X-RateLimit-Limit"] == "7"
    assert app.config["SECRET_KEY"] == SECRET
    assert make_app(RATELIMIT_DEFAULT="8/minute").config["RATELIMIT_DEFAULT"] == "8/minute"


@pytest.mark.parametrize("variable", ["DATABASE_URL", "SQLALCHEMY_DATABASE_URI"])
@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_reached_by_psycopg_3(environment, variable, scheme):
    environment.delenv("DATABASE_URL")
    environment.setenv(variable, f"{scheme}://me@host/shop")
    assert settings()["SQLALCHEMY_DATABASE_URI"] == "postgresql+psycopg://me@host/shop"
    assert settings()["SQLALCHEMY_ENGINE_OPTIONS"]["isolation_level"] == "READ COMMITTED"


def test_database_url_has_a_second_name_and_a_default(environment):
    environment.setenv("FLASK_SQLALCHEMY_DATABASE_URI", "sqlite:///flask.db")
    environment.setenv("SQLALCHEMY_DATABASE_URI", "sqlite:///second.db")
    environment.setenv("DATABASE_URL", "sqlite:///first.db")
    for name in ("first", "second", "flask", "mechanic_shop"):
        assert settings()["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{name}.db"
        for variable in (
            "DATABASE_URL",
            "SQLALCHEMY_DATABASE_URI",
            "FLASK_SQLALCHEMY_DATABASE_URI",
        ):
            if os.environ.get(variable, "").endswith(f"/{name}.db"):
                environment.delenv(variable)


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
    assert response.status_code == 200
    assert response.json == {"status": "ok"}


# --- Starting ---


@contextlib.contextmanager
def program(folder, **environment):
    """Run the program in a folder; gives its first line and what ends it and returns the rest."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "mechanic_shop.py"],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process.stdout.readline()
        finally:
            process.send_signal(signal.SIGTERM)


@pytest.fixture
def clone(tmp_path, environment):
    """A folder with only the program in it; the environment has no settings."""
    for variable in ("DATABASE_URL", "SECRET_KEY", "REDIS_URL", "PORT", "HOST"):
        environment.delenv(variable, raising=False)
    return copy_shop(tmp_path / "shop")


def test_new_clone_prints_the_address_that_it_listens_on(clone):
    with program(clone, PORT="0") as line:
        address = re.search(r"http://127\.0\.0\.1:[1-9][0-9]*", line)[0]
        with urllib.request.urlopen(f"{address}/inventory", timeout=20) as response:
            assert response.read() == b"[]\n"
    kept = sorted(path.name.partition("-")[0] for path in (clone / "instance").iterdir())
    assert sorted(set(kept)) == ["mechanic_shop.db", "secret_key"]


def refusal(program, capsys):
    """Return the one line that a program prints when it does not start."""
    with pytest.raises(SystemExit) as ended:
        program()
    output, errors = capsys.readouterr()
    assert (ended.value.code, output) in [(1, ""), (errors or ended.value.code, "")]
    (line,) = (errors or ended.value.code).splitlines()
    assert line.startswith("The shop cannot open: ")
    return line


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("SECRET_KEY", "k" * 31, "SECRET_KEY must have at least 32 bytes"),
        ("DATABASE_URL", "no url", "URL"),
        ("DATABASE_URL", "nothing://x", "nothing"),
        ("DATABASE_URL", "mysql://me@host/shop", "MySQLdb"),
        ("DATABASE_URL", "sqlite:////nowhere/at/all.db", "unable to open"),
        ("REDIS_URL", "nonsense", "Redis"),
        ("FLASK_RATELIMIT_STORAGE_URI", "nonsense://x", "nonsense"),
    ],
)
def test_what_keeps_the_shop_from_opening_is_one_line(environment, capsys, variable, value, words):
    environment.setattr(sys, "argv", ["program"])
    environment.setenv(variable, value)
    for start in (mechanic_shop.main, seed.main):
        line = refusal(start, capsys)
        assert words in line
        assert "kkk" not in line


@pytest.mark.parametrize("port", ["abc", "99999", "65536", "-1", "5000.0"])
def test_port_that_is_none_is_refused_in_one_line(environment, capsys, port):
    environment.setenv("PORT", port)
    assert "PORT" in refusal(mechanic_shop.main, capsys)


def test_host_that_is_none_is_refused_in_one_line(environment, capsys):
    environment.setenv("HOST", "256.256.256.256")
    environment.setenv("PORT", "0")
    refusal(mechanic_shop.main, capsys)


def test_port_in_use_is_refused_in_one_line(environment, capsys):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        environment.setenv("PORT", str(listener.getsockname()[1]))
        assert "in use" in refusal(mechanic_shop.main, capsys)


def test_port_is_5000_on_this_machine_unless_others_are_named(environment, capsys):
    def make_server(host, port, *_arguments, **_options):
        raise OSError(f"asked for {(host, int(port))}")

    environment.delenv("PORT", raising=False)
    environment.delenv("HOST", raising=False)
    environment.setattr(serving, "make_server", make_server)
    assert "('127.0.0.1', 5000)" in refusal(mechanic_shop.main, capsys)  # or it is in use: the same


def test_tables_that_are_missing_are_made_and_the_others_are_left_alone(shared, make_app, ana):
    mechanic_shop.service_mechanic.drop(shared.engine)
    with make_app().app_context():
        assert db.session.scalars(db.select(Mechanic.first_name)).all() == ["Ana"]
        assert db.session.execute(db.select(mechanic_shop.service_mechanic)).all() == []
