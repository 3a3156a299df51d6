"""Records of a bundle about possession or control: every review the firm made, with its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from chains.errors import InvalidValue
from exports.codec import Digest, Identifier, OptionalIdentifier, PlainText
from exports.reserve_records import DocumentText


@dataclass(frozen=True, slots=True)
class PossessionReviewRecord:
    """One review of possession or control as the firm recorded it, 15c3-3(d)."""

    review_id: Identifier
    """`PR-` and its number: the firm's reviews count from 1, and none is left out."""
    as_of: date
    document: DocumentText
    """Canonical text of the review: owners, lines and policies, and of each issue required, in control and short."""
    digest: Digest
    """SHA-256 of the document."""
    known_at: datetime
    """The firm's books as known at this time were used."""
    recorded_at: datetime
    determined_on: date
    """The firm's civil date when it was made."""
    act_by: date
    """Last day for instructions or steps on its deficits, by the firm's calendar."""
    replaces: OptionalIdentifier
    """The review it corrects; empty when it corrects none."""
    reason: PlainText
    """Why it was made again; empty when it corrects none."""

    def __post_init__(self) -> None:
        if not self.as_of < self.determined_on < self.act_by:
            raise InvalidValue("a review is made after its as-of date, and acted on after that")
        if bool(self.replaces) != bool(self.reason):
            raise InvalidValue("a correction, and no other review, has a reason")
