"""The kinds of others' evidence."""

from __future__ import annotations

from enum import StrEnum


class EvidenceKind(StrEnum):
    """What somebody else's file is."""

    LIST = "list"
    """Lines with addresses, in a layout of `exports.outside_lists`."""
    BIP127 = "bip127"
    """A finalized PSBT, or a proof file, that spends coins on paper."""
