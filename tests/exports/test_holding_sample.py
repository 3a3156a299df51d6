"""An auditor's draw of holdings: the same for everybody, not the firm's choice, and what the node is then asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chains.errors import InvalidValue
from chains.types import ReadStatus
from exports.holding_sample import SampleRequest, holding_sample
from exports.report import report_text
from exports.verdict import CheckStatus
from tests.exports.sample import CHAIN, OMNIBUS, USD, Firm, check, make_firm, sample_bundle, verify, write
from tests.exports.test_own_node import TRUTH, OwnNode, opener

DIGEST = "ab" * 32
BALANCES = sample_bundle().balances
READ = [each for each in BALANCES if each.status is ReadStatus.OK]


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


def test_the_draw_does_not_depend_on_order_and_a_larger_one_extends_it() -> None:
    three = holding_sample(BALANCES, DIGEST, SampleRequest(3, "seed"))
    assert three == holding_sample(reversed(BALANCES), DIGEST, SampleRequest(3, "seed"))
    assert holding_sample(BALANCES, DIGEST, SampleRequest(5, "seed")).drawn[:3] == three.drawn
    assert three.population == len(READ)
    assert len(set(three.drawn)) == 3


def test_another_seed_or_bundle_draws_others() -> None:
    draws = {
        holding_sample(BALANCES, digest, SampleRequest(3, seed)).drawn
        for digest in (DIGEST, "cd" * 32)
        for seed in ("1", "2", "3")
    }
    assert len(draws) > 1


def test_everything_is_drawn_in_the_end_but_no_failed_read() -> None:
    drawn = holding_sample(BALANCES, DIGEST, SampleRequest(1_000, "seed")).drawn
    assert sorted(each.address + each.asset_id for each in drawn) == sorted(e.address + e.asset_id for e in READ)


def test_a_sample_of_nothing_or_without_a_seed_is_refused() -> None:
    for count, seed in ((0, "seed"), (-1, "seed"), (1, "")):
        with pytest.raises(InvalidValue):
            SampleRequest(count, seed)


def test_the_node_is_asked_for_the_drawn_balances_alone(tmp_path: Path, firm: Firm) -> None:
    path = write(tmp_path, firm, sample_bundle())
    request = SampleRequest(2, "auditor-7")
    report = verify(path, firm.trusted, readers={CHAIN: opener(OwnNode())}, sample=request)
    assert report.exit_code == 0, report_text(report)
    assert check(report, 17).compared == 2
    assert report.sample is not None
    assert f"Drawn by seed auditor-7: 2 of {len(READ)} balances" in report_text(report)

    drawn = {(each.address, each.asset_id) for each in report.sample.drawn}
    for key in TRUTH:
        lying = OwnNode(balances={**TRUTH, key: (TRUTH[key] or 0) + 1})
        told = verify(path, firm.trusted, readers={CHAIN: opener(lying)}, sample=request)
        assert (check(told, 17).status is CheckStatus.FAILED) == (key in drawn)


def test_a_chain_on_which_nothing_was_drawn_is_not_passed(tmp_path: Path, firm: Firm) -> None:
    bundle = sample_bundle()
    unread = tuple(
        replace(each, base_units=None, status=ReadStatus.FAILED, reason="state-unavailable: pruned")
        for each in bundle.balances
    )
    path = write(tmp_path, firm, replace(bundle, balances=unread))
    report = verify(path, firm.trusted, readers={CHAIN: opener(OwnNode())}, sample=SampleRequest(2, "s"))
    assert check(report, 17).status is CheckStatus.NOT_POSSIBLE
    assert report.sample is not None
    assert report.sample.drawn == ()
    assert report.sample.to_dict()["population"] == 0
    assert (OMNIBUS, USD) in TRUTH
