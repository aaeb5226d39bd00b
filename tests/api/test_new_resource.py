"""A resource that a student adds: its fields are checked, and its errors say nothing false."""

import datetime as dt
import enum
import json
import os
import subprocess
import sys

import sqlalchemy as sa
from flask import Blueprint
from harness.shop import caller
from sqlalchemy.orm import Mapped, mapped_column

from mechanic_shop import RecordSchema, add_record, body, create_app, db, token_required

Fuel = enum.Enum("Fuel", ["petrol", "diesel"])
CAR = {"plate": "AB 1", "owner_id": 1, "fuel": "diesel", "built": "2020-02-29", "sold": False}
WRONG = {"plate": [5, None, "", "x" * 11], "fuel": ["steam", 1, True, [], {}, "", "Diesel"]}
WRONG |= {"owner_id": [None, "x", 1.5, True, [1], 10**9, 2**63], "sold": ["perhaps", 5, [], {}]}
WRONG |= {"built": ["yesterday", 5, [], "2020-02-30"]}


def answer_calls():
    """Add the resource, and answer calls: each is a method, a path and a body."""
    bp = Blueprint("vehicles", __name__, url_prefix="/vehicles")

    class Vehicle(db.Model):
        __tablename__ = "vehicles"
        plate: Mapped[str] = mapped_column(sa.String(10), unique=True)
        owner_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"))
        fuel: Mapped[Fuel]
        built: Mapped[dt.date | None]
        sold: Mapped[bool | None]

    class VehicleSchema(RecordSchema):
        class Meta:
            model = Vehicle
            include_fk = True

    schema = VehicleSchema()

    @bp.post("")
    @token_required("mechanic")
    @body(schema)
    def create_vehicle(fields):
        """Add a vehicle."""
        return add_record(schema, Vehicle(**fields))

    app = create_app()
    app.register_blueprint(bp)
    ana = caller(app, "mechanic", "Ana")
    caller(app, "customer", "Carla")
    calls = json.load(sys.stdin)
    answers = [ana.open(path, method=method, json=fields) for method, path, fields in calls]
    json.dump([[answer.status_code, answer.json] for answer in answers], sys.stdout)


def answers_to(calls):
    """Return the answers of a process of its own: one that knows a model knows it for good."""
    command = [sys.executable, "-c", f"import {__name__}; {__name__}.answer_calls()"]
    options = {"capture_output": True, "text": True}
    options["env"] = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, input=json.dumps(calls), **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_new_resource_takes_what_fits_and_refuses_the_rest_truly(environment):
    wrong = [(name, value) for name, values in WRONG.items() for value in values]
    calls = [("POST", "/vehicles", CAR)] * 2
    calls.append(("POST", "/vehicles", CAR | {"plate": "AB 2", "owner_id": 999_999_999}))
    calls.append(("DELETE", "/customers/1", None))
    calls += [("POST", "/vehicles", CAR | {name: value}) for name, value in wrong]
    created, taken, no_owner, in_use, *refused = answers_to(calls)
    assert created == [201, {"id": 1, **CAR}]
    for (status, problem), word in [(taken, "taken"), (no_owner, "record"), (in_use, "refer")]:
        assert (status, word in problem["detail"]) == (409, True)
        assert "ticket" not in problem["detail"]
    for (name, value), (status, problem) in zip(wrong, refused, strict=True):
        assert (status, list(problem.get("errors", {}))) == (400, [name]), value
