"""The firm's books at one moment, as the rules of 15c3-3 take them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from mapping.books_types import (
    AccountBalance,
    AccountRelation,
    ClearingAgency,
    ClearingMargin,
    ControlLocation,
    Lien,
    OtherAmount,
    PabRelief,
    SecurityFact,
    StockLine,
)
from mapping.types import AssetRecord


@dataclass(frozen=True, slots=True)
class Books:
    """The rows of a closed day, with later posted rows laid over them. In no particular order: no rule depends on it.

    Of dated rows (relations, security facts, agencies) the one in effect on the day for each key; of control locations
    all rows in effect.
    """

    as_of: date
    accounts: tuple[AccountBalance, ...]
    relations: tuple[AccountRelation, ...]
    stock: tuple[StockLine, ...]
    securities: tuple[SecurityFact, ...]
    assets: tuple[AssetRecord, ...]
    """Decimals and legal class of every security of the stock record."""
    control_locations: tuple[ControlLocation, ...]
    """Every row whose first day has come, those that ended too: which counts is the review's to say."""
    clearing_margin: tuple[ClearingMargin, ...]
    clearing_agencies: tuple[ClearingAgency, ...]
    liens: tuple[Lien, ...]
    other_amounts: tuple[OtherAmount, ...]
    pab_reliefs: tuple[PabRelief, ...]
