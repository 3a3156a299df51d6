"""Who else could move it, as a user sees it: the sweep, the status, the case, the bundle and its verification."""

from __future__ import annotations

import pytest

from chains.devnet.deploy import transact
from chains.devnet.node import AnvilNode
from tests.cli.scene import Scene


@pytest.mark.devnet
def test_an_allowance_from_the_sweep_to_the_auditor(scene: Scene) -> None:
    world = scene.world
    node: AnvilNode = world.node
    node.impersonate(world.omnibus)
    spender = world.stranger
    transact(node, world.omnibus, world.usdx, "approve(address,uint256)", [spender, 10**9])
    world.confirm()
    swept = scene.firm("sweep")
    assert swept.code == 1
    assert "who else could move it: wallets asked 4" in swept.out
    assert "encumbrance" in swept.out
    status = scene.firm("status")
    assert status.code == 1
    assert "1 open: encumbrance" in status.out
    assert "segregation exception" in status.out
    view = scene.firm("status", "--json").json["chains"][0]
    assert (view["encumbrances"]["grants"], view["proof_of_control"]) == (1, [])
    path = scene.export()
    rpc = f"{world.chain_id}={node.url}"
    report = scene.verify(path, "--rpc", rpc)
    assert report.code == 0, report
    assert any(f"{spender} could take 1000.000000 USDX" in line for line in report.json["bundle"]["control"])
    # The twin: it is taken back, and the next sweep says that it is gone.
    transact(node, world.omnibus, world.usdx, "approve(address,uint256)", [spender, 0])
    assert scene.sweep().code == 0
