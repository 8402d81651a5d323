"""What can go wrong, in five families: what a person does about it.

    SyncError
    ├─ TryLater         wait: it comes back by itself
    ├─ NeedsLogin       log in again: the connection pauses
    ├─ NeedsSetup       change the set-up, here or in the package: the document waits
    ├─ NeedsCorrection  change or decide something about this document
    └─ UnexpectedAnswer tell us: somebody said something we do not understand

Each leaf names the facts its sentence needs; the sentences stand in `texts/` and a test holds the two together.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar


class SyncError(Exception):
    """The root. `facts` fill the sentence people read; the class name is the cause stored and counted."""

    names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **facts: Any) -> None:
        missing = set(self.names) ^ set(facts)
        if missing:
            raise TypeError(f"{type(self).__name__} takes the facts {self.names}, not {tuple(facts)}")
        self.facts = facts
        super().__init__(f"{self.cause}: " + ", ".join(f"{name}={value}" for name, value in facts.items()))

    @property
    def cause(self) -> str:
        return type(self).__name__

    @property
    def family(self) -> str:
        """The name of the family, the class right below SyncError."""
        lineage = type(self).__mro__
        return lineage[lineage.index(SyncError) - 1].__name__


class TryLater(SyncError):
    """Wait: the job comes back."""

    @property
    def until(self) -> datetime | None:
        """When trying again makes sense; None: soon."""
        return self.facts.get("until")


class VendorDown(TryLater):
    names = ("vendor",)


class RateLimited(TryLater):
    names = ("vendor", "until")


class TokenBusy(TryLater):
    names = ("vendor",)


class OutcomeUnknown(TryLater):
    """Sent, no answer: we look before we send again."""

    names = ("subject",)


class OutOfTime(TryLater):
    """The slice ended before its turn came; nothing was sent."""

    names = ()


class LeaseLost(TryLater):
    """Another worker has taken this job over."""

    names = ()


class NumberTaken(TryLater):
    """The number we offered is not the next one of its journal: somebody booked there meanwhile."""

    names = ("journal",)


class JournalInUse(TryLater):
    """Somebody works in this journal, in the package itself or through another account of ours."""

    names = ("journal", "until")


class NeedsLogin(SyncError):
    """Log in again: the connection is paused, every document is kept."""


class AccessExpired(NeedsLogin):
    names = ("vendor",)


class AccessDenied(NeedsLogin):
    names = ("vendor", "reason")


class ConsentDenied(NeedsLogin):
    names = ("vendor",)


class StateUnknown(NeedsLogin):
    """An OAuth answer we did not ask for: wrong, used, expired or somebody else's."""

    names = ()


class SessionMissing(NeedsLogin):
    names = ()


class CsrfMissing(NeedsLogin):
    names = ()


class NeedsSetup(SyncError):
    """Change the set-up."""


class NotReady(NeedsSetup):
    """The connection lacks something every document needs (see its readiness)."""

    names = ()


class AppMissing(NeedsSetup):
    """Our own app at this vendor was never put in the secret: the operator's to cure."""

    names = ("vendor",)


class FiscalYearMissing(NeedsSetup):
    names = ("day",)


class PeriodClosed(NeedsSetup):
    names = ("period",)


class JournalMissing(NeedsSetup):
    names = ("journal",)


class JournalNotSales(NeedsSetup):
    names = ("journal",)


class JournalShared(NeedsSetup):
    """Invoices and credit notes each need a journal of their own (rules.md 32)."""

    names = ("journal",)


class AccountMissing(NeedsSetup):
    """A line has no revenue account and there is no default."""

    names = ("line",)


class AccountBlocked(NeedsSetup):
    names = ("account",)


class DiscountAccountMissing(NeedsSetup):
    names = ()


class VatCodeUnmapped(NeedsSetup):
    names = ("rate",)


class VatCodeRefused(NeedsSetup):
    names = ("code",)


class PaymentTermRefused(NeedsSetup):
    names = ("term",)


class ExchangeRateUnproven(NeedsSetup):
    """The first foreign booking has not agreed with the books' own currency yet (rules.md 16)."""

    names = ("currency",)


class AdministrationUnreachable(NeedsSetup):
    names = ("administration",)


class EntityTaken(NeedsSetup):
    """This entity is connected already, or the administration belongs to another VAT number."""

    names = ("entity",)


class WrongVatNumber(NeedsSetup):
    """Entities with different VAT numbers may not share an administration (rules.md 32)."""

    names = ("entity",)


class NeedsCorrection(SyncError):
    """Change or decide something about this document."""


class TotalsDiffer(NeedsCorrection):
    names = ("printed", "computed")


class CustomerIncomplete(NeedsCorrection):
    names = ("customer", "field")


class CustomerGone(NeedsCorrection):
    """The customer of this document is not in Teamleader any more."""

    names = ("customer",)


class RelationAmbiguous(NeedsCorrection):
    names = ("customer", "candidates")


class RelationGone(NeedsCorrection):
    """The linked relation is not in the package any more, or blocked."""

    names = ("customer",)


class BookedDifferently(NeedsCorrection):
    names = ("booked", "expected")


class BookedByOthers(NeedsCorrection):
    """Somebody booked this number already, with other figures: we do not book it beside that (rules.md 1)."""

    names = ("booked", "expected")


class BookingDeleted(NeedsCorrection):
    """It was booked, and somebody deleted it in the package: a person says whether it goes there again."""

    names = ("booking",)


class ChangedAfterBooking(NeedsCorrection):
    """Edited in Teamleader after it was booked: shown, never booked again."""

    names = ("booked", "now")


class DocumentGone(NeedsCorrection):
    """Deleted in Teamleader while the books hold it (rules.md 33), or before we could book it."""

    names = ()


class RefusedByPackage(NeedsCorrection):
    """The package refused it in words we have no better sentence for."""

    names = ("said",)


class NotPossible(NeedsCorrection):
    """This cannot be expressed for this vendor."""

    names = ("vendor", "feature")


class StillDue(NeedsCorrection):
    """Settled in the books without money, still due in Teamleader (rules.md 22)."""

    names = ("due",)


class MatchUndone(NeedsCorrection):
    """A payment we registered is not matched in the books any more (rules.md 23)."""

    names = ("amount",)


class PaymentDiffers(NeedsCorrection):
    """Teamleader expects something else than the books say: a person looks."""

    names = ("books", "due")


class PaymentNotBooked(NeedsCorrection):
    """Money that Teamleader has does not go to the books (rules.md 25)."""

    names = ("amount", "reason")


class PaymentNotMatched(NeedsCorrection):
    """Our entry of such money stands in the books beside its invoice: nothing more goes there until it is settled."""

    names = ("amount", "booking")


class FileNotAttached(NeedsCorrection):
    """The booking goes into the books without its file."""

    names = ("file", "reason")


class RequestInvalid(NeedsCorrection):
    """A request of a person's browser or program that does not fit."""

    names = ("field", "reason")


class NotFound(NeedsCorrection):
    """What was asked for is not there, or not this account's."""

    names = ("what",)


class UnexpectedAnswer(SyncError):
    """Somebody said something we do not understand."""

    names = ("vendor", "said")


FAMILIES = (TryLater, NeedsLogin, NeedsSetup, NeedsCorrection, UnexpectedAnswer)


def leaves() -> dict[str, type[SyncError]]:
    """Every error that can be stored, by its cause."""
    found: dict[str, type[SyncError]] = {UnexpectedAnswer.__name__: UnexpectedAnswer}
    for family in FAMILIES:
        found.update({leaf.__name__: leaf for leaf in family.__subclasses__()})
    return found
