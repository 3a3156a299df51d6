"""From a sweep that keeps its nodes' answers to the bundle, and to a reader who decodes them again."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from chains.devnet.lying_proxy import LyingProxy
from exports.bundle import WrittenBundle
from exports.keys import load_signer
from exports.manifest import digest_hex
from exports.verdict import Check, CheckStatus, VerificationReport
from tests.exports.sample import FIRM_SECRET, resign
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.desk import Desk
from tests.verifier.sweep.test_state_proofs import desk as plain_desk
from tests.verifier.sweep.world import OMNIBUS, SECOND, STRANGER, AnvilWorld
from verifier import answer_bundling
from verifier.answer_bundling import TOO_MUCH
from verifier.config import ChainSettings
from verifier.disclosing import Audience, disclose_bundle
from verifier.journal import verify_journal
from verifier.planning import holdings_to_read, plan_of

pytestmark = pytest.mark.devnet
__all__ = ["plain_desk"]


@pytest.fixture
def desk(plain_desk: Desk) -> Desk:
    """Two wallets, one of them with ether and a token; answers are kept."""
    plain_desk.config = replace(plain_desk.config, keep_answers=True)
    return plain_desk


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def records(path: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in members(path)[f"{name}.jsonl"].splitlines()]


def kept(path: Path) -> list[str]:
    return [name for name in members(path) if name.startswith("answers/")]


def check_of(report: VerificationReport, number: int = 32) -> Check:
    (found,) = (check for check in report.checks if check.number == number)
    return found


@pytest.fixture
def issued(desk: Desk, tmp_path: Path) -> tuple[Issuer, WrittenBundle]:
    desk.sweep()
    issuer = Issuer.of(tmp_path, desk)
    return issuer, issuer.issue()


def test_every_balance_follows_from_what_the_node_answered(desk: Desk, issued: tuple[Issuer, WrittenBundle]) -> None:
    issuer, written = issued
    report = issuer.verify(written.path, nodes=True)
    assert refused(report) == {}
    assert (check_of(report).status, check_of(report).compared) == (CheckStatus.PASSED, 4)
    assert check_of(report, 31).status is CheckStatus.PASSED
    (record,) = records(written.path, "proofs/node_answers")
    balances = records(written.path, "records/balances")
    assert {each["method"] for each in balances} == {record["method"]}
    assert record["answers"] == [name.removeprefix("answers/") for name in kept(written.path)]
    assert {(each["grade"], each["anchor"]) for each in balances} == {("read", "single")}, "no grade rises by it"
    (name,) = kept(written.path)
    exchange = members(written.path)[name]
    assert digest_hex(exchange) == name.removeprefix("answers/")
    assert b"http" not in exchange
    assert exchange in desk.store.node_answers(record["answers"]).values()
    assert verify_journal(desk.store).ok


def test_a_changed_answer_is_refused_whoever_signs_it(issued: tuple[Issuer, WrittenBundle]) -> None:
    issuer, written = issued
    signers = [load_signer(f"file2:{issuer.key}")]
    contents = members(written.path)
    (old,) = kept(written.path)
    other = contents.pop(old).replace(b"0" * 20 + b"3e8", b"0" * 20 + b"3e9")  # 1,000 of the token becomes 1,001
    new = f"answers/{digest_hex(other)}"
    assert new != old
    contents[new] = other
    name = "proofs/node_answers.jsonl"
    contents[name] = contents[name].replace(old[8:].encode(), new[8:].encode())

    def named(manifest: dict[str, Any]) -> None:
        manifest["files"][0] = {"name": new, "size_bytes": len(other), "sha256": digest_hex(other)}

    forged = issuer.folder / "forged.zip"
    forged.write_bytes(resign(contents, signers, named))
    found = refused(issuer.verify(forged))
    assert found.keys() == {32}
    assert "is 1001, not 1000" in found[32][0]
    cut = issuer.folder / "cut.zip"
    cut.write_bytes(resign({each: data for each, data in contents.items() if each != new}, signers))
    assert 4 in refused(issuer.verify(cut))


def test_without_the_setting_nothing_is_kept_and_nothing_is_claimed(desk: Desk, tmp_path: Path) -> None:
    desk.config = replace(desk.config, keep_answers=False)
    desk.sweep()
    issuer = Issuer.of(tmp_path, desk)
    written = issuer.issue()
    report = issuer.verify(written.path)
    assert refused(report) == {}
    assert (kept(written.path), check_of(report).status) == ([], CheckStatus.NOT_REQUESTED)
    assert desk.store.kept_answer_bytes()[0] == 0


def test_addresses_that_only_a_custodian_lists_stay_out_and_their_shared_answer_stays(
    desk: Desk, world: AnvilWorld, tmp_path: Path
) -> None:
    desk.take(custodian_addresses=[{"address": each} for each in (OMNIBUS, SECOND, STRANGER)])
    desk.sweep()
    issuer = Issuer.of(tmp_path, desk)
    report = issuer.verify(issuer.issue().path)
    assert refused(report) == {}
    assert check_of(report).compared == 4


def test_of_a_quorum_the_answers_behind_the_figures_are_bundled(desk: Desk, tmp_path: Path) -> None:
    desk.use_nodes(*[desk.config.nodes[0].url] * 2)
    desk.config = replace(desk.config, quorum=2)
    assert desk.sweep().exit_code == 0
    issuer = Issuer.of(tmp_path, desk)
    written = issuer.issue()
    report = issuer.verify(written.path)
    assert refused(report) == {}
    assert check_of(report).compared == 4
    (record,) = records(written.path, "proofs/node_answers")
    assert {record["node_id"]} == {each["node_id"] for each in records(written.path, "records/balances")}
    start = desk.store.sweep(record["sweep_id"])
    assert start is not None
    assert len(desk.store.kept_reads(start)) == 2, "the answers of the other operator stay in the store"


@pytest.mark.fault("A27")
def test_the_answer_of_a_node_that_lied_decides_nothing(
    desk: Desk, lying_node: Callable[..., LyingProxy], tmp_path: Path
) -> None:
    def one_more(asked: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        """The last of the balances that the scanner reads of the wallets is 1 and not 0."""
        scans = asked == "eth_call" and len(params) == 3 and params[0]["data"].endswith(SECOND[2:].lower())
        return answer | {"result": answer["result"][:-1] + "1"} if scans else answer

    honest = desk.config.nodes[0].url
    desk.use_nodes(lying_node(one_more).url, honest, honest)
    desk.config = replace(desk.config, quorum=2)
    desk.sweep()
    issuer = Issuer.of(tmp_path, desk)
    written = issuer.issue()
    report = issuer.verify(written.path)
    assert refused(report) == {}
    assert (check_of(report).status, check_of(report).compared) == (CheckStatus.PASSED, 4)
    stated = {(each["address"], each["node_id"]) for each in records(written.path, "records/balances")}
    assert stated >= {(SECOND, "node-1"), (SECOND, "node-2")}, "of the liar what others said too, of another the rest"
    answers = records(written.path, "proofs/node_answers")
    assert {each["node_id"] for each in answers} == {"node-1", "node-2"}


def test_what_was_read_before_the_setting_was_changed_is_said_to_have_no_answer(desk: Desk, tmp_path: Path) -> None:
    desk.settings = desk.settings.model_copy(update={"wallets_per_shard": 1})
    desk.config = replace(desk.config, keep_answers=False)
    reader = desk.plugin.open(desk.config, desk.config.nodes[0])
    pin = reader.pin(now=desk.now())
    known_at = desk.store.book_time(desk.now())
    start = desk.store.start_sweep(desk.config.chain_id, pin, reader.node_id, 4, known_at, "ops")
    holdings = holdings_to_read(desk.store, start, plan_of(desk.store, start))
    assert len(holdings) == 4
    desk.store.add_observations(start, 0, reader.read_balances(pin, holdings[:2]), "ops", desk.now())
    reader.close()
    desk.config = replace(desk.config, keep_answers=True)
    assert desk.sweep().summary is not None
    issuer = Issuer.of(tmp_path, desk)
    written = issuer.issue()
    report = issuer.verify(written.path)
    assert refused(report) == {}
    assert "without a kept answer" in check_of(report).detail
    reasons = {each["reason"] for each in records(written.path, "proofs/node_answers")}
    assert reasons == {"", answer_bundling.NOT_KEPT}


def test_more_than_a_bundle_takes_stays_with_the_firm(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_bundling, "ANSWERS_MAX", 0)
    desk.sweep()
    issuer = Issuer.of(tmp_path, desk)
    written = issuer.issue()
    report = issuer.verify(written.path)
    assert refused(report) == {}
    assert (kept(written.path), check_of(report).status) == ([], CheckStatus.NOT_REQUESTED)
    assert {each["reason"] for each in records(written.path, "proofs/node_answers")} == {TOO_MUCH}


def test_profiles_that_show_less_have_the_tables_of_what_they_show_and_no_answers(
    desk: Desk, issued: tuple[Issuer, WrittenBundle]
) -> None:
    issuer, written = issued
    signers = [load_signer(f"file2:{issuer.key}")]
    for name in ("pseudonymous", "client:C-1"):
        path = issuer.folder / f"{name.replace(':', '-')}.zip"
        made = disclose_bundle(desk.store, None, Audience.parse(name), path, signers, "ops", desk.now, FIRM_SECRET)
        report = issuer.verify(made.path)
        assert refused(report) == {}
        assert (check_of(report, 31).status, check_of(report).status) == (CheckStatus.PASSED, CheckStatus.WITHHELD)
        assert kept(path) == []
        table = members(path)["views/allocations.csv"].decode()
        assert ("C-1" in table) == name.startswith("client")
    assert issuer.issue("again.zip").digest != written.digest, "another journal head, so another bundle"


def test_the_setting_is_for_chains_whose_nodes_are_asked_for_balances() -> None:
    bitcoin = "bip122:000000000019d6689c085ae165831e93"
    given: dict[str, object] = {
        "chain_id": bitcoin,
        "name": "Bitcoin",
        "genesis_hash": "0" * 64,
        "native_asset": {
            "asset_id": f"{bitcoin}/slip44:0",
            "symbol": "BTC",
            "decimals": 8,
        },
        "nodes": [{"node_id": "n", "operator": "o", "url": "http://127.0.0.1:1"}],
    }
    assert not ChainSettings.model_validate(given).keep_answers
    with pytest.raises(ValidationError, match="EVM chains"):
        ChainSettings.model_validate(given | {"keep_answers": True})
