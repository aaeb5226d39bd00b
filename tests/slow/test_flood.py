"""Floods: what many callers send at once does not fill the memory of the process."""

import re
from collections import Counter
from pathlib import Path

import pytest
from harness.servers import at_once, staffed_server
from harness.shop import PASSWORD

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc tells the memory"),
]


@pytest.fixture
def server(database_url):
    """The development server, whose limits are those of the shop."""
    with staffed_server(database_url) as server:
        yield server


def memory(server, what):
    """Return how many MB the server has now (VmRSS), or had at most (VmHWM)."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(rf"{what}:\s+([0-9]+) kB", status)[1]) / 1000


def test_passwords_of_many_callers_take_little_memory(server):
    person = {"first_name": "P", "last_name": "Q", "password": PASSWORD}

    def register_and_log_in(number):
        email = {"email": f"p{number}@x.example"}
        register = server.call("POST", "/customers", person | email).status_code
        login = email | {"password": PASSWORD}
        return register, server.call("POST", "/customers/login", login).status_code

    assert Counter(at_once(30, register_and_log_in)) == {(201, 200): 30}
    assert memory(server, "VmHWM") < 300  # 30 hashes at once would take 960


def test_long_emails_of_refused_logins_are_not_kept(server):
    def log_in(number):
        for attempt in range(40):
            login = {"email": f"{number}-{attempt}-{'x' * 60_000}@x.example", "password": PASSWORD}
            assert server.call("POST", "/mechanics/login", login).status_code in (400, 429)

    at_once(8, log_in)
    before = memory(server, "VmRSS")
    at_once(8, log_in)
    at_once(8, log_in)
    assert memory(server, "VmRSS") < before + 20  # all emails together are 38
