"""What is true after every run, whatever died when."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from boekbrug.domain.documents import AccountId
from boekbrug.domain.ledger import AdministrationId
from boekbrug.sync.write_once import FUNCTION_TIMEOUT

from .cases import Facts
from .packages import Package
from .stage import SETTLE, Send, Stage

MOST_NUDGES = 3
START = "0" * 64


@dataclass(frozen=True)
class Verdict:
    duplicates: int
    lost: int
    broken: tuple[str, ...]  # every law that does not hold, in a sentence

    @property
    def holds(self) -> bool:
        return not self.broken


def judged(stage: Stage, package: Package, facts: Facts, calm: str = "") -> Verdict:
    """`calm`: the outcome of the same world without a fault."""
    law = _Law(stage, package, facts)
    law.books()
    law.payments()
    law.finished()
    broken = [
        *law.broken,
        *stage.broken,
        *sent_too_soon(stage),
        *chains_broken(law.store, facts),
    ]
    if facts.reads and calm and outcome(stage, facts) != calm:
        broken.append("what was read differs from a calm run")
    return Verdict(law.duplicates, law.lost, tuple(broken))


def is_done(stage: Stage, facts: Facts) -> bool:
    """Whether everything is done that there was to do; a worker may be there to find that out."""
    return not any(still_to_do(stage, facts))


def still_to_do(stage: Stage, facts: Facts) -> Iterator[str]:
    store, (account, administration) = stage.outside, _whose(facts)
    yield from (f"the job {job.key.kind} is due" for job in store.jobs.of_account(account) if job.due_at)
    for intent in store.links(account, administration).unsettled():
        yield f"the outcome of {intent.kind} {intent.subject} is not known"
    for record in store.documents(account, administration).waiting(10):
        yield f"{record.number} is in line"


def is_early(stage: Stage, facts: Facts) -> bool:
    """Whether some outcome cannot be known yet: what was sent may still arrive."""
    account, administration = _whose(facts)
    until = stage.clock.now() - FUNCTION_TIMEOUT - SETTLE
    return any(intent.sent_at > until for intent in stage.outside.links(account, administration).unsettled())


def outcome(stage: Stage, facts: Facts) -> str:
    """What the reading jobs leave behind, as text that can be compared."""
    store, (account, administration) = stage.outside, _whose(facts)
    snapshots = store.snapshots(account)
    books = json.loads((snapshots.get(f"books:{administration}") or {"json": "{}"})["json"])
    proposals = snapshots.rows(f"relations:{administration}")
    return json.dumps([books.get("books"), list(proposals)], sort_keys=True)


class _Law:
    def __init__(self, stage: Stage, package: Package, facts: Facts) -> None:
        self.stage = stage
        self.facts = facts
        self.store = stage.outside
        self.focus, self.fake = stage.fakes.values()
        self.package = package
        self.duplicates = self.lost = 0
        self.broken: list[str] = []
        account, administration = _whose(facts)
        self.problems = self.store.problems(account, administration).all()
        self.told = {word for problem in self.problems for word in problem.subject.split(":")}

    def books(self) -> None:
        """Each document once, to the cent; each customer once; or a problem says why not."""
        found = defaultdict(list)
        for booking in self.package.bookings(self.fake):
            found[booking.kind, booking.reference].append(booking)
        for document in (*self.facts.booked, *self.facts.held):
            here = found.pop((document.kind, document.number), [])
            self._twice(len(here) - 1, f"{document.kind} {document.number} is booked {len(here)} times")
            if not here and document.id not in self.told:
                self._lost(f"{document.kind} {document.number} is not booked, and nothing says why")
            if document in self.facts.held and document.id not in self.told:
                self._lost(f"{document.kind} {document.number} is held, and nothing says why")
            for booking in here:
                if (booking.gross, booking.vat) != (document.gross, document.vat):
                    self.broken.append(f"{document.number} is booked with {booking.gross} ({booking.vat})")
                if self.facts.files and len(booking.files) != self.facts.files and document.id not in self.told:
                    self.broken.append(f"{document.number} has the files {booking.files}")
        for kind, reference in found:
            if reference:
                self.broken.append(f"{kind} {reference} is in the books, and nobody issued it")
        customers = self.package.customers(self.fake)
        for name in self.facts.customers:
            self._twice(customers[name] - 1, f"{name} is there {customers[name]} times")
            if not customers[name]:
                self._lost(f"{name} is not among the customers")

    def payments(self) -> None:
        """What the books settled with money is registered, once."""
        held: dict[str, list[Any]] = defaultdict(list)
        for row in self.focus.sections()["payments"]():
            held[row["document"]].append(row)
        for invoice, expected in self.facts.paid.items():
            rows = held.pop(invoice, [])
            marks = Counter((row["paid_at"], row["amount"]) for row in rows)
            paid = sum((Decimal(str(row["amount"])) for row in rows), Decimal(0))
            self._twice(len(rows) - len(marks), f"a payment of {invoice} is registered twice")
            if paid > expected:
                self._twice(1, f"{paid} is registered of {invoice}, the books say {expected}")
            elif paid < expected and invoice not in self.told:
                self._lost(f"{paid} is registered of {invoice}, the books say {expected}, and nothing says why")
        for invoice in held:
            self.broken.append(f"a payment of {invoice} is registered, and nobody paid")

    def finished(self) -> None:
        for problem in self.problems:
            if problem.subject.startswith("job:"):
                self.broken.append(f"the job says {problem.cause} {dict(problem.facts)}, and all is well")
        for left in still_to_do(self.stage, self.facts):
            self._lost(left)
        if self.stage.done_after > MOST_NUDGES:
            self.broken.append(f"it took {self.stage.done_after} nudges after the last fault")

    def _twice(self, surplus: int, what: str) -> None:
        if surplus > 0:
            self.duplicates += surplus
            self.broken.append(what)

    def _lost(self, what: str) -> None:
        self.lost += 1
        self.broken.append(what)


def sent_too_soon(stage: Stage) -> Iterator[str]:
    """Nothing is sent again before its earlier sending is proved not to come any more (design.md 5.3).

    But for what the vendor takes once however often it is offered.
    """
    before: dict[str, Send] = {}
    for send in stage.sends:
        earlier = before.get(send.subject)
        if earlier and not earlier.refused and earlier.sent_at:
            wait = send.at - earlier.sent_at
            if wait < FUNCTION_TIMEOUT + SETTLE and not stage.may_offer_again(send.subject):
                yield f"{send.subject} was sent again after {wait}"
        if send.sent_at is None:
            yield f"{send.subject} was sent without an intent"
        elif send.at - send.sent_at > FUNCTION_TIMEOUT:
            yield f"{send.subject} was sent {send.at - send.sent_at} after its intent"
        before[send.subject] = send


def chains_broken(store: Any, facts: Facts) -> Iterator[str]:
    account, administration = _whose(facts)
    for chain in ("account", administration):
        previous = START
        for number, entry in enumerate(store.audit(account).entries(chain, limit=10_000), 1):
            said = {name: entry[name] for name in ("sequence", "at", "what", "facts")}
            canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            digest = hashlib.sha256((previous + canonical).encode()).hexdigest()
            if (entry["sequence"], entry["previous"], entry["hash"]) != (number, previous, digest):
                yield f"the audit of {chain} is broken at {number}"
                return
            previous = entry["hash"]


def _whose(facts: Facts) -> tuple[AccountId, AdministrationId]:
    return AccountId(facts.account), AdministrationId(facts.administration)
