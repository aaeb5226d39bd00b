"""A resource that a student adds: its fields are checked, and its errors say nothing false."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("vehicles.py")
CAR = {"plate": "AB 1", "owner_id": 1, "fuel": "diesel", "built": "2020-02-29", "doors": 5}
WRONG = {
    "plate": [5, None, "", "x" * 11],
    "owner_id": [None, "x", 1.5, True, [1], 10**9, 2**63],
    "fuel": ["steam", 1, True, [], {}, "", "Diesel"],
    "built": ["yesterday", 5, [], "2020-02-30"],
    "doors": ["five", 2.5, True, {}, 10**9],
    "sold": ["perhaps", 5, [], {}],
}


@pytest.fixture
def answers_of(environment):
    """A function that returns the answers to calls, each as the status and the body."""
    environment.setenv("PYTHONPATH", os.pathsep.join(sys.path))

    def send(*calls):
        command = [sys.executable, str(PROGRAM)]
        done = subprocess.run(command, input=json.dumps(calls), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return send


def test_errors_of_a_new_resource_are_checked_and_true(answers_of):
    wrong = [(name, value) for name, values in WRONG.items() for value in values]
    created, taken, missing, no_owner, in_use, *refused = answers_of(
        ("POST", "/vehicles", CAR),
        ("POST", "/vehicles", CAR),
        ("PATCH", "/vehicles/7", {"doors": 3}),
        ("PATCH", "/vehicles/1", {"owner_id": 999_999_999}),
        ("DELETE", "/customers/1", None),
        *(("PATCH", "/vehicles/1", {name: value}) for name, value in wrong),
    )
    assert created == [201, {"id": 1, **CAR, "sold": None}]
    for (status, problem), word in [(taken, "taken"), (no_owner, "needed"), (in_use, "refer")]:
        assert (status, word in problem["detail"]) == (409, True)
        assert "ticket" not in problem["detail"]
    assert (missing[0], "7" in missing[1]["detail"]) == (404, True)
    for (name, value), (status, problem) in zip(wrong, refused, strict=True):
        assert (status, list(problem.get("errors", {}))) == (400, [name]), value
