"""The Bitcoin adapter, for the CAIP-2 namespace `bip122`.

Blocks are followed, and balances are what our own ledger of output scripts says. See docs/bitcoin.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from chains.bitcoin.networks import network_of
from chains.bitcoin.private_keys import refuse_private_keys
from chains.bitcoin.script import canonical_address
from chains.errors import InvalidValue
from chains.types import Address, AssetId, ChainId

if TYPE_CHECKING:
    from chains.bitcoin.descriptors import Descriptor
    from chains.bitcoin.reader import BitcoinReader
    from chains.reader import ChainConfig, NodeConfig


class BitcoinPlugin:
    """A `chains.reader.ChainPlugin`; parsing loads no network code."""

    namespace = "bip122"

    def parse_address(self, chain_id: ChainId, text: str) -> Address:
        """Check an address strictly for the chain's network; see `chains.bitcoin.script.canonical_address`.

        A private key in its place is refused without being repeated.
        """
        refuse_private_keys(text)
        return canonical_address(network_of(chain_id), text)

    def parse_descriptor(self, chain_id: ChainId, text: str) -> Descriptor:
        """Read an output descriptor of the chain's network; see `chains.bitcoin.descriptors.parse_descriptor`."""
        from chains.bitcoin.descriptors import parse_descriptor

        return parse_descriptor(network_of(chain_id), text)

    def parse_asset_id(self, text: str) -> AssetId:
        """Check the CAIP-19 id of a network's coin; there is no other asset on these chains."""
        chain, _, _ = text.partition("/")
        if not chain.startswith("bip122:"):
            raise InvalidValue(f"{text!r} is not an asset of a Bitcoin chain")
        wanted = network_of(ChainId(chain)).asset_id
        if text != wanted:
            raise InvalidValue(f"{text!r} is not the coin of its network, which is {wanted}")
        return wanted

    def open(
        self, config: ChainConfig, node: NodeConfig, *, capabilities: Mapping[str, str] | None = None
    ) -> BitcoinReader:
        """A reader of the chain through one node. What a node offers is asked anew each time: it costs two calls."""
        from chains.bitcoin.failures import BITCOIN_CORE
        from chains.bitcoin.reader import BitcoinReader
        from chains.transport import JsonRpcTransport

        transport = JsonRpcTransport(node, config.limits, dialect=BITCOIN_CORE)
        transport.start_budget(config.limits.sweep_budget_seconds)  # a reader serves one sweep
        return BitcoinReader(config, node.node_id, transport)


chain_plugin: Final = BitcoinPlugin()
