"""What many would pick instead of this shop: FastAPI, SQLAlchemy and pydantic.

benchmark.py compares the shop with it. It is written as FastAPI's tutorial writes an app: endpoints
and dependencies are plain functions, response models read the attributes of records, and a
dependency checks the token. It gives the shop's answers for the four calls that are compared.
It has no rate limits, no cache and no links to other pages.

    DATABASE_URL=sqlite:///shop.db SECRET_KEY=... uvicorn benchmark_peer:app
"""

import datetime as dt
import os
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jose import JWTError, jwt
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Column, ForeignKey, Table, create_engine, func, select, update
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    relationship,
    selectinload,
)

engine = create_engine(os.environ["DATABASE_URL"])
app = FastAPI()

# === Models =======================================================================================


class Base(DeclarativeBase):
    id: Mapped[int] = mapped_column(primary_key=True)


service_mechanic = Table(
    "service_mechanic",
    Base.metadata,
    Column("mechanic_id", ForeignKey("mechanics.id"), primary_key=True),
    Column("ticket_id", ForeignKey("service_tickets.id"), primary_key=True),
)


class Mechanic(Base):
    __tablename__ = "mechanics"
    first_name: Mapped[str]
    last_name: Mapped[str]


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


# === What comes in and what goes out ==============================================================


class Record(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Part(Record):
    id: int
    name: str
    price: float
    quantity: int


class MechanicOnTicket(Record):
    id: int
    first_name: str
    last_name: str


class PartOnTicket(Record):
    inventory_id: int
    name: str
    quantity: int
    unit_price: float


class Ticket(Record):
    id: int
    customer_id: int
    vin: str
    service_desc: str
    service_date: dt.date
    price: float
    mechanics: list[MechanicOnTicket]
    parts: list[PartOnTicket]
    total: float


class AssignedPart(Record):
    id: int
    ticket_id: int
    inventory_id: int
    quantity: int
    unit_price: float


class Pieces(BaseModel):
    quantity: int = Field(1, ge=1, le=1_000_000)


class Page(BaseModel):
    page: int = Field(1, ge=1, le=1_000_000)
    per_page: int = Field(20, ge=1, le=100)


class PartsPage(Page):
    search: str | None = Field(None, max_length=255)


class TicketsPage(Page):
    customer_id: int | None = None


# === Dependencies =================================================================================


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


CurrentSession = Annotated[Session, Depends(get_session)]
Token = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


def get_mechanic(token: Token, session: CurrentSession) -> Mechanic:
    not_valid = HTTPException(401, "Log in.", {"WWW-Authenticate": "Bearer"})
    try:
        claims = jwt.decode(token.credentials, os.environ["SECRET_KEY"], algorithms=["HS256"])
    except JWTError:
        raise not_valid from None
    mechanic = session.get(Mechanic, int(claims["sub"]))
    if mechanic is None or claims["role"] != "mechanic":
        raise not_valid
    return mechanic


CurrentMechanic = Annotated[Mechanic, Depends(get_mechanic)]

# === Endpoints ====================================================================================


def page_of(session, query, page, response):
    """Return the records of a page, and set the header that says how many there are in all."""
    total = session.scalar(select(func.count()).select_from(query.subquery()))
    response.headers["X-Total-Count"] = str(total)
    start = (page.page - 1) * page.per_page
    return session.scalars(query.order_by("id").limit(page.per_page).offset(start)).all()


def with_mechanics_and_parts(query):
    """Return a query that loads the mechanics and the parts of all tickets at once."""
    names = selectinload(ServiceTicket.parts).joinedload(TicketInventory.inventory)
    return query.options(selectinload(ServiceTicket.mechanics), names)


@app.get("/health")
def check_health(session: CurrentSession) -> dict[str, str]:
    session.execute(select(1))
    return {"status": "ok"}


@app.get("/inventory")
def list_inventory(
    session: CurrentSession, page: Annotated[PartsPage, Query()], response: Response
) -> list[Part]:
    query = select(Inventory)
    if page.search:
        query = query.where(Inventory.name.icontains(page.search, autoescape=True))
    return page_of(session, query, page, response)


@app.get("/service_tickets")
def list_tickets(
    session: CurrentSession,
    _mechanic: CurrentMechanic,
    page: Annotated[TicketsPage, Query()],
    response: Response,
) -> list[Ticket]:
    query = select(ServiceTicket)
    if page.customer_id:
        query = query.where(ServiceTicket.customer_id == page.customer_id)
    return page_of(session, with_mechanics_and_parts(query), page, response)


@app.get("/service_tickets/{ticket_id}")
def get_ticket(ticket_id: int, session: CurrentSession, _mechanic: CurrentMechanic) -> Ticket:
    query = select(ServiceTicket).where(ServiceTicket.id == ticket_id)
    ticket = session.scalar(with_mechanics_and_parts(query))
    if ticket is None:
        raise HTTPException(404, f"There is no service ticket {ticket_id}.")
    return ticket


@app.post("/ticket_inventory/{ticket_id}/assign-inventory/{inventory_id}", status_code=201)
def assign_inventory(
    ticket_id: int,
    inventory_id: int,
    session: CurrentSession,
    _mechanic: CurrentMechanic,
    pieces: Pieces = Pieces(),  # noqa: B008
) -> AssignedPart:
    ticket = session.get(ServiceTicket, ticket_id)
    part = session.get(Inventory, inventory_id)
    if ticket is None or part is None:
        raise HTTPException(404, "There is no such ticket or part.")
    enough = (Inventory.id == inventory_id, Inventory.quantity >= pieces.quantity)
    left = Inventory.quantity - pieces.quantity
    if session.execute(update(Inventory).where(*enough).values(quantity=left)).rowcount == 0:
        raise HTTPException(409, f"Not enough stock of part {inventory_id}.")
    on_ticket = {"ticket_id": ticket_id, "inventory_id": inventory_id}
    line = session.scalar(select(TicketInventory).filter_by(**on_ticket))
    if line is None:
        line = TicketInventory(**on_ticket, quantity=0, unit_price=part.price)
        session.add(line)
    line.quantity += pieces.quantity
    session.commit()
    session.refresh(line)
    return line
