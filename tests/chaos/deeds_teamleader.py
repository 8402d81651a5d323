"""Everything the bridge asks of Teamleader."""

from __future__ import annotations

from datetime import date
from typing import Any

from boekbrug.domain.documents import CustomerKind, CustomerRef, DocumentId, DocumentKind, FileFormat
from boekbrug.domain.money import Money
from boekbrug.vendors.oauth import Room
from boekbrug.vendors.registry import door_of
from infra.local.fake_control import FakeControl

from .deed_room import NOW, Run

NOWHERE = CustomerRef(CustomerKind.CONTACT, "99999999-2222-3333-4444-555555555555")


def teamleader_deeds(clean: Room, control: FakeControl) -> dict[str, Run]:
    door = door_of("teamleader")
    focus = door.open_focus(clean)
    entities = [entity.id for entity in focus.entities()]
    headers = [row for page in focus.documents(entities, date(2026, 1, 1), None) for row in page.rows]
    invoice = next(row.id for row in headers if row.kind is DocumentKind.INVOICE)
    credit_note = next(row.id for row in headers if row.kind is DocumentKind.CREDIT_NOTE)
    customer = focus.document(DocumentKind.INVOICE, invoice).customer
    unpaid = next(s for s in focus.invoice_states([row.id for row in headers]).values() if not s.paid)

    def opened(room: Room) -> Any:
        return door.open_focus(room)

    def file(kind: DocumentKind, document: DocumentId, format: FileFormat) -> Run:
        return lambda room: opened(room).file(kind, document, format)

    return {
        "me": lambda room: opened(room).me(),
        "entities": lambda room: opened(room).entities(),
        "tax_rates": lambda room: opened(room).tax_rates(),
        "categories": lambda room: opened(room).categories(),
        "documents": lambda room: list(opened(room).documents(entities[:1], date(2026, 11, 1), None)),
        "document": lambda room: opened(room).document(DocumentKind.INVOICE, invoice),
        "document (credit note)": lambda room: opened(room).document(DocumentKind.CREDIT_NOTE, credit_note),
        "file": file(DocumentKind.INVOICE, invoice, FileFormat.PDF),
        "file (UBL)": file(DocumentKind.INVOICE, invoice, FileFormat.UBL),
        "file (credit note)": file(DocumentKind.CREDIT_NOTE, credit_note, FileFormat.PDF),
        "customers": lambda room: opened(room).customers([customer, NOWHERE]),
        "all_customers": lambda room: list(opened(room).all_customers(None)),
        "invoice_states": lambda room: opened(room).invoice_states([invoice]),
        "payments": lambda room: opened(room).payments(invoice),
        "register_payment": lambda room: opened(room).register_payment(unpaid.id, Money.of("1.00", "EUR"), NOW),
        "register_webhooks": lambda room: opened(room).register_webhooks("https://boekbrug.example/hint"),
    }
