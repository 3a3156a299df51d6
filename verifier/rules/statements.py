"""The third figure: what a custodian states, held against what the chain showed.

A statement is compared only with a block of about its own moment. It never stands in for the chain, and the
chain never stands in for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chains.types import Asset, AssetId, LocationId, utc_text
from mapping.types import Position
from verifier.records import StatementCheck, Status, worst


@dataclass(frozen=True, slots=True)
class _Outcome:
    status: Status
    reason: str


def figure(base_units: int, asset: Asset) -> str:
    """An exact figure for a person: `-12,345.678901 USDX`. A sum may exceed what one balance can.

    Thousands are grouped and zeros after the second decimal left out, because nobody reads `2.000000000000000000`;
    no digit that says something is ever dropped.
    """
    whole, point, decimals = asset.format_quantity(base_units).partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    shown = decimals.rstrip("0").ljust(min(2, len(decimals)), "0")
    return f"{sign}{int(digits):,}{point}{shown} {asset.symbol}"


def seconds_apart(first: datetime, second: datetime) -> int:
    """Whole seconds between two moments, rounded up, so that a limit is never passed by a fraction."""
    distance = abs(first - second)
    whole = distance.days * 86_400 + distance.seconds
    return whole + (1 if distance.microseconds else 0)


def check_statements(
    statements: Sequence[Position],
    location_id: LocationId,
    asset: Asset,
    observed: Mapping[LocationId, int | None],
    moment: datetime,
    as_of_skew_seconds_max: int,
) -> StatementCheck | None:
    """Compare what was stated about a location, or about each of a pool's wallets, with what was observed there.

    `observed` has the location itself and its wallets; None where a read failed. Of several statements about one
    place by one custodian the one nearest to the moment counts. The pool's wallets are compared one by one, so
    that two errors that cancel out are both seen; a pool stated for some of its wallets only is unverified.
    Returns None when nothing was stated.
    """
    chosen = _nearest(statements, observed, moment)
    if not chosen:
        return None
    outcomes = [
        _compare(position, asset, observed[position.location_id], moment, as_of_skew_seconds_max) for position in chosen
    ]
    of_whole = [position for position in chosen if position.location_id == location_id]
    wallets = [location for location in observed if location != location_id]
    unstated = sorted(set(wallets) - {position.location_id for position in chosen})
    if not of_whole and unstated:
        missing = f"nothing is stated for {len(unstated)} of {len(wallets)} wallets, first {unstated[0]}"
        outcomes.append(_Outcome(Status.UNVERIFIED, f"statement-incomplete: {missing}"))
    status = worst([outcome.status for outcome in outcomes])
    leading_first = sorted(outcomes, key=lambda outcome: outcome.status is not status)
    shown = of_whole or chosen
    return StatementCheck(
        base_units=_shown_figure(of_whole, chosen, observed.get(location_id)),
        as_of=min(position.as_of for position in shown),
        stated_by=", ".join(sorted({position.stated_by for position in shown})),
        statement_id=", ".join(sorted({position.statement_id for position in shown})),
        status=status,
        reason="; ".join(outcome.reason for outcome in leading_first if outcome.reason),
    )


def unplaced_statements(
    statements: Iterable[Position],
    compared: Iterable[tuple[LocationId, AssetId]],
    assets: Mapping[AssetId, Asset],
) -> list[Position]:
    """Statements of more than nothing about a place and asset that no comparison looked at, sorted by place.

    `compared` holds the locations and all wallet locations behind them, with each asset compared there; only
    statements about the given assets are looked at. A custodian that states a balance at a place the firm does
    not know is a finding, and must not fall through.
    """
    known = set(compared)
    return sorted(
        (
            position
            for position in statements
            if position.base_units > 0
            and position.asset_id in assets
            and (position.location_id, position.asset_id) not in known
        ),
        key=lambda position: (position.location_id, position.asset_id, position.as_of, position.statement_id),
    )


def _nearest(
    statements: Sequence[Position], observed: Mapping[LocationId, int | None], moment: datetime
) -> list[Position]:
    """For each place and stating party the statement nearest to the moment.

    Two of the same distance: the one that contradicts what was observed counts, because both cannot be right.
    """
    groups: dict[tuple[LocationId, str], list[Position]] = defaultdict(list)
    for position in statements:
        if position.location_id in observed:
            groups[position.location_id, position.stated_by].append(position)

    def rank(position: Position) -> tuple[int, bool, datetime, str]:
        agrees = position.base_units == observed[position.location_id]
        return seconds_apart(position.as_of, moment), agrees, position.as_of, position.statement_id

    return [min(group, key=rank) for _, group in sorted(groups.items())]


def _compare(
    position: Position, asset: Asset, observed: int | None, moment: datetime, skew_seconds_max: int
) -> _Outcome:
    if observed is None:
        reason = f"statement-not-compared: {position.location_id} could not be read"
        return _Outcome(Status.UNVERIFIED, reason)
    skew = seconds_apart(position.as_of, moment)
    if skew > skew_seconds_max:
        times = f"{utc_text(position.as_of)}, the block of {utc_text(moment)}"
        reason = (
            f"statement-as-of-skew: {position.stated_by} speaks of {times}: {skew} seconds apart, "
            f"{skew_seconds_max} allowed"
        )
        return _Outcome(Status.UNVERIFIED, reason)
    if position.base_units != observed:
        reason = (
            f"statement-differs: at {position.location_id} {position.stated_by} states "
            f"{figure(position.base_units, asset)}, the chain shows {figure(observed, asset)}"
        )
        return _Outcome(Status.DIVERGED, reason)
    return _Outcome(Status.MATCHED, "")


def _shown_figure(of_whole: Sequence[Position], chosen: Sequence[Position], observed: int | None) -> int:
    """The stated figure to show: of the whole place, the one that differs first; else the sum over the wallets."""
    if of_whole:
        return next((p.base_units for p in of_whole if p.base_units != observed), of_whole[0].base_units)
    per_place: dict[LocationId, int] = {}
    for position in chosen:
        per_place.setdefault(position.location_id, position.base_units)
    return sum(per_place.values())
