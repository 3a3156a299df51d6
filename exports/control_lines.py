"""What the report says about control: who else could move what is there, and what proofs of control cover."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from chains.evm.encumbrance_types import AccountRole, Answer
from chains.types import Asset
from exports.acceptances import AcceptanceRecord, Accepted
from exports.contents import Contents
from exports.control_records import ControlReviewRecord, GrantRecord, ReviewStatus
from exports.key_challenge import MEANING
from exports.key_checks import AGE_DAYS, key_coverage

SPENDERS_SHOWN_MAX: Final = 20


def control_lines(contents: Contents) -> Iterator[str]:
    """A line for each chain's review and each grant, then coverage by asset and what a signature shows."""
    accepted = {
        sweep.sweep_id: Accepted.of(contents.acceptances, sweep.chain_id, sweep.block_time) for sweep in contents.sweeps
    }
    assets = {asset.asset_id: Asset(asset.asset_id, asset.symbol, asset.decimals) for asset in contents.assets}
    for review in contents.control_reviews:
        yield _review_line(contents, review)
    for grant in contents.grants[:SPENDERS_SHOWN_MAX]:
        asset = assets.get(grant.asset_id)
        if asset is None:
            continue
        taken = "an unknown amount" if grant.exposed is None else asset.format_quantity(grant.exposed)
        by_whom = _by_whom(accepted.get(grant.sweep_id), grant)
        yield f"  {grant.spender} could take {taken} {asset.symbol} from {grant.owner} ({grant.kind}){by_whom}."
    if len(contents.grants) > SPENDERS_SHOWN_MAX:
        yield f"  And {len(contents.grants) - SPENDERS_SHOWN_MAX} more grants."
    yield from _taker_lines(contents, accepted)
    if not contents.key_proofs:
        yield "No proof of control of any wallet's key is in the bundle."
        return
    for covered in key_coverage(contents):
        asset = assets.get(covered.asset_id)
        if asset is None or not covered.total:
            continue
        ages = ", ".join(
            f"{asset.format_quantity(amount)} not older than {days} days"
            for days, amount in zip(AGE_DAYS, covered.proven_within_days, strict=True)
        )
        unread = f"; {covered.unread} balances are not known" if covered.unread else ""
        yield (
            f"Proof of control: {asset.format_quantity(covered.proven)} of {asset.format_quantity(covered.total)} "
            f"{asset.symbol} at proven wallets ({ages}){unread}."
        )
    yield MEANING


def _by_whom(accepted: Accepted | None, grant: GrantRecord) -> str:
    """Who accepted a grant, to go on in its line; empty when nobody did."""
    decision = accepted.of_grant(grant) if accepted is not None else None
    return f", {_decided(decision)}" if decision is not None else ""


def _taker_lines(contents: Contents, accepted: Mapping[str, Accepted]) -> Iterator[str]:
    """Those who may move everything in a wallet and are accepted; the others have cases."""
    decisions = [
        (state, decision)
        for state in contents.controls
        if state.role is AccountRole.WALLET and state.sweep_id in accepted
        for decision in accepted[state.sweep_id].takers(state)[0]
    ]
    for state, decision in decisions[:SPENDERS_SHOWN_MAX]:
        kind = decision.kind.value.replace("_", " ")
        yield f"  {decision.subject} could move everything of {state.address} ({kind}), {_decided(decision)}."
    if len(decisions) > SPENDERS_SHOWN_MAX:
        yield f"  And {len(decisions) - SPENDERS_SHOWN_MAX} more who are accepted."


def _decided(decision: AcceptanceRecord) -> str:
    until = f"{decision.valid_until:%Y-%m-%d}"
    return f"accepted by {decision.approved_by} ({decision.acceptance_id}, until {until})"


def _review_line(contents: Contents, review: ControlReviewRecord) -> str:
    if review.status is not ReviewStatus.ANSWERED:
        return f"Who else could move what is on {review.chain_id} is not known: {review.reason}"
    stopped = sum(
        each.answer is Answer.RESTRICTED for each in contents.restrictions if each.sweep_id == review.sweep_id
    )
    looked = f"approvals looked for in blocks {review.approvals_first} to {review.approvals_last}"
    return (
        f"Who else could move what is on {review.chain_id}: wallets asked {review.wallets_asked}, "
        f"grants {review.grants}, accepted {review.accepted}, stopped by issuers {stopped}; {looked}."
    )
