"""Floods: what many callers send at once does not fill the memory of the process."""

import re
from collections import Counter
from pathlib import Path

import pytest
from harness.servers import at_once, staffed_server
from harness.shop import PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.once]
STATUS = Path("/proc/self/status")


@pytest.mark.skipif(not STATUS.exists(), reason="/proc tells the memory")
def test_passwords_of_many_callers_take_little_memory(database_url):
    person = {"first_name": "P", "last_name": "Q", "password": PASSWORD}

    def register_and_log_in(number):
        email = {"email": f"p{number}@x.example"}
        register = server.call("POST", "/customers", person | email).status_code
        login = email | {"password": PASSWORD}
        return register, server.call("POST", "/customers/login", login).status_code

    with staffed_server(database_url) as server:
        assert Counter(at_once(30, register_and_log_in)) == {(201, 200): 30}
        status = Path(str(STATUS).replace("self", str(server.process.pid))).read_text()
    most = int(re.search(r"VmHWM:\s+([0-9]+) kB", status)[1])
    assert most < 300_000  # 30 hashes at once would take 960,000
