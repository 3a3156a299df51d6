"""Check 34: a block that the reader knows is among the headers, and another is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chains.bitcoin.header_proof import SHORT_BYTES
from chains.errors import InvalidValue
from exports.checkpoints import Checkpoint, check_checkpoint
from exports.verdict import CheckStatus
from exports.verify import READER_NAMES
from tests.exports.output_samples import MODEL, PIN, as_contents, found_outputs, with_bitcoin
from tests.exports.sample import Firm, check, make_firm, sample_bundle, verify, write

FIRST = found_outputs()["bitcoin_headers"][0].first_height
LAST = PIN.height


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


def known(height: int) -> Checkpoint:
    return Checkpoint(height, MODEL[height].block_hash)


@pytest.mark.parametrize("headers_per_record", [1, 2_016])
@pytest.mark.parametrize("height", range(FIRST - 1, LAST + 1))
def test_every_block_of_the_headers_and_the_one_before_is_found(height: int, headers_per_record: int) -> None:
    contents = as_contents(found_outputs(headers_per_record))
    found = check_checkpoint(contents, known(height))
    assert (found.problems, found.obstacles, found.compared) == ((), (), 1)
    assert found.note.startswith(f"{LAST - height} headers follow it to the pinned block {LAST}")
    assert ("hashes" in found.note) == (height < LAST)
    other = check_checkpoint(contents, Checkpoint(height, MODEL[height - 1].block_hash))
    assert list(other.problems) == [f"block {height} is {MODEL[height].block_hash}, not {MODEL[height - 1].block_hash}"]


@pytest.mark.parametrize("height", [0, FIRST - 2, LAST + 1, 4_000_000_000])
def test_a_block_that_is_not_here_is_not_called_found(height: int) -> None:
    wanted = Checkpoint(height, MODEL[min(height, LAST)].block_hash)
    found = check_checkpoint(as_contents(found_outputs()), wanted)
    assert (found.problems, found.compared) == ((), 0)
    assert f"from {FIRST} to {LAST}, and follows {FIRST - 1}" in found.obstacles[0]


def test_headers_that_do_not_hold_find_nothing() -> None:
    found = found_outputs()
    (run,) = found["bitcoin_headers"]
    for changed in (
        replace(run, headers=run.headers[: -2 * SHORT_BYTES]),
        replace(run, previous_hash="ab" * 32),
        replace(run, first_height=run.first_height - 1),
    ):
        contents = as_contents(found | {"bitcoin_headers": [changed]})
        for height in (FIRST - 1, FIRST):
            judged = check_checkpoint(contents, known(height))
            assert judged.compared == 0
            assert "do not hold" in judged.obstacles[0]
    assert "0 Bitcoin chains" in check_checkpoint(as_contents({}), known(FIRST)).obstacles[0]


def test_the_verdict_follows_the_readers_checkpoint(firm: Firm, tmp_path: Path) -> None:
    path = write(tmp_path, firm, with_bitcoin())
    without = verify(path, firm.trusted)
    assert not [each for each in without.checks if each.number in READER_NAMES]
    right = verify(path, firm.trusted, checkpoint=known(FIRST))
    assert (check(right, 34).status, right.exit_code) == (CheckStatus.PASSED, without.exit_code)
    wrong = verify(path, firm.trusted, checkpoint=Checkpoint(FIRST, "ab" * 32))
    assert (check(wrong, 34).status, wrong.exit_code) == (CheckStatus.FAILED, 1)
    for bundle in (write(tmp_path, firm, sample_bundle(), "evm.zip"), tmp_path / "none.zip"):
        report = verify(bundle, firm.trusted, checkpoint=known(FIRST))
        assert (check(report, 34).status, report.exit_code) == (CheckStatus.NOT_POSSIBLE, 2)


def test_a_checkpoint_is_written_in_one_way() -> None:
    assert Checkpoint.parse("17:" + "AB" * 32) == Checkpoint(17, "ab" * 32)
    for text in (
        "",
        "17",
        ":" + "ab" * 32,
        "017:" + "ab" * 32,
        "-1:" + "ab" * 32,
        "17:" + "ab" * 31,
        "17:" + "xy" * 32,
    ):
        with pytest.raises(InvalidValue, match="HEIGHT:HASH"):
            Checkpoint.parse(text)
