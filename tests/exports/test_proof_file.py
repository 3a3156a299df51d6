"""Proof files of BIP-127 among others' evidence: judged as far as the coins are given, and not a step further."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chains.bitcoin.bip127 import read_proof_file
from chains.bitcoin.networks import MAIN, REGTEST
from chains.errors import InvalidValue
from exports.outside_evidence import OutsideDocument, check_imported, document_of, take_bip127
from exports.outside_judging import Control, Holding
from tests.conformance_bundles.profiles import contents_of
from tests.exports.outside_samples import (
    RESERVES,
    WORDS,
    bip127_file,
    coin_list,
    coin_rows,
    paper_spend,
    proof_document,
    with_evidence,
)

pytest.importorskip("pbk", reason="the consensus library is not installed")

SHOWN, LEFT = Control.SHOWN, Control.NOT_JUDGED


def take(data: bytes | None = None, coins: bytes | None = None, words: str = WORDS) -> OutsideDocument:
    return take_bip127(bip127_file() if data is None else data, "somebody", REGTEST.chain_id, words, coins)


def problems(document: OutsideDocument) -> list[str]:
    judged = check_imported(contents_of(with_evidence(document)))
    assert judged is not None
    assert not judged.obstacles
    return list(judged.problems)


@pytest.mark.parametrize(
    ("given", "controls"),
    [
        ((0, 1, 2), [SHOWN, SHOWN, SHOWN]),
        ((0, 1), [SHOWN, SHOWN, LEFT]),
        ((2,), [LEFT, LEFT, SHOWN]),
        ((0, 2), [LEFT, LEFT, SHOWN]),
        ((), [LEFT, LEFT, LEFT]),
    ],
)
def test_signatures_are_judged_over_the_coins_that_are_given(given: tuple[int, ...], controls: list[Control]) -> None:
    made = proof_document(*given)
    assert (made.layout, [line.control for line in made.lines]) == ("proof-file", controls)
    for place, line in enumerate(made.lines):
        known = place in given
        assert (line.address, line.amount) == (
            (RESERVES[place][2].address, f"0.{RESERVES[place][1].value:08d}") if known else ("", "")
        )
        assert line.holding is (Holding.STATED if known else Holding.NONE)
        if line.control is LEFT:
            assert line.control_reason.startswith("coin-not-given")
    assert document_of(made.to_bytes().decode()) == made
    assert problems(made) == []


def test_base64_and_bytes_are_the_same_file() -> None:
    assert take(base64.b64encode(bip127_file())).lines == take().lines


ROWS = coin_rows(0, 1, 2)
BAD_COINS: dict[str, tuple[bytes, str]] = {
    "another amount": (coin_list(ROWS[0].replace(",5000,", ",5001,"), ROWS[1], ROWS[2]), "worth exactly"),
    "amounts exchanged": (
        coin_list(ROWS[0].replace(",5000,", ",5001,"), ROWS[1].replace(",5001,", ",5000,"), ROWS[2]),
        "other-key",
    ),
    "another address": (
        coin_list(*ROWS[:2], ROWS[2].rpartition(",")[0] + "," + ROWS[0].rpartition(",")[2]),
        "other-key",
    ),
    "too much of a transaction not all given": (coin_list(ROWS[0].replace(",5000,", ",50000,")), "worth exactly"),
    "a coin twice": (coin_list(*ROWS, ROWS[0]), "line 5: it is given twice"),
    "a coin it does not spend": (coin_list(*ROWS, ROWS[0].replace(",0,5000", ",9,5000")), "does not spend"),
    "no amount": (coin_list(ROWS[0].replace(",5000,", ",0,")), "out of range"),
    "half a coin": (coin_list(ROWS[0].rpartition(",")[0]), "3 fields"),
    "no id": (coin_list("00" + ROWS[0][4:]), "line 2"),
    "no address": (coin_list(ROWS[0] + "x"), "line 2"),
    "other columns": (b"txid,output,satoshis,address\n", "does not have the columns"),
    "nothing": (b"", "does not have the columns"),
    "no text": (b"\xff\xfe", "no CSV"),
}


@pytest.mark.fault("E1")
@pytest.mark.parametrize("what", BAD_COINS)
def test_coins_that_are_not_those_signed_for_are_refused(what: str) -> None:
    coins, reason = BAD_COINS[what]
    assert take(coins=coin_list(*ROWS)).lines[0].control is SHOWN
    with pytest.raises(InvalidValue, match=reason):
        take(coins=coins)


@pytest.mark.parametrize(
    ("data", "words", "reason"),
    [
        (bip127_file(), "other words", "another message"),
        (bip127_file(message=b"another message"), "another message", "does not commit"),
        (bip127_file(network_magic=0xD9B4BEF9), WORDS, "another network"),
        (bip127_file(version=2), WORDS, "version 2"),
        (bip127_file()[:-1], WORDS, "no proof file"),
        (b"\x08\x01", WORDS, "no proof file"),
        (bip127_file(extra=b"\x38\x01"), WORDS, "unknown fields"),
        (bip127_file(extra=bip127_file()[-200:]), WORDS, "no proof file"),
    ],
)
@pytest.mark.parametrize("coins", [None, coin_list(*ROWS)])
def test_files_that_are_no_proof_of_these_words_are_refused(
    data: bytes, words: str, reason: str, coins: bytes | None
) -> None:
    with pytest.raises(InvalidValue, match=reason):
        take(data, coins, words)


def test_a_signature_that_was_altered_is_refused_where_it_is_judged() -> None:
    data = bip127_file()
    signature = read_proof_file(data).transactions[0].witnesses[1][0]
    at = data.index(signature) + len(signature) // 2
    altered = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    with pytest.raises(InvalidValue, match="other-key"):
        take(altered, coin_list(*ROWS))
    assert {line.control for line in take(altered).lines} == {LEFT}, "nothing is claimed of it without its coins"


def test_a_psbt_says_itself_what_its_coins_are() -> None:
    assert take(paper_spend()).layout == "psbt"
    with pytest.raises(InvalidValue, match="says itself"):
        take(paper_spend(), coin_list(*ROWS))


# In the bundle --------------------------------------------------------------------------------------------------------


def line_says(at: int, **changes: Any) -> Callable[[OutsideDocument], OutsideDocument]:
    def change(document: OutsideDocument) -> OutsideDocument:
        lines = list(document.lines)
        lines[at] = replace(lines[at], **changes)
        return replace(document, lines=tuple(lines))

    return change


def fewer(document: OutsideDocument) -> OutsideDocument:
    return replace(document, lines=document.lines[:-1])


WRONG: dict[str, tuple[Callable[[OutsideDocument], OutsideDocument], str]] = {
    "control of a coin not given": (line_says(2, control=SHOWN), "not the coins of its proof file"),
    "an amount nobody gave": (line_says(2, amount="1.00000000"), "half of what it is"),
    "an address nobody gave": (line_says(2, address=RESERVES[2][2].address), "half of what it is"),
    "another amount": (line_says(0, amount="0.00005001"), "worth exactly"),
    "another coin": (line_says(0, key="ab" * 32 + ":0"), "does not spend"),
    "no coin": (line_says(0, key=""), "names no coin"),
    "other words": (line_says(0, message="other"), "another message"),
    "no file": (line_says(0, signatures=()), "does not hold"),
    "a line fewer": (fewer, "not the coins of its proof file"),
    "read by a node": (line_says(0, holding=Holding.READ), "not the coins of its proof file"),
    "another network": (lambda d: replace(d, chain_id=MAIN.chain_id), ""),
    "called a PSBT": (lambda d: replace(d, layout="psbt"), ""),
}


@pytest.mark.fault("E1")
@pytest.mark.parametrize("what", WRONG)
def test_a_bundle_claims_no_more_of_it_than_was_judged(what: str) -> None:
    change, reason = WRONG[what]
    good = proof_document(0, 1)
    assert problems(good) == []
    found = problems(change(good))
    assert found
    assert reason in found[0]
