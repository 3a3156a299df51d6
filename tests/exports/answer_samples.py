"""Kept answers of the sample firm's nodes, made by hand for each way of reading: what a node would have sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from chains.evm.addresses import address_bytes, checksum_address, token_of
from chains.evm.owners import METHOD as OWNER_METHOD
from chains.evm.owners import owner_calls
from chains.evm.strategies import STRATEGIES
from chains.evm.strategy import Chunk
from chains.jsonrpc import RpcCall
from chains.kept_answers import KeptExchange
from chains.types import Address, AssetId, BlockRef, account_location
from exports.answer_records import NodeAnswerRecord
from exports.bundle import Bundle
from exports.records import AssetRecord, Status
from tests.exports.sample import (
    BLOCK_HASH,
    BLOCK_TIME,
    CHAIN,
    ETH,
    OMNIBUS,
    PARENT_HASH,
    POOLED_A,
    POOLED_B,
    SEGREGATED,
    SWEEP_ID,
    USD,
    allocation,
    balance,
    reconciliation,
    sample_bundle,
    with_liabilities,
)

BLOCK = BlockRef(CHAIN, 100, BLOCK_HASH, PARENT_HASH, BLOCK_TIME)
WALLETS = (OMNIBUS, SEGREGATED, POOLED_A, POOLED_B)
ITEM = AssetId(f"{CHAIN}/erc721:{checksum_address(bytes([0xC7]) * 20)}/7")
WAYS = (*STRATEGIES, OWNER_METHOD)
"""Every way of reading."""
Values = dict[tuple[Address, AssetId], int | None]


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def hexed(data: bytes) -> str:
    return f"0x{data.hex()}"


def exchange(first_id: int, calls: Sequence[RpcCall], results: Sequence[object], *, batch: bool) -> KeptExchange:
    """What a node says to these calls; an `Exception` as its error."""
    answers: list[dict[str, object]] = [
        {"jsonrpc": "2.0", "id": first_id + place}
        | ({"error": {"code": 3, "message": str(result)}} if isinstance(result, Exception) else {"result": result})
        for place, result in enumerate(results)
    ]
    body = json.dumps(answers[::-1] if batch else answers[0]).encode()
    return KeptExchange(tuple(calls), first_id, batch, body)


def balances_of(bundle: Bundle) -> Values:
    return {(each.address, each.asset_id): each.base_units for each in bundle.balances}


def _single(units: int | None, call: RpcCall) -> object:
    if call.method == "eth_getBalance":
        return hex(units or 0)
    return hexed(word(units)) if units is not None else hexed(bytes(64))


def _scanned(values: Values, asset_ids: Sequence[AssetId]) -> bytes:
    parts = [word(each) for each in (31337, 100, int(BLOCK_TIME.timestamp()), int(PARENT_HASH, 16), 9, 4, len(WALLETS))]
    for address in WALLETS:
        for place, asset_id in enumerate(asset_ids):
            units = values[address, asset_id]
            good = 0x11 if place == 0 else 1
            parts += [bytes([0xE1 if units is None else good]), word(units or 0)]
    return b"".join(parts)


def _aggregated(values: Values, asset_ids: Sequence[AssetId]) -> bytes:
    echoes = [word(31337), word(100), word(int(BLOCK_TIME.timestamp())), bytes.fromhex(PARENT_HASH[2:])]
    units = [values[address, asset_id] for asset_id in asset_ids for address in WALLETS]
    returned = echoes + [bytes(64) if each is None else word(each) for each in units]
    offset, offsets, tuples = 32 * len(returned), b"", b""
    for each in returned:
        made = word(1) + word(64) + word(len(each)) + each
        offsets, tuples, offset = offsets + word(offset), tuples + made, offset + len(made)
    return word(32) + word(len(returned)) + offsets + tuples


def record(
    method: str, exchanges: Sequence[KeptExchange], asset_ids: Sequence[AssetId] = (ETH, USD)
) -> NodeAnswerRecord:
    """That these exchanges decide the balances of all wallets."""
    digests = tuple(each.digest for each in exchanges)
    return NodeAnswerRecord(SWEEP_ID, CHAIN, "node-a", method, WALLETS, tuple(asset_ids), len(WALLETS), digests, "")


def answered(method: str, values: Values) -> list[KeptExchange]:
    """What the sample firm's node sent, read in this way."""
    chunk = Chunk(BLOCK, tuple(map(address_bytes, WALLETS)), (bytes([0xC0]) * 20,), native=True)
    calls = STRATEGIES[method].requests(chunk)
    if method == "batch":
        units = [values[address, asset_id] for asset_id in (ETH, USD) for address in WALLETS]
        results = [_single(each, call) for each, call in zip(units, calls, strict=True)]
        return [exchange(1, calls[:5], results[:5], batch=True), exchange(6, calls[5:], results[5:], batch=True)]
    output = _aggregated(values, (ETH, USD)) if method == "multicall3" else _scanned(values, (ETH, USD))
    return [exchange(7, calls, [hexed(output)], batch=False)]


def with_answers(
    method: str = "batch",
    change: Callable[[Values], object] = lambda values: None,
    also: Callable[[list[KeptExchange]], list[KeptExchange]] = lambda made: made,
) -> Bundle:
    """The sample with its node's answers; `change` makes the node say something else, `also` changes what is kept."""
    if method == OWNER_METHOD:
        return with_owner(change)
    bundle = sample_bundle()
    values = balances_of(bundle)
    change(values)
    exchanges = also(answered(method, values))
    return replace(
        bundle,
        balances=tuple(replace(each, method=method) for each in bundle.balances),
        node_answers=(record(method, exchanges),),
        answers={each.digest: each.to_bytes() for each in exchanges},
    )


def with_item(bundle: Bundle) -> Bundle:
    """The bundle with a token that has one owner, in one client's wallet."""
    place = account_location(CHAIN, SEGREGATED)
    asset = AssetRecord(ITEM, "ITEM", 0, "non_security_crypto", date(2025, 1, 2), "memo-3", 0)
    (sweep,) = bundle.sweeps
    return with_liabilities(
        replace(
            bundle,
            assets=(*bundle.assets, asset),
            balances=(*bundle.balances, replace(balance(SEGREGATED, ITEM, 1), method=OWNER_METHOD)),
            allocations=(*bundle.allocations, allocation("client-3", place, ITEM, 1)),
            reconciliations=(*bundle.reconciliations, reconciliation(place, ITEM, 1, 1, Status.MATCHED)),
            sweeps=(replace(sweep, expected=7, matched=5),),
        )
    )


def with_owner(change: Callable[[Values], object] = lambda values: None) -> Bundle:
    """The sample with all its answers, and those about the owner of a token."""
    bundle = with_item(with_answers())
    values: Values = {(SEGREGATED, ITEM): 1}
    change(values)
    token = token_of(ITEM)
    assert token is not None
    owner = SEGREGATED if values[SEGREGATED, ITEM] else OMNIBUS
    results = [hexed(word(int(owner, 16))), "0x6001"]
    made = exchange(40, owner_calls(token, BLOCK), results, batch=True)
    about = replace(record(OWNER_METHOD, [made], (ITEM,)), addresses=(SEGREGATED,), decided=1)
    return replace(
        bundle, node_answers=(*bundle.node_answers, about), answers={**bundle.answers, made.digest: made.to_bytes()}
    )
