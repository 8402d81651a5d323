"""A chain of tokens is never lost, whoever refreshes, dies or sleeps in the middle of it (design.md 6).

`infra/test tests/chaos/test_tokens.py` runs a slice; `--deep` adds more seeds and longer chains. A failing seed names
the command that plays it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest

from boekbrug.domain.errors import AccessExpired, TokenBusy
from boekbrug.ports import Login, Tokens
from infra.local.fake_control import FakeControl
from tests.support.company import Company, a_connected_company
from tests.support.local_tables import LocalTables, local_tables
from tests.support.stage import Killed as SandboxKilled
from tests.support.stage import standing
from tests.support.transports import fake_transport

from .grants import OFFICES, URL
from .token_crowd import Crowd
from .token_desk import TOKEN_CALL, Fuse, Killed, TokenDesk, at_step
from .token_dossier import DossierDay, DossierDesk, connects
from .token_scene import TokenScene

ROTATIONS = 1000
OF_OCTOPUS = tuple(way for way in OFFICES if way.startswith("octopus"))


def play(seed: int, **scale: Any) -> TokenScene:
    scene = TokenScene(seed, **scale)
    again = f"play it again: infra/test tests/chaos/test_tokens.py --deep -k 'scene and {seed}'"
    try:
        scene.play()
    except Exception as error:
        raise AssertionError(f"{again}\n" + "\n".join(scene.log[-20:])) from error
    assert scene.broken() == [], again
    return scene


class TestTwoHundredWorkers:
    def test_scene_with_seed_1(self) -> None:
        scene = play(1)
        assert scene.rotations >= ROTATIONS
        assert scene.waits > 0  # they did meet

    def test_the_same_seed_is_the_same_story(self) -> None:
        assert play(2, rotations=60).log == play(2, rotations=60).log != play(3, rotations=60).log

    def test_scene_of_octopus_with_seed_3(self) -> None:
        """Refresh tokens that are replaced, one that lasts, and passwords."""
        scene = play(3, ways=OF_OCTOPUS)
        assert scene.rotations >= ROTATIONS
        assert scene.waits > 0

    @pytest.mark.deep
    @pytest.mark.parametrize("seed", range(300, 310))
    def test_scene_of_octopus_with_seed(self, seed: int) -> None:
        assert play(seed, ways=OF_OCTOPUS).rotations >= ROTATIONS

    @pytest.mark.deep
    @pytest.mark.parametrize("seed", range(100, 120))
    def test_scene_with_seed(self, seed: int) -> None:
        assert play(seed).rotations >= ROTATIONS

    @pytest.mark.deep
    @pytest.mark.parametrize("seed", [200, 201])
    def test_scene_with_one_login_for_all(self, seed: int) -> None:
        """The first is Exact's, whose gate is the narrowest."""
        assert play(seed, chains=1).rotations >= ROTATIONS


class TestARefusedPassword:
    """Failures are counted at Octopus, and a user is locked out after some: it is never tried again."""

    def test_by_all_who_need_it_at_a_time(self) -> None:
        scene = TokenScene(4, ways=["octopus by password"], workers=0, chains=1)
        (chain,) = scene.chains
        chain.office.revoke()
        told: Counter[str] = Counter()

        def work(worker: int) -> None:
            scene.scene.sleep(600 + scene.scene.chance.uniform(0, 20))  # until its token has ended
            for _ in range(5):
                try:
                    scene.keeper(worker, chain).access()
                except (AccessExpired, TokenBusy) as error:
                    told[error.cause] += 1
                scene.scene.sleep(scene.scene.chance.uniform(1, 20))

        for worker in range(200):
            scene.scene.start(lambda worker=worker: work(worker))
        scene.play()
        assert chain.office.refused == 1
        assert scene.stored(chain).tokens is None
        assert told["AccessExpired"] > 200
        assert told["TokenBusy"] > 0  # they did meet
        assert told.total() == 1000

    def test_by_whoever_comes_after_a_crash(self) -> None:
        """Only who dies with the answer in hand lets the next one try, and be told, once more."""
        whole = Fuse()
        with pytest.raises(AccessExpired):
            self._changed().worker(whole).access()
        twice = [step for at, step in enumerate(whole.steps) if self._refused(at) == 2]
        assert twice == [
            (TOKEN_CALL, "after"),
            ("logins.get", "before"),
            ("logins.get", "after"),
            ("logins.lose", "before"),
        ]

    def _refused(self, at: int) -> int:
        desk = self._changed()
        with pytest.raises(Killed):
            desk.worker(Fuse(at)).access()
        for _ in range(3):
            desk.clock.advance(LEASE + 1)
            with pytest.raises(AccessExpired):
                desk.worker().access()
        return desk.office.refused

    def _changed(self) -> TokenDesk:
        desk = TokenDesk("octopus by password")
        desk.office.revoke()
        return desk


class TestOneDossierForADay:
    """A token lasts ten minutes and may be bought 150 times a day: that is just enough, and only for one at a time."""

    @pytest.mark.parametrize("way", ["octopus", "octopus by password"])
    def test_with_many_workers_and_seed_1(self, way: str) -> None:
        self._play(1, way, workers=40)

    @pytest.mark.deep
    @pytest.mark.parametrize("seed", range(100, 105))
    @pytest.mark.parametrize("way", OF_OCTOPUS)
    def test_with_two_hundred_workers(self, way: str, seed: int) -> None:
        self._play(seed, way, workers=200)

    def _play(self, seed: int, way: str, workers: int) -> None:
        day = DossierDay(seed, way, workers=workers)
        day.play()
        assert day.refused == []
        assert day.most_opening == 1
        assert 130 < max(connects(day.office).values()) <= 150  # it was needed all day
        assert day.waits > 0  # they did meet


LEASE = 60


@pytest.fixture(params=OFFICES)
def desk(request: pytest.FixtureRequest) -> TokenDesk:
    return TokenDesk(request.param)


class TestACrashAtEachStep:
    """The steps are those that an undisturbed refresh takes, and not a list kept by hand."""

    @pytest.mark.parametrize("way", OFFICES)
    def test_a_pair_is_lost_only_between_the_vendor_and_the_table(self, way: str) -> None:
        """And not even there where what refreshes works more than once."""
        whole = Fuse()
        desk = TokenDesk(way)
        desk.worker(whole).access()
        lost = [step for at, step in enumerate(whole.steps) if not self._survives(TokenDesk(way), at)]
        assert lost == ([] if desk.office.lasts else [(TOKEN_CALL, "after"), ("logins.rotate", "before")])
        assert len(whole.steps) >= 8

    def _survives(self, desk: TokenDesk, at: int) -> bool:
        """Whether the next worker works on; if not, that it says so once and a consent cures it."""
        with pytest.raises(Killed):
            desk.worker(Fuse(at)).access()
        desk.clock.advance(LEASE + 1)
        if desk.office.newest(desk.stored.refresh):
            known = desk.answered.count(200) == 0 or not desk.office.lasts or desk.office.takes(desk.stored.access)
            self._works(desk)
            assert desk.answered.count(200) == (1 if known else 2)
            return True
        for _ in range(2):
            with pytest.raises(AccessExpired):
                desk.worker().access()
        assert desk.stored is None
        assert len(desk.answered) == 2  # the one that got lost, and the one that found out
        desk.consents()
        self._works(desk)
        return False

    def _works(self, desk: TokenDesk) -> None:
        access = desk.worker().access()
        assert desk.office.takes(access)
        assert desk.stored.access == access
        assert desk.office.newest(desk.stored.refresh)


class TestACrashInAPurchase:
    """A dossier token is bought with the login's: whoever dies at it costs a purchase at most."""

    @pytest.mark.parametrize("way", OF_OCTOPUS)
    def test_at_each_step(self, way: str) -> None:
        """With the login's own pair to be refreshed first, whose steps are those above."""
        whole = Fuse()
        DossierDesk(way).buyer(whole).access()
        assert len(whole.steps) >= 16
        costs = [self._cost(DossierDesk(way), at) for at in range(len(whole.steps))]
        assert costs.count(None) == (0 if OFFICES[way].lasts else 2)
        bought = [step for step, cost in zip(whole.steps, costs, strict=True) if cost == 2]
        assert bought == [(TOKEN_CALL, "after"), ("logins.rotate", "before")]
        assert set(costs) <= {None, 1, 2}

    def _cost(self, desk: DossierDesk, at: int) -> int | None:
        """How often the dossier was opened until the next worker could work; None when the login was lost."""
        with pytest.raises(Killed):
            desk.buyer(Fuse(at)).access()
        desk.clock.advance(2 * LEASE + 1)
        if not desk.office.newest(desk.stored.refresh):
            with pytest.raises(AccessExpired):
                desk.buyer().access()
            desk.consents()
            assert desk.office.takes(desk.buyer().access())
            return None
        access = desk.buyer().access()
        assert desk.office.takes(access)
        assert desk.buyer().access() == access
        return desk.opened


class TestTheStoreFails:
    @pytest.mark.parametrize("phase", ["before", "after"])
    def test_a_pair_that_cannot_be_saved_at_once_is_saved_later(self, desk: TokenDesk, phase: str) -> None:
        """`after`: it was saved, and the answer got lost."""
        access = desk.worker(at_step(("logins.rotate", phase), _away)).access()
        assert desk.stored.access == access
        assert desk.office.newest(desk.stored.refresh)


class TestAConsentWhileARefreshIsUnderWay:
    @pytest.mark.parametrize("name", ["logins.lease", TOKEN_CALL, "logins.rotate"])
    @pytest.mark.parametrize("phase", ["before", "after"])
    def test_the_consent_stands(self, desk: TokenDesk, name: str, phase: str) -> None:
        consented: list[Login] = []
        worker = desk.worker(at_step((name, phase), lambda: consented.append(desk.consents())))
        access = worker.access()
        if not desk.office.takes(access):  # saved just before the consent that ended it
            worker.refused(access)
            access = worker.access()
        assert desk.office.takes(access)
        assert desk.stored == consented[0].tokens
        assert desk.worker().access() == desk.stored.access
        assert desk.office.newest(desk.stored.refresh)

    def test_a_chain_found_dead_is_not_lost_when_there_is_a_new_one(self, desk: TokenDesk) -> None:
        """The consent comes between the last look and the verdict."""
        desk.office.revoke()
        access = desk.worker(at_step(("logins.lose", "before"), desk.consents)).access()
        assert desk.stored.access == access
        assert desk.office.takes(access)


class TestAWorkerThatOutlivesItsLease:
    """Its token call is answered, and then it stands still for longer than the sixty seconds."""

    def test_its_pair_is_kept_when_nobody_brought_another(self, desk: TokenDesk) -> None:
        def overslept() -> None:
            desk.clock.advance(LEASE + 1)
            other = desk.logins.get(desk.login.account, desk.login.id)
            now = desk.clock.now()
            assert desk.logins.lease(other, until=now + timedelta(seconds=LEASE), now=now)

        access = desk.worker(at_step(("logins.rotate", "before"), overslept)).access()
        assert desk.stored.access == access
        assert desk.office.newest(desk.stored.refresh)

    def test_exact_keeps_the_chain_even_when_the_other_found_its_token_used(self) -> None:
        """The other reports it, so people are asked to log in; but the pair is there, and works."""
        desk = TokenDesk("exact")

        def overslept() -> None:
            desk.clock.advance(LEASE + 1)
            with pytest.raises(AccessExpired):
                desk.worker().access()
            assert desk.stored is None

        access = desk.worker(at_step(("logins.rotate", "before"), overslept)).access()
        assert desk.stored.access == access
        assert desk.office.newest(desk.stored.refresh)
        assert desk.worker().access() == access

    def test_the_other_believes_in_no_death_when_the_pair_came_back_meanwhile(self) -> None:
        """The other has been told that the token is used, and looks; then the sleeper saves."""
        desk = TokenDesk("exact")
        sleeper_wakes: list[Tokens] = []

        def sleeper_saves() -> None:
            desk.logins.rotate(asleep, sleeper_wakes.pop())

        now = desk.clock.now()
        asleep = desk.logins.lease(desk.login, until=now + timedelta(seconds=LEASE), now=now)
        sleeper_wakes.append(self._brought(desk, asleep))
        desk.clock.advance(LEASE + 1)

        access = desk.worker(at_step(("logins.lose", "before"), sleeper_saves)).access()
        assert desk.stored.access == access
        assert desk.office.newest(desk.stored.refresh)

    def _brought(self, desk: TokenDesk, login: Login) -> Tokens:
        office = desk.office
        http = office.http(fake_transport(office.fake))
        return office.door.refresh(office.app, http, login.tokens.refresh, desk.clock.now())

    def test_what_the_vendor_answered_last_counts(self) -> None:
        """A vendor that is patient until the new pair is used answers both; only the second pair lives."""
        desk = TokenDesk("exact")
        FakeControl(URL, fake_transport(desk.office.fake)).post("switches", refresh_grace="until_new_used")
        now = desk.clock.now()
        asleep = desk.logins.lease(desk.login, until=now + timedelta(seconds=LEASE), now=now)
        brought = self._brought(desk, asleep)
        desk.clock.advance(570)

        access = desk.worker(at_step(("logins.rotate", "before"), lambda: desk.logins.rotate(asleep, brought))).access()
        assert access != brought.access
        assert desk.stored.access == access
        assert desk.office.newest(desk.stored.refresh)

    def test_nothing_is_asked_with_a_lease_that_ends_before_the_answer(self, desk: TokenDesk) -> None:
        """It stood still before its call: whoever takes over would use the same token."""
        slow = at_step(("logins.lease", "after"), lambda: desk.clock.advance(20))
        with pytest.raises(TokenBusy):
            desk.worker(slow).access()
        assert desk.answered == []
        assert desk.worker().access() == desk.stored.access


@pytest.fixture
def company() -> Iterator[Company]:
    with standing() as bridge:
        yield a_connected_company(bridge)


@pytest.fixture(scope="module")
def local() -> Iterator[LocalTables]:
    with local_tables() as tables:
        yield tables


@pytest.mark.stack
class TestSixteenProcesses:
    """On the local DynamoDB, with time scaled down; the vendor's fake on a socket."""

    def test_a_slice(self, local: LocalTables) -> None:
        self._play(local, "teamleader", rotations=200)

    @pytest.mark.deep
    @pytest.mark.parametrize("way", ["teamleader", *OF_OCTOPUS])
    def test_all(self, local: LocalTables, way: str) -> None:
        self._play(local, way, rotations=16 * 200)

    def _play(self, local: LocalTables, way: str, rotations: int) -> None:
        crowd = Crowd(local, way, processes=16, chains=4, rotations=rotations)
        told = crowd.play()
        assert crowd.broken(told) == []
        assert crowd.rotations() >= rotations
        assert sum(one.waits for one in told) > 0  # they did meet


class TestTheWholeBridge:
    """What people see of it: a sentence, a pause, and after the next consent every document in the books."""

    CALLS = MappingProxyType({"exact": "POST /api/oauth2/token", "teamleader": "POST /oauth2/access_token"})

    @pytest.mark.parametrize("call", ["authentication", "dossiers"])
    def test_a_crash_in_a_log_in_at_octopus_costs_nothing_at_all(self, call: str) -> None:
        """User and password are kept, and a dossier is opened anew."""
        with standing() as bridge:
            company = a_connected_company(bridge, "octopus")
            first = company.invoices("100.00")
            company.exports()
            company.stage.time.advance(2 * 3600)
            waiting = [company.invoices("200.00"), company.invoices("300.00")]
            company.asks_for("documents")
            company.stage.on_the_line(f"POST /octopus-rest-api/v1/{call}", _die, arrived=True)
            company.stage.pass_time(timedelta(minutes=20))
            assert company.stage.dead_sandboxes == 1
            assert company.job("documents")["paused"] is None
            assert company.problems() == {}
            assert [len(company.booked(invoice)) for invoice in (first, *waiting)] == [1, 1, 1]
            assert company.books.control.counters()["failed_logins"] == {}

    @pytest.mark.parametrize("vendor", CALLS)
    @pytest.mark.parametrize("arrived", [False, True], ids=["before_the_call", "before_the_save"])
    def test_a_crash_in_a_refresh_costs_no_document(self, company: Company, vendor: str, arrived: bool) -> None:
        first = company.invoices("100.00")
        company.exports()
        company.stage.time.advance(2 * 3600)  # both tokens have ended
        waiting = [company.invoices("200.00"), company.invoices("300.00")]
        company.asks_for("documents")
        company.stage.on_the_line(self.CALLS[vendor], _die, arrived=arrived)
        company.stage.pass_time(timedelta(minutes=20))

        assert company.stage.dead_sandboxes == 1
        paused = company.job("documents")["paused"]
        if arrived:
            assert paused["cause"] == "AccessExpired"
            assert "AccessExpired" in company.problems()
            assert [company.booked(invoice) for invoice in waiting] == [[], []]
            company.consents_again() if vendor == "exact" else company.signs_in_again()
            company.stage.settle()
        assert company.job("documents")["paused"] is None
        assert company.problems() == {}
        assert [len(company.booked(invoice)) for invoice in (first, *waiting)] == [1, 1, 1]


def _die() -> None:
    raise SandboxKilled


def _away() -> None:
    raise OSError("the store is away")
