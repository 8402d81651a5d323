"""A room in a vendor's house, as wiring would furnish it, from what a test has at hand."""

from __future__ import annotations

from typing import Any

from boekbrug.domain.connections import LoginId
from boekbrug.domain.documents import AccountId
from boekbrug.ports import Budgets, Logins
from boekbrug.store.memory import MemoryStore, MemoryTable
from boekbrug.vendors.http import Http
from boekbrug.vendors.oauth import AccessTokens, App, BoughtTokenKeeper, Room

ACCOUNT = AccountId("account")


def a_room(
    app: App,
    http: Http,
    tokens: AccessTokens,
    clock: Any,
    account: AccountId = ACCOUNT,
    *,
    budgets: Budgets | None = None,
    logins: Logins | None = None,
    login: LoginId = LoginId(""),
    store: MemoryStore | None = None,
) -> Room:
    """`clock` is both clocks. What is not given is a store in memory's, `store`'s where rooms are to share one."""
    kept = store or MemoryStore(MemoryTable())
    login = login or LoginId(f"{app.vendor}.{app.realm}.user-1")
    return Room(
        app=app,
        http=http,
        tokens=tokens,
        budgets=budgets or kept.budgets,
        clock=clock,
        account=account,
        real=clock,
        numbers=kept.numbers,
        token_for=lambda scope, buy: BoughtTokenKeeper(
            account, login, scope, buy, logins or kept.logins, clock, clock, sleep=lambda seconds: None
        ),
    )
