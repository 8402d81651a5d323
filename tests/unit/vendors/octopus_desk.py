"""A dossier of Octopus on a line of which every answer is written in the test."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import respx

from boekbrug.domain.documents import AccountId, CustomerKind, CustomerRef, DocumentId, DocumentKind
from boekbrug.domain.ledger import Cursor, EntryLine, Page, Period, Prepared, Refused, SalesEntry
from boekbrug.domain.money import Money
from boekbrug.domain.relations import Address, RelationDraft, RelationRef
from boekbrug.ports import NumberLine, Tokens
from boekbrug.vendors.http import Http, new_client
from boekbrug.vendors.oauth import App
from boekbrug.vendors.octopus.client import Client, Lobby
from boekbrug.vendors.octopus.ledger import OctopusLedger, OctopusPackage
from boekbrug.vendors.octopus.limits import Meter
from boekbrug.vendors.octopus.mapping import Switches
from tests.support.budgets import MemoryBudgets
from tests.support.clocks import StillClock

URL = "https://octopus.example"
REST = f"{URL}/octopus-rest-api/v1"
API = f"{REST}/dossiers/70001"
HOUSE = "6f0d2c9e-0000-4000-8000-000000000001"
APP = App("octopus", "-", HOUSE, "", "https://boekbrug.example/octopus", URL, URL)
ACCOUNT = AccountId("account")
KEY = "BBABCDEFGHIJ"
NOTHING = httpx.Response(404, json={"technicalInfo": "nothing for dossier 70001"})


class Keeper:
    """Tokens that never run out; a refused one is followed by the next."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.number = 1

    def access(self) -> str:
        return f"{self.name}-{self.number}"

    def refused(self, token: str) -> None:
        assert token == self.access()
        self.number += 1


class Line:
    """The numbers of all journals, as everybody sees them, for one holder at a time."""

    def __init__(self) -> None:
        self.next: dict[str, int | None] = {}
        self.holders: dict[str, tuple[str, datetime]] = {}
        self.versions: dict[str, int] = {}

    def hold(self, line: str, holder: str, now: datetime, until: datetime) -> NumberLine | None:
        other = self.holders.get(line)
        if other and other[0] != holder and other[1] > now:
            return None
        self.holders[line] = (holder, until)
        self.versions[line] = self.versions.get(line, 0) + 1
        return NumberLine(line, self.next.get(line), self.versions[line])

    def release(self, held: NumberLine, next: int | None) -> None:
        if self.versions[held.line] == held.version:
            self.holders.pop(held.line, None)
            self.next[held.line] = next


class Desk:
    def __init__(self, switches: Switches = Switches()) -> None:
        self.router = respx.MockRouter(assert_all_called=False)
        self.clock = StillClock()
        self.budgets = MemoryBudgets()
        self.login, self.tokens = Keeper("login"), Keeper("dossier")
        self.http = Http("octopus", new_client(httpx.MockTransport(self.router.handler)), sleep=lambda seconds: None)
        self.line = Line()
        self.lobby = Lobby(APP, self.http, self.login, self.meter("account.account"), self.clock)
        self.connected: list[str] = []
        self.package = OctopusPackage(self.lobby, self.connect)
        self.switches = switches
        self.ledger = self.another_ledger()

    def meter(self, whose: str) -> Meter:
        return Meter(self.budgets, self.clock, whose)

    def connect(self, dossier: str) -> Tokens:
        self.connected.append(dossier)
        return self.lobby.connect(dossier, self.meter(dossier))

    def another_ledger(self, account: str = ACCOUNT) -> OctopusLedger:
        client = Client(APP, self.http, self.tokens, self.meter("70001"), self.clock, "70001")
        return OctopusLedger(
            client, self.package, self.line, AccountId(account), self.clock, self.clock, "70001", self.switches
        )

    # --- answers ----------------------------------------------------------------------------------------------------

    def get(self, path: str, *answers: Any) -> respx.Route:
        """Answers to a GET, in order; what is no response yet is JSON with 200. The last one goes on for ever."""
        return self._answers(self.router.get(f"{API}{path}"), answers)

    def post(self, path: str, *answers: Any) -> respx.Route:
        return self._answers(self.router.post(f"{API}{path}"), answers)

    def put(self, path: str, *answers: Any) -> respx.Route:
        return self._answers(self.router.put(f"{API}{path}"), answers)

    def _answers(self, route: respx.Route, answers: tuple[Any, ...]) -> respx.Route:
        ready = [answer if isinstance(answer, httpx.Response | Exception) else ok(answer) for answer in answers]
        left = list(ready)

        def next_answer(request: httpx.Request) -> httpx.Response:
            answer = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return route.mock(side_effect=next_answer)

    def books(self, *journals: dict[str, Any], last: int = 41) -> None:
        """One open bookyear in quarters, and a closed one before it; whose number is next is known."""
        rows = list(journals) or [a_journal("V1", last=last), a_journal("V2", last=0)]
        self.get("/bookyears", [bookyear(3, 2025, closed=True), bookyear(4, 2026)])
        self.get("/bookyears/4/journals", rows)
        for row in rows:
            self.numbers(row["lastBookedDocumentNr"] + 1, journal=row["journalKey"])
            self.line.next[f"octopus.70001.4.{row['journalKey']}"] = row["lastBookedDocumentNr"] + 1

    def numbers(self, *next: int | httpx.Response, journal: str = "V1") -> respx.Route:
        """What the journal by itself answers, time after time: the number that comes next."""
        told = [
            n if isinstance(n, httpx.Response) else {"commonJournalServiceData": {"nextDocumentNumber": n}}
            for n in next
        ]
        return self.get(f"/bookyears/4/journals/{journal[0]}/{journal[1:]}", *told)

    def looks(self) -> None:
        """The export looks at the journals, where nothing stands."""
        self.get("/bookyears", [bookyear(4, 2026)])
        self.get("/buysellbookings/modified", NOTHING)
        self.get("/bookyears/-1/bookings/modified", NOTHING)
        list(self.ledger.bookings(["V1", "V2"], date(2026, 1, 1), None))

    def booked(self, *answers: Any) -> respx.Route:
        return self.post("/buysellbookings", *answers)

    # --- deeds ------------------------------------------------------------------------------------------------------

    def prepared(self, entry: SalesEntry | None = None) -> Prepared:
        (prepared,) = self.ledger.prepare([entry or an_entry()])
        assert isinstance(prepared, Prepared), prepared
        return prepared

    def book(self, entry: SalesEntry | None = None) -> Any:
        (outcome,) = self.ledger.book([self.prepared(entry)])
        return outcome

    def book_again(self, prepared: Prepared) -> Any:
        """As another worker does, who has nothing but the stored intent."""
        self.ledger = self.another_ledger()
        (outcome,) = self.ledger.book([replace(prepared, again=True)])
        return outcome

    def refused(self, answer: httpx.Response, entry: SalesEntry | None = None) -> Exception:
        self.books()
        self.booked(answer)
        outcome = self.book(entry)
        assert isinstance(outcome, Refused), outcome
        return outcome.cause


def ok(body: Any, **headers: str) -> httpx.Response:
    return httpx.Response(200, json=body, headers=headers)


def no(
    code: int | None, status: int = 400, message: str = "Ongeldig.", technical: str = "dossier 70001"
) -> httpx.Response:
    body = {"technicalInfo": technical} if code is None else {"errorCode": code, "errorMessage": message}
    return httpx.Response(status, json=body)


CREATED = httpx.Response(201, content=b"")


def body_of(route: respx.Route, call: int = -1) -> dict[str, Any]:
    return json.loads(route.calls[call].request.content, parse_float=Decimal)


def query_of(route: respx.Route, call: int = -1) -> dict[str, str]:
    return dict(route.calls[call].request.url.params)


def bookyear(identity: int, year: int, *, closed: bool = False) -> dict[str, Any]:
    firsts = [date(year, month, 1) for month in (1, 4, 7, 10)] + [date(year + 1, 1, 1)]
    return {
        "bookyearKey": {"id": identity},
        "bookyearDescription": str(year),
        "closed": closed,
        "startDate": f"{year}-01-01",
        "endDate": f"{year}-12-31",
        "periods": [
            {
                "bookyearPeriod": year * 100 + n + 1,
                "startDate": firsts[n].isoformat(),
                "endDate": (firsts[n + 1] - timedelta(days=1)).isoformat(),
            }
            for n in range(4)
        ],
    }


def a_journal(key: str, *, last: int = 0, insertion: int = 1, **changes: Any) -> dict[str, Any]:
    row = {
        "bookyearKey": {"id": 4},
        "journalKey": key,
        "name": f"Dagboek {key}",
        "closed": False,
        "closedPeriod": 0,
        "protectedPeriod": 0,
        "insertionType": insertion,
        "lastBookedDocumentNr": last,
    }
    return {**row, **changes}


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def a_line(net: str, vat: str, code: str = "21", account: str = "700300", currency: str = "EUR") -> EntryLine:
    return EntryLine(account, code, Money.of(net, currency), Money.of(vat, currency), "Advies")


def an_entry(*lines: EntryLine, kind: DocumentKind = DocumentKind.INVOICE, **changes: Any) -> SalesEntry:
    entry = SalesEntry(
        document=DocumentId("document-145"),
        key=KEY,
        kind=kind,
        number="2026/145",
        journal="V1" if kind is DocumentKind.INVOICE else "V2",
        day=date(2026, 8, 14),
        due_on=date(2026, 9, 13) if kind is DocumentKind.INVOICE else None,
        period=Period("2026 - 03", date(2026, 7, 1), date(2026, 9, 30), code="4:202603"),
        relation=RelationRef("28"),
        currency="EUR",
        exchange_rate=Decimal(1),
        lines=lines or (a_line("1000.00", "210.00"), a_line("100.00", "21.00")),
        payment_reference="+++090/9337/55493+++" if kind is DocumentKind.INVOICE else "",
    )
    return replace(entry, **changes)


def a_row(number: int = 42, **changes: Any) -> dict[str, Any]:
    """A booking as Octopus tells it."""
    row = {
        "amount": 1331.0,
        "bookingLines": [
            {"accountKey": 700300, "baseAmount": 1000.0, "comment": "", "vatAmount": 210.0, "vatCodeKey": "21"},
            {"accountKey": 700300, "baseAmount": 100.0, "comment": "", "vatAmount": 21.0, "vatCodeKey": "21"},
        ],
        "bookyearKey": {"id": 4},
        "bookyearPeriodeNr": 202603,
        "comment": f"2026/145 {KEY}",
        "currencyCode": "EUR",
        "documentDate": "2026-08-14",
        "documentSequenceNr": number,
        "exchangeRate": 1.0,
        "expiryDate": "2026-09-13",
        "journalKey": "V1",
        "orderReference": "",
        "paymentMethod": 0,
        "reference": "+++090/9337/55493+++",
        "relationIdentificationServiceData": {"externalRelationId": 0, "relationKey": {"id": 28}},
    }
    return {**row, **changes}


def a_relation(key: int = 28, **changes: object) -> dict:
    row = {
        "relationIdentificationServiceData": {"externalRelationId": 0, "relationKey": {"id": key}},
        "name": "Studio Noord BV",
        "client": True,
        "supplier": False,
        "currencyCode": "EUR",
        "streetAndNr": "Kaai 12",
        "postalCode": "2000",
        "city": "Antwerpen",
        "country": "  ",
        "vatNr": "BE0987.654.394",
        "email": "boekhouding@noord.example",
        "active": True,
    }
    return {**row, **changes}


def a_draft(name: str = "Studio Noord BV", **changes: object) -> RelationDraft:
    draft = RelationDraft(
        customer=CustomerRef(CustomerKind.COMPANY, "11111111-2222-3333-4444-555555555555"),
        name=name,
        vat_number="BE0987654394",
        enterprise_number="",
        email="boekhouding@noord.example",
        phone="",
        website="",
        address=Address("Kaai 12", "2000", "Antwerpen", ""),
        language="fr",
        iban="",
        payment_days=30,
        payment_end_of_month=True,
    )
    return replace(draft, **changes)


def read(pages: Iterable[Page[Any]]) -> tuple[list[Any], Cursor | None]:
    """All rows of a look, and the cursor it ends with."""
    rows: list[Any] = []
    cursor = None
    for page in pages:
        rows += page.rows
        cursor = page.cursor
    return rows, cursor
