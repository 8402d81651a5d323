"""The page on which a user lets an application in, and the rules for where the browser goes afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

from werkzeug import Request, Response

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{vendor}: give access</title>
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem}}
button,select{{font:inherit;padding:.4rem 1rem;margin:.5rem .5rem 0 0}}</style></head>
<body><h1>{vendor} (fake)</h1>
<p><strong>{application}</strong> asks for access to your account.</p>
<form method="post"><label>Log in as <select name="user">{users}</select></label>{hidden}
<p><button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button></p>
</form></body></html>"""


@dataclass(frozen=True)
class Decision:
    """What the user said; `user` is None when they refused."""

    user: str | None


def decision(request: Request, users: Sequence[tuple[str, str]]) -> Decision | None:
    """The user's answer if this request carries one, else None: show the page.

    `users` are (id, label) in seeded order. `?auto=1` consents as the first of them, or as `&user=`.
    """
    ids = [user for user, _ in users]
    if request.args.get("auto") == "1":
        wanted = request.args.get("user") or (ids[0] if ids else "")
        return Decision(wanted if wanted in ids else None)
    if request.method != "POST":
        return None
    allowed = request.form.get("decision") == "allow" and request.form.get("user") in ids
    return Decision(request.form["user"] if allowed else None)


def page(vendor: str, application: str, users: Sequence[tuple[str, str]], hidden: Mapping[str, str]) -> Response:
    """The consent form. It posts back to the same address; `hidden` are further fields to post along."""
    return Response(
        _PAGE.format(
            vendor=escape(vendor),
            application=escape(application),
            users="".join(f'<option value="{escape(user)}">{escape(label)}</option>' for user, label in users),
            hidden="".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in hidden.items()),
        ),
        content_type="text/html; charset=utf-8",
    )


def back_to(redirect_uri: str, **fields: str | None) -> Response:
    """Send the browser back to the application with its answer in the query; fields that are None stay out."""
    query = urlencode({key: value for key, value in fields.items() if value is not None})
    glue = "&" if urlsplit(redirect_uri).query else "?"
    return Response(status=302, headers={"Location": f"{redirect_uri}{glue}{query}"})


def is_safe_url(url: object) -> bool:
    """May a vendor send secrets there: https, or plain http to this machine itself."""
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
