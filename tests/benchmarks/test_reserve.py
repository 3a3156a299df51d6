"""The benchmark of the reserve runs, all sides come to the figures of the generator, and a wrong one stops it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import reserve
from benchmarks.__main__ import NAMES
from benchmarks.measure import ResultsDiffer
from benchmarks.reserve_made import DAY, Made, make
from benchmarks.reserve_peer import floor, peer

SMALL = 400


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make(tmp_path, SMALL)


def test_a_day_is_measured_from_import_to_review(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "reserve" in NAMES
    monkeypatch.setattr(reserve, "QUICK_SIZES", (SMALL,))
    (result,) = reserve.run(quick=True)
    assert result.value > 0
    assert result.ratio_to_floor < 1
    for name in ("seconds", "cpu_seconds", "peak_mib"):
        assert list(result.notes[name]) == ["import", "computations", "control"]  # type: ignore[call-overload]
    assert result.notes["deficits"] == 1
    assert min(float(str(result.notes[f"times_a_plain_read{by}"])) for by in ("", "_by_cpu")) > 1
    assert result.peak_rss_bytes > 10**7


def test_the_files_are_always_the_same_and_have_something_of_everything(made: Made, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    assert make(again, SMALL).figures == made.figures
    for name in DAY:
        assert (again / f"{name}.csv").read_bytes() == (made.folder / f"{name}.csv").read_bytes()
    assert all(made.figures.customer.values())
    assert all(made.figures.pab.values())
    assert made.figures.customer_required
    assert made.figures.pab_required
    assert made.figures.deficits


def test_the_peer_finds_the_same_figures_and_another_one_after_a_cent_more(made: Made) -> None:
    assert peer(made, made.folder / "peer.sqlite") == made.figures
    path = made.folder / "accounts.csv"
    before = path.read_text()
    path.write_text(before.replace(",customer,cash,1.00,", ",customer,cash,1.01,", 1))
    assert path.read_text() != before
    changed = peer(made, made.folder / "peer.sqlite")
    assert changed.customer[1] == made.figures.customer[1] + 1
    assert floor(made, DAY)[0] == reserve._rows(made)


def test_a_deficit_that_ours_does_not_find_stops_it(made: Made) -> None:
    wrong = replace(made.figures, deficits={})
    with pytest.raises(ResultsDiffer, match="ours"):
        reserve.measure(replace(made, figures=wrong))


def test_books_that_do_not_agree_with_their_close_are_not_measured(made: Made) -> None:
    path = made.folder / "books_close.csv"
    path.write_text(path.read_text().replace(f"stock_record,{2 * SMALL}", f"stock_record,{2 * SMALL + 1}"))
    with pytest.raises(Exception, match="801 rows, 800 are on record"):
        reserve.measure(made)
