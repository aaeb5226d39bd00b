"""gunicorn: bodies in chunks, long bodies, and a prefix, which only come in over a socket."""

import json
import socket

import pytest
from harness.servers import running_server
from harness.shop import PASSWORD, SECRET

pytestmark = [pytest.mark.slow, pytest.mark.once]
CHUNKED = ["Content-Type: application/json", "Transfer-Encoding: chunked"]
EVE = {"first_name": "Eve", "last_name": "Example", "email": "eve@x.example", "password": PASSWORD}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The shop, served by gunicorn."""
    url = f"sqlite:///{tmp_path_factory.mktemp('gunicorn')}/shop.db"
    with running_server(workers=1, DATABASE_URL=url, SECRET_KEY=SECRET) as server:
        yield server


def answer_to(server, route, *headers, body=b""):
    """Send a request as it is written here; return the status and the whole answer."""
    lines = [f"{route} HTTP/1.1", *headers, "Host: shop", "Connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode() + body)
        connection.shutdown(socket.SHUT_WR)
        text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    return int(text.split()[1]), text


def in_chunks(fields, trailer=b""):
    body = json.dumps(fields).encode()
    return b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(body), body, trailer)


def test_body_in_chunks_is_read(server):
    status, text = answer_to(server, "POST /customers", *CHUNKED, body=in_chunks(EVE))
    assert status == 201, text


def test_forbidden_trailer_gives_no_further_guesses_of_a_password(server):
    guess = {"email": EVE["email"], "password": "a-wrong-guess"}
    chunks = in_chunks(guess, trailer=b"Authorization: x\r\n")
    statuses = [
        answer_to(server, "POST /customers/login", *CHUNKED, body=chunks)[0] for _ in range(15)
    ]
    statuses += [server.call("POST", "/customers/login", guess).status_code for _ in range(15)]
    assert set(statuses) <= {400, 401, 429}
    assert statuses.count(401) <= 10
    assert statuses[-1] == 429


@pytest.mark.parametrize("chunks", [b"zz\r\n{}\r\n0\r\n\r\n", b"5\r\n{}", b"-1\r\n\r\n", b""])
@pytest.mark.parametrize("route", ["POST /customers", "POST /mechanics/login", "GET /"])
def test_malformed_chunks_are_no_failure_of_the_shop(server, route, chunks):
    status, text = answer_to(server, route, *CHUNKED, body=chunks)
    assert status in ((200, 400) if route == "GET /" else (400, 429)), text
    assert "Traceback" not in server.log()


@pytest.mark.parametrize("header", ["Content-Length: 70000", "Transfer-Encoding: chunked"])
def test_body_over_64_kib_is_refused(server, header):
    long = EVE | {"address": "x" * (70_000 - len(json.dumps(EVE | {"address": ""})))}
    body = in_chunks(long) if "chunked" in header else json.dumps(long).encode()
    status, text = answer_to(server, "POST /customers", CHUNKED[0], header, body=body)
    assert status == 413, text


def test_script_name_of_a_caller_reaches_no_link(server):
    forged = "SCRIPT_NAME: //evil.example"
    status, text = answer_to(server, "GET //evil.example/inventory?per_page=3", forged)
    assert status == 200
    assert "evil" not in text
    cached = server.call("GET", "/inventory?per_page=3")
    assert cached.headers["hit_cache"] == "True"
    assert cached.headers["Link"].startswith("</inventory?page=1&per_page=3>")
