"""Customers and suppliers: one PUT that creates or merges, and searches that want the whole name.

Source: reference, section 4.
"""

from __future__ import annotations

import re
from typing import Any

from fakes.octopus.errors import bad_parameters, business
from fakes.octopus.masters import own
from fakes.octopus.state import Dossier, Row

DEFAULTS: Row = {
    "active": True,
    "client": False,
    "corporationType": 0,
    "defaultBookingAccountClient": 0,
    "defaultBookingAccountSupplier": 0,
    "expirationDays": 30,
    "expirationType": 2,
    "factLanguage": 0,
    "fax": "",
    "financialDiscount": False,
    "mobile": "",
    "sddActive": False,
    "sddMandateType": 0,
    "sddSeqtype": 0,
    "supplier": False,
    "supplierPaymentMethod": 0,
    "telephone": "",
    "url": "",
    "vatNr": "",
    "vatType": 0,
}
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


def show(dossier: Dossier, row: Row) -> Row:
    """The relation with both its keys."""
    return {**own(row), "relationIdentificationServiceData": dossier.relation_keys(row["_id"])}


def save(dossier: Dossier, given: Row) -> Row | None:
    """Merge into the relation that is named, or make a new one. Gives the new one, None when merged.

    A key that names nothing makes a new relation too: a stale key is how duplicates are born.
    """
    identification = given.get("relationIdentificationServiceData")
    if identification is None:
        raise bad_parameters()
    _check(dossier, given)
    fields = {name: value for name, value in given.items() if name != "relationIdentificationServiceData"}
    found = dossier.relation_by(identification)
    if found is None:
        return add(dossier, fields, identification.get("externalRelationId", 0))
    external = identification.get("externalRelationId", 0) or found["_external"]
    dossier.put("relations", str(found["_id"]), {**found, **fields, "_external": external})
    return None


def add(dossier: Dossier, fields: Row, external: int = 0, number: int | None = None) -> Row:
    """A relation with the next key, or the one given."""
    taken = max((row["_id"] for row in dossier["relations"].values()), default=0)
    gone = max((row["_id"] for row in dossier["gone_relations"].values()), default=0)
    key = number or max(taken, gone) + 1
    return dossier.put("relations", str(key), {**DEFAULTS, **fields, "_id": key, "_external": external})


def _check(dossier: Dossier, given: Row) -> None:
    currency = given.get("currencyCode")
    if not currency:
        raise business(-7, f"dossier {dossier.id}: currencyCode is missing")
    if currency not in dossier.currencies:
        raise business(-19, f"dossier {dossier.id}: currency {currency} is not in use")
    for name in ("country", "deliveryCountry"):
        if name in given and not _COUNTRY.fullmatch(given[name]):
            raise business(-7, f"dossier {dossier.id}: {name} '{given[name]}' is no country")


def search(dossier: Dossier, known: dict[str, Any]) -> list[Row]:
    """Relations that meet any one of the criteria, inactive ones too."""
    name, vat = str(known.get("name", "")).casefold(), compact(known.get("vatNr", ""))

    def meets(row: Row) -> bool:
        return bool(
            ("relationId" in known and row["_id"] == known["relationId"])
            or ("extRelationId" in known and 0 != row["_external"] == known["extRelationId"])
            or (name and row.get("name", "").casefold() == name)
            or (vat and compact(row.get("vatNr", "")) == vat)
        )

    return [row for row in dossier["relations"].values() if meets(row)]


def compact(vat_number: str) -> str:
    """Letters and digits only, as numbers are compared.

    >>> compact("BE0123.456.749")
    'BE0123456749'
    """
    return re.sub(r"[^0-9A-Z]", "", vat_number.upper())
