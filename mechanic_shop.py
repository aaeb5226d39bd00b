"""Mechanic shop: the REST API of a car repair shop, in one module.

    python seed.py             fill an empty database with sample data
    python mechanic_shop.py    serve on http://127.0.0.1:5000

Customers see and change their own record and see their tickets; mechanics do everything else.

Each section uses only what stands above it: settings and extensions, models, schemas, errors,
tokens, requests and answers, customers, mechanics, service tickets, inventory, application.
"""

import contextlib
import datetime as dt
import functools
import os
import re
import secrets
import tempfile
import threading
import time

import sqlalchemy as sa
from flask import Blueprint, Flask, abort, current_app, make_response, request, url_for
from flask_caching import Cache
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address as caller_address
from flask_marshmallow import Marshmallow
from flask_sqlalchemy import SQLAlchemy
from jose import JOSEError, jwk, jwt
from marshmallow import EXCLUDE, ValidationError, validates, validates_schema
from marshmallow.validate import Email, Length, Range, Regexp
from sqlalchemy import exc, orm
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug import exceptions, routing, security, serving
from werkzeug.middleware.proxy_fix import ProxyFix

# === Settings and extensions ======================================================================

DEFAULTS = {
    "SQLALCHEMY_DATABASE_URI": "sqlite:///mechanic_shop.db",  # in the instance folder
    "SQLALCHEMY_ENGINE_OPTIONS": {"pool_pre_ping": True, "hide_parameters": True},
    "RATELIMIT_ENABLED": True,
    "RATELIMIT_DEFAULT": "200/minute",
    "RATELIMIT_STORAGE_URI": "memory://",
    "RATELIMIT_HEADERS_ENABLED": True,
    "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,
    "RATELIMIT_SWALLOW_ERRORS": True,  # as when threads find out together that Redis is away
    "CACHE_TYPE": "SimpleCache",
    "CACHE_DEFAULT_TIMEOUT": 60,
    "MAX_CONTENT_LENGTH": 64 * 1024,
    "TRUSTED_PROXIES": 0,  # in front of the app, whose word on the caller's address counts
}


def configure(config, overrides):
    """Put the settings into config: DEFAULTS, FLASK_..., the shop's own variables, overrides."""
    config.from_mapping(DEFAULTS)
    config.from_prefixed_env()
    if url := os.environ.get("DATABASE_URL"):
        config["SQLALCHEMY_DATABASE_URI"] = re.sub("^postgres(ql)?:", "postgresql+psycopg:", url)
    if url := os.environ.get("REDIS_URL"):
        config.update(RATELIMIT_STORAGE_URI=url, CACHE_TYPE="RedisCache", CACHE_REDIS_URL=url)
    config["SECRET_KEY"] = os.environ.get("SECRET_KEY") or config["SECRET_KEY"]
    config.from_mapping(overrides)
    if not str(config["SQLALCHEMY_DATABASE_URI"]).startswith("sqlite"):  # SQLite has one level
        options = {"isolation_level": "READ COMMITTED"} | config["SQLALCHEMY_ENGINE_OPTIONS"]
        config["SQLALCHEMY_ENGINE_OPTIONS"] = options


def kept_secret(folder):
    """Return the secret key kept in a folder; the first process that asks makes it."""
    path = os.path.join(folder, "secret_key")
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=folder)  # with mode 0600
        with open(handle, "w") as file:
            file.write(secrets.token_hex(32))
        with contextlib.suppress(FileExistsError):  # another process was faster: its key counts
            os.link(draft, path)
        os.unlink(draft)
    with open(path) as file:
        return file.read()


class Base(orm.DeclarativeBase):
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never used twice
    __mapper_args__ = {"confirm_deleted_rows": False}
    id: Mapped[int] = mapped_column(primary_key=True)

    @orm.validates("email", "password", "vin")
    def normalize(self, column, value):
        """Return a value as it is stored: a password is hashed."""
        make_hash = security.generate_password_hash
        return {"email": str.lower, "password": make_hash, "vin": str.upper}[column](value)


SESSION = {"expire_on_commit": False, "execution_options": {"synchronize_session": False}}
db = SQLAlchemy(model_class=Base, session_options=SESSION)
ma = Marshmallow()
cache = Cache()
limiter = Limiter(caller_address, default_limits=[lambda: current_app.config["RATELIMIT_DEFAULT"]])


@sa.event.listens_for(sa.Engine, "connect")
def prepare_sqlite(connection, _record):
    """Make a new SQLite connection read beside a writer, check keys, and keep 20 MB of pages."""
    if type(connection).__module__.startswith("sqlite3"):
        for setting in ("journal_mode = WAL", "foreign_keys = ON", "cache_size = -20000"):
            connection.execute(f"PRAGMA {setting}")


@sa.event.listens_for(db.session, "after_commit")
def renew_version(_session=None):
    """Return a new version of the data, which leaves all that is cached of the old one behind."""
    version = secrets.token_hex(16)
    with contextlib.suppress(Exception):  # whatever the cache's driver raises: the commit stands
        cache.set("version", version, timeout=24 * 60 * 60)
    return version


def cached(view):
    """Cache a view's answers, one for each path and value of the parameters that it knows."""
    known = getattr(view, "parameters", [])

    def cache_key(**_path):
        # The version is read before the data: what a slow reader stores after a write, nobody finds
        version = cache.get("version") or renew_version()
        return repr([version, request.path, *map(request.args.to_dict().get, known)])

    @functools.wraps(view)
    def answer(**path):
        response = make_response(view(**path))
        if not hasattr(request, "mechanic_id"):  # anyone may keep it, if they ask whether it holds
            response.headers["Cache-Control"] = "no-cache"
            response.add_etag()
        return response

    options = {"make_cache_key": cache_key, "response_hit_indication": True}
    return cache.cached(response_filter=lambda sent: sent.status_code == 200, **options)(answer)


# === Models =======================================================================================


class Account:
    first_name: Mapped[str] = mapped_column(sa.String(100))
    last_name: Mapped[str] = mapped_column(sa.String(100))
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    address: Mapped[str | None] = mapped_column(sa.String(255))
    password: Mapped[str] = mapped_column(sa.String(255))


class Customer(Account, db.Model):
    __tablename__ = "customers"
    label = "customer"
    phone: Mapped[str | None] = mapped_column(sa.String(32))


class Mechanic(Account, db.Model):
    __tablename__ = "mechanics"
    label = "mechanic"
    salary: Mapped[float | None] = mapped_column(sa.Double)


class Inventory(db.Model):
    __tablename__ = "inventory"
    label = "inventory"
    name: Mapped[str] = mapped_column(sa.String(255))
    price: Mapped[float] = mapped_column(sa.Double)
    quantity: Mapped[int] = mapped_column(sa.BigInteger)


class TicketInventory(db.Model):
    __tablename__ = "ticket_inventory"
    __table_args__ = (sa.UniqueConstraint("ticket_id", "inventory_id"), Base.__table_args__)
    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("service_tickets.id"))
    inventory_id: Mapped[int] = mapped_column(sa.ForeignKey("inventory.id"), index=True)
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    unit_price: Mapped[float] = mapped_column(sa.Double)  # when first put on the ticket
    name: Mapped[str] = orm.column_property(
        sa.select(Inventory.name).where(Inventory.id == inventory_id).scalar_subquery()
    )


service_mechanic = db.Table(
    "service_mechanic",
    sa.Column("mechanic_id", sa.ForeignKey("mechanics.id"), primary_key=True),
    sa.Column("ticket_id", sa.ForeignKey("service_tickets.id"), primary_key=True, index=True),
)


class ServiceTicket(db.Model):
    __tablename__ = "service_tickets"
    label = "service ticket"
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    vin: Mapped[str] = mapped_column(sa.String(17))
    service_desc: Mapped[str] = mapped_column(sa.String(500))
    service_date: Mapped[dt.date] = mapped_column(default=dt.date.today)
    price: Mapped[float] = mapped_column(sa.Double)
    mechanics: Mapped[list[Mechanic]] = orm.relationship(
        secondary=service_mechanic, lazy="selectin", order_by=Mechanic.id
    )
    parts: Mapped[list[TicketInventory]] = orm.relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by=TicketInventory.inventory_id
    )

    @property
    def total(self):
        """What the customer pays: the labour and all parts, rounded to cents."""
        return round(self.price + sum(line.quantity * line.unit_price for line in self.parts), 2)


# === Schemas ======================================================================================

MAX_ID = 2**31 - 1
NAMES = ("id", "first_name", "last_name")


class Text(ma.String):
    """Text that every database can store. Blanks around it are dropped."""

    def _deserialize(self, value, attr, data, **kwargs):
        text = super()._deserialize(value, attr, data, **kwargs).strip()
        if re.search("[\0\ud800-\udfff]", text):
            raise ValidationError("Contains a character that cannot be stored.")
        if self.required and not any(map(str.isprintable, text.replace(" ", ""))):
            raise ValidationError("Needs at least one visible character.")
        return text


class Number(ma.Field):
    """A number with at most so many decimals, or its digits in a string. Nothing is rounded."""

    def __init__(self, *, minimum=0, maximum=1_000_000, decimals=0, **kwargs):
        super().__init__(**kwargs | {"validate": Range(minimum, maximum)})
        self.decimals = decimals
        self.digits = r"[0-9]{1,15}(\.[0-9]{1,2})?" if decimals else "[0-9]{1,15}"

    def _deserialize(self, value, attr, data, **kwargs):
        if isinstance(value, str) and re.fullmatch(self.digits, value):
            value = float(value)
        number = type(value) in (int, float) and abs(value) < 1e15
        if not number or round(value, self.decimals) != value:
            raise ValidationError(f"Not a number with at most {self.decimals} decimals.")
        return value + 0.0 if self.decimals else int(value)


class RecordSchema(ma.SQLAlchemyAutoSchema):
    FIELDS = {str: Text, int: Number, float: functools.partial(Number, decimals=2)}
    TYPE_MAPPING = ma.Schema.TYPE_MAPPING | FIELDS  # what the columns of a model become
    id = ma.Integer(dump_only=True)
    get_attribute = staticmethod(getattr)  # records have no keys and paths to look for


class AccountSchema(RecordSchema):
    email = Text(required=True, validate=[Length(max=254), Email(), Regexp(r"[!-~]+\Z")])
    password = Text(required=True, load_only=True, validate=Length(min=8, max=128))


class CustomerSchema(AccountSchema):
    class Meta:
        model = Customer


class MechanicSchema(AccountSchema):
    class Meta:
        model = Mechanic

    salary = Number(decimals=2, maximum=10_000_000, allow_none=True)
    ticket_count = ma.Integer(dump_only=True)  # only the ranking has it


class InventorySchema(RecordSchema):
    class Meta:
        model = Inventory


class TicketInventorySchema(RecordSchema):
    class Meta:
        model = TicketInventory
        include_fk = True
        dump_only = ("ticket_id", "inventory_id", "unit_price", "name")

    quantity = Number(minimum=1)


class ServiceTicketSchema(RecordSchema):
    class Meta:
        model = ServiceTicket

    customer_id = Number(maximum=MAX_ID, required=True)
    vin = Text(required=True, validate=Regexp(r"[A-Za-z0-9]{1,17}\Z"))
    service_date = ma.Date(load_default=dt.date.today)
    mechanics = ma.Nested(MechanicSchema(only=NAMES), many=True, dump_only=True)
    parts = ma.Nested(TicketInventorySchema(exclude=("id", "ticket_id")), many=True, dump_only=True)
    total = ma.Float(dump_only=True)

    @validates("customer_id")
    def customer_exists(self, customer_id, data_key):
        if db.session.get(Customer, customer_id) is None:
            raise ValidationError(f"There is no customer {customer_id}.")


class EditSchema(ma.Schema):
    add_ids = ma.List(Number(maximum=MAX_ID), load_default=[])
    remove_ids = ma.List(Number(maximum=MAX_ID), load_default=[])

    @validates_schema
    def edit_is_clear(self, edit, **_kwargs):
        add, remove = set(edit["add_ids"]), set(edit["remove_ids"])
        known = set(db.session.scalars(sa.select(Mechanic.id).where(Mechanic.id.in_(add | remove))))
        wrong = {"add_ids": add - known, "remove_ids": (remove - known) | (add & remove)}
        if not add | remove:
            raise ValidationError("Name at least one mechanic.", "add_ids")
        if name := next((name for name, ids in wrong.items() if ids), None):
            raise ValidationError(f"No mechanic, or in both lists: {sorted(wrong[name])}.", name)


class QuerySchema(ma.Schema):
    page = Number(minimum=1, load_default=1)
    per_page = Number(minimum=1, maximum=100, load_default=20)
    search = Text(load_default=None, validate=Length(max=255))
    customer_id = Number(maximum=MAX_ID, load_default=None)


customer_schema = CustomerSchema()
mechanic_schema = MechanicSchema()
inventory_schema = InventorySchema()
ticket_inventory_schema = TicketInventorySchema(exclude=("name",))
service_ticket_schema = ServiceTicketSchema()
login_schema = MechanicSchema(exclude=(*NAMES, "address", "salary", "ticket_count"))
for field in login_schema.fields.values():
    field.validators = []  # both have to be there; whether they are right, the login tells

# === Errors =======================================================================================

main_bp = Blueprint("main", __name__)


@main_bp.app_errorhandler(exceptions.HTTPException)
def http_error(error, **members):
    """Answer any HTTP error as a problem document (RFC 9457), with the headers it brings along."""
    response = error.get_response()
    problem = {"type": "about:blank", "title": error.name, "status": error.code}
    response.data = current_app.json.dumps(problem | {"detail": error.description} | members)
    response.content_type = "application/problem+json"
    if error.code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


@main_bp.app_errorhandler(ValidationError)
def invalid_fields(error):
    """Answer 400 with a list of messages for each field that is wrong."""
    errors = dict(sorted(error.normalized_messages().items()))
    for field, messages in errors.items():
        errors[field] = messages if isinstance(messages, list) else sum(messages.values(), [])
    detail = f"Not valid: {', '.join(errors)}.".encode(errors="replace").decode()
    return http_error(exceptions.BadRequest(detail), errors=errors)


def peek(name):
    """Return a field of the JSON body before anything about it is checked, or None."""
    with contextlib.suppress(exceptions.HTTPException, RecursionError, AttributeError):
        return request.get_json().get(name)


@main_bp.app_errorhandler(exc.IntegrityError)
@main_bp.app_errorhandler(orm.exc.StaleDataError)
def conflict(_error):
    """Answer 409 when a constraint of the database, or somebody faster, stands against it."""
    detail = "Somebody else changed this at the same moment."
    if request.method == "DELETE":
        detail = "Service tickets refer to this record, so it cannot be deleted."
    elif peek("email"):
        detail = "Another account has this email address."
    return http_error(exceptions.Conflict(detail))


@main_bp.app_errorhandler(exc.InterfaceError)
@main_bp.app_errorhandler(exc.OperationalError)
@main_bp.app_errorhandler(exc.TimeoutError)
def database_away(error):
    """Answer 503 when the database is busy, full or away."""
    current_app.logger.error("The database did not do its work: %s", error)
    return http_error(exceptions.ServiceUnavailable("The database is busy or away.", retry_after=1))


# === Tokens =======================================================================================

ROLES = {"customer": Customer, "mechanic": Mechanic}
TOKEN_SECONDS = 60 * 60


def encode_token(mechanic_id, role="mechanic"):
    """Return a token for an account. Raises sqlalchemy.exc.NoResultFound if there is none."""
    key = current_app.extensions["signing_key"]
    account = db.session.get_one(ROLES[role], mechanic_id)
    now = int(time.time())
    claims = {"sub": str(mechanic_id), "iat": now, "exp": now + TOKEN_SECONDS, "role": role}
    claims["fingerprint"] = key.sign(account.password.encode()).hex()  # dies with the password
    return jwt.encode(claims, key, algorithm="HS256")


def decode_token(token):
    """Return the role and account id of a token; abort with 401 if it is not, or no more, valid."""
    key = current_app.extensions["signing_key"]
    with contextlib.suppress(JOSEError, LookupError, RecursionError, TypeError, ValueError):
        claims = jwt.decode(token, key, algorithms=["HS256"], options={"require_exp": True})
        account_id, model = int(claims["sub"]), ROLES[claims["role"]]
        stored = db.session.scalar(sa.select(model.password).where(model.id == account_id))
        if stored and key.verify(stored.encode(), bytes.fromhex(claims["fingerprint"])):
            return claims["role"], account_id
    abort(401, "Log in, and send the token in the header Authorization: Bearer.")


def token_required(*roles):
    """Let only callers with a token of one of these roles (mechanics, if none) reach the view,
    which finds them in request.mechanic_id or request.customer_id. Aborts with 401 or 403."""
    if roles and callable(roles[0]):
        return token_required("mechanic")(roles[0])

    def decorator(view):
        @functools.wraps(view)
        def checked(**path):
            request.get_data()  # before the database: no connection waits for a slow sender
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            role, account_id = decode_token(token if scheme.lower() == "bearer" else "")
            if role not in roles:
                abort(403, f"Only a {' or '.join(roles)} may do this.")
            if role == "customer" and path.get("customer_id", account_id) != account_id:
                abort(403, "Customers may see and change only their own record.")
            request.mechanic_id = account_id if role == "mechanic" else None
            request.customer_id = account_id if role == "customer" else None
            return view(**path)

        checked.roles = roles  # for the front page
        return checked

    return decorator


# === Requests and answers =========================================================================


class IdConverter(routing.IntegerConverter):
    regex = "[0-9]{1,9}"  # ASCII digits, and few enough for every database


def read_body(schema):
    """Return the checked fields of the JSON body, or abort: PATCH may send a part of them."""
    body = None
    with contextlib.suppress(exceptions.BadRequest, RecursionError):
        request.get_data()
        request.stream.read(1)  # 413, if a body that did not state its length goes on here
        body = request.get_json()
    if not isinstance(body, dict):
        abort(400, "The body must be a JSON object.")
    not_required = {"POST": (), "PUT": ("password",), "PATCH": True}
    return schema.load(body, partial=not_required[request.method])


def get_or_404(model, record_id):
    """Return the record of a model with this id. Aborts with 404 when there is none."""
    return db.get_or_404(model, record_id, description=f"There is no {model.label} {record_id}.")


def created(schema, record, url=None):
    """Store a new record; answer 201 with it and its address."""
    db.session.add(record)
    db.session.commit()
    return schema.dump(record), 201, {"Location": url or f"{url_for(request.endpoint)}/{record.id}"}


def updated(schema, record):
    """Change a record as the body says, a PUT emptying what it leaves out; answer with it."""
    values = read_body(schema)
    if request.method == "PUT":
        values = {c.name: None for c in record.__table__.columns if c.nullable} | values
    for column, value in values.items():
        setattr(record, column, value)
        orm.attributes.flag_modified(record, column)  # or two PUTs at once could leave a mixture
    db.session.commit()
    return schema.dump(record)


def deleted(record):
    """Delete a record; answer that it is gone."""
    db.session.delete(record)
    db.session.commit()
    return {"message": f"Successfully deleted {record.label} {record.id}"}


def page_links(sent, total):
    """Return the Link header (RFC 8288) of a page: where the pages around it are."""
    page, last = sent["page"], max(1, -(-total // sent["per_page"]))
    numbers = {"first": 1, "prev": min(page - 1, last), "next": page + 1, "last": last}
    return ", ".join(
        f'<{url_for(request.endpoint, **sent | {"page": number})}>; rel="{rel}"'
        for rel, number in numbers.items()
        if 1 <= number <= last
    )


def paginated(schema, *filters):
    """Answer a page of the query that the view returns for these filters, in order of id."""
    query_schema = QuerySchema(only=("page", "per_page", *filters))

    def decorator(view):
        @functools.wraps(view)
        def page_of():
            sent = query_schema.load(request.args.to_dict(), unknown=EXCLUDE)
            start = (sent["page"] - 1) * sent["per_page"]
            query = view(*map(sent.get, filters)).order_by(schema.Meta.model.id)
            records = db.session.scalars(query.limit(sent["per_page"]).offset(start)).all()
            count, about = sa.select(sa.func.count()), query.whereclause  # a join adds no rows
            count = count.select_from(schema.Meta.model) if about is None else count.where(about)
            total = db.session.scalar(count)
            headers = {"X-Total-Count": total, "Link": page_links(sent, total)}
            return schema.dump(records, many=True), headers

        page_of.parameters = list(query_schema.fields)  # for the cache
        return page_of

    return decorator


# === Customers ====================================================================================

customers_bp = Blueprint("customers", __name__, url_prefix="/customers")
password_checks = threading.BoundedSemaphore(2)  # at once: each keeps a core busy
NO_PASSWORD = "scrypt:32768:8:1$none$" + "0" * 128  # as slow to check as any hash; fits nothing


def address_and_email():
    """Return what a login is counted under: where it comes from and whom it is for."""
    email = peek("email")
    name = email.strip().lower() if isinstance(email, str) else None
    return f"{caller_address()} {name!a:.300}"


@customers_bp.post("/login", defaults={"role": "customer"})
@limiter.shared_limit("100/minute", scope="login")
@limiter.shared_limit("10/minute", scope="login", key_func=address_and_email)
def login(role):
    """Log in: an email and a password for a token."""
    credentials = read_body(login_schema)
    model = ROLES[role]
    email = credentials["email"].lower().encode("ascii", "backslashreplace").decode()
    query = sa.select(model.id, model.password).filter_by(email=email)  # MariaDB takes é for e
    account_id, password_hash = db.session.execute(query).first() or (None, NO_PASSWORD)
    db.session.rollback()  # nobody waits for this connection while the password is checked
    if not password_checks.acquire(timeout=0.3):  # or a flood of logins takes every thread
        abort(503, "Too many callers are logging in.")
    try:
        if not security.check_password_hash(password_hash, credentials["password"]):
            abort(401, "Wrong email or password.")
    finally:
        password_checks.release()
    answer = {"message": "Successfully logged in", "id": account_id}
    return answer | {"token": encode_token(account_id, role), "expires_in": TOKEN_SECONDS}


@customers_bp.post("")
@limiter.limit("60/minute")
def create_customer():
    """Register as a customer."""
    return created(customer_schema, Customer(**read_body(customer_schema)))


@customers_bp.get("")
@token_required
@cached
@paginated(customer_schema, "search")
def list_customers(search):
    """List the customers; ?search= looks for a text in their names and emails."""
    text = Customer.first_name + " " + Customer.last_name + " " + Customer.email
    return sa.select(Customer).where(text.icontains(search or "", autoescape=True))


@customers_bp.get("/my-tickets")
@token_required("customer")
@paginated(service_ticket_schema)
def customer_tickets():
    """List the caller's tickets."""
    return sa.select(ServiceTicket).filter_by(customer_id=request.customer_id)


@customers_bp.get("/<id:customer_id>")
@token_required("customer", "mechanic")
def get_customer(customer_id):
    """Show a customer; to customers only themselves."""
    return customer_schema.dump(get_or_404(Customer, customer_id))


@customers_bp.route("/<id:customer_id>", methods=["PUT", "PATCH"])
@token_required("customer", "mechanic")
def update_customer(customer_id):
    """Change a customer: PUT the whole record, PATCH a part of it."""
    return updated(customer_schema, get_or_404(Customer, customer_id))


@customers_bp.delete("/<id:customer_id>")
@token_required("customer", "mechanic")
def delete_customer(customer_id):
    """Delete a customer who has no tickets."""
    return deleted(get_or_404(Customer, customer_id))


# === Mechanics ====================================================================================

mechanics_bp = Blueprint("mechanics", __name__, url_prefix="/mechanics")
mechanics_bp.post("/login", defaults={"role": "mechanic"})(login)


@mechanics_bp.post("")
@token_required
def create_mechanic():
    """Add a mechanic."""
    return created(mechanic_schema, Mechanic(**read_body(mechanic_schema)))


@mechanics_bp.get("")
@token_required
@cached
@paginated(mechanic_schema)
def list_mechanics():
    """List the mechanics."""
    return sa.select(Mechanic)


@mechanics_bp.get("/ranking")
@token_required
@cached
@paginated(MechanicSchema(only=(*NAMES, "ticket_count")))
def rank_mechanics():
    """List the mechanics by the number of tickets they work on, most first."""
    theirs = service_mechanic.c.mechanic_id == Mechanic.id
    ticket_count = sa.select(sa.func.count()).where(theirs).scalar_subquery().label("ticket_count")
    columns = (Mechanic.id, Mechanic.first_name, Mechanic.last_name, ticket_count)
    return sa.select(orm.Bundle("place", *columns)).order_by(ticket_count.desc())


@mechanics_bp.get("/my-tickets")
@token_required
@paginated(service_ticket_schema)
def mechanic_tickets():
    """List the tickets that the caller works on."""
    query = sa.select(ServiceTicket).join(service_mechanic).order_by(service_mechanic.c.ticket_id)
    return query.where(service_mechanic.c.mechanic_id == request.mechanic_id)


@mechanics_bp.get("/profile", defaults={"mechanic_id": None})
@mechanics_bp.get("/<id:mechanic_id>")
@token_required
def get_mechanic(mechanic_id):
    """Show a mechanic; at /profile the caller."""
    return mechanic_schema.dump(get_or_404(Mechanic, mechanic_id or request.mechanic_id))


@mechanics_bp.route("/<id:mechanic_id>", methods=["PUT", "PATCH"])
@token_required
def update_mechanic(mechanic_id):
    """Change a mechanic: PUT the whole record, PATCH a part of it; a password only one's own."""
    if mechanic_id != request.mechanic_id and peek("password") is not None:
        abort(403, "Mechanics may change only their own password.")
    return updated(mechanic_schema, get_or_404(Mechanic, mechanic_id))


@mechanics_bp.delete("/<id:mechanic_id>")
@token_required
def delete_mechanic(mechanic_id):
    """Delete another mechanic, who is on no ticket."""
    if mechanic_id == request.mechanic_id:
        abort(403, "Mechanics may not delete their own account.")
    return deleted(get_or_404(Mechanic, mechanic_id))


# === Service tickets ==============================================================================

service_tickets_bp = Blueprint("service_tickets", __name__, url_prefix="/service_tickets")
ticket_inventory_bp = Blueprint("ticket_inventory", __name__, url_prefix="/ticket_inventory")


def lock_ticket(ticket_id):
    """Return the id of a ticket that nobody else can lock now. Aborts with 404."""
    write = sa.update(ServiceTicket).where(ServiceTicket.id == ticket_id)  # locks on SQLite, too
    if db.session.execute(write.values(price=ServiceTicket.price)).rowcount == 0:
        abort(404, f"There is no service ticket {ticket_id}.")
    return ticket_id


def move_mechanics(ticket_id, add_ids=(), remove_ids=()):
    """Put mechanics on a locked ticket and take others off; answer with the ticket."""
    ticket = get_or_404(ServiceTicket, ticket_id)
    ids = {mechanic.id for mechanic in ticket.mechanics}.union(add_ids).difference(remove_ids)
    query = sa.select(Mechanic).where(Mechanic.id.in_(ids)).order_by(Mechanic.id)
    ticket.mechanics = db.session.scalars(query).all()
    db.session.commit()
    return service_ticket_schema.dump(ticket)


def move_pieces(line, pieces):
    """Move pieces of a part from stock to a ticket's line, or back. Aborts with 409 if too few."""
    left = Inventory.quantity - pieces  # looked at and taken by one statement: nobody is between
    moving = sa.update(Inventory).where(Inventory.id == line.inventory_id, left >= 0)
    if line.quantity + pieces < 0 or db.session.execute(moving.values(quantity=left)).rowcount == 0:
        abort(409, f"Too few pieces of inventory {line.inventory_id}: {abs(pieces)} wanted.")
    line.quantity += pieces


@service_tickets_bp.post("")
@token_required
def create_service_ticket():
    """Open a ticket for a customer."""
    return created(service_ticket_schema, ServiceTicket(**read_body(service_ticket_schema)))


@service_tickets_bp.get("")
@token_required
@paginated(service_ticket_schema, "customer_id")
def list_service_tickets(customer_id):
    """List the tickets; ?customer_id= those of one customer."""
    query = sa.select(ServiceTicket)
    return query if customer_id is None else query.filter_by(customer_id=customer_id)


@service_tickets_bp.get("/<id:ticket_id>")
@token_required("customer", "mechanic")
def get_service_ticket(ticket_id):
    """Show a ticket; to customers only their own."""
    ticket = get_or_404(ServiceTicket, ticket_id)
    if request.customer_id not in (None, ticket.customer_id):
        abort(404, f"There is no service ticket {ticket_id}.")
    return service_ticket_schema.dump(ticket)


@service_tickets_bp.route("/<id:ticket_id>", methods=["PUT", "PATCH"])
@token_required
def update_service_ticket(ticket_id):
    """Change a ticket: PUT the whole record, PATCH a part of it."""
    return updated(service_ticket_schema, get_or_404(ServiceTicket, ticket_id))


@service_tickets_bp.delete("/<id:ticket_id>")
@token_required
def delete_service_ticket(ticket_id):
    """Delete a ticket and put its parts back into stock."""
    ticket = get_or_404(ServiceTicket, lock_ticket(ticket_id))
    for line in ticket.parts:
        move_pieces(line, -line.quantity)
    return deleted(ticket)


@service_tickets_bp.put("/<id:ticket_id>/edit")
@token_required
def edit_mechanics(ticket_id):
    """Put mechanics on a ticket (add_ids) and take others off (remove_ids), all or nothing."""
    return move_mechanics(lock_ticket(ticket_id), **read_body(EditSchema()))


@service_tickets_bp.put("/<id:ticket_id>/assign-mechanic/<id:mechanic_id>")
@token_required
def assign_mechanic(ticket_id, mechanic_id):
    """Put one mechanic on a ticket."""
    return move_mechanics(lock_ticket(ticket_id), add_ids=[get_or_404(Mechanic, mechanic_id).id])


@service_tickets_bp.put("/<id:ticket_id>/remove-mechanic/<id:mechanic_id>")
@token_required
def remove_mechanic(ticket_id, mechanic_id):
    """Take one mechanic off a ticket."""
    return move_mechanics(lock_ticket(ticket_id), remove_ids=[get_or_404(Mechanic, mechanic_id).id])


@service_tickets_bp.post("/<id:ticket_id>/assign-inventory/<id:inventory_id>")
@ticket_inventory_bp.post("/<id:ticket_id>/assign-inventory/<id:inventory_id>")
@token_required
def assign_inventory(ticket_id, inventory_id):
    """Put pieces of a part from stock on a ticket: one, or {"quantity": n}."""
    lock_ticket(ticket_id)
    part = get_or_404(Inventory, inventory_id)
    pieces = read_body(ticket_inventory_schema).get("quantity", 1) if request.get_data() else 1
    place = {"ticket_id": ticket_id, "inventory_id": inventory_id}
    line = db.session.scalar(sa.select(TicketInventory).filter_by(**place))
    line = line or TicketInventory(**place, quantity=0, unit_price=part.price)
    move_pieces(line, pieces)
    url = url_for("service_tickets.get_service_ticket", ticket_id=ticket_id)
    return created(ticket_inventory_schema, line, url)


@service_tickets_bp.delete("/<id:ticket_id>/remove-inventory/<id:inventory_id>")
@ticket_inventory_bp.delete("/<id:ticket_id>/remove-inventory/<id:inventory_id>")
@token_required
def remove_inventory(ticket_id, inventory_id):
    """Put pieces of a part from a ticket back into stock: all, or ?quantity=n."""
    ticket = get_or_404(ServiceTicket, lock_ticket(ticket_id))
    line = next((line for line in ticket.parts if line.inventory_id == inventory_id), None)
    if line is None:
        abort(404, f"There is no inventory {inventory_id} on service ticket {ticket_id}.")
    sent = ticket_inventory_schema.load(request.args.to_dict(), unknown=EXCLUDE)
    move_pieces(line, -sent.get("quantity", line.quantity))
    if line.quantity == 0:
        db.session.delete(line)
    db.session.commit()
    place = f"inventory {inventory_id} from service ticket {ticket_id}"
    return {"message": f"Successfully removed {place}"}


# === Inventory ====================================================================================

inventory_bp = Blueprint("inventory", __name__)


@inventory_bp.post("")
@token_required
def create_inventory():
    """Add a part."""
    return created(inventory_schema, Inventory(**read_body(inventory_schema)))


@inventory_bp.get("")
@cached
@paginated(inventory_schema, "search")
def list_inventory(search):
    """List the parts; ?search= looks for a text in their names."""
    return sa.select(Inventory).where(Inventory.name.icontains(search or "", autoescape=True))


@inventory_bp.get("/<id:inventory_id>")
@cached
def get_inventory(inventory_id):
    """Show a part."""
    return inventory_schema.dump(get_or_404(Inventory, inventory_id))


@inventory_bp.route("/<id:inventory_id>", methods=["PUT", "PATCH"])
@token_required
def update_inventory(inventory_id):
    """Change a part: PUT the whole record, PATCH a part of it."""
    return updated(inventory_schema, get_or_404(Inventory, inventory_id))


@inventory_bp.delete("/<id:inventory_id>")
@token_required
def delete_inventory(inventory_id):
    """Delete a part that is on no ticket."""
    return deleted(get_or_404(Inventory, inventory_id))


# === Application ==================================================================================

FRONT_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Mechanic shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
  :root { color-scheme: light dark; font: 1.1rem/1.5 system-ui, sans-serif }
  body { margin: 2rem auto; max-width: 66rem; padding: 0 1rem }
  tr { border-top: 1px solid #8886; display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .3rem 0 }
  table, tbody { display: block } td { flex: 1 9rem; overflow-wrap: anywhere }
  td:nth-child(2), td:nth-child(3) { flex: 4 20rem }</style><h1>Mechanic shop</h1>
<p>POST email and password to <code>/customers/login</code> or <code>/mechanics/login</code>, then
send <code>Authorization: Bearer TOKEN</code>. For Postman: <code>postman_collection.json</code>.
{% for name, rows in routes|groupby(0) %}<h2>{{ name }}</h2><table>{% for _, rule, view in rows %}
<tr><td>{{ rule.methods | reject("in", ["HEAD", "OPTIONS"]) | sort | join(", ") }}
<td><code>{{ rule.rule }}</code><td>{{ view.__doc__ }}
<td>{{ (view.roles or ["anyone"]) | join(", ") }}{% endfor %}</table>{% endfor %}"""


@main_bp.get("/")
def front_page():
    """Show this page."""
    views, rules = current_app.view_functions, current_app.url_map.iter_rules()
    routes = [(rule.rule.split("/")[1] or "shop", rule, views[rule.endpoint]) for rule in rules]
    page = current_app.jinja_env.from_string(FRONT_PAGE).render(routes=routes)
    return page, {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


@main_bp.get("/health")
@limiter.exempt
def check_health():
    """Say whether the shop can work: whether its database answers."""
    db.session.execute(sa.select(1))
    return {"status": "ok"}


@main_bp.after_app_request
def finish(response):
    """Set the headers that all answers have."""
    with contextlib.suppress(exc.DBAPIError):  # the connection may be lost: the answer stands
        db.session.remove()
    asked = "HTTP_IF_NONE_MATCH" in request.environ and "ETag" in response.headers
    if asked and request.if_none_match.contains_weak(response.get_etag()[0]):
        response.status_code = 304
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    if response.status_code != 429:  # the limiter puts Retry-After on every answer
        response.retry_after = 1 if response.status_code == 503 else None
    return response


def create_tables():
    """Create the tables that are missing, also while other processes do the same."""
    for _attempt in range(9):
        with contextlib.suppress(exc.DBAPIError):  # somebody made one between our look and try
            return db.create_all()
        time.sleep(0.1)
    db.create_all()


def create_app(config=None):
    """Return the application; what config sets wins. Raises RuntimeError if the key is short."""
    app = Flask(__name__, static_folder=None)
    configure(app.config, config or {})
    secret = str(app.config["SECRET_KEY"] or kept_secret(app.instance_path)).encode()
    if len(secret) < 32:
        raise RuntimeError(f"SECRET_KEY must have at least 32 bytes, and has {len(secret)}.")
    app.extensions["signing_key"] = jwk.construct(secret, "HS256")
    app.session_interface.open_session = lambda *_request: None  # tokens are all there is
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=app.config["TRUSTED_PROXIES"], x_proto=0)
    app.json.sort_keys = False
    app.url_map.strict_slashes = app.url_map.merge_slashes = False  # nobody is sent elsewhere
    app.url_map.converters["id"] = IdConverter
    app.register_blueprint(main_bp)  # first, so that finish() runs last
    for extension in (db, ma, cache, limiter):
        extension.init_app(app)
    for blueprint in (customers_bp, mechanics_bp, service_tickets_bp, ticket_inventory_bp):
        app.register_blueprint(blueprint)
    app.register_blueprint(inventory_bp, url_prefix="/inventory")
    app.register_blueprint(inventory_bp, url_prefix="/parts", name="parts")
    with app.app_context():
        create_tables()
    return app


def main():
    """Serve the shop, as `python mechanic_shop.py` does."""
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or 5000
    try:
        app = create_app()
        with app.app_context():
            if db.session.scalar(sa.select(Mechanic.id).limit(1)) is None:
                print("The shop is empty. For sample data: python seed.py")
        server = serving.make_server(host, int(port), app, threaded=True)
    except (RuntimeError, ValueError, exc.SQLAlchemyError) as error:
        raise SystemExit(f"The shop cannot open: {error}") from None
    print(f"The shop is open at http://{host}:{port} (Ctrl+C closes it).", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
