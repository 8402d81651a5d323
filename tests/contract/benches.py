"""Benches: a ledger, and behind its back the hands of a bookkeeper and of fate.

The contract suite asks a bench for its ledger and pulls its levers; how a package is paid in, or how an answer gets
lost, is the bench's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

import httpx

from boekbrug.domain.connections import LoginId
from boekbrug.domain.documents import AccountId, DocumentKind
from boekbrug.domain.ledger import BookingRef, SalesEntry
from boekbrug.domain.money import Money
from boekbrug.domain.relations import Address, Relation, RelationRef
from boekbrug.ports import Ledger, Login, Package, Tokens
from boekbrug.store.memory import MemoryStore, MemoryTable
from boekbrug.vendors.exact import door
from boekbrug.vendors.http import Http
from boekbrug.vendors.memory import (
    MemoryAdministration,
    MemoryLedger,
    MemoryPackage,
    NumberedAdministration,
    NumberedLedger,
)
from boekbrug.vendors.oauth import App, Room, TokenKeeper
from boekbrug.vendors.octopus import door as octopus
from boekbrug.vendors.registry import administration_id, login_id
from fakes.exact import ExactFake
from fakes.octopus import OctopusFake
from tests.support.clocks import StillClock
from tests.support.logins import MemoryLogins
from tests.support.rooms import ACCOUNT, a_room


class Bench(Protocol):
    """One administration with a year of open periods, two sales journals and VAT codes of 21, 6 and 0 per cent."""

    ledger: Ledger
    package: Package
    year: int  # whose periods are open
    odd_account: str  # exists, but takes no revenue

    # what a bookkeeper does by hand
    def add_relation(self, name: str, vat_number: str = "", *, customer: bool = True) -> RelationRef:
        """A relation as somebody typed it."""
        ...

    def add_namesakes(self, name: str, count: int) -> None: ...
    def book_by_hand(self, entry: SalesEntry) -> None:
        """The same document, typed in by a person: its number as reference, without our key."""
        ...

    def close_period(self, day: date, journal: str) -> None: ...
    def pay(self, booking: BookingRef, amount: Money, day: date) -> None: ...
    def write_off(self, booking: BookingRef, amount: Money, day: date) -> None: ...
    def match(self, invoice: BookingRef, credit_note: BookingRef, amount: Money, day: date) -> None: ...
    def unmatch(self, invoice: BookingRef, other: BookingRef | None = None) -> None:
        """Undo the match with that credit note; without one, the match with the payment."""
        ...

    def delete(self, booking: BookingRef) -> None: ...
    def let_time_pass(self) -> None:
        """So long that the vendor is worth another look, which then tells only what is new."""
        ...

    # what fate does
    def lose_next_answer(self) -> None:
        """The next write arrives; its answer does not."""
        ...

    def lose_next_request(self) -> None: ...

    # what the books hold
    def vat_by_code(self, booking: BookingRef) -> Mapping[str, tuple[Money, Money]]:
        """Net and VAT per code, signed as printed."""
        ...

    def files_of(self, booking: BookingRef) -> Sequence[str]:
        """The names of what hangs on a booking; asked only where there is a cabinet."""
        ...


class NumberedBench(Bench, Protocol):
    """Levers more, where numbers are chosen by whoever books (`abilities.caller_numbers`)."""

    def another_account(self) -> Ledger:
        """The same administration, for another account of ours."""
        ...

    def open_at_a_desk(self, journal: str) -> None:
        """Somebody works in this journal, in the package itself."""
        ...

    def close_at_the_desk(self, journal: str) -> None: ...


class MemoryBench:
    """Books in memory."""

    year = 2026
    odd_account = "550000"

    def __init__(self) -> None:
        self._opened(MemoryAdministration())
        self.ledger: Ledger = MemoryLedger(self.books)

    def _opened(self, books: MemoryAdministration) -> None:
        self.books = books
        self.package = MemoryPackage(self.books)
        self.pay = self.books.pay
        self.write_off = self.books.write_off
        self.match = self.books.match
        self.delete = self.books.delete
        self.vat_by_code = self.books.vat_by_code
        self.files_of = self.books.files_of
        self.close_period = self.books.close_period

    def add_relation(self, name: str, vat_number: str = "", *, customer: bool = True) -> RelationRef:
        nowhere = Address("", "", "", "")
        relation = Relation(RelationRef(""), "", name, vat_number, "", "", "", nowhere, customer, blocked=False)
        return self.books.add_relation(relation).ref

    def add_namesakes(self, name: str, count: int) -> None:
        for _ in range(count):
            self.add_relation(name)

    def book_by_hand(self, entry: SalesEntry) -> None:
        self.books.add_booking(entry, by_hand=True)

    def unmatch(self, invoice: BookingRef, other: BookingRef | None = None) -> None:
        self.books.unmatch(invoice)

    def let_time_pass(self) -> None:
        """Every look at it is worth it."""

    def lose_next_answer(self) -> None:
        self.books.lost_answers += 1

    def lose_next_request(self) -> None:
        self.books.lost_requests += 1


class MemoryNumberedBench(MemoryBench):
    """Books in memory that take only the next number."""

    def __init__(self) -> None:
        self._numbers, self._clock = MemoryStore(MemoryTable()).numbers, StillClock()
        self._opened(NumberedAdministration())
        self.ledger = self._ledger("account")
        self.open_at_a_desk = self.books.in_use.add
        self.close_at_the_desk = self.books.in_use.remove

    def another_account(self) -> Ledger:
        return self._ledger("another")

    def _ledger(self, account: str) -> Ledger:
        return NumberedLedger(self.books, self._numbers, self._clock, self._clock, account)


class ExactBench:
    """A division of the fake Exact Online, entered through the vendor's own door."""

    year = 2026
    division = 3001234  # of the fake's demo: Belgian, entries are processed as they come

    def __init__(self, fake: ExactFake, client: httpx.Client, base_url: str) -> None:
        self._fake = fake
        self._web = client
        self._url = base_url
        described = fake.described(base_url)
        app = App(
            vendor="exact",
            realm="be",
            client_id=described["client_id"],
            client_secret=described["client_secret"],
            redirect_uri="https://boekbrug.example/callback",
            auth_url=base_url,
            api_url=base_url,
        )
        self._lever("seed", {"redirect_uris": [app.redirect_uri]})
        http = Http("exact", client, sleep=lambda seconds: None)
        self.room = a_room(app, http, self._tokens(app, http), fake.clock)
        self.package = door.open_package(self.room)
        self.ledger = door.open_ledger(self.room, administration_id("exact", "be", str(self.division)))
        self.odd_account = next(row["ID"] for row in self._state("accounts") if row["Type"] == 24)

    def _tokens(self, app: App, http: Http) -> TokenKeeper:
        """Consent in the browser, the code, the first pair: a login as `connect` makes it."""
        consent = self._web.get(door.authorize_url(app, "state") + "&auto=1")
        code = httpx.URL(consent.headers["location"]).params["code"]
        clock = self._fake.clock
        tokens = door.exchange(app, http, code, clock.now())
        user = door.user_of(app, http, tokens.access)
        login = Login(LoginId(f"exact.be.{user}"), ACCOUNT, "exact", "be", user, tokens)
        return TokenKeeper(
            login.account,
            login.id,
            MemoryLogins(login),
            clock,
            clock,
            lambda refresh_token: door.refresh(app, http, refresh_token, clock.now()),
            vendor="exact",
            not_before_s=door.NOT_BEFORE_S,
        )

    def add_relation(self, name: str, vat_number: str = "", *, customer: bool = True) -> RelationRef:
        row = {"Name": name, "VATNumber": vat_number or None, "Status": "C" if customer else "P"}
        made = self._lever("seed", {"accounts": [{"tenant": self.division, **row}]})
        return RelationRef(made["accounts"][0])

    def add_namesakes(self, name: str, count: int) -> None:
        self._lever("seed", {"accounts": [{"tenant": self.division, "Name": name, "Status": "C"}] * count})

    def book_by_hand(self, entry: SalesEntry) -> None:
        self._lever(
            "book_by_hand",
            {
                "Customer": entry.relation,
                "Journal": entry.journal,
                "EntryDate": entry.day.isoformat(),
                "YourRef": entry.number,
                "Description": "Getypt",
                "SalesEntryLines": [
                    {"GLAccount": line.account, "AmountFC": float(line.net.amount), "VATCode": line.vat_code}
                    for line in entry.lines
                ],
            },
        )

    def close_period(self, day: date, journal: str) -> None:
        self._lever("close_period", {"year": day.year, "period": day.month, "journal": journal})

    def pay(self, booking: BookingRef, amount: Money, day: date) -> None:
        self._pay(booking, amount, day, "bank")

    def write_off(self, booking: BookingRef, amount: Money, day: date) -> None:
        self._pay(booking, amount, day, "write_off")

    def _pay(self, booking: BookingRef, amount: Money, day: date, kind: str) -> None:
        self._lever("pay", {"booking": booking, "amount": str(amount.amount), "date": day.isoformat(), "kind": kind})

    def match(self, invoice: BookingRef, credit_note: BookingRef, amount: Money, day: date) -> None:
        self._lever("match", {"a": invoice, "b": credit_note, "amount": str(amount.amount), "date": day.isoformat()})

    def unmatch(self, invoice: BookingRef, other: BookingRef | None = None) -> None:
        self._lever("unmatch", {"a": invoice, **({"b": other} if other else {})})

    def delete(self, booking: BookingRef) -> None:
        self._lever("delete_booking", {"booking": booking})

    def let_time_pass(self) -> None:
        """Changes are counted there, not timed."""

    # what only Exact knows

    def add_patient_journal(self, code: str) -> None:
        """A sales journal whose entries wait until somebody processes them."""
        row = {"Code": code, "Description": "Verkopen, later", "Type": 20, "AutoSave": False}
        self._lever("seed", {"journals": [{"tenant": self.division, **row}]})

    def process(self, booking: BookingRef) -> None:
        self._lever("process", {"booking": booking})

    def select_for_collection(self, booking: BookingRef) -> None:
        self._lever("select_for_collection", {"booking": booking})

    # what fate does

    def lose_next_answer(self) -> None:
        self._fault("commit_then_drop")

    def lose_next_request(self) -> None:
        self._fault("drop_before")

    def vat_by_code(self, booking: BookingRef) -> Mapping[str, tuple[Money, Money]]:
        row = next(row for row in self._state("bookings") if row["id"] == booking)
        sign = -1 if row["Type"] == 21 else 1
        found: dict[str, tuple[Money, Money]] = {}
        for line in row["lines"]:
            zero = Money.zero(row["Currency"])
            net, vat = found.get(line["VATCode"], (zero, zero))
            amounts = (Money(sign * Decimal(str(line[name])), zero.currency) for name in ("AmountFC", "VATAmountFC"))
            found[line["VATCode"]] = (net + next(amounts), vat + next(amounts))
        return found

    def files_of(self, booking: BookingRef) -> Sequence[str]:
        return next(row["attachments"] for row in self._state("bookings") if row["id"] == booking)

    def _fault(self, do: str) -> None:
        answer = self._web.post(f"{self._url}/_fake/faults", json=[{"match": {"method": "POST"}, "do": do}])
        assert answer.is_success, answer.text

    def _state(self, section: str) -> list[dict[str, Any]]:
        rows = self._web.get(f"{self._url}/_fake/state", params={"only": section}).json()[section]
        return [row for row in rows if row["tenant"] == self.division]

    def _lever(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        tenant = {} if name == "seed" else {"tenant": self.division}
        answer = self._web.post(f"{self._url}/_fake/{name}", json={**tenant, **body})
        assert answer.is_success, f"{name}: {answer.text}"
        return answer.json()


class OctopusBench:
    """A dossier of the fake Octopus, entered through the vendor's own door: by user and password, or by consent."""

    year = 2026
    dossier = 70001  # of the fake's demo: months, V1 and V2
    odd_account = "451000"

    def __init__(
        self,
        fake: OctopusFake,
        client: httpx.Client,
        base_url: str,
        account: AccountId = ACCOUNT,
        *,
        consent: bool = False,
    ) -> None:
        self._fake = fake
        self._web = client
        self.url = base_url
        self._store = MemoryStore(MemoryTable())
        described = fake.described(base_url)
        self._app = App(
            vendor="octopus",
            realm="-",
            client_id=described["software_house_uuid"],
            client_secret="",
            redirect_uri="https://boekbrug.example/callback",
            auth_url=base_url,
            api_url=base_url,
        )
        self._http = Http("octopus", client, sleep=lambda seconds: None)
        self.user, self._password = described["user"], described["password"]
        self.room = self._room(account, self._consented() if consent else self._logged_in())
        self.package = octopus.open_package(self.room)
        self.ledger = octopus.open_ledger(self.room, self._administration)

    _administration = administration_id("octopus", "-", str(dossier))

    def _logged_in(self) -> Tokens:
        return octopus.log_in(self._app, self._http, self.user, self._password, self._fake.clock.now())

    def _consented(self) -> Tokens:
        self._lever("seed", {"redirect_uris": [self._app.redirect_uri]})
        consent = self._web.get(octopus.authorize_url(self._app, "state") + "&auto=1")
        code = httpx.URL(consent.headers["location"]).params["code"]
        tokens = octopus.exchange(self._app, self._http, code, self._fake.clock.now())
        assert octopus.user_of(self._app, self._http, tokens.access) == self.user
        return tokens

    def _room(self, account: AccountId, tokens: Tokens) -> Room:
        """A login as somebody of that account makes it; logins and numbers are the house's."""
        clock, http, app = self._fake.clock, self._http, self._app
        login = Login(login_id("octopus", "-", self.user), account, "octopus", "-", self.user, tokens)
        logins = self._store.logins
        logins.save_new(login)
        keeper = TokenKeeper(
            account,
            login.id,
            logins,
            clock,
            clock,
            lambda refresh_token: octopus.refresh(app, http, refresh_token, clock.now()),
            vendor="octopus",
        )
        return a_room(app, http, keeper, clock, account, login=login.id, store=self._store)

    def add_relation(self, name: str, vat_number: str = "", *, customer: bool = True) -> RelationRef:
        kind = {"client": customer, "supplier": not customer}
        row = {"tenant": self.dossier, "name": name, "vatNr": vat_number, "country": "BE", **kind}
        return RelationRef(str(self._lever("seed", {"relations": [row]})["relations"][0]))

    def add_namesakes(self, name: str, count: int) -> None:
        self._lever("seed", {"relations": [{"tenant": self.dossier, "name": name, "client": True}] * count})

    def book_by_hand(self, entry: SalesEntry) -> None:
        side = 1 if entry.kind is DocumentKind.INVOICE else -1
        self._lever(
            "book_by_hand",
            {
                "journalKey": entry.journal,
                "relationIdentificationServiceData": {"relationKey": {"id": int(entry.relation)}},
                "documentDate": entry.day.isoformat(),
                "reference": entry.number,
                "comment": "Getypt",
                "amount": side * float(entry.gross.amount),
                "currencyCode": entry.currency,
                "bookingLines": [
                    {
                        "accountKey": int(line.account),
                        "vatCodeKey": line.vat_code,
                        "baseAmount": float(line.net.amount),
                        "vatAmount": float(line.vat.amount),
                    }
                    for line in entry.lines
                ],
            },
        )

    def close_period(self, day: date, journal: str) -> None:
        self._lever("close_period", {"year": day.year, "period": day.month, "journal": journal})

    def let_time_pass(self) -> None:
        """Longer than the overlap in which the same rows are listed again, and than a look must do."""
        self._fake.clock.set(advance_s=4 * 3600)

    # what only Octopus knows

    def another_account(self) -> Ledger:
        return octopus.open_ledger(self._room(AccountId("another"), self._logged_in()), self._administration)

    def change_password(self, password: str) -> None:
        body = {"user": self.user, "password": password}
        self._web.post(f"{self.url}/_fake/edit_user", json=body).raise_for_status()

    def switch(self, **switches: Any) -> None:
        self._web.post(f"{self.url}/_fake/switches", json=switches).raise_for_status()

    def open_at_a_desk(self, journal: str) -> None:
        self._lever("journal_in_use", {"journal": journal, "user": "U99999"})

    def close_at_the_desk(self, journal: str) -> None:
        self._lever("journal_in_use", {"journal": journal, "user": None})

    def used_today(self, operation: str) -> int:
        counters = self._web.get(f"{self.url}/_fake/state", params={"only": "counters"}).json()["counters"]
        return sum(day.get(operation, 0) for day in counters["calls"].get(str(self.dossier), {}).values())

    def pay(self, booking: BookingRef, amount: Money, day: date) -> None:
        self._pay(booking, amount, day, "bank")

    def write_off(self, booking: BookingRef, amount: Money, day: date) -> None:
        self._pay(booking, amount, day, "write_off")

    def _pay(self, booking: BookingRef, amount: Money, day: date, kind: str) -> None:
        paid = {"booking": self._id(booking), "amount": str(amount.amount), "date": day.isoformat(), "kind": kind}
        self._lever("pay", paid)

    def match(self, invoice: BookingRef, credit_note: BookingRef, amount: Money, day: date) -> None:
        self._lever("match", {"a": self._id(invoice), "b": self._id(credit_note), "amount": str(amount.amount)})

    def unmatch(self, invoice: BookingRef, other: BookingRef | None = None) -> None:
        self._lever("unmatch", {"a": self._id(invoice), **({"b": self._id(other)} if other else {})})

    def delete(self, booking: BookingRef) -> None:
        self._lever("delete_booking", {"booking": self._id(booking)})

    def _id(self, booking: BookingRef) -> str:
        """As the control API names it: 4.V1.42 in our books is 70001/4/V1/42 there."""
        return f"{self.dossier}/{booking.replace('.', '/')}"

    def lose_next_answer(self) -> None:
        self._fault("commit_then_drop")

    def lose_next_request(self) -> None:
        self._fault("drop_before")

    def _fault(self, do: str) -> None:
        writes = {"path": f"/dossiers/{self.dossier}/(buysellbookings|relations|financialdiversbookings|balancings)$"}
        body = [{"match": {**writes, "method": method}, "do": do} for method in ("POST", "PUT")]
        answer = self._web.post(f"{self.url}/_fake/faults", json=body)
        assert answer.is_success, answer.text

    def vat_by_code(self, booking: BookingRef) -> Mapping[str, tuple[Money, Money]]:
        row = self._row(booking)
        # Of a sale the lines are signed as printed when the total has the kind's own sign, and against it otherwise.
        credit_note = row["journalKey"] == "V2"
        sign = 1 if (row["amount"] < 0) == credit_note or not row["amount"] else -1
        found: dict[str, tuple[Money, Money]] = {}
        for line in row["bookingLines"]:
            zero = Money.zero(row["currencyCode"])
            net, vat = found.get(line["vatCodeKey"], (zero, zero))
            base, tax = (Money(sign * Decimal(str(line[name])), zero.currency) for name in ("baseAmount", "vatAmount"))
            found[line["vatCodeKey"]] = (net + base, vat + tax)
        return found

    def files_of(self, booking: BookingRef) -> Sequence[str]:
        return self._row(booking)["attachments"]

    def _row(self, booking: BookingRef) -> dict[str, Any]:
        rows = self._web.get(f"{self.url}/_fake/state", params={"only": "bookings"}).json()["bookings"]
        return next(row for row in rows if row["id"] == self._id(booking))

    def _lever(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        tenant = {} if name == "seed" else {"tenant": self.dossier}
        answer = self._web.post(f"{self.url}/_fake/{name}", json={**tenant, **body})
        assert answer.is_success, f"{name}: {answer.text}"
        return answer.json()
