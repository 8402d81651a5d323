"""The numbers of a dossier's journals, which the caller chooses and all accounts share (octopus.md 5.4)."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from ...domain.documents import AccountId
from ...domain.errors import SyncError
from ...ports import NumberLine, Numbers, RealClock
from . import limits, wire
from .client import Client

OFFER = timedelta(seconds=120)  # how long a number stays ours without an outcome: the longest a worker lives
IN_USE = timedelta(minutes=12)  # somebody has the journal open in the program (octopus.md 10)


class Lines:
    """The lines one worker holds; each is given back with the number that comes next."""

    def __init__(self, client: Client, numbers: Numbers, account: AccountId, real: RealClock, dossier: str) -> None:
        self._client = client
        self._numbers = numbers
        self._account = account
        self._real = real
        self._dossier = dossier
        self._held: dict[str, NumberLine] = {}

    def name(self, bookyear: int, journal: str) -> str:
        return f"{limits.VENDOR}.{self._dossier}.{bookyear}.{journal}"

    def hold(self, line: str) -> bool:
        """Whether it is ours now, until its outcome is clear; False while another account's offer is open."""
        now = self._real.now()
        held = self._numbers.hold(line, self._account, now, now + OFFER)
        if held is not None:
            self._held[line] = held
        return held is not None

    def next(self, line: str) -> int | None:
        """The next number of a line that is held; None: nobody knows."""
        return self._held[line].next

    def read(self, bookyear: int, journal: str) -> int | None:
        """Ask Octopus for a journal's next number; None where there is no such journal."""
        path = f"/bookyears/{bookyear}/journals/{journal[:1]}/{journal[1:]}"
        data = self._client.get(path, limits.ONE_JOURNAL).data
        return None if data is None else wire.row_of(data, wire.OneJournal).commonJournalServiceData.nextDocumentNumber

    def release(self, line: str, next: int | None) -> None:
        if held := self._held.pop(line, None):
            self._numbers.release(held, next)

    def conclude(self, line: str, next: int | None) -> None:
        """Give a line back once a call was made, whose outcome no trouble with our own record may hide.

        A record that cannot be written now ends with its hold; a number that is out of date by then is refused. An old
        offer, whose line nobody holds any more, does not turn the numbers back.
        """
        with suppress(SyncError):
            if line in self._held or self.hold(line):
                held = self._held.pop(line)
                self._numbers.release(held, next and max(next, held.next or 0))
