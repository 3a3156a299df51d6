"""allocations and ledger_entries: who owns what, stated as snapshots and as movements."""

from __future__ import annotations

from chains.errors import InvalidValue
from mapping.columns import Column, ColumnProblem, OnChange, Row, Table
from mapping.fields import one_of, parse_entry_id, parse_new_entry_id, parse_time
from mapping.tables.shared import (
    ID_RULE,
    QUANTITY_RULE,
    TIME_RULE,
    account_class_column,
    asset_column,
    client_column,
    gas_float_word,
    location_column,
    plain,
    quantity_of,
    require_asset_fits_location,
    require_gas_float_rules,
    texts,
)
from mapping.types import Allocation, EntryKind, LedgerEntry


def _build_allocation(row: Row) -> Allocation:
    require_asset_fits_location(row["location"], row["asset_id"])
    if row["kind"]:
        require_gas_float_rules(row, row["account_class"], row["asset_id"])
    return Allocation(
        row["client_id"],
        row["account_class"],
        row["location"],
        row["asset_id"],
        row["quantity"],
        row["as_of"],
        row["kind"],
    )


ALLOCATIONS = Table(
    name="allocations",
    meaning="Snapshots: what each client owned at a location at a moment.",
    record_type=Allocation,
    columns=(
        client_column("The beneficial owner."),
        account_class_column(),
        location_column("Where the asset is."),
        asset_column("What is owned."),
        Column(
            "quantity",
            "How much is owned.",
            "whole units of the asset",
            QUANTITY_RULE + "; zero or more; 0 closes an allocation",
            quantity_of("asset_id"),
        ),
        Column(
            "as_of",
            "Moment the snapshot speaks of.",
            "time",
            TIME_RULE + "; the same for all rows of one location and asset",
            plain(parse_time),
        ),
        Column(
            "kind",
            "`gas_float` for the firm's own native coin kept for fees; empty for all else.",
            "word",
            "`gas_float` or empty; a gas float is `proprietary` and in the chain's native asset",
            plain(gas_float_word),
            required=False,
            default=False,
        ),
    ),
    build=_build_allocation,
    key_columns=("client_id", "account_class", "location", "asset_id", "kind"),
    key=lambda row: texts(
        row.client_id, row.account_class, row.location_id, row.asset_id, "gas_float" if row.is_gas_float else ""
    ),
    on_change=OnChange.SNAPSHOT,
    examples=(
        (
            "C-1001",
            "customer",
            "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "eip155:1/slip44:60",
            "12.5",
            "2026-01-31T23:00:00Z",
            "",
        ),
        (
            "C-1002",
            "customer",
            "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "eip155:1/slip44:60",
            "0.75",
            "2026-01-31T23:00:00Z",
            "",
        ),
        (
            "FIRM",
            "proprietary",
            "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "eip155:1/slip44:60",
            "0.2",
            "2026-01-31T23:00:00Z",
            "gas_float",
        ),
        ("C-1002", "customer", "pool:P-1", "eip155:1/slip44:60", "4", "2026-01-31T23:00:00Z", ""),
        ("C-1001", "customer", "dtc:0123", "cusip:037833100", "400", "2026-01-31T23:00:00Z", ""),
    ),
    notes=(
        "A snapshot of an asset at a location is complete: a client who owned some and is not named is a problem.",
        "The moment must be later than that of the newest snapshot of the same location and asset.",
        "A row posted by itself states one client's figure and leaves the others as they are.",
    ),
)


def _signed(text: str, row: Row) -> object:
    units = quantity_of("asset_id", signed=True)(text, row)
    if units == 0:
        raise InvalidValue("a movement of zero moves nothing; leave the row out")
    return units


def _build_entry(row: Row) -> LedgerEntry:
    require_asset_fits_location(row["location"], row["asset_id"])
    kind, corrects = row["kind"], row["corrects"]
    if kind is EntryKind.GAS_FLOAT:
        require_gas_float_rules(row, row["account_class"], row["asset_id"])
    if kind is EntryKind.SNAPSHOT:
        raise ColumnProblem("kind", "write one of: movement, correction, gas_float; snapshots are in allocations.csv")
    if kind is EntryKind.CORRECTION and not corrects:
        raise ColumnProblem("corrects", "a correction names the entry_id it corrects")
    if kind is EntryKind.MOVEMENT and corrects:
        raise ColumnProblem("corrects", "a movement corrects nothing; write correction as its kind")
    if corrects == row["entry_id"]:
        raise ColumnProblem("corrects", "an entry cannot correct itself")
    return LedgerEntry(
        row["entry_id"],
        row["client_id"],
        row["account_class"],
        row["location"],
        row["asset_id"],
        row["quantity"],
        row["effective_at"],
        kind,
        corrects,
    )


LEDGER_ENTRIES = Table(
    name="ledger_entries",
    meaning="Movements: signed changes of what a client owns at a location.",
    record_type=LedgerEntry,
    columns=(
        Column("entry_id", "Id of the entry in the firm's books.", "id", ID_RULE, plain(parse_new_entry_id)),
        client_column("The beneficial owner."),
        account_class_column(),
        location_column("Where the asset is."),
        asset_column("What moves."),
        Column(
            "quantity",
            "How much is added (positive) or taken away (negative).",
            "whole units of the asset, signed",
            QUANTITY_RULE + "; not zero",
            _signed,
        ),
        Column("effective_at", "Moment from which it holds; may be past.", "time", TIME_RULE, plain(parse_time)),
        Column("kind", "Why it is made.", "word", "`movement`, `correction` or `gas_float`", plain(one_of(EntryKind))),
        Column(
            "corrects",
            "The entry this one corrects.",
            "id",
            "an entry_id recorded before or in the same import; required for `correction`, possible for `gas_float`",
            plain(parse_entry_id),
            required=False,
            default="",
        ),
    ),
    build=_build_entry,
    key_columns=("entry_id",),
    key=lambda entry: (entry.entry_id,),
    on_change=OnChange.REFUSE,
    examples=(
        (
            "E-5001",
            "C-1001",
            "customer",
            "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "eip155:1/slip44:60",
            "-1.25",
            "2026-02-02T15:04:05Z",
            "movement",
            "",
        ),
        (
            "E-5002",
            "C-1001",
            "customer",
            "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "eip155:1/slip44:60",
            "0.25",
            "2026-02-02T15:04:05Z",
            "correction",
            "E-5001",
        ),
    ),
    notes=(
        "A movement that takes a client below zero is recorded, and becomes a finding.",
        "An entry that takes effect before the newest snapshot changes the figures that were stated; it is noted.",
    ),
)
