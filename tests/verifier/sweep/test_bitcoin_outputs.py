"""Bitcoin outputs on a regtest chain: kept by the ledger while it reads, in the bundle without a node, and refused."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from exports.keys import load_signer
from exports.report import report_text
from exports.verdict import CheckStatus
from tests.exports.outside_samples import row, snapshot, taken
from tests.exports.sample import check, resign
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.bitcoin_world import BITCOIN, POOL, Pool
from verifier.output_bundling import NO_LEDGER, OTHERWISE

pytestmark = pytest.mark.devnet
NUMBER = 29


@pytest.fixture
def pool(bitcoin_pool: Pool) -> Pool:
    """Three wallets that were paid, paid out of, and paid again."""
    world, desk = bitcoin_pool.world, bitcoin_pool.desk
    shop = world.stranger(7)
    coins = bitcoin_pool.coins_of(bitcoin_pool.addresses[1])
    desk.approve("T-1", bitcoin_pool.addresses[1], shop, BITCOIN // 2, fee_max="0.00001")
    world.custody.pay(shop, BITCOIN // 2, coins=coins, change_to=bitcoin_pool.addresses[1], fee=300)
    world.mine()
    world.fund(bitcoin_pool.addresses[2], BITCOIN // 4)
    desk.allocate(POOL, C_1=3 * BITCOIN - BITCOIN // 2 - 300 + BITCOIN // 4)
    outcome = desk.sweep()
    assert outcome.exit_code == 0, [seen.finding.text for seen in outcome.cases]
    return bitcoin_pool


@pytest.fixture
def issuer(pool: Pool, tmp_path: Path) -> Issuer:
    return Issuer.of(tmp_path, pool.desk)


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {each: file.read(each) for each in file.namelist()}


def lines(found: dict[str, bytes], name: str) -> list[Any]:
    return [json.loads(line) for line in found[f"{name}.jsonl"].splitlines()]


def test_what_the_ledger_kept_is_in_the_bundle_without_a_node(issuer: Issuer, pool: Pool) -> None:
    assert {node.url for section in issuer.settings.chains for node in section.resolve().nodes} == {
        "http://127.0.0.1:1"
    }
    written = issuer.issue()
    report = issuer.verify(written.path)
    assert refused(report) == {}, report_text(report)
    found = members(written.path)
    outputs = lines(found, "records/bitcoin_outputs")
    assert sum(int(each["base_units"]) for each in outputs) == 275_000_000 - 300
    assert {each["address"] for each in outputs} == set(pool.addresses)
    heights = [each["height"] for each in lines(found, "proofs/bitcoin_transactions")]
    assert len(heights) == 6  # three payments, each with the coinbase of its block
    (headers,) = lines(found, "proofs/bitcoin_headers")
    assert headers["first_height"] == min(heights)
    assert len(headers["headers"]) == 96 * (max(heights) - min(heights) + 1)
    assert check(report, NUMBER).compared == 6
    assert "not proven: no Bitcoin header commits to it" in report_text(report)
    assert {each["state"] for each in lines(found, "records/balances")} == {"read"}


def test_without_the_ledger_nothing_is_shown_and_it_is_said(issuer: Issuer, pool: Pool) -> None:
    folder = pool.desk.config.state_directory
    assert folder is not None
    for file in folder.iterdir():
        file.unlink()
    written = issuer.issue()
    report = issuer.verify(written.path)
    assert refused(report) == {}
    inclusions = lines(members(written.path), "records/bitcoin_inclusions")
    assert {each["reason"] for each in inclusions} == {NO_LEDGER}
    assert "274999700 satoshis of 3 addresses are not shown" in check(report, NUMBER).detail


def test_a_ledger_that_says_otherwise_shows_nothing(
    issuer: Issuer, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from verifier import output_bundling

    really = output_bundling._kept

    def less(*given: Any) -> Any:
        proofs, why = really(*given)
        assert proofs is not None
        return replace(proofs, shown=proofs.shown[1:]), why

    monkeypatch.setattr(output_bundling, "_kept", less)
    written = issuer.issue()
    reasons = [each["reason"] for each in lines(members(written.path), "records/bitcoin_inclusions")]
    assert sorted(reasons) == ["", "", OTHERWISE]
    assert refused(issuer.verify(written.path)) == {}


@pytest.mark.fault("E1", "G9")
def test_a_firm_that_lies_about_its_outputs_is_refused(issuer: Issuer, tmp_path: Path) -> None:
    found = members(issuer.issue().path)
    signers = [load_signer(f"file2:{issuer.key}")]
    lies: dict[str, dict[str, bytes]] = {}
    output = lines(found, "records/bitcoin_outputs")[0]
    more = json.loads(json.dumps(output)) | {"base_units": str(int(output["base_units"]) + 1)}
    lies["another amount"] = edited(found, "records/bitcoin_outputs", output, more)
    lies["an output left out"] = edited(found, "records/bitcoin_outputs", output, None)
    (headers,) = lines(found, "proofs/bitcoin_headers")
    lies["another header"] = edited(
        found, "proofs/bitcoin_headers", headers, headers | {"headers": "ff" + headers["headers"][2:]}
    )
    lies["no headers"] = edited(found, "proofs/bitcoin_headers", headers, None)
    proof = next(each for each in lines(found, "proofs/bitcoin_transactions") if each["place"])
    lies["another branch"] = edited(
        found, "proofs/bitcoin_transactions", proof, proof | {"branch": ["ab" * 32, *proof["branch"][1:]]}
    )
    for number, (name, changed) in enumerate(lies.items()):
        forged = tmp_path / f"forged-{number}.zip"
        forged.write_bytes(resign(changed, signers, disclosed))
        report = issuer.verify(forged)
        assert set(refused(report)) == {NUMBER}, name
        assert check(report, NUMBER).status is CheckStatus.FAILED


def disclosed(manifest: dict[str, Any]) -> None:
    """The manifest says so many records as there are."""
    counts = {member["kind"]: member["records"] for member in manifest["members"]}
    for told in manifest["disclosure"]:
        told["published"] = counts[told["kind"]]


def edited(found: dict[str, bytes], name: str, old: Any, new: Any) -> dict[str, bytes]:
    """The members with one record in the place of another, or left out."""
    values = [each for each in lines(found, name) if each != old] + ([new] if new is not None else [])
    kept = sorted(json.dumps(each, sort_keys=True, separators=(",", ":")).encode() for each in values)
    return {**found, f"{name}.jsonl": b"".join(line + b"\n" for line in kept)}


def test_others_evidence_is_in_the_bundle_and_counts_nowhere(issuer: Issuer, pool: Pool) -> None:
    pool.desk.store.add_evidence(
        "list", (text := taken(snapshot(row())).to_bytes()).decode(), sha256(text).hexdigest(), "ops", pool.desk.now()
    )
    report = issuer.verify(issuer.issue().path)
    assert refused(report) == {}
    assert check(report, 30).compared == 1
    assert "count in no balance" in check(report, 30).detail
