"""The contracts behind encumbrances let others move what they say, and nobody else."""

from __future__ import annotations

import pytest

from chains.devnet.anvil import AnvilNode
from chains.devnet.deploy import Deployed, TransactionReverted, send
from chains.devnet.pytest_plugin import DeployContract, DeployErc20
from chains.errors import NodeRefused

pytestmark = pytest.mark.devnet

REFUSED = (TransactionReverted, NodeRefused)
ALWAYS = 2**48 - 1


@pytest.fixture
def token(deploy_erc20: DeployErc20) -> Deployed:
    return deploy_erc20("USDX", 6, 1_000)


def test_permit2_moves_within_amount_expiry_and_its_own_allowance(
    deploy_contract: DeployContract, token: Deployed, accounts: list[str], anvil: AnvilNode
) -> None:
    permit2, (owner, spender, receiver) = deploy_contract("Permit2Like"), accounts[:3]
    move = (owner, receiver, 60, token.address)
    permit2.transact("approve", token.address, spender, 100, ALWAYS)
    with pytest.raises(REFUSED):  # Permit2 itself has no allowance yet
        permit2.transact("transferFrom", *move, sender=spender)
    token.transact("approve", permit2.address, 1_000)
    permit2.transact("transferFrom", *move, sender=spender)
    assert token.call("balanceOf", receiver) == 60
    assert permit2.call("allowance", owner, token.address, spender) == (40, ALWAYS, 0)
    with pytest.raises(REFUSED):
        permit2.transact("transferFrom", *move, sender=spender)
    with pytest.raises(REFUSED):
        permit2.transact("transferFrom", *move, sender=receiver)
    expiry = int(anvil.block()["timestamp"], 16) + 1_000
    permit2.transact("permit", owner, token.address, spender, 100, expiry)
    anvil.set_next_block_timestamp(expiry)
    permit2.transact("transferFrom", owner, receiver, 1, token.address, sender=spender)
    anvil.set_next_block_timestamp(expiry + 1)
    with pytest.raises(REFUSED):
        permit2.transact("transferFrom", owner, receiver, 1, token.address, sender=spender)
    permit2.transact("approve", token.address, spender, 100, 0)  # this block alone
    block_time = int(anvil.block()["timestamp"], 16)
    assert permit2.call("allowance", owner, token.address, spender) == (100, block_time, 1)
    permit2.transact("lockdown", [(token.address, spender)])
    assert permit2.call("allowance", owner, token.address, spender)[0] == 0


def test_an_issuer_stops_a_holder_or_everybody(deploy_contract: DeployContract, accounts: list[str]) -> None:
    token = deploy_contract("IssuerToken", accounts[3])
    for holder in accounts[:2]:
        token.transact("mint", holder, 100)
    token.transact("blacklist", accounts[1], True)
    with pytest.raises(REFUSED):
        token.transact("transfer", accounts[2], 1, sender=accounts[1])
    token.transact("transfer", accounts[2], 1)
    token.transact("pause", True)
    with pytest.raises(REFUSED):
        token.transact("transfer", accounts[2], 1)
    token.transact("pause", False)
    token.transact("transferFrom", accounts[0], accounts[3], 50, sender=accounts[3])  # without any approval
    with pytest.raises(REFUSED):
        token.transact("transferFrom", accounts[0], accounts[3], 1, sender=accounts[4])
    assert token.call("allowance", accounts[0], accounts[3]) == 2**256 - 1


def test_a_module_moves_a_safes_ether_and_nobody_else_does(
    deploy_contract: DeployContract, accounts: list[str], anvil: AnvilNode
) -> None:
    safe = deploy_contract("SafeLike", accounts[9], accounts[:3], 2, False)
    send(anvil, accounts[0], safe.address, value_wei=100)
    with pytest.raises(REFUSED):
        safe.transact("execTransactionFromModule", accounts[5], 40, sender=accounts[4])
    safe.transact("enableModule", accounts[4])
    safe.transact("execTransactionFromModule", accounts[5], 40, sender=accounts[4])
    assert anvil.balance(safe.address) == 60
    assert [owner.lower() for owner in safe.call("getOwners")] == [account.lower() for account in accounts[:3]]
    assert safe.call("getThreshold") == 2


def test_a_beacon_names_its_code(deploy_contract: DeployContract, accounts: list[str]) -> None:
    beacon = deploy_contract("Beacon", accounts[1])
    beacon.transact("upgradeTo", accounts[2])
    assert beacon.call("implementation").lower() == accounts[2].lower()


@pytest.mark.parametrize("answer", [0, 1, 2])
def test_a_list_of_frozen_holders(deploy_contract: DeployContract, accounts: list[str], answer: int) -> None:
    token = deploy_contract("FrozenList")
    token.transact("setListed", accounts[1], answer)
    assert token.call("isBlackListed", accounts[1]) == answer
    token.transact("setListed", accounts[1], 3)
    with pytest.raises(NodeRefused):
        token.call("isBlackListed", accounts[1])
