"""Relations in Octopus: found, created once, and told again when they change."""

from __future__ import annotations

import httpx
import pytest

from boekbrug.domain.documents import CustomerKind, CustomerRef
from boekbrug.domain.errors import (
    AccessDenied,
    CustomerIncomplete,
    RateLimited,
    RefusedByPackage,
    RelationAmbiguous,
    UnexpectedAnswer,
    VendorDown,
)
from boekbrug.domain.ledger import Done, Refused, Unknown
from boekbrug.domain.relations import Address, RelationQuery
from boekbrug.vendors.octopus import mapping
from boekbrug.vendors.octopus.looks import PAGE_ROWS

from .octopus_desk import NOTHING, Desk, a_draft, a_relation, body_of, no, ok, query_of, read


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_relation_as_octopus_tells_it(desk):
    desk.get("/relations", [a_relation(active=False)])
    ((found,),) = desk.ledger.find_relations([RelationQuery("studio noord bv")])
    assert (found.ref, found.code, found.name) == ("28", "28", "Studio Noord BV")
    assert (found.address.country, found.enterprise_number) == ("", "0987654394")
    assert (found.is_customer, found.blocked) == (True, True)


def test_a_vat_number_is_asked_for_as_octopus_prints_it_and_then_compact(desk):
    route = desk.get("/relations", NOTHING, [a_relation(vatNr="BE 0987654394")])
    ((found,),) = desk.ledger.find_relations([RelationQuery("Heel anders", vat_number="BE0987654394")])
    assert found.ref == "28"
    assert [query_of(route, n) for n in (0, 1)] == [
        {"name": "Heel anders", "vatNr": "BE0987.654.394"},
        {"vatNr": "BE0987654394"},
    ]


def test_an_enterprise_number_is_looked_for_as_the_vat_number_it_is_in_belgium(desk):
    route = desk.get("/relations", [a_relation()])
    ((found,),) = desk.ledger.find_relations([RelationQuery("", enterprise_number="0987654394")])
    assert found.ref == "28"
    assert query_of(route, 0) == {"vatNr": "BE0987.654.394"}


def test_relations_that_only_answer_another_question_are_left_out(desk):
    """octopus.md 10.10."""
    desk.get("/relations", [a_relation(), a_relation(29, name="Firma A", vatNr="")])
    assert [row.ref for row in desk.ledger.find_relations([RelationQuery("Firma A")])[0]] == ["29"]


def test_nothing_to_look_for_costs_no_call(desk):
    assert desk.ledger.find_relations([RelationQuery("")]) == [[]]
    assert not desk.router.calls


def test_our_number_is_read_as_free_before_a_relation_is_created(desk):
    """octopus.md 10.10 and 10.18."""
    search = desk.get("/relations", NOTHING)
    route = desk.put("/relations", httpx.Response(201, json=a_relation(29)))
    (outcome,) = desk.ledger.save_relations([a_draft()])
    assert isinstance(outcome, Done)
    assert outcome.value.ref == "29"
    sent = body_of(route)
    number = sent["relationIdentificationServiceData"]["externalRelationId"]
    assert 10**9 <= number < 2**31
    assert query_of(search) == {"extRelationId": str(number)}
    assert sent["vatNr"] == "BE0987.654.394"
    assert (sent["vatType"], sent["factLanguage"], sent["client"], sent["currencyCode"]) == (1, 1, True, "EUR")
    assert (sent["expirationType"], sent["expirationDays"]) == (1, 30)
    assert not {"country", "telephone", "url", "ibanAccountNr"} & sent.keys()


def test_a_relation_of_ours_that_stands_already_is_not_sent_again(desk):
    """octopus.md 10.10."""
    desk.get("/relations", [a_relation()])
    (outcome,) = desk.ledger.save_relations([a_draft()])
    assert outcome.value.ref == "28"
    assert len(desk.router.calls) == 1


def test_a_customer_has_one_number_with_us_whatever_becomes_of_its_name(desk):
    """octopus.md 10.10: 0 would mean none, and a relation key that is stale would make a second relation."""
    desk.get("/relations", NOTHING)
    route = desk.put("/relations", httpx.Response(201, json=a_relation(29)))
    other = CustomerRef(CustomerKind.CONTACT, "11111111-2222-3333-4444-555555555555")
    for draft in (a_draft(), a_draft("Noord BV", email="noord@noord.example"), a_draft(customer=other)):
        desk.ledger.save_relations([draft])
    sent = [body_of(route, n)["relationIdentificationServiceData"] for n in range(3)]
    assert [set(names) for names in sent] == [{"externalRelationId"}] * 3
    first, renamed, another = (names["externalRelationId"] for names in sent)
    assert first == renamed
    assert len({first, another, 0}) == 3


@pytest.mark.parametrize("country", ["", "  "])
def test_a_country_nobody_knows_is_left_out(country):
    """octopus.md 10.18: an empty one is refused."""
    assert "country" not in mapping.relation_payload(a_draft(address=Address("Kaai 12", "2000", "Antwerpen", country)))
    known = mapping.relation_payload(a_draft(address=Address("Kaai 12", "2000", "Antwerpen", "BE")))
    assert known["country"] == "BE"


@pytest.mark.parametrize("other", [{"name": "Firma A"}, {"vatNr": "BE0123.456.749"}])
def test_our_number_on_somebody_elses_relation_changes_nothing_there(desk, other):
    desk.get("/relations", [a_relation(**other)])
    (outcome,) = desk.ledger.save_relations([a_draft()])
    assert isinstance(outcome.cause, RelationAmbiguous)
    assert "(28)" in outcome.cause.facts["candidates"]
    assert len(desk.router.calls) == 1


def test_who_holds_our_number_is_told_in_few_words(desk):
    desk.get("/relations", [a_relation(name="Firma A" * 20_000)])
    (outcome,) = desk.ledger.save_relations([a_draft()])
    assert len(str(outcome.cause)) < 1000


@pytest.mark.parametrize("empty", [httpx.Response(204), httpx.Response(201), httpx.Response(201, text="ok")])
def test_an_empty_answer_is_looked_up_under_our_number(desk, empty):
    desk.get("/relations", NOTHING, [a_relation(30)])
    desk.put("/relations", empty)
    (outcome,) = desk.ledger.save_relations([a_draft()])
    assert outcome.value.ref == "30"


@pytest.mark.parametrize("lost", [httpx.ReadTimeout("late"), httpx.Response(200, html="<h1>Onderhoud</h1>")])
def test_a_lost_answer_to_a_relation_is_unknown(desk, lost):
    desk.get("/relations", NOTHING)
    desk.put("/relations", lost)
    (outcome,) = desk.ledger.save_relations([a_draft()])
    assert isinstance(outcome, Unknown)


def test_a_look_that_fails_after_the_first_draft_raises_nothing_any_more(desk):
    desk.get("/relations", NOTHING, httpx.Response(500))
    desk.put("/relations", httpx.Response(201, json=a_relation(29)))
    first, second = desk.ledger.save_relations([a_draft(), a_draft("Firma A", vat_number="")])
    assert isinstance(first, Done)
    assert isinstance(second, Unknown)


def test_a_look_that_fails_before_anything_was_sent_raises(desk):
    desk.get("/relations", httpx.Response(500))
    with pytest.raises(VendorDown):
        desk.ledger.save_relations([a_draft()])


@pytest.mark.parametrize(
    ("change", "field"),
    [({"email": "geen adres"}, "email"), ({"name": " "}, "name"), ({"vat_number": "BE123"}, "vat_number")],
)
def test_a_customer_nobody_could_use_costs_no_call(desk, change, field):
    (outcome,) = desk.ledger.save_relations([a_draft(**change)])
    assert isinstance(outcome.cause, CustomerIncomplete)
    assert outcome.cause.facts["field"] == field
    assert not desk.router.calls


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (no(-7, message="Relatie niet bewaard."), RefusedByPackage),
        (no(-7, message="Ongeldig e-mailadres"), CustomerIncomplete),
        (no(None, 403, technical="no right"), AccessDenied),
        (no(None, 429), RateLimited),
    ],
)
def test_a_relation_octopus_refuses_says_why(desk, answer, cause):
    desk.get("/relations", NOTHING)
    desk.put("/relations", answer)
    (outcome,) = desk.ledger.save_relations([a_draft()])
    assert isinstance(outcome, Refused)
    assert isinstance(outcome.cause, cause)


@pytest.mark.parametrize(
    ("vat_number", "country", "kind", "expected"),
    [
        ("BE0987654394", "BE", CustomerKind.COMPANY, 1),
        ("NL123456789B01", "NL", CustomerKind.COMPANY, 4),
        ("CHE123456789", "CH", CustomerKind.COMPANY, 6),
        ("", "BE", CustomerKind.COMPANY, 0),
        ("", "BE", CustomerKind.CONTACT, 7),
        ("", "FR", CustomerKind.CONTACT, 8),
        ("", "US", CustomerKind.CONTACT, 9),
        ("", "", CustomerKind.CONTACT, 0),
    ],
)
def test_who_a_customer_is_to_the_vat_is_said_only_where_something_proves_it(vat_number, country, kind, expected):
    draft = a_draft(vat_number=vat_number, address=Address("", "", "", country), customer=CustomerRef(kind, "1"))
    assert mapping.vat_type(draft) == expected


def test_changed_relations_come_with_those_that_are_gone(desk):
    route = desk.get(
        "/relations/modified", {"modified": [a_relation(28), a_relation(29)], "deleted": [a_relation(29)]}, NOTHING
    )
    (page,) = desk.ledger.relations(None)
    assert ([row.ref for row in page.rows], page.gone) == (["28"], ("29",))
    assert query_of(route) == {"modifiedTimeStamp": "1980-01-01 00:00:00.000"}
    assert list(desk.ledger.relations(page.cursor)) == []
    desk.clock.advance(36 * 60)
    (page,) = desk.ledger.relations(page.cursor)
    assert page.rows == ()
    assert query_of(route) == {"modifiedTimeStamp": "2025-03-03 06:00:00.000"}  # 08:00 UTC is 09:00, less three hours


def test_many_relations_come_in_pages_and_the_next_worker_goes_on(desk):
    """octopus.md 10.16."""
    rows = [a_relation(key) for key in range(1, PAGE_ROWS + 12)]
    desk.get("/relations/modified", {"modified": rows[::-1]})
    pages = list(desk.ledger.relations(None))
    assert [len(page.rows) for page in pages] == [PAGE_ROWS, 11]
    rest, cursor = read(desk.ledger.relations(pages[0].cursor))
    assert [row.ref for row in rest] == [str(key) for key in range(PAGE_ROWS + 1, PAGE_ROWS + 12)]
    assert cursor == pages[1].cursor


def test_a_server_that_is_behind_moves_the_next_look_back(desk):
    date_header = "Mon, 03 Mar 2025 07:30:00 GMT"
    route = desk.get("/relations/modified", ok({"modified": []}, Date=date_header), NOTHING)
    _, cursor = read(desk.ledger.relations(None))
    desk.clock.advance(36 * 60)
    read(desk.ledger.relations(cursor))
    assert query_of(route) == {"modifiedTimeStamp": "2025-03-03 05:30:00.000"}


@pytest.mark.parametrize(
    "told",
    [
        "Tue, 04 Mar 2025 07:30:00 GMT",
        "Sat, 01 Mar 2025 07:30:00 GMT",
        "Mon, 01 Jan 0001 00:00:00 +1400",
        "Fri, 31 Dec 9999 23:59:59 -1400",
        "9" * 5000,
        "soon",
    ],
)
def test_a_server_whose_clock_is_none_moves_nothing(desk, told):
    route = desk.get("/relations/modified", ok({"modified": []}, Date=told), NOTHING)
    _, cursor = read(desk.ledger.relations(None))
    desk.clock.advance(40 * 60)
    read(desk.ledger.relations(cursor))
    assert query_of(route) == {"modifiedTimeStamp": "2025-03-03 06:00:00.000"}


@pytest.mark.parametrize("keys", [{}, {"relationKey": None}, {"relationKey": {}}, {"relationKey": {"id": 0}}])
def test_a_relation_without_its_key_is_no_relation(desk, keys):
    nobody = a_relation(relationIdentificationServiceData=keys)
    desk.get("/relations", NOTHING)
    desk.put("/relations", httpx.Response(201, json=nobody))
    (outcome,) = desk.ledger.save_relations([a_draft()])
    assert isinstance(outcome, Unknown)
    desk.get("/relations/modified", {"modified": [nobody]})
    with pytest.raises(UnexpectedAnswer):
        read(desk.ledger.relations(None))
