"""The Bitcoin networks: what tells them apart, and how each spells an address.

The values are those of Bitcoin Core's `chainparams.cpp`. A chain id is CAIP-2's `bip122:` and the first half of
the genesis block's hash. A signet may be private: those that are share the genesis block (and so the chain id) of the
public one and differ by who must sign their blocks, which no header shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chains.errors import InvalidValue
from chains.types import AssetId, ChainId

MAIN_POW_LIMIT: Final = int("00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 16)
SIGNET_POW_LIMIT: Final = int("00000377ae000000000000000000000000000000000000000000000000000000", 16)
REGTEST_POW_LIMIT: Final = int("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 16)
COIN: Final = 100_000_000
"""Satoshis in one bitcoin."""
DECIMALS: Final = 8


@dataclass(frozen=True, slots=True)
class Network:
    """One Bitcoin network."""

    name: str
    """As Bitcoin Core's `getblockchaininfo` calls it in `chain`."""
    genesis_hash: str
    """Hash of block 0 as people write it: 64 hex digits, last byte of the wire first."""
    p2pkh_version: int
    """First byte of a base58 address that names a key."""
    p2sh_version: int
    """First byte of a base58 address that names a script."""
    bech32_prefix: str
    """Human-readable part of segwit addresses."""
    pow_limit: int
    """Largest target a block may have; a larger target is less work."""
    coin_type: int
    """SLIP-44 coin type: 0 for bitcoin, 1 for the coins of every test network, which are worth nothing."""

    @property
    def chain_id(self) -> ChainId:
        """CAIP-2 chain id."""
        return ChainId(f"bip122:{self.genesis_hash[:32]}")

    @property
    def asset_id(self) -> AssetId:
        """CAIP-19 id of the network's coin."""
        return AssetId(f"{self.chain_id}/slip44:{self.coin_type}")


MAIN: Final = Network(
    name="main",
    genesis_hash="000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    p2pkh_version=0x00,
    p2sh_version=0x05,
    bech32_prefix="bc",
    pow_limit=MAIN_POW_LIMIT,
    coin_type=0,
)
TEST: Final = Network(
    name="test",
    genesis_hash="000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
    p2pkh_version=0x6F,
    p2sh_version=0xC4,
    bech32_prefix="tb",
    pow_limit=MAIN_POW_LIMIT,
    coin_type=1,
)
TESTNET4: Final = Network(
    name="testnet4",
    genesis_hash="00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
    p2pkh_version=0x6F,
    p2sh_version=0xC4,
    bech32_prefix="tb",
    pow_limit=MAIN_POW_LIMIT,
    coin_type=1,
)
SIGNET: Final = Network(
    name="signet",
    genesis_hash="00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
    p2pkh_version=0x6F,
    p2sh_version=0xC4,
    bech32_prefix="tb",
    pow_limit=SIGNET_POW_LIMIT,
    coin_type=1,
)
REGTEST: Final = Network(
    name="regtest",
    genesis_hash="0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
    p2pkh_version=0x6F,
    p2sh_version=0xC4,
    bech32_prefix="bcrt",
    pow_limit=REGTEST_POW_LIMIT,
    coin_type=1,
)

NETWORKS: Final = (MAIN, TEST, TESTNET4, SIGNET, REGTEST)
_BY_CHAIN_ID: Final = {network.chain_id: network for network in NETWORKS}


def network_of(chain_id: ChainId) -> Network:
    """The network a chain id names; raise `InvalidValue` for every other chain, forks of Bitcoin included."""
    try:
        return _BY_CHAIN_ID[chain_id]
    except KeyError:
        known = ", ".join(f"{network.chain_id} ({network.name})" for network in NETWORKS)
        raise InvalidValue(f"{chain_id!r} is no Bitcoin network that is read here: {known}") from None
