"""`custody keys`, `sign`, `countersign` and `timestamp` as people use them, with keys in files."""

from __future__ import annotations

import json
import shutil
import stat
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exports.additions import read_manifest
from exports.bundle import write_bundle
from exports.keys import load_signer
from tests.cli.command import Answer, custody
from tests.exports.sample import small_bundle, with_liabilities
from tests.tsa import Authority, make_authority, serve

ROLES = ("root", "operations", "cco", "auditor")


@dataclass(frozen=True)
class House:
    """A firm's folder: a key for each role, a list of them, and a bundle that operations signed."""

    folder: Path

    @property
    def keys(self) -> Path:
        return self.folder / "trusted-keys.json"

    @property
    def bundle(self) -> Path:
        return self.folder / "audit.zip"

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def id_of(self, name: str) -> str:
        return str(custody("keys", "public", "--key", self.key(name), "--json").json["key_id"])

    def make_key(self, name: str) -> Path:
        assert custody("keys", "new", self.key(name), "--plain", "--json").code == 0
        return self.folder / f"{name}.pub.pem"

    def sign(self, role: str, name: str | None = None, *options: object) -> Answer:
        key = self.key(name or role)
        return custody(
            "sign", self.bundle, "--role", role, "--key", key, "--trusted-keys", self.keys, *options, "--json"
        )

    def countersign(self, *options: object) -> Answer:
        key = self.key("auditor")
        return custody("countersign", self.bundle, "--key", key, "--trusted-keys", self.keys, *options, "--json")

    def verify(self, *options: object) -> Answer:
        return custody("verify", self.bundle, "--trusted-keys", self.keys, *options, "--json")

    def roles(self) -> dict[str, int]:
        return {each["role"]: each["signed"] for each in self.verify().json["bundle"]["roles"]}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house that is copied for each test: keys take their time."""
    made = House(tmp_path_factory.mktemp("house"))
    added = [f"--add={role}={made.make_key(role)}" for role in ROLES]
    answer = custody("keys", "init", "--out", made.keys, *added, "--key", made.key("root"), "--json")
    assert answer.code == 0, answer
    bundle = with_liabilities(replace(small_bundle(), created_at=datetime.now(UTC).replace(microsecond=0)))
    write_bundle(bundle, [load_signer(f"file2:{made.key('operations')}")], made.bundle)
    return made.folder


@pytest.fixture
def house(template: Path, tmp_path: Path) -> House:
    shutil.copytree(template, tmp_path / "house")
    return House(tmp_path / "house")


def test_a_bundle_collects_its_signatures(house: House) -> None:
    before = read_manifest(house.bundle)
    assert house.verify().code == 1
    early = house.countersign()
    assert (early.code, early.json["signed"]) == (1, False), "an auditor signs what verifies, and nothing less"
    signed = house.sign("cco")
    assert (signed.code, signed.json["missing"], signed.json["by"]) == (0, [], "cco")
    assert house.verify().code == 0
    assert house.verify("--require-role", "auditor").code == 1
    assert house.countersign().code == 0
    assert house.verify("--require-role", "auditor").code == 0
    assert house.roles() == {"auditor": 1, "cco": 1, "operations": 1}
    assert read_manifest(house.bundle) == before
    shown = custody("verify", house.bundle, "--trusted-keys", house.keys)
    assert "operations 1 of 1 (operations)" in shown.out
    assert "proves origin, not truth" in shown.out
    assert "says that somebody outside the firm verified the bundle, and no more" in shown.out


@pytest.mark.fault("G4", "E7")
def test_the_same_signature_twice_counts_once(house: House) -> None:
    for _ in range(2):
        assert house.sign("cco").code == 0
        assert house.roles()["cco"] == 1


@pytest.mark.fault("E7", "G10")
@pytest.mark.parametrize(
    ("role", "name", "why"),
    [
        ("cco", "operations", "not listed in the role"),
        ("operations", "cco", "not listed in the role"),
        ("auditor", "auditor", "custody countersign"),
        ("examiner", "cco", "no key of role"),
    ],
)
def test_a_key_signs_in_its_own_role_only(house: House, role: str, name: str, why: str) -> None:
    before = house.bundle.read_bytes()
    answer = house.sign(role, name)
    assert answer.code == 2
    message = answer.json["error"]["message"]
    assert why in message or "not the private part" in message
    assert house.bundle.read_bytes() == before


@pytest.mark.fault("E1")
def test_what_contradicts_itself_is_not_signed(house: House) -> None:
    data = bytearray(house.bundle.read_bytes())
    place = data.index(b'"structure"')
    data[place + 2] ^= 1
    house.bundle.write_bytes(data)
    answer = house.sign("cco")
    assert (answer.code, answer.json["signed"]) == (1, False)
    assert house.bundle.read_bytes() == bytes(data)
    shown = custody("sign", house.bundle, "--role", "cco", "--key", house.key("cco"), "--trusted-keys", house.keys)
    assert "not signed" in shown.out
    assert "FAILED" in shown.out


@pytest.mark.fault("E17")
def test_a_key_with_a_passphrase(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.key("cco").unlink()
    (house.folder / "cco.pub.pem").unlink()
    house.keys.unlink()
    monkeypatch.setenv("PASS", "correct horse")
    made = custody("keys", "new", house.key("cco"), "--passphrase-env", "PASS", "--json")
    assert made.code == 0
    assert stat.S_IMODE(house.key("cco").stat().st_mode) == 0o600
    assert b"ENCRYPTED" in house.key("cco").read_bytes()
    added = [f"--add={role}={house.folder / role}.pub.pem" for role in ROLES]
    assert custody("keys", "init", "--out", house.keys, *added, "--key", house.key("root"), "--json").code == 0
    without = house.sign("cco")
    assert (without.code, without.error) == (2, "bad-input")
    monkeypatch.setenv("WRONG", "battery staple")
    wrong = house.sign("cco", None, "--passphrase-env", "WRONG")
    assert (wrong.code, wrong.error) == (2, "key-refused")
    assert "staple" not in wrong.out + wrong.err
    assert house.sign("cco", None, "--passphrase-env", "PASS").code == 0


def test_a_key_pair_is_not_written_over_another(house: House) -> None:
    before = house.key("cco").read_bytes()
    answer = custody("keys", "new", house.key("cco"), "--plain", "--json")
    assert answer.code == 2
    assert house.key("cco").read_bytes() == before
    no_passphrase = custody("keys", "new", house.key("new"), "--json")
    assert (no_passphrase.code, no_passphrase.error) == (2, "bad-input")
    assert not house.key("new").exists()


# The list of trusted keys ---------------------------------------------------------------------------------------------


@pytest.mark.fault("E8", "E10")
def test_root_keys_are_replaced_and_readers_follow(house: House) -> None:
    second, third = house.folder / "2.json", house.folder / "3.json"
    new = house.make_key("root-b")
    rotate = ["keys", "rotate", house.keys, "--out", second, f"--add=root:root-b={new}", "--remove"]
    draft = custody(*rotate, house.id_of("root"), "--key", house.key("root"), "--json")
    assert draft.code == 2
    assert "its own root keys" in draft.json["lacks"][0]
    held = house.keys.read_bytes()
    early = custody("keys", "update", house.keys, second, "--json")
    assert (early.code, early.error) == (2, "trusted-keys-invalid")
    assert house.keys.read_bytes() == held
    assert custody("keys", "sign", second, "--key", house.key("root-b"), "--json").code == 0
    assert custody("keys", "rotate", second, "--out", third, "--key", house.key("root-b"), "--json").code == 0
    skipped = custody("keys", "update", house.keys, third, "--json")
    assert "version 2 lies between" in skipped.json["error"]["message"]
    assert house.keys.read_bytes() == held
    updated = custody("keys", "update", house.keys, third, second, "--json")
    assert (updated.code, updated.json["version_before"], updated.json["list"]["version"]) == (0, 1, 3)
    assert json.loads(house.keys.read_bytes())["version"] == 3
    # never back
    (house.folder / "1.json").write_bytes(held)
    again = custody("keys", "update", house.keys, house.folder / "1.json", "--json")
    assert (again.code, again.json["list"]["version"]) == (0, 3)
    old_root = custody("keys", "rotate", third, "--out", house.folder / "4.json", "--key", house.key("root"), "--json")
    assert old_root.code == 2, "the old root key signs nothing any more"
    assert custody("keys", "update", house.keys, house.folder / "4.json", "--json").code == 2
    assert json.loads(house.keys.read_bytes())["version"] == 3


@pytest.mark.fault("E9")
def test_a_revoked_key_no_longer_counts_and_is_replaced(house: House) -> None:
    second, third = house.folder / "2.json", house.folder / "3.json"
    assert house.sign("cco").code == 0
    assert house.verify().code == 0
    revoke = ["keys", "revoke", house.keys, house.id_of("cco")[:12], "--key", house.key("root"), "--json"]
    naive = custody(*revoke, "--out", second, "--from", "2026-01-31T00:00:00")
    assert (naive.code, naive.error) == (2, "bad-input")
    revoked = custody(*revoke, "--out", second, "--from", "2026-01-31T00:00:00+00:00")
    assert revoked.code == 2
    assert "too few unrevoked keys" in revoked.json["lacks"][0]
    assert custody("keys", "update", house.keys, second, "--json").code == 2  # taken over, and it says what it lacks
    assert house.verify().code == 1
    refused = house.sign("cco")
    assert (refused.code, refused.error) == (2, "bad-input")
    assert "revoked" in refused.json["error"]["message"]
    new = house.make_key("cco-b")
    added = custody(
        "keys", "rotate", second, "--out", third, f"--add=cco:new={new}", "--key", house.key("root"), "--json"
    )
    assert added.code == 0
    assert custody("keys", "update", house.keys, third, "--json").code == 0
    assert house.sign("cco", "cco-b", "--public-key", new).code == 0
    assert house.verify().code == 0


@pytest.mark.parametrize(
    "options",
    [
        ["--add", "cco"],
        ["--add", "=x.pem"],
        ["--add", "cco=missing.pem"],
        ["--threshold", "cco"],
        ["--threshold", "cco=-1"],
        ["--threshold", "cco=2"],
        ["--remove", "0123"],
        ["--optional", "nobody"],
    ],
)
def test_wrong_changes_are_refused_and_write_nothing(house: House, options: list[str]) -> None:
    out = house.folder / "2.json"
    answer = custody("keys", "rotate", house.keys, "--out", out, *options, "--key", house.key("root"), "--json")
    assert (answer.code, set(answer.json)) == (2, {"error"})
    assert not out.exists()


def test_a_list_is_written_to_a_new_file_only(house: House) -> None:
    before = house.bundle.read_bytes()
    answer = custody("keys", "rotate", house.keys, "--out", house.bundle, "--key", house.key("root"), "--json")
    assert (answer.code, answer.error) == (2, "key-list-not-written")
    assert house.bundle.read_bytes() == before


def test_show_says_who_may_sign_and_what_is_lacking(house: House) -> None:
    shown = custody("keys", "show", house.keys)
    assert shown.code == 0
    for words in ("operations", "1 of 1, must sign", "signed this list", "version 1"):
        assert words in shown.out
    value = json.loads(house.keys.read_bytes())
    house.keys.write_text(json.dumps({**value, "signatures": []}), encoding="utf-8")
    draft = custody("keys", "show", house.keys)
    assert draft.code == 2
    assert "draft" in draft.out
    assert house.verify().code == 2


# Time stamps ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tsa"))


def test_an_authority_stamps_a_bundle_over_http(house: House, authority: Authority) -> None:
    assert house.sign("cco").code == 0
    before = read_manifest(house.bundle)
    root = authority.folder / "root.pem"
    with serve(authority) as served:
        answer = custody("timestamp", house.bundle, "--tsa", served.url, "--tsa-certificate", root, "--json")
    assert answer.code == 0, answer
    ((media, body),) = served.asked
    assert media == "application/timestamp-query"
    assert bytes.fromhex(answer.json["digest"]) in body, "the digest is what is sent"
    assert len(body) < 100, "and nothing else"
    assert read_manifest(house.bundle) == before
    verified = house.verify("--tsa-certificate", root)
    assert verified.code == 0
    (found,) = [each for each in verified.json["checks"] if each["number"] == 25]
    assert (found["status"], found["compared"]) == ("passed", 1)
    assert house.countersign("--tsa-certificate", root).code == 0
    # exporting the very same bundle again keeps the stamp: tests/exports/test_additions.py


def test_an_authority_that_misbehaves_adds_nothing(
    house: House, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = house.bundle.read_bytes()
    root = authority.folder / "root.pem"
    other = make_authority(tmp_path_factory.mktemp("other"), "Another TSA")
    stale = authority.stamp(read_manifest(house.bundle))
    with serve(authority) as served:
        command = ["timestamp", house.bundle, "--tsa", served.url, "--json", "--tsa-certificate"]
        for served.status, served.instead, certificate, code in (
            (200, stale, root, "time-stamp-invalid"),  # of another request
            (200, b"<html>", root, "time-stamp-invalid"),
            (200, b"", root, "time-stamp-invalid"),
            (404, b"", root, "time-stamp-invalid"),
            (302, b"", root, "malformed-answer"),
            (200, bytes(300_000), root, "malformed-answer"),
            (200, None, other.folder / "root.pem", "time-stamp-invalid"),
            (200, None, house.keys, "time-stamp-invalid"),
        ):
            answer = custody(*command, certificate)
            assert (answer.code, answer.error) == (2, code), (served.status, answer)
            assert served.url not in answer.out + answer.err
            assert house.bundle.read_bytes() == before
    gone = custody(*command, root)
    assert (gone.code, gone.error) == (2, "node-unavailable")
    plain = custody("timestamp", house.bundle, "--tsa", "http://tsa.example/tsr", "--tsa-certificate", root, "--json")
    assert (plain.code, plain.error) == (2, "chain-config")
    assert "tsa.example" not in plain.out + plain.err
    assert house.bundle.read_bytes() == before


@pytest.mark.fault("E9")
def test_a_stamp_saves_what_a_stolen_key_signed_before(house: House, authority: Authority) -> None:
    assert house.sign("cco").code == 0
    root = authority.folder / "root.pem"
    with serve(authority) as served:
        assert custody("timestamp", house.bundle, "--tsa", served.url, "--tsa-certificate", root).code == 0
    second = house.folder / "2.json"
    revoke = ["keys", "revoke", house.keys, house.id_of("cco"), "--compromised", "--from", "2199-01-01T00:00:00Z"]
    assert custody(*revoke, "--out", second, "--key", house.key("root")).code == 2  # no other key of the role
    custody("keys", "update", house.keys, second)
    assert house.verify("--tsa-certificate", root).code == 0
    assert house.verify().code == 1


def test_a_bundle_of_another_kind_of_file_is_not_stamped(house: House, authority: Authority) -> None:
    root = authority.folder / "root.pem"
    with serve(authority) as served:
        answer = custody("timestamp", house.keys, "--tsa", served.url, "--tsa-certificate", root, "--json")
    assert (answer.code, answer.error) == (2, "container-invalid")
    assert served.asked == []
