"""What is asked of a Bitcoin Core node, call by call, and decoded to the letter.

Blocks and their undo data come from the REST interface as the bytes they are; headers, the tip and the node's own
state from JSON-RPC. REST has no authentication, so a node may have it off: then `getblock` gives the same block in hex
digits, and the spent outputs as JSON with decimals, at twenty times the cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from chains.bitcoin.answers import ChainInfo, ChainTip, Coin, CoinScan, CoinSetDigest, IndexState
from chains.bitcoin.decoding import block_hash, members, raw_bytes, rows, satoshis, text, truth, whole_number
from chains.bitcoin.transaction import Output, id_text, outpoint_parts
from chains.errors import (
    ChainMoved,
    MalformedAnswer,
    NodeRefused,
    ReadError,
    StateUnavailable,
    UnsupportedByNode,
)
from chains.jsonrpc import RpcCall
from chains.transport import HttpAnswer

HEADER_BYTES: Final = 80
SCRIPTS_PER_SCAN: Final = 60_000
"""Most scripts in one `scantxoutset`: far below Core's limit of 32 MiB for a request's body."""
OUTPOINTS_PER_CALL: Final = 10_000
"""Most coins in one `gettxspendingprevout`."""
NOT_FOUND: Final = -5
"""Core's error for a transaction that it does not know."""


class Transport(Protocol):
    """What is asked of a node; see `chains.transport.JsonRpcTransport`."""

    def call(self, method: str, *params: object) -> object:
        """The decoded result of one call; raises `ReadError`."""

    def batch(self, calls: Sequence[RpcCall]) -> list[object]:
        """The outcome of each call, in order: a result or a `ReadError` value."""

    def get(self, path: str) -> HttpAnswer:
        """The bytes of one resource below the node's URL, with the HTTP status."""


class CoreNode:
    """One node. Raises `chains.errors.ReadError`; nothing is kept between calls."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def version(self) -> str:
        """How the node's software names itself, for example `/Satoshi:30.0.0/`."""
        return text(members(self._transport.call("getnetworkinfo")).get("subversion"), "subversion")

    def chain_info(self) -> ChainInfo:
        """The node's chain, tip and state of download."""
        answer = members(self._transport.call("getblockchaininfo"))
        pruned = truth(answer.get("pruned"), "pruned")
        return ChainInfo(
            chain=text(answer.get("chain"), "chain"),
            height=whole_number(answer.get("blocks"), "blocks"),
            best_hash=block_hash(answer.get("bestblockhash")),
            is_downloading=truth(answer.get("initialblockdownload"), "initialblockdownload"),
            prune_height=whole_number(answer.get("pruneheight"), "pruneheight") if pruned else None,
        )

    def is_validated(self) -> bool:
        """Whether the node itself checked all blocks up to its tip, and stands on no snapshot that it took on trust.

        Raises `UnsupportedByNode` before Core 26, which cannot load a snapshot in a release.
        """
        states = rows(members(self._transport.call("getchainstates")).get("chainstates"))
        if not states:
            raise MalformedAnswer("no chain state was answered")
        validated = [truth(state.get("validated"), "validated") for state in states]
        return all(validated)

    def indexes(self) -> list[IndexState]:
        """The node's optional indexes; `synced` is as of some moment, not of the tip (it stays true in a rewind)."""
        answer = members(self._transport.call("getindexinfo"))
        return [
            IndexState(
                name,
                truth(members(state).get("synced"), "synced"),
                whole_number(members(state).get("best_block_height"), "best_block_height"),
            )
            for name, state in answer.items()
        ]

    def tips(self) -> list[ChainTip]:
        """The ends of all branches; the active one is told by its status, not by its place."""
        return [
            ChainTip(
                whole_number(row.get("height"), "height"),
                block_hash(row.get("hash")),
                text(row.get("status"), "status"),
            )
            for row in rows(self._transport.call("getchaintips"))
        ]

    def best_hash(self) -> str:
        """Hash of the newest block of the active chain."""
        return block_hash(self._transport.call("getbestblockhash"))

    def hash_at(self, height: int) -> str:
        """Hash of the active chain's block at a height; `StaleHead` when there is none."""
        return self.hashes_at([height])[0]

    def hashes_at(self, heights: Sequence[int]) -> list[str]:
        """Hashes of the active chain's blocks; they belong to one branch only if their headers chain."""
        return [block_hash(answer) for answer in self._batch("getblockhash", [(height,) for height in heights])]

    def header(self, header_hash: str) -> bytes:
        """The 80 bytes of a header that the node knows; `ChainMoved` when it does not know it."""
        return self.headers([header_hash])[0]

    def headers(self, hashes: Sequence[str]) -> list[bytes]:
        """The 80 bytes of each header."""
        found = [raw_bytes(answer) for answer in self._batch("getblockheader", [(name, False) for name in hashes])]
        if any(len(header) != HEADER_BYTES for header in found):
            raise MalformedAnswer("a header has not 80 bytes")
        return found

    def height_of(self, header_hash: str) -> tuple[int, bool]:
        """The height of a block that the node knows, and whether the block is on its active chain."""
        answer = members(self._transport.call("getblockheader", header_hash, True))
        if block_hash(answer.get("hash")) != header_hash:
            raise MalformedAnswer("asked for a block by hash, the node gave another")
        confirmations = answer.get("confirmations")
        if type(confirmations) is not int or confirmations < -1:
            raise MalformedAnswer("confirmations is not a whole number")
        return whole_number(answer.get("height"), "height"), confirmations > 0

    def block(self, name: str) -> bytes:
        """A whole block by REST; `UnsupportedByNode` when REST is off, `ChainMoved` when the block is not known."""
        return self._rest(f"rest/block/{name}.bin")

    def spent_outputs(self, name: str) -> bytes:
        """The outputs that a block's inputs spend, by REST (Core 30 and later); see `block`.

        `StateUnavailable` when the block never was on the active chain, or is pruned.
        """
        return self._rest(f"rest/spenttxouts/{name}.bin")

    def block_by_rpc(self, name: str) -> bytes:
        """The same whole block by JSON-RPC, at ten times the cost."""
        return raw_bytes(self._transport.call("getblock", name, 0))

    def spent_outputs_by_rpc(self, name: str) -> list[list[Output]]:
        """The outputs that the inputs of each transaction spend, in their order; none for the coinbase.

        By `getblock` with verbosity 3 (Core 23 and later). A block that never was on the active chain is answered
        without them; that is `StateUnavailable` and never an empty list.
        """
        answer = members(self._transport.call("getblock", name, 3))
        if block_hash(answer.get("hash")) != name:
            raise MalformedAnswer("asked for a block by hash, the node gave another")
        found: list[list[Output]] = []
        for transaction in rows(answer.get("tx")):
            inputs = rows(transaction.get("vin"))
            is_coinbase = not found
            if is_coinbase != (len(inputs) == 1 and "coinbase" in inputs[0]):
                raise MalformedAnswer("the first transaction of a block and no other is its coinbase")
            if not is_coinbase and any("prevout" not in one for one in inputs):
                raise StateUnavailable("the node has no record of what this block spends")
            found.append([] if is_coinbase else [_spent(members(one["prevout"])) for one in inputs])
        if not found:
            raise MalformedAnswer("a block without transactions was answered")
        return found

    def scan_coins(self, scripts: Sequence[bytes]) -> CoinScan:
        """The unspent outputs of some scripts in the node's set, as of whatever block was its tip.

        One scan runs at a time on a node: another one is `NodeUnavailable`. Raises `ChainMoved` when the tip
        changed between the parts of a long list.
        """
        found: list[CoinScan] = []
        for first in range(0, len(scripts), SCRIPTS_PER_SCAN):
            part = scripts[first : first + SCRIPTS_PER_SCAN]
            answer = members(self._transport.call("scantxoutset", "start", [f"raw({script.hex()})" for script in part]))
            found.append(_scanned(answer, frozenset(part)))
        if not found:
            raise ValueError("no script to scan for")
        if len({scan.block_hash for scan in found}) != 1:
            raise ChainMoved("a block came while the unspent outputs were scanned")
        return CoinScan(found[0].block_hash, found[0].height, tuple(coin for scan in found for coin in scan.coins))

    def coin_set_digest(self, name: str | None = None) -> CoinSetDigest:
        """The digest (MuHash) of all unspent outputs after a block, the tip by default.

        A block by name needs `-coinstatsindex`: `UnsupportedByNode` without it.
        """
        at = () if name is None else (name,)
        answer = members(self._transport.call("gettxoutsetinfo", "muhash", *at))
        found = block_hash(answer.get("bestblock"))
        if name is not None and found != name:
            raise MalformedAnswer("asked for the digest of a block, the node gave another's")
        return CoinSetDigest(
            block_hash=found,
            height=whole_number(answer.get("height"), "height"),
            muhash=block_hash(answer.get("muhash")),
            coins=whole_number(answer.get("txouts"), "txouts"),
            total=satoshis(answer.get("total_amount")),
        )

    def pool_size(self) -> int:
        """How many transactions wait in the node's pool."""
        return whole_number(members(self._transport.call("getmempoolinfo")).get("size"), "size")

    def pool_ids(self) -> list[str]:
        """Ids of all transactions that wait in the node's pool."""
        answer = self._transport.call("getrawmempool")
        if not isinstance(answer, list):
            raise MalformedAnswer("the pool is not a list")
        return [block_hash(tx_id) for tx_id in answer]

    def spenders(self, outpoints: Sequence[bytes]) -> list[str | None]:
        """For each coin the id of the waiting transaction that spends it (Core 24 and later); None where none does."""
        found: list[str | None] = []
        for first in range(0, len(outpoints), OUTPOINTS_PER_CALL):
            part = [outpoint_parts(name) for name in outpoints[first : first + OUTPOINTS_PER_CALL]]
            asked = [{"txid": id_text(txid), "vout": number} for txid, number in part]
            answers = rows(self._transport.call("gettxspendingprevout", asked))
            if [(answer.get("txid"), answer.get("vout")) for answer in answers] != [
                (one["txid"], one["vout"]) for one in asked
            ]:
                raise MalformedAnswer("the answers about spent coins are not the ones to these coins")
            found += [block_hash(answer["spendingtxid"]) if "spendingtxid" in answer else None for answer in answers]
        return found

    def waiting_transactions(self, tx_ids: Sequence[str]) -> list[bytes | None]:
        """The bytes of each waiting transaction; None for one that waits no longer."""
        calls = [RpcCall("getrawtransaction", (tx_id, 0)) for tx_id in tx_ids]
        outcomes = self._transport.batch(calls) if calls else []
        found: list[bytes | None] = []
        for outcome in outcomes:
            if isinstance(outcome, NodeRefused) and outcome.rpc_code == NOT_FOUND:
                found.append(None)
            elif isinstance(outcome, ReadError):
                raise outcome
            else:
                found.append(raw_bytes(outcome))
        return found

    def _batch(self, method: str, params: Sequence[tuple[object, ...]]) -> list[object]:
        outcomes = self._transport.batch([RpcCall(method, one) for one in params])
        for outcome in outcomes:
            if isinstance(outcome, ReadError):
                raise outcome
        return outcomes

    def _rest(self, path: str) -> bytes:
        answer = self._transport.get(path)
        if answer.status == 200:
            return answer.body
        said = answer.body[:200].decode("ascii", "replace").strip()
        if answer.status == 404 and not said:
            raise UnsupportedByNode(f"the node does not serve {path.rpartition('/')[0]}: REST is off or too old")
        if answer.status == 404 and ("undo" in said or "pruned" in said):
            raise StateUnavailable("the node has not, or no longer, what this block spends")
        if answer.status == 404 and said.endswith("not found"):
            raise ChainMoved("the node does not know the block")
        raise NodeRefused(f"answered HTTP {answer.status} to {path.rpartition('/')[0]}")


def _spent(answer: object) -> Output:
    output = members(answer)
    return Output(satoshis(output.get("value")), raw_bytes(members(output.get("scriptPubKey")).get("hex")))


def _scanned(answer: object, asked: frozenset[bytes]) -> CoinScan:
    scan = members(answer)
    if scan.get("success") is not True:
        raise MalformedAnswer("a scan of the unspent outputs was not finished")
    coins = tuple(
        Coin(
            tx_id=block_hash(row.get("txid")),
            output=whole_number(row.get("vout"), "vout"),
            script=raw_bytes(row.get("scriptPubKey")),
            value=satoshis(row.get("amount")),
            height=whole_number(row.get("height"), "height"),
            # Core names it from version 25 on.
            is_coinbase=truth(row.get("coinbase", False), "coinbase"),
        )
        for row in rows(scan.get("unspents"))
    )
    if not {coin.script for coin in coins} <= asked:
        raise MalformedAnswer("a scan gave an output of a script that was not asked for")
    if len({(coin.tx_id, coin.output) for coin in coins}) != len(coins):
        raise MalformedAnswer("a scan gave an output twice")
    if sum(coin.value for coin in coins) != satoshis(scan.get("total_amount")):
        raise MalformedAnswer("a scan's total is not the sum of its outputs")
    return CoinScan(block_hash(scan.get("bestblock")), whole_number(scan.get("height"), "height"), coins)
