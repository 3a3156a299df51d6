"""An auditor installs and runs this part alone: no database, scheduler or web part, and no network code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.exports.bare_install import ABSENT, verified_alone
from tests.exports.sample import Firm, make_firm, sample_bundle


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


@pytest.mark.fault("E19")
def test_a_bundle_verifies_where_server_parts_are_absent(tmp_path: Path, firm: Firm) -> None:
    answer = verified_alone(tmp_path, firm, sample_bundle())
    assert answer["report"]["exit_code"] == 0, answer["text"]  # the installed chain adapter judged the spelling
    assert not set(answer["loaded"]) & {*ABSENT.split(","), "pytest", "hypothesis"}


def test_the_block_on_absent_parts_is_a_real_one() -> None:
    source = "import sys; sys.modules['sqlmodel'] = None; import sqlmodel"
    assert subprocess.run([sys.executable, "-c", source], capture_output=True).returncode == 1
