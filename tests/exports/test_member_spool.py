"""Members of a bundle in a temporary file: as a dict would have them, whatever their size."""

from __future__ import annotations

from pathlib import Path

import pytest

import exports.member_spool
from exports.bundle import payload_members, spooled_members, write_bundle
from exports.manifest import is_addition
from exports.member_spool import MemberSpool
from exports.strictzip import StrictZip
from tests.exports.sample import make_firm, sample_bundle


def test_it_is_as_a_dict() -> None:
    spool = MemberSpool()
    spool["a"], spool["b"], spool["c"] = b"one", b"", b"three"
    assert dict(spool) == {"a": b"one", "b": b"", "c": b"three"}
    spool["a"] = b"another"
    del spool["c"]
    assert dict(spool) == {"a": b"another", "b": b""}
    assert (len(spool), list(spool), "c" in spool) == (2, ["a", "b"], False)
    with pytest.raises(KeyError):
        spool["c"]
    with pytest.raises(KeyError):
        del spool["c"]


def test_a_content_that_is_gone_from_the_file_is_an_error() -> None:
    spool = MemberSpool()
    spool["a"] = b"content"
    spool._file.truncate(3)
    with pytest.raises(OSError, match="lost"):
        spool["a"]


@pytest.mark.parametrize("memory", [0, 64 * 1024 * 1024])
def test_a_bundle_is_the_same_from_memory_and_from_a_file(
    memory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports.member_spool, "MEMORY_BYTES_MAX", memory)
    manifest, contents = payload_members(sample_bundle())
    spooled = spooled_members(sample_bundle())
    assert spooled[0] == manifest
    assert dict(spooled[1]) == contents
    firm = make_firm(tmp_path)
    for name, payload in (("spooled.zip", spooled), ("held.zip", (manifest, contents))):
        write_bundle(sample_bundle(), [firm.signer], tmp_path / name, payload)
        assert unsigned(tmp_path / name) == contents


def unsigned(path: Path) -> dict[str, bytes]:
    """Every member of a bundle's file but the signatures, which may differ each time."""
    with path.open("rb") as file:
        container = StrictZip(file)
        return {name: container.read(name, 10**7) for name in container.entries if not is_addition(name)}
