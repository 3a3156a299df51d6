"""Storing an import, and the mapping and the book as they stood at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final, TypeVar, cast

import sqlalchemy as sa

from chains.evm.token_layout import TokenLayout
from chains.garbage import rare_collections
from chains.types import Address, AssetId, ChainId, LocationId, utc_text
from mapping.accepted_control import AcceptedControl
from mapping.book import AllocationKey, Book, import_entries
from mapping.importer import ImportResult
from mapping.tables import key_of
from mapping.token_layouts import ReviewedLayout
from mapping.types import (
    AccountClass,
    Allocation,
    AssetRecord,
    Client,
    CustodianAddress,
    EntryKind,
    FirmAddress,
    LedgerEntry,
    PoolMember,
    Position,
    Price,
    Record,
    Sourced,
    TransferAuthorization,
    Wallet,
    WalletDescriptor,
)
from verifier.errors import StoreError
from verifier.rules.by_asset import ByAsset
from verifier.rules.claims import Holder, OwnerKey, Owners, holders_of
from verifier.store.books_rows import add_pack
from verifier.store.codec import CODECS
from verifier.store.engine import Database
from verifier.store.remembered import Remembered
from verifier.store.tables import (
    AuthorizationRow,
    ImportedFileRow,
    InternedTextRow,
    LedgerEntryRow,
    PositionRow,
    StatedAllocationRow,
    WalletRow,
    table,
)
from verifier.store.types import CivilDate, as_driven
from verifier.store.unit import Unit

FILE = table(ImportedFileRow)
TEXT = table(InternedTextRow)
ENTRY = table(LedgerEntryRow)
POSITION = table(PositionRow)
CLIENT_TEXT, LOCATION_TEXT, ASSET_TEXT = (TEXT.alias(name) for name in ("client_text", "location_text", "asset_text"))

BOOKKEEPING = frozenset({"record_id", "journal_sequence", "recorded_at", "file_key", "line"})
"""Columns of an imported row that say where it came from; the others are the record's."""
FEW_LOCATIONS: Final = 500
"""Up to so many, entries are looked up by location."""

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Applied:
    """What an import stored."""

    files: int
    """Files that were new; the others had been imported before and were left out."""
    records: int
    entries: int
    """Ledger entries, those made from snapshots included."""


class MappingStore(Database):
    """The firm's side of the store."""

    def _forget(self) -> None:
        super()._forget()
        self._remembered = Remembered()

    def apply_import(self, result: ImportResult, actor: str, now: datetime) -> Applied:
        """Store a whole import in one transaction; a file that was imported before is left out.

        Raises `StoreError` when the result has problems: nothing of a bad file is stored.
        """
        if result.problems:
            raise StoreError(f"the import has {len(result.problems)} problems; nothing was stored")
        payload = {"files": [{"name": each.name, "sha256": each.digest} for each in result.files]}
        with rare_collections(), self.record("import", actor, payload, now) as unit:
            return apply_in(unit, result)

    def clients(self, known_at: datetime) -> list[Client]:
        """The newest record of every client."""
        return self._newest(Client, known_at)

    def asset_history(self, known_at: datetime, chain_id: ChainId | None = None) -> list[AssetRecord]:
        """Every dated legal class of every asset."""
        records = self._newest(AssetRecord, known_at)
        return [each for each in records if chain_id is None or each.asset.chain_id == chain_id]

    def assets(self, chain_id: ChainId | None, known_at: datetime) -> list[AssetRecord]:
        """One record per asset, by id: the legal class in force at the time. All chains and rails when None."""
        found: dict[AssetId, AssetRecord] = {}
        today = known_at.date()
        for each in sorted(self.asset_history(known_at, chain_id), key=lambda record: record.legal_class_from):
            if each.asset.asset_id not in found or each.legal_class_from <= today:
                found[each.asset.asset_id] = each
        return [found[asset_id] for asset_id in sorted(found)]

    def wallets(self, chain_id: ChainId | None, known_at: datetime) -> list[Wallet]:
        """The newest record of every wallet, closed ones too."""
        return self._newest(Wallet, known_at, chain_id)

    def closing_days(self, chain_id: ChainId, known_at: datetime) -> Mapping[Address, date | None]:
        """Every wallet of a chain, closed ones too, with the day it was closed; None of one that is open."""
        of = table(WalletRow)
        query = (
            sa.select(*as_driven(of.c.address, of.c.closed_on))
            .where(of.c.chain_id == chain_id, of.c.recorded_at <= known_at)
            .order_by(of.c.record_id)
        )
        question, moments = ("closing_days", chain_id), (known_at,)
        with self.read() as connection:
            self._notice(connection)
            days: Mapping[Address, date | None] | None = self._remembered.recall(connection, of, question, moments)
            if days is None:
                day = CivilDate().python
                rows = connection.execute(query).all()
                days = MappingProxyType({address: None if closed is None else day(closed) for address, closed in rows})
                self._remembered.keep(connection, of, question, moments, (of.c.recorded_at,), days)
        return days

    def wallets_recorded_after(
        self, chain_id: ChainId, moment: datetime, known_at: datetime
    ) -> dict[Address, datetime]:
        """When each wallet of a chain that was first recorded after a moment was first recorded."""
        of = table(WalletRow)
        before = of.alias("before")
        query = (
            sa.select(of.c.address, of.c.recorded_at)
            .where(of.c.chain_id == chain_id, of.c.recorded_at > moment, of.c.recorded_at <= known_at)
            .where(
                ~sa.exists().where(
                    before.c.chain_id == of.c.chain_id,
                    before.c.address == of.c.address,
                    before.c.record_id < of.c.record_id,
                )
            )
        )
        with self.read() as connection:
            newest = connection.execute(sa.select(of.c.recorded_at).order_by(of.c.record_id.desc()).limit(1)).scalar()
            if newest is None or newest <= moment:  # as nearly always, and the times rise with the rows
                return {}
            return {Address(row.address): row.recorded_at for row in connection.execute(query)}

    def wallet_descriptors(self, chain_id: ChainId | None, known_at: datetime) -> list[WalletDescriptor]:
        """The newest record of every wallet descriptor."""
        return self._newest(WalletDescriptor, known_at, chain_id)

    def pool_members(self, chain_id: ChainId | None, known_at: datetime) -> list[PoolMember]:
        """Every pool membership, past ones too."""
        return self._newest(PoolMember, known_at, chain_id)

    def firm_addresses(self, chain_id: ChainId | None, known_at: datetime) -> list[FirmAddress]:
        """The firm's own addresses, past ones too."""
        return self._newest(FirmAddress, known_at, chain_id)

    def custodian_addresses(
        self, chain_id: ChainId | None, known_at: datetime, as_of: datetime | None = None
    ) -> list[CustodianAddress]:
        """The newest inventory of each custodian and chain; of those as of the given moment or earlier."""
        lines = self._newest(CustodianAddress, known_at, chain_id)
        if as_of is not None:
            lines = [line for line in lines if line.as_of <= as_of]
        newest: dict[tuple[str, str], datetime] = {}
        for line in lines:
            place = (line.custodian, line.chain_id)
            newest[place] = max(newest.get(place, line.as_of), line.as_of)
        return [line for line in lines if line.as_of == newest[line.custodian, line.chain_id]]

    def authorizations(self, chain_id: ChainId | None, known_at: datetime) -> list[TransferAuthorization]:
        """Every approval of a transfer."""
        return self._newest(TransferAuthorization, known_at, chain_id)

    def authorizations_recorded(self, chain_id: ChainId, known_at: datetime) -> dict[str, datetime]:
        """When each approval of a transfer on a chain was first recorded, by authorization_id."""
        of = table(AuthorizationRow)
        query = (
            sa.select(of.c.authorization_id, of.c.recorded_at)
            .where(of.c.chain_id == chain_id, of.c.recorded_at <= known_at)
            .order_by(of.c.record_id.desc())
        )
        with self.read() as connection:
            return {row.authorization_id: row.recorded_at for row in connection.execute(query)}

    def accepted_control(self, chain_id: ChainId | None, known_at: datetime) -> list[AcceptedControl]:
        """The newest version of every decision about who else may move something, ended ones too."""
        return self._newest(AcceptedControl, known_at, chain_id)

    def token_layouts(self, chain_id: ChainId | None, known_at: datetime) -> dict[AssetId, TokenLayout]:
        """The newest reviewed storage layout of each token."""
        return {each.layout.asset_id: each.layout for each in self.reviewed_layouts(chain_id, known_at)}

    def reviewed_layouts(self, chain_id: ChainId | None, known_at: datetime) -> list[ReviewedLayout]:
        """The newest storage layout of each token, with who reviewed it."""
        return self._newest(ReviewedLayout, known_at, chain_id)

    def prices(self, known_at: datetime) -> list[Price]:
        """Every price."""
        return self._newest(Price, known_at)

    def positions(self, known_at: datetime, chain_id: ChainId | None = None) -> list[Position]:
        """Every position that outside parties stated, of one chain's assets or of all, in the order they came."""
        with self.read() as connection:
            return list(stored_positions(connection, _asset_filter(chain_id), POSITION.c.recorded_at <= known_at))

    def entries(self, chain_id: ChainId | None, known_at: datetime) -> list[tuple[LedgerEntry, datetime]]:
        """Every ledger entry with the time it was recorded."""
        with self.read() as connection:
            conditions = (_asset_filter(chain_id), ENTRY.c.recorded_at <= known_at)
            return list(stored_entries(connection, *conditions))

    def book(self, chain_id: ChainId | None, known_at: datetime) -> Book:
        """The book of one chain's assets, or of everything, as known at a time."""
        return Book(self.entries(chain_id, known_at))

    def allocations(self, chain_id: ChainId | None, as_of: datetime, known_at: datetime) -> dict[AllocationKey, int]:
        """Every figure of the book other than zero, as `Book.allocations` gives it, without making the entries."""
        question, moments, times = ("sums", chain_id), (known_at, as_of), (ENTRY.c.recorded_at, ENTRY.c.effective_at)
        with self.read() as connection:
            self._notice(connection)
            sums: dict[AllocationKey, int] | None = self._remembered.recall(connection, ENTRY, question, moments)
            if sums is None:
                conditions = (column <= moment for column, moment in zip(times, moments, strict=True))
                texts = self._texts.read(connection, self._interned)
                sums = _sums(connection, texts, _of_chain(connection, chain_id), *conditions)
                self._remembered.keep(connection, ENTRY, question, moments, times, sums)
        return dict(sums)

    def owners(self, chain_id: ChainId | None, as_of: datetime, known_at: datetime) -> Owners:
        """Who owns what at each place, as `allocations` has it, gathered for comparing."""
        question, moments, times = ("owners", chain_id), (known_at, as_of), (ENTRY.c.recorded_at, ENTRY.c.effective_at)
        with self.read() as connection:
            self._notice(connection)
            owners: Owners | None = self._remembered.recall(connection, ENTRY, question, moments)
            if owners is None:
                conditions = (column <= moment for column, moment in zip(times, moments, strict=True))
                texts = self._texts.read(connection, self._interned)
                owners = _owners(connection, texts, _of_chain(connection, chain_id), *conditions)
                self._remembered.keep(connection, ENTRY, question, moments, times, owners)
        return owners

    def imported_files(self) -> list[tuple[str, str, int, datetime]]:
        """(name, digest, rows, recorded at) of every file, in order."""
        with self.read() as connection:
            query = sa.select(FILE.c.name, FILE.c.digest, FILE.c.row_count, FILE.c.recorded_at)
            return [tuple(row) for row in connection.execute(query.order_by(FILE.c.record_id))]

    def _newest(self, record_type: type[R], known_at: datetime, chain_id: ChainId | None = None) -> list[R]:
        of = table(CODECS[record_type].row_class)
        conditions = [of.c.recorded_at <= known_at]
        if chain_id is not None:
            conditions.append(of.c.chain_id == chain_id)
        question, moments = (record_type, chain_id), (known_at,)
        with self.read() as connection:
            self._notice(connection)
            records: list[R] | None = self._remembered.recall(connection, of, question, moments)
            if records is None:
                records = newest_records(connection, record_type, *conditions)
                self._remembered.keep(connection, of, question, moments, (of.c.recorded_at,), records)
        return list(records)


def apply_in(unit: Unit, result: ImportResult) -> Applied:
    """Store an import without problems as part of an act; a file that was imported before is left out."""
    known = known_digests(unit.connection, [each.digest for each in result.files])
    files = {each.digest: each for each in result.files if each.digest not in known}
    keys = {
        digest: unit.add(ImportedFileRow, digest=digest, name=each.name, row_count=each.rows)
        for digest, each in files.items()
    }
    records = [sourced for sourced in result.records if sourced.origin.digest in keys]
    entries = import_entries(records, lambda as_of: _allocations_at(unit, records, as_of))
    add_records(unit, records, keys)
    _add_entries(unit, entries, keys)
    packed = [pack for pack in result.packs if pack.digest in keys]
    for pack in packed:
        add_pack(unit, pack, keys[pack.digest])
    return Applied(len(files), len(records) + sum(map(len, packed)), len(entries))


def newest_records(connection: sa.Connection, record_type: type[R], *conditions: sa.ColumnElement[bool]) -> list[R]:
    """The newest record of every natural key, in the order the keys first came."""
    codec, key = CODECS[record_type], key_of(record_type)
    of = table(codec.row_class)
    own = [column for column in of.columns if column.name not in BOOKKEEPING]
    found: dict[tuple[str, ...], R] = {}
    for row in connection.execute(sa.select(*own).where(*conditions).order_by(of.c.record_id)).all():
        record = cast("R", codec.record(row))
        found[key(record)] = record
    return list(found.values())


def _entry_query(conditions: Iterable[sa.ColumnElement[bool]], *columns: Any) -> sa.Select[Any]:
    client, location, asset = CLIENT_TEXT, LOCATION_TEXT, ASSET_TEXT
    return (
        sa.select(
            client.c.text.label("client_id"),
            ENTRY.c.account_class,
            location.c.text.label("location_id"),
            asset.c.text.label("asset_id"),
            ENTRY.c.kind,
            ENTRY.c.base_units,
            *columns,
        )
        .join_from(ENTRY, client, ENTRY.c.client_key == client.c.record_id)
        .join(location, ENTRY.c.location_key == location.c.record_id)
        .join(asset, ENTRY.c.asset_key == asset.c.record_id)
        .where(*conditions)
    )


def stored_entries(
    connection: sa.Connection, *conditions: sa.ColumnElement[bool]
) -> Iterable[tuple[LedgerEntry, datetime]]:
    """Ledger entries with the time each was recorded, in the order they came."""
    query = _entry_query(
        conditions, ENTRY.c.entry_id, ENTRY.c.effective_at, ENTRY.c.corrects, ENTRY.c.recorded_at
    ).order_by(ENTRY.c.record_id)
    for row in connection.execute(query):
        entry = LedgerEntry(
            entry_id=row.entry_id,
            client_id=row.client_id,
            account_class=row.account_class,
            location_id=LocationId(row.location_id),
            asset_id=AssetId(row.asset_id),
            base_units=row.base_units,
            effective_at=row.effective_at,
            kind=row.kind,
            corrects=row.corrects,
        )
        yield entry, row.recorded_at


def stored_positions(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> Iterable[Position]:
    """Positions that outside parties stated, in the order they came."""
    location, asset = LOCATION_TEXT, ASSET_TEXT
    query = (
        sa.select(POSITION, location.c.text.label("location_id"), asset.c.text.label("asset_id"))
        .join_from(POSITION, location, POSITION.c.location_key == location.c.record_id)
        .join(asset, POSITION.c.asset_key == asset.c.record_id)
        .where(*conditions)
        .order_by(POSITION.c.record_id)
    )
    for row in connection.execute(query):
        yield Position(
            LocationId(row.location_id),
            AssetId(row.asset_id),
            row.base_units,
            row.as_of,
            row.source,
            row.stated_by,
            row.statement_id,
        )


def _asset_filter(chain_id: ChainId | None) -> sa.ColumnElement[bool]:
    if chain_id is None:
        return sa.true()
    return ASSET_TEXT.c.text.startswith(f"{chain_id}/", autoescape=True)


def _owners(connection: sa.Connection, texts: Mapping[int, str], *conditions: sa.ColumnElement[bool]) -> Owners:
    """The sum of entries of each owner at each place; sums of zero are left out, and places with nothing else."""
    classes = {each.value: each for each in AccountClass}
    gas_float = EntryKind.GAS_FLOAT.value
    columns = as_driven(
        ENTRY.c.client_key, ENTRY.c.account_class, ENTRY.c.location_key, ENTRY.c.asset_key, ENTRY.c.kind,
        ENTRY.c.base_units,
    )  # fmt: skip
    # One tuple for each entry, and a sum only where a place has several: most have one, and there are very many.
    make, locations = tuple.__new__, cast("Mapping[int, LocationId]", texts)
    found: dict[int, dict[LocationId, tuple[Holder, ...]]] = defaultdict(dict)
    several: dict[tuple[int, LocationId], list[Holder]] = {}
    with_nothing: set[tuple[int, LocationId]] = set()
    rows = connection.execute(sa.select(*columns).where(*conditions)).all()
    for client, account_class, location_key, asset, kind, amount in rows:
        location, of_asset, base_units = locations[location_key], found[asset], int(amount)
        entry = make(Holder, (texts[client], classes[account_class], base_units, kind == gas_float))
        if not base_units:
            with_nothing.add((asset, location))
        if location not in of_asset:
            of_asset[location] = (entry,)
        else:
            several.setdefault((asset, location), [*of_asset[location]]).append(entry)
    for (asset, location), entries in several.items():
        figures: dict[OwnerKey, int] = defaultdict(int)
        for client_id, account_class, units, is_gas_float in entries:
            figures[client_id, account_class, is_gas_float] += units
        found[asset][location] = holders_of(figures)
        if 0 in figures.values():
            with_nothing.add((asset, location))
    for asset, location in with_nothing:
        left = tuple([holder for holder in found[asset][location] if holder.base_units])
        if left:
            found[asset][location] = left
        else:
            del found[asset][location]
    return ByAsset({AssetId(texts[asset]): of_asset for asset, of_asset in found.items()})


def _of_chain(connection: sa.Connection, chain_id: ChainId | None) -> sa.ColumnElement[bool]:
    """Entries of one chain's assets, or all."""
    if chain_id is None:
        return sa.true()
    own = sa.select(TEXT.c.record_id).where(TEXT.c.text.startswith(f"{chain_id}/", autoescape=True))
    return ENTRY.c.asset_key.in_(connection.execute(own).scalars().all())


def _sums(
    connection: sa.Connection, texts: Mapping[int, str], *conditions: sa.ColumnElement[bool]
) -> dict[AllocationKey, int]:
    return {
        AllocationKey(client_id, account_class, location_id, asset_id, is_gas_float): units
        for asset_id, at in _owners(connection, texts, *conditions).of.items()
        for location_id, holders in at.items()
        for client_id, account_class, units, is_gas_float in holders
    }


def known_digests(connection: sa.Connection, digests: Sequence[str]) -> set[str]:
    """Those of these digests whose files were imported."""
    found: set[str] = set()
    for start in range(0, len(digests), 500):
        query = sa.select(FILE.c.digest).where(FILE.c.digest.in_(digests[start : start + 500]))
        found.update(connection.execute(query).scalars())
    return found


def _allocations_at(unit: Unit, records: Iterable[Sourced[Record]], as_of: datetime) -> Mapping[AllocationKey, int]:
    """The figures at every location and asset that the snapshots speak of, before the import."""
    stated = [each.record for each in records if isinstance(each.record, Allocation)]
    keys = unit.text_keys({row.asset_id for row in stated})
    conditions = [ENTRY.c.asset_key.in_(list(keys.values())), ENTRY.c.effective_at <= as_of]
    locations = {row.location_id for row in stated}
    if len(locations) <= FEW_LOCATIONS:  # one row that is posted: not all entries of its asset
        conditions.append(ENTRY.c.location_key.in_(list(unit.text_keys(locations).values())))
    return _sums(unit.connection, unit.texts(), *conditions)


def add_records(unit: Unit, records: Iterable[Sourced[Record]], files: Mapping[str, int]) -> None:
    """Add rows as they were imported; `files` has the key of each file by its digest."""
    stated: list[Sourced[Allocation]] = []
    positions: list[Sourced[Position]] = []
    for sourced in records:
        record, origin = sourced.record, sourced.origin
        if isinstance(record, Allocation):
            stated.append(Sourced(record, origin))
        elif isinstance(record, Position):
            positions.append(Sourced(record, origin))
        elif not isinstance(record, LedgerEntry):
            codec = CODECS[type(record)]
            unit.add(codec.row_class, file_key=files[origin.digest], line=origin.line, **codec.values(record))
    places = [(each.record.location_id, each.record.asset_id) for each in stated]
    places += [(each.record.location_id, each.record.asset_id) for each in positions]
    texts = unit.text_keys(text for place in places for text in place)
    clients = unit.text_keys(each.record.client_id for each in stated)
    unit.add_rows(
        StatedAllocationRow,
        (
            (
                files[each.origin.digest],
                each.origin.line,
                clients[each.record.client_id],
                each.record.account_class.value,
                texts[each.record.location_id],
                texts[each.record.asset_id],
                str(each.record.base_units),
                utc_text(each.record.as_of),
                int(each.record.is_gas_float),
            )
            for each in stated
        ),
    )
    unit.add_rows(
        PositionRow,
        (
            (
                files[each.origin.digest],
                each.origin.line,
                texts[each.record.location_id],
                texts[each.record.asset_id],
                str(each.record.base_units),
                utc_text(each.record.as_of),
                each.record.source.value,
                each.record.stated_by,
                each.record.statement_id,
            )
            for each in positions
        ),
    )


def _add_entries(unit: Unit, entries: Sequence[Sourced[LedgerEntry]], files: Mapping[str, int]) -> None:
    texts = unit.text_keys(
        text for each in entries for text in (each.record.client_id, each.record.location_id, each.record.asset_id)
    )
    unit.add_rows(
        LedgerEntryRow,
        (
            (
                files[origin.digest],
                origin.line,
                entry.entry_id,
                texts[entry.client_id],
                entry.account_class.value,
                texts[entry.location_id],
                texts[entry.asset_id],
                str(entry.base_units),
                utc_text(entry.effective_at),
                entry.kind.value,
                entry.corrects,
            )
            for entry, origin in ((each.record, each.origin) for each in entries)
        ),
    )
