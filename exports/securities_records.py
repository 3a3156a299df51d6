"""Record of a bundle about securities at custodians: the newest comparison of the books with their statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from chains.errors import InvalidValue
from exports.codec import Digest, Identifier
from exports.reserve_records import DocumentText


@dataclass(frozen=True, slots=True)
class SecuritiesRunRecord:
    """One comparison of the books with what depositories, banks and prime brokers state."""

    run_id: Identifier
    as_of: date
    """The business day whose close was compared."""
    document: DocumentText
    """Canonical text: each position with the books' figures, the statements', and what follows; missing statements."""
    digest: Digest
    """SHA-256 of the document."""
    known_at: datetime
    """The firm's books as known at this time were used."""
    recorded_at: datetime

    def __post_init__(self) -> None:
        if self.recorded_at.date() < self.as_of:  # on the day itself, where the firm is east of Greenwich
            raise InvalidValue("a day is compared after it closed")
