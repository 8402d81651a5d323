"""Is this Teamleader customer that relation in the books? A wrong yes is worse than a question (rules.md 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from .relations import (
    Customer,
    Relation,
    RelationQuery,
    RelationRef,
    compact_vat,
    is_cut_of,
    names_agree,
    plain_name,
)


class Signal(StrEnum):
    """What two records have in common."""

    VAT_NUMBER = "vat_number"
    ENTERPRISE_NUMBER = "enterprise_number"
    NAME = "name"
    EMAIL = "email"
    EMAIL_DOMAIN = "email_domain"
    PHONE = "phone"
    ADDRESS = "address"


WEIGHTS = {
    Signal.VAT_NUMBER: 60,
    Signal.ENTERPRISE_NUMBER: 50,
    Signal.NAME: 40,
    Signal.EMAIL: 20,
    Signal.EMAIL_DOMAIN: 5,
    Signal.PHONE: 15,
    Signal.ADDRESS: 15,
}
"""Points of a hundred. A number and a name together pass any threshold; nothing passes without both."""

_COMMON_DOMAINS = frozenset({"gmail.com", "hotmail.com", "outlook.com", "telenet.be", "skynet.be", "ziggo.nl"})


class Advice(StrEnum):
    ADOPT = "adopt"  # the same, beyond doubt
    ASK = "ask"  # a person decides
    CREATE = "create"  # nobody there looks like this


@dataclass(frozen=True, slots=True)
class Candidate:
    """A relation that shares something with the customer."""

    relation: RelationRef
    code: str
    name: str
    signals: tuple[Signal, ...]
    score: int  # 0-100


@dataclass(frozen=True, slots=True)
class Proposal:
    """What we would do about one customer, and why."""

    advice: Advice
    candidates: tuple[Candidate, ...] = field(default=())  # best first

    @property
    def relation(self) -> RelationRef | None:
        """The relation to adopt; None unless that is the advice."""
        return self.candidates[0].relation if self.advice is Advice.ADOPT else None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said about one customer: adopt this relation, or create one whatever looks alike."""

    adopt: RelationRef | None = None
    create: bool = False


def look_alike(one: Customer, other: Customer) -> bool:
    """Whether two customers may be one company: they share a number, or a name and no VAT numbers tell them apart."""
    if _same_number(one.vat_number, other.vat_number) or _same_number(one.enterprise_number, other.enterprise_number):
        return True
    return names_agree(one.name, other.name) and not (compact_vat(one.vat_number) and compact_vat(other.vat_number))


def query_for(customer: Customer) -> RelationQuery:
    """Whom to look for in the package."""
    return RelationQuery(
        name=customer.name,
        vat_number=compact_vat(customer.vat_number),
        enterprise_number=compact_vat(customer.enterprise_number),
    )


def propose(customer: Customer, relations: Sequence[Relation]) -> Proposal:
    """What to do about a customer, given the relations that might be the same.

    Adopt: exactly one carries the VAT or enterprise number *and* the name agrees, and it is a customer in use.
    Ask: a number without the name, a name without the number, two that fit, or one that is blocked.
    Create: nothing of the kind.
    """
    candidates = sorted(
        (candidate for relation in relations if (candidate := _candidate(customer, relation))),
        key=lambda candidate: (-candidate.score, candidate.code),
    )
    numbered = [c for c in candidates if {Signal.VAT_NUMBER, Signal.ENTERPRISE_NUMBER} & set(c.signals)]
    usable = {relation.ref for relation in relations if relation.is_customer and not relation.blocked}
    if len(numbered) == 1 and Signal.NAME in numbered[0].signals and numbered[0].relation in usable:
        return Proposal(Advice.ADOPT, (numbered[0], *(c for c in candidates if c is not numbered[0])))
    serious = [c for c in candidates if c in numbered or Signal.NAME in c.signals]
    return Proposal(Advice.ASK if serious else Advice.CREATE, tuple(candidates))


def _candidate(customer: Customer, relation: Relation) -> Candidate | None:
    signals = tuple(_signals(customer, relation))
    if not signals:
        return None
    score = min(100, sum(WEIGHTS[signal] for signal in signals))
    return Candidate(relation.ref, relation.code, relation.name, signals, score)


def _signals(customer: Customer, relation: Relation) -> list[Signal]:
    found = []
    if _same_number(customer.vat_number, relation.vat_number):
        found.append(Signal.VAT_NUMBER)
    if _same_number(customer.enterprise_number, relation.enterprise_number):
        found.append(Signal.ENTERPRISE_NUMBER)
    if names_agree(customer.name, relation.name) or is_cut_of(relation.name.strip(), customer.name.strip()):
        found.append(Signal.NAME)
    ours, theirs = customer.email.casefold(), relation.email.casefold()
    if ours and ours == theirs:
        found.append(Signal.EMAIL)
    elif (domain := ours.partition("@")[2]) and domain not in _COMMON_DOMAINS and domain == theirs.partition("@")[2]:
        found.append(Signal.EMAIL_DOMAIN)
    if _same_phone(customer.phone, relation.phone):
        found.append(Signal.PHONE)
    if _same_address(customer, relation):
        found.append(Signal.ADDRESS)
    return found


def _same_number(one: str, other: str) -> bool:
    """The same VAT or enterprise number, however it was typed; a country prefix may be missing on one side."""
    a, b = compact_vat(one), compact_vat(other)
    if not a or not b:
        return False
    return a == b or (a[:2].isalpha() != b[:2].isalpha() and _bare(a) == _bare(b))


def _bare(number: str) -> str:
    return number.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _same_phone(one: str, other: str) -> bool:
    a = "".join(c for c in one if c.isdigit()).lstrip("0")
    b = "".join(c for c in other if c.isdigit()).lstrip("0")
    return len(a) >= 8 and len(b) >= 8 and a[-8:] == b[-8:]


def _same_address(customer: Customer, relation: Relation) -> bool:
    ours, theirs = customer.address, relation.address
    street = plain_name(ours.line)
    return bool(street and ours.postal_code) and (street, _plain(ours.postal_code)) == (
        plain_name(theirs.line),
        _plain(theirs.postal_code),
    )


def _plain(postal_code: str) -> str:
    return postal_code.replace(" ", "").upper()
