"""Jobs, documents, problems, relations and the audit, as people see them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from boekbrug.domain.connections import ConnectionId, JobKind
from boekbrug.domain.documents import DocumentId
from boekbrug.domain.errors import PeriodClosed, RelationAmbiguous, VatCodeUnmapped
from boekbrug.ports import DocumentState, Job, WriteKind

from .scene import DIVISION, MORNING, US, a_house, a_record, key, our_connection, put_documents, sign_in

ADDRESS = "/api/connections/ours"
RELATION = "0f0e0d0c-0000-4000-8000-000000000007"


@pytest.fixture
def house():
    house = a_house()
    our_connection(house)
    return house


def test_sync_now_makes_the_job_due_by_hand_and_tells_a_worker(house):
    answer = sign_in(house).post(f"{ADDRESS}/sync", {"kind": "payments"})
    assert (answer.status, answer.body) == (202, {"kind": "payments"})
    job = house.jobs.get(key(JobKind.PAYMENTS))
    assert (job.due_at, job.manual) == (MORNING, True)
    assert house.nudged() == [key(JobKind.PAYMENTS)]
    assert house.said(US, DIVISION) == ["sync_asked"]


def test_sync_now_lets_a_paused_job_try_again(house):
    house.put_job(Job(key(JobKind.DOCUMENTS), None, paused="BookedDifferently"))
    sign_in(house).post(f"{ADDRESS}/sync", {"kind": "documents"})
    assert house.jobs.get(key(JobKind.DOCUMENTS)).paused == ""


@pytest.mark.parametrize(
    ("state", "idle"),
    [
        ({}, True),
        ({"due_at": MORNING}, False),
        ({"due_at": MORNING + timedelta(seconds=1)}, True),
        ({"leased_until": MORNING + timedelta(seconds=1)}, False),
        ({"leased_until": MORNING}, True),
        ({"again": True}, False),
        ({"due_at": MORNING, "paused": "AccessExpired"}, True),
    ],
)
def test_a_job_is_idle_when_nothing_is_due_and_nobody_is_busy(house, state, idle):
    house.put_job(Job(key(JobKind.DOCUMENTS), **{"due_at": None, **state}))
    answer = sign_in(house).get(f"{ADDRESS}/jobs").body
    assert (answer["jobs"][0]["idle"], answer["idle"]) == (idle, idle)


def test_jobs_show_what_they_did_what_waits_and_why_they_stand_still(house):
    house.put_job(
        Job(key(JobKind.DOCUMENTS), None, paused="AccessExpired", last_result={"booked": 3}, last_run_at=MORNING)
    )
    put_documents(house, a_record("1"), a_record("2"), a_record("3", DocumentState.BOOKED))
    house.links(US, DIVISION).plan(WriteKind.BOOKING, "document-9", "", "", MORNING)
    answer = sign_in(house, language="nl").get(f"{ADDRESS}/jobs").body
    assert (answer["waiting"], answer["unsettled"], answer["idle"]) == (2, 1, False)
    [job] = answer["jobs"]
    assert (job["kind"], job["last_result"], job["last_run_at"]) == ("documents", {"booked": 3}, "2026-03-31T09:00:00Z")
    assert job["paused"]["cause"] == "AccessExpired"
    assert "Exact Online" in job["paused"]["sentence"]


def test_documents_show_how_far_they_came_and_what_holds_them(house):
    held = a_record("2", DocumentState.HELD, cause="PeriodClosed")
    put_documents(house, a_record("1", DocumentState.BOOKED, booking_number="26700001"), held)
    put_documents(house, a_record("9", connection="another"))
    problem = PeriodClosed(period="2026 - 03")
    house.problems(US, DIVISION).report("document:document-2", "ours", problem, MORNING, "2")
    answer = sign_in(house).get(f"{ADDRESS}/documents").body
    assert (answer["counts"], answer["next"]) == ({"booked": 1, "held:PeriodClosed": 1}, None)
    first, second = answer["documents"]
    assert (first["booking_number"], first["gross"], first["sentence"]) == ("26700001", "121.00 EUR", "")
    assert second["sentence"].startswith("Document 2 is not in Exact Online yet: period 2026 - 03 is closed.")


@pytest.mark.parametrize("cause", ["BookingDeleted", "PeriodClosed"])
def test_a_document_is_looked_at_again_when_a_person_says_so(house, cause):
    put_documents(house, a_record("1", DocumentState.HELD, cause=cause), a_record("2", DocumentState.HELD, cause=cause))
    answer = sign_in(house).post(f"{ADDRESS}/documents/document-1/retry")
    assert (answer.status, answer.body) == (202, {"document": "document-1", "state": "waiting"})
    assert [record.number for record in house.documents(US, DIVISION).waiting(10)] == ["1"]
    assert house.nudged() == [key(JobKind.DOCUMENTS)]
    assert not house.jobs.get(key(JobKind.DOCUMENTS)).manual
    (entry,) = house.audit(US).entries(DIVISION)
    assert (entry["what"], entry["facts"]["document"], entry["facts"]["cause"], entry["facts"]["user"]) == (
        "retry_asked",
        "document-1",
        cause,
        "anna",
    )


@pytest.mark.parametrize("state", [DocumentState.WAITING, DocumentState.BOOKED])
def test_a_document_that_is_not_held_stays_as_it_is(house, state):
    put_documents(house, a_record("1", state))
    answer = sign_in(house).post(f"{ADDRESS}/documents/document-1/retry")
    assert (answer.status, answer.body["state"]) == (202, state)
    assert house.documents(US, DIVISION).record(DocumentId("document-1")).state is state
    assert house.said(US, DIVISION) == []
    assert house.nudged() == [key(JobKind.DOCUMENTS)] * (state is DocumentState.WAITING)


def test_only_a_document_of_that_very_connection_is_looked_at_again(house):
    others = a_record("1", DocumentState.HELD, cause="BookingDeleted", connection=ConnectionId("neighbour"))
    put_documents(house, others)
    for document in ("document-1", "document-9"):
        answer = sign_in(house).post(f"{ADDRESS}/documents/{document}/retry")
        assert (*answer.failed(), answer.body["facts"]) == (404, "NotFound", {"what": "document"})
    assert house.documents(US, DIVISION).waiting(10) == house.said(US, DIVISION) == house.nudged() == []


def test_nothing_is_looked_at_again_through_a_connection_that_is_off(house):
    our_connection(house, active=False)
    put_documents(house, a_record("1", DocumentState.HELD, cause="BookingDeleted"))
    assert sign_in(house).post(f"{ADDRESS}/documents/document-1/retry").failed() == (409, "NotReady")
    assert house.documents(US, DIVISION).waiting(10) == []


def test_a_problem_of_before_lends_no_facts_to_another_cause(house):
    put_documents(house, a_record("2", DocumentState.HELD, cause="VatCodeUnmapped"))
    house.problems(US, DIVISION).report("document:document-2", "ours", PeriodClosed(period="X"), MORNING, "2")
    [document] = sign_in(house).get(f"{ADDRESS}/documents").body["documents"]
    assert "(unknown)" in document["sentence"]


def test_long_lists_come_in_pages(house):
    records = [a_record(f"{n:03}", id=DocumentId(f"d{n:03}")) for n in range(103)]
    put_documents(house, *records)
    browser = sign_in(house)
    first = browser.get(f"{ADDRESS}/documents").body
    second = browser.get(f"{ADDRESS}/documents?after={first['next']}").body
    assert len(first["documents"]) == 100
    assert [d["id"] for d in second["documents"]] == ["d100", "d101", "d102"]
    assert (first["counts"], second["counts"], second["next"]) == ({"waiting": 103}, None, None)


def test_problems_are_grouped_by_cause_the_largest_first(house):
    problems = house.problems(US, DIVISION)
    problems.report("customer:company:1", None, RelationAmbiguous(customer="Bakkerij", candidates="B"), MORNING, "")
    for number in ("1", "2"):
        problems.report(f"document:{number}", "ours", VatCodeUnmapped(rate="21 %"), MORNING, number)
    problems.report("document:3", "another", VatCodeUnmapped(rate="21 %"), MORNING, "3")
    groups = sign_in(house).get(f"{ADDRESS}/problems").body["groups"]
    assert [(g["cause"], g["family"], g["count"]) for g in groups] == [
        ("VatCodeUnmapped", "NeedsSetup", 2),
        ("RelationAmbiguous", "NeedsCorrection", 1),
    ]
    problem = groups[0]["problems"][0]
    assert problem["facts"] == {"rate": "21 %"}
    assert 'Document 1 is not in Exact Online yet: no VAT code is chosen for VAT rate "21 %".' in problem["sentence"]


def test_proposals_come_with_what_was_decided(house):
    rows = {"company:1": {"advice": "ask"}, "company:2": {"advice": "create"}}
    house.snapshots(US).put_rows(f"relations:{DIVISION}", rows)
    browser = sign_in(house)
    browser.post(f"{ADDRESS}/relations/decisions", {"customer": "company:1", "adopt": RELATION})
    first, second = browser.get(f"{ADDRESS}/relations").body["proposals"]
    assert (first["proposal"], first["decision"]["adopt"], first["decision"]["by"]) == (
        {"advice": "ask"},
        RELATION,
        "anna",
    )
    assert second["decision"] is None


def test_a_decision_is_remembered_and_lets_the_customers_documents_go_on(house):
    documents = house.documents(US, DIVISION)
    put_documents(
        house,
        a_record("1", DocumentState.HELD, cause="RelationAmbiguous"),
        a_record("2", DocumentState.HELD, cause="PeriodClosed"),
    )
    house.put_job(Job(key(JobKind.DOCUMENTS), None, last_run_at=MORNING))
    answer = sign_in(house).post(f"{ADDRESS}/relations/decisions", {"customer": "company:1", "create": True})
    assert answer.status == 200
    row = house.snapshots(US).row(f"decisions:{DIVISION}", "company:1")
    assert row == {"create": True, "by": "anna", "at": MORNING.isoformat()}
    assert documents.counts("ours") == {"waiting": 1, "held:PeriodClosed": 1}
    assert house.nudged() == [key(JobKind.DOCUMENTS)]
    assert house.said(US, DIVISION) == ["relation_decided"]


@pytest.mark.parametrize(
    "asked",
    [
        {"customer": "company:1"},
        {"customer": "company:1", "adopt": "relation-7", "create": True},
        {"customer": "somebody", "create": True},
        {"customer": "company:1", "create": True, "by": "someone else"},
    ],
)
def test_a_decision_is_one_thing_about_one_customer(house, asked):
    assert sign_in(house).post(f"{ADDRESS}/relations/decisions", asked).failed() == (400, "RequestInvalid")
    assert house.snapshots(US).kept_rows == {}


def test_the_audit_is_read_in_order_and_in_pages(house):
    for number in range(101):
        house.audit(US).append(DIVISION, f"deed {number}", {}, MORNING)
    browser = sign_in(house)
    first = browser.get(f"{ADDRESS}/audit").body
    assert (len(first["entries"]), first["next"]) == (100, 100)
    second = browser.get(f"{ADDRESS}/audit?after=100").body
    assert ([entry["what"] for entry in second["entries"]], second["next"]) == (["deed 100"], None)
    assert browser.get(f"{ADDRESS}/audit?after=x").failed() == (400, "RequestInvalid")
