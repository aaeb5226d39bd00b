"""What many would pick instead of this shop: FastAPI, SQLAlchemy, pydantic and slowapi.

benchmark.py compares the shop with it. It is written as FastAPI's tutorial writes an app, and
limits requests as slowapi's first example of a default limit does; its SlowAPIASGIMiddleware would
be a little faster. It has only what is compared, but all of that: the same answers with the same
headers, and the same checks of the token and of what comes in. It has no cache.
"""

import datetime as dt
import hmac
import math
import os
from typing import Annotated

import sqlalchemy as sa
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jose import JWTError, jwt
from pydantic import BaseModel, ConfigDict, Field
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded
from slowapi.middleware import SlowAPIMiddleware
from slowapi.util import get_remote_address
from sqlalchemy import ForeignKey, orm, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

SECRET_KEY = os.environ["SECRET_KEY"]
engine = sa.create_engine(os.environ["DATABASE_URL"])
limiter = Limiter(
    key_func=get_remote_address,
    default_limits=[os.environ.get("RATE_LIMIT", "200/minute")],
    headers_enabled=True,
    key_style="endpoint",
)
app = FastAPI()
app.state.limiter = limiter
app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)
app.add_middleware(SlowAPIMiddleware)


@sa.event.listens_for(engine, "connect")
def prepare_sqlite(connection, _record):
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")


class Base(orm.DeclarativeBase):
    id: Mapped[int] = mapped_column(primary_key=True)


service_mechanic = sa.Table(
    "service_mechanic",
    Base.metadata,
    sa.Column("mechanic_id", ForeignKey("mechanics.id"), primary_key=True),
    sa.Column("ticket_id", ForeignKey("service_tickets.id"), primary_key=True),
)


class Mechanic(Base):
    __tablename__ = "mechanics"
    first_name: Mapped[str]
    last_name: Mapped[str]
    password: Mapped[str]


class Inventory(Base):
    __tablename__ = "inventory"
    name: Mapped[str]
    price: Mapped[float]
    quantity: Mapped[int]


class TicketInventory(Base):
    __tablename__ = "ticket_inventory"
    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"))
    inventory_id: Mapped[int] = mapped_column(ForeignKey("inventory.id"))
    quantity: Mapped[int]
    unit_price: Mapped[float]
    inventory: Mapped[Inventory] = relationship()

    @property
    def name(self):
        return self.inventory.name


class ServiceTicket(Base):
    __tablename__ = "service_tickets"
    customer_id: Mapped[int]
    vin: Mapped[str]
    service_desc: Mapped[str]
    service_date: Mapped[dt.date]
    price: Mapped[float]
    mechanics: Mapped[list[Mechanic]] = relationship(
        secondary=service_mechanic, order_by=Mechanic.id
    )
    parts: Mapped[list[TicketInventory]] = relationship(order_by=TicketInventory.inventory_id)

    @property
    def total(self):
        return round(self.price + sum(line.quantity * line.unit_price for line in self.parts), 2)


class Part(BaseModel):
    id: int
    name: str
    price: float
    quantity: int


class MechanicOnTicket(BaseModel):
    id: int
    first_name: str
    last_name: str


class PartOnTicket(BaseModel):
    inventory_id: int
    name: str
    quantity: int
    unit_price: float


class Ticket(BaseModel):
    id: int
    customer_id: int
    vin: str
    service_desc: str
    service_date: dt.date
    price: float
    mechanics: list[MechanicOnTicket]
    parts: list[PartOnTicket]
    total: float


class AssignedPart(BaseModel):
    id: int
    ticket_id: int
    inventory_id: int
    quantity: int
    unit_price: float


class Pieces(BaseModel):
    model_config = ConfigDict(extra="forbid")
    quantity: int = Field(1, ge=1, le=1_000_000)


def get_session():
    with Session(engine) as session:
        yield session


CurrentSession = Annotated[Session, Depends(get_session)]
Token = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


def get_mechanic(token: Token, session: CurrentSession) -> Mechanic:
    not_valid = HTTPException(401, "Log in.", {"WWW-Authenticate": "Bearer"})
    try:
        options = {"require_exp": True}
        claims = jwt.decode(token.credentials, SECRET_KEY, algorithms=["HS256"], options=options)
    except JWTError:
        raise not_valid from None
    mechanic = session.get(Mechanic, int(claims["sub"]))
    if mechanic is None or claims["role"] != "mechanic":
        raise not_valid
    fingerprint = hmac.new(SECRET_KEY.encode(), mechanic.password.encode(), "sha256").hexdigest()
    if claims["fingerprint"] != fingerprint:  # the password has changed
        raise not_valid
    return mechanic


CurrentMechanic = Annotated[Mechanic, Depends(get_mechanic)]


class Page:
    """Reads a page of a query, and sets the headers with the total and the other pages."""

    def __init__(
        self,
        session: CurrentSession,
        request: Request,
        response: Response,
        page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
        per_page: Annotated[int, Query(ge=1, le=100)] = 20,
    ):
        self.session, self.path, self.headers = session, request.url.path, response.headers
        self.number, self.size = page, per_page

    def read(self, query):
        total = self.session.scalar(select(sa.func.count()).select_from(query.subquery()))
        last = max(1, math.ceil(total / self.size))
        pages = {"first": 1, "prev": self.number - 1, "next": self.number + 1, "last": last}
        self.headers["X-Total-Count"] = str(total)
        self.headers["Link"] = ", ".join(
            f'<{self.path}?page={number}&per_page={self.size}>; rel="{rel}"'
            for rel, number in pages.items()
            if 1 <= number <= last
        )
        start = (self.number - 1) * self.size
        return self.session.scalars(query.order_by("id").limit(self.size).offset(start)).all()


CurrentPage = Annotated[Page, Depends()]


def select_tickets():
    """Return a query that loads the mechanics and the parts of all its tickets at once."""
    parts = orm.selectinload(ServiceTicket.parts).joinedload(TicketInventory.inventory)
    return select(ServiceTicket).options(orm.selectinload(ServiceTicket.mechanics), parts)


@app.get("/health")
def check_health(session: CurrentSession) -> dict[str, str]:
    session.execute(select(1))
    return {"status": "ok"}


@app.get("/inventory")
def list_inventory(page: CurrentPage) -> list[Part]:
    return page.read(select(Inventory))


@app.get("/service_tickets")
def list_tickets(page: CurrentPage, _mechanic: CurrentMechanic) -> list[Ticket]:
    return page.read(select_tickets())


@app.get("/service_tickets/{ticket_id}")
def get_ticket(ticket_id: int, session: CurrentSession, _mechanic: CurrentMechanic) -> Ticket:
    ticket = session.scalar(select_tickets().where(ServiceTicket.id == ticket_id))
    if ticket is None:
        raise HTTPException(404, f"There is no service ticket {ticket_id}.")
    return ticket


@app.post("/ticket_inventory/{ticket_id}/assign-inventory/{inventory_id}", status_code=201)
def assign_inventory(
    ticket_id: int,
    inventory_id: int,
    session: CurrentSession,
    _mechanic: CurrentMechanic,
    response: Response,
    pieces: Pieces = Pieces(),  # noqa: B008
) -> AssignedPart:
    if session.get(ServiceTicket, ticket_id) is None:
        raise HTTPException(404, f"There is no service ticket {ticket_id}.")
    ids = {"ticket_id": ticket_id, "inventory_id": inventory_id}
    line = session.scalar(select(TicketInventory).filter_by(**ids))
    if line is None:
        part = session.get(Inventory, inventory_id)
        if part is None:
            raise HTTPException(404, f"There is no part {inventory_id}.")
        line = TicketInventory(**ids, quantity=0, unit_price=part.price)
        session.add(line)
    enough = (Inventory.id == inventory_id, Inventory.quantity >= pieces.quantity)
    left = Inventory.quantity - pieces.quantity
    if session.execute(sa.update(Inventory).where(*enough).values(quantity=left)).rowcount == 0:
        raise HTTPException(409, f"Not enough stock of part {inventory_id}.")
    line.quantity = TicketInventory.quantity + pieces.quantity  # also right beside others
    session.commit()
    session.refresh(line)
    response.headers["Location"] = f"/service_tickets/{ticket_id}"
    return line


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["PORT"]), access_log=False)
