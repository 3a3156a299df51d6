"""Who may move tokens of collections: operators and approvals of one token, from a real Anvil to the auditor's node."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chains.devnet import lies
from chains.devnet.lying_proxy import LyingProxy
from chains.evm.abi import hex_text, selector
from chains.evm.collection_approvals import APPROVED_QUESTION, OPERATOR_QUESTION
from chains.types import Asset
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.desk import Desk, kinds
from tests.verifier.sweep.test_collections import Gallery
from tests.verifier.sweep.world import OMNIBUS, PAYEE, SECOND, STRANGER, AnvilWorld
from verifier.records import FindingKind
from verifier.sweep import SweepOutcome

pytestmark = pytest.mark.devnet

Lying = Callable[..., LyingProxy]


@pytest.fixture
def gallery(desk: Desk, world: AnvilWorld) -> Gallery:
    """A painting and fifty prints in one wallet, swept once, all in order."""
    gallery = Gallery(desk, world)
    assert desk.sweep().exit_code == 0
    return gallery


def exposed(outcome: SweepOutcome) -> dict[Asset | None, int | None]:
    """What each encumbrance exposes."""
    found = [seen.finding for seen in outcome.cases if seen.finding.kind is FindingKind.ENCUMBRANCE]
    return {finding.asset: finding.base_units for finding in found}


def for_all(gallery: Gallery, owner: str, operator: str, *, is_approved: bool) -> None:
    for collection in (gallery.unique, gallery.counted):
        gallery.world.act(owner, collection.address, "setApprovalForAll(address,bool)", operator, is_approved)


def test_an_operator_exposes_every_token_that_is_held_until_it_is_taken_back(gallery: Gallery, tmp_path: Path) -> None:
    desk = gallery.desk
    for_all(gallery, OMNIBUS, STRANGER, is_approved=True)
    outcome = desk.sweep()
    assert (outcome.exit_code, kinds(outcome)) == (1, {FindingKind.ENCUMBRANCE: 2})
    assert exposed(outcome) == {gallery.painting: 1, gallery.print: 50}
    assert all("as an operator" in seen.finding.text and STRANGER in seen.finding.text for seen in outcome.cases)
    issuer = Issuer.of(tmp_path, desk)
    report = issuer.verify(issuer.issue().path, nodes=True)
    assert report.exit_code == 0, refused(report)
    for_all(gallery, OMNIBUS, STRANGER, is_approved=False)
    assert desk.sweep().cases == ()


def test_an_operator_that_the_firm_wants_is_listed_for_each_token_decided(gallery: Gallery, tmp_path: Path) -> None:
    desk = gallery.desk
    common = {"wallet": OMNIBUS, "subject": STRANGER, "kind": "operator", "quantity_max": "unlimited"}
    desk.take(accepted_control=[{**common, "acceptance_id": "AC-1", "asset_id": str(gallery.print.asset_id)}])
    for_all(gallery, OMNIBUS, STRANGER, is_approved=True)
    outcome = desk.sweep()
    assert exposed(outcome) == {gallery.painting: 1}, "of the other collection nobody decided"
    assert outcome.control is not None
    assert [each.exposed for each in outcome.control.accepted] == [((gallery.print, 50),)]
    issuer = Issuer.of(tmp_path, desk)
    assert refused(issuer.verify(issuer.issue().path, nodes=True)) == {}


def test_an_operator_of_an_empty_wallet_takes_what_comes(gallery: Gallery) -> None:
    for_all(gallery, SECOND, STRANGER, is_approved=True)
    assert exposed(gallery.desk.sweep()) == {gallery.painting: 0, gallery.print: 0}


def test_an_approval_of_one_token_ends_when_the_token_goes(gallery: Gallery, tmp_path: Path) -> None:
    desk = gallery.desk
    gallery.world.act(OMNIBUS, gallery.unique.address, "approve(address,uint256)", STRANGER, 7)
    outcome = desk.sweep()
    assert exposed(outcome) == {gallery.painting: 1}
    issuer = Issuer.of(tmp_path, desk)
    assert refused(issuer.verify(issuer.issue().path, nodes=True)) == {}
    gallery.move(OMNIBUS, PAYEE)
    assert exposed(desk.sweep()) == {}


def test_a_firm_that_leaves_out_an_approval_is_contradicted_by_the_auditors_node(
    gallery: Gallery, lying_node: Lying, tmp_path: Path
) -> None:
    """The firm swept through a node that says that nobody is approved; the auditor's node says who is."""
    desk = gallery.desk
    gallery.world.act(OMNIBUS, gallery.unique.address, "approve(address,uint256)", STRANGER, 7)
    honest = desk.config.nodes[0].url
    proxy = lying_node(lies.change_result("eth_call", nobody_is_approved))
    desk.use_nodes(str(proxy.url))
    assert desk.sweep().exit_code == 0
    issuer = Issuer.of(tmp_path, desk)
    written = issuer.issue()
    assert issuer.verify(written.path, nodes=True).exit_code == 0
    desk.use_nodes(str(honest))
    assert refused(issuer.verify(written.path, nodes=True)).keys() == {21}


@pytest.mark.parametrize("question", [OPERATOR_QUESTION, APPROVED_QUESTION])
def test_what_is_not_answered_is_unverified(gallery: Gallery, lying_node: Lying, tmp_path: Path, question: str) -> None:
    desk = gallery.desk
    for_all(gallery, OMNIBUS, STRANGER, is_approved=True)
    asked = hex_text(selector(question))

    def garbled(params: list[Any], result: str) -> str:
        return "0x" + "ff" * 32 if params[0].get("data", "").startswith(asked) else result

    desk.use_nodes(str(lying_node(lies.change_result("eth_call", garbled)).url))
    outcome = desk.sweep()
    found = kinds(outcome)
    if question == OPERATOR_QUESTION:
        assert found == {FindingKind.UNVERIFIED: 2}
    else:
        assert found == {FindingKind.UNVERIFIED: 1, FindingKind.ENCUMBRANCE: 2}
    issuer = Issuer.of(tmp_path, desk)
    assert refused(issuer.verify(issuer.issue().path)) == {}


def test_a_token_listed_late_is_looked_for_from_the_first_block(desk: Desk, world: AnvilWorld, tmp_path: Path) -> None:
    gallery = Gallery(desk, world)
    for_all(gallery, OMNIBUS, STRANGER, is_approved=True)
    gallery.counted.transact("mint", OMNIBUS, 4, 5)
    desk.sweep()
    late = gallery.asset("erc1155", gallery.counted, 4)
    desk.take(assets=[{"asset_id": str(late.asset_id), "symbol": "ART", "decimals": "0"}])
    outcome = desk.sweep()
    assert exposed(outcome) == {gallery.painting: 1, None: None}, "two tokens of one collection share a case"
    (shared,) = [seen.finding for seen in outcome.cases if seen.finding.asset is None]
    assert "50 ART with id 3; 5 ART with id 4" in shared.text
    issuer = Issuer.of(tmp_path, desk)
    assert "without a case" not in str(refused(issuer.verify(issuer.issue().path, nodes=True)))


def nobody_is_approved(params: list[Any], result: str) -> str:
    """What a node answers that hides whom an ERC-721 token is approved for."""
    return "0x" + "00" * 32 if params[0].get("data", "").startswith(hex_text(selector(APPROVED_QUESTION))) else result
