"""Real invoices in the fake: what is read, what is held to the cent, and what is refused in a plain sentence."""

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.teamleader import TeamleaderFake, totals, ubl

CORPUS = Path(__file__).parents[4] / "shared" / "corpus" / "ubl"

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
SUPPLIER = """<cac:PartyTaxScheme><cbc:CompanyID>BE0477000072</cbc:CompanyID>
  <cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
  <cac:PartyLegalEntity><cbc:RegistrationName>Seller</cbc:RegistrationName></cac:PartyLegalEntity>"""
CUSTOMER = "<cac:PartyLegalEntity><cbc:RegistrationName>Buyer</cbc:RegistrationName></cac:PartyLegalEntity>"

PERSON = "<cac:PartyName><cbc:Name>Jane Doe</cbc:Name></cac:PartyName>"


def a_category(code="S", percent="21"):
    percent = f"<cbc:Percent>{percent}</cbc:Percent>" if percent is not None else ""
    return f"<cbc:ID>{code}</cbc:ID>{percent}<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"


def an_allowance(amount, *, charge=False, percent=None, category=None, currency="EUR"):
    percent = f"<cbc:MultiplierFactorNumeric>{percent}</cbc:MultiplierFactorNumeric>" if percent else ""
    category = f"<cac:TaxCategory>{category}</cac:TaxCategory>" if category else ""
    return f"""<cac:AllowanceCharge><cbc:ChargeIndicator>{str(charge).lower()}</cbc:ChargeIndicator>{percent}
      <cbc:Amount currencyID="{currency}">{amount}</cbc:Amount>{category}</cac:AllowanceCharge>"""


def a_line(net, quantity="1", price=None, *, base="", more="", category=None, kind="Invoice", currency="EUR"):
    quantity_tag = "InvoicedQuantity" if kind == "Invoice" else "CreditedQuantity"
    base = f"<cbc:BaseQuantity>{base}</cbc:BaseQuantity>" if base else ""
    return f"""<cac:{kind}Line><cbc:ID>1</cbc:ID><cbc:{quantity_tag} unitCode="C62">{quantity}</cbc:{quantity_tag}>
      <cbc:LineExtensionAmount currencyID="{currency}">{net}</cbc:LineExtensionAmount>{more}
      <cac:Item><cbc:Name>Thing</cbc:Name>
        <cac:ClassifiedTaxCategory>{category or a_category()}</cac:ClassifiedTaxCategory></cac:Item>
      <cac:Price><cbc:PriceAmount currencyID="{currency}">{price or net}</cbc:PriceAmount>{base}</cac:Price>
      </cac:{kind}Line>"""


def a_subtotal(taxable, tax, category=None, currency="EUR"):
    return f"""<cac:TaxSubtotal><cbc:TaxableAmount currencyID="{currency}">{taxable}</cbc:TaxableAmount>
      <cbc:TaxAmount currencyID="{currency}">{tax}</cbc:TaxAmount>
      <cac:TaxCategory>{category or a_category()}</cac:TaxCategory></cac:TaxSubtotal>"""


def a_file(
    lines=None,
    subtotals=None,
    exclusive="100.00",
    inclusive="121.00",
    *,
    kind="Invoice",
    number="F1",
    issued="2024-05-15",
    head="",
    body="",
    totals="",
    currency="EUR",
    supplier=SUPPLIER,
    customer=CUSTOMER,
):
    """A small but complete UBL document, one line of 100.00 at 21 % unless told otherwise."""
    lines = a_line("100.00", kind=kind, currency=currency) if lines is None else lines
    subtotals = a_subtotal("100.00", "21.00", currency=currency) if subtotals is None else subtotals
    return f"""<?xml version="1.0" encoding="UTF-8"?>
    <{kind} xmlns="{UBL}{kind}-2" xmlns:cac="{UBL}CommonAggregateComponents-2" xmlns:cbc="{UBL}CommonBasicComponents-2">
      <cbc:ID>{number}</cbc:ID><cbc:IssueDate>{issued}</cbc:IssueDate>{head}
      <cbc:DocumentCurrencyCode>{currency}</cbc:DocumentCurrencyCode>{body}
      <cac:AccountingSupplierParty><cac:Party>{supplier}</cac:Party></cac:AccountingSupplierParty>
      <cac:AccountingCustomerParty><cac:Party>{customer}</cac:Party></cac:AccountingCustomerParty>
      <cac:TaxTotal><cbc:TaxAmount currencyID="{currency}">0</cbc:TaxAmount>{subtotals}</cac:TaxTotal>
      <cac:LegalMonetaryTotal>
        <cbc:TaxExclusiveAmount currencyID="{currency}">{exclusive}</cbc:TaxExclusiveAmount>
        <cbc:TaxInclusiveAmount currencyID="{currency}">{inclusive}</cbc:TaxInclusiveAmount>{totals}
      </cac:LegalMonetaryTotal>{lines}
    </{kind}>""".encode()


def held(data, mode="per_line"):
    return ubl.hold(ubl.read("file.xml", data), mode)


def first_line(data):
    return held(data)["grouped_lines"][0]["line_items"][0]


class Shelf:
    """A fake that only keeps what it is given."""

    def __init__(self, **kept):
        self.kept = {}
        self.state = SimpleNamespace(records=defaultdict(dict))
        self.seed(kept)

    def seed(self, body):
        for section, rows in body.items():
            self.kept.setdefault(section, []).extend(rows)
            self.state.records[section].update((row["id"], row) for row in rows)
        return {}

    def rows(self, *sections):
        return [row for section in sections for row in self.kept.get(section, [])]


# --- what is read -----------------------------------------------------------------------------------------------------


def test_a_file_is_read_field_by_field():
    data = a_file(
        head="<cbc:DueDate>2024-06-14Z</cbc:DueDate><cbc:Note> Thanks </cbc:Note>",
        body="""<cbc:TaxCurrencyCode>SEK</cbc:TaxCurrencyCode>
          <cac:OrderReference><cbc:ID>PO 1</cbc:ID></cac:OrderReference>
          <cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>F0</cbc:ID></cac:InvoiceDocumentReference>
          </cac:BillingReference>
          <cac:PaymentMeans><cbc:PaymentID>+++000/0000/00097+++</cbc:PaymentID></cac:PaymentMeans>""",
        customer="""<cbc:EndpointID schemeID="0208">0477000072</cbc:EndpointID>
          <cac:PostalAddress><cbc:StreetName>Main street 1</cbc:StreetName>
            <cbc:AdditionalStreetName>Gate 2</cbc:AdditionalStreetName><cbc:CityName>Gent</cbc:CityName>
            <cbc:PostalZone>9000</cbc:PostalZone>
            <cac:Country><cbc:IdentificationCode>BE</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
          <cac:PartyLegalEntity><cbc:RegistrationName>Buyer NV</cbc:RegistrationName>
            <cbc:CompanyID>0477000072</cbc:CompanyID></cac:PartyLegalEntity>
          <cac:Contact><cbc:ElectronicMail>ap@buyer.example</cbc:ElectronicMail></cac:Contact>""",
    )
    document = ubl.read("a.xml", data)
    assert (document.kind, document.number, str(document.issue_date), str(document.due_date)) == (
        ubl.INVOICE,
        "F1",
        "2024-05-15",
        "2024-06-14",
    )
    assert (document.currency, document.tax_currency, document.note) == ("EUR", "SEK", "Thanks")
    assert (document.order_reference, document.billing_reference) == ("PO 1", "F0")
    assert document.payment_reference == "+++000/0000/00097+++"
    assert document.supplier.vat == "BE0477000072"
    assert document.customer == ubl.Party(
        name="Buyer NV",
        registered=True,
        vat=None,
        company_id="0477000072",
        endpoint="0208:0477000072",
        address=ubl.Address("Main street 1, Gate 2", "9000", "Gent", "BE"),
        email="ap@buyer.example",
    )
    [line] = document.lines
    assert (line.quantity, line.unit, line.price, line.net, line.name) == (1, "C62", 100, 100, "Thing")
    assert line.category == ubl.TaxCategory("S", Decimal(21))
    assert document.totals.tax_inclusive == Decimal("121.00")


def test_a_percentage_is_the_same_however_it_is_written():
    data = a_file(a_line("100.00", category=a_category(percent="21.00")), a_subtotal("100", "21", a_category()))
    assert held(data)["rounding"] == "per_line"


def test_other_encodings_than_utf_8_are_read():
    data = a_file(customer=CUSTOMER.replace("Buyer", "Café")).decode().replace("UTF-8", "ISO-8859-1").encode("latin-1")
    assert ubl.read("a.xml", data).customer.name == "Café"


def test_the_second_vat_total_in_another_currency_is_left_alone():
    other = """<cac:TaxTotal><cbc:TaxAmount currencyID="SEK">240</cbc:TaxAmount>
      <cac:TaxSubtotal><cbc:TaxableAmount currencyID="SEK">1140</cbc:TaxableAmount>
      <cbc:TaxAmount currencyID="SEK">240</cbc:TaxAmount></cac:TaxSubtotal></cac:TaxTotal>"""
    assert len(ubl.read("a.xml", a_file(body=other)).subtotals) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not readable XML"),
        (b"%PDF-1.7", "not readable XML"),
        (a_file()[:-20], "not readable XML"),
        (b"<html/>", "begins with html"),
        (b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"/>', "not a UBL 2.1 Invoice"),
        (a_file(customer=CUSTOMER.replace("Buyer", "Café")).decode().encode("latin-1"), "another encoding"),
        (a_file().replace(b"UTF-8", b"klingon"), "encoding"),
        (a_file().replace(b"<Invoice ", b"<!DOCTYPE Invoice [<!ENTITY a 'b'>]><Invoice ", 1), "DTD"),
        (b" " * (ubl.MAX_BYTES + 1), "larger than 10 MB"),
        (a_file(lines=""), "no lines"),
        (a_file(number=""), "no number"),
        (a_file(issued="15/05/2024"), "'15/05/2024' is not a date"),
        (a_file(issued="2024-02-30"), "not a date"),
        (a_file(exclusive="1e3"), "'1e3' is not a number"),
        (a_file(exclusive="NaN"), "not a number"),
        (a_file(supplier=""), "supplier has no name"),
        (a_file(a_line("100.00", category="<cbc:ID>S</cbc:ID>")), "no percentage"),
        (a_file(a_line("100.00", currency="SEK")), "in SEK, the document in EUR"),
        (a_file(head="<cbc:InvoiceTypeCode>381</cbc:InvoiceTypeCode>"), "says credit note"),
        (a_file(body="<cac:AllowanceCharge><cbc:Amount>1</cbc:Amount></cac:AllowanceCharge>"), "which of the two"),
    ],
)
def test_what_cannot_be_read_has_its_reason(data, reason):
    with pytest.raises(ubl.CannotHold, match=reason):
        ubl.read("file.xml", data)


# --- what is held, to the cent ----------------------------------------------------------------------------------------


def test_a_plain_invoice_is_held_as_it_is():
    line = first_line(a_file(a_line("100.00", "8", "12.5")))
    assert (line["quantity"], line["unit_price"]) == (8, {"amount": Decimal("12.5"), "tax": "excluding"})
    assert line["tax"] == {"type": "taxRate", "id": "S 21 %"}
    assert line["discount"] is None


def test_a_price_for_more_than_one_unit_becomes_a_unit_price():
    assert first_line(a_file(a_line("100.00", "10", "20", base="2")))["unit_price"]["amount"] == 10
    endless = first_line(a_file(a_line("100.00", "30", "10", base="3")))["unit_price"]["amount"]
    assert endless == Decimal("3.3333333333")


def test_an_exact_line_allowance_becomes_a_percentage():
    line = first_line(a_file(a_line("100.00", "2", "62.50", more=an_allowance("25.00"))))
    assert (line["unit_price"]["amount"], line["discount"]["value"]) == (Decimal("62.5"), 20)


def test_any_other_line_allowance_lowers_the_price():
    line = first_line(a_file(a_line("100.00", "3", "34", more=an_allowance("2"))))
    assert line["discount"] is None
    assert line["unit_price"]["amount"] == Decimal("33.3333333333")


def test_zero_allowances_and_charges_do_not_count():
    nothing = an_allowance("0.00", charge=True)
    data = a_file(a_line("100.00", more=nothing), body=nothing, totals="<cbc:PrepaidAmount>0.00</cbc:PrepaidAmount>")
    assert held(data)["discounts"] == []


def test_document_allowances_of_one_percentage_become_a_discount():
    data = a_file(
        a_line("100.00") + a_line("50.00", category=a_category(percent="6")),
        a_subtotal("90.00", "18.90") + a_subtotal("45.00", "2.70", a_category(percent="6")),
        "135.00",
        "156.60",
        body=an_allowance("10.00", percent="10", category=a_category())
        + an_allowance("5.00", percent="10", category=a_category(percent="6")),
    )
    assert held(data)["discounts"] == [{"type": "percentage", "value": Decimal(10), "description": "Discount"}]


def test_the_way_of_rounding_that_fits_is_remembered():
    lines = "".join(a_line(net) for net in ("225.00", "37.59", "895.15", "282.00"))
    per_rate = a_file(lines, a_subtotal("1439.74", "302.35"), "1439.74", "1742.09")
    per_line = a_file(lines, a_subtotal("1439.74", "302.34"), "1439.74", "1742.08")
    assert held(per_rate)["rounding"] == "per_rate"
    assert held(per_line)["rounding"] == "per_line"
    assert held(a_file(), mode="per_rate")["rounding"] == "per_rate"


def test_negative_invoices_and_totals_of_zero_are_held():
    assert (
        first_line(a_file(a_line("-100.00", "-1", "100"), a_subtotal("-100", "-21"), "-100", "-121"))["quantity"] == -1
    )
    nothing = a_line("100.00") + a_line("-100.00", "-1", "100")
    assert held(a_file(nothing, a_subtotal("0", "0"), "0", "0"))["rounding"] == "per_line"


def test_each_regime_of_zero_percent_is_a_rate_of_its_own():
    codes = ["Z", "E", "AE", "K", "G", "O"]
    lines = "".join(a_line("10.00", category=a_category(code, None if code == "O" else "0")) for code in codes)
    subtotals = "".join(a_subtotal("10.00", "0", a_category(code, None if code == "O" else "0")) for code in codes)
    items = held(a_file(lines, subtotals, "60.00", "60.00"))["grouped_lines"][0]["line_items"]
    assert [item["tax"]["id"] for item in items] == [f"{code} 0 %" for code in codes]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (a_file(a_line("100.00", "2", "49", more=an_allowance("2", charge=True))), "Line 1 has a charge"),
        (a_file(body=an_allowance("25", charge=True, category=a_category())), "document has a charge"),
        (a_file(totals="<cbc:PrepaidAmount>50.00</cbc:PrepaidAmount>"), "prepaid amount of 50.00"),
        (a_file(totals="<cbc:PayableRoundingAmount>-0.01</cbc:PayableRoundingAmount>"), "rounding amount of -0.01"),
        (a_file(a_line("100.00", "3", "33.33")), "Line 1: 3 x 33.33 is 99.99, the file says 100.00"),
        (a_file(a_line("100.00", "3", "34", more=an_allowance("1"))), "102 less 1|less 1 is 101.00, the file says"),
        (a_file(a_line("100.00", "1", "100", base="0")), "quantity of zero"),
        (a_file(currency="AUD"), "does not know the currency AUD"),
        (a_file(subtotals=a_subtotal("100.00", "20.00"), inclusive="120.00"), "No rounding .* VAT of 20.00"),
        (a_file(inclusive="122.00"), "contradicts itself: 100.00 and 21.00 VAT do not make 122.00"),
        (a_file(subtotals=a_subtotal("99.00", "20.79")), "contradicts itself: for VAT category S 21 %"),
        (a_file(subtotals=a_subtotal("100.00", "21.00", a_category("L"))), "VAT category S 21 %"),
    ],
)
def test_what_teamleader_cannot_hold_is_refused(data, reason):
    with pytest.raises(ubl.CannotHold, match=reason):
        held(data)


def test_document_allowances_on_a_part_of_the_document_are_refused():
    data = a_file(
        a_line("100.00") + a_line("100.00", category=a_category(percent="6")),
        a_subtotal("90.00", "18.90") + a_subtotal("100.00", "6.00", a_category(percent="6")),
        "190.00",
        "214.90",
        body=an_allowance("10.00", category=a_category()),
    )
    with pytest.raises(ubl.CannotHold, match="not one percentage of everything"):
        held(data)


@given(
    st.lists(
        st.tuples(
            st.decimals("0.1", "999", places=2),
            st.decimals("0", "999", places=4),
            st.sampled_from(["21", "6", "0"]),
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(totals.MODES),
)
def test_any_file_that_follows_the_standard_is_held_with_equal_totals(rows, mode):
    """VAT once per rate is what EN 16931 asks of every file; which way is tried first makes no difference."""
    nets = [(totals.round2(quantity * price), percent) for quantity, price, percent in rows]
    taxable = {percent: sum(net for net, other in nets if other == percent) for _, percent in nets}
    vat = {percent: totals.round2(amount * Decimal(percent) / 100) for percent, amount in taxable.items()}
    net, gross = sum(taxable.values()), sum(taxable.values()) + sum(vat.values())
    data = a_file(
        "".join(
            a_line(net, quantity, price, category=a_category(percent=percent))
            for (quantity, price, percent), (net, _) in zip(rows, nets, strict=True)
        ),
        "".join(a_subtotal(taxable[percent], vat[percent], a_category(percent=percent)) for percent in taxable),
        net,
        gross,
    )
    shape = held(data, mode)
    rates = {f"S {percent} %": Decimal(percent) / 100 for percent in taxable}
    _, total = totals.compute(shape["grouped_lines"], [], rates, {}, shape["rounding"], "EUR")
    assert total["tax_inclusive"]["amount"] == gross


# --- what is loaded ---------------------------------------------------------------------------------------------------


def a_credit_note(number="C1", of="F1", **more):
    of = f"""<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>{of}</cbc:ID>
      </cac:InvoiceDocumentReference></cac:BillingReference>"""
    return a_file(kind="CreditNote", number=number, body=of, **more)


def test_a_supplier_becomes_an_entity_of_a_new_account():
    shelf = Shelf()
    result = ubl.load({"a.xml": a_file(), "b.xml": b"<html/>"}, shelf)
    assert result["loaded"] == 1
    assert list(result["refused"]) == ["b.xml"]
    [account], [department], [rate] = (shelf.kept[name] for name in ("accounts", "departments", "tax_rates"))
    assert account["name"] == "UBL"
    assert (department["name"], department["vat_number"], department["currency"]) == ("Seller", "BE0477000072", "EUR")
    assert (rate["rate"], rate["department"]["id"]) == (Decimal("0.21"), department["id"])
    assert result["departments"] == [
        {
            "id": department["id"],
            "tenant": account["id"],
            "name": "Seller",
            "vat_number": "BE0477000072",
            "country": None,
            "currency": "EUR",
            "rates": [{"category": "S", "percent": 21, "description": "21 % standard or reduced rate (S)"}],
            "years": [2024],
        }
    ]
    [invoice] = shelf.kept["invoices"]
    assert (invoice["invoice_number"], invoice["invoice_date"], invoice["due_on"]) == ("F1", "2024-05-15", "2024-05-15")
    assert invoice["payment_term"] == {"type": "cash", "days": 0}
    assert invoice["grouped_lines"][0]["line_items"][0]["tax"]["id"] == rate["id"]


def test_the_account_there_is_takes_the_entities():
    shelf = Shelf(accounts=[{"id": "the account"}, {"id": "another"}])
    [department] = ubl.load({"a.xml": a_file()}, shelf)["departments"]
    assert department["tenant"] == "the account"
    assert len(shelf.rows("accounts")) == 2


def test_suppliers_are_told_apart_by_vat_number():
    other = SUPPLIER.replace("BE0477000072", "BE0477000765")
    same = SUPPLIER.replace("BE0477000072", "be 0477.000.072").replace("Seller", "Seller in full")
    shelf = Shelf()
    ubl.load({"a": a_file(), "b": a_file(supplier=other), "c": a_file(supplier=same, number="F2")}, shelf)
    assert [row["name"] for row in shelf.kept["departments"]] == ["Seller", "Seller"]
    assert len(shelf.kept["companies"]) == 1


def test_a_number_in_use_is_refused_also_by_a_later_call():
    shelf = Shelf()
    result = ubl.load({"a.xml": a_file(), "b.xml": a_file()}, shelf)
    assert result["refused"] == {"b.xml": "Number in use: Seller already has one with number F1."}
    result = ubl.load({"a.xml": a_file(), "c.xml": a_file(number="F2")}, shelf)
    assert (result["loaded"], list(result["refused"])) == (1, ["a.xml"])
    assert [len(shelf.kept[name]) for name in ("accounts", "departments", "tax_rates", "companies")] == [1, 1, 1, 1]


def test_a_credit_note_is_linked_to_its_invoice_when_that_is_here():
    shelf = Shelf()
    ubl.load({"c1": a_credit_note(), "c2": a_credit_note("C2", of="F9"), "f1": a_file()}, shelf)
    [invoice] = shelf.kept["invoices"]
    linked, alone = shelf.kept["credit_notes"]
    assert linked["invoice"] == {"type": "invoice", "id": invoice["id"]}
    assert alone["invoice"] is None
    assert linked["credit_note_number"] == "C1"


def test_the_first_document_gives_the_entity_its_currency_and_others_an_exchange_rate():
    shelf = Shelf()
    later = a_file(number="F2", issued="2024-06-01", currency="GBP")
    result = ubl.load({"later": later, "first": a_file()}, shelf)
    first, second = shelf.kept["invoices"]
    assert result["departments"][0]["currency"] == "EUR"
    assert result["converted"] == {"later": second["currency_exchange_rate"]}
    assert first["currency_exchange_rate"] == {"from": "EUR", "to": "EUR", "rate": 1}
    assert second["currency_exchange_rate"] == {"from": "GBP", "to": "EUR", "rate": Decimal("1.17")}
    assert (first["note"], second["note"]) == (None, ubl.RATE_NOTE)
    again = ubl.load({"third": a_file(number="F3", currency="GBP")}, shelf)
    assert again["departments"][0]["currency"] == "EUR"
    assert list(again["converted"]) == ["third"]


@pytest.mark.parametrize(
    ("customer", "section"),
    [
        (CUSTOMER, "companies"),
        ('<cbc:EndpointID schemeID="EM">a@b.example</cbc:EndpointID>' + PERSON, "companies"),
        (PERSON, "contacts"),
    ],
)
def test_a_customer_is_a_company_unless_there_is_but_a_name(customer, section):
    shelf = Shelf()
    ubl.load({"a.xml": a_file(customer=customer)}, shelf)
    assert len(shelf.kept[section]) == 1


def test_nothing_is_put_into_the_fake_when_every_file_is_refused():
    shelf = Shelf()
    assert ubl.load({"a.xml": b""}, shelf)["departments"] == []
    assert shelf.kept == {}


def test_the_requirements_name_rates_and_years_of_each_supplier():
    documents = [
        ubl.read("b", a_file(a_line("5", category=a_category("K", "0")), issued="2023-01-01", currency="EUR")),
        ubl.read("a", a_file()),
    ]
    [requirement] = ubl.requirements(documents)
    assert requirement["years"] == [2023, 2024]
    assert [(rate["category"], rate["percent"]) for rate in requirement["rates"]] == [("K", 0), ("S", 21)]


# --- public samples ---------------------------------------------------------------------------------------------------

HAS_A_CHARGE = "has a charge, which Teamleader cannot hold"
REFUSED = {
    "peppol-Allowance-example.xml": HAS_A_CHARGE,
    "peppol-base-creditnote-correction.xml": HAS_A_CHARGE,
    "peppol-base-example.xml": HAS_A_CHARGE,
    "peppol-base-negative-inv-correction.xml": HAS_A_CHARGE,
    "peppol-vat-category-Z.xml": "Number in use",  # category-E carries the number Vat-Z too
}


@pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the public sample documents are not beside the project (../shared/corpus)"
)
def test_the_public_samples_load_or_say_why_not():
    files = {path.name: path.read_bytes() for path in sorted(CORPUS.glob("*.xml"))}
    fake = TeamleaderFake()
    result = ubl.load(files, fake)
    refused = {name: reason for name, reason in result["refused"].items() if REFUSED.get(name, "nothing") not in reason}
    assert refused == {}
    assert result["loaded"] == len(files) - len(result["refused"]) >= 13
    rows = [*fake.state.records["invoices"].values(), *fake.state.records["credit_notes"].values()]
    gross = {
        row.get("invoice_number") or row["credit_note_number"]: row["total"]["tax_inclusive"]["amount"] for row in rows
    }
    for name, data in files.items():
        if name not in result["refused"]:
            document = ubl.read(name, data)
            assert gross[document.number] == document.totals.tax_inclusive
    assert ubl.load(files, fake)["loaded"] == 0  # every number is in use now
