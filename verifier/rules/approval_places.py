"""Where an approval can be used: its wallet, asset and destination, and the kinds of destination its purpose suits."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from enum import IntEnum, auto

from mapping.types import FIRM_PURPOSES, Purpose, TransferAuthorization

INTERNAL_PURPOSES = frozenset({Purpose.INTERNAL_REBALANCING, Purpose.GAS_TOP_UP})
"""Purposes of a transfer between two custody wallets, and of no other."""


class Suits(IntEnum):
    """What kind of destination a purpose suits."""

    CUSTODY = auto()
    FIRM = auto()
    ELSEWHERE = auto()


def places_of(authorization: TransferAuthorization) -> list[Hashable]:
    """Where an approval can be used: wallet, asset, destination, and the kinds of destination its purpose suits."""
    if authorization.purpose in INTERNAL_PURPOSES:
        suits = [Suits.CUSTODY]
    elif authorization.purpose in FIRM_PURPOSES:
        suits = [Suits.FIRM, Suits.ELSEWHERE]
    else:
        suits = [Suits.ELSEWHERE]
    return [(authorization.wallet, authorization.asset_id, authorization.destination, each) for each in suits]


def near_places(authorization: TransferAuthorization) -> list[Hashable]:
    """Where an approval is looked for when it differs from a transfer in one thing."""
    wallet, asset_id, destination = authorization.wallet, authorization.asset_id, authorization.destination
    return [
        ("all but purpose", wallet, asset_id, destination),
        ("all but destination", wallet, asset_id),
        ("all but asset", wallet, destination),
    ]


class Spent:
    """Approvals that are used up, found again by what they were for; indexed only when one is looked for."""

    def __init__(self) -> None:
        self._latest: dict[Hashable, TransferAuthorization] = {}
        self._to_index: list[TransferAuthorization] = []

    def add(self, authorization: TransferAuthorization) -> None:
        """Nothing is left of this one."""
        self._to_index.append(authorization)

    def latest(self, key: Hashable) -> TransferAuthorization | None:
        """The last to end for a place, or for a place and an amount."""
        for authorization in self._to_index:
            for place in places_of(authorization):
                for name in (place, (place, authorization.base_units_max)):
                    known = self._latest.get(name)
                    if known is None or _end(known) < _end(authorization):
                        self._latest[name] = authorization
        self._to_index.clear()
        return self._latest.get(key)


def _end(authorization: TransferAuthorization) -> tuple[datetime, str]:
    return authorization.valid_until, authorization.authorization_id
