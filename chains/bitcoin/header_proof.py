"""Headers that follow each other with their work, read from bytes alone: how a block is joined to a later one. Pure.

Written without the hash that each names as the one before it, which is that of the header before: 48 bytes of 80.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from chains.bitcoin.block import HEADER_BYTES, Header, read_header
from chains.bitcoin.networks import Network
from chains.bitcoin.proof_of_work import PERIOD_BLOCKS, check_bits, check_proof_of_work, target_of
from chains.errors import MalformedAnswer, ProofFailed

SHORT_BYTES: Final = 48
_VERSION_BYTES: Final = 4


def shorten(header: bytes) -> bytes:
    """A header of 80 bytes without the hash of the one before."""
    return header[:_VERSION_BYTES] + header[_VERSION_BYTES + 32 :]


def lengthen(short: bytes, previous: bytes) -> list[Header]:
    """Shortened headers one behind the other, made whole again: the first follows `previous` (order of the wire).

    Raises `MalformedAnswer` for bytes that are no whole number of them.
    """
    if len(short) % SHORT_BYTES:
        raise MalformedAnswer(f"{len(short)} bytes are no whole number of shortened headers")
    headers: list[Header] = []
    for at in range(0, len(short), SHORT_BYTES):
        raw = short[at : at + _VERSION_BYTES] + previous + short[at + _VERSION_BYTES : at + SHORT_BYTES]
        assert len(raw) == HEADER_BYTES
        headers.append(read_header(raw))
        previous = headers[-1].hash
    return headers


def work_of(bits: int) -> int:
    """How many hashes a block takes on average whose work was checked against this target."""
    target = target_of(bits)
    assert target is not None, "the work was checked"
    return (1 << 256) // (target + 1)


def check_header_chain(headers: Sequence[Header], network: Network, first_height: int) -> int:
    """Require that headers follow each other, each with its work and a difficulty that can follow; returns the work.

    The work is how many hashes they take on average: what it costs to make another run like it. Raises `ProofFailed`.
    """
    work = 0
    for height, header in enumerate(headers, first_height):
        check_proof_of_work(header.hash, header.bits, network)
        work += work_of(header.bits)
        if height == 0 and header.block_hash != network.genesis_hash:
            raise ProofFailed(f"block {header.block_hash} is not the genesis block of {network.name}")
    for height, (before, header) in enumerate(pairwise(headers), first_height + 1):
        if header.previous != before.hash:
            raise ProofFailed(f"block {header.block_hash} does not follow the one before it")
        start = height - PERIOD_BLOCKS
        is_known = height % PERIOD_BLOCKS == 0 and start >= first_height
        check_bits(
            network,
            height,
            header.bits,
            previous_bits=before.bits,
            previous_time=before.time,
            period_start_time=headers[start - first_height].time if is_known else None,
        )
    return work
