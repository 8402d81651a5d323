"""The resources Exact Online offers, and what each of them allows.

Source: reference, section 5 and appendix A. `fields.py` holds the fields;
here is the rest: verbs, page size, scope, refusals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from fakes.exact.fields import TABLES

SCOPES = (
    "Financial accounting",
    "Financial generalledgers",
    "Financial receivables",
    "Financial cashflow",
    "Crm accounts",
    "Organization documents",
    "Organization administration",
)
ACCOUNTING, LEDGERS, RECEIVABLES, CASHFLOW, CRM, DOCUMENTS, ADMINISTRATION = SCOPES

ALL, READ = frozenset({"GET", "POST", "PUT", "DELETE"}), frozenset({"GET"})


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: str
    key: bool
    writable: bool


@dataclass(frozen=True)
class Entity:
    """One resource. `table` is where its rows live; `kind` decides paging and what a query may ask."""

    path: str
    table: str
    verbs: frozenset[str]
    scope: str | None
    kind: str = "rest"  # rest | bulk | sync
    type_name: str = ""
    select_required: bool = False
    filters: frozenset[str] | None = None  # None: every scalar field
    children: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  # navigation -> (entity path, field that points back)

    @cached_property
    def fields(self) -> dict[str, Field]:
        return _fields(self.path)

    @cached_property
    def key(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.fields.values() if f.key)

    @cached_property
    def page(self) -> int:
        return 60 if self.kind == "rest" else 1000


_SAME = {  # resources whose reference says: the fields of another one
    "bulk/Cashflow/Receivables": "cashflow/Receivables",
    "bulk/CRM/Accounts": "crm/Accounts",
    "bulk/CRM/Contacts": "crm/Contacts",
    "bulk/Documents/Documents": "documents/Documents",
    "bulk/Documents/DocumentAttachments": "documents/DocumentAttachments",
    "bulk/Financial/GLAccounts": "financial/GLAccounts",
    "bulk/Financial/TransactionLines": "financialtransaction/TransactionLines",
    "sync/CRM/Accounts": "crm/Accounts",
    "sync/Financial/GLAccounts": "financial/GLAccounts",
    "sync/Financial/TransactionLines": "financialtransaction/TransactionLines",
    "sync/Cashflow/PaymentTerms": "cashflow/Receivables",
}
_PAYMENT_TERM = (
    "ApprovalStatus:i16 LineType:i16 PaymentBatchNumber:i32 PaymentSelected:dt PaymentSelector:g "
    "PaymentSelectorFullName:s"
)


def _fields(path: str) -> dict[str, Field]:
    groups = TABLES[_SAME.get(path, path)]
    sync = path.startswith("sync/") and path != "sync/Deleted"
    parts = [(name, group == "write") for group, names in groups.items() for name in names.split()]
    if sync:
        parts = [("Timestamp*:i64", False)] + [(name.replace("*", ""), False) for name, _ in parts]
    if path == "sync/Cashflow/PaymentTerms":
        parts += [(name, False) for name in _PAYMENT_TERM.split()]
    fields = {}
    for text, writable in parts:
        name, _, type_ = text.partition(":")
        bare = name.rstrip("*!")
        fields[bare] = Field(bare, type_, "*" in name, writable and "*" not in name)
    return fields


def words(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


_MODELS = "Exact.Web.Api.Models."
_ENTRY_LINES = {"SalesEntryLines": ("salesentry/SalesEntryLines", "EntryID")}

_ENTITIES = (
    Entity("current/Me", "Me", READ, None, type_name="Exact.Web.Api.System.Me"),
    Entity("system/Divisions", "Divisions", READ, ADMINISTRATION, type_name=_MODELS + "Division"),
    Entity("hrm/Divisions", "LicenceDivisions", READ, ADMINISTRATION, type_name=_MODELS + "HRM.DivisionClass"),
    Entity(
        "crm/Accounts",
        "Accounts",
        ALL,
        CRM,
        type_name=_MODELS + "Account",
        children={"BankAccounts": ("crm/BankAccounts", "Account")},
    ),
    Entity("crm/Contacts", "Contacts", ALL, CRM, type_name=_MODELS + "Contact"),
    Entity("crm/BankAccounts", "BankAccounts", ALL, CRM, type_name=_MODELS + "BankAccount"),
    Entity("financial/GLAccounts", "GLAccounts", ALL, LEDGERS, type_name=_MODELS + "GLAccount"),
    Entity("financial/Journals", "Journals", ALL, LEDGERS, type_name=_MODELS + "Journal"),
    Entity("financial/FinancialPeriods", "FinancialPeriods", READ, ACCOUNTING, type_name=_MODELS + "FinancialPeriod"),
    Entity(
        "read/financial/JournalStatusList", "JournalStatusList", READ, LEDGERS, type_name=_MODELS + "JournalStatusList"
    ),
    Entity(
        "vat/VATCodes",
        "VATCodes",
        ALL,
        ACCOUNTING,
        type_name=_MODELS + "VATCode",
        children={"VATPercentages": ("vat/VatPercentages", "VATCodeID")},
    ),
    Entity("vat/VatPercentages", "VatPercentages", READ, ACCOUNTING, type_name=_MODELS + "VatPercentage"),
    Entity(
        "cashflow/PaymentConditions",
        "PaymentConditions",
        frozenset({"GET", "POST"}),
        CASHFLOW,
        type_name=_MODELS + "PaymentCondition",
    ),
    Entity(
        "salesentry/SalesEntries",
        "SalesEntries",
        ALL,
        ACCOUNTING,
        type_name=_MODELS + "SalesEntry",
        children=_ENTRY_LINES,
    ),
    Entity("salesentry/SalesEntryLines", "SalesEntryLines", ALL, ACCOUNTING, type_name=_MODELS + "SalesEntryLine"),
    Entity("documents/Documents", "Documents", ALL, DOCUMENTS, type_name=_MODELS + "Document"),
    Entity(
        "documents/DocumentAttachments",
        "DocumentAttachments",
        frozenset({"GET", "POST", "DELETE"}),
        DOCUMENTS,
        type_name=_MODELS + "DocumentAttachment",
    ),
    Entity("documents/DocumentTypes", "DocumentTypes", READ, DOCUMENTS, type_name=_MODELS + "DocumentType"),
    Entity(
        "documents/DocumentCategories", "DocumentCategories", READ, DOCUMENTS, type_name=_MODELS + "DocumentCategory"
    ),
    Entity(
        "cashflow/Receivables",
        "Terms",
        frozenset({"GET", "PUT"}),
        RECEIVABLES,
        type_name=_MODELS + "Receivable",
        select_required=True,
    ),
    Entity(
        "read/financial/ReceivablesList", "ReceivablesList", READ, RECEIVABLES, type_name=_MODELS + "ReceivablesList"
    ),
    Entity(
        "financialtransaction/TransactionLines",
        "TransactionLines",
        READ,
        ACCOUNTING,
        type_name=_MODELS + "TransactionLine",
    ),
    Entity(
        "financialtransaction/BankEntries",
        "BankEntries",
        frozenset({"GET", "POST", "DELETE"}),
        ACCOUNTING,
        type_name=_MODELS + "BankEntry",
        children={"BankEntryLines": ("financialtransaction/BankEntryLines", "EntryID")},
    ),
    Entity(
        "financialtransaction/BankEntryLines",
        "BankEntryLines",
        frozenset({"GET", "POST"}),
        ACCOUNTING,
        type_name=_MODELS + "BankEntryLine",
    ),
    Entity(
        "webhooks/WebhookSubscriptions",
        "WebhookSubscriptions",
        frozenset({"GET", "POST", "DELETE"}),
        ADMINISTRATION,
        type_name=_MODELS + "WebhookSubscription",
    ),
    # bulk: 1,000 rows a page, $select demanded, few filters
    Entity(
        "bulk/Cashflow/Receivables",
        "Terms",
        READ,
        RECEIVABLES,
        "bulk",
        _MODELS + "Receivable",
        select_required=True,
        filters=words(
            "Account Document EndDate EndToEndID EntryDate EntryID GLAccount ID InvoiceDate InvoiceNumber Source "
            "Status TransactionID TransactionType"
        ),
    ),
    Entity("bulk/CRM/Accounts", "Accounts", READ, CRM, "bulk", _MODELS + "Account", select_required=True),
    Entity(
        "bulk/CRM/Contacts",
        "Contacts",
        READ,
        CRM,
        "bulk",
        _MODELS + "Contact",
        select_required=True,
        filters=words("Account ID IdentificationDocument IdentificationUser Person"),
    ),
    Entity(
        "bulk/Documents/Documents",
        "Documents",
        READ,
        DOCUMENTS,
        "bulk",
        _MODELS + "Document",
        select_required=True,
        filters=words(
            "Account Category Contact Created Creator Division DocumentDate DocumentFolder FinancialTransactionEntryID "
            "HID ID Modified Opportunity Project SalesInvoiceNumber Subject Type"
        ),
    ),
    Entity(
        "bulk/Documents/DocumentAttachments",
        "DocumentAttachments",
        READ,
        DOCUMENTS,
        "bulk",
        _MODELS + "DocumentAttachment",
        select_required=True,
        filters=words("Document ID"),
    ),
    Entity(
        "bulk/Financial/GLAccounts",
        "GLAccounts",
        READ,
        LEDGERS,
        "bulk",
        _MODELS + "GLAccount",
        select_required=True,
        filters=words(
            "AssimilatedVATBox BelcotaxType Code Costcenter Costunit Created Creator ID Modified Modifier "
            "PrivateGLAccount SearchCode Type VATNonDeductibleGLAccount YearEndCostGLAccount YearEndReflectionGLAccount"
        ),
    ),
    Entity(
        "bulk/Financial/TransactionLines",
        "TransactionLines",
        READ,
        ACCOUNTING,
        "bulk",
        _MODELS + "TransactionLine",
        select_required=True,
    ),
    # sync: 1,000 rows a page, in the order of the row version, which is the only filter
    Entity("sync/CRM/Accounts", "Accounts", READ, CRM, "sync", _MODELS + "Account", filters=words("Timestamp")),
    Entity(
        "sync/Financial/GLAccounts",
        "GLAccounts",
        READ,
        LEDGERS,
        "sync",
        _MODELS + "GLAccount",
        filters=words("Timestamp"),
    ),
    Entity(
        "sync/Financial/TransactionLines",
        "TransactionLines",
        READ,
        ACCOUNTING,
        "sync",
        _MODELS + "TransactionLine",
        filters=words("Timestamp"),
    ),
    Entity(
        "sync/Cashflow/PaymentTerms",
        "Terms",
        READ,
        CASHFLOW,
        "sync",
        _MODELS + "PaymentTerm",
        filters=words("Timestamp"),
    ),
    Entity(
        "sync/Deleted",
        "Deleted",
        READ,
        ADMINISTRATION,
        "sync",
        _MODELS + "Deleted",
        filters=words("Timestamp EntityType"),
    ),
)

ENTITIES: dict[str, Entity] = {entity.path.lower(): entity for entity in _ENTITIES}  # path segments ignore case
ACCOUNT_FILTERS = (
    "Accountant,AccountManager,AddressLine1,AddressLine2,AddressLine3,Blocked,BRIN,BSN,ChamberOfCommerce,City,"
    "Classification,Classification1,Classification2,Classification3,Classification4,Classification5,Classification6,"
    "Classification7,Classification8,Code,CodeAtSupplier,Country,Created,Email,EndDate,Fax,ID,InvoiceAccount,"
    "IsAccountant,IsReseller,IsSales,IsSupplier,MainContact,Modified,Name,Parent,Phone,Postcode,PriceList,Reseller,"
    "RSIN,SearchCode,StartDate,Status,Type,VATNumber"
)


def entity(path: str) -> Entity:
    return ENTITIES[path.lower()]
