"""Balances that move by another amount than an event says, or by none: a sweep shows every one, on a real Anvil."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chains.devnet.deploy import Deployed, deployed
from chains.devnet.node import AnvilNode
from chains.evm.abi import TRANSFER_TOPIC
from chains.evm.addresses import ZERO_ADDRESS
from chains.evm.keccak import keccak256
from chains.types import Asset, AssetId
from tests.verifier.issuer import Issuer
from tests.verifier.sweep.desk import Desk, kinds
from tests.verifier.sweep.world import GAS_MONEY, OMNIBUS, STRANGER, AnvilWorld
from verifier.records import FindingKind, MatchOutcome
from verifier.sweep import SweepOutcome

pytestmark = pytest.mark.devnet


def books_of(desk: Desk, token: Deployed, base_units: int) -> Asset:
    """Books with one token of 18 decimals, of which a wallet holds so much."""
    asset = Asset(AssetId(f"{desk.chain_id}/erc20:{token.address}"), "TKN", 18)
    desk.open_books(OMNIBUS, assets=[{"asset_id": asset.asset_id, "symbol": "TKN", "decimals": "18"}])
    if base_units:
        desk.allocate(OMNIBUS, asset=asset, C_1=base_units)
    return asset


def book(desk: Desk, asset: Asset, base_units: int) -> None:
    """The books say what the chain's balance says."""
    sign, quantity = ("-" if base_units < 0 else ""), asset.format_quantity(abs(base_units))
    row = {"entry_id": f"E-{base_units}", "location": desk.at(OMNIBUS), "asset_id": str(asset.asset_id)}
    desk.take(ledger_entries=[{**row, "quantity": sign + quantity}])


def unexplained(outcome: SweepOutcome) -> list[int | None]:
    return [seen.finding.base_units for seen in outcome.cases if seen.finding.kind is FindingKind.UNEXPLAINED_CHANGE]


@pytest.mark.fault("A38")
@pytest.mark.parametrize(("basis_points", "remainder"), [(0, []), (500, [-5])])
def test_a_fee_on_transfer(desk: Desk, world: AnvilWorld, basis_points: int, remainder: list[int]) -> None:
    token = deployed(world.node, "FeeOnTransfer", [basis_points])
    asset = books_of(desk, token, 0)
    assert desk.sweep().exit_code == 0
    token.transact("mint", token.deployer, 1_000)
    token.transact("transfer", OMNIBUS, 100)
    book(desk, asset, 100 - basis_points // 100)
    assert unexplained(desk.sweep()) == remainder


def write_balance(node: AnvilNode, token: Deployed, holder: str, base_units: int) -> None:
    """Set a balance by storage, wherever the token keeps it: the slot is found by trying."""
    key = bytes(12) + bytes.fromhex(holder[2:])
    for number in range(32):
        slot = int.from_bytes(keccak256(number.to_bytes(32, "big") + key), "big")
        before = int(node.rpc("eth_getStorageAt", token.address, hex(slot), "latest"), 16)
        node.set_storage_at(token.address, slot, base_units)
        if token.call("balanceOf", holder) == base_units:
            return
        node.set_storage_at(token.address, slot, before)
    raise AssertionError("the token keeps its balances elsewhere")


@pytest.mark.fault("A22")
@pytest.mark.parametrize(("base_units", "remainder"), [(700, []), (699, [-1]), (701, [1])])
def test_a_balance_written_into_storage(desk: Desk, world: AnvilWorld, base_units: int, remainder: list[int]) -> None:
    token = deployed(world.node, "Erc20", ["Test", "TKN", 18])
    token.transact("mint", OMNIBUS, 700)
    books_of(desk, token, 700)
    assert desk.sweep().exit_code == 0
    write_balance(world.node, token, OMNIBUS, base_units)
    world.mine()
    assert unexplained(desk.sweep()) == remainder


@pytest.mark.fault("A22")
@pytest.mark.parametrize("mode", ["logs", "verified"])
def test_a_transfer_that_indexes_nothing(desk: Desk, world: AnvilWorld, mode: str) -> None:
    """No filter by address shows it: by logs the balance tells, by whole blocks the event is counted too."""
    desk.config = replace(desk.config, history_mode=mode)
    token = deployed(world.node, "OddLogs")
    asset = books_of(desk, token, 0)
    assert desk.sweep().exit_code == 0
    words = [bytes(12) + bytes.fromhex(each[2:]) for each in (STRANGER, OMNIBUS)]
    token.transact("emit", [TRANSFER_TOPIC], b"".join(words) + (9).to_bytes(32, "big"))
    token.transact("set_balance", OMNIBUS, 9)
    book(desk, asset, 9)
    outcome = desk.sweep()
    assert unexplained(outcome) == [9]
    assert kinds(outcome).get(FindingKind.UNPARSED_EVENTS, 0) == (mode == "verified")


@pytest.mark.fault("A24")
def test_wrapped_ether_is_approved_like_any_payment(desk: Desk, world: AnvilWorld) -> None:
    """Wrapping gives ether to the contract, unwrapping gives the wrapped coins back to it. Nothing is left over."""
    weth = deployed(world.node, "Weth")
    world.give_native(OMNIBUS, 2 * GAS_MONEY)
    asset = Asset(AssetId(f"{desk.chain_id}/erc20:{weth.address}"), "WETH", 18)
    native = {"asset_id": desk.native.asset_id, "symbol": "ETH", "decimals": "18"}
    rows = [native, {"asset_id": str(asset.asset_id), "symbol": "WETH", "decimals": "18"}]
    desk.open_books(OMNIBUS, assets=rows)
    desk.allocate(OMNIBUS, asset=desk.native, C_1=2 * GAS_MONEY)
    assert desk.sweep().exit_code == 0
    terms = {"purpose": "client_withdrawal", "client_id": "C-1"}
    for number, what in enumerate((desk.native, asset)):
        quantity = what.format_quantity((1_000, 300)[number])
        desk.approve(
            f"A-{number}", OMNIBUS, weth.address, 0, asset_id=str(what.asset_id), quantity_max=quantity, **terms
        )
    world.node.impersonate(OMNIBUS)
    weth.transact("deposit", sender=OMNIBUS, value_wei=1_000)
    weth.transact("withdraw", 300, sender=OMNIBUS)
    outcome = desk.sweep()
    assert unexplained(outcome) == []
    assert FindingKind.UNAUTHORIZED_TRANSFER not in kinds(outcome)
    outcomes = [match.outcome for match in desk.store.matches(desk.chain_id)]
    assert outcomes == [MatchOutcome.MATCHED] * 2
    weth.transact("withdraw", 1, sender=OMNIBUS)
    assert kinds(desk.sweep())[FindingKind.UNAUTHORIZED_TRANSFER] == 1


@pytest.mark.fault("D1")
@pytest.mark.parametrize("is_approved", [True, False])
def test_a_burn_is_approved_as_a_redemption(desk: Desk, world: AnvilWorld, tmp_path: Path, is_approved: bool) -> None:
    desk.open_books(OMNIBUS)
    world.mint(OMNIBUS, 1_000)
    desk.allocate(OMNIBUS, C_1=1_000)
    assert desk.sweep().exit_code == 0
    if is_approved:
        desk.approve("A-1", OMNIBUS, ZERO_ADDRESS, 300, purpose="redemption")
    world.act(OMNIBUS, world.usdx.address, "burn(uint256)", 300)
    desk.take(ledger_entries=[{"entry_id": "E-1", "location": desk.at(OMNIBUS), "quantity": "-0.0003"}])
    outcome = desk.sweep()
    assert unexplained(outcome) == []
    assert outcome.exit_code == (0 if is_approved else 1)
    assert kinds(outcome) == ({} if is_approved else {FindingKind.UNAUTHORIZED_TRANSFER: 1})
    issuer = Issuer.of(tmp_path, desk)
    assert issuer.verify(issuer.issue().path, nodes=True).exit_code == 0, "what was found is in the bundle"
