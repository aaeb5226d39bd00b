"""Backup, restore and the check before an upgrade, as the README says them, on each database."""

import re
import subprocess
import sys

import pytest
import sqlalchemy as sa
from harness.servers import ROOT, everything, staffed_server

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_backup_is_restored_and_opens(environment, database_url, tmp_path):
    if database_url.startswith("sqlite"):  # not the tests' shared file, which stays open
        (tmp_path / "instance").mkdir()
        database_url = f"sqlite:///{tmp_path}/instance/mechanic_shop.db"
    url = sa.make_url(database_url)
    login = f"-h {url.host} -P {url.port} -u {url.username} {url.database}"
    environment.setenv("DATABASE_URL", database_url.replace("+psycopg", ""))
    environment.setenv("MYSQL_PWD", url.password or "")

    def run(command, folder=tmp_path):
        """Run a command of the README, for this database, and return what it prints."""
        command = command.replace(".venv/bin/python", sys.executable)
        command = command.replace("-h db.internal -u shop -p shop", login)
        done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(url.get_backend_name(), "MariaDB")
    ((backup, restore),) = re.findall(rf"^{kind} \| `(.+)` \| `(.+)`$", README, re.M)
    with staffed_server(database_url) as server:
        server.call("POST", "/inventory", {"name": "horn", "price": 1}, server.token)
        before = everything(database_url)
        run(backup)
        server.call("DELETE", "/inventory/1", None, server.token)
        assert everything(database_url) != before
    run(restore)
    assert everything(database_url) == before
    assert run(re.search("Try it: `(.+)`", README)[1], ROOT) == ""
