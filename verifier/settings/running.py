"""How the processes run: the database, sweeps, watches, workers, the clock, imports, what is logged and measured."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from exports.manifest import SKEW_SECONDS_MAX
from verifier.settings.section import CivilTime, Section

HEAD_FILE_NAME = "known-head.json"
"""Name of the file beside custody.toml that says which journal entry is known outside the database."""


class DatabaseSettings(Section):
    """Where records are kept: SQLite by default, PostgreSQL by URL."""

    url: SecretStr = SecretStr("sqlite:///custody.db")
    head_file: Path | None = None
    """Says which journal entry was newest at the last export or backup, so that an older database put back is noticed;
    best kept where the database's backups are not. The default is `known-head.json` beside custody.toml."""


class SweepSettings(Section):
    """How sweeps compare."""

    as_of_skew_seconds_max: int = Field(default=900, ge=0, le=SKEW_SECONDS_MAX)
    """Largest distance in time between two statements that are still compared; beyond it: unverified."""
    wallets_per_shard: int = Field(default=5_000, ge=1, le=100_000)
    """Wallets read and stored in one transaction: what a crash can cost, and what memory holds."""
    late_blocks_per_sweep_max: int = Field(default=100_000, ge=1)
    """Most blocks that one sweep reads again for wallets and assets mapped late; the next sweep goes on."""
    heartbeat_seconds_max: int = Field(default=7_200, ge=1)
    """How old the newest observation of a chain may be, by its block's time, before that is a finding."""
    change_points: Literal["remainders", "every_block"] = "remainders"
    """Where balances are read to find changes that no event explains: where remainders lead, or at every block, so that
    changes which cancel out are found too. See docs/history.md."""
    change_point_blocks_max: int = Field(default=10_000, ge=1)
    """Most blocks that `every_block` reads in one sweep; more are refused, with a finding."""
    pin_attempts_max: int = Field(default=3, ge=1, le=10)
    """How often a sweep pins anew when the chain reorganises under it."""


class WatchSettings(Section):
    """How chains are followed."""

    sweep_seconds_min: float = Field(default=60.0, ge=0)
    """Shortest time between two sweeps of one chain."""
    poll_seconds_min: float = Field(default=0.25, gt=0)
    """Shortest pause between two questions for a new block."""
    poll_seconds_max: float = Field(default=4.0, gt=0)
    """Longest pause between two questions for a new block."""


class WorkerSettings(Section):
    """Sweeps read by several processes on one PostgreSQL; see docs/scaling.md."""

    enabled: bool = False
    """Whether sweeps hand the reading of balances to `custody worker` processes."""
    wallets_per_shard: int | None = Field(default=None, ge=1, le=100_000)
    """Wallets in one shard; as in `[sweep]` where it is not given."""
    lease_seconds: float = Field(default=60.0, ge=1, le=3_600)
    """How long a worker may be silent before another one takes its shard over."""
    attempts_max: int = Field(default=3, ge=1, le=20)
    """Tries of workers at one shard before the sweep tries it itself, and gives it up as unverified."""
    patience_seconds: float = Field(default=10.0, ge=0, le=3_600)
    """How long a sweep waits for a worker to take a shard before it reads one itself."""


class ScheduleSettings(Section):
    """What `custody watch` runs by the clock; times are civil, in `reserve.bank_zone`, of the next business day."""

    enabled: bool = True
    """Whether this process is an alarm clock at all."""
    check_minutes: int = Field(default=15, ge=1, le=24 * 60)
    """How often the reserve, possession or control, and custodians' statements are judged."""
    control_review: bool = False
    """Review possession or control of each business date."""
    control_review_at: CivilTime = "07:15"
    compute: bool = False
    """Compute the reserve of each business date of which a computation is due."""
    compute_at: CivilTime = "07:30"
    reconcile: bool = False
    """Compare the books of each business date with custodians' statements."""
    reconcile_at: CivilTime = "09:00"
    report: bool = False
    """Make the daily report of each business date."""
    report_at: CivilTime = "09:30"
    catch_up_days: int = Field(default=10, ge=0, le=250)
    """Business dates back that are still run after the clock stood still; older ones are recorded as missed."""


class MetricsSettings(Section):
    """What is told about a running process; see docs/operations.md."""

    listen: str = Field(default="", pattern=r"^(((?:[A-Za-z0-9.-]+|\[[0-9a-f:]+\]):)?[0-9]{1,5})?$")
    """`PORT` on 127.0.0.1, or `HOST:PORT`; nothing is served when empty."""
    answered_seconds_max: int = Field(default=120, ge=1)
    """How long ago a chain's node must have answered for the process to be ready."""


class LogSettings(Section):
    """What is logged, and where to."""

    level: Literal["debug", "info", "warning", "error"] = "warning"
    form: Literal["text", "json"] = "text"
    file: Path | None = None
    """A file in the place of standard error, kept within the sizes below."""
    file_bytes_max: int = Field(default=10 * 1024 * 1024, ge=4_096)
    """Size at which the file is put aside and a new one begun."""
    files_kept: int = Field(default=5, ge=1, le=100)
    """Files put aside that are kept."""


class ImportSettings(Section):
    """What the importer accepts."""

    accept_unchecksummed: bool = False
    """Accept all-lower-case EVM addresses, which carry no checksum; the import names each of them."""
    file_bytes_max: int = Field(default=2 * 1024**3, ge=1)
    file_rows_max: int = Field(default=2_000_000, ge=1)
