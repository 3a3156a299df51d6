"""Export and verification by command, on a real chain."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from chains.devnet.anvil import AnvilProcess
from exports.strictzip import write_zip
from tests.cli.command import Firm, custody
from tests.cli.scene import Scene

pytestmark = pytest.mark.devnet


def node_option(scene: Scene, url: str = "") -> list[str]:
    """The option that asks the auditor's own node."""
    return ["--rpc", f"{scene.world.chain_id}={url or scene.world.node.url}"]


def test_a_theft_is_found_exported_and_verified(scene: Scene) -> None:
    theft = scene.steal()
    swept = scene.sweep()
    assert swept.code == 1
    assert (swept.json["diverged"], swept.json["expected"]) == (1, 12)
    kinds = {case["kind"]: case for case in swept.json["sweeps"][0]["cases"]}
    assert set(kinds) == {"unauthorized_transfer", "shortfall"}
    assert kinds["unauthorized_transfer"]["tx_id"] == theft
    assert kinds["shortfall"]["quantity"] == "-12345.678901"
    again = scene.sweep()
    assert (again.code, again.json["cases_opened"]) == (1, 0)

    shown = scene.firm("cases", "list")
    assert shown.code == 1
    assert "-12,345.678901 USDX" in shown.out
    assert theft not in shown.out
    assert f"{theft[:8]}…{theft[-6:]}" in shown.out, "a list shortens; a page about one case does not"
    case_id = kinds["unauthorized_transfer"]["case_id"]
    assert theft in scene.firm("cases", "show", case_id).out
    assert scene.firm("cases", "show", case_id, "--json").json["events"][0]["act"] == "opened"

    path = scene.export()
    for options in ([], node_option(scene)):
        report = scene.verify(path, *options)
        assert report.code == 0, report.out
        assert report.json["verified"] is True
    shown = custody("verify", path, "--trusted-keys", scene.firm.path("trusted-keys.json"), *node_option(scene))
    assert shown.code == 0
    counts = report.json["counts"]
    assert f"VERIFIED: {counts['passed']} checks passed, {counts['not_requested']} not requested." in shown.out
    assert (counts["failed"], counts["not_possible"]) == (0, 0)


def test_the_exported_file_is_not_overwritten_and_the_next_follows_it(scene: Scene) -> None:
    first = scene.export("first.zip")
    taken = scene.firm("export", "--out", first, "--json")
    assert (taken.code, taken.error) == (2, "bad-input")
    digest = scene.verify(first).json["bundle"]["digest"]
    second = scene.export("second.zip")
    assert scene.verify(second, "--after", f"1:{digest}").code == 0
    refused = scene.verify(first, "--after", f"1:{digest}")
    assert refused.code == 1


def test_a_case_is_closed_by_two_people_and_never_by_one(scene: Scene) -> None:
    scene.steal()
    scene.sweep()
    case_id = scene.firm("cases", "list", "--kind", "shortfall", "--json").json["cases"][0]["case_id"]
    say = ["--text", "wrong address, returned", "--json"]
    assert scene.firm("cases", "propose", case_id, "--actor", "ops.maker", *say).json["state"] == "proposed"
    alone = scene.firm("cases", "approve", case_id, "--actor", "ops.maker", *say)
    assert (alone.code, alone.error) == (2, "case-conflict")
    assert scene.firm("cases", "return", case_id, "--actor", "ops.checker", *say).json["state"] == "open"
    assert scene.firm("cases", "comment", case_id, "--actor", "ops.maker", *say).json["state"] == "open"
    assert scene.firm("cases", "propose", case_id, "--actor", "ops.maker", *say).code == 0
    assert scene.firm("cases", "approve", case_id, "--actor", "ops.checker", *say).json["state"] == "closed"
    early = scene.firm("export", "--out", scene.firm.path("a.zip"), "--json")
    assert (early.code, early.error) == (2, "bundle-refused")
    assert "custody sweep" in early.json["error"]["advice"]
    scene.sweep()
    assert scene.verify(scene.export()).code == 0


def test_wrong_keys_a_tampered_copy_and_another_node_are_refused(
    scene: Scene, anvil_binary: Path, tmp_path: Path
) -> None:
    path = scene.export()
    assert custody("init", "--dir", tmp_path / "other", "--firm", "Other").code == 0
    wrong = custody("verify", path, "--trusted-keys", tmp_path / "other" / "trusted-keys.json", "--json")
    assert wrong.code == 1
    assert [check["number"] for check in wrong.json["checks"] if check["status"] == "failed"] == [3]

    with zipfile.ZipFile(path) as file:
        contents = {name: file.read(name) for name in file.namelist()}
    contents["records/wallets.jsonl"] = contents["records/wallets.jsonl"].replace(b"vault-1004", b"vault-1005")
    with (tmp_path / "tampered.zip").open("wb") as out:
        write_zip(out, contents)
    assert scene.verify(tmp_path / "tampered.zip").code == 1

    down = scene.verify(path, *node_option(scene, "http://127.0.0.1:1"))
    assert down.code == 2, "what could not be asked is not verified"
    with AnvilProcess(binary=anvil_binary, arguments=["--chain-id", "31337"]) as stranger:
        other = scene.verify(path, *node_option(scene, stranger.node.url))
        assert other.code == 2, "a node that does not have the height yet says nothing"
        stranger.node.mine(60)
        other = scene.verify(path, *node_option(scene, stranger.node.url))
        assert other.code == 1
    with AnvilProcess(binary=anvil_binary, arguments=["--chain-id", "5"]) as stranger:
        assert scene.verify(path, *node_option(scene, stranger.node.url)).code == 2


@pytest.mark.fault("A34")
def test_your_own_node_says_that_the_block_is_no_longer_canonical(anvil_binary: Path, tmp_path: Path) -> None:
    import time

    with AnvilProcess(binary=anvil_binary, arguments=["--timestamp", str(int(time.time()) - 600)]) as process:
        scene = Scene.set_up(process.node, tmp_path / "firm")
        path = scene.export()
        assert scene.verify(path, *node_option(scene)).code == 0
        process.node.reorg(6)
        refused = scene.verify(path, *node_option(scene))
        assert refused.code == 1
        failed = [check for check in refused.json["checks"] if check["status"] == "failed"]
        assert [check["number"] for check in failed] == [16]
        assert "no longer canonical" in failed[0]["problems"][0]
        assert scene.verify(path).code == 0, "the bundle itself stays what it was"
        swept = scene.sweep()
        assert swept.code != 0, "a final block was reversed: the chain is halted for a person"
        assert scene.firm("status", "--json").json["chains"][0]["halted"]
        chain_id = scene.world.chain_id
        assert scene.firm("chain", "resume", chain_id, "--reason", "the operator confirmed it", "--json").code == 0
        assert scene.firm("chain", "resume", chain_id, "--reason", "again", "--json").error == "bad-input"
        assert scene.sweep().code == 1, "the case of the reversal stays open"


def test_two_chains_in_one_bundle(scene: Scene, anvil_binary: Path, tmp_path: Path) -> None:
    import time

    begin = int(time.time()) - 600
    with AnvilProcess(binary=anvil_binary, arguments=["--chain-id", "10", "--timestamp", str(begin)]) as process:
        other = Scene.set_up(process.node, tmp_path / "other")
        section = other.firm.path("custody.toml").read_text()
        config = scene.firm.path("custody.toml")
        config.write_text(config.read_text() + section[section.index("[[chains]]") :].replace('"anvil"', '"anvil-2"'))
        alone = scene.firm("export", "--out", tmp_path / "a.zip", "--json")
        assert (alone.code, alone.error) == (2, "bad-input"), "one chain was never swept"
        books = other.firm.path("books")
        (books / "clients.csv").unlink()
        assert scene.firm("import", books).code == 0
        both = scene.sweep()
        assert both.code == 0
        assert [sweep["chain_id"] for sweep in both.json["sweeps"]] == ["eip155:31337", "eip155:10"]
        assert scene.firm("sweep", "--at", "3", "--json").error == "bad-input"
        path = scene.export()
        nodes = [*node_option(scene), *node_option(other)]
        report = scene.verify(path, *nodes)
        assert report.code == 0, report.out
        assert scene.verify(path, *node_option(scene)).code == 0


def test_probe_and_status_of_a_chain(scene: Scene) -> None:
    probe = scene.firm("chain", "probe", scene.world.chain_id, "--json")
    assert probe.code == 0
    assert probe.json["nodes"]["anvil"]["client"].startswith("anvil/")
    status = scene.firm("status", "--json")
    assert (status.code, status.json["statuses"]) == (0, ["compliant"])
    assert "compliant" in scene.firm("status").out
    height = status.json["chains"][0]["height"] - 1
    at_last = scene.firm("sweep", "--chain", scene.world.chain_id, "--at", str(height), "--json")
    assert at_last.json["sweeps"][0]["height"] == height
    future = scene.firm("sweep", "--chain", scene.world.chain_id, "--at", "99999", "--json")
    assert (future.code, bool(future.json["error"]["advice"])) == (2, True)


def test_an_answer_in_json_is_alone_on_stdout(scene: Scene) -> None:
    """Also with --verbose: whatever is logged goes to stderr."""
    for arguments in (["sweep"], ["status"], ["cases", "list"], ["map", "show"], ["journal", "verify"]):
        answer = custody("--config", scene.firm.path("custody.toml"), "--verbose", *arguments, "--json")
        assert json.loads(answer.out), arguments
    assert isinstance(scene.firm, Firm)


def test_two_bundles_are_compared_and_a_sample_is_drawn(scene: Scene) -> None:
    first = scene.export("first.zip")
    scene.steal()
    assert scene.sweep().code == 1
    second = scene.export("second.zip")

    report = scene.verify(second, "--diff", first)
    assert report.code == 0, report.out
    changed = report.json["difference"]
    assert changed["problems"] == []
    moved = [each for each in changed["changes"] if each["kind"] == "balances" and each["what"] == "changed"]
    assert [(each["before"]["base_units"], each["after"]["base_units"]) for each in moved]
    assert report.json["older"]["verified"] is True
    shown = custody("verify", second, "--trusted-keys", scene.firm.path("trusted-keys.json"), "--diff", first)
    assert "From bundle 1 to bundle 2:" in shown.out

    backwards = scene.verify(first, "--diff", second)
    assert (backwards.code, backwards.json["exit_code"]) == (1, 1)
    assert backwards.json["difference"]["problems"][0] == "bundle 1 is not later than bundle 2"
    nothing = scene.firm.path("nothing.zip")
    nothing.write_bytes(b"PK")
    assert scene.verify(second, "--diff", nothing).code != 0

    drawn = scene.verify(second, "--sample", "2", "--seed", "auditor-7", *node_option(scene))
    assert drawn.code == 0, drawn.out
    assert len(drawn.json["sample"]["holdings"]) == 2
    assert {each["compared"] for each in drawn.json["checks"] if each["number"] == 17} == {2}
    assert scene.verify(second, "--sample", "2").error == "bad-input"


def test_the_auditors_report_is_written_as_a_page_and_as_a_pdf(scene: Scene) -> None:
    scene.steal()
    assert scene.sweep().code == 1
    bundle = scene.export()
    page = scene.firm.path("report.html")
    assert scene.verify(bundle, "--report", page).code == 0
    text = page.read_text("utf-8")
    assert "VERIFIED: " in text
    assert "unauthorized transfer" in text
    assert "-12,345.678901" in text

    printed = scene.firm.path("report.pdf")
    drawn = scene.verify(bundle, "--report", printed)
    if drawn.code == 0:
        assert printed.read_bytes().startswith(b"%PDF")
    else:
        assert drawn.error == "report-library-missing"

    assert scene.verify(bundle, "--report", scene.firm.path("report.docx")).error == "bad-input"
    assert scene.verify(bundle, "--report", scene.firm.path("no-such-folder") / "report.html").error == "bad-input"
    broken = scene.firm.path("broken.zip")
    broken.write_bytes(bundle.read_bytes()[:-30])
    refused = scene.firm.path("refused.html")
    for option in ("--report", "--views"):
        told = scene.verify(broken, option, refused)
        assert told.code == 1, "that nothing could be written takes nothing away from the refusal"
        assert told.json["checks"][0]["status"] == "failed"
        assert "Nothing was written" in told.err
        assert not refused.exists()


@pytest.mark.fault("E9")
def test_keys_are_judged_at_the_moment_the_reader_states(scene: Scene) -> None:
    scene.sweep()
    bundle = scene.export()
    told = scene.verify(bundle)
    assert told.code == 0, told.out
    late = scene.verify(bundle, "--judged-at", "2099-01-01T00:00:00Z")
    assert (late.code, late.json["judged_at"]) == (2, "2099-01-01T00:00:00.000000Z")
    assert [each["number"] for each in late.json["checks"] if each["status"] == "not_possible"] == [3]
    assert scene.verify(bundle, "--judged-at", "2099-01-01").error == "bad-input"
