"""Check 26: transactions that the bundle proves stand in their blocks, and their transfers are what they did. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from chains.errors import ChainError, InvalidValue
from chains.evm.addresses import evm_chain_number
from chains.evm.inclusion import IncludedTransaction, TransactionProof, check_inclusion
from chains.types import Address, Asset, AssetId, TransferKind
from exports.contents import Contents
from exports.evidence_checks import IN_ORDER
from exports.proof_records import TransactionProofRecord
from exports.records import AssetRecord, TransferRecord
from exports.verdict import Outcome

Key = tuple[str, str, str]
"""Chain, block hash, transaction."""
Transfers = Sequence[TransferRecord]


def check_transactions(contents: Contents) -> Outcome | None:
    """26: each proof leads from a block's hash to a transaction with transfers in the bundle, which are what it did.

    None when the bundle has no such proof. What has none is not refused: nothing claims it.
    """
    if not contents.transaction_proofs:
        return None
    transfers: defaultdict[Key, list[TransferRecord]] = defaultdict(list)
    for transfer in contents.transfers:
        transfers[transfer.chain_id, transfer.block_hash, transfer.tx_id].append(transfer)
    assets = {record.asset_id: record for record in contents.assets}
    keys = Counter((p.chain_id, p.block_hash, p.tx_id) for p in contents.transaction_proofs)
    problems = [f"transaction {key[2]} is proven {count} times" for key, count in keys.items() if count > 1]
    compared = 0
    for record in contents.transaction_proofs:
        of_it = transfers.get((record.chain_id, record.block_hash, record.tx_id), [])
        compared += len(of_it)
        problems.extend(f"transaction {record.tx_id}: {problem}" for problem in _problems(record, of_it, assets))
    exceptions = {key for key, found in transfers.items() if any(_is_exception(each) for each in found)}
    note = f"{len(exceptions & keys.keys())} of {len(exceptions)} transactions with an exception are proven"
    return Outcome(compared, problems, note=note)


def _is_exception(transfer: TransferRecord) -> bool:
    return transfer.outcome is not None and (transfer.outcome not in IN_ORDER or transfer.commingling)


def _problems(
    record: TransactionProofRecord, transfers: Transfers, assets: dict[AssetId, AssetRecord]
) -> Iterator[str]:
    if not transfers:
        yield "it has no transfer in the bundle"
        return
    try:
        evm_chain_number(record.chain_id)
        included = check_inclusion(_proof(record), record.block_hash)
        if any(each.height != included.height or each.block_time != included.timestamp for each in transfers):
            yield "its block has another height or time than its transfers"
        yield from _coin_problems(included, [each for each in transfers if each.kind is TransferKind.NATIVE])
        yield from _token_problems(included, [each for each in transfers if each.kind is TransferKind.TOKEN], assets)
    except ChainError as error:
        yield str(error)


def _proof(record: TransactionProofRecord) -> TransactionProof:
    return TransactionProof(
        bytes.fromhex(record.header[2:]),
        record.tx_id,
        record.place,
        tuple(bytes.fromhex(node[2:]) for node in record.transaction_nodes),
        tuple(bytes.fromhex(node[2:]) for node in record.receipt_nodes),
    )


def _coin_problems(included: IncludedTransaction, transfers: Transfers) -> Iterator[str]:
    if len(transfers) > 1:
        yield "it is said to move the native coin at its top level more than once"
    for each in transfers:
        if not included.pays(each.sender or "", each.receiver or "", each.base_units):
            yield f"it does not pay {each.base_units} from {each.sender} to {each.receiver}"


def _token_problems(
    included: IncludedTransaction, transfers: Transfers, assets: dict[AssetId, AssetRecord]
) -> Iterator[str]:
    for asset_id in sorted({each.asset_id for each in transfers}):
        row = assets.get(asset_id)
        if row is None:
            raise InvalidValue(f"{asset_id} is not in the bundle")
        asset = Asset(row.asset_id, row.symbol, row.decimals)
        stated = Counter((e.sender, e.receiver, e.base_units) for e in transfers if e.asset_id == asset_id)
        told: Counter[tuple[Address | None, Address | None, int]] = Counter(
            (movement.sender_address, movement.receiver_address, movement.base_units)
            for movement in included.movements(asset)
        )
        for (sender, receiver, base_units), count in stated.items():
            if told[sender, receiver, base_units] < count:
                yield f"its receipt does not show {base_units} of {asset_id} from {sender} to {receiver}"
