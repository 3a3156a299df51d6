"""The same file fetched again: cut off in the middle, replaced under its name, put back, and under a clock set back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.cli.command import Firm
from tests.cli.test_schedule import clock
from tests.cli.test_statement_pull import CANARY, FRIDAY, files, offer, pulling, states
from tests.verifier.statement_sources.server import Files
from verifier.errors import StoreUnavailable
from verifier.store import Store

__all__ = ["clock", "files", "pulling"]
NAME = f"dtc-{FRIDAY}.fin"


def stored(firm: Firm) -> int:
    """How many statements are on record."""
    return len(firm("statement", "list", "--json").json["statements"])


@pytest.mark.fault("C1")
def test_a_pull_cut_off_between_import_and_row_takes_nothing_twice(
    pulling: Firm, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("away")

    offer(files, pulling)
    with monkeypatch.context() as patched:
        patched.setattr(Store, "add_pulled_file", away)
        assert pulling("statement", "pull", "--json").error == "store"
    assert stored(pulling) == 1
    assert states(pulling) == [(NAME, "taken", None)]
    assert stored(pulling) == 1
    assert states(pulling) == [(NAME, "unchanged", None)]


def test_a_file_that_was_imported_by_hand_is_taken_once(pulling: Firm, files: Files) -> None:
    path = pulling.path("by-hand.fin")
    path.write_bytes(offer(files, pulling))
    assert pulling("statement", "import", path).code == 0
    assert states(pulling) == [(NAME, "taken", None)]
    assert stored(pulling) == 1


def test_a_file_replaced_under_its_name_is_taken_and_one_put_back_is_known(pulling: Firm, files: Files) -> None:
    first = offer(files, pulling)
    assert states(pulling) == [(NAME, "taken", None)]
    offer(files, pulling, number="087")
    assert states(pulling) == [(NAME, "taken", None)]
    assert stored(pulling) == 2
    files.contents[f"/out/{CANARY}/{NAME}"] = first
    assert states(pulling) == [(NAME, "known", None)]
    assert stored(pulling) == 2


@pytest.mark.fault("C15")
@pytest.mark.parametrize("back", [timedelta(hours=3), timedelta(days=40)])
def test_a_clock_set_back_asks_and_takes_nothing_twice(
    pulling: Firm, files: Files, clock: list[datetime], back: timedelta
) -> None:
    offer(files, pulling)
    assert states(pulling) == [(NAME, "taken", None)]
    now = clock[0]
    clock[0] = now - back
    found = states(pulling)
    assert [state for _, state, _ in found] in (["unchanged"], ["absent"])
    clock[0] = now + timedelta(minutes=1)
    assert states(pulling) == [(NAME, "unchanged", None)]
    assert stored(pulling) == 1
