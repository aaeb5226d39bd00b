"""Random work of several callers, compared after each step with a small model of the shop."""

import pytest
import sqlalchemy as sa
from harness.shop import add_account, calling, shows, token_of
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
STRANGERS = st.sampled_from(["anyone", "carla"])


class Shop(RuleBasedStateMachine):
    """The shop, `cached` and `uncached` on one database, and a model of it in dictionaries."""

    parts = Bundle("parts")
    tickets = Bundle("tickets")
    callers = Bundle("callers")
    newcomers = Bundle("newcomers")
    mechanics = callers | newcomers

    @initialize(target=callers)
    def open(self):
        with self.cached.app_context():
            for table in reversed(db.metadata.sorted_tables):
                db.session.execute(table.delete())
            db.session.commit()
        self.part, self.ticket, self.ranked, self.names = {}, {}, {}, 0
        accounts = {name: add_account(self.cached, "mechanic", name) for name in ("ana", "bert")}
        self.customer = add_account(self.cached, "customer", "carla")
        self.clients = {"anyone": calling(self.cached)}
        for name, account_id in accounts.items():
            self.clients[name] = calling(self.cached, token_of(self.cached, "mechanic", account_id))
            self.ranked[account_id] = name
        self.clients["carla"] = calling(
            self.cached, token_of(self.cached, "customer", self.customer)
        )
        self.fresh = calling(self.uncached, token_of(self.uncached, "mechanic", accounts["ana"]))
        return multiple(*accounts.values())

    def call(self, who, method, path, body=None, expect=200):
        """Send a request as somebody; the answer has to have this status."""
        sent = {} if body is None else {"json": body}
        response = self.clients[who].open(path, method=method, **sent)
        assert response.status_code == expect, response.get_data(as_text=True)
        return response.json

    def used(self, part):
        return any(part in ticket["lines"] for ticket in self.ticket.values())

    @rule(target=parts, who=STAFF, name=NAMES, price=CENTS, quantity=STOCK)
    def add_part(self, who, name, price, quantity):
        body = {"name": name, "price": price, "quantity": quantity}
        part = self.call(who, "POST", "/inventory", body, expect=201)["id"]
        assert part not in self.part
        self.part[part] = body
        return part

    @rule(who=STAFF, part=parts, name=NAMES, price=CENTS)
    def change_part(self, who, part, name, price):
        body = {"name": name, "price": price}
        known = part in self.part
        self.call(who, "PATCH", f"/parts/{part}", body, expect=200 if known else 404)
        if known:
            self.part[part] |= body

    @rule(who=STAFF, part=parts, quantity=STOCK)
    def count_part(self, who, part, quantity):
        known = part in self.part
        body = {"quantity": quantity}
        self.call(who, "PATCH", f"/inventory/{part}", body, expect=200 if known else 404)
        if known:
            self.part[part]["quantity"] = quantity

    @rule(who=STAFF, part=parts)
    def delete_part(self, who, part):
        expect = 404 if part not in self.part else 409 if self.used(part) else 200
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

    @rule(who=STAFF, ticket=tickets, mechanic=mechanics, way=st.sampled_from(["assign", "remove"]))
    def change_mechanic(self, who, ticket, mechanic, way):
        known = ticket in self.ticket and mechanic in self.ranked
        path = f"/service_tickets/{ticket}/{way}-mechanic/{mechanic}"
        self.call(who, "PUT", path, expect=200 if known else 404)
        if known and way == "assign":
            self.ticket[ticket]["mechanics"].add(mechanic)
        elif known:
            self.ticket[ticket]["mechanics"].discard(mechanic)

    @rule(who=STAFF, ticket=tickets, add=mechanics, remove=mechanics)
    def edit_mechanics(self, who, ticket, add, remove):
        fine = add != remove and {add, remove} <= self.ranked.keys()
        expect = 400 if not fine else 200 if ticket in self.ticket else 404
        body = {"add_ids": [add], "remove_ids": [remove]}
        self.call(who, "PUT", f"/service_tickets/{ticket}/edit", body, expect=expect)
        if expect == 200:
            self.ticket[ticket]["mechanics"] |= {add}
            self.ticket[ticket]["mechanics"] -= {remove}

    @rule(target=newcomers)
    def add_mechanic(self):
        self.names += 1
        mechanic = add_account(self.cached, "mechanic", f"m{self.names}")
        self.ranked[mechanic] = f"m{self.names}"
        return mechanic

    @rule(mechanic=mechanics, name=NAMES)
    def rename_mechanic(self, mechanic, name):
        known = mechanic in self.ranked
        body = {"first_name": name}
        self.call("ana", "PATCH", f"/mechanics/{mechanic}", body, expect=200 if known else 404)
        if known:
            self.ranked[mechanic] = name

    @rule(who=STAFF, mechanic=newcomers)
    def delete_mechanic(self, who, mechanic):
        busy = any(mechanic in ticket["mechanics"] for ticket in self.ticket.values())
        expect = 404 if mechanic not in self.ranked else 409 if busy else 200
        self.call(who, "DELETE", f"/mechanics/{mechanic}", expect=expect)
        if expect == 200:
            del self.ranked[mechanic]

    @rule(who=STRANGERS, ticket=tickets, part=parts)
    def refuse_strangers(self, who, ticket, part):
        expect = 401 if who == "anyone" else 403
        self.call(who, "DELETE", f"/inventory/{part}", expect=expect)
        self.call(who, "DELETE", f"/service_tickets/{ticket}", expect=expect)
        self.call(who, "POST", f"/ticket_inventory/{ticket}/assign-inventory/{part}", expect=expect)

    @rule()
    def refuse_to_delete_a_customer_with_tickets(self):
        if self.ticket:
            self.call("carla", "DELETE", f"/customers/{self.customer}", expect=409)

    def read(self, path):
        """Return what is read, the same at first, from the cache, and past it."""
        first, again = self.clients["ana"].get(path), self.clients["ana"].get(path)
        uncached = self.fresh.get(path)
        assert first.json == again.json == uncached.json
        cached = first.status_code == 200 and not path.startswith("/service_tickets")
        assert again.headers.get("hit_cache") == ("True" if cached else None)
        assert "hit_cache" not in uncached.headers
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
        mine = self.clients["carla"].get("/customers/my-tickets?per_page=100").json
        assert mine == listed

    @invariant()
    def mechanics_are_those_of_the_model(self):
        listed = self.read("/mechanics?per_page=100")
        names = {mechanic["id"]: mechanic["first_name"] for mechanic in listed}
        assert names == self.ranked
        counts = {
            mechanic: sum(mechanic in ticket["mechanics"] for ticket in self.ticket.values())
            for mechanic in self.ranked
        }
        ranking = self.read("/mechanics/ranking?per_page=100")
        assert [(place["id"], place["ticket_count"]) for place in ranking] == sorted(
            counts.items(), key=lambda place: (-place[1], place[0])
        )

    @invariant()
    def stored_pieces_are_those_of_the_model(self):
        with self.uncached.app_context():
            quantities = sa.text(
                "SELECT (SELECT COALESCE(SUM(quantity), 0) FROM inventory)"
                " + (SELECT COALESCE(SUM(quantity), 0) FROM ticket_inventory)"
            )
            stored = db.session.scalar(quantities)
        in_stock = sum(part["quantity"] for part in self.part.values())
        lines = [line for ticket in self.ticket.values() for line in ticket["lines"].values()]
        assert stored == in_stock + sum(quantity for quantity, _price in lines)


@pytest.mark.slow
@pytest.mark.parametrize(("examples", "steps"), [(3, 14), (8, 40)])  # few for a server
def test_random_work_leaves_what_the_model_says(make_app, examples, steps):
    class OpenShop(Shop):
        uncached = make_app(
            RATELIMIT_ENABLED=False, CACHE_TYPE="NullCache", CACHE_NO_NULL_WARNING=True
        )
        cached = make_app(RATELIMIT_ENABLED=False)  # the last one: only its hits show

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
