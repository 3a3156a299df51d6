"""What the rules say about one sweep's movements: held against the approvals, and the approvals against them.

The facts are gathered from the store, the rules are pure; nothing is written here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chains.types import Asset, AssetId, ChainId, Transfer
from verifier.records import Finding, TransferMatch
from verifier.rules.arrivals import arrival_findings
from verifier.rules.authorize import amounts_used, match_transfers, review_late_approvals
from verifier.rules.claims import Claims
from verifier.rules.execution import ReadSpan, missing_findings
from verifier.rules.movements import transfer_findings
from verifier.rules.payments import match_payments, match_pieces, pays_in_pieces, wallet_sets
from verifier.rules.surroundings import Surroundings
from verifier.store import Store


@dataclass(frozen=True, slots=True)
class TransferJudgement:
    """What became of the movements of one sweep."""

    matches: Sequence[TransferMatch]
    findings: Sequence[Finding]


def judge_transfers(
    store: Store,
    transfers: Sequence[Transfer],
    claims: Claims,
    assets: Mapping[AssetId, Asset],
    known_at: datetime,
    surroundings: Surroundings,
) -> TransferJudgement:
    """Match the movements that no sweep judged yet, and say which approvals ended without being executed."""
    chain_id = surroundings.block.chain_id
    authorizations = store.authorizations(chain_id, known_at)
    recorded_at = store.authorizations_recorded(chain_id, known_at)
    firm_addresses = store.firm_addresses(chain_id, known_at)
    used_before = store.authorizations_used(chain_id)
    if pays_in_pieces(chain_id):
        members = store.pool_members(chain_id, known_at)
        sets = wallet_sets(surroundings.wallets.values(), members, claims, surroundings.on)
        judged = match_payments(transfers, authorizations, sets, firm_addresses, used_before)
        judged = review_late_approvals(judged, recorded_at)
        matches = match_pieces(judged, transfers, sets)
    else:
        custody = surroundings.wallets.keys()
        matches = match_transfers(transfers, authorizations, custody, firm_addresses, used_before)
        matches = judged = review_late_approvals(matches, recorded_at)
    used = Counter(used_before) + Counter(amounts_used(matches))
    span = read_span(store, chain_id, surroundings.block.timestamp)
    return TransferJudgement(
        matches,
        [
            *transfer_findings(judged, surroundings),
            *arrival_findings(transfers, firm_addresses, surroundings),
            *missing_findings(authorizations, used, span, assets, recorded_at, surroundings),
        ],
    )


def read_span(store: Store, chain_id: ChainId, last: datetime | None) -> ReadSpan:
    """Since when all movements up to a moment were read without a gap, and for whom blocks wait to be read again."""
    first_height = store.covered_from(chain_id)
    first = store.covered_block(chain_id, first_height) if first_height is not None else None
    unread = {item for each in store.backfills(chain_id) if not each.is_complete for item in each.items}
    return ReadSpan(first.timestamp if first is not None else None, last, unread)
