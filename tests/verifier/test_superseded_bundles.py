"""A bundle whose block left the chain is named by the next one that is issued, and by every one after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from exports.additions import add_signatures
from exports.bundle import digest_of_file
from tests.exports.keyring import signer
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.test_bundling import A, B, fresh_store, records
from verifier.errors import StoreError


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[MemoryDesk]:
    """One wallet on a chain that is read at its head."""
    with fresh_store(sqlite_template, tmp_path) as store:
        desk = MemoryDesk(store, tmp_path)
        desk.history_from = 1
        desk.open_books(A, B)
        desk.chain.mint(A, desk.asset, 1_000)
        desk.allocate(A, C_1=600, C_2=400)
        desk.chain.mine(3)
        yield desk


@pytest.fixture
def issuer(desk: MemoryDesk, tmp_path: Path) -> Issuer:
    return Issuer.of(tmp_path, desk)


@pytest.mark.fault("G19")
def test_the_bundles_after_a_reorganisation_name_the_one_it_touched(desk: MemoryDesk, issuer: Issuer) -> None:
    desk.sweep()
    first = issuer.issue("first.zip")
    pinned = desk.store.latest_summary(desk.chain_id)
    assert pinned is not None
    desk.chain.mine(1)
    desk.sweep()
    second = issuer.issue("second.zip")
    assert records(second.path, "superseded_bundles") == [], "nothing left the chain"
    desk.chain.reorganise(1)
    desk.chain.mine(2)
    desk.sweep()
    third = issuer.issue("third.zip")
    (named,) = records(third.path, "superseded_bundles")
    assert (named["bundle_id"], named["sequence"], named["digest"]) == ("bundle-000002", 2, second.digest)
    assert named["height"] == pinned.block.height + 1
    report = issuer.verify(third.path, after=(2, second.digest), nodes=True)
    assert report.exit_code == 0, refused(report)
    assert report.bundle is not None
    assert [line[:8] for line in report.bundle.superseded] == ["Bundle 2"]
    # the first one's block is still there, and the auditor's node no longer has the second one's
    assert issuer.verify(first.path, nodes=True).exit_code == 0
    assert 16 in refused(issuer.verify(second.path, nodes=True))
    desk.chain.mine(1)
    desk.sweep()
    fourth = issuer.issue("fourth.zip")
    assert records(fourth.path, "superseded_bundles") == [named], "it stays named"


@pytest.mark.fault("G19")
def test_a_deeper_reorganisation_touches_several_bundles(desk: MemoryDesk, issuer: Issuer) -> None:
    for name in ("first.zip", "second.zip"):
        desk.chain.mine(1)
        desk.sweep()
        issuer.issue(name)
    desk.chain.reorganise(2)
    desk.chain.mine(3)
    desk.sweep()
    third = issuer.issue("third.zip")
    assert [each["sequence"] for each in records(third.path, "superseded_bundles")] == [1, 2]
    assert issuer.verify(third.path).exit_code == 0


def test_a_block_that_came_back_is_named_no_more(desk: MemoryDesk, issuer: Issuer) -> None:
    desk.sweep()
    issuer.issue("first.zip")
    branch = desk.chain.branch()
    desk.chain.reorganise(1)
    desk.chain.mine(1)
    desk.sweep()
    assert len(records(issuer.issue("second.zip").path, "superseded_bundles")) == 1
    desk.chain.use(branch)
    desk.chain.mine(3)
    desk.sweep()
    third = issuer.issue("third.zip")
    assert [each["sequence"] for each in records(third.path, "superseded_bundles")] == [2]
    report = issuer.verify(third.path)
    assert report.exit_code == 0, refused(report)


def test_the_store_knows_the_blocks_of_a_bundle(desk: MemoryDesk, issuer: Issuer) -> None:
    desk.sweep()
    issuer.issue("first.zip")
    summary = desk.store.latest_summary(desk.chain_id)
    assert summary is not None
    (issued,) = desk.store.bundles()
    assert issued.blocks == ((desk.chain_id, summary.block.height, summary.block.block_hash),)
    assert desk.store.superseded_bundles() == []


@pytest.mark.fault("E13")
def test_a_failure_never_takes_away_a_bundle_that_others_signed(
    desk: MemoryDesk, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exported, not recorded (the process died), signed by somebody else, exported again."""
    desk.sweep()

    def full(*_: object) -> None:
        raise StoreError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr("verifier.bundling.IssuedBundle", _dies)
        with pytest.raises(_Died):
            issuer.issue("audit.zip")
    path = issuer.folder / "audit.zip"
    digest = digest_of_file(path)
    assert digest is not None
    add_signatures(path, [signer("cco-1")], digest)
    signed = path.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(type(desk.store), "add_bundle", full)
        with pytest.raises(StoreError):
            issuer.issue("audit.zip")
        with pytest.raises(StoreError):
            issuer.issue("other.zip")
    assert not (issuer.folder / "other.zip").exists(), "what is not in the journal was not issued"
    assert len(path.read_bytes()) == pytest.approx(len(signed), abs=8), "both signatures are there"
    assert issuer.issue("audit.zip").digest == digest
    assert issuer.verify(path).exit_code == 0


class _Died(BaseException):
    """Stands for the end of the process."""


def _dies(*_: object) -> None:
    raise _Died
