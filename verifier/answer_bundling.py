"""Kept answers of nodes from the store into the bundle: those that decide its balances, each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from chains.types import Address, AssetId, ReadStatus
from exports.answer_records import NodeAnswerRecord
from exports.records import BalanceRecord
from verifier.store import Store, SweepStart
from verifier.store.answer_store import StoredRead

ANSWERS_MAX: Final = 8_000
ANSWER_BYTES_MAX: Final = 512 * 1024 * 1024
"""Most answers, and most of their bytes, that one bundle takes: readers have limits."""
NOT_KEPT: Final = "no answer was kept when it was read"
TOO_MUCH: Final = f"more than {ANSWERS_MAX} answers or {ANSWER_BYTES_MAX // 2**20} MiB: they stay with the firm"


@dataclass(frozen=True, slots=True)
class BundledAnswers:
    """The records, and the exchanges they name by digest."""

    records: list[NodeAnswerRecord] = field(default_factory=list)
    answers: dict[str, bytes] = field(default_factory=dict)


def bundled_answers(store: Store, sweeps: Sequence[SweepStart], balances: Sequence[BalanceRecord]) -> BundledAnswers:
    """What the sweeps kept of the balances in a bundle; nothing of a sweep that kept no answer."""
    found = BundledAnswers()
    for start in sweeps:
        reads = store.kept_reads(start)
        own = {(each.address, each.asset_id): each for each in balances if each.sweep_id == start.sweep_id}
        records = [_record(start, read) for read in reads if _decides(read, own)]
        if not any(record.answers for record in records):
            continue
        answers = store.node_answers(digest for record in records for digest in record.answers)
        together = found.answers | answers
        if len(together) > ANSWERS_MAX or sum(map(len, together.values())) > ANSWER_BYTES_MAX:
            records = [replace(record, answers=(), reason=TOO_MUCH) for record in records]
        else:
            found.answers.update(answers)
        found.records.extend([*records, *_left_over(start, records, own)])
    return found


def _record(start: SweepStart, read: StoredRead) -> NodeAnswerRecord:
    return NodeAnswerRecord(
        sweep_id=start.sweep_id,
        chain_id=start.chain_id,
        node_id=read.node_id,
        method=read.method,
        addresses=read.addresses,
        asset_ids=read.asset_ids,
        decided=read.decided,
        answers=read.digests,
        reason=read.reason,
    )


def _decides(read: StoredRead, balances: dict[tuple[Address, AssetId], BalanceRecord]) -> bool:
    """Whether the answers of this node stand behind a balance: a quorum's other nodes said the same, or dissented."""
    found = (balances.get((address, asset)) for asset in read.asset_ids for address in read.addresses[: read.decided])
    return any(balance is not None and balance.node_id == read.node_id for balance in found)


def _left_over(
    start: SweepStart, records: Sequence[NodeAnswerRecord], balances: dict[tuple[Address, AssetId], BalanceRecord]
) -> list[NodeAnswerRecord]:
    """Balances that were read without keeping the answers, as when a setting changed while a sweep was unfinished."""
    decided = {
        (record.node_id, address, asset)
        for record in records
        for asset in record.asset_ids
        for address in record.addresses[: record.decided]
    }
    missing: dict[tuple[str, str, AssetId], list[Address]] = {}
    for (address, asset), balance in balances.items():
        if balance.status is ReadStatus.OK and (balance.node_id, address, asset) not in decided:
            missing.setdefault((balance.node_id, balance.method, asset), []).append(address)
    return [
        NodeAnswerRecord(
            sweep_id=start.sweep_id,
            chain_id=start.chain_id,
            node_id=node_id,
            method=method,
            addresses=tuple(sorted(addresses)),
            asset_ids=(asset,),
            decided=len(addresses),
            answers=(),
            reason=NOT_KEPT,
        )
        for (node_id, method, asset), addresses in sorted(missing.items())
    ]
