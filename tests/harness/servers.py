"""Servers that really run: the shop's, and database servers and Redis of the tests' own."""

import contextlib
import glob
import http.client
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace

import redis
import sqlalchemy as sa
from flask import Response

from harness.shop import SECRET, add_account, open_shop, token_of
from mechanic_shop import db

ROOT = Path(__file__).parent.parent.parent


def copy_shop(folder):
    """Put the shop alone into a new folder, and return the folder."""
    folder.mkdir()
    for name in ("mechanic_shop.py", "seed.py"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "templates", folder / "templates")
    return folder


def free_port():
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def until(condition, seconds=60):
    """Wait until a condition is true, and return what it gave. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"This did not become true in {seconds} seconds: {condition}")
        time.sleep(0.02)
    return result


def at_once(callers, work):
    """Return what a function returns for each caller's number, all called by threads at once."""
    barrier = Barrier(callers)

    def begin(number):
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(callers) as threads:
        return list(threads.map(begin, range(callers)))


class Program:
    """A program that runs in the background, in a process group of its own."""

    ending = signal.SIGKILL

    def __init__(self, command, output, **options):
        self.command = list(map(str, command))
        self.output = output
        self.options = options
        self.start()

    def start(self):
        """Start the program, the first time or after a stop."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": self.output, "stderr": subprocess.STDOUT}
        self.process = subprocess.Popen(
            self.command, start_new_session=True, **streams, **self.options
        )

    def wait(self):
        """Return when the program answers. Raises RuntimeError when it ends instead."""
        until(lambda: self.process.poll() is not None or self.answers())
        if self.process.poll() is not None:
            raise RuntimeError(f"{' '.join(self.command)} has ended: {self.log()}")

    def stop(self, signal_number=signal.SIGKILL):
        """Stop the program with a signal, and then kill what it has left behind."""
        self.process.send_signal(signal_number)
        self.process.wait(60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def kill(self):
        """End the program at once."""
        self.stop(self.ending)

    def log(self):
        """Return all that the program has printed."""
        file = self.output.fileno()
        return os.pread(file, os.fstat(file).st_size, 0).decode()


# === The shop =====================================================================================


class Server(Program):
    """The shop in a process of its own, or in several, which can be called and killed."""

    def __init__(self, command, port, folder, variables, output):
        self.port = port
        environment = os.environ | {"PORT": str(port)} | variables
        super().__init__([sys.executable, *command], output, cwd=folder, env=environment)

    def call(self, method, path, body=None, token=None):
        """Send a request on a connection of its own; return the answer as a test client does."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        with contextlib.closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return Response(answer.read(), answer.status, answer.getheaders())

    def answers(self):
        """Say whether the server answers, and not another one that has its port."""
        if not re.search(rf"http://\S+:{self.port}\b", self.log()):
            return False  # it prints its address once it has the port
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.call("GET", "/health").status_code == 200


@contextlib.contextmanager
def running_server(
    command=("mechanic_shop.py",), *, workers=0, threads=8, folder=ROOT, **variables
):
    """Serve the shop in a folder, in one process or with gunicorn, while the block runs.

    The variables are added to the environment. Another command serves another app.
    """
    port = free_port()
    if workers:
        command = ["-m", "gunicorn", "mechanic_shop:create_app()", f"--bind=127.0.0.1:{port}"]
        command += [f"--workers={workers}", f"--threads={threads}"]
    with tempfile.TemporaryFile() as output:
        server = Server(command, port, folder, variables, output)
        try:
            server.wait()
            yield server
        finally:
            server.kill()


@contextlib.contextmanager
def staffed_server(database_url, **options):
    """Serve a shop with a mechanic and a customer in it; the server knows their ids and a token.

    It has an app on the same database, for a look into it, and no limits that a test may reach.
    """
    unlimited = {"FLASK_RATELIMIT_DEFAULT": "1000000/minute"}
    variables = unlimited | {"DATABASE_URL": database_url, "SECRET_KEY": SECRET}
    app = open_shop(SQLALCHEMY_DATABASE_URI=database_url, SECRET_KEY=SECRET)
    with running_server(**variables | options) as server, app.app_context():
        server.app = app
        server.mechanic_id = add_account(app, "mechanic", "Ana")
        server.customer_id = add_account(app, "customer", "Carla")
        server.token = token_of(app, "mechanic", server.mechanic_id)
        db.engine.dispose()
        yield server
        db.engine.dispose()


def everything(database_url):
    """Return all rows of all tables, as texts."""
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(table.select())))
            for table in db.metadata.sorted_tables
        }


# === Database servers and Redis ===================================================================


class NotThere(Exception):
    """A server or a program is not there. The text says which one."""


# How each kind is run with its data in a folder, where it is then found, how its data are made
# before, how it tells their folder, who runs it (not root), and what ends it at once.
KINDS = {
    "redis": SimpleNamespace(
        url="redis://127.0.0.1:{port}/0?socket_timeout=0.2",
        serving="redis-server --port {port} --bind 127.0.0.1 --save '' --dir {folder}",
        making_data=None,
        user=None,
        ending=signal.SIGKILL,
    ),
    "postgresql": SimpleNamespace(
        url="postgresql+psycopg://shop@127.0.0.1:{port}/postgres",
        serving="postgres -D {folder} -p {port} -c listen_addresses=127.0.0.1"
        " -c unix_socket_directories= -c fsync=off",
        making_data="initdb -D {folder} -U shop -A trust --locale=C.UTF-8 --no-sync",
        asking_folder="SHOW data_directory",
        user="postgres",
        ending=signal.SIGQUIT,  # SIGKILL would leave shared memory behind
    ),
    "mariadb": SimpleNamespace(
        url="mysql+pymysql://root@127.0.0.1:{port}/mysql",
        serving="mariadbd --no-defaults --datadir={folder} --socket={folder}/socket --port={port}"
        " --bind-address=127.0.0.1 --character-set-server=utf8mb4"
        " --innodb-flush-log-at-trx-commit=2",
        making_data="mariadb-install-db --no-defaults --datadir={folder} --skip-test-db"
        " --auth-root-authentication-method=normal",
        asking_folder="SELECT @@datadir",
        user="mysql",
        ending=signal.SIGKILL,
    ),
}


class OwnServer(Program):
    """A server that is started for the tests: on a free port, with its data in a new folder."""

    def __init__(self, kind, folder, output):
        self.kind, self.folder, self.port = KINDS[kind], folder, free_port()
        self.ending = self.kind.ending
        self.url = self.kind.url.format(port=self.port)
        options = {"cwd": folder}
        if self.kind.user and os.getuid() == 0:
            shutil.chown(folder, self.kind.user)
            options["user"] = self.kind.user
        if self.kind.making_data:
            command = self.command_of(self.kind.making_data)
            subprocess.run(command, stdout=output, check=True, **options)
        super().__init__(self.command_of(self.kind.serving), output, **options)

    def command_of(self, text):
        """Return a command as a list, its program also found where Debian keeps servers."""
        name, *arguments = shlex.split(text.format(port=self.port, folder=self.folder))
        folders = [os.environ["PATH"], "/usr/sbin", *glob.glob("/usr/lib/postgresql/*/bin")]
        if path := shutil.which(name, path=os.pathsep.join(folders)):
            return [path, *arguments]
        raise NotThere(f"{name} is not installed")

    def answers(self):
        """Say whether this server answers, and not another one that has its port."""
        with contextlib.suppress(redis.RedisError, sa.exc.DBAPIError):
            if self.url.startswith("redis"):
                with redis.from_url(self.url) as connection:
                    return connection.config_get("dir")["dir"] == self.folder
            with sa.create_engine(self.url, poolclass=sa.NullPool).connect() as connection:
                found = connection.exec_driver_sql(self.kind.asking_folder).scalar()
                return found.rstrip("/") == self.folder


@contextlib.contextmanager
def own_server(kind):
    """Run a server of a kind for the tests, until the block ends. Raises NotThere."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as output:
        server = OwnServer(kind, folder, output)
        try:
            server.wait()
            yield server
        finally:
            server.kill()


DROP = {"postgresql": "DROP DATABASE {} WITH (FORCE)", "mysql": "DROP DATABASE {}"}


@contextlib.contextmanager
def new_database(server_url):
    """Make a database on a server and drop it afterwards; gives its URL. Raises NotThere."""
    engine = sa.create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    name = f"shop_test_{secrets.token_hex(4)}"
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
    except sa.exc.DBAPIError as error:
        why = str(error.orig).partition("\n")[0]
        raise NotThere(f"No database server at {engine.url}: {why}") from None
    try:
        yield engine.url.set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(DROP[engine.dialect.name].format(name))
