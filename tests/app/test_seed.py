"""seed.py: the sample data, and the first account of a real shop."""

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from harness.shop import calling, problem, shows

import seed
from mechanic_shop import Customer, Inventory, Mechanic, ServiceTicket, TicketInventory, db


def run_seed(*arguments, answers=None):
    return CliRunner().invoke(seed.main, arguments, input=answers)


@pytest.fixture
def seeded(environment):
    result = run_seed()
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture
def staff(seeded, make_app):
    """The sample mechanic, logged in with what the program printed."""
    app = make_app()
    token = calling(app).post("/mechanics/login", json=printed(seeded, "mechanic")).json["token"]
    return calling(app, token)


def printed(result, role):
    """Return the email and password that the program printed for a role."""
    (line,) = [line for line in result.output.splitlines() if line.startswith(f"{role}  ")]
    _role, email, password = line.split("  ")
    return {"email": email, "password": password}


def everything(app):
    """Return all rows of all tables, without the hashes of passwords."""
    with app.app_context():
        tables = db.metadata.sorted_tables
        columns = {t: [c for c in t.columns if c.name != "password"] for t in tables}
        return {
            table.name: [tuple(row) for row in db.session.execute(sa.select(*columns[table]))]
            for table in tables
        }


def test_seed_fills_an_empty_shop(staff):
    for path, least in {"/mechanics": 6, "/customers": 25, "/service_tickets": 15}.items():
        assert int(staff.get(path).headers["X-Total-Count"]) >= least
    parts = staff.get("/inventory?per_page=100").json
    assert len(parts) >= 12
    tickets = staff.get("/service_tickets?per_page=100").json
    assert any(len(ticket["mechanics"]) > 1 for ticket in tickets)
    assert any(len(ticket["parts"]) > 1 for ticket in tickets)
    ranking = staff.get("/mechanics/ranking").json
    assert [m["ticket_count"] for m in ranking].count(0) == 1
    prices = {part["id"]: part["price"] for part in parts}
    for ticket in tickets:
        assert all(line["unit_price"] == prices[line["inventory_id"]] for line in ticket["parts"])
    assert all(part["quantity"] >= 0 for part in parts)


def test_the_list_begins_with_the_two_parts_of_the_assignment(staff):
    speaker, bumper = staff.get("/inventory").json[:2]
    assert shows(speaker, {"id": 1, "name": "speaker", "price": 20, "quantity": 10})
    assert shows(bumper, {"id": 2, "name": "front bumper", "price": 120.25, "quantity": 2})
    for part_id in (1, 2):
        assert staff.delete(f"/inventory/{part_id}").status_code == 200


def test_both_printed_logins_work_and_have_tickets(seeded, make_app):
    app = make_app()
    assert "never for a server that others can reach" in seeded.output
    for role in ("mechanic", "customer"):
        login = calling(app).post(f"/{role}s/login", json=printed(seeded, role))
        assert calling(app, login.json["token"]).get(f"/{role}s/my-tickets").json


def test_seed_again_changes_nothing(seeded, make_app):
    app = make_app()
    before = everything(app)
    again = run_seed("--customers", "50")
    assert again.exit_code == 0
    assert "nothing was changed" in again.output
    assert everything(app) == before


@pytest.mark.parametrize("model", [Customer, Mechanic, Inventory])
def test_seed_leaves_a_shop_with_any_data_alone(make_app, model):
    app = make_app()
    person = {"first_name": "E", "last_name": "N", "email": "e@x.example", "password": "x"}
    with app.app_context():
        fields = {"name": "horn", "price": 1, "quantity": 1} if model is Inventory else person
        db.session.add(model(**fields))
        db.session.commit()
    before = everything(app)
    assert "nothing was changed" in run_seed().output
    assert everything(app) == before


def test_reset_asks_and_begins_again_with_the_first_ids(seeded, staff, make_app):
    staff.post("/inventory", json={"name": "horn", "price": 1, "quantity": 1})
    staff.delete("/inventory/1")
    app = make_app()
    changed = everything(app)
    refused = run_seed("--reset", answers="n\n")
    assert refused.exit_code == 1
    assert everything(app) == changed
    agreed = run_seed("--reset", answers="y\n")
    assert agreed.exit_code == 0
    assert everything(app) != changed
    fresh = calling(make_app()).get("/inventory").json
    assert shows(fresh[0], {"id": 1, "name": "speaker", "price": 20, "quantity": 10})
    problem(staff.get("/mechanics"), 401)


def test_a_large_shop_is_the_same_each_time(environment, make_app):
    environment.setattr(seed, "CHUNK", 100)
    sizes = ("--customers", "170", "--tickets", "250")
    first = run_seed(*sizes)
    assert first.exit_code == 0, first.output
    app = make_app()
    before = everything(app)
    assert (len(before["customers"]), len(before["service_tickets"])) == (170, 250)
    assert run_seed("--reset", "--yes", *sizes).exit_code == 0
    assert everything(app) == before
    with app.app_context():
        lines = db.session.scalar(sa.select(sa.func.count()).select_from(TicketInventory))
        on_tickets = sa.select(TicketInventory.ticket_id).distinct()
        without_parts = ServiceTicket.id.not_in(on_tickets)
        assert lines > 250
        assert db.session.scalars(sa.select(ServiceTicket).where(without_parts)).first()


@pytest.mark.parametrize("size", ["--customers=24", "--tickets=14", "--tickets=x"])
def test_shop_that_is_too_small_is_refused(environment, size):
    assert run_seed(size).exit_code == 2


def test_add_the_first_mechanic_of_a_real_shop(make_app):
    app = make_app()
    answers = "Ana\nRuiz\nlong-enough\nlong-enough\n"
    result = run_seed("--mechanic", " Ana@Garage.example", answers=answers)
    assert result.exit_code == 0, result.output
    assert "long-enough" not in result.output
    credentials = {"email": "ana@garage.example", "password": "long-enough"}
    token = calling(app).post("/mechanics/login", json=credentials).json["token"]
    profile = calling(app, token).get("/mechanics/profile").json
    assert (profile["first_name"], profile["last_name"]) == ("Ana", "Ruiz")


def test_add_a_mechanic_from_a_script(seeded, make_app):
    names = ("--first-name", "Gia", "--last-name", "Lund", "--password", "long-enough")
    result = run_seed("--mechanic", "gia@shop.example", *names)
    assert result.exit_code == 0, result.output
    credentials = {"email": "gia@shop.example", "password": "long-enough"}
    assert calling(make_app()).post("/mechanics/login", json=credentials).status_code == 200


def test_forgotten_password_is_replaced(staff, seeded, make_app):
    account = printed(seeded, "mechanic")
    new = {**account, "password": "a-new-password"}
    result = run_seed("--mechanic", account["email"].upper(), "--password", new["password"])
    assert result.exit_code == 0, result.output
    client = calling(make_app())
    problem(client.post("/mechanics/login", json=account), 401)
    assert client.post("/mechanics/login", json=new).status_code == 200
    problem(staff.get("/mechanics"), 401)


@pytest.mark.parametrize(
    ("email", "password", "words"),
    [
        ("no email", "long-enough", "email"),
        ("gia@shop.example", "short", "password"),
    ],
)
def test_wrong_mechanic_is_refused(make_app, email, password, words):
    app = make_app()
    names = ("--first-name", "Gia", "--last-name", "Lund")
    result = run_seed("--mechanic", email, *names, "--password", password)
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {words}: ")
    assert everything(app)["mechanics"] == []
