"""Connecting an entity with an administration."""

from __future__ import annotations

import pytest

from boekbrug.domain.connections import JobKind
from boekbrug.domain.errors import VendorDown

from .scene import DIVISION, LOGIN, MORNING, US, a_house, a_login, key, our_connection, sign_in

CHOICE = {
    "entity": "entity-be",
    "login": LOGIN,
    "administration": DIVISION,
    "start": "2026-01-01",
    "invoice_journal": "V1",
    "credit_note_journal": "V2",
}


def connect(house, **changes):
    return sign_in(house).post("/api/connections", CHOICE | changes)


def test_there_are_entities_and_administrations_to_choose_from():
    house = a_house()
    our_connection(house)
    browser = sign_in(house)
    entities = browser.get("/api/entities").body["entities"]
    assert [(e["id"], e["connection"]) for e in entities] == [
        ("entity-be", "ours"),
        ("entity-twin", None),
        ("entity-other", None),
    ]
    found = browser.get(f"/api/administrations?login={LOGIN}").body["administrations"]
    assert [(a["code"], a["usable"]) for a in found] == [("3001234", True), ("3009999", False)]


@pytest.mark.parametrize("login", ["", "exact.be.nobody", "teamleader.-.anna"])
def test_only_a_login_at_a_package_has_administrations(login):
    house = a_house()
    house.logins.save_new(a_login("teamleader.-.anna", US))
    assert sign_in(house).get(f"/api/administrations?login={login}").failed() == (404, "NotFound")


def test_connecting_starts_with_reading_the_ledger_accounts():
    house = a_house()
    answer = connect(house)
    assert answer.status == 201
    [connection] = house.connections.of_account(US)
    assert answer.body["id"] == connection.id
    assert (connection.package, connection.administration_name) == ("exact", "Voorbeeld Holding")
    assert (connection.automatic, connection.mapping.accepted_at) == (False, None)
    assert {job.key.kind: job.due_at for job in house.jobs.of_account(US)} == {
        JobKind.ACCOUNTS: MORNING,
        JobKind.RELATIONS: None,
        JobKind.DOCUMENTS: None,
        JobKind.PAYMENTS: None,
    }
    assert house.nudged() == [key(JobKind.ACCOUNTS)]
    assert house.said(US, "account") == house.said(US, DIVISION) == ["connected"]


def test_journals_may_be_chosen_once_the_books_are_read():
    assert connect(a_house(), invoice_journal="", credit_note_journal="").status == 201


def test_one_journal_for_both_kinds_is_refused():
    house = a_house()
    assert connect(house, credit_note_journal="V1").failed() == (409, "JournalShared")
    assert house.connections.kept == {}


def test_an_entity_is_connected_once():
    house = a_house()
    connect(house)
    answer = connect(house)
    assert answer.failed() == (409, "EntityTaken")
    assert "Voorbeeld Holding" in answer.body["sentence"]


def test_an_earlier_connection_to_the_same_books_is_switched_on_again_instead():
    house = a_house()
    our_connection(house, active=False)
    assert connect(house).failed() == (409, "EntityTaken")
    our_connection(house, active=False, administration="exact.be.3000001")
    assert connect(house).status == 201


def test_entities_share_an_administration_only_with_the_same_vat_number():
    house = a_house()
    connect(house)
    assert connect(house, entity="entity-other").failed() == (409, "WrongVatNumber")
    assert connect(house, entity="entity-twin").status == 201  # the same number, typed without its country


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({"entity": "entity-nobody"}, (404, "NotFound")),
        ({"login": "exact.be.nobody"}, (404, "NotFound")),
        ({"administration": "exact.be.1"}, (409, "AdministrationUnreachable")),
        ({"administration": "exact.be.3009999"}, (409, "AdministrationUnreachable")),
        ({"start": "soon"}, (400, "RequestInvalid")),
    ],
)
def test_what_does_not_exist_or_is_out_of_reach_is_not_connected(changes, failure):
    house = a_house()
    assert connect(house, **changes).failed() == failure
    assert house.connections.kept == {}


def test_the_first_connection_asks_teamleader_for_hints_and_the_next_does_not():
    house = a_house()
    connect(house)
    connect(house, entity="entity-twin")
    token = house.webhook_tokens.kept[US, "teamleader"]
    assert house.focus(US).webhooks == [f"https://boekbrug.example/webhooks/teamleader/{token}"]


def test_without_webhooks_the_connection_stands_and_the_next_one_asks_again():
    house = a_house()
    focus = house.focus(US)
    focus.fails = VendorDown(vendor="teamleader")
    assert connect(house).status == 201
    focus.fails = None
    connect(house, entity="entity-twin")
    assert len(focus.webhooks) == 1


def test_a_new_webhook_address_replaces_the_old_one():
    house = a_house()
    connect(house)
    assert sign_in(house).post("/api/webhook-token").body == {"registered": True}
    old, new = (address.rpartition("/")[2] for address in house.focus(US).webhooks)
    assert [house.webhook_tokens.account_of("teamleader", token) for token in (old, new)] == [None, US]
