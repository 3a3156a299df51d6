"""Top-level movements of the native coin: values sent by transactions, and the fees their senders paid.

What moves inside a transaction (a contract forwarding coins, a self-destruct) leaves no trace here; the comparison of
balances finds it, and traces explain it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chains.errors import MalformedAnswer, ReadError
from chains.evm.addresses import checksum_address
from chains.evm.balances import Transport
from chains.evm.blocks import Block
from chains.evm.keccak import keccak256
from chains.evm.quantity import data, hash32, quantity
from chains.evm.rlp_encoding import encode_list, integer_bytes
from chains.jsonrpc import RpcCall
from chains.types import Address, Asset, BlockRef, Transfer, TransferKind

FEE_INDEX: Final = -1
"""Position of a fee within its transaction: before everything the transaction did."""


@dataclass(frozen=True, slots=True)
class WatchedTransaction:
    """A transaction with a watched sender, or that sends value to a watched receiver."""

    block: BlockRef
    tx_id: str
    tx_index: int
    sender: bytes
    receiver: bytes
    """The account that gets the value: for a creation the new contract."""
    value: int
    pays_fee: bool
    """Whether the sender is watched, so that the fee is a movement too."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A transfer and where it stands in its block, for one order over all kinds."""

    tx_index: int
    transfer: Transfer

    @property
    def order(self) -> tuple[int, int, int, str]:
        """Height, place of the transaction, place within it."""
        return self.transfer.block.height, self.tx_index, self.transfer.index, self.transfer.kind


def created_address(sender: bytes, nonce: int) -> bytes:
    """The address of the contract that a creation transaction makes."""
    return keccak256(encode_list((sender, integer_bytes(nonce))))[12:]


def watched_transactions(block: Block, watched: frozenset[bytes]) -> list[WatchedTransaction]:
    """The transactions of a full block that touch watched accounts. Raises `MalformedAnswer`."""
    header, raw = block
    transactions = raw.get("transactions")
    if not isinstance(transactions, list):
        raise MalformedAnswer("a block has no list of transactions")
    found: list[WatchedTransaction] = []
    for place, transaction in enumerate(transactions):
        if not isinstance(transaction, Mapping):
            raise MalformedAnswer("a transaction is not a JSON object")
        sender = data(transaction.get("from"), length=20)
        to = transaction.get("to")
        receiver = data(to, length=20) if to is not None else None
        if sender not in watched and receiver is not None and receiver not in watched:
            continue
        value = quantity(transaction.get("value"))
        if receiver is None:
            receiver = created_address(sender, quantity(transaction.get("nonce")))
        if sender not in watched and (receiver not in watched or value == 0):
            continue
        if (
            hash32(transaction.get("blockHash")) != header.block.block_hash
            or quantity(transaction.get("transactionIndex")) != place
        ):
            raise MalformedAnswer("a transaction says that it is in another block or place")
        tx_id = hash32(transaction.get("hash"))
        found.append(
            WatchedTransaction(header.block, tx_id, place, sender, receiver, value, pays_fee=sender in watched)
        )
    return found


def native_transfers(transport: Transport, found: Sequence[WatchedTransaction], native: Asset) -> list[Placed]:
    """Values and fees of watched transactions, by their receipts. Raises `ReadError` when a receipt is missing."""
    receipts = transport.batch([RpcCall("eth_getTransactionReceipt", (item.tx_id,)) for item in found]) if found else []
    result: list[Placed] = []
    for item, receipt in zip(found, receipts, strict=True):
        if isinstance(receipt, ReadError):
            raise receipt
        result.extend(Placed(item.tx_index, transfer) for transfer in _movements(item, receipt, native))
    return result


def _movements(item: WatchedTransaction, receipt: object, native: Asset) -> Iterable[Transfer]:
    if not isinstance(receipt, Mapping):
        raise MalformedAnswer("the node has no receipt of a transaction in a block it has")
    if (
        hash32(receipt.get("transactionHash")) != item.tx_id
        or hash32(receipt.get("blockHash")) != item.block.block_hash
        or data(receipt.get("from"), length=20) != item.sender
    ):
        raise MalformedAnswer("a receipt belongs to another transaction or block")
    status = quantity(receipt.get("status"))
    if status > 1:
        raise MalformedAnswer(f"a receipt has status {status}")
    created = receipt.get("contractAddress")
    if created is not None and status == 1 and data(created, length=20) != item.receiver:
        raise MalformedAnswer("a receipt names another created contract than sender and nonce give")
    sender = checksum_address(item.sender)
    if item.pays_fee and (fee := fee_paid(receipt)) > 0:
        yield _transfer(item, native, FEE_INDEX, sender, None, fee, TransferKind.FEE)
    if status == 1 and item.value > 0:
        yield _transfer(item, native, 0, sender, checksum_address(item.receiver), item.value, TransferKind.NATIVE)


def fee_paid(receipt: Mapping[str, object]) -> int:
    """What the sender paid for a transaction, failed ones included, in base units of the native coin.

    Gas at its effective price; blob gas at its own price (EIP-4844); on rollups of the OP family the share for the
    data on layer 1 (`l1Fee`), which is charged on top.
    """
    fee = quantity(receipt.get("gasUsed")) * quantity(receipt.get("effectiveGasPrice"))
    if receipt.get("blobGasUsed") is not None and receipt.get("blobGasPrice") is not None:
        # Some nodes give these for every transaction, with no blob gas used: then the product is zero.
        fee += quantity(receipt["blobGasUsed"]) * quantity(receipt["blobGasPrice"])
    if receipt.get("l1Fee") is not None:
        fee += quantity(receipt["l1Fee"])
    return fee


def _transfer(
    item: WatchedTransaction,
    native: Asset,
    index: int,
    sender: Address,
    receiver: Address | None,
    base_units: int,
    kind: TransferKind,
) -> Transfer:
    return Transfer(item.block, item.tx_id, index, native, sender, receiver, base_units, kind)
