"""A database that is put back to an earlier state under a running process: nothing that was remembered is used."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chains.reader import Pin
from chains.types import account_location
from mapping.types import AccountClass, Allocation
from tests.verifier.store.story import (
    ACTOR,
    CHAIN,
    FINALITY,
    USDX,
    A,
    B,
    Judged,
    block,
    compared,
    imported,
    later,
    seen,
)
from verifier.rules.by_asset import Observed
from verifier.store import Store, SweepStart, open_store
from verifier.store.engine import Database

EVER = later(60)
PLACE = account_location(CHAIN, A), USDX.asset_id


class Firm:
    """A process that runs on, and the database under it."""

    def __init__(self, template: Path, folder: Path) -> None:
        self.path, self.earlier = folder / "custody.db", folder / "earlier.db"
        shutil.copy(template, self.path)
        self.store = self.opened()

    def opened(self) -> Store:
        return open_store(f"sqlite:///{self.path}")

    def keep_copy(self) -> None:
        with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(self.earlier)) as target:
            source.backup(target)

    def put_back(self) -> None:
        """As a server does that takes over without the last transactions: under open connections."""
        with closing(sqlite3.connect(self.earlier)) as source, closing(sqlite3.connect(self.path)) as target:
            source.backup(target)


@pytest.fixture
def firm(sqlite_template: Path, tmp_path: Path) -> Firm:
    return Firm(sqlite_template, tmp_path)


def give(store: Store, *clients: str) -> None:
    """Each of these clients owns as much at A as its place in the list."""
    rows = [
        Allocation(client, AccountClass.CUSTOMER, PLACE[0], PLACE[1], units, later(-30))
        for units, client in enumerate(clients, 1)
    ]
    store.apply_import(imported((f"of {'-'.join(clients)}", rows)), ACTOR, later(0))


def who(store: Store) -> dict[str, int]:
    return {each.client_id: each.base_units for each in store.owners(CHAIN, EVER, EVER)[PLACE]}


def test_texts_that_are_gone_name_nobody(firm: Firm) -> None:
    firm.keep_copy()
    give(firm.store, "C-1", "C-2", "C-3")
    assert who(firm.store) == {"C-1": 1, "C-2": 2, "C-3": 3}
    firm.put_back()
    with closing(firm.opened()) as other:
        give(other, "C-3", "C-1")
        assert who(other) == {"C-3": 1, "C-1": 2}
    assert who(firm.store) == {"C-3": 1, "C-1": 2}
    allocations = firm.store.allocations(CHAIN, EVER, EVER)
    assert {key.client_id: units for key, units in allocations.items()} == {"C-3": 1, "C-1": 2}
    give(firm.store, "C-9")
    assert who(firm.store) == {"C-3": 1, "C-1": 2, "C-9": 1}, "and what is written after it has the keys of now"


def test_without_asking_the_journal_it_would_not_be_noticed(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test above rests on."""
    monkeypatch.setattr(Database, "_notice", Database._head)
    firm.keep_copy()
    give(firm.store, "C-1", "C-2")
    who(firm.store)
    firm.put_back()
    with closing(firm.opened()) as other:
        give(other, "C-2", "C-1")
    assert who(firm.store) == {"C-1": 1, "C-2": 2}, "each has what is the other's"


def swept(store: Store, height: int, units: int) -> SweepStart:
    start = store.start_sweep(CHAIN, Pin(block(height), FINALITY, True), "node-a", 1, later(height), ACTOR)
    observation = seen(B, USDX, units, start.block)
    store.add_observations(start, 0, [observation], ACTOR, later(height))
    store.keep_observations(start, Observed([observation]))
    return start


def test_a_sweep_that_is_gone_opens_none(firm: Firm) -> None:
    def end(store: Store, start: SweepStart) -> None:
        summary, _ = store.end_sweep(start, Judged([compared(start, B, USDX, 0, 0)]), ACTOR, later(start.block.height))
        assert summary.matched == 1

    give(firm.store, "C-1")
    firm.keep_copy()
    end(firm.store, swept(firm.store, 10, 700))
    firm.put_back()
    with closing(firm.opened()) as other:
        end(other, swept(other, 11, 900))
    start = swept(firm.store, 12, 900)
    ((key, opening),) = firm.store.openings(start, Observed([seen(B, USDX, 1, start.block)])).items()
    assert (key, opening.block.height, opening.base_units) == ((B, USDX.asset_id), 11, 900)
