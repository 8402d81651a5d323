"""Customers on Teamleader's side, relations on the package's, and how the two recognise each other."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from .documents import CustomerRef

RelationRef = NewType("RelationRef", str)
"""The external id people see: Exact's account GUID, Octopus' relation number, Twinfield's debtor code (rules.md 21)."""


@dataclass(frozen=True, slots=True)
class Address:
    line: str
    postal_code: str
    city: str
    country: str  # ISO 3166 alpha-2, "" when unknown


@dataclass(frozen=True, slots=True)
class Customer:
    """A company or person in Teamleader. Empty strings where nothing was filled in."""

    ref: CustomerRef
    name: str
    vat_number: str  # as typed there, not normalised
    enterprise_number: str  # KBO or KvK number, as typed
    email: str
    phone: str
    website: str
    address: Address
    language: str
    iban: str
    payment_days: int | None  # None: no term of its own
    payment_end_of_month: bool
    tags: tuple[str, ...]
    updated_at: datetime

    @property
    def is_person(self) -> bool:
        return self.ref.kind == "contact"


@dataclass(frozen=True, slots=True)
class Relation:
    """A customer in the package."""

    ref: RelationRef
    code: str  # the number people see there, trimmed
    name: str
    vat_number: str
    enterprise_number: str
    email: str
    phone: str
    address: Address
    is_customer: bool  # False: known there, but not as a customer
    blocked: bool
    created_at: datetime | None = None  # None where the package does not tell


@dataclass(frozen=True, slots=True)
class RelationQuery:
    """Whom we look for. Empty fields do not count; any match of a filled one is an answer."""

    name: str
    vat_number: str = ""  # compact form
    enterprise_number: str = ""
    ref: RelationRef | None = None


@dataclass(frozen=True, slots=True)
class RelationDraft:
    """A relation to be created: what the package is told about a customer."""

    customer: CustomerRef
    name: str
    vat_number: str  # compact, validated
    enterprise_number: str
    email: str
    phone: str
    website: str
    address: Address
    language: str
    iban: str
    payment_days: int | None
    payment_end_of_month: bool


def compact_vat(number: str) -> str:
    """A VAT number without blanks, dots and dashes, in capitals: the form numbers are compared in."""
    return re.sub(r"[^0-9A-Z]", "", number.upper())


LEGAL_FORMS = frozenset(
    """bv bvba nv sa srl sprl vof cv cvba vzw asbl gmbh ag kg sas sarl ltd llc inc commv scomm snc stichting
    maatschap eenmanszaak ug plc spa""".split()  # noqa: SIM905 - reads better than thirty quoted words
)


def plain_name(name: str) -> str:
    """A name reduced to what tells companies apart: no accents, capitals, punctuation or legal form.

    >>> plain_name("Bakkerij De Korenmölen B.V."), plain_name("Μύλος Α.Ε.")
    ('bakkerij de korenmolen', 'μυλος αε')
    """
    folded = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)).casefold()
    words = re.sub(r"[^\w& ]+", "", folded.replace("-", " ").replace("/", " ")).split()
    kept = [word for word in words if word not in LEGAL_FORMS]
    return " ".join(kept or words)


def names_agree(one: str, other: str) -> bool:
    """Whether two names are the same company's, legal form and spelling of accents aside.

    Strict on purpose: a wrong automatic match is worse than a question (rules.md 5).
    """
    return bool(plain_name(one)) and plain_name(one) == plain_name(other)


SHORTEST_CUT = 30
"""Characters: no package we know cuts a name shorter."""


def is_cut_of(short: str, name: str) -> bool:
    """Whether `short` is what a package left of a long name (Exact keeps 50 characters)."""
    return SHORTEST_CUT <= len(short) < len(name) and names_agree(short, name[: len(short)])
