"""The one zip layout a bundle may have, written and read by rule instead of by tolerance.

Zip allows many files that different programs read differently: bytes before, between and after the entries, two
directories of contents that disagree, names that collide, links, bombs. Here every byte is determined by the
names and contents alone: entries stored without compression, in ascending order of name, back to back from byte
0; fixed time, no flags, no extra fields, no comments, no zip64. The reader takes names, sizes and checksums from
the central directory, writes every header anew and compares it with the file; what differs is refused. Any
ordinary unzip program reads the result.

Stored, not deflated: two deflate libraries give different bytes, a deflate stream has padding bits nobody checks,
and a stored entry cannot be a bomb. Compress the whole file for transport if size matters.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

from exports.errors import ContainerInvalid

LOCAL: Final = struct.Struct("<4s5H3I2H")
CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
END: Final = struct.Struct("<4s4H2IH")
VERSION: Final = 10
"""Zip feature level 1.0: a stored file and nothing else."""
DATE: Final = 0x0021
"""1980-01-01, the first day a zip can name."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]*(/[a-z0-9][a-z0-9_.-]*)*", re.ASCII)
_CHUNK_BYTES: Final = 1024 * 1024
SIZE_MAX: Final = 2**32 - 2
"""Largest file and member without zip64, which is refused."""
ENTRIES_MAX: Final = 65_534


@dataclass(frozen=True, slots=True)
class ZipLimits:
    """How much a reader is willing to look at."""

    file_bytes_max: int = 2 * 1024 * 1024 * 1024
    entries_max: int = 10_000
    name_bytes_max: int = 120


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored member."""

    name: str
    crc32: int
    size_bytes: int
    offset: int
    """Where its local header begins."""

    @property
    def data_offset(self) -> int:
        """Where its content begins."""
        return self.offset + LOCAL.size + len(self.name)

    def local_header(self) -> bytes:
        """The only bytes its local header may have."""
        name = self.name.encode("ascii")
        sizes = (self.crc32, self.size_bytes, self.size_bytes)
        return LOCAL.pack(b"PK\x03\x04", VERSION, 0, 0, 0, DATE, *sizes, len(name), 0) + name

    def central_header(self) -> bytes:
        """The only bytes its central header may have."""
        name = self.name.encode("ascii")
        sizes = (self.crc32, self.size_bytes, self.size_bytes)
        fixed = (b"PK\x01\x02", VERSION, VERSION, 0, 0, 0, DATE)
        return CENTRAL.pack(*fixed, *sizes, len(name), 0, 0, 0, 0, 0, self.offset) + name


def end_record(entries: int, directory_bytes: int, directory_offset: int) -> bytes:
    """The only bytes the end of the file may have."""
    return END.pack(b"PK\x05\x06", 0, 0, entries, entries, directory_bytes, directory_offset, 0)


def name_problem(name: str, limits: ZipLimits) -> str | None:
    """Why a member may not have this name; None when it may.

    Lower-case ASCII letters, digits, `_`, `.`, `-` and single slashes; no part begins with a dot. That leaves no
    absolute path, `..`, backslash, drive letter, NUL, and no two names that differ in case or Unicode form only.
    """
    if len(name) > limits.name_bytes_max:
        return f"longer than {limits.name_bytes_max} characters"
    return None if _NAME.fullmatch(name) else "not a plain lower-case relative path"


def write_zip(file: BinaryIO, members: Mapping[str, bytes]) -> None:
    """Write the members in the one layout. Raises `ContainerInvalid` for a name or size that has no place in it."""
    directory = b""
    offset = 0
    if not 0 < len(members) <= ENTRIES_MAX:
        raise ContainerInvalid(f"a container has 1 to {ENTRIES_MAX} members")
    for name in sorted(members):
        data = members[name]
        if problem := name_problem(name, ZipLimits()):
            raise ContainerInvalid(f"member {name!r}: {problem}")
        if offset + len(data) > SIZE_MAX - ENTRIES_MAX:
            raise ContainerInvalid("the members need more than the 4 GiB a container holds")
        entry = Entry(name, zlib.crc32(data), len(data), offset)
        file.write(entry.local_header())
        file.write(data)
        directory += entry.central_header()
        offset = entry.data_offset + len(data)
    file.write(directory)
    file.write(end_record(len(members), len(directory), offset))


class StrictZip:
    """A container whose layout was checked when it was opened. Contents are streamed, never extracted to disk."""

    def __init__(self, file: BinaryIO, limits: ZipLimits | None = None) -> None:
        """Check every header. Raises `ContainerInvalid`; contents are checked as they are read."""
        self._file = file
        self._limits = limits or ZipLimits()
        self.entries: dict[str, Entry] = self._read_directory()
        """Members by name, ascending."""

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a member in pieces; raises `ContainerInvalid` at its end when the checksum is wrong."""
        entry = self.entries[name]
        crc32, position, left = 0, entry.data_offset, entry.size_bytes
        while left:
            self._file.seek(position)  # two members may be read in turns
            chunk = self._file.read(min(left, _CHUNK_BYTES))
            if not chunk:
                raise ContainerInvalid(f"{name}: the file ends inside the member")
            crc32 = zlib.crc32(chunk, crc32)
            position, left = position + len(chunk), left - len(chunk)
            yield chunk
        if crc32 != entry.crc32:
            raise ContainerInvalid(f"{name}: the content does not have its checksum")

    def read(self, name: str, bytes_max: int) -> bytes:
        """The whole content of a small member."""
        if self.entries[name].size_bytes > bytes_max:
            raise ContainerInvalid(f"{name}: larger than {bytes_max} bytes")
        return b"".join(self.chunks(name))

    def _at(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        data = self._file.read(length)
        if len(data) != length:
            raise ContainerInvalid("the file ends inside a header")
        return data

    def _read_directory(self) -> dict[str, Entry]:
        size = self._file.seek(0, 2)
        if size > min(self._limits.file_bytes_max, SIZE_MAX):
            raise ContainerInvalid(f"larger than the limit of {self._limits.file_bytes_max} bytes")
        if size < END.size:
            raise ContainerInvalid("too short to be a zip")
        end = self._at(size - END.size, END.size)
        magic, _, _, _, count, directory_bytes, directory_offset, _ = END.unpack(end)
        if magic != b"PK\x05\x06":
            raise ContainerInvalid("does not end with a plain end record: data or a comment after it, or no zip")
        if count == 0xFFFF or 0xFFFFFFFF in (directory_bytes, directory_offset):
            raise ContainerInvalid("zip64 is not accepted")
        if count > self._limits.entries_max:
            raise ContainerInvalid(f"{count} members; the limit is {self._limits.entries_max}")
        if end != end_record(count, directory_bytes, directory_offset):
            raise ContainerInvalid("the end record has a comment, several disks or two counts")
        if directory_offset + directory_bytes + END.size != size:
            raise ContainerInvalid("data before, between or after the parts of the zip")
        if directory_bytes > count * (CENTRAL.size + self._limits.name_bytes_max):
            raise ContainerInvalid("the directory is larger than its members can need")
        return self._parse_directory(self._at(directory_offset, directory_bytes), count, directory_offset)

    def _parse_directory(self, directory: bytes, count: int, directory_offset: int) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        position = offset = 0
        previous = ""
        for _ in range(count):
            if position + CENTRAL.size > len(directory):
                raise ContainerInvalid("the directory ends inside a header")
            fields = CENTRAL.unpack_from(directory, position)
            crc32, size_bytes, name_bytes = fields[7], fields[9], fields[10]
            raw_name = directory[position + CENTRAL.size : position + CENTRAL.size + name_bytes]
            name = self._checked_name(raw_name, previous)
            entry = Entry(name, crc32, size_bytes, offset)
            header = entry.central_header()
            if directory[position : position + len(header)] != header:
                raise ContainerInvalid(f"{name}: {_directory_problem(fields, offset)}")
            if entry.data_offset + size_bytes > directory_offset:
                raise ContainerInvalid(f"{name}: reaches beyond the place of contents")
            if self._at(offset, LOCAL.size + len(name)) != entry.local_header():
                raise ContainerInvalid(f"{name}: its local header differs from the directory")
            entries[name] = entry
            previous, position, offset = name, position + len(header), entry.data_offset + size_bytes
        if position != len(directory) or offset != directory_offset:
            raise ContainerInvalid("data between the members and the directory, or behind it")
        return entries

    def _checked_name(self, raw_name: bytes, previous: str) -> str:
        name = raw_name.decode("ascii", "backslashreplace")
        if problem := name_problem(name, self._limits):
            raise ContainerInvalid(f"member {name[:60]!r}: {problem}")
        if name <= previous:
            raise ContainerInvalid(f"member {name!r}: named twice or out of order")
        return name


def _directory_problem(fields: tuple[int, ...], offset: int) -> str:
    """What is not as it must be, in words, for the commonest tricks."""
    _, _, _, flags, method, _, _, _, packed, size, _, extra, comment, _, _, attributes, place = fields
    if flags & 0x2041:
        return "encrypted"
    if method != 0 or packed != size:
        return "compressed; members are stored"
    if extra:
        return "has an extra field (zip64, a link, an owner)"
    if comment:
        return "has a comment"
    if attributes:
        return "has file attributes (a link, a device, permissions)"
    if place != offset:
        return "does not begin where the member before it ends (overlap, gap or data in front)"
    return "its directory header has another version, flag, time or disk than the layout allows"
