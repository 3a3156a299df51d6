"""Verifying again with the auditor's own node: it agrees, it disagrees, or it cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chains.errors import NodeUnavailable, StaleHead, StateUnavailable, WrongChain
from chains.evm.encumbrance_types import (
    AccountRole,
    Answer,
    ApprovalCoverage,
    ControlState,
    EncumbranceReading,
    EncumbranceSettings,
    Fact,
    Grant,
    GrantKind,
    Restriction,
)
from chains.reader import ChainReader, NodeIdentity, Pin, Progress
from chains.types import (
    Address,
    Asset,
    AssetId,
    BalanceObservation,
    BlockRef,
    ChainId,
    Finality,
    Holding,
    ReadStatus,
    TransferScan,
)
from exports.bundle import payload_members
from exports.contents import Contents
from exports.control_node_check import check_control
from exports.control_records import RestrictionRecord
from exports.records import RECORD_TYPES
from exports.report import report_text
from exports.verdict import Check, CheckStatus
from tests.exports.sample import (
    BLOCK_HASH,
    BLOCK_TIME,
    CHAIN,
    ETH,
    OMNIBUS,
    PARENT_HASH,
    USD,
    Firm,
    check,
    make_firm,
    sample_bundle,
    verify,
    write,
)

TRUTH = {(b.address, b.asset_id): b.base_units for b in sample_bundle().balances}
BLOCK = BlockRef(CHAIN, 100, BLOCK_HASH, PARENT_HASH, BLOCK_TIME)


@dataclass
class OwnNode:
    """The auditor's node, in memory; it can be told to lie, to be pruned, or to be away."""

    chain_id: ChainId = CHAIN
    node_id: str = "own"
    block: BlockRef = BLOCK
    balances: dict[tuple[Address, AssetId], int | None] = field(default_factory=lambda: dict(TRUTH))
    identify_error: Exception | None = None
    block_error: Exception | None = None
    balance_error: Exception | None = None
    failed: set[tuple[Address, AssetId]] = field(default_factory=set)
    asked: list[Pin] = field(default_factory=list)
    closed: bool = False
    leave_out: int = 0
    reads_encumbrances: bool = True
    allowance: int | None = 70
    """What the outsider may take from the omnibus wallet; None: it does not say."""
    facts: dict[Fact, str] = field(default_factory=lambda: {Fact.ACCOUNT_KIND: "key", Fact.CODE_HASH: "none"})
    nonce: int = 3
    stopped: bool = False
    offers_paused: bool = True
    control_error: Exception | None = None

    def identify(self) -> NodeIdentity:
        if self.identify_error:
            raise self.identify_error
        return NodeIdentity(self.chain_id, "0x" + "00" * 32, "test")

    def read_encumbrances(
        self,
        pin: Pin,
        wallets: Sequence[Address],
        assets: Sequence[Asset],
        coverage: ApprovalCoverage,
        settings: EncumbranceSettings,
    ) -> EncumbranceReading:
        """The sample's one grant and wallets with keys, or what it is told to say."""
        if self.control_error:
            raise self.control_error
        usd = Asset(USD, "USDX", 6)
        grants = [
            Grant(GrantKind.ALLOWANCE, owner, usd, spender, self.allowance, reason="" if self.allowance else "x: y")
            for owner, _, spender in coverage.candidates.allowances
            if self.allowance != 0
        ]
        answer = Answer.RESTRICTED if self.stopped else Answer.CLEAR
        paused = [Restriction(usd, question, None, answer) for question in settings.paused_questions]
        return EncumbranceReading(
            block=pin.block, finality=pin.finality, node_id=self.node_id, wallets=tuple(wallets), assets=(usd,),
            coverage=coverage, grants=tuple(grants), pairs_asked=1,
            controls=tuple(ControlState(each, AccountRole.WALLET, self.facts, {}, self.nonce) for each in wallets),
            restrictions=tuple(paused) if self.offers_paused else (),
        )  # fmt: skip

    def pin(self, *, height: int | None = None, now: datetime) -> Pin:
        raise AssertionError("verifying a bundle asks a node for blocks and balances only")

    def block_at(self, height: int) -> BlockRef:
        if self.block_error:
            raise self.block_error
        return self.block

    def is_canonical(self, block: BlockRef) -> bool:
        return block == self.block

    def read_balances(
        self, pin: Pin, holdings: Sequence[Holding], progress: Progress | None = None
    ) -> list[BalanceObservation]:
        self.asked.append(pin)
        if self.balance_error:
            raise self.balance_error
        answers = [self._answer(pin, holding) for holding in holdings]
        return answers[: len(answers) - self.leave_out]

    def _answer(self, pin: Pin, holding: Holding) -> BalanceObservation:
        key = (holding.address, holding.asset.asset_id)
        if key in self.failed:
            reason = "state-unavailable: missing trie node"
            return BalanceObservation(
                holding, pin.block, pin.finality, ReadStatus.FAILED, None, "batch", "own", reason=reason
            )
        return BalanceObservation(holding, pin.block, pin.finality, ReadStatus.OK, self.balances[key], "batch", "own")

    def scan_transfers(
        self,
        first_height: int,
        last: BlockRef,
        watched: Iterable[Address],
        assets: Sequence[Asset],
        progress: Progress | None = None,
    ) -> TransferScan:
        raise AssertionError("verifying a bundle asks a node for blocks and balances only")

    def asset_problems(self, pin: Pin, assets: Sequence[Asset]) -> dict[AssetId, str]:
        raise AssertionError("verifying a bundle asks a node for blocks and balances only")

    def probe(self, now: datetime) -> Mapping[str, str]:
        raise AssertionError("verifying a bundle asks a node for blocks and balances only")

    def close(self) -> None:
        self.closed = True


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


def opener(node: OwnNode) -> Callable[[], ChainReader]:
    return lambda: node


@pytest.mark.fault("E19")
def test_an_honest_node_confirms_block_and_balances_at_the_same_hash(tmp_path: Path, firm: Firm) -> None:
    node = OwnNode()
    report = verify(write(tmp_path, firm, sample_bundle()), firm.trusted, readers={CHAIN: opener(node)})
    assert report.exit_code == 0, report_text(report)
    assert check(report, 16).subject == CHAIN
    assert check(report, 17).compared == sum(value is not None for value in TRUTH.values())
    assert [pin.block for pin in node.asked] == [BLOCK]
    assert node.asked[0].finality == Finality.parse("finalized")
    assert node.closed


@pytest.mark.fault("E19")
def test_offline_every_other_check_is_complete(tmp_path: Path, firm: Firm) -> None:
    report = verify(write(tmp_path, firm, sample_bundle()), firm.trusted)
    assert report.exit_code == 0
    assert {check(report, number).status for number in (16, 17)} == {CheckStatus.NOT_REQUESTED}


P, F, N = CheckStatus.PASSED, CheckStatus.FAILED, CheckStatus.NOT_POSSIBLE
OTHER_HASH = "0x" + "ee" * 32
NODES: dict[str, tuple[OwnNode, CheckStatus, CheckStatus, int]] = {
    "one balance differs": (OwnNode(balances={**TRUTH, (OMNIBUS, ETH): 1}), P, F, 1),
    "one wei less": (OwnNode(balances={**TRUTH, (OMNIBUS, ETH): 3 * 10**18 + 10**16 - 1}), P, F, 1),
    "all balances zero": (OwnNode(balances=dict.fromkeys(TRUTH, 0)), P, F, 1),
    "another block at the height": (OwnNode(block=replace(BLOCK, block_hash=OTHER_HASH)), F, N, 1),
    "another parent": (OwnNode(block=replace(BLOCK, parent_hash=OTHER_HASH)), F, N, 1),
    "another time": (OwnNode(block=replace(BLOCK, timestamp=BLOCK_TIME + timedelta(seconds=1))), F, N, 1),
    "pruned": (OwnNode(balance_error=StateUnavailable("missing trie node")), P, N, 2),
    "is asked for what is no address": (OwnNode(balance_error=ValueError("non-hexadecimal number")), P, N, 2),
    "pruned for one": (OwnNode(failed={(OMNIBUS, ETH)}), P, N, 2),
    "away": (OwnNode(identify_error=NodeUnavailable("timed out")), N, N, 2),
    "on another chain": (OwnNode(identify_error=WrongChain("chain 5")), N, N, 2),
    "reads another chain": (OwnNode(chain_id=ChainId("eip155:5")), N, N, 2),
    "behind the block": (OwnNode(block_error=StaleHead("head 90")), N, N, 2),
    "answers another height": (OwnNode(block=replace(BLOCK, height=99)), N, N, 2),
    "answers too few": (OwnNode(leave_out=1), P, N, 2),
    "lies and is pruned": (OwnNode(balances={**TRUTH, (OMNIBUS, ETH): 1}, failed={(Address(""), ETH)}), P, F, 1),
}


@pytest.mark.fault("E19")
@pytest.mark.parametrize("name", NODES)
def test_a_node_that_differs_fails_and_one_that_cannot_say_is_not_possible(
    name: str, tmp_path: Path, firm: Firm
) -> None:
    node, block_status, balance_status, exit_code = NODES[name]
    report = verify(write(tmp_path, firm, sample_bundle()), firm.trusted, readers={CHAIN: opener(node)})
    statuses = (check(report, 16).status, check(report, 17).status, report.exit_code)
    assert statuses == (block_status, balance_status, exit_code), report_text(report)
    assert all(c.status is CheckStatus.PASSED for c in report.checks if c.number <= 15)
    assert node.closed


@pytest.mark.fault("E19")
def test_a_node_that_cannot_be_opened_or_is_of_another_chain_is_not_possible(tmp_path: Path, firm: Firm) -> None:
    path = write(tmp_path, firm, sample_bundle())

    def away() -> ChainReader:
        raise NodeUnavailable("refused", node_id="own")

    report = verify(path, firm.trusted, readers={CHAIN: away})
    assert (check(report, 16).status, report.exit_code) == (CheckStatus.NOT_POSSIBLE, 2)
    report = verify(path, firm.trusted, readers={ChainId("eip155:1"): opener(OwnNode())})
    found = {(c.subject, c.number): c.status for c in report.checks if c.number > 15}
    assert found["eip155:1", 16] is CheckStatus.NOT_POSSIBLE
    assert found[CHAIN, 16] is CheckStatus.NOT_REQUESTED
    assert report.exit_code == 2


@pytest.mark.fault("E1")
def test_no_node_is_asked_about_a_file_that_was_changed(tmp_path: Path, firm: Firm) -> None:
    path = write(tmp_path, firm, sample_bundle())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    node = OwnNode()
    report = verify(path, firm.trusted, readers={CHAIN: opener(node)})
    assert report.exit_code == 1
    assert not node.asked


@pytest.mark.parametrize(
    "lie",
    [
        {"allowance": 71},
        {"allowance": 0},
        {"facts": {Fact.ACCOUNT_KIND: "delegated", Fact.CODE_HASH: "none", Fact.DELEGATE: OMNIBUS}},
        {"nonce": 4},
        {"stopped": True},
    ],
)
def test_a_node_that_says_otherwise_of_control_refuses(lie: dict[str, Any], tmp_path: Path, firm: Firm) -> None:
    node = OwnNode(**lie)
    report = verify(write(tmp_path, firm, sample_bundle()), firm.trusted, readers={CHAIN: opener(node)})
    assert check(report, 21).status is CheckStatus.FAILED
    assert report.exit_code == 1


@pytest.mark.parametrize(
    "silence",
    [
        {"allowance": None},
        {"control_error": NodeUnavailable("away")},
        {"control_error": ValueError("non-hexadecimal number")},
        {"reads_encumbrances": False},
    ],
)
def test_a_node_that_cannot_say_who_could_move_it_leaves_it_open(
    silence: dict[str, Any], tmp_path: Path, firm: Firm
) -> None:
    node = OwnNode(**silence)
    report = verify(write(tmp_path, firm, sample_bundle()), firm.trusted, readers={CHAIN: opener(node)})
    assert check(report, 21).status is CheckStatus.NOT_POSSIBLE
    assert report.exit_code == 2


@pytest.mark.parametrize(
    ("question", "says", "status"),
    [
        ("paused()", {"stopped": True}, CheckStatus.PASSED),
        ("paused()", {"stopped": False}, CheckStatus.FAILED),
        ("paused()", {"offers_paused": False}, CheckStatus.NOT_POSSIBLE),
        ("halted()", {"stopped": True}, CheckStatus.FAILED),  # and paused() too, of which the bundle says nothing
        ("halted()", {"stopped": False}, CheckStatus.FAILED),
        ("no function", {"stopped": False}, CheckStatus.NOT_POSSIBLE),
    ],
)
def test_a_token_that_the_bundle_calls_stopped_is_asked_by_the_same_question(
    question: str, says: dict[str, Any], status: CheckStatus
) -> None:
    bundle = sample_bundle()
    stopped = RestrictionRecord(bundle.sweeps[0].sweep_id, USD, question, None, Answer.RESTRICTED, "")
    manifest, _ = payload_members(bundle)
    every = {kind: tuple(getattr(bundle, kind)) for kind in RECORD_TYPES}
    contents = Contents(manifest=manifest, **{**every, "restrictions": (stopped,)})
    outcome = check_control(contents, bundle.sweeps[0], bundle.control_reviews[0], OwnNode(**says))
    assert Check.of(21, "", outcome).status is status
