"""Fill the shop with sample data, or add a mechanic to it.

python seed.py                          sample data for an empty database
python seed.py --reset                  empty the database first
python seed.py --tickets 100000         a large shop, the same one each time
python seed.py --mechanic EMAIL         one more mechanic, or a new password for one
"""

import contextlib
import datetime as dt
import itertools
import random
import sys

import click
import sqlalchemy as sa
from marshmallow import ValidationError
from werkzeug.security import generate_password_hash

from mechanic_shop import (
    Customer,
    Inventory,
    Mechanic,
    ServiceTicket,
    TicketInventory,
    create_app,
    db,
    mechanic_schema,
    service_mechanic,
)

PASSWORD = "turn-the-wrench"  # of all sample accounts, and printed for the class
CHUNK = 1000

MECHANICS = [  # the last one is new here and has no ticket yet
    ("Ana", "Ruiz", 68_000, "12 Foundry Lane"),
    ("Bert", "Olsen", 61_500, "3 Canal Street"),
    ("Chidi", "Okafor", 72_250.50, "48 Hillcrest Avenue"),
    ("Dana", "Kowalski", 58_000, None),
    ("Emeka", "Lindqvist", 64_000, "7 Station Road"),
    ("Fatima", "Haddad", 70_000, "91 Orchard Way"),
    ("Gus", "Moreau", 41_000, None),
]
PARTS = {  # name: price and pieces in stock; the first two are on no ticket
    "speaker": (20, 10),
    "front bumper": (120.25, 2),
    "oil filter": (9.95, 60),
    "engine oil 5W-30, 1 l": (8.5, 240),
    "brake pads, front axle": (54.9, 18),
    "brake disc, front": (71.25, 14),
    "spark plug": (11.4, 96),
    "air filter": (17.8, 25),
    "timing belt kit": (189, 6),
    "battery 12 V 70 Ah": (134.5, 9),
    "alternator": (268.75, 3),
    "shock absorber, rear": (83.6, 12),
    "wiper blade": (14.2, 40),
    "headlight bulb H7": (12.99, 50),
    "radiator": (211, 4),
}
JOBS = [  # what is done, the price of the labour, the parts that it takes
    ("Oil change and filter", 35, {"oil filter": 1, "engine oil 5W-30, 1 l": 5}),
    ("Replace front brake pads", 80, {"brake pads, front axle": 1}),
    (
        "Front brakes squeal: new discs and pads",
        140,
        {"brake disc, front": 2, "brake pads, front axle": 1},
    ),
    ("Engine misfires on cylinder 3: new spark plugs", 60, {"spark plug": 4}),
    ("Timing belt, due at 120,000 km", 320, {"timing belt kit": 1}),
    ("Does not start in the cold: new battery", 25, {"battery 12 V 70 Ah": 1}),
    ("Battery light on: new alternator", 110.5, {"alternator": 1}),
    (
        "Inspection before a long trip",
        65,
        {"wiper blade": 2, "air filter": 1, "oil filter": 1, "engine oil 5W-30, 1 l": 4},
    ),
    ("Knocking from the rear: new shock absorbers", 150, {"shock absorber, rear": 2}),
    ("Wheel alignment", 89.9, {}),
    ("Headlight out on the left", 15, {"headlight bulb H7": 1}),
    ("Coolant leak: new radiator", 175, {"radiator": 1}),
    ("Winter tyres on, summer tyres into storage", 49, {}),
    ("Strange smell from the vents: new air filter", 20, {"air filter": 1}),
    (
        "Annual service",
        120,
        {"oil filter": 1, "engine oil 5W-30, 1 l": 5, "air filter": 1, "spark plug": 4},
    ),
]
FIRST_NAMES = [
    "Ada",
    "Boris",
    "Carmen",
    "Dev",
    "Elif",
    "Femi",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kira",
    "Liam",
    "Mei",
    "Nils",
    "Olga",
]
LAST_NAMES = [
    "Abbott",
    "Bianchi",
    "Costa",
    "Dubois",
    "Ekberg",
    "Fischer",
    "Garcia",
    "Hansen",
    "Ivanov",
    "Jensen",
]
STREETS = [
    "Maple Street",
    "Harbour Road",
    "Mill Lane",
    "Church Street",
    "Park Avenue",
    "Bridge Road",
]
VIN_CHARACTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"  # I, O and Q are too much like 1 and 0


def insert(model, rows):
    """Insert dicts of columns and return the new ids, in their order."""
    statement = sa.insert(model).returning(model.id, sort_by_parameter_order=True)
    return db.session.scalars(statement, rows).all()


def sample_mechanics(password_hash):
    """Yield the columns of the mechanics."""
    for first_name, last_name, salary, address in MECHANICS:
        yield {
            "first_name": first_name,
            "last_name": last_name,
            "email": f"{first_name}@shop.example".lower(),
            "password": password_hash,
            "salary": salary,
            "address": address,
        }


def sample_customers(count, password_hash, rng):
    """Yield the columns of so many customers, each with an email address of their own."""
    names = itertools.cycle(itertools.product(LAST_NAMES, FIRST_NAMES))
    for number, (last_name, first_name) in zip(range(1, count + 1), names, strict=False):
        several = "" if count <= len(FIRST_NAMES) * len(LAST_NAMES) else number
        yield {
            "first_name": first_name,
            "last_name": last_name,
            "email": f"{first_name}.{last_name}{several}@mail.example".lower(),
            "password": password_hash,
            "phone": f"555-{rng.randrange(10_000):04}",
            "address": f"{rng.randrange(1, 200)} {rng.choice(STREETS)}",
        }


def sample_ticket(number, customer_ids, rng):
    """Return the columns of a ticket. The first three are the first customer's."""
    service_desc, price, _parts = JOBS[number % len(JOBS)]
    return {
        "customer_id": customer_ids[0] if number < 3 else rng.choice(customer_ids),
        "vin": "".join(rng.choices(VIN_CHARACTERS, k=17)),
        "service_desc": service_desc,
        "service_date": dt.date(2026, 1, 5) + dt.timedelta(days=number % 300),
        "price": price,
    }


def insert_tickets(numbers, customer_ids, mechanic_ids, part_ids, rng):
    """Insert the tickets with these numbers, with their mechanics and parts."""
    ticket_ids = insert(ServiceTicket, [sample_ticket(n, customer_ids, rng) for n in numbers])
    workers, lines = [], []
    for number, ticket_id in zip(numbers, ticket_ids, strict=True):
        for mechanic_id in rng.sample(mechanic_ids, k=rng.choice([1, 1, 2, 3])):
            workers.append({"ticket_id": ticket_id, "mechanic_id": mechanic_id})
        for name, quantity in JOBS[number % len(JOBS)][2].items():
            part = {"inventory_id": part_ids[name], "unit_price": PARTS[name][0]}
            lines.append({"ticket_id": ticket_id, "quantity": quantity} | part)
    db.session.execute(sa.insert(service_mechanic), workers)
    db.session.execute(sa.insert(TicketInventory), lines)  # each chunk's first job takes parts


def fill(customers, tickets):
    """Fill an empty database in one transaction: so many customers and tickets, and the rest."""
    rng = random.Random(1)  # the same shop each time
    password_hash = generate_password_hash(PASSWORD)
    parts = [{"name": name, "price": p, "quantity": q} for name, (p, q) in PARTS.items()]
    part_ids = dict(zip(PARTS, insert(Inventory, parts), strict=True))
    mechanic_ids = insert(Mechanic, list(sample_mechanics(password_hash)))
    customer_ids = []
    people = sample_customers(customers, password_hash, rng)
    while chunk := list(itertools.islice(people, CHUNK)):
        customer_ids += insert(Customer, chunk)
    with click.progressbar(length=tickets, label="Tickets", hidden=tickets <= CHUNK) as bar:
        for start in range(0, tickets, CHUNK):
            numbers = range(start, min(start + CHUNK, tickets))
            insert_tickets(numbers, customer_ids, mechanic_ids[:-1], part_ids, rng)
            bar.update(len(numbers))
    db.session.commit()


def count(model):
    """Return how many records of a model there are."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def report():
    """Print what is in the shop and who can log in."""
    for model in (Mechanic, Customer, ServiceTicket, Inventory):
        click.echo(f"{count(model):>9,}  {model.__tablename__.replace('_', ' ')}")
    click.echo("\nTo log in:")
    for model, role in ((Mechanic, "mechanic"), (Customer, "customer")):
        email = db.session.scalar(sa.select(model.email).order_by(model.id).limit(1))
        click.echo(f"{role}  {email}  {PASSWORD}")
    click.echo("These accounts are for a class, never for a server that others can reach.")


def save_mechanic(email, first_name, last_name, password):
    """Add a mechanic, or give the one with this email a new password; ask for what is missing.

    Raises click.ClickException when a value is not valid.
    """
    mechanic = db.session.scalar(sa.select(Mechanic).filter_by(email=email.strip().lower()))
    fields = {"email": email}
    if mechanic is None:
        fields["first_name"] = first_name or click.prompt("First name")
        fields["last_name"] = last_name or click.prompt("Last name")
    fields["password"] = password or click.prompt(
        "Password", hide_input=True, confirmation_prompt=True
    )
    try:
        fields = mechanic_schema.load(fields, partial=mechanic is not None)
    except ValidationError as error:
        problems = (f"{field}: {' '.join(texts)}" for field, texts in error.messages.items())
        raise click.ClickException("; ".join(problems)) from None
    if mechanic is None:
        db.session.add(Mechanic(**fields))
        click.echo(f"Added the mechanic {fields['email']}.")
    else:
        mechanic.password = fields["password"]  # the schema has hashed it
        click.echo(f"The mechanic {mechanic.email} has a new password.")
    db.session.commit()


def fill_or_explain(reset, yes, customers, tickets):
    """Fill the shop and report it, after emptying it if so told; leave one with data alone."""
    if reset:
        if not yes:
            click.confirm(f"Delete everything in {db.engine.url!r}?", abort=True)
        db.drop_all()
        db.create_all()
    if any(count(model) for model in (Mechanic, Customer, ServiceTicket, Inventory)):
        click.echo("There is data in the shop already; nothing was changed.")
        click.echo("To delete it and begin again: python seed.py --reset")
        return
    fill(customers, tickets)
    report()


@click.command(help=__doc__.partition("\n")[0])
@click.option("--reset", is_flag=True, help="Delete everything first, after asking.")
@click.option("--yes", is_flag=True, help="Do not ask before deleting.")
@click.option("--customers", type=click.IntRange(25), default=25, show_default=True)
@click.option("--tickets", type=click.IntRange(15), default=15, show_default=True)
@click.option("--mechanic", metavar="EMAIL", help="Add this mechanic, or change the password.")
@click.option("--first-name", help="Of the mechanic to add; asked for when left out.")
@click.option("--last-name", help="Of the mechanic to add; asked for when left out.")
@click.option("--password", help="Of the mechanic; asked for when left out.")
def main(reset, yes, customers, tickets, mechanic, first_name, last_name, password):
    """Run the command line."""
    try:
        app = create_app()
    except Exception as error:
        reason = str(error).partition("\n")[0]
        sys.exit(f"The shop cannot open: {reason}")
    with app.app_context(), contextlib.ExitStack() as closing:
        closing.callback(db.engine.dispose)
        closing.callback(db.session.remove)
        if mechanic:
            save_mechanic(mechanic, first_name, last_name, password)
        else:
            fill_or_explain(reset, yes, customers, tickets)


if __name__ == "__main__":
    main()
