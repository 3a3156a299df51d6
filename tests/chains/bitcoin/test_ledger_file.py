"""The ledger's file: crashes, other processes, scripts added late, coins given at the start, branches come back."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.bitcoin.block import read_header
from chains.bitcoin.encoding import encode_transaction
from chains.bitcoin.ledger import CoinNotHeld, examine, require_coins
from chains.bitcoin.ledger_file import LedgerFile
from chains.bitcoin.ledger_views import Coin
from chains.bitcoin.networks import MAIN, REGTEST
from chains.bitcoin.transaction import NO_OUTPOINT, Input, Output, decode_transaction, outpoint
from chains.errors import ChainConfigError, ChainMoved, InvalidValue, MalformedAnswer, ProofFailed, ReadError
from tests.chains.bitcoin.model import SUBSIDY, ModelBlock, genesis, mine, pay, random_block

OURS = bytes.fromhex("0014") + b"\x01" * 20
LATE = bytes.fromhex("0014") + b"\x02" * 20
OTHER = bytes.fromhex("0014") + b"\x03" * 20
FRESH = bytes.fromhex("0014") + b"\x04" * 20
"""Paid by none of the random blocks."""


def chain_of(length: int, seed: int = 1, start: Sequence[ModelBlock] = ()) -> list[ModelBlock]:
    """Random blocks on top of some, or of the genesis block."""
    chance = random.Random(seed)
    chain = list(start) or [genesis()]
    for _ in range(length):
        chain.append(random_block(chain[-1], [OURS, LATE, OTHER], chance))
    return chain


CHAIN = chain_of(112)
BRANCH = chain_of(6, seed=2, start=CHAIN[:108])
"""Leaves the other chain after block 107, and is longer."""


@pytest.fixture
def ledger() -> Iterator[LedgerFile]:
    """In memory, begun at the genesis block, without scripts."""
    with LedgerFile(None, REGTEST) as opened:
        opened.begin(read_header(CHAIN[0].raw), 0)
        yield opened


def apply(ledger: LedgerFile, blocks: Sequence[ModelBlock]) -> None:
    ledger.apply(block.pair for block in blocks)


def held(ledger: LedgerFile, script: bytes, block: ModelBlock) -> int | None:
    balance = ledger.balances([script], block.block_hash)[script]
    return balance.base_units if balance is not None else None


def load_all(ledger: LedgerFile, chain: Sequence[ModelBlock], step: int = 30) -> None:
    """Go on with every load until there is none."""
    while loads := ledger.loads():
        for load in loads:
            first = load.next_height
            ledger.apply_load(load.load_id, [block.pair for block in chain[first : first + step]])


# Opening --------------------------------------------------------------------------------------------------------------


def test_a_file_is_taken_up_where_it_was_left(tmp_path: Path) -> None:
    with LedgerFile(tmp_path / "ledger.sqlite", REGTEST) as ledger:
        ledger.begin(read_header(CHAIN[0].raw), 0)
        ledger.add_scripts([OURS], 1)
        apply(ledger, CHAIN[1:106])
    with LedgerFile(tmp_path / "ledger.sqlite", REGTEST) as ledger:
        assert ledger.tip == CHAIN[105].pair[0].header.ref(REGTEST, 105)
        apply(ledger, CHAIN[106:])
        assert held(ledger, OURS, CHAIN[-1]) == CHAIN[-1].balance(OURS) > 0
        assert ledger.add_scripts([OURS], 1) == 0


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    LedgerFile(tmp_path / "ledger.sqlite", REGTEST).close()
    with pytest.raises(ChainConfigError, match="network 'regtest', not 'main'"):
        LedgerFile(tmp_path / "ledger.sqlite", MAIN)
    with pytest.raises(ChainConfigError, match="genesis"):
        LedgerFile(tmp_path / "ledger.sqlite", replace(REGTEST, genesis_hash="0" * 64))
    LedgerFile(tmp_path / "ledger.sqlite", REGTEST).close()


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    LedgerFile(tmp_path / "ledger.sqlite", REGTEST).close()
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    connection.execute("UPDATE meta SET value = '0' WHERE name = 'format'")
    connection.commit()
    connection.close()
    with pytest.raises(ChainConfigError, match="format '0', not '4'"):
        LedgerFile(tmp_path / "ledger.sqlite", REGTEST)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"no database, but long enough to look like something" * 100)
    with pytest.raises(ChainConfigError, match="damaged"):
        LedgerFile(tmp_path / "ledger.sqlite", REGTEST)
    with pytest.raises(ChainConfigError, match="cannot be opened"):
        LedgerFile(tmp_path / "no such folder" / "ledger.sqlite", REGTEST)


def test_events_are_never_changed_nor_removed(tmp_path: Path) -> None:
    with LedgerFile(tmp_path / "ledger.sqlite", REGTEST) as ledger:
        ledger.begin(read_header(CHAIN[0].raw), 0)
        ledger.add_scripts([OURS], 1)
        apply(ledger, CHAIN[1:])
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    for statement in ("UPDATE event SET delta = 0", "DELETE FROM event"):
        with pytest.raises(sqlite3.IntegrityError, match="events are never"):
            connection.execute(statement)
    connection.close()


DYING = """
import os, sys
from pathlib import Path
from chains.bitcoin.ledger_file import LedgerFile
from chains.bitcoin.networks import REGTEST
from tests.chains.bitcoin.test_ledger_file import CHAIN

ledger = LedgerFile(Path(sys.argv[1]), REGTEST)

def blocks():
    for block in CHAIN[106:]:
        if block.height == 109:
            os._exit(9)
        yield block.pair

ledger.apply(blocks())
"""


def test_a_process_that_dies_leaves_whole_runs(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with LedgerFile(path, REGTEST) as ledger:
        ledger.begin(read_header(CHAIN[0].raw), 0)
        ledger.add_scripts([OURS], 1)
        apply(ledger, CHAIN[1:106])
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", DYING, str(path)], cwd=root, capture_output=True, text=True)
    assert done.returncode == 9, done.stderr
    with LedgerFile(path, REGTEST) as ledger:
        assert ledger.tip is not None
        assert ledger.tip.height == 105
        apply(ledger, CHAIN[106:])
        assert held(ledger, OURS, CHAIN[-1]) == CHAIN[-1].balance(OURS)


def test_what_another_process_wrote_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with LedgerFile(path, REGTEST) as one, LedgerFile(path, REGTEST) as two:
        one.begin(read_header(CHAIN[0].raw), 0)
        one.add_scripts([OURS], 1)
        apply(one, CHAIN[1:])
        assert two.add_scripts([OURS], 1) == 0
        two.add_scripts([FRESH], len(CHAIN))
        paid = mine(CHAIN[-1], coinbase_outputs=[Output(5, FRESH)])
        apply(one, [paid])  # must match the script that the other added
        assert held(two, OURS, paid) == paid.balance(OURS)
        assert held(one, FRESH, paid) == held(two, FRESH, paid) == 5


def test_a_run_with_a_bad_block_leaves_nothing(ledger: LedgerFile) -> None:
    ledger.add_scripts([OURS], 1)
    apply(ledger, CHAIN[1:100])
    with pytest.raises(ProofFailed, match="does not follow"):
        apply(ledger, [*CHAIN[100:105], CHAIN[106]])
    assert ledger.tip == CHAIN[99].pair[0].header.ref(REGTEST, 99)
    apply(ledger, CHAIN[100:])
    assert held(ledger, OURS, CHAIN[-1]) == CHAIN[-1].balance(OURS)


def test_a_file_that_another_process_holds_is_a_failed_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chains.bitcoin.ledger_schema.BUSY_WAIT_SECONDS", 0.05)
    path = tmp_path / "ledger.sqlite"
    with LedgerFile(path, REGTEST) as ledger:
        ledger.begin(read_header(CHAIN[0].raw), 0)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ReadError, match="used by another process"):
            apply(ledger, CHAIN[1:3])
        other.execute("ROLLBACK")
        other.close()
        apply(ledger, CHAIN[1:3])


def test_a_file_damaged_while_it_is_used_is_a_failed_read(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with LedgerFile(path, REGTEST) as ledger:
        ledger.begin(read_header(CHAIN[0].raw), 0)
        ledger.add_scripts([OURS], 1)
        apply(ledger, CHAIN[1:])
        connection = sqlite3.connect(path)
        connection.execute("DROP TABLE balance")
        connection.commit()
        connection.close()
        with pytest.raises(ReadError, match="cannot be used"):
            ledger.balances([OURS], CHAIN[-1].block_hash)


# Blocks ---------------------------------------------------------------------------------------------------------------


def test_a_ledger_begins_once_and_at_the_right_genesis() -> None:
    with LedgerFile(None, REGTEST) as ledger:
        assert ledger.tip is None
        for forbidden in (lambda: apply(ledger, CHAIN[1:2]), lambda: ledger.add_scripts([OURS], 1)):
            with pytest.raises(InvalidValue, match="has not begun"):
                forbidden()
        with pytest.raises(ProofFailed, match="not at height"):
            ledger.begin(read_header(CHAIN[0].raw), 5)
        with pytest.raises(ProofFailed, match="not at height"):
            ledger.begin(read_header(CHAIN[5].raw[:80]), 0)
        altered = replace(read_header(CHAIN[0].raw), hash=bytes(32))
        with pytest.raises(ProofFailed, match="not the genesis"):
            ledger.begin(altered, 0)
        ledger.begin(read_header(CHAIN[5].raw[:80]), 5)
        with pytest.raises(InvalidValue, match="begun already"):
            ledger.begin(read_header(CHAIN[5].raw[:80]), 5)


@pytest.mark.parametrize(
    ("altered", "why"),
    [
        (lambda coin: Output(coin.value, OTHER), "other than the block that made it"),
        (lambda coin: Output(coin.value + 1, coin.script), "other than the block that made it"),
    ],
)
def test_undo_data_that_hides_or_alters_a_debit_is_refused(ledger: LedgerFile, altered: object, why: str) -> None:
    ledger.add_scripts([OURS], 1)
    apply(ledger, CHAIN[1:])
    name = next(name for name, coin in CHAIN[-1].coins.items() if coin.output.script == OURS and coin.height < 10)
    spender = mine(CHAIN[-1], [pay([name], [Output(1, OTHER)])])
    block, spent = spender.pair
    assert callable(altered)
    with pytest.raises(ProofFailed, match=why):
        ledger.apply([(block, [[], [altered(spent[1][0])]])])
    ledger.apply([(block, spent)])


def test_undo_data_that_invents_a_debit_is_refused(ledger: LedgerFile) -> None:
    ledger.add_scripts([OURS], 1)
    apply(ledger, CHAIN[1:])
    name = next(name for name, coin in CHAIN[-1].coins.items() if coin.output.script == OTHER and coin.height < 10)
    block, spent = mine(CHAIN[-1], [pay([name], [Output(1, OTHER)])]).pair
    with pytest.raises(ProofFailed, match="which our ledger does not hold"):
        ledger.apply([(block, [[], [Output(spent[1][0].value, OURS)]])])
    ledger.apply([(block, spent)])


def test_a_branch_that_comes_back_is_the_same(ledger: LedgerFile) -> None:
    ledger.add_scripts([OURS], 1)
    apply(ledger, CHAIN[1:])
    ledger.rewind(CHAIN[107].block_hash)
    apply(ledger, BRANCH[108:])
    assert held(ledger, OURS, CHAIN[-1]) == CHAIN[-1].balance(OURS)
    ledger.rewind(CHAIN[107].block_hash)
    apply(ledger, CHAIN[108:])
    for block in (*CHAIN[100:], *BRANCH[108:]):
        assert held(ledger, OURS, block) == block.balance(OURS)
    assert ledger.is_active(CHAIN[-1].block_hash)
    assert not ledger.is_active(BRANCH[-1].block_hash)


def test_what_lies_after_the_block_is_told_apart(ledger: LedgerFile) -> None:
    ledger.add_scripts([OURS], 1)
    apply(ledger, CHAIN[1:])
    balance = ledger.balances([OURS], CHAIN[-6].block_hash)[OURS]
    assert balance is not None
    assert balance.base_units == CHAIN[-6].balance(OURS)
    assert balance.base_units + balance.received_later - balance.spent_later == CHAIN[-1].balance(OURS)
    assert balance.received_later > 0


def test_a_block_that_the_ledger_does_not_hold(ledger: LedgerFile) -> None:
    ledger.add_scripts([OURS], 1)
    apply(ledger, CHAIN[1:108])
    with pytest.raises(InvalidValue, match="does not hold"):
        ledger.balances([OURS], CHAIN[108].block_hash)
    with pytest.raises(InvalidValue, match="does not hold"):
        ledger.rewind(CHAIN[108].block_hash)
    apply(ledger, CHAIN[108:])
    assert ledger.rewind(CHAIN[107].block_hash) == len(CHAIN) - 108
    with pytest.raises(InvalidValue, match="not on the chain"):
        ledger.rewind(CHAIN[108].block_hash)


def test_a_coinbase_that_overwrites_an_earlier_one() -> None:
    """BIP-30: two coinbases of one id, as in blocks 91722 and 91880 of main. The earlier coin is lost."""
    network = replace(REGTEST, name="main")  # where coinbases may leave out their height below block 227931
    written = encode_transaction([Input(NO_OUTPOINT, b"twice", 0)], [Output(SUBSIDY, OURS)])
    first = mine(genesis(), coinbase=written)
    between = mine(first, coinbase_outputs=[Output(7, OURS)])
    again = mine(between, coinbase=written)
    with LedgerFile(None, network) as ledger:
        ledger.begin(read_header(CHAIN[0].raw), 0)
        ledger.add_scripts([OURS], 1)
        apply(ledger, [first, between, again])
        for block in (first, between, again):
            assert held(ledger, OURS, block) == block.balance(OURS)
        coins = ledger.coins([OURS], again.block_hash)
        assert [(coin.value, coin.height) for coin in coins] == [(7, 2), (SUBSIDY, 3)]
        blocks = [again]
        for _ in range(100):
            blocks.append(mine(blocks[-1]))
        blocks.append(mine(blocks[-1], [pay([outpoint(decode_transaction(written).txid, 0)], [Output(5, OURS)])]))
        apply(ledger, blocks[1:])
        assert held(ledger, OURS, blocks[-1]) == blocks[-1].balance(OURS) == 12


# Scripts that are added late ------------------------------------------------------------------------------------------


def test_a_script_has_no_balance_before_its_past_is_read(ledger: LedgerFile) -> None:
    ledger.add_scripts([OURS], 1)
    apply(ledger, CHAIN[1:])
    assert ledger.unknown_scripts([OURS, LATE, LATE]) == [LATE]
    assert ledger.add_scripts([LATE, OURS], 1) == 1
    assert ledger.unknown_scripts([OURS, LATE]) == []
    assert held(ledger, LATE, CHAIN[-1]) is None
    assert held(ledger, OTHER, CHAIN[-1]) is None
    with pytest.raises(InvalidValue, match="not known"):
        ledger.coins([LATE], CHAIN[-1].block_hash)
    load_all(ledger, CHAIN)
    for block in CHAIN[1:]:
        assert held(ledger, LATE, block) == block.balance(LATE)
    assert ledger.loads() == []


def test_a_script_is_not_known_before_the_height_it_was_added_for(ledger: LedgerFile) -> None:
    ledger.add_scripts([OURS], 1)
    apply(ledger, CHAIN[1:51])
    ledger.add_scripts([FRESH], 60)
    apply(ledger, CHAIN[51:])
    assert held(ledger, FRESH, CHAIN[59]) is None
    assert held(ledger, FRESH, CHAIN[60]) == 0


def test_a_script_that_was_paid_before_the_height_it_was_added_for_is_noticed(ledger: LedgerFile) -> None:
    apply(ledger, CHAIN[1:])
    ledger.add_scripts([OURS], len(CHAIN))
    name = next(name for name, coin in CHAIN[-1].coins.items() if coin.output.script == OURS and coin.height < 10)
    with pytest.raises(ProofFailed, match=r"history_from_height.*--coins scan"):
        apply(ledger, [mine(CHAIN[-1], [pay([name], [Output(1, OTHER)])])])


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_loads_end_the_same_whatever_happens_meanwhile(seed: int) -> None:
    """Blocks that come, branches that win, loads that stop in their middle: the end is the set of coins."""
    chance = random.Random(seed)
    with LedgerFile(None, REGTEST) as ledger:
        begin = chance.choice([0, 20, 105])
        ledger.begin(read_header(CHAIN[begin].raw[:80]), begin)
        ledger.add_scripts([FRESH], begin + 1)
        apply(ledger, CHAIN[begin + 1 :])
        ledger.add_scripts([LATE], 1)
        chain = CHAIN
        for _ in range(chance.randint(1, 8)):
            if chance.random() < 0.3:
                ledger.rewind(CHAIN[107].block_hash)
                chain = BRANCH if chain is CHAIN else CHAIN
                apply(ledger, chain[108:])
            for load in ledger.loads():
                first = load.next_height
                ledger.apply_load(load.load_id, [block.pair for block in chain[first : first + chance.randint(1, 70)]])
        load_all(ledger, chain)
        for block in chain[1:]:
            assert held(ledger, LATE, block) == block.balance(LATE)
        for block in (*CHAIN[108:], *BRANCH[108:]):  # on a branch that it was not matched on, nothing is claimed
            if ledger.block(block.block_hash) is not None:
                assert held(ledger, LATE, block) in (None, block.balance(LATE))


def test_a_load_reads_the_chain_of_the_ledger_and_no_other(ledger: LedgerFile) -> None:
    ledger.add_scripts([OURS], 1)
    apply(ledger, CHAIN[1:])
    ledger.add_scripts([LATE], 1)
    (load,) = ledger.loads()
    ledger.apply_load(load.load_id, [block.pair for block in CHAIN[1:108]])
    with pytest.raises(ChainMoved, match="is not the ledger's block 108"):
        ledger.apply_load(load.load_id, [BRANCH[108].pair])
    with pytest.raises(ChainMoved, match="does not follow"):
        ledger.apply_load(load.load_id, [CHAIN[109].pair])
    assert ledger.apply_load(load.load_id, [block.pair for block in CHAIN[108:]])
    with pytest.raises(ChainMoved, match="no load"):
        ledger.apply_load(load.load_id, [])


def test_a_past_that_does_not_join_the_ledger_is_refused() -> None:
    with LedgerFile(None, REGTEST) as ledger:
        ledger.begin(read_header(BRANCH[109].raw[:80]), 109)
        ledger.add_scripts([LATE], 1)
        (load,) = ledger.loads()
        with pytest.raises(ProofFailed, match="does not join"):
            ledger.apply_load(load.load_id, [block.pair for block in CHAIN[1:109]])
        ledger.apply_load(load.load_id, [block.pair for block in BRANCH[1:110]])
        assert held(ledger, LATE, BRANCH[109]) == BRANCH[109].balance(LATE)


# Coins given at the start ---------------------------------------------------------------------------------------------


def coins_of(block: ModelBlock, script: bytes) -> list[Coin]:
    """As a set of coins tells them."""
    return [
        Coin(name, script, coin.output.value, coin.height, coin.is_coinbase, block.height - coin.height + 1)
        for name, coin in block.coins.items()
        if coin.output.script == script
    ]


@pytest.mark.parametrize("at", [105, 112])
def test_a_script_may_begin_with_the_coins_of_a_block(ledger: LedgerFile, at: int) -> None:
    apply(ledger, CHAIN[1:])
    block = CHAIN[at]
    assert ledger.add_scripts_with_coins([OURS], coins_of(block, OURS), block.block_hash) == 1
    load_all(ledger, CHAIN)
    chain = chain_of(5, seed=9, start=CHAIN)
    apply(ledger, chain[113:])
    for each in chain[at:]:
        balance = ledger.balances([OURS], each.block_hash)[OURS]
        assert balance is not None
        assert (balance.base_units, balance.immature) == (each.balance(OURS), each.immature(OURS))
    assert held(ledger, OURS, CHAIN[at - 1]) is None


def test_coins_given_at_a_block_that_is_orphaned_are_forgotten(ledger: LedgerFile) -> None:
    apply(ledger, CHAIN[1:])
    ledger.add_scripts_with_coins([OURS], coins_of(CHAIN[-1], OURS), CHAIN[-1].block_hash)
    assert held(ledger, OURS, CHAIN[-1]) == CHAIN[-1].balance(OURS)
    ledger.rewind(CHAIN[107].block_hash)
    apply(ledger, BRANCH[108:])
    assert held(ledger, OURS, BRANCH[-1]) is None
    assert ledger.unknown_scripts([OURS]) == [OURS]
    assert ledger.lost_openings([OURS, OTHER]) == {OURS}
    ledger.add_scripts_with_coins([OURS], coins_of(BRANCH[-1], OURS), BRANCH[-1].block_hash)
    assert held(ledger, OURS, BRANCH[-1]) == BRANCH[-1].balance(OURS)


def test_a_coin_left_out_at_the_start_is_noticed_when_it_is_spent(ledger: LedgerFile) -> None:
    apply(ledger, CHAIN[1:])
    coins = coins_of(CHAIN[-1], OURS)
    left_out = next(coin for coin in coins if coin.height < 10)
    ledger.add_scripts_with_coins([OURS], [coin for coin in coins if coin != left_out], CHAIN[-1].block_hash)
    with pytest.raises(ProofFailed, match="which our ledger does not hold"):
        apply(ledger, [mine(CHAIN[-1], [pay([left_out.outpoint], [Output(1, OTHER)])])])


def test_scripts_that_are_given_up_begin_anew_with_coins(ledger: LedgerFile) -> None:
    """As a missing coin is cured: what was followed too late is left, what a set of coins says takes its place."""
    apply(ledger, CHAIN[1:])
    ledger.add_scripts([OURS, LATE], len(CHAIN))
    coins = [coin for script in (OURS, LATE) for coin in coins_of(CHAIN[-1], script)]
    assert ledger.paid_below(coins) == {OURS, LATE}
    assert ledger.paid_below(replace(coin, height=len(CHAIN)) for coin in coins) == set()
    assert ledger.began_with_coins([OURS]) == set()
    assert ledger.give_up([OURS, OTHER, OURS]) == 1
    assert held(ledger, OURS, CHAIN[-1]) is None
    assert ledger.lost_openings([OURS]) == set()  # it began with blocks: its past can be read
    ledger.add_scripts_with_coins([OURS], coins_of(CHAIN[-1], OURS), CHAIN[-1].block_hash)
    assert ledger.began_with_coins([OURS, LATE]) == {OURS}
    assert ledger.paid_below(coins) == {LATE}
    chain = chain_of(4, seed=11, start=CHAIN)
    ledger.give_up([LATE])
    apply(ledger, chain[113:])
    assert held(ledger, OURS, chain[-1]) == chain[-1].balance(OURS)


def test_what_was_looked_into_elsewhere_is_held_against_the_same_scripts_and_height(ledger: LedgerFile) -> None:
    ledger.add_scripts([OURS], 1)
    looks = [examine(*block.pair, REGTEST, block.height, ledger.watched(None)) for block in CHAIN[1:]]
    ledger.apply(looks[:105])
    with pytest.raises(ProofFailed, match="does not follow"):
        ledger.apply(looks[106:])
    with pytest.raises(ChainMoved, match="begin again"):
        ledger.apply([replace(looks[105], height=7)])
    ledger.apply(looks[105:])
    assert held(ledger, OURS, CHAIN[-1]) == CHAIN[-1].balance(OURS) > 0
    more = chain_of(1, seed=12, start=CHAIN)[-1]
    look = examine(*more.pair, REGTEST, more.height, ledger.watched(None))
    ledger.add_scripts([FRESH], len(CHAIN))
    with pytest.raises(ChainMoved, match="other scripts"):
        ledger.apply([look])
    spends = next(each for each in looks if {debit.outpoint for debit in each.events.debits} - each.made_here)
    with pytest.raises(CoinNotHeld) as missing:
        require_coins(spends, {})
    assert missing.value.script == OURS


def test_coins_that_cannot_be_are_refused(ledger: LedgerFile) -> None:
    apply(ledger, CHAIN[1:])
    coins = coins_of(CHAIN[-1], OURS)
    tip = CHAIN[-1].block_hash
    for bad in (replace(coins[0], script=OTHER), replace(coins[0], height=113)):
        with pytest.raises(InvalidValue, match="a coin is"):
            ledger.add_scripts_with_coins([OURS], [bad], tip)
    ledger.add_scripts_with_coins([OURS], coins, tip)
    with pytest.raises(InvalidValue, match="watched already"):
        ledger.add_scripts_with_coins([OURS], coins, tip)


def test_undo_data_must_have_its_form(ledger: LedgerFile) -> None:
    block, _ = CHAIN[1].pair
    with pytest.raises(MalformedAnswer):
        ledger.apply([(block, [])])
    assert ledger.tip is not None
    assert ledger.tip.height == 0
