"""What a line of the stock record counts as possession or control, 15c3-3(b) and (c), and why the rest does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from chains.types import AssetId
from exports.possession.types import PARAGRAPHS, Evidence, Line, Place
from exports.reserve.policies import PolicySet
from exports.reserve.rulesets import TRANSFER_AGED_DAYS


class NotControl(StrEnum):
    """Why a line, or a part of it, is not possession or control."""

    NON_CONTROL_PLACE = "non_control_place"
    NO_EVIDENCE = "no_evidence"
    """There is no dated evidence of the paragraph its place needs."""
    EVIDENCE_NOT_YET = "evidence_not_yet"
    EVIDENCE_EXPIRED = "evidence_expired"
    TRANSFER_TOO_OLD = "transfer_too_old"
    """Over 40 calendar days and not confirmed, (c)(3)."""
    TOO_LONG_IN_TRANSIT = "too_long_in_transit"
    NO_WALLET = "no_wallet"
    """A digital asset in the firm's own possession that lies at no mapped wallet."""
    FIRM_CANNOT_SIGN_ALONE = "firm_cannot_sign_alone"
    OTHERS_CAN_SIGN = "others_can_sign"
    OTHERS_COULD_MOVE = "others_could_move"
    NO_KEY_PROOF = "no_key_proof"
    LESS_OBSERVED = "less_observed"
    """The chain shows less than the lines say; only what was observed counts."""
    NOT_OBSERVED = "not_observed"
    """No sweep observed it, or it could not be read: not known, and no zero."""


CITATIONS: Final = {
    Place.BOX: "15c3-3(b)(1)",
    Place.DEPOSITORY: "15c3-3(c)(1)",
    Place.OMNIBUS_AT_BROKER: "15c3-3(c)(2)",
    Place.TRANSFER: "15c3-3(c)(3)",
    Place.FOREIGN_DEPOSITORY: "15c3-3(c)(4)",
    Place.BANK_CUSTODY: "15c3-3(c)(5)",
    Place.IN_TRANSIT: "15c3-3(c)(6)",
    Place.OTHER_DESIGNATED: "15c3-3(c)(7)",
}
"""By which paragraph a place can be possession or control; others cannot."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What one line counts."""

    line: Line
    base_units: int
    """In possession or control."""
    not_known: int
    """Base units that would count if they were observed."""
    cause: NotControl | None
    """Why the rest does not count; None when all of it does."""

    @property
    def citation(self) -> str:
        """The paragraph by which it counts, or could."""
        return CITATIONS.get(self.line.place, "15c3-3(d)")


def counted(lines: Iterable[Line], as_of: date, policies: PolicySet) -> list[Counted]:
    """Every line judged, in the order of their ids; lines at one wallet share what was observed there."""
    left: dict[tuple[str, AssetId], int] = {}
    found = []
    for line in sorted(lines, key=lambda each: each.line_id):
        cause = _cause(line, as_of, policies)
        if cause is not None:
            found.append(Counted(line, 0, 0, cause))
        elif line.on_chain is None:
            found.append(Counted(line, line.base_units, 0, None))
        elif line.on_chain.observed is None:
            found.append(Counted(line, 0, line.base_units, NotControl.NOT_OBSERVED))
        else:
            place = (line.location_id, line.security_id)
            there = left.setdefault(place, line.on_chain.observed)
            units = min(line.base_units, there)
            left[place] = there - units
            found.append(Counted(line, units, 0, None if units == line.base_units else NotControl.LESS_OBSERVED))
    return found


def _cause(line: Line, as_of: date, policies: PolicySet) -> NotControl | None:
    """Why nothing of the line counts, whatever was observed; None when it can count."""
    if line.place is Place.TRANSFER:
        return _transfer(line, as_of)
    if line.place is Place.IN_TRANSIT:
        most = policies.integer("in_transit_business_days_max")
        in_time = line.business_age is not None and line.business_age <= most
        return None if in_time else NotControl.TOO_LONG_IN_TRANSIT
    if line.place not in PARAGRAPHS:
        return NotControl.NON_CONTROL_PLACE
    if cause := evidence_problem(line.evidence, PARAGRAPHS[line.place], as_of):
        return cause
    return _wallet(line, as_of, policies) if line.place is Place.BOX else None


def evidence_problem(evidence: Evidence | None, paragraph: str, as_of: date) -> NotControl | None:
    """Why the evidence of a location does not carry it on a day; None when it does, on its last day too."""
    if evidence is None or evidence.paragraph != paragraph:
        return NotControl.NO_EVIDENCE
    if max(evidence.effective_from, evidence.evidence_on) > as_of:
        return NotControl.EVIDENCE_NOT_YET
    if evidence.valid_until is not None and evidence.valid_until < as_of:
        return NotControl.EVIDENCE_EXPIRED
    return None


def _transfer(line: Line, as_of: date) -> NotControl | None:
    if line.confirmed_on is not None and line.confirmed_on <= as_of:
        return None
    in_time = line.since is not None and as_of - line.since <= timedelta(days=TRANSFER_AGED_DAYS)
    return None if in_time else NotControl.TRANSFER_TOO_OLD


def _wallet(line: Line, as_of: date, policies: PolicySet) -> NotControl | None:
    """A crypto asset security is in the firm's possession only where nobody else can move it, and the firm can.

    Staff statement of 2025-12-17; a wallet that fails here can still be control under (c), at a bank for example.
    """
    if (chain := line.on_chain) is None:
        return NotControl.NO_WALLET if _is_digital(line) else None
    if not chain.firm_alone_can_sign:
        return NotControl.FIRM_CANNOT_SIGN_ALONE
    if chain.others_can_sign:
        return NotControl.OTHERS_CAN_SIGN
    if chain.others_could_move:
        return NotControl.OTHERS_COULD_MOVE
    days = policies.integer("wallet_key_proof_days_max")
    if days and (chain.proven_on is None or (as_of - chain.proven_on).days > days):
        return NotControl.NO_KEY_PROOF
    return None


def _is_digital(line: Line) -> bool:
    """Whether the issue is an asset on a chain: its id is one of CAIP-19, with a slash behind the chain."""
    return "/" in line.security_id
