"""What the matrix found, each as the smallest run that shows it."""

from __future__ import annotations

import pytest

from .matrix import played
from .strikes import Boundary, How, Strike, Trouble

ATTACH = "POST exact /api/v1/3001234/documents/DocumentAttachments"


@pytest.mark.parametrize("how", [How.AFTER, How.UNSENT])
def test_documents_that_were_let_go_are_exported_though_the_worker_was_lost_then(how: How) -> None:
    """They stood in line, and the export was not due: the retry let nothing go, so it woke nobody."""
    name = "documents.release.move" if how is How.AFTER else "jobs.make_due"
    stage, verdict = played("accounts", Strike(Boundary(1, name, 1), how))
    assert stage.struck
    assert verdict.holds, verdict.broken


def test_a_page_instead_of_an_answer_is_no_registration() -> None:
    """A maintenance page with status 200 was taken for Teamleader's yes: the payment was never there."""
    calm, _ = played("payments")
    nth = 1 + calm.requests.index("POST teamleader /invoices.registerPayment")
    stage, verdict = played("payments", troubles=(Trouble(nth, "html_page"),))
    assert stage.struck
    assert verdict.holds, verdict.broken


def test_a_file_in_doubt_is_settled_also_when_it_cannot_be_fetched_any_more() -> None:
    """It was given up, and what was sent of it stayed unknown for ever."""
    unsent = Strike(Boundary(1, ATTACH, 1), How.UNSENT)
    before, _ = played("files", unsent)
    second_life = [at for at, name in enumerate(before.requests) if name == "POST teamleader /invoices.list"][1]
    nth = 1 + before.requests.index("GET teamleader /downloads/…", second_life)
    stage, verdict = played("files", unsent, troubles=(Trouble(nth, "rate_limit"),))
    assert len(stage.struck) == 2
    assert verdict.holds, verdict.broken


@pytest.mark.parametrize("how", [How.UNSENT, How.LOST])
def test_what_was_sent_is_settled_also_when_the_books_closed_meanwhile(how: How) -> None:
    """The next slice knew that the period is closed, held the document and never asked what became of its booking."""
    write = Boundary(1, "POST exact /api/v1/3001234/salesentry/SalesEntries", 1)
    stage, verdict = played("documents", Strike(write, how))
    assert stage.struck
    assert verdict.holds, verdict.broken
