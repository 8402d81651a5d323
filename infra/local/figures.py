"""The figures of a demo, counted from the fakes' own state and journals (design.md 11)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from .packages import Booked

Call = Mapping[str, Any]


@dataclass(frozen=True)
class Issued:
    """An issued document as Teamleader's fake holds it."""

    id: str
    department: str
    kind: str  # "invoice" or "credit_note"
    number: str
    day: date
    currency: str
    gross: Decimal
    due: Decimal
    vat_by_rate: Mapping[Decimal, Decimal]
    credits: str  # the invoice a credit note credits, or ""


def issued_of(row: Mapping[str, Any]) -> Issued | None:
    """None for a draft."""
    kind = "invoice" if row["kind"] == "invoice" else "credit_note"
    number = row[f"{kind}_number"]
    if not number:
        return None
    total = row["total"]
    return Issued(
        id=row["id"],
        department=row["department"]["id"],
        kind=kind,
        number=number,
        day=date.fromisoformat(row[f"{kind}_date"]),
        currency=total["tax_inclusive"]["currency"],
        gross=_amount(total["tax_inclusive"]),
        due=_amount(total["due"]) if "due" in total else Decimal(0),
        vat_by_rate={Decimal(str(t["rate"])).normalize(): _amount(t["tax"]) for t in total["taxes"]},
        credits=(row.get("invoice") or {}).get("id", ""),
    )


def _amount(money: Mapping[str, Any]) -> Decimal:
    return Decimal(str(money["amount"]))


@dataclass(frozen=True)
class Pair:
    """A document with the bookings that carry its number in its entity's books."""

    document: Issued
    bookings: Sequence[Booked]


def pair_up(documents: Sequence[Issued], bookings: Sequence[Booked], tenants: Mapping[str, str]) -> list[Pair]:
    """`tenants`: the administration of each department. Numbers of both kinds may be equal, so the kind counts too."""
    by_name: dict[tuple[str, str, str], list[Booked]] = defaultdict(list)
    for booking in bookings:
        by_name[booking.tenant, booking.kind, booking.reference].append(booking)
    return [Pair(d, by_name.get((tenants[d.department], d.kind, d.number), ())) for d in documents]


def difference_cents(pairs: Sequence[Pair]) -> int:
    """How far the books are from the documents: totals and VAT per rate, every difference counted."""
    total = Decimal(0)
    for pair in pairs:
        for booking in pair.bookings:
            document = pair.document
            total += abs(document.gross - booking.gross)
            for rate in document.vat_by_rate.keys() | booking.vat_by_rate.keys():
                total += abs(document.vat_by_rate.get(rate, Decimal(0)) - booking.vat_by_rate.get(rate, Decimal(0)))
    return int(total * 100)


def writes(calls: Sequence[Call]) -> list[Call]:
    """Calls that changed something at a vendor; tokens are not counted."""
    return [call for call in calls if call["changed"] and "/oauth2/" not in call["path"].casefold()]


def api_calls(calls: Sequence[Call]) -> int:
    """Calls of Teamleader's API: neither tokens nor the download of a file's location."""
    return sum(1 for call in calls if call["method"] == "POST" and "/oauth2/" not in call["path"].casefold())


@dataclass
class PackageFigures:
    """One package's section of the report, in its order."""

    documents: int = 0
    booked: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    relations_created: int = 0
    relations_adopted: int = 0
    payments_registered: int = 0
    difference_cents: int = 0
    second_run_writes: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    teamleader_calls: int = 0
    credits: int = 0
    quotas: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by day and operation; for people only
    virtual_seconds: float = 0
    seconds: float = 0

    def report(self) -> dict[str, Any]:
        sorts = ("documents", "relations", "setup", "payments", "tokens")
        return {
            "documents": self.documents,
            "booked": self.booked,
            "refused": dict(sorted(self.refused.items())),
            "duplicates": self.duplicates,
            "relations_created": self.relations_created,
            "relations_adopted": self.relations_adopted,
            "payments_registered": self.payments_registered,
            "difference_cents": self.difference_cents,
            "second_run_writes": self.second_run_writes,
            "calls": {sort: self.calls[sort] for sort in sorts},
            "calls_per_document": _ratio(self.calls["documents"], self.booked),
            "teamleader_calls_per_document": _ratio(self.teamleader_calls, self.booked),
            "credits": self.credits,
            "virtual_seconds": round(self.virtual_seconds, 1),
            "seconds": round(self.seconds, 1),
        }


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None


def _listed(used: Mapping[str, str]) -> str:
    return ", ".join(f"{operation} {count}" for operation, count in used.items())


def table(title: str, figures: PackageFigures) -> str:
    """The closing table people read."""
    said = figures.report()
    rows = [
        ("documents issued in Teamleader", said["documents"]),
        ("booked, once each", said["booked"]),
        *((f"refused: {cause}", count) for cause, count in said["refused"].items()),
        ("documents booked twice", said["duplicates"]),
        ("cents of difference", said["difference_cents"]),
        ("relations created / adopted", f"{said['relations_created']} / {said['relations_adopted']}"),
        ("payments registered in Teamleader", said["payments_registered"]),
        ("changes made by a second run", said["second_run_writes"]),
        (f"calls to {title} per document", said["calls_per_document"]),
        ("calls to Teamleader per document", said["teamleader_calls_per_document"]),
        (f"all calls to {title}", ", ".join(f"{sort} {count}" for sort, count in said["calls"].items())),
        *((f"limits used on {day}", _listed(used)) for day, used in figures.quotas.items() if used),
    ]
    width = max(len(name) for name, _ in rows)
    line = "─" * (width + 44)
    body = "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)
    return f"{title}\n{line}\n{body}\n{line}"
