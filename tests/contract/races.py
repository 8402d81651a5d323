"""Many workers at one step: whatever the store is, each step has one winner and loses nothing.

A store joins with a fixture `writers`: sixteen stores on one table, each with a connection of its own.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

from boekbrug.domain.connections import ConnectionId
from boekbrug.domain.documents import DocumentId
from boekbrug.domain.errors import LeaseLost
from boekbrug.domain.ledger import BookingRef, Settlement
from boekbrug.ports import Account, DocumentState, IntentMoved, OAuthState, RefTaken, WriteKind, WriteState
from tests.contract.store_contract import (
    BOOKS,
    CONNECTION,
    KEY,
    LEASE,
    LOGIN,
    MINUTE,
    NOON,
    US,
    Stores,
    a_booking,
    a_header,
    a_login,
    a_settlement,
)

WRITERS = 16
BOOKING = WriteKind.BOOKING


def at_once(deed: Callable[[Stores, int], Any], writers: Sequence[Stores]) -> list[Any]:
    """Everyone does it at the same moment; what each got, a lost race included."""
    start = threading.Barrier(len(writers))

    def run(store: Stores, number: int) -> Any:
        start.wait()
        try:
            return deed(store, number)
        except (IntentMoved, RefTaken, LeaseLost) as lost:
            return lost

    with ThreadPoolExecutor(len(writers)) as pool:
        return list(pool.map(run, writers, range(len(writers))))


def won(outcomes: Sequence[Any]) -> list[Any]:
    return [outcome for outcome in outcomes if outcome is not None and not isinstance(outcome, Exception)]


class RacesContract:
    def test_one_plans(self, writers: list[Stores]) -> None:
        outcomes = at_once(lambda s, n: s.links(US, BOOKS).plan(BOOKING, "doc", f"p{n}", f"h{n}", NOON), writers)
        links = writers[0].links(US, BOOKS)
        (planned,) = won(outcomes)
        assert {type(lost) for lost in outcomes if lost is not planned} == {IntentMoved}
        assert links.unsettled() == [links.intent(BOOKING, "doc")] == [planned]

    def test_one_sends_again(self, writers: list[Stores]) -> None:
        links = writers[0].links(US, BOOKS)
        intent = links.unknown(links.plan(BOOKING, "doc", "p", "h", NOON))
        for attempt in range(2, 6):
            outcomes = at_once(lambda s, n, i=intent: s.links(US, BOOKS).again(i, f"p{n}", "h", NOON), writers)
            (following,) = won(outcomes)
            assert following == links.intent(BOOKING, "doc")
            assert following.attempt == attempt
            intent = links.refuse(following, "PeriodClosed")

    def test_one_answer_counts_and_only_its_ref_is_linked(self, writers: list[Stores]) -> None:
        links = writers[0].links(US, BOOKS)
        sending = links.plan(BOOKING, "doc", "p", "h", NOON)
        (done,) = won(at_once(lambda s, n: s.links(US, BOOKS).done(sending, {"ref": f"B{n}"}), writers))
        linked = [n for n in range(WRITERS) if links.subject_of(BOOKING, f"B{n}")]
        assert [{"ref": f"B{n}"} for n in linked] == [done.result] == [links.intent(BOOKING, "doc").result]
        assert links.unsettled() == []

    def test_answers_doubts_and_second_attempts_at_once_leave_one_story(self, writers: list[Stores]) -> None:
        for round in range(5):
            subject = f"doc{round}"
            links = writers[0].links(US, BOOKS)
            sending = links.plan(BOOKING, subject, "p", "h", NOON)

            def step(store: Stores, n: int, sending: Any = sending, subject: str = subject) -> Any:
                its = store.links(US, BOOKS)
                match n % 4:
                    case 0:
                        return its.done(sending, {"ref": f"{subject}-{n}"})
                    case 1:
                        return its.refuse(sending, "PeriodClosed")
                    case 2:
                        return its.unknown(sending)
                    case _:
                        return its.again(sending, "p2", "h2", NOON)

            outcomes = at_once(step, writers)
            end = links.intent(BOOKING, subject)
            claims = [f"{subject}-{n}" for n in range(0, WRITERS, 4)]
            linked = [ref for ref in claims if links.subject_of(BOOKING, ref)]
            assert linked == ([end.result["ref"]] if end.state is WriteState.DONE else [])
            assert (end in links.unsettled()) == (end.state in (WriteState.SENDING, WriteState.UNKNOWN))
            final = [one for one in won(outcomes) if one.state is not WriteState.UNKNOWN]
            assert sum(one.state is WriteState.DONE for one in final) == (end.state is WriteState.DONE)
            assert sum(one.state is WriteState.SENDING for one in final) == (end.attempt == 2)

    def test_one_document_gets_the_booking(self, writers: list[Stores]) -> None:
        links = writers[0].links(US, BOOKS)
        sending = [links.plan(BOOKING, f"doc{n}", "p", "h", NOON) for n in range(WRITERS)]
        outcomes = at_once(lambda s, n: s.links(US, BOOKS).done(sending[n], {"ref": "B1"}), writers)
        (done,) = won(outcomes)
        assert {type(lost) for lost in outcomes if lost is not done} == {RefTaken}
        assert links.subject_of(BOOKING, "B1") == done.subject
        assert len(links.unsettled()) == WRITERS - 1

    def test_a_found_booking_and_a_new_attempt_exclude_each_other(self, writers: list[Stores]) -> None:
        def step(store: Stores, n: int) -> Any:
            its = store.links(US, BOOKS)
            return its.adopt(BOOKING, "doc", {"ref": "B1"}, NOON) if n % 2 else its.plan(BOOKING, "doc", "p", "h", NOON)

        (first,) = won(at_once(step, writers))
        links = writers[0].links(US, BOOKS)
        assert links.intent(BOOKING, "doc") == first
        assert (links.subject_of(BOOKING, "B1") is None) == (first.state is WriteState.SENDING)

    def test_one_holds_the_lease_and_the_others_left_word(self, writers: list[Stores]) -> None:
        writers[0].jobs.make_due(KEY, NOON)
        (job,) = won(at_once(lambda s, n: s.jobs.claim(KEY, NOON, NOON + LEASE), writers))
        stands = writers[0].jobs.get(KEY)
        assert (stands.version, stands.again) == (job.version, True) == (1, True)
        assert writers[0].jobs.release(job, due_at=None, result={}, ran_at=NOON) is True

    def test_a_job_passed_from_hand_to_hand_has_one_holder_at_a_time(self, writers: list[Stores]) -> None:
        writers[0].jobs.make_due(KEY, NOON)

        def work(store: Stores, n: int) -> list[int]:
            mine = []
            for _ in range(6):
                if job := store.jobs.claim(KEY, NOON, NOON + LEASE):
                    store.jobs.save_cursor(job, {"after": job.version})
                    store.jobs.release(job, due_at=NOON, result={"run": job.version}, ran_at=NOON)
                    mine.append(job.version)
            return mine

        runs = [run for its in at_once(work, writers) for run in its]
        job = writers[0].jobs.get(KEY)
        assert sorted(runs) == list(range(1, job.version + 1))
        assert (job.cursor, job.last_result) == ({"after": job.version}, {"run": job.version})

    def test_a_wish_is_never_lost_to_a_release(self, writers: list[Stores]) -> None:
        jobs = writers[0].jobs
        for _ in range(5):
            jobs.ensure(KEY)
            job = jobs.claim(KEY, NOON, NOON + LEASE)

            def step(store: Stores, n: int, job: Any = job) -> Any:
                if n:
                    return store.jobs.make_due(KEY, NOON, manual=True)
                return store.jobs.release(job, due_at=None, result={}, ran_at=NOON)

            again, *_ = at_once(step, writers)
            assert again or jobs.get(KEY).due_at == NOON

    def test_one_sweep_nudges_and_the_earliest_wish_stands(self, writers: list[Stores]) -> None:
        at_once(lambda s, n: s.jobs.make_due(KEY, NOON + (n + 5) % WRITERS * MINUTE), writers)
        assert writers[0].jobs.get(KEY).due_at == NOON
        moves = {"before": NOON, "look_again": NOON + MINUTE, "now": NOON}
        assert at_once(lambda s, n: s.jobs.nudged(KEY, **moves), writers).count(True) == 1

    def test_a_chain_is_unbroken_whoever_appends(self, writers: list[Stores]) -> None:
        def append(store: Stores, n: int) -> None:
            for one in range(20):
                store.audit(US).append("books", "booked", {"writer": n, "one": one}, NOON)

        at_once(append, writers)
        audit = writers[0].audit(US)
        entries = [entry for start in range(0, 20 * WRITERS, 100) for entry in audit.entries("books", after=start)]
        assert [entry["sequence"] for entry in entries] == list(range(1, 20 * WRITERS + 1))
        assert [entry["previous"] for entry in entries[1:]] == [entry["hash"] for entry in entries[:-1]]
        said = [(entry["facts"]["writer"], entry["facts"]["one"]) for entry in entries]
        assert sorted(said) == [(n, one) for n in range(WRITERS) for one in range(20)]
        for n in range(WRITERS):
            assert [one for writer, one in said if writer == n] == list(range(20))

    def test_one_refreshes(self, writers: list[Stores]) -> None:
        login = writers[0].logins.save_new(a_login())
        for round in range(1, 4):
            login = writers[0].logins.get(US, LOGIN)
            (leased,) = won(at_once(lambda s, n, at=login: s.logins.lease(at, NOON + MINUTE, NOON), writers))
            pairs = [a_login(access=f"round-{round}-{n}").tokens for n in range(WRITERS)]
            outcomes = at_once(lambda s, n, at=leased, fresh=pairs: s.logins.rotate(at, fresh[n]), writers)
            (rotated,) = won(outcomes)
            assert writers[-1].logins.get(US, LOGIN) == rotated
            assert rotated.version == login.version + 2

    def test_every_consent_has_a_version_of_its_own(self, writers: list[Stores]) -> None:
        saved = at_once(lambda s, n: s.logins.save_new(a_login(access=f"access-{n}")), writers)
        assert sorted(login.version for login in saved) == list(range(1, WRITERS + 1))
        assert writers[0].logins.get(US, LOGIN) in saved

    def test_of_all_new_webhook_addresses_one_works(self, writers: list[Stores]) -> None:
        before = writers[0].webhook_tokens.rotate(US, "exact")
        tokens = at_once(lambda s, n: s.webhook_tokens.rotate(US, "exact"), writers)
        works = [token for token in (before, *tokens) if writers[0].webhook_tokens.account_of("exact", token) == US]
        assert len(works) == 1
        assert works[0] in tokens

    def test_one_uses_a_state_and_one_founds_an_account(self, writers: list[Stores]) -> None:
        state = OAuthState("exact", "be", "browser", US, NOON + MINUTE)
        token = writers[0].states.open(state)
        assert won(at_once(lambda s, n: s.states.take(token, NOON), writers)) == [state]
        account = Account(US, "user", "An", "nl", LOGIN, NOON)
        founded = at_once(lambda s, n: s.accounts.found(replace(account, admin=f"user-{n}")), writers)
        assert set(founded) == {writers[0].accounts.get(US)}

    def test_counters_lose_nothing_and_the_longest_block_stands(self, writers: list[Stores]) -> None:
        counted = at_once(lambda s, n: [s.budgets.count("exact:1", NOON) for _ in range(10)], writers)
        assert sorted(so_far for its in counted for so_far in its) == list(range(1, 10 * WRITERS + 1))
        at_once(lambda s, n: s.budgets.block("exact:1", NOON + (n + 5) % WRITERS * MINUTE), writers)
        assert writers[0].budgets.blocked_until("exact:1", NOON) == NOON + (WRITERS - 1) * MINUTE

    def test_one_holds_a_line_and_each_number_is_given_once(self, writers: list[Stores]) -> None:
        given: list[int] = []

        def offer(store: Stores, n: int) -> None:
            for _ in range(10):
                if held := store.numbers.hold("octopus.70001.4.V1", f"account-{n}", NOON, NOON + MINUTE):
                    given.append(held.next or 1)
                    store.numbers.release(held, (held.next or 1) + 1)

        at_once(offer, writers)
        assert given == list(range(1, len(given) + 1))
        assert len(given) >= 10

    def test_of_all_who_hold_a_line_for_one_account_the_last_one_counts(self, writers: list[Stores]) -> None:
        line = "octopus.70001.4.V1"
        held = at_once(lambda s, n: s.numbers.hold(line, "account", NOON, NOON + MINUTE), writers)
        assert sorted(one.version for one in held) == list(range(1, WRITERS + 1))
        at_once(lambda s, n: s.numbers.release(held[n], held[n].version), writers)
        assert writers[0].numbers.hold(line, "another", NOON, NOON + MINUTE).next == WRITERS

    def test_a_booking_that_is_gone_is_taken_over_once(self, writers: list[Stores]) -> None:
        links = writers[0].links(US, BOOKS)
        done = links.done(links.plan(BOOKING, "doc", "p", "h", NOON), {"ref": "B1"})

        def step(store: Stores, n: int) -> Any:
            its = store.links(US, BOOKS)
            return its.gone(done) if n % 2 else its.adopt(BOOKING, f"other{n}", {"ref": "B1"}, NOON)

        first, *adopted = sorted(won(at_once(step, writers)), key=lambda intent: intent.subject)
        assert first == links.intent(BOOKING, "doc")
        assert first.state is WriteState.GONE
        assert len(adopted) <= 1
        assert links.subject_of(BOOKING, "B1") == (adopted[0].subject if adopted else None)

    def test_a_document_comes_in_line_once(self, writers: list[Stores]) -> None:
        headers = [a_header(f"d{n}", number=str(n)) for n in range(10)]
        counted = at_once(lambda s, n: s.documents(US, BOOKS).seen(CONNECTION, headers), writers)
        assert sum(counted) == 10
        assert [record.id for record in writers[0].documents(US, BOOKS).waiting(50)] == [f"d{n}" for n in range(10)]

    def test_a_document_that_is_seen_held_and_booked_at_once_stands_in_one_place(self, writers: list[Stores]) -> None:
        documents = writers[0].documents(US, BOOKS)
        documents.seen(CONNECTION, [a_header(f"d{n}", number=str(n)) for n in range(6)])
        records = documents.waiting(6)

        def step(store: Stores, n: int) -> None:
            its = store.documents(US, BOOKS)
            for number, record in enumerate(records):
                match (n + number) % 5:
                    case 0:
                        its.held(record, "PeriodClosed")
                    case 1:
                        its.held(record, "TotalsDiffer")
                    case 2:
                        its.release(documents=[record.id])
                    case 3 if number % 2:
                        its.booked(record, "70001")
                    case _:
                        day = record.day + timedelta(days=n)
                        newer = a_header(record.id, number=record.number, day=day, updated_at=NOON + n * MINUTE)
                        its.seen(CONNECTION, [newer])

        at_once(step, writers)
        ends = {record.id: record for record in documents.records(CONNECTION)}
        states = {id: record.state for id, record in ends.items()}
        assert all(states[DocumentId(f"d{n}")] is DocumentState.BOOKED for n in (1, 3, 5))
        waiting = documents.waiting(50)
        assert Counter(record.id for record in waiting) == Counter(
            id for id, state in states.items() if state is DocumentState.WAITING
        )
        assert all(record == ends[record.id] for record in waiting)
        held = sum(state is DocumentState.HELD for state in states.values())
        assert documents.release() == held
        assert documents.release() == 0

    def test_release_counts_a_document_once(self, writers: list[Stores]) -> None:
        documents = writers[0].documents(US, BOOKS)
        documents.seen(ConnectionId("one"), [a_header(f"d{n}", number=str(n)) for n in range(5)])
        for record in documents.waiting(5):
            documents.held(record, "PeriodClosed")
        assert sum(at_once(lambda s, n: s.documents(US, BOOKS).release(), writers)) == 5

    def test_a_newer_word_survives_whoever_deals_with_the_old_one(self, writers: list[Stores]) -> None:
        settlements = writers[0].settlements(US, BOOKS)
        for version in range(0, 10, 2):
            old = replace(a_settlement(), version=version)
            new = replace(a_settlement(amount="121.00"), version=version + 1)
            settlements.remember([old])
            settlements.claim(BookingRef("B1"))

            def step(store: Stores, n: int, old: Settlement = old, new: Settlement = new) -> None:
                its = store.settlements(US, BOOKS)
                if n:
                    its.dealt_with(old)
                else:
                    its.remember([new])
                    its.claim(BookingRef("B1"))

            at_once(step, writers)
            assert settlements.pending(10) == settlements.of_booking(BookingRef("B1")) == [new]

    def test_what_is_seen_at_once_is_all_found(self, writers: list[Stores]) -> None:
        def step(store: Stores, n: int) -> None:
            store.seen(US, BOOKS).remember([a_booking(f"B{one}", f"2026 / {one}") for one in range(n, n + 30)])

        at_once(step, writers)
        found = writers[0].seen(US, BOOKS).by_reference([f"2026 / {one}" for one in range(WRITERS + 29)])
        assert [[booking.ref for booking in its] for its in found.values()] == [
            [f"B{one}"] for one in range(WRITERS + 29)
        ]
