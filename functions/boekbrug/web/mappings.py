"""Which VAT code and ledger account belong to what: the proposal, and the user's choice."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import Field

from ..domain.connections import Mapping
from ..domain.documents import CategoryId, DocumentKind, TaxRate, TaxRateId
from ..domain.errors import RequestInvalid
from ..domain.ledger import Regime, VatCode
from ..domain.proposals import propose
from .app import Route, Visit
from .connections import ConnectionView, view_of
from .http import Answer, Answered, Asked
from .jobs import go_on, wake_all
from .lookup import Ground, connection_of, ground_of, needed_ground


class NewMapping(Asked):
    """The whole mapping; what is left out is not mapped."""

    vat_codes: dict[str, dict[DocumentKind, str]] = Field(default_factory=dict)  # tax rate id → kind → VAT code
    category_accounts: dict[str, str] = Field(default_factory=dict)  # category id → account id
    rate_accounts: dict[str, str] = Field(default_factory=dict)  # tax rate id → account id
    default_account: str = ""
    discount_account: str = ""


class MappingView(Answered):
    vat_codes: dict[str, dict[DocumentKind, str]]
    category_accounts: dict[str, str]
    rate_accounts: dict[str, str]
    default_account: str
    discount_account: str


class AccountView(Answered):
    id: str
    code: str
    name: str
    blocked: bool


class VatCodeView(Answered):
    code: str
    name: str
    percentage: Decimal  # a fraction: "0.21"
    regime: Regime
    kinds: list[DocumentKind]
    usable: bool


class RateView(Answered):
    id: str
    description: str
    rate: Decimal  # a fraction


class CategoryView(Answered):
    id: str
    name: str


class Mappings(Answered):
    read_at: datetime | None  # null: the books were not read yet, so there is nothing to choose from
    proposal: MappingView
    accepted: MappingView | None
    accepted_at: datetime | None
    accounts: list[AccountView]
    vat_codes: list[VatCodeView]
    rates: list[RateView]
    categories: list[CategoryView]


def show_mappings(visit: Visit) -> Answer:
    """The mapping in use, the one we propose, and everything there is to choose from."""
    connection = connection_of(visit)
    ground = ground_of(connection, visit.house)
    accepted = connection.mapping if connection.mapping.accepted_at else None
    if ground is None:
        proposal, accounts, codes, rates, categories = Mapping(), (), (), (), ()
    else:
        proposal = propose(connection.entity, ground.books, ground.rates, ground.categories)
        accounts, codes = ground.books.accounts, ground.books.vat_codes
        rates, categories = ground.rates, ground.categories
    answer = Mappings(
        read_at=ground.read_at if ground else None,
        proposal=_view(proposal),
        accepted=_view(accepted) if accepted else None,
        accepted_at=connection.mapping.accepted_at,
        accounts=[AccountView(id=a.id, code=a.code, name=a.name, blocked=a.blocked) for a in accounts],
        vat_codes=[
            VatCodeView(
                code=c.code, name=c.name, percentage=c.percentage, regime=c.regime, kinds=list(c.kinds), usable=c.usable
            )
            for c in codes
        ],
        rates=[RateView(id=r.id, description=r.description, rate=r.rate) for r in rates],
        categories=[CategoryView(id=c.id, name=c.name) for c in categories],
    )
    return Answer(body=answer)


def accept_mappings(visit: Visit) -> Answer:
    """Accepts a whole mapping; documents that were held are looked at again."""
    before, house = connection_of(visit), visit.house
    asked = visit.request.read(NewMapping)
    check_mapping(asked, needed_ground(before, house))
    now = house.clock.now()
    after = before.accepted(_mapping(asked), now)
    house.connections.save(after)
    facts = {"connection": after.id, "user": visit.session.user, "mapping": asked.model_dump(mode="json")}
    house.audit(after.account).append(after.administration, "mapping_accepted", facts, now)
    if after.active and after.automatic and before.mapping.accepted_at is None:
        wake_all(house, after)
    else:
        go_on(house, after)
    return Answer(body=view_of(after))


def check_mapping(asked: NewMapping, ground: Ground) -> None:
    """Every code and account must exist on both sides and fit: percentage, kind, not blocked (rules.md 18).

    Raises: RequestInvalid, naming the first field that does not.
    """
    rates = {rate.id: rate for rate in ground.rates}
    codes = {code.code: code for code in ground.books.vat_codes}
    for rate_id, chosen in asked.vat_codes.items():
        rate = rates.get(TaxRateId(rate_id))
        if rate is None:
            raise RequestInvalid(field=f"vat_codes.{rate_id}", reason="other_entity")
        for kind, code_name in chosen.items():
            if reason := _misfit(codes.get(code_name), rate, kind):
                raise RequestInvalid(field=f"vat_codes.{rate_id}.{kind}", reason=reason)
    for rate_id in asked.rate_accounts:
        if TaxRateId(rate_id) not in rates:
            raise RequestInvalid(field=f"rate_accounts.{rate_id}", reason="other_entity")
    categories = {category.id for category in ground.categories}
    for category_id in asked.category_accounts:
        if CategoryId(category_id) not in categories:
            raise RequestInvalid(field=f"category_accounts.{category_id}", reason="other_entity")
    _check_accounts(asked, ground)


def _misfit(code: VatCode | None, rate: TaxRate, kind: DocumentKind) -> str:
    """Why a code cannot serve a rate and kind; "" when it can."""
    if code is None:
        return "not_in_books"
    if not code.usable:
        return "not_usable"
    if code.percentage != rate.rate:
        return "wrong_percentage"
    return "" if kind in code.kinds else "wrong_kind"


def _check_accounts(asked: NewMapping, ground: Ground) -> None:
    usable = {account.id: not account.blocked for account in ground.books.accounts}
    chosen = {
        **{f"rate_accounts.{rate}": account for rate, account in asked.rate_accounts.items()},
        **{f"category_accounts.{category}": account for category, account in asked.category_accounts.items()},
        **{
            name: account
            for name in ("default_account", "discount_account")
            if (account := getattr(asked, name))  # "" is no choice
        },
    }
    for field, account in chosen.items():
        if account not in usable:
            raise RequestInvalid(field=field, reason="not_in_books")
        if not usable[account]:
            raise RequestInvalid(field=field, reason="not_usable")


def _mapping(asked: NewMapping) -> Mapping:
    return Mapping(
        vat_codes={TaxRateId(rate): dict(chosen) for rate, chosen in asked.vat_codes.items()},
        category_accounts={CategoryId(category): account for category, account in asked.category_accounts.items()},
        rate_accounts={TaxRateId(rate): account for rate, account in asked.rate_accounts.items()},
        default_account=asked.default_account,
        discount_account=asked.discount_account,
    )


def _view(mapping: Mapping) -> MappingView:
    return MappingView(
        vat_codes=dict(mapping.vat_codes),
        category_accounts=dict(mapping.category_accounts),
        rate_accounts=dict(mapping.rate_accounts),
        default_account=mapping.default_account,
        discount_account=mapping.discount_account,
    )


ROUTES = (
    Route("GET", "/api/connections/{id}/mappings", show_mappings, Mappings),
    Route("PUT", "/api/connections/{id}/mappings", accept_mappings, ConnectionView, asks=NewMapping),
)
