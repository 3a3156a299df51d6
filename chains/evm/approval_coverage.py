"""How far approvals were looked for, and for whom: going on, and catching up for what joins later. Pure.

A coverage says: of these wallets and tokens, the approvals in these blocks were looked through, but for those that are
listed as late. A wallet or token that joins is late in all blocks looked through before, and in no later one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from chains.errors import InvalidValue
from chains.evm.encumbrance_types import ApprovalCoverage, LateApprovals
from chains.types import Address, AssetId


def widened(
    coverage: ApprovalCoverage, first_height: int, wallets: Iterable[Address], assets: Iterable[AssetId]
) -> ApprovalCoverage:
    """The coverage asked about more wallets, tokens or earlier blocks: whatever is new of them is late, nothing else.

    Wallets that left stay, because they may come back; a token that is not given is dropped.
    """
    all_wallets, all_assets = coverage.wallets.union(wallets), frozenset(assets)
    still = [replace(each, assets=each.assets & all_assets) for each in coverage.late if each.assets & all_assets]
    groups = [
        (all_wallets - coverage.wallets, all_assets, coverage.first_height, coverage.last.height),
        (coverage.wallets, all_assets - coverage.assets, coverage.first_height, coverage.last.height),
        (all_wallets, all_assets, first_height, coverage.first_height - 1),
    ]
    new = [LateApprovals(*group) for group in groups if group[0] and group[1] and group[2] <= group[3]]
    return replace(
        coverage,
        first_height=min(first_height, coverage.first_height),
        wallets=all_wallets,
        assets=all_assets,
        late=(*still, *new),
    )


def extended(coverage: ApprovalCoverage, part: ApprovalCoverage) -> ApprovalCoverage:
    """The coverage with the blocks that follow it, looked through for everything it has.

    Raises `InvalidValue` for other blocks, wallets or tokens: they would leave a hole.
    """
    follows = part.first_height == coverage.last.height + 1
    watched = (coverage.wallets, coverage.assets, coverage.permit2)
    if not follows or (part.wallets, part.assets, part.permit2) != watched:
        raise InvalidValue("these blocks do not go on where the coverage ends, for all that it has")
    return replace(_with_seen(coverage, part), last=part.last)


def caught_up(coverage: ApprovalCoverage, part: ApprovalCoverage) -> ApprovalCoverage:
    """The coverage with blocks looked through for the first of what is late.

    Raises `InvalidValue` for other blocks, wallets or tokens than that group's next ones.
    """
    group = coverage.late[0] if coverage.late else None
    if (
        group is None
        or part.first_height != group.next_height
        or part.last.height > group.last_height
        or (part.wallets, part.assets, part.permit2) != (group.wallets, group.assets, coverage.permit2)
    ):
        raise InvalidValue("these blocks are not the next ones of what is late")
    next_height = part.last.height + 1
    rest = [replace(group, next_height=next_height)] if next_height <= group.last_height else []
    return replace(_with_seen(coverage, part), late=(*rest, *coverage.late[1:]))


def _with_seen(coverage: ApprovalCoverage, part: ApprovalCoverage) -> ApprovalCoverage:
    odd = dict(coverage.odd_approvals)
    for asset_id, count in part.odd_approvals.items():
        odd[asset_id] = odd.get(asset_id, 0) + count
    return replace(coverage, candidates=coverage.candidates | part.candidates, odd_approvals=odd)
