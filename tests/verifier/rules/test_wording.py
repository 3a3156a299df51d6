"""What is too long for a sentence: the first few, and how many more."""

from __future__ import annotations

from verifier.rules.wording import NAMED_MAX, some_of


def test_up_to_so_many_are_all_named() -> None:
    assert some_of(()) == ""
    assert some_of(list("abcde")) == "a, b, c, d, e"
    assert some_of(["one; two", "three"], between="; ") == "one; two; three"


def test_of_more_the_rest_is_counted() -> None:
    assert some_of([str(number) for number in range(NAMED_MAX + 2)]) == "0, 1, 2, 3, 4 and 2 more"
    assert some_of(["a", "b", "c"], most=1) == "a and 2 more"
