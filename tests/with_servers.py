"""Run the tests on PostgreSQL and on MariaDB, each with a Redis, both at the same time.

    python tests/with_servers.py [--own] [arguments for pytest]

TEST_POSTGRESQL_URL, TEST_MARIADB_URL and TEST_REDIS_URL name the servers; with --own, servers are
started for the run and stopped after it. Each run gets a new database, which is dropped
afterwards, and database 1 or 2 of the Redis, which has to be empty. A server that no variable
names, or that is not there, is named and left out; with TEST_NO_SKIP=1 that is a failure.

Tests of the folders below run, slow ones too, but not those that are marked `once`.
"""

import contextlib
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parent.parent))

import redis
from harness.servers import NotThere, new_database, own_server

FOLDERS = [Path(__file__).parent / name for name in ("api", "app", "slow")]
REDIS_DATABASES = {"postgresql": 1, "mariadb": 2}


def take_servers(kind, own, closing):
    """Take an empty database of this kind and of a Redis; return their variables for the tests.

    Both are given back when closing, an ExitStack, ends. Raises NotThere.
    """

    def server_url(kind):
        if own:
            return closing.enter_context(own_server(kind)).url
        if url := os.environ.get(f"TEST_{kind.upper()}_URL"):
            return url
        raise NotThere(f"TEST_{kind.upper()}_URL is not set")

    database_url = closing.enter_context(new_database(server_url(kind)))
    redis_url = urlsplit(server_url("redis"))._replace(path=f"/{REDIS_DATABASES[kind]}").geturl()
    try:
        connection = closing.enter_context(redis.from_url(redis_url))
        if connection.dbsize():
            raise NotThere(f"{redis_url} is not empty")
    except redis.RedisError as error:
        raise NotThere(f"No Redis at {redis_url}: {error}") from None
    closing.callback(connection.flushdb)
    return {"TEST_DATABASE_URL": database_url, "TEST_REDIS_URL": redis_url}


def run_tests(kind, own, arguments):
    """Run pytest on this kind of database; return its exit status, or None, and its output."""
    with contextlib.ExitStack() as closing:
        try:
            variables = take_servers(kind, own, closing)
        except NotThere as error:
            return None, f"left out: {error}"
        named = any(Path(argument.partition("::")[0]).exists() for argument in arguments)
        command = [sys.executable, "-m", "pytest", "-m", "not once", "--durations=10", *arguments]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        command += [] if named else FOLDERS
        done = subprocess.run(command, env=os.environ | variables, **options)
    return done.returncode, done.stdout


def main(*arguments):
    """Run the tests on all servers at the same time; return the exit status."""
    own = arguments[:1] == ("--own",)
    statuses = {}
    with ThreadPoolExecutor() as threads:
        kinds = list(REDIS_DATABASES)
        runs = [threads.submit(run_tests, kind, own, arguments[own:]) for kind in kinds]
        for kind, run in zip(kinds, runs, strict=True):
            statuses[kind], output = run.result()
            print(f"\n=== {kind} ===\n{output}", flush=True)
    left_out = [kind for kind in kinds if statuses[kind] is None]
    failed = [kind for kind in kinds if statuses[kind]]
    print(f"failed: {', '.join(failed) or 'none'}; left out: {', '.join(left_out) or 'none'}")
    too_few = left_out == kinds or (left_out and os.environ.get("TEST_NO_SKIP"))
    return 1 if failed or too_few else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop the servers then, too
    raise SystemExit(main(*sys.argv[1:]))
