"""The resources of the shop, and what the fields of their records take and refuse.

A new field or a new resource goes in here, as one line or one row of RESOURCES. From it the tests
in tests/api/ make, read, change, list and delete records, and send wrong ones.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import zip_longest

from harness.shop import PASSWORD

NOTHING = object()


@dataclass
class Field:
    """A field of a body: {n} in its example is the number of the record."""

    example: object
    taken: list  # pairs: a value as it is sent, and as it is read back
    refused: list
    required: bool = True


@dataclass
class Resource:
    """A row of the table."""

    label: str  # what a delete calls the record in its message
    fields: dict[str, Field]
    computed: set = field(default_factory=set)  # what an answer shows besides the fields
    # What makes another record refer to the one with this id; ticket 1 is there for it.
    refer: Callable | None = None

    def whole(self, number=8, required=False):
        """Return a record with all fields, or only with the required ones."""
        return {
            name: field.example.replace("{n}", str(number))
            if isinstance(field.example, str)
            else field.example
            for name, field in self.fields.items()
            if field.required or not required
        }

    def shown(self, number=8, required=False):
        """Return the same without what no answer shows and no PUT needs."""
        record = self.whole(number, required)
        record.pop("password", None)
        return record


def rows(fields, kind):
    """Yield bodies that together have all values of a kind, "taken" or "refused", of all fields."""
    columns = [getattr(field, kind) for field in fields.values()]
    for row in zip_longest(*columns, fillvalue=NOTHING):
        named = zip(fields, row, strict=True)
        yield {name: value for name, value in named if value is not NOTHING}


NO_TEXT = [True, 5, 2.5, [], ["text"], {}, {"$ne": None}]
NO_NUMBER = [True, False, [], [1], {}, "", " ", "x", "1,5", "0x10", "\0", -1, "-1", -0.01]
NO_NUMBER += [float("nan"), float("inf"), "NaN", "-Infinity", 1e308, 2**31, 2**63, 10**30, 10**400]
ODD_TEXTS = ["  blanks \n", "🔧👩‍🔧 Ünï", "e\u0301\u202e\x1b[31m", "a\r\nB: c", "'; DROP--"]
ODD_TEXTS += ["<script>alert(1)</script>", "{{7*7}} ${7*7} %s%n%00", "../../etc", "\\x00 \\"]


def text(longest, example="Text {n}"):
    """Required text."""
    taken = [(odd, odd.strip()) for odd in ODD_TEXTS if len(odd) <= longest]
    taken.append((" " + "x" * longest + " ", "x" * longest))
    return Field(example, taken, [*NO_TEXT, None, "", "\n\t\u00a0 ", "x" * (longest + 1)])


def note(longest):
    """Text that may be empty, null or left out."""
    taken = [*text(longest).taken, ("", ""), (" ", ""), (None, None)]
    return Field("Note {n}", taken, [*NO_TEXT, "x" * (longest + 1)], required=False)


def money(required=True):
    """A price: at most two decimals."""
    taken = [(0, 0), ("20", 20), ("10.50", 10.5), ("1_000", 1000), (1_000_000, 1_000_000)]
    taken += [(cents / 100, cents / 100) for cents in (1, 7, 29, 115, 1999, 99_999_999)]
    refused = [*NO_NUMBER, None, 0.001, 19.999, "19.999", 1_000_000.01]
    return Field(12.5, taken, refused, required)


def whole_number(least, largest, required=False):
    """A number of pieces."""
    taken = [(7, 7), ("10", 10), (10.0, 10), ("1_000", 1000), (least, least), (largest, largest)]
    refused = [*NO_NUMBER, None, 2.9, "2.9", least - 1, largest + 1]
    return Field(4, taken, refused, required)


LONG_EMAIL = "e" * 244 + "@x.example"
EMAIL = Field(
    "eve{n}@mail.example",
    [(" EVE@X.example\n", "eve@x.example"), ("o'neill=1@x.example",) * 2, (LONG_EMAIL,) * 2],
    [*NO_TEXT, None, "", " ", "e", "e@@x.example", "e@x..example", "e f@x.example", "e@x.example\0"]
    + ["é@x.example", "e\u0301@x.example", "🔧@x.example", "e\u202e@x.example", "e" + LONG_EMAIL]
    + ["e@x.example,f@x.example", "E <e@x.example>", "e@x.example\nbcc:f@x.example"],
)
SECRET_WORD = Field(PASSWORD, [], [*NO_TEXT, None, "", "1234567", "x" * 129])
SALARY = Field(
    41000.5,
    [("50000.25", 50000.25), (0.125, 0.125), (0, 0), (10_000_000, 10_000_000), (None, None)],
    [*NO_NUMBER, 10_000_001],
    required=False,
)
CUSTOMER_ID = Field(1, [(1, 1), ("1", 1), (1.0, 1)], [*NO_NUMBER, None, 1.5, 0, 99, 999_999_999])
DAY = Field(
    "2026-01-05",
    [("2024-02-29", "2024-02-29")],
    [*NO_TEXT, None, "", "2026-02-30", "0000-01-01", "99999-01-01", "01.02.2026", 1767571200],
    required=False,
)
ACCOUNT = {"first_name": text(100), "last_name": text(100), "email": EMAIL, "password": SECRET_WORD}

RESOURCES = {
    "/customers": Resource(
        "customer",
        {**ACCOUNT, "phone": note(32), "address": note(255)},
        refer=lambda client, new: client.patch("/service_tickets/1", json={"customer_id": new}),
    ),
    "/mechanics": Resource(
        "mechanic",
        {**ACCOUNT, "salary": SALARY, "address": note(255)},
        refer=lambda client, new: client.put(f"/service_tickets/1/assign-mechanic/{new}"),
    ),
    "/service_tickets": Resource(
        "service ticket",
        {
            "customer_id": CUSTOMER_ID,
            "vin": text(17, "VIN{n}"),
            "service_desc": text(500),
            "service_date": DAY,
            "price": money(required=False),
        },
        computed={"mechanics", "parts", "total"},
    ),
    "/inventory": Resource(
        "inventory",
        {"name": text(255), "price": money(), "quantity": whole_number(0, 1_000_000)},
        refer=lambda client, new: client.post(f"/ticket_inventory/1/assign-inventory/{new}"),
    ),
}
