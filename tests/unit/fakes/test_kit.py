"""The kit under a vendor that only counts: clock, faults, control API, consent, sockets."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from werkzeug import Request, Response
from werkzeug.routing import Map, Rule

from fakes.kit import consent, control, plain_json
from fakes.kit.clock import FakeClock
from fakes.kit.records import Records
from fakes.kit.running import serving
from fakes.kit.server import BadCommand, Dropped, Fake, Refusal


class Tally(Fake):
    """A vendor that keeps a tally: POST /tally adds one, GET /tally reads."""

    vendor = "tally"
    rules = Map(
        [Rule("/tally", methods=["GET"], endpoint="read"), Rule("/tally", methods=["POST"], endpoint="add")],
    )

    def reset(self, seed: str) -> None:
        if seed != "empty":
            raise BadCommand(f"no seed {seed}")
        self.state = Records("marks")
        self.revoked = False

    def read(self, request: Request) -> Response:
        return control.json_response({"marks": len(self.state["marks"])})

    def add(self, request: Request) -> Response:
        if self.revoked:
            raise Refusal(Response("revoked", status=401))
        key = str(len(self.state["marks"]) + 1)
        self.state.put("marks", key, {"id": key, "tenant": "one"})
        return control.json_response({"id": key}, 201)

    def stale(self, request: Request) -> Response | None:
        with self.state.before_last_change():
            return self.respond(request)

    def revoke_token(self, request: Request) -> None:
        self.revoked = True

    def caller_of(self, request: Request) -> tuple[str, str]:
        return request.headers.get("X-Caller", ""), request.headers.get("X-Tenant", "")

    def sections(self) -> dict[str, Any]:
        return {"marks": lambda: list(self.state["marks"].values()), "counters": lambda: {"a": 1}, "tokens": list}

    def levers(self) -> dict[str, Any]:
        return {"pay": lambda body: {"paid": body["amount"]}}


@pytest.fixture
def fake() -> Tally:
    return Tally(FakeClock(datetime(2026, 1, 1, tzinfo=UTC), rate=0))


@pytest.fixture
def http(fake: Tally) -> Iterator[httpx.Client]:
    with httpx.Client(transport=httpx.WSGITransport(fake), base_url="http://tally") as client:
        yield client


def arm(http: httpx.Client, do: Any, **match: Any) -> None:
    assert http.post("/_fake/faults", json=[{"match": match, "do": do}]).status_code == 200


def marks(http: httpx.Client) -> int:
    return len(http.get("/_fake/state?only=marks").json()["marks"])


# --- clock ------------------------------------------------------------------------------------------------------------


def test_the_clock_runs_at_its_rate_and_jumps():
    real = [100.0]
    clock = FakeClock(datetime(2026, 1, 1, tzinfo=UTC), rate=60, real=lambda: real[0])
    real[0] += 2
    assert clock.now() == datetime(2026, 1, 1, 0, 2, tzinfo=UTC)
    clock.set(rate=0)
    real[0] += 1000
    clock.set(advance_s=30)
    assert clock.now() == datetime(2026, 1, 1, 0, 2, 30, tzinfo=UTC)
    clock.set(now=datetime(2027, 5, 5))
    assert clock.now() == datetime(2027, 5, 5, tzinfo=UTC)


def test_the_clock_is_set_through_the_control_api(http: httpx.Client, fake: Tally):
    answer = http.post("/_fake/clock", json={"advance_s": 90.5}).json()
    assert answer == {"now": "2026-01-01T00:01:30.500000+00:00", "rate": 0}
    assert http.get("/_fake/health").json() == {"vendor": "tally", **answer}
    assert http.post("/_fake/clock", json={"rate": 60}).json()["rate"] == 60
    for nonsense in ({}, {"now": "yesterday"}, {"rate": -1}, {"rates": 1}):
        assert http.post("/_fake/clock", json=nonsense).status_code == 400


# --- control ----------------------------------------------------------------------------------------------------------


def test_the_state_comes_in_pages_over_all_sections(http: httpx.Client, fake: Tally):
    for n in range(control.PAGE_ROWS + 5):
        fake.state.put("marks", str(n), {"id": str(n), "tenant": "one"})
    first = http.get("/_fake/state").json()
    second = http.get("/_fake/state?page=2").json()
    assert (len(first["marks"]), first["counters"], first["next_page"]) == (1000, {"a": 1}, 2)
    assert (len(second["marks"]), second["counters"], second["next_page"]) == (5, {}, None)
    assert set(http.get("/_fake/state?only=tokens").json()) == {"tokens", "next_page"}
    assert http.get("/_fake/state?only=nothing").status_code == 400


def test_the_journal_tells_who_changed_what(http: httpx.Client):
    http.post("/tally", headers={"X-Caller": "app", "X-Tenant": "one"})
    http.get("/tally")
    http.get("/nowhere")
    rows = http.get("/_fake/journal").json()
    assert rows[0] == {
        "at": "2026-01-01T00:00:00+00:00",
        "caller": "app",
        "tenant": "one",
        "method": "POST",
        "path": "/tally",
        "status": 201,
        "cost": 1,
        "changed": True,
    }
    assert [(row["status"], row["changed"]) for row in rows[1:]] == [(200, False), (404, False)]
    http.delete("/_fake/journal")
    assert http.get("/_fake/journal").json() == []


def test_reset_clears_state_faults_and_journal_but_not_the_clock_nor_the_client(http: httpx.Client, fake: Tally):
    client = (fake.client_id, fake.client_secret)
    http.post("/tally")
    arm(http, "drop_before")
    http.post("/_fake/clock", json={"advance_s": 3600})
    assert http.post("/_fake/reset", json={"seed": "empty"}).status_code == 200
    assert (marks(http), http.get("/_fake/faults").json(), http.get("/_fake/journal").json()) == (0, [], [])
    assert http.get("/_fake/health").json()["now"] == "2026-01-01T01:00:00+00:00"
    assert (fake.client_id, fake.client_secret) == client


def test_levers_are_control_calls_and_unknown_ones_are_told_so(http: httpx.Client):
    assert http.post("/_fake/pay", json={"amount": "60.50"}).json() == {"paid": "60.50"}
    for method, path, body in (
        ("POST", "/_fake/nope", b"{}"),
        ("POST", "/_fake/pay", b"not json"),
        ("POST", "/_fake/pay", b"[]"),
        ("POST", "/_fake/reset", b'{"seed": "unheard of"}'),
        ("POST", "/_fake/seed", b"{}"),
    ):
        answer = http.request(method, path, content=body)
        assert answer.status_code == 400
        assert answer.json()["error"]


# --- faults -----------------------------------------------------------------------------------------------------------


def test_a_status_fault_answers_without_doing_the_work(http: httpx.Client):
    arm(http, {"status": 503})
    assert http.post("/tally").status_code == 503
    assert marks(http) == 0
    assert http.post("/tally").status_code == 201, "a fault strikes `times` times, default once"


@pytest.mark.parametrize(("do", "done"), [("drop_before", 0), ("commit_then_drop", 1), ("half_body", 1)])
def test_a_lost_connection_leaves_the_work_done_or_not(http: httpx.Client, do: str, done: int):
    arm(http, do)
    with pytest.raises(Dropped):
        http.post("/tally")
    assert marks(http) == done
    (row,) = http.get("/_fake/journal").json()
    assert row["changed"] is bool(done)
    assert row["status"] == (201 if do == "half_body" else 0)


def test_twice_carries_the_request_out_two_times(http: httpx.Client):
    arm(http, "twice")
    assert http.post("/tally").json() == {"id": "2"}
    assert [row["changed"] for row in http.get("/_fake/journal").json()] == [True, True]


def test_a_stale_read_shows_the_state_before_the_last_change(http: httpx.Client):
    http.post("/tally")
    http.post("/tally")
    arm(http, "stale_read")
    assert [http.get("/tally").json()["marks"] for _ in range(2)] == [1, 2]


def test_html_rate_limit_slow_and_revoked_token(http: httpx.Client):
    for do in ("html_page", "rate_limit", {"slow": 0.01}, "revoke_token"):
        arm(http, do)
    answers = [http.post("/tally") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 201, 401]
    assert answers[0].headers["content-type"].startswith("text/html")
    assert answers[2].elapsed >= timedelta(seconds=0.01)


def test_a_fault_waits_for_its_method_path_tenant_and_turn(http: httpx.Client):
    arm(http, {"status": 500}, method="post", path="^/tal", tenant="two", nth=2)
    calls = [("GET", "two"), ("POST", "one"), ("POST", "two"), ("POST", "two"), ("POST", "two")]
    statuses = [http.request(method, "/tally", headers={"X-Tenant": tenant}).status_code for method, tenant in calls]
    assert statuses == [200, 201, 201, 500, 201]


def test_armed_faults_are_listed_with_what_is_left_and_nonsense_is_refused(http: httpx.Client):
    http.post("/_fake/faults", json={"match": {"path": "("}, "do": {"slow": 0}, "times": 3})
    http.get("/tally")
    assert http.get("/_fake/faults").json() == [{"match": {"path": "(", "nth": 1}, "do": {"slow": 0}, "times": 3}]
    for nonsense in ("explode", {"status": "500"}, {"slow": 1, "status": 500}, None):
        assert http.post("/_fake/faults", json={"do": nonsense}).status_code == 400
    for nonsense in (
        {"do": "twice", "time": 1},
        {"do": "twice", "times": 0},
        {"do": "twice", "match": {"verb": "GET"}},
    ):
        assert http.post("/_fake/faults", json=nonsense).status_code == 400
    http.delete("/_fake/faults")
    assert http.get("/_fake/faults").json() == []


# --- records, numbers, consent ----------------------------------------------------------------------------------------


def test_records_show_the_moment_before_the_last_change_only_inside_the_block():
    records = Records("rows")
    records.put("rows", "a", {"n": 1})
    with records.change():
        records.update("rows", "a", n=2)
        records.put("rows", "b", {"n": 9})
        records.drop("rows", "a")
    assert records.version == 2
    with records.before_last_change():
        assert records["rows"] == {"a": {"n": 1}}
    assert records["rows"] == {"b": {"n": 9}}


def test_amounts_keep_their_digits_in_json():
    text = plain_json.dumps({"a": Decimal("4995.00"), "b": Decimal("71.16"), "c": Decimal("3"), "d": [0.5, None, True]})
    assert text == '{"a":4995.0,"b":71.16,"c":3,"d":[0.5,null,true]}'
    assert plain_json.loads('{"a": 0.10}') == {"a": Decimal("0.10")}
    assert plain_json.dumps(Decimal("1E+2")) == "100"
    for nonsense in ("NaN", "[Infinity]"):
        with pytest.raises(ValueError):
            plain_json.loads(nonsense)


def test_secrets_travel_over_https_or_stay_on_this_machine():
    assert all(map(consent.is_safe_url, ("https://x.example/cb", "http://127.0.0.1:99/cb", "http://localhost/cb")))
    assert not any(map(consent.is_safe_url, ("http://x.example/cb", "ftp://x.example", "https://", None, "nonsense")))


def test_the_consent_page_escapes_what_it_shows_and_reads_the_answer():
    users = [("u1", "An <b>"), ("u2", "Bo")]
    html = consent.page("Tally", "<script>", users, {"state": '"'}).get_data(as_text=True)
    assert "<script>" not in html
    assert "An &lt;b&gt;" in html

    def decided(query: str = "", **form: str) -> consent.Decision | None:
        request = Request.from_values(f"/?{query}", method="POST" if form else "GET", data=form or None)
        return consent.decision(request, users)

    assert decided() is None
    assert decided("auto=1") == consent.Decision("u1")
    assert decided("auto=1&user=u2") == consent.Decision("u2")
    assert decided("auto=1&user=unknown") == consent.Decision(None)
    assert decided(decision="allow", user="u2") == consent.Decision("u2")
    assert decided(decision="deny", user="u2") == consent.Decision(None)


# --- sockets ----------------------------------------------------------------------------------------------------------


def test_over_a_socket_the_connection_stays_open_until_a_fault_cuts_it(fake: Tally):
    with serving({"tally": fake}) as urls, httpx.Client(base_url=urls["tally"]) as http:
        streams = set()
        for _ in range(3):
            answer = http.post("/tally", json={"padding": "x" * 5000})
            streams.add(answer.extensions["network_stream"].get_extra_info("socket").getsockname())
        assert len(streams) == 1, "three requests, one connection"
        assert http.head("/tally").status_code == 200
        for do in ("drop_before", "commit_then_drop", "half_body"):
            arm(http, do)
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                http.post("/tally")
        assert marks(http) == 5


def test_serve_prints_one_line_and_ends_at_once_when_asked():
    command = [sys.executable, "-m", "fakes", "serve", "--seed", "empty"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        printed = json.loads(process.stdout.readline())
        assert set(printed["teamleader"]) == {"auth_url", "api_url", "client_id", "client_secret"}
        health = httpx.get(printed["teamleader"]["api_url"] + "/_fake/health").json()
        assert (health["vendor"], health["rate"]) == ("teamleader", 1)
        process.terminate()
        assert process.wait(timeout=60) == 0
        assert process.stdout.read() == "", "one line, and nothing else"
    finally:
        process.kill()
        process.communicate()
