"""Positions in collections on a real Anvil: from the books through a sweep into a bundle and an auditor's own node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chains.devnet import lies
from chains.devnet.deploy import Deployed, deployed
from chains.devnet.lying_proxy import LyingProxy
from chains.types import Asset, AssetId
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.desk import Desk, kinds
from tests.verifier.sweep.world import OMNIBUS, PAYEE, SECOND, AnvilWorld
from verifier.records import FindingKind, Status
from verifier.sweep import SweepOutcome

pytestmark = pytest.mark.devnet


class Gallery:
    """A desk with one token of a collection and fifty units of another, all as the books say."""

    def __init__(self, desk: Desk, world: AnvilWorld, *, history_mode: str = "logs") -> None:
        self.desk, self.world = desk, world
        desk.config = replace(desk.config, history_mode=history_mode)
        self.unique, self.counted = deployed(world.node, "Erc721"), deployed(world.node, "Erc1155")
        self.painting = self.asset("erc721", self.unique, 7)
        self.print = self.asset("erc1155", self.counted, 3)
        self.unique.transact("mint", OMNIBUS, 7)
        self.counted.transact("mint", OMNIBUS, 3, 50)
        rows = [
            {"asset_id": str(asset.asset_id), "symbol": "ART", "decimals": "0"} for asset in (self.painting, self.print)
        ]
        desk.open_books(OMNIBUS, SECOND, assets=[{}, *rows])
        desk.allocate(OMNIBUS, asset=self.painting, C_1=1)
        desk.allocate(OMNIBUS, asset=self.print, C_1=30, C_2=20)
        desk.history_from = 1

    def asset(self, standard: str, collection: Deployed, number: int) -> Asset:
        return Asset(AssetId(f"{self.desk.chain_id}/{standard}:{collection.address}/{number}"), "ART", 0)

    def move(self, sender: str, receiver: str) -> None:
        """The painting goes from one address to another, by its own collection's event."""
        self.world.act(sender, self.unique.address, "transferFrom(address,address,uint256)", sender, receiver, 7)

    def status(self, outcome: SweepOutcome) -> dict[tuple[str, AssetId], Status]:
        """Every comparison of the two tokens."""
        assert outcome.summary is not None, outcome.failure
        found = self.desk.store.reconciliations(outcome.summary.sweep_id)
        return {
            (str(each.location_id).rpartition(":")[2], each.asset.asset_id): each.status
            for each in found
            if each.asset in (self.painting, self.print)
        }


@pytest.fixture(params=["logs", "verified"])
def gallery(desk: Desk, world: AnvilWorld, request: pytest.FixtureRequest) -> Gallery:
    return Gallery(desk, world, history_mode=request.param)


def test_books_sweep_bundle_and_the_auditors_node(desk: Desk, world: AnvilWorld, tmp_path: Path) -> None:
    gallery = Gallery(desk, world)
    outcome = desk.sweep()
    assert outcome.exit_code == 0
    assert gallery.status(outcome) == {
        (place, asset.asset_id): Status.MATCHED
        for place in (OMNIBUS, SECOND)
        for asset in (gallery.painting, gallery.print)
    }
    issuer = Issuer.of(tmp_path, desk)
    written = issuer.issue()
    for nodes in (False, True):
        report = issuer.verify(written.path, nodes=nodes)
        assert report.exit_code == 0, refused(report)


def test_a_node_that_names_another_owner_is_told_from_one_that_agrees(
    desk: Desk, world: AnvilWorld, lying_node: Callable[..., LyingProxy], tmp_path: Path
) -> None:
    """The auditor's own node is asked for the owner, and for the balance by id."""
    Gallery(desk, world)
    assert desk.sweep().exit_code == 0
    issuer = Issuer.of(tmp_path, desk)
    written = issuer.issue()
    proxy = lying_node(lies.change_result("eth_call", another_owner))
    desk.use_nodes(proxy.url)
    assert refused(issuer.verify(written.path, nodes=True)).keys() == {17}
    proxy.lies.clear()
    assert issuer.verify(written.path, nodes=True).exit_code == 0


def another_owner(params: list[Any], result: str) -> str:
    """What a node answers that takes somebody else for the owner."""
    return "0x" + PAYEE[2:].rjust(64, "0") if params[0]["data"].startswith("0x6352211e") else result


def test_an_approved_move_is_in_order_and_one_that_nobody_approved_is_not(desk: Desk, world: AnvilWorld) -> None:
    gallery = Gallery(desk, world)  # by logs: whole blocks are refused where nobody signed for the wallet
    painting = str(gallery.painting.asset_id)
    assert desk.sweep().exit_code == 0
    desk.approve(
        "A-1", OMNIBUS, SECOND, 0,
        asset_id=painting, quantity_max="1", purpose="internal_rebalancing", client_id="",
    )  # fmt: skip
    gallery.move(OMNIBUS, SECOND)
    desk.take(
        ledger_entries=[
            {"entry_id": f"E-{number}", "location": desk.at(place), "asset_id": painting, "quantity": quantity}
            for number, (place, quantity) in enumerate([(OMNIBUS, "-1"), (SECOND, "1")])
        ]
    )
    assert desk.sweep().exit_code == 0
    gallery.move(SECOND, PAYEE)
    outcome = desk.sweep()
    assert kinds(outcome) == {FindingKind.UNAUTHORIZED_TRANSFER: 1, FindingKind.SHORTFALL: 1}
    assert {seen.finding.asset for seen in outcome.cases} == {gallery.painting}


@pytest.mark.fault("A24")
def test_an_owner_changed_without_an_event_is_an_unexplained_change(gallery: Gallery) -> None:
    desk = gallery.desk
    assert desk.sweep().exit_code == 0
    gallery.unique.transact("seize", PAYEE, 7)
    outcome = desk.sweep()
    # That the wallet signed nothing meanwhile is a finding of its own.
    assert kinds(outcome).items() >= {FindingKind.UNEXPLAINED_CHANGE: 1, FindingKind.SHORTFALL: 1}.items()
    assert {(seen.finding.base_units, seen.finding.asset) for seen in outcome.cases} == {(-1, gallery.painting)}


@pytest.mark.fault("A37")
def test_a_collection_that_does_not_answer_is_unverified(gallery: Gallery) -> None:
    desk = gallery.desk
    assert desk.sweep().exit_code == 0
    gallery.unique.transact("close", True)
    outcome = desk.sweep()
    assert outcome.exit_code == 2
    states = gallery.status(outcome)
    assert states[OMNIBUS, gallery.painting.asset_id] is Status.UNVERIFIED
    assert states[OMNIBUS, gallery.print.asset_id] is Status.MATCHED


def test_what_the_books_must_not_say_of_a_collection(desk: Desk, world: AnvilWorld) -> None:
    collection = deployed(world.node, "Erc721")
    base = f"{desk.chain_id}/erc721:{collection.address}"
    good = {"asset_id": f"{base}/7", "symbol": "ART", "decimals": "0"}
    assert desk.give(assets=[good]).ok
    for change, column in (
        ({"asset_id": base}, "asset_id"),
        ({"asset_id": f"{base}/07"}, "asset_id"),
        ({"asset_id": f"{base}/0x7"}, "asset_id"),
        ({"asset_id": f"{base}/{2**256}"}, "asset_id"),
        ({"asset_id": f"{base.lower()}/7"}, "asset_id"),
        ({"asset_id": f"{base.replace('erc721', 'erc20')}/7"}, "asset_id"),
        ({"decimals": "1"}, "decimals"),
    ):
        result = desk.give(assets=[{**good, **change}])
        assert [problem.column for problem in result.problems] == [column], change
