"""What Bitcoin Core's own errors mean, and how it speaks JSON-RPC. No I/O.

Codes are those of Core's `rpc/protocol.h`. One code stands for unlike errors, so the wording decides where it must.
"""

from __future__ import annotations

import re
from typing import Final

from chains.errors import ChainMoved, NodeRefused, NodeUnavailable, ReadError, StaleHead, StateUnavailable
from chains.errors import UnsupportedByNode as Unsupported
from chains.jsonrpc import Dialect, RpcFailure
from chains.rpc_failures import CLASSIFIED_CHARACTERS_MAX

_METHOD_NOT_FOUND: Final = -32601
_IN_WARMUP: Final = -28
_IN_INITIAL_DOWNLOAD: Final = -10

_WORDINGS: Final[tuple[tuple[re.Pattern[str], type[ReadError]], ...]] = (
    (
        re.compile(r"^Scan already in progress|still syncing|in process of being rolled back", re.IGNORECASE),
        NodeUnavailable,
    ),
    (re.compile(r"pruned|pruning|undo data|unable to read utxo set", re.IGNORECASE), StateUnavailable),
    (re.compile(r"^Block height out of range", re.IGNORECASE), StaleHead),
    (re.compile(r"^Block not found|not in (main )?chain|not found in chain", re.IGNORECASE), ChainMoved),
    (re.compile(r"requires coinstatsindex|index is not enabled|is not enabled", re.IGNORECASE), Unsupported),
    (re.compile(r"rate limit|too many requests", re.IGNORECASE), NodeUnavailable),
)


def failure_kind(failure: RpcFailure) -> type[ReadError]:
    """The kind of error that Core's answer stands for; one that is not known is the node's refusal."""
    if failure.code == _METHOD_NOT_FOUND:
        return Unsupported
    if failure.code in (_IN_WARMUP, _IN_INITIAL_DOWNLOAD, 429):
        return NodeUnavailable
    message = failure.message[:CLASSIFIED_CHARACTERS_MAX]
    return next((kind for pattern, kind in _WORDINGS if pattern.search(message)), NodeRefused)


BITCOIN_CORE: Final = Dialect(
    has_decimals=True, has_legacy_answers=True, has_errors_as_http_500=True, failure_kind=failure_kind
)
"""Core 28 and later speak JSON-RPC 2.0 when asked; earlier ones answer in the form of 1.0, errors as HTTP 500."""
