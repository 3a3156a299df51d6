"""Who controls each account, as rows and back. Facts hardly ever change from sweep to sweep.

A sweep whose accounts are those of the compared one stores the states that differ, and its review names the sweep
whose states hold for all others: always one that has all of its own, so that two readings give any sweep's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import orjson
import sqlalchemy as sa

from chains.errors import InvalidValue
from chains.evm.encumbrance_types import AccountRole, ControlState, EncumbranceReading, Fact
from chains.types import Address
from exports.canonical import canonical_json
from verifier.rules.control_changes import last_known
from verifier.store.records import SweepStart
from verifier.store.tables import ControlStateRow, EncumbranceReviewRow, InternedTextRow, table
from verifier.store.types import Canonical
from verifier.store.unit import Unit

CONTROL, TEXT, REVIEW = table(ControlStateRow), table(InternedTextRow), table(EncumbranceReviewRow)
CHANGED_PART_MAX: Final = 4
"""When more than one account in so many differs, all are stored again."""
TEXTS_AT_ONCE: Final = 500


class StoredState(NamedTuple):
    """One account's state in keys: as a sweep read it, and with what was known before where it could not."""

    role: AccountRole
    facts_key: int
    nonce: int | None
    known_key: int
    known_nonce: int | None


_Facts = tuple[tuple[tuple[Fact, str], ...], tuple[tuple[Fact, str], ...]]
"""What is known of an account, and why the rest is not."""
StoredStates = Mapping[str, StoredState]
"""By address, in the order in which the accounts were asked."""


@dataclass(frozen=True, slots=True)
class ControlRows:
    """What one sweep stores of its accounts."""

    whole_sweep_key: int | None
    """The sweep whose states hold for all other accounts; None when there are no others."""
    rows: Sequence[tuple[Canonical, ...]]


def stored_states(
    connection: sa.Connection, sweep_key: int, wholes: dict[int, StoredStates] | None = None
) -> StoredStates:
    """The states of one sweep. `wholes` keeps sweeps that have all of their own, for whoever asks for several."""
    wholes = {} if wholes is None else wholes
    whole = _whole_sweep(connection, sweep_key)
    if whole not in wholes:
        wholes[whole] = _own_states(connection, whole)
    return wholes[whole] if whole == sweep_key else {**wholes[whole], **_own_states(connection, sweep_key)}


def control_rows(
    unit: Unit, start: SweepStart, reading: EncumbranceReading, compared_sweep_key: int | None
) -> ControlRows:
    """What is to be stored of the states as read, given the sweep that this one is compared with.

    Raises `InvalidValue` for an account that was read twice.
    """
    connection, wholes = unit.connection, dict[int, StoredStates]()
    earlier = stored_states(connection, compared_sweep_key, wholes) if compared_sweep_key is not None else {}
    before = {state.address: state for state in control_states(connection, earlier, known=True)}
    pairs = [
        (state, last_known(before[state.address], state) if state.address in before else state)
        for state in reading.controls
    ]
    told = [(state, _facts_of(state), known.nonce, _facts_of(known)) for state, known in pairs]
    keys = _text_keys(unit, {each for _, facts, _, known in told for each in (facts, known)})
    states = {
        str(state.address): StoredState(state.role, keys[facts], state.nonce, keys[known], known_nonce)
        for state, facts, known_nonce, known in told
    }
    if len(states) != len(pairs):
        raise InvalidValue("an account was read twice")
    whole_sweep_key = None
    changed = states
    if states and list(earlier) == list(states):
        ((whole, there),) = wholes.items()
        differing = {address: state for address, state in states.items() if there[address] != state}
        if len(differing) * CHANGED_PART_MAX <= len(states):
            whole_sweep_key, changed = whole, differing
    rows = [
        (start.sweep_key, address, state.role.value, state.facts_key, state.nonce, state.known_key, state.known_nonce)
        for address, state in changed.items()
    ]
    return ControlRows(whole_sweep_key, rows)


def control_states(connection: sa.Connection, states: StoredStates, *, known: bool) -> list[ControlState]:
    """The states as a sweep read them, or with what earlier ones knew where it could not (`known`)."""
    picked = [
        (address, state.role, *((state.known_key, state.known_nonce) if known else (state.facts_key, state.nonce)))
        for address, state in states.items()
    ]
    facts = _facts(connection, {key for _, _, key, _ in picked})
    return [ControlState(Address(address), role, *facts[key], nonce) for address, role, key, nonce in picked]


def _whole_sweep(connection: sa.Connection, sweep_key: int) -> int:
    """The sweep that has the states of all accounts of this one: itself or an earlier one."""
    query = sa.select(REVIEW.c.controls_sweep_key).where(REVIEW.c.sweep_key == sweep_key)
    found: int | None = connection.execute(query).scalar()
    return sweep_key if found is None else found


def _own_states(connection: sa.Connection, sweep_key: int) -> dict[str, StoredState]:
    columns = CONTROL.c["address", "role", "facts_key", "nonce", "known_key", "known_nonce"]
    query = sa.select(*columns).where(CONTROL.c.sweep_key == sweep_key).order_by(CONTROL.c.record_id)
    return {address: StoredState(*state) for address, *state in connection.execute(query)}


def _facts(connection: sa.Connection, keys: set[int]) -> dict[int, tuple[dict[Fact, str], dict[Fact, str]]]:
    """What each text says is known, and why not; the texts are few, since they have no nonce."""
    found = {}
    wanted = sorted(keys)
    for first in range(0, len(wanted), TEXTS_AT_ONCE):
        query = sa.select(TEXT.c.record_id, TEXT.c.text).where(
            TEXT.c.record_id.in_(wanted[first : first + TEXTS_AT_ONCE])
        )
        for key, text in connection.execute(query):
            said = orjson.loads(text)
            facts = {Fact(name): fact for name, fact in said["facts"].items()}
            found[key] = facts, {Fact(name): reason for name, reason in said["unread"].items()}
    return found


def _facts_of(state: ControlState) -> _Facts:
    return tuple(state.facts.items()), tuple(state.unread.items())


def _text_keys(unit: Unit, facts: set[_Facts]) -> dict[_Facts, int]:
    """The key of each text: most accounts share a few, which are written once and not for each of them."""
    texts = {each: _facts_text(*each) for each in facts}
    keys = unit.text_keys(texts.values())
    return {each: keys[text] for each, text in texts.items()}


def _facts_text(facts: Iterable[tuple[Fact, str]], unread: Iterable[tuple[Fact, str]]) -> str:
    said = {"facts": {fact.value: text for fact, text in facts}, "unread": {fact.value: why for fact, why in unread}}
    return canonical_json(said).decode()
