"""Two chains before one store: which is swept first is no difference, though cases are numbered by it."""

from __future__ import annotations

from pathlib import Path

from chains.types import ChainId
from tests.fakes.chain import FakeChain
from tests.simulation.databases import SqliteFiles
from tests.verifier.conftest import sqlite_template
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import OMNIBUS, STRANGER
from verifier.store import open_store
from verifier.store.digest import state_digest

__all__ = ["sqlite_template"]

CHAINS = (ChainId("eip155:31337"), ChainId("eip155:31338"))


def told(files: SqliteFiles, folder: Path, order: tuple[int, ...]) -> tuple[str, list[str]]:
    """The digest after the chains were swept in this order, and which chain each case is of, by its number.

    On both chains something left that nobody approved; two people close the cases.
    """
    folder.mkdir()
    with files.new() as url:
        store = open_store(url)
        desks = []
        for chain_id in CHAINS:
            (folder / chain_id).mkdir()
            desk = MemoryDesk(store, folder / chain_id, chain=FakeChain(chain_id))
            desk.history_from = 1
            desk.chain.mint(OMNIBUS, desk.asset, 1_000)
            desk.open_books(OMNIBUS)
            desk.allocate(OMNIBUS, C_1=1_000)
            desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
            desks.append(desk)
        for number in order:
            desks[number].sweep()
        for case in store.cases():
            desks[0].close(case)
        numbered = sorted(store.cases(include_closed=True), key=lambda case: case.case_id)
        found = state_digest(store), [case.finding.location_id.rpartition(":")[0] for case in numbered]
        store.close()
    return found


def test_which_chain_is_swept_first_changes_no_digest(sqlite_template: Path, tmp_path: Path) -> None:
    files = SqliteFiles(sqlite_template)
    first, numbered = told(files, tmp_path / "first", (0, 1))
    second, otherwise = told(files, tmp_path / "second", (1, 0))
    assert numbered != otherwise, "the cases have other numbers"
    assert sorted(numbered) == sorted(otherwise)
    assert set(numbered) == set(CHAINS)
    assert first == second
    less, _ = told(files, tmp_path / "less", (0,))
    more, _ = told(files, tmp_path / "more", (0, 1, 1))
    assert len({first, less, more}) == 3, "what was found once more, or not at all, is a difference"
