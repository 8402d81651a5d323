"""Small damage done to the code on purpose: each has a test that must notice, or the rule it broke is held by nobody.

infra/run python -m tests.chaos.mutants                  all of them
infra/run python -m tests.chaos.mutants --only probe     those whose file or reason holds this text
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .damage import Fate, Mutant, run

ONCE = "tests/unit/sync/test_write_once.py::test_"
BOOK = "tests/unit/sync/test_book.py::test_"
FOUND = "tests/chaos/test_found.py::test_"
LINKS = "tests/contract/test_store.py::TestLinksOnDynamo::test_"
JOBS = "tests/contract/test_store.py::TestJobsOnDynamo::test_"
LOGINS = "tests/contract/test_store.py::TestLoginsOnDynamo::test_"
TOKENS = "tests/unit/vendors/test_oauth.py::test_"
OFFERS = "tests/unit/sync/test_offers.py::test_"
TURN = "tests/unit/sync/test_in_turn.py::test_"
NEWS = "tests/unit/sync/test_find_documents.py::test_"
NUMBERS = "tests/contract/test_store.py::TestNumbersOnDynamo::test_"
DOCUMENTS = "tests/contract/test_store.py::TestDocumentsOnDynamo::test_"
NUMBERS_DOUBLE = "tests/contract/test_store.py::TestNumbersInMemory::test_"
LINKS_DOUBLE = "tests/contract/test_store.py::TestLinksInMemory::test_"
DOCUMENTS_DOUBLE = "tests/contract/test_store.py::TestDocumentsInMemory::test_"
RETRY = "tests/unit/web/test_work.py::test_"


def _of(file: str, tests: str, *changes: tuple[str, str, str, str]) -> list[Mutant]:
    """Mutants of one file: what each takes away, the old text, the new, and the end of its killer's id."""
    return [Mutant(file, why, old, new, tests + killer) for why, old, new, killer in changes]


DECISIONS = (
    (
        "the word that a general wish is not",
        "if causes is None and documents is None and now.cause in BY_DECISION:",
        "if False:",
        "what_was_deleted_in_the_books_waits_for_a_word_about_that_very_document",
    ),
    (
        "the word about that very document",
        "causes is None and documents is None and now.cause",
        "causes is None and now.cause",
        "what_was_deleted_in_the_books_waits_for_a_word_about_that_very_document",
    ),
    (
        "the word that a change is not",
        " and record.cause in BY_DECISION\n",
        " and False\n",
        "what_was_deleted_in_the_books_waits_for_a_word_about_that_very_document",
    ),
    (
        "the change that lets others go",
        " and record.cause in BY_DECISION\n",
        "\n",
        "held_leaves_the_line_until_it_changes",
    ),
    (
        "the cause of what stays",
        'record.cause if record and stays else ""',
        '""',
        "what_was_deleted_in_the_books_waits_for_a_word_about_that_very_document",
    ),
    (
        "the count of what stays",
        " and before.cause not in BY_DECISION",
        "",
        "what_was_deleted_in_the_books_waits_for_a_word_about_that_very_document",
    ),
    (
        "who saw it booked",
        "is DocumentState.BOOKED and record.state is not DocumentState.BOOKED:",
        "is DocumentState.BOOKED:",
        "who_saw_it_booked_may_hold_it",
    ),
    (
        "who did not see it booked",
        "if now.state is DocumentState.BOOKED and record.state is not DocumentState.BOOKED:",
        "if False:",
        "what_was_booked_is_not_held_any_more",
    ),
    ("the number of what is gone", 'cause=cause, booking_number="")', "cause=cause)", "who_saw_it_booked_may_hold_it"),
)
"""What only a word about one document puts back; both stores say it alike."""


MUTANTS = [
    *_of(
        "sync/write_once.py",
        ONCE,
        (
            "the probe",
            "protocol.probe(doubtful)",
            "[None] * len(doubtful)",
            "an_answer_lost_after_the_commit_is_found_by_the_first_look",
        ),
        ("the settle time", " + protocol.settle:", ":", "absence_counts_only_at_the_second_look_and_after_the_wait"),
        (
            "the intent record",
            "links.plan(protocol.kind, write.subject, write.payload, write.payload_hash, real.now())",
            "Intent(protocol.kind, write.subject, WriteState.SENDING, 1, real.now(), write.payload, "
            "write.payload_hash)",
            "the_intent_stands_before_the_call",
        ),
        (
            "the record of the next attempt",
            "links.again(earlier, write.payload, write.payload_hash, real.now())",
            "earlier",
            "absence_counts_only_at_the_second_look_and_after_the_wait",
        ),
        (
            "the life of a paused sender",
            "looked_at < intent.sent_at + FUNCTION_TIMEOUT",
            "looked_at < intent.sent_at",
            "absence_counts_only_at_the_second_look_and_after_the_wait",
        ),
        (
            "ten seconds of that life",
            "timedelta(seconds=120)",
            "timedelta(seconds=110)",
            "the_wait_outlives_every_function_that_writes",
        ),
        (
            "the end of the wait",
            "looked_at < intent",
            "looked_at <= intent",
            "absence_counts_only_at_the_second_look_and_after_the_wait",
        ),
        ("the second look", "elif intent.missed_at is None:", "elif False:", "one_look_after_the_wait_is_not_enough"),
        (
            "the memory of the first look",
            "links.missed(intent, looked_at)",
            "pass",
            "absence_counts_only_at_the_second_look_and_after_the_wait",
        ),
        (
            "the clock before the look",
            "    looked_at = real.now()  # before the call: what appears while we look is not proved absent\n"
            "    for intent, found in zip(doubtful, protocol.probe(doubtful), strict=True):",
            "    probed = protocol.probe(doubtful)\n"
            "    looked_at = real.now()\n"
            "    for intent, found in zip(doubtful, probed, strict=True):",
            "what_appears_during_a_slow_look_is_not_proved_absent",
        ),
        (
            "the mark of what was found",
            "protocol.encode(found), adopted=True",
            "protocol.encode(found), adopted=False",
            "an_answer_lost_after_the_commit_is_found_by_the_first_look",
        ),
        (
            "what is done already",
            "if intent.state is WriteState.DONE:",
            "if False:",
            "what_is_answered_is_remembered_and_never_sent_again",
        ),
        (
            "the doubt about a dead sender",
            "(WriteState.SENDING, WriteState.UNKNOWN)]",
            "(WriteState.UNKNOWN,)]",
            "a_worker_that_died_before_its_call_is_treated_as_one_that_may_have_sent",
        ),
        (
            "the doubt about a lost answer",
            "(WriteState.SENDING, WriteState.UNKNOWN)]",
            "(WriteState.SENDING,)]",
            "an_answer_lost_after_the_commit_is_found_by_the_first_look",
        ),
        (
            "the parts",
            "left[first : first + protocol.batch]",
            "left[first:]",
            "a_limit_met_at_the_second_does_not_forget_the_first",
        ),
        ("the look at the time", "if not may_go_on():", "if False:", "what_there_is_no_time_for_is_not_begun"),
        (
            "the place of who was first",
            "except IntentMoved:  # another",
            "except KeyError:  # another",
            "two_workers_with_one_subject_send_once",
        ),
        (
            "the finder who came second",
            "except (IntentMoved, RefTaken):",
            "except RefTaken:",
            "who_finds_what_another_settled_meanwhile_changes_nothing",
        ),
        (
            "the finder of another's",
            "except (IntentMoved, RefTaken):",
            "except IntentMoved:",
            "what_is_found_and_another_owns_is_not_ours",
        ),
        (
            "the certainty that nothing left",
            "links.refuse(intent, held_back.cause)",
            "links.unknown(intent)",
            "what_never_left_the_house_leaves_no_doubt",
        ),
        (
            "the certainty that nothing left without a login",
            "except (TryLater, NeedsLogin) as",
            "except TryLater as",
            "what_never_left_the_house_leaves_no_doubt",
        ),
        (
            "the silence when there is nothing to send",
            "if not intents:",
            "if False:",
            "two_workers_with_one_subject_send_once",
        ),
        (
            "the payload of the next attempt",
            "links.again(earlier, write.payload, write.payload_hash, real.now())",
            "links.again(earlier, earlier.payload, earlier.payload_hash, real.now())",
            "what_is_sent_again_is_remembered_as_it_is_now",
        ),
        (
            "the order of the answers",
            "[answers[write.subject] for write in writes]",
            "list(answers.values())",
            "answers_come_in_the_order_of_the_writes",
        ),
        (
            "the memory of an answer",
            "done = links.done(intent, protocol.encode(value))",
            "done = intent",
            "what_is_answered_is_remembered_and_never_sent_again",
        ),
        (
            "the clear no",
            "links.refuse(intent, cause.cause)",
            "links.unknown(intent)",
            "a_clear_no_may_be_sent_again_at_once",
        ),
        (
            "the record of a lost answer",
            "case _:\n                    links.unknown(intent)",
            "case _:",
            "a_lost_answer_is_remembered_as_unknown",
        ),
        (
            "the sender who came second",
            "except IntentMoved:  # somebody",
            "except KeyError:  # somebody",
            "a_worker_that_answers_after_another_settled_it_changes_nothing",
        ),
        (
            "the answer that is another's",
            "        except RefTaken:\n",
            "        except KeyError:\n",
            "an_answer_that_names_what_another_owns_is_no_booking",
        ),
    ),
    *_of(
        "sync/book.py",
        BOOK,
        (
            "the kind of a booking by hand",
            "booking.kind is entry.kind\n        and booking.journal",
            "booking.journal",
            "a_booking_that_tells_one_thing_otherwise_is_anothers[kind]",
        ),
        (
            "the journal of a booking by hand",
            "        and booking.journal == entry.journal\n",
            "",
            "a_booking_that_tells_one_thing_otherwise_is_anothers[journal]",
        ),
        (
            "the day of a booking by hand",
            "        and booking.day == entry.day\n",
            "",
            "a_booking_that_tells_one_thing_otherwise_is_anothers[day]",
        ),
        (
            "the relation of a booking by hand",
            "        and booking.relation == entry.relation\n",
            "",
            "a_booking_that_tells_one_thing_otherwise_is_anothers[relation]",
        ),
        (
            "the gross of a booking by hand",
            "        and booking.gross == entry.gross\n",
            "",
            "a_booking_that_tells_one_thing_otherwise_is_anothers[gross]",
        ),
        (
            "the vat of a booking by hand",
            "        and booking.vat in (None, entry.vat)\n",
            "",
            "a_booking_that_tells_one_thing_otherwise_is_anothers[vat]",
        ),
        (
            "the key of a booking by hand",
            '        and booking.key in ("", entry.key)\n',
            "",
            "a_booking_that_tells_one_thing_otherwise_is_anothers[key]",
        ),
        (
            "the reference of a booking by hand",
            "            same_reference(reference, entry.number, abilities.reference_length)\n",
            "            True\n",
            "a_booking_that_tells_one_thing_otherwise_is_anothers[reference]",
        ),
        (
            "the kind of an answer",
            "        and booking.kind is sent.kind\n",
            "",
            "an_answer_with_another_kind_or_amount_is_not_as_sent[kind]",
        ),
        (
            "the gross of an answer",
            "        and booking.gross == sent.gross\n",
            "",
            "an_answer_with_another_kind_or_amount_is_not_as_sent[gross]",
        ),
        (
            "the vat of an answer",
            "        and booking.vat in (None, sent.vat)\n",
            "",
            "an_answer_with_another_kind_or_amount_is_not_as_sent[vat]",
        ),
        (
            "the administration of an answer",
            "booking.administration == administration\n        and booking.kind",
            "booking.kind",
            "an_answer_from_another_administration_is_not_as_sent",
        ),
        (
            "our key on a lost write",
            "[*keyed, *agreeing]",
            "agreeing",
            "a_lost_write_is_known_by_its_key_whatever_became_of_it",
        ),
        (
            "our key before what only agrees",
            "[*keyed, *agreeing]",
            "[*agreeing, *keyed]",
            "a_lost_write_is_known_by_its_key_whatever_became_of_it",
        ),
        (
            "what agrees on a lost write",
            "[*keyed, *agreeing]",
            "keyed",
            "a_lost_write_without_a_key_is_ours_only_when_everything_agrees",
        ),
        (
            "the agreement of a lost write",
            "if agrees(booking, entry, abilities)]",
            "]",
            "a_lost_write_without_a_key_is_ours_only_when_everything_agrees",
        ),
        (
            "the owner of what was found",
            "if owner is None or owner == entry.document:",
            "if True:",
            "what_another_document_owns_is_not_our_lost_write",
        ),
        (
            "what we own already",
            "if owner is None or owner == entry.document:",
            "if owner is None:",
            "what_we_own_already_is_found_again",
        ),
        (
            "the package's settle time",
            "seconds=ledger.abilities.settle_s",
            "seconds=0",
            "the_package_says_how_many_go_together_and_how_long_a_lost_one_may_take",
        ),
        (
            "the package's batch",
            "batch=ledger.abilities.batch",
            "batch=1",
            "the_package_says_how_many_go_together_and_how_long_a_lost_one_may_take",
        ),
    ),
    *_of(
        "sync/book.py",
        "tests/flow/",
        (
            "the customer and the amount",
            "booking.relation == entry.relation or booking.gross == entry.gross",
            "True",
            "test_by_hand.py::TestAnInvoiceBookedByHand::test_for_another_customer_and_day_the_number_proves_nothing",
        ),
        (
            "the customer of one like it",
            "booking.relation == entry.relation or booking.gross",
            "booking.gross",
            "test_by_hand.py::TestAnInvoiceBookedByHand::test_with_another_amount_it_is_reported_and_not_booked_beside_it",
        ),
        (
            "the amount of one like it",
            "booking.relation == entry.relation or booking.gross == entry.gross",
            "booking.relation == entry.relation",
            "test_hard_cases.py::TestLookingFirst::test_a_booking_on_another_day_for_another_relation_is_shown",
        ),
        (
            "the kind of one of that number",
            "[booking for booking in here if booking.kind is entry.kind or booking.gross == -entry.gross]",
            "here",
            "test_by_hand.py::TestAnInvoiceBookedByHand::test_a_credit_note_of_that_number_is_another_document",
        ),
        (
            "the look before the first booking",
            "if entry.document not in done:\n",
            "if False:\n",
            "test_by_hand.py::TestAnInvoiceBookedByHand::test_before_we_came_it_is_adopted_and_its_payments_come_back",
        ),
        (
            "the look after a refusal",
            "sent = {document for document, intent in intents.items() if intent.state not in not_ours}",
            "sent = set(intents)",
            "test_by_hand.py::TestAnInvoiceBookedByHand::test_after_the_books_refused_ours_it_is_adopted",
        ),
        (
            "the line of an adopted booking's payments",
            'desk.settlements.claim(booking.ref)\n    desk.audit("adopted"',
            'desk.audit("adopted"',
            "test_by_hand.py::TestAnInvoiceBookedByHand::test_and_paid_before_we_adopted_it_is_paid_in_teamleader_all_the_same",
        ),
        (
            "the line of a found booking's payments",
            "if written.intent.adopted:",
            "if False:",
            "test_once.py::TestAnAnswerLostAfterTheWorkWasDone::"
            "test_a_booking_that_was_paid_before_it_was_found_is_paid_in_teamleader_too",
        ),
        (
            "what stands in the books now",
            "and (now := desk.ledger.booking(booking)) is not None:\n            return now",
            ":\n            return booking",
            "test_problems.py::test_a_differing_booking_by_hand_that_the_bookkeeper_removed_is_booked_by_us",
        ),
        (
            "the stop of a kind",
            "desk.stop_kind(record)",
            "pass",
            "test_problems.py::TestAnAnswerThatDiffers::test_stops_credit_notes_and_not_invoices",
        ),
        (
            "the going on of a stopped kind",
            "if written.how is not How.KNOWN:  # known: its",
            "if True:  # known: its",
            "test_problems.py::TestAnAnswerThatDiffers::test_that_a_person_knows_of_does_not_stop_the_others_again",
        ),
        (
            "the second look at what came back differently",
            "desk.ledger.booking(booking) or booking  #",
            "booking  #",
            "test_problems.py::TestAnAnswerThatDiffers::test_a_run_by_hand_goes_on_with_the_others",
        ),
        (
            "the comparison with what was sent",
            "if compared and not as_sent(booking, sent, administration):\n        booked",
            "if False:\n        booked",
            "test_problems.py::TestAnAnswerThatDiffers::test_stops_credit_notes_and_not_invoices",
        ),
        (
            "the comparison with the document as it was sent",
            "from_text(Prepared, written.intent.payload).entry if written.intent.payload else entry",
            "entry",
            "test_once.py::TestAnAnswerLostAfterTheWorkWasDone::"
            "test_a_booking_is_compared_with_what_was_sent_and_not_with_a_later_edit",
        ),
        (
            "a number that came free",
            "in_the_way = _is_gone(desk, entry, DocumentId(owner))",
            "in_the_way = False",
            "test_hard_cases.py::TestLookingFirst::test_a_number_that_came_free_in_teamleader_is_not_booked_beside_its_old_booking",
        ),
        (
            "the doubt that a slice ends with",
            "return True\n    else:\n        desk.audit",
            "return False\n    else:\n        desk.audit",
            "test_once.py::TestAnAnswerLostAfterTheWorkWasDone::test_a_booking_is_found_and_not_sent_again",
        ),
        (
            "the outcome of what is given up",
            "if intent is None or not in_doubt or",
            "if True or",
            "test_once.py::TestAnAnswerLostAfterTheWorkWasDone::"
            "test_a_booking_is_found_though_its_period_was_closed_meanwhile",
        ),
        (
            "the silence about what is given up",
            "replace(protocol, send=lambda writes: [Refused(error) for _ in writes], resend=None)",
            "protocol",
            "test_once.py::TestAConnectionLostBeforeTheWorkWasDone::"
            "test_a_booking_whose_document_is_gone_is_not_sent_again",
        ),
    ),
    *_of(
        "domain/ledger.py",
        "tests/unit/sync/test_book.py::test_",
        (
            "how much of a number the package keeps",
            "_plain(one[:length]) == _plain(other[:length])",
            "_plain(one) == _plain(other)",
            "a_number_counts_as_far_as_the_package_keeps_it",
        ),
    ),
    *_of(
        "domain/ledger.py",
        "tests/flow/",
        (
            "capitals and blanks",
            '"".join(reference.split()).casefold()',
            "reference",
            "test_by_hand.py::TestAnInvoiceBookedByHand::test_with_its_number_typed_a_little_differently_it_is_the_same",
        ),
    ),
    *_of(
        "sync/slices.py",
        FOUND,
        (
            "the last look after a lost lease",
            "        house.jobs.make_due(key, now)\n        house.nudges.send(key)\n",
            "",
            "a_worker_that_lost_its_lease_leaves_the_job_due",
        ),
    ),
    *_of(
        "sync/desk.py",
        FOUND,
        (
            "the fence before documents are let go",
            "        self.house.jobs.save_cursor(self.job, cursor)\n",
            "        if cursor != self.job.cursor:\n            self.house.jobs.save_cursor(self.job, cursor)\n",
            "a_worker_that_lost_its_lease_puts_nothing_back_in_line",
        ),
    ),
    *_of(
        "sync/find_documents.py",
        FOUND,
        (
            "the documents in doubt",
            "desk.documents.release(documents=[DocumentId(subject) for subject in in_doubt])",
            "pass",
            "a_document_whose_outcome_nobody_knows_is_looked_at_again",
        ),
    ),
    *_of(
        "store/links.py",
        LINKS,
        (
            "the attempt condition",
            "#state = :was AND #record.#attempt = :attempt",
            "#state = :was AND #record.#attempt >= :attempt",
            "an_answer_to_an_earlier_attempt_changes_nothing",
        ),
        (
            "the attempt of an answer",
            ":unknown) AND #record.#attempt = :attempt",
            ":unknown) AND #record.#attempt >= :attempt",
            "an_answer_to_an_earlier_attempt_changes_nothing",
        ),
        (
            "the one planner",
            '(intent, when="attribute_not_exists(pk)")',
            '(intent, when="attribute_not_exists(#nothing)")',
            "only_one_worker_plans",
        ),
        (
            "the one owner",
            '"attribute_not_exists(pk) OR #subject = :subject"',
            '"attribute_not_exists(pk) OR #subject <> :subject OR #subject = :subject"',
            "a_booking_belongs_to_one_document",
        ),
        ("the way back", ", *self._reverse(done))", ")", "done_remembers_both_ways_and_settles"),
        (
            "the state of who sends again",
            "when=_SAME_STEP, was=intent.state, attempt=intent.attempt)\n        self._step(same",
            'when="#record.#attempt = :attempt", attempt=intent.attempt)\n        self._step(same',
            "what_another_called_unknown_is_read_again_before_it_is_sent_again",
        ),
        (
            "the end of what is done",
            "if intent.state is WriteState.DONE:\n            raise ValueError",
            "if False:\n            raise ValueError",
            "done_is_final",
        ),
        (
            "ours under way before an adoption",
            "OR #record.#state IN (:refused, :gone)",
            "OR #record.#state <= :refused OR #record.#state > :gone",
            "adopting_needs_that_nothing_of_ours_is_under_way",
        ),
        (
            "the marker of a first intent",
            'when="attribute_not_exists(pk)"), self._marker(intent))',
            'when="attribute_not_exists(pk)"))',
            "a_first_intent_is_sending_and_unsettled",
        ),
        (
            "the marker of a next attempt",
            "self._step(same, self._marker(intent))",
            "self._step(same)",
            "refused_settles_and_may_be_sent_again",
        ),
    ),
    *_of(
        "store/links.py",
        "tests/unit/store/test_links.py::test_",
        (
            "the marker's end",
            "self._step(refused, delete(self._unsettled(intent)))",
            "self._step(refused)",
            "what_is_unsettled_is_found_without_reading_what_was_settled",
        ),
    ),
    *_of(
        "store/jobs.py",
        JOBS,
        (
            "the lease's fencing",
            '_MINE = "#version = :version',
            '_MINE = "#version >= :version',
            "a_lease_that_ran_out_is_taken_over_and_its_holder_fenced",
        ),
        (
            "the lease itself",
            'free += "(',
            'free += "(attribute_exists(pk) OR ',
            "one_worker_has_the_lease_and_others_leave_word",
        ),
        (
            "the number of a lease",
            "#again = :no, #version = #version + :one",
            "#again = :no, #version = if_not_exists(#version, :one)",
            "a_lease_that_ran_out_is_taken_over_and_its_holder_fenced",
        ),
        (
            "the haste of who came meanwhile",
            "due_at = min(due_at or ran_at, ran_at)",
            "due_at = due_at or None",
            "what_was_asked_during_the_run_is_due_when_it_ends",
        ),
        (
            "the rest of a paused job",
            '"attribute_exists(pk) AND #paused = :none AND "',
            '"attribute_exists(pk) AND #paused >= :none AND "',
            "a_paused_job_is_neither_due_nor_claimed_until_resumed",
        ),
        (
            "the word of who found the lease held",
            '"SET #again = :yes", "#leased_until > :now"',
            '"SET #again = if_not_exists(#again, :yes)", "#leased_until > :now"',
            "one_worker_has_the_lease_and_others_leave_word",
        ),
        (
            "the lease of a release",
            '_MINE = "#version = :version AND attribute_exists(#leased_until)"',
            '_MINE = "#version = :version"',
            "nothing_is_saved_after_the_lease_was_given_back",
        ),
        (
            "the wish that came during the run",
            'f"{_MINE} AND #again = :no", "#manual = :no"',
            '_MINE, "#manual = :no"',
            "a_wish_that_comes_during_the_run_survives_its_release",
        ),
        (
            "the one nudge of a sweep",
            "AND #due_at <= :before AND {free}",
            "AND (#due_at <= :before OR #due_at > :before) AND {free}",
            "a_sweep_nudges_a_due_job_once_and_looks_again_later",
        ),
    ),
    *_of(
        "store/logins.py",
        LOGINS,
        (
            "the fencing of a rotation",
            'when="#version = :was", sealed',
            'when="#version >= :was", sealed',
            "who_overslept_a_rotation_changes_nothing",
        ),
        (
            "the generation of a late pair",
            'when="#generation = :known"',
            'when="#generation >= :known"',
            "a_new_consent_ends_a_refresh_under_way",
        ),
        (
            "the generation of a death",
            "AND #generation = :known",
            "AND #generation >= :known",
            "who_overslept_the_lease_saves_what_nobody_replaced",
        ),
        (
            "the lease of a refresh",
            '"attribute_exists(pk) AND (',
            '"attribute_exists(pk) AND (attribute_exists(pk) OR ',
            "one_worker_refreshes",
        ),
        (
            "the lease of who gives back",
            'when="#version = :was", was=login.version',
            'when="#version >= :was", was=login.version',
            "who_overslept_a_rotation_changes_nothing",
        ),
        (
            "the end of a refresh under way",
            '"#version = if_not_exists(#version, :zero) + :one, "',
            '"#version = if_not_exists(#version, :one), "',
            "a_new_consent_ends_a_refresh_under_way",
        ),
    ),
    *_of(
        "vendors/oauth.py",
        TOKENS,
        (
            "the save before the use",
            "self._logins.rotate(login, fresh).tokens",
            "fresh",
            "a_new_pair_is_saved_before_its_first_use",
        ),
        (
            "the look under the lease",
            "if self._works(login.tokens):  # refreshed",
            "if False:  # refreshed",
            "a_pair_another_worker_saved_just_before_our_lease_is_taken",
        ),
        (
            "the lease that outlives a call",
            "return self._real.now() + at_most <= until",
            "return True",
            "the_second_try_is_left_out_when_the_lease_would_not_outlive_it",
        ),
        (
            "the moment of the answer",
            "return replace(fresh, issued_at=self._clock.now())",
            "return fresh",
            "the_wait_for_the_next_refresh_begins_with_the_answer",
        ),
        ("the end of a dead chain", "and self._logins.lose(login)", "and True", "a_revoked_grant_empties_the_store"),
        (
            "the margin",
            "tokens.expires_at - self._margin",
            "tokens.expires_at",
            "a_token_is_used_until_a_minute_before_its_end",
        ),
    ),
    *_of(
        "sync/write_once.py",
        OFFERS,
        (
            "the offer of what is in doubt",
            "if protocol.resend is not None:",
            "if False:",
            "a_lost_answer_is_settled_by_the_next_offer_at_once",
        ),
        (
            "the end of doubt where an offer told",
            "        doubtful = []\n",
            "",
            "a_lost_answer_is_settled_by_the_next_offer_at_once",
        ),
        (
            "the answer about what could not be offered",
            "        answers[intent.subject] = OutcomeUnknown(subject=intent.subject)\n        over",
            "        over",
            "what_there_is_no_time_for_is_not_offered",
        ),
        (
            "the life of who sent before an offer",
            "over = intent.sent_at + FUNCTION_TIMEOUT + protocol.settle  #",
            "over = intent.sent_at + protocol.settle  #",
            "a_no_counts_only_when_the_attempt_before_can_send_no_more",
        ),
        (
            "the settle time before a no counts",
            "over = intent.sent_at + FUNCTION_TIMEOUT + protocol.settle  #",
            "over = intent.sent_at + FUNCTION_TIMEOUT  #",
            "it_counts_after_the_settle_time_too",
        ),
        (
            "the wait before a no counts",
            "case Refused(cause) if offer.sent_at >= over:",
            "case Refused(cause):",
            "a_no_counts_only_when_the_attempt_before_can_send_no_more",
        ),
        (
            "the moment a no was asked for",
            "if offer.sent_at >= over:",
            "if real.now() >= over:",
            "a_no_that_arrives_late_was_said_early",
        ),
        (
            "the end of the wait before a no counts",
            "if offer.sent_at >= over:",
            "if offer.sent_at > over:",
            "the_vendors_own_reason_is_the_answer_once_it_counts",
        ),
        (
            "the rest after an early no",
            "too_often = intent.missed_at is not None and real.now() < over",
            "too_often = False",
            "offers_that_come_too_often_do_not_put_the_settlement_off",
        ),
        (
            "the haste where nobody said no",
            "too_often = intent.missed_at is not None and real",
            "too_often = real",
            "an_offer_without_an_answer_may_be_made_again_at_once",
        ),
        (
            "the end of that rest",
            "real.now() < over\n",
            "real.now() <= over\n",
            "a_no_counts_only_when_the_attempt_before_can_send_no_more",
        ),
        (
            "the look at the time before an offer",
            "if too_often or not may_go_on():",
            "if too_often:",
            "what_there_is_no_time_for_is_not_offered",
        ),
        (
            "the record of an offer",
            "offer = links.again(intent, intent.payload, intent.payload_hash, real.now())",
            "offer = intent",
            "the_offer_is_stored_before_the_call",
        ),
        (
            "the moment of an offer",
            "intent.payload, intent.payload_hash, real.now())",
            "intent.payload, intent.payload_hash, intent.sent_at)",
            "the_offer_is_stored_before_the_call",
        ),
        (
            "the doubt of an offer without a login",
            "except (TryLater, NeedsLogin):\n",
            "except TryLater:\n",
            "an_offer_that_never_left_leaves_the_doubt",
        ),
        (
            "the doubt of an offer that never left",
            "                    links.unknown(offer)\n                raise",
            '                    links.refuse(offer, "")\n                raise',
            "an_offer_that_never_left_leaves_the_doubt",
        ),
        (
            "the limit that an offer met",
            "                    links.unknown(offer)\n                raise",
            "                    links.unknown(offer)\n                continue",
            "an_offer_that_never_left_leaves_the_doubt",
        ),
        (
            "the limit that an overtaken offer met",
            "                with suppress(IntentMoved):\n                    links",
            "                with suppress(KeyError):\n                    links",
            "an_offer_that_another_overtook_does_not_hide_why_it_failed",
        ),
        (
            "the offer that came second",
            "with suppress(IntentMoved):  # another",
            "with suppress(KeyError):  # another",
            "whoever_is_overtaken_changes_nothing",
        ),
        (
            "the mark of what an offer settled",
            "links.done(offer, protocol.encode(value), adopted=True)",
            "links.done(offer, protocol.encode(value))",
            "a_lost_answer_is_settled_by_the_next_offer_at_once",
        ),
        (
            "the word for what an offer settled",
            "Written(value, How.FOUND, links.done(",
            "Written(value, How.SENT, links.done(",
            "a_worker_that_died_before_its_call_is_taken_over_at_once",
        ),
        (
            "the offer whose answer is another's",
            "    except RefTaken:\n        return _anothers(offer, links)",
            "    except KeyError:\n        return _anothers(offer, links)",
            "an_answer_that_names_what_another_owns_is_no_booking",
        ),
        (
            "the doubt about another's answer",
            "    links.unknown(intent)\n    return",
            '    links.refuse(intent, "")\n    return',
            "an_answer_that_names_what_another_owns_is_no_booking",
        ),
        (
            "the record of a no that counts",
            "                    links.refuse(offer, cause.cause)\n",
            "                    links.unknown(offer)\n",
            "the_vendors_own_reason_is_the_answer_once_it_counts",
        ),
        (
            "the reason of a no that counts",
            "                    answers[offer.subject] = cause\n",
            "",
            "the_vendors_own_reason_is_the_answer_once_it_counts",
        ),
        (
            "the doubt after an early no",
            "links.unknown(links.missed(offer, offer.sent_at))",
            'links.refuse(offer, "")',
            "a_no_counts_only_when_the_attempt_before_can_send_no_more",
        ),
        (
            "the memory of an early no",
            "links.unknown(links.missed(offer, offer.sent_at))",
            "links.unknown(offer)",
            "offers_that_come_too_often_do_not_put_the_settlement_off",
        ),
        (
            "the record of an early no",
            "links.unknown(links.missed(offer, offer.sent_at))",
            "links.missed(offer, offer.sent_at)",
            "a_no_counts_only_when_the_attempt_before_can_send_no_more",
        ),
        (
            "the doubt after no answer",
            "                case _:\n                    links.unknown(offer)",
            '                case _:\n                    links.refuse(offer, "")',
            "an_offer_without_an_answer_may_be_made_again_at_once",
        ),
        (
            "the record of no answer",
            "                case _:\n                    links.unknown(offer)",
            "                case _:\n                    pass",
            "an_offer_without_an_answer_may_be_made_again_at_once",
        ),
        (
            "the difference between no and no answer",
            "                case _:\n                    links.unknown(offer)",
            "                case _:\n                    links.unknown(links.missed(offer, offer.sent_at))",
            "an_offer_without_an_answer_may_be_made_again_at_once",
        ),
    ),
    *_of(
        "sync/book.py",
        TURN,
        (
            "the turn of each document",
            "    if desk.ledger.abilities.caller_numbers:\n        outcomes",
            "    if False:\n        outcomes",
            "a_number_taken_again_and_again_stops_its_journal_and_is_told",
        ),
        (
            "the doubt about what goes in turn",
            "return doubtful or any(outcomes)",
            "return doubtful",
            "a_number_taken_again_and_again_stops_its_journal_and_is_told",
        ),
        (
            "the doubt about what stands there otherwise",
            "return doubtful or any(outcomes)",
            "return any(outcomes)",
            "a_document_in_doubt_that_stands_there_otherwise_is_looked_at_again_soon",
        ),
        (
            "the wait for files that take too long",
            "    if files is None:\n        return True\n",
            "    files = files or ()\n",
            "files_that_take_too_long_leave_the_document_in_line",
        ),
        (
            "the reason to leave out files",
            'and result.facts["feature"] == "file_too_large"',
            "and True",
            "what_is_refused_for_something_else_is_not_offered_without_its_files",
        ),
        (
            "the word about files left out",
            "            desk.files.leave_out(connection, record, result)\n",
            "",
            "what_the_package_does_not_take_is_told_and_the_booking_goes_without",
        ),
        (
            "the booking without its files",
            "            files = ()\n            continue\n",
            "            break\n",
            "what_the_package_does_not_take_is_told_and_the_booking_goes_without",
        ),
        (
            "the second number",
            "if not isinstance(result, NumberTaken) or looks == LOOKS:",
            "if True:",
            "somebody_books_there_meanwhile_and_the_next_number_goes",
        ),
        (
            "the second look at the journals",
            "if not learn_journals(desk):",
            "if False:",
            "somebody_books_this_very_document_meanwhile_and_it_is_adopted",
        ),
        (
            "the switch after the second look",
            "        if not desk.is_on(record):\n            return False\n",
            "",
            "a_number_taken_is_not_offered_anew_where_the_look_shows_that_invoices_go_in_wrong",
        ),
        (
            "the look for this very document",
            "free, doubtful = _not_in_the_books(desk, [(record, entry)])\n        if not free",
            "free, doubtful = [entry], False\n        if not free",
            "somebody_books_this_very_document_meanwhile_and_it_is_adopted",
        ),
        (
            "the end of what somebody booked meanwhile",
            "        if not free:\n            return doubtful\n",
            "",
            "somebody_books_its_number_with_other_figures_and_a_person_decides",
        ),
        (
            "the number of looks",
            " or looks == LOOKS:",
            ":",
            "a_number_taken_again_and_again_stops_its_journal_and_is_told",
        ),
        (
            "the word about a number taken again and again",
            "    if isinstance(result, NumberTaken):  # it waits",
            "    if False:  # it waits",
            "a_number_taken_again_and_again_stops_its_journal_and_is_told",
        ),
        (
            "the stop of a journal whose numbers are taken",
            "if isinstance(result, NumberTaken | JournalInUse | OutcomeUnknown):",
            "if isinstance(result, JournalInUse | OutcomeUnknown):",
            "a_number_taken_again_and_again_stops_its_journal_and_is_told",
        ),
        (
            "the stop of a journal in use",
            "if isinstance(result, NumberTaken | JournalInUse | OutcomeUnknown):",
            "if isinstance(result, NumberTaken | OutcomeUnknown):",
            "a_journal_that_is_open_at_a_desk_waits_and_the_other_goes_on",
        ),
        (
            "the stop of a journal in doubt",
            "if isinstance(result, NumberTaken | JournalInUse | OutcomeUnknown):",
            "if isinstance(result, NumberTaken | JournalInUse):",
            "a_number_in_doubt_stops_its_journal_and_the_next_slice_settles_it",
        ),
        (
            "the time of a journal in use",
            "desk.stopped_journals[entry.journal] = result.until",
            "desk.stopped_journals[entry.journal] = None",
            "a_journal_that_is_open_at_a_desk_waits_and_the_other_goes_on",
        ),
        (
            "the patience with a taken number",
            "    if isinstance(result, NumberTaken | JournalInUse):\n        return",
            "    if isinstance(result, JournalInUse):\n        return",
            "a_number_taken_again_and_again_stops_its_journal_and_is_told",
        ),
        (
            "the next look after a taken number",
            "return result.until is None",
            "return False",
            "a_number_taken_again_and_again_stops_its_journal_and_is_told",
        ),
        (
            "the patience with a journal in use",
            "return result.until is None",
            "return True",
            "a_journal_that_is_open_at_a_desk_waits_and_the_other_goes_on",
        ),
        (
            "the number of what was refused",
            "not in (WriteState.REFUSED, WriteState.GONE):\n        write",
            "is not WriteState.GONE:\n        write",
            "somebody_books_there_meanwhile_and_the_next_number_goes",
        ),
        (
            "the number of what is gone",
            "not in (WriteState.REFUSED, WriteState.GONE):\n        write",
            "is not WriteState.REFUSED:\n        write",
            "what_was_edited_after_its_deletion_is_booked_as_it_is_now",
        ),
        (
            "the booking that left its number",
            "if prepared.ref and desk.links",
            "if False and desk.links",
            "a_freed_number_goes_to_another_document_once_its_booking_is_proved_gone",
        ),
        (
            "the journal of what is given up",
            "        if desk.ledger.abilities.caller_numbers:\n            desk.stopped",
            "        if False:\n            desk.stopped",
            "a_document_in_doubt_that_was_deleted_is_looked_for_and_holds_its_journal",
        ),
        (
            "the silence about a number that is given up",
            "for _ in writes], resend=None)",
            "for _ in writes])",
            "a_document_in_doubt_that_was_deleted_is_looked_for_and_holds_its_journal",
        ),
        (
            "what was deleted and typed by hand",
            "not_ours = (WriteState.REFUSED, WriteState.GONE)",
            "not_ours = (WriteState.REFUSED,)",
            "what_was_deleted_and_typed_by_hand_is_adopted",
        ),
        (
            "the files of a booking",
            "replace(from_text(Prepared, write.payload), files=files) for",
            "from_text(Prepared, write.payload) for",
            "the_documents_files_go_along_in_the_call_that_books",
        ),
        (
            "the files of a second offer",
            "files=files, again=True)",
            "again=True)",
            "they_go_along_when_it_is_offered_again",
        ),
        (
            "the mark of a second offer",
            "files=files, again=True)",
            "files=files)",
            "what_was_sent_is_offered_again_whatever_the_document_says_now",
        ),
        (
            "the offer instead of a look",
            "resend=resend if ledger.abilities.resend_settles else None,",
            "resend=None,",
            "a_number_in_doubt_stops_its_journal_and_the_next_slice_settles_it",
        ),
        (
            "the look where an offer makes a second one",
            "resend=resend if ledger.abilities.resend_settles else None,",
            "resend=resend,",
            "a_package_that_numbers_itself_is_not_offered_again_what_is_in_doubt[book]",
        ),
        (
            "the answer that tells nothing",
            "compared = desk.ledger.abilities.reads_back",
            "compared = True",
            "an_empty_answer_proves_nothing_so_nothing_is_compared_with_it",
        ),
        (
            "the record of every offer",
            "    _audit_intent(desk, write, entry)\n    (result,)",
            "    (result,)",
            "every_offer_and_what_became_of_it_is_written_down",
        ),
        (
            "the record of a taken number",
            "    if isinstance(result, NumberTaken | JournalInUse):\n        desk.audit",
            "    if isinstance(result, JournalInUse):\n        desk.audit",
            "every_offer_and_what_became_of_it_is_written_down",
        ),
        (
            "the one word about a booking",
            "if written.how is not How.KNOWN:\n        desk.audit",
            "if True:\n        desk.audit",
            "who_died_after_the_booking_was_remembered_takes_no_number_again",
        ),
    ),
    *_of(
        "sync/desk.py",
        TURN,
        (
            "the stop of a journal",
            " or connection.journal(record.kind) in self.stopped_journals:",
            ":",
            "a_number_in_doubt_stops_its_journal_and_the_next_slice_settles_it",
        ),
    ),
    *_of(
        "sync/export_documents.py",
        TURN,
        (
            "the next look at a stopped journal",
            "for until in desk.stopped_journals.values() if until is not None]",
            "for until in ()]",
            "a_journal_that_is_open_at_a_desk_waits_and_the_other_goes_on",
        ),
        (
            "the first of several waits",
            "max(min(waits), timedelta(0))",
            "max(max(waits), timedelta(0))",
            "the_journal_that_is_free_first_does_not_wait_for_the_other",
        ),
    ),
    *_of(
        "sync/files.py",
        TURN,
        (
            "the files of what is booked anew",
            "not in (WriteState.REFUSED, WriteState.GONE)",
            "is not WriteState.REFUSED",
            "what_is_booked_anew_after_its_deletion_goes_with_its_files",
        ),
    ),
    *_of(
        "sync/relations.py",
        TURN,
        (
            "the look where an offer makes a second one",
            "resend=send if ledger.abilities.resend_settles else None,",
            "resend=send,",
            "a_package_that_numbers_itself_is_not_offered_again_what_is_in_doubt[save_relations]",
        ),
    ),
    *_of(
        "sync/leftovers.py",
        TURN,
        (
            "the silence about what nobody asks for",
            "send=_nobody_asks, resend=None",
            "resend=None",
            "a_customer_in_doubt_whose_documents_are_gone_is_looked_for_and_not_sent_again",
        ),
        (
            "the look at what nobody asks for",
            "send=_nobody_asks, resend=None",
            "send=_nobody_asks",
            "a_customer_in_doubt_whose_documents_are_gone_is_looked_for_and_not_sent_again",
        ),
    ),
    *_of(
        "sync/find_documents.py",
        NEWS,
        (
            "the proof that it is gone",
            "if standing is not None and not _is_another",
            "if False and not _is_another",
            "a_booking_that_stands_under_a_freed_number_is_not_gone",
        ),
        (
            "what was sent again meanwhile",
            "if intent.state is not WriteState.DONE:\n            continue",
            "if False:\n            continue",
            "what_a_person_sent_again_meanwhile_is_not_held_for_its_deletion",
        ),
        (
            "what was found under another number",
            "if booked.ref != ref:",
            "if False:",
            "what_was_found_under_another_number_meanwhile_is_not_looked_for",
        ),
        (
            "the wait for a person's word",
            "            desk.hold(record, BookingDeleted(booking=booked.number))\n",
            "            pass\n",
            "a_booking_of_ours_that_somebody_deleted_waits_for_a_persons_word",
        ),
        (
            "the end of a difference",
            '        desk.problems.solve(f"booking:{subject}")\n        _solve',
            "        _solve",
            "a_difference_ends_with_its_booking",
        ),
        (
            "the end of what its payments differed by",
            "        _solve_what_differed(desk, subject)\n",
            "",
            "with_it_goes_what_was_said_of_payments_that_were_never_its_own",
        ),
        (
            "the record of a deletion",
            '        desk.audit("gone", document=subject, booking=ref, number=booked.number)\n',
            "",
            "a_booking_of_ours_that_somebody_deleted_waits_for_a_persons_word",
        ),
        (
            "the ref that comes free",
            "            desk.links.gone(intent)  #",
            "            pass  #",
            "a_page_seen_again_changes_nothing_about_what_is_booked_there_since",
        ),
        (
            "the way to the document until all is told",
            "        record = desk.documents.record(DocumentId(subject))",
            "        desk.links.gone(intent)\n        record = desk.documents.record(DocumentId(subject))",
            "whoever_dies_on_the_way_the_next_one_ends_it",
        ),
        (
            "the finder who came second",
            "with suppress(IntentMoved):",
            "with suppress(KeyError):",
            "whoever_is_the_second_to_find_it_gone_goes_on",
        ),
        (
            "what we know of a deleted booking",
            "        gone.append(booked.ref)\n",
            "",
            "a_booking_of_ours_that_somebody_deleted_waits_for_a_persons_word",
        ),
        (
            "what we know of somebody's deleted booking",
            "gone = [BookingRef(ref) for ref in refs if ref not in owners]",
            "gone: list[BookingRef] = []",
            "somebody_elses_deleted_booking_is_only_forgotten",
        ),
        (
            "what we know of a booking that stands",
            "    desk.seen.forget(gone)\n",
            "    desk.seen.forget([BookingRef(ref) for ref in refs])\n",
            "a_booking_that_stands_under_a_freed_number_is_not_gone",
        ),
        (
            "what the same page shows standing",
            "{*page.gone, *others} - standing",
            "{*page.gone, *others}",
            "a_booking_of_ours_that_is_told_deleted_and_stands_is_not_asked_for",
        ),
        (
            "the cursor after what it covers",
            "        # A number that came free",
            "        desk.save_cursor(**{scope: page.cursor})\n        # A number that came free",
            "whoever_dies_on_the_way_the_next_one_ends_it",
        ),
        (
            "the comparison an answer did not allow",
            "[] if desk.ledger.abilities.reads_back else _compare(desk, page.rows)",
            "[]",
            "a_booking_of_ours_that_reads_otherwise_is_told_and_stops_its_kind_once",
        ),
        (
            "the comparison an answer allowed",
            "[] if desk.ledger.abilities.reads_back else _compare(desk, page.rows)",
            "_compare(desk, page.rows)",
            "a_package_that_answers_what_it_booked_was_compared_then",
        ),
        (
            "the other booking under a number of ours",
            "            others.append(row.ref)\n",
            "            pass\n",
            "another_booking_under_the_number_of_ours_says_that_ours_was_deleted",
        ),
        (
            "the key of another booking under a number of ours",
            "        return row.key != booked.key\n",
            "        return False\n",
            "another_booking_under_the_number_of_ours_says_that_ours_was_deleted",
        ),
        (
            "our key where somebody changed the rest",
            "    if row.key:\n        return",
            "    if False:\n        return",
            "another_booking_under_the_number_of_ours_says_that_ours_was_deleted",
        ),
        (
            "our number where somebody took the key away",
            "for one in theirs for other in ours if one and other):\n        return False",
            "for one in theirs for other in ours if one and other):\n        pass",
            "a_booking_of_ours_that_somebody_changed_is_still_ours",
        ),
        (
            "all else where somebody took the words away",
            "    return (row.gross, row.day, row.relation) != (booked.gross, booked.day, booked.relation)",
            "    return True",
            "a_booking_of_ours_that_somebody_changed_is_still_ours",
        ),
        (
            "what stands now before what was known",
            "take_leave(desk, sorted({*page.gone, *others} - standing))\n        desk.seen.remember(page.rows)",
            "desk.seen.remember(page.rows)\n        take_leave(desk, sorted({*page.gone, *others} - standing))",
            "another_booking_under_the_number_of_ours_says_that_ours_was_deleted",
        ),
        (
            "what was sent again before it is compared",
            "if intent is None or intent.state is not WriteState.DONE:",
            "if intent is None:",
            "what_was_sent_again_meanwhile_is_not_compared_with_what_stood_before",
        ),
        (
            "the gross of what reads otherwise",
            "(row.gross, row.kind, row.journal) == (booked.gross, booked.kind, booked.journal)",
            "(row.kind, row.journal) == (booked.kind, booked.journal)",
            "a_booking_of_ours_that_reads_otherwise_is_told_and_stops_its_kind_once[changes0]",
        ),
        (
            "the kind of what reads otherwise",
            "(row.gross, row.kind, row.journal) == (booked.gross, booked.kind, booked.journal)",
            "(row.gross, row.journal) == (booked.gross, booked.journal)",
            "a_booking_of_ours_that_reads_otherwise_is_told_and_stops_its_kind_once[changes1]",
        ),
        (
            "the journal of what reads otherwise",
            "(row.gross, row.kind, row.journal) == (booked.gross, booked.kind, booked.journal)",
            "(row.gross, row.kind) == (booked.gross, booked.kind)",
            "a_booking_of_ours_that_reads_otherwise_is_told_and_stops_its_kind_once[changes2]",
        ),
        (
            "the stop of a kind that reads otherwise",
            "            desk.stop_kind(record)\n",
            "",
            "a_booking_of_ours_that_reads_otherwise_is_told_and_stops_its_kind_once",
        ),
        (
            "the one word about a difference",
            "elif subject not in told and (record",
            "elif (record",
            "a_booking_of_ours_that_reads_otherwise_is_told_and_stops_its_kind_once",
        ),
        (
            "the end of a difference that was corrected",
            "            if subject in told:\n                desk.problems.solve(subject)",
            "            pass",
            "a_booking_of_ours_that_reads_otherwise_is_told_and_stops_its_kind_once",
        ),
    ),
    *_of(
        "store/numbers.py",
        NUMBERS,
        (
            "the others who wait",
            '#until <= :now"',
            '#until <= :now OR attribute_exists(pk)"',
            "others_wait_while_an_offer_is_open",
        ),
        (
            "the end of an offer's time",
            ' OR #until <= :now"',
            ' OR (#until <= :now AND attribute_not_exists(#holder))"',
            "an_offer_nobody_closed_ends_with_its_time",
        ),
        (
            "the moment an offer's time ends",
            "#until <= :now",
            "#until < :now",
            "an_offer_nobody_closed_ends_with_its_time",
        ),
        (
            "the holder who comes again",
            "#holder = :holder OR #until",
            "(#holder = :holder AND attribute_not_exists(#holder)) OR #until",
            "who_holds_it_gets_it_again_and_keeps_others_away_as_long",
        ),
        (
            "the line nobody holds",
            '"attribute_not_exists(#holder) OR ',
            '"',
            "a_new_line_must_be_read_from_the_package",
        ),
        (
            "the number of a hold",
            '#until = :until ADD #version :one"',
            '#until = :until, #version = if_not_exists(#version, :one)"',
            "who_held_it_before_himself_changes_nothing_either",
        ),
        (
            "the time of who comes again",
            "#until = :until ADD",
            "#until = if_not_exists(#until, :until) ADD",
            "who_holds_it_gets_it_again_and_keeps_others_away_as_long",
        ),
        (
            "the name of who takes over",
            '"SET #holder = :holder,',
            '"SET #holder = if_not_exists(#holder, :holder),',
            "who_lost_the_line_changes_nothing",
        ),
        (
            "the fence of a late release",
            'when="#version = :version"',
            'when="#version >= :version"',
            "who_lost_the_line_changes_nothing",
        ),
        (
            "the silence of a late release",
            "        except ConditionFailed:\n            return\n",
            "        except KeyError:\n            return\n",
            "who_lost_the_line_changes_nothing",
        ),
        (
            "the end of a hold",
            "REMOVE #holder, #until",
            "REMOVE #until",
            "the_next_holder_finds_what_the_last_one_left",
        ),
        (
            "the number for the next one",
            '"SET #next = :next REMOVE',
            '"SET #next = if_not_exists(#next, :next) REMOVE',
            "the_next_holder_finds_what_the_last_one_left",
        ),
        (
            "the lines of other journals",
            "update(keys.numbers(line), change",
            'update(keys.numbers(""), change',
            "lines_are_apart",
        ),
    ),
    *_of(
        "store/memory/numbers.py",
        NUMBERS_DOUBLE,
        (
            "the others who wait",
            "if kept.until is not None and kept.holder != holder and kept.until > now:",
            "if False:",
            "others_wait_while_an_offer_is_open",
        ),
        ("the end of an offer's time", " and kept.until > now", "", "an_offer_nobody_closed_ends_with_its_time"),
        (
            "the moment an offer's time ends",
            " and kept.until > now",
            " and kept.until >= now",
            "an_offer_nobody_closed_ends_with_its_time",
        ),
        (
            "the holder who comes again",
            " and kept.holder != holder",
            "",
            "who_holds_it_gets_it_again_and_keeps_others_away_as_long",
        ),
        (
            "the number of a hold",
            "kept.version + 1\n",
            "kept.version\n",
            "who_held_it_before_himself_changes_nothing_either",
        ),
        (
            "the time of who comes again",
            "kept.version = holder, until,",
            "kept.version = holder, kept.until or until,",
            "who_holds_it_gets_it_again_and_keeps_others_away_as_long",
        ),
        (
            "the name of who takes over",
            "kept.version = holder, until,",
            "kept.version = kept.holder or holder, until,",
            "who_lost_the_line_changes_nothing",
        ),
        (
            "the fence of a late release",
            "if kept.version == held.version:",
            "if kept.version >= held.version:",
            "who_lost_the_line_changes_nothing",
        ),
        (
            "the end of a hold",
            '= next, "", None',
            "= next, kept.holder, kept.until",
            "the_next_holder_finds_what_the_last_one_left",
        ),
        (
            "the number for the next one",
            'kept.next, kept.holder, kept.until = next, "", None',
            'kept.holder, kept.until = "", None',
            "the_next_holder_finds_what_the_last_one_left",
        ),
    ),
    *_of(
        "store/links.py",
        LINKS,
        (
            "what stood before it is gone",
            "        if intent.state is not WriteState.DONE:\n            raise IntentMoved\n        gone",
            "        gone",
            "only_what_stood_is_gone",
        ),
        (
            "the step of who finds it gone",
            'f"{_SAME_STEP} AND #record.#result',
            'f"({_SAME_STEP} OR attribute_exists(pk)) AND #record.#result',
            "what_is_gone_leaves_its_booking_to_others",
        ),
        (
            "the booking that is gone",
            'f"{_SAME_STEP} AND #record.#result.#ref = :ref"',
            'f"{_SAME_STEP} AND (attribute_exists(pk) OR #record.#result.#ref = :ref)"',
            "what_is_gone_may_be_found_booked_by_hand",
        ),
        (
            "the ref of what is gone",
            "self._step(stood, delete(self._table.ref(self._administration, intent.kind, ref)))",
            "self._step(stood)",
            "what_is_gone_leaves_its_booking_to_others",
        ),
        (
            "the state of what is gone",
            "replace(intent, state=WriteState.GONE)",
            "replace(intent, state=WriteState.REFUSED)",
            "what_is_gone_leaves_its_booking_to_others",
        ),
        (
            "the adoption of what is gone",
            "IN (:refused, :gone)",
            "IN (:refused) OR #record.#attempt = :gone",
            "what_is_gone_may_be_found_booked_by_hand",
        ),
        (
            "the second life of what is gone",
            "if intent.state is WriteState.DONE:\n            raise ValueError",
            "if intent.state in (WriteState.DONE, WriteState.GONE):\n            raise ValueError",
            "what_is_gone_may_be_sent_again",
        ),
        (
            "the end of what is settled or gone",
            '"#record.#state IN (:sending, :unknown) AND',
            '"(#record.#state IN (:sending, :unknown) OR attribute_exists(pk)) AND',
            "what_is_gone_may_be_sent_again",
        ),
    ),
    *_of(
        "store/links.py",
        "tests/unit/store/test_links.py::test_",
        (
            "what was settled between two reads",
            "still_open = [intent for intent in found if intent.state in (WriteState.SENDING, WriteState.UNKNOWN)]",
            "still_open = found",
            "what_is_settled_between_the_two_reads_is_not_in_doubt",
        ),
    ),
    *_of(
        "store/memory/links.py",
        LINKS_DOUBLE,
        (
            "what stood before it is gone",
            "        if intent.state is not WriteState.DONE:\n            raise IntentMoved\n        with",
            "        with",
            "only_what_stood_is_gone",
        ),
        (
            "the step of who finds it gone",
            "stood, ref = self._at_same_step(intent), ",
            "stood, ref = self.kept.intents[intent.kind, intent.subject], ",
            "what_is_gone_leaves_its_booking_to_others",
        ),
        ("the booking that is gone", "if _ref(stood) != ref:", "if False:", "what_is_gone_may_be_found_booked_by_hand"),
        (
            "the ref of what is gone",
            "            self.kept.subjects.pop((intent.kind, ref))\n",
            "",
            "what_is_gone_leaves_its_booking_to_others",
        ),
        (
            "the state of what is gone",
            "replace(stood, state=WriteState.GONE)",
            "replace(stood, state=WriteState.REFUSED)",
            "what_is_gone_leaves_its_booking_to_others",
        ),
        (
            "the adoption of what is gone",
            "not in (WriteState.REFUSED, WriteState.GONE)",
            "is not WriteState.REFUSED",
            "what_is_gone_may_be_found_booked_by_hand",
        ),
        (
            "the second life of what is gone",
            "if intent.state is WriteState.DONE:\n            raise ValueError",
            "if intent.state in (WriteState.DONE, WriteState.GONE):\n            raise ValueError",
            "what_is_gone_may_be_sent_again",
        ),
        ("the end of what is settled or gone", " or now.state not in OPEN:", ":", "what_is_gone_may_be_sent_again"),
    ),
    *_of(
        "store/documents.py",
        DOCUMENTS,
        *DECISIONS,
    ),
    *_of(
        "store/memory/documents.py",
        DOCUMENTS_DOUBLE,
        *DECISIONS,
    ),
    *_of(
        "ports.py",
        NEWS,
        (
            "the cause that waits for a word",
            "frozenset({BookingDeleted.__name__})",
            "frozenset()",
            "neither_a_change_nor_a_general_wish_sends_it_again",
        ),
    ),
    *_of(
        "web/documents.py",
        RETRY,
        (
            "the connection of a document",
            " or record.connection != connection.id",
            "",
            "only_a_document_of_that_very_connection_is_looked_at_again",
        ),
        (
            "the switch of a connection",
            "    if not connection.active:\n        raise NotReady()\n",
            "",
            "nothing_is_looked_at_again_through_a_connection_that_is_off",
        ),
        (
            "what is not held",
            "    if record.state is DocumentState.HELD:\n        # Told",
            "    if True:\n        # Told",
            "a_document_that_is_not_held_stays_as_it_is",
        ),
        (
            "the record of who wanted it",
            '.append(connection.administration, "retry_asked", facts, house.clock.now())',
            "",
            "a_document_is_looked_at_again_when_a_person_says_so",
        ),
        (
            "that very document",
            "documents.release(documents=[document])",
            "documents.release()",
            "a_document_is_looked_at_again_when_a_person_says_so",
        ),
        (
            "the worker who looks again",
            "        wake(house, connection, JobKind.DOCUMENTS)\n    return Answer(202, Retry",
            "        pass\n    return Answer(202, Retry",
            "a_document_is_looked_at_again_when_a_person_says_so",
        ),
        (
            "the rest about what is booked",
            "    if record.state is DocumentState.WAITING:\n        wake",
            "    if True:\n        wake",
            "a_document_that_is_not_held_stays_as_it_is",
        ),
    ),
]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Damage the code in a copy; every mutant must be noticed.")
    parser.add_argument("--only", metavar="TEXT", default="", help="mutants whose file or reason holds this text")
    only = parser.parse_args(arguments).only
    chosen = [mutant for mutant in MUTANTS if only in mutant.name]
    if not chosen:
        parser.error(f"no mutant's file or reason holds {only!r}")
    killed = 0
    for verdict in run(chosen):
        killed += verdict.fate is Fate.KILLED
        print(f"{verdict.fate:8}  {verdict.seconds:4.1f} s  {verdict.mutant.name:60}  {verdict.said[:120]}", flush=True)
    print(f"{killed} of {len(chosen)} mutants killed")
    return 0 if killed == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
