"""Reading the file that Bitcoin Core's `dumptxoutset` writes: every unspent output after one block.

Format 2 (Core 27 and later): magic, version, the network's magic, block hash and number of coins; then the coins,
grouped by transaction, each in Core's compressed form (`compressor.h`). The digest of all of them is the
`txoutset_hash` that the call answered with and that `gettxoutsetinfo hash_serialized_3` gives for the tip.

A dump is one node's word like a scan is: no block header commits to the set of unspent outputs. Pure.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from hashlib import sha256
from mmap import mmap
from struct import Struct, error
from typing import Final

from chains.bitcoin.answers import Coin
from chains.bitcoin.decoding import SATOSHI_MAX
from chains.bitcoin.networks import Network
from chains.bitcoin.script import p2pkh_script, p2sh_script
from chains.bitcoin.transaction import id_text
from chains.errors import MalformedAnswer

MAGIC: Final = b"utxo\xff"
VERSION: Final = 2
NETWORK_MAGIC: Final = {
    "main": "f9beb4d9",
    "test": "0b110907",
    "testnet4": "1c163f28",
    "signet": "0a03cf40",
    "regtest": "fabfb5da",
}
"""First bytes of a message between nodes, by which each network's files are told apart."""

_HEAD: Final = Struct("<5sH4s32sQ")
_OUTPOINT: Final = Struct("<32sI")
_CODE_AND_VALUE: Final = Struct("<IQ")
_SPECIAL_SCRIPTS: Final = 6
_SCRIPT_BYTES_MAX: Final = 10_000
"""Longer ones cannot be spent and are in no set of unspent outputs."""
_TENS: Final = tuple(int("1" + "0" * zeros) for zeros in range(10))
_FIELD: Final = 2**256 - 2**32 - 977
"""The prime of secp256k1's field."""


@dataclass(frozen=True, slots=True)
class CoinDump:
    """What was found in a dump; it was read to its end."""

    block_hash: str
    coins_counted: int
    """All coins in the file."""
    digest: str
    """Of all coins: Core's `txoutset_hash`."""
    coins: tuple[Coin, ...]
    """Those of the scripts that were asked for."""


def dump_block(data: bytes | mmap, network: Network) -> str:
    """Hash of the block that a dump is of. Raises `MalformedAnswer` for another file, format or network."""
    base_hash, _ = _head(data, network)
    return id_text(base_hash)


def read_dump(data: bytes | mmap, network: Network, watched: Container[bytes]) -> CoinDump:
    """Read a whole dump, for any number of scripts. Raises `MalformedAnswer` for anything that is not as documented."""
    try:
        return _read(data, network, watched)
    except (IndexError, ValueError, OverflowError, error):
        raise MalformedAnswer("the dump of unspent outputs ends before it should, or is damaged") from None


def _read(data: bytes | mmap, network: Network, watched: Container[bytes]) -> CoinDump:
    base_hash, count = _head(data, network)
    digest = sha256()
    found: list[Coin] = []
    at, left = _HEAD.size, count
    while left:
        txid = data[at : at + 32]
        coins, at = _size(data, at + 32)
        if len(txid) != 32 or not 0 < coins <= left:
            raise MalformedAnswer("the dump holds another number of coins than it says")
        rows: list[tuple[int, int, int, bytes]] = []
        for _ in range(coins):
            output, at = _size(data, at)
            code, at = _number(data, at)
            value, at = _number(data, at)
            script, at = _script(data, at)
            rows.append((output, code, _amount(value), script))
        left -= coins
        for output, code, satoshis, script in sorted(rows):
            digest.update(_OUTPOINT.pack(txid, output) + _CODE_AND_VALUE.pack(code, satoshis) + _sized(script))
            if script in watched:
                found.append(Coin(id_text(txid), output, script, satoshis, code >> 1, bool(code & 1)))
    if at != len(data):
        raise MalformedAnswer("bytes follow the last coin of the dump")
    # Core hashes twice, and writes the hash backwards.
    return CoinDump(id_text(base_hash), count, sha256(digest.digest()).digest()[::-1].hex(), tuple(found))


def _head(data: bytes | mmap, network: Network) -> tuple[bytes, int]:
    """Hash of the block, in the order of the wire, and number of coins."""
    if len(data) < _HEAD.size:
        raise MalformedAnswer("the file is no dump of unspent outputs")
    magic, version, network_magic, base_hash, count = _HEAD.unpack(data[: _HEAD.size])
    if magic != MAGIC or version != VERSION:
        raise MalformedAnswer("the file is no dump of unspent outputs of format 2")
    if network_magic.hex() != NETWORK_MAGIC[network.name]:
        raise MalformedAnswer(f"the dump is of another network than {network.name}")
    return base_hash, count


def _size(data: bytes | mmap, at: int) -> tuple[int, int]:
    """A size as on the wire: 1, 3, 5 or 9 bytes, the shortest that holds it."""
    first = data[at]
    if first < 0xFD:
        return first, at + 1
    width = 2 << (first - 0xFD)
    raw = data[at + 1 : at + 1 + width]
    value = int.from_bytes(raw, "little")
    if len(raw) != width or value < (0xFD if width == 2 else 1 << 4 * width):
        raise MalformedAnswer("a size in the dump is not written in the shortest way")
    return value, at + 1 + width


def _number(data: bytes | mmap, at: int) -> tuple[int, int]:
    """A number in Core's base 128: the most significant digits first, each but the last less one."""
    value = 0
    while True:
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            return value, at
        value += 1
        if value >= 1 << 64:
            raise MalformedAnswer("a number in the dump is longer than 64 bits")


def _amount(packed: int) -> int:
    """Satoshis out of Core's packing, which drops the zeros at the end."""
    if not packed:
        return 0
    packed, exponent = divmod(packed - 1, 10)
    if exponent < 9:
        packed, digit = divmod(packed, 9)
        value = packed * 10 + digit + 1
    else:
        value = packed + 1
    value *= _TENS[exponent]
    if value > SATOSHI_MAX:
        raise MalformedAnswer("a coin of the dump is worth more than all bitcoins there are")
    return value


def _script(data: bytes | mmap, at: int) -> tuple[bytes, int]:
    kind, at = _number(data, at)
    size = kind - _SPECIAL_SCRIPTS if kind >= _SPECIAL_SCRIPTS else 20 if kind < 2 else 32
    if size > _SCRIPT_BYTES_MAX:
        raise MalformedAnswer("a script of the dump is longer than any that can be spent")
    body = data[at : at + size]
    if len(body) != size:
        raise MalformedAnswer("the dump ends before it should")
    if kind >= _SPECIAL_SCRIPTS:
        return body, at + size
    if kind == 0:
        return p2pkh_script(body), at + size
    if kind == 1:
        return p2sh_script(body), at + size
    return _bare_key(kind, body), at + size


def _bare_key(kind: int, x: bytes) -> bytes:
    """The script of a bare key: 2 and 3 compressed, 4 and 5 not; the lowest bit is that of y."""
    if kind < 4:
        return b"\x21" + bytes([kind]) + x + b"\xac"
    number = int.from_bytes(x, "big")
    square = (number**3 + 7) % _FIELD
    y = pow(square, (_FIELD + 1) // 4, _FIELD)
    if number >= _FIELD or y * y % _FIELD != square:
        raise MalformedAnswer("a key of the dump is no point of the curve")
    if y & 1 != kind & 1:
        y = _FIELD - y
    return b"\x41\x04" + x + y.to_bytes(32, "big") + b"\xac"


def _sized(script: bytes) -> bytes:
    size = len(script)
    return (bytes([size]) if size < 0xFD else b"\xfd" + size.to_bytes(2, "little")) + script
