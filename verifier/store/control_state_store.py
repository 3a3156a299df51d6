"""Who controls each account, as rows and back. Facts hardly ever change from sweep to sweep; they are interned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import orjson
import sqlalchemy as sa

from chains.evm.encumbrance_types import ControlState, EncumbranceReading, Fact
from chains.types import Address
from exports.canonical import canonical_json
from verifier.rules.control_changes import last_known
from verifier.store.records import SweepStart
from verifier.store.tables import ControlStateRow, InternedTextRow, table
from verifier.store.types import Canonical
from verifier.store.unit import Unit

CONTROL, TEXT = table(ControlStateRow), table(InternedTextRow)


def control_rows(
    unit: Unit, start: SweepStart, reading: EncumbranceReading, before: Sequence[ControlState]
) -> Iterator[tuple[Canonical, ...]]:
    """The states as read, and as last known: `before` is what the compared sweep knew."""
    earlier = {state.address: state for state in before}
    rows = [
        (state, last_known(earlier[state.address], state) if state.address in earlier else state)
        for state in reading.controls
    ]
    texts = unit.text_keys(_facts_text(state) for pair in rows for state in pair)
    for state, known in rows:
        yield (
            start.sweep_key,
            state.address,
            state.role.value,
            texts[_facts_text(state)],
            state.nonce,
            texts[_facts_text(known)],
            known.nonce,
        )


def stored_controls(connection: sa.Connection, sweep_key: int, *, known: bool) -> list[ControlState]:
    """The states of one sweep: as it read them, or with what earlier ones knew where it could not (`known`)."""
    text_key, nonce = (CONTROL.c.known_key, CONTROL.c.known_nonce) if known else (CONTROL.c.facts_key, CONTROL.c.nonce)
    query = (
        sa.select(CONTROL.c.address, CONTROL.c.role, TEXT.c.text, nonce.label("nonce"))
        .join_from(CONTROL, TEXT, text_key == TEXT.c.record_id)
        .where(CONTROL.c.sweep_key == sweep_key)
        .order_by(CONTROL.c.record_id)
    )
    states = []
    for row in connection.execute(query):
        said = orjson.loads(row.text)
        states.append(
            ControlState(
                Address(row.address),
                row.role,
                {Fact(name): text for name, text in said["facts"].items()},
                {Fact(name): reason for name, reason in said["unread"].items()},
                row.nonce,
            )
        )
    return states


def _facts_text(state: ControlState) -> str:
    facts = {fact.value: text for fact, text in state.facts.items()}
    unread = {fact.value: reason for fact, reason in state.unread.items()}
    return canonical_json({"facts": facts, "unread": unread}).decode()
