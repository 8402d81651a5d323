"""Hard cases."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fakes.teamleader.seed import belgian_vat, uid
from infra.local.person import Refused
from tests.support.company import ACCOUNT, ADMINISTRATION, DEPARTMENT, DIVISION, INVOICES, Company, a_line

VAT = belgian_vat(55_555_555)
DOLLARS = {"currency": "USD", "currency_exchange_rate": {"from": "USD", "to": "EUR", "rate": Decimal("0.9")}}


@pytest.fixture
def known(company: Company) -> tuple[str, str]:
    return company.customer("Slagerij Zon BV", vat_number=VAT), company.relation("Slagerij Zon BV", VATNumber=VAT)


def lines(company, *rows):
    return [{"line_items": list(rows)}]


def test_start_moved_later(company: Company) -> None:
    company.closes(1)
    company.refreshes()
    january = company.invoices(day="2026-01-15")
    company.exports()
    assert company.shown(january)["cause"] == "PeriodClosed"
    company.person.patch(f"/api/connections/{company.connection}", start="2026-03-01")
    company.reopens(1)
    company.refreshes()
    company.exports()
    assert company.booked(january) == []


def test_unlisted_rate(company: Company) -> None:
    good = company.invoices("50.00", rate="6", number="1")
    bad = company.invoices("100.00", day="2026-03-01", number="0")
    company.stage.focus.state.records["tax_rates"]
    from tests.support.company import RATES
    row = company.stage.focus.state.records["tax_rates"][RATES["21"]]
    company.refreshes()
    with company.stage.focus.state.records.change():
        company.stage.focus.state.records.drop("tax_rates", RATES["21"])
    company.refreshes()
    company.exports()
    assert len(company.booked(good)) == 1


def test_huge_invoice(company: Company) -> None:
    rows = [{**a_line("1.00", "21"), "description": "Werk " * 1500} for _ in range(60)]
    big = company.invoices(number="1", grouped_lines=[{"line_items": rows}])
    small = company.invoices(number="2")
    company.exports()
    assert len(company.booked(small)) == 1
    assert len(company.booked(big)) == 1


def test_many_lines(company: Company) -> None:
    rows = [{**a_line("1.00", "21"), "description": "Werk en nog wat meer werk met materiaal en verplaatsing"} for _ in range(700)]
    big = company.invoices(number="1", grouped_lines=[{"line_items": rows}])
    small = company.invoices(number="2")
    company.exports()
    assert len(company.booked(small)) == 1
    assert len(company.booked(big)) == 1


def test_merged_customer(company: Company, known) -> None:
    customer, relation = known
    first = company.invoices(customer=customer, number="1")
    company.exports()
    survivor = company.customer("Slagerij Zon B.V.", vat_number=VAT)
    company.stage.teamleader.post("delete_company", tenant=ACCOUNT, company=customer, into=survivor)
    second = company.invoices(customer=survivor, number="2")
    company.exports()
    print(company.shown(second))
    company.decides(survivor, adopt=relation)
    company.stage.settle()
    assert company.booked(second)[0]["Customer"] == relation


def test_relation_blocked_choose_another(company: Company, known) -> None:
    customer, relation = known
    first = company.invoices(customer=customer, number="1")
    company.exports()
    company.stage.exact.post("edit_account", tenant=DIVISION, account=relation, Blocked=True)
    other = company.relation("Slagerij Zon", VATNumber=VAT)
    second = company.invoices(customer=customer, number="2")
    company.exports()
    print(company.shown(second))
    company.decides(customer, adopt=other)
    company.stage.settle()
    print(company.shown(second))
    assert company.booked(second)[0]["Customer"] == other


def test_adopt_code(company: Company) -> None:
    relation = company.relation("Bakkerij Wolk BV", Code="1005")
    invoice, other = company.invoices(), company.invoices(customer=company.customer("Fietsen Regen BV"))
    company.exports()
    try:
        company.decides(invoice.customer, adopt="1005")
    except Refused as e:
        print(e)
    late = company.invoices(customer=company.customer("Kapsalon Mist"))
    company.exports()
    assert len(company.booked(late)) == 1


def test_adopt_braces(company: Company) -> None:
    relation = company.relation("Bakkerij Wolk BV")
    invoice = company.invoices()
    company.exports()
    company.decides(invoice.customer, adopt="{" + relation.upper() + "}")
    company.stage.settle()
    assert company.booked(invoice)[0]["Customer"] == relation


def test_currency_first_adopted(company: Company, known) -> None:
    customer, relation = known
    first = company.invoices(customer=customer, number="1", **DOLLARS)
    company.books_by_hand(first, Customer=relation, Currency="USD", Rate=0.9)
    company.exports()
    print(company.shown(first))
    second = company.invoices(customer=customer, number="2", **DOLLARS)
    company.exports()
    print(company.shown(second))
    assert len(company.booked(second)) == 1


def test_currency_first_deleted(company: Company, known) -> None:
    customer, relation = known
    company.closes(2)
    company.refreshes()
    company.reopens(2)
    first = company.invoices(customer=customer, number="1", day="2026-02-02", **DOLLARS)
    company.stage.exact.post("edit_account", tenant=DIVISION, account=relation, Blocked=True)
    company.exports()
    print(company.shown(first))


def test_deleted_and_reissued(company: Company) -> None:
    first = company.invoices(number="2026 / 9")
    company.exports()
    company.stage.teamleader.post("delete_booking", tenant=ACCOUNT, booking=first.id)
    second = company.invoices("100.00", number="2026 / 9")
    company.exports()
    print(company.shown(second), company.problems())
    assert len(company.bookings()) == 1 or company.problems()


def test_vat_differs_by_hand(company: Company, known) -> None:
    customer, relation = known
    invoice = company.invoices(customer=customer)
    company.books_by_hand(
        invoice, Customer=relation,
        SalesEntryLines=[{"AmountFC": Decimal("114.15"), "VATAmountFC": Decimal("6.85"), "GLAccountCode": "700000", "VATCode": "6E"}],
    )
    company.exports()
    print(company.shown(invoice), company.booked(invoice))
    assert company.shown(invoice)["state"] != "booked"


def test_hand_other_day_other_relation(company: Company) -> None:
    relation = company.relation("Wolk Bakkers")
    invoice = company.invoices()
    company.books_by_hand(invoice, Customer=relation, EntryDate="2026-03-03")
    company.exports()
    assert len(company.bookings()) == 1


def test_same_figures_sentence(company: Company) -> None:
    relation = company.relation("Wolk Bakkers")
    invoice = company.invoices()
    company.books_by_hand(invoice, Customer=relation)
    company.exports()
    print(company.shown(invoice))


def test_long_number_by_hand(company: Company, known) -> None:
    customer, relation = known
    invoice = company.invoices(customer=customer, number="FACTUUR 2026 / AFDELING NOORD / 000117")
    company.books_by_hand(invoice, Customer=relation, YourRef=invoice.number[:30])
    company.exports()
    assert len(company.bookings()) == 1


def test_still_due_solved(company: Company) -> None:
    company.stage.teamleader.post("switches", credit_reduces_due=False)
    invoice = company.invoices("100.00")
    note = company.credits(invoice)
    company.exports()
    company.matches(invoice, note, "121.00")
    company.imports_payments()
    assert "StillDue" in company.problems()
    company.registers_by_hand(invoice, "121.00")
    company.imports_payments()
    assert company.problems() == {}


def test_undone_made_again(company: Company) -> None:
    invoice = company.invoices("100.00")
    company.exports()
    company.pays(invoice)
    company.imports_payments()
    company.unmatches(invoice)
    company.imports_payments()
    company.pays(invoice)
    company.imports_payments()
    assert company.problems() == {}


def test_undone_and_removed(company: Company) -> None:
    invoice = company.invoices("100.00")
    company.exports()
    company.pays(invoice)
    company.imports_payments()
    company.unmatches(invoice)
    company.imports_payments()
    company.stage.teamleader.post("remove_payments", tenant=ACCOUNT, booking=invoice.id)
    company.imports_payments()
    print(company.problems())
    assert company.problems() == {}


def test_other_exact_user(company: Company) -> None:
    company.stage.exact.post("seed", users=[{"id": "vervanger", "divisions": [DIVISION]}])
    print(company.stage.exact.post("switches"))


def test_zero_total(company: Company) -> None:
    zero = company.invoices("0.00")
    company.exports()
    print(company.shown(zero))
    assert len(company.booked(zero)) == 1
    company.imports_payments()
    assert company.problems() == {}


def test_negative_invoice(company: Company) -> None:
    row = company.invoices("-50.00")
    company.exports()
    print(company.shown(row), company.booked(row))
    company.pays(row, "60.50")
    company.imports_payments()
    print(company.payments(row), company.problems())


def test_odd_characters(company: Company) -> None:
    odd = company.customer("O'Brien & \"Zonen\" 🥐 NV # 100%", vat_number="")
    invoice = company.invoices(customer=odd, number="F'26 & \"1\" 🥐 #%")
    company.exports()
    company.exports()
    print(company.shown(invoice))
    assert len(company.booked(invoice)) == 1
    (relation,) = company.relations("O'Brien & \"Zonen\" 🥐 NV # 100%")


def test_odd_characters_lost_answer(company: Company) -> None:
    odd = company.customer("O'Brien & \"Zonen\" 🥐 NV # 100%", vat_number="")
    invoice = company.invoices(customer=odd, number="F'26 & \"1\" 🥐 #%")
    company.stage.exact.post("faults", match={"method": "POST", "path": "Accounts"}, do="commit_then_drop")
    company.stage.exact.post("faults", match={"method": "POST", "path": "SalesEntries"}, do="commit_then_drop")
    company.exports()
    assert len(company.bookings()) == 1
    assert company.shown(invoice)["state"] == "booked"


def test_neighbour_journals(company: Company) -> None:
    second = uid("flow", "second")
    company.stage.teamleader.post("seed", departments=[{"id": second, "tenant": ACCOUNT, "name": "Tweede", "vat_number": belgian_vat(12_345_678)}])
    with pytest.raises(Refused):
        company.person.post("/api/connections", entity=second, login=company.login, administration=ADMINISTRATION,
            start="2026-01-01", invoice_journal="71", credit_note_journal="70")


def test_deactivated_payments(company: Company) -> None:
    second = uid("flow", "second")
    company.stage.teamleader.post("seed", departments=[{"id": second, "tenant": ACCOUNT, "name": "Tweede", "vat_number": belgian_vat(12_345_678)}])
    company.person.post("/api/connections", entity=second, login=company.login, administration=ADMINISTRATION,
            start="2026-01-01", invoice_journal="70", credit_note_journal="71")
    invoice = company.invoices()
    company.exports()
    company.pays(invoice)
    other = [c for c in company.person.get("/api/connections")["connections"] if c["id"] != company.connection][0]["id"]
    company.person.patch(f"/api/connections/{company.connection}", active=False)
    company.person.sync(other, "payments")
    company.stage.settle()
    assert company.payments(invoice) == []


def test_fiscal_stale(company: Company) -> None:
    company.closes(3)
    company.refreshes()
    invoice = company.invoices()
    company.exports()
    company.reopens(3)
    company.exports()
    assert len(company.booked(invoice)) == 1


def test_changed_customer_after(company: Company) -> None:
    invoice = company.invoices()
    company.exports()
    company.stage.time.advance(600)
    other = company.customer("Fietsen Regen BV")
    state = company.stage.focus.state
    row = state.records["invoices"][invoice.id]
    with state.records.change():
        state.change("invoices", row, invoicee={**row["invoicee"], "customer": {"type": "company", "id": other}})
    company.exports()
    assert "ChangedAfterBooking" in company.problems()


def test_deleted_after_booking(company: Company) -> None:
    invoice = company.invoices()
    company.exports()
    company.stage.teamleader.post("delete_booking", tenant=ACCOUNT, booking=invoice.id)
    company.exports()
    company.refreshes()
    company.imports_payments()
    assert company.problems()
