"""A refresh token works once: one worker uses it, and what it brought is saved before anybody sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from boekbrug.domain.connections import LoginId
from boekbrug.domain.documents import AccountId
from boekbrug.domain.errors import AccessExpired, RateLimited, TokenBusy, UnexpectedAnswer, VendorDown
from boekbrug.ports import Login, Tokens
from boekbrug.vendors.http import Http, new_client
from boekbrug.vendors.oauth import App, TokenKeeper, token_call, tokens_of
from tests.support.clocks import MORNING, StillClock
from tests.support.logins import MemoryLogins

ACCOUNT = AccountId("account-1")
LOGIN = LoginId("exact.be.user-1")


def a_pair(n: int, issued_at=MORNING, seconds: int = 600) -> Tokens:
    return Tokens(f"access-{n}", f"refresh-{n}", issued_at, issued_at + timedelta(seconds=seconds))


def a_login(tokens: Tokens | None) -> Login:
    return Login(id=LOGIN, account=ACCOUNT, vendor="exact", realm="be", user="user-1", tokens=tokens, version=1)


class Vendor:
    """A token endpoint: knows the one refresh token that works, and may fail as told, before or after it acted."""

    def __init__(self, clock: StillClock, seconds: int = 600) -> None:
        self.clock = clock
        self.seconds = seconds
        self.alive = 1  # of the pair that works
        self.calls = 0
        self.lose_answers = 0
        self.down = 0
        self.meanwhile: Callable[[], None] = lambda: None

    def refresh(self, token: str) -> Tokens:
        self.calls += 1
        asked_at = self.clock.now()
        self.meanwhile()
        if self.down:
            self.down -= 1
            raise VendorDown(vendor="exact")
        if token != f"refresh-{self.alive}":
            raise AccessExpired(vendor="exact")
        self.alive += 1
        if self.lose_answers:
            self.lose_answers -= 1
            raise VendorDown(vendor="exact")
        return a_pair(self.alive, asked_at, self.seconds)

    def pair(self) -> Tokens:
        return a_pair(self.alive, self.clock.now(), self.seconds)


class House:
    """A vendor, a store with the first pair in it, and keepers as its processes have them."""

    def __init__(self, *, not_before_s: int = 0, logins: MemoryLogins | None = None) -> None:
        self.clock = StillClock()
        self.vendor = Vendor(self.clock)
        self.logins = logins or MemoryLogins(a_login(a_pair(1)))
        self.not_before_s = not_before_s
        self.slept: list[float] = []

    def keeper(self, sleep: Callable[[float], None] | None = None) -> TokenKeeper:
        return TokenKeeper(
            ACCOUNT,
            LOGIN,
            self.logins,
            self.clock,
            self.clock,
            self.vendor.refresh,
            vendor="exact",
            not_before_s=self.not_before_s,
            sleep=sleep or self.slept.append,
        )

    @property
    def stored(self) -> Tokens | None:
        return self.logins.get(ACCOUNT, LOGIN).tokens


def test_a_token_is_used_until_a_minute_before_its_end():
    house = House()
    keeper = house.keeper()
    house.clock.advance(539)
    assert keeper.access() == "access-1"
    assert house.vendor.calls == 0
    house.clock.advance(1)
    assert keeper.access() == "access-2"


def test_the_store_is_read_once_while_a_token_lasts(monkeypatch):
    house = House()
    keeper = house.keeper()
    keeper.access()
    monkeypatch.setattr(house.logins, "get", lambda *_: pytest.fail("read again"))
    assert keeper.access() == "access-1"


def test_a_new_pair_is_saved_before_its_first_use():
    house = House()
    house.clock.advance(560)

    assert house.keeper().access() == "access-2"

    assert house.stored == house.vendor.pair()
    assert house.logins.steps == ["lease", "rotate"]


def test_a_pair_that_cannot_be_saved_is_not_used():
    house = House()
    house.clock.advance(560)
    house.logins.rotate = lambda *_: (_ for _ in ()).throw(OSError("the store is away"))
    with pytest.raises(OSError):
        house.keeper().access()


def test_a_crash_between_the_answer_and_the_save_costs_the_chain_and_says_so():
    house = House()
    house.clock.advance(560)
    keeper, save = house.keeper(), house.logins.rotate
    house.logins.rotate = lambda *_: (_ for _ in ()).throw(OSError("killed"))
    with pytest.raises(OSError):
        keeper.access()

    house.logins.rotate = save
    house.clock.advance(61)  # the dead worker's lease
    with pytest.raises(AccessExpired):
        house.keeper().access()
    assert house.stored is None


@pytest.mark.parametrize("keepers", [1, 2])
def test_two_at_a_time_make_one_refresh(keepers):
    """In one process by its own lock, in two by the lease."""
    house = House()
    house.clock.advance(560)
    refreshing, others_wait = threading.Event(), threading.Event()

    def meanwhile() -> None:
        refreshing.set()
        others_wait.wait(0.2 if keepers == 1 else 60)

    def sleep(_: float) -> None:
        others_wait.set()
        first.join(60)

    house.vendor.meanwhile = meanwhile
    doors = [house.keeper(sleep) for _ in range(keepers)] * 2
    got: list[str] = []
    first = threading.Thread(target=lambda: got.append(doors[0].access()))
    second = threading.Thread(target=lambda: got.append(doors[1].access()))
    first.start()
    assert refreshing.wait(60)
    second.start()
    first.join(60)
    second.join(60)

    assert got == ["access-2", "access-2"]
    assert house.vendor.calls == 1


def test_a_lease_that_stays_held_is_waited_for_a_little():
    house = House()
    house.clock.advance(560)
    login = house.logins.get(ACCOUNT, LOGIN)
    house.logins.lease(login, until=house.clock.now() + timedelta(seconds=60), now=house.clock.now())

    with pytest.raises(TokenBusy):
        house.keeper().access()

    assert 5 < sum(house.slept) < 10
    assert house.vendor.calls == 0


def test_a_pair_another_worker_saved_just_before_our_lease_is_taken():
    house = House()
    house.clock.advance(560)
    keeper, lease = house.keeper(), house.logins.lease

    def late_lease(login, until, now):
        house.logins.save_new(replace(login, tokens=a_pair(7, house.clock.now())))
        return lease(login, until, now)

    house.logins.lease = late_lease
    assert keeper.access() == "access-7"
    assert house.vendor.calls == 0
    assert house.logins.steps == ["lease", "give_back"]


def test_a_refused_token_is_replaced():
    house = House()
    keeper = house.keeper()
    keeper.refused(keeper.access())
    assert keeper.access() == "access-2"


def test_a_refused_token_that_another_worker_replaced_costs_no_refresh():
    house = House()
    mine, other = house.keeper(), house.keeper()
    token = mine.access()
    other.refused(other.access())
    other.access()

    mine.refused(token)

    assert mine.access() == "access-2"
    assert house.vendor.calls == 1


def test_a_refresh_is_never_early():
    """Exact: ten minutes' life, a refresh before 9:30 is refused and counted as an error."""
    house = House(not_before_s=570)
    keeper = house.keeper()
    house.clock.advance(569)
    assert keeper.access() == "access-1"
    house.clock.advance(1)
    assert keeper.access() == "access-2"


def test_a_token_refused_too_early_for_a_refresh_waits():
    house = House(not_before_s=570)
    keeper = house.keeper()
    house.clock.advance(100)
    keeper.refused(keeper.access())
    with pytest.raises(RateLimited) as limited:
        keeper.access()
    assert limited.value.until == MORNING + timedelta(seconds=570)
    assert house.vendor.calls == 0


def test_a_vendor_that_is_down_is_asked_twice_and_the_lease_given_back():
    house = House()
    house.clock.advance(560)
    house.vendor.down = 2
    with pytest.raises(VendorDown):
        house.keeper().access()
    assert house.logins.steps == ["lease", "give_back"]
    assert house.keeper().access() == "access-2"


def test_a_hiccup_of_the_vendor_is_nobodys_business():
    house = House()
    house.clock.advance(560)
    house.vendor.down = 1
    assert house.keeper().access() == "access-2"


def test_a_lost_answer_that_used_up_the_token_ends_the_chain():
    house = House()
    house.clock.advance(560)
    house.vendor.lose_answers = 1
    with pytest.raises(AccessExpired):
        house.keeper().access()
    assert house.stored is None
    assert house.logins.steps == ["lease", "lose"]


def test_the_second_try_is_left_out_when_the_lease_would_not_outlive_it():
    house = House()
    house.clock.advance(560)
    house.vendor.down = 2
    house.vendor.meanwhile = lambda: house.clock.advance(40)
    with pytest.raises(VendorDown):
        house.keeper().access()
    assert house.vendor.calls == 1


def test_a_revoked_grant_empties_the_store():
    house = House()
    house.clock.advance(560)
    house.vendor.alive = 99
    keeper = house.keeper()
    for _ in range(2):
        with pytest.raises(AccessExpired):
            keeper.access()
    assert house.stored is None
    assert house.vendor.calls == 1


def test_a_dead_token_is_believed_only_while_it_is_the_one_we_have():
    """Another worker took over our lease and refreshed; our late call then hears that the old token is dead."""
    house = House()
    house.clock.advance(560)

    def overtaken() -> None:
        house.vendor.alive = 2
        house.logins.save_new(a_login(house.vendor.pair()))

    house.vendor.meanwhile = overtaken
    assert house.keeper().access() == "access-2"
    assert "lose" not in house.logins.steps


def test_a_pair_brought_after_the_lease_was_lost_is_not_used():
    house = House()
    house.clock.advance(560)
    house.vendor.meanwhile = lambda: house.logins.save_new(a_login(a_pair(1)))
    with pytest.raises(TokenBusy):
        house.keeper().access()


def test_a_pair_brought_after_the_lease_was_lost_is_kept_when_it_is_all_there_is():
    """Another worker holds the lease by now and has brought nothing yet: the token we used is used up."""
    house = House()
    house.clock.advance(560)

    def overtaken() -> None:
        house.clock.advance(61)
        now = house.clock.now()
        assert house.logins.lease(house.logins.get(ACCOUNT, LOGIN), until=now + timedelta(seconds=60), now=now)

    house.vendor.meanwhile = overtaken
    assert house.keeper().access() == "access-2"
    assert house.stored.refresh == "refresh-2"


def test_a_death_is_not_declared_by_who_lost_the_lease():
    """Whoever took it over may have the new pair in its hands."""
    house = House()
    house.clock.advance(560)
    house.vendor.alive = 2

    def overtaken() -> None:
        house.clock.advance(61)
        now = house.clock.now()
        assert house.logins.lease(house.logins.get(ACCOUNT, LOGIN), until=now + timedelta(seconds=60), now=now)

    house.vendor.meanwhile = overtaken
    with pytest.raises(TokenBusy):
        house.keeper().access()
    assert house.stored == a_pair(1)


def test_the_wait_for_the_next_refresh_begins_with_the_answer():
    """Exact counts from its own moment, as late as the answer perhaps; a token's life counts from before the call."""
    house = House(not_before_s=570)
    house.clock.advance(570)
    house.vendor.meanwhile = lambda: house.clock.advance(25)
    keeper = house.keeper()
    keeper.access()
    house.vendor.meanwhile = lambda: None
    assert house.stored.issued_at == house.clock.now()
    house.clock.advance(569)
    keeper.access()
    assert house.vendor.calls == 1
    house.clock.advance(1)
    assert keeper.access() == "access-3"


@pytest.mark.parametrize("logins", [MemoryLogins(), MemoryLogins(a_login(None))])
def test_no_tokens_means_log_in(logins):
    with pytest.raises(AccessExpired):
        House(logins=logins).keeper().access()


# --- what token endpoints have in common -------------------------------------------------------------------------


def an_http(answer: Callable[[httpx.Request], httpx.Response]) -> Http:
    return Http("exact", new_client(httpx.MockTransport(answer)), sleep=lambda _: None)


def test_a_token_call_is_a_form_sent_once_and_shorter_than_a_lease():
    calls: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(503)

    with pytest.raises(VendorDown):
        token_call(an_http(answer), "https://vendor.example/token", {"code": "a&b"})

    assert [call.content for call in calls] == [b"code=a%26b"]
    assert sum(calls[0].extensions["timeout"][phase] for phase in ("connect", "write", "read")) <= 45


def test_a_lost_answer_of_a_token_call_is_a_vendor_that_is_down():
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("nothing", request=request)

    with pytest.raises(VendorDown):
        token_call(an_http(answer), "https://vendor.example/token", {})


def test_seconds_of_life_may_be_text():
    answer = httpx.Response(200, json={"access_token": "a", "refresh_token": "r", "expires_in": "600"})
    assert tokens_of(answer, "exact", MORNING) == Tokens("a", "r", MORNING, MORNING + timedelta(minutes=10))


def test_an_answer_without_a_refresh_token_keeps_the_known_one():
    answer = httpx.Response(200, json={"access_token": "a", "expires_in": 600})
    assert tokens_of(answer, "octopus", MORNING, "known").refresh == "known"
    answer = httpx.Response(200, json={"access_token": "a", "refresh_token": "new", "expires_in": 600})
    assert tokens_of(answer, "octopus", MORNING, "known").refresh == "new"


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        {"access_token": "a-secret", "expires_in": 600},
        {"access_token": "a-secret", "refresh_token": "r", "expires_in": None},
    ],
)
def test_half_a_pair_is_not_understood_and_never_quoted(answer):
    with pytest.raises(UnexpectedAnswer) as raised:
        tokens_of(httpx.Response(200, json=answer), "exact", MORNING)
    assert "a-secret" not in str(raised.value)


def test_an_app_does_not_show_its_secrets():
    app = App(
        "exact", "be", "id", "s3cret", "https://us.example/back", "https://a.example", "https://a.example", "h00k"
    )
    assert "s3cret" not in repr(app)
    assert "h00k" not in repr(app)
