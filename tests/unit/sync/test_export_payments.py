"""A payment that only Teamleader has goes to the books once, whatever befalls the worker (rules.md 25, design.md 5).

Always: at most one entry and one match for it; in the end one of each, nothing in doubt, and Teamleader as it was.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from greenlet import getcurrent, greenlet

from boekbrug.domain.connections import ConnectionId, JobKind, Outward
from boekbrug.domain.documents import DocumentHeader, DocumentId, DocumentKind
from boekbrug.domain.errors import (
    JournalInUse,
    NumberTaken,
    PeriodClosed,
    RateLimited,
    RefusedByPackage,
    SyncError,
    UnexpectedAnswer,
    VendorDown,
)
from boekbrug.domain.ledger import (
    Abilities,
    BookingRef,
    Cursor,
    Done,
    Entered,
    Journal,
    JournalKind,
    LedgerAccount,
    Match,
    OpenItem,
    Outcome,
    Page,
    PreparedReceipt,
    Receipt,
    Refused,
    Settlement,
    SettlementKind,
    Unknown,
)
from boekbrug.domain.money import Money
from boekbrug.messages import RunJob
from boekbrug.ports import FocusPayment, JobKey, WriteKind
from boekbrug.records import as_json
from boekbrug.store.memory import MemoryStore, MemoryTable
from boekbrug.store.memory.table import OnIo, unwatched
from boekbrug.sync.export_payments import LOOK_EVERY, sync_payments
from boekbrug.sync.slices import LEASE_MARGIN, Slice, run_job
from boekbrug.sync.snapshots import save_books
from boekbrug.sync.write_once import FUNCTION_TIMEOUT
from tests.support.builders import ACCOUNT, ADMINISTRATION, ENTITY, NOW, a_connection, eur, some_books
from tests.support.clocks import StillClock

from .told import Till, a_booking

KEY = JobKey(ACCOUNT, ADMINISTRATION, JobKind.PAYMENTS)
Step = tuple[str, str, int]  # name, phase, and which of that name
SLEPT = 38.0  # seconds a worker that will be stalled has behind it when its slice begins in earnest
OVERSLEPT = (FUNCTION_TIMEOUT + LEASE_MARGIN).total_seconds() + 1 - SLEPT
PAID_ON = datetime(2026, 3, 20, 12, tzinfo=UTC)
ORDER = ["ledger.enter", "ledger.match"]


class Package:
    """Books whose various journal takes its next number only, and matches an entry in whole or not at all."""

    abilities = Abilities(resend_settles=True, settle_s=0, reads_back=False, outward=True)

    def __init__(self, clock: StillClock) -> None:
        self._clock = clock
        self.gross: dict[BookingRef, Money] = {}
        self.entries: dict[int, Receipt] = {}
        self.pairs: list[Match] = []
        self.bank: list[Settlement] = []
        self.fails: dict[str, list[str | SyncError]] = {"enter": [], "match": []}  # "lost" arrives, "gone" never does
        self.asked = 0
        self.matches_again: list[bool] = []

    # a bookkeeper
    def pays(self, ref: str, amount: str) -> None:
        row = Settlement(
            f"{ref}~{len(self.bank)}", BookingRef(ref), SettlementKind.PAYMENT, eur(amount), PAID_ON.date()
        )
        self.bank.append(row)

    def deletes(self, number: int) -> None:
        del self.entries[number]
        self.pairs = [pair for pair in self.pairs if pair.receipt != f"4.D1.{number}"]

    # a ledger
    def receipts(self) -> Package:
        return self

    def settlements(self, since: Cursor | None, start: date = date.min) -> Iterator[Page[Settlement]]:
        version = int(self._clock.now().timestamp())
        ours = [
            Settlement(f"{pair.invoice}~{pair.receipt}", pair.invoice, SettlementKind.RECEIPT, pair.amount, NOW.date())
            for pair in self.pairs
        ]
        yield Page(tuple(replace(row, version=version) for row in (*self.bank, *ours)), Cursor(str(version)))

    def open_items(self) -> list[OpenItem]:
        self.asked += 1
        items = []
        for ref, gross in self.gross.items():
            settled = [row.amount for row in self.bank if row.booking == ref and row.kind is not SettlementKind.OPEN]
            settled += [pair.amount for pair in self.pairs if pair.invoice == ref]
            left = gross - Money.total(settled, "EUR")
            if left:
                items.append(OpenItem(ref, left))
        return items

    def prepare(self, receipt: Receipt) -> PreparedReceipt | SyncError:
        number = max(self.entries, default=0) + 1
        return PreparedReceipt(receipt, f"{number}", f"hash-{number}", f"D1 {number}", BookingRef(f"4.D1.{number}"))

    def day(self, moment: datetime) -> date:
        return moment.date()

    def enter(self, prepared: PreparedReceipt) -> Outcome[Entered]:
        fails = self.fails["enter"].pop(0) if self.fails["enter"] else ""
        if isinstance(fails, SyncError):
            return Refused(fails)
        number = int(prepared.payload)
        done: Outcome[Entered] = Done(Entered(prepared.ref, prepared.number))
        if fails == "gone":
            return Unknown("lost on the way there")
        if number == max(self.entries, default=0) + 1:
            self.entries[number] = prepared.receipt
        elif not (prepared.again and self.stands(prepared)):
            done = Refused(NumberTaken(journal="D1"))
        return Unknown("lost on the way back") if fails == "lost" else done

    def stands(self, prepared: PreparedReceipt) -> bool:
        return self.entries.get(int(prepared.payload)) == prepared.receipt

    def match(self, match: Match, *, again: bool = False) -> Outcome[Match]:
        self.matches_again.append(again)
        fails = self.fails["match"].pop(0) if self.fails["match"] else ""
        if isinstance(fails, SyncError):
            return Refused(fails)
        if fails == "gone":
            return Unknown("lost on the way there")
        left = {item.booking: item.open for item in self.open_items()}.get(match.invoice, eur(0))
        self.asked -= 1
        stands = match in self.pairs
        if not stands and match.amount <= left and int(match.receipt.rpartition(".")[2]) in self.entries:
            self.pairs.append(match)
            stands = True
        if fails == "lost":
            return Unknown("lost on the way back")
        return Done(match) if stands else Refused(RefusedByPackage(said="-26"))


class Watched:
    """A ledger whose writes are steps too."""

    def __init__(self, package: Package, on_io: OnIo) -> None:
        self._package = package
        self._on_io = on_io

    def receipts(self) -> Watched:
        return self

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._package, name)
        if name not in ("enter", "match", "open_items", "prepare"):
            return found

        def call(*words: Any, **more: Any) -> Any:
            self._on_io(f"ledger.{name}", "before")
            answer = found(*words, **more)
            self._on_io(f"ledger.{name}", "after")
            return answer

        return call


class SceneHouse(MemoryStore):
    """A worker's house."""

    def __init__(self, scene: Scene, on_io: OnIo) -> None:
        super().__init__(scene.table, on_io)
        self._scene, self._on_io = scene, on_io
        self.clock = self.real = scene.clock

    def focus(self, account: str) -> Till:
        return self._scene.till

    def ledger(self, account: str, administration: str) -> Any:
        return Watched(self._scene.package, self._on_io)


class Scene:
    """Invoices that are booked, and what a person registered in Teamleader of them."""

    def __init__(self, *paid: str, gross: str = "121.00", on: bool = True) -> None:
        self.table, self.clock, self.till = MemoryTable(), StillClock(NOW), Till()
        self.package = Package(self.clock)
        self.calls: list[str] = []
        self.house = self.a_house()
        outward = Outward("D1", "id-580000") if on else None
        self.connection = a_connection(outward=outward)
        self.house.connections.save(self.connection)
        various = Journal("D1", "Diverse", JournalKind.GENERAL)
        suspense = LedgerAccount("id-580000", "580000", "Interne overboekingen")
        books = some_books(journals=(*some_books().journals, various), clearing_accounts=(suspense,))
        save_books(self.house.snapshots(ACCOUNT), ADMINISTRATION, books, NOW)
        self.house.jobs.make_due(KEY, NOW)
        self.books("1", gross)
        for amount in paid:
            self.registers("1", amount)

    def a_house(self, on_io: OnIo = unwatched) -> SceneHouse:
        def noted(name: str, phase: str) -> None:
            if phase == "before":
                self.calls.append(name)
            on_io(name, phase)

        return SceneHouse(self, noted)

    def books(self, document: str, gross: str) -> None:
        booking = replace(a_booking(f"4.V1.{document}", gross), reference=f"2026 / {document}")
        header = DocumentHeader(
            DocumentId(document), DocumentKind.INVOICE, ENTITY, booking.reference, booking.day, booking.gross, NOW
        )
        line = self.house.documents(ACCOUNT, ADMINISTRATION)
        line.seen(self.connection.id, [header])
        line.booked(line.record(DocumentId(document)), booking.number)
        self.links.adopt(WriteKind.BOOKING, document, as_json(booking), NOW)
        self.package.gross[booking.ref] = self.till.gross[document] = booking.gross

    def switches(self, on: bool) -> None:
        self.connection = replace(self.connection, outward=Outward("D1", "id-580000") if on else None)
        self.house.connections.save(self.connection)

    def connects(self, document: str, gross: str) -> None:
        """Another company with books in the same dossier, and a paid invoice of its own."""
        own, self.connection = self.connection, replace(self.connection, id=ConnectionId("another"))
        self.house.connections.save(self.connection)
        self.books(document, gross)
        self.registers(document, gross)
        self.connection = own

    def registers(self, document: str, amount: str, paid_at: datetime = PAID_ON) -> None:
        self.till.paid.setdefault(document, []).append(FocusPayment(paid_at, eur(amount)))

    def works(self, on_io: OnIo = unwatched) -> Slice | None:
        """One slice by a worker of its own."""
        nudge = RunJob(account=ACCOUNT, administration=ADMINISTRATION, kind=JobKind.PAYMENTS)
        hard = self.clock.now() + FUNCTION_TIMEOUT
        return run_job(self.a_house(on_io), nudge, sync_payments, hard=hard, timeout=FUNCTION_TIMEOUT)

    def settles(self, on_io: OnIo = unwatched) -> None:
        """Slices, each at its time, until nothing is due."""
        for _ in range(20):
            job = self.house.jobs.get(KEY)
            if job.due_at is None:
                return
            wake = max(filter(None, (job.due_at, job.leased_until, self.clock.now())))
            self.clock.advance((wake - self.clock.now()).total_seconds())
            self.works(on_io)
        raise AssertionError("there is still work")

    def is_asked_again(self, after: timedelta = LOOK_EVERY) -> None:
        self.clock.advance(after.total_seconds())
        self.house.jobs.make_due(KEY, self.clock.now())

    def comes_to_rest(self) -> None:
        for _ in range(2):
            self.settles()
            self.is_asked_again()
        self.settles()

    @property
    def links(self) -> Any:
        return self.house.links(ACCOUNT, ADMINISTRATION)

    def entered(self) -> list[str]:
        return [str(receipt.amount.amount) for receipt in self.package.entries.values()]

    def matched(self) -> list[str]:
        return [str(pair.amount.amount) for pair in self.package.pairs]

    def problems(self) -> dict[str, str]:
        return {one.subject: one.cause for one in self.house.problems(ACCOUNT, ADMINISTRATION).all()}

    def broken(self, *amounts: str) -> list[str]:
        """The laws that do not hold when these payments should be there."""
        found = []
        if sorted(self.entered()) != sorted(amounts) or sorted(self.matched()) != sorted(amounts):
            found.append(f"entered {self.entered()}, matched {self.matched()}")
        if self.links.unsettled():
            found.append("something is in doubt")
        if self.problems():
            found.append(f"{self.problems()}")
        if self.till.amounts("1") != list(amounts):
            found.append(f"Teamleader has {self.till.amounts('1')}")
        return found


class Died(BaseException):
    """As a sandbox dies: no `except Exception` stops it."""


class Walk:
    """Counts the steps, and does something at one of them."""

    def __init__(self, at: Step | None = None, deed: Callable[[], None] = lambda: None) -> None:
        self.steps: list[Step] = []
        self._at, self._deed = at, deed

    def __call__(self, name: str, phase: str) -> None:
        met = sum(1 for step in self.steps if step[:2] == (name, phase))
        self.steps.append((name, phase, met))
        if self.steps[-1] == self._at:
            self._deed()


@cache
def steps() -> list[Step]:
    """Of a run that nothing befalls."""
    walk = Walk()
    Scene("50.00", "71.00").works(walk)
    return walk.steps


def die() -> None:
    raise Died


# --- whatever befalls the worker --------------------------------------------------------------------------------------


def test_a_run_enters_and_matches_payment_by_payment() -> None:
    scene = Scene("50.00", "71.00")
    scene.works()
    assert [call for call in scene.calls if call in ORDER] == ORDER * 2
    scene.comes_to_rest()
    assert scene.broken("50.00", "71.00") == []


def test_a_worker_that_dies_at_any_step() -> None:
    for step in steps():
        scene = Scene("50.00", "71.00")
        with pytest.raises(Died):
            scene.works(Walk(step, die))
        scene.comes_to_rest()
        assert scene.broken("50.00", "71.00") == [], step


@pytest.mark.parametrize("lost", ["lost", "gone"])
@pytest.mark.parametrize("write", ["enter", "match"])
def test_an_answer_that_is_lost_and_a_worker_that_dies_over_it(write: str, lost: str) -> None:
    for phase, nth in itertools.product(["before", "after"], [0, 1]):
        scene = Scene("50.00", "71.00")
        scene.package.fails[write] = [lost]
        scene.works()
        assert len(scene.links.unsettled()) == 1
        assert len(scene.entered()) <= 1  # nothing else was sent beside the doubt
        scene.is_asked_again(timedelta(seconds=10))
        with pytest.raises(Died):
            scene.works(Walk((f"ledger.{write}", phase, nth), die) if nth == 0 else Walk(("links.done", phase, 0), die))
        scene.comes_to_rest()
        assert scene.broken("50.00", "71.00") == [], (phase, nth)


def test_a_sleeper_that_wakes_when_another_took_over() -> None:
    first = next(n for n, step in enumerate(steps()) if step[0] == "links.plan")
    for step in steps()[first:]:
        scene = Scene("50.00", "71.00")
        assert stalled(scene, step), step
        scene.comes_to_rest()
        assert scene.broken("50.00", "71.00") == [], step


def stalled(scene: Scene, step: Step) -> bool:
    """A worker falls asleep at that step and wakes when its lease is over and another has worked; whether it did."""
    hub, reached = getcurrent(), []

    def sleep() -> None:
        reached.append(step)
        hub.switch()

    def watch(name: str, phase: str) -> None:
        if not walk.steps:
            scene.clock.advance(SLEPT)
        walk(name, phase)

    walk = Walk(step, sleep)
    sleeper = greenlet(lambda: scene.works(watch))
    sleeper.switch()
    scene.clock.advance(OVERSLEPT)
    scene.house.jobs.make_due(KEY, scene.clock.now())
    scene.works()
    while not sleeper.dead:
        sleeper.switch()
    return bool(reached)


# --- what is brought, and what is not ---------------------------------------------------------------------------------


def test_off_means_off() -> None:
    scene = Scene("121.00", on=False)
    scene.comes_to_rest()
    assert not set(ORDER) & set(scene.calls)
    assert (scene.package.asked, scene.problems()) == (1, {})  # by the check


def test_a_document_that_is_not_booked_any_more_gets_nothing() -> None:
    scene = Scene("121.00")
    line = scene.house.documents(ACCOUNT, ADMINISTRATION)
    line.held(line.record(DocumentId("1")), "BookingDeleted")
    scene.comes_to_rest()
    assert scene.entered() == []


def test_what_we_registered_never_goes_back_though_the_books_took_it_back() -> None:
    scene = Scene()
    scene.package.pays("4.V1.1", "121.00")
    scene.settles()
    (pulled,) = scene.till.paid["1"]
    (row,) = scene.package.bank
    scene.package.bank = [replace(row, kind=SettlementKind.OPEN)]
    scene.is_asked_again()
    scene.comes_to_rest()
    assert (scene.entered(), scene.till.paid["1"]) == ([], [pulled])
    assert set(scene.problems().values()) == {"MatchUndone"}


def test_what_the_books_have_already_is_not_brought_and_the_rest_is() -> None:
    scene = Scene("50.00", "71.00")
    scene.package.pays("4.V1.1", "50.00")
    scene.comes_to_rest()
    assert (scene.entered(), scene.problems()) == (["71.00"], {})


def test_what_we_registered_of_a_part_leaves_the_rest_of_it_to_what_a_person_did() -> None:
    """The bank brought 100, of which a person had registered 50; then a card paid 30."""
    scene = Scene("50.00", gross="200.00")
    scene.package.pays("4.V1.1", "100.00")
    scene.settles()
    assert scene.till.amounts("1") == ["50.00", "50.00"]
    scene.registers("1", "30.00", PAID_ON + timedelta(days=3))
    scene.is_asked_again()
    scene.comes_to_rest()
    assert (scene.entered(), scene.problems()) == (["30.00"], {})


def test_what_we_registered_does_not_go_back_though_a_person_changed_it() -> None:
    scene = Scene(gross="200.00")
    scene.package.pays("4.V1.1", "50.00")
    scene.settles()
    scene.till.paid["1"] = [FocusPayment(PAID_ON - timedelta(days=1), eur("50.00"))]
    scene.registers("1", "30.00")
    scene.is_asked_again()
    scene.comes_to_rest()
    assert (scene.entered(), scene.problems()) == (["30.00"], {})


def test_an_entry_a_worker_died_over_is_told_when_its_invoice_was_paid_otherwise_meanwhile() -> None:
    scene = Scene("121.00")
    with pytest.raises(Died):
        scene.works(Walk(("links.done", "after", 0), die))
    assert (scene.entered(), scene.links.unsettled()) == (["121.00"], [])
    scene.package.pays("4.V1.1", "121.00")
    scene.comes_to_rest()
    assert (scene.entered(), scene.matched()) == (["121.00"], [])
    assert scene.problems() == {"payment:1:outward": "PaymentNotMatched"}
    scene.package.deletes(1)
    scene.is_asked_again()
    scene.settles()
    assert scene.problems() == {}


class TestAnEntryBesideItsInvoice:
    """It stands in the books and cannot be matched."""

    @pytest.fixture
    def scene(self) -> Scene:
        scene = Scene("121.00")
        scene.package.fails["match"] = [RefusedByPackage(said="-26")] * 20
        scene.settles()
        return scene

    def test_gets_no_second_one_when_somebody_changes_the_payment(self, scene: Scene) -> None:
        scene.till.paid["1"] = [FocusPayment(PAID_ON - timedelta(days=1), eur("121.00"))]
        scene.is_asked_again()
        scene.comes_to_rest()
        assert (scene.entered(), scene.problems()) == (["121.00"], {"payment:1:outward": "PaymentNotMatched"})
        scene.package.fails["match"] = []
        scene.is_asked_again()
        scene.comes_to_rest()
        assert scene.broken("121.00") == []

    @pytest.mark.parametrize("switched", [True, False])
    def test_stays_told_when_nothing_asks_for_it_any_more(self, scene: Scene, switched: bool) -> None:
        scene.till.paid["1"].clear()
        scene.switches(on=switched)
        scene.is_asked_again()
        scene.comes_to_rest()
        assert scene.problems() == {"payment:1:outward": "PaymentNotMatched"}
        scene.package.deletes(1)
        scene.is_asked_again()
        scene.comes_to_rest()
        assert (scene.problems(), scene.matched()) == ({}, [])

    def test_is_none_of_anothers_when_two_connections_share_the_books(self, scene: Scene) -> None:
        """Switched off, its own connection says what becomes of it; the others go on."""
        scene.connects("2", "80.00")
        scene.house.connections.save(replace(scene.connection, active=False))
        scene.package.fails["match"] = []
        scene.is_asked_again()
        scene.comes_to_rest()
        assert (scene.matched(), scene.problems()) == (["80.00"], {"payment:1:outward": "PaymentNotMatched"})
        scene.house.connections.save(scene.connection)
        scene.is_asked_again()
        scene.comes_to_rest()
        assert (scene.matched(), scene.problems()) == (["80.00", "121.00"], {})


@pytest.mark.parametrize("write", ["enter", "match"])
def test_what_is_in_doubt_is_settled_though_it_was_switched_off_meanwhile(write: str) -> None:
    scene = Scene("121.00")
    scene.package.fails[write] = ["lost"]
    scene.works()
    assert len(scene.links.unsettled()) == 1
    scene.switches(on=False)
    scene.comes_to_rest()
    assert scene.broken("121.00") == []
    asked = scene.package.asked
    scene.is_asked_again()
    scene.works()
    assert scene.package.asked == asked  # nothing is left to look for


def test_what_was_told_ends_when_it_is_switched_off() -> None:
    scene = Scene("121.00")
    scene.package.fails["enter"] = [PeriodClosed(period="2026 - 03")]
    scene.settles()
    assert scene.problems() == {"payment:1:outward": "PaymentNotBooked"}
    scene.switches(on=False)
    scene.is_asked_again(timedelta(minutes=1))
    scene.settles()
    assert (scene.entered(), scene.problems()) == ([], {})


def test_a_limit_met_while_a_doubt_is_settled_is_not_met_again_at_once() -> None:
    scene = Scene("121.00")
    scene.package.fails["match"] = ["gone"]
    scene.works()
    sound = scene.package.match

    def spent(match: Match, *, again: bool = False) -> Outcome[Match]:
        raise RateLimited(vendor="octopus", until=NOW + timedelta(hours=20))

    scene.package.match = spent  # type: ignore[method-assign]
    scene.is_asked_again()
    assert scene.works().due_at == scene.clock.now() + LOOK_EVERY
    scene.package.match = sound  # type: ignore[method-assign]
    scene.comes_to_rest()
    assert scene.broken("121.00") == []


def test_an_invoice_that_reads_strangely_does_not_keep_the_others_back() -> None:
    scene = Scene("121.00")
    scene.books("2", "80.00")
    scene.registers("2", "80.00")
    sound = scene.till.payments

    def payments(document: DocumentId) -> Sequence[FocusPayment]:
        if document == "1":
            raise UnexpectedAnswer(vendor="teamleader", said="a payment without a date")
        return sound(document)

    scene.till.payments = payments  # type: ignore[method-assign]
    scene.settles()
    assert (scene.entered(), scene.problems()) == (["80.00"], {"payment:1:outward": "UnexpectedAnswer"})
    scene.till.payments = sound  # type: ignore[method-assign]
    scene.is_asked_again()
    scene.comes_to_rest()
    assert (scene.entered(), scene.problems()) == (["80.00", "121.00"], {})


def test_a_look_that_breaks_off_goes_on_at_the_next_one() -> None:
    """Two old invoices that a person must look at take the time of a whole slice, at every look."""
    scene = Scene("60.00")
    scene.books("2", "121.00")
    scene.registers("2", "60.00")
    scene.books("3", "80.00")
    scene.registers("3", "80.00")
    for document in ("1", "2"):
        scene.package.pays(f"4.V1.{document}", "50.00")
    sound, phases = scene.till.payments, [""]

    def watch(name: str, phase: str) -> None:
        if name in ("jobs.claim", "ledger.open_items"):
            phases.append(name)

    def payments(document: DocumentId) -> Sequence[FocusPayment]:
        scene.clock.advance(25 if document in ("1", "2") and phases[-1] == "ledger.open_items" else 0)
        return sound(document)

    scene.till.payments = payments  # type: ignore[method-assign]
    for _ in range(2):
        scene.settles(watch)
        scene.is_asked_again()
    assert scene.entered() == ["80.00"]
    assert set(scene.problems().values()) == {"PaymentDiffers"}


@pytest.mark.parametrize("befalls", ["a journal in use", "no answer, twice"])
def test_it_is_told_too_when_more_befell_it_before(befalls: str) -> None:
    scene = Scene("121.00")
    if befalls == "a journal in use":
        scene.package.fails["match"] = [JournalInUse(journal="D1", until=NOW)]
    else:
        scene.package.fails["enter"] = ["gone", "gone"]
        for _ in range(2):
            scene.works()
            scene.is_asked_again(timedelta(seconds=10))
    with pytest.raises(Died):
        scene.works(Walk(("links.done", "after", 0), die))
    if befalls == "a journal in use":
        scene.is_asked_again(LEASE_MARGIN + FUNCTION_TIMEOUT)
        scene.works()
    scene.package.pays("4.V1.1", "121.00")
    scene.comes_to_rest()
    assert (scene.entered(), scene.problems()) == (["121.00"], {"payment:1:outward": "PaymentNotMatched"})


def test_what_was_told_as_unmatched_is_tried_at_each_look_and_not_between() -> None:
    scene = Scene("121.00")
    scene.package.fails["match"] = [RefusedByPackage(said="-26")] * 9
    for _ in range(40):
        scene.works()
        scene.is_asked_again(timedelta(minutes=5))
    assert len(scene.package.matches_again) == 2  # of 195 minutes: when it was entered, and at the look after that


def test_a_match_for_which_no_time_is_left_is_the_next_slices() -> None:
    scene = Scene("50.00", "71.00")
    late = (FUNCTION_TIMEOUT - timedelta(seconds=39)).total_seconds()
    scene.works(Walk(("ledger.enter", "after", 0), lambda: scene.clock.advance(late)))
    assert (scene.entered(), scene.matched()) == (["50.00"], [])
    scene.comes_to_rest()
    assert [call for call in scene.calls if call in ORDER] == ORDER * 2
    assert scene.broken("50.00", "71.00") == []


def test_a_payment_that_fits_neither_is_a_persons_to_look_at_until_it_does() -> None:
    scene = Scene("60.00")
    scene.package.pays("4.V1.1", "50.00")
    scene.settles()
    assert (scene.entered(), list(scene.problems().values())) == ([], ["PaymentDiffers"])
    scene.package.pays("4.V1.1", "10.00")
    scene.is_asked_again()
    scene.settles()
    assert (scene.entered(), scene.problems()) == ([], {})


def test_a_report_newer_than_what_we_know_waits_for_the_next_look() -> None:
    scene = Scene("121.00")
    real = scene.package.open_items
    scene.package.open_items = lambda: [OpenItem(BookingRef("4.V1.1"), eur("71.00"))]  # type: ignore[method-assign]
    scene.settles()
    assert (scene.entered(), scene.problems()) == ([], {})
    scene.package.open_items = real  # type: ignore[method-assign]
    scene.is_asked_again()
    scene.settles()
    assert scene.entered() == ["121.00"]


def test_our_entry_comes_back_and_is_not_registered_even_when_the_payment_is_gone() -> None:
    scene = Scene("50.00")
    scene.comes_to_rest()
    scene.till.paid["1"].clear()
    scene.is_asked_again()
    scene.comes_to_rest()
    assert (scene.till.amounts("1"), scene.entered()) == ([], ["50.00"])


def test_a_payment_whose_entry_was_deleted_is_told_and_not_brought_again() -> None:
    scene = Scene("50.00")
    scene.comes_to_rest()
    scene.package.deletes(1)
    undone = Settlement("4.V1.1~4.D1.1", BookingRef("4.V1.1"), SettlementKind.OPEN, eur("50.00"), NOW.date())
    scene.package.bank.append(undone)
    scene.is_asked_again()
    scene.comes_to_rest()
    assert (scene.entered(), list(scene.problems().values())) == ([], ["PaymentDiffers"])


@pytest.mark.parametrize(
    "cause",
    [PeriodClosed(period="2026 - 03"), RefusedByPackage(said="dit gaat niet")],
)
def test_what_the_package_refuses_is_told_and_tried_again_at_each_look(cause: SyncError) -> None:
    scene = Scene("121.00")
    scene.package.fails["enter"] = [cause]
    scene.settles()
    assert scene.problems() == {"payment:1:outward": "PaymentNotBooked"}
    scene.is_asked_again()
    scene.comes_to_rest()
    assert scene.broken("121.00") == []


@pytest.mark.parametrize(
    "cause", [JournalInUse(journal="D1", until=NOW), RateLimited(vendor="octopus", until=NOW + timedelta(hours=9))]
)
def test_what_passes_by_itself_goes_on_at_the_next_look(cause: SyncError) -> None:
    scene = Scene("121.00")
    scene.books("2", "80.00")
    scene.registers("2", "80.00")
    scene.package.fails["enter"] = [cause]
    assert scene.works().due_at == scene.clock.now() + LOOK_EVERY
    assert (scene.entered(), scene.problems()) == ([], {})
    when = scene.clock.now() + LOOK_EVERY
    scene.is_asked_again(timedelta(minutes=5))
    assert scene.works().due_at == when  # a run between changes nothing about it
    scene.comes_to_rest()
    assert (sorted(scene.entered()), scene.problems()) == (["121.00", "80.00"], {})


def test_a_limit_of_the_day_does_not_keep_the_books_payments_from_coming() -> None:
    scene = Scene()
    scene.settles()

    def fails() -> list[OpenItem]:
        raise RateLimited(vendor="octopus", until=NOW + timedelta(hours=20))

    scene.package.open_items = fails  # type: ignore[method-assign]
    scene.is_asked_again()
    done = scene.works()
    assert "stopped" not in done.result
    assert done.due_at == scene.clock.now() + LOOK_EVERY


def test_a_number_that_somebody_took_is_offered_anew_once() -> None:
    scene = Scene("121.00")
    scene.package.fails["enter"] = [NumberTaken(journal="D1")]
    scene.works()
    assert scene.entered() == ["121.00"]
    scene = Scene("121.00")
    scene.package.fails["enter"] = [NumberTaken(journal="D1")] * 2
    scene.works()
    assert scene.entered() == []
    scene.comes_to_rest()
    assert scene.broken("121.00") == []


def test_an_entry_that_cannot_be_matched_stops_the_rest_until_it_is() -> None:
    scene = Scene("121.00")
    scene.books("2", "80.00")
    scene.registers("2", "80.00")
    scene.package.fails["match"] = [RefusedByPackage(said="-26")] * 2
    scene.settles()
    scene.is_asked_again()
    scene.settles()
    assert (scene.entered(), scene.problems()) == (["121.00"], {"payment:1:outward": "PaymentNotMatched"})
    scene.is_asked_again()
    scene.works()
    assert (sorted(scene.matched()), scene.problems()) == (["121.00", "80.00"], {})


def test_a_match_in_doubt_is_offered_as_what_it_is() -> None:
    scene = Scene("121.00")
    scene.package.fails["match"] = ["gone"]
    scene.settles()
    assert scene.package.matches_again == [False, True]
    assert scene.broken("121.00") == []


def test_a_match_in_doubt_is_not_made_with_what_got_the_number_of_our_entry() -> None:
    """rules.md 4: the last entry of a journal leaves its number when it is deleted."""
    scene = Scene("121.00")
    scene.package.fails["match"] = ["gone"]
    scene.works()
    scene.package.entries[1] = replace(scene.package.entries[1], key="")
    scene.comes_to_rest()
    assert (scene.matched(), scene.links.unsettled()) == ([], [])
    assert list(scene.problems().values()) == ["PaymentDiffers"]


def test_open_items_are_asked_for_within_a_days_limit_however_often_somebody_asks() -> None:
    scene = Scene("121.00")
    for _ in range(24 * 4):
        scene.is_asked_again(timedelta(minutes=15))
        scene.works()
    assert scene.package.asked <= 17  # of 24; two are the check's


def test_a_report_that_fails_is_not_asked_for_all_day() -> None:
    scene = Scene()
    scene.settles()
    asked = []

    def fails() -> list[OpenItem]:
        asked.append(scene.clock.now())
        raise VendorDown(vendor="octopus")

    scene.package.open_items = fails  # type: ignore[method-assign]
    scene.is_asked_again()
    for _ in range(10):
        scene.works()
        scene.is_asked_again(timedelta(minutes=5))
    assert len(asked) == 1
