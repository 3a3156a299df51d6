"""Signatures are added to a bundle that exists; its digest and its payload stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from exports.additions import add_members, add_signatures, read_manifest
from exports.bundle import digest_of_file, write_bundle
from exports.envelope import sign_manifest, signature_name
from exports.errors import BundleNotWritten, ContainerInvalid, SignerUnavailable
from exports.manifest import MANIFEST_NAME, digest_hex
from exports.strictzip import StrictZip
from exports.verdict import CheckStatus
from tests.exports.keyring import draft, entry, signed, signer
from tests.exports.sample import check, not_passed, pack, sample_bundle, signed_members, small_bundle, verify

KEYS = signed(draft("operations-1", "operations-2", "cco-1", "auditor-1", "root-1"), "root-1")


def bundle_of(folder: Path, *names: str) -> tuple[Path, str]:
    """A bundle signed by these, and its digest."""
    path = folder / "bundle.zip"
    path.unlink(missing_ok=True)  # the same bundle written again keeps its signatures
    return path, write_bundle(small_bundle(), [signer(name) for name in names], path).digest


def roles(path: Path) -> dict[str, int]:
    facts = verify(path, KEYS).bundle
    assert facts is not None
    return {count.role: len(count.signed) for count in facts.roles}


def members(path: Path) -> dict[str, bytes]:
    with path.open("rb") as file:
        container = StrictZip(file)
        return {name: container.read(name, 10**7) for name in container.entries}


def test_a_second_role_signs_later_and_nothing_else_changes(tmp_path: Path) -> None:
    path, digest = bundle_of(tmp_path, "operations-1")
    before = members(path)
    assert check(verify(path, KEYS), 3).problems == ("role cco 0 of 1",)
    added = add_signatures(path, [signer("cco-1")], digest)
    name = signature_name(entry("cco-1").key_id)
    assert (added.digest, added.names, added.size_bytes) == (digest, (name,), path.stat().st_size)
    after = members(path)
    assert after.pop(name)
    assert after == before
    report = verify(path, KEYS)
    assert report.verified
    assert report.bundle is not None
    assert report.bundle.digest == digest == digest_of_file(path)
    assert check(report, 3).detail.startswith(
        "auditor 0 of 1, not required; cco 1 of 1 (cco-1); operations 1 of 1 (operations-1)"
    )
    assert roles(path) == {"auditor": 0, "cco": 1, "operations": 1}


def test_an_auditors_counter_signature_is_a_role_of_its_own(tmp_path: Path) -> None:
    path, digest = bundle_of(tmp_path, "operations-1", "auditor-1")
    assert check(verify(path, KEYS), 3).problems == ("role cco 0 of 1",), "an auditor stands in for nobody of the firm"
    add_signatures(path, [signer("cco-1")], digest)
    assert check(verify(path, KEYS, also_required=["auditor"]), 3).status is CheckStatus.PASSED
    path, digest = bundle_of(tmp_path, "operations-1", "cco-1")
    assert check(verify(path, KEYS), 3).status is CheckStatus.PASSED
    refused = check(verify(path, KEYS, also_required=["auditor"]), 3)
    assert (refused.status, refused.problems) == (CheckStatus.FAILED, ("role auditor 0 of 1",))


@pytest.mark.fault("G4", "E7")
def test_one_key_that_signs_twice_counts_once(tmp_path: Path) -> None:
    path, digest = bundle_of(tmp_path, "operations-1")
    first = members(path)
    add_signatures(path, [signer("operations-1")], digest)
    again = members(path)
    assert list(again) == list(first), "its signature was replaced"
    assert roles(path)["operations"] == 1
    with pytest.raises(SignerUnavailable, match="same key"):
        add_signatures(path, [signer("cco-1"), signer("cco-1")], digest)
    two = signed(draft("operations-1", "operations-2", "root-1", thresholds={"operations": 2}), "root-1")
    assert check(verify(path, two), 3).problems == ("role operations 1 of 2 (operations-1)",)
    add_signatures(path, [signer("operations-2")], digest)
    assert verify(path, two).verified


def test_a_root_key_signs_no_bundle(tmp_path: Path) -> None:
    path, _ = bundle_of(tmp_path, "operations-1", "root-1", "cco-1")
    report = verify(path, KEYS)
    assert report.verified
    assert "root-1 (a root key signs lists, no bundle)" in check(report, 3).detail
    alone, _ = bundle_of(tmp_path, "root-1")
    assert not_passed(verify(alone, KEYS)) == [3]


@pytest.mark.fault("E6")
def test_another_bundle_in_the_files_place_is_not_signed(tmp_path: Path) -> None:
    path, digest = bundle_of(tmp_path, "operations-1")
    write_bundle(sample_bundle(), [signer("operations-1")], path)
    before = path.read_bytes()
    with pytest.raises(ContainerInvalid, match="another bundle"):
        add_signatures(path, [signer("cco-1")], digest)
    with pytest.raises(ContainerInvalid, match="another bundle"):
        add_members(path, sign_manifest(read_manifest(path), [signer("cco-1")]).members, digest)
    assert path.read_bytes() == before


def test_what_is_no_bundle_is_not_signed(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    with pytest.raises(ContainerInvalid):
        add_signatures(path, [signer("cco-1")], "0" * 64)
    path.write_bytes(b"no zip")
    with pytest.raises(ContainerInvalid):
        add_signatures(path, [signer("cco-1")], "0" * 64)
    path.write_bytes(pack({"readme.txt": b"hello"}))
    with pytest.raises(ContainerInvalid, match=r"there is no manifest\.json"):
        add_signatures(path, [signer("cco-1")], "0" * 64)
    assert path.read_bytes() == pack({"readme.txt": b"hello"})


def test_no_more_signatures_than_a_reader_reads(tmp_path: Path) -> None:
    path, digest = bundle_of(tmp_path, *(f"cco-{number}" for number in range(16)))
    with pytest.raises(ContainerInvalid, match="at most 16"):
        add_signatures(path, [signer("operations-1")], digest)
    add_signatures(path, [signer("cco-1")], digest)  # replaces one


@pytest.mark.fault("E13")
def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, digest = bundle_of(tmp_path, "operations-1")
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("exports.bundle.os.fsync", full)
    with pytest.raises(BundleNotWritten, match="No space"):
        add_signatures(path, [signer("cco-1")], digest)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["bundle.zip"]


def test_writing_the_same_bundle_again_keeps_what_others_added(tmp_path: Path) -> None:
    path, digest = bundle_of(tmp_path, "operations-1")
    add_signatures(path, [signer("cco-1")], digest)
    assert write_bundle(small_bundle(), [signer("operations-1")], path).digest == digest
    assert verify(path, KEYS).verified
    # another bundle at that path takes nothing over
    write_bundle(sample_bundle(), [signer("operations-1")], path)
    assert roles(path) == {"auditor": 0, "cco": 0, "operations": 1}


@pytest.mark.fault("E2")
def test_a_time_stamp_is_what_its_name_says(tmp_path: Path) -> None:
    content = signed_members(small_bundle(), [signer("operations-1"), signer("cco-1")])
    path = tmp_path / "bundle.zip"
    for name, works in ((digest_hex(b"stamp"), True), (digest_hex(b"other"), False)):
        path.write_bytes(pack({**content, f"timestamps/{name}.tsr": b"stamp"}))
        assert check(verify(path, KEYS), 4).status is (CheckStatus.PASSED if works else CheckStatus.FAILED)
    assert MANIFEST_NAME in content


def test_who_is_about_to_sign_is_not_asked_for_signatures_that_are_to_come(tmp_path: Path) -> None:
    path, _ = bundle_of(tmp_path, "operations-1")
    assert not_passed(verify(path, KEYS)) == [3]
    report = verify(path, KEYS, partly_signed=True)
    assert report.verified
    assert "cco 0 of 1" in check(report, 3).detail
    # a wrong signature stays one
    content = members(path)
    name = signature_name(entry("operations-1").key_id)
    content[name] = sign_manifest(b"{}", [signer("operations-1")]).members[name]
    path.write_bytes(pack(content))
    assert not_passed(verify(path, KEYS, partly_signed=True)) == [3]
