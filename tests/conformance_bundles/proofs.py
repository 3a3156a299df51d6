"""Checks 24 and 26: proofs of balances and transactions, each bundle with one thing in them that is not so."""

from __future__ import annotations

from collections.abc import Callable

from exports.bundle import Bundle
from tests.conformance_bundles.recipe import bad, good
from tests.exports import test_inclusion_checks as inclusion
from tests.exports.inclusion_samples import with_transaction_proof
from tests.exports.proof_samples import proven_bundle, with_state_proofs
from tests.exports.test_proof_checks import WRONG, other_figures


@good("every balance is proven under a block that two operators agree on")
def balances_proven() -> Bundle:
    return proven_bundle()


@good("every balance has a state proof, under a block that is one operator's word")
def balances_proven_under_one_word() -> Bundle:
    return with_state_proofs(agreed=False)


@bad(24, "the state under the header holds one wei more than the bundle says")
def state_with_another_figure() -> Bundle:
    return other_figures(1, 0)


def _enter(name: str) -> None:
    def make() -> Bundle:
        return WRONG[name][0](proven_bundle())

    make.__name__ = f"proofs_with_{name.replace(',', '').replace(' ', '_')}"
    wrap: Callable[[Callable[[], Bundle]], object] = bad(24, f"state proofs with {name}")
    wrap(make)


for _name in (
    "a node left out",
    "the last node left out",
    "a node altered",
    "a node nobody needs",
    "no nodes",
    "no header",
    "a header altered",
    "a header of another block",
    "a header of another chain",
    "a header of Bitcoin",
    "no layout",
    "a layout for other code",
    "another implementation",
    "an implementation of other code",
    "no minimal proxy",
    "another slot",
    "another order",
    "a field of another width",
    "a token that is unprovable",
    "two layouts of a token, the true one last",
    "a layout approved after the bundle was made",
    "proofs of balances that claim none",
):
    _enter(_name)


@good("the transaction of the unauthorized transfer is proven to stand in its block")
def exception_proven() -> Bundle:
    return with_transaction_proof()


def _enter_transaction(name: str) -> None:
    def make() -> Bundle:
        return inclusion.WRONG[name][0](with_transaction_proof())

    make.__name__ = f"inclusion_with_{name.replace(' ', '_')}"
    wrap: Callable[[Callable[[], Bundle]], object] = bad(26, f"an inclusion proof with {name}")
    wrap(make)


for _name in (
    "another place",
    "no transfer",
    "another header",
    "a node of the transaction left out",
    "the root of the transactions left out",
    "a node of the receipt left out",
    "the receipt of another trie",
    "a second proof",
):
    _enter_transaction(_name)
