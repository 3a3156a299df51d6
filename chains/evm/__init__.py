"""EVM chains: the adapter registered for the CAIP-2 namespace `eip155`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from chains.errors import InvalidValue
from chains.evm.addresses import parse_address, parse_evm_asset_id
from chains.types import Address, AssetId, ChainId

if TYPE_CHECKING:
    from chains.evm.reader import EvmReader, HeadMemory
    from chains.reader import ChainConfig, NodeConfig


class EvmPlugin:
    """A `chains.reader.ChainPlugin`; parsing loads no network code."""

    namespace = "eip155"

    def parse_address(self, chain_id: ChainId, text: str) -> Address:
        """Check an address and its EIP-55 checksum; see `chains.evm.addresses.parse_address`."""
        return parse_address(text)

    def parse_asset_id(self, text: str) -> AssetId:
        """Check the CAIP-19 id of a native coin or ERC-20 token."""
        return parse_evm_asset_id(text)

    def open(
        self,
        config: ChainConfig,
        node: NodeConfig,
        *,
        capabilities: Mapping[str, str] | None = None,
        head_memory: HeadMemory | None = None,
    ) -> EvmReader:
        """A reader of the chain through one node. Kept capabilities of another version are as good as none."""
        from chains.evm.probe import Capabilities
        from chains.evm.reader import EvmReader
        from chains.transport import JsonRpcTransport

        try:
            known = Capabilities.from_words(capabilities) if capabilities else None
        except InvalidValue:
            known = None
        transport = JsonRpcTransport(node, config.limits)
        transport.start_budget(config.limits.sweep_budget_seconds)  # a reader serves one sweep
        return EvmReader(
            config,
            node.node_id,
            transport,
            capabilities=known,
            head_memory=head_memory,
        )


chain_plugin: Final = EvmPlugin()
