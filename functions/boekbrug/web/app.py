"""The routes of one function: find the deed, check who asks, and put every error into words in one place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from pydantic import BaseModel

from ..domain.errors import (
    NeedsCorrection,
    NeedsLogin,
    NeedsSetup,
    NotFound,
    RequestInvalid,
    SessionMissing,
    SyncError,
    TryLater,
    UnexpectedAnswer,
)
from ..ports import House, Session
from ..texts import language_of, sentence
from .http import Answer, Answered, Request, request_of
from .session import SESSION, check_csrf, session_of

log = Logger(child=True)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request at a door, and the house behind it."""

    request: Request
    house: House
    guest: Session | None = None

    @property
    def session(self) -> Session:
        """Who is signed in. Raises SessionMissing."""
        if self.guest is None:
            raise SessionMissing()
        return self.guest

    @property
    def token(self) -> str:
        """The secret in the session's cookie."""
        return self.request.cookies[SESSION]


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the API: what is asked, what is done, what is answered. infra/openapi.yaml is held equal to it."""

    method: str
    path: str  # with {names}
    deed: Callable[[Visit], Answer]
    answers: type[Answered] | None = None  # None: no body worth reading
    asks: type[BaseModel] | None = None
    query: tuple[str, ...] = ()
    signed_in: bool = True
    status: int = 200  # when all goes well

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"

    def match(self, request: Request) -> Mapping[str, str] | None:
        """The values of the {names}, or None when this is another route."""
        if request.route:
            return request.params if request.route == self.key else None
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path), request.path)
        return found.groupdict() if found and request.method == self.method else None


@dataclass(frozen=True, slots=True)
class App:
    """What one function answers to."""

    routes: Sequence[Route]

    def __call__(self, event: Mapping[str, Any], house: House) -> dict[str, Any]:
        """The answer to one event. What is not a SyncError is a defect: it goes on, so that the alarm sees it."""
        language = language_of((event.get("headers") or {}).get("accept-language", ""))
        route_key = "unknown"
        try:
            request = request_of(event)
            route, params = self._find(request)
            route_key = route.key
            guest = session_of(request, house)
            language = guest.language if guest else language
            visit = Visit(replace(request, params=params), house, guest)
            if route.signed_in and visit.session and request.method != "GET":
                check_csrf(request, visit.session)
            answer = route.deed(visit)
        except SyncError as error:
            answer = in_words(error, language)
            # The route and the cause; paths, queries, facts and bodies may hold secrets or people's data.
            log.info("refused", extra={"route": route_key, "cause": error.cause, "status": answer.status})
        return answer.event()

    def _find(self, request: Request) -> tuple[Route, Mapping[str, str]]:
        for route in self.routes:
            params = route.match(request)
            if params is not None:
                return route, params
        raise NotFound(what="address")


STATUS: tuple[tuple[type[SyncError], int], ...] = (
    (SessionMissing, 401),
    (RequestInvalid, 400),
    (NotFound, 404),
    (TryLater, 503),
    (NeedsLogin, 403),
    (NeedsSetup, 409),
    (NeedsCorrection, 422),
    (UnexpectedAnswer, 502),
)
"""The status of each family; leaves that differ stand first."""


class Failure(Answered):
    """Why something was not done."""

    error: str  # the cause
    family: str
    facts: dict[str, str]
    sentence: str  # for people, in their language


def in_words(error: SyncError, language: str) -> Answer:
    """An error as an answer."""
    status = next(status for kind, status in STATUS if isinstance(error, kind))
    failure = Failure(
        error=error.cause,
        family=error.family,
        facts={
            name: value.isoformat() if isinstance(value, datetime) else str(value)
            for name, value in error.facts.items()
        },
        sentence=sentence(error.cause, error.facts, language),
    )
    return Answer(status, failure)
