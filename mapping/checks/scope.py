"""What the checks of one import share: its rows, what is known, and where problems go."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from chains.types import Address, ChainId, LocationId
from mapping.bulk import RowPack
from mapping.columns import Key
from mapping.context import OFF_CHAIN_PREFIXES
from mapping.csvfile import Problems
from mapping.known import KnownBook
from mapping.types import Allocation, Client, LedgerEntry, PoolMember, Position, Sourced, Wallet


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know that does not stop the import."""

    file: str
    line: int
    """Line in the file; 0 when the whole file is meant."""
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass(slots=True)
class Scope:
    """One import while it is checked."""

    known: KnownBook
    rows: dict[str, list[Sourced[Any]]]
    """The rows that were read, by table; the checks drop those that say nothing new."""
    problems: Problems
    posted: bool = False
    """A row posted by itself: it completes nothing, and says nothing about what it leaves out."""
    unreliable: Collection[str] = ()
    """Tables of which some rows could not be read: their absence from the records proves nothing."""
    now: datetime | None = None
    """The moment of the import; statements about later moments are refused. None leaves that unchecked."""
    notices: list[Notice] = field(default_factory=list)
    notice_count: int = 0
    packs: dict[str, RowPack] = field(default_factory=dict)
    """The rows of tables of millions of rows, packed, by table; `rows` has none of them."""
    unchanged: int = 0
    """Rows that were recorded before in the same words."""

    def problem(self, sourced: Sourced[Any], column: str, value: str, reason: str) -> None:
        """Note a problem of one row."""
        self.problems.add(sourced.origin.source, sourced.origin.line, reason, column=column, value=value)

    def notice(self, file: str, line: int, text: str) -> None:
        """Note something that does not stop the import; as many are kept as problems are."""
        self.notice_count += 1
        if len(self.notices) < self.problems.problems_max:
            self.notices.append(Notice(file, line, text))

    def of(self, table: str) -> list[Sourced[Any]]:
        """The rows of one table."""
        return self.rows.get(table, [])

    def allocations(self) -> list[Sourced[Allocation]]:
        """The snapshot rows."""
        return self.of("allocations")

    def entries(self) -> list[Sourced[LedgerEntry]]:
        """The movements."""
        return self.of("ledger_entries")

    def positions(self) -> list[Sourced[Position]]:
        """The statements of outside parties."""
        return self.of("positions")

    def wallets(self, keys: Iterable[tuple[ChainId, Address]]) -> dict[tuple[ChainId, Address], Wallet]:
        """The wallets of these addresses as they are after the import, where there is one."""
        wanted: set[Key] = set(keys)
        found: dict[Key, Any] = dict(self.known.records("wallets", wanted))
        for sourced in self.of("wallets"):
            key = (sourced.record.chain_id, sourced.record.address)
            if key in wanted:
                found[key] = sourced.record
        return {(record.chain_id, record.address): record for record in found.values()}

    def clients(self, ids: Iterable[str]) -> dict[str, Client]:
        """The clients of these ids as they are after the import, where there is one."""
        wanted = set(ids)
        found: dict[str, Any] = {
            key[0]: row for key, row in self.known.records("clients", {(i,) for i in wanted}).items()
        }
        found.update({row.record.client_id: row.record for row in self.of("clients") if row.record.client_id in wanted})
        return found

    def members(self) -> list[PoolMember]:
        """Every pool membership as it is after the import."""
        found = {_member_key(member): member for member in self.known.pool_members()}
        found.update({_member_key(row.record): row.record for row in self.of("pools")})
        return list(found.values())


def _member_key(member: PoolMember) -> tuple[object, ...]:
    return (member.pool_id, member.chain_id, member.address, member.from_date)


def is_member_on(member: PoolMember, day: date) -> bool:
    """Whether a membership holds on a day; its first and last day count."""
    return member.from_date <= day and (member.to_date is None or day <= member.to_date)


def split_account(location_id: LocationId) -> tuple[ChainId, Address] | None:
    """Chain and address of an account location; None for pools and places outside any chain."""
    namespace, _, rest = location_id.partition(":")
    if namespace == "pool" or namespace in OFF_CHAIN_PREFIXES:
        return None
    reference, _, address = rest.partition(":")
    return ChainId(f"{namespace}:{reference}"), Address(address)


def pool_id_of(location_id: LocationId) -> str | None:
    """The id of a pool location; None for others."""
    return location_id.removeprefix("pool:") if location_id.startswith("pool:") else None
