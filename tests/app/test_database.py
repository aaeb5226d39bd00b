"""The database: what it promises, and a refusal that a caller understands when it cannot work.

Servers that are killed: slow/test_processes.py.
"""

import contextlib
import sqlite3

import pytest
import sqlalchemy as sa
from harness.shop import calling, close, drop_tables, full_disk, problem

from mechanic_shop import Mechanic, db, prepare_sqlite, service_mechanic

HORN = {"name": "horn", "price": 1}


def refused(answer):
    """Assert that the database could not do it, and that the answer tells nothing of its inside."""
    detail = problem(answer, 503)
    for word in ("inventory", "SELECT", "seed.py"):
        assert word not in detail
    return detail


# === It cannot work ===============================================================================


@pytest.mark.parametrize(
    "statement", ["DROP TABLE ticket_inventory", "ALTER TABLE inventory DROP COLUMN quantity"]
)
def test_tables_that_do_not_fit_the_models_are_refused_and_the_log_has_the_cure(
    request, shared, full_ticket, ana, caplog, statement
):
    request.addfinalizer(lambda: drop_tables(shared.engine))
    with shared.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert "does not fit the models" in refused(ana.get("/service_tickets/1"))
    for words in ("python seed.py --reset", "deletes all data", "Traceback", "FROM"):
        assert words in caplog.text
    assert ana.get("/health").status_code == 200


@pytest.fixture
def read_only_app(app, make_app, full_ticket, database_url):
    """The shop with its data, in a database that takes no writes."""
    options = app.config["SQLALCHEMY_ENGINE_OPTIONS"]
    arguments = {}
    if database_url.startswith("sqlite"):
        database_url = database_url.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true"
    elif database_url.startswith("postgresql"):
        arguments = {"options": "-c default_transaction_read_only=on"}
    else:
        arguments = {"init_command": "SET SESSION TRANSACTION READ ONLY"}
    return make_app(
        SQLALCHEMY_DATABASE_URI=database_url,
        SQLALCHEMY_ENGINE_OPTIONS=options | {"connect_args": arguments},
    )


def test_read_only_database_refuses_writes_and_goes_on_reading(read_only_app, ana):
    staff = calling(read_only_app, ana.token)
    for method, path, body in [
        ("POST", "/inventory", HORN),
        ("PATCH", "/inventory/1", {"price": 1}),
        ("DELETE", "/service_tickets/1", None),
        ("PUT", "/service_tickets/1/remove-mechanic/1", None),
        ("POST", "/ticket_inventory/1/assign-inventory/1", {}),
    ]:
        answer = staff.open(path, method=method, **({} if body is None else {"json": body}))
        assert "read-only" in refused(answer)
    assert staff.get("/inventory/1").json["quantity"] == 8
    assert len(staff.get("/service_tickets/1").json["mechanics"]) == 1


def test_busy_connections_are_refused_until_one_is_free(make_app):
    pool = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.1}
    app = make_app(SQLALCHEMY_ENGINE_OPTIONS=pool)
    with app.app_context(), db.engine.connect():
        for _ in range(2):
            refused(calling(app).get("/health"))
    assert calling(app).get("/health").status_code == 200


def test_connections_that_are_lost_between_two_calls_are_replaced(app, ana):
    connections = set()
    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "checkin", lambda connection, _record: connections.add(connection))
    assert ana.patch(f"/mechanics/{ana.id}", json={"salary": 1}).status_code == 200
    assert connections
    for connection in connections:
        connection.close()
    assert ana.patch(f"/mechanics/{ana.id}", json={"salary": 2}).status_code == 200
    assert ana.get("/mechanics/profile").json["salary"] == 2


# === A file cannot be used ========================================================================


@pytest.fixture
def file_app(make_app, tmp_path):
    """The shop in a file of its own."""
    return make_app(SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path}/own.db?timeout=0.1")


@pytest.mark.once
def test_writer_keeps_others_from_writing_but_not_from_reading(file_app, tmp_path):
    anyone = calling(file_app)
    person = {"first_name": "E", "last_name": "F", "email": "e@x.example", "password": "12345678"}
    with contextlib.closing(sqlite3.connect(tmp_path / "own.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert anyone.get("/inventory").json == []
        refused(anyone.post("/customers", json=person))
    assert anyone.post("/customers", json=person).status_code == 201


@pytest.mark.once
def test_full_disk_refuses_writes_and_goes_on_reading(app, ana, full_ticket):
    long = {"name": "x" * 255, "price": 1}
    close(app)
    with full_disk():
        answers = [ana.post("/inventory", json=long) for _ in range(40)]
        refused(answers[-1])
        stored = [answer.json["id"] for answer in answers if answer.status_code == 201]
        assert [part["id"] for part in ana.get("/inventory?per_page=100").json] == [1, *stored]
    close(app)
    assert ana.post("/inventory", json=HORN).status_code == 201


@pytest.mark.once
def test_file_with_something_else_in_it_is_refused_until_it_is_back(file_app, tmp_path):
    close(file_app)
    file = (tmp_path / "own.db").rename(tmp_path / "moved.db")
    (tmp_path / "own.db").write_bytes(b"no database" * 1000)
    for path in ("/health", "/inventory"):
        refused(calling(file_app).get(path))
    file.rename(tmp_path / "own.db")
    assert calling(file_app).get("/health").json == {"status": "ok"}


# === What it promises =============================================================================


def test_tables_that_are_missing_are_made_and_the_others_are_left_alone(shared, make_app, ana):
    service_mechanic.drop(shared.engine)
    with make_app().app_context():
        assert db.session.scalars(sa.select(Mechanic.first_name)).all() == ["Ana"]
        assert db.session.execute(sa.select(service_mechanic)).all() == []


def test_every_reference_is_indexed(app, shared):
    found = sa.inspect(shared.engine)
    for table in db.metadata.tables:
        firsts = {found.get_pk_constraint(table)["constrained_columns"][0]}
        firsts |= {index["column_names"][0] for index in found.get_indexes(table)}
        firsts |= {key["column_names"][0] for key in found.get_unique_constraints(table)}
        for key in found.get_foreign_keys(table):
            (column,) = key["constrained_columns"]
            assert column in firsts, f"{table}.{column} has no index: add index=True"


def test_view_sees_what_was_committed_after_the_check_of_the_token(ana, hold):
    def rename():
        assert ana.patch("/mechanics/1", json={"first_name": "Anna"}).status_code == 200

    hold(lambda: ana.get("/mechanics"), "after_cursor_execute", "SELECT mechanics.password", rename)
    for _ in range(2):  # the held call may have put its answer into the cache
        assert ana.get("/mechanics").json[0]["first_name"] == "Anna"


def test_connection_to_another_database_is_left_as_it_is():
    assert prepare_sqlite(object(), None) is None  # nothing can be executed on it
