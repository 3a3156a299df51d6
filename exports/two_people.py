"""Decisions of two people: who asked and who approved are named, and are not one person. Pure."""

from __future__ import annotations

from chains.errors import InvalidValue


def require_two_people(requested_by: str, approved_by: str) -> None:
    """Raise `InvalidValue` when a name is blank, or both are one name but for case and the spaces around it."""
    names = [" ".join(name.split()).casefold() for name in (requested_by, approved_by)]
    if not all(names):
        raise InvalidValue("requested_by and approved_by name a person each")
    if names[0] == names[1]:
        raise InvalidValue("requested_by and approved_by are the same person")
