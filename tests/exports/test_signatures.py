"""Keys and signatures: who signed is decided by the reader's own list, and one key is one signer."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, Key, Signature, Signer, SSlibKey  # type: ignore[attr-defined]

from chains.errors import InvalidValue
from exports.bundle import write_bundle
from exports.canonical import canonical_json, parse_canonical_object
from exports.envelope import envelope_bytes, judge_signatures, parse_envelope, sign_manifest, signature_name
from exports.errors import KeyRefused, SignatureInvalid, SignerUnavailable, TrustedKeysInvalid
from exports.keys import create_key_pair, load_signer, load_trusted_keys
from exports.manifest import MANIFEST_NAME, PAYLOAD_TYPE
from exports.public_keys import key_id, parse_public_key
from exports.trust import TrustedKeys, trusted_key, trusted_keys
from exports.verdict import CheckStatus
from tests.exports.sample import (
    CREATED,
    NOW,
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

LATER = NOW + timedelta(days=90)


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("second"), "cco")


def both(firm: Firm, second: Firm, **changes: Any) -> TrustedKeys:
    return trusted_keys((*firm.trusted.keys, *second.trusted.keys), **{"expires": LATER, **changes})


def signature_check(path: Path, trusted: TrustedKeys, **changes: Any) -> CheckStatus:
    return check(verify(path, trusted, **changes), 3).status


def test_two_roles_must_sign_and_one_alone_does_not_do(tmp_path: Path, firm: Firm, second: Firm) -> None:
    write_bundle(small_bundle(), [firm.signer, second.signer], tmp_path / "two.zip")
    one = write(tmp_path, firm, small_bundle(), "one.zip")
    assert signature_check(tmp_path / "two.zip", both(firm, second)) is CheckStatus.PASSED
    assert signature_check(one, both(firm, second)) is CheckStatus.FAILED
    assert signature_check(one, both(firm, second, optional=("cco",))) is CheckStatus.PASSED


def test_a_required_role_must_have_signed(tmp_path: Path, firm: Firm, second: Firm) -> None:
    one = write(tmp_path, firm, small_bundle())
    for optional, status in (("cco", CheckStatus.PASSED), ("operations", CheckStatus.FAILED)):
        assert signature_check(one, both(firm, second, optional=(optional,))) is status


@pytest.mark.fault("G10", "E7")
def test_only_keys_of_the_readers_own_list_count(tmp_path: Path, firm: Firm, second: Firm) -> None:
    path = write(tmp_path, second, small_bundle())
    assert signature_check(path, second.trusted) is CheckStatus.PASSED
    report = verify(path, firm.trusted)
    assert check(report, 3).status is CheckStatus.FAILED
    assert report.exit_code == 1
    # The maker's own list of keys inside the file is not looked at; it is an unknown member.
    members = signed_members(small_bundle(), [second.signer])
    path.write_bytes(pack({**members, "trusted-keys.json": second.trusted.to_bytes()}))
    report = verify(path, firm.trusted)
    assert (check(report, 3).status, check(report, 4).status) == (CheckStatus.FAILED, CheckStatus.FAILED)


@pytest.mark.fault("E7", "G4")
def test_one_key_never_counts_twice(tmp_path: Path, firm: Firm, second: Firm) -> None:
    manifest = signed_members(small_bundle(), [firm.signer])[MANIFEST_NAME]
    own_id = firm.trusted.keys[0].key_id
    # Two different signatures of one key: ECDSA gives another one each time.
    first, again = (sign_manifest(manifest, [firm.signer]).members[signature_name(own_id)] for _ in range(2))
    assert first != again
    other_id = second.trusted.keys[0].key_id
    forged = envelope_bytes(manifest, other_id, parse_envelope(again)[2])
    verdict = judge_signatures(manifest, {own_id: first, other_id: forged}, both(firm, second), created_at=CREATED)
    assert verdict.accepted == ("operations",)
    assert verdict.problems
    assert [count.text() for count in verdict.roles] == ["cco 0 of 1", "operations 1 of 1 (operations)"]
    # The same key under a second id is no second key: ids are computed.
    with pytest.raises(TrustedKeysInvalid):
        both(firm, firm)
    twin = replace(firm.trusted.keys[0], key_id=other_id)
    with pytest.raises(TrustedKeysInvalid, match="SHA-256 of the key"):
        trusted_keys((firm.trusted.keys[0], twin), expires=LATER, thresholds={"operations": 2})
    with pytest.raises(SignerUnavailable, match="same key"):
        sign_manifest(manifest, [firm.signer, firm.signer])


@pytest.mark.fault("E7")
@pytest.mark.parametrize(("threshold", "works"), [(-1, False), (0, False), (1, True), (2, False)])
def test_a_threshold_is_one_to_the_number_of_keys(threshold: int, works: bool, firm: Firm) -> None:
    thresholds = {"operations": threshold}
    if works:
        assert trusted_keys(firm.trusted.keys, expires=LATER, thresholds=thresholds).roles[0].threshold == threshold
        return
    with pytest.raises(TrustedKeysInvalid):
        trusted_keys(firm.trusted.keys, expires=LATER, thresholds=thresholds)


@pytest.mark.fault("E6")
def test_a_signature_of_another_bundle_is_refused(tmp_path: Path, firm: Firm) -> None:
    members = signed_members(small_bundle(), [firm.signer])
    other = signed_members(replace(small_bundle(), bundle_id="bundle-0002"), [firm.signer])
    name = signature_name(firm.trusted.keys[0].key_id)
    path = tmp_path / "bundle.zip"
    for wrong in (
        other[name],
        # its signature under this payload
        envelope_bytes(members[MANIFEST_NAME], firm.trusted.keys[0].key_id, parse_envelope(other[name])[2]),
    ):
        path.write_bytes(pack({**members, name: wrong}))
        assert signature_check(path, firm.trusted) is CheckStatus.FAILED
    path.write_bytes(pack(members))
    assert signature_check(path, firm.trusted) is CheckStatus.PASSED


@pytest.mark.fault("E6")
def test_a_signature_over_another_payload_type_is_refused(tmp_path: Path, firm: Firm) -> None:
    members = signed_members(small_bundle(), [firm.signer])
    name = signature_name(firm.trusted.keys[0].key_id)
    envelope = Envelope(members[MANIFEST_NAME], "application/vnd.in-toto+json", {})
    signature = bytes.fromhex(envelope.sign(firm.signer).signature)
    honest = parse_canonical_object(envelope_bytes(members[MANIFEST_NAME], firm.trusted.keys[0].key_id, signature))
    path = tmp_path / "bundle.zip"
    for payload_type in ("application/vnd.in-toto+json", PAYLOAD_TYPE):  # said openly, or under our own name
        path.write_bytes(pack({**members, name: canonical_json({**honest, "payloadType": payload_type})}))
        assert signature_check(path, firm.trusted) is CheckStatus.FAILED


@pytest.mark.fault("E6", "E7")
@pytest.mark.parametrize(
    "edit",
    [
        lambda e: e["signatures"][0].pop("keyid"),
        lambda e: e["signatures"][0].update(keyid="0" * 64),
        lambda e: e["signatures"][0].update(keyid=7),
        lambda e: e["signatures"][0].update(note="x"),
        lambda e: e["signatures"][0].update(sig=e["signatures"][0]["sig"] + "\n"),
        lambda e: e["signatures"][0].update(sig="@@@@"),
        lambda e: e["signatures"].append(dict(e["signatures"][0])),
        lambda e: e.update(signatures=[]),
        lambda e: e.update(payload=None),
        lambda e: e.update(extra=1),
        lambda e: e.pop("payloadType"),
    ],
)
def test_a_malformed_envelope_is_refused(edit: Callable[[dict[str, Any]], object], tmp_path: Path, firm: Firm) -> None:
    members = signed_members(small_bundle(), [firm.signer])
    name = signature_name(firm.trusted.keys[0].key_id)
    value = parse_canonical_object(members[name])
    edit(value)
    path = tmp_path / "bundle.zip"
    path.write_bytes(pack({**members, name: canonical_json(value)}))
    assert signature_check(path, firm.trusted) is CheckStatus.FAILED


def test_base64_has_one_spelling(firm: Firm) -> None:
    data = envelope_bytes(b"x", firm.trusted.keys[0].key_id, b"s")
    assert parse_envelope(data) == (b"x", firm.trusted.keys[0].key_id, b"s")
    for spelling in (b"eB==", b"eA=", b"eA"):  # eA== is the one spelling of b"x"
        with pytest.raises(SignatureInvalid):
            parse_envelope(data.replace(b'"eA=="', b'"' + spelling + b'"'))


def test_no_signature_and_signatures_under_odd_names_are_refused(tmp_path: Path, firm: Firm) -> None:
    members = signed_members(small_bundle(), [firm.signer])
    name = signature_name(firm.trusted.keys[0].key_id)
    unsigned = {key: data for key, data in members.items() if key != name}
    path = tmp_path / "bundle.zip"
    path.write_bytes(pack(unsigned))
    assert signature_check(path, firm.trusted) is CheckStatus.FAILED
    path.write_bytes(pack({**unsigned, "signatures/first.dsse.json": members[name]}))
    report = verify(path, firm.trusted)
    assert (check(report, 3).status, check(report, 4).status) == (CheckStatus.FAILED, CheckStatus.FAILED)


@pytest.mark.fault("E4")
@pytest.mark.parametrize(("more", "status"), [(15, CheckStatus.PASSED), (16, CheckStatus.FAILED)])
def test_no_more_than_sixteen_signatures_are_read(more: int, status: CheckStatus, tmp_path: Path, firm: Firm) -> None:
    members = signed_members(small_bundle(), [firm.signer])
    strangers = {}
    for number in range(more):
        stranger = f"{number:064x}"
        strangers[signature_name(stranger)] = envelope_bytes(members[MANIFEST_NAME], stranger, b"x")
    path = tmp_path / "bundle.zip"
    path.write_bytes(pack({**members, **strangers}))
    assert signature_check(path, firm.trusted) is status


def test_a_counter_signature_by_somebody_unknown_is_named_and_not_counted(
    tmp_path: Path, firm: Firm, second: Firm
) -> None:
    write_bundle(small_bundle(), [firm.signer, second.signer], tmp_path / "b.zip")
    found = check(verify(tmp_path / "b.zip", firm.trusted), 3)
    assert (found.status, found.compared) == (CheckStatus.PASSED, 2)
    assert "not among the trusted keys" in found.detail


@pytest.mark.fault("E9", "E10")
def test_an_expired_list_is_judged_at_the_stated_time(tmp_path: Path, firm: Firm) -> None:
    path = write(tmp_path, firm, small_bundle())
    moment = timedelta(microseconds=1)
    assert signature_check(path, firm.trusted, now=firm.trusted.expires - moment) is CheckStatus.PASSED
    report = verify(path, firm.trusted, now=firm.trusted.expires)
    assert check(report, 3).status is CheckStatus.NOT_POSSIBLE
    assert "expired" in check(report, 3).problems[0]
    assert report.exit_code == 2
    firm.trusted.require_current(firm.trusted.expires - moment)
    with pytest.raises(TrustedKeysInvalid):
        firm.trusted.require_current(firm.trusted.expires)


@pytest.mark.fault("E9")
def test_a_revoked_key_counts_until_its_revocation(tmp_path: Path, firm: Firm) -> None:
    path = write(tmp_path, firm, small_bundle())
    for revoked_from, status in (
        (CREATED + timedelta(seconds=1), CheckStatus.PASSED),
        (CREATED, CheckStatus.FAILED),
        (CREATED - timedelta(days=1), CheckStatus.FAILED),
    ):
        keys = trusted_keys((replace(firm.trusted.keys[0], revoked_from=revoked_from),), expires=LATER)
        assert signature_check(path, keys) is status


@pytest.mark.fault("E10")
def test_an_older_list_is_a_rollback(tmp_path: Path, firm: Firm) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(trusted_keys(firm.trusted.keys, expires=LATER, version=4).to_bytes())
    assert load_trusted_keys(path, version_min=4).version == 4
    with pytest.raises(TrustedKeysInvalid, match="older than version 5"):
        load_trusted_keys(path, version_min=5)


def test_the_list_comes_back_and_may_be_laid_out_as_people_like(tmp_path: Path, firm: Firm, second: Firm) -> None:
    keys = both(firm, second)
    value = json.loads(keys.to_bytes())
    path = tmp_path / "keys.json"
    for text in (keys.to_bytes(), json.dumps(value).encode(), json.dumps(value, indent=7, sort_keys=True).encode()):
        path.write_bytes(text)
        assert load_trusted_keys(path) == keys


@pytest.mark.fault("E7")
@pytest.mark.parametrize(
    "edit",
    [
        lambda v: v["roles"][0].update(threshold=0),
        lambda v: v["roles"][0].update(threshold=True),
        lambda v: v["roles"][0].update(threshold=1.0),
        lambda v: v["roles"][0].update(threshold=2),
        lambda v: v["roles"][0].update(required=False),
        lambda v: v["roles"].append(v["roles"][0]),
        lambda v: v["keys"][0].update(role="cco"),
        lambda v: v["keys"][0].update(compromised=True),
        lambda v: v.update(signatures=[{"key_id": "0" * 64, "signature": ""}]),
        lambda v: v.update(extra=1),
        lambda v: v.pop("expires"),
        lambda v: v.update(expires="2027-01-01"),
        lambda v: v.update(version=0),
        lambda v: v.update(keys=[]),
        lambda v: v.update(roles=[]),
        lambda v: v["roles"].append({"name": "zco", "threshold": 1, "required": True}),
        lambda v: v["keys"][0].update(key_id="0" * 64),
        lambda v: v["keys"][0].update(public_key="AAAA"),
        lambda v: v["keys"].append(v["keys"][0]),
    ],
)
def test_a_wrong_list_is_refused(edit: Callable[[dict[str, Any]], object], firm: Firm) -> None:
    value = json.loads(firm.trusted.to_bytes())
    assert TrustedKeys.parse(json.dumps(value).encode()) == firm.trusted
    edit(value)
    with pytest.raises(TrustedKeysInvalid):
        TrustedKeys.parse(json.dumps(value).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"a":1,"a":1}', b"null"])
def test_what_is_no_list_at_all_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(TrustedKeysInvalid):
        TrustedKeys.parse(data)
    with pytest.raises(TrustedKeysInvalid):
        load_trusted_keys(tmp_path / "missing.json")


def public_pem(key: Any) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(encoding, form).decode())


@pytest.mark.parametrize(
    "private",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["ed25519", "p384", "rsa"],
)
def test_other_kinds_of_keys_sign_and_verify(private: Any, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(private.private_bytes(encoding, form, serialization.NoEncryption()))
    path.chmod(0o600)
    signer = load_signer(f"file2:{path}", public_key_pem=public_pem(private))
    keys = trusted_keys((trusted_key("any", public_pem(private), "any"),), expires=LATER)
    write_bundle(small_bundle(), [signer], tmp_path / "b.zip")
    assert signature_check(tmp_path / "b.zip", keys) is CheckStatus.PASSED


def test_weak_and_odd_keys_are_not_trusted() -> None:
    assert parse_public_key(public_pem(ec.generate_private_key(ec.SECP256R1()))).scheme == "ecdsa-sha2-nistp256"
    for private in (
        rsa.generate_private_key(65537, 1024),
        ec.generate_private_key(ec.SECP256K1()),
    ):
        with pytest.raises(TrustedKeysInvalid):
            parse_public_key(public_pem(private))
    with pytest.raises(TrustedKeysInvalid):
        parse_public_key("no key")


def test_a_key_id_is_the_digest_of_the_public_key(firm: Firm) -> None:
    public = serialization.load_pem_public_key(firm.public_key_pem.encode())
    entry = firm.trusted.keys[0]
    assert key_id(public) == entry.key_id
    assert "".join(firm.public_key_pem.split("-----")[2].split()) == entry.public_key
    assert base64.b64decode(entry.public_key, validate=True)


@pytest.mark.fault("E17")
@pytest.mark.skipif(not hasattr(os, "getuid"), reason="mode bits mean this on POSIX only")
def test_a_private_key_open_to_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    create_key_pair(path)
    assert path.stat().st_mode & 0o777 == 0o600
    for mode, works in ((0o600, True), (0o400, True), (0o640, False), (0o604, False), (0o610, False)):
        path.chmod(mode)
        if works:
            load_signer(f"file2:{path}")
            continue
        with pytest.raises(KeyRefused, match="open to others"):
            load_signer(f"file2:{path}")
    path.chmod(0o600)
    link = tmp_path / "link.pem"
    link.symlink_to(path)
    with pytest.raises(KeyRefused):
        load_signer(f"file2:{link}")
    with pytest.raises(KeyRefused):
        load_signer(f"file2:{tmp_path}")
    with pytest.raises(KeyRefused, match="File exists"):
        create_key_pair(path)


@pytest.mark.fault("E17")
def test_a_passphrase_is_asked_for_and_never_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "key.pem"
    public = create_key_pair(path, "correct horse")
    assert b"ENCRYPTED" in path.read_bytes()
    asked: list[str] = []

    def answer(text: str) -> Callable[[str], str]:
        def told(name: str) -> str:
            asked.append(name)
            return text

        return told

    load_signer(f"file2:{path}", public_key_pem=public, passphrase=answer("correct horse"))
    assert asked == ["passphrase"]
    for passphrase in (None, answer("battery staple")):
        with pytest.raises(KeyRefused) as caught:
            load_signer(f"file2:{path}", passphrase=passphrase)
        assert "staple" not in str(caught.value)
        assert str(tmp_path) not in str(caught.value)
    assert "horse" not in caplog.text
    monkeypatch.setenv("PASSPHRASE", "correct horse")
    with pytest.raises(KeyRefused):  # the environment is not a place for it
        load_signer(f"file2:{path}")


def test_a_private_key_must_be_the_part_of_its_public_key(tmp_path: Path, firm: Firm, second: Firm) -> None:
    uri = f"file2:{firm.private_path}"
    load_signer(uri, public_key_pem=firm.public_key_pem)
    with pytest.raises(KeyRefused, match="not the private part"):
        load_signer(uri, public_key_pem=second.public_key_pem)
    (tmp_path / "text.pem").write_text("hello")
    (tmp_path / "text.pem").chmod(0o600)
    with pytest.raises(KeyRefused):
        load_signer(f"file2:{tmp_path / 'text.pem'}")


class BrokenSigner(Signer):
    """A signer whose device is away, or signs with something else."""

    def __init__(self, key: Key, signature: bytes | None) -> None:
        self.key, self.signature = key, signature

    @property
    def public_key(self) -> Key:
        return self.key

    @classmethod
    def from_priv_key_uri(cls, priv_key_uri: str, public_key: Key, secrets_handler: Any = None) -> BrokenSigner:
        raise AssertionError("this signer is made by hand, never from a URI")

    def sign(self, payload: bytes) -> Signature:
        if self.signature is None:
            raise OSError("token https://kms.example/?key=secret is gone")
        return Signature(self.key.keyid, self.signature.hex())


@pytest.mark.fault("E18")
@pytest.mark.parametrize("signature", [None, b"\x30\x06\x02\x01\x01\x02\x01\x01"])
def test_a_signer_that_is_down_publishes_nothing_and_a_retry_gives_the_same_digest(
    signature: bytes | None, tmp_path: Path, firm: Firm, second: Firm
) -> None:
    broken = BrokenSigner(SSlibKey.from_crypto(CryptoSigner.generate_ecdsa().public_key._crypto_key()), signature)
    path = tmp_path / "b.zip"
    with pytest.raises(SignerUnavailable) as caught:
        write_bundle(sample_bundle(), [firm.signer, broken], path)
    assert "secret" not in str(caught.value)
    assert not list(tmp_path.iterdir())
    first = write_bundle(sample_bundle(), [firm.signer, second.signer], path)
    assert write_bundle(sample_bundle(), [firm.signer], tmp_path / "again.zip").digest == first.digest


@pytest.mark.fault("E18")
def test_an_unsigned_bundle_is_not_published(tmp_path: Path) -> None:
    with pytest.raises(SignerUnavailable):
        write_bundle(sample_bundle(), [], tmp_path / "b.zip")
    assert not list(tmp_path.iterdir())


def test_a_signer_by_uri_needs_its_public_key_and_tells_nothing(firm: Firm) -> None:
    for uri, public in (("hsm:2?label=secret", None), ("nothing:secret", firm.public_key_pem)):
        with pytest.raises(SignerUnavailable) as caught:
            load_signer(uri, public_key_pem=public)
        assert "secret" not in str(caught.value)


def test_times_of_a_list_have_a_zone(firm: Firm) -> None:
    from datetime import datetime

    with pytest.raises((InvalidValue, TrustedKeysInvalid)):
        trusted_keys(firm.trusted.keys, expires=datetime(2027, 1, 1))  # noqa: DTZ001 - that is the test
