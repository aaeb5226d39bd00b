"""Measure how close the shop is to what is possible on this machine.

    python tests/benchmark.py                   everything, in less than two minutes
    python tests/benchmark.py cached tickets    only these sections

Times on one machine say little about another one, so the table shows ratios. The shop takes
turns with references that do the same work:

    bare         a Flask app whose only view returns the same bytes
    libraries    bare, with Flask-Limiter and Flask-Caching as most apps use them
    floor        the same SQL and JSON with sqlite3 and json alone, without any framework
    at 1,000     the shop with 1,000 tickets and 100 customers, for one with 100 times as many

Each ratio is the median of the ratios in all rounds. The rate limits are on, and so high that
they refuse nobody. Goals stand beside the figures; nothing fails when one is missed.
"""

import contextlib
import functools
import gc
import io
import itertools
import json
import multiprocessing
import os
import platform
import re
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import sqlalchemy as sa
from flask import Flask, Response
from flask_caching import Cache
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from servers import ROOT, Server
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.test import EnvironBuilder

from mechanic_shop import create_app, db, encode_token, token_required

NO_LIMIT = "100000000/minute"
PASSWORD = "correct-horse"
SPAWN = multiprocessing.get_context("spawn")  # processes that inherit nothing

# === Measuring ====================================================================================


def seconds(call, repeat=1):
    """Return how long a call takes, on average over so many in a row."""
    start = time.perf_counter()
    for _ in range(repeat):
        call()
    return (time.perf_counter() - start) / repeat


def take_turns(rounds, timers):
    """Run the timers in turns, A B C A B C; return the seconds that each gave, round by round."""
    for timer in timers.values():  # once before, which fills the caches
        timer()
    times = {name: [] for name in timers}
    for _ in range(rounds):
        for name, timer in timers.items():
            times[name].append(timer())
    return times


def time_calls(rounds, repeat, **calls):
    """Time some calls in turns, each so many times in a row."""
    timers = {name: functools.partial(seconds, call, repeat) for name, call in calls.items()}
    return take_turns(rounds, timers)


def median_ratio(times, one, other):
    """Return the median of the ratios in all rounds."""
    return statistics.median(a / b for a, b in zip(times[one], times[other], strict=True))


def duration(times):
    """Return the median of some seconds as text."""
    median = statistics.median(times)
    return f"{median * 1e6:,.0f} µs" if median < 0.01 else f"{median * 1e3:,.1f} ms"


def goal(text, met):
    """Return the last two columns of a row."""
    return text, "yes" if met else "NO"


def ratio_row(work, times, reference, at_most=None, name="shop"):
    """Return the row that compares a time with a reference."""
    ratio = median_ratio(times, name, reference)
    compared = f"{reference} {duration(times[reference])}"
    row = (work, duration(times[name]), compared, f"{ratio:.2f} x")
    return row if at_most is None else (*row, *goal(f"at most {at_most} x", ratio <= at_most))


def statements_row(work, statements, at_most):
    """Return the row that counts SQL statements."""
    count = len(statements)
    return (work, "", "", f"{count} statements", *goal(f"at most {at_most}", count <= at_most))


# === The shop =====================================================================================


def accounts(count, domain):
    """Return the columns of so many accounts, all with one password."""
    same = {"last_name": "Example", "password": generate_password_hash(PASSWORD)}
    each = [{"first_name": f"N{n}", "email": f"{n}@{domain}.example"} for n in range(1, count + 1)]
    return [same | own for own in each]


def fill():
    """Store 100 parts and 100 tickets, with 2 of 7 mechanics and 3 of 15 parts on each."""
    numbers = range(1, 101)
    work = {"vin": "1HGCM82633A004352", "service_desc": "Oil change and filter", "price": 49.9}
    pieces = {"quantity": 2, "unit_price": 9.95}
    workers = [(n, (n + step) % 7 + 1) for n in numbers for step in (0, 3)]
    lines = [(n, (n + step) % 15 + 1) for n in numbers for step in (0, 4, 9)]
    tables = {
        "customers": accounts(20, "customer"),
        "mechanics": accounts(7, "mechanic"),
        "inventory": [{"name": f"part {n}", "price": n + 0.5, "quantity": 10**6} for n in numbers],
        "service_tickets": [work | {"customer_id": n % 20 + 1} for n in numbers],
        "service_mechanic": [{"ticket_id": t, "mechanic_id": m} for t, m in workers],
        "ticket_inventory": [pieces | {"ticket_id": t, "inventory_id": i} for t, i in lines],
    }
    for table, rows in tables.items():
        db.session.execute(sa.insert(db.metadata.tables[table]), rows)
    db.session.commit()


def open_shop(database, **settings):
    """Return the shop on a database file."""
    settings |= {"SQLALCHEMY_DATABASE_URI": f"sqlite:///{database}", "RATELIMIT_DEFAULT": NO_LIMIT}
    return create_app(settings | {"CACHE_NO_NULL_WARNING": True})


def new_shop(folder, **settings):
    """Return a new, filled shop, its database file, and a mechanic's token."""
    database = Path(folder) / "shop.db"
    app = open_shop(database, **settings)
    with app.app_context():
        fill()
        return app, database, encode_token(1)


def make_call(app, path, token=None, *, method="GET", body=None, expected="200", headers=None):
    """Return a function that sends a request into an app, and returns the body and the headers.

    No client stands between: what is measured is the app. Raises RuntimeError when the status
    does not begin as expected.
    """
    headers = dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
    environ = EnvironBuilder(path, method=method, json=body, headers=headers).get_environ()
    sent = environ["wsgi.input"].read()

    def call(**changes):
        start = []
        changes["wsgi.input"] = io.BytesIO(sent)
        chunks = app(environ | changes, lambda *arguments: start.extend(arguments))
        with contextlib.closing(chunks):
            data = b"".join(chunks)
        if not start[0].startswith(expected):
            raise RuntimeError(f"{method} {path} was answered {start[0]}: {data[:200]}")
        return data, dict(start[1])

    return call


def record_statements(app, call):
    """Return the SQL statements of a call, each with its parameters."""
    statements = []
    with app.app_context():
        engine = db.engine

    def note(connection, cursor, statement, parameters, *_rest):
        statements.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    call()
    sa.event.remove(engine, "before_cursor_execute", note)
    return statements


# === The references ===============================================================================


def make_bare(body):
    """Return a Flask app that answers these bytes."""
    app = Flask(__name__, static_folder=None)

    @app.get("/inventory")
    @app.get("/health")  # where a Server looks whether it runs
    def answer():
        return Response(body, mimetype="application/json")

    return app


def make_libraries(body):
    """Return a Flask app that answers these bytes from a cache, with a rate limit."""
    app = Flask(__name__, static_folder=None)
    cache = Cache(app, config={"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 60})
    settings = {"default_limits": [NO_LIMIT], "storage_uri": "memory://", "headers_enabled": True}
    Limiter(get_remote_address, app=app, **settings)

    @app.get("/inventory")
    @app.get("/health")
    @cache.cached(query_string=True)
    def answer():
        return Response(body, mimetype="application/json")

    return app


INVENTORY = ("id", "name", "price", "quantity")
TICKET = ("id", "customer_id", "vin", "service_desc", "service_date", "price")
MECHANIC = ("id", "first_name", "last_name")
LINE = ("inventory_id", "name", "quantity", "unit_price")
MECHANICS_OF = """
    SELECT ticket_id, id, first_name, last_name
    FROM service_mechanic JOIN mechanics ON mechanics.id = mechanic_id
    WHERE ticket_id IN ({}) ORDER BY ticket_id, id"""
LINES_OF = """
    SELECT ticket_id, inventory_id, name, line.quantity, unit_price
    FROM ticket_inventory AS line JOIN inventory ON inventory.id = inventory_id
    WHERE ticket_id IN ({}) ORDER BY ticket_id, inventory_id"""


def read_page(database, table, columns):
    """Return the first 100 rows of a table, each as a dict. All are counted, as the shop does."""
    database.execute(f"SELECT count(*) FROM {table}").fetchone()
    rows = database.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY id LIMIT 100")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def read_inventory(database):
    """Return the first 100 parts as JSON."""
    return json.dumps(read_page(database, "inventory", INVENTORY))


def read_tickets(database):
    """Return the first 100 tickets, with the mechanics and the parts on them, as JSON."""
    tickets = {row["id"]: row for row in read_page(database, "service_tickets", TICKET)}
    for ticket in tickets.values():
        ticket.update(mechanics=[], parts=[])
    marks = ",".join("?" * len(tickets))
    for ticket_id, *row in database.execute(MECHANICS_OF.format(marks), list(tickets)):
        tickets[ticket_id]["mechanics"].append(dict(zip(MECHANIC, row, strict=True)))
    for ticket_id, *row in database.execute(LINES_OF.format(marks), list(tickets)):
        tickets[ticket_id]["parts"].append(dict(zip(LINE, row, strict=True)))
    for ticket in tickets.values():
        parts = sum(line["quantity"] * line["unit_price"] for line in ticket["parts"])
        ticket["total"] = round(ticket["price"] + parts, 2)
    return json.dumps(list(tickets.values()))


def compare_with_floor(shop, read, database):
    """Time the shop and its floor in turns. Raises RuntimeError if they answer differently."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        floor = functools.partial(read, connection)
        if json.loads(shop()[0]) != json.loads(floor()):
            raise RuntimeError("The shop and the floor do not answer the same.")
        return time_calls(15, 10, shop=shop, floor=floor)


# === One request at a time ========================================================================


def measure_cached(folder):
    """Measure answers from the cache, and those that only say that nothing has changed."""
    app, _database, _token = new_shop(folder)
    shop = make_call(app, "/inventory")
    body, headers = shop()
    known = {"If-None-Match": headers["ETag"]}
    calls = {
        "bare": make_call(make_bare(body), "/inventory"),
        "libraries": make_call(make_libraries(body), "/inventory"),
        "shop": shop,
        "unchanged": make_call(app, "/inventory", headers=known, expected="304"),
    }
    times = time_calls(25, 100, **calls)
    times["cached 200"] = times["shop"]
    yield ratio_row("GET /inventory, cached", times, "libraries", 1.2)
    yield ratio_row("GET /inventory, cached", times, "bare")
    yield ratio_row("GET /inventory, 304", times, "cached 200", 1.1, name="unchanged")


def measure_inventory(folder):
    """Measure a page of parts that is not cached."""
    app, database, _token = new_shop(folder, CACHE_TYPE="NullCache")
    shop = make_call(app, "/inventory?per_page=100")
    times = compare_with_floor(shop, read_inventory, database)
    yield ratio_row("GET /inventory, 100 parts, uncached", times, "floor", 10)


def measure_tickets(folder):
    """Measure a page of tickets, with the mechanics and the parts on them."""
    app, database, token = new_shop(folder)
    shop = make_call(app, "/service_tickets?per_page=100", token)
    times = compare_with_floor(shop, read_tickets, database)
    yield ratio_row("GET /service_tickets, 100 tickets", times, "floor", 8)
    yield statements_row("GET /service_tickets", record_statements(app, shop), 5)


def measure_ticket(folder):
    """Measure one ticket, and the check of the token in it."""
    app, _database, token = new_shop(folder)
    shop = make_call(app, "/service_tickets/50", token)
    check = token_required(lambda: None)
    with app.test_request_context(headers={"Authorization": f"Bearer {token}"}):
        times = time_calls(15, 50, shop=shop, check=check)
    yield statements_row("GET /service_tickets/<id>", record_statements(app, shop), 6)
    yield "GET /service_tickets/<id>", duration(times["shop"])
    yield "check of a token", duration(times["check"])


def measure_login(folder):
    """Measure what a login takes besides the check of the password."""
    app, _database, _token = new_shop(folder)
    body = {"email": "1@mechanic.example", "password": PASSWORD}
    login = make_call(app, "/mechanics/login", method="POST", body=body)
    hosts = itertools.count(1)  # from each address one may log in ten times a minute
    password_hash = generate_password_hash(PASSWORD)
    calls = {
        "shop": lambda: login(REMOTE_ADDR=f"10.0.0.{next(hosts)}"),
        "hash": lambda: check_password_hash(password_hash, PASSWORD),
    }
    times = time_calls(21, 1, **calls)
    rest = statistics.median(a - b for a, b in zip(times["shop"], times["hash"], strict=True))
    compared = f"password hash {duration(times['hash'])}"
    row = ("POST /mechanics/login", duration(times["shop"]), compared, f"{rest * 1000:+.1f} ms")
    yield (*row, *goal("at most +5 ms", rest <= 0.005))


def copy_database(app, database, copy):
    """Return a connection to a copy of the shop's database, set up as the shop's own are."""
    connection = sqlite3.connect(copy)
    with contextlib.closing(sqlite3.connect(database)) as original:
        original.backup(connection)
    with app.app_context():
        for pragma in ("journal_mode", "foreign_keys", "synchronous"):
            value = db.session.scalar(sa.text(f"PRAGMA {pragma}"))
            connection.execute(f"PRAGMA {pragma} = {value}")
    return connection


def replay(connection, statements):
    """Execute statements in one transaction, and fetch what they find."""
    for statement, parameters in statements:
        connection.execute(statement, parameters).fetchall()
    connection.commit()


def measure_assign(folder):
    """Measure putting one more piece of a part on a ticket."""
    app, database, token = new_shop(folder)
    path = "/service_tickets/50/assign-inventory/1"
    shop = make_call(app, path, token, method="POST", expected="201")
    shop()  # adds the row that the calls after it change
    statements = record_statements(app, shop)
    with contextlib.closing(copy_database(app, database, f"{folder}/copy.db")) as connection:
        floor = functools.partial(replay, connection, statements)
        times = time_calls(25, 10, shop=shop, floor=floor)
    yield ratio_row("POST …/assign-inventory", times, "floor", 3)


# === Servers and processes ========================================================================


@contextlib.contextmanager
def serving(folder, *command, **variables):
    """Start a server in a process of its own, and kill it after the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables["GUNICORN_CMD_ARGS"] = f"--bind=127.0.0.1:{port}"  # the shop itself reads PORT
    with tempfile.TemporaryFile() as output:
        server = Server(command, port, folder, variables, output)
        try:
            yield server
        finally:
            server.kill()


def receive(connection):
    """Return what has arrived. Raises RuntimeError when the other side has hung up."""
    if data := connection.recv(65536):
        return data
    raise RuntimeError("A server hung up.")


def read_answer(connection):
    """Read one whole answer from a connection that stays open."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += receive(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"A server answered {head!r}.")
    missing = int(re.search(rb"(?i)content-length: (\d+)", head)[1]) - len(body)
    while missing > 0:
        missing -= len(receive(connection))


def keep_asking(port, end):
    """Ask on one connection, one request after the other; return how many were answered."""
    count = 0
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        while time.perf_counter() < end:
            connection.sendall(b"GET /inventory HTTP/1.1\r\nHost: shop.example\r\n\r\n")
            read_answer(connection)
            count += 1
    return count


def load(server):
    """Ask a server on four connections for a moment; return the seconds for one answer."""
    start = time.perf_counter()
    with ThreadPoolExecutor(4) as clients:
        count = sum(clients.map(keep_asking, [server.port] * 4, [start + 0.3] * 4))
    return (time.perf_counter() - start) / count


def rate_row(times, reference, at_least=None):
    """Return the row that compares the answers in a second with a reference."""
    ratio = median_ratio(times, reference, "shop")
    shop, compared = (f"{1 / statistics.median(times[n]):,.0f} /s" for n in ("shop", reference))
    row = ("GET /inventory, cached, gunicorn", shop, f"{reference} {compared}", f"{ratio:.2f} x")
    return row if at_least is None else (*row, *goal(f"at least {at_least} x", ratio >= at_least))


def measure_server(folder):
    """Measure how many cached answers gunicorn gives in a second, on four connections."""
    app, database, _token = new_shop(folder)
    body, _headers = make_call(app, "/inventory")()
    settings = {"DATABASE_URL": f"sqlite:///{database}", "FLASK_RATELIMIT_DEFAULT": NO_LIMIT}
    gunicorn = ("-m", "gunicorn", "--workers=1", "--threads=4")
    tests = ROOT / "tests"
    with (
        serving(tests, *gunicorn, f"benchmark:make_bare({body!r})") as bare,
        serving(tests, *gunicorn, f"benchmark:make_libraries({body!r})") as libraries,
        serving(ROOT, *gunicorn, "mechanic_shop:create_app()", **settings) as shop,
    ):
        servers = {"bare": bare, "libraries": libraries, "shop": shop}
        for server in servers.values():
            server.wait()
        times = take_turns(11, {name: functools.partial(load, s) for name, s in servers.items()})
    yield rate_row(times, "libraries", 0.9)
    yield rate_row(times, "bare")


def start_shop(database):
    """Start the shop, and return the seconds to its first answer."""
    start = time.perf_counter()
    with serving(ROOT, "mechanic_shop.py", DATABASE_URL=f"sqlite:///{database}") as server:
        while server.process.poll() is None:
            with contextlib.suppress(OSError):
                server.call("GET", "/health")
                return time.perf_counter() - start
            time.sleep(0.002)
        raise RuntimeError(f"The shop does not start: {server.log()}")


def import_packages():
    """Import the packages that the shop needs, in a process that ends right after."""
    packages = "flask, flask_sqlalchemy, flask_marshmallow, marshmallow_sqlalchemy"
    packages += ", flask_limiter, flask_caching, jose.jwt"
    command = f"import os, {packages}; os._exit(0)"  # nobody waits for the tidying up
    subprocess.run([sys.executable, "-c", command], check=True)


def measure_start(folder):
    """Measure the time from the command to the first answer."""
    _app, database, _token = new_shop(folder)
    timers = {"shop": functools.partial(start_shop, database)}
    timers["imports"] = functools.partial(seconds, import_packages)
    times = take_turns(7, timers)
    yield ratio_row("python mechanic_shop.py to first answer", times, "imports", 1.5)


def mixed_calls(app, token):
    """Return twenty cheap calls, as busy callers make them."""
    listing = make_call(app, "/inventory")
    known = {"If-None-Match": listing()[1]["ETag"]}
    unchanged = make_call(app, "/inventory", headers=known, expected="304")
    missing = make_call(app, "/inventory/999", expected="404")
    # Ten from an address are malformed, all others in that minute too many
    refused = make_call(app, "/customers/login", method="POST", body={}, expected="4")
    ticket = make_call(app, "/service_tickets/50", token)
    return [listing] * 10 + [unchanged] * 5 + [missing, refused] * 2 + [ticket]


def held_after(calls, count):
    """Make so many calls, from many addresses; return the MiB that this process holds then."""
    for number, call in zip(range(count), itertools.cycle(calls), strict=False):
        call(REMOTE_ADDR=f"10.0.0.{number % 250}")
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure_memory(folder):
    """Measure the memory that many requests leave behind. Only Linux tells."""
    if not Path("/proc/self/statm").exists():
        return
    app, _database, token = new_shop(folder)
    calls = mixed_calls(app, token)
    before, after = held_after(calls, 5_000), held_after(calls, 50_000)
    sizes = (f"{after:.1f} MiB", f"before {before:.1f} MiB", f"{after - before:+.2f} MiB")
    yield ("memory after 50,000 requests", *sizes, *goal("under +1 MiB", after - before < 1))


# === Growth =======================================================================================

GROWTH = {  # how many times longer a request of a role may take with 100 times the records
    ("mechanic", "GET", "/service_tickets"): 1.5,
    ("mechanic", "GET", "/service_tickets?page=<middle>"): 1.5,
    ("customer", "GET", "/customers/my-tickets"): 1.5,
    ("mechanic", "GET", "/mechanics/my-tickets"): 1.5,
    ("mechanic", "GET", "/service_tickets/<id>"): 1.5,
    ("mechanic", "POST", "/service_tickets/<id>/assign-inventory/1"): 1.5,
    ("mechanic", "GET", "/mechanics/ranking"): 100,
    ("mechanic", "GET", "/customers?search=bianchi&per_page=10"): 100,
}
grown_calls = {}  # of the one shop that this process has opened


def seed(database, tickets):
    """Fill a database as the README says, with a customer for each ten tickets."""
    command = [sys.executable, "seed.py", f"--tickets={tickets}", f"--customers={tickets // 10}"]
    variables = os.environ | {"DATABASE_URL": f"sqlite:///{database}"}
    subprocess.run(command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, check=True)


def open_grown_shop(database, tickets):
    """Fill a shop and open it, without a cache, with enough of all parts in stock."""
    seed(database, tickets)
    app = open_shop(database, CACHE_TYPE="NullCache")
    of_ten = "SELECT customer_id FROM service_tickets GROUP BY 1 HAVING count(*) = 10 LIMIT 1"
    with app.app_context():
        db.session.execute(sa.text("UPDATE inventory SET quantity = 1000000"))
        db.session.commit()
        customer_id = db.session.scalar(sa.text(of_ten))
        tokens = {"customer": encode_token(customer_id, "customer"), "mechanic": encode_token(1)}
    for request in GROWTH:
        role, method, path = request
        path = path.replace("<middle>", str(tickets // 40)).replace("<id>", str(tickets // 2))
        grown_calls[request] = make_call(app, path, tokens[role], method=method, expected="20")


def time_grown(request):
    """Return how long a request takes in the shop of this process."""
    return seconds(grown_calls[request], 4)


def ask(process, request):
    """Return how long a request takes in the shop of another process."""
    return process.submit(time_grown, request).result()


def measure_growth(folder):
    """Measure a shop with 1,000 and one with 100,000 tickets, each in a process of its own."""
    with (
        ProcessPoolExecutor(1, SPAWN, open_grown_shop, (f"{folder}/small.db", 1_000)) as small,
        ProcessPoolExecutor(1, SPAWN, open_grown_shop, (f"{folder}/large.db", 100_000)) as large,
    ):
        for request, at_most in GROWTH.items():
            timers = {"at 1,000": functools.partial(ask, small, request)}
            timers["shop"] = functools.partial(ask, large, request)
            work = f"at 100,000: {' '.join(request[1:])}"
            yield ratio_row(work, take_turns(11, timers), "at 1,000", at_most)


# === The table ====================================================================================

SECTIONS = {
    "cached": measure_cached,
    "server": measure_server,
    "inventory": measure_inventory,
    "tickets": measure_tickets,
    "ticket": measure_ticket,
    "login": measure_login,
    "assign": measure_assign,
    "growth": measure_growth,
    "start": measure_start,
    "memory": measure_memory,
}


def measure(name):
    """Return the rows of a section, on databases that are deleted afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        return list(SECTIONS[name](folder))


def print_table(rows):
    """Print rows in columns as wide as they need."""
    rows = [("work", "this shop", "reference", "figure", "goal", "met"), *rows]
    columns = itertools.zip_longest(*rows, fillvalue="")
    widths = [max(map(len, column)) for column in columns]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())


def main():
    """Measure the sections that the command line names, or all."""
    names = sys.argv[1:] or list(SECTIONS)
    if unknown := set(names) - set(SECTIONS):
        raise SystemExit(f"No section: {', '.join(unknown)}. There are: {', '.join(SECTIONS)}.")
    for variable in list(os.environ):
        if variable.startswith("FLASK_") or variable in ("DATABASE_URL", "HOST", "REDIS_URL"):
            del os.environ[variable]
    os.environ["SECRET_KEY"] = "a key that is only good for measuring"
    rows = []
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr)
        with ProcessPoolExecutor(1, SPAWN) as process:  # where nothing else has run
            rows += process.submit(measure, name).result()
    python, cores = platform.python_version(), os.cpu_count()
    print(f"Python {python}, SQLite {sqlite3.sqlite_version}, {cores} cores\n")
    print_table(rows)


if __name__ == "__main__":
    main()
