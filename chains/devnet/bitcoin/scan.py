"""The scripts that `scantxoutset` is asked to look for: `raw(…)`, `addr(…)`, and descriptors of plain keys."""

from __future__ import annotations

import re
from typing import Any, Final

from chains.bitcoin.hashes import hash160
from chains.bitcoin.networks import REGTEST
from chains.bitcoin.script import p2pkh_script, p2sh_script, script_of_address, witness_script
from chains.devnet.bitcoin.rpc_calls import INVALID_ADDRESS_OR_KEY, INVALID_PARAMETER, RpcError
from chains.devnet.bitcoin.script_json import descriptor, descriptor_checksum
from chains.errors import InvalidValue

_KEY: Final = re.compile(r"0[23][0-9a-f]{64}", re.ASCII)


def scanned_scripts(objects: list[Any]) -> dict[bytes, str]:
    """Script to the descriptor that is named in the answer; raise `RpcError` as Bitcoin Core does."""
    found: dict[bytes, str] = {}
    for each in objects:
        text = each.get("desc") if isinstance(each, dict) else each
        if not isinstance(text, str):
            raise RpcError(INVALID_PARAMETER, "Scan object needs to be either a string or an object")
        body = _without_checksum(text)
        script = script_of_descriptor(body)
        named = descriptor(script) if body.startswith(("raw(", "addr(")) else f"{body}#{descriptor_checksum(body)}"
        found[script] = named
    return found


def script_of_descriptor(body: str) -> bytes:
    """The output script of a descriptor without ranges; raise `RpcError` for one that is not understood."""
    name, _, rest = body.partition("(")
    inner = rest.removesuffix(")")
    if name == "raw":
        try:
            return bytes.fromhex(inner)
        except ValueError:
            raise RpcError(INVALID_ADDRESS_OR_KEY, "Raw script is not hex") from None
    if name == "addr":
        try:
            return script_of_address(REGTEST, inner)
        except InvalidValue:
            raise RpcError(INVALID_ADDRESS_OR_KEY, "Address is not valid") from None
    if name == "sh" and inner.startswith("wpkh("):
        return p2sh_script(hash160(script_of_descriptor(inner)))
    if name == "rawtr" and re.fullmatch(r"[0-9a-f]{64}", inner, re.ASCII):
        return witness_script(1, bytes.fromhex(inner))
    if not _KEY.fullmatch(inner) or name not in ("pk", "pkh", "wpkh"):
        raise RpcError(INVALID_ADDRESS_OR_KEY, f"'{body}' is not a valid descriptor function")
    key = bytes.fromhex(inner)
    if name == "pk":
        return bytes([len(key)]) + key + b"\xac"
    return p2pkh_script(hash160(key)) if name == "pkh" else witness_script(0, hash160(key))


def _without_checksum(text: str) -> str:
    body, hash_sign, given = text.partition("#")
    if not hash_sign:
        return body
    try:
        computed = descriptor_checksum(body)
    except ValueError:
        raise RpcError(INVALID_ADDRESS_OR_KEY, "Invalid characters in payload") from None
    if given != computed:
        text = f"Provided checksum '{given}' does not match computed checksum '{computed}'"
        raise RpcError(INVALID_ADDRESS_OR_KEY, text)
    return body
