"""Exact Online's rows in Exact's spelling, and JSON the way Exact writes it.

A model names the fields we read and no others: `select` makes the query's `$select` out of it, so that what is asked
and what is read are one list.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from ..http import workable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d+)?\)/")  # the optional offset is in minutes and changes nothing


def _trimmed(value: Any) -> Any:
    """Codes, countries and languages come padded with blanks; an empty string comes as null; a code may be a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return "" if value is None else value.strip() if isinstance(value, str) else value


def _moment(value: Any) -> Any:
    """`/Date(1774915200000)/`: milliseconds since 1970."""
    if value is None:
        return None
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f"{value!r} is no date of Exact's")
    try:
        return EPOCH + timedelta(milliseconds=int(found[1]))
    except OverflowError as error:
        raise ValueError(f"{value!r} is in no calendar") from error


def _day(value: Any) -> Any:
    """A business date: midnight UTC."""
    moment = _moment(value)
    return None if moment is None else moment.date()


Text = Annotated[str, BeforeValidator(_trimmed)]
Day = Annotated[date, BeforeValidator(_day)]
MaybeDay = Annotated[date | None, BeforeValidator(_day)]
MaybeMoment = Annotated[datetime | None, BeforeValidator(_moment)]
Guid = Annotated[str, BeforeValidator(_trimmed), Field(pattern=r"^[0-9A-Za-z-]{1,64}$")]  # goes into filters as it is
MaybeGuid = Annotated[str, BeforeValidator(_trimmed), Field(pattern=r"^[0-9A-Za-z-]{0,64}$")]
Code = Annotated[str, BeforeValidator(_trimmed), Field(min_length=1)]  # what others refer to it by
Currency = Annotated[str, BeforeValidator(_trimmed), Field(pattern=r"^[A-Z]{3}$")]
Amount = Annotated[Decimal, AfterValidator(workable), Field(gt=-(10**15), lt=10**15)]
Number = Annotated[int, Field(ge=-(2**31), lt=2**31)]  # Edm.Int32
Stamp = Annotated[int, Field(ge=0, lt=2**63)]  # Edm.Int64 arrives as a string; pydantic reads both


class Row(BaseModel):
    """One row of an entity."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def select(model: type[Row]) -> str:
    return ",".join(model.model_fields)


class Me(Row):
    UserID: Guid
    CurrentDivision: Number


class Division(Row):
    Code: Number
    Hid: Text
    Description: Text
    VATNumber: Text
    Country: Text
    Currency: Currency
    Status: Number  # 0 inactive, 1 active, 2 archived
    BlockingStatus: Number | None  # anything but 0: try later


class Journal(Row):
    Code: Code
    Description: Text
    Type: Number
    IsBlocked: bool | None


class GLAccount(Row):
    ID: Guid
    Code: Code
    Description: Text
    IsBlocked: bool | None


class FinancialPeriod(Row):
    FinYear: Number
    FinPeriod: Number
    StartDate: Day
    EndDate: Day


class JournalStatus(Row):
    Journal: Text
    Year: Number
    Period: Number
    Status: Number  # 0 open, 1 closed


class VATCode(Row):
    Code: Code
    Description: Text
    Percentage: Amount | None  # a fraction
    Type: Text  # B base only, E excluding, I including, N none
    VATTransactionType: Text  # B both, P purchase, S sales
    EUSalesListing: Text  # L goods, S services, T triangulation, N none
    Charged: bool | None
    IsBlocked: bool | None
    OssCountry: Text
    Country: Text


class PaymentCondition(Row):
    Code: Code
    Description: Text
    PaymentDays: Number | None
    PaymentEndOfMonths: Number | None
    PaymentMethod: Text  # B on credit, I collection, K cash, Q payment service
    DiscountPercentage: Amount | None


class Account(Row):
    """A relation. `crm/Accounts` and `sync/CRM/Accounts` share it."""

    ID: Guid
    Code: Text
    Name: Text
    VATNumber: Text
    ChamberOfCommerce: Text
    Email: Text
    Phone: Text
    AddressLine1: Text
    Postcode: Text
    City: Text
    Country: Text
    Status: Text  # C customer, P prospect, S suspect, A none
    Blocked: bool | None
    EndDate: MaybeDay
    Created: MaybeMoment


class SyncAccount(Account):
    Timestamp: Stamp


class SalesEntry(Row):
    EntryID: Guid
    EntryNumber: Number
    Division: Number
    Type: Number  # 20 sales entry, 21 sales credit note
    Status: Number  # 20 open, 50 processed
    Journal: Text
    Customer: MaybeGuid
    EntryDate: Day
    YourRef: Text
    Description: Text
    Currency: Currency
    AmountFC: Amount  # including VAT, negative on a credit note
    AmountDC: Amount | None = None  # the same in the division's own currency
    VATAmountFC: Amount


class Document(Row):
    """What holds the files of an entry."""

    ID: Guid


class DocumentAttachment(Row):
    """A file; its content is never read back."""

    FileName: Text


class TransactionLine(Row):
    """A line of the ledger. Line 0 of a sales entry is its receivable."""

    Timestamp: Stamp
    EntryID: Guid
    EntryNumber: Number
    Division: Number
    Type: Number
    Status: Number | None
    LineNumber: Number | None
    JournalCode: Text
    Account: MaybeGuid
    Date: Day
    YourRef: Text
    Description: Text
    Currency: Text
    AmountFC: Amount | None  # debit positive; null on some lines that are not sales


class Receivable(Row):
    """Line 0 of a sales entry, with the line it was matched with."""

    ID: Guid
    EntryID: Guid
    OffsetID: MaybeGuid


class CounterLine(Row):
    """What stands at the other end of a match."""

    ID: Guid
    OffsetID: MaybeGuid
    Type: Number


class PaymentTerm(Row):
    """A part of an open item, received or to be received."""

    Timestamp: Stamp
    ID: Guid
    EntryID: MaybeGuid  # of the set this part was split off or matched in
    LineType: Number | None  # 20 receipt, 22 payment
    TransactionEntryID: MaybeGuid
    TransactionType: Number | None
    Status: Number  # 20 open, 30 and 40 in collection, 50 matched
    Currency: Currency
    AmountFC: Amount  # negative on an invoice: use its size only
    EntryDate: MaybeDay
    EndDate: MaybeDay
    LastPaymentDate: MaybeDay
