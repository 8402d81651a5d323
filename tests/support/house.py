"""A house in memory: the store's double, and vendors that answer what they are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from boekbrug.domain.connections import LoginId
from boekbrug.domain.documents import AccountId, Category, Entity, TaxRate
from boekbrug.domain.errors import AccessDenied, NotFound, SyncError
from boekbrug.domain.ledger import Abilities, Administration
from boekbrug.domain.relations import RelationRef
from boekbrug.ports import FocusUser, Job, JobKey, Login, PackageFacts
from boekbrug.store.memory import MemoryStore, MemoryTable
from boekbrug.vendors.exact import door as exact

from .clocks import StillClock


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


@dataclass(frozen=True)
class SetFacts:
    """A package as a test describes it."""

    REALMS: tuple[str, ...] = ("-",)
    ABILITIES: Abilities = field(default_factory=Abilities)
    KEEPS_FILES: bool = False

    def relation_ref(self, typed: str) -> RelationRef | None:
        return RelationRef(typed)


@dataclass
class SetGrants:
    """Consent as a test describes it: which code is whose, and which user and password."""

    logins: dict[str, tuple[Login, FocusUser | None]] = field(default_factory=dict)
    passwords: dict[tuple[str, str], Login] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)
    secrets: dict[tuple[str, str], str] = field(default_factory=dict)
    exchanged: list[str] = field(default_factory=list)

    def authorize_url(self, vendor: str, realm: str, state: str) -> str:
        return f"https://{vendor}.example/{realm}/authorize?state={state}"

    def exchange(self, vendor: str, realm: str, code: str, account: AccountId | None) -> tuple[Login, FocusUser | None]:
        self.exchanged.append(code)
        if code not in self.logins:
            raise AccessDenied(vendor=vendor, reason="invalid_grant")
        return self.logins[code]

    def log_in(self, vendor: str, realm: str, user: str, password: str, account: AccountId) -> Login:
        self.tried.append(user)
        if (user, password) not in self.passwords:
            raise AccessDenied(vendor=vendor, reason="log_in")
        return self.passwords[user, password]

    def webhook_secret(self, vendor: str, realm: str) -> str:
        return self.secrets.get((vendor, realm), "")


class MemoryHouse(MemoryStore):
    """The store in memory, vendors as a test describes them, and a clock that stands still."""

    def __init__(self, clock: StillClock | None = None) -> None:
        super().__init__(MemoryTable())
        self.clock = clock or StillClock()
        self.real = self.clock
        self.grants = SetGrants()
        self.public_url = "https://boekbrug.example"
        self.packages: dict[tuple[AccountId, LoginId], SetPackage] = {}
        self.known_packages: dict[str, PackageFacts] = {"exact": exact}
        self._focus: dict[AccountId, SetFocus] = {}

    def focus(self, account: AccountId) -> SetFocus:
        return self._focus.setdefault(account, SetFocus())

    def package(self, account: AccountId, login: LoginId) -> SetPackage:
        return self.packages[account, login]

    def facts(self, package: str) -> PackageFacts:
        if package not in self.known_packages:
            raise NotFound(what="package")
        return self.known_packages[package]

    def put_job(self, job: Job) -> None:
        """As a worker would have left it."""
        self.jobs.kept[job.key] = job

    def nudged(self) -> list[JobKey]:
        return [nudge.key for nudge in self.nudges.kept]

    def said(self, account: AccountId, chain: str) -> list[str]:
        """What the audit tells, oldest first."""
        return [entry["what"] for entry in self.audit(account).entries(chain)]
