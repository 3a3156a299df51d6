"""What a token's issuer has stopped: everything (paused) or single holders (frozen, blacklisted), at the pin.

There is no standard for it. The token is asked by every configured function; one that it does not have reverts or
answers with something else than one word. A token that has none of them is `not_offered`, which is not "clear": it
may stop holders in a way that is not asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chains.evm.abi import address_word, selector
from chains.evm.addresses import address_bytes
from chains.evm.encumbrance_types import Answer, Restriction
from chains.evm.pinned_state import Outcome, PinnedState, Unread, word_of
from chains.jsonrpc import RpcCall
from chains.types import Address, Asset


def read_restrictions(
    state: PinnedState,
    holders: Sequence[Address],
    tokens: Mapping[bytes, Asset],
    paused_questions: Sequence[str],
    frozen_questions: Sequence[str],
) -> list[Restriction]:
    """Of each token whether it is paused, and of each holder whether it is frozen; by token, then holder.

    The first holder shows which functions a token has; those are asked for the others. Raises `ChainMoved`, and
    `NodeUnavailable` when no answer came.
    """
    ordered = sorted(tokens.items(), key=lambda item: item[1].asset_id)
    first_calls = [
        _call(state, raw, question, holder)
        for raw, _ in ordered
        for question, holder in _first_questions(holders, paused_questions, frozen_questions)
    ]
    first = iter(state.ask(first_calls))
    paused: dict[bytes, list[Restriction]] = {}
    frozen: dict[bytes, list[Restriction]] = {}
    for raw, asset in ordered:
        paused[raw] = _offered(asset, None, paused_questions, [next(first) for _ in paused_questions])
        if holders:
            frozen[raw] = _offered(asset, holders[0], frozen_questions, [next(first) for _ in frozen_questions])
    rest = [
        (raw, known, holder)
        for raw, _ in ordered
        for holder in holders[1:]
        for known in (each for each in frozen[raw] if each.holder == holders[0])
    ]
    asked = [(raw, known, holder) for raw, known, holder in rest if known.answer is not Answer.NOT_OFFERED]
    outcomes = iter(state.ask([_call(state, raw, known.question, holder) for raw, known, holder in asked]))
    for raw, known, holder in rest:
        if known.answer is Answer.NOT_OFFERED:
            frozen[raw].append(Restriction(known.asset, known.question, holder, Answer.NOT_OFFERED))
        else:
            frozen[raw].append(_restriction(known.asset, known.question, holder, next(outcomes)))
    return [each for raw, _ in ordered for each in (*paused[raw], *frozen.get(raw, ()))]


def _first_questions(
    holders: Sequence[Address], paused_questions: Sequence[str], frozen_questions: Sequence[str]
) -> list[tuple[str, Address | None]]:
    questions: list[tuple[str, Address | None]] = [(question, None) for question in paused_questions]
    return questions + [(question, holders[0]) for question in frozen_questions if holders]


def _call(state: PinnedState, token: bytes, question: str, holder: Address | None) -> RpcCall:
    argument = address_word(address_bytes(holder)) if holder is not None else b""
    return state.call(token, selector(question) + argument)


def _offered(
    asset: Asset, holder: Address | None, questions: Sequence[str], outcomes: Sequence[Outcome]
) -> list[Restriction]:
    """The answers of the functions that the token has, or the one statement that it has none of them."""
    answers = [
        _restriction(asset, question, holder, outcome)
        for question, outcome in zip(questions, outcomes, strict=True)
        if isinstance(word_of(outcome), int | Unread)
    ]
    return answers or [Restriction(asset, ", ".join(questions), holder, Answer.NOT_OFFERED)]


def _restriction(asset: Asset, question: str, holder: Address | None, outcome: Outcome) -> Restriction:
    value = word_of(outcome)
    if value in (0, 1):
        return Restriction(asset, question, holder, Answer.RESTRICTED if value else Answer.CLEAR)
    if isinstance(value, Unread):
        reason = value.reason
    else:
        reason = f"restriction-malformed: {question} answered with neither yes nor no"
    return Restriction(asset, question, holder, Answer.UNREAD, reason)
