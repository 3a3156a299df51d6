"""The reader on the recorded node: its balances and movements are those that the node itself told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chains.bitcoin import chain_plugin
from chains.bitcoin.follower import NotOnboarded
from chains.bitcoin.networks import REGTEST
from chains.bitcoin.reader import BitcoinReader
from chains.errors import (
    ChainConfigError,
    ChainMoved,
    InvalidValue,
    MalformedAnswer,
    NodeUnavailable,
    ProofFailed,
    ReadError,
    StaleHead,
    StateUnavailable,
    WrongChain,
)
from chains.reader import ChainConfig, NodeConfig, ReadLimits, prepare_balances
from chains.types import Address, Asset, Finality, Holding, ReadStatus, TransferKind
from tests.chains.bitcoin.recorded import RecordedCore, blocks, expected, serving, state

COIN = Asset(REGTEST.asset_id, "BTC", 8)
CONFIG = ChainConfig(
    chain_id=REGTEST.chain_id,
    name="regtest",
    genesis_hash=REGTEST.genesis_hash,
    nodes=(),
    finality=Finality.parse("latest"),
    native_asset=COIN,
    header_format="bitcoin",
    limits=ReadLimits(attempts_max=1, retry_wait_seconds_max=0),
)
STAGES = ("before_spends", "before_reorg", "after_reorg")
ADDRESSES = {label: Address(one["address"]) for label, one in expected()["scripts"].items()}
HOLDINGS = [Holding(address, COIN) for address in ADDRESSES.values()]
YOUNG = [Holding(ADDRESSES[label], COIN) for label in ("p2pkh_a", "p2wpkh_a", "p2tr_a", "never_used")]
"""Nobody paid these before block 107."""

Open = Callable[..., BitcoinReader]


@pytest.fixture
def core() -> Iterator[RecordedCore]:
    with serving(RecordedCore()) as served:
        yield served


@pytest.fixture
def open_reader(core: RecordedCore) -> Iterator[Open]:
    """Opens readers of the recorded node, with changes to the configuration."""
    opened: list[BitcoinReader] = []

    def open_one(**changes: object) -> BitcoinReader:
        reader = chain_plugin.open(replace(CONFIG, **changes), NodeConfig("node-1", "operator-1", core.url))  # type: ignore[arg-type]
        opened.append(reader)
        return reader

    yield open_one
    for reader in opened:
        reader.close()


def now_of(core: RecordedCore) -> datetime:
    return datetime.fromtimestamp(int.from_bytes(core.chain()[-1].raw[68:72], "little"), UTC) + timedelta(seconds=1)


def balances_of(reader: BitcoinReader, core: RecordedCore) -> dict[str, int | None]:
    pin = reader.pin(now=now_of(core))
    observations = reader.read_balances(pin, HOLDINGS)
    assert [observation.holding for observation in observations] == HOLDINGS
    return dict(zip(ADDRESSES, (observation.base_units for observation in observations), strict=True))


def told(stage: str) -> dict[str, int]:
    return {label: one["balance_sat"] for label, one in state(stage)["scripts"].items()}


# What it reads ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "how"),
    # What blocks spend was recorded as JSON at the last stage only.
    [*((stage, "rest") for stage in STAGES)]
    + [("after_reorg", how) for how in ("rest without undo", "json-rpc", "json-rpc 1.0")],
)
def test_balances_are_those_of_the_nodes_own_set(core: RecordedCore, open_reader: Open, stage: str, how: str) -> None:
    core.stage = stage
    core.has_rest = "rest" in how
    core.has_spent_outputs = how == "rest"
    core.is_legacy = how.endswith("1.0")
    reader = open_reader()
    reader.identify()
    assert balances_of(reader, core) == told(stage)
    assert any(told(stage).values())
    pin = reader.pin(now=now_of(core))
    methods = {observation.method for observation in reader.read_balances(pin, HOLDINGS)}
    assert methods == {"ledger" if how == "rest" else "ledger-getblock-3"}


def test_one_ledger_goes_through_a_reorganisation(core: RecordedCore, open_reader: Open, tmp_path: Path) -> None:
    for stage in (*STAGES, "before_reorg", "after_reorg", "before_spends", "after_reorg"):
        core.stage = stage
        asked = len(core.asked)
        reader = open_reader(state_directory=tmp_path)
        assert balances_of(reader, core) == told(stage)
        reader.close()
        read = [path for path in core.asked[asked:] if path.startswith("/rest/block/")]
        assert len(read) < 10 or stage == "before_spends"
    assert [file.name for file in tmp_path.iterdir()] == ["bitcoin-regtest-node-1.sqlite"]


@pytest.mark.parametrize("step", [1, 7, 116])
def test_a_long_walk_goes_in_steps(
    core: RecordedCore, open_reader: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr("chains.bitcoin.follower.HEADERS_PER_STEP", step)
    monkeypatch.setattr("chains.bitcoin.follower.BLOCKS_PER_RUN", 5)
    for stage in ("before_reorg", "after_reorg"):
        core.stage = stage
        assert balances_of(open_reader(state_directory=tmp_path), core) == told(stage)


def test_a_branch_that_changes_during_a_walk_is_walked_back(
    core: RecordedCore, open_reader: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chains.bitcoin.follower.HEADERS_PER_STEP", 57)
    core.stage = "before_reorg"
    reader = open_reader(state_directory=tmp_path)
    pin = reader.pin(now=now_of(core))
    honest = core.resource

    def switching(path: str) -> tuple[int, bytes]:
        if core.chain()[114].block_hash in path:  # a block of the branch that goes while it is being read
            core.stage = "after_reorg"
        return honest(path)

    monkeypatch.setattr(core, "resource", switching)
    with pytest.raises(ChainMoved):
        reader.read_balances(pin, HOLDINGS)
    assert core.stage == "after_reorg"
    assert balances_of(reader, core) == told("after_reorg")


@pytest.mark.parametrize("stage", STAGES)
def test_movements_are_those_that_the_node_told(core: RecordedCore, open_reader: Open, stage: str) -> None:
    core.stage = stage
    reader = open_reader()
    pin = reader.pin(now=now_of(core))
    scan = reader.scan_transfers(0, pin.block, ADDRESSES.values(), [COIN])
    assert [block.block_hash for block in scan.blocks] == [block.block_hash for block in core.chain()]
    assert (scan.mode, scan.mode_note, scan.unparsed) == ("blocks", "", {})
    moved: Counter[tuple[str, str, Address | None]] = Counter()
    for transfer in scan.transfers:
        if transfer.sender in ADDRESSES.values():
            moved[transfer.block.block_hash, transfer.tx_id, transfer.sender] -= transfer.base_units
        if transfer.receiver in ADDRESSES.values():
            moved[transfer.block.block_hash, transfer.tx_id, transfer.receiver] += transfer.base_units
    chain = {block.block_hash for block in core.chain()}
    rows = [row for row in expected()["movements"] if row["block_hash"] in chain]
    assert {key: delta for key, delta in moved.items() if delta} == {
        (row["block_hash"], row["txid"], ADDRESSES[row["label"]]): row["delta_sat"] for row in rows if row["delta_sat"]
    }
    assert {transfer.kind for transfer in scan.transfers} >= {TransferKind.NATIVE, TransferKind.COINBASE}
    assert len({transfer.transfer_id for transfer in scan.transfers}) == len(scan.transfers)


def test_a_scan_reads_again_only_what_the_ledger_knows_to_matter(core: RecordedCore, open_reader: Open) -> None:
    reader = open_reader()
    pin = reader.pin(now=now_of(core))
    without = open_reader().scan_transfers(1, pin.block, ADDRESSES.values(), [COIN])
    reader.read_balances(pin, HOLDINGS)

    def read_again(addresses: list[Address], first: int) -> int:
        asked = len(core.asked)
        scan = reader.scan_transfers(first, pin.block, addresses, [COIN])
        assert scan.transfers == tuple(
            transfer for transfer in without.transfers if transfer.block.height >= first
        ) or addresses != list(ADDRESSES.values())
        return sum(path.startswith("/rest/block/") for path in core.asked[asked:])

    everybody = list(ADDRESSES.values())
    touched = {transfer.block.height for transfer in without.transfers}
    assert 5 < read_again(everybody, 1) <= len(touched) + 1
    assert read_again(everybody, 110) < 7
    assert read_again([ADDRESSES["never_used"]], 1) == 0
    # The block at which the ledger begins was not read for it, and a stranger is not in it.
    assert read_again(everybody, 0) == pin.block.height + 1
    assert read_again([*everybody, Address("mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKrY8")], 110) == 7


def test_the_weaker_way_says_so(core: RecordedCore, open_reader: Open) -> None:
    core.has_rest = False
    reader = open_reader()
    scan = reader.scan_transfers(100, reader.pin(now=now_of(core)).block, ADDRESSES.values(), [COIN])
    assert scan.mode == "getblock-3"
    assert "REST" in scan.mode_note
    assert reader.probe(now_of(core))["blocks-by"] == "json-rpc"


def test_an_older_block_is_read_without_rewinding_the_node(core: RecordedCore, open_reader: Open) -> None:
    reader = open_reader()
    before = reader.pin(height=state("before_spends")["height"], now=now_of(core))
    assert before.block.block_hash == state("before_spends")["block_hash"]
    found = [observation.base_units for observation in reader.read_balances(before, HOLDINGS)]
    assert dict(zip(ADDRESSES, found, strict=True)) == told("before_spends")
    assert balances_of(reader, core) == told("after_reorg")
    again = [observation.base_units for observation in reader.read_balances(before, HOLDINGS)]
    assert again == found
    assert not any(call.startswith("invalidateblock") for call in core.asked)


def test_a_wallet_that_comes_later_has_its_past_read(core: RecordedCore, open_reader: Open, tmp_path: Path) -> None:
    reader = open_reader(state_directory=tmp_path)
    pin = reader.pin(now=now_of(core))
    (first,) = reader.read_balances(pin, HOLDINGS[:1])
    assert first.base_units == told("after_reorg")["p2pkh_a"]
    asked = len(core.asked)
    assert balances_of(reader, core) == told("after_reorg")
    assert sum(path.startswith("/rest/block/") for path in core.asked[asked:]) == pin.block.height
    asked = len(core.asked)
    assert balances_of(reader, core) == told("after_reorg")
    assert not any(path.startswith("/rest/") for path in core.asked[asked:])


def test_too_long_a_past_is_not_read_by_a_sweep(core: RecordedCore, open_reader: Open, tmp_path: Path) -> None:
    reader = open_reader(catch_up_blocks_max=116, state_directory=tmp_path)
    pin = reader.pin(now=now_of(core))
    (known,) = reader.read_balances(pin, HOLDINGS[:1])
    assert known.status is ReadStatus.OK
    short = open_reader(catch_up_blocks_max=115, state_directory=tmp_path)
    old, new = short.read_balances(pin, HOLDINGS[:2])
    assert (old.status, old.base_units) == (ReadStatus.OK, known.base_units)
    assert (new.status, new.base_units) == (ReadStatus.FAILED, None)
    assert new.reason.startswith("not-onboarded: ")
    assert "custody chain load" in new.reason
    fresh = open_reader(catch_up_blocks_max=115, state_directory=tmp_path / "fresh")
    assert {observation.status for observation in fresh.read_balances(pin, HOLDINGS)} == {ReadStatus.FAILED}


def test_a_new_wallet_with_a_long_past_stops_no_other(core: RecordedCore, open_reader: Open, tmp_path: Path) -> None:
    core.stage = "before_spends"
    reader = open_reader(state_directory=tmp_path)
    reader.read_balances(reader.pin(now=now_of(core)), HOLDINGS[:1])
    core.stage = "after_reorg"
    short = open_reader(catch_up_blocks_max=7, state_directory=tmp_path)
    pin = short.pin(now=now_of(core))
    for _ in range(2):
        old, new = short.read_balances(pin, HOLDINGS[:2])
        assert (old.status, old.base_units) == (ReadStatus.OK, told("after_reorg")["p2pkh_a"])
        assert (new.status, new.reason[:13]) == (ReadStatus.FAILED, "not-onboarded")
    with pytest.raises(NotOnboarded):
        short.coins(pin, [HOLDINGS[1].address])
    assert balances_of(open_reader(state_directory=tmp_path), core) == told("after_reorg")


def test_the_past_of_all_is_read_once(core: RecordedCore, open_reader: Open) -> None:
    reader = open_reader()
    pin = reader.pin(now=now_of(core))
    prepare_balances(reader, pin, [holding.address for holding in HOLDINGS])
    found = [reader.read_balances(pin, [holding])[0].base_units for holding in HOLDINGS]
    assert found == list(told("after_reorg").values())
    assert sum(path.startswith("/rest/block/") for path in core.asked) == pin.block.height


@pytest.mark.fault("A41")
def test_what_cannot_be_spent_yet_is_told_apart(core: RecordedCore, open_reader: Open) -> None:
    """A balance counts every confirmed coin, as the node's own set does; maturity is a fact of each coin."""
    reader = open_reader()
    pin = reader.pin(now=now_of(core))
    coins = reader.coins(pin, [ADDRESSES["coinbase_a"], ADDRESSES["p2wpkh_b"]])
    unspent = state("after_reorg")["scripts"]["coinbase_a"]["unspent"]
    immature = [coin for coin in coins if not coin.is_mature]
    assert [coin.height for coin in immature] == [row["height"] for row in unspent if row["coinbase"]]
    assert all(coin.confirmations == 117 - coin.height for coin in coins)
    assert any(coin.is_mature for coin in coins)


def test_history_may_begin_later(core: RecordedCore, open_reader: Open) -> None:
    reader = open_reader(history_from_height=107)
    found = [observation.base_units for observation in reader.read_balances(reader.pin(now=now_of(core)), YOUNG)]
    assert found == [told("after_reorg")[label] for label in ("p2pkh_a", "p2wpkh_a", "p2tr_a", "never_used")]
    assert sum(path.startswith("/rest/block/") for path in core.asked) == 10
    before = reader.pin(height=105, now=now_of(core))
    with pytest.raises(StateUnavailable, match="begins at block 106"):
        reader.read_balances(before, YOUNG)
    covered = reader.pin(height=106, now=now_of(core))
    assert {observation.status for observation in reader.read_balances(covered, YOUNG)} == {ReadStatus.FAILED}


def test_a_history_that_begins_too_late_is_found_at_the_first_spend(core: RecordedCore, open_reader: Open) -> None:
    reader = open_reader(history_from_height=107)
    with pytest.raises(ProofFailed, match="does not hold"):
        balances_of(reader, core)


# Which block ------------------------------------------------------------------------------------------------------


def test_confirmations_are_counted_from_the_head(core: RecordedCore, open_reader: Open) -> None:
    reader = open_reader(finality=Finality.parse("confirmed(6)"))
    pin = reader.pin(now=now_of(core))
    assert (pin.block.height, pin.header_checked) == (111, True)
    assert pin.block.block_hash == core.chain()[111].block_hash
    assert pin.finality.is_final
    assert not open_reader().pin(now=now_of(core)).finality.is_final
    with pytest.raises(InvalidValue):
        reader.pin(height=112, now=now_of(core))
    with pytest.raises(StaleHead):
        open_reader(finality=Finality.parse("confirmed(118)")).pin(now=now_of(core))


@pytest.mark.fault("A42")
def test_a_node_that_is_not_fit_is_not_asked(core: RecordedCore, open_reader: Open) -> None:
    open_reader().identify()
    info = core.outcome("getblockchaininfo", [])[0]
    core.overrides["getblockchaininfo"] = info.replace('"initialblockdownload":false', '"initialblockdownload":true')
    with pytest.raises(StaleHead, match="initial download"):
        open_reader().identify()
    core.overrides["getblockchaininfo"] = info.replace('"pruned":false', '"pruned":true,"pruneheight":50')
    reader = open_reader()
    reader.identify()
    with pytest.raises(StateUnavailable, match="pruned below 50"):
        reader.read_balances(reader.pin(now=now_of(core)), HOLDINGS)
    later = open_reader(history_from_height=60)
    later.read_balances(later.pin(now=now_of(core)), YOUNG)
    core.overrides["getblockchaininfo"] = info.replace('"chain":"regtest"', '"chain":"main"')
    with pytest.raises(WrongChain):
        open_reader().identify()
    del core.overrides["getblockchaininfo"]
    states = core.outcome("getchainstates", [])[0]
    core.overrides["getchainstates"] = states.replace('"validated":true', '"validated":false')
    with pytest.raises(StateUnavailable, match="assumeutxo"):
        open_reader().identify()
    core.overrides["getchainstates"] = '{"code":-32601,"message":"Method not found"}'
    assert open_reader().probe(now_of(core))["snapshot"] == "not-told"


@pytest.mark.fault("A17")
def test_another_network_is_refused(core: RecordedCore, open_reader: Open) -> None:
    with pytest.raises(WrongChain):
        open_reader(genesis_hash="11" * 32).identify()
    core.overrides["getblockhash [0]"] = f'"{blocks()[core.chain()[1].block_hash].block_hash}"'
    with pytest.raises(WrongChain):
        open_reader().identify()


@pytest.mark.parametrize(
    "changes",
    [
        {"finality": Finality.parse("finalized")},
        {"finality": Finality.parse("safe")},
        {"native_asset": Asset(REGTEST.asset_id, "BTC", 18)},
        {"native_asset": Asset(REGTEST.asset_id.replace("slip44:1", "slip44:0"), "BTC", 8)},  # type: ignore[arg-type]
        {"chain_id": "bip122:" + "0" * 32},
    ],
)
def test_a_configuration_that_cannot_work_is_refused(open_reader: Open, changes: dict[str, object]) -> None:
    with pytest.raises(ChainConfigError):
        open_reader(**changes)


# What is refused --------------------------------------------------------------------------------------------------


def test_a_changed_block_is_refused(core: RecordedCore, open_reader: Open) -> None:
    fund = expected()["blocks"]["fund"]
    raw = bytearray(blocks()[fund].raw)
    raw[-60] ^= 1
    core.rest_overrides[f"/rest/block/{fund}.bin"] = bytes(raw)
    reader = open_reader()
    pin = reader.pin(now=now_of(core))
    with pytest.raises((ProofFailed, MalformedAnswer)):
        reader.read_balances(pin, HOLDINGS)
    with pytest.raises((ProofFailed, MalformedAnswer)):
        reader.scan_transfers(100, pin.block, ADDRESSES.values(), [COIN])


def test_another_block_than_asked_for_is_refused(core: RecordedCore, open_reader: Open) -> None:
    fund, other = expected()["blocks"]["fund"], expected()["blocks"]["opreturn"]
    core.rest_overrides[f"/rest/block/{fund}.bin"] = blocks()[other].raw
    reader = open_reader()
    with pytest.raises(MalformedAnswer):
        reader.read_balances(reader.pin(now=now_of(core)), HOLDINGS)


def test_a_spend_that_the_node_hides_is_found(core: RecordedCore, open_reader: Open) -> None:
    """Undo data that names another script for a coin of ours contradicts the block that made the coin."""
    spend = expected()["blocks"]["spend1"]
    _, honest = core.resource(f"/rest/spenttxouts/{spend}.bin")
    script = bytes.fromhex(expected()["scripts"]["p2wpkh_a"]["script_hex"])
    assert script in honest
    core.rest_overrides[f"/rest/spenttxouts/{spend}.bin"] = honest.replace(script, script[:-1] + b"\x00")
    reader = open_reader()
    with pytest.raises(ProofFailed):
        reader.read_balances(reader.pin(now=now_of(core)), HOLDINGS)


def test_a_header_without_its_hash_is_refused(core: RecordedCore, open_reader: Open) -> None:
    tip = core.chain()[-1]
    core.overrides[f'getblockheader ["{tip.block_hash}", false]'] = f'"{core.chain()[-2].raw[:80].hex()}"'
    with pytest.raises(MalformedAnswer):
        open_reader().pin(now=now_of(core))


@pytest.mark.fault("A31")
def test_a_pin_that_left_the_chain_is_never_read_at(core: RecordedCore, open_reader: Open) -> None:
    core.stage = "before_reorg"
    reader = open_reader()
    pin = reader.pin(now=now_of(core))
    core.stage = "after_reorg"
    assert not reader.is_canonical(pin.block)
    for ask in (
        lambda: reader.read_balances(pin, HOLDINGS),
        lambda: reader.scan_transfers(100, pin.block, ADDRESSES.values(), [COIN]),
        lambda: reader.asset_problems(pin, [COIN]),
    ):
        with pytest.raises(ChainMoved):
            ask()


def test_a_ledger_of_another_chain_is_not_continued(core: RecordedCore, open_reader: Open, tmp_path: Path) -> None:
    core.stage = "before_reorg"
    reader = open_reader(history_from_height=115, state_directory=tmp_path)
    reader.read_balances(reader.pin(now=now_of(core)), YOUNG[-1:])
    core.stage = "after_reorg"
    with pytest.raises(ProofFailed, match="shares no block"):
        reader.read_balances(reader.pin(now=now_of(core)), YOUNG[-1:])


def test_errors_name_the_node_and_not_its_address(core: RecordedCore) -> None:
    reader = chain_plugin.open(CONFIG, NodeConfig("node-1", "operator-1", "http://verifier:topsecret@127.0.0.1:1"))
    with pytest.raises(NodeUnavailable) as caught:
        reader.identify()
    assert caught.value.node_id == "node-1"
    assert "topsecret" not in str(caught.value)
    core.overrides["getbestblockhash"] = "5"
    own = chain_plugin.open(CONFIG, NodeConfig("node-1", "operator-1", core.url))
    with pytest.raises(ReadError, match=r"^node node-1: "):
        own.pin(now=now_of(core))
    reader.close()
    own.close()


def test_ids_have_one_spelling() -> None:
    assert chain_plugin.parse_asset_id(REGTEST.asset_id) == REGTEST.asset_id
    address = ADDRESSES["p2wpkh_a"]
    assert chain_plugin.parse_address(REGTEST.chain_id, address.upper()) == address
    for bad in (
        f"{REGTEST.chain_id}/slip44:0",
        f"{REGTEST.chain_id}/erc20:0x00",
        "cusip:037833100",
        "eip155:1/slip44:60",
    ):
        with pytest.raises(InvalidValue):
            chain_plugin.parse_asset_id(bad)
