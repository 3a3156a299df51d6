"""Canonical JSON: one value has one sequence of bytes, and no other bytes are read as it."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.canonical import (
    DEPTH_MAX,
    INTEGER_MAX,
    canonical_json,
    canonical_record,
    parse_by_hand,
    parse_canonical,
    parse_canonical_object,
    utf16_order,
)
from exports.codec import from_object, to_object
from exports.errors import NotCanonical, RecordInvalid
from exports.proof_records import ProofNodeRecord
from exports.records import BalanceRecord
from tests.exports.sample import ETH, OMNIBUS, balance

STRINGS = st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: unicodedata.normalize("NFC", text))
VALUES: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | STRINGS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.fault("E12")
@given(VALUES)
def test_every_value_comes_back_and_its_bytes_are_plain_json(value: object) -> None:
    data = canonical_json(value)
    assert parse_canonical(data) == value
    assert json.loads(data) == value
    assert canonical_json(parse_canonical(data)) == data


@pytest.mark.fault("E12")
@given(VALUES, st.data())
def test_any_other_layout_of_the_same_value_is_refused(value: object, data: st.DataObject) -> None:
    canonical = canonical_json(value)
    layouts = {
        json.dumps(value).encode(),
        json.dumps(value, ensure_ascii=False).encode(),
        json.dumps(value, indent=1).encode(),
        canonical + b"\n",
        b" " + canonical,
    } - {canonical}
    with pytest.raises(NotCanonical):
        parse_canonical(data.draw(st.sampled_from(sorted(layouts))))


@pytest.mark.fault("E12")
@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b"1.0",
        b"1.5",
        b"1e3",
        b"-0",
        b"01",
        b"9007199254740992",
        b"-9007199254740992",
        b"1" + b"0" * 5000,
        b"NaN",
        b"Infinity",
        b'"\\u0061"',
        b'"e\xcc\x81"',
        b'{"e\xcc\x81":1}',
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\\/"',
        b'"\x01"',
        b"\xef\xbb\xbf1",
        b"",
        b"[1,]",
        b"[" * 40 + b"]" * 40,
        b"[" * 100_000,
        b'{"\xef\xbf\xbd":2,"\xf0\x90\x80\x80":1}',
    ],
)
def test_bytes_that_are_not_canonical_are_refused(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        parse_canonical(data)


@pytest.mark.fault("E12")
@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), 2**53, -(2**53), "\ud800", "e\u0301", {1: 2}, {"a": b"x"}, {"a": {1, 2}}, object()],
)
def test_values_without_a_canonical_form_are_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        canonical_json(value)


def test_keys_are_in_the_order_of_utf16_code_units() -> None:
    # RFC 8785 section 3.2.3: U+1F600 is D83D DE00 in UTF-16 and comes before U+FB33, which code points do not say.
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\u00f6"]
    ordered = ["\r", "1", "\x80", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    normalized = [key for key in ordered if unicodedata.is_normalized("NFC", key)]  # U+FB33 is not
    assert sorted(keys, key=utf16_order) == ordered
    value = dict.fromkeys((key for key in keys if key in normalized), 0)
    assert list(json.loads(canonical_json(value))) == normalized


@given(st.dictionaries(STRINGS, VALUES, max_size=6))
def test_a_record_has_the_bytes_that_any_value_has(value: dict[str, object]) -> None:
    assert canonical_record(value) == canonical_json(value)


@pytest.mark.parametrize("value", [{"a": 2**53}, {"a": "\ud800"}, {"a": "e\u0301"}, {1: "a"}, {"a": object()}])
def test_a_record_with_no_canonical_form_is_refused_too(value: dict[str, object]) -> None:
    with pytest.raises(NotCanonical):
        canonical_record(value)


@pytest.mark.fault("E12")
@pytest.mark.parametrize("number", ["1.5", "-0.5", "1e5", "1E5", "-1e-7", "5e-324", "1.8446744073709552e19"])
@pytest.mark.parametrize("around", ["{}", "[{}]", "[0,{}]", '{{"a":{}}}', '{{"a":[[0],{}]}}'])
def test_a_float_is_refused_wherever_it_stands(number: str, around: str) -> None:
    assert parse_canonical(around.format(15).encode()) is not None
    with pytest.raises(NotCanonical):
        parse_canonical(around.format(number).encode())


@pytest.mark.parametrize("text", [",1.5", ":1e5", "[1.0]", "{[" * DEPTH_MAX, '\\"'])
def test_text_that_looks_like_numbers_or_brackets_is_text(text: str) -> None:
    assert parse_canonical(canonical_json({"a": text})) == {"a": text}


def test_nesting_is_counted_and_not_brackets() -> None:
    wide: list[object] = [[] for _ in range(2 * DEPTH_MAX)]
    assert parse_canonical(canonical_json(wide)) == wide
    assert parse_canonical(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX) is not None
    with pytest.raises(NotCanonical, match="nested deeper"):
        parse_canonical(b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1))


def test_an_object_is_told_from_other_values() -> None:
    assert parse_canonical_object(b'{"a":[1,true,null,"x"]}') == {"a": [1, True, None, "x"]}
    with pytest.raises(NotCanonical):
        parse_canonical_object(b"[]")


@pytest.mark.fault("A12", "E12")
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_wild_nesting_by_hand_is_refused_and_ends_no_process(opening: bytes) -> None:
    """With a raised recursion limit, as some libraries set it, the standard library's reader exhausts the stack."""
    code = (
        "import sys; sys.setrecursionlimit(1_000_000)\n"
        "from exports.canonical import parse_by_hand\n"
        "from exports.errors import NotCanonical\n"
        "try:\n"
        f"    parse_by_hand({opening!r} * 100_000)\n"
        "except NotCanonical:\n"
        "    sys.exit(7)\n"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 7
    assert parse_by_hand(b' { "a" : [1, 2] } ') == {"a": [1, 2]}
    with pytest.raises(NotCanonical):
        parse_by_hand(b'{"a":1,"a":1}')


def test_equal_texts_of_many_records_are_held_once_and_judged_alike() -> None:
    """A bundle of 100,000 owners has few different assets, blocks and moments."""
    value = to_object(balance(OMNIBUS, ETH, 5))
    first, second = (from_object(BalanceRecord, json.loads(json.dumps(value))) for _ in range(2))
    for name in ("chain_id", "address", "asset_id", "block_hash", "block_time", "node_id"):
        assert getattr(first, name) is getattr(second, name)
    for name in ("chain_id", "address", "asset_id", "block_hash", "block_time", "node_id"):
        bad: tuple[object, ...] = (None, 5, True, [], [value[name]], {}, f"{value[name]}\n", "\u202e")
        for wrong in bad:
            for _ in range(2):
                with pytest.raises(RecordInvalid, match=name):
                    from_object(BalanceRecord, {**value, name: wrong})


def test_long_texts_are_not_kept() -> None:
    value = {"node": "0x" + "ab" * 500}
    first, second = (from_object(ProofNodeRecord, json.loads(json.dumps(value))) for _ in range(2))
    assert first == second
    assert first.node is not second.node
