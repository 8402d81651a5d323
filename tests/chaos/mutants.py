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


def _of(file: str, tests: str, *changes: tuple[str, str, str, str]) -> list[Mutant]:
    """Mutants of one file: what each takes away, the old text, the new, and the end of its killer's id."""
    return [Mutant(file, why, old, new, tests + killer) for why, old, new, killer in changes]


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
            "how much of a number the package keeps",
            "_plain(one[:length]) == _plain(other[:length])",
            "_plain(one) == _plain(other)",
            "a_number_counts_as_far_as_the_package_keeps_it",
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
            "capitals and blanks",
            '"".join(reference.split()).casefold()',
            "reference",
            "test_by_hand.py::TestAnInvoiceBookedByHand::test_with_its_number_typed_a_little_differently_it_is_the_same",
        ),
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
            "if booking.kind is entry.kind and booking.journal",
            "if booking.journal",
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
            "return self._real.now() + CALL_AT_MOST <= until",
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
