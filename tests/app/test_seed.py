"""seed.py: the sample data, and the first account of a real shop. More refusals: test_start.py."""

import contextlib
import re
import sqlite3
import subprocess
import sys

import pytest
import sqlalchemy as sa
from harness.servers import ROOT, everything
from harness.shop import calling, problem, run_seed, shows

from mechanic_shop import Customer, Inventory, Mechanic, db

GIA = ("--first-name", "Gia", "--last-name", "Lund", "--password", "long-enough")


def printed(result, role):
    """Return the email and password that the program printed for a role."""
    (line,) = [line for line in result.output.splitlines() if line.startswith(f"{role}  ")]
    _role, email, password = line.split("  ")
    return {"email": email, "password": password}


def stored(database_url):
    """Return all that is in the database, without hashes of passwords: each has its own salt."""
    return re.sub("scrypt:[^']+", "", str(everything(database_url)))


def done(*arguments, **options):
    """Run the program, which must succeed, and return its result."""
    result = run_seed(*arguments, **options)
    assert result.exit_code == 0, result.output
    return result


# === Sample data ==================================================================================


@pytest.fixture
def seeded(environment):
    """What the program said when it filled the shop."""
    return done()


@pytest.fixture
def staff(seeded, make_app):
    """The sample mechanic, logged in with what the program printed."""
    app = make_app()
    token = calling(app).post("/mechanics/login", json=printed(seeded, "mechanic")).json["token"]
    return calling(app, token)


def test_shop_is_filled_and_both_printed_accounts_have_tickets(seeded, staff, anyone):
    for path, least in {"/mechanics": 6, "/customers": 25, "/service_tickets": 15}.items():
        assert int(staff.get(path).headers["X-Total-Count"]) >= least
    speaker, bumper, *others = parts = staff.get("/inventory?per_page=100").json
    assert shows(speaker, {"id": 1, "name": "speaker", "price": 20, "quantity": 10})
    assert shows(bumper, {"id": 2, "name": "front bumper", "price": 120.25, "quantity": 2})
    assert len(others) >= 10
    tickets = staff.get("/service_tickets?per_page=100").json
    assert any(len(ticket["mechanics"]) > 1 for ticket in tickets)
    assert any(len(ticket["parts"]) > 1 for ticket in tickets)
    lines = [line for ticket in tickets for line in ticket["parts"]]
    assert not {1, 2} & {line["inventory_id"] for line in lines}
    prices = {part["id"]: part["price"] for part in parts}
    assert all(line["unit_price"] == prices[line["inventory_id"]] for line in lines)
    assert staff.get("/mechanics/ranking").json[-1]["ticket_count"] == 0
    assert staff.get("/mechanics/my-tickets").json
    login = anyone.post("/customers/login", json=printed(seeded, "customer"))
    assert anyone.get(
        "/customers/my-tickets", headers={"Authorization": f"Bearer {login.json['token']}"}
    ).json
    assert "never for a server that others can reach" in seeded.output


@pytest.mark.parametrize("model", [Customer, Mechanic, Inventory])
def test_shop_with_any_data_is_left_alone(make_app, database_url, model):
    person = {"first_name": "E", "last_name": "N", "email": "e@x.example", "password": "x"}
    with make_app().app_context():
        fields = {"name": "horn", "price": 1} if model is Inventory else person
        db.session.add(model(**fields))
        db.session.commit()
    before = everything(database_url)
    assert "nothing was changed" in done("--customers", "50").output
    assert everything(database_url) == before


def test_reset_asks_and_then_makes_the_same_large_shop_again(environment, database_url, shared):
    sizes = ("--customers", "170", "--tickets", "1100")  # more tickets than are stored at once
    done(*sizes)
    before, rows = stored(database_url), everything(database_url)
    assert (len(rows["customers"]), len(rows["service_tickets"])) == (170, 1100)
    with shared.engine.begin() as connection:  # a table of a student's own
        connection.exec_driver_sql(
            "CREATE TABLE vehicles (id INT PRIMARY KEY, customer_id INT NOT NULL, "
            "FOREIGN KEY (customer_id) REFERENCES customers (id))"
        )
        connection.exec_driver_sql("INSERT INTO vehicles VALUES (1, 1)")
        connection.exec_driver_sql("DELETE FROM inventory WHERE id = 1")
    assert run_seed("--reset", *sizes, answers="n\n").exit_code == 1
    assert stored(database_url) != before
    done("--reset", *sizes, answers="y\n")
    assert stored(database_url) == before
    assert set(sa.inspect(shared.engine).get_table_names()) - {"sqlite_sequence"} == rows.keys()


# === A mechanic ===================================================================================


def test_first_mechanic_of_a_real_shop_is_added(anyone):
    answers = "Ana\nRuiz\nlong-enough\nlong-enough\n"
    result = done("--mechanic", " Ana@Garage.example", answers=answers)
    assert "long-enough" not in result.output
    credentials = {"email": "ana@garage.example", "password": "long-enough"}
    token = anyone.post("/mechanics/login", json=credentials).json["token"]
    profile = anyone.get("/mechanics/profile", headers={"Authorization": f"Bearer {token}"}).json
    assert shows(profile, {"first_name": "Ana", "last_name": "Ruiz"})


def test_account_that_exists_is_named_before_it_gets_another_password(app, anyone, ana):
    stopped = run_seed("--mechanic", ana.email.upper(), answers="")
    assert stopped.exit_code == 1
    assert re.search(f"There is a mechanic {ana.email}.*Password", stopped.output, re.DOTALL)
    assert ana.get("/mechanics/profile").status_code == 200
    done("--mechanic", ana.email, answers="a-new-password\na-new-password\n")
    problem(ana.get("/mechanics/profile"), 401)
    login = {"email": ana.email, "password": "a-new-password"}
    assert anyone.post("/mechanics/login", json=login).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no email"], "email: "),  # before the other questions
        (["gia@shop.example", *GIA[:-1], "short"], "password: "),
    ],
)
def test_wrong_mechanic_is_refused(environment, database_url, arguments, words):
    result = run_seed("--mechanic", *arguments)
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {words}")
    assert everything(database_url)["mechanics"] == []


def test_help_tells_what_becomes_of_a_password_on_the_command_line():
    assert "shells remember it" in " ".join(run_seed("--help").output.split())


# === A file that cannot be used ===================================================================


@pytest.fixture
def file(tmp_path, environment):
    """A shop's file of its own for one test."""
    environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/own.db?timeout=0.1")
    return tmp_path / "own.db"


def refused(*arguments):
    """Run the program, which must end with one line, and return that."""
    result = run_seed(*arguments)
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert line.startswith("The shop cannot open: ")
    return line


@pytest.mark.once
def test_file_that_somebody_writes_to_or_has_damaged_is_refused_in_one_line(file, seeded):
    with contextlib.closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "locked" in refused("--reset", "--yes")
        assert "locked" in refused("--mechanic", "gia@shop.example", *GIA)
        other.rollback()
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with file.open("r+b") as damaged:
        damaged.seek(4096)  # the first page stays
        damaged.write(b"x" * 4096 * 20)
    assert "malformed" in refused()


@pytest.mark.once
def test_two_at_once_fill_the_shop_once(file, environment):
    command = [sys.executable, ROOT / "seed.py"]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    both = [subprocess.Popen(command, **options) for _ in range(2)]
    outputs = [process.communicate()[0] for process in both]
    for process, output in zip(both, outputs, strict=True):
        assert process.returncode == 0 or output.startswith("The shop cannot open: ")
        assert "Traceback" not in output
    assert len(everything(f"sqlite:///{file}")["customers"]) == 25
