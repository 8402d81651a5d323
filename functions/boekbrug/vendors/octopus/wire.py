"""Octopus' JSON in Octopus' spelling, oddities included.

Unset members are left out of its answers, so nearly every field has a default: absent, null, "" and blanks are one
(octopus.md 1.3). What a row is called by has none.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import httpx
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ...domain.errors import UnexpectedAnswer
from ..http import parsed, plain, workable
from .limits import VENDOR


def _trimmed(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return "" if value is None else value.strip() if isinstance(value, str) else value


def _or_zero(value: Any) -> Any:
    return 0 if value is None else value


def _or_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


Text = Annotated[str, BeforeValidator(_trimmed)]
Code = Annotated[str, BeforeValidator(_trimmed), Field(pattern=r"^[0-9A-Za-z]{1,20}$")]  # goes into our refs
Currency = Annotated[str, BeforeValidator(lambda value: _trimmed(value) or "EUR"), Field(pattern=r"^[A-Z]{3}$")]
Number = Annotated[int, BeforeValidator(_or_zero), Field(ge=-(2**31), lt=2**31)]
Id = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Amount = Annotated[Decimal, BeforeValidator(_or_zero), AfterValidator(workable), Field(gt=-(10**15), lt=10**15)]
MaybeDay = Annotated[date | None, BeforeValidator(_or_none)]


class Row(BaseModel):
    """One object of an answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Key(Row):
    id: Id = 0  # 0: not given


class OwnKey(Row):
    """Of a row that is known by nothing else."""

    id: Annotated[int, Field(ge=1, lt=2**31)]


class Dossier(Row):
    dossierKey: Key
    dossierDescription: Text = ""
    vatNr: Text = ""
    country: Text = ""


class BookyearPeriod(Row):
    bookyearPeriod: Id  # year and ordinal, of a month or a quarter: looked up, never computed
    startDate: date
    endDate: date


class Bookyear(Row):
    bookyearKey: Key
    bookyearDescription: Text = ""
    closed: bool | None = None
    startDate: date
    endDate: date
    periods: list[BookyearPeriod] = []

    @property
    def id(self) -> int:
        return self.bookyearKey.id


class Journal(Row):
    journalKey: Code  # a letter and an ordinal: "V1"
    name: Text = ""
    closed: bool | None = None
    closedPeriod: Number = 0  # the last period that is closed, 0 for none
    protectedPeriod: Number = 0
    insertionType: Number = 0  # 1 bookings, 2 and 3 invoices, 4 and 5 delivery notes
    lastBookedDocumentNr: Number = 0


class CommonJournal(Row):
    nextDocumentNumber: Annotated[int, Field(ge=1, lt=2**31)]


class OneJournal(Row):
    """A journal by itself: only here Octopus says which number comes next, last + 1 or further."""

    commonJournalServiceData: CommonJournal


class Description(Row):
    description_NL: Text = ""
    description_FR: Text = ""
    description_EN: Text = ""


class AccountKey(Row):
    id: Id


class Account(Row):
    accountKey: AccountKey
    description: Description | None = None


class VatCode(Row):
    code: Annotated[Text, Field(min_length=1)]  # people edit these
    description: Text = ""
    type: Number = 0  # 1 purchase, 2 sale, 3 purchase credit note, 4 sales credit note
    basePercentage: Amount = Decimal(0)


class Identification(Row):
    relationKey: Key | None = None
    externalRelationId: Number = 0  # 0: none


class OwnIdentification(Identification):
    relationKey: OwnKey


class Relation(Row):
    relationIdentificationServiceData: OwnIdentification
    name: Text = ""
    firstName: Text = ""
    client: bool | None = None
    active: bool | None = None
    streetAndNr: Text = ""
    postalCode: Text = ""
    city: Text = ""
    country: Text = ""  # two blanks on some old relations
    telephone: Text = ""
    mobile: Text = ""
    email: Text = ""
    vatNr: Text = ""


class ChangedRelations(Row):
    modified: list[Relation] | None = None
    deleted: list[Relation] | None = None


class BookingLine(Row):
    baseAmount: Amount = Decimal(0)
    vatAmount: Amount = Decimal(0)
    vatCodeKey: Text = ""


class Booking(Row):
    """A purchase or a sale as it stands; the journal's letter tells which."""

    bookyearKey: Key
    journalKey: Code
    documentSequenceNr: Id
    relationIdentificationServiceData: Identification | None = None
    documentDate: date
    amount: Amount = Decimal(0)  # including VAT, negative on a credit note
    currencyCode: Currency = "EUR"
    exchangeRate: Amount = Decimal(0)
    comment: Text = ""
    reference: Text = ""
    orderReference: Text = ""
    bookingLines: list[BookingLine] | None = None


class MoneyLine(Row):
    reference: Text = ""
    comment: Text = ""


class MoneyBooking(Row):
    """An entry of a bank journal or a various one, as far as it tells whose it is."""

    bookyearKey: Key
    journalKey: Code
    documentSequenceNr: Id
    bookingLines: list[MoneyLine] | None = None


class LedgerLine(Row):
    """A line of the ledger report."""

    bookyearKey: Key
    journalType: Text = ""
    journalNr: Number = 0
    documentSequenceNr: Id
    lineSequenceNr: Number = 0
    accountKey: Number = 0
    bookingAmount: Amount = Decimal(0)  # in the books' currency
    documentAmount: Amount = Decimal(0)


class DeletedBooking(Row):
    bookyearKey: Key
    journalType: Text = ""
    journalSequenceNr: Number = 0
    documentSequenceNr: Id


class ChangedLedger(Row):
    modifiedBookings: list[LedgerLine] | None = None


class DeletedLedger(Row):
    deletedBookings: list[DeletedBooking] | None = None


class BalancingKey(Row):
    bookyearKey: Key
    journalKey: Code
    documentSequenceNr: Id
    lineSequenceNr: Number = -1  # -1: what the customer owes, of a sale


class BalancingDocument(Row):
    """One end of a match. Its amounts are the whole line's, not the matched part's."""

    balancingKey: BalancingKey
    documentDate: MaybeDay = None
    currencyCode: Currency = "EUR"
    comment: Text = ""
    reference: Text = ""
    debetBookingAmount: Amount = Decimal(0)
    creditBookingAmount: Amount = Decimal(0)
    debetDocumentAmount: Amount = Decimal(0)
    creditDocumentAmount: Amount = Decimal(0)


class BalancingType(Row):
    type: Text = ""  # C client, S supplier, A ledger account


class Balancing(Row):
    """A match of one debit line with one credit line."""

    type: BalancingType
    debetDocument: BalancingDocument
    creditDocument: BalancingDocument
    creditBalancedBookingAmount: Amount = Decimal(0)
    debetBalancedBookingAmount: Amount = Decimal(0)


class ChangedBalancings(Row):
    modifiedBalancings: list[Balancing] | None = None
    deletedBalancings: list[Balancing] | None = None


class OpenRow(Row):
    bookyearKey: Key
    journalKey: Code
    documentSequenceNr: Id
    currencyCode: Currency = "EUR"
    debetDocumentAmount: Amount = Decimal(0)
    creditDocumentAmount: Amount = Decimal(0)
    openDocAmount: Amount = Decimal(0)
    comment: Text = ""
    reference: Text = ""


def is_refusal(body: Any) -> bool:
    """Whether this is an ErrorResult, whatever status it came with."""
    return isinstance(body, dict) and not body.keys().isdisjoint(("errorCode", "errorMessage", "technicalInfo"))


class Refusal(Row):
    """ErrorResult, every member of which may be missing, and the status it came with."""

    status: int
    code: int | None = None
    words: str = ""  # Octopus' own, in the language of the dossier

    @property
    def label(self) -> str:
        return f"HTTP {self.status}" + (f", code {self.code}" if self.code is not None else "")

    @property
    def said(self) -> str:
        """What can be shown of it: without words its code, which whoever is asked for help can look up."""
        return self.words or self.label

    @classmethod
    def of(cls, response: httpx.Response) -> Refusal:
        try:
            body = parsed(response)
        except ValueError:
            body = None
        body = body if isinstance(body, dict) else {}
        code = body.get("errorCode")
        known = code if isinstance(code, int) and not isinstance(code, bool) and code != 0 else None
        texts = [body.get(name) for name in ("errorMessage", "technicalInfo")]
        words = next((plain(text) for text in texts if isinstance(text, str) and text.strip()), "")
        return cls(status=response.status_code, code=known, words=words)


R = TypeVar("R", bound=Row)


def row_of(data: Any, model: type[R]) -> R:
    """Raises UnexpectedAnswer, naming the fields that did not fit; never their values, which are somebody's books."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors())
        raise UnexpectedAnswer(vendor=VENDOR, said=plain(f"{model.__name__}: {fields}")) from error


def rows_of(data: Any, model: type[R]) -> list[R]:
    """The rows of a list; none where nothing was found. Raises UnexpectedAnswer."""
    if data is None:
        return []
    if not isinstance(data, list):
        raise UnexpectedAnswer(vendor=VENDOR, said=f"{model.__name__}: no list")
    return [row_of(item, model) for item in data]


def changes_of(data: Any, model: type[R]) -> R:
    """The lists of what changed, empty where nothing was found. Raises UnexpectedAnswer when neither is there."""
    changed = model() if data is None else row_of(data, model)
    if data is not None and not changed.model_fields_set:
        raise UnexpectedAnswer(vendor=VENDOR, said=f"{model.__name__}: without its lists")
    return changed
