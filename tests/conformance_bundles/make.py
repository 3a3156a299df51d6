"""Write the conformance folder: `python -m tests.conformance_bundles.make FOLDER`, or `--index` for the list alone.

The folder holds `good/*.zip`, `bad/*.zip`, the readers' files of trusted keys, and `index.json`: for each bundle what
is in it, which check must refuse it, the reader's keys, the profile asked for, the earlier bundle it must follow and
what the reader's node says. The same bytes every time.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from exports.codec import time_text
from exports.verify import NAMES
from tests.conformance_bundles import (
    answers,
    container,
    evidence,
    figures,
    outputs,
    outside,
    possession,
    profiles,
    proofs,
    securities,
    signed,
    views,
)
from tests.conformance_bundles.firm import READERS, TRUSTED
from tests.conformance_bundles.recipe import RECIPES, Made, Recipe
from tests.exports.sample import NOW

MODULES: Final = (
    container,
    signed,
    figures,
    evidence,
    possession,
    proofs,
    securities,
    profiles,
    outputs,
    outside,
    views,
    answers,
)
"""Where recipes are; importing them fills `RECIPES`."""
INDEX: Final = Path(__file__).with_name("index.json")
ORDER: Final = sorted(RECIPES.values(), key=lambda recipe: (recipe.check or 0, recipe.name))
"""Good ones first, then by the check that refuses."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance_bundles.make", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="where to write; it must not exist yet")
    parser.add_argument("--index", action="store_true", help="write the checked-in list anew")
    asked = parser.parse_args(arguments)
    if not asked.index and asked.folder is None:
        parser.error("name a folder, or give --index")
    if asked.index:
        INDEX.write_bytes(index_bytes())
    if asked.folder is not None:
        write_folder(asked.folder)
    return 0


def write_folder(folder: Path) -> dict[str, Made]:
    """Write everything into a new folder; what was made, by name."""
    folder.mkdir(parents=True)
    for each in ("good", "bad"):
        (folder / each).mkdir()
    made = {recipe.name: recipe.make() for recipe in ORDER}
    for recipe in ORDER:
        (folder / recipe.file).write_bytes(made[recipe.name].data)
    for name, trusted in READERS.items():
        (folder / name).write_bytes(trusted.to_bytes())
    (folder / "index.json").write_bytes(index_bytes(made))
    return made


def index_bytes(made: dict[str, Made] | None = None) -> bytes:
    """The list of all bundles, for people and programs."""
    found = made or {recipe.name: recipe.make() for recipe in ORDER}
    rows = ",\n".join(json.dumps(_entry(recipe, found[recipe.name]), ensure_ascii=False) for recipe in ORDER)
    return f'{{"judged_at": "{time_text(NOW)}", "bundles": [\n{rows}\n]}}\n'.encode()


def _entry(recipe: Recipe, made: Made) -> dict[str, object]:
    entry: dict[str, object] = {"file": recipe.file, "what": recipe.what}
    if recipe.check is not None:
        entry["refused_by"] = recipe.check
        entry["check"] = NAMES[recipe.check]
        entry["status"] = "failed" if recipe.possible else "not_possible"
    if recipe.also:
        entry["also_refused_by"] = list(recipe.also)
    if made.trusted != TRUSTED:
        entry["trusted_keys"] = made.trusted
    if made.after is not None:
        entry["after"] = RECIPES["one-of-everything"].file
    if made.profile is not None:
        entry["profile"] = str(made.profile)
    if made.node is not None:
        entry["own_node"] = recipe.node_says or "the same"
    return entry


if __name__ == "__main__":
    raise SystemExit(main())
