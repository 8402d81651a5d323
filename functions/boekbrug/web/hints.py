"""Webhooks: a hint that something may have changed, never what it is now.

The address holds a secret of the account. A hint makes a job due and wakes a worker; the worker reads for itself.
Only connections that run by themselves take hints: the first run is made by hand (rules.md 27).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from ..domain.connections import Connection, JobKind
from ..domain.documents import AccountId
from ..domain.errors import AccessDenied, NotFound, RequestInvalid
from ..ports import House
from .app import Route, Visit
from .http import Answer
from .jobs import wake

# Only what can change a document, its customer, or the way it is booked. Not invoice.paymentRegistered: those are
# mostly our own, and each would cost a run.
FOCUS_HINTS = frozenset(
    f"{subject}.{deed}" for subject in ("invoice", "creditNote") for deed in ("booked", "updated", "deleted")
) | {"company.added", "company.updated", "contact.added", "contact.updated"}

EXACT_HINTS = {  # Exact has no topic for open items; what moves them comes nearest (vendors/exact-online.md 5.17)
    "SalesEntries": JobKind.PAYMENTS,
    "BankEntries": JobKind.PAYMENTS,
    "CashEntries": JobKind.PAYMENTS,
    "GeneralJournalEntries": JobKind.PAYMENTS,
    "FinancialTransactions": JobKind.PAYMENTS,
    "GLAccounts": JobKind.ACCOUNTS,
}

M = TypeVar("M", bound=BaseModel)


class Reference(BaseModel):
    id: str


class FocusHint(BaseModel):
    """What Teamleader sends (vendors/teamleader-focus.md 3.3); fields it may add do not matter."""

    type: str
    account: Reference


class ExactContent(BaseModel):
    Topic: str
    Division: int


class ExactHint(BaseModel):
    """What Exact Online sends, in its own spelling."""

    Content: ExactContent
    HashCode: str


def from_focus(visit: Visit) -> Answer:
    """Takes a hint from Teamleader about a document or a customer."""
    account = _account(visit, "teamleader")
    hint = _read(FocusHint, visit.request.body)
    if hint.account.id != account:
        raise AccessDenied(vendor="teamleader", reason="other_account")
    if hint.type in FOCUS_HINTS:
        for connection in visit.house.connections.of_account(account):
            _wake(connection, JobKind.DOCUMENTS, visit.house)
    return Answer()


def from_exact(visit: Visit) -> Answer:
    """Takes a hint from Exact Online about payments or ledger accounts; an empty one asks whether we are here."""
    account, body = _account(visit, "exact"), visit.request.body
    if not body:
        return Answer()
    hint = _read(ExactHint, body)
    realm, connections = _division(account, hint.Content.Division, visit.house)
    check_signature(body, hint.HashCode, visit.house.grants.webhook_secret("exact", realm))
    if kind := EXACT_HINTS.get(hint.Content.Topic):
        for connection in connections:
            _wake(connection, kind, visit.house)
    return Answer()


def check_signature(body: bytes, claimed: str, secret: str) -> None:
    """Whether Exact Online signed these very bytes.

    Shape: HMAC-SHA256 in hexadecimal over what stands between `{"Content":` and `,"HashCode":`, never re-serialised.
    Raises: RequestInvalid when the two marks are not there, AccessDenied when the signature does not fit.
    Source: vendors/exact-online.md 5.17.
    """
    before, after = b'{"Content":', b',"HashCode":'
    end = body.rfind(after)
    if not body.startswith(before) or end < 0:
        raise RequestInvalid(field="body", reason="json_invalid")
    proof = hmac.new(secret.encode(), body[len(before) : end], hashlib.sha256).hexdigest()
    # No secret, no proof: an app without one must not accept what anybody can sign with an empty key.
    if not secret or not hmac.compare_digest(proof.encode(), claimed.lower().encode()):
        raise AccessDenied(vendor="exact", reason="signature")


def _account(visit: Visit, vendor: str) -> AccountId:
    """Whose address this is. Raises NotFound."""
    account = visit.house.webhook_tokens.account_of(vendor, visit.request.params["token"])
    if account is None:
        raise NotFound(what="address")
    return account


def _read(model: type[M], body: bytes) -> M:
    """Raises RequestInvalid, without the details a person's request gets: nobody reads them here."""
    try:
        return model.model_validate_json(body)
    except ValidationError:
        raise RequestInvalid(field="body", reason="json_invalid") from None


def _division(account: AccountId, division: int, house: House) -> tuple[str, list[Connection]]:
    """The country and the connections of an Exact division of this account. Raises AccessDenied for any other."""
    ours: dict[str, list[Connection]] = {}
    for connection in house.connections.of_account(account):
        package, realm, code = connection.administration.split(".", 2)
        if (package, code) == ("exact", str(division)):
            ours.setdefault(realm, []).append(connection)
    if not ours:
        raise AccessDenied(vendor="exact", reason="other_account")
    return next(iter(ours.items()))


def _wake(connection: Connection, kind: JobKind, house: House) -> None:
    if connection.active and connection.automatic:
        wake(house, connection, kind)


ROUTES = (
    Route("POST", "/webhooks/teamleader/{token}", from_focus, asks=FocusHint, signed_in=False),
    Route("POST", "/webhooks/exact/{token}", from_exact, asks=ExactHint, signed_in=False),
)
