"""Time stamps by a real authority (openssl), judged offline; a stamp shows that a bundle existed, and nothing more."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from exports import timestamps
from exports.additions import add_members, read_manifest
from exports.bundle import Bundle, write_bundle
from exports.errors import TimeStampInvalid
from exports.manifest import digest_hex
from exports.timestamps import accept_answer, judge_stamps, load_certificates, stamp_name, stamp_request
from exports.trust import TrustedKeys, trusted_keys
from exports.verdict import CheckStatus, VerificationReport
from tests.exports.keyring import entry, signer
from tests.exports.sample import check, not_passed, pack, signed_members, small_bundle, verify, with_liabilities
from tests.tsa import Authority, make_authority, openssl

START = datetime.now(UTC).replace(microsecond=0)
"""Stamps are of the real moment, so bundles of these tests are too."""
MANIFEST = b"what is stamped"
DIGEST = digest_hex(MANIFEST)
LATER = START + timedelta(hours=1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("other"), "Another TSA")


def judged(
    stamp: bytes, *certificates: x509.Certificate, digest: str = DIGEST, created_at: datetime = START,
    now: datetime = LATER,
) -> timestamps.StampVerdict:  # fmt: skip
    return judge_stamps(digest, {stamp_name(stamp): stamp}, certificates, created_at=created_at, now=now)


def test_a_stamp_verifies_with_the_root_of_its_authority(authority: Authority, other: Authority) -> None:
    stamp = authority.stamp(MANIFEST)
    for certificates in ((authority.root,), (other.root, authority.root), (authority.root, authority.own)):
        verdict = judged(stamp, *certificates)
        assert verdict.outcome is not None
        assert (verdict.outcome.compared, verdict.outcome.problems, verdict.outcome.obstacles) == (1, (), [])
        assert "CN=Example TSA" in verdict.outcome.note
        assert verdict.stamped_at is not None
        # the inaccuracy that the authority states, 1.5 seconds, counts against the stamp
        assert START <= verdict.stamped_at - timedelta(seconds=1.5) <= datetime.now(UTC) + timedelta(seconds=1)


def test_an_authority_that_states_no_inaccuracy_is_taken_at_its_word(tmp_path: Path) -> None:
    plain = make_authority(tmp_path / "plain", accuracy="")
    stamped_at = judged(plain.stamp(MANIFEST), plain.root).stamped_at
    assert stamped_at is not None
    assert stamped_at.microsecond == 0


def test_a_stamp_of_something_else_is_refused(authority: Authority) -> None:
    stamp = authority.stamp(MANIFEST)
    verdict = judged(stamp, authority.root, digest=digest_hex(b"another bundle"))
    assert verdict.outcome is not None
    assert verdict.stamped_at is None
    assert "stamps something else" in verdict.outcome.problems[0]
    # even a reader without any certificate sees that
    verdict = judged(stamp, digest=digest_hex(b"another bundle"))
    assert verdict.outcome is not None
    assert "stamps something else" in verdict.outcome.problems[0]
    other_hash = judged(authority.stamp(MANIFEST, algorithm="sha512"), authority.root)
    assert other_hash.outcome is not None
    assert "not over a SHA-256" in other_hash.outcome.problems[0]


def test_a_stamp_by_another_authority_is_named_and_not_counted(authority: Authority, other: Authority) -> None:
    mine, theirs = authority.stamp(MANIFEST), other.stamp(MANIFEST)
    alone = judged(theirs, authority.root)
    assert alone.outcome is not None
    assert (alone.outcome.compared, alone.outcome.problems, alone.stamped_at) == (0, (), None)
    assert "certificate was not given" in alone.outcome.obstacles[0]
    stamps = {stamp_name(each): each for each in (mine, theirs)}
    both = judge_stamps(DIGEST, stamps, [authority.root], created_at=START, now=LATER)
    assert both.outcome is not None
    assert (both.outcome.compared, both.outcome.problems, both.outcome.obstacles) == (1, (), [])
    assert "not counted" in both.outcome.note
    assert both.stamped_at is not None


def test_an_authority_of_the_same_name_with_another_key_is_refused(authority: Authority, tmp_path: Path) -> None:
    impostor = make_authority(tmp_path / "impostor")
    verdict = judged(impostor.stamp(MANIFEST), authority.root)
    assert verdict.outcome is not None
    assert "does not verify" in verdict.outcome.problems[0]
    assert verdict.stamped_at is None
    assert judged(impostor.stamp(MANIFEST), impostor.root).stamped_at is not None


def test_every_byte_of_a_stamp_that_can_be_changed_is_noticed_or_changes_nothing(authority: Authority) -> None:
    """Under its own new name: the name is what check 4 holds it to."""
    stamp = authority.stamp(MANIFEST)
    right = judged(stamp, authority.root).stamped_at
    assert right is not None
    for place in range(len(stamp)):
        changed = bytearray(stamp)
        changed[place] ^= 0x01
        verdict = judged(bytes(changed), authority.root)
        assert verdict.stamped_at in (None, right), f"byte {place}"


def test_what_is_no_stamp_is_refused_and_crashes_nothing(authority: Authority) -> None:
    stamp = authority.stamp(MANIFEST)
    for data in (b"", b"\x30\x00", b"hello", stamp[:-1], stamp[:40], stamp + b"\x00", b"\x30\x84\xff\xff\xff\xff"):
        verdict = judged(data, authority.root)
        assert verdict.outcome is not None
        assert verdict.outcome.problems, data[:8]
        assert verdict.stamped_at is None


def test_a_refusal_is_no_stamp(authority: Authority) -> None:
    refusal = authority.answer(openssl("ts", "-query", "-digest", "00" * 16, "-md5"))
    verdict = judged(refusal, authority.root)
    assert verdict.outcome is not None
    assert "refused the request" in verdict.outcome.problems[0]


def test_a_stamp_without_the_signers_certificate_is_refused(authority: Authority) -> None:
    verdict = judged(authority.stamp(MANIFEST, certificates=False), authority.root)
    assert verdict.outcome is not None
    assert verdict.outcome.problems


@pytest.mark.parametrize(
    ("may_stamp", "critical", "works"), [(True, True, True), (False, True, False), (True, False, False)]
)
def test_a_certificate_that_may_not_stamp_does_not(
    may_stamp: bool, critical: bool, works: bool, authority: Authority, tmp_path: Path
) -> None:
    """Openssl refuses to stamp with such a certificate, so another program signs what the authority said."""
    wrong = make_authority(tmp_path / "wrong", may_stamp=may_stamp, critical=critical)
    verdict = judged(wrong.signed_over(authority.stamp(MANIFEST)), wrong.root)
    assert verdict.outcome is not None
    assert (verdict.stamped_at is not None) is works, verdict.outcome
    if not works:
        assert "does not verify" in verdict.outcome.problems[0]


@pytest.mark.fault("E9")
def test_certificates_are_judged_at_the_stamps_moment_and_stamps_at_the_readers(tmp_path: Path) -> None:
    short = make_authority(tmp_path / "short", days=1)
    stamp = short.stamp(MANIFEST)
    years_later = START + timedelta(days=3000)
    verdict = judged(stamp, short.root, now=years_later)
    assert verdict.stamped_at is not None, "the certificate has expired since, and was valid then"
    at = verdict.stamped_at
    for created_at, now, works in (
        (at, at - timedelta(minutes=4), True),
        (at, at - timedelta(minutes=6), False),  # a stamp of the future
        (at + timedelta(minutes=4), at + timedelta(hours=1), True),
        (at + timedelta(minutes=6), at + timedelta(hours=1), False),  # older than the bundle
    ):
        assert (judged(stamp, short.root, created_at=created_at, now=now).stamped_at is not None) is works


def test_a_certificate_that_was_not_valid_at_the_stamps_moment_is_refused(authority: Authority, tmp_path: Path) -> None:
    for days, works in ((1, True), (0, False)):
        signer_of_stamps = make_authority(tmp_path / str(days), days=days)
        verdict = judged(signer_of_stamps.signed_over(authority.stamp(MANIFEST)), signer_of_stamps.root)
        assert verdict.outcome is not None
        assert (verdict.stamped_at is not None) is works, verdict.outcome


def test_the_answer_to_another_request_is_not_taken(authority: Authority, other: Authority) -> None:
    request, again = stamp_request(MANIFEST), stamp_request(MANIFEST)
    answer = authority.answer(request.body)
    moment = accept_answer(request, answer, [authority.root], datetime.now(UTC))
    assert moment >= START
    with pytest.raises(TimeStampInvalid, match="another request"):
        accept_answer(again, answer, [authority.root], START)
    with pytest.raises(TimeStampInvalid, match="certificate was not given"):
        accept_answer(request, answer, [other.root], START)
    with pytest.raises(TimeStampInvalid, match="something else"):
        accept_answer(stamp_request(b"another"), answer, [authority.root], START)
    with pytest.raises(TimeStampInvalid, match="no answer"):
        accept_answer(request, b"<html>", [authority.root], START)
    with pytest.raises(TimeStampInvalid, match="older"):  # the clock here is an hour ahead of the authority's
        accept_answer(request, answer, [authority.root], LATER)


# In a bundle ----------------------------------------------------------------------------------------------------------


def bundle_now() -> Bundle:
    """The small bundle, made at the real moment."""
    return with_liabilities(replace(small_bundle(), created_at=START))


def stamped(folder: Path, authority: Authority, *names: str) -> Path:
    """A bundle of these signers with a stamp."""
    path = folder / "bundle.zip"
    digest = write_bundle(bundle_now(), [signer(name) for name in names], path).digest
    stamp = authority.stamp(read_manifest(path))
    assert add_members(path, {stamp_name(stamp): stamp}, digest).digest == digest
    return path


def read(path: Path, keys: TrustedKeys, *certificates: x509.Certificate) -> VerificationReport:
    return verify(path, keys, now=LATER, tsa_certificates=certificates)


def listed(*names: str) -> TrustedKeys:
    return trusted_keys([entry(name) for name in names], expires=START + timedelta(days=90))


def test_a_bundles_stamp_is_check_25(tmp_path: Path, authority: Authority, other: Authority) -> None:
    keys = listed("operations-1")
    path = stamped(tmp_path, authority, "operations-1")
    report = read(path, keys, authority.root)
    assert report.verified
    assert check(report, 25).status is CheckStatus.PASSED
    assert check(report, 25).compared == 1
    without = read(path, keys)
    assert without.verified
    assert (check(without, 25).status, without.exit_code) == (CheckStatus.NOT_REQUESTED, 0)
    elsewhere = read(path, keys, other.root)
    assert (check(elsewhere, 25).status, elsewhere.exit_code) == (CheckStatus.NOT_POSSIBLE, 2)
    # who asks for a stamp and gets none compared nothing
    write_bundle(bundle_now(), [signer("operations-1")], tmp_path / "plain.zip")
    nothing = read(tmp_path / "plain.zip", keys, authority.root)
    assert (check(nothing, 25).status, nothing.exit_code) == (CheckStatus.NOT_POSSIBLE, 2)


def test_openssl_accepts_the_same_stamp(tmp_path: Path, authority: Authority) -> None:
    """A second opinion, with what any auditor has at hand."""
    path = stamped(tmp_path, authority, "operations-1")
    (tmp_path / "manifest.json").write_bytes(read_manifest(path))
    with zipfile.ZipFile(path) as archive:
        (name,) = [each for each in archive.namelist() if each.startswith("timestamps/")]
        (tmp_path / "stamp.tsr").write_bytes(archive.read(name))
    command = ["ts", "-verify", "-in", tmp_path / "stamp.tsr", "-CAfile", authority.folder / "root.pem"]
    openssl(*command, "-data", tmp_path / "manifest.json")
    (tmp_path / "manifest.json").write_bytes(b"another")
    with pytest.raises(ValueError, match=r"(?i)verification: failed|imprint mismatch"):
        openssl(*command, "-data", tmp_path / "manifest.json")


@pytest.mark.fault("E6")
def test_the_stamp_of_another_bundle_fails_check_25_alone(tmp_path: Path, authority: Authority) -> None:
    content = signed_members(bundle_now(), [signer("operations-1")])
    stamp = authority.stamp(b"the manifest of another bundle")
    path = tmp_path / "b.zip"
    path.write_bytes(pack({**content, stamp_name(stamp): stamp}))
    assert not_passed(read(path, listed("operations-1"), authority.root)) == [25]
    assert not_passed(read(path, listed("operations-1"))) == [25]


@pytest.mark.fault("E9")
def test_a_stolen_key_counts_for_bundles_that_a_stamp_shows_to_be_older(
    tmp_path: Path, authority: Authority, other: Authority
) -> None:
    path = stamped(tmp_path, authority, "operations-1")
    good = listed("operations-1")

    def stolen(at: datetime, *, compromised: bool = True) -> TrustedKeys:
        key = replace(good.keys[0], revoked_from=at, compromised=compromised)
        return replace(good, keys=(key,))

    after, before = LATER, START - timedelta(days=1)
    assert read(path, stolen(after), authority.root).verified
    assert not_passed(read(path, stolen(after))) == [3], "the bundle's own time is the thief's to write"
    assert not_passed(read(path, stolen(after), other.root)) == [3]
    assert not_passed(read(path, stolen(before), authority.root)) == [3]
    assert read(path, stolen(after, compromised=False)).verified


def test_without_the_library_stamps_are_not_verified_and_that_is_said(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, keys = stamped(tmp_path, authority, "operations-1"), listed("operations-1")
    monkeypatch.setattr(timestamps, "_is_installed", lambda: False)
    asked, unasked = read(path, keys, authority.root), read(path, keys)
    assert (check(asked, 25).status, asked.exit_code) == (CheckStatus.NOT_POSSIBLE, 2)
    assert "custody-verifier[timestamps]" in check(asked, 25).problems[0]
    assert (check(unasked, 25).status, unasked.exit_code) == (CheckStatus.NOT_REQUESTED, 0)
    assert "custody-verifier[timestamps]" in check(unasked, 25).detail
    with pytest.raises(TimeStampInvalid, match="timestamps"):
        stamp_request(b"x")


def test_certificates_are_read_from_pem(tmp_path: Path, authority: Authority) -> None:
    path = tmp_path / "tsa.pem"
    path.write_bytes(authority.root.public_bytes(Encoding.PEM) + authority.own.public_bytes(Encoding.PEM))
    assert load_certificates(path) == [authority.root, authority.own]
    for content in (b"", b"no certificate", authority.root.public_bytes(Encoding.DER)):
        path.write_bytes(content)
        with pytest.raises(TimeStampInvalid, match="no certificate in PEM"):
            load_certificates(path)
    with pytest.raises(TimeStampInvalid):
        load_certificates(tmp_path / "missing.pem")
