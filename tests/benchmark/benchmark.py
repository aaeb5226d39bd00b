"""Compare the shop's speed with that of a FastAPI app, on this machine, in under three minutes.

    pip install -r tests/benchmark-requirements.txt
    python tests/benchmark.py                   all sections
    python tests/benchmark.py fastapi growth    only these

Times differ from machine to machine, so the tables show ratios. What is compared takes turns of
0.25 seconds, nine times; a ratio is the median of the nine. Goals stand beside the ratios.
Nothing fails when a goal is missed.
"""

import contextlib
import functools
import http.client
import importlib.util
import itertools
import json
import os
import platform
import re
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TESTS = ROOT / "tests" / "benchmark"
REQUIREMENTS = "tests/benchmark-requirements.txt"
sys.path.insert(0, str(ROOT))

ROUNDS = 9
TURN = 0.25  # seconds
NO_LIMIT = "100000000/minute"  # the rate limits are on, but refuse nobody

# === Servers ======================================================================================

GUNICORN = ("gunicorn", "--workers=1", "--threads=4", "--bind=127.0.0.1:{port}")
UVICORN = ("uvicorn", "--port={port}", "--no-access-log")  # gunicorn writes none either


class Server:
    """A server in a process of its own. Requests to it carry a token."""

    def __init__(self, token, folder, *command, **variables):
        self.token = token
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.output = tempfile.TemporaryFile()  # noqa: SIM115 (kill closes it)
        self.process = subprocess.Popen(
            [sys.executable, "-m", *(word.replace("{port}", str(self.port)) for word in command)],
            cwd=folder,
            env=os.environ | variables,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that its processes are a group, which can be killed
        )

    def wait(self):
        """Wait until the server takes connections. Raises RuntimeError when it does not start."""
        for _attempt in range(300):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            time.sleep(0.1)
        self.output.seek(0)
        raise RuntimeError(f"A server does not start: {self.output.read().decode()}")

    def kill(self):
        """Kill the server."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.output.close()

    def processor_seconds(self):
        """Return the processor time that the server has used so far. Only Linux tells."""
        ticks = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # a process has ended
                fields = path.read_text().rpartition(")")[2].split()
                if int(fields[2]) == self.process.pid:  # a process of its group
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def running(*servers):
    """Wait until the servers have started, and kill them after the block."""
    try:
        for server in servers:
            server.wait()
        yield
    finally:
        for server in servers:
            server.kill()


def start_shop(data, **variables):
    """Start the shop on a copy of the data."""
    variables["DATABASE_URL"] = f"sqlite:///{copy(data.file)}"
    variables["FLASK_RATELIMIT_DEFAULT"] = NO_LIMIT
    return Server(data.token, ROOT, *GUNICORN, "mechanic_shop:create_app()", **variables)


def start_shop_without_cache(data):
    """Start the shop on a copy of the data, so that each answer comes from the database."""
    return start_shop(data, FLASK_CACHE_TYPE="NullCache")


def start_fastapi(data):
    """Start the FastAPI app on a copy of the data."""
    url = f"sqlite:///{copy(data.file)}"
    return Server(data.token, TESTS, *UVICORN, "peer:app", DATABASE_URL=url)


def start_libraries(data, answer):
    """Start a Flask app that does no more for an answer than the libraries of the shop do."""
    return Server(data.token, TESTS, *GUNICORN, "benchmark:make_libraries_app()", ANSWER=answer)


def make_libraries_app():
    """Return a Flask app with a rate limit, a cache and one answer."""
    from flask import Flask, Response
    from flask_caching import Cache
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__, static_folder=None)
    cache = Cache(app, config={"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 600})
    settings = {"default_limits": [NO_LIMIT], "storage_uri": "memory://", "headers_enabled": True}
    Limiter(get_remote_address, app=app, **settings)

    @app.get("/inventory")
    @cache.cached(query_string=True)
    def list_inventory():
        return Response(os.environ["ANSWER"], mimetype="application/json")

    return app


# === Data =========================================================================================

Data = namedtuple("Data", ["file", "token"])  # a database file, and a token of a mechanic in it


def seed(folder, customers, tickets):
    """Return data that seed.py makes. There are enough pieces of all parts."""
    file = Path(folder) / f"{tickets}.db"
    command = [sys.executable, "seed.py", f"--customers={customers}", f"--tickets={tickets}"]
    variables = os.environ | {"DATABASE_URL": f"sqlite:///{file}"}
    subprocess.run(command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, check=True)
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE inventory SET quantity = 1000000")
        connection.commit()
    return Data(file, make_token(file))


def make_token(file):
    """Return a token of the first mechanic in a database."""
    from mechanic_shop import encode_token

    with open_shop(file):
        return encode_token(1)


@contextlib.contextmanager
def open_shop(file):
    """Open the shop in this process, and close it after the block."""
    from mechanic_shop import create_app, db

    settings = {"SQLALCHEMY_DATABASE_URI": f"sqlite:///{file}", "CACHE_TYPE": "NullCache"}
    app = create_app({**settings, "CACHE_NO_NULL_WARNING": True})
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


copy_numbers = itertools.count(1)


def copy(file):
    """Copy a database file that is not open. Each server writes to a copy of its own."""
    return shutil.copy(file, file.with_suffix(f".{next(copy_numbers)}.db"))


# === Measuring ====================================================================================
# A request is written as "GET /inventory". Several are sent in turn, from the first to the last.

Speed = namedtuple("Speed", ["requests", "seconds", "processor_seconds"])


def ask(server, request):
    """Send one request. Return the status, the JSON and the total count of the answer."""
    method, path = request.split()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    with contextlib.closing(connection):
        connection.request(method, path, headers={"Authorization": f"Bearer {server.token}"})
        response = connection.getresponse()
        return response.status, json.loads(response.read()), response.headers["X-Total-Count"]


def check_same_answers(server, other, requests):
    """Raise RuntimeError unless two servers answer alike, and with success."""
    for request in requests:
        answers = [ask(server, request), ask(other, request)]
        if answers[0] != answers[1] or answers[0][0] >= 300:
            raise RuntimeError(f"{request} is not answered alike: {answers}")


def receive(connection):
    """Return what has arrived. Raises RuntimeError when the server has closed the connection."""
    if data := connection.recv(65536):
        return data
    raise RuntimeError("A server has closed a connection.")


def read_answer(connection):
    """Read one answer to its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += receive(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 2"):
        raise RuntimeError(f"A server answered: {data!r}")
    missing = int(re.search(rb"(?i)content-length: (\d+)", head)[1]) - len(body)
    while missing > 0:
        missing -= len(receive(connection))


def keep_asking(server, requests, end):
    """Send one request after the other on one connection; return how many were answered."""
    messages = []
    for request in requests:
        headers = f"Host: localhost\r\nAuthorization: Bearer {server.token}\r\nContent-Length: 0"
        messages.append(f"{request} HTTP/1.1\r\n{headers}\r\n\r\n".encode())
    count = 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        while time.perf_counter() < end:
            connection.sendall(messages[count % len(messages)])
            read_answer(connection)
            count += 1
    return count


def measure(server, requests, clients=4):
    """Return the speed of a server that some clients ask at the same time, for one turn."""
    start, processor_start = time.perf_counter(), server.processor_seconds()
    with ThreadPoolExecutor(clients) as threads:
        tasks = [
            threads.submit(keep_asking, server, requests, start + TURN)
            for _client in range(clients)
        ]
        count = sum(task.result() for task in tasks)
    seconds = time.perf_counter() - start
    return Speed(count, seconds, server.processor_seconds() - processor_start)


def measure_sql(connection, statements):
    """Return the speed of SQL statements that are executed by sqlite3 alone, for one turn."""
    start, count = time.perf_counter(), 0
    while time.perf_counter() < start + TURN:
        for statement, parameters in statements:
            connection.execute(statement, parameters).fetchall()
        connection.commit()
        count += 1
    return Speed(count, time.perf_counter() - start, 0)


def take_turns(*measurements):
    """Measure in turns, A B A B. Return a list of speeds for each of the measurements."""
    for measurement in measurements:
        measurement()  # to warm up
    rounds = [[measurement() for measurement in measurements] for _round in range(ROUNDS)]
    return zip(*rounds, strict=True)


def rate(speed):
    """Return how many requests were answered in a second."""
    return speed.requests / speed.seconds


def median_ratio(speeds, others):
    """Return how many times faster the first are, as the median of all rounds."""
    return statistics.median(
        rate(speed) / rate(other) for speed, other in zip(speeds, others, strict=True)
    )


def rate_cell(speeds):
    """Return the median of the answers in a second as text."""
    return f"{statistics.median(map(rate, speeds)):,.0f} /s"


def time_cell(speeds):
    """Return the median of the times of a request as text."""
    return f"{1000 / statistics.median(map(rate, speeds)):.2f} ms"


def processor_cell(speeds, others):
    """Return how many times less processor time the first use for a request, as text."""
    used, others_used = (
        sum(speed.processor_seconds for speed in both) / sum(speed.requests for speed in both)
        for both in (speeds, others)
    )
    return f"{others_used / used:.2f}" if used else "?"


# === Sections =====================================================================================
# Each one yields the rows of a table, the head first. Its docstring is printed above the table.

TICKETS = range(1, 2001, 100)
PARTS = ["GET /inventory"]
ONE_TICKET = [f"GET /service_tickets/{ticket}" for ticket in TICKETS]
TICKET_PAGE = ["GET /service_tickets?per_page=100"]
ASSIGN = [f"POST /ticket_inventory/{ticket}/assign-inventory/1" for ticket in TICKETS]


def compare_with_fastapi(folder):
    """How many requests the shop answers while a FastAPI app answers one. More is better.

    FastAPI with SQLAlchemy and pydantic is what many would take instead. The app measured here,
    tests/benchmark_peer.py, is written as FastAPI's tutorial shows. It gives the same answers from
    a copy of the same database with 2,000 tickets, but has no rate limits, no cache and no links
    to other pages. The shop has its limits on. It runs in gunicorn (one process, four threads),
    the app in uvicorn (one process). Four clients ask at the same time.

    "Less work" is how many times less processor time the shop uses for a request. Other programs
    on the machine disturb this figure less than the ratio of the requests.

    "Libraries alone" is a Flask app that only takes this one answer from Flask-Caching, behind a
    limit of Flask-Limiter. A shop that uses these two libraries cannot be faster.
    """
    data = seed(folder, customers=200, tickets=2000)
    shop, uncached, fastapi = start_shop(data), start_shop_without_cache(data), start_fastapi(data)
    yield "request", "shop", "FastAPI", "ratio", "goal", "", "less work"
    with running(shop, uncached, fastapi):
        yield fastapi_row("15 parts, not from the cache", uncached, fastapi, PARTS, 1.2)
        yield fastapi_row("one ticket, with a token", shop, fastapi, ONE_TICKET, 1.2)
        yield fastapi_row("100 tickets, with a token", shop, fastapi, TICKET_PAGE, 1.2)
        yield fastapi_row("15 parts, from the cache", shop, fastapi, PARTS, 3.1)
        _status, parts, _total = ask(shop, *PARTS)
        libraries = start_libraries(data, json.dumps(parts))
        with running(libraries):
            yield fastapi_row("15 parts, libraries alone", libraries, fastapi, PARTS)
        yield fastapi_row("one more piece of a part on a ticket", shop, fastapi, ASSIGN, 1.6)


def fastapi_row(name, server, fastapi, requests, goal=None):
    """Return the row that compares a server with the FastAPI app."""
    if goal:
        check_same_answers(server, fastapi, requests)
    speeds, others = take_turns(
        functools.partial(measure, server, requests), functools.partial(measure, fastapi, requests)
    )
    ratio = median_ratio(speeds, others)
    cells = ["", ""]
    if goal:
        cells = [f"at least {goal}", "reached" if ratio >= goal else "MISSED"]
    rates = rate_cell(speeds), rate_cell(others)
    return name, *rates, f"{ratio:.2f}", *cells, processor_cell(speeds, others)


GROWTH = {  # request: how many times longer it may take
    "GET /customers": 1.5,
    "GET /service_tickets": 1.5,
    "GET /service_tickets?page={middle}": 1.5,
    "GET /service_tickets/{last}": 1.5,
    "POST /ticket_inventory/{last}/assign-inventory/1": 1.5,
    "GET /mechanics/ranking": 100,
    "GET /customers?search=bianchi": 100,
}


def compare_sizes(folder):
    """How many times longer a request takes with 100,000 customers and 100,000 tickets than with
    1,000 of each. Less is better: 1.0 means that it does not matter how much is stored.

    No answer comes from the cache. One client sends one request after the other. The ranking and
    the search have to read every record: for them 100 times as long would be in proportion.
    """
    small_data, large_data = seed(folder, 1_000, 1_000), seed(folder, 100_000, 100_000)
    small, large = start_shop_without_cache(small_data), start_shop_without_cache(large_data)
    yield "request", "with 1,000", "with 100,000", "ratio", "goal", ""
    with running(small, large):
        for request, goal in GROWTH.items():
            of_small = [request.format(middle=1_000 // 40, last=1_000)]
            of_large = [request.format(middle=100_000 // 40, last=100_000)]
            small_speeds, large_speeds = take_turns(
                functools.partial(measure, small, of_small, clients=1),
                functools.partial(measure, large, of_large, clients=1),
            )
            ratio = median_ratio(small_speeds, large_speeds)
            times = time_cell(small_speeds), time_cell(large_speeds)
            reached = "reached" if ratio <= goal else "MISSED"
            yield request, *times, f"{ratio:.2f}", f"at most {goal}", reached


def compare_with_sqlite(folder):
    """How many times longer a request takes than its SQL statements alone, executed by Python's
    sqlite3. The rest is spent on HTTP, Flask, the token, the rate limit, SQLAlchemy and JSON.

    No answer comes from the cache. One client sends one request after the other. There is no goal.
    """
    data = seed(folder, customers=200, tickets=2000)
    shop = start_shop_without_cache(data)
    yield "request", "shop", "SQL alone", "ratio", "statements"
    with running(shop):
        for request in (PARTS[0], ONE_TICKET[0], TICKET_PAGE[0], ASSIGN[0]):
            file = copy(data.file)
            statements = record_statements(file, request, data.token)
            with contextlib.closing(sqlite3.connect(file)) as connection:
                connection.execute("PRAGMA foreign_keys = ON")  # as the shop does
                speeds, others = take_turns(
                    functools.partial(measure, shop, [request], clients=1),
                    functools.partial(measure_sql, connection, statements),
                )
            ratio = median_ratio(others, speeds)
            yield request, time_cell(speeds), time_cell(others), f"{ratio:.1f}", len(statements)


def record_statements(file, request, token):
    """Return the SQL statements, with their parameters, that the shop executes for a request."""
    import sqlalchemy as sa

    from mechanic_shop import db

    statements = []

    def record(connection, cursor, statement, parameters, *_rest):
        statements.append((statement, parameters))

    method, path = request.split()
    with open_shop(file) as app:
        sa.event.listen(db.engine, "before_cursor_execute", record)
        for _time in range(2):  # the first time also fills what the second one only changes
            statements.clear()
            headers = {"Authorization": f"Bearer {token}"}
            app.test_client().open(path, method=method, headers=headers)
    return statements


# === The tables ===================================================================================

SECTIONS = {
    "fastapi": compare_with_fastapi,
    "growth": compare_sizes,
    "sqlite": compare_with_sqlite,
}


def print_section(section):
    """Print what a section means, and its table."""
    lines = section.__doc__.strip().splitlines()
    print("", *(line.strip() for line in lines), "", sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        rows = [list(map(str, row)) for row in section(folder)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = map(str.rjust, others, widths[1:])
        print(first.ljust(widths[0]), *cells, sep="  ")


def main():
    """Print the sections that the command line names, or all."""
    names = sys.argv[1:] or list(SECTIONS)
    if unknown := set(names) - set(SECTIONS):
        sys.exit(f"There is no section {', '.join(unknown)}, only {', '.join(SECTIONS)}.")
    packages = ("flask", "fastapi", "gunicorn", "httptools", "pydantic", "uvicorn")
    if missing := [name for name in packages if importlib.util.find_spec(name) is None]:
        install = f"{sys.executable} -m pip install -r {REQUIREMENTS}"
        sys.exit(f"Not installed: {', '.join(missing)}. To install what is missing:\n{install}")
    for variable in list(os.environ):  # settings of a shop that is not the measured one
        if variable.startswith("FLASK_") or variable in ("SQLALCHEMY_DATABASE_URI", "REDIS_URL"):
            del os.environ[variable]
    os.environ["SECRET_KEY"] = "a key that is only good for measuring"
    cores, python = os.cpu_count(), platform.python_version()
    print(f"Python {python}, SQLite {sqlite3.sqlite_version}, {cores} cores")
    for name in names:
        print_section(SECTIONS[name])


if __name__ == "__main__":
    main()
