"""The fake Octopus refuses what Octopus refuses, in its words."""

import base64
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from fakes.kit import plain_json
from fakes.kit.clock import FakeClock
from fakes.kit.server import Dropped
from fakes.octopus import OctopusFake, demo_seed, errors
from fakes.octopus.seed import MONTHLY, QUARTERLY

CALLBACK = "https://bridge.example/octopus/callback"
ALWAYS = "1980-01-01 00:00:00.000"
Y2025, Y2026, Y2027 = 1, 2, 3
LINE = {"accountKey": 700000, "vatCodeKey": "21"}


class Visitor:
    """A client of one dossier, and the control API."""

    def __init__(self, fake: OctopusFake, dossier: int = MONTHLY, locale: int | None = 3) -> None:
        self.fake, self.dossier, self.locale = fake, dossier, locale
        self.http = httpx.Client(transport=httpx.WSGITransport(app=fake), base_url="http://octopus.test")
        self.token = self.access = ""

    def rest(self, method: str, path: str, **more) -> httpx.Response:
        return self.http.request(method, f"/octopus-rest-api/v1{path}", **more)

    def authenticate(self, password: str | None = None, house: str | None = None) -> httpx.Response:
        return self.rest(
            "POST",
            "/authentication",
            headers={"softwareHouseUuid": house or self.fake.software_house_uuid},
            json={"user": self.fake.user, "password": password or self.fake.password},
        )

    def connect(self, token: str | None = None) -> httpx.Response:
        locale = {} if self.locale is None else {"localeId": self.locale}
        query = {"dossierId": self.dossier, **locale}
        return self.rest("POST", "/dossiers", params=query, headers={"Token": token or self.access})

    def log_in(self) -> "Visitor":
        self.access = self.authenticate().json()["token"]
        self.token = self.connect().json()["Dossiertoken"]
        return self

    def call(self, method: str, path: str, json=None, *, headers=None, **query) -> httpx.Response:
        sent = {"dossierToken": self.token, **(headers or {})}
        return self.rest(method, f"/dossiers/{self.dossier}/{path}", headers=sent, json=json, params=query or None)

    def get(self, path: str, **query):
        answer = self.call("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def since(self, path: str, stamp: str = ALWAYS, **query) -> httpx.Response:
        return self.call("GET", path, modifiedTimeStamp=stamp, **query)

    def lever(self, name: str, **body) -> dict:
        answer = self.http.post(f"/_fake/{name}", json={"tenant": str(self.dossier), **body})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def switch(self, **switches) -> None:
        assert self.http.post("/_fake/switches", json=switches).status_code == 200

    def state(self, section: str) -> list[dict]:
        rows = self.http.get("/_fake/state", params={"only": section}).json()[section]
        return [row for row in rows if row["tenant"] == str(self.dossier)]

    def draft(self, number: int, net: str = "100", vat: str = "21", **header) -> dict:
        """A sales booking as a client posts it: one line at 21 %."""
        gross = float(Decimal(net) + Decimal(vat))
        line = {**LINE, "baseAmount": float(net), "vatAmount": float(vat)}
        usual = {
            "bookyearKey": {"id": Y2026},
            "journalKey": "V1",
            "documentSequenceNr": number,
            "bookyearPeriodeNr": 202603,
            "documentDate": "2026-03-10",
            "expiryDate": "2026-04-09",
            "relationIdentificationServiceData": {"relationKey": {"id": 1}},
            "reference": f"+++000/0000/{number:05d}+++",
            "amount": gross,
            "currencyCode": "EUR",
            "exchangeRate": 1.0,
            "bookingLines": [line],
        }
        return {**usual, **header}

    def post(self, draft: dict, files: dict[str, bytes] | None = None) -> httpx.Response:
        sent = [{"fileName": name, "fileData": base64.b64encode(data).decode()} for name, data in (files or {}).items()]
        return self.call("POST", "buysellbookings", {"buySellBookingServiceData": draft, "attachments": sent})

    def book(self, number: int, net: str = "100", vat: str = "21", **header) -> str:
        """Book, and give the id the control API knows it by."""
        draft = self.draft(number, net, vat, **header)
        answer = self.post(draft)
        assert answer.status_code == 201, answer.text
        return f"{self.dossier}/{draft['bookyearKey']['id']}/{draft['journalKey']}/{number}"

    def open_items(self, years: tuple[int, int] = (Y2025, Y2027), **query) -> httpx.Response:
        asked = {
            "fromBookyearKey": {"id": years[0]},
            "toBookyearKey": {"id": years[1]},
            "relationId": -1,
            "externalRelationId": -1,
        }
        return self.call("POST", "reports/clients/open", {**asked, **query})

    def open_of(self, number: int, journal: str = "V1") -> dict | None:
        rows = [
            row
            for row in self.open_items().json()
            if (row["bookyearKey"]["id"], row["journalKey"], row["documentSequenceNr"]) == (Y2026, journal, number)
        ]
        return rows[0] if rows else None

    def balancings(self) -> list[dict]:
        return self.since("balancings/modified").json()["modifiedBalancings"]


@pytest.fixture
def fake():
    made = OctopusFake(FakeClock(datetime(2026, 4, 1, 10, tzinfo=UTC), rate=0), seed="demo")
    made.redirect_uris.append(CALLBACK)
    return made


@pytest.fixture
def books(fake):
    visitor = Visitor(fake).log_in()
    visitor.switch(quota={"POST reports/clients/open": 1000, "GET relations": 1000})
    return visitor


@pytest.fixture
def quarters(fake):
    return Visitor(fake, QUARTERLY).log_in()


def refusal(answer: httpx.Response) -> tuple[int, int]:
    """Status and code; there is an English text and a technical line as well."""
    body = answer.json()
    assert set(body) == {"errorCode", "errorMessage", "technicalInfo"}
    assert body["errorMessage"] == errors.text_of(body["errorCode"], "en")
    return answer.status_code, body["errorCode"]


def refusal_code(answer: httpx.Response) -> tuple[int, int]:
    """The same where the language is not ours to choose yet."""
    return answer.status_code, answer.json()["errorCode"]


def technical_only(answer: httpx.Response) -> int:
    assert set(answer.json()) == {"technicalInfo"}
    return answer.status_code


# --- log-in and tokens ---


def test_a_log_in_gives_a_token_for_ten_minutes_and_a_dossier_one_of_its_own(fake):
    visitor = Visitor(fake).log_in()
    assert (len(visitor.access), len(visitor.token)) == (225, 257)
    assert [
        row["dossierKey"]["id"] for row in visitor.rest("GET", "/dossiers", headers={"token": visitor.access}).json()
    ] == [
        MONTHLY,
        QUARTERLY,
    ]
    fake.clock.set(advance_s=599)
    visitor.get("bookyears")
    fake.clock.set(advance_s=1)
    assert refusal_code(visitor.call("GET", "bookyears")) == (401, -2)
    assert refusal_code(visitor.connect()) == (401, -2)


def test_failed_log_ins_are_counted_and_shut_the_door(fake):
    visitor = Visitor(fake)
    first = visitor.authenticate(password="wrong")
    assert technical_only(first) == 401
    assert fake.user in first.json()["technicalInfo"]
    for _ in range(4):
        visitor.authenticate(password="wrong")
    assert technical_only(visitor.authenticate()) == 401  # the right password comes too late
    counters = visitor.http.get("/_fake/state?only=counters").json()["counters"]
    assert counters["failed_logins"] == {f"{fake.user} 127.0.0.1": 6}
    fake.clock.set(advance_s=3600)
    assert visitor.authenticate().status_code == 200
    assert technical_only(visitor.authenticate(password="wrong")) == 401


def test_the_software_house_must_say_who_it_is(fake):
    visitor = Visitor(fake)
    nobody = visitor.rest("POST", "/authentication", json={"user": fake.user, "password": fake.password})
    assert refusal_code(nobody) == (401, -68)
    assert technical_only(visitor.authenticate(house="6f0d2c9e-0000-4000-8000-000000000001")) == 401


def test_a_token_in_the_wrong_header_is_an_empty_token(fake):
    visitor = Visitor(fake).log_in()
    answer = visitor.rest("GET", f"/dossiers/{MONTHLY}/bookyears", headers={"Token": visitor.token})
    assert refusal_code(answer) == (401, -79)
    assert (
        visitor.rest("GET", f"/dossiers/{MONTHLY}/bookyears", headers={"DOSSIERTOKEN": visitor.token}).status_code
        == 200
    )


def test_a_token_opens_its_own_dossier_only(books):
    answer = books.rest("GET", f"/dossiers/{QUARTERLY}/bookyears", headers={"dossierToken": books.token})
    assert refusal(answer) == (403, -3)
    counters = books.http.get("/_fake/state?only=counters").json()["counters"]
    (counted,) = counters["calls"][str(QUARTERLY)].values()
    assert counted == {"GET bookyears": 1}  # a refused call counts, except for its token
    assert books.connect(books.token).status_code == 200  # a dossier token connects, by accident
    books.switch(dossier_token_connects=False)
    assert refusal_code(books.connect(books.token)) == (401, -2)


def test_connecting_may_be_forbidden(fake, books):
    assert technical_only(Visitor(fake, 70099).connect(books.access)) == 404
    books.lever("disable_dossier")
    assert refusal_code(books.connect()) == (403, -5)
    assert refusal_code(books.call("GET", "bookyears")) == (403, -5)
    books.lever("disable_dossier", disabled=False)
    assert books.http.post("/_fake/edit_user", json={"user": fake.user, "web_service": False}).status_code == 200
    assert refusal_code(books.connect()) == (403, -3)


def test_a_changed_password_breaks_the_link_at_the_next_log_in(fake, books):
    books.http.post("/_fake/edit_user", json={"user": fake.user, "password": "another"})
    books.get("bookyears")
    assert books.authenticate().status_code == 401
    books.http.post("/_fake/edit_user", json={"user": fake.user, "read_only": True})
    assert technical_only(books.post(books.draft(1))) == 403


def consent(visitor: Visitor, **more: str) -> httpx.Response:
    asked = {
        "response_type": "code",
        "scope": "webservice",
        "client_id": visitor.fake.software_house_uuid,
        "redirect_uri": CALLBACK,
        "state": "s 1",
        "auto": "1",
    }
    return visitor.http.get("/octopus-oauth/authorize", params={**asked, **more})


def code_of(visitor: Visitor) -> str:
    back = parse_qs(urlsplit(consent(visitor).headers["location"]).query)
    assert back["state"] == ["s 1"]
    return back["code"][0]


def oauth_token(visitor: Visitor, **form: str) -> httpx.Response:
    return visitor.http.post("/octopus-oauth/token", data={"client_id": visitor.fake.software_house_uuid, **form})


def test_oauth_takes_the_place_of_the_password(fake):
    visitor = Visitor(fake)
    code = code_of(visitor)
    pair = oauth_token(visitor, grant_type="authorization_code", code=code).json()
    assert (pair["token_type"], pair["expires_in"]) == ("bearer", 600)
    assert visitor.connect(pair["access_token"]).status_code == 200
    again = oauth_token(visitor, grant_type="authorization_code", code=code)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})
    late = code_of(visitor)
    fake.clock.set(advance_s=300)
    assert oauth_token(visitor, grant_type="authorization_code", code=late).status_code == 400
    fake.clock.set(advance_s=300)
    assert visitor.connect(pair["access_token"]).status_code == 401
    fresh = oauth_token(visitor, grant_type="refresh_token", refresh_token=pair["refresh_token"]).json()
    assert fresh["refresh_token"] != pair["refresh_token"]
    assert oauth_token(visitor, grant_type="refresh_token", refresh_token=pair["refresh_token"]).status_code == 400
    visitor.switch(refresh_rotates=False)
    kept = oauth_token(visitor, grant_type="refresh_token", refresh_token=fresh["refresh_token"]).json()
    assert "refresh_token" not in kept
    fake.clock.set(advance_s=60 * 86400)
    assert oauth_token(visitor, grant_type="refresh_token", refresh_token=fresh["refresh_token"]).status_code == 400


def test_the_consent_page_wants_a_registered_address_and_the_right_client(fake):
    visitor = Visitor(fake)
    for wrong in ({"redirect_uri": CALLBACK + "/x"}, {"client_id": "x"}, {"scope": "all"}, {"response_type": "token"}):
        assert consent(visitor, **wrong).status_code == 400
    assert "Octopus" in consent(visitor, auto="0").text
    assert oauth_token(visitor, client_id="x", grant_type="refresh_token").json() == {"error": "invalid_client"}


# --- conventions ---


def test_nothing_found_is_a_404_with_a_technical_line(books):
    for answer in (
        books.since("buysellbookings/modified", bookyearId=Y2026),
        books.since("balancings/modified"),
        books.call("GET", "products"),
        books.call("GET", "relations", name="Niemand"),
        books.call("GET", "rappels", expirationDate="2020-01-01"),
        books.call("GET", "bank/invoices"),
    ):
        assert technical_only(answer) == 404
    assert books.since("journals/modified", "2030-01-01 00:00:00.000").json() == {
        "modifiedJournalServiceDataList": [],
        "deletedJournalList": [],
    }
    books.switch(empty_relations_list=True)
    assert books.get("relations", name="Niemand") == []


def test_a_misspelt_query_parameter_is_a_missing_one(books):
    books.book(1)
    right = {"bookyearId": Y2026, "journalKey": "V1"}
    assert books.get("buysellbookings", **right, documentSeqNr=1)["documentSequenceNr"] == 1
    assert technical_only(books.call("GET", "buysellbookings", **right, documentSequenceNr=1)) == 400
    assert technical_only(books.since("buysellbookings/modified", "01-03-2026 10:00:00.000", bookyearId=-1)) == 400
    assert technical_only(books.since("buysellbookings/modified", "2026-03-01 10:00:00", bookyearId=-1)) == 400


def test_an_unreadable_object_is_a_500_page_without_json(books):
    for wrong in ({"amount": "121"}, {"documentDate": "10-03-2026"}, {"documentSequenceNr": 2**31}):
        answer = books.post(books.draft(1, **wrong))
        assert (answer.status_code, answer.headers["content-type"][:9]) == (500, "text/html")


def test_unknown_members_are_ignored_but_counted(books):
    books.book(1, DocumentType=1)
    counters = books.http.get("/_fake/state?only=counters").json()["counters"]
    assert counters["unknown_members"] == {"POST buysellbookings buySellBookingServiceData.DocumentType": 1}


def test_created_and_updated_have_no_body_at_all(books):
    created, updated = books.post(books.draft(1)), books.call("PUT", "buysellbookings", books.draft(1, comment="beter"))
    assert [created.status_code, updated.status_code] == [201, 204]
    for answer in (created, updated):
        assert answer.content == b""
        assert "content-type" not in answer.headers
    assert created.headers["content-length"] == "0"


def test_unset_members_are_left_out_and_doubles_have_a_decimal(books):
    books.book(1)
    text = books.call("GET", "buysellbookings", bookyearId=Y2026, journalKey="V1", documentSeqNr=1).text
    assert '"amount":121.0,' in text
    assert "null" not in text
    assert "comment" not in text
    assert "vatRecupPercentage" not in text  # purchases only


def test_a_get_may_have_a_body_and_stamps_may_have_a_plus(books):
    assert books.call("GET", "bookyears", {}).status_code == 200
    path = f"/dossiers/{MONTHLY}/relations/modified?modifiedTimeStamp=1980-01-01+00:00:00.000"
    assert books.rest("GET", path, headers={"dossierToken": books.token}).status_code == 200


def test_messages_are_in_the_language_of_the_connection(fake):
    for locale, language in ((0, "nl"), (None, "nl"), (1, "nl"), (2, "fr"), (3, "en"), (4, "de")):
        visitor = Visitor(fake, locale=locale).log_in()
        assert visitor.post(visitor.draft(9)).json()["errorMessage"] == errors.text_of(-13, language)
    assert all(len(texts) == len(set(texts)) == 4 for texts in errors.TEXTS.values())
    assert set(range(-79, 1)) == set(errors.TEXTS)


def test_a_sample_error_and_the_version_need_no_token(fake):
    visitor = Visitor(fake)
    answer = visitor.rest("GET", "/error?errorCode=-15&localeId=2")
    assert (answer.status_code, answer.json()["errorMessage"]) == (400, errors.text_of(-15, "fr"))
    assert visitor.rest("GET", "/about/version").headers["content-type"].startswith("text/plain")


def test_a_path_that_does_not_exist_is_a_page(books):
    assert books.call("GET", "bookings").status_code == 404
    assert books.call("GET", "bookings").headers["content-type"].startswith("text/html")
    assert books.call("DELETE", "buysellbookings").status_code == 405


# --- quotas ---


def test_the_chart_of_accounts_can_be_read_twice_a_belgian_day(fake, books):
    for _ in range(2):
        assert len(books.get("accounts", bookyearId=Y2026)) == 14
    spent = books.call("GET", "accounts", bookyearId=Y2026)
    assert technical_only(spent) == 429
    assert "retry-after" not in spent.headers
    fake.clock.set(now=datetime(2026, 4, 1, 22, 0, tzinfo=UTC))  # midnight in Belgium, summer time
    assert Visitor(fake).log_in().call("GET", "accounts", bookyearId=Y2026).status_code == 200


def test_limits_count_per_dossier_and_operation_and_failures_count_too(books, quarters):
    for _ in range(10):
        assert books.call("GET", "buysellbookings", bookyearId=1, journalKey="V1", documentSeqNr=9).status_code == 404
    spent = {"bookyearId": 1, "journalKey": "V1", "documentSeqNr": 1}
    assert books.call("GET", "buysellbookings", **spent).status_code == 429
    assert quarters.call("GET", "buysellbookings", **spent).status_code == 200
    books.switch(quota_status=403)
    assert technical_only(books.call("GET", "buysellbookings", **spent)) == 403
    counters = books.http.get("/_fake/state?only=counters").json()["counters"]
    assert counters["calls"][str(MONTHLY)]["2026-04-01"]["GET buysellbookings"] == 10
    assert counters["over_quota"][str(MONTHLY)]["2026-04-01"]["GET buysellbookings"] == 2


def test_searching_relations_has_a_limit_of_its_own(books):
    books.switch(quota={})
    for _ in range(2):
        books.get("relations")
    assert books.call("GET", "relations").status_code == 429
    assert books.call("GET", "relations", externalRelationId=4).status_code == 429  # no criterion: it asks for all
    assert books.get("relations", relationId=1)[0]["name"] == "Korenmolen Bakkerij BV"


def test_a_day_has_150_connections_to_a_dossier(books):
    assert [books.connect().status_code for _ in range(150)] == [200] * 149 + [429]


# --- relations ---


def relation(external: int | None = None, key: int | None = None, **more) -> dict:
    keys = {"externalRelationId": external, "relationKey": {"id": key} if key is not None else None}
    given = {name: value for name, value in keys.items() if value is not None}
    return {"relationIdentificationServiceData": given, "currencyCode": "EUR", **more}


def test_putting_a_relation_creates_it_or_merges_into_it(books):
    made = books.call("PUT", "relations", relation(100245, name="Studio Noord BV", client=True, city="Gent"))
    assert made.status_code == 201
    body = made.json()
    assert body["relationIdentificationServiceData"] == {"externalRelationId": 100245, "relationKey": {"id": 107}}
    assert (body["expirationDays"], body["vatType"], body["active"], body["fax"]) == (30, 0, True, "")
    merged = books.call("PUT", "relations", relation(100245, city="Aalst"))
    assert (merged.status_code, merged.content) == (204, b"")
    [row] = books.get("relations", extRelationId=100245)
    assert (row["name"], row["city"]) == ("Studio Noord BV", "Aalst")
    assert books.call("PUT", "relations", relation(100246, key=107)).status_code == 204
    assert books.call("GET", "relations", extRelationId=100245).status_code == 404


def test_a_stale_key_and_the_external_number_zero_make_duplicates(books):
    for keys in ((None, 999), (0, None), (None, 0)):
        assert books.call("PUT", "relations", relation(*keys, name="Nog Eens BV")).status_code == 201
    rows = books.get("relations", name="nog eens bv")
    assert [row["relationIdentificationServiceData"]["relationKey"]["id"] for row in rows] == [107, 108, 109]


def test_an_external_number_is_an_int32(books):
    assert books.call("PUT", "relations", relation(2**31 - 1, name="Net Nog BV")).status_code == 201
    assert books.call("PUT", "relations", relation(2**31, name="Te Groot BV")).status_code == 500


def test_a_country_may_be_absent_but_not_empty(books):
    assert refusal(books.call("PUT", "relations", relation(5, country=""))) == (400, -7)
    assert refusal(books.call("PUT", "relations", {**relation(5), "currencyCode": "XAU"})) == (400, -19)
    assert technical_only(books.call("PUT", "relations", {"name": "x", "currencyCode": "EUR"})) == 400


def test_searches_are_or_combined_whole_names_and_include_the_inactive(books):
    assert len(books.get("relations", name="stilgelegd bedrijf bv")) == 1
    assert books.call("GET", "relations", name="Stilgelegd").status_code == 404
    vat = books.get("relations", name="Dubbel Genoteerd BV")[0]["vatNr"]
    assert len(books.get("relations", vatNr=vat.replace(".", ""))) == 2
    assert len(books.get("relations", vatNr=vat, name="Korenmolen Bakkerij BV")) == 3
    active = books.get("relations")
    assert "Stilgelegd Bedrijf BV" not in [row["name"] for row in active]
    assert "  " in [row["country"] for row in active]


def test_relations_changed_and_deleted_in_the_program_show_up(fake, books):
    fake.clock.set(advance_s=60)
    books.lever("edit_relation", relation=2, city="Lier")
    books.lever("delete_relation", relation=3)
    changes = books.since("relations/modified", "2026-04-01 12:01:00.000").json()
    assert [row["city"] for row in changes["modified"]] == ["Lier"]
    assert [row["name"] for row in changes["deleted"]] == ["Wasserij Helder NV"]
    assert books.since("relations/modified", "2026-04-01 12:01:00.001").status_code == 404


# --- bookings ---


def test_the_caller_chooses_the_next_number_and_no_other(books):
    for wrong in (0, 2, 41):
        assert refusal(books.post(books.draft(wrong))) == (400, -13)
    books.book(1)
    assert refusal(books.post(books.draft(1))) == (400, -13)  # the same number again: it was booked
    assert "last 1, offered 1" in books.post(books.draft(1)).json()["technicalInfo"]
    books.book(1, journalKey="V2")
    books.book(1, bookyearKey={"id": Y2027}, bookyearPeriodeNr=202701)
    journals = {row["journalKey"]: row["lastBookedDocumentNr"] for row in books.get(f"bookyears/{Y2026}/journals")}
    assert (journals["V1"], journals["V2"]) == (1, 1)


def test_a_booking_made_by_hand_takes_our_number(books):
    made = books.lever(
        "book_by_hand",
        journalKey="V1",
        relationName="Wasserij Helder NV",
        documentDate="2026-03-02",
        bookingLines=[
            {"accountKey": 700000, "baseAmount": 50, "vatCodeKey": "21", "vatAmount": 10.5, "comment": "Was"}
        ],
    )
    assert made == {"id": f"{MONTHLY}/{Y2026}/V1/1", "documentSequenceNr": 1}
    assert refusal(books.post(books.draft(1))) == (400, -13)
    booked = books.get("buysellbookings", bookyearId=Y2026, journalKey="V1", documentSeqNr=1)
    assert (booked["amount"], booked["bookyearPeriodeNr"]) == (60.5, 202603)
    assert booked["bookingLines"][0]["comment"] == "Was Wasserij Helder NV"
    assert booked["relationIdentificationServiceData"]["externalRelationId"] == 0


def test_the_last_booking_deleted_frees_its_number(books):
    books.book(1)
    second = books.book(2)
    books.lever("delete_booking", booking=second)
    ledger = f"bookyears/{Y2026}/bookings/modified"
    gone = books.since(ledger, journalTypeId=-1).json()["deletedBookings"]
    assert gone == [{"bookyearKey": {"id": Y2026}, "documentSequenceNr": 2, "journalSequenceNr": 1, "journalType": 2}]
    assert books.get(f"bookyears/{Y2026}/journals/V/1")["commonJournalServiceData"]["nextDocumentNumber"] == 2
    books.book(2, net="70", vat="14.7")
    everywhere = "bookyears/-1/bookings/modified"
    assert books.since(everywhere, journalTypeId=-1).json()["deletedBookings"] == []
    assert books.since(everywhere, journalTypeId=2).status_code == 400
    assert books.since(ledger, journalTypeId=2).json()["deletedBookings"] == []
    books.lever("delete_booking", booking=f"{MONTHLY}/{Y2026}/V1/1")  # not the last: the gap stays
    assert refusal(books.post(books.draft(1))) == (400, -13)
    books.book(3)


def test_a_journal_can_jump_ahead_and_the_single_journal_tells(books):
    books.lever("set_next_number", journal="V1", year=2026, number=50)
    assert refusal(books.post(books.draft(1))) == (400, -13)
    assert books.get(f"bookyears/{Y2026}/journals/V/1")["commonJournalServiceData"]["nextDocumentNumber"] == 50
    books.book(50)


WRONG_HEADERS = [
    ({"bookyearKey": {"id": 9}}, (400, -9)),
    ({"journalKey": "V9"}, (400, -10)),
    ({"journalKey": "F1"}, (400, -38)),
    ({"journalKey": "V3"}, (400, -29)),
    ({"documentSequenceNr": 5}, (400, -13)),
    ({"bookyearPeriodeNr": 202613}, (400, -14)),
    ({"relationIdentificationServiceData": {"externalRelationId": 77}}, (400, -16)),
    ({"documentDate": None}, (400, -17)),
    ({"expiryDate": None}, (400, -18)),
    ({"currencyCode": "XAU"}, (400, -19)),
    ({"exchangeRate": 1.1}, (400, -20)),
    ({"exchangeRate": None}, (400, -20)),
    ({"amount": 121.02}, (400, -24)),
    ({"amount": 121.005}, (400, -24)),
    ({"amount": -121.0, "bookingLines": [{**LINE, "baseAmount": -100.0, "vatAmount": -21.0}]}, (400, -24)),
]


@pytest.mark.parametrize(("wrong", "expected"), WRONG_HEADERS)
def test_a_wrong_header_is_refused_with_its_number(books, wrong, expected):
    assert refusal(books.post(books.draft(1, **wrong))) == expected
    assert books.post(books.draft(1)).status_code == 201  # nothing was booked


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"accountKey": 799999}, (400, -21)),
        ({"accountKey": 400000}, (400, -50)),
        ({"vatCodeKey": "99"}, (400, -22)),
        ({"vatCodeKey": "D21"}, (400, -75)),
        ({"vatAmount": -21.0}, (400, -23)),
        ({"costCentreKey": {"id": "KELDER"}}, (400, -40)),
        ({"vatRecupPercentage": 120.0}, (400, -30)),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(books, wrong, expected):
    draft = books.draft(1)
    draft["bookingLines"][0] |= wrong
    assert refusal(books.post(draft)) == expected


def test_the_number_is_checked_before_the_period_and_the_period_before_the_rest(books):
    every = {"bookyearPeriodeNr": 202613, "currencyCode": "XAU", "relationIdentificationServiceData": {}}
    assert refusal(books.post(books.draft(7, **every))) == (400, -13)
    assert refusal(books.post(books.draft(1, **every))) == (400, -14)


def test_the_wrapper_is_required_to_create_and_wrong_to_update(books):
    assert technical_only(books.call("POST", "buysellbookings", books.draft(1))) == 400
    books.book(1)
    assert refusal(books.call("PUT", "buysellbookings", {"buySellBookingServiceData": books.draft(1)})) == (400, -9)
    assert refusal(books.call("PUT", "buysellbookings", books.draft(2))) == (404, -34)


def test_a_credit_note_has_a_negative_total_and_positive_lines(books):
    key = books.book(1, journalKey="V2", amount=-121.0)
    assert [row["vat_per_code"] for row in books.state("bookings") if row["id"] == key] == [{"21": -21}]
    row = books.open_of(1, "V2")
    assert (row["creditDocumentAmount"], row["openBookingAmount"]) == (121.0, -121.0)
    books.switch(open_credit_sign="positive")
    assert books.open_of(1, "V2")["openBookingAmount"] == 121.0


def test_credit_notes_take_codes_of_type_4_too_or_only_those(quarters):
    draft = quarters.draft(1, amount=-121.0, journalKey="V2", bookyearPeriodeNr=202601)
    quarters.switch(credit_note_vat="type_4")
    assert refusal(quarters.post(draft)) == (400, -75)
    draft["bookingLines"][0]["vatCodeKey"] = "C21"
    assert quarters.post(draft).status_code == 201


def test_a_document_of_nothing_is_booked_and_period_and_date_need_not_agree(books):
    books.book(1, amount=0, bookingLines=[])
    books.book(2, documentDate="2024-11-05", bookyearPeriodeNr=202612)
    assert books.open_of(1) is None


def test_attachments_come_in_the_same_call_or_later(books):
    assert books.post(books.draft(1), {"2026-1.pdf": b"%PDF-1.4", "2026-1.xml": b"<Invoice/>"}).status_code == 201
    headers = {"journalKey": "V1", "documentSequennceNr": "1"}
    later = {"fileName": "bijlage.pdf", "fileData": base64.b64encode(b"%PDF").decode()}
    path = f"bookyears/{Y2026}/bookings/attachements"
    assert books.call("POST", path, later, headers=headers).status_code == 204
    assert (
        technical_only(books.call("POST", path, later, headers={"journalKey": "V1", "documentSequenceNr": "1"})) == 400
    )
    [row] = [row for row in books.state("bookings") if row["id"].endswith(f"/{Y2026}/V1/1")]
    assert row["attachments"] == ["2026-1.pdf", "2026-1.xml", "bijlage.pdf"]
    broken = {"fileName": "x.pdf", "fileData": "geen base64!"}
    answer = books.call(
        "POST", "buysellbookings", {"buySellBookingServiceData": books.draft(2), "attachments": [broken]}
    )
    assert technical_only(answer) == 400
    assert technical_only(books.post(books.draft(2), {"groot.pdf": b"x" * 10_000_001})) == 400
    books.book(2)


def test_changes_are_listed_by_year_journal_and_time(fake, books):
    books.book(1)
    fake.clock.set(advance_s=30)
    books.book(1, journalKey="V2", amount=-121.0)
    path = "buysellbookings/modified"
    assert len(books.since(path, bookyearId=-1).json()) == 3  # with the one of 2025
    assert [row["journalKey"] for row in books.since(path, bookyearId=Y2026, journalKey="V1").json()] == ["V1"]
    late = "2026-04-01 12:00:30.000"  # Belgian time, inclusive
    assert [row["journalKey"] for row in books.since(path, late, bookyearId=-1).json()] == ["V2"]
    books.switch(timestamp_inclusive=False)
    assert books.since(path, late, bookyearId=-1).status_code == 404


def test_the_ledger_report_nets_to_zero(books):
    books.book(1)
    books.book(1, journalKey="V2", amount=-121.0)
    books.lever("pay", booking=f"{MONTHLY}/{Y2026}/V1/1", date="2026-03-20")
    rows = books.since(f"bookyears/{Y2026}/bookings/modified", journalTypeId=-1).json()["modifiedBookings"]
    by_document: dict[tuple, list[float]] = {}
    for row in rows:
        by_document.setdefault((row["journalType"], row["journalNr"]), []).append(row["bookingAmount"])
    assert by_document[2, 1] == [121.0, -100.0, -21.0]
    assert by_document[2, 2] == [-121.0, 100.0, 21.0]
    assert by_document[3, 1] == [121.0, -121.0]


# --- periods and journals ---


def test_closed_and_protected_periods_take_no_bookings(books):
    january = {"bookyearKey": {"id": Y2025}, "bookyearPeriodeNr": 202501, "documentSequenceNr": 2}
    assert refusal(books.post(books.draft(2, **january))) == (400, -15)
    books.lever("close_period", year=2026, period=3, journal="V1")
    assert refusal(books.post(books.draft(1))) == (400, -15)
    books.book(1, journalKey="V2")
    books.book(1, bookyearPeriodeNr=202604)
    books.lever("open_period", year=2026, period=3)
    books.book(2)
    books.lever("close_period", year=2026, period=3, protect=True)
    assert refusal(books.post(books.draft(3))) == (400, -15)
    assert {row["protectedPeriod"] for row in books.get(f"bookyears/{Y2026}/journals")} == {202603}
    books.lever("open_period", year=2026, period=3)
    books.lever("close_bookyear", year=2026)
    assert refusal(books.post(books.draft(3))) == (400, -15)


def test_quarters_are_numbered_by_quarter(quarters):
    year = quarters.get("bookyears")[1]
    assert [row["bookyearPeriod"] for row in year["periods"]] == [202601, 202602, 202603, 202604]
    assert (year["periods"][1]["startDate"], year["periods"][1]["endDate"]) == ("2026-04-01", "2026-06-30")
    assert quarters.get(f"bookyears/{Y2026}")["bookingPeriodType"] == "QUARTER"
    november = {"documentDate": "2026-11-03", "expiryDate": "2026-12-03"}
    assert refusal(quarters.post(quarters.draft(1, **november, bookyearPeriodeNr=202611))) == (400, -14)
    quarters.book(1, **november, bookyearPeriodeNr=202604)


def test_a_journal_open_in_the_program_waits_and_a_closed_one_does_not_open(books):
    books.lever("journal_in_use", journal="V1", user="Sub@U70001")
    assert refusal(books.post(books.draft(99))) == (403, -12)  # before the number is looked at
    books.lever("journal_in_use", journal="V1", user=None)
    books.book(1)
    books.lever("close_journal", journal="V1", year=2026)
    assert refusal(books.post(books.draft(2))) == (403, -11)


# --- settled, and how ---


def test_a_payment_in_full_takes_the_invoice_off_the_open_list(books):
    key = books.book(1)
    assert books.open_of(1)["openBookingAmount"] == 121.0
    paid = books.lever("pay", booking=key, amount="121.00", date="2026-03-20")
    assert (paid["payment"], Decimal(paid["open"])) == (f"{MONTHLY}/{Y2026}/F1/1", 0)
    assert books.open_of(1) is None
    [pair] = books.balancings()
    assert pair["debetDocument"]["balancingKey"] == {
        "bookyearKey": {"id": Y2026},
        "journalKey": "V1",
        "documentSequenceNr": 1,
        "lineSequenceNr": -1,
    }
    assert pair["creditDocument"]["balancingKey"]["lineSequenceNr"] == 1
    assert pair["creditDocument"]["documentDate"] == "2026-03-20"
    assert (pair["creditBalancedBookingAmount"], pair["debetBalancedBookingAmount"]) == (121.0, 0.0)
    assert pair["type"] == {"type": "C", "relationKey": {"id": 1}, "externalRelationId": 0, "accountNr": 0}
    [money] = books.state("payments")
    assert (money["journalKey"], money["bookingLines"][0]["amount"]) == ("F1", 121)


def test_part_payments_add_up_and_can_be_undone(fake, books):
    key = books.book(1)
    first = books.lever("pay", booking=key, amount="50.00", date="2026-03-20")["payment"]
    assert books.open_of(1)["openBookingAmount"] == 71.0
    books.lever("pay", booking=key, amount="71.00", date="2026-03-25")
    assert [pair["creditBalancedBookingAmount"] for pair in books.balancings()] == [50.0, 71.0]
    assert books.balancings()[0]["debetDocument"]["debetBookingAmount"] == 121.0  # whole lines, not the matched part
    fake.clock.set(advance_s=10)
    assert books.lever("unmatch", a=key, b=first) == {"undone": 1}
    changes = books.since("balancings/modified", "2026-04-01 12:00:10.000").json()
    assert changes["modifiedBalancings"] == []
    assert [pair["creditBalancedBookingAmount"] for pair in changes["deletedBalancings"]] == [50.0]
    assert books.open_of(1)["openBookingAmount"] == 50.0
    assert books.open_of(1, "F1")["openBookingAmount"] == -50.0
    books.lever("match", a=key, b=first)
    assert books.since("balancings/modified", "2026-04-01 12:00:10.000").json()["deletedBalancings"] == []
    assert books.open_of(1) is None


def test_too_much_money_stays_open(books):
    key = books.book(1)
    books.lever("pay", booking=key, amount="130.00", date="2026-03-20")
    assert books.open_of(1) is None
    assert books.open_of(1, "F1")["openDocAmount"] == -9.0


def test_a_credit_note_and_a_write_off_settle_without_money(books):
    first, second = books.book(1), books.book(2, net="10", vat="2.1")
    credit = books.lever("pay", booking=first, kind="credit_note", date="2026-03-20")["credit_note"]
    assert credit == f"{MONTHLY}/{Y2026}/V2/1"  # by hand, in our own journal
    books.lever("pay", booking=second, kind="write_off", date="2026-03-21")
    letters = [pair["creditDocument"]["balancingKey"]["journalKey"] for pair in books.balancings()]
    assert letters == ["V2", "D1"]
    assert books.open_of(1) is None
    assert books.open_of(2) is None
    [off] = books.state("payments")
    assert sum(line["amount"] for line in off["bookingLines"]) == 0


def test_our_own_credit_note_can_be_matched_with_its_invoice(books):
    invoice, credit = books.book(1), books.book(1, "40", "8.4", journalKey="V2", amount=-48.4)
    assert books.lever("match", a=credit, b=invoice, amount="48.40") == {"matched": "48.40"}
    assert books.open_of(1)["openBookingAmount"] == 72.6
    assert books.open_of(1, "V2") is None


def test_refunds_of_a_credit_note_are_the_other_way_round(books):
    credit = books.book(1, journalKey="V2", amount=-121.0)
    books.lever("pay", booking=credit, date="2026-03-20")
    [pair] = books.balancings()
    assert pair["debetDocument"]["balancingKey"]["journalKey"] == "F1"
    assert books.open_of(1, "V2") is None


def test_foreign_currency_is_open_in_both_currencies(books):
    key = books.book(1, currencyCode="USD", exchangeRate=0.92)
    row = books.open_of(1)
    assert (row["openDocAmount"], row["openBookingAmount"], row["exchangeRate"]) == (121.0, 111.32, 0.92)
    paid = books.lever("pay", booking=key, amount="33.33", date="2026-03-20")
    assert paid["payment"].split("/")[2] == "F2"  # the bank account in dollars
    assert (books.open_of(1)["openDocAmount"], books.open_of(1)["openBookingAmount"]) == (87.67, 80.66)
    assert books.balancings()[0]["creditBalancedBookingAmount"] == 30.66
    books.lever("pay", booking=key, date="2026-03-21")
    assert books.open_of(1) is None
    books.switch(rate_direction="divide")
    books.book(2, currencyCode="USD", exchangeRate=1.1)
    assert books.open_of(2)["openBookingAmount"] == 110.0


def pair_of(debit: tuple[str, int, int], credit: tuple[str, int, int], amount: float) -> dict:
    def key(journal: str, number: int, line: int) -> dict:
        place = {"bookyearKey": {"id": Y2026}, "journalKey": journal}
        return {**place, "documentSequenceNr": number, "lineSequenceNr": line}

    return {"debetKey": key(*debit), "creditKey": key(*credit), "balanceAmount": amount}


def money(number: int, journal: str = "F1", **more) -> dict:
    line = {"type": "C", "relationId": 1, "externalRelationId": 0, "accountKey": 0, "amount": 121.0}
    return {
        "financialDiversBookingServiceData": {
            "bookyearKey": {"id": Y2026},
            "journalKey": journal,
            "documentSequenceNr": number,
            "bookyearPeriodeNr": 202603,
            "documentDate": "2026-03-20",
            "exchangeRate": 1.0,
            "bookingLines": [line],
            **more,
        }
    }


def test_balancings_can_be_made_and_undone_through_the_service(books):
    books.book(1)
    assert books.call("POST", "financialdiversbookings", money(1)).status_code == 201
    invoice, receipt = ("V1", 1, -1), ("F1", 1, 1)
    made = books.call("POST", "balancings", pair_of(invoice, receipt, 100.0))
    assert (made.status_code, made.content) == (201, b"")
    for wrong in (
        pair_of(invoice, receipt, 21.01),
        pair_of(receipt, invoice, 1.0),
        pair_of(("V1", 9, -1), receipt, 1.0),
    ):
        assert refusal(books.call("POST", "balancings", wrong)) == (400, -26)
    old = {"amount": 100, "balancingDate": "2026-03-20", "documentKeys": []}
    assert refusal(books.call("POST", "balancings", old)) == (400, -26)
    assert books.call("DELETE", "balancings/delete", pair_of(invoice, receipt, 100.0)).status_code == 204
    assert technical_only(books.call("DELETE", "balancings/delete", pair_of(invoice, receipt, 100.0))) == 404
    books.call("POST", "balancings", pair_of(invoice, receipt, 121.0))
    line = pair_of(invoice, receipt, 1.0)["debetKey"]
    assert books.call("DELETE", "balancings/bookingline/delete", line).status_code == 204
    books.call("POST", "balancings", pair_of(invoice, receipt, 121.0))
    document = {"bookyearKey": {"id": Y2026}, "journal": "F1", "documentSequenceNr": 1}
    assert books.call("DELETE", "balancings/document/delete", document).status_code == 204
    assert books.open_of(1)["openBookingAmount"] == 121.0


def test_lines_of_two_relations_do_not_balance(books):
    books.book(1, relationIdentificationServiceData={"relationKey": {"id": 2}})
    books.call("POST", "financialdiversbookings", money(1))
    assert refusal(books.call("POST", "balancings", pair_of(("V1", 1, -1), ("F1", 1, 1), 1.0))) == (400, -26)


def test_financial_bookings_have_their_own_complaints(books):
    post = "financialdiversbookings"
    misleading = money(1, exchangeRate=None)
    assert refusal(books.call("POST", post, misleading)) == (400, -15)
    assert refusal(books.call("POST", post, money(1, bookingLines=[{"type": "X", "amount": 1.0}]))) == (400, -25)
    assert refusal(books.call("POST", post, money(1, journal="V1"))) == (400, -38)
    assert refusal(books.call("POST", post, money(1, journal="D1"))) == (400, -24)  # does not net to zero
    client = {"type": "C", "relationId": 1, "amount": -121.0}
    clearing = {"type": "A", "accountKey": 580000, "amount": 121.0}
    assert books.call("POST", post, money(1, journal="D1", bookingLines=[client, clearing])).status_code == 201
    assert books.open_of(1, "D1")["openBookingAmount"] == -121.0
    assert books.get(post, bookyearId=Y2026, journalKey="D1", documentSeqNr=1)["bookingLines"][1]["relationId"] == 0
    books.switch(divers_sign="as_bank")
    books.call("POST", post, money(2, journal="D1", bookingLines=[client, clearing]))
    assert books.open_of(2, "D1")["openBookingAmount"] == 121.0


def test_a_matched_booking_cannot_be_changed_and_deleting_it_undoes_the_match(books):
    key = books.book(1)
    books.lever("pay", booking=key, date="2026-03-20")
    assert refusal(books.call("PUT", "buysellbookings", books.draft(1, net="50", vat="10.5"))) == (400, -35)
    books.lever("delete_booking", booking=key)
    assert len(books.since("balancings/modified").json()["deletedBalancings"]) == 1
    assert books.open_of(1, "F1")["openBookingAmount"] == -121.0


# --- the open-items report ---


def test_the_report_asks_for_nobody_when_the_relation_is_left_out(books):
    books.book(1)
    asked = {"fromBookyearKey": {"id": Y2026}, "toBookyearKey": {"id": Y2026}}
    assert technical_only(books.call("POST", "reports/clients/open", asked)) == 404
    assert len(books.open_items((Y2026, Y2026), relationId=1).json()) == 1
    assert technical_only(books.open_items((Y2026, Y2026), relationId=2)) == 404
    assert technical_only(books.open_items(externalRelationId=5)) == 404
    assert technical_only(books.open_items((Y2026, Y2026), toBookyearPeriodNr=202602)) == 404
    assert refusal(books.open_items((Y2026, 9))) == (400, -9)
    assert (
        technical_only(
            books.call("POST", "reports/suppliers/open", {**asked, "relationId": -1, "externalRelationId": -1})
        )
        == 404
    )


def test_the_new_year_shows_nothing_until_balances_are_carried_over(books):
    books.book(1)
    assert technical_only(books.open_items((Y2027, Y2027))) == 404  # and yet nothing is paid
    books.lever("carry_over", year=2027)
    rows = books.open_items((Y2027, Y2027)).json()
    assert [row["bookyearKey"]["id"] for row in rows] == [Y2025, Y2026]


def test_reminders_list_overdue_invoices_per_customer(books):
    books.book(1)
    assert [row["relation"]["name"] for row in books.get("rappels", expirationDate="2026-04-08")] == ["Diverse klanten"]
    [_, mine] = books.get("rappels", expirationDate="2026-04-09")
    assert mine["invoiceList"][0]["openAmount"] == 121.0


def test_the_payment_list_holds_unmatched_purchases(books):
    books.lever(
        "book_by_hand",
        journalKey="A1",
        relationName="Papiergroothandel Vezel NV",
        documentDate="2026-03-02",
        bookingLines=[{"accountKey": 604000, "baseAmount": 100, "vatCodeKey": "D21", "vatAmount": 21}],
    )
    [row] = books.get("bank/invoices")
    assert (row["relationName"], row["amount"], row["credit"]) == ("Papiergroothandel Vezel NV", 121.0, False)


# --- the control API ---


def test_the_state_has_the_agreed_sections(fake, books):
    books.book(1)
    state = books.http.get("/_fake/state").json()
    assert set(state) == {
        *("relations", "bookings", "open_items", "payments", "journals", "accounts", "vat_codes"),
        *("tokens", "counters", "next_page"),
    }
    booking = next(row for row in state["bookings"] if row["id"] == f"{MONTHLY}/{Y2026}/V1/1")
    assert (booking["tenant"], booking["open"], booking["documentSequenceNr"]) == ("70001", 121, 1)
    assert {row["kind"] for row in state["tokens"]} == {"access", "dossier"}
    assert books.http.get("/_fake/health").json()["vendor"] == "octopus"


def test_the_journal_tells_caller_dossier_and_change(fake, books):
    books.http.delete("/_fake/journal")
    books.book(1)
    books.get("bookyears")
    books.post(books.draft(1))
    rows = books.http.get("/_fake/journal").json()
    assert [(row["caller"], row["tenant"], row["status"], row["changed"]) for row in rows] == [
        (fake.user, "70001", 201, True),
        (fake.user, "70001", 200, False),
        (fake.user, "70001", 400, False),
    ]


def test_an_unknown_outcome_is_settled_by_offering_the_number_again(fake, books):
    books.http.post("/_fake/faults", json=[{"match": {"path": "/buysellbookings"}, "do": "commit_then_drop"}])
    with pytest.raises(Dropped):
        books.post(books.draft(1))
    assert refusal(books.post(books.draft(1))) == (400, -13)
    books.http.post("/_fake/faults", json=[{"match": {"path": "/buysellbookings"}, "do": "twice"}])
    assert refusal(books.post(books.draft(2))) == (400, -13)  # booked by the first of the two
    books.book(3)


def test_faults_look_like_this_vendor(books):
    def struck(do: object) -> httpx.Response:
        books.http.post("/_fake/faults", json=[{"match": {"tenant": "70001"}, "do": do}])
        return books.call("GET", f"bookyears/{Y2026}/journals")

    assert struck("rate_limit").status_code == 429
    assert struck({"status": 503}).headers["content-type"].startswith("text/html")
    assert technical_only(struck({"status": 400})) == 400
    books.book(1)
    stale = {row["journalKey"]: row["lastBookedDocumentNr"] for row in struck("stale_read").json()}
    assert stale["V1"] == 0
    assert struck("revoke_token").status_code == 401


def test_levers_say_what_is_wrong_with_a_command(books):
    key = books.book(1)
    for name, body in (
        ("pay", {"booking": "70001/2/V1/9"}),
        ("pay", {"booking": key, "amount": "200", "kind": "write_off"}),
        ("pay", {"booking": key, "kind": "gift"}),
        ("unmatch", {"a": key}),
        ("open_period", {"year": 2026, "period": 3}),
        ("close_period", {"year": 2026, "period": 13}),
        ("edit_relation", {"relation": 1, "colour": "red"}),
        ("switches", {"quota_status": 200}),
        ("book_by_hand", {"journalKey": "V1"}),
    ):
        sent = body if name == "switches" else {"tenant": "70001", **body}
        answer = books.http.post(f"/_fake/{name}", json=sent)
        assert (answer.status_code, list(answer.json())) == (400, ["error"]), name
    assert books.open_of(1)["openBookingAmount"] == 121.0


def test_the_seed_is_always_the_same_and_takes_other_customers():
    assert demo_seed() == demo_seed()
    assert plain_json.loads(plain_json.dumps(demo_seed()))["users"][0]["dossiers"] == [MONTHLY, QUARTERLY]
    mine = demo_seed([{"tenant": MONTHLY, "name": "Alleen Deze BV", "client": True}])
    fake = OctopusFake(FakeClock(datetime(2026, 4, 1, tzinfo=UTC), rate=0))
    fake.seed(mine)
    names = [row["name"] for row in fake.state.dossiers[MONTHLY]["relations"].values()]
    assert names[0] == "Alleen Deze BV"
    assert "Korenmolen Bakkerij BV" not in names


def test_it_tells_how_to_reach_it(fake):
    assert fake.described("http://h:1") == {
        "base_url": "http://h:1/octopus-rest-api/v1",
        "oauth_url": "http://h:1/octopus-oauth",
        "software_house_uuid": fake.software_house_uuid,
        "user": fake.user,
        "password": fake.password,
    }
    before = (fake.software_house_uuid, fake.password)
    fake.reset("empty")
    assert (fake.software_house_uuid, fake.password) == before
    assert Visitor(fake).authenticate().status_code == 200
