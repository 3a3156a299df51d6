"""From frozen dataclasses to canonical JSON objects and back, strictly.

The schema of a record is its dataclass: every field is always present, no other field is accepted, and the
annotation says the form. Amounts (`BaseUnits`) are strings of decimal digits; counts and heights are integers;
times are `2026-01-31T23:59:59.000000Z`; dates are `2026-01-31`; an absent value is `null`.
"""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from chains.errors import InvalidValue
from chains.types import Address, AssetId, ChainId, LocationId, parse_asset_id, parse_chain_id, parse_location_id
from exports.canonical import INTEGER_MAX
from exports.errors import RecordInvalid


@dataclass(frozen=True, slots=True)
class Text:
    """Form of a string field."""

    pattern: re.Pattern[str] | None = None
    characters_max: int = 10_000
    url_allowed: bool = True
    """Fields that quote a node or name one must hold no URL, for a URL may carry a credential."""


@dataclass(frozen=True, slots=True)
class Decimals:
    """An integer of any size in base units, written as a string of decimal digits."""


BaseUnits = Annotated[int, Decimals()]
"""A signed amount in an asset's base units."""
Digest = Annotated[str, Text(re.compile(r"[0-9a-f]{64}"))]
"""A SHA-256 in lower-case hex."""
BlockHash = Annotated[str, Text(re.compile(r"(0x)?[0-9a-f]{64}"))]
"""A block hash as its chain spells it."""
Code = Annotated[str, Text(re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}"))]
"""A word from a list that may grow: a kind, a method, a class."""
Identifier = Annotated[str, Text(re.compile(r"[\x21-\x7e]{1,200}"), url_allowed=False)]
"""An id of the firm: printable ASCII without spaces."""
OptionalIdentifier = Annotated[str, Text(re.compile(r"[\x21-\x7e]{0,200}"), url_allowed=False)]
"""An id, or empty when there is none."""
PlainText = Annotated[str, Text(url_allowed=False)]
"""Words for a person, in which no URL may stand."""

_ADDRESS: Final = re.compile(r"[-.%a-zA-Z0-9]{1,128}", re.ASCII)
_DECIMAL: Final = re.compile(r"0|-?[1-9][0-9]{0,79}", re.ASCII)
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_URL: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
# Control characters and bidirectional overrides change what a terminal or a page shows.
_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")

_KEPT_MAX: Final = 1 << 14
_KEPT_CHARACTERS_MAX: Final = 160
"""Short texts come again and again in a large bundle: each of the last so many is judged once and held once."""

Decode = Callable[[Any], Any]
Encode = Callable[[Any], Any]
R = TypeVar("R")
V = TypeVar("V")

_FIELDS: Final[dict[type, tuple[tuple[str, Encode, Decode], ...]]] = {}
"""Forms of the fields of each record type, worked out once."""


def to_object(record: object) -> dict[str, object]:
    """The JSON object of a record. Raises `RecordInvalid` when a field breaks its form."""
    encoded: dict[str, object] = {}
    for name, encode, decode in _fields(type(record)):
        try:
            value = encode(getattr(record, name))
            if decode is not encode:  # one that is the other judged it just now
                decode(value)  # what is written must be readable, by the same rules
        except (ValueError, TypeError, AttributeError) as error:
            raise RecordInvalid(f"{type(record).__name__}.{name}: {_short(error)}") from error
        encoded[name] = value
    return encoded


def from_object(record_type: type[R], value: object) -> R:
    """A record of the given type from its JSON object. Raises `RecordInvalid` naming the field."""
    kind = record_type.__name__
    if not isinstance(value, dict):
        raise RecordInvalid(f"{kind}: not an object")
    fields = _fields(record_type)
    if len(value) != len(fields) or any(name not in value for name, _, _ in fields):
        known = {name for name, _, _ in fields}
        unknown, missing = sorted(set(value) - known), sorted(known - set(value))
        raise RecordInvalid(f"{kind}: unknown fields {unknown[:5]}, missing fields {missing[:5]}")
    decoded = {}
    for name, _, decode in fields:
        try:
            decoded[name] = decode(value[name])
        except (ValueError, TypeError) as error:
            raise RecordInvalid(f"{kind}.{name}: {_short(error)}") from error
    try:
        return record_type(**decoded)
    except InvalidValue as error:
        raise RecordInvalid(f"{kind}: {_short(error)}") from error


def parse_time(value: object) -> datetime:
    """The moment of a time in its one text form; raises ValueError for any other spelling."""
    text = _string(value)
    if not _TIME.fullmatch(text):
        raise ValueError("a time is written 2026-01-31T23:59:59.000000Z")
    return datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC)


def time_text(moment: datetime) -> str:
    """The one text form of a moment; naive times are refused."""
    if moment.utcoffset() is None:
        raise ValueError("a time has no time zone")
    # isoformat pads the year to four digits on every platform; strftime does not.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _short(error: Exception) -> str:
    return str(error)[:200]


def _fields(record_type: type) -> tuple[tuple[str, Encode, Decode], ...]:
    if (known := _FIELDS.get(record_type)) is not None:
        return known
    hints = get_type_hints(record_type, include_extras=True)
    fields = tuple((field.name, *_form(hints[field.name])) for field in dataclasses.fields(record_type))
    _FIELDS[record_type] = fields
    return fields


def _form(hint: Any) -> tuple[Encode, Decode]:
    """How a field of this annotation is written and read."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        mark = arguments[1]
        return (_decimal_text, _parse_decimal) if isinstance(mark, Decimals) else _text_form(mark)
    if origin in (Union, types.UnionType):
        (inner,) = [argument for argument in arguments if argument is not type(None)]
        encode, decode = _form(inner)
        return (
            lambda value: None if value is None else encode(value),
            lambda value: None if value is None else decode(value),
        )
    if origin is tuple:
        encode, decode = _form(arguments[0])
        return lambda value: [encode(item) for item in value], lambda value: tuple(map(decode, _list(value)))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return to_object, lambda value: _nested(hint, value)
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return str, lambda value: hint(_string(value))
    raise TypeError(f"no form for {hint!r}")


def _nested(record_type: type, value: object) -> object:
    try:
        return from_object(record_type, value)
    except RecordInvalid as error:
        raise ValueError(str(error)) from error


def _text_form(form: Text) -> tuple[Encode, Decode]:
    def judged(text: str) -> str:
        if len(text) > form.characters_max:
            raise ValueError(f"longer than {form.characters_max} characters")
        if form.pattern is not None and not form.pattern.fullmatch(text):
            raise ValueError(f"does not fit {form.pattern.pattern}")
        if not form.url_allowed and _URL.search(text):
            raise ValueError("holds a URL; nodes are named by node_id")
        if _UNSAFE.search(text):
            raise ValueError("holds a control character")
        return text

    check = _once(judged)
    return check, check


def _once(judge: Callable[[str], V]) -> Callable[[object], V]:
    """The judge of a text as one of any value; of equal short texts judged before, it gives the same object again."""
    kept = lru_cache(_KEPT_MAX)(judge)

    def check(value: object) -> V:
        text = _string(value)
        return kept(text) if len(text) <= _KEPT_CHARACTERS_MAX else judge(text)

    return check


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a string")
    return str(value)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return value


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= INTEGER_MAX:
        raise ValueError("not a whole number of zero or more")
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("not true or false")
    return value


def _decimal_text(value: object) -> str:
    if type(value) is not int:
        raise ValueError("base units are an int")
    return str(value)


def _parse_decimal(value: object) -> int:
    text = _string(value)
    if not _DECIMAL.fullmatch(text):
        raise ValueError("base units are a string of decimal digits")
    return int(text)


def _parse_date(value: object) -> date:
    text = _string(value)
    if not _DATE.fullmatch(text):
        raise ValueError("a date is written 2026-01-31")
    return date.fromisoformat(text)


def _date_text(value: date) -> str:
    if isinstance(value, datetime):
        raise ValueError("a date, not a time")
    return value.isoformat()


def _address(text: str) -> Address:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("not an address")
    return Address(text)


_SIMPLE: Final[dict[Any, tuple[Encode, Decode]]] = {
    str: _text_form(Text()),
    int: (_count, _count),
    bool: (_boolean, _boolean),
    datetime: (time_text, _once(parse_time)),
    date: (_date_text, _once(_parse_date)),
    ChainId: (_string, _once(parse_chain_id)),
    AssetId: (_string, _once(parse_asset_id)),
    LocationId: (_string, _once(parse_location_id)),
    Address: (_string, _once(_address)),
}
