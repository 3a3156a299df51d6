"""docs/bundle-format.md says what the program does: the same fields, in the same order, and the same checks."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from exports import control_records, inclusion, key_challenge, liability_records, manifest, profiles, records
from exports.manifest import Manifest, member_name
from exports.openings import OpeningHead
from exports.records import RECORD_TYPES
from exports.trust import ListSignature, Role, TrustedKey, TrustedKeys
from exports.verify import NAMES, READER_NAMES

DOCUMENT = (Path(__file__).parents[2] / "docs" / "bundle-format.md").read_text(encoding="utf-8")
PARTS = (
    "CoverRecord", "FirmRecord", "JournalHeadRecord", "ShareHolder", "StatementRecord", "TraceRecord", "UseRecord",
    "WitnessRecord",
)  # fmt: skip


def documented_fields(text: str) -> list[str]:
    """Field names of the first table of a section."""
    table = re.search(r"\| field \| form \|\n\|---\|---\|\n((?:\|.*\|\n)+)", text)
    assert table is not None
    return re.findall(r"^\| `([a-z0-9_]+)` \|", table[1], re.MULTILINE)


def fields(record_type: type) -> list[str]:
    return [field.name for field in dataclasses.fields(record_type)]


@pytest.mark.parametrize("kind", sorted(RECORD_TYPES))
def test_every_kind_of_record_is_described(kind: str) -> None:
    section = DOCUMENT.partition(f"### `{member_name(kind)}`")[2]
    assert documented_fields(section) == fields(RECORD_TYPES[kind])


@pytest.mark.parametrize(
    "name",
    [
        *PARTS,
        "FactRecord",
        "KeyChallenge",
        "Member",
        "FileMember",
        "ProvenCoinRecord",
        "Scope",
        "Withheld",
        "Disclosure",
        "LeafRecord",
    ],
)
def test_every_part_is_described(name: str) -> None:
    home = {"FactRecord": control_records, "ProvenCoinRecord": control_records, "KeyChallenge": key_challenge}.get(
        name, manifest
    )
    home = {"Disclosure": profiles, "LeafRecord": liability_records}.get(name, home)
    part = getattr(records if name in PARTS else home, name)
    assert documented_fields(DOCUMENT.partition(f"#### {name}\n")[2]) == fields(part)


def test_an_opening_is_described() -> None:
    assert documented_fields(DOCUMENT.partition("#### OpeningHead\n")[2]) == fields(OpeningHead)


@pytest.mark.parametrize("name", ["InclusionStatement", "StatedPosition", "PathRecord", "SiblingRecord"])
def test_every_part_of_an_inclusion_statement_is_described(name: str) -> None:
    assert documented_fields(DOCUMENT.partition(f"#### {name}\n")[2]) == fields(getattr(inclusion, name))


def test_manifest_and_trusted_keys_are_described() -> None:
    assert documented_fields(DOCUMENT.partition("## 3. Manifest")[2]) == fields(Manifest)
    signatures = DOCUMENT.partition("## 4. Signatures")[2]
    assert documented_fields(signatures) == fields(TrustedKeys)
    for part in (Role, TrustedKey, ListSignature):
        assert documented_fields(DOCUMENT.partition(f"#### {part.__name__}\n")[2]) == fields(part)


def test_every_check_is_described_by_its_number_and_name() -> None:
    rows = re.findall(r"^\| (\d+) \| ([^|]+?) \|", DOCUMENT.partition("## 6. Checks")[2], re.MULTILINE)
    assert [(int(number), name) for number, name in rows] == list((NAMES | READER_NAMES).items())
