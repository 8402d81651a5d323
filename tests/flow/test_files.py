"""The PDF or UBL of a document hangs on its booking, once, and never keeps it back (design.md 1, 5.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from boekbrug.vendors.exact import cabinet
from boekbrug.vendors.teamleader import client
from tests.support.company import ACCOUNT, Company, Document
from tests.support.stage import Killed

SEND_FOLDER = "POST /api/v1/.*/Documents$"
SEND_FILE = "POST /api/v1/.*/DocumentAttachments$"
WRITES = ["/documents/Documents", "/documents/DocumentAttachments"]


@pytest.fixture
def attaching(company: Company) -> Company:
    attaches(company, "pdf")
    return company


def attaches(company: Company, *formats: str) -> None:
    company.person.patch(f"/api/connections/{company.connection}", attach=list(formats))


def files(company: Company, document: Document) -> list[str]:
    (booking,) = company.booked(document)
    return list(booking.files)


def sent(company: Company, path: str) -> list[datetime]:
    """When each such write arrived at Exact (whatever it answered)."""
    rows = company.stage.exact.journal()
    wanted = [row for row in rows if row["method"] == "POST" and row["path"].casefold().endswith(path.casefold())]
    return [datetime.fromisoformat(row["at"]) for row in wanted]


def die() -> None:
    raise Killed


class TestWhatWasAskedFor:
    def test_nothing_is_attached_unless_it_was_asked_for(self, company: Company) -> None:
        invoice = company.invoices("100.00")
        company.exports()
        assert files(company, invoice) == []
        assert [sent(company, path) for path in WRITES] == [[], []]

    def test_both_formats_of_invoice_and_credit_note(self, company: Company) -> None:
        attaches(company, "pdf", "ubl")
        invoice = company.invoices("100.00", number="2026 / 1")
        credit_note = company.credits(invoice)
        company.exports()
        assert sorted(files(company, invoice)) == ["2026-1.pdf", "2026-1.xml"]
        assert len(files(company, credit_note)) == 2
        assert [len(sent(company, path)) for path in WRITES] == [2, 4]

    def test_a_second_run_changes_nothing(self, attaching: Company) -> None:
        attaching.invoices("100.00")
        attaching.exports()
        with attaching.counting_changes() as changes:
            attaching.exports()
        assert changes == []

    def test_what_is_booked_already_gets_nothing_later(self, company: Company) -> None:
        invoice = company.invoices("100.00")
        company.exports()
        attaches(company, "pdf")
        company.exports()
        assert files(company, invoice) == []


class TestOnce:
    @pytest.mark.parametrize("path", WRITES)
    @pytest.mark.parametrize("fault", ["commit_then_drop", "half_body"])
    def test_an_answer_lost_on_the_way_back(self, attaching: Company, path: str, fault: str) -> None:
        attaching.stage.exact.post("faults", match={"method": "POST", "path": path}, do=fault)
        invoice = attaching.invoices("100.00", number="2026 / 1")
        attaching.exports()
        assert files(attaching, invoice) == ["2026-1.pdf"]
        assert [len(sent(attaching, write)) for write in WRITES] == [1, 1]
        assert attaching.unsettled() == 0
        assert attaching.problems() == {}

    @pytest.mark.parametrize("path", WRITES)
    def test_a_connection_lost_on_the_way_there(self, attaching: Company, path: str) -> None:
        attaching.stage.exact.post("faults", match={"method": "POST", "path": path}, do="drop_before")
        invoice = attaching.invoices("100.00", number="2026 / 1")
        attaching.exports()
        assert files(attaching, invoice) == ["2026-1.pdf"]
        first, second = sent(attaching, path)
        assert (second - first).total_seconds() >= 120 + 60
        assert attaching.unsettled() == 0

    @pytest.mark.parametrize("path", WRITES)
    @pytest.mark.parametrize("fault", ["commit_then_drop", "drop_before"])
    def test_what_became_of_it_is_known_also_when_its_invoice_is_gone(
        self, attaching: Company, path: str, fault: str
    ) -> None:
        """Nobody asked any more, and the doubt stood for ever."""
        attaching.stage.exact.post("faults", match={"method": "POST", "path": path}, do=fault)
        invoice = attaching.invoices("100.00")
        attaching.asks_for("documents")
        attaching.stage.pump()
        assert attaching.unsettled() == 1
        attaching.stage.teamleader.post("delete_booking", tenant=ACCOUNT, booking=invoice.id)
        attaching.stage.settle()
        assert attaching.unsettled() == 0
        assert len(sent(attaching, path)) == 1

    def test_without_the_right_to_look_the_documents_go_on_all_the_same(self, attaching: Company) -> None:
        attaching.stage.exact.post("faults", match={"method": "POST", "path": WRITES[0]}, do="drop_before")
        gone = attaching.invoices("100.00", number="2026 / 1")
        attaching.asks_for("documents")
        attaching.stage.pump()
        attaching.stage.teamleader.post("delete_booking", tenant=ACCOUNT, booking=gone.id)
        attaching.stage.exact.post("faults", match={"path": WRITES[0]}, do={"status": 403}, times=9)
        invoice = attaching.invoices("100.00", number="2026 / 2")
        attaching.asks_for("documents")
        attaching.stage.pump()
        assert len(attaching.booked(invoice)) == 1
        assert attaching.job("documents")["paused"] is None

    @pytest.mark.parametrize("path", [SEND_FOLDER, SEND_FILE])
    @pytest.mark.parametrize("arrived", [True, False])
    def test_a_worker_that_dies(self, attaching: Company, path: str, arrived: bool) -> None:
        attaching.stage.on_the_line(path, die, arrived=arrived)
        invoice = attaching.invoices("100.00", number="2026 / 1")
        attaching.exports()
        assert attaching.stage.dead_sandboxes == 1
        assert files(attaching, invoice) == ["2026-1.pdf"]
        assert [len(sent(attaching, write)) for write in WRITES] == [1, 1]

    def test_a_booking_in_doubt_is_sent_again_with_the_files_it_had(self, attaching: Company) -> None:
        attaching.fault("booking", "drop_before")
        invoice = attaching.invoices("100.00", number="2026 / 1")
        attaching.exports()
        assert files(attaching, invoice) == ["2026-1.pdf"]
        assert [len(sent(attaching, write)) for write in WRITES] == [1, 1]


class TestADocumentThatWaited:
    def test_its_files_are_not_sent_a_second_time(self, attaching: Company) -> None:
        attaching.fault("booking", {"status": 400})
        invoice = attaching.invoices("100.00", number="2026 / 1")
        attaching.exports()
        assert attaching.booked(invoice) == []
        release(attaching)
        attaching.exports()
        assert files(attaching, invoice) == ["2026-1.pdf"]
        assert [len(sent(attaching, write)) for write in WRITES] == [1, 1]

    def test_changed_meanwhile_it_brings_its_newer_file(self, attaching: Company) -> None:
        attaching.fault("booking", {"status": 400})
        invoice = attaching.invoices("100.00", number="2026 / 1")
        attaching.exports()
        attaching.stage.time.advance(3600)
        attaching.edits(invoice, "200.00")
        attaching.exports()
        assert sorted(files(attaching, invoice)) == ["2026-1 (2).pdf", "2026-1.pdf"]
        assert len(sent(attaching, WRITES[0])) == 1


def release(company: Company) -> None:
    """Whatever is held is looked at again."""
    company.stage.house().documents(company.account, company.administration).release()


class TestAFileThatCannotGoAlong:
    def told(self, company: Company) -> str:
        (sentence,) = company.problems()["FileNotAttached"]
        return sentence

    @pytest.mark.parametrize(("module", "name"), [(cabinet, "MOST_BYTES"), (client, "MOST_FILE_BYTES")])
    def test_too_large(self, attaching: Company, monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
        monkeypatch.setattr(module, name, 10)
        invoice = attaching.invoices("100.00")
        attaching.exports()
        assert files(attaching, invoice) == []
        assert "PDF" in self.told(attaching)
        assert attaching.shown(invoice)["state"] == "booked"

    def test_one_of_two(self, company: Company) -> None:
        attaches(company, "pdf", "ubl")
        company.stage.exact.post("faults", match={"method": "POST", "path": WRITES[1]}, do={"status": 400})
        invoice = company.invoices("100.00", number="2026 / 1")
        company.exports()
        assert files(company, invoice) == ["2026-1.xml"]
        assert "PDF" in self.told(company)

    def test_without_the_right_to_documents_it_is_asked_once_a_slice(self, attaching: Company) -> None:
        """Errors are the scarcest budget Exact gives (exact-online.md 4.3)."""
        attaching.stage.exact.post("faults", match={"method": "POST", "path": WRITES[0]}, do={"status": 403}, times=9)
        invoices = [attaching.invoices("100.00") for _ in range(4)]
        attaching.exports()
        assert [files(attaching, invoice) for invoice in invoices] == [[]] * 4
        assert len(sent(attaching, WRITES[0])) == 1
        assert len(attaching.problems()["FileNotAttached"]) == 4

    def test_a_limit_makes_the_booking_wait(self, attaching: Company) -> None:
        attaching.stage.exact.post("faults", match={"method": "POST", "path": WRITES[1]}, do="rate_limit")
        invoice = attaching.invoices("100.00", number="2026 / 1")
        attaching.asks_for("documents")
        attaching.stage.pump()
        assert (attaching.booked(invoice), attaching.problems()) == ([], {})
        attaching.stage.settle()
        assert files(attaching, invoice) == ["2026-1.pdf"]
