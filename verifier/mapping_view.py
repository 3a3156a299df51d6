"""The mapping as people read it: client, account class, asset, chain, address, structure, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chains.types import Asset, LocationId, utc_text
from mapping import relation
from mapping.types import LedgerEntry
from verifier.rules.statements import figure
from verifier.store import Store


@dataclass(frozen=True, slots=True)
class MappingRow:
    """What one client owns of one asset at one location, and the wallets behind it."""

    client_id: str
    client_name: str
    account_class: str
    asset: Asset
    base_units: int
    location_id: LocationId
    structure: str
    """`omnibus`, `fully_segregated`, or `gas float` for the firm's own; empty off the chains."""
    wallets: tuple[str, ...]
    """CAIP-10 ids of the addresses behind the location, at the moment asked for."""
    since: datetime | None
    """When the figure last became other than zero."""

    @property
    def is_pool(self) -> bool:
        """Whether the location is a set of wallets rather than one."""
        return self.location_id.startswith("pool:")

    def cells(self) -> tuple[str, ...]:
        """For a table."""
        return (
            self.client_id,
            self.account_class,
            figure(self.base_units, self.asset),
            self.location_id + (f" ({len(self.wallets)} wallets)" if self.is_pool else ""),
            self.structure.removeprefix("fully_"),
            f"{self.since:%Y-%m-%d}" if self.since is not None else "",
        )

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "client_id": self.client_id,
            "client_name": self.client_name,
            "account_class": self.account_class,
            "asset_id": self.asset.asset_id,
            "symbol": self.asset.symbol,
            "quantity": self.asset.format_quantity(self.base_units),
            "base_units": str(self.base_units),
            "location": self.location_id,
            "chain_id": self.asset.chain_id,
            "structure": self.structure,
            "wallets": list(self.wallets),
            "since": utc_text(self.since) if self.since is not None else None,
        }

    def mentions(self, text: str) -> bool:
        """Whether a text occurs anywhere in the row, whatever its case."""
        everything = (
            self.client_id,
            self.client_name,
            self.asset.asset_id,
            self.asset.symbol,
            self.location_id,
            *self.wallets,
        )
        return any(text.casefold() in part.casefold() for part in everything)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One ledger entry with both of its times."""

    entry: LedgerEntry
    asset: Asset | None
    recorded_at: datetime

    def quantity(self) -> str:
        """The signed quantity; base units when the asset is not known any more."""
        return figure(self.entry.base_units, self.asset) if self.asset is not None else str(self.entry.base_units)

    def cells(self) -> tuple[str, ...]:
        """For a table."""
        entry = self.entry
        return (
            f"{entry.effective_at:%Y-%m-%d %H:%M}",
            f"{self.recorded_at:%Y-%m-%d %H:%M}",
            entry.client_id,
            entry.kind.value.replace("_", " ") + (f" of {entry.corrects}" if entry.corrects else ""),
            self.quantity(),
            entry.location_id,
        )

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        entry = self.entry
        return {
            "entry_id": entry.entry_id,
            "client_id": entry.client_id,
            "account_class": entry.account_class.value,
            "location": entry.location_id,
            "asset_id": entry.asset_id,
            "symbol": self.asset.symbol if self.asset is not None else None,
            "quantity": self.asset.format_quantity(entry.base_units) if self.asset is not None else None,
            "base_units": str(entry.base_units),
            "kind": entry.kind.value,
            "corrects": entry.corrects or None,
            "effective_at": utc_text(entry.effective_at),
            "recorded_at": utc_text(self.recorded_at),
        }


def mapping_view(store: Store, as_of: datetime, known_at: datetime, text: str = "") -> list[MappingRow]:
    """Who owned what where at a moment, as it was known at another; only rows that mention the text."""
    assets = {record.asset.asset_id: record.asset for record in store.assets(None, known_at)}
    names = {client.client_id: client.name for client in store.clients(known_at)}
    wallets = {wallet.location_id: wallet for wallet in store.wallets(None, known_at)}
    on = as_of.date()
    members: dict[LocationId, list[str]] = {}
    for member in store.pool_members(None, known_at):
        if member.from_date <= on and (member.to_date is None or on <= member.to_date):
            members.setdefault(member.location_id, []).append(f"{member.chain_id}:{member.address}")
    book = store.book(None, known_at)
    since = {key: _since(steps, as_of) for key, steps in book.timeline(known_at)}
    rows = []
    for key, base_units in sorted(book.allocations(as_of, known_at).items()):
        wallet = wallets.get(key.location_id)
        behind = (str(key.location_id),) if wallet is not None else tuple(sorted(members.get(key.location_id, ())))
        structure = wallet.structure.value if wallet is not None else ("omnibus" if behind else "")
        row = MappingRow(
            client_id=key.client_id,
            client_name=names.get(key.client_id, ""),
            account_class=key.account_class.value,
            asset=assets[key.asset_id],
            base_units=base_units,
            location_id=key.location_id,
            structure="gas float" if key.is_gas_float else structure,
            wallets=behind,
            since=since.get(key),
        )
        if not text or row.mentions(text):
            rows.append(row)
    return rows


def _since(steps: Sequence[tuple[datetime, int]], as_of: datetime) -> datetime | None:
    """The start of the last unbroken run of figures other than zero, up to a moment."""
    start: datetime | None = None
    for moment, base_units in steps:
        if moment > as_of:
            break
        start = None if base_units == 0 else (start or moment)
    return start


def entry_history(store: Store, as_of: datetime, known_at: datetime, text: str) -> list[HistoryRow]:
    """Every ledger entry in effect by one moment and recorded by another that mentions a text, as it came in."""
    assets = {record.asset.asset_id: record.asset for record in store.assets(None, known_at)}
    wanted = text.casefold()
    return [
        HistoryRow(entry, assets.get(entry.asset_id), recorded_at)
        for entry, recorded_at in store.entries(None, known_at)
        if entry.effective_at <= as_of
        and any(
            wanted in part.casefold() for part in (entry.client_id, entry.location_id, entry.asset_id, entry.entry_id)
        )
    ]


def mapping_periods(store: Store, known_at: datetime, text: str) -> list[relation.MappingRow]:
    """From when to when which client's assets were behind which address, as known at a time; rows with the text."""
    rows = relation.mapping_rows(
        store.book(None, known_at), store.wallets(None, known_at), store.pool_members(None, known_at), known_at
    )
    return [row for row in rows if row.mentions(text)]


def period_json(row: relation.MappingRow) -> dict[str, object]:
    """One period of the mapping, for `--json`."""
    return {
        "client_id": row.client_id,
        "account_class": row.account_class.value,
        "is_gas_float": row.is_gas_float,
        "asset_id": row.asset_id,
        "location": row.location_id,
        "chain_id": row.chain_id,
        "address": row.address,
        "structure": row.structure.value if row.structure is not None else None,
        "from": utc_text(row.from_time),
        "to": utc_text(row.to_time) if row.to_time is not None else None,
    }


def period_cells(row: relation.MappingRow) -> tuple[str, ...]:
    """One period of the mapping, for a table."""
    return (
        row.client_id,
        "gas float" if row.is_gas_float else row.account_class.value,
        row.asset_id,
        row.address or row.location_id,
        f"{row.from_time:%Y-%m-%d %H:%M}",
        f"{row.to_time:%Y-%m-%d %H:%M}" if row.to_time is not None else "still",
    )
