"""Telling one seed twice, calm and disturbed, and comparing the ends."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.story import Story
from verifier.store import open_store


class Failed(AssertionError):
    """An invariant did not hold; says the seed and how to tell the story again."""


@dataclass(frozen=True)
class Told:
    """A seed that held."""

    seed: int
    digest: str
    disturbances: int
    sweeps: int


def new_template(folder: Path) -> Path:
    """A database with the schema, to be copied."""
    from tests.postgres import MOMENT

    path = folder / "template.db"
    store = open_store(f"sqlite:///{path}")
    store.migrate("tests", MOMENT)
    store.close()
    return path


def tell(seed: int, template: Path) -> Told:
    """Tell a seed. Raises `Failed` when an invariant does not hold, or the two ends differ."""
    ends: dict[bool, str] = {}
    stories: dict[bool, Story] = {}
    for disturbed in (False, True):
        with tempfile.TemporaryDirectory(prefix="custody-simulation-") as name:
            path = Path(name) / "story.db"
            shutil.copy(template, path)
            story: Story | None = None
            try:
                story = stories[disturbed] = Story(seed, f"sqlite:///{path}", Path(name), disturbed=disturbed)
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
