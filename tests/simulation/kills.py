"""A story in real processes that are killed at random moments: `python -m tests.simulation.kills`, as `killing` is run.

A moment is a number of function calls, so that a seed is killed at the same place on every machine, and not only at
a commit. How many calls a life makes is counted in a life that is left alone.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import traceback
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from tests.fakes.chain import FakeChain
from tests.verifier.sweep import killing
from verifier import sweep
from verifier.store import Store, open_store
from verifier.store.journal_view import newest_entries


class Calls:
    """Counts the calls of this thread's functions, and kills the process at one of them."""

    def __init__(self, die_at: int) -> None:
        self.die_at, self.made = die_at, 0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """What the interpreter calls."""
        if event == "call":
            self.made += 1
            if self.made == self.die_at:
                os.kill(os.getpid(), signal.SIGKILL)


def run(url: str, folder: Path, die_at: int, life: int) -> int:
    """One life of the story, from where the database says it was left; returns the calls it made."""
    sweep.BLOCKS_PER_RUN = 10  # so that a short history takes several transactions
    store = open_store(url)
    folder.mkdir(parents=True)
    story = killing.Story(store, folder, FakeChain())
    # A restarted process has a later clock; the books' own times follow the chain.
    story.desk.clock_ahead = timedelta(seconds=1 + 5 * life)
    swept = sweeps_ended(store)
    calls = Calls(die_at)
    sys.setprofile(calls)
    try:
        for number, (happens, posts) in enumerate(story.chapters, 1):
            happens()
            if number > swept:
                posts()
                story.desk.runner().run()
    finally:
        sys.setprofile(None)
    store.close()
    return calls.made


def sweeps_ended(store: Store) -> int:
    """Chapters that are over: each ends with a sweep that was completed, or failed because no node answers."""
    kinds = [entry.kind for entry in newest_entries(store, 10_000)]
    return kinds.count("sweep.completed") + kinds.count("sweep.failed")


def in_child(url: str, folder: Path, die_at: int, life: int) -> tuple[int, int]:
    """A life in a process of its own: how it ended, as `os.waitstatus_to_exitcode` says it, and the calls it made."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            made = run(url, folder, die_at, life)
            os.write(writing, str(made).encode())
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it is, the child must not return into its parent's loop
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as told:
        made = int(told.read() or 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), made


def main() -> int:
    """Tell the story once calm, then once for each seed and killed; prints the lives each took."""
    order = json.loads(sys.stdin.read())
    folder = Path(order["folder"])
    ended, calls = in_child(order["calm"], folder / "calm", 0, 0)
    if ended:
        return 1
    lives: dict[str, int] = {}
    for seed, url in order["killed"].items():
        chosen, life, ended = random.Random(int(seed)), 0, -signal.SIGKILL
        while ended == -signal.SIGKILL:
            die_at = chosen.randint(1, calls) if life < order["lives"] else 0
            ended, _ = in_child(url, folder / seed / str(life), die_at, life)
            life += 1
        if ended:
            return 1
        lives[seed] = life
    print(json.dumps(lives))
    return 0


if __name__ == "__main__":
    sys.exit(main())
