"""What can go wrong when the firm's own statements are used wrongly.

    MappingError            every error of this package; has a stable `code` and an `advice`
    ├── UnknownTable        a name that is none of the sub-ledger's files
    └── BookError           ledger entries that cannot form one book

A bad row in a file is never one of these: it is a `Problem`, collected with all others and returned.
"""

from __future__ import annotations


class MappingError(Exception):
    """Base of all errors of this package."""

    code = "mapping-error"
    """Stable name of the kind of error, for programs."""
    advice = "Look at the message for the cause."
    """One sentence on what a person can do."""


class UnknownTable(MappingError):
    """A name that is none of the sub-ledger's files."""

    code = "unknown-table"
    advice = "Use one of the file names in docs/data-dictionary.md."


class BookError(MappingError):
    """Ledger entries that cannot form one book: an id twice."""

    code = "book"
    advice = "The stored ledger entries contradict each other; run `custody journal verify`."
