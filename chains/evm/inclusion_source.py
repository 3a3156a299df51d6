"""Inclusion proofs of transactions, made from whole blocks that a node gives and checked before anybody sees them."""

from __future__ import annotations

from collections.abc import Sequence

from chains.errors import MalformedAnswer, ProofFailed
from chains.evm.balances import Transport
from chains.evm.blocks import Block
from chains.evm.envelopes import UnknownType
from chains.evm.header import decode_header
from chains.evm.inclusion import TransactionProof, check_inclusion, prove_inclusion
from chains.evm.quantity import data
from chains.evm.receipt_source import ReceiptSource
from chains.evm.receipts import BloomFilter, decode_receipt, encode_receipt
from chains.evm.signed_transaction import decode_transaction
from chains.types import BlockRef


def prove_transactions(
    transport: Transport, header_format: str, block: BlockRef, tx_ids: Sequence[str]
) -> list[TransactionProof]:
    """The proofs of these transactions of a block, in their order; each leads from the block's hash.

    Raises `ReadError`: `ProofFailed` when what the node gave does not lead there or cannot be recomputed.
    """
    answer = transport.call("eth_getBlockByHash", block.block_hash, True)
    if not isinstance(answer, dict):
        raise MalformedAnswer(f"the node does not give block {block.height} by its hash")
    header = decode_header(answer, block.chain_id, header_format)
    if header.block != block:
        raise MalformedAnswer(f"asked for block {block.height} by its hash, the node gave another")
    if header.encoded is None:
        raise ProofFailed(f"nothing is proven against block {block.block_hash}: {header.note}")
    transactions, receipts = _encoded(transport, (header, answer))
    places = {f"0x{each.hex()}": place for place, each in enumerate(_hashes(answer))}
    proofs = []
    for tx_id in tx_ids:
        if tx_id not in places:
            raise ProofFailed(f"block {block.height} has no transaction {tx_id}")
        proof = prove_inclusion(header.encoded, transactions, receipts, places[tx_id])
        if proof.tx_id != tx_id:
            raise ProofFailed(f"what block {block.height} holds as {tx_id} does not hash to that")
        check_inclusion(proof, block.block_hash)
        proofs.append(proof)
    return proofs


def _encoded(transport: Transport, block: Block) -> tuple[list[bytes], list[bytes]]:
    """The transactions and the receipts of a block as its tries hold them."""
    blooms = BloomFilter()
    (receipts,) = ReceiptSource(transport).of([block])
    listed = block[1].get("transactions")
    if not isinstance(listed, list) or len(listed) != len(receipts):
        raise MalformedAnswer("a block has not one receipt for each of its transactions")
    try:
        transactions = [decode_transaction(each).encoded for each in listed]
        encoded = []
        for each in receipts:
            receipt = decode_receipt(each)
            assert isinstance(each, dict)
            encoded.append(encode_receipt(each, receipt, blooms))
    except UnknownType as unknown:
        raise ProofFailed(f"the block has {unknown}, which this version cannot recompute") from None
    return transactions, encoded


def _hashes(answer: dict[str, object]) -> list[bytes]:
    listed = answer["transactions"]
    assert isinstance(listed, list)
    return [data(each["hash"], length=32) for each in listed]
