"""Balances proven against a block: account and storage proofs (EIP-1186) under a header whose hash is recomputed.

What is proven is that this block hash commits to this figure. Whether the block is the chain's is another question: one
node can invent a header, its state root and proofs that fit, so a proof needs an anchor (`chains.types.overall_grade`).

Absence is proven too: an account that is not there has nothing, a slot that is not there is zero. A proof that is
missing or does not check gives no figure at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from chains.errors import MalformedAnswer, ProofFailed, ReadError
from chains.evm.addresses import address_bytes
from chains.evm.header import Header
from chains.evm.keccak import EMPTY_CODE_HASH, keccak256
from chains.evm.quantity import data, hash32, quantity, shown
from chains.evm.rlp_decoding import scalar_of, split_list, string_of
from chains.evm.trie_proof import NodePool
from chains.evm.trie_root import EMPTY_ROOT
from chains.types import Address, BlockRef

_T = TypeVar("_T")

PROOF_NODES_MAX: Final = 65
"""A key of 32 bytes has 64 nibbles: no way through a trie has more nodes."""
_PARENT_HASH, _STATE_ROOT, _NUMBER, _TIMESTAMP = 0, 3, 8, 11
"""Places in the header (Yellow Paper, section 4.4), the same since the first block."""


class ProvenAccount(NamedTuple):
    """What the state of a block says of an address."""

    exists: bool
    """False when the state has no such account; then it has no balance, nonce, code or storage."""
    nonce: int
    balance: int
    """In wei."""
    storage_root: bytes
    code_hash: bytes


ABSENT: Final = ProvenAccount(False, 0, 0, EMPTY_ROOT, EMPTY_CODE_HASH)
"""An address that the state does not know."""


def state_root(encoded_header: bytes, block: BlockRef) -> bytes:
    """The state root in an RLP header that hashes to the block's hash and agrees with all that is said of the block.

    Raises `ProofFailed` when it does not, `MalformedAnswer` when it is no header.
    """
    if keccak256(encoded_header).hex() != block.block_hash[2:].lower():
        raise ProofFailed(f"the header does not hash to {block.block_hash}")
    fields = split_list(encoded_header)
    if len(fields) < 15:
        raise MalformedAnswer(f"a header has at least 15 fields, not {len(fields)}")
    said = {
        "parent hash": (f"0x{string_of(fields[_PARENT_HASH]).hex()}", block.parent_hash.lower()),
        "height": (scalar_of(fields[_NUMBER]), block.height),
        "time": (scalar_of(fields[_TIMESTAMP]), int(block.timestamp.timestamp())),
    }
    for name, (committed, claimed) in said.items():
        if committed != claimed:
            raise ProofFailed(f"the header of {block.block_hash} has another {name} than is said of the block")
    return _root_of(fields[_STATE_ROOT])


def checked_state_root(header: Header) -> bytes:
    """The state root of a decoded header. Raises `ProofFailed` when its hash could not be recomputed."""
    if not header.checked or header.encoded is None:
        raise ProofFailed(f"nothing is proven against block {header.block.block_hash}: {header.note}")
    return state_root(header.encoded, header.block)


def account_at(root: bytes, address: Address, pool: NodePool, proof: Sequence[bytes] | None = None) -> ProvenAccount:
    """The account under a state root, by a proof (its nodes go into the pool) or by the pool's nodes alone.

    Raises `ProofFailed` or `MalformedAnswer`, which name the account and the node.
    """
    what = f"account proof of {address}"
    key = keccak256(address_bytes(address))
    value = pool.find(root, key, what) if proof is None else pool.prove(root, key, proof, what)
    if value is None:
        return ABSENT
    try:
        fields = split_list(value)
        if len(fields) != 4:
            raise MalformedAnswer(f"an account has 4 fields, not {len(fields)}")
        nonce, balance, storage_root, code_hash = fields
        return ProvenAccount(
            True, scalar_of(nonce, bits=64), scalar_of(balance), _root_of(storage_root), _root_of(code_hash)
        )
    except MalformedAnswer as error:
        raise MalformedAnswer(f"{what}, the account: {error}") from None


def slot_at(
    account: ProvenAccount, address: Address, slot: int, pool: NodePool, proof: Sequence[bytes] | None = None
) -> int:
    """The word in a storage slot of a proven account, by a proof or by the pool's nodes alone; zero when it is absent.

    The address only names the place in errors. Raises `ProofFailed` or `MalformedAnswer`.
    """
    what = f"storage proof of {address} at {hex(slot)}"
    key = keccak256(slot.to_bytes(32, "big"))
    root = account.storage_root
    value = pool.find(root, key, what) if proof is None else pool.prove(root, key, proof, what)
    if value is None:
        return 0
    try:
        # A chain removes what is set to zero; devnets are known to keep it. The root commits to zero either way.
        return scalar_of(value)
    except MalformedAnswer as error:
        raise MalformedAnswer(f"{what}, the value: {error}") from None


def check_answer(
    answer: object, root: bytes, address: Address, slots: Sequence[int], pool: NodePool
) -> tuple[ProvenAccount, tuple[int, ...]]:
    """What an `eth_getProof` answer proves: the account, and the word of each slot in the order asked.

    The answer must be about this address and exactly these distinct slots. What it says beside its proofs must be what
    they prove: a node that says one thing and proves another is caught. The pool keeps the nodes of an answer that
    checks as a whole, and nothing of any other. Raises `MalformedAnswer` or `ProofFailed`.
    """
    size = len(pool)
    try:
        return _check_answer(answer, root, address, slots, pool)
    except ReadError:
        pool.forget_after(size)
        raise


def _check_answer(
    answer: object, root: bytes, address: Address, slots: Sequence[int], pool: NodePool
) -> tuple[ProvenAccount, tuple[int, ...]]:
    if not isinstance(answer, Mapping):
        raise MalformedAnswer("the answer to eth_getProof is not a JSON object")
    if data(answer.get("address"), length=20) != address_bytes(address):
        raise MalformedAnswer(f"a proof of {address} was asked for, the answer is about another account")
    account = account_at(root, address, pool, _nodes(answer.get("accountProof"), f"account proof of {address}"))
    _compare_account(answer, account, address)
    entries = answer.get("storageProof")
    if not isinstance(entries, list) or not len(entries) == len(slots) == len(set(slots)):
        raise MalformedAnswer(f"{len(slots)} distinct slots of {address} must have one storage proof each")
    by_slot = {_slot_of(entry): entry for entry in entries}
    if by_slot.keys() != set(slots):
        raise MalformedAnswer(f"the storage proofs of {address} are not of the slots asked for")
    words = []
    for slot in slots:
        what = f"storage proof of {address} at {hex(slot)}"
        proven = slot_at(account, address, slot, pool, _nodes(by_slot[slot].get("proof"), what))
        if _named(f"{what}, value", _word, by_slot[slot].get("value")) != proven:
            raise ProofFailed(f"{what}: the node says another value than it proves")
        words.append(proven)
    return account, tuple(words)


def _compare_account(answer: Mapping[str, object], account: ProvenAccount, address: Address) -> None:
    what = f"account proof of {address}"
    for name, number in (("balance", account.balance), ("nonce", account.nonce)):
        if _named(f"{what}, {name}", quantity, answer.get(name)) != number:
            raise ProofFailed(f"{what}: the node says another {name} than it proves")
    for name, digest in (("codeHash", account.code_hash), ("storageHash", account.storage_root)):
        said = _named(f"{what}, {name}", hash32, answer.get(name))[2:]
        # Of an account that is not there, some nodes say zeros.
        if said != digest.hex() and (account.exists or said != "0" * 64):
            raise ProofFailed(f"{what}: the node says another {name} than it proves")


def _nodes(value: object, what: str) -> list[bytes]:
    if not isinstance(value, list):
        raise MalformedAnswer(f"{what}: expected a list of nodes, got {shown(value)}")
    if len(value) > PROOF_NODES_MAX:
        raise MalformedAnswer(f"{what}: {len(value)} nodes, no proof has more than {PROOF_NODES_MAX}")
    return [_named(f"{what}, node {place}", data, node) for place, node in enumerate(value, 1)]


def _named(what: str, decode: Callable[[object], _T], value: object) -> _T:
    """The decoded value; an error says where it stood."""
    try:
        return decode(value)
    except MalformedAnswer as error:
        raise MalformedAnswer(f"{what}: {error}") from None


def _slot_of(entry: object) -> int:
    if not isinstance(entry, Mapping):
        raise MalformedAnswer(f"expected a storage proof, got {shown(entry)}")
    return _word(entry.get("key"))


def _word(value: object) -> int:
    """A key or value: nodes write a quantity or all 32 bytes."""
    if type(value) is str and len(value) == 66:
        return int.from_bytes(data(value, length=32), "big")
    return quantity(value)


def _root_of(item: bytes) -> bytes:
    digest = string_of(item)
    if len(digest) != 32:
        raise MalformedAnswer(f"expected a hash of 32 bytes, got {len(digest)}")
    return digest
