"""The fixtures on a real Anvil node."""

from __future__ import annotations

import pytest
from web3 import Web3

from chains.devnet.anvil import AnvilNode
from chains.devnet.logs import Log
from chains.devnet.pytest_plugin import DeployErc20

pytestmark = pytest.mark.devnet


def test_token(anvil: AnvilNode, w3: Web3, accounts: list[str], deploy_erc20: DeployErc20) -> None:
    token = deploy_erc20("USDX", 6, 1_000)
    receipt = token.transact("transfer", accounts[1], 5)
    assert token.call("balanceOf", accounts[1]) == 5
    contract = w3.eth.contract(address=w3.to_checksum_address(token.address), abi=token.contract.abi)
    mined = w3.eth.get_transaction_receipt(receipt["transactionHash"])
    assert Log(contract.events.Transfer, receiver=accounts[1], amount=5).is_present(mined)
    assert not Log(contract.events.Transfer, receiver=accounts[1], amount=6).is_present(mined)
