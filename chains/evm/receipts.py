"""Receipts as a block header commits to them: RLP, logs bloom, receipts root (Yellow Paper 4.4.1, EIP-658, EIP-2718).

The bloom is always computed from the logs and never taken from the node, so a root that fits proves the blooms too.
What a node says of a receipt beyond status, cumulative gas and logs is in no root: the caller derives it otherwise.

Pure: takes decoded JSON, returns values, raises `MalformedAnswer` or `UnknownType`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chains.errors import MalformedAnswer
from chains.evm.envelopes import envelope, known_envelope_type
from chains.evm.header import JsonObject
from chains.evm.keccak import keccak256
from chains.evm.quantity import data, quantity
from chains.evm.rlp_encoding import encode_bytes, integer_bytes, wrap_list

BLOOM_BYTES: Final = 256
TOPICS_MAX: Final = 4

_WORD_PREFIX: Final = b"\xa0"
_ADDRESS_PREFIX: Final = b"\x94"
_BLOOM_PREFIX: Final = b"\xb9\x01\x00"


@dataclass(frozen=True, slots=True)
class Log:
    """One event as the receipts root commits to it."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """The part of a receipt that the receipts root commits to."""

    outcome: bytes
    """Status as RLP has it (one, or empty for zero); before EIP-658 a state root of 32 bytes."""
    cumulative_gas_used: int
    logs: tuple[Log, ...]

    @property
    def status(self) -> int:
        """1 when the transaction did what it should, 0 when it failed. Raises `MalformedAnswer` before EIP-658."""
        if len(self.outcome) > 1:
            raise MalformedAnswer("a receipt from before Byzantium has no status")
        return len(self.outcome)


def decode_receipt(answer: object) -> Receipt:
    """The committed part of a receipt object."""
    if not isinstance(answer, dict):
        raise MalformedAnswer("a receipt is not a JSON object")
    logs = answer.get("logs")
    if not isinstance(logs, list):
        raise MalformedAnswer("a receipt has no list of logs")
    return Receipt(_outcome(answer), quantity(answer.get("cumulativeGasUsed")), tuple([_log(log) for log in logs]))


def _outcome(answer: JsonObject) -> bytes:
    if answer.get("status") is None and answer.get("root") is not None:
        return data(answer["root"], length=32)
    status = quantity(answer.get("status"))
    if status > 1:
        raise MalformedAnswer(f"a receipt has status {status}")
    return integer_bytes(status)


def _log(answer: object) -> Log:
    if not isinstance(answer, dict):
        raise MalformedAnswer("a log is not a JSON object")
    topics = answer.get("topics")
    if not isinstance(topics, list) or len(topics) > TOPICS_MAX:
        raise MalformedAnswer("a log has no list of at most four topics")
    return Log(
        data(answer.get("address"), length=20),
        tuple([data(topic, length=32) for topic in topics]),
        data(answer.get("data")),
    )


class BloomFilter:
    """Logs blooms of one block's receipts; remembers the bits of what recurs, as addresses and events do."""

    def __init__(self) -> None:
        self._bits: dict[bytes, int] = {}
        self._total = 0

    def of(self, logs: tuple[Log, ...]) -> bytes:
        """The 2048-bit filter over the addresses and topics of some logs, which also go into the block's."""
        bloom = 0
        for log in logs:
            bloom |= self._bits_of(log.address)
            for topic in log.topics:
                bloom |= self._bits_of(topic)
        self._total |= bloom
        return bloom.to_bytes(BLOOM_BYTES, "big")

    @property
    def total(self) -> bytes:
        """The filter over everything so far: that of the block when all its receipts were seen."""
        return self._total.to_bytes(BLOOM_BYTES, "big")

    def _bits_of(self, item: bytes) -> int:
        bits = self._bits.get(item)
        if bits is None:
            digest = keccak256(item)
            # Three bits, each by eleven bits of the hash (Yellow Paper, function M3:2048).
            bits = 0
            for place in (0, 2, 4):
                bits |= 1 << (int.from_bytes(digest[place : place + 2], "big") & 2047)
            self._bits[item] = bits
        return bits


def encode_receipt(answer: JsonObject, receipt: Receipt, blooms: BloomFilter) -> bytes:
    """What the receipts trie holds for a receipt: `answer` gives the type. Raises `UnknownType`."""
    number = known_envelope_type(answer)
    body = b"".join(
        (
            encode_bytes(receipt.outcome),
            encode_bytes(integer_bytes(receipt.cumulative_gas_used)),
            _BLOOM_PREFIX + blooms.of(receipt.logs),
            wrap_list(b"".join(map(_encode_log, receipt.logs))),
        )
    )
    return envelope(number, body)


def _encode_log(log: Log) -> bytes:
    topics = wrap_list(b"".join([_WORD_PREFIX + topic for topic in log.topics]))
    return wrap_list(_ADDRESS_PREFIX + log.address + topics + encode_bytes(log.data))
