"""`custody evidence` as an operator uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Firm, custody
from tests.exports.outside_samples import SECOND, WORDS, paper_spend, row, snapshot

REGTEST = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328"


@pytest.fixture
def firm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Firm:
    monkeypatch.chdir(tmp_path)
    assert custody("init", "--dir", tmp_path / "firm", "--firm", "Example Brokerage LLC").code == 0
    (tmp_path / "por.csv").write_bytes(snapshot(row()))
    (tmp_path / "refused.csv").write_bytes(snapshot(row(), row(SECOND.address)))
    (tmp_path / "twice.csv").write_bytes(snapshot(row(), row()))
    (tmp_path / "spend.psbt").write_bytes(paper_spend())
    return Firm(tmp_path / "firm")


def test_a_list_is_taken_listed_and_shown(firm: Firm) -> None:
    assert firm("evidence", "list").code == 2
    dry = firm("evidence", "import", "por.csv", "--source", "Example Exchange", "--dry-run", "--no-node")
    assert (dry.code, "would be stored" in dry.out) == (0, True)
    taken = firm("evidence", "import", "por.csv", "--source", "Example Exchange", "--no-node")
    assert taken.code == 0
    assert "stored as OE-000001" in taken.out
    assert "stated; control shown" in taken.out
    assert "counts in no balance" in taken.out
    again = firm("evidence", "import", "por.csv", "--source", "Example Exchange", "--no-node", "--json")
    assert again.code == 2
    listed = firm("evidence", "list", "--json")
    (one,) = listed.json["evidence"]
    assert (listed.code, one["lines"], one["control_shown"], one["amount_stated"]) == (0, 1, 1, 1)
    shown = firm("evidence", "show", "OE-000001", "--json")
    assert shown.json["document"]["source"] == "Example Exchange"
    assert firm("evidence", "show", "OE-000009").code == 2


@pytest.mark.fault("G1", "G3", "G6")
def test_what_is_refused_is_said_and_bad_files_are_not_kept(firm: Firm) -> None:
    bad = firm("evidence", "import", "twice.csv", "--source", "X", "--json")
    (problem,) = bad.json["problems"]
    assert (bad.code, bad.json["stored"]) == (2, None)
    assert (problem["file"], problem["line"], problem["column"]) == ("twice.csv", 7, "address")
    assert "twice.csv:7 [address]" in firm("evidence", "import", "twice.csv", "--source", "X").out
    assert firm("evidence", "list").code == 2
    refused = firm("evidence", "import", "refused.csv", "--source", "X", "--no-node")
    assert (refused.code, "control refused: another key signed" in " ".join(refused.out.split())) == (1, True)


def test_a_paper_spend_needs_its_message(firm: Firm) -> None:
    asked = ("evidence", "import", "spend.psbt", "--source", "X", "--kind", "bip127", "--chain", REGTEST)
    assert firm(*asked).code == 2
    assert firm(*asked, "--message", "other words").code == 2
    assert firm(*asked, "--message", WORDS).code == 0
    assert firm("evidence", "import", "spend.psbt", "--source", "X", "--kind", "photograph").code == 2
