"""Money that only Teamleader has, in a various journal of a dossier, matched to its invoice (rules.md 25)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime

from ...domain.errors import JournalInUse, JournalMissing, NumberTaken, RateLimited, SyncError
from ...domain.ledger import (
    Done,
    Entered,
    LedgerAccount,
    Match,
    Outcome,
    PreparedReceipt,
    Receipt,
    Refused,
    Unknown,
)
from ...ports import Clock
from ..http import to_json
from . import limits, mapping, refusals, wire
from .client import LONG, Client, No
from .lines import IN_USE, OFFER, Lines
from .times import EVERYTHING, belgian


class OctopusReceipts:
    """Of one dossier. `chart`: its accounts, which are asked once for all who need them."""

    def __init__(
        self,
        client: Client,
        lines: Lines,
        clock: Clock,
        chart: Callable[[], Sequence[wire.Account]],
        switches: mapping.Switches,
    ) -> None:
        self._client = client
        self._lines = lines
        self._clock = clock
        self._chart = chart
        self._switches = switches

    def accounts(self) -> Sequence[LedgerAccount]:
        return mapping.accounts_of(self._chart(), *mapping.CLEARING)

    def day(self, moment: datetime) -> date:
        return belgian(moment).date()

    def prepare(self, receipt: Receipt) -> PreparedReceipt | SyncError:
        if not re.fullmatch(r"D\d+", receipt.journal):
            return JournalMissing(journal=receipt.journal)
        try:
            bookyear, _ = mapping.bookyear_and_period(receipt.period)
            mapping.receipt_payload(receipt, 0, self._switches)  # whatever cannot be said costs no number
        except SyncError as error:
            return error
        number = self._next_number(bookyear, receipt.journal)
        if isinstance(number, SyncError):
            return number
        payload = to_json(mapping.receipt_payload(receipt, number, self._switches))
        return PreparedReceipt(
            receipt=receipt,
            payload=payload,
            hash=hashlib.sha256(payload.encode()).hexdigest(),
            number=mapping.for_people(receipt.journal, number),
            ref=mapping.booking_ref(bookyear, receipt.journal, number),
        )

    def _next_number(self, bookyear: int, journal: str) -> int | SyncError:
        """The journal's next number, held for us until its outcome is clear."""
        line = self._lines.name(bookyear, journal)
        if not self._lines.hold(line):
            return JournalInUse(journal=journal, until=self._clock.now() + OFFER)
        if (next := self._lines.next(line)) is not None:
            return next
        number = None
        try:
            number = self._lines.read(bookyear, journal)
        finally:
            if number is None:
                self._lines.release(line, None)
        return JournalMissing(journal=journal) if number is None else number

    def enter(self, prepared: PreparedReceipt) -> Outcome[Entered]:
        """Send one; its number is free again, or the next one's turn, once the outcome is clear."""
        bookyear, journal, number = mapping.named(prepared.ref)
        line = self._lines.name(bookyear, journal)
        try:
            answer = self._client.write("POST", "/financialdiversbookings", limits.ENTER, prepared.payload)
        except SyncError:
            self._lines.release(line, number)
            raise
        if isinstance(answer, Unknown):
            return answer
        if not isinstance(answer, No):
            self._lines.conclude(line, number + 1)
            return Done(Entered(prepared.ref, prepared.number))
        cause = answer.cause or refusals.of_a_receipt(answer.refusal, prepared.receipt, self._in_use_until())
        if prepared.again:
            return self._refused_again(prepared, answer, cause, line, number)
        self._lines.conclude(line, None if isinstance(cause, NumberTaken) else number)
        return Refused(cause)

    def _refused_again(
        self, prepared: PreparedReceipt, no: No, cause: SyncError, line: str, number: int
    ) -> Outcome[Entered]:
        """What a refusal says about the earlier offer of the same number, as for a sales entry."""
        code = no.refusal.code
        if no.cause is not None or code in refusals.BEFORE_NUMBER:
            return Unknown(why=str(cause))
        if code in refusals.AFTER_NUMBER:
            self._lines.conclude(line, number)
            return Refused(cause)
        try:
            stands = self.stands(prepared)
        except SyncError as error:
            return Unknown(why=str(error))
        if stands:
            self._lines.conclude(line, number + 1)
            return Done(Entered(prepared.ref, prepared.number))
        if code == refusals.NUMBER_NOT_NEXT:
            self._lines.conclude(line, None)
        return Refused(cause)

    def stands(self, prepared: PreparedReceipt) -> bool:
        """Asked for itself ten times a day, in its journal's list after that."""
        bookyear, journal, number = mapping.named(prepared.ref)
        query: dict[str, str | int] = {"bookyearId": bookyear, "journalKey": journal}
        path = "/financialdiversbookings"
        try:
            data = self._client.get(path, limits.RECEIPT, {**query, "documentSeqNr": number}).data
            rows = [] if data is None else [wire.row_of(data, wire.MoneyBooking)]
        except RateLimited:
            everything = {**query, "modifiedTimeStamp": EVERYTHING}
            data = self._client.get(f"{path}/modified", limits.RECEIPTS_CHANGED, everything, timeout=LONG).data
            rows = wire.rows_of(data, wire.MoneyBooking)
        return any(row.documentSequenceNr == number and mapping.is_our_receipt(row, prepared.receipt) for row in rows)

    def match(self, match: Match, *, again: bool = False) -> Outcome[Match]:
        """A receipt is matched in whole, so that a second offer is refused; the list of matches tells the rest."""
        answer = self._client.write("POST", "/balancings", limits.MATCH, to_json(mapping.match_payload(match)))
        if isinstance(answer, Unknown):
            return answer
        if not isinstance(answer, No):
            return Done(match)
        _, journal, _ = mapping.named(match.receipt)
        cause = answer.cause or refusals.of_a_match(answer.refusal, journal, self._in_use_until())
        if answer.cause is not None or isinstance(cause, JournalInUse):
            return Unknown(why=str(cause)) if again else Refused(cause)
        try:
            stands = self._is_matched(match)
        except SyncError as error:
            return Unknown(why=str(error)) if again else Refused(cause)
        return Done(match) if stands else Refused(cause)

    def _is_matched(self, match: Match) -> bool:
        everything = {"modifiedTimeStamp": EVERYTHING}
        answer = self._client.get("/balancings/modified", limits.BALANCINGS_CHANGED, everything, timeout=LONG)
        pairs = wire.row_of(answer.data or {}, wire.ChangedBalancings).modifiedBalancings or ()
        return any(mapping.is_match(pair, match) for pair in pairs)

    def _in_use_until(self) -> datetime:
        return self._clock.now() + IN_USE
