"""Mappings that fill themselves in, and are the user's to change."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .connections import Mapping
from .documents import Category, DocumentKind, EntityId, TaxRate
from .ledger import Books, LedgerAccount, Regime, VatCode

# What people call the regimes of a rate, in Dutch, French and English, as rates are named in Teamleader.
_SIGNS: tuple[tuple[Regime, str], ...] = (
    (Regime.EU_SERVICES, r"(intra|ic|eu|ue).*(dienst|service)|(dienst|service).*(intra|eu\b|ue\b|binnen)"),
    (Regime.EU_GOODS, r"intra|\bic\b|\bicl\b|eu.{0,4}(goed|lever|good|levering)|communautair|communaut"),
    (Regime.REVERSE_CHARGE, r"medecontract|cocontract|co-contract|verlegd|reverse|autoliquid|\bmc\b"),
    (Regime.EXPORT, r"export|buiten.{0,4}(eu|e\.u)|hors.{0,4}(ue|u\.e)|outside.{0,8}eu|uitvoer"),
    (Regime.EXEMPT, r"vrijgesteld|exempt|exon[eé]r|niet.{0,4}(belast|onderworpen)"),
)
_DISCOUNT = re.compile(r"korting|discount|remise|ristorno", re.IGNORECASE)


def regime_of(description: str, percentage_is_zero: bool) -> Regime:
    """What a rate's or code's name says about it.

    >>> regime_of("0% Intracommunautaire diensten", True).value
    'eu_services'
    """
    if not percentage_is_zero:
        return Regime.DOMESTIC
    for regime, signs in _SIGNS:
        if re.search(signs, description, re.IGNORECASE):
            return regime
    return Regime.DOMESTIC


def propose(entity: EntityId, books: Books, rates: Sequence[TaxRate], categories: Sequence[Category]) -> Mapping:
    """A first mapping for an entity: nothing is guessed where two codes fit equally well.

    VAT codes by percentage *and* regime (rules.md 18), accounts by the number the category carries, else the first
    revenue account as default.
    """
    open_accounts = [account for account in books.accounts if not account.blocked]
    by_number = {account.code: account.id for account in open_accounts}
    own_rates = [rate for rate in rates if rate.entity == entity]
    plain = [account for account in open_accounts if not _DISCOUNT.search(account.name)]
    return Mapping(
        vat_codes={rate.id: codes for rate in own_rates if (codes := _vat_codes(rate, books.vat_codes))},
        category_accounts={
            category.id: by_number[number]
            for category in categories
            if (number := category.account_in(entity)) and number in by_number
        },
        default_account=plain[0].id if plain else "",
        discount_account=_discount_account(open_accounts),
    )


def _vat_codes(rate: TaxRate, codes: Sequence[VatCode]) -> dict[DocumentKind, str]:
    regime = regime_of(rate.description, rate.rate == 0)
    chosen = {}
    for kind in DocumentKind:
        fits = [c for c in codes if c.usable and c.percentage == rate.rate and kind in c.kinds and c.regime == regime]
        # A code for this kind alone beats one for both (Octopus' type 4); two equals are the user's choice.
        narrow = [code for code in fits if len(code.kinds) == 1] or fits
        if len(narrow) == 1:
            chosen[kind] = narrow[0].code
    return chosen


def _discount_account(accounts: Sequence[LedgerAccount]) -> str:
    for account in accounts:
        if _DISCOUNT.search(account.name):
            return account.id
    return ""
