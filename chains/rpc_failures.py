"""What a node's own error means: JSON-RPC code and wording to an error of `chains.errors`. No I/O.

Codes are shared by unlike errors, so the wording decides first. The wordings are those of geth, erigon, nethermind,
reth, Anvil and the large providers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from chains.errors import (
    ChainMoved,
    NodeRefused,
    NodeUnavailable,
    RangeTooLarge,
    ReadError,
    StateUnavailable,
    UnsupportedByNode,
)
from chains.jsonrpc import RpcFailure
from chains.node_text import node_text

CLASSIFIED_CHARACTERS_MAX: Final = 1000
"""Most characters of a node's message that are searched, so that a huge one costs nothing."""


def _wordings(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


# The rest of such a message is written by the contract that reverted: a token must not choose what a sweep does next.
_REVERTED: Final = _wordings(r"revert", r"vm exception", r"vm execution error", r"invalid opcode")
_RANGE: Final = _wordings(
    r"more than \d+ (results|logs)",
    r"(query|request|response|result|log)s?( \w+)? (size )?(is |are )?(too (large|big|many)|exceed)",
    r"range (is |was )?(too (large|big|wide)|limit|exceed)",
    r"block range",
    r"max(imum)? (block )?range",
    r"limited to (a )?\d",
    r"exceeds? (the )?(max|limit|range|allowed)",
    r"too many (blocks|logs|results)",
)
_RATE: Final = _wordings(
    r"rate limit", r"too many requests", r"request(s)? (rate|count) exceeded", r"compute units", r"capacity", r"throttl"
)
_STATE: Final = _wordings(
    r"missing trie node",
    r"header not found",
    r"state .*(not available|unavailable|pruned|not found|missing)",
    r"historical (state|data|balance).*",
    r"pruned",
    r"archive",
    r"distance to target block exceeds",
    r"proof window",
    r"no state available",
)
_MOVED: Final = _wordings(
    r"not (currently )?canonical",
    r"unknown block",
    r"resource not found",
    r"header for hash not found",
    r"block .*(not found|could not be found)",
)
_UNSUPPORTED: Final = _wordings(
    r"method .*(not found|not supported|does not exist|not available|unavailable|not allowed|not whitelisted)",
    r"(unsupported|unknown) method",
    r"too many arguments",
    r"not implemented",
)


def failure_error(
    failure: RpcFailure,
    *,
    node_id: str = "",
    secrets: Sequence[str] = (),
    kind_of: Callable[[RpcFailure], type[ReadError]] | None = None,
) -> ReadError:
    """The error that a node's own error stands for, with the node's message made fit to show.

    `kind_of` decides what it means on chains whose nodes are not of the Ethereum family.
    """
    text = f"answered with error {failure.code}: {node_text(failure.message, secrets)}"
    kind = (kind_of or _kind)(failure)
    if issubclass(kind, NodeRefused):
        return kind(text, node_id=node_id, rpc_code=failure.code)
    return kind(text, node_id=node_id)


def _kind(failure: RpcFailure) -> type[ReadError]:
    message = failure.message[:CLASSIFIED_CHARACTERS_MAX]
    if failure.code == 3 or _REVERTED.search(message):
        return NodeRefused
    if failure.code == -32601:
        return UnsupportedByNode
    if failure.code == 429:
        return NodeUnavailable
    for pattern, kind in _KINDS:
        if pattern.search(message):
            return kind
    if failure.code == -32004:  # EIP-1474: method not supported
        return UnsupportedByNode
    return NodeRefused


_KINDS: Final[tuple[tuple[re.Pattern[str], type[ReadError]], ...]] = (
    (_MOVED, ChainMoved),
    (_STATE, StateUnavailable),
    (_UNSUPPORTED, UnsupportedByNode),
    (_RATE, NodeUnavailable),
    (_RANGE, RangeTooLarge),
)
