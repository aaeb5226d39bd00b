"""Settings: which of them wins, and what each one does. How the program starts: test_start.py."""

import pytest
from flask import request
from harness.shop import SECRET, calling
from sqlalchemy import exc

from mechanic_shop import db

pytestmark = pytest.mark.once
DATABASE_VARIABLES = ["DATABASE_URL", "SQLALCHEMY_DATABASE_URI", "FLASK_SQLALCHEMY_DATABASE_URI"]
AWAY = "redis://127.0.0.1:1/0"  # no Redis: nobody listens on port 1


def test_variables_of_the_shop_win_over_those_of_flask_and_arguments_over_all(
    make_app, environment, tmp_path
):
    def opened(**settings):
        with make_app(**settings).app_context():
            return db.engine.url.database.removeprefix(f"{tmp_path}/")

    for name in DATABASE_VARIABLES:
        environment.setenv(name, f"sqlite:///{tmp_path}/{name}")
    assert opened(SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path}/argument") == "argument"
    for name in DATABASE_VARIABLES:
        assert opened() == name
        environment.setenv(name, "")  # an empty variable is as good as none


def test_redis_url_and_secret_key_win_over_those_of_flask(make_app, environment):
    environment.setenv("FLASK_SECRET_KEY", "f" * 64)
    environment.setenv("FLASK_RATELIMIT_STORAGE_URI", "memory://")
    environment.setenv("REDIS_URL", AWAY)
    config = make_app().config
    assert config["SECRET_KEY"] == SECRET
    assert config["RATELIMIT_STORAGE_URI"] == config["CACHE_REDIS_URL"] == AWAY
    assert config["CACHE_TYPE"] == "RedisCache"
    assert make_app(SECRET_KEY="a" * 64).config["SECRET_KEY"] == "a" * 64


def test_flask_variables_set_the_extensions(make_app, environment):
    environment.setenv("FLASK_RATELIMIT_DEFAULT", "7/minute")
    assert calling(make_app()).get("/inventory").headers["X-RateLimit-Limit"] == "7"
    app = make_app(RATELIMIT_DEFAULT="8/minute")
    assert calling(app).get("/inventory").headers["X-RateLimit-Limit"] == "8"
    environment.setenv("FLASK_RATELIMIT_ENABLED", "false")
    assert "X-RateLimit-Limit" not in calling(make_app()).get("/inventory").headers


@pytest.mark.parametrize("variable", ["DATABASE_URL", "SQLALCHEMY_DATABASE_URI"])
@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_postgresql_is_reached_by_psycopg_3(make_app, environment, variable, scheme):
    environment.delenv("DATABASE_URL")
    environment.setenv(variable, f"{scheme}://me@127.0.0.1:1/shop")  # nobody listens there
    with pytest.raises(exc.OperationalError, match=r"\(psycopg.OperationalError\) .* port 1 "):
        make_app()


@pytest.mark.parametrize(
    ("proxies", "statuses"),
    [(None, [200, 429, 429]), ("0", [200, 429, 429]), ("1", [200, 429, 200]), ("2", [200] * 3)],
)
def test_limits_count_the_address_that_trusted_proxies_appended(
    make_app, environment, proxies, statuses
):
    if proxies:
        environment.setenv("FLASK_TRUSTED_PROXIES", proxies)
    proxy = calling(make_app(RATELIMIT_DEFAULT="1/minute"), address="10.0.0.1")
    appended = ["192.0.2.1, 203.0.113.1", "192.0.2.2, 203.0.113.1", "192.0.2.3, 203.0.113.2"]
    headers = [{"X-Forwarded-For": addresses} for addresses in appended]
    assert [proxy.get("/inventory", headers=sent).status_code for sent in headers] == statuses


@pytest.mark.parametrize("proxies", [0, 1])
def test_nothing_else_that_is_forwarded_is_trusted(make_app, proxies):
    app = make_app(TRUSTED_PROXIES=proxies)
    app.add_url_rule("/seen", view_func=lambda: [request.scheme, request.host, request.root_path])
    headers = {f"X-Forwarded-{name}": "forged" for name in ("Proto", "Host", "Prefix")}
    assert calling(app).get("/seen", headers=headers).json == ["http", "localhost", ""]
