"""What stands behind a commitment, shown to one reader: the records of one kind, and the key that was committed with.

The file is one line of canonical JSON, then the full bundle's member byte for byte. It is private: it names what the
published bundle leaves out. Whoever has it and the published bundle finds whether the firm shows what it committed to,
without the full bundle and without the firm's secret.
"""

from __future__ import annotations

import hmac
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from chains.errors import InvalidValue
from exports.bundle import record_lines
from exports.canonical import canonical_json, parse_canonical_object
from exports.codec import Code, Digest, Identifier, from_object, to_object
from exports.contents import Contents, split_lines
from exports.disclosure import COMMITTED, commitment, commitment_key
from exports.errors import BundleError, DisclosureRefused, OpeningInvalid
from exports.liabilities import LiabilityContext
from exports.manifest import LINE_BYTES_MAX, Manifest, digest_hex
from exports.profiles import Profile
from exports.records import RECORD_TYPES
from exports.verdict import Outcome

OPENING_FORMAT: Final = "custody-verifier-opening"
OPENING_VERSION: Final = 1
OPENING_BYTES_MAX: Final = 512 * 1024 * 1024
"""Largest opening that is read: it is held in memory."""
BESIDE_RECORDS: Final = frozenset({"node_answers"})
"""Kinds whose records speak of members that an opening does not carry: opened, but no check is made of them."""


@dataclass(frozen=True, slots=True)
class OpeningHead:
    """The first line of an opening."""

    format: Code
    format_version: int
    bundle_id: Identifier
    full_digest: Digest
    """Digest of the full bundle whose member follows."""
    kind: Code
    commitment_key: Digest
    """The 32 bytes that the member was committed to with; of this bundle and kind alone."""

    def __post_init__(self) -> None:
        if self.format != OPENING_FORMAT or self.format_version != OPENING_VERSION:
            raise InvalidValue(f"this is no {OPENING_FORMAT} of version {OPENING_VERSION}")
        if self.kind not in RECORD_TYPES:
            raise InvalidValue(f"{self.kind[:80]!r} is no kind of record")


@dataclass(frozen=True, slots=True)
class Opening:
    """One kind of record, opened."""

    head: OpeningHead
    lines: bytes
    """The full bundle's member."""

    def to_bytes(self) -> bytes:
        """The file."""
        return canonical_json(to_object(self.head)) + b"\n" + self.lines

    @staticmethod
    def parse(data: bytes) -> Opening:
        """An opening by its file. Raises `OpeningInvalid` for anything else; nothing is compared here."""
        first, line_feed, lines = data.partition(b"\n")
        if not line_feed or len(first) > LINE_BYTES_MAX:
            raise OpeningInvalid("the file has no first line that says what it opens")
        try:
            return Opening(from_object(OpeningHead, parse_canonical_object(first)), lines)
        except BundleError as error:
            raise OpeningInvalid(str(error)) from error


def read_opening(path: Path) -> Opening:
    """An opening from its file. Raises `OpeningInvalid`."""
    try:
        with path.open("rb") as file:
            data = file.read(OPENING_BYTES_MAX + 1)
    except OSError as error:
        raise OpeningInvalid(f"{path.name}: {error.strerror or 'cannot be read'}") from error
    if len(data) > OPENING_BYTES_MAX:
        raise OpeningInvalid(f"{path.name}: larger than {OPENING_BYTES_MAX} bytes")
    return Opening.parse(data)


def open_commitment(full: Contents, kind: str, secret: bytes) -> Opening:
    """What opens the commitment to one kind, from the full bundle. The same bundle and secret give the same bytes.

    Raises `DisclosureRefused` where no bundle made from it commits to the kind.
    """
    manifest = full.manifest
    if manifest.profile is not Profile.FULL:
        raise DisclosureRefused("what is committed to is opened from the full bundle, and this is none")
    if kind not in COMMITTED:
        raise DisclosureRefused(f"no bundle commits to {kind}; those it may commit to are {', '.join(COMMITTED)}")
    records = getattr(full, kind)
    if not records:
        raise DisclosureRefused(f"the full bundle has no {kind}: nothing was committed to")
    context = LiabilityContext(manifest.firm.name, manifest.bundle_id, manifest.as_of)
    key = commitment_key(kind, context, secret).hex()
    digest = digest_hex(manifest.to_bytes())
    head = OpeningHead(OPENING_FORMAT, OPENING_VERSION, manifest.bundle_id, digest, kind, key)
    return Opening(head, record_lines(records))


def judge_opening(opening: Opening, manifest: Manifest) -> tuple[tuple[Any, ...], Outcome]:
    """The opened records and whether they are what a published bundle commits to; no records where they are not."""
    head = opening.head
    told = next(each for each in manifest.disclosure if each.kind == head.kind)
    if told.commitment is None:
        return (), Outcome(0, obstacles=[f"this bundle commits to no {head.kind}"])
    problems = []
    if (head.bundle_id, head.full_digest) != (manifest.bundle_id, manifest.full_digest):
        problems.append("it opens what another bundle commits to")
    if not hmac.compare_digest(commitment(opening.lines, bytes.fromhex(head.commitment_key)), told.commitment):
        problems.append("the records and key are not those that were committed to")
    if problems:
        return (), Outcome(1, problems)
    try:
        records = _records(opening)
    except BundleError as error:
        return (), Outcome(1, [str(error)])
    if len(records) != told.committed:
        return (), Outcome(len(records), [f"{len(records)} records, and {told.committed} are committed to"])
    return records, Outcome(len(records), note="the records and their number are those that were committed to")


def with_openings(contents: Contents, openings: Iterable[Opening]) -> tuple[Contents, list[tuple[str, Outcome]]]:
    """The records of a bundle with those that were opened, and what became of each opening, by kind.

    Only what is what was committed to is believed. A kind that is opened twice is a contradiction.
    """
    outcomes: list[tuple[str, Outcome]] = []
    found: dict[str, tuple[Any, ...]] = {}
    for opening in openings:
        kind = opening.head.kind
        records, outcome = judge_opening(opening, contents.manifest)
        if kind in found:
            outcome = Outcome(len(records), [f"{kind} are opened twice"])
        elif records:
            found[kind] = records
        outcomes.append((kind, outcome))
    believed: dict[str, Any] = {kind: records for kind, records in found.items() if kind not in BESIDE_RECORDS}
    return replace(contents, **believed, opened=tuple(sorted(believed))), outcomes


def _records(opening: Opening) -> tuple[Any, ...]:
    """The records of an opening. Raises `BundleError` where a line is not canonical, of its schema and in its order."""
    lines = list(split_lines([opening.lines], LINE_BYTES_MAX))
    if any(before >= after for before, after in itertools.pairwise(lines)):
        raise OpeningInvalid("the records are not in ascending order, each once")
    return tuple(from_object(RECORD_TYPES[opening.head.kind], parse_canonical_object(line)) for line in lines)
