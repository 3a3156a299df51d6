"""The test contracts behave as they are named, and the checked-in bytecode belongs to the checked-in sources."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest

from chains.devnet import contracts
from chains.devnet.anvil import AnvilNode
from chains.devnet.deploy import (
    MULTICALL3_ADDRESS,
    Deployed,
    TransactionReverted,
    call,
    call_data,
    deploy,
    place,
    send,
    transact,
)
from chains.devnet.pytest_plugin import DeployContract, DeployErc20
from chains.errors import MalformedAnswer, NodeRefused

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
ETHER = 10**18


def test_the_bytecode_belongs_to_the_sources() -> None:
    assert contracts.names(), "there are contracts"
    assert contracts.source_digests() == {name: contracts.load(name).source_sha256 for name in contracts.names()}


def test_the_checked_in_file_is_in_its_one_form() -> None:
    text = files(contracts).joinpath(contracts.ARTIFACT).read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n"


def test_the_compiler_gives_the_checked_in_bytes() -> None:
    pytest.importorskip("vyper", reason="the dependency group `contracts` is not installed")
    from chains.devnet.contracts.build import build

    assert build() == files(contracts).joinpath(contracts.ARTIFACT).read_text(encoding="utf-8")


def test_an_unknown_contract_or_function_is_named() -> None:
    with pytest.raises(KeyError, match=r"Dogecoin.*Erc20"):
        contracts.load("Dogecoin")
    assert contracts.load("Erc20").function_types("transfer") == (["address", "uint256"], ["bool"])
    assert contracts.load("Multicall3").function_types("aggregate3")[0] == ["(address,bool,bytes)[]"]
    with pytest.raises(KeyError, match="no function selfdestruct"):
        contracts.load("Erc20").function_types("selfdestruct")


@pytest.mark.parametrize(
    "signature",
    [
        "transfer",
        "transfer(",
        "transfer(address",
        "transfer(address))",
        "(address)",
        "f(address)uint256",
        "f()(uint256",
    ],
)
def test_a_broken_signature_is_refused(signature: str) -> None:
    with pytest.raises(ValueError, match="is not a signature"):
        call_data(signature)


def test_call_data() -> None:
    assert call_data("decimals()") == "0x313ce567"
    holder = "11" * 20
    assert call_data("balanceOf(address)(uint256)", [f"0x{holder}"]) == f"0x70a08231{holder:0>64}"
    words = call_data("f((uint256,uint256)[],bool)", [[(1, 2)], True])
    assert len(words) == 2 + 8 + 5 * 64


def transfers(receipt: dict[str, Any]) -> list[int]:
    """The amounts of the Transfer logs in a receipt."""
    return [int(log["data"], 16) for log in receipt["logs"] if log["topics"][0] == TRANSFER]


@pytest.mark.devnet
class TestErc20:
    def test_mint_transfer_burn_and_allowance(self, deploy_erc20: DeployErc20, accounts: list[str]) -> None:
        token = deploy_erc20("USDX", 6, 1_000)
        assert (token.call("symbol"), token.call("decimals"), token.call("name")) == ("USDX", 6, "USDX test token")
        assert transfers(token.transact("transfer", accounts[1], 300)) == [300]
        token.transact("approve", accounts[2], 50, sender=accounts[1])
        assert transfers(token.transact("transferFrom", accounts[1], accounts[3], 50, sender=accounts[2])) == [50]
        assert transfers(token.transact("burn", 100)) == [100]
        balances = [token.call("balanceOf", account) for account in accounts[:4]]
        assert balances == [600, 250, 0, 50]
        assert sum(balances) == token.call("totalSupply")

    def test_nobody_spends_what_they_have_not(self, deploy_erc20: DeployErc20, accounts: list[str]) -> None:
        token = deploy_erc20("USDX", 6, 1_000)
        with pytest.raises((TransactionReverted, NodeRefused)):
            token.transact("transfer", accounts[1], 1_001)
        with pytest.raises((TransactionReverted, NodeRefused)):
            token.transact("transferFrom", accounts[0], accounts[1], 1, sender=accounts[1])
        assert token.call("balanceOf", accounts[0]) == 1_000

    @pytest.mark.parametrize("decimals", [0, 18, 77, 255])
    def test_any_decimals_and_the_largest_amount(self, decimals: int, deploy_erc20: DeployErc20) -> None:
        token = deploy_erc20("BIG", decimals, 2**256 - 1)
        assert (token.call("decimals"), token.call("balanceOf", token.deployer)) == (decimals, 2**256 - 1)

    def test_history_is_readable_by_block(self, deploy_erc20: DeployErc20, anvil: AnvilNode) -> None:
        token = deploy_erc20("USDX", 6, 5)
        then, block_hash = anvil.block_number(), anvil.block_hash()
        token.transact("mint", token.deployer, 5)
        assert token.call("balanceOf", token.deployer, block=then) == 5
        assert token.call("balanceOf", token.deployer, block={"blockHash": block_hash}) == 5
        assert token.call("balanceOf", token.deployer) == 10


@pytest.mark.devnet
def test_weth_moves_without_transfer_events(
    deploy_contract: DeployContract, anvil: AnvilNode, accounts: list[str]
) -> None:
    weth = deploy_contract("Weth")
    receipt = weth.transact("deposit", value_wei=5 * ETHER)
    assert (len(receipt["logs"]), transfers(receipt)) == (1, [])
    send(anvil, accounts[1], weth.address, value_wei=ETHER)
    assert [weth.call("balanceOf", account) for account in accounts[:2]] == [5 * ETHER, ETHER]
    before = anvil.balance(accounts[1])
    assert transfers(weth.transact("withdraw", ETHER, sender=accounts[1])) == []
    assert before < anvil.balance(accounts[1]) < before + ETHER, "the ether came back, less the fee"
    assert weth.call("totalSupply") == 5 * ETHER
    with pytest.raises((TransactionReverted, NodeRefused)):
        weth.transact("withdraw", 1, sender=accounts[1])


@pytest.mark.devnet
def test_a_fee_on_transfer_is_not_in_the_event(deploy_contract: DeployContract, accounts: list[str]) -> None:
    token = deploy_contract("FeeOnTransfer", 250)
    token.transact("mint", accounts[0], 1_000)
    assert transfers(token.transact("transfer", accounts[1], 400)) == [400]
    assert [token.call("balanceOf", account) for account in accounts[:2]] == [600, 390]
    assert token.call("totalSupply") == 990


@pytest.mark.devnet
def test_a_rebase_moves_balances_without_any_event(deploy_contract: DeployContract, accounts: list[str]) -> None:
    token = deploy_contract("Rebasing")
    token.transact("mint", accounts[1], 1_000)
    assert token.call("balanceOf", accounts[1]) == 1_000
    assert token.transact("rebase", 11 * 10**17)["logs"] == []
    assert token.call("balanceOf", accounts[1]) == 1_100


@pytest.mark.devnet
@pytest.mark.parametrize(
    ("mode", "answer"),
    [
        (0, "0x" + f"{7:064x}"),
        (3, "0x"),
        (4, "0x" + f"{7:064x}" * 2),
        (5, "0x" + f"{7:062x}"),
        (7, "0x" + "f" * 64),
        (8, "0x" + f"{7:064x}" + "00"),
        (1, "no balance today"),
        (2, "execution reverted"),
        (6, "InvalidFEOpcode"),
    ],
)
def test_odd_balances(
    mode: int, answer: str, deploy_contract: DeployContract, anvil: AnvilNode, accounts: list[str]
) -> None:
    odd = deploy_contract("OddBalance", 0, 7)
    odd.transact("set_mode", mode)
    question = {"to": odd.address, "data": call_data("balanceOf(address)", [accounts[1]])}
    if answer.startswith("0x"):
        assert anvil.rpc("eth_call", question, "latest") == answer
    else:
        with pytest.raises(NodeRefused, match=answer):
            anvil.rpc("eth_call", question, "latest")


@pytest.mark.devnet
@pytest.mark.parametrize(("mode", "eats"), [(2, False), (6, True)])
def test_an_odd_balance_can_eat_all_gas(
    mode: int, eats: bool, deploy_contract: DeployContract, anvil: AnvilNode, accounts: list[str]
) -> None:
    odd, reader = deploy_contract("OddBalance", mode, 7), deploy_contract("Multicall3")
    question = bytes.fromhex(call_data("balanceOf(address)", [accounts[1]])[2:])
    data = call_data("aggregate3((address,bool,bytes)[])", [[(odd.address, True, question)]])
    receipt = send(anvil, accounts[0], reader.address, data=data, gas=hex(10_000_000))
    assert (int(receipt["gasUsed"], 16) > 9_000_000) == eats


EVIL = [b"", b"\x00\x1b[31mUSDC\x07", b"<script>alert(1)</script>", b"\xff\xfe\xc3", "U\u202eCDS".encode(), b"x" * 8192]


@pytest.mark.devnet
@pytest.mark.parametrize("symbol", EVIL, ids=["empty", "control", "html", "no utf-8", "direction", "huge"])
def test_evil_symbols_arrive_as_they_are(symbol: bytes, deploy_contract: DeployContract, anvil: AnvilNode) -> None:
    token = deploy_contract("EvilSymbol", b"n", symbol, 2**256 - 1)
    assert call(anvil, token.address, "symbol()(bytes)") == symbol
    assert token.call("decimals") == 2**256 - 1
    if symbol == b"\xff\xfe\xc3":
        with pytest.raises(MalformedAnswer):
            call(anvil, token.address, "symbol()(string)")


@pytest.mark.devnet
def test_the_splitter_pays_inside_a_transaction(
    deploy_contract: DeployContract, anvil: AnvilNode, accounts: list[str]
) -> None:
    receivers = ["0x" + f"{number:040x}" for number in range(0xABC0, 0xABC3)]
    splitter = deploy_contract("Splitter")
    receipt = splitter.transact("split", receivers, value_wei=10)
    assert [anvil.balance(receiver) for receiver in receivers] == [3, 3, 3]
    assert anvil.balance(splitter.address) == 0, "the remainder goes back to the sender"
    assert receipt["logs"] == []
    with pytest.raises((TransactionReverted, NodeRefused)):
        splitter.transact("split", [], value_wei=10)


@pytest.mark.devnet
def test_selfdestruct_pays_who_refuses(deploy_contract: DeployContract, anvil: AnvilNode) -> None:
    refuser = deploy_contract("Erc20", "n", "s", 0)
    with pytest.raises((TransactionReverted, NodeRefused)):
        send(anvil, refuser.deployer, refuser.address, value_wei=5)
    sender = deploy_contract("SelfDestruct", value_wei=5)
    assert sender.transact("destroy", refuser.address)["logs"] == []
    assert anvil.balance(refuser.address) == 5


@pytest.mark.devnet
def test_decimals_that_change(deploy_contract: DeployContract) -> None:
    token = deploy_contract("UpgradableDecimals", 6)
    assert token.call("decimals") == 6
    token.transact("set_decimals", 18)
    assert token.call("decimals") == 18


@pytest.mark.devnet
@pytest.mark.parametrize("count", range(5))
def test_odd_logs_are_any_logs(count: int, deploy_contract: DeployContract, accounts: list[str]) -> None:
    odd = deploy_contract("OddLogs")
    topics = [bytes.fromhex(TRANSFER[2:]), *(bytes([number]) * 32 for number in range(1, 4))][:count]
    (log,) = odd.transact("emit", topics, b"\x01\x02")["logs"]
    assert (log["topics"], log["data"]) == (["0x" + topic.hex() for topic in topics], "0x0102")
    assert odd.transact("set_balance", accounts[1], 9)["logs"] == []
    assert odd.call("balanceOf", accounts[1]) == 9


@pytest.mark.devnet
class TestMulticall3:
    def test_answers_in_order_with_success(
        self, deploy_erc20: DeployErc20, deploy_contract: DeployContract, anvil: AnvilNode, accounts: list[str]
    ) -> None:
        token, odd = deploy_erc20("USDX", 6, 42), deploy_contract("OddBalance", 2, 7)
        place(anvil, "Multicall3", MULTICALL3_ADDRESS)
        ask = bytes.fromhex(call_data("balanceOf(address)", [accounts[0]])[2:])
        calls = [(token.address, True, ask), (odd.address, True, ask), (accounts[5], True, ask)]
        answers = call(anvil, MULTICALL3_ADDRESS, "aggregate3((address,bool,bytes)[])((bool,bytes)[])", [calls])
        assert answers == ((True, (42).to_bytes(32, "big")), (False, b""), (True, b""))
        with pytest.raises(NodeRefused, match="Multicall3: call failed"):
            call(
                anvil,
                MULTICALL3_ADDRESS,
                "aggregate3((address,bool,bytes)[])((bool,bytes)[])",
                [[(odd.address, False, ask)]],
            )

    def test_says_where_it_runs(self, deploy_contract: DeployContract, anvil: AnvilNode, accounts: list[str]) -> None:
        reader: Deployed = deploy_contract("Multicall3")
        anvil.mine(3)
        head = anvil.block()
        assert reader.call("getChainId") == anvil.chain_id
        assert reader.call("getBlockNumber") == int(head["number"], 16)
        assert reader.call("getCurrentBlockTimestamp") == int(head["timestamp"], 16)
        assert "0x" + reader.call("getLastBlockHash").hex() == head["parentHash"]
        assert reader.call("getEthBalance", accounts[3]) == anvil.balance(accounts[3])


@pytest.mark.devnet
def test_a_reverted_transaction_is_an_error_that_names_it(anvil: AnvilNode, accounts: list[str]) -> None:
    token = deploy(anvil, "Erc20", ["n", "s", 6])
    data = call_data("transfer(address,uint256)", [accounts[1], 1])
    with pytest.raises(TransactionReverted, match="reverted"):
        send(anvil, accounts[0], token, data=data, gas=hex(100_000))
    with pytest.raises(NodeRefused):  # without a gas limit the node tries first and refuses to send
        transact(anvil, accounts[0], token, "transfer(address,uint256)", [accounts[1], 1])


@pytest.mark.devnet
def test_without_automine_a_block_is_mined_for_the_transaction(anvil: AnvilNode, accounts: list[str]) -> None:
    anvil.set_automine(False)
    height = anvil.block_number()
    assert int(send(anvil, accounts[0], accounts[1], value_wei=5)["blockNumber"], 16) == height + 1
