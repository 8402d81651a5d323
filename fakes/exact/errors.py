"""What Exact Online says when it refuses, in Dutch or in English.

Source: reference, sections 3.8 and 7.1. Texts marked "assumed" in COVERAGE.md are ours where no sample is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# key: (Dutch, English). One table, so that a test can swap a text.
TEXTS: dict[str, tuple[str, str]] = {
    "mandatory": ("Verplicht: {0}", "Mandatory: {0}"),
    "gl_account_missing": ("Grootboekrekening is verplicht", "Mandatory: Account"),
    "bad_reference": ("Ongeldige referentie: {0}", "Invalid reference: {0}"),
    "wrong_division": ("Wrong Division", "Wrong Division"),
    "customer_type": ("Ongeldig: Klant (Type)", "Invalid: Customer (Type)"),
    "blocked": ("Geblokkeerd: {0}", "Blocked: {0}"),
    "customer_account": (
        "De klantenrekening van de relatie verschilt van de rekening van het verkoopdagboek.",
        "The customer's account differs from the account of the sales journal.",
    ),
    "journal_type": ("Ongeldig: Dagboek", "Invalid: Journal (type)"),
    "gl_account_type": ("Ongeldig: Grootboekrekeningtype", "Invalid: G/L account type"),
    "vat_not_allowed": ("Niet toegestaan: Btw-code", "Not allowed: VAT code"),
    "vat_percentage": ("Ongeldig: Btw-percentage []", "Invalid: VAT percentage []"),
    "vat_amount": ("Ongeldig: Btw-bedrag", "Invalid: VAT amount"),
    "no_year": ("Onbekend: Boekjaar (Periode-datumtabel)", "Unknown: Financial year (Period-date table)"),
    "period_closed": ("Periode is afgesloten: {0} - {1}", "Period is closed: {0} - {1}"),
    "number_in_use": ("In gebruik: Boekstuknummer", "In use: Entry number"),
    "exists": ("Bestaat reeds: {0}", "Already exists: {0}"),
    "exists_data": ("Gegeven bestaat reeds.", "Data already exists."),
    "in_use": ("In gebruik: {0}", "In use: {0}"),
    "too_long": ("Te lang: {0}", "Too long: {0}"),
    "email": ("Ongeldig: E-mail []", "Invalid: Email []"),
    "invalid": ("Ongeldig: {0}", "Invalid: {0}"),
    "guid": ("Niet herkende GUID-indeling.", "Unrecognized Guid format."),
    "processed": ("Reeds verwerkt", "Already processed"),
    "document_type": ("Document Type not allowed", "Document Type not allowed"),
    "unbalanced": (
        "Deze boeking is niet in evenwicht op: {0} / {1} (Type: {2}) - Verschil: EUR {3}",
        "This entry is not balanced on: {0} / {1} (Type: {2}) - Difference: EUR {3}",
    ),
}

# What a field or record is called in messages: (Dutch, English).
NAMES: dict[str, tuple[str, str]] = {
    "Journal": ("Dagboek", "Journal"),
    "Journals": ("Journals", "Journals"),
    "Customer": ("Klant", "Customer"),
    "Account": ("Relatie", "Account"),
    "SalesEntryLines": ("Regels", "Lines"),
    "BankEntryLines": ("Regels", "Lines"),
    "AmountFC": ("Bedrag", "Amount"),
    "GLAccount": ("Grootboekrekening", "G/L account"),
    "VATCode": ("Btw-code", "VAT code"),
    "PaymentCondition": ("Betalingsconditie", "Payment condition"),
    "Currency": ("Valuta", "Currency"),
    "Rate": ("Koers", "Exchange rate"),
    "Document": ("Document", "Document"),
    "EntryID": ("Boeking", "Entry"),
    "Name": ("Naam", "Name"),
    "Code": ("Code", "Code"),
    "Description": ("Omschrijving", "Description"),
    "Status": ("Status", "Status"),
    "Country": ("Land", "Country"),
    "LastName": ("Achternaam", "Last name"),
    "BankAccount": ("Bankrekening", "Bank account"),
    "Subject": ("Onderwerp", "Subject"),
    "Type": ("Type", "Type"),
    "Attachment": ("Bijlage", "Attachment"),
    "FileName": ("Bestandsnaam", "File name"),
    "CallbackURL": ("Callback-URL", "Callback URL"),
    "Topic": ("Onderwerp", "Topic"),
    "YourRef": ("Uw ref.", "Your ref."),
    "SalesEntry": ("Verkoopboeking", "Sales entry"),
    "BankEntry": ("Bankboeking", "Bank entry"),
}

MANDATORY_SELECT = "Please add a $select or a $top=1 statement to the query string."
MANDATORY_FILTER = (
    "This endpoint has mandatory filtering applied. A GET request for this endpoint must have a $filter parameter "
    "with one of the following fields in the url:{0}."
)
FILTER_FIELDS = "Filtering on these fields is not supported: {0}"
FILTER_REFUSED = "This $filter parameter is not supported for this resource"
QUERY_SYNTAX = "Bad Request - Error in query syntax."
NOT_AN_OBJECT = "Error processing request stream. The request should be a valid top-level resource object."
UNKNOWN_PROPERTY = "Error processing request stream. The property name '{0}' specified for type '{1}' is not valid."
BAD_VALUE = (
    "Error processing request stream. Error encountered in converting the value from request payload for property "
    "'{0}' to type '{1}'"
)
NEW_ENTITIES = "Error processing request stream. Binding to new entities is not supported"
QUERY_PROPERTY = "Could not find a property named '{0}' on type '{1}'."
FORBIDDEN = "Forbidden"
OUT_OF_SCOPE = "Forbidden - User division is not within division scope"


@dataclass(frozen=True)
class Complaint:
    """One reason to refuse a record; `args` are names of NAMES or values."""

    key: str
    args: tuple[object, ...] = ()

    def text(self, language: str) -> str:
        """In the user's language: English for EN, Dutch for all others."""
        column = 1 if language.upper().startswith("EN") else 0
        named = [NAMES[a][column] if isinstance(a, str) and a in NAMES else a for a in self.args]
        return TEXTS[self.key][column].format(*named)


def complaint(key: str, *args: object) -> Complaint:
    return Complaint(key, args)


class Refused(Exception):
    """An answer other than the one asked for, with a message for the client (None: an empty body)."""

    def __init__(self, status: int, message: str | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(message or str(status))
        self.status = status
        self.message = message
        self.headers = headers or {}


class BusinessRefusal(Exception):
    """Well-formed, but not allowed by the books: HTTP 500 with every complaint on a line of its own."""

    def __init__(self, *complaints: Complaint) -> None:
        super().__init__(" / ".join(c.text("EN") for c in complaints))
        self.complaints = complaints

    def text(self, language: str) -> str:
        return "\r\n".join(c.text(language) for c in self.complaints)


def refuse(complaints: Sequence[Complaint]) -> None:
    """Stop here if anything is wrong so far."""
    if complaints:
        raise BusinessRefusal(*complaints)


def body(message: str) -> dict[str, object]:
    """The error body; code and language are empty in every sample."""
    return {"error": {"code": "", "message": {"lang": "", "value": message}}}
