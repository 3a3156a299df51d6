"""Figures that the database holds, read when they are asked for; kept for a while, so that asking costs little.

What takes long to read is kept for ten times as long, so that scrapes never take more than a tenth of a processor.
A database that does not answer keeps nobody waiting: the figures before it are told for a minute, then that it is down.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from verifier.errors import VerifierError
from verifier.process_identity import ProcessIdentity
from verifier.rules.status import FirmStatus
from verifier.store import Store, open_store
from verifier.telemetry.kept import KeptAnswer

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.overview import Overview
    from verifier.telemetry.process import ProcessMetrics

KEPT_SECONDS: Final = 5.0
STALE_SECONDS: Final = 60.0
"""How long figures are told that cannot be read anew; large books may take longer to read than a scrape may."""

log = structlog.get_logger(__name__)


class BooksCollector(Collector):
    """Reads what the records say, with a store of its own."""

    def __init__(
        self,
        settings: Settings,
        process: ProcessMetrics,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._process, self._clock, self._monotonic = settings, process, clock, monotonic
        self._figures_kept = KeptAnswer(
            self._read_and_time, [_up(0)], stale_seconds_max=STALE_SECONDS, monotonic=monotonic
        )

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not read the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The figures, read anew when those kept are too old. A database that cannot be read is a figure too."""
        yield from self._figures_kept.get()

    def _read_and_time(self) -> tuple[list[Metric], float]:
        began = self._monotonic()
        found = self._read()
        took = self._monotonic() - began
        timed = _gauge("custody_records_read_seconds", "Time to read these figures.", took)
        # However long a database was waited for in vain, it is soon asked again.
        return [_up(1 if found else 0), *found, timed], max(KEPT_SECONDS, 10 * took if found else 0.0)

    def _read(self) -> list[Metric]:
        """Empty where the database cannot be read."""
        try:
            store = open_store(self._settings.database.url.get_secret_value())
            try:
                found = list(self._figures(store))
            finally:
                store.close()
        except VerifierError as error:
            log.warning("no figures of the records", code=error.code)
            return []
        except Exception as error:  # noqa: BLE001 - one view that breaks must not silence the process's own figures
            log.error("the figures of the records broke", error=type(error).__name__)
            return []
        return found

    def _figures(self, store: Store) -> Iterator[Metric]:
        from verifier.overview import overview

        now = self._clock()
        store.require_schema()
        head = store.head()
        yield _gauge("custody_journal_sequence", "Newest entry of the journal.", head.sequence if head else 0)
        yield self._leases(store)
        yield from self._last_runs(store, now)
        yield from self._alerts(store, now)
        yield from self._states(overview(store, self._settings, now), now)

    def _leases(self, store: Store) -> Metric:
        names = [*(f"watch:{chain.chain_id}" for chain in self._settings.chains), "watch:clock"]
        held = {name: lease.holder for name, (lease, is_held) in store.held_leases(names).items() if is_held}
        family = GaugeMetricFamily(
            "custody_lease_held", "1 where the lease is held, by this process or another.", labels=["lease", "by"]
        )
        own = str(ProcessIdentity.own())
        for name in names:
            holder = held.get(name, "")
            family.add_metric([name, "self"], int(holder == own))
            family.add_metric([name, "other"], int(holder not in ("", own)))
        return family

    def _last_runs(self, store: Store, now: datetime) -> Iterator[Metric]:
        from verifier.schedule.jobs import jobs_of

        codes = GaugeMetricFamily("custody_scheduled_run_exit_code", "Of the last run that ended.", labels=["run"])
        ages = GaugeMetricFamily("custody_scheduled_run_age_seconds", "Since the last run ended.", labels=["run"])
        for job in jobs_of(self._settings) if self._settings.schedule.enabled else []:
            ended = next((run for run in store.scheduled_runs(job.name, limit=2) if run.ended_at is not None), None)
            if ended is not None and ended.ended_at is not None and ended.exit_code is not None:
                codes.add_metric([job.name], ended.exit_code)
                ages.add_metric([job.name], (now - ended.ended_at).total_seconds())
        yield codes
        yield ages

    def _alerts(self, store: Store, now: datetime) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("custody_alerts_pending", "Alerts not sent yet.", labels=["channel"])
        ages = GaugeMetricFamily("custody_alerts_oldest_seconds", "Age of the oldest of them.", labels=["channel"])
        failing = GaugeMetricFamily("custody_alerts_failed_tries", "Failed tries of the next.", labels=["channel"])
        given_up = GaugeMetricFamily("custody_alerts_given_up", "Alerts that were given up.", labels=["channel"])
        for counts in store.alert_counts([each.name for each in self._settings.alerts]):
            waiting.add_metric([counts.channel], counts.pending)
            age = (now - counts.oldest_at).total_seconds() if counts.oldest_at is not None else 0.0
            ages.add_metric([counts.channel], age)
            failing.add_metric([counts.channel], counts.failing)
            given_up.add_metric([counts.channel], counts.given_up)
        yield from (waiting, ages, failing, given_up)

    def _states(self, view: Overview, now: datetime) -> Iterator[Metric]:
        status = GaugeMetricFamily("custody_status", "1 for each status that holds.", labels=["status"])
        for each in FirmStatus:
            status.add_metric([each.value], int(each in view.statuses))
        yield status
        findings = GaugeMetricFamily("custody_findings_open", "Open cases.", labels=["kind"])
        for kind, count in view.open_kinds.items():
            findings.add_metric([kind.value], count)
        yield findings
        yield from self._chains(view)
        deadlines = GaugeMetricFamily(
            "custody_deposit_deadline_seconds",
            "Until a deposit that is short is due; below 0: passed.",
            labels=["purpose"],
        )
        for purpose in view.reserve.purposes if view.reserve is not None else ():
            if purpose.deposit is not None and purpose.shortfall > 0:
                left = (purpose.deposit.deposit_by - now).total_seconds()
                deadlines.add_metric([purpose.purpose.value], left)
        yield deadlines

    def _chains(self, view: Overview) -> Iterator[Metric]:
        ages = GaugeMetricFamily(
            "custody_last_sweep_age_seconds", "Since the block of the last whole sweep.", labels=["chain"]
        )
        heights = GaugeMetricFamily("custody_chain_swept_height", "Block of the last whole sweep.", labels=["chain"])
        lags = GaugeMetricFamily("custody_chain_lag_blocks", "Newest block less the one swept last.", labels=["chain"])
        halted = GaugeMetricFamily("custody_chain_halted", "1 where sweeping waits for a person.", labels=["chain"])
        holdings = GaugeMetricFamily(
            "custody_holdings", "Holdings of the last whole sweep by state.", labels=["chain", "state"]
        )
        for chain in view.chains:
            halted.add_metric([chain.chain_id], int(bool(chain.halted)))
            if (summary := chain.summary) is None or chain.age_seconds is None:
                continue
            ages.add_metric([chain.chain_id], chain.age_seconds)
            heights.add_metric([chain.chain_id], summary.block.height)
            if (head := self._process.head_height(chain.chain_id)) is not None:
                lags.add_metric([chain.chain_id], max(0, head - summary.block.height))
            counts = {"matched": summary.matched, "diverged": summary.diverged, "unverified": summary.unverified}
            for state, count in counts.items():
                holdings.add_metric([chain.chain_id, state], count)
        yield from (ages, heights, lags, halted, holdings)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _up(value: int) -> Metric:
    text = "1 where the database could be read; without it the figures of the records are left out."
    return _gauge("custody_database_up", text, value)
