"""Part of check 14: transfers against the terms of the authorizations they execute. Pure functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from chains.types import Address, ChainId, LocationId, TransferKind, chain_namespace
from exports.contents import Contents
from exports.records import AuthorizationRecord, Outcome, TransferRecord, WalletRecord

APPROVAL_TOLERANCE: Final = timedelta(seconds=15)
"""How much earlier than its approval a transfer's block may be dated: block times are set by others."""

NAMESPACE_OF_OUTPUTS: Final = "bip122"
"""Chains on which a payment is funded by several addresses and pays its change to another of them."""

EXECUTING: Final = (Outcome.MATCHED, Outcome.FEE_OVER_LIMIT)


def approval_problems(contents: Contents, authorizations: Mapping[str, AuthorizationRecord]) -> list[str]:
    """What transfers take from authorizations against their terms; amounts and fees taken together.

    The sums are over the whole bundle: an authorization that one transfer used up has nothing left for another.
    """
    wallets = WalletSets(contents)
    problems: list[str] = []
    used: dict[str, int] = defaultdict(int)
    executed: dict[tuple[str, str], set[str]] = defaultdict(set)
    for transfer in contents.transfers:
        if transfer.outcome in EXECUTING and not transfer.uses and not _moves_nothing(transfer):
            problems.append(f"transfer {transfer.tx_id}: {transfer.outcome}, and no authorization is named for it")
        if transfer.outcome is Outcome.CHANGE and not _is_change(transfer, wallets):
            problems.append(f"transfer {transfer.tx_id}: called change, and it did not come back to who paid")
        for use in transfer.uses:
            authorization = authorizations.get(use.authorization_id)
            if authorization is None:
                continue  # check 6 says so
            used[use.authorization_id] += use.base_units
            if transfer.outcome is Outcome.MATCHED:
                executed[transfer.block_hash, transfer.tx_id].add(use.authorization_id)
            problems.extend(
                f"transfer {transfer.tx_id}: {name} is not as {use.authorization_id} allows"
                for name in _terms_broken(transfer, authorization, wallets)
            )
    for authorization_id, total in used.items():
        limit = authorizations[authorization_id].base_units_max
        if total > limit:
            problems.append(f"authorization {authorization_id} allows {limit}, its transfers move {total}")
    paid = _fees_paid(contents)
    for transaction, names in executed.items():
        limits = [authorizations[name].fee_max for name in names]
        allowed = sum(limit for limit in limits if limit is not None)
        if None not in limits and paid[transaction] > allowed:
            problems.append(f"transfer {transaction[1]}: fee {paid[transaction]}, its authorizations allow {allowed}")
    return problems


def _terms_broken(transfer: TransferRecord, authorization: AuthorizationRecord, wallets: WalletSets) -> Iterator[str]:
    # A difference, because no time that a bundle states can leave the calendar by it.
    approved = authorization.approved_at - transfer.block_time <= APPROVAL_TOLERANCE
    same_chain = authorization.chain_id == transfer.chain_id
    for name, fits in (
        ("chain", same_chain),
        ("wallet", same_chain and wallets.pay_together(transfer.chain_id, transfer.sender, authorization.wallet)),
        ("asset", authorization.asset_id == transfer.asset_id),
        ("destination", authorization.destination == transfer.receiver),
        ("time", approved and authorization.valid_from <= transfer.block_time <= authorization.valid_until),
    ):
        if not fits:
            yield name


def _moves_nothing(transfer: TransferRecord) -> bool:
    """Whether nothing moved away."""
    return not transfer.base_units or transfer.sender == transfer.receiver


def _is_change(transfer: TransferRecord, wallets: WalletSets) -> bool:
    """Whether it came back to another of the wallets that pay together, on a chain where that is so."""
    return chain_namespace(transfer.chain_id) == NAMESPACE_OF_OUTPUTS and wallets.pay_together(
        transfer.chain_id, transfer.sender, transfer.receiver
    )


class WalletSets:
    """Which wallets of the bundle pay together: each alone, and on chains of outputs those kept for the same owners.

    The bundle has memberships and allocations of one moment, and a payment may be older. So wallets are taken as one
    set unless the bundle says otherwise: two pools, two structures, or two clients.
    """

    def __init__(self, contents: Contents) -> None:
        self._wallets: dict[tuple[ChainId, Address], WalletRecord] = {
            (wallet.chain_id, wallet.address): wallet for wallet in contents.wallets
        }
        self._pools: dict[tuple[ChainId, Address], set[str]] = defaultdict(set)
        for pool in contents.pools:
            self._pools[pool.chain_id, pool.address].add(pool.pool_id)
        self._clients: dict[LocationId, set[str]] = defaultdict(set)
        for allocation in contents.allocations:
            if allocation.base_units and not allocation.is_gas_float:
                self._clients[allocation.location].add(allocation.client_id)

    def pay_together(self, chain_id: ChainId, one: Address | None, other: Address | None) -> bool:
        """Whether a payment of the one may be approved in the name of the other, and change may go between them."""
        if one is None or other is None:
            return False
        if one == other:
            return True
        first, second = self._wallets.get((chain_id, one)), self._wallets.get((chain_id, other))
        if chain_namespace(chain_id) != NAMESPACE_OF_OUTPUTS or first is None or second is None:
            return False
        if first.structure != second.structure:
            return False
        if first.structure == "fully_segregated":
            return len(self._clients[first.location] | self._clients[second.location]) <= 1
        pools, others = self._pools[chain_id, one], self._pools[chain_id, other]
        return bool(pools & others) or not pools or not others


def _fees_paid(contents: Contents) -> dict[tuple[str, str], int]:
    """What custody paid for each transaction, by block hash and transaction id."""
    wallets = {(wallet.chain_id, wallet.address) for wallet in contents.wallets}
    fees: dict[tuple[str, str], int] = defaultdict(int)
    for transfer in contents.transfers:
        if transfer.kind is TransferKind.FEE and (transfer.chain_id, transfer.sender) in wallets:
            fees[transfer.block_hash, transfer.tx_id] += transfer.base_units
    return fees
