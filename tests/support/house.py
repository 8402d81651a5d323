"""A house in memory: the stores the doors need, with state tests can look at; vendors that answer what they are told.

Each class does what its Protocol in `boekbrug.ports` says, as small as it goes. Where a lease or a conditional write
matters, use the DynamoDB stores on moto instead: these are for tests of what stands above.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from boekbrug.domain.connections import Connection, ConnectionId, LoginId
from boekbrug.domain.documents import AccountId, Category, DocumentId, Entity, TaxRate
from boekbrug.domain.errors import AccessDenied, SyncError
from boekbrug.domain.ledger import Administration, AdministrationId
from boekbrug.ports import (
    Account,
    DocumentRecord,
    DocumentState,
    FocusUser,
    Intent,
    Job,
    JobKey,
    Login,
    OAuthState,
    Problem,
    Session,
)

from .clocks import StillClock
from .logins import MemoryLogins


class MemoryAccounts:
    def __init__(self) -> None:
        self.all: dict[AccountId, Account] = {}

    def get(self, account: AccountId) -> Account | None:
        return self.all.get(account)

    def found(self, account: Account) -> Account:
        return self.all.setdefault(account.id, account)


class MemorySessions:
    def __init__(self) -> None:
        self.all: dict[str, Session] = {}

    def open(self, session: Session) -> str:
        token = f"session-token-{len(self.all) + 1}"
        self.all[token] = session
        return token

    def get(self, token: str, now: datetime) -> Session | None:
        session = self.all.get(token)
        return session if session and now < session.expires_at else None

    def close(self, token: str) -> None:
        self.all.pop(token, None)


class MemoryOAuthStates:
    def __init__(self) -> None:
        self.all: dict[str, OAuthState] = {}
        self._numbers = itertools.count(1)

    def open(self, state: OAuthState) -> str:
        name = f"state-{next(self._numbers)}"
        self.all[name] = state
        return name

    def take(self, state: str, now: datetime) -> OAuthState | None:
        trip = self.all.pop(state, None)
        return trip if trip and now < trip.expires_at else None


class MemoryWebhookTokens:
    def __init__(self) -> None:
        self.all: dict[tuple[AccountId, str], str] = {}
        self._numbers = itertools.count(1)

    def rotate(self, account: AccountId, vendor: str) -> str:
        self.all[account, vendor] = f"{vendor}-token-{next(self._numbers)}"
        return self.all[account, vendor]

    def account_of(self, vendor: str, token: str) -> AccountId | None:
        for (account, its), known in self.all.items():
            if (its, known) == (vendor, token):
                return account
        return None


class MemoryConnections:
    def __init__(self) -> None:
        self.all: dict[tuple[AccountId, ConnectionId], Connection] = {}

    def get(self, account: AccountId, connection: ConnectionId) -> Connection | None:
        return self.all.get((account, connection))

    def of_account(self, account: AccountId) -> Sequence[Connection]:
        return [connection for (its, _), connection in self.all.items() if its == account]

    def of_administration(self, account: AccountId, administration: AdministrationId) -> Sequence[Connection]:
        return [one for one in self.of_account(account) if one.administration == administration]

    def save(self, connection: Connection) -> None:
        self.all[connection.account, connection.id] = connection


class MemoryJobs:
    def __init__(self) -> None:
        self.all: dict[JobKey, Job] = {}

    def get(self, key: JobKey) -> Job | None:
        return self.all.get(key)

    def of_account(self, account: AccountId) -> Sequence[Job]:
        return [job for key, job in self.all.items() if key.account == account]

    def ensure(self, key: JobKey) -> Job:
        return self.all.setdefault(key, Job(key, due_at=None))

    def make_due(self, key: JobKey, at: datetime, *, manual: bool = False) -> None:
        job = self.ensure(key)
        due_at = min(job.due_at, at) if job.due_at else at
        self.all[key] = replace(job, due_at=due_at, manual=job.manual or manual)

    def resume(self, account: AccountId, administration: AdministrationId | None, due_at: datetime) -> None:
        for key, job in self.all.items():
            if key.account == account and administration in (None, key.administration) and job.paused:
                self.all[key] = replace(job, paused="", due_at=due_at)

    def put(self, job: Job) -> None:
        """As a worker would have left it."""
        self.all[job.key] = job


class MemoryNudges:
    def __init__(self) -> None:
        self.sent: list[JobKey] = []

    def send(self, key: JobKey, delay_s: float = 0) -> None:
        self.sent.append(key)


class MemoryDocuments:
    def __init__(self) -> None:
        self.all: dict[DocumentId, DocumentRecord] = {}

    def put(self, *records: DocumentRecord) -> None:
        self.all.update({record.id: record for record in records})

    def record(self, document: DocumentId) -> DocumentRecord | None:
        return self.all.get(document)

    def release(self, causes: Sequence[str] | None = None, documents: Sequence[DocumentId] | None = None) -> int:
        held = [
            record
            for record in self.all.values()
            if record.state is DocumentState.HELD
            and (causes is None or record.cause in causes)
            and (documents is None or record.id in documents)
        ]
        self.put(*(replace(record, state=DocumentState.WAITING, cause="") for record in held))
        return len(held)

    def counts(self, connection: ConnectionId) -> Mapping[str, int]:
        return Counter(
            f"held:{record.cause}" if record.state is DocumentState.HELD else str(record.state)
            for record in self.all.values()
            if record.connection == connection
        )

    def records(self, connection: ConnectionId, after: str = "", limit: int = 100) -> Sequence[DocumentRecord]:
        found = [r for key, r in sorted(self.all.items()) if r.connection == connection and key > after]
        return found[:limit]


class MemoryProblems:
    def __init__(self) -> None:
        self._all: dict[str, Problem] = {}

    def report(self, subject: str, connection: ConnectionId | None, error: SyncError, at: datetime, about: str) -> None:
        facts = {name: str(value) for name, value in error.facts.items()}
        self._all[subject] = Problem(subject, connection, error.cause, error.family, facts, at, about)

    def solve(self, subject: str) -> None:
        self._all.pop(subject, None)

    def all(self) -> Sequence[Problem]:
        return list(self._all.values())


class MemorySnapshots:
    def __init__(self) -> None:
        self.whole: dict[str, Mapping[str, Any]] = {}
        self.by_row: dict[str, dict[str, Mapping[str, Any]]] = {}

    def put(self, name: str, value: Mapping[str, Any]) -> None:
        self.whole[name] = value

    def get(self, name: str) -> Mapping[str, Any] | None:
        return self.whole.get(name)

    def put_rows(self, name: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        self.by_row.setdefault(name, {}).update(rows)

    def rows(self, name: str, after: str = "", limit: int = 200) -> Sequence[tuple[str, Mapping[str, Any]]]:
        return [(key, row) for key, row in sorted(self.by_row.get(name, {}).items()) if key > after][:limit]

    def row(self, name: str, key: str) -> Mapping[str, Any] | None:
        return self.by_row.get(name, {}).get(key)


class MemoryAudit:
    """Chains without their hashes."""

    def __init__(self) -> None:
        self.chains: dict[str, list[dict[str, Any]]] = {}

    def append(self, chain: str, what: str, facts: Mapping[str, Any], at: datetime) -> None:
        entries = self.chains.setdefault(chain, [])
        entries.append({"sequence": len(entries) + 1, "at": at.isoformat(), "what": what, "facts": dict(facts)})

    def entries(self, chain: str, after: int = 0, limit: int = 100) -> Sequence[Mapping[str, Any]]:
        return self.chains.get(chain, [])[after : after + limit]

    def said(self, chain: str) -> list[str]:
        return [entry["what"] for entry in self.chains.get(chain, [])]


@dataclass
class SetLinks:
    """Links of which a door only asks what is unsettled."""

    intents: list[Intent] = field(default_factory=list)

    def unsettled(self) -> Sequence[Intent]:
        return self.intents


@dataclass
class SetFocus:
    """A Teamleader account as a test describes it."""

    its_entities: Sequence[Entity] = ()
    its_rates: Sequence[TaxRate] = ()
    its_categories: Sequence[Category] = ()
    webhooks: list[str] = field(default_factory=list)
    fails: SyncError | None = None  # raised by `register_webhooks`

    def entities(self) -> Sequence[Entity]:
        return self.its_entities

    def tax_rates(self) -> Sequence[TaxRate]:
        return self.its_rates

    def categories(self) -> Sequence[Category]:
        return self.its_categories

    def register_webhooks(self, url: str) -> None:
        if self.fails:
            raise self.fails
        self.webhooks.append(url)


@dataclass
class SetPackage:
    its_administrations: Sequence[Administration] = ()

    def administrations(self) -> Sequence[Administration]:
        return self.its_administrations


@dataclass
class SetGrants:
    """Consent as a test describes it: which code is whose."""

    logins: dict[str, tuple[Login, FocusUser | None]] = field(default_factory=dict)
    secrets: dict[tuple[str, str], str] = field(default_factory=dict)
    exchanged: list[str] = field(default_factory=list)

    def authorize_url(self, vendor: str, realm: str, state: str) -> str:
        return f"https://{vendor}.example/{realm}/authorize?state={state}"

    def exchange(self, vendor: str, realm: str, code: str, account: AccountId | None) -> tuple[Login, FocusUser | None]:
        self.exchanged.append(code)
        if code not in self.logins:
            raise AccessDenied(vendor=vendor, reason="invalid_grant")
        return self.logins[code]

    def webhook_secret(self, vendor: str, realm: str) -> str:
        return self.secrets.get((vendor, realm), "")


class MemoryHouse:
    """Every room a door opens, one of each per account (and administration)."""

    def __init__(self, clock: StillClock | None = None) -> None:
        self.clock = clock or StillClock()
        self.real = self.clock
        self.accounts = MemoryAccounts()
        self.sessions = MemorySessions()
        self.states = MemoryOAuthStates()
        self.webhook_tokens = MemoryWebhookTokens()
        self.connections = MemoryConnections()
        self.jobs = MemoryJobs()
        self.nudges = MemoryNudges()
        self.logins = MemoryLogins()
        self.grants = SetGrants()
        self.public_url = "https://boekbrug.example"
        self.packages: dict[tuple[AccountId, LoginId], SetPackage] = {}
        self._rooms: dict[tuple[type, tuple[str, ...]], Any] = {}

    def _room(self, kind: type, *whose: str) -> Any:
        return self._rooms.setdefault((kind, whose), kind())

    def focus(self, account: AccountId) -> SetFocus:
        return self._room(SetFocus, account)

    def package(self, account: AccountId, login: LoginId) -> SetPackage:
        return self.packages[account, login]

    def links(self, account: AccountId, administration: AdministrationId) -> SetLinks:
        return self._room(SetLinks, account, administration)

    def documents(self, account: AccountId, administration: AdministrationId) -> MemoryDocuments:
        return self._room(MemoryDocuments, account, administration)

    def problems(self, account: AccountId, administration: AdministrationId) -> MemoryProblems:
        return self._room(MemoryProblems, account, administration)

    def snapshots(self, account: AccountId) -> MemorySnapshots:
        return self._room(MemorySnapshots, account)

    def audit(self, account: AccountId) -> MemoryAudit:
        return self._room(MemoryAudit, account)
