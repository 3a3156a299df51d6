"""What accepted grants and accepted takers expose: no findings, and listed in every sweep, status and report."""

from __future__ import annotations

from dataclasses import dataclass

from chains.evm.encumbrance_types import AccountRole
from chains.types import Asset, utc_text
from mapping.accepted_control import AcceptedControl
from verifier.rules.acceptance import Acceptances
from verifier.rules.encumbrance import TAKERS
from verifier.rules.exposure import Exposure
from verifier.rules.statements import figure


@dataclass(frozen=True, slots=True)
class AcceptedExposure:
    """One who may move something out of one wallet, the decision that accepts it, and what could be moved."""

    decision: AcceptedControl
    granted: int | None
    """The whole grant in base units, also above any balance; None for those who may move everything."""
    exposed: tuple[tuple[Asset, int | None], ...]
    """Each asset with the base units that could be moved now; None where that is not known."""

    def text(self) -> str:
        """One sentence for a person."""
        decision = self.decision
        amounts = [
            figure(units, asset) if units is not None else f"an unknown amount of {asset.symbol}"
            for asset, units in self.exposed
        ]
        until = f"{decision.valid_until:%Y-%m-%d %H:%M} UTC"
        return (
            f"accepted by {decision.approved_by} ({decision.acceptance_id}, until {until}): "
            f"{decision.subject} by {decision.kind.replace('_', ' ')} of {decision.wallet}; "
            f"exposure {', '.join(amounts) or 'nothing now'}"
        )

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        decision = self.decision
        return {
            "acceptance_id": decision.acceptance_id,
            "kind": decision.kind.value,
            "wallet": decision.wallet,
            "subject": decision.subject,
            "asset_id": decision.asset_id,
            "granted": str(self.granted) if self.granted is not None else None,
            "accepted_max": str(decision.base_units_max) if decision.base_units_max is not None else None,
            "valid_until": utc_text(decision.valid_until),
            "approved_by": decision.approved_by,
            "reason": decision.reason,
            "exposed": [
                {"asset_id": asset.asset_id, "base_units": str(units) if units is not None else None}
                for asset, units in self.exposed
            ],
        }


def accepted_exposures(exposure: Exposure, accepted: Acceptances) -> list[AcceptedExposure]:
    """Everything in force that the firm accepts, at the reading's block; grants first."""
    reading, found = exposure.reading, []
    second = int(reading.block.timestamp.timestamp())
    for grant in reading.grants:
        decision = accepted.of_grant(grant)
        if decision is not None and grant.base_units and grant.holds_at(second):
            amounts = ((grant.asset, exposure.of_grant(grant)),)
            found.append(AcceptedExposure(decision, grant.base_units, amounts))
    for state in reading.controls:
        if state.role is not AccountRole.WALLET:
            continue
        for fact, (kind, _) in TAKERS.items():
            for taker in state.items(fact):
                decision = accepted.of_taker(reading.block.chain_id, state.address, kind, taker)
                if decision is not None:
                    found.append(AcceptedExposure(decision, None, tuple(exposure.of_all(state.address))))
    return found
