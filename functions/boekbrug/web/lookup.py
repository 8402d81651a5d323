"""What nearly every page needs first: the connection it is about, and what was last read for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..domain.connections import Connection, ConnectionId
from ..domain.documents import Category, TaxRate
from ..domain.errors import NotFound, NotReady, RequestInvalid
from ..domain.ledger import Books
from ..ports import House
from ..sync.snapshots import load_books, load_focus
from .app import Visit


def connection_of(visit: Visit) -> Connection:
    """The connection in the address. Raises NotFound, also when it is another account's."""
    found = visit.house.connections.get(visit.session.account, ConnectionId(visit.request.params["id"]))
    if found is None:
        raise NotFound(what="connection")
    return found


@dataclass(frozen=True, slots=True)
class Ground:
    """What a mapping stands on: both sides as last read, for one connection's entity."""

    books: Books
    rates: tuple[TaxRate, ...]
    categories: tuple[Category, ...]
    read_at: datetime


def ground_of(connection: Connection, house: House) -> Ground | None:
    """None as long as the two sides were not read."""
    snapshots = house.snapshots(connection.account)
    books, lists = load_books(snapshots, connection.administration), load_focus(snapshots)
    if books is None or lists is None:
        return None
    return Ground(books[0], lists.rates_of(connection.entity), lists.categories, min(books[1], lists.read_at))


def needed_ground(connection: Connection, house: House) -> Ground:
    """Raises NotReady as long as the two sides were not read."""
    ground = ground_of(connection, house)
    if ground is None:
        raise NotReady()
    return ground


def after_of(visit: Visit) -> str:
    """Where a list goes on: `next` of the page before, "" for the first."""
    return visit.request.query.get("after", "")


def number_after(visit: Visit) -> int:
    """The same, for lists that are numbered. Raises RequestInvalid."""
    after = after_of(visit) or "0"
    if not (after.isascii() and after.isdecimal() and len(after) <= 15):
        raise RequestInvalid(field="after", reason="int_parsing")
    return int(after)
