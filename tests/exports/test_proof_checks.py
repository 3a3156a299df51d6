"""Check 24: state proofs of a bundle lead from the header to each balance that claims one, and to no other figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chains.errors import InvalidValue
from chains.evm.addresses import checksum_address
from chains.evm.token_layout import SlotOrder, TokenLayout
from chains.types import AssetId, ReadStatus, StateEvidence
from exports.block_lines import block_lines
from exports.bundle import Bundle, payload_members
from exports.contents import Contents
from exports.evidence_checks import check_grades
from exports.proof_checks import check_state_proofs
from exports.proof_records import ProofNodeRecord
from exports.records import RECORD_TYPES, BalanceRecord, WitnessRecord
from exports.report import report_text
from exports.two_people import require_two_people
from exports.verdict import CheckStatus
from tests.exports.proof_samples import LAYOUT, State, layout_record, proven_bundle, with_state_proofs
from tests.exports.sample import CHAIN, CREATED, ETH, USD, check, make_firm, sample_bundle, verify, write

Change = Callable[[Bundle], Bundle]
OTHER_HASH = "0x" + "ab" * 32


def contents(bundle: Bundle) -> Contents:
    return Contents(
        manifest=payload_members(bundle)[0], **{kind: tuple(getattr(bundle, kind)) for kind in RECORD_TYPES}
    )


def problems(bundle: Bundle) -> list[str]:
    outcome = check_state_proofs(contents(bundle))
    assert outcome is not None
    return list(outcome.problems)


def with_balance(asset_id: AssetId, **changes: Any) -> Change:
    """Of the first proven balance of an asset, something else is said."""

    def change(bundle: Bundle) -> Bundle:
        first = next(b for b in bundle.balances if b.asset_id == asset_id and b.state is StateEvidence.PROVEN)
        other = {name: value(first) if callable(value) else value for name, value in changes.items()}
        return replace(bundle, balances=[replace(b, **other) if b is first else b for b in bundle.balances])

    return change


def one_more(balance: BalanceRecord) -> int:
    assert balance.base_units is not None
    return balance.base_units + 1


def with_layout(**changes: Any) -> Change:
    return lambda bundle: replace(bundle, token_layouts=(layout_record(replace(LAYOUT, **changes)),))


def with_header(edit: Callable[[bytes], bytes] = bytes, **changes: Any) -> Change:
    def change(bundle: Bundle) -> Bundle:
        (record,) = bundle.proof_headers
        edited = replace(record, header=f"0x{edit(record.encoded).hex()}")
        return replace(bundle, proof_headers=(replace(edited, **changes),))

    return change


def with_nodes(edit: Callable[[list[bytes]], list[bytes]]) -> Change:
    def change(bundle: Bundle) -> Bundle:
        nodes = edit([record.encoded for record in bundle.proof_nodes])
        return replace(bundle, proof_nodes=tuple(ProofNodeRecord(f"0x{node.hex()}") for node in nodes))

    return change


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def all_read(bundle: Bundle) -> Bundle:
    read = StateEvidence.READ
    return replace(bundle, balances=[replace(each, state=read, grade=read) for each in bundle.balances])


def other_figures(wei: int, units: int) -> Bundle:
    """Everything fits together, and the state holds other figures than the bundle says."""

    def state(figures: dict[AssetId, dict[Any, int]]) -> State:
        native = {holder: figure + wei for holder, figure in figures[ETH].items()}
        return State(native, {holder: figure + units for holder, figure in figures[USD].items()})

    return with_state_proofs(state=state)


UNPROVABLE = TokenLayout(USD, SlotOrder.UNPROVABLE, 0, 0, 256, "", reason="it follows an index")

WRONG: dict[str, tuple[Change, str]] = {
    "a node left out": (with_nodes(lambda nodes: nodes[1:]), "is missing"),
    "the last node left out": (with_nodes(lambda nodes: nodes[:-1]), "is missing"),
    "a node altered": (with_nodes(lambda nodes: [flipped(nodes[0], 40), *nodes[1:]]), "is missing"),
    "a node nobody needs": (with_nodes(lambda nodes: [*nodes, b"\xc2\x20\x01"]), "belong to no proof"),
    "no nodes": (with_nodes(lambda nodes: []), "is missing"),
    "no header": (lambda bundle: replace(bundle, proof_headers=()), "without a header"),
    "two headers": (
        lambda b: replace(b, proof_headers=(*b.proof_headers, *with_header(block_hash=OTHER_HASH)(b).proof_headers)),
        "has 2 headers",
    ),
    "a header altered": (with_header(lambda header: flipped(header, 60)), "does not hash to"),
    "a header of another block": (with_header(block_hash=OTHER_HASH), "not the block of a sweep"),
    "a header of another chain": (with_header(chain_id="eip155:1"), "not the block of a sweep"),
    "a header of Bitcoin": (with_header(chain_id="bip122:000000000019d6689c085ae165831e93"), "not an EVM chain"),
    "another ether balance": (with_balance(ETH, base_units=one_more), "its state proof"),
    "another token balance": (with_balance(USD, base_units=one_more), "its state proof"),
    "no figure": (
        with_balance(ETH, base_units=None, status=ReadStatus.FAILED, reason="node-unavailable: gone"),
        "without a figure",
    ),
    "no layout": (lambda bundle: replace(bundle, token_layouts=()), "without a layout"),
    "a layout for other code": (with_layout(code_hash=OTHER_HASH), "layout-stale"),
    "another implementation": (with_layout(implementation=checksum_address(b"\x2f" * 20)), "another implementation"),
    "an implementation of other code": (with_layout(implementation_code_hash=OTHER_HASH), "not the reviewed one"),
    "no minimal proxy": (with_layout(implementation_slot=None), "no minimal proxy"),
    "another slot": (with_layout(mapping_slot=2), "belong to no proof"),
    "another order": (with_layout(order=SlotOrder.SOLIDITY), "belong to no proof"),
    "a field of another width": (with_layout(bits=256), "its state proof"),
    "a field elsewhere": (with_layout(first_bit=1), "its state proof"),
    "a token that is unprovable": (
        lambda bundle: replace(bundle, token_layouts=(layout_record(UNPROVABLE),)),
        "unprovable",
    ),
    "two layouts of a token, the true one last": (
        lambda b: replace(b, token_layouts=(layout_record(replace(LAYOUT, mapping_slot=0)), layout_record(LAYOUT))),
        "has 2 layouts",
    ),
    "a layout approved after the bundle was made": (
        lambda b: replace(
            b,
            token_layouts=tuple(replace(each, approved_at=CREATED + timedelta(seconds=1)) for each in b.token_layouts),
        ),
        "approved after",
    ),
    "proofs of balances that claim none": (all_read, "belongs to no proven balance"),
    "a block of another height": (
        lambda bundle: replace(bundle, sweeps=[replace(each, height=each.height + 1) for each in bundle.sweeps]),
        "another height",
    ),
}


def test_every_balance_of_the_sample_is_proven_by_its_nodes_alone(tmp_path: Path) -> None:
    bundle = proven_bundle()
    proven = [balance for balance in bundle.balances if balance.state is StateEvidence.PROVEN]
    assert {balance.asset_id for balance in proven} == {ETH, USD}
    outcome = check_state_proofs(contents(bundle))
    assert outcome is not None
    assert (list(outcome.problems), outcome.compared) == ([], len(proven))
    firm = make_firm(tmp_path)
    report = verify(write(tmp_path, firm, bundle), firm.trusted)
    assert report.exit_code == 0, report_text(report)
    assert check(report, 24).compared == len(proven)
    assert f"{len(proven)} of 7 balances have a state proof; operators agree on the block." in report_text(report)


@pytest.mark.fault("A29", "A30")
@pytest.mark.parametrize("name", list(WRONG))
def test_what_does_not_follow_is_refused(name: str) -> None:
    change, words = WRONG[name]
    bundle = change(proven_bundle())
    found = problems(bundle)
    assert any(words in problem for problem in found), found


@pytest.mark.parametrize(("wei", "units"), [(1, 0), (0, 1)])
@pytest.mark.fault("A29")
def test_a_state_with_other_figures_is_refused(wei: int, units: int) -> None:
    assert problems(other_figures(0, 0)) == []
    assert any("its state proof" in problem for problem in problems(other_figures(wei, units)))


def test_a_flip_of_any_byte_of_a_proof_is_refused() -> None:
    bundle = proven_bundle()
    nodes = [record.encoded for record in bundle.proof_nodes]
    (header,) = bundle.proof_headers
    for number, node in enumerate(nodes):
        for place in range(0, len(node), 7):
            changed = [*nodes[:number], flipped(node, place), *nodes[number + 1 :]]
            assert problems(with_nodes(lambda _, changed=changed: changed)(bundle))  # type: ignore[misc]
    for place in range(len(header.encoded)):
        assert problems(with_header(lambda data, place=place: flipped(data, place))(bundle))  # type: ignore[misc]


def test_a_proof_under_one_operators_block_is_graded_as_read() -> None:
    bundle = with_state_proofs(agreed=False)
    assert problems(bundle) == []
    assert check_grades(contents(bundle)).problems == []
    assert {balance.grade for balance in bundle.balances} == {StateEvidence.READ}
    assert any("one operator's word until check 16 passes" in line for line in block_lines(contents(bundle)))
    claimed = with_balance(ETH, grade=StateEvidence.PROVEN)(bundle)
    assert "grade proven from proven and single" in check_grades(contents(claimed)).problems[0]


def test_a_proof_needs_a_header_that_was_recomputed() -> None:
    unchecked = with_balance(ETH, header_checked=False)(proven_bundle())
    assert any("not recomputed" in problem for problem in check_grades(contents(unchecked)).problems)


@pytest.mark.fault("A26")
def test_a_bundle_without_proofs_claims_none(tmp_path: Path) -> None:
    assert check_state_proofs(contents(sample_bundle())) is None
    firm = make_firm(tmp_path)
    report = verify(write(tmp_path, firm, sample_bundle()), firm.trusted)
    assert check(report, 24).status is CheckStatus.NOT_REQUESTED
    assert all(balance.chain_id != CHAIN or balance.state is StateEvidence.READ for balance in sample_bundle().balances)


@pytest.mark.fault("G4")
@pytest.mark.parametrize(
    ("requested_by", "approved_by"),
    [("", "ops.checker"), ("ops.maker", " "), ("Ops.Maker", "ops.maker "), ("a  b", "A b")],
)
def test_two_people_review_a_layout_each_with_a_name(requested_by: str, approved_by: str) -> None:
    assert layout_record(LAYOUT).approved_by == "ops.checker"
    with pytest.raises(InvalidValue):
        replace(layout_record(LAYOUT), requested_by=requested_by, approved_by=approved_by)
    with pytest.raises(InvalidValue):
        require_two_people(requested_by, approved_by)


@pytest.mark.fault("A29")
@pytest.mark.parametrize(
    ("others", "agreed"),
    [
        (WitnessRecord("node-b", "Operator B"), True),
        (WitnessRecord("node-b", "operator  a "), False),
        (WitnessRecord("node-b", ""), False),
        (WitnessRecord("node-a", "Operator B"), False),
    ],
    ids=["another operator", "the same operator", "no operator", "the same node under another name"],
)
def test_operators_agree_when_each_has_a_name_and_a_node_of_its_own(others: WitnessRecord, agreed: bool) -> None:
    bundle = proven_bundle()
    (sweep,) = bundle.sweeps
    witnesses = (WitnessRecord("node-a", "Operator A"), others)
    problems = check_grades(contents(replace(bundle, sweeps=[replace(sweep, witnesses=witnesses)]))).problems
    assert (not problems) is agreed
