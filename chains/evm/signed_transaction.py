"""Transactions as a block header commits to them, types 0 to 4: RLP, hash, and the sender by the signature.

A node gives the sender beside the transaction, but no root covers it: it is what the signature says. So the signed
bytes are made anew and the sender is recovered (Yellow Paper, appendix F; EIP-155, 2930, 1559, 4844, 7702).

Pure: takes decoded JSON, returns values, raises `MalformedAnswer` or `UnknownType`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chains.errors import MalformedAnswer
from chains.evm.envelopes import ACCESS_LIST, BLOB, LEGACY, SET_CODE, envelope, known_envelope_type
from chains.evm.header import JsonObject
from chains.evm.keccak import keccak256
from chains.evm.quantity import data, quantity
from chains.evm.rlp_encoding import encode_bytes, encode_list, integer_bytes, wrap_list

GAS_PER_BLOB: Final = 2**17
"""EIP-4844."""


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """What a transaction's own bytes say."""

    encoded: bytes
    """What the transactions trie holds."""
    signing_hash: bytes
    y_parity: int
    r: int
    s: int
    nonce: int
    receiver: bytes | None
    """None for the creation of a contract."""
    value: int
    price_max: int
    """Most per gas: gasPrice, or maxFeePerGas."""
    tip_max: int
    """Most per gas for the block's fee recipient; for the older types all that the base fee leaves."""
    blobs: int

    @property
    def tx_id(self) -> str:
        """The transaction hash."""
        return "0x" + keccak256(self.encoded).hex()

    @property
    def blob_gas(self) -> int:
        """Blob gas it uses (EIP-4844)."""
        return self.blobs * GAS_PER_BLOB

    def gas_price(self, base_fee: int) -> int:
        """What it pays per gas in a block with this base fee (EIP-1559); 0 is the base fee before London."""
        return min(self.price_max, base_fee + self.tip_max)

    def sender(self) -> bytes:
        """The account that signed it. Raises `MalformedAnswer` when nobody can have."""
        from eth_keys.datatypes import Signature
        from eth_keys.exceptions import BadSignature
        from eth_utils.exceptions import ValidationError

        try:
            signature = Signature(vrs=(self.y_parity, self.r, self.s))
            return bytes(signature.recover_public_key_from_msg_hash(self.signing_hash).to_canonical_address())
        except (BadSignature, ValidationError):
            raise MalformedAnswer(f"transaction {self.tx_id} has a signature that nobody can have made") from None


def decode_transaction(answer: object) -> SignedTransaction:
    """A transaction object, whole, as `eth_getBlockBy…` gives it."""
    if not isinstance(answer, dict):
        raise MalformedAnswer("a transaction is not a JSON object")
    number = known_envelope_type(answer)
    to = answer.get("to")
    receiver = None if to is None else data(to, length=20)
    nonce, value = quantity(answer.get("nonce")), quantity(answer.get("value"))
    if number <= ACCESS_LIST:
        price_max = tip_max = quantity(answer.get("gasPrice"))
        prices = [price_max]
    else:
        price_max, tip_max = quantity(answer.get("maxFeePerGas")), quantity(answer.get("maxPriorityFeePerGas"))
        prices = [tip_max, price_max]
    content = _integers(nonce, *prices, quantity(answer.get("gas")))
    content += encode_bytes(receiver or b"") + _integers(value) + encode_bytes(data(answer.get("input")))
    blobs = 0
    if number == LEGACY:
        signed, y_parity, closing = _legacy_signature(answer, content)
        head = content
    else:
        head = _integers(quantity(answer.get("chainId"))) + content + _access_list(answer)
        if number == BLOB:
            hashes = _items(answer, "blobVersionedHashes")
            blobs = len(hashes)
            head += _integers(quantity(answer.get("maxFeePerBlobGas")))
            head += encode_list([data(each, length=32) for each in hashes])
        elif number == SET_CODE:
            head += wrap_list(b"".join([_authorization(each) for each in _items(answer, "authorizationList")]))
        signed, y_parity = head, _y_parity(answer)
        closing = y_parity
    r, s = quantity(answer.get("r")), quantity(answer.get("s"))
    return SignedTransaction(
        encoded=envelope(number, head + _integers(closing, r, s)),
        signing_hash=keccak256(envelope(number, signed)),
        y_parity=y_parity,
        r=r,
        s=s,
        nonce=nonce,
        receiver=receiver,
        value=value,
        price_max=price_max,
        tip_max=tip_max,
        blobs=blobs,
    )


def _integers(*values: int) -> bytes:
    return b"".join([encode_bytes(integer_bytes(value)) for value in values])


def _legacy_signature(answer: JsonObject, content: bytes) -> tuple[bytes, int, int]:
    """What was signed, the parity and `v`, which before EIP-155 is 27 or 28 and since then carries the chain id."""
    v = quantity(answer.get("v"))
    if v in (27, 28):
        return content, v - 27, v
    if v < 35:
        raise MalformedAnswer(f"a legacy transaction has the impossible v {v}")
    return content + _integers((v - 35) // 2, 0, 0), (v - 35) % 2, v


def _y_parity(answer: JsonObject) -> int:
    # Older nodes give it as v only.
    parity = quantity(answer["yParity"] if answer.get("yParity") is not None else answer.get("v"))
    if parity > 1:
        raise MalformedAnswer(f"a transaction has the impossible yParity {parity}")
    return parity


def _items(answer: JsonObject, name: str) -> list[object]:
    items = answer.get(name)
    if not isinstance(items, list):
        raise MalformedAnswer(f"a transaction has no list {name}")
    return items


def _access_list(answer: JsonObject) -> bytes:
    entries = []
    for entry in _items(answer, "accessList"):
        if not isinstance(entry, dict):
            raise MalformedAnswer("an entry of an access list is not a JSON object")
        keys = encode_list([data(key, length=32) for key in _items(entry, "storageKeys")])
        entries.append(wrap_list(encode_bytes(data(entry.get("address"), length=20)) + keys))
    return wrap_list(b"".join(entries))


def _authorization(entry: object) -> bytes:
    if not isinstance(entry, dict):
        raise MalformedAnswer("an authorization is not a JSON object")
    chain, nonce = quantity(entry.get("chainId")), quantity(entry.get("nonce"))
    # Not checked as a transaction's is: an authorization with an impossible signature is allowed, and ignored.
    parity = quantity(entry["yParity"] if entry.get("yParity") is not None else entry.get("v"))
    signature = _integers(parity, quantity(entry.get("r")), quantity(entry.get("s")))
    address = encode_bytes(data(entry.get("address"), length=20))
    return wrap_list(_integers(chain) + address + _integers(nonce) + signature)
