"""Parsers of single fields, strict and pure. Each takes the text of a field and returns its value or raises
`InvalidValue` with one sentence: what is wrong and what would be right.

Nothing is trimmed, guessed or repaired: a value that is nearly right is a value somebody should look at.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar

from chains.errors import InvalidValue
from chains.types import EXACT

SHOWN_CHARACTERS_MAX: Final = 80
NAME_CHARACTERS_MAX: Final = 200
SNAPSHOT_ENTRY_PREFIX: Final = "snapshot:"
"""Ids of entries made from snapshot files: the prefix, the file's SHA-256, the row's line."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}", re.ASCII)
_SNAPSHOT_ENTRY = re.compile(r"snapshot:[0-9a-f]{64}:[1-9][0-9]{0,9}", re.ASCII)
_PERSON = re.compile(r"[a-z0-9][a-z0-9._+@-]{0,63}", re.ASCII)
_DATE = re.compile(r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(
    r"((?:19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_COUNT = re.compile(r"0|[1-9][0-9]{0,5}", re.ASCII)
_PRICE = re.compile(r"(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?", re.ASCII)
_HOLDER = re.compile(r"([a-z][a-z0-9_-]{0,31}):([1-9][0-9]{0,2})", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)

_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control, format (zero-width, bidi), surrogate, private, unassigned, line and paragraph separators."""

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


def shown(text: str) -> str:
    """A value as it may be shown to a person: at most 80 characters, everything that does not print escaped."""
    cut = text if len(text) <= SHOWN_CHARACTERS_MAX else text[: SHOWN_CHARACTERS_MAX - 1] + "…"
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
    return safe if len(safe) <= SHOWN_CHARACTERS_MAX else safe[: SHOWN_CHARACTERS_MAX - 1] + "…"


def parse_id(text: str) -> str:
    """An id: 1 to 64 ASCII letters, digits and `. _ : / -`, the first a letter or digit."""
    if not _ID.fullmatch(text):
        raise InvalidValue("an id is 1 to 64 ASCII letters, digits or . _ : / - and starts with a letter or digit")
    return _without_url(text)


def parse_entry_id(text: str) -> str:
    """The id of a ledger entry that exists: as `parse_id`, or the longer id of an entry made from a snapshot."""
    return text if _SNAPSHOT_ENTRY.fullmatch(text) else parse_id(text)


def parse_new_entry_id(text: str) -> str:
    """The id of a new ledger entry; the ids of entries made from snapshots are not given by hand."""
    if text.startswith(SNAPSHOT_ENTRY_PREFIX):
        raise InvalidValue(f"ids that start with {SNAPSHOT_ENTRY_PREFIX} are made by the importer")
    return parse_id(text)


def parse_person(text: str) -> str:
    """A person's or role's id, lower case only so that one person has one spelling."""
    if not _PERSON.fullmatch(text):
        raise InvalidValue("a person is 1 to 64 lower-case ASCII letters, digits or . _ + @ -")
    return text


def parse_name(text: str) -> str:
    """A name for people, returned in Unicode form NFC. Control, zero-width and bidi characters are refused."""
    if len(text) > NAME_CHARACTERS_MAX:
        raise InvalidValue(f"a name has at most {NAME_CHARACTERS_MAX} characters")
    if text != text.strip() or not text:
        raise InvalidValue("a name is not empty and does not start or end with a space")
    for character in text:
        category = unicodedata.category(character)
        if category in _REFUSED_CATEGORIES or (category == "Zs" and character != " "):
            raise InvalidValue(f"a name has no invisible or control characters, this has U+{ord(character):04X}")
    return _without_url(unicodedata.normalize("NFC", text))


def _without_url(text: str) -> str:
    """A URL can carry a secret, so no bundle holds one; what could never be exported is refused at the door."""
    if "://" in text:
        raise InvalidValue("a URL cannot stand here; write the reference without the address it is found at")
    return text


def parse_date(text: str) -> date:
    """A civil date, `2026-01-31` and nothing else."""
    if not _DATE.fullmatch(text):
        raise InvalidValue("a date is written year-month-day with four digits for the year, such as 2026-01-31")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidValue("there is no such day in the calendar") from None


def parse_time(text: str) -> datetime:
    """An RFC 3339 time with its zone, such as `2026-01-31T23:59:59Z`; returned in UTC."""
    match = _TIME.fullmatch(text)
    if not match:
        raise InvalidValue("a time is RFC 3339 with its zone, such as 2026-01-31T23:59:59Z or …T18:59:59-05:00")
    day, clock, fraction, zone = match.groups()
    if zone == "-00:00":
        raise InvalidValue("-00:00 says that the zone is unknown; write Z or the offset")
    try:
        text = f"{day}T{clock}{(fraction or '.0').ljust(7, '0')}{'+00:00' if zone == 'Z' else zone}"
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidValue("there is no such moment: check day, hour, minute, second and offset") from None


def parse_count(text: str) -> int:
    """A whole number from 0 to 999999."""
    if not _COUNT.fullmatch(text):
        raise InvalidValue("a whole number is written in plain digits, such as 2")
    return int(text)


def parse_yes_no(text: str) -> bool:
    """`yes` or `no`."""
    if text not in ("yes", "no"):
        raise InvalidValue("write yes or no")
    return text == "yes"


def parse_currency(text: str) -> str:
    """An ISO 4217 code such as `USD`."""
    if not _CURRENCY.fullmatch(text):
        raise InvalidValue("a currency is three capital letters of ISO 4217, such as USD")
    return text


def parse_price(text: str) -> Decimal:
    """A price as a plain decimal, zero or more, at most 30 digits on either side of the point; exact."""
    if not _PRICE.fullmatch(text):
        raise InvalidValue("a price is a plain decimal number such as 3120.55, without sign, exponent or grouping")
    return EXACT.create_decimal(text)


def parse_share_holders(text: str) -> tuple[tuple[str, int], ...]:
    """Who holds how many key shares: `firm:2;custodian:1`. The holder `firm` is the firm itself."""
    holders: dict[str, int] = {}
    for part in text.split(";"):
        match = _HOLDER.fullmatch(part)
        if not match:
            raise InvalidValue("share holders are written holder:number, separated by ; such as firm:2;custodian:1")
        if match[1] in holders:
            raise InvalidValue(f"holder {match[1]} is named twice; add the shares up")
        holders[match[1]] = int(match[2])
    return tuple(holders.items())


def one_of(words: type[E]) -> Callable[[str], E]:
    """A parser of one of the words of an enumeration; the reason names all of them."""
    allowed = {str(word): word for word in words}
    reason = "write one of: " + ", ".join(allowed)

    def parse(text: str) -> E:
        if text not in allowed:
            raise InvalidValue(reason)
        return allowed[text]

    return parse
