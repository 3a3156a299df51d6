"""What people type at the command line, as values: who acts, days, moments; and the files that they name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from verifier.errors import InputError

PersonOption = Annotated[
    str, typer.Option("--actor", envvar="CUSTODY_ACTOR", help="Who acts; written into the journal.", metavar="PERSON")
]
"""Of commands that nobody does without saying who they are; `ActorOption` has a default."""


def person_of(actor: str) -> str:
    """Who acts. Raises `InputError` when nobody is named."""
    if not actor.strip():
        raise InputError("say who acts: --actor PERSON")
    return actor.strip()


@contextmanager
def typed() -> Iterator[None]:
    """What is wrong with a value that somebody typed is bad input: `InvalidValue` becomes `InputError`."""
    from chains.errors import InvalidValue

    try:
        yield
    except InvalidValue as error:
        raise InputError(str(error)) from None


def day_of(text: str) -> date:
    """A date such as 2026-01-31. Raises `InputError`."""
    from mapping.fields import parse_date

    with typed():
        return parse_date(text)


def moment_of(text: str, now: datetime) -> datetime:
    """A time with its zone, such as 2026-01-31T23:59:59Z; now when none is named. Raises `InputError`."""
    if not text:
        return now
    from mapping.fields import parse_time

    with typed():
        return parse_time(text)


def numbered_digest(text: str) -> tuple[int, str] | None:
    """The number of an entry or bundle and its SHA-256, `18:029b…`; None when none is named. Raises `InputError`."""
    if not text:
        return None
    number, _, digest = text.partition(":")
    is_digest = len(digest) == 64 and set(digest.lower()) <= set("0123456789abcdef")
    if not (number.isascii() and number.isdigit() and int(number) and is_digest):
        raise InputError(f"{text!r} is not N:SHA256, a number from 1 and 64 hex digits")
    return int(number), digest.lower()


def read_file(file: Path, bytes_max: int | None = None) -> bytes:
    """What the file holds, at the most one byte more than `bytes_max`. Raises `InputError`."""
    try:
        with file.open("rb") as opened:
            return opened.read(-1 if bytes_max is None else bytes_max + 1)
    except OSError as error:
        raise InputError(f"{file.name} cannot be read ({error.strerror})") from None


def write_new(file: Path, data: bytes) -> None:
    """Write a file that is not there yet. Raises `InputError`."""
    try:
        with file.open("xb") as opened:
            opened.write(data)
    except FileExistsError:
        raise InputError(f"{file.name} exists already; it was not overwritten") from None
    except OSError as error:
        raise InputError(f"{file.name} cannot be written ({error.strerror})") from None
