"""Signing in with Teamleader, and consent at Exact Online: two OAuth trips that leave and come back.

The `state` of a trip is used once, lives ten minutes, and fits only the browser, account and vendor it left with.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Literal

from aws_lambda_powertools import Logger

from ..domain.documents import AccountId
from ..domain.errors import ConsentDenied, StateUnknown, SyncError, UnexpectedAnswer
from ..ports import Account, House, Login, OAuthState
from ..texts import language_of
from .app import Route, Visit
from .http import Answer, Answered, Asked, redirect
from .session import BROWSER, TRIP_LASTS, cookie, digest, no_cookie, open_session, same

log = Logger(child=True)

CountryOfExact = Literal["be", "nl"]
"""Exact Online has a site, and our app a registration, per country."""


class ConnectExact(Asked):
    country: CountryOfExact


class Departure(Answered):
    authorize_url: str  # where the browser goes now


class NewLogin(Answered):
    login: str


def start_sign_in(visit: Visit) -> Answer:
    """Sends the browser to Teamleader to sign in."""
    # Kept while a trip is under way, so that a second tab does not spoil the first.
    browser = visit.request.cookies.get(BROWSER) or secrets.token_urlsafe(32)
    url = _leave(visit, "teamleader", "-", browser, None)
    return redirect(302, url, cookie(BROWSER, browser, TRIP_LASTS))


def finish_sign_in(visit: Visit) -> Answer:
    """Signs in whoever Teamleader says it is; the first of an account is its admin."""
    house = visit.house
    trip = _back(visit, "teamleader", visit.request.cookies.get(BROWSER, ""), None)
    login, user = house.grants.exchange("teamleader", trip.realm, visit.request.query.get("code", ""), None)
    if user is None:
        raise UnexpectedAnswer(vendor="teamleader", said="no user")
    now = house.clock.now()
    known = house.accounts.get(user.account)
    account = known or house.accounts.found(
        Account(
            id=user.account,
            admin=user.id,
            admin_name=user.name,
            language=language_of(user.language),
            focus_login=login.id,
            created_at=now,
        )
    )
    if login.id != account.focus_login and _is_lost(house, account):
        account = replace(account, admin=user.id, admin_name=user.name, focus_login=login.id)
        house.accounts.hand_over(account)
    if login.id == account.focus_login:  # a colleague's grant serves nobody otherwise, so it is not kept
        house.logins.save_new(login)
        house.jobs.resume(account.id, None, now)
    house.audit(account.id).append("account", "signed_in", {"user": user.id, "first": known is None}, now)
    return redirect(303, f"{house.public_url}/api/session", open_session(user, house), no_cookie(BROWSER))


def _is_lost(house: House, account: Account) -> bool:
    """Whether the grant that this account works by is gone: whoever made it left, or withdrew it."""
    login = house.logins.get(account.id, account.focus_login)
    return login is None or login.tokens is None


def start_exact(visit: Visit) -> Answer:
    """Where to give consent at Exact Online, for one of its countries."""
    country = visit.request.read(ConnectExact).country
    url = _leave(visit, "exact", country, visit.token, visit.session.account)
    return Answer(body=Departure(authorize_url=url))


def finish_exact(visit: Visit) -> Answer:
    """Keeps the consent Exact Online gave, and wakes what waited for it."""
    house, session = visit.house, visit.session
    trip = _back(visit, "exact", visit.token, session.account)
    code = visit.request.query.get("code", "")
    login, _ = house.grants.exchange("exact", trip.realm, code, session.account)
    house.logins.save_new(login)
    now = house.clock.now()
    _take_over(house, login, session.user)
    for connection in house.connections.of_account(session.account):
        if connection.login == login.id:
            house.jobs.resume(session.account, connection.administration, now)
    house.audit(session.account).append("account", "login_saved", {"login": login.id, "user": session.user}, now)
    return Answer(body=NewLogin(login=login.id))


def _take_over(house: House, login: Login, user: str) -> None:
    """Who gave the consent may have left: where a grant is lost, a colleague's takes its place if it reaches as far."""
    lost = {one.id for one in house.logins.of_account(login.account) if one.vendor == login.vendor and not one.tokens}
    stuck = [one for one in house.connections.of_account(login.account) if one.login in lost]
    if not stuck:
        return
    try:
        reached = {found.id for found in house.package(login.account, login.id).administrations() if found.usable}
    except SyncError as error:  # the consent itself is saved; they stand still as before
        log.warning("nothing taken over", extra={"cause": error.cause})
        return
    for connection in stuck:
        if connection.administration in reached:
            house.connections.save(replace(connection, login=login.id))
            facts = {"connection": connection.id, "login": login.id, "user": user}
            house.audit(login.account).append(connection.administration, "login_changed", facts, house.clock.now())


def _leave(visit: Visit, vendor: str, realm: str, browser: str, account: AccountId | None) -> str:
    """The vendor's consent page, with a state that is remembered."""
    expires_at = visit.house.clock.now() + TRIP_LASTS
    state = visit.house.states.open(OAuthState(vendor, realm, digest(browser), account, expires_at))
    return visit.house.grants.authorize_url(vendor, realm, state)


def _back(visit: Visit, vendor: str, browser: str, account: AccountId | None) -> OAuthState:
    """The trip this browser comes back from; its state is used up whatever the outcome.

    Raises: StateUnknown, ConsentDenied.
    """
    query = visit.request.query
    trip = visit.house.states.take(query["state"], visit.house.clock.now()) if query.get("state") else None
    if query.get("error"):  # Teamleader sends no state along with a refusal; nothing changes, so none is needed
        raise ConsentDenied(vendor=vendor)
    if trip is None or (trip.vendor, trip.account) != (vendor, account) or not same(trip.browser, digest(browser)):
        raise StateUnknown()
    return trip


ROUTES = (
    Route("GET", "/connect/teamleader", start_sign_in, signed_in=False, status=302),
    Route(
        "GET",
        "/callback/teamleader",
        finish_sign_in,
        query=("code", "state", "error"),
        signed_in=False,
        status=303,
    ),
    Route("POST", "/connect/exact", start_exact, Departure, asks=ConnectExact),
    Route("GET", "/callback/exact", finish_exact, NewLogin, query=("code", "state", "error")),
)
