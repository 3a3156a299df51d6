"""The firm's own addresses, by the day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from chains.types import Address, ChainId
from mapping.types import FirmAddress


def firm_lines(firm_addresses: Iterable[FirmAddress], chain_id: ChainId) -> dict[Address, list[FirmAddress]]:
    """What the mapping says of the firm's own addresses on one chain, by address."""
    firm: dict[Address, list[FirmAddress]] = defaultdict(list)
    for line in firm_addresses:
        if line.chain_id == chain_id:
            firm[line.address].append(line)
    return firm


def firm_lines_on(firm: Mapping[Address, Sequence[FirmAddress]], address: Address, on: date) -> list[FirmAddress]:
    """The lines by which an address is the firm's on a day; empty when it is not."""
    return [
        line
        for line in firm.get(address, ())
        if line.valid_from <= on and (line.valid_until is None or on <= line.valid_until)
    ]
