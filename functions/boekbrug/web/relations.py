"""Customers and relations: what we propose for each, and what a person decides."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from ..domain.errors import RelationAmbiguous, RelationGone, RequestInvalid
from .app import Route, Visit
from .http import Answer, Answered, Asked
from .jobs import go_on
from .lookup import after_of, connection_of

PAGE = 200
WAIT_FOR_A_RELATION = (RelationAmbiguous.__name__, RelationGone.__name__)


class NewDecision(Asked):
    """About one customer: adopt this relation, or create a new one. One of the two."""

    customer: str = Field(pattern=r"^(company|contact):[^\s]+$", max_length=100)
    adopt: str = Field("", max_length=100)  # the relation's reference in the package
    create: bool = False


class DecisionView(Answered):
    adopt: str  # "" when a new relation is to be created
    create: bool
    by: str  # Teamleader user
    at: datetime


class ProposalView(Answered):
    customer: str  # "company:<id>"
    proposal: dict[str, Any]
    decision: DecisionView | None


class Proposals(Answered):
    proposals: list[ProposalView]
    next: str | None  # `after` of the next page


def list_proposals(visit: Visit) -> Answer:
    """What would become of each customer, why, and what was decided about it."""
    connection = connection_of(visit)
    snapshots = visit.house.snapshots(connection.account)
    rows = snapshots.rows(f"relations:{connection.administration}", after_of(visit), PAGE)
    decisions = dict(snapshots.rows(f"decisions:{connection.administration}", after_of(visit), PAGE))
    views = [
        ProposalView(customer=customer, proposal=dict(row), decision=_decision(decisions.get(customer)))
        for customer, row in rows
    ]
    return Answer(body=Proposals(proposals=views, next=rows[-1][0] if len(rows) == PAGE else None))


def decide(visit: Visit) -> Answer:
    """Decides about one customer; its documents that waited for it are looked at again."""
    connection, house = connection_of(visit), visit.house
    asked = visit.request.read(NewDecision)
    if bool(asked.adopt) == asked.create:
        raise RequestInvalid(field="adopt", reason="adopt_or_create")
    now = house.clock.now()
    chosen: dict[str, Any] = {"create": True}
    if asked.adopt:
        chosen = {"adopt": house.facts(connection.package).relation_ref(asked.adopt)}
        if not chosen["adopt"]:
            raise RequestInvalid(field="adopt", reason="no_external_id")
    row = {**chosen, "by": visit.session.user, "at": now.isoformat()}
    house.snapshots(connection.account).put_rows(f"decisions:{connection.administration}", {asked.customer: row})
    facts = {"customer": asked.customer, **row}
    house.audit(connection.account).append(connection.administration, "relation_decided", facts, now)
    house.documents(connection.account, connection.administration).release(causes=WAIT_FOR_A_RELATION)
    go_on(house, connection)
    return Answer(body=_decision(row))


def _decision(row: Any) -> DecisionView | None:
    if row is None:
        return None
    return DecisionView(adopt=row.get("adopt", ""), create=row.get("create", False), by=row["by"], at=row["at"])


ROUTES = (
    Route("GET", "/api/connections/{id}/relations", list_proposals, Proposals, query=("after",)),
    Route("POST", "/api/connections/{id}/relations/decisions", decide, DecisionView, asks=NewDecision),
)
