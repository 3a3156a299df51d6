"""Signatures over messages: public vectors, the one form that is accepted, and whose key it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from eth_keys.datatypes import PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import InvalidValue
from chains.evm.keccak import keccak256
from chains.evm.signatures import (
    CONTRACT_SIGNATURE_BYTES_MAX,
    CURVE_ORDER,
    SignatureRefused,
    signature_bytes,
    signer,
    text_digest,
    typed_data_digest,
)
from chains.key_schemes import EVM_SCHEMES, SignatureScheme

# The example in the documentation of web3.js, web3.eth.accounts.sign ("Some data").
WEB3JS_ADDRESS = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"
WEB3JS_DIGEST = "1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655"
WEB3JS_SIGNATURE = (
    "0xb91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd"
    "6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c"
)

# The example of EIP-712 itself ("Ether Mail"), with the digest and signature of its Example.js; the key is
# keccak256("cow").
EIP712_ADDRESS = "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"
EIP712_DIGEST = "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
EIP712_SIGNATURE = (
    "0x4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d"
    "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b915621c"
)
ETHER_MAIL: dict[str, Any] = {
    "types": {
        "EIP712Domain": [
            {"name": "name", "type": "string"},
            {"name": "version", "type": "string"},
            {"name": "chainId", "type": "uint256"},
            {"name": "verifyingContract", "type": "address"},
        ],
        "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
        "Mail": [
            {"name": "from", "type": "Person"},
            {"name": "to", "type": "Person"},
            {"name": "contents", "type": "string"},
        ],
    },
    "primaryType": "Mail",
    "domain": {
        "name": "Ether Mail",
        "version": "1",
        "chainId": 1,
        "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
    },
    "message": {
        "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
        "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
        "contents": "Hello, Bob!",
    },
}
KEY_SCHEMES = [SignatureScheme.EIP191, SignatureScheme.EIP712]


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def mirrored(signature: bytes) -> bytes:
    """The other signature of the same key over the same digest."""
    s = CURVE_ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


def test_the_public_example_of_eip_191() -> None:
    assert text_digest("Some data").hex() == WEB3JS_DIGEST
    assert signer(text_digest("Some data"), raw(WEB3JS_SIGNATURE)) == WEB3JS_ADDRESS


def test_the_public_example_of_eip_712() -> None:
    assert typed_data_digest(ETHER_MAIL).hex() == EIP712_DIGEST
    assert signer(typed_data_digest(ETHER_MAIL), raw(EIP712_SIGNATURE)) == EIP712_ADDRESS
    assert PrivateKey(keccak256(b"cow")).public_key.to_checksum_address() == EIP712_ADDRESS


@pytest.mark.fault("G6")
def test_other_words_lead_to_another_address() -> None:
    assert signer(text_digest("Some data."), raw(WEB3JS_SIGNATURE)) != WEB3JS_ADDRESS
    changed = json.loads(json.dumps(ETHER_MAIL))
    changed["domain"]["chainId"] = 5
    assert signer(typed_data_digest(changed), raw(EIP712_SIGNATURE)) != EIP712_ADDRESS


@given(st.text(max_size=200), st.integers(1, CURVE_ORDER - 1))
def test_our_reading_is_that_of_eth_account(text: str, secret: int) -> None:
    key = secret.to_bytes(32, "big")
    signed = Account.sign_message(encode_defunct(text=text), key)
    raw_signature = signature_bytes("0x" + signed.signature.hex(), SignatureScheme.EIP191)
    assert text_digest(text) == signed.message_hash
    assert signer(text_digest(text), raw_signature) == Account.from_key(key).address
    with pytest.raises(SignatureRefused, match="upper half"):
        signer(text_digest(text), mirrored(raw_signature))


def test_typed_data_is_hashed_as_eth_account_signs_it() -> None:
    key = keccak256(b"cow")
    signed = Account.sign_message(encode_typed_data(full_message=ETHER_MAIL), key)
    assert signed.message_hash == typed_data_digest(ETHER_MAIL)
    assert "0x" + signed.signature.hex() == EIP712_SIGNATURE


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        pytest.param(raw(WEB3JS_SIGNATURE)[:64], "EIP-2098", id="compact"),
        pytest.param(raw(WEB3JS_SIGNATURE)[:63], "has 65 bytes, not 63", id="short"),
        pytest.param(b"", "has 65 bytes, not 0", id="empty"),
        pytest.param(raw(WEB3JS_SIGNATURE) + b"\0", "has 65 bytes, not 66", id="long"),
        pytest.param(raw(WEB3JS_SIGNATURE)[:64] + b"\1", "27 or 28", id="v is 1"),
        pytest.param(raw(WEB3JS_SIGNATURE)[:64] + b"\x25", "27 or 28", id="v of a transaction"),
        pytest.param(mirrored(raw(WEB3JS_SIGNATURE)), "upper half", id="high s"),
        pytest.param(bytes(32) + raw(WEB3JS_SIGNATURE)[32:], "above zero", id="r is 0"),
        pytest.param(raw(WEB3JS_SIGNATURE)[:32] + bytes(32) + b"\x1c", "above zero", id="s is 0"),
        pytest.param(
            CURVE_ORDER.to_bytes(32, "big") + raw(WEB3JS_SIGNATURE)[32:], "below the curve's order", id="r is n"
        ),
    ],
)
@pytest.mark.parametrize("scheme", KEY_SCHEMES)
def test_a_second_form_of_a_signature_is_refused(signature: bytes, words: str, scheme: SignatureScheme) -> None:
    assert signature_bytes(WEB3JS_SIGNATURE, scheme) == raw(WEB3JS_SIGNATURE)
    with pytest.raises(SignatureRefused, match=words):
        signature_bytes("0x" + signature.hex(), scheme)
    with pytest.raises(SignatureRefused, match=words):
        signer(text_digest("Some data"), signature)


@pytest.mark.parametrize("text", ["", "0x1", "1c" * 65, "0X" + "1c" * 65, "0x" + "zz" * 65, "0x1c 1c", "0x1c\n"])
@pytest.mark.parametrize("scheme", EVM_SCHEMES)
def test_a_signature_is_plain_hex(text: str, scheme: SignatureScheme) -> None:
    with pytest.raises(SignatureRefused, match="0x and two hex digits"):
        signature_bytes(text, scheme)


def test_a_point_that_is_not_on_the_curve_is_refused() -> None:
    # x = 5 has no point on secp256k1: 5**3 + 7 is no square modulo p.
    with pytest.raises(SignatureRefused, match="no key"):
        signer(text_digest("Some data"), (5).to_bytes(32, "big") + raw(WEB3JS_SIGNATURE)[32:])


def test_a_contract_wallet_decides_on_the_form() -> None:
    for length in (0, 1, 64, 65, 130, CONTRACT_SIGNATURE_BYTES_MAX):
        assert signature_bytes("0x" + "ab" * length, SignatureScheme.EIP1271) == b"\xab" * length
    with pytest.raises(SignatureRefused, match="longer"):
        signature_bytes("0x" + "ab" * (CONTRACT_SIGNATURE_BYTES_MAX + 1), SignatureScheme.EIP1271)


@pytest.mark.parametrize("missing", ["types", "primaryType", "domain", "message"])
def test_incomplete_typed_data_is_refused(missing: str) -> None:
    with pytest.raises(InvalidValue, match="not typed data"):
        typed_data_digest({name: value for name, value in ETHER_MAIL.items() if name != missing})
