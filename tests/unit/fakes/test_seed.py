"""The demo's two companies: valid numbers, every kind of document, figures that add up, always the same."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
import stdnum.be.vat
import stdnum.de.vat
import stdnum.eu.vat
import stdnum.fr.tva
import stdnum.iban
import stdnum.nl.btw

from fakes.kit import plain_json
from fakes.teamleader import TeamleaderFake, seed, totals

TODAY = date(2026, 11, 24)
DEMO = seed.demo_seed()
BODY = DEMO.body
INVOICES = [row for row in BODY["invoices"] if row["status"] != "draft"]
ISSUED = INVOICES + BODY["credit_notes"]
CUSTOMERS = {row["id"]: row for row in BODY["companies"] + BODY["contacts"]}
RATES = {row["id"]: row["rate"] for row in BODY["tax_rates"]}
WITHHOLDING = {row["id"]: row["rate"] for row in BODY["withholding_tax_rates"]}
DESCRIPTIONS = {row["id"]: row["description"] for row in BODY["tax_rates"]}
ACCOUNTS = seed.ACCOUNTS.values()


def day_of(document):
    return document.get("invoice_date") or document["credit_note_date"]


def lines_of(document):
    return [line for group in document["grouped_lines"] for line in group["line_items"]]


def customer_of(document):
    return CUSTOMERS[document["invoicee"]["customer"]["id"]]


def country_of(document):
    return customer_of(document)["addresses"][0]["address"]["country"]


def total_of(document):
    groups, discounts = document["grouped_lines"], document["discounts"]
    return totals.compute(groups, discounts, RATES, WITHHOLDING, document["rounding"], document["currency"])[1]


def of(tenant, rows):
    return [row for row in rows if row["tenant"] == tenant]


def refused(cause):
    [id_] = [id_ for id_, given in DEMO.expected_refusals.items() if given == cause]
    [document] = [row for row in ISSUED if row["id"] == id_]
    return document


def test_it_is_the_same_each_time_and_on_any_number_of_documents():
    assert seed.demo_seed(200, TODAY) == DEMO
    for documents in (20, 21, 60):
        body = seed.demo_seed(documents).body
        assert len(body["credit_notes"]) + sum(row["status"] != "draft" for row in body["invoices"]) == documents
    with pytest.raises(ValueError, match="at least 20"):
        seed.demo_seed(5)


def test_it_can_be_sent_as_json_without_losing_a_cent():
    assert plain_json.loads(plain_json.dumps(BODY))["invoices"][0]["id"] == INVOICES[0]["id"]


def test_the_fake_takes_it_and_computes_the_same_totals():
    fake = TeamleaderFake()
    fake.seed(plain_json.loads(plain_json.dumps(BODY)))
    for document in ISSUED:
        table = "invoices" if "invoice_number" in document else "credit_notes"
        shown = fake.state.records[table][document["id"]]["total"]
        assert {name: shown[name] for name in total_of(document)} == total_of(document)


def test_every_id_is_its_own():
    ids = Counter(row["id"] for rows in BODY.values() for row in rows)
    assert [id_ for id_, times in ids.items() if times > 1] == []


def test_the_documents_are_split_over_both_accounts_with_a_tenth_of_credit_notes():
    assert len(ISSUED) == 200
    for tenant in ACCOUNTS:
        notes = of(tenant, BODY["credit_notes"])
        assert len(of(tenant, ISSUED)) == 100
        assert len(notes) >= 10
        assert len([row for row in of(tenant, BODY["invoices"]) if row["status"] == "draft"]) == seed.DRAFTS
        assert 25 <= len(of(tenant, CUSTOMERS.values())) <= 27


def test_drafts_have_neither_number_nor_due_date():
    for row in BODY["invoices"]:
        if row["status"] == "draft":
            assert (row["invoice_number"], row["due_on"], row["payment_reference"]) == (None, None, None)


@pytest.mark.parametrize(("section", "kind"), [("invoices", "invoice"), ("credit_notes", "credit_note")])
def test_numbers_follow_the_dates_within_each_year(section, kind):
    for tenant in ACCOUNTS:
        rows = [row for row in of(tenant, BODY[section]) if row.get("status") != "draft"]
        assert [row[f"{kind}_date"] for row in rows] == sorted(row[f"{kind}_date"] for row in rows)
        numbers = defaultdict(list)
        for row in rows:
            year, number = (int(part) for part in row[f"{kind}_number"].split("/"))
            assert str(year) == row[f"{kind}_date"][:4]
            numbers[year].append(number)
        for given in numbers.values():
            assert given == list(range(1, len(given) + 1))


def test_dates_lie_in_the_last_nine_months():
    days = {date.fromisoformat(day_of(row)) for row in ISSUED} - {seed.CLOSED_DAY}
    assert TODAY - timedelta(days=275) <= min(days)
    assert TODAY - timedelta(days=3) <= max(days) <= TODAY


def test_a_year_that_begins_within_the_window_numbers_from_one_again():
    rows = seed.demo_seed(40, date(2026, 3, 1)).body["invoices"]
    assert {"2025 / 2", "2026 / 1"} <= {row["invoice_number"] for row in rows}


def test_a_credit_note_comes_after_its_invoice_and_credits_the_whole_or_a_part():
    invoices = {row["id"]: row for row in INVOICES}
    whole = 0
    for note in BODY["credit_notes"]:
        invoice = invoices[note["invoice"]["id"]]
        assert note["credit_note_date"] > invoice["invoice_date"]
        assert note["invoicee"] == invoice["invoicee"]
        credited, invoiced = (total_of(row)["tax_inclusive"]["amount"] for row in (note, invoice))
        assert 0 < credited <= invoiced
        whole += credited == invoiced
    assert 5 <= whole <= len(BODY["credit_notes"]) - 5


def test_vat_numbers_and_accounts_have_valid_check_digits():
    check = {"BE": stdnum.be.vat, "NL": stdnum.nl.btw, "DE": stdnum.de.vat, "FR": stdnum.fr.tva}
    numbers = [row["vat_number"] for row in BODY["companies"] + BODY["departments"] if row["vat_number"]]
    numbers += [row["VATNumber"] for row in DEMO.package_customers if row["VATNumber"]]
    assert {number[:2] for number in numbers} == set(check)
    for number in numbers:
        check[number[:2]].validate(number)
    ibans = [row["iban"] for row in BODY["companies"] + BODY["departments"] if row["iban"]]
    assert len(ibans) == 6
    for number in ibans:
        stdnum.iban.validate(number)


def test_no_two_customers_share_a_vat_number_or_a_name():
    for tenant in ACCOUNTS:
        companies = of(tenant, BODY["companies"])
        vat = [stdnum.eu.vat.compact(row["vat_number"]) for row in companies if row["vat_number"]]
        assert len(set(vat)) == len(vat)
        assert len({row["name"] for row in companies}) == len(companies)


def test_belgian_references_are_structured_and_dutch_ones_absent():
    references = [row["payment_reference"] for row in of(seed.ACCOUNTS["be"], INVOICES)]
    assert len(set(references)) == len(references)
    for reference in references:
        digits = reference.strip("+").replace("/", "")
        assert reference == f"+++{digits[:3]}/{digits[3:7]}/{digits[7:]}+++"
        assert int(digits[10:]) == (int(digits[:10]) % 97 or 97)
    assert {row["payment_reference"] for row in of(seed.ACCOUNTS["nl"], INVOICES)} == {None}


def test_the_structured_reference_of_the_vendors_sample():
    assert seed.structured_reference(1_200_000_042) == "+++120/0000/04244+++"
    assert seed.structured_reference(97).endswith("97+++")


def test_due_dates_follow_the_three_kinds_of_terms():
    assert {row["payment_term"]["type"] for row in INVOICES} == {"cash", "end_of_month", "after_invoice_date"}
    for row in INVOICES:
        day, due = date.fromisoformat(row["invoice_date"]), date.fromisoformat(row["due_on"])
        match row["payment_term"]:
            case {"type": "cash"}:
                assert due == day
            case {"type": "after_invoice_date", "days": days}:
                assert due == day + timedelta(days=days)
            case {"days": days}:
                assert (due + timedelta(days=1)).day == 1
                assert 0 <= (due - day).days - days <= 30


def test_every_tax_rate_and_ledger_is_used():
    lines = [line for row in INVOICES for line in lines_of(row)]
    assert {line["tax"]["id"] for line in lines} == set(RATES)
    used = {line["product_category"]["id"] for line in lines if line["product_category"]}
    assert used == {row["id"] for row in BODY["product_categories"]}
    assert any(line["product_category"] is None for line in lines)


def test_the_regime_suits_the_customer():
    home = {seed.ACCOUNTS["be"]: "BE", seed.ACCOUNTS["nl"]: "NL"}
    for document in ISSUED:
        for line in lines_of(document):
            description = DESCRIPTIONS[line["tax"]["id"]]
            country, vat = country_of(document), customer_of(document)["vat_number"]
            domestic = country == home[document["tenant"]]
            if "intracom" in description or "binnen de EU" in description:
                assert not domestic
                assert vat.startswith(country)
            elif "export" in description:
                assert country in ("CH", "GB")
            elif "medecontractant" in description or "verlegd" in description:
                assert domestic
                assert vat
            else:
                assert domestic


@pytest.mark.parametrize("tenant", ACCOUNTS)
def test_every_peculiarity_of_lines_and_documents_occurs(tenant):
    documents = of(tenant, INVOICES)
    lines = [line for row in documents for line in lines_of(row)]
    assert {len(row["discounts"]) for row in documents} == {0, 1, 2}
    assert {len(lines_of(row)) for row in documents} >= {1, 2, 3, 4, 5, 6}
    assert any(line["discount"] for line in lines)
    assert any(line["quantity"] < 0 for line in lines)
    assert any(line["quantity"] % 1 for line in lines)
    assert any(line["unit_price"]["amount"].as_tuple().exponent == -4 for line in lines)
    assert any(len({RATES[line["tax"]["id"]] for line in lines_of(row)}) > 1 for row in documents)
    assert {row["rounding"] for row in documents} == set(totals.MODES)
    assert {row["currency"] for row in documents} == {"EUR", "USD", "GBP"}
    for row in documents:
        rate = row["currency_exchange_rate"]
        assert (rate["from"], rate["to"]) == (row["currency"], "EUR")
        assert (rate["rate"] == 1) == (row["currency"] == "EUR")


def test_every_document_adds_up_to_more_than_nothing():
    for document in ISSUED:
        assert total_of(document)["tax_inclusive"]["amount"] > 0


# --- what is there to be refused, and what the package has ------------------------------------------------------------


def test_the_refusals_are_one_of_each_kind():
    assert Counter(DEMO.expected_refusals.values()) == Counter(seed.REFUSED.keys())
    for cause, key in seed.REFUSED.items():
        assert refused(cause)["tenant"] == seed.ACCOUNTS[key]


def test_the_document_of_a_closed_period_has_the_first_number():
    document = refused("PeriodClosed")
    assert (document["invoice_number"], document["invoice_date"]) == ("2025 / 1", "2025-01-15")


def test_only_the_document_with_withheld_tax_is_payable_below_its_total():
    short = [row["id"] for row in ISSUED if total_of(row)["payable"] != total_of(row)["tax_inclusive"]]
    assert short == [refused("NotPossible")["id"]]


def test_a_customer_that_must_be_refused_has_one_document_only():
    for cause in ("RelationAmbiguous", "CustomerIncomplete"):
        customer = customer_of(refused(cause))
        assert [row["id"] for row in ISSUED if customer_of(row) is customer] == [refused(cause)["id"]]


def test_only_one_customer_has_an_address_that_is_no_e_mail_address():
    bad = [row["id"] for row in CUSTOMERS.values() if "@" not in row["emails"][0]["email"]]
    assert bad == [customer_of(refused("CustomerIncomplete"))["id"]]
    for row in CUSTOMERS.values():
        assert row["id"] in bad or row["emails"][0]["email"].endswith(".example")


@pytest.mark.parametrize("key", ["be", "nl"])
def test_the_package_knows_six_customers_by_vat_number_and_name(key):
    ours = {
        (row["name"], stdnum.eu.vat.compact(row["vat_number"]))
        for row in of(seed.ACCOUNTS[key], BODY["companies"])
        if row["vat_number"]
    }
    theirs = of(seed.DIVISIONS[key], DEMO.package_customers)
    both = [row for row in theirs if (row["Name"], row["VATNumber"]) in ours]
    assert len(both) == 6
    assert len({row["Code"] for row in theirs}) == len(theirs)
    known = {vat for _, vat in ours}
    others = [row for row in theirs if row not in both]
    assert len(others) >= 3
    assert not any(row["VATNumber"] in known for row in others)


def test_the_package_shares_a_bare_name_with_one_person_only():
    names = {f"{row['first_name']} {row['last_name']}": row["id"] for row in BODY["contacts"]}
    shared = [row for row in DEMO.package_customers if row["Name"] in names]
    assert [names[row["Name"]] for row in shared] == [customer_of(refused("RelationAmbiguous"))["id"]]
    assert shared[0]["VATNumber"] is None


def test_prices_and_rates_are_decimals():
    amounts = [line["unit_price"]["amount"] for row in ISSUED for line in lines_of(row)]
    assert {type(amount) for amount in [*amounts, *RATES.values()]} == {Decimal}


@pytest.mark.parametrize("documents", [20, 400, 401, 2000, 5000])
def test_however_many_there_are_none_has_another_ones_id(documents):
    body = seed.demo_seed(documents).body
    rows = [*body["invoices"], *body["credit_notes"]]
    assert len({row["id"] for row in rows}) == len(rows)


def test_many_documents_are_mostly_one_companys():
    tenants = Counter(row["tenant"] for row in seed.demo_seed(2000).body["invoices"] if row["status"] != "draft")
    assert min(tenants.values()) <= seed.FEW < max(tenants.values())
