"""What custody paid for its transactions, held against what the approvals they execute allow together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace

from chains.types import Address, Asset, Transfer, TransferKind
from mapping.types import TransferAuthorization
from verifier.records import MatchOutcome, TransferMatch
from verifier.rules.statements import figure

Transaction = tuple[str, str]
"""Block hash and transaction id."""


def fees_paid(
    transfers: Iterable[Transfer], custody_addresses: AbstractSet[Address]
) -> dict[Transaction, tuple[int, Asset]]:
    """What custody paid for each transaction; a fee paid by somebody else costs clients nothing."""
    fees: dict[Transaction, tuple[int, Asset]] = {}
    for transfer in transfers:
        if transfer.kind is TransferKind.FEE and transfer.sender in custody_addresses:
            paid, asset = fees.get(_transaction(transfer), (0, transfer.asset))
            fees[_transaction(transfer)] = (paid + transfer.base_units, asset)
    return fees


def _transaction(transfer: Transfer) -> Transaction:
    return transfer.block.block_hash, transfer.tx_id


def with_fee_limits(
    matches: list[TransferMatch],
    fees: Mapping[Transaction, tuple[int, Asset]],
    known: Mapping[str, TransferAuthorization],
) -> list[TransferMatch]:
    """The matches with `fee_over_limit` where a transaction cost more than its approvals allow together."""
    if not fees:
        return matches
    executed: dict[Transaction, set[str]] = defaultdict(set)
    for match in matches:
        executed[_transaction(match.transfer)].update(use.authorization_id for use in match.uses)
    over: dict[Transaction, str] = {}
    for transaction, names in executed.items():
        paid, asset = fees.get(transaction, (0, None))
        limits = [known[name].fee_max for name in names]
        allowed = sum(limit for limit in limits if limit is not None)
        if asset is not None and None not in limits and paid > allowed:
            over[transaction] = f"the fee of {figure(paid, asset)} is above the limit of {figure(allowed, asset)}"
    return [
        replace(match, outcome=MatchOutcome.FEE_OVER_LIMIT, reason=f"{match.reason}; {reason}")
        if match.uses and (reason := over.get(_transaction(match.transfer)))
        else match
        for match in matches
    ]
