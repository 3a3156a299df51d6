"""Many holders of ETH and two ERC-20 tokens on a devnet, written straight into the state: 50,000 in some seconds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

from benchmarks.evm_multicall import lean_multicall3
from chains.devnet.anvil import AnvilNode
from chains.devnet.deploy import deploy
from chains.errors import ReadError
from chains.evm import abi
from chains.evm.addresses import checksum_address
from chains.evm.keccak import keccak256
from chains.evm.multicall3 import MULTICALL3_ADDRESS
from chains.jsonrpc import RpcCall
from chains.reader import ChainConfig, NodeConfig, ReadLimits
from chains.transport import JsonRpcTransport
from chains.types import Address, Asset, AssetId, ChainId, Finality, Holding

BALANCES_SLOT: Final = 8
"""Storage slot of `balanceOf` in our Erc20: before it Vyper's lock, three for the name, two for the symbol, decimals,
supply."""
CHUNK: Final = 1_000


@dataclass(slots=True)
class Crowd:
    """The holders so far and what each of them has, by construction and not by asking the node."""

    node: AnvilNode
    config: ChainConfig
    assets: tuple[Asset, ...]
    """ETH, then the tokens."""
    addresses: list[Address] = field(default_factory=list)
    balances: list[tuple[int, ...]] = field(default_factory=list)
    """For each address its base units of each asset."""
    _random: random.Random = field(default_factory=lambda: random.Random(20_260_131))

    @property
    def holdings(self) -> list[Holding]:
        """All of them, address by address."""
        return [Holding(address, asset) for address in self.addresses for asset in self.assets]

    @property
    def expected(self) -> list[int | None]:
        """What `holdings` must be found to be, in the same order."""
        return [units for row in self.balances for units in row]

    def grow(self, size: int) -> None:
        """Add holders up to this number, all in one new block. Raises `ReadError` when the node refuses."""
        with closing(self._transport()) as transport:
            while len(self.addresses) < size:
                calls: list[RpcCall] = []
                for _ in range(min(CHUNK, size - len(self.addresses))):
                    calls.extend(self._add_holder())
                for outcome in transport.batch(calls):
                    if isinstance(outcome, ReadError):
                        raise outcome
        self.node.mine()

    def _add_holder(self) -> Iterator[RpcCall]:
        raw = self._random.randbytes(20)
        # From dust to more than 64 bits, and now and then nothing at all: the account does not even exist then.
        nothing = self._random.random() < 0.02
        row = tuple(0 if nothing else self._random.getrandbits(self._random.randint(1, 90)) for _ in self.assets)
        self.addresses.append(checksum_address(raw))
        self.balances.append(row)
        if nothing:
            return
        yield RpcCall("anvil_setBalance", (abi.hex_text(raw), hex(row[0])))
        # Vyper hashes the slot first and then the key; Solidity the other way round.
        slot = abi.hex_text(keccak256(abi.word(BALANCES_SLOT) + abi.address_word(raw)))
        for asset, units in zip(self.assets[1:], row[1:], strict=True):
            token = asset.asset_id.rpartition(":")[2]
            yield RpcCall("anvil_setStorageAt", (token, slot, abi.hex_text(abi.word(units))))

    def _transport(self) -> JsonRpcTransport:
        # Setting a value twice is the same as once, so the reader's transport with its retries may do it.
        return JsonRpcTransport(self.config.nodes[0], ReadLimits(batch_size_max=CHUNK))


def empty_crowd(node: AnvilNode) -> Crowd:
    """Deploy the tokens and Multicall3; nobody holds anything yet."""
    chain_id = ChainId(f"eip155:{node.chain_id}")
    node.set_code(abi.hex_text(MULTICALL3_ADDRESS), abi.hex_text(lean_multicall3()))
    assets = [Asset(AssetId(f"{chain_id}/slip44:60"), "ETH", 18)]
    for symbol, decimals in (("USDX", 6), ("TKN", 18)):
        address = deploy(node, "Erc20", [f"{symbol} for measuring", symbol, decimals])
        assets.append(Asset(AssetId(f"{chain_id}/erc20:{address}"), symbol, decimals))
    config = ChainConfig(
        chain_id=chain_id,
        name="devnet",
        genesis_hash=node.block_hash(0),
        nodes=(NodeConfig("anvil", "local", node.url),),
        finality=Finality.parse("latest"),
        native_asset=assets[0],
    )
    return Crowd(node, config, tuple(assets))
