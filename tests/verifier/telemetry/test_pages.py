"""What the pages say of a database and of what watches and the clock report."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open_metrics
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from chains.types import BlockRef, parse_chain_id
from verifier.config import DatabaseSettings, LogSettings, MetricsSettings, Settings
from verifier.logs import configure_logs
from verifier.process_identity import ProcessIdentity
from verifier.records import FindingKind
from verifier.rules.status import FirmStatus
from verifier.schedule.records import RunOutcome, ScheduledRun, Slot
from verifier.store import Store, open_store
from verifier.telemetry.pages import READY_KEPT_SECONDS, Telemetry
from verifier.watch import WatchEvent

CANARY = "canary33b0f1"
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
CHAIN = "eip155:1"
BLOCK = BlockRef(parse_chain_id(CHAIN), 1_000, "0x" + "ab" * 32, "0x" + "cd" * 32, NOW - timedelta(seconds=100))

SAMPLE = re.compile(r"^(?P<name>[a-z_]+)(\{(?P<labels>.*)\})? (?P<value>\S+)$")


def figures(text: str) -> dict[str, float]:
    """Each sample by its name and labels."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            match = SAMPLE.fullmatch(line)
            assert match is not None, line
            found[line.rpartition(" ")[0]] = float(match["value"])
    return found


class Desk:
    """A process that tells about itself, with clocks that the test turns."""

    def __init__(self, url: str) -> None:
        self.seconds, self.now = 1_000.0, NOW
        settings = Settings.model_validate(
            {
                "firm": {"name": f"Firm {CANARY}"},
                "chains": [
                    {
                        "chain_id": CHAIN,
                        "name": "Ethereum",
                        "genesis_hash": "0x" + "11" * 32,
                        "native_asset": {"asset_id": "eip155:1/slip44:60", "symbol": "ETH"},
                        "nodes": [{"node_id": "n1", "operator": "one", "url": f"https://node.example/{CANARY}"}],
                    }
                ],
            }
        )
        changed: dict[str, Any] = {
            "database": DatabaseSettings(url=SecretStr(url)),
            "metrics": MetricsSettings(answered_seconds_max=60),
        }
        self.settings = settings.model_copy(update=changed)
        self.telemetry = Telemetry(
            self.settings,
            lambda: self.now,
            chain_ids=[CHAIN],
            leases=[f"watch:{CHAIN}"],
            monotonic=lambda: self.seconds,
        )

    def metrics(self) -> dict[str, float]:
        page = self.telemetry.page("/metrics")
        assert page is not None
        assert page.status == 200
        assert CANARY.encode() not in page.body
        return figures(page.body.decode())

    def ready(self) -> tuple[int, dict[str, str | None]]:
        """The status, and the code of each check."""
        self.seconds += READY_KEPT_SECONDS
        page = self.telemetry.page("/readyz")
        assert page is not None
        assert CANARY.encode() not in page.body
        told = json.loads(page.body)
        assert told["ready"] == (page.status == 200) == all(each["ok"] for each in told["checks"])
        return page.status, {each["name"]: each["code"] for each in told["checks"]}


@pytest.fixture
def desk(database_url: str) -> Desk:
    return Desk(database_url)


@pytest.fixture
def watching(store: Store) -> Iterator[Store]:
    """A store whose process follows the chain."""
    with store.leased(f"watch:{CHAIN}"):
        yield store


def test_ready_while_everything_holds(desk: Desk, watching: Store) -> None:
    desk.telemetry.process.answered(CHAIN, BLOCK)
    assert desk.ready() == (
        200,
        {"database": None, "schema": None, f"lease:watch:{CHAIN}": None, f"chain:{CHAIN}": None},
    )


def test_not_ready_while_no_node_answers(desk: Desk, watching: Store) -> None:
    assert desk.ready()[0] == 200, "it has only just begun"
    desk.seconds += 61
    assert desk.ready() == (503, desk.ready()[1] | {f"chain:{CHAIN}": "no-answer"})
    desk.telemetry.process.answered(CHAIN, BLOCK)
    assert desk.ready()[0] == 200
    desk.seconds += 61
    assert desk.ready()[1][f"chain:{CHAIN}"] == "no-answer"


def test_not_ready_while_nobody_holds_the_lease(desk: Desk, store: Store) -> None:
    assert desk.ready() == (503, {"database": None, "schema": None, f"lease:watch:{CHAIN}": "lease-free"})


def test_a_chain_that_another_process_follows_is_that_ones_matter(desk: Desk, store: Store) -> None:
    store.take_lease(f"watch:{CHAIN}", datetime.now(UTC), holder="another 1 1")
    desk.seconds += 1_000
    assert desk.ready() == (200, {"database": None, "schema": None, f"lease:watch:{CHAIN}": None})
    assert desk.metrics()[f'custody_lease_held{{by="other",lease="watch:{CHAIN}"}}'] == 1


@pytest.mark.fault("C1")
@pytest.mark.parametrize("how", ["killed", "ran out"])
def test_a_lease_that_nobody_gave_back_is_free_once_its_process_is_gone(desk: Desk, store: Store, how: str) -> None:
    """A watch that was killed leaves its row; nobody watches, and the pages of the others have to say so."""
    own = ProcessIdentity.own()
    gone = str(ProcessIdentity(own.host, own.process_id, "1")) if how == "killed" else "another 1 1"
    taken_at = datetime.now(UTC) - timedelta(hours=0 if how == "killed" else 1)
    store.take_lease(f"watch:{CHAIN}", taken_at, holder=gone)
    assert desk.ready() == (503, {"database": None, "schema": None, f"lease:watch:{CHAIN}": "lease-free"})
    found = desk.metrics()
    assert [found[f'custody_lease_held{{by="{by}",lease="watch:{CHAIN}"}}'] for by in ("self", "other")] == [0, 0]


def test_a_readiness_is_kept_for_a_moment(desk: Desk, store: Store) -> None:
    assert desk.ready()[0] == 503
    with store.leased(f"watch:{CHAIN}"):
        page = desk.telemetry.page("/readyz")
        assert page is not None
        assert page.status == 503, "asked again at once"
        assert desk.ready()[0] == 200


def test_without_a_schema(new_empty_url: Any) -> None:
    desk = Desk(new_empty_url())
    assert desk.ready() == (503, {"schema": "schema-outdated"})
    found = desk.metrics()
    assert found["custody_database_up"] == 0
    assert not any(name.startswith("custody_journal") for name in found)


@pytest.mark.fault("F14")
@pytest.mark.parametrize(
    "url", [f"postgresql+psycopg://custody:{CANARY}@127.0.0.1:1/books", f"sqlite:////nowhere/{CANARY}/custody.db"]
)
def test_without_a_database(url: str) -> None:
    desk = Desk(url)
    assert desk.ready() == (503, {"database": "store"})
    assert desk.metrics()["custody_database_up"] == 0


def test_figures_of_the_records(desk: Desk, watching: Store) -> None:
    found = desk.metrics()
    assert found["custody_database_up"] == 1
    head = watching.head()
    assert head is not None
    assert found["custody_journal_sequence"] == head.sequence
    assert {name for name, value in found.items() if name.startswith("custody_status") and value} == {
        'custody_status{status="unverified"}'
    }
    assert found[f'custody_chain_halted{{chain="{CHAIN}"}}'] == 0
    assert found[f'custody_lease_held{{by="self",lease="watch:{CHAIN}"}}'] == 1
    assert found['custody_lease_held{by="self",lease="watch:clock"}'] == 0


def test_the_figures_of_an_overview(desk: Desk, watching: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = SimpleNamespace(
        chain_id=CHAIN,
        halted="a reorganisation",
        age_seconds=100,
        summary=SimpleNamespace(block=BLOCK, matched=10, diverged=1, unverified=2),
    )
    purposes = [
        SimpleNamespace(
            purpose=SimpleNamespace(value=name),
            shortfall=short,
            deposit=SimpleNamespace(deposit_by=NOW + timedelta(seconds=left)),
        )
        for name, short, left in (("customer", 5, 3_600), ("pab", 0, 60))
    ]
    view = SimpleNamespace(
        statuses=(FirmStatus.UNDER_FUNDED, FirmStatus.SEGREGATION_EXCEPTION),
        chains=[chain],
        open_kinds={FindingKind.SHORTFALL: 3},
        reserve=SimpleNamespace(purposes=purposes),
    )
    monkeypatch.setattr("verifier.overview.overview", lambda *_: view)
    desk.telemetry.process.answered(CHAIN, replace(BLOCK, height=1_007))
    found = desk.metrics()
    assert found[f'custody_last_sweep_age_seconds{{chain="{CHAIN}"}}'] == 100
    assert found[f'custody_chain_swept_height{{chain="{CHAIN}"}}'] == 1_000
    assert found[f'custody_chain_head_height{{chain="{CHAIN}"}}'] == 1_007
    assert found[f'custody_chain_lag_blocks{{chain="{CHAIN}"}}'] == 7
    assert found[f'custody_chain_halted{{chain="{CHAIN}"}}'] == 1
    assert found[f'custody_holdings{{chain="{CHAIN}",state="diverged"}}'] == 1
    assert found['custody_findings_open{kind="shortfall"}'] == 3
    assert found['custody_deposit_deadline_seconds{purpose="customer"}'] == 3_600
    assert 'custody_deposit_deadline_seconds{purpose="pab"}' not in found, "nothing is short"
    assert {name for name, value in found.items() if name.startswith("custody_status") and value} == {
        'custody_status{status="under_funded"}',
        'custody_status{status="segregation_exception"}',
    }


def test_a_view_that_breaks_is_a_figure_too(desk: Desk, watching: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr("verifier.overview.overview", broken)
    assert desk.metrics()["custody_database_up"] == 0


def test_the_records_are_not_read_at_every_scrape(desk: Desk, watching: Store) -> None:
    before = desk.metrics()["custody_journal_sequence"]
    watching.begin_run(Slot("reserve_check", "x", date(2026, 11, 23), NOW), "tests", NOW)
    assert desk.metrics()["custody_journal_sequence"] == before
    desk.seconds += 10
    assert desk.metrics()["custody_journal_sequence"] == before + 1


def test_what_the_process_did(desk: Desk, watching: Store) -> None:
    process = desk.telemetry.process
    process.saw(WatchEvent(CHAIN, "swept", NOW, 0, BLOCK, 1.5))
    process.saw(WatchEvent(CHAIN, "failed", NOW, 2, None, 0.5, code="node-unavailable"))
    process.saw(WatchEvent(CHAIN, "standby", NOW, 2, code="lease-held"))
    process.failed(CHAIN, "node-unavailable")
    process.failed(CHAIN, "wrong-chain")
    slot = Slot("reserve_check", "x", date(2026, 11, 23), NOW)
    process.ran(ScheduledRun(slot, NOW, NOW, RunOutcome.FAILED, 2, f"text with {CANARY}"))
    process.saw(WatchEvent("", "failed", NOW, 2, text=CANARY, job="reserve_check"))
    found = desk.metrics()
    assert found[f'custody_sweep_seconds_bucket{{chain="{CHAIN}",le="1.0"}}'] == 0
    assert found[f'custody_sweep_seconds_bucket{{chain="{CHAIN}",le="2.0"}}'] == 1
    assert found[f'custody_sweep_seconds_count{{chain="{CHAIN}"}}'] == 1
    assert found[f'custody_sweeps_failed_total{{chain="{CHAIN}"}}'] == 1
    assert found[f'custody_node_errors_total{{chain="{CHAIN}",code="node-unavailable"}}'] == 2
    assert found[f'custody_node_errors_total{{chain="{CHAIN}",code="wrong-chain"}}'] == 1
    assert found['custody_scheduled_runs_total{outcome="failed",run="reserve_check"}'] == 1
    assert found[f'custody_watch_events_total{{chain="{CHAIN}",event="standby"}}'] == 1


def test_the_last_run_of_each_job(desk: Desk, watching: Store) -> None:
    slot = Slot("reserve_check", "x", date(2026, 11, 23), NOW - timedelta(minutes=2))
    watching.begin_run(slot, "tests", NOW - timedelta(seconds=90))
    watching.end_run(slot, RunOutcome.DONE, 1, "short", "tests", NOW - timedelta(seconds=60))
    later = Slot("reserve_check", "y", date(2026, 11, 23), NOW - timedelta(minutes=1))
    watching.begin_run(later, "tests", NOW)
    found = desk.metrics()
    assert found['custody_scheduled_run_exit_code{run="reserve_check"}'] == 1
    assert found['custody_scheduled_run_age_seconds{run="reserve_check"}'] == 60


@pytest.mark.parametrize(
    ("accept", "parse"),
    [("", text_string_to_metric_families), ("application/openmetrics-text; version=1.0.0", parse_open_metrics)],
    ids=["text", "OpenMetrics"],
)
def test_prometheus_reads_it_and_its_conventions_hold(
    desk: Desk, watching: Store, accept: str, parse: Callable[[str], Iterable[Metric]]
) -> None:
    desk.telemetry.process.saw(WatchEvent(CHAIN, "swept", NOW, 0, BLOCK, 1.5))
    desk.telemetry.process.failed(CHAIN, "node-unavailable")
    page = desk.telemetry.page("/metrics", accept)
    assert page is not None
    found = [each for each in parse(page.body.decode()) if each.name.startswith("custody_")]
    assert len(found) > 20
    assert len({each.name for each in found}) == len(found)
    for each in found:
        assert each.documentation, each.name
        assert not set(each.name.split("_")) & {"gauge", "counter", "histogram", "ms", "minutes", "hours"}, each.name
        suffixes = ("_total", "_created") if each.type == "counter" else ()
        assert all(sample.name.endswith(suffixes) for sample in each.samples if suffixes), each.name
        assert each.type == "counter" or not each.name.endswith(("_total", "_count", "_sum", "_bucket")), each.name
    assert {each.type for each in found} == {"gauge", "counter", "histogram"}


def test_other_paths_are_not_there(desk: Desk) -> None:
    assert desk.telemetry.page("/") is None
    assert desk.telemetry.page("/metrics/") is None
    page = desk.telemetry.page("/healthz")
    assert page is not None
    assert (page.status, json.loads(page.body)) == (200, {"alive": True, "log_written": True})


@pytest.mark.fault("C20")
def test_a_log_that_cannot_be_written_is_told(desk: Desk, tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("no folder")
    handlers = list(logging.getLogger().handlers)
    configure_logs(LogSettings(file=blocked / "custody.log"))
    try:
        assert desk.metrics()["custody_log_written"] == 1, "nothing was logged yet"
        structlog.get_logger("tests").warning("lost to the file")
        page = desk.telemetry.page("/healthz")
        assert page is not None
        assert (page.status, json.loads(page.body)) == (200, {"alive": True, "log_written": False})
        assert desk.metrics()["custody_log_written"] == 0
    finally:
        configure_logs()
        structlog.reset_defaults()
        logging.getLogger().handlers[:] = handlers
    assert desk.metrics()["custody_log_written"] == 1


def test_the_database_is_closed_again(tmp_path: Path, sqlite_template: Path) -> None:
    path = tmp_path / "own.db"
    path.write_bytes(sqlite_template.read_bytes())
    desk = Desk(f"sqlite:///{path}")
    desk.metrics()
    desk.ready()
    store = open_store(f"sqlite:///{path}", busy_seconds=0.5)
    with store.leased("anything"):
        pass
    store.close()
