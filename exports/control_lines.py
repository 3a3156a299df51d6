"""What the report says about control: who else could move what is there, and what proofs of control cover."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chains.evm.encumbrance_types import Answer
from chains.types import Asset
from exports.contents import Contents
from exports.control_records import ControlReviewRecord, ReviewStatus
from exports.key_challenge import MEANING
from exports.key_checks import AGE_DAYS, key_coverage

SPENDERS_SHOWN_MAX: Final = 20


def control_lines(contents: Contents) -> Iterator[str]:
    """A line for each chain's review and each grant, then coverage by asset and what a signature shows."""
    assets = {asset.asset_id: Asset(asset.asset_id, asset.symbol, asset.decimals) for asset in contents.assets}
    for review in contents.control_reviews:
        yield _review_line(contents, review)
    for grant in contents.grants[:SPENDERS_SHOWN_MAX]:
        asset = assets.get(grant.asset_id)
        if asset is None:
            continue
        taken = "an unknown amount" if grant.exposed is None else asset.format_quantity(grant.exposed)
        yield f"  {grant.spender} could take {taken} {asset.symbol} from {grant.owner} ({grant.kind})."
    if len(contents.grants) > SPENDERS_SHOWN_MAX:
        yield f"  And {len(contents.grants) - SPENDERS_SHOWN_MAX} more grants."
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


def _review_line(contents: Contents, review: ControlReviewRecord) -> str:
    if review.status is not ReviewStatus.ANSWERED:
        return f"Who else could move what is on {review.chain_id} is not known: {review.reason}"
    stopped = sum(
        each.answer is Answer.RESTRICTED for each in contents.restrictions if each.sweep_id == review.sweep_id
    )
    looked = f"approvals looked for in blocks {review.approvals_first} to {review.approvals_last}"
    return (
        f"Who else could move what is on {review.chain_id}: wallets asked {review.wallets_asked}, "
        f"grants {review.grants}, stopped by issuers {stopped}; {looked}."
    )
