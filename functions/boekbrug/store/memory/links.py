"""Remembered pairs, in memory (design.md 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ...domain.documents import AccountId
from ...domain.ledger import AdministrationId
from ...ports import Intent, IntentMoved, RefTaken, WriteKind, WriteState
from ...records import as_json
from .table import Worker, copied

OPEN = (WriteState.SENDING, WriteState.UNKNOWN)
"""Sent and not settled. A worker may bring its answer after another one called it UNKNOWN."""

LINKED = (WriteKind.BOOKING, WriteKind.RELATION)
"""Whose vendor ids lead back to us; payments have none, and nobody asks whose a folder or a file is."""


@dataclass(slots=True)
class KeptLinks:
    intents: dict[tuple[WriteKind, str], Intent] = field(default_factory=dict)
    unsettled: set[tuple[WriteKind, str]] = field(default_factory=set)
    subjects: dict[tuple[WriteKind, str], str] = field(default_factory=dict)  # by ref


class MemoryLinks:
    """Links of one administration of one account."""

    def __init__(self, worker: Worker, account: AccountId, administration: AdministrationId) -> None:
        self._worker = worker
        self.kept = worker.table.part(KeptLinks, "links", account, administration)

    def intent(self, kind: WriteKind, subject: str) -> Intent | None:
        with self._worker.step("links.intent"):
            intent = self.kept.intents.get((kind, subject))
            return _lent(intent) if intent else None

    def intents(self, kind: WriteKind, subjects: Sequence[str]) -> Mapping[str, Intent]:
        with self._worker.step("links.intents"):
            found = (self.kept.intents.get((kind, subject)) for subject in dict.fromkeys(subjects))
            return {intent.subject: _lent(intent) for intent in found if intent}

    def unsettled(self) -> Sequence[Intent]:
        with self._worker.step("links.unsettled"):
            found = [_lent(self.kept.intents[key]) for key in self.kept.unsettled]
        return sorted(found, key=lambda intent: (intent.sent_at, intent.kind, intent.subject))

    def plan(self, kind: WriteKind, subject: str, payload: str, payload_hash: str, sent_at: datetime) -> Intent:
        with self._worker.step("links.plan"):
            if (kind, subject) in self.kept.intents:
                raise IntentMoved
            return self._keep(Intent(kind, subject, WriteState.SENDING, 1, sent_at, payload, payload_hash))

    def again(self, intent: Intent, payload: str, payload_hash: str, sent_at: datetime) -> Intent:
        if intent.state is WriteState.DONE:
            raise ValueError(f"{intent.kind} of {intent.subject} is done: it is never sent again")
        attempt = intent.attempt + 1
        following = Intent(intent.kind, intent.subject, WriteState.SENDING, attempt, sent_at, payload, payload_hash)
        with self._worker.step("links.again"):
            self._at_same_step(intent)
            return self._keep(following)

    def missed(self, intent: Intent, at: datetime) -> Intent:
        return self._changed("links.missed", intent, missed_at=at)

    def unknown(self, intent: Intent) -> Intent:
        return self._changed("links.unknown", intent, state=WriteState.UNKNOWN)

    def refuse(self, intent: Intent, cause: str) -> Intent:
        with self._worker.step("links.refuse"):
            self._keep(replace(self._open(intent), state=WriteState.REFUSED, cause=cause))
        return replace(intent, state=WriteState.REFUSED, cause=cause)

    def done(self, intent: Intent, result: Mapping[str, Any], *, adopted: bool = False) -> Intent:
        done = replace(intent, state=WriteState.DONE, result=result, adopted=adopted, cause="")
        ref = _ref(done)
        with self._worker.step("links.done"):
            self._open(intent)
            self._take(ref, done)
            self._keep(done)
        return done

    def adopt(self, kind: WriteKind, subject: str, result: Mapping[str, Any], at: datetime) -> Intent:
        found = Intent(kind, subject, WriteState.DONE, 0, at, "", "", result=result, adopted=True)
        ref = _ref(found)
        with self._worker.step("links.adopt"):
            now = self.kept.intents.get((kind, subject))
            if now and now.state not in (WriteState.REFUSED, WriteState.GONE):
                raise IntentMoved
            self._take(ref, found)
            self._keep(found)
        return found

    def gone(self, intent: Intent) -> Intent:
        if intent.state is not WriteState.DONE:
            raise IntentMoved
        with self._worker.step("links.gone"):
            stood, ref = self._at_same_step(intent), (intent.result or {})["ref"]
            if _ref(stood) != ref:  # another was adopted since
                raise IntentMoved
            self.kept.subjects.pop((intent.kind, ref))
            return self._keep(replace(stood, state=WriteState.GONE))

    def subject_of(self, kind: WriteKind, ref: str) -> str | None:
        with self._worker.step("links.subject_of"):
            return self.kept.subjects.get((kind, ref))

    def subjects_of(self, kind: WriteKind, refs: Sequence[str]) -> Mapping[str, str]:
        with self._worker.step("links.subjects_of"):
            found = {ref: self.kept.subjects.get((kind, ref)) for ref in refs}
            return {ref: subject for ref, subject in found.items() if subject is not None}

    def _changed(self, name: str, intent: Intent, **changes: Any) -> Intent:
        """A step that settles nothing: the record is the store's with this one change."""
        if intent.state not in OPEN:
            raise IntentMoved
        with self._worker.step(name):
            return self._keep(replace(self._at_same_step(intent), **changes))

    def _at_same_step(self, intent: Intent) -> Intent:
        """The record, if it stands exactly where the worker believes. Raises IntentMoved."""
        now = self.kept.intents.get((intent.kind, intent.subject))
        if now is None or (now.state, now.attempt) != (intent.state, intent.attempt):
            raise IntentMoved
        return now

    def _open(self, intent: Intent) -> Intent:
        """The record, if the worker's attempt is the current one and not settled. Raises IntentMoved."""
        now = self.kept.intents.get((intent.kind, intent.subject))
        if now is None or now.attempt != intent.attempt or now.state not in OPEN:
            raise IntentMoved
        return now

    def _take(self, ref: str | None, intent: Intent) -> None:
        """The way back from the booking or relation. Raises RefTaken."""
        if ref is not None and self.kept.subjects.setdefault((intent.kind, ref), intent.subject) != intent.subject:
            raise RefTaken

    def _keep(self, intent: Intent) -> Intent:
        key = (intent.kind, intent.subject)
        result = intent.result if intent.result is None else as_json(dict(intent.result))
        self.kept.intents[key] = replace(intent, result=result)
        if intent.state in OPEN:
            self.kept.unsettled.add(key)
        else:
            self.kept.unsettled.discard(key)
        return intent


def _ref(intent: Intent) -> str | None:
    """The package's name for what was written; None where nobody asks whose it is."""
    return (intent.result or {})["ref"] if intent.kind in LINKED else None


def _lent(intent: Intent) -> Intent:
    return replace(intent, result=copied(intent.result)) if intent.result else intent
