"""The program mechanic_shop.py: how it starts, and the line that says why it cannot open.

What keeps the shop closed keeps seed.py from its work, too, and is said in the same words.
"""

import contextlib
import re
import runpy
import signal
import socket
import sqlite3
import subprocess
import sys

import pytest
from harness.servers import ROOT, copy_shop, running_server
from harness.shop import full_disk, run_seed

pytestmark = pytest.mark.once
DEBUGGER_SCRIPT = "/?__debugger__=yes&cmd=resource&f=debugger.js"  # else just the front page


@pytest.fixture
def folder(tmp_path, environment):
    """A folder with only the programs in it; the environment has no settings."""
    for variable in ("DATABASE_URL", "SECRET_KEY", "REDIS_URL"):
        environment.delenv(variable, raising=False)
    return copy_shop(tmp_path / "shop")


# === It opens =====================================================================================


def test_new_clone_opens_on_this_machine_alone_and_keeps_its_data_beside_it(folder, environment):
    environment.setenv("PYTHONWARNINGS", "error")
    with running_server(folder=folder) as server:
        assert f" * Running on http://127.0.0.1:{server.port}\n" in server.log()
        assert "all addresses" not in server.log()
        assert server.call("GET", "/inventory").json == []
        assert server.call("GET", DEBUGGER_SCRIPT).content_type.startswith("text/html")
        server.stop(signal.SIGTERM)
    kept = {path.name.partition("-")[0] for path in (folder / "instance").iterdir()}
    assert kept == {"mechanic_shop.db", "secret_key"}


def test_port_is_5000_unless_another_is_named(folder):
    command = [sys.executable, "mechanic_shop.py"]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, cwd=folder, **options) as process:
        said = next(line for line in process.stdout if re.search("http|Port [0-9]", line))
        process.terminate()
    assert said.endswith("http://127.0.0.1:5000\n") or said.startswith("Port 5000 is in use")


def test_host_may_be_any_and_debug_mode_has_the_debugger(folder):
    with running_server(folder=folder, HOST="::", FLASK_DEBUG="1") as server:
        socket.create_connection(("::1", server.port)).close()
        assert server.call("GET", DEBUGGER_SCRIPT).content_type.startswith("text/javascript")


# === It does not open =============================================================================


def line_of_refusal(program):
    """Run a program in this process; return the one line that it ends with."""
    if program == "seed.py":
        result = run_seed()
        assert result.exit_code == 1
        text = result.output
    else:
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(ROOT / program, run_name="__main__")
        text = ended.value.code  # Python prints a text, and ends with status 1
    (line,) = text.splitlines()
    assert line.startswith("The shop cannot open: ")
    return line


both_programs = pytest.mark.parametrize("program", ["mechanic_shop.py", "seed.py"])


@both_programs
@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("SECRET_KEY", "under-thirty-two-bytes", "SECRET_KEY must have at least 32 bytes"),
        ("DATABASE_URL", "no url", "URL"),
        ("DATABASE_URL", "nothing://x", "nothing"),
        ("DATABASE_URL", "mysql://me@host/shop", "MySQLdb"),  # a driver that is not installed
        ("DATABASE_URL", "sqlite:////nowhere/at/all.db", "unable to open"),
        ("DATABASE_URL", f"sqlite:///{ROOT}/README.md", "not a database"),
        ("REDIS_URL", "nonsense", "Redis"),
        ("FLASK_RATELIMIT_STORAGE_URI", "nonsense://x", "nonsense"),
        ("FLASK_TRUSTED_PROXIES", "abc", "'abc'"),
    ],
)
def test_wrong_setting_is_one_line(environment, program, variable, value, words):
    environment.setenv(variable, value)
    line = line_of_refusal(program)
    assert words in line
    assert "under-thirty-two" not in line


@both_programs
def test_file_that_is_locked_or_cannot_grow_is_one_line(environment, program, tmp_path):
    environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/new.db?timeout=0.1")
    with contextlib.closing(sqlite3.connect(tmp_path / "new.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "locked" in line_of_refusal(program)
    with full_disk():
        assert "full" in line_of_refusal(program)


@pytest.mark.parametrize(("port", "words"), [("abc", "'abc'"), ("-1", "port"), ("5.0", "'5.0'")])
def test_port_that_is_no_number_is_one_line(environment, port, words):
    environment.setenv("PORT", port)
    assert words in line_of_refusal("mechanic_shop.py")


def test_port_in_use_says_what_to_do(environment, capsys):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        environment.setenv("PORT", str(listener.getsockname()[1]))
        with pytest.raises(SystemExit):
            runpy.run_path(ROOT / "mechanic_shop.py", run_name="__main__")
    assert "is in use by another program" in capsys.readouterr().err
