"""What must be true at the end of a story, when the faults are over and everybody has looked again.

The laws of the matrix (laws.py) know what a run must come to. Here people edited, deleted and booked by hand meanwhile,
so that two outcomes may be right; what never is: anything twice, anything lost in silence, work without end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from boekbrug.domain.documents import DocumentId
from boekbrug.sync.write_once import FUNCTION_TIMEOUT

from .cases import Facts
from .laws import chains_broken, sent_too_soon, still_to_do
from .stage import SETTLE

if TYPE_CHECKING:
    from .story import Paper, Story


class StoryLaws:
    def __init__(self, story: Story) -> None:
        self.story = story
        company, self.store = story.company, story.stage.outside
        self.facts = Facts(company.account, company.administration)
        self.documents = self.store.documents(company.account, company.administration)
        self.problems = self.store.problems(company.account, company.administration).all()
        self.told = defaultdict(set)  # causes by document
        for problem in self.problems:
            for word in problem.subject.split(":")[1:]:
                self.told[word].add(problem.cause)
        self.payments = defaultdict(list)
        for row in story.teamleader.sections()["payments"]():
            self.payments[row["document"]].append(row)
        self.shown = {row["id"]: row for row in story.teamleader.sections()["documents"]()}

    def broken(self) -> Iterator[str]:
        for paper in self.story.papers:
            yield from self._once(paper)
            yield from self._not_beside_a_persons(paper)
            if paper.is_invoice and not paper.gone:
                yield from self._paid(paper)
        yield from self._customers()
        yield from self._finished()
        yield from sent_too_soon(self.story.stage)
        yield from chains_broken(self.store, self.facts)

    def _once(self, paper: Paper) -> Iterator[str]:
        """At most one booking of ours ever; exactly one where nothing stands in the way; to the cent."""
        ours = self.story.ours(paper)
        if len(ours) + paper.removed > 1:
            yield f"{paper} is booked {len(ours)} times, and a person deleted {paper.removed}"
        told = self.told[paper.document.id]
        for booking in ours:
            booked = booking.gross, booking.vat
            if booked not in paper.figures:
                yield f"{paper} is booked with {booked}, and was {paper.figures}"
            elif booked[0] != paper.figures[-1][0] and not told and not paper.gone:
                yield f"{paper} is booked with {booked}, is {paper.figures[-1]} now, and nothing says so"
        if ours or paper.removed or paper.removed_early or paper.gone:
            return
        if not self._is_adopted(paper) and not told:
            yield f"{paper} is not booked, and nothing says why"
        if not self._is_hindered(paper):
            yield f"{paper} is not booked, and nothing stands in the way; told is {sorted(told)}"

    def _not_beside_a_persons(self, paper: Paper) -> Iterator[str]:
        """What a person booked is seen before we book, but for what he typed after the last look of a worker."""
        unseen = timedelta(seconds=self.story.company.books.between_looks_s) + FUNCTION_TIMEOUT + SETTLE
        for send in self.story.stage.sends:
            late = [at for at in paper.by_hand.values() if send.at - at > unseen]
            if late and paper.key in send.subject:
                yield f"{paper} was sent at {send.at:%H:%M:%S}, and a person had booked it at {late[0]:%H:%M:%S}"

    def _is_adopted(self, paper: Paper) -> bool:
        record = self.documents.record(DocumentId(paper.document.id))
        return record is not None and record.state == "booked" and bool(paper.by_hand)

    def _is_hindered(self, paper: Paper) -> bool:
        """Whether a person did something that keeps it out of the books."""
        closed = (paper.month, self.story.company.books.journals[paper.document.kind]) in self.story.closed
        shared = sum(one.reference == paper.reference for one in self.story.papers) > 1
        return closed or shared or bool(paper.by_hand)

    def _paid(self, paper: Paper) -> Iterator[str]:
        """Once, no more than came in; both sides agree or a problem says why not."""
        rows = self.payments[paper.document.id]
        ours = [row for row in rows if row["by"] != "person"]
        if len({(row["paid_at"], row["amount"]) for row in ours}) < len(ours):
            yield f"a payment of {paper} is registered twice"
        by_us, paid = (sum((Decimal(str(row["amount"])) for row in some), Decimal(0)) for some in (ours, rows))
        if by_us > paper.most_money:
            yield f"{by_us} was registered of {paper}, and {paper.most_money} came in"
        if self.told[paper.document.id] or self._is_unseen(paper):
            return
        due = Decimal(str(self.shown[paper.document.id]["total"]["due"]["amount"]))
        if paid < paper.money and due > 0:
            yield f"{paid} is registered of {paper}, {due} is due, the books say {paper.money}, and nothing says why"
        if by_us > paper.money:
            yield f"{by_us} is registered of {paper}, the books say {paper.money} now, and nothing says so"

    def _is_unseen(self, paper: Paper) -> bool:
        """The bridge does not look for a booking that vanished or for one beside its own, nor for what Teamleader asks
        again because a credit note was deleted: money there, and nowhere else, is seen by people only."""
        return bool(
            paper.removed or paper.removed_early or paper.owed_again or (paper.by_hand and self.story.ours(paper))
        )

    def _customers(self) -> Iterator[str]:
        for name, times in self.story.package.customers(self.story.books).items():
            if times > 1:
                yield f"{name} is there {times} times"

    def _finished(self) -> Iterator[str]:
        for problem in self.problems:
            if problem.subject.startswith("job:"):
                yield f"the job says {problem.cause} {dict(problem.facts)}, and all is well"
        for job in self.store.jobs.of_account(self.story.company.account):
            if job.paused:
                yield f"{job.key.kind} is paused: {job.paused}"
        for left in still_to_do(self.story.stage, self.facts):
            if not (self.story.automatic and left.endswith("is due")):
                yield left
