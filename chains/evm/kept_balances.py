"""Balances decoded again from kept answers, by the same strategies that asked for them. Pure: no node is asked.

The requests are built anew from whose balances of what were asked for, and must be those that were kept. So an answer
to another question, at another block or about another address, decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chains.errors import InvalidValue, MalformedAnswer, NodeRefused
from chains.evm.addresses import TokenStandard, address_bytes, token_of
from chains.evm.owners import METHOD as OWNER_METHOD
from chains.evm.owners import owner_calls, owner_of
from chains.evm.strategies import STRATEGIES
from chains.evm.strategy import Chunk, ReadFailure, Value
from chains.jsonrpc import RpcCall, RpcFailure
from chains.kept_answers import KeptExchange, call_key
from chains.rpc_failures import failure_error
from chains.types import Address, AssetId, BlockRef


@dataclass(frozen=True, slots=True)
class Replayed:
    """What kept answers say."""

    decided: int
    """How many of the addresses, from the first, they answer."""
    values: Mapping[tuple[Address, AssetId], Value]
    asked: frozenset[bytes]
    """The calls that ask for these balances (`call_key`)."""


def replay(
    block: BlockRef,
    method: str,
    addresses: Sequence[Address],
    asset_ids: Sequence[AssetId],
    exchanges: Iterable[KeptExchange],
) -> Replayed:
    """The balances that the exchanges answer. Raises `InvalidValue` or a `ReadError` where they answer none."""
    outcomes: dict[bytes, object] = {}
    for exchange in exchanges:
        for call, outcome in zip(exchange.calls, exchange.outcomes(), strict=True):
            outcomes[call_key(call)] = _result(outcome)
    if method == OWNER_METHOD:
        return _replay_owner(block, addresses, asset_ids, outcomes)
    if method not in STRATEGIES:
        raise InvalidValue(f"there is no way of reading that is called {method[:40]!r}")
    strategy, chunk = STRATEGIES[method], _chunk(block, addresses, asset_ids)
    requests = strategy.requests(chunk)
    result = strategy.decode(chunk, [_answer(outcomes, request) for request in requests])
    columns = [result.native] if chunk.native else []
    columns += result.tokens
    if len(columns) != len(asset_ids) or any(len(column) != result.done for column in columns):
        raise MalformedAnswer("the answers have another number of balances than were asked for")
    values = {
        (address, asset_id): value
        for asset_id, column in zip(asset_ids, columns, strict=True)
        for address, value in zip(addresses[: result.done], column, strict=True)
    }
    return Replayed(result.done, values, frozenset(map(call_key, requests)))


def _chunk(block: BlockRef, addresses: Sequence[Address], asset_ids: Sequence[AssetId]) -> Chunk:
    tokens = [token_of(asset_id) for asset_id in asset_ids]
    if not addresses or not asset_ids or None in tokens[1:]:
        raise InvalidValue("nothing is asked for, or the native coin does not come first")
    if any(token is not None and token.standard is TokenStandard.ERC721 for token in tokens):
        raise InvalidValue("tokens that have one owner are asked for the owner")
    packed = tuple(
        token.contract + (token.number.to_bytes(32, "big") if token.number is not None else b"")
        for token in tokens
        if token is not None
    )
    return Chunk(block, tuple(map(address_bytes, addresses)), packed, tokens[0] is None)


def _replay_owner(
    block: BlockRef, addresses: Sequence[Address], asset_ids: Sequence[AssetId], outcomes: Mapping[bytes, object]
) -> Replayed:
    token = token_of(asset_ids[0]) if len(asset_ids) == 1 else None
    if token is None or token.number is None:
        raise InvalidValue("an owner is asked for of one token with a number")
    calls = owner_calls(token, block)
    owner = owner_of(*(_answer(outcomes, call) for call in calls))
    values: dict[tuple[Address, AssetId], Value] = {
        (address, asset_ids[0]): owner if isinstance(owner, ReadFailure) else int(owner == address_bytes(address))
        for address in addresses
    }
    return Replayed(len(addresses), values, frozenset(map(call_key, calls)))


def _result(outcome: object) -> object:
    return failure_error(outcome, node_id="") if isinstance(outcome, RpcFailure) else outcome


def _answer(outcomes: Mapping[bytes, object], call: RpcCall) -> object:
    """What was answered; a call without a kept answer failed."""
    return outcomes.get(call_key(call), NodeRefused("no answer to this call was kept"))
