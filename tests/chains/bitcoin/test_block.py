"""Blocks, transactions and undo data read to the letter, and held against the header."""

from __future__ import annotations

import random
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.bitcoin.block import (
    Block,
    check_block,
    merkle_root,
    read_block,
    read_header,
    read_spent,
    script_number,
)
from chains.bitcoin.encoding import encode_block, encode_spent, encode_transaction
from chains.bitcoin.ledger import match_block
from chains.bitcoin.networks import MAIN, REGTEST
from chains.bitcoin.transaction import (
    MONEY_MAX,
    NO_OUTPOINT,
    Input,
    Output,
    decode_transaction,
    id_bytes,
    id_text,
    read_size,
    write_size,
)
from chains.errors import InvalidValue, MalformedAnswer, ProofFailed, ReadError
from tests.chains.bitcoin import recorded
from tests.chains.bitcoin.model import SEQUENCE, ModelBlock, genesis, mine, pay, random_block

SCRIPTS = [bytes.fromhex("0014") + bytes([number]) * 20 for number in range(1, 6)]


def busy_block() -> ModelBlock:
    """A block with payments, witnesses included."""
    chance = random.Random(11)
    block = genesis()
    for _ in range(101):
        block = mine(block, coinbase_outputs=[Output(5_000_000_000, chance.choice(SCRIPTS))])
    first = sorted(name for name, coin in block.coins.items() if coin.height == 1)
    spend = pay(first, [Output(1_000, SCRIPTS[0]), Output(4_999_000_000, SCRIPTS[1]), Output(0, b"\x6a\x01x")])
    return mine(block, [spend, pay([decode_transaction(spend).txid + bytes(4)], [Output(900, b"\x51" * 300)])])


BUSY = busy_block()


def test_every_recorded_block_reads_and_is_what_its_header_says() -> None:
    assert len(recorded.blocks()) > 100
    for each in recorded.blocks().values():
        block = read_block(each.raw)
        check_block(block, REGTEST, each.height)
        assert block.header.block_hash == each.block_hash
        assert len(block.transactions) == each.transactions
        assert id_text(block.header.previous) == (each.previous or "0" * 64)


def test_a_block_is_written_again_to_the_byte() -> None:
    for raw in [BUSY.raw, *(each.raw for each in recorded.blocks().values())]:
        block = read_block(raw)
        again = [
            encode_transaction(
                each.inputs, each.outputs, each.witnesses, version=each.version, lock_time=each.lock_time
            )
            for each in block.transactions
        ]
        assert encode_block(raw[:80], again) == raw
        assert [each.raw for each in block.transactions] == again


def test_undo_data_is_written_again_to_the_byte() -> None:
    assert encode_spent(read_spent(BUSY.raw_spent)) == BUSY.raw_spent
    assert [len(coins) for coins in read_spent(BUSY.raw_spent)] == [0, 1, 1]


def checked(raw: bytes, raw_spent: bytes) -> None:
    """All that is done with a block and its undo data before anything of them is believed."""
    block = read_block(raw)
    if block.header.hash != BUSY.hash:
        raise ProofFailed("another block")
    check_block(block, REGTEST, BUSY.height)
    coins = {each.outpoint: coin for each, coin in _coins_of(BUSY)}
    match_block(block, read_spent(raw_spent), frozenset(SCRIPTS), coins.get)


def _coins_of(made: ModelBlock) -> list[tuple[Input, Output]]:
    block, spent = made.pair
    return [
        (each, coin)
        for transaction, coins in zip(block.transactions[1:2], spent[1:2], strict=True)
        for each, coin in zip(transaction.inputs, coins, strict=True)
    ]


def test_no_byte_of_a_block_can_be_changed() -> None:
    checked(BUSY.raw, BUSY.raw_spent)
    for at in range(len(BUSY.raw)):
        altered = bytearray(BUSY.raw)
        altered[at] ^= 1 << at % 8
        with pytest.raises(ReadError):
            checked(bytes(altered), BUSY.raw_spent)


def test_no_byte_of_what_our_coins_were_can_be_changed() -> None:
    """The undo data of watched coins is held against the ledger, as no header commits to it."""
    ours = len(encode_spent(read_spent(BUSY.raw_spent)[:2])) + 1  # count, coinbase, our one coin, and the next count
    for at in range(ours):
        altered = bytearray(BUSY.raw_spent)
        altered[at] ^= 1 << at % 8
        with pytest.raises(ReadError):
            checked(BUSY.raw, bytes(altered))


@given(end=st.integers(0, 10_000))
@settings(max_examples=100, deadline=None)
def test_a_cut_or_longer_answer_is_refused(end: int) -> None:
    for raw, read in ((BUSY.raw, read_block), (BUSY.raw_spent, read_spent)):
        with pytest.raises(MalformedAnswer):
            read(raw[: end % len(raw)])
        with pytest.raises(MalformedAnswer):
            read(raw + bytes(1 + end % 3))


@given(data=st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_anything_at_all_is_read_or_refused(data: bytes) -> None:
    for read in (read_block, read_spent, decode_transaction, read_header):
        for raw in (data, BUSY.raw[:80] + data):
            try:
                read(raw)
            except MalformedAnswer:
                continue


@pytest.mark.parametrize(
    ("text", "size"),
    [("00", 0), ("fc", 252), ("fdfd00", 253), ("fdffff", 65535), ("fe00000100", 65536), ("fe00093d00", 4_000_000)],
)
def test_sizes_in_their_one_shortest_form(text: str, size: int) -> None:
    raw = bytes.fromhex(text)
    assert read_size(raw, 0) == (size, len(raw))
    assert write_size(size) == raw


@pytest.mark.parametrize("text", ["fd0000", "fdfc00", "fe0000ffff"[:6] + "0000", "feffff0000", "ffffffffff00000000"])
def test_a_size_written_longer_than_needed_is_refused(text: str) -> None:
    with pytest.raises(MalformedAnswer, match="longer than needed"):
        read_size(bytes.fromhex(text), 0)


def test_a_size_beyond_any_block_is_refused() -> None:
    with pytest.raises(MalformedAnswer, match="larger than any block"):
        read_size(b"\xfe" + pack("<I", 4_000_001), 0)
    with pytest.raises(MalformedAnswer, match="longer than any block"):
        read_block(bytes(4_000_001))


COIN = Input(bytes(36), b"", SEQUENCE)
PAID = Output(1, b"\x51")


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (encode_transaction([], [PAID, PAID]), "no inputs"),
        (encode_transaction([COIN], []), "no outputs"),
        (encode_transaction([COIN], [Output(MONEY_MAX + 1, b"")]), "more than all bitcoins"),
        (encode_transaction([COIN], [Output(MONEY_MAX, b""), PAID]), "more than all bitcoins"),
        (encode_transaction([COIN], [PAID], [[b"x"]]).replace(b"\x01\x01x", b"\x00"), "the form for witnesses"),
        (encode_transaction([COIN], [PAID]) + b"\0", "follow"),
        (encode_transaction([COIN], [PAID])[:-1], "before it should"),
        (b"", "before it should"),
    ],
)
def test_a_transaction_that_breaks_the_format_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(MalformedAnswer, match=why):
        decode_transaction(raw)


def test_a_transaction_within_the_format_is_read() -> None:
    found = decode_transaction(encode_transaction([COIN], [Output(MONEY_MAX, b"")], [[b"x"]], version=-1, lock_time=7))
    assert (found.version, found.lock_time, found.witnesses, found.outputs) == (-1, 7, [[b"x"]], [(MONEY_MAX, b"")])
    assert found.wtxid != found.txid


def test_equal_neighbours_in_the_tree_are_refused() -> None:
    """CVE-2012-2459: a list with its end repeated has the root of the one without."""
    ids = [bytes([number]) * 32 for number in range(3)]
    assert merkle_root(ids) is not None
    assert merkle_root([*ids, ids[-1]]) is None
    six = [bytes([number]) * 32 for number in range(6)]
    assert merkle_root(six) is not None
    assert merkle_root([*six, six[4], six[5]]) is None
    assert merkle_root([]) is None


def test_a_block_with_its_last_transaction_repeated_is_refused() -> None:
    block = read_block(BUSY.raw)
    doubled = Block(block.header, [*block.transactions, block.transactions[-1]])
    with pytest.raises(ProofFailed, match="twice"):
        check_block(doubled, REGTEST)


@pytest.mark.parametrize(
    ("order", "why"), [([1, 0, 2], "begin with a coinbase"), ([0, 0, 1], "second coinbase"), ([0, 2, 1], "merkle root")]
)
def test_a_block_of_other_transactions_is_refused(order: list[int], why: str) -> None:
    block = read_block(BUSY.raw)
    with pytest.raises(ProofFailed, match=why):
        check_block(Block(block.header, [block.transactions[at] for at in order]), REGTEST)


def test_a_coinbase_that_says_another_height_is_refused() -> None:
    check_block(read_block(BUSY.raw), REGTEST, BUSY.height)
    with pytest.raises(ProofFailed, match="does not say height"):
        check_block(read_block(BUSY.raw), REGTEST, BUSY.height + 1)


def test_an_altered_witness_is_refused() -> None:
    altered = BUSY.raw.replace(b"signature", b"signaturf", 1)
    assert altered != BUSY.raw
    with pytest.raises(ProofFailed, match="witnesses"):
        check_block(read_block(altered), REGTEST, BUSY.height)


def test_a_block_needs_the_work_its_header_claims() -> None:
    block = read_block(BUSY.raw)
    check_block(block, REGTEST)
    with pytest.raises(ProofFailed, match="target"):
        check_block(block, MAIN)  # a target that main does not allow


def test_a_header_has_its_hash_and_its_length() -> None:
    raws = [each.raw[:80] for each in recorded.blocks().values()]
    assert [read_header(raw).block_hash for raw in raws] == list(recorded.blocks())
    for other in (raws[0] + b"\0", raws[0][:-1]):
        with pytest.raises(MalformedAnswer):
            read_header(other)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "00"), (1, "51"), (16, "60"), (17, "0111"), (127, "017f"), (128, "028000"), (227931, "035b7a03")],
)
def test_heights_as_a_coinbase_says_them(number: int, text: str) -> None:
    assert script_number(number).hex() == text


def test_ids_as_people_write_them() -> None:
    assert id_bytes(BUSY.block_hash) == BUSY.hash
    assert id_text(BUSY.hash) == BUSY.block_hash
    for text in ("", "ab", BUSY.block_hash[:-1] + " ", BUSY.block_hash + "00", "z" * 64):
        with pytest.raises(InvalidValue):
            id_bytes(text)


@pytest.mark.parametrize(
    ("spent", "why"),
    [
        ([[], []], "transactions"),
        ([[Output(1, b"")], [Output(5_000_000_000, b"")], [Output(1_000, b"")]], "coinbase spends"),
        ([[], [], [Output(1_000, b"")]], "one coin for each input"),
        ([[], [Output(5_000_000_000, b"")], [Output(899, b"")]], "pays more than it spends"),
    ],
)
def test_undo_data_of_something_else_is_refused(spent: list[list[Output]], why: str) -> None:
    with pytest.raises(MalformedAnswer, match=why):
        match_block(read_block(BUSY.raw), spent, frozenset(SCRIPTS))


def test_random_blocks_read_as_they_were_made() -> None:
    chance = random.Random(2)
    block = BUSY
    for _ in range(20):
        block = random_block(block, SCRIPTS, chance)
        read, spent = block.pair
        check_block(read, REGTEST, block.height)
        assert encode_spent(spent) == block.raw_spent
        assert read.transactions[0].inputs[0].outpoint == NO_OUTPOINT
