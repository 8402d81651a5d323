"""The query language of the fake Exact Online: filters, pages, shapes."""

from datetime import datetime
from decimal import Decimal

import pytest

from fakes.exact import errors
from fakes.exact.entities import entity
from fakes.exact.errors import Refused
from fakes.exact.odata import literals, parse_filter, parse_query

ENTRIES = entity("salesentry/SalesEntries")
ACCOUNTS = entity("crm/Accounts")
A, B = "0d3c6a52-0000-4000-8000-00000000000a", "0d3c6a52-0000-4000-8000-00000000000b"
ROW = {
    "EntryID": A,
    "Customer": B,
    "YourRef": "O'Brien/1",
    "AmountFC": Decimal("121.50"),
    "EntryDate": datetime(2026, 3, 31),
    "Status": 20,
    "Document": None,
}


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        (f"EntryID eq guid'{A}'", True),
        (f"EntryID eq guid '{A.upper()}'", True),
        (f"guid'{B}' eq Customer", True),
        ("YourRef eq 'O''Brien/1'", True),
        ("YourRef eq 'o''brien/1'", False),
        ("YourRef eq 'O''Brien/1  '", True),
        ("AmountFC gt 121.49 and AmountFC lt 121.51", True),
        ("EntryDate ge datetime'2026-03-31' and EntryDate lt datetime'2026-04-01T00:00:00'", True),
        ("Status eq 50 or Status eq 20", True),
        ("not (Status eq 20)", False),
        ("Document eq null", True),
        ("Document ne null", False),
        ("substringof('brien',YourRef) eq true", True),
        ("startswith(YourRef,'O')", True),
        ("endswith(tolower(YourRef),'brien/1') eq false", False),
        ("Status eq 20 and (Status eq 50 or YourRef ne null)", True),
        ("Status eq 50 and Status eq 20 or Status eq 20", True),
    ],
)
def test_a_filter_lets_the_right_row_through(text, passes):
    assert parse_filter(text, ENTRIES).test(ROW) is passes


@pytest.mark.parametrize(
    "text",
    [
        "Status eq",
        "Status = 20",
        "Status eq 'twenty'",
        "YourRef eq guid'nonsense'",
        f"YourRef eq guid'{A}'",
        "EntryDate gt datetime'yesterday'",
        "(Status eq 20",
        "Status eq 20 Status eq 50",
        "length(YourRef) eq 3",
    ],
)
def test_a_filter_that_cannot_be_read_is_a_syntax_error(text):
    with pytest.raises(Refused) as refusal:
        parse_filter(text, ENTRIES)
    assert (refusal.value.status, refusal.value.message) == (400, errors.QUERY_SYNTAX)


def test_names_are_case_sensitive_and_unknown_ones_refused():
    with pytest.raises(Refused, match="Could not find a property named 'yourref'"):
        parse_filter("yourref eq 'x'", ENTRIES)
    with pytest.raises(Refused, match="Could not find a property named 'Foo'"):
        parse_query({"$select": "EntryID,Foo"}, ENTRIES)


def test_an_account_code_only_equals_its_padded_form():
    row = {"Code": "              1005"}
    assert not parse_filter("Code eq '1005'", ACCOUNTS).test(row)
    assert parse_filter("Code eq '              1005'", ACCOUNTS).test(row)
    assert parse_filter("trim(Code) eq '1005'", ACCOUNTS).test(row)


def test_a_long_or_chain_becomes_one_look_up():
    chain = " or ".join(f"YourRef eq '{n}'" for n in range(40))
    condition = parse_filter(f"Customer eq guid'{B}' and ({chain})", ENTRIES)
    assert condition.pins["YourRef"] == {str(n) for n in range(40)}
    assert condition.test({**ROW, "YourRef": "39"})
    assert not condition.test({**ROW, "YourRef": "40"})


def test_sync_takes_no_filter_but_the_row_version():
    terms = entity("sync/Cashflow/PaymentTerms")
    assert parse_filter("Timestamp gt 12L", terms).above == 12
    assert parse_filter("Timestamp gt 12", terms).above == 12
    for text in ("LineType eq 20", "Timestamp gt 1L and LineType eq 20", "Timestamp ge 1L"):
        with pytest.raises(Refused, match=r"This \$filter parameter is not supported for this resource"):
            parse_filter(text, terms)
    deleted = parse_filter("Timestamp gt 5L and EntityType eq 2", entity("sync/Deleted"))
    assert deleted.test({"Timestamp": 6, "EntityType": 2})
    assert not deleted.test({"Timestamp": 5, "EntityType": 2})


def test_bulk_wants_a_select_and_few_filters():
    bulk = entity("bulk/Cashflow/Receivables")
    with pytest.raises(Refused, match=r"Please add a \$select or a \$top=1"):
        parse_query({}, bulk)
    assert parse_query({"$top": "1"}, bulk).top == 1
    with pytest.raises(Refused, match="Filtering on these fields is not supported: YourRef"):
        parse_query({"$select": "ID", "$filter": "YourRef eq 'x'"}, bulk)
    with pytest.raises(Refused):
        parse_query({"$select": "ID", "$skip": "5"}, bulk)


def test_skiptokens_are_literals():
    assert literals(f"guid'{A}'") == (A,)
    assert literals("12345L") == (12345,)
    assert literals(f"datetime'2026-01-02T00:00:00',guid'{A}'") == (datetime(2026, 1, 2), A)
