"""Inclusion statements: every client's own leads to the root, any change of it does not, and it names nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.types import AssetId, LocationId
from exports.canonical import canonical_json, parse_canonical_object
from exports.codec import from_object
from exports.errors import LiabilityInvalid, RecordInvalid, StatementInvalid, StatementRefused
from exports.inclusion import InclusionStatement, make_statements, verify_statement
from exports.liabilities import (
    LiabilityContext,
    Position,
    leaves_of,
    liability_records,
    open_tree,
    padding_key,
    positions_of,
    summary,
)
from exports.liability_records import PARTS, LiabilityRecord
from exports.merkle_sum import AMOUNT_MAX, Entry
from exports.records import AccountClass, AllocationRecord

SECRET = b"secret of the firm, of 32 bytes."
CONTEXT = LiabilityContext("Firm", "bundle-000001", datetime(2026, 1, 31, tzinfo=UTC))
ASSETS = [AssetId("iso4217:EUR"), AssetId("iso4217:USD")]
PLACES = [LocationId("pool:a"), LocationId("pool:b")]


def statements(
    positions: Iterable[Position], context: LiabilityContext = CONTEXT, secret: bytes = SECRET
) -> Iterator[InclusionStatement]:
    """The statement of everybody."""
    records = list(liability_records(positions, context, secret))
    with ExitStack() as stack:
        trees = []
        for asset_id in sorted({record.asset_id for record in records}):
            own = [record for record in records if record.asset_id == asset_id]
            tree = stack.enter_context(closing(open_tree(own, padding_key(asset_id, context, secret))))
            trees.append((summary(asset_id, 2, tree), tree))
        yield from make_statements(records, trees, context, sorted({record.client_id for record in records}))


def some(clients: int = 3) -> list[Position]:
    return [Position(f"client-{n}", "customer", asset, 1000 * n + 7) for n in range(1, clients + 1) for asset in ASSETS]


@pytest.fixture(scope="module")
def statement() -> InclusionStatement:
    return next(statements(some()))


ALLOCATIONS = st.lists(
    st.builds(
        AllocationRecord,
        st.sampled_from(["a", "b", "c", "d"]),
        st.sampled_from(AccountClass),
        st.sampled_from(PLACES),
        st.sampled_from(ASSETS),
        st.integers(-(10**20), 10**40),
        st.just(value=False),
    ),
    min_size=1,
    max_size=12,
)


@given(ALLOCATIONS)
@settings(max_examples=50, deadline=None)
def test_every_client_of_any_book_is_included_and_the_sums_are_right(allocations: list[AllocationRecord]) -> None:
    positions = positions_of(allocations)
    assert sum(each.base_units for each in positions) == sum(each.base_units for each in allocations)
    owed = {asset: sum(max(p.base_units, 0) for p in positions if p.asset_id == asset) for asset in ASSETS}
    found = list(statements(positions))
    assert {each.client_id for each in found} == {each.client_id for each in allocations}
    assert len({each.root for each in found}) == 1
    stated: dict[str, int] = dict.fromkeys(ASSETS, 0)
    for each in found:
        verdict = verify_statement(InclusionStatement.parse(each.to_bytes()), each.root)
        assert (verdict.exit_code, verdict.problems, verdict.positions) == (0, (), len(each.positions))
        assert verdict.leaves == PARTS * len(each.positions)
        for position in each.positions:
            stated[position.asset_id] += position.base_units
            path = position.paths[0]
            siblings = sum(sibling.base_units for sibling in path.siblings)
            part = Entry.of_bytes(leaves_of(_record(each, position))[0]).base_units
            assert part + siblings == owed[position.asset_id], "a path adds up to the whole tree"
    assert stated == owed


def _record(statement: InclusionStatement, position: Any) -> LiabilityRecord:
    return LiabilityRecord(
        statement.client_id, position.account_class, position.asset_id, position.base_units, position.position_key
    )


@given(st.integers(0, AMOUNT_MAX), st.binary(min_size=32, max_size=32))
@settings(max_examples=200, deadline=None)
def test_the_leaves_of_a_position_add_up_and_are_never_negative(amount: int, key: bytes) -> None:
    leaves = [
        Entry.of_bytes(leaf) for leaf in leaves_of(LiabilityRecord("c", "customer", ASSETS[0], amount, key.hex()))
    ]
    assert len({leaf.digest for leaf in leaves}) == PARTS
    assert sum(leaf.base_units for leaf in leaves) == amount


Edit = Callable[[dict[str, Any]], object]


def first(value: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = value["positions"][0]
    return found


def sibling(value: dict[str, Any], level: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = first(value)["paths"][0]["siblings"][level]
    return found


def swap(value: dict[str, Any]) -> None:
    path = first(value)["paths"][0]
    path["siblings"][0], path["siblings"][1] = path["siblings"][1], path["siblings"][0]


def shift(value: dict[str, Any]) -> None:
    """Move an amount from one sibling to another: the sum stays."""
    sibling(value, 1)["base_units"] = str(int(sibling(value, 1)["base_units"]) + 1)
    sibling(value, 2)["base_units"] = str(int(sibling(value, 2)["base_units"]) - 1)


def lift(value: dict[str, Any]) -> None:
    """Give a node as a leaf: the way from the second level on."""
    for path in first(value)["paths"]:
        path["siblings"].pop(0)
        path["index"] //= 2


def exchange(value: dict[str, Any]) -> None:
    one, two = value["positions"]
    one["paths"], two["paths"], one["line"], two["line"] = two["paths"], one["paths"], two["line"], one["line"]


REFUSED: dict[str, Edit] = {
    "more owed": lambda v: first(v).update(base_units="1008"),
    "another client": lambda v: v.update(client_id="client-2"),
    "other decimals": lambda v: first(v).update(decimals=0),
    "another class": lambda v: first(v).update(account_class="pab"),
    "another key": lambda v: first(v).update(position_key="0" * 64),
    "other asset": lambda v: first(v).update(asset_id="iso4217:GBP"),
    "the other asset's tree": exchange,
    "another line": lambda v: first(v).update(line=1),
    "a line beyond": lambda v: first(v).update(line=2),
    "sibling's sum changed": lambda v: sibling(v).update(base_units=str(int(sibling(v)["base_units"]) + 1)),
    "sums shifted between siblings": shift,
    "siblings swapped": swap,
    "sides swapped": lambda v: first(v)["paths"][0].update(index=first(v)["paths"][0]["index"] ^ 1),
    "sibling's digest changed": lambda v: sibling(v).update(digest="ab" * 32),
    "sum beyond 256 bits": lambda v: sibling(v).update(base_units=str(2**256)),
    "path too short": lambda v: first(v)["paths"][0]["siblings"].pop(),
    "all paths too short": lambda v: [path["siblings"].pop() for path in first(v)["paths"]],
    "path too long": lambda v: [
        path["siblings"].append({"digest": "0" * 64, "base_units": "0"}) for path in first(v)["paths"]
    ],
    "a node as a leaf": lift,
    "a leaf shown twice": lambda v: first(v)["paths"].__setitem__(1, first(v)["paths"][0]),
    "a position shown twice": lambda v: v["positions"].append(first(v)),
    "another root": lambda v: v.update(root="0" * 64),
    "a line left out": lambda v: v["lines"].pop(),
    "a line added": lambda v: v["lines"].append("0" * 64),
    "lines swapped": lambda v: v["lines"].reverse(),
    "another firm": lambda v: v.update(firm="Other firm"),
    "another bundle": lambda v: v.update(bundle_id="bundle-000002"),
    "another moment": lambda v: v.update(as_of="2026-02-01T00:00:00.000000Z"),
    "far beyond any path": lambda v: first(v)["paths"][0].update(index=2**40),
}
BROKEN: dict[str, Edit] = {
    "negative amount": lambda v: first(v).update(base_units="-1007"),
    "too many decimals": lambda v: first(v).update(decimals=78),
    "negative sibling": lambda v: sibling(v).update(base_units="-1"),
    "digest cut": lambda v: sibling(v).update(digest=sibling(v)["digest"][:40]),
    "root cut": lambda v: v.update(root=v["root"][:32]),
    "key cut": lambda v: first(v).update(position_key="00"),
    "a path missing": lambda v: first(v)["paths"].pop(),
    "an unknown field": lambda v: v.update(note="x"),
    "a missing field": lambda v: v.pop("lines"),
    "an amount as a number": lambda v: first(v).update(base_units=1007),
}
UNREADABLE: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "another format": canonical_json({"format": "x"}),
    "another version": canonical_json({"format": "custody-verifier-inclusion", "format_version": 2}),
}


def edited(statement: InclusionStatement, edit: Edit) -> bytes:
    value = parse_canonical_object(statement.to_bytes().rstrip())
    edit(value)
    return canonical_json(value) + b"\n"


@pytest.mark.fault("G7", "G17")
@pytest.mark.parametrize("name", REFUSED)
def test_any_change_is_contradicted(name: str, statement: InclusionStatement) -> None:
    assert verify_statement(statement, statement.root).exit_code == 0
    changed = InclusionStatement.parse(edited(statement, REFUSED[name]))
    verdict = verify_statement(changed, statement.root)
    assert verdict.exit_code == 1
    assert verdict.problems
    assert verify_statement(changed, None).exit_code == 1, "without a published root too: it contradicts itself"


@pytest.mark.fault("G7", "G17")
@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_the_rules_is_refused_when_it_is_read(name: str, statement: InclusionStatement) -> None:
    with pytest.raises(StatementRefused):
        InclusionStatement.parse(edited(statement, BROKEN[name]))


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_statement_is_told_apart_from_a_bad_one(name: str) -> None:
    with pytest.raises(StatementInvalid) as caught:
        InclusionStatement.parse(UNREADABLE[name])
    assert not isinstance(caught.value, StatementRefused)


def test_every_single_bit_of_a_small_statement_counts(statement: InclusionStatement) -> None:
    """One flipped bit anywhere: not readable, refused, contradicted, or the published root is another."""
    data = next(statements([Position("c", "customer", ASSETS[0], 5)])).to_bytes()
    root = InclusionStatement.parse(data).root
    for at in range(len(data) - 1):
        changed = bytearray(data)
        changed[at] ^= 1 << (at % 7)
        try:
            found = InclusionStatement.parse(bytes(changed))
        except StatementInvalid:
            continue
        assert verify_statement(found, root).exit_code == 1, bytes(changed[max(at - 20, 0) : at + 20])


@given(ALLOCATIONS, st.data())
@settings(max_examples=80, deadline=None)
def test_any_one_value_changed_in_any_statement_is_noticed(
    allocations: list[AllocationRecord], data: st.DataObject
) -> None:
    found = data.draw(st.sampled_from(list(statements(positions_of(allocations)))))
    value = parse_canonical_object(found.to_bytes().rstrip())
    holder, key = data.draw(st.sampled_from(list(_places(value))))
    before = holder[key]
    if isinstance(before, int):
        holder[key] = before + data.draw(st.sampled_from([-1, 1]))
    else:
        at = data.draw(st.integers(0, len(before) - 1))
        digit = data.draw(st.sampled_from("0123456789abcdef").filter(lambda each: each != before[at]))
        holder[key] = before[:at] + digit + before[at + 1 :]
    try:
        changed = InclusionStatement.parse(canonical_json(value))
    except StatementInvalid:
        return
    assert verify_statement(changed, found.root).exit_code == 1


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every text and number in a JSON value, by what holds it."""
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(each, dict | list):
            yield from _places(each)
        else:
            yield value, key


def test_without_a_published_root_nothing_was_compared(statement: InclusionStatement) -> None:
    verdict = verify_statement(statement, None)
    assert (verdict.exit_code, verdict.problems) == (2, ())
    assert "published" in verdict.obstacles[0]
    assert verify_statement(statement, "0" * 64).exit_code == 1
    assert verify_statement(statement, statement.root.upper()).exit_code == 0


def test_a_statement_about_nothing_is_no_success() -> None:
    lines = next(statements(some()))
    value = json.loads(lines.to_bytes())
    value["positions"] = []
    empty = InclusionStatement.parse(canonical_json(value))
    assert verify_statement(empty, lines.root).exit_code == 2


@pytest.mark.fault("E15")
def test_a_statement_names_nobody_else_and_no_amount_of_anybody(statement: InclusionStatement) -> None:
    positions = [Position(f"client-{n}-of-many", "customer", asset, 10**12 + n) for n in range(40) for asset in ASSETS]
    for position, found in zip(positions[::2], sorted(statements(positions), key=_number), strict=True):
        data = found.to_bytes()
        assert data.count(b"of-many") == 1
        assert position.client_id.encode() in data
        foreign = {str(each.base_units).encode() for each in positions if each.client_id != position.client_id}
        assert not [amount for amount in foreign if b'"' + amount + b'"' in data]
        for key in (SECRET, SECRET.hex().encode()):
            assert key not in data
        own = {each.position_key for each in found.positions}
        keys = {record.position_key for record in liability_records(positions, CONTEXT, SECRET)}
        assert None not in keys
        assert not [key for key in keys - own if key is not None and key.encode() in data]


def _number(statement: InclusionStatement) -> int:
    return int(statement.client_id.split("-")[1])


def test_the_same_state_gives_the_same_statement_and_another_bundle_shares_nothing_with_it() -> None:
    one, again = next(statements(some())), next(statements(some()))
    assert one.to_bytes() == again.to_bytes()
    later = next(statements(some(), LiabilityContext("Firm", "bundle-000002", CONTEXT.as_of)))
    other = next(statements(some(), secret=b"another secret of the firm, longer"))
    for found in (later, other):
        assert not _digests(one) & _digests(found), "an unchanged position cannot be followed from bundle to bundle"


def _digests(statement: InclusionStatement) -> set[str]:
    paths = [path for position in statement.positions for path in position.paths]
    siblings = {sibling.digest for path in paths for sibling in path.siblings}
    return siblings | {position.position_key for position in statement.positions}


@pytest.mark.fault("G7")
def test_debts_of_a_client_reduce_what_nobody_else_is_owed() -> None:
    positions = [
        Position("in-debt", "customer", ASSETS[0], -500),
        Position("owner", "customer", ASSETS[0], 700),
    ]
    found = {each.client_id: each for each in statements(positions)}
    assert found["in-debt"].positions[0].base_units == 0
    assert found["owner"].positions[0].base_units == 700
    value = {"client_id": "a", "account_class": "customer", "asset_id": "iso4217:EUR", "base_units": "-1"}
    with pytest.raises(RecordInvalid, match="negative"):
        from_object(LiabilityRecord, {**value, "position_key": "0" * 64, "leaves": []})


def test_places_of_one_owner_add_up_classes_stay_apart_and_a_gas_float_is_no_claim() -> None:
    def allocation(account_class: AccountClass, place: int, base_units: int, *, gas: bool = False) -> AllocationRecord:
        return AllocationRecord("a", account_class, PLACES[place], ASSETS[0], base_units, gas)

    customer, pab, own = AccountClass.CUSTOMER, AccountClass.PAB, AccountClass.PROPRIETARY
    allocations = [
        allocation(customer, 0, 10),
        allocation(customer, 1, -3),
        allocation(pab, 0, 5),
        allocation(own, 0, 9, gas=True),
    ]
    assert positions_of(allocations) == [
        Position("a", "customer", ASSETS[0], 7),
        Position("a", "pab", ASSETS[0], 5),
    ]


def test_a_short_secret_and_an_unknown_client_are_refused() -> None:
    with pytest.raises(LiabilityInvalid, match="32 bytes"):
        list(liability_records(some(), CONTEXT, b"x" * 31))
    with pytest.raises(LiabilityInvalid, match="no position"):
        list(make_statements([], [], CONTEXT, ["nobody"]))
