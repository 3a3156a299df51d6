"""Telling one seed twice, calm and disturbed, and comparing the ends."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.databases import Databases
from tests.simulation.story import Story


class Failed(AssertionError):
    """An invariant did not hold; says the seed and how to tell the story again."""


@dataclass(frozen=True)
class Told:
    """A seed that held."""

    seed: int
    digest: str
    disturbances: int
    sweeps: int


def tell(seed: int, databases: Databases) -> Told:
    """Tell a seed. Raises `Failed` when an invariant does not hold, or the two ends differ."""
    ends: dict[bool, str] = {}
    stories: dict[bool, Story] = {}
    for disturbed in (False, True):
        with databases.new() as url, tempfile.TemporaryDirectory(prefix="custody-simulation-") as name:
            story: Story | None = None
            try:
                story = stories[disturbed] = Story(seed, url, Path(name), disturbed=disturbed)
                ends[disturbed] = story.tell()
            except Exception as error:
                acts = ", ".join(story.log) if story else "the opening"
                how = "with a store that fails" if disturbed else "undisturbed"
                raise Failed(
                    f"seed {seed}, {how}: {type(error).__name__}: {error}\n"
                    f"after: {acts}\nagain: python -m tests.simulation --seed {seed}"
                ) from error
            finally:
                if story is not None:
                    story.desk.store.close()
    if ends[False] != ends[True]:
        raise Failed(
            f"seed {seed}: the disturbed story ended with other records\n"
            f"after: {', '.join(stories[True].log)}\nagain: python -m tests.simulation --seed {seed}"
        )
    return Told(seed, ends[True], stories[True].disturbances, len(stories[True].checked))
