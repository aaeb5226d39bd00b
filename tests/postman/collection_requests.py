"""The requests of postman_collection.json, which make_collection.py writes from them.

Each request stands alone: the steps that it names as `given` prepare what it needs, each time
anew, and what they or the request itself made is deleted when the answer is there.

A caller is anyone, mechanic (Ana), customer (Ada), or own: an account that the steps made. A
call, a body and a header may hold {{variables}}. The tests are JavaScript: `body` is the
answer, and each variable that they mention is there under its name.
"""

from dataclasses import dataclass, field

JSON = "application/json"
PROBLEM = "application/problem+json"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Step:
    caller: str
    call: str
    body: dict | None = None
    keep: dict = field(default_factory=dict)  # {variable: field of the answer, or next, or last}


@dataclass(frozen=True)
class Request:
    name: str  # the status, and what the request shows
    call: str
    says: str  # what to look at
    tests: dict = field(default_factory=dict)  # {name: JavaScript}
    caller: str = "mechanic"
    body: dict | str | None = None
    headers: dict = field(default_factory=dict)
    given: list = field(default_factory=list)  # names of STEPS
    keep: dict = field(default_factory=dict)  # as in a step
    content_type: str = JSON
    detail: str = ""  # of a refusal: a part of its text
    errors: list = field(default_factory=list)  # of a refusal: the fields that it names
    before: str = ""  # JavaScript that runs first
    volatile: dict = field(default_factory=dict)  # what the example shows in place of today's value

    @property
    def status(self):
        """The status that the name begins with."""
        return int(self.name.split()[0])


@dataclass(frozen=True)
class Folder:
    name: str
    says: str
    items: list


def refused(name, call, detail, says, **more):
    """Return a request that is refused."""
    return Request(name, call, says, detail=detail, content_type=PROBLEM, **more)


# === What requests send ===========================================================================

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
WANDA = {
    "first_name": "Wanda",
    "last_name": "Walker",
    "email": "wanda.{{unique}}@mail.example",
    "phone": "555-0100",
    "address": "1 Maple Street",
    "password": "{{password}}",
}
NORA = {
    "first_name": "Nora",
    "last_name": "Newman",
    "email": "nora.{{unique}}@shop.example",
    "salary": 52000,
    "address": "5 Canal Street",
    "password": "{{password}}",
}
WANDA_MARRIES = {
    "first_name": "Wanda",
    "last_name": "Runner",
    "email": "runner.{{unique}}@mail.example",
}
NORA_MARRIES = {
    "first_name": "Nora",
    "last_name": "Oldman",
    "email": "oldman.{{unique}}@shop.example",
}


def login(email):
    """Return the body of a login."""
    return {"email": email, "password": "{{password}}"}


ASSIGN = "POST /ticket_inventory/{{ticket_id}}/assign-inventory/{{part_id}}"
REMOVE = "DELETE /ticket_inventory/{{ticket_id}}/remove-inventory/{{part_id}}"

PARTS = "/parts/{{part_id}}"  # other addresses of the same views
DASHED = "/service-tickets/{{ticket_id}}"
VIEW_AGAIN = "The same view at another address."

# === What requests need ===========================================================================

STEPS = {
    "Ana logs in": Step(
        "anyone",
        "POST /mechanics/login",
        login("ana@shop.example"),
        {"mechanic_token": "token", "mechanic_id": "id"},
    ),
    "Ada logs in": Step(
        "anyone",
        "POST /customers/login",
        login("ada.abbott@mail.example"),
        {"customer_token": "token", "customer_id": "id"},
    ),
    "a part": Step("mechanic", "POST /inventory", SPEAKER, {"part_id": "id"}),
    "a part with one piece": Step(
        "mechanic", "POST /inventory", SPEAKER | {"quantity": 1}, {"part_id": "id"}
    ),
    "read the part": Step("anyone", "GET /inventory/{{part_id}}"),
    "raise its price": Step("mechanic", "PATCH /inventory/{{part_id}}", {"price": 24.5}),
    "delete the part": Step("mechanic", "DELETE /inventory/{{part_id}}"),
    "list the parts": Step("anyone", "GET /inventory"),
    "a ticket": Step("mechanic", "POST /service_tickets", TICKET, {"ticket_id": "id"}),
    "Bert works on it": Step("mechanic", "PUT /service_tickets/{{ticket_id}}/assign-mechanic/2"),
    "one piece on it": Step("mechanic", ASSIGN),
    "three pieces on it": Step("mechanic", ASSIGN, {"quantity": 3}),
    "one piece off": Step("mechanic", REMOVE + "?quantity=1"),
    "all pieces off": Step("mechanic", REMOVE),
    "delete the ticket": Step("mechanic", "DELETE /service_tickets/{{ticket_id}}"),
    "a customer": Step("anyone", "POST /customers", WANDA, {"own_id": "id"}),
    "the customer logs in": Step(
        "anyone", "POST /customers/login", login(WANDA["email"]), {"own_token": "token"}
    ),
    "a ticket of the customer": Step(
        "mechanic", "POST /service_tickets", TICKET | {"customer_id": "{{own_id}}"}
    ),
    "change the password": Step(
        "own", "PATCH /customers/{{own_id}}", {"password": "a new password"}
    ),
    "delete the customer": Step("own", "DELETE /customers/{{own_id}}"),
    "list the customers": Step("mechanic", "GET /customers"),
    "search for costa": Step("mechanic", "GET /customers?search=costa"),
    "search for abbott": Step("mechanic", "GET /customers?search=abbott"),
    "the first page": Step(
        "mechanic",
        "GET /customers?page=1&per_page=10",
        keep={"next_page": "next", "last_page": "last"},
    ),
    "a mechanic": Step("mechanic", "POST /mechanics", NORA, {"own_id": "id"}),
    "the mechanic logs in": Step(
        "anyone", "POST /mechanics/login", login(NORA["email"]), {"own_token": "token"}
    ),
    "the mechanic works on it": Step(
        "mechanic", "PUT /service_tickets/{{ticket_id}}/assign-mechanic/{{own_id}}"
    ),
    "list the mechanics": Step("mechanic", "GET /mechanics"),
    "read the ranking": Step("mechanic", "GET /mechanics/ranking?per_page=100"),
}

# === Tests that several requests share ============================================================

FROM_DATABASE = 'pm.expect(pm.response.headers.has("hit_cache")).to.be.false;'
FROM_CACHE = 'pm.expect(pm.response.headers.get("hit_cache")).to.eql("True");'
IS_SPEAKER = 'pm.expect(body).to.eql({id: 1, name: "speaker", price: 20, quantity: 10});'
IS_NEW_SPEAKER = 'pm.expect(body).to.eql({id: part_id, name: "speaker", price: 20, quantity: 10});'
IS_BUMPER = 'pm.expect(body).to.eql({id: 2, name: "front bumper", price: 120.25, quantity: 2});'
IS_PIONEER = """
pm.expect(body).to.eql({
    id: part_id, name: "pioneer speakers 6.5 inch", price: 25, quantity: 42,
});"""
NO_PASSWORD = 'pm.expect(pm.response.text()).to.not.include("password");'
LOCATION = 'pm.expect(pm.response.headers.get("Location"))'
LINK = 'const link = pm.response.headers.get("Link");'
TOTAL = 'const total = Number(pm.response.headers.get("X-Total-Count"));'
TOKEN = """
pm.expect(body.token.split(".")).to.have.lengthOf(3);
const base64 = body.token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
const claims = JSON.parse(require("atob")(base64));
pm.expect(claims).to.include({{sub: String(body.id), role: "{}"}});
pm.expect(claims.exp - claims.iat).to.eql(3600);"""
LOGGED_IN = """
pm.expect(body).to.include({{message: "Successfully logged in", id: {}, expires_in: 3600}});"""
PAGE_OF_TEN = """
pm.expect(body).to.have.lengthOf(10);
const ids = body.map((record) => record.id);
pm.expect(ids).to.eql([...ids].sort((a, b) => a - b));"""
LINE = """
pm.expect(body).to.eql({{
    id: body.id, ticket_id, inventory_id: part_id, quantity: {}, unit_price: 20,
}});"""
ON_TICKET = """
pm.expect(body.parts).to.eql([
    {{inventory_id: part_id, name: "speaker", quantity: {}, unit_price: 20}},
]);
pm.expect(body.total).to.eql({});"""
REMOVED = """
pm.expect(body.message)
    .to.eql(`Successfully removed inventory ${part_id} from service ticket ${ticket_id}`);"""
STOCK = "pm.expect(body.quantity).to.eql({});"
DELETED = "pm.expect(body).to.eql({{message: `Successfully deleted {}`}});"
ONLY_BERT = "pm.expect(body.mechanics.map((mechanic) => mechanic.id)).to.eql([2]);"
BERT_NAMED = 'pm.expect(body.mechanics).to.eql([{id: 2, first_name: "Bert", last_name: "Olsen"}]);'
NOTHING_SAVED = "The answer names what is wrong, and nothing is saved."

# === 1 The assignment =============================================================================

rate_limiting_and_caching = Folder(
    "Rate Limiting and Caching",
    "Flask-Limiter and Flask-Caching. Look at the X-RateLimit headers, and at hit_cache, which "
    "only an answer from the cache has.",
    [
        refused(
            "429 The eleventh login of one email in a minute",
            "POST /customers/login",
            "10 per 1 minute",
            '"Have a rate limit applied to at least one route." Ten logins are sent first, for a '
            "new customer. Then even the right password is refused; Retry-After says for how long.",
            caller="anyone",
            given=["a customer", *["the customer logs in"] * 10],
            body=login(WANDA["email"]),
            tests={
                "Retry-After says how many seconds to wait": (
                    'const seconds = Number(pm.response.headers.get("Retry-After"));\n'
                    "pm.expect(seconds).to.be.within(1, 60);"
                ),
                "None of ten logins is left": (
                    'pm.expect(pm.response.headers.get("X-RateLimit-Limit")).to.eql("10");\n'
                    'pm.expect(pm.response.headers.get("X-RateLimit-Remaining")).to.eql("0");'
                ),
            },
        ),
        Request(
            "200 Another email can still log in",
            "POST /customers/login",
            "The limit counts an address and an email together: nobody locks out others.",
            caller="anyone",
            given=["a customer"],
            body=login(WANDA["email"]),
            tests={
                "This email has ten logins of its own": (
                    'pm.expect(pm.response.headers.get("X-RateLimit-Limit")).to.eql("10");\n'
                    'pm.expect(pm.response.headers.get("X-RateLimit-Remaining")).to.eql("9");'
                ),
                "It is this customer who is logged in": "pm.expect(body.id).to.eql(own_id);",
            },
        ),
        Request(
            "201 Registration is limited to 60 requests a minute",
            "POST /customers",
            "A route with a stricter limit than the default.",
            caller="anyone",
            body=WANDA,
            tests={
                "60 requests a minute": (
                    'pm.expect(pm.response.headers.get("X-RateLimit-Limit")).to.eql("60");'
                ),
                "The request is answered": 'pm.expect(body.first_name).to.eql("Wanda");',
            },
        ),
        Request(
            "200 Every route is limited to 200 requests a minute",
            "GET /inventory",
            '"Apply a default rate limit to your project, offering blanket protection to all '
            'routes" (optional): this route has no limit of its own.',
            caller="anyone",
            tests={
                "200 requests a minute, and fewer are left": (
                    'const left = Number(pm.response.headers.get("X-RateLimit-Remaining"));\n'
                    'pm.expect(pm.response.headers.get("X-RateLimit-Limit")).to.eql("200");\n'
                    "pm.expect(left).to.be.within(0, 199);"
                ),
                "X-RateLimit-Reset says when the minute ends": (
                    'const end = Number(pm.response.headers.get("X-RateLimit-Reset"));\n'
                    "pm.expect(end - Date.now() / 1000).to.be.within(-5, 65);"
                ),
                "The request is answered": 'pm.expect(body[0].name).to.eql("speaker");',
            },
        ),
        Request(
            "200 The first read comes from the database",
            "GET /inventory/{{part_id}}",
            "The part is new, so the cache does not have it: there is no hit_cache header.",
            caller="anyone",
            given=["a part"],
            tests={"No hit_cache header": FROM_DATABASE, "It is the part": IS_NEW_SPEAKER},
        ),
        Request(
            "200 The second read comes from the cache",
            "GET /inventory/{{part_id}}",
            '"Have implemented caching on at least one route." The part has been read just before.',
            caller="anyone",
            given=["a part", "read the part"],
            tests={"hit_cache: True": FROM_CACHE, "It is the same part": IS_NEW_SPEAKER},
        ),
        Request(
            "200 The read after a write is fresh",
            "GET /inventory/{{part_id}}",
            "The part has been read, and then its price was raised: the old answer is not shown "
            "again.",
            caller="anyone",
            given=["a part", "read the part", "raise its price"],
            tests={
                "No hit_cache header": FROM_DATABASE,
                "The price is the new one": "pm.expect(body.price).to.eql(24.5);",
            },
        ),
    ],
)

token_authentication = Folder(
    "Token Authentication",
    "Both mechanics and customers log in, and both have their own my-tickets.",
    [
        Request(
            "200 A mechanic logs in and gets a token",
            "POST /mechanics/login",
            '"Create an encode_token function that takes in a mechanic_id to create a token '
            'specific to that user." The token goes into the variable mechanic_token.',
            caller="anyone",
            body=login("ana@shop.example"),
            keep={"mechanic_token": "token", "mechanic_id": "id"},
            tests={
                "The answer says who logged in, and for how long": LOGGED_IN.format(1),
                "The token is a mechanic's, for an hour": TOKEN.format("mechanic"),
            },
        ),
        Request(
            "200 A customer logs in and gets a token",
            "POST /customers/login",
            '"In your customer blueprint, create a login route." "After credentials have been '
            "validated utilizes the encode_token() function to make a token to be returned to that "
            'customer." The token goes into the variable customer_token.',
            caller="anyone",
            body=login("ada.abbott@mail.example"),
            keep={"customer_token": "token", "customer_id": "id"},
            tests={
                "The answer says who logged in, and for how long": LOGGED_IN.format(1),
                "The token is a customer's, for an hour": TOKEN.format("customer"),
            },
        ),
        refused(
            "400 A login without a password",
            "POST /customers/login",
            "Some fields are not valid",
            '"Passing in email and password, validated by login_schema", which has only these two '
            "fields.",
            caller="anyone",
            body={"email": "nobody.{{unique}}@mail.example"},
            errors=["password"],
        ),
        refused(
            "401 A login with a wrong password",
            "POST /mechanics/login",
            "Wrong email or password.",
            "No token without the right password. The answer does not say that the email exists.",
            caller="anyone",
            body={"email": "chidi@shop.example", "password": "a wrong password"},
        ),
        Request(
            "200 The token says who calls: the mechanic's profile",
            "GET /mechanics/profile",
            '"Create @token_required wrapper, that stores the mechanic_id from the token, in the '
            'request." There is no id in this address.',
            tests={
                "It is Ana": (
                    "pm.expect(body).to.include({id: mechanic_id, first_name: "
                    '"Ana", email: "ana@shop.example"});'
                ),
                "No password": NO_PASSWORD,
            },
        ),
        Request(
            "200 A mechanic sees the tickets they work on",
            "GET /mechanics/my-tickets",
            '"Create a route that requires a token, that returns the service_tickets related to '
            'that mechanic."',
            tests={
                "The caller works on each of them": """
pm.expect(body).to.not.be.empty;
body.forEach((ticket) => {
    pm.expect(ticket.mechanics.map((mechanic) => mechanic.id)).to.include(mechanic_id);
});""",
                "X-Total-Count says how many": (
                    f"{TOTAL}\npm.expect(total).to.be.at.least(body.length);"
                ),
            },
        ),
        Request(
            "200 A customer sees their own tickets",
            "GET /customers/my-tickets",
            '"GET /my-tickets: requires a Bearer Token authorization." "Using that id query the '
            'service_tickets where the customer_id is equal to the id passed in."',
            caller="customer",
            tests={
                "All are the caller's": """
pm.expect(body).to.not.be.empty;
body.forEach((ticket) => pm.expect(ticket.customer_id).to.eql(customer_id));""",
                "The first one is the oil change": (
                    "pm.expect(body[0]).to.include({id: 1, "
                    'service_desc: "Oil change and filter", price: 35, total: 87.45});'
                ),
            },
        ),
        refused(
            "401 My tickets without a token",
            "GET /customers/my-tickets",
            "Log in",
            '"Requires a Bearer Token authorization." WWW-Authenticate: Bearer says so.',
            caller="anyone",
        ),
        refused(
            "401 Updating a part without a token",
            "PUT /inventory/1",
            "Log in",
            '"Additionally add @token_required to any routes you think should require '
            "authorization. (ex: Update, Delete,...)\" Here, all writing needs a mechanic's token.",
            caller="anyone",
            body=PIONEER,
        ),
        refused(
            "401 Deleting a part without a token",
            "DELETE /inventory/{{part_id}}",
            "Log in",
            "The part stays.",
            caller="anyone",
            given=["a part"],
        ),
    ],
)

advanced_queries = Folder(
    "Advanced Queries",
    "The assignment asks for one of three. All three are here.",
    [
        Request(
            "200 Mechanics are added and removed in one request",
            "PUT /service_tickets/{{ticket_id}}/edit",
            '"Add an update route to your service_ticket blueprint to add and remove mechanics '
            'from a ticket." Bert (2) was on the ticket; Chidi (3) and Dana (4) take over.',
            given=["a ticket", "Bert works on it"],
            body={"add_ids": [3, 4], "remove_ids": [2]},
            tests={
                "Chidi and Dana are on the ticket, Bert is not": """
pm.expect(body.mechanics).to.eql([
    {id: 3, first_name: "Chidi", last_name: "Okafor"},
    {id: 4, first_name: "Dana", last_name: "Kowalski"},
]);""",
                "It is this ticket": "pm.expect(body.id).to.eql(ticket_id);",
            },
        ),
        refused(
            "400 An unknown mechanic stops the whole edit",
            "PUT /service_tickets/{{ticket_id}}/edit",
            "Some fields are not valid",
            "\"Use id's to look up the mechanic to append or remove them from the ticket.mechanics "
            'list." All or nothing: Bert (2) is not added either.',
            given=["a ticket"],
            body={"add_ids": [2, 999999], "remove_ids": []},
            errors=["add_ids"],
            tests={"It names the id": 'pm.expect(body.errors.add_ids[0]).to.include("999999");'},
        ),
        Request(
            "200 Mechanics are ranked by their number of tickets",
            "GET /mechanics/ranking?per_page=100",
            '"Create an endpoint in mechanics blueprint that returns a list of mechanics in order '
            'of who has worked on the most tickets." Gus, who is new, has none and is in the list.',
            tests={
                "Most tickets first, then by id": """
body.slice(1).forEach((next, i) => {
    const fewer = next.ticket_count < body[i].ticket_count;
    const same = next.ticket_count === body[i].ticket_count;
    pm.expect(fewer || (same && next.id > body[i].id), JSON.stringify(next)).to.be.true;
});""",
                "Each row has an id, a name and a count": """
body.forEach((row) => {
    pm.expect(row).to.have.all.keys("id", "first_name", "last_name", "ticket_count");
});""",
                "Gus has no ticket": """
const gus = body.find((row) => row.id === 7);
pm.expect(gus).to.include({first_name: "Gus", ticket_count: 0});""",
            },
        ),
        Request(
            "200 Customers come a page at a time",
            "GET /customers?page=1&per_page=10",
            '"Apply Pagination to GET Customers route." Ten of them, in order of id; the header '
            "Link leads to the other pages.",
            tests={
                "Ten customers, in order of id": PAGE_OF_TEN,
                "Ada is the first": (
                    "pm.expect(body[0]).to.include({id: 1, first_name: "
                    '"Ada", email: "ada.abbott@mail.example"});'
                ),
                "X-Total-Count counts all customers": (
                    f"{TOTAL}\npm.expect(total).to.be.at.least(25);"
                ),
                "Links lead to the first, next and last page": f"""
{LINK}
pm.expect(link).to.include('</customers?page=1&per_page=10>; rel="first"');
pm.expect(link).to.include('</customers?page=2&per_page=10>; rel="next"');
pm.expect(link).to.match(/page=\\d+&per_page=10>; rel="last"/);
pm.expect(link).to.not.include('rel="prev"');""",
                "No password": NO_PASSWORD,
            },
        ),
        Request(
            "200 The link to the next page leads there",
            "GET {{next_page}}",
            "The address is the one that the first page's Link header gave.",
            given=["the first page"],
            tests={
                "Ten other customers, in order of id": PAGE_OF_TEN,
                "They come after the first ten": "pm.expect(body[0].id).to.be.above(10);",
                "A link leads back": f"""
{LINK}
pm.expect(link).to.include('</customers?page=1&per_page=10>; rel="prev"');""",
            },
        ),
    ],
)

inventory_model = Folder(
    "Inventory Model",
    '"Create a new Inventory model": id, name and price. The examples have a quantity, too: the '
    "pieces in stock.",
    [
        Request(
            "200 A part has an id, a name and a price",
            "GET /inventory/2",
            '"id: Unique Identifier; name: Part name; price: float value (price of the part)".',
            caller="anyone",
            tests={"It is the assignment's front bumper": IS_BUMPER},
        ),
        Request(
            "201 A part can be made of a name and a price alone",
            "POST /inventory",
            "The model of the assignment has no quantity, so it may be left out: one piece.",
            body={"name": "horn", "price": 18.5},
            tests={
                "One piece is in stock": (
                    'pm.expect(body).to.eql({id: body.id, name: "horn", price: 18.5, quantity: 1});'
                ),
            },
        ),
    ],
)

many_to_many = Folder(
    "Many-to-Many Relationship",
    '"One ticket can require many parts, and the same kind of part can be used on many different '
    'tickets."',
    [
        Request(
            "200 One ticket has many parts",
            "GET /service_tickets/1",
            "The oil change took one oil filter and five litres of oil.",
            tests={
                "An oil filter and engine oil": """
pm.expect(body.parts).to.eql([
    {inventory_id: 3, name: "oil filter", quantity: 1, unit_price: 9.95},
    {inventory_id: 4, name: "engine oil 5W-30, 1 l", quantity: 5, unit_price: 8.5},
]);""",
            },
        ),
        Request(
            "200 One part is on many tickets",
            "GET /service_tickets?per_page=100",
            "The oil filter (3) is on several tickets.",
            tests={
                "The oil filter is on several of them": """
const parts = body.flatMap((ticket) => ticket.parts);
const filters = parts.filter((part) => part.inventory_id === 3);
pm.expect(filters.length).to.be.above(1);""",
            },
        ),
        Request(
            "201 The junction has a quantity: three pieces",
            ASSIGN,
            '"Make the junction table a Model object with additional field of quantity" '
            "(optional). Without it, a request takes one piece.",
            given=["a part", "a ticket"],
            body={"quantity": 3},
            tests={"Three pieces": LINE.format(3)},
        ),
    ],
)

parts_blueprint = Folder(
    "Parts Blueprint",
    "The blueprint of the parts answers at /parts, its prefix in the assignment, and at "
    "/inventory, the address in the assignment's examples.",
    [
        Request(
            "200 The parts blueprint answers at /parts",
            "GET /parts",
            "\"Register the blueprint with a url_prefix = '/parts'.\"",
            caller="anyone",
            tests={
                "The assignment's two parts come first": """
pm.expect(body.slice(0, 2)).to.eql([
    {id: 1, name: "speaker", price: 20, quantity: 10},
    {id: 2, name: "front bumper", price: 120.25, quantity: 2},
]);""",
            },
        ),
        refused(
            "400 The schema names every field that is wrong",
            "POST /parts",
            "Some fields are not valid",
            '"Create a Schema for Parts (use SQLAlchemyAutoSchema)." It checks what comes in.',
            body={"name": " ", "price": -1, "quantity": 2.9},
            errors=["name", "price", "quantity"],
        ),
    ],
)

inventory_routes = Folder(
    "Inventory Routes",
    '"Implement basic CRUD routes to Create, Read, Update, and Delete parts", with the bodies and '
    "answers of the assignment. A token comes along where the shop asks for one.",
    [
        Request(
            "201 Create a part, its numbers sent as strings",
            "POST /inventory",
            "The assignment's body and its answer, in which the numbers are numbers. Location is "
            "the address of the part.",
            body=SPEAKER,
            tests={
                "The numbers are numbers": (
                    "pm.expect(body).to.eql({id: body.id, "
                    'name: "speaker", price: 20, quantity: 10});'
                ),
                "Location is its address": f"{LOCATION}.to.eql(`/inventory/${{body.id}}`);",
            },
        ),
        Request(
            "200 Read all parts",
            "GET /inventory",
            "The two parts of the assignment's example come first.",
            caller="anyone",
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
        ),
        Request(
            "200 Read one part",
            "GET /inventory/1",
            "The assignment's example and its answer.",
            caller="anyone",
            tests={"It is the speaker": IS_SPEAKER},
        ),
        Request(
            "200 Update a part",
            "PUT /inventory/{{part_id}}",
            "The assignment's body and its answer, for a new part: the sample data stays.",
            given=["a part"],
            body=PIONEER,
            tests={"It is a pioneer speaker now": IS_PIONEER},
        ),
        Request(
            "200 Delete a part",
            "DELETE /inventory/{{part_id}}",
            "The assignment's answer, for a new part.",
            given=["a part"],
            tests={"The message names the part": DELETED.format("inventory ${part_id}")},
        ),
        Request(
            "201 Add a single part to a ticket",
            ASSIGN,
            '"Create a route in the service_ticket blueprint to add a single part to an existing '
            'Service Ticket." The three fields of the assignment, and a quantity and a price.',
            given=["a part", "a ticket"],
            tests={
                "One piece at the part's price": LINE.format(1),
                "Location is the ticket": (
                    f"{LOCATION}.to.eql(`/service_tickets/${{ticket_id}}`);"
                ),
            },
        ),
        Request(
            "200 The ticket shows its parts, and what the customer pays",
            "GET /service_tickets/{{ticket_id}}",
            "Three pieces of 20.00 each, and 50.00 of labour: 110.00.",
            given=["a part", "a ticket", "three pieces on it"],
            tests={"Three speakers, 110 in total": ON_TICKET.format(3, 110)},
        ),
    ],
)

testing_and_submission = Folder(
    "Testing and Submission",
    '"Test all routes in Postman": the folder "2 Every route". "Export that collection": this '
    "file. A test compares it with the routes that the shop has.",
    [
        Request(
            "200 The front page lists every route",
            "GET /",
            "Made from the shop's own routes, so that none is missing. Open it in a browser.",
            caller="anyone",
            content_type=HTML,
            tests={
                "It has a title, and the routes": """
pm.expect(body).to.include("<title>Mechanic shop</title>");
pm.expect(body).to.include("/mechanics/ranking").and.to.include("/parts");""",
                "It loads nothing from elsewhere": (
                    "pm.expect(body).to.not.match(/(src|href)\\s*=\\s*.?(https?:)?\\/\\//);"
                ),
            },
        ),
    ],
)

the_assignment = Folder(
    "1 The assignment",
    "A folder for each section of the assignment, in its order; the descriptions quote its "
    "sentences. This folder can be run alone.",
    [
        rate_limiting_and_caching,
        token_authentication,
        advanced_queries,
        inventory_model,
        many_to_many,
        parts_blueprint,
        inventory_routes,
        testing_and_submission,
    ],
)

# === 2 Every route ================================================================================

customers = Folder(
    "Customers",
    "Anyone registers. Customers see and change their own record; mechanics those of all "
    "customers. `own_id` is a customer whom the request registers first.",
    [
        Request(
            "201 A customer registers",
            "POST /customers",
            "The email is stored without the blanks around it and in small letters. The password "
            "is stored as a hash, and no answer shows it.",
            caller="anyone",
            body=WANDA | {"email": "  Wanda.{{unique}}@Mail.Example "},
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
        ),
        Request(
            "200 A customer logs in",
            "POST /customers/login",
            "Boris. Capitals and blanks around an email do not matter.",
            caller="anyone",
            body=login(" Boris.Abbott@mail.example "),
            tests={"It is Boris": LOGGED_IN.format(2)},
        ),
        Request(
            "200 Customers are listed, 20 on a page",
            "GET /customers",
            "The defaults: page 1, and 20 on a page.",
            tests={
                "20 customers": "pm.expect(body).to.have.lengthOf(20);",
                "A link leads to the next 20": f"""
{LINK}
pm.expect(link).to.include('</customers?page=2&per_page=20>; rel="next"');""",
            },
        ),
        Request(
            "200 Customers are found by a part of their name or email",
            "GET /customers?search=ADA.ABBOTT&per_page=5",
            "Capitals do not matter. The links keep the search.",
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
            "200 A percent sign is searched for literally",
            "GET /customers?search=%25",
            "% and _ are wildcards in SQL, and ordinary characters here.",
            tests={"Nobody has one": "pm.expect(body).to.eql([]);"},
        ),
        Request(
            "200 The last page of customers has no next page",
            "GET {{last_page}}",
            "The address is the one that the first page's Link header gave.",
            given=["the first page"],
            tests={
                "The rest of the customers": f"""
{TOTAL}
pm.expect(body).to.have.lengthOf(total % 10 || 10);""",
                "No page is next": f"""
{LINK}
pm.expect(link).to.include('rel="prev"');
pm.expect(link).to.not.include('rel="next"');""",
            },
        ),
        Request(
            "200 A page past the end is empty",
            "GET /customers?page=1000000",
            "This is no error: nothing is on it, and the links lead back.",
            tests={
                "Nobody is on it": "pm.expect(body).to.eql([]);",
                "The links lead back": f"""
{LINK}
pm.expect(link).to.include('rel="prev"');
pm.expect(link).to.not.include('rel="next"');""",
            },
        ),
        Request(
            "200 Customers are cached, each search for itself",
            "GET /customers?search=abbott",
            "Two searches have been sent just before. The cache keeps them apart.",
            given=["search for costa", "search for abbott"],
            tests={
                "hit_cache: True": FROM_CACHE,
                "It is the answer to this search": """
body.forEach((customer) => {
    pm.expect(JSON.stringify(customer).toLowerCase()).to.include("abbott");
});""",
            },
        ),
        Request(
            "200 A new customer has no tickets yet",
            "GET /customers/my-tickets",
            "An empty list, not an error.",
            caller="own",
            given=["a customer", "the customer logs in"],
            tests={
                "No ticket": "pm.expect(body).to.eql([]);",
                "X-Total-Count is 0": f"{TOTAL}\npm.expect(total).to.eql(0);",
            },
        ),
        Request(
            "200 A mechanic sees a customer",
            "GET /customers/2",
            "Boris, from the sample data.",
            tests={
                "It is Boris": """
pm.expect(body).to.include({
    id: 2, first_name: "Boris", last_name: "Abbott", email: "boris.abbott@mail.example",
});""",
                "No password": NO_PASSWORD,
            },
        ),
        Request(
            "200 PUT changes what it names, and nothing else",
            "PUT /customers/{{own_id}}",
            "PUT needs the required fields, but no password. Phone and address are not named, and "
            "stay.",
            given=["a customer"],
            body=WANDA_MARRIES,
            tests={
                "The new name and email, the old phone and address": """
pm.expect(body).to.eql({
    id: own_id,
    first_name: "Wanda",
    last_name: "Runner",
    email: `runner.${unique}@mail.example`,
    phone: "555-0100",
    address: "1 Maple Street",
});""",
            },
        ),
        Request(
            "200 PATCH changes a single field of a customer",
            "PATCH /customers/{{own_id}}",
            "PATCH needs no field: what is not named stays.",
            given=["a customer"],
            body={"phone": "555-0199"},
            tests={
                "Only the phone changed": """
pm.expect(body).to.include({
    id: own_id, last_name: "Walker", phone: "555-0199", address: "1 Maple Street",
});""",
            },
        ),
        Request(
            "200 A mechanic deletes a customer",
            "DELETE /customers/{{own_id}}",
            "A customer who has no tickets.",
            given=["a customer"],
            tests={"The message names the customer": DELETED.format("customer ${own_id}")},
        ),
        Request(
            "200 A customer sees their own record",
            "GET /customers/{{own_id}}",
            "The token and the id in the address are of the same customer.",
            caller="own",
            given=["a customer", "the customer logs in"],
            tests={
                "It is the caller": (
                    "pm.expect(body).to.include({id: own_id, "
                    "email: `wanda.${unique}@mail.example`});"
                ),
                "No password": NO_PASSWORD,
            },
        ),
        Request(
            "200 A customer changes their whole record",
            "PUT /customers/{{own_id}}",
            "The password is not sent, and stays.",
            caller="own",
            given=["a customer", "the customer logs in"],
            body=WANDA_MARRIES,
            tests={
                "The new name and email": """
pm.expect(body).to.include({
    id: own_id, last_name: "Runner", email: `runner.${unique}@mail.example`,
});""",
            },
        ),
        Request(
            "200 A customer changes a field of their record",
            "PATCH /customers/{{own_id}}",
            "The customer has moved to another street.",
            caller="own",
            given=["a customer", "the customer logs in"],
            body={"address": "2 Harbour Road"},
            tests={
                "Only the address changed": """
pm.expect(body).to.include({
    id: own_id, first_name: "Wanda", phone: "555-0100", address: "2 Harbour Road",
});""",
            },
        ),
        Request(
            "200 A customer deletes their own account",
            "DELETE /customers/{{own_id}}",
            "No mechanic is needed for this.",
            caller="own",
            given=["a customer", "the customer logs in"],
            tests={"The message names the customer": DELETED.format("customer ${own_id}")},
        ),
    ],
)

mechanics = Folder(
    "Mechanics",
    "For mechanics only. The first mechanic comes from seed.py; mechanics add the others. `own_id` "
    "is a mechanic whom the request adds first.",
    [
        Request(
            "201 A mechanic adds a mechanic",
            "POST /mechanics",
            "The password is stored as a hash, and no answer shows it.",
            body=NORA,
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
        ),
        Request(
            "200 Another mechanic logs in",
            "POST /mechanics/login",
            "Bert, from the sample data.",
            caller="anyone",
            body=login("bert@shop.example"),
            tests={"It is Bert": LOGGED_IN.format(2)},
        ),
        Request(
            "200 Mechanics are listed, a page at a time",
            "GET /mechanics?per_page=3",
            "Three on a page.",
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
            "200 The list of mechanics is cached",
            "GET /mechanics",
            "The list has been read just before.",
            given=["list the mechanics"],
            tests={
                "hit_cache: True": FROM_CACHE,
                "Ana is the first": (
                    'pm.expect(body[0]).to.include({id: 1, first_name: "Ana", last_name: "Ruiz"});'
                ),
            },
        ),
        Request(
            "200 The ranking counts a new ticket at once",
            "GET /mechanics/ranking?per_page=100",
            "The ranking is cached. It has been read before the new mechanic got a first ticket.",
            given=["a mechanic", "a ticket", "read the ranking", "the mechanic works on it"],
            tests={
                "The new mechanic has one ticket": """
const row = body.find((mechanic) => mechanic.id === own_id);
pm.expect(row.ticket_count).to.eql(1);""",
                "No hit_cache header": FROM_DATABASE,
            },
        ),
        Request(
            "200 A new mechanic sees their profile",
            "GET /mechanics/profile",
            "Added by another mechanic, and logged in: the new token works.",
            caller="own",
            given=["a mechanic", "the mechanic logs in"],
            tests={
                "It is the new mechanic": (
                    'pm.expect(body).to.include({id: own_id, first_name: "Nora"});'
                ),
            },
        ),
        Request(
            "200 A new mechanic works on no ticket yet",
            "GET /mechanics/my-tickets",
            "An empty list, not an error.",
            caller="own",
            given=["a mechanic", "the mechanic logs in"],
            tests={
                "No ticket": "pm.expect(body).to.eql([]);",
                "X-Total-Count is 0": f"{TOTAL}\npm.expect(total).to.eql(0);",
            },
        ),
        Request(
            "200 A mechanic is shown",
            "GET /mechanics/2",
            "Bert, from the sample data.",
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
            "200 A whole mechanic is changed by PUT",
            "PUT /mechanics/{{own_id}}",
            "By another mechanic, who repeats the email as it is. Salary and address are not "
            "named, and stay; so does the password.",
            given=["a mechanic"],
            body=NORA_MARRIES | {"email": NORA["email"]},
            tests={
                "The new name, the old salary and address": """
pm.expect(body).to.eql({
    id: own_id,
    first_name: "Nora",
    last_name: "Oldman",
    email: `nora.${unique}@shop.example`,
    salary: 52000,
    address: "5 Canal Street",
});""",
            },
        ),
        Request(
            "200 A field of a mechanic is changed by PATCH",
            "PATCH /mechanics/{{own_id}}",
            "A higher salary, with two decimals, sent as a string.",
            given=["a mechanic"],
            body={"salary": "53000.50"},
            tests={
                "Only the salary changed": """
pm.expect(body).to.include({
    id: own_id, first_name: "Nora", salary: 53000.5, address: "5 Canal Street",
});""",
            },
        ),
        Request(
            "200 A mechanic changes their own email",
            "PUT /mechanics/{{own_id}}",
            "Only the mechanics themselves may do this.",
            caller="own",
            given=["a mechanic", "the mechanic logs in"],
            body=NORA_MARRIES,
            tests={
                "The new email": (
                    "pm.expect(body).to.include({id: own_id, "
                    "email: `oldman.${unique}@shop.example`});"
                ),
            },
        ),
        Request(
            "200 A mechanic changes their own password",
            "PATCH /mechanics/{{own_id}}",
            "Only the mechanics themselves may do this. The old token stops working.",
            caller="own",
            given=["a mechanic", "the mechanic logs in"],
            body={"password": "a new password"},
            tests={
                "It is the caller's record": "pm.expect(body.id).to.eql(own_id);",
                "No password": NO_PASSWORD,
            },
        ),
        Request(
            "200 A mechanic is deleted",
            "DELETE /mechanics/{{own_id}}",
            "By another mechanic. A mechanic who works on no ticket.",
            given=["a mechanic"],
            tests={"The message names the mechanic": DELETED.format("mechanic ${own_id}")},
        ),
    ],
)

service_tickets = Folder(
    "Service tickets",
    "Mechanics write; customers read their own. `ticket_id` is a ticket that the request opens "
    "first, for Boris. The same views answer at /service-tickets: one request for each.",
    [
        Request(
            "201 A ticket is opened",
            "POST /service_tickets",
            "Without a date it is of today; the vehicle identification number is stored in "
            "capitals.",
            body={
                "customer_id": 2,
                "vin": "1hgcm82633a004352",
                "service_desc": "Rattles",
                "price": "49.90",
            },
            volatile={"service_date": DATE},
            tests={
                "It is the ticket, without mechanics and parts": """
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
                "Location is the address": f"{LOCATION}.to.eql(`/service_tickets/${{body.id}}`);",
            },
        ),
        Request(
            "201 A ticket without a price costs 0",
            "POST /service_tickets",
            "The price of the labour may come later.",
            body={"customer_id": 2, "vin": "1HGCM82633A004352", "service_desc": "Rattles"},
            volatile={"service_date": DATE},
            tests={"The price is 0": "pm.expect(body).to.include({price: 0, total: 0});"},
        ),
        Request(
            "200 Tickets are listed, a page at a time",
            "GET /service_tickets?per_page=5",
            "Each with its mechanics, its parts and its total.",
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
            "200 The tickets of one customer are listed",
            "GET /service_tickets?customer_id=1",
            "Ada's.",
            tests={
                "All are hers": """
pm.expect(body.slice(0, 3).map((ticket) => ticket.id)).to.eql([1, 2, 3]);
body.forEach((ticket) => pm.expect(ticket.customer_id).to.eql(1));""",
            },
        ),
        Request(
            "200 A ticket is shown",
            "GET /service_tickets/{{ticket_id}}",
            "All of its fields, its mechanics, its parts and its total.",
            given=["a ticket", "Bert works on it"],
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
        ),
        Request(
            "200 A customer sees their own ticket",
            "GET /service_tickets/1",
            "The oil change is Ada's.",
            caller="customer",
            tests={
                "It is hers": "pm.expect(body.customer_id).to.eql(customer_id);",
                "With its mechanic and its total": f"""
{BERT_NAMED}
pm.expect(body.total).to.eql(87.45);""",
            },
        ),
        Request(
            "200 A whole ticket is changed by PUT",
            "PUT /service_tickets/{{ticket_id}}",
            "Its mechanics and parts stay: they have routes of their own.",
            given=["a ticket", "Bert works on it"],
            body={
                "customer_id": 3,
                "vin": "2FTRX18W1XCA00001",
                "service_desc": "Replace the horn",
                "service_date": "2026-03-03",
                "price": 20.25,
            },
            tests={
                "The new values": """
pm.expect(body).to.deep.include({
    id: ticket_id,
    customer_id: 3,
    vin: "2FTRX18W1XCA00001",
    service_desc: "Replace the horn",
    service_date: "2026-03-03",
    price: 20.25,
    total: 20.25,
});""",
                "Bert still works on it": ONLY_BERT,
            },
        ),
        Request(
            "200 A field of a ticket is changed by PATCH",
            "PATCH /service_tickets/{{ticket_id}}",
            "The labour gets dearer, and the total follows.",
            given=["a part", "a ticket", "three pieces on it"],
            body={"price": "70.05"},
            tests={
                "70.05 of labour and 60 of parts": """
pm.expect(body).to.include({
    id: ticket_id, price: 70.05, total: 130.05, service_desc: "Replace the speakers",
});""",
            },
        ),
        Request(
            "200 A ticket is deleted",
            "DELETE /service_tickets/{{ticket_id}}",
            "Bert works on it, and three pieces are on it.",
            given=["a part", "a ticket", "Bert works on it", "three pieces on it"],
            tests={"The message names the ticket": DELETED.format("service ticket ${ticket_id}")},
        ),
        Request(
            "200 Parts of a deleted ticket are back in stock",
            "GET /inventory/{{part_id}}",
            "Three of ten pieces were on the ticket.",
            caller="anyone",
            given=["a part", "a ticket", "three pieces on it", "delete the ticket"],
            tests={"Ten, as before": STOCK.format(10)},
        ),
        Request(
            "201 /service-tickets: a ticket is opened",
            "POST /service-tickets",
            VIEW_AGAIN,
            body=TICKET,
            tests={
                "It is the ticket": (
                    "pm.expect(body).to.include("
                    '{customer_id: 2, service_desc: "Replace the speakers"});'
                ),
            },
        ),
        Request(
            "200 /service-tickets: tickets are listed",
            "GET /service-tickets?per_page=2",
            VIEW_AGAIN,
            tests={
                "The first two": "pm.expect(body.map((ticket) => ticket.id)).to.eql([1, 2]);",
            },
        ),
        Request(
            "200 /service-tickets: a ticket is shown",
            "GET /service-tickets/1",
            VIEW_AGAIN,
            tests={
                "The oil change": "pm.expect(body).to.include({id: 1, price: 35, total: 87.45});",
            },
        ),
        Request(
            "200 /service-tickets: a ticket is changed",
            f"PATCH {DASHED}",
            VIEW_AGAIN,
            given=["a ticket"],
            body={"price": 70},
            tests={"The new price": "pm.expect(body).to.include({id: ticket_id, price: 70});"},
        ),
        Request(
            "200 /service-tickets: a ticket is deleted",
            f"DELETE {DASHED}",
            VIEW_AGAIN,
            given=["a ticket"],
            tests={"The message names the ticket": DELETED.format("service ticket ${ticket_id}")},
        ),
    ],
)

mechanics_of_a_ticket = Folder(
    "Mechanics of a ticket",
    "Several at once, or one at a time. Doing it twice changes nothing. The same views answer at "
    "/service-tickets.",
    [
        Request(
            "200 Adding a mechanic who is there changes nothing",
            "PUT /service_tickets/{{ticket_id}}/edit",
            "Bert (2) works on the ticket before and after.",
            given=["a ticket", "Bert works on it"],
            body={"add_ids": [2]},
            tests={"Bert is on the ticket once": ONLY_BERT},
        ),
        Request(
            "200 One mechanic is assigned",
            "PUT /service_tickets/{{ticket_id}}/assign-mechanic/2",
            "Bert.",
            given=["a ticket"],
            tests={"Bert works on it": BERT_NAMED},
        ),
        Request(
            "200 Assigning a mechanic twice changes nothing",
            "PUT /service_tickets/{{ticket_id}}/assign-mechanic/2",
            "Bert works on the ticket already.",
            given=["a ticket", "Bert works on it"],
            tests={"Bert is on it once": ONLY_BERT},
        ),
        Request(
            "200 One mechanic is removed",
            "PUT /service_tickets/{{ticket_id}}/remove-mechanic/2",
            "Bert was the only one.",
            given=["a ticket", "Bert works on it"],
            tests={"Nobody works on it": "pm.expect(body.mechanics).to.eql([]);"},
        ),
        Request(
            "200 Removing a mechanic who is not there: no change",
            "PUT /service_tickets/{{ticket_id}}/remove-mechanic/3",
            "Bert works on the ticket, Chidi (3) does not.",
            given=["a ticket", "Bert works on it"],
            tests={"Bert still works on it": ONLY_BERT},
        ),
        Request(
            "200 /service-tickets: mechanics are edited",
            f"PUT {DASHED}/edit",
            VIEW_AGAIN,
            given=["a ticket"],
            body={"add_ids": [2]},
            tests={"Bert works on it": ONLY_BERT},
        ),
        Request(
            "200 /service-tickets: a mechanic is assigned",
            f"PUT {DASHED}/assign-mechanic/2",
            VIEW_AGAIN,
            given=["a ticket"],
            tests={"Bert works on it": ONLY_BERT},
        ),
        Request(
            "200 /service-tickets: a mechanic is removed",
            f"PUT {DASHED}/remove-mechanic/2",
            VIEW_AGAIN,
            given=["a ticket", "Bert works on it"],
            tests={"Nobody works on it": "pm.expect(body.mechanics).to.eql([]);"},
        ),
    ],
)

parts_on_tickets = Folder(
    "Parts on tickets",
    "Pieces move from stock to a ticket, and back. Each request makes a part (10 in stock, 20.00 "
    "each) and a ticket (50.00 of labour) first. The same views answer at /service_tickets and at "
    "/service-tickets.",
    [
        Request(
            "201 One piece is put on a ticket",
            ASSIGN,
            "Without a body it is one piece.",
            given=["a part", "a ticket"],
            tests={"One piece": LINE.format(1)},
        ),
        Request(
            "201 More pieces of a part are added to its row",
            ASSIGN,
            "Three pieces are on the ticket before; two more make five, in one row.",
            given=["a part", "a ticket", "three pieces on it"],
            body={"quantity": 2},
            tests={"Five pieces": LINE.format(5)},
        ),
        Request(
            "200 Pieces on a ticket are no longer in stock",
            "GET /inventory/{{part_id}}",
            "Three of ten are on a ticket.",
            caller="anyone",
            given=["a part", "a ticket", "three pieces on it"],
            tests={"Seven are left": STOCK.format(7)},
        ),
        Request(
            "200 A later price does not change the ticket",
            "GET /service_tickets/{{ticket_id}}",
            "The part was put on at 20.00. Now it costs 24.50. The ticket stays at 110.00.",
            given=["a part", "a ticket", "three pieces on it", "raise its price"],
            tests={"Three speakers at the old price": ON_TICKET.format(3, 110)},
        ),
        Request(
            "200 Some pieces are taken off a ticket",
            REMOVE + "?quantity=1",
            "One of three.",
            given=["a part", "a ticket", "three pieces on it"],
            tests={"It says what was taken off": REMOVED},
        ),
        Request(
            "200 Pieces that were not taken off stay on the ticket",
            "GET /service_tickets/{{ticket_id}}",
            "One of three pieces has been taken off: two at 20.00, and 50.00 of labour.",
            given=["a part", "a ticket", "three pieces on it", "one piece off"],
            tests={"Two speakers, 90 in total": ON_TICKET.format(2, 90)},
        ),
        Request(
            "200 All pieces are taken off a ticket",
            REMOVE,
            "Without a quantity it is all of them.",
            given=["a part", "a ticket", "three pieces on it"],
            tests={"It says what was taken off": REMOVED},
        ),
        Request(
            "200 Pieces that were taken off are back in stock",
            "GET /inventory/{{part_id}}",
            "Three were on a ticket, and have been taken off.",
            caller="anyone",
            given=["a part", "a ticket", "three pieces on it", "all pieces off"],
            tests={"Ten, as before": STOCK.format(10)},
        ),
        Request(
            "201 The last piece is taken",
            ASSIGN,
            "One piece is in stock.",
            given=["a part with one piece", "a ticket"],
            tests={"It is on the ticket": LINE.format(1)},
        ),
        Request(
            "200 After the last piece, nothing is left in stock",
            "GET /inventory/{{part_id}}",
            "The stock is 0.",
            caller="anyone",
            given=["a part with one piece", "a ticket", "one piece on it"],
            tests={"No piece is left": STOCK.format(0)},
        ),
        Request(
            "200 A ticket gets no part of which none is left",
            "GET /service_tickets/{{ticket_id}}",
            "A second ticket, opened after the last piece was taken.",
            given=["a part with one piece", "a ticket", "one piece on it", "a ticket"],
            tests={
                "No part is on it": "pm.expect(body.parts).to.eql([]);",
                "It costs the labour": "pm.expect(body.total).to.eql(50);",
            },
        ),
        Request(
            "201 /service_tickets: a part is put on",
            ASSIGN.replace("ticket_inventory", "service_tickets", 1),
            VIEW_AGAIN,
            given=["a part", "a ticket"],
            body={"quantity": 2},
            tests={"Two pieces": LINE.format(2)},
        ),
        Request(
            "201 /service-tickets: a part is put on",
            ASSIGN.replace("ticket_inventory", "service-tickets", 1),
            VIEW_AGAIN,
            given=["a part", "a ticket"],
            tests={"One piece": LINE.format(1)},
        ),
        Request(
            "200 /service_tickets: a part is taken off",
            REMOVE.replace("ticket_inventory", "service_tickets", 1),
            VIEW_AGAIN,
            given=["a part", "a ticket", "three pieces on it"],
            tests={"It says what was taken off": REMOVED},
        ),
        Request(
            "200 /service-tickets: a part is taken off",
            REMOVE.replace("ticket_inventory", "service-tickets", 1),
            VIEW_AGAIN,
            given=["a part", "a ticket", "three pieces on it"],
            tests={"It says what was taken off": REMOVED},
        ),
    ],
)

inventory = Folder(
    "Inventory",
    "Anyone reads, mechanics write. `part_id` is a part that the request makes first. The same "
    "views answer at /parts: one request for each.",
    [
        Request(
            "201 A part is created",
            "POST /inventory",
            "Numbers sent as numbers.",
            body=HORN,
            tests={
                "It is the horn": (
                    'pm.expect(body).to.eql({id: body.id, name: "horn", price: 18.5, quantity: 4});'
                ),
            },
        ),
        Request(
            "200 Parts are found by a part of their name",
            "GET /inventory?search=BRAKE&per_page=1",
            "Capitals do not matter. One part on a page.",
            caller="anyone",
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
        ),
        Request(
            "200 Unknown parameters make no new cache entry",
            "GET /inventory?tracker={{unique}}",
            "The list has been read just before. Nobody fills the cache with made-up parameters.",
            caller="anyone",
            given=["list the parts"],
            tests={
                "hit_cache: True": FROM_CACHE,
                "It is the list": 'pm.expect(body[1].name).to.eql("front bumper");',
            },
        ),
        Request(
            "200 A part is shown",
            "GET /inventory/{{part_id}}",
            "Without a token.",
            caller="anyone",
            given=["a part"],
            tests={"It is the part": IS_NEW_SPEAKER},
        ),
        Request(
            "200 PUT leaves the quantity alone if it does not name it",
            "PUT /inventory/{{part_id}}",
            "No stock is lost by what a body leaves out.",
            given=["a part"],
            body={"name": "horn", "price": 18.5},
            tests={
                "A new name and price, and ten pieces": (
                    "pm.expect(body).to.eql({id: part_id, "
                    'name: "horn", price: 18.5, quantity: 10});'
                ),
            },
        ),
        Request(
            "200 PATCH changes the price of a part that is cached",
            "PATCH /inventory/{{part_id}}",
            "The part has been read before, so the cache holds its old price.",
            given=["a part", "read the part"],
            body={"price": 24.5},
            tests={
                "Only the price changed": (
                    "pm.expect(body).to.eql({id: part_id, "
                    'name: "speaker", price: 24.5, quantity: 10});'
                ),
                "A write is never cached": FROM_DATABASE,
            },
        ),
        Request(
            "200 A part is deleted",
            "DELETE /inventory/{{part_id}}",
            "A part that is on no ticket.",
            given=["a part"],
            tests={"The message names the part": DELETED.format("inventory ${part_id}")},
        ),
        Request(
            "201 /parts: a part is created",
            "POST /parts",
            VIEW_AGAIN,
            body=SPEAKER,
            tests={
                "It is a speaker": (
                    "pm.expect(body).to.eql({id: body.id, "
                    'name: "speaker", price: 20, quantity: 10});'
                ),
                "Location is its address": f"{LOCATION}.to.match(/^\\/parts\\/\\d+$/);",
            },
        ),
        Request(
            "200 /parts: parts are listed",
            "GET /parts?search=BRAKE&per_page=1",
            "The links keep the address that was asked for.",
            caller="anyone",
            tests={
                "The brake pads are the first": (
                    'pm.expect(body[0].name).to.eql("brake pads, front axle");'
                ),
                "The next page is at /parts, too": f"""
{LINK}
pm.expect(link).to.include('</parts?page=2&per_page=1&search=BRAKE>; rel="next"');""",
            },
        ),
        Request(
            "200 /parts: a part is shown",
            "GET /parts/1",
            VIEW_AGAIN,
            caller="anyone",
            tests={"It is the speaker": IS_SPEAKER},
        ),
        Request(
            "200 /parts: a part is changed",
            f"PUT {PARTS}",
            VIEW_AGAIN,
            given=["a part"],
            body=PIONEER,
            tests={"It is a pioneer speaker now": IS_PIONEER},
        ),
        Request(
            "200 /parts: a field of a part is changed",
            f"PATCH {PARTS}",
            "What is not named stays.",
            given=["a part"],
            body={"quantity": 12},
            tests={
                "Only the quantity changed": (
                    "pm.expect(body).to.eql({id: part_id, "
                    'name: "speaker", price: 20, quantity: 12});'
                ),
            },
        ),
        Request(
            "200 /parts: a part is deleted",
            f"DELETE {PARTS}",
            VIEW_AGAIN,
            given=["a part"],
            tests={"The message names the part": DELETED.format("inventory ${part_id}")},
        ),
    ],
)

the_shop = Folder(
    "The shop",
    "A page for people, and a check for machines.",
    [
        Request(
            "200 A browser gets a page",
            "GET /",
            "No script and no style is loaded from elsewhere.",
            caller="anyone",
            content_type=HTML,
            tests={
                "It is the mechanic shop": 'pm.expect(body).to.include("Mechanic shop");',
                "It allows nothing from elsewhere": (
                    'const policy = pm.response.headers.get("Content-Security-Policy");\n'
                    "pm.expect(policy).to.include(\"default-src 'none'\");"
                ),
            },
        ),
        Request(
            "200 The shop says that it works",
            "GET /health",
            "Its database answers. This is the only route without a rate limit.",
            caller="anyone",
            tests={
                "It works": 'pm.expect(body).to.eql({status: "ok"});',
                "No rate limit": (
                    'pm.expect(pm.response.headers.has("X-RateLimit-Limit")).to.be.false;'
                ),
                "No browser keeps this": (
                    'pm.expect(pm.response.headers.get("Cache-Control")).to.eql("no-store");'
                ),
            },
        ),
        Request(
            "200 A slash at the end of an address does not matter",
            "GET /inventory/",
            "So it is for every address. There is no redirect.",
            caller="anyone",
            tests={
                "It is the list of parts": 'pm.expect(body[0].name).to.eql("speaker");',
                "No redirect": 'pm.expect(pm.response.headers.has("Location")).to.be.false;',
            },
        ),
    ],
)

every_route = Folder(
    "2 Every route",
    "A folder for each kind of record, with every route that the shop has.",
    [
        customers,
        mechanics,
        service_tickets,
        mechanics_of_a_ticket,
        parts_on_tickets,
        inventory,
        the_shop,
    ],
)

# === 3 What is refused ============================================================================

NEEDED = {"{{part_id}}": "a part", "{{ticket_id}}": "a ticket", "{{own_id}}": "a customer"}


def needs(call):
    """Return the steps that make what an address names."""
    return [step for variable, step in NEEDED.items() if variable in call]


def needs_token(what, call, body=None):
    """Return a request that is refused because nobody has logged in."""
    says = "Without a token. The header WWW-Authenticate asks for a bearer token."
    more = {"caller": "anyone", "given": needs(call), "body": body}
    return refused(f"401 {what} without a token", call, "Log in", says, **more)


def not_for_customers(what, call, body=None):
    """Return a request that is refused because a customer sends it."""
    says = "With a customer's token: the caller is known, and may not do this."
    more = {"caller": "customer", "given": needs(call), "body": body}
    detail = "Only a mechanic may do this."
    return refused(f"403 {what} as a customer", call, detail, says, **more)


def invalid(what, call, body, errors, says=NOTHING_SAVED):
    """Return a request whose body is not valid."""
    detail = "Some fields are not valid"
    more = {"body": body, "errors": errors, "given": needs(call)}
    return refused(f"400 {what}", call, detail, says, **more)


no_token = Folder(
    "401 Without a good token",
    "Writing needs a token, and so does everything about people.",
    [
        needs_token("Creating a part", "POST /inventory", HORN),
        needs_token("Putting a part on a ticket", ASSIGN),
        needs_token("The list of customers", "GET /customers?per_page=2"),
        needs_token("The list of mechanics", "GET /mechanics"),
        needs_token("The ranking", "GET /mechanics/ranking"),
        needs_token("A ticket", "GET /service_tickets/1"),
        needs_token("Adding a mechanic", "POST /mechanics", NORA),
        refused(
            "401 The token is checked before the cache is asked",
            "GET /customers",
            "Log in",
            "A mechanic has just read the list, and it is in the cache.",
            caller="anyone",
            given=["list the customers"],
            tests={"Nothing comes from the cache": FROM_DATABASE},
        ),
        refused(
            "401 A changed token",
            "GET /mechanics/my-tickets",
            "Log in",
            "One character more, and the signature does not fit.",
            caller="anyone",
            headers={"Authorization": "Bearer {{mechanic_token}}x"},
        ),
        refused(
            "401 An unknown email, in the same words",
            "POST /mechanics/login",
            "Wrong email or password.",
            "The words are those for a wrong password: nobody learns who has an account here.",
            caller="anyone",
            body={"email": "nobody.{{unique}}@shop.example", "password": "a wrong password"},
        ),
        refused(
            "401 A token from before a change of the password",
            "GET /customers/{{own_id}}",
            "Log in",
            "A token becomes invalid when the password changes: it holds a keyed fingerprint of "
            "the password's hash.",
            caller="own",
            given=["a customer", "the customer logs in", "change the password"],
        ),
        refused(
            "401 A token of an account that was deleted",
            "GET /customers/{{own_id}}",
            "Log in",
            "The account is looked up for each request.",
            caller="own",
            given=["a customer", "the customer logs in", "delete the customer"],
        ),
    ],
)

not_allowed = Folder(
    "403 With the wrong token",
    "The caller is known, and may not do this.",
    [
        not_for_customers("Creating a part", "POST /inventory", HORN),
        not_for_customers("Opening a ticket", "POST /service_tickets", TICKET),
        not_for_customers("Deleting a ticket", "DELETE /service_tickets/{{ticket_id}}"),
        not_for_customers("The list of tickets", "GET /service_tickets?per_page=2"),
        not_for_customers("The list of customers", "GET /customers?per_page=2"),
        not_for_customers("A mechanic's tickets", "GET /mechanics/my-tickets"),
        refused(
            "403 A customer's tickets as a mechanic",
            "GET /customers/my-tickets",
            "Only a customer may do this.",
            "Each token is for one role.",
        ),
        refused(
            "403 Another customer's record",
            "GET /customers/2",
            "Customers may see and change only their own record.",
            "Boris (2) exists, and is not the caller.",
            caller="customer",
        ),
        refused(
            "403 A customer who does not exist, in the same words",
            "GET /customers/999999",
            "Customers may see and change only their own record.",
            "Nobody learns which customers exist.",
            caller="customer",
        ),
        refused(
            "403 Another mechanic's password",
            "PATCH /mechanics/{{own_id}}",
            "Only the mechanics themselves may change their email and password.",
            "Who forgot a password gets a new one with seed.py.",
            given=["a mechanic"],
            body={"password": "a new password"},
        ),
        refused(
            "403 Another mechanic's email",
            "PATCH /mechanics/{{own_id}}",
            "Only the mechanics themselves may change their email and password.",
            "It would lock the other mechanic out.",
            given=["a mechanic"],
            body={"email": "n.{{unique}}@shop.example"},
        ),
        refused(
            "403 Deleting one's own mechanic account",
            "DELETE /mechanics/{{mechanic_id}}",
            "Mechanics may not delete their own account.",
            "So at least one mechanic is always left.",
        ),
    ],
)

not_there = Folder(
    "404 and 405 Not there",
    "The answer names the record that is missing, or the methods that there are.",
    [
        refused(
            "404 A part with an unknown id",
            "GET /inventory/999999",
            "There is no part 999999.",
            "The answer names the part.",
            caller="anyone",
        ),
        refused(
            "404 A part that was deleted",
            "GET /inventory/{{part_id}}",
            "There is no part",
            "Its id is never used again.",
            caller="anyone",
            given=["a part", "delete the part"],
            tests={"It names the id": "pm.expect(body.detail).to.include(String(part_id));"},
        ),
        refused(
            "404 A part with an unknown id at /parts",
            "GET /parts/999999",
            "There is no part 999999.",
            "The same view at another address.",
            caller="anyone",
        ),
        refused(
            "404 A customer with an unknown id",
            "PATCH /customers/999999",
            "There is no customer 999999.",
            "For a mechanic, who may see all customers.",
            body={"phone": "555-0199"},
        ),
        refused(
            "404 A mechanic with an unknown id",
            "GET /mechanics/999999",
            "There is no mechanic 999999.",
            "The answer names the mechanic.",
        ),
        refused(
            "404 A ticket with an unknown id",
            "DELETE /service_tickets/999999",
            "There is no service ticket 999999.",
            "The answer names the ticket.",
        ),
        refused(
            "404 Another customer's ticket",
            "GET /service_tickets/{{ticket_id}}",
            "There is no service ticket",
            "The ticket exists, and is Boris's. For Ada it does not: nobody learns which tickets "
            "there are.",
            caller="customer",
            given=["a ticket"],
            tests={"It names the id": "pm.expect(body.detail).to.include(String(ticket_id));"},
        ),
        refused(
            "404 A part for a ticket that does not exist",
            "POST /ticket_inventory/999999/assign-inventory/{{part_id}}",
            "There is no service ticket 999999.",
            "The answer names what is missing.",
            given=["a part"],
        ),
        refused(
            "404 A part that does not exist, for a ticket",
            "POST /ticket_inventory/{{ticket_id}}/assign-inventory/999999",
            "There is no part 999999.",
            "The answer names what is missing.",
            given=["a ticket"],
        ),
        refused(
            "404 Taking off a part that is not on the ticket",
            REMOVE,
            "on service ticket",
            "The part exists, and so does the ticket; but the part is not on it.",
            given=["a part", "a ticket"],
        ),
        refused(
            "404 An address that the shop does not have",
            "GET /garage",
            "not found",
            "JSON, as for every other refusal, and not a page.",
            caller="anyone",
        ),
        refused(
            "405 A method that an address does not have",
            "DELETE /inventory",
            "not allowed",
            "The header Allow names the methods that it has.",
            tests={
                "Allow names the methods": """
const allowed = pm.response.headers.get("Allow").split(", ");
pm.expect(allowed).to.include.members(["GET", "POST"]);
pm.expect(allowed).to.not.include("DELETE");""",
            },
        ),
    ],
)

conflicts = Folder(
    "409 In conflict with what is there",
    "The request is well-formed, but something that is there stands against it.",
    [
        refused(
            "409 A customer's email that is taken",
            "POST /customers",
            "Another account has this email address.",
            "Ada's, written in capitals.",
            caller="anyone",
            body=WANDA | {"email": "ADA.ABBOTT@MAIL.EXAMPLE"},
        ),
        refused(
            "409 A mechanic's email that is taken",
            "POST /mechanics",
            "Another account has this email address.",
            "Ana's.",
            body=NORA | {"email": "ana@shop.example"},
        ),
        refused(
            "409 Deleting a customer who has tickets",
            "DELETE /customers/{{own_id}}",
            "cannot be deleted",
            "A ticket refers to the customer.",
            given=["a customer", "a ticket of the customer"],
        ),
        refused(
            "409 Deleting a mechanic who works on a ticket",
            "DELETE /mechanics/2",
            "cannot be deleted",
            "Bert works on tickets.",
        ),
        refused(
            "409 Deleting a part that is on a ticket",
            "DELETE /inventory/{{part_id}}",
            "cannot be deleted",
            "The ticket would no longer say what the customer paid for.",
            given=["a part", "a ticket", "one piece on it"],
        ),
        refused(
            "409 More pieces than there are in stock",
            ASSIGN,
            "Not enough stock of part",
            "The only piece is on the ticket. The stock never goes below 0.",
            given=["a part with one piece", "a ticket", "one piece on it"],
            tests={"It names the part": "pm.expect(body.detail).to.include(String(part_id));"},
        ),
        refused(
            "409 Taking off more pieces than are on the ticket",
            REMOVE + "?quantity=4",
            "of part",
            "Three are on the ticket. Nothing changes.",
            given=["a part", "a ticket", "three pieces on it"],
        ),
    ],
)

not_valid = Folder(
    "400 Not valid",
    "The answer names each field that is wrong, under errors. Nothing is rounded, cut or guessed.",
    [
        invalid(
            "All fields of a part that are wrong",
            "POST /inventory",
            {"name": " ", "price": -1, "quantity": 2.9},
            ["name", "price", "quantity"],
        ),
        invalid(
            "A field that cannot be set, such as the id",
            "POST /inventory",
            HORN | {"id": 1},
            ["id"],
            "The shop gives the ids. Every field that it does not know is refused in this way.",
        ),
        invalid(
            "A number in scientific notation",
            "POST /inventory",
            HORN | {"price": "1e3"},
            ["price"],
            "Strings are taken as the assignment shows them: digits, and for prices a point.",
        ),
        invalid(
            "A required field that is missing",
            "PUT /inventory/{{part_id}}",
            {"name": "horn", "quantity": 4},
            ["price"],
            "PUT needs the required fields, PATCH none.",
        ),
        invalid(
            "An email address without an @",
            "POST /customers",
            WANDA | {"email": "wanda at mail.example"},
            ["email"],
        ),
        invalid(
            "A password of 7 characters",
            "POST /mechanics",
            NORA | {"password": "1234567"},
            ["password"],
            "Passwords have 8 to 128 characters.",
        ),
        invalid(
            "A ticket for a customer who does not exist",
            "POST /service_tickets",
            TICKET | {"customer_id": 999999},
            ["customer_id"],
        ),
        invalid(
            "A vehicle identification number of 18 characters",
            "POST /service_tickets",
            TICKET | {"vin": "1HGCM82633A0043521"},
            ["vin"],
            "It has at most 17 letters and digits.",
        ),
        invalid(
            "A date that the calendar does not have",
            "POST /service_tickets",
            TICKET | {"service_date": "2026-02-30"},
            ["service_date"],
        ),
        invalid(
            "A mechanic who is both added and removed",
            "PUT /service_tickets/{{ticket_id}}/edit",
            {"add_ids": [2], "remove_ids": [2]},
            ["remove_ids"],
            "The same id is in both lists.",
        ),
        invalid(
            "An edit that names no mechanic",
            "PUT /service_tickets/{{ticket_id}}/edit",
            {"add_ids": [], "remove_ids": []},
            ["add_ids"],
            "At least one mechanic has to be named.",
        ),
        invalid(
            "Half a piece, which is not rounded",
            ASSIGN,
            {"quantity": 2.5},
            ["quantity"],
            "Pieces are whole.",
        ),
        invalid(
            "No pieces",
            ASSIGN,
            {"quantity": 0},
            ["quantity"],
            "At least one piece.",
        ),
        refused(
            "400 A parameter that remove-inventory does not know",
            REMOVE + "?Quantity=1",
            "Some fields are not valid",
            "The name is written with a capital. Nothing is taken off the ticket.",
            given=["a part", "a ticket", "three pieces on it"],
            errors=["Quantity"],
        ),
        refused(
            "400 Page 0, and 101 on a page",
            "GET /customers?page=0&per_page=101",
            "Some fields are not valid",
            "Both parameters are named.",
            errors=["page", "per_page"],
        ),
        refused(
            "400 A page that is not a number",
            "GET /service_tickets?page=abc",
            "Some fields are not valid",
            "Parameters are checked as bodies are.",
            errors=["page"],
        ),
    ],
)

not_readable = Folder(
    "400, 413 and 415 Not readable",
    "What is not JSON, or too long.",
    [
        refused(
            "400 A body that is not valid JSON",
            "POST /inventory",
            "JSON",
            "A bracket is missing.",
            body='{"name": "horn"',
        ),
        refused(
            "413 A body over 64 KiB",
            "POST /inventory",
            "exceeds",
            "70,000 characters, which the pre-request script makes.",
            before='pm.variables.set("long_text", "x".repeat(70000));',
            body=HORN | {"name": "{{long_text}}"},
        ),
        refused(
            "415 A body that is not JSON",
            "POST /inventory",
            "application/json",
            "Its Content-Type is text/plain.",
            body="name: horn",
            headers={"Content-Type": "text/plain"},
        ),
    ],
)

what_is_refused = Folder(
    "3 What is refused",
    "Every refusal has the same JSON format (RFC 9457, application/problem+json): type, title, "
    "status and detail, and errors where fields are wrong.",
    [no_token, not_allowed, not_there, conflicts, not_valid, not_readable],
)

# === The collection ===============================================================================

COLLECTION = Folder(
    "Mechanic shop",
    """The requests of the mechanic shop's API, with tests of its answers.

Start the shop with sample data (`python seed.py`, then `python mechanic_shop.py`). Then run the
collection, a folder, or a single request, in any order and as often as you like. There is nothing
to fill in. If the shop does not listen at http://127.0.0.1:5000, change the variable `base_url`.

* **1 The assignment** has a folder for each section of the assignment, and quotes its sentences.
* **2 Every route** shows each route of the shop.
* **3 What is refused** shows each kind of error.

A name begins with the status that is expected. Each request has one saved answer of the shop, in
which a long list is cut to three records.

**What happens around a request.** The collection's own scripts log in as a mechanic (Ana) and a
customer (Ada), at most once a minute. If a request needs a part, a ticket or an account, its
pre-request script makes one, with `prepare`. When the answer is there, everything that was made is
deleted. So nothing is left behind: the sample data is as it was. Only the ids go on counting,
since the shop never uses an id again. If a run is cut off in the middle of a request, what this
one request made may stay: `python seed.py --reset` makes a fresh shop.

These calls are requests, too, and newman counts them: the collection has {requests} requests, and
a run sends {sent} (and two more, to log in, whenever a new minute begins).

The tests expect the sample data. If you have changed it, begin again with `python seed.py --reset`.
They are for this shop's own answers, and not for grading other submissions.""",
    [the_assignment, every_route, what_is_refused],
)
