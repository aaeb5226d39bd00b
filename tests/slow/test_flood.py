"""The development server while many callers send passwords: it stays small and answers others."""

import contextlib
import re
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from harness.servers import at_once, staffed_server
from harness.shop import PASSWORD


@pytest.fixture
def server(database_url):
    """The development server, whose limits are those of the shop."""
    with staffed_server(database_url) as server:
        yield server


@contextlib.contextmanager
def reading(server):
    """Read the list of parts again and again in the block; gives how many seconds each took."""
    seconds, done = [], Event()

    def read():
        while not done.is_set():
            start = time.monotonic()
            assert server.call("GET", "/inventory").status_code == 200
            seconds.append(time.monotonic() - start)
            time.sleep(0.02)

    with ThreadPoolExecutor(1) as reader:
        running = reader.submit(read)
        try:
            yield seconds
        finally:
            done.set()
            running.result()


def most_memory(process):
    """Return how many MB a process has had at most."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+([0-9]+) kB", status)[1]) / 1000


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc tells the memory")
def test_passwords_of_many_callers_take_little_memory_and_leave_time_to_others(server):
    people = [
        {"first_name": "P", "last_name": "Q", "email": f"p{number}@x.example", "password": PASSWORD}
        for number in range(60)
    ]

    def register(number):
        return server.call("POST", "/customers", people[number]).status_code

    def log_in(number):
        body = {"email": people[registered[number]]["email"], "password": PASSWORD}
        return server.call("POST", "/customers/login", body).status_code

    with reading(server) as seconds:
        statuses = at_once(60, register)
        registered = [number for number, status in enumerate(statuses) if status == 201]
        assert set(statuses) <= {201, 429}
        assert len(registered) >= 30
        assert Counter(at_once(30, log_in)) == {200: 30}
    assert len(seconds) > 5
    assert statistics.median(seconds) < 1
    assert most_memory(server.process) < 300
