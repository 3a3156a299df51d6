"""A small world on a real Anvil node: two tokens, an outside, the firm's own address, and client wallets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chains.devnet.deploy import call_data, deployed, send, transact
from chains.devnet.node import AnvilNode
from chains.evm.addresses import checksum_address
from chains.types import Address

GAS_MONEY = 10**18
"""Wei put at a wallet before it sends; only tests that have the native coin in their books see it."""


def address(number: int) -> Address:
    """An address nobody has the key of, in its checksummed spelling."""
    return checksum_address(bytes.fromhex(f"c0ffee{number:034x}"))


OMNIBUS, SECOND, THIRD, SEGREGATED = address(1), address(2), address(3), address(4)
STRANGER, PAYEE, FIRM, OUTSIDE = address(101), address(102), address(103), address(104)


class AnvilWorld:
    """What happens on the chain. Every act is one transaction in one block of its own."""

    def __init__(self, node: AnvilNode) -> None:
        self.node = node
        self._deployer = node.accounts()[0]
        self.usdx = deployed(node, "Erc20", ["USDX test dollar", "USDX", 6])
        self.tbx = deployed(node, "Erc20", ["TBX test bill", "TBX", 18])

    @property
    def chain_id(self) -> str:
        """CAIP-2 id."""
        return f"eip155:{self.node.chain_id}"

    def head_time(self) -> datetime:
        """Time of the newest block."""
        return datetime.fromtimestamp(int(self.node.block()["timestamp"], 16), UTC)

    def mint(self, receiver: str, base_units: int, token: str | None = None) -> str:
        """Let base units of a token come into being at an address, USDX unless another is named."""
        receipt = transact(
            self.node, self._deployer, token or self.usdx.address, "mint(address,uint256)", [receiver, base_units]
        )
        return str(receipt["transactionHash"])

    def pay(self, sender: str, receiver: str, base_units: int, token: str | None = None) -> str:
        """Move base units of a token; the sender's key is not needed. Returns the transaction's id."""
        self._enable(sender)
        receipt = transact(
            self.node, sender, token or self.usdx.address, "transfer(address,uint256)", [receiver, base_units]
        )
        return str(receipt["transactionHash"])

    def act(self, sender: str, contract: str, signature: str, *args: object) -> str:
        """Let anybody call any function; the sender's key is not needed. Returns the transaction's id."""
        self._enable(sender)
        return str(transact(self.node, sender, contract, signature, list(args))["transactionHash"])

    def pay_native(self, sender: str, receiver: str, wei: int) -> tuple[str, int]:
        """Move the native coin. Returns the transaction's id and the fee in wei."""
        self._enable(sender)
        receipt = send(self.node, sender, receiver, value_wei=wei)
        return str(receipt["transactionHash"]), _fee(receipt)

    def pay_for(self, sender: str, receiver: str, base_units: int, *, gas_price: int) -> tuple[str, int]:
        """Move USDX at a gas price in wei. Returns the transaction's id and the fee in wei."""
        self._enable(sender)
        data = call_data("transfer(address,uint256)", [receiver, base_units])
        receipt = send(self.node, sender, self.usdx.address, data=data, gasPrice=hex(gas_price))
        return str(receipt["transactionHash"]), _fee(receipt)

    def give_native(self, receiver: str, wei: int) -> None:
        """Pay the native coin from one of the node's rich accounts."""
        send(self.node, self._deployer, receiver, value_wei=wei)

    def mine(self, blocks: int = 1) -> None:
        """Add empty blocks."""
        self.node.mine(blocks)

    def reorg_with_payment(self, depth: int, sender: str, receiver: str, base_units: int) -> None:
        """Replace the newest blocks by others, the first of which holds a payment of USDX."""
        data = call_data("transfer(address,uint256)", [receiver, base_units])
        # Anvil estimates gas in the state that goes away, so the limit is given.
        transaction: dict[str, object] = {"from": sender, "to": self.usdx.address, "data": data, "gas": hex(200_000)}
        self.node.reorg(depth, [(transaction, 0)])

    def _enable(self, sender: str) -> None:
        if sender not in self.node.impersonated:
            self.node.impersonate(sender)
        if not self.node.balance(sender):
            self.node.set_balance(sender, GAS_MONEY)


def _fee(receipt: dict[str, Any]) -> int:
    return int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
