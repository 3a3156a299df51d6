"""What two tellings of one script must agree on, and what a disturbed one may say more."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

import orjson

from verifier.store import Store
from verifier.store.digest import recorded_state

SHOWN_CHARACTERS: Final = 600


def differences(calm: Store, disturbed: Store) -> list[str]:
    """Rows that one has and the other has not, as lines; empty when both recorded the same."""
    left, right = _rows(calm), _rows(disturbed)
    lines = []
    for name in sorted(left.keys() | right.keys()):
        for sign, rows in (("-", left[name] - right[name]), ("+", right[name] - left[name])):
            lines += [f"{sign} {name} {times}x {row[:SHOWN_CHARACTERS]}" for row, times in sorted(rows.items())]
    return lines


def _rows(store: Store) -> defaultdict[str, Counter[str]]:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, row in recorded_state(store):
        found[name][orjson.dumps(row).decode()] += 1
    return found
