"""Proofs of a real node's state, and everything that must not pass for one."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import rlp
from eth_utils.crypto import keccak

from chains.devnet.anvil import AnvilNode
from chains.devnet.pytest_plugin import DeployErc20
from chains.errors import MalformedAnswer, ProofFailed, ReadError
from chains.evm.abi import address_word
from chains.evm.addresses import checksum_address
from chains.evm.header import Header, decode_header
from chains.evm.keccak import EMPTY_CODE_HASH
from chains.evm.state_proof import (
    ABSENT,
    ProvenAccount,
    account_at,
    check_answer,
    checked_state_root,
    slot_at,
    state_root,
)
from chains.evm.storage_slots import vyper_mapping_slot
from chains.evm.trie_proof import EMPTY_NODE, NodePool
from chains.evm.trie_root import EMPTY_ROOT
from chains.types import Address, BlockRef, ChainId
from tests.chains.evm.tries import proof_of, trie_of

CHAIN = ChainId("eip155:31337")
BALANCES_SLOT = 8
"""Where the test token keeps balanceOf."""
SUPPLY = 123_456_789
"""What the token's constructor wrote for who deployed it."""
HOLDERS = [checksum_address(keccak(b"holder %d" % number)[-20:]) for number in range(40)]
STRANGER = checksum_address(keccak(b"nobody")[-20:])


@dataclass(frozen=True)
class Proofs:
    """What a node with many accounts and holders answers for one of them."""

    node: AnvilNode
    token: Address
    header: Header
    older: Header
    """The block before, with another state."""

    @property
    def root(self) -> bytes:
        return checked_state_root(self.header)

    def answer(self, address: Address, slots: list[int], block: Header | None = None) -> dict[str, Any]:
        at = {"blockHash": (block or self.header).block.block_hash}
        answer = self.node.rpc("eth_getProof", address, [f"0x{slot:064x}" for slot in slots], at)
        assert isinstance(answer, dict)
        return answer


def balance_slot(holder: Address) -> int:
    return vyper_mapping_slot(BALANCES_SLOT, address_word(bytes.fromhex(holder[2:])))


@pytest.fixture
def proofs(anvil: AnvilNode, deploy_erc20: DeployErc20) -> Proofs:
    token = Address(deploy_erc20("USDX", 6, SUPPLY).address)
    for number, holder in enumerate(HOLDERS):
        anvil.set_balance(holder, 10**18 + number)
        anvil.set_storage_at(token, balance_slot(holder), 5_000_000 + number)
    anvil.mine()
    older = decode_header(anvil.block(), CHAIN, "ethereum")
    anvil.set_balance(HOLDERS[0], 7)
    anvil.set_storage_at(token, balance_slot(HOLDERS[0]), 9)
    anvil.mine()
    return Proofs(anvil, token, decode_header(anvil.block(), CHAIN, "ethereum"), older)


@pytest.mark.devnet
def test_balances_of_a_real_node_are_proven_and_its_nodes_prove_them_again(proofs: Proofs) -> None:
    pool = NodePool()
    for number, holder in enumerate(HOLDERS):
        account, words = check_answer(proofs.answer(holder, []), proofs.root, holder, [], pool)
        assert (account.balance, account.nonce, words) == (10**18 + number if number else 7, 0, ())
        assert (account.exists, account.code_hash) == (True, EMPTY_CODE_HASH)
    deployer = checksum_address(bytes.fromhex(proofs.node.accounts()[0][2:]))
    slots = [balance_slot(holder) for holder in [*HOLDERS, deployer, STRANGER]]
    token, words = check_answer(proofs.answer(proofs.token, slots), proofs.root, proofs.token, slots, pool)
    assert words == (9, *range(5_000_001, 5_000_000 + len(HOLDERS)), SUPPLY, 0)
    assert token.code_hash == keccak(hexstr=proofs.node.rpc("eth_getCode", proofs.token, "latest"))
    absent, _ = check_answer(proofs.answer(STRANGER, []), proofs.root, STRANGER, [], pool)
    assert absent == ABSENT

    stored = NodePool(pool)
    assert account_at(proofs.root, HOLDERS[0], stored).balance == 7
    assert account_at(proofs.root, STRANGER, stored) == ABSENT
    assert slot_at(token, proofs.token, slots[0], stored) == 9
    with pytest.raises(ProofFailed, match="belong to no proof"):
        stored.require_all_used()
    with pytest.raises(ProofFailed, match=f"account proof of {HOLDERS[1]}, node 1 is missing"):
        account_at(proofs.root, HOLDERS[1], NodePool())


@pytest.mark.devnet
def test_no_flipped_bit_and_no_truncation_passes(proofs: Proofs) -> None:
    chance = random.Random(20_261_123)
    holder = HOLDERS[3]
    slot = balance_slot(holder)
    native, token = proofs.answer(holder, []), proofs.answer(proofs.token, [slot])
    cases: list[tuple[dict[str, Any], Address, list[int], Callable[[Any], list[str]]]] = [
        (native, holder, [], lambda answer: list(answer["accountProof"])),
        (token, proofs.token, [slot], lambda answer: list(answer["accountProof"])),
        (token, proofs.token, [slot], lambda answer: list(answer["storageProof"][0]["proof"])),
    ]
    warm = NodePool()
    refused = 0
    for good, address, slots, nodes_of in cases:
        check_answer(good, proofs.root, address, slots, warm)
        for turn in range(400):
            bad = copy.deepcopy(good)
            nodes = nodes_of(bad)
            place = chance.randrange(len(nodes))
            raw = bytearray.fromhex(nodes[place][2:])
            if turn % 2:
                raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
            else:
                del raw[chance.randrange(len(raw)) :]
            nodes[place] = f"0x{raw.hex()}"
            if nodes_of is cases[2][3]:
                bad["storageProof"][0]["proof"] = nodes
            else:
                bad["accountProof"] = nodes
            for pool in (NodePool(), warm):
                size = len(pool)
                with pytest.raises(ProofFailed):
                    check_answer(bad, proofs.root, address, slots, pool)
                assert len(pool) == size
            refused += 1
    assert refused == 1_200


Change = Callable[[dict[str, Any], Proofs], None]


def set_field(name: str, value: object) -> Change:
    return lambda answer, proofs: answer.update({name: value})


def set_storage(name: str, value: object) -> Change:
    return lambda answer, proofs: answer["storageProof"][0].update({name: value})


def other_account(answer: dict[str, Any], proofs: Proofs) -> None:
    answer["accountProof"] = proofs.answer(HOLDERS[5], [])["accountProof"]


def other_account_whole(answer: dict[str, Any], proofs: Proofs) -> None:
    answer.update(proofs.answer(HOLDERS[5], []))


def other_block(answer: dict[str, Any], proofs: Proofs) -> None:
    answer.update(proofs.answer(proofs.token, [balance_slot(HOLDERS[0])], proofs.older))


def other_slot(answer: dict[str, Any], proofs: Proofs) -> None:
    slot = balance_slot(HOLDERS[5])
    entry = proofs.answer(proofs.token, [slot])["storageProof"][0]
    answer["storageProof"] = [{**entry, "key": answer["storageProof"][0]["key"]}]


def other_slot_whole(answer: dict[str, Any], proofs: Proofs) -> None:
    answer["storageProof"] = proofs.answer(proofs.token, [balance_slot(HOLDERS[5])])["storageProof"]


def swapped(answer: dict[str, Any], proofs: Proofs) -> None:
    answer["accountProof"][:2] = answer["accountProof"][1::-1]


def removed(answer: dict[str, Any], proofs: Proofs) -> None:
    del answer["accountProof"][-1]


def removed_first(answer: dict[str, Any], proofs: Proofs) -> None:
    del answer["storageProof"][0]["proof"][0]


def no_proof(answer: dict[str, Any], proofs: Proofs) -> None:
    answer["accountProof"] = []


def doubled(answer: dict[str, Any], proofs: Proofs) -> None:
    answer["accountProof"].append(answer["accountProof"][-1])


def added(answer: dict[str, Any], proofs: Proofs) -> None:
    answer["storageProof"][0]["proof"].append("0x80")


def storage_twice(answer: dict[str, Any], proofs: Proofs) -> None:
    answer["storageProof"] *= 2


def no_storage(answer: dict[str, Any], proofs: Proofs) -> None:
    answer["storageProof"] = []


LIES: dict[str, tuple[Change, type[ReadError], str]] = {
    "another balance": (set_field("balance", "0x1"), ProofFailed, "another balance"),
    "another nonce": (set_field("nonce", "0x9"), ProofFailed, "another nonce"),
    "another code": (set_field("codeHash", f"0x{EMPTY_CODE_HASH.hex()}"), ProofFailed, "another codeHash"),
    "no code": (set_field("codeHash", f"0x{'0' * 64}"), ProofFailed, "another codeHash"),
    "another storage root": (set_field("storageHash", f"0x{'0' * 64}"), ProofFailed, "another storageHash"),
    "another word": (set_storage("value", "0x1"), ProofFailed, "another value"),
    "zero for a word": (set_storage("value", "0x0"), ProofFailed, "another value"),
    "another account's proof": (other_account, ProofFailed, "account proof of"),
    "another account's answer": (other_account_whole, MalformedAnswer, "another account"),
    "another block's answer": (other_block, ProofFailed, "account proof of .*, node 1"),
    "another slot's proof": (other_slot, ProofFailed, "storage proof of"),
    "another slot's answer": (other_slot_whole, MalformedAnswer, "not of the slots asked for"),
    "swapped nodes": (swapped, ProofFailed, "node 1"),
    "the last node removed": (removed, ProofFailed, "short of its end"),
    "the first node removed": (removed_first, ProofFailed, "storage proof of .*, node 1"),
    "no nodes": (no_proof, ProofFailed, "short of its end"),
    "a node twice": (doubled, ProofFailed, "were given"),
    "a further node": (added, ProofFailed, "were given"),
    "a slot twice": (storage_twice, MalformedAnswer, "one storage proof each"),
    "no storage proof": (no_storage, MalformedAnswer, "one storage proof each"),
    "null for storage proofs": (set_field("storageProof", None), MalformedAnswer, "one storage proof each"),
    "a text for a storage proof": (set_field("storageProof", ["0x"]), MalformedAnswer, "expected a storage proof"),
    "null for the proof": (set_field("accountProof", None), MalformedAnswer, "a list of nodes"),
    "null for a node": (set_field("accountProof", [None]), MalformedAnswer, "node 1: expected data"),
    "a number for a node": (set_field("accountProof", ["0x8"]), MalformedAnswer, "node 1: expected data"),
    "too many nodes": (set_field("accountProof", ["0x80"] * 66), MalformedAnswer, "66 nodes"),
    "null for the slot's proof": (set_storage("proof", None), MalformedAnswer, "a list of nodes"),
    "null for the balance": (set_field("balance", None), MalformedAnswer, "balance: expected a quantity"),
    "null for the value": (set_storage("value", None), MalformedAnswer, "value: expected a quantity"),
    "a JSON number": (set_field("balance", 7), MalformedAnswer, "balance: expected a quantity"),
    "null for the code hash": (set_field("codeHash", None), MalformedAnswer, "codeHash: expected"),
    "null for the address": (set_field("address", None), MalformedAnswer, "expected data"),
    "null for the key": (set_storage("key", None), MalformedAnswer, "expected a quantity"),
}


@pytest.mark.devnet
def test_every_lie_and_every_mistake_is_refused_and_leaves_nothing_behind(proofs: Proofs) -> None:
    slot = balance_slot(HOLDERS[0])
    good = proofs.answer(proofs.token, [slot])
    for name, (change, error, text) in LIES.items():
        bad = copy.deepcopy(good)
        change(bad, proofs)
        assert bad != good, name
        pool = NodePool()
        with pytest.raises(error, match=text):
            check_answer(bad, proofs.root, proofs.token, [slot], pool)
        assert len(pool) == 0, name
    assert check_answer(good, proofs.root, proofs.token, [slot], NodePool())[1] == (9,)
    nonsense: tuple[object, ...] = (None, [], "0x", 7)
    for answer in nonsense:
        with pytest.raises(MalformedAnswer, match="JSON object"):
            check_answer(answer, proofs.root, proofs.token, [slot], NodePool())
    with pytest.raises(MalformedAnswer, match="distinct"):
        check_answer(proofs.answer(proofs.token, [slot, slot]), proofs.root, proofs.token, [slot, slot], NodePool())


@pytest.mark.devnet
@pytest.mark.fault("A30")
def test_the_state_root_comes_from_a_header_that_hashes_to_the_block(proofs: Proofs) -> None:
    block, encoded = proofs.header.block, proofs.header.encoded
    assert encoded is not None
    assert f"0x{state_root(encoded, block).hex()}" == proofs.header.state_root
    older = proofs.older.encoded
    assert older is not None
    with pytest.raises(ProofFailed, match="does not hash"):
        state_root(older, block)
    fields = rlp.decode(encoded)
    forged = rlp.encode([*fields[:3], keccak(b"another state"), *fields[4:]])
    with pytest.raises(ProofFailed, match="does not hash"):
        state_root(forged, block)
    with pytest.raises(ProofFailed, match="does not hash"):
        state_root(encoded[:-1], block)
    wrong_blocks: list[tuple[str, BlockRef]] = [
        ("parent hash", replace(block, parent_hash=f"0x{'1' * 64}")),
        ("height", replace(block, height=block.height + 1)),
        ("time", replace(block, timestamp=block.timestamp + timedelta(seconds=1))),
    ]
    for name, wrong in wrong_blocks:
        with pytest.raises(ProofFailed, match=f"another {name}"):
            state_root(encoded, wrong)


@pytest.mark.devnet
def test_a_header_that_was_not_recomputed_proves_nothing(proofs: Proofs) -> None:
    unchecked = decode_header(proofs.node.block(), CHAIN, "unknown")
    with pytest.raises(ProofFailed, match="header format is unknown"):
        checked_state_root(unchecked)
    assert checked_state_root(proofs.header) == proofs.root


def as_block(content: Any, block: BlockRef) -> tuple[bytes, BlockRef]:
    encoded: bytes = rlp.encode(content)
    return encoded, replace(block, block_hash=f"0x{keccak(encoded).hex()}")


@pytest.mark.devnet
def test_what_hashes_right_but_is_no_header_is_refused(proofs: Proofs) -> None:
    assert proofs.header.encoded is not None
    fields = rlp.decode(proofs.header.encoded)
    assert state_root(*as_block(fields, proofs.header.block)) == proofs.root
    for content in (
        fields[:14],
        [],
        b"text",
        [*fields[:3], fields[3][:31], *fields[4:]],
        [*fields[:3], [], *fields[4:]],
    ):
        with pytest.raises(MalformedAnswer):
            state_root(*as_block(content, proofs.header.block))


# States made by hand: what an account and a word may look like -------------------------------------------------------

ACCOUNT = [b"\x05", b"\x0a", EMPTY_ROOT, EMPTY_CODE_HASH]


def account_under(content: object, *, raw: bytes | None = None) -> ProvenAccount:
    key = keccak(bytes.fromhex(HOLDERS[0][2:]))
    trie = trie_of({key: raw if raw is not None else rlp.encode(content)})
    return account_at(trie.root_hash, HOLDERS[0], NodePool(), proof_of(trie, key))


def test_an_account_is_four_canonical_fields() -> None:
    assert account_under(ACCOUNT) == ProvenAccount(True, 5, 10, EMPTY_ROOT, EMPTY_CODE_HASH)
    largest = [(2**64 - 1).to_bytes(8), (2**256 - 1).to_bytes(32), EMPTY_ROOT, EMPTY_CODE_HASH]
    assert account_under(largest).balance == 2**256 - 1
    nonce, balance, storage, code = ACCOUNT
    for wrong in (
        ACCOUNT[:3],
        [*ACCOUNT, b""],
        [],
        b"account",
        [b"\0", balance, storage, code],
        [nonce, b"\0\x0a", storage, code],
        [nonce, b"\x01" + bytes(32), storage, code],
        [b"\x01" + bytes(8), balance, storage, code],
        [nonce, [], storage, code],
        [nonce, balance, storage[:31], code],
        [nonce, balance, b"", code],
        [nonce, balance, storage, code + b"\0"],
    ):
        with pytest.raises(MalformedAnswer, match=f"account proof of {HOLDERS[0]}, the account: "):
            account_under(wrong)
    with pytest.raises(MalformedAnswer, match="the account: "):
        account_under(None, raw=rlp.encode(ACCOUNT) + b"\0")


def word_under(value: bytes) -> int:
    key = keccak((7).to_bytes(32))
    trie = trie_of({key: value})
    account = ProvenAccount(True, 0, 0, trie.root_hash, EMPTY_CODE_HASH)
    return slot_at(account, HOLDERS[0], 7, NodePool(), proof_of(trie, key))


def test_a_word_is_a_canonical_number() -> None:
    for number in (0, 1, 127, 128, 2**256 - 1):
        assert word_under(rlp.encode(number)) == number
    leading_zero, too_long = b"\x82\x00\x05", b"\xa1\x01" + bytes(32)
    for wrong in (b"\0", b"\x81\x05", leading_zero, too_long, b"\xc0", b"\x05\x05", b"\x82\x05"):
        with pytest.raises(MalformedAnswer, match=r"storage proof of .* at 0x7, the value: "):
            word_under(wrong)


def test_an_account_without_storage_has_zero_in_each_slot() -> None:
    for proof in ([], [EMPTY_NODE]):
        assert slot_at(ABSENT, HOLDERS[0], 7, NodePool(), proof) == 0
    with pytest.raises(ProofFailed, match="storage proof"):
        slot_at(ABSENT, HOLDERS[0], 7, NodePool(), [b"\xc2\x20\x05"])


def test_zeros_for_hashes_pass_for_an_absent_account_only() -> None:
    key = keccak(bytes.fromhex(HOLDERS[0][2:]))
    trie = trie_of({key: rlp.encode(ACCOUNT), keccak(b"x"): b"v" * 40})
    root: bytes = trie.root_hash

    def answer(address: Address, **said: object) -> dict[str, object]:
        nodes = [f"0x{node.hex()}" for node in proof_of(trie, keccak(bytes.fromhex(address[2:])))]
        zeros = f"0x{'0' * 64}"
        empty = {"balance": "0x0", "nonce": "0x0", "codeHash": zeros, "storageHash": zeros, "storageProof": []}
        return {"address": address, "accountProof": nodes, **empty, **said}

    assert check_answer(answer(STRANGER), root, STRANGER, [], NodePool())[0] == ABSENT
    known = {"codeHash": f"0x{EMPTY_CODE_HASH.hex()}", "storageHash": f"0x{EMPTY_ROOT.hex()}"}
    assert check_answer(answer(STRANGER, **known), root, STRANGER, [], NodePool())[0] == ABSENT
    with pytest.raises(ProofFailed, match="another balance"):
        check_answer(answer(STRANGER, balance="0x1"), root, STRANGER, [], NodePool())
    own = {"balance": "0xa", "nonce": "0x5"}
    with pytest.raises(ProofFailed, match="another codeHash"):
        check_answer(answer(HOLDERS[0], **own), root, HOLDERS[0], [], NodePool())
    assert check_answer(answer(HOLDERS[0], **own, **known), root, HOLDERS[0], [], NodePool())[0].balance == 10
