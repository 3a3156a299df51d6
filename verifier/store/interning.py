"""Short integer keys for values that many rows repeat: texts, assets, ways of reading."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

KEYS_MAX: Final = 2_000_000
"""Most keys held in memory; beyond it they are forgotten and looked up again."""


class Interned:
    """Keys known to be stored, by table. Rows are never removed, so a key once stored stays right."""

    def __init__(self) -> None:
        self._keys: dict[str, dict[Hashable, int]] = {}

    def of(self, table_name: str) -> dict[Hashable, int]:
        """The known keys of a table."""
        return self._keys.setdefault(table_name, {})

    def merge(self, other: Interned) -> None:
        """Take what a committed transaction stored."""
        for name, keys in other._keys.items():
            mine = self.of(name)
            if len(mine) + len(keys) > KEYS_MAX:
                mine.clear()
            mine.update(keys)
