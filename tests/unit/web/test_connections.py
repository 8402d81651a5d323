"""Settings and readiness of a connection."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from boekbrug.domain.connections import JobKind, Mapping, Outward
from boekbrug.domain.documents import FileFormat
from boekbrug.domain.ledger import Abilities, Journal, JournalKind, LedgerAccount
from boekbrug.ports import DocumentState, Job
from boekbrug.sync.snapshots import Counted, save_counted, scope_of
from tests.support.builders import a_mapping, some_books
from tests.support.house import SetFacts

from .scene import (
    DIVISION,
    MORNING,
    US,
    a_house,
    a_record,
    key,
    our_connection,
    put_documents,
    read_books,
    sign_in,
)

ADDRESS = "/api/connections/ours"


def test_a_connection_shows_the_sales_journals_to_choose_from():
    house = a_house()
    our_connection(house)
    browser = sign_in(house)
    assert browser.get(ADDRESS).body["journals"] == []
    read_books(house)
    assert [journal["code"] for journal in browser.get(ADDRESS).body["journals"]] == ["V1", "V2"]


def test_settings_change_and_the_rest_stays():
    house = a_house()
    our_connection(house, invoice_journal="", credit_note_journal="")
    read_books(house)
    answer = sign_in(house).ask("PATCH", ADDRESS, {"invoice_journal": "V1", "start": "2026-02-01"})
    assert answer.status == 200
    connection = house.connections.get(US, "ours")
    assert (connection.start, connection.invoice_journal) == (date(2026, 2, 1), "V1")
    assert (connection.credit_note_journal, connection.mapping) == ("", a_mapping())
    assert house.said(US, DIVISION) == ["settings_changed"]


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({"invoice_journal": "nope"}, (409, "JournalMissing")),
        ({"invoice_journal": "B1"}, (409, "JournalNotSales")),
        ({"invoice_journal": "V2"}, (409, "JournalShared")),
        ({"start": None}, (400, "RequestInvalid")),
        ({"attach": ["docx"]}, (400, "RequestInvalid")),
        ({"mapping": {}}, (400, "RequestInvalid")),
    ],
)
def test_a_setting_that_does_not_fit_changes_nothing(changes, failure):
    house = a_house()
    before = our_connection(house)
    read_books(house)
    assert sign_in(house).ask("PATCH", ADDRESS, changes).failed() == failure
    assert house.connections.get(US, "ours") == before


def test_what_is_attached_is_chosen_once_each_and_can_be_taken_back():
    house = a_house()
    our_connection(house)
    browser = sign_in(house)
    assert browser.get(ADDRESS).body["attach"] == []
    chosen = browser.ask("PATCH", ADDRESS, {"attach": ["ubl", "pdf", "ubl"]})
    assert chosen.body["attach"] == ["ubl", "pdf"]
    assert house.connections.get(US, "ours").attach == (FileFormat.UBL, FileFormat.PDF)
    assert browser.ask("PATCH", ADDRESS, {"attach": []}).body["attach"] == []


def test_a_package_that_keeps_no_files_is_offered_none():
    house = a_house()
    house.known_packages["plain"] = SetFacts()
    our_connection(house, package="plain")
    assert sign_in(house).ask("PATCH", ADDRESS, {"attach": ["pdf"]}).failed() == (400, "RequestInvalid")
    assert house.connections.get(US, "ours").attach == ()


VARIOUS = Journal("D1", "Diverse", JournalKind.GENERAL)
SUSPENSE = LedgerAccount("id-580000", "580000", "Interne overboekingen")
PLACE = {"journal": "D1", "account": "id-580000"}


def a_house_that_brings(**abilities):
    """Its package takes payments; what was read there has a various journal and a clearing account."""
    house = a_house()
    house.known_packages["plain"] = SetFacts(ABILITIES=Abilities(**{"outward": True, **abilities}))
    our_connection(house, package="plain")
    read_books(house, journals=(*some_books().journals, VARIOUS), clearing_accounts=(SUSPENSE,))
    return house


def test_payments_go_to_the_books_only_where_a_person_said_so():
    house = a_house_that_brings()
    browser = sign_in(house)
    page = browser.get(ADDRESS).body
    assert page["outward"] is None
    assert [journal["code"] for journal in page["outward_journals"]] == ["D1"]
    assert [account["id"] for account in page["outward_accounts"]] == ["id-580000"]
    assert browser.ask("PATCH", ADDRESS, {"outward": PLACE}).body["outward"] == PLACE
    assert house.connections.get(US, "ours").outward == Outward("D1", "id-580000")
    assert browser.ask("PATCH", ADDRESS, {"automatic": False}).body["outward"] == PLACE
    assert browser.ask("PATCH", ADDRESS, {"outward": None}).body["outward"] is None
    told = [entry["facts"].get("outward") for entry in house.audit(US).entries(DIVISION)]
    assert told == ["D1, id-580000", None, "off"]


@pytest.mark.parametrize(
    ("place", "books", "reason"),
    [
        ({"journal": "B1"}, {}, "no such open journal for various entries"),  # the bank's own file brings the money
        ({"journal": "V1"}, {}, "no such open journal for various entries"),
        ({"account": "id-700000"}, {}, "no such clearing account"),
        ({}, {"journals": some_books().journals}, "no open journal for various entries; make one"),
        ({}, {"journals": (replace(VARIOUS, blocked=True),)}, "no open journal for various entries; make one"),
    ],
)
def test_a_place_that_does_not_fit_leaves_the_switch_off_with_its_sentence(place, books, reason):
    house = a_house_that_brings()
    read_books(house, **{"journals": (*some_books().journals, VARIOUS), "clearing_accounts": (SUSPENSE,), **books})
    answer = sign_in(house).ask("PATCH", ADDRESS, {"outward": {**PLACE, **place}})
    assert answer.failed() == (400, "RequestInvalid")
    assert reason in answer.body["sentence"]
    assert house.connections.get(US, "ours").outward is None


def test_a_package_that_takes_no_payments_says_so():
    house = a_house_that_brings(outward=False)
    browser = sign_in(house)
    assert browser.get(ADDRESS).body["outward_journals"] == []
    answer = browser.ask("PATCH", ADDRESS, {"outward": PLACE})
    assert answer.failed() == (400, "RequestInvalid")
    assert "takes no payments from Teamleader" in answer.body["sentence"]


def test_a_place_is_chosen_from_books_that_were_read():
    house = a_house()
    house.known_packages["plain"] = SetFacts(ABILITIES=Abilities(outward=True))
    our_connection(house, package="plain")
    assert sign_in(house).ask("PATCH", ADDRESS, {"outward": PLACE}).failed() == (409, "NotReady")


@pytest.mark.parametrize(
    ("books", "code"),
    [
        ({}, []),
        ({"journals": some_books().journals}, ["clearing_journal_missing"]),
        ({"clearing_accounts": ()}, ["clearing_account_missing"]),
    ],
)
def test_a_place_that_vanished_is_a_finding(books, code):
    house = a_house_that_brings()
    browser = sign_in(house)
    browser.ask("PATCH", ADDRESS, {"outward": PLACE})
    read_books(house, **{"journals": (*some_books().journals, VARIOUS), "clearing_accounts": (SUSPENSE,), **books})
    found = browser.get(f"{ADDRESS}/readiness").body["findings"]
    assert [one["code"] for one in found if one["code"].startswith("clearing")] == code


def test_a_change_has_held_documents_looked_at_again_but_starts_nothing_that_never_ran():
    house = a_house()
    our_connection(house)
    browser = sign_in(house)
    browser.ask("PATCH", ADDRESS, {"start": "2026-02-01"})
    assert house.nudged() == []
    house.put_job(Job(key(JobKind.DOCUMENTS), None, last_run_at=MORNING))
    browser.ask("PATCH", ADDRESS, {"start": "2026-02-02"})
    assert house.nudged() == [key(JobKind.DOCUMENTS)]
    assert house.jobs.get(key(JobKind.DOCUMENTS)).manual  # what is held is the worker's to let go


def test_switching_to_automatic_makes_everything_due_once():
    house = a_house()
    our_connection(house)
    sign_in(house).ask("PATCH", ADDRESS, {"automatic": True})
    assert {job.key.kind: job.due_at for job in house.jobs.of_account(US)} == dict.fromkeys(JobKind, MORNING)


def test_switched_off_means_no_sync_and_its_entity_can_be_taken():
    house = a_house()
    our_connection(house)
    browser = sign_in(house)
    assert browser.ask("PATCH", ADDRESS, {"active": False}).body["active"] is False
    assert browser.post(f"{ADDRESS}/sync", {"kind": "documents"}).failed() == (409, "NotReady")
    our_connection(house, id="newer", administration="exact.be.3000001")
    assert browser.ask("PATCH", ADDRESS, {"active": True}).failed() == (409, "EntityTaken")


def test_switched_on_again_beside_another_vat_number_is_refused():
    house = a_house()
    our_connection(house, active=False)
    our_connection(house, id="theirs", entity="entity-other")
    read_books(house)
    assert sign_in(house).ask("PATCH", ADDRESS, {"active": True}).failed() == (409, "WrongVatNumber")


def test_nothing_is_ready_before_the_books_are_read():
    house = a_house()
    our_connection(house)
    assert sign_in(house).get(f"{ADDRESS}/readiness").body == {"ready": False, "read_at": None, "findings": []}


def test_a_complete_connection_is_ready():
    house = a_house()
    our_connection(house)
    read_books(house)
    answer = sign_in(house).get(f"{ADDRESS}/readiness").body
    assert (answer["ready"], answer["findings"]) == (True, [])


def test_findings_come_with_a_sentence_and_people_see_no_guids():
    house = a_house()
    our_connection(house, mapping=a_mapping(accepted_at=None))
    read_books(house, accounts=(LedgerAccount("id-700000", "700000", "Omzet", blocked=True),))
    answer = sign_in(house, language="nl").get(f"{ADDRESS}/readiness").body
    assert answer["ready"] is False
    by_code = {finding["code"]: finding for finding in answer["findings"]}
    assert by_code["mapping_not_accepted"]["weight"] == "blocks"
    sentences = [f["sentence"] for f in answer["findings"] if f["code"] == "account_unusable"]
    assert any("700000 Omzet" in sentence for sentence in sentences)


def test_only_the_rates_of_the_connections_own_entity_are_checked():
    house = a_house()
    our_connection(house, mapping=Mapping())
    read_books(house)
    findings = sign_in(house).get(f"{ADDRESS}/readiness").body["findings"]
    unmapped = [f["facts"]["rate"] for f in findings if f["code"] == "vat_code_unmapped"]
    assert len(unmapped) == len(set(unmapped)) == 6


def a_first_load(house, connection, documents):
    save_counted(house.snapshots(US), DIVISION, Counted(400, {scope_of(connection): documents}))


def waits(house):
    findings = sign_in(house).get(f"{ADDRESS}/readiness").body["findings"]
    return [(f["facts"]["waiting"], f["facts"]["days"]) for f in findings if f["code"] == "takes_days"]


def test_how_long_a_first_load_takes_is_said_before_anything_is_in_line():
    house = a_house()
    connection = our_connection(house)
    read_books(house)
    assert waits(house) == []
    a_first_load(house, connection, 2000)
    assert waits(house) == [("2000", "7")]
    a_first_load(house, connection, 320)
    assert waits(house) == []


def test_once_documents_are_in_line_those_that_wait_count():
    house = a_house()
    connection = our_connection(house)
    read_books(house)
    a_first_load(house, connection, 2000)
    put_documents(house, *(a_record(str(n)) for n in range(401)), a_record("x", DocumentState.BOOKED))
    house.put_job(Job(key(JobKind.DOCUMENTS), None, cursor={scope_of(connection): "page"}))
    assert waits(house) == [("401", "2")]


def test_connections_of_one_administration_share_its_day_and_one_that_is_off_counts_for_nothing():
    house = a_house()
    connection = our_connection(house)
    read_books(house)
    neighbours = [our_connection(house, id=name, entity=name, active=name == "twin") for name in ("twin", "off")]
    counted = {scope_of(one): 200 for one in (connection, *neighbours)}
    save_counted(house.snapshots(US), DIVISION, Counted(400, counted))
    assert waits(house) == [("400", "2")]


def test_another_start_is_counted_anew_where_a_day_takes_only_so_many():
    house = a_house()
    connection = our_connection(house)
    read_books(house)
    browser = sign_in(house)
    browser.ask("PATCH", ADDRESS, {"start": "2026-02-01"})
    assert house.nudged() == []
    a_first_load(house, connection, 2000)
    browser.ask("PATCH", ADDRESS, {"start": "2025-02-01"})
    assert house.nudged() == [key(JobKind.ACCOUNTS)]
    assert waits(house) == []
