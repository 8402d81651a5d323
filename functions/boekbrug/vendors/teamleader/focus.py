"""One Teamleader account, as our deeds know it: `ports.Focus`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    SalesDocument,
    TaxRate,
)
from ...domain.errors import DocumentGone, RefusedByPackage
from ...domain.ledger import Cursor, Done, Outcome, Page, Refused, Unknown
from ...domain.money import Money
from ...domain.relations import Customer
from ...ports import FocusPayment, FocusUser, InvoiceState
from ..oauth import Room
from . import mapping, wire
from .client import PAGE_SIZE, Client, said
from .mapping import understood

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

READ_ALL = Cursor("")  # the cursor of somebody who has none yet


class TeamleaderFocus:
    """Reads and writes of one account; see `ports.Focus` for what each promises, QUIRKS.md for what each costs."""

    def __init__(self, room: Room) -> None:
        self._client = Client(room)
        self._clock = room.clock

    # reference data

    def me(self) -> FocusUser:
        return understood(wire.User, mapping.user, self._client.read("users.me"))

    def entities(self) -> Sequence[Entity]:
        rows = self._client.read("departments.list", {"filter": {"status": ["active"]}})
        return [understood(wire.Department, mapping.entity, row) for row in rows]

    def tax_rates(self) -> Sequence[TaxRate]:
        pages = self._client.pages("taxRates.list", {})
        return [understood(wire.TaxRate, mapping.tax_rate, row) for rows in pages for row in rows]

    def categories(self) -> Sequence[Category]:
        rows = self._client.read("productCategories.list")
        return [understood(wire.ProductCategory, mapping.category, row) for row in rows]

    # documents

    def documents(
        self, entities: Sequence[EntityId], start: date, since: Cursor | None
    ) -> Iterator[Page[DocumentHeader]]:
        given, following = since or READ_ALL, self._cursor()
        for entity in entities:
            changed = {"department_id": entity, **_since(given)}
            invoices = {
                "filter": {**changed, "status": list(mapping.ISSUED), "invoice_date_after": start.isoformat()},
                # Oldest first: what is issued meanwhile lands behind us. Never its own default, which is disputed.
                "sort": [{"field": field, "order": "asc"} for field in ("invoice_date", "invoice_number")],
            }
            for rows in self._client.pages("invoices.list", invoices):
                yield Page(
                    tuple(understood(wire.InvoiceRow, mapping.invoice_header, row) for row in rows), cursor=given
                )
            credit_notes = {"filter": {**changed, "credit_note_date_after": start.isoformat()}}  # takes no sort
            for rows in self._client.pages("creditNotes.list", credit_notes):
                headers = (understood(wire.CreditNoteRow, mapping.credit_note_header, row) for row in rows)
                yield Page(tuple(header for header in headers if header), cursor=given)
        yield Page((), cursor=following)

    def document(self, kind: DocumentKind, document: DocumentId) -> SalesDocument:
        if kind is DocumentKind.INVOICE:
            return understood(wire.Invoice, mapping.invoice, self._there("invoices.info", document))
        return understood(wire.CreditNote, mapping.credit_note, self._there("creditNotes.info", document))

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
        if answer.is_success:
            return Done(None)
        if answer.status_code == 404:
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
        given, following = since or READ_ALL, self._cursor()
        for _, method, read in _CUSTOMERS:
            body = {"filter": _since(given), "sort": [{"field": "added_at", "order": "asc"}]}  # never moves a row
            for rows in self._client.pages(method, body):
                yield Page(tuple(read(row) for row in rows), cursor=given)
        yield Page((), cursor=following)

    # hints

    def register_webhooks(self, url: str) -> None:
        rows = self._client.read("webhooks.list")
        hooks = [understood(wire.Webhook, lambda hook: hook, row) for row in rows]
        there = {type for hook in hooks if hook.url == url for type in hook.types}
        if missing := [type for type in HINTS if type not in there]:
            self._client.read("webhooks.register", {"url": url, "types": missing})  # adds; repeating is harmless

    # how it is asked for

    def _there(self, method: str, document: DocumentId) -> Any:
        found = self._client.info(method, document)
        if found is None:
            raise DocumentGone()
        return found

    def _by_ids(self, method: str, ids: Sequence[str], **more: Any) -> Iterator[Any]:
        """The rows of these ids, a hundred a call; ids it does not know are left out."""
        for first in range(0, len(ids), PAGE_SIZE):
            for rows in self._client.pages(method, {"filter": {"ids": list(ids[first : first + PAGE_SIZE]), **more}}):
                yield from rows

    def _cursor(self) -> Cursor:
        """Taken before the first call of a reading: what changes while we read is read again next time."""
        return Cursor(mapping.timestamp(self._clock.now() - OVERLAP))


def _since(cursor: Cursor) -> dict[str, str]:
    return {"updated_since": cursor} if cursor else {}


def _company(row: Any) -> Customer:
    return understood(wire.Company, mapping.company, row)


def _contact(row: Any) -> Customer:
    return understood(wire.Contact, mapping.contact, row)


_CUSTOMERS = (
    (CustomerKind.COMPANY, "companies.list", _company),
    (CustomerKind.CONTACT, "contacts.list", _contact),
)
