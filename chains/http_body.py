"""Reading an HTTP body within a size limit. No I/O."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from chains.errors import MalformedAnswer


def plain_pieces(pieces: Iterable[bytes], coding: str, *, bytes_max: int, node_id: str = "") -> Iterator[bytes]:
    """The decompressed body in pieces, stopping at the limit: a small bomb never unfolds in memory.

    `coding` is the Content-Encoding, `identity` or `gzip`. Raises `MalformedAnswer` for another coding, broken or
    truncated compression, bytes behind its end, and more than `bytes_max` bytes.
    """

    def malformed(reason: str, fault: str = "encoding") -> MalformedAnswer:
        error = MalformedAnswer(f"answered {reason}", node_id=node_id)
        error.fault = fault
        return error

    coding = coding.strip().lower()
    if coding not in ("identity", "gzip"):
        raise malformed("in an encoding that was not asked for")
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS) if coding == "gzip" else None
    room = bytes_max
    for piece in pieces:
        plain = piece
        if inflater is not None:
            try:
                plain = inflater.decompress(piece, room + 1)
            except zlib.error:
                raise malformed("with broken compression") from None
        room -= len(plain)
        if room < 0:
            raise malformed(f"more than {bytes_max} bytes", "too-large")
        yield plain
        if inflater is not None and inflater.eof and inflater.unused_data:
            raise malformed("with bytes behind the end of its compression")
    if inflater is not None and not inflater.eof:
        raise malformed("with broken compression")
