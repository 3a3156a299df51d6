"""docs/cases.md lists every kind of finding once, with what the code makes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from verifier.records import FindingKind
from verifier.rules.status import FirmStatus, firm_status
from verifier.store.case_seeing import NEVER_GONE
from verifier.store.records import UNVERIFIED_KINDS

TEXT = (Path(__file__).parents[2] / "docs" / "cases.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([a-z_]+)` \| (.+?) \| (\w+) \| ([a-z-]+) \|$", TEXT, re.MULTILINE)
STATUS = {
    "exception": FirmStatus.SEGREGATION_EXCEPTION,
    "under-funded": FirmStatus.UNDER_FUNDED,
    "control-deficit": FirmStatus.CONTROL_DEFICIT,
    "unverified": FirmStatus.UNVERIFIED,
}
SOMETIMES_PAST = {FindingKind.COMMINGLING, FindingKind.CONTROL_CHANGE}
"""An event when it names a transaction, or is a change; a state when the books or the mapping say it."""


def test_every_kind_is_listed_once_and_in_order() -> None:
    assert [row[0] for row in ROWS] == [str(kind) for kind in FindingKind]


@pytest.mark.parametrize(("kind", "meaning", "lasts", "status"), ROWS)
def test_a_kind_is_described_as_it_is_judged(kind: str, meaning: str, lasts: str, status: str) -> None:
    found = FindingKind(kind)
    expected = "both" if found in SOMETIMES_PAST else "event" if found in NEVER_GONE else "state"
    assert (meaning.strip() != "", lasts) == (True, expected)
    assert firm_status([found], 0, 1, stale=False) == (STATUS[status],)


def test_the_kinds_of_exit_code_2_are_named() -> None:
    section = TEXT.partition("## Status and exit codes")[2]
    assert set(re.findall(r"`([a-z_]+)`", section)) == {str(kind) for kind in UNVERIFIED_KINDS}
