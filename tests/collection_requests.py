"""The requests of postman_collection.json, which make_collection.py writes from them.

Each request stands alone: what it needs, its `given` steps make first, each time anew. So it
can be sent by hand and in any order after "Log in", and leaves the sample data as it was.

A caller is anyone, mechanic or customer (those who log in first), or own: an account that the
steps made. A call, a body and a header may hold {{variables}}. The tests are JavaScript; `body`
is the answer's JSON, and each variable that they mention is there under its name.
"""

from dataclasses import dataclass, field

JSON = "application/json"
PROBLEM = "application/problem+json"
FOUND = {  # what a step may keep besides the fields of the body it gets: where Postman finds it
    "etag": 'response.headers.get("ETag")',
    "next": '(/<([^>]+)>; rel="next"/.exec(response.headers.get("Link")) || [])[1]',
    "last": '(/<([^>]+)>; rel="last"/.exec(response.headers.get("Link")) || [])[1]',
}


@dataclass(frozen=True)
class Step:
    caller: str
    call: str
    body: dict | None = None
    keep: dict = field(default_factory=dict)  # {variable: field of the answer}
    times: int = 1


@dataclass(frozen=True)
class Request:
    name: str  # what it shows
    call: str
    status: int
    says: str  # what to look at
    tests: dict = field(default_factory=dict)  # {name: JavaScript}
    body: dict | str | None = None
    headers: dict = field(default_factory=dict)
    content_type: str | None = JSON
    keep: dict = field(default_factory=dict)
    given: tuple | list = ()
    before: str = ""  # JavaScript to run first
    other: tuple | None = None  # a second example: its title, and what is different
    volatile: dict = field(default_factory=dict)  # what examples show instead of today's value
    detail: str = ""  # of a refusal: words of it
    errors: tuple | list = ()  # of a refusal: the fields that it names
    caller: str = ""  # comes from the folder


@dataclass(frozen=True)
class Folder:
    name: str
    says: str
    items: list
    caller: str = ""  # empty: as in the folder around


def refused(name, call, status, detail, says, **more):
    """Return a request that is refused."""
    more["other"] = more.get("other") or ("with a mechanic's token", {"caller": "mechanic"})
    return Request(name, call, status, says, detail=detail, content_type=PROBLEM, **more)


# === What requests need ===========================================================================

DATE = "2026-02-02"
SPEAKER = {"name": "speaker", "price": "20", "quantity": "10"}  # the assignment's bodies
PIONEER = {"name": "pioneer speakers 6.5 inch", "price": 25.00, "quantity": 42}
HORN = {"name": "horn", "price": 18.5, "quantity": 4}
TICKET = {
    "customer_id": 2,
    "vin": "1HGCM82633A004352",
    "service_desc": "Replace the speakers",
    "service_date": DATE,
    "price": 50,
}
WALK_IN = {
    "first_name": "Wanda",
    "last_name": "Walker",
    "email": "wanda.{{unique}}@mail.example",
    "phone": "555-0100",
    "address": "1 Maple Street",
    "password": "{{password}}",
}
NEWCOMER = {
    "first_name": "Nora",
    "last_name": "Newman",
    "email": "nora.{{unique}}@shop.example",
    "salary": 52000,
    "address": "5 Canal Street",
    "password": "{{password}}",
}
WALK_IN_LOGIN = {"email": WALK_IN["email"], "password": "{{password}}"}
NEWCOMER_LOGIN = {"email": NEWCOMER["email"], "password": "{{password}}"}
ANA = {"email": "ana@shop.example", "password": "{{password}}"}
ADA = {"email": "ada.abbott@mail.example", "password": "{{password}}"}

part = Step("mechanic", "POST /inventory", SPEAKER, {"part_id": "id"})
last_piece = Step("mechanic", "POST /inventory", SPEAKER | {"quantity": 1}, {"part_id": "id"})
read_part = Step("anyone", "GET /inventory/{{part_id}}", keep={"etag": "etag"})
raise_price = Step("mechanic", "PATCH /inventory/{{part_id}}", {"price": 24.5})
ticket = Step("mechanic", "POST /service_tickets", TICKET, {"ticket_id": "id"})
ASSIGN = "POST /ticket_inventory/{{ticket_id}}/assign-inventory/{{part_id}}"
REMOVE = "DELETE /ticket_inventory/{{ticket_id}}/remove-inventory/{{part_id}}"
take_one = Step("mechanic", ASSIGN)
take_three = Step("mechanic", ASSIGN, {"quantity": 3})
bert_works = Step("mechanic", "PUT /service_tickets/{{ticket_id}}/assign-mechanic/2")
walk_in = Step("anyone", "POST /customers", WALK_IN, {"own_id": "id"})
walk_in_login = Step("anyone", "POST /customers/login", WALK_IN_LOGIN, {"own_token": "token"})
newcomer = Step("mechanic", "POST /mechanics", NEWCOMER, {"own_id": "id"})
newcomer_login = Step("anyone", "POST /mechanics/login", NEWCOMER_LOGIN, {"own_token": "token"})

# === Tests that several requests share ============================================================

FROM_DATABASE = 'pm.expect(pm.response.headers.has("hit_cache")).to.be.false;'
FROM_CACHE = 'pm.expect(pm.response.headers.get("hit_cache")).to.eql("True");'
NEW_SPEAKER = """
pm.expect(body).to.eql({id: part_id, name: "speaker", price: 20, quantity: 10});"""
NO_PASSWORD = 'pm.expect(pm.response.text()).to.not.include("password");'
BEARER = 'pm.expect(pm.response.headers.get("WWW-Authenticate")).to.eql("Bearer");'
asks_for_token = {"It asks for a bearer token": BEARER}
LOCATION = 'pm.expect(pm.response.headers.get("Location"))'
LINK = 'const link = pm.response.headers.get("Link");'
TOTAL = 'const total = Number(pm.response.headers.get("X-Total-Count"));'
TOKEN = """
pm.expect(body.token.split(".")).to.have.lengthOf(3);
const base64 = body.token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
const claims = JSON.parse(require("atob")(base64));
pm.expect(claims.sub).to.eql(String(body.id));
pm.expect(claims.role).to.eql("%s");
pm.expect(claims.exp - claims.iat).to.eql(3600);"""
PAGE_OF_TEN = """
pm.expect(body).to.have.lengthOf(10);
const ids = body.map((record) => record.id);
pm.expect(ids).to.eql([...ids].sort((a, b) => a - b));"""

# === Log in =======================================================================================

log_in = Folder(
    "Log in",
    "Send these two first: the tokens of a mechanic (Ana) and of a customer (Ada), both from the "
    "sample data, go into collection variables, and the folders below use them. They are good "
    "for an hour.",
    caller="anyone",
    items=[
        Request(
            "A mechanic logs in and gets a token: 200",
            "POST /mechanics/login",
            200,
            "Token authentication: login_schema checks the body, encode_token() makes the token. "
            "The token is kept in the variable mechanic_token.",
            body=ANA,
            keep={"mechanic_token": "token", "mechanic_id": "id"},
            tests={
                "It says who logged in, and for how long": (
                    'pm.expect(body.message).to.eql("Successfully logged in");\n'
                    "pm.expect(body.id).to.eql(1);\npm.expect(body.expires_in).to.eql(3600);"
                ),
                "The token is a mechanic's, and good for an hour": TOKEN % "mechanic",
            },
            other=("wrong password", {"body": ANA | {"password": "a guess"}}),
        ),
        Request(
            "A customer logs in and gets a token: 200",
            "POST /customers/login",
            200,
            "Token authentication: POST /login in the customer blueprint. The token is kept in the "
            "variable customer_token.",
            body=ADA,
            keep={"customer_token": "token", "customer_id": "id"},
            tests={
                "It says who logged in, and for how long": (
                    'pm.expect(body.message).to.eql("Successfully logged in");\n'
                    "pm.expect(body.id).to.eql(1);\npm.expect(body.expires_in).to.eql(3600);"
                ),
                "The token is a customer's, and good for an hour": TOKEN % "customer",
            },
            other=("wrong password", {"body": ADA | {"password": "a guess"}}),
        ),
    ],
)

# === Rate limiting and caching ====================================================================

rate_limits = Folder(
    "Rate limits",
    "Flask-Limiter: 200 calls a minute for each route by default (the optional challenge), fewer "
    "for logins and registrations. Look at the X-RateLimit headers.",
    caller="anyone",
    items=[
        Request(
            "Every route has a default limit of 200 calls a minute",
            "GET /inventory",
            200,
            "The blanket protection: this route has no limit of its own, and is limited.",
            tests={
                "200 calls a minute, and fewer are left": """
const left = Number(pm.response.headers.get("X-RateLimit-Remaining"));
pm.expect(pm.response.headers.get("X-RateLimit-Limit")).to.eql("200");
pm.expect(left).to.be.within(0, 199);""",
                "It says when the minute ends": """
const end = Number(pm.response.headers.get("X-RateLimit-Reset"));
pm.expect(end - Date.now() / 1000).to.be.within(-5, 65);""",
                "The call is answered": 'pm.expect(body[0].name).to.eql("speaker");',
            },
            other=("not a page", {"call": "GET /inventory?page=0"}),
        ),
        Request(
            "Registration has a limit of its own: 60 a minute",
            "POST /customers",
            201,
            "A route with a stricter limit than the default one.",
            body=WALK_IN,
            tests={
                "60 calls a minute": (
                    'pm.expect(pm.response.headers.get("X-RateLimit-Limit")).to.eql("60");'
                ),
                "The call is answered": 'pm.expect(body.first_name).to.eql("Wanda");',
            },
            other=("the email is taken", {"body": WALK_IN | {"email": ADA["email"]}}),
        ),
        refused(
            "The eleventh login of one email in a minute is refused: 429",
            "POST /customers/login",
            429,
            "10 per 1 minute",
            "Ten logins go out first, for an email made up for this request. The right password "
            "does not help either; Retry-After says when it will.",
            given=[
                walk_in,
                Step("anyone", "POST /customers/login", WALK_IN_LOGIN, times=10),
            ],
            body=WALK_IN_LOGIN,
            tests={
                "Retry-After says in how many seconds to try again": """
const seconds = Number(pm.response.headers.get("Retry-After"));
pm.expect(seconds).to.be.within(1, 60);""",
                "Nothing is left of ten logins": """
pm.expect(pm.response.headers.get("X-RateLimit-Limit")).to.eql("10");
pm.expect(pm.response.headers.get("X-RateLimit-Remaining")).to.eql("0");""",
            },
            other=("another email", {"given": [walk_in]}),
        ),
        Request(
            "Others at the same address can still log in: 200",
            "POST /customers/login",
            200,
            "The limit is for an address and an email together: nobody locks out anybody else.",
            given=[walk_in],
            body=WALK_IN_LOGIN,
            tests={
                "Another email has ten logins of its own": """
pm.expect(pm.response.headers.get("X-RateLimit-Limit")).to.eql("10");
pm.expect(pm.response.headers.get("X-RateLimit-Remaining")).to.eql("9");""",
                "It is this customer who is logged in": "pm.expect(body.id).to.eql(own_id);",
            },
            other=("wrong password", {"body": WALK_IN_LOGIN | {"password": "a guess"}}),
        ),
    ],
)

caching = Folder(
    "Caching",
    "Flask-Caching: an answer from the cache has the header hit_cache. Shown step by step: a read "
    "from the database, a read from the cache, a write, and a read that sees the write.",
    items=[
        Request(
            "The first read of a part comes from the database",
            "GET /inventory/{{part_id}}",
            200,
            "A cache miss: the part is new, so there is no hit_cache header.",
            given=[part],
            tests={
                "No hit_cache header: a miss": FROM_DATABASE,
                "It is the part": NEW_SPEAKER,
            },
            other=("no such part", {"call": "GET /inventory/999999"}),
        ),
        Request(
            "The second read comes from the cache",
            "GET /inventory/{{part_id}}",
            200,
            "A cache hit: the same part was read just before.",
            given=[part, read_part],
            tests={
                "hit_cache: True": FROM_CACHE,
                "It is the same part": NEW_SPEAKER,
            },
            other=("no such part", {"call": "GET /inventory/999999"}),
        ),
        Request(
            "A write changes the price of a part that is in the cache",
            "PATCH /inventory/{{part_id}}",
            200,
            "The part was read before, so the cache holds its old price.",
            given=[part, read_part],
            body={"price": 24.5},
            tests={
                "The price is the new one": (
                    'pm.expect(body).to.eql({id: part_id, name: "speaker", price: 24.5, '
                    "quantity: 10});"
                ),
                "A write is never cached": FROM_DATABASE,
            },
        ),
        Request(
            "The read after the write is fresh",
            "GET /inventory/{{part_id}}",
            200,
            "The part was read at its old price, then the price was changed: the old answer is "
            "not shown again.",
            given=[part, read_part, raise_price],
            tests={
                "No hit_cache header: a miss again": FROM_DATABASE,
                "The price is the new one": "pm.expect(body.price).to.eql(24.5);",
            },
            other=("no such part", {"call": "GET /inventory/999999"}),
        ),
        Request(
            "Parameters that a route does not know make no new entry in the cache",
            "GET /inventory?tracker={{unique}}",
            200,
            "Nobody can fill the cache with made-up parameters.",
            given=[Step("anyone", "GET /inventory")],
            tests={
                "hit_cache: True": FROM_CACHE,
                "It is the list": 'pm.expect(body[1].name).to.eql("front bumper");',
            },
            other=("not a page", {"call": "GET /inventory?page=abc"}),
        ),
        Request(
            "A browser that has the part already is told so: 304",
            "GET /inventory/{{part_id}}",
            304,
            "If-None-Match with the ETag of the answer before: nothing is sent again.",
            given=[part, read_part],
            headers={"If-None-Match": "{{etag}}"},
            content_type=None,
            tests={
                "Nothing is sent": 'pm.expect(pm.response.text()).to.eql("");',
                "The ETag is the same": (
                    'pm.expect(pm.response.headers.get("ETag")).to.eql(etag);'
                ),
                "It is to be asked for each time": (
                    'pm.expect(pm.response.headers.get("Cache-Control")).to.eql("no-cache");'
                ),
            },
            other=("no such part", {"call": "GET /inventory/999999"}),
        ),
        Request(
            "A browser that has an old answer gets the new one: 200",
            "GET /inventory/{{part_id}}",
            200,
            "The ETag is the one from before the price changed.",
            given=[part, read_part, raise_price],
            headers={"If-None-Match": "{{etag}}"},
            tests={
                "The ETag is another one": """
pm.expect(pm.response.headers.get("ETag")).to.match(/^"[^"]+"$/);
pm.expect(pm.response.headers.get("ETag")).to.not.eql(etag);""",
                "The price is the new one": "pm.expect(body.price).to.eql(24.5);",
            },
            other=("no such part", {"call": "GET /inventory/999999"}),
        ),
        Request(
            "The list of mechanics is cached",
            "GET /mechanics",
            200,
            "Read a moment before, so this answer comes from the cache.",
            given=[Step("mechanic", "GET /mechanics")],
            tests={
                "hit_cache: True": FROM_CACHE,
                "Ana is the first": (
                    'pm.expect(body[0]).to.include({id: 1, first_name: "Ana", last_name: "Ruiz"});'
                ),
            },
        ),
        Request(
            "The list of customers is cached, each search for itself",
            "GET /customers?search=abbott",
            200,
            "The cache tells the parameters apart that the route knows.",
            given=[
                Step("mechanic", "GET /customers?search=costa"),
                Step("mechanic", "GET /customers?search=abbott"),
            ],
            tests={
                "hit_cache: True": FROM_CACHE,
                "It is the answer to this search": (
                    "body.forEach((customer) => "
                    'pm.expect(JSON.stringify(customer).toLowerCase()).to.include("abbott"));'
                ),
            },
        ),
        Folder(
            "Without a token",
            "What is cached for mechanics is for nobody else.",
            caller="anyone",
            items=[
                refused(
                    "The token is checked before the cache is asked: 401",
                    "GET /customers",
                    401,
                    "Log in",
                    "A mechanic has just read the list, and it is in the cache.",
                    given=[Step("mechanic", "GET /customers")],
                    tests=asks_for_token | {"Nothing comes from the cache": FROM_DATABASE},
                ),
            ],
        ),
    ],
)

rate_limiting_and_caching = Folder(
    "Rate limiting and caching",
    '"Have a rate limit applied to at least one route", "apply a default rate limit", "have '
    'implemented caching on at least one route".',
    items=[rate_limits, caching],
)

# === Token authentication =========================================================================

token_authentication = Folder(
    "Token authentication",
    '"Create an encode_token function", "login_schema", "@token_required wrapper, that stores the '
    'mechanic_id from the token, in the request", "create a route that requires a token".',
    items=[
        Folder(
            "With a mechanic's token",
            "The token says who calls: no id is in these addresses.",
            items=[
                Request(
                    "A mechanic sees the tickets they work on",
                    "GET /mechanics/my-tickets",
                    200,
                    '"Returns the service_tickets related to that mechanic": who that is, the '
                    "token tells.",
                    tests={
                        "The caller works on each of them": """
pm.expect(body).to.not.be.empty;
body.forEach((ticket) => {
    pm.expect(ticket.mechanics.map((mechanic) => mechanic.id)).to.include(mechanic_id);
});""",
                        "They are counted": f"""
{TOTAL}
pm.expect(total).to.be.at.least(body.length);""",
                    },
                ),
                Request(
                    "A mechanic sees their own record",
                    "GET /mechanics/profile",
                    200,
                    "@token_required stores the mechanic_id in the request, for the view.",
                    tests={
                        "It is Ana": """
pm.expect(body).to.include({id: mechanic_id, first_name: "Ana", email: "ana@shop.example"});""",
                        "No password": NO_PASSWORD,
                    },
                ),
                refused(
                    "A mechanic has no tickets as a customer: 403",
                    "GET /customers/my-tickets",
                    403,
                    "Only a customer",
                    "The token has the role it was given for.",
                    other=("with a customer's token", {"caller": "customer"}),
                ),
            ],
        ),
        Folder(
            "With a customer's token",
            "Bearer {{customer_token}}, for all requests of this folder.",
            caller="customer",
            items=[
                Request(
                    "A customer sees their own tickets",
                    "GET /customers/my-tickets",
                    200,
                    '"Using that id query the service_tickets where the customer_id is equal to '
                    'the id passed in."',
                    tests={
                        "All are the caller's": """
pm.expect(body).to.not.be.empty;
body.forEach((ticket) => pm.expect(ticket.customer_id).to.eql(customer_id));""",
                        "The first one is the oil change": """
pm.expect(body[0]).to.include({id: 1, service_desc: "Oil change and filter", price: 35});
pm.expect(body[0].total).to.eql(87.45);""",
                    },
                ),
                refused(
                    "A customer's token opens no mechanic's route: 403",
                    "GET /mechanics/my-tickets",
                    403,
                    "Only a mechanic",
                    "Known, but not allowed: 403 and not 401.",
                ),
            ],
        ),
        Folder(
            "Without a good token",
            "No token goes along here, or one that is not good: 401, and WWW-Authenticate says "
            "what is missing.",
            caller="anyone",
            items=[
                refused(
                    "My tickets need a token: 401",
                    "GET /customers/my-tickets",
                    401,
                    "Log in",
                    '"Requires a Bearer Token authorization."',
                    tests=asks_for_token,
                    other=("with a customer's token", {"caller": "customer"}),
                ),
                refused(
                    "A changed token is refused: 401",
                    "GET /mechanics/my-tickets",
                    401,
                    "Log in",
                    "One character more, and the signature does not fit.",
                    headers={"Authorization": "Bearer {{mechanic_token}}x"},
                    tests=asks_for_token,
                    other=("with the token as it was", {"caller": "mechanic", "headers": {}}),
                ),
                refused(
                    "A wrong password is refused: 401",
                    "POST /mechanics/login",
                    401,
                    "Wrong email or password.",
                    "The email exists; the answer does not say so.",
                    body=ANA | {"password": "a guess"},
                    tests=asks_for_token,
                    other=("with the right password", {"body": ANA}),
                ),
                refused(
                    "An unknown email is refused in the same words: 401",
                    "POST /mechanics/login",
                    401,
                    "Wrong email or password.",
                    "Nobody learns who has an account here.",
                    body={"email": "nobody.{{unique}}@shop.example", "password": "a guess"},
                    tests=asks_for_token,
                    other=("with an email that has an account", {"body": ANA}),
                ),
                refused(
                    "A login without a password is invalid: 400",
                    "POST /customers/login",
                    400,
                    "Not valid",
                    '"Passing in email and password, validated by login_schema."',
                    body={"email": "nobody.{{unique}}@mail.example"},
                    errors=["password"],
                    other=("with the password", {"body": ADA}),
                ),
            ],
        ),
        Folder(
            "With a token that has died",
            "Each request makes an account, logs in, and then makes the token worthless.",
            caller="own",
            items=[
                refused(
                    "A token dies when the password changes: 401",
                    "GET /customers/{{own_id}}",
                    401,
                    "Log in",
                    "The token holds a keyed fingerprint of the password's hash.",
                    given=[
                        walk_in,
                        walk_in_login,
                        Step("own", "PATCH /customers/{{own_id}}", {"password": "a new password"}),
                    ],
                    tests=asks_for_token,
                    other=("before the password changes", {"given": [walk_in, walk_in_login]}),
                ),
                refused(
                    "A token dies with its account: 401",
                    "GET /customers/{{own_id}}",
                    401,
                    "Log in",
                    "The account is looked up with each request.",
                    given=[walk_in, walk_in_login, Step("own", "DELETE /customers/{{own_id}}")],
                    tests=asks_for_token,
                    other=("while the account is there", {"given": [walk_in, walk_in_login]}),
                ),
            ],
        ),
    ],
)

# === Advanced queries =============================================================================

advanced_queries = Folder(
    "Advanced queries",
    "The assignment asks for one of three; all three are here, and search besides.",
    items=[
        Folder(
            "Mechanics of a ticket",
            '"Add an update route to your service_ticket blueprint to add and remove mechanics '
            'from a ticket. Use ids to look up the mechanic."',
            items=[
                Request(
                    "Mechanics are put on a ticket and taken off in one call",
                    "PUT /service_tickets/{{ticket_id}}/edit",
                    200,
                    "Bert (2) was on the ticket; Chidi (3) and Dana (4) take over.",
                    given=[ticket, bert_works],
                    body={"add_ids": [3, 4], "remove_ids": [2]},
                    tests={
                        "Chidi and Dana are on the ticket, Bert is not": """
pm.expect(body.mechanics).to.eql([
    {id: 3, first_name: "Chidi", last_name: "Okafor"},
    {id: 4, first_name: "Dana", last_name: "Kowalski"},
]);""",
                        "It is this ticket": "pm.expect(body.id).to.eql(ticket_id);",
                    },
                    other=("no such mechanic", {"body": {"add_ids": [999999]}}),
                ),
                Request(
                    "Adding a mechanic who is there already changes nothing",
                    "PUT /service_tickets/{{ticket_id}}/edit",
                    200,
                    "Bert (2) is on the ticket before and after, once.",
                    given=[ticket, bert_works],
                    body={"add_ids": [2]},
                    tests={
                        "Bert is on the ticket once": (
                            "pm.expect(body.mechanics.map((one) => one.id)).to.eql([2]);"
                        ),
                    },
                    other=("nobody named", {"body": {}}),
                ),
                refused(
                    "An unknown mechanic stops the whole edit: 400",
                    "PUT /service_tickets/{{ticket_id}}/edit",
                    400,
                    "Not valid",
                    "All or nothing: the answer names the id that is nobody's.",
                    given=[ticket],
                    body={"add_ids": [2, 999999], "remove_ids": []},
                    errors=["add_ids"],
                    tests={
                        "It names the id": (
                            'pm.expect(body.errors.add_ids[0]).to.include("999999");'
                        )
                    },
                    other=("a mechanic who exists", {"body": {"add_ids": [2]}}),
                ),
                refused(
                    "A mechanic cannot be put on and taken off at once: 400",
                    "PUT /service_tickets/{{ticket_id}}/edit",
                    400,
                    "Not valid",
                    "The same id in both lists.",
                    given=[ticket],
                    body={"add_ids": [2], "remove_ids": [2]},
                    errors=["remove_ids"],
                    other=("in one list only", {"body": {"add_ids": [2]}}),
                ),
                refused(
                    "An edit that names nobody is refused: 400",
                    "PUT /service_tickets/{{ticket_id}}/edit",
                    400,
                    "Not valid",
                    "At least one mechanic has to be named.",
                    given=[ticket],
                    body={"add_ids": [], "remove_ids": []},
                    errors=["add_ids"],
                    other=("naming a mechanic", {"body": {"add_ids": [2]}}),
                ),
            ],
        ),
        Folder(
            "Ranking of the mechanics",
            '"An endpoint in mechanics blueprint that returns a list of mechanics in order of who '
            'has worked on the most tickets."',
            items=[
                Request(
                    "Mechanics are ranked by how many tickets they worked on",
                    "GET /mechanics/ranking?per_page=100",
                    200,
                    "Most tickets first; with the same number, by id. Gus, who is new, has none "
                    "and is in the list.",
                    tests={
                        "Most tickets first, then by id": """
body.slice(1).forEach((next, i) => {
    const fewer = next.ticket_count < body[i].ticket_count;
    const same = next.ticket_count === body[i].ticket_count;
    pm.expect(fewer || (same && next.id > body[i].id), JSON.stringify(next)).to.be.true;
});""",
                        "Each place has a name and a count, and nothing else": """
body.forEach((place) => {
    pm.expect(place).to.have.all.keys("id", "first_name", "last_name", "ticket_count");
});""",
                        "Mechanics without a ticket are included": """
pm.expect(body.find((place) => place.id === 7)).to.include({first_name: "Gus", ticket_count: 0});
""",
                    },
                ),
                Request(
                    "A ticket counts in the ranking at once, although the ranking is cached",
                    "GET /mechanics/ranking?per_page=100",
                    200,
                    "The ranking was read before the ticket got a mechanic: a new one, so the "
                    "count is exactly one.",
                    given=[
                        newcomer,
                        ticket,
                        Step("mechanic", "GET /mechanics/ranking?per_page=100"),
                        Step(
                            "mechanic",
                            "PUT /service_tickets/{{ticket_id}}/assign-mechanic/{{own_id}}",
                        ),
                    ],
                    tests={
                        "The new mechanic has one ticket": """
pm.expect(body.find((place) => place.id === own_id).ticket_count).to.eql(1);""",
                        "Not from the cache": FROM_DATABASE,
                    },
                ),
            ],
        ),
        Folder(
            "Pages of customers",
            '"Apply Pagination to GET Customers route." The pages around are in the Link header, '
            "the number of all customers is in X-Total-Count.",
            items=[
                Request(
                    "Customers come a page at a time",
                    "GET /customers?page=1&per_page=10",
                    200,
                    "Ten of them, in order of id, with links to the other pages.",
                    tests={
                        "Ten customers, in order of id": PAGE_OF_TEN,
                        "Ada is the first": """
pm.expect(body[0]).to.include({id: 1, first_name: "Ada", email: "ada.abbott@mail.example"});""",
                        "All customers are counted": f"""
{TOTAL}
pm.expect(total).to.be.at.least(25);""",
                        "Links lead to the first, next and last page, and keep per_page": f"""
{LINK}
pm.expect(link).to.include('</customers?page=1&per_page=10>; rel="first"');
pm.expect(link).to.include('</customers?page=2&per_page=10>; rel="next"');
pm.expect(link).to.match(/page=\\d+&per_page=10>; rel="last"/);
pm.expect(link).to.not.include('rel="prev"');""",
                        "No password": NO_PASSWORD,
                    },
                ),
                Request(
                    "The link to the next page is followed",
                    "GET {{next_page}}",
                    200,
                    "The address is the one that the first page's Link header gave.",
                    given=[
                        Step(
                            "mechanic",
                            "GET /customers?page=1&per_page=10",
                            keep={"next_page": "next"},
                        )
                    ],
                    tests={
                        "Ten other customers, in order of id": PAGE_OF_TEN,
                        "They are those after the first ten": (
                            "pm.expect(body[0].id).to.be.above(10);"
                        ),
                        "A link leads back": f"""
{LINK}
pm.expect(link).to.include('</customers?page=1&per_page=10>; rel="prev"');""",
                    },
                ),
                Request(
                    "The link to the last page is followed, and no page is next",
                    "GET {{last_page}}",
                    200,
                    "The rest of the customers.",
                    given=[
                        Step(
                            "mechanic",
                            "GET /customers?page=1&per_page=10",
                            keep={"last_page": "last"},
                        )
                    ],
                    tests={
                        "The rest is here": f"""
{TOTAL}
pm.expect(body).to.have.lengthOf(total % 10 || 10);""",
                        "No page is next": f"""
{LINK}
pm.expect(link).to.include('rel="prev"');
pm.expect(link).to.not.include('rel="next"');""",
                    },
                ),
                Request(
                    "Without parameters, a page has 20",
                    "GET /customers",
                    200,
                    "The defaults: page 1, 20 a page.",
                    tests={
                        "20 customers": "pm.expect(body).to.have.lengthOf(20);",
                        "The next page has 20 too": f"""
{LINK}
pm.expect(link).to.include('</customers?page=2&per_page=20>; rel="next"');""",
                    },
                ),
                Request(
                    "A page past the end is empty",
                    "GET /customers?page=1000000",
                    200,
                    "No error: there is nothing on it, and the links lead back.",
                    tests={
                        "Nobody is on it": "pm.expect(body).to.eql([]);",
                        "The links lead back": f"""
{LINK}
pm.expect(link).to.include('rel="prev"');
pm.expect(link).to.not.include('rel="next"');""",
                    },
                ),
                Request(
                    "Customers are found by a part of their name or email",
                    "GET /customers?search=ADA.ABBOTT&per_page=5",
                    200,
                    "Capital letters do not matter, and the links keep the search.",
                    tests={
                        "Ada is found, and nobody else": (
                            "pm.expect(body.map((customer) => customer.id)).to.eql([1]);"
                        ),
                        "One customer is counted": f"{TOTAL}\npm.expect(total).to.eql(1);",
                        "The links keep the search": f"""
{LINK}
pm.expect(link).to.include("search=ADA.ABBOTT");""",
                    },
                ),
                Request(
                    "A percent sign is searched for as it is",
                    "GET /customers?search=%25",
                    200,
                    "% and _ are wildcards to a database, and nothing special here.",
                    tests={"Nobody has one": "pm.expect(body).to.eql([]);"},
                ),
                refused(
                    "There is no page 0, and no page of 101: 400",
                    "GET /customers?page=0&per_page=101",
                    400,
                    "Not valid",
                    "Both parameters are named.",
                    errors=["page", "per_page"],
                    other=("the third page of two", {"call": "GET /customers?page=3&per_page=2"}),
                ),
            ],
        ),
    ],
)

# === Inventory ====================================================================================

ANOTHER_SPEAKER = 'pm.expect(body).to.eql({id: body.id, name: "speaker", price: 20, quantity: 10});'
SHORT = {"body": {"name": "speaker"}}


def inventory_requests(prefix):
    """Return the requests that read and write parts at an address."""
    read = Folder(
        "Anyone reads",
        "Without a token: anyone may look at what the shop has.",
        caller="anyone",
        items=[
            Request(
                f"The parts are listed at {prefix}",
                f"GET {prefix}",
                200,
                "The assignment's example: the two parts that it shows come first.",
                tests={
                    "The assignment's two parts come first": """
pm.expect(body.slice(0, 2)).to.eql([
    {id: 1, name: "speaker", price: 20, quantity: 10},
    {id: 2, name: "front bumper", price: 120.25, quantity: 2},
]);""",
                    "They come a page at a time": f"""
{TOTAL}
pm.expect(total).to.be.at.least(15);
pm.expect(body.length).to.eql(Math.min(total, 20));""",
                },
                other=("not a page", {"call": f"GET {prefix}?page=abc"}),
            ),
            Request(
                f"A part is read at {prefix}/1",
                f"GET {prefix}/1",
                200,
                "The assignment's example, with its answer.",
                tests={
                    "It is the speaker": (
                        'pm.expect(body).to.eql({id: 1, name: "speaker", price: 20, quantity: 10});'
                    ),
                    "It has an ETag": (
                        'pm.expect(pm.response.headers.get("ETag")).to.match(/^"[^"]+"$/);'
                    ),
                },
                other=("no such part", {"call": f"GET {prefix}/999999"}),
            ),
            Request(
                f"Parts are found by a part of their name at {prefix}",
                f"GET {prefix}?search=BRAKE&per_page=1",
                200,
                "Capital letters do not matter; one part a page.",
                tests={
                    "The brake pads are the first": """
pm.expect(body).to.eql([
    {id: 5, name: "brake pads, front axle", price: 54.9, quantity: 18},
]);""",
                    "More are on the next page": f"""
{LINK}
pm.expect(link).to.include("page=2&per_page=1&search=BRAKE");
pm.expect(link).to.include('rel="next"');""",
                },
                other=("not a page", {"call": f"GET {prefix}?search=BRAKE&per_page=0"}),
            ),
        ],
    )
    write = Folder(
        "Mechanics write",
        "With a mechanic's token. Each request makes a part of its own, so that the sample data "
        "stays as it is.",
        items=[
            Request(
                f"A part is created at {prefix}, its numbers sent as strings: 201",
                f"POST {prefix}",
                201,
                "The assignment's body. The answer has numbers, and Location is the address of "
                "the part.",
                body=SPEAKER,
                tests={
                    "The numbers are numbers": ANOTHER_SPEAKER,
                    "Location is its address": f"{LOCATION}.to.eql(`{prefix}/${{body.id}}`);",
                },
                other=("two fields are missing", SHORT),
            ),
            Request(
                f"A whole part is changed by PUT at {prefix}",
                f"PUT {prefix}/{{{{part_id}}}}",
                200,
                "The assignment's body, with its answer.",
                given=[part],
                body=PIONEER,
                tests={
                    "The speaker is a pioneer speaker now": """
pm.expect(body).to.eql({
    id: part_id, name: "pioneer speakers 6.5 inch", price: 25, quantity: 42,
});""",
                },
                other=("two fields are missing", SHORT),
            ),
            Request(
                f"A field of a part is changed by PATCH at {prefix}",
                f"PATCH {prefix}/{{{{part_id}}}}",
                200,
                "What is not sent stays as it is.",
                given=[part],
                body={"quantity": 12},
                tests={
                    "Only the quantity changed": """
pm.expect(body).to.eql({id: part_id, name: "speaker", price: 20, quantity: 12});""",
                },
                other=("not a whole number", {"body": {"quantity": 2.9}}),
            ),
            Request(
                f"A part is deleted at {prefix}",
                f"DELETE {prefix}/{{{{part_id}}}}",
                200,
                "The assignment's answer.",
                given=[part],
                tests={
                    "It says which one": (
                        "pm.expect(body).to.eql({message: `Successfully deleted inventory "
                        "${part_id}`});"
                    ),
                },
                other=("it is on a ticket", {"given": [part, ticket, take_one]}),
            ),
            refused(
                f"A deleted part is not found at {prefix}: 404",
                f"GET {prefix}/{{{{part_id}}}}",
                404,
                "There is no inventory",
                "Its id is never used again.",
                given=[part, Step("mechanic", "DELETE /inventory/{{part_id}}")],
                tests={
                    "It names the id": "pm.expect(body.detail).to.include(String(part_id));",
                },
                other=("before it is deleted", {"given": [part]}),
            ),
        ],
    )
    return [read, write]


inventory = Folder(
    "Inventory",
    '"Implement basic CRUD routes to Create, Read, Update, and Delete parts stored in our '
    'inventory", at the addresses of the examples and with their bodies.',
    items=inventory_requests("/inventory"),
)
parts = Folder(
    "Inventory at /parts",
    "The same parts at the other address: \"register the blueprint with a url_prefix = '/parts'\".",
    items=inventory_requests("/parts"),
)

# === Parts on tickets =============================================================================

LINE = """
pm.expect(body).to.eql({{
    id: body.id, ticket_id: ticket_id, inventory_id: part_id, quantity: {}, unit_price: 20,
}});"""
ON_TICKET = """
pm.expect(body.parts).to.eql([
    {{inventory_id: part_id, name: "speaker", quantity: {}, unit_price: {}}},
]);
pm.expect(body.total).to.eql({});"""
REMOVED = """
pm.expect(body).to.eql({
    message: `Successfully removed inventory ${part_id} from service ticket ${ticket_id}`,
});"""
STOCK = "pm.expect(body.quantity).to.eql({});"

parts_on_tickets = Folder(
    "Parts on tickets",
    '"A route in the service_ticket blueprint to add a single part to an existing Service Ticket", '
    'and "make the junction table a Model object with additional field of quantity". Each request '
    "makes a part (10 in stock, 20.00 each) and a ticket (50.00 of labour) of its own.",
    items=[
        Folder(
            "Put on",
            "Pieces move from the stock to the ticket.",
            items=[
                Request(
                    "A single part is put on a ticket: 201",
                    ASSIGN,
                    201,
                    "The assignment's call, without a body: one piece.",
                    given=[part, ticket],
                    tests={
                        "One piece at the part's price": LINE.format(1),
                        "Location is the ticket": (
                            f"{LOCATION}.to.eql(`/service_tickets/${{ticket_id}}`);"
                        ),
                    },
                    other=("no such part", {"call": ASSIGN.replace("{{part_id}}", "999999")}),
                ),
                Request(
                    "Several pieces are put on a ticket: 201",
                    ASSIGN,
                    201,
                    "The optional challenge: a quantity.",
                    given=[part, ticket],
                    body={"quantity": 3},
                    tests={"Three pieces": LINE.format(3)},
                    other=("no pieces", {"body": {"quantity": 0}}),
                ),
                Request(
                    "Putting on more of a part adds to its row",
                    ASSIGN,
                    201,
                    "Three pieces are on the ticket before; two more make five, in one row.",
                    given=[part, ticket, take_three],
                    body={"quantity": 2},
                    tests={"Five pieces": LINE.format(5)},
                    other=("more than there are in stock", {"body": {"quantity": 11}}),
                ),
                Request(
                    "The part is put on at the other address too",
                    ASSIGN.replace("ticket_inventory", "service_tickets", 1),
                    201,
                    "One view, two addresses: this one is in the service_ticket blueprint.",
                    given=[part, ticket],
                    body={"quantity": 2},
                    tests={"Two pieces": LINE.format(2)},
                    other=("not a whole number", {"body": {"quantity": 2.9}}),
                ),
                Request(
                    "A ticket shows its parts, and what the customer pays",
                    "GET /service_tickets/{{ticket_id}}",
                    200,
                    "Three pieces of 20.00 and 50.00 of labour: 110.00.",
                    given=[part, ticket, take_three],
                    tests={"Three speakers, 110 in total": ON_TICKET.format(3, 20, 110)},
                ),
                Request(
                    "The stock has fewer pieces afterwards",
                    "GET /inventory/{{part_id}}",
                    200,
                    "Three of ten are on a ticket.",
                    given=[part, ticket, take_three],
                    tests={"Seven are left": STOCK.format(7)},
                    other=("no such part", {"call": "GET /inventory/999999"}),
                ),
                Request(
                    "A later price leaves the ticket alone",
                    "GET /service_tickets/{{ticket_id}}",
                    200,
                    "The part was put on at 20.00; now it costs 24.50. The ticket stays at 110.00.",
                    given=[part, ticket, take_three, raise_price],
                    tests={"Three speakers at the old price": ON_TICKET.format(3, 20, 110)},
                ),
            ],
        ),
        Folder(
            "Taken off",
            "Pieces go back into stock.",
            items=[
                Request(
                    "Some pieces are taken off a ticket",
                    REMOVE + "?quantity=1",
                    200,
                    "One of three.",
                    given=[part, ticket, take_three],
                    tests={"It says what was taken off": REMOVED},
                    other=("more than are on it", {"call": REMOVE + "?quantity=4"}),
                ),
                Request(
                    "The others stay on the ticket",
                    "GET /service_tickets/{{ticket_id}}",
                    200,
                    "One of three pieces was taken off: two at 20.00, and the labour.",
                    given=[
                        part,
                        ticket,
                        take_three,
                        Step("mechanic", REMOVE + "?quantity=1"),
                    ],
                    tests={"Two speakers, 90 in total": ON_TICKET.format(2, 20, 90)},
                ),
                Request(
                    "All pieces are taken off a ticket",
                    REMOVE,
                    200,
                    "Without a quantity: all of them.",
                    given=[part, ticket, take_three],
                    tests={"It says what was taken off": REMOVED},
                    other=("it is not on the ticket", {"given": [part, ticket]}),
                ),
                Request(
                    "The pieces are back in stock",
                    "GET /inventory/{{part_id}}",
                    200,
                    "Three were on a ticket, and were taken off again.",
                    given=[part, ticket, take_three, Step("mechanic", REMOVE)],
                    tests={"Ten, as before": STOCK.format(10)},
                    other=("no such part", {"call": "GET /inventory/999999"}),
                ),
                Request(
                    "The part is taken off at the other address too",
                    REMOVE.replace("ticket_inventory", "service_tickets", 1),
                    200,
                    "One view, two addresses.",
                    given=[part, ticket, take_three],
                    tests={"It says what was taken off": REMOVED},
                    other=("it is not on the ticket", {"given": [part, ticket]}),
                ),
            ],
        ),
        Folder(
            "The last piece",
            "A part with one piece in stock: it can be taken once.",
            items=[
                Request(
                    "The last piece of a part is taken: 201",
                    ASSIGN,
                    201,
                    "One piece is in stock.",
                    given=[last_piece, ticket],
                    tests={"It is on the ticket": LINE.format(1)},
                    other=("two pieces", {"body": {"quantity": 2}}),
                ),
                Request(
                    "Nothing is left in stock then",
                    "GET /inventory/{{part_id}}",
                    200,
                    "The stock is 0.",
                    given=[last_piece, ticket, take_one],
                    tests={"None is left": STOCK.format(0)},
                    other=("no such part", {"call": "GET /inventory/999999"}),
                ),
                refused(
                    "The next piece is refused: 409",
                    ASSIGN,
                    409,
                    "Too few pieces of inventory",
                    "The stock never goes below 0.",
                    given=[last_piece, ticket, take_one],
                    tests={
                        "It names the part": "pm.expect(body.detail).to.include(String(part_id));",
                    },
                    other=("while there is one", {"given": [last_piece, ticket]}),
                ),
                Request(
                    "A refused piece is not put on the ticket",
                    "GET /service_tickets/{{ticket_id}}",
                    200,
                    "Another ticket, and nothing in stock for it.",
                    given=[last_piece, ticket, take_one, ticket],
                    tests={
                        "No part is on it": "pm.expect(body.parts).to.eql([]);",
                        "It costs the labour": "pm.expect(body.total).to.eql(50);",
                    },
                ),
            ],
        ),
        Folder(
            "Refused",
            "What cannot be put on, taken off or deleted.",
            items=[
                refused(
                    "Deleting a part that is on a ticket is refused: 409",
                    "DELETE /inventory/{{part_id}}",
                    409,
                    "cannot be deleted",
                    "The ticket would no more say what the customer paid for.",
                    given=[part, ticket, take_one],
                    other=("it is on no ticket", {"given": [part]}),
                ),
                refused(
                    "Taking off more than is on the ticket is refused: 409",
                    REMOVE + "?quantity=4",
                    409,
                    "Too few pieces of inventory",
                    "Three are on the ticket. Nothing changes.",
                    given=[part, ticket, take_three],
                    other=("as many as are on it", {"call": REMOVE + "?quantity=3"}),
                ),
                refused(
                    "Taking off a part that is not on the ticket is refused: 404",
                    REMOVE,
                    404,
                    "on service ticket",
                    "The part exists, and the ticket does; the one is not on the other.",
                    given=[part, ticket],
                    other=("when it is on the ticket", {"given": [part, ticket, take_one]}),
                ),
                refused(
                    "Half a piece is refused, not rounded: 400",
                    ASSIGN,
                    400,
                    "Not valid",
                    "Pieces are whole.",
                    given=[part, ticket],
                    body={"quantity": 2.5},
                    errors=["quantity"],
                    other=("a whole number", {"body": {"quantity": 2}}),
                ),
                refused(
                    "No pieces at all are refused: 400",
                    ASSIGN,
                    400,
                    "Not valid",
                    "At least one piece.",
                    given=[part, ticket],
                    body={"quantity": 0},
                    errors=["quantity"],
                    other=("one piece", {"body": {"quantity": 1}}),
                ),
                refused(
                    "A part for a ticket that does not exist is refused: 404",
                    "POST /ticket_inventory/999999/assign-inventory/{{part_id}}",
                    404,
                    "There is no service ticket 999999.",
                    "The answer names what is missing.",
                    given=[part, ticket],
                    other=("a ticket that exists", {"call": ASSIGN}),
                ),
                refused(
                    "A part that does not exist is refused: 404",
                    "POST /ticket_inventory/{{ticket_id}}/assign-inventory/999999",
                    404,
                    "There is no inventory 999999.",
                    "The answer names what is missing.",
                    given=[part, ticket],
                    other=("a part that exists", {"call": ASSIGN}),
                ),
            ],
        ),
    ],
)

# === Customers ====================================================================================

WHOLE_CUSTOMER = {
    "first_name": "Wanda",
    "last_name": "Runner",
    "email": "runner.{{unique}}@mail.example",
}

customers = Folder(
    "Customers",
    "All routes of the customers: to register, for mechanics, and for a customer's own record.",
    items=[
        Folder(
            "Anyone registers",
            "Without a token.",
            caller="anyone",
            items=[
                Request(
                    "A customer registers: 201",
                    "POST /customers",
                    201,
                    "The email is stored without blanks around it and in small letters; the "
                    "password is stored as a hash, and shown to nobody.",
                    body=WALK_IN | {"email": "  Wanda.{{unique}}@Mail.Example "},
                    tests={
                        "It is the customer, with a tidy email": """
pm.expect(body).to.eql({
    id: body.id,
    first_name: "Wanda",
    last_name: "Walker",
    email: `wanda.${unique}@mail.example`,
    phone: "555-0100",
    address: "1 Maple Street",
});""",
                        "No password": NO_PASSWORD,
                        "Location is the address": f"{LOCATION}.to.eql(`/customers/${{body.id}}`);",
                    },
                    other=("the email is taken", {"body": WALK_IN | {"email": ADA["email"]}}),
                ),
            ],
        ),
        Folder(
            "Mechanics serve customers",
            "With a mechanic's token: any customer. The list of customers is under Advanced "
            "queries.",
            items=[
                Request(
                    "A mechanic sees a customer",
                    "GET /customers/2",
                    200,
                    "Boris, of the sample data.",
                    tests={
                        "It is Boris": """
pm.expect(body).to.include({
    id: 2, first_name: "Boris", last_name: "Abbott", email: "boris.abbott@mail.example",
});""",
                        "No password": NO_PASSWORD,
                    },
                ),
                Request(
                    "A mechanic changes a whole customer: what is left out is emptied",
                    "PUT /customers/{{own_id}}",
                    200,
                    "PUT without phone and address; without a password it keeps the old one.",
                    given=[walk_in],
                    body=WHOLE_CUSTOMER,
                    tests={
                        "The new record, without phone and address": """
pm.expect(body).to.eql({
    id: own_id,
    first_name: "Wanda",
    last_name: "Runner",
    email: `runner.${unique}@mail.example`,
    phone: null,
    address: null,
});""",
                    },
                    other=("the email is missing", {"body": {"first_name": "Wanda"}}),
                ),
                Request(
                    "A mechanic changes a field of a customer",
                    "PATCH /customers/{{own_id}}",
                    200,
                    "PATCH: what is not sent stays.",
                    given=[walk_in],
                    body={"phone": "555-0199"},
                    tests={
                        "Only the phone changed": """
pm.expect(body).to.include({
    id: own_id, last_name: "Walker", phone: "555-0199", address: "1 Maple Street",
});""",
                    },
                    other=("too long", {"body": {"phone": "5" * 33}}),
                ),
                Request(
                    "A mechanic deletes a customer",
                    "DELETE /customers/{{own_id}}",
                    200,
                    "A customer without tickets.",
                    given=[walk_in],
                    tests={
                        "It says who": (
                            "pm.expect(body).to.eql({message: `Successfully deleted customer "
                            "${own_id}`});"
                        ),
                    },
                    other=("a customer with tickets", {"call": "DELETE /customers/1"}),
                ),
            ],
        ),
        Folder(
            "Customers serve themselves",
            "With a customer's own token: each request registers a customer and logs in.",
            caller="own",
            items=[
                Request(
                    "A customer sees their own record",
                    "GET /customers/{{own_id}}",
                    200,
                    "The token and the id belong together.",
                    given=[walk_in, walk_in_login],
                    tests={
                        "It is the caller": """
pm.expect(body).to.include({id: own_id, email: `wanda.${unique}@mail.example`});""",
                        "No password": NO_PASSWORD,
                    },
                    other=("somebody else's", {"call": "GET /customers/1"}),
                ),
                Request(
                    "A customer changes their whole record",
                    "PUT /customers/{{own_id}}",
                    200,
                    "The password is not sent, and stays.",
                    given=[walk_in, walk_in_login],
                    body=WHOLE_CUSTOMER,
                    tests={
                        "The new record": """
pm.expect(body).to.include({
    id: own_id, last_name: "Runner", email: `runner.${unique}@mail.example`, phone: null,
});""",
                    },
                    other=("somebody else's", {"call": "PUT /customers/1"}),
                ),
                Request(
                    "A customer changes a field of their record",
                    "PATCH /customers/{{own_id}}",
                    200,
                    "Moved house.",
                    given=[walk_in, walk_in_login],
                    body={"address": "2 Harbour Road"},
                    tests={
                        "Only the address changed": """
pm.expect(body).to.include({
    id: own_id, first_name: "Wanda", phone: "555-0100", address: "2 Harbour Road",
});""",
                    },
                    other=("an unknown field", {"body": {"role": "mechanic"}}),
                ),
                Request(
                    "A customer deletes their own account",
                    "DELETE /customers/{{own_id}}",
                    200,
                    "Nobody else has to be asked.",
                    given=[walk_in, walk_in_login],
                    tests={
                        "It says who": (
                            "pm.expect(body).to.eql({message: `Successfully deleted customer "
                            "${own_id}`});"
                        ),
                    },
                    other=("somebody else's", {"call": "DELETE /customers/1"}),
                ),
            ],
        ),
    ],
)

# === Mechanics ====================================================================================

WHOLE_MECHANIC = {
    "first_name": "Nora",
    "last_name": "Oldman",
    "email": "oldman.{{unique}}@shop.example",
}

mechanics = Folder(
    "Mechanics",
    "All routes of the mechanics. The first mechanic comes from seed.py; mechanics add the others. "
    "Ranking and my-tickets are in folders above.",
    items=[
        Folder(
            "The staff",
            "With a mechanic's token.",
            items=[
                Request(
                    "A mechanic adds a mechanic: 201",
                    "POST /mechanics",
                    201,
                    "The password is stored as a hash, and shown to nobody.",
                    body=NEWCOMER,
                    tests={
                        "It is the new mechanic": """
pm.expect(body).to.eql({
    id: body.id,
    first_name: "Nora",
    last_name: "Newman",
    email: `nora.${unique}@shop.example`,
    salary: 52000,
    address: "5 Canal Street",
});""",
                        "Location is the address": f"{LOCATION}.to.eql(`/mechanics/${{body.id}}`);",
                    },
                    other=("the email is taken", {"body": NEWCOMER | {"email": ANA["email"]}}),
                ),
                Request(
                    "Mechanics are listed, a page at a time",
                    "GET /mechanics?per_page=3",
                    200,
                    "Cached, as the folder Caching shows.",
                    tests={
                        "Ana, Bert and Chidi": """
pm.expect(body.map((mechanic) => mechanic.first_name)).to.eql(["Ana", "Bert", "Chidi"]);""",
                        "A link leads to the next three": f"""
{LINK}
pm.expect(link).to.include('</mechanics?page=2&per_page=3>; rel="next"');""",
                        "No password": NO_PASSWORD,
                    },
                ),
                Request(
                    "A mechanic is shown",
                    "GET /mechanics/2",
                    200,
                    "Bert, of the sample data.",
                    tests={
                        "It is Bert": """
pm.expect(body).to.eql({
    id: 2,
    first_name: "Bert",
    last_name: "Olsen",
    email: "bert@shop.example",
    salary: 61500,
    address: "3 Canal Street",
});""",
                    },
                ),
                Request(
                    "A whole mechanic is changed: what is left out is emptied",
                    "PUT /mechanics/{{own_id}}",
                    200,
                    "PUT without salary and address; the password stays.",
                    given=[newcomer],
                    body=WHOLE_MECHANIC,
                    tests={
                        "The new record, without salary and address": """
pm.expect(body).to.eql({
    id: own_id,
    first_name: "Nora",
    last_name: "Oldman",
    email: `oldman.${unique}@shop.example`,
    salary: null,
    address: null,
});""",
                    },
                    other=("the email is missing", {"body": {"first_name": "Nora"}}),
                ),
                Request(
                    "A field of a mechanic is changed",
                    "PATCH /mechanics/{{own_id}}",
                    200,
                    "A rise, with a price's two decimals, in a string.",
                    given=[newcomer],
                    body={"salary": "53000.50"},
                    tests={
                        "Only the salary changed": """
pm.expect(body).to.include({
    id: own_id, first_name: "Nora", salary: 53000.5, address: "5 Canal Street",
});""",
                    },
                    other=("below 0", {"body": {"salary": -1}}),
                ),
                Request(
                    "A mechanic is deleted",
                    "DELETE /mechanics/{{own_id}}",
                    200,
                    "A mechanic who is on no ticket.",
                    given=[newcomer],
                    tests={
                        "It says who": (
                            "pm.expect(body).to.eql({message: `Successfully deleted mechanic "
                            "${own_id}`});"
                        ),
                    },
                    other=("one who is on a ticket", {"call": "DELETE /mechanics/2"}),
                ),
            ],
        ),
        Folder(
            "A new mechanic",
            "With the token of a mechanic whom the request has just added.",
            caller="own",
            items=[
                Request(
                    "A new mechanic's token works: the profile",
                    "GET /mechanics/profile",
                    200,
                    "Added by another mechanic, logged in, and allowed what mechanics are allowed.",
                    given=[newcomer, newcomer_login],
                    tests={
                        "It is the new mechanic": (
                            'pm.expect(body).to.include({id: own_id, first_name: "Nora"});'
                        ),
                    },
                ),
                Request(
                    "A new mechanic works on no ticket yet",
                    "GET /mechanics/my-tickets",
                    200,
                    "An empty list, not an error.",
                    given=[newcomer, newcomer_login],
                    tests={
                        "None": "pm.expect(body).to.eql([]);",
                        "None are counted": f"{TOTAL}\npm.expect(total).to.eql(0);",
                    },
                ),
                Request(
                    "A mechanic changes their own password",
                    "PATCH /mechanics/{{own_id}}",
                    200,
                    "Only their own; the old token dies with the old password.",
                    given=[newcomer, newcomer_login],
                    body={"password": "a new password"},
                    tests={
                        "It is the caller's record": "pm.expect(body.id).to.eql(own_id);",
                        "No password": NO_PASSWORD,
                    },
                    other=("somebody else's", {"call": "PATCH /mechanics/2"}),
                ),
            ],
        ),
    ],
)

# === Service tickets ==============================================================================

service_tickets = Folder(
    "Service tickets",
    "All routes of the tickets. Editing mechanics and moving parts are in folders above.",
    items=[
        Folder(
            "Mechanics keep the tickets",
            "With a mechanic's token.",
            items=[
                Request(
                    "A ticket is opened: 201",
                    "POST /service_tickets",
                    201,
                    "Without a date it is of today; the vehicle identification number is stored "
                    "in capitals.",
                    body={
                        "customer_id": 2,
                        "vin": "1hgcm82633a004352",
                        "service_desc": "Rattles",
                        "price": "49.90",
                    },
                    volatile={"service_date": DATE},
                    tests={
                        "It is the ticket, with nobody and nothing on it": """
pm.expect(body).to.deep.include({
    customer_id: 2,
    vin: "1HGCM82633A004352",
    service_desc: "Rattles",
    price: 49.9,
    mechanics: [],
    parts: [],
    total: 49.9,
});""",
                        "It is of today": """
const daysAgo = (Date.now() - Date.parse(body.service_date)) / (24 * 60 * 60 * 1000);
pm.expect(body.service_date).to.match(/^\\d{4}-\\d\\d-\\d\\d$/);
pm.expect(daysAgo).to.be.within(-1, 2);""",
                        "Location is the address": (
                            f"{LOCATION}.to.eql(`/service_tickets/${{body.id}}`);"
                        ),
                    },
                    other=("no such customer", {"body": TICKET | {"customer_id": 999999}}),
                ),
                Request(
                    "Tickets are listed, a page at a time",
                    "GET /service_tickets?per_page=5",
                    200,
                    "Each with its mechanics, parts and total.",
                    tests={
                        "The first five": (
                            "pm.expect(body.map((ticket) => ticket.id)).to.eql([1, 2, 3, 4, 5]);"
                        ),
                        "The oil change has its parts": """
pm.expect(body[0].parts).to.eql([
    {inventory_id: 3, name: "oil filter", quantity: 1, unit_price: 9.95},
    {inventory_id: 4, name: "engine oil 5W-30, 1 l", quantity: 5, unit_price: 8.5},
]);
pm.expect(body[0].total).to.eql(87.45);""",
                        "A link leads to the next five": f"""
{LINK}
pm.expect(link).to.include('</service_tickets?page=2&per_page=5>; rel="next"');""",
                    },
                ),
                Request(
                    "The tickets of one customer are listed",
                    "GET /service_tickets?customer_id=1",
                    200,
                    "Ada's.",
                    tests={
                        "All are hers": """
pm.expect(body.slice(0, 3).map((ticket) => ticket.id)).to.eql([1, 2, 3]);
body.forEach((ticket) => pm.expect(ticket.customer_id).to.eql(1));""",
                    },
                    other=("not an id", {"call": "GET /service_tickets?customer_id=ada"}),
                ),
                Request(
                    "A ticket is shown",
                    "GET /service_tickets/{{ticket_id}}",
                    200,
                    "Its columns, mechanics, parts and total.",
                    given=[ticket, bert_works],
                    tests={
                        "All of it": """
pm.expect(body).to.eql({
    id: ticket_id,
    customer_id: 2,
    vin: "1HGCM82633A004352",
    service_desc: "Replace the speakers",
    service_date: "2026-02-02",
    price: 50,
    mechanics: [{id: 2, first_name: "Bert", last_name: "Olsen"}],
    parts: [],
    total: 50,
});""",
                    },
                    other=("no such ticket", {"call": "GET /service_tickets/999999"}),
                ),
                Request(
                    "A whole ticket is changed",
                    "PUT /service_tickets/{{ticket_id}}",
                    200,
                    "Its mechanics and parts stay: they have routes of their own.",
                    given=[ticket, bert_works],
                    body={
                        "customer_id": 3,
                        "vin": "2FTRX18W1XCA00001",
                        "service_desc": "Replace the horn",
                        "service_date": "2026-03-03",
                        "price": 20.25,
                    },
                    tests={
                        "The new record": """
pm.expect(body).to.deep.include({
    id: ticket_id,
    customer_id: 3,
    vin: "2FTRX18W1XCA00001",
    service_desc: "Replace the horn",
    service_date: "2026-03-03",
    price: 20.25,
    total: 20.25,
});""",
                        "Bert is still on it": (
                            "pm.expect(body.mechanics.map((one) => one.id)).to.eql([2]);"
                        ),
                    },
                    other=("most of it is missing", {"body": {"price": 20}}),
                ),
                Request(
                    "A field of a ticket is changed",
                    "PATCH /service_tickets/{{ticket_id}}",
                    200,
                    "The labour; the total follows.",
                    given=[part, ticket, take_three],
                    body={"price": "70.05"},
                    tests={
                        "70.05 of labour and 60 of parts": """
pm.expect(body).to.include({
    id: ticket_id, price: 70.05, total: 130.05, service_desc: "Replace the speakers",
});""",
                    },
                    other=("three decimals", {"body": {"price": 70.055}}),
                ),
                Request(
                    "One mechanic is put on a ticket",
                    "PUT /service_tickets/{{ticket_id}}/assign-mechanic/2",
                    200,
                    "Bert.",
                    given=[ticket],
                    tests={
                        "Bert is on it": """
pm.expect(body.mechanics).to.eql([{id: 2, first_name: "Bert", last_name: "Olsen"}]);""",
                    },
                    other=(
                        "no such mechanic",
                        {"call": "PUT /service_tickets/{{ticket_id}}/assign-mechanic/999999"},
                    ),
                ),
                Request(
                    "Putting a mechanic on a ticket twice changes nothing",
                    "PUT /service_tickets/{{ticket_id}}/assign-mechanic/2",
                    200,
                    "Bert is on the ticket already.",
                    given=[ticket, bert_works],
                    tests={
                        "Bert is on it once": (
                            "pm.expect(body.mechanics.map((one) => one.id)).to.eql([2]);"
                        ),
                    },
                    other=(
                        "no such ticket",
                        {"call": "PUT /service_tickets/999999/assign-mechanic/2"},
                    ),
                ),
                Request(
                    "One mechanic is taken off a ticket",
                    "PUT /service_tickets/{{ticket_id}}/remove-mechanic/2",
                    200,
                    "Bert was the only one on it.",
                    given=[ticket, bert_works],
                    tests={"Nobody is on it": "pm.expect(body.mechanics).to.eql([]);"},
                    other=(
                        "no such mechanic",
                        {"call": "PUT /service_tickets/{{ticket_id}}/remove-mechanic/999999"},
                    ),
                ),
                Request(
                    "Taking off a mechanic who is not on the ticket changes nothing",
                    "PUT /service_tickets/{{ticket_id}}/remove-mechanic/3",
                    200,
                    "Bert is on the ticket, Chidi is not.",
                    given=[ticket, bert_works],
                    tests={
                        "Bert is still on it": (
                            "pm.expect(body.mechanics.map((one) => one.id)).to.eql([2]);"
                        ),
                    },
                    other=(
                        "no such ticket",
                        {"call": "PUT /service_tickets/999999/remove-mechanic/3"},
                    ),
                ),
                Request(
                    "A ticket is deleted",
                    "DELETE /service_tickets/{{ticket_id}}",
                    200,
                    "With a mechanic and parts on it.",
                    given=[part, ticket, bert_works, take_three],
                    tests={
                        "It says which one": (
                            "pm.expect(body).to.eql({message: `Successfully deleted service ticket "
                            "${ticket_id}`});"
                        ),
                    },
                    other=("no such ticket", {"call": "DELETE /service_tickets/999999"}),
                ),
                Request(
                    "The parts of a deleted ticket are back in stock",
                    "GET /inventory/{{part_id}}",
                    200,
                    "Three pieces were on the ticket.",
                    given=[
                        part,
                        ticket,
                        take_three,
                        Step("mechanic", "DELETE /service_tickets/{{ticket_id}}"),
                    ],
                    tests={"Ten, as before": STOCK.format(10)},
                    other=("no such part", {"call": "GET /inventory/999999"}),
                ),
            ],
        ),
        Folder(
            "Customers look at their tickets",
            "With a customer's token.",
            caller="customer",
            items=[
                Request(
                    "A customer sees their own ticket",
                    "GET /service_tickets/1",
                    200,
                    "The oil change is Ada's.",
                    tests={
                        "It is hers": "pm.expect(body.customer_id).to.eql(customer_id);",
                        "With its mechanic and its total": """
pm.expect(body.mechanics).to.eql([{id: 2, first_name: "Bert", last_name: "Olsen"}]);
pm.expect(body.total).to.eql(87.45);""",
                    },
                ),
                refused(
                    "Somebody else's ticket is not there for a customer: 404",
                    "GET /service_tickets/{{ticket_id}}",
                    404,
                    "There is no service ticket",
                    "404, so that nobody learns which tickets exist.",
                    given=[ticket],
                    tests={
                        "It names the id": "pm.expect(body.detail).to.include(String(ticket_id));",
                    },
                ),
            ],
        ),
    ],
)

# === The shop itself ==============================================================================

the_shop = Folder(
    "The shop itself",
    "A page for people who open the address in a browser, and a check for machines.",
    caller="anyone",
    items=[
        Request(
            "A browser gets a page that lists the routes",
            "GET /",
            200,
            "Made from the app's own routes, so that none is missing.",
            content_type="text/html; charset=utf-8",
            tests={
                "It has a title, and the routes": """
const page = pm.response.text();
pm.expect(page).to.include("<title>Mechanic shop</title>");
pm.expect(page).to.include("/mechanics/ranking").and.to.include("/parts");""",
                "It loads nothing from elsewhere": (
                    "pm.expect(pm.response.text()).to.not.match(/(src|href)\\s*=/);"
                ),
            },
            other=("not to be written to", {"call": "POST /"}),
        ),
        Request(
            "An address with a slash at its end is the same one, without a redirect",
            "GET /inventory/",
            200,
            "So it is for every address.",
            tests={
                "It is the list of parts": 'pm.expect(body[0].name).to.eql("speaker");',
                "At the first try": ('pm.expect(pm.response.headers.has("Location")).to.be.false;'),
            },
            other=("not a page", {"call": "GET /inventory/?page=0"}),
        ),
        Request(
            "The shop says that it is well",
            "GET /health",
            200,
            "Its database answers. This is the only route without a rate limit.",
            tests={
                "It is": 'pm.expect(body).to.eql({status: "ok"});',
                "No rate limit": (
                    'pm.expect(pm.response.headers.has("X-RateLimit-Limit")).to.be.false;'
                ),
                "No browser keeps this": (
                    'pm.expect(pm.response.headers.get("Cache-Control")).to.eql("no-store");'
                ),
            },
            other=("not to be written to", {"call": "POST /health"}),
        ),
    ],
)

# === What is refused ==============================================================================


def needs_token(what, call, body=None):
    """Return a request that is refused because nobody has logged in."""
    return refused(
        f"{what} needs a token: 401",
        call,
        401,
        "Log in",
        "Without a token. WWW-Authenticate says that a bearer token is missing.",
        body=body,
        tests=asks_for_token,
        given=[ticket, part] if "{{" in call else [],
    )


def not_for_customers(what, call, body=None):
    """Return a request that is refused because a customer sends it."""
    return refused(
        f"{what} is not for customers: 403",
        call,
        403,
        "Only a mechanic may do this.",
        "With a customer's token.",
        body=body,
        given=[ticket, part] if "{{" in call else [],
    )


def not_found(what, call, detail, other, says="The answer names what is missing.", **more):
    """Return a request for something that is not there."""
    return refused(f"{what} is not found: 404", call, 404, detail, says, other=other, **more)


def invalid(name, call, body, errors, good, **more):
    """Return a request whose body is not valid, with a good one."""
    says = more.pop("says", "The answer names the fields under errors.")
    other = ("a good one", {"body": good})
    return refused(
        f"{name}: 400", call, 400, "Not valid", says, body=body, errors=errors, other=other, **more
    )


what_is_refused = Folder(
    "What is refused",
    "Every refusal is a problem document (RFC 9457): application/problem+json with type, title, "
    "status and detail, and errors where fields are wrong.",
    items=[
        Folder(
            "401: without a token",
            "Writing needs a token, and so does everything about people.",
            caller="anyone",
            items=[
                needs_token("Creating a part", "POST /inventory", HORN),
                needs_token("Changing a part", "PUT /inventory/1", HORN),
                needs_token("Deleting a part", "DELETE /inventory/{{part_id}}"),
                needs_token("Putting a part on a ticket", ASSIGN),
                needs_token("The list of customers", "GET /customers?per_page=2"),
                needs_token("The list of mechanics", "GET /mechanics"),
                needs_token("The ranking", "GET /mechanics/ranking"),
                needs_token("A ticket", "GET /service_tickets/1"),
                needs_token("Adding a mechanic", "POST /mechanics", NEWCOMER),
            ],
        ),
        Folder(
            "403: not for customers",
            "With a customer's token: the caller is known, and may not.",
            caller="customer",
            items=[
                not_for_customers("Creating a part", "POST /inventory", HORN),
                not_for_customers("Opening a ticket", "POST /service_tickets", TICKET),
                not_for_customers("Deleting a ticket", "DELETE /service_tickets/{{ticket_id}}"),
                not_for_customers("The list of tickets", "GET /service_tickets?per_page=2"),
                not_for_customers("The list of customers", "GET /customers?per_page=2"),
                refused(
                    "Another customer's record is not for customers: 403",
                    "GET /customers/2",
                    403,
                    "only their own record",
                    "Boris exists, and is not the caller.",
                ),
                refused(
                    "A customer who does not exist is refused in the same words: 403",
                    "GET /customers/999999",
                    403,
                    "only their own record",
                    "Nobody learns which customers exist.",
                    other=("their own", {"call": "GET /customers/{{customer_id}}"}),
                ),
            ],
        ),
        Folder(
            "403: not even for mechanics",
            "Mechanics are trusted with everything but this.",
            items=[
                refused(
                    "Another mechanic's password is not to be changed: 403",
                    "PATCH /mechanics/{{own_id}}",
                    403,
                    "only their own password",
                    "Who forgot a password gets a new one from seed.py.",
                    given=[newcomer],
                    body={"password": "a new password"},
                    other=("another field", {"body": {"salary": 1000}}),
                ),
                refused(
                    "Nobody deletes their own mechanic account: 403",
                    "DELETE /mechanics/{{mechanic_id}}",
                    403,
                    "their own account",
                    "So one mechanic is always left.",
                    other=(
                        "another mechanic's",
                        {"call": "DELETE /mechanics/{{own_id}}", "given": [newcomer]},
                    ),
                ),
            ],
        ),
        Folder(
            "404 and 405: not there",
            "The answer names the record that is missing, or the methods that there are.",
            items=[
                not_found(
                    "A part with an unknown id",
                    "GET /inventory/999999",
                    "There is no inventory 999999.",
                    ("a part that exists", {"call": "GET /inventory/1"}),
                ),
                not_found(
                    "A customer with an unknown id",
                    "PATCH /customers/999999",
                    "There is no customer 999999.",
                    (
                        "a customer who exists",
                        {"call": "PATCH /customers/{{own_id}}", "given": [walk_in]},
                    ),
                    body={"phone": "555-0199"},
                ),
                not_found(
                    "A mechanic with an unknown id",
                    "GET /mechanics/999999",
                    "There is no mechanic 999999.",
                    ("a mechanic who exists", {"call": "GET /mechanics/2"}),
                ),
                not_found(
                    "A ticket with an unknown id",
                    "DELETE /service_tickets/999999",
                    "There is no service ticket 999999.",
                    (
                        "a ticket that exists",
                        {"call": "DELETE /service_tickets/{{ticket_id}}", "given": [ticket]},
                    ),
                ),
                not_found(
                    "An address that the shop does not have",
                    "GET /garage",
                    "not found",
                    ("an address that it has", {"call": "GET /inventory"}),
                    says="A problem document too, not a page.",
                ),
                refused(
                    "A method that an address does not have is refused: 405",
                    "DELETE /inventory",
                    405,
                    "not allowed",
                    "Allow says which methods there are.",
                    tests={
                        "Allow says which there are": """
const allowed = pm.response.headers.get("Allow").split(", ");
pm.expect(allowed).to.include.members(["GET", "POST"]);
pm.expect(allowed).to.not.include("DELETE");""",
                    },
                    other=("a method that it has", {"call": "GET /inventory"}),
                ),
            ],
        ),
        Folder(
            "409: in conflict with what is there",
            "Parts that are on tickets or out of stock are under Parts on tickets.",
            items=[
                refused(
                    "A customer's email that is taken is refused: 409",
                    "POST /customers",
                    409,
                    "Another account has this email address.",
                    "Ada's, written in capitals.",
                    body=WALK_IN | {"email": "ADA.ABBOTT@MAIL.EXAMPLE"},
                    other=("an email of their own", {"body": WALK_IN}),
                ),
                refused(
                    "A mechanic's email that is taken is refused: 409",
                    "PATCH /mechanics/{{own_id}}",
                    409,
                    "Another account has this email address.",
                    "Ana's.",
                    given=[newcomer],
                    body={"email": "ana@shop.example"},
                    other=(
                        "an email of their own",
                        {"body": {"email": "n.{{unique}}@shop.example"}},
                    ),
                ),
                refused(
                    "Deleting a customer who has tickets is refused: 409",
                    "DELETE /customers/{{own_id}}",
                    409,
                    "cannot be deleted",
                    "The customer has a ticket.",
                    given=[
                        walk_in,
                        Step(
                            "mechanic",
                            "POST /service_tickets",
                            TICKET | {"customer_id": "{{own_id}}"},
                        ),
                    ],
                    other=("a customer without tickets", {"given": [walk_in]}),
                ),
                refused(
                    "Deleting a mechanic who is on a ticket is refused: 409",
                    "DELETE /mechanics/2",
                    409,
                    "cannot be deleted",
                    "Bert is on a ticket.",
                    given=[ticket, bert_works],
                    other=(
                        "a mechanic on no ticket",
                        {"call": "DELETE /mechanics/{{own_id}}", "given": [newcomer]},
                    ),
                ),
            ],
        ),
        Folder(
            "400, 413 and 415: what the shop cannot read",
            "Nothing is rounded, cut or guessed.",
            items=[
                invalid(
                    "All fields that are wrong are named at once",
                    "POST /inventory",
                    {"name": " ", "price": -1, "quantity": 2.9},
                    ["name", "price", "quantity"],
                    HORN,
                ),
                invalid(
                    "A field that cannot be set is refused, such as the id",
                    "POST /inventory",
                    HORN | {"id": 1},
                    ["id"],
                    HORN,
                    says="The shop gives the ids. So it is for every field that is unknown.",
                ),
                invalid(
                    "A number in scientific notation is refused",
                    "POST /inventory",
                    HORN | {"price": "1e3"},
                    ["price"],
                    HORN,
                    says="Strings are taken as the assignment shows them: digits, and a point.",
                ),
                invalid(
                    "A missing field is named",
                    "PUT /inventory/{{part_id}}",
                    {"name": "horn", "price": 18.5},
                    ["quantity"],
                    HORN,
                    given=[part],
                    says="PUT takes the whole record, PATCH any part of it.",
                ),
                invalid(
                    "What is no email address is refused",
                    "POST /customers",
                    WALK_IN | {"email": "wanda at mail.example"},
                    ["email"],
                    WALK_IN,
                ),
                invalid(
                    "A short password is refused",
                    "POST /mechanics",
                    NEWCOMER | {"password": "1234567"},
                    ["password"],
                    NEWCOMER,
                    says="Passwords have 8 to 128 characters.",
                ),
                invalid(
                    "A ticket for a customer who does not exist is refused",
                    "POST /service_tickets",
                    TICKET | {"customer_id": 999999},
                    ["customer_id"],
                    TICKET,
                ),
                invalid(
                    "A vehicle identification number of 18 characters is refused",
                    "POST /service_tickets",
                    TICKET | {"vin": "1HGCM82633A0043521"},
                    ["vin"],
                    TICKET,
                    says="ASCII letters and digits, at most 17.",
                ),
                invalid(
                    "A date that the calendar does not have is refused",
                    "POST /service_tickets",
                    TICKET | {"service_date": "2026-02-30"},
                    ["service_date"],
                    TICKET,
                ),
                refused(
                    "A page that is no number is refused: 400",
                    "GET /service_tickets?page=abc",
                    400,
                    "Not valid",
                    "Parameters are checked as bodies are.",
                    errors=["page"],
                    other=("page 1", {"call": "GET /service_tickets?page=1&per_page=1"}),
                ),
                refused(
                    "A body that is not valid JSON is refused: 400",
                    "POST /inventory",
                    400,
                    "JSON",
                    "A bracket is missing.",
                    body='{"name": "horn"',
                    other=("the whole of it", {"body": HORN}),
                ),
                refused(
                    "A body that is not JSON is refused: 415",
                    "POST /inventory",
                    415,
                    "application/json",
                    "The Content-Type is text/plain.",
                    body="name: horn",
                    headers={"Content-Type": "text/plain"},
                    other=("as JSON", {"body": HORN, "headers": {}}),
                ),
                refused(
                    "A body over 64 KiB is refused: 413",
                    "POST /inventory",
                    413,
                    "exceeds",
                    "Nobody fills the shop's memory.",
                    before='pm.variables.set("long_text", "x".repeat(70000));',
                    body=HORN | {"name": "{{long_text}}"},
                    other=("a short one", {"body": HORN}),
                ),
            ],
        ),
    ],
)

# === The collection ===============================================================================

COLLECTION = Folder(
    "Mechanic shop",
    """The requests of the mechanic shop's API, by the requirements of the assignment.

Start the shop on an empty database with sample data (`python seed.py`, then
`python mechanic_shop.py`). Send the two requests of **Log in**; then run the collection, or send
any request by hand, as often as you like. What a request needs, its pre-request script makes
first, so the sample data stays as it is. There is nothing to fill in: tokens and ids are
collection variables that the requests set. Only if the shop listens elsewhere, change `base_url`.
After you have changed the sample data by hand, begin again with `python seed.py --reset`.

A request's name says what it shows. Each has two saved examples, taken from the running shop: a
good answer and a typical refusal.""",
    caller="mechanic",
    items=[
        log_in,
        rate_limiting_and_caching,
        token_authentication,
        advanced_queries,
        inventory,
        parts,
        parts_on_tickets,
        customers,
        mechanics,
        service_tickets,
        the_shop,
        what_is_refused,
    ],
)
