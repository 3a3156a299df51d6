"""Who owns ERC-721 tokens at a pinned block: one question a token, whatever the number of wallets.

A token that was never minted or is burnt has no owner, and ERC-721 says that asking for it reverts. So a revert means
that nobody owns it when two things stand: the node says that it reverted (not that gas ran out, nor anything else),
and there is a contract at the address. Every other failure is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from chains.errors import ChainMoved, MalformedAnswer, NodeRefused, ReadError
from chains.evm import abi
from chains.evm.addresses import Token
from chains.evm.quantity import data
from chains.evm.strategy import NO_CODE, REVERTED, WRONG_LENGTH, ReadFailure, is_contract_failure, pinned
from chains.jsonrpc import RpcCall
from chains.types import BlockRef

if TYPE_CHECKING:
    from chains.evm.balances import Transport

TOKENS_PER_BATCH: Final = 200
"""How many a caller asks for at once."""
METHOD: Final = "owner-of"
NOBODY: Final = bytes(20)
_REVERTED: Final = re.compile(r"revert", re.IGNORECASE)
_OUT_OF_GAS: Final = re.compile(r"out ?of ?gas|gas required|invalid ?\w*opcode", re.IGNORECASE)
_REVERT_CODE: Final = 3
"""JSON-RPC error code by which nodes give a revert with its data."""

Owner = bytes | ReadFailure
"""The owner's 20 bytes, `NOBODY`, or why it is not known."""


def read_owners(transport: Transport, block: BlockRef, tokens: Sequence[Token]) -> list[Owner]:
    """The owner of each token at the block, in the same order.

    Raises `ChainMoved` when the block is gone, and any `ReadError` that concerns a whole batch.
    """
    answers = transport.batch([call for token in tokens for call in owner_calls(token, block)])
    return [owner_of(*answers[place : place + 2]) for place in range(0, len(answers), 2)]


def owner_calls(token: Token, block: BlockRef) -> tuple[RpcCall, RpcCall]:
    """What is asked about one token: who owns it, and whether there is a contract."""
    assert token.number is not None
    contract = abi.hex_text(token.contract)
    call = {"to": contract, "data": abi.hex_text(abi.OWNER_OF + abi.word(token.number))}
    return RpcCall("eth_call", (call, pinned(block))), RpcCall("eth_getCode", (contract, pinned(block)))


def owner_of(answer: object, code: object) -> Owner:
    """The owner from the answers to `owner_calls`. Raises `ChainMoved` when the block is gone."""
    for each in (answer, code):
        if isinstance(each, ChainMoved):
            raise each
    try:
        has_code = not isinstance(code, ReadError) and bool(data(code))
        if isinstance(answer, ReadError):
            if _is_revert(answer):
                return NOBODY if has_code else REVERTED
            return REVERTED if is_contract_failure(answer) else ReadFailure(answer.code, str(answer))
        word = data(answer)
    except MalformedAnswer as error:
        return ReadFailure(error.code, str(error))
    if not word and not has_code:
        return NO_CODE
    return word[12:] if len(word) == 32 and not any(word[:12]) else WRONG_LENGTH


def _is_revert(error: ReadError) -> bool:
    text = str(error)
    says_so = error.rpc_code == _REVERT_CODE or _REVERTED.search(text) if type(error) is NodeRefused else False
    return bool(says_so) and not _OUT_OF_GAS.search(text)
