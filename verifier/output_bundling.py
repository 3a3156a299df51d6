"""Bitcoin outputs into the bundle: what the ledger kept of them when it read their blocks. No node is asked.

A ledger that is gone, or that says otherwise than the sweep did, shows nothing: the balances stay as they were read,
and the bundle says of each that its outputs are not shown, and why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from chains.agreement import split_node_ids
from chains.bitcoin.block import HEADER_BYTES
from chains.bitcoin.header_proof import shorten
from chains.bitcoin.ledger_file import LedgerFile
from chains.bitcoin.ledger_proofs import OutputProofs
from chains.bitcoin.ledger_views import Coin
from chains.bitcoin.networks import Network, network_of
from chains.bitcoin.reader import ledger_path
from chains.bitcoin.script import script_of_address
from chains.bitcoin.transaction import id_text, outpoint_parts
from chains.errors import ChainError
from chains.types import Address, ChainId, ReadStatus, chain_namespace
from exports.output_checks import NAMESPACE
from exports.output_records import (
    MEANING,
    BitcoinHeadersRecord,
    BitcoinInclusionRecord,
    BitcoinOutputRecord,
    BitcoinTransactionRecord,
)
from exports.records import BalanceRecord
from verifier.store import SweepStart

HEADERS_PER_RECORD: Final = 2_016
NO_LEDGER: Final = "no ledger file of the nodes that were read was there when the bundle was made"
OTHERWISE: Final = "the ledger's outputs were not the balance that was read"


@dataclass
class ChainOutputs:
    """The records of one chain."""

    headers: list[BitcoinHeadersRecord] = field(default_factory=list)
    transactions: list[BitcoinTransactionRecord] = field(default_factory=list)
    outputs: list[BitcoinOutputRecord] = field(default_factory=list)
    inclusions: list[BitcoinInclusionRecord] = field(default_factory=list)


def chain_outputs(start: SweepStart, balances: Sequence[BalanceRecord], folder: Path | None) -> ChainOutputs:
    """The outputs of a chain's balances, by the ledger files in `folder`; nothing for chains other than Bitcoin's."""
    held = {
        each.address: each
        for each in balances
        if each.chain_id == start.chain_id and each.status is ReadStatus.OK and each.base_units
    }
    if not held or chain_namespace(start.chain_id) != NAMESPACE:
        return ChainOutputs()
    network = network_of(start.chain_id)
    scripts = {script_of_address(network, address): address for address in held}
    node_ids = dict.fromkeys((*(each.node_id for each in held.values()), *split_node_ids(start.node_id)))
    proofs, why = None, NO_LEDGER
    for node_id in node_ids:
        proofs, why = _kept(folder, network, node_id, list(scripts), start.block.block_hash, why)
        if proofs is not None:
            break
    if proofs is None:
        return ChainOutputs(inclusions=[_nothing(each, why) for each in held.values()])
    return records_of(start.chain_id, proofs, scripts, held)


def _kept(
    folder: Path | None, network: Network, node_id: str, scripts: Sequence[bytes], block_hash: str, before: str
) -> tuple[OutputProofs | None, str]:
    """What one node's ledger has, or why it has nothing."""
    path = ledger_path(folder, network, node_id) if folder is not None else None
    if path is None or not path.is_file():
        return None, before
    try:
        with LedgerFile(path, network, node_id) as ledger:
            known = [script for script, found in ledger.balances(scripts, block_hash).items() if found is not None]
            return ledger.output_proofs(known, block_hash), ""
    except ChainError as error:
        return None, f"the ledger could not show them ({error.code})"


def records_of(
    chain_id: ChainId,
    proofs: OutputProofs,
    scripts: dict[bytes, Address],
    held: dict[Address, BalanceRecord],
    headers_per_record: int = HEADERS_PER_RECORD,
) -> ChainOutputs:
    """The records of balances above zero, from what a ledger kept of their scripts."""
    shown, missing = _by_address(proofs, scripts)
    made = ChainOutputs()
    needed: set[tuple[int, bytes]] = set()
    for address, balance in held.items():
        assert balance.base_units is not None, "held balances were read"
        coins, left = shown[address], missing[address]
        total = sum(coin.value for coin in coins)
        if total + sum(left.values()) != balance.base_units:
            made.inclusions.append(_nothing(balance, OTHERWISE))
            continue
        reason = "; ".join(sorted(left))
        rest = balance.base_units - total
        made.inclusions.append(BitcoinInclusionRecord(chain_id, address, total, rest, reason, MEANING))
        needed |= {(coin.height, coin.outpoint[:32]) for coin in coins}
        made.outputs += [_output(chain_id, address, coin) for coin in coins]
    heights = {height for height, _ in needed}
    made.transactions = [
        BitcoinTransactionRecord(chain_id, height, each.position, each.raw.hex(), _hashes(each.branch))
        for height in sorted(heights)
        for each in proofs.places[height]
        if each.position == 0 or (height, each.txid) in needed
    ]
    if heights:
        made.headers = list(_headers(chain_id, proofs, min(heights), headers_per_record))
    return made


def _by_address(
    proofs: OutputProofs, scripts: dict[bytes, Address]
) -> tuple[defaultdict[Address, list[Coin]], defaultdict[Address, defaultdict[str, int]]]:
    """Per address the outputs that are shown, and by reason how much is in those that are not."""
    shown: defaultdict[Address, list[Coin]] = defaultdict(list)
    missing: defaultdict[Address, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for coin in proofs.shown:
        shown[scripts[coin.script]].append(coin)
    for reason, coins in proofs.not_shown.items():
        for coin in coins:
            missing[scripts[coin.script]][reason] += coin.value
    return shown, missing


def _headers(chain_id: ChainId, proofs: OutputProofs, lowest: int, per_record: int) -> Iterator[BitcoinHeadersRecord]:
    first = lowest
    headers = proofs.headers[lowest - proofs.first_height :]
    for at in range(0, len(headers), per_record):
        run = headers[at : at + per_record]
        assert all(len(header) == HEADER_BYTES for header in run)
        previous = id_text(run[0][4:36])
        yield BitcoinHeadersRecord(chain_id, first, previous, b"".join(map(shorten, run)).hex())
        first += len(run)


def _output(chain_id: ChainId, address: Address, coin: Coin) -> BitcoinOutputRecord:
    txid, number = outpoint_parts(coin.outpoint)
    return BitcoinOutputRecord(chain_id, address, id_text(txid), number, coin.value, coin.height)


def _nothing(balance: BalanceRecord, reason: str) -> BitcoinInclusionRecord:
    assert balance.base_units is not None, "held balances were read"
    return BitcoinInclusionRecord(balance.chain_id, balance.address, 0, balance.base_units, reason, MEANING)


def _hashes(branch: bytes) -> tuple[str, ...]:
    return tuple(branch[at : at + 32].hex() for at in range(0, len(branch), 32))
