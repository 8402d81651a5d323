"""Whatever a vendor answers, it ends in an error of ours and in its right family, soon, and never in a wrong belief.

A question ends in what to do about it; a write ends in Unknown where anything may have happened, and is Done or
Refused only where the vendor said so in its own words.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boekbrug import ports
from boekbrug.domain.errors import (
    AccessDenied,
    AccessExpired,
    AdministrationUnreachable,
    CustomerGone,
    DocumentGone,
    NotPossible,
    RateLimited,
    SyncError,
    TokenBusy,
    UnexpectedAnswer,
    VendorDown,
)
from boekbrug.domain.ledger import Done, Refused, Unknown
from tests.support.company import a_connected_company, every_package
from tests.support.stage import standing

from .deed_room import BoughtOnce
from .deeds import VENDORS, Deed, deeds
from .deeds_exact import DIVISION
from .grants import URL
from .strange import Odd, Recorder, Retold, insane, stories

SOON = 2.0  # seconds for one answer, however large
SLICE = 5  # of the answers with one thing changed, one in so many is tried; --deep tries them all
NO_ANSWER = (VendorDown, UnexpectedAnswer)
SAID_NO = (*NO_ANSWER, AccessExpired, AccessDenied, RateLimited, AdministrationUnreachable, DocumentGone, TokenBusy)
OF_THE_CONTENT = (*NO_ANSWER, AdministrationUnreachable, DocumentGone, CustomerGone, NotPossible)

OF_PEOPLE = ("/_fake/", "/oauth2/authorize", "/api/oauth2/auth", "/octopus-oauth/authorize")  # and their browsers
PORTS = {
    "exact": (ports.Package, ports.Ledger, ports.Cabinet),
    "octopus": (ports.Package, ports.Ledger),
    "teamleader": (ports.Focus,),
}
ASK_NOBODY = {
    "exact": {"abilities", "daily_budget", "prepare", "cabinet", "open_items", "receipts"},
    "octopus": {"abilities", "daily_budget", "payment_terms", "cabinet", "receipts"},
    "teamleader": set[str](),
}


def ids(deed: Deed) -> str:
    return str(deed)


@pytest.mark.parametrize("deed", deeds(), ids=ids)
def test_every_odd_answer_ends_well(deed: Deed, pytestconfig: pytest.Config) -> None:
    wrong: list[str] = []
    runs = 0
    deep = pytestconfig.getoption("--deep")
    for at, told in enumerate(deed.told):
        if told in deed.told[:at] or (not deep and _is_bent_before(deed, at)):
            continue
        for number, odd in enumerate(stories(told)):
            if odd.says_little and number % SLICE and not deep:
                continue
            runs += 1
            if found := judge(deed, at, odd):
                wrong.append(f"{told.method} {told.path}: {odd.name}: {found}")
    assert wrong == [], f"{len(wrong)} of {runs}\n" + "\n".join(wrong[:40])
    assert runs > 50


def _is_bent_before(deed: Deed, at: int) -> bool:
    """Whether this is on the way only, to what the deed is about, and an earlier deed asks it too."""
    earlier = deeds()[: deeds().index(deed)]
    return at < len(deed.told) - 1 and any(deed.told[at] in other.told for other in earlier)


def judge(deed: Deed, at: int, odd: Odd) -> str:
    """What is wrong with how this ends; "" when nothing is."""
    line = Retold((*deed.told, *deed.later), at, odd)
    begun = time.monotonic()
    try:
        result = deed.run(deed.room(line))
    except SyncError as error:
        return _after(begun) or _wrong_error(deed, at, odd, error)
    except Exception as error:
        return f"no error of ours: {type(error).__name__} {error!s:.100}"
    outcome = result[0] if isinstance(result, list) and result else result
    if deed.told[at].writes:
        return _after(begun) or _wrong_outcome(odd, outcome, looked=line.went_on)
    elsewhere = line.went_on and odd.status == 429  # asked in another way
    if isinstance(outcome, Unknown) or (isinstance(outcome, Refused) and (odd.says_little or elsewhere)):
        return _after(begun) or _wrong_outcome(replace(odd, says_no=True), outcome, looked=False)
    if not (odd.says_little or elsewhere):
        return f"believed: {result!r:.100}"
    return _after(begun) or insane(_value(result), ("", "0") if deed.vendor == "octopus" else ("",))


def _wrong_error(deed: Deed, at: int, odd: Odd, error: SyncError) -> str:
    if deed.told[at].writes and not odd.says_no:
        return f"raised after something may have happened: {error.cause}"
    allowed = SAID_NO if odd.says_no else OF_THE_CONTENT if odd.says_little else NO_ANSWER
    if not isinstance(error, allowed):
        return f"the wrong family: {error.cause}"
    return insane(str(error)) or ("a whole page in an error" if len(str(error)) > 5000 else "")


def _wrong_outcome(odd: Odd, outcome: Any, *, looked: bool) -> str:
    """`looked`: true answers came after the odd one, so that its outcome may be known from the books."""
    match outcome:
        case Unknown(why):
            return insane(why) or ("a whole page in an outcome" if len(why) > 5000 else "")
        case Refused(cause):
            if not odd.says_no:
                return f"refused what may have happened: {cause}"
            return insane(str(cause)) or ("a whole page in a refusal" if len(str(cause)) > 5000 else "")
        case Done(value):
            return insane(value) if odd.says_little or looked else f"done what nobody said: {value!r:.100}"
    return f"no outcome: {outcome!r:.100}"


def _after(begun: float) -> str:
    took = time.monotonic() - begun
    return f"took {took:.1f} s" if took > SOON else ""


def _value(result: Any) -> Any:
    outcome = result[0] if isinstance(result, list) and result and isinstance(result[0], Done) else result
    return outcome.value if isinstance(outcome, Done) else outcome


class TestNothingIsLeftOut:
    @pytest.mark.parametrize("vendor", VENDORS)
    def test_every_method_of_the_ports_is_tried(self, vendor: str) -> None:
        names = {deed.name.partition(" ")[0] for deed in deeds() if deed.vendor == vendor}
        asked = {name for port in PORTS[vendor] for name in _methods(port)}
        assert asked - ASK_NOBODY[vendor] - names == set()

    @every_package
    def test_every_call_of_the_whole_bridge_is_tried(self, package: str) -> None:
        """An export with files and a payment back, on the stage."""
        with standing() as stage:
            hosts = {name: Recorder(line) for name, line in stage.line._hosts.items()}
            stage.line._hosts.update({name: hosts[name] for name in hosts if name != "bridge.example"})
            company = a_connected_company(stage, package)
            invoice = company.invoices("100.00")
            company.credits(company.invoices("50.00"))
            company.exports()
            company.pays(invoice)
            company.imports_payments()
        seen = {_call(told) for name, line in hosts.items() if name != "bridge.example" for told in line.told}
        seen = {(method, path) for method, path in seen if not path.startswith(OF_PEOPLE)}
        assert len(seen) > 15
        assert seen - {_call(told) for deed in deeds() for told in deed.told} == set()


def _methods(protocol: type) -> list[str]:
    room = "cabinet." if protocol is ports.Cabinet else ""
    return [f"{room}{name}" for name in vars(protocol) if not name.startswith("_")]


def _call(told: Any) -> tuple[str, str]:
    """Method and path, without what is of one tenant or one journal only."""
    path = told.path.split("/api/v1/")[-1].partition("/")[2] if "/api/v1/" in told.path else told.path
    if told.vendor == "octopus":
        path = re.sub(r"/-?\d+(?=/|$)", "/0", path)
    return told.method, "/download" if "download" in path and told.method == "GET" else path


# --- what the table above does not hold ---------------------------------------------------------------------------

NAMES = st.sampled_from(
    [
        *("d", "results", "__next", "data", "meta", "matches", "errors", "error", "id", "ID", "type", "total"),
        *("modified", "modifiedBookings", "modifiedBalancings", "errorCode", "relationKey", "bookyearKey", "token"),
    ]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


def in_envelopes(inner: Any) -> list[Any]:
    exact = [{"d": inner}, {"d": {"results": inner}}, {"d": {"results": [inner]}}]
    octopus = [[inner], {"modified": [inner]}, {"modifiedBookings": [inner]}, {"modifiedBalancings": [inner]}]
    return [inner, *exact, *octopus, {"data": inner}, {"data": [inner]}, {"data": [inner], "meta": inner}]


@pytest.mark.parametrize("deed", deeds(), ids=ids)
@settings(max_examples=40, derandomize=True, deadline=None, database=None)
@given(data=st.data())
def test_any_json_ends_well(deed: Deed, data: st.DataObject) -> None:
    """Shapes nobody thought of, in the vendor's envelope or without it."""
    at = data.draw(st.integers(0, len(deed.told) - 1))
    inner = data.draw(ANYTHING)
    body = data.draw(st.sampled_from(in_envelopes(inner)))
    odd = Odd("anything", data.draw(st.sampled_from([200, 201])), json.dumps(body).encode(), says_little=True)
    if found := judge(deed, at, odd):
        raise AssertionError(f"{body!r}: {found}")


def a_deed(name: str) -> Deed:
    return next(deed for deed in deeds() if str(deed) == name)


class Written(httpx.BaseTransport):
    """Answers written by hand, in order; the last one for ever."""

    def __init__(self, *answers: httpx.Response) -> None:
        self._answers = list(answers)
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        assert len(self.asked) < 50, "no end"
        answer = self._answers[0] if len(self._answers) == 1 else self._answers.pop(0)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def journals(following: Any = None) -> httpx.Response:
    more = {} if following is None else {"__next": following}
    row = {"Code": "70", "Description": "Verkopen", "Type": 20, "IsBlocked": False}
    return httpx.Response(200, json={"d": {"results": [row], **more}})


HERE = f"{URL}/api/v1/{DIVISION}/financial/Journals"


class TestPages:
    @pytest.mark.parametrize(
        "following",
        [
            "https://elsewhere.example/api/v1/3001234/financial/Journals?$skiptoken=1",
            f"{URL}.elsewhere.example/api/v1/3001234/financial/Journals",
            "//elsewhere.example/",
            "financial/Journals?$skiptoken=1",
            f"{URL}/api/v1/2004321/financial/Journals",  # another division
            f"{HERE}?$skiptoken=\x01",
        ],
    )
    def test_our_token_goes_nowhere_else(self, following: str) -> None:
        line = Written(journals(following), journals())
        deed = a_deed("exact-journals")
        with pytest.raises(UnexpectedAnswer):
            deed.run(deed.room(line))
        assert len(line.asked) == 1

    def test_a_page_that_leads_to_itself_ends(self) -> None:
        line = Written(
            journals(f"{HERE}?$skiptoken=1"), journals(f"{HERE}?$skiptoken=2"), journals(f"{HERE}?$skiptoken=1")
        )
        deed = a_deed("exact-journals")
        with pytest.raises(UnexpectedAnswer):
            deed.run(deed.room(line))
        assert len(line.asked) == 3

    @pytest.mark.parametrize("matches", [-5, 10**30, "many", None, True, 0.5])
    def test_a_count_that_is_none_ends_with_the_rows(self, matches: Any) -> None:
        """Teamleader: the count only asks for more, and an empty page ends everything."""
        rate = {"id": "1", "description": "21 %", "rate": 0.21, "department": {"type": "department", "id": "2"}}
        meta = {"meta": {"page": {"size": -1, "number": -1}, "matches": matches}}
        line = Written(
            httpx.Response(200, json={"data": [rate], **meta}), httpx.Response(200, json={"data": [], **meta})
        )
        deed = a_deed("teamleader-tax_rates")
        assert len(deed.run(deed.room(line))) == 1
        assert len(line.asked) <= 2


class TestLimits:
    """A header says when to come back; whatever it says, nobody is locked out for longer than the vendor's window."""

    @pytest.mark.parametrize("reset", ["9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00", "x", "-1", ""])
    def test_teamleaders_minute_is_a_minute(self, reset: str) -> None:
        deed = a_deed("teamleader-me")
        room = deed.room(Written(httpx.Response(429, headers={"X-RateLimit-Reset": reset})))
        with pytest.raises(RateLimited) as limited:
            deed.run(room)
        assert limited.value.until <= room.clock.now() + timedelta(minutes=1)

    @pytest.mark.parametrize("reset", ["253402300799999", "9" * 30, "-1", "x", "1e5"])
    @pytest.mark.parametrize("left", ["0", "-3", "x"])
    @pytest.mark.parametrize("window", ["", "Minutely-"])
    def test_exacts_day_is_a_day(self, reset: str, left: str, window: str) -> None:
        names = {"Limit": "60", "Remaining": left, "Reset": reset}
        headers = {f"X-RateLimit-{window}{name}": value for name, value in names.items()}
        deed = a_deed("exact-journals")
        room = deed.room(Written(httpx.Response(429, headers=headers)))
        with pytest.raises(RateLimited) as limited:
            deed.run(room)
        assert limited.value.until <= room.clock.now() + timedelta(days=1, hours=2)


class TestWritesThatMayHaveHappened:
    """Found here first: each of these was taken for a no, or for nothing at all, and could have been sent again."""

    @pytest.mark.parametrize("status", [302, 303, 307, 308])
    def test_a_detour_that_is_no_login_page_is_not_followed_by_a_second_write(self, status: int) -> None:
        line = Written(httpx.Response(status, headers={"Location": f"{URL}/SalesEntries(guid'1')"}))
        deed = a_deed("exact-book")
        (outcome,) = deed.run(deed.room(line))
        assert isinstance(outcome, Unknown)
        assert len(line.asked) == 1

    @pytest.mark.parametrize("status", [408, 409, 423, 499])
    def test_a_status_that_exact_does_not_document_is_no_refusal(self, status: int) -> None:
        deed = a_deed("exact-book")
        (outcome,) = deed.run(deed.room(Written(httpx.Response(status))))
        assert isinstance(outcome, Unknown)

    def test_a_page_somebody_answers_with_404_is_not_teamleaders(self) -> None:
        deed = a_deed("teamleader-register_payment")
        outcome = deed.run(deed.room(Written(httpx.Response(404, html="<html>Not here</html>"))))
        assert isinstance(outcome, Unknown)


class TestTokensAreNotThrownAway:
    """Only the vendor's own words end a chain (exact-online.md 1.5, teamleader-focus.md 1.4)."""

    @pytest.mark.parametrize(
        ("vendor", "status", "body"),
        [
            ("exact", 400, '{"error":"access_denied"}'),
            ("exact", 400, '{"error":"temporarily_unavailable"}'),
            ("exact", 401, '{"error":{"message":{"value":"Onbekend"}}}'),
            ("exact", 400, "<html>expired</html>"),
            ("teamleader", 401, "<html>Your session has expired</html>"),
            ("teamleader", 400, '"invalid_grant"'),
            ("teamleader", 403, '{"errors":[{"title":"revoked"}]}'),
            ("octopus", 400, '{"error":"access_denied"}'),
            ("octopus", 400, "<html>expired</html>"),
            ("octopus", 401, "<html>Your session has expired</html>"),
            ("octopus", 401, '"invalid_grant"'),
            ("octopus", 403, '{"errors":[{"title":"revoked"}]}'),
        ],
    )
    def test_by_anybody_elses(self, vendor: str, status: int, body: str) -> None:
        deed = a_deed(f"{vendor}-refresh")
        with pytest.raises((TokenBusy, UnexpectedAnswer)):
            deed.run(deed.room(Written(httpx.Response(status, content=body))))

    @pytest.mark.parametrize("vendor", VENDORS)
    @pytest.mark.parametrize(
        "changes",
        [
            *(
                {name: value}
                for name in ("access_token", "refresh_token")
                for value in (None, "", 7, "a b", "é", "a\nb")
            ),
            *({"expires_in": value} for value in (None, -1, 0, 10**30, "1e9", "soon", [])),
        ],
    )
    def test_by_a_pair_that_cannot_be_used(self, vendor: str, changes: dict[str, Any]) -> None:
        if vendor == "octopus" and not changes.get("refresh_token", "there"):
            pytest.skip("there the known one lasts on")
        pair = {"access_token": "a", "refresh_token": "r", "expires_in": "600", **changes}
        deed = a_deed(f"{vendor}-refresh")
        with pytest.raises(UnexpectedAnswer):
            deed.run(deed.room(Written(httpx.Response(200, json=pair))))


class TestADossierThatCannotBeOpened:
    """Octopus: it hides none of the others, and is not taken for one that can be used."""

    @pytest.mark.parametrize(
        "connect",
        [
            httpx.Response(200, html="<html>Onderhoud</html>"),
            httpx.Response(200, json={"Dossiertoken": ""}),
            httpx.Response(200, json={"errorCode": -5}),
            httpx.Response(200, json={"Dossiertoken": "two words"}),
            httpx.Response(403, html="<html>Forbidden</html>"),
            httpx.Response(404, html="<html>Not here</html>"),
            httpx.Response(500),
        ],
    )
    def test_by_a_strange_answer(self, connect: httpx.Response) -> None:
        deed = a_deed("octopus-administrations")
        rows = [{"dossierKey": {"id": n}, "dossierDescription": "Drukkerij"} for n in (70001, 70002)]
        room = deed.room(Written(httpx.Response(200, json=rows), connect))
        bought = BoughtOnce()
        found = deed.run(replace(room, token_for=bought))
        assert [one.usable for one in found] == [False, False]


class TestAFileIsAFile:
    @pytest.mark.parametrize("name", ["teamleader-file", "teamleader-file (UBL)"])
    def test_a_page_is_not_filed_with_the_booking(self, name: str) -> None:
        deed = a_deed(name)
        where = httpx.Response(200, json={"data": {"location": f"{URL}/file", "expires": "2026-12-01T10:00:00+00:00"}})
        for page in ("<html>Onderhoud</html>", "<!DOCTYPE html><html></html>"):
            with pytest.raises(UnexpectedAnswer):
                deed.run(deed.room(Written(where, httpx.Response(200, html=page))))

    def test_a_place_that_is_not_on_the_web_is_not_asked(self) -> None:
        deed = a_deed("teamleader-file")
        for place in ("file:///etc/hostname", "x", "", "ftp://files.example/x", "https://", "https://files.example:x/"):
            where = httpx.Response(200, json={"data": {"location": place, "expires": "2026-12-01T10:00:00+00:00"}})
            line = Written(where)
            with pytest.raises(UnexpectedAnswer):
                deed.run(deed.room(line))
            assert len(line.asked) == 1
