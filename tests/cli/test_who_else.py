"""Who else could move it, as a user sees it: the sweep, the status, the case, the bundle and its verification."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chains.devnet.deploy import transact
from chains.devnet.node import AnvilNode
from chains.types import utc_text
from mapping.tables import table_named
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


@pytest.mark.devnet
def test_an_allowance_that_the_firm_wants(scene: Scene) -> None:
    """Decided in a file, imported, listed everywhere; one unit more is a case."""
    world = scene.world
    node: AnvilNode = world.node
    node.impersonate(world.omnibus)
    spender = world.stranger
    now = datetime.fromtimestamp(int(node.block()["timestamp"], 16), UTC)
    row = {
        "acceptance_id": "AC-7",
        "chain_id": str(world.chain_id),
        "wallet": world.omnibus,
        "kind": "allowance",
        "asset_id": f"{world.chain_id}/erc20:{world.usdx}",
        "subject": spender,
        "quantity_max": "1000",
        "valid_from": utc_text(now),
        "valid_until": utc_text(now + timedelta(days=30)),
        "reason": "Settlement contract",
        "requested_by": "ops.maker",
        "approved_by": "ops.checker",
        "approved_at": utc_text(now),
    }
    names = table_named("accepted_control").column_names
    file = scene.firm.folder / "accepted_control.csv"
    file.write_text(f"{','.join(names)}\n{','.join(row[name] for name in names)}\n")
    alone = {**row, "approved_by": "ops.maker"}
    refused = scene.firm("post", "accepted_control", *(f"{name}={text}" for name, text in alone.items()))
    assert refused.code == 2
    assert "cannot be the one who approves" in refused.out + refused.err
    assert scene.firm("import", file).code == 0
    transact(node, world.omnibus, world.usdx, "approve(address,uint256)", [spender, 10**9])
    world.confirm()
    swept = scene.firm("sweep")
    assert swept.code == 0, swept
    assert "accepted by ops.checker (AC-7" in swept.out
    status = scene.firm("status")
    assert status.code == 0
    assert "AC-7" in status.out
    assert "exposure 1,000.00 USDX" in status.out
    (listed,) = scene.firm("status", "--json").json["chains"][0]["encumbrances"]["accepted"]
    assert (listed["acceptance_id"], listed["granted"], listed["subject"]) == ("AC-7", str(10**9), spender)
    at_once = scene.firm("chain", "encumbrances", world.chain_id, "--from-height", 0)
    assert at_once.code == 0, at_once
    assert "AC-7" in at_once.out
    report = scene.verify(scene.export(), "--rpc", f"{world.chain_id}={node.url}")
    assert report.code == 0, report
    assert any("accepted by ops.checker (AC-7" in line for line in report.json["bundle"]["control"])
    # The twin: one unit more than was decided.
    transact(node, world.omnibus, world.usdx, "approve(address,uint256)", [spender, 10**9 + 1])
    world.confirm()
    beyond = scene.firm("sweep")
    assert beyond.code == 1
    assert "1 open: encumbrance" in scene.firm("status").out
