"""Every error and every finding has its sentence in three languages, with the same blanks."""

from __future__ import annotations

import string
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import boekbrug.texts
from boekbrug.domain.connections import Mapping, Outward
from boekbrug.domain.documents import Category, CategoryId
from boekbrug.domain.errors import leaves
from boekbrug.domain.ledger import Books, Journal, JournalKind
from boekbrug.domain.readiness import FINDINGS, Load, findings
from boekbrug.texts import LANGUAGES, finding, language_of, sentence
from tests.support.builders import RATES, a_connection, a_mapping, months, some_books

TABLES = {
    language: tomllib.loads((Path(boekbrug.texts.__file__).parent / f"{language}.toml").read_text())
    for language in LANGUAGES
}
# What problem pages add to a leaf's own facts.
ADDED = {"document", "package"}


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_leaf_and_finding_has_a_sentence_and_no_sentence_is_an_orphan(language):
    assert set(TABLES[language]["errors"]) == set(leaves())
    assert set(TABLES[language]["findings"]) == set(FINDINGS)


@pytest.mark.parametrize("cause", leaves())
def test_a_sentence_asks_only_for_facts_its_error_has(cause):
    per_language = [blanks(TABLES[language]["errors"][cause]) for language in LANGUAGES]
    assert per_language[0] <= {*leaves()[cause].names, *ADDED}
    assert all(names == per_language[0] for names in per_language)


@pytest.mark.parametrize("table", ["findings", "words"])
def test_the_three_languages_have_the_same_entries_with_the_same_blanks(table):
    first = {code: blanks(text) for code, text in TABLES["nl"][table].items()}
    for language in LANGUAGES:
        assert {code: blanks(text) for code, text in TABLES[language][table].items()} == first


def test_every_sentence_ends_as_a_sentence():
    for language in LANGUAGES:
        for table in ("errors", "findings"):
            assert [text for text in TABLES[language][table].values() if not text.endswith(".")] == []


def every_finding():
    """Readiness checks of administrations that lack one thing after the other."""
    today = date(2027, 12, 20)
    gone = a_mapping(vat_codes={}, default_account="", discount_account="", accepted_at=None)
    broken = a_mapping(default_account="gone", vat_codes={"21": {"invoice": "6", "credit_note": "6"}})
    categories = [Category(CategoryId("werk"), "Werk", ())]
    various = some_books(journals=(*some_books().journals, Journal("D1", "Diverse", JournalKind.GENERAL)))
    cases = [
        (a_connection(invoice_journal="B1", credit_note_journal="B1"), some_books()),
        (a_connection(invoice_journal="nope", mapping=replace(gone, category_accounts={})), some_books()),
        (a_connection(mapping=broken), some_books()),
        (a_connection(mapping=Mapping()), Books()),
        (a_connection(), some_books(years=(months(2026, closed=(1,)), months(2028)))),
        (a_connection(outward=Outward("B1", "id-580000")), various),
        (a_connection(outward=Outward("D1", "id-700000")), various),
    ]
    for connection, books in cases:
        yield from findings(connection, books, list(RATES.values()), categories, today)
    yield from findings(a_connection(), some_books(), [], [], today, load=Load("octopus", 2000, 400))


def test_every_finding_there_is_fills_its_own_blanks():
    found = list(every_finding())
    assert {one.code for one in found} == set(FINDINGS)
    for one in found:
        for language in LANGUAGES:
            assert TABLES[language]["words"]["unknown"] not in finding(one.code, one.facts, language)


def test_values_of_ours_are_called_by_their_name_and_peoples_own_words_are_left_alone():
    assert sentence("AccessExpired", {"vendor": "exact"}, "nl").startswith("Onze toegang tot Exact Online")
    text = sentence("CustomerGone", {"customer": "name"}, "en", document="2026 / 7", package="Exact Online")
    assert "customer name is" in text


def test_facts_that_are_missing_or_empty_are_shown_plainly():
    assert "(unknown)" in sentence("PeriodClosed", {"period": "2026 - 03"}, "en")
    assert "(leeg)" in finding("journal_missing", {"journal": ""}, "nl")


def test_where_the_package_is_not_known_the_sentence_still_reads():
    assert "the connection with the accounting package is not fully" in sentence("NotReady", {}, "en")


def test_a_time_is_written_for_people():
    at = datetime(2026, 3, 1, 10, 5, 7, tzinfo=UTC)
    assert "2026-03-01 10:05 (UTC)" in sentence("RateLimited", {"vendor": "exact", "until": at}, "en")


def test_a_cause_nobody_knows_is_shown_as_it_stands():
    assert sentence("Cause{0}OfAnotherVersion", {}, "fr") == "Cause(0)OfAnotherVersion"


def test_braces_in_facts_do_no_harm():
    assert "{until}" in sentence("VendorDown", {"vendor": "{until}"}, "en")


@pytest.mark.parametrize(
    ("wanted", "language"),
    [("fr-BE,fr;q=0.9,en;q=0.8", "fr"), ("de-DE, nl;q=0.5", "nl"), ("nl_BE", "nl"), ("de", "en"), ("", "en")],
)
def test_the_first_language_we_have_is_taken(wanted, language):
    assert language_of(wanted) == language
