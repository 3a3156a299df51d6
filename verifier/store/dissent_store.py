"""What nodes disagreed about, kept in the journal itself, before anything rests on what a quorum agreed about."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from chains.agreement import DisagreementSubject, NodeAnswer, NodeDisagreement
from chains.types import (
    Address,
    Asset,
    AssetId,
    BlockRef,
    ChainId,
    Holding,
    Transfer,
    TransferKind,
    utc_text,
)
from verifier.store.engine import Database
from verifier.store.tables import JournalEntryRow, SweepEndRow, SweepRow, table

ENTRY, SWEEP, END = table(JournalEntryRow), table(SweepRow), table(SweepEndRow)
KIND: Final = "nodes.disagreed"
PER_ENTRY: Final = 200
"""Disagreements in one entry; a node that lies about everything makes more entries, not one without end."""


class DissentStore(Database):
    """The side of the store that keeps what operators disagree about."""

    def add_disagreements(
        self, chain_id: ChainId, disagreements: Sequence[NodeDisagreement], actor: str, now: datetime
    ) -> None:
        """Record disagreements. They are findings of the next sweep of the chain that completes."""
        for first in range(0, len(disagreements), PER_ENTRY):
            told = [_to_json(each) for each in disagreements[first : first + PER_ENTRY]]
            payload = {"chain_id": chain_id, "disagreements": told}
            with self.record(KIND, actor, payload, now, payload_is_the_record=True):
                pass

    def disagreements(self, chain_id: ChainId) -> list[NodeDisagreement]:
        """What nodes of a chain disagreed about since its last completed sweep, oldest first, each once."""
        completed = (
            sa.select(sa.func.max(END.c.journal_sequence))
            .join_from(END, SWEEP, END.c.sweep_key == SWEEP.c.record_id)
            .where(SWEEP.c.chain_id == chain_id, END.c.abandoned == "")
        )
        query = (
            sa.select(ENTRY.c.payload)
            .where(ENTRY.c.sequence > sa.func.coalesce(completed.scalar_subquery(), 0), ENTRY.c.kind == KIND)
            .order_by(ENTRY.c.sequence)
        )
        with self.read() as connection:
            payloads = [json.loads(payload) for payload in connection.execute(query).scalars()]
        found = (
            _from_json(each) for said in payloads if said["chain_id"] == chain_id for each in said["disagreements"]
        )
        return list(dict.fromkeys(found))


def _to_json(disagreement: NodeDisagreement) -> dict[str, object]:
    holding, transfer, block = disagreement.holding, disagreement.transfer, disagreement.block
    return {
        "subject": disagreement.subject.value,
        "chain_id": disagreement.chain_id,
        "height": disagreement.height,
        "answers": [[answer.node_id, answer.operator, answer.said] for answer in disagreement.answers],
        "agreed": disagreement.agreed,
        "block": None if block is None else _block_json(block),
        "holding": None if holding is None else {"address": holding.address, "asset": _asset_json(holding.asset)},
        "transfer": None if transfer is None else _transfer_json(transfer),
        "name": disagreement.name,
    }


def _from_json(told: Mapping[str, Any]) -> NodeDisagreement:
    block = None if told["block"] is None else _block(told["block"])
    holding, transfer = told["holding"], told["transfer"]
    return NodeDisagreement(
        subject=DisagreementSubject(told["subject"]),
        chain_id=ChainId(told["chain_id"]),
        height=told["height"],
        answers=tuple(NodeAnswer(*answer) for answer in told["answers"]),
        agreed=told["agreed"],
        block=block,
        holding=None if holding is None else Holding(Address(holding["address"]), _asset(holding["asset"])),
        transfer=None if transfer is None else _transfer(transfer),
        name=told["name"],
    )


def _block_json(block: BlockRef) -> list[object]:
    return [block.chain_id, block.height, block.block_hash, block.parent_hash, utc_text(block.timestamp)]


def _block(told: Sequence[Any]) -> BlockRef:
    chain_id, height, block_hash, parent_hash, timestamp = told
    return BlockRef(ChainId(chain_id), height, block_hash, parent_hash, datetime.fromisoformat(timestamp))


def _asset_json(asset: Asset) -> list[object]:
    return [asset.asset_id, asset.symbol, asset.decimals]


def _asset(told: Sequence[Any]) -> Asset:
    asset_id, symbol, decimals = told
    return Asset(AssetId(asset_id), symbol, decimals)


def _transfer_json(transfer: Transfer) -> dict[str, object]:
    return {
        "block": _block_json(transfer.block),
        "tx_id": transfer.tx_id,
        "index": transfer.index,
        "asset": _asset_json(transfer.asset),
        "sender": transfer.sender,
        "receiver": transfer.receiver,
        "base_units": str(transfer.base_units),
        "kind": transfer.kind.value,
    }


def _transfer(told: Mapping[str, Any]) -> Transfer:
    return Transfer(
        block=_block(told["block"]),
        tx_id=told["tx_id"],
        index=told["index"],
        asset=_asset(told["asset"]),
        sender=told["sender"],
        receiver=told["receiver"],
        base_units=int(told["base_units"]),
        kind=TransferKind(told["kind"]),
    )
