"""Where we choose the numbers, documents go one by one, in order; one in doubt holds its journal (rules.md 4, 7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from boekbrug.domain.documents import FileFormat
from boekbrug.domain.errors import AccessDenied, BookingDeleted, NotPossible, PeriodClosed, RateLimited
from boekbrug.domain.ledger import DailyBudget
from boekbrug.ports import DocumentState, WriteKind, WriteState
from boekbrug.records import as_json
from boekbrug.sync.slices import WORK
from boekbrug.sync.write_once import FUNCTION_TIMEOUT
from boekbrug.vendors.memory import MemoryLedger, NumberedLedger
from boekbrug.vendors.memory.ledger import MOST_BYTES
from tests.support.builders import ACCOUNT, NOW, a_document, a_line, eur

from .scene import KEY, Scene, a_credit_note, invoices, once, too_large

BOOKED, HELD, WAITING = DocumentState.BOOKED, DocumentState.HELD, DocumentState.WAITING
DAY = timedelta(days=1)


def test_documents_get_their_journals_next_numbers_in_order():
    scene = Scene([*invoices("2", "10", "1"), a_credit_note()])
    scene.settles()
    assert scene.references("V1") == ["1", "2", "10"]
    assert scene.booked() == ["2026.V1.1", "2026.V1.2", "2026.V1.3", "2026.V2.1"]
    record = scene.house.documents(*KEY_OF).record("invoice-10")
    assert (record.state, record.booking_number) == (BOOKED, "V1 3")
    assert scene.problems() == {}


def test_a_second_run_offers_nothing_and_takes_no_number():
    scene = Scene(invoices("1", "2"))
    scene.settles()
    scene.calls.clear()
    scene.is_asked_again()
    scene.settles()
    assert not {"ledger.prepare", "ledger.book", "numbers.hold"} & set(scene.calls)


def test_an_empty_answer_proves_nothing_so_nothing_is_compared_with_it():
    """What we call booked is what we sent; the next look at the journals compares (`Abilities.reads_back`)."""

    class Untrue(NumberedLedger):
        def _as_sent(self, one):
            return replace(super()._as_sent(one), gross=eur("0.01"))

    scene = Scene(invoices("1", "2"))
    scene.open_ledger = lambda house, account: Untrue(scene.books, house.numbers, house.clock, house.real, account)
    scene.settles()
    assert scene.state("1") == (BOOKED, "")
    assert "ledger.booking" not in scene.calls


def test_who_died_after_the_booking_was_remembered_takes_no_number_again():
    scene = Scene(invoices("1"))
    with pytest.raises(Died):
        scene.works(once("documents.booked", "before", die))
    scene.calls.clear()
    scene.settles()
    assert scene.state("1") == (BOOKED, "")
    assert not {"ledger.prepare", "ledger.book", "numbers.hold"} & set(scene.calls)
    assert scene.said("invoice-1").count("booked") == 1


# --- a number that somebody took ---


def test_somebody_books_there_meanwhile_and_the_next_number_goes():
    other = a_document(number="hand 1")
    scene = Scene(invoices("1", "2"))
    done = scene.works(once("ledger.book", "before", lambda: scene.types(other)))
    assert scene.references() == ["hand 1", "1", "2"]
    assert done.due_at is None
    assert scene.state("1") == (BOOKED, "")
    assert scene.problems() == {}


def test_somebody_books_this_very_document_meanwhile_and_it_is_adopted():
    document, second = invoices("1", "2")
    scene = Scene([document, second])
    scene.settles(once("ledger.book", "before", lambda: scene.types(document)))
    assert scene.references() == ["1", "2"]
    assert scene.state("1") == (BOOKED, "")
    assert scene.links.intent(WriteKind.BOOKING, document.id).adopted


def test_somebody_books_its_number_with_other_figures_and_a_person_decides():
    scene = Scene(invoices("1", "2"))
    other = a_document(a_line("99.00"), number="1")
    scene.settles(once("ledger.book", "before", lambda: scene.types(other)))
    assert scene.references() == ["1", "2"]
    assert scene.state("1") == (HELD, "BookedByOthers")
    assert scene.links.intent(WriteKind.BOOKING, "invoice-1").state is WriteState.REFUSED


def test_a_number_taken_again_and_again_stops_its_journal_and_is_told():
    scene = Scene([*invoices("1", "2"), a_credit_note()])
    busy = iter(range(3))

    def types_first(name: str, phase: str) -> None:
        if (name, phase) == ("ledger.book", "before") and (n := next(busy, None)) is not None:
            scene.types(a_document(number=f"hand {n}"))

    done = scene.works(types_first)
    assert scene.references("V1") == ["hand 0", "hand 1", "hand 2"]
    assert scene.references("V2") == ["C1"]
    assert scene.problems() == {"document:invoice-1": "NumberTaken"}
    assert (scene.state("1"), scene.state("2")) == ((WAITING, ""), (WAITING, ""))
    assert done.due_at == scene.clock.now() + FUNCTION_TIMEOUT
    scene.settles()
    assert scene.references("V1") == ["hand 0", "hand 1", "hand 2", "1", "2"]
    assert scene.problems() == {}


def test_a_number_taken_when_the_time_is_over_is_offered_anew_by_the_next_slice():
    """What is begun too late may be cut off halfway: then nobody knows whether it stands."""

    class Seldom(NumberedLedger):
        """Asked a moment ago, it tells nothing new."""

        def bookings(self, journals, start, since):
            return iter(()) if since and not self._asked else super().bookings(journals, start, since)

    scene = Scene(invoices("1", "2"))
    scene.open_ledger = lambda house, account: Seldom(scene.books, house.numbers, house.clock, house.real, account)

    def refused_late() -> None:
        scene.types(a_document(number="hand 1"))
        scene.clock.advance(WORK.total_seconds())

    done = scene.works(once("ledger.book", "before", refused_late))
    assert scene.calls.count("ledger.book") == 1
    assert (scene.state("1"), scene.problems()) == ((WAITING, ""), {})
    assert done.due_at == scene.clock.now()
    scene.settles()
    assert scene.references() == ["hand 1", "1", "2"]


def test_a_number_taken_is_not_offered_anew_where_the_look_shows_that_invoices_go_in_wrong():
    scene = Scene(invoices("1", "2"))

    def spoiled() -> None:
        scene.spoils("2026.V1.1", eur("0.01"))
        scene.types(a_document(number="hand 1"))

    scene.works(once("ledger.book", "before", spoiled, skip=1))
    assert scene.references() == ["1", "hand 1"]
    assert scene.calls.count("ledger.book") == 2
    assert scene.state("2") == (WAITING, "")
    assert scene.problems() == {"booking:invoice-1": "BookedDifferently"}


def test_every_offer_and_what_became_of_it_is_written_down():
    scene = Scene(invoices("1"))
    hand = iter(range(2))

    def types_first(name: str, phase: str) -> None:
        if (name, phase) == ("ledger.book", "before") and (n := next(hand, None)) is not None:
            scene.types(a_document(number=f"hand {n}"))

    scene.settles(types_first)
    assert scene.said("invoice-1") == ["intent", "refused", "intent", "refused", "intent", "booked"]


# --- a journal somebody works in ---


def test_a_journal_that_is_open_at_a_desk_waits_and_the_other_goes_on():
    scene = Scene([*invoices("1", "2"), a_credit_note()])
    scene.books.in_use.add("V1")
    done = scene.works()
    assert scene.references("V2") == ["C1"]
    assert scene.references("V1") == []
    assert (scene.state("1"), scene.state("2"), scene.problems()) == ((WAITING, ""), (WAITING, ""), {})
    assert scene.calls.count("ledger.book") == 2  # one for each journal
    assert done.due_at == scene.clock.now() + timedelta(minutes=12)
    scene.books.in_use.clear()
    scene.settles()
    assert scene.references("V1") == ["1", "2"]
    assert scene.booked("1") == ["2026.V1.1"]


def test_a_journal_where_another_account_has_an_offer_open_waits_as_long():
    scene = Scene([*invoices("1", "2"), a_credit_note()])
    line = f"memory.{scene.books.id}.2026.V1"
    scene.house.numbers.hold(line, "another", NOW, NOW + FUNCTION_TIMEOUT)
    done = scene.works()
    assert scene.references("V1") == []
    assert scene.references("V2") == ["C1"]
    assert scene.links.intent(WriteKind.BOOKING, "invoice-1") is None
    assert done.due_at == scene.clock.now() + FUNCTION_TIMEOUT
    scene.settles()
    assert scene.references("V1") == ["1", "2"]


def test_the_journal_that_is_free_first_does_not_wait_for_the_other():
    scene = Scene([*invoices("1"), a_credit_note()])
    scene.books.in_use.add("V1")
    done = scene.works(once("ledger.book", "before", lambda: setattr(scene.books, "lost_requests", 1), skip=1))
    assert done.due_at == scene.clock.now() + FUNCTION_TIMEOUT
    scene.clock.advance(FUNCTION_TIMEOUT.total_seconds())
    scene.works()
    assert (scene.references("V1"), scene.references("V2")) == ([], ["C1"])


# --- a number in doubt ---


@pytest.mark.parametrize("lost", ["lost_answers", "lost_requests"])
def test_a_number_in_doubt_stops_its_journal_and_the_next_slice_settles_it(lost):
    scene = Scene([*invoices("1", "2"), a_credit_note()])
    lose = once("ledger.book", "before", lambda: setattr(scene.books, lost, 1))
    done = scene.works(lose)
    assert len(scene.references("V1")) == (lost == "lost_answers")
    assert scene.references("V2") == ["C1"]
    assert done.due_at == scene.clock.now() + FUNCTION_TIMEOUT
    assert done.result["unknown"] == 1
    scene.calls.clear()
    scene.settles()
    assert scene.calls.count("ledger.prepare") == 1  # for the second: the first keeps its number
    assert scene.references("V1") == ["1", "2"]
    assert scene.links.unsettled() == []
    assert "ledger.find_bookings" not in scene.calls


def test_a_number_in_doubt_that_somebody_took_is_given_up_after_the_wait():
    scene = Scene(invoices("1", "2"))
    scene.works(once("ledger.book", "before", lambda: setattr(scene.books, "lost_requests", 1)))
    scene.types(a_document(number="hand 1"))
    begun = scene.clock.now()
    scene.works()
    assert scene.references() == ["hand 1"]
    scene.settles()
    assert scene.references() == ["hand 1", "1", "2"]
    assert scene.clock.now() - begun <= 2 * FUNCTION_TIMEOUT


def test_a_document_in_doubt_that_was_deleted_is_looked_for_and_holds_its_journal():
    scene = Scene(invoices("1", "2"))
    scene.works(once("ledger.book", "before", lambda: setattr(scene.books, "lost_requests", 1)))
    del scene.focus.kept["invoice-1"]
    scene.clock.advance(FUNCTION_TIMEOUT.total_seconds())
    scene.works()
    assert scene.references() == []  # its number may still come to be taken
    assert scene.calls.count("ledger.book") == 1
    scene.settles()
    assert scene.references() == ["2"]
    assert scene.state("1") == (HELD, "DocumentGone")


def test_what_was_sent_is_offered_again_whatever_the_document_says_now():
    scene = Scene(invoices("1"))
    scene.works(once("ledger.book", "before", lambda: setattr(scene.books, "lost_answers", 1)))
    payload = scene.links.intent(WriteKind.BOOKING, "invoice-1").payload
    scene.focus.kept["invoice-1"] = a_document(number="1 bis", identity="invoice-1")
    scene.settles()
    assert scene.booked() == ["2026.V1.1"]
    assert scene.links.intent(WriteKind.BOOKING, "invoice-1").payload == payload


def test_a_document_in_doubt_that_stands_there_otherwise_is_looked_at_again_soon():
    """Ours may still arrive beside what somebody typed: until that is known, nobody is told that it waits for him."""
    scene = Scene(invoices("1", "2"))
    scene.works(once("ledger.book", "before", lambda: setattr(scene.books, "lost_requests", 1)))
    scene.types(a_document(a_line("99.00"), number="1"))
    scene.clock.advance(FUNCTION_TIMEOUT.total_seconds())
    done = scene.works()
    assert done.due_at == scene.clock.now() + FUNCTION_TIMEOUT
    assert (scene.state("1"), scene.problems()) == ((WAITING, ""), {})
    scene.settles()
    assert scene.references() == ["1", "2"]
    assert scene.state("1") == (HELD, "BookedByOthers")


@pytest.mark.parametrize(("lost", "arrived"), [("lost_answers", 1), ("lost_requests", 0)])
def test_a_customer_in_doubt_whose_documents_are_gone_is_looked_for_and_not_sent_again(lost, arrived):
    scene = Scene(invoices("1"))
    scene.works(once("ledger.save_relations", "before", lambda: setattr(scene.books, lost, 1)))
    scene.focus.kept.clear()
    scene.settles()
    assert len(scene.books.relations) == arrived
    assert scene.calls.count("ledger.save_relations") == 1
    assert scene.links.unsettled() == []
    known = scene.links.intent(WriteKind.RELATION, "company:customer-1")
    assert known.state is (WriteState.DONE if arrived else WriteState.REFUSED)


# --- a number that came free ---


def test_a_freed_number_goes_to_another_document_once_its_booking_is_proved_gone():
    scene = Scene(invoices("1"))
    scene.settles()
    scene.books.delete("2026.V1.1")
    scene.focus.kept |= {document.id: document for document in invoices("2")}
    scene.is_asked_again()
    gone = []
    scene.open_ledger = lambda house, account: Untold(scene.books, house.numbers, house.clock, house.real, account)
    scene.settles(once("ledger.booking", "after", lambda: gone.append(scene.references())))
    assert gone == [[]]  # looked at before the number was used
    assert scene.booked() == ["2026.V1.1"]
    assert scene.links.intent(WriteKind.BOOKING, "invoice-1").state is WriteState.GONE
    assert scene.links.subject_of(WriteKind.BOOKING, "2026.V1.1") == "invoice-2"
    assert scene.problems() == {"document:invoice-1": BookingDeleted.__name__}


def test_a_number_whose_booking_still_stands_is_not_used():
    """A line that a slow worker left behind names what another of our documents has."""
    scene = Scene(invoices("1"))
    scene.settles()
    stale = scene.house.numbers.hold(f"memory.{scene.books.id}.2026.V1", ACCOUNT, NOW, NOW + DAY)
    scene.house.numbers.release(stale, 1)
    scene.focus.kept |= {document.id: document for document in invoices("2")}
    scene.is_asked_again()
    scene.settles()
    assert scene.references() == ["1", "2"]
    assert scene.links.intent(WriteKind.BOOKING, "invoice-1").state is WriteState.DONE
    assert scene.problems() == {}


def deleted_once(scene: Scene) -> None:
    """Its document was booked, deleted in the books, and put back in line by a person."""
    entry = scene.plans(a_document(number="1"))
    booking = scene.books.add_booking(entry)
    scene.books.delete(booking.ref)
    scene.links.gone(scene.links.adopt(WriteKind.BOOKING, "invoice-1", as_json(booking), NOW))


def test_what_a_person_puts_back_after_its_deletion_is_booked_anew():
    scene = Scene(invoices("1"))
    deleted_once(scene)
    scene.settles()
    assert scene.booked("1") == ["2026.V1.1"]
    assert scene.state("1") == (BOOKED, "")


def test_what_was_edited_after_its_deletion_is_booked_as_it_is_now():
    """What was sent the first time is no more to be sent, though its number came free."""
    scene = Scene(invoices("1"))
    scene.settles()
    scene.books.delete("2026.V1.1")
    scene.is_asked_again()
    scene.settles()
    assert scene.state("1") == (HELD, "BookingDeleted")
    edited = a_document(a_line("99.00"), number="1")
    scene.focus.kept[edited.id] = edited
    scene.house.documents(*KEY_OF).release(documents=[edited.id])
    scene.is_asked_again()
    scene.settles()
    [(booking, _)] = scene.books.bookings.values()
    assert (booking.ref, booking.gross) == ("2026.V1.1", edited.gross)
    assert scene.state("1") == (BOOKED, "")


def test_what_was_deleted_and_typed_by_hand_is_adopted():
    scene = Scene(invoices("1"))
    deleted_once(scene)
    typed = scene.types(a_document(number="1"))
    scene.settles()
    assert scene.booked("1") == [typed.ref]
    assert scene.links.intent(WriteKind.BOOKING, "invoice-1").adopted
    assert "ledger.book" not in scene.calls


# --- files ---

PDF_AND_UBL = (FileFormat.PDF, FileFormat.UBL)


def test_the_documents_files_go_along_in_the_call_that_books():
    scene = Scene(invoices("2026/1"), attach=PDF_AND_UBL)
    scene.settles()
    (ref,) = scene.booked()
    assert scene.books.files_of(ref) == ["2026-1.pdf", "2026-1.xml"]
    assert [file.content for file in scene.books.files[ref]] == [b"invoice-2026/1 pdf", b"invoice-2026/1 ubl"]
    assert '"files":[]' in scene.links.intent(WriteKind.BOOKING, "invoice-2026/1").payload  # no intent holds them
    assert scene.calls.count("links.plan") == 2  # the relation and the booking: no folder, no file
    assert scene.problems() == {}


def test_they_go_along_when_it_is_offered_again():
    scene = Scene(invoices("1"), attach=PDF_AND_UBL)
    scene.works(once("ledger.book", "before", lambda: setattr(scene.books, "lost_requests", 1)))
    scene.settles()
    (ref,) = scene.booked()
    assert scene.books.files_of(ref) == ["1.pdf", "1.xml"]


def test_they_go_along_under_the_number_after_one_that_was_taken():
    scene = Scene(invoices("1"), attach=PDF_AND_UBL)
    scene.settles(once("ledger.book", "before", lambda: scene.types(a_document(number="hand 1"))))
    (ref,) = scene.booked("1")
    assert scene.books.files_of(ref) == ["1.pdf", "1.xml"]


def test_what_cannot_be_fetched_is_told_and_the_booking_goes_without():
    scene = Scene(invoices("1"), attach=PDF_AND_UBL)
    scene.focus.files[FileFormat.PDF] = too_large()
    scene.settles()
    (ref,) = scene.booked()
    assert scene.books.files_of(ref) == ["1.xml"]
    assert scene.state("1") == (BOOKED, "")
    assert scene.problems() == {"file:invoice-1": "FileNotAttached"}


def test_a_file_that_an_offer_in_doubt_lacked_stays_told():
    """The offer that stands may be the one without it."""
    scene = Scene(invoices("1"), attach=PDF_AND_UBL)
    scene.focus.files[FileFormat.UBL] = too_large()
    scene.works(once("ledger.book", "before", lambda: setattr(scene.books, "lost_answers", 1)))
    del scene.focus.files[FileFormat.UBL]
    scene.settles()
    (ref,) = scene.booked()
    assert scene.books.files_of(ref) == ["1.pdf"]
    assert scene.problems() == {"file:invoice-1": "FileNotAttached"}


def test_a_file_that_was_missing_stays_told_though_a_worker_died_over_its_booking():
    scene = Scene(invoices("1"), attach=PDF_AND_UBL)
    scene.focus.files[FileFormat.UBL] = too_large()
    with pytest.raises(Died):
        scene.works(once("documents.booked", "before", die))
    del scene.focus.files[FileFormat.UBL]
    scene.settles()
    (ref,) = scene.booked()
    assert scene.books.files_of(ref) == ["1.pdf"]
    assert scene.problems() == {"file:invoice-1": "FileNotAttached"}


def test_what_the_package_does_not_take_is_told_and_the_booking_goes_without():
    scene = Scene(invoices("1", "2"), attach=PDF_AND_UBL)
    scene.focus.files[FileFormat.PDF] = bytes(MOST_BYTES + 1)
    scene.settles()
    assert scene.references() == ["1", "2"]
    assert [scene.books.files_of(ref) for ref in scene.booked()] == [[], []]
    assert scene.problems() == {"file:invoice-1": "FileNotAttached", "file:invoice-2": "FileNotAttached"}


def test_what_is_refused_for_something_else_is_not_offered_without_its_files():
    scene = Scene(invoices("1"), attach=PDF_AND_UBL)
    refusal = NotPossible(vendor="memory", feature="other_base_currency")
    scene.settles(once("ledger.book", "before", lambda: scene.books.refusals.append(refusal)))
    assert scene.booked() == []
    assert scene.state("1") == (HELD, "NotPossible")
    assert scene.problems() == {"document:invoice-1": "NotPossible"}


def test_a_login_that_may_read_no_files_is_tried_once_in_a_slice():
    scene = Scene(invoices("1", "2"), attach=PDF_AND_UBL)
    asked = []

    def denied(kind, document, format):
        asked.append(format)
        raise AccessDenied(vendor="teamleader", reason="scope")

    scene.focus.file = denied
    scene.settles()
    assert asked == [FileFormat.PDF]
    assert scene.references() == ["1", "2"]
    assert scene.problems() == {"file:invoice-1": "FileNotAttached", "file:invoice-2": "FileNotAttached"}


@pytest.mark.parametrize("read", [0, 1])
def test_files_that_take_too_long_leave_the_document_in_line(read):
    scene = Scene(invoices("1"), attach=PDF_AND_UBL)
    file, asked = scene.focus.file, []

    def slow(*words):
        asked.append(words)
        if len(asked) == read + 1:
            scene.clock.advance(40)
        return file(*words)

    scene.focus.file = slow
    done = scene.works()
    assert done.due_at == scene.clock.now()
    assert len(asked) == read + 1
    assert scene.links.intent(WriteKind.BOOKING, "invoice-1") is None
    scene.settles()
    assert scene.books.files_of(*scene.booked()) == ["1.pdf", "1.xml"]


def test_a_teamleader_that_is_asked_too_often_ends_the_slice_and_nothing_is_in_doubt():
    scene = Scene(invoices("1"), attach=PDF_AND_UBL)
    scene.focus.files[FileFormat.PDF] = RateLimited(vendor="teamleader", until=scene.clock.now() + 30 * SECOND)
    assert scene.works().due_at == scene.clock.now() + 30 * SECOND
    assert scene.links.unsettled() == []
    scene.focus.files.clear()
    scene.settles()
    assert scene.booked() == ["2026.V1.1"]
    assert scene.problems() == {}


# --- budgets ---


def test_backlog_leaves_the_last_fifth_of_the_scarcest_operation_to_daily_work():
    scene = Scene([*invoices("old"), *invoices("new", day=NOW.date())])
    midnight = NOW + timedelta(hours=14)
    scene.open_ledger = lambda house, account: Scarce(scene.books, house.numbers, house.clock, house.real, account)
    Scarce.left = DailyBudget(0.2, midnight)
    del scene.focus.kept["invoice-new"]
    assert scene.works().due_at == midnight
    assert scene.references() == []
    Scarce.left = DailyBudget(1.0, midnight + DAY)
    scene.settles()
    assert scene.references() == ["old"]


def test_backlog_takes_no_more_than_four_fifths_of_the_days_bookings():
    scene = Scene(invoices(*map(str, range(30))))
    midnight = NOW + timedelta(hours=14)

    class TenADay(Scarce):
        @property
        def abilities(self):
            return replace(super().abilities, bookings_a_day=10)

        def daily_budget(self):
            return DailyBudget(1 - len(scene.references()) / 10, midnight)

    scene.open_ledger = lambda house, account: TenADay(scene.books, house.numbers, house.clock, house.real, account)
    assert scene.works().due_at == midnight
    assert len(scene.references()) == 8


def test_daily_work_goes_on_with_what_is_left():
    scene = Scene(invoices("new", day=NOW.date()))
    scene.open_ledger = lambda house, account: Scarce(scene.books, house.numbers, house.clock, house.real, account)
    Scarce.left = DailyBudget(0.01, NOW + DAY)
    scene.settles()
    assert scene.references() == ["new"]


@pytest.mark.parametrize("call", ["prepare", "book", "booking", "save_relations"])
def test_an_operation_spent_for_today_ends_the_slice_until_midnight_and_loses_nothing(call):
    scene = Scene([*invoices("1", "2"), a_credit_note()])
    midnight = NOW + timedelta(hours=14)
    spent = RateLimited(vendor="memory", until=midnight)

    def refuse() -> None:
        raise spent

    if call == "booking":  # asked only to prove that a freed number is free
        scene.settles()
        scene.books.delete("2026.V1.2")
        scene.focus.kept |= {document.id: document for document in invoices("3")}
        scene.is_asked_again()
        scene.open_ledger = lambda house, account: Untold(scene.books, house.numbers, house.clock, house.real, account)
    done = scene.works(once(f"ledger.{call}", "before", refuse))
    assert done.due_at == midnight
    assert scene.links.unsettled() == []
    scene.settles()
    assert scene.clock.now() >= midnight
    assert scene.references("V1") == (["1", "3"] if call == "booking" else ["1", "2"])
    assert scene.references("V2") == ["C1"]
    assert len(scene.books.relations) == 1


# --- a package that numbers itself, and refuses before it is asked ---


def test_an_entry_that_cannot_be_prepared_is_held_and_the_others_are_booked():
    class Choosy(MemoryLedger):
        def prepare(self, entries):
            plain = super().prepare(entries)
            return [PeriodClosed(period="1") if one.entry.number == "2" else one for one in plain]

    scene = Scene(invoices("1", "2", "3"))
    scene.open_ledger = lambda house, account: Choosy(scene.books)
    scene.settles()
    assert scene.references() == ["1", "3"]
    assert scene.state("2") == (HELD, "PeriodClosed")
    assert scene.links.intent(WriteKind.BOOKING, "invoice-2") is None


@pytest.mark.parametrize("call", ["save_relations", "book"])
def test_a_package_that_numbers_itself_is_not_offered_again_what_is_in_doubt(call):
    """It would take it a second time."""
    scene = Scene(invoices("1"))
    scene.open_ledger = lambda house, account: MemoryLedger(scene.books)
    scene.settles(once(f"ledger.{call}", "before", lambda: setattr(scene.books, "lost_answers", 1)))
    assert (len(scene.books.relations), scene.references()) == (1, ["1"])
    assert scene.calls.count(f"ledger.{call}") == 1
    assert scene.state("1") == (BOOKED, "")


def test_what_is_booked_anew_after_its_deletion_goes_with_its_files():
    """It was found in the books then, and ours had none there."""
    scene = Scene(invoices("1"), attach=PDF_AND_UBL)
    scene.open_ledger = lambda house, account: MemoryLedger(scene.books)
    deleted_once(scene)
    scene.settles()
    (ref,) = scene.booked("1")
    _, files = scene.books.folders[scene.books.entries[ref].folder]
    assert [file.name for file in files] == ["1.pdf", "1.xml"]


class Untold(NumberedLedger):
    """The journals' news of what was deleted is not here yet; a deleted last number is."""

    def bookings(self, journals, start, since):
        return (replace(page, gone=()) for page in super().bookings(journals, start, since))

    def prepare(self, entries):
        (entry,) = entries
        held = self._hold(entry)
        if held:
            self._numbers.release(held, None)
        return super().prepare(entries)


class Scarce(NumberedLedger):
    left: DailyBudget | None = None

    def daily_budget(self):
        return self.left


class Died(BaseException):
    """As a sandbox dies: no `except Exception` stops it."""


def die() -> None:
    raise Died


KEY_OF = KEY.account, KEY.administration
SECOND = timedelta(seconds=1)
