"""Run all tests on PostgreSQL and on MariaDB, each with Redis, both at the same time.

    python tests/with_servers.py [arguments for pytest]

The servers are where TEST_POSTGRESQL_URL, TEST_MARIADB_URL and TEST_REDIS_URL say, or at their
usual local addresses. Each database server gets a new database for the run, which is dropped
afterwards; of Redis a database is taken that is empty. A server that does not answer is named
and left out; with TEST_NO_SKIP=1 that is a failure. The exit status is 0 when what ran passed.
"""

import contextlib
import os
import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import redis
import sqlalchemy as sa

SERVERS = {
    "postgresql": "postgresql+psycopg://postgres@127.0.0.1:5432/postgres",
    "mariadb": "mysql+pymysql://root@127.0.0.1:3306/mysql",
}
DROP = {"postgresql": "DROP DATABASE {} WITH (FORCE)", "mariadb": "DROP DATABASE {}"}


class NotThere(Exception):
    """A server does not answer. The text says which one, and where."""


def server_engine(kind):
    """Return an engine for a database server itself, that commits each statement."""
    url = os.environ.get(f"TEST_{kind.upper()}_URL") or SERVERS[kind]
    return sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)


@contextlib.contextmanager
def new_database(kind):
    """Make a database and drop it afterwards; gives its URL. Raises NotThere."""
    engine = server_engine(kind)
    name = f"shop_test_{secrets.token_hex(4)}"
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
    except sa.exc.DBAPIError as error:
        where = f"{engine.url}, as TEST_{kind.upper()}_URL may say"
        why = str(error.orig).partition("\n")[0]
        raise NotThere(f"no {kind} at {where}: {why}") from None
    try:
        yield engine.url.set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(DROP[kind].format(name))


@contextlib.contextmanager
def redis_database():
    """Take a Redis database and empty it afterwards; gives its URL. Raises NotThere."""
    urls = [f"redis://127.0.0.1:6379/{number}" for number in range(1, 16)]
    named = os.environ.get("TEST_REDIS_URL")
    for url in [named] if named else urls:
        with redis.from_url(url) as connection:
            try:
                if named:
                    connection.flushdb()
                elif connection.dbsize() or not connection.set("taken by", "tests", nx=True):
                    continue  # somebody has data there, or was faster
            except redis.RedisError as error:
                raise NotThere(f"no Redis at {url}: {error}") from None
            try:
                yield url
            finally:
                connection.flushdb()
            return
    raise NotThere("no empty database in the Redis at 127.0.0.1:6379")


def run_tests(variables, arguments):
    """Run pytest with these variables; return its exit status and what it printed."""
    command = [sys.executable, "-m", "pytest", str(Path(__file__).parent), *arguments]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(command, env=os.environ | variables, **options)
    return done.returncode, done.stdout


def take_servers(closing):
    """Take a database and Redis on each server that answers; return the variables for each."""
    taken = {}
    for kind in SERVERS:
        try:
            variables = {"TEST_DATABASE_URL": closing.enter_context(new_database(kind))}
            variables["TEST_REDIS_URL"] = closing.enter_context(redis_database())
            taken[kind] = variables
        except NotThere as error:
            print(f"\n=== {kind} is left out: {error} ===", flush=True)
    return taken


def main(arguments):
    """Run the tests on all servers at the same time; return the exit status."""
    failed = []
    together = 1 if os.environ.get("TEST_REDIS_URL") else len(SERVERS)  # one Redis takes turns
    with contextlib.ExitStack() as closing, ThreadPoolExecutor(together) as threads:
        taken = take_servers(closing)
        runs = {kind: threads.submit(run_tests, taken[kind], arguments) for kind in taken}
        for kind, run in runs.items():
            status, output = run.result()
            print(f"\n=== {kind} ===\n{output}", flush=True)
            if status:
                failed.append(kind)
    missing = [kind for kind in SERVERS if kind not in taken]
    print(f"\nfailed: {', '.join(failed) or 'none'}; left out: {', '.join(missing) or 'none'}")
    too_few = missing and os.environ.get("TEST_NO_SKIP") or not taken
    return 1 if failed or too_few else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
