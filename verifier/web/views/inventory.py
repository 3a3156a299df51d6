"""What clients own, where, and how well that is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from chains.types import AssetId, ChainId, LocationId
from exports.securities.document import read_comparison
from verifier.mapping_view import MappingRow, mapping_view
from verifier.records import Rail, Reconciliation, Status
from verifier.rules.statements import figure
from verifier.web.views.listing import Listing, listing
from verifier.web.views.signal import wallet_href
from verifier.web.views.tones import STATUS, Mark, Tone

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.web.live import Remembered

Sort = Literal["client", "asset", "amount", "where"]
NOT_COMPARED = Mark("not compared", Tone.OPEN)


@dataclass(frozen=True, slots=True)
class Compared:
    """The last comparison of one asset at one place."""

    status: Status
    grade: str
    """How the figure is known."""
    claimed: int | None
    """Base units that clients own there by the books; None where the books say nothing of it."""


Known = Mapping[tuple[LocationId, AssetId], Compared]


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """What one client owns of one asset at one place."""

    client_id: str
    client_name: str
    account_class: str
    symbol: str
    asset_id: str
    amount: str
    location: str
    wallets: tuple[tuple[str, str], ...]
    """Ids of the addresses behind the place, with their pages."""
    rail: str
    structure: str
    mark: Mark
    grade: str
    """How the figure and the block are known; empty where nothing was compared."""


@dataclass(frozen=True, slots=True)
class Total:
    """All that clients own of one asset."""

    symbol: str
    asset_id: str
    amount: str
    places: int
    mark: Mark


@dataclass(frozen=True, slots=True)
class Inventory:
    """A page of the inventory, and its totals by asset."""

    rows: Listing[InventoryRow]
    rails: tuple[tuple[str, int], ...]
    totals: tuple[Total, ...]


def rail_of(location: str) -> Rail:
    """A wallet or pool is of the digital rail; everything else lies with a custodian or a bank."""
    kind = location.partition(":")[0]
    if kind in ("eip155", "bip122", "pool"):
        return Rail.DIGITAL
    return Rail.SECURITIES


def rows_now(store: Store, now: datetime, remembered: Remembered) -> Sequence[MappingRow]:
    """Who owns what now, as recorded."""

    def make() -> Sequence[MappingRow]:
        return mapping_view(store, now, store.book_time(now))

    return remembered.recall("mapping", store, now, make)


def known_now(store: Store, settings: Settings, now: datetime, remembered: Remembered) -> Known:
    """The last comparison of each place and asset: on chains by their sweeps, elsewhere by custodians' statements."""

    def make() -> Known:
        found: dict[tuple[LocationId, AssetId], Compared] = {}
        run = store.newest_securities_run(store.book_time(now))
        for line in read_comparison(run.document).lines if run is not None else ():
            stated = ", ".join(each.stated_by for each in line.stated) or "no statement"
            compared = Compared(Status(line.status.value), f"stated by {stated}", line.clients)
            found[line.location_id, line.asset.asset_id] = compared
        for section in settings.chains:
            summary = store.standing_summary(ChainId(section.chain_id))
            for each in store.reconciliations(summary.sweep_id) if summary is not None else ():
                found[each.location_id, each.asset.asset_id] = Compared(each.status, _grade(each), each.claimed)
        return found

    return remembered.recall("compared", store, now, make)


def _grade(found: Reconciliation) -> str:
    return f"{found.state.value}, {found.anchor.value}".replace("_", " ")


def inventory(
    rows: Sequence[MappingRow], known: Known, *, rail: Rail | None, text: str, sort: Sort, number: int
) -> Inventory:
    """A page of what fits."""
    fit = [row for row in rows if row.base_units and (not text or row.mentions(text))]
    rails: dict[str, int] = defaultdict(int)
    for row in fit:
        rails[rail_of(row.location_id).value] += 1
    wanted = [row for row in fit if rail in (None, rail_of(row.location_id))]
    orders: dict[Sort, Callable[[MappingRow], tuple[object, ...]]] = {
        "client": lambda row: (row.client_id, row.asset.symbol, row.location_id),
        "asset": lambda row: (row.asset.symbol, row.asset.asset_id, row.client_id, row.location_id),
        "amount": lambda row: (row.asset.symbol, row.asset.asset_id, -row.base_units, row.client_id),
        "where": lambda row: (row.location_id, row.asset.symbol, row.client_id),
    }
    wanted.sort(key=orders[sort])
    page = listing(wanted, number)
    shown = [_row(row, known.get((row.location_id, row.asset.asset_id))) for row in page.items]
    return Inventory(
        Listing(shown, page.number, page.total, page.size), tuple(sorted(rails.items())), tuple(_totals(wanted, known))
    )


def _row(row: MappingRow, found: Compared | None) -> InventoryRow:
    return InventoryRow(
        row.client_id,
        row.client_name,
        row.account_class,
        row.asset.symbol,
        row.asset.asset_id,
        figure(row.base_units, row.asset),
        row.location_id,
        tuple((wallet, wallet_href(wallet)) for wallet in row.wallets[:5]),
        rail_of(row.location_id).value,
        row.structure.replace("_", " "),
        STATUS[found.status] if found is not None else NOT_COMPARED,
        found.grade if found is not None else "",
    )


def _totals(rows: Sequence[MappingRow], known: Known) -> list[Total]:
    by_asset: dict[AssetId, list[MappingRow]] = defaultdict(list)
    for row in rows:
        if row.account_class != "proprietary":
            by_asset[row.asset.asset_id].append(row)
    totals = []
    for asset_id, of_asset in sorted(by_asset.items(), key=lambda each: (each[1][0].asset.symbol, each[0])):
        places = {row.location_id for row in of_asset}
        found = [known.get((place, asset_id)) for place in places]
        asset = of_asset[0].asset
        amount = figure(sum(row.base_units for row in of_asset), asset)
        totals.append(Total(asset.symbol, asset_id, amount, len(places), worst_mark(found)))
    return totals


def worst_mark(found: Sequence[Compared | None]) -> Mark:
    """The worst of several comparisons; what was not compared is not known."""
    marks = [STATUS[each.status] if each is not None else NOT_COMPARED for each in found]
    order = [Tone.BAD, Tone.OPEN, Tone.GOOD]
    return min(marks, key=lambda mark: order.index(mark.tone), default=NOT_COMPARED)
