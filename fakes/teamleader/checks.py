"""What a request body may hold: small checks that compose, each refusing in the vendor's words.

A check takes (value, field) and gives the value back, or raises a Refusal with status 400. Unknown keys of an object
are left out silently, as the vendor does (reference file, 2.5-2.7 and 12).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from werkzeug import Response

from fakes.kit import plain_json
from fakes.kit.errors import Refusal

Check = Callable[[Any, str], Any]

CURRENCIES = frozenset(
    re.findall(r"\w+", "BAM CAD CHF CLP CNY COP CZK DKK EUR GBP INR ISK JPY MAD MXN NOK PEN PLN RON SEK TRY USD ZAR")
)
LARGEST, PLACES = 10**12, 12  # what our own arithmetic promises to keep exact; the vendor's limits are unknown
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:?\d\d)")


def error(status: int, title: str, **meta: Any) -> Response:
    """The vendor's envelope."""
    entry = {"code": 0, "title": title, "status": status, **({"meta": meta} if meta else {})}
    return Response(plain_json.dumps({"errors": [entry]}), status=status, content_type="application/json")


def refuse(title: str, status: int = 400, **meta: Any) -> Refusal:
    return Refusal(error(status, title, **meta))


def _wrong(field: str, must: str) -> Refusal:
    return refuse(f"{field} must be {must}", field=field)


def text(value: Any, field: str) -> str:
    """Text that says something; to clear a field send null, not an empty string."""
    if not isinstance(value, str):
        raise _wrong(field, "a string")
    if not value:
        raise refuse(f"{field} must not be empty", field=field)
    return value


def any_text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise _wrong(field, "a string")
    return value


def uuid(value: Any, field: str) -> str:
    """36 characters of hexadecimal; the version is nobody's business."""
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise _wrong(field, "a valid uuid")
    return value.lower()


def boolean(value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(field, "a boolean")
    return value


def number(value: Any, field: str) -> Decimal | int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _wrong(field, "a number")
    if abs(value) >= LARGEST or Decimal(value).as_tuple().exponent < -PLACES:
        raise _wrong(field, f"a number below {LARGEST} with at most {PLACES} decimals")
    return value


def integer(value: Any, field: str) -> int:
    if not isinstance(number(value, field), int):
        raise _wrong(field, "an integer")
    return value


def positive(value: Any, field: str) -> int:
    if integer(value, field) < 1:
        raise _wrong(field, "at least 1")
    return value


def percentage(value: Any, field: str) -> Decimal | int:
    if not 0 <= number(value, field) <= 100:
        raise _wrong(field, "between 0 and 100")
    return value


def day(value: Any, field: str) -> str:
    try:
        return date.fromisoformat(value).isoformat() if len(value) == 10 else _raise()
    except (TypeError, ValueError):
        raise _wrong(field, "a valid date (YYYY-MM-DD)") from None


def timestamp(value: Any, field: str) -> str:
    """ISO 8601 with an offset and without fractions of a second; given back in UTC."""
    try:
        if not _TIMESTAMP.fullmatch(value):
            _raise()
        return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    except (TypeError, ValueError):
        raise _wrong(field, "a valid ISO 8601 datetime") from None


def _raise() -> Any:
    raise ValueError


def one_of(*allowed: str) -> Check:
    def check(value: Any, field: str) -> str:
        if value not in allowed:
            raise _wrong(field, f"one of: {', '.join(allowed)}")
        return value

    return check


def currency(value: Any, field: str) -> str:
    return one_of(*sorted(CURRENCIES))(value, field)


def nullable(check: Check) -> Check:
    return lambda value, field: None if value is None else check(value, field)


def list_of(check: Check, *, least: int = 0) -> Check:
    def whole(value: Any, field: str) -> list[Any]:
        if not isinstance(value, list):
            raise _wrong(field, "an array")
        if len(value) < least:
            raise refuse(f"{field} must contain at least {least} item", field=field)
        return [check(item, f"{field}.{index}") for index, item in enumerate(value)]

    return whole


def shape(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these keys; only keys that were sent come back."""

    def check(value: Any, field: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong(field or "body", "an object")
        prefix = f"{field}." if field else ""
        for key in required:
            if key not in value:
                raise refuse(f"{prefix}{key} is required", field=f"{prefix}{key}")
        known = {**required, **(optional or {})}
        return {key: check(value[key], f"{prefix}{key}") for key, check in known.items() if key in value}

    return check


def reference(*types: str) -> Check:
    return shape({"type": one_of(*types), "id": uuid})


# --- what companies, contacts and invoices share ----------------------------------------------------------------------

ADDRESS = shape(
    {"line_1": nullable(text), "postal_code": nullable(text), "city": nullable(text), "country": text},
    {"area_level_two_id": nullable(uuid), "addressee": nullable(text)},
)
ADDRESSES = list_of(shape({"type": one_of("primary", "invoicing", "delivery", "visiting"), "address": ADDRESS}))
CUSTOM_FIELDS = list_of(shape({"id": uuid, "value": lambda value, _: value}))
TAGS = list_of(text)

_RELATION = {
    "vat_number": nullable(text),
    "national_identification_number": nullable(text),
    "website": nullable(text),
    "addresses": ADDRESSES,
    "iban": nullable(text),
    "bic": nullable(text),
    "language": nullable(text),
    "responsible_user_id": nullable(uuid),
    "remarks": nullable(text),
    "tags": TAGS,
    "custom_fields": CUSTOM_FIELDS,
    "custom_fields_update_strategy": one_of("partial", "replace"),
    "marketing_mails_consent": boolean,
    "preferred_currency": nullable(currency),
}
COMPANY = {
    **_RELATION,
    "name": text,
    "business_type_id": nullable(uuid),
    "emails": list_of(shape({"type": one_of("primary", "invoicing"), "email": text})),
    "telephones": list_of(shape({"type": one_of("phone", "fax"), "number": text})),
}
CONTACT = {
    **{key: check for key, check in _RELATION.items() if key not in ("vat_number", "preferred_currency")},
    "first_name": nullable(text),
    "last_name": text,
    "salutation": nullable(text),
    "gender": nullable(one_of("female", "male", "non_binary", "prefers_not_to_say", "unknown")),
    "birthdate": nullable(day),
    "emails": list_of(shape({"type": one_of("primary"), "email": text})),
    "telephones": list_of(shape({"type": one_of("phone", "mobile", "fax"), "number": text})),
}

DISCOUNT = shape({"type": one_of("percentage"), "value": percentage}, {"description": nullable(any_text)})
LINE = shape(
    {"quantity": number, "description": text, "tax_rate_id": uuid},
    {
        "unit_price": shape({"amount": number, "tax": one_of("excluding")}),
        "extended_description": nullable(text),
        "unit_of_measure_id": nullable(uuid),
        "discount": nullable(DISCOUNT),
        "product_id": nullable(uuid),
        "withholding_tax_rate_id": nullable(uuid),
        "product_category_id": nullable(uuid),
    },
)
GROUPED_LINES = list_of(
    shape({"line_items": list_of(LINE, least=1)}, {"section": nullable(shape({"title": any_text}))}), least=1
)


def _payment_term(value: Any, field: str) -> dict[str, Any]:
    term = shape({"type": one_of("cash", "end_of_month", "after_invoice_date")}, {"days": integer})(value, field)
    if term["type"] != "cash" and "days" not in term:
        raise refuse(f"{field}.days is required", field=f"{field}.days")
    if not 0 <= term.setdefault("days", 0) <= 999:
        raise _wrong(f"{field}.days", "between 0 and 999")
    return term


def _payment_method(value: Any, field: str) -> dict[str, Any]:
    with_reference = ("sepa_direct_debit", "direct_debit", "credit_card")
    others = ("cash", "cheque", "bankers_draft", "bank_transfer", "payment_card")
    method = shape({"method": one_of(*with_reference, *others)}, {"reference": nullable(text)})(value, field)
    if method["method"] == "sepa_direct_debit" and not method.get("reference"):
        raise refuse(f"{field}.reference is required", field=f"{field}.reference")
    return method


INVOICE_REQUIRED = {
    "invoicee": shape(
        {"customer": reference("company", "contact")},
        {"for_attention_of": nullable(shape({}, {"name": text, "contact_id": uuid}))},
    ),
    "department_id": uuid,
    "payment_term": _payment_term,
    "grouped_lines": GROUPED_LINES,
}
INVOICE_OPTIONAL = {
    "currency": shape({"code": currency}, {"exchange_rate": number}),
    "project_id": nullable(uuid),
    "quotation_id": nullable(uuid),
    "purchase_order_number": nullable(text),
    "invoice_date": nullable(day),
    "discounts": list_of(DISCOUNT),
    "note": nullable(text),
    "expected_payment_method": nullable(_payment_method),
    "custom_fields": CUSTOM_FIELDS,
    "custom_fields_update_strategy": one_of("partial", "replace"),
    "document_template_id": uuid,
    "delivery_date": nullable(day),
}
EDITABLE_WHEN_BOOKED = (
    "invoicee",
    "payment_term",
    "project_id",
    "grouped_lines",
    "invoice_date",
    "note",
    "custom_fields",
    "custom_fields_update_strategy",
)
PAYMENT = shape(
    {"payment": shape({"amount": number, "currency": currency}), "paid_at": timestamp},
    {"payment_method_id": nullable(uuid)},
)
