"""A review of who else could move client assets, from the books and a real chain to the command's answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from chains.devnet import lies
from chains.devnet.deploy import deployed, transact
from chains.devnet.lying_proxy import LyingProxy
from chains.errors import NodeUnavailable, ReadError
from chains.evm.encumbrance_types import EncumbranceSettings, Fact
from chains.reader import NodeConfig
from chains.types import Address, AssetId, ChainId
from tests.chains.evm.encumbered import delegate
from tests.verifier.sweep.desk import Desk
from tests.verifier.sweep.world import OMNIBUS, SECOND, STRANGER, AnvilWorld
from verifier.cli import encumbrances
from verifier.encumbrance_view import parse_earlier, review_json
from verifier.encumbrances import Earlier, EncumbranceReview, review_chain
from verifier.errors import InputError
from verifier.records import FindingKind

pytestmark = pytest.mark.devnet

Lying = Callable[..., LyingProxy]


def act(world: AnvilWorld, sender: str, to: str, signature: str, *args: object) -> None:
    """One transaction of an account whose key is not needed."""
    world.node.impersonate(sender)
    world.node.set_balance(sender, 10**18)
    transact(world.node, sender, to, signature, list(args))


def review(desk: Desk, *, earlier: Earlier | None = None, first_height: int = 0) -> EncumbranceReview:
    now = desk.now()
    return review_chain(
        desk.config,
        {wallet.address: wallet for wallet in desk.store.wallets(desk.chain_id, now)},
        [desk.native, desk.usdx],
        first_height=first_height,
        now=now,
        earlier=earlier,
    )


def as_earlier(seen: EncumbranceReview) -> Earlier:
    """The review as a later one is given it: through its text."""
    return parse_earlier(json.dumps(review_json(seen)))


def told(seen: EncumbranceReview) -> list[tuple[str, str, int | None]]:
    return [(str(each.kind), each.location_id.rpartition(":")[2], each.base_units) for each in seen.findings]


def test_from_nobody_to_an_allowance_and_back(desk: Desk, world: AnvilWorld) -> None:
    desk.open_books(OMNIBUS, SECOND)
    world.mint(OMNIBUS, 1_000)
    clean = review(desk)
    assert (clean.findings, clean.exit_code, len(clean.reading.wallets)) == ((), 0, 2)
    act(world, OMNIBUS, world.usdx.address, "approve(address,uint256)", STRANGER, 700)
    encumbered = review(desk)
    assert told(encumbered) == [("encumbrance", OMNIBUS, 700)]
    assert encumbered.exit_code == 1
    assert encumbered.findings[0].provisional  # the desk reads at the tip
    world.mint(OMNIBUS, 1)
    act(world, OMNIBUS, world.usdx.address, "approve(address,uint256)", STRANGER, 0)
    assert review(desk).exit_code == 0


def test_what_a_spender_took_is_seen_by_the_nonce_that_stood_still(desk: Desk, world: AnvilWorld) -> None:
    desk.open_books(OMNIBUS)
    world.mint(OMNIBUS, 1_000)
    act(world, OMNIBUS, world.usdx.address, "approve(address,uint256)", STRANGER, 700)
    before = review(desk)
    act(world, STRANGER, world.usdx.address, "transferFrom(address,address,uint256)", OMNIBUS, STRANGER, 300)
    after = review(desk, earlier=as_earlier(before))
    assert told(after) == [("encumbrance", OMNIBUS, 400), ("control_change", OMNIBUS, -300)]
    assert after.accounts_compared == 2  # the wallet and the token
    # The twin: the wallet's own transfer moves its nonce on.
    world.pay(OMNIBUS, STRANGER, 100)
    assert told(review(desk, earlier=as_earlier(after))) == [("encumbrance", OMNIBUS, 400)]


def test_a_key_that_delegates_and_is_drained(desk: Desk, world: AnvilWorld) -> None:
    taker = deployed(world.node, "Splitter")
    wallet = delegate(world.node, "0x" + "00" * 20)
    desk.open_books(wallet)
    before = review(desk)
    assert before.findings == ()
    delegate(world.node, taker.address)
    delegated = review(desk, earlier=as_earlier(before))
    held = world.node.balance(wallet)
    assert told(delegated) == [("encumbrance", wallet, held), ("control_change", wallet, held)]
    act(world, STRANGER, wallet, "sweep(address)", STRANGER)
    drained = review(desk, earlier=as_earlier(delegated))
    assert told(drained) == [("encumbrance", wallet, None), ("control_change", wallet, -held)]
    delegate(world.node, "0x" + "00" * 20)
    assert told(review(desk)) == []


def test_a_safe_that_loosens_its_rule(desk: Desk, world: AnvilWorld) -> None:
    owners = world.node.accounts()[:3]
    safe = deployed(world.node, "SafeLike", ["0x" + "51" * 20, owners, 2, False])
    desk.open_books(safe.address)
    world.mint(safe.address, 1_000)
    (wallet,) = desk.store.wallets(desk.chain_id, desk.now())
    mapped = (wallet.threshold, wallet.share_count)
    safe.transact("setOwners", owners[: mapped[1]], mapped[0])
    before = review(desk)
    assert before.findings == ()
    safe.transact("setOwners", owners[:1], 1)
    safe.transact("enableModule", STRANGER)
    after = review(desk, earlier=as_earlier(before))
    assert told(after) == [
        ("encumbrance", safe.address, 1_000),
        ("control_change", safe.address, 1_000),
        ("control_change", safe.address, 1_000),
    ]
    assert "1 of 1 owners" in after.findings[1].text
    assert f"modules was none, is {STRANGER}" in after.findings[2].text
    # Compared with the new state nothing changed; what stands is still said.
    assert told(review(desk, earlier=as_earlier(after))) == told(after)[:2]


def test_a_closed_wallet_is_not_asked_about(desk: Desk, world: AnvilWorld) -> None:
    desk.open_books(OMNIBUS, SECOND)
    act(world, SECOND, world.usdx.address, "approve(address,uint256)", STRANGER, 700)
    assert told(review(desk)) == [("encumbrance", SECOND, 0)]
    now = desk.now()
    wallets = {wallet.address: wallet for wallet in desk.store.wallets(desk.chain_id, now)}
    yesterday = (now - timedelta(days=1)).date()
    closed = replace(wallets[Address(SECOND)], opened_on=yesterday, closed_on=yesterday)
    mapped = {**wallets, closed.address: closed}
    seen = review_chain(desk.config, mapped, [desk.native, desk.usdx], first_height=0, now=now)
    assert (seen.findings, seen.reading.wallets) == ((), (OMNIBUS,))


def test_a_spender_that_is_always_asked_for(desk: Desk, world: AnvilWorld) -> None:
    desk.open_books(OMNIBUS)
    now = desk.now()
    wallets = {wallet.address: wallet for wallet in desk.store.wallets(desk.chain_id, now)}
    issuer = deployed(world.node, "IssuerToken", [STRANGER])
    asset = replace(desk.usdx, asset_id=AssetId(f"{desk.chain_id}/erc20:{issuer.address}"))
    issuer.transact("mint", OMNIBUS, 5)

    def found(settings: EncumbranceSettings | None) -> list[int | None]:
        seen = review_chain(desk.config, wallets, [asset], first_height=0, now=desk.now(), settings=settings)
        return [finding.base_units for finding in seen.findings]

    assert found(EncumbranceSettings(spenders_always_asked=(Address(STRANGER),))) == [5]
    assert found(None) == []


@pytest.mark.fault("G12")
def test_reads_that_fail_are_unverified_findings(desk: Desk, world: AnvilWorld, lying_node: Lying) -> None:
    desk.open_books(OMNIBUS)
    desk.use_nodes(lying_node(lies.fail("eth_getCode", -32000, "missing trie node")).url)
    seen = review(desk)
    assert {each.kind for each in seen.findings} == {FindingKind.UNVERIFIED}
    assert seen.exit_code == 2
    document = review_json(seen)
    assert all("account_kind" in state["unread"] for state in document["controls"])  # type: ignore[attr-defined]
    desk.use_nodes(world.node.url)
    assert review(desk).exit_code == 0


@pytest.mark.fault("A1")
def test_another_node_is_asked_when_one_is_silent(desk: Desk, world: AnvilWorld) -> None:
    desk.open_books(OMNIBUS)
    desk.use_nodes("http://127.0.0.1:1", world.node.url)
    assert review(desk).reading.node_id == "node-2"
    desk.use_nodes("http://127.0.0.1:1")
    with pytest.raises(NodeUnavailable):
        review(desk)
    desk.config = replace(desk.config, nodes=())
    with pytest.raises(ReadError):
        review(desk)


@pytest.mark.fault("G2")
def test_nothing_asked_is_not_nothing_found(desk: Desk, world: AnvilWorld) -> None:
    now = desk.now()
    nobody = review_chain(desk.config, {}, [desk.native, desk.usdx], first_height=0, now=now)
    assert (nobody.findings, nobody.exit_code) == ((), 2)
    desk.open_books(OMNIBUS)
    earlier = replace(as_earlier(review(desk)), controls=())
    with pytest.raises(InputError, match="nothing would be compared"):
        review(desk, earlier=earlier)
    late = world.node.block_number()
    assert [each.kind for each in review(desk, first_height=late).findings] == [FindingKind.COVERAGE_GAP]
    with pytest.raises(InputError, match="is above block"):
        review(desk, first_height=late + 1)


def test_an_earlier_review_that_does_not_fit_is_refused(desk: Desk, world: AnvilWorld) -> None:
    desk.open_books(OMNIBUS)
    seen = review(desk)
    earlier = as_earlier(seen)
    assert earlier.controls == seen.reading.controls
    assert earlier.block == seen.reading.block
    with pytest.raises(InputError, match="is of eip155:5"):
        review(desk, earlier=replace(earlier, chain_id=ChainId("eip155:5")))
    later = replace(earlier, block=replace(earlier.block, height=10**6))
    with pytest.raises(InputError, match="later than block"):
        review(desk, earlier=later)
    with pytest.raises(InputError, match="not an EVM chain"):
        review_chain(replace(desk.config, chain_id=ChainId("bip122:0")), {}, [], first_height=0, now=desk.now())


def _document(desk: Desk) -> dict[str, Any]:
    return json.loads(json.dumps(review_json(review(desk))))  # type: ignore[no-any-return]


def test_an_earlier_review_is_read_strictly(desk: Desk) -> None:
    desk.open_books(OMNIBUS)
    good = _document(desk)
    assert parse_earlier(json.dumps(good)).controls
    control = good["controls"][0]
    broken: list[Any] = [
        [],
        {},
        {**good, "height": "7"},
        {**good, "height": True},
        {**good, "block_hash": "0x1"},
        {**good, "block_time": "2026-01-01T00:00:00"},
        {**good, "controls": [control, control]},
        {**good, "controls": [{**control, "role": "owner"}]},
        {**good, "controls": [{**control, "facts": {"colour": "red"}}]},
        {**good, "controls": [{**control, "facts": []}]},
        {**good, "controls": [{**control, "facts": {str(Fact.GUARD): 5}}]},
        {**good, "controls": [{**control, "nonce": -1}]},
        {**good, "controls": [{name: value for name, value in control.items() if name != "nonce"}]},
        {**good, "balances": [{"address": OMNIBUS, "asset_id": "x", "base_units": 5}]},
        {**good, "balances": [{"address": OMNIBUS, "asset_id": "x", "base_units": "-5"}]},
    ]
    for document in broken:
        with pytest.raises(InputError, match="not one that --json wrote"):
            parse_earlier(json.dumps(document))
    with pytest.raises(InputError, match="not one that --json wrote"):
        parse_earlier("{")


# The command


class Command:
    """`custody chain encumbrances` with a configuration of its own."""

    def __init__(self, desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.chain_id, self.folder = desk.chain_id, folder
        config = folder / "custody.toml"
        node = desk.config.nodes[0]
        config.write_text(
            f"""
[firm]
name = "Test firm"
[database]
url = "sqlite:///custody.db"
[[chains]]
chain_id = "{desk.chain_id}"
name = "test chain"
genesis_hash = "{desk.config.genesis_hash}"
finality = "latest"
head_age_seconds_max = 1000000000
head_future_seconds_max = 1000000000
native_asset = {{asset_id = "{desk.native.asset_id}", symbol = "ETH"}}
nodes = [{{node_id = "{node.node_id}", operator = "{node.operator}", url = "{node.url}"}}]
"""
        )
        monkeypatch.setenv("CUSTODY_CONFIG", str(config))
        self._app = typer.Typer()
        chain_app = typer.Typer()
        encumbrances.register(chain_app)
        chain_app.command("other")(lambda: None)  # a group of one command would not be a group
        self._app.add_typer(chain_app, name="chain")

    def run(self, *arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(self._app, ["chain", "encumbrances", *arguments])
        return result.exit_code, result.stdout

    def json(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        code, text = self.run(self.chain_id, "--json", *arguments)
        return code, json.loads(text)


def test_the_command_says_what_it_found(
    desk: Desk, world: AnvilWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.open_books(OMNIBUS)
    world.mint(OMNIBUS, 2_000_000)
    command = Command(desk, tmp_path, monkeypatch)
    code, clean = command.json()
    assert (code, clean["exit_code"], clean["wallets"], clean["findings"]) == (0, 0, 1, [])
    assert "nobody else was found" in command.run(desk.chain_id)[1]
    saved = tmp_path / "before.json"
    saved.write_text(json.dumps(clean))
    act(world, OMNIBUS, world.usdx.address, "approve(address,uint256)", STRANGER, 700_000)
    code, found = command.json("--since", str(saved))
    assert (code, found["exit_code"], found["accounts_compared"]) == (1, 1, 2)
    assert found["compared_with"] == {"height": clean["height"], "block_hash": clean["block_hash"]}
    (finding,) = found["findings"]
    assert (finding["kind"], finding["base_units"], finding["quantity"]) == ("encumbrance", "700000", "0.700000")
    (grant,) = found["grants"]
    assert (grant["spender"], grant["base_units"], grant["unlimited"]) == (STRANGER, "700000", False)
    code, text = command.run(desk.chain_id, "--since", str(saved))
    assert code == 1
    assert "0.70 USDX" in text
    assert "compared with block" in text
    assert world.node.url not in text
    world.mint(OMNIBUS, 1)
    code, late = command.json("--from-height", str(found["height"] + 1))
    assert (code, {each["kind"] for each in late["findings"]}) == (2, {"coverage_gap"})


def test_the_command_refuses_what_it_cannot_use(
    desk: Desk, world: AnvilWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.open_books(OMNIBUS)
    command = Command(desk, tmp_path, monkeypatch)
    assert command.run("eip155:99")[0] == 2
    code, answer = command.json("--since", str(tmp_path / "none.json"))
    assert (code, answer["error"]["code"]) == (2, "bad-input")
    assert str(tmp_path) not in answer["error"]["message"]
    (tmp_path / "bad.json").write_bytes(b"\xff")
    assert command.json("--since", str(tmp_path / "bad.json"))[0] == 2
    monkeypatch.setattr(encumbrances, "EARLIER_BYTES_MAX", 0)
    assert "larger" in command.json("--since", str(tmp_path / "bad.json"))[1]["error"]["message"]
    assert command.json("--from-height", "99999999")[1]["error"]["code"] == "bad-input"
    silent = NodeConfig("node-1", "operator-1", "http://127.0.0.1:1")
    desk.config = replace(desk.config, nodes=(silent,))
    code, answer = Command(desk, tmp_path, monkeypatch).json()
    assert (code, answer["error"]["code"]) == (2, "node-unavailable")
    assert "127.0.0.1" not in json.dumps(answer)
    assert Address(OMNIBUS) in {wallet.address for wallet in desk.store.wallets(desk.chain_id, desk.now())}
