"""From transfers held against approvals to findings: one for everything that left custody and should not have."""

from __future__ import annotations

from collections.abc import Iterable

from chains.types import account_location
from verifier.records import Finding, FindingKind, MatchOutcome, TransferMatch
from verifier.rules.statements import figure
from verifier.rules.surroundings import Surroundings


def transfer_findings(matches: Iterable[TransferMatch], surroundings: Surroundings) -> list[Finding]:
    """One finding for each transfer without a full approval, and one more where it went to the firm itself.

    The amount is negative, because it left. The subject is the transfer's id, which names the block: a transfer
    that a reorganisation removed and that comes again is another one.
    """
    findings: list[Finding] = []
    for match in matches:
        if match.outcome is not MatchOutcome.MATCHED:
            outcome = match.outcome.replace("_", " ")
            findings.append(_of(FindingKind.UNAUTHORIZED_TRANSFER, match, f"{outcome}: {match.reason}", surroundings))
        if match.commingling:
            text = f"the destination is one of the firm's own addresses; {match.reason}"
            findings.append(_of(FindingKind.COMMINGLING, match, text, surroundings))
    return findings


def _of(kind: FindingKind, match: TransferMatch, what: str, surroundings: Surroundings) -> Finding:
    transfer = match.transfer
    assert transfer.sender is not None, "only transfers out of a wallet are matched"
    moved = f"{figure(transfer.base_units, transfer.asset)} left {transfer.sender} for {transfer.receiver or 'nobody'}"
    return surroundings.finding(
        kind,
        account_location(transfer.block.chain_id, transfer.sender),
        transfer.asset,
        -transfer.base_units,
        transfer.transfer_id,
        f"{moved} in block {transfer.block.height}: {what}.",
        block=transfer.block,
        tx_id=transfer.tx_id,
    )
