"""The shop with a resource that a student has added: test_new_resource.py sends it requests.

    python vehicles.py < calls    [method, path, body] of each call, as JSON

It runs in a process of its own: a process that knows a model knows it for good.
"""

import datetime as dt
import enum
import json
import sys

import sqlalchemy as sa
from flask import Blueprint
from harness.shop import caller
from sqlalchemy.orm import Mapped, mapped_column

from mechanic_shop import (
    RecordSchema,
    add_record,
    body,
    change_record,
    create_app,
    db,
    get_or_404,
    token_required,
)


class Fuel(enum.Enum):
    petrol = 1
    diesel = 2


class Vehicle(db.Model):
    __tablename__ = "vehicles"
    plate: Mapped[str] = mapped_column(sa.String(10), unique=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"))
    fuel: Mapped[Fuel | None]
    built: Mapped[dt.date | None]
    doors: Mapped[int | None]
    sold: Mapped[bool | None]


class VehicleSchema(RecordSchema):
    class Meta:
        model = Vehicle
        include_fk = True


vehicle_schema = VehicleSchema()
vehicles_bp = Blueprint("vehicles", __name__, url_prefix="/vehicles")


@vehicles_bp.post("")
@token_required("mechanic")
@body(vehicle_schema)
def create_vehicle(fields):
    """Add a vehicle."""
    return add_record(vehicle_schema, Vehicle(**fields))


@vehicles_bp.patch("/<id:vehicle_id>")
@token_required("mechanic")
@body(vehicle_schema)
def update_vehicle(fields, vehicle_id):
    """Change a vehicle."""
    return change_record(vehicle_schema, get_or_404(Vehicle, vehicle_id), fields)


app = create_app()
app.register_blueprint(vehicles_bp)
ana = caller(app, "mechanic", "Ana")
caller(app, "customer", "Carla")
answers = []
for method, path, fields in json.load(sys.stdin):
    response = ana.open(path, method=method, json=fields)
    answers.append([response.status_code, response.json])
json.dump(answers, sys.stdout)
