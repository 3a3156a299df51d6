"""What the firm exports, an auditor accepts; what was changed afterwards, an auditor refuses."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chains.types import ChainId, Finality
from exports.bundle import digest_of_file
from exports.canonical import canonical_json
from exports.strictzip import write_zip
from tests.fakes.chain import FakeChain, Payment
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import address
from verifier.errors import BundleRefused, InputError, StoreBusy, StoreError, StoreUnavailable
from verifier.head_look import HeadLook
from verifier.records import FindingKind
from verifier.store import IssuedBundle, Store, open_store

A, B, C, D, OUTSIDE, FIRM, INVENTORY = (address(number) for number in range(1, 8))


@contextmanager
def fresh_store(template: Path, folder: Path) -> Iterator[Store]:
    """A store of its own on SQLite."""
    shutil.copy(template, folder / "custody.db")
    store = open_store(f"sqlite:///{folder / 'custody.db'}")
    try:
        yield store
    finally:
        store.close()


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[MemoryDesk]:
    """One omnibus wallet of two clients, all as the books say."""
    with fresh_store(sqlite_template, tmp_path) as store:
        desk = MemoryDesk(store, tmp_path)
        desk.history_from = 1
        desk.open_books(A, B)
        desk.chain.mint(A, desk.asset, 1_000)
        desk.allocate(A, C_1=600, C_2=400)
        yield desk


@pytest.fixture
def issuer(desk: MemoryDesk, tmp_path: Path) -> Issuer:
    """The desk's firm."""
    return Issuer.of(tmp_path, desk)


def records(path: Path, kind: str) -> list[dict[str, Any]]:
    """The records of one kind in a bundle."""
    with zipfile.ZipFile(path) as file:
        return [json.loads(line) for line in file.read(f"records/{kind}.jsonl").splitlines()]


def heights(path: Path) -> list[int]:
    """Blocks of the movements in a bundle."""
    return sorted(int(transfer["height"]) for transfer in records(path, "transfers"))


def test_a_clean_bundle_verifies_offline_and_against_the_chain(desk: MemoryDesk, issuer: Issuer) -> None:
    assert desk.sweep().exit_code == 0
    written = issuer.issue()
    for nodes in (False, True):
        report = issuer.verify(written.path, nodes=nodes)
        assert report.exit_code == 0, refused(report)
    assert {record["client_id"] for record in records(written.path, "allocations")} == {"C-1", "C-2"}


@pytest.mark.fault("E11")
def test_each_bundle_follows_the_one_before_and_holds_the_movements_since(desk: MemoryDesk, issuer: Issuer) -> None:
    desk.sweep()
    first = issuer.issue("first.zip")
    desk.chain.mint(A, desk.asset, 50)
    desk.sweep()
    second = issuer.issue("second.zip")
    desk.chain.mine(3)
    desk.sweep()
    third = issuer.issue("third.zip")
    assert [b.manifest.sequence for b in (first, second, third)] == [1, 2, 3]
    assert (first.manifest.previous_digest, third.manifest.previous_digest) == (None, second.digest)
    assert heights(first.path) == [1]
    assert heights(second.path) == [2]
    assert heights(third.path) == []
    assert issuer.verify(second.path, after=(1, first.digest)).exit_code == 0
    assert issuer.verify(third.path, after=(1, first.digest)).exit_code == 0
    assert 15 in refused(issuer.verify(first.path, after=(2, second.digest)))
    assert 15 in refused(issuer.verify(second.path, after=(1, third.digest)))


def test_since_starts_the_movements_earlier(desk: MemoryDesk, issuer: Issuer) -> None:
    desk.sweep()
    issuer.issue("first.zip")
    desk.chain.mint(A, desk.asset, 50)
    desk.sweep()
    again = issuer.issue("second.zip", {desk.chain_id: 1})
    assert heights(again.path) == [1, 2]
    assert issuer.verify(again.path).exit_code == 0
    with pytest.raises(InputError, match="eip155:5"):
        issuer.issue("third.zip", {"eip155:5": 1})


@pytest.mark.fault("G14")
def test_what_was_read_afterwards_for_a_wallet_mapped_late_is_in_the_next_bundle(
    desk: MemoryDesk, issuer: Issuer
) -> None:
    desk.chain.mint(C, desk.asset, 50)
    desk.chain.mine()
    desk.sweep()
    assert heights(issuer.issue("first.zip").path) == [1]
    desk.take(wallets=[{"address": C, "opened_on": "2026-03-01"}])
    desk.allocate(C, C_1=50)
    desk.chain.mine()
    assert desk.sweep().exit_code == 0
    late = issuer.issue("second.zip")
    assert heights(late.path) == [1, 2], "the bundle goes back to the first block that was read again"
    assert issuer.verify(late.path, nodes=True).exit_code == 0
    desk.chain.mine()
    desk.sweep()
    assert heights(issuer.issue("third.zip").path) == []


def test_what_only_a_look_saw_is_in_no_bundle(desk: MemoryDesk, issuer: Issuer) -> None:
    desk.use_finality("confirmed(2)")
    desk.chain.mine(2)
    desk.sweep()
    desk.chain.pay(A, OUTSIDE, desk.asset, 7)
    latest = replace(desk.config, finality=Finality.parse("latest"))
    look = HeadLook(desk.store, latest, desk.plugin, desk.settings, history_from_height=None, clock=desk.now)
    assert look.look(desk.plugin.open(latest, latest.nodes[0])) is not None
    assert len(desk.store.cases()) == 2
    assert records(issuer.issue("first.zip").path, "cases") == []
    desk.chain.mine(2)
    desk.sweep()
    assert len(records(issuer.issue("second.zip").path, "cases")) == 2


def test_a_sweep_of_an_earlier_block_hides_no_movement(desk: MemoryDesk, issuer: Issuer) -> None:
    desk.chain.mint(A, desk.asset, 7)
    desk.chain.mint(A, desk.asset, 8)
    desk.sweep()
    desk.sweep(at=1)
    first = issuer.issue("first.zip")
    assert heights(first.path) == [1, 2, 3], "the bundle is of the highest block, not of the last look back"
    desk.chain.mint(A, desk.asset, 9)
    desk.sweep()
    assert heights(issuer.issue("second.zip").path) == [4]


def test_movements_of_blocks_that_left_the_chain_are_told_anew(desk: MemoryDesk, issuer: Issuer) -> None:
    desk.sweep()
    desk.chain.mint(A, desk.asset, 7)
    desk.sweep()
    first = issuer.issue("first.zip")
    desk.chain.reorganise(1, [Payment(None, A, desk.asset, 6)])
    desk.chain.mint(B, desk.asset, 5)
    desk.sweep()
    second = issuer.issue("second.zip")
    assert (heights(first.path), heights(second.path)) == ([1, 2], [2, 3])
    assert issuer.verify(second.path, nodes=True).exit_code == 0


@pytest.mark.fault("A34")
def test_a_bundle_whose_block_left_the_chain_stays_and_your_own_node_says_so(desk: MemoryDesk, issuer: Issuer) -> None:
    desk.sweep()
    written = issuer.issue()
    assert issuer.verify(written.path, nodes=True).exit_code == 0
    desk.chain.reorganise(1, [])
    assert issuer.verify(written.path).exit_code == 0
    report = issuer.verify(written.path, nodes=True)
    assert report.exit_code == 1
    assert "no longer canonical" in refused(report)[16][0]


def test_the_bundle_is_refused_until_a_sweep_stands(desk: MemoryDesk, issuer: Issuer, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sweep"):
        issuer.issue()
    desk.sweep()
    desk.chain.reorganise(1, [])
    desk.node().is_down = True
    desk.sweep()
    issuer.issue()  # nobody told the firm yet that the block is gone
    desk.node().is_down = False
    desk.chain.mine(1)
    desk.chain.reorganise(2, [], [])
    desk.sweep()
    assert issuer.issue("later.zip").manifest.sequence == 2


def test_nothing_compared_is_nothing_to_export(sqlite_template: Path, tmp_path: Path) -> None:
    with fresh_store(sqlite_template, tmp_path) as store:
        desk = MemoryDesk(store, tmp_path)
        desk.chain.mine(1)
        assert desk.sweep().exit_code == 2
        with pytest.raises(InputError, match="compared nothing"):
            Issuer.of(tmp_path, desk).issue()


def test_a_case_closed_too_early_keeps_the_bundle_from_being_issued(desk: MemoryDesk, issuer: Issuer) -> None:
    desk.chain.pay(A, OUTSIDE, desk.asset, 10)
    desk.sweep()
    desk.close(next(case for case in desk.open_cases(FindingKind.SHORTFALL)))
    with pytest.raises(BundleRefused, match=r"check 11.*shortfall"):
        issuer.issue()
    assert not (issuer.folder / "bundle.zip").exists()
    assert desk.store.bundles() == []
    desk.sweep()
    assert issuer.verify(issuer.issue().path).exit_code == 0


def test_two_chains_stand_in_one_bundle(sqlite_template: Path, tmp_path: Path) -> None:
    with fresh_store(sqlite_template, tmp_path) as store:
        (tmp_path / "one").mkdir()
        (tmp_path / "two").mkdir()
        one = MemoryDesk(store, tmp_path / "one")
        two = MemoryDesk(store, tmp_path / "two", chain=FakeChain(ChainId("eip155:10")))
        one.open_books(A)
        two.take(assets=[{}], wallets=[{"address": A}])
        for desk, figure in ((one, 5), (two, 7)):
            desk.chain.mint(A, desk.asset, figure)
            desk.allocate(A, C_1=figure)
        two.chain.pay(A, OUTSIDE, two.asset, 2)
        assert (one.sweep().exit_code, two.sweep().exit_code) == (0, 1)
        issuer = Issuer.of(tmp_path, one, two)
        written = issuer.issue()
        report = issuer.verify(written.path, nodes=True)
        assert report.exit_code == 0, refused(report)
        assert written.manifest.scope.chains == ("eip155:10", "eip155:31337")
        only_one = Issuer(issuer.desks[:1], tmp_path, issuer.key, issuer.trusted)
        alone = only_one.issue("alone.zip")
        assert only_one.verify(alone.path).exit_code == 0, "cases of another chain are not in its bundle"
        assert records(alone.path, "cases") == []


@pytest.mark.parametrize("is_back", [True, False])
def test_a_database_that_went_away_while_a_bundle_was_recorded(
    desk: MemoryDesk, issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_back: bool
) -> None:
    """It was stored, and not confirmed: what the journal names must not be deleted."""
    desk.sweep()
    store = type(desk.store)
    real = store.add_bundle

    def away(*_: object) -> None:
        raise StoreUnavailable("the server closed the connection")

    def stored_and_cut_off(*arguments: Any) -> None:
        real(*arguments)
        if not is_back:
            monkeypatch.setattr(store, "wait_for_writers", away)
        away()

    monkeypatch.setattr(store, "add_bundle", stored_and_cut_off)
    path = tmp_path / "first.zip"
    if is_back:
        issuer.issue("first.zip")
    else:
        with pytest.raises(StoreUnavailable, match="was issued is not known") as raised:
            issuer.issue("first.zip")
        assert "custody journal show" in raised.value.advice
    monkeypatch.undo()
    (issued,) = desk.store.bundles()
    assert issued.digest == digest_of_file(path)
    assert issuer.issue("second.zip").path.exists(), "the next one follows it"


@pytest.mark.fault("E13")
def test_the_same_state_gives_the_same_digest_whoever_repeats_it(
    desk: MemoryDesk, issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.sweep()

    def full(*_: object) -> None:
        raise StoreBusy("another writer")

    monkeypatch.setattr(type(desk.store), "add_bundle", full)
    with pytest.raises(StoreBusy):
        issuer.issue("first.zip")
    assert not (tmp_path / "first.zip").exists(), "what was not recorded was not issued"
    entries = desk.store.head()
    monkeypatch.undo()
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(tmp_path / "custody.db")) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    first = issuer.issue("first.zip")
    other = open_store(f"sqlite:///{copy}")
    try:
        assert other.head() == entries
        twin = MemoryDesk(other, tmp_path, chain=desk.chain)
        second = replace(issuer, desks=[twin]).issue("second.zip")
    finally:
        other.close()
    assert first.digest == second.digest
    assert first.manifest.created_at == second.manifest.created_at


@pytest.mark.fault("E13")
def test_a_file_left_by_a_killed_export_is_recorded_when_repeated(desk: MemoryDesk, issuer: Issuer) -> None:
    desk.sweep()
    first = issuer.issue("bundle.zip")
    before = first.path.read_bytes()
    with pytest.raises(InputError, match="another bundle"):
        issuer.issue("bundle.zip")
    assert first.path.read_bytes() == before
    (issuer.folder / "note.txt").write_text("mine")
    with pytest.raises(InputError, match="another bundle"):
        issuer.issue("note.txt")
    assert (issuer.folder / "note.txt").read_text() == "mine"


@pytest.mark.fault("E13")
@pytest.mark.parametrize("moment", ["writing", "flushed", "renamed"])
def test_an_export_killed_at_any_moment_leaves_no_half_file(
    desk: MemoryDesk, issuer: Issuer, tmp_path: Path, moment: str
) -> None:
    desk.sweep()
    pid = os.fork() if hasattr(os, "fork") else -1
    if pid < 0:
        pytest.skip("needs fork")
    if pid == 0:  # the child dies in the middle of its export, as by kill -9
        import exports.bundle as module

        def die(*_: object, **__: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        if moment == "writing":
            names = vars(module)
            real = names["write_zip"]

            def half(file: Any, contents: Any) -> None:
                real(file, dict(list(contents.items())[:2]))
                file.flush()
                die()

            names["write_zip"] = half
        elif moment == "flushed":
            Path.replace = die  # type: ignore[assignment,method-assign]
        else:
            Store.add_bundle = die  # type: ignore[method-assign]
        try:
            own = open_store(f"sqlite:///{tmp_path / 'custody.db'}")
            child = MemoryDesk(own, tmp_path, chain=desk.chain)
            replace(issuer, desks=[child]).issue()
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
    path = tmp_path / "bundle.zip"
    assert path.exists() is (moment == "renamed")
    left = issuer.verify(path).bundle if path.exists() else None
    written = issuer.issue()
    assert issuer.verify(path).exit_code == 0
    assert left is None or left.digest == written.digest
    assert [bundle.digest for bundle in desk.store.bundles()] == [written.digest]


def test_what_is_recorded_while_the_bundle_is_made_keeps_it_from_being_issued(
    desk: MemoryDesk, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.sweep()
    real = type(desk.store).bundles

    def meanwhile(store: Store) -> list[IssuedBundle]:
        desk.allocate(A, C_1=601, C_2=400)
        return real(store)

    desk.chain.mine(1)
    with monkeypatch.context() as patched:
        patched.setattr(type(desk.store), "bundles", meanwhile)
        with pytest.raises(StoreBusy, match="while the bundle was made"):
            issuer.issue()
    assert not (issuer.folder / "bundle.zip").exists()
    assert issuer.verify(issuer.issue().path).exit_code == 0


def test_a_number_that_was_given_to_another_bundle_takes_the_file_away(
    desk: MemoryDesk, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.sweep()
    real = type(desk.store).add_bundle

    def beaten(store: Store, bundle: IssuedBundle, actor: str, now: Any) -> None:
        real(store, replace(bundle, digest="f" * 64), "another", now)
        real(store, bundle, actor, now)

    monkeypatch.setattr(type(desk.store), "add_bundle", beaten)
    with pytest.raises(StoreError, match="issued already"):
        issuer.issue()
    assert not (issuer.folder / "bundle.zip").exists()


def tampered(path: Path, kind: str, change: Callable[[dict[str, Any]], None], *, signed_again: Issuer | None) -> Path:
    """A copy with one record changed; its digests computed anew and, by a thief of the key, signed."""
    from exports.envelope import sign_manifest
    from exports.keys import load_signer
    from exports.manifest import digest_hex

    with zipfile.ZipFile(path) as file:
        contents = {name: file.read(name) for name in file.namelist()}
    name = f"records/{kind}.jsonl"
    lines = [json.loads(line) for line in contents[name].splitlines()]
    change(lines[0])
    contents[name] = b"".join(line + b"\n" for line in sorted(canonical_json(line) for line in lines))
    if signed_again is not None:
        manifest = json.loads(contents["manifest.json"])
        for member in manifest["members"]:
            if member["name"] == name:
                member["sha256"], member["size_bytes"] = digest_hex(contents[name]), len(contents[name])
        contents["manifest.json"] = canonical_json(manifest)
        contents.update(sign_manifest(contents["manifest.json"], [load_signer(f"file2:{signed_again.key}")]).members)
    copy = path.with_name("tampered.zip")
    with copy.open("wb") as out:
        write_zip(out, contents)
    return copy


@pytest.mark.fault("E1")
@pytest.mark.parametrize(
    ("kind", "field", "value", "number"),
    [
        ("balances", "base_units", "999", 8),
        ("allocations", "base_units", "999", 7),
        ("reconciliations", "difference", "1", 9),
        ("reconciliations", "status", "unverified", 9),
        ("sweeps", "matched", 7, 10),
        ("balances", "grade", "proven", 12),
        ("balances", "block_hash", "0x" + "9" * 64, 13),
        ("transfers", "height", 99, 14),
        ("wallets", "address", OUTSIDE, 6),
    ],
)
def test_a_tampered_copy_is_refused_by_the_check_that_should(
    desk: MemoryDesk, issuer: Issuer, kind: str, field: str, value: object, number: int
) -> None:
    desk.sweep()
    path = issuer.issue().path

    def change(record: dict[str, Any]) -> None:
        assert record[field] != value
        record[field] = value

    assert 4 in refused(issuer.verify(tampered(path, kind, change, signed_again=None)))
    resigned = issuer.verify(tampered(path, kind, change, signed_again=issuer))
    assert resigned.exit_code == 1
    found = refused(resigned)
    assert number in found, found
    assert 3 not in found
    assert 4 not in found


WALLETS = (A, B, C, D)
FIGURES = st.integers(0, 30)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
@pytest.mark.fault("E12")
def test_whatever_the_world_is_like_the_firms_own_bundle_verifies(sqlite_template: Path, data: st.DataObject) -> None:
    draw = data.draw
    with tempfile.TemporaryDirectory() as name, fresh_store(sqlite_template, Path(name)) as store:
        desk = MemoryDesk(store, Path(name))
        desk.history_from = draw(st.sampled_from([None, 0, 1]), "history from")
        dust = draw(st.sampled_from(["0", "0.00001"]), "dust limit")
        closed = draw(st.booleans(), "D is closed")
        pooled = draw(st.booleans(), "B and C are a pool")
        desk.chain.mine(1)
        desk.open_books(A, B, assets=[{"dust_limit": dust}])
        today = desk.chain.head_time().date().isoformat()
        desk.take(
            wallets=[
                {"address": C},
                {"address": D, "structure": "fully_segregated", "closed_on": today if closed else ""},
            ],
            firm_addresses=[{"address": FIRM}],
        )
        if pooled:
            desk.take(pools=[{"address": wallet} for wallet in (B, C)])
        if draw(st.booleans(), "the custodian lists addresses"):
            desk.take(custodian_addresses=[{"address": wallet} for wallet in (A, INVENTORY)])
        for wallet in (*WALLETS, INVENTORY):
            if figure := draw(FIGURES, "on chain"):
                desk.chain.mint(wallet, desk.asset, figure)
        places = [A, "pool:P-1"] if pooled else [A, B]
        for place in places:
            desk.allocate(place, C_1=draw(FIGURES, "C-1"), C_2=draw(FIGURES, "C-2"))
        if not closed:
            desk.allocate(D, C_3=draw(FIGURES, "C-3"))
        if draw(st.booleans(), "a client goes below zero"):
            desk.take(
                ledger_entries=[
                    {
                        "entry_id": "E-1",
                        "client_id": "C-2",
                        "location": desk.at(A),
                        "quantity": desk.asset.format_quantity(-31),
                        "kind": "movement",
                    }
                ]
            )
        issuer = Issuer.of(Path(name), desk)
        previous: tuple[int, str] | None = None
        for number in range(draw(st.integers(1, 3), "days")):
            if draw(st.booleans(), "a statement"):
                quantity = desk.asset.format_quantity(draw(FIGURES, "stated"))
                desk.take(positions=[{"location": desk.at(A), "quantity": quantity, "statement_id": f"S-{number}"}])
            for _ in range(draw(st.integers(0, 2), "payments")):
                sender = draw(st.sampled_from(WALLETS), "from")
                receiver = draw(st.sampled_from((*WALLETS, OUTSIDE, FIRM, INVENTORY)), "to")
                held = desk.chain.blocks[-1].balances.get((sender, desk.asset.asset_id), 0)
                if not held:
                    continue
                amount = draw(st.integers(1, held), "paid")
                if draw(st.booleans(), "approved") and sender != receiver:
                    name_ = f"AUTH-{number}-{len(desk.chain.blocks)}"
                    desk.approve(name_, sender, receiver, draw(st.integers(1, 30), "allowed"))
                desk.chain.pay(sender, receiver, desk.asset, amount)
            silent = draw(st.sampled_from((*WALLETS, None)), "a node that does not answer for")
            desk.node().balances = {(silent, desk.asset.asset_id): None} if silent else {}
            desk.chain.mine(draw(st.integers(0, 3), "blocks"))
            desk.sweep()
            if draw(st.booleans(), "swept twice at one block"):
                desk.sweep()
            written = issuer.issue(f"bundle-{number}.zip")
            desk.node().balances = {}
            report = issuer.verify(written.path, after=previous, nodes=True)
            assert report.exit_code == 0, refused(report)
            previous = (written.manifest.sequence, written.digest)
