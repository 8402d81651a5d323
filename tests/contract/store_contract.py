"""What every store must do, whatever it keeps its records in: one class a port, held to the Protocols of `ports`.

A store joins with a class that has a fixture `store` with the rooms of `Stores`, and one test class a contract that
inherits both (test_store.py shows it). One class each, so that equal test names do not hide one another.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import pytest

from boekbrug import ports
from boekbrug.domain.connections import Connection, ConnectionId, JobKind, LoginId, Mapping
from boekbrug.domain.documents import AccountId, DocumentHeader, DocumentId, DocumentKind, EntityId, TaxRateId
from boekbrug.domain.errors import LeaseLost, PeriodClosed, RateLimited, TotalsDiffer
from boekbrug.domain.ledger import AdministrationId, Booking, BookingRef, Settlement, SettlementKind
from boekbrug.domain.money import Money
from boekbrug.domain.relations import RelationRef
from boekbrug.ports import (
    Account,
    DocumentState,
    IntentMoved,
    JobKey,
    Login,
    OAuthState,
    RefTaken,
    Session,
    Tokens,
    WriteKind,
    WriteState,
)

US, THEM = AccountId("account-us"), AccountId("account-them")
BOOKS, OTHER_BOOKS = AdministrationId("exact.be.1"), AdministrationId("exact.be.2")
CONNECTION = ConnectionId("connection-1")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Stores(Protocol):
    """Every room a store has. Two calls for the same account open the same records."""

    jobs: ports.Jobs
    logins: ports.Logins
    budgets: ports.Budgets
    numbers: ports.Numbers
    connections: ports.Connections
    accounts: ports.Accounts
    sessions: ports.Sessions
    states: ports.OAuthStates
    webhook_tokens: ports.WebhookTokens

    def links(self, account: AccountId, administration: AdministrationId) -> ports.Links: ...
    def documents(self, account: AccountId, administration: AdministrationId) -> ports.Documents: ...
    def seen(self, account: AccountId, administration: AdministrationId) -> ports.Seen: ...
    def settlements(self, account: AccountId, administration: AdministrationId) -> ports.Settlements: ...
    def problems(self, account: AccountId, administration: AdministrationId) -> ports.Problems: ...
    def snapshots(self, account: AccountId) -> ports.Snapshots: ...
    def audit(self, account: AccountId) -> ports.Audit: ...


class LinksContract:
    @pytest.fixture
    def links(self, store: Stores) -> ports.Links:
        return store.links(US, BOOKS)

    def test_a_first_intent_is_sending_and_unsettled(self, links: ports.Links) -> None:
        intent = links.plan(WriteKind.BOOKING, "doc", "<payload>", "hash", NOON)
        assert (intent.state, intent.attempt, intent.sent_at) == (WriteState.SENDING, 1, NOON)
        assert links.intent(WriteKind.BOOKING, "doc") == intent
        assert links.unsettled() == [intent]

    def test_only_one_worker_plans(self, links: ports.Links) -> None:
        planned = links.plan(WriteKind.BOOKING, "doc", "<payload>", "hash", NOON)
        with pytest.raises(IntentMoved):
            links.plan(WriteKind.BOOKING, "doc", "<other>", "other", NOON + MINUTE)
        assert links.intent(WriteKind.BOOKING, "doc") == planned

    def test_done_remembers_both_ways_and_settles(self, links: ports.Links) -> None:
        intent = links.plan(WriteKind.BOOKING, "doc", "<payload>", "hash", NOON)
        done = links.done(intent, {"ref": "B1", "gross": {"amount": "1.10", "currency": "EUR"}})
        assert (done.state, done.adopted) == (WriteState.DONE, False)
        assert links.intent(WriteKind.BOOKING, "doc") == done
        assert links.subject_of(WriteKind.BOOKING, "B1") == "doc"
        assert links.unsettled() == []

    def test_kinds_do_not_mix(self, links: ports.Links) -> None:
        links.done(links.plan(WriteKind.BOOKING, "same", "p", "h", NOON), {"ref": "R"})
        assert links.intent(WriteKind.RELATION, "same") is None
        assert links.subject_of(WriteKind.RELATION, "R") is None
        assert links.subject_of(WriteKind.BOOKING, "S") is None

    def test_a_late_answer_settles_what_another_called_unknown(self, links: ports.Links) -> None:
        sending = links.plan(WriteKind.BOOKING, "doc", "p", "h", NOON)
        assert links.unknown(sending).state is WriteState.UNKNOWN
        assert links.unsettled() == [links.intent(WriteKind.BOOKING, "doc")]
        assert links.done(sending, {"ref": "B1"}).state is WriteState.DONE

    def test_an_answer_to_an_earlier_attempt_changes_nothing(self, links: ports.Links) -> None:
        first = links.plan(WriteKind.BOOKING, "doc", "p", "h", NOON)
        second = links.again(first, "p2", "h2", NOON + MINUTE)
        assert (second.attempt, second.payload, second.missed_at) == (2, "p2", None)
        for late in (
            lambda: links.done(first, {"ref": "B1"}),
            lambda: links.refuse(first, "PeriodClosed"),
            lambda: links.unknown(first),
            lambda: links.missed(first, NOON),
            lambda: links.again(first, "p3", "h3", NOON),
        ):
            with pytest.raises(IntentMoved):
                late()
        assert links.intent(WriteKind.BOOKING, "doc") == second
        assert links.subject_of(WriteKind.BOOKING, "B1") is None
        assert links.unsettled() == [second]

    def test_of_two_who_send_again_one_moves(self, links: ports.Links) -> None:
        sending = links.plan(WriteKind.BOOKING, "doc", "p", "h", NOON)
        unknown = links.unknown(sending)
        links.again(unknown, "p", "h", NOON)
        with pytest.raises(IntentMoved):
            links.again(unknown, "p", "h", NOON)

    def test_what_another_called_unknown_is_read_again_before_it_is_sent_again(self, links: ports.Links) -> None:
        sending = links.plan(WriteKind.BOOKING, "doc", "p", "h", NOON)
        links.unknown(sending)
        with pytest.raises(IntentMoved):
            links.again(sending, "p", "h", NOON)

    def test_a_first_miss_is_remembered_and_stays_unsettled(self, links: ports.Links) -> None:
        unknown = links.unknown(links.plan(WriteKind.BOOKING, "doc", "p", "h", NOON))
        missed = links.missed(unknown, NOON + MINUTE)
        assert (missed.state, missed.missed_at) == (WriteState.UNKNOWN, NOON + MINUTE)
        assert links.intent(WriteKind.BOOKING, "doc") == missed
        assert links.unsettled() == [missed]

    def test_refused_settles_and_may_be_sent_again(self, links: ports.Links) -> None:
        refused = links.refuse(links.plan(WriteKind.BOOKING, "doc", "p", "h", NOON), "PeriodClosed")
        assert (refused.state, refused.cause) == (WriteState.REFUSED, "PeriodClosed")
        assert links.intent(WriteKind.BOOKING, "doc") == refused
        assert links.unsettled() == []
        with pytest.raises(IntentMoved):
            links.done(refused, {"ref": "B1"})
        second = links.again(refused, "p", "h", NOON + MINUTE)
        assert (second.attempt, second.cause) == (2, "")
        assert links.unsettled() == [second]

    def test_done_is_final(self, links: ports.Links) -> None:
        sending = links.plan(WriteKind.BOOKING, "doc", "p", "h", NOON)
        done = links.done(sending, {"ref": "B1"})
        for step in (
            lambda: links.done(sending, {"ref": "B2"}),
            lambda: links.refuse(sending, "PeriodClosed"),
            lambda: links.unknown(sending),
            lambda: links.missed(sending, NOON),
            lambda: links.again(sending, "p", "h", NOON),
            lambda: links.adopt(WriteKind.BOOKING, "doc", {"ref": "B2"}, NOON),
        ):
            with pytest.raises(IntentMoved):
                step()
        with pytest.raises(ValueError, match="never sent again"):
            links.again(done, "p", "h", NOON)
        assert links.intent(WriteKind.BOOKING, "doc") == done
        assert links.subject_of(WriteKind.BOOKING, "B2") is None

    def test_adopting_needs_that_nothing_of_ours_is_under_way(self, links: ports.Links) -> None:
        sending = links.plan(WriteKind.BOOKING, "doc", "p", "h", NOON)
        with pytest.raises(IntentMoved):
            links.adopt(WriteKind.BOOKING, "doc", {"ref": "B1"}, NOON)
        links.refuse(sending, "PeriodClosed")
        adopted = links.adopt(WriteKind.BOOKING, "doc", {"ref": "B1"}, NOON)
        assert (adopted.state, adopted.adopted, adopted.result) == (WriteState.DONE, True, {"ref": "B1"})
        assert links.intent(WriteKind.BOOKING, "doc") == adopted
        assert links.subject_of(WriteKind.BOOKING, "B1") == "doc"

    def test_what_is_gone_leaves_its_booking_to_others(self, links: ports.Links) -> None:
        done = links.done(links.plan(WriteKind.BOOKING, "doc", "p", "h", NOON), {"ref": "B1"})
        gone = links.gone(done)
        assert gone == replace(done, state=WriteState.GONE) == links.intent(WriteKind.BOOKING, "doc")
        assert links.subject_of(WriteKind.BOOKING, "B1") is None
        assert links.unsettled() == []
        assert links.adopt(WriteKind.BOOKING, "other", {"ref": "B1"}, NOON).state is WriteState.DONE
        with pytest.raises(IntentMoved):
            links.gone(done)
        with pytest.raises(IntentMoved):
            links.gone(gone)
        assert links.subject_of(WriteKind.BOOKING, "B1") == "other"

    def test_what_is_gone_may_be_sent_again(self, links: ports.Links) -> None:
        sending = links.plan(WriteKind.BOOKING, "doc", "p", "h", NOON)
        gone = links.gone(links.done(sending, {"ref": "B1"}))
        with pytest.raises(IntentMoved):
            links.done(sending, {"ref": "B1"})
        again = links.again(gone, "p2", "h2", NOON + MINUTE)
        assert (again.state, again.attempt, again.result) == (WriteState.SENDING, 2, None)
        assert links.unsettled() == [again]
        assert links.done(again, {"ref": "B2"}).state is WriteState.DONE
        assert links.subject_of(WriteKind.BOOKING, "B1") is None

    def test_what_is_gone_may_be_found_booked_by_hand(self, links: ports.Links) -> None:
        gone = links.gone(links.adopt(WriteKind.BOOKING, "doc", {"ref": "B1"}, NOON))
        found = links.adopt(WriteKind.BOOKING, "doc", {"ref": "B2"}, NOON)
        assert links.intent(WriteKind.BOOKING, "doc") == found
        assert links.subject_of(WriteKind.BOOKING, "B2") == "doc"
        with pytest.raises(IntentMoved):  # whoever still believes in the first one
            links.gone(replace(gone, state=WriteState.DONE))
        with pytest.raises(IntentMoved):
            links.again(gone, "p", "h", NOON)
        assert links.intent(WriteKind.BOOKING, "doc") == found

    def test_only_what_stood_is_gone(self, links: ports.Links) -> None:
        sending = links.plan(WriteKind.BOOKING, "doc", "p", "h", NOON)
        for never in (sending, links.unknown(sending)):
            with pytest.raises(IntentMoved):
                links.gone(never)
        with pytest.raises(IntentMoved):
            links.gone(links.refuse(sending, "PeriodClosed"))

    def test_a_booking_belongs_to_one_document(self, links: ports.Links) -> None:
        links.adopt(WriteKind.BOOKING, "doc", {"ref": "B1"}, NOON)
        sending = links.plan(WriteKind.BOOKING, "other", "p", "h", NOON)
        with pytest.raises(RefTaken):
            links.done(sending, {"ref": "B1"})
        with pytest.raises(RefTaken):
            links.adopt(WriteKind.BOOKING, "third", {"ref": "B1"}, NOON)
        assert links.subject_of(WriteKind.BOOKING, "B1") == "doc"
        assert links.unsettled() == [sending]
        assert links.intent(WriteKind.BOOKING, "third") is None

    def test_a_payment_may_have_no_ref_and_others_must(self, links: ports.Links) -> None:
        paid = links.done(links.plan(WriteKind.PAYMENT, "settlement", "p", "h", NOON), {"amount": "60.50"})
        assert links.intent(WriteKind.PAYMENT, "settlement") == paid
        with pytest.raises(KeyError):
            links.done(links.plan(WriteKind.BOOKING, "doc", "p", "h", NOON), {})

    def test_what_is_remembered_is_nobodys_to_change(self, links: ports.Links) -> None:
        result = {"ref": "B1", "gross": {"amount": "1.10"}}
        links.done(links.plan(WriteKind.BOOKING, "doc", "p", "h", NOON), result)
        result["gross"]["amount"] = "9.99"
        links.intent(WriteKind.BOOKING, "doc").result["gross"]["amount"] = "9.99"
        assert links.intent(WriteKind.BOOKING, "doc").result == {"ref": "B1", "gross": {"amount": "1.10"}}

    def test_many_are_read_at_once(self, links: ports.Links) -> None:
        planned = {f"doc{n}": links.plan(WriteKind.BOOKING, f"doc{n}", "p", "h", NOON) for n in range(3)}
        assert links.intents(WriteKind.BOOKING, [*planned, "doc0", "nobody"]) == planned
        assert links.intents(WriteKind.BOOKING, []) == {}

    def test_many_refs_lead_back_at_once(self, links: ports.Links) -> None:
        for n in range(3):
            links.adopt(WriteKind.BOOKING, f"doc{n}", {"ref": f"4.V1.{n}"}, NOON)
        asked = ["4.V1.2", "4.V1.0", "4.V1.9"]
        assert links.subjects_of(WriteKind.BOOKING, asked) == {"4.V1.0": "doc0", "4.V1.2": "doc2"}
        assert links.subjects_of(WriteKind.RELATION, asked) == links.subjects_of(WriteKind.BOOKING, []) == {}

    def test_links_are_of_one_account_and_administration(self, store: Stores) -> None:
        links = store.links(US, BOOKS)
        links.done(links.plan(WriteKind.BOOKING, "doc", "p", "h", NOON), {"ref": "B1"})
        links.plan(WriteKind.BOOKING, "open", "p", "h", NOON)
        for other in (store.links(THEM, BOOKS), store.links(US, OTHER_BOOKS)):
            assert other.intent(WriteKind.BOOKING, "doc") is None
            assert other.intents(WriteKind.BOOKING, ["doc"]) == {}
            assert other.subject_of(WriteKind.BOOKING, "B1") is None
            assert other.unsettled() == []
            other.adopt(WriteKind.BOOKING, "theirs", {"ref": "B1"}, NOON)  # its own books: the ref is free there
        assert links.subject_of(WriteKind.BOOKING, "B1") == "doc"


def a_header(
    id: str = "doc",
    *,
    number: str = "2026 / 1",
    day: date = date(2026, 3, 1),
    kind: DocumentKind = DocumentKind.INVOICE,
    updated_at: datetime = NOON,
) -> DocumentHeader:
    gross = Money.of("121.10", "EUR")
    return DocumentHeader(DocumentId(id), kind, EntityId("entity"), number, day, gross, updated_at)


class DocumentsContract:
    @pytest.fixture
    def documents(self, store: Stores) -> ports.Documents:
        return store.documents(US, BOOKS)

    def test_a_new_document_waits(self, documents: ports.Documents) -> None:
        assert documents.seen(CONNECTION, [a_header()]) == 1
        record = documents.record(DocumentId("doc"))
        assert record == documents.waiting(10)[0]
        assert (record.state, record.gross, record.connection) == (
            DocumentState.WAITING,
            Money.of("121.10", "EUR"),
            CONNECTION,
        )
        assert documents.record(DocumentId("nobody")) is None

    def test_the_line_goes_by_day_then_invoices_first_then_number(self, documents: ports.Documents) -> None:
        credit_note = a_header("c", number="2026 / 1", kind=DocumentKind.CREDIT_NOTE)
        earlier = a_header("e", number="2026 / 99", day=date(2026, 2, 28))
        ten, nine = a_header("a", number="2026 / 10"), a_header("b", number="2026 / 9")
        assert documents.seen(CONNECTION, [credit_note, ten, nine, earlier]) == 4
        assert [record.id for record in documents.waiting(10)] == ["e", "b", "a", "c"]

    def test_the_line_is_read_page_by_page(self, documents: ports.Documents) -> None:
        documents.seen(CONNECTION, [a_header(f"d{n}", number=str(n)) for n in range(1, 8)])
        first = documents.waiting(3)
        second = documents.waiting(3, after=first[-1].order)
        third = documents.waiting(3, after=second[-1].order)
        assert [record.number for record in (*first, *second, *third)] == list("1234567")
        assert documents.waiting(3, after=third[-1].order) == []

    def test_unchanged_documents_and_older_answers_change_nothing(self, documents: ports.Documents) -> None:
        documents.seen(CONNECTION, [a_header()])
        assert documents.seen(CONNECTION, [a_header()]) == 0
        assert documents.seen(CONNECTION, [a_header(number="9", updated_at=NOON - MINUTE)]) == 0
        assert [record.number for record in documents.waiting(10)] == ["2026 / 1"]

    def test_a_document_in_line_that_changed_moves_and_is_not_counted(self, documents: ports.Documents) -> None:
        documents.seen(CONNECTION, [a_header("a", number="1"), a_header("b", number="2")])
        moved = a_header("a", number="1", day=date(2026, 3, 5), updated_at=NOON + MINUTE)
        assert documents.seen(CONNECTION, [moved]) == 0
        assert [(record.id, record.day.day) for record in documents.waiting(10)] == [("b", 1), ("a", 5)]

    def test_of_a_document_listed_twice_the_latest_counts(self, documents: ports.Documents) -> None:
        newer = a_header(number="2", updated_at=NOON + MINUTE)
        assert documents.seen(CONNECTION, [newer, a_header()]) == 1
        assert [record.number for record in documents.waiting(10)] == ["2"]

    def test_booked_leaves_the_line_and_stays_booked_when_it_changes(self, documents: ports.Documents) -> None:
        documents.seen(CONNECTION, [a_header()])
        documents.booked(documents.waiting(1)[0], "70001")
        booked = documents.record(DocumentId("doc"))
        assert (booked.state, booked.booking_number) == (DocumentState.BOOKED, "70001")
        assert documents.seen(CONNECTION, [a_header(updated_at=NOON + MINUTE)]) == 0
        assert documents.record(DocumentId("doc")) == booked
        assert documents.waiting(10) == []

    def test_booked_counts_even_if_the_document_changed_meanwhile(self, documents: ports.Documents) -> None:
        documents.seen(CONNECTION, [a_header()])
        record = documents.waiting(1)[0]
        documents.seen(CONNECTION, [a_header(day=date(2026, 3, 9), updated_at=NOON + MINUTE)])
        documents.booked(record, "70001")
        booked = documents.record(DocumentId("doc"))
        assert (booked.state, booked.updated_at) == (DocumentState.BOOKED, NOON)
        assert documents.waiting(10) == []

    def test_held_leaves_the_line_until_it_changes(self, documents: ports.Documents) -> None:
        documents.seen(CONNECTION, [a_header()])
        documents.held(documents.waiting(1)[0], "PeriodClosed")
        record = documents.record(DocumentId("doc"))
        assert (record.state, record.cause, documents.waiting(10)) == (DocumentState.HELD, "PeriodClosed", [])
        assert documents.seen(CONNECTION, [a_header()]) == 0
        assert documents.seen(CONNECTION, [a_header(updated_at=NOON + MINUTE)]) == 1
        assert [(record.state, record.cause) for record in documents.waiting(10)] == [(DocumentState.WAITING, "")]
        assert documents.release() == 0

    def test_held_for_another_reason_now(self, documents: ports.Documents) -> None:
        documents.seen(CONNECTION, [a_header()])
        documents.held(documents.waiting(1)[0], "PeriodClosed")
        documents.held(documents.record(DocumentId("doc")), "TotalsDiffer")
        assert documents.release(causes=["PeriodClosed"]) == 0
        assert documents.release(causes=["TotalsDiffer"]) == 1

    def test_a_document_that_changed_while_it_was_looked_at_stays_in_line(self, documents: ports.Documents) -> None:
        documents.seen(CONNECTION, [a_header()])
        record = documents.waiting(1)[0]
        documents.seen(CONNECTION, [a_header(updated_at=NOON + MINUTE)])
        documents.held(record, "TotalsDiffer")
        assert [record.state for record in documents.waiting(10)] == [DocumentState.WAITING]

    def test_what_was_booked_is_not_held_any_more(self, documents: ports.Documents) -> None:
        documents.seen(CONNECTION, [a_header()])
        record = documents.waiting(1)[0]
        documents.booked(record, "70001")
        documents.held(record, "TotalsDiffer")
        assert documents.record(DocumentId("doc")).state is DocumentState.BOOKED

    def test_who_saw_it_booked_may_hold_it(self, documents: ports.Documents) -> None:
        documents.seen(CONNECTION, [a_header()])
        documents.booked(documents.waiting(1)[0], "70001")
        documents.held(documents.record(DocumentId("doc")), "BookingDeleted")
        record = documents.record(DocumentId("doc"))
        assert (record.state, record.cause, record.booking_number) == (DocumentState.HELD, "BookingDeleted", "")
        assert documents.counts(CONNECTION) == {"held:BookingDeleted": 1}

    def test_what_was_deleted_in_the_books_waits_for_a_word_about_that_very_document(
        self, documents: ports.Documents
    ) -> None:
        documents.seen(CONNECTION, [a_header(), a_header("other", number="2")])
        for record in documents.waiting(2):
            documents.held(record, "BookingDeleted" if record.id == "doc" else "PeriodClosed")
        changed = a_header(number="9", updated_at=NOON + MINUTE)
        assert documents.seen(CONNECTION, [changed]) == 0
        assert documents.release() == 1
        record = documents.record(DocumentId("doc"))
        assert (record.state, record.cause, record.number) == (DocumentState.HELD, "BookingDeleted", "9")
        assert documents.release(documents=[DocumentId("doc")]) == 1
        assert [record.id for record in documents.waiting(10)] == ["other", "doc"]

    def test_release_by_cause_by_document_or_all(self, documents: ports.Documents) -> None:
        documents.seen(CONNECTION, [a_header(f"d{n}", number=str(n)) for n in range(1, 6)])
        causes = ["PeriodClosed", "PeriodClosed", "TotalsDiffer", "AccountMissing", "AccountBlocked"]
        for record, cause in zip(documents.waiting(10), causes, strict=True):
            documents.held(record, cause)
        assert documents.release(causes=[]) == 0
        assert documents.release(causes=["TotalsDiffer", "JournalMissing"]) == 1
        assert [record.id for record in documents.waiting(10)] == ["d3"]
        assert documents.release(documents=[DocumentId("d1"), DocumentId("d3"), DocumentId("nobody")]) == 1
        assert documents.release(causes=["AccountMissing"], documents=[DocumentId("d2"), DocumentId("d4")]) == 1
        assert [record.id for record in documents.waiting(10)] == ["d1", "d3", "d4"]
        assert documents.release() == 2
        assert len(documents.waiting(10)) == 5

    def test_counts_and_records_are_of_one_connection(self, documents: ports.Documents) -> None:
        documents.seen(CONNECTION, [a_header(f"d{n}", number=str(n)) for n in range(1, 5)])
        documents.seen(ConnectionId("other"), [a_header("x")])
        one, two, *_ = documents.waiting(2)
        documents.booked(one, "70001")
        documents.held(two, "PeriodClosed")
        assert documents.counts(CONNECTION) == {"booked": 1, "held:PeriodClosed": 1, "waiting": 2}
        first = documents.records(CONNECTION, limit=3)
        rest = documents.records(CONNECTION, after=first[-1].id, limit=3)
        assert [record.id for record in (*first, *rest)] == ["d1", "d2", "d3", "d4"]

    def test_documents_are_of_one_account_and_administration(self, store: Stores) -> None:
        ours = store.documents(US, BOOKS)
        ours.seen(CONNECTION, [a_header("doc"), a_header("held", number="2")])
        ours.held(ours.record(DocumentId("held")), "PeriodClosed")
        for other in (store.documents(THEM, BOOKS), store.documents(US, OTHER_BOOKS)):
            assert (other.record(DocumentId("doc")), other.waiting(10), other.counts(CONNECTION)) == (None, [], {})
            assert (other.release(), other.release(documents=[DocumentId("held")])) == (0, 0)
            assert other.seen(CONNECTION, [a_header("doc")]) == 1
            other.booked(other.waiting(1)[0], "1")
        assert [record.id for record in ours.waiting(10)] == ["doc"]


def a_booking(ref: str = "B1", reference: str = "2026 / 9", number: str = "70001") -> Booking:
    return Booking(
        ref=BookingRef(ref),
        administration=BOOKS,
        kind=DocumentKind.INVOICE,
        journal="70",
        number=number,
        reference=reference,
        key="",
        day=date(2026, 3, 1),
        relation=RelationRef("R1"),
        gross=Money.of("121.10", "EUR"),
        vat=None,
    )


class SeenContract:
    @pytest.fixture
    def seen(self, store: Stores) -> ports.Seen:
        return store.seen(US, BOOKS)

    def test_bookings_are_found_by_reference_blanks_and_case_apart(self, seen: ports.Seen) -> None:
        typed, other = a_booking("B1", "INV 2026/9"), a_booking("B2", "2026/10")
        seen.remember([typed, other])
        assert seen.by_reference(["inv2026 / 9", "2026/11"]) == {"inv2026 / 9": [typed]}

    def test_one_reference_may_stand_on_several(self, seen: ports.Seen) -> None:
        seen.remember([a_booking("B1"), a_booking("B2"), a_booking("B3", "2026 / 99")])
        assert [booking.ref for booking in seen.by_reference(["2026 / 9"])["2026 / 9"]] == ["B1", "B2"]

    def test_a_booking_seen_again_is_known_as_it_stands_now(self, seen: ports.Seen) -> None:
        seen.remember([a_booking("B1")])
        changed = a_booking("B1", number="70002")
        seen.remember([changed])
        assert seen.by_reference(["2026 / 9"]) == {"2026 / 9": [changed]}
        moved = a_booking("B1", "2026 / 10")
        seen.remember([changed, moved])
        assert seen.by_reference(["2026 / 9", "2026 / 10"]) == {"2026 / 10": [moved]}

    def test_many_at_once_and_none(self, seen: ports.Seen) -> None:
        seen.remember([])
        seen.remember([a_booking(f"B{n}", f"2026 / {n}") for n in range(60)])
        found = seen.by_reference([f"2026 / {n}" for n in range(60)])
        assert [bookings[0].ref for bookings in found.values()] == [f"B{n}" for n in range(60)]

    def test_a_booking_is_found_wherever_its_number_may_stand(self, seen: ports.Seen) -> None:
        booking = replace(a_booking(), other_references=("INV 7", "", "2026/9"))
        seen.remember([booking])
        found = seen.by_reference(["2026 / 9", "inv7", ""])
        assert found == {"2026 / 9": [booking], "inv7": [booking]}
        corrected = replace(booking, other_references=("INV 8",))
        seen.remember([corrected])
        assert seen.by_reference(["INV 7", "INV 8"]) == {"INV 8": [corrected]}

    def test_what_is_forgotten_is_found_nowhere(self, seen: ports.Seen) -> None:
        stays = a_booking("B2")
        seen.remember([replace(a_booking("B1"), other_references=("INV 7",)), stays])
        seen.forget([BookingRef("B1"), BookingRef("B9")])
        assert seen.by_reference(["2026 / 9", "INV 7"]) == {"2026 / 9": [stays]}
        seen.remember([a_booking("B1")])
        assert len(seen.by_reference(["2026 / 9"])["2026 / 9"]) == 2

    def test_bookings_are_of_one_account_and_administration(self, store: Stores) -> None:
        store.seen(US, BOOKS).remember([a_booking()])
        store.seen(THEM, BOOKS).forget([a_booking().ref])
        assert store.seen(US, BOOKS).by_reference(["2026 / 9"]) == {"2026 / 9": [a_booking()]}
        assert store.seen(THEM, BOOKS).by_reference(["2026 / 9"]) == {}
        assert store.seen(US, OTHER_BOOKS).by_reference(["2026 / 9"]) == {}


def a_settlement(
    id: str = "S1", booking: str = "B1", amount: str = "60.50", kind: SettlementKind = SettlementKind.PAYMENT
) -> Settlement:
    return Settlement(id, BookingRef(booking), kind, Money.of(amount, "EUR"), date(2026, 3, 1))


class SettlementsContract:
    @pytest.fixture
    def settlements(self, store: Stores) -> ports.Settlements:
        return store.settlements(US, BOOKS)

    def test_only_those_of_our_bookings_come_in_line(self, settlements: ports.Settlements) -> None:
        ours, others = a_settlement("S1", "B1"), a_settlement("S2", "B2")
        settlements.remember([others, ours])
        assert settlements.claim(BookingRef("B1")) == 1
        assert settlements.pending(10) == [ours]
        assert (settlements.of_booking(BookingRef("B1")), settlements.of_booking(BookingRef("B2"))) == (
            [ours],
            [others],
        )

    def test_what_lay_ready_comes_in_line_when_its_booking_becomes_ours(self, settlements: ports.Settlements) -> None:
        first, second = a_settlement("S1"), a_settlement("S2")
        settlements.remember([first, second])
        assert settlements.claim(BookingRef("B1")) == 2
        assert settlements.pending(10) == [first, second]
        assert settlements.claim(BookingRef("B9")) == 0

    def test_the_line_is_read_page_by_page(self, settlements: ports.Settlements) -> None:
        line = [a_settlement(f"S{n}", f"B{n % 2}") for n in range(5)]
        settlements.remember(line)
        for booking in ("B0", "B1"):
            settlements.claim(BookingRef(booking))
        first = settlements.pending(3)
        rest = settlements.pending(3, after=first[-1])
        assert [one.id for one in (*first, *rest)] == ["S0", "S2", "S4", "S1", "S3"]

    def test_dealt_with_leaves_the_line_unless_a_newer_word_came(self, settlements: ports.Settlements) -> None:
        old, new = a_settlement(), a_settlement(amount="121.00")
        settlements.remember([old])
        settlements.claim(BookingRef("B1"))
        settlements.remember([new])
        settlements.dealt_with(old)
        assert settlements.pending(10) == settlements.of_booking(BookingRef("B1")) == [new]
        settlements.dealt_with(new)
        settlements.dealt_with(new)
        assert (settlements.pending(10), settlements.of_booking(BookingRef("B1"))) == ([], [new])

    def test_a_late_reader_does_not_undo_a_newer_word(self, settlements: ports.Settlements) -> None:
        old, new = a_settlement(), replace(a_settlement(kind=SettlementKind.OPEN), version=2)
        settlements.remember([new])
        settlements.claim(BookingRef("B1"))
        settlements.remember([old])
        assert settlements.pending(10) == settlements.of_booking(BookingRef("B1")) == [new]

    def test_settlements_are_of_one_account_and_administration(self, store: Stores) -> None:
        store.settlements(US, BOOKS).remember([a_settlement()])
        store.settlements(US, BOOKS).claim(BookingRef("B1"))
        for other in (store.settlements(THEM, BOOKS), store.settlements(US, OTHER_BOOKS)):
            assert (other.pending(10), other.of_booking(BookingRef("B1")), other.claim(BookingRef("B1"))) == ([], [], 0)
            other.dealt_with(a_settlement())
        assert store.settlements(US, BOOKS).pending(10) == [a_settlement()]


KEY = JobKey(US, BOOKS, JobKind.DOCUMENTS)
LEASE = timedelta(seconds=150)


class JobsContract:
    @pytest.fixture
    def jobs(self, store: Stores) -> ports.Jobs:
        return store.jobs

    def release(self, jobs: ports.Jobs, job: ports.Job, due_at: datetime | None = None, paused: str = "") -> bool:
        return jobs.release(job, due_at=due_at, result={"booked": 3}, ran_at=NOON, paused=paused)

    def due(self, jobs: ports.Jobs, before: datetime = NOON) -> list[JobKey]:
        return list(jobs.due(before))

    def test_a_job_exists_once_ensured_and_is_not_due(self, jobs: ports.Jobs) -> None:
        assert jobs.get(KEY) is None
        job = jobs.ensure(KEY)
        assert (job, jobs.ensure(KEY)) == (ports.Job(KEY, due_at=None), jobs.get(KEY))
        assert self.due(jobs) == []

    def test_due_jobs_show_in_the_sweep_when_their_time_has_come(self, jobs: ports.Jobs) -> None:
        kinds = [replace(KEY, kind=kind) for kind in JobKind]
        for key in kinds:
            jobs.make_due(key, NOON)
        assert set(self.due(jobs)) == set(kinds)
        assert self.due(jobs, NOON - MINUTE) == []
        assert jobs.get(KEY).due_at == NOON

    def test_a_due_time_is_never_postponed(self, jobs: ports.Jobs) -> None:
        jobs.make_due(KEY, NOON)
        jobs.make_due(KEY, NOON + MINUTE)
        assert jobs.get(KEY).due_at == NOON
        jobs.make_due(KEY, NOON - MINUTE)
        assert jobs.get(KEY).due_at == NOON - MINUTE

    def test_a_sweep_nudges_a_due_job_once_and_looks_again_later(self, jobs: ports.Jobs) -> None:
        jobs.make_due(KEY, NOON)
        assert jobs.nudged(KEY, before=NOON, look_again=NOON + MINUTE, now=NOON)
        assert not jobs.nudged(KEY, before=NOON, look_again=NOON + MINUTE, now=NOON)
        assert (self.due(jobs), self.due(jobs, NOON + MINUTE)) == ([], [KEY])

    def test_a_sweep_leaves_alone_what_is_leased_paused_or_not_there(self, jobs: ports.Jobs) -> None:
        sweep = {"before": NOON + LEASE, "look_again": NOON + 2 * LEASE}
        assert not jobs.nudged(KEY, now=NOON, **sweep)
        jobs.make_due(KEY, NOON)
        job = jobs.claim(KEY, NOON, NOON + LEASE)
        assert not jobs.nudged(KEY, now=NOON, **sweep)
        assert jobs.nudged(KEY, now=NOON + LEASE, **sweep)
        self.release(jobs, job, due_at=NOON, paused="AccessExpired")
        assert not jobs.nudged(KEY, now=NOON, **sweep)

    def test_one_worker_has_the_lease_and_others_leave_word(self, jobs: ports.Jobs) -> None:
        jobs.make_due(KEY, NOON)
        job = jobs.claim(KEY, NOON, NOON + LEASE)
        assert (job.version, job.leased_until, job.again) == (1, NOON + LEASE, False)
        assert jobs.claim(KEY, NOON + MINUTE, NOON + MINUTE + LEASE) is None
        assert jobs.get(KEY).again
        assert self.release(jobs, job) is True
        assert not jobs.get(KEY).again
        job = jobs.claim(KEY, NOON + MINUTE, NOON + MINUTE + LEASE)
        assert self.release(jobs, job) is False

    def test_nobody_claims_a_job_that_is_not_there(self, jobs: ports.Jobs) -> None:
        assert jobs.claim(KEY, NOON, NOON + LEASE) is None
        assert jobs.get(KEY) is None

    def test_a_lease_that_ran_out_is_taken_over_and_its_holder_fenced(self, jobs: ports.Jobs) -> None:
        jobs.make_due(KEY, NOON)
        lost = jobs.claim(KEY, NOON, NOON + LEASE)
        job = jobs.claim(KEY, NOON + LEASE, NOON + 2 * LEASE)
        assert job.version == lost.version + 1
        with pytest.raises(LeaseLost):
            jobs.save_cursor(lost, {"page": 1})
        with pytest.raises(LeaseLost):
            self.release(jobs, lost)
        jobs.save_cursor(job, {"page": 2})
        assert jobs.get(KEY).cursor == {"page": 2}

    def test_nothing_is_saved_after_the_lease_was_given_back(self, jobs: ports.Jobs) -> None:
        jobs.ensure(KEY)
        job = jobs.claim(KEY, NOON, NOON + LEASE)
        self.release(jobs, job)
        with pytest.raises(LeaseLost):
            jobs.save_cursor(job, {"page": 1})
        with pytest.raises(LeaseLost):
            self.release(jobs, job)

    def test_a_job_whose_worker_died_stays_due(self, jobs: ports.Jobs) -> None:
        jobs.make_due(KEY, NOON)
        jobs.claim(KEY, NOON, NOON + LEASE)
        assert self.due(jobs) == [KEY]

    def test_release_says_when_to_go_on_and_keeps_the_result(self, jobs: ports.Jobs) -> None:
        jobs.make_due(KEY, NOON)
        self.release(jobs, jobs.claim(KEY, NOON, NOON + LEASE), due_at=NOON + MINUTE)
        job = jobs.get(KEY)
        assert (job.due_at, job.leased_until, job.last_result, job.last_run_at) == (
            NOON + MINUTE,
            None,
            {"booked": 3},
            NOON,
        )
        assert (self.due(jobs), self.due(jobs, NOON + MINUTE)) == ([], [KEY])
        self.release(jobs, jobs.claim(KEY, NOON, NOON + LEASE), due_at=None)
        assert (jobs.get(KEY).due_at, self.due(jobs, NOON + MINUTE)) == (None, [])

    def test_a_wish_that_comes_during_the_run_survives_its_release(self, jobs: ports.Jobs) -> None:
        jobs.make_due(KEY, NOON)
        job = jobs.claim(KEY, NOON, NOON + LEASE)
        jobs.make_due(KEY, NOON, manual=True)
        assert self.release(jobs, job, due_at=NOON + 60 * MINUTE) is True
        assert jobs.get(KEY).manual

    def test_what_was_asked_during_the_run_is_due_when_it_ends(self, jobs: ports.Jobs) -> None:
        """The nudge that wakes the next worker can be lost with him; the sweep must find the job."""
        jobs.ensure(KEY)
        job = jobs.claim(KEY, NOON, NOON + LEASE)
        jobs.claim(KEY, NOON, NOON + LEASE)
        assert self.release(jobs, job, due_at=None) is True
        assert (jobs.get(KEY).due_at, self.due(jobs)) == (NOON, [KEY])

    def test_a_manual_run_is_manual_once(self, jobs: ports.Jobs) -> None:
        jobs.make_due(KEY, NOON, manual=True)
        job = jobs.claim(KEY, NOON, NOON + LEASE)
        assert job.manual
        self.release(jobs, job)
        assert not jobs.get(KEY).manual

    def test_a_cursor_is_nobodys_to_change(self, jobs: ports.Jobs) -> None:
        cursor = {"pages": [1]}
        jobs.ensure(KEY)
        jobs.save_cursor(jobs.claim(KEY, NOON, NOON + LEASE), cursor)
        cursor["pages"].append(2)
        jobs.get(KEY).cursor["pages"].append(3)
        assert jobs.get(KEY).cursor == {"pages": [1]}

    def test_a_paused_job_is_neither_due_nor_claimed_until_resumed(self, jobs: ports.Jobs) -> None:
        jobs.make_due(KEY, NOON)
        self.release(jobs, jobs.claim(KEY, NOON, NOON + LEASE), due_at=NOON, paused="AccessExpired")
        jobs.make_due(KEY, NOON)
        assert (jobs.get(KEY).paused, self.due(jobs), jobs.claim(KEY, NOON, NOON + LEASE)) == (
            "AccessExpired",
            [],
            None,
        )
        jobs.resume(US, OTHER_BOOKS, NOON)
        jobs.resume(THEM, BOOKS, NOON)
        assert jobs.get(KEY).paused == "AccessExpired"
        jobs.resume(US, None, NOON)
        assert (jobs.get(KEY).paused, self.due(jobs)) == ("", [KEY])

    def test_resuming_leaves_jobs_alone_that_were_not_paused(self, jobs: ports.Jobs) -> None:
        jobs.ensure(KEY)
        jobs.resume(US, BOOKS, NOON)
        assert jobs.get(KEY).due_at is None

    def test_jobs_are_of_one_account(self, jobs: ports.Jobs) -> None:
        theirs = replace(KEY, account=THEM)
        jobs.make_due(KEY, NOON)
        assert (jobs.get(theirs), jobs.of_account(THEM)) == (None, [])
        jobs.ensure(theirs)
        assert jobs.claim(theirs, NOON, NOON + LEASE).key == theirs
        assert jobs.get(KEY).leased_until is None
        assert [job.key for job in jobs.of_account(US)] == [KEY]


LOGIN = LoginId("exact.be.user-1")


def a_login(account: AccountId = US, access: str = "access-1") -> Login:
    tokens = Tokens(access, f"refresh-of-{access}", NOON, NOON + 10 * MINUTE)
    return Login(LOGIN, account, "exact", "be", "user-1", tokens)


class LoginsContract:
    @pytest.fixture
    def logins(self, store: Stores) -> ports.Logins:
        return store.logins

    def test_a_consent_is_kept_and_replaces_the_one_before(self, logins: ports.Logins) -> None:
        assert logins.get(US, LOGIN) is None
        first = logins.save_new(a_login())
        assert (first.version, logins.get(US, LOGIN)) == (1, first)
        second = logins.save_new(a_login(access="access-2"))
        assert (second.version, second.tokens.access) == (2, "access-2")
        assert logins.of_account(US) == [second]

    def test_what_was_bought_with_a_login_is_kept_but_not_listed(self, logins: ports.Logins) -> None:
        given = logins.save_new(a_login())
        bought = logins.ensure(replace(a_login(access="bought"), id=LoginId(f"{LOGIN}/70001")))
        assert logins.get(US, bought.id) == bought
        assert logins.get(US, LOGIN) == given
        assert logins.of_account(US) == [given]

    def test_what_stands_there_is_not_replaced_by_who_only_makes_sure(self, logins: ports.Logins) -> None:
        first = logins.ensure(a_login())
        assert (first.version, first.generation, first.tokens.access) == (1, 1, "access-1")
        leased = logins.lease(first, NOON + MINUTE, NOON)
        assert logins.ensure(a_login(access="access-2")) == leased
        assert logins.lease(first, NOON + 2 * MINUTE, NOON) is None
        assert logins.get(THEM, LOGIN) is None

    def test_a_lost_one_is_made_again_by_who_makes_sure(self, logins: ports.Logins) -> None:
        logins.lose(logins.lease(logins.save_new(a_login()), NOON + MINUTE, NOON))
        again = logins.ensure(a_login(access="access-2"))
        assert again == logins.get(US, LOGIN)
        assert again.tokens.access == "access-2"
        assert logins.lease(again, NOON + MINUTE, NOON) is not None

    def test_one_worker_refreshes(self, logins: ports.Logins) -> None:
        login = logins.save_new(a_login())
        leased = logins.lease(login, NOON + MINUTE, NOON)
        assert leased.version == login.version + 1
        assert logins.lease(login, NOON + MINUTE, NOON) is None
        fresh = a_login(access="access-2").tokens
        assert logins.rotate(leased, fresh) == logins.get(US, LOGIN)
        assert logins.get(US, LOGIN).tokens == fresh

    def test_who_comes_after_a_refresh_gets_the_new_tokens_under_its_lease(self, logins: ports.Logins) -> None:
        stale = logins.save_new(a_login())
        fresh = logins.rotate(logins.lease(stale, NOON + MINUTE, NOON), a_login(access="access-2").tokens)
        leased = logins.lease(stale, NOON + MINUTE, NOON)
        assert leased.tokens == fresh.tokens
        logins.give_back(leased)
        assert logins.lease(stale, NOON + MINUTE, NOON) is not None

    def test_who_overslept_the_lease_saves_what_nobody_replaced(self, logins: ports.Logins) -> None:
        """The refresh token is used up, so its pair is all there is; the lease of who took over stands."""
        login = logins.save_new(a_login())
        late = logins.lease(login, NOON + MINUTE, NOON)
        current = logins.lease(login, NOON + 2 * MINUTE, NOON + MINUTE)
        saved = logins.rotate(late, a_login(access="late").tokens)
        assert saved == logins.get(US, LOGIN)
        assert (saved.tokens.access, saved.version, saved.generation) == ("late", current.version, 2)
        assert logins.lease(login, NOON + 3 * MINUTE, NOON + MINUTE) is None
        assert logins.lose(current) is False
        assert logins.get(US, LOGIN) == saved

    def test_what_the_holder_of_the_lease_brings_is_newer(self, logins: ports.Logins) -> None:
        """A vendor that lets the old token work until the new one is used answers both, and keeps to the last."""
        login = logins.save_new(a_login())
        late = logins.lease(login, NOON + MINUTE, NOON)
        current = logins.lease(login, NOON + 2 * MINUTE, NOON + MINUTE)
        logins.rotate(late, a_login(access="late").tokens)
        assert logins.rotate(current, a_login(access="current").tokens) == logins.get(US, LOGIN)
        assert logins.get(US, LOGIN).tokens.access == "current"
        with pytest.raises(LeaseLost):
            logins.rotate(late, a_login(access="late").tokens)

    def test_a_pair_comes_back_from_the_dead_but_not_after_a_new_consent(self, logins: ports.Logins) -> None:
        login = logins.save_new(a_login())
        late = logins.lease(login, NOON + MINUTE, NOON)
        assert logins.lose(logins.lease(login, NOON + 2 * MINUTE, NOON + MINUTE)) is True
        assert logins.rotate(late, a_login(access="late").tokens).tokens.access == "late"
        logins.save_new(a_login(access="consented"))
        with pytest.raises(LeaseLost):
            logins.rotate(late, a_login(access="later").tokens)
        assert logins.get(US, LOGIN).tokens.access == "consented"

    def test_who_overslept_a_rotation_changes_nothing(self, logins: ports.Logins) -> None:
        login = logins.save_new(a_login())
        late = logins.lease(login, NOON + MINUTE, NOON)
        between = logins.lease(login, NOON + 2 * MINUTE, NOON + MINUTE)
        current = logins.lease(logins.rotate(between, a_login(access="2").tokens), NOON + 2 * MINUTE, NOON + MINUTE)
        with pytest.raises(LeaseLost):
            logins.rotate(late, a_login(access="late").tokens)
        assert logins.lose(late) is False
        logins.give_back(late)
        assert logins.get(US, LOGIN) == current
        assert logins.lease(login, NOON + 3 * MINUTE, NOON + MINUTE) is None

    def test_a_new_consent_ends_a_refresh_under_way(self, logins: ports.Logins) -> None:
        leased = logins.lease(logins.save_new(a_login()), NOON + MINUTE, NOON)
        logins.save_new(a_login(access="consented"))
        with pytest.raises(LeaseLost):
            logins.rotate(leased, a_login(access="old").tokens)
        assert logins.get(US, LOGIN).tokens.access == "consented"

    def test_a_dead_chain_has_no_tokens(self, logins: ports.Logins) -> None:
        leased = logins.lease(logins.save_new(a_login()), NOON + MINUTE, NOON)
        logins.lose(leased)
        assert logins.get(US, LOGIN).tokens is None
        assert logins.save_new(a_login()).tokens is not None

    def test_logins_are_of_one_account(self, logins: ports.Logins) -> None:
        ours = logins.save_new(a_login())
        assert (logins.get(THEM, LOGIN), logins.of_account(THEM)) == (None, [])
        theirs = logins.save_new(a_login(THEM, "theirs"))
        logins.lose(logins.lease(theirs, NOON + MINUTE, NOON))
        assert logins.get(US, LOGIN) == ours
        assert logins.lease(replace(ours, account=AccountId("nobody")), NOON + MINUTE, NOON) is None


class BudgetsContract:
    def test_a_block_stands_until_its_end_and_the_longest_counts(self, store: Stores) -> None:
        budgets = store.budgets
        assert budgets.blocked_until("exact:1", NOON) is None
        budgets.block("exact:1", NOON + 2 * MINUTE)
        budgets.block("exact:1", NOON + MINUTE)
        assert budgets.blocked_until("exact:1", NOON) == NOON + 2 * MINUTE
        assert budgets.blocked_until("exact:1", NOON + 2 * MINUTE) is None
        assert budgets.blocked_until("exact:2", NOON) is None

    def test_a_counter_starts_again_in_the_next_window(self, store: Stores) -> None:
        budgets = store.budgets
        assert [budgets.count("exact:1", NOON), budgets.count("exact:1", NOON, 4)] == [1, 5]
        assert budgets.count("exact:1", NOON + MINUTE) == 1
        assert budgets.count("exact:2", NOON) == 1


class NumbersContract:
    LINE = "octopus.70001.4.V1"

    @pytest.fixture
    def numbers(self, store: Stores) -> ports.Numbers:
        return store.numbers

    def hold(self, numbers: ports.Numbers, holder: str = "us", at: datetime = NOON) -> ports.NumberLine | None:
        return numbers.hold(self.LINE, holder, at, at + 2 * MINUTE)

    def test_a_new_line_must_be_read_from_the_package(self, numbers: ports.Numbers) -> None:
        held = self.hold(numbers)
        assert (held.line, held.next) == (self.LINE, None)

    def test_the_next_holder_finds_what_the_last_one_left(self, numbers: ports.Numbers) -> None:
        numbers.release(self.hold(numbers), 42)
        held = self.hold(numbers, "them")
        assert held.next == 42
        numbers.release(held, None)
        assert self.hold(numbers).next is None

    def test_others_wait_while_an_offer_is_open(self, numbers: ports.Numbers) -> None:
        held = self.hold(numbers)
        assert self.hold(numbers, "them", NOON + MINUTE) is None
        numbers.release(held, 42)
        assert self.hold(numbers, "them", NOON + MINUTE).next == 42

    def test_an_offer_nobody_closed_ends_with_its_time(self, numbers: ports.Numbers) -> None:
        numbers.release(self.hold(numbers), 42)
        self.hold(numbers)
        assert self.hold(numbers, "them", NOON + 2 * MINUTE - timedelta(microseconds=1)) is None
        assert self.hold(numbers, "them", NOON + 2 * MINUTE).next == 42

    def test_who_holds_it_gets_it_again_and_keeps_others_away_as_long(self, numbers: ports.Numbers) -> None:
        numbers.release(self.hold(numbers), 42)
        self.hold(numbers)
        assert self.hold(numbers, "us", NOON + MINUTE).next == 42
        assert self.hold(numbers, "them", NOON + 2 * MINUTE) is None

    def test_who_lost_the_line_changes_nothing(self, numbers: ports.Numbers) -> None:
        mine = self.hold(numbers)
        theirs = self.hold(numbers, "them", NOON + 2 * MINUTE)
        numbers.release(mine, 7)
        assert self.hold(numbers, "us", NOON + 3 * MINUTE) is None
        numbers.release(theirs, 42)
        numbers.release(mine, 7)
        assert self.hold(numbers).next == 42

    def test_who_held_it_before_himself_changes_nothing_either(self, numbers: ports.Numbers) -> None:
        """Two workers of one account: the slower one's number is old."""
        slow, quick = self.hold(numbers), self.hold(numbers)
        numbers.release(slow, 7)
        assert self.hold(numbers, "them") is None
        numbers.release(quick, 42)

    def test_an_outlived_line_is_still_given_back(self, numbers: ports.Numbers) -> None:
        numbers.release(self.hold(numbers), 42)
        assert self.hold(numbers, "them", NOON + 60 * MINUTE).next == 42

    def test_lines_are_apart(self, numbers: ports.Numbers) -> None:
        numbers.release(self.hold(numbers), 42)
        self.hold(numbers)
        for line in ("octopus.70001.4.V2", "octopus.70001.5.V1", "octopus.70002.4.V1"):
            assert numbers.hold(line, "them", NOON, NOON + MINUTE).next is None


class ProblemsContract:
    @pytest.fixture
    def problems(self, store: Stores) -> ports.Problems:
        return store.problems(US, BOOKS)

    def test_a_problem_keeps_since_while_its_cause_stands(self, problems: ports.Problems) -> None:
        problems.report("document:1", CONNECTION, PeriodClosed(period="2026 - 02"), NOON, "2026 / 1")
        problems.report("document:1", CONNECTION, PeriodClosed(period="2026 - 03"), NOON + MINUTE, "2026 / 1")
        (problem,) = problems.all()
        assert (problem.cause, problem.family, problem.facts, problem.since, problem.about, problem.connection) == (
            "PeriodClosed",
            "NeedsSetup",
            {"period": "2026 - 03"},
            NOON,
            "2026 / 1",
            CONNECTION,
        )
        problems.report("document:1", CONNECTION, TotalsDiffer(printed="1", computed="2"), NOON + MINUTE, "2026 / 1")
        assert [(problem.cause, problem.since) for problem in problems.all()] == [("TotalsDiffer", NOON + MINUTE)]

    def test_facts_are_words_and_the_oldest_comes_first(self, problems: ports.Problems) -> None:
        problems.report("job:documents", None, RateLimited(vendor="exact", until=NOON), NOON + MINUTE, "")
        problems.report("document:1", None, PeriodClosed(period="1"), NOON, "")
        first, second = problems.all()
        assert (first.subject, second.facts) == ("document:1", {"vendor": "exact", "until": NOON.isoformat()})

    def test_solved_is_gone_and_twice_is_harmless(self, problems: ports.Problems) -> None:
        problems.report("document:1", CONNECTION, PeriodClosed(period="1"), NOON, "")
        problems.solve("document:1")
        problems.solve("document:1")
        assert problems.all() == []

    def test_problems_are_of_one_account_and_administration(self, store: Stores) -> None:
        store.problems(US, BOOKS).report("document:1", CONNECTION, PeriodClosed(period="1"), NOON, "")
        for other in (store.problems(THEM, BOOKS), store.problems(US, OTHER_BOOKS)):
            assert other.all() == []
            other.solve("document:1")
        assert len(store.problems(US, BOOKS).all()) == 1


class AuditContract:
    def test_entries_follow_each_other_and_are_read_page_by_page(self, store: Stores) -> None:
        audit = store.audit(US)
        for n in range(1, 13):
            audit.append("exact.be.1", "booked", {"document": n}, NOON)
        first = audit.entries("exact.be.1", limit=5)
        second = audit.entries("exact.be.1", after=first[-1]["sequence"], limit=5)
        rest = audit.entries("exact.be.1", after=second[-1]["sequence"])
        entries = [*first, *second, *rest]
        assert [entry["facts"] for entry in entries] == [{"document": n} for n in range(1, 13)]
        assert [entry["sequence"] for entry in entries] == list(range(1, 13))
        assert [entry["previous"] for entry in entries[1:]] == [entry["hash"] for entry in entries[:-1]]
        assert len({entry["hash"] for entry in entries}) == 12

    def test_facts_may_hold_amounts_and_times(self, store: Stores) -> None:
        store.audit(US).append("account", "paid", {"amount": Money.of("60.50", "EUR"), "at": NOON}, NOON)
        (entry,) = store.audit(US).entries("account")
        assert entry["facts"] == {"amount": {"amount": "60.50", "currency": "EUR"}, "at": "2026-03-02T12:00:00Z"}

    def test_anyone_can_check_a_chain(self, store: Stores) -> None:
        """Hash: SHA-256 over the hash before and what the entry says, as canonical JSON; 64 zeros before the first."""
        store.audit(US).append("books", "sent", {"document": "é", "gross": "121.10"}, NOON)
        store.audit(US).append("books", "booked", {"b": 1, "a": None}, NOON + MINUTE)
        before = "0" * 64
        for entry in store.audit(US).entries("books"):
            said = {name: entry[name] for name in ("at", "facts", "sequence", "what")}
            canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            assert entry["previous"] == before
            before = hashlib.sha256((before + canonical).encode()).hexdigest()
            assert entry["hash"] == before

    def test_chains_are_of_one_account_and_apart(self, store: Stores) -> None:
        store.audit(US).append("account", "booked", {}, NOON)
        assert (store.audit(THEM).entries("account"), store.audit(US).entries("exact.be.1")) == ([], [])
        store.audit(THEM).append("account", "booked", {}, NOON)
        assert [entry["sequence"] for entry in store.audit(THEM).entries("account")] == [1]


def a_connection(account: AccountId = US, id: str = CONNECTION, books: AdministrationId = BOOKS) -> Connection:
    codes = {TaxRateId("rate"): {DocumentKind.INVOICE: "4", DocumentKind.CREDIT_NOTE: "5"}}
    return Connection(
        id=ConnectionId(id),
        account=account,
        entity=EntityId("entity"),
        entity_name="Voorbeeld bv",
        package="exact",
        administration=books,
        administration_name="Voorbeeld",
        login=LOGIN,
        start=date(2026, 1, 1),
        invoice_journal="70",
        credit_note_journal="71",
        mapping=Mapping(vat_codes=codes, default_account="700000", accepted_at=NOON),
        created_at=NOON,
    )


class ConnectionsContract:
    def test_a_connection_is_kept_as_it_was_saved_last(self, store: Stores) -> None:
        connections = store.connections
        assert connections.get(US, CONNECTION) is None
        connections.save(a_connection())
        assert connections.get(US, CONNECTION) == a_connection()
        connections.save(replace(a_connection(), automatic=True))
        assert connections.of_account(US) == [replace(a_connection(), automatic=True)]

    def test_a_mapping_is_nobodys_to_change(self, store: Stores) -> None:
        saved = a_connection()
        store.connections.save(saved)
        for held in (saved, store.connections.get(US, CONNECTION)):
            held.mapping.vat_codes.clear()
        assert store.connections.get(US, CONNECTION) == a_connection()

    def test_connections_of_one_administration(self, store: Stores) -> None:
        mine, other = a_connection(), a_connection(id="connection-2", books=OTHER_BOOKS)
        store.connections.save(mine)
        store.connections.save(other)
        assert store.connections.of_administration(US, OTHER_BOOKS) == [other]

    def test_connections_are_of_one_account(self, store: Stores) -> None:
        store.connections.save(a_connection())
        assert store.connections.get(THEM, CONNECTION) is None
        assert store.connections.of_account(THEM) == []
        assert store.connections.of_administration(THEM, BOOKS) == []
        store.connections.save(replace(a_connection(THEM), active=False))
        assert store.connections.get(US, CONNECTION).active


class SnapshotsContract:
    def test_a_snapshot_is_replaced_as_a_whole(self, store: Stores) -> None:
        snapshots = store.snapshots(US)
        assert snapshots.get("books") is None
        snapshots.put("books", {"journals": [{"code": "70"}], "left": 0.5})
        assert snapshots.get("books") == {"journals": [{"code": "70"}], "left": 0.5}
        snapshots.put("books", {"accounts": []})
        assert snapshots.get("books") == {"accounts": []}

    def test_thousands_of_ledger_accounts_fit(self, store: Stores) -> None:
        accounts = [
            {"id": f"{n:08d}-0000-4000-8000-000000000000", "code": str(n), "name": f"Omzet {n}", "blocked": False}
            for n in range(5_000)
        ]
        store.snapshots(US).put("books", {"accounts": accounts})
        assert store.snapshots(US).get("books") == {"accounts": accounts}

    def test_rows_are_added_replaced_and_paged(self, store: Stores) -> None:
        snapshots = store.snapshots(US)
        snapshots.put_rows("proposals", {f"company:{n:02d}": {"score": n} for n in range(60)})
        snapshots.put_rows("proposals", {"company:03": {"score": 99}})
        first = snapshots.rows("proposals", limit=50)
        rest = snapshots.rows("proposals", after=first[-1][0], limit=50)
        assert [key for key, _ in (*first, *rest)] == [f"company:{n:02d}" for n in range(60)]
        assert snapshots.row("proposals", "company:03") == {"score": 99}
        assert (snapshots.row("proposals", "company:99"), snapshots.rows("others")) == (None, [])

    def test_what_was_put_is_nobodys_to_change(self, store: Stores) -> None:
        snapshots, whole, row = store.snapshots(US), {"journals": ["70"]}, {"reasons": ["name"]}
        snapshots.put("books", whole)
        snapshots.put_rows("proposals", {"a": row})
        for value, name in ((whole, "journals"), (row, "reasons")):
            value[name].append("mine")
        snapshots.get("books")["journals"].append("mine")
        snapshots.row("proposals", "a")["reasons"].append("mine")
        assert (snapshots.get("books"), snapshots.row("proposals", "a")) == (
            {"journals": ["70"]},
            {"reasons": ["name"]},
        )

    def test_snapshots_are_of_one_account(self, store: Stores) -> None:
        store.snapshots(US).put("books", {"journals": []})
        store.snapshots(US).put_rows("proposals", {"a": {}})
        them = store.snapshots(THEM)
        assert (them.get("books"), them.row("proposals", "a"), them.rows("proposals")) == (None, None, [])


class DoorsContract:
    """Accounts, sessions, OAuth trips and webhook tokens."""

    def test_who_came_first_stays_the_admin(self, store: Stores) -> None:
        first = Account(US, "user-1", "An Voorbeeld", "nl", LOGIN, NOON)
        assert store.accounts.get(US) is None
        assert store.accounts.found(first) == first
        assert store.accounts.found(replace(first, admin="user-2")) == first
        assert (store.accounts.get(US), store.accounts.get(THEM)) == (first, None)

    def test_a_session_lasts_until_it_ends_or_is_closed(self, store: Stores) -> None:
        session = Session(US, "user-1", "An Voorbeeld", "nl", "csrf", NOON + MINUTE)
        token, other = store.sessions.open(session), store.sessions.open(replace(session, account=THEM))
        assert store.sessions.get(token, NOON) == session
        assert store.sessions.get(other, NOON).account == THEM
        assert store.sessions.get(token, NOON + MINUTE) is None
        assert store.sessions.get("guessed", NOON) is None
        store.sessions.close(token)
        assert store.sessions.get(token, NOON) is None
        assert store.sessions.get(other, NOON) is not None

    def test_an_oauth_state_is_taken_once_and_in_time(self, store: Stores) -> None:
        state = OAuthState("exact", "be", "browser", US, NOON + MINUTE)
        token, late = store.states.open(state), store.states.open(state)
        assert store.states.take(token, NOON) == state
        assert store.states.take(token, NOON) is None
        assert store.states.take(late, NOON + MINUTE) is None
        assert store.states.take("guessed", NOON) is None

    def test_a_new_webhook_token_kills_the_old_one(self, store: Stores) -> None:
        old = store.webhook_tokens.rotate(US, "teamleader")
        theirs = store.webhook_tokens.rotate(THEM, "teamleader")
        exact = store.webhook_tokens.rotate(US, "exact")
        new = store.webhook_tokens.rotate(US, "teamleader")
        assert store.webhook_tokens.account_of("teamleader", old) is None
        assert store.webhook_tokens.account_of("teamleader", new) == US
        assert store.webhook_tokens.account_of("teamleader", theirs) == THEM
        assert store.webhook_tokens.account_of("exact", exact) == US
        assert store.webhook_tokens.account_of("teamleader", exact) is None

    def test_tokens_hold_256_bits(self, store: Stores) -> None:
        session = store.sessions.open(Session(US, "u", "n", "nl", "c", NOON))
        state = store.states.open(OAuthState("exact", "be", "browser", None, NOON))
        webhook = store.webhook_tokens.rotate(US, "teamleader")
        assert [len(token) for token in (session, state, webhook)] == [43, 43, 43]
