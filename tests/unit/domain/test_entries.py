"""From document to entry: accounts, codes and every cent (rules.md 9-18)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boekbrug.domain.documents import DocumentKind, TaxRateId, VatTotal, check
from boekbrug.domain.entries import plan_entry
from boekbrug.domain.errors import (
    AccountBlocked,
    AccountMissing,
    DiscountAccountMissing,
    FiscalYearMissing,
    JournalMissing,
    JournalNotSales,
    NotPossible,
    PeriodClosed,
    TotalsDiffer,
    VatCodeRefused,
    VatCodeUnmapped,
)
from boekbrug.domain.ledger import Regime, SalesEntry, VatCode
from boekbrug.domain.money import Money
from boekbrug.domain.relations import RelationRef
from fakes.teamleader import totals as teamleader
from tests.support.builders import RATES, a_connection, a_document, a_line, a_mapping, eur, months, some_books

RELATION = RelationRef("relation-1")


def planned(document, **changes) -> SalesEntry:
    credited = changes.pop("credited", None)
    books = changes.pop("books", some_books())
    return plan_entry(document, RELATION, a_connection(**changes), books, RATES, credited)


def test_rule_9_the_entry_equals_what_was_printed_per_vat_code():
    entry = planned(a_document(a_line("338.85"), a_line("40.00", "6"), a_line("11.11", "mc")))
    assert entry.vat_by_code() == {
        "21": (eur("338.85"), eur("71.16")),
        "6": (eur("40.00"), eur("2.40")),
        "MC": (eur("11.11"), eur("0.00")),
    }
    assert entry.gross == eur("463.52")


def test_rule_10_a_cent_of_vat_goes_to_the_largest_vat_of_the_rate():
    printed = (VatTotal(Decimal("0.21"), eur("30.15"), eur("6.33")),)  # the lines' own sum is 6.34
    document = a_document(a_line("10.05"), a_line("10.02", vat="2.10"), a_line("10.08", vat="2.13"), totals=printed)
    entry = planned(document)
    assert [line.vat for line in entry.lines] == [eur("2.11"), eur("2.10"), eur("2.12")]


def test_rule_10_more_than_a_cent_a_line_is_refused():
    printed = (VatTotal(Decimal("0.21"), eur("100.00"), eur("21.02")),)
    document = a_document(a_line("100.00"), totals=printed)
    with pytest.raises(TotalsDiffer):
        check(document, RATES)
    with pytest.raises(TotalsDiffer):
        planned(document)


def test_rule_12_a_document_discount_is_one_line_per_vat_code_on_its_own_account():
    printed = (
        VatTotal(Decimal("0.21"), eur("90.00"), eur("18.90")),
        VatTotal(Decimal("0.06"), eur("45.00"), eur("2.70")),
    )
    document = a_document(a_line("60.00"), a_line("40.00"), a_line("50.00", "6"), totals=printed, discounts=["10"])
    entry = planned(document)
    discounts = [line for line in entry.lines if line.account == "id-708000"]
    assert [(line.vat_code, line.net, line.vat) for line in discounts] == [
        ("21", eur("-10.00"), eur("-2.10")),
        ("6", eur("-5.00"), eur("-0.30")),
    ]
    assert entry.vat_by_code()["21"] == (eur("90.00"), eur("18.90"))


def test_rule_12_two_rates_of_one_percentage_share_the_discount_by_their_nets():
    printed = (VatTotal(Decimal(0), eur("90.01"), eur("0.00")),)
    document = a_document(a_line("66.67", "mc"), a_line("33.34", "eu"), totals=printed, discounts=["10"])
    per_code = planned(document).vat_by_code()
    assert per_code == {"MC": (eur("60.00"), eur("0.00")), "ICL": (eur("30.01"), eur("0.00"))}


def test_rule_12_without_a_discounts_account_the_document_waits():
    printed = (VatTotal(Decimal("0.21"), eur("90.00"), eur("18.90")),)
    document = a_document(a_line("100.00"), totals=printed, discounts=["10"])
    with pytest.raises(DiscountAccountMissing):
        planned(document, mapping=a_mapping(discount_account=""))


def test_lines_printed_after_the_discount_need_no_discount_line():
    document = a_document(a_line("90.00"), discounts=["10"])
    assert [line.account for line in planned(document).lines] == ["id-700000"]


def test_rule_13_negative_lines_and_a_zero_total_stand_as_printed():
    entry = planned(a_document(a_line("50.00"), a_line("-50.00")))
    assert [line.net for line in entry.lines] == [eur("50.00"), eur("-50.00")]
    assert entry.gross == eur("0.00")


def test_rule_14_a_whole_credit_takes_its_invoices_accounts_even_if_the_mapping_changed():
    invoice = planned(a_document(a_line("100.00", category="diensten"), identity="i"))
    credit = a_document(a_line("100.00", category="diensten"), kind=DocumentKind.CREDIT_NOTE, credits="i")
    moved = a_mapping(category_accounts={}, default_account="id-708000")
    entry = planned(credit, mapping=moved, credited=invoice)
    assert [(line.account, line.vat_code) for line in entry.lines] == [("id-701000", "21")]
    assert (entry.journal, entry.due_on) == ("V2", None)


def books_with_a_code_for_credit_notes():
    codes = [
        replace(code, kinds=(DocumentKind.INVOICE,)) if code.code == "21" else code for code in some_books().vat_codes
    ]
    own = VatCode("C21", "Creditnota 21 %", Decimal("0.21"), Regime.DOMESTIC, (DocumentKind.CREDIT_NOTE,))
    return some_books(vat_codes=(*codes, own))


def a_mapping_with_a_code_for_credit_notes(invoices="21", **changes):
    codes = {DocumentKind.INVOICE: invoices, DocumentKind.CREDIT_NOTE: "C21"}
    return a_mapping(vat_codes={**a_mapping().vat_codes, TaxRateId("21"): codes}, **changes)


def test_rule_18_a_whole_credit_keeps_the_accounts_and_takes_the_codes_of_credit_notes():
    lines = a_line("100.00", category="diensten"), a_line("10.00", "6")
    books = books_with_a_code_for_credit_notes()
    invoice = planned(a_document(*lines, identity="i"), books=books)
    credit = a_document(*lines, kind=DocumentKind.CREDIT_NOTE, credits="i")
    moved = a_mapping_with_a_code_for_credit_notes(category_accounts={}, default_account="id-708000")
    entry = planned(credit, books=books, mapping=moved, credited=invoice)
    assert {(line.account, line.vat_code) for line in entry.lines} == {("id-701000", "C21"), ("id-700000", "6")}
    assert (entry.net, entry.vat) == (invoice.net, invoice.vat)


def test_rule_18_a_whole_credit_whose_codes_were_mapped_anew_is_booked_from_its_own_lines():
    books = books_with_a_code_for_credit_notes()
    invoice = planned(a_document(a_line("100.00"), identity="i"), books=books)
    credit = a_document(a_line("100.00"), kind=DocumentKind.CREDIT_NOTE, credits="i")
    moved = a_mapping_with_a_code_for_credit_notes(invoices="21N", default_account="id-708000")
    entry = planned(credit, books=books, mapping=moved, credited=invoice)
    assert [(line.account, line.vat_code) for line in entry.lines] == [("id-708000", "C21")]


def test_rule_14_a_partial_credit_stands_on_its_own():
    invoice = planned(a_document(a_line("100.00", category="diensten"), identity="i"))
    credit = a_document(a_line("40.00"), kind=DocumentKind.CREDIT_NOTE, credits="i")
    assert [line.account for line in planned(credit, credited=invoice).lines] == ["id-700000"]


def test_rule_15_withheld_tax_is_not_possible():
    with pytest.raises(NotPossible):
        check(a_document(a_line(withheld=True)), RATES)


def test_rule_17_the_due_date_is_the_documents_own():
    assert planned(a_document(day=date(2026, 1, 31))).due_on == date(2026, 3, 2)


def test_rule_18_rates_of_one_percentage_keep_their_own_codes():
    entry = planned(a_document(a_line("10.00", "mc"), a_line("10.00", "eu"), a_line("10.00", "0")))
    assert [line.vat_code for line in entry.lines] == ["MC", "ICL", "0"]


@pytest.mark.parametrize(
    ("error", "changes"),
    [
        (VatCodeUnmapped, {"mapping": a_mapping(vat_codes={})}),
        (VatCodeRefused, {"books": some_books(vat_codes=())}),
        (AccountMissing, {"mapping": a_mapping(default_account="")}),
        (AccountBlocked, {"mapping": a_mapping(default_account="id-999")}),
        (JournalMissing, {"invoice_journal": "V9"}),
        (JournalNotSales, {"invoice_journal": "B1"}),
        (PeriodClosed, {"books": some_books(years=(months(2026, closed=[3], journals=["V1"]),))}),
        (FiscalYearMissing, {"books": some_books(years=(months(2025),))}),
    ],
)
def test_what_the_setup_lacks_is_said_before_anything_is_written(error, changes):
    with pytest.raises(error):
        planned(a_document(), **changes)


def test_a_period_shut_for_another_journal_is_open_for_this_one():
    assert planned(a_document(), books=some_books(years=(months(2026, closed=[3], journals=["B1"]),)))


def test_an_accounts_order_is_category_then_rate_then_default():
    mapping = a_mapping(rate_accounts={TaxRateId("6"): "id-708000"})
    document = a_document(a_line("1.00", "6", category="diensten"), a_line("1.00", "6"), a_line("1.00"))
    assert [line.account for line in planned(document, mapping=mapping).lines] == [
        "id-701000",
        "id-708000",
        "id-700000",
    ]


amounts = st.decimals(min_value="-500", max_value="5000", places=4, allow_nan=False)
lines = st.tuples(
    amounts, st.sampled_from([Decimal(1), Decimal("2.5"), Decimal(-1)]), st.sampled_from(["21", "12", "6", "0", "mc"])
)


@given(
    drawn=st.lists(lines, min_size=1, max_size=8),
    discounts=st.lists(st.sampled_from([Decimal("2.5"), Decimal(10), Decimal("33.33")]), max_size=2),
    mode=st.sampled_from(teamleader.MODES),
)
def test_rules_9_to_12_hold_for_whatever_teamleader_prints(drawn, discounts, mode):
    """Whatever the lines, discounts and way of rounding: the entry is the printed totals, to the cent, per rate."""
    document = printed_by_teamleader(drawn, discounts, mode)
    check(document, RATES)
    entry = planned(document)
    assert (entry.net, entry.vat, entry.gross) == (document.net, document.vat, document.gross)
    percentages = {"21": "0.21", "12": "0.12", "6": "0.06", "0": "0", "MC": "0"}
    for total in document.by_rate:
        booked = [amounts for code, amounts in entry.vat_by_code().items() if Decimal(percentages[code]) == total.rate]
        zero = Money.zero("EUR")
        assert (sum((n for n, _ in booked), zero), sum((v for _, v in booked), zero)) == (total.net, total.vat)


def printed_by_teamleader(drawn, discounts, mode):
    """A document as the fake prints it, read as the adapter would."""
    rates = {rate.id: rate.rate for rate in RATES.values()}
    grouped = [
        {
            "line_items": [
                {"quantity": q, "description": "x", "unit_price": {"amount": a, "tax": "excluding"}, "tax_rate_id": r}
                for a, q, r in drawn
            ]
        }
    ]
    percentages = [{"type": "percentage", "value": value} for value in discounts]
    groups, total = teamleader.compute(grouped, percentages, rates, {}, mode, "EUR")
    items = [item for group in groups for item in group["line_items"]]

    def money(value: dict) -> Money:
        return Money(value["amount"], value["currency"])

    read = [
        a_line(str(net.amount), rate, vat=str((money(item["total"]["tax_inclusive"]) - net).amount))
        for item, (_, _, rate) in zip(items, drawn, strict=True)
        for net in [money(item["total"]["tax_exclusive"])]
    ]
    by_rate = tuple(VatTotal(t["rate"], money(t["taxable"]), money(t["tax"])) for t in total["taxes"])
    document = a_document(*read, totals=by_rate, discounts=[str(value) for value in discounts])
    return replace(document, gross=money(total["tax_inclusive"]))
