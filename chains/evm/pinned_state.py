"""Reading code, nonces, storage and view functions at one pinned block, very many at a time.

Each question gets bytes, `REVERTED` when the called contract refused, or `Unread` with the reason. A node that says
the block is gone ends it all: then nothing of the answers belongs together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from chains.errors import ChainMoved, MalformedAnswer, ReadError
from chains.evm.abi import hex_text
from chains.evm.balances import Transport
from chains.evm.quantity import data, quantity
from chains.evm.strategy import is_contract_failure, pinned
from chains.jsonrpc import RpcCall
from chains.types import BlockRef


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a question has no answer."""

    reason: str
    """A stable code, then one sentence."""

    @staticmethod
    def of(error: ReadError) -> Unread:
        """The reason of a node's failure."""
        return Unread(f"{error.code}: {error}")


class Refusal(Enum):
    """The contract itself refused or failed: an answer of the contract, not of the node."""

    REVERTED = "reverted"


REVERTED: Final = Refusal.REVERTED
NONCE_MAX: Final = 2**53 - 1
"""Largest number of transactions that is believed, and that every reader of JSON keeps exact."""

Outcome = bytes | Refusal | Unread


class PinnedState:
    """The state at one block through one node."""

    def __init__(self, transport: Transport, block: BlockRef) -> None:
        self._transport = transport
        self._block = pinned(block)

    def call(self, to: bytes, call_data: bytes) -> RpcCall:
        """A view function's answer."""
        return RpcCall("eth_call", ({"to": hex_text(to), "data": hex_text(call_data)}, self._block))

    def code(self, address: bytes) -> RpcCall:
        """The code at an address; empty for an account without."""
        return RpcCall("eth_getCode", (hex_text(address), self._block))

    def storage(self, address: bytes, slot: int) -> RpcCall:
        """One word of an account's storage."""
        return RpcCall("eth_getStorageAt", (hex_text(address), f"0x{slot:064x}", self._block))

    def nonces(self, addresses: Sequence[bytes]) -> list[int | Unread]:
        """How many transactions each account has sent."""
        calls = [RpcCall("eth_getTransactionCount", (hex_text(address), self._block)) for address in addresses]
        outcomes: list[int | Unread] = []
        for answer in self._answers(calls):
            try:
                outcomes.append(Unread.of(answer) if isinstance(answer, ReadError) else _nonce(answer))
            except MalformedAnswer as error:
                outcomes.append(Unread.of(error))
        return outcomes

    def ask(self, calls: Sequence[RpcCall]) -> list[Outcome]:
        """The outcomes in the order of the calls. Raises `ChainMoved`, and `NodeUnavailable` when none came."""
        return [_outcome(answer) for answer in self._answers(calls)]

    def _answers(self, calls: Sequence[RpcCall]) -> list[object]:
        answers = self._transport.batch(calls) if calls else []
        for answer in answers:
            if isinstance(answer, ChainMoved):
                raise answer
        return answers


def word_of(outcome: Outcome) -> int | Refusal | Unread:
    """The one number of an answer; an answer of another length counts as the contract's refusal to give one."""
    if not isinstance(outcome, bytes):
        return outcome
    return int.from_bytes(outcome, "big") if len(outcome) == 32 else REVERTED


def reason_of(outcome: Outcome | int, otherwise: str) -> str:
    """Why an answer could not be used: the node's own reason where it gave none, else the one given here."""
    return outcome.reason if isinstance(outcome, Unread) else otherwise


def _nonce(answer: object) -> int:
    nonce = quantity(answer)
    if nonce > NONCE_MAX:
        raise MalformedAnswer("a count of transactions is beyond any that an account reaches")
    return nonce


def _outcome(answer: object) -> Outcome:
    if isinstance(answer, ReadError):
        return REVERTED if is_contract_failure(answer) else Unread.of(answer)
    try:
        return data(answer)
    except MalformedAnswer as error:
        return Unread.of(error)
