"""Webhooks: a hint, never truth; rubbish and strangers change nothing."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from boekbrug.domain.connections import JobKind
from boekbrug.web.http import MAX_BODY

from .scene import THEM, US, Browser, a_house, key, our_connection

CONTENT = (
    '{"Topic":"BankEntries","Action":"Update","Division":3001234,'
    '"Key":"9e4b0000-0000-0000-0000-000000000001","EventCreatedOn":"2026-03-31T10:11:12.345"}'
)


@pytest.fixture
def house():
    house = a_house()
    our_connection(house, automatic=True)
    for account in (US, THEM):
        for vendor in ("teamleader", "exact"):
            house.webhook_tokens.kept[account, vendor] = f"{account}-{vendor}"
    return house


def focus_hint(kind="invoice.booked", account=US):
    return {
        "type": kind,
        "subject": {"type": "invoice", "id": "document-1"},
        "account": {"type": "account", "id": account},
    }


def signed(content=CONTENT, secret="webhook-secret"):
    code = hmac.new(secret.encode(), content.encode(), hashlib.sha256).hexdigest().upper()
    return f'{{"Content":{content},"HashCode":"{code}"}}'.encode()


def from_focus(house, body, token=f"{US}-teamleader", **more):
    return Browser(house).post(f"/webhooks/teamleader/{token}", body, **more)


def from_exact(house, body, token=f"{US}-exact", **more):
    return Browser(house).post(f"/webhooks/exact/{token}", body, **more)


def nothing_happened(house):
    return house.jobs.kept == {} and house.nudged() == []


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("kind", ["invoice.booked", "creditNote.updated", "invoice.deleted", "company.updated"])
def test_a_hint_about_documents_or_customers_wakes_the_documents_job(house, kind, encoded):
    assert from_focus(house, focus_hint(kind), encoded=encoded).status == 200
    assert house.jobs.get(key(JobKind.DOCUMENTS)).manual is False
    assert house.nudged() == [key(JobKind.DOCUMENTS)]


@pytest.mark.parametrize("kind", ["invoice.paymentRegistered", "deal.won", "something.new"])
def test_a_hint_about_anything_else_is_taken_politely(house, kind):
    assert from_focus(house, focus_hint(kind)).status == 200
    assert nothing_happened(house)


@pytest.mark.parametrize("settings", [{"automatic": False}, {"active": False, "automatic": True}])
def test_a_connection_that_does_not_run_by_itself_takes_no_hints(house, settings):
    our_connection(house, **settings)
    assert from_focus(house, focus_hint()).status == 200
    assert from_exact(house, signed()).status == 200
    assert nothing_happened(house)


@pytest.mark.parametrize("token", ["guessed", f"{US}-exact"])
def test_an_unknown_address_is_not_there(house, token):
    assert from_focus(house, focus_hint(), token).failed() == (404, "NotFound")
    assert from_exact(house, b"", "guessed").failed() == (404, "NotFound")
    assert nothing_happened(house)


def test_a_hint_for_another_account_is_refused(house):
    assert from_focus(house, focus_hint(account=THEM)).failed() == (403, "AccessDenied")
    assert from_focus(house, focus_hint(), f"{THEM}-teamleader").failed() == (403, "AccessDenied")
    assert nothing_happened(house)


@pytest.mark.parametrize(
    "body", [b"", b"rubbish", b"[]", b"{}", b'{"type":"invoice.booked"}', b'{"type":1,"account":{"id":"account-us"}}']
)
def test_rubbish_changes_nothing(house, body):
    assert from_focus(house, body).failed() == (400, "RequestInvalid")
    if body:
        assert from_exact(house, body).failed() == (400, "RequestInvalid")
    assert nothing_happened(house)


@pytest.mark.parametrize("encoded", [False, True])
def test_an_oversized_hint_changes_nothing(house, encoded):
    body = json.dumps(focus_hint() | {"more": "x" * MAX_BODY}).encode()
    assert from_focus(house, body, encoded=encoded).failed() == (400, "RequestInvalid")
    assert nothing_happened(house)


def test_exact_asks_first_whether_we_are_here(house):
    assert from_exact(house, b"").status == 200
    assert nothing_happened(house)


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("SalesEntries", JobKind.PAYMENTS),
        ("BankEntries", JobKind.PAYMENTS),
        ("FinancialTransactions", JobKind.PAYMENTS),
        ("GLAccounts", JobKind.ACCOUNTS),
    ],
)
def test_a_signed_hint_from_exact_wakes_the_job_its_topic_is_about(house, topic, kind, encoded):
    assert from_exact(house, signed(CONTENT.replace("BankEntries", topic)), encoded=encoded).status == 200
    assert house.nudged() == [key(kind)]


def test_a_topic_we_do_not_follow_is_taken_politely(house):
    assert from_exact(house, signed(CONTENT.replace("BankEntries", "Quotations"))).status == 200
    assert nothing_happened(house)


def test_the_signature_covers_the_very_bytes(house):
    for forged in (
        signed(secret="another secret"),
        signed(secret=""),
        signed().replace(b'"Update"', b'"Delete"'),
        signed().replace(b'"HashCode":"', b'"HashCode":"0'),
    ):
        assert from_exact(house, forged).failed() == (403, "AccessDenied")
    # The same JSON with other bytes is not what was signed, and not how Exact writes.
    assert from_exact(house, json.dumps(json.loads(signed())).encode()).failed() == (400, "RequestInvalid")
    assert nothing_happened(house)


def test_an_app_without_a_webhook_secret_believes_nobody(house):
    house.grants.secrets.clear()
    assert from_exact(house, signed(secret="")).failed() == (403, "AccessDenied")


def test_a_division_of_nobody_or_of_another_account_is_refused(house):
    assert from_exact(house, signed(CONTENT.replace("3001234", "3000001"))).failed() == (403, "AccessDenied")
    assert from_exact(house, signed(), f"{THEM}-exact").failed() == (403, "AccessDenied")
    assert nothing_happened(house)
