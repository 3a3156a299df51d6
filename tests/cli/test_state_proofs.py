"""State proofs as a user meets them: the layout found, reviewed and imported, the sweep, the bundle, the reader."""

from __future__ import annotations

import pytest

from chains.types import utc_text
from tests.cli.scene import Scene
from verifier.cli.context import now


def usdx(scene: Scene) -> str:
    return f"{scene.world.chain_id}/erc20:{scene.world.usdx}"


@pytest.mark.devnet
def test_from_the_layout_of_a_token_to_a_bundle_with_proofs(scene: Scene) -> None:
    chain_id = str(scene.world.chain_id)
    found = scene.firm("chain", "layout", chain_id, "--asset", usdx(scene), "--json")
    assert found.code == 0, found
    assert found.json["provable"]
    row = {**found.json["row"], "requested_by": "ops.maker", "approved_by": "ops.checker"}
    shown = scene.firm("chain", "layout", chain_id, "--asset", usdx(scene))
    assert "mapping slot" in shown.out
    assert ",".join(found.json["row"]) in shown.out

    swept = scene.sweep()
    assert swept.code == 0
    proofs = swept.json["sweeps"][0]["state_proofs"]
    assert 0 < proofs["proven"] < proofs["balances"]
    assert usdx(scene) in [gap["asset_id"] for gap in proofs["gaps"]]
    scene.world.confirm()
    told = scene.firm("sweep").out
    assert f"{proofs['proven']} of {proofs['balances']} balances proven against the header" in told
    assert f"{usdx(scene)} has no reviewed layout" in told
    path = scene.export()
    lines = scene.verify(path).json["bundle"]["blocks"]
    assert any("balances have a state proof" in line for line in lines), "those of the native coin"

    row["approved_at"] = utc_text(now())
    posted = scene.firm("post", "token_layouts", *(f"{name}={value}" for name, value in row.items() if value))
    assert posted.code == 0, posted
    scene.world.confirm()
    assert scene.sweep().code == 0
    report = scene.verify(scene.export("later.zip"))
    assert report.code == 0, report
    (check,) = (each for each in report.json["checks"] if each["number"] == 24)
    assert check["status"] == "passed"
    before = int(lines[1].split()[0])
    assert check["compared"] > before


@pytest.mark.devnet
def test_what_has_no_layout_is_said(scene: Scene) -> None:
    chain_id = str(scene.world.chain_id)
    for asset, words in (
        (f"{chain_id}/slip44:60", "no ERC-20 token"),
        (f"{chain_id}/erc20:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "no asset of the books"),
    ):
        refused = scene.firm("chain", "layout", chain_id, "--asset", asset)
        assert refused.code == 2
        assert words in refused.err
    refused = scene.firm("chain", "layout", chain_id, "--asset", usdx(scene), "--node", "node-z")
    assert (refused.code, "has no node node-z" in refused.err) == (2, True)
