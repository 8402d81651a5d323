"""Customers first: every customer of a document has its relation in the books before the document goes there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ..domain.documents import CustomerRef
from ..domain.errors import RelationAmbiguous, RelationGone, SyncError
from ..domain.ledger import Outcome
from ..domain.matching import Advice, Decision, look_alike, propose, query_for
from ..domain.relations import (
    Customer,
    Relation,
    RelationDraft,
    RelationQuery,
    RelationRef,
    compact_vat,
)
from ..ports import Intent, IntentMoved, Ledger, Links, RealClock, RefTaken, WriteKind, WriteState
from ..records import as_json, as_text, from_json, from_text
from .write_once import How, Protocol, Write, Written, write_once


@dataclass(frozen=True, slots=True)
class Ensured:
    """A customer's relation, and whether this run made or adopted it."""

    ref: RelationRef
    created: bool = False
    adopted: bool = False


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is remembered before a relation is created: a probe must tell ours from those that stood there before."""

    draft: RelationDraft
    before: tuple[RelationRef, ...]


def ensure_relations(
    customers: Sequence[Customer],
    decisions: Mapping[CustomerRef, Decision],
    ledger: Ledger,
    links: Links,
    real: RealClock,
    may_go_on: Callable[[], bool] = lambda: True,
) -> dict[CustomerRef, Ensured | SyncError]:
    """The relation of each customer: remembered, adopted or created (rules.md 3, 5).

    A number that agrees with a name that agrees is adopted; anything less certain waits for a person. What a person
    decided goes before what we remember: a relation may have been merged or replaced in the books since.
    """
    answers: dict[CustomerRef, Ensured | SyncError] = {}
    known = links.intents(WriteKind.RELATION, [str(customer.ref) for customer in customers])
    to_look_for: list[Customer] = []
    to_write: list[Customer] = []
    for customer in customers:
        intent = known.get(str(customer.ref))
        if intent is not None and intent.result is not None:
            linked = from_json(Relation, intent.result).ref
            if decides_otherwise(decisions.get(customer.ref), linked):
                to_look_for.append(customer)
            else:
                answers[customer.ref] = Ensured(linked)
        elif intent is not None and intent.state is not WriteState.REFUSED:
            to_write.append(customer)  # in doubt: the write protocol settles it
        else:
            to_look_for.append(customer)

    plans = {customer.ref: from_text(_Plan, known[str(customer.ref)].payload) for customer in to_write}
    found = ledger.find_relations([_query(customer, decisions) for customer in to_look_for]) if to_look_for else ()
    for customer, relations in zip(to_look_for, found, strict=True):
        decision = decisions.get(customer.ref, Decision())
        answer = _decide(customer, relations, decision, links, real)
        if answer is None and not decision.create:
            answer = _twin_among(customer, to_write)
        if answer is None:
            to_write.append(customer)
            plans[customer.ref] = _Plan(draft_of(customer), tuple(relation.ref for relation in relations))
        else:
            answers[customer.ref] = answer

    written = write_once(
        [_write(plans[c.ref]) for c in to_write], relation_protocol(ledger, links), links, real, may_go_on
    )
    for customer, result in zip(to_write, written, strict=True):
        answers[customer.ref] = (
            Ensured(result.value.ref, created=result.how is How.SENT, adopted=result.how is How.FOUND)
            if isinstance(result, Written)
            else result
        )
    return answers


def _twin_among(customer: Customer, new: Sequence[Customer]) -> RelationAmbiguous | None:
    """Two customers that look alike and are new together: the second waits, as it would had the first come earlier."""
    twins = ", ".join(other.name for other in new if look_alike(customer, other))
    return RelationAmbiguous(customer=customer.name, candidates=twins) if twins else None


def decides_otherwise(decision: Decision | None, linked: RelationRef) -> bool:
    """Whether a person chose another relation than the one we remember for a customer."""
    return decision is not None and decision.adopt not in (None, linked)


def _query(customer: Customer, decisions: Mapping[CustomerRef, Decision]) -> RelationQuery:
    decided = decisions.get(customer.ref)
    if decided and decided.adopt:
        return RelationQuery(name="", ref=decided.adopt)
    return query_for(customer)


def _decide(
    customer: Customer, relations: Sequence[Relation], decision: Decision, links: Links, real: RealClock
) -> Ensured | SyncError | None:
    """The relation to use, why not, or None: create one."""
    if decision.create:
        return None
    chosen_by_person = decision.adopt is not None
    if chosen_by_person:
        chosen = next((relation for relation in relations if relation.ref == decision.adopt), None)
        if chosen is None or chosen.blocked:
            return RelationGone(customer=customer.name)
    else:
        proposal = propose(customer, relations)
        if proposal.advice is Advice.CREATE:
            return None
        if proposal.advice is Advice.ASK:
            names = ", ".join(f"{candidate.name} ({candidate.code})" for candidate in proposal.candidates[:3])
            return RelationAmbiguous(customer=customer.name, candidates=names)
        chosen = next(relation for relation in relations if relation.ref == proposal.relation)
    try:
        links.adopt(WriteKind.RELATION, str(customer.ref), as_json(chosen), real.now())
    except RefTaken:  # another customer has it already: two records of one company in Teamleader (rules.md 21)
        if chosen_by_person:  # they are one, or were merged there: the decision itself is what we remember
            return Ensured(chosen.ref)
        return RelationAmbiguous(customer=customer.name, candidates=f"{chosen.name} ({chosen.code})")
    except IntentMoved:
        if chosen_by_person:
            return Ensured(chosen.ref)
        intent = links.intent(WriteKind.RELATION, str(customer.ref))
        if intent is None or intent.result is None:
            return RelationAmbiguous(customer=customer.name, candidates=f"{chosen.name} ({chosen.code})")
        return Ensured(from_json(Relation, intent.result).ref)
    return Ensured(chosen.ref, adopted=True)


def draft_of(customer: Customer) -> RelationDraft:
    """What the package is told about a customer that is new to it."""
    return RelationDraft(
        customer=customer.ref,
        name=customer.name.strip(),
        vat_number=compact_vat(customer.vat_number),
        enterprise_number=compact_vat(customer.enterprise_number),
        email=customer.email.strip(),
        phone=customer.phone,
        website=customer.website,
        address=customer.address,
        language=customer.language,
        iban=customer.iban,
        payment_days=customer.payment_days,
        payment_end_of_month=customer.payment_end_of_month,
    )


def _write(plan: _Plan) -> Write:
    payload = as_text(plan)
    return Write(str(plan.draft.customer), payload, hashlib.sha256(payload.encode()).hexdigest())


def relation_protocol(ledger: Ledger, links: Links) -> Protocol[Relation]:
    def send(writes: Sequence[Write]) -> Sequence[Outcome[Relation]]:
        return ledger.save_relations([from_text(_Plan, write.payload).draft for write in writes])

    def probe(intents: Sequence[Intent]) -> Sequence[Relation | None]:
        plans = [from_text(_Plan, intent.payload) for intent in intents]
        found = ledger.find_relations([RelationQuery(plan.draft.name, plan.draft.vat_number) for plan in plans])
        return [_ours(plan, relations, links) for plan, relations in zip(plans, found, strict=True)]

    return Protocol(
        kind=WriteKind.RELATION,
        send=send,
        probe=probe,
        encode=as_json,
        decode=lambda result: from_json(Relation, dict(result)),
        settle=timedelta(seconds=ledger.abilities.settle_s),
        resend=send if ledger.abilities.resend_settles else None,
    )


def _ours(plan: _Plan, relations: Sequence[Relation], links: Links) -> Relation | None:
    """The relation our lost write made: not there before, and with the name and number we sent."""
    for relation in relations:
        if (
            relation.ref not in plan.before
            and relation.name
            and plan.draft.name.startswith(relation.name)  # a package may cut a long name
            and compact_vat(relation.vat_number) == plan.draft.vat_number
            and links.subject_of(WriteKind.RELATION, relation.ref) is None
        ):
            return relation
    return None
