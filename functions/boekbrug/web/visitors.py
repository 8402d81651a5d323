"""Who is signed in, and signing out."""

from __future__ import annotations

from .app import Route, Visit
from .http import Answer, Answered
from .session import SESSION, no_cookie


class SessionView(Answered):
    account: str
    user: str
    name: str
    language: str
    csrf: str  # to be sent back as X-CSRF-Token with everything that changes something


def show_session(visit: Visit) -> Answer:
    """Who is signed in, and the token that proves a request comes from our own page."""
    session = visit.session
    answer = SessionView(
        account=session.account, user=session.user, name=session.name, language=session.language, csrf=session.csrf
    )
    return Answer(body=answer)


def sign_out(visit: Visit) -> Answer:
    """Ends the session here and in the browser."""
    visit.house.sessions.close(visit.token)
    return Answer(cookies=(no_cookie(SESSION),))


ROUTES = (
    Route("GET", "/api/session", show_session, SessionView),
    Route("POST", "/api/sign-out", sign_out),
)
