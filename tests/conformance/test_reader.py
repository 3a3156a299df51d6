"""What every chain reader must do, whatever its chain."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chains.block_trace import as_change_explainer
from chains.errors import ChainMoved, InvalidValue, NodeUnavailable, ReadError, StaleHead, WrongChain
from chains.types import (
    Asset,
    BlockRef,
    Finality,
    Holding,
    ReadStatus,
    StateEvidence,
    Transfer,
    TransferKind,
)
from tests.conformance.harness import ReaderHarness

pytestmark = pytest.mark.devnet


def all_assets(harness: ReaderHarness) -> list[Asset]:
    return [harness.native, *harness.tokens]


def value_transfers(transfers: tuple[Transfer, ...]) -> list[Transfer]:
    return [transfer for transfer in transfers if transfer.kind is not TransferKind.FEE]


def test_the_node_proves_who_it_is(harness: ReaderHarness) -> None:
    reader = harness.reader()
    identity = reader.identify()
    assert identity.chain_id == reader.chain_id == harness.native.chain_id
    assert reader.node_id == harness.node_id
    assert reader.identify() == identity


@pytest.mark.fault("A17")
def test_another_network_is_refused(harness: ReaderHarness) -> None:
    with pytest.raises(WrongChain):
        harness.reader(wrong_genesis=True).identify()


@pytest.mark.fault("A1")
def test_a_node_that_does_not_answer_gives_nothing(harness: ReaderHarness) -> None:
    pin = harness.reader().pin(now=harness.now())
    reader = harness.stopped_reader()
    for ask in (
        reader.identify,
        lambda: reader.pin(now=harness.now()),
        lambda: reader.read_balances(pin, [Holding(harness.new_address(), harness.native)]),
        lambda: reader.block_at(0),
        lambda: reader.is_canonical(pin.block),
        lambda: reader.scan_transfers(0, pin.block, [], []),
        lambda: reader.asset_problems(pin, all_assets(harness) if harness.tokens else []),
    ):
        with pytest.raises(NodeUnavailable) as caught:
            ask()
        assert caught.value.node_id == harness.node_id


def test_the_pin_is_the_block_the_finality_asks_for(harness: ReaderHarness) -> None:
    harness.mine(5)
    head = harness.height()
    newest = harness.reader().pin(now=harness.now())
    assert newest.block.height == head
    assert newest.block.chain_id == harness.native.chain_id
    assert newest.header_checked or newest.header_note
    deep = Finality.parse("confirmed(4)")
    reader = harness.reader(finality=deep)
    pin = reader.pin(now=harness.now())
    assert pin.finality == deep
    assert pin.block == harness.reader().block_at(head - 3)
    assert reader.pin(height=head - 4, now=harness.now()).block.height == head - 4
    with pytest.raises(InvalidValue):
        reader.pin(height=head - 2, now=harness.now())


@pytest.mark.fault("A18", "A45")
def test_a_head_too_old_or_too_new_is_stale(harness: ReaderHarness) -> None:
    harness.mine(1)
    harness.reader().pin(now=harness.now())
    for drift in (timedelta(days=1), timedelta(days=-1)):
        with pytest.raises(StaleHead):
            harness.reader().pin(now=harness.now() + drift)


def test_balances_are_of_the_pinned_block_in_the_order_asked(harness: ReaderHarness) -> None:
    people = [harness.new_address() for _ in range(5)]
    assets = all_assets(harness)
    for number, person in enumerate(people[:4]):
        for asset in assets:
            harness.pay(person, asset, 1_000_000 + number)
    reader = harness.reader()
    pin = reader.pin(now=harness.now())
    if harness.supports_height_history:
        harness.pay(people[0], harness.native, 1_000_000)
        assert reader.is_canonical(pin.block)
    holdings = [Holding(person, asset) for asset in reversed(assets) for person in people]
    counted: list[int] = []
    observations = reader.read_balances(pin, holdings, counted.append)
    assert [observation.holding for observation in observations] == holdings
    expected = [1_000_000, 1_000_001, 1_000_002, 1_000_003, 0]
    assert [observation.base_units for observation in observations] == expected * len(assets)
    assert sum(counted) == len(holdings)
    for observation in observations:
        assert observation.status is ReadStatus.OK
        assert (observation.block, observation.finality) == (pin.block, pin.finality)
        assert observation.node_id == harness.node_id
        assert observation.method
        # Nothing is proven, and one operator alone agrees with nobody: more would be claimed than is known.
        assert (observation.state, observation.anchor) == (StateEvidence.READ, harness.anchor)


@pytest.mark.fault("A40")
def test_an_asset_that_is_not_there_is_never_zero(harness: ReaderHarness) -> None:
    if harness.unknown_asset is None:
        pytest.skip("every asset id of this chain names an asset")
    reader = harness.reader()
    pin = reader.pin(now=harness.now())
    person = harness.new_address()
    good, bad = reader.read_balances(pin, [Holding(person, harness.native), Holding(person, harness.unknown_asset)])
    assert (good.status, good.base_units) == (ReadStatus.OK, 0)
    assert (bad.status, bad.base_units) == (ReadStatus.FAILED, None)
    assert bad.reason
    assert set(reader.asset_problems(pin, [*all_assets(harness), harness.unknown_asset])) == {
        harness.unknown_asset.asset_id
    }


@pytest.mark.fault("A31", "A33")
@pytest.mark.anvil(private=True)
def test_a_pin_that_a_reorganisation_removed_is_never_read_at(harness: ReaderHarness) -> None:
    harness.mine(6)
    reader = harness.reader()
    kept = reader.block_at(harness.height() - 4)
    pin = reader.pin(now=harness.now())
    holdings = [Holding(harness.new_address(), harness.native)]
    assert reader.read_balances(pin, holdings)[0].status is ReadStatus.OK
    harness.reorganise(2)
    assert not reader.is_canonical(pin.block)
    assert reader.is_canonical(kept)
    with pytest.raises(ChainMoved):
        reader.read_balances(pin, holdings)
    with pytest.raises(ChainMoved):
        reader.scan_transfers(kept.height, pin.block, [holdings[0].address], [harness.native])


def test_a_block_nobody_has_is_not_canonical(harness: ReaderHarness) -> None:
    reader = harness.reader()
    head = reader.pin(now=harness.now()).block
    digits = "".join("1" if c == "0" else "0" if c == "1" else c for c in head.block_hash[-64:])
    changed = head.block_hash[:-64] + digits
    assert reader.is_canonical(head)
    assert not reader.is_canonical(BlockRef(head.chain_id, head.height, changed, head.parent_hash, head.timestamp))
    assert not reader.is_canonical(BlockRef(head.chain_id, head.height + 9, changed, head.parent_hash, head.timestamp))
    with pytest.raises(ReadError):
        reader.block_at(head.height + 9)


def test_transfers_explain_the_change_of_balance(harness: ReaderHarness) -> None:
    """For a receiver that pays no fee: opening + in = closing, exactly, and no movement twice."""
    person, other = harness.new_address(), harness.new_address()
    reader = harness.reader()
    opening = reader.pin(now=harness.now()).block
    assets = all_assets(harness)
    payers = {}
    for asset in assets:
        payers[asset.asset_id] = harness.pay(person, asset, 1_000_000)
        harness.mine(2)
        harness.pay(other, asset, 1_500_000)
        harness.pay(person, asset, 2_000_000)
    pin = reader.pin(now=harness.now())
    counted: list[int] = []
    scan = reader.scan_transfers(opening.height + 1, pin.block, [person], assets, counted.append)
    assert [block.height for block in scan.blocks] == list(range(opening.height + 1, pin.block.height + 1))
    assert scan.blocks[0].parent_hash == opening.block_hash
    assert scan.blocks[-1] == pin.block
    assert sum(counted) == len(scan.blocks)
    moved = value_transfers(scan.transfers)
    assert [(t.asset, t.base_units) for t in moved] == [(a, n) for a in assets for n in (1_000_000, 2_000_000)]
    for transfer in moved:
        assert transfer.receiver == person
        assert transfer.block in scan.blocks
    assert len({transfer.transfer_id for transfer in scan.transfers}) == len(scan.transfers)
    closing = reader.read_balances(pin, [Holding(person, asset) for asset in assets])
    assert [observation.base_units for observation in closing] == [3_000_000] * len(assets)
    assert scan.unparsed == {}


def test_a_scan_twice_says_the_same(harness: ReaderHarness) -> None:
    person = harness.new_address()
    harness.pay(person, harness.native, 1_000_000)
    harness.mine(3)
    last = harness.reader().pin(now=harness.now()).block
    first, second = (harness.reader().scan_transfers(0, last, [person], [harness.native]) for _ in range(2))
    assert first == second
    assert len(first.transfers) == 1


def test_addresses_have_one_spelling(harness: ReaderHarness) -> None:
    chain_id = harness.native.chain_id
    assert chain_id is not None
    address = harness.new_address()
    assert harness.plugin.parse_address(chain_id, address) == address
    for bad in harness.bad_addresses:
        with pytest.raises(InvalidValue):
            harness.plugin.parse_address(chain_id, bad)
    for asset in all_assets(harness):
        assert harness.plugin.parse_asset_id(asset.asset_id) == asset.asset_id
    with pytest.raises(InvalidValue):
        harness.plugin.parse_asset_id("cusip:037833100")
    assert harness.native.asset_id.startswith(harness.plugin.namespace + ":")


@pytest.mark.fault("A24")
def test_looking_into_blocks_repeats_nothing_that_the_scan_shows(harness: ReaderHarness) -> None:
    """Where an adapter looks into blocks it answers for each, in order, with a way of looking or a reason."""
    explainer = as_change_explainer(reader := harness.reader())
    if explainer is None:
        assert not getattr(reader, "traces_blocks", False)
        return
    receiver = harness.new_address()
    sender = harness.pay(receiver, harness.native, 5)
    harness.mine(1)
    blocks = [reader.block_at(harness.height() - back) for back in (1, 0)]
    done: list[int] = []
    traces = explainer.trace_blocks(blocks, [sender, receiver], harness.native, done.append)
    assert [trace.block for trace in traces] == blocks
    assert sum(done) == len(blocks)
    for trace in traces:
        assert bool(trace.method) != bool(trace.reason)
        assert trace.transfers == ()
    assert explainer.trace_blocks([], [receiver], harness.native) == []
    stopped = as_change_explainer(harness.stopped_reader())
    assert stopped is not None
    with pytest.raises(NodeUnavailable):
        stopped.trace_blocks(blocks, [receiver], harness.native)
