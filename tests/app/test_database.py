"""The database: what it promises, and a refusal that a caller understands when it cannot work."""

import pytest
import sqlalchemy as sa
from flask import request_finished
from harness.shop import calling, drop_tables, problem
from sqlalchemy import exc

from mechanic_shop import db, prepare_sqlite

CURE = "seed.py --reset"


@pytest.fixture
def altered(app, shared):
    """A function that alters the tables of the shop for one test."""

    def alter(*statements):
        with shared.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    yield alter
    drop_tables(shared.engine)


def refused(response):
    detail = problem(response, 503)
    assert response.headers["Retry-After"] == "1"
    assert "inventory" not in detail
    return detail


# --- It cannot work ---


@pytest.fixture
def read_only_app(app, make_app, part, ticket, database_url):
    """The shop with its data, in a database that takes no writes."""
    engine_options = app.config["SQLALCHEMY_ENGINE_OPTIONS"]
    url, arguments = database_url, {}
    if url.startswith("sqlite"):
        url = url.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true"
    elif url.startswith("postgresql"):
        arguments = {"options": "-c default_transaction_read_only=on"}
    else:
        arguments = {"init_command": "SET SESSION TRANSACTION READ ONLY"}
    return make_app(
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options | {"connect_args": arguments},
    )


def test_read_only_database_refuses_writes_and_says_so(read_only_app, ana):
    client = calling(read_only_app, ana.token)
    assert client.get("/inventory/1").json["name"] == "speaker"
    for method, path, body in [
        ("POST", "/inventory", {"name": "horn", "price": 1}),
        ("PATCH", "/inventory/1", {"price": 1}),
        ("DELETE", "/inventory/1", None),
        ("PUT", "/service_tickets/1/assign-mechanic/1", None),
        ("POST", "/ticket_inventory/1/assign-inventory/1", {}),
    ]:
        response = client.open(path, method=method, **({} if body is None else {"json": body}))
        assert "read-only" in refused(response)
    assert client.get("/inventory/1").json["name"] == "speaker"


def test_missing_tables_are_refused_with_their_cure(app, anyone, ana):
    with app.app_context():
        db.drop_all()  # as seed.py --reset does beside the shop
    for response in (anyone.get("/inventory"), ana.get("/mechanics")):
        assert CURE in refused(response)


def test_table_without_a_new_column_is_refused_with_its_cure(altered, anyone):
    altered("ALTER TABLE inventory DROP COLUMN quantity")
    assert CURE in refused(anyone.get("/inventory"))
    assert anyone.get("/health").status_code == 200


@pytest.mark.parametrize(
    "error",
    [
        exc.DataError,
        exc.InterfaceError,
        exc.InternalError,
        exc.NotSupportedError,
        exc.OperationalError,
        exc.ProgrammingError,
        exc.TimeoutError,
    ],
)
def test_whatever_the_database_raises_is_refused_without_its_words(make_app, caplog, error):
    app = make_app()

    @app.get("/broken")
    def broken():
        """Fail as a driver does."""
        text = "SELECT words FROM inventory"
        raise error(text) if error is exc.TimeoutError else error(text, {}, Exception("gone"))

    detail = refused(calling(app).get("/broken"))
    assert "SELECT" not in detail
    assert "SELECT words" in caplog.text
    assert "Traceback" not in caplog.text


# --- What it promises ---


def test_every_reference_is_indexed(app, shared):
    found = sa.inspect(shared.engine)
    for table in db.metadata.tables:
        firsts = {found.get_pk_constraint(table)["constrained_columns"][0]}
        firsts |= {index["column_names"][0] for index in found.get_indexes(table)}
        firsts |= {key["column_names"][0] for key in found.get_unique_constraints(table)}
        for key in found.get_foreign_keys(table):
            (column,) = key["constrained_columns"]
            assert column in firsts, f"{table}.{column} has no index: add index=True"


def test_new_connection_to_sqlite_checks_references_and_reads_beside_a_writer(app):
    with app.app_context(), db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            for setting, value in {"foreign_keys": 1, "journal_mode": "wal"}.items():
                assert connection.exec_driver_sql(f"PRAGMA {setting}").scalar() == value
        else:
            assert connection.get_isolation_level() == "READ COMMITTED"


def test_new_connection_to_another_database_is_left_as_it_is():
    connection = object()  # on which nothing can be executed
    assert prepare_sqlite(connection, None) is None


def test_connection_is_given_back_before_the_answer_goes_out(app, anyone, ana, part):
    taken = []

    def note(_sender, **_response):
        taken.append(db.engine.pool.checkedout())

    calls = [
        lambda: anyone.get("/inventory"),
        lambda: anyone.get("/inventory/99"),
        lambda: ana.get("/mechanics/profile"),
        lambda: ana.post("/inventory", json={}),
        lambda: ana.patch("/inventory/1", json={"price": 1}),
    ]
    with request_finished.connected_to(note, app):
        statuses = [call().status_code for call in calls]
    assert statuses == [200, 404, 200, 400, 200]
    assert taken == [0] * len(calls)
