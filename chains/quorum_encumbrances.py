"""One answer about who else could move what is in the wallets, from what several operators said. No node is asked here.

Every question is held against every node's answer by itself: what a quorum of operators says counts, anything else is
not known, with what each node said. A pair that one node alone saw in an approval event is asked for at all nodes, so
that an event which the others leave out hides nobody; that they left it out is a disagreement too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from chains.agreement import DisagreementSubject, NodeDisagreement, Witness, joined_node_ids, operator_count, tally
from chains.disputes import disputed
from chains.errors import QuorumNotReached
from chains.evm.encumbrance_types import (
    NONE,
    Answer,
    ApprovalCoverage,
    Candidates,
    ControlState,
    EncumbranceReading,
    Fact,
    Grant,
    GrantKind,
    PairKey,
    Restriction,
)
from chains.types import Address, AssetId, BlockRef

UNREAD: Final = "not-read: "
"""Begins what a node says that could not answer; followed by its reason."""


@dataclass(slots=True)
class Ballot:
    """One question after another about one block, with every disagreement they lead to."""

    block: BlockRef
    quorum: int
    disagreements: list[NodeDisagreement]

    def agree(self, answers: Mapping[Witness, str], name: str, said: Callable[[str], str] = str) -> tuple[str, str]:
        """The answer of the quorum and no reason, or the reason why there is none (and an empty answer).

        A node that could not read abstains; different answers are noted as a disagreement, agreed or not.
        """
        given = {node: answer for node, answer in answers.items() if not answer.startswith(UNREAD)}
        failed = {node: answer.removeprefix(UNREAD) for node, answer in answers.items() if node not in given}
        if not given:
            return "", next(iter(failed.values()))
        verdict = tally(given, self.quorum)
        dispute = disputed(
            self.block.chain_id,
            DisagreementSubject.ENCUMBRANCE,
            self.block.height,
            given,
            verdict.answer,
            said,
            block=self.block,
            name=name,
        )
        if dispute is not None:
            self.disagreements.append(dispute)
        if verdict.is_agreed and verdict.answer is not None:
            return verdict.answer, ""
        why = [f"node {node.node_id}: {reason}" for node, reason in failed.items()]
        if dispute is not None:
            why.insert(0, f"operators disagree: {dispute}")
        else:
            why.insert(0, f"{operator_count(given)} of {self.quorum} operators answered")
        return "", f"{QuorumNotReached.code}: {'; '.join(why)}"


def merge_approvals(answers: Mapping[Witness, ApprovalCoverage], ballot: Ballot) -> ApprovalCoverage:
    """Every pair that any node saw. Odd events count as many as the node says that saw most."""
    first = next(iter(answers.values()))
    pairs: dict[GrantKind, dict[Witness, frozenset[PairKey]]] = {
        GrantKind.ALLOWANCE: {node: each.candidates.allowances for node, each in answers.items()},
        GrantKind.PERMIT2: {node: each.candidates.permit2 for node, each in answers.items()},
    }
    for kind, by_node in pairs.items():
        everything = frozenset().union(*by_node.values())
        for pair in sorted(everything - frozenset.intersection(*by_node.values())):
            owner, asset_id, spender = pair
            words = {True: "it was approved", False: "there is no such approval"}
            seen = {node: words[pair in found] for node, found in by_node.items()}
            ballot.agree(seen, f"approval:{kind}:{owner}:{asset_id}:{spender}")
    odd: dict[AssetId, int] = {}
    for coverage in answers.values():
        for asset_id, count in coverage.odd_approvals.items():
            odd[asset_id] = max(count, odd.get(asset_id, 0))
    return replace(
        first,
        first_height=max(each.first_height for each in answers.values()),
        candidates=Candidates(
            frozenset().union(*pairs[GrantKind.ALLOWANCE].values()),
            frozenset().union(*pairs[GrantKind.PERMIT2].values()),
        ),
        odd_approvals=odd,
    )


def merge_readings(answers: Mapping[Witness, EncumbranceReading], ballot: Ballot) -> EncumbranceReading:
    """The reading of a quorum: each grant, fact and answer by itself. `answers` come from the same questions."""
    first = next(iter(answers.values()))
    return replace(
        first,
        node_id=joined_node_ids(answers),
        grants=tuple(_grants(answers, ballot)),
        controls=tuple(_controls(answers, ballot)),
        restrictions=tuple(_restrictions(answers, ballot)),
    )


def _grants(answers: Mapping[Witness, EncumbranceReading], ballot: Ballot) -> list[Grant]:
    found: dict[tuple[GrantKind, PairKey], dict[Witness, Grant]] = {}
    for node, reading in answers.items():
        for grant in reading.grants:
            found.setdefault((grant.kind, grant.key), {})[node] = grant
    merged = []
    for (kind, key), by_node in sorted(found.items(), key=lambda item: item[0]):
        example = next(iter(by_node.values()))
        said: dict[Witness, str] = {}
        for node in answers:
            given = by_node.get(node)
            # A reading keeps what is not zero, and what could not be read.
            said[node] = "0" if given is None else _amount_words(given)
        text, reason = ballot.agree(said, ":".join((kind, *key)))
        chosen = next((each for each in by_node.values() if _amount_words(each) == text), None)
        if chosen is not None:
            merged.append(chosen)
        elif reason:
            merged.append(Grant(kind, key[0], example.asset, key[2], None, reason=reason))
    return merged


def _amount_words(grant: Grant) -> str:
    if grant.base_units is None:
        return UNREAD + grant.reason
    until = f" until second {grant.expires_at_seconds}" if grant.expires_at_seconds is not None else ""
    return f"{grant.base_units}{until}"


def _controls(answers: Mapping[Witness, EncumbranceReading], ballot: Ballot) -> list[ControlState]:
    by_node = {node: {state.address: state for state in reading.controls} for node, reading in answers.items()}
    first = next(iter(answers.values()))
    return [
        _control(state.address, {node: states[state.address] for node, states in by_node.items()}, ballot)
        for state in first.controls
    ]


def _control(address: Address, states: Mapping[Witness, ControlState], ballot: Ballot) -> ControlState:
    first = next(iter(states.values()))
    facts: dict[Fact, str] = {}
    unread: dict[Fact, str] = {}
    for fact in Fact:
        said = {node: _fact_words(state, fact) for node, state in states.items()}
        if set(said.values()) == {""}:
            continue  # it applies to nobody's picture of this account
        text, reason = ballot.agree(said, f"control:{address}:{fact}", lambda word: word or NONE)
        if reason:
            unread[fact] = reason
        elif text:
            facts[fact] = text
    nonces = {node: _nonce_words(state) for node, state in states.items()}
    nonce, _ = ballot.agree(nonces, f"control:{address}:nonce")
    return ControlState(address, first.role, facts, unread, int(nonce) if nonce else None)


def _nonce_words(state: ControlState) -> str:
    return f"{UNREAD}nonce-unread: the node gave no transaction count" if state.nonce is None else str(state.nonce)


def _fact_words(state: ControlState, fact: Fact) -> str:
    """The fact, why it was not read, or nothing where it does not apply."""
    if fact in state.facts:
        return state.facts[fact]
    # Without knowing what kind of account it is, a node did not ask for the rest.
    reason = state.unread.get(fact, state.unread.get(Fact.ACCOUNT_KIND, ""))
    return UNREAD + reason if reason else ""


def _restrictions(answers: Mapping[Witness, EncumbranceReading], ballot: Ballot) -> list[Restriction]:
    by_node = {
        node: {(each.asset, each.question, each.holder): each for each in reading.restrictions}
        for node, reading in answers.items()
    }
    keys = dict.fromkeys(key for found in by_node.values() for key in found)
    merged = []
    for asset, question, holder in keys:
        said = {node: _answer_words(found.get((asset, question, holder))) for node, found in by_node.items()}
        text, reason = ballot.agree(said, f"restriction:{asset.asset_id}:{question}:{holder or 'everybody'}")
        if reason:
            merged.append(Restriction(asset, question, holder, Answer.UNREAD, reason))
        else:
            merged.append(Restriction(asset, question, holder, Answer(text)))
    return merged


def _answer_words(given: Restriction | None) -> str:
    """A question that a node does not list is one that the token does not offer, as far as that node shows."""
    if given is None:
        return Answer.NOT_OFFERED.value
    return UNREAD + given.reason if given.answer is Answer.UNREAD else given.answer.value
