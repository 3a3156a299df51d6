"""When each chain was last observed, and whether that is too long ago.

A chain that halts, finality that stalls and a sweep that nobody runs look alike in the books: no new exception. So the
age of the newest observation is a finding of its own. It is measured from the time of the block that was read, because
a sweep that reads the same old block again has seen nothing new.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chains.types import BlockRef, ChainId, LocationId, require_utc, utc_text
from verifier.records import Finding, FindingKind, Rail

SUBJECT = "heartbeat"
"""One case per chain, however long it lasts."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The newest observation of one chain that stands, seen at one moment."""

    chain_id: ChainId
    block: BlockRef | None
    """The block it was read at; None when the chain was never observed."""
    made_at: datetime | None
    """When the sweep that read it was finished."""
    now: datetime
    limit_seconds: int
    """The age from which on it is a finding."""

    def __post_init__(self) -> None:
        require_utc(self.now, "now")

    @property
    def age_seconds(self) -> int | None:
        """Whole seconds from the block's time to now, never below zero; None when the chain was never observed."""
        return max(0, int((self.now - self.block.timestamp).total_seconds())) if self.block is not None else None

    @property
    def is_stale(self) -> bool:
        """Whether it is older than allowed, or there is none."""
        return self.age_seconds is None or self.age_seconds > self.limit_seconds

    @property
    def text(self) -> str:
        """For a person."""
        if self.block is None:
            return f"{self.chain_id} was never observed"
        made = f", by a sweep of {utc_text(self.made_at)}" if self.made_at is not None else ""
        return (
            f"the newest observation of {self.chain_id} is of block {self.block.height} of "
            f"{utc_text(self.block.timestamp)}{made}: {self.age_seconds} seconds old, {self.limit_seconds} are allowed"
        )

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "observed_block_time": utc_text(self.block.timestamp) if self.block is not None else None,
            "observed_height": self.block.height if self.block is not None else None,
            "made_at": utc_text(self.made_at) if self.made_at is not None else None,
            "age_seconds": self.age_seconds,
            "limit_seconds": self.limit_seconds,
            "stale": self.is_stale,
        }


def heartbeat_limit(chain_limit: int | None, firm_limit: int, head_age_seconds_max: int) -> int:
    """The chain's own limit in seconds; without one the firm's, but never below the age of a head that is accepted."""
    return chain_limit if chain_limit is not None else max(firm_limit, head_age_seconds_max)


def heartbeat_findings(beat: Heartbeat, *, provisional: bool = False) -> list[Finding]:
    """A finding when the newest observation is too old. Where there never was one, failed sweeps have their case."""
    if not beat.is_stale or beat.block is None:
        return []
    return [
        Finding(
            kind=FindingKind.STALE_OBSERVATION,
            rail=Rail.DIGITAL,
            location_id=LocationId(beat.chain_id),
            asset=None,
            base_units=None,
            subject=SUBJECT,
            text=f"{beat.text[0].upper()}{beat.text[1:]}. What is there now is not known.",
            block=beat.block,
            provisional=provisional,
        )
    ]
