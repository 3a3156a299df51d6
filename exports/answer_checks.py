"""Check 32: what nodes answered, decoded again, gives the balances of the bundle.

The requests are built anew from the record and must be those in the kept exchange; then the answers are decoded by the
same strategies as in a sweep, without any node. It shows that nobody misread, mistyped or left out an answer. It does
not show that the node said the truth, nor that it said it: an answer that a firm kept is still the firm's word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from chains.errors import ChainError
from chains.types import Address, AssetId, BlockRef, ChainId, ReadStatus, chain_namespace
from exports.answer_records import NodeAnswerRecord
from exports.contents import Contents
from exports.errors import BundleError
from exports.manifest import ANSWER_FOLDER
from exports.records import BalanceRecord, SweepRecord
from exports.verdict import Outcome

if TYPE_CHECKING:
    from chains.kept_answers import KeptExchange

Place = tuple[ChainId, Address, AssetId]
_UNUSABLE = (ChainError, BundleError, ValueError, ArithmeticError, LookupError, TypeError)
"""What a hostile answer can do to a decoder: it decides nothing then."""
_EXCHANGES_HELD = 8
"""Exchanges kept while records are read: several records may name one."""


def check_answers(contents: Contents, read: Callable[[str], bytes]) -> Outcome | None:
    """Every kept answer against the balances; None where the bundle has none. `read` gives an answer by digest."""
    if not any(record.answers for record in contents.node_answers) and not _named_files(contents):
        return None
    return _Replay(contents, read).outcome()


def _named_files(contents: Contents) -> set[str]:
    """The digests of the answers that the manifest names."""
    names = (file.name for file in contents.manifest.files)
    return {name.removeprefix(ANSWER_FOLDER) for name in names if name.startswith(ANSWER_FOLDER)}


class _Replay:
    """One pass over all records of kept answers."""

    def __init__(self, contents: Contents, read: Callable[[str], bytes]) -> None:
        self._contents = contents
        self._files = _named_files(contents)
        self._balances: dict[Place, BalanceRecord] = {
            (each.chain_id, each.address, each.asset_id): each for each in contents.balances
        }
        self._decided: set[Place] = set()
        self._asked: dict[str, set[bytes]] = {}
        self._compared = self._not_kept = 0
        self._exchange = lru_cache(_EXCHANGES_HELD)(lambda digest: _parsed(read(digest)))

    def outcome(self) -> Outcome:
        """What is wrong, and how many balances were decoded again."""
        records = self._contents.node_answers
        problems = [text for record in records for text in self._judge(record)]
        named = {digest for record in records for digest in record.answers}
        problems += [f"{ANSWER_FOLDER}{digest} decides nothing" for digest in sorted(self._files - named)]
        problems += self._foreign_calls()
        problems += self._undecided()
        note = f"{self._not_kept} balances without a kept answer, for a reason each" if self._not_kept else ""
        return Outcome(self._compared, problems, note=note)

    def _judge(self, record: NodeAnswerRecord) -> Iterator[str]:
        where = f"{record.chain_id}: {record.node_id} by {record.method}, from {record.addresses[0]} on"
        sweep = self._contents.sweep_of(record.chain_id)
        if sweep is None or sweep.sweep_id != record.sweep_id or chain_namespace(record.chain_id) != "eip155":
            yield f"{where}: of another sweep, or of no EVM chain"
            return
        places = [
            (record.chain_id, address, asset_id)
            for asset_id in record.asset_ids
            for address in record.addresses[: record.decided]
        ]
        own = [(place, self._balances[place]) for place in places if self._is_of(place, record)]
        if not own:
            yield f"{where}: decides no balance of this bundle"
        for place, _ in own:
            if place in self._decided:
                yield f"{where}: {place[2]} of {place[1]} is decided twice"
            self._decided.add(place)
        if not record.answers:
            self._not_kept += len(own)
            return
        if missing := [digest for digest in record.answers if digest not in self._files]:
            yield f"{where}: {ANSWER_FOLDER}{missing[0]} is missing"
            return
        yield from self._replayed(record, sweep, [balance for _, balance in own], where)

    def _is_of(self, place: Place, record: NodeAnswerRecord) -> bool:
        """Whether a place is a balance that this node gave. What only others gave, its answers do not decide."""
        balance = self._balances.get(place)
        return balance is not None and balance.node_id == record.node_id

    def _replayed(
        self, record: NodeAnswerRecord, sweep: SweepRecord, balances: list[BalanceRecord], where: str
    ) -> Iterator[str]:
        from chains.evm.kept_balances import replay

        block = BlockRef(sweep.chain_id, sweep.height, sweep.block_hash, sweep.parent_hash, sweep.block_time)
        try:
            exchanges = [self._exchange(digest) for digest in record.answers]
            said = replay(block, record.method, record.addresses, record.asset_ids, exchanges)
        except _UNUSABLE as error:
            yield f"{where}: the answers decide nothing: {str(error)[:200]}"
            return
        for digest in record.answers:
            self._asked.setdefault(digest, set()).update(said.asked)
        if said.decided != record.decided:
            yield f"{where}: decides {said.decided} addresses, not {record.decided}"
            return
        for balance in balances:
            value = said.values[balance.address, balance.asset_id]
            self._compared += 1
            if balance.status is not ReadStatus.OK:
                continue  # an answer that something else voided claims nothing
            if balance.method != record.method:
                yield f"{where}: {balance.asset_id} of {balance.address} was read by {balance.method}"
            elif value != balance.base_units:
                told = str(value) if isinstance(value, int) else "no balance"
                yield f"{where}: {balance.asset_id} of {balance.address} is {told}, not {balance.base_units}"

    def _foreign_calls(self) -> Iterator[str]:
        """Exchanges that asked for something else too: nothing but what decides balances is kept."""
        from chains.kept_answers import call_key

        for digest, asked in sorted(self._asked.items()):
            if any(call_key(call) not in asked for call in self._exchange(digest).calls):
                yield f"{ANSWER_FOLDER}{digest} asks for something that no record names"

    def _undecided(self) -> Iterator[str]:
        """Balances without an answer, of sweeps that kept some: one was left out."""
        sweeps = {record.sweep_id for record in self._contents.node_answers}
        for place, balance in self._balances.items():
            if balance.sweep_id in sweeps and balance.status is ReadStatus.OK and place not in self._decided:
                yield f"{balance.chain_id}: no kept answer decides {balance.asset_id} of {balance.address}"


def _parsed(data: bytes) -> KeptExchange:
    from chains.kept_answers import KeptExchange

    return KeptExchange.parse(data)
