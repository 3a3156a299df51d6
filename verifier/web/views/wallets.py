"""A wallet: its balance over time, and from each sweep to the next what moved and what nothing explains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from chains.types import Address, AssetId, BalanceObservation, ChainId, Finality, Holding, LocationId, ReadStatus
from verifier.mapping_view import MappingRow
from verifier.rules.rollforward import RollForward, roll_forward_all
from verifier.rules.statements import figure
from verifier.store.wallet_store import BalanceSeen
from verifier.web.views.drawing import WIDTH, place
from verifier.web.views.inventory import Compared, Known
from verifier.web.views.tones import STATUS, Mark

if TYPE_CHECKING:
    from mapping.types import Wallet
    from verifier.store import Store

SWEEPS_MAX: Final = 250
ROLLS_SHOWN: Final = 30
HEIGHT: Final = 200


@dataclass(frozen=True, slots=True)
class Point:
    """One sweep's reading in the drawing."""

    x: int
    y: int
    words: str


@dataclass(frozen=True, slots=True)
class RollRow:
    """The equation between two sweeps."""

    first: str
    last: str
    opening: str
    received: str
    sent: str
    fees: str
    closing: str
    remainder: str
    mark: Mark
    reason: str


@dataclass(frozen=True, slots=True)
class AssetShown:
    """One asset of the wallet."""

    symbol: str
    asset_id: str
    now: str
    compared: Mark | None
    claimed: str
    points: tuple[Point, ...]
    path: str
    """The balance as steps; a failed read leaves a hole."""
    highest: str
    failed: int
    rolls: tuple[RollRow, ...]


@dataclass(frozen=True, slots=True)
class WalletPage:
    """Everything about one wallet."""

    chain_id: str
    address: str
    details: tuple[tuple[str, str], ...]
    owners: tuple[tuple[str, str, str], ...]
    """Client, amount, place."""
    assets: tuple[AssetShown, ...]
    sweeps: int


def wallet_page(
    store: Store, chain_id: ChainId, address: Address, rows: Sequence[MappingRow], known: Known, now: datetime
) -> WalletPage | None:
    """The page of a wallet; None of an address that is neither mapped nor was ever read."""
    seen = store.balances_seen(chain_id, address, sweeps_max=SWEEPS_MAX)
    location = LocationId(f"{chain_id}:{address}")
    owners = [row for row in rows if row.base_units and (row.location_id == location or location in row.wallets)]
    mapped = next((each for each in store.wallets(chain_id, store.book_time(now)) if each.address == address), None)
    if not seen and not owners and mapped is None:
        return None
    by_asset: dict[AssetId, list[BalanceSeen]] = defaultdict(list)
    for each in seen:
        by_asset[each.asset.asset_id].append(each)
    rolls = _rolls(store, chain_id, address, seen)
    assets = [
        _asset(found, known.get((location, asset_id)), rolls.get(asset_id, []))
        for asset_id, found in sorted(by_asset.items(), key=lambda each: each[1][0].asset.symbol)
    ]
    return WalletPage(
        chain_id,
        address,
        tuple(_details(mapped)) if mapped is not None else (),
        tuple((row.client_id, figure(row.base_units, row.asset), row.location_id) for row in owners),
        tuple(assets),
        len({each.sweep_id for each in seen}),
    )


def _details(wallet: Wallet) -> list[tuple[str, str]]:
    return [
        ("structure", wallet.structure.value.replace("_", " ")),
        ("titled", wallet.titling),
        ("custodian", wallet.custodian),
        ("vault", wallet.mpc_vault),
        ("key", f"{wallet.key_scheme}, {wallet.threshold} of {wallet.share_count}"),
        ("the firm alone can sign", "yes" if wallet.firm_alone_can_sign else "no"),
        ("others can sign without the firm", "yes" if wallet.others_can_sign_without_firm else "no"),
        ("opened", wallet.opened_on.isoformat()),
    ]


def _rolls(
    store: Store, chain_id: ChainId, address: Address, seen: Sequence[BalanceSeen]
) -> dict[AssetId, list[RollForward]]:
    """For each asset the equations between sweeps that follow each other, the newest first."""
    by_sweep: dict[str, dict[AssetId, BalanceSeen]] = {}
    for each in seen:
        by_sweep.setdefault(each.sweep_id, {})[each.asset.asset_id] = each
    sweeps = list(by_sweep.values())[-(ROLLS_SHOWN + 1) :]
    if len(sweeps) < 2:
        return {}
    heights = [next(iter(sweep.values())).block.height for sweep in sweeps]
    transfers = store.transfers_of(chain_id, address, heights[0] + 1, heights[-1])
    covered = store.covered_from(chain_id)
    found: dict[AssetId, list[RollForward]] = defaultdict(list)
    for before, after in reversed(list(pairwise(sweeps))):
        openings = {
            (address, name): _observed(address, each) for name, each in before.items() if each.base_units is not None
        }
        closings = {(address, name): _observed(address, each) for name, each in after.items()}
        for roll in roll_forward_all(openings, closings, transfers, covered):
            found[roll.asset.asset_id].append(roll)
    return found


def _observed(address: Address, seen: BalanceSeen) -> BalanceObservation:
    status = ReadStatus.OK if seen.base_units is not None else ReadStatus.FAILED
    holding, finality = Holding(address, seen.asset), Finality.parse("finalized")
    return BalanceObservation(holding, seen.block, finality, status, seen.base_units, "", "", reason=seen.reason)


def _asset(seen: Sequence[BalanceSeen], compared: Compared | None, rolls: Sequence[RollForward]) -> AssetShown:
    asset, last = seen[-1].asset, seen[-1]
    known = [each for each in seen if each.base_units is not None]
    highest = max((each.base_units or 0 for each in known), default=0)
    begin, end = seen[0].block.timestamp, seen[-1].block.timestamp
    span = int((end - begin).total_seconds())
    points: list[Point] = []
    path, is_drawing = "", False
    for each in seen:
        x = place(int((each.block.timestamp - begin).total_seconds()), 0, span) if span else WIDTH // 2
        if each.base_units is None:
            is_drawing = False
            continue
        y = HEIGHT - place(each.base_units, 0, max(1, highest), HEIGHT - 10)
        words = (
            f"{figure(each.base_units, asset)} at block {each.block.height:,}, {each.block.timestamp:%Y-%m-%d %H:%M}"
        )
        points.append(Point(x, y, words))
        path += f" H {x} V {y}" if is_drawing else f" M {x} {y}"
        is_drawing = True
    return AssetShown(
        asset.symbol,
        asset.asset_id,
        figure(last.base_units, asset) if last.base_units is not None else f"not read: {last.reason}",
        STATUS[compared.status] if compared is not None else None,
        figure(compared.claimed, asset) if compared is not None and compared.claimed is not None else "",
        tuple(points),
        path.strip(),
        figure(highest, asset),
        len(seen) - len(known),
        tuple(_roll(roll) for roll in rolls),
    )


def _roll(roll: RollForward) -> RollRow:
    def shown(units: int | None) -> str:
        return "not known" if units is None else figure(units, roll.asset)

    return RollRow(
        f"{roll.opening_block.height:,}",
        f"{roll.closing_block.height:,}",
        shown(roll.opening),
        shown(roll.received),
        shown(roll.sent),
        shown(roll.fees),
        shown(roll.closing),
        shown(roll.remainder),
        STATUS[roll.status],
        roll.reason,
    )
