"""What a node was asked and what it answered, byte for byte, kept so that others can decode it again. No I/O.

One exchange is one HTTP request with JSON-RPC calls and the body that came back. Written out it is one line of JSON
(the calls with their parameters, and the id of the first) and behind it the body as it came; the SHA-256 of that names
it.
Nothing of the node's URL, headers or operator is in it. A kept answer is still only what a node said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol, cast

import orjson

from chains.errors import MalformedAnswer
from chains.jsonrpc import RpcCall, RpcFailure, decode_batch, decode_call
from chains.types import Address, AssetId

if TYPE_CHECKING:
    from chains.reader import ChainReader

FORMAT: Final = "custody-node-answer/1"
EXCHANGE_BYTES_MAX: Final = 96 * 1024 * 1024
"""Largest exchange that is read: the largest answer that is accepted, and what was asked."""


def call_key(call: RpcCall) -> bytes:
    """What makes two calls the same."""
    return orjson.dumps([call.method, call.params], option=orjson.OPT_SORT_KEYS)


@dataclass(frozen=True)
class KeptExchange:
    """One HTTP request and its answer."""

    calls: tuple[RpcCall, ...]
    first_id: int
    """Request id of the first call; the others follow it."""
    is_batch: bool
    body: bytes

    def to_bytes(self) -> bytes:
        """The exchange as it is kept."""
        head = {
            "batch": self.is_batch,
            "calls": [{"method": call.method, "params": call.params} for call in self.calls],
            "first_id": self.first_id,
            "format": FORMAT,
        }
        return orjson.dumps(head, option=orjson.OPT_SORT_KEYS) + b"\n" + self.body

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what is kept, in lower-case hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @staticmethod
    def parse(data: bytes) -> KeptExchange:
        """The exchange of its bytes. Raises `MalformedAnswer` for anything that `to_bytes` would not write."""
        line, found, body = data.partition(b"\n")
        try:
            head = orjson.loads(line)
            calls = tuple(RpcCall(each["method"], tuple(each["params"])) for each in head["calls"])
            kept = KeptExchange(calls, head["first_id"], head["batch"], body)
            written = kept.to_bytes()
        except (ValueError, LookupError, TypeError) as error:
            raise MalformedAnswer("this is no kept answer") from error
        if not found or written != data or type(kept.first_id) is not int or type(kept.is_batch) is not bool:
            raise MalformedAnswer("this is no kept answer in its one form")
        if not calls or (len(calls) > 1 and not kept.is_batch):
            raise MalformedAnswer("a kept answer is of one call, or of a batch")
        return kept

    def outcomes(self) -> list[object]:
        """The result or `RpcFailure` of each call. Raises `MalformedAnswer`, as when the node answered."""
        if not self.is_batch:
            return [decode_call(self.body, self.first_id)]
        outcomes = decode_batch(self.body, self.first_id, len(self.calls))
        return [outcomes] * len(self.calls) if isinstance(outcomes, RpcFailure) else outcomes


@dataclass(frozen=True, slots=True)
class KeptRead:
    """Some balances that one way of reading asked for together, and the exchanges that answered."""

    node_id: str
    method: str
    """Name of the strategy."""
    addresses: tuple[Address, ...]
    """Whose balances were asked for, in order."""
    asset_ids: tuple[AssetId, ...]
    """Of which assets, in order; the native coin first."""
    decided: int
    """How many of the addresses, from the first, were answered."""
    exchanges: tuple[KeptExchange, ...]
    """In the order in which they were made; of one call's answers the last counts. Empty when they were not kept."""
    reason: str
    """Why they were not kept; empty when they were."""


class AnswerKeeper(Protocol):
    """What keeps a transport's exchanges."""

    def start_keeping(self) -> None:
        """Keep every exchange from now on."""

    def take_kept(self) -> Sequence[KeptExchange | None]:
        """The exchanges since, None in the place of one that must not be kept; and keep no more."""


def take_answers(reader: ChainReader) -> tuple[KeptRead, ...]:
    """What a reader kept of its last read of balances; nothing from readers that keep no answers."""
    take = getattr(reader, "take_answers", None)
    return cast("tuple[KeptRead, ...]", take()) if take is not None else ()


NOT_TO_BE_KEPT: Final = "the answer quotes a URL or a secret of the node's configuration"
"""Why an answer is not kept."""


def may_be_kept(exchange: KeptExchange, secrets: Sequence[str]) -> bool:
    """Whether neither what was asked nor the answer holds a URL or a secret: whoever reads it could use it."""
    text = exchange.to_bytes()
    return b"://" not in text and not any(secret.encode() in text for secret in secrets if secret)
