"""Where nobody outside knows what Octopus does, a switch chooses: `POST /_fake/switches`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from fakes.kit.errors import BadCommand

_CHOICES: dict[str, tuple[object, ...]] = {
    "quota_status": (429, 403, 400),
    "credit_note_vat": ("any", "type_4"),
    "rate_direction": ("multiply", "divide"),
    "divers_sign": ("debit", "as_bank"),
    "open_credit_sign": ("negative", "positive"),
}


@dataclass(frozen=True)
class Switches:
    """The defaults are what the reference adopts; COVERAGE.md says why each is a question."""

    dossier_token_connects: bool = True  # a dossier token also does as `Token` for a further connect
    refresh_rotates: bool = True  # a refresh gives a new refresh token and ends the old; off: none is returned
    login_attempts: int = 5  # failed log-ins in a row per user and address before the door stays shut for an hour
    quota_status: int = 429  # 429 | 403 | 400: the answer when a daily limit is spent
    quota: dict[str, int] = field(default_factory=dict)  # other daily limits, by operation: {"GET accounts": 5}
    empty_relations_list: bool = False  # a search without result: 200 [] instead of 404
    timestamp_inclusive: bool = True  # modifiedTimeStamp itself is still included
    timestamp_utc: bool = False  # modifiedTimeStamp is UTC instead of Belgian time
    credit_note_vat: str = "any"  # any | type_4: VAT codes that a sales credit note takes
    rate_direction: str = "multiply"  # multiply | divide: booking amount from document amount and exchangeRate
    divers_sign: str = "debit"  # debit | as_bank: in a D journal a positive amount is a debit, or a credit as in F
    money_comments_match: bool = True  # a match tells the comment of a line of money
    open_credit_sign: str = "negative"  # negative | positive: openBookingAmount of payments and credit notes

    def changed(self, values: Mapping[str, Any]) -> Switches:
        """These switches with some set; BadCommand for one that does not exist or a value it cannot take."""
        for name, value in values.items():
            if name not in (known := {f.name for f in fields(self)}):
                raise BadCommand(f"no switch {name}; there are {sorted(known)}")
            if type(value) is not type(getattr(self, name)) or value not in _CHOICES.get(name, (value,)):
                raise BadCommand(f"switch {name} cannot be {value!r}")
        return replace(self, **values)
