"""What is said of changes that nothing explains: where, how much, what may be behind it, and always the same case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from chains.types import Address, Asset
from tests.verifier.rules.make import ETH, USDC, address, around, block, observed, place, read
from verifier.case_book import GROUPED_FROM, group_findings
from verifier.records import Finding, FindingKind
from verifier.rules.changes import FoundChanges, SearchMode, change_findings
from verifier.rules.narrowing import Step
from verifier.rules.rollforward import RollForward, roll_forward_all

FIRST, LAST = 100, 140
A = address(0xA)
TX = "0x" + "11" * 32


def roll(closing: int, *, at: Address = A, asset: Asset = USDC, first: int = FIRST, last: int = LAST) -> RollForward:
    """A balance that was 100 and now is another, with no movement known."""
    opened = observed(read(at, asset, 100, pin=block(first)))
    (only,) = roll_forward_all(opened, observed(read(at, asset, closing, pin=block(last))), [], first + 1)
    return only


def step(
    left_over: int,
    height: int = 120,
    after: int | None = None,
    *,
    at: Address = A,
    asset: Asset = USDC,
    found: int | None = None,
    note: str = "",
    tx_ids: tuple[str, ...] = (),
) -> Step:
    after = height - 1 if after is None else after
    return Step((at, asset.asset_id), after, height, left_over if found is None else found, left_over, tx_ids, note)


def search(
    *steps: Step, mode: SearchMode = SearchMode.REMAINDERS, note: str = "", verified: Sequence[int] = ()
) -> FoundChanges:
    blocks = {height: block(height) for height in range(FIRST + 1, LAST)}
    return FoundChanges(mode, FIRST + 1, LAST, 6, [], 0, steps, blocks, frozenset(verified), note)


def findings(roll: RollForward, found: FoundChanges | None) -> list[Finding]:
    return change_findings([roll], found, around())


@pytest.mark.fault("A22")
def test_an_exact_step_names_its_block_and_the_terms() -> None:
    (finding,) = findings(roll(93), search(step(-7)))
    assert (finding.kind, finding.base_units, finding.block) == (FindingKind.UNEXPLAINED_CHANGE, -7, block(120))
    assert (finding.location_id, finding.asset, finding.tx_id) == (place(), USDC, "")
    assert finding.text.startswith("0.000007 USDC less than any event explains, in block 120. ")
    assert "From block 100 to block 140: opening 0.0001 USDC" in finding.text


def test_all_steps_are_told_and_those_explained_are_not() -> None:
    found = search(step(5, 110), step(-2, 120), step(0, 125, found=9))
    assert [each.base_units for each in findings(roll(103), found)] == [5, -2]


def test_steps_that_cancel_out_are_told_of_a_balance_that_adds_up() -> None:
    assert [each.base_units for each in findings(roll(100), search(step(5, 110), step(-5, 120)))] == [5, -5]
    assert findings(roll(100), search()) == findings(roll(100), None) == []


def test_the_same_change_has_one_key_whatever_the_interval_and_the_amount_left() -> None:
    wide, narrow = roll(93), roll(93, first=110, last=130)
    (one,), (other,) = findings(wide, search(step(-7))), findings(narrow, search(step(-7, found=-9)))
    assert one.finding_key == other.finding_key
    (elsewhere,) = findings(wide, search(step(-7, 121)))
    assert elsewhere.finding_key != one.finding_key


@pytest.mark.parametrize("found", [None, search(), search(step(-6)), search(step(-7, at=address(0xB)))])
def test_what_was_not_located_is_told_over_the_whole_interval(found: FoundChanges | None) -> None:
    """Not searched, or steps that are not the remainder: nothing is lost, and nothing is claimed."""
    (finding,) = findings(roll(93), found)
    assert finding.base_units == -7
    assert finding.subject == f"{block(FIRST).block_hash}/{block(LAST).block_hash}"


@pytest.mark.parametrize("heights", [(110, 120), (101, 120), (110, 150)])
def test_steps_at_blocks_that_are_not_covered_any_more_share_one_finding_with_the_remainder_once(
    heights: tuple[int, int],
) -> None:
    """The key and the amount are those of the interval: two findings of one key would be added up by their case."""
    found = search(step(5, heights[0]), step(-12, heights[1]))
    gone = {height for each in heights if each != 101 for height in (each - 1, each)} - {LAST}
    found = replace(found, blocks={height: known for height, known in found.blocks.items() if height not in gone})
    (finding,) = findings(roll(93), found)
    assert (finding.base_units, finding.block) == (-7, block(LAST))
    assert finding.subject == f"{block(FIRST).block_hash}/{block(LAST).block_hash}"
    for height in heights:
        assert f"in block {height}." in finding.text
    (only,) = group_findings([(finding, ())])
    assert only.finding.base_units == -7


def test_a_balance_that_was_not_read_says_nothing_here() -> None:
    opened = observed(read(A, USDC, 100, pin=block(FIRST)))
    (failed,) = roll_forward_all(opened, observed(read(A, USDC, None, pin=block(LAST))), [], FIRST + 1)
    assert findings(failed, search(step(-7))) == []


def test_bounds_that_are_wide_say_why() -> None:
    (finding,) = findings(roll(93), search(step(-7, 120, 104, note="not-narrowed: block 112 could not be read (gone)")))
    assert "somewhere in blocks 105 to 120" in finding.text
    assert "Known no closer: not-narrowed: block 112 could not be read (gone)." in finding.text
    assert finding.subject == f"{block(104).block_hash}/{block(120).block_hash}"


@pytest.mark.parametrize(
    ("asset", "given", "verified", "said", "unsaid"),
    [
        (USDC, step(-7), [], ["rebasing", "history_mode verified"], ["traces"]),
        (USDC, step(-7), [120], ["rebasing"], ["history_mode verified"]),
        (USDC, step(-7, 121), [120], ["history_mode verified"], []),
        (ETH, step(-7, asset=ETH), [], ["written directly"], ["only traces", "rebasing"]),
        (ETH, step(-7, asset=ETH, note="no-traces: none"), [], ["only traces show", "no-traces"], ["rebasing"]),
        (ETH, step(-7, asset=ETH, found=-9), [], ["Internal transfers explain 0.000000000000000002 ETH more"], []),
        (ETH, step(-7, asset=ETH, tx_ids=(TX,)), [], [f"It came with transaction {TX}."], []),
        (ETH, step(-7, asset=ETH, tx_ids=("a", "b", "c", "d", "e")), [], ["transaction a, b, c and 2 more"], ["d,"]),
    ],
)
def test_what_may_be_behind_it(
    asset: Asset, given: Step, verified: list[int], said: list[str], unsaid: list[str]
) -> None:
    (finding,) = findings(roll(93, asset=asset), search(given, verified=verified))
    assert all(words in finding.text for words in said), finding.text
    assert not any(words in finding.text for words in unsaid), finding.text
    assert finding.tx_id == (TX if given.tx_ids == (TX,) else "")


@pytest.mark.fault("A38")
@pytest.mark.parametrize("wallets", [GROUPED_FROM - 1, GROUPED_FROM])
@pytest.mark.parametrize("asset", [USDC, ETH])
def test_a_block_that_changed_many_wallets_of_a_token_makes_one_case(wallets: int, asset: Asset) -> None:
    addresses = [address(number) for number in range(1, wallets + 1)]
    rolls = [roll(103, at=each, asset=asset) for each in addresses]
    found = change_findings(rolls, search(*(step(3, at=each, asset=asset) for each in addresses)), around())
    if wallets < GROUPED_FROM or asset is ETH:
        assert len(found) == wallets
        return
    (finding,) = found
    assert (finding.location_id, finding.base_units, finding.block) == (
        around().chain_location,
        3 * wallets,
        block(120),
    )
    assert f"{wallets} wallets" in finding.text
    assert addresses[0] in finding.text
    more = [*addresses, address(999)]
    rolls = [roll(103, at=each) for each in more]
    (again,) = change_findings(rolls, search(*(step(3, at=each) for each in more)), around())
    assert again.finding_key == finding.finding_key


@pytest.mark.parametrize(
    ("mode", "note", "told"),
    [
        (SearchMode.EVERY_BLOCK, "too-many-blocks: 39 of them", True),
        (SearchMode.EVERY_BLOCK, "", False),
        (SearchMode.REMAINDERS, "too-many-reads: 512", False),
    ],
)
def test_blocks_that_were_to_be_read_singly_and_were_not(mode: SearchMode, note: str, told: bool) -> None:
    found = change_findings([], search(mode=mode, note=note), around())
    assert [each.kind for each in found] == ([FindingKind.COVERAGE_GAP] if told else [])
    if told:
        assert "Blocks 101 to 140" in found[0].text
        assert note in found[0].text
        assert found[0].location_id == around().chain_location


def test_many_changes_that_cancel_out_are_not_told_as_nothing() -> None:
    """What was taken from one wallet and spread over others sums up to zero."""
    addresses = [address(number) for number in range(1, GROUPED_FROM + 1)]
    moved = [-3, 3] * (GROUPED_FROM // 2)
    rolls = [roll(100 + units, at=each) for each, units in zip(addresses, moved, strict=True)]
    steps = [step(units, at=each) for each, units in zip(addresses, moved, strict=True)]
    (finding,) = change_findings(rolls, search(*steps), around())
    assert finding.base_units == 0
    assert "0.00003 USDC more at some and 0.00003 USDC less at others" in finding.text


def test_changes_that_cancel_out_later_leave_nothing_over_at_the_ends() -> None:
    rolls = [roll(100)]
    found = change_findings(rolls, search(step(-3), step(3, after=130, height=131)), around())
    assert len(found) == 2
    assert all("nothing is left over at the ends" in finding.text for finding in found)
