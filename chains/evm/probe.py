"""What one node can really do, found by asking for exactly what will be needed, at the depth it will be needed.

A version string or a cheap method proves nothing: nodes name methods they refuse at older blocks, and proxies in
front of them cut options. So each capability is tried with the very method, options and block of its later use, and
answers are compared with a second way of asking where there is one. The result is a table of words, so that it can be
kept beside the node and asked for again only now and then; a stale entry costs one failed request, never a figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from chains.errors import ChainMoved, InvalidValue, MalformedAnswer, NodeUnavailable, ReadError, UnsupportedByNode
from chains.evm import abi
from chains.evm.balances import Transport, send
from chains.evm.multicall3 import MULTICALL3_ADDRESS
from chains.evm.quantity import quantity
from chains.evm.strategies import STRATEGIES
from chains.evm.strategy import Chunk, pinned
from chains.types import BlockRef, require_utc, utc_text

EIP1898: Final = "eip1898"
GET_PROOF: Final = "get-proof"
FINALIZED_TAG: Final = "finalized-tag"
SAFE_TAG: Final = "safe-tag"
LOGS_BY_HASH: Final = "logs-by-hash"
BLOCK_RECEIPTS: Final = "block-receipts"
CALL_TRACER: Final = "call-tracer"
PRESTATE_TRACER: Final = "prestate-tracer"
TRACE_BLOCK: Final = "trace-block"

PROBED: Final = (
    EIP1898,
    *STRATEGIES,
    GET_PROOF,
    FINALIZED_TAG,
    SAFE_TAG,
    LOGS_BY_HASH,
    BLOCK_RECEIPTS,
    CALL_TRACER,
    PRESTATE_TRACER,
    TRACE_BLOCK,
)
"""Everything that is probed."""

_FORMAT_VERSION: Final = "1"
_YES: Final = "yes"
_NO: Final = "no: "
_PROBE_HOLDERS: Final = (bytes(20), MULTICALL3_ADDRESS)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a node was found to offer, and for what it does not offer, what it said."""

    client_version: str
    probed_at: datetime
    """Time of the block it was probed at."""
    height: int
    """The block it was probed at: state may be kept for newer blocks only."""
    supported: frozenset[str]
    missing: Mapping[str, str] = field(default_factory=dict)
    """Name of each capability that is not there, and why it is thought so."""

    def __post_init__(self) -> None:
        require_utc(self.probed_at, "probed_at")

    def has(self, name: str) -> bool:
        """Whether the node offers it."""
        return name in self.supported

    @property
    def strategies(self) -> tuple[str, ...]:
        """The ways of reading balances that work there, fastest first."""
        return tuple(name for name in STRATEGIES if name in self.supported)

    def to_words(self) -> dict[str, str]:
        """Name and finding of everything, in words: to show and to keep."""
        return {
            "version": _FORMAT_VERSION,
            "client": self.client_version,
            "probed-at": utc_text(self.probed_at),
            "height": str(self.height),
            **dict.fromkeys(sorted(self.supported), _YES),
            **{name: f"{_NO}{why}" for name, why in sorted(self.missing.items())},
        }

    @staticmethod
    def from_words(kept: Mapping[str, str]) -> Capabilities:
        """What `to_words` gave. Raises `InvalidValue` for anything else: the caller probes anew."""
        if kept.get("version") != _FORMAT_VERSION:
            raise InvalidValue("these are not kept capabilities of this version")
        findings = {name: kept[name] for name in PROBED if name in kept}
        try:
            probed_at, height = datetime.fromisoformat(kept["probed-at"]), int(kept["height"])
        except (KeyError, ValueError):
            raise InvalidValue("the kept capabilities do not say when and where they were found") from None
        return Capabilities(
            client_version=kept.get("client", ""),
            probed_at=require_utc(probed_at, "probed-at"),
            height=height,
            supported=frozenset(name for name, finding in findings.items() if finding == _YES),
            missing={name: finding.removeprefix(_NO) for name, finding in findings.items() if finding != _YES},
        )


def client_version(transport: Transport) -> str:
    """What the node calls itself, shortened and printable; empty when it does not say. Never relied upon."""
    try:
        answer = transport.call("web3_clientVersion")
    except NodeUnavailable:
        raise
    except ReadError:
        return ""
    return "".join(c if c.isprintable() else "?" for c in answer[:100]) if isinstance(answer, str) else ""


def probe(transport: Transport, block: BlockRef) -> Capabilities:
    """Try everything at the block. Raises `NodeUnavailable` and `ChainMoved`: then nothing was learnt."""
    checks: dict[str, Callable[[], None]] = {EIP1898: lambda: _probe_eip1898(transport, block)}
    for name in STRATEGIES:
        checks[name] = lambda name=name: _probe_strategy(transport, block, name)  # type: ignore[misc]
    hash_text, number_text = block.block_hash, hex(block.height)
    for name, expected, method, params in (
        (GET_PROOF, dict, "eth_getProof", (abi.hex_text(bytes(20)), [], pinned(block))),
        (FINALIZED_TAG, dict, "eth_getBlockByNumber", ("finalized", False)),
        (SAFE_TAG, dict, "eth_getBlockByNumber", ("safe", False)),
        (LOGS_BY_HASH, list, "eth_getLogs", ({"blockHash": hash_text},)),
        (BLOCK_RECEIPTS, list, "eth_getBlockReceipts", (hash_text,)),
        (CALL_TRACER, list, "debug_traceBlockByHash", (hash_text, {"tracer": "callTracer"})),
        (
            PRESTATE_TRACER,
            list,
            "debug_traceBlockByHash",
            (hash_text, {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}),
        ),
        (TRACE_BLOCK, list, "trace_block", (number_text,)),
    ):
        checks[name] = lambda e=expected, m=method, p=params: _expect(transport, e, m, p)  # type: ignore[misc]
    supported: set[str] = set()
    missing: dict[str, str] = {}
    for name, check in checks.items():
        try:
            check()
        except NodeUnavailable:
            raise
        except ChainMoved:
            if name == EIP1898:
                raise
            missing[name] = "the node does not find the block this way"
        except ReadError as error:
            missing[name] = f"{error.code}: {error}"
        else:
            supported.add(name)
    return Capabilities(client_version(transport), block.timestamp, block.height, frozenset(supported), missing)


def _expect(transport: Transport, expected: type, method: str, params: tuple[object, ...]) -> None:
    if not isinstance(transport.call(method, *params), expected):
        raise UnsupportedByNode(f"{method} gave another kind of answer than it should")


def _probe_eip1898(transport: Transport, block: BlockRef) -> None:
    account = abi.hex_text(bytes(20))
    quantity(transport.call("eth_getBalance", account, pinned(block)))
    nowhere = {"blockHash": "0x" + "00" * 31 + "01", "requireCanonical": True}
    try:
        transport.call("eth_getBalance", account, nowhere)
    except NodeUnavailable:
        raise
    except ReadError:
        return
    raise UnsupportedByNode("the node answers for a block hash that does not exist: it ignores the hash")


def _probe_strategy(transport: Transport, block: BlockRef, name: str) -> None:
    strategy = STRATEGIES[name]
    chunk = Chunk(block, _PROBE_HOLDERS, (), native=True)
    result = strategy.decode(chunk, send(transport, strategy.requests(chunk)))
    if result.done != len(_PROBE_HOLDERS):
        raise UnsupportedByNode("the gas the node allows does not suffice")
    for holder, value in zip(_PROBE_HOLDERS, result.native, strict=True):
        if value != quantity(transport.call("eth_getBalance", abi.hex_text(holder), pinned(block))):
            raise MalformedAnswer(f"{name} and eth_getBalance disagree")
