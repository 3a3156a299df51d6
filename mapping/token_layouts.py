"""How a token keeps its balances, reviewed by two people: what a state proof of a balance rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chains.errors import InvalidValue
from chains.evm.token_layout import TokenLayout
from chains.types import require_utc


@dataclass(frozen=True, slots=True)
class ReviewedLayout:
    """The storage layout of one token, or that it cannot be proven, and who decided that."""

    layout: TokenLayout
    requested_by: str
    approved_by: str
    approved_at: datetime

    def __post_init__(self) -> None:
        require_utc(self.approved_at, "approved_at")
        if self.requested_by.strip().casefold() == self.approved_by.strip().casefold():
            raise InvalidValue("requested_by and approved_by are the same person")
