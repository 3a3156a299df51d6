"""Geometry of small drawings, in 1/1000 of their width: whole numbers, the same for the same figures."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.web.views.tones import Tone

WIDTH = 1000
LEAST = 6
"""Something that is there is never drawn as nothing."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar."""

    start: int
    length: int
    tone: Tone
    words: str
    number: int


def parts(*counts: tuple[int, Tone, str], whole: int = 0) -> tuple[Part, ...]:
    """Numbers beside each other in one bar; without `whole`, together they fill it."""
    total = max(whole or sum(number for number, _, _ in counts), 1)
    there = [(number, tone, words) for number, tone, words in counts if number]
    lengths = [max(LEAST, number * WIDTH // total) for number, _, _ in there]
    while sum(lengths) > WIDTH:
        lengths[lengths.index(max(lengths))] -= sum(lengths) - WIDTH
    start, found = 0, []
    for (number, tone, words), length in zip(there, lengths, strict=True):
        found.append(Part(start, length, tone, words, number))
        start += length
    return tuple(found)


def place(value: int, lowest: int, highest: int, width: int = WIDTH) -> int:
    """Where a value lies between two others, from 0 to `width`."""
    if highest <= lowest:
        return 0
    return min(width, max(0, (value - lowest) * width // (highest - lowest)))
