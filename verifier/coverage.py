"""What `custody chain coverage` shows: which blocks of each chain were read, by whom, how well, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chains.types import ChainId, utc_text
from verifier.config import Settings
from verifier.overview import chain_heartbeat
from verifier.records import CoveredBlocks, WeakerScan
from verifier.rules.coverage import Backfill
from verifier.rules.heartbeat import Heartbeat
from verifier.store import Store


@dataclass(frozen=True, slots=True)
class ChainCoverage:
    """The blocks of one chain whose movements were read, lowest first, and everything that falls short."""

    chain_id: ChainId
    runs: Sequence[CoveredBlocks]
    gaps: Sequence[tuple[int, int]]
    """(first, last) of blocks between covered ones that nobody read."""
    weaker: Sequence[WeakerScan]
    backfills: Sequence[Backfill]
    """What was mapped late, and how far it was read afterwards."""
    heartbeat: Heartbeat

    @property
    def exit_code(self) -> int:
        """0 without a gap, 2 when something was not read, not for everything, never, or too long ago."""
        waiting = any(not each.is_complete for each in self.backfills)
        return 2 if not self.runs or self.gaps or waiting or self.heartbeat.is_stale else 0

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "chain_id": self.chain_id,
            "exit_code": self.exit_code,
            "first_height": self.runs[0].first_height if self.runs else None,
            "last_height": max(run.last_height for run in self.runs) if self.runs else None,
            "runs": [
                {
                    "first_height": run.first_height,
                    "last_height": run.last_height,
                    "blocks": run.last_height - run.first_height + 1,
                    "node_id": run.node_id,
                    "mode": run.mode,
                    "began_at": utc_text(run.began_at),
                    "ended_at": utc_text(run.ended_at),
                }
                for run in self.runs
            ],
            "gaps": [{"first_height": first, "last_height": last} for first, last in self.gaps],
            "weaker_than_configured": [
                {
                    "first_height": scan.first_height,
                    "last_height": scan.last_height,
                    "mode": scan.mode,
                    "reason": scan.reason,
                }
                for scan in self.weaker
            ],
            "known_late": [
                {
                    "items": sorted(each.items),
                    "of_assets": each.of_assets,
                    "first_height": each.first_height,
                    "last_height": each.last_height,
                    "read_to": each.next_height - 1,
                    "complete": each.is_complete,
                    "failure": each.failure,
                }
                for each in self.backfills
            ],
            "heartbeat": self.heartbeat.to_dict(),
        }


def coverage(store: Store, settings: Settings, chain_ids: Sequence[str], now: datetime) -> list[ChainCoverage]:
    """The coverage of configured chains as recorded; nothing is read from a chain."""
    found = []
    for name in chain_ids:
        chain_id = ChainId(settings.chain(name).chain_id)
        found.append(
            ChainCoverage(
                chain_id,
                store.covered_runs(chain_id),
                store.coverage_gaps(chain_id),
                store.weaker_scans(chain_id),
                store.backfills(chain_id),
                chain_heartbeat(store, settings, chain_id, now),
            )
        )
    return found
