"""What the methods of the front are given: hashes, blocks and verbosities, refused in Bitcoin Core's words."""

from __future__ import annotations

import re
from typing import Any, Final

from chains.devnet.bitcoin.kernel_chain import Entry, KernelChain
from chains.devnet.bitcoin.rpc_calls import INVALID_ADDRESS_OR_KEY, INVALID_PARAMETER, TYPE_ERROR, RpcError
from chains.devnet.bitcoin.wire import from_display

_HASH: Final = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


def hash_argument(text: Any, name: str) -> bytes:
    """A hash in the order of the wire."""
    if not isinstance(text, str):
        raise RpcError(TYPE_ERROR, f"JSON value of {name} is not of expected type string")
    if len(text) != 64:
        raise RpcError(INVALID_PARAMETER, f"{name} must be of length 64 (not {len(text)}, for '{text}')")
    if not _HASH.fullmatch(text):
        raise RpcError(INVALID_PARAMETER, f"{name} must be hexadecimal string (not '{text}')")
    return from_display(text)


def block_argument(chain: KernelChain, text: Any, name: str, unknown: str = "Block not found") -> Entry:
    """A stored block by its hash."""
    entry = chain.entry(hash_argument(text, name))
    if entry is None:
        raise RpcError(INVALID_ADDRESS_OR_KEY, unknown)
    return entry


def verbosity_argument(verbosity: Any, default: int) -> int:
    """A verbosity given as a number or, as in older releases, as true or false."""
    if verbosity is None:
        return default
    if not isinstance(verbosity, int):
        raise RpcError(TYPE_ERROR, "JSON value is not of expected type number")
    return int(verbosity)
