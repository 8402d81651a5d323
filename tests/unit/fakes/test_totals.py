"""What a document comes to, against the vendor's worked figures and against arithmetic that must always hold."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.teamleader import totals

RATES = {"r21": Decimal("0.21"), "r12": Decimal("0.12"), "r6": Decimal("0.06"), "r0": Decimal(0), "r0b": Decimal("0.0")}


def a_line(quantity, price, rate="r21", discount=None, **more):
    discount = discount and {"type": "percentage", "value": discount}
    unit_price = {"amount": price, "tax": "excluding"}
    return {"quantity": quantity, "unit_price": unit_price, "tax_rate_id": rate, "discount": discount, **more}


def compute(*lines, discounts=(), mode="per_line", withholding=None):
    discounts = [{"type": "percentage", "value": value} for value in discounts]
    groups = [{"section": {"title": "Work"}, "line_items": list(lines)}]
    groups, total = totals.compute(groups, discounts, RATES, withholding or {}, mode, "EUR")
    return groups[0]["line_items"], total


def amount(money):
    assert money["currency"] == "EUR"
    return money["amount"]


def figures(total):
    return {
        name: str(amount(total[name]))
        for name in (
            "tax_exclusive",
            "tax_exclusive_before_discount",
            "tax_inclusive",
            "tax_inclusive_before_discount",
        )
    }


def test_a_price_of_a_tenth_of_a_cent_is_multiplied_before_it_is_rounded():
    _, total = compute(a_line(2222, Decimal("0.001"), "r12"))
    [tax] = total["taxes"]
    assert (amount(tax["taxable"]), amount(tax["tax"]), amount(total["tax_inclusive"])) == (
        Decimal("2.22"),
        Decimal("0.27"),
        Decimal("2.49"),
    )


@pytest.mark.parametrize(("mode", "vat"), [("per_line", "302.34"), ("per_rate", "302.35")])
def test_four_lines_of_one_rate_differ_a_cent_between_the_modes(mode, vat):
    _, total = compute(*(a_line(1, Decimal(p)) for p in ("225", "37.59", "895.15", "282")), mode=mode)
    assert amount(total["taxes"][0]["taxable"]) == Decimal("1439.74")
    assert amount(total["taxes"][0]["tax"]) == Decimal(vat)


def test_the_vendors_sample_invoice():
    lines, total = compute(a_line(3, 125.5, discount=10), a_line(1, 40, "r6"))
    assert figures(lines[0]["total"]) == {
        "tax_exclusive": "338.85",
        "tax_exclusive_before_discount": "376.50",
        "tax_inclusive": "410.01",
        "tax_inclusive_before_discount": "455.57",
    }
    assert figures(lines[1]["total"]) == {
        "tax_exclusive": "40.00",
        "tax_exclusive_before_discount": "40.00",
        "tax_inclusive": "42.40",
        "tax_inclusive_before_discount": "42.40",
    }
    assert figures(total) == {
        "tax_exclusive": "378.85",
        "tax_exclusive_before_discount": "378.85",
        "tax_inclusive": "452.41",
        "tax_inclusive_before_discount": "452.41",
    }
    assert [(tax["rate"], amount(tax["taxable"]), amount(tax["tax"])) for tax in total["taxes"]] == [
        (Decimal("0.21"), Decimal("338.85"), Decimal("71.16")),
        (Decimal("0.06"), Decimal("40.00"), Decimal("2.40")),
    ]
    assert total["withheld_taxes"] == []
    assert amount(total["payable"]) == Decimal("452.41")
    assert "due" not in total


def test_document_discounts_compound_and_leave_the_lines_alone():
    lines, total = compute(a_line(1, 100), a_line(1, Decimal("50.01"), "r6"), discounts=[10, 5])
    assert amount(lines[0]["total"]["tax_exclusive"]) == Decimal("100.00")
    assert figures(total) == {
        "tax_exclusive": "128.26",  # 85.50 + 42.76
        "tax_exclusive_before_discount": "150.01",
        "tax_inclusive": "148.79",  # + 17.96 (17.955) + 2.57 (2.5655)
        "tax_inclusive_before_discount": "174.01",  # 150.01 + 21.00 + 3.00
    }


def test_a_document_discount_per_rate_is_rounded_once():
    lines = [a_line(1, Decimal("0.05")) for _ in range(10)]
    assert amount(compute(*lines, discounts=[10])[1]["tax_exclusive"]) == Decimal("0.50")  # ten times 0.045
    assert amount(compute(*lines, discounts=[10], mode="per_rate")[1]["tax_exclusive"]) == Decimal("0.45")


def test_half_a_cent_goes_away_from_zero_on_both_sides():
    assert amount(compute(a_line(1, Decimal("0.125"), "r0"))[1]["tax_exclusive"]) == Decimal("0.13")
    assert amount(compute(a_line(-1, Decimal("0.125"), "r0"))[1]["tax_exclusive"]) == Decimal("-0.13")


def test_negative_lines_and_a_total_of_zero():
    lines, total = compute(a_line(2, 50), a_line(-1, 100))
    assert amount(lines[1]["total"]["tax_inclusive"]) == Decimal("-121.00")
    assert amount(total["tax_inclusive"]) == 0
    assert amount(compute()[1]["payable"]) == 0


def test_two_zero_rates_collapse_into_one_row():
    _, total = compute(a_line(1, 10, "r0"), a_line(1, 5, "r0b"))
    assert [(tax["rate"], amount(tax["taxable"])) for tax in total["taxes"]] == [(0, Decimal("15.00"))]


@pytest.mark.parametrize("given", [{"withholding_tax_rate_id": "w"}, {"withheld_tax": {"type": "x", "id": "w"}}])
def test_withheld_tax_lowers_what_is_payable_only(given):
    _, total = compute(a_line(1, 1000, **given), a_line(1, 500), withholding={"w": Decimal("0.046")})
    [withheld] = total["withheld_taxes"]
    assert (withheld["id"], amount(withheld["taxable"]), amount(withheld["withheld"])) == ("w", 1000, 46)
    assert amount(total["tax_inclusive"]) == Decimal("1815.00")
    assert amount(total["payable"]) == Decimal("1769.00")


def test_the_shape_of_an_answer_is_read_as_well_as_that_of_a_draft():
    line = a_line(1, 100)
    line["tax"] = {"type": "taxRate", "id": line.pop("tax_rate_id")}
    assert amount(compute(line)[1]["tax_inclusive"]) == Decimal("121.00")


def test_an_unknown_rate_or_mode_is_an_error():
    with pytest.raises(KeyError):
        compute(a_line(1, 1, "elsewhere"))
    with pytest.raises(ValueError, match="mode"):
        compute(a_line(1, 1), mode="per_document")


quantities = st.decimals("-1000", "1000", places=3)
prices = st.decimals("-5000", "5000", places=4)
percentages = st.decimals("0", "100", places=2)
lines = st.builds(a_line, quantities, prices, st.sampled_from(sorted(RATES)), st.none() | percentages)
documents = st.lists(lines, max_size=8)


@given(documents, st.lists(percentages, max_size=2), st.sampled_from(totals.MODES))
def test_taxable_plus_vat_is_the_total(lines, discounts, mode):
    _, total = compute(*lines, discounts=discounts, mode=mode)
    taxable = sum(amount(tax["taxable"]) for tax in total["taxes"])
    vat = sum(amount(tax["tax"]) for tax in total["taxes"])
    assert taxable == amount(total["tax_exclusive"])
    assert taxable + vat == amount(total["tax_inclusive"]) == amount(total["payable"])


@given(documents, st.sampled_from(totals.MODES))
def test_without_document_discounts_the_nets_of_the_lines_are_the_documents_net(lines, mode):
    shown, total = compute(*lines, mode=mode)
    assert sum(amount(line["total"]["tax_exclusive"]) for line in shown) == amount(total["tax_exclusive"])
    assert amount(total["tax_exclusive_before_discount"]) == amount(total["tax_exclusive"])


@given(documents)
def test_the_modes_differ_by_rounding_only(lines):
    """Half a cent a line for its VAT, what the rate makes of half a cent of its net, half a cent for each rate."""
    per_line, per_rate = (
        {tax["rate"]: amount(tax["tax"]) for tax in compute(*lines, mode=mode)[1]["taxes"]} for mode in totals.MODES
    )
    for rate, vat in per_line.items():
        n = sum(RATES[line["tax_rate_id"]] == rate for line in lines)
        assert abs(vat - per_rate[rate]) <= (n * (1 + rate) + 1) * Decimal("0.005")


@given(st.lists(st.builds(a_line, st.just(1), st.decimals("0", "5000", places=2)), min_size=1, max_size=8))
def test_with_prices_in_whole_cents_the_modes_differ_by_half_a_cent_a_line(lines):
    vat = [amount(compute(*lines, mode=mode)[1]["taxes"][0]["tax"]) for mode in totals.MODES]
    assert abs(vat[0] - vat[1]) <= Decimal("0.005") * (len(lines) + 1)
