"""Where nobody outside knows what the vendor does, a switch chooses: `POST /_fake/switches`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from fakes.kit.errors import BadCommand
from fakes.teamleader import totals


@dataclass(frozen=True)
class Switches:
    """The defaults are the likelier behaviour; the reasons are in COVERAGE.md."""

    rounding: str = totals.PER_LINE  # or per_rate: how VAT of new documents is rounded
    refresh_reuse_kills_family: bool = False  # a used refresh token kills the newest pair too
    refresh_revokes_access: bool = False  # a refresh ends the previous access token at once
    contacts_meta: bool = True  # off: contacts.list never gives meta, as one client saw
    strict_filters: bool = False  # an unknown filter key is refused
    edit_booked: bool = True  # the account's setting that permits invoices.updateBooked
    credit_reduces_due: bool = True  # off: a credit note leaves its invoice's due as it was
    webhooks_drop: bool = False
    webhooks_duplicate: bool = False
    webhooks_reorder: bool = False  # every second event overtakes the one before it
    webhooks_delay_s: Decimal | int = 0  # real seconds before each delivery
    webhooks_backoff_s: Decimal | int = 1  # real seconds before the first retry; doubles

    def changed(self, values: Mapping[str, Any]) -> Switches:
        """These switches with some set; BadCommand for one that does not exist or a value it cannot take."""
        kinds = {field.name: type(field.default) for field in fields(self)}
        for name, value in values.items():
            if name not in kinds:
                raise BadCommand(f"no switch {name}; there are {sorted(kinds)}")
            if kinds[name] is int:
                fits = isinstance(value, int | Decimal) and not isinstance(value, bool) and value >= 0
            else:
                fits = isinstance(value, kinds[name])
            if not fits or (name == "rounding" and value not in totals.MODES):
                raise BadCommand(f"switch {name} cannot be {value!r}")
        return replace(self, **values)
