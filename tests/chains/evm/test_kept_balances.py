"""Kept answers say the same balances again, and nothing else; what quotes a URL or a secret is not kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chains.devnet.anvil import AnvilNode
from chains.devnet.deploy import MULTICALL3_ADDRESS, place
from chains.devnet.lying_proxy import LyingProxy
from chains.devnet.pytest_plugin import DeployContract, DeployErc20
from chains.errors import InvalidValue, MalformedAnswer, ReadError
from chains.evm import scan_strategies
from chains.evm.kept_balances import Replayed, replay
from chains.evm.scanner import TOKENS_PER_PROGRAM_MAX
from chains.evm.strategies import STRATEGIES
from chains.jsonrpc import RpcCall
from chains.kept_answers import NOT_TO_BE_KEPT, KeptExchange, KeptRead, may_be_kept
from chains.reader import Pin
from chains.types import Address, Asset, AssetId, Holding
from tests.chains.evm.conftest import EvmChain

ALL = tuple(STRATEGIES)
Lying = Callable[..., LyingProxy]
EXCHANGE = KeptExchange(
    (RpcCall("eth_getBalance", ("0x00", "latest")),), 7, False, b'{"jsonrpc":"2.0","id":7,"result":"0x1"}'
)


def again(pin: Pin, kept: KeptRead) -> Replayed:
    """Decoded from the very bytes that are kept."""
    exchanges = [KeptExchange.parse(exchange.to_bytes()) for exchange in kept.exchanges]
    return replay(pin.block, kept.method, kept.addresses, kept.asset_ids, exchanges)


@pytest.mark.devnet
@pytest.mark.parametrize("strategy", ALL)
def test_what_is_kept_gives_every_balance_again(
    chain: EvmChain, anvil: AnvilNode, deploy_erc20: DeployErc20, deploy_contract: DeployContract,
    holders: list[Address], strategy: str,
) -> None:  # fmt: skip
    place(anvil, "Multicall3", MULTICALL3_ADDRESS)
    token, odd = deploy_erc20("USDX", 6), deploy_contract("OddBalance", 1, 7)
    token.transact("mint", holders[0], 10**6)
    assets = [chain.native, chain.token(token, 6), chain.token(odd)]
    holdings = [Holding(holder, asset) for holder in holders for asset in assets]
    reader = chain.reader(strategy=strategy, keep_answers=True, limits=replace(chain.config.limits, batch_size_max=7))
    pin = chain.pin(reader)
    observations = reader.read_balances(pin, holdings)
    kept = reader.take_answers()
    assert reader.take_answers() == ()
    values: dict[tuple[Address, AssetId], Any] = {}
    for each in kept:
        assert (each.node_id, each.method, each.reason) == ("node-1", strategy, "")
        assert not values.keys() & again(pin, each).values.keys()
        values |= again(pin, each).values
    assert len(values) == len(holdings)
    for seen in observations:
        value = values[seen.holding.address, seen.holding.asset.asset_id]
        assert (value if isinstance(value, int) else None) == seen.base_units
    assert [seen.base_units for seen in observations[:2]] == [anvil.balance(holders[0]), 10**6]


@pytest.mark.devnet
def test_nothing_is_kept_where_it_is_not_asked_for(chain: EvmChain, holders: list[Address]) -> None:
    reader = chain.reader()
    reader.read_balances(chain.pin(reader), [Holding(holders[0], chain.native)])
    assert reader.take_answers() == ()


@pytest.mark.devnet
def test_chunks_and_programs_that_were_too_large_keep_what_was_used(
    chain: EvmChain,
    lying_node: Lying,
    deploy_erc20: DeployErc20,
    holders: list[Address],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def too_long(asked: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if asked != "eth_call" or len(params[0]["data"]) <= 2 + 40 * 3:
            return answer
        return {"jsonrpc": "2.0", "id": answer["id"], "error": {"code": -32000, "message": "out of gas"}}

    monkeypatch.setattr(scan_strategies.StateOverride, "holders_first", lambda self, tokens: 8)
    tokens = [chain.token(deploy_erc20("USDX", 6))]
    tokens += [
        Asset(AssetId(f"{chain.config.chain_id}/erc1155:{tokens[0].asset_id[-42:]}/{number}"), "NFT", 0)
        for number in range(TOKENS_PER_PROGRAM_MAX)
    ]
    reader = chain.reader(lying_node(too_long).url, strategy="state-override", keep_answers=True)
    pin = chain.pin(reader)
    people = holders[:8]
    reader.read_balances(pin, [Holding(holder, asset) for holder in people for asset in tokens])
    kept = reader.take_answers()
    decided = [pair for each in kept for pair in again(pin, each).values]
    assert len(decided) == len(set(decided)) == len(people) * len(tokens)
    assert {each.decided for each in kept} == {2}


@pytest.mark.devnet
def test_owners_of_tokens_are_said_again(
    chain: EvmChain, deploy_contract: DeployContract, holders: list[Address]
) -> None:
    collection = deploy_contract("Erc721")
    collection.transact("mint", holders[1], 5)
    assets = [
        Asset(AssetId(f"{chain.config.chain_id}/erc721:{collection.address}/{number}"), "NFT", 0) for number in (5, 6)
    ]
    reader = chain.reader(keep_answers=True)
    pin = chain.pin(reader)
    seen = reader.read_balances(pin, [Holding(holder, asset) for asset in assets for holder in holders[:2]])
    assert [each.base_units for each in seen] == [0, 1, 0, 0]
    first, second = reader.take_answers()
    assert list(again(pin, first).values.values()) == [0, 1]
    assert list(again(pin, second).values.values()) == [0, 0]
    assert first.exchanges == second.exchanges
    with pytest.raises(InvalidValue, match="asked for the owner"):
        replay(pin.block, "batch", first.addresses, first.asset_ids, first.exchanges)


@pytest.mark.devnet
@pytest.mark.parametrize("strategy", ALL)
def test_an_answer_to_another_question_decides_nothing(
    chain: EvmChain, anvil: AnvilNode, deploy_erc20: DeployErc20, holders: list[Address], strategy: str
) -> None:
    place(anvil, "Multicall3", MULTICALL3_ADDRESS)
    token = chain.token(deploy_erc20("USDX", 6))
    reader = chain.reader(strategy=strategy, keep_answers=True)
    pin = chain.pin(reader)
    reader.read_balances(pin, [Holding(holder, asset) for holder in holders[:2] for asset in (chain.native, token)])
    (kept,) = reader.take_answers()
    truth = again(pin, kept).values
    assert len(truth) == 4
    anvil.mine(1)
    others = {
        "another address": replace(kept, addresses=tuple(holders[2:4])),
        "another order": replace(kept, addresses=kept.addresses[::-1]),
        "another asset": replace(
            kept, asset_ids=(kept.asset_ids[0], AssetId(kept.asset_ids[1].replace("erc20", "erc1155") + "/3"))
        ),
        "another way": replace(kept, method="batch" if strategy != "batch" else "multicall3"),
    }
    cases = [(pin, other) for other in others.values()] + [(chain.pin(chain.reader()), kept)]
    for block, case in cases:
        try:
            values = again(block, case).values
        except ReadError:
            continue
        said = {pair: value for pair, value in values.items() if isinstance(value, int)}
        assert block is pin or not said, "decided at a block that was not asked for"
        assert said.items() <= truth.items()


def test_an_exchange_has_one_form() -> None:
    data = EXCHANGE.to_bytes()
    assert KeptExchange.parse(data) == EXCHANGE
    assert EXCHANGE.outcomes() == ["0x1"]
    head, _, body = data.partition(b"\n")
    for wrong in (b"", body, head, head + b" \n" + body, head.replace(b'"batch"', b'"batches"') + b"\n" + body,
                  head.replace(b'"first_id":7', b'"first_id":7.0') + b"\n" + body,
                  head.replace(b'"first_id":7', b'"first_id":true') + b"\n" + body,
                  head.replace(b"answer/1", b"answer/2") + b"\n" + body):  # fmt: skip
        with pytest.raises(MalformedAnswer):
            KeptExchange.parse(wrong)
    with pytest.raises(MalformedAnswer, match="batch"):
        KeptExchange.parse(replace(EXCHANGE, calls=EXCHANGE.calls * 2).to_bytes())
    with pytest.raises(MalformedAnswer, match="id"):
        replace(EXCHANGE, first_id=8).outcomes()


@pytest.mark.fault("E16")
@pytest.mark.parametrize(
    ("body", "secrets", "kept"),
    [
        (EXCHANGE.body, ("geheim-key-123",), True),
        (b'{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"see https://node.example/k"}}', (), False),
        (b'{"jsonrpc":"2.0","id":7,"result":"geheim-key-123"}', ("geheim-key-123",), False),
    ],
)
def test_what_quotes_a_url_or_a_secret_is_not_kept(body: bytes, secrets: tuple[str, ...], kept: bool) -> None:
    assert may_be_kept(replace(EXCHANGE, body=body), secrets) is kept


@pytest.mark.devnet
def test_a_node_that_quotes_a_url_has_its_balance_read_and_its_answer_not_kept(
    chain: EvmChain, lying_node: Lying, holders: list[Address]
) -> None:
    def talkative(asked: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        return answer | {"docs": "https://node.example/key"} if asked == "eth_getBalance" else answer

    reader = chain.reader(lying_node(talkative).url, strategy="batch", keep_answers=True)
    (seen,) = reader.read_balances(chain.pin(reader), [Holding(holders[0], chain.native)])
    (kept,) = reader.take_answers()
    assert seen.base_units is not None
    assert (kept.exchanges, kept.reason, kept.decided) == ((), NOT_TO_BE_KEPT, 1)
