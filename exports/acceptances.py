"""What the firm accepts of who else could move it: the record, and whether a decision covers a grant. Pure.

A decision is the firm's word. The bundle shows who made it, and a grant beyond it needs a case like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from chains.errors import InvalidValue
from chains.types import Address, AssetId, ChainId
from exports.codec import BaseUnits, Identifier, PlainText
from exports.control_records import ControlStateRecord, GrantRecord
from exports.two_people import require_two_people

TAKERS: Final = {"modules": "module", "proxy_admin": "proxy_admin", "beacon": "beacon", "delegate": "delegate"}
"""Facts about a wallet that let somebody other than its owners move all of it, each with the kind of a decision."""

_Subject = tuple[Address, str, AssetId | None, str]
"""Wallet, kind, asset, and the address that may move something."""


class AcceptanceKind(StrEnum):
    """By which way somebody else may move what is in a wallet."""

    ALLOWANCE = "allowance"
    PERMIT2 = "permit2"
    OPERATOR = "operator"
    APPROVED = "approved"
    MODULE = "module"
    DELEGATE = "delegate"
    PROXY_ADMIN = "proxy_admin"
    BEACON = "beacon"


_OF_ONE_ASSET: Final = (
    AcceptanceKind.ALLOWANCE, AcceptanceKind.PERMIT2, AcceptanceKind.OPERATOR, AcceptanceKind.APPROVED
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AcceptanceRecord:
    """That one address may move something out of one wallet: a decision of the firm in force at the sweep's block."""

    acceptance_id: Identifier
    chain_id: ChainId
    wallet: Address
    kind: AcceptanceKind
    asset_id: AssetId | None
    """null exactly for the kinds that are about everything in the wallet."""
    subject: Address
    """The spender, module, delegate, admin or beacon."""
    base_units_max: BaseUnits | None
    """The largest grant that is accepted; null for any amount."""
    valid_from: datetime
    valid_until: datetime
    reason: PlainText
    requested_by: PlainText
    approved_by: PlainText
    approved_at: datetime

    def __post_init__(self) -> None:
        if (self.asset_id is not None) != (self.kind in _OF_ONE_ASSET):
            raise InvalidValue("a decision is about one asset, or about everything in the wallet; its kind says which")
        if self.base_units_max is not None and (self.asset_id is None or self.base_units_max <= 0):
            raise InvalidValue("an accepted amount is positive, and of one asset")
        if not self.approved_at <= self.valid_from < self.valid_until:
            raise InvalidValue("a decision is approved, then begins, then ends")
        require_two_people(self.requested_by, self.approved_by)

    def holds_at(self, moment: datetime) -> bool:
        """Whether it is in force; its first and last moment count."""
        return self.valid_from <= moment <= self.valid_until


@dataclass(frozen=True, slots=True)
class Accepted:
    """The decisions about one chain that are in force at the time of its sweep's block."""

    records: tuple[AcceptanceRecord, ...]
    by_subject: Mapping[_Subject, Sequence[AcceptanceRecord]]
    """The same by what they are about, each by id."""

    @staticmethod
    def of(records: Iterable[AcceptanceRecord], chain_id: str, moment: datetime) -> Accepted:
        """Those of the records that count."""
        counting = tuple(each for each in records if each.chain_id == chain_id and each.holds_at(moment))
        by_subject: dict[_Subject, list[AcceptanceRecord]] = {}
        for each in sorted(counting, key=lambda each: each.acceptance_id):
            by_subject.setdefault((each.wallet, each.kind.value, each.asset_id, each.subject), []).append(each)
        return Accepted(counting, by_subject)

    def of_grant(self, grant: GrantRecord) -> AcceptanceRecord | None:
        """The decision that covers a grant, by id the first; None for one not read, or larger than decided."""
        amount = grant.base_units
        if amount is None:
            return None
        about = self.by_subject.get((grant.owner, grant.kind.value, grant.asset_id, grant.spender), ())
        return next((each for each in about if each.base_units_max is None or amount <= each.base_units_max), None)

    def takers(self, state: ControlStateRecord) -> tuple[list[AcceptanceRecord], int]:
        """The decisions about those who may move everything in a wallet, and how many of them have none."""
        named = [(kind, taker) for fact, kind in TAKERS.items() for taker in state.items(fact)]
        found = [
            about[0] for kind, taker in named if (about := self.by_subject.get((state.address, kind, None, taker)))
        ]
        return found, len(named) - len(found)
