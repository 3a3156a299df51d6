"""`custody sweep` as a person meets changes that no event explains, before a real Anvil."""

from __future__ import annotations

import pytest

from chains.devnet.deploy import deployed
from tests.cli.scene import Scene

pytestmark = pytest.mark.devnet


def test_coins_that_came_inside_a_transaction_are_shown_as_explained(scene: Scene) -> None:
    deployed(scene.world.node, "Splitter").transact("split", [scene.world.omnibus], value_wei=5)
    found = scene.sweep()
    assert found.code == 1, "the books know nothing of them"
    changes = found.json["sweeps"][0]["changes"]
    assert (changes["changes"], changes["explained"], changes["internal_transfers"]) == (1, 1, 1)
    assert "unexplained_change" not in {case["kind"] for case in found.json["sweeps"][0]["cases"]}
    assert scene.firm("journal", "verify").code == 0
    assert scene.verify(scene.export()).code in (0, 1)


def test_a_change_that_nothing_explains_names_its_block(scene: Scene) -> None:
    node = scene.world.node
    node.mine(3)
    height = node.block_number()
    node.set_balance(scene.world.omnibus, node.balance(scene.world.omnibus) + 7)
    scene.world.confirm()
    shown = scene.firm("sweep")
    assert shown.code == 1
    assert "1 change without an event, 0 of them explained" in " ".join(shown.out.split())
    cases = scene.firm("cases", "list", "--json").json["cases"]
    (case,) = [case for case in cases if case["kind"] == "unexplained_change"]
    assert f"in block {height}." in case["text"]


@pytest.mark.parametrize("every_block", [True, False])
def test_changes_that_cancel_out(scene: Scene, every_block: bool) -> None:
    node, wallet = scene.world.node, scene.world.omnibus
    before = node.balance(wallet)
    for wei in (before + 7, before):
        node.set_balance(wallet, wei)
        node.mine(2)
    found = scene.sweep(*(["--every-block"] if every_block else []))
    assert found.code == int(every_block)
    amounts = sorted(
        case["base_units"] for case in found.json["sweeps"][0]["cases"] if case["kind"] == "unexplained_change"
    )
    assert amounts == (["-7", "7"] if every_block else [])


def test_too_many_blocks_are_refused(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.world.node.mine(10)
    monkeypatch.setenv("CUSTODY_SWEEP__CHANGE_POINT_BLOCKS_MAX", "3")
    refused = scene.sweep("--every-block")
    assert (refused.code, refused.error) == (2, "invalid-value")
    assert "at most 3" in refused.json["error"]["message"]
    monkeypatch.setenv("CUSTODY_SWEEP__CHANGE_POINT_BLOCKS_MAX", "30")
    assert scene.sweep("--every-block").code == 0
