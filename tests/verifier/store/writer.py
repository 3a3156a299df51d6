"""A process of its own that writes to a store, for the tests that kill it. Run by `python -m`."""

from __future__ import annotations

import os
import signal
import sys
import time

from tests.verifier.store.story import SweepStory, import_story, later
from verifier.store import Store, open_store
from verifier.store.unit import Unit


def count(store: Store, name: str, entries: int) -> None:
    """Write so many entries, and say after each that it was committed."""
    for number in range(entries):
        with store.record("count", name, {"number": number}, later(number)) as unit:
            unit.text_keys(f"{name} {number} {part}" for part in range(20))
        print(number, flush=True)


def hold(store: Store) -> None:
    """Write in a transaction that never ends."""
    with store.record("hold", "holder", {}, later(0)) as unit:
        unit.text_keys(f"held {number}" for number in range(500))
        print("holding", flush=True)
        time.sleep(600)


def story(store: Store, die_at: int, *, before_commit: bool) -> None:
    """The story, killed at its n-th journal entry, just before or just after the commit."""
    sealed = 0
    seal = Unit.seal

    def counting_seal(unit: Unit) -> None:
        nonlocal sealed
        sealed += 1
        if sealed == die_at + (0 if before_commit else 1):
            os.kill(os.getpid(), signal.SIGKILL)
        seal(unit)

    Unit.seal = counting_seal  # type: ignore[method-assign,assignment]
    import_story(store)
    SweepStory(store).run()


def main() -> None:
    url, what, *rest = sys.argv[1:]
    store = open_store(url, busy_seconds=30)
    if what == "count":
        count(store, rest[0], int(rest[1]))
    elif what == "hold":
        hold(store)
    else:
        story(store, int(rest[0]), before_commit=rest[1] == "before")
    store.close()


if __name__ == "__main__":
    main()
