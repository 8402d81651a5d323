"""The customers of the package are read and proposals made: who is who, and why we think so. Nothing is written."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..domain.connections import JobKind
from ..domain.ledger import Cursor
from ..domain.matching import Advice, propose
from ..domain.relations import Customer, Relation, compact_vat, plain_name
from ..ports import Deadline, House, Job, WriteKind
from ..records import as_json, from_json
from .slices import Slice, active_connections, has_time, next_run


def import_relations(house: House, job: Job, deadline: Deadline) -> Slice:
    """One slice: read what changed on both sides, then propose for each Teamleader customer without a relation."""
    connections = active_connections(house, job)
    if not connections:
        return Slice({"connections": 0})
    key = job.key
    snapshots = house.snapshots(key.account)
    customers, relations = "customers", f"package:{key.administration}"
    cursor = dict(job.cursor)
    for name, pages in (
        (customers, lambda since: house.focus(key.account).all_customers(since)),
        (relations, lambda since: house.ledger(key.account, key.administration).relations(since)),
    ):
        since = cursor.get(name)
        for page in pages(Cursor(since) if since else None):
            snapshots.put_rows(name, {_row_key(row): as_json(row) for row in page.rows})
            cursor[name] = page.cursor
            house.jobs.save_cursor(job, cursor)
            if not has_time(house, deadline):
                return Slice({"reading": name}, house.clock.now())
    counts = _propose_all(house, job)
    return Slice(dict(counts), next_run(JobKind.RELATIONS, connections, house.clock.now()))


def _row_key(row: Customer | Relation) -> str:
    return str(row.ref)


def _propose_all(house: House, job: Job) -> Counter[str]:
    """A proposal per customer that has no relation yet, each a row of its own."""
    key = job.key
    snapshots = house.snapshots(key.account)
    index = _Index(from_json(Relation, row) for row in _all_rows(house, job, f"package:{key.administration}"))
    links = house.links(key.account, key.administration)
    counts: Counter[str] = Counter()
    rows = {}
    for page in _pages(house, job, "customers"):
        linked = links.intents(WriteKind.RELATION, [ref for ref, _ in page])  # a page in two calls
        counts["linked"] += len(linked)
        for ref, row in page:
            if ref in linked:
                continue
            customer = from_json(Customer, row)
            proposal = propose(customer, index.like(customer))
            counts[proposal.advice] += 1
            rows[ref] = {
                "name": customer.name,
                "advice": proposal.advice,
                "candidates": [as_json(candidate) for candidate in proposal.candidates[:5]],
            }
    snapshots.put_rows(f"relations:{key.administration}", rows)
    for advice in Advice:
        counts.setdefault(advice, 0)
    return counts


def _pages(house: House, job: Job, name: str) -> Iterator[Sequence[tuple[str, Mapping[str, Any]]]]:
    snapshots, after = house.snapshots(job.key.account), ""
    while page := snapshots.rows(name, after):
        yield page
        after = page[-1][0]


def _all_rows(house: House, job: Job, name: str) -> Iterator[dict[str, Any]]:
    return (dict(row) for page in _pages(house, job, name) for _, row in page)


class _Index:
    """Relations by what they may share with a customer, so that matching does not compare all with all."""

    def __init__(self, relations: Iterable[Relation]) -> None:
        self._by_signal: dict[str, list[Relation]] = defaultdict(list)
        for relation in relations:
            for signal in self._signals(relation):
                self._by_signal[signal].append(relation)

    @staticmethod
    def _signals(party: Customer | Relation) -> set[str]:
        numbers = {compact_vat(party.vat_number), compact_vat(party.enterprise_number)}
        digits = {f"number:{number.lstrip('ABCDEFGHIJKLMNOPQRSTUVWXYZ')}" for number in numbers if number}
        named = {f"name:{name}"} if (name := plain_name(party.name)) else set()
        mailed = {f"email:{party.email.casefold()}"} if party.email else set()
        return digits | named | mailed

    def like(self, customer: Customer) -> list[Relation]:
        found = {r.ref: r for signal in self._signals(customer) for r in self._by_signal[signal]}
        return list(found.values())
