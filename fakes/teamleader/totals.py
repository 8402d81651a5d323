"""What a document comes to: each line, the VAT per rate and the total, to the cent.

Source: the vendor's help page on VAT calculation (reference file, section 10). Two ways of rounding occur:

- `per_line`, the product's own: VAT of each line from its unrounded net, rounded half up, then added up.
- `per_rate`, what many other invoicing programs do: the nets of one rate are added up, VAT is rounded once.

Amounts are Decimals with two places in the document's currency; rates are fractions (0.21).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

PER_LINE = "per_line"
PER_RATE = "per_rate"
MODES = (PER_LINE, PER_RATE)

CENT = Decimal("0.01")
HUNDRED = Decimal(100)

# Quantities and prices may both carry many decimals; their product must stay exact until it is rounded.
PRECISION = 60


def decimal(value: Decimal | int | float | str) -> Decimal:
    """The number as it was written: a JSON number goes by its text, never by its binary value."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def round2(amount: Decimal) -> Decimal:
    """To the cent, half a cent away from zero."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class _Line:
    """The figures of one line, before anything is rounded."""

    rate: Decimal
    before_discount: Decimal  # quantity x unit price
    net: Decimal  # after the line's own discount
    withholding: str | None  # id of the withholding tax rate


def compute(
    grouped_lines: list[dict],
    discounts: list[dict],
    rates: Mapping[str, Decimal],
    withholding: Mapping[str, Decimal],
    mode: str,
    currency: str,
) -> tuple[list[dict], dict]:
    """Add up a document: its lines with a `total` each, and the document's `total` without `due`.

    Shape: lines as in invoices.draft (`tax_rate_id`, `withholding_tax_rate_id`) or as in invoices.info (`tax`,
    `withheld_tax`); `rates` and `withholding` by id. A line's own total is before the document discounts, which
    are percentages, applied one after the other: in `per_line` to each line's unrounded net, in `per_rate` to the
    net of each rate. `taxes` is grouped by percentage, as the vendor's answer has no tax id there.
    Raises: KeyError for a tax rate that is not in `rates`, ValueError for an unknown mode.
    """
    if mode not in MODES:
        raise ValueError(f"unknown rounding mode {mode!r}")
    with localcontext() as context:
        context.prec = PRECISION
        factor = _factor(discounts)
        lines: list[_Line] = []
        groups = []
        for group in grouped_lines:
            shown = []
            for item in group["line_items"]:
                line = _figures(item, rates)
                lines.append(line)
                shown.append({**item, "total": _line_total(line, currency)})
            groups.append({**group, "line_items": shown})
        return groups, _document_total(lines, factor, withholding, mode, currency)


def _factor(discounts: Iterable[Mapping[str, Any]]) -> Decimal:
    """What is left of an amount after discounts taken one after the other."""
    left = Decimal(1)
    for discount in discounts:
        left *= 1 - decimal(discount["value"]) / HUNDRED
    return left


def _figures(item: Mapping[str, Any], rates: Mapping[str, Decimal]) -> _Line:
    before = decimal(item["quantity"]) * decimal(item["unit_price"]["amount"])
    discount = item.get("discount")
    return _Line(
        rate=rates[item["tax_rate_id"] if "tax_rate_id" in item else item["tax"]["id"]],
        before_discount=before,
        net=before * _factor([discount] if discount else []),
        withholding=item.get("withholding_tax_rate_id") or (item.get("withheld_tax") or {}).get("id"),
    )


def _line_total(line: _Line, currency: str) -> dict:
    def inclusive(net: Decimal) -> Decimal:
        return round2(net) + round2(net * line.rate)

    return _money(
        currency,
        tax_exclusive=round2(line.net),
        tax_exclusive_before_discount=round2(line.before_discount),
        tax_inclusive=inclusive(line.net),
        tax_inclusive_before_discount=inclusive(line.before_discount),
    )


def _document_total(
    lines: list[_Line], factor: Decimal, withholding: Mapping[str, Decimal], mode: str, currency: str
) -> dict:
    taxes = _taxes(lines, factor, mode)
    before = _taxes(lines, Decimal(1), mode)
    withheld = _withheld(lines, factor, withholding)
    net, vat = _sums(taxes)
    net_before, vat_before = _sums(before)
    return {
        **_money(
            currency,
            tax_exclusive=net,
            tax_exclusive_before_discount=net_before,
            tax_inclusive=net + vat,
            tax_inclusive_before_discount=net_before + vat_before,
        ),
        "taxes": [
            {"rate": rate, **_money(currency, taxable=taxable, tax=tax)} for rate, (taxable, tax) in taxes.items()
        ],
        "withheld_taxes": [
            {"id": id_, **_money(currency, taxable=taxable, withheld=tax)} for id_, (taxable, tax) in withheld.items()
        ],
        **_money(currency, payable=net + vat - _sums(withheld)[1]),
    }


def _taxes(lines: list[_Line], factor: Decimal, mode: str) -> dict[Decimal, tuple[Decimal, Decimal]]:
    """Taxable amount and VAT of each percentage, in the order in which the lines bring them up."""
    by_rate: dict[Decimal, list[Decimal]] = {}
    for line in lines:
        by_rate.setdefault(line.rate, []).append(line.net)
    if mode == PER_LINE:
        return {
            rate: (_total(round2(net * factor) for net in nets), _total(round2(net * factor * rate) for net in nets))
            for rate, nets in by_rate.items()
        }
    taxable = {rate: round2(_total(map(round2, nets)) * factor) for rate, nets in by_rate.items()}
    return {rate: (amount, round2(amount * rate)) for rate, amount in taxable.items()}


def _withheld(
    lines: list[_Line], factor: Decimal, withholding: Mapping[str, Decimal]
) -> dict[str, tuple[Decimal, Decimal]]:
    """Base and tax that the customer keeps back, per withholding rate."""
    bases: dict[str, Decimal] = {}
    for line in lines:
        if line.withholding:
            bases[line.withholding] = bases.get(line.withholding, Decimal("0.00")) + round2(line.net * factor)
    return {id_: (base, round2(base * withholding[id_])) for id_, base in bases.items()}


def _total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal("0.00"))


def _sums(pairs: Mapping[Any, tuple[Decimal, Decimal]]) -> tuple[Decimal, Decimal]:
    return _total(first for first, _ in pairs.values()), _total(second for _, second in pairs.values())


def _money(currency: str, **amounts: Decimal) -> dict:
    return {name: {"amount": amount, "currency": currency} for name, amount in amounts.items()}
