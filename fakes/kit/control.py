"""The calls under `/_fake/`: what a test, a demo or a curious person does behind the vendor's back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from werkzeug import Request, Response

from fakes.kit import plain_json
from fakes.kit.errors import BadCommand, Refusal

if TYPE_CHECKING:
    from fakes.kit.server import Fake

PAGE_ROWS = 1000


def json_response(body: Any, status: int = 200) -> Response:
    return Response(plain_json.dumps(body), status=status, content_type="application/json")


def answer(fake: Fake, request: Request) -> Response:
    """Carry out one control call. Anything wrong with it: 400 with `{"error": "…"}`."""
    name = request.path.removeprefix("/_fake/")
    try:
        with fake.lock:
            return json_response(_carry_out(fake, request, name))
    except BadCommand as error:
        return json_response({"error": str(error)}, 400)
    except Refusal as refusal:  # a lever that uses the vendor's own rules
        return json_response({"error": refusal.response.get_data(as_text=True)}, 400)


def _carry_out(fake: Fake, request: Request, name: str) -> Any:
    match request.method, name:
        case "GET", "health":
            return {"vendor": fake.vendor, **_time(fake)}
        case "GET", "state":
            return _state(fake, request)
        case "GET", "journal":
            return fake.journal
        case "DELETE", "journal":
            fake.journal.clear()
            return {}
        case "GET", "faults":
            return fake.faults.left()
        case "DELETE", "faults":
            fake.faults.clear()
            return {}
        case "POST", "faults":
            rows = _body(request)
            fake.faults.add(rows if isinstance(rows, list) else [rows])
            return fake.faults.left()
        case "POST", "clock":
            return _set_clock(fake, _object(request))
        case "POST", "reset":
            fake.reset(_object(request).get("seed", "empty"))
            fake.faults.clear()
            fake.journal.clear()
            return {}
        case "POST", "seed":
            return fake.seed(_object(request))
        case "POST", lever if lever in (levers := fake.levers()):
            return levers[lever](_object(request))
    raise BadCommand(f"no control call {request.method} /_fake/{name}")


def _time(fake: Fake) -> dict[str, Any]:
    return {"now": fake.clock.now().isoformat(), "rate": fake.clock.rate}


def _set_clock(fake: Fake, body: dict[str, Any]) -> dict[str, Any]:
    if not body or set(body) - {"now", "advance_s", "rate"}:
        raise BadCommand("clock: give now (ISO time), advance_s or rate")
    try:
        now = datetime.fromisoformat(body["now"]) if "now" in body else None
        numbers = {key: float(body[key]) for key in ("advance_s", "rate") if key in body}
    except (TypeError, ValueError) as error:
        raise BadCommand(f"clock: {error}") from error
    if numbers.get("rate", 0) < 0:
        raise BadCommand("clock: time does not run backwards")
    fake.clock.set(now=now, **numbers)
    return _time(fake)


def _state(fake: Fake, request: Request) -> dict[str, Any]:
    """One page of the state: 1,000 rows over the sections asked for, taken one after the other.

    Sections that are objects, not lists of rows (counters), come whole with the first page.
    """
    sections = fake.sections()
    only = [key for key in request.args.get("only", "").split(",") if key] or list(sections)
    if unknown := set(only) - set(sections):
        raise BadCommand(f"only: no section {sorted(unknown)}; there are {sorted(sections)}")
    page = request.args.get("page", "1")
    if not page.isdigit() or page == "0":
        raise BadCommand("page counts from 1")
    start = (int(page) - 1) * PAGE_ROWS
    left, result = PAGE_ROWS, {}
    more = False
    for key in only:
        rows = sections[key]()
        if isinstance(rows, dict):
            result[key] = rows if page == "1" else {}
            continue
        result[key] = rows[start : start + left]
        more = more or len(rows) > start + left
        left -= len(result[key])
        start = max(0, start - len(rows))
    return {**result, "next_page": int(page) + 1 if more else None}


def _body(request: Request) -> Any:
    try:
        return plain_json.loads(request.get_data(cache=True) or b"{}")
    except ValueError as error:
        raise BadCommand(f"not JSON: {error}") from error


def _object(request: Request) -> dict[str, Any]:
    body = _body(request)
    if not isinstance(body, dict):
        raise BadCommand("expected a JSON object")
    return body
