"""Putting into words what nodes disagree about, for each kind of question. No node is asked here."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

from chains.agreement import DisagreementSubject, NodeAnswer, NodeDisagreement, Witness
from chains.types import BlockRef, ChainId, Transfer, TransferScan, utc_text

Said = TypeVar("Said", bound=Hashable)


def disputed(
    chain_id: ChainId,
    subject: DisagreementSubject,
    height: int,
    answers: Mapping[Witness, Said],
    agreed: Said | None,
    said: Callable[[Said], str],
    *,
    block: BlockRef | None = None,
    name: str = "",
) -> NodeDisagreement | None:
    """The disagreement there is when nodes gave different answers; None when they did not.

    `said` puts an answer into words. Answers that differ in what the words leave out are spelt out in full.
    """
    if len(set(answers.values())) < 2:
        return None
    distinct = {said(answer) for answer in answers.values()}
    words = said if len(distinct) == len(set(answers.values())) else repr
    return NodeDisagreement(
        subject=subject,
        chain_id=chain_id,
        height=height,
        answers=node_answers(answers, words),
        agreed=None if agreed is None else words(agreed),
        block=block,
        name=name,
    )


def node_answers(answers: Mapping[Witness, Said], said: Callable[[Said], str]) -> tuple[NodeAnswer, ...]:
    """What each node said, in words."""
    return tuple(NodeAnswer(node.node_id, node.operator, said(answer)) for node, answer in answers.items())


def transfer_disputes(
    chain_id: ChainId, scans: Mapping[Witness, TransferScan], agreed: TransferScan | None
) -> list[NodeDisagreement]:
    """Every difference between scans of the same blocks: blocks, then each transfer, then events not understood."""
    return [
        *_differing_blocks(chain_id, scans, agreed),
        *_differing_transfers(chain_id, scans, agreed),
        *_differing_events(chain_id, scans, agreed),
    ]


def _differing_blocks(
    chain_id: ChainId, scans: Mapping[Witness, TransferScan], agreed: TransferScan | None
) -> list[NodeDisagreement]:
    by_node = {node: {block.height: block for block in scan.blocks} for node, scan in scans.items()}
    own = {block.height: block for block in agreed.blocks} if agreed is not None else {}
    disputes = []
    for height in sorted({height for blocks in by_node.values() for height in blocks}):
        found = {node: blocks.get(height) for node, blocks in by_node.items()}
        dispute = disputed(
            chain_id, DisagreementSubject.BLOCK, height, found, own.get(height), lambda b: b.block_hash if b else "none"
        )
        if dispute is not None:
            disputes.append(dispute)
    return disputes


def _differing_transfers(
    chain_id: ChainId, scans: Mapping[Witness, TransferScan], agreed: TransferScan | None
) -> list[NodeDisagreement]:
    by_node = {node: {each.transfer_id: each for each in scan.transfers} for node, scan in scans.items()}
    own = {each.transfer_id: each for each in agreed.transfers} if agreed is not None else {}
    accounts = {each.transfer_id: each for scan in scans.values() for each in scan.transfers}
    disputes = []
    for transfer_id, account in sorted(accounts.items(), key=_place):
        found = {node: transfers.get(transfer_id) for node, transfers in by_node.items()}
        if len(set(found.values())) < 2:
            continue
        shown = own.get(transfer_id)
        disputes.append(
            NodeDisagreement(
                subject=DisagreementSubject.TRANSFER,
                chain_id=chain_id,
                height=account.block.height,
                answers=node_answers(found, _transfer_words),
                agreed=None if agreed is None else _transfer_words(shown),
                block=account.block,
                transfer=shown or account,
            )
        )
    return disputes


def _place(named: tuple[str, Transfer]) -> tuple[int, str, int, str]:
    transfer_id, transfer = named
    return transfer.block.height, transfer.tx_id, transfer.index, transfer_id


def _transfer_words(transfer: Transfer | None) -> str:
    """All of a transfer that nodes can differ about under one id, the block's own time included."""
    if transfer is None:
        return "there is no such transfer"
    return (
        f"{transfer.base_units} base units of {transfer.asset.asset_id} from {transfer.sender or 'nobody'} to "
        f"{transfer.receiver or 'nobody'} at {utc_text(transfer.block.timestamp)}"
    )


def _differing_events(
    chain_id: ChainId, scans: Mapping[Witness, TransferScan], agreed: TransferScan | None
) -> list[NodeDisagreement]:
    disputes = []
    for asset_id in sorted({asset_id for scan in scans.values() for asset_id in scan.unparsed}):
        found = {node: scan.unparsed.get(asset_id, 0) for node, scan in scans.items()}
        last = next(scan.blocks[-1] for scan in scans.values())
        dispute = disputed(
            chain_id,
            DisagreementSubject.UNPARSED_EVENTS,
            last.height,
            found,
            None if agreed is None else agreed.unparsed.get(asset_id, 0),
            lambda count: f"{count} events that cannot be read",
            block=last,
            name=asset_id,
        )
        if dispute is not None:
            disputes.append(dispute)
    return disputes
