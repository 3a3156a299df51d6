"""Check 21: what the bundle says about who else could move it, asked of the auditor's own node at the same block.

Spenders that the bundle does not name are asked for only where they are always asked for (Permit2): a grant that a firm
left out is found by looking through all approvals again, which `custody chain encumbrances` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from chains.errors import InvalidValue, ReadError
from chains.evm.addresses import token_of
from chains.evm.encumbrance_types import (
    AccountRole,
    Answer,
    ApprovalCoverage,
    Candidates,
    ControlState,
    EncumbranceReading,
    EncumbranceSettings,
    GrantKind,
)
from chains.reader import ChainReader, Pin, as_encumbrance_reader
from chains.types import Asset, BlockRef, Finality
from exports.contents import Contents
from exports.control_records import ControlReviewRecord, ControlStateRecord, ReviewStatus
from exports.records import SweepRecord
from exports.verdict import Outcome

_QUESTION: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}\((address)?\)", re.ASCII)
"""What a token can be asked: a function without arguments, or of one holder."""


def answered_review(contents: Contents, sweep: SweepRecord) -> ControlReviewRecord | None:
    """The review of a sweep that has answers to ask again; None without."""
    reviews = [each for each in contents.control_reviews if each.sweep_id == sweep.sweep_id]
    return reviews[0] if len(reviews) == 1 and reviews[0].status is ReviewStatus.ANSWERED else None


def check_control(contents: Contents, sweep: SweepRecord, review: ControlReviewRecord, reader: ChainReader) -> Outcome:
    """21: the reader's own node gives the same grants, the same facts about each account, and the same restrictions."""
    asked = as_encumbrance_reader(reader)
    if asked is None:
        return Outcome(0, obstacles=["the chain's adapter does not read who else could move it"])
    controls = [each for each in contents.controls if each.sweep_id == sweep.sweep_id]
    wallets = [each.address for each in controls if each.role is AccountRole.WALLET]
    contracts = {each.address for each in controls if each.role is AccountRole.TOKEN}
    tokens = [
        Asset(each.asset_id, each.symbol, each.decimals)
        for each in contents.assets
        if each.asset_id.startswith(f"{sweep.chain_id}/")
        and (token := token_of(each.asset_id)) is not None
        and (token.number is not None or each.asset_id.rpartition(":")[2] in contracts)
    ]
    block = BlockRef(sweep.chain_id, sweep.height, sweep.block_hash, sweep.parent_hash, sweep.block_time)
    pin = Pin(block, Finality.parse(sweep.finality), header_checked=False, header_note="pin taken from the bundle")
    settings = _settings(contents, sweep, review)
    pairs = {
        kind: frozenset(
            (each.owner, each.asset_id, each.spender)
            for each in contents.grants
            if each.sweep_id == sweep.sweep_id and each.kind is kind
        )
        for kind in GrantKind
    }
    coverage = ApprovalCoverage(
        first_height=sweep.height,
        last=block,
        wallets=frozenset(wallets),
        assets=frozenset(token.asset_id for token in tokens),
        permit2=settings.permit2,
        candidates=Candidates(pairs[GrantKind.ALLOWANCE] | pairs[GrantKind.OPERATOR], pairs[GrantKind.PERMIT2]),
        odd_approvals={},
    )
    try:
        reading = asked.read_encumbrances(pin, wallets, tokens, coverage, settings)
    except (ReadError, InvalidValue) as error:
        return Outcome(0, obstacles=[f"{error.code}: {error}"])
    problems: list[str] = []
    obstacles: list[str] = []
    for text, is_known in _differences(contents, sweep, controls, reading):
        (problems if is_known else obstacles).append(text)
    compared = reading.pairs_asked + len(controls)
    return Outcome(max(0, compared - len(obstacles)), problems, obstacles, note=f"at block {sweep.height}")


def _settings(contents: Contents, sweep: SweepRecord, review: ControlReviewRecord) -> EncumbranceSettings:
    """What is asked by default, and besides every question to which the bundle says that a token answered yes."""
    usual = EncumbranceSettings()
    stopped = [
        each
        for each in contents.restrictions
        if each.sweep_id == sweep.sweep_id and each.answer is Answer.RESTRICTED and _QUESTION.fullmatch(each.question)
    ]
    paused = sorted({each.question for each in stopped if each.holder is None and each.question.endswith("()")})
    frozen = sorted({each.question for each in stopped if each.holder is not None and not each.question.endswith("()")})
    return EncumbranceSettings(
        permit2=review.permit2 or usual.permit2,
        paused_questions=tuple(dict.fromkeys((*usual.paused_questions, *paused))),
        frozen_questions=tuple(dict.fromkeys((*usual.frozen_questions, *frozen))),
    )


def _differences(
    contents: Contents, sweep: SweepRecord, controls: list[ControlStateRecord], reading: EncumbranceReading
) -> Iterator[tuple[str, bool]]:
    """Each difference, and whether the node's answer is known."""
    stated = {
        (each.kind, each.owner, each.asset_id, each.spender): (each.base_units, each.expires_at_seconds)
        for each in contents.grants
        if each.sweep_id == sweep.sweep_id
    }
    found = {(each.kind, *each.key): each for each in reading.grants}
    for key in sorted({*stated, *found}):
        where = f"grant of {key[1]} to {key[3]} ({key[0]})"
        grant = found.get(key)
        told = (0, None) if grant is None else (grant.base_units, grant.expires_at_seconds)
        said = stated.get(key, (0, None))
        if grant is not None and grant.base_units is None:
            yield f"{where}: {grant.reason}", False
        elif said[0] is not None and (told[0] != said[0] or (told[0] and told != said)):
            yield f"{where}: the bundle says {said[0]}, your node {told[0]}", True
    by_address = {state.address: state for state in reading.controls}
    for record in controls:
        yield from _control_differences(record, by_address.get(record.address))
    yield from _restriction_differences(contents, sweep, reading)


def _control_differences(record: ControlStateRecord, state: ControlState | None) -> Iterator[tuple[str, bool]]:
    where = f"control of {record.address}"
    if state is None:
        yield f"{where}: your node was not asked", False
        return
    unread = {fact.value: reason for fact, reason in state.unread.items()}
    facts = {fact.value: text for fact, text in state.facts.items()}
    hidden = {fact.name for fact in record.unread}
    for name in sorted({*facts, *unread, *(fact.name for fact in record.facts)} - hidden):
        if name in unread or ("account_kind" in unread and name not in facts):
            yield f"{where}: {name}: {unread.get(name, unread.get('account_kind'))}", False
        elif facts.get(name, "") != record.fact(name):
            yield (
                f"{where}: {name} is {record.fact(name) or 'nothing'}, on your node {facts.get(name, 'nothing')}",
                True,
            )
    if record.nonce is not None and state.nonce is not None and record.nonce != state.nonce:
        yield f"{where}: {record.nonce} transactions sent, on your node {state.nonce}", True


def _restriction_differences(
    contents: Contents, sweep: SweepRecord, reading: EncumbranceReading
) -> Iterator[tuple[str, bool]]:
    stated = {
        (each.asset_id, each.question, each.holder): each.answer
        for each in contents.restrictions
        if each.sweep_id == sweep.sweep_id
    }
    found = {(each.asset.asset_id, each.question, each.holder): each for each in reading.restrictions}
    for key, answer in stated.items():
        if answer is Answer.RESTRICTED and key not in found:
            yield (
                f"{key[0]}: {key[1]} of {key[2] or 'everybody'}: {answer} in the bundle, your node does not say",
                False,
            )
    for key, each in found.items():
        said = stated.get(key, Answer.CLEAR)
        where = f"{key[0]}: {key[1]} of {key[2] or 'everybody'}"
        if Answer.RESTRICTED not in (said, each.answer) or Answer.UNREAD is said:
            continue
        if each.answer is Answer.UNREAD:
            yield f"{where}: {each.reason}", False
        elif said is not each.answer:
            yield f"{where}: {said} in the bundle, {each.answer} on your node", True
