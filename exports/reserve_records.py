"""Records of a bundle about the reserve of 15c3-3(e): every computation the firm made, with its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from chains.errors import InvalidValue
from exports.codec import Digest, Identifier, OptionalIdentifier, PlainText, Text
from exports.reserve.computation import Occasion, Scope

DocumentText = Annotated[str, Text(characters_max=8_000_000, url_allowed=False)]


@dataclass(frozen=True, slots=True)
class ReserveComputationRecord:
    """One reserve computation as the firm recorded it."""

    computation_id: Identifier
    """`RC-` and its number: the firm's computations count from 1, and none is left out."""
    as_of: date
    scope: Scope
    occasion: Occasion
    document: DocumentText
    """Canonical text of the computation: inputs with every row, rule set, policies with their sources, results."""
    digest: Digest
    """SHA-256 of the document."""
    known_at: datetime
    """The firm's books as known at this time were used."""
    recorded_at: datetime
    compute_on: date
    deposit_on: date
    deposit_by: datetime
    """One hour after the bank opens on the second business day after the as-of date, by the firm's calendar."""
    replaces: OptionalIdentifier
    """The computation it corrects; empty when it corrects none."""
    reason: PlainText
    """Why it was made again; empty when it corrects none."""

    def __post_init__(self) -> None:
        if not self.as_of < self.compute_on < self.deposit_on:
            raise InvalidValue("a computation is made after its as-of date, and its deposit is due after that")
        if bool(self.replaces) != bool(self.reason):
            raise InvalidValue("a correction, and no other computation, has a reason")


@dataclass(frozen=True, slots=True)
class ReservePositionRecord:
    """What lay in the reserve accounts when the bundle was made, by the banks' statements as the firm holds them."""

    on: date
    """The banks' civil date at the bundle's moment."""
    document: DocumentText
    """Canonical text: accounts with their statements, banks, policies, what counts and what does not."""
    digest: Digest
    """SHA-256 of the document."""
