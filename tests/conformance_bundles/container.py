"""Check 1: what is no strict zip, whatever it holds."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache

from exports.manifest import MANIFEST_NAME
from exports.strictzip import CENTRAL, END, LOCAL
from tests.conformance_bundles.firm import SIGNERS
from tests.conformance_bundles.recipe import bad
from tests.exports.sample import pack, signed_members, small_bundle

KINDS = "records/assets.jsonl"


@cache
def members() -> dict[str, bytes]:
    """A small good bundle, unpacked."""
    return signed_members(small_bundle(), SIGNERS)


@cache
def whole() -> bytes:
    """The same, packed as it must be."""
    return pack(members())


def zipped(change: Callable[[zipfile.ZipInfo], None] = lambda info: None, **more: bytes) -> bytes:
    """The same members, packed by an ordinary program without permission bits; each entry may be changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in sorted({**members(), **more}.items()):
            info = zipfile.ZipInfo(name)
            info.create_system, info.create_version, info.extract_version = 0, 10, 10
            change(info)
            archive.writestr(info, data)
    return _without_permissions(file.getvalue())


def _without_permissions(data: bytes) -> bytes:
    """Permission bits that the program adds on its own are taken away; what a change set stays."""
    position, changed = data.index(b"PK\x01\x02"), bytearray(data)
    while changed[position : position + 4] == b"PK\x01\x02":
        if struct.unpack_from("<I", changed, position + 38)[0] == 0o600 << 16:
            changed[position + 38 : position + 42] = bytes(4)
        name, extra, comment = struct.unpack_from("<3H", changed, position + 28)
        position += CENTRAL.size + name + extra + comment
    return bytes(changed)


def patched(position: int, value: bytes) -> bytes:
    """The good file with some bytes written over."""
    data = whole()
    return data[:position] + value + data[position + len(value) :]


def directory() -> int:
    """Where the central directory begins."""
    return whole().index(b"PK\x01\x02")


def end() -> int:
    """Where the end record begins."""
    return len(whole()) - END.size


def raw(named: list[tuple[bytes, bytes]]) -> bytes:
    """A zip in the one layout with names that no writer of bundles would write."""
    body = entries = b""
    for name, data in named:
        sizes = (zlib.crc32(data), len(data), len(data))
        entries += CENTRAL.pack(
            b"PK\x01\x02", 10, 10, 0, 0, 0, 0x21, *sizes, len(name), 0, 0, 0, 0, 0, len(body)
        ) + name  # fmt: skip
        body += LOCAL.pack(b"PK\x03\x04", 10, 0, 0, 0, 0x21, *sizes, len(name), 0) + name + data
    return body + entries + END.pack(b"PK\x05\x06", 0, 0, len(named), len(named), len(entries), len(body), 0)


def with_names(*names: bytes) -> bytes:
    """The good members and, among them, empty ones of these names."""
    good = [(name.encode(), data) for name, data in members().items()]
    return raw(sorted(good + [(name, b"") for name in names]))


@bad(1, "one byte of a record is another; the checksum tells")
def byte_flipped_in_a_record() -> bytes:
    name = b"records/balances.jsonl"
    return patched(whole().index(name) + len(name) + 30, b"#")


@bad(1, "the file is cut in the middle")
def truncated() -> bytes:
    return whole()[: len(whole()) // 2]


@bad(1, "the file is cut inside the end record")
def truncated_by_one_byte() -> bytes:
    return whole()[:-1]


@bad(1, "the file is empty", possible=False)
def empty_file() -> bytes:
    return b""


@bad(1, "the file is no zip", possible=False)
def no_zip() -> bytes:
    return b"%PDF-1.7 this is something else altogether, and long enough"


@bad(1, "a zip without a member", possible=False)
def zip_without_members() -> bytes:
    return b"PK\x05\x06" + bytes(18)


@bad(1, "data stand behind the end record")
def data_after_end() -> bytes:
    return whole() + b"more"


@bad(1, "a second zip stands behind the first: two programs read two different files")
def zip_after_zip() -> bytes:
    return whole() + zipped()


@bad(1, "a program stands in front of the zip", possible=False)
def data_in_front() -> bytes:
    return b"MZ" + whole()


@bad(1, "bytes are hidden between members and directory")
def data_between() -> bytes:
    return whole()[: directory()] + b"hidden" + whole()[directory() :]


@bad(1, "the zip has a comment")
def zip_comment() -> bytes:
    return whole()[:-2] + b"\x05\x00hello"


@bad(1, "a compressed member of twenty million zeros: 1,000 to 1")
def zip_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(MANIFEST_NAME)  # without it the archive holds the time of day
        archive.writestr(info, bytes(20_000_000), zipfile.ZIP_DEFLATED)
    return file.getvalue()


@bad(1, "one member lies over all others, so that a small file unpacks to much: the bomb without compression")
def overlapping_members() -> bytes:
    second = whole().index(b"PK\x01\x02", directory() + 1)
    return patched(second + 42, struct.pack("<I", 0))


@bad(1, "a member claims two gibibytes that are not there")
def lying_size() -> bytes:
    return patched(directory() + 24, struct.pack("<I", 2**31))


@bad(1, "the local header of a member states another size than the directory")
def two_sizes() -> bytes:
    return patched(22, struct.pack("<I", 4))


@bad(1, "members are compressed")
def deflated() -> bytes:
    def change(info: zipfile.ZipInfo) -> None:
        info.compress_type = zipfile.ZIP_DEFLATED

    return zipped(change)


@bad(1, "a member says that it is encrypted")
def encrypted() -> bytes:
    return patched(directory() + 8, b"\x01\x00")


@bad(1, "the sizes of a member stand behind its data")
def data_descriptor() -> bytes:
    return patched(directory() + 8, b"\x08\x00")


@bad(1, "the counts in the end record say zip64")
def zip64() -> bytes:
    return patched(end() + 8, struct.pack("<2H", 0xFFFF, 0xFFFF))


@bad(1, "the two counts in the end record differ")
def two_counts() -> bytes:
    return patched(end() + 10, struct.pack("<H", 1))


@bad(1, "a member stands on a second disk")
def second_disk() -> bytes:
    return patched(end() + 4, b"\x01\x00")


@bad(1, "a member has an extra field")
def extra_field() -> bytes:
    def change(info: zipfile.ZipInfo) -> None:
        info.extra = b"\x99\x99\x04\x00abcd"

    return zipped(change)


@bad(1, "a member has a comment")
def member_comment() -> bytes:
    def change(info: zipfile.ZipInfo) -> None:
        info.comment = b"hello"

    return zipped(change)


@bad(1, "a member is a symbolic link")
def symbolic_link() -> bytes:
    def change(info: zipfile.ZipInfo) -> None:
        info.external_attr = 0o120777 << 16

    return zipped(change)


@bad(1, "a member has another time than the one all have")
def member_time() -> bytes:
    def change(info: zipfile.ZipInfo) -> None:
        info.date_time = (2026, 1, 31, 23, 59, 58)

    return zipped(change)


@bad(1, "two members have one name, so that two programs may read different ones")
def name_twice() -> bytes:
    good = [(name.encode(), data) for name, data in members().items()]
    return raw(sorted([*good, (KINDS.encode(), members()[KINDS])]))


@bad(1, "two names differ by case only")
def name_in_capitals() -> bytes:
    return with_names(b"records/Assets.jsonl")


@bad(1, "members stand in another order")
def names_out_of_order() -> bytes:
    return raw([(name.encode(), data) for name, data in sorted(members().items(), reverse=True)])


@bad(1, "a name leads out of the folder")
def path_traversal() -> bytes:
    return with_names(b"../../etc/passwd")


@bad(1, "a name is absolute")
def absolute_path() -> bytes:
    return with_names(b"/etc/passwd")


@bad(1, "a name has a drive letter and backslashes")
def drive_path() -> bytes:
    return with_names(b"c:\\windows\\win.ini")


@bad(1, "a name holds a zero byte, behind which some programs stop reading")
def name_with_zero_byte() -> bytes:
    return with_names(b"records/assets.jsonl\x00.txt")


@bad(1, "a name is longer than 120 characters")
def long_name() -> bytes:
    return with_names(b"records/" + b"x" * 113)


@bad(1, "there are more members than a reader looks at")
def too_many_members() -> bytes:
    return with_names(*(b"x%05d" % number for number in range(10_000)))
