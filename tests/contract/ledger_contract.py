"""What every package keeps, whatever it is called: the contract of the port `Ledger`.

Subclass it with a fixture `bench` and follow the red.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from boekbrug.domain.documents import CustomerKind, CustomerRef, DocumentId, DocumentKind, File, document_key
from boekbrug.domain.entries import period_for
from boekbrug.domain.errors import (
    AccountBlocked,
    CustomerIncomplete,
    JournalInUse,
    JournalMissing,
    JournalNotSales,
    NotPossible,
    NumberTaken,
    PeriodClosed,
    RefusedByPackage,
    RelationGone,
    SyncError,
    VatCodeRefused,
)
from boekbrug.domain.ledger import (
    Booking,
    Cursor,
    Done,
    Entered,
    EntryLine,
    Folder,
    FolderRef,
    JournalKind,
    Match,
    Page,
    Prepared,
    PreparedReceipt,
    Receipt,
    Refused,
    Regime,
    SalesEntry,
    Settlement,
    SettlementKind,
    Unknown,
)
from boekbrug.domain.money import Money
from boekbrug.domain.relations import Address, RelationDraft, RelationQuery, RelationRef
from boekbrug.ports import Cabinet, Ledger, Receipts

from .benches import Bench, NumberedBench

INVOICE, CREDIT_NOTE = DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE
PER_LINE = (("0.55", "21", "0.12"), ("0.55", "21", "0.12"), ("0.55", "21", "0.12"))
PER_RATE = (("0.55", "21", "0.12"), ("0.55", "21", "0.11"), ("0.55", "21", "0.12"))
RESIDUAL = (("0.55", "21", "0.12"), ("0.55", "21", "0.12"), ("0.55", "21", "0.12"), ("0.60", "21", "0.11"))
PDF, UBL = File("2026-0117.pdf", b"%PDF-1.4 \x00\xff"), File("2026-0117.xml", b"<Invoice/>")
PLAIN = (("1000.00", "21", "210.00"),)


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def read(pages: Iterator[Page], since: Cursor | None = None) -> tuple[list, Cursor | None]:
    """All rows of a reader, and its last cursor: `since` when it saw no reason to look."""
    rows: list = []
    for page in pages:
        rows += page.rows
        since = page.cursor
    return rows, since


class LedgerContract:
    """Every test gets a fresh bench."""

    # --- builders ---------------------------------------------------------------------------------------------------

    @pytest.fixture
    def customer(self, bench: Bench) -> RelationRef:
        return bench.add_relation("Bakkerij De Korenmolen BV", "BE0123456749")

    @pytest.fixture
    def an_entry(self, bench: Bench, customer: RelationRef):
        """Builds entries from lines (net, percentage, VAT), with codes, account and period from the ledger itself."""
        ledger = bench.ledger
        sales = [journal.code for journal in ledger.journals() if journal.kind is JournalKind.SALES]
        codes = {
            (kind, code.percentage): code.code
            for code in ledger.vat_codes()
            if code.usable and code.regime is Regime.DOMESTIC
            for kind in code.kinds
        }
        account = ledger.revenue_accounts()[0].id
        years = ledger.fiscal_years()

        def build(
            number: str = "2026/0117",
            kind: DocumentKind = INVOICE,
            lines: Iterable[tuple[str, str, str]] = PLAIN,
            currency: str = "EUR",
            rate: str = "1",
            **changes: object,
        ) -> SalesEntry:
            day = changes.pop("day", date(bench.year, 5, 11))
            journal = changes.pop("journal", sales[0] if kind is INVOICE else sales[-1])
            entry = SalesEntry(
                document=DocumentId(f"document-{number}"),
                key=document_key(DocumentId(f"document-{number}")),
                kind=kind,
                number=number,
                journal=journal,
                day=day,
                due_on=day + timedelta(days=14) if kind is INVOICE else None,
                period=period_for(day, years, journal),
                relation=customer,
                currency=currency,
                exchange_rate=Decimal(rate),
                lines=tuple(
                    EntryLine(
                        account,
                        codes[kind, Decimal(percentage) / 100],
                        Money.of(net, currency),
                        Money.of(vat, currency),
                        "Advies",
                    )
                    for net, percentage, vat in lines
                ),
            )
            return replace(entry, **changes)

        return build

    def prepared(self, bench: Bench, *entries: SalesEntry) -> list[Prepared]:
        """Of several, one at a time where each takes a number."""
        if bench.ledger.abilities.caller_numbers:
            return [self.under_a_number(bench, bench.ledger, entry) for entry in entries]
        return list(bench.ledger.prepare(entries))

    def under_a_number(self, bench: Bench, ledger: Ledger, entry: SalesEntry) -> Prepared | SyncError:
        """As the export does: a number that is news counts as taken until the journals were looked at."""
        (one,) = ledger.prepare([entry])
        if isinstance(one, NumberTaken):
            list(ledger.bookings([entry.journal], date(bench.year, 1, 1), None))
            (one,) = ledger.prepare([entry])
        return one

    def book(self, bench: Bench, entry: SalesEntry) -> Booking:
        (outcome,) = bench.ledger.book(self.prepared(bench, entry))
        if isinstance(outcome, Refused) and isinstance(outcome.cause, NumberTaken):  # somebody booked there by hand
            (outcome,) = bench.ledger.book(self.prepared(bench, entry))
        assert isinstance(outcome, Done), outcome
        return outcome.value

    def refusal(self, bench: Bench, entry: SalesEntry) -> Exception:
        prepared = self.prepared(bench, entry)
        if isinstance(prepared[0], SyncError):
            return prepared[0]
        (outcome,) = bench.ledger.book(prepared)
        assert isinstance(outcome, Refused), outcome
        assert bench.ledger.find_bookings(prepared) == [[]]
        return outcome.cause

    def settled(self, bench: Bench, since: Cursor | None = None) -> dict[str, Settlement]:
        """The latest row of each part."""
        rows, _ = read(bench.ledger.settlements(since))
        return {row.id: row for row in rows}

    def left_open(self, bench: Bench, booking: Booking) -> list[str]:
        """What is still open of it: the matches tell, or else a report of open items."""
        items = bench.ledger.open_items()
        if items is None:
            return self.money_of(bench, booking, SettlementKind.OPEN)
        return [str(item.open) for item in items if item.booking == booking.ref]

    def money_of(self, bench: Bench, booking: Booking, kind: SettlementKind) -> list[str]:
        rows = self.settled(bench).values()
        return sorted(str(row.amount) for row in rows if row.booking == booking.ref and row.kind is kind)

    # --- what an administration holds -------------------------------------------------------------------------------

    def test_it_knows_itself_as_its_package_lists_it(self, bench):
        own = bench.ledger.administration()
        assert own in bench.package.administrations()
        assert own.usable
        assert own.currency == "EUR"

    def test_it_has_sales_journals_open_periods_and_somewhere_to_book_revenue(self, bench):
        sales = [journal for journal in bench.ledger.journals() if journal.kind is JournalKind.SALES]
        assert len(sales) >= 2
        assert any(journal.kind is JournalKind.BANK for journal in bench.ledger.journals())
        assert bench.ledger.revenue_accounts()
        years = bench.ledger.fiscal_years()
        days = [date(bench.year, 1, 1) + timedelta(days=n) for n in range(365)]
        assert all(period_for(day, years, sales[0].code) for day in days)

    def test_percentages_of_vat_codes_are_fractions(self, bench):
        usable = [code for code in bench.ledger.vat_codes() if code.usable]
        assert {Decimal("0.21"), Decimal("0.06"), Decimal(0)} <= {code.percentage for code in usable}

    def test_payment_terms_count_in_days(self, bench):
        assert 30 in {term.days for term in bench.ledger.payment_terms()}

    # --- relations --------------------------------------------------------------------------------------------------

    def test_a_created_relation_is_a_customer_and_is_found_again(self, bench):
        (outcome,) = bench.ledger.save_relations([a_draft("Drukkerij Voorbeeld NV", vat_number="BE0987654394")])
        assert isinstance(outcome, Done)
        made = outcome.value
        assert made.is_customer
        assert made.code
        ((found,),) = bench.ledger.find_relations([RelationQuery("", vat_number="BE0987654394")])
        assert (found.ref, found.name, found.email) == (made.ref, "Drukkerij Voorbeeld NV", "info@voorbeeld.example")
        ((by_ref,),) = bench.ledger.find_relations([RelationQuery("", ref=made.ref)])
        assert by_ref == found

    @pytest.mark.parametrize("typed", ["BE 0987.654.394", "BE0987.654.394", "BE 0987654394", "BE0987654394"])
    def test_a_vat_number_is_found_however_it_was_typed(self, bench, typed):
        ref = bench.add_relation("Drukkerij Voorbeeld", typed)
        ((found,),) = bench.ledger.find_relations([RelationQuery("Heel anders", vat_number="BE0987654394")])
        assert found.ref == ref

    def test_a_name_is_found_whatever_its_capitals(self, bench):
        ref = bench.add_relation("DRUKKERIJ Voorbeeld")
        ((found,),) = bench.ledger.find_relations([RelationQuery("Drukkerij voorbeeld")])
        assert found.ref == ref

    def test_half_a_name_is_not_found(self, bench):
        bench.add_relation("Drukkerij Voorbeeld Gent")
        assert bench.ledger.find_relations([RelationQuery("Drukkerij Voorbeeld")]) == [[]]

    def test_an_apostrophe_does_no_harm(self, bench):
        ref = bench.add_relation("O'Brien & Zonen +100%")
        ((found,),) = bench.ledger.find_relations([RelationQuery("O'Brien & Zonen +100%")])
        assert found.ref == ref

    def test_a_relation_that_is_no_customer_is_found_and_says_so(self, bench):
        bench.add_relation("Drukkerij Voorbeeld", customer=False)
        ((found,),) = bench.ledger.find_relations([RelationQuery("Drukkerij Voorbeeld")])
        assert not found.is_customer

    def test_answers_come_in_the_order_of_the_questions(self, bench):
        refs = [bench.add_relation(f"Firma {letter}") for letter in "ABC"]
        queries = [RelationQuery("Firma C"), RelationQuery("Firma Z"), RelationQuery("Firma A")]
        found = bench.ledger.find_relations(queries)
        assert [[relation.ref for relation in answer] for answer in found] == [[refs[2]], [], [refs[0]]]

    def test_a_hundred_questions_are_fewer_calls_but_no_fewer_answers(self, bench):
        ref = bench.add_relation("Firma 99")
        found = bench.ledger.find_relations([RelationQuery(f"Firma {n}") for n in range(100)])
        assert [[relation.ref for relation in answer] for answer in found[98:]] == [[], [ref]]

    def test_all_namesakes_are_found_beyond_one_page(self, bench):
        bench.add_namesakes("Janssens", 70)
        (found,) = bench.ledger.find_relations([RelationQuery("Janssens")])
        assert len({relation.ref for relation in found}) == 70

    def test_a_customer_the_package_would_refuse_has_its_own_outcome(self, bench):
        drafts = [a_draft("Firma A"), a_draft("Firma B", email="geen adres"), a_draft("Firma C")]
        first, second, third = bench.ledger.save_relations(drafts)
        assert (first.value.name, third.value.name) == ("Firma A", "Firma C")
        assert isinstance(second.cause, CustomerIncomplete)
        assert second.cause.facts == {"customer": "Firma B", "field": "email"}

    def test_a_relation_whose_answer_was_lost_is_found(self, bench):
        bench.lose_next_answer()
        (outcome,) = bench.ledger.save_relations([a_draft("Firma A")])
        assert isinstance(outcome, Unknown)
        ((found,),) = bench.ledger.find_relations([RelationQuery("Firma A")])
        assert found.is_customer

    @pytest.mark.parametrize("lose", ["lose_next_answer", "lose_next_request"])
    def test_in_doubt_a_relation_is_offered_again_and_there_is_one(self, bench, lose):
        if not bench.ledger.abilities.resend_settles:
            pytest.skip("a second one is a second relation")
        draft = a_draft("Firma A")
        getattr(bench, lose)()
        assert isinstance(bench.ledger.save_relations([draft])[0], Unknown)
        made = [bench.ledger.save_relations([draft])[0].value.ref for _ in range(2)]
        ((found,),) = bench.ledger.find_relations([RelationQuery("Firma A")])
        assert made == [found.ref, found.ref]

    def test_relations_are_read_in_full_and_then_only_what_changed(self, bench):
        before = {bench.add_relation("Firma A"), bench.add_relation("Firma B", customer=False)}
        bench.let_time_pass()
        rows, cursor = read(bench.ledger.relations(None))
        assert before <= {row.ref for row in rows}
        assert read(bench.ledger.relations(cursor), cursor) == ([], cursor)
        later = bench.add_relation("Firma C")
        bench.let_time_pass()
        rows, _ = read(bench.ledger.relations(cursor))
        assert [row.ref for row in rows] == [later]

    def test_many_changes_come_in_pages_and_none_is_missed(self, bench):
        bench.let_time_pass()
        _, cursor = read(bench.ledger.relations(None))
        bench.add_namesakes("Peeters", 1010)
        bench.let_time_pass()
        pages = list(bench.ledger.relations(cursor))
        assert len({row.ref for page in pages for row in page.rows}) == 1010
        if len(pages) == 1:
            return  # a vendor that tells everything at once
        half_way, _ = read(bench.ledger.relations(pages[0].cursor))
        assert len(half_way) == 1010 - len(pages[0].rows)

    # --- booking ----------------------------------------------------------------------------------------------------

    def test_the_same_entry_is_prepared_the_same_twice(self, bench, an_entry):
        once, again, other = self.prepared(bench, an_entry(), an_entry(), an_entry(lines=PER_RATE))
        assert (once.payload, once.hash) == (again.payload, again.hash)
        assert once.hash != other.hash

    def test_a_booking_answers_with_what_was_booked(self, bench, an_entry):
        entry = an_entry()
        booked = self.book(bench, entry)
        assert (booked.kind, booked.journal, booked.day) == (INVOICE, entry.journal, entry.day)
        assert (booked.gross, booked.vat) == (eur("1210.00"), eur("210.00"))
        assert (booked.reference, booked.key, booked.relation) == (entry.number, entry.key, entry.relation)
        assert booked.administration == bench.ledger.administration().id
        assert booked.number

    def test_a_booking_reads_back_as_it_was_answered(self, bench, an_entry):
        booked = self.book(bench, an_entry())
        stands = bench.ledger.booking(booked)
        assert (stands.ref, stands.reference, stands.gross) == (booked.ref, booked.reference, booked.gross)
        if bench.ledger.abilities.reads_back:
            assert stands == booked

    def test_a_deleted_booking_is_gone(self, bench, an_entry):
        booked = self.book(bench, an_entry())
        bench.delete(booked.ref)
        assert bench.ledger.booking(booked) is None

    @pytest.mark.parametrize("kind", DocumentKind)
    @pytest.mark.parametrize(("net", "vat"), [("100.00", "21.00"), ("-100.00", "-21.00")])
    def test_amounts_come_back_as_printed_whatever_the_kind(self, bench, an_entry, kind, net, vat):
        booked = self.book(bench, an_entry(kind=kind, lines=[(net, "21", vat)]))
        assert booked.kind is kind
        assert (booked.gross, booked.vat) == (eur(net) + eur(vat), eur(vat))

    def test_a_whole_credit_note_nets_its_invoice_to_zero_per_code(self, bench, an_entry):
        lines = [("100.10", "21", "21.02"), ("-7.77", "21", "-1.63"), ("20.00", "6", "1.20")]
        invoice = self.book(bench, an_entry("1", lines=lines))
        credit_note = self.book(bench, an_entry("C1", CREDIT_NOTE, lines=lines))
        assert bench.vat_by_code(invoice.ref) == bench.vat_by_code(credit_note.ref)

    @pytest.mark.parametrize("kind", DocumentKind)
    @pytest.mark.parametrize("lines", [PER_LINE, PER_RATE, RESIDUAL], ids=["per_line", "per_rate", "residual"])
    def test_vat_is_booked_to_the_cent_however_it_was_rounded(self, bench, an_entry, kind, lines):
        entry = an_entry(kind=kind, lines=lines)
        booked = self.book(bench, entry)
        assert (booked.gross, booked.vat) == (entry.gross, entry.vat)
        assert bench.vat_by_code(booked.ref) == entry.vat_by_code()

    def test_several_rates_each_keep_their_vat(self, bench, an_entry):
        entry = an_entry(lines=[("99.99", "21", "21.00"), ("10.01", "6", "0.60"), ("5.00", "0", "0.00")])
        booked = self.book(bench, entry)
        assert bench.vat_by_code(booked.ref) == entry.vat_by_code()

    def test_a_total_of_zero_is_booked_and_awaits_no_payment(self, bench, an_entry):
        booked = self.book(bench, an_entry(lines=[("10.00", "21", "2.10"), ("-10.00", "21", "-2.10")]))
        assert booked.gross == eur("0.00")
        assert self.left_open(bench, booked) == []

    def test_a_foreign_document_keeps_its_own_currency(self, bench, an_entry):
        booked = self.book(bench, an_entry(currency="USD", rate="0.8", lines=[("100.00", "0", "0.00")]))
        assert booked.gross == Money.of("100.00", "USD")
        bench.pay(booked.ref, Money.of("40.00", "USD"), date(bench.year, 6, 1))
        assert self.money_of(bench, booked, SettlementKind.PAYMENT) == ["40.00 USD"]

    def test_each_entry_has_its_own_outcome(self, bench, an_entry):
        if bench.ledger.abilities.caller_numbers:
            pytest.skip("one at a time")
        size = bench.ledger.abilities.batch
        entries = [an_entry(str(n)) for n in range(max(size, 2))]
        outcomes = [
            outcome
            for first in range(0, len(entries), size)
            for outcome in bench.ledger.book(bench.ledger.prepare(entries[first : first + size]))
        ]
        assert [outcome.value.reference for outcome in outcomes] == [entry.number for entry in entries]

    # --- refusals ---------------------------------------------------------------------------------------------------

    def test_a_closed_period_refuses(self, bench, an_entry):
        entry = an_entry()
        bench.close_period(entry.day, entry.journal)
        cause = self.refusal(bench, entry)
        assert isinstance(cause, PeriodClosed)
        assert cause.facts["period"] == entry.period.name

    def test_a_period_closed_by_hand_is_seen(self, bench, an_entry):
        entry = an_entry()
        bench.close_period(entry.day, entry.journal)
        with pytest.raises(PeriodClosed):
            period_for(entry.day, bench.ledger.fiscal_years(), entry.journal)
        assert period_for(entry.day + timedelta(days=31), bench.ledger.fiscal_years(), entry.journal)

    def test_an_unknown_vat_code_refuses(self, bench, an_entry):
        entry = an_entry()
        entry = replace(entry, lines=(replace(entry.lines[0], vat_code="ZZZ"),))
        assert isinstance(self.refusal(bench, entry), VatCodeRefused)

    def test_an_account_that_takes_no_revenue_refuses(self, bench, an_entry):
        entry = an_entry()
        entry = replace(entry, lines=(replace(entry.lines[0], account=bench.odd_account),))
        assert isinstance(self.refusal(bench, entry), AccountBlocked)

    def test_a_journal_that_is_not_for_sales_refuses(self, bench, an_entry):
        bank = next(journal for journal in bench.ledger.journals() if journal.kind is JournalKind.BANK)
        assert isinstance(self.refusal(bench, an_entry(journal=bank.code)), JournalNotSales)

    def test_an_unknown_journal_refuses(self, bench, an_entry):
        assert isinstance(self.refusal(bench, an_entry(journal="ZZ9")), JournalMissing)

    def test_a_relation_that_is_no_customer_refuses(self, bench, an_entry):
        prospect = bench.add_relation("Firma Misschien", customer=False)
        assert isinstance(self.refusal(bench, an_entry(relation=prospect)), RelationGone)

    # --- once -------------------------------------------------------------------------------------------------------

    def test_a_booking_whose_answer_was_lost_is_found_exactly(self, bench, an_entry):
        self.book(bench, an_entry("2026/0116"))
        prepared = self.prepared(bench, an_entry())
        bench.lose_next_answer()
        (outcome,) = bench.ledger.book(prepared)
        assert isinstance(outcome, Unknown)
        ((found,),) = bench.ledger.find_bookings(prepared)
        entry = prepared[0].entry
        assert (found.key, found.reference, found.gross, found.vat) == (entry.key, entry.number, entry.gross, entry.vat)
        assert (found.kind, found.journal, found.relation, found.day) == (
            entry.kind,
            entry.journal,
            entry.relation,
            entry.day,
        )

    def test_a_booking_that_never_arrived_is_not_found(self, bench, an_entry):
        prepared = self.prepared(bench, an_entry())
        bench.lose_next_request()
        (outcome,) = bench.ledger.book(prepared)
        assert isinstance(outcome, Unknown)
        assert bench.ledger.find_bookings(prepared) == [[]]

    def test_the_same_number_by_hand_is_found_and_is_not_ours(self, bench, an_entry):
        bench.book_by_hand(an_entry())
        ((found,),) = bench.ledger.find_bookings(self.prepared(bench, an_entry()))
        assert (found.reference, found.key, found.gross) == ("2026/0117", "", eur("1210.00"))

    def test_a_probe_answers_for_each_entry(self, bench, an_entry):
        for number in ("1", "O'Neil/+2"):
            self.book(bench, an_entry(number))
        wanted = self.prepared(bench, an_entry("O'Neil/+2"), an_entry("3"), an_entry("1"))
        found = bench.ledger.find_bookings(wanted)
        assert [[booking.reference for booking in answer] for answer in found] == [["O'Neil/+2"], [], ["1"]]

    def test_credit_note_and_invoice_of_one_number_are_both_found(self, bench, an_entry):
        self.book(bench, an_entry("7"))
        self.book(bench, an_entry("7", CREDIT_NOTE))
        (found,) = bench.ledger.find_bookings(self.prepared(bench, an_entry("7")))
        assert {booking.kind for booking in found} == set(DocumentKind)

    # --- numbers of ours --------------------------------------------------------------------------------------------

    @pytest.fixture
    def numbered(self, bench: Bench) -> NumberedBench:
        if not bench.ledger.abilities.caller_numbers:
            pytest.skip("the package numbers its bookings itself")
        return bench

    def offer(self, bench: Bench, one: Prepared, *, again: bool = False) -> object:
        """A booking, or the cause of a refusal, or None when that is not known."""
        (outcome,) = bench.ledger.book([replace(one, again=again)])
        match outcome:
            case Done(booking):
                return booking
            case Refused(cause):
                return cause
        return None

    def standing(self, bench: Bench, one: Prepared) -> list[str]:
        """The names of the bookings that carry an entry's reference or key."""
        (found,) = bench.ledger.find_bookings([one])
        return [booking.ref for booking in found]

    def test_a_number_names_its_booking_and_they_are_taken_one_at_a_time(self, numbered, an_entry):
        assert numbered.ledger.abilities.batch == 1
        assert numbered.ledger.abilities.resend_settles
        (one,) = self.prepared(numbered, an_entry())
        assert one.number
        booked = self.offer(numbered, one)
        assert (booked.ref, booked.number) == (one.ref, one.number)
        assert self.standing(numbered, one) == [one.ref]

    def test_numbers_follow_without_a_gap_journal_by_journal(self, numbered, an_entry):
        entries = [
            an_entry("1"),
            an_entry("C1", CREDIT_NOTE),
            an_entry("2"),
            an_entry("3"),
            an_entry("C2", CREDIT_NOTE),
        ]
        numbers = [number_in(self.book(numbered, entry).ref) for entry in entries]
        first, credit = numbers[:2]
        assert numbers == [first, credit, first + 1, first + 2, credit + 1]

    def test_a_refusal_leaves_its_number_to_the_next(self, numbered, an_entry):
        entry = an_entry("1")
        (bad,) = self.prepared(numbered, replace(entry, lines=(replace(entry.lines[0], vat_code="ZZZ"),)))
        assert isinstance(self.offer(numbered, bad), VatCodeRefused)
        assert self.book(numbered, an_entry("2")).ref == bad.ref

    def test_a_lost_answer_is_settled_by_offering_again(self, numbered, an_entry):
        self.book(numbered, an_entry("1"))
        (one,) = self.prepared(numbered, an_entry("2"))
        numbered.lose_next_answer()
        assert self.offer(numbered, one) is None
        for _ in range(2):
            booked = self.offer(numbered, one, again=True)
            assert (booked.ref, booked.reference, booked.gross) == (one.ref, "2", one.entry.gross)
        assert self.standing(numbered, one) == [one.ref]

    def test_a_lost_request_is_settled_by_offering_again(self, numbered, an_entry):
        (one,) = self.prepared(numbered, an_entry())
        numbered.lose_next_request()
        assert self.offer(numbered, one) is None
        assert self.offer(numbered, one, again=True).ref == one.ref
        assert self.standing(numbered, one) == [one.ref]
        assert number_in(self.book(numbered, an_entry("2")).ref) == number_in(one.ref) + 1

    def test_a_number_somebody_took_meanwhile_is_refused_and_the_next_one_goes(self, numbered, an_entry):
        (one,) = self.prepared(numbered, an_entry("1"))
        numbered.book_by_hand(an_entry("9"))
        assert isinstance(self.offer(numbered, one), NumberTaken)
        assert self.standing(numbered, one) == []
        (anew,) = self.prepared(numbered, an_entry("1"))
        assert number_in(anew.ref) == number_in(one.ref) + 1
        assert self.offer(numbered, anew).ref == anew.ref

    def test_a_first_offer_never_takes_what_stands_there_for_its_own(self, numbered, an_entry):
        (one,) = self.prepared(numbered, an_entry())
        assert self.offer(numbered, one).ref == one.ref
        assert isinstance(self.offer(numbered, one), NumberTaken)
        assert self.standing(numbered, one) == [one.ref]

    def test_a_number_that_is_news_is_used_only_after_a_look(self, numbered, an_entry):
        """Somebody may have booked up to it, this very document even, since the journals were looked at last."""
        entry, other = an_entry("1"), an_entry("9")
        journals, since = [entry.journal], date(numbered.year, 1, 1)
        _, cursor = read(numbered.ledger.bookings(journals, since, None))
        numbered.book_by_hand(other)
        (one,) = numbered.ledger.prepare([entry])
        assert isinstance(one, NumberTaken)
        rows, _ = read(numbered.ledger.bookings(journals, since, cursor))
        assert [row.reference for row in rows] == ["9"]
        (one,) = numbered.ledger.prepare([entry])
        assert self.offer(numbered, one).ref == one.ref

    def test_in_doubt_a_number_that_another_booking_has_is_not_ours(self, numbered, an_entry):
        (one,) = self.prepared(numbered, an_entry("1"))
        numbered.lose_next_request()
        self.offer(numbered, one)
        numbered.book_by_hand(an_entry("9"))
        assert isinstance(self.offer(numbered, one, again=True), NumberTaken)
        assert self.standing(numbered, one) == []

    def test_in_doubt_a_number_that_nobody_has_and_is_not_the_next_is_not_ours(self, numbered, an_entry):
        before = self.book(numbered, an_entry("1"))
        (one,) = self.prepared(numbered, an_entry("2"))
        numbered.lose_next_request()
        self.offer(numbered, one)
        numbered.delete(before.ref)
        assert isinstance(self.offer(numbered, one, again=True), NumberTaken)
        assert self.standing(numbered, one) == []

    def test_in_doubt_a_refusal_that_comes_after_the_number_says_that_it_was_free(self, numbered, an_entry):
        entry = an_entry()
        (one,) = self.prepared(numbered, replace(entry, lines=(replace(entry.lines[0], vat_code="ZZZ"),)))
        numbered.lose_next_request()
        self.offer(numbered, one)
        assert isinstance(self.offer(numbered, one, again=True), VatCodeRefused)

    def test_a_journal_somebody_works_in_waits_and_says_until_when(self, numbered, an_entry):
        entry = an_entry()
        (one,) = self.prepared(numbered, entry)
        numbered.open_at_a_desk(entry.journal)
        refused = self.offer(numbered, one)
        assert isinstance(refused, JournalInUse)
        assert (refused.facts["journal"], refused.until is None) == (entry.journal, False)
        numbered.close_at_the_desk(entry.journal)
        assert self.book(numbered, entry).ref == one.ref

    def test_in_doubt_a_journal_somebody_works_in_tells_nothing(self, numbered, an_entry):
        (one,) = self.prepared(numbered, an_entry())
        numbered.lose_next_answer()
        self.offer(numbered, one)
        numbered.open_at_a_desk(one.entry.journal)
        assert self.offer(numbered, one, again=True) is None
        numbered.close_at_the_desk(one.entry.journal)
        assert self.offer(numbered, one, again=True).ref == one.ref

    def test_one_account_at_a_time_has_an_offer_open_in_a_journal(self, numbered, an_entry):
        other = numbered.another_account()
        (ours,) = self.prepared(numbered, an_entry("1"))
        (theirs,) = other.prepare([an_entry("9")])
        assert isinstance(theirs, JournalInUse)
        credit = self.under_a_number(numbered, other, an_entry("C9", CREDIT_NOTE))
        assert credit.number
        self.offer(numbered, ours)
        (theirs,) = other.prepare([an_entry("9")])
        assert number_in(theirs.ref) == number_in(ours.ref) + 1

    def test_what_is_in_doubt_keeps_its_journal_from_others(self, numbered, an_entry):
        (ours,) = self.prepared(numbered, an_entry("1"))
        numbered.lose_next_answer()
        self.offer(numbered, ours)
        assert isinstance(numbered.another_account().prepare([an_entry("9")])[0], JournalInUse)
        self.offer(numbered, ours, again=True)
        (theirs,) = numbered.another_account().prepare([an_entry("9")])
        assert number_in(theirs.ref) == number_in(ours.ref) + 1

    def test_the_last_booking_deleted_leaves_its_number_and_is_told(self, numbered, an_entry):
        first = self.book(numbered, an_entry("1"))
        journals, since = [first.journal], date(numbered.year, 1, 1)
        rows, cursor = read(numbered.ledger.bookings(journals, since, None))
        assert [row.ref for row in rows] == [first.ref]
        numbered.delete(first.ref)
        (one,) = self.prepared(numbered, an_entry("2"))
        assert isinstance(self.offer(numbered, one), NumberTaken)  # we thought it was further
        pages = list(numbered.ledger.bookings(journals, since, cursor))
        assert [ref for page in pages for ref in page.gone] == [first.ref]
        (one,) = self.prepared(numbered, an_entry("2"))
        assert one.ref == first.ref
        assert self.offer(numbered, one).reference == "2"
        assert numbered.ledger.booking(first).reference == "2"

    def test_files_go_along_whether_offered_once_or_again(self, numbered, an_entry):
        if not numbered.ledger.abilities.files_with_entry:
            pytest.skip("no files in the call that books")
        (one,) = self.prepared(numbered, an_entry("1"))
        one = replace(one, files=(PDF, UBL))
        assert sorted(numbered.files_of(self.offer(numbered, one).ref)) == [PDF.name, UBL.name]
        (one,) = self.prepared(numbered, an_entry("2"))
        one = replace(one, files=(PDF,))
        numbered.lose_next_request()
        self.offer(numbered, one)
        assert numbered.files_of(self.offer(numbered, one, again=True).ref) == [PDF.name]

    # --- files ------------------------------------------------------------------------------------------------------

    @pytest.fixture
    def cabinet(self, bench: Bench) -> Cabinet:
        found = bench.ledger.cabinet()
        if found is None:
            pytest.skip("keeps no files apart from bookings")
        return found

    def open(self, cabinet: Cabinet, entry: SalesEntry) -> FolderRef:
        outcome = cabinet.open(Folder.of(entry))
        assert isinstance(outcome, Done), outcome
        return outcome.value

    def test_a_booking_shows_the_files_that_were_filed_for_it(self, bench, cabinet, an_entry):
        entry = an_entry()
        folder = self.open(cabinet, entry)
        for file in (PDF, UBL):
            assert cabinet.put(folder, file) == Done(file.name)
        assert sorted(cabinet.names(folder)) == [PDF.name, UBL.name]
        booked = self.book(bench, replace(entry, folder=folder))
        assert sorted(bench.files_of(booked.ref)) == [PDF.name, UBL.name]

    def test_a_booking_without_a_folder_shows_no_files(self, bench, cabinet, an_entry):
        cabinet.put(self.open(cabinet, an_entry("1")), PDF)
        assert bench.files_of(self.book(bench, an_entry("2")).ref) == []

    @pytest.mark.parametrize("kind", DocumentKind)
    def test_a_folder_whose_answer_was_lost_is_found(self, bench, cabinet, an_entry, kind):
        self.open(cabinet, an_entry("2026/0116"))
        folder = Folder.of(an_entry("O'Neil/+2", kind))
        bench.lose_next_answer()
        assert isinstance(cabinet.open(folder), Unknown)
        found = cabinet.find(folder)
        assert found
        assert cabinet.names(found) == []

    def test_a_folder_that_never_arrived_is_not_found(self, bench, cabinet, an_entry):
        folder = Folder.of(an_entry())
        bench.lose_next_request()
        assert isinstance(cabinet.open(folder), Unknown)
        assert cabinet.find(folder) is None

    def test_a_folder_is_found_by_key_and_relation(self, bench, cabinet, an_entry):
        """Numbers are equal in entities that share an administration (rules.md 2)."""
        entry = an_entry()
        folder = self.open(cabinet, entry)
        assert cabinet.find(Folder.of(entry)) == folder
        assert cabinet.find(Folder.of(replace(entry, key=document_key(DocumentId("another"))))) is None
        assert cabinet.find(Folder.of(replace(entry, relation=bench.add_relation("Firma A")))) is None

    def test_a_file_whose_answer_was_lost_is_there(self, bench, cabinet, an_entry):
        folder = self.open(cabinet, an_entry())
        bench.lose_next_answer()
        assert isinstance(cabinet.put(folder, PDF), Unknown)
        assert cabinet.names(folder) == [PDF.name]

    def test_a_file_that_never_arrived_is_not_there(self, bench, cabinet, an_entry):
        folder = self.open(cabinet, an_entry())
        bench.lose_next_request()
        assert isinstance(cabinet.put(folder, PDF), Unknown)
        assert cabinet.names(folder) == []

    def test_a_file_that_is_too_large_is_refused_here(self, cabinet, an_entry):
        folder = self.open(cabinet, an_entry())
        outcome = cabinet.put(folder, File("film.pdf", bytes(10_000_001)))
        assert isinstance(outcome, Refused)
        assert isinstance(outcome.cause, NotPossible)
        assert outcome.cause.facts["feature"] == "file_too_large"
        assert cabinet.names(folder) == []

    def test_a_folder_that_is_not_there_takes_no_file_and_no_booking(self, bench, cabinet, an_entry):
        nowhere = FolderRef("00000000-0000-0000-0000-00000000dead")
        outcome = cabinet.put(nowhere, PDF)
        assert isinstance(outcome, Refused)
        assert isinstance(outcome.cause, RefusedByPackage)
        assert isinstance(self.refusal(bench, an_entry(folder=nowhere)), RefusedByPackage)

    # --- what stands in the journals --------------------------------------------------------------------------------

    def test_bookings_are_read_in_full_and_then_only_what_changed(self, bench, an_entry):
        invoice, credit_note = an_entry("1"), an_entry("C1", CREDIT_NOTE, lines=PER_LINE)
        for entry in (invoice, credit_note):
            self.book(bench, entry)
        journals = list(dict.fromkeys([invoice.journal, credit_note.journal]))
        bench.let_time_pass()
        rows, cursor = read(bench.ledger.bookings(journals, date(bench.year, 1, 1), None))
        assert {(row.reference, row.kind, row.gross, row.key) for row in rows} == {
            ("1", INVOICE, eur("1210.00"), invoice.key),
            ("C1", CREDIT_NOTE, credit_note.gross, credit_note.key),
        }
        assert {row.relation for row in rows} == {invoice.relation}
        assert read(bench.ledger.bookings(journals, date(bench.year, 1, 1), cursor), cursor) == ([], cursor)
        bench.book_by_hand(an_entry("2"))
        bench.let_time_pass()
        rows, _ = read(bench.ledger.bookings(journals, date(bench.year, 1, 1), cursor))
        assert [(row.reference, row.key, row.day) for row in rows] == [("2", "", invoice.day)]

    def test_other_journals_and_earlier_days_are_left_out(self, bench, an_entry):
        early, late = an_entry("1", day=date(bench.year, 3, 31)), an_entry("2", day=date(bench.year, 4, 1))
        credit_note = an_entry("C1", CREDIT_NOTE)
        for entry in (early, late, credit_note):
            self.book(bench, entry)
        if credit_note.journal == early.journal:
            pytest.skip("one journal for both kinds")
        rows, _ = read(bench.ledger.bookings([early.journal], date(bench.year, 4, 1), None))
        assert [row.reference for row in rows] == ["2"]

    # --- payments ---------------------------------------------------------------------------------------------------

    def test_nothing_is_settled_before_anybody_pays(self, bench, an_entry):
        booked = self.book(bench, an_entry())
        rows = self.settled(bench).values()
        assert {row.kind for row in rows if row.booking == booked.ref} <= {SettlementKind.OPEN}

    def test_a_full_payment(self, bench, an_entry):
        booked = self.book(bench, an_entry())
        bench.let_time_pass()
        _, cursor = read(bench.ledger.settlements(None))
        bench.pay(booked.ref, eur("1210.00"), date(bench.year, 6, 2))
        bench.let_time_pass()
        (row,) = self.settled(bench, cursor).values()
        assert (row.booking, row.kind) == (booked.ref, SettlementKind.PAYMENT)
        assert (row.amount, row.day) == (eur("1210.00"), date(bench.year, 6, 2))

    def test_a_partial_payment_leaves_the_rest_open(self, bench, an_entry):
        booked = self.book(bench, an_entry())
        bench.pay(booked.ref, eur("60.50"), date(bench.year, 6, 2))
        assert self.money_of(bench, booked, SettlementKind.PAYMENT) == ["60.50 EUR"]
        assert self.left_open(bench, booked) == ["1149.50 EUR"]

    def test_two_payments_are_two_settlements_each_with_its_day(self, bench, an_entry):
        booked = self.book(bench, an_entry())
        bench.pay(booked.ref, eur("210.00"), date(bench.year, 6, 2))
        bench.let_time_pass()
        _, cursor = read(bench.ledger.settlements(None))
        bench.pay(booked.ref, eur("1000.00"), date(bench.year, 7, 3))
        bench.let_time_pass()
        rows = [row for row in self.settled(bench).values() if row.kind is SettlementKind.PAYMENT]
        assert {(str(row.amount), row.day) for row in rows} == {
            ("210.00 EUR", date(bench.year, 6, 2)),
            ("1000.00 EUR", date(bench.year, 7, 3)),
        }
        assert self.left_open(bench, booked) == []
        later = [row for row in self.settled(bench, cursor).values() if row.kind is SettlementKind.PAYMENT]
        assert "1000.00 EUR" in {str(row.amount) for row in later}

    def test_an_undone_payment_opens_the_same_part_again(self, bench, an_entry):
        booked = self.book(bench, an_entry())
        bench.pay(booked.ref, eur("1210.00"), date(bench.year, 6, 2))
        (before,) = [row for row in self.settled(bench).values() if row.booking == booked.ref]
        bench.let_time_pass()
        _, cursor = read(bench.ledger.settlements(None))
        bench.unmatch(booked.ref)
        bench.let_time_pass()
        after = self.settled(bench, cursor)[before.id]
        assert (after.kind, after.amount) == (SettlementKind.OPEN, eur("1210.00"))

    def test_a_credit_note_that_settles_is_no_money(self, bench, an_entry):
        invoice = self.book(bench, an_entry("1"))
        credit_note = self.book(bench, an_entry("C1", CREDIT_NOTE, lines=[("100.00", "21", "21.00")]))
        bench.match(invoice.ref, credit_note.ref, eur("121.00"), date(bench.year, 6, 2))
        assert self.money_of(bench, invoice, SettlementKind.CREDIT_NOTE) == ["121.00 EUR"]
        assert self.money_of(bench, credit_note, SettlementKind.CREDIT_NOTE) == ["121.00 EUR"]
        assert self.left_open(bench, invoice) == ["1089.00 EUR"]
        assert self.money_of(bench, invoice, SettlementKind.PAYMENT) == []

    def test_an_undone_match_opens_both_ends(self, bench, an_entry):
        invoice = self.book(bench, an_entry("1"))
        credit_note = self.book(bench, an_entry("C1", CREDIT_NOTE))
        bench.match(invoice.ref, credit_note.ref, eur("1210.00"), date(bench.year, 6, 2))
        bench.unmatch(invoice.ref, credit_note.ref)
        for booking in (invoice, credit_note):
            assert self.money_of(bench, booking, SettlementKind.CREDIT_NOTE) == []
            assert self.left_open(bench, booking) == ["1210.00 EUR"]

    def test_a_written_off_rest_is_told_from_money(self, bench, an_entry):
        booked = self.book(bench, an_entry())
        bench.pay(booked.ref, eur("1209.50"), date(bench.year, 6, 2))
        bench.write_off(booked.ref, eur("0.50"), date(bench.year, 6, 3))
        assert self.money_of(bench, booked, SettlementKind.PAYMENT) == ["1209.50 EUR"]
        assert self.money_of(bench, booked, SettlementKind.WRITE_OFF) == ["0.50 EUR"]

    def test_money_and_credit_note_on_one_invoice_stay_apart(self, bench, an_entry):
        invoice = self.book(bench, an_entry("1"))
        credit_note = self.book(bench, an_entry("C1", CREDIT_NOTE, lines=[("100.00", "21", "21.00")]))
        bench.pay(invoice.ref, eur("1089.00"), date(bench.year, 6, 2))
        bench.match(invoice.ref, credit_note.ref, eur("121.00"), date(bench.year, 6, 3))
        assert self.money_of(bench, invoice, SettlementKind.PAYMENT) == ["1089.00 EUR"]
        assert self.money_of(bench, invoice, SettlementKind.CREDIT_NOTE) == ["121.00 EUR"]

    def test_credit_note_and_written_off_rest_on_one_invoice_stay_apart(self, bench, an_entry):
        invoice = self.book(bench, an_entry("1"))
        credit_note = self.book(bench, an_entry("C1", CREDIT_NOTE, lines=[("999.50", "21", "209.90")]))
        bench.match(invoice.ref, credit_note.ref, eur("1209.40"), date(bench.year, 6, 2))
        bench.write_off(invoice.ref, eur("0.60"), date(bench.year, 6, 3))
        assert self.money_of(bench, invoice, SettlementKind.CREDIT_NOTE) == ["1209.40 EUR"]
        assert self.money_of(bench, invoice, SettlementKind.WRITE_OFF) == ["0.60 EUR"]

    def test_money_paid_back_on_a_credit_note_is_a_payment_of_it(self, bench, an_entry):
        credit_note = self.book(bench, an_entry("C1", CREDIT_NOTE))
        bench.pay(credit_note.ref, eur("1210.00"), date(bench.year, 6, 2))
        assert self.money_of(bench, credit_note, SettlementKind.PAYMENT) == ["1210.00 EUR"]

    def test_settlements_go_on_from_the_cursor(self, bench, an_entry):
        booked = self.book(bench, an_entry())
        bench.pay(booked.ref, eur("10.00"), date(bench.year, 6, 2))
        bench.let_time_pass()
        _, cursor = read(bench.ledger.settlements(None))
        assert read(bench.ledger.settlements(cursor), cursor) == ([], cursor)

    # --- money that only Teamleader has -----------------------------------------------------------------------------

    @pytest.fixture
    def receipts(self, bench: Bench) -> Receipts:
        found = bench.ledger.receipts()
        assert (found is not None) is bench.ledger.abilities.outward
        if found is None:
            pytest.skip("payments only come from these books")
        return found

    @pytest.fixture
    def a_receipt(self, bench: Bench, receipts: Receipts):
        """Builds a receipt for a booking, on the first clearing account, in the first various journal."""
        journal = next(one.code for one in bench.ledger.journals() if one.kind is JournalKind.GENERAL)
        day = date(bench.year, 6, 2)

        def build(booked: Booking, amount: str = "1210.00") -> Receipt:
            return Receipt(
                invoice=booked.ref,
                number=booked.reference,
                references=(booked.reference,),
                key=document_key(DocumentId(f"{booked.ref} {amount}")),
                journal=journal,
                account=receipts.accounts()[0].id,
                day=day,
                period=period_for(day, bench.ledger.fiscal_years(), journal),
                relation=booked.relation,
                amount=eur(amount),
            )

        return build

    def ready(self, receipts: Receipts, receipt: Receipt) -> PreparedReceipt:
        prepared = receipts.prepare(receipt)
        assert isinstance(prepared, PreparedReceipt), prepared
        return prepared

    def match(self, prepared: PreparedReceipt) -> Match:
        return Match(prepared.receipt.invoice, prepared.ref, prepared.receipt.amount)

    def test_a_receipt_that_is_matched_closes_its_invoice(self, bench, receipts, an_entry, a_receipt):
        booked = self.book(bench, an_entry())
        prepared = self.ready(receipts, a_receipt(booked))
        assert receipts.enter(prepared) == Done(Entered(prepared.ref, prepared.number))
        assert receipts.stands(prepared)
        assert self.left_open(bench, booked) == ["1210.00 EUR"]
        assert isinstance(receipts.match(self.match(prepared)), Done)
        assert self.left_open(bench, booked) == []
        assert self.money_of(bench, booked, SettlementKind.RECEIPT) == ["1210.00 EUR"]
        assert self.money_of(bench, booked, SettlementKind.PAYMENT) == []

    def test_a_receipt_of_a_part_leaves_the_rest_open(self, bench, receipts, an_entry, a_receipt):
        booked = self.book(bench, an_entry())
        first, second = a_receipt(booked, "10.00"), a_receipt(booked, "200.00")
        for receipt in (first, second):
            prepared = self.ready(receipts, receipt)
            receipts.enter(prepared)
            receipts.match(self.match(prepared))
        assert self.left_open(bench, booked) == ["1000.00 EUR"]

    @pytest.mark.parametrize("lose", ["lose_next_answer", "lose_next_request"])
    def test_in_doubt_a_receipt_is_offered_again_and_there_is_one(self, bench, receipts, an_entry, a_receipt, lose):
        booked = self.book(bench, an_entry())
        prepared = self.ready(receipts, a_receipt(booked))
        getattr(bench, lose)()
        assert isinstance(receipts.enter(prepared), Unknown)
        again = replace(prepared, again=True)
        assert receipts.enter(again) == receipts.enter(again) == Done(Entered(prepared.ref, prepared.number))
        following = self.ready(receipts, a_receipt(booked, "1.00"))
        assert number_in(following.ref) == number_in(prepared.ref) + 1

    @pytest.mark.parametrize("lose", ["lose_next_answer", "lose_next_request"])
    def test_in_doubt_a_match_is_offered_again_and_there_is_one(self, bench, receipts, an_entry, a_receipt, lose):
        booked = self.book(bench, an_entry())
        prepared = self.ready(receipts, a_receipt(booked, "210.00"))
        receipts.enter(prepared)
        getattr(bench, lose)()
        assert isinstance(receipts.match(self.match(prepared)), Unknown)
        for _ in range(2):
            assert isinstance(receipts.match(self.match(prepared), again=True), Done)
        assert self.left_open(bench, booked) == ["1000.00 EUR"]

    def test_a_receipt_cannot_be_matched_beyond_what_is_open(self, bench, receipts, an_entry, a_receipt):
        booked = self.book(bench, an_entry())
        prepared = self.ready(receipts, a_receipt(booked))
        receipts.enter(prepared)
        bench.pay(booked.ref, eur("1000.00"), date(bench.year, 6, 2))
        assert isinstance(receipts.match(self.match(prepared)), Refused)
        assert self.left_open(bench, booked) == ["210.00 EUR"]

    def test_a_receipt_somebody_deleted_does_not_stand(self, bench, receipts, an_entry, a_receipt):
        prepared = self.ready(receipts, a_receipt(self.book(bench, an_entry())))
        receipts.enter(prepared)
        bench.delete(prepared.ref)
        assert not receipts.stands(prepared)


def number_in(ref: str) -> int:
    """Where we choose the number, the name of a booking ends with it."""
    return int(ref.rpartition(".")[2])


def a_draft(name: str, **changes: object) -> RelationDraft:
    draft = RelationDraft(
        customer=CustomerRef(CustomerKind.COMPANY, str(uuid.uuid5(uuid.NAMESPACE_DNS, name))),
        name=name,
        vat_number="",
        enterprise_number="",
        email="info@voorbeeld.example",
        phone="+32 9 000 00 00",
        website="https://voorbeeld.example",
        address=Address("Molenstraat 7", "9000", "Gent", "BE"),
        language="nl",
        iban="",
        payment_days=30,
        payment_end_of_month=False,
    )
    return replace(draft, **changes)
