"""Check 22: the liabilities tree, made from the allocations and again from the bundle. Pure functions.

Per asset, what is owed is held against what the chain shows, as of the bundle's one moment. Inclusion of each owner
is provable; that no owner was left out is not, and the report says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from chains.types import Asset, AssetId
from exports.contents import Contents
from exports.errors import LiabilityInvalid
from exports.inclusion import STATEMENT_FORMAT, STATEMENT_VERSION, InclusionStatement, verify_statement
from exports.liabilities import (
    AssetTree,
    LiabilityContext,
    Position,
    liability_records,
    line_digest,
    open_tree,
    padding_key,
    positions_of,
    summary,
    top_digest,
)
from exports.liability_records import LiabilityRecord, LiabilityRootRecord, LiabilityTotalRecord
from exports.manifest import Manifest
from exports.merkle_sum import Entry
from exports.records import AllocationRecord, AssetRecord, ReconciliationRecord, Status
from exports.verdict import Outcome

MEANING: Final = (
    "Each owner can check that what they are owed is in the liabilities root. That no owner was left out is not "
    "proven by it: confirm a sample drawn with `custody client-sample` with the clients themselves."
)
WORST_FIRST: Final = (Status.DIVERGED, Status.UNVERIFIED, Status.MATCHED)


@dataclass(frozen=True, slots=True)
class Liabilities:
    """The three kinds of records about liabilities."""

    liabilities: Sequence[LiabilityRecord]
    liability_totals: Sequence[LiabilityTotalRecord]
    liability_roots: Sequence[LiabilityRootRecord]


@dataclass(frozen=True, slots=True)
class Moment:
    """What the trees speak of, and how far apart figures may lie."""

    context: LiabilityContext
    skew_seconds_max: int

    @staticmethod
    def of(manifest: Manifest) -> Moment:
        """That of a bundle."""
        context = LiabilityContext(manifest.firm.name, manifest.bundle_id, manifest.as_of)
        return Moment(context, manifest.as_of_skew_seconds_max)


def make_liabilities(
    assets: Iterable[AssetRecord],
    allocations: Iterable[AllocationRecord],
    reconciliations: Iterable[ReconciliationRecord],
    moment: Moment,
    secret: bytes,
) -> Liabilities:
    """The records of a bundle's trees.

    Raises `LiabilityInvalid` for a sum beyond 256 bits, too short a secret, and an asset that is not listed.
    """
    decimals = {asset.asset_id: asset.decimals for asset in assets}
    positions, places = _by_asset(positions_of(allocations), reconciliations)
    records: list[LiabilityRecord] = []
    totals: list[LiabilityTotalRecord] = []
    for asset_id in sorted(places):
        if asset_id not in decimals:
            raise LiabilityInvalid(f"{asset_id} is not among the assets")
        own = list(liability_records(positions[asset_id], moment.context, secret))
        padding = padding_key(asset_id, moment.context, secret)
        tree = _tree(asset_id, decimals[asset_id], own, padding)
        totals.append(_total(tree, padding, positions[asset_id], places[asset_id], moment))
        records.extend(own)
    root = top_digest(moment.context, [_line(total) for total in totals]).hex()
    return Liabilities(records, totals, [LiabilityRootRecord(root, len(totals), len(records))])


def check_liabilities(contents: Contents) -> Outcome:
    """22: every owner's position is in its asset's tree once, every tree and sum computes, and so does the root."""
    moment = Moment.of(contents.manifest)
    positions, places = _by_asset(positions_of(contents.allocations), contents.reconciliations)
    problems: list[str] = []
    stated: dict[AssetId, list[LiabilityRecord]] = defaultdict(list)
    for record in contents.liabilities:
        stated[record.asset_id].append(record)
    keys = [record.position_key for record in contents.liabilities if record.position_key is not None]
    keys += [total.padding_key for total in contents.liability_totals if total.padding_key is not None]
    if contents.inclusion_statements:
        problems.append("a statement of one client, in a bundle that is not theirs")
    if len(set(keys)) != len(keys):
        problems.append("a key salts two positions")
    totals = {total.asset_id: total for total in contents.liability_totals}
    decimals = {asset.asset_id: asset.decimals for asset in contents.assets}
    if len(totals) != len(contents.liability_totals):
        problems.append("an asset has two trees")
    problems.extend(f"{asset_id}: no tree" for asset_id in sorted(set(places) - set(totals)))
    problems.extend(f"{asset_id}: a tree of nothing" for asset_id in sorted({*totals, *stated} - set(places)))
    for asset_id in sorted(set(places) & set(totals)):
        problems.extend(_position_problems(asset_id, positions[asset_id], stated[asset_id]))
        total = totals[asset_id]
        if total.padding_key is None:
            problems.append(f"{asset_id}: its tree has no padding key")
            continue
        padding = bytes.fromhex(total.padding_key)
        try:
            tree = _tree(asset_id, decimals.get(asset_id, 0), stated[asset_id], padding)
        except LiabilityInvalid as error:
            problems.append(f"{asset_id}: {error}")
            continue
        computed = _total(tree, padding, positions[asset_id], places[asset_id], moment)
        problems.extend(
            f"{asset_id}: {name} {getattr(total, name)}, should be {getattr(computed, name)}"
            for name in LiabilityTotalRecord.__slots__
            if getattr(total, name) != getattr(computed, name)
        )
    lines = [_line(totals[asset_id]) for asset_id in sorted(totals)]
    root = LiabilityRootRecord(top_digest(moment.context, lines).hex(), len(totals), len(contents.liabilities))
    if list(contents.liability_roots) != [root]:
        problems.append("the root is not the one over these trees")
    compared = len(contents.liabilities) + len(contents.liability_totals)
    return Outcome(compared, problems, note=f"root {root.root}")


def check_own_liability(contents: Contents) -> Outcome:
    """22 of a client's own bundle: their statement leads to the root, and says what the records say.

    The tree itself cannot be made: that takes the positions of all the others.
    """
    manifest, problems = contents.manifest, []
    if len(contents.inclusion_statements) != 1 or len(contents.liability_roots) != 1:
        return Outcome(1, ["there is not one inclusion statement and one root"])
    statement, root = contents.inclusion_statements[0], contents.liability_roots[0]
    if (statement.format, statement.format_version) != (STATEMENT_FORMAT, STATEMENT_VERSION):
        problems.append("the statement is of another format")
    if statement.client_id != manifest.subject or statement.context != Moment.of(manifest).context:
        problems.append("the statement is of another client, bundle or moment")
    verdict = verify_statement(statement, root.root)
    problems.extend(verdict.problems)
    if len(statement.lines) != root.assets:
        problems.append(f"the root is over {root.assets} assets, the statement has {len(statement.lines)}")
    stated = sorted((p.account_class, p.asset_id, p.base_units, p.position_key) for p in statement.positions)
    listed = sorted((r.account_class, r.asset_id, r.base_units, r.position_key or "") for r in contents.liabilities)
    if stated != listed:
        problems.append("the liabilities are not the positions of the statement")
    named = {*(each.client_id for each in contents.allocations), *(each.client_id for each in contents.liabilities)}
    if named != {manifest.subject}:
        problems.append("something of another client is here, or nothing of this one")
    owed = {(p.account_class, p.asset_id): p.base_units for p in positions_of(contents.allocations)}
    if {key: max(units, 0) for key, units in owed.items()} != {
        (kind, asset): units for kind, asset, units, _ in listed
    }:
        problems.append("the liabilities are not the sums of the allocations")
    problems.extend(_own_totals(contents, statement))
    return Outcome(
        verdict.positions + len(contents.liability_totals), problems, note=f"root {root.root}; your part alone"
    )


def _own_totals(contents: Contents, statement: InclusionStatement) -> Iterator[str]:
    """Totals of other assets than the client's, and those that are not the trees to which the statement leads."""
    assets = {asset.asset_id: asset.decimals for asset in contents.assets}
    lines = {position.asset_id: statement.lines[position.line : position.line + 1] for position in statement.positions}
    if sorted(total.asset_id for total in contents.liability_totals) != sorted(lines):
        yield "the totals are not those of the client's assets"
    for total in contents.liability_totals:
        if lines.get(total.asset_id) != (_line(total).hex(),) or assets.get(total.asset_id) != total.decimals:
            yield f"{total.asset_id}: the total is not that of the tree"
        if total.observed is not None and total.difference != total.observed - total.owed:
            yield f"{total.asset_id}: the difference does not compute"
    sums: dict[tuple[str, AssetId], int] = defaultdict(int)
    for allocation in contents.allocations:
        sums[allocation.location, allocation.asset_id] += allocation.base_units
    for place in contents.reconciliations:
        if place.claimed != sums[place.location, place.asset_id]:
            yield f"{place.location} {place.asset_id}: claimed {place.claimed}, which is not the client's allocation"


def liability_lines(contents: Contents) -> Iterator[str]:
    """What the report says: the root, each asset's comparison, each chain's moment, and what inclusion proves."""
    if not contents.liability_roots:
        return
    root = contents.liability_roots[0]
    over = f"{root.assets} assets" if root.positions is None else f"{root.positions} positions of {root.assets} assets"
    yield f"Liabilities root: {root.root} over {over}."
    assets = {asset.asset_id: Asset(asset.asset_id, asset.symbol, asset.decimals) for asset in contents.assets}
    for total in contents.liability_totals:
        if (asset := assets.get(total.asset_id)) is None:
            continue
        seen = "not all known" if total.observed is None else asset.format_quantity(total.observed)
        difference = "" if not total.difference else f", difference {asset.format_quantity(total.difference)}"
        yield (
            f"  {asset.symbol} ({total.asset_id}): owed {asset.format_quantity(total.owed)}, on chain {seen}"
            f"{difference}: {total.status}."
        )
    for sweep in contents.sweeps:
        seconds = _skew_seconds(contents.manifest.as_of, [sweep.block_time])
        yield f"  {sweep.chain_id} is as of block {sweep.height}, {seconds} s from the as-of moment of the bundle."
    yield MEANING


def _by_asset(
    positions: Iterable[Position], reconciliations: Iterable[ReconciliationRecord]
) -> tuple[dict[AssetId, list[Position]], dict[AssetId, list[ReconciliationRecord]]]:
    """Positions and places of each asset that is owned or was looked for."""
    owned: dict[AssetId, list[Position]] = defaultdict(list)
    places: dict[AssetId, list[ReconciliationRecord]] = defaultdict(list)
    for position in positions:
        owned[position.asset_id].append(position)
        _ = places[position.asset_id]
    for reconciliation in reconciliations:
        places[reconciliation.asset_id].append(reconciliation)
    return owned, places


def _tree(asset_id: AssetId, decimals: int, records: Sequence[LiabilityRecord], padding: bytes) -> AssetTree:
    with closing(open_tree(records, padding)) as tree:
        return summary(asset_id, decimals, tree)


def _total(
    tree: AssetTree,
    padding: bytes,
    positions: Sequence[Position],
    places: Sequence[ReconciliationRecord],
    moment: Moment,
) -> LiabilityTotalRecord:
    """One asset's row: its tree, what is there, and the worst of all its comparisons."""
    found = [place.observed - place.gas_float_observed for place in places if place.observed is not None]
    observed = sum(found) if places and len(found) == len(places) else None
    difference = None if observed is None else observed - tree.owed
    moments = [at for place in places for at in (place.claimed_as_of, place.observed_as_of)]
    skew_seconds = _skew_seconds(moment.context.as_of, moments)
    if difference is None or skew_seconds > moment.skew_seconds_max:
        own = Status.UNVERIFIED
    else:
        own = Status.DIVERGED if difference else Status.MATCHED
    statuses = {own, *(place.status for place in places)}
    return LiabilityTotalRecord(
        asset_id=tree.asset_id,
        decimals=tree.decimals,
        positions=tree.positions,
        owed=tree.owed,
        below_zero=sum(min(position.base_units, 0) for position in positions),
        height=tree.height,
        root=tree.root.hex(),
        padding_key=padding.hex(),
        observed=observed,
        difference=difference,
        skew_seconds=skew_seconds,
        status=next(status.value for status in WORST_FIRST if status in statuses),
    )


def _skew_seconds(as_of: datetime, moments: Iterable[datetime]) -> int:
    farthest = max((abs(as_of - at) for at in moments), default=timedelta())
    return -(-farthest // timedelta(seconds=1))


def _line(total: LiabilityTotalRecord) -> bytes:
    return line_digest(total.asset_id, total.decimals, total.height, Entry(bytes.fromhex(total.root), total.owed))


def _position_problems(
    asset_id: AssetId, positions: Sequence[Position], stated: Sequence[LiabilityRecord]
) -> Iterator[str]:
    """Owners that the tree leaves out, adds, doubles or gives another amount."""
    owed = {(each.client_id, each.account_class): max(each.base_units, 0) for each in positions}
    seen: set[tuple[str, str]] = set()
    for record in stated:
        key = (record.client_id, record.account_class)
        if key in seen or key not in owed:
            yield f"{asset_id}: {record.client_id} ({record.account_class}) stands twice, or has no allocation"
        elif owed[key] != record.base_units:
            yield f"{asset_id}: {record.client_id} is owed {owed[key]}, the tree says {record.base_units}"
        seen.add(key)
    for client_id, account_class in sorted(set(owed) - seen):
        yield f"{asset_id}: {client_id} ({account_class}) is not in the tree"
