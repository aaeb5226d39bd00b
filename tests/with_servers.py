"""Run the tests on PostgreSQL and on MariaDB, each with Redis, both at the same time.

    python tests/with_servers.py [--own] [arguments for pytest]

TEST_POSTGRESQL_URL, TEST_MARIADB_URL and TEST_REDIS_URL name the servers; with --own, servers are
started for the run and stopped after it. Each run gets a new database, which is dropped
afterwards, and a Redis database that is empty. A server that no variable names, or that is not
there, is named and left out; with TEST_NO_SKIP=1 that is a failure.

The slow tests run, too, but for the longest. Tests for which the database makes no difference do
not.
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

TESTS = Path(__file__).parent
KINDS = ["postgresql", "mariadb"]
INDEPENDENT = {
    "app/test_application.py": "settings and the start",
    "api/test_authorization.py": "roles and paths",
    "slow/test_crash.py": "SQLite files alone",
    "slow/test_faults.py": "starts servers of its own",
    "slow/test_flood.py": "one process and its memory",
    "page/test_front_page.py": "shows the routes",
    "slow/test_gunicorn.py": "what comes in over a socket",
    "api/test_hostile_input.py": "paths, methods and headers",
    "api/test_passwords.py": "hashing",
    "postman/test_collection.py": "the collection is the same",
    "docs/test_readme.py": "SQLite, as the README",
    "app/test_secrets.py": "keys, passwords and headers",
}
# So begin the names of tests whose requests are refused before the database is asked, and last
# that of the longest test.
DESELECTED = [
    "api/test_bad_input.py::test_body_",
    "api/test_bad_input.py::test_compressed_body_",
    "api/test_bad_input.py::test_login_with_odd_values_",
    "api/test_bad_input.py::test_odd_content_length_",
    "api/test_bad_input.py::test_post_and_put_refuse_",
    "api/test_bad_input.py::test_unknown_field_",
    "api/test_bad_input.py::test_value_that_",
    "api/test_lists.py::test_odd_number_",
    "api/test_lists.py::test_parameter_that_a_list_does_not_know_",
    "api/test_tokens.py::test_odd_authorization_header_",
    "slow/test_properties.py::test_random_work_leaves_what_the_model_says[8-40]",
]


def named_server(kind):
    """Return the URL of a server, as its variable says. Raises NotThere."""
    variable = f"TEST_{kind.upper()}_URL"
    if url := os.environ.get(variable):
        return url
    raise NotThere(f"{variable} is not set")


@contextlib.contextmanager
def redis_database(server_url):
    """Take an empty database of a Redis and empty it afterwards; gives its URL. Raises NotThere."""
    for number in range(1, 16):
        url = urlsplit(server_url)._replace(path=f"/{number}").geturl()
        with redis.from_url(url) as connection:
            try:
                if connection.dbsize() or not connection.set("taken by", "tests", nx=True):
                    continue  # somebody has data there, or was faster
            except redis.RedisError as error:
                raise NotThere(f"No Redis at {url}: {error}") from None
            try:
                yield url
            finally:
                connection.flushdb()
            return
    raise NotThere(f"The Redis at {server_url} has no empty database")


def take_servers(own, closing):
    """Take a database and a Redis database for each kind of server; return their variables."""

    def server_url(kind):
        return closing.enter_context(own_server(kind)).url if own else named_server(kind)

    taken = {}
    redis_url = server_url("redis")
    for kind in KINDS:
        try:
            database_url = closing.enter_context(new_database(server_url(kind)))
        except NotThere as error:
            print(f"{kind} is left out: {error}", flush=True)
        else:
            test_redis_url = closing.enter_context(redis_database(redis_url))
            taken[kind] = {"TEST_DATABASE_URL": database_url, "TEST_REDIS_URL": test_redis_url}
    return taken


def run_tests(variables, arguments):
    """Run pytest with these variables; return its exit status and what it printed."""
    ignored = [f"--ignore={TESTS / name}" for name in INDEPENDENT]
    named = any(Path(argument.partition("::")[0]).exists() for argument in arguments)
    deselected = [f"--deselect={name}" for name in DESELECTED]
    command = [sys.executable, "-m", "pytest", "-m", "", *ignored, *deselected]
    command += ["--durations=10", *arguments]
    command += [] if named else [TESTS]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(command, env=os.environ | variables, **options)
    return done.returncode, done.stdout


def main(*arguments):
    """Run the tests on all servers at the same time; return the exit status."""
    if missing := [name for name in INDEPENDENT if not (TESTS / name).exists()]:
        raise SystemExit(f"INDEPENDENT in tests/with_servers.py names no file: {missing}")
    own = arguments[:1] == ("--own",)
    failed = []
    with contextlib.ExitStack() as closing, ThreadPoolExecutor() as threads:
        try:
            taken = take_servers(own, closing)
        except NotThere as error:
            raise SystemExit(f"Nothing is tested: {error}") from None
        runs = {kind: threads.submit(run_tests, taken[kind], arguments[own:]) for kind in taken}
        for kind, run in runs.items():
            status, output = run.result()
            print(f"\n=== {kind} ===\n{output}", flush=True)
            if status:
                failed.append(kind)
    left_out = [kind for kind in KINDS if kind not in taken]
    print(f"failed: {', '.join(failed) or 'none'}; left out: {', '.join(left_out) or 'none'}")
    too_few = left_out and os.environ.get("TEST_NO_SKIP") or not taken
    return 1 if failed or too_few else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop the servers then, too
    raise SystemExit(main(*sys.argv[1:]))
