"""Signing in with Teamleader, and consent or a log-in at a package.

Consent is a trip that leaves and comes back: its `state` is used once, lives ten minutes, and fits only the browser,
account and vendor it left with. A log-in is a form with a user and password, where a package takes them.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from aws_lambda_powertools import Logger
from pydantic import Field, SecretStr

from ..domain.documents import AccountId
from ..domain.errors import ConsentDenied, RequestInvalid, StateUnknown, SyncError, UnexpectedAnswer
from ..ports import Account, House, Login, OAuthState, PackageFacts
from ..texts import language_of
from .app import Route, Visit
from .http import Answer, Answered, Asked, redirect
from .session import BROWSER, TRIP_LASTS, cookie, digest, no_cookie, open_session, same

log = Logger(child=True)


class WantedConsent(Asked):
    country: str = ""  # "be" or "nl" at Exact Online; nothing where our app is registered once for all


class Credentials(Asked):
    """What a person logs in with at the package. Sealed; never shown, logged or told again."""

    user: str = Field(min_length=1, max_length=200)
    password: SecretStr = Field(min_length=1, max_length=200)


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


def ask_consent(visit: Visit) -> Answer:
    """Where to give consent at a package, for one of its countries where it has several."""
    package = visit.request.params["package"]
    realm = _realm(visit.house.facts(package), visit.request.read(WantedConsent).country)
    url = _leave(visit, package, realm, visit.token, visit.session.account)
    return Answer(body=Departure(authorize_url=url))


def keep_consent(visit: Visit) -> Answer:
    """Keeps the consent that a package gave, and wakes what waited for it."""
    house, package = visit.house, visit.request.params["package"]
    house.facts(package)
    trip = _back(visit, package, visit.token, visit.session.account)
    code = visit.request.query.get("code", "")
    login, _ = house.grants.exchange(package, trip.realm, code, visit.session.account)
    return _kept(visit, login)


def log_in(visit: Visit) -> Answer:
    """Logs in at a package with a user and password; they are tried once, and wake what waited for them."""
    house, package = visit.house, visit.request.params["package"]
    realm = house.facts(package).REALMS[0]  # who takes passwords has no countries
    asked = visit.request.read(Credentials)
    password = asked.password.get_secret_value()
    return _kept(visit, house.grants.log_in(package, realm, asked.user, password, visit.session.account))


def _realm(package: PackageFacts, country: str) -> str:
    """Our app's place at a package: a country, or "-" where there is one for all. Raises RequestInvalid."""
    if (country or "-") not in package.REALMS:
        raise RequestInvalid(field="country", reason="not_offered" if country else "missing")
    return country or "-"


def _kept(visit: Visit, login: Login) -> Answer:
    house, session = visit.house, visit.session
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
    Route("POST", "/connect/{package}", ask_consent, Departure, asks=WantedConsent),
    Route("GET", "/callback/{package}", keep_consent, NewLogin, query=("code", "state", "error")),
    Route("POST", "/connect/{package}/login", log_in, NewLogin, asks=Credentials),
)
