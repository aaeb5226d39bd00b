"""Compare the shop's speed with that of a FastAPI app, on this machine, in under three minutes.

    pip install -r tests/benchmark/requirements.txt
    python tests/benchmark/benchmark.py

FastAPI with SQLAlchemy, pydantic and slowapi is what many would take instead; peer.py is such an
app, which does the same work. Both answer from copies of one database: the shop in gunicorn with
one process and four threads, the app in uvicorn with one process. Their rate limits are on, but
refuse nobody. Four clients ask at once.

Times differ from machine to machine, so the table shows ratios alone: how many requests one server
answers while another one answers one. They take turns, and a ratio is the median of all turns. The
second ratio is that of the processor time for a request, which other programs disturb less.
Nothing fails when a goal is missed.
"""

import contextlib
import itertools
import math
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

from harness.servers import ROOT, at_once, running_server  # noqa: E402
from harness.shop import SECRET  # noqa: E402

CLIENTS, TURNS, TURN = 4, 31, 0.15  # a turn is so many seconds
NO_LIMIT = "100000000/minute"
SETTINGS = {"SECRET_KEY": SECRET, "FLASK_RATELIMIT_DEFAULT": NO_LIMIT, "RATE_LIMIT": NO_LIMIT}
SAME_HEADERS = ("Content-Type", "X-Total-Count", "Link", "Location", "X-RateLimit-Limit")
TICKETS = range(1, 2001, 100)
PARTS = ["GET /inventory"]
ONE_TICKET = [f"GET /service_tickets/{number}" for number in TICKETS]
MANY_TICKETS = ["GET /service_tickets?per_page=100"]
PUT_ON = [f"POST /ticket_inventory/{number}/assign-inventory/1" for number in TICKETS]

# === Data and servers =============================================================================


def seed(folder, customers, tickets):
    """Make a database with so many customers and tickets, and plenty of each part in stock."""
    file = Path(folder) / f"{tickets}.db"
    command = [sys.executable, ROOT / "seed.py", f"--customers={customers}", f"--tickets={tickets}"]
    settings = os.environ | {"DATABASE_URL": f"sqlite:///{file}"}
    subprocess.run(command, env=settings, stdout=subprocess.DEVNULL, check=True)
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE inventory SET quantity = 1000000")
        connection.commit()
    return file


def settings_with_copy(file):
    """Return the settings of a server, which has a copy of the database for itself."""
    copy = Path(tempfile.mkdtemp(dir=file.parent)) / "shop.db"
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("VACUUM INTO ?", [str(copy)])
    return SETTINGS | {"DATABASE_URL": f"sqlite:///{copy}", "REDIS_URL": ""}


@contextlib.contextmanager
def running_shop(file, **settings):
    """Serve the shop while the block runs; it knows a token of a mechanic."""
    settings |= settings_with_copy(file)
    with running_server(workers=1, threads=4, **settings) as server:
        account = {"email": "ana@shop.example", "password": "turn-the-wrench"}
        server.token = server.call("POST", "/mechanics/login", account).json["token"]
        yield server


# === Measuring ====================================================================================


def check_same_answers(servers, requests):
    """Stop unless all servers answer alike, and with success."""
    for method, path in map(str.split, requests):
        answers = [server.call(method, path, token=server.token) for server in servers]
        seen = [(a.status_code, a.json, *map(a.headers.get, SAME_HEADERS)) for a in answers]
        if seen[0][0] >= 300 or any(one != seen[0] for one in seen):
            sys.exit(f"{method} {path} is not answered alike: {seen}")


def keep_asking(server, requests, end):
    """Send one request after the other on one connection; return how many were answered."""
    headers = f"Host: shop\r\nAuthorization: Bearer {server.token}\r\nContent-Length: 0\r\n\r\n"
    messages = [f"{request} HTTP/1.1\r\n{headers}".encode() for request in requests]
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection,
        connection.makefile("rb") as answers,
    ):
        for count, message in enumerate(itertools.cycle(messages), 1):
            connection.sendall(message)
            if not (status := answers.readline()).startswith(b"HTTP/1.1 2"):
                raise RuntimeError(f"A server answered: {status}")
            while (line := answers.readline().lower()) != b"\r\n":
                if line.startswith(b"content-length:"):
                    length = int(line.split()[1])
            answers.read(length)
            if time.perf_counter() >= end:
                return count


def processor_time(server):
    """Return the processor time that a server has used so far. Only Linux tells; else it is 0."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # a process has ended
            fields = file.read_text().rpartition(")")[2].split()
            if int(fields[2]) == server.process.pid:  # a process of the server's group
                ticks += int(fields[11]) + int(fields[12])
    return ticks


def take_turn(server, requests):
    """Return how many requests were answered in a second, and the processor time for each."""
    used, start = processor_time(server), time.perf_counter()
    count = sum(at_once(CLIENTS, lambda _n: keep_asking(server, requests, start + TURN)))
    return count / (time.perf_counter() - start), (processor_time(server) - used) / count


def compare(what, server, other, requests, goal):
    """Print how many requests a server answers while another one answers one."""
    turns = [[take_turn(s, requests) for s in (server, other)] for _turn in range(TURNS + 1)]
    del turns[0]  # it warms up
    ratio = statistics.median(own / others for (own, _used), (others, _others_used) in turns)
    used, others_used = (sum(turn[i][1] for turn in turns) for i in (0, 1))
    in_time = others_used / (used or math.nan)
    word, limit = goal.split()
    missed = ratio < float(limit) if word == "over" else ratio > float(limit)
    print(f"{what:44} {ratio:5.2f} {in_time:10.2f}   {goal}{' MISSED' * missed}")


def main():
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        print("requests while the FastAPI app answers one   ratio  processor   goal")
        file = seed(folder, 200, 2_000)
        with (
            running_shop(file, FLASK_CACHE_TYPE="NullCache") as shop,
            running_shop(file) as cached,
            running_server(["peer.py"], folder=HERE, **settings_with_copy(file)) as peer,
        ):
            peer.token = shop.token
            for requests in (PARTS, ONE_TICKET, MANY_TICKETS, PUT_ON):
                check_same_answers([shop, cached, peer], requests)
            compare("15 parts", shop, peer, PARTS, "over 1.2")
            compare("one ticket", shop, peer, ONE_TICKET, "over 1.2")
            compare("100 tickets", shop, peer, MANY_TICKETS, "over 1.1")
            compare("a part put on a ticket", shop, peer, PUT_ON, "over 1.5")
            compare("15 parts, as users run it (cache)", cached, peer, PARTS, "over 3.5")
            compare("100 tickets, as users run it (cache)", cached, peer, MANY_TICKETS, "over 5")
        print("times longer with 100,000 customers and tickets instead of 1,000")
        files = seed(folder, 1_000, 1_000), seed(folder, 100_000, 100_000)
        with (
            running_shop(files[0], FLASK_CACHE_TYPE="NullCache") as small,
            running_shop(files[1], FLASK_CACHE_TYPE="NullCache") as large,
        ):
            compare("first page of customers", small, large, ["GET /customers"], "under 1.5")
            compare("first page of tickets", small, large, ["GET /service_tickets"], "under 1.5")


if __name__ == "__main__":
    main()
