"""JSON written as Bitcoin Core writes it: compact, amounts with eight decimals, other fractions with 16 digits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from chains.bitcoin.networks import COIN


@dataclass(frozen=True, slots=True)
class Satoshis:
    """An amount that is written in bitcoins."""

    value: int

    def __str__(self) -> str:
        sign = "-" if self.value < 0 else ""
        whole, fraction = divmod(abs(self.value), COIN)
        return f"{sign}{whole}.{fraction:08}"


@dataclass(frozen=True, slots=True)
class Fraction:
    """A number that Bitcoin Core holds as a double, as the text it prints; difficulties are not money."""

    text: str


def written(value: Any) -> str:
    """The text of a value."""
    if isinstance(value, Satoshis):
        return str(value)
    if isinstance(value, Fraction):
        return value.text
    if isinstance(value, dict):
        members = (f"{json.dumps(name, ensure_ascii=False)}:{written(member)}" for name, member in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(element) for element in value) + "]"
    return json.dumps(value, ensure_ascii=False)
