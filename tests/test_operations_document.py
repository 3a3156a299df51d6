"""docs/operations.md knows every finding, every metric and every code of a source, and no others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from verifier.alerts.records import AlertEvent
from verifier.config import Settings
from verifier.records import FindingKind
from verifier.rules.status import FirmStatus
from verifier.schedule.records import RunOutcome
from verifier.statement_sources.types import ADVICE
from verifier.store import open_store
from verifier.telemetry.books import BooksCollector
from verifier.telemetry.process import ProcessMetrics

TEXT = (Path(__file__).resolve().parent.parent / "docs" / "operations.md").read_text(encoding="utf-8")
METRIC = re.compile(r"\bcustody_[a-z_]+\b")


def section(title: str) -> str:
    return re.split(r"\n#{2,3} ", TEXT.split(f"# {title}\n", 1)[1])[0]


def first_column(text: str) -> list[str]:
    """The words in marks of code in the first cells of a table."""
    cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]


def documented() -> set[str]:
    found = {name for name in first_column(section("Health, readiness, metrics")) if name.startswith("custody_")}
    assert len(found) > 15
    return found


def families() -> Iterator[Metric]:
    """Every family that a watch can tell, without a database."""
    registry = CollectorRegistry()
    process = ProcessMetrics(registry)
    yield from registry.collect()
    collector = BooksCollector(Settings.model_validate({"firm": {"name": "Example"}}), process, lambda: None)  # type: ignore[arg-type, return-value]
    nothing: Any = SimpleNamespace(statuses=(), open_kinds={}, chains=(), reserve=None)
    yield from collector._states(nothing, None)  # type: ignore[arg-type]
    store: Any = SimpleNamespace(
        leases=list, scheduled_runs=lambda *_, **__: [], alert_counts=lambda *_: [], held_leases=lambda *_: {}
    )
    yield collector._leases(store)
    yield from collector._last_runs(store, None)  # type: ignore[arg-type]
    yield from collector._alerts(store, None)  # type: ignore[arg-type]


def existing() -> set[str]:
    alone = {"custody_journal_sequence", "custody_database_up", "custody_records_read_seconds"}
    return alone | {each.name + ("_total" if each.type == "counter" else "") for each in families()}


def test_every_metric_is_documented_and_no_other() -> None:
    assert documented() == existing()


BOUNDED = {"by", "chain", "channel", "code", "event", "kind", "lease", "outcome", "purpose", "run", "state", "status"}
"""Labels whose values come from the configuration or from this program: more wallets, clients or cases add none."""


def documented_labels() -> dict[str, set[str]]:
    rows = re.findall(r"^\| `(custody_[a-z_]+)` \| (.*?) \|", section("Health, readiness, metrics"), re.MULTILINE)
    return {name.removesuffix("_total"): set(re.findall(r"`([a-z]+)`", cell)) for name, cell in rows}


def existing_labels() -> dict[str, set[str]]:
    process = ProcessMetrics(CollectorRegistry())
    counted: list[Any] = [each for each in vars(process).values() if hasattr(each, "_labelnames")]
    read: list[Any] = [each for each in families() if hasattr(each, "_labelnames")]
    assert len(counted) > 5
    assert len(read) > 10
    return {getattr(each, "_name", "") or each.name: set(each._labelnames) for each in counted + read}


def test_every_label_is_documented_and_its_values_do_not_grow_with_the_books() -> None:
    documented, found = documented_labels(), existing_labels()
    assert found == {name: documented[name] for name in found}
    assert set().union(*found.values()) == BOUNDED
    assert not any(labels for name, labels in documented.items() if name not in found)


def test_those_without_labels_are_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'custody.db'}"
    settings = Settings.model_validate({"firm": {"name": "Example"}, "database": {"url": url}})
    store = open_store(url)

    now = datetime(2026, 11, 23, tzinfo=UTC)
    store.migrate("tests", now)
    store.close()
    names = {each.name for each in BooksCollector(settings, ProcessMetrics(CollectorRegistry()), lambda: now).collect()}
    assert {"custody_journal_sequence", "custody_database_up", "custody_records_read_seconds"} <= names


def rules() -> list[dict[str, Any]]:
    (text,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    found: list[dict[str, Any]] = yaml.safe_load(text)["groups"][0]["rules"]
    return found


def unknown_in(expression: str) -> set[str]:
    """Metrics of an expression that do not exist."""
    return {name for name in METRIC.findall(expression) if name.removesuffix("_bucket") not in existing()}


def test_the_rules_ask_for_metrics_and_statuses_that_exist() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) > 10
    statuses = {each.value for each in FirmStatus}
    outcomes = {each.value for each in RunOutcome}
    for rule in rules():
        assert METRIC.search(rule["expr"])
        assert unknown_in(rule["expr"]) == set(), rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        for label, known in (("status", statuses), ("outcome", outcomes)):
            for asked in re.findall(rf'{label}=~?"([^"]+)"', rule["expr"]):
                assert set(asked.split("|")) <= known, rule["alert"]
    told = {status for rule in rules() for status in statuses if status in rule["expr"]}
    assert told == statuses - {"compliant"}


def test_a_metric_that_does_not_exist_would_be_noticed() -> None:
    assert unknown_in("max(custody_sweep_age) > 5 and custody_status == 1") == {"custody_sweep_age"}


@pytest.mark.parametrize(
    ("title", "known"),
    [
        ("Runbooks", {each.value for each in FindingKind}),
        ("When the clock says so", {each.value for each in RunOutcome} - {"done"}),
        ("When an alert arrives", {each.value for each in AlertEvent}),
        ("When a source of statements fails", {f"source-{fault}" for fault in ADVICE}),
    ],
)
def test_every_alarm_has_its_runbook_and_no_other(title: str, known: set[str]) -> None:
    found = first_column(section(title))
    assert sorted(found) == sorted(known)


def codes() -> set[str]:
    """Every stable code of an error that a running system says; bases say none."""
    root = Path(__file__).resolve().parent.parent
    files = [root / "chains" / "errors.py", root / "verifier" / "errors.py"]
    found = {code for path in files for code in re.findall(r'code = "([a-z-]+)"', path.read_text(encoding="utf-8"))}
    assert {"journal-broken", "store-busy", "wrong-chain"} <= found
    return found - {"verifier-error", "chain-error"}


def test_every_code_has_its_line_and_no_other() -> None:
    named = first_column(section("When a command or process says so"))
    assert sorted(named) == sorted(codes())
