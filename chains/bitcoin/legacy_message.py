"""Messages signed by single keys, as wallets did before BIP-322: base64 of 65 bytes, from which the key is recovered.

    header 27 to 30   uncompressed key, P2PKH        the standard
           31 to 34   compressed key, P2PKH          the standard; some wallets mean P2WPKH or P2SH-P2WPKH by it
           35 to 38   P2SH-P2WPKH                    BIP-137
           39 to 42   P2WPKH                         BIP-137

Such a signature does not commit to its key: somebody who sees it can find another key for which it holds, of other
words. Here the key is fixed before, by the address or the script, so that nothing comes of it. The last two rows, and
the custom in the second, count only as `legacy-segwit`, which a challenge must ask for.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from chains.bitcoin.bip322 import base64_bytes
from chains.bitcoin.hashes import hash160, sha256d
from chains.bitcoin.proof_types import ProofState, Verdict, refuse
from chains.bitcoin.script import p2pkh_script, p2sh_script, witness_script
from chains.bitcoin.script_code import multisig_of
from chains.bitcoin.script_engine import ScriptEngineMissing
from chains.bitcoin.spending_rules import CURVE_ORDER
from chains.bitcoin.transaction import write_size

MAGIC: Final = b"\x18Bitcoin Signed Message:\n"
_BY_STANDARD: Final = range(27, 35)
_WRAPPED: Final = (*range(31, 35), *range(35, 39))
_NATIVE: Final = (*range(31, 35), *range(39, 43))


def message_digest(message: bytes) -> bytes:
    """The 32 bytes that a key signs for a text."""
    return sha256d(MAGIC + write_size(len(message)) + message)


def judge_legacy(script: bytes, message: bytes, text: str) -> Verdict:
    """A signature for a P2PKH address, by the standard. Raises `ProofRefused`."""
    if len(script) != 25:
        refuse("wrong-script", "this scheme is for P2PKH addresses; use BIP-322 for the others")
    header, key = _recovered(message, text)
    if header not in _BY_STANDARD:
        refuse("signature-form", f"the header {header} is not one of a P2PKH address (27 to 34)")
    return _verdict(p2pkh_script(hash160(key)) == script)


def judge_legacy_segwit(script: bytes, message: bytes, text: str) -> Verdict:
    """A signature for a P2WPKH or P2SH-P2WPKH address, by wallets' custom. Raises `ProofRefused`."""
    header, key = _recovered(message, text)
    native = witness_script(0, hash160(key))
    if len(script) == 22:
        headers, wanted = _NATIVE, native
    elif len(script) == 23:
        headers, wanted = _WRAPPED, p2sh_script(hash160(native))
    else:
        refuse("wrong-script", "this scheme is for P2WPKH and P2SH-P2WPKH addresses")
    if header not in headers:
        refuse("signature-form", f"the header {header} is not one of this kind of address")
    return _verdict(wanted == script)


def judge_multisig_keys(script: bytes, message: bytes, text: str) -> Verdict:
    """Signatures of single keys for a multisig address: its script in hex, and one signature of each, with spaces.

    As many different keys as the script asks for must have signed; one that signs twice, or stands twice in the
    script, is one. Raises `ProofRefused`.
    """
    first, *signatures = text.split(" ")
    try:
        inner = bytes.fromhex(first)
    except ValueError:
        refuse("signature-form", "it does not begin with the multisig script in hex")
    multisig = multisig_of(inner)
    if multisig is None or first != inner.hex():
        refuse("wrong-script", "it does not begin with a plain multisig script in lower-case hex")
    program = witness_script(0, sha256(inner).digest())
    if script not in (program, p2sh_script(hash160(program)), p2sh_script(hash160(inner))):
        refuse("wrong-script", "the multisig script is not the one behind the address")
    if len(signatures) > len(multisig.keys):
        refuse("signature-form", "there are more signatures than keys")
    keys = {_compressed(key) for key in multisig.keys}
    signed = set()
    for signature in signatures:
        header, key = _recovered(message, signature)
        if header not in _BY_STANDARD:
            refuse("signature-form", f"the header {header} is not one of a single key (27 to 34)")
        if _compressed(key) not in keys:
            refuse("other-key", "a key signed that is not in the script, or other words were signed")
        signed.add(_compressed(key))
    if len(signed) < multisig.required:
        refuse("too-few-keys", f"{len(signed)} different keys signed; the script asks for {multisig.required}")
    return Verdict(ProofState.VALID)


def _verdict(is_own: bool) -> Verdict:
    if not is_own:
        refuse("other-key", "another key signed, or other words")
    return Verdict(ProofState.VALID)


def _recovered(message: bytes, text: str) -> tuple[int, bytes]:
    """Header and key of a signature, in the form that the header says."""
    raw = base64_bytes(text)
    if len(raw) != 65 or not 27 <= raw[0] <= 42:
        refuse("signature-form", "a signature has 65 bytes and begins with 27 to 42")
    if int.from_bytes(raw[33:], "big") > CURVE_ORDER // 2:
        refuse("signature-rule", "S is in the upper half of the curve's order: the mirror image of another signature")
    curve = _curve()
    try:
        key = curve.from_signature_and_message(raw[1:] + bytes([(raw[0] - 27) & 3]), message_digest(message), None)
    except ValueError:
        refuse("signature-form", "no key can have made this signature")
    return raw[0], bytes(key.format(compressed=raw[0] >= 31))


def _compressed(key: bytes) -> bytes:
    """One spelling for each key."""
    try:
        return bytes(_curve()(key).format(compressed=True))
    except ValueError:
        refuse("wrong-script", "the script holds a key that is no point of the curve")


def _curve() -> Any:
    try:
        from coincurve import PublicKey
    except ImportError:
        raise ScriptEngineMissing("recovering keys from signatures needs coincurve, which is not installed") from None
    return PublicKey
