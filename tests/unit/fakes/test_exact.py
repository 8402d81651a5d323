"""The fake Exact Online refuses what Exact Online refuses, in its words."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from fakes.exact import ExactFake
from fakes.exact.seed import BELGIAN, DUTCH
from fakes.kit.clock import FakeClock

CALLBACK = "https://bridge.example/exact/callback"
PATIENCE_S = 60
"""Of real time, for what happens in the background: a busy machine is slow and not wrong."""


class Visitor:
    """One user's connection to the fake, and the control API."""

    def __init__(self, fake: ExactFake, user: str) -> None:
        self.fake, self.user = fake, user
        self.http = httpx.Client(transport=httpx.WSGITransport(app=fake), base_url="http://exact.test")
        self.division = {"be": BELGIAN, "nl": DUTCH}[user]
        self.access = self.refresh = ""

    def code(self, **more: str) -> str:
        asked = {"client_id": self.fake.client_id, "redirect_uri": CALLBACK, "response_type": "code", "state": "s 1"}
        answer = self.http.get("/api/oauth2/auth", params={**asked, "auto": "1", "user": self.user, **more})
        assert answer.status_code == 302
        back = parse_qs(urlsplit(answer.headers["location"]).query)
        assert back["state"] == ["s 1"]
        return back["code"][0]

    def token(self, **form: str) -> httpx.Response:
        client = {"client_id": self.fake.client_id, "client_secret": self.fake.client_secret}
        return self.http.post("/api/oauth2/token", data={**client, **form})

    def exchange(self, code: str, redirect_uri: str = CALLBACK) -> httpx.Response:
        return self.token(grant_type="authorization_code", code=code, redirect_uri=redirect_uri)

    def log_in(self) -> "Visitor":
        self._keep(self.exchange(self.code()))
        return self

    def renew(self, refresh: str | None = None) -> httpx.Response:
        answer = self.token(grant_type="refresh_token", refresh_token=refresh or self.refresh)
        if answer.status_code == 200:
            self._keep(answer)
        return answer

    def _keep(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, answer.text
        self.access, self.refresh = answer.json()["access_token"], answer.json()["refresh_token"]

    def call(self, method: str, path: str, body=None, *, division=None, headers=None, **options) -> httpx.Response:
        where = f"/api/v1/{division or self.division}/{path}"
        sent = {"Authorization": f"Bearer {self.access}", "Accept": "application/json", **(headers or {})}
        return self.http.request(method, where, json=body, headers=sent, params=options or None)

    def get(self, path: str, **options) -> httpx.Response:
        return self.call("GET", path, **{f"${name}": value for name, value in options.items()})

    def rows(self, path: str, **options) -> list[dict]:
        answer = self.get(path, **options)
        assert answer.status_code == 200, answer.text
        found = answer.json()["d"]
        return found if isinstance(found, list) else found["results"]

    def one(self, path: str, text: str) -> dict:
        (row,) = self.rows(path, filter=text)
        return row

    def lever(self, name: str, **body) -> dict:
        answer = self.http.post(f"/_fake/{name}", json={"tenant": self.division, **body})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def switch(self, **switches) -> None:
        assert self.http.post("/_fake/switches", json=switches).status_code == 200

    def customer(self) -> str:
        return self.one("crm/Accounts", "Code eq '              1001'")["ID"]

    def account(self, code: str) -> str:
        return self.one("financial/GLAccounts", f"Code eq '{code}'")["ID"]

    def entry(self, *amounts: float, **header) -> dict:
        """A sales entry as a client posts it: lines of the standard rate."""
        account, code = (self.account("700000"), "21E") if self.user == "be" else (self.account("8000"), "2")
        lines = [{"GLAccount": account, "AmountFC": amount, "VATCode": code} for amount in amounts or (1000,)]
        plain = {"Customer": self.customer(), "Journal": "70", "EntryDate": "2026-03-31", "YourRef": "2026/117"}
        return {**plain, "SalesEntryLines": lines, **header}

    def book(self, *amounts: float, **header) -> dict:
        answer = self.call(
            "POST",
            "salesentry/SalesEntries",
            self.entry(*amounts, **header),
            headers={"Prefer": "return=representation"},
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["d"]

    def terms(self, entry_id: str) -> list[dict]:
        text = f"TransactionEntryID eq guid'{entry_id}'"
        return self.rows("cashflow/Receivables", select="*", filter=text)


@pytest.fixture
def fake():
    made = ExactFake(FakeClock(datetime(2026, 4, 1, 10, tzinfo=UTC), rate=0), seed="demo")
    made.redirect_uris.append(CALLBACK)
    made.state.switches.minute_limit = 1000
    return made


@pytest.fixture
def be(fake):
    return Visitor(fake, "be").log_in()


@pytest.fixture
def nl(fake):
    return Visitor(fake, "nl").log_in()


def message(answer: httpx.Response) -> str:
    error = answer.json()["error"]
    assert (error["code"], error["message"]["lang"]) == ("", "")
    return error["message"]["value"]


# --- signing in ---


def test_a_code_works_once_and_for_three_minutes(fake):
    visitor = Visitor(fake, "be")
    code = visitor.code()
    assert "!" in code
    first = visitor.exchange(code)
    assert first.json()["expires_in"] == "600"
    assert first.json()["token_type"] == "bearer"
    assert visitor.exchange(code).status_code == 400
    late = visitor.code()
    fake.clock.set(advance_s=180)
    assert visitor.exchange(late).json() == {"error": "invalid_grant"}
    assert visitor.exchange(visitor.code(), redirect_uri=CALLBACK + "/").status_code == 400


def test_a_redirect_uri_must_be_the_registered_one(fake):
    visitor = Visitor(fake, "be")
    asked = {"client_id": fake.client_id, "redirect_uri": CALLBACK + "?x", "response_type": "code", "auto": "1"}
    assert visitor.http.get("/api/oauth2/auth", params=asked).status_code == 400
    denied = visitor.http.post(
        "/api/oauth2/auth", params={**asked, "redirect_uri": CALLBACK, "auto": "0"}, data={"decision": "deny"}
    )
    assert "error=access_denied" in denied.headers["location"]


def test_client_may_authenticate_by_basic_but_not_by_bearer(fake):
    visitor = Visitor(fake, "be")
    form = {"grant_type": "authorization_code", "code": visitor.code(), "redirect_uri": CALLBACK}
    assert visitor.http.post("/api/oauth2/token", data=form, headers={"Authorization": "Bearer x"}).status_code == 401
    wrong = visitor.http.post("/api/oauth2/token", data=form, auth=(fake.client_id, "nonsense"))
    assert (wrong.status_code, wrong.json()) == (400, {"error": "invalid_request"})
    right = visitor.http.post("/api/oauth2/token", data=form, auth=(fake.client_id, fake.client_secret))
    assert right.status_code == 200


def test_refreshing_too_early_is_an_error_of_its_own(fake, be):
    fake.clock.set(advance_s=569)
    early = be.renew()
    assert early.status_code == 400
    assert early.json()["error"] == "access_denied"
    assert early.json()["error_description"] == "Rate limit exceeded: access_token not expired"
    assert early.headers["Reason"] == "TooEarlyToRefreshTokens: Rate limit exceeded: access_token not expired"
    fake.clock.set(advance_s=1)
    assert be.renew().status_code == 200


def test_a_refresh_token_works_once(fake, be):
    old = be.refresh
    fake.clock.set(advance_s=570)
    assert be.renew().status_code == 200
    assert be.refresh != old
    again = be.renew(old)
    assert again.status_code == 401
    assert again.json() == {"error": "unauthorized_client", "error_description": "Old refresh token used."}
    unknown = be.renew("nonsense")
    assert (unknown.status_code, unknown.json()["error"]) == (400, "invalid_grant")


def test_with_grace_an_old_refresh_token_lives_until_the_new_pair_is_used(fake, be):
    be.switch(refresh_grace="until_new_used")
    old = be.refresh
    fake.clock.set(advance_s=570)
    be.renew()
    fake.clock.set(advance_s=570)
    assert be.renew(old).status_code == 200
    be.http.get("/api/v1/current/Me", headers={"Authorization": f"Bearer {be.access}"})
    assert be.renew(old).status_code == 401


def test_a_refresh_token_ends_after_thirty_days(fake, be):
    fake.clock.set(advance_s=30 * 86400)
    late = be.renew()
    assert late.status_code == 400
    expected = "The refresh token expired at 5/1/2026 10:00:00 AM and it is now 5/1/2026 10:00:00 AM."
    assert late.json() == {"error": "invalid_request", "error_description": expected}


def test_two_hundred_token_calls_a_day(fake, be):
    be.switch(token_day_limit=2)
    fake.clock.set(advance_s=600)
    assert be.renew().status_code == 200
    fake.clock.set(advance_s=600)
    assert be.renew().status_code == 429
    fake.clock.set(advance_s=86400)
    assert be.renew().status_code == 200


def test_an_access_token_ends_after_ten_minutes_with_an_empty_401(fake, be):
    fake.clock.set(advance_s=600)
    late = be.get("crm/Accounts", select="ID")
    assert (late.status_code, late.content) == (401, b"")


def test_a_new_consent_of_the_same_user_kills_the_old_chain(fake, be):
    other = Visitor(fake, "be").log_in()
    assert be.get("crm/Accounts", select="ID").status_code == 401
    assert be.renew().json()["error"] == "invalid_grant"
    assert other.get("crm/Accounts", select="ID").status_code == 200


# --- who may see what ---


def test_me_lives_under_the_word_current(be):
    headers = {"Authorization": f"Bearer {be.access}", "Accept": "application/json"}
    answer = be.http.get("/API/V1/Current/me?$select=CurrentDivision,UserName", headers=headers)
    (row,) = answer.json()["d"]["results"]
    assert (row["CurrentDivision"], row["UserName"]) == (BELGIAN, "be")
    assert row["__metadata"]["type"] == "Exact.Web.Api.System.Me"
    assert "X-RateLimit-Limit" not in answer.headers


def test_a_foreign_division_is_forbidden(be):
    answer = be.call("GET", "crm/Accounts", division=DUTCH)
    assert (answer.status_code, message(answer)) == (403, "Forbidden")
    be.switch(division_scope=[DUTCH])
    outside = be.get("system/Divisions")
    assert (outside.status_code, message(outside)) == (403, "Forbidden - User division is not within division scope")


def test_missing_rights_show_an_empty_list(be):
    be.switch(rights_missing=["crm/Accounts"])
    assert be.rows("crm/Accounts", select="ID") == []


def test_unknown_paths_and_undocumented_verbs(be):
    assert be.get("crm/Nothing").status_code == 404
    assert be.call("DELETE", "financial/FinancialPeriods").status_code == 405
    assert (
        be.call("PUT", f"documents/DocumentAttachments(guid'{'0' * 8}-0000-4000-8000-{'0' * 12}')", {}).status_code
        == 405
    )
    assert be.get(f"crm/Accounts(guid'{'0' * 8}-0000-4000-8000-{'0' * 12}')").status_code == 404


# --- shapes ---


def test_a_collection_has_results_but_a_plain_list_with_top(be):
    assert "results" in be.get("crm/Accounts", select="ID").json()["d"]
    assert isinstance(be.get("crm/Accounts", select="ID", top=3).json()["d"], list)
    counted = be.get("crm/Accounts", select="ID", top=3, inlinecount="allpages").json()["d"]
    assert (len(counted["results"]), counted["__count"]) == (3, "13")
    assert be.get("crm/Accounts/$count").text == "13"


def test_pages_of_sixty_follow_the_next_link(be):
    more = [{"tenant": BELGIAN, "Name": f"Klant {n}", "Status": "C"} for n in range(120)]
    be.http.post("/_fake/seed", json={"accounts": more})
    page = be.get("CRM/accounts", select="ID,Name", filter="Status eq 'C'").json()["d"]
    seen = [row["ID"] for row in page["results"]]
    while "__next" in page:
        assert len(page["results"]) == 60
        assert page["__next"].startswith("http://exact.test/api/v1/")
        headers = {"Authorization": f"Bearer {be.access}", "Accept": "application/json"}
        page = be.http.get(page["__next"], headers=headers).json()["d"]
        assert set(page["results"][0]) == {"__metadata", "ID", "Name"}
        seen += [row["ID"] for row in page["results"]]
    assert len(seen) == len(set(seen)) == 133
    by_name = be.get("crm/Accounts", select="Name", orderby="Name desc", top=130).json()["d"]
    following = be.http.get(by_name["__next"], headers=headers).json()["d"]
    names = [row["Name"] for row in by_name["results"] + following["results"]]
    assert names == sorted(names, reverse=True)
    assert len(names) == 120
    last = be.http.get(following["__next"], headers=headers).json()["d"]
    assert len(last) == 10


def test_types_arrive_as_exact_sends_them(be):
    entry = be.book(100.25)
    assert (entry["AmountFC"], entry["Status"]) == (121.3, 50)
    assert entry["EntryDate"] == "/Date(1774915200000)/"
    line = be.rows("salesentry/SalesEntryLines", filter=f"EntryID eq guid'{entry['EntryID']}'")[0]
    assert line["VATCode"] == "21E"
    account = be.one("crm/Accounts", "trim(Code) eq '1001'")
    assert (account["Code"], account["Country"]) == ("              1001", "BE ")
    assert account["BankAccounts"]["__deferred"]["uri"].endswith("/BankAccounts")
    assert be.one("system/Divisions", f"Code eq {BELGIAN}")["Hid"] == "1"
    assert isinstance(be.rows("sync/CRM/Accounts", select="Timestamp", filter="Timestamp gt 1L")[0]["Timestamp"], str)
    assert be.one("vat/VATCodes", "Code eq '21E'")["Percentage"] == 0.21


def test_children_are_deferred_reachable_and_expandable(be):
    entry = be.book(10, 20)
    path = f"salesentry/SalesEntries(guid'{entry['EntryID']}')"
    assert entry["SalesEntryLines"]["__deferred"]["uri"] == f"http://exact.test/api/v1/{BELGIAN}/{path}/SalesEntryLines"
    assert {row["AmountFC"] for row in be.rows(f"{path}/SalesEntryLines")} == {10, 20}  # by key, not by number
    shown = be.get(path, expand="SalesEntryLines", select="EntryID,SalesEntryLines/AmountFC").json()["d"]
    assert [row["AmountFC"] for row in shown["SalesEntryLines"]["results"]] == [10, 20]
    assert "SalesEntryLines" not in be.get(path, select="EntryID").json()["d"]


def test_without_a_json_accept_header_comes_atom(be):
    answer = be.call("GET", "crm/Accounts", headers={"Accept": "*/*"})
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    assert b"<d:Name>Korenmolen Bakkerij BV</d:Name>" in answer.content


def test_receivables_insist_on_a_select(be):
    answer = be.get("cashflow/Receivables")
    assert answer.status_code == 400
    assert message(answer) == "Please add a $select or a $top=1 statement to the query string."
    be.switch(mandatory_filter=["crm/Accounts"])
    assert message(be.get("crm/Accounts", filter="Website eq null")).startswith("This endpoint has mandatory filtering")
    assert be.get("crm/Accounts", filter="Name eq 'x'").status_code == 200


# --- booking ---


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ([], "Error processing request stream. The request should be a valid top-level resource object."),
        (
            {"Foo": 1},
            "Error processing request stream. The property name 'Foo' specified for type "
            "'Exact.Web.Api.Models.SalesEntry' is not valid.",
        ),
        (
            {"Journal": 70},
            "Error processing request stream. Error encountered in converting the value from request payload for "
            "property 'Journal' to type 'String'",
        ),
        (
            {"EntryDate": "31-03-2026"},
            "Error processing request stream. Error encountered in converting the value from request payload for "
            "property 'EntryDate' to type 'DateTime'",
        ),
    ],
)
def test_a_malformed_post_is_a_400(be, body, text):
    answer = be.call("POST", "salesentry/SalesEntries", body)
    assert (answer.status_code, message(answer)) == (400, text)


def test_business_refusals_are_500_in_the_users_language_and_in_order(be, fake):
    def refusal(**changes) -> str:
        answer = be.call("POST", "salesentry/SalesEntries", {**be.entry(), **changes})
        assert answer.status_code == 500, answer.text
        return message(answer)

    bad_account = be.entry()["SalesEntryLines"][0] | {"GLAccount": be.account("400000")}
    suspect = be.one("crm/Accounts", "trim(Code) eq '1002'")["ID"]
    be.call("PUT", f"crm/Accounts(guid'{suspect}')", {"Status": "S"})
    assert refusal(Journal=None, Customer=None) == "Verplicht: Dagboek\r\nVerplicht: Klant"
    assert refusal(Journal="99", Customer=suspect) == "Ongeldige referentie: Journals"
    assert refusal(Customer=suspect, Journal="12") == "Ongeldig: Klant (Type)"
    assert refusal(Journal="12", SalesEntryLines=[bad_account]) == "Ongeldig: Dagboek"
    assert refusal(SalesEntryLines=[bad_account], EntryDate="2024-01-01") == "Ongeldig: Grootboekrekeningtype"
    purchase = be.entry()["SalesEntryLines"][0] | {"VATCode": "A21"}
    assert refusal(SalesEntryLines=[purchase], EntryDate="2024-01-01") == "Niet toegestaan: Btw-code"
    assert refusal(EntryDate="2024-01-01") == "Onbekend: Boekjaar (Periode-datumtabel)"
    assert refusal(EntryDate="2025-01-15", EntryNumber=25700001) == "Periode is afgesloten: 2025 - 1"
    assert refusal(PaymentCondition="zz") == "Ongeldige referentie: Betalingsconditie"
    assert refusal(Customer="no guid") == "Niet herkende GUID-indeling."
    foreign = fake.state.divisions[DUTCH]["Accounts"].first("Code", "              1001")["ID"]
    assert refusal(Customer=foreign) == "Wrong Division"
    fake.state.users["be"]["LanguageCode"] = "EN-US"
    assert refusal(Journal=None, Customer=None) == "Mandatory: Journal\r\nMandatory: Customer"
    assert len(be.rows("salesentry/SalesEntries", select="EntryID")) == 1


def test_numbers_follow_year_and_journal_and_a_taken_one_is_refused(be):
    first, second = be.book(), be.book()
    assert (first["EntryNumber"], second["EntryNumber"]) == (26700001, 26700002)
    taken = be.call("POST", "salesentry/SalesEntries", be.entry(EntryNumber=26700001))
    assert (taken.status_code, message(taken)) == (500, "In gebruik: Boekstuknummer")
    assert be.book(InvoiceNumber=5001)["EntryNumber"] == 5001
    be.switch(number_policy="replace")
    assert be.book(EntryNumber=26700001)["EntryNumber"] == 26700003


def test_without_prefer_only_what_was_posted_comes_back(be):
    answer = be.call("POST", "salesentry/SalesEntries", be.entry(AmountDC=99))
    row = answer.json()["d"]
    assert answer.headers["Location"] == row["__metadata"]["uri"]
    assert (row["EntryNumber"], row["YourRef"], row["AmountFC"], row["DueDate"]) == (26700001, "2026/117", None, None)
    assert be.get(f"salesentry/SalesEntries(guid'{row['EntryID']}')").json()["d"]["AmountDC"] == 1210


def test_sent_vat_is_taken_within_a_cent_per_line(be):
    def lines(*vat):
        plain = be.entry(10.01, 10.01)["SalesEntryLines"]
        return [line | {"VATAmountFC": amount} for line, amount in zip(plain, vat, strict=True)]

    entry = be.book(SalesEntryLines=lines(2.11, 2.10))
    assert (entry["AmountFC"], entry["VATAmountFC"]) == (24.23, 4.21)
    off = be.call("POST", "salesentry/SalesEntries", be.entry(SalesEntryLines=lines(2.20, 2.10)))
    assert (off.status_code, message(off)) == (500, "Ongeldig: Btw-bedrag")
    assert be.book(10.01, 10.01, VATAmountFC=4.22)["AmountFC"] == 24.24
    assert be.call("POST", "salesentry/SalesEntries", be.entry(10.01, VATAmountFC=2.2)).status_code == 500
    without = [be.entry(10)["SalesEntryLines"][0] | {"VATCode": "0E"}]
    assert (
        be.call("POST", "salesentry/SalesEntries", be.entry(VATAmountFC=0.01, SalesEntryLines=without)).status_code
        == 500
    )


def test_an_inclusive_code_reads_the_amount_as_gross(be):
    line = be.entry()["SalesEntryLines"][0] | {"VATCode": "21I", "AmountFC": "121"}
    entry = be.book(SalesEntryLines=[line])
    assert (entry["AmountFC"], entry["VATAmountFC"]) == (121, 21)


def test_due_date_comes_from_the_condition_or_is_taken_as_sent(be):
    assert be.book()["DueDate"] == "/Date(1777507200000)/"  # 30 April
    assert be.book(PaymentCondition="EM")["DueDate"] == "/Date(1777507200000)/"  # end of next month
    assert be.book(DueDate="2026-04-02")["DueDate"] == "/Date(1775088000000)/"
    assert be.book(EntryDate="2026-04-01T00:00:00+02:00")["EntryDate"] == "/Date(1774915200000)/"  # the day before


def test_credit_notes_keep_their_sign_unless_switched(be):
    credit = be.book(-200)
    assert (credit["Type"], credit["AmountFC"]) == (21, -242)
    assert be.book(200, Type=21)["AmountFC"] == 242
    be.switch(credit_sign="auto_negate")
    negated = be.book(200, Type=21)
    assert (negated["Type"], negated["AmountFC"], negated["VATAmountFC"]) == (21, -242, -42)


def test_every_entry_balances_in_the_ledger(be):
    lines = be.entry(100, 200)["SalesEntryLines"] + [be.entry(-10.55)["SalesEntryLines"][0] | {"VATCode": "6E"}]
    entry = be.book(SalesEntryLines=lines)
    rows = be.rows("financialtransaction/TransactionLines", filter=f"EntryID eq guid'{entry['EntryID']}'")
    rows.sort(key=lambda row: row["LineNumber"])
    assert sum(Decimal(str(row["AmountDC"])) for row in rows) == 0
    assert (rows[0]["LineNumber"], rows[0]["GLAccountCode"]) == (0, "400000")
    assert rows[0]["AmountDC"] == entry["AmountFC"] == 351.82
    assert sum(row["GLAccountCode"] == "451000" for row in rows) == 2


def test_open_entries_can_change_and_processed_ones_cannot(nl, be):
    done = be.book()
    path = f"salesentry/SalesEntries(guid'{done['EntryID']}')"
    assert message(be.call("PUT", path, {"Description": "x"})) == "Reeds verwerkt"
    open_ = nl.book(100)
    path = f"salesentry/SalesEntries(guid'{open_['EntryID']}')"
    assert open_["Status"] == 20
    assert nl.terms(open_["EntryID"]) == []
    assert nl.call("PUT", path, {"Description": "nieuw", "AmountFC": 5}).status_code == 204
    changed = nl.get(path).json()["d"]
    assert (changed["Description"], changed["AmountFC"], changed["EntryNumber"]) == ("nieuw", 121, open_["EntryNumber"])
    nested = nl.call("PUT", path, {"SalesEntryLines": nl.entry()["SalesEntryLines"]})
    assert nested.status_code == 400
    assert message(nested).startswith("Error processing request stream. Binding to new entities is not supported")
    extra = nl.entry(50)["SalesEntryLines"][0] | {"EntryID": open_["EntryID"]}
    added = nl.call("POST", "salesentry/SalesEntryLines", extra)
    assert added.status_code == 201
    assert nl.get(path).json()["d"]["AmountFC"] == 181.5
    for line in nl.rows(f"{path}/SalesEntryLines"):
        assert nl.call("DELETE", f"salesentry/SalesEntryLines(guid'{line['ID']}')").status_code == 204
    assert nl.get(path).status_code == 404
    nl.lever("process", booking=nl.book()["EntryID"])
    assert len(nl.rows("read/financial/ReceivablesList")) == 2


def test_closing_and_opening_a_period(be):
    be.lever("close_period", year=2026, period=3, journal="70")
    refused = be.call("POST", "salesentry/SalesEntries", be.entry())
    assert message(refused) == "Periode is afgesloten: 2026 - 3"
    status = be.one("read/financial/JournalStatusList", "Journal eq '70' and Year eq 2026 and Period eq 3")
    assert status["Status"] == 1
    assert be.book(Journal="71")["ReportingPeriod"] == 3
    be.lever("open_period", year=2026, period=3, journal="70")
    be.book()


def test_accounts_get_a_code_and_refuse_bad_values(be):
    made = be.call(
        "POST", "crm/Accounts", {"Name": "Nieuw BV", "Status": "C"}, headers={"Prefer": "return=representation"}
    )
    row = made.json()["d"]
    assert (made.status_code, row["Code"], row["Country"]) == (201, "             10000", "BE ")
    assert message(be.call("POST", "crm/Accounts", {"Status": "C"})) == "Verplicht: Naam"
    assert message(be.call("POST", "crm/Accounts", {"Name": "X", "Email": "geen"})) == "Ongeldig: E-mail []"
    assert message(be.call("POST", "crm/Accounts", {"Name": "X", "Code": "1001"})) == "Bestaat reeds: Code"
    key = be.customer()
    be.book()
    assert be.call("DELETE", f"crm/Accounts(guid'{key}')").status_code == 500
    assert be.call("DELETE", f"crm/Accounts(guid'{row['ID']}')").status_code == 204
    deleted = be.rows("sync/Deleted", filter="Timestamp gt 1L and EntityType eq 2", select="EntityKey,EntityType")
    assert [r["EntityKey"] for r in deleted] == [row["ID"]]
    be.switch(deleted_right=False)
    assert be.rows("sync/Deleted", filter="Timestamp gt 1L") == []


def test_a_document_with_its_file_goes_before_the_entry(be):
    document = be.call("POST", "documents/Documents", {"Subject": "Factuur 117", "Type": 10}).json()["d"]["ID"]
    wrong = be.call("POST", "documents/Documents", {"Subject": "x", "Type": 183})
    assert message(wrong) == "Document Type not allowed"
    content = base64.b64encode(b"%PDF-1.7 ...").decode()
    file = {"Document": document, "FileName": "117.pdf", "Attachment": content}
    made = be.call("POST", "documents/DocumentAttachments", file, headers={"Prefer": "return=representation"}).json()[
        "d"
    ]
    assert (made["FileSize"], made["Attachment"]) == (12, None)
    headers = {"Authorization": f"Bearer {be.access}"}
    assert be.http.get(made["Url"] + "&Download=1", headers=headers).content == b"%PDF-1.7 ..."
    bad = be.call("POST", "documents/DocumentAttachments", file | {"Attachment": "%%%"})
    assert message(bad).endswith("property 'Attachment' to type 'Byte[]'")
    assert be.book(Document=document)["DocumentSubject"] == "Factuur 117"


# --- paid or not ---


def test_signs_of_open_items(be):
    invoice, credit = be.book(1000), be.book(-200)
    (term,), (credit_term,) = be.terms(invoice["EntryID"]), be.terms(credit["EntryID"])
    assert (term["AmountDC"], term["TransactionAmountDC"], term["Status"]) == (-1210, 1210, 20)
    assert (credit_term["AmountDC"], credit_term["TransactionAmountDC"]) == (242, -242)
    listed = {row["EntryNumber"]: row["Amount"] for row in be.rows("read/financial/ReceivablesList")}
    assert listed[invoice["EntryNumber"]] == 1210
    assert listed[credit["EntryNumber"]] == -242
    (header,) = be.rows(
        "financialtransaction/TransactionLines", filter=f"EntryID eq guid'{credit['EntryID']}' and LineNumber eq 0"
    )
    assert header["AmountDC"] == -242


def test_a_part_payment_splits_the_term(be):
    entry = be.book(1000)
    (before,) = be.terms(entry["EntryID"])
    newest = max(
        int(r["Timestamp"]) for r in be.rows("sync/Cashflow/PaymentTerms", select="Timestamp", filter="Timestamp gt 1L")
    )
    assert (
        be.lever("pay", booking=entry["EntryID"], amount="60.50", date="2026-04-10", kind="bank")["open"] == "1149.50"
    )
    terms = {row["Status"]: row for row in be.terms(entry["EntryID"])}
    assert (terms[50]["AmountDC"], terms[20]["AmountDC"]) == (-60.5, -1149.5)
    assert terms[50]["IsFullyPaid"] is True
    assert terms[50]["LastPaymentDate"] == terms[50]["EndDate"] == "/Date(1775779200000)/"
    assert terms[20]["EndDate"] is None
    assert before["EntryID"] not in (terms[50]["EntryID"], terms[20]["EntryID"])
    changed = be.rows(
        "sync/Cashflow/PaymentTerms", select="ID,Timestamp,LineType,YourRef", filter=f"Timestamp gt {newest}L"
    )
    assert {terms[50]["ID"], terms[20]["ID"]} < {row["ID"] for row in changed}
    assert len(changed) == 3  # the bank's side too, with the invoice's reference
    assert {row["YourRef"] for row in changed} == {"2026/117"}
    stamps = [int(row["Timestamp"]) for row in changed]
    assert stamps == sorted(stamps)
    be.lever("pay", booking=entry["EntryID"], date="2026-04-11")
    assert {row["Status"] for row in be.terms(entry["EntryID"])} == {50}
    assert entry["EntryNumber"] not in {row["EntryNumber"] for row in be.rows("read/financial/ReceivablesList")}
    banks = be.rows("financialtransaction/BankEntryLines")
    assert sorted(row["AmountFC"] for row in banks) == [60.5, 1149.5]


def test_every_settlement_set_adds_up_to_zero(be, fake):
    one, two, credit = be.book(1000), be.book(500), be.book(-200)
    be.lever("pay", booking=one["EntryID"], amount="300")
    be.lever("match", a=credit["EntryID"], b=one["EntryID"])
    be.lever("pay", booking=one["EntryID"], kind="write_off")
    be.lever("pay", booking=two["EntryID"], amount="100", kind="credit_note")
    be.lever("pay", booking=two["EntryID"], amount="600")  # 95 too much
    refunded = be.book(-50)
    be.lever("pay", booking=refunded["EntryID"])
    given_up = be.book(-10)
    be.lever("pay", booking=given_up["EntryID"], kind="write_off")
    assert min(row["AmountFC"] for row in be.rows("financialtransaction/BankEntryLines")) == -60.5
    sets = {}
    for term in fake.state.divisions[BELGIAN]["Terms"]:
        if term["Status"] == 50:
            sets.setdefault(term["EntryID"], []).append(term["AmountDC"])
    assert len(sets) == 7
    assert all(sum(amounts) == 0 for amounts in sets.values())
    ledger = [row["AmountDC"] for row in fake.state.divisions[BELGIAN]["TransactionLines"]]
    assert sum(ledger) == 0
    loose = [row for row in be.rows("read/financial/ReceivablesList") if row["YourRef"] is None]
    assert [row["Amount"] for row in loose] == [-95]


def test_a_match_leaves_no_payment_date_and_can_be_undone(be):
    invoice, credit = be.book(1000), be.book(-200)
    assert be.lever("match", a=invoice["EntryID"], b=credit["EntryID"], amount="100")["matched"] == "100"
    settled = [row for row in be.terms(invoice["EntryID"]) if row["Status"] == 50]
    assert [(row["LastPaymentDate"], row["AmountDC"]) for row in settled] == [(None, -100)]
    assert settled[0]["EndDate"] is not None
    be.lever("unmatch", a=invoice["EntryID"], b=credit["EntryID"])
    for entry, total in ((invoice, -1210), (credit, 242)):
        rows = be.terms(entry["EntryID"])
        assert {(row["Status"], row["EndDate"]) for row in rows} == {(20, None)}
        assert sum(row["AmountDC"] for row in rows) == total


def test_a_write_off_is_a_payment_difference(be):
    entry = be.book(1000)
    be.lever("pay", booking=entry["EntryID"], amount="1209.90")
    be.lever("pay", booking=entry["EntryID"], kind="write_off")
    rows = be.rows("financialtransaction/TransactionLines", filter="Type eq 83")
    assert sorted(row["AmountDC"] for row in rows) == [-0.1, 0.1]
    be.lever("unmatch", a=entry["EntryID"])
    assert be.rows("financialtransaction/TransactionLines", filter="Type eq 83") == []
    gone = be.rows("sync/Deleted", filter="Timestamp gt 1L and EntityType eq 10")
    assert len(gone) == 1


def test_collection_is_neither_open_nor_paid(be):
    entry = be.book(1000)
    be.lever("select_for_collection", booking=entry["EntryID"], sent=True)
    assert be.terms(entry["EntryID"])[0]["Status"] == 40
    (row,) = [r for r in be.rows("read/financial/ReceivablesList") if r["EntryNumber"] == entry["EntryNumber"]]
    assert row["AmountInTransit"] == 1210


def test_a_deleted_booking_leaves_traces_in_sync_deleted(be):
    entry = be.book(1000)
    be.lever("delete_booking", booking=entry["EntryID"])
    assert be.get(f"salesentry/SalesEntries(guid'{entry['EntryID']}')").status_code == 404
    kinds = [row["EntityType"] for row in be.rows("sync/Deleted", filter="Timestamp gt 1L")]
    assert sorted(kinds) == [1, 1, 1, 10]


def test_match_sets_by_xml(be):
    invoice, credit = be.book(1000), be.book(-1000)

    def upload(amount: str) -> str:
        lines = "".join(
            f'<MatchLine finyear="2026" finperiod="3" journal="70" entry="{e["EntryNumber"]}" amountdc="{amount}"/>'
            for e in (invoice, credit)
        )
        account = '<GLAccount code="400000"/><Account code="1001"/>'
        inner = f"<MatchSets><MatchSet>{account}<MatchLines>{lines}</MatchLines></MatchSet></MatchSets>"
        return be.http.post(
            f"/docs/XMLUpload.aspx?Topic=MatchSets&_Division_={BELGIAN}",
            content=f"<eExact>{inner}</eExact>",
            headers={"Authorization": f"Bearer {be.access}", "Content-Type": "application/xml"},
        ).text

    assert "Niet gevonden!" in upload("7")
    assert 'type="2"' in upload("1210")
    assert {row["Status"] for row in be.terms(invoice["EntryID"]) + be.terms(credit["EntryID"])} == {50}


# --- limits ---


def test_a_minute_of_sixty_calls(be):
    be.switch(minute_limit=3)
    for left in ("2", "1", "0"):
        answer = be.get("crm/Accounts", select="ID", top=1)
        assert answer.headers["X-RateLimit-Minutely-Remaining"] == left
        assert answer.headers["X-RateLimit-Reset"] == "1775088000000"
    full = be.get("crm/Accounts", select="ID", top=1)
    assert (full.status_code, full.content) == (429, b"")
    names = {name for name in full.headers if name.startswith("x-ratelimit")}
    assert names == {f"x-ratelimit-minutely-{word}" for word in ("limit", "remaining", "reset")}
    assert full.headers["X-RateLimit-Minutely-Reset"] == "1775037660000"
    be.fake.clock.set(advance_s=60)
    assert be.get("crm/Accounts", select="ID", top=1).status_code == 200


def test_a_day_of_calls_is_per_division(be, nl):
    be.switch(day_limit=2)
    for status in (200, 200, 429):
        assert be.get("vat/VATCodes", select="ID", top=1).status_code == status
    assert nl.get("vat/VATCodes", select="ID", top=1).status_code == 200
    be.fake.clock.set(advance_s=14 * 3600 - 1)
    assert be.log_in().get("vat/VATCodes", top=1).status_code == 429
    be.fake.clock.set(advance_s=1)
    assert be.get("vat/VATCodes", top=1).status_code == 200


def test_eleven_errors_block_an_endpoint_for_an_hour_but_business_refusals_do_not_count(be):
    for _ in range(12):
        assert be.call("POST", "crm/Accounts", {"Status": "C"}).status_code == 500
    for _ in range(11):
        assert be.get("crm/Accounts", filter="nonsense").status_code == 400
    blocked = be.get("crm/Accounts", select="ID", top=1)
    assert blocked.status_code == 429
    assert be.get("vat/VATCodes", top=1).status_code == 200
    be.fake.clock.set(advance_s=3600)
    be.log_in()
    assert be.get("crm/Accounts", top=1).status_code == 200


# --- webhooks, control ---


def test_webhooks_are_tested_signed_and_one_per_topic(be, fake):
    sent: list[tuple[str, bytes]] = []
    fake.outbox.send = lambda url, body: sent.append((url, body)) or 200
    hook = {"CallbackURL": "https://bridge.example/hook", "Topic": "SalesEntries"}
    assert be.call("POST", "webhooks/WebhookSubscriptions", hook).status_code == 201
    fake.outbox.wait(PATIENCE_S)
    assert sent == [("https://bridge.example/hook", b"")]
    assert be.call("POST", "webhooks/WebhookSubscriptions", hook).status_code == 500
    insecure = hook | {"CallbackURL": "http://bridge.example/hook", "Topic": "Accounts"}
    assert be.call("POST", "webhooks/WebhookSubscriptions", insecure).status_code == 500
    entry = be.book()
    fake.outbox.wait(PATIENCE_S)
    (_, body), content = sent[-1], json.loads(sent[-1][1])
    assert len(sent) == 2
    assert (content["Content"]["Action"], content["Content"]["Key"]) == ("Create", entry["EntryID"])
    signed = body[len(b'{"Content":') : body.index(b',"HashCode":')]
    digest = hmac.new(fake.webhook_secret.encode(), signed, hashlib.sha256).hexdigest().upper()
    assert content["HashCode"] == digest


def test_a_webhook_whose_receiver_fails_the_test_is_dropped(be, fake):
    fake.outbox.send = lambda url, body: 404
    be.call("POST", "webhooks/WebhookSubscriptions", {"CallbackURL": "https://x.example/", "Topic": "Accounts"})
    fake.outbox.wait(PATIENCE_S)
    assert be.rows("webhooks/WebhookSubscriptions") == []


def test_the_journal_names_caller_division_and_change(be):
    be.http.delete("/_fake/journal")
    be.get("vat/VATCodes", top=1)
    be.call("POST", "crm/Accounts", {"Name": "Nieuw BV"})
    be.call("POST", "crm/Accounts", {})
    rows = be.http.get("/_fake/journal").json()
    assert [(row["tenant"], row["status"], row["changed"]) for row in rows] == [
        (str(BELGIAN), 200, False),
        (str(BELGIAN), 201, True),
        (str(BELGIAN), 500, False),
    ]
    assert rows[0]["caller"] == f"be@{be.fake.client_id}"


def test_a_stale_read_shows_the_books_before_the_last_change(be):
    text = f"Customer eq guid'{be.customer()}'"
    entry = be.book()
    be.http.post("/_fake/faults", json=[{"match": {"method": "GET"}, "do": "stale_read", "times": 2}])
    assert be.rows("salesentry/SalesEntries", filter=text) == []
    terms = be.rows("sync/Cashflow/PaymentTerms", select="TransactionEntryID", filter="Timestamp gt 1L")
    assert entry["EntryID"] not in {row["TransactionEntryID"] for row in terms}
    assert len(be.rows("salesentry/SalesEntries", filter=text)) == 1
    assert len(be.rows("sync/Cashflow/PaymentTerms", select="ID", filter="Timestamp gt 1L")) == len(terms) + 1


def test_the_state_tells_what_is_in_the_books(be, nl):
    be.book(100, 50)
    state = be.http.get("/_fake/state").json()
    keys = {
        "relations",
        "bookings",
        "open_items",
        "payments",
        "journals",
        "accounts",
        "vat_codes",
        "tokens",
        "counters",
    }
    assert set(state) == keys | {"next_page"}
    booking = state["bookings"][-1] if state["bookings"][-1]["tenant"] == BELGIAN else state["bookings"][1]
    assert (booking["AmountFC"], booking["vat_per_code"], len(booking["lines"])) == (181.5, {"21E": 31.5}, 2)
    assert booking["id"] == booking["EntryID"]
    assert booking["lines"][0]["GLAccountCode"] == "700000"
    assert {row["user"] for row in state["tokens"]} == {"be", "nl"}
    by_hand = {**nl.entry(80), "YourRef": "met de hand"}
    assert nl.lever("book_by_hand", **by_hand)["AmountFC"] == 96.8
    nl.lever("edit_account", account=nl.customer(), City="Elders")
    assert nl.one("crm/Accounts", "trim(Code) eq '1001'")["City"] == "Elders"
    assert nl.http.post("/_fake/pay", json={"tenant": DUTCH, "booking": "nothing"}).status_code == 400


# --- the other records ---


def test_bank_entries_must_close_on_their_lines(be):
    line = {"GLAccount": be.account("400000"), "Account": be.customer(), "AmountFC": 121, "Date": "2026-04-01"}
    entry = {"JournalCode": "12", "OpeningBalanceFC": 100, "ClosingBalanceFC": 221, "BankEntryLines": [line]}
    made = be.call("POST", "financialtransaction/BankEntries", entry).json()["d"]
    path = f"financialtransaction/BankEntries(guid'{made['EntryID']}')"
    off = be.call("POST", "financialtransaction/BankEntries", entry | {"ClosingBalanceFC": 220})
    assert (off.status_code, message(off)[:39]) == (500, "Deze boeking is niet in evenwicht op: 2")
    wrong = be.call("POST", "financialtransaction/BankEntries", entry | {"JournalCode": "70"})
    assert message(wrong) == "Ongeldig: Dagboek"
    added = be.call("POST", "financialtransaction/BankEntryLines", line | {"EntryID": made["EntryID"], "AmountFC": 9})
    assert added.status_code == 201
    assert be.get(path).json()["d"]["ClosingBalanceFC"] == 230
    lines = be.rows("financialtransaction/TransactionLines", filter=f"EntryID eq guid'{made['EntryID']}'")
    assert sorted(row["AmountDC"] for row in lines) == [-121, -9, 130]
    assert be.call("DELETE", path).status_code == 204
    assert be.rows("financialtransaction/TransactionLines", filter=f"EntryID eq guid'{made['EntryID']}'") == []
    paid = be.lever("pay", booking=be.book()["EntryID"])["payment"]
    kept = be.call("DELETE", f"financialtransaction/BankEntries(guid'{paid}')")
    assert (kept.status_code, message(kept)) == (500, "Reeds verwerkt")


def test_contacts_and_bank_accounts_hang_under_an_account(be):
    customer = be.customer()
    person = be.call("POST", "crm/Contacts", {"Account": customer, "LastName": "Voorbeeld"})
    assert person.status_code == 201
    nobody = be.call("POST", "crm/Contacts", {"Account": customer})
    assert message(nobody) == "Verplicht: Achternaam"
    iban = {"Account": customer, "BankAccount": "BE71 0961 2345 6769"}
    assert be.call("POST", "crm/BankAccounts", iban).status_code == 201
    (row,) = be.rows(f"crm/Accounts(guid'{customer}')/BankAccounts")
    assert (row["IBAN"], row["Main"]) == ("BE71096123456769", True)
    main = {"MainContact": person.json()["d"]["ID"]}
    assert be.call("PUT", f"crm/Accounts(guid'{customer}')", main).status_code == 204


def test_receivables_take_only_a_few_changes(be):
    (term,) = be.terms(be.book()["EntryID"])
    path = f"cashflow/Receivables(guid'{term['ID']}')"
    assert be.call("PUT", path, {"Description": "in betwisting", "AmountDC": 1}).status_code == 204
    row = be.get(path).json()["d"]
    assert (row["Description"], row["AmountDC"]) == ("in betwisting", -1210)
    assert be.call("POST", "cashflow/Receivables", {}).status_code == 405


def test_receivables_list_by_account(be):
    be.book()
    query = {"accountId": f"guid'{be.customer()}'"}
    rows = be.call("GET", "read/financial/ReceivablesListByAccount", **query).json()["d"]["results"]
    assert [row["Amount"] for row in rows] == [1210]
    assert isinstance(rows[0]["HID"], str)


def test_a_foreign_invoice_is_settled_in_its_own_currency(be):
    entry = be.book(
        1000, Currency="USD", Rate=0.5, SalesEntryLines=[be.entry()["SalesEntryLines"][0] | {"VATCode": "EXP"}]
    )
    assert (entry["AmountFC"], entry["AmountDC"]) == (1000, 500)
    be.lever("pay", booking=entry["EntryID"], amount="400")
    amounts = {row["Status"]: (row["AmountFC"], row["AmountDC"]) for row in be.terms(entry["EntryID"])}
    assert amounts == {50: (-400, -200), 20: (-600, -300)}
    unknown = be.call("POST", "salesentry/SalesEntries", be.entry(Currency="QQQ"))
    assert message(unknown) == "Ongeldige referentie: Valuta"


def test_switches_turn_what_the_vendor_leaves_unknown(be, fake):
    be.switch(receivable_sign="positive", max_lengths=True)
    assert be.terms(be.book()["EntryID"])[0]["AmountDC"] == 1210
    assert be.rows("read/financial/ReceivablesList", filter="YourRef eq '2026/117'")[0]["Amount"] == 1210
    long = be.call("POST", "salesentry/SalesEntries", be.entry(YourRef="x" * 31))
    assert message(long) == "Te lang: Uw ref."
    be.switch(scopes=["Crm accounts"])
    assert be.get("vat/VATCodes").status_code == 403
    assert be.get("crm/Accounts", top=1).status_code == 200
    assert be.http.post("/_fake/switches", json={"nonsense": 1}).status_code == 400


def test_a_company_whose_payment_terms_are_unknown_needs_one(be, fake):
    books = fake.state.divisions[BELGIAN]
    books["Accounts"].change(be.customer(), PaymentConditionSales=None)
    refused = be.call("POST", "salesentry/SalesEntries", be.entry())
    assert message(refused) == "Verplicht: Betalingsconditie"
    be.book(PaymentCondition="14")


def test_a_reset_keeps_the_client_and_forgets_the_books(be, fake):
    secret, client = fake.client_secret, fake.client_id
    be.book()
    assert be.http.post("/_fake/reset", json={"seed": "demo"}).status_code == 200
    assert (fake.client_id, fake.client_secret) == (client, secret)
    assert be.get("crm/Accounts", top=1).status_code == 401
    assert len(be.log_in().rows("salesentry/SalesEntries", select="EntryID")) == 1
    assert be.http.post("/_fake/reset", json={"seed": "nonsense"}).status_code == 400


def test_a_revoked_grant_is_dead_at_once(be):
    be.http.post("/_fake/faults", json=[{"match": {"method": "GET"}, "do": "revoke_token"}])
    assert be.get("crm/Accounts", top=1).status_code == 401
    be.fake.clock.set(advance_s=600)
    assert be.renew().json()["error"] == "invalid_grant"


def test_a_document_takes_its_files_along(be, fake):
    document = be.call("POST", "documents/Documents", {"Subject": "Factuur", "Type": 10}).json()["d"]["ID"]
    file = {"Document": document, "FileName": "a.pdf", "Attachment": base64.b64encode(b"x").decode()}
    be.call("POST", "documents/DocumentAttachments", file)
    used = be.call("POST", "documents/Documents", {"Subject": "Gebruikt", "Type": 10}).json()["d"]["ID"]
    be.book(Document=used)
    assert message(be.call("DELETE", f"documents/Documents(guid'{used}')")) == "In gebruik: Document"
    assert be.call("DELETE", f"documents/Documents(guid'{document}')").status_code == 204
    assert be.rows("documents/DocumentAttachments") == []
    assert fake.state.divisions[BELGIAN].contents == {}


def test_a_refused_call_leaves_nothing_half_done(be, fake):
    """No ledger account of type 24: the VAT has nowhere to go, and nothing is in the books."""
    books = fake.state.divisions[BELGIAN]
    vat = books["GLAccounts"].first("Code", "451000")
    books["GLAccounts"].change(vat["ID"], Type=90)
    books["VATCodes"].change(books["VATCodes"].first("Code", "21E")["ID"], GLToPay=None)
    before = {name: len(table) for name, table in books.tables.items()}
    version = fake.state.version
    assert be.call("POST", "salesentry/SalesEntries", be.entry()).status_code == 500
    assert {name: len(table) for name, table in books.tables.items()} == before
    assert fake.state.version == version
