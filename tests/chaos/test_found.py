"""What the matrix found, each as the smallest run that shows it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import partial

import pytest

from boekbrug.domain.connections import JobKind
from boekbrug.domain.documents import DocumentHeader, DocumentId, DocumentKind
from boekbrug.domain.errors import LeaseLost, PeriodClosed
from boekbrug.domain.ledger import Page
from boekbrug.messages import RunJob
from boekbrug.ports import Deadline, Documents, DocumentState, Job, JobKey, WriteKind
from boekbrug.sync.desk import Desk
from boekbrug.sync.files import Files
from boekbrug.sync.find_documents import find_documents
from boekbrug.sync.slices import LEASE_MARGIN, WORK, Slice, run_job
from boekbrug.sync.write_once import FUNCTION_TIMEOUT
from boekbrug.vendors.memory import MemoryAdministration, MemoryLedger
from tests.support.builders import ACCOUNT, ADMINISTRATION, ENTITY, RATES, a_connection, eur, some_books
from tests.support.house import MemoryHouse

from .matrix import played
from .packages import PACKAGES
from .stage import SETTLE
from .story import Story
from .strikes import Boundary, How, Strike, Trouble

ATTACH = "POST exact /api/v1/3001234/documents/DocumentAttachments"


@pytest.mark.parametrize("how", [How.AFTER, How.UNSENT])
def test_documents_that_were_let_go_are_exported_though_the_worker_was_lost_then(how: How) -> None:
    """They stood in line, and the export was not due: the retry let nothing go, so it woke nobody."""
    name = "documents.release.move" if how is How.AFTER else "jobs.make_due"
    stage, verdict = played("accounts", Strike(Boundary(1, name, 1), how))
    assert stage.struck
    assert verdict.holds, verdict.broken


def test_a_page_instead_of_an_answer_is_no_registration() -> None:
    """A maintenance page with status 200 was taken for Teamleader's yes: the payment was never there."""
    calm, _ = played("payments")
    nth = 1 + calm.requests.index("POST teamleader /invoices.registerPayment")
    stage, verdict = played("payments", troubles=(Trouble(nth, "html_page"),))
    assert stage.struck
    assert verdict.holds, verdict.broken


def test_a_file_in_doubt_is_settled_also_when_it_cannot_be_fetched_any_more() -> None:
    """It was given up, and what was sent of it stayed unknown for ever."""
    unsent = Strike(Boundary(1, ATTACH, 1), How.UNSENT)
    before, _ = played("files", unsent)
    second_life = [at for at, name in enumerate(before.requests) if name == "POST teamleader /invoices.list"][1]
    nth = 1 + before.requests.index("GET teamleader /downloads/…", second_life)
    stage, verdict = played("files", unsent, troubles=(Trouble(nth, "rate_limit"),))
    assert len(stage.struck) == 2
    assert verdict.holds, verdict.broken


@pytest.mark.parametrize("how", [How.UNSENT, How.LOST])
def test_what_was_sent_is_settled_also_when_the_books_closed_meanwhile(how: How) -> None:
    """The next slice knew that the period is closed, held the document and never asked what became of its booking."""
    write = Boundary(1, "POST exact /api/v1/3001234/salesentry/SalesEntries", 1)
    stage, verdict = played("documents", Strike(write, how))
    assert stage.struck
    assert verdict.holds, verdict.broken


# --- what outlives a lease, on a house in memory ---

KEY = JobKey(ACCOUNT, ADMINISTRATION, JobKind.DOCUMENTS)
LEASE = FUNCTION_TIMEOUT + LEASE_MARGIN
SENT, NOT_SENT = DocumentId("sent"), DocumentId("not-sent")


def test_a_worker_that_lost_its_lease_leaves_the_job_due() -> None:
    """The other one may have looked before its last steps were done: the job ended, and was due no more."""
    house = MemoryHouse()
    house.jobs.make_due(KEY, house.clock.now())

    def deed(*_: object) -> Slice:
        other = _lease_of_another(house)
        house.jobs.release(other, due_at=None, result={}, ran_at=house.clock.now())
        return Slice({"booked": 1})

    nudge = RunJob(account=KEY.account, administration=KEY.administration, kind=KEY.kind)
    hard = house.real.now() + FUNCTION_TIMEOUT
    assert run_job(house, nudge, deed, hard=hard, timeout=FUNCTION_TIMEOUT) is None
    assert house.jobs.get(KEY).due_at == house.clock.now()
    assert house.nudged() == [KEY]


def test_a_worker_that_lost_its_lease_puts_nothing_back_in_line() -> None:
    """It had nothing to save in the cursor, so nobody told it, and it let go what the other one had just held."""
    house = MemoryHouse()
    house.jobs.make_due(KEY, house.clock.now(), manual=True)
    late = _lease(house)
    _lease_of_another(house)
    documents = _hold(house, NOT_SENT)
    with pytest.raises(LeaseLost):
        find_documents(_desk(house, late))
    assert documents.record(NOT_SENT).state is DocumentState.HELD


def test_a_document_whose_outcome_nobody_knows_is_looked_at_again() -> None:
    """A worker that lost its lease held it while another one waited to learn what became of its booking."""
    house = MemoryHouse()
    house.jobs.make_due(KEY, house.clock.now())
    documents = _hold(house, SENT, NOT_SENT)
    house.links(ACCOUNT, ADMINISTRATION).plan(WriteKind.BOOKING, SENT, "{}", "", house.real.now())
    find_documents(_desk(house, _lease(house)))
    assert [record.id for record in documents.waiting(10)] == [SENT]
    assert documents.record(NOT_SENT).state is DocumentState.HELD


def _lease(house: MemoryHouse) -> Job:
    job = house.jobs.claim(KEY, house.real.now(), house.real.now() + LEASE)
    assert job is not None
    return job


def _lease_of_another(house: MemoryHouse) -> Job:
    house.clock.advance(LEASE.total_seconds())
    return _lease(house)


def _hold(house: MemoryHouse, *documents: DocumentId) -> Documents:
    room, (connection, gross) = house.documents(ACCOUNT, ADMINISTRATION), (a_connection(), eur("121.00"))
    for id in documents:
        header = DocumentHeader(id, DocumentKind.INVOICE, ENTITY, id, connection.start, gross, house.clock.now())
        room.seen(connection.id, [header])
        room.held(room.record(id), PeriodClosed.__name__)
    return room


def _desk(house: MemoryHouse, job: Job) -> Desk:
    """Where nothing is new, neither in Teamleader nor in the books."""
    connection, focus, ledger = a_connection(), _QuietFocus(), MemoryLedger(MemoryAdministration())
    deadline = Deadline(stop=house.real.now() + WORK, hard=house.real.now() + FUNCTION_TIMEOUT)
    links = house.links(ACCOUNT, ADMINISTRATION)
    return Desk(
        house=house,
        job=job,
        deadline=deadline,
        focus=focus,
        ledger=ledger,
        links=links,
        documents=house.documents(ACCOUNT, ADMINISTRATION),
        books=some_books(),
        rates=RATES,
        connections={connection.id: connection},
        decisions={},
        files=Files(house, KEY, deadline, focus, None, links, SETTLE),
    )


class _QuietFocus:
    def documents(self, *_: object) -> Iterator[Page[DocumentHeader]]:
        return iter(())


# --- found by stories -------------------------------------------------------------------------------------------------


@pytest.fixture(params=PACKAGES)
def story(request: pytest.FixtureRequest) -> Iterator[Story]:
    with Story(request.param, "found") as begun:
        yield begun


def causes(story: Story) -> list[str]:
    company = story.company
    return [problem.cause for problem in story.stage.outside.problems(company.account, company.administration).all()]


@pytest.mark.parametrize("fault", ["commit_then_drop", "drop_before"])
def test_a_registration_in_doubt_is_settled_also_when_its_match_was_undone(story: Story, fault: str) -> None:
    """Nothing was to be registered any more, so nobody asked what had become of it."""
    company = story.company
    invoice = company.invoices("100.00")
    story.looks("documents")
    company.pays(invoice)
    company.stage.teamleader.post("faults", match={"path": "invoices.registerPayment"}, do=fault)
    story.looks("payments", meanwhile=lambda: company.unmatches(invoice))
    story.time_passes(1_000)
    story.looks("payments")
    assert not story.links.unsettled()
    assert causes(story) == (["MatchUndone"] if company.payments(invoice) else [])


def test_a_match_undone_and_a_smaller_one_made_before_we_looked_is_told(story: Story) -> None:
    """The settlement was still there and registered, so all seemed well: Teamleader held more than the books."""
    company = story.company
    invoice = company.invoices("100.00")
    story.looks("documents")
    company.pays(invoice)
    story.looks("payments")
    company.unmatches(invoice)
    company.pays(invoice, "60.50", day="2026-03-25")
    story.looks("payments")
    assert company.payments(invoice) == [invoice.gross]
    assert causes(story) == ["MatchUndone"]


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
def test_an_edit_while_nobody_knew_what_became_of_the_booking_is_shown(story: Story, closed: bool) -> None:
    """Teamleader's list told of it while the invoice was not booked yet, and never again."""
    company = story.company
    invoice = company.invoices("100.00")
    company.fault("booking", "commit_then_drop")

    def meanwhile() -> None:
        company.edits(invoice, "90.00")
        if closed:
            company.closes(3)

    story.looks("documents", meanwhile=meanwhile)
    assert [booking.gross for booking in story.package.bookings(story.books)] == [invoice.gross]
    assert causes(story) == ["ChangedAfterBooking"]


def test_what_a_person_booked_while_ours_was_in_doubt_gets_no_second_beside_it(story: Story) -> None:
    """It was only looked for before the first sending; ours was proved absent and sent again."""
    company = story.company
    invoice = company.invoices("100.00")
    story.looks("relations")
    company.fault("booking", "drop_before")
    (relation,) = company.relations()
    by_hand = partial(company.books_by_hand, invoice, Decimal("99.99"), relation=relation)
    story.looks("documents", meanwhile=by_hand)
    assert [booking.gross for booking in story.package.bookings(story.books)] == [Decimal("99.99")]
    assert causes(story) == ["BookedByOthers"]
    assert not story.links.unsettled()
