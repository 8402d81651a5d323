"""Reading what a client sends: JSON bodies against a small description of their members, and query values.

A description maps member names to a kind, a nested description, or a list with one description. Members nobody knows
are ignored and counted, as are empty ones (null). A value of the wrong kind makes the whole object unreadable.
Source: reference, sections 1.4, 4.2, 5.2, 5.7 and 9.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from fakes.kit import plain_json
from fakes.octopus.errors import bad_parameters, unreadable

INT, DOUBLE, BOOL, TEXT, DATE = "int", "double", "bool", "text", "date"
ID = {"id": INT}

RELATION_KEYS = {"relationKey": ID, "externalRelationId": INT}

_RELATION_TEXTS = (
    "bankAccountNr",
    "bicCode",
    "city",
    "contactPerson",
    "country",
    "currencyCode",
    "deliveryCity",
    "deliveryCountry",
    "deliveryPostalCode",
    "deliveryStreetAndNr",
    "email",
    "externCustomerNr",
    "fax",
    "firstName",
    "ibanAccountNr",
    "mobile",
    "name",
    "participantId",
    "postalCode",
    "profession",
    "remarks",
    "sddReference",
    "searchField1",
    "searchField2",
    "streetAndNr",
    "telephone",
    "url",
    "vatNr",
)
_RELATION_NUMBERS = (
    "corporationType",
    "defaultBookingAccountClient",
    "defaultBookingAccountSupplier",
    "expirationDays",
    "expirationType",
    "factLanguage",
    "invoiceDeliveryMethod",
    "sddMandateType",
    "sddSeqtype",
    "supplierPaymentMethod",
    "vatType",
)

RELATION: dict[str, Any] = {
    "relationIdentificationServiceData": RELATION_KEYS,
    **dict.fromkeys(_RELATION_TEXTS, TEXT),
    **dict.fromkeys(_RELATION_NUMBERS, INT),
    **dict.fromkeys(("active", "client", "financialDiscount", "sddActive", "supplier"), BOOL),
    "sddSignatureDate": DATE,
}

BUY_SELL: dict[str, Any] = {
    "bookyearKey": ID,
    "journalKey": TEXT,
    "documentSequenceNr": INT,
    "relationIdentificationServiceData": RELATION_KEYS,
    "bookyearPeriodeNr": INT,
    "documentDate": DATE,
    "expiryDate": DATE,
    "amount": DOUBLE,
    "currencyCode": TEXT,
    "exchangeRate": DOUBLE,
    "comment": TEXT,
    "reference": TEXT,
    "orderReference": TEXT,
    "paymentMethod": INT,
    "bookingLines": [
        {
            "accountKey": INT,
            "baseAmount": DOUBLE,
            "vatCodeKey": TEXT,
            "vatAmount": DOUBLE,
            "comment": TEXT,
            "costCentreKey": {"id": TEXT},
            "vatRecupPercentage": DOUBLE,
        }
    ],
}

FINANCIAL_DIVERS: dict[str, Any] = {
    "bookyearKey": ID,
    "journalKey": TEXT,
    "documentSequenceNr": INT,
    "bookyearPeriodeNr": INT,
    "documentDate": DATE,
    "exchangeRate": DOUBLE,
    "comment": TEXT,
    "reference": TEXT,
    "bookingLines": [
        {
            "type": TEXT,
            "relationId": INT,
            "externalRelationId": INT,
            "accountKey": INT,
            "amount": DOUBLE,
            "reference": TEXT,
            "comment": TEXT,
        }
    ],
}

ATTACHMENT = {"fileName": TEXT, "fileData": TEXT}
BALANCING_KEY = {"bookyearKey": ID, "journalKey": TEXT, "documentSequenceNr": INT, "lineSequenceNr": INT}
PAIR = {"debetKey": BALANCING_KEY, "creditKey": BALANCING_KEY, "balanceAmount": DOUBLE}
DOCUMENT_KEY = {"bookyearKey": ID, "journal": TEXT, "documentSequenceNr": INT}
OPEN_QUERY = {
    "fromBookyearKey": ID,
    "toBookyearKey": ID,
    "fromBookyearPeriodNr": INT,
    "toBookyearPeriodNr": INT,
    "relationId": INT,
    "externalRelationId": INT,
}
LOGIN = {"user": TEXT, "password": TEXT}

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", re.ASCII)
_INT32 = range(-(2**31), 2**31)


def loads(raw: bytes) -> dict[str, Any]:
    """The JSON object in a body."""
    try:
        value = plain_json.loads(raw or b"{}")
    except ValueError as error:
        raise unreadable() from error
    if not isinstance(value, dict):
        raise unreadable()
    return value


def read(value: Any, kind: Any, unknown: Callable[[str], None], where: str = "") -> Any:
    """`value` in Python's types: dates, Decimals. Absent and null members stay absent."""
    match kind:
        case dict():
            if not isinstance(value, dict):
                raise unreadable()
            result = {}
            for name, member in value.items():
                if name not in kind:
                    unknown(f"{where}{name}")
                elif member is not None:
                    result[name] = read(member, kind[name], unknown, f"{where}{name}.")
            return result
        case [item]:
            if not isinstance(value, list):
                raise unreadable()
            return [read(member, item, unknown, where) for member in value]
    return _plain(value, kind)


def _plain(value: Any, kind: str) -> Any:
    if kind == TEXT and isinstance(value, str):
        return value
    if kind == BOOL and isinstance(value, bool):
        return value
    if kind == INT and isinstance(value, int) and not isinstance(value, bool) and value in _INT32:
        return value
    if kind == DOUBLE and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    if kind == DATE and isinstance(value, str) and (found := day(value)):
        return found
    raise unreadable()


def day(text: str) -> date | None:
    """yyyy-MM-dd, or None."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def stamp(text: str | None) -> datetime:
    """yyyy-MM-dd HH:mm:ss.SSS in the vendor's local time; anything else is a bad parameter."""
    try:
        if text and _STAMP.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise bad_parameters()


def number(text: str | None) -> int:
    """A whole number of the query; absent or anything else is a bad parameter."""
    if text is None or not re.fullmatch(r"-?\d{1,10}", text, re.ASCII):
        raise bad_parameters()
    return int(text)
