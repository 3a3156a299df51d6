"""Check 29: Bitcoin outputs that a balance counts were made, and every way to show what was not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chains.bitcoin.hashes import sha256d
from chains.bitcoin.header_proof import SHORT_BYTES
from chains.bitcoin.transaction import Output
from chains.errors import InvalidValue
from chains.types import ReadStatus, StateEvidence
from exports.output_checks import check_bitcoin_outputs, output_lines
from exports.output_records import MEANING, BitcoinInclusionRecord
from exports.verdict import Outcome
from tests.chains.bitcoin.model import mine, pay
from tests.exports.output_samples import (
    CHAIN,
    FIRST,
    HELD,
    MODEL,
    PIN,
    SECOND,
    Found,
    address,
    as_contents,
    balance,
    found_outputs,
)

Change = Callable[[Found], Found]


def outcome(found: Found) -> Outcome:
    judged = check_bitcoin_outputs(as_contents(found))
    assert judged is not None
    return judged


@pytest.mark.parametrize("headers_per_record", [1, 2, 3, 2_016])
def test_outputs_are_shown_and_no_more_is_claimed(headers_per_record: int) -> None:
    found = found_outputs(headers_per_record)
    judged = outcome(found)
    assert judged.problems == []
    assert judged.compared == len(HELD) + 4
    assert judged.note.startswith("4 outputs made in 2 blocks, under 4 headers that take about 2**3 hashes")
    assert judged.note.endswith("that they are unspent is not")
    line, limit = output_lines(as_contents(found))
    assert "of 1065 satoshis, outputs of 1065 are shown to have been made, 0 are not" in line
    assert "not proven: no Bitcoin header commits to it" in limit
    assert all(each.meaning == MEANING for each in found["bitcoin_inclusions"])


def test_a_bundle_without_bitcoin_asks_nothing() -> None:
    assert check_bitcoin_outputs(as_contents({})) is None
    nothing = {"balances": [balance(address(FIRST), 0)]}
    assert check_bitcoin_outputs(as_contents(nothing)) is None


def of(kind: str, at: int = 0, **changes: Any) -> Change:
    """One record of a kind says something else; a function is given what it said."""

    def change(found: Found) -> Found:
        old = found[kind][at]
        values = {name: new(getattr(old, name)) if callable(new) else new for name, new in changes.items()}
        return {**found, kind: [*found[kind][:at], replace(old, **values), *found[kind][at + 1 :]]}

    return change


def without(kind: str, at: int = 0) -> Change:
    return lambda found: {**found, kind: [*found[kind][:at], *found[kind][at + 1 :]]}


def none(kind: str) -> Change:
    return lambda found: {**found, kind: []}


def both(*changes: Change) -> Change:
    def change(found: Found) -> Found:
        for each in changes:
            found = each(found)
        return found

    return change


def again(kind: str, **changes: Any) -> Change:
    """The first record of a kind once more, with something else."""
    return lambda found: {**found, kind: [*found[kind], replace(found[kind][0], **changes)]}


def other_transaction(text: str) -> str:
    """The same payment to somebody else."""
    return text.replace(FIRST.hex(), SECOND.hex())


def without_work(text: str) -> str:
    """The nonce of the last header changed until it no longer has its work."""
    short = bytearray.fromhex(text)
    previous = MODEL[-2].hash
    while True:
        short[-4] = (short[-4] + 1) % 256
        last = bytes(short[-SHORT_BYTES:])
        if sha256d(last[:4] + previous + last[4:])[31] >= 0x80:
            return short.hex()


def spent_one(found: Found) -> Found:
    """The output of 300, which was spent before the pin, shown in the place of others: included, and no part."""
    payment = next(each for each in found["bitcoin_outputs"] if each.base_units == 700)
    spent = replace(payment, base_units=300, output=2)
    return {**found, "bitcoin_outputs": [*found["bitcoin_outputs"], spent]}


PAYMENT = next(at for at, each in enumerate(found_outputs()["bitcoin_transactions"]) if each.place == 1)
COINBASE = next(at for at, each in enumerate(found_outputs()["bitcoin_transactions"]) if each.place == 0)
OUTPUT = next(at for at, each in enumerate(found_outputs()["bitcoin_outputs"]) if each.base_units == 700)

WRONG: dict[str, tuple[Change, str]] = {
    "another transaction": (of("bitcoin_transactions", PAYMENT, transaction=other_transaction), "merkle root"),
    "another branch": (of("bitcoin_transactions", PAYMENT, branch=lambda b: ("ab" * 32, *b[1:])), "merkle root"),
    "another place": (of("bitcoin_transactions", PAYMENT, place=3), "merkle root"),
    "another block": (of("bitcoin_transactions", PAYMENT, height=PIN.height - 2), "block"),
    "a block without a header": (of("bitcoin_transactions", PAYMENT, height=3), "no header in the bundle"),
    "bytes that are no transaction": (of("bitcoin_transactions", PAYMENT, transaction="00"), "ends before it should"),
    "without the coinbase": (without("bitcoin_transactions", COINBASE), "coinbase of the block is not shown"),
    "without the transactions": (none("bitcoin_transactions"), "no such transaction is shown"),
    "a transaction that nothing needs": (
        both(
            without("bitcoin_outputs", OUTPUT),
            of("bitcoin_inclusions", 0, shown=25, not_shown=700, reason="left out"),
            lambda found: {**found, "bitcoin_outputs": [e for e in found["bitcoin_outputs"] if e.base_units != 41]},
            of("bitcoin_inclusions", 1, shown=299, not_shown=41, reason="left out"),
        ),
        "of which no output is counted",
    ),
    "a header without work": (of("bitcoin_headers", headers=without_work), "no proof of work"),
    "another first header": (of("bitcoin_headers", previous_hash="ab" * 32), ""),
    "another height": (of("bitcoin_headers", first_height=lambda height: height + 1), "do not end at the pinned block"),
    "a header left out": (of("bitcoin_headers", headers=lambda text: text[:-96]), "do not end at the pinned block"),
    "a header too much": (of("bitcoin_headers", headers=lambda text: text + text[:96]), ""),
    "half a header": (of("bitcoin_headers", headers=lambda text: text[:-2]), "whole number"),
    "headers twice": (again("bitcoin_headers", first_height=PIN.height + 1), ""),
    "without headers": (none("bitcoin_headers"), "without headers"),
    "without a sweep": (none("sweeps"), "without a sweep"),
    "an output counted twice": (again("bitcoin_outputs"), "is counted 2 times"),
    "a spent output beside": (spent_one, "its outputs are 1025 together"),
    "another amount": (of("bitcoin_outputs", OUTPUT, base_units=701), "it is of 700 satoshis"),
    "another address": (of("bitcoin_outputs", OUTPUT, address=address(SECOND)), "does not pay"),
    "no address": (of("bitcoin_outputs", OUTPUT, address="nobody"), ""),
    "another number": (of("bitcoin_outputs", OUTPUT, output=1), "does not pay"),
    "no such output": (of("bitcoin_outputs", OUTPUT, output=9), "no such output"),
    "another id": (of("bitcoin_outputs", OUTPUT, tx_id="ab" * 32), "no such transaction is shown"),
    "an output left out": (without("bitcoin_outputs", OUTPUT), "its outputs are 25 together"),
    "another balance": (of("balances", 0, base_units=726), "are not its balance of 726"),
    "a balance without a word": (without("bitcoin_inclusions"), "nothing is said about which outputs"),
    "told twice": (again("bitcoin_inclusions"), "is told 2 times"),
    "nobody's balance": (
        again("bitcoin_inclusions", address=address(bytes.fromhex("0014") + b"\x09" * 20)),
        "is no address with a balance",
    ),
    "a failed read": (of("balances", 0, base_units=None, status=ReadStatus.FAILED, reason="x"), "no address with a"),
    "a proven balance": (of("balances", 0, state=StateEvidence.PROVEN), "is never proven"),
    "a grade of proven": (of("balances", 0, grade=StateEvidence.PROVEN), "is never proven"),
}


@pytest.mark.fault("G9", "E1")
@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_so_is_refused(name: str) -> None:
    change, reason = WRONG[name]
    found = found_outputs()
    assert outcome(found).problems == []
    problems = outcome(change(found)).problems
    assert problems, name
    assert any(reason in problem for problem in problems), problems


def test_a_spent_output_called_unspent_is_not_noticed_and_the_words_say_so() -> None:
    """The limit of what inclusion shows: a firm that counts a spent output passes here, and only here."""
    found = of("bitcoin_inclusions", 0, shown=1_025)(of("balances", 0, base_units=1_025)(spent_one(found_outputs())))
    judged = outcome(found)
    assert judged.problems == []
    assert judged.note.endswith("that they are unspent is not")


def test_what_is_not_shown_is_said_and_adds_up() -> None:
    """A bundle whose ledger is gone: nothing is shown, and nothing is claimed."""
    found = found_outputs()
    found = {"balances": found["balances"], "sweeps": found["sweeps"]}
    gaps = [BitcoinInclusionRecord(CHAIN, where, 0, held, "no ledger", MEANING) for where, held in HELD.items()]
    judged = outcome({**found, "bitcoin_inclusions": gaps})
    assert judged.problems == []
    assert "1065 satoshis of 2 addresses are not shown" in judged.note
    less = [replace(gaps[0], not_shown=1), *gaps[1:]]
    assert outcome({**found, "bitcoin_inclusions": less}).problems


def test_a_header_chain_of_another_branch_is_refused() -> None:
    """As much work, another block at the end."""
    found = found_outputs()
    fork = mine(MODEL[-2], [pay([next(iter(MODEL[-2].coins))], [Output(5, FIRST)])])
    short = fork.raw[:4] + fork.raw[36:80]
    text = found["bitcoin_headers"][0].headers[:-96] + short.hex()
    assert any("pinned block" in each for each in outcome(of("bitcoin_headers", headers=text)(found)).problems)


@pytest.mark.parametrize(
    "changes",
    [
        {"meaning": "Unspent, and proven."},
        {"shown": -1, "not_shown": 726, "reason": "x"},
        {"shown": 0},
        {"reason": "without anything that is not shown"},
        {"not_shown": 5},
    ],
)
def test_a_record_that_claims_more_is_refused(changes: dict[str, Any]) -> None:
    record = found_outputs()["bitcoin_inclusions"][0]
    with pytest.raises(InvalidValue):
        replace(record, **changes)
