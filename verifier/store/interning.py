"""Short integer keys for values that many rows repeat: texts, assets, ways of reading."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Final

import sqlalchemy as sa

from verifier.store.tables import InternedTextRow, table

TEXT: Final = table(InternedTextRow)

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


class Texts:
    """All interned texts by key, kept while the program runs: a sweep needs one for each of its wallets and clients."""

    def __init__(self) -> None:
        self._by_key: dict[int, str] = {}
        self._newest = 0

    def read(self, connection: sa.Connection, interned: Interned) -> Mapping[int, str]:
        """The texts as they are stored; those that came since the last time are read, and `interned` learns them."""
        query = sa.select(TEXT.c.record_id, TEXT.c.text).where(TEXT.c.record_id > self._newest)
        rows = connection.execute(query.order_by(TEXT.c.record_id)).all()
        if rows:
            self._by_key.update((key, text) for key, text in rows)
            self._newest = rows[-1].record_id
            news = Interned()
            news.of(TEXT.name).update((text, key) for key, text in rows)
            interned.merge(news)
        return self._by_key
