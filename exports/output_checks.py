"""Check 29: every Bitcoin output that a balance counts was made, in a block with its work before the pinned one. Pure.

Being unspent is provable by no Bitcoin header. So a balance of outputs is never `proven`, whatever stands here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

from chains.bitcoin.block import Header
from chains.bitcoin.header_proof import check_header_chain, lengthen
from chains.bitcoin.inclusion import PlacedTransaction, check_places
from chains.bitcoin.networks import Network, network_of
from chains.bitcoin.script import script_of_address
from chains.bitcoin.transaction import Transaction, id_bytes
from chains.errors import ChainError, ProofFailed
from chains.types import Address, ChainId, ReadStatus, StateEvidence, chain_namespace
from exports.contents import Contents
from exports.output_records import (
    BitcoinHeadersRecord,
    BitcoinInclusionRecord,
    BitcoinOutputRecord,
    BitcoinTransactionRecord,
)
from exports.records import BalanceRecord
from exports.verdict import Outcome

NAMESPACE: Final = "bip122"
Place = tuple[ChainId, Address]
R = TypeVar("R", BitcoinHeadersRecord, BitcoinTransactionRecord, BitcoinOutputRecord)


def check_bitcoin_outputs(contents: Contents) -> Outcome | None:
    """29: headers carry their work and end at the pinned block; outputs made under them make the balances.

    None when the bundle has no Bitcoin balance above zero and nothing of outputs.
    """
    held = _held(contents.balances)
    given = (
        contents.bitcoin_headers, contents.bitcoin_transactions, contents.bitcoin_outputs, contents.bitcoin_inclusions,
    )  # fmt: skip
    if not held and not any(given):
        return None
    problems = list(_balance_problems(contents.balances, contents.bitcoin_inclusions, contents.bitcoin_outputs))
    work: list[str] = []
    chains = {
        *(each.chain_id for each in contents.bitcoin_headers),
        *(each.chain_id for each in contents.bitcoin_transactions),
        *(each.chain_id for each in contents.bitcoin_outputs),
    }
    for chain_id in sorted(chains):
        chain = _Chain(contents, chain_id)
        problems.extend(f"{chain_id}: {problem}" for problem in chain.problems())
        if chain.headers:
            work.append(f"{len(chain.headers)} headers that take about 2**{chain.work.bit_length() - 1} hashes")
    blocks = len({(each.chain_id, each.height) for each in contents.bitcoin_transactions})
    note = f"{len(contents.bitcoin_outputs)} outputs made in {blocks} blocks"
    if work:
        note += f", under {', '.join(work)}"
    if missing := [each for each in contents.bitcoin_inclusions if each.not_shown]:
        note += f"; {sum(each.not_shown for each in missing)} satoshis of {len(missing)} addresses are not shown"
    return Outcome(len(held) + len(contents.bitcoin_outputs), problems, note=f"{note}; that they are unspent is not")


def output_lines(contents: Contents) -> Iterator[str]:
    """What a reader is told of Bitcoin outputs, whatever the verdict."""
    for chain_id in dict.fromkeys(each.chain_id for each in contents.bitcoin_inclusions):
        own = [each for each in contents.bitcoin_inclusions if each.chain_id == chain_id]
        shown, left = sum(each.shown for each in own), sum(each.not_shown for each in own)
        yield f"{chain_id}: of {shown + left} satoshis, outputs of {shown} are shown to have been made, {left} are not."
        yield "  That outputs are unspent is read from blocks, not proven: no Bitcoin header commits to it."


def shown_headers(contents: Contents, chain_id: ChainId) -> tuple[int, list[Header]]:
    """The headers of a chain from the lowest, which follow each other to the pinned block, and the first's height.

    Raises `ChainError` where they do not hold.
    """
    chain = _Chain(contents, chain_id)
    return chain.check_headers(network_of(chain_id)), chain.headers


def _held(balances: Iterable[BalanceRecord]) -> dict[Place, int]:
    return {
        (each.chain_id, each.address): each.base_units
        for each in balances
        if chain_namespace(each.chain_id) == NAMESPACE and each.status is ReadStatus.OK and each.base_units
    }


def _balance_problems(
    balances: Iterable[BalanceRecord],
    inclusions: Sequence[BitcoinInclusionRecord],
    outputs: Iterable[BitcoinOutputRecord],
) -> Iterator[str]:
    balances = list(balances)
    for balance in balances:
        over = StateEvidence.PROVEN in (balance.state, balance.grade)
        if over and chain_namespace(balance.chain_id) == NAMESPACE:
            yield f"{balance.address}: a balance of Bitcoin is never proven, for no header says what is unspent"
    held = _held(balances)
    sums: Counter[Place] = Counter()
    for output in outputs:
        sums[output.chain_id, output.address] += output.base_units
    told = Counter((each.chain_id, each.address) for each in inclusions)
    for place, count in told.items():
        if count > 1:
            yield f"{place[1]} is told {count} times"
    for each in inclusions:
        place = (each.chain_id, each.address)
        if place not in held:
            yield f"{each.address} is no address with a balance of Bitcoin in the bundle"
        elif each.shown + each.not_shown != held[place]:
            yield f"{each.address}: {each.shown} shown and {each.not_shown} not are not its balance of {held[place]}"
        if sums[place] != each.shown:
            yield f"{each.address}: its outputs are {sums[place]} together, not {each.shown}"
    for place in held.keys() - told.keys():
        yield f"{place[1]}: nothing is said about which outputs make its balance"
    for place in sums.keys() - told.keys():
        yield f"{place[1]} has outputs that no balance counts"


class _Chain:
    """What the bundle shows of one chain."""

    def __init__(self, contents: Contents, chain_id: ChainId) -> None:
        self._sweep = contents.sweep_of(chain_id)
        self._chain_id = chain_id
        self._runs = sorted(_of(chain_id, contents.bitcoin_headers), key=lambda each: each.first_height)
        self._transactions = _of(chain_id, contents.bitcoin_transactions)
        self._outputs = _of(chain_id, contents.bitcoin_outputs)
        self.headers: list[Header] = []
        """Those of the bundle, from the lowest, once they are checked."""
        self.work = 0

    def problems(self) -> list[str]:
        """All that is wrong; nothing is believed under headers that do not hold."""
        if not self._runs and not self._transactions and not self._outputs:
            return []
        try:
            network = network_of(self._chain_id)
            first = self.check_headers(network)
        except ChainError as error:
            return [str(error)]
        problems: list[str] = []
        made = self._made(network, first, problems)
        used: set[tuple[int, bytes]] = set()
        counted = Counter((each.tx_id, each.output) for each in self._outputs)
        problems += [
            f"output {key[1]} of {key[0]} is counted {count} times" for key, count in counted.items() if count > 1
        ]
        for output in self._outputs:
            key = (output.height, id_bytes(output.tx_id))
            used.add(key)
            if problem := _output_problem(output, made.get(key), network):
                problems.append(f"output {output.output} of {output.tx_id}: {problem}")
        problems += self._unneeded(first, made, used)
        return problems

    def check_headers(self, network: Network) -> int:
        """Read and check the headers; returns the height of the first."""
        sweep = self._sweep
        if sweep is None or not self._runs:
            raise ProofFailed("outputs are shown without headers, or without a sweep of the chain")
        headers: list[Header] = []
        first = self._runs[0].first_height
        for run in self._runs:
            if run.first_height != first + len(headers):
                raise ProofFailed(f"the headers from {run.first_height} on do not join those before them")
            headers += lengthen(bytes.fromhex(run.headers), id_bytes(run.previous_hash))
        work = check_header_chain(headers, network, first)
        if (headers[-1].block_hash, first + len(headers) - 1) != (sweep.block_hash, sweep.height):
            raise ProofFailed("the headers do not end at the pinned block")
        if int(sweep.block_time.timestamp()) != headers[-1].time:
            raise ProofFailed("the pinned block has another time than its header")
        self.headers, self.work = headers, work
        return first

    def _made(self, network: Network, first: int, problems: list[str]) -> dict[tuple[int, bytes], Transaction]:
        """The transactions that stand in their blocks, by height and id."""
        blocks: defaultdict[int, list[PlacedTransaction]] = defaultdict(list)
        for each in self._transactions:
            branch = bytes.fromhex("".join(each.branch))
            blocks[each.height].append(PlacedTransaction(each.place, b"", bytes.fromhex(each.transaction), branch))
        made: dict[tuple[int, bytes], Transaction] = {}
        for height, placed in sorted(blocks.items()):
            if not first <= height < first + len(self.headers):
                problems.append(f"block {height}: it has no header in the bundle")
                continue
            try:
                found = check_places(placed, self.headers[height - first].merkle_root, network, height)
            except ChainError as error:
                problems.append(f"block {height}: {error}")
                continue
            made |= {(height, txid): transaction for txid, transaction in found.items()}
        return made

    def _unneeded(
        self, first: int, made: dict[tuple[int, bytes], Transaction], used: set[tuple[int, bytes]]
    ) -> Iterator[str]:
        needed = {height for height, _ in used}
        for (height, _), transaction in made.items():
            key = (height, transaction.txid)
            if key not in used and not (transaction.is_coinbase and height in needed):
                yield f"block {height}: a transaction is shown of which no output is counted"
        if first not in needed:
            yield f"headers begin at {first}, below the first output"


def _output_problem(output: BitcoinOutputRecord, transaction: Transaction | None, network: Network) -> str:
    if transaction is None:
        return f"no such transaction is shown to stand in block {output.height}"
    if not 0 <= output.output < len(transaction.outputs):
        return "its transaction has no such output"
    made = transaction.outputs[output.output]
    try:
        script = script_of_address(network, output.address)
    except ChainError as error:
        return str(error)
    if made.script != script:
        return f"it does not pay {output.address}"
    return "" if made.value == output.base_units else f"it is of {made.value} satoshis, not {output.base_units}"


def _of(chain_id: ChainId, records: Iterable[R]) -> list[R]:
    return [record for record in records if record.chain_id == chain_id]
