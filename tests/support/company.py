"""A Belgian company with Teamleader and its books, connected by the bridge, for flow tests that read like sentences.

    invoice = company.invoices("100.00")
    company.exports()
    assert company.booked(invoice)

Amounts are texts or Decimals, days are ISO texts; what comes back from Teamleader's fake is in its own spelling.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from boekbrug.domain.connections import JobKind
from boekbrug.domain.documents import AccountId
from boekbrug.domain.ledger import AdministrationId
from boekbrug.ports import JobKey
from boekbrug.vendors import registry
from fakes.teamleader.seed import belgian_vat, uid
from infra.local.fake_control import FakeControl
from infra.local.person import Person

from .books import DAY, PAID_ON, START, Booked, Books, Typed, next_number
from .exact_books import ExactBooks
from .octopus_books import OctopusBooks
from .stage import Stage

ACCOUNT = uid("flow", "account")
USER = uid("flow", "user")
DEPARTMENT = uid("flow", "department")
RATES = {name: uid("flow", "rate", name) for name in ("21", "6")}

BOOKS: dict[str, type[Books]] = {"exact": ExactBooks, "octopus": OctopusBooks}
PACKAGES = [name for name in BOOKS if name in registry.PACKAGES]
"""The packages a company can be connected with, and whose books are here."""
every_package = pytest.mark.parametrize("package", PACKAGES)
"""For a flow test that makes sense whatever the package."""


@dataclass(frozen=True)
class Document:
    """An invoice or credit note in Teamleader."""

    id: str
    kind: str  # "invoice" or "credit_note"
    number: str
    customer: str
    net: Decimal
    vat: Decimal

    @property
    def gross(self) -> Decimal:
        return self.net + self.vat


@dataclass(frozen=True)
class Entity:
    """A legal entity in a Teamleader account, who signs in there, and the ids of its tax rates."""

    id: str = DEPARTMENT
    name: str = "Atelier Zandloper BV"
    account: str = ACCOUNT
    user: str = USER
    rates: Mapping[str, str] = field(default_factory=lambda: RATES)


def an_entity(name: str, account: str = ACCOUNT, user: str = USER) -> Entity:
    """Another one, with the same VAT number; in the same account, or in one of its own."""
    return Entity(uid("flow", name), name, account, user, {rate: uid("flow", name, rate) for rate in RATES})


@dataclass
class Company:
    stage: Stage
    books: Books
    person: Person
    connection: str
    login: str
    entity: Entity = field(default_factory=Entity)
    _customers: dict[str, str] = field(default_factory=dict)

    @property
    def account(self) -> AccountId:
        return AccountId(self.entity.account)

    @property
    def administration(self) -> AdministrationId:
        return self.books.administration

    # --- what people do in Teamleader ---

    def customer(self, name: str = "Bakkerij Wolk BV", **changes: Any) -> str:
        """A customer with this name, made when it is first mentioned; its id."""
        if name not in self._customers or changes:
            row = a_customer(name, self.account, **changes)
            self._customers[name] = self.stage.teamleader.post("seed", companies=[row])["companies"][0]
        return self._customers[name]

    def vat_number(self, customer: str) -> str:
        return next(row["vat_number"] for row in self.stage.teamleader.state("relations") if row["id"] == customer)

    def invoices(
        self,
        net: str = "100.00",
        *,
        rate: str = "21",
        customer: str = "",
        day: str = DAY,
        number: str = "",
        **more: Any,
    ) -> Document:
        """Issue an invoice of one line."""
        row = self._document(net, rate, customer, invoice_date=day, invoice_number=number or None, **more)
        return self._known("invoice", self.stage.teamleader.post("seed", invoices=[row])["invoices"][0])

    def drafts(self, net: str) -> None:
        row = self._document(net, "21", "", status="draft")
        self.stage.teamleader.post("seed", invoices=[row])

    def credits(self, invoice: Document, net: str = "", *, day: str = DAY) -> Document:
        """Issue a credit note for an invoice: the whole of it, or a part."""
        body: dict[str, Any] = {"tenant": self.account, "booking": invoice.id, "credit_note_date": day}
        if net:
            body["grouped_lines"] = [{"line_items": [a_line(net, "21", self.entity.rates)]}]
        return self._known("credit_note", self.stage.teamleader.post("credit", **body)["id"])

    def _document(self, net: str, rate: str, customer: str, **more: Any) -> dict[str, Any]:
        return {
            "tenant": self.account,
            "department": {"type": "department", "id": self.entity.id},
            "invoicee": {"customer": {"type": "company", "id": customer or self.customer()}},
            "grouped_lines": [{"line_items": [a_line(net, rate, self.entity.rates)]}],
            **more,
        }

    def _known(self, kind: str, id: str) -> Document:
        row = next(row for row in self.stage.teamleader.state("documents") if row["id"] == id)
        total = row["total"]
        net, gross = (Decimal(str(total[name]["amount"])) for name in ("tax_exclusive", "tax_inclusive"))
        number = row["invoice_number" if kind == "invoice" else "credit_note_number"]
        return Document(id, kind, number, row["invoicee"]["customer"]["id"], net, gross - net)

    def edits(self, invoice: Document, net: str) -> None:
        lines = [{"line_items": [a_line(net, "21", self.entity.rates)]}]
        self.stage.teamleader.post("edit", tenant=self.account, booking=invoice.id, grouped_lines=lines)

    def corrects_customer(self, id: str, **changes: Any) -> None:
        """Change a customer's record, as a person does; over the API of the same fake."""
        token = self.stage.house().logins.of_account(self.account)
        focus = next(login for login in token if login.vendor == "teamleader")
        answer = self.stage.browser().post(
            "https://teamleader.example/companies.update",
            json={"id": id, **changes},
            headers={"Authorization": f"Bearer {focus.tokens.access}"},
        )
        answer.raise_for_status()

    def registers_by_hand(self, invoice: Document, amount: Decimal | str, day: str = PAID_ON) -> None:
        """A person registers a payment in Teamleader."""
        self.stage.teamleader.post("pay", tenant=self.account, booking=invoice.id, amount=str(amount), date=day)

    # --- what the bookkeeper does in the books ---

    def relation(self, name: str, vat_number: str = "") -> str:
        """A customer in the books; its id."""
        return self.books.relation(name, vat_number)

    def books_by_hand(
        self,
        document: Document,
        gross: Decimal | None = None,
        *,
        relation: str,
        vat: Decimal | None = None,
        reference: str = "",
        day: str = DAY,
        kind: str = "",
        journal: str = "",
        text: str = "Met de hand",
    ) -> str:
        """The bookkeeper types a document into the books; the booking's id. All after it: other than it says."""
        kind = kind or document.kind
        gross = document.gross if gross is None else gross
        if vat is None:
            net = document.net if gross == document.gross else (gross / Decimal("1.21")).quantize(Decimal("0.01"))
            vat = gross - net
        journal = journal or self.books.journals[kind]
        reference = reference or document.number
        return self.books.book(Typed(kind, reference, relation, day, gross - vat, vat, journal, text))

    def pays(
        self, document: Document, amount: Decimal | str | None = None, day: str = PAID_ON, kind: str = "bank"
    ) -> None:
        """The bookkeeper settles the booking of a document, in full or in part."""
        (booking,) = self.booked(document)
        self.books.pay(booking.id, document.gross if amount is None else amount, day, kind)

    def matches(self, invoice: Document, credit_note: Document, amount: Decimal | str) -> None:
        a, b = (self.booked(document)[0].id for document in (invoice, credit_note))
        self.books.match(a, b, amount)

    def unmatches(self, document: Document) -> None:
        self.books.unmatch(self.booked(document)[0].id)

    def closes(self, month: int, journal: str = "") -> Sequence[int]:
        """Nothing of that month any more in a journal: that of invoices unless another is named. The months closed."""
        return self.books.close(month, journal or self.books.journals["invoice"])

    def reopens(self, month: int, journal: str = "") -> Sequence[int]:
        return self.books.reopen(month, journal or self.books.journals["invoice"])

    # --- what goes wrong at the package ---

    def fault(self, send: str, do: Any, **more: Any) -> None:
        """What becomes of sending a "booking" or a "relation"; `nth` and `times` as in fakes/README.md."""
        method, _, path = self.books.sends[send].partition(" ")
        match = {"method": method, "path": path, **({"nth": more.pop("nth")} if "nth" in more else {})}
        self.books.control.post("faults", match=match, do=do, **more)

    @contextmanager
    def exact_counts_differently(self, kind: int) -> Iterator[None]:
        """Its answers about entries of this type say a cent more VAT than was sent."""

        def a_cent_more(answer: Any) -> None:
            entry = answer.get("d", {})
            if entry.get("Type") == kind:
                entry["VATAmountFC"] += 0.01

        twist = ("POST /api/v1/.*/SalesEntries$", a_cent_more)
        self.stage.line.twists.append(twist)
        yield
        self.stage.line.twists.remove(twist)

    # --- what the person at the bridge does ---

    def signs_in_again(self) -> None:
        """A session lasts eight hours."""
        self.person = self.stage.person(self.entity.user)

    def asks_for(self, kind: str) -> None:
        """Press "sync now", long enough after the last time for a look to be worth it; nothing has run yet."""
        if self.books.between_looks_s:
            self.stage.teamleader.post("clock", advance_s=self.books.between_looks_s)
        self.presses_sync_now(kind)

    def presses_sync_now(self, kind: str) -> None:
        self.person.sync(self.connection, kind)

    def exports(self) -> None:
        self.asks_for("documents")
        self.stage.settle()

    def imports_payments(self) -> None:
        self.asks_for("payments")
        self.stage.settle()

    def refreshes(self) -> None:
        """Read the ledger accounts again."""
        self.asks_for("accounts")
        self.stage.settle()

    def accepts_mappings(self, without: tuple[str, ...] = ()) -> None:
        """Accept what is proposed, but for the rates in `without`."""
        proposal = self.person.get(f"{self._at}/mappings")["proposal"]
        for rate in without:
            del proposal["vat_codes"][self.entity.rates[rate]]
        self.person.put(f"{self._at}/mappings", proposal)

    def consents_again(self) -> None:
        """Log in at the package once more."""
        assert self.books.consent(self.person) == self.login

    def runs_by_itself(self) -> None:
        """Switch to automatic."""
        self.person.patch(self._at, automatic=True)

    def books_again(self, document: Document) -> None:
        """Have a document that is held looked at again; one that was deleted in the books is booked again."""
        self.person.post(f"{self._at}/documents/{document.id}/retry")

    def decides(self, customer: str, **decision: Any) -> None:
        self.person.post(f"{self._at}/relations/decisions", customer=f"company:{customer}", **decision)

    # --- what there is to see ---

    @property
    def _at(self) -> str:
        return f"/api/connections/{self.connection}"

    def bookings(self) -> list[Booked]:
        """Every sales entry of this year in the books."""
        return list(self.books.bookings())

    def booked(self, document: Document) -> list[Booked]:
        """The bookings that carry the document's number, of its kind."""
        return [one for one in self.bookings() if (one.kind, one.reference) == (document.kind, document.number)]

    def relations(self, name: str = "Bakkerij Wolk BV") -> list[str]:
        """The ids of those with this name in the books."""
        return self.books.relations(name)

    def payments(self, document: Document) -> list[Decimal]:
        """What Teamleader holds as paid of an invoice."""
        rows = self.stage.teamleader.state("payments")
        return [Decimal(str(row["amount"])) for row in rows if row["document"] == document.id]

    def is_paid(self, document: Document) -> bool:
        return next(row["paid"] for row in self.stage.teamleader.state("documents") if row["id"] == document.id)

    def shown(self, document: Document) -> dict[str, Any]:
        """What the bridge tells people about a document."""
        return next(row for row in self.person.all_documents(self.connection) if row["id"] == document.id)

    def problems(self) -> dict[str, list[str]]:
        """Sentences by cause."""
        groups = self.person.get(f"{self._at}/problems")["groups"]
        return {group["cause"]: [problem["sentence"] for problem in group["problems"]] for group in groups}

    def job(self, kind: str) -> dict[str, Any]:
        jobs = self.person.get(f"{self._at}/jobs")["jobs"]
        return next(job for job in jobs if job["kind"] == kind)

    def job_key(self, kind: str) -> JobKey:
        return JobKey(self.account, self.administration, JobKind(kind))

    def unsettled(self) -> int:
        return len(self.stage.house().links(self.account, self.administration).unsettled())

    @contextmanager
    def counting_changes(self) -> Iterator[list[str]]:
        """What is changed at either vendor meanwhile; new tokens do not count."""
        changes: list[str] = []
        begun = [(fake, len(fake.journal())) for fake in (self.stage.teamleader, self.books.control)]
        yield changes
        for fake, before in begun:
            rows = [row for row in fake.journal()[before:] if row["changed"] and "oauth" not in row["path"]]
            changes += [f"{row['method']} {row['path']}" for row in rows]


def a_line(net: str, rate: str, rates: Mapping[str, str] = RATES) -> dict[str, Any]:
    return {
        "quantity": 1,
        "description": "Werk",
        "unit_price": {"amount": Decimal(net), "tax": "excluding"},
        "tax_rate_id": rates[rate],
    }


def a_customer(name: str, account: str = ACCOUNT, **changes: Any) -> dict[str, Any]:
    """A Belgian company as Teamleader keeps it."""
    email = changes.pop("email", "boekhouding@klant.example")
    return {
        "tenant": account,
        "name": name,
        "vat_number": belgian_vat(next_number()),
        "emails": [{"type": "primary", "email": email}],
        **changes,
    }


def a_connected_company(stage: Stage, package: str = "exact", *, mappings: bool = True) -> Company:
    """The company, signed in and connected; nothing was exported yet."""
    control: FakeControl = getattr(stage, package)
    books = BOOKS[package](control)
    books.fill()
    opens_account(stage, ACCOUNT, USER)
    return connects(stage, books, Entity(), mappings=mappings)


def connects(stage: Stage, books: Books, entity: Entity, *, mappings: bool = True) -> Company:
    """An entity that is new in Teamleader is connected with these books; what stands in those stays."""
    stage.teamleader.post("seed", **_focus(entity))
    person = stage.person(entity.user)
    login = books.consent(person)
    made = person.post(
        "/api/connections",
        entity=entity.id,
        login=login,
        administration=books.administration,
        start=START,
        invoice_journal=books.journals["invoice"],
        credit_note_journal=books.journals["credit_note"],
    )
    company = Company(stage, books, person, made["id"], login, entity)
    stage.settle()
    if mappings:
        company.accepts_mappings()
    return company


def opens_account(stage: Stage, account: str, user: str) -> None:
    """A Teamleader account with one user comes to be."""
    accounts, users = [{"id": account, "name": "Atelier Zandloper"}], [{"id": user, "tenant": account}]
    stage.teamleader.post("seed", accounts=accounts, users=users)


def _focus(entity: Entity) -> Mapping[str, Any]:
    return {
        "departments": [
            {
                "id": entity.id,
                "tenant": entity.account,
                "name": entity.name,
                "vat_number": belgian_vat(12_345_678),
                "address": {"line_1": "Zandstraat 1", "postal_code": "9000", "city": "Gent", "country": "BE"},
            }
        ],
        "tax_rates": [
            {
                "id": id,
                "tenant": entity.account,
                "description": f"{name} %",
                "rate": Decimal(name) / 100,
                "department": {"type": "department", "id": entity.id},
            }
            for name, id in entity.rates.items()
        ],
    }
