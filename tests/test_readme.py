"""The README says what is so."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from servers import ROOT, running_server

import mechanic_shop

README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def parsed(text):
    """Return a line of output as JSON says it, or as it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text


@pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs bash, curl")
def test_examples_answer_as_the_readme_shows(environment, tmp_path):
    variables = {"DATABASE_URL": f"sqlite:///{tmp_path}/readme.db"}
    seeding = [sys.executable, "seed.py"]
    subprocess.run(seeding, cwd=ROOT, env=os.environ | variables, check=True, capture_output=True)
    lines = "".join(blocks("console")).splitlines()
    commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    shown = [parsed(line) for line in lines if not line.startswith("$ ")]
    assert len(commands) >= 5
    with running_server(**variables) as server:
        script = "\n".join(commands).replace("127.0.0.1:5000", f"127.0.0.1:{server.port}")
        script = script.replace("curl ", "curl -sw '\\n' ")
        finished = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, check=True
        )
    assert [parsed(line) for line in finished.stdout.splitlines() if line] == shown


def test_names_in_the_table_are_in_the_module():
    table = README.partition("## What is where")[2].partition("## ")[0]
    rows = re.findall(r"^\| (.*) \| (.*) \|$", table, re.M)
    names = [name for _asked, where in rows[1:] for name in re.findall(r"`(\w+)`", where)]
    assert len(names) > 15
    assert [name for name in names if not hasattr(mechanic_shop, name)] == []


def test_logins_in_the_readme_are_those_of_the_sample_data(environment):
    from click.testing import CliRunner

    import seed

    printed = CliRunner().invoke(seed.main, []).output
    for role in ("mechanic", "customer"):
        (line,) = re.findall(rf"^{role}  .*$", README, re.M)
        assert line in printed.splitlines()


def test_settings_in_the_readme_are_read():
    source = (ROOT / "mechanic_shop.py").read_text()
    table = README.partition("## Settings")[2].partition("## ")[0]
    variables = re.findall(r"`([A-Z_]{4,})`", table)
    assert {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PORT", "HOST"} <= set(variables)
    assert all(f'"{variable}"' in source for variable in variables)
