"""Random work of two mechanics, compared after each step with a small model of the shop."""

import os
import random
from collections import Counter

import pytest
from harness.shop import add_account, calling, shows, token_of

STEPS = 120 if os.environ.get("TEST_DATABASE_URL") else 300


class Shop:
    """The shop, cached and uncached on one database, and a model of it.

    The model knows each record by its id; None stands for one that was deleted.
    """

    def __init__(self, cached, uncached):
        self.random = random.Random(1)
        self.parts, self.tickets, self.mechanics = {}, {}, {}
        self.seen = Counter()  # how often a work ended with a status
        self.callers = []
        for name in ("Ana", "Bert"):
            account_id = add_account(cached, "mechanic", name)
            self.mechanics[account_id] = name
            token = token_of(cached, "mechanic", account_id)
            self.callers.append(calling(cached, token))
        self.staff = list(self.mechanics)
        self.uncached = calling(uncached, token)
        self.customer_id = add_account(cached, "customer", "Carla")

    def work(self):
        """Do one thing at random; what is done more often has a larger number."""
        works = {"add_part": 2, "change_part": 4, "delete_part": 1, "open_ticket": 2}
        works |= {"delete_ticket": 1, "assign_part": 6, "remove_part": 3, "edit_mechanics": 4}
        works |= {"add_mechanic": 1, "delete_mechanic": 1}
        (self.name,) = self.random.choices([*works], works.values())
        getattr(self, self.name)()

    def call(self, method, path, body, status):
        """Send a request as one of the two; the answer has to have this status."""
        sent = {} if body is None else {"json": body}
        answer = self.random.choice(self.callers).open(path, method=method, **sent)
        assert answer.status_code == status, (method, path, body, answer.text)
        self.seen[self.name, status] += 1
        return answer.json

    def some(self, records):
        """Return the id of one of the newest records, deleted or not, or of one that is to come."""
        newest = max(records, default=0)
        return self.random.randint(max(1, newest - 4), newest + 1)

    def some_line(self):
        """Return the ids of a ticket and of a part, which is often on it."""
        ticket_id = self.some(self.tickets)
        ticket = self.tickets.get(ticket_id) or {"lines": {}}
        return ticket_id, self.random.choice([self.some(self.parts), *ticket["lines"]])

    def cents(self):
        return self.random.randint(0, 5000) / 100

    # --- Parts ---

    def add_part(self):
        part = {"name": "oil", "price": self.cents(), "quantity": self.random.randint(0, 9)}
        new_id = self.call("POST", "/inventory", part, 201)["id"]
        assert new_id not in self.parts
        self.parts[new_id] = part

    def change_part(self):
        part_id, change = self.some(self.parts), {"price": self.cents()}
        part = self.parts.get(part_id)
        self.call("PATCH", f"/parts/{part_id}", change, 200 if part else 404)
        if part:
            part |= change

    def delete_part(self):
        part_id = self.some(self.parts)
        used = any(part_id in ticket["lines"] for ticket in self.tickets.values() if ticket)
        status = 404 if not self.parts.get(part_id) else 409 if used else 200
        self.call("DELETE", f"/inventory/{part_id}", None, status)
        if status == 200:
            self.parts[part_id] = None

    def assign_part(self):
        ticket_id, part_id = self.some_line()
        ticket, part = self.tickets.get(ticket_id), self.parts.get(part_id)
        pieces = self.random.randint(1, 4)
        status = 404 if not (ticket and part) else 201 if pieces <= part["quantity"] else 409
        path = f"/ticket_inventory/{ticket_id}/assign-inventory/{part_id}"
        self.call("POST", path, {"quantity": pieces}, status)
        if status == 201:
            line = ticket["lines"].setdefault(part_id, {"quantity": 0, "unit_price": part["price"]})
            line["quantity"] += pieces
            part["quantity"] -= pieces

    def remove_part(self):
        ticket_id, part_id = self.some_line()
        lines = (self.tickets.get(ticket_id) or {"lines": {}})["lines"]
        on_ticket = lines.get(part_id, {"quantity": 0})["quantity"]
        pieces = self.random.choice([on_ticket, self.random.randint(1, 4)])
        query = "" if pieces == on_ticket else f"?quantity={pieces}"
        status = 404 if part_id not in lines else 200 if pieces <= on_ticket else 409
        path = f"/service-tickets/{ticket_id}/remove-inventory/{part_id}{query}"
        self.call("DELETE", path, None, status)
        if status == 200:
            self.parts[part_id]["quantity"] += pieces
            lines[part_id]["quantity"] -= pieces
            if pieces == on_ticket:
                del lines[part_id]

    # --- Tickets and mechanics ---

    def open_ticket(self):
        body = {"customer_id": self.customer_id, "vin": "v1", "service_desc": "Oil"}
        price = self.cents()
        new_id = self.call("POST", "/service_tickets", body | {"price": price}, 201)["id"]
        assert new_id not in self.tickets
        self.tickets[new_id] = {"price": price, "lines": {}, "mechanics": set()}

    def delete_ticket(self):
        ticket_id = self.some(self.tickets)
        ticket = self.tickets.get(ticket_id)
        self.call("DELETE", f"/service_tickets/{ticket_id}", None, 200 if ticket else 404)
        if ticket:
            self.tickets[ticket_id] = None
            for part_id, line in ticket["lines"].items():
                self.parts[part_id]["quantity"] += line["quantity"]

    def edit_mechanics(self):
        ticket_id = self.some(self.tickets)
        ticket = self.tickets.get(ticket_id)
        added, removed = self.some(self.mechanics), self.some(self.mechanics)
        known = self.mechanics.get(added) and self.mechanics.get(removed)
        status = 404 if not ticket else 200 if known else 400
        body = {"add_ids": [added], "remove_ids": [removed]}
        self.call("PUT", f"/service_tickets/{ticket_id}/edit", body, status)
        if status == 200:
            ticket["mechanics"] = (ticket["mechanics"] | {added}) - {removed}

    def add_mechanic(self):
        name = f"M{max(self.mechanics)}"
        body = {"first_name": name, "last_name": "N", "email": f"{name}@x.example"}
        new_id = self.call("POST", "/mechanics", body | {"password": "12345678"}, 201)["id"]
        assert new_id not in self.mechanics
        self.mechanics[new_id] = name

    def delete_mechanic(self):
        mechanic_id = self.some(self.mechanics)
        if mechanic_id not in self.staff:
            busy = any(
                mechanic_id in ticket["mechanics"] for ticket in self.tickets.values() if ticket
            )
            status = 404 if not self.mechanics.get(mechanic_id) else 409 if busy else 200
            self.call("DELETE", f"/mechanics/{mechanic_id}", None, status)
            if status == 200:
                self.mechanics[mechanic_id] = None

    # --- What must be read afterwards ---

    def read(self, path):
        """Return a list, which is the same at first, from the cache, and past it."""
        answers = [caller.get(f"{path}?per_page=100") for caller in (*self.callers, self.uncached)]
        assert answers[0].json == answers[1].json == answers[2].json
        assert answers[1].headers["hit_cache"] == "True"
        return answers[0].json

    def check(self):
        """Compare all lists with the model."""
        parts = {part_id: part for part_id, part in self.parts.items() if part}
        listed = self.read("/inventory")
        assert [part["id"] for part in listed] == sorted(parts)
        assert all(shows(part, parts[part["id"]]) for part in listed)

        tickets = {ticket_id: ticket for ticket_id, ticket in self.tickets.items() if ticket}
        listed = self.read("/service_tickets")
        assert [ticket["id"] for ticket in listed] == sorted(tickets)
        for ticket in listed:
            model = tickets[ticket["id"]]
            assert {mechanic["id"] for mechanic in ticket["mechanics"]} == model["mechanics"]
            assert {line["inventory_id"] for line in ticket["parts"]} == model["lines"].keys()
            cents = round(model["price"] * 100)
            for line in ticket["parts"]:
                assert shows(line, model["lines"][line["inventory_id"]])
                cents += line["quantity"] * round(line["unit_price"] * 100)
            assert ticket["total"] == cents / 100

        names = {mechanic_id: name for mechanic_id, name in self.mechanics.items() if name}
        listed = self.read("/mechanics")
        assert {mechanic["id"]: mechanic["first_name"] for mechanic in listed} == names
        counts = Counter(id for ticket in tickets.values() for id in ticket["mechanics"])
        ranked = sorted((-counts[mechanic_id], mechanic_id) for mechanic_id in names)
        listed = self.read("/mechanics/ranking")
        assert [(-place["ticket_count"], place["id"]) for place in listed] == ranked


@pytest.mark.slow
def test_random_work_leaves_what_the_model_says(make_app):
    uncached = make_app(RATELIMIT_ENABLED=False, CACHE_TYPE="NullCache", CACHE_NO_NULL_WARNING=True)
    shop = Shop(make_app(RATELIMIT_ENABLED=False), uncached)  # the last app shows hits of the cache
    for _ in range(STEPS):
        shop.work()
        shop.check()
    statuses = {status for _name, status in shop.seen}
    assert statuses == {200, 201, 400, 404, 409}
    assert shop.seen["assign_part", 201] > STEPS / 20
