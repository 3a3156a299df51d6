"""A quorum of readers over a chain in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from chains.agreement import DisagreementSubject, NodeDisagreement, Witness
from chains.errors import (
    ChainConfigError,
    ChainError,
    ChainMoved,
    InvalidValue,
    NodeUnavailable,
    QuorumNotReached,
    StaleHead,
    WrongChain,
)
from chains.quorum import QuorumReader
from chains.types import (
    Address,
    AnchorEvidence,
    Asset,
    AssetId,
    ChainId,
    ReadStatus,
    StateEvidence,
    Transfer,
    TransferScan,
)
from tests.chains.quorum.desk import ALICE, BOB, OUTSIDE, QuorumDesk, address
from tests.fakes.chain import Payment
from tests.fakes.reader import FakeReader

OK, FAILED = ReadStatus.OK, ReadStatus.FAILED


@pytest.fixture
def desk() -> QuorumDesk:
    """Three operators, of whom two must agree; Alice has 500."""
    desk = QuorumDesk()
    desk.chain.pay(OUTSIDE, ALICE, desk.token, 500)
    return desk


def said(disagreement: NodeDisagreement) -> dict[str, str]:
    return {answer.node_id: answer.said for answer in disagreement.answers}


# Who may be a quorum --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operators", "quorum", "is_possible"),
    [
        (("A", "B"), 2, True),
        (("A", "B", "C"), 3, True),
        (("A", "B", "C"), 4, False),
        (("A", "A", "A"), 2, False),
        (("A", " a "), 2, False),
        (("A", "B"), 1, False),
    ],
)
@pytest.mark.fault("A28")
def test_a_quorum_needs_as_many_operators(operators: tuple[str, ...], quorum: int, is_possible: bool) -> None:
    desk = QuorumDesk(operators, quorum)
    if is_possible:
        desk.open().identify()
        return
    with pytest.raises(ChainConfigError):
        desk.open()


def test_a_node_of_another_network_is_left_out(desk: QuorumDesk) -> None:
    desk["b"].chain_id = ChainId("eip155:1")
    reader = desk.open()
    assert reader.identify().chain_id == desk.chain.chain_id
    assert reader.node_id == "node-a+node-c"
    assert [(each.node_id, each.operator, each.reason.split(":")[0]) for each in reader.left_out] == [
        ("node-b", "B", "wrong-chain")
    ]


def test_when_two_of_three_are_of_another_network_none_is_read(desk: QuorumDesk) -> None:
    desk["b"].chain_id = desk["c"].chain_id = ChainId("eip155:1")
    with pytest.raises(WrongChain, match=r"1 of the 2 operators .*node-b.*node-c"):
        desk.open().identify()


# The pin --------------------------------------------------------------------------------------------------------------


def test_all_agree_on_the_pin(desk: QuorumDesk) -> None:
    reader = desk.open()
    pin = desk.pin(reader)
    assert (pin.block, pin.header_checked) == (desk.chain.head, True)
    assert (reader.left_out, reader.take_disagreements()) == ((), ())


def test_the_pin_is_the_highest_block_that_a_quorum_has(desk: QuorumDesk) -> None:
    desk.chain.mine(10)
    desk["a"].lag, desk["b"].lag = 2, 5
    reader = desk.open()
    pin = desk.pin(reader)
    assert pin.block.height == desk.chain.head.height - 2
    assert reader.node_id == "node-a+node-c"
    (behind,) = reader.left_out
    assert (behind.node_id, behind.reason.split(":")[0]) == ("node-b", "stale-head")
    assert reader.take_disagreements() == ()
    assert reader.read_balances(pin, [desk.holding()])[0].anchor is AnchorEvidence.AGREED


def test_one_node_far_ahead_does_not_move_the_pin(desk: QuorumDesk) -> None:
    """A lone node cannot make up a later block than the others have."""
    own = desk.fork("c")
    own.mine(1)
    pin = desk.pin(desk.open())
    assert pin.block == desk.chain.head


def test_a_node_that_lags_behind_its_finality_only_still_reads(desk: QuorumDesk) -> None:
    """It has the block, though it does not call it final yet: it vouches for the block, and not for its finality."""
    desk = QuorumDesk(finality="confirmed(3)")
    desk.chain.mine(10)
    desk["b"].lag = 1
    reader = desk.open()
    pin = desk.pin(reader)
    assert pin.block.height == desk.chain.head.height - 2
    assert reader.node_id == "node-a+node-b+node-c"
    assert reader.read_balances(pin, [desk.holding()])[0].node_id == "node-a+node-b+node-c"


def test_dissent_about_the_pinned_hash(desk: QuorumDesk) -> None:
    own = desk.fork("c")
    own.mine()
    desk.chain.mine()
    reader = desk.open()
    pin = desk.pin(reader)
    assert pin.block == desk.chain.head
    assert reader.node_id == "node-a+node-b"
    (dispute,) = reader.take_disagreements()
    assert (dispute.subject, dispute.height) == (DisagreementSubject.BLOCK, pin.block.height)
    assert said(dispute) == {
        "node-a": pin.block.block_hash,
        "node-b": pin.block.block_hash,
        "node-c": own.head.block_hash,
    }
    assert dispute.agreed == pin.block.block_hash
    assert reader.take_disagreements() == ()
    assert reader.read_balances(pin, [desk.holding()])[0].node_id == "node-a+node-b"


def test_a_lower_block_is_pinned_when_the_highest_is_disputed(desk: QuorumDesk) -> None:
    """One liar with a newest block of its own, and an honest node a block behind: the other two agree lower down."""
    below = desk.chain.head
    desk.fork("a").mine()
    desk.chain.mine()
    desk["c"].lag = 1
    reader = desk.open()
    assert desk.pin(reader).block == below
    (dispute,) = reader.take_disagreements()
    assert (dispute.height, dispute.agreed) == (below.height + 1, None)


def test_no_two_agree_on_the_pin(desk: QuorumDesk) -> None:
    hashes = []
    for name in "abc":
        own = desk.fork(name)
        own.reorganise(own.head.height)
        hashes.append(own.head.block_hash)
    with pytest.raises(QuorumNotReached) as caught:
        desk.pin(desk.open())
    text = str(caught.value)
    assert all(f"node node-{name} says {block_hash}" in text for name, block_hash in zip("abc", hashes, strict=True))


def test_a_given_height_is_pinned_by_the_quorum(desk: QuorumDesk) -> None:
    desk.chain.mine(3)
    assert desk.pin(desk.open(), height=1).block == desk.chain.blocks[1].ref
    with pytest.raises(InvalidValue, match=r"0 of the 2 operators"):
        desk.pin(desk.open(), height=desk.chain.head.height + 1)
    desk["a"].lag = desk["b"].lag = 3
    with pytest.raises(InvalidValue):
        desk.pin(desk.open(), height=desk.chain.head.height)


# Balances -------------------------------------------------------------------------------------------------------------


@pytest.mark.fault("A27")
def test_all_agree_on_a_balance(desk: QuorumDesk) -> None:
    reader = desk.open()
    seen, nothing = reader.read_balances(desk.pin(reader), [desk.holding(), desk.holding(BOB)])
    assert (seen.base_units, nothing.base_units) == (500, 0)
    for each in (seen, nothing):
        assert (each.state, each.anchor) == (StateEvidence.READ, AnchorEvidence.AGREED)
        assert each.node_id == "node-a+node-b+node-c"
    assert reader.take_disagreements() == ()


@pytest.mark.fault("A27")
@pytest.mark.parametrize("liar", ["a", "b", "c"])
def test_one_of_three_lies_about_a_balance(desk: QuorumDesk, liar: str) -> None:
    desk.lie(liar, 700)
    reader = desk.open()
    pin = desk.pin(reader)
    lied_about, other = reader.read_balances(pin, [desk.holding(), desk.holding(OUTSIDE)])
    honest = [f"node-{name}" for name in "abc" if name != liar]
    assert (lied_about.base_units, lied_about.anchor) == (500, AnchorEvidence.AGREED)
    assert lied_about.node_id == "+".join(honest)
    assert other.node_id == "node-a+node-b+node-c"
    (dispute,) = reader.take_disagreements()
    assert (dispute.subject, dispute.holding, dispute.block) == (
        DisagreementSubject.BALANCE,
        desk.holding(),
        pin.block,
    )
    assert said(dispute) == {f"node-{name}": "700" if name == liar else "500" for name in "abc"}
    assert (dispute.agreed, [each.node_id for each in dispute.dissenters]) == ("500", [f"node-{liar}"])


@pytest.mark.fault("A27")
def test_with_unanimity_asked_for_one_liar_leaves_the_balance_unverified() -> None:
    desk = QuorumDesk(quorum=3)
    desk.lie("b", 700)
    reader = desk.open()
    (seen,) = reader.read_balances(desk.pin(reader), [desk.holding()])
    assert (seen.status, seen.base_units, seen.anchor) == (FAILED, None, AnchorEvidence.SINGLE)
    assert seen.reason == "node-disagreement: node node-a says 0; node node-b says 700; node node-c says 0"
    (dispute,) = reader.take_disagreements()
    assert (said(dispute), dispute.agreed) == ({"node-a": "0", "node-b": "700", "node-c": "0"}, None)


@pytest.mark.fault("A28")
@pytest.mark.parametrize(
    ("operators", "seen_units"),
    [
        (("A", "Evil", "evil "), None),
        (("A", "Evil", "Evil", "B"), 500),
        # The reject twin: were they two operators, their lie would be the quorum's word.
        (("A", "Evil", "Other"), 700),
    ],
)
def test_two_nodes_of_one_operator_agree_on_a_lie(operators: tuple[str, ...], seen_units: int | None) -> None:
    desk = QuorumDesk(operators)
    desk.chain.pay(OUTSIDE, ALICE, desk.token, 500)
    desk.lie("b", 700)
    desk.lie("c", 700)
    reader = desk.open()
    (seen,) = reader.read_balances(desk.pin(reader), [desk.holding()])
    assert seen.base_units == seen_units
    (dispute,) = reader.take_disagreements()
    assert said(dispute)["node-b"] == said(dispute)["node-c"] == "700"


def test_a_node_that_fails_on_one_balance_is_named(desk: QuorumDesk) -> None:
    desk.lie("b", None, at=ALICE)
    desk.lie("b", None, at=BOB)
    reader = desk.open()
    seen = reader.read_balances(desk.pin(reader), [desk.holding(), desk.holding(BOB), desk.holding(OUTSIDE)])
    assert [each.base_units for each in seen] == [500, 0, 999_500]
    assert [each.node_id for each in seen] == ["node-a+node-c"] * 2 + ["node-a+node-b+node-c"]
    (failure,) = reader.left_out
    assert (failure.node_id, failure.holdings) == ("node-b", 2)
    assert "node-refused" in failure.reason
    assert reader.take_disagreements() == ()


def test_a_balance_that_two_of_three_fail_on_is_not_read(desk: QuorumDesk) -> None:
    desk.lie("b", None)
    desk.lie("c", None)
    reader = desk.open()
    (seen,) = reader.read_balances(desk.pin(reader), [desk.holding()])
    assert (seen.status, seen.base_units) == (FAILED, None)
    assert seen.reason.startswith("no-quorum: 1 of 2 operators gave a balance; node node-b: node-refused")
    desk.lie("a", None)
    (nobody,) = reader.read_balances(desk.pin(reader), [desk.holding()])
    assert nobody.reason == "node-refused: the node does not say"


def test_a_disputed_balance_that_another_node_fails_on_says_all_of_it(desk: QuorumDesk) -> None:
    desk.lie("b", 1)
    desk.lie("c", None)
    reader = desk.open()
    (seen,) = reader.read_balances(desk.pin(reader), [desk.holding()])
    assert seen.reason == (
        "node-disagreement: node node-a says 500; node node-b says 1; node node-c: node-refused: the node does not say"
    )


# Nodes that fail ------------------------------------------------------------------------------------------------------


@pytest.mark.fault("A1")
def test_one_of_three_is_down(desk: QuorumDesk) -> None:
    desk["b"].is_down = True
    reader = desk.open()
    reader.identify()
    pin = desk.pin(reader)
    (seen,) = reader.read_balances(pin, [desk.holding()])
    assert (seen.base_units, seen.anchor, seen.node_id) == (500, AnchorEvidence.AGREED, "node-a+node-c")
    assert [(each.node_id, each.holdings) for each in reader.left_out] == [("node-b", 0)]
    assert reader.left_out[0].reason.startswith("node-unavailable: node node-b: ")
    assert reader.take_disagreements() == ()
    assert reader.is_canonical(pin.block)


def test_two_of_three_are_down(desk: QuorumDesk) -> None:
    reader = desk.open()
    pin = desk.pin(reader)
    desk["a"].is_down = desk["b"].is_down = True
    for ask in (
        reader.identify,
        lambda: desk.pin(reader),
        lambda: reader.read_balances(pin, [desk.holding()]),
        lambda: reader.block_at(0),
        lambda: reader.is_canonical(pin.block),
        lambda: reader.scan_transfers(0, pin.block, [ALICE], [desk.token]),
        lambda: reader.asset_problems(pin, [desk.token]),
        lambda: reader.probe(desk.now()),
    ):
        with pytest.raises(NodeUnavailable, match=r"1 of the 2 operators needed answered: node node-a.*node node-b"):
            ask()
    assert reader.left_out == ()
    desk["a"].is_down = False
    assert reader.read_balances(pin, [desk.holding()])[0].base_units == 500


def test_a_node_left_out_comes_back_when_it_is_needed_and_proves_who_it_is(desk: QuorumDesk) -> None:
    desk["b"].is_down = True
    reader = desk.open()
    pin = desk.pin(reader)
    desk["b"].is_down, desk["c"].is_down = False, True
    (seen,) = reader.read_balances(pin, [desk.holding()])
    assert (seen.base_units, seen.node_id) == (500, "node-a+node-b")
    assert [each.node_id for each in reader.left_out] == ["node-c"]
    desk["c"].is_down, desk["c"].chain_id, desk["a"].is_down = False, ChainId("eip155:1"), True
    with pytest.raises(QuorumNotReached, match=r"node-a.*does not answer.*node-c.*the node is on eip155:1"):
        reader.read_balances(pin, [desk.holding()])


def test_failures_of_one_kind_keep_their_kind_and_others_are_no_quorum(desk: QuorumDesk) -> None:
    reader = desk.open()
    pin = desk.pin(reader)
    desk["a"].is_down = True
    desk["b"].lag = 1
    kinds: list[type[ChainError]] = []
    for is_down in (True, False):
        desk["a"].is_down, desk["a"].lag = is_down, 1
        with pytest.raises(ChainError) as caught:
            reader.read_balances(pin, [desk.holding()])
        kinds.append(type(caught.value))
    assert kinds == [QuorumNotReached, ChainMoved]


def test_an_error_of_the_program_is_not_a_node_that_fails(desk: QuorumDesk) -> None:
    reader = desk.open()
    pin = desk.pin(reader)
    desk["a"].balances = None  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        reader.read_balances(pin, [desk.holding()])


# Blocks ---------------------------------------------------------------------------------------------------------------


def test_the_block_at_a_height_is_the_quorums(desk: QuorumDesk) -> None:
    own = desk.fork("c")
    own.reorganise(1)
    reader = desk.open()
    height = desk.chain.head.height
    assert reader.block_at(height) == desk.chain.head
    assert [dispute.subject for dispute in reader.take_disagreements()] == [DisagreementSubject.BLOCK]
    desk.fork("b").reorganise(1)
    with pytest.raises(QuorumNotReached, match=f"operators disagree at height {height}"):
        reader.block_at(height)
    assert reader.block_at(0) == desk.chain.blocks[0].ref
    with pytest.raises(StaleHead):
        reader.block_at(height + 1)


def test_a_block_is_canonical_when_the_quorum_has_it(desk: QuorumDesk) -> None:
    block = desk.chain.head
    reader = desk.open()
    assert reader.is_canonical(block)
    desk.fork("c").reorganise(1)
    assert reader.is_canonical(block)
    (dispute,) = reader.take_disagreements()
    assert (dispute.block, said(dispute)["node-c"]) == (block, "it is not canonical")
    desk.fork("b").reorganise(1)
    assert not reader.is_canonical(block)
    desk["a"].is_down = True
    assert not reader.is_canonical(block)


def test_whether_a_block_is_canonical_needs_a_quorum_too() -> None:
    desk = QuorumDesk(("A", "B"))
    desk.chain.mine()
    desk.fork("b").reorganise(1)
    with pytest.raises(QuorumNotReached):
        desk.open().is_canonical(desk.chain.head)


# Movements ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def busy() -> QuorumDesk:
    """Two payments to Alice and one to Bob."""
    desk = QuorumDesk()
    desk.chain.add(Payment(OUTSIDE, ALICE, desk.token, 5), Payment(OUTSIDE, BOB, desk.token, 6))
    desk.chain.pay(OUTSIDE, ALICE, desk.token, 7)
    return desk


def test_all_show_the_same_movements(busy: QuorumDesk) -> None:
    reader = busy.open()
    counted: list[int] = []
    watched = iter([ALICE, BOB])  # can be gone through once only, and every node needs it
    scan = reader.scan_transfers(1, busy.chain.head, watched, [busy.token], counted.append)
    assert [transfer.base_units for transfer in scan.transfers] == [5, 6, 7]
    assert (scan.node_id, sum(counted)) == ("node-a+node-b+node-c", len(scan.blocks))
    assert reader.take_disagreements() == ()


@pytest.mark.parametrize("liar", ["a", "b", "c"])
def test_one_node_leaves_a_movement_out(busy: QuorumDesk, liar: str) -> None:
    busy[liar].hides = lambda transfer: transfer.receiver == BOB
    reader = busy.open()
    scan = reader.scan_transfers(1, busy.chain.head, [ALICE, BOB], [busy.token])
    assert [transfer.base_units for transfer in scan.transfers] == [5, 6, 7]
    assert scan.node_id == "+".join(f"node-{name}" for name in "abc" if name != liar)
    (dispute,) = reader.take_disagreements()
    assert dispute.subject is DisagreementSubject.TRANSFER
    assert dispute.transfer == scan.transfers[1]
    assert said(dispute)[f"node-{liar}"] == "there is no such transfer"
    assert [each.node_id for each in dispute.dissenters] == [f"node-{liar}"]


@pytest.mark.parametrize("liar", ["a", "b", "c"])
def test_one_node_makes_a_movement_up(busy: QuorumDesk, liar: str) -> None:
    """What one node alone shows is not taken: the union would be as wrong as the lie."""
    for name in "abc":
        if name != liar:
            busy[name].hides = lambda transfer: transfer.receiver == BOB
    reader = busy.open()
    scan = reader.scan_transfers(1, busy.chain.head, [ALICE, BOB], [busy.token])
    assert [transfer.base_units for transfer in scan.transfers] == [5, 7]
    (dispute,) = reader.take_disagreements()
    assert dispute.agreed == "there is no such transfer"
    assert dispute.transfer is not None
    assert dispute.transfer.receiver == BOB
    assert said(dispute)[f"node-{liar}"].startswith("6 base units of ")


def test_no_two_show_the_same_movements(busy: QuorumDesk) -> None:
    busy["a"].hides = lambda transfer: transfer.base_units == 5
    busy["b"].hides = lambda transfer: transfer.base_units == 6
    reader = busy.open()
    with pytest.raises(QuorumNotReached, match=r"blocks 1 to 3; of 2 differences the first: "):
        reader.scan_transfers(1, busy.chain.head, [ALICE, BOB], [busy.token])
    disputes = reader.take_disagreements()
    assert [(each.subject, each.agreed) for each in disputes] == [(DisagreementSubject.TRANSFER, None)] * 2
    moved = {each.transfer.base_units: said(each) for each in disputes if each.transfer is not None}
    assert {units: [node for node, words in told.items() if "no such" in words] for units, told in moved.items()} == {
        5: ["node-a"],
        6: ["node-b"],
    }


def test_one_node_tells_another_amount(busy: QuorumDesk) -> None:
    own = busy.fork("c")
    block = own.blocks[-1]
    changed = Transfer(block.ref, block.transfers[0].tx_id, 0, busy.token, OUTSIDE, ALICE, 8, block.transfers[0].kind)
    own.blocks[-1] = type(block)(block.ref, (changed,), block.balances)
    reader = busy.open()
    scan = reader.scan_transfers(1, busy.chain.head, [ALICE], [busy.token])
    assert [transfer.base_units for transfer in scan.transfers] == [5, 7]
    (dispute,) = reader.take_disagreements()
    assert said(dispute)["node-c"].startswith("8 base units of ")
    assert dispute.agreed is not None
    assert dispute.agreed.startswith("7 base units of ")


def test_the_weakest_mode_of_those_who_agree_is_claimed(busy: QuorumDesk) -> None:
    """Movements that nodes show alike are agreed, though one of them could not hold the blocks to their headers."""

    class Verifying(FakeReader):
        """Says how it read."""

        note = ""

        def scan_transfers(self, *args: Any, **options: Any) -> TransferScan:
            scan = super().scan_transfers(*args, **options)
            return replace(scan, mode="logs" if self.note else "verified", mode_note=self.note)

    readers = {
        Witness(node.node_id, node.operator): Verifying(busy.config, node.node_id, busy[node.url])
        for node in busy.config.nodes
    }
    reader = QuorumReader(readers, 2)
    assert reader.scan_transfers(1, busy.chain.head, [ALICE], [busy.token]).mode == "verified"
    list(readers.values())[1].note = "block 2 is not verified"
    found = reader.scan_transfers(1, busy.chain.head, [ALICE], [busy.token])
    assert (found.mode, found.mode_note) == ("logs", "block 2 is not verified")
    assert found.node_id == "node-a+node-b+node-c"
    assert reader.take_disagreements() == ()


# Assets ---------------------------------------------------------------------------------------------------------------


def test_assets_are_judged_by_the_quorum(desk: QuorumDesk) -> None:
    missing = Asset(AssetId(f"{desk.chain.chain_id}/erc20:{address(77)}"), "NONE", 6)
    own = desk.fork("c")
    own.assets = dict(own.assets) | {missing.asset_id: 6}
    reader = desk.open()
    pin = desk.pin(reader)
    problems = reader.asset_problems(pin, [desk.token, missing])
    assert problems == {missing.asset_id: "there is no contract at this address on this chain"}
    (dispute,) = reader.take_disagreements()
    assert (dispute.name, said(dispute)["node-c"]) == (missing.asset_id, "it is as configured")


def test_an_asset_without_a_quorum_has_a_problem() -> None:
    desk = QuorumDesk(("A", "B"))
    own = desk.fork("b")
    own.assets = dict(own.assets) | {desk.token.asset_id: 18}
    reader = desk.open()
    pin = desk.pin(reader)
    assert reader.asset_problems(pin, [desk.token]) == {
        desk.token.asset_id: "operators disagree: node node-a says it is as configured; "
        "node node-b says decimals are 18 on chain"
    }
    own.assets[desk.token.asset_id] = 6
    assert reader.asset_problems(pin, [desk.token]) == {}


# The rest -------------------------------------------------------------------------------------------------------------


def test_an_address_is_used_when_one_node_has_it_in_its_record(
    desk: QuorumDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = desk.open()
    assert reader.used([ALICE, BOB]) == frozenset()  # nodes that are asked for balances keep no record

    def used(self: FakeReader, addresses: Sequence[Address]) -> frozenset[Address]:
        return frozenset(addresses[:1] if self.node_id == "node-b" else [])

    monkeypatch.setattr(FakeReader, "used", used, raising=False)
    assert reader.used([ALICE, BOB]) == {ALICE}


def test_what_each_node_offers(desk: QuorumDesk) -> None:
    assert desk.open().probe(desk.now()) == {f"node-{name}.client": "fake/1" for name in "abc"}


def test_every_reader_is_closed_though_one_fails_to(desk: QuorumDesk) -> None:
    closed: list[str] = []

    class Stubborn:
        chain_id = desk.chain.chain_id

        def __init__(self, name: str) -> None:
            self.name = name

        def close(self) -> None:
            closed.append(self.name)
            if self.name == "b":
                raise OSError("it does not close")

    readers = {Witness(name, name): Stubborn(name) for name in "abc"}
    with pytest.raises(OSError, match="does not close"):
        QuorumReader(readers, 2).close()  # type: ignore[arg-type]
    assert sorted(closed) == ["a", "b", "c"]
