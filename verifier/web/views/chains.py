"""Chains: the pinned block, what was covered and what was not, the nodes and whether they agree, sweep by sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from chains.types import ChainId, utc_text
from verifier.coverage import ChainCoverage, coverage
from verifier.web.views.drawing import Part, parts, place
from verifier.web.views.home import ChainLine, chain_line
from verifier.web.views.listing import Listing, listing
from verifier.web.views.tones import Mark, Tone, age_words

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.overview import ChainOverview, Overview
    from verifier.records import CoveredBlocks, SweepSummary
    from verifier.store import Store

RUNS_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the coverage line."""

    start: int
    length: int
    tone: Tone
    words: str


@dataclass(frozen=True, slots=True)
class NodeShown:
    """A configured node, and how often it disagreed since the last sweep."""

    node_id: str
    operator: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One completed sweep."""

    sweep_id: str
    height: str
    block_time: datetime
    finished_at: datetime
    node_id: str
    counts: tuple[Part, ...]
    matched: int
    diverged: int
    unverified: int
    transfers: int


@dataclass(frozen=True, slots=True)
class ChainPage:
    """Everything about one chain."""

    chain_id: str
    name: str
    line: ChainLine
    details: tuple[tuple[str, str], ...]
    stretches: tuple[Stretch, ...]
    first: str
    last: str
    gaps: tuple[str, ...]
    is_stale: bool
    nodes: tuple[NodeShown, ...]
    disagreements: tuple[str, ...]
    information: tuple[str, ...]
    sweeps: Listing[SweepRow]


def chains_page(found: Overview) -> tuple[ChainLine, ...]:
    """Every configured chain."""
    return tuple(chain_line(each) for each in found.chains)


def chain_page(store: Store, settings: Settings, chain: ChainOverview, now: datetime, number: int) -> ChainPage:
    """One chain."""
    chain_id = ChainId(chain.chain_id)
    section = settings.chain(chain.chain_id)
    (covered,) = coverage(store, settings, [chain.chain_id], now)
    dissent = store.disagreements(chain_id)
    saying = {answer.node_id for each in dissent for answer in each.answers if answer.said != each.agreed}
    nodes = tuple(
        NodeShown(
            node.node_id,
            node.operator,
            Mark("disagrees", Tone.BAD) if node.node_id in saying else Mark("no disagreement", Tone.GOOD),
        )
        for node in section.nodes
    )
    page = listing(store.summaries(chain_id)[::-1], number, 20)
    return ChainPage(
        chain.chain_id,
        chain.name,
        chain_line(chain),
        tuple(_details(chain, covered)),
        stretches(covered),
        f"{covered.runs[0].first_height:,}" if covered.runs else "",
        f"{max(run.last_height for run in covered.runs):,}" if covered.runs else "",
        tuple(_gaps(covered)),
        covered.heartbeat.is_stale,
        nodes,
        tuple(
            f"{each.subject.value.replace('_', ' ')} at block {each.height:,}: "
            + "; ".join(f"{answer.node_id} ({answer.operator}): {answer.said}" for answer in each.answers)
            for each in dissent
        ),
        tuple(chain.information()),
        Listing([_sweep(each) for each in page.items], page.number, page.total, page.size),
    )


def _details(chain: ChainOverview, covered: ChainCoverage) -> list[tuple[str, str]]:
    found = [("chain", chain.chain_id)]
    if chain.halted:
        found.append(("halted", chain.halted))
    if (summary := chain.summary) is not None:
        block = summary.block
        found += [
            ("pinned block", f"{block.height:,}"),
            ("its hash", block.block_hash),
            ("its time", f"{utc_text(block.timestamp)}, {age_words(chain.age_seconds or 0)} ago"),
            ("finality", str(summary.finality)),
            ("header recomputed", "yes" if summary.header_checked else "no"),
            ("read from", summary.node_id),
            ("sweep finished", utc_text(summary.finished_at)),
        ]
    found.append(("last observation", covered.heartbeat.text))
    return found


def stretches(covered: ChainCoverage) -> tuple[Stretch, ...]:
    """The coverage line, from the first covered block to the last: runs, gaps, and what was read less well."""
    if not covered.runs:
        return ()
    lowest, highest = covered.runs[0].first_height, max(run.last_height for run in covered.runs) + 1

    def stretch(first: int, last: int, tone: Tone, words: str) -> Stretch:
        start = place(first, lowest, highest)
        return Stretch(start, max(2, place(last + 1, lowest, highest) - start), tone, words)

    runs = [
        stretch(each.first_height, each.last_height, Tone.GOOD, _run_words(each)) for each in covered.runs[-RUNS_SHOWN:]
    ]
    weaker = [
        stretch(scan.first_height, scan.last_height, Tone.OPEN, f"less well than configured: {scan.reason}")
        for scan in covered.weaker[-RUNS_SHOWN:]
    ]
    gaps = [stretch(first, last, Tone.BAD, f"nobody read {first:,} to {last:,}") for first, last in covered.gaps]
    return (*runs, *weaker, *gaps[-RUNS_SHOWN:])


def _run_words(run: CoveredBlocks) -> str:
    return f"{run.first_height:,} to {run.last_height:,} by {run.node_id}, {run.mode}"


def _gaps(covered: ChainCoverage) -> list[str]:
    found = [f"Nobody read blocks {first:,} to {last:,}." for first, last in covered.gaps]
    found += [
        f"Blocks {scan.first_height:,} to {scan.last_height:,} were read in mode {scan.mode}: {scan.reason}."
        for scan in covered.weaker
    ]
    found += [
        f"{len(each.items):,} mapped late: blocks {each.first_height:,} to {each.last_height:,} not read from "
        f"{each.next_height:,} on{f' ({each.failure})' if each.failure else ''}."
        for each in covered.backfills
        if not each.is_complete
    ]
    return found


def _sweep(summary: SweepSummary) -> SweepRow:
    return SweepRow(
        summary.sweep_id,
        f"{summary.block.height:,}",
        summary.block.timestamp,
        summary.finished_at,
        summary.node_id,
        parts(
            (summary.matched, Tone.GOOD, "matched"),
            (summary.diverged, Tone.BAD, "diverged"),
            (summary.unverified, Tone.OPEN, "unverified"),
        ),
        summary.matched,
        summary.diverged,
        summary.unverified,
        summary.transfers_scanned,
    )


def chain_of(chains: Sequence[ChainOverview], chain_id: str) -> ChainOverview | None:
    """The configured chain of that id; None when there is none."""
    return next((each for each in chains if each.chain_id == chain_id), None)
