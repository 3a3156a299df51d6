"""A proposal for a token's storage layout, from one node, in the form of the file that two people review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chains.errors import InvalidValue
from chains.evm.addresses import parse_evm_asset_id
from chains.evm.layout_discovery import FoundLayout, discover_layout
from chains.reader import ChainConfig
from chains.registry import plugin_for
from chains.transport import JsonRpcTransport
from chains.types import Address, AssetId, BlockRef
from mapping.tables.layouts import TOKEN_LAYOUTS
from verifier.errors import InputError


@dataclass(frozen=True, slots=True)
class LayoutProposal:
    """What was found, by whom and where."""

    found: FoundLayout
    node_id: str
    block: BlockRef

    def row(self) -> dict[str, str]:
        """The row of token_layouts.csv, without maker, checker and time."""
        layout = self.found.layout
        rule = {
            "mapping_slot": _slot(layout.mapping_slot),
            "first_bit": str(layout.first_bit),
            "bits": str(layout.bits),
            "code_hash": layout.code_hash,
            "implementation": layout.implementation or "",
            "implementation_slot": "" if layout.implementation_slot is None else _slot(layout.implementation_slot),
            "implementation_code_hash": layout.implementation_code_hash,
        }
        row = dict.fromkeys(TOKEN_LAYOUTS.column_names, "")
        return row | {
            "asset_id": layout.asset_id,
            "order": layout.order.value,
            **(rule if layout.is_provable else {}),
            "reason": layout.reason,
        }


def propose_layout(
    config: ChainConfig, asset_id: str, holders: Sequence[Address], node_id: str, now: datetime
) -> LayoutProposal:
    """Look for the layout of a token through one node at the block of the configured finality.

    Raises `InputError` for what is no ERC-20 token or no node of the chain, `ReadError` when the node cannot be asked.
    """
    try:
        parsed = parse_evm_asset_id(asset_id)
    except InvalidValue as error:
        raise InputError(str(error)) from None
    if "/erc20:" not in parsed:
        raise InputError(f"{asset_id} is no ERC-20 token: other assets have no layout")
    nodes = [node for node in config.nodes if node_id in ("", node.node_id)]
    if not nodes:
        raise InputError(f"{config.chain_id} has no node {node_id}")
    node = nodes[0]
    reader = plugin_for(config.chain_id).open(config, node)
    try:
        reader.identify()
        block = reader.pin(now=now).block
    finally:
        reader.close()
    transport = JsonRpcTransport(node, config.limits)
    try:
        return LayoutProposal(discover_layout(transport, block, AssetId(parsed), holders), node.node_id, block)
    finally:
        transport.close()


def _slot(slot: int) -> str:
    return str(slot) if slot < 1 << 32 else hex(slot)
