"""What a dossier of Octopus holds: journals, periods, accounts, VAT codes, terms."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from boekbrug.domain.documents import DocumentKind
from boekbrug.domain.errors import AdministrationUnreachable
from boekbrug.domain.ledger import JournalKind, Regime
from boekbrug.vendors.octopus import mapping

from .octopus_desk import NOTHING, REST, Desk, a_journal, no, ok, query_of

CREDIT_NOTE = DocumentKind.CREDIT_NOTE


@pytest.fixture
def desk() -> Desk:
    return Desk()


def dossier(identity: int, name: str) -> dict:
    return {"dossierKey": {"id": identity}, "dossierDescription": name, "vatNr": "BE0123.456.749", "country": "BE"}


@pytest.mark.parametrize("answer", [no(-5, 403), no(-3, 403), no(-4), no(-52), no(None, 400), no(None, 429)])
def test_a_dossier_that_cannot_be_opened_is_not_usable_and_the_others_are_listed(desk, answer):
    """octopus.md 10.15."""
    desk.router.get(f"{REST}/dossiers").mock(return_value=ok([dossier(70001, "Bakkerij"), dossier(70002, "Slagerij")]))
    connect = desk.router.post(f"{REST}/dossiers").mock(side_effect=[answer, ok({"Dossiertoken": "a.b.c"})])
    first, second = desk.package.administrations()
    assert (first.id, first.code, first.name, first.usable) == ("octopus.-.70001", "70001", "Bakkerij", False)
    assert (second.id, second.usable, second.currency) == ("octopus.-.70002", True, "EUR")
    assert [query["dossierId"] for query in (dict(c.request.url.params) for c in connect.calls)] == ["70001", "70002"]
    assert connect.calls[0].request.headers["Token"] == "login-1"
    assert connect.calls[0].request.content == b""


def test_a_dossier_that_is_not_in_the_list_cannot_be_reached(desk):
    desk.router.get(f"{REST}/dossiers").mock(return_value=ok([dossier(70002, "Slagerij")]))
    with pytest.raises(AdministrationUnreachable):
        desk.ledger.administration()


@pytest.mark.parametrize("answer", [NOTHING, no(None, 403)])
def test_a_dossier_that_does_not_open_cannot_be_reached(desk, answer):
    desk.router.post(f"{REST}/dossiers").mock(return_value=answer)
    with pytest.raises(AdministrationUnreachable):
        desk.connect("70001")


def test_a_login_token_that_ran_out_is_replaced_once_when_connecting(desk):
    route = desk.router.post(f"{REST}/dossiers").mock(side_effect=[no(None, 401), ok({"Dossiertoken": "a.b.c"})])
    tokens = desk.connect("70001")
    assert tokens.access == "a.b.c"
    assert tokens.expires_at - tokens.issued_at == timedelta(minutes=10)
    assert [call.request.headers["Token"] for call in route.calls] == ["login-1", "login-2"]


def test_only_journals_of_bookings_are_sales_journals(desk):
    """octopus.md 10.6."""
    desk.books(
        a_journal("V1"),
        a_journal("V3", insertion=3),
        a_journal("A1"),
        a_journal("F1", currencyCode="EUR"),
        a_journal("D1", closed=True),
        a_journal("L1", insertion=4),
    )
    found = {journal.code: (journal.kind, journal.blocked) for journal in desk.ledger.journals()}
    assert found == {
        "V1": (JournalKind.SALES, False),
        "V3": (JournalKind.OTHER, False),
        "A1": (JournalKind.PURCHASE, False),
        "F1": (JournalKind.BANK, False),
        "D1": (JournalKind.GENERAL, True),
        "L1": (JournalKind.OTHER, False),
    }


def test_periods_are_those_octopus_lists_and_each_journal_has_its_own_shut(desk):
    """octopus.md 10.4 and 10.5."""
    desk.books(
        a_journal("V1", closedPeriod=202601, protectedPeriod=202602), a_journal("V2"), a_journal("V4", closed=True)
    )
    closed, now = desk.ledger.fiscal_years()
    assert (closed.name, closed.first, {period.closed_for for period in closed.periods}) == (
        "2025",
        date(2025, 1, 1),
        {("*",)},
    )
    assert [(period.code, period.name, period.closed_for) for period in now.periods] == [
        ("4:202601", "2026 - 01", ("V1", "V4")),
        ("4:202602", "2026 - 02", ("V1", "V4")),
        ("4:202603", "2026 - 03", ("V4",)),
        ("4:202604", "2026 - 04", ("V4",)),
    ]
    assert (now.periods[3].first, now.periods[3].last) == (date(2026, 10, 1), date(2026, 12, 31))


def test_a_refresh_reads_the_journals_once_and_the_next_one_again(desk):
    desk.books()
    for _ in range(2):
        desk.ledger.journals()
        desk.ledger.fiscal_years()
    paths = [call.request.url.path for call in desk.router.calls]
    assert len([path for path in paths if path.endswith("/journals")]) == 2
    assert len([path for path in paths if path.endswith("/bookyears")]) == 2
    desk.ledger.fiscal_years()
    assert len(desk.router.calls) == 6


def test_revenue_accounts_are_those_that_begin_with_70_in_the_newest_open_bookyear(desk):
    desk.books()
    route = desk.get(
        "/accounts",
        [
            {"accountKey": {"bookyearKey": {"id": 4}, "id": 700300}, "description": {"description_NL": "Verkopen 21%"}},
            {"accountKey": {"bookyearKey": {"id": 4}, "id": 700100}, "description": {"description_FR": "Ventes 6%"}},
            {"accountKey": {"bookyearKey": {"id": 4}, "id": 400000}, "description": {"description_NL": "Klanten"}},
        ],
    )
    found = [(account.id, account.code, account.name) for account in desk.ledger.revenue_accounts()]
    assert found == [("700100", "700100", "Ventes 6%"), ("700300", "700300", "Verkopen 21%")]
    assert query_of(route) == {"bookyearId": "4"}
    desk.ledger.revenue_accounts()
    assert route.call_count == 1


def vat(code: str, type: int, percentage: float, description: str = "") -> dict:
    return {"code": code, "description": description, "type": type, "basePercentage": percentage}


def test_vat_codes_are_those_of_sales(desk):
    desk.get(
        "/vatcodes", [vat("21", 2, 21.0, "Verkoop 21%"), vat("D21", 1, 21.0), vat("CD21", 3, 21.0), vat("00", 2, 0.0)]
    )
    found = [(code.code, code.percentage, code.regime, len(code.kinds)) for code in desk.ledger.vat_codes()]
    assert found == [("21", Decimal("0.21"), Regime.DOMESTIC, 2), ("00", Decimal(0), Regime.DOMESTIC, 2)]


def test_rules_18_a_code_of_credit_notes_says_nothing_of_another_regime_at_the_same_percentage(desk):
    rows = [vat("00", 2, 0.0), vat("ICL", 2, 0.0), vat("EXP", 2, 0.0), vat("C00", 4, 0.0)]
    desk.get("/vatcodes", rows)
    assert {code.code: code.kinds for code in desk.ledger.vat_codes()} == {
        "00": (DocumentKind.INVOICE,),
        "ICL": tuple(DocumentKind),
        "EXP": tuple(DocumentKind),
        "C00": (CREDIT_NOTE,),
    }


def test_a_code_is_whatever_people_made_it(desk):
    """octopus.md 3.4: they edit them, and there are two questions a day."""
    desk.get("/vatcodes", [vat("IC-D", 1, 0.0), vat("21.5", 2, 21.5), vat("CN 21", 4, 21.0)])
    assert [code.code for code in desk.ledger.vat_codes()] == ["21.5", "CN 21"]


def test_a_code_of_credit_notes_takes_them_over_from_the_code_of_its_percentage(desk):
    rows = [vat("21", 2, 21.0), vat("C21", 4, 21.0), vat("06", 2, 6.0)]
    desk.get("/vatcodes", rows)
    assert {code.code: code.kinds for code in desk.ledger.vat_codes()} == {
        "21": (DocumentKind.INVOICE,),
        "C21": (CREDIT_NOTE,),
        "06": tuple(DocumentKind),
    }
    desk = Desk(mapping.Switches(credit_notes_need_type_4=False))
    desk.get("/vatcodes", rows)
    assert next(code for code in desk.ledger.vat_codes() if code.code == "21").kinds == tuple(DocumentKind)


@pytest.mark.parametrize(
    ("code", "description", "regime"),
    [
        ("MC", "", Regime.REVERSE_CHARGE),
        ("X1", "Verkoop medecontractant", Regime.REVERSE_CHARGE),
        ("ICL", "", Regime.EU_GOODS),
        ("X2", "Intracommunautaire diensten", Regime.EU_SERVICES),
        ("EXP", "", Regime.EXPORT),
        ("X3", "Vrijgesteld art. 44", Regime.EXEMPT),
        ("00", "Verkoop 0%", Regime.DOMESTIC),
    ],
)
def test_why_a_code_is_at_zero_is_read_from_its_words(desk, code, description, regime):
    desk.get("/vatcodes", [vat(code, 2, 0.0, description)])
    assert desk.ledger.vat_codes()[0].regime is regime


def test_terms_are_days_from_the_invoice_or_from_the_end_of_its_month(desk):
    terms = {term.code: (term.days, term.end_of_months) for term in desk.ledger.payment_terms()}
    assert terms["2:30"] == (30, 0)
    assert terms["1:30"] == (30, 1)
