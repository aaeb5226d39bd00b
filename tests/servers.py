"""Servers that really run, and a look into their databases."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa

from mechanic_shop import db

ROOT = Path(__file__).parent.parent
GUNICORN = ["-m", "gunicorn", "mechanic_shop:create_app()", "--threads", "8", "--workers"]


def copy_shop(folder):
    """Put the shop alone into a new folder, and return the folder."""
    folder.mkdir()
    for name in ("mechanic_shop.py", "seed.py"):
        shutil.copy(ROOT / name, folder)
    return folder


class Answer:
    """What a server answered."""

    def __init__(self, response):
        self.status_code = response.status
        self.headers = response.headers
        self.content_type = response.headers["Content-Type"]
        self.data = response.read()

    def get_data(self, as_text=False):
        return self.data.decode() if as_text else self.data

    @property
    def json(self):
        return json.loads(self.data)


class Server:
    """A server in processes of its own, that can be called and killed."""

    def __init__(self, command, port, folder, variables, output):
        self.port = port
        self.output = output
        self.process = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env=os.environ | {"PORT": str(port)} | variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def call(self, method, path, body=None, token=None):
        """Send a request on a connection of its own, and return the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        with contextlib.closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            return Answer(connection.getresponse())

    def wait(self):
        """Return when the server answers; raises RuntimeError when it does not start."""
        for _attempt in range(600):
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.call("GET", "/health").status_code == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"The server does not answer: {self.log()}")

    def log(self):
        """Return all that the server has printed."""
        self.output.seek(0)
        return self.output.read().decode()

    def kill(self):
        """Kill all processes of the server at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def running_server(*, workers=0, folder=ROOT, **variables):
    """Serve the shop in a folder, in one process or with gunicorn, while the block runs.

    The variables are added to the environment.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["mechanic_shop.py"]
    if workers:
        command = [*GUNICORN, str(workers), "--bind", f"127.0.0.1:{port}"]
    with tempfile.TemporaryFile() as output:
        server = Server(command, port, folder, variables, output)
        try:
            server.wait()
            yield server
        finally:
            server.kill()


def at_once(clients, work):
    """Return what a function returns for each client's number, all called by threads at once."""
    barrier = threading.Barrier(clients)

    def begin(number):
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(clients) as threads:
        return list(threads.map(begin, range(clients)))


def everything(database_url):
    """Return all rows of all tables."""
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        tables = {
            table.name: sorted(map(repr, connection.execute(table.select())))
            for table in db.metadata.sorted_tables
        }
    engine.dispose()
    return tables
