"""Mechanic shop: the REST API of a car repair shop, in one module.

    python seed.py             fill an empty database with sample data
    python mechanic_shop.py    serve on http://127.0.0.1:5000

Anyone may browse the inventory and register as a customer. Customers see and change their own
record and see their tickets; mechanics, the staff, do all else. Some names are the assignment's.

What a request passes through, for example GET /customers?search=ann:
    the limiter, before every view     Are these too many requests? If so, answer 429.
    @token_required("mechanic")        Is the caller a mechanic? If not, answer 401 or 403.
    @query_parameters(search_schema)   Are the parameters valid? If not, answer 400.
    @cached                            Is the answer in the cache? If so, give that.
    list_customers(parameters)         The view: ask the database, and answer.
"""

import contextlib
import datetime as dt
import functools
import hmac
import os
import secrets
import sqlite3
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import Blueprint, Flask, abort, current_app, make_response, render_template, request
from flask_caching import Cache
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_marshmallow import Marshmallow
from flask_sqlalchemy import SQLAlchemy
from jose import jwt
from marshmallow import EXCLUDE, Schema, ValidationError, validates
from marshmallow.validate import Email, Length, Range, Regexp
from sqlalchemy import exc, orm
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug import exceptions, routing, security
from werkzeug.middleware.proxy_fix import ProxyFix

# === Extensions and models ========================================================================
# service_mechanic is a plain table between two models; TicketInventory, between tickets and parts,
# is a model, as it has columns of its own. lazy= says how related records are read: "joined" in the
# same query, "selectin" in one more query for all records of a list.


class Base(orm.DeclarativeBase):  # what all models have
    __table_args__ = {"sqlite_autoincrement": True}  # no new record gets a deleted one's id
    id: Mapped[int] = mapped_column(primary_key=True)


# After a commit, records keep their values: an answer is made without reading them again.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
ma = Marshmallow()
cache = Cache()
limiter = Limiter(get_remote_address)  # counts the requests of each IP address


class Inventory(db.Model):
    __tablename__ = "inventory"
    name: Mapped[str] = mapped_column(sa.String(255))
    price: Mapped[float] = mapped_column(sa.Double)
    quantity: Mapped[int] = mapped_column(default=1)  # pieces in stock


class Account:  # the columns that customers and mechanics share (a mixin: it is no table)
    first_name: Mapped[str] = mapped_column(sa.String(100))
    last_name: Mapped[str] = mapped_column(sa.String(100))
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    password: Mapped[str] = mapped_column(sa.String(255))  # its hash
    address: Mapped[str | None] = mapped_column(sa.String(255))


class Customer(Account, db.Model):
    __tablename__ = "customers"
    phone: Mapped[str | None] = mapped_column(sa.String(32))


class Mechanic(Account, db.Model):
    __tablename__ = "mechanics"
    salary: Mapped[float | None] = mapped_column(sa.Double)


class TicketInventory(db.Model):  # a line of a ticket's bill: a number of pieces of a part
    __tablename__ = "ticket_inventory"
    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("service_tickets.id"))
    inventory_id: Mapped[int] = mapped_column(sa.ForeignKey("inventory.id"), index=True)
    quantity: Mapped[int]
    unit_price: Mapped[float] = mapped_column(sa.Double)  # the price when the line was made
    part: Mapped[Inventory] = orm.relationship(lazy="joined")


# The database refuses a second line for the same part on the same ticket.
sa.Index("ticket_line", TicketInventory.ticket_id, TicketInventory.inventory_id, unique=True)
# The primary key finds rows by ticket, its first column; the index finds them by mechanic.
service_mechanic = db.Table(
    "service_mechanic",
    sa.Column("ticket_id", sa.ForeignKey("service_tickets.id"), primary_key=True),
    sa.Column("mechanic_id", sa.ForeignKey("mechanics.id"), primary_key=True, index=True),
)


class ServiceTicket(db.Model):
    __tablename__ = "service_tickets"
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    vin: Mapped[str] = mapped_column(sa.String(17))  # vehicle identification number
    service_desc: Mapped[str] = mapped_column(sa.String(500))
    service_date: Mapped[dt.date] = mapped_column(default=dt.date.today)
    price: Mapped[float] = mapped_column(sa.Double, default=0.0)  # of the labour
    mechanics: Mapped[list[Mechanic]] = orm.relationship(
        secondary=service_mechanic, lazy="selectin", order_by=Mechanic.id
    )
    # cascade: the lines are deleted with their ticket. (Rows of a secondary table always are.)
    parts: Mapped[list[TicketInventory]] = orm.relationship(
        cascade="all", lazy="selectin", order_by=TicketInventory.inventory_id
    )

    @property
    def total(self):
        """The price of the labour and of all parts, rounded to cents."""
        parts = sum(line.quantity * line.unit_price for line in self.parts)
        return round(self.price + parts, 2)


# === Passwords ====================================================================================
# Only hashes of passwords are stored. Making one takes 60 ms and 32 MB, on purpose: a thief can try
# few passwords a second. Each request is a thread: two may make a hash at once, the others wait.
hashing_gate = threading.Semaphore(2)


@sa.event.listens_for(Customer.password, "set", retval=True)  # retval: what this returns is stored
@sa.event.listens_for(Mechanic.password, "set", retval=True)
def hash_password(_account, password, _old, _event):
    """Return the hash of a new password. SQLAlchemy calls this when one is set, not when read."""
    with hashing_gate:
        return security.generate_password_hash(password)


# === Schemas ======================================================================================
# What callers may send, and what they get. A schema makes a field of each column of its model: of
# Customer.first_name it makes Text(required=True, validate=Length(max=100)). Text, numbers, bool,
# dates and enum classes get checked fields; for other types of columns, write the field by hand.


# Three fields of our own. marshmallow calls _deserialize() with a caller's value, and more (*args).
class Text(ma.String):  # without the blanks around it, and not empty if it is required
    def _deserialize(self, value, *args, **kwargs):
        text = super()._deserialize(value, *args, **kwargs).strip()
        if self.required and not text:
            raise ValidationError("Must not be empty.")
        return text


class WholeNumber(ma.Integer):  # not 10.5, of which ma.Integer makes 10; nine digits fit a column
    def _deserialize(self, value, *args, **kwargs):
        number = super()._deserialize(value, *args, **kwargs)
        if abs(number) > 999_999_999 or (isinstance(value, float) and value != number):
            raise ValidationError("Not a whole number of at most nine digits.")
        return number


class IdList(ma.List):  # says one thing of a wrong list, where ma.List says one of each wrong item
    def _deserialize(self, value, *args, **kwargs):
        try:
            return super()._deserialize(value, *args, **kwargs)
        except ValidationError:
            raise ValidationError("Not a list of ids.") from None  # instead of the first error


def check_cents(price):
    """Raise ValidationError if a price has more than two decimals: it is not rounded."""
    if round(price, 2) != price:
        raise ValidationError("At most two decimals.")


PRICE = [Range(0, 1_000_000), check_cents]
ID_AND_NAMES = ("id", "first_name", "last_name")


class RecordSchema(ma.SQLAlchemyAutoSchema):
    TYPE_MAPPING = {**ma.Schema.TYPE_MAPPING, str: Text, int: WholeNumber}  # column's type: field
    id = ma.Integer(dump_only=True)  # in answers, never in a body
    load = Schema.load  # marshmallow's: SQLAlchemyAutoSchema's reads versions from a file each time


class AccountSchema(RecordSchema):
    # Some databases treat é as e, and would find another's account. [ -~] is all printable ASCII.
    rules = [Length(max=254), Email(), Regexp("[ -~]*$", error="Must be ASCII.")]
    email = Text(required=True, validate=rules, post_load=str.lower)  # after the checks
    password = ma.String(required=True, load_only=True, validate=Length(8, 128))  # keeps its blanks


class CustomerSchema(AccountSchema):
    class Meta:
        model = Customer


class MechanicSchema(AccountSchema):
    class Meta:
        model = Mechanic

    salary = ma.auto_field(validate=Range(0, 10_000_000))  # the column's field and one more check
    ticket_count = ma.Integer(dump_only=True)  # only in the ranking


class InventorySchema(RecordSchema):
    class Meta:
        model = Inventory

    name = ma.auto_field()  # only for the order: written fields come first in an answer
    price = ma.auto_field(validate=PRICE)
    quantity = ma.auto_field(validate=Range(0, 1_000_000))


class TicketInventorySchema(RecordSchema):
    class Meta:
        model = TicketInventory
        include_fk = True  # make fields of the foreign keys, too
        dump_only = ("ticket_id", "inventory_id", "unit_price")

    quantity = WholeNumber(load_default=1, validate=Range(1, 1_000_000))
    name = ma.String(attribute="part.name", dump_only=True)  # line.part.name


class ServiceTicketSchema(RecordSchema):
    class Meta:
        model = ServiceTicket
        include_fk = True

    price = ma.auto_field(validate=PRICE)
    mechanics = ma.Nested(MechanicSchema(only=ID_AND_NAMES), many=True, dump_only=True)
    parts = ma.Nested(TicketInventorySchema(exclude=("id", "ticket_id")), many=True, dump_only=True)
    total = ma.Float(dump_only=True)

    @validates("customer_id")
    def check_customer_exists(self, customer_id, **_kwargs):  # _kwargs: not used here
        """Raise ValidationError if there is no such customer."""
        if db.session.get(Customer, customer_id) is None:
            raise ValidationError(f"There is no customer {customer_id}.")


class EditMechanicsSchema(ma.Schema):
    add_ids = IdList(WholeNumber(), load_default=[], validate=Length(max=100))
    remove_ids = IdList(WholeNumber(), load_default=[], validate=Length(max=100))


class QuerySchema(ma.Schema):  # the query parameters; each route takes some of them
    page = WholeNumber(load_default=1, validate=Range(1, 1_000_000))
    per_page = WholeNumber(load_default=20, validate=Range(1, 100))
    search = Text(validate=Length(max=255))
    customer_id = WholeNumber()
    quantity = WholeNumber(validate=Range(1, 1_000_000))


customer_schema = CustomerSchema()
mechanic_schema = MechanicSchema()
ranking_schema = MechanicSchema(only=(*ID_AND_NAMES, "ticket_count"))
login_schema = MechanicSchema(only=("email", "password"))  # customers have the same rules
inventory_schema = InventorySchema()
ticket_inventory_schema = TicketInventorySchema(exclude=["name"])  # only ids and numbers
service_ticket_schema = ServiceTicketSchema()
page_schema = QuerySchema(only=("page", "per_page"), unknown=EXCLUDE)  # ignores other parameters
search_schema = QuerySchema(only=("page", "per_page", "search"), unknown=EXCLUDE)


# === Requests and answers =========================================================================
class IdConverter(routing.IntegerConverter):  # an id in a path: /customers/<id:customer_id>
    regex = "[0-9]{1,9}"  # at most nine digits, as in WholeNumber; <int:...> takes more


def load_json(optional=False):
    """Return the JSON object in the body. Aborts with 400, 413 (too long) or 415 (not JSON)."""
    try:
        size = len(request.get_data())
        # Without a length, Flask reads at most 64 KiB of a body: one that fills them was cut.
        if request.content_length is None and size == request.max_content_length:
            abort(413)
        if size == 0 and optional:
            return {}
        data = request.get_json() if size > 0 else None
    except (exceptions.RequestEntityTooLarge, exceptions.UnsupportedMediaType):
        raise  # 413 and 415 are the right answers
    except Exception:  # no JSON, JSON nested too deeply, or a body that a server cannot read
        data = None
    if not isinstance(data, dict):
        abort(400, "The body must be a valid JSON object.")
    return data


def get_or_404(model, record_id):
    """Return the record of a model with this id. Aborts with 404 if there is none."""
    detail = f"There is no record {record_id} in {model.__tablename__}."
    return db.get_or_404(model, record_id, description=detail)


def add_record(schema, record):
    """Store a new record, and return the answer: the record and its path."""
    db.session.add(record)
    db.session.commit()
    return schema.dump(record), 201, {"Location": f"{request.path.rstrip('/')}/{record.id}"}


def change_record(schema, record, fields):
    """Change the named fields of a record, and return the answer: the record."""
    for name, value in fields.items():
        setattr(record, name, value)
    db.session.commit()
    return schema.dump(record)


def delete_record(record, name):
    """Delete a record, and return the answer: the assignment's message, with this name in it."""
    db.session.delete(record)
    db.session.commit()
    return {"message": f"Successfully deleted {name} {record.id}"}


def page_response(query, schema, parameters):
    """Answer with a page of a query, the total, and links to the pages around it (RFC 8288)."""
    page = db.paginate(query, error_out=False)  # of ?page= and ?per_page=; past the end: empty
    targets = {"first": 1, "prev": page.prev_num, "next": page.next_num, "last": page.pages or 1}
    links = []  # such as </customers?page=2&per_page=20>; rel="next"
    for relation, target in targets.items():
        if target is not None:
            query_string = urlencode({**parameters, "page": target})
            links.append(f'<{request.path}?{query_string}>; rel="{relation}"')
    headers = {"X-Total-Count": page.total, "Link": ", ".join(links)}
    return schema.dump(page.items, many=True), headers


# === Tokens and logging in ========================================================================
# A login gives a token, a text that the shop has signed. The caller sends it with each request, and
# the shop reads from it who is calling: no login has to be stored. Anyone can read a token, but
# only the shop can sign one. It is valid for an hour, or until the password is changed.
ROLES = {"customer": Customer, "mechanic": Mechanic}
TOKEN_SECONDS = 60 * 60


def fingerprint(password_hash):
    """Return a text for tokens that changes with the password. Anyone can read a token, so it must
    not show the hash: HMAC hashes it once more, mixed with our secret key."""
    return hmac.new(current_app.secret_key.encode(), password_hash.encode(), "sha256").hexdigest()


def encode_token(mechanic_id, role="mechanic"):  # the assignment's names
    """Return a token for a mechanic, or with role="customer" a customer. Raises NoResultFound."""
    account = db.session.get_one(ROLES[role], mechanic_id)
    now = int(time.time())  # JWT's names: sub, whose token it is; iat, issued at; exp, expires at
    claims = {"sub": str(mechanic_id), "role": role, "iat": now, "exp": now + TOKEN_SECONDS}
    claims["fingerprint"] = fingerprint(account.password)
    return jwt.encode(claims, current_app.secret_key, algorithm="HS256")


def decode_token():
    """Return the role and account id in the request's token. Aborts with 401 if it is not valid."""
    detail = "Log in, and send the token in the header Authorization: Bearer."
    keys = [current_app.secret_key]  # a list, as jwt.decode() takes a text of digits for a number
    try:
        scheme, token = request.headers["Authorization"].split()  # "Bearer", "abc..."
        claims = jwt.decode(token, keys, ["HS256"], options={"require_exp": True})
        model, account_id = ROLES[claims["role"]], int(claims["sub"])
    except Exception:  # no token, or a wrong one, which may be wrong in any way
        abort(401, detail)
    password_hash = db.session.scalar(sa.select(model.password).where(model.id == account_id))
    db.session.rollback()  # or, in some databases, the view would not see what others commit now
    is_current = password_hash and claims.get("fingerprint") == fingerprint(password_hash)
    if scheme.lower() != "bearer" or not is_current:  # account deleted, or password changed
        abort(401, detail)
    return claims["role"], account_id


# log_in() checks this hash if there is no account: a quicker answer would tell that there is none.
UNKNOWN_ACCOUNT_HASH = security.generate_password_hash(secrets.token_hex())


def address_and_email():
    """Return what logins are counted by: the caller's IP address and the email in the body."""
    return f"{get_remote_address()} {login_schema.load(request.json)['email']}"


# Flask-Limiter can limit any function, not only views. Both login routes call this one, after @body
# has checked the email. override_defaults=False: the default limit of each route counts as well.
@limiter.shared_limit("10/minute", "logins", key_func=address_and_email, override_defaults=False)
def log_in(role, email, password):
    """Answer a login with a token. Aborts with 401 if the email or the password is wrong."""
    account = db.session.scalar(sa.select(ROLES[role]).filter_by(email=email))
    password_hash = UNKNOWN_ACCOUNT_HASH if account is None else account.password
    with hashing_gate:
        if not security.check_password_hash(password_hash, password):  # UNKNOWN_... matches none
            abort(401, "Wrong email or password.")
    answer = {"message": "Successfully logged in", "id": account.id}
    # encode_token() gets this very account from the session: the token is for the checked password.
    return answer | {"token": encode_token(account.id, role), "expires_in": TOKEN_SECONDS}


# === Decorators of the views ======================================================================
# A decorator puts a function of its own, here always called wrapper, before a view. The uppermost
# runs first, so nobody gets a cached answer without permission. For example GET /customers:
#     @token_required("mechanic")       Is the caller a mechanic? If not, abort with 401 or 403.
#     @query_parameters(search_schema)  Are the parameters valid? If not, abort with 400.
#     @cached                           Is the answer in the cache? If not, call the view.
# A decorator with arguments has three levels:
#     token_required("mechanic")   runs once, when Python reads the view, and returns decorator.
#     decorator(view)              runs next, and returns wrapper, which takes the view's place.
#     wrapper(**arguments)         runs with each request. It gets the ids in the path, and what
#                                  the decorators above it have added: fields, parameters.
# functools.wraps copies the name, docstring and attributes of the view. From the attributes (roles,
# body_schema, query_schema) the front page knows who may call and what to send.


def token_required(*roles):
    """Let only callers with a token of one of these roles reach the view. Aborts with 401 or 403.
    The caller's id is then in request.mechanic_id or request.customer_id; the other one is None."""

    def decorator(view):
        @functools.wraps(view)
        def wrapper(**arguments):
            role, account_id = decode_token()
            if role not in roles:
                abort(403, f"Only a {' or '.join(roles)} may do this.")
            request.mechanic_id = account_id if role == "mechanic" else None  # as in the assignment
            request.customer_id = account_id if role == "customer" else None
            return view(**arguments)

        wrapper.roles = roles
        return wrapper

    return decorator


def body(schema, optional=False):
    """Check the JSON body with a schema and hand its fields to the view. Aborts with 400 or 415."""

    def decorator(view):
        @functools.wraps(view)
        def wrapper(**arguments):
            partial = False  # no required field may be missing
            if request.method == "PATCH":
                partial = True  # any required field may be missing
            elif request.method == "PUT":
                partial = ["password"]  # only this one may be missing: no GET shows it
            fields = schema.load(load_json(optional), partial=partial)
            return view(fields=fields, **arguments)

        wrapper.body_schema = schema
        return wrapper

    return decorator


def query_parameters(schema):
    """Check the query parameters with a schema and hand them to the view. Aborts with 400."""

    def decorator(view):
        @functools.wraps(view)
        def wrapper(**arguments):
            parameters = schema.load(request.args.to_dict())
            return view(parameters=parameters, **arguments)

        wrapper.query_schema = schema
        return wrapper

    return decorator


# === Cache ========================================================================================
# Answers are kept for 60 seconds, or until the next commit. The key of each begins with the version
# of the data, a random text. A commit deletes the version, and the next GET makes a new one:
#     a slow GET:   gets version 1, then reads the part: 5 pieces in stock
#     a POST:       takes one piece, commits, deletes version 1
#     another GET:  makes version 2, finds no answer with it, reads the part: 4 pieces
#     the slow GET: stores "5 pieces" under version 1, where nobody looks any more
# (If the POST only deleted "5 pieces" from the cache, the slow GET would put it back.)


@sa.event.listens_for(db.session, "after_commit")
def delete_version(_session):
    """Delete the version of the data. SQLAlchemy calls this after each commit."""
    with contextlib.suppress(Exception):  # Redis is away: what it has may be old for 60 seconds
        cache.delete("version")


def make_version():
    """Store a new version of the data, and return it."""
    version = secrets.token_hex(16)
    cache.set("version", version, timeout=24 * 60 * 60)  # a day; the answers, 60 seconds
    return version


def cached(view):
    """Give the stored answer of a view; if there is none, call the view and store its answer."""

    @functools.wraps(view)
    def wrapper(**arguments):
        try:
            version = cache.get("version") or make_version()
            key = f"{version} {request.path} {arguments}"
            response = cache.get(key)  # None, or a copy of what was stored
        except Exception:  # Redis is away
            current_app.logger.exception("The cache does not answer.")
            return view(**arguments)
        if response is not None:
            response.headers["hit_cache"] = "True"  # callers see that it is from the cache
            return response
        response = make_response(view(**arguments))  # an abort() ends this here: no error is stored
        if response.status_code == 200:  # nor is one that a view returns without abort()
            with contextlib.suppress(Exception):  # Redis is full, or has just gone away
                cache.set(key, response)
        return response

    return wrapper


# === Inventory ====================================================================================
# The parts. Each resource has a Blueprint, a group of routes whose paths begin alike.
inventory_bp = Blueprint("inventory", __name__, url_prefix="/inventory")


@inventory_bp.get("/<id:inventory_id>")
@cached
def get_inventory(inventory_id):
    """Show a part."""
    return inventory_schema.dump(get_or_404(Inventory, inventory_id))


@inventory_bp.get("")
@query_parameters(search_schema)
@cached
def list_inventory(parameters):
    """List the parts; ?search= finds a text in their names."""
    query = sa.select(Inventory).order_by(Inventory.id)
    if parameters.get("search"):
        # autoescape: % and _ in the text are plain characters.
        query = query.where(Inventory.name.icontains(parameters["search"], autoescape=True))
    return page_response(query, inventory_schema, parameters)


@inventory_bp.post("")
@token_required("mechanic")
@body(inventory_schema)
def create_inventory(fields):
    """Add a part."""
    return add_record(inventory_schema, Inventory(**fields))


@inventory_bp.route("/<id:inventory_id>", methods=["PUT", "PATCH"])
@token_required("mechanic")
@body(inventory_schema)
def update_inventory(fields, inventory_id):
    """Change a part: PUT all required fields, PATCH any."""
    return change_record(inventory_schema, get_or_404(Inventory, inventory_id), fields)


@inventory_bp.delete("/<id:inventory_id>")
@token_required("mechanic")
def delete_inventory(inventory_id):
    """Delete a part that is on no ticket."""
    return delete_record(get_or_404(Inventory, inventory_id), "inventory")  # as in the assignment


# === Customers ====================================================================================
# Anyone may register. Customers reach only their own record; mechanics reach all of them.
customers_bp = Blueprint("customers", __name__, url_prefix="/customers")


def own_customer(customer_id):
    """Return a customer. Aborts with 403 if the caller is another customer, or with 404."""
    if request.customer_id is not None and request.customer_id != customer_id:
        abort(403, "Customers may see and change only their own record.")
    return get_or_404(Customer, customer_id)


@customers_bp.post("/login")
@body(login_schema)
def log_in_customer(fields):
    """Log in as a customer: an email and a password for a token."""
    return log_in("customer", fields["email"], fields["password"])


@customers_bp.post("")
@limiter.limit("60/minute")  # instead of the default
@body(customer_schema)
def create_customer(fields):
    """Register as a customer."""
    return add_record(customer_schema, Customer(**fields))


@customers_bp.get("")
@token_required("mechanic")
@query_parameters(search_schema)
@cached
def list_customers(parameters):
    """List the customers; ?search= finds a text in their names and emails."""
    query = sa.select(Customer).order_by(Customer.id)
    if parameters.get("search"):
        columns = (Customer.first_name, Customer.last_name, Customer.email)
        matches = [column.icontains(parameters["search"], autoescape=True) for column in columns]
        query = query.where(sa.or_(*matches))
    return page_response(query, customer_schema, parameters)


@customers_bp.get("/my-tickets")
@token_required("customer")
@query_parameters(page_schema)
def customer_tickets(parameters):
    """List the caller's own tickets."""
    query = sa.select(ServiceTicket).where(ServiceTicket.customer_id == request.customer_id)
    return page_response(query.order_by(ServiceTicket.id), service_ticket_schema, parameters)


@customers_bp.get("/<id:customer_id>")
@token_required("customer", "mechanic")
def get_customer(customer_id):
    """Show a customer."""
    return customer_schema.dump(own_customer(customer_id))


@customers_bp.route("/<id:customer_id>", methods=["PUT", "PATCH"])
@token_required("customer", "mechanic")
@body(customer_schema)
def update_customer(fields, customer_id):
    """Change a customer: PUT all required fields, PATCH any."""
    return change_record(customer_schema, own_customer(customer_id), fields)


@customers_bp.delete("/<id:customer_id>")
@token_required("customer", "mechanic")
def delete_customer(customer_id):
    """Delete a customer who has no tickets."""
    return delete_record(own_customer(customer_id), "customer")


# === Mechanics ====================================================================================
# Only mechanics add mechanics. The first one comes from seed.py.
mechanics_bp = Blueprint("mechanics", __name__, url_prefix="/mechanics")


@mechanics_bp.post("/login")
@body(login_schema)
def log_in_mechanic(fields):
    """Log in as a mechanic: an email and a password for a token."""
    return log_in("mechanic", fields["email"], fields["password"])


@mechanics_bp.post("")
@token_required("mechanic")
@body(mechanic_schema)
def create_mechanic(fields):
    """Add a mechanic."""
    return add_record(mechanic_schema, Mechanic(**fields))


@mechanics_bp.get("")
@token_required("mechanic")
@query_parameters(page_schema)
@cached
def list_mechanics(parameters):
    """List the mechanics."""
    return page_response(sa.select(Mechanic).order_by(Mechanic.id), mechanic_schema, parameters)


@mechanics_bp.get("/ranking")
@token_required("mechanic")
@query_parameters(page_schema)
@cached
def rank_mechanics(parameters):
    """List the mechanics by how many tickets they work on, most first."""
    count = sa.func.count(service_mechanic.c.ticket_id).label("ticket_count")  # .c: its columns
    # db.paginate keeps only the first object of a row: a Bundle makes one object of these four.
    row = orm.Bundle("row", Mechanic.id, Mechanic.first_name, Mechanic.last_name, count)
    # One row for each mechanic. outerjoin() keeps those without a ticket: their count is 0.
    query = sa.select(row).select_from(Mechanic).outerjoin(service_mechanic).group_by(Mechanic.id)
    return page_response(query.order_by(count.desc(), Mechanic.id), ranking_schema, parameters)


@mechanics_bp.get("/my-tickets")
@token_required("mechanic")
@query_parameters(page_schema)
def mechanic_tickets(parameters):
    """List the tickets that the caller works on."""
    query = sa.select(ServiceTicket).join(service_mechanic)  # by the foreign key between them
    query = query.where(service_mechanic.c.mechanic_id == request.mechanic_id)
    return page_response(query.order_by(ServiceTicket.id), service_ticket_schema, parameters)


@mechanics_bp.get("/profile")
@token_required("mechanic")
def show_profile():
    """Show the caller's own record."""
    return mechanic_schema.dump(get_or_404(Mechanic, request.mechanic_id))


@mechanics_bp.get("/<id:mechanic_id>")
@token_required("mechanic")
def get_mechanic(mechanic_id):
    """Show a mechanic."""
    return mechanic_schema.dump(get_or_404(Mechanic, mechanic_id))


@mechanics_bp.route("/<id:mechanic_id>", methods=["PUT", "PATCH"])
@token_required("mechanic")
@body(mechanic_schema)
def update_mechanic(fields, mechanic_id):
    """Change a mechanic: PUT all required fields, PATCH any."""
    mechanic = get_or_404(Mechanic, mechanic_id)
    changes_login = "password" in fields or fields.get("email", mechanic.email) != mechanic.email
    if changes_login and mechanic_id != request.mechanic_id:
        abort(403, "Only the mechanics themselves may change their email and password.")
    return change_record(mechanic_schema, mechanic, fields)


@mechanics_bp.delete("/<id:mechanic_id>")
@token_required("mechanic")
def delete_mechanic(mechanic_id):
    """Delete another mechanic who works on no ticket."""
    if mechanic_id == request.mechanic_id:
        abort(403, "Mechanics may not delete their own account.")
    return delete_record(get_or_404(Mechanic, mechanic_id), "mechanic")


# === Service tickets ==============================================================================
# A request that changes mechanics or parts locks the ticket first. Otherwise two callers who put
# the same part on a ticket at once would both find no line and make one; the second would fail.
service_tickets_bp = Blueprint("service_tickets", __name__, url_prefix="/service_tickets")
ticket_inventory_bp = Blueprint("ticket_inventory", __name__, url_prefix="/ticket_inventory")


def lock_ticket(ticket_id):
    """Make other requests that change this ticket wait until this one ends. Aborts with 404."""
    # After an UPDATE of a row, a database lets nobody else update it before the transaction ends.
    # This one changes nothing: it sets the price to the price.
    update = sa.update(ServiceTicket).where(ServiceTicket.id == ticket_id)
    result = db.session.execute(update.values(price=ServiceTicket.price))
    if result.rowcount == 0:  # the number of rows that it has found
        abort(404, f"There is no record {ticket_id} in service_tickets.")


def take_from_stock(inventory_id, pieces):
    """Take pieces of a part from stock. Aborts with 409 if there are too few."""
    # One statement checks the stock and takes from it: only one of two callers gets the last piece.
    update = sa.update(Inventory).where(Inventory.id == inventory_id, Inventory.quantity >= pieces)
    result = db.session.execute(update.values(quantity=Inventory.quantity - pieces))
    if result.rowcount == 0:
        abort(409, f"Not enough stock of part {inventory_id}: {pieces} wanted.")


def put_back_into_stock(inventory_id, pieces):
    """Put pieces of a part back into stock."""
    update = sa.update(Inventory).where(Inventory.id == inventory_id)
    db.session.execute(update.values(quantity=Inventory.quantity + pieces))


def find_mechanics(ids):
    """Return the mechanics with these ids of a body. Aborts with 400 if an id has no mechanic."""
    mechanics = db.session.scalars(sa.select(Mechanic).where(Mechanic.id.in_(ids))).all()
    missing = set(ids) - {mechanic.id for mechanic in mechanics}
    if missing:
        abort(400, f"There is no mechanic {min(missing)}.")
    return mechanics


def change_mechanics(ticket_id, added, removed):
    """Put mechanics on a locked ticket, then take others off. Answer with the ticket."""
    ticket = get_or_404(ServiceTicket, ticket_id)
    mechanics = (set(ticket.mechanics) | set(added)) - set(removed)  # sets: nobody is there twice
    ticket.mechanics = sorted(mechanics, key=lambda mechanic: mechanic.id)  # as order_by does
    db.session.commit()
    return service_ticket_schema.dump(ticket)


@service_tickets_bp.post("")
@token_required("mechanic")
@body(service_ticket_schema)
def create_service_ticket(fields):
    """Open a ticket for a customer."""
    return add_record(service_ticket_schema, ServiceTicket(**fields))


@service_tickets_bp.get("")
@token_required("mechanic")
@query_parameters(QuerySchema(only=("page", "per_page", "customer_id"), unknown=EXCLUDE))
@cached
def list_service_tickets(parameters):
    """List the tickets; ?customer_id= lists those of one customer."""
    query = sa.select(ServiceTicket).order_by(ServiceTicket.id)
    if "customer_id" in parameters:
        query = query.where(ServiceTicket.customer_id == parameters["customer_id"])
    return page_response(query, service_ticket_schema, parameters)


@service_tickets_bp.get("/<id:ticket_id>")
@token_required("customer", "mechanic")
def get_service_ticket(ticket_id):
    """Show a ticket. For a customer, the tickets of others do not exist."""
    ticket = get_or_404(ServiceTicket, ticket_id)
    if request.customer_id is not None and request.customer_id != ticket.customer_id:
        abort(404, f"There is no record {ticket_id} in service_tickets.")
    return service_ticket_schema.dump(ticket)


@service_tickets_bp.route("/<id:ticket_id>", methods=["PUT", "PATCH"])
@token_required("mechanic")
@body(service_ticket_schema)
def update_service_ticket(fields, ticket_id):
    """Change a ticket: PUT all required fields, PATCH any."""
    return change_record(service_ticket_schema, get_or_404(ServiceTicket, ticket_id), fields)


@service_tickets_bp.delete("/<id:ticket_id>")
@token_required("mechanic")
def delete_service_ticket(ticket_id):
    """Delete a ticket and put its parts back into stock."""
    lock_ticket(ticket_id)
    ticket = get_or_404(ServiceTicket, ticket_id)
    for line in ticket.parts:
        put_back_into_stock(line.inventory_id, line.quantity)
    return delete_record(ticket, "service ticket")


@service_tickets_bp.put("/<id:ticket_id>/edit")
@token_required("mechanic")
@body(EditMechanicsSchema())
def edit_mechanics(fields, ticket_id):
    """Put mechanics on a ticket (add_ids) and take others off (remove_ids), all or nothing."""
    lock_ticket(ticket_id)
    added, removed = find_mechanics(fields["add_ids"]), find_mechanics(fields["remove_ids"])
    return change_mechanics(ticket_id, added, removed)


@service_tickets_bp.put("/<id:ticket_id>/assign-mechanic/<id:mechanic_id>")
@token_required("mechanic")
def assign_mechanic(ticket_id, mechanic_id):
    """Put a mechanic on a ticket."""
    lock_ticket(ticket_id)
    return change_mechanics(ticket_id, [get_or_404(Mechanic, mechanic_id)], [])


@service_tickets_bp.put("/<id:ticket_id>/remove-mechanic/<id:mechanic_id>")
@token_required("mechanic")
def remove_mechanic(ticket_id, mechanic_id):
    """Take a mechanic off a ticket."""
    lock_ticket(ticket_id)
    return change_mechanics(ticket_id, [], [get_or_404(Mechanic, mechanic_id)])


@ticket_inventory_bp.post("/<id:ticket_id>/assign-inventory/<id:inventory_id>")
@token_required("mechanic")
@body(ticket_inventory_schema, optional=True)
def assign_inventory(fields, ticket_id, inventory_id):
    """Put pieces of a part from stock on a ticket: one, or as many as quantity says."""
    lock_ticket(ticket_id)
    ids = {"ticket_id": ticket_id, "inventory_id": inventory_id}
    line = db.session.scalar(sa.select(TicketInventory).filter_by(**ids))
    if line is None:
        part = get_or_404(Inventory, inventory_id)
        line = TicketInventory(**ids, quantity=0, unit_price=part.price)
    take_from_stock(inventory_id, fields["quantity"])
    line.quantity += fields["quantity"]
    db.session.add(line)
    db.session.commit()
    return ticket_inventory_schema.dump(line), 201, {"Location": f"/service_tickets/{ticket_id}"}


@ticket_inventory_bp.delete("/<id:ticket_id>/remove-inventory/<id:inventory_id>")
@token_required("mechanic")
@query_parameters(QuerySchema(only=["quantity"]))  # others, such as ?Quantity=1, are 400
def remove_inventory(parameters, ticket_id, inventory_id):
    """Put pieces of a part from a ticket back into stock: all of them, or ?quantity= of them."""
    lock_ticket(ticket_id)
    query = sa.select(TicketInventory).filter_by(ticket_id=ticket_id, inventory_id=inventory_id)
    line = db.session.scalar(query)
    if line is None:
        abort(404, f"There is no part {inventory_id} on service ticket {ticket_id}.")
    pieces = parameters.get("quantity", line.quantity)
    if pieces > line.quantity:
        abort(409, f"Service ticket {ticket_id} has only {line.quantity} of part {inventory_id}.")
    put_back_into_stock(inventory_id, pieces)
    line.quantity -= pieces
    if line.quantity == 0:
        db.session.delete(line)
    db.session.commit()
    message = f"Successfully removed inventory {inventory_id} from service ticket {ticket_id}"
    return {"message": message}


# === Errors =======================================================================================
# All errors have one JSON format, RFC 9457: http_error() makes it, and the other functions call it.
# For an abort() or an exception, Flask calls the function for its class or the nearest base class.
main_bp = Blueprint("shop", __name__)  # a blueprint, as the app is made later


@main_bp.app_errorhandler(exceptions.HTTPException)  # app_errorhandler: for the whole app
def http_error(error, **more):  # more: further keys of the answer, such as errors
    """Answer an HTTP error, as abort() raises it. about:blank: no web page describes the error."""
    detail = error.description
    if error.code == 429:
        detail = f"Too many requests: {detail}."  # Flask-Limiter only says "10 per 1 minute"
    problem = {"type": "about:blank", "title": error.name, "status": error.code, "detail": detail}
    response = error.get_response()  # an HTML page; we keep its headers (a 405 has Allow) ...
    response.data = current_app.json.dumps(problem | more)  # ... and replace the page
    response.content_type = "application/problem+json"
    if error.code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"  # how to send a token; HTTP demands it
    return response


@main_bp.app_errorhandler(ValidationError)
def invalid_fields(error):
    """Answer 400 when a schema refuses fields. Its messages: {"price": ["Not a valid number."]}."""
    return http_error(exceptions.BadRequest("Invalid fields."), errors=error.normalized_messages())


@main_bp.app_errorhandler(UnicodeEncodeError)  # a driver cannot encode half an emoji: "\ud83d"
@main_bp.app_errorhandler(exc.DataError)  # such as NUL, a character that PostgreSQL refuses
def invalid_value(_error):
    """Answer 400 when a value cannot be stored."""
    return http_error(exceptions.BadRequest("A value cannot be stored by the database."))


@main_bp.app_errorhandler(exc.IntegrityError)  # a rule of the database: unique, foreign key
@main_bp.app_errorhandler(orm.exc.StaleDataError)  # the row to change was deleted meanwhile
def conflict(_error):
    """Answer 409 when a change does not fit what is stored."""
    detail = "A value that must be unique, such as an email, is taken, or a record is gone."
    if request.method == "DELETE":
        detail = "Other records refer to this one, so it cannot be deleted."
    return http_error(exceptions.Conflict(detail))


@main_bp.app_errorhandler(exc.DBAPIError)  # all other errors of a database driver
@main_bp.app_errorhandler(exc.TimeoutError)  # all connections are in use
def database_unavailable(_error):
    """Answer 503 when the database cannot do its work. The log says why, with the traceback."""
    detail = "The database is busy, away or read-only, or does not fit the models. See the log."
    current_app.logger.exception("If models changed: python seed.py --reset. It deletes all data.")
    return http_error(exceptions.ServiceUnavailable(detail))


# === Application ==================================================================================
@main_bp.get("/")
def front_page():
    """Show this page: all routes, with the docstrings, roles and schemas of their views."""
    # The browser loads only scripts and styles with the nonce, a random word. It sends requests to
    # this shop only, follows no <base>, sends no form, and shows this page inside no other.
    nonce = secrets.token_urlsafe(16)
    policy = f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
    policy += "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    page = render_template("front_page.html", app=current_app, nonce=nonce)
    return page, {"Content-Security-Policy": policy}


@main_bp.get("/health")
@limiter.exempt
def check_health():
    """Tell whether the shop can work: whether its database answers."""
    db.session.execute(sa.select(1))
    return {"status": "ok"}


DEFAULTS = {
    "SQLALCHEMY_DATABASE_URI": "sqlite:///mechanic_shop.db",  # a file in the folder instance/
    # pre_ping: test a connection that was kept open; hide_parameters: keep emails out of the log.
    "SQLALCHEMY_ENGINE_OPTIONS": {"pool_pre_ping": True, "hide_parameters": True},
    "RATELIMIT_DEFAULT": "200/minute",
    "RATELIMIT_HEADERS_ENABLED": True,
    "RATELIMIT_STORAGE_URI": "memory://",  # the memory of this process; or Redis, see below
    "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,  # while Redis does not answer
    "RATELIMIT_SWALLOW_ERRORS": True,  # let a request pass if it cannot be counted
    "CACHE_TYPE": "SimpleCache",  # in memory, or in Redis
    "CACHE_DEFAULT_TIMEOUT": 60,  # seconds
    "MAX_CONTENT_LENGTH": 64 * 1024,  # bytes of a body
    "TRUSTED_PROXIES": 0,  # number of servers between the callers and this one: see create_app()
}


def load_settings(config, overrides):
    """Fill a Flask config from the defaults, the environment and overrides. The last one wins."""
    config.from_mapping(DEFAULTS)
    config.from_prefixed_env()  # FLASK_RATELIMIT_DEFAULT sets RATELIMIT_DEFAULT, and so on
    database_url = os.environ.get("DATABASE_URL") or os.environ.get("SQLALCHEMY_DATABASE_URI")
    if database_url:  # hosting platforms write postgres://, which SQLAlchemy does not know
        config["SQLALCHEMY_DATABASE_URI"] = database_url.replace("postgres://", "postgresql://")
    redis = os.environ.get("REDIS_URL")
    if redis:  # Redis: a store in memory that several processes can share
        config.update(CACHE_TYPE="RedisCache", CACHE_REDIS_URL=redis, RATELIMIT_STORAGE_URI=redis)
    config["SECRET_KEY"] = os.environ.get("SECRET_KEY") or config["SECRET_KEY"]
    config.from_mapping(overrides)  # overrides may be None


def load_secret_key(app):
    """Return the secret key: from the settings, or the one that the first start makes and keeps."""
    key = str(app.config["SECRET_KEY"] or "")  # Flask reads FLASK_SECRET_KEY=123... as a number
    if not key:
        path = Path(app.instance_path) / "secret_key"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # 6: its owner may read and write it; 0, 0: nobody else may
        if not path.read_text():
            path.write_text(secrets.token_hex(32))
        key = path.read_text()
    if len(key.encode()) < 32:
        raise ValueError("SECRET_KEY must have at least 32 bytes.")
    return key


@sa.event.listens_for(sa.Engine, "connect")
def prepare_sqlite(connection, _record):
    """Set up a new connection to SQLite. SQLAlchemy calls this; the second argument is not used."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA foreign_keys = ON")  # check foreign keys
        connection.execute("PRAGMA journal_mode = WAL")  # readers do not wait for a writer
        connection.execute("PRAGMA cache_size = 5000")  # pages of 4 KiB kept in memory


def set_response_headers(response):
    """Set the headers of all answers."""
    response.headers["Cache-Control"] = "no-store"  # the cache is the shop's, not the browser's
    if response.status_code == 503:
        response.headers["Retry-After"] = "1"  # try again after one second
    elif response.status_code != 429:
        response.headers.pop("Retry-After", None)  # Flask-Limiter sets it on every answer
    return response


def create_app(config=None):
    """Return the application. Settings in config win. Raises ValueError if a setting is wrong."""
    app = Flask(__name__)
    load_settings(app.config, config)
    app.config["SECRET_KEY"] = load_secret_key(app)
    # ProxyFix gets each request first. It takes the caller's address from X-Forwarded-For (x_for).
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=int(app.config["TRUSTED_PROXIES"]), x_proto=0)
    app.json.sort_keys = False  # the keys of an answer stay in the order of the fields
    app.url_map.strict_slashes = False  # an address works with and without a slash at its end
    app.url_map.merge_slashes = False  # // is 404, not a redirect
    app.url_map.converters["id"] = IdConverter
    app.after_request(set_response_headers)  # added first, so called last, after the limiter's
    for extension in (db, ma, cache, limiter):
        extension.init_app(app)
    resources = (inventory_bp, customers_bp, mechanics_bp, service_tickets_bp, ticket_inventory_bp)
    for blueprint in (*resources, main_bp):
        app.register_blueprint(blueprint)
    # The assignment names several addresses. A blueprint needs a new name for each.
    app.register_blueprint(inventory_bp, url_prefix="/parts", name="parts")
    app.register_blueprint(service_tickets_bp, url_prefix="/service-tickets", name="tickets")
    for prefix in ("/service_tickets", "/service-tickets"):
        app.register_blueprint(ticket_inventory_bp, url_prefix=prefix, name=f"parts of {prefix}")
    with app.app_context():
        db.create_all()
    return app


if __name__ == "__main__":
    try:
        create_app().run(os.environ.get("HOST") or "127.0.0.1", int(os.environ.get("PORT") or 5000))
    except Exception as error:
        sys.exit("The shop cannot open: " + str(error).partition("\n")[0])  # its first line
