"""`custody authorizations`: what became of each approval, for people and for programs."""

from __future__ import annotations

import pytest

from tests.cli.command import Firm
from tests.cli.scene import Scene
from verifier.demo import books
from verifier.demo.world import usdx


def test_without_approvals_there_is_nothing_to_list(firm: Firm) -> None:
    answer = firm("authorizations", "--json")
    assert (answer.code, answer.json) == (0, {"states": {}, "authorizations": []})
    assert "0 approvals" in firm("authorizations").out


@pytest.mark.parametrize("options", [("--state", "lost"), ("--chain", "eip155:999")])
def test_a_state_or_chain_that_does_not_exist_is_refused(firm: Firm, options: tuple[str, str]) -> None:
    answer = firm("authorizations", *options, "--json")
    assert answer.code == 2
    assert answer.error


@pytest.mark.devnet
def test_an_approval_before_and_after_it_is_executed(scene: Scene) -> None:
    folder = scene.firm.path("approvals")
    folder.mkdir()
    books.write_withdrawal_approval(scene.world, folder)
    assert scene.firm("import", folder).code == 0
    (waiting,) = scene.firm("authorizations", "--json").json["authorizations"]
    assert (waiting["state"], waiting["base_units_used"], waiting["transfers"]) == ("open", "0", [])

    world = scene.world
    tx_id = world.pay(world.usdx, world.omnibus, world.client_1001_own, usdx("20000"))
    scene.sweep()
    answer = scene.firm("authorizations", "--json")
    assert answer.code == 0
    assert answer.json["states"] == {"partly_used": 1}
    (partly,) = answer.json["authorizations"]
    assert (partly["quantity_used"], partly["quantity_max"]) == ("20000.000000", "50000.000000")
    assert partly["symbol"] == "USDX"
    assert (partly["requested_by"], partly["approved_by"]) == ("ops.maker", "ops.checker")
    assert [(each["tx_id"], each["base_units"]) for each in partly["transfers"]] == [(tx_id, str(usdx("20000")))]
    assert scene.firm("authorizations", "--state", "used", "--json").json["authorizations"] == []

    shown = scene.firm("authorizations").out
    for said in ("AUTH-0001", "partly used", "20,000.00", "50,000.00 USDX", "ops.maker,", "1 partly used"):
        assert said in " ".join(shown.split()), shown
