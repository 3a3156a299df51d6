"""What stands at addresses at one block, and whether contract wallets accept signatures there (EIP-1271).

Both are asked by block hash. What a node cannot answer is a `ReadError` in the place of that one account: it is
unverified, and never taken for "no code" or for "refused".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chains.errors import MalformedAnswer, ReadError
from chains.evm import abi
from chains.evm.addresses import address_bytes
from chains.evm.balances import Transport
from chains.evm.quantity import data
from chains.evm.scanner import AccountKind
from chains.evm.strategy import is_contract_failure, pinned
from chains.jsonrpc import RpcCall
from chains.types import Address, BlockRef

DELEGATION_PREFIX: Final = bytes.fromhex("ef0100")
"""Begins the code of an account with a key that lends its address to a contract (EIP-7702)."""
IS_VALID_SIGNATURE: Final = bytes.fromhex("1626ba7e")
"""isValidSignature(bytes32,bytes): the selector, and the value that means yes (EIP-1271)."""
_YES: Final = IS_VALID_SIGNATURE.ljust(32, b"\0")


@dataclass(frozen=True, slots=True)
class ContractQuestion:
    """A signature that a contract wallet is asked about."""

    address: Address
    digest: bytes
    """The 32 bytes that were signed."""
    signature: bytes


def account_kinds(transport: Transport, block: BlockRef, addresses: Sequence[Address]) -> list[AccountKind | ReadError]:
    """What stands at each address at the block: EOA (no code), CONTRACT or DELEGATED; in the order given.

    Raises `ReadError` when nothing could be asked at all.
    """
    calls = [RpcCall("eth_getCode", (address, pinned(block))) for address in addresses]
    return [_kind(answer) for answer in transport.batch(calls)] if calls else []


def contract_answers(
    transport: Transport, block: BlockRef, questions: Sequence[ContractQuestion]
) -> list[bool | ReadError]:
    """Whether each contract accepts its signature at the block; a contract that reverts does not.

    The contract speaks for itself: what makes it accept is its own rule. Raises `ReadError` when nothing could be
    asked at all.
    """
    calls = [
        RpcCall("eth_call", ({"to": each.address, "data": abi.hex_text(_call_data(each))}, pinned(block)))
        for each in questions
    ]
    return [_accepts(answer) for answer in transport.batch(calls)] if calls else []


def _kind(answer: object) -> AccountKind | ReadError:
    if isinstance(answer, ReadError):
        return answer
    try:
        code = data(answer)
    except MalformedAnswer as error:
        return error
    if not code:
        return AccountKind.EOA
    return AccountKind.DELEGATED if code.startswith(DELEGATION_PREFIX) and len(code) == 23 else AccountKind.CONTRACT


def _accepts(answer: object) -> bool | ReadError:
    if isinstance(answer, ReadError):
        return False if is_contract_failure(answer) else answer
    try:
        return data(answer) == _YES
    except MalformedAnswer as error:
        return error


def _call_data(question: ContractQuestion) -> bytes:
    assert len(question.digest) == 32
    assert len(address_bytes(question.address)) == 20
    signature = question.signature
    padding = bytes(-len(signature) % 32)
    head = question.digest + abi.word(64) + abi.word(len(signature))
    return IS_VALID_SIGNATURE + head + signature + padding
