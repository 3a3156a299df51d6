"""What the firm accepts: that somebody beside a wallet's own key may move something, decided by two people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from chains.errors import InvalidValue
from chains.types import Address, AssetId, ChainId, require_utc


class AcceptedKind(StrEnum):
    """By which way somebody else may move what is in a wallet."""

    ALLOWANCE = "allowance"
    """A token's own ERC-20 allowance."""
    PERMIT2 = "permit2"
    """A grant inside Permit2."""
    OPERATOR = "operator"
    """An operator of a collection: one decision for each of its tokens that is an asset."""
    APPROVED = "approved"
    """The one address approved for an ERC-721 token."""
    MODULE = "module"
    """A module of a Safe."""
    DELEGATE = "delegate"
    """The contract that a key delegated to (EIP-7702)."""
    PROXY_ADMIN = "proxy_admin"
    """Who may replace the code of a wallet."""
    BEACON = "beacon"
    """The contract that names the code of a wallet."""


KINDS_WITH_AMOUNT: Final = frozenset(
    {AcceptedKind.ALLOWANCE, AcceptedKind.PERMIT2, AcceptedKind.OPERATOR, AcceptedKind.APPROVED}
)
"""Kinds that are about one asset, up to an amount; the others are about everything that is in the wallet."""


@dataclass(frozen=True, slots=True)
class AcceptedControl:
    """That one address may move something out of one wallet, from when to when, and who decided that."""

    acceptance_id: str
    chain_id: ChainId
    wallet: Address
    kind: AcceptedKind
    asset_id: AssetId | None
    """None exactly for the kinds that are about everything."""
    subject: Address
    """The spender, module, delegate, admin or beacon."""
    base_units_max: int | None
    """The largest grant that is accepted, in base units; None for any amount."""
    valid_from: datetime
    """First moment at which it holds; never before the approval."""
    valid_until: datetime
    """Last moment."""
    reason: str
    requested_by: str
    approved_by: str
    approved_at: datetime

    def __post_init__(self) -> None:
        for name in ("valid_from", "valid_until", "approved_at"):
            require_utc(getattr(self, name), name)
        if (self.asset_id is not None) != (self.kind in KINDS_WITH_AMOUNT):
            raise InvalidValue(f"{self.kind} is about one asset, or about everything in the wallet; not this")
        if self.base_units_max is not None and (self.asset_id is None or self.base_units_max <= 0):
            raise InvalidValue("an accepted amount is positive, and of one asset")
        if self.valid_until <= self.valid_from:
            raise InvalidValue("valid_until is not after valid_from")
        if self.valid_from < self.approved_at:
            raise InvalidValue("it cannot hold before it was approved")
        if self.requested_by.strip().casefold() == self.approved_by.strip().casefold():
            raise InvalidValue("requested_by and approved_by are the same person")
        if self.subject == self.wallet:
            raise InvalidValue("the subject is the wallet itself")

    @property
    def about(self) -> tuple[ChainId, Address, AcceptedKind, AssetId | None, Address]:
        """What it is about; another amount or time is the same thing, decided anew."""
        return self.chain_id, self.wallet, self.kind, self.asset_id, self.subject

    def holds_at(self, moment: datetime) -> bool:
        """Whether it is in force; its first and last moment count."""
        return self.valid_from <= moment <= self.valid_until
