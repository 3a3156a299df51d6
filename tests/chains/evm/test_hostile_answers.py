"""Whatever stands at any place of any answer, a reader raises a `ReadError` or has an answer, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from typing import Any, Final

import pytest

from chains.devnet.anvil import AnvilNode
from chains.devnet.pytest_plugin import DeployContract, DeployErc20
from chains.errors import NodeUnavailable, ReadError
from chains.evm.encumbrance_types import EncumbranceSettings
from chains.evm.reader import EvmReader
from chains.jsonrpc import RpcCall
from chains.reader import NodeConfig
from chains.transport import JsonRpcTransport
from chains.types import Address, Asset, AssetId, Holding
from tests.chains.evm.conftest import LIMITS, EvmChain

pytestmark = pytest.mark.devnet

VALUES: Final[tuple[object, ...]] = (None, [], {}, [[]], "", "0x", "0x0", "0x" + "f" * 64, "0x" + "f" * 65, 7, True)
PLACES_EACH: Final = 30
"""Places tried in one answer, evenly spread: whole blocks have many of one kind."""
VALUES_EACH: Final = 3
"""Values tried at a place; other ones at the next."""

Step = str | int
Work = Callable[[EvmReader], object]


@dataclass
class Replay:
    """A node's answers as they were once, one of them changed; what was never asked is not answered."""

    answers: dict[str, object] = field(default_factory=dict)
    real: JsonRpcTransport | None = None

    def call(self, method: str, *params: object) -> object:
        (outcome,) = self.batch([RpcCall(method, params)])
        if isinstance(outcome, ReadError):
            raise outcome
        return outcome

    def batch(self, calls: Sequence[RpcCall]) -> list[object]:
        keys = [json.dumps([call.method, call.params]) for call in calls]
        if self.real is not None:
            self.answers.update(zip(keys, self.real.batch(calls), strict=True))
        return [self.answers.get(key, NodeUnavailable("never asked")) for key in keys]


def places(value: object, before: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """The way to every value of an answer, itself first."""
    yield before
    inside: list[tuple[Step, object]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    for step, each in inside:
        yield from places(each, (*before, step))


def changed(value: object, way: tuple[Step, ...], to: object) -> object:
    if not way:
        return to
    copy: Any = json.loads(json.dumps(value))
    place = copy
    for step in way[:-1]:
        place = place[step]
    place[way[-1]] = to
    return copy


def lies(answers: dict[str, object]) -> Iterator[dict[str, object]]:
    for key, answer in answers.items():
        if isinstance(answer, ReadError):
            continue
        ways = list(places(answer))
        values = cycle(VALUES)
        for way in ways[:: max(1, len(ways) // PLACES_EACH)]:
            for value in islice(values, len(VALUES) if len(ways) == 1 else VALUES_EACH):
                yield {**answers, key: changed(answer, way, value)}


@dataclass
class Story:
    """A chain on which a little of everything happened."""

    chain: EvmChain
    wallets: list[Address]
    assets: list[Asset]

    def works(self) -> dict[str, tuple[Work, dict[str, object]]]:
        """What readers do, with what of the configuration is different."""
        pin = self.chain.pin(self.chain.reader())
        now, last = self.chain.now(), pin.block
        holdings = [Holding(wallet, asset) for wallet in self.wallets for asset in self.assets]
        settings = EncumbranceSettings()
        coverage = self.chain.reader().look_for_approvals(last, self.wallets, self.assets, settings, first_height=0)
        native = self.chain.native

        def scan(reader: EvmReader) -> object:
            return reader.scan_transfers(0, last, self.wallets, self.assets)

        return {
            "identify": (lambda reader: reader.identify(), {}),
            "pin": (lambda reader: reader.pin(now=now), {}),
            "probe": (lambda reader: reader.probe(now), {}),
            "balances": (lambda reader: reader.read_balances(pin, holdings), {}),
            "assets": (lambda reader: reader.asset_problems(pin, self.assets), {}),
            "logs": (scan, {}),
            "verified": (scan, {"history_mode": "verified"}),
            "traces": (lambda reader: reader.trace_blocks([last], self.wallets, native), {}),
            "approvals": (
                lambda reader: reader.look_for_approvals(last, self.wallets, self.assets, settings, first_height=0),
                {},
            ),
            "encumbrances": (
                lambda reader: reader.read_encumbrances(pin, self.wallets, self.assets, coverage, settings),
                {},
            ),
        }


@pytest.fixture
def story(
    chain: EvmChain,
    anvil: AnvilNode,
    deploy_erc20: DeployErc20,
    deploy_contract: DeployContract,
    holders: list[Address],
) -> Story:
    token, unique = deploy_erc20("T", 6, 10**9), deploy_contract("Erc721")
    unique.transact("mint", holders[1], 7)
    token.transact("transfer", holders[1], 10**6)
    token.transact("approve", holders[5], 9, sender=holders[1])
    unique.transact("setApprovalForAll", holders[5], True, sender=holders[1])
    chain.pay(holders[1], holders[2], 10**18)
    token.transact("transfer", holders[2], 10, sender=holders[1])
    nft = Asset(AssetId(f"{chain.config.chain_id}/erc721:{unique.address}/7"), "NFT", 0)
    return Story(chain, holders[1:3], [chain.native, chain.token(token, 6), nft])


WORKS: Final = (
    "identify", "pin", "probe", "balances", "assets", "logs", "verified", "traces", "approvals", "encumbrances"
)  # fmt: skip


@pytest.mark.parametrize("name", WORKS)
def test_no_answer_breaks_a_reader(name: str, story: Story) -> None:
    work, changes = story.works()[name]
    config = replace(story.chain.config, **changes)  # type: ignore[arg-type]
    transport = JsonRpcTransport(NodeConfig("node-1", "operator-1", story.chain.node.url), LIMITS)
    honest = Replay(real=transport)
    try:
        truth = work(EvmReader(config, "node-1", honest))
    finally:
        transport.close()
    noticed = 0
    for answers in lies(honest.answers):
        try:
            noticed += work(EvmReader(config, "node-1", Replay(answers))) != truth
        except ReadError:
            noticed += 1
    assert noticed
