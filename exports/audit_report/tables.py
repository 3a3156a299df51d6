"""What the report shows, as plain rows of text: no figure is computed here that a check does not compute too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from chains.types import Asset, AssetId, ReadStatus
from exports.contents import Contents
from exports.pro_rata import SharedShortfall, shared_shortfalls
from exports.records import BalanceRecord, CaseRecord, Rail, ReconciliationRecord, Status
from exports.verdict import Check, CheckStatus, VerificationReport

HOLDINGS_SHOWN_MAX: Final = 500
EXCEPTIONS_SHOWN_MAX: Final = 200
OWNERS_SHOWN_MAX: Final = 50
REASONS_SHOWN_MAX: Final = 50
_WORST_FIRST: Final = {Status.DIVERGED: 0, Status.UNVERIFIED: 1, Status.MATCHED: 2}
_WORDS: Final = {
    CheckStatus.PASSED: "passed",
    CheckStatus.FAILED: "failed",
    CheckStatus.NOT_POSSIBLE: "not possible",
    CheckStatus.NOT_REQUESTED: "not requested",
    CheckStatus.WITHHELD: "withheld",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """Rows that are shown, and how many there are in all."""

    rows: tuple[tuple[str, ...], ...]
    total: int

    @property
    def left_out(self) -> int:
        """Rows that only the bundle has."""
        return self.total - len(self.rows)


def moment(at: datetime) -> str:
    """A time as people read it; fractions of a second only where there are some."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' ')} UTC"


class Figures:
    """Base units as quantities of their assets."""

    def __init__(self, contents: Contents) -> None:
        self._assets = {each.asset_id: Asset(each.asset_id, each.symbol, each.decimals) for each in contents.assets}

    def quantity(self, asset_id: AssetId, base_units: int | None, sign: bool = False) -> str:
        """A quantity in whole units; in base units where the asset is not described; a dash where it is not known."""
        if base_units is None:
            return "-"
        asset = self._assets.get(asset_id)
        text = f"{base_units:,} base units" if asset is None else f"{asset.quantity(base_units):,f}"
        return f"+{text}" if sign and base_units > 0 else text

    def symbol(self, asset_id: AssetId) -> str:
        """For display; never compared."""
        asset = self._assets.get(asset_id)
        return asset.symbol if asset is not None else asset_id


def glance(contents: Contents) -> tuple[tuple[str, str, str, str], ...]:
    """Per rail: matched, diverged, unverified."""
    counts = Counter((each.rail, each.status) for each in contents.reconciliations)
    return tuple(
        (str(rail), *(f"{counts[rail, status]:,}" for status in (Status.MATCHED, Status.DIVERGED, Status.UNVERIFIED)))  # type: ignore[misc]
        for rail in Rail
        if any(counts[rail, status] for status in Status)
    )


def grades(contents: Contents) -> tuple[tuple[str, str], ...]:
    """How many balances have which grade; a failed read has none."""
    found = Counter(str(each.grade) if each.status is ReadStatus.OK else "not read" for each in contents.balances)
    return tuple((grade, f"{found[grade]:,}") for grade in ("proven", "read", "stated", "not read") if found[grade])


def blocks(contents: Contents) -> tuple[tuple[str, ...], ...]:
    """Cut-off: each chain's block and time, how far it lies from the moment the bundle speaks of, and its witnesses."""
    as_of = contents.manifest.as_of
    return tuple(
        (
            sweep.chain_id,
            f"{sweep.height:,}",
            sweep.block_hash,
            moment(sweep.block_time),
            f"{(sweep.block_time - as_of).total_seconds():+,.0f} s",
            sweep.finality,
            ", ".join(sorted({f"{each.node_id} ({each.operator})" for each in sweep.witnesses})),
            "none"
            if sweep.coverage_first is None or sweep.coverage_last is None
            else f"{sweep.coverage_first:,} to {sweep.coverage_last:,}",
        )
        for sweep in contents.sweeps
    )


def holdings(contents: Contents) -> Shown:
    """Every comparison, the worst first: location, asset, claimed, observed, difference, status, evidence."""
    figures = Figures(contents)
    evidence = _evidence(contents.balances, contents)
    ordered = sorted(contents.reconciliations, key=lambda r: (_WORST_FIRST[r.status], r.location, r.asset_id))
    rows = tuple(_holding(each, figures, evidence) for each in ordered[:HOLDINGS_SHOWN_MAX])
    return Shown(rows, len(ordered))


def _holding(each: ReconciliationRecord, figures: Figures, evidence: dict[tuple[str, AssetId], str]) -> tuple[str, ...]:
    return (
        each.location,
        figures.symbol(each.asset_id),
        figures.quantity(each.asset_id, each.claimed),
        figures.quantity(each.asset_id, each.observed),
        figures.quantity(each.asset_id, each.difference, sign=True),
        str(each.status),
        evidence.get((each.location, each.asset_id), "stated" if each.observed is not None else "-"),
    )


def _evidence(balances: tuple[BalanceRecord, ...], contents: Contents) -> dict[tuple[str, AssetId], str]:
    """The weakest grade behind each location's figure."""
    strength = ("not read", "stated", "read", "proven")
    pools = {(pool.chain_id, pool.address): f"pool:{pool.pool_id}" for pool in contents.pools}
    found: dict[tuple[str, AssetId], str] = {}
    for balance in balances:
        grade = str(balance.grade) if balance.status is ReadStatus.OK else "not read"
        pool = pools.get((balance.chain_id, balance.address))
        for location in (f"{balance.chain_id}:{balance.address}", *((pool,) if pool else ())):
            key = (location, balance.asset_id)
            found[key] = min(found.get(key, grade), grade, key=strength.index)
    return found


def exceptions(contents: Contents) -> Shown:
    """Every case that is not closed: id, kind, status, location, amount, since when, in words."""
    figures = Figures(contents)
    ordered = sorted((each for each in contents.cases if each.is_open), key=lambda case: (case.opened_at, case.case_id))
    return Shown(tuple(_exception(each, figures) for each in ordered[:EXCEPTIONS_SHOWN_MAX]), len(ordered))


def _exception(case: CaseRecord, figures: Figures) -> tuple[str, ...]:
    amount = ""
    if case.asset_id is not None and case.base_units is not None:
        amount = f"{figures.quantity(case.asset_id, case.base_units, sign=True)} {figures.symbol(case.asset_id)}"
    return (
        case.case_id, case.kind.replace("_", " "), str(case.status), case.location, amount,
        moment(case.opened_at), case.text,
    )  # fmt: skip


def liabilities(contents: Contents) -> tuple[tuple[str, ...], ...]:
    """Per asset what is owed, what is there, and the difference."""
    figures = Figures(contents)
    return tuple(
        (
            figures.symbol(each.asset_id),
            each.asset_id,
            "-" if each.positions is None else f"{each.positions:,}",
            figures.quantity(each.asset_id, each.owed),
            figures.quantity(each.asset_id, each.observed),
            figures.quantity(each.asset_id, each.difference, sign=True),
            f"{each.skew_seconds:,} s",
            each.status,
        )
        for each in contents.liability_totals
    )


def governance(contents: Contents) -> Shown:
    """How the keys of each wallet are governed."""
    rows = [
        (
            f"{each.chain_id}:{each.address}",
            each.structure.replace("_", " "),
            each.titling,
            each.custodian,
            f"{each.threshold} of {each.share_count} ({each.key_scheme})",
            "yes" if each.firm_alone_can_sign else "no",
            "YES" if each.others_can_sign_without_firm else "no",
        )
        for each in sorted(contents.wallets, key=lambda wallet: (wallet.chain_id, wallet.address))
    ]
    return Shown(tuple(rows[:HOLDINGS_SHOWN_MAX]), len(rows))


def movements(contents: Contents) -> tuple[tuple[str, str], ...]:
    """How many outgoing transfers were judged, by outcome."""
    found = Counter(str(each.outcome) for each in contents.transfers if each.outcome is not None)
    judged = tuple((outcome.replace("_", " "), f"{count:,}") for outcome, count in sorted(found.items()))
    without = sum(each.outcome is None for each in contents.transfers)
    return (*judged, ("needing none (incoming, fees)", f"{without:,}"))


@dataclass(frozen=True, slots=True)
class SharedTable:
    """One shortfall and its parts."""

    location: str
    symbol: str
    shortfall: str
    unshared: str
    owners: Shown


def shortfalls(contents: Contents) -> tuple[SharedTable, ...]:
    """Every shortfall, shared in proportion; the largest parts first."""
    figures = Figures(contents)
    return tuple(_shared(each, figures) for each in shared_shortfalls(contents.reconciliations, contents.allocations))


def _shared(each: SharedShortfall, figures: Figures) -> SharedTable:
    ordered = sorted(each.owners, key=lambda owner: (-owner.share, owner.client_id, owner.account_class))
    rows = tuple(
        (
            owner.client_id,
            str(owner.account_class),
            figures.quantity(each.asset_id, owner.owned),
            figures.quantity(each.asset_id, owner.share),
        )
        for owner in ordered[:OWNERS_SHOWN_MAX]
    )
    unshared = figures.quantity(each.asset_id, each.unshared) if each.unshared else ""
    shortfall = figures.quantity(each.asset_id, each.shortfall)
    return SharedTable(each.location, figures.symbol(each.asset_id), shortfall, unshared, Shown(rows, len(ordered)))


def checks(report: VerificationReport) -> tuple[tuple[str, ...], ...]:
    """Every check: number, name, chain, outcome, how much was compared, detail."""
    return tuple(
        (str(each.number), each.name, each.subject, _WORDS[each.status], f"{each.compared:,}", each.detail)
        for each in report.checks
    )


def not_verified(contents: Contents, report: VerificationReport) -> Iterator[str]:
    """What was not verified, and why: checks, figures, and what the bundle does not hold."""
    for each in report.checks:
        if each.status in (CheckStatus.NOT_POSSIBLE, CheckStatus.NOT_REQUESTED, CheckStatus.WITHHELD):
            yield f"{_check_name(each)}: {_WORDS[each.status]}, {each.detail}"
    reasons = Counter(
        each.reason or "no reason given" for each in contents.reconciliations if each.status is Status.UNVERIFIED
    )
    for reason, count in sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))[:REASONS_SHOWN_MAX]:
        yield f"{count:,} comparisons are unverified: {reason}"
    for gap in contents.proof_gaps:
        yield f"{gap.holdings:,} balances of {gap.asset_id} have no state proof: {gap.reason}"
    yield from (report.bundle.disclosure if report.bundle else ())
    for item in contents.manifest.withheld:
        yield f"withheld by the firm: {item.what} ({item.why})"


def _check_name(check: Check) -> str:
    return f"check {check.number}, {check.name}" + (f" [{check.subject}]" if check.subject else "")


def problems(report: VerificationReport) -> Iterator[str]:
    """What contradicts the bundle, as far as checks list it."""
    for each in report.checks:
        if each.status is CheckStatus.FAILED:
            yield from (f"{_check_name(each)}: {problem}" for problem in each.problems)
