"""Signatures of EVM accounts over messages: what is hashed, and whose key signed. No I/O.

    EIP-191 (version 0x45, `personal_sign`)    text
    EIP-712 (`eth_signTypedData_v4`)           typed data
    EIP-1271                                   a contract is asked (see `chains.evm.accounts`)

One signature has one accepted form: 65 bytes r, s, v with v 27 or 28 and s in the lower half of the curve's order
(EIP-2). The compact form of EIP-2098, v 0 or 1, and the mirrored s would each be a second spelling of the same
signature, so that "seen before" could not be told from its bytes; they are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from chains.errors import ChainError, InvalidValue
from chains.evm.addresses import checksum_address
from chains.evm.keccak import keccak256
from chains.key_schemes import EVM_SCHEMES, SignatureScheme
from chains.types import Address

CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Order of secp256k1 (SEC 2, section 2.4.1)."""
CONTRACT_SIGNATURE_BYTES_MAX: Final = 16 * 1024
"""Longest signature for a contract wallet: about 250 owners' signatures."""

_HEX: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)


class SignatureRefused(ChainError):
    """A signature that breaks a rule of its own form; nothing is recovered from it."""

    code = "signature-form"
    advice = "Sign again and give the 65 bytes r, s, v in hex, v being 1b or 1c."


def text_digest(text: str) -> bytes:
    """The 32 bytes that `personal_sign` signs for a text (EIP-191, version 0x45)."""
    return bytes_digest(text.encode("utf-8"))


def bytes_digest(body: bytes) -> bytes:
    """The 32 bytes that `personal_sign` signs for a run of bytes (EIP-191, version 0x45)."""
    return keccak256(b"\x19Ethereum Signed Message:\n" + str(len(body)).encode("ascii") + body)


def typed_data_digest(typed_data: Mapping[str, Any]) -> bytes:
    """The 32 bytes that `eth_signTypedData_v4` signs for typed data given as its JSON object (EIP-712).

    Raises `InvalidValue` when it is not complete typed data.
    """
    from eth_account.messages import encode_typed_data
    from eth_utils.exceptions import ValidationError

    if missing := {"types", "primaryType", "domain", "message"} - typed_data.keys():
        raise InvalidValue(f"not typed data (EIP-712): {', '.join(sorted(missing))} missing")
    try:
        encoded = encode_typed_data(full_message=dict(typed_data))
    except (ValueError, TypeError, KeyError, ValidationError) as error:
        raise InvalidValue(f"not typed data (EIP-712): {str(error)[:120]}") from None
    return keccak256(b"\x19" + encoded.version + encoded.header + encoded.body)


def signature_bytes(text: str, scheme: SignatureScheme) -> bytes:
    """A signature from its hex text, its form checked as far as the scheme has one. Raises `SignatureRefused`.

    A contract wallet decides on the form itself; an empty signature is one that it may know (an approval on chain).
    """
    if scheme not in EVM_SCHEMES:
        raise SignatureRefused(f"{scheme} is no scheme of EVM accounts")
    if not _HEX.fullmatch(text):
        raise SignatureRefused("the signature is not written as 0x and two hex digits for each byte")
    raw = bytes.fromhex(text[2:])
    if scheme is SignatureScheme.EIP1271:
        if len(raw) > CONTRACT_SIGNATURE_BYTES_MAX:
            raise SignatureRefused(f"the signature is longer than {CONTRACT_SIGNATURE_BYTES_MAX} bytes")
        return raw
    _split(raw)
    return raw


def signer(digest: bytes, signature: bytes) -> Address:
    """The address of the key that made a signature over a digest. Raises `SignatureRefused`.

    Some address comes out of almost every signature: only the comparison with the expected one says anything.
    """
    from eth_keys.datatypes import Signature
    from eth_keys.exceptions import BadSignature
    from eth_utils.exceptions import ValidationError

    r, s, parity = _split(signature)
    try:
        public_key = Signature(vrs=(parity, r, s)).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError):
        raise SignatureRefused("no key can have made this signature") from None
    return checksum_address(public_key.to_canonical_address())


def _split(raw: bytes) -> tuple[int, int, int]:
    """r, s and the parity of a signature in its one accepted form."""
    if len(raw) == 64:
        raise SignatureRefused("64 bytes are the compact form (EIP-2098), which is not accepted; give r, s, v")
    if len(raw) != 65:
        raise SignatureRefused(f"a key's signature has 65 bytes, not {len(raw)}")
    r, s, v = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"), raw[64]
    if v not in (27, 28):
        raise SignatureRefused(f"the last byte must be 27 or 28 (hex 1b or 1c), not {v}")
    if not 0 < r < CURVE_ORDER or not 0 < s < CURVE_ORDER:
        raise SignatureRefused("r and s must be above zero and below the curve's order")
    if s > CURVE_ORDER // 2:
        raise SignatureRefused("s is in the upper half of the curve's order: the mirror image of another signature")
    return r, s, v - 27
