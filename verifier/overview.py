"""What `custody status` shows: the one signal, the last sweep of each chain, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chains.types import ChainId
from mapping.types import LegalClass
from verifier.config import Settings
from verifier.control_rail import PossessionView, possession_view
from verifier.control_rail import in_use as keeps_books
from verifier.control_show import possession_reasons
from verifier.control_show import view_json as possession_json
from verifier.control_view import ControlView, control_view, proof_json, proof_of_control, proof_text
from verifier.immature import ImmatureCoins, immature_coins
from verifier.records import FindingKind, Rail, SweepSummary
from verifier.reserve_rail import ReserveView, in_use, reserve_view
from verifier.reserve_show import reserve_reasons, view_json
from verifier.rules.heartbeat import Heartbeat, heartbeat_limit
from verifier.rules.key_coverage import AssetCoverage
from verifier.rules.status import FirmStatus, firm_status
from verifier.securities_rail import SecuritiesView, securities_view
from verifier.securities_rail import in_use as uses_custodians
from verifier.securities_show import securities_reasons
from verifier.securities_show import view_json as securities_json
from verifier.store import Store


@dataclass(frozen=True, slots=True)
class ChainOverview:
    """The newest sweep of one chain, if there is one."""

    chain_id: str
    name: str
    halted: str
    """Why sweeping is halted; empty when it is not."""
    summary: SweepSummary | None
    age_seconds: int | None
    """Between the block's time and now."""
    stale: bool
    covered: tuple[int, int] | None
    """First and last height of the contiguous blocks whose movements were read."""
    heartbeat: Heartbeat
    control: ControlView | None = None
    """Who else could move what is there, as the sweep learnt it; None when it did not ask."""
    proofs: tuple[AssetCoverage, ...] = ()
    """How much stands at wallets whose keys were proven; empty when nobody was ever asked."""
    immature: ImmatureCoins | None = None
    """Bitcoin: what is counted and cannot be spent yet; None for other chains."""

    def information(self) -> list[str]:
        """What does not decide the status: one line each."""
        if self.summary is None:
            return []
        asked = self.control.text() if self.control is not None else "who else could move it was not asked"
        immature = self.immature.text() if self.immature is not None else ""
        accepted = self.control.accepted_lines() if self.control is not None else []
        lines = (asked, *accepted, *map(proof_text, self.proofs), *([immature] if immature else []))
        return [f"{self.chain_id}: {line}" for line in lines]

    def cells(self) -> tuple[str, ...]:
        """For a table."""
        covered = f"{self.covered[0]}-{self.covered[1]}" if self.covered is not None else "none"
        if self.summary is None:
            return (self.chain_id, "never swept", "", "", "", "", "", covered)
        summary = self.summary
        age = f"{self.age_seconds} s" + (" (stale)" if self.stale else "")
        counts = (summary.expected, summary.matched, summary.diverged, summary.unverified)
        return (self.chain_id, str(summary.block.height), age, *(str(count) for count in counts), covered)


class Topic(StrEnum):
    """What a reason is about, so that a page can lead there."""

    CASES = "cases"
    CHAIN = "chain"
    INVENTORY = "inventory"
    SECURITIES = "securities"
    RESERVE = "reserve"
    CONTROL = "control"
    SETUP = "setup"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the status is what it is."""

    text: str
    topic: Topic
    name: str = ""
    """Which one: a kind of case, the id of a chain; empty where the topic says it all."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the status command shows."""

    statuses: tuple[FirmStatus, ...]
    why: tuple[Reason, ...]
    chains: tuple[ChainOverview, ...]
    open_cases: int
    reserve: ReserveView | None = None
    """The reserve accounts; None for a firm that states nothing about them."""
    possession: PossessionView | None = None
    """Possession or control of securities; None for a firm that keeps no books here."""
    securities: SecuritiesView | None = None
    """The books beside custodians' statements; None for a firm with nothing at custodians outside any chain."""
    open_kinds: Mapping[FindingKind, int] = field(default_factory=dict)
    """Open cases by kind."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, in words."""
        return tuple(each.text for each in self.why)

    @property
    def rails(self) -> list[str]:
        """The rails that the status speaks of."""
        more = ((Rail.SECURITIES, self.securities), (Rail.CASH, self.reserve), (Rail.CONTROL, self.possession))
        return [Rail.DIGITAL.value, *(rail.value for rail, view in more if view is not None)]

    @property
    def exit_code(self) -> int:
        """0 compliant, 1 when the evidence contradicts the books, 2 when something is unverified."""
        return {FirmStatus.COMPLIANT: 0, FirmStatus.UNVERIFIED: 2}.get(self.statuses[0], 1)

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "statuses": [status.value for status in self.statuses],
            "rails": self.rails,
            "reasons": list(self.reasons),
            "open_cases": self.open_cases,
            "reserve": view_json(self.reserve) if self.reserve is not None else None,
            "securities": securities_json(self.securities) if self.securities is not None else None,
            "possession_or_control": possession_json(self.possession) if self.possession is not None else None,
            "chains": [
                {
                    "chain_id": chain.chain_id,
                    "halted": chain.halted,
                    "sweep_id": chain.summary.sweep_id if chain.summary else None,
                    "height": chain.summary.block.height if chain.summary else None,
                    "block_hash": chain.summary.block.block_hash if chain.summary else None,
                    "age_seconds": chain.age_seconds,
                    "stale": chain.stale,
                    "expected": chain.summary.expected if chain.summary else 0,
                    "matched": chain.summary.matched if chain.summary else 0,
                    "diverged": chain.summary.diverged if chain.summary else 0,
                    "unverified": chain.summary.unverified if chain.summary else 0,
                    "covered": list(chain.covered) if chain.covered is not None else None,
                    "heartbeat": chain.heartbeat.to_dict(),
                    "encumbrances": chain.control.to_dict() if chain.control is not None else None,
                    "proof_of_control": proof_json(chain.proofs),
                    "immature": chain.immature.to_dict() if chain.immature is not None else None,
                }
                for chain in self.chains
            ],
        }


def overview(store: Store, settings: Settings, now: datetime) -> Overview:
    """The state of the digital rail, and of the others where the firm uses them; no chain is read."""
    chains = tuple(_chain(store, settings, section.chain_id, now) for section in settings.chains)
    cases = store.cases()
    kinds = Counter(case.finding.kind for case in cases)
    swept = [chain.summary for chain in chains if chain.summary is not None]
    stale = [chain for chain in chains if chain.stale or chain.halted]
    unswept = unswept_wallets(store, settings, now)
    unread = unread_native_coins(store, settings, now)
    undetermined = [
        record.asset.symbol
        for record in store.assets(None, store.book_time(now))
        if record.legal_class is LegalClass.UNDETERMINED and not record.asset.asset_id.startswith("iso4217:")
    ]
    reserve = reserve_view(store, settings, now) if in_use(store, now) else None
    purposes = reserve.purposes if reserve is not None else ()
    possession = possession_view(store, settings, now) if keeps_books(store, now) else None
    securities = securities_view(store, settings, now) if uses_custodians(store, now) else None
    counted: list[tuple[int, int, int]] = [(each.expected, each.diverged, each.unverified) for each in swept]
    if securities is not None and (run := securities.run) is not None:
        counted.append((run.expected, run.diverged, run.unverified))
    unknown = any(each.gaps for each in purposes) or (possession is not None and bool(possession.gaps))
    unknown = unknown or (securities is not None and bool(securities.waiting))
    statuses = firm_status(
        kinds,
        sum(unverified for _, _, unverified in counted),
        sum(expected for expected, _, _ in counted),
        stale=bool(stale or unswept or unread or undetermined or unknown),
        diverged_holdings=sum(diverged for _, diverged, _ in counted),
        under_funded=any(each.shortfall or each.projected_shortfall for each in purposes),
        control_deficit=possession is not None and possession.in_deficit,
    )
    why = [
        Reason(f"{count} open: {kind.value.replace('_', ' ')}", Topic.CASES, kind.value)
        for kind, count in sorted(kinds.items())
    ]
    why += [Reason(_diverged_text(each), Topic.CHAIN, each.chain_id) for each in swept if each.diverged]
    why += [Reason(_stale_reason(chain), Topic.CHAIN, chain.chain_id) for chain in stale]
    why += [Reason(unswept_text(chain_id, count), Topic.SETUP) for chain_id, count in unswept.items()]
    why += [Reason(unread_native_text(chain_id), Topic.INVENTORY) for chain_id in unread]
    why += [Reason(f"the legal class of {symbol} is undetermined", Topic.INVENTORY) for symbol in undetermined]
    if securities is not None:
        why += [Reason(text, Topic.SECURITIES) for text in securities_reasons(securities)]
    if reserve is not None:
        why += [Reason(text, Topic.RESERVE) for text in reserve_reasons(reserve)]
    if possession is not None:
        why += [Reason(text, Topic.CONTROL) for text in possession_reasons(possession)]
    if not chains:
        why.append(Reason("no chain is configured", Topic.SETUP))
    return Overview(statuses, tuple(why), chains, len(cases), reserve, possession, securities, kinds)


def unswept_wallets(store: Store, settings: Settings, now: datetime) -> dict[ChainId, int]:
    """How many wallets are mapped on each chain that is not configured: no sweep reads them, so they are unverified."""
    configured = {section.chain_id for section in settings.chains}
    counts = store.wallet_counts(now)
    return {chain_id: count for chain_id, count in sorted(counts.items()) if chain_id not in configured}


def unswept_text(chain_id: ChainId, count: int) -> str:
    """For a person."""
    wallets = "wallet is" if count == 1 else "wallets are"
    return f"{count} {wallets} mapped on {chain_id}, which is not configured: no sweep reads there"


def unread_native_coins(store: Store, settings: Settings, now: datetime) -> list[ChainId]:
    """Chains with wallets whose own coin is not in the asset table: nobody reads what the wallets hold of it."""
    found = []
    for section in settings.chains:
        chain_id = ChainId(section.chain_id)
        known = {record.asset.asset_id for record in store.assets(chain_id, now)}
        if section.native_asset.asset_id not in known and store.wallets(chain_id, now):
            found.append(chain_id)
    return found


def unread_native_text(chain_id: ChainId) -> str:
    """For a person."""
    return f"the own coin of {chain_id} is not in the asset table: no wallet's balance of it is read"


def _chain(store: Store, settings: Settings, chain_id: str, now: datetime) -> ChainOverview:
    section = settings.chain(chain_id)
    summary = store.standing_summary(ChainId(chain_id))
    age = int((now - summary.block.timestamp).total_seconds()) if summary is not None else None
    heartbeat = _heartbeat(settings, chain_id, summary, now)
    first, tip = store.covered_from(ChainId(chain_id)), store.covered_tip(ChainId(chain_id))
    start = store.sweep(summary.sweep_id) if summary is not None else None
    return ChainOverview(
        chain_id=chain_id,
        name=section.name,
        halted=store.halt(ChainId(chain_id)),
        summary=summary,
        age_seconds=age,
        stale=heartbeat.is_stale
        or age is None
        or age > section.head_age_seconds_max + settings.sweep.as_of_skew_seconds_max,
        heartbeat=heartbeat,
        covered=(first, tip.height) if first is not None and tip is not None else None,
        control=control_view(store, start),
        proofs=tuple(proof_of_control(store, ChainId(chain_id), now)),
        immature=immature_coins(store, summary),
    )


def chain_heartbeat(store: Store, settings: Settings, chain_id: ChainId, now: datetime) -> Heartbeat:
    """When a configured chain was last observed, as recorded."""
    return _heartbeat(settings, chain_id, store.standing_summary(chain_id), now)


def _heartbeat(settings: Settings, chain_id: str, newest: SweepSummary | None, now: datetime) -> Heartbeat:
    section = settings.chain(chain_id)
    limit = heartbeat_limit(
        section.heartbeat_seconds_max, settings.sweep.heartbeat_seconds_max, section.head_age_seconds_max
    )
    if newest is None:
        return Heartbeat(ChainId(chain_id), None, None, now, limit)
    return Heartbeat(ChainId(chain_id), newest.block, newest.finished_at, now, limit)


def _diverged_text(summary: SweepSummary) -> str:
    holdings = "1 holding" if summary.diverged == 1 else f"{summary.diverged} holdings"
    return f"{holdings} of {summary.chain_id} diverged in its last sweep"


def _stale_reason(chain: ChainOverview) -> str:
    if chain.halted:
        return f"{chain.chain_id} is halted: {chain.halted}"
    if chain.summary is None:
        return f"{chain.chain_id} was never swept to the end"
    if chain.heartbeat.is_stale:
        return chain.heartbeat.text
    return f"{chain.chain_id} was last read at a block that is {chain.age_seconds} seconds old"
