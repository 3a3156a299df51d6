"""Others' evidence: read strictly, signatures judged, and check 30 with every way to say more of it than it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chains.bitcoin.networks import REGTEST
from chains.bitcoin.script import address_of_script
from chains.errors import InvalidValue
from exports.bundle import Bundle
from exports.outside_evidence import OutsideDocument, check_imported, document_of, take_bip127, take_list
from exports.outside_judging import Control, Holding
from exports.outside_lists import OutsideList, read_outside_list
from exports.verdict import Outcome
from tests.chains.bitcoin.proof_makers import lock_of, simple
from tests.chains.bitcoin.proof_makers import signed as spend
from tests.exports.outside_samples import (
    FIRST,
    SECOND,
    WORDS,
    bitcoin_row,
    paper_document,
    paper_spend,
    record,
    row,
    signed,
    snapshot,
    taken,
    with_evidence,
)
from tests.exports.test_proof_checks import contents

PUBLISHED = """coin,snapshot height,amount
ETH,16005122, 5.2834

coin,Network,Snapshot Height,address,amount,message,signature1,signature2,redeem script/ public key, eoa1, eoa2
ETH,ETH,20914735,0x0cdcdb19a857c2ac24818ca4fdfe38cce071483e,0.058958709849230328,I am an OKX address,0x07f19879aa28d51c97cddfdfecffe7ed96525545d041aee4f4386b0bf4c1a26924b637fb02ccbb97305c13daa51a0f50b8896fb25ecbaf60020cde920d227a221b,,
USDT-TON,TON,43716515,UQB1CKrUWm7qf41Z1GeEE6AgVVj5cH6y6x1aRmWe6q4mj1fn,170.479995,I am an OKX address,0x6c5b3b11b8d4a7b356cb4e4e4a960e476d05b52824a62ef961054617b401f157ef6c01c537f3751c22ba018f97b067d508b455f6cbdf757a64ca2571e76dc004,,6711ba8eaa47855b01d73e3849cd93861b1c11d7a86ae5fb8f96bb63d9be5a6b,,
"""  # noqa: E501
"""Lines of github.com/okx/proof-of-reserves, example/okx_por_example.csv, as published there."""
MULTISIG = """digitalAsset,network,address,signedMessage,signedMessage2,message,publicKey,owner1,owner2
BTC,BTC,bc1q82aks5ft2at48wp0sa6rr5vtzutvgzr8azts6w8nlu0dqc2dx24qvzwspk,ICCxeipsfRZUurcUKGkXzA9p3WVrDeNzdAg1yojDRrCBGY/2fRe6Sg9F0tgQ6a4THqIJoCSIlmyxay6QQ6FSfcY=,H3CfdwwB+klW7yPNpHeuQhpzxdmXEWczUSp4UziFimaLCdzg9bpw/KP+TwawJlOhD5EZS++Y1A9EU4pkps5VWRE=,OKC_DTT_AUP2025,522103cf1f7e2d8e428e5dfc36d9eacd679a0bf7356a8e05dd02c8a9a12db36bb1c92421027b961ddea8ae2e81d47804685cf2ab820a4d59cdcb10f70adeeaf0e4d8817eae2102813215371e992904e68b3b77752898b22d89d7ca1c2562e8403040fd5e807c1453ae,,
"""
"""The same, example/test.csv."""


def controls(document: OutsideDocument) -> list[Control]:
    return [line.control for line in document.lines]


def test_published_lines_are_read_and_their_signatures_hold() -> None:
    found = taken(PUBLISHED.encode())
    assert (found.layout, controls(found)) == ("signed-snapshot", [Control.SHOWN, Control.NOT_JUDGED])
    assert [line.holding for line in found.lines] == [Holding.STATED, Holding.STATED]
    assert "name no moment" in found.lines[0].control_reason
    assert "not known here" in found.lines[1].control_reason
    found = taken(MULTISIG.encode())
    assert (found.layout, controls(found)) == ("signed-addresses", [Control.SHOWN])
    assert found.lines[0].holding is Holding.NONE


@pytest.mark.fault("G4", "G5", "G6")
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("OKC_DTT_AUP2025", "OKC_DTT_AUP2026"),
        # One signer twice, towards two of three.
        lambda text: text.replace(MULTISIG.split(",")[11 + 1], MULTISIG.split(",")[11 + 0]),
        # A script that is not the address's.
        lambda text: text.replace("522103cf1f", "532103cf1f"),
    ],
)
def test_a_multisig_line_that_does_not_hold_is_refused(change: Callable[[str], str]) -> None:
    changed = change(MULTISIG)
    assert changed != MULTISIG
    assert controls(taken(changed.encode())) == [Control.REFUSED]


def test_messages_of_wallets_are_taken_with_their_chain() -> None:
    lock = lock_of("p2tr")
    address = address_of_script(REGTEST, lock.script)
    text = f"address,message,signature\n{address},{WORDS},{simple(spend(lock, WORDS))}\n"
    found = taken(text.encode(), REGTEST.chain_id)
    assert (found.layout, controls(found)) == ("signed-messages", [Control.SHOWN])
    assert found.lines[0].control_reason.startswith("bip322-simple")
    other = text.replace(WORDS, "other words")
    assert controls(taken(other.encode(), REGTEST.chain_id)) == [Control.REFUSED]
    without = read_outside_list(text.encode())
    assert "give --chain" in without.problems[0].reason


def test_accounts_and_wallets_of_single_keys() -> None:
    found = taken(snapshot(row(), row(SECOND.address), bitcoin_row()))
    assert controls(found) == [Control.SHOWN, Control.REFUSED, Control.SHOWN]
    assert found.lines[2].control_reason.startswith("legacy")


def test_a_contract_whose_owners_signed_is_not_judged_without_the_contract() -> None:
    found = taken(snapshot(row(owner=FIRST.address, second_owner=SECOND.address, second=signed(SECOND))))
    assert controls(found) == [Control.NOT_JUDGED]
    assert "the contract's to say" in found.lines[0].control_reason


BAD: dict[str, tuple[bytes, tuple[int, str], str]] = {
    "a wrong checksum": (snapshot(row("0x52908400098527886E0F7030069857D2E4169Ee7")), (6, "address"), ""),
    "an address of another network": (snapshot(row("mxjesgwGLBFa88jURrx7GDumyyLq6tf48s", coin="BTC", network="BTC")),
                                      (6, "address"), ""),
    "no address": (snapshot(row("")), (6, "address"), ""),
    "an address twice": (snapshot(row(), row()), (7, "address"), "stands in line 6 already"),
    "a negative amount": (snapshot(row(amount="-1")), (6, "amount"), "zero or more"),
    "an amount with an exponent": (snapshot(row(amount="1e3")), (6, "amount"), "zero or more"),
    "no amount": (snapshot(row(amount="")), (6, "amount"), "is missing"),
    "no height": (snapshot(row(height="-")), (6, "height"), "height of a block"),
    "more cells than columns": (snapshot(row() + ",more"), (6, ""), "12 cells"),
    "an unknown column": (snapshot(row()).replace(b"eoa2", b"eoa3"), (0, ""), "eoa3"),
    "a column twice": (snapshot(row()).replace(b"eoa2", b"eoa1"), (0, ""), "twice"),
    "no header": (b"ETH,1,0xabc,5\n", (0, ""), "no line names the columns"),
    "totals alone": (b"coin,snapshot height,amount\nETH,1,5\n", (0, ""), "no line names the columns"),
    "no line": (snapshot(), (0, ""), "no line with an address"),
    "an empty file": (b"", (0, ""), "no line names the columns"),
    "no text": (b"\xff\xfe\x00", (0, ""), "not UTF-8"),
    "a quote without an end": (snapshot('"' + row()), (0, ""), "no CSV"),
}  # fmt: skip


@pytest.mark.fault("G1", "G2", "G3", "G8", "G12")
@pytest.mark.parametrize("name", BAD)
def test_bad_files_give_problems_with_line_and_field_and_no_lines(name: str) -> None:
    data, place, reason = BAD[name]
    found = take_list(data, "somebody", None)
    assert isinstance(found, OutsideList)
    assert found.lines == ()
    assert any((each.line, each.column) == place and reason in each.reason for each in found.problems), found.problems


def test_a_paper_spend_shows_control_of_every_coin() -> None:
    found = paper_document()
    assert controls(found) == [Control.SHOWN] * 2
    assert [line.amount for line in found.lines] == ["0.00005000", "0.00005001"]
    assert {line.holding for line in found.lines} == {Holding.STATED}


@pytest.mark.parametrize(
    ("data", "words", "reason"),
    [
        (paper_spend(), "other words", "does not commit"),
        (paper_spend()[:-9], WORDS, "signature-form"),
        (paper_spend().replace((5_001).to_bytes(8, "little"), (5_002).to_bytes(8, "little")), WORDS, "worth exactly"),
        (b"no proof", WORDS, "neither its bytes nor base64"),
    ],
)
def test_a_paper_spend_that_does_not_hold_is_refused(data: bytes, words: str, reason: str) -> None:
    with pytest.raises(InvalidValue, match=reason):
        take_bip127(data, "somebody", REGTEST.chain_id, words)


# In the bundle --------------------------------------------------------------------------------------------------------


def outcome(bundle: Bundle) -> Outcome:
    judged = check_imported(contents(bundle))
    assert judged is not None
    return judged


def evidence() -> Bundle:
    return with_evidence(taken(snapshot(row(), row(SECOND.address), bitcoin_row())), paper_document())


def test_evidence_in_a_bundle_is_judged_again() -> None:
    judged = outcome(evidence())
    assert (judged.problems, judged.obstacles, judged.compared) == ([], [], 5)
    assert judged.note.startswith("4 lines with control shown at some time, 1 refused, 0 not judged")
    assert check_imported(contents(with_evidence())) is None
    again = document_of(evidence().imported_evidence[0].document)
    assert again.lines[0].address == FIRST.address


def line_says(at: int = 0, which: int = 0, **changes: Any) -> Callable[[Bundle], Bundle]:
    """One line of a document says something else, and its digest follows."""

    def change(bundle: Bundle) -> Bundle:
        documents = [document_of(each.document) for each in bundle.imported_evidence]
        lines = list(documents[which].lines)
        lines[at] = replace(lines[at], **changes)
        documents[which] = replace(documents[which], lines=tuple(lines))
        return with_evidence(*documents)

    return change


def record_says(**changes: Any) -> Callable[[Bundle], Bundle]:
    def change(bundle: Bundle) -> Bundle:
        first, *others = bundle.imported_evidence
        return replace(bundle, imported_evidence=[replace(first, **changes), *others])

    return change


def without_lines(bundle: Bundle) -> Bundle:
    return with_evidence(replace(document_of(bundle.imported_evidence[0].document), lines=()))


WRONG: dict[str, tuple[Callable[[Bundle], Bundle], str]] = {
    "a refused signature called shown": (line_says(1, control=Control.SHOWN), "is called shown, and is refused"),
    "other words": (line_says(message="I am another"), "is called shown, and is refused"),
    "another address": (line_says(address=SECOND.address), "is called shown, and is refused"),
    "a signature of Bitcoin altered": (line_says(2, message="other"), "is called shown, and is refused"),
    "no signature, and shown": (line_says(signatures=()), "is called shown, and is not_judged"),
    "an amount that nobody stated": (line_says(amount=""), "read or stated"),
    "read at no height": (line_says(holding=Holding.READ, height=None), "at no height"),
    "read by nobody": (line_says(holding=Holding.READ, holding_reason=""), "at no height or by no name"),
    "another coin in the paper spend": (line_says(0, 1, amount="1.00000000"), "not the coins of its PSBT"),
    "a paper spend without its PSBT": (line_says(0, 1, signatures=()), "does not hold its PSBT"),
    "another digest": (record_says(digest="ab" * 32), "the digest is not"),
    "another kind": (record_says(kind="bip127"), "version and kind"),
    "a later moment": (lambda b: record_says(recorded_at=b.created_at + timedelta(seconds=1))(b), "after the bundle"),
    "one id twice": (record_says(evidence_id="OE-000002"), "stands 2 times"),
    "no line": (without_lines, "it has no line"),
}


@pytest.mark.fault("E1")
@pytest.mark.parametrize("name", WRONG)
def test_what_others_evidence_does_not_show_is_refused(name: str) -> None:
    change, reason = WRONG[name]
    assert outcome(evidence()).problems == []
    problems = outcome(change(evidence())).problems
    assert any(reason in each for each in problems), problems


def test_a_document_of_another_form_is_refused() -> None:
    bad = replace(
        record(taken(snapshot(row()))),
        document="{}",
        digest="44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    )
    assert outcome(replace(with_evidence(), imported_evidence=[bad])).problems
