"""Whatever a vendor answers, it ends in an error of ours and in its right family, soon, and never in a wrong belief.

A question ends in what to do about it; a write ends in Unknown where anything may have happened, and is Done or
Refused only where the vendor said so in its own words.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

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
from tests.support.company import a_connected_company
from tests.support.stage import standing

from .deeds import Deed, deeds
from .strange import Odd, Recorder, Retold, insane, stories

SOON = 2.0  # seconds for one answer, however large
NO_ANSWER = (VendorDown, UnexpectedAnswer)
SAID_NO = (*NO_ANSWER, AccessExpired, AccessDenied, RateLimited, AdministrationUnreachable, DocumentGone, TokenBusy)
OF_THE_CONTENT = (*NO_ANSWER, AdministrationUnreachable, DocumentGone, CustomerGone, NotPossible)

OF_PEOPLE = ("/_fake/", "/oauth2/authorize", "/api/oauth2/auth")  # bookkeepers and their browsers


def ids(deed: Deed) -> str:
    return str(deed)


@pytest.mark.parametrize("deed", deeds(), ids=ids)
def test_every_odd_answer_ends_well(deed: Deed) -> None:
    wrong: list[str] = []
    runs = 0
    for at, told in enumerate(deed.told):
        if told in deed.told[:at]:
            continue
        for odd in stories(told):
            runs += 1
            found = judge(deed, at, odd)
            if found:
                wrong.append(f"{told.method} {told.path}: {odd.name}: {found}")
    assert wrong == [], f"{len(wrong)} of {runs}\n" + "\n".join(wrong[:40])
    assert runs > 50


def judge(deed: Deed, at: int, odd: Odd) -> str:
    """What is wrong with how this ends; "" when nothing is."""
    line = Retold(deed.told, at, odd)
    begun = time.monotonic()
    try:
        result = deed.run(deed.room(line))
    except SyncError as error:
        return _after(begun) or _wrong_error(deed, at, odd, error)
    except Exception as error:
        return f"no error of ours: {type(error).__name__} {error!s:.100}"
    if deed.told[at].writes:
        outcome = result[0] if isinstance(result, list) else result
        return _after(begun) or _wrong_outcome(odd, outcome)
    if not odd.says_little:
        return f"believed: {result!r:.100}"
    return _after(begun) or insane(_value(result))


def _wrong_error(deed: Deed, at: int, odd: Odd, error: SyncError) -> str:
    if deed.told[at].writes and not odd.says_no:
        return f"raised after something may have happened: {error.cause}"
    allowed = SAID_NO if odd.says_no else OF_THE_CONTENT if odd.says_little else NO_ANSWER
    if not isinstance(error, allowed):
        return f"the wrong family: {error.cause}"
    return insane(str(error)) or ("a whole page in an error" if len(str(error)) > 5000 else "")


def _wrong_outcome(odd: Odd, outcome: Any) -> str:
    match outcome:
        case Unknown(why):
            return insane(why) or ("a whole page in an outcome" if len(why) > 5000 else "")
        case Refused(cause):
            if not odd.says_no:
                return f"refused what may have happened: {cause}"
            return insane(str(cause)) or ("a whole page in a refusal" if len(str(cause)) > 5000 else "")
        case Done(value):
            return insane(value) if odd.says_little else f"done what nobody said: {value!r:.100}"
    return f"no outcome: {outcome!r:.100}"


def _after(begun: float) -> str:
    took = time.monotonic() - begun
    return f"took {took:.1f} s" if took > SOON else ""


def _value(result: Any) -> Any:
    outcome = result[0] if isinstance(result, list) and result and isinstance(result[0], Done) else result
    return outcome.value if isinstance(outcome, Done) else outcome


class TestNothingIsLeftOut:
    def test_every_method_of_the_ports_is_tried(self) -> None:
        names = {deed.name.partition(" ")[0] for deed in deeds()}
        asked = [*_methods(ports.Ledger), *_methods(ports.Focus), *_methods(ports.Package)]
        asked += [f"cabinet.{name}" for name in _methods(ports.Cabinet)]
        silent = {"abilities", "daily_budget", "prepare", "cabinet"}  # these ask nobody
        assert set(asked) - silent - names == set()

    def test_every_call_of_the_whole_bridge_is_tried(self) -> None:
        """An export with files and a payment back, on the stage."""
        with standing() as stage:
            hosts = {name: Recorder(line) for name, line in stage.line._hosts.items()}
            stage.line._hosts.update({name: hosts[name] for name in hosts if name != "bridge.example"})
            company = a_connected_company(stage)
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
    return [name for name in vars(protocol) if not name.startswith("_")]


def _call(told: Any) -> tuple[str, str]:
    """Method and path, without what is of one tenant only."""
    path = told.path.split("/api/v1/")[-1].partition("/")[2] if "/api/v1/" in told.path else told.path
    return told.method, "/download" if "download" in path and told.method == "GET" else path
