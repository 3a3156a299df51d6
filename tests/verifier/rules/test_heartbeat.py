"""How old the newest observation of a chain may be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chains.errors import InvalidValue
from chains.types import BlockRef, ChainId
from verifier.records import FindingKind
from verifier.rules.heartbeat import Heartbeat, heartbeat_findings, heartbeat_limit

CHAIN = ChainId("eip155:1")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BLOCK = BlockRef(CHAIN, 7, "0x" + "11" * 32, "0x" + "22" * 32, NOON)


def beat(age: timedelta, limit: int = 3_600) -> Heartbeat:
    return Heartbeat(CHAIN, BLOCK, NOON + timedelta(seconds=5), NOON + age, limit)


@pytest.mark.fault("A35")
@pytest.mark.parametrize(("seconds", "is_stale"), [(-5, False), (0, False), (3_600, False), (3_601, True)])
def test_an_observation_is_stale_beyond_the_limit(seconds: int, is_stale: bool) -> None:
    found = beat(timedelta(seconds=seconds))
    assert found.is_stale is is_stale
    assert [each.kind for each in heartbeat_findings(found)] == [FindingKind.STALE_OBSERVATION] * is_stale


def test_it_is_one_finding_however_long_it_lasts() -> None:
    early, late = (heartbeat_findings(beat(timedelta(hours=hours)))[0] for hours in (2, 200))
    assert early.finding_key == late.finding_key
    assert "720000 seconds old" in late.text


def test_a_chain_that_was_never_observed_is_stale_and_its_failed_sweeps_say_so() -> None:
    found = Heartbeat(CHAIN, None, None, NOON, 3_600)
    assert (found.is_stale, found.age_seconds, heartbeat_findings(found)) == (True, None, [])
    assert "never observed" in found.text


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidValue, match="now"):
        Heartbeat(CHAIN, BLOCK, None, datetime(2026, 3, 2), 1)  # noqa: DTZ001 - that is what is refused


@pytest.mark.parametrize(
    ("chain", "firm", "head_age", "expected"),
    [(None, 7_200, 900, 7_200), (None, 7_200, 86_400, 86_400), (60, 7_200, 900, 60)],
)
def test_whose_limit_holds(chain: int | None, firm: int, head_age: int, expected: int) -> None:
    assert heartbeat_limit(chain, firm, head_age) == expected
