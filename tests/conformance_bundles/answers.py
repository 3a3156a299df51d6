"""Check 32: kept answers of nodes that do not say the balances, or that are missing, added or changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chains.kept_answers import KeptExchange
from exports.bundle import Bundle
from exports.disclosure import pseudonymous_bundle
from exports.manifest import digest_hex
from tests.conformance_bundles.firm import SIGNERS
from tests.conformance_bundles.profiles import asked_for, contents_of
from tests.conformance_bundles.recipe import Made, bad, good
from tests.conformance_bundles.views import signed_again
from tests.exports.answer_samples import Values, exchange, with_answers, with_owner
from tests.exports.sample import ETH, FIRM_SECRET, OMNIBUS, PARENT_HASH, POOLED_B, USD, pack, signed_members


def less(values: Values) -> None:
    """The node said one unit less of the first balance."""
    place = next(iter(values))
    values[place] = (values[place] or 0) - 1


def edited(change: Callable[[bytes], bytes], method: str = "batch") -> Bundle:
    """The body of the last answer is another, and named as it is."""

    def apply(made: list[KeptExchange]) -> list[KeptExchange]:
        body = change(made[-1].body)
        assert body != made[-1].body
        return [*made[:-1], replace(made[-1], body=body)]

    return with_answers(method, also=apply)


def recorded(**changes: Any) -> Bundle:
    """The record of the answers says something else."""
    bundle = with_answers()
    (kept,) = bundle.node_answers
    return replace(bundle, node_answers=(replace(kept, **changes),))


@good("answers to single questions in two batches, from which every balance follows")
def answers_in_batches() -> Bundle:
    return with_answers("batch")


@good("one answer of the contract Multicall3, from which every balance follows")
def answers_of_multicall3() -> Bundle:
    return with_answers("multicall3")


@good("one answer of the scanner, put in the place of an account")
def answers_of_the_scanner() -> Bundle:
    return with_answers("state-override")


@good("one answer of the scanner as creation code")
def answers_of_initcode() -> Bundle:
    return with_answers("initcode")


@good("who owns a token that has one owner, by a node's answer")
def answers_about_an_owner() -> Bundle:
    return with_owner()


@good("a pseudonymous bundle whose full one keeps answers")
def pseudonymous_of_answers() -> Made:
    return asked_for(pseudonymous_bundle(contents_of(with_answers()), FIRM_SECRET))


@bad(32, "a single question was answered with one unit less")
def answer_says_less() -> Bundle:
    return with_answers("batch", less)


@bad(32, "Multicall3 answered with one unit less")
def multicall_says_less() -> Bundle:
    return with_answers("multicall3", less)


@bad(32, "the scanner answered with one unit less")
def scanner_says_less() -> Bundle:
    return with_answers("state-override", less)


@bad(32, "the scanner as creation code answered with one unit less")
def initcode_says_less() -> Bundle:
    return with_answers("initcode", less)


@bad(32, "another owner than the bundle says")
def answer_names_another_owner() -> Bundle:
    return with_owner(lambda values: values.update(dict.fromkeys(values, 0)))


@bad(32, "an answer was left out before the bundle was signed")
def answer_left_out() -> Bundle:
    return with_answers(also=lambda made: made[:1])


@bad(32, "a record names an answer that is not there")
def answer_missing() -> Bundle:
    bundle = with_answers()
    return replace(bundle, answers=dict(list(bundle.answers.items())[1:]))


@bad(32, "an answer that no record names")
def answer_that_decides_nothing() -> Bundle:
    bundle, more = with_answers(), exchange(90, (), (), batch=True).to_bytes()
    return replace(bundle, answers={**bundle.answers, digest_hex(more): more})


@bad(32, "an answer to a question that is about no balance of the bundle")
def answer_to_something_else() -> Bundle:
    def more(made: list[KeptExchange]) -> list[KeptExchange]:
        other = replace(made[0].calls[0], params=("0x" + "09" * 20, "latest"))
        return [*made, exchange(90, [other], ["0x1"], batch=False)]

    return with_answers(also=more)


@bad(32, "an answer's id is not the question's")
def answer_with_another_id() -> Bundle:
    return edited(lambda body: body.replace(b'"id": 8', b'"id": 9'))


@bad(32, "an answer has a repeated name, of which two readers could read two things")
def answer_with_a_repeated_name() -> Bundle:
    return edited(lambda body: body.replace(b'"id": 8', b'"id": 8, "id": 8'))


@bad(32, "an answer that is no JSON")
def answer_that_is_no_json() -> Bundle:
    return edited(lambda body: body[:-1])


@bad(32, "an amount of 31 bytes")
def answer_of_an_odd_length() -> Bundle:
    return edited(lambda body: body.replace(b'"0x00', b'"0x', 1))


@bad(32, "what is kept is no exchange with a node")
def answer_that_is_none() -> Bundle:
    bundle, words = with_answers(), b"the node said that all is well\n"
    (kept,) = bundle.node_answers
    record = replace(kept, answers=(digest_hex(words),))
    return replace(bundle, node_answers=(record,), answers={digest_hex(words): words})


@bad(32, "Multicall3 says that it ran at another block")
def answer_of_another_block() -> Bundle:
    parent = PARENT_HASH[2:].encode()
    return edited(lambda body: body.replace(parent, b"c" + parent[1:]), "multicall3")


@bad(32, "the scanner says that it ran on another chain")
def scanner_of_another_chain() -> Bundle:
    return edited(lambda body: body.replace(b"%064x" % 31337, b"%064x" % 1), "state-override")


@bad(32, "the answers are said to be of another way of asking")
def answers_of_another_way() -> Bundle:
    return recorded(method="multicall3")


@bad(32, "the answers are said to be about other addresses, in another order of assets")
def answers_in_another_order() -> Bundle:
    return recorded(asset_ids=(USD, ETH))


@bad(32, "balances that no kept answer decides, and no reason why")
def balances_without_an_answer() -> Bundle:
    return recorded(addresses=(OMNIBUS,), decided=1)


@bad(32, "the answers decide fewer addresses than they answer")
def answers_decide_fewer() -> Bundle:
    return recorded(decided=3)


@bad(32, "a balance that two answers decide")
def balance_decided_twice() -> Bundle:
    bundle = with_answers()
    (kept,) = bundle.node_answers
    return replace(bundle, node_answers=(kept, replace(kept, addresses=(POOLED_B,), decided=1)))


@bad(32, "the answers of a node that gave none of the balances")
def answers_of_another_node() -> Bundle:
    return recorded(node_id="node-b")


@bad(32, "the answers of another sweep")
def answers_of_another_sweep() -> Bundle:
    return recorded(sweep_id="sweep-0")


@bad(5, "a record of answers with neither answers nor a reason")
def answers_without_a_reason() -> Made:
    members = signed_members(with_answers(), SIGNERS)
    name = "proofs/node_answers.jsonl"
    start, _, rest = members[name].partition(b'"answers":[')
    members[name] = start + b'"answers":[' + rest[rest.index(b"]") :]
    data = members[name]

    def edit(manifest: dict[str, Any]) -> None:
        member = next(each for each in manifest["members"] if each["name"] == name)
        member.update(size_bytes=len(data), sha256=digest_hex(data))

    return Made(signed_again(members, edit))


@bad(4, "a kept answer was changed after the bundle was signed")
def answer_changed_after_signing() -> bytes:
    members = signed_members(with_answers(), SIGNERS)
    name = next(each for each in members if each.startswith("answers/"))
    return pack({**members, name: members[name] + b" "})


@bad(4, "a kept answer was taken out after the bundle was signed")
def answer_taken_out() -> bytes:
    members = signed_members(with_answers(), SIGNERS)
    gone = next(each for each in members if each.startswith("answers/"))
    return pack({name: data for name, data in members.items() if name != gone})


@bad(2, "a kept answer whose name is not its digest")
def answer_with_another_name() -> Made:
    members = signed_members(with_answers(), SIGNERS)
    old = next(each for each in members if each.startswith("answers/"))
    new = "answers/" + "0" * 64
    members[new] = members.pop(old)

    def edit(manifest: dict[str, Any]) -> None:
        file = next(each for each in manifest["files"] if each["name"] == old)
        file["name"] = new

    return Made(signed_again(members, edit))
