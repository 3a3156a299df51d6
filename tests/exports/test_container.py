"""The container: one layout is read, every other zip is refused, and every byte counts."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from exports.errors import ContainerInvalid
from exports.strictzip import CENTRAL, END, LOCAL, StrictZip, ZipLimits, write_zip
from exports.verdict import CheckStatus
from tests.exports.sample import (
    Firm,
    check,
    make_firm,
    pack,
    sample_bundle,
    signed_members,
    small_bundle,
    verify,
    write,
)

TWO = {"a.txt": b"hello", "b/c.txt": b"world!"}


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


def read(data: bytes, limits: ZipLimits | None = None) -> dict[str, bytes]:
    container = StrictZip(io.BytesIO(data), limits)
    return {name: b"".join(container.chunks(name)) for name in container.entries}


def by_zipfile(members: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] = lambda info: None) -> bytes:
    """A zip as Python's library writes it, with the fields of each entry changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.create_system = info.external_attr = 0
            info.create_version = info.extract_version = 10
            change(info)
            archive.writestr(info, data)
    return file.getvalue()


def test_what_is_written_is_read_by_this_and_by_ordinary_programs() -> None:
    data = pack(TWO)
    assert read(data) == TWO
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == TWO
    assert pack(dict(reversed(TWO.items()))) == data


@pytest.mark.fault("E1")
@pytest.mark.parametrize(("mask", "step"), [(0x01, 1), (0x80, 7), (0xFF, 7)])
def test_every_single_byte_flip_is_refused(mask: int, step: int, tmp_path: Path, firm: Firm) -> None:
    """Every byte once; other bits of one byte in seven, for what reads them is the same."""
    path = write(tmp_path, firm, small_bundle())
    original = path.read_bytes()
    assert verify(path, firm.trusted).exit_code == 0
    with path.open("r+b", buffering=0) as file:
        for position in range(0, len(original), step):
            byte = original[position]
            file.seek(position)
            file.write(bytes([byte ^ mask]))
            report = verify(path, firm.trusted)
            assert report.exit_code in (1, 2), f"byte {position} of {len(original)} does not matter"
            assert check(report, 1).status is not CheckStatus.PASSED
            file.seek(position)
            file.write(bytes([byte]))
    assert path.read_bytes() == original


@pytest.mark.fault("E1")
def test_flips_with_a_mended_checksum_are_refused_too(tmp_path: Path, firm: Firm) -> None:
    members = signed_members(small_bundle(), [firm.signer])
    path = tmp_path / "bundle.zip"
    steps = {"views": 97, "signatures": 11}  # a digest and a signature have no soft places
    for name, data in members.items():
        for position in range(0, len(data), steps.get(name.partition("/")[0], 3)):
            changed = data[:position] + bytes([data[position] ^ 0x01]) + data[position + 1 :]
            path.write_bytes(pack({**members, name: changed}))
            assert verify(path, firm.trusted).exit_code in (1, 2), f"byte {position} of {name} does not matter"


@pytest.mark.fault("E1")
def test_every_cut_is_refused(tmp_path: Path, firm: Firm) -> None:
    original = write(tmp_path, firm, small_bundle()).read_bytes()
    path = tmp_path / "cut.zip"
    for length in range(0, len(original), 97):
        path.write_bytes(original[:length])
        assert verify(path, firm.trusted).exit_code in (1, 2)


@pytest.mark.fault("E3", "E2")
@pytest.mark.parametrize(
    "name",
    [
        "../a",
        "a/../b",
        "/etc/passwd",
        "a\\b",
        "c:/x",
        "c:x",
        "a//b",
        "a/",
        "./a",
        ".hidden",
        "A.txt",
        "Manifest.json",
        "é.txt",
        "nul\x00.txt",
        "a b",
        "",
        "x" * 121,
    ],
)
def test_names_that_could_leave_or_collide_are_refused(name: str) -> None:
    with pytest.raises(ContainerInvalid):
        pack({name: b"", "z.txt": b""})
    raw = name.encode()
    header = LOCAL.pack(b"PK\x03\x04", 10, 0, 0, 0, 0x21, 0, 0, 0, len(raw), 0) + raw
    entry = CENTRAL.pack(b"PK\x01\x02", 10, 10, 0, 0, 0, 0x21, 0, 0, 0, len(raw), 0, 0, 0, 0, 0, 0) + raw
    data = header + entry + END.pack(b"PK\x05\x06", 0, 0, 1, 1, len(entry), len(header), 0)
    with pytest.raises(ContainerInvalid):
        read(data)


@pytest.mark.fault("E2")
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_or_out_of_order_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for text in ("one", "two"):
            info = zipfile.ZipInfo("a.txt")
            info.create_system, info.create_version, info.extract_version = 0, 10, 10
            info.external_attr = 0
            archive.writestr(info, text)
    with pytest.raises(ContainerInvalid, match="twice or out of order"):
        read(_without_attributes(file.getvalue()))
    with pytest.raises(ContainerInvalid, match="twice or out of order"):
        read(_without_attributes(by_zipfile(dict(reversed(TWO.items())))))


def _symlink(info: zipfile.ZipInfo) -> None:
    info.external_attr = 0o120777 << 16


def _device(info: zipfile.ZipInfo) -> None:
    info.external_attr = 0o060666 << 16


def _comment(info: zipfile.ZipInfo) -> None:
    info.comment = b"hello"


def _extra(info: zipfile.ZipInfo) -> None:
    info.extra = b"\x99\x99\x04\x00abcd"


def _deflated(info: zipfile.ZipInfo) -> None:
    info.compress_type = zipfile.ZIP_DEFLATED


def _time(info: zipfile.ZipInfo) -> None:
    info.date_time = (2026, 1, 31, 23, 59, 58)


def _plain(info: zipfile.ZipInfo) -> None:
    """The twin that differs in nothing from what is accepted."""


@pytest.mark.fault("E3", "E5", "E4")
@pytest.mark.parametrize("change", [_symlink, _device, _comment, _extra, _deflated, _time])
def test_links_devices_comments_compression_and_other_tricks_are_refused(
    change: Callable[[zipfile.ZipInfo], None],
) -> None:
    # The library gives every entry permission bits; without them only the trick under test is left.
    assert read(_without_attributes(by_zipfile(TWO, _plain))) == TWO
    data = by_zipfile(TWO, change)
    with pytest.raises(ContainerInvalid):
        read(data if change in (_symlink, _device) else _without_attributes(data))


def _without_attributes(data: bytes) -> bytes:
    """The same zip with the external attributes of every entry set to zero."""
    position = data.index(b"PK\x01\x02")
    changed = bytearray(data)
    while changed[position : position + 4] == b"PK\x01\x02":
        changed[position + 38 : position + 42] = bytes(4)
        name, extra, comment = struct.unpack_from("<3H", changed, position + 28)
        position += CENTRAL.size + name + extra + comment
    return bytes(changed)


@pytest.mark.fault("E5")
def test_data_before_between_and_after_is_refused() -> None:
    data = pack(TWO)
    directory = data.index(b"PK\x01\x02")
    for changed in (
        b"MZ" + data,
        data + b"\x00",
        data + b"PK\x05\x06",
        data[:directory] + b"xx" + data[directory:],
        data[: -END.size] + b"x" + data[-END.size :],
        data[:-2] + b"\x05\x00hello",
    ):
        with pytest.raises(ContainerInvalid):
            read(changed)


@pytest.mark.fault("E4", "E5")
def test_lying_sizes_overlaps_encryption_and_zip64_are_refused() -> None:
    data = pack(TWO)
    directory = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", directory + 1)
    end = len(data) - END.size
    for position, value in (
        (directory + 24, struct.pack("<I", 2**31)),  # size
        (directory + 20, struct.pack("<I", 4)),  # packed size
        (second + 42, struct.pack("<I", 0)),  # place: over the first
        (directory + 8, b"\x01\x00"),  # encrypted
        (directory + 8, b"\x00\x08"),  # name in UTF-8
        (directory + 8, b"\x08\x00"),  # sizes behind the data
        (6, b"\x01\x00"),  # encrypted in the local header alone
        (18, struct.pack("<I", 4)),  # another size in the local header alone
        (end + 8, struct.pack("<2H", 0xFFFF, 0xFFFF)),  # zip64
        (end + 8, struct.pack("<2H", 3, 3)),
        (end + 8, struct.pack("<2H", 1, 1)),
        (end + 8, struct.pack("<2H", 0, 0)),
        (end + 4, b"\x01\x00"),  # second disk
    ):
        changed = data[:position] + value + data[position + len(value) :]
        with pytest.raises(ContainerInvalid):
            read(changed)


@pytest.mark.fault("E4")
def test_limits_hold_before_contents_are_read() -> None:
    many = {f"m{number:05}": b"" for number in range(50)}
    assert len(read(pack(many))) == 50
    with pytest.raises(ContainerInvalid, match="limit"):
        read(pack(many), ZipLimits(entries_max=49))
    with pytest.raises(ContainerInvalid, match="limit"):
        read(pack(TWO), ZipLimits(file_bytes_max=50))
    with pytest.raises(ContainerInvalid, match="larger"):
        StrictZip(io.BytesIO(pack(TWO))).read("a.txt", 4)
    assert StrictZip(io.BytesIO(pack(TWO))).read("a.txt", 5) == b"hello"


@pytest.mark.fault("E4")
def test_a_bomb_is_not_unpacked(tmp_path: Path, firm: Firm) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", bytes(50_000_000))
    assert path.stat().st_size < 100_000
    assert check(verify(path, firm.trusted), 1).status is CheckStatus.FAILED


@pytest.mark.fault("E3")
def test_nothing_is_ever_extracted_to_disk(tmp_path: Path, firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, firm, sample_bundle())
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    assert verify(path, firm.trusted).exit_code == 0
    assert sorted(tmp_path.iterdir()) == [path, empty]
    assert not list(empty.iterdir())


def test_a_container_without_members_or_beyond_its_limits_is_not_written() -> None:
    with pytest.raises(ContainerInvalid):
        write_zip(io.BytesIO(), {})
