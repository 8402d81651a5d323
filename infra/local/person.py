"""A person with a browser: signs in, connects books, accepts mappings and presses "sync now". Only from outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx


class Refused(Exception):
    """The bridge said no; its sentence."""


class Person:
    """One signed-in user of one Teamleader account."""

    def __init__(self, api_url: str, focus_user: str, transport: httpx.BaseTransport | None = None) -> None:
        """`transport`: where the bridge and the vendors are, when they are not on the network."""
        self._api = api_url
        self._http = httpx.Client(timeout=60, trust_env=False, transport=transport)
        # Our cookies are Secure, so a client keeps them from plain http; a browser makes an exception for loopback.
        self._cookies: dict[str, str] = {}
        self._csrf = ""
        self._sign_in(focus_user)

    def _sign_in(self, user: str) -> None:
        leave = self._request("GET", "/connect/teamleader")
        self._follow(_consenting(leave.headers["location"], user))
        self._csrf = self.get("/api/session")["csrf"]

    def connect(self, package: str, user: str = "", **country: str) -> str:
        """Consent at a package (country: "be" where it has several), as that user of it; the login."""
        url = self.post(f"/connect/{package}", **country)["authorize_url"]
        return self._follow(_consenting(url, user)).json()["login"]

    def connect_exact(self, country: str, user: str) -> str:
        return self.connect("exact", user, country=country)

    def log_in(self, package: str, user: str, password: str) -> str:
        """The form of a package that takes passwords; the login."""
        return self.post(f"/connect/{package}/login", user=user, password=password)["login"]

    def _follow(self, url: str) -> httpx.Response:
        """Through the vendor's consent and back to us."""
        while True:
            ours = url.startswith(self._api)
            answer = self._request("GET", url.removeprefix(self._api)) if ours else _checked(self._http.get(url))
            if not answer.is_redirect:
                return answer
            url = str(httpx.URL(url).join(answer.headers["location"]))

    def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {**more.pop("headers", {}), **({"Cookie": cookie} if cookie else {})}
        answer = _checked(self._http.request(method, f"{self._api}{path}", headers=headers, **more))
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self._cookies[name] = value
        self._http.cookies.clear()
        return answer

    def get(self, path: str, **query: Any) -> Any:
        return self._request("GET", path, params=query or None).json()

    def post(self, path: str, **body: Any) -> Any:
        return self._send("POST", path, body)

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._send("PUT", path, body)

    def patch(self, path: str, **body: Any) -> Any:
        return self._send("PATCH", path, body)

    def _send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        answer = self._request(method, path, json=dict(body), headers={"X-CSRF-Token": self._csrf})
        return answer.json() if answer.content else None

    def sync(self, connection: str, kind: str) -> None:
        self.post(f"/api/connections/{connection}/sync", kind=kind)

    def all_documents(self, connection: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        after: str | None = ""
        while after is not None:
            page = self.get(f"/api/connections/{connection}/documents", **({"after": after} if after else {}))
            rows += page["documents"]
            after = page["next"]
        return rows


def _consenting(url: str, user: str) -> str:
    """The consent page's address, with the answer of a user (empty: the first) who says yes at once."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=f"{parts.query}&auto=1" + (f"&user={user}" if user else "")))


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        try:
            said = answer.json()["sentence"]
        except (ValueError, KeyError):
            said = answer.text[:300]
        raise Refused(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {said}")
    return answer


def wait_until(what: str, done: Callable[[], bool], *, seconds: float, every: float = 0.5) -> None:
    """Ask again and again; raises TimeoutError with what was waited for."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"after {seconds:.0f} s still waiting until {what}")
        time.sleep(every)
