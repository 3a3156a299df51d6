"""Check 34: a Bitcoin block that the reader knows is among the headers of the bundle, or the one before them. Pure.

Headers carry their work, and work can be bought. Whoever looks one block up elsewhere, and finds it here, knows that
everything after it was built upon the chain that others see.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from chains.bitcoin.block import Header
from chains.bitcoin.header_proof import work_of
from chains.bitcoin.transaction import id_text
from chains.errors import ChainError, InvalidValue
from exports.contents import Contents
from exports.output_checks import shown_headers
from exports.verdict import Outcome

_TEXT: Final = re.compile(r"(0|[1-9][0-9]{0,9}):([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A block that the reader knows to be the chain's."""

    height: int
    block_hash: str
    """As people write it."""

    @staticmethod
    def parse(text: str) -> Checkpoint:
        """Of `HEIGHT:HASH`. Raises `InvalidValue`."""
        found = _TEXT.fullmatch(text.lower())
        if found is None:
            raise InvalidValue(f"{text[:100]!r} is not HEIGHT:HASH, a number and 64 hex digits")
        return Checkpoint(int(found[1]), found[2])


def check_checkpoint(contents: Contents, checkpoint: Checkpoint) -> Outcome:
    """34: the checkpoint's block has its hash among the headers, or is the one that the first follows."""
    chains = sorted({each.chain_id for each in contents.bitcoin_headers})
    if len(chains) != 1:
        return Outcome(0, obstacles=[f"the bundle has headers of {len(chains)} Bitcoin chains; one is needed"])
    try:
        first, headers = shown_headers(contents, chains[0])
    except ChainError as error:
        return Outcome(0, obstacles=[f"the headers themselves do not hold: {error}"])
    place, last = checkpoint.height - first, first + len(headers) - 1
    if not -1 <= place < len(headers):
        words = f"block {checkpoint.height} is not here: the bundle has the headers from {first} to {last}, and follows"
        return Outcome(0, obstacles=[f"{words} {first - 1}; take one of these as checkpoint"])
    found = headers[place].block_hash if place >= 0 else id_text(headers[0].previous)
    if found != checkpoint.block_hash:
        return Outcome(1, [f"block {checkpoint.height} is {found}, not {checkpoint.block_hash}"])
    above = headers[place + 1 :]
    return Outcome(1, note=f"{len(above)} headers follow it to the pinned block {last}{_burden(above)}")


def _burden(headers: list[Header]) -> str:
    work = sum(work_of(header.bits) for header in headers)
    return f", and take about 2**{work.bit_length() - 1} hashes" if work else ""
