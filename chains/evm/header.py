"""Block headers: the hash is recomputed from the header's own fields, so that a hash names exactly one content.

A header format belongs to a family of chains and is registered by name (`ChainConfig.header_format`). The format
`ethereum` covers Ethereum and its close relatives: every fork from the first block to Prague, told apart by which
fields are there. A header with further consensus fields (a fork newer than this code) cannot be recomputed: it is
used unchecked and says so, which lowers the evidence. A header whose known fields do not give its hash is a lie.

Pure: takes decoded JSON, returns values, raises `MalformedAnswer` or `ProofFailed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from chains.errors import ChainConfigError, MalformedAnswer, ProofFailed
from chains.evm.keccak import keccak256
from chains.evm.quantity import data, hash32, quantity
from chains.evm.rlp_encoding import encode_bytes, wrap_list
from chains.types import BlockRef, ChainId

JsonObject = Mapping[str, object]
HEIGHT_MAX: Final = 2**53 - 1
"""Largest height that is believed, and that every reader of JSON keeps exact."""


@dataclass(frozen=True, slots=True)
class Header:
    """A block's header as one node gave it."""

    block: BlockRef
    checked: bool
    """Whether the block hash was recomputed from the fields."""
    note: str
    """Why it was not, when it was not."""
    state_root: str
    receipts_root: str
    logs_bloom: bytes
    encoded: bytes | None
    """The RLP whose keccak256 is the block hash; None when unchecked."""


HeaderEncoder = Callable[[JsonObject], "tuple[bytes, tuple[str, ...]]"]
"""Gives the bytes that are hashed, and the names of fields it does not know (they may belong to the hash)."""

_FIELDS: Final[tuple[tuple[str, int | None], ...]] = (
    # Name in JSON, and its fixed length in bytes or None for an integer. The order is the order of hashing.
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", 256),
    ("difficulty", None),
    ("number", None),
    ("gasLimit", None),
    ("gasUsed", None),
    ("timestamp", None),
    ("extraData", -1),
    ("mixHash", 32),
    ("nonce", 8),
)
_FORK_FIELDS: Final[tuple[tuple[tuple[str, int | None], ...], ...]] = (
    # Each fork appends its fields; a later one is never there without the earlier ones.
    (("baseFeePerGas", None),),  # London, EIP-1559
    (("withdrawalsRoot", 32),),  # Shanghai, EIP-4895
    (("blobGasUsed", None), ("excessBlobGas", None), ("parentBeaconBlockRoot", 32)),  # Cancun, EIP-4844 and 4788
    (("requestsHash", 32),),  # Prague, EIP-7685
)
_ALL_FIELDS: Final = (*_FIELDS, *(field for fork in _FORK_FIELDS for field in fork))
_FORK_NAMES: Final = tuple(name for fork in _FORK_FIELDS for name, _ in fork)
_PREFIXES: Final = {8: "88", 20: "94", 32: "a0", 256: "b90100"}
"""RLP prefixes of the fixed lengths, in hexadecimal."""
_NOT_HASHED: Final = frozenset({"hash", "size", "totalDifficulty", "transactions", "uncles", "withdrawals"})
_KNOWN: Final = _NOT_HASHED | {name for name, _ in _FIELDS} | {name for fork in _FORK_FIELDS for name, _ in fork}


def _field_rlp(header: JsonObject, name: str, length: int | None) -> str:
    """RLP of one field, in hexadecimal; the digits of a fixed length are checked when all fields are put together."""
    if name not in header:
        raise MalformedAnswer(f"the block header has no {name}")
    value = header[name]
    if length is None:
        quantity(value)
        digits = value[2:]  # type: ignore[index]  # a quantity is text
        if digits == "0":
            return "80"
        if len(digits) % 2:
            digits = f"0{digits}"
        return digits if len(digits) == 2 and digits < "80" else f"{0x80 + len(digits) // 2:02x}{digits}"
    if length < 0:
        return "80" if value == "0x" else encode_bytes(data(value)).hex()
    if type(value) is not str or len(value) != 2 * length + 2 or not value.startswith("0x"):
        data(value, length=length)
        raise MalformedAnswer(f"the block header's {name} is not {length} bytes")
    return _PREFIXES[length] + value[2:]


def _joined(header: JsonObject, names: Sequence[tuple[str, int | None]]) -> bytes:
    """RLP of the list of these fields. All are decoded at once, because a scan does this for every block."""
    parts: list[str] = []
    for name, length in names:
        value = header.get(name)
        if length in _PREFIXES and type(value) is str and len(value) == 2 * length + 2 and value[:2] == "0x":
            parts.append(_PREFIXES[length] + value[2:])  # most of the fields: hashes and the like
        else:
            parts.append(_field_rlp(header, name, length))
    digits = "".join(parts)
    try:
        body = bytes.fromhex(digits)
    except ValueError:
        body = b""
    if 2 * len(body) != len(digits):  # a blank, or what is no digit: which field it is says the strict decoder
        for name, length in names:
            if length is not None:
                data(header[name])
    return wrap_list(body)


def encode_ethereum(header: JsonObject) -> tuple[bytes, tuple[str, ...]]:
    """RLP of an Ethereum header of any fork up to Prague, and the names of fields no known fork has."""
    if header.keys() <= _KNOWN and None not in map(header.get, _FORK_NAMES):  # of the newest fork, as nearly all are
        return _joined(header, _ALL_FIELDS), ()
    fields = list(_FIELDS)
    ended = False
    for fork in _FORK_FIELDS:
        present = [name for name, _ in fork if header.get(name) is not None]
        if not present:
            ended = True
            continue
        if ended or len(present) != len(fork):
            raise MalformedAnswer(f"the block header has {present[0]} without the fields that belong before or with it")
        fields.extend(fork)
    unknown = tuple(sorted(name for name, value in header.items() if name not in _KNOWN and value is not None))
    return _joined(header, fields), unknown


_formats: dict[str, HeaderEncoder] = {"ethereum": encode_ethereum}
UNKNOWN_FORMAT: Final = "unknown"
"""The format of a chain whose header hash nobody here can recompute; stated in the configuration, never assumed."""


def register_header_format(name: str, encoder: HeaderEncoder) -> None:
    """Make a header format known under a name; a name is registered once."""
    if name == UNKNOWN_FORMAT or _formats.get(name, encoder) is not encoder:
        raise ChainConfigError(f"the header format {name} is registered already")
    _formats[name] = encoder


def require_header_format(name: str) -> None:
    """Raise `ChainConfigError` unless the format is registered or is honestly `unknown`."""
    if name != UNKNOWN_FORMAT and name not in _formats:
        known = ", ".join(sorted((*_formats, UNKNOWN_FORMAT)))
        raise ChainConfigError(f"there is no header format {name!r} (known: {known})")


def decode_header(answer: object, chain_id: ChainId, header_format: str) -> Header:
    """Decode a block or header object and recompute its hash.

    Raises `MalformedAnswer` for a wrong shape, `ProofFailed` when the fields do not give the hash.
    """
    if not isinstance(answer, Mapping):
        raise MalformedAnswer("a block is not a JSON object")
    block_hash = hash32(answer.get("hash"))
    try:
        timestamp = datetime.fromtimestamp(quantity(answer.get("timestamp")), UTC)
    except (OverflowError, ValueError, OSError):
        raise MalformedAnswer("the block's timestamp is beyond any calendar") from None
    height = quantity(answer.get("number"))
    if height > HEIGHT_MAX:
        raise MalformedAnswer("the block's number is beyond any that a chain reaches")
    block = BlockRef(chain_id, height, block_hash, hash32(answer.get("parentHash")), timestamp)
    encoded, note = _check_hash(answer, block_hash, header_format)
    return Header(
        block=block,
        checked=encoded is not None,
        note=note,
        state_root=hash32(answer.get("stateRoot")),
        receipts_root=hash32(answer.get("receiptsRoot")),
        logs_bloom=data(answer.get("logsBloom"), length=256),
        encoded=encoded,
    )


def _check_hash(answer: JsonObject, block_hash: str, header_format: str) -> tuple[bytes | None, str]:
    """The encoded header whose hash fits, or None and why it could not be recomputed."""
    if header_format == UNKNOWN_FORMAT:
        return None, "the chain's header format is unknown, so the block hash was not recomputed"
    encoded, unknown = _formats[header_format](answer)
    if keccak256(encoded).hex() == block_hash[2:]:
        return encoded, ""
    if unknown:
        names = ", ".join(repr(name[:40]) for name in unknown[:5])
        return None, f"the header has fields this version does not know ({names}), so its hash was not recomputed"
    raise ProofFailed(f"the header's fields do not give its hash {block_hash}")
