"""What became of each approval: open, used, or ended without being executed in full.

An approval that ended with something left of it is approved and missing: the order was given, and the assets are
still there. That contradicts no balance, so it is an exception for the books and not a loss; somebody has to say why.
It is said only where it is known: everything that left the wallet since the approval came into force was read, and
the block that is judged by is final. An execution that comes later is `expired` by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chains.types import Asset, AssetId, account_location, utc_text
from mapping.types import TransferAuthorization
from verifier.records import Finding, FindingKind
from verifier.rules.approvals import in_force_from
from verifier.rules.statements import figure
from verifier.rules.surroundings import Surroundings


class ApprovalState(StrEnum):
    """What became of an approval, as far as was read."""

    COMING = "coming"
    """Not in force yet."""
    OPEN = "open"
    PARTLY_USED = "partly_used"
    USED = "used"
    """Nothing is left of it."""
    EXPIRED_UNUSED = "expired_unused"
    EXPIRED_PARTLY_USED = "expired_partly_used"
    NOT_KNOWN = "not_known"
    """It ended with something left, but not all that left the wallet since it came into force was read."""


MISSING_STATES = frozenset({ApprovalState.EXPIRED_UNUSED, ApprovalState.EXPIRED_PARTLY_USED})
"""States of an approval that was not executed in full."""


@dataclass(frozen=True, slots=True)
class ReadSpan:
    """From when to when all movements of a chain were read without a gap, and for whom not yet."""

    first: datetime | None
    """Time of the first block of the gapless run up to the newest; None when nothing was read."""
    last: datetime | None
    unread: AbstractSet[str] = frozenset()
    """CAIP-10 ids of wallets and CAIP-19 ids of assets with blocks that wait to be read again for them."""

    def is_known(self, authorization: TransferAuthorization) -> bool:
        """Whether everything that could have executed the approval up to `last` was read."""
        place = account_location(authorization.chain_id, authorization.wallet)
        return (
            self.first is not None
            and in_force_from(authorization) >= self.first
            and place not in self.unread
            and authorization.asset_id not in self.unread
        )


def approval_state(authorization: TransferAuthorization, used: int, span: ReadSpan) -> ApprovalState:
    """The state as of the newest block read, with the base units that transfers used of it."""
    if used >= authorization.base_units_max:
        return ApprovalState.USED
    if span.last is None or authorization.valid_until >= span.last:
        if used:
            return ApprovalState.PARTLY_USED
        is_coming = span.last is None or in_force_from(authorization) > span.last
        return ApprovalState.COMING if is_coming else ApprovalState.OPEN
    if not span.is_known(authorization):
        return ApprovalState.NOT_KNOWN
    return ApprovalState.EXPIRED_PARTLY_USED if used else ApprovalState.EXPIRED_UNUSED


def missing_findings(
    authorizations: Iterable[TransferAuthorization],
    used: Mapping[str, int],
    span: ReadSpan,
    assets: Mapping[AssetId, Asset],
    recorded_at: Mapping[str, datetime],
    surroundings: Surroundings,
) -> list[Finding]:
    """One finding for each approval that ended before the sweep's block and was not executed in full, by id.

    The amount is what did not leave. `used` has the base units of each approval that transfers used, those of this
    sweep included. Nothing is said by a block that may still change.
    """
    if surroundings.provisional:
        return []
    findings = []
    for each in sorted(authorizations, key=lambda authorization: authorization.authorization_id):
        taken = used.get(each.authorization_id, 0)
        asset = assets.get(each.asset_id)
        is_missing = approval_state(each, taken, span) in MISSING_STATES
        if asset is None or each.wallet not in surroundings.wallets or not is_missing:
            continue
        findings.append(
            surroundings.finding(
                FindingKind.APPROVED_NOT_EXECUTED,
                account_location(each.chain_id, each.wallet),
                asset,
                each.base_units_max - taken,
                each.authorization_id,
                _text(each, taken, asset, recorded_at.get(each.authorization_id)),
            )
        )
    return findings


def _text(authorization: TransferAuthorization, used: int, asset: Asset, recorded_at: datetime | None) -> str:
    whole = figure(authorization.base_units_max, asset)
    left = f"only {figure(used, asset)} of it left" if used else "nothing left on it"
    text = (
        f"Authorization {authorization.authorization_id} ({authorization.purpose}, {authorization.reference}; asked "
        f"for by {authorization.requested_by}, approved by {authorization.approved_by}) allowed {whole} to "
        f"{authorization.destination} until {utc_text(authorization.valid_until)}; {left}."
    )
    if recorded_at is not None and recorded_at > authorization.valid_until:
        text += f" It was recorded only at {utc_text(recorded_at)}: what left before was judged without it."
    return text
