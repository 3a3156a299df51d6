"""A story of several sweeps that kills itself at a chosen commit: what the kill test runs in a process of its own.

`python -m tests.verifier.sweep.killing` reads a JSON object from standard input: `folder`, and `runs`, each with a
`name`, the `url` of a database that has the schema, the `commit` to be killed at (0: none), and how many `lives` end
so. Every life is a child process that takes up what the one before left, as a restarted service would; the last one
is left alone. The number of lives of each run is printed. What the chain does goes on outside of the killed process,
so how far it got is kept in a file and not in the database.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.fakes.chain import FakeChain, Payment
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import OMNIBUS, PAYEE, SECOND, STRANGER, THIRD
from verifier import sweep
from verifier.config import SweepSettings
from verifier.store import Store, open_store
from verifier.store.unit import Unit


class Story:
    """Five chapters; each lets something happen on the chain, posts books, and sweeps."""

    def __init__(self, store: Store, folder: Path, chain: FakeChain) -> None:
        self.desk = MemoryDesk(store, folder, chain=chain)
        self.desk.settings = SweepSettings(wallets_per_shard=1)
        self.desk.history_from = 0
        self.desk.chain.new_asset("slip44:60", 18)
        self.desk.node().tracer = "call-tracer"
        self.chapters: list[tuple[Callable[[], None], Callable[[], None]]] = [
            (self._setting, self._opening),
            (self._payments, self._entries),
            (self._reorganisation, self._statement),
            (self._silence, self._nothing),
            (self._return, self._nothing),
        ]

    def _setting(self) -> None:
        self.desk.chain.mint(OMNIBUS, self.desk.asset, 1_000)
        self.desk.chain.mint(OMNIBUS, self.desk.native, 10)
        self.desk.chain.mine(23)

    def _opening(self) -> None:
        native = {"asset_id": self.desk.native.asset_id, "symbol": "ETH", "decimals": "18"}
        self.desk.open_books(OMNIBUS, SECOND, THIRD, assets=[{}, native])
        self.desk.allocate(OMNIBUS, C_1=600, C_2=400)
        self.desk.approve("A-1", OMNIBUS, PAYEE, 100)

    def _payments(self) -> None:
        chain, asset = self.desk.chain, self.desk.asset
        chain.add(Payment(OMNIBUS, STRANGER, self.desk.native, 4, is_internal=True))
        chain.pay(OMNIBUS, PAYEE, asset, 100)
        chain.pay(OMNIBUS, STRANGER, asset, 7)
        chain.add(Payment(None, SECOND, asset, 3, is_silent=True))

    def _entries(self) -> None:
        row = {"entry_id": "E-1", "location": self.desk.at(OMNIBUS), "quantity": "-0.000100"}
        self.desk.take(ledger_entries=[row])

    def _reorganisation(self) -> None:
        self.desk.chain.reorganise(2, [Payment(OMNIBUS, STRANGER, self.desk.asset, 8)])

    def _statement(self) -> None:
        self.desk.take(positions=[{"location": self.desk.at(OMNIBUS), "quantity": "0.000893"}])

    def _silence(self) -> None:
        self.desk.node().is_down = True

    def _return(self) -> None:
        self.desk.node().is_down = False
        self.desk.chain.mint(OMNIBUS, self.desk.asset, 8)

    def _nothing(self) -> None:
        pass

    def tell(self, progress: Path) -> None:
        """From the chapter that was begun last; what the chain did before it is not undone by a restart."""
        begun = int(progress.read_text()) if progress.exists() else 0
        for number, (happens, posts) in enumerate(self.chapters, 1):
            happens()
            if number < begun:
                continue
            progress.write_text(str(number))
            posts()
            self.desk.runner().run()


def kill_at(commit: int) -> None:
    """From now on, kill this process when the so-manieth transaction has written everything but its commit."""
    original = Store.record
    written = 0

    @contextmanager
    def record(store: Store, *args: Any, **options: Any) -> Iterator[Unit]:
        nonlocal written
        with original(store, *args, **options) as unit:
            yield unit
            if not unit.is_empty:
                written += 1
                if written == commit:
                    os.kill(os.getpid(), signal.SIGKILL)

    Store.record = record  # type: ignore[assignment, method-assign]


def run(url: str, folder: Path, commit: int, life: int) -> None:
    """Tell the story on a database, from where it was left."""
    sweep.BLOCKS_PER_RUN = 10  # so that a short history takes several transactions
    if commit:
        kill_at(commit)
    store = open_store(url)
    attempt = folder / f"life-{life}"
    attempt.mkdir(parents=True)
    story = Story(store, attempt, FakeChain())
    # A restarted process has a later clock; the books' own times follow the chain.
    story.desk.clock_ahead = timedelta(seconds=1 + 5 * life)
    story.tell(folder / "progress")
    store.close()


def in_child(*args: Any) -> int:
    """Run in a child process and return how it ended, as `os.waitstatus_to_exitcode` says it."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            run(*args)
            code = 0
        except Exception:  # noqa: BLE001 - whatever it is, the child must not return into its parent's loop
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> int:
    """Tell every run; the exit code is 1 when a life ends otherwise than it must."""
    order = json.loads(sys.stdin.read())
    lives: dict[str, int] = {}
    for each in order["runs"]:
        folder = Path(order["folder"]) / each["name"]
        ended, life = -signal.SIGKILL, 0
        while ended == -signal.SIGKILL and life <= each["lives"]:
            commit = each["commit"] if life < each["lives"] else 0
            ended = in_child(each["url"], folder, commit, life)
            life += 1
        if ended:
            print(f"run {each['name']} ended with {ended}", file=sys.stderr)
            return 1
        lives[each["name"]] = life
    print(json.dumps(lives))
    return 0


if __name__ == "__main__":
    sys.exit(main())
