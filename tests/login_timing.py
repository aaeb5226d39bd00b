"""Measure the logins of a shop that really runs: python tests/login_timing.py

Prints the median times of logins with an unknown email, a wrong password and the right one,
which shall not tell them apart, and how long readers wait while 20 clients log in.
"""

import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from servers import running_server

EVE = {
    "first_name": "Eve",
    "last_name": "Example",
    "email": "eve@x.example",
    "password": "correct-horse",
}
RIGHT = {"email": EVE["email"], "password": EVE["password"]}
LOGINS = {
    "unknown email": RIGHT | {"email": "nobody@x.example"},
    "wrong password": RIGHT | {"password": "wrong-horse"},
    "right password": RIGHT,
}
LOGIN = "/customers/login"
ROUNDS = 100
CLIENTS = 20
SECONDS = 5
UNLIMITED = {"FLASK_RATELIMIT_ENABLED": "false"}


def milliseconds(call):
    """Return how long a call takes."""
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000


def show(title, times):
    """Print the spread of some times."""
    times = sorted(times)
    percent = [times[int(len(times) * share)] for share in (0.25, 0.5, 0.75, 0.95)]
    spread = "  ".join(f"{value:8.2f}" for value in (*percent, times[-1]))
    print(f"{title:45} {len(times):6}  {spread}")


def compare_logins(server):
    """Measure the kinds of logins in turn, in random order."""
    times = {name: [] for name in LOGINS}
    for _ in range(ROUNDS):
        for name in random.sample(list(LOGINS), len(LOGINS)):
            body = LOGINS[name]
            times[name].append(milliseconds(lambda body=body: server.call("POST", LOGIN, body)))
    for name, values in times.items():
        show(f"login, {name}", values)
    unknown, wrong = (statistics.median(times[name]) for name in list(LOGINS)[:2])
    noise = statistics.quantiles(times["wrong password"], n=4)
    print(f"medians differ by {abs(unknown - wrong):.2f} ms; half of the logins with a wrong")
    print(f"password lie within {noise[2] - noise[0]:.2f} ms\n")


def measure_reads(title, server, seconds, ends=lambda: False):
    """Measure reads, one after the other, until the time is over or it ends."""
    deadline = time.monotonic() + seconds
    times = []
    while time.monotonic() < deadline and not ends():
        times.append(milliseconds(lambda: server.call("GET", "/inventory")))
        time.sleep(0.02)
    if times:
        show(title, times)


def measure_flood(title, server):
    """Measure reads before and while 20 clients log in as fast as they may."""
    measure_reads(f"reads, {title}, quiet", server, SECONDS / 3)
    over = threading.Event()
    answers = Counter()

    def flood(number):
        body = LOGINS["wrong password"] | {"email": f"{number}@x.example"}
        while not over.is_set():
            answers[server.call("POST", LOGIN, body).status_code] += 1

    clients = [threading.Thread(target=flood, args=[number]) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        until_429 = (2 * SECONDS, lambda: answers[429])
        measure_reads(f"reads, {title}, {CLIENTS} log in", server, *until_429)
        if answers[429]:
            measure_reads("    and after the first 429", server, SECONDS)
    finally:
        over.set()
        for client in clients:
            client.join()
    print(f"    the logins were answered {dict(answers)}")


def main():
    """Run all measurements, on databases that are deleted afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/shop.db"
        os.environ["SECRET_KEY"] = "a key that is only good for measuring"
        print(f"{'milliseconds':45} {'calls':>6}  ", end="")
        print("  ".join(f"{name:>8}" for name in ("25 %", "median", "75 %", "95 %", "longest")))
        with running_server(**UNLIMITED) as server:
            server.call("POST", "/customers", EVE)
            compare_logins(server)
        limits = {"FLASK_RATELIMIT_DEFAULT": "100000/minute"}  # the logins keep their limits
        with running_server(**limits) as server:
            measure_flood("development server", server)
        with running_server(workers=1, **limits) as server:
            measure_flood("1 process, 8 threads", server)
        with running_server(workers=2, **limits) as server:
            measure_flood("2 processes, 8 threads", server)
        with running_server(workers=1, **UNLIMITED) as server:
            measure_flood("1 process, no limits", server)
        with running_server(workers=2, **UNLIMITED) as server:
            measure_flood("2 processes, no limits", server)


if __name__ == "__main__":
    main()
