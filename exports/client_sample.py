"""Clients drawn for confirmation: whom an auditor asks whether what the bundle says is owed is what they own.

The draw follows from the bundle's digest and a seed that the auditor picks after the bundle was signed. So the firm
cannot have chosen who is drawn, and anybody who has both draws the same clients.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from exports.merkle_sum import text_bytes

DRAW: Final = b"custody-sample-1"
"""The first bytes of what ranks a client."""


def client_sample(client_ids: Iterable[str], bundle_digest: str, seed: str, count: int) -> list[str]:
    """The clients with the smallest ranks, at most `count`, in the order drawn; a larger count extends the same draw.

    The rank is SHA-256 of `custody-sample-1`, and of the digest, the seed and the client's id, each after its length.
    """
    begin = DRAW + text_bytes(bundle_digest) + text_bytes(seed)

    def rank(client_id: str) -> bytes:
        return hashlib.sha256(begin + text_bytes(client_id)).digest()

    return sorted(set(client_ids), key=rank)[:count]
