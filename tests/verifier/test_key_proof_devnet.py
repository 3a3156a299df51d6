"""Proof of control from the challenge to the report: on Anvil, through the commands, with a real sweep."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data

from chains.devnet.anvil import AnvilNode
from chains.devnet.deploy import deploy
from chains.types import Address, Asset, AssetId, ChainId
from mapping.types import AssetRecord, LegalClass, Record
from tests.verifier.store.story import imported, wallet
from verifier.cli import key_proof
from verifier.cli.app import run
from verifier.config import load_settings
from verifier.journal import verify_journal
from verifier.key_proof import MEANING
from verifier.store import Store, open_store

pytestmark = [pytest.mark.devnet, pytest.mark.anvil(private=True)]

Json = dict[str, Any]
LOCAL_KEY, OWNER_KEY, STRANGER_KEY = (bytes([number]) * 32 for number in (11, 12, 13))


def of_key(key: bytes) -> Address:
    return Address(Account.from_key(key).address)


@dataclass
class Firm:
    """A firm with four wallets: two that Anvil signs for, one with a key of ours, one that is a contract."""

    node: AnvilNode
    home: Path
    capsys: pytest.CaptureFixture[str]
    contract: Address
    answers: int = 0
    app: typer.Typer = field(default_factory=typer.Typer)

    def __post_init__(self) -> None:
        key_proof.register(self.app)
        self.chain = f"eip155:{self.node.chain_id}"
        first, second = self.node.accounts()[1:3]
        self.by_text, self.by_data = Address(first), Address(second)
        self.local = of_key(LOCAL_KEY)
        self.wallets = [self.by_text, self.by_data, self.local, self.contract]

    def command(self, *arguments: str, expect: int = 0) -> Json:
        """Run `custody key-proof … --json` and return what it prints."""
        self.capsys.readouterr()
        result = self.app(args=["key-proof", *arguments, "--json"], standalone_mode=False)
        printed = self.capsys.readouterr()
        assert int(result or 0) == expect, printed
        answer: Json = json.loads(printed.out)
        return answer

    def challenge(self, *arguments: str) -> Json:
        return self.command("challenge", self.chain, "--actor", "ops.maker", *arguments)

    def answer(self, request: Json, *signatures: Json, expect: int = 0, **changes: object) -> Json:
        """Give an answer file."""
        self.answers += 1
        document = {
            "format": "custody-verifier-key-answer",
            "version": 1,
            "nonce": request["challenge"]["nonce"],
            "challenge_sha256": request["challenge_sha256"],
            "signatures": signatures,
        }
        file = self.home / f"answer-{self.answers}.json"
        file.write_text(json.dumps(document | changes, indent=2), encoding="utf-8")
        return self.command("answer", str(file), "--actor", "ops.maker", expect=expect)

    def asked(self, request: Json, address: Address) -> Json:
        """What the address is asked to sign."""
        (found,) = [each for each in request["wallets"] if each["address"] == address]
        words: Json = found
        return words

    def node_text(self, request: Json, address: Address) -> Json:
        text = self.asked(request, address)["eip191"]
        return given(address, "eip191", self.node.rpc("eth_sign", address, "0x" + text.encode().hex()))

    def node_data(self, request: Json, address: Address) -> Json:
        data = self.asked(request, address)["eip712"]
        return given(address, "eip712", self.node.rpc("eth_signTypedData_v4", address, data))

    def local_text(self, request: Json, key: bytes, address: Address) -> Json:
        message = encode_defunct(text=self.asked(request, address)["eip191"])
        return given(address, "eip191", "0x" + Account.sign_message(message, key).signature.hex())

    def owner_data(self, request: Json, key: bytes, scheme: str = "eip1271") -> Json:
        message = encode_typed_data(full_message=self.asked(request, self.contract)["eip712"])
        return given(self.contract, scheme, "0x" + Account.sign_message(message, key).signature.hex())


def given(address: Address, scheme: str, signature: object) -> Json:
    return {"address": address, "scheme": scheme, "signature": signature}


def codes(result: Json) -> list[str]:
    return [each["code"] or each["outcome"] for each in result["signatures"]]


@pytest.fixture
def firm(anvil: AnvilNode, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Firm:
    home = tmp_path / "firm"
    assert run(["init", "--dir", str(home), "--devnet", anvil.url, "--firm", "Example Securities"]) == 0
    monkeypatch.setenv("CUSTODY_CONFIG", str(home / "custody.toml"))
    contract = Address(deploy(anvil, "ContractWallet", [[of_key(OWNER_KEY)], 1]))
    made = Firm(anvil, home, capsys, contract)
    for address, ether in zip(made.wallets, (50, 30, 15, 5), strict=True):
        anvil.set_balance(address, ether * 10**18)
    anvil.mine(3)
    native = AssetRecord(
        Asset(AssetId(f"{made.chain}/slip44:60"), "ETH", 18),
        LegalClass.NON_SECURITY_CRYPTO,
        date(2026, 1, 1),
        "memo 1",
    )
    with opened() as store:
        records: Sequence[Record] = [native, *(wallet(address) for address in made.wallets)]
        store.apply_import(imported(("mapping", records)), "ops.maker", datetime.now(UTC))
    return made


class opened:  # noqa: N801 - reads as a word in `with`
    """The store of the configuration."""

    def __enter__(self) -> Store:
        self._store = open_store(load_settings().database.url.get_secret_value())
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.close()


def test_from_challenge_to_coverage(firm: Firm) -> None:
    assert run(["sweep"]) == 1  # nobody owns what is there: that is another command's finding
    before = firm.command("show")
    (asset,) = before["chains"][0]["assets"]
    assert (asset["total"], asset["proven"], asset["share_basis_points"]) == (str(100 * 10**18), "0", 0)
    assert sorted(before["chains"][0]["unproven"]) == sorted(firm.wallets)

    request = firm.challenge("--asked-by", "Example Audit", "--out", str(firm.home / "to-sign.json"))
    assert json.loads((firm.home / "to-sign.json").read_text(encoding="utf-8")) == request
    challenge = request["challenge"]
    assert (challenge["firm"], challenge["asked_by"]) == ("Example Securities", "Example Audit")
    assert challenge["block_hash"] == firm.node.block_hash(challenge["height"])
    assert challenge["address_count"] == 4

    result = firm.answer(
        request,
        firm.node_text(request, firm.by_text),
        firm.node_data(request, firm.by_data),
        firm.owner_data(request, OWNER_KEY),
    )
    assert codes(result) == ["accepted"] * 3
    assert [each["account_kind"] for each in result["signatures"]] == ["key", "key", "contract"]
    assert (result["accepted"], result["addresses_left"], result["meaning"]) == (3, 1, MEANING)

    shown = firm.command("show", "--chain", firm.chain)
    (asset,) = shown["chains"][0]["assets"]
    assert (asset["proven"], asset["share_basis_points"], asset["oldest_days"]) == (str(85 * 10**18), 8500, 0)
    assert asset["proven_within_days"]["30"] == str(85 * 10**18)
    assert shown["chains"][0]["unproven"] == [firm.local]
    (state,) = shown["chains"][0]["challenges"]
    assert (state["state"], state["accepted"], state["addresses"]) == ("open", 3, 4)
    assert {each["address"]: each["scheme"] for each in shown["chains"][0]["proofs"]} == {
        firm.by_text: "eip191",
        firm.by_data: "eip712",
        firm.contract: "eip1271",
    }

    assert codes(firm.answer(request, firm.local_text(request, LOCAL_KEY, firm.local))) == ["accepted"]
    shown = firm.command("show")
    assert shown["chains"][0]["assets"][0]["share_basis_points"] == 10_000
    assert shown["chains"][0]["challenges"][0]["state"] == "answered"
    with opened() as store:
        assert verify_journal(store).ok


@pytest.mark.fault("G4")
@pytest.mark.fault("G5")
@pytest.mark.fault("G6")
def test_what_proves_nothing_is_refused_and_recorded(firm: Firm) -> None:
    request = firm.challenge()
    result = firm.answer(
        request,
        firm.local_text(request, STRANGER_KEY, firm.local),
        firm.local_text(request, LOCAL_KEY, firm.by_text),
        firm.owner_data(request, OWNER_KEY, "eip712"),
        given(firm.by_data, "eip1271", "0x"),
        firm.owner_data(request, OWNER_KEY),
        expect=1,
    )
    assert codes(result) == ["other-key", "other-key", "contract-wallet", "no-contract", "duplicate"]
    assert codes(firm.answer(request, firm.owner_data(request, STRANGER_KEY), expect=1)) == ["contract-refused"]
    again = firm.answer(request, firm.owner_data(request, OWNER_KEY))
    assert codes(again) == ["accepted"]
    with opened() as store:
        assert len(store.key_answers()) == 7
        assert verify_journal(store).ok


@pytest.mark.fault("G11")
def test_an_answer_cannot_be_given_again(firm: Firm) -> None:
    """Not to the same challenge, nor to another; nor after its time, nor when its block has left the chain."""
    request = firm.challenge("--address", firm.by_text)
    signature = firm.node_text(request, firm.by_text)
    assert codes(firm.answer(request, signature)) == ["accepted"]
    assert codes(firm.answer(request, signature, expect=1)) == ["already-answered"]
    other = firm.challenge("--address", firm.by_text)
    assert codes(firm.answer(other, signature, expect=1)) == ["other-key"]
    mixed = {"challenge_sha256": request["challenge_sha256"]}
    assert codes(firm.answer(other, signature, expect=1, **mixed)) == ["challenge-mismatch"]
    firm.node.reorg(4)
    fresh = firm.node_text(other, firm.by_text)
    assert codes(firm.answer(other, fresh, expect=1)) == ["block-gone"]


@pytest.mark.fault("G11")
def test_an_expired_challenge_is_not_answered(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    request = firm.challenge("--address", firm.by_text, "--valid-hours", "1")
    signature = firm.node_text(request, firm.by_text)
    monkeypatch.setattr(key_proof, "now", lambda: datetime.now(UTC) + timedelta(minutes=61))
    assert codes(firm.answer(request, signature, expect=1)) == ["expired"]
    monkeypatch.setattr(key_proof, "now", lambda: datetime.now(UTC) + timedelta(minutes=30))
    assert codes(firm.answer(request, signature)) == ["accepted"]


@pytest.mark.fault("G12")
def test_without_a_node_nothing_is_judged(firm: Firm) -> None:
    request = firm.challenge()
    signature = firm.node_text(request, firm.by_text)
    config = firm.home / "custody.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(firm.node.url, "http://127.0.0.1:9"), encoding="utf-8")
    result = firm.answer(request, signature, expect=2)
    assert result["error"]["code"] == "node-unavailable"
    with opened() as store:
        assert store.key_answers() == []
    config.write_text(text, encoding="utf-8")
    assert codes(firm.answer(request, signature)) == ["accepted"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--address", "0x" + "11" * 20], "no open wallet"),
        (["--address", "0x1"], "not an EVM address"),
        (["--valid-hours", "2161"], "at most 2160 hours"),
        (["--asked-by", "two\nlines"], "control character"),
        (["--out", "custody.toml"], "there already"),
    ],
)
def test_a_challenge_that_makes_no_sense_is_not_made(
    firm: Firm, arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(firm.home)
    failed = firm.command("challenge", firm.chain, "--actor", "ops.maker", *arguments, expect=2)
    assert words in failed["error"]["message"]
    with opened() as store:
        assert store.key_challenges() == []


def test_before_the_first_sweep_coverage_is_not_known(firm: Firm) -> None:
    shown = firm.command("show", expect=2)
    assert shown["chains"][0]["assets"] == []
    assert shown["chains"][0]["sweep_id"] is None


def test_people_read_what_it_shows_and_what_it_does_not(firm: Firm) -> None:
    assert run(["sweep"]) == 1
    request = firm.challenge()
    firm.answer(request, firm.node_text(request, firm.by_text))
    firm.capsys.readouterr()
    assert not firm.app(args=["key-proof", "show"], standalone_mode=False)
    printed = " ".join(firm.capsys.readouterr().out.split())
    assert "50.00 %" in printed
    assert f"not proven: {firm.local}" in printed
    assert "1 of 4 answered" in printed
    assert MEANING in printed
    assert (
        firm.app(args=["key-proof", "answer", str(firm.home / "nowhere.json"), "--actor", "x"], standalone_mode=False)
        == 2
    )
    assert "nowhere.json" in firm.capsys.readouterr().err


def test_the_chain_id_is_in_what_is_signed(firm: Firm) -> None:
    """The request names the chain in the text and in the typed data's domain."""
    request = firm.challenge()
    words = firm.asked(request, firm.local)
    assert f"Wallet: {ChainId(firm.chain)}:{firm.local}" in words["eip191"].split("\n")
    assert words["eip712"]["domain"]["chainId"] == firm.node.chain_id
