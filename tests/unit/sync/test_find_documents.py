"""What a look at the journals tells: what changed there, and what somebody deleted (rules.md 1, 4, 9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from boekbrug.domain.connections import JobKind
from boekbrug.domain.documents import DocumentHeader, DocumentId, DocumentKind
from boekbrug.domain.errors import MatchUndone, PaymentDiffers
from boekbrug.domain.ledger import Abilities, BookingRef
from boekbrug.ports import DocumentState, JobKey, WriteKind, WriteState
from boekbrug.records import as_json
from boekbrug.store.memory.table import OnIo
from boekbrug.sync.desk import Desk
from boekbrug.sync.files import Files
from boekbrug.sync.find_documents import learn_journals
from tests.support.builders import ACCOUNT, ADMINISTRATION, ENTITY, NOW, eur, some_books
from tests.unit.sync.scene import once
from tests.unit.sync.told import Scene, a_booking

KEY = JobKey(ACCOUNT, ADMINISTRATION, JobKind.DOCUMENTS)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def a_desk(scene: Scene) -> Desk:
    """Where a slice of the export begins."""
    scene.jobs.make_due(KEY, scene.clock.now())
    scene.clock.advance(3600)  # whoever had the lease is gone
    job = scene.jobs.claim(KEY, scene.real.now(), scene.real.now() + timedelta(seconds=150))
    assert job is not None
    deadline = scene.deadline()
    return Desk(
        house=scene,
        job=job,
        deadline=deadline,
        focus=scene.till,
        ledger=scene.books,
        links=scene.pairs,
        documents=scene.line,
        books=some_books(),
        rates={},
        connections={scene.connection().id: scene.connection()},
        decisions={},
        files=Files(scene, KEY, deadline, scene.till, None, scene.pairs, timedelta(0)),
    )


def look(scene: Scene) -> Desk:
    desk = a_desk(scene)
    assert learn_journals(desk)
    return desk


def state_of(scene: Scene, document: str = "doc") -> tuple[str, str, str]:
    intent = scene.pairs.intent(WriteKind.BOOKING, document)
    return scene.record(document).state, scene.record(document).cause, intent.state


HELD = (DocumentState.HELD, "BookingDeleted", WriteState.GONE)
BOOKED = (DocumentState.BOOKED, "", WriteState.DONE)


def test_no_page_is_nothing_new(scene: Scene) -> None:
    scene.booked()
    look(scene)
    assert (state_of(scene), scene.told(), scene.jobs.get(KEY).cursor) == (BOOKED, {}, {})


def test_a_booking_of_ours_that_somebody_deleted_waits_for_a_persons_word(scene: Scene) -> None:
    booking = scene.booked()
    scene.read.remember([booking])
    del scene.books.stand[booking.ref]
    scene.tells(gone=[booking.ref])
    look(scene)
    assert state_of(scene) == HELD
    assert scene.told() == {"document:doc": {"cause": "BookingDeleted", "booking": "V1 doc"}}
    assert scene.read.by_reference([booking.reference]) == {}
    assert scene.said(ACCOUNT, ADMINISTRATION) == ["gone"]
    assert scene.pairs.subject_of(WriteKind.BOOKING, booking.ref) is None


def test_with_it_goes_what_was_said_of_payments_that_were_never_its_own(scene: Scene) -> None:
    """They settled what another booked under its number; what of its own was undone stays told (rules.md 23)."""
    booking = scene.booked()
    del scene.books.stand[booking.ref]
    differs, undone = PaymentDiffers(books="60.50 EUR", due="121.00 EUR"), MatchUndone(amount="121.00 EUR")
    problems = scene.problems(ACCOUNT, ADMINISTRATION)
    for subject, error in (("doc:part", differs), ("doc", differs), ("doc:own", undone), ("doc2:part", differs)):
        problems.report(f"payment:{subject}", scene.connection().id, error, NOW, "2026 / doc")
    scene.tells(gone=[booking.ref])
    look(scene)
    assert set(scene.told()) == {"document:doc", "payment:doc:own", "payment:doc2:part"}


def test_neither_a_change_nor_a_general_wish_sends_it_again(scene: Scene) -> None:
    booking = scene.booked()
    del scene.books.stand[booking.ref]
    scene.tells(gone=[booking.ref])
    look(scene).go_on_with_what_was_stopped()
    edited = NOW + timedelta(days=1)
    header = DocumentHeader(
        DocumentId("doc"), DocumentKind.INVOICE, ENTITY, "2026 / doc", date(2026, 3, 3), booking.gross, edited
    )
    scene.line.seen(scene.connection().id, [header])
    assert (scene.line.waiting(10), scene.record().day) == ([], date(2026, 3, 3))


def test_somebody_elses_deleted_booking_is_only_forgotten(scene: Scene) -> None:
    other = a_booking("4.V1.7")
    scene.read.remember([other])
    scene.tells(gone=[other.ref])
    look(scene)
    assert scene.read.by_reference([other.reference]) == {}
    assert (scene.told(), scene.said(ACCOUNT, ADMINISTRATION), scene.books.asked["booking"]) == ({}, [], 0)


def test_a_booking_that_stands_under_a_freed_number_is_not_gone(scene: Scene) -> None:
    """Another one had that number and was deleted: the list still tells of it."""
    booking = scene.booked()
    scene.read.remember([booking])
    scene.tells(gone=[booking.ref])
    look(scene)
    assert (state_of(scene), scene.told()) == (BOOKED, {})
    assert scene.read.by_reference([booking.reference]) == {booking.reference: [booking]}
    scene.tells(booking, gone=[booking.ref])
    look(scene)
    assert (state_of(scene), scene.books.asked["booking"]) == (BOOKED, 1)
    assert scene.read.by_reference([booking.reference]) == {booking.reference: [booking]}


def test_a_page_seen_again_changes_nothing_about_what_is_booked_there_since(scene: Scene) -> None:
    first = scene.booked("first")
    del scene.books.stand[first.ref]
    scene.tells(gone=[first.ref])
    look(scene)
    second = scene.booked("second", ref=first.ref)
    scene.tells(gone=[first.ref])
    look(scene)
    assert (state_of(scene, "first"), state_of(scene, "second")) == (HELD, BOOKED)
    assert scene.pairs.subject_of(WriteKind.BOOKING, second.ref) == "second"


def test_a_booking_that_another_typed_under_the_freed_number_stays_known(scene: Scene) -> None:
    """Both are news of one look: what is forgotten here is booked a second time."""
    booking = scene.booked()
    del scene.books.stand[booking.ref]
    typed = replace(booking, reference="2026 / 8")
    scene.tells(typed, gone=[booking.ref])
    look(scene)
    assert scene.read.by_reference(["2026 / 8"]) == {"2026 / 8": [typed]}


@pytest.mark.parametrize(
    "changes",
    [{"key": "BBZZZZZZZZZZ"}, {"key": "", "reference": "2026 / 8", "other_references": (), "gross": eur("99.00")}],
    ids=["of another document of ours", "of another number"],
)
@pytest.mark.parametrize("told", [True, False])
def test_another_booking_under_the_number_of_ours_says_that_ours_was_deleted(
    scene: Scene, changes: dict, told: bool
) -> None:
    """rules.md 4. A package may say nothing of the deletion, once the number was given again."""
    booking = scene.booked()
    typed = replace(booking, **changes)
    scene.books.stand[booking.ref] = typed
    scene.tells(typed, gone=[booking.ref] if told else [])
    look(scene)
    assert state_of(scene) == HELD
    assert scene.read.by_reference([typed.reference]) == {typed.reference: [typed]}
    assert scene.pairs.subject_of(WriteKind.BOOKING, booking.ref) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "", "reference": "2026 / 8", "other_references": ()},  # somebody changed what it says, and nothing else
        {"key": "", "other_references": (), "gross": eur("99.00")},  # its number is still there
        {"gross": eur("99.00")},
    ],
    ids=["its words", "its amount", "its amount, with our key"],
)
def test_a_booking_of_ours_that_somebody_changed_is_still_ours(scene: Scene, changes: dict) -> None:
    booking = scene.booked()
    changed = replace(booking, **changes)
    scene.books.stand[booking.ref] = changed
    scene.tells(changed, gone=[booking.ref])
    look(scene)
    assert scene.pairs.intent(WriteKind.BOOKING, "doc").state is WriteState.DONE


def test_a_booking_of_ours_that_is_told_deleted_and_stands_is_not_asked_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent again under its old number: the same look shows it, and single bookings are asked for ten times a day."""
    booking = scene.booked()
    scene.tells(booking, gone=[booking.ref])
    monkeypatch.setattr(scene.books, "booking", lambda ref: pytest.fail("asked for"))
    look(scene)
    assert state_of(scene) == BOOKED


# --- a worker that was slow, and another one that went on meanwhile ---


def test_whoever_is_the_second_to_find_it_gone_goes_on(scene: Scene) -> None:
    first, second = scene.booked("first"), scene.booked("second")
    scene.read.remember([first, second])
    scene.books.stand.clear()
    scene.tells(gone=[first.ref, second.ref])
    other = once("links.gone", "before", lambda: scene.pairs.gone(scene.pairs.intent(WriteKind.BOOKING, "first")))
    watched(scene, other, lambda: look(scene))
    assert (state_of(scene, "first"), state_of(scene, "second")) == (HELD, HELD)
    assert scene.read.by_reference([first.reference, second.reference]) == {}


def test_what_a_person_sent_again_meanwhile_is_not_held_for_its_deletion(scene: Scene) -> None:
    booking = scene.booked()
    del scene.books.stand[booking.ref]

    def others() -> None:
        gone = scene.pairs.gone(scene.pairs.intent(WriteKind.BOOKING, "doc"))
        scene.pairs.again(gone, "payload", "hash", scene.real.now())

    scene.tells(gone=[booking.ref])
    watched(scene, once("links.intents", "before", others), lambda: look(scene))
    assert state_of(scene) == (DocumentState.BOOKED, "", WriteState.SENDING)
    assert scene.told() == {}


def test_what_was_found_under_another_number_meanwhile_is_not_looked_for(scene: Scene) -> None:
    """It was seen standing a moment ago; the package answers only so many of these questions a day."""
    booking = scene.booked()
    found = replace(booking, ref=BookingRef("4.V1.8"))
    scene.books.stand = {found.ref: found}

    def others() -> None:
        scene.pairs.gone(scene.pairs.intent(WriteKind.BOOKING, "doc"))
        scene.pairs.adopt(WriteKind.BOOKING, "doc", as_json(found), scene.real.now())

    scene.tells(gone=[booking.ref])
    watched(scene, once("links.intents", "before", others), lambda: look(scene))
    assert (state_of(scene), scene.told(), scene.books.asked["booking"]) == (BOOKED, {}, 0)


def test_what_was_sent_again_meanwhile_is_not_compared_with_what_stood_before(scene: Scene) -> None:
    booking = scene.booked()

    def others() -> None:
        gone = scene.pairs.gone(scene.pairs.intent(WriteKind.BOOKING, "doc"))
        scene.pairs.again(gone, "payload", "hash", scene.real.now())

    scene.tells(replace(booking, gross=eur("9.99")))
    watched(scene, once("links.intents", "before", others), lambda: look(scene))
    assert scene.told() == {}


# --- a worker that dies ---


class Died(Exception):
    """The worker is gone."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "step", ["documents.held", "problems.report", "audit.append", "links.gone", "seen.forget", "jobs.save_cursor"]
)
def test_whoever_dies_on_the_way_the_next_one_ends_it(scene: Scene, step: str, after: bool) -> None:
    booking = scene.booked()
    scene.read.remember([booking])
    del scene.books.stand[booking.ref]
    scene.tells(gone=[booking.ref])
    page = scene.books.pages[0]
    desk = a_desk(scene)
    with pytest.raises(Died):
        dies_at(scene, step, "after" if after else "before", lambda: learn_journals(desk))
    scene.books.pages = [page] if page.cursor not in scene.jobs.get(KEY).cursor.values() else []
    look(scene)
    assert state_of(scene) == HELD
    assert "document:doc" in scene.told()
    assert "gone" in scene.said(ACCOUNT, ADMINISTRATION)
    assert scene.read.by_reference([booking.reference]) == {}


def dies_at(scene: Scene, step: str, phase: str, deed: Callable[[], object]) -> None:
    """Work until that step of the store, before or after it was taken."""

    def die() -> None:
        raise Died

    watched(scene, once(step, phase, die), deed)


def watched(scene: Scene, on_io: OnIo, deed: Callable[[], object]) -> None:
    """Work while somebody looks at every step of the store."""
    worker = scene._worker
    worker._on_io, before = on_io, worker._on_io
    try:
        deed()
    finally:
        worker._on_io = before


# --- what the package's own answer did not tell -----------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{"gross": eur("120.99")}, {"kind": DocumentKind.CREDIT_NOTE}, {"journal": "V9"}])
def test_a_booking_of_ours_that_reads_otherwise_is_told_and_stops_its_kind_once(scene: Scene, changes: dict) -> None:
    booking = scene.booked()
    reads = replace(booking, **changes)
    scene.tells(reads)
    desk = look(scene)
    assert not desk.is_on(scene.record())
    problem = scene.told()["booking:doc"]
    assert (problem["cause"], problem["booked"]) == (
        "BookedDifferently",
        f"{reads.gross}, {reads.kind}, {reads.journal}, V1 doc",
    )
    assert state_of(scene) == BOOKED
    desk.go_on_with_what_was_stopped()
    scene.tells(reads)
    assert look(scene).is_on(scene.record())
    assert list(scene.told()) == ["booking:doc"]
    assert scene.said(ACCOUNT, ADMINISTRATION) == ["differs"]
    scene.tells(booking)
    look(scene)
    assert scene.told() == {}


def test_what_reads_as_it_was_sent_is_no_news(scene: Scene) -> None:
    booking = scene.booked()
    scene.tells(replace(booking, number="V1 2026/42", day=date(2026, 3, 3)), a_booking("4.V1.8", "9.99"))
    desk = look(scene)
    assert (desk.is_on(scene.record()), scene.told()) == (True, {})


def test_a_package_that_answers_what_it_booked_was_compared_then(scene: Scene) -> None:
    scene.books.abilities = Abilities()
    booking = scene.booked()
    scene.tells(replace(booking, gross=eur("9.99")))
    look(scene)
    assert scene.told() == {}


def test_a_difference_ends_with_its_booking(scene: Scene) -> None:
    booking = scene.booked()
    scene.tells(replace(booking, gross=eur("9.99")))
    look(scene)
    del scene.books.stand[booking.ref]
    scene.tells(gone=[booking.ref])
    look(scene)
    assert list(scene.told()) == ["document:doc"]


def test_what_is_not_known_to_be_booked_is_not_compared(scene: Scene) -> None:
    """Sent, without an answer: the write protocol settles it."""
    scene.pairs.plan(WriteKind.BOOKING, "doc", "payload", "hash", NOW)
    scene.tells(a_booking(), gone=["4.V1.43"])
    look(scene)
    assert (scene.told(), len(scene.pairs.unsettled())) == ({}, 1)
