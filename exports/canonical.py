"""Canonical JSON: one value, one sequence of bytes.

The subset of RFC 8785 that needs no number formatting: objects with keys sorted by UTF-16 code units, arrays,
strings in Unicode form NFC without lone surrogates, `true`, `false`, `null`, and integers within ±(2**53 - 1).
Floats do not exist here; larger integers, and every amount, are strings of decimal digits.

Reading is strict by construction: bytes are parsed, written again and compared, so that another key order, a
duplicate key, white space, another escape or another spelling of a number can never be read as the same value.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Final

import orjson

from exports.errors import NotCanonical

INTEGER_MAX: Final = 2**53 - 1
"""Largest magnitude of a JSON integer that every reader keeps exact (RFC 7493)."""
DEPTH_MAX: Final = 32
"""Most levels of nesting; a bundle's records need four."""
_SORTED: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER | orjson.OPT_PASSTHROUGH_SUBCLASS
_MAYBE_FLOAT: Final = re.compile(rb"(?:\A|[:,\[])-?[0-9]+[.eE]")
"""Every float of a JSON text begins so; so may text in a string, which then takes the longer way."""


def canonical_json(value: object) -> bytes:
    """The canonical bytes of a value made of dict, list or tuple, str, int, bool and None.

    Raises `NotCanonical` for floats, other types, integers beyond 2**53 - 1, strings that are not NFC or not
    Unicode, keys that are not strings, and nesting deeper than `DEPTH_MAX`.
    """
    try:
        return orjson.dumps(_ordered(value, 0))
    except (TypeError, orjson.JSONEncodeError) as error:  # a lone surrogate has no UTF-8 form
        raise NotCanonical("a string holds a lone surrogate") from error


def parse_canonical(data: bytes) -> object:
    """The value of canonical bytes; raises `NotCanonical` when the bytes are anything else."""
    try:
        value: object = orjson.loads(data)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise NotCanonical("not JSON in UTF-8") from error
    if not _is_plainly_canonical(value, data) and canonical_json(value) != data:
        raise NotCanonical("JSON, but not in canonical form (key order, duplicate key, white space or escapes)")
    return value


def _is_plainly_canonical(value: object, data: bytes) -> bool:
    """Whether bytes are canonical as is plain to see: ASCII, no float, few brackets, written the same again.

    ASCII is NFC and has one order of keys, and fewer brackets than `DEPTH_MAX` cannot nest deeper. False says nothing:
    then every part of the value is looked at.
    """
    if not data.isascii() or data.count(b"{") + data.count(b"[") > DEPTH_MAX or _MAYBE_FLOAT.search(data):
        return False
    try:
        return orjson.dumps(value, option=_SORTED) == data
    except orjson.JSONEncodeError:
        return False


def canonical_record(value: dict[str, object]) -> bytes:
    """The canonical bytes of what `codec.to_object` made: only strings, numbers, lists and objects by the letter.

    The same bytes as of `canonical_json`, three times as fast: types and names of a record's object are known.
    """
    try:
        data = orjson.dumps(value, option=_SORTED)
    except orjson.JSONEncodeError:
        return canonical_json(value)  # says what it is
    return data if data.isascii() else canonical_json(value)


def parse_by_hand(data: bytes) -> object:
    """A value from JSON that people wrote: any layout, but no name twice in one object, and nothing uncanonical.

    Raises `NotCanonical`. orjson reads first: it refuses wild nesting, on which the standard library's reader can
    exhaust the stack and end the whole process when the recursion limit was raised.
    """
    try:
        orjson.loads(data)
        value: object = json.loads(data.decode("utf-8"), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise NotCanonical(f"not strict JSON ({error})") from error
    canonical_json(value)
    return value


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return value


def parse_canonical_object(data: bytes) -> dict[str, object]:
    """As `parse_canonical`, and the value must be an object."""
    value = parse_canonical(data)
    if not isinstance(value, dict):
        raise NotCanonical("JSON, but not an object")
    return value


def utf16_order(text: str) -> bytes:
    """Sort key of RFC 8785 section 3.2.3; differs from code point order above U+FFFF."""
    return text.encode("utf-16-be", "surrogatepass")


def _ordered(value: object, depth: int) -> object:
    """The same value with sorted keys, checked. Exact types only: a subclass may print as something else."""
    kind = type(value)
    if kind is str:
        return _checked_string(value)  # type: ignore[arg-type]
    if value is None or kind is bool:
        return value
    if kind is int:
        if not -INTEGER_MAX <= value <= INTEGER_MAX:  # type: ignore[operator]
            raise NotCanonical("an integer beyond 2**53 - 1 must be written as a string")
        return value
    if depth >= DEPTH_MAX:
        raise NotCanonical(f"nested deeper than {DEPTH_MAX} levels")
    if isinstance(value, dict):
        keys = [_checked_key(key) for key in value]
        keys.sort(key=None if all(map(str.isascii, keys)) else utf16_order)
        return {key: _ordered(value[key], depth + 1) for key in keys}
    if isinstance(value, list | tuple):
        return [_ordered(item, depth + 1) for item in value]
    raise NotCanonical(f"{kind.__name__} has no canonical form")


def _checked_string(text: str) -> str:
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        raise NotCanonical("a string is not in Unicode form NFC")
    return text


def _checked_key(key: object) -> str:
    if type(key) is not str:
        raise NotCanonical("a key is not a string")
    return _checked_string(key)
