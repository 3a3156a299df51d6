"""The simulation finds things: rules of the product, broken one at a time, are each caught within fifty seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chains.errors import InvalidValue
from chains.types import ReadStatus
from tests.fakes.reader import FakeReader
from tests.simulation.databases import SqliteFiles
from tests.simulation.run import Failed, tell
from tests.simulation.test_seeds import SEEDS
from tests.verifier.conftest import sqlite_template
from verifier import persons, sweep
from verifier.records import Reconciliation, Status
from verifier.rules.reconcile import Comparisons
from verifier.store import Store
from verifier.store.unit import Unit

__all__ = ["sqlite_template"]

Break = Callable[[pytest.MonkeyPatch], None]


def a_failed_read_is_zero(patch: pytest.MonkeyPatch) -> None:
    """The mistake of many published tools."""
    whole = Store.add_observations

    def add(store: Store, start: Any, number: int, shard: Any, *rest: Any) -> None:
        read = [
            each if each.status is ReadStatus.OK else replace(each, status=ReadStatus.OK, base_units=0, reason="")
            for each in shard
        ]
        whole(store, start, number, read, *rest)

    patch.setattr(Store, "add_observations", add)


def small_differences_match(patch: pytest.MonkeyPatch) -> None:
    """Somebody thought that a few units do not matter, and that the books will be right."""
    whole = Store.end_sweep

    def end(store: Store, start: Any, judgement: Any, *rest: Any) -> Any:
        def rounded(each: Reconciliation) -> Reconciliation:
            is_small = each.status is Status.DIVERGED and each.difference is not None and abs(each.difference) < 5
            return replace(each, status=Status.MATCHED, observed=each.claimed, difference=0) if is_small else each

        changed = Comparisons.of([rounded(each) for each in judgement.reconciliations])
        return whole(store, start, replace(judgement, reconciliations=changed), *rest)

    patch.setattr(Store, "end_sweep", end)


def one_person_is_enough(patch: pytest.MonkeyPatch) -> None:
    """Maker and checker are compared letter by letter."""
    patch.setattr(persons, "_folded", lambda name: name)


def reorganisations_are_not_noticed(patch: pytest.MonkeyPatch) -> None:
    """Blocks that left the chain stay what they were."""
    patch.setattr(sweep, "check_history", lambda *arguments: False)


def dead_sweeps_are_left(patch: pytest.MonkeyPatch) -> None:
    """What a dead process began is never taken up."""
    patch.setattr(Store, "unfinished_sweep", lambda store, chain_id: None)


def a_block_is_skipped(patch: pytest.MonkeyPatch) -> None:
    """The movements of the block after the last covered one are left out of what is stored."""
    whole = Store.add_scan

    def add(store: Store, start: Any, scan: Any, *rest: Any) -> None:
        first = scan.blocks[0].height
        kept = tuple(each for each in scan.transfers if each.block.height != first)
        whole(store, start, replace(scan, transfers=kept), *rest)

    patch.setattr(Store, "add_scan", add)


def a_refused_write_is_half_done(patch: pytest.MonkeyPatch) -> None:
    """A transaction that fails is committed as far as it got."""
    whole = Store.record

    @contextmanager
    def record(store: Store, *arguments: Any, **options: Any) -> Iterator[Unit]:
        failure: BaseException | None = None
        with whole(store, *arguments, **options) as unit:
            try:
                yield unit
            except BaseException as error:  # noqa: BLE001 - it is what is broken here
                failure = error
        if failure is not None:
            raise failure

    patch.setattr(Store, "record", record)


def entries_count_before_their_time(patch: pytest.MonkeyPatch) -> None:
    """When an entry takes effect is not looked at."""
    whole = Store.owners

    def owners(store: Store, chain_id: Any, as_of: datetime, known_at: datetime) -> Any:
        return whole(store, chain_id, as_of + timedelta(days=1), known_at)

    patch.setattr(Store, "owners", owners)


def a_sweep_that_is_taken_up_has_the_newest_book(patch: pytest.MonkeyPatch) -> None:
    """What was posted since a dead process began its sweep counts at the block that it pinned."""
    whole = Store.unfinished_sweep

    def unfinished(store: Store, chain_id: Any) -> Any:
        start, head = whole(store, chain_id), store.head()
        return replace(start, known_at=head.recorded_at) if start and head else None

    patch.setattr(Store, "unfinished_sweep", unfinished)


def a_wallet_that_is_mapped_late_has_no_past(patch: pytest.MonkeyPatch) -> None:
    """What left it before the books knew it is never looked for."""
    patch.setattr(sweep, "plan_backfills", lambda *arguments: None)


def decimals_are_not_asked(patch: pytest.MonkeyPatch) -> None:
    """A token is taken for what the books call it."""
    patch.setattr(FakeReader, "asset_problems", lambda reader, pin, assets: {})


BROKEN: Sequence[tuple[Break, int]] = (
    (a_failed_read_is_zero, 6),
    (small_differences_match, 0),
    (one_person_is_enough, 3),
    (reorganisations_are_not_noticed, 3),
    (dead_sweeps_are_left, 0),
    (a_block_is_skipped, 0),
    (a_refused_write_is_half_done, 0),
    (entries_count_before_their_time, 2),
    (a_sweep_that_is_taken_up_has_the_newest_book, 6),
    (a_wallet_that_is_mapped_late_has_no_past, 4),
    (decimals_are_not_asked, 0),
)
"""Each with the seed to begin with: one that notices it soon. All fifty are tried before a rule counts as missed."""


@pytest.mark.parametrize(("rule", "first"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_rule_is_caught(
    rule: Break, first: int, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(monkeypatch)
    for seed in (*range(first, SEEDS), *range(first)):
        try:
            tell(seed, SqliteFiles(sqlite_template))
        except Failed as failed:
            if not isinstance(failed.__cause__, AssertionError | InvalidValue | None):
                raise  # nothing was noticed: the rule is broken in a way that no product is
            return
    raise AssertionError(f"{rule.__name__} was not noticed in {SEEDS} seeds")
