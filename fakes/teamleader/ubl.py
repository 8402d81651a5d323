"""Real invoices in the fake: UBL 2.1 files become issued Teamleader documents, or are refused with a reason.

Three steps: `read` understands a file (Peppol BIS 3 / EN 16931, of any country), `hold` puts it in Teamleader's terms
and proves that the figures stay the same to the cent, `load` gives each supplier an entity of its own in the fake.
What Teamleader Focus could not hold is refused, never bent to fit: charges, prepaid and rounding amounts, document
allowances that are not one percentage of everything, VAT that neither way of rounding yields.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, Inexact
from typing import Any, Protocol
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DTDForbidden
from defusedxml.ElementTree import fromstring

from fakes.teamleader import totals

INVOICE = "invoice"
CREDIT_NOTE = "credit_note"

MAX_BYTES = 10_000_000

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
NAMESPACES = {"cac": UBL + "CommonAggregateComponents-2", "cbc": UBL + "CommonBasicComponents-2"}
KINDS = {f"{{{UBL}Invoice-2}}Invoice": INVOICE, f"{{{UBL}CreditNote-2}}CreditNote": CREDIT_NOTE}

# UNTDID 1001 codes that EN 16931 counts as credit notes; in an Invoice they would turn the sign of the document.
CREDIT_CODES = frozenset({"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "502", "503", "532"})

# Vendor reference, section 2.6.
CURRENCIES = frozenset(
    re.findall(r"\w+", "BAM CAD CHF CLP CNY COP CZK DKK EUR GBP INR ISK JPY MAD MXN NOK PEN PLN RON SEK TRY USD ZAR")
)

# UNCL 5305, the categories EN 16931 knows, as a tax rate's description names them.
REGIMES = {
    "S": "standard or reduced rate",
    "Z": "zero rated",
    "E": "exempt from VAT",
    "AE": "reverse charge",
    "K": "intra-Community supply",
    "G": "export outside the EU",
    "O": "outside the scope of VAT",
    "L": "Canary Islands IGIC",
    "M": "Ceuta and Melilla IPSI",
    "B": "split payment",
}

PRICE_PLACES = 10  # decimals of a unit price that has no end, such as 10.00 for 3 pieces
PERCENT_PLACES = 4  # decimals of a discount percentage
ZERO = Decimal(0)


class CannotHold(Exception):
    """The fake does not take this file; the message is a sentence that says why."""


@dataclass(frozen=True)
class Address:
    line_1: str | None
    postal_code: str | None
    city: str | None
    country: str | None  # ISO 3166 alpha-2


@dataclass(frozen=True)
class Party:
    """The supplier or the customer of a document."""

    name: str
    registered: bool  # the name is that of a legal registration
    vat: str | None  # as written
    company_id: str | None  # number in the trade register, as written
    endpoint: str | None  # electronic address "scheme:identifier"
    address: Address
    email: str | None

    @property
    def key(self) -> str:
        """What makes two files speak of the same party: the VAT number, else the best there is."""
        if self.vat:
            return "vat " + _letters_and_digits(self.vat)
        if self.company_id:
            return f"company {self.address.country} " + _letters_and_digits(self.company_id)
        where = " ".join(filter(None, (self.address.country, self.address.postal_code)))
        return f"name {self.endpoint or ''} {self.name.casefold()} {where}"


@dataclass(frozen=True, order=True)
class TaxCategory:
    """A VAT regime and its percentage; each pair is a tax rate of its own."""

    code: str  # UNCL 5305: S, Z, E, AE, K, G, O …
    percent: Decimal  # 21 for 21 %, without trailing zeros

    def __str__(self) -> str:
        return f"{self.code} {self.percent:f} %"


@dataclass(frozen=True)
class AllowanceCharge:
    charge: bool
    amount: Decimal
    percent: Decimal | None  # when the file says how the amount came about
    category: TaxCategory | None  # of document allowances and charges


@dataclass(frozen=True)
class Line:
    quantity: Decimal
    unit: str | None  # UN/ECE recommendation 20
    price: Decimal
    base_quantity: Decimal  # the price is for so many units
    net: Decimal
    allowances_charges: tuple[AllowanceCharge, ...]
    name: str
    description: str | None
    category: TaxCategory
    exemption_reason: str | None


@dataclass(frozen=True)
class TaxSubtotal:
    category: TaxCategory
    taxable: Decimal
    tax: Decimal
    exemption_reason: str | None


@dataclass(frozen=True)
class Totals:
    tax_exclusive: Decimal
    tax_inclusive: Decimal
    prepaid: Decimal
    rounding: Decimal


@dataclass(frozen=True)
class UblDocument:
    """One file, understood."""

    name: str  # of the file
    kind: str  # INVOICE or CREDIT_NOTE
    number: str
    issue_date: date
    due_date: date | None
    currency: str
    tax_currency: str | None  # when VAT is also stated in the currency of the tax authority
    supplier: Party
    customer: Party
    payment_reference: str | None
    note: str | None
    order_reference: str | None
    billing_reference: str | None  # number of the invoice that is credited or corrected
    lines: tuple[Line, ...]
    allowances_charges: tuple[AllowanceCharge, ...]
    subtotals: tuple[TaxSubtotal, ...]
    totals: Totals

    @property
    def categories(self) -> tuple[TaxCategory, ...]:
        """The tax rates this document needs, in the order of its lines."""
        return tuple(dict.fromkeys(line.category for line in self.lines))


# --- read: from bytes to a document -----------------------------------------------------------------------------------


def read(name: str, data: bytes) -> UblDocument:
    """Understand one file.

    Raises: CannotHold for anything that is not a complete UBL 2.1 Invoice or CreditNote.
    """
    root = _parse(data)
    kind = KINDS.get(root.tag)
    if kind is None:
        raise CannotHold(f"The file is not a UBL 2.1 Invoice or CreditNote; it begins with {_shown(root.tag)}.")
    type_code = _text(root, "cbc:InvoiceTypeCode")
    if kind == INVOICE and type_code in CREDIT_CODES:
        raise CannotHold(f"The file is an Invoice, but its type code {type_code} says credit note.")
    currency = _need(root, "cbc:DocumentCurrencyCode", "currency")
    line_tag, quantity_tag = {
        INVOICE: ("cac:InvoiceLine", "cbc:InvoicedQuantity"),
        CREDIT_NOTE: ("cac:CreditNoteLine", "cbc:CreditedQuantity"),
    }[kind]
    lines = tuple(_line(node, quantity_tag, currency) for node in root.findall(line_tag, NAMESPACES))
    if not lines:
        raise CannotHold("The file has no lines.")
    return UblDocument(
        name=name,
        kind=kind,
        number=_need(root, "cbc:ID", "number"),
        issue_date=_date(_need(root, "cbc:IssueDate", "issue date")),
        due_date=_due_date(root),
        currency=currency,
        tax_currency=_text(root, "cbc:TaxCurrencyCode"),
        supplier=_party(root, "cac:AccountingSupplierParty/cac:Party", "supplier"),
        customer=_party(root, "cac:AccountingCustomerParty/cac:Party", "customer"),
        payment_reference=_text(root, "cac:PaymentMeans/cbc:PaymentID"),
        note=_text(root, "cbc:Note"),
        order_reference=_text(root, "cac:OrderReference/cbc:ID"),
        billing_reference=_text(root, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"),
        lines=lines,
        allowances_charges=tuple(_allowances_charges(root, currency)),
        subtotals=tuple(_subtotals(root, currency)),
        totals=_totals(root, currency),
    )


def _parse(data: bytes) -> Element:
    if len(data) > MAX_BYTES:
        raise CannotHold(f"The file is larger than {MAX_BYTES // 1_000_000} MB.")
    try:
        return fromstring(data, forbid_dtd=True)
    except DTDForbidden as error:
        raise CannotHold("The file brings a document type definition (DTD), which is not accepted.") from error
    except ParseError as error:
        if not data.startswith((b"\xff\xfe", b"\xfe\xff")) and _claims_utf8(data) and not _is_utf8(data):
            raise CannotHold("The file says it is UTF-8, but its text is in another encoding.") from error
        raise CannotHold(f"The file is not readable XML: {error}.") from error
    except (LookupError, ValueError) as error:
        raise CannotHold(f"The file is in an encoding that cannot be read: {error}.") from error


def _claims_utf8(data: bytes) -> bool:
    declared = re.match(rb"""\s*<\?xml[^>]*encoding=["']([^"']+)""", data)
    return declared is None or declared[1].lower() in (b"utf-8", b"utf8")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _line(node: Element, quantity_tag: str, currency: str) -> Line:
    label = _text(node, "cbc:ID") or "?"
    category = node.find("cac:Item/cac:ClassifiedTaxCategory", NAMESPACES)
    if category is None:
        raise CannotHold(f"Line {label} has no VAT category.")
    quantity = node.find(quantity_tag, NAMESPACES)
    description = _text(node, "cac:Item/cbc:Description")
    return Line(
        quantity=_number(_need(node, quantity_tag, f"quantity on line {label}")),
        unit=None if quantity is None else quantity.get("unitCode"),
        price=_amount(node, "cac:Price/cbc:PriceAmount", currency, f"price on line {label}"),
        base_quantity=_number(_text(node, "cac:Price/cbc:BaseQuantity") or "1"),
        net=_amount(node, "cbc:LineExtensionAmount", currency, f"net amount on line {label}"),
        allowances_charges=tuple(_allowances_charges(node, currency)),
        name=_text(node, "cac:Item/cbc:Name") or description or f"Line {label}",
        description=description,
        category=_category(category),
        exemption_reason=_exemption_reason(category),
    )


def _party(root: Element, path: str, role: str) -> Party:
    node = root.find(path, NAMESPACES)
    if node is None:
        raise CannotHold(f"The file names no {role}.")
    registered = _text(node, "cac:PartyLegalEntity/cbc:RegistrationName")
    name = registered or _text(node, "cac:PartyName/cbc:Name") or _text(node, "cac:Contact/cbc:Name")
    if name is None:
        raise CannotHold(f"The {role} has no name.")
    endpoint = node.find("cbc:EndpointID", NAMESPACES)
    scheme, identifier = (None, None) if endpoint is None else (endpoint.get("schemeID"), _text(node, "cbc:EndpointID"))
    email = _text(node, "cac:Contact/cbc:ElectronicMail")
    if email is None and scheme == "EM":  # the electronic address is an e-mail address
        email = identifier
    return Party(
        name=name,
        registered=registered is not None,
        vat=_vat_number(node),
        company_id=_text(node, "cac:PartyLegalEntity/cbc:CompanyID"),
        endpoint=identifier and f"{scheme}:{identifier}",
        address=_address(node),
        email=email,
    )


def _vat_number(party: Element) -> str | None:
    for scheme in party.findall("cac:PartyTaxScheme", NAMESPACES):
        if (_text(scheme, "cac:TaxScheme/cbc:ID") or "").upper() == "VAT":
            return _text(scheme, "cbc:CompanyID")
    return None


def _address(party: Element) -> Address:
    street = [_text(party, f"cac:PostalAddress/cbc:{tag}") for tag in ("StreetName", "BuildingNumber")]
    extra = _text(party, "cac:PostalAddress/cbc:AdditionalStreetName")
    line_1 = ", ".join(filter(None, (" ".join(filter(None, street)), extra)))
    return Address(
        line_1=line_1 or _text(party, "cac:PostalAddress/cac:AddressLine/cbc:Line"),
        postal_code=_text(party, "cac:PostalAddress/cbc:PostalZone"),
        city=_text(party, "cac:PostalAddress/cbc:CityName"),
        country=_text(party, "cac:PostalAddress/cac:Country/cbc:IdentificationCode"),
    )


def _due_date(root: Element) -> date | None:
    # A credit note has its due date with the means of payment.
    text = _text(root, "cbc:DueDate") or _text(root, "cac:PaymentMeans/cbc:PaymentDueDate")
    return _date(text) if text else None


def _allowances_charges(node: Element, currency: str) -> Iterator[AllowanceCharge]:
    """Allowances and charges that amount to something; those of zero do not count."""
    for item in node.findall("cac:AllowanceCharge", NAMESPACES):
        indicator = _text(item, "cbc:ChargeIndicator")
        if indicator not in ("true", "false", "1", "0"):
            raise CannotHold("An allowance or charge does not say which of the two it is.")
        amount = _amount(item, "cbc:Amount", currency, "amount of an allowance or charge")
        if not amount:
            continue
        percent = _text(item, "cbc:MultiplierFactorNumeric")
        category = item.find("cac:TaxCategory", NAMESPACES)
        yield AllowanceCharge(
            charge=indicator in ("true", "1"),
            amount=amount,
            percent=_number(percent) if percent else None,
            category=None if category is None else _category(category),
        )


def _subtotals(root: Element, currency: str) -> Iterator[TaxSubtotal]:
    """The VAT summary in the document's currency; there may be a second one in that of the tax authority."""
    rows = [
        row
        for tax_total in root.findall("cac:TaxTotal", NAMESPACES)
        if tax_total.find("cbc:TaxAmount[@currencyID]", NAMESPACES) is None
        or tax_total.find("cbc:TaxAmount", NAMESPACES).get("currencyID") == currency
        for row in tax_total.findall("cac:TaxSubtotal", NAMESPACES)
    ]
    for node in rows:
        category = node.find("cac:TaxCategory", NAMESPACES)
        if category is None:
            raise CannotHold("A row of the VAT summary has no VAT category.")
        yield TaxSubtotal(
            category=_category(category),
            taxable=_amount(node, "cbc:TaxableAmount", currency, "taxable amount in the VAT summary"),
            tax=_amount(node, "cbc:TaxAmount", currency, "VAT amount in the VAT summary"),
            exemption_reason=_exemption_reason(category),
        )


def _totals(root: Element, currency: str) -> Totals:
    node = root.find("cac:LegalMonetaryTotal", NAMESPACES)
    if node is None:
        raise CannotHold("The file has no totals.")

    def optional(tag: str) -> Decimal:
        return ZERO if _text(node, tag) is None else _amount(node, tag, currency, tag)

    return Totals(
        tax_exclusive=_amount(node, "cbc:TaxExclusiveAmount", currency, "total without VAT"),
        tax_inclusive=_amount(node, "cbc:TaxInclusiveAmount", currency, "total with VAT"),
        prepaid=optional("cbc:PrepaidAmount"),
        rounding=optional("cbc:PayableRoundingAmount"),
    )


def _category(node: Element) -> TaxCategory:
    code = _need(node, "cbc:ID", "VAT category")
    percent = _text(node, "cbc:Percent")
    if percent is None and code == "S":
        raise CannotHold("A VAT category S has no percentage.")
    return TaxCategory(code, _shortest(_number(percent or "0")))  # O and, in some files, E come without one


def _exemption_reason(node: Element) -> str | None:
    return _text(node, "cbc:TaxExemptionReason") or _text(node, "cbc:TaxExemptionReasonCode")


def _text(node: Element, path: str) -> str | None:
    return (node.findtext(path, namespaces=NAMESPACES) or "").strip() or None


def _need(node: Element, path: str, what: str) -> str:
    text = _text(node, path)
    if text is None:
        raise CannotHold(f"The file has no {what}.")
    return text


def _amount(node: Element, path: str, currency: str, what: str) -> Decimal:
    text = _need(node, path, what)
    stated = node.find(path, NAMESPACES).get("currencyID", currency)
    if stated != currency:
        raise CannotHold(f"The {what} is in {stated}, the document in {currency}.")
    return _number(text)


def _number(text: str) -> Decimal:
    if not re.fullmatch(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})", text, re.ASCII):
        raise CannotHold(f"{text[:40]!r} is not a number.")
    return Decimal(text)


def _date(text: str) -> date:
    # The schema allows a time zone behind a date; the calendar day is what counts.
    if match := re.fullmatch(r"(\d{4}-\d\d-\d\d)(Z|[+-]\d\d:\d\d)?", text):
        try:
            return date.fromisoformat(match[1])
        except ValueError:
            pass
    raise CannotHold(f"{text[:40]!r} is not a date.")


def _shortest(number: Decimal) -> Decimal:
    """Without trailing zeros, and never as 2E+1."""
    number = number.normalize()
    return number.quantize(Decimal(1)) if number.as_tuple().exponent > 0 else number + ZERO


def _shown(tag: str) -> str:
    return tag.rpartition("}")[2][:60]


def _letters_and_digits(text: str) -> str:
    return re.sub(r"\W", "", text).upper()


# --- hold: in Teamleader's terms, to the cent -------------------------------------------------------------------------


def rate_name(category: TaxCategory) -> str:
    """The default name of a tax rate, where no entity has given it an id."""
    return str(category)


def hold(document: UblDocument, mode: str, rate_id: Callable[[TaxCategory], str] = rate_name) -> dict:
    """The document in Teamleader's terms: its lines, discounts and the rounding that reproduces its figures.

    Shape: `grouped_lines` as in invoices.info (`tax.id` by `rate_id`), `discounts`, `currency`, `rounding`.
    `mode` is the way of rounding that is tried first.
    Raises: CannotHold unless net and VAT per rate and both totals equal the file's.
    """
    _refuse_what_has_no_place(document)
    lines = [_line_item(line, position, rate_id) for position, line in enumerate(document.lines, 1)]
    groups = [{"section": {"title": ""}, "line_items": lines}]
    discounts = _discounts(document)
    rates = {rate_id(category): category.percent / 100 for category in document.categories}
    found = {}
    for rounding in (mode, *(other for other in totals.MODES if other != mode)):
        _, total = totals.compute(groups, discounts, rates, {}, rounding, document.currency)
        if _figures_agree(document, total):
            shape = {"grouped_lines": groups, "discounts": discounts, "currency": document.currency}
            return {**shape, "rounding": rounding}
        found[rounding] = total
    raise CannotHold(_disagreement(document, found))


def _refuse_what_has_no_place(document: UblDocument) -> None:
    if document.currency not in CURRENCIES:
        raise CannotHold(f"Teamleader does not know the currency {document.currency}.")
    for position, line in enumerate(document.lines, 1):
        if any(item.charge for item in line.allowances_charges):
            raise CannotHold(f"Line {position} has a charge, which Teamleader cannot hold.")
    if any(item.charge for item in document.allowances_charges):
        raise CannotHold("The document has a charge, which Teamleader cannot hold.")
    if document.totals.prepaid:
        raise CannotHold(f"The document has a prepaid amount of {document.totals.prepaid}.")
    if document.totals.rounding:
        raise CannotHold(f"The document has a rounding amount of {document.totals.rounding}.")
    summary = _by_category((row.category, row.taxable) for row in document.subtotals)
    lines = _by_category(
        [(line.category, line.net) for line in document.lines]
        + [(item.category, -item.amount) for item in document.allowances_charges]
    )
    for category in lines | summary:
        if lines.get(category, ZERO) != summary.get(category, ZERO):
            raise CannotHold(
                f"The file contradicts itself: for VAT category {category} its lines come to "
                f"{lines.get(category, ZERO):.2f}, its VAT summary says {summary.get(category, ZERO):.2f}."
            )


def _by_category(rows: Iterable[tuple[TaxCategory | None, Decimal]]) -> dict[TaxCategory | None, Decimal]:
    amounts: dict[TaxCategory | None, Decimal] = {}
    for category, amount in rows:
        amounts[category] = amounts.get(category, ZERO) + amount
    return amounts


def _line_item(line: Line, position: int, rate_id: Callable[[TaxCategory], str]) -> dict:
    price, percent = _price_and_discount(line, position)
    return {
        "product": None,
        "quantity": line.quantity,
        "description": line.name,
        "extended_description": line.description,
        "unit": None,
        "unit_price": {"amount": price, "tax": "excluding"},
        "tax": {"type": "taxRate", "id": rate_id(line.category)},
        "discount": percent and {"type": "percentage", "value": percent},
        "product_category": None,
        "withheld_tax": None,
    }


def _price_and_discount(line: Line, position: int) -> tuple[Decimal, Decimal | None]:
    """A unit price and perhaps a percentage that give the line's net to the cent.

    An allowance becomes a percentage only where that is exact; otherwise the price comes down by it.
    """
    if not line.base_quantity:
        raise CannotHold(f"Line {position} has a price for a quantity of zero.")
    price, exact = _divide(line.price, line.base_quantity)
    allowance = sum((item.amount for item in line.allowances_charges), ZERO)
    gross = line.quantity * price
    if totals.round2(gross - allowance) != line.net:
        raise CannotHold(
            f"Line {position}: {line.quantity} x {_shortest(price)} less {allowance} is "
            f"{totals.round2(gross - allowance)}, the file says {line.net}."
            if allowance
            else f"Line {position}: {line.quantity} x {_shortest(price)} is {totals.round2(gross)}, "
            f"the file says {line.net}."
        )
    if not allowance:
        return _shortest(price), None
    percent, exact_percent = _divide(allowance * 100, gross) if gross else (ZERO, False)
    percent = _shortest(percent)
    if exact and exact_percent and 0 < percent <= 100 and -percent.as_tuple().exponent <= PERCENT_PLACES:
        return _shortest(price), percent
    lowered = _divide(line.net, line.quantity)[0] if line.quantity else ZERO
    if totals.round2(line.quantity * lowered) != line.net:
        raise CannotHold(f"Line {position}: no unit price and no percentage gives its net of {line.net}.")
    return _shortest(lowered), None


def _divide(amount: Decimal, by: Decimal) -> tuple[Decimal, bool]:
    """The quotient with as many decimals as a unit price may have, and whether it is exact."""
    context = Context(prec=totals.PRECISION, traps=[])
    quotient = context.quantize(context.divide(amount, by), Decimal(1).scaleb(-PRICE_PLACES))
    return quotient, not context.flags[Inexact]


def _discounts(document: UblDocument) -> list[dict]:
    """The document's allowances as one percentage of everything."""
    if not document.allowances_charges:
        return []
    nets = _by_category((line.category, line.net) for line in document.lines)
    allowances = _by_category((item.category, item.amount) for item in document.allowances_charges)
    stated = {item.percent for item in document.allowances_charges if item.percent}
    total = sum(nets.values(), ZERO)
    candidates = list(stated) if len(stated) == 1 else []
    if total:
        ratio = _divide(sum(allowances.values(), ZERO) * 100, total)[0]
        candidates += [ratio.quantize(Decimal(1).scaleb(-places)) for places in range(PERCENT_PLACES + 1)]
    for percent in candidates:
        if 0 < percent <= 100 and all(
            totals.round2(net * percent / 100) == allowances.get(category, ZERO) for category, net in nets.items()
        ):
            return [{"type": "percentage", "value": _shortest(percent), "description": "Discount"}]
    raise CannotHold("The document's allowances are not one percentage of everything.")


def _figures_agree(document: UblDocument, total: Mapping[str, Any]) -> bool:
    stated = _by_rate((row.category.percent / 100, row.taxable, row.tax) for row in document.subtotals)
    ours = _by_rate((row["rate"], row["taxable"]["amount"], row["tax"]["amount"]) for row in total["taxes"])
    return (
        stated == ours
        and total["tax_exclusive"]["amount"] == document.totals.tax_exclusive
        and total["tax_inclusive"]["amount"] == document.totals.tax_inclusive
    )


def _by_rate(rows: Iterable[tuple[Decimal, Decimal, Decimal]]) -> dict[Decimal, tuple[Decimal, Decimal]]:
    """Taxable amount and VAT per percentage, as Teamleader's totals show them; rates of nothing left out."""
    sums: dict[Decimal, tuple[Decimal, Decimal]] = {}
    for rate, taxable, tax in rows:
        before = sums.get(rate, (ZERO, ZERO))
        sums[rate] = (before[0] + taxable, before[1] + tax)
    return {rate: amounts for rate, amounts in sums.items() if any(amounts)}


def _disagreement(document: UblDocument, found: Mapping[str, Mapping[str, Any]]) -> str:
    stated = sum((row.tax for row in document.subtotals), ZERO)
    computed = {mode: sum((row["tax"]["amount"] for row in total["taxes"]), ZERO) for mode, total in found.items()}
    if stated in computed.values() and document.totals.tax_exclusive + stated != document.totals.tax_inclusive:
        return (
            f"The file contradicts itself: {document.totals.tax_exclusive} and {stated} VAT "
            f"do not make {document.totals.tax_inclusive}."
        )
    ways = ", ".join(f"{mode.replace('_', ' ')} {vat}" for mode, vat in computed.items())
    return f"No rounding of Teamleader yields the file's VAT of {stated} ({ways})."


# --- load: into the fake, an entity per supplier ----------------------------------------------------------------------

NAMESPACE = uuid.UUID("0d5b9d0e-4c39-5f0c-8a55-9a4c8d0f5e21")

# What a unit is worth in euro, for documents that are not in their entity's currency: round figures of ours, no quote.
IN_EURO = {
    "BAM": "0.51", "CAD": "0.67", "CHF": "1.06", "CLP": "0.001", "CNY": "0.13", "COP": "0.00023", "CZK": "0.04",
    "DKK": "0.134", "EUR": "1", "GBP": "1.17", "INR": "0.011", "ISK": "0.0068", "JPY": "0.0061", "MAD": "0.094",
    "MXN": "0.048", "NOK": "0.086", "PEN": "0.25", "PLN": "0.234", "RON": "0.2", "SEK": "0.088", "TRY": "0.026",
    "USD": "0.92", "ZAR": "0.05",
}  # fmt: skip
RATE_NOTE = "The exchange rate is the loader's own; the file has none."


class Tables(Protocol):
    """Rows by id, per table, as the fake keeps them."""

    def __getitem__(self, table: str) -> Mapping[str, Mapping[str, Any]]: ...


class Seedable(Protocol):
    """What the loader needs of the fake: its records to read, `seed` to add to them."""

    state: Any  # its `records` are Tables

    def seed(self, body: dict[str, Any]) -> dict[str, Any]: ...


def load(files: Mapping[str, bytes], fake: Seedable, mode: str = totals.PER_LINE) -> dict:
    """Put the files into the fake as issued documents.

    Shape: `{"loaded": n, "refused": {file: reason}, "departments": [...], "converted": {file: exchange rate}}`. A
    department says for whom it stands and what its administration must have, as `requirements` does; `converted` marks
    the documents in another currency than their entity's. All suppliers are entities of the fake's first account, or of
    a new one named UBL. Loading more files later adds to the same entities.
    """
    known = _Known.of(fake.state.records)
    refused: dict[str, str] = {}
    documents: list[UblDocument] = []
    shapes: dict[str, dict] = {}
    for document in _readable(files, refused):
        department = _department_id(known.account, document.supplier)
        place = (department, document.kind, document.number)
        try:
            shape = hold(document, mode, lambda category, department=department: _id(department, "rate", category))
            if place in known.documents:
                raise CannotHold(
                    f"Number in use: {document.supplier.name} already has one with number {document.number}."
                )
        except CannotHold as reason:
            refused[document.name] = str(reason)
            continue
        known.documents[place] = _id(*place)
        documents.append(document)
        shapes[document.name] = shape
    departments = []
    for supplier, requirement in _requirements(documents):
        id_ = _department_id(known.account, supplier)
        currency = known.departments.setdefault(id_, requirement["currency"])
        departments.append({"id": id_, "tenant": known.account, **requirement, "currency": currency})
    if documents:
        fake.seed(_body(documents, shapes, known))
    return {
        "loaded": len(documents),
        "refused": refused,
        "departments": departments,
        "converted": _converted(documents, known),
    }


def requirements(documents: Iterable[UblDocument]) -> list[dict]:
    """What the books of each supplier must know before they can take its documents.

    Shape: per supplier `name, vat_number, country, currency` (of its first document), `rates` (each VAT category and
    percentage, with the description its tax rate has in the fake) and `years` (of its documents).
    """
    return [requirement for _, requirement in _requirements(sorted(documents, key=_in_order))]


def _requirements(documents: Iterable[UblDocument]) -> Iterator[tuple[Party, dict]]:
    for first, *others in _by_supplier(documents):
        categories = sorted({category for document in (first, *others) for category in document.categories})
        yield (
            first.supplier,
            {
                "name": first.supplier.name,
                "vat_number": first.supplier.vat,
                "country": first.supplier.address.country,
                "currency": first.currency,
                "rates": [
                    {"category": category.code, "percent": category.percent, "description": _description(category)}
                    for category in categories
                ],
                "years": sorted({document.issue_date.year for document in (first, *others)}),
            },
        )


def _by_supplier(documents: Iterable[UblDocument]) -> Iterable[list[UblDocument]]:
    groups: dict[str, list[UblDocument]] = {}
    for document in documents:
        groups.setdefault(document.supplier.key, []).append(document)
    return groups.values()


def _readable(files: Mapping[str, bytes], refused: dict[str, str]) -> list[UblDocument]:
    """The files that can be read, in date and number order; the reasons of the others go to `refused`."""
    documents = []
    for name, data in files.items():
        try:
            documents.append(read(name, data))
        except CannotHold as reason:
            refused[name] = str(reason)
    return sorted(documents, key=_in_order)


def _in_order(document: UblDocument) -> tuple:
    # An invoice before the credit note of the same day that credits it.
    return document.issue_date, document.kind != INVOICE, document.number, document.name


@dataclass(frozen=True)
class _Known:
    """What the fake holds already."""

    account: str
    new_account: bool
    customers: frozenset[str]
    tax_rates: frozenset[str]
    old_departments: frozenset[str]
    departments: dict[str, str]  # id -> currency; grows with the entities of this call
    documents: dict[tuple[str, str, str], str]  # (department, kind, number) -> id; grows likewise

    @classmethod
    def of(cls, records: Tables) -> "_Known":
        account = next(iter(records["accounts"]), None)
        documents = {
            (row["department"]["id"], kind, row[f"{kind}_number"]): id_
            for kind, table in ((INVOICE, "invoices"), (CREDIT_NOTE, "credit_notes"))
            for id_, row in records[table].items()
        }
        return cls(
            account=account or _id("account"),
            new_account=account is None,
            customers=frozenset({*records["companies"], *records["contacts"]}),
            tax_rates=frozenset(records["tax_rates"]),
            old_departments=frozenset(records["departments"]),
            departments={id_: row["currency"] for id_, row in records["departments"].items()},
            documents=documents,
        )


def _converted(documents: list[UblDocument], known: _Known) -> dict[str, dict]:
    """The exchange rate of each document that is not in its entity's currency."""
    converted = {}
    for document in documents:
        currency = known.departments[_department_id(known.account, document.supplier)]
        if currency != document.currency:
            converted[document.name] = _exchange_rate(document.currency, currency)
    return converted


def _body(documents: list[UblDocument], shapes: Mapping[str, dict], known: _Known) -> dict[str, list[dict]]:
    """The documents and all they need that the fake has not got, in the vendor's spelling."""
    body: dict[str, list[dict]] = {"accounts": [], "users": [], "payment_terms": []}
    if known.new_account:
        body = _account(known.account)
    body |= {"departments": [], "tax_rates": [], "companies": [], "contacts": [], "invoices": [], "credit_notes": []}
    seen = set(known.customers)
    for group in _by_supplier(documents):
        first = group[0]
        department = _department_id(known.account, first.supplier)
        currency = known.departments[department]
        if department not in known.old_departments:
            body["departments"].append(_department(department, known.account, first))
        for category in sorted({category for document in group for category in document.categories}):
            if _id(department, "rate", category) not in known.tax_rates:
                body["tax_rates"].append(_tax_rate(department, known.account, category))
        for document in group:
            customer_kind, customer = _customer(known.account, document.customer)
            if customer["id"] not in seen:
                seen.add(customer["id"])
                body["companies" if customer_kind == "company" else "contacts"].append(customer)
            row = {
                "id": _id(department, document.kind, document.number),
                "tenant": known.account,
                "department": {"type": "department", "id": department},
                "invoicee": _invoicee(document.customer, customer_kind, customer["id"]),
                "currency_exchange_rate": _exchange_rate(document.currency, currency),
                **shapes[document.name],
            }
            if document.kind == INVOICE:
                body["invoices"].append(row | _invoice_fields(document, currency))
            else:
                body["credit_notes"].append(row | _credit_note_fields(document, department, known))
    return body


def _account(id_: str) -> dict[str, list[dict]]:
    user = {
        "id": _id("user"),
        "tenant": id_,
        "first_name": "Ubbe",
        "last_name": "Lader",
        "email": "ubl@loader.example",
        "email_verification_status": "confirmed",
        "language": "en",
        "function": None,
        "time_zone": "Europe/Brussels",
    }
    terms = [{"type": "cash", "days": 0}, {"type": "after_invoice_date", "days": 30}]
    return {
        "accounts": [{"id": id_, "name": "UBL"}],
        "users": [user],
        "payment_terms": [{"id": _id("term", term["days"]), "tenant": id_, **term} for term in terms],
    }


def _department(id_: str, account: str, first: UblDocument) -> dict:
    supplier = first.supplier
    return {
        "id": id_,
        "tenant": account,
        "name": supplier.name,
        "vat_number": supplier.vat,
        "currency": first.currency,
        "emails": [{"type": "primary", "email": supplier.email}] if supplier.email else [],
        "status": "active",
        "address": _address_row(supplier.address),
    }


def _tax_rate(department: str, account: str, category: TaxCategory) -> dict:
    return {
        "id": _id(department, "rate", category),
        "tenant": account,
        "description": _description(category),
        "rate": category.percent / 100,
        "department": {"type": "department", "id": department},
    }


def _description(category: TaxCategory) -> str:
    return f"{category.percent:f} % {REGIMES.get(category.code, 'VAT category')} ({category.code})"


def _customer(account: str, party: Party) -> tuple[str, dict]:
    """A company when anything but the bare name says so, else a contact."""
    kind = "company" if party.vat or party.registered or party.company_id or party.endpoint else "contact"
    row = {
        "id": _id(account, "customer", party.key),
        "tenant": account,
        **({"name": party.name} if kind == "company" else {"first_name": None, "last_name": party.name}),
        "status": "active",
        "vat_number": party.vat,
        "national_identification_number": party.company_id,
        "emails": [{"type": "primary", "email": party.email}] if party.email else [],
        "telephones": [],
        "addresses": [{"type": "primary", "address": _address_row(party.address)}] if party.address.country else [],
        "invoicing_preferences": {"electronic_invoicing_address": party.endpoint},
        "website": None,
        "iban": None,
        "bic": None,
        "language": "en",
        "payment_term": None,
        "tags": [],
    }
    return kind, row


def _address_row(address: Address) -> dict:
    return {
        "line_1": address.line_1,
        "postal_code": address.postal_code,
        "city": address.city,
        "country": address.country,
        "area_level_two": None,
    }


def _invoicee(party: Party, kind: str, id_: str) -> dict:
    return {
        "name": party.name,
        "vat_number": party.vat,
        "customer": {"type": kind, "id": id_},
        "for_attention_of": None,
        "email": party.email,
        "national_identification_number": party.company_id,
    }


def _invoice_fields(document: UblDocument, entity_currency: str) -> dict:
    """Without a due date, the invoice is due at once."""
    due = document.due_date or document.issue_date
    days = max((due - document.issue_date).days, 0)
    notes = [document.note, None if document.currency == entity_currency else RATE_NOTE]
    return {
        "status": "outstanding",
        "sent": True,
        "invoice_number": document.number,
        "invoice_date": document.issue_date.isoformat(),
        "due_on": due.isoformat(),
        "payment_term": {"type": "after_invoice_date" if days else "cash", "days": days},
        "payment_reference": document.payment_reference,
        "purchase_order_number": document.order_reference,
        "note": "\n".join(filter(None, notes)) or None,
    }


def _credit_note_fields(document: UblDocument, department: str, known: _Known) -> dict:
    """Linked to its invoice when that is here; otherwise it stands alone."""
    invoice = known.documents.get((department, INVOICE, document.billing_reference or ""))
    return {
        "status": "booked",
        "credit_note_number": document.number,
        "credit_note_date": document.issue_date.isoformat(),
        "invoice": invoice and {"type": "invoice", "id": invoice},
    }


def _exchange_rate(currency: str, entity_currency: str) -> dict:
    rate = _shortest(_divide(Decimal(IN_EURO[currency]), Decimal(IN_EURO[entity_currency]))[0])
    return {"from": currency, "to": entity_currency, "rate": rate}


def _department_id(account: str, supplier: Party) -> str:
    return _id(account, "department", supplier.key)


def _id(*parts: object) -> str:
    return str(uuid.uuid5(NAMESPACE, " | ".join(map(str, parts))))
