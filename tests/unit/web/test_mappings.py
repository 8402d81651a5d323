"""Which VAT code and account belong to what: proposed, chosen, checked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from boekbrug.domain.connections import JobKind, Mapping
from boekbrug.domain.documents import DocumentKind
from boekbrug.ports import Job
from tests.support.builders import some_books

from .scene import DIVISION, MORNING, US, a_house, key, our_connection, read_books, sign_in

ADDRESS = "/api/connections/ours/mappings"


def new_house(**changes):
    house = a_house()
    our_connection(house, **{"mapping": Mapping(), **changes})
    read_books(house)
    return house


def test_before_the_books_are_read_there_is_nothing_to_choose():
    house = a_house()
    our_connection(house, mapping=Mapping())
    browser = sign_in(house)
    answer = browser.get(ADDRESS).body
    assert (answer["read_at"], answer["accepted"], answer["accounts"]) == (None, None, [])
    assert browser.ask("PUT", ADDRESS, {}).failed() == (409, "NotReady")


def test_the_proposal_can_be_accepted_as_it_is():
    house = new_house()
    browser = sign_in(house)
    shown = browser.get(ADDRESS).body
    assert shown["accepted"] is None
    assert shown["proposal"]["vat_codes"]["21"] == {"invoice": "21", "credit_note": "21"}
    assert shown["proposal"]["category_accounts"] == {"diensten": "id-701000"}
    assert {rate["id"] for rate in shown["rates"]} == {"21", "12", "6", "0", "mc", "eu"}
    assert shown["vat_codes"][0]["percentage"] == "0.21"
    answer = browser.ask("PUT", ADDRESS, shown["proposal"])
    assert answer.body["mapping_accepted_at"] == "2026-03-31T09:00:00Z"
    mapping = house.connections.get(US, "ours").mapping
    assert mapping.vat_code("mc", DocumentKind.CREDIT_NOTE) == "MC"
    assert mapping.accepted_at == MORNING
    assert browser.get(ADDRESS).body["accepted"] == shown["proposal"]
    assert house.said(US, DIVISION) == ["mapping_accepted"]


@pytest.mark.parametrize(
    ("asked", "field", "reason"),
    [
        ({"vat_codes": {"21": {"invoice": "99"}}}, "vat_codes.21.invoice", "not_in_books"),
        ({"vat_codes": {"21": {"invoice": "6"}}}, "vat_codes.21.invoice", "wrong_percentage"),
        ({"vat_codes": {"21": {"invoice": "OLD"}}}, "vat_codes.21.invoice", "not_usable"),
        ({"vat_codes": {"21": {"credit_note": "21V"}}}, "vat_codes.21.credit_note", "wrong_kind"),
        ({"vat_codes": {"21-other": {"invoice": "21"}}}, "vat_codes.21-other", "other_entity"),
        ({"vat_codes": {"21": {"receipt": "21"}}}, "vat_codes.21.receipt.[key]", "enum"),
        ({"rate_accounts": {"nope": "id-700000"}}, "rate_accounts.nope", "other_entity"),
        ({"rate_accounts": {"21": "nope"}}, "rate_accounts.21", "not_in_books"),
        ({"category_accounts": {"nope": "id-700000"}}, "category_accounts.nope", "other_entity"),
        ({"category_accounts": {"diensten": ""}}, "category_accounts.diensten", "not_in_books"),
        ({"default_account": "nope"}, "default_account", "not_in_books"),
        ({"discount_account": "id-old"}, "discount_account", "not_usable"),
    ],
)
def test_what_does_not_exist_or_fit_is_refused_by_field(asked, field, reason):
    house = new_house()
    books = some_books()
    code = books.vat_codes[0]
    read_books(
        house,
        vat_codes=(
            *books.vat_codes,
            replace(code, code="OLD", usable=False),
            replace(code, code="21V", kinds=(DocumentKind.INVOICE,)),
        ),
        accounts=(*books.accounts, replace(books.accounts[0], id="id-old", blocked=True)),
    )
    answer = sign_in(house).ask("PUT", ADDRESS, asked)
    assert answer.failed() == (400, "RequestInvalid")
    assert answer.body["facts"] == {"field": field, "reason": reason}
    assert house.connections.get(US, "ours").mapping == Mapping()


@pytest.mark.parametrize(
    ("automatic", "ran", "woken"),
    [(False, False, []), (False, True, [JobKind.DOCUMENTS]), (True, False, list(JobKind))],
)
def test_accepting_has_held_documents_looked_at_again(automatic, ran, woken):
    house = new_house(automatic=automatic)
    if ran:
        house.put_job(Job(key(JobKind.DOCUMENTS), None, last_run_at=MORNING))
    assert sign_in(house).ask("PUT", ADDRESS, {"default_account": "id-700000"}).status == 200
    assert house.nudged() == [key(kind) for kind in woken]
    job = house.jobs.get(key(JobKind.DOCUMENTS))
    assert bool(job and job.manual) == (ran and not automatic)
