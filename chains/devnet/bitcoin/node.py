"""A running regtest node and what only a test network lets one do: mine, reorganise, set the clock.

It speaks JSON-RPC and REST alone, so it is the same for the front of this package and for a real `bitcoind -regtest`.
"""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Sequence
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from chains.bitcoin.networks import COIN, REGTEST
from chains.bitcoin.script import script_of_address
from chains.devnet.bitcoin.mining import MEDIAN_BLOCKS, build_block, subsidy
from chains.devnet.bitcoin.wire import Block, Transaction, TxOutput, block_of, display, from_display, transaction_of
from chains.errors import ChainConfigError, MalformedAnswer, NodeRefused, NodeUnavailable

NODE_ID: Final = "bitcoin-regtest"
TIMEOUT_SECONDS: Final = 120.0
MESSAGE_CHARACTERS_MAX: Final = 200
BLOCK_SECONDS: Final = 600
STANDSTILL_SECONDS: Final = 24 * 60 * 60
NOBODY_SCRIPT: Final = bytes.fromhex("0014") + bytes(20)
"""Paid by coinbases that nobody asked for; it has no known key."""


class NotRegtest(ChainConfigError):
    """The node is on another chain than regtest."""

    code = "not-regtest"
    advice = "Give the URL of a local bitcoind -regtest; nothing but a question for its chain was sent to this one."


class RegtestNode:
    """Talks to one regtest node. Refuses any other chain when it is made, before it can change anything.

    `url` has the user and password of JSON-RPC in it; REST is asked at the same place without. Every method raises
    `NodeUnavailable`, `MalformedAnswer` or `NodeRefused`.
    """

    def __init__(
        self, url: str, *, kind: str = "node", timeout_seconds: float = TIMEOUT_SECONDS, extra: bytes = b""
    ) -> None:
        """`extra` goes into the coinbases that are mined; without it blocks differ each time that they are made."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or not parts.port:
            raise ChainConfigError("the URL of a regtest node is http://USER:PASSWORD@HOST:PORT")
        self.url = url
        """For JSON-RPC, with user and password."""
        self.rest_url = f"http://{parts.hostname}:{parts.port}"
        """For REST, which asks for no password."""
        self.kind = kind
        """`kernel` or `bitcoind`."""
        self._address = (parts.hostname, parts.port)
        user = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        self._authorization = "Basic " + base64.b64encode(user.encode()).decode()
        self._timeout_seconds = timeout_seconds
        self._time: int | None = None
        self._mined = 0
        # Two nodes that mine the same height for the same script must not find the same block.
        self._extra = extra or os.urandom(6)
        self._last_id = 0
        if (chain := self.rpc("getblockchaininfo")["chain"]) != REGTEST.name:
            raise NotRegtest(f"the node is on the chain {chain!r}")

    def __repr__(self) -> str:
        return f"<RegtestNode {self.kind}>"

    # Asking

    def rpc(self, method: str, *params: object) -> Any:
        """The result of one JSON-RPC call, tried once; fractions come as `Decimal`."""
        (result,) = self.rpc_many(method, [params])
        return result

    def rpc_many(self, method: str, calls: Sequence[Sequence[object]]) -> list[Any]:
        """The results of several calls of one method, sent together, in their order; the first error is raised."""
        first = self._last_id + 1
        self._last_id += len(calls)
        asked = [
            {"jsonrpc": "2.0", "id": first + place, "method": method, "params": list(params)}
            for place, params in enumerate(calls)
        ]
        headers = {"Content-Type": "application/json", "Authorization": self._authorization}
        status, payload = self._exchange("POST", "/", json.dumps(asked).encode(), headers)
        if status != 200:
            raise NodeUnavailable(f"HTTP status {status} to {method}", node_id=NODE_ID)
        try:
            answers = json.loads(payload, parse_float=Decimal)
        except ValueError:
            raise MalformedAnswer(f"the answer to {method} is not JSON", node_id=NODE_ID) from None
        if not isinstance(answers, list) or [each.get("id") for each in answers] != [each["id"] for each in asked]:
            raise MalformedAnswer(f"the answers to {method} are not the ones to these calls", node_id=NODE_ID)
        for answer in answers:
            if error := answer.get("error"):  # releases before 28 write `null` where there is none
                message = str(error.get("message", ""))[:MESSAGE_CHARACTERS_MAX]
                raise NodeRefused(f"{method}: {message!r}", node_id=NODE_ID, rpc_code=error.get("code"))
        return [answer.get("result") for answer in answers]

    def rest(self, path: str) -> bytes:
        """The body of a REST answer; `path` begins with `/rest/`."""
        status, payload = self._exchange("GET", path, None, {})
        if status != 200:
            raise NodeRefused(f"{path}: {payload[:MESSAGE_CHARACTERS_MAX].decode('latin-1')!r}", node_id=NODE_ID)
        return payload

    # The chain

    @property
    def height(self) -> int:
        """Height of the tip."""
        return int(self.rpc("getblockcount"))

    @property
    def tip(self) -> str:
        """Hash of the tip."""
        return str(self.rpc("getbestblockhash"))

    def block_hash(self, height: int) -> str:
        """Hash of the active block at a height."""
        return str(self.rpc("getblockhash", height))

    def block(self, block_hash: str) -> Block:
        """A block, on whichever branch."""
        return block_of(bytes.fromhex(self.rpc("getblock", block_hash, 0)))

    def balance(self, address: str) -> int:
        """Satoshis at the tip that an address holds; what waits does not count, what matures does."""
        found = self.rpc("scantxoutset", "start", [f"addr({address})"])
        return satoshis(found["total_amount"])

    # Time

    def set_time(self, unix_seconds: int | None) -> None:
        """Choose what the node takes for now; None gives it the machine's clock again.

        A block more than two hours ahead of the machine's clock is refused by the consensus library all the same.
        """
        self.rpc("setmocktime", unix_seconds or 0)
        self._time = unix_seconds

    def now(self) -> int:
        """Unix seconds of the node's clock."""
        return int(time.time()) if self._time is None else self._time

    # Mining

    def mine(
        self, blocks: int = 1, to: str | None = None, *, transactions: Sequence[Transaction | str] | None = None
    ) -> list[str]:
        """Mine on the tip and return the new hashes, oldest first.

        Coinbases pay the address `to`. The first block takes all waiting transactions, or exactly `transactions`
        (ids of waiting ones, or transactions that nobody sent); their fees go to the miner in the first case.
        """
        pool: list[Transaction] = []
        fees = 0
        if transactions is None:
            pool, fees = self._waiting()
        else:
            pool = [self.transaction(each) if isinstance(each, str) else each for each in transactions]
        return self._mine_on(self.tip, blocks, to, pool, fees)

    def mine_history(self, blocks: int, to: str | None = None) -> list[str]:
        """Mine blocks ten minutes apart, the last of them now: a past that a fresh chain can have.

        The first coinbase pays `to`: after 100 more blocks it can be spent.
        """
        start = self.now() - BLOCK_SECONDS * (blocks - 1)
        return self._mine_on(self.tip, blocks, to, [], 0, first_time=start, paid_blocks=1)

    def mine_on(
        self, block_hash: str, blocks: int = 1, to: str | None = None, transactions: Sequence[Transaction] = ()
    ) -> list[str]:
        """Mine a branch on any block and return its hashes; the node takes it once it has more work."""
        return self._mine_on(block_hash, blocks, to, list(transactions), 0)

    def reorg(
        self, depth: int, blocks: int | None = None, to: str | None = None, transactions: Sequence[Transaction] = ()
    ) -> list[str]:
        """Replace the newest `depth` blocks by `blocks` others (one more, if not said) and return their hashes.

        The first of them holds `transactions`; those of the replaced blocks wait again.
        """
        length = depth + 1 if blocks is None else blocks
        if depth < 1 or length <= depth:
            raise ValueError("a branch replaces at least one block, and by more than it replaces")
        fork = self.block_hash(self.height - depth)
        hashes = self.mine_on(fork, length, to, transactions)
        if self.tip != hashes[-1]:
            raise NodeRefused("the node did not take the new branch", node_id=NODE_ID)
        return hashes

    def submit(self, block: Block) -> str | None:
        """Hand in a block; what `submitblock` answers: None for a new tip."""
        verdict: str | None = self.rpc("submitblock", block.raw.hex())
        return verdict

    def copy_blocks_to(self, other: RegtestNode) -> None:
        """Give another node the active chain, as if the two had met."""
        missing = []
        block_hash = self.tip
        while not other.knows(block_hash):
            block = self.block(block_hash)
            missing.append(block)
            block_hash = display(block.header.previous)
        other.rpc_many("submitblock", [[block.raw.hex()] for block in reversed(missing)])

    def knows(self, block_hash: str) -> bool:
        """Whether the node has such a block, on whichever branch."""
        try:
            self.rpc("getblockheader", block_hash)
        except NodeRefused:
            return False
        return True

    # Transactions

    def send(self, transaction: Transaction) -> str:
        """Hand in a transaction and return its id; it waits for a block."""
        return str(self.rpc("sendrawtransaction", transaction.raw.hex()))

    def transaction(self, txid: str) -> Transaction:
        """A transaction that waits or is in a block."""
        return transaction_of(bytes.fromhex(self.rpc("getrawtransaction", txid, 0)))

    def waiting(self) -> list[str]:
        """Ids of the transactions that wait for a block."""
        return [str(txid) for txid in self.rpc("getrawmempool")]

    def _waiting(self) -> tuple[list[Transaction], int]:
        """Waiting transactions, parents first, and their fees."""
        entries = dict(self.rpc("getrawmempool", True))
        ordered: list[str] = []
        while len(ordered) < len(entries):
            ordered += [
                txid
                for txid, entry in entries.items()
                if txid not in ordered and all(parent in ordered for parent in entry["depends"])
            ]
        fees = sum(satoshis(entry["fees"]["base"]) for entry in entries.values())
        return [self.transaction(txid) for txid in ordered], fees

    def _mine_on(
        self,
        parent: str,
        blocks: int,
        to: str | None,
        transactions: Sequence[Transaction],
        fees: int,
        first_time: int | None = None,
        paid_blocks: int | None = None,
    ) -> list[str]:
        script = NOBODY_SCRIPT if to is None else script_of_address(REGTEST, to)
        header = self.rpc("getblockheader", parent)
        height, previous = int(header["height"]), from_display(parent)
        times = self._times_before(header)
        mined = []
        for place in range(blocks):
            height += 1
            when = self._next_time(times) if first_time is None else first_time + place * BLOCK_SECONDS
            self._mined += 1
            extra = self._extra + self._mined.to_bytes(4, "little")
            paid = script if paid_blocks is None or place < paid_blocks else NOBODY_SCRIPT
            reward = TxOutput(subsidy(height) + (0 if place else fees), paid)
            mined.append(build_block(previous, height, when, [reward], () if place else transactions, extra=extra))
            times.append(when)
            previous = mined[-1].hash
        for verdict in self.rpc_many("submitblock", [[block.raw.hex()] for block in mined]):
            if verdict not in (None, "inconclusive"):
                raise NodeRefused(f"the node refused a mined block: {verdict}", node_id=NODE_ID)
        return [block.hash_text for block in mined]

    def _next_time(self, times: Sequence[int]) -> int:
        """Ten minutes after the last block, but not in the future; now, where the chain has stood still for a day."""
        now = self.now()
        wanted = now if now - times[-1] > STANDSTILL_SECONDS else min(now, times[-1] + BLOCK_SECONDS)
        recent = sorted(times[-MEDIAN_BLOCKS:])
        return max(recent[len(recent) // 2] + 1, wanted)

    def _times_before(self, header: dict[str, Any]) -> list[int]:
        """Times of a block and its ten ancestors, the oldest first."""
        times = [int(header["time"])]
        while len(times) < MEDIAN_BLOCKS and "previousblockhash" in header:
            header = self.rpc("getblockheader", header["previousblockhash"])
            times.append(int(header["time"]))
        return times[::-1]

    def _exchange(self, method: str, target: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = HTTPConnection(*self._address, timeout=self._timeout_seconds)
        try:
            connection.request(method, target, body, {**headers, "Connection": "close"})
            with connection.getresponse() as response:
                return response.status, response.read()
        except (OSError, HTTPException) as error:
            raise NodeUnavailable(f"no answer: {type(error).__name__}", node_id=NODE_ID) from None
        finally:
            connection.close()


def satoshis(bitcoins: Decimal | int) -> int:
    """The satoshis of an amount in an answer; raise `MalformedAnswer` where it has a fraction of one."""
    exact = Decimal(bitcoins) * COIN
    if exact != int(exact):
        raise MalformedAnswer(f"the amount {bitcoins} is no whole number of satoshis", node_id=NODE_ID)
    return int(exact)
