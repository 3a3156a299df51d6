"""What can go wrong when a chain is read.

    ChainError                       every error of this package; has a stable `code` and an `advice`
    ├── InvalidValue                 a value breaks its own rule (also a ValueError)
    ├── ChainConfigError             the configuration of a chain or node cannot work
    ├── UnknownChain                 no installed adapter reads this chain
    └── ReadError                    a read gave no usable answer
        ├── NodeUnavailable          no answer in time: refused, timed out, overloaded
        ├── MalformedAnswer          an answer that breaks the protocol; nothing of it is used
        ├── NodeRefused              the node answered with an error of its own
        │   ├── StateUnavailable     the node no longer has the state of that block
        │   ├── UnsupportedByNode    the node does not know the method or option
        │   └── RangeTooLarge        the node wants a smaller request
        ├── WrongChain               the node is on another chain than configured
        ├── StaleHead                the node's head is too old, in the future, or went back
        ├── ChainMoved               the pinned block is no longer canonical on the node
        ├── FinalityReversed         a block that was final is no longer canonical
        ├── QuorumNotReached         too few operators gave one answer
        └── ProofFailed              a hash or proof does not match what it should prove

No text of these errors carries a URL, a credential, or more than 200 characters of what a node sent.
"""

from __future__ import annotations


class ChainError(Exception):
    """Base of all errors of this package."""

    code = "chain-error"
    """Stable name of the kind of error, for programs."""
    advice = "Look at the log for the cause."
    """One sentence on what a person can do."""


class InvalidValue(ChainError, ValueError):
    """A value breaks its own rule."""

    code = "invalid-value"
    advice = "Correct the value and try again."


class ChainConfigError(ChainError):
    """The configuration of a chain or node cannot work."""

    code = "chain-config"
    advice = "Correct the chain's section in custody.toml."


class UnknownChain(ChainError):
    """No installed adapter reads this chain."""

    code = "unknown-chain"
    advice = "Install or register an adapter for this CAIP-2 namespace, or correct the chain id."


class ReadError(ChainError):
    """A read gave no usable answer; what was asked for is unverified, never zero."""

    code = "read-failed"
    advice = "The next sweep tries again; if it persists, look at the node."

    fault = ""
    """What failed below the protocol, for programs: see `chains.transport`; empty where nothing did."""

    def __init__(self, message: str, *, node_id: str = "") -> None:
        super().__init__(f"node {node_id}: {message}" if node_id else message)
        self.node_id = node_id
        """The configured name of the node; never its URL."""

    def name_node(self, node_id: str) -> None:
        """Say which node it is about, unless that is said already."""
        if node_id and not self.node_id:
            self.node_id, self.args = node_id, (f"node {node_id}: {self}",)


class NodeUnavailable(ReadError):
    """No answer in time: refused, timed out, overloaded, or the retry budget is spent."""

    code = "node-unavailable"
    advice = "Check that the node runs and is reachable; another operator can be configured beside it."


class MalformedAnswer(ReadError):
    """An answer that breaks JSON, JSON-RPC or the method's own specification; nothing of it is used."""

    code = "malformed-answer"
    advice = "The node or something in front of it answers wrongly; use another node and report it."


class NodeRefused(ReadError):
    """The node answered with an error of its own."""

    code = "node-refused"
    advice = "Read the node's message; the request may need another node or a smaller size."

    def __init__(self, message: str, *, node_id: str = "", rpc_code: int | None = None) -> None:
        super().__init__(message, node_id=node_id)
        self.rpc_code = rpc_code
        """JSON-RPC error code of the answer, where there was one."""


class StateUnavailable(NodeRefused):
    """The node no longer has the state of that block."""

    code = "state-unavailable"
    advice = "Ask an archive node, or sweep nearer to the head."


class UnsupportedByNode(NodeRefused):
    """The node does not know the method or option."""

    code = "unsupported-by-node"
    advice = "Use a node that offers the method; the capability probe lists what each node has."


class RangeTooLarge(NodeRefused):
    """The node wants a smaller request."""

    code = "range-too-large"
    advice = "The reader halves the range by itself; a single block that fails needs another node."


class WrongChain(ReadError):
    """The node is on another chain than configured; nothing it says is recorded as a balance."""

    code = "wrong-chain"
    advice = "Point the node's URL at the configured chain, or correct chain id and genesis hash."


class StaleHead(ReadError):
    """The node's head is too old, in the future, or went back."""

    code = "stale-head"
    advice = "The node lags or syncs; wait, or use another node."


class ChainMoved(ReadError):
    """The pinned block is no longer canonical on the node; pin again."""

    code = "chain-moved"
    advice = "A reorganisation happened; the sweep pins a new block by itself, a few times."


class FinalityReversed(ReadError):
    """A block that was final is no longer canonical: an incident."""

    code = "finality-reversed"
    advice = "Sweeping this chain stops until a person has looked and resumed it."


class ProofFailed(ReadError):
    """A hash or proof does not match what it should prove."""

    code = "proof-failed"
    advice = "Do not trust this node; compare with another operator."


class QuorumNotReached(ReadError):
    """Too few operators gave one and the same answer; the text says which node said what."""

    code = "no-quorum"
    advice = "Compare the nodes named with a further operator's; nothing is recorded as agreed until a quorum is."
