"""Random work of two mechanics, compared after each step with a small model of the shop."""

import os

import pytest
from harness.shop import add_account, calling, delete_rows, shows, token_of
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from mechanic_shop import db

NAMES = st.sampled_from(["speaker", "oil", "belt", "%", "_"])
CENTS = st.integers(0, 5000).map(lambda cents: cents / 100)
STOCK = st.integers(0, 9)
PIECES = st.integers(1, 4)
STAFF = st.sampled_from(["ana", "bert"])


class Shop(RuleBasedStateMachine):
    """The shop, `cached` and `uncached` on one database, and a model of it in dictionaries."""

    parts = Bundle("parts")
    tickets = Bundle("tickets")
    mechanics = Bundle("mechanics")

    @initialize(target=mechanics)
    def open(self):
        with self.cached.app_context():
            delete_rows(db.engine)
            db.session.commit()  # which leaves behind what is cached
        self.part, self.ticket, self.mechanic = {}, {}, {}
        self.customer = add_account(self.cached, "customer", "carla")
        self.callers = {}
        for name in ("ana", "bert"):
            account_id = add_account(self.cached, "mechanic", name)
            token = token_of(self.cached, "mechanic", account_id)
            self.mechanic[account_id] = name
            self.callers[name] = calling(self.cached, token)
        self.staff = set(self.mechanic)
        self.fresh = calling(self.uncached, token)
        return multiple(*self.mechanic)

    def call(self, who, method, path, body=None, expect=200):
        """Send a request as somebody; the answer has to have this status."""
        sent = {} if body is None else {"json": body}
        answer = self.callers[who].open(path, method=method, **sent)
        assert answer.status_code == expect, answer.get_data(as_text=True)
        return answer.json

    @rule(target=parts, who=STAFF, name=NAMES, price=CENTS, quantity=STOCK)
    def add_part(self, who, name, price, quantity):
        body = {"name": name, "price": price, "quantity": quantity}
        part = self.call(who, "POST", "/inventory", body, expect=201)["id"]
        assert part not in self.part
        self.part[part] = body
        return part

    @rule(who=STAFF, part=parts, price=CENTS, quantity=st.none() | STOCK)
    def change_part(self, who, part, price, quantity):
        body = {"price": price} if quantity is None else {"price": price, "quantity": quantity}
        known = part in self.part
        self.call(who, "PATCH", f"/parts/{part}", body, expect=200 if known else 404)
        if known:
            self.part[part] |= body

    @rule(who=STAFF, part=parts)
    def delete_part(self, who, part):
        used = any(part in ticket["lines"] for ticket in self.ticket.values())
        expect = 404 if part not in self.part else 409 if used else 200
        self.call(who, "DELETE", f"/inventory/{part}", expect=expect)
        if expect == 200:
            del self.part[part]

    @rule(target=tickets, who=STAFF, price=CENTS)
    def open_ticket(self, who, price):
        body = {"customer_id": self.customer, "vin": "v1", "service_desc": "Oil", "price": price}
        ticket = self.call(who, "POST", "/service_tickets", body, expect=201)["id"]
        assert ticket not in self.ticket
        self.ticket[ticket] = {"price": price, "lines": {}, "mechanics": set()}
        return ticket

    @rule(who=STAFF, ticket=tickets, price=CENTS)
    def change_ticket(self, who, ticket, price):
        known = ticket in self.ticket
        path = f"/service_tickets/{ticket}"
        self.call(who, "PATCH", path, {"price": price}, expect=200 if known else 404)
        if known:
            self.ticket[ticket]["price"] = price

    @rule(who=STAFF, ticket=tickets)
    def delete_ticket(self, who, ticket):
        known = ticket in self.ticket
        self.call(who, "DELETE", f"/service_tickets/{ticket}", expect=200 if known else 404)
        if known:
            for part, (quantity, _price) in self.ticket.pop(ticket)["lines"].items():
                self.part[part]["quantity"] += quantity

    @rule(who=STAFF, ticket=tickets, part=parts, pieces=PIECES)
    def assign_part(self, who, ticket, part, pieces):
        known = ticket in self.ticket and part in self.part
        expect = 404 if not known else 201 if pieces <= self.part[part]["quantity"] else 409
        path = f"/ticket_inventory/{ticket}/assign-inventory/{part}"
        self.call(who, "POST", path, {"quantity": pieces}, expect=expect)
        if expect == 201:
            old, price = self.ticket[ticket]["lines"].get(part, (0, self.part[part]["price"]))
            self.ticket[ticket]["lines"][part] = (old + pieces, price)
            self.part[part]["quantity"] -= pieces

    @rule(who=STAFF, ticket=tickets, part=parts, pieces=st.none() | PIECES)
    def remove_part(self, who, ticket, part, pieces):
        lines = self.ticket.get(ticket, {"lines": {}})["lines"]
        old, price = lines.get(part, (0, None))
        taken = old if pieces is None else pieces
        expect = 404 if part not in lines else 200 if taken <= old else 409
        query = "" if pieces is None else f"?quantity={pieces}"
        path = f"/service-tickets/{ticket}/remove-inventory/{part}{query}"
        self.call(who, "DELETE", path, expect=expect)
        if expect == 200:
            self.part[part]["quantity"] += taken
            lines[part] = (old - taken, price)
            if old == taken:
                del lines[part]

    @rule(who=STAFF, ticket=tickets, add=mechanics, remove=mechanics)
    def edit_mechanics(self, who, ticket, add, remove):
        fine = {add, remove} <= self.mechanic.keys()
        expect = 404 if ticket not in self.ticket else 200 if fine else 400
        body = {"add_ids": [add], "remove_ids": [remove]}
        self.call(who, "PUT", f"/service_tickets/{ticket}/edit", body, expect=expect)
        if expect == 200:
            self.ticket[ticket]["mechanics"].add(add)
            self.ticket[ticket]["mechanics"].discard(remove)

    @rule(target=mechanics)
    def add_mechanic(self):
        name = f"m{len(self.mechanic)}-{max(self.mechanic)}"
        mechanic = add_account(self.cached, "mechanic", name)
        assert mechanic not in self.mechanic
        self.mechanic[mechanic] = name
        return mechanic

    @rule(who=STAFF, mechanic=mechanics)
    def delete_mechanic(self, who, mechanic):
        if mechanic in self.staff:
            return
        busy = any(mechanic in ticket["mechanics"] for ticket in self.ticket.values())
        expect = 404 if mechanic not in self.mechanic else 409 if busy else 200
        self.call(who, "DELETE", f"/mechanics/{mechanic}", expect=expect)
        if expect == 200:
            del self.mechanic[mechanic]

    def read(self, path, cached=True):
        """Return what is read, the same at first, from the cache, and past it."""
        first, again, fresh = (
            caller.get(path) for caller in (self.callers["ana"], self.callers["bert"], self.fresh)
        )
        assert first.json == again.json == fresh.json
        assert (again.headers.get("hit_cache") == "True") == (cached and first.status_code == 200)
        return first.json

    @invariant()
    def parts_are_those_of_the_model(self):
        listed = self.read("/inventory?per_page=100")
        assert [part["id"] for part in listed] == sorted(self.part)
        assert all(shows(part, self.part[part["id"]]) for part in listed)
        for part in listed[-1:]:
            assert self.read(f"/inventory/{part['id']}") == part
            assert self.read(f"/parts/{part['id'] + 1}")["status"] == 404

    @invariant()
    def tickets_are_those_of_the_model(self):
        listed = self.read("/service_tickets?per_page=100")
        assert [ticket["id"] for ticket in listed] == sorted(self.ticket)
        for ticket in listed:
            model = self.ticket[ticket["id"]]
            lines = {
                line["inventory_id"]: (line["quantity"], line["unit_price"])
                for line in ticket["parts"]
            }
            assert lines == model["lines"]
            assert {mechanic["id"] for mechanic in ticket["mechanics"]} == model["mechanics"]
            cents = round(model["price"] * 100)
            cents += sum(quantity * round(price * 100) for quantity, price in lines.values())
            assert ticket["total"] == cents / 100
            assert self.read(f"/service_tickets/{ticket['id']}", cached=False) == ticket

    @invariant()
    def mechanics_are_those_of_the_model(self):
        listed = self.read("/mechanics?per_page=100")
        names = {mechanic["id"]: mechanic["first_name"] for mechanic in listed}
        assert names == self.mechanic
        tickets = self.ticket.values()
        counts = {
            mechanic: sum(mechanic in ticket["mechanics"] for ticket in tickets)
            for mechanic in self.mechanic
        }
        ranking = self.read("/mechanics/ranking?per_page=100")
        assert [(place["id"], place["ticket_count"]) for place in ranking] == sorted(
            counts.items(), key=lambda place: (-place[1], place[0])
        )


@pytest.mark.slow
def test_random_work_leaves_what_the_model_says(make_app):
    class OpenShop(Shop):
        uncached = make_app(
            RATELIMIT_ENABLED=False, CACHE_TYPE="NullCache", CACHE_NO_NULL_WARNING=True
        )
        cached = make_app(RATELIMIT_ENABLED=False)  # the last one: only its hits show

    examples, steps = (3, 14) if os.environ.get("TEST_DATABASE_URL") else (8, 40)
    run_state_machine_as_test(
        OpenShop,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
