"""Bitcoin wallets in the sub-ledger: one script is one holding, however it is spelt, and only of its own network."""

from __future__ import annotations

from pathlib import Path

import pytest

from chains.bitcoin import chain_plugin as bitcoin
from chains.bitcoin.networks import MAIN, REGTEST, TEST, Network
from chains.bitcoin.script import address_of_script, script_of_address
from chains.evm import chain_plugin as evm
from chains.reader import ChainPlugin
from chains.types import ChainId
from mapping.importer import ImportResult, read_files
from mapping.types import Allocation, Wallet
from tests.mapping.desk import Desk, only

WALLET = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
TAPROOT = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"


def plugins(chain_id: ChainId) -> ChainPlugin:
    return bitcoin if chain_id.startswith("bip122:") else evm


@pytest.fixture
def bitcoin_desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    result = give(desk, assets=({"asset_id": MAIN.asset_id, "symbol": "BTC", "decimals": "8"},))
    assert result.ok, [str(problem) for problem in result.problems]
    desk.keep(result)
    return desk


def give(desk: Desk, **tables: tuple[dict[str, str], ...]) -> ImportResult:
    return read_files(desk.write(**tables), desk.book, desk.options, plugins)


def wallet(address: str, network: Network = MAIN, vault: str = "vault-btc") -> dict[str, str]:
    return {"chain_id": network.chain_id, "address": address, "mpc_vault": vault, "gas_float_limit": ""}


@pytest.mark.fault("A43")
@pytest.mark.parametrize("text", [WALLET, WALLET.upper(), TAPROOT, TAPROOT.upper()])
def test_upper_case_is_recorded_in_the_one_spelling(bitcoin_desk: Desk, text: str) -> None:
    result = give(bitcoin_desk, wallets=(wallet(text),))
    assert result.ok, [str(problem) for problem in result.problems]
    (sourced,) = result.records
    assert isinstance(sourced.record, Wallet)
    assert sourced.record.address == text.lower()


@pytest.mark.fault("A43")
def test_two_spellings_of_one_script_are_one_wallet_and_a_double(bitcoin_desk: Desk) -> None:
    result = give(bitcoin_desk, wallets=(wallet(WALLET), wallet(WALLET.upper(), vault="vault-other")))
    assert not result.ok
    assert [problem.line for problem in result.problems] == [3]


@pytest.mark.fault("A43")
@pytest.mark.parametrize("network", [TEST, REGTEST], ids=lambda network: str(network.name))
def test_an_address_of_a_test_network_is_refused(bitcoin_desk: Desk, network: Network) -> None:
    address = address_of_script(network, script_of_address(MAIN, WALLET))
    assert address is not None
    problem = only(give(bitcoin_desk, wallets=(wallet(address),)).problems)
    assert f"{network.name}" in problem.reason
    assert problem.reason.endswith("not of main")


@pytest.mark.fault("A43")
def test_an_allocation_finds_its_wallet_in_either_spelling(bitcoin_desk: Desk) -> None:
    bitcoin_desk.keep(give(bitcoin_desk, wallets=(wallet(WALLET),)))
    location = f"{MAIN.chain_id}:{WALLET.upper()}"
    result = give(bitcoin_desk, allocations=({"location": location, "asset_id": MAIN.asset_id, "quantity": "0.5"},))
    assert result.ok, [str(problem) for problem in result.problems]
    (sourced,) = result.records
    assert isinstance(sourced.record, Allocation)
    assert sourced.record.location_id == f"{MAIN.chain_id}:{WALLET}"
    elsewhere = f"{MAIN.chain_id}:{TAPROOT}"
    unknown = give(bitcoin_desk, allocations=({"location": elsewhere, "asset_id": MAIN.asset_id, "quantity": "1"},))
    assert not unknown.ok
