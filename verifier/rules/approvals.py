"""The approvals that are in force at a moment, found by best fit without looking at all of them.

Time only moves forward: transfers are held against approvals in the order of their block times, so an approval
that lapsed never comes back, and each is put in and taken out a bounded number of times.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from mapping.types import TransferAuthorization

CLOCK_TOLERANCE: Final = timedelta(seconds=15)
"""How much earlier than its approval a block may be dated: block times are set by others, to about a slot."""

Keys = Callable[[TransferAuthorization], Iterable[Hashable]]
"""Under which keys an approval can be found."""

_Entry = tuple[int, datetime, str]
"""Remaining base units, end of validity, id: the order of the best fit."""


def in_force_from(authorization: TransferAuthorization) -> datetime:
    """The first moment it allows a transfer: not before it is valid, nor before it was approved."""
    return max(authorization.valid_from, authorization.approved_at - CLOCK_TOLERANCE)


class Remaining:
    """What is left of each approval, in base units."""

    def __init__(self, authorizations: Mapping[str, TransferAuthorization], used_before: Mapping[str, int]) -> None:
        self._left = {
            name: max(authorization.base_units_max - used_before.get(name, 0), 0)
            for name, authorization in authorizations.items()
        }

    def __getitem__(self, authorization_id: str) -> int:
        return self._left[authorization_id]

    def use(self, authorization_id: str, base_units: int) -> None:
        """Take from an approval; never more than is left."""
        assert 0 < base_units <= self._left[authorization_id]
        self._left[authorization_id] -= base_units


class InForce:
    """The approvals with something left that are in force at the current moment, under one or more keys each."""

    def __init__(self, authorizations: Iterable[TransferAuthorization], remaining: Remaining, keys: Keys) -> None:
        self._remaining = remaining
        self._keys = keys
        self._coming = sorted(authorizations, key=lambda a: (in_force_from(a), a.authorization_id), reverse=True)
        self._by_id = {authorization.authorization_id: authorization for authorization in self._coming}
        self._fits: dict[Hashable, list[_Entry]] = defaultdict(list)
        self._by_end: dict[Hashable, list[tuple[datetime, str]]] = {}
        self._lapsed: dict[Hashable, str] = {}
        self._later: dict[Hashable, list[tuple[datetime, str]]] | None = None
        self._moment: datetime | None = None

    def move_to(self, moment: datetime) -> None:
        """Let time pass: approvals that come into force by then can be found from now on."""
        assert self._moment is None or moment >= self._moment, "time only moves forward"
        self._moment = moment
        while self._coming and in_force_from(self._coming[-1]) <= moment:
            self.put(self._coming.pop())

    def put(self, authorization: TransferAuthorization) -> None:
        """Enter an approval with what is left of it now; an entry with an older figure is dropped when met."""
        left = self._remaining[authorization.authorization_id]
        if left:
            entry = (left, authorization.valid_until, authorization.authorization_id)
            for key in self._keys(authorization):
                insort(self._fits[key], entry)
                if (by_end := self._by_end.get(key)) is not None:
                    position = bisect_left(by_end, entry[1:])
                    if by_end[position : position + 1] != [entry[1:]]:
                        by_end.insert(position, entry[1:])

    def best(self, key: Hashable, base_units: int) -> TransferAuthorization | None:
        """The approval with the least left that suffices: an exact one first; then the earliest end, then the id."""
        entries = self._fits.get(key)
        if not entries:
            return None
        position = bisect_left(entries, (base_units,))
        while position < len(entries):
            if self._holds(key, entries[position]):
                return self._by_id[entries[position][2]]
            del entries[position]
        return None

    def largest(self, key: Hashable) -> TransferAuthorization | None:
        """The approval with the most left."""
        entries = self._fits.get(key)
        while entries:
            if self._holds(key, entries[-1]):
                return self._by_id[entries[-1][2]]
            entries.pop()
        return None

    def first_to_end(self, key: Hashable, base_units: int, count_max: int) -> list[tuple[str, int]]:
        """What to take from several approvals for one amount: in the order of their end, then of their id.

        The shortest run from the front of that order that suffices, of the last one only what is needed; all of the
        first `count_max` when they do not suffice.
        """
        entries = self._by_end.get(key)
        if entries is None:
            # Most places never need this order, so it is kept only for those that did once.
            entries = self._by_end[key] = sorted({entry[1:] for entry in self._fits.get(key, ())})
        taken: list[tuple[str, int]] = []
        wanted, seen, gone = base_units, 0, False
        for valid_until, name in entries:
            if not wanted or len(taken) == count_max:
                break
            seen += 1
            if not self._stands(valid_until, name):
                gone = True
                continue
            part = min(wanted, self._remaining[name])
            taken.append((name, part))
            wanted -= part
        if gone:
            entries[:seen] = [each for each in entries[:seen] if self._stands(*each)]
        return taken

    def lapsed(self, key: Hashable) -> str:
        """The latest to end of those met so far that lapsed with something left; empty when there is none."""
        return self._lapsed.get(key, "")

    def coming(self, key: Hashable) -> str:
        """The next to come into force after the current moment; empty when there is none."""
        assert self._moment is not None
        if self._later is None:
            self._later = defaultdict(list)
            for authorization in self._by_id.values():
                for each in self._keys(authorization):
                    insort(self._later[each], (in_force_from(authorization), authorization.authorization_id))
        later = self._later.get(key, [])
        position = bisect_right(later, self._moment, key=lambda entry: entry[0])
        return later[position][1] if position < len(later) else ""

    def _stands(self, valid_until: datetime, authorization_id: str) -> bool:
        assert self._moment is not None
        return valid_until >= self._moment and self._remaining[authorization_id] > 0

    def _holds(self, key: Hashable, entry: _Entry) -> bool:
        left, valid_until, authorization_id = entry
        if left != self._remaining[authorization_id]:
            return False
        assert self._moment is not None
        if valid_until < self._moment:
            known = self._lapsed.get(key, "")
            if not known or (self._by_id[known].valid_until, known) < (valid_until, authorization_id):
                self._lapsed[key] = authorization_id
            return False
        return True
