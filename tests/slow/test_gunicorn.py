"""What only a socket and gunicorn show: bodies in chunks, and a prefix that a proxy passes on."""

import json
import socket

import pytest
from harness.servers import running_server
from harness.shop import SECRET

pytestmark = pytest.mark.slow

JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
LOGIN = {"email": "ana@x.example", "password": "a-guess"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The shop, served by gunicorn."""
    url = f"sqlite:///{tmp_path_factory.mktemp('gunicorn')}/shop.db"
    with running_server(workers=1, DATABASE_URL=url, SECRET_KEY=SECRET) as server:
        yield server


def answer_to(server, head, body=b""):
    """Send a request as it is written here; return the status and the whole answer."""
    head = "".join(f"{line}\r\n" for line in (*head, "Host: shop", "Connection: close", ""))
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(head.encode() + body)
        text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    return int(text.split()[1]), text


def test_forbidden_trailer_after_a_body_in_chunks_does_not_switch_the_login_limit_off(server):
    body = json.dumps(LOGIN).encode()
    chunks = b"%x\r\n%s\r\n0\r\nAuthorization: x\r\n\r\n" % (len(body), body)
    head = ["POST /customers/login HTTP/1.1", JSON, CHUNKED]
    assert [answer_to(server, head, chunks)[0] for _ in range(15)] == [411] * 15
    guesses = [server.call("POST", "/customers/login", LOGIN).status_code for _ in range(11)]
    assert guesses == [401] * 10 + [429]
    assert "Rate limit storage" not in server.log()


@pytest.mark.parametrize("chunks", [b"zz\r\n{}\r\n0\r\n\r\n", b"5\r\n{}", b"-1\r\n\r\n", b""])
def test_malformed_chunks_are_refused_before_they_are_read(server, chunks):
    for route in ("POST /inventory", "PATCH /customers/1", "POST /customers/login", "GET /"):
        status, text = answer_to(server, [f"{route} HTTP/1.1", JSON, CHUNKED], chunks)
        assert status == 411, text
    assert "Traceback" not in server.log()


def test_script_name_of_a_caller_reaches_no_link(server):
    head = ["GET //evil.example/inventory?per_page=3 HTTP/1.1", "SCRIPT_NAME: //evil.example"]
    status, text = answer_to(server, head)
    assert status == 200
    assert "evil" not in text
    cached = server.call("GET", "/inventory?per_page=3")
    assert cached.headers["hit_cache"] == "True"
    assert cached.headers["Link"].startswith("</inventory?page=1&per_page=3>")
