"""Account and storage proofs verified under one root, as a sweep or the reader of a bundle would.

The tries are as deep as Ethereum mainnet's (eight nodes to an account, seven to a slot) or as one of 10,000 accounts.
They are not built in full: their branches are whole, but what nobody asks about is a hash of nothing. Each proof has
its own bytes, as it would after JSON. Peer: `HexaryTrie.get_from_proof` of py-trie with `rlp`. Floor: keccak256 of each
distinct node and each key, and nothing else. All by the CPU time of this process.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import rlp
from eth_utils.crypto import keccak
from trie.hexary import HexaryTrie

from benchmarks.measure import Result, Side, Timing, check_then_time
from chains.evm.abi import hex_text
from chains.evm.addresses import checksum_address
from chains.evm.keccak import EMPTY_CODE_HASH, keccak256
from chains.evm.rlp_encoding import encode_bytes, encode_list, integer_bytes
from chains.evm.state_proof import ProvenAccount, account_at, check_answer, slot_at
from chains.evm.trie_nodes import nibbles_of
from chains.evm.trie_proof import NodePool
from chains.evm.trie_root import EMPTY_ROOT
from chains.types import Address

UNIT: Final = "proofs/CPU second"
PROOFS: Final = 10_000
QUICK_PROOFS: Final = 200
PEER_PROOFS: Final = 500
"""A sample, since the peer keeps nothing between proofs."""
ROUNDS: Final = 5
RATIO_TO_PEER_MIN: Final = 15
"""Target for account proofs, from decoded bytes."""
OURS, PEER, FLOOR = "ours", "py-trie and rlp", "keccak256 of each distinct node"
FULL_LEVELS_OF_ACCOUNTS: Final = 6
FULL_LEVELS_OF_SLOTS: Final = 5
FULL_LEVELS_OF_A_SMALL_TRIE: Final = 0
LAST_LEVEL_FILLED: Final = 0.7
"""How much of the level below the full ones is there: 18 accounts spread over 16 children, about as on mainnet."""

Numbers = list[tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Trie:
    """A root, the keys asked about before they are hashed, what each holds, and the proof of each."""

    root: bytes
    keys: Sequence[bytes]
    values: Sequence[bytes]
    proofs: Sequence[Sequence[bytes]]

    @property
    def distinct_nodes(self) -> set[bytes]:
        """Each node once."""
        return {node for proof in self.proofs for node in proof}


def run(*, quick: bool = False) -> Iterator[Result]:
    """Measure each kind of proof. Raises `ResultsDiffer` before anything is timed."""
    count = QUICK_PROOFS if quick else PROOFS
    rounds = 2 if quick else ROUNDS
    deep = make_accounts(count, FULL_LEVELS_OF_ACCOUNTS)
    yield _measure("accounts as deep as mainnet's", deep, rounds, our_accounts, peer_accounts)
    addresses = [checksum_address(key) for key in deep.keys]
    answers = [_answer(deep, place) for place in range(count)]
    yield _measure(
        "answers of eth_getProof as deep as mainnet's",
        deep,
        rounds,
        lambda trie: our_answers(trie, addresses, answers),
        lambda trie, number: peer_answers(trie, answers[:number]),
    )
    small = make_accounts(count, FULL_LEVELS_OF_A_SMALL_TRIE)
    yield _measure("accounts of a small trie", small, rounds, our_accounts, peer_accounts)
    slots = make_slots(count, FULL_LEVELS_OF_SLOTS)
    yield _measure("slots as deep as in a large token", slots, rounds, our_slots, peer_slots)


def make_accounts(count: int, full_levels: int) -> Trie:
    """Accounts with ether and no code, the same for every run."""
    chance = random.Random(20_261_123)
    keys = [chance.randbytes(20) for _ in range(count)]
    fields = [(chance.randrange(1, 999), chance.randrange(1, 10**21)) for _ in keys]
    values = [
        encode_list([integer_bytes(nonce), integer_bytes(balance), EMPTY_ROOT, EMPTY_CODE_HASH])
        for nonce, balance in fields
    ]
    return make_trie(chance, keys, values, full_levels)


def make_slots(count: int, full_levels: int) -> Trie:
    """Slots with the balances of a token."""
    chance = random.Random(20_261_124)
    keys = [chance.randbytes(32) for _ in range(count)]
    return make_trie(
        chance, keys, [encode_bytes(integer_bytes(chance.randrange(1, 10**15))) for _ in keys], full_levels
    )


def our_accounts(trie: Trie) -> Numbers:
    """Each account by its own proof, as it is done for a sweep; addresses are not spelled anew."""
    pool = NodePool()
    found: Numbers = []
    for key, proof in zip(trie.keys, trie.proofs, strict=True):
        account = account_at(trie.root, Address(hex_text(key)), pool, proof)
        found.append((account.nonce, account.balance))
    return found


def peer_accounts(trie: Trie, number: int) -> Numbers:
    """The same by py-trie, for the first so many."""
    found: Numbers = []
    for key, proof in zip(trie.keys[:number], trie.proofs[:number], strict=True):
        nonce, balance, _, _ = rlp.decode(_by_py_trie(trie.root, key, proof))
        found.append((int.from_bytes(nonce, "big"), int.from_bytes(balance, "big")))
    return found


def our_answers(trie: Trie, addresses: Sequence[Address], answers: Sequence[dict[str, Any]]) -> Numbers:
    """Parsed JSON answers: hexadecimal decoded, and what each says held against what it proves."""
    pool = NodePool()
    found: Numbers = []
    for address, answer in zip(addresses, answers, strict=True):
        account, _ = check_answer(answer, trie.root, address, (), pool)
        found.append((account.nonce, account.balance))
    return found


def peer_answers(trie: Trie, answers: Sequence[dict[str, Any]]) -> Numbers:
    """The same by py-trie; what the answer says beside its proof is not compared."""
    found: Numbers = []
    for answer in answers:
        proof = [bytes.fromhex(node[2:]) for node in answer["accountProof"]]
        nonce, balance, _, _ = rlp.decode(_by_py_trie(trie.root, bytes.fromhex(answer["address"][2:]), proof))
        found.append((int.from_bytes(nonce, "big"), int.from_bytes(balance, "big")))
    return found


def our_slots(trie: Trie) -> Numbers:
    """Each slot by its own proof."""
    pool = NodePool()
    contract = ProvenAccount(True, 1, 0, trie.root, EMPTY_CODE_HASH)
    name = Address(hex_text(bytes(20)))
    return [
        (slot_at(contract, name, int.from_bytes(key, "big"), pool, proof),)
        for key, proof in zip(trie.keys, trie.proofs, strict=True)
    ]


def peer_slots(trie: Trie, number: int) -> Numbers:
    """The same by py-trie, for the first so many."""
    return [
        (int.from_bytes(rlp.decode(_by_py_trie(trie.root, key, proof)), "big"),)
        for key, proof in zip(trie.keys[:number], trie.proofs[:number], strict=True)
    ]


def _by_py_trie(root: bytes, key: bytes, proof: Sequence[bytes]) -> bytes:
    value: bytes = HexaryTrie.get_from_proof(root, keccak(key), [rlp.decode(node) for node in proof])  # type: ignore[no-untyped-call]
    return value


def _expected(trie: Trie) -> Numbers:
    """What was written, read off the values."""
    numbers: Numbers = []
    for value in trie.values:
        item = rlp.decode(value)
        fields = item[:2] if isinstance(item, list) else [item]
        numbers.append(tuple(int.from_bytes(each, "big") for each in fields))
    return numbers


def _measure(
    what: str, trie: Trie, rounds: int, ours: Callable[[Trie], Numbers], peer: Callable[[Trie, int], Numbers]
) -> Result:
    count, sample = len(trie.keys), min(PEER_PROOFS, len(trie.keys))
    expected = _expected(trie)
    nodes = trie.distinct_nodes
    pieces = [*nodes, *trie.keys]
    sides = [
        Side(OURS, lambda: ours(trie), count, _same, expected),
        Side(PEER, lambda: peer(trie, sample), sample, _same, expected[:sample]),
        Side(FLOOR, lambda: list(map(keccak256, pieces)), count, len, len(pieces)),
    ]
    timings = check_then_time(sides, rounds)
    result = Result(
        case=f"evm_proofs {count} {what}",
        value=_per_cpu_second(timings[OURS]),
        unit=UNIT,
        peer=PEER,
        peer_value=_per_cpu_second(timings[PEER]),
        floor=FLOOR,
        floor_value=_per_cpu_second(timings[FLOOR]),
        peak_rss_bytes=timings[OURS].peak_rss_bytes,
        notes={
            "nodes_per_proof": round(sum(map(len, trie.proofs)) / count, 2),
            "distinct_nodes_per_proof": round(len(nodes) / count, 2),
            "bytes_per_proof": sum(len(node) for proof in trie.proofs for node in proof) // count,
            "cpu_seconds": round(timings[OURS].client_cpu_seconds, 3),
        },
    )
    met = "met" if result.ratio_to_peer >= RATIO_TO_PEER_MIN else "NOT met"
    return replace(result, notes={**result.notes, "targets": {f"{RATIO_TO_PEER_MIN} x {PEER}": met}})


def _per_cpu_second(timing: Timing) -> float:
    return timing.work / timing.client_cpu_seconds


def _same(found: object) -> object:
    return found


def _answer(trie: Trie, place: int) -> dict[str, Any]:
    nonce, balance, storage_root, code_hash = rlp.decode(trie.values[place])
    return {
        "address": hex_text(trie.keys[place]),
        "accountProof": list(map(hex_text, trie.proofs[place])),
        "nonce": hex(int.from_bytes(nonce, "big")),
        "balance": hex(int.from_bytes(balance, "big")),
        "storageHash": hex_text(storage_root),
        "codeHash": hex_text(code_hash),
        "storageProof": [],
    }


def make_trie(chance: random.Random, keys: list[bytes], values: list[bytes], full_levels: int) -> Trie:
    """The proofs of these keys, in a trie whose levels above are full; what is not asked about is a hash of nothing."""
    paths = [nibbles_of(keccak256(key)) for key in keys]
    entries = sorted(zip(paths, values, strict=True))
    proofs: dict[bytes, list[bytes]] = {path: [] for path in paths}
    root = _write(chance, entries, 0, full_levels, proofs)
    # The nodes were noted from the leaves up; each proof gets bytes of its own.
    return Trie(root, keys, values, [[bytes(bytearray(node)) for node in reversed(proofs[path])] for path in paths])


def _write(
    chance: random.Random,
    entries: list[tuple[bytes, bytes]],
    depth: int,
    full_levels: int,
    proofs: dict[bytes, list[bytes]],
) -> bytes:
    """The hash of the node over these entries; the node is added to their proofs."""
    if len(entries) == 1 and depth > full_levels:
        path, value = entries[0]
        rest = path[depth:]
        nibbles = bytes((3, *rest)) if len(rest) % 2 else bytes((2, 0, *rest))
        packed = bytes(high << 4 | low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))
        node = encode_list([packed, value])
    else:
        children = [chance.randbytes(32) if _is_filled(chance, depth, full_levels) else b"" for _ in range(16)]
        asked = {path[depth] for path, _ in entries}
        for nibble in asked:
            below = [entry for entry in entries if entry[0][depth] == nibble]
            children[nibble] = _write(chance, below, depth + 1, full_levels, proofs)
        if sum(map(bool, children)) == 1:  # instead of an extension
            children[(min(asked) + 1) % 16] = chance.randbytes(32)
        node = encode_list([*children, b""])
    for path, _ in entries:
        proofs[path].append(node)
    return keccak256(node)


def _is_filled(chance: random.Random, depth: int, full_levels: int) -> bool:
    return depth < full_levels or (depth == full_levels > 0 and chance.random() < LAST_LEVEL_FILLED)
