"""Every error code of Octopus (octopus.md 8), each where it can come: why we say it, and what a person then reads.

The table stands beside that page's, a line for a line. `http` is the status that page expects. `number` says what a
refusal tells of an earlier offer of the same number: nothing (`before`), that it was free (`after`), or only what a
look at the books shows (`look`). Then the cause of a refused booking, of a refused relation and of a refused question.
Where we have no better word we pass on Octopus' own: `RefusedByPackage`, or `UnexpectedAnswer` for a question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import httpx
import pytest

from boekbrug.domain import errors
from boekbrug.domain.errors import (
    AccessDenied,
    AccessExpired,
    AdministrationUnreachable,
    AppMissing,
    JournalInUse,
    JournalMissing,
    PeriodClosed,
    RateLimited,
    RefusedByPackage,
    SyncError,
    UnexpectedAnswer,
    VendorDown,
)
from boekbrug.domain.ledger import Done, Refused, Unknown
from boekbrug.domain.relations import RelationQuery
from boekbrug.texts import LANGUAGES, sentence, word
from boekbrug.vendors.octopus import door, mapping, refusals, wire
from boekbrug.vendors.octopus.ledger import OctopusLedger
from tests.support.clocks import MORNING

from .octopus_desk import APP, NOTHING, REST, Desk, a_draft, a_row, no, ok

TABLE = """
 code  http     number  a booking                  a relation    a question    in §8
    0  400      look    own words                  own words     own words     fine: in a refusal it is no code
   -1  401      before  AccessExpired              same          same          log-in refused
   -2  401      before  AccessExpired              same          same          not authenticated
   -3  403      before  AdministrationUnreachable  same          same          no access to the dossier
   -4  400      before  VendorDown                 same          same          dossier could not be opened
   -5  403      before  AdministrationUnreachable  same          same          dossier disabled
   -6  401      before  AccessExpired              same          same          no dossier open
   -7  400      look    own words                  own words     own words     relation not saved
   -8  400      before  own words                  own words     own words     bookyears not read
   -9  400      before  FiscalYearMissing          own words     own words     unknown bookyear
  -10  400      before  JournalMissing             own words     own words     unknown journal
  -11  403      before  JournalMissing             AccessDenied  AccessDenied  journal closed
  -12  403      before  JournalInUse               AccessDenied  AccessDenied  journal opened by another user
  -13  400      look    NumberTaken                own words     own words     document number not allowed
  -14  400      after   FiscalYearMissing          own words     own words     period not in bookyear
  -15  400      after   PeriodClosed               own words     own words     period protected or closed
  -16  400      after   RelationGone               own words     own words     unknown relation
  -17  400      after   own words                  own words     own words     document date missing
  -18  400      after   own words                  own words     own words     expiry date missing
  -19  400      after   own words                  own words     own words     unknown currency
  -20  400      after   own words                  own words     own words     exchange rate not allowed
  -21  400      after   AccountBlocked             own words     own words     unknown account
  -22  400      after   VatCodeRefused             own words     own words     unknown VAT code
  -23  400      after   own words                  own words     own words     base and VAT differ in sign
  -24  400      look    own words                  own words     own words     booking not inserted
  -25  400      look    own words                  own words     own words     unknown financial line type
  -26  400      look    own words                  own words     own words     balancing not inserted
  -27  400      look    own words                  own words     own words     account not inserted
  -28  400      look    own words                  own words     own words     account exists already
  -29  400      before  JournalNotSales            own words     own words     journal in the wrong mode
  -30  400      after   own words                  own words     own words     VAT recovery percentage
  -31  400      after   own words                  own words     own words     professional percentage
  -32  400      after   own words                  own words     own words     fiscal recovery percentage
  -33  400      look    own words                  own words     own words     booking not read
  -34  404      look    own words                  own words     -             booking does not exist
  -35  400      look    own words                  own words     own words     booking not updated
  -36  400      before  own words                  own words     own words     journals not read
  -37  400      look    own words                  own words     own words     invoice not inserted
  -38  400      before  JournalNotSales            own words     own words     journal invalid for the operation
  -39  400      after   own words                  own words     own words     unknown product
  -40  400      after   own words                  own words     own words     unknown cost centre
  -41  400      after   own words                  own words     own words     cost centre closed
  -42  400      look    own words                  own words     own words     VAT codes not read
  -43  400      look    own words                  own words     own words     delivery note not inserted
  -44  400      look    own words                  own words     own words     accounts not read
  -45  400      look    own words                  own words     own words     cost centres not read
  -46  400      look    own words                  own words     own words     products not read
  -47  400      look    own words                  own words     own words     relations not read
  -48  400      look    own words                  own words     own words     product groups not read
  -49  400      look    own words                  own words     own words     product not inserted
  -50  400      after   AccountBlocked             own words     own words     no booking account
  -51  400,503  before  VendorDown                 same          same          too many connections
  -52  400      before  VendorDown                 same          same          dossier could not be closed
  -53  400      look    own words                  own words     own words     history of suppliers failed
  -54  400      look    own words                  own words     own words     history of clients failed
  -55  400      look    own words                  own words     own words     history of an account failed
  -56  400      look    own words                  own words     own words     open items of suppliers failed
  -57  400      look    own words                  own words     own words     open items of clients failed
  -58  400      look    own words                  own words     own words     open items of an account failed
  -59  404      look    own words                  own words     -             delivery note missing
  -60  400      look    own words                  own words     own words     delivery note not read
  -61  404      look    own words                  own words     -             invoice missing
  -62  400      look    own words                  own words     own words     invoice not read
  -63  400      look    own words                  own words     own words     delivery note not updated
  -64  400      look    own words                  own words     own words     invoice not updated
  -65  400      look    own words                  own words     own words     modified balancings not read
  -66  400      look    own words                  own words     own words     history of a cost centre failed
  -67  400      look    own words                  own words     own words     journal balance not read
  -68  401      before  AppMissing                 same          same          software-house id invalid
  -69  400      look    own words                  own words     own words     discount configuration
  -70  400      look    own words                  own words     own words     reminder percentage
  -71  400      look    own words                  own words     own words     invoice not exported
  -72  400      look    own words                  own words     own words     delivery note not exported
  -73  404      look    own words                  own words     -             reminder missing
  -74  400      look    own words                  own words     own words     reminder not exported
  -75  400      after   VatCodeRefused             own words     own words     VAT code of the wrong type
  -76  400      look    own words                  own words     own words     cost centre not saved
  -77  400      look    own words                  own words     own words     changed amounts not read
  -78  400      look    own words                  own words     own words     CODA version missing
  -79  401      before  AccessExpired              same          same          invalid parameter: no dossierToken
  -79  400      before  own words                  own words     own words     invalid parameter
  -80  400      look    own words                  own words     own words     newer than the list
 -999  400      look    own words                  own words     own words     newer than the list
    7  400      look    own words                  own words     own words     no code of theirs
 none  400      look    own words                  own words     own words     no code at all
"""
SAID = "In eigen woorden."


@dataclass(frozen=True)
class Row:
    """One line of the table, for one status."""

    code: int | None  # None: a refusal without a code
    http: int
    number: str
    booking: type[SyncError]
    relation: type[SyncError]
    question: type[SyncError] | None  # None: nothing found

    def __str__(self) -> str:
        return f"{self.code} {self.http}"

    def answer(self, status: int = 0) -> httpx.Response:
        return no(self.code, status or self.http, SAID, SAID)


def rows() -> Iterable[Row]:
    for line in TABLE.strip().splitlines()[1:]:
        code, statuses, number, booking, relation, question = re.split(r"\s{2,}", line.strip())[:6]
        ours = leaf(booking, RefusedByPackage)
        for status in statuses.split(","):
            yield Row(
                code=None if code == "none" else int(code),
                http=int(status),
                number=number,
                booking=ours,
                relation=ours if relation == "same" else leaf(relation, RefusedByPackage),
                question=None if question == "-" else ours if question == "same" else leaf(question, UnexpectedAnswer),
            )


def leaf(name: str, unnamed: type[SyncError]) -> type[SyncError]:
    return unnamed if name == "own words" else errors.leaves()[name]


ROWS = tuple(rows())
every_row = pytest.mark.parametrize("row", ROWS, ids=str)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_table_is_whole():
    assert {row.code for row in ROWS} >= {*range(-79, 1), None}


# --- the code where it can come -------------------------------------------------------------------------------------


@every_row
def test_a_refused_booking_says_why(desk, row):
    found = desk.refused(row.answer())
    assert type(found) is row.booking
    if row.booking is RefusedByPackage:
        assert found.facts == {"said": SAID}


@every_row
def test_a_refused_relation_says_why(desk, row):
    desk.get("/relations", NOTHING)
    desk.put("/relations", row.answer())
    (outcome,) = desk.ledger.save_relations([a_draft()])
    assert isinstance(outcome, Refused)
    assert type(outcome.cause) is row.relation


STANDING = mapping.booking(wire.row_of(a_row(), wire.Booking), "70001")
BOOKYEARS: tuple[str, Callable[[OctopusLedger], object]] = ("/bookyears", lambda ledger: ledger.fiscal_years())
QUESTIONS: dict[int | None, tuple[str, Callable[[OctopusLedger], object]]] = {
    -33: ("/buysellbookings", lambda ledger: ledger.booking(STANDING)),
    -34: ("/buysellbookings", lambda ledger: ledger.booking(STANDING)),
    -36: ("/bookyears/4/journals", lambda ledger: ledger.journals()),
    -42: ("/vatcodes", lambda ledger: ledger.vat_codes()),
    -44: ("/accounts", lambda ledger: ledger.revenue_accounts()),
    -47: ("/relations", lambda ledger: ledger.find_relations([RelationQuery("Studio Noord BV")])),
    -57: ("/reports/clients/open", lambda ledger: ledger.open_items()),
    -65: ("/balancings/modified", lambda ledger: list(ledger.settlements(None))),
}
"""Where a code belongs to one question of ours. Any other is tried on the bookyears."""


@every_row
def test_a_refused_question_says_why(desk, row):
    path, ask = QUESTIONS.get(row.code, BOOKYEARS)
    desk.books()
    desk.get(path, row.answer())
    desk.post(path, row.answer())
    if row.question is None:
        assert not ask(desk.ledger)
        return
    with pytest.raises(row.question) as error:
        ask(desk.ledger)
    if row.question is UnexpectedAnswer:
        assert error.value.facts["said"].endswith(SAID)
        assert row.code is None or row.code == 0 or f"code {row.code}" in error.value.facts["said"]


@every_row
def test_a_dossier_that_is_not_opened_says_why(desk, row):
    desk.router.post(f"{REST}/dossiers").mock(return_value=row.answer())
    expected = AdministrationUnreachable if row.http in (403, 404) else row.question
    with pytest.raises(expected):
        desk.connect("70001")


@every_row
def test_a_login_that_is_not_taken_says_why(desk, row):
    route = desk.router.post(f"{REST}/authentication").mock(return_value=row.answer())
    expected = row.question
    if row.question not in (AppMissing, VendorDown):
        expected = UnexpectedAnswer if row.http == 404 else AccessDenied
    with pytest.raises(expected) as error:
        door.log_in(APP, desk.http, "U12345", "s3cret", MORNING)
    assert SAID not in str(error.value)  # its words name the user and an address
    assert route.call_count == 1


# --- the number it was refused under --------------------------------------------------------------------------------


@every_row
def test_a_refusal_settles_an_earlier_offer_as_far_as_it_goes(desk, row):
    desk.books()
    prepared = desk.prepared()
    desk.booked(row.answer())
    look = desk.get("/buysellbookings", NOTHING)
    outcome = desk.book_again(prepared)
    assert look.call_count == (row.number == "look")
    if row.number == "before":
        assert isinstance(outcome, Unknown)
    else:
        assert isinstance(outcome, Refused)
        assert type(outcome.cause) is row.booking


@pytest.mark.parametrize("row", [row for row in ROWS if row.number == "look"], ids=str)
def test_what_a_refusal_does_not_tell_the_books_do(desk, row):
    desk.books()
    prepared = desk.prepared()
    desk.booked(row.answer())
    desk.get("/buysellbookings", a_row())
    assert isinstance(desk.book_again(prepared), Done)


def test_the_codes_of_checks_are_those_of_the_table():
    def codes(number: str) -> set[int | None]:
        return {row.code for row in ROWS if row.number == number}

    assert codes("before") == refusals.BEFORE_NUMBER
    assert codes("after") == refusals.AFTER_NUMBER
    assert refusals.NUMBER_NOT_NEXT in codes("look")


# --- another status, no words, no body ------------------------------------------------------------------------------

OF_A_CHECK = [row for row in ROWS if row.code in refusals.CHECKED and row.code != -79]
TELLS_NOTHING = [row for row in ROWS if row.code not in refusals.CHECKED]


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 500, 503])
@pytest.mark.parametrize("row", OF_A_CHECK, ids=str)
def test_a_check_refuses_whatever_its_status(desk, row, status):
    """Which status comes with a code is a guess but for a few (octopus.md 8)."""
    assert type(desk.refused(row.answer(status))) is row.booking


@pytest.mark.parametrize("status", [409, 422, 500, 503])
@pytest.mark.parametrize("row", TELLS_NOTHING, ids=str)
def test_a_code_that_is_no_check_leaves_doubt_under_a_status_that_is_no_refusal(desk, row, status):
    desk.books()
    desk.booked(row.answer(status))
    assert isinstance(desk.book(), Unknown)


@every_row
def test_a_spent_day_stops_whatever_code_comes_with_it(desk, row):
    assert type(desk.refused(row.answer(429))) is RateLimited


@pytest.mark.parametrize(("code", "status"), [(-1, 400), (-2, 403), (-6, 400), (-79, 401), (None, 401)])
def test_a_refused_token_is_renewed_once_however_it_is_said(desk, code, status):
    route = desk.get("/bookyears", no(code, status), [])
    assert desk.ledger.fiscal_years() == ()
    assert [call.request.headers["dossierToken"] for call in route.calls] == ["dossier-1", "dossier-2"]
    route = desk.router.post(f"{REST}/dossiers").mock(side_effect=[no(code, status), ok({"Dossiertoken": "a.b.c"})])
    assert desk.connect("70001").access == "a.b.c"
    assert [call.request.headers["Token"] for call in route.calls] == ["login-1", "login-2"]


@pytest.mark.parametrize("row", [row for row in ROWS if row.booking is RefusedByPackage and row.code], ids=str)
def test_a_refusal_without_words_is_shown_by_its_code(desk, row):
    """Every member of an ErrorResult may be missing (octopus.md 1.3)."""
    found = desk.refused(httpx.Response(row.http, json={"errorCode": row.code}))
    assert found.facts == {"said": f"HTTP {row.http}, code {row.code}"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<h1>Error</h1>",
        b"[]",
        b"{}",
        b'{"errorCode": null, "errorMessage": null}',
        b'{"errorCode": "-13", "errorMessage": 5, "technicalInfo": "  "}',
        b'{"errorCode": true}',
        b"{\xff}",
        b"[" * 100_000,
    ],
    ids=range(9),
)
@pytest.mark.parametrize(
    ("status", "cause"), [(400, RefusedByPackage), (401, AccessExpired), (403, JournalInUse), (404, RefusedByPackage)]
)
def test_a_refusal_without_a_code_is_told_by_its_status(desk, status, cause, body):
    assert type(desk.refused(httpx.Response(status, content=body))) is cause


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("Journal is in use by another user", JournalInUse),
        ("Journal is closed", JournalMissing),
        ("Periode is afgesloten", PeriodClosed),
        ("No right to book", AccessDenied),
        ("", JournalInUse),
    ],
)
def test_a_forbidden_booking_without_a_code_is_told_by_its_words(desk, said, cause):
    """octopus.md 10.3 and 10.5."""
    assert type(desk.refused(no(None, 403, technical=said))) is cause


def test_a_page_under_a_404_is_not_taken_for_nothing(desk):
    """Nothing found is said in JSON (octopus.md 1.3); a page comes from whoever stands before Octopus."""
    page = httpx.Response(404, html="<h1>Not Found</h1>")
    desk.get("/vatcodes", page)
    desk.router.get(f"{REST}/dossiers").mock(return_value=page)
    desk.router.post(f"{REST}/dossiers").mock(return_value=page)
    for ask in (desk.ledger.vat_codes, desk.package.administrations, lambda: desk.connect("70001")):
        with pytest.raises(VendorDown):
            ask()
    desk.books()
    prepared = desk.prepared()
    desk.booked(no(-13))
    desk.get("/buysellbookings", page)
    assert isinstance(desk.book_again(prepared), Unknown)


# --- what a person reads --------------------------------------------------------------------------------------------

COMES_BACK, SIGN_IN, SET_UP, DECIDE, TELL_US = (family.__name__ for family in errors.FAMILIES)


@pytest.mark.parametrize(
    ("family", "causes"),
    [
        (COMES_BACK, {"VendorDown", "JournalInUse", "NumberTaken"}),
        (SIGN_IN, {"AccessExpired", "AccessDenied"}),
        (
            SET_UP,
            {
                "AdministrationUnreachable",
                "AppMissing",
                "FiscalYearMissing",
                "JournalMissing",
                "JournalNotSales",
                "PeriodClosed",
                "AccountBlocked",
                "VatCodeRefused",
            },
        ),
        (DECIDE, {"RelationGone", "RefusedByPackage"}),
        (TELL_US, {"UnexpectedAnswer"}),
    ],
)
def test_what_each_cause_asks_of_a_person(family, causes):
    found = {cause for row in ROWS for cause in (row.booking, row.relation, row.question) if cause}
    assert {cause.__name__ for cause in found if family in [base.__name__ for base in cause.__mro__]} == causes


@pytest.mark.parametrize("language", LANGUAGES)
@every_row
def test_each_cause_has_a_sentence_without_a_blank(desk, row, language):
    cause = desk.refused(row.answer())
    text = sentence(cause.cause, cause.facts, language, document="2026/145", package=word("octopus", language))
    assert word("unknown", language) not in text
    assert word("some_package", language) not in text
    assert "Exact" not in text
    if row.booking is RefusedByPackage:
        assert SAID in text
