"""What a way of reading balances is: requests out, answers in, and a value or a failure for each balance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from chains.errors import MalformedAnswer, NodeRefused, ReadError
from chains.evm import abi
from chains.evm.addresses import evm_chain_number
from chains.evm.quantity import data
from chains.evm.scanner import CONTRACT_BYTES, AccountKind, Echo
from chains.jsonrpc import RpcCall
from chains.types import BlockRef

_CONTRACT_FAILED: Final = re.compile(
    r"revert|out ?of ?gas|gas required exceeds|invalid ?\w*opcode|vm exception|evm error", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """Why one balance is not known."""

    code: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"


REVERTED: Final = ReadFailure("balance-reverted", "the token's balanceOf reverted or used more gas than it may")
WRONG_LENGTH: Final = ReadFailure("balance-malformed", "the token's balanceOf did not answer with exactly 32 bytes")
NO_CODE: Final = ReadFailure("token-no-code", "there is no contract at the token's address")

Value = int | ReadFailure
"""A balance in base units, or why it is not known."""


class WrongBlock(MalformedAnswer):
    """The EVM says that it ran on another block or chain than the one asked for; nothing of the answer is used."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one exchange asks for: some holders' native balances (when wanted) and some tokens, at one block."""

    block: BlockRef
    holders: tuple[bytes, ...]
    tokens: tuple[bytes, ...]
    """What balance questions are about: a contract (ERC-20), or a contract and the word of an id (ERC-1155)."""
    native: bool


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """The balances of the first `done` holders of a chunk, by column."""

    done: int
    native: Sequence[Value]
    """Empty when native balances were not asked for."""
    tokens: tuple[Sequence[Value], ...]
    """For each token the balances of the holders done."""
    kinds: Sequence[AccountKind] = ()
    """What stands at each holder, where the strategy can tell."""
    holders_fit: int = 0
    """How many holders one call could have read, by the gas it used; 0 when unknown."""


class Strategy(Protocol):
    """One way to read balances. Pure: requests out, answers in."""

    name: str

    def holders_max(self, tokens: int) -> int:
        """Most holders a chunk may have."""

    def holders_first(self, tokens: int) -> int:
        """How many holders the first chunk has."""

    def requests(self, chunk: Chunk) -> list[RpcCall]:
        """The calls that read the chunk."""

    def decode(self, chunk: Chunk, answers: Sequence[object]) -> ChunkResult:
        """The balances from the answers, in the order of the requests. Raises `ReadError` when none are usable."""


def balance_question(token: bytes, holder: bytes) -> tuple[bytes, bytes]:
    """The contract to call for a holder's balance of a token, and the call data. `holder` is a word."""
    contract, number = token[:CONTRACT_BYTES], token[CONTRACT_BYTES:]
    return contract, (abi.BALANCE_OF_ID + holder + number if number else abi.BALANCE_OF + holder)


def pinned(block: BlockRef) -> dict[str, object]:
    """The block parameter by hash (EIP-1898): a node where the block is no longer canonical refuses."""
    return {"blockHash": block.block_hash, "requireCanonical": True}


def check_echo(echo: Echo, block: BlockRef) -> None:
    expected = Echo(evm_chain_number(block.chain_id), block.height, int(block.timestamp.timestamp()), block.parent_hash)
    for name in ("chain_number", "height", "timestamp", "parent_hash"):
        said, asked = getattr(echo, name), getattr(expected, name)
        if said != asked:
            raise WrongBlock(f"the node read at another block: {name} {said} instead of {asked}")


def only_answer(answers: Sequence[object]) -> bytes:
    (answer,) = answers
    if isinstance(answer, ReadError):
        raise answer
    return data(answer)


def is_contract_failure(error: ReadError) -> bool:
    """Whether the node says that the called contract failed (reverted, used up all gas), not the node itself."""
    return type(error) is NodeRefused and (error.rpc_code == 3 or bool(_CONTRACT_FAILED.search(str(error))))
