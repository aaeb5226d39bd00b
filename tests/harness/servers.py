"""Servers that really run, and a look into their databases."""

import contextlib
import functools
import glob
import http.client
import json
import os
import secrets
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

import redis
import sqlalchemy as sa

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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, seconds=60):
    """Wait until a condition is true, and return what it gave. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"This did not become true in {seconds} seconds: {condition}")
        time.sleep(0.02)
    return result


def at_once(clients, work):
    """Return what a function returns for each client's number, all called by threads at once."""
    barrier = Barrier(clients)

    def begin(number):
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(clients) as threads:
        return list(threads.map(begin, range(clients)))


# === Programs =====================================================================================


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

    def answers(self):
        """Say whether the program answers: this one, and not another at the same address."""
        raise NotImplementedError

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


class Server(Program):
    """A web server written in Python, that can be called and killed."""

    def __init__(self, command, port, folder, variables, output):
        self.port = port
        environment = os.environ | {"PORT": str(port)} | variables
        super().__init__([sys.executable, *command], output, cwd=folder, env=environment)

    def call(self, method, path, body=None, token=None):
        """Send a request on a connection of its own, and return the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        with contextlib.closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            return Answer(connection.getresponse())

    def answers(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.call("GET", "/health").status_code == 200


class Shop(Server):
    """The shop. Its server prints the address once the port is its own."""

    def answers(self):
        return f" http://127.0.0.1:{self.port}" in self.log() and super().answers()


@contextlib.contextmanager
def running_server(*, workers=0, threads=8, folder=ROOT, **variables):
    """Serve the shop in a folder, in one process or with gunicorn, while the block runs.

    The variables are added to the environment.
    """
    port = free_port()
    command = ["mechanic_shop.py"]
    if workers:
        command = ["-m", "gunicorn", "mechanic_shop:create_app()", f"--bind=127.0.0.1:{port}"]
        command += [f"--workers={workers}", f"--threads={threads}"]
    with tempfile.TemporaryFile() as output:
        server = Shop(command, port, folder, variables, output)
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


@functools.cache
def engine_of(database_url):
    """Return an engine that keeps no connection."""
    return sa.create_engine(database_url, poolclass=sa.NullPool)


def everything(database_url):
    """Return all rows of all tables."""
    with engine_of(database_url).connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(table.select())))
            for table in db.metadata.sorted_tables
        }


# === Database servers =============================================================================


class NotThere(Exception):
    """A server or a program is not there. The text says which one."""


def find_program(name):
    """Return the path of a program, also where Debian keeps those of servers. Raises NotThere."""
    folders = [os.environ["PATH"], "/usr/sbin", *glob.glob("/usr/lib/postgresql/*/bin")]
    if path := shutil.which(name, path=os.pathsep.join(folders)):
        return path
    raise NotThere(f"{name} is not installed")


class OwnServer(Program):
    """A server that is started for the tests: on a free port, with its data in a new folder."""

    user = None  # who runs it, as it refuses to run as root

    def __init__(self, folder, output):
        self.folder = folder
        self.port = free_port()
        options = {"cwd": folder}
        if self.user and os.getuid() == 0:
            shutil.chown(folder, self.user)
            options["user"] = self.user
        self.make_data(stdout=output, check=True, **options)
        super().__init__(self.serving(), output, **options)


class OwnRedis(OwnServer):
    """A Redis that forgets everything when it stops."""

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0?socket_timeout=0.2"

    def make_data(self, **_options):
        """Redis makes its data itself."""

    def serving(self):
        options = ["--port", self.port, "--bind", "127.0.0.1", "--save", "", "--dir", self.folder]
        return [find_program("redis-server"), *options]

    def answers(self):
        with contextlib.suppress(redis.RedisError), redis.from_url(self.url) as connection:
            return connection.config_get("dir")["dir"] == self.folder


class OwnDatabase(OwnServer):
    """A database server whose data survive it, but not the machine."""

    def answers(self):
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with contextlib.suppress(sa.exc.DBAPIError), engine.connect() as connection:
            return connection.exec_driver_sql(self.data_folder).scalar().rstrip("/") == self.folder


class OwnPostgresql(OwnDatabase):
    user = "postgres"
    ending = signal.SIGQUIT  # at once, but leaves no shared memory behind
    data_folder = "SHOW data_directory"

    @property
    def url(self):
        return f"postgresql+psycopg://shop@127.0.0.1:{self.port}/postgres"

    def make_data(self, **options):
        command = [find_program("initdb"), "-D", self.folder, "-U", "shop", "-A", "trust"]
        subprocess.run([*command, "--locale=C.UTF-8", "--no-sync"], **options)

    def serving(self):
        settings = ["fsync=off", "listen_addresses=127.0.0.1", "unix_socket_directories="]
        options = [option for setting in settings for option in ("-c", setting)]
        return [find_program("postgres"), "-D", self.folder, "-p", self.port, *options]


class OwnMariadb(OwnDatabase):
    user = "mysql"
    data_folder = "SELECT @@datadir"

    @property
    def url(self):
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/mysql"

    def make_data(self, **options):
        command = [find_program("mariadb-install-db"), "--no-defaults", f"--datadir={self.folder}"]
        command += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run(command, **options)

    def serving(self):
        options = ["--no-defaults", f"--datadir={self.folder}", f"--port={self.port}"]
        options += ["--bind-address=127.0.0.1", f"--socket={self.folder}/socket"]
        options += ["--character-set-server=utf8mb4", "--innodb-flush-log-at-trx-commit=2"]
        return [find_program("mariadbd"), *options]


OWN_SERVERS = {"postgresql": OwnPostgresql, "mariadb": OwnMariadb, "redis": OwnRedis}


@contextlib.contextmanager
def own_server(kind):
    """Run a server of a kind for the tests, until the block ends. Raises NotThere."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as output:
        server = OWN_SERVERS[kind](folder, output)
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
