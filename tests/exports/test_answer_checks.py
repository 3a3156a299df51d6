"""Check 32: kept answers are decoded again and must say the balances; missing, added and changed ones are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chains.kept_answers import KeptExchange
from exports.answer_checks import check_answers
from exports.answer_records import NodeAnswerRecord
from exports.bundle import Bundle
from exports.codec import from_object, to_object
from exports.disclosure import client_bundle, pseudonymous_bundle
from exports.errors import RecordInvalid
from exports.manifest import digest_hex
from exports.selfcheck import refusals
from exports.verdict import Outcome
from tests.conformance_bundles.profiles import contents_of
from tests.exports.answer_samples import WAYS, answered, balances_of, exchange, record, with_answers, with_owner
from tests.exports.sample import ETH, FIRM_SECRET, OMNIBUS, POOLED_B, USD, evm_spelling, sample_bundle


def judged(bundle: Bundle) -> Outcome:
    outcome = check_answers(contents_of(bundle), lambda digest: bundle.answers[digest])
    assert outcome is not None
    return outcome


@pytest.mark.parametrize("method", WAYS)
def test_answers_of_every_way_of_reading_give_the_balances(method: str) -> None:
    outcome = judged(with_answers(method))
    assert list(outcome.problems) == []
    assert outcome.compared == (9 if method == "owner-of" else 8)
    assert refusals(with_answers(method), evm_spelling) == []


@pytest.mark.parametrize("method", WAYS)
def test_an_answer_that_says_something_else_is_refused(method: str) -> None:
    def less(values: dict[Any, int | None]) -> None:
        place = next(iter(values))
        values[place] = (values[place] or 0) - 1

    bundle = with_answers(method, less)
    (problem,) = judged(bundle).problems
    assert " is 3009999999999999999, not 3010000000000000000" in problem or " is 0, not 1" in problem
    assert any("check 32" in text for text in refusals(bundle, evm_spelling))


def second(exchanges: list[KeptExchange], change: Callable[[bytes], bytes]) -> list[KeptExchange]:
    first, other = exchanges
    return [first, replace(other, body=change(other.body))]


HOSTILE: dict[str, Callable[[list[KeptExchange]], list[KeptExchange]]] = {
    "one is left out": lambda made: made[:1],
    "one is there twice over": lambda made: [made[0], replace(made[0], calls=made[1].calls)],
    "no JSON": lambda made: second(made, lambda body: body[:-1]),
    "another id": lambda made: second(made, lambda body: body.replace(b'"id": 8', b'"id": 9')),
    "a repeated key": lambda made: second(made, lambda body: body.replace(b'"id": 8', b'"id": 8, "id": 8')),
    "a float": lambda made: second(made, lambda body: body.replace(b'"id": 8', b'"id": 8.0')),
    "an answer too few": lambda made: second(made, lambda body: b"[" + body[1:].partition(b", {")[2].join([b"{", b""])),
    "an error": lambda made: second(made, lambda body: b'{"jsonrpc":"2.0","id":6,"error":{"code":1,"message":"no"}}'),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_what_is_no_whole_answer_decides_nothing(name: str) -> None:
    assert judged(with_answers("batch", also=HOSTILE[name])).problems


def test_what_was_asked_for_besides_is_refused() -> None:
    def more(made: list[KeptExchange]) -> list[KeptExchange]:
        other = replace(made[0].calls[0], params=("0x" + "09" * 20, "latest"))
        return [*made, exchange(90, [other], ["0x1"], batch=False)]

    (problem,) = judged(with_answers("batch", also=more)).problems
    assert "asks for something that no record names" in problem


def changed(**changes: Any) -> Bundle:
    bundle = with_answers()
    (kept,) = bundle.node_answers
    return replace(bundle, node_answers=(replace(kept, **changes),))


def twice() -> Bundle:
    """One balance with two answers."""
    bundle = with_answers()
    (kept,) = bundle.node_answers
    return replace(bundle, node_answers=(kept, replace(kept, addresses=(POOLED_B,), decided=1)))


WRONG: dict[str, tuple[Callable[[], Bundle], str]] = {
    "a balance left out": (lambda: changed(addresses=(OMNIBUS,), decided=1), "no kept answer decides"),
    "another order": (lambda: changed(asset_ids=(USD, ETH)), "the native coin does not come first"),
    "another way": (lambda: changed(method="multicall3"), "the answers decide nothing"),
    "no known way": (lambda: changed(method="telepathy"), "no way of reading"),
    "fewer decided": (lambda: changed(decided=3), "decides 4 addresses, not 3"),
    "another sweep": (lambda: changed(sweep_id="sweep-2"), "of another sweep"),
    "another node": (lambda: changed(node_id="node-b"), "decides no balance of this bundle"),
    "a file that is named by nothing": (
        lambda: replace(with_answers(), answers={**with_answers().answers, digest_hex(b"x"): b"x"}),
        "decides nothing",
    ),
    "decided twice": (twice, "is decided twice"),
    "a file that is missing": (
        lambda: replace(with_answers(), answers=dict(list(with_answers().answers.items())[1:])),
        "is missing",
    ),
    "nothing said by a record": (
        lambda: replace(with_answers(), node_answers=()),
        "decides nothing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(WRONG))
def test_records_that_do_not_fit_their_answers_are_refused(name: str) -> None:
    bundle, words = WRONG[name][0](), WRONG[name][1]
    problems = judged(bundle).problems
    assert any(words in problem for problem in problems), problems


def test_another_owner_is_another_balance() -> None:
    def nobody(values: dict[Any, int | None]) -> None:
        values.update(dict.fromkeys(values, 0))

    (problem,) = judged(with_owner(nobody)).problems
    assert " is 0, not 1" in problem


def test_balances_whose_answers_were_not_kept_are_counted_and_not_claimed() -> None:
    bundle = with_answers()
    (kept,) = bundle.node_answers
    gone = replace(kept, addresses=(POOLED_B,), decided=1, answers=(), reason="quotes a URL")
    values = balances_of(bundle)
    made = answered("batch", values)
    calls = [call for each in made for call in each.calls]
    results = [hex(values[address, ETH] or 0) for address in kept.addresses[:3]]
    less = exchange(1, calls[:3], results, batch=True)
    rest = replace(record("batch", [less], (ETH,)), addresses=kept.addresses[:3], decided=3)
    usd = replace(gone, addresses=kept.addresses[:3], decided=3, asset_ids=(USD,))
    bundle = replace(bundle, node_answers=(rest, gone, usd), answers={less.digest: less.to_bytes()})
    outcome = judged(bundle)
    assert list(outcome.problems) == []
    assert (outcome.compared, outcome.note) == (3, "5 balances without a kept answer, for a reason each")
    assert check_answers(contents_of(replace(bundle, node_answers=(gone,), answers={})), bytes.fromhex) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"answers": []}, {"reason": "none"}, {"decided": 0}, {"decided": 5}, {"addresses": []}, {"asset_ids": []},
        {"asset_ids": [ETH, ETH]},
    ],
)  # fmt: skip
def test_a_record_that_contradicts_itself_is_none(changes: dict[str, Any]) -> None:
    value = to_object(with_answers().node_answers[0])
    assert from_object(NodeAnswerRecord, value) == with_answers().node_answers[0]
    with pytest.raises(RecordInvalid):
        from_object(NodeAnswerRecord, value | changes)


def test_other_profiles_do_not_show_answers_and_say_so() -> None:
    full = contents_of(with_answers())
    for bundle in (pseudonymous_bundle(full, FIRM_SECRET), client_bundle(full, "client-3")):
        assert (bundle.node_answers, dict(bundle.answers)) == ((), {}) or not bundle.node_answers
        told = next(each for each in contents_of(bundle).manifest.disclosure if each.kind == "node_answers")
        assert (told.published, told.committed + (told.withheld or 0)) == (0, 1)
        assert not [file for file in contents_of(bundle).manifest.files if file.name.startswith("answers/")]
        assert refusals(bundle, evm_spelling) == []


def test_a_bundle_without_answers_claims_none() -> None:
    assert check_answers(contents_of(sample_bundle()), bytes.fromhex) is None
