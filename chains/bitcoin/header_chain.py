"""Runs of headers of a node's active chain, each recomputed, with proof of work, and chained by their hashes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from chains.bitcoin.block import Header, read_header
from chains.bitcoin.core import CoreNode
from chains.bitcoin.networks import Network
from chains.bitcoin.proof_of_work import check_bits, check_proof_of_work
from chains.errors import ChainMoved, MalformedAnswer

HEADERS_PER_REQUEST: Final = 500


def header_of(node: CoreNode, network: Network, block_hash: str) -> Header:
    """The header of a hash. Raises `ChainMoved` when the node does not know it, `ProofFailed` without its work."""
    return headers_of(node, network, [block_hash])[0]


def headers_of(node: CoreNode, network: Network, hashes: Sequence[str]) -> list[Header]:
    """The header of each hash, recomputed: a header that hashes to something else is `MalformedAnswer`."""
    headers = [read_header(raw) for raw in node.headers(hashes)]
    for wanted, header in zip(hashes, headers, strict=True):
        if header.block_hash != wanted:
            raise MalformedAnswer("asked for a header by hash, the node gave another")
        check_proof_of_work(header.hash, header.bits, network)
    return headers


def header_at(node: CoreNode, network: Network, height: int) -> Header:
    """The header of the active chain at a height; `StaleHead` when there is none."""
    return header_of(node, network, node.hash_at(height))


def header_run(node: CoreNode, network: Network, first: int, last: int) -> list[Header]:
    """The headers of the active chain from one height to another, both included.

    Raises `ChainMoved` when they do not chain: the branch changed while they were asked for; `ProofFailed` when one
    claims a difficulty that cannot follow the one before, so that cheap headers confirm no block that cost work.
    """
    headers: list[Header] = []
    for heights in _parts(first, last):
        headers += headers_of(node, network, node.hashes_at(heights))
    for height, (before, header) in enumerate(pairwise(headers), first + 1):
        if header.previous != before.hash:
            raise ChainMoved("the node's branch changed while its headers were read")
        check_bits(
            network,
            height,
            header.bits,
            previous_bits=before.bits,
            previous_time=before.time,
            period_start_time=None,  # the ledger knows it for what it follows
        )
    return headers


def _parts(first: int, last: int) -> Iterator[range]:
    for start in range(first, last + 1, HEADERS_PER_REQUEST):
        yield range(start, min(start + HEADERS_PER_REQUEST, last + 1))
