"""Everything that one person made and another has to decide, in one list for commands, pages and API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from chains.types import utc_text
from verifier.records import CaseState

if TYPE_CHECKING:
    from verifier.store import Store
    from verifier.store.proposal_store import StoredChange


@dataclass(frozen=True, slots=True)
class WaitingApproval:
    """One thing that waits for a second person."""

    subject_id: str
    what: str
    """`case`, `mapping`, `policies`, `reserve instruction`, `control act` or `substitution`."""
    maker: str
    since: datetime
    text: str
    digest: str
    """What the decision is bound to; empty where the store binds it by itself."""

    def cells(self) -> list[str]:
        """For a table."""
        return [self.subject_id, self.what, self.maker, f"{self.since:%Y-%m-%d %H:%M:%S}", self.text]

    def to_dict(self) -> dict[str, object]:
        """For programs."""
        return {
            "id": self.subject_id,
            "what": self.what,
            "maker": self.maker,
            "since": utc_text(self.since),
            "text": self.text,
            "digest": self.digest or None,
        }


def waiting_of(store: Store) -> list[WaitingApproval]:
    """What waits, the longest first."""
    found = [
        WaitingApproval(case.case_id, "case", case.proposal.maker, case.proposal.made_at, case.proposal.text, "")
        for case in store.cases()
        if case.state is CaseState.PROPOSED and case.proposal is not None
    ]
    found += [
        WaitingApproval(each.proposal_id, each.kind.value, each.maker, each.recorded_at, each.text, each.digest)
        for each in store.changes()
        if each.waits
    ]
    found += [
        WaitingApproval(each.instruction_id, "reserve instruction", each.maker, each.recorded_at, each.text, "")
        for each in store.reserve_instructions()
        if each.decision is None
    ]
    found += [
        WaitingApproval(each.act_id, "control act", each.maker, each.recorded_at, each.text, "")
        for each in store.cure_acts()
        if not each.checker
    ]
    found += [
        WaitingApproval(each.substitution_id, "substitution", each.maker, each.recorded_at, each.text, "")
        for each in store.substitutions()
        if not each.checker
    ]
    return sorted(found, key=lambda each: (each.since, each.subject_id))


def change_json(change: StoredChange) -> dict[str, object]:
    """A change of mapping or policies without its content."""
    decision = change.decision
    noted = "noted" if not change.needs_approval else "waiting"
    return {
        "proposal_id": change.proposal_id,
        "kind": change.kind.value,
        "digest": change.digest,
        "state": noted if decision is None else decision.act.value,
        "text": change.text,
        "maker": change.maker,
        "proposed_at": utc_text(change.recorded_at),
        "checker": decision.actor if decision is not None else None,
        "decided_at": utc_text(decision.recorded_at) if decision is not None else None,
        "decided_text": decision.text if decision is not None else None,
    }
