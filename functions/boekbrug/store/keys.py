"""Every key of the one table, in one place.

    pk                                  sk                                            what
    ACCOUNT                             ACCOUNT                                       who connected first
    ACCOUNT                             CONNECTION#<id>  LOGIN#<id>  WEBHOOK#<vendor>
    ACCOUNT                             BOUGHT#<login>/<scope>                        tokens bought with a login's
    ACCOUNT                             JOB#<administration>#<kind>                   also in the index `due`
    ACCOUNT#<administration>#LINKS      INTENT#<kind>#<subject>                       one write, for ever
                                        REF#<kind>#<ref>                              whose booking (or relation) it is
                                        UNSETTLED#<kind>#<subject>                    sent, outcome open
    ACCOUNT#<administration>#DOCUMENTS  RECORD#<id>
                                        WAIT#<order>                                  in line
                                        HELD#<cause>#<id>
    ACCOUNT#<administration>#SEEN       <ref>                                         under what it is filed
    …#SEEN#<reference>                  <ref>                                         whoever carries that reference
    ACCOUNT#<administration>#SETTLEMENTS <booking>#<id>                              in line
    …#SETTLEMENTS#<booking>             <id>                                          the newest word on that part
    ACCOUNT#<administration>#PROBLEMS   <subject>
    ACCOUNT#AUDIT#<chain>               <sequence number>
    ACCOUNT#SNAPSHOTS                   <name>
    ACCOUNT#ROWS#<name>                 <row>
    GLOBAL#…                            see the functions at the end: what belongs to no account, or to several

What grows without end and is asked for in parts has a partition for each part (of a reference, of a booking): asking
costs the same after ten years. `ACCOUNT` is the account's id. Whatever a key is made of is escaped, so that no id can
reach into a neighbour's keys.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from ..domain.connections import ConnectionId, JobKind, LoginId
from ..domain.documents import AccountId, DocumentId
from ..domain.ledger import AdministrationId

GLOBAL = "GLOBAL"
SHARDS = 16


class Key(NamedTuple):
    """Where an item stands; as a span: a partition, and what the sort keys in it start with."""

    pk: str
    sk: str


class Table:
    """The keys of one account: the only way to reach a tenant's records."""

    def __init__(self, account: AccountId) -> None:
        if not account or account == GLOBAL:
            raise ValueError(f"{account!r} is no account")
        self._account = _part(account)

    # the account itself
    def account(self) -> Key:
        return Key(self._account, "ACCOUNT")

    def connections(self) -> Key:
        return Key(self._account, "CONNECTION#")

    def connection(self, connection: ConnectionId) -> Key:
        return _in(self.connections(), connection)

    def logins(self) -> Key:
        return Key(self._account, "LOGIN#")

    def login(self, login: LoginId) -> Key:
        """What was bought with a login stands apart, so that a list of logins does not read it."""
        return _in(Key(self._account, "BOUGHT#") if "/" in login else self.logins(), login)

    def webhook(self, vendor: str) -> Key:
        return Key(self._account, f"WEBHOOK#{_part(vendor)}")

    def jobs(self) -> Key:
        return Key(self._account, "JOB#")

    def job(self, administration: AdministrationId, kind: JobKind) -> Key:
        return _in(self.jobs(), administration, kind)

    # remembered pairs
    def intent(self, administration: AdministrationId, kind: str, subject: str) -> Key:
        return _in(self._of(administration, "LINKS", "INTENT#"), kind, subject)

    def ref(self, administration: AdministrationId, kind: str, ref: str) -> Key:
        return _in(self._of(administration, "LINKS", "REF#"), kind, ref)

    def all_unsettled(self, administration: AdministrationId) -> Key:
        return self._of(administration, "LINKS", "UNSETTLED#")

    def unsettled(self, administration: AdministrationId, kind: str, subject: str) -> Key:
        return _in(self.all_unsettled(administration), kind, subject)

    # documents in scope
    def documents(self, administration: AdministrationId) -> Key:
        return self._of(administration, "DOCUMENTS", "RECORD#")

    def document(self, administration: AdministrationId, document: DocumentId) -> Key:
        return _in(self.documents(administration), document)

    def all_waiting(self, administration: AdministrationId) -> Key:
        return self._of(administration, "DOCUMENTS", "WAIT#")

    def waiting(self, administration: AdministrationId, order: str) -> Key:
        """`order` goes in as it is: escaping could change it."""
        span = self.all_waiting(administration)
        return Key(span.pk, span.sk + order)

    def all_held(self, administration: AdministrationId) -> Key:
        return self._of(administration, "DOCUMENTS", "HELD#")

    def held_by(self, administration: AdministrationId, cause: str) -> Key:
        return _in(self.all_held(administration), cause, "")

    def held(self, administration: AdministrationId, cause: str, document: DocumentId) -> Key:
        return _in(self.all_held(administration), cause, document)

    # what stands in the books
    def seen_booking(self, administration: AdministrationId, ref: str) -> Key:
        return _in(self._of(administration, "SEEN"), ref)

    def seen_references(self, administration: AdministrationId, reference: str) -> Key:
        return self._of(administration, f"SEEN#{_part(reference)}")

    def seen_reference(self, administration: AdministrationId, reference: str, ref: str) -> Key:
        return _in(self.seen_references(administration, reference), ref)

    # what the books settled
    def settlements_of(self, administration: AdministrationId, booking: str) -> Key:
        return self._of(administration, f"SETTLEMENTS#{_part(booking)}")

    def settlement(self, administration: AdministrationId, booking: str, settlement: str) -> Key:
        return _in(self.settlements_of(administration, booking), settlement)

    def settlements_in_line(self, administration: AdministrationId) -> Key:
        return self._of(administration, "SETTLEMENTS")

    def settlement_in_line(self, administration: AdministrationId, booking: str, settlement: str) -> Key:
        return _in(self.settlements_in_line(administration), booking, settlement)

    # for people
    def problems(self, administration: AdministrationId) -> Key:
        return self._of(administration, "PROBLEMS")

    def problem(self, administration: AdministrationId, subject: str) -> Key:
        return _in(self.problems(administration), subject)

    def chain(self, chain: str) -> Key:
        return Key(f"{self._account}#AUDIT#{_part(chain)}", "")

    def entry(self, chain: str, sequence: int) -> Key:
        return _in(self.chain(chain), entry_order(sequence))

    def snapshot(self, name: str) -> Key:
        return Key(f"{self._account}#SNAPSHOTS", _part(name))

    def rows(self, name: str) -> Key:
        return Key(f"{self._account}#ROWS#{_part(name)}", "")

    def row(self, name: str, key: str) -> Key:
        """`key` goes in as it is: people page by it."""
        return Key(self.rows(name).pk, key)

    def _of(self, administration: AdministrationId, family: str, prefix: str = "") -> Key:
        return Key(f"{self._account}#{_part(administration)}#{family}", prefix)


def entry_order(sequence: int) -> str:
    """Ten digits sort as numbers do, for longer than any chain will grow."""
    return f"{sequence:010d}"


def job_of(key: Key) -> tuple[AccountId, AdministrationId, JobKind]:
    """Whose job stands at this key, as the due index shows it."""
    _, administration, kind = key.sk.split("#")
    return AccountId(_whole(key.pk)), AdministrationId(_whole(administration)), JobKind(_whole(kind))


# What belongs to no account, or to several. Nobody guesses the first three: they hold the hash of 256 random bits.


def session(token: str) -> Key:
    return Key(f"{GLOBAL}#SESSION#{hashed(token)}", "SESSION")


def oauth_state(state: str) -> Key:
    return Key(f"{GLOBAL}#OAUTH#{hashed(state)}", "STATE")


def webhook_token(token_hash: str) -> Key:
    return Key(f"{GLOBAL}#WEBHOOK#{token_hash}", "TOKEN")


def budget_block(budget: str) -> Key:
    """Budgets are the vendor's: of an administration, an app or an organisation, whichever accounts share it."""
    return Key(f"{GLOBAL}#BUDGET#{_part(budget)}", "BLOCK")


def budget_count(budget: str, window: str) -> Key:
    return Key(f"{GLOBAL}#BUDGET#{_part(budget)}", f"COUNT#{window}")


def numbers(line: str) -> Key:
    """A journal's numbers are the package's: of everybody who books there."""
    return Key(f"{GLOBAL}#NUMBERS#{_part(line)}", "LINE")


def due_shard(number: int) -> str:
    return f"{GLOBAL}#DUE#{number:02d}"


def due_shard_of(job: Key) -> str:
    """The shard of the due index a job is listed in: by hash, so that no minute's sweep reads one hot partition."""
    digest = hashlib.sha256(f"{job.pk} {job.sk}".encode()).digest()
    return due_shard(digest[0] % SHARDS)


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _in(span: Key, *parts: str) -> Key:
    return Key(span.pk, span.sk + "#".join(_part(part) for part in parts))


def _part(value: str) -> str:
    return value.replace("%", "%25").replace("#", "%23")


def _whole(part: str) -> str:
    return part.replace("%23", "#").replace("%25", "%")
