"""What a sweep learnt about who else could move what is in the wallets, and how much stands at proven addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from chains.evm.encumbrance_types import Answer, EncumbranceReading
from chains.types import ChainId
from verifier.key_overview import asset_json, chain_keys
from verifier.rules.accepted_exposure import AcceptedExposure, accepted_exposures
from verifier.rules.exposure import Exposure
from verifier.rules.key_coverage import AGE_DAYS, AssetCoverage
from verifier.rules.statements import figure
from verifier.sweep_encumbrances import accepted_at

if TYPE_CHECKING:
    from verifier.store import Store, SweepStart


ACCEPTED_SHOWN_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class ControlView:
    """One sweep's answers in figures. Who it is stands in the cases."""

    height: int
    failure: str
    """Why nothing could be learnt; empty when it was."""
    wallets: int
    pairs_asked: int
    grants: int
    """Spenders who may take something, and those of whom it is not known."""
    stopped: int
    """Holders or whole tokens that an issuer stopped."""
    approvals: tuple[int, int] | None
    """First and last block in which approvals were looked for."""
    approvals_late: int
    """How many of these blocks are left for wallets and tokens that were mapped later."""
    compared_height: int | None
    """The block that control was compared with; None for the first sweep."""
    accepted: tuple[AcceptedExposure, ...] = ()
    """Who could move something and is accepted by the firm: among the grants, or a wallet's module, delegate, …"""

    def text(self) -> str:
        """One line for a person."""
        if self.failure:
            return f"who else could move it is not known: {self.failure}"
        asked = f"wallets asked {self.wallets}, allowances asked {self.pairs_asked}"
        found = f"in force or not known {self.grants}, accepted {len(self.accepted)}, stopped by issuers {self.stopped}"
        first, last = self.approvals or (0, 0)
        before = f"compared with block {self.compared_height}" if self.compared_height is not None else "the first time"
        late = f" ({self.approvals_late} left for what was mapped later)" if self.approvals_late else ""
        return f"who else could move it: {asked}, {found}; approvals in blocks {first} to {last}{late}; {before}"

    def accepted_lines(self) -> list[str]:
        """A line for each that the firm accepts, as many as a person reads."""
        more = len(self.accepted) - ACCEPTED_SHOWN_MAX
        lines = [each.text() for each in self.accepted[:ACCEPTED_SHOWN_MAX]]
        return [*lines, f"and {more} more that the firm accepts; --json has all"] if more > 0 else lines

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "height": self.height,
            "failure": self.failure or None,
            "wallets": self.wallets,
            "pairs_asked": self.pairs_asked,
            "grants": self.grants,
            "stopped": self.stopped,
            "accepted": [each.to_dict() for each in self.accepted],
            "approvals": list(self.approvals) if self.approvals is not None else None,
            "approvals_late": self.approvals_late,
            "compared_height": self.compared_height,
        }


def control_view(store: Store, start: SweepStart | None) -> ControlView | None:
    """What a sweep learnt; None when it did not ask."""
    seen = store.encumbrances(start) if start is not None else None
    if seen is None or start is None:
        return None
    reading, height = seen.reading, start.block.height
    if reading is None:
        return ControlView(height, seen.failure, 0, 0, 0, 0, None, 0, None)
    return ControlView(
        height=height,
        failure="",
        wallets=len(reading.wallets),
        pairs_asked=reading.pairs_asked,
        grants=len(reading.grants),
        stopped=sum(each.answer is Answer.RESTRICTED for each in reading.restrictions),
        approvals=(reading.coverage.first_height, reading.coverage.last.height),
        approvals_late=reading.coverage.late_blocks,
        compared_height=seen.compared.block.height if seen.compared is not None else None,
        accepted=tuple(_accepted(store, start, reading)),
    )


def _accepted(store: Store, start: SweepStart, reading: EncumbranceReading) -> list[AcceptedExposure]:
    decisions = accepted_at(store, start)
    if not decisions.in_force():
        return []  # balances are many, and nobody asks for them
    observed = {(seen.holding.address, seen.holding.asset.asset_id): seen for seen in store.observations(start)}
    assets = {record.asset.asset_id: record.asset for record in store.assets(start.chain_id, start.known_at)}
    return accepted_exposures(Exposure(reading, observed, assets), decisions)


def proof_of_control(store: Store, chain_id: ChainId, moment: datetime) -> Sequence[AssetCoverage]:
    """Coverage of each asset of the standing sweep; empty when no key was ever asked on the chain."""
    return chain_keys(store, chain_id, moment).assets if store.key_challenges(chain_id) else ()


def proof_text(coverage: AssetCoverage, days: int = AGE_DAYS[1]) -> str:
    """How much of an asset stands at wallets with a proof that is not too old; for information."""
    proven = coverage.proven_within_days[AGE_DAYS.index(days)]
    total = figure(coverage.total, coverage.asset)
    unread = f"; {coverage.unread} balances are not known" if coverage.unread else ""
    proven_text = figure(proven, coverage.asset)
    return f"{proven_text} of {total} at wallets with a proof of control not older than {days} days{unread}"


def proof_json(coverage: Sequence[AssetCoverage]) -> list[dict[str, object]]:
    """For `--json`."""
    return [asset_json(each) for each in coverage]
