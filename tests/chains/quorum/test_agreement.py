"""Counting operators."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.agreement import (
    DisagreementSubject,
    NodeAnswer,
    NodeDisagreement,
    Witness,
    joined_node_ids,
    operator_count,
    split_node_ids,
    tally,
)
from chains.disputes import disputed
from chains.errors import InvalidValue
from chains.types import ChainId

CHAIN = ChainId("eip155:31337")


def told(words: str) -> dict[Witness, str]:
    """`A=x B=y A=x`: operator and answer of one node after the other."""
    pairs = [word.split("=") for word in words.split()]
    return {Witness(f"node-{number}", operator): answer for number, (operator, answer) in enumerate(pairs)}


@pytest.mark.parametrize(
    ("answers", "quorum", "agreed", "is_disputed"),
    [
        ("A=x B=x C=x", 2, "x", False),
        ("A=x B=x C=x", 3, "x", False),
        ("A=x B=x C=y", 2, "x", True),
        ("A=x B=x C=y", 3, None, True),
        ("A=x B=y C=z", 2, None, True),
        ("A=x", 1, "x", False),
        ("A=x", 2, None, False),
        # Operators are counted, not nodes.
        ("A=x A=x", 2, None, False),
        ("A=x A=x B=y", 2, None, True),
        ("A=x A=x B=y C=y", 2, "y", True),
        # However the operator's name is spelt.
        ("Acme=x acme=x", 2, None, False),
        # Whose nodes contradict each other vouches for nothing.
        ("A=x A=y B=x", 2, None, True),
        ("A=x A=y B=x C=x", 2, "x", True),
        ("A=x B=x B=y C=y", 2, None, True),
        # Two answers that both reach the quorum are no agreement.
        ("A=x B=x C=y D=y", 2, None, True),
        ("A=x B=x C=x D=y E=y", 3, "x", True),
    ],
)
@pytest.mark.fault("A28")
def test_tally(answers: str, quorum: int, agreed: str | None, is_disputed: bool) -> None:
    given_answers = told(answers)
    verdict = tally(given_answers, quorum)
    assert (verdict.answer, verdict.is_agreed, verdict.is_disputed) == (agreed, agreed is not None, is_disputed)
    assert verdict.supporters == tuple(node for node, said in given_answers.items() if said == agreed)


@given(
    st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from("xyz")), max_size=8), st.integers(1, 4), st.randoms()
)
def test_what_is_agreed_was_said_by_enough_operators_and_the_order_does_not_matter(
    pairs: list[tuple[str, str]], quorum: int, random: object
) -> None:
    answers = {Witness(f"node-{number}", operator): said for number, (operator, said) in enumerate(pairs)}
    verdict = tally(answers, quorum)
    backwards = tally(dict(reversed(answers.items())), quorum)
    assert verdict.answer == backwards.answer
    if verdict.is_agreed:
        assert operator_count(verdict.supporters) >= quorum
        assert all(answers[node] == verdict.answer for node in verdict.supporters)
    loners = {operator for operator, _ in pairs if len({said for who, said in pairs if who == operator}) == 1}
    if verdict.is_agreed:
        assert len({node.operator for node in verdict.supporters} & loners) >= quorum


def test_a_quorum_of_nobody_is_refused() -> None:
    with pytest.raises(InvalidValue):
        tally(told("A=x"), 0)


def test_names_of_nodes_go_together_and_come_apart() -> None:
    witnesses = tuple(told("A=x B=x C=x"))
    assert joined_node_ids(witnesses) == "node-0+node-1+node-2"
    assert split_node_ids(joined_node_ids(witnesses)) == tuple(node.node_id for node in witnesses)
    assert split_node_ids("node-0") == ("node-0",)


def test_a_disagreement_names_every_answer() -> None:
    dispute = disputed(CHAIN, DisagreementSubject.BLOCK, 7, told("A=x B=x C=y"), "x", str.upper)
    assert dispute is not None
    assert dispute.answers == (
        NodeAnswer("node-0", "A", "X"),
        NodeAnswer("node-1", "B", "X"),
        NodeAnswer("node-2", "C", "Y"),
    )
    assert (dispute.agreed, dispute.dissenters) == ("X", dispute.answers[2:])
    assert str(dispute) == "node node-0 says X; node node-1 says X; node node-2 says Y"
    unsettled = disputed(CHAIN, DisagreementSubject.BLOCK, 7, told("A=x C=y"), None, str.upper)
    assert unsettled is not None
    assert unsettled.dissenters == unsettled.answers
    assert disputed(CHAIN, DisagreementSubject.BLOCK, 7, told("A=x B=x"), "x", str) is None


def test_answers_that_differ_in_what_the_words_leave_out_are_spelt_out() -> None:
    dispute = disputed(CHAIN, DisagreementSubject.BLOCK, 7, told("A=xa B=xb"), "xa", lambda said: said[0])
    assert dispute is not None
    assert [answer.said for answer in dispute.answers] == ["'xa'", "'xb'"]
    assert dispute.dissenters == dispute.answers[1:]


def test_a_disagreement_without_two_answers_is_none() -> None:
    same = (NodeAnswer("a", "A", "5"), NodeAnswer("b", "B", "5"))
    with pytest.raises(InvalidValue):
        NodeDisagreement(DisagreementSubject.BLOCK, CHAIN, 7, same, "5")
    other = (NodeAnswer("a", "A", "5"), NodeAnswer("b", "B", "6"))
    NodeDisagreement(DisagreementSubject.BLOCK, CHAIN, 7, other, "5")
    for subject in (DisagreementSubject.BALANCE, DisagreementSubject.TRANSFER):
        with pytest.raises(InvalidValue):
            NodeDisagreement(subject, CHAIN, 7, other, "5")  # about nothing in particular
