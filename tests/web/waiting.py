"""Things that wait for a second person, one of each kind, all made by the operator."""

from __future__ import annotations

from datetime import datetime

import pytest

from chains.types import AssetId
from exports.possession.types import Move
from mapping.reserve_types import MovementSide
from tests.web.firm import A, B
from verifier.config import Settings
from verifier.control_acts import record_act
from verifier.errors import PoliciesNotApproved, WaitsForApproval
from verifier.mapping_changes import propose_row
from verifier.policies import note_policies
from verifier.possession.cures import CureKind
from verifier.reserve_instructions import instruct
from verifier.store import Store

MAKER = "ops.maker"
ROW = {"client_id": "C-9", "name": "<b>Nine</b>", "opened_on": "2026-01-02"}


def make_wait(store: Store, settings: Settings, now: datetime) -> None:
    """A row of the mapping, policies, an instruction, an act and a substitution; a case waits in the firm itself."""
    with pytest.raises(WaitsForApproval):
        propose_row(store, "clients", ROW, MAKER, now)
    stricter = settings.model_copy(
        update={
            "approvals": settings.approvals.model_copy(update={"policies": True}),
            "firm": settings.firm.model_copy(update={"name": "Another LLC"}),
        }
    )
    with pytest.raises(PoliciesNotApproved):
        note_policies(store, stricter, MAKER, now)
    instruct(store, settings, MovementSide.DEPOSIT, "SRA-C", 22_416_000, "What is short.", MAKER, now)
    record_act(store, settings, A, CureKind.RECALL, "100", "L-5", now, "Recalled today.", MAKER, now)
    review = store.last_review()
    assert review is not None
    move = Move("proposed", "", AssetId(A), AssetId(B), 50)
    store.add_substitution(review.review_id, move, ("0" * 64, "1" * 64), "Theirs instead.", MAKER, now)
