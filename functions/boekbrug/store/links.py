"""Remembered pairs: what was sent, what became of it, and whose booking or relation it is (design.md 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from ..domain.documents import AccountId
from ..domain.ledger import AdministrationId
from ..ports import Intent, IntentMoved, RefTaken, WriteKind, WriteState
from ..records import as_json, from_json
from .keys import Key, Table
from .table import ConditionFailed, Item, Items, Write, delete, put, update

_SAME_STEP = "#record.#state = :was AND #record.#attempt = :attempt"
_LINKED = (WriteKind.BOOKING, WriteKind.RELATION)
"""Whose vendor ids lead back to us; payments have none, and nobody asks whose a folder or a file is."""
_OPEN = "#record.#state IN (:sending, :unknown) AND #record.#attempt = :attempt"
"""Sent in this attempt and not settled. A worker may bring its answer after another one called it UNKNOWN."""


class DynamoLinks:
    """Links of one administration of one account.

    An intent in SENDING or UNKNOWN has a marker beside it, written and removed in the same transaction, so that
    `unsettled` reads those few and not the history.
    """

    def __init__(self, items: Items, account: AccountId, administration: AdministrationId) -> None:
        self._items = items
        self._table = Table(account)
        self._administration = administration

    def intent(self, kind: WriteKind, subject: str) -> Intent | None:
        item = self._items.get(self._at(kind, subject))
        return _intent(item) if item else None

    def intents(self, kind: WriteKind, subjects: Sequence[str]) -> Mapping[str, Intent]:
        found = [_intent(item) for item in self._items.get_all(self._at(kind, subject) for subject in subjects)]
        return {intent.subject: intent for intent in found}

    def unsettled(self) -> Sequence[Intent]:
        markers = self._items.query(self._table.all_unsettled(self._administration))
        keys = [self._at(WriteKind(marker["kind"]), marker["subject"]) for marker in markers]
        found = [_intent(item) for item in self._items.get_all(keys)]
        still_open = [intent for intent in found if intent.state in (WriteState.SENDING, WriteState.UNKNOWN)]
        return sorted(still_open, key=lambda intent: (intent.sent_at, intent.kind, intent.subject))

    def plan(self, kind: WriteKind, subject: str, payload: str, payload_hash: str, sent_at: datetime) -> Intent:
        intent = Intent(kind, subject, WriteState.SENDING, 1, sent_at, payload, payload_hash)
        self._step(self._kept(intent, when="attribute_not_exists(pk)"), self._marker(intent))
        return intent

    def again(self, intent: Intent, payload: str, payload_hash: str, sent_at: datetime) -> Intent:
        if intent.state is WriteState.DONE:
            raise ValueError(f"{intent.kind} of {intent.subject} is done: it is never sent again")
        following = Intent(
            intent.kind, intent.subject, WriteState.SENDING, intent.attempt + 1, sent_at, payload, payload_hash
        )
        same = self._kept(following, when=_SAME_STEP, was=intent.state, attempt=intent.attempt)
        self._step(same, self._marker(intent))
        return following

    def missed(self, intent: Intent, at: datetime) -> Intent:
        missed = replace(intent, missed_at=at)
        return self._changed(intent, "SET #record.#missed_at = :at", at=as_json(missed)["missed_at"])

    def unknown(self, intent: Intent) -> Intent:
        return self._changed(intent, "SET #record.#state = :unknown", unknown=WriteState.UNKNOWN)

    def refuse(self, intent: Intent, cause: str) -> Intent:
        refused = self._settled(
            intent, "SET #record.#state = :state, #record.#cause = :cause", WriteState.REFUSED, cause
        )
        self._step(refused, delete(self._unsettled(intent)))
        return replace(intent, state=WriteState.REFUSED, cause=cause)

    def done(self, intent: Intent, result: Mapping[str, Any], *, adopted: bool = False) -> Intent:
        done = replace(intent, state=WriteState.DONE, result=result, adopted=adopted, cause="")
        settled = self._kept(done, when=_OPEN, **_open(intent))
        self._step(settled, delete(self._unsettled(intent)), *self._reverse(done))
        return done

    def adopt(self, kind: WriteKind, subject: str, result: Mapping[str, Any], at: datetime) -> Intent:
        found = Intent(kind, subject, WriteState.DONE, 0, at, "", "", result=result, adopted=True)
        free = "attribute_not_exists(pk) OR #record.#state IN (:refused, :gone)"
        states = {"refused": WriteState.REFUSED, "gone": WriteState.GONE}
        self._step(self._kept(found, when=free, **states), *self._reverse(found))
        return found

    def gone(self, intent: Intent) -> Intent:
        if intent.state is not WriteState.DONE:
            raise IntentMoved
        gone, ref = replace(intent, state=WriteState.GONE), (intent.result or {})["ref"]
        same = f"{_SAME_STEP} AND #record.#result.#ref = :ref"  # another may have been adopted since
        stood = self._kept(gone, when=same, was=intent.state, attempt=intent.attempt, ref=ref)
        self._step(stood, delete(self._table.ref(self._administration, intent.kind, ref)))
        return gone

    def subject_of(self, kind: WriteKind, ref: str) -> str | None:
        item = self._items.get(self._table.ref(self._administration, kind, ref))
        return item["subject"] if item else None

    def subjects_of(self, kind: WriteKind, refs: Sequence[str]) -> Mapping[str, str]:
        by_key = {self._table.ref(self._administration, kind, ref): ref for ref in refs}
        return {by_key[Key(item["pk"], item["sk"])]: item["subject"] for item in self._items.get_all(by_key)}

    def _at(self, kind: WriteKind, subject: str) -> Key:
        return self._table.intent(self._administration, kind, subject)

    def _unsettled(self, intent: Intent) -> Key:
        return self._table.unsettled(self._administration, intent.kind, intent.subject)

    def _marker(self, intent: Intent) -> Write:
        return put(self._unsettled(intent), {"kind": intent.kind, "subject": intent.subject})

    def _kept(self, intent: Intent, *, when: str, **values: Any) -> Write:
        return put(self._at(intent.kind, intent.subject), {"record": as_json(intent)}, when=when, **values)

    def _settled(self, intent: Intent, change: str, state: WriteState, cause: str) -> Write:
        key = self._at(intent.kind, intent.subject)
        return update(key, change, when=_OPEN, state=state, cause=cause, **_open(intent))

    def _reverse(self, intent: Intent) -> list[Write]:
        """The way back from the booking or relation."""
        if intent.kind not in _LINKED:
            return []
        key = self._table.ref(self._administration, intent.kind, (intent.result or {})["ref"])
        free = "attribute_not_exists(pk) OR #subject = :subject"
        return [put(key, {"subject": intent.subject}, when=free, subject=intent.subject)]

    def _changed(self, intent: Intent, change: str, **values: Any) -> Intent:
        """A step that settles nothing: the marker stays, the record is the store's with this one change."""
        if intent.state not in (WriteState.SENDING, WriteState.UNKNOWN):
            raise IntentMoved
        key = self._at(intent.kind, intent.subject)
        write = update(key, change, when=_SAME_STEP, was=intent.state, attempt=intent.attempt, **values)
        try:
            return _intent(self._items.write(write, returns="ALL_NEW"))
        except ConditionFailed:
            raise IntentMoved from None

    def _step(self, intent: Write, *others: Write) -> None:
        """The intent's own write first: where it fails, somebody else took the step; else the ref is another's."""
        try:
            self._items.write_all([intent, *others])
        except ConditionFailed as error:
            if 0 in error.failed:
                raise IntentMoved from None
            raise RefTaken from None


def _open(intent: Intent) -> dict[str, Any]:
    return {"sending": WriteState.SENDING, "unknown": WriteState.UNKNOWN, "attempt": intent.attempt}


def _intent(item: Item) -> Intent:
    return from_json(Intent, item["record"])
