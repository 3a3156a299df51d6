"""One block held against its own header: nothing left out, nothing added, nothing changed.

1. the header's hash was recomputed from its fields
2. the transactions root of the transactions given is the header's
3. the sender of each transaction is who signed it
4. the receipts root and the logs bloom of the receipts given are the header's
5. gas used and gas price of each receipt are what the roots and the base fee give
6. the withdrawals root of the withdrawals given is the header's

A lie raises `ProofFailed`, naming block and what differs. What this version cannot recompute (an unknown transaction
type, an unchecked header) is read as the node gives it and noted: such a block is not verified.

Pure: takes decoded JSON, returns values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chains.errors import MalformedAnswer, ProofFailed
from chains.evm.blob_price import known_blob_prices
from chains.evm.blocks import Block
from chains.evm.envelopes import UnknownType
from chains.evm.header import Header, JsonObject
from chains.evm.native import created_address, fee_paid, is_unread, minted
from chains.evm.quantity import data, hash32, quantity
from chains.evm.receipts import BloomFilter, Receipt, decode_receipt, encode_receipt
from chains.evm.signed_transaction import SignedTransaction, decode_transaction
from chains.evm.trie_root import ordered_root
from chains.evm.withdrawals import Withdrawal, decode_withdrawals
from chains.types import BlockRef

_BLOB_PRICE_NOTE: Final = "the blob gas price fits no fork this version knows"
_L1_FEE_NOTE: Final = "the fee for data on layer 1 stands in no root"
_OPERATOR_FEE_NOTE: Final = "the fee of the rollup's operator stands in no root"


@dataclass(frozen=True, slots=True)
class Executed:
    """One transaction and what became of it."""

    tx_id: str
    sender: bytes
    receiver: bytes
    """For a creation the new contract."""
    value: int
    receipt: Receipt
    gas_used: int
    gas_price: int
    fee: int
    """All that the sender paid, in base units of the native coin."""
    first_log_index: int
    """Place of its first log within the block."""
    mint: int = 0
    """What a deposit of a rollup mints for the sender, in base units."""
    unread: bool = False
    """Whether its type is unknown here, so that it may move more than is read."""


@dataclass(frozen=True, slots=True)
class CheckedBlock:
    """The content of a block, and why it is not verified when it is not."""

    block: BlockRef
    transactions: tuple[Executed, ...]
    withdrawals: tuple[Withdrawal, ...]
    fee_recipient: bytes
    base_fee: int
    """Burnt per gas; 0 before London."""
    notes: tuple[str, ...]

    @property
    def verified(self) -> bool:
        """Whether all of it was held against the header."""
        return not self.notes


class _Checks:
    """The checks of one block, and what could not be checked."""

    def __init__(self, header: Header) -> None:
        self.block = header.block
        self.header_checked = header.checked
        self.notes: dict[str, None] = {} if header.checked else {header.note: None}

    def note(self, text: str) -> None:
        self.notes.setdefault(text)

    def equal(self, what: str, found: object, proven: object) -> None:
        """Raise `ProofFailed` when the node says other than what is proven. An unchecked header proves nothing."""
        if self.header_checked and found != proven:
            raise ProofFailed(f"{self.block}: {what} is {_text(proven)}, by what the node gave {_text(found)}")


def check_block(block: Block, receipts: Sequence[object]) -> CheckedBlock:
    """Check the transactions, receipts and withdrawals of a full block.

    Raises `ProofFailed` for a lie, `MalformedAnswer` for what is no block or receipt at all.
    """
    header, raw = block
    checks = _Checks(header)
    transactions = raw.get("transactions")
    if not isinstance(transactions, list):
        raise MalformedAnswer("a block has no list of transactions")
    checks.equal("the number of its receipts", len(receipts), len(transactions))
    if len(receipts) != len(transactions):
        raise MalformedAnswer(f"a block of {len(transactions)} transactions got {len(receipts)} receipts")
    signed = _check_transactions(checks, raw, transactions)
    decoded = _check_receipts(checks, header, receipts)
    withdrawals = _check_withdrawals(checks, raw)
    base_fee = quantity(raw["baseFeePerGas"]) if raw.get("baseFeePerGas") is not None else 0
    executed: list[Executed] = []
    gas_before = logs_before = 0
    for place, receipt in enumerate(decoded):
        claimed = receipts[place]
        assert isinstance(claimed, Mapping)
        gas_used = receipt.cumulative_gas_used - gas_before
        if gas_used < 0:
            raise MalformedAnswer("the gas used so far falls within a block")
        execution = _Execution(checks, raw, place, transactions[place], claimed, base_fee)
        executed.append(execution.read(signed[place], receipt, gas_used, logs_before))
        gas_before = receipt.cumulative_gas_used
        logs_before += len(receipt.logs)
    return CheckedBlock(
        block=header.block,
        transactions=tuple(executed),
        withdrawals=withdrawals,
        fee_recipient=data(raw.get("miner"), length=20),
        base_fee=base_fee,
        notes=tuple(checks.notes),
    )


def _check_transactions(
    checks: _Checks, raw: JsonObject, transactions: Sequence[object]
) -> list[SignedTransaction | None]:
    """The transactions decoded; None in the place of each that cannot be held against the header."""
    if not checks.header_checked:
        return [None] * len(transactions)
    signed: list[SignedTransaction | None] = []
    for transaction in transactions:
        try:
            signed.append(decode_transaction(transaction))
        except UnknownType as unknown:
            checks.note(f"transactions of {unknown} cannot be recomputed by this version")
            signed.append(None)
    encoded = [transaction.encoded for transaction in signed if transaction is not None]
    if len(encoded) == len(signed):
        checks.equal("the transactions root", _hex(ordered_root(encoded)), hash32(raw.get("transactionsRoot")))
    return signed


def _check_receipts(checks: _Checks, header: Header, answers: Sequence[object]) -> list[Receipt]:
    blooms = BloomFilter()
    decoded: list[Receipt] = []
    encoded: list[bytes] = []
    for answer in answers:
        receipt = decode_receipt(answer)
        decoded.append(receipt)
        assert isinstance(answer, Mapping)
        try:
            encoded.append(encode_receipt(answer, receipt, blooms))
        except UnknownType as unknown:
            blooms.of(receipt.logs)
            checks.note(f"receipts of {unknown} cannot be recomputed by this version")
    if len(encoded) == len(decoded):
        checks.equal("the receipts root", _hex(ordered_root(encoded)), header.receipts_root)
    checks.equal("the logs bloom", _hex(blooms.total), _hex(header.logs_bloom))
    return decoded


def _check_withdrawals(checks: _Checks, raw: JsonObject) -> tuple[Withdrawal, ...]:
    withdrawals = decode_withdrawals(raw.get("withdrawals"))
    if raw.get("withdrawalsRoot") is not None:
        root = _hex(ordered_root([withdrawal.encode() for withdrawal in withdrawals]))
        checks.equal("the withdrawals root", root, hash32(raw.get("withdrawalsRoot")))
    else:
        checks.equal("the number of its withdrawals", len(withdrawals), 0)
    return withdrawals


@dataclass(frozen=True, slots=True)
class _Execution:
    """One transaction of the block beside its receipt, as the node gave both."""

    checks: _Checks
    raw: JsonObject
    place: int
    transaction: object
    claimed: JsonObject
    base_fee: int

    def read(self, signed: SignedTransaction | None, receipt: Receipt, gas_used: int, logs_before: int) -> Executed:
        """What happened, by what is proven where it is, else by what the node says."""
        transaction, claimed = self.transaction, self.claimed
        assert isinstance(transaction, Mapping)
        tx_id, sender = hash32(transaction.get("hash")), data(transaction.get("from"), length=20)
        if (
            hash32(claimed.get("blockHash")) != self.checks.block.block_hash
            or hash32(claimed.get("transactionHash")) != tx_id
        ):
            raise MalformedAnswer("a receipt belongs to another transaction or block")
        self._equal("gas used", quantity(claimed.get("gasUsed")), gas_used)
        gas_price = quantity(claimed.get("effectiveGasPrice"))
        if signed is not None:
            self._equal("hash", tx_id, signed.tx_id)
            self._equal("sender", _hex(sender), _hex(signed.sender()))
            self._equal("gas price", gas_price, signed.gas_price(self.base_fee))
            self._check_blobs(signed)
        if claimed.get("l1Fee") is not None:
            self.checks.note(_L1_FEE_NOTE)
        if claimed.get("operatorFeeScalar") is not None or claimed.get("operatorFeeConstant") is not None:
            self.checks.note(_OPERATOR_FEE_NOTE)
        to = transaction.get("to")
        nonce, value = quantity(transaction.get("nonce")), quantity(transaction.get("value"))
        return Executed(
            tx_id=tx_id,
            sender=sender,
            receiver=created_address(sender, nonce) if to is None else data(to, length=20),
            value=value,
            receipt=receipt,
            gas_used=gas_used,
            gas_price=gas_price,
            fee=fee_paid(claimed),
            first_log_index=logs_before,
            mint=minted(transaction),
            unread=is_unread(transaction),
        )

    def _check_blobs(self, signed: SignedTransaction) -> None:
        claimed = self.claimed
        used = quantity(claimed["blobGasUsed"]) if claimed.get("blobGasUsed") is not None else 0
        self._equal("blob gas used", used, signed.blob_gas)
        if signed.blobs:
            excess = quantity(self.raw.get("excessBlobGas"))
            if claimed.get("blobGasPrice") is None:
                raise MalformedAnswer("a receipt of a transaction with blobs has no blob gas price")
            if quantity(claimed["blobGasPrice"]) not in known_blob_prices(excess):
                self.checks.note(_BLOB_PRICE_NOTE)

    def _equal(self, what: str, found: object, proven: object) -> None:
        self.checks.equal(f"the {what} of transaction {self.place}", found, proven)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _text(value: object) -> str:
    text = str(value)
    return text if len(text) <= 66 else f"{text[:66]}…"
