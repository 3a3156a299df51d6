"""The demonstration's chain: two tokens, four client wallets, the firm's treasury and a stranger, on a fresh Anvil."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from chains.devnet.deploy import deploy, send, transact
from chains.devnet.node import AnvilNode

USDX_DECIMALS = 6
TBX_DECIMALS = 18
CONFIRMATIONS = 2
"""Blocks on top of the swept one; the story mines them before each sweep."""


class Chain(Protocol):
    """What the books must know of a chain."""

    @property
    def chain_id(self) -> str:
        """CAIP-2 id."""


@dataclass(frozen=True, slots=True)
class World:
    """Who is who on the demonstration's chain. All addresses are checksummed."""

    node: AnvilNode
    usdx: str
    tbx: str
    outside: str
    """Where clients' deposits come from."""
    omnibus: str
    client_1004: str
    client_1005: str
    broker_2001: str
    treasury: str
    """The firm's own address."""
    client_1001_own: str
    """An address of client 1001 outside the firm."""
    stranger: str

    @property
    def chain_id(self) -> str:
        """CAIP-2 id of the chain."""
        return f"eip155:{self.node.chain_id}"

    def now(self) -> datetime:
        """The time of the newest block; the story's books use the chain's clock."""
        return datetime.fromtimestamp(int(self.node.block()["timestamp"], 16), UTC)

    def pay(self, token: str, sender: str, receiver: str, base_units: int) -> str:
        """Send a token and return the transaction hash."""
        receipt = transact(self.node, sender, token, "transfer(address,uint256)", [receiver, base_units])
        return str(receipt["transactionHash"])

    def pay_native(self, sender: str, receiver: str, wei: int) -> str:
        """Send the native coin and return the transaction hash."""
        return str(send(self.node, sender, receiver, value_wei=wei)["transactionHash"])

    def confirm(self) -> None:
        """Mine the blocks that make everything so far final by the configuration."""
        self.node.mine(CONFIRMATIONS)


def usdx(quantity: str) -> int:
    """Base units of a quantity of USDX."""
    whole, _, fraction = quantity.replace(",", "").partition(".")
    return int(whole + fraction.ljust(USDX_DECIMALS, "0"))


def tbx(quantity: str) -> int:
    """Base units of a quantity of TBX (and wei of a quantity of ETH: both have 18 decimals)."""
    whole, _, fraction = quantity.replace(",", "").partition(".")
    return int(whole + fraction.ljust(TBX_DECIMALS, "0"))


def build_world(node: AnvilNode) -> World:
    """Deploy the tokens and fund the wallets so that the chain holds exactly what the books will say."""
    outside, omnibus, c1004, c1005, b2001, treasury, own, stranger = node.accounts()[:8]
    token_6 = deploy(node, "Erc20", ["USDX test dollar", "USDX", USDX_DECIMALS], sender=outside)
    token_18 = deploy(node, "Erc20", ["TBX test treasury bill", "TBX", TBX_DECIMALS], sender=outside)
    world = World(node, token_6, token_18, outside, omnibus, c1004, c1005, b2001, treasury, own, stranger)
    # Anvil's accounts start rich; client wallets start with what the books allocate to them and nothing else.
    node.set_balance(omnibus, tbx("3.5"))
    for wallet in (c1004, c1005, b2001):
        node.set_balance(wallet, tbx("0.1"))
    for token, amount in ((token_6, usdx("10000000")), (token_18, tbx("10000"))):
        transact(node, outside, token, "mint(address,uint256)", [outside, amount])
    for token, wallet, amount in (
        (token_6, omnibus, usdx("445000.50")),
        (token_18, omnibus, tbx("14.25")),
        (token_6, c1004, usdx("1000000")),
        (token_18, c1005, tbx("42")),
        (token_6, b2001, usdx("500000")),
    ):
        world.pay(token, outside, wallet, amount)
    return world
