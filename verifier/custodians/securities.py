"""Which security is meant: ISIN and CUSIP with their check digits, and the one inside the other."""

from __future__ import annotations

import re
from typing import Final

from chains.errors import InvalidValue
from chains.types import cusip_check_digit

CUSIP_COUNTRIES: Final = frozenset({"US", "CA"})
"""Countries whose ISIN is the country, the CUSIP and a check digit: the CUSIP can be taken out of it."""

_ISIN = re.compile(r"[A-Z]{2}[0-9A-Z]{9}[0-9]", re.ASCII)
_CUSIP = re.compile(r"[0-9A-Z*@#]{8}[0-9]", re.ASCII)


def isin_check_digit(base: str) -> int:
    """Check digit of the first eleven characters of an ISIN (ISO 6166: modulus 10, double add double, from the right).

    Letters count as two digits, A as 10 to Z as 35.
    """
    digits = "".join(str(int(character, 36)) for character in base)
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value // 10 + value % 10
    return (10 - total % 10) % 10


def parse_isin(text: str) -> str:
    """An ISIN with its right check digit; raises `InvalidValue`."""
    if not _ISIN.fullmatch(text):
        raise InvalidValue("an ISIN is two letters, nine letters or digits, and a check digit")
    if int(text[11]) != isin_check_digit(text[:11]):
        raise InvalidValue("the ISIN's check digit is wrong")
    return text


def parse_cusip(text: str) -> str:
    """A CUSIP with its right check digit; raises `InvalidValue`."""
    if not _CUSIP.fullmatch(text):
        raise InvalidValue("a CUSIP is nine characters, the last a digit")
    if int(text[8]) != cusip_check_digit(text[:8]):
        raise InvalidValue("the CUSIP's check digit is wrong")
    return text


def cusip_of(isin: str, stated: str = "") -> str:
    """The CUSIP of a security named by its ISIN, its CUSIP, or both; raises `InvalidValue` when they contradict.

    An ISIN of another country has no CUSIP in it: the message must state one beside it.
    """
    cusip = parse_cusip(stated) if stated else ""
    if not isin:
        if not cusip:
            raise InvalidValue("the security is named by neither ISIN nor CUSIP")
        return cusip
    parse_isin(isin)
    if isin[:2] not in CUSIP_COUNTRIES:
        if not cusip:
            raise InvalidValue(f"an ISIN of {isin[:2]} has no CUSIP in it, and the message states none beside it")
        return cusip
    inside = parse_cusip(isin[2:11])
    if cusip and cusip != inside:
        raise InvalidValue(f"the ISIN is that of CUSIP {inside}, the message states {cusip}")
    return inside
