"""The manifest: what a bundle holds, by digest, and what it speaks of. Its canonical bytes are what is signed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chains.errors import InvalidValue
from exports.canonical import canonical_json, parse_canonical_object
from exports.codec import Code, Digest, Identifier, OptionalIdentifier, PlainText, from_object, to_object
from exports.errors import ManifestInvalid, RecordInvalid, VersionUnknown
from exports.profiles import Disclosure, Profile, require_profile
from exports.records import PROOF_KINDS, RECORD_TYPES, FirmRecord, JournalHeadRecord, Rail

FORMAT: Final = "custody-verifier-bundle"
FORMAT_VERSION: Final = 1
MANIFEST_NAME: Final = "manifest.json"
PAYLOAD_TYPE: Final = "application/vnd.custody-verifier.manifest+json"
"""DSSE payload type of a manifest; an envelope of any other type signs something else."""


LINE_BYTES_MAX: Final = 16 * 1024 * 1024
"""Longest record in bytes, without its line feed: none longer is written or read.

The longest is a case that many holdings share: 100,000 of them, at about 140 bytes each.
"""
MANIFEST_BYTES_MAX: Final = 4 * 1024 * 1024
SKEW_SECONDS_MAX: Final = 7 * 24 * 3600
"""Most that claimed and observed may lie apart in any bundle; a firm's own limit is far smaller."""


VIEW_FOLDER: Final = "views/"
"""Folder of the members that are tables of the records."""
ANSWER_FOLDER: Final = "answers/"
"""Folder of the members that are kept answers of nodes, each named by its SHA-256."""
FILES_MAX: Final = 8_192
"""Most members beside the records."""
_FILE_NAME: Final = re.compile(r"views/([a-z_]+\.csv|datapackage\.json)|answers/([0-9a-f]{64})", re.ASCII)


def member_name(kind: str) -> str:
    """Name of the member that holds the records of a kind."""
    return f"proofs/{kind}.jsonl" if kind in PROOF_KINDS else f"records/{kind}.jsonl"


@dataclass(frozen=True, slots=True)
class Withheld:
    """Something that exists and is not in this bundle."""

    what: PlainText
    why: PlainText


@dataclass(frozen=True, slots=True)
class Scope:
    """What the bundle speaks of."""

    rails: tuple[Rail, ...]
    chains: tuple[str, ...]
    """CAIP-2 ids of the chains swept, ascending."""
    text: PlainText
    """In words: whose assets, which entity, which purpose."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the container, by content."""

    name: PlainText
    kind: Code
    records: int
    size_bytes: int
    sha256: Digest


@dataclass(frozen=True, slots=True)
class FileMember:
    """One member of the container that holds no records: a table of them, or a kept answer of a node."""

    name: PlainText
    size_bytes: int
    sha256: Digest

    def __post_init__(self) -> None:
        name = _FILE_NAME.fullmatch(self.name)
        if name is None or name[2] not in (None, self.sha256):
            raise InvalidValue(f"{self.name[:80]!r} is no name of a table, nor of an answer by its digest")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The signed table of contents."""

    format: str
    format_version: int
    bundle_id: Identifier
    sequence: int
    """1 for the firm's first bundle, then one more each."""
    previous_digest: Digest | None
    """SHA-256 of the previous bundle's manifest bytes; null for the first."""
    firm: FirmRecord
    as_of: datetime
    created_at: datetime
    as_of_skew_seconds_max: int
    """Claimed and observed further apart than this were not compared: unverified."""
    journal: JournalHeadRecord
    scope: Scope
    withheld: tuple[Withheld, ...]
    profile: Profile
    subject: OptionalIdentifier
    """The client whose own bundle it is; empty in the other profiles."""
    full_digest: Digest | None
    """Digest of the full bundle it was made from; null for a full one."""
    disclosure: tuple[Disclosure, ...]
    """How much of each kind is here, in the order of the members."""
    members: tuple[Member, ...]
    """One for each kind, ascending by name."""
    files: tuple[FileMember, ...]
    """What stands beside the records, ascending by name."""

    def __post_init__(self) -> None:
        if self.sequence < 1:
            raise InvalidValue("a bundle sequence counts from 1")
        if (self.sequence == 1) != (self.previous_digest is None):
            raise InvalidValue("the first bundle has no previous digest, every later one has")
        if self.as_of_skew_seconds_max > SKEW_SECONDS_MAX:
            raise InvalidValue(f"as_of_skew_seconds_max is more than {SKEW_SECONDS_MAX}: that compares nothing")
        if self.created_at < self.as_of:
            raise InvalidValue("created_at is before as_of")
        if list(self.scope.chains) != sorted(set(self.scope.chains)):
            raise InvalidValue("the chains of the scope are not ascending")
        names = [file.name for file in self.files]
        if len(names) > FILES_MAX:
            raise InvalidValue(f"more than {FILES_MAX} files")
        if names != sorted(set(names)):
            raise InvalidValue("the files are not ascending, each once")
        kinds = [member.kind for member in self.members]
        require_profile(self.profile, self.subject, self.full_digest, self.disclosure, kinds)

    def to_bytes(self) -> bytes:
        """The canonical bytes: the payload that is signed."""
        try:
            return canonical_json(to_object(self))
        except RecordInvalid as error:
            raise ManifestInvalid(str(error)) from error

    @staticmethod
    def parse(data: bytes) -> Manifest:
        """The manifest of canonical bytes.

        Raises `NotCanonical`, `VersionUnknown` for a newer format, and `ManifestInvalid` for anything else.
        """
        value = parse_canonical_object(data)
        if value.get("format") != FORMAT:
            raise ManifestInvalid(f"this is not a {FORMAT}")
        version = value.get("format_version")
        if type(version) is not int or version < 1:
            raise ManifestInvalid("format_version is not a positive integer")
        if version != FORMAT_VERSION:
            raise VersionUnknown(f"format version {version}; this program knows {FORMAT_VERSION}")
        try:
            manifest = from_object(Manifest, value)
        except RecordInvalid as error:
            raise ManifestInvalid(str(error)) from error
        expected = [(member_name(kind), kind) for kind in sorted(RECORD_TYPES, key=member_name)]
        if [(member.name, member.kind) for member in manifest.members] != expected:
            raise ManifestInvalid("the members are not exactly those of this format version, ascending")
        return manifest


def digest_hex(data: bytes) -> str:
    """SHA-256 in lower-case hex. Of a manifest's bytes, it is the digest of the bundle."""
    return hashlib.sha256(data).hexdigest()


SIGNATURE_NAME: Final = re.compile(r"signatures/([0-9a-f]{64})\.dsse\.json", re.ASCII)
"""Name of a signature member; the group is the key id."""
TIMESTAMP_NAME: Final = re.compile(r"timestamps/([0-9a-f]{64})\.tsr", re.ASCII)
"""Name of a time stamp's member; the group is the SHA-256 of its content."""
ADDITION_BYTES_MAX: Final = 6 * 1024 * 1024
"""Largest member that lies outside the manifest: an envelope holds the largest manifest in base64."""


def is_addition(name: str) -> bool:
    """Whether a member may lie outside the manifest: a signature or a time stamp of it."""
    return SIGNATURE_NAME.fullmatch(name) is not None or TIMESTAMP_NAME.fullmatch(name) is not None
