"""Strict RLP against the `rlp` package: what it encodes is read, every other form is refused."""

from __future__ import annotations

import pytest
import rlp
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chains.errors import MalformedAnswer
from chains.evm.rlp_decoding import scalar_of, split_list, string_of

ITEMS = st.recursive(st.binary(max_size=300), lambda inner: st.lists(inner, max_size=6), max_leaves=20)


@settings(max_examples=150, deadline=None)
@given(st.lists(ITEMS, max_size=20))
def test_a_list_is_split_into_its_items(items: list[object]) -> None:
    assert split_list(rlp.encode(items)) == [rlp.encode(item) for item in items]


@settings(deadline=None)
@given(st.binary(max_size=70_000))
@example(b"\x7f")
@example(b"\x80")
@example(b"a" * 55)
@example(b"a" * 56)
@example(b"a" * 256)
@example(b"a" * 65_536)
def test_a_string_is_read(raw: bytes) -> None:
    encoded = rlp.encode(raw)
    assert string_of(encoded) == raw
    for wrong in (encoded + b"\0", encoded[:-1]):
        with pytest.raises(MalformedAnswer):
            string_of(wrong)


@given(st.integers(0, 2**256 - 1))
def test_an_integer_is_read(number: int) -> None:
    assert scalar_of(rlp.encode(number)) == number
    bits = number.bit_length()
    assert scalar_of(rlp.encode(number), bits) == number
    if number:
        with pytest.raises(MalformedAnswer, match="more than"):
            scalar_of(rlp.encode(number), bits - 1)


def headed(first: int, length: bytes, body: bytes) -> bytes:
    return bytes([first]) + length + body


LONG = rlp.encode(b"a" * 59)  # 61 bytes, as the body of a list
WRONG_LISTS = {
    "nothing": b"",
    "a string": b"\x83abc",
    "bytes after it": b"\xc1\x01\x02",
    "a cut body": b"\xc3\x01\x02",
    "a length in two bytes where one does": headed(0xF9, b"\0\x3d", LONG),
    "a long length where the short form does": headed(0xF8, b"\x02", b"\x01\x02"),
    "a long length of 55": headed(0xF8, b"\x37", b"\x01" * 55),
    "a length that is cut": b"\xf9\x01",
    "no length": b"\xf8",
    "a length beyond any memory": headed(0xFF, b"\xff" * 8, b"\x01"),
    "a short string beyond its end": b"\xc2\x83a",
    "a hash beyond its end": b"\xc2\xa0a",
    "a long string beyond its end": headed(0xC3, b"", b"\xb8\x38a"),
    "a list beyond its end": b"\xc2\xc3\x01",
    "a long string of a short length": headed(0xC4, b"", b"\xb8\x02ab"),
    "a long string with a leading zero in its length": headed(0xF8, b"\x3e", b"\xb9\0\x3b" + b"a" * 59),
    "a prefixed single byte": b"\xc2\x81\x05",
    "a prefix without its byte": b"\xc1\x81",
}


@pytest.mark.parametrize("name", WRONG_LISTS)
def test_a_list_in_any_other_form_is_refused(name: str) -> None:
    with pytest.raises(MalformedAnswer):
        split_list(WRONG_LISTS[name])


def test_the_right_forms_beside_them_are_read() -> None:
    assert split_list(headed(0xF8, b"\x3d", LONG)) == [LONG]
    assert split_list(b"\xc2\x01\x02") == [b"\x01", b"\x02"]
    assert split_list(b"\xf7" + b"\x01" * 55) == [b"\x01"] * 55
    assert split_list(headed(0xF8, b"\x38", b"\x01" * 56)) == [b"\x01"] * 56
    assert split_list(b"\xc2\x81\x80") == [b"\x81\x80"]
    assert split_list(b"\xc0") == []


WRONG_STRINGS = [b"", b"\xc0", b"\x81\x05", b"\x81", b"\xb8\x02ab", b"\xb9\0\x38" + b"a" * 56, b"\x01\x02"]


@pytest.mark.parametrize("wrong", WRONG_STRINGS)
def test_a_string_in_any_other_form_is_refused(wrong: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        string_of(wrong)


@pytest.mark.parametrize("wrong", [b"\0", b"\x82\0\x05", b"\xc0", b"\xa1\x01" + bytes(32)])
def test_an_integer_in_any_other_form_is_refused(wrong: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        scalar_of(wrong)
