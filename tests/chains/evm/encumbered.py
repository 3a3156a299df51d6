"""Reading encumbrances on the test's chain in a few words, and delegating an account as EIP-7702 does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from eth_account import Account

from chains.devnet.anvil import AnvilNode
from chains.evm.encumbrance import read_encumbrances
from chains.evm.encumbrance_types import (
    ControlState,
    EncumbranceReading,
    EncumbranceSettings,
    Fact,
    GrantKind,
    Restriction,
)
from chains.reader import NodeConfig
from chains.transport import JsonRpcTransport
from chains.types import Address, Asset
from tests.chains.evm.conftest import LIMITS, EvmChain

KEY = b"\x51" * 32
"""The key of an account that signs its delegations itself."""


@dataclass
class Wallets:
    """What is watched, and how it is read."""

    chain: EvmChain
    assets: list[Asset]
    wallets: list[Address]

    def read(
        self,
        url: str | None = None,
        *,
        first_height: int = 0,
        settings: EncumbranceSettings | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> EncumbranceReading:
        reader = self.chain.reader()
        transport = JsonRpcTransport(NodeConfig("node-1", "operator-1", url or self.chain.node.url), LIMITS)
        try:
            return read_encumbrances(
                transport,
                replace(self.chain.config, **(config or {})),
                "node-1",
                self.chain.pin(reader),
                self.wallets,
                self.assets,
                first_height=first_height,
                settings=settings,
            )
        finally:
            transport.close()


def control(reading: EncumbranceReading, address: str) -> ControlState:
    (found,) = (each for each in reading.controls if each.address == address)
    return found


def facts(reading: EncumbranceReading, address: str) -> dict[str, str]:
    """The facts of an account but for the digest of its code."""
    return {str(name): text for name, text in control(reading, address).facts.items() if name is not Fact.CODE_HASH}


def grants(reading: EncumbranceReading, kind: GrantKind) -> list[tuple[str, str, int | None]]:
    """Owner, spender and amount of each grant; sorted by owner as a reading is."""
    return [(grant.owner, grant.spender, grant.base_units) for grant in reading.grants if grant.kind is kind]


def restrictions(reading: EncumbranceReading, holder: str | None) -> list[tuple[str, str]]:
    return [(each.question, str(each.answer)) for each in reading.restrictions if each.holder == holder]


def unread(found: Iterable[Restriction]) -> list[str]:
    return [each.reason.partition(":")[0] for each in found if each.reason]


def delegate(node: AnvilNode, target: str, key: bytes = KEY) -> Address:
    """Delegate the key's account to the contract in a transaction that it sends itself: its nonce goes up by two."""
    owner = Account.from_key(key)
    if node.balance(owner.address) == 0:
        node.set_balance(owner.address, 10**20)
    nonce = int(node.rpc("eth_getTransactionCount", owner.address, "latest"), 16)
    authorization = Account.sign_authorization(
        {"chainId": node.chain_id, "address": target, "nonce": nonce + 1}, owner.key
    )
    signed = Account.sign_transaction(
        {
            "type": 4,
            "chainId": node.chain_id,
            "nonce": nonce,
            "to": owner.address,
            "value": 0,
            "gas": 300_000,
            "maxFeePerGas": 10**10,
            "maxPriorityFeePerGas": 10**9,
            "data": b"",
            "authorizationList": [authorization],
        },
        owner.key,
    )
    node.rpc("eth_sendRawTransaction", "0x" + signed.raw_transaction.hex())
    node.mine()
    return Address(owner.address)
