"""That a transaction stands in its block by a branch, and every way to show one that does not."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from chains.bitcoin.block import Block, merkle_root, read_block, read_header
from chains.bitcoin.encoding import encode_transaction
from chains.bitcoin.hashes import sha256d
from chains.bitcoin.header_proof import check_header_chain, lengthen, shorten
from chains.bitcoin.inclusion import PlacedTransaction, base_bytes, check_places, place_transactions
from chains.bitcoin.ledger import examine
from chains.bitcoin.ledger_file import LedgerFile
from chains.bitcoin.ledger_proofs import FROM_A_SET, NO_HEADERS
from chains.bitcoin.ledger_views import Coin
from chains.bitcoin.networks import MAIN, REGTEST, Network
from chains.bitcoin.transaction import NO_OUTPOINT, Input, Output, decode_transaction
from chains.errors import InvalidValue, MalformedAnswer, ProofFailed
from tests.chains.bitcoin import recorded
from tests.chains.bitcoin.model import ModelBlock, genesis, mine, pay

SCRIPT, OTHER = (bytes.fromhex("0014") + bytes([number]) * 20 for number in (1, 2))


def chain_of(blocks: int, payments: int) -> list[ModelBlock]:
    """Blocks whose coinbases pay a script, the last of them with payments."""
    chain = [genesis()]
    for _ in range(100 + payments):
        chain.append(mine(chain[-1], coinbase_outputs=[Output(5_000_000_000, SCRIPT)]))
    for _ in range(blocks):
        old = sorted((coin.height, name) for name, coin in chain[-1].coins.items())[:payments]
        spends = [pay([name], [Output(1_000 + number, OTHER)]) for number, (_, name) in enumerate(old)]
        chain.append(mine(chain[-1], spends))
    return chain


CHAIN = chain_of(2, 6)
LAST = CHAIN[-1]
BLOCK = read_block(LAST.raw)
HEIGHT = len(CHAIN) - 1
PLACES = place_transactions(BLOCK, range(len(BLOCK.transactions)))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 33])
def test_every_branch_leads_to_the_root(size: int) -> None:
    """Against the tree as a whole, which is written apart."""
    coinbase = encode_transaction([Input(NO_OUTPOINT, b"\x01\x05\x00", 0)], [Output(1, SCRIPT)])
    others = [pay([bytes([n]) * 36], [Output(n, SCRIPT)]) for n in range(1, size)]
    made = [decode_transaction(raw) for raw in (coinbase, *others)]
    root = merkle_root([each.txid for each in made])
    assert root is not None
    places = place_transactions(Block(BLOCK.header, made), range(size))
    assert list(check_places(places, root, MAIN, 1)) == [each.txid for each in made]


def test_transactions_of_recorded_blocks_stand_in_them() -> None:
    chance, shown = random.Random(3), 0
    for each in list(recorded.blocks().values())[:12]:
        block = read_block(each.raw)
        asked = chance.sample(range(len(block.transactions)), min(3, len(block.transactions)))
        found = check_places(place_transactions(block, asked), block.header.merkle_root, MAIN, 0)
        assert {block.transactions[at].txid for at in asked} <= set(found)
        shown += len(found)
    assert shown >= 12


def test_the_witness_is_left_out_and_the_id_stays() -> None:
    witnessed = encode_transaction([Input(bytes(36), b"", 0)], [Output(5, SCRIPT)], [[b"\x01" * 70]])
    transaction = decode_transaction(witnessed)
    assert sha256d(base_bytes(transaction)) == transaction.txid
    assert len(base_bytes(transaction)) < len(witnessed)


Places = tuple[PlacedTransaction, ...]


def changed(at: int, **changes: object) -> Callable[[], Places]:
    return lambda: tuple(
        each._replace(**changes) if number == at else each  # type: ignore[arg-type]
        for number, each in enumerate(PLACES)
    )


def pair_as_transaction() -> Places:
    """The two hashes of an inner node shown as if they were a transaction, one level higher."""
    ids = [each.txid for each in PLACES]
    fake = PlacedTransaction(0, b"", ids[0] + ids[1], PLACES[0].branch[32:])
    return (fake,)


def doubled() -> Places:
    """Seven leaves: the last is repeated, and shown as an eighth."""
    last = PLACES[-1]
    return (PLACES[0], last._replace(position=last.position + 1))


WRONG: dict[str, tuple[Callable[[], Places], str]] = {
    "another transaction": (changed(2, raw=PLACES[1].raw), "branch"),
    "a byte of its branch": (changed(2, branch=PLACES[2].branch[:-1] + b"\x00"), "branch"),
    "another place": (changed(2, position=3), "branch"),
    "a place beyond the tree": (changed(2, position=2 + 8), "does not fit"),
    "half a hash": (changed(2, branch=PLACES[2].branch[:-16]), "does not fit"),
    "a shorter branch": (changed(2, branch=PLACES[2].branch[:-32]), "branch"),
    "a very long branch": (changed(2, branch=bytes(32 * 18)), "does not fit"),
    "the repeated leaf": (doubled, "repeated hash"),
    "a pair of hashes": (pair_as_transaction, "64 bytes"),
    "without the coinbase": (lambda: PLACES[1:], "coinbase of the block is not shown"),
    "one twice": (lambda: (*PLACES, PLACES[2]), "shown twice"),
}


@pytest.mark.fault("G17")
@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_shown_is_refused(name: str) -> None:
    assert len(BLOCK.transactions) == 7
    assert len(check_places(PLACES, BLOCK.header.merkle_root, REGTEST, HEIGHT)) == 7
    make, reason = WRONG[name]
    with pytest.raises(ProofFailed, match=reason):
        check_places(make(), BLOCK.header.merkle_root, REGTEST, HEIGHT)


def test_another_height_than_the_coinbase_says_is_refused() -> None:
    with pytest.raises(ProofFailed, match="does not say height"):
        check_places(PLACES, BLOCK.header.merkle_root, REGTEST, HEIGHT + 1)


def test_another_depth_than_the_coinbases_is_refused() -> None:
    """A real transaction of 64 bytes is a pair of hashes too: what is shown under it lies deeper than the coinbase."""
    inner = pay([b"\x07" * 36], [Output(1, OTHER)], has_witness=False)
    hidden = decode_transaction(inner)
    coinbase = encode_transaction([Input(NO_OUTPOINT, b"\x01\x05\x00", 0)], [Output(1, SCRIPT)])
    pair = hidden.txid + b"\x22" * 32
    ids = [decode_transaction(coinbase).txid, sha256d(pair)]
    root = merkle_root(ids)
    assert root is not None
    shown = PlacedTransaction(0, b"", coinbase, ids[1])
    below = PlacedTransaction(2, b"", inner, b"\x22" * 32 + ids[0])
    check_places([shown], root, MAIN, 1)
    with pytest.raises(ProofFailed, match="another depth"):
        check_places([shown, below], root, MAIN, 1)


def test_a_transaction_with_its_witness_is_refused() -> None:
    witnessed = encode_transaction([Input(bytes(36), b"", 0)], [Output(5, SCRIPT)], [[b"\x01" * 70]])
    with pytest.raises(ProofFailed, match="with its witness"):
        check_places([PlacedTransaction(0, b"", witnessed, b"")], sha256d(witnessed), REGTEST, 1)


# Headers --------------------------------------------------------------------------------------------------------------


def headers() -> list[bytes]:
    return [block.raw[:80] for block in CHAIN]


def test_headers_come_back_from_their_short_form() -> None:
    found = lengthen(b"".join(map(shorten, headers()[1:])), sha256d(headers()[0]))
    assert [header.hash for header in found] == [sha256d(raw) for raw in headers()[1:]]
    assert check_header_chain(found, REGTEST, 1) == 2 * len(found)


@pytest.mark.parametrize(
    ("edit", "network", "reason"),
    [
        (lambda raw: [raw[0], raw[2]], REGTEST, "does not follow"),
        (lambda raw: raw[:2], MAIN, "does not allow"),
        (lambda raw: [raw[1]], REGTEST, "not the genesis block"),
    ],
)
def test_headers_that_do_not_chain_are_refused(
    edit: Callable[[list[bytes]], list[bytes]], network: Network, reason: str
) -> None:
    with pytest.raises(ProofFailed, match=reason):
        check_header_chain([read_header(raw) for raw in edit(headers())], network, 0)


def test_a_header_without_work_is_refused() -> None:
    raw = bytearray(headers()[1])
    while sha256d(bytes(raw))[31] < 0x80:
        raw[76] = (raw[76] + 1) % 256
    with pytest.raises(ProofFailed, match="no proof of work"):
        check_header_chain(lengthen(shorten(bytes(raw)), sha256d(headers()[0])), REGTEST, 1)


def test_half_a_short_header_is_refused() -> None:
    with pytest.raises(MalformedAnswer):
        lengthen(bytes(47), bytes(32))


# The ledger -----------------------------------------------------------------------------------------------------------


def ledger_of(chain: list[ModelBlock], scripts: list[bytes], *, begin: int = 0) -> LedgerFile:
    ledger = LedgerFile(None, REGTEST)
    ledger.begin(read_header(chain[begin].raw[:80]), begin)
    ledger.add_scripts(scripts, begin + 1)
    ledger.apply(block.pair for block in chain[begin + 1 :])
    return ledger


def test_the_ledger_keeps_what_shows_its_coins() -> None:
    with ledger_of(CHAIN, [SCRIPT, OTHER]) as ledger:
        found = ledger.output_proofs([OTHER], LAST.block_hash)
        assert len(found.shown) == 12
        assert not found.not_shown
        assert sum(coin.value for coin in found.shown) == sum(2 * (1_000 + number) for number in range(6))
        run = lengthen(b"".join(map(shorten, found.headers)), found.headers[0][4:36])
        assert run[-1].block_hash == LAST.block_hash
        check_header_chain(run, REGTEST, found.first_height)
        for height, places in found.places.items():
            shown = check_places(places, run[height - found.first_height].merkle_root, REGTEST, height)
            for coin in found.shown:
                if coin.height == height:
                    number = int.from_bytes(coin.outpoint[32:], "little")
                    assert shown[coin.outpoint[:32]].outputs[number] == Output(coin.value, OTHER)


def test_examined_blocks_carry_the_same() -> None:
    """As processes of a long load hand them over."""
    with ledger_of(CHAIN[:-1], [SCRIPT, OTHER]) as ledger:
        ledger.apply([examine(*LAST.pair, REGTEST, HEIGHT, {SCRIPT, OTHER})])
        with ledger_of(CHAIN, [SCRIPT, OTHER]) as whole:
            assert ledger.output_proofs([OTHER], LAST.block_hash) == whole.output_proofs([OTHER], LAST.block_hash)


def test_scripts_added_later_have_their_proofs_too() -> None:
    with ledger_of(CHAIN, [SCRIPT]) as ledger:
        ledger.add_scripts([OTHER], 1)
        (load,) = ledger.loads()
        ledger.apply_load(load.load_id, (block.pair for block in CHAIN[1:]))
        assert len(ledger.output_proofs([OTHER], LAST.block_hash).shown) == 12


def test_coins_of_a_set_have_no_proof_and_say_so() -> None:
    with ledger_of(CHAIN, [SCRIPT]) as ledger:
        coin = Coin(b"\x05" * 32 + bytes(4), OTHER, 700, HEIGHT - 3, False, 4)
        ledger.add_scripts_with_coins([OTHER], [coin], LAST.block_hash)
        found = ledger.output_proofs([OTHER], LAST.block_hash)
        assert found.shown == ()
        assert {reason: [each.value for each in coins] for reason, coins in found.not_shown.items()} == {
            FROM_A_SET: [700]
        }
        assert found.headers == ()


def test_headers_that_were_not_kept_are_said() -> None:
    with ledger_of(CHAIN, [b"\x51"], begin=HEIGHT - 1) as ledger:
        coin = Coin(b"\x05" * 32 + bytes(4), OTHER, 700, 3, False, 4)
        ledger.add_scripts_with_coins([OTHER], [coin], LAST.block_hash)
        assert list(ledger.output_proofs([OTHER], LAST.block_hash).not_shown) == [NO_HEADERS]


def test_nothing_is_told_of_a_block_that_is_not_active() -> None:
    with ledger_of(CHAIN, [SCRIPT, OTHER]) as ledger:
        ledger.rewind(CHAIN[-2].block_hash)
        with pytest.raises(InvalidValue, match="not on the chain"):
            ledger.output_proofs([OTHER], LAST.block_hash)
