"""Top-level movements of the native coin: values sent by transactions, and the fees their senders paid.

What moves inside a transaction (a contract forwarding coins, a self-destruct) leaves no trace here; the comparison of
balances finds it, and traces explain it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from chains.errors import MalformedAnswer, ReadError
from chains.evm.addresses import checksum_address
from chains.evm.balances import Transport
from chains.evm.blocks import Block
from chains.evm.envelopes import DEPOSIT, SET_CODE, envelope_type
from chains.evm.keccak import keccak256
from chains.evm.quantity import data, hash32, quantity
from chains.evm.rlp_encoding import encode_list, integer_bytes
from chains.jsonrpc import RpcCall
from chains.types import UINT256_MAX, Address, Asset, BlockRef, Transfer, TransferKind

FEE_INDEX: Final = -1
"""Position of a fee within its transaction: before everything the transaction did."""
MINT_INDEX: Final = -2
"""Position of what a deposit mints for its sender: before all else, and whether or not the rest succeeds."""
OPERATOR_FEE_DIVISOR: Final = 10**6
"""By which the operator fee of rollups of the OP family is scaled since Isthmus."""
OPERATOR_FEE_FACTOR: Final = 100
"""And since Jovian."""


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
    mint: int = 0
    """What a deposit of a rollup mints for the sender, in base units."""
    unread: bool = False
    """Whether its type is unknown here, so that it may move more than is read."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A transfer and where it stands in its block, for one order over all kinds."""

    tx_index: int
    transfer: Transfer


in_order: Final = attrgetter("transfer.block.height", "tx_index", "transfer.index", "transfer.kind")
"""Key to sort by: height, place of the transaction, place within it, kind."""


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
        value, unread = quantity(transaction.get("value")), is_unread(transaction)
        if receiver is None:
            receiver = created_address(sender, quantity(transaction.get("nonce")))
        if sender not in watched and (receiver not in watched or (value == 0 and not unread)):
            continue
        if (
            hash32(transaction.get("blockHash")) != header.block.block_hash
            or quantity(transaction.get("transactionIndex")) != place
        ):
            raise MalformedAnswer("a transaction says that it is in another block or place")
        found.append(
            WatchedTransaction(
                block=header.block,
                tx_id=hash32(transaction.get("hash")),
                tx_index=place,
                sender=sender,
                receiver=receiver,
                value=value,
                pays_fee=sender in watched,
                mint=minted(transaction),
                unread=unread,
            )
        )
    return found


def minted(transaction: Mapping[str, object]) -> int:
    """What a deposit of a rollup (type 0x7e) mints for its sender, in base units; 0 for every other transaction."""
    if envelope_type(transaction) != DEPOSIT or transaction.get("mint") is None:
        return 0
    return quantity(transaction["mint"])


def is_unread(transaction: Mapping[str, object]) -> bool:
    """Whether the type is one whose movements are not known here, as those of Arbitrum's deposits and retries."""
    number = envelope_type(transaction)
    return number > SET_CODE and number != DEPOSIT


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
    if item.pays_fee and item.mint > 0:
        yield Transfer(item.block, item.tx_id, MINT_INDEX, native, None, sender, item.mint, TransferKind.NATIVE)
    if item.pays_fee and (fee := fee_paid(receipt)) > 0:
        yield _transfer(item, native, FEE_INDEX, sender, None, fee, TransferKind.FEE)
    if status == 1 and item.value > 0:
        yield _transfer(item, native, 0, sender, checksum_address(item.receiver), item.value, TransferKind.NATIVE)


def fee_paid(receipt: Mapping[str, object]) -> int:
    """What the sender paid for a transaction, failed ones included, in base units of the native coin.

    Gas at its effective price; blob gas at its own price (EIP-4844). On rollups of the OP family the share for the data
    on layer 1 (`l1Fee`) and the operator's fee are charged on top. On Arbitrum the gas used has the share in it.
    Raises `MalformedAnswer`, also for more than 2**256 - 1.
    """
    fee = quantity(receipt.get("gasUsed")) * quantity(receipt.get("effectiveGasPrice"))
    is_jovian = receipt.get("daFootprintGasScalar") is not None
    if receipt.get("blobGasUsed") is not None and receipt.get("blobGasPrice") is not None and not is_jovian:
        # Some nodes give these for every transaction, with no blob gas used: then the product is zero. Since Jovian
        # a rollup of the OP family keeps there how much room the data takes, which nobody pays for as such.
        fee += quantity(receipt["blobGasUsed"]) * quantity(receipt["blobGasPrice"])
    if receipt.get("l1Fee") is not None:
        fee += quantity(receipt["l1Fee"])
    if envelope_type(receipt) != DEPOSIT:
        fee += _operator_fee(receipt, is_jovian=is_jovian)
    if fee > UINT256_MAX:
        raise MalformedAnswer("a receipt states a fee that no account could pay")
    return fee


def _operator_fee(receipt: Mapping[str, object], *, is_jovian: bool) -> int:
    """The fee of a rollup's operator: so much a transaction, and so much by gas used. Nodes leave out zeros."""
    scalar, constant = receipt.get("operatorFeeScalar"), receipt.get("operatorFeeConstant")
    if scalar is None and constant is None:
        return 0
    by_gas = quantity(receipt.get("gasUsed")) * (quantity(scalar) if scalar is not None else 0)
    by_gas = by_gas * OPERATOR_FEE_FACTOR if is_jovian else by_gas // OPERATOR_FEE_DIVISOR
    return by_gas + (quantity(constant) if constant is not None else 0)


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
