"""Check 26: a transaction with an exception is in its block, and did what the bundle says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chains.types import TransferKind
from exports.bundle import Bundle
from exports.inclusion_checks import check_transactions
from exports.report import report_text
from tests.exports.inclusion_samples import with_transaction_proof
from tests.exports.sample import SEGREGATED, check, make_firm, sample_bundle, verify, write
from tests.exports.test_proof_checks import contents

Change = Callable[[Bundle], Bundle]


def of_proof(**changes: Any) -> Change:
    return lambda bundle: replace(
        bundle, transaction_proofs=[replace(proof, **changes) for proof in bundle.transaction_proofs]
    )


def of_transfer(**changes: Any) -> Change:
    """Of the transfer that is proven, something else is said."""

    def change(bundle: Bundle) -> Bundle:
        (proof,) = bundle.transaction_proofs
        transfers = [replace(e, **changes) if e.tx_id == proof.tx_id else e for e in bundle.transfers]
        return replace(bundle, transfers=transfers)

    return change


def without(place: int, name: str) -> Change:
    """One node of a proof left out."""

    def change(bundle: Bundle) -> Bundle:
        (proof,) = bundle.transaction_proofs
        nodes = list(getattr(proof, name))
        del nodes[place]
        return of_proof(**{name: tuple(nodes)})(bundle)

    return change


def twice(bundle: Bundle) -> Bundle:
    (proof,) = bundle.transaction_proofs
    return replace(bundle, transaction_proofs=[proof, replace(proof, place=0)])


def swapped(bundle: Bundle) -> Bundle:
    (proof,) = bundle.transaction_proofs
    return of_proof(receipt_nodes=proof.transaction_nodes)(bundle)


WRONG: dict[str, tuple[Change, str]] = {
    "another amount": (of_transfer(base_units=10**7 + 1), "does not show"),
    "another receiver": (of_transfer(receiver=SEGREGATED), "does not show"),
    "another sender": (of_transfer(sender=SEGREGATED), "does not show"),
    "a kind that the transaction is not": (of_transfer(kind=TransferKind.NATIVE), "does not pay"),
    "another height": (of_transfer(height=91), "another height or time"),
    "another place": (of_proof(place=2), "of transaction 2"),
    "no transfer": (of_proof(tx_id="0x" + "ab" * 32), "no transfer in the bundle"),
    "another header": (of_proof(header="0xc0"), "does not hash to"),
    "a node of the transaction left out": (without(-1, "transaction_nodes"), "short of its end"),
    "the root of the transactions left out": (without(0, "transaction_nodes"), "is not the one with the hash"),
    "a node of the receipt left out": (without(-1, "receipt_nodes"), "short of its end"),
    "the receipt of another trie": (swapped, "is not the one with the hash"),
    "a second proof": (twice, "is proven 2 times"),
}


def test_the_unauthorized_transfer_is_proven(tmp_path: Path) -> None:
    firm = make_firm(tmp_path)
    report = verify(write(tmp_path, firm, with_transaction_proof()), firm.trusted)
    assert report.exit_code == 0, report_text(report)
    made = check(report, 26)
    assert (made.compared, made.detail) == (1, "1 of 1 transactions with an exception are proven")


@pytest.mark.parametrize("name", list(WRONG))
def test_what_the_block_does_not_show_is_refused(name: str) -> None:
    change, words = WRONG[name]
    outcome = check_transactions(contents(change(with_transaction_proof())))
    assert outcome is not None
    assert any(words in problem for problem in outcome.problems), outcome.problems


def test_a_bundle_that_proves_no_transaction_is_not_asked() -> None:
    assert check_transactions(contents(sample_bundle())) is None
