"""The files behind a download link: a one-page PDF, and UBL 2.1 as Peppol BIS 3 writes it."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from fakes.kit.records import Row

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
CAC, CBC = f"{UBL}CommonAggregateComponents-2", f"{UBL}CommonBasicComponents-2"
CUSTOMIZATION = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"


def number_and_date(row: Row) -> tuple[str, str]:
    kind = "credit_note" if "credit_note_number" in row else "invoice"
    return row[f"{kind}_number"] or "draft", row[f"{kind}_date"] or ""


def pdf(row: Row, supplier: str) -> bytes:
    """A valid PDF of one page that says which document it is."""
    number, day = number_and_date(row)
    amount = row["total"]["payable"]
    lines = (supplier, row["invoicee"]["name"], f"{number}  {day}", f"{amount['amount']} {amount['currency']}")
    shown = " ".join(f"({_pdf_text(line)}) Tj T*" for line in lines)
    content = f"BT /F1 12 Tf 16 TL 72 760 Td {shown} ET".encode("latin-1", "replace")
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    )
    out, places = bytearray(b"%PDF-1.4\n"), []
    for n, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (n, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    tail = (len(objects) + 1, table, len(objects) + 1, len(out))
    return (
        bytes(out)
        + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % tail
    )


def _pdf_text(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def ubl(row: Row, department: Row, rates: dict[str, Any]) -> bytes:
    """The document as UBL: parties, VAT per percentage, totals, lines. `rates` are fractions by tax rate id."""
    credit = "credit_note_number" in row
    number, day = number_and_date(row)
    currency, total = row["currency"], row["total"]
    root = ET.Element(f"{{{UBL}{'CreditNote' if credit else 'Invoice'}-2}}{'CreditNote' if credit else 'Invoice'}")

    def amount(parent: ET.Element, tag: str, money: Row) -> None:
        _put(parent, tag, f"{money['amount']:f}", currencyID=currency)

    _put(root, "CustomizationID", CUSTOMIZATION)
    _put(root, "ProfileID", PROFILE)
    _put(root, "ID", number)
    _put(root, "IssueDate", day)
    if row.get("due_on") and not credit:
        _put(root, "DueDate", row["due_on"])
    _put(root, "CreditNoteTypeCode" if credit else "InvoiceTypeCode", "381" if credit else "380")
    _put(root, "DocumentCurrencyCode", currency)
    _party(_group(root, "AccountingSupplierParty"), department["name"], department["vat_number"])
    _party(_group(root, "AccountingCustomerParty"), row["invoicee"]["name"], row["invoicee"]["vat_number"])
    tax_total = _group(root, "TaxTotal")
    vat = total["tax_inclusive"]["amount"] - total["tax_exclusive"]["amount"]
    amount(tax_total, "TaxAmount", {"amount": vat})
    for tax in total["taxes"]:
        part = _group(tax_total, "TaxSubtotal")
        amount(part, "TaxableAmount", tax["taxable"])
        amount(part, "TaxAmount", tax["tax"])
        _category(part, "TaxCategory", tax["rate"])
    sums = _group(root, "LegalMonetaryTotal")
    amount(sums, "LineExtensionAmount", total["tax_exclusive"])
    amount(sums, "TaxExclusiveAmount", total["tax_exclusive"])
    amount(sums, "TaxInclusiveAmount", total["tax_inclusive"])
    amount(sums, "PayableAmount", total["payable"])
    lines = [line for group in row["grouped_lines"] for line in group["line_items"]]
    for n, line in enumerate(lines, 1):
        part = _group(root, "CreditNoteLine" if credit else "InvoiceLine")
        _put(part, "ID", str(n))
        _put(part, "CreditedQuantity" if credit else "InvoicedQuantity", str(line["quantity"]), unitCode="C62")
        amount(part, "LineExtensionAmount", line["total"]["tax_exclusive"])
        item = _group(part, "Item")
        _put(item, "Name", line["description"])
        _category(item, "ClassifiedTaxCategory", rates[line["tax"]["id"]])
        amount(_group(part, "Price"), "PriceAmount", line["unit_price"])
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _put(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, f"{{{CBC}}}{tag}", attributes).text = text


def _group(parent: ET.Element, tag: str) -> ET.Element:
    return ET.SubElement(parent, f"{{{CAC}}}{tag}")


def _party(parent: ET.Element, name: str, vat_number: str | None) -> None:
    party = _group(parent, "Party")
    if vat_number:
        scheme = _group(party, "PartyTaxScheme")
        _put(scheme, "CompanyID", vat_number)
        _put(_group(scheme, "TaxScheme"), "ID", "VAT")
    _put(_group(party, "PartyLegalEntity"), "RegistrationName", name)


def _category(parent: ET.Element, tag: str, rate: Any) -> None:
    category = _group(parent, tag)
    _put(category, "ID", "S" if rate else "Z")
    _put(category, "Percent", f"{(rate * 100).normalize():f}" if hasattr(rate, "normalize") else str(rate * 100))
    _put(_group(category, "TaxScheme"), "ID", "VAT")
