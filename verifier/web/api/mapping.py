"""Who owns what where, as of any moment, as known at any moment; and which file has which columns."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from fastapi import Query

from chains.types import utc_text
from mapping.columns import Table
from mapping.tables import TABLES
from verifier.accounts.roles import Access
from verifier.mapping_view import HistoryRow, MappingRow, entry_history, mapping_periods, mapping_view, period_json
from verifier.web.api.answers import Json, Page, page
from verifier.web.api.asking import Filter, Moment, Paged
from verifier.web.context import NowOf, StoreOf
from verifier.web.routing import GuardedRouter

router = GuardedRouter(prefix="/api/v1", tags=["mapping"], in_schema=True)


class AtMoment(Paged):
    """Rows of the mapping with a text, as of a moment, as known at another; both are now when not given."""

    as_of: Moment | None = None
    known_at: Moment | None = None
    text: Filter = ""


@router.get("/mapping", Access.READ)
def mapping(store: StoreOf, now: NowOf, asked: Annotated[AtMoment, Query()]) -> Page:
    """What each client owns of each asset at each location, and the wallets behind it."""
    rows = mapping_view(store, asked.as_of or now, asked.known_at or now, asked.text)
    return page(rows, asked, MappingRow.to_dict, _row_key)


def _row_key(row: MappingRow) -> tuple[str | int, ...]:
    return (row.client_id, row.account_class, str(row.asset.asset_id), str(row.location_id), row.structure)


@router.get("/mapping/periods", Access.READ)
def periods(store: StoreOf, now: NowOf, asked: Annotated[AtMoment, Query()]) -> Page:
    """From when to when which client's assets were behind which address."""
    rows = [period_json(row) for row in mapping_periods(store, asked.known_at or now, asked.text)]
    return page(rows, asked, lambda row: row, lambda row: tuple(str(value) for value in row.values()))


@router.get("/mapping/entries", Access.READ)
def entries(store: StoreOf, now: NowOf, asked: Annotated[AtMoment, Query()]) -> Page:
    """The ledger entries behind the mapping, by when each was recorded and takes effect, the newest first."""
    rows = entry_history(store, asked.as_of or now, asked.known_at or now, asked.text)

    def key(row: HistoryRow) -> tuple[str, ...]:
        return (utc_text(row.recorded_at), row.entry.entry_id, row.entry.client_id)

    return page(rows, asked, HistoryRow.to_dict, key, newest_first=True)


@router.get("/mapping/descriptors", Access.READ)
def descriptors(store: StoreOf, now: NowOf, asked: Annotated[Paged, Query()]) -> Page:
    """Wallets that are told by an output descriptor. Whoever has a descriptor can tell all its addresses."""
    rows = store.wallet_descriptors(None, now)
    shown = [dataclasses.asdict(each) | {"role": each.role.value} for each in rows]
    return page(shown, asked, lambda row: row, lambda row: (str(row["chain_id"]), str(row["address"]), row["role"]))


@router.get("/tables", Access.READ)
def tables(asked: Annotated[Paged, Query()]) -> Page:
    """The tables that rows are posted to, with their columns, rules and an example of each."""
    return page(enumerate(TABLES), asked, lambda each: _table(each[1]), lambda each: (each[0],))


def _table(table: Table[Any]) -> Json:
    examples = [dict(zip(table.column_names, row, strict=True)) for row in table.examples]
    return {
        "table": table.name,
        "meaning": table.meaning,
        "columns": [
            {
                "name": column.name,
                "required": column.required,
                "meaning": column.meaning,
                "unit": column.unit or None,
                "rule": column.rule or None,
            }
            for column in table.columns
        ],
        "natural_key": list(table.key_columns),
        "example": {name: text for name, text in examples[0].items() if text} if examples else None,
    }
