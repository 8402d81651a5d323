"""Who is at the door: cookies, sessions, and the proof that a request comes from our own page."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta

from ..domain.errors import CsrfMissing
from ..ports import FocusUser, House, Session
from ..texts import language_of
from .http import Request

# "__Host-": the browser takes it from this host only, over https, for every path (RFC 6265bis, 4.1.3.2).
SESSION = "__Host-session"
BROWSER = "__Host-browser"
LASTS = timedelta(hours=8)
TRIP_LASTS = timedelta(minutes=10)
CSRF_HEADER = "x-csrf-token"


def cookie(name: str, value: str, lasts: timedelta) -> str:
    return f"{name}={value}; Max-Age={int(lasts.total_seconds())}; Path=/; HttpOnly; Secure; SameSite=Lax"


def no_cookie(name: str) -> str:
    """Makes the browser forget it."""
    return cookie(name, "", timedelta(0))


def digest(token: str) -> str:
    """What we keep of a token that only the browser may know."""
    return hashlib.sha256(token.encode()).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that tells nothing about them."""
    return hmac.compare_digest(one.encode(), other.encode())


def session_of(request: Request, house: House) -> Session | None:
    """The signed-in person, or None."""
    token = request.cookies.get(SESSION)
    return house.sessions.get(token, house.clock.now()) if token else None


def open_session(user: FocusUser, house: House) -> str:
    """Sign this person in for eight hours; the cookie to set."""
    session = Session(
        account=user.account,
        user=user.id,
        name=user.name,
        language=language_of(user.language),
        csrf=secrets.token_urlsafe(32),
        expires_at=house.clock.now() + LASTS,
    )
    return cookie(SESSION, house.sessions.open(session), LASTS)


def check_csrf(request: Request, session: Session) -> None:
    """A page of another site can make the browser send its cookie, but cannot know this header. Raises CsrfMissing."""
    if not same(request.headers.get(CSRF_HEADER, ""), session.csrf):
        raise CsrfMissing()
