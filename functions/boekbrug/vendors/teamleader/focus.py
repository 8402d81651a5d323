"""One Teamleader account, as our deeds know it: `ports.Focus`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from ...domain.documents import (
    Category,
    CustomerKind,
    CustomerRef,
    DocumentHeader,
    DocumentId,
    DocumentKind,
    Entity,
    EntityId,
    FileFormat,
    SalesDocument,
    TaxRate,
)
from ...domain.errors import DocumentGone, RefusedByPackage, UnexpectedAnswer
from ...domain.ledger import Cursor, Done, Outcome, Page, Refused, Unknown
from ...domain.money import Money
from ...domain.relations import Customer
from ...ports import FocusPayment, FocusUser, InvoiceState
from ..oauth import Room
from . import VENDOR, mapping, wire
from .client import PAGE_SIZE, Client, is_missing, said
from .mapping import understood

FORMATS = {FileFormat.PDF: "pdf", FileFormat.UBL: "ubl/peppol_bis_3"}

# A page in place of the file would hang on the booking for ever.
BEGINNINGS = {FileFormat.PDF: b"%pdf", FileFormat.UBL: b"<"}
PAGE = (b"<!doctype", b"<html")

# What we want hints about. Payments are not among them: most are our own, and each would wake us for nothing.
HINTS = (
    *("invoice.booked", "invoice.updated", "invoice.deleted"),
    *("creditNote.booked", "creditNote.updated", "creditNote.deleted"),
    *("company.added", "company.updated", "company.deleted"),
    *("contact.added", "contact.updated", "contact.deleted"),
)

# `updated_at` has whole seconds and is set before the change can be seen, by a clock that is not ours. Reading that
# much again costs a few rows that come twice, which nobody minds; missing one would cost a booking.
OVERLAP = timedelta(minutes=2)

# Bad field, state not allowed; scope missing; 422 in older reports. Nothing else proves that nothing was written.
CLEAR_NO = (400, 403, 422)


class TeamleaderFocus:
    """Reads and writes of one account; see `ports.Focus` for what each promises, QUIRKS.md for what each costs."""

    def __init__(self, room: Room) -> None:
        self._client = Client(room)
        self._clock = room.clock

    # reference data

    def me(self) -> FocusUser:
        return understood(wire.User, mapping.user, self._client.read("users.me"))

    def entities(self) -> Sequence[Entity]:
        rows = self._client.rows("departments.list", {"filter": {"status": ["active"]}})
        return [understood(wire.Department, mapping.entity, row) for row in rows]

    def tax_rates(self) -> Sequence[TaxRate]:
        pages = self._client.pages("taxRates.list", {})
        return [understood(wire.TaxRate, mapping.tax_rate, row) for rows in pages for row in rows]

    def categories(self) -> Sequence[Category]:
        rows = self._client.rows("productCategories.list")
        return [understood(wire.ProductCategory, mapping.category, row) for row in rows]

    # documents

    def documents(
        self, entities: Sequence[EntityId], start: date, since: Cursor | None
    ) -> Iterator[Page[DocumentHeader]]:
        lists: list[_List] = []
        for entity in entities:
            department = {"department_id": entity}
            invoices = {**department, "status": list(mapping.ISSUED), "invoice_date_after": start.isoformat()}
            # Oldest first: what is issued meanwhile lands behind us. Never its own default, which is disputed.
            order = [{"field": field, "order": "asc"} for field in ("invoice_date", "invoice_number")]
            lists.append(_List("invoices.list", invoices, _invoice_header, order))
            credit_notes = {**department, "credit_note_date_after": start.isoformat()}  # takes no sort
            lists.append(_List("creditNotes.list", credit_notes, _credit_note_header))
        return self._reading(lists, since)

    def document(self, kind: DocumentKind, document: DocumentId) -> SalesDocument:
        if kind is DocumentKind.INVOICE:
            return understood(wire.Invoice, mapping.invoice, self._there("invoices.info", document))
        return understood(wire.CreditNote, mapping.credit_note, self._there("creditNotes.info", document))

    def file(self, kind: DocumentKind, document: DocumentId, format: FileFormat) -> bytes:
        method = "invoices.download" if kind is DocumentKind.INVOICE else "creditNotes.download"
        answer = self._there(method, document, format=FORMATS[format])
        content = self._client.fetch(understood(wire.Download, lambda download: download.location, answer))
        begins = content[:200].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
        if not begins.startswith(BEGINNINGS[format]) or begins.startswith(PAGE):
            raise UnexpectedAnswer(vendor=VENDOR, said=f"something else instead of a {format} file")
        return content

    def invoice_states(self, documents: Sequence[DocumentId]) -> Mapping[DocumentId, InvoiceState]:
        rows = self._by_ids("invoices.list", documents, status=list(mapping.ISSUED))
        states = (understood(wire.InvoiceRow, mapping.invoice_state, row) for row in rows)
        return {state.id: state for state in states}

    def payments(self, document: DocumentId) -> Sequence[FocusPayment]:
        found = self._there("invoices.info", document)
        return understood(wire.Invoice, lambda invoice: [mapping.payment(row) for row in invoice.payments], found)

    def register_payment(self, document: DocumentId, amount: Money, paid_at: datetime) -> Outcome[None]:
        body = {
            "id": document,
            "payment": {"amount": wire.json_number(amount.amount), "currency": amount.currency},
            "paid_at": mapping.timestamp(paid_at),
        }
        answer = self._client.send_once("invoices.registerPayment", body)
        if isinstance(answer, Unknown):
            return answer
        if answer.status_code == 204:  # any other success is a page that somebody put before Teamleader
            return Done(None)
        if is_missing(answer):
            return Refused(DocumentGone())
        if answer.status_code in CLEAR_NO:
            return Refused(RefusedByPackage(said=said(answer)))
        return Unknown(why=f"{answer.status_code} {said(answer)}")

    # customers

    def customers(self, refs: Sequence[CustomerRef]) -> Mapping[CustomerRef, Customer]:
        found: dict[CustomerRef, Customer] = {}
        for kind, method, read in _CUSTOMERS:
            wanted = {ref.id: ref for ref in refs if ref.kind is kind}
            # Whether the list hides the deactivated ones unless asked is not documented; those left are asked for.
            for status in ({}, {"status": "deactivated"}):
                missing = [id for id, ref in wanted.items() if ref not in found]
                found.update({(who := read(row)).ref: who for row in self._by_ids(method, missing, **status)})
        return found

    def all_customers(self, since: Cursor | None) -> Iterator[Page[Customer]]:
        order = [{"field": "added_at", "order": "asc"}]  # never moves a row
        return self._reading([_List(method, {}, read, order) for _, method, read in _CUSTOMERS], since)

    # hints

    def register_webhooks(self, url: str) -> None:
        rows = self._client.rows("webhooks.list")
        hooks = [understood(wire.Webhook, lambda hook: hook, row) for row in rows]
        there = {type for hook in hooks if hook.url == url for type in hook.types}
        if missing := [type for type in HINTS if type not in there]:
            self._client.tell("webhooks.register", {"url": url, "types": missing})  # adds; repeating is harmless

    # how it is asked for

    def _there(self, method: str, document: DocumentId, **more: str) -> Any:
        found = self._client.info(method, document, **more)
        if found is None:
            raise DocumentGone()
        return found

    def _by_ids(self, method: str, ids: Sequence[str], **more: Any) -> Iterator[Any]:
        """The rows of these ids, a hundred a call; ids it does not know are left out."""
        for first in range(0, len(ids), PAGE_SIZE):
            for rows in self._client.pages(method, {"filter": {"ids": list(ids[first : first + PAGE_SIZE]), **more}}):
                yield from rows

    def _reading(self, lists: Sequence[_List], cursor: Cursor | None) -> Iterator[Page[Any]]:
        """What changed in these lists, page by page; an empty last page carries where the next reading starts.

        A reading that was broken off goes on one page before where it was: rows that vanished meanwhile move the
        others forward, and coming twice is harmless.
        """
        trip = _Trip.of(cursor) or _Trip(since=cursor or "", following=mapping.timestamp(self._clock.now() - OVERLAP))
        changed = {"updated_since": trip.since} if trip.since else {}
        for step, listed in enumerate(lists):
            if step < trip.step:
                continue
            first = max(1, trip.page - 1) if step == trip.step else 1
            body = {"filter": {**listed.filter, **changed}, **({"sort": listed.sort} if listed.sort else {})}
            for number, rows in enumerate(self._client.pages(listed.method, body, first), first):
                found = tuple(read for row in rows if (read := listed.read(row)) is not None)
                yield Page(found, cursor=trip.at(step, number + 1))
        yield Page((), cursor=Cursor(trip.following))


@dataclass(frozen=True, slots=True)
class _List:
    """One paged list of a reading."""

    method: str
    filter: dict[str, Any]
    read: Callable[[Any], Any]  # None: a row that does not count
    sort: list[dict[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class _Trip:
    """A reading under way, as its cursor tells it. The cursor between readings is a bare timestamp."""

    since: str  # "": everything
    following: str  # from when the next reading reads; taken before the first call of this one
    step: int = 0
    page: int = 1

    @classmethod
    def of(cls, cursor: Cursor | None) -> _Trip | None:
        """None for a cursor between readings, or none at all."""
        if cursor is None or "|" not in cursor:
            return None
        since, following, step, page = cursor.split("|")
        return cls(since, following, int(step), int(page))

    def at(self, step: int, page: int) -> Cursor:
        return Cursor(f"{self.since}|{self.following}|{step}|{page}")


def _invoice_header(row: Any) -> DocumentHeader:
    return understood(wire.InvoiceRow, mapping.invoice_header, row)


def _credit_note_header(row: Any) -> DocumentHeader | None:
    return understood(wire.CreditNoteRow, mapping.credit_note_header, row)


def _company(row: Any) -> Customer:
    return understood(wire.Company, mapping.company, row)


def _contact(row: Any) -> Customer:
    return understood(wire.Contact, mapping.contact, row)


_CUSTOMERS = (
    (CustomerKind.COMPANY, "companies.list", _company),
    (CustomerKind.CONTACT, "contacts.list", _contact),
)
