"""What the firm accepts through whole sweeps: no case, and listed; beyond it, a case that opens again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chains.devnet.deploy import deployed
from chains.types import utc_text
from tests.verifier.sweep.desk import Desk, Row, kinds
from tests.verifier.sweep.test_encumbered_sweeps import CHANGE, ENCUMBRANCE, approve, books, next_block, only
from tests.verifier.sweep.world import OMNIBUS, SECOND, STRANGER, AnvilWorld
from verifier.control_view import ControlView, control_view
from verifier.rules.status import FirmStatus
from verifier.sweep import SweepOutcome

pytestmark = pytest.mark.devnet
__all__ = ["books"]


def accept(desk: Desk, world: AnvilWorld, **changes: str) -> None:
    """Record that STRANGER may take up to 700 units from OMNIBUS for a day; approved at the newest block's time."""
    row: Row = {
        "acceptance_id": "AC-1",
        "wallet": OMNIBUS,
        "subject": STRANGER,
        "quantity_max": desk.usdx.format_quantity(700),
    }
    desk.take(accepted_control=[{**row, **changes}])


def control(outcome: SweepOutcome) -> ControlView:
    assert outcome.control is not None
    return outcome.control


def test_an_accepted_allowance_is_listed_and_opens_no_case(books: Desk, world: AnvilWorld) -> None:
    world.mine()
    accept(books, world)
    approve(world, OMNIBUS, STRANGER, 700)
    outcome = books.sweep()
    assert (outcome.exit_code, outcome.cases, control(outcome).grants) == (0, (), 1)
    (line,) = control(outcome).accepted_lines()
    assert "accepted by ops.checker (AC-1" in line
    assert "exposure 0.0007 USDX" in line
    status = books.status()
    assert status.statuses == (FirmStatus.COMPLIANT,)
    assert any("AC-1" in text for text in status.chains[0].information())
    assert control(outcome).to_dict()["accepted"]


def test_above_the_amount_it_is_a_case(books: Desk, world: AnvilWorld) -> None:
    accept(books, world)
    approve(world, OMNIBUS, STRANGER, 701)
    outcome = books.sweep()
    assert (kinds(outcome), control(outcome).accepted) == ({ENCUMBRANCE: 1}, ())
    assert "AC-1 accepts no more than 0.0007" in only(books, ENCUMBRANCE).finding.text


def test_another_spender_is_a_case_beside_the_accepted_one(books: Desk, world: AnvilWorld) -> None:
    accept(books, world)
    approve(world, OMNIBUS, STRANGER, 700)
    approve(world, OMNIBUS, SECOND, 5)
    outcome = books.sweep()
    assert [seen.finding.subject for seen in outcome.cases] == [f"allowance:{SECOND}"]
    assert len(control(outcome).accepted) == 1


def test_a_case_that_was_open_ends_when_it_is_accepted_and_opens_after_the_end(books: Desk, world: AnvilWorld) -> None:
    approve(world, OMNIBUS, STRANGER, 700)
    books.sweep()
    case = only(books, ENCUMBRANCE)
    books.close(case)
    assert kinds(next_block(books, world)) == {ENCUMBRANCE: 1}, "closed by people, and it stands: opened anew"
    world.mine()
    end = world.head_time() + timedelta(seconds=1_000)
    accept(books, world, valid_until=utc_text(end))
    outcome = next_block(books, world)
    assert (outcome.cases, only(books, ENCUMBRANCE).is_seen) == ((), False)
    books.close(only(books, ENCUMBRANCE))
    assert next_block(books, world).exit_code == 0, "closed, and it stays closed"
    world.node.set_next_block_timestamp(int(end.timestamp()) + 1)
    outcome = next_block(books, world)
    assert kinds(outcome) == {ENCUMBRANCE: 1}
    assert "accepted it until" in only(books, ENCUMBRANCE).finding.text


def test_what_was_decided_later_does_not_change_what_a_sweep_knew(books: Desk, world: AnvilWorld) -> None:
    approve(world, OMNIBUS, STRANGER, 700)
    outcome = books.sweep()
    accept(books, world)
    assert outcome.summary is not None
    start = books.store.sweep(outcome.summary.sweep_id)
    assert start is not None
    view = control_view(books.store, start)
    assert view is not None
    assert view.accepted == ()


def test_an_accepted_module_is_still_told_as_a_change_once(desk: Desk, world: AnvilWorld) -> None:
    owners = world.node.accounts()[:3]
    safe = deployed(world.node, "SafeLike", ["0x" + "51" * 20, owners, 2, False])
    desk.open_books(safe.address)
    assert desk.sweep().exit_code == 0
    whole = {"kind": "module", "asset_id": "", "quantity_max": "", "wallet": safe.address}
    accept(desk, world, **whole)
    safe.transact("enableModule", STRANGER)
    outcome = desk.sweep()
    assert kinds(outcome) == {CHANGE: 1}
    (accepted,) = control(outcome).accepted
    assert "module of" in accepted.text()
    desk.close(only(desk, CHANGE))
    assert next_block(desk, world).exit_code == 0
    safe.transact("enableModule", SECOND)
    assert kinds(desk.sweep()) == {ENCUMBRANCE: 1, CHANGE: 1}, "another module was decided by nobody"
