"""The fake Teamleader as its clients see it: over HTTP, with the answers the reference file promises."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import httpx
import pytest

from fakes.__main__ import main
from fakes.kit import plain_json
from fakes.kit.clock import FakeClock
from fakes.kit.running import serving
from fakes.kit.server import Dropped
from fakes.teamleader import TeamleaderFake

CALLBACK = "https://bridge.example/callback"
BE = "11111111-0000-0000-0000-000000000001"
NL = "22222222-0000-0000-0000-000000000002"
PATIENCE_S = 60
"""Of real time, for what happens in the background: a busy machine is slow and not wrong."""


def uid(account: str, n: int) -> str:
    return f"{account[:8]}-0000-0000-0000-{n:012d}"


def world(account: str, country: str) -> dict[str, Any]:
    """One account: a user, an entity with 21 and 6 %, another entity, one customer."""
    department = {"type": "department", "id": uid(account, 10)}
    return {
        "accounts": [{"id": account, "name": f"Account {country}"}],
        "users": [{"id": uid(account, 5), "tenant": account, "first_name": "Ann", "last_name": country}],
        "departments": [
            {"id": uid(account, n), "tenant": account, "name": f"Entity {n}", "address": {"country": country}}
            for n in (10, 11)
        ],
        "tax_rates": [
            {"id": uid(account, 21), "tenant": account, "rate": Decimal("0.21"), "department": department},
            {"id": uid(account, 6), "tenant": account, "rate": Decimal("0.06"), "department": department},
            {
                "id": uid(account, 99),
                "tenant": account,
                "rate": Decimal("0.21"),
                "department": {"type": "department", "id": uid(account, 11)},
            },
        ],
        "payment_terms": [{"tenant": account, "type": "after_invoice_date", "days": 30}],
        "companies": [
            {
                "id": uid(account, 50),
                "tenant": account,
                "name": "Bakkerij Peeters BV",
                "vat_number": "BE 0456.789.034",
                "emails": [{"type": "primary", "email": "info@peeters.example"}],
            }
        ],
    }


class Client:
    """A small client of the API."""

    def __init__(self, http: httpx.Client, fake: TeamleaderFake, account: str = BE) -> None:
        self.http, self.fake, self.account = http, fake, account
        code = self.authorize(auto="1", user=uid(account, 5))["code"]
        self.tokens = self.token(grant_type="authorization_code", code=code, redirect_uri=CALLBACK).json()

    def authorize(self, **extra: str) -> dict[str, str]:
        query = {"client_id": self.fake.client_id, "response_type": "code", "redirect_uri": CALLBACK, "state": "s"}
        answer = self.http.get("/oauth2/authorize", params={**query, **extra})
        assert answer.status_code == 302, answer.text
        return {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    def token(self, **fields: str) -> httpx.Response:
        client = {"client_id": self.fake.client_id, "client_secret": self.fake.client_secret}
        return self.http.post("/oauth2/access_token", data={**client, **fields})

    def refresh(self, token: str | None = None) -> httpx.Response:
        return self.token(grant_type="refresh_token", refresh_token=token or self.tokens["refresh_token"])

    def call(self, method: str, status: int = 200, /, **body: Any) -> Any:
        answer = self.http.post(f"/{method}", content=plain_json.dumps(body), headers=self.headers)
        assert answer.status_code == status, answer.text
        return plain_json.loads(answer.content) if answer.content else None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}

    def draft_body(self, **fields: Any) -> dict[str, Any]:
        return {
            "invoicee": {"customer": {"type": "company", "id": uid(self.account, 50)}},
            "department_id": uid(self.account, 10),
            "payment_term": {"type": "after_invoice_date", "days": 30},
            "grouped_lines": [{"section": {"title": "Werken maart"}, "line_items": [self.line()]}],
            **fields,
        }

    def line(self, price: str = "100", quantity: str = "1", rate: int = 21, **fields: Any) -> dict[str, Any]:
        return {
            "quantity": Decimal(quantity),
            "description": "Werk",
            "unit_price": {"amount": Decimal(price), "tax": "excluding"},
            "tax_rate_id": uid(self.account, rate),
            **fields,
        }

    def issue(self, *lines: dict[str, Any], on: str = "2026-03-03", **fields: Any) -> str:
        groups = [{"line_items": list(lines) or [self.line()]}]
        id_ = self.call("invoices.draft", 201, **self.draft_body(grouped_lines=groups, **fields))["data"]["id"]
        self.call("invoices.book", 204, id=id_, on=on)
        return id_

    def invoice(self, id_: str) -> dict[str, Any]:
        return self.call("invoices.info", id=id_)["data"]


@pytest.fixture
def fake() -> TeamleaderFake:
    fake = TeamleaderFake(FakeClock(datetime(2026, 3, 1, 8, tzinfo=UTC), rate=0))
    fake.seed({"redirect_uris": [CALLBACK]})
    for account, country in ((BE, "BE"), (NL, "NL")):
        fake.seed(world(account, country))
    return fake


@pytest.fixture
def http(fake: TeamleaderFake) -> Iterator[httpx.Client]:
    with httpx.Client(transport=httpx.WSGITransport(fake), base_url="http://teamleader") as client:
        yield client


@pytest.fixture
def client(http: httpx.Client, fake: TeamleaderFake) -> Client:
    return Client(http, fake)


def amount(money: dict[str, Any]) -> str:
    return f"{Decimal(money['amount']):.2f}"


def lever(http: httpx.Client, name: str, **body: Any) -> Any:
    answer = http.post(f"/_fake/{name}", content=plain_json.dumps(body))
    assert answer.status_code == 200, answer.text
    return answer.json()


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < until, f"it did not happen within {PATIENCE_S} seconds"
        time.sleep(0.01)


# --- OAuth ------------------------------------------------------------------------------------------------------------


def test_a_person_consents_on_a_page_or_refuses(http: httpx.Client, fake: TeamleaderFake):
    query = {"client_id": fake.client_id, "response_type": "code", "redirect_uri": CALLBACK, "state": "s&1"}
    page = http.get("/oauth2/authorize", params=query)
    assert "<form" in page.text
    assert "Ann NL" in page.text
    allowed = http.post("/oauth2/authorize", params=query, data={"decision": "allow", "user": uid(NL, 5)})
    assert allowed.headers["location"].startswith(f"{CALLBACK}?code=def50200")
    assert allowed.headers["location"].endswith("state=s%261")
    denied = http.post("/oauth2/authorize", params=query, data={"decision": "deny", "user": uid(NL, 5)})
    assert parse_qs(urlsplit(denied.headers["location"]).query) == {"error": ["access_denied"], "state": ["s&1"]}


def test_an_unlisted_redirect_uri_and_an_unknown_client_are_refused(http: httpx.Client, fake: TeamleaderFake):
    query = {"client_id": fake.client_id, "response_type": "code", "redirect_uri": CALLBACK, "auto": "1"}
    for wrong in ({"redirect_uri": f"{CALLBACK}/"}, {"client_id": "x"}, {"response_type": "token"}):
        answer = http.get("/oauth2/authorize", params={**query, **wrong})
        assert answer.status_code in (400, 401)
        assert "location" not in answer.headers
    assert http.post("/_fake/seed", json={"redirect_uris": ["http://bridge.example/cb"]}).status_code == 400


def test_a_code_works_once_for_ten_minutes_at_its_own_redirect_uri(client: Client, fake: TeamleaderFake):
    def redeem(code: str, redirect_uri: str = CALLBACK) -> int:
        return client.token(grant_type="authorization_code", code=code, redirect_uri=redirect_uri).status_code

    code = client.authorize(auto="1")["code"]
    assert [redeem(code), redeem(code)] == [200, 400]
    assert redeem(client.authorize(auto="1")["code"], f"{CALLBACK}?x") == 400
    late = client.authorize(auto="1")["code"]
    fake.clock.set(advance_s=601)
    assert redeem(late) == 400


def test_a_refresh_token_works_once_and_the_newest_pair_stays_alive(client: Client):
    old = client.tokens
    answer = client.refresh()
    client.tokens = answer.json()
    assert client.tokens["expires_in"] == 3600
    again = client.refresh(old["refresh_token"])
    assert again.status_code == 400
    assert again.json()["errors"][0]["meta"]["hint"] == "Token has been revoked"
    client.call("users.me")
    assert client.refresh().status_code == 200


def test_a_switch_makes_reuse_of_a_refresh_token_kill_the_family(client: Client, http: httpx.Client):
    lever(http, "switches", refresh_reuse_kills_family=True)
    old = client.tokens
    client.tokens = client.refresh().json()
    client.refresh(old["refresh_token"])
    client.call("users.me", 401)
    assert client.refresh().status_code == 400


def test_tokens_end_after_an_hour_or_when_the_account_uninstalls(client: Client, fake: TeamleaderFake):
    fake.clock.set(advance_s=3600)
    answer = client.http.post("/users.me", headers=client.headers)
    assert (answer.status_code, answer.json()) == (401, {"errors": [{"status": 401, "title": "Unauthorized"}]})
    assert answer.headers["X-RateLimit-Limit"] == "200"
    client.tokens = client.refresh().json()
    client.call("users.me")
    assert len(client.http.get("/_fake/state?only=tokens").json()["tokens"]) == 1
    lever(client.http, "uninstall", tenant=BE)
    client.call("users.me", 401)
    assert client.http.get("/_fake/state?only=tokens").json()["tokens"] == []


def test_the_token_endpoint_knows_clients_apart_and_reads_json(client: Client, fake: TeamleaderFake):
    fake.seed({"clients": [{"client_id": "other", "client_secret": "hush"}]})
    fields = {"grant_type": "refresh_token", "refresh_token": client.tokens["refresh_token"]}
    other = client.http.post("/oauth2/access_token", json={**fields, "client_id": "other", "client_secret": "hush"})
    assert other.json()["errors"][0]["meta"]["hint"] == "Token is not linked to client"
    wrong = client.http.post("/oauth2/access_token", json={**fields, "client_id": "other", "client_secret": "x"})
    assert wrong.status_code == 401


# --- conventions ------------------------------------------------------------------------------------------------------


def test_the_user_is_told_who_they_are_and_of_which_account(client: Client):
    me = client.call("users.me")["data"]
    assert me["account"] == {"type": "account", "id": BE}
    assert me["id"] == uid(BE, 5)


def test_empty_bodies_of_every_kind_are_taken(client: Client):
    for body in (b"", b"{}", b"[]", b" \n"):
        assert client.http.post("/departments.list", content=body, headers=client.headers).status_code == 200
    for body in (b"{", b'"x"', b"[1]", b'{"page": NaN}'):
        assert client.http.post("/departments.list", content=body, headers=client.headers).status_code == 400


def test_lists_come_in_pages_and_count_only_when_asked(client: Client):
    for n in range(25):
        client.call("companies.add", 201, name=f"Firma {n:02d}")
    first = client.call("companies.list")
    assert (len(first["data"]), "meta" in first) == (20, False)
    asked = client.call("companies.list", page={"size": 10, "number": 3}, includes="pagination,custom_fields")
    assert (len(asked["data"]), asked["meta"]) == (6, {"page": {"size": 10, "number": 3}, "matches": 26})
    assert client.call("companies.list", page={"number": 9})["data"] == []
    for page in ({"size": 101}, {"size": 0}, {"number": 0}, {"size": "10"}):
        client.call("companies.list", 400, page=page)
    names = [row["name"] for row in client.call("companies.list", sort=[{"field": "name", "order": "desc"}])["data"]]
    assert names[:2] == ["Firma 24", "Firma 23"]


def test_get_with_brackets_still_works_for_reading_only(client: Client):
    client.call("companies.add", 201, name="Tweede")
    since = "2026-03-01T07:00:00+00:00"
    query = {"page[number]": "2", "page[size]": "1", "filter[updated_since]": since, "filter[ids][]": uid(BE, 50)}
    assert client.http.get("/companies.list", params=query, headers=client.headers).json()["data"] == []
    query |= {"page[number]": "1"}
    (row,) = client.http.get("/companies.list", params=query, headers=client.headers).json()["data"]
    assert row["name"] == "Bakkerij Peeters BV"
    one = client.http.get("/companies.info", params={"id": uid(BE, 50)}, headers=client.headers)
    assert one.json()["data"]["vat_number"] == "BE 0456.789.034"
    assert client.http.get("/companies.delete", params={"id": uid(BE, 50)}, headers=client.headers).status_code == 405


def test_include_brings_along_what_rows_refer_to(client: Client):
    client.issue()
    answer = client.call("invoices.list", include="invoicee.customer,department,nonsense")
    assert [row["id"] for row in answer["included"]["company"]] == [uid(BE, 50)]
    assert [row["id"] for row in answer["included"]["department"]] == [uid(BE, 10)]


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("companies.infos", {}, 404),
        ("companies.info", {}, 400),
        ("companies.info", {"id": "42"}, 400),
        ("companies.info", {"id": uid(BE, 51)}, 404),
        ("contacts.add", {}, 400),
        ("companies.add", {"name": ""}, 400),
        ("companies.add", {"name": "X", "vat_number": 12}, 400),
        ("companies.add", {"name": "X", "language": ""}, 400),
        ("companies.add", {"name": "X", "preferred_currency": "AUD"}, 400),
        ("companies.add", {"name": "X", "emails": [{"type": "invoice", "email": "a@b.example"}]}, 400),
        ("companies.add", {"name": "X", "custom_fields": [{"id": uid(BE, 77), "value": "x"}]}, 400),
        ("companies.update", {"id": uid(BE, 50), "payment_term": {"type": "cash"}}, 400),
        ("companies.list", {"filter": {"updated_since": "2026-03-01"}}, 400),
        ("companies.list", {"filter": {"updated_since": "2026-03-01T08:00:00.123+00:00"}}, 400),
        ("companies.list", {"sort": [{"field": "vat_number"}]}, 400),
        ("invoices.list", {"filter": {"status": "draft"}}, 400),
        ("invoices.list", {"filter": {"status": ["paid"]}}, 400),
        ("customFieldDefinitions.create", {"label": "X", "type": "text", "context": "company"}, 400),
        ("webhooks.register", {"url": "http://far.example/h", "types": ["invoice.booked"]}, 400),
        ("webhooks.register", {"url": "https://far.example/h", "types": ["invoice.merged"]}, 400),
        ("currencies.exchangeRates", {"base": "AUD"}, 400),
    ],
)
def test_what_the_vendor_refuses(client: Client, method: str, body: dict[str, Any], status: int):
    (error,) = client.call(method, status, **body)["errors"]
    assert error["status"] == status
    assert error["title"]
    assert client.http.get("/_fake/journal").json()[-1]["changed"] is False


def test_unknown_filters_are_ignored_unless_the_switch_is_on(client: Client, http: httpx.Client):
    assert len(client.call("companies.list", filter={"external_id": "1"})["data"]) == 1
    lever(http, "switches", strict_filters=True)
    client.call("companies.list", 400, filter={"external_id": "1"})
    assert http.post("/_fake/switches", json={"rounding": "down"}).status_code == 400
    assert http.post("/_fake/switches", json={"unheard": True}).status_code == 400


def test_two_hundred_calls_a_minute_and_the_refused_ones_do_not_count(client: Client, fake: TeamleaderFake):
    for _ in range(100):
        client.call("users.me")
    fake.clock.set(advance_s=30)
    for _ in range(100):
        client.call("users.me")
    for _ in range(3):
        refused = client.http.post("/users.me", headers=client.headers)
        assert refused.status_code == 429
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert refused.headers["X-RateLimit-Reset"] == "2026-03-01T08:01:00+00:00"
    assert refused.headers["X-Api-Version"] == "2023-09-26"
    Client(client.http, fake, NL).call("users.me")
    fake.clock.set(advance_s=30)
    answer = client.http.post("/users.me", headers=client.headers)
    assert (answer.status_code, answer.headers["X-RateLimit-Remaining"]) == (200, "99")
    counters = client.http.get("/_fake/state?only=counters").json()["counters"]
    assert {"client": fake.client_id, "tenant": BE, "used": 101} in counters["rate_limit"]


def test_two_accounts_do_not_see_each_other(client: Client, http: httpx.Client, fake: TeamleaderFake):
    other = Client(http, fake, NL)
    invoice = client.issue()
    assert other.call("invoices.list")["data"] == []
    other.call("invoices.info", 404, id=invoice)
    other.call("companies.update", 404, id=uid(BE, 50), name="Mine now")
    other.call("invoices.draft", 400, **other.draft_body(department_id=uid(BE, 10)))
    customer = {"customer": {"type": "company", "id": uid(BE, 50)}}
    other.call("invoices.draft", 400, **other.draft_body(invoicee=customer))
    assert {row["id"] for row in other.call("companies.list")["data"]} == {uid(NL, 50)}
    assert {row["tenant"] for row in http.get("/_fake/journal").json() if row["path"] == "/invoices.info"} == {NL}


# --- reference data ---------------------------------------------------------------------------------------------------


def test_reference_data_has_the_vendors_shapes(client: Client, fake: TeamleaderFake):
    rates = client.call("taxRates.list", filter={"department_id": uid(BE, 10)}, sort=[{"field": "rate"}])["data"]
    assert [row["rate"] for row in rates] == [Decimal("0.06"), Decimal("0.21")]
    terms = client.call("paymentTerms.list")
    assert terms["meta"] == {"default": terms["data"][0]["id"]}
    ledgers = [{"department": {"type": "department", "id": uid(BE, 10)}, "ledger_account_number": "700000"}]
    fake.seed({"product_categories": [{"tenant": BE, "name": "700000 Verkopen", "ledgers": ledgers}]})
    here = client.call("productCategories.list", filter={"department_id": uid(BE, 10)})["data"]
    assert [row["ledgers"] for row in here] == [ledgers]
    assert client.call("productCategories.list", filter={"department_id": uid(BE, 11)})["data"] == []
    assert set(client.call("departments.list")["data"][0]) == {
        *("id", "name", "vat_number", "currency", "emails", "status")
    }
    assert client.call("departments.info", id=uid(BE, 10))["data"]["address"] == {"country": "BE"}
    for method in ("withholdingTaxRates", "commercialDiscounts", "products", "tags", "unitsOfMeasure"):
        assert client.call(f"{method}.list")["data"] == []
    assert client.call("paymentMethods.list")["data"][0]["status"] == "active"
    dollar = next(row for row in client.call("currencies.exchangeRates", base="EUR")["data"] if row["code"] == "USD")
    assert dollar["exchange_rate"] == Decimal("1.086957")


def test_companies_and_contacts_live_their_life(client: Client):
    field = client.call("customFieldDefinitions.create", 201, label="Extern ID", type="single_line", context="company")
    field_id = field["data"]["id"]
    address = {"line_1": "Kerkstraat 1", "postal_code": None, "city": "Gent", "country": "BE", "addressee": "Ann"}
    made = client.call(
        "companies.add",
        201,
        name="Smid NV",
        addresses=[{"type": "primary", "address": address}],
        tags=["Klant"],
        unknown_key="ignored",
        custom_fields=[{"id": field_id, "value": "100042"}],
    )
    assert made["data"]["type"] == "company"
    id_ = made["data"]["id"]
    client.call("companies.tag", 204, id=id_, tags=["Exact Online Import", "Klant"])
    client.call("companies.untag", 204, id=id_, tags=["Klant"])
    client.call("companies.update", 204, id=id_, custom_fields=[], custom_fields_update_strategy="partial", iban="BE1")
    company = client.call("companies.info", id=id_, includes="related_contacts")["data"]
    assert company["tags"] == ["Exact Online Import"]
    assert company["iban"] == "BE1"
    assert company["addresses"][0]["address"] == {**address, "area_level_two": None}
    assert company["custom_fields"] == [
        {"definition": {"type": "customFieldDefinition", "id": field_id}, "value": "100042"}
    ]
    (row,) = client.call("companies.list", filter={"tags": ["Exact Online Import"]})["data"]
    assert row["primary_address"]["city"] == "Gent"
    assert not {"addresses", "custom_fields", "remarks"} & set(row)
    client.call("companies.update", 204, id=id_, custom_fields=[])
    assert client.call("companies.info", id=id_)["data"]["custom_fields"][0]["value"] is None
    assert [row["tag"] for row in client.call("tags.list")["data"]] == ["Exact Online Import"]

    contact = client.call("contacts.add", 201, first_name="Jan", last_name="Smid")["data"]["id"]
    client.call("contacts.linkToCompany", 204, id=contact, company_id=id_, position="CEO", decision_maker=True)
    client.call("contacts.linkToCompany", 400, id=contact, company_id=id_)
    related = client.call("companies.info", id=id_, includes="related_contacts")["data"]["related_contacts"]
    assert (related[0]["id"], related[0]["position"], related[0]["is_decision_maker"]) == (contact, "CEO", True)
    (listed,) = client.call("contacts.list", filter={"company_id": id_})["data"]
    assert "vat_number" not in listed
    assert "companies" not in listed
    client.call("contacts.unlinkFromCompany", 204, id=contact, company_id=id_)
    client.call("contacts.delete", 204, id=contact)
    client.call("contacts.info", 404, id=contact)
    client.call("companies.delete", 204, id=id_)
    client.issue()
    client.call("companies.delete", 400, id=uid(BE, 50))


# --- documents --------------------------------------------------------------------------------------------------------


def test_a_draft_becomes_an_invoice_with_number_due_date_and_reference(client: Client):
    draft = client.call("invoices.draft", 201, **client.draft_body(invoice_date="2026-02-01"))["data"]["id"]
    row = client.invoice(draft)
    assert (row["status"], row["invoice_number"], row["due_on"]) == ("draft", None, None)
    client.call("invoices.registerPayment", 400, id=draft, **payment("1"))
    client.call("invoices.update", 204, id=draft, note="Dank u", discounts=[{"type": "percentage", "value": 10}])
    client.call("invoices.book", 400, id=draft)
    client.call("invoices.book", 204, id=draft, on="2026-03-03")
    row = client.invoice(draft)
    assert (row["status"], row["invoice_number"], row["due_on"]) == ("outstanding", "2026 / 1", "2026-04-02")
    assert row["payment_reference"] == "+++120/0000/00103+++"
    assert int(row["payment_reference"].strip("+").replace("/", "")[:10]) % 97 == 3
    assert row["invoicee"]["email"] == "info@peeters.example"
    assert amount(row["total"]["tax_exclusive"]) == "90.00"
    client.call("invoices.book", 400, id=draft, on="2026-03-03")
    client.call("invoices.update", 400, id=draft, note="Te laat")


def test_numbers_count_per_entity_and_year_in_date_order(client: Client):
    def number(**fields: Any) -> str:
        return client.invoice(client.issue(**fields))["invoice_number"]

    assert [number(on="2025-12-30"), number(on="2025-12-31"), number(on="2026-01-02")] == [
        *("2025 / 1", "2025 / 2", "2026 / 1")
    ]
    draft = client.call("invoices.draft", 201, **client.draft_body())["data"]["id"]
    client.call("invoices.book", 400, id=draft, on="2025-06-01")
    other = client.line(rate=99)
    assert (
        client.invoice(client.issue(other, on="2025-01-01", department_id=uid(BE, 11)))["invoice_number"] == "2025 / 1"
    )
    listed = [row["invoice_number"] for row in client.call("invoices.list", filter={"status": ["outstanding"]})["data"]]
    assert listed[0] == "2026 / 1"


def test_totals_follow_the_worked_figures_of_the_help_centre(client: Client, http: httpx.Client):
    lines = [client.line(price) for price in ("225", "37.59", "895.15", "282")]
    total = client.invoice(client.issue(*lines))["total"]
    (tax,) = total["taxes"]
    assert (tax["rate"], amount(tax["taxable"]), amount(tax["tax"])) == (Decimal("0.21"), "1439.74", "302.34")
    assert amount(total["payable"]) == amount(total["due"]) == "1742.08"
    lever(http, "switches", rounding="per_rate")
    assert amount(client.invoice(client.issue(*lines))["total"]["taxes"][0]["tax"]) == "302.35"


def test_amounts_are_json_numbers_written_out(client: Client):
    id_ = client.issue(
        client.line("125.50", "3", discount={"type": "percentage", "value": 10}), client.line("40", rate=6)
    )
    text = client.http.post("/invoices.info", json={"id": id_}, headers=client.headers).text
    assert '"tax_exclusive":{"amount":338.85,"currency":"EUR"}' in text
    assert '"payable":{"amount":452.41,"currency":"EUR"}' in text
    assert '"tax_exclusive":{"amount":40.0,"currency":"EUR"}' in text


@pytest.mark.parametrize(
    "wrong",
    [
        {"department_id": uid(BE, 12)},
        {"payment_term": None},
        {"payment_term": {"type": "end_of_month"}},
        {"payment_term": {"type": "after_invoice_date", "days": -1}},
        {"grouped_lines": []},
        {"grouped_lines": [{"line_items": [{"quantity": 1, "description": "x"}]}]},
        {"currency": {"code": "AUD"}},
        {"currency": {"code": "USD", "exchange_rate": Decimal("1E+30")}},
        {"note": ""},
        {"expected_payment_method": {"method": "sepa_direct_debit"}},
        {"invoice_date": "2026-02-30"},
        {"project_id": uid(BE, 1)},
    ],
)
def test_drafts_the_vendor_refuses(client: Client, wrong: dict[str, Any]):
    client.call("invoices.draft", 400, **client.draft_body(**wrong))
    assert client.call("invoices.list")["data"] == []


def test_a_tax_rate_of_another_entity_is_refused(client: Client):
    groups = [{"line_items": [client.line(rate=99)]}]
    client.call("invoices.draft", 400, **client.draft_body(grouped_lines=groups))


def payment(amount: str, paid_at: str = "2026-03-10T09:00:00+00:00", currency: str = "EUR") -> dict[str, Any]:
    return {"payment": {"amount": Decimal(amount), "currency": currency}, "paid_at": paid_at}


def test_payments_in_part_and_in_full_and_taken_back(client: Client, fake: TeamleaderFake):
    id_ = client.issue()
    fake.clock.set(advance_s=5)
    client.call("invoices.registerPayment", 204, id=id_, **payment("60.50"))
    row = client.invoice(id_)
    assert (row["status"], row["paid"], amount(row["total"]["due"])) == ("outstanding", False, "60.50")
    assert row["updated_at"] == "2026-03-01T08:00:05+00:00"
    client.call("invoices.registerPayment", 204, id=id_, **payment("60.5", "2026-03-11T10:00:00+01:00"))
    row = client.invoice(id_)
    assert (row["status"], row["paid"], row["paid_at"]) == ("matched", True, "2026-03-11T09:00:00+00:00")
    assert row["payments"][0] == {
        "paid_at": "2026-03-10T09:00:00+00:00",
        "payment": {"amount": Decimal("60.5"), "currency": "EUR"},
    }
    client.call("invoices.registerPayment", 204, id=id_, **payment("1"))
    assert amount(client.invoice(id_)["total"]["due"]) == "0.00"
    client.call("invoices.removePayments", 204, id=id_)
    row = client.invoice(id_)
    assert (row["status"], row["paid"], row["payments"], amount(row["total"]["due"])) == (
        *("outstanding", False, [], "121.00"),
    )


def test_payments_the_vendor_refuses(client: Client):
    id_ = client.issue()
    client.call("invoices.registerPayment", 400, id=id_, **payment("1", currency="USD"))
    client.call("invoices.registerPayment", 400, id=id_, **payment("1", "2026-03-10"))
    client.call("invoices.registerPayment", 400, id=id_, **payment("0"))
    wrong = payment("1")
    client.call("invoices.registerPayment", 400, id=id_, payment=wrong["payment"], payment_date=wrong["paid_at"])
    assert client.invoice(id_)["payments"] == []


def test_a_person_can_pay_by_hand_and_the_state_tells_who_did(client: Client, http: httpx.Client):
    id_ = client.issue()
    lever(http, "pay", tenant=BE, booking=id_, amount="21.00", date="2026-03-09")
    client.call("invoices.registerPayment", 204, id=id_, **payment("100"))
    payments = plain_json.loads(http.get("/_fake/state?only=payments,open_items").content)
    assert [(row["by"], row["amount"], row["paid_at"][:10]) for row in payments["payments"]] == [
        ("person", Decimal("21.0"), "2026-03-09"),
        ("api", Decimal("100"), "2026-03-10"),
    ]
    assert payments["open_items"] == []
    lever(http, "remove_payments", tenant=BE, booking=id_)
    assert http.get("/_fake/state?only=open_items").json()["open_items"][0]["amount"] == 121
    assert http.post("/_fake/pay", json={"tenant": NL, "booking": id_, "amount": "1"}).status_code == 400


def test_a_whole_credit_settles_its_invoice_without_being_a_payment(client: Client):
    id_ = client.issue()
    note = client.call("invoices.credit", 201, id=id_, credit_note_date="2026-03-05")["data"]
    assert note["type"] == "creditNote"
    row = client.invoice(id_)
    assert (row["status"], row["paid"], amount(row["total"]["due"])) == ("matched", False, "0.00")
    credit = client.call("creditNotes.info", id=note["id"])["data"]
    assert (credit["credit_note_number"], credit["invoice"]["id"]) == ("2026/1", id_)
    assert amount(credit["total"]["payable"]) == "121.00", "credit notes carry positive amounts"
    assert "withheld_tax" not in credit["grouped_lines"][0]["line_items"][0]
    client.call("invoices.credit", 400, id=id_)
    client.call("invoices.delete", 400, id=id_)


def test_a_part_can_be_credited_and_dates_before_are_exclusive(client: Client, http: httpx.Client):
    id_ = client.issue()
    groups = [{"line_items": [client.line("40")]}]
    client.call("invoices.creditPartially", 201, id=id_, credit_note_date="2026-03-05", grouped_lines=groups)
    assert amount(client.invoice(id_)["total"]["due"]) == "72.60"

    def listed(**filters: Any) -> int:
        return len(client.call("creditNotes.list", filter=filters)["data"])

    assert listed(credit_note_date_before="2026-03-05") == 0
    assert listed(credit_note_date_before="2026-03-06", credit_note_date_after="2026-03-05", invoice_id=id_) == 1
    note = client.call("creditNotes.list")["data"][0]
    assert "grouped_lines" not in note
    lever(http, "delete_booking", tenant=BE, booking=note["id"])
    assert amount(client.invoice(id_)["total"]["due"]) == "121.00"


def test_with_the_switch_off_a_credit_note_leaves_due_alone(client: Client, http: httpx.Client):
    lever(http, "switches", credit_reduces_due=False)
    id_ = client.issue()
    client.call("invoices.credit", 201, id=id_)
    assert (client.invoice(id_)["status"], amount(client.invoice(id_)["total"]["due"])) == ("outstanding", "121.00")


def test_only_drafts_and_the_last_invoice_can_be_deleted_which_frees_its_number(client: Client):
    first, last = client.issue(), client.issue()
    client.call("invoices.delete", 400, id=first)
    client.call("invoices.delete", 204, id=last)
    copy = client.call("invoices.copy", 201, id=first)["data"]["id"]
    assert client.invoice(copy)["status"] == "draft"
    client.call("invoices.delete", 204, id=copy)
    assert client.invoice(client.issue())["invoice_number"] == "2026 / 2"


def test_a_booked_invoice_can_be_edited_where_the_account_allows_it(client: Client, http: httpx.Client):
    id_ = client.issue()
    groups = [{"line_items": [client.line("200")]}]
    client.call("invoices.updateBooked", 204, id=id_, grouped_lines=groups)
    lever(http, "edit", tenant=BE, booking=id_, note="Aangepast")
    row = client.invoice(id_)
    assert (row["invoice_number"], amount(row["total"]["due"]), row["note"]) == ("2026 / 1", "242.00", "Aangepast")
    client.call("invoices.updateBooked", 400, id=id_, invoice_date=None)
    lever(http, "switches", edit_booked=False)
    client.call("invoices.updateBooked", 400, id=id_, note="Nee")


def test_downloads_are_temporary_links_that_need_no_token(client: Client, fake: TeamleaderFake):
    id_ = client.issue(client.line("100"), client.line("50", rate=6))
    files = {}
    for format_ in ("pdf", "ubl/peppol_bis_3"):
        link = client.call("invoices.download", id=id_, format=format_)["data"]
        assert link["expires"] == "2026-03-01T08:15:00+00:00"
        files[format_] = client.http.get(link["location"])
    assert files["pdf"].content.startswith(b"%PDF-1.4")
    root = ET.fromstring(files["ubl/peppol_bis_3"].content)
    cbc = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
    assert root.findtext(f"{cbc}ID") == "2026 / 1"
    assert [node.text for node in root.iter(f"{cbc}PayableAmount")] == ["174.00"]
    fake.clock.set(advance_s=901)
    assert client.http.get(link["location"]).status_code == 404
    client.call("invoices.download", 400, id=id_, format="docx")


# --- seeding and the rest of the control API --------------------------------------------------------------------------


def test_an_issued_document_can_be_seeded_with_its_own_number_once(client: Client, http: httpx.Client):
    row = {
        "tenant": BE,
        "department": {"type": "department", "id": uid(BE, 10)},
        "invoicee": {"customer": {"type": "company", "id": uid(BE, 50)}},
        "invoice_number": "2026 / 7",
        "invoice_date": "2026-02-01",
        "payment_term": {"type": "end_of_month", "days": 30},
        "grouped_lines": [{"line_items": [client.line("10")]}],
    }
    id_ = lever(http, "seed", invoices=[row])["invoices"][0]
    assert client.invoice(id_)["due_on"] == "2026-03-31"
    unnumbered = {**row, "invoice_number": None}
    again = http.post("/_fake/seed", content=plain_json.dumps({"invoices": [unnumbered, row]}))
    assert "number in use" in again.json()["error"]
    assert len(client.call("invoices.list")["data"]) == 1, "all or nothing"
    assert client.invoice(client.issue())["invoice_number"] == "2026 / 8"
    assert http.post("/_fake/seed", json={"journals": []}).status_code == 400
    assert http.post("/_fake/seed", json={"companies": [{"name": "X"}]}).status_code == 400, "whose?"


def test_issue_and_credit_by_hand(client: Client, http: httpx.Client):
    made = lever(http, "issue", tenant=BE, **client.draft_body(invoice_date="2026-03-02"))
    assert made["invoice_number"] == "2026 / 1"
    assert lever(http, "credit", tenant=BE, booking=made["id"])["credit_note_number"] == "2026/1"
    refused = http.post("/_fake/issue", json={"tenant": BE})
    assert "invoicee is required" in refused.json()["error"]


def test_a_merged_company_vanishes_and_its_documents_move(client: Client, http: httpx.Client):
    id_ = client.issue()
    survivor = client.call("companies.add", 201, name="Bakkerij Peeters")["data"]["id"]
    lever(http, "delete_company", tenant=BE, company=uid(BE, 50), into=survivor)
    client.call("companies.info", 404, id=uid(BE, 50))
    assert client.invoice(id_)["invoicee"]["customer"]["id"] == survivor


def test_the_state_shows_documents_of_both_kinds_with_their_account(client: Client, http: httpx.Client):
    id_ = client.issue()
    client.call("invoices.credit", 201, id=id_)
    rows = http.get("/_fake/state?only=documents,relations").json()
    assert [(row["kind"], row["tenant"]) for row in rows["documents"]] == [("invoice", BE), ("creditNote", BE)]
    assert {row["tenant"] for row in rows["relations"]} == {BE, NL}
    assert not [key for row in rows["documents"] for key in row if key.startswith("_")]


def test_the_demo_world_can_be_signed_into(http: httpx.Client):
    lever(http, "reset", seed="demo")
    documents = http.get("/_fake/state?only=documents").json()["documents"]
    assert len([row for row in documents if row["status"] != "draft"]) == 200
    fake_users = http.get("/oauth2/authorize", params={"client_id": "nobody"})
    assert fake_users.status_code == 401
    assert http.post("/_fake/reset", json={"seed": "moon"}).status_code == 400


def test_ubl_files_are_loaded_or_refused_with_a_reason(http: httpx.Client):
    files = {"bad.xml": base64.b64encode(b"<Order/>").decode()}
    answer = lever(http, "ubl", files=files)
    assert answer["loaded"] == 0
    assert answer["refused"]["bad.xml"]
    assert http.post("/_fake/ubl", json={"files": {"a.xml": "not base64!"}}).status_code == 400


def test_the_command_line_loads_a_directory_of_ubl(fake: TeamleaderFake, tmp_path: Path, capsys: Any):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "order.xml").write_text("<Order/>")
    with serving({"teamleader": fake}) as urls:
        assert main(["load-ubl", str(tmp_path), "--url", urls["teamleader"]]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["files"], printed["loaded"], list(printed["refused"])) == (1, 0, ["deep/order.xml"])
    assert main(["load-ubl", str(tmp_path / "nothing")]) == 2
    assert main(["load-ubl", str(tmp_path), "--url", urls["teamleader"]]) == 2, "nobody answers there any more"


def test_the_command_line_says_so_when_the_connection_breaks(tmp_path: Path, capsys: Any):
    (tmp_path / "order.xml").write_text("<Order/>")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            with server.accept()[0] as connection:
                while not connection.recv(65536).endswith(b"}}"):
                    pass

        hangs_up = threading.Thread(target=hang_up)
        hangs_up.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert main(["load-ubl", str(tmp_path), "--url", url]) == 2
        hangs_up.join()
    assert f"{url} does not take UBL" in capsys.readouterr().err


# --- faults -----------------------------------------------------------------------------------------------------------


def test_an_invoice_can_be_paid_although_the_answer_got_lost(client: Client, http: httpx.Client):
    id_ = client.issue()
    http.post("/_fake/faults", json=[{"match": {"path": "invoices.registerPayment"}, "do": "commit_then_drop"}])
    with pytest.raises(Dropped):
        client.call("invoices.registerPayment", 204, id=id_, **payment("121"))
    assert client.invoice(id_)["paid"] is True
    lost = [row for row in http.get("/_fake/journal").json() if row["path"] == "/invoices.registerPayment"]
    assert [(row["status"], row["changed"], row["tenant"]) for row in lost] == [(0, True, BE)]


def test_a_stale_read_misses_the_last_change_as_a_whole(client: Client, http: httpx.Client):
    id_ = client.issue()
    client.call("invoices.credit", 201, id=id_)
    http.post("/_fake/faults", json=[{"match": {"path": "list"}, "do": "stale_read", "times": 2}])
    assert client.call("creditNotes.list")["data"] == []
    assert client.call("invoices.list")["data"][0]["status"] == "outstanding"
    assert client.call("invoices.list")["data"][0]["status"] == "matched"


def test_faults_speak_the_vendors_language(client: Client, http: httpx.Client):
    http.post("/_fake/faults", json=[{"do": "rate_limit"}, {"do": {"status": 500}}, {"do": "revoke_token"}])
    for status in (429, 500, 401):
        assert client.call("users.me", status)["errors"][0]["status"] == status
    assert client.refresh().status_code == 400, "the whole chain is dead"


# --- webhooks ---------------------------------------------------------------------------------------------------------


class Receiver:
    """A web server that collects webhooks; it refuses the first `failures` of them."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.failures = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                refused, receiver.failures = receiver.failures > 0, max(0, receiver.failures - 1)
                if not refused:
                    receiver.got.append(body)
                self.send_response(500 if refused else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver(client: Client, http: httpx.Client) -> Iterator[Receiver]:
    receiver = Receiver()
    lever(http, "switches", webhooks_backoff_s=Decimal("0.05"))
    types = ["invoice.booked", "invoice.paymentRegistered", "company.added"]
    client.call("webhooks.register", 204, url=receiver.url, types=types)
    yield receiver
    receiver.close()


def test_a_webhook_is_thin_and_goes_to_its_own_account(client: Client, receiver: Receiver, fake: TeamleaderFake):
    Client(client.http, fake, NL).issue()
    id_ = client.issue()
    eventually(lambda: len(receiver.got) == 1)
    assert receiver.got == [
        {
            "type": "invoice.booked",
            "subject": {"type": "invoice", "id": id_},
            "account": {"type": "account", "id": BE},
        }
    ]


def test_a_webhook_is_tried_again_until_the_receiver_takes_it(client: Client, receiver: Receiver, fake: TeamleaderFake):
    receiver.failures = 2
    client.issue()
    eventually(lambda: len(receiver.got) == 1)
    eventually(lambda: fake.webhooks.pending == 0)
    assert fake.webhooks.counts == {"delivered": 1, "failed": 0, "dropped": 0}


def test_webhooks_can_be_lost_doubled_and_swapped(client: Client, receiver: Receiver, http: httpx.Client):
    lever(http, "switches", webhooks_drop=True)
    client.call("companies.add", 201, name="Weg")
    lever(http, "switches", webhooks_drop=False, webhooks_duplicate=True)
    client.call("companies.add", 201, name="Dubbel")
    eventually(lambda: len(receiver.got) == 2)
    assert receiver.got[0] == receiver.got[1]
    lever(http, "switches", webhooks_duplicate=False, webhooks_reorder=True, webhooks_backoff_s=PATIENCE_S)
    first, second = (client.call("companies.add", 201, name=name)["data"]["id"] for name in "AB")
    eventually(lambda: len(receiver.got) == 4)
    assert [event["subject"]["id"] for event in receiver.got[2:]] == [second, first]
    assert http.get("/_fake/state?only=counters").json()["counters"]["webhooks"]["dropped"] == 1


def test_webhooks_are_listed_and_end_type_by_type(client: Client):
    url = "https://bridge.example/hook"
    client.call("webhooks.register", 204, url=url, types=["invoice.booked"])
    client.call("webhooks.register", 204, url=url, types=["invoice.deleted"])
    assert client.call("webhooks.list")["data"] == [{"url": url, "types": ["invoice.booked", "invoice.deleted"]}]
    client.call("webhooks.unregister", 204, url=url, types=["invoice.booked"])
    assert client.call("webhooks.list")["data"] == [{"url": url, "types": ["invoice.deleted"]}]
    client.call("webhooks.unregister", 204, url=url, types=["invoice.deleted"])
    assert client.call("webhooks.list")["data"] == []
