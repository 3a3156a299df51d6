"""Changes that no event explains: what a search for them came to, and the finding for each one that is left.

A finding names the blocks the change lies between, by hash, so that the same change is the same case in whichever
sweep it is seen, and however wide the interval around it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from chains.block_trace import BlockTrace
from chains.types import AssetId, BlockRef, Transfer, account_location
from verifier.case_book import GROUPED_FROM
from verifier.records import Finding, FindingKind, Status
from verifier.rules.narrowing import Step
from verifier.rules.rollforward import Key, RollForward, equation
from verifier.rules.statements import figure
from verifier.rules.surroundings import Surroundings
from verifier.rules.wording import some_of

TRANSACTIONS_NAMED = 3
"""Most transactions that one text names; the rest are counted."""


class SearchMode(StrEnum):
    """Which blocks are looked at when balances are rolled forward."""

    REMAINDERS = "remainders"
    """Those that halving the interval of each remainder leads to."""
    EVERY_BLOCK = "every_block"
    """All of them, so that changes which cancel out later are found too."""


@dataclass(frozen=True, slots=True)
class ChangeSearch:
    """What came of looking for the changes that no event explains, in one sweep."""

    mode: SearchMode
    first_height: int
    """The first block after the oldest opening that was searched from."""
    last_height: int
    blocks_read: int
    """Blocks at which balances were read for it."""
    node_id: str
    traces: Sequence[BlockTrace]
    """Of every block that was traced, or could not be."""
    steps: Sequence[Step]
    note: str = ""
    """Why it is less than was asked for: a stable code, then one sentence."""

    @property
    def transfers(self) -> list[Transfer]:
        """The internal transfers that were found."""
        return [transfer for trace in self.traces for transfer in trace.transfers]


@dataclass(frozen=True, slots=True)
class FoundChanges:
    """A search as it is stored: what it came to, and the blocks its steps lie between."""

    mode: SearchMode
    first_height: int
    last_height: int
    blocks_read: int
    traced: Sequence[tuple[str, str]]
    """Way of tracing, empty where none worked, and node, for each block that was to be traced."""
    transfers_found: int
    """Internal transfers at watched addresses that the traces showed."""
    steps: Sequence[Step]
    blocks: Mapping[int, BlockRef]
    """The block of each height that a step names, where it is a covered one."""
    verified: frozenset[int] = frozenset()
    """Those of these heights whose blocks were held against their own headers: no event can be missing there."""
    note: str = ""

    def text(self) -> str:
        """One line for a person."""
        found = self.to_dict()
        if not self.steps:
            return f"Balances read at {self.blocks_read} blocks between: no change without an event"
        count = len(self.steps)
        return (
            f"{count} change{'s' if count > 1 else ''} without an event, {found['explained']} of them explained by "
            f"internal transfers; balances read at {self.blocks_read} blocks between, {found['blocks_traced']} traced"
        )

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        explained = sum(not step.left_over for step in self.steps)
        return {
            "mode": self.mode.value,
            "changes": len(self.steps),
            "explained": explained,
            "unexplained": len(self.steps) - explained,
            "blocks_read": self.blocks_read,
            "blocks_traced": sum(bool(method) for method, _ in self.traced),
            "internal_transfers": self.transfers_found,
            "note": self.note,
        }


def change_findings(
    rolls: Iterable[RollForward], found: FoundChanges | None, surroundings: Surroundings
) -> list[Finding]:
    """A finding for every change that nothing explains, and one when blocks that were to be read singly were not.

    Balances read at a gap in the coverage are findings of the gap (`gap_findings`), not of each wallet. A remainder
    that was not searched, whose steps do not add up to it, or of which a step lies at a block that is not covered any
    more, is one finding over its whole interval. When one block changed a token at twenty wallets or more (a rebase),
    they share one at the chain: one cause cannot flood the queue.
    """
    steps: dict[Key, list[Step]] = defaultdict(list)
    for step in found.steps if found is not None else ():
        if step.left_over:
            steps[step.key].append(step)
    findings: list[Finding] = []
    together: dict[tuple[AssetId, BlockRef, BlockRef], list[tuple[RollForward, Step]]] = defaultdict(list)
    for roll in rolls:
        own = steps.get((roll.address, roll.asset.asset_id), [])
        if roll.status is Status.UNVERIFIED or not (own or roll.remainder):
            continue
        ends = [_ends(roll, step, found) for step in own] if found is not None else []
        located = [each for each in ends if each is not None]
        if len(located) < len(own) or sum(step.left_over for step in own) != roll.remainder:
            findings.append(_whole(roll, own, surroundings))
            continue
        for step, (after, block) in zip(own, located, strict=True):
            together[roll.asset.asset_id, after, block].append((roll, step))
    for (_, after, block), group in together.items():
        assert found is not None
        if len(group) >= GROUPED_FROM and not group[0][0].asset.is_native:
            findings.append(_many(group, after, block, found, surroundings))
        else:
            findings += [_one(roll, step, after, block, found, surroundings) for roll, step in group]
    return findings + _not_read_singly(found, surroundings)


def _whole(roll: RollForward, steps: Sequence[Step], surroundings: Surroundings) -> Finding:
    """The remainder of an interval whose changes have no blocks of their own; what is known of them is told."""
    sentences = [
        f"{figure(abs(step.left_over), roll.asset)} {_more(step.left_over)} than any event explains, {_where(step)}."
        for step in steps
    ]
    remainder = roll.remainder or 0
    return _finding(
        roll, roll.opening_block, roll.closing_block, remainder, [*sentences, equation(roll)], (), surroundings
    )


def _one(
    roll: RollForward, step: Step, after: BlockRef, block: BlockRef, found: FoundChanges, surroundings: Surroundings
) -> Finding:
    asset, left = roll.asset, step.left_over
    sentences = [f"{figure(abs(left), asset)} {_more(left)} than any event explains, {_where(step)}."]
    if step.found != left:
        sentences.append(f"Internal transfers explain {figure(abs(step.found - left), asset)} more of it.")
    if step.tx_ids:
        sentences.append(f"It came with transaction {some_of(step.tx_ids, TRANSACTIONS_NAMED)}.")
    if step.note:
        sentences.append(f"Known no closer: {step.note}.")
    sentences += [_causes(roll, step, found), equation(roll)]
    return _finding(roll, after, block, left, sentences, step.tx_ids, surroundings)


def _many(
    group: Sequence[tuple[RollForward, Step]],
    after: BlockRef,
    block: BlockRef,
    found: FoundChanges,
    surroundings: Surroundings,
) -> Finding:
    """One block changed the balances of a token at many wallets; each stands in the records of the sweep."""
    roll, step = group[0]
    asset, total = roll.asset, sum(each.left_over for _, each in group)
    gained = sum(each.left_over for _, each in group if each.left_over > 0)
    text = (
        f"The balances of {len(group)} wallets are not what events explain, {_where(step)}: in all "
        f"{figure(gained, asset)} more at some and {figure(gained - total, asset)} less at others. "
        f"{_causes(roll, step, found)} The first is {roll.address}, "
        f"{figure(abs(step.left_over), asset)} {_more(step.left_over)}. {equation(roll)}"
    )
    subject = f"many:{after.block_hash}/{block.block_hash}"
    place = surroundings.chain_location
    return surroundings.finding(FindingKind.UNEXPLAINED_CHANGE, place, asset, total, subject, text, block=block)


def _ends(roll: RollForward, step: Step, found: FoundChanges) -> tuple[BlockRef, BlockRef] | None:
    """The blocks a step lies between; None when one is not known any more."""
    ends = {roll.opening_block.height: roll.opening_block, roll.closing_block.height: roll.closing_block}
    after, block = (ends.get(height) or found.blocks.get(height) for height in (step.after_height, step.height))
    return (after, block) if after is not None and block is not None else None


def _more(base_units: int) -> str:
    return "more" if base_units > 0 else "less"


def _where(step: Step) -> str:
    if step.is_exact:
        return f"in block {step.height}"
    return f"somewhere in blocks {step.after_height + 1} to {step.height}"


def _causes(roll: RollForward, step: Step, found: FoundChanges) -> str:
    """What a person should look for. Each is only possible; none is concluded."""
    if roll.asset.is_native:
        causes = ["a reward or credit that comes with no transaction", "a state written directly"]
        if step.note or not step.is_exact:
            causes.insert(0, "a transfer inside a transaction or a self-destruct, which only traces show")
    else:
        causes = ["a token that moves balances without an event (rebasing, a fee on transfer, its issuer)"]
        if not (step.is_exact and step.height in found.verified):
            causes.append("an event that the node left out, which history_mode verified would catch")
    return f"Possible causes: {'; '.join(causes)}."


def _finding(
    roll: RollForward,
    after: BlockRef,
    block: BlockRef,
    base_units: int,
    sentences: Sequence[str],
    tx_ids: Sequence[str],
    surroundings: Surroundings,
) -> Finding:
    return surroundings.finding(
        FindingKind.UNEXPLAINED_CHANGE,
        account_location(block.chain_id, roll.address),
        roll.asset,
        base_units,
        f"{after.block_hash}/{block.block_hash}",
        " ".join(sentences),
        block=block,
        tx_id=tx_ids[0] if len(tx_ids) == 1 else "",
    )


def _not_read_singly(found: FoundChanges | None, surroundings: Surroundings) -> list[Finding]:
    """Every block was to be read, and was not: changes that cancel out in there may have gone unseen."""
    if found is None or found.mode is not SearchMode.EVERY_BLOCK or not found.note:
        return []
    text = (
        f"Blocks {found.first_height} to {found.last_height} were to be read one by one for changes that cancel out, "
        f"and were not all: {found.note}."
    )
    subject = f"change-points:{found.first_height}-{found.last_height}"
    return [surroundings.finding(FindingKind.COVERAGE_GAP, surroundings.chain_location, None, None, subject, text)]
