"""Limits, tokens and consent: work stops, says why, and goes on where it was (design.md 6)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from boekbrug.ports import Job
from boekbrug.store.jobs import DynamoJobs
from tests.support.company import Company


def entries_sent(company: Company) -> list[datetime]:
    rows = [row for row in company.stage.exact.journal() if row["method"] == "POST"]
    return [datetime.fromisoformat(row["at"]) for row in rows if row["path"].endswith("SalesEntries")]


class TestARateLimit:
    def test_of_exact_stops_the_slice_until_the_minute_is_over(self, company: Company) -> None:
        invoices = [company.invoices(f"{n}.00") for n in (10, 20, 30)]
        company.fault("booking", "rate_limit", nth=2)
        company.asks_for("documents")
        company.stage.pump()
        assert company.job("documents")["last_result"]["stopped"] == "RateLimited"
        assert [len(company.booked(invoice)) for invoice in invoices] == [1, 0, 0]
        company.stage.settle()
        assert [len(company.booked(invoice)) for invoice in invoices] == [1, 1, 1]
        first, refused, *later = entries_sent(company)
        assert first == refused
        assert all(at - refused >= timedelta(seconds=60 - refused.second) for at in later)
        assert company.problems() == {}

    def test_of_teamleader_stops_it_too(self, company: Company) -> None:
        invoices = [company.invoices(f"{n}.00") for n in (10, 20, 30)]
        company.stage.teamleader.post("faults", match={"path": "invoices.info", "nth": 2}, do="rate_limit")
        company.exports()
        assert [len(company.booked(invoice)) for invoice in invoices] == [1, 1, 1]
        assert company.problems() == {}

    def test_met_while_a_payment_is_registered_leaves_no_doubt_behind(self, company: Company) -> None:
        invoice = company.invoices()
        company.exports()
        company.pays(invoice)
        company.stage.teamleader.post("faults", match={"path": "registerPayment"}, do="rate_limit")
        company.asks_for("payments")
        company.stage.pump()
        assert company.unsettled() == 0
        company.stage.settle()
        assert company.payments(invoice) == [invoice.gross]

    def test_of_few_calls_a_minute_only_makes_it_slow(self, company: Company) -> None:
        company.stage.exact.post("switches", minute_limit=6)
        invoices = [company.invoices(f"{n}.00") for n in range(10, 18)]
        company.exports()
        assert [len(company.booked(invoice)) for invoice in invoices] == [1] * len(invoices)


class TestTokens:
    def test_one_that_ends_in_the_middle_of_a_run_is_refreshed_once(self, company: Company) -> None:
        invoices = [company.invoices(f"{n}.00") for n in (10, 20, 30)]
        company.stage.time.advance(545)  # Exact's last ten minutes
        company.stage.on_the_line("POST /api/v1/.*SalesEntries", lambda: company.stage.time.advance(30))
        refreshes = len(self.token_calls(company))
        company.asks_for("documents")
        company.stage.pump()
        assert [len(company.booked(invoice)) for invoice in invoices] == [1, 1, 1]
        assert len(self.token_calls(company)) == refreshes + 1

    def test_one_refused_before_its_time_is_not_an_outcome_in_doubt(self, company: Company) -> None:
        invoice = company.invoices()
        company.stage.time.advance(575)
        company.fault("booking", {"status": 401})
        company.exports()
        assert len(company.booked(invoice)) == 1

    @staticmethod
    def token_calls(company: Company) -> list[dict]:
        return [row for row in company.stage.exact.journal() if row["path"].endswith("oauth2/token")]


class TestALostChain:
    def test_pauses_the_jobs_says_so_and_loses_no_document(self, company: Company) -> None:
        invoices = [company.invoices(f"{n}.00") for n in (10, 20)]
        company.stage.exact.post("faults", match={"method": "GET", "path": "TransactionLines"}, do="revoke_token")
        company.stage.time.advance(580)
        company.exports()
        assert company.bookings() == []
        paused = company.job("documents")["paused"]
        assert paused["cause"] == "AccessExpired"
        assert "Exact Online" in paused["sentence"]
        assert "AccessExpired" in company.problems()
        company.stage.pass_time(timedelta(minutes=5))
        assert company.bookings() == []
        company.consents_again()
        company.stage.settle()
        assert [len(company.booked(invoice)) for invoice in invoices] == [1, 1]
        assert company.job("documents")["paused"] is None
        assert company.problems() == {}

    def test_in_the_middle_of_a_batch_keeps_what_was_done(self, company: Company) -> None:
        invoices = [company.invoices(f"{n}.00") for n in (10, 20, 30)]
        company.stage.time.advance(580)
        company.stage.exact.post(
            "faults", match={"method": "POST", "path": "SalesEntries", "nth": 2}, do="revoke_token"
        )
        company.exports()
        assert [len(company.booked(invoice)) for invoice in invoices] == [1, 0, 0]
        assert company.job("documents")["paused"]["cause"] == "AccessExpired"
        company.consents_again()
        company.stage.settle()
        assert [len(company.booked(invoice)) for invoice in invoices] == [1, 1, 1]

    def test_that_is_mended_before_the_job_pauses_leaves_nothing_paused(
        self, company: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The consent comes between the loss and the pause, when there is no paused job to wake yet."""
        invoice = company.invoices()
        company.stage.exact.post("faults", match={"method": "GET", "path": "TransactionLines"}, do="revoke_token")
        company.stage.time.advance(580)
        release, came = DynamoJobs.release, []

        def after_a_consent(jobs: DynamoJobs, job: Job, **more: Any) -> bool:
            if more.get("paused") and not came:
                came.append(True)
                with company.stage.another_sandbox():
                    company.consents_again()
            return release(jobs, job, **more)

        monkeypatch.setattr(DynamoJobs, "release", after_a_consent)
        company.exports()
        assert came
        assert len(company.booked(invoice)) == 1
        assert company.job("documents")["paused"] is None

    @pytest.mark.parametrize("kind", ["documents", "accounts"])
    def test_of_teamleader_pauses_too_until_somebody_signs_in(self, company: Company, kind: str) -> None:
        company.stage.teamleader.post("uninstall", tenant=company.account)
        company.asks_for(kind)
        company.stage.settle()
        assert company.job(kind)["paused"]["cause"] == "AccessExpired"
        company.signs_in_again()
        company.stage.settle()
        assert company.job(kind)["paused"] is None
