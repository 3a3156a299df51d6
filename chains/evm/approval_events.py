"""Whom the wallets ever approved, by the events of tokens and of Permit2.

An event only says where to look: the allowance itself is read at the pin. So a wrong event does no harm, and the
danger is one left out; a node that lags and answers with silence is noticed, because the same batch must show that
it has the pinned block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chains.errors import ChainMoved, MalformedAnswer, NodeUnavailable, RangeTooLarge, ReadError
from chains.evm.abi import address_word, hex_text
from chains.evm.addresses import checksum_address
from chains.evm.balances import Transport
from chains.evm.encumbrance_types import Candidates, PairKey
from chains.evm.keccak import keccak256
from chains.evm.quantity import data, encode_quantity, hash32, quantity
from chains.evm.token_logs import ADDRESSES_PER_QUERY, BLOCKS_FIRST, BLOCKS_MAX, TIMEOUT_HALVINGS_MAX
from chains.jsonrpc import RpcCall
from chains.reader import Progress
from chains.types import Asset, AssetId, BlockRef

_ZEROS: Final = bytes(12)


def _topic(signature: str) -> bytes:
    return keccak256(signature.encode("ascii"))


@dataclass(frozen=True, slots=True)
class _Query:
    """One eth_getLogs filter but for its blocks: some events of some contracts about some owners."""

    contracts: tuple[bytes, ...]
    events: frozenset[bytes]
    owners: frozenset[bytes]
    """As topic words."""

    def parameters(self, first: int, last: int) -> dict[str, object]:
        return {
            "address": [hex_text(contract) for contract in self.contracts],
            "topics": [[hex_text(event) for event in sorted(self.events)], [hex_text(o) for o in sorted(self.owners)]],
            "fromBlock": encode_quantity(first),
            "toBlock": encode_quantity(last),
        }


class ApprovalEvents:
    """Collects the candidates of one reading."""

    def __init__(
        self,
        transport: Transport,
        pin: BlockRef,
        owners: Sequence[bytes],
        tokens: Mapping[bytes, Asset],
        permit2: bytes,
        collections: Mapping[bytes, Sequence[Asset]],
    ) -> None:
        """`collections` has the tokens of each collection that are assets; `tokens` the ERC-20 tokens."""
        self._transport = transport
        self._pin = pin
        self._tokens = tokens
        self._collections = collections
        self._permit2 = permit2
        self._approval = _topic("Approval(address,address,uint256)")
        self._for_all = _topic("ApprovalForAll(address,address,bool)")
        self._lockdown = _topic("Lockdown(address,address,address)")
        self._permit2_events = frozenset(
            {
                _topic("Approval(address,address,address,uint160,uint48)"),
                _topic("Permit(address,address,address,uint160,uint48,uint48)"),
                self._lockdown,
            }
        )
        self._queries = list(self._all_queries([address_word(owner) for owner in sorted(owners)]))
        self._allowances: set[PairKey] = set()
        self._permit2_pairs: set[PairKey] = set()
        self._odd: dict[tuple[str, int], AssetId] = {}

    def read(
        self, first_height: int, last_height: int, progress: Progress | None = None
    ) -> tuple[Candidates, dict[AssetId, int]]:
        """All candidates of the range, and per token how many approvals name no spender that can be read.

        `progress` counts blocks. Raises `RangeTooLarge` when even one block is too much, `ChainMoved` when the node
        does not have the pin, any other `ReadError`: there is no partial answer.
        """
        width, growing, timeouts = BLOCKS_FIRST, True, 0
        height = first_height
        while self._queries and height <= last_height:
            end = min(height + width - 1, last_height)
            try:
                for query in self._queries:
                    self._read_query(query, height, end)
            except (RangeTooLarge, NodeUnavailable) as error:
                timeouts += isinstance(error, NodeUnavailable)
                if end == height or timeouts > TIMEOUT_HALVINGS_MAX:
                    raise
                width, growing = max(1, (end - height + 1) // 2), False
                continue
            if progress is not None:
                progress(end - height + 1)
            height = end + 1
            width = min(BLOCKS_MAX, width * 2) if growing else width
        candidates = Candidates(frozenset(self._allowances), frozenset(self._permit2_pairs))
        return candidates, dict(Counter(self._odd.values()))

    def _all_queries(self, owners: Sequence[bytes]) -> Iterator[_Query]:
        contracts, collections = tuple(sorted(self._tokens)), tuple(sorted(self._collections))
        for place in range(0, len(owners), ADDRESSES_PER_QUERY):
            some = frozenset(owners[place : place + ADDRESSES_PER_QUERY])
            for first in range(0, len(contracts), ADDRESSES_PER_QUERY):
                yield _Query(contracts[first : first + ADDRESSES_PER_QUERY], frozenset({self._approval}), some)
            for first in range(0, len(collections), ADDRESSES_PER_QUERY):
                yield _Query(collections[first : first + ADDRESSES_PER_QUERY], frozenset({self._for_all}), some)
            if contracts:
                yield _Query((self._permit2,), self._permit2_events, some)

    def _read_query(self, query: _Query, first: int, last: int) -> None:
        # One batch, so that the server that gives the logs is the one that shows it has the pin and all before it.
        canonical, logs = self._transport.batch(
            [
                RpcCall("eth_getBlockByNumber", (encode_quantity(self._pin.height), False)),
                RpcCall("eth_getLogs", (query.parameters(first, last),)),
            ]
        )
        for answer in (canonical, logs):
            if isinstance(answer, ReadError):
                raise answer
        if not isinstance(canonical, Mapping) or hash32(canonical.get("hash")) != self._pin.block_hash:
            raise ChainMoved(f"the node that was asked for approvals does not have {self._pin}")
        if not isinstance(logs, list):
            raise MalformedAnswer("eth_getLogs did not answer with a list")
        for log in logs:
            self._add(query, log, first, last)

    def _add(self, query: _Query, log: object, first: int, last: int) -> None:
        if not isinstance(log, Mapping) or not isinstance(log.get("topics"), list):
            raise MalformedAnswer("a log is not a JSON object with topics")
        if log.get("removed") is True:
            return
        contract = data(log.get("address"), length=20)
        words = [data(topic, length=32) for topic in log["topics"]]
        if (
            contract not in query.contracts
            or len(words) < 2
            or words[0] not in query.events
            or words[1] not in query.owners
            or not first <= quantity(log.get("blockNumber")) <= last
        ):
            raise MalformedAnswer("a log does not fit the filter it was asked with")
        content = data(log.get("data"))
        if contract == self._permit2 and words[0] in self._permit2_events:
            self._add_permit2(words, content)
            return
        approved = self._collections[contract] if words[0] == self._for_all else [self._tokens[contract]]
        if len(words) == 3 and words[2][:12] == _ZEROS:
            owner, spender = checksum_address(words[1][12:]), checksum_address(words[2][12:])
            self._allowances.update((owner, asset.asset_id, spender) for asset in approved)
        else:
            self._odd[hash32(log.get("blockHash")), quantity(log.get("logIndex"))] = approved[0].asset_id

    def _add_permit2(self, words: Sequence[bytes], content: bytes) -> None:
        """Approval and Permit have three indexed addresses; Lockdown has the owner alone, the rest in its data."""
        if words[0] == self._lockdown:
            words = [*words, content[:32], content[32:64]]
        if len(words) != 4 or any(len(word) != 32 or word[:12] != _ZEROS for word in words[2:]):
            raise MalformedAnswer("an event of Permit2 has another form than Permit2's")
        asset = self._tokens.get(words[2][12:])
        if asset is not None:  # of a token the firm does not hold, nothing can be taken
            owner, spender = checksum_address(words[1][12:]), checksum_address(words[3][12:])
            self._permit2_pairs.add((owner, asset.asset_id, spender))
