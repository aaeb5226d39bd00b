"""Fill the shop with sample data, or add a mechanic to it.

python seed.py                          sample data for an empty database
python seed.py --reset                  drop all tables first
python seed.py --tickets 100000         a large shop, the same one each time
python seed.py --mechanic EMAIL         one more mechanic, or a new password for one
"""

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
)

PASSWORD = "turn-the-wrench"  # of all sample accounts, and printed for the class
CHUNK = 1000  # tickets that are stored at once

MECHANICS = [  # first name, last name, salary, address; the last one is new and has no ticket yet
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
FIRST_NAMES = "Ada Boris Carmen Dev Elif Femi Greta Hugo Ines Jonas Kira Liam Mei Nils Olga".split()
LAST_NAMES = "Abbott Bianchi Costa Dubois Ekberg Fischer Garcia Hansen Ivanov Jensen".split()
STREETS = "Maple Street,Harbour Road,Mill Lane,Church Street,Park Avenue,Bridge Road".split(",")
VIN_CHARACTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"  # I, O and Q are too much like 1 and 0


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


def sample_ticket(number, customer_ids, parts, rng):
    """Return a ticket with its parts. The first three are the first customer's."""
    service_desc, price, needed = JOBS[number % len(JOBS)]
    return ServiceTicket(
        customer_id=customer_ids[0] if number < 3 else rng.choice(customer_ids),
        vin="".join(rng.choices(VIN_CHARACTERS, k=17)),
        service_desc=service_desc,
        service_date=dt.date(2026, 1, 5) + dt.timedelta(days=number % 300),
        price=price,
        parts=[
            TicketInventory(part=parts[name], quantity=quantity, unit_price=parts[name].price)
            for name, quantity in needed.items()
        ],
    )


def fill(customers, tickets):
    """Fill an empty database in one transaction: so many customers and tickets, and the rest."""
    rng = random.Random(1)  # the same shop each time
    parts = {name: Inventory(name=name, price=p, quantity=q) for name, (p, q) in PARTS.items()}
    db.session.add_all(parts.values())
    # All accounts have one password, hashed once. insert() stores the hash as it is, where
    # Customer(password=...) would take it for a password and hash it.
    password_hash = generate_password_hash(PASSWORD)
    for first_name, last_name, salary, address in MECHANICS:
        names = {"first_name": first_name, "last_name": last_name}
        login = {"email": f"{first_name}@shop.example".lower(), "password": password_hash}
        columns = names | login | {"salary": salary, "address": address}
        db.session.execute(sa.insert(Mechanic), columns)
    db.session.execute(sa.insert(Customer), list(sample_customers(customers, password_hash, rng)))
    customer_ids = db.session.scalars(sa.select(Customer.id).order_by(Customer.id)).all()
    mechanics = db.session.scalars(sa.select(Mechanic).order_by(Mechanic.id)).all()
    for start in range(0, tickets, CHUNK):
        numbers = range(start, min(start + CHUNK, tickets))
        new = [sample_ticket(number, customer_ids, parts, rng) for number in numbers]
        for ticket in new:
            ticket.mechanics = rng.sample(mechanics[:-1], k=rng.choice([1, 1, 2, 3]))
        db.session.add_all(new)
        db.session.flush()  # writes them, so that the session need not keep them
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


def load_mechanic(fields, partial):
    """Return the fields of a mechanic, checked. Raises click.ClickException if one is not valid."""
    try:
        return mechanic_schema.load(fields, partial=partial)
    except ValidationError as error:
        problems = (f"{field}: {' '.join(texts)}" for field, texts in error.messages.items())
        raise click.ClickException("; ".join(problems)) from None


def save_mechanic(email, first_name, last_name, password):
    """Add a mechanic, or give the one with this email a new password; ask for what is missing.

    Raises click.ClickException when a value is not valid.
    """
    fields = load_mechanic({"email": email}, partial=True)
    mechanic = db.session.scalar(sa.select(Mechanic).filter_by(**fields))
    if mechanic is None:
        fields["first_name"] = first_name or click.prompt("First name")
        fields["last_name"] = last_name or click.prompt("Last name")
    else:
        click.echo(f"There is a mechanic {mechanic.email}, who now gets a new password.")
    fields["password"] = password or click.prompt(
        "Password", hide_input=True, confirmation_prompt=True
    )
    fields = load_mechanic(fields, partial=mechanic is not None)
    if mechanic is None:
        db.session.add(Mechanic(**fields))
    else:
        mechanic.password = fields["password"]
    db.session.commit()
    click.echo(f"The mechanic {fields['email']} can log in with this password.")


def drop_tables():
    """Drop all tables of the database, also those of models that the shop does not have."""
    found = sa.MetaData()
    found.reflect(db.engine)
    found.drop_all(db.engine)


def fill_or_explain(reset, yes, customers, tickets):
    """Fill the shop and report it, after emptying it if so told; leave one with data alone."""
    if reset:
        if not yes:
            click.confirm(f"Delete everything in {db.engine.url!r}?", abort=True)
        drop_tables()
        db.create_all()
    if any(count(model) for model in (Mechanic, Customer, ServiceTicket, Inventory)):
        click.echo("There is data in the shop already; nothing was changed.")
        click.echo("To delete it and begin again: python seed.py --reset")
        return
    fill(customers, tickets)
    report()


@click.command(help=__doc__.partition("\n")[0])
@click.option("--reset", is_flag=True, help="Drop all tables first, after asking.")
@click.option("--yes", is_flag=True, help="Do not ask before dropping them.")
@click.option("--customers", type=click.IntRange(25), default=25, show_default=True)
@click.option("--tickets", type=click.IntRange(15), default=15, show_default=True)
@click.option("--mechanic", metavar="EMAIL", help="Add this mechanic, or change the password.")
@click.option("--first-name", help="Of the mechanic to add; asked for when left out.")
@click.option("--last-name", help="Of the mechanic to add; asked for when left out.")
@click.option("--password", help="For scripts: shells remember it. Asked for when left out.")
def main(reset, yes, customers, tickets, mechanic, first_name, last_name, password):
    """Run the command line."""
    try:
        app = create_app()
        with app.app_context():
            if mechanic:
                save_mechanic(mechanic, first_name, last_name, password)
            else:
                fill_or_explain(reset, yes, customers, tickets)
            db.engine.dispose()
    except (click.ClickException, click.Abort):  # a wrong answer to a question, or none
        raise
    except Exception as error:
        sys.exit("The shop cannot open: " + str(error).partition("\n")[0])


if __name__ == "__main__":
    main()
