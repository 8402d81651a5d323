"""The main job, shown: invoices go to the books, payments come back, and a second run changes nothing.

Brings up the fakes and a local AWS, builds and deploys the real template, and drives the deployed functions from
outside only: over HTTP as a person's browser does, and by the fakes' control API as the vendors' users do.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.environment import SetupFailed

from . import figures, stage
from .fake_control import FakeControl
from .figures import Issued, PackageFigures, Pair
from .packages import SIDES, Side
from .packages.side import Books
from .person import Person, Refused, wait_until
from .worlds import Entity, World, from_ubl, seeded

TODAY = datetime.fromisoformat("2026-11-24T08:00:00+00:00")
RATE = 60  # virtual seconds a second while jobs run: a minute of a vendor's limit costs a second
PATIENCE = 600  # real seconds for any one step
ENDINGS = {"none": (), "pdf": (".pdf",), "ubl": (".xml",)}  # of the files each booking must carry
SCHEDULE_PATIENCE = 150  # the local AWS fires `rate(1 minute)` after a minute or so


@dataclass
class Connected:
    """One connection as the demo knows it."""

    entity: Entity
    books: Books
    person: Person
    id: str


@dataclass
class Run:
    """One package being shown."""

    side: Side
    world: World
    teamleader: FakeControl
    stage: stage.Stage
    attach: str
    signed_in_at: datetime  # when the people of the connections signed in last
    connected: list[Connected] = field(default_factory=list)
    figures: PackageFigures = field(default_factory=PackageFigures)
    wrong: list[str] = field(default_factory=list)  # what is not as it should be
    days_said: int = 0  # how many the documents would take, said before the first was booked; 0: nothing was said
    automatic: bool = False  # the connections run by themselves, so that there is always something due some day

    def check(self, holds: bool, sentence: str) -> None:
        if not holds:
            self.wrong.append(sentence)


def say(text: str = "") -> None:
    print(text, flush=True)


def progress(title: str, done: int, whole: int, note: str = "") -> None:
    """A bar that fills; on a terminal it stays on its line."""
    filled = 30 * done // whole if whole else 30
    bar = "█" * filled + "░" * (30 - filled)
    end = "\r" if sys.stdout.isatty() and done < whole else "\n"
    print(f"  {title:<28} {bar} {done:>5}/{whole:<5} {note}", end=end, flush=True)


# --- the story ---


def show(run: Run) -> None:
    """The whole story of one package; what is not as it should be ends up in `run.wrong`."""
    begun, clock = time.monotonic(), _now(run.teamleader)
    books = run.side.fill(run.world)
    say(f"\n{run.side.title}: {len(run.world.entities)} companies")
    _connect_all(run, books)
    run.teamleader.post("clock", rate=RATE)
    _prepare(run)
    marks = len(run.teamleader.journal())
    relations_before = run.side.relations()
    began = _now(run.teamleader)
    _export(run)
    _hold_to_what_was_said(run, _now(run.teamleader) - began)
    exported = run.teamleader.journal()[marks:]
    run.figures.teamleader_calls = figures.api_calls(exported)
    pairs = _pairs(run)
    _count_documents(run, pairs, relations_before)
    paid = _pay(run, pairs)
    _import_payments(run, paid)
    run.figures.calls.update(run.side.sort_of(call) for call in run.side.control.journal())
    _run_again(run)
    run.figures.quotas = run.side.quotas()
    over = Counter(f"{call['method']} {call['path']}" for call in run.side.control.journal() if call["status"] == 429)
    run.check(not over, f"limits were not kept but met: {dict(over)}")
    _let_the_schedule_fire(run)
    _switch_off(run)
    run.figures.seconds = time.monotonic() - begun
    run.figures.virtual_seconds = (_now(run.teamleader) - clock).total_seconds()


def _connect_all(run: Run, books: Mapping[str, Books]) -> None:
    people: dict[str, Person] = {}
    logins: dict[tuple[str, str], str] = {}
    for entity in run.world.entities:
        if entity.account not in people:
            people[entity.account] = Person(run.stage.api_url, entity.focus_user)
        person, own = people[entity.account], books[entity.department]
        if (entity.account, own.user) not in logins:
            logins[entity.account, own.user] = run.side.consent(person, entity, own)
        login = logins[entity.account, own.user]
        offered = person.get("/api/administrations", login=login)["administrations"]
        chosen = next((row for row in offered if row["id"].endswith(f".{own.tenant}")), None)
        if chosen is None:
            raise Refused(f"{entity.name}: administration {own.tenant} is not offered, only {offered}")
        made = person.post(
            "/api/connections",
            entity=entity.department,
            login=login,
            administration=chosen["id"],
            start=entity.start.isoformat(),
            invoice_journal=own.invoice_journal,
            credit_note_journal=own.credit_note_journal,
        )
        run.connected.append(Connected(entity, own, person, made["id"]))
        say(f"  connected {entity.name} with {chosen['name']} ({own.tenant})")


def _prepare(run: Run) -> None:
    """Read the books, accept the mappings, and see that all is ready."""
    _wait_idle(run, "the books are read")
    for one in run.connected:
        offered = one.person.get(f"/api/connections/{one.id}/mappings")
        proposal = offered["proposal"]
        wanted = {
            rate["id"]: codes for rate in offered["rates"] if (codes := one.books.vat_codes.get(rate["description"]))
        }
        proposal["vat_codes"] |= wanted
        one.person.put(f"/api/connections/{one.id}/mappings", proposal)
        if run.attach != "none":
            one.person.patch(f"/api/connections/{one.id}", attach=[run.attach])
        missing = [rate["description"] for rate in offered["rates"] if rate["id"] not in proposal["vat_codes"]]
        run.check(not missing, f"{one.entity.name}: no VAT code for {', '.join(missing)}")
        found = one.person.get(f"/api/connections/{one.id}/readiness")["findings"]
        blocking = [finding["sentence"] for finding in found if finding["weight"] == "blocks"]
        run.check(not blocking, f"{one.entity.name} is not ready: {' '.join(blocking)}")
        for finding in found:
            say(f"  {one.entity.name}: {finding['sentence']}")
        run.days_said = max(
            [run.days_said, *(int(one["facts"]["days"]) for one in found if one["code"] == "takes_days")]
        )


def _export(run: Run) -> None:
    _sync(run, "relations")
    _wait_idle(run, "the customers are compared")
    whole = len(_issued(run))
    _sync(run, "documents")

    def counted() -> bool:
        _stay_signed_in(run)
        counts = [one.person.get(f"/api/connections/{one.id}/documents")["counts"] for one in run.connected]
        settled = sum(sum(count for name, count in c.items() if name != "waiting") for c in counts)
        quiet = _quiet(run)
        progress("invoices and credit notes", settled, whole)
        return quiet

    patience = max(PATIENCE, whole)  # a second for each, on a busy machine
    wait_until("all documents are in the books or have their reason", counted, seconds=patience, every=1.0)


def _hold_to_what_was_said(run: Run, took: timedelta) -> None:
    """Where a day of the vendor's takes only so many documents, the readiness said how many days they need."""
    if run.days_said:
        days = -(-took // timedelta(days=1))
        run.check(days <= run.days_said, f"the documents took {days} days, and {run.days_said} were said beforehand")


def _pairs(run: Run) -> list[Pair]:
    tenants = {one.entity.department: one.books.tenant for one in run.connected}
    return figures.pair_up(_issued(run), run.side.bookings(), tenants)


def _issued(run: Run) -> list[Issued]:
    """The issued documents in scope: of a connected entity, dated from its start."""
    starts = {one.entity.department: one.entity.start for one in run.connected}
    found = [figures.issued_of(row) for row in run.teamleader.state("documents")]
    return [d for d in found if d and d.department in starts and d.day >= starts[d.department]]


def _count_documents(run: Run, pairs: Sequence[Pair], relations_before: set[str]) -> None:
    told = {row["id"]: row for one in run.connected for row in one.person.all_documents(one.id)}
    result = run.figures
    result.documents = len(pairs)
    result.booked = sum(1 for pair in pairs if pair.bookings)
    result.duplicates = sum(1 for pair in pairs if len(pair.bookings) > 1)
    result.difference_cents = figures.difference_cents(pairs)
    for pair in pairs:
        row = told.get(pair.document.id)
        name = f"{pair.document.kind} {pair.document.number}"
        if row is None:
            run.wrong.append(f"{name} is unknown to the bridge")
            continue
        run.check((row["state"] == "booked") == bool(pair.bookings), f"{name}: the bridge says {row['state']}")
        for booking in pair.bookings:
            endings = tuple(Path(file).suffix for file in booking.files)
            run.check(endings == ENDINGS[run.attach], f"{name}: its booking carries {list(booking.files)}")
        if not pair.bookings:
            result.refused[row["cause"] or row["state"]] += 1
        if run.world.ubl is not None:  # whoever brings documents does not tell beforehand which must be refused
            run.check(bool(pair.bookings or row["sentence"]), f"{name} is not in the books and nobody says why")
            continue
        expected = run.world.expected_refusals.get(pair.document.id, "")
        run.check(row["cause"] == expected, f"{name}: refused by {row['cause'] or 'nothing'}, expected {expected!r}")
    drafts = len(told.keys() - {pair.document.id for pair in pairs})
    run.check(drafts == 0, f"{drafts} documents out of scope are with the bridge")
    run.check(result.documents == result.booked + result.refused.total(), "booked and refused do not add up")
    run.check(result.duplicates == 0, "documents were booked twice")
    run.check(result.difference_cents == 0, "amounts differ between Teamleader and the books")
    created = run.side.relations() - relations_before
    result.relations_created = len(created)
    used = {booking.relation for pair in pairs for booking in pair.bookings}
    result.relations_adopted = len(used & relations_before)
    reasons = {row["sentence"] for row in told.values() if row["cause"]}
    for sentence in sorted(reasons):
        say(f"  not booked: {sentence}")


# --- payments ---


def _pay(run: Run, pairs: Sequence[Pair]) -> dict[str, Decimal]:
    """What bookkeepers do by hand: pay in full, in part, in two parts, match a credit note, write off a rest.

    What Teamleader must have been told in the end, by document: money only (rules.md 22).
    """
    money: dict[str, Decimal] = {}
    by_id = {pair.document.id: pair for pair in pairs if pair.bookings}
    credited = {pair.document.credits for pair in pairs if pair.document.credits}
    plain = [p for p in by_id.values() if p.document.kind == "invoice" and p.document.gross > 1]
    plain = [p for p in plain if p.document.id not in credited]
    today = _now(run.teamleader).date()
    for position, pair in enumerate(plain):
        booking, gross = pair.bookings[0], pair.document.gross
        part = (gross / 3).quantize(Decimal("0.01"))
        match position % 8:
            case 0 | 1 | 2:
                run.side.pay(booking, gross, today)
                money[pair.document.id] = gross
            case 3:
                run.side.pay(booking, part, today)
                money[pair.document.id] = part
            case 4:
                run.side.pay(booking, part, today - timedelta(days=2))
                run.side.pay(booking, gross - part, today)
                money[pair.document.id] = gross
            case 5 if gross > 10:
                run.side.pay(booking, gross - Decimal("0.05"), today)
                run.side.pay(booking, Decimal("0.05"), today, "write_off")
                money[pair.document.id] = gross
    for pair in by_id.values():
        invoice = by_id.get(pair.document.credits)
        if invoice and invoice.document.gross == pair.document.gross and pair.document.gross > 0:
            run.side.match(invoice.bookings[0], pair.bookings[0], pair.document.gross)
    progress("paid or matched in the books", len(money), len(money))
    return money


def _import_payments(run: Run, paid: Mapping[str, Decimal]) -> None:
    _pass(run, run.side.between_looks)
    _sync(run, "payments")
    _wait_idle(run, "the payments are in Teamleader")
    found: dict[str, Decimal] = {}
    for row in run.teamleader.state("payments"):
        found[row["document"]] = found.get(row["document"], Decimal(0)) + Decimal(str(row["amount"]))
        run.figures.payments_registered += 1
    progress("payments in Teamleader", len(found), len(paid))
    for document in paid.keys() | found.keys():
        expected, there = paid.get(document, Decimal(0)), found.get(document, Decimal(0))
        run.check(expected == there, f"document {document}: {there} paid in Teamleader, {expected} in the books")


# --- again, and by itself ---


def _run_again(run: Run) -> None:
    _pass(run, run.side.between_looks)
    before = len(run.teamleader.journal()), len(run.side.control.journal())
    for kind in ("accounts", "relations", "documents", "payments"):
        _sync(run, kind)
    _wait_idle(run, "the second run is done")
    changes = figures.writes(run.teamleader.journal()[before[0] :])
    changes += figures.writes(run.side.control.journal()[before[1] :])
    run.figures.second_run_writes = len(changes)
    for call in changes[:5]:
        run.wrong.append(f"the second run changed something: {call['method']} {call['path']}")


def _let_the_schedule_fire(run: Run) -> None:
    """Switch the connections to automatic and touch nothing: the schedule alone makes them run (rules.md 27)."""
    run.automatic = True
    for one in run.connected:
        one.person.patch(f"/api/connections/{one.id}", automatic=True)
    _wait_idle(run, "the switch to automatic is settled")
    before = {one.id: _last_runs(one) for one in run.connected}
    say("  waiting for the schedule to fire by itself …")
    run.teamleader.post("clock", advance_s=3 * 3600)  # the next automatic run is hours away: skip the idle ones

    def ran() -> bool:
        return all(_last_runs(one)["documents"] != before[one.id]["documents"] for one in run.connected)

    wait_until("the schedule has fired", ran, seconds=SCHEDULE_PATIENCE, every=1.0)
    say("  the schedule fired: every connection ran by itself")


def _switch_off(run: Run) -> None:
    """The companies keep their books in another package next."""
    _stay_signed_in(run)
    for one in run.connected:
        one.person.patch(f"/api/connections/{one.id}", active=False)


def _last_runs(one: Connected) -> dict[str, Any]:
    return {job["kind"]: job["last_run_at"] for job in one.person.get(f"/api/connections/{one.id}/jobs")["jobs"]}


def _sync(run: Run, kind: str) -> None:
    _stay_signed_in(run)
    for one in run.connected:
        one.person.sync(one.id, kind)


def _pass(run: Run, much: timedelta) -> None:
    if much:
        run.teamleader.post("clock", advance_s=much.total_seconds())


def _quiet(run: Run) -> bool:
    """Nothing due, nobody busy, no outcome unknown, and the queues empty.

    Work that waits for another day (a limit that is spent until midnight) is not awaited: the clock skips to it.
    """
    _stay_signed_in(run)
    states = [one.person.get(f"/api/connections/{one.id}/jobs") for one in run.connected]
    if not (all(state["idle"] for state in states) and _queues_empty(run.stage)):
        return False
    later = [job["due_at"] for state in states for job in state["jobs"] if job["due_at"] and not job["paused"]]
    if run.automatic or not later:
        return True
    _skip_to(run, min(datetime.fromisoformat(due) for due in later))
    return False


def _skip_to(run: Run, moment: datetime) -> None:
    """Pass the idle time, and let the sweep look, which the local AWS calls but once in a real minute."""
    idle = moment - _now(run.teamleader)
    _pass(run, max(idle, timedelta(0)))
    if idle > timedelta(hours=1):
        say(f"  the day's limits are spent: on to {moment:%Y-%m-%d %H:%M} UTC")
    _stay_signed_in(run)
    name = run.stage.function_names["PlanSync"]
    run.stage.client("lambda").invoke(FunctionName=name, Payload=b"{}")


def _stay_signed_in(run: Run) -> None:
    """A session lasts eight hours, of a clock that runs fast."""
    now = _now(run.teamleader)
    if now - run.signed_in_at < timedelta(hours=6):
        return
    run.signed_in_at = now
    people = {one.entity.account: Person(run.stage.api_url, one.entity.focus_user) for one in run.connected}
    for one in run.connected:
        one.person = people[one.entity.account]


def _wait_idle(run: Run, what: str) -> None:
    wait_until(what, lambda: _quiet(run), seconds=PATIENCE)


def _queues_empty(running: stage.Stage) -> bool:
    sqs = running.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    for url in running.queue_urls.values():
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        if any(int(found[name]) for name in names):
            return False
    return True


def _dead_letters(running: stage.Stage) -> int:
    sqs, name = running.client("sqs"), "ApproximateNumberOfMessages"
    urls = running.dead_letter_urls.values()
    return sum(int(sqs.get_queue_attributes(QueueUrl=u, AttributeNames=[name])["Attributes"][name]) for u in urls)


def _now(fake: FakeControl) -> datetime:
    return datetime.fromisoformat(fake.health()["now"])


# --- the command ---


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra/demo", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--package", choices=sorted(SIDES), help="show one package; without it, all there are")
    parser.add_argument("--documents", type=int, default=200, metavar="N", help="documents per package (20 or more)")
    parser.add_argument("--ubl", type=Path, metavar="DIR", help="use the UBL 2.1 invoices and credit notes of a folder")
    parser.add_argument(
        "--attach", choices=list(ENDINGS), default="none", help="attach the document itself to each booking"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--serve", action="store_true", help="stay up afterwards, until Ctrl-C")
    chosen = parser.parse_args(words)
    if chosen.documents < 20:
        parser.error("--documents: 20 or more, to show every kind")
    if chosen.ubl and not chosen.ubl.is_dir():
        parser.error(f"--ubl: {chosen.ubl} is no folder")
    return chosen


def main(words: Sequence[str] | None = None) -> int:
    chosen = _arguments(sys.argv[1:] if words is None else words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begun = time.monotonic()
    report: dict[str, Any] = {"fakes": None, "stack": None, "ubl": None, "packages": {}}
    wrong: list[str] = []
    try:
        with stage.up() as running:
            report["fakes"] = dict(running.fakes)
            report["stack"] = {"endpoint_url": running.endpoint_url, "api_url": running.api_url}
            for name in [chosen.package] if chosen.package else list(SIDES):
                wrong += _show_package(name, chosen, running, report)
            if dead := _dead_letters(running):
                wrong.append(f"{dead} messages are in dead-letter queues")
            _close(report, wrong, time.monotonic() - begun)
            _write(chosen.report, report)
            if chosen.serve:
                say(f"\nStill up: {running.api_url} (the bridge), {json.dumps(dict(running.fakes))}. Ctrl-C ends it.")
                signal.pause()
    except KeyboardInterrupt:
        return 130 if not chosen.serve else int(bool(wrong))
    except (SetupFailed, Refused, TimeoutError) as failed:
        say(f"\n{failed}")
        wrong.append(str(failed))
        _write(chosen.report, report)
    return int(bool(wrong))


def _show_package(name: str, chosen: argparse.Namespace, running: stage.Stage, report: dict[str, Any]) -> list[str]:
    teamleader = FakeControl(running.fake_url("teamleader"))
    teamleader.post("clock", rate=1, now=TODAY.isoformat())
    world = from_ubl(teamleader, chosen.ubl, TODAY) if chosen.ubl else seeded(teamleader, chosen.documents, TODAY)
    run = Run(SIDES[name](FakeControl(running.fake_url(name))), world, teamleader, running, chosen.attach, TODAY)
    if world.ubl:
        report["ubl"] = world.ubl
        say(f"\n{world.ubl['files']} UBL files, {world.ubl['loaded']} could be held by Teamleader")
        for file, reason in world.ubl["refused"].items():
            say(f"  {file}: {reason}")
    try:
        show(run)
    finally:
        report["packages"][name] = run.figures.report()
    say("\n" + figures.table(run.side.title, run.figures))
    return run.wrong


def _close(report: Mapping[str, Any], wrong: Sequence[str], seconds: float) -> None:
    virtual = sum(package["virtual_seconds"] for package in report["packages"].values())
    for sentence in wrong:
        say(f"  NOT AS IT SHOULD BE: {sentence}")
    verdict = "Every figure is as it should be." if not wrong else f"{len(wrong)} figures are not as they should be."
    say(f"{verdict} {timedelta(seconds=round(virtual))} of the vendors' time passed in {seconds:.0f} s.")


def _write(file: Path | None, report: Mapping[str, Any]) -> None:
    if file:
        file.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
