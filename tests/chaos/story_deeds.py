"""What people do in a story: in Teamleader, in the books, at the bridge and around it.

Each deed draws what it is done to, and says what came of it: nothing, when there is nothing to do it to.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random
from urllib.parse import urlsplit

import httpx

from boekbrug.domain.connections import JobKind
from boekbrug.ports import JobKey, WriteKind, WriteState
from tests.support.books import Typed
from tests.support.company import ACCOUNT
from tests.support.stage import BRIDGE

from .story import CUSTOMERS, KNOWN, Deed, Paper, Story

MONTHS = (1, 2, 3)
KINDS = tuple(kind.value for kind in JobKind)
CREDITED_ON = "2026-03-20"
FOCUS_HINTS = ("invoice.booked", "invoice.updated", "invoice.deleted", "creditNote.booked", "company.updated")
CENT = Decimal("0.01")


# --- in Teamleader ----------------------------------------------------------------------------------------------------


def issues(story: Story, chance: Random) -> str:
    name = chance.choice(CUSTOMERS)
    day = f"2026-0{chance.choice(MONTHS)}-{chance.randint(1, 28):02}"
    rate = chance.choice(("21", "21", "6"))
    made = story.company.invoices(_a_price(chance), rate=rate, customer=story.company.customer(name), day=day)
    story.papers.append(Paper(made, day, name, [(made.gross, made.vat)]))
    return f"{made.number} {made.gross}"


def credits_in_whole(story: Story, chance: Random) -> str:
    return _credit(story, chance, "")


def credits_in_part(story: Story, chance: Random) -> str:
    return _credit(story, chance, _a_price(chance, most=20))


def _credit(story: Story, chance: Random, net: str) -> str:
    paper = story.drawn(chance, lambda it: it.is_invoice and not it.gone)
    if paper is None:
        return ""
    note = story.company.credits(paper.document, net, day=CREDITED_ON)
    story.papers.append(Paper(note, CREDITED_ON, paper.customer, [(note.gross, note.vat)], credits=paper))
    return f"{paper.document.number}: {note.number} {note.gross}"


def edits(story: Story, chance: Random) -> str:
    """Booked or not: what is in the books stays there."""
    paper = story.drawn(chance, lambda it: it.is_invoice and not it.gone)
    if paper is None:
        return ""
    story.company.edits(paper.document, _a_price(chance))
    now = story.company._known("invoice", paper.document.id)
    paper.figures.append((now.gross, now.vat))
    return f"{paper.document.number}: {now.gross}"


def pays_by_hand(story: Story, chance: Random) -> str:
    """A person registers a payment that the books may bring too."""
    paper = story.drawn(chance, lambda it: it.is_invoice and not it.gone)
    amount = paper and (paper.figures[-1][0] * chance.choice((1, 2, 4)) / 4).quantize(CENT)
    if not paper or not amount:
        return ""
    story.company.registers_by_hand(paper.document, amount, day="2026-03-10")
    return f"{paper.document.number}: {amount}"


def deletes_the_last(story: Story, chance: Random) -> str:
    """Teamleader lets its last invoice go, whose number comes free, and any credit note."""
    there = [paper for paper in story.papers if not paper.gone]
    if not there:
        return ""
    paper = there[-1]
    story.company.stage.teamleader.post("delete_booking", tenant=ACCOUNT, booking=paper.document.id)
    paper.gone = True
    if paper.credits:
        paper.credits.owed_again = True
    return paper.document.number


# --- in the books -----------------------------------------------------------------------------------------------------


def pays(story: Story, chance: Random) -> str:
    return _pay(story, chance, parts=1)


def pays_a_part(story: Story, chance: Random) -> str:
    return _pay(story, chance, parts=chance.choice((2, 3)))


def _pay(story: Story, chance: Random, parts: int) -> str:
    paper = story.drawn(chance, lambda it: it.is_invoice and it.open > 0 and story.stands_alone(it))
    amount = paper and (paper.open / parts).quantize(CENT)
    if not paper or not amount:
        return ""
    kind = chance.choice(("bank", "bank", "bank", "write_off"))
    story.company.pays(paper.document, amount, day=f"2026-03-{chance.randint(10, 28)}", kind=kind)
    paper.money += amount
    paper.most_money += amount
    return f"{paper.document.number}: {amount} {kind}"


def matches(story: Story, chance: Random) -> str:
    """An invoice is set off against a credit note of its customer."""
    notes = [it for it in story.papers if not it.is_invoice and it.open > 0 and story.stands_alone(it)]
    customers = {note.customer for note in notes}
    paper = story.drawn(
        chance, lambda it: it.is_invoice and it.open > 0 and it.customer in customers and story.stands_alone(it)
    )
    if paper is None:
        return ""
    note = chance.choice([note for note in notes if note.customer == paper.customer])
    amount = min(paper.open, note.open)
    story.company.matches(paper.document, note.document, amount)
    paper.noted += amount
    note.noted += amount
    return f"{paper.document.number} with {note.document.number}: {amount}"


def undoes_a_match(story: Story, chance: Random) -> str:
    """Money only: with a credit note the other side would have to be known too."""
    paper = story.drawn(chance, lambda it: it.money > 0 and not it.noted and story.stands_alone(it))
    if paper is None:
        return ""
    story.company.unmatches(paper.document)
    paper.money = Decimal(0)
    return paper.document.number


def deletes_a_booking(story: Story, chance: Random) -> str:
    """One whose answer is lost is proved absent then, and booked again."""
    paper = story.drawn(chance, lambda it: not it.noted and len(story.ours(it)) == 1)
    if paper is None:
        return ""
    (booking,) = story.ours(paper)
    story.company.books.delete(booking.id)
    intent = story.links.intent(WriteKind.BOOKING, paper.document.id)
    if intent is not None and intent.state is WriteState.DONE:
        paper.removed += 1
    else:
        paper.removed_early += 1
    paper.money = Decimal(0)
    return paper.document.number


def books_by_hand(story: Story, chance: Random) -> str:
    return _book(story, chance, Decimal(0))


def books_differently(story: Story, chance: Random) -> str:
    return _book(story, chance, Decimal("7.50"))


def _book(story: Story, chance: Random, more: Decimal) -> str:
    known = story.package.customers(story.books)
    paper = story.drawn(
        chance, lambda it: it.is_invoice and not it.gone and known[it.customer] == 1 and not story.bookings(it)
    )
    gross = paper and paper.figures[-1][0] + more
    if not paper or not gross:
        return ""
    (relation,) = story.company.relations(paper.customer)
    booking = story.company.books_by_hand(paper.document, gross, relation=relation, day=paper.day)
    paper.by_hand[booking] = story.stage.clock.now()
    return f"{paper.document.number}: {gross}"


def books_for_others(story: Story, chance: Random) -> str:
    """Somebody types a document of which Teamleader knows nothing: it only takes a number."""
    kind = chance.choice(("invoice", "credit_note"))
    (relation, *_) = story.company.relations(KNOWN)
    net = Decimal(_a_price(chance))
    reference, journal = f"HAND {chance.randint(1, 10_000)}", story.company.books.journals[kind]
    story.company.books.book(Typed(kind, reference, relation, CREDITED_ON, net, Decimal(0), journal))
    return f"{reference}: {net}"


def closes_a_period(story: Story, chance: Random) -> str:
    month, journal = chance.choice(MONTHS), chance.choice(sorted(story.company.books.journals.values()))
    story.closed |= {(closed, journal) for closed in story.company.closes(month, journal)}
    return f"{month} in {journal}"


def reopens_a_period(story: Story, chance: Random) -> str:
    if not story.closed:
        return ""
    month, journal = chance.choice(sorted(story.closed))
    story.closed -= {(reopened, journal) for reopened in story.company.reopens(month, journal)}
    return f"{month} in {journal}"


def renames_an_account(story: Story, chance: Random) -> str:
    """A name is no identity: what is mapped to the account stays mapped."""
    name = f"Omzet {chance.randint(1, 99)}"
    story.package.renames_an_account(story.books, name)
    return name


def opens_a_journal(story: Story, chance: Random) -> str:
    """Octopus: who works in a journal in the program keeps everybody else out of it, until he is done."""
    journal = chance.choice(sorted(story.company.books.journals.values()))
    story.company.books.is_opened_by("U99999", journal)
    seconds = chance.choice(MEANWHILE) * 5
    story.stage.later(seconds, lambda: story.company.books.is_opened_by(None, journal))
    return f"{journal} for {seconds} s"


# --- at the bridge, and around it -------------------------------------------------------------------------------------


def asks(story: Story, chance: Random) -> str:
    """Somebody presses "sync now", for one kind of work or for several: then workers work at the same time."""
    kinds = chance.sample(KINDS, chance.choice((1, 2, 4)))
    story.company.signs_in_again()  # a session lasts eight hours
    for kind in kinds:
        story.company.presses_sync_now(kind)
    return " ".join(kinds)


def runs_by_itself(story: Story, chance: Random) -> str:
    story.company.signs_in_again()
    story.company.runs_by_itself()
    story.automatic = True
    return "from now on"


def reconnects(story: Story, chance: Random) -> str:
    """New consents at both vendors: the tokens of before are dead."""
    story.company.signs_in_again()
    story.company.consents_again()
    return "at both vendors"


def hints(story: Story, chance: Random) -> str:
    """Webhooks come late, twice and in another order; only a connection that runs by itself is woken by them."""
    (hook,) = story.teamleader.state.of("webhooks", ACCOUNT)
    kinds = chance.sample(FOCUS_HINTS, 3)
    kinds += kinds[:1]
    chance.shuffle(kinds)
    jobs = story.stage.outside.jobs
    before = jobs.of_account(story.company.account)
    for kind in kinds:
        body = {"type": kind, "subject": {"type": "invoice", "id": "-"}, "account": {"id": ACCOUNT}}
        story.line.handle_request(httpx.Request("POST", f"{BRIDGE}{urlsplit(hook['url']).path}", json=body))
    return " ".join(kinds) if jobs.of_account(story.company.account) != before else ""


def nudges(story: Story, chance: Random) -> str:
    """Queues deliver twice, late, in any order, and what nobody waits for any more."""
    kind = JobKind(chance.choice(("documents", "payments")))
    key = JobKey(story.company.account, story.company.administration, kind)
    story.stage.delivers_again(key, chance.choice((1, 2, 3)), lambda: chance.choice((0, 0.05, 0.1, 20, 30, 155)))
    return kind


def redeploys(story: Story, chance: Random) -> str:
    return "while somebody worked" if story.stage.redeploys() else ""


def _a_price(chance: Random, most: int = 400) -> str:
    return f"{Decimal(chance.randint(1, 100 * most)) / 100:.2f}"


WEIGHTS: dict[Deed, int] = {
    issues: 14,
    credits_in_whole: 3,
    credits_in_part: 4,
    edits: 4,
    pays_by_hand: 3,
    deletes_the_last: 2,
    pays: 5,
    pays_a_part: 4,
    matches: 8,
    undoes_a_match: 3,
    deletes_a_booking: 3,
    books_by_hand: 6,
    books_differently: 3,
    books_for_others: 4,
    closes_a_period: 2,
    reopens_a_period: 4,
    renames_an_account: 3,
    asks: 8,
    runs_by_itself: 1,
    reconnects: 2,
    hints: 5,
    nudges: 4,
    redeploys: 6,
}
OWN: dict[str, dict[Deed, int]] = {"octopus": {opens_a_journal: 4}}
"""What is done in the books of one package only."""


def deeds_of(package: str) -> dict[Deed, int]:
    """All that happens in its stories, and how likely."""
    return WEIGHTS | OWN.get(package, {})


MEANWHILE = (0.05, 0.3, 2.0, 15.0, 90.0, 200.0)
"""Seconds after which somebody acts while workers work."""
PAUSES = (60, 700, 4_000, 90_000)
"""Seconds in which nobody does anything."""
