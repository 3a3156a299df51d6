"""`python -m tests.chaos`: seeds played calm and disturbed, one after the other, for as long as is wanted."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.chaos.comparison import differences
from tests.chaos.hand import Hand, summary
from tests.chaos.run import Play
from tests.chaos.script import write_script
from verifier.records import FindingKind


def play_seed(seed: int, chapters: int, folder: Path) -> Counter[str]:
    """Both tellings of a seed; odd seeds strike nodes too.

    Raises `AssertionError` when anything is lost, or their ends differ.
    """
    script = write_script(seed, chapters, folder)
    with Play(script, folder / "calm") as calm:
        calm.play()
        with Play(script, folder / "disturbed") as disturbed:
            hand = Hand(
                seed,
                disturbed.company,
                disturbed.server,
                disturbed.nodes,
                disturbed.bitcoin,
                strikes_nodes=bool(seed % 2),
                lied_about=script.lied_about,
            )
            disturbed.play(hand, calm.seconds)
            found = differences(calm.store, disturbed.store, script, lost_nodes=hand.has_lost_nodes)
            kinds = Counter(case.finding.kind for case in disturbed.store.cases(include_closed=True))
            hand.struck["(nodes found to disagree)"] = kinds[FindingKind.NODE_DISAGREEMENT]
            hand.struck["(API reads answered)"] = disturbed.program.answered[200]
            hand.struck["(API reads not answered)"] = (
                disturbed.program.answered.total() - disturbed.program.answered[200]
            )
    assert not found, "the disturbed telling ended with other records:\n" + "\n".join(found)
    return hand.struck


def main() -> int:
    """Exit code 0 when every seed held."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--minutes", type=float, default=0, help="go on with further seeds for so long; 0: this one")
    parser.add_argument("--chapters", type=int, default=8, help="how much happens in each")
    given = parser.parse_args()
    began, seed, failures = time.monotonic(), given.seed, 0
    while seed == given.seed or time.monotonic() - began < 60 * given.minutes:
        at = time.monotonic()
        folder = Path(tempfile.mkdtemp(prefix=f"custody-chaos-{seed}-"))
        try:
            struck = play_seed(seed, given.chapters, folder)
        except AssertionError as error:
            failures += 1
            again = f"again: python -m tests.chaos --seed {seed} --chapters {given.chapters}"
            print(f"FAILED seed {seed}: {error}\nkept in {folder}\n{again}\n", flush=True)
        else:
            shutil.rmtree(folder)
            held = "; ".join(summary(struck))
            print(f"seed {seed} held in {time.monotonic() - at:.0f} s, struck {held}", flush=True)
        seed += 1
    print(f"{seed - given.seed} seeds from {given.seed}, {failures} failed, in {time.monotonic() - began:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
