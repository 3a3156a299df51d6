"""`custody key-proof` on a Bitcoin chain, as an operator and an auditor use it, before a regtest node."""

from __future__ import annotations

import builtins
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chains.devnet.bitcoin.kernel_node import KernelNode
from chains.devnet.bitcoin.keys import Kind, Lock
from chains.devnet.bitcoin.mining import COINBASE_MATURITY
from chains.devnet.bitcoin.wallet import TestWallet
from chains.types import utc_text
from tests.chains.bitcoin.proof_makers import full, legacy, signed, simple
from tests.cli.command import Answer, Firm, custody
from tests.cli.test_bitcoin import BITCOIN, CHAIN, configure, take_books

pytestmark = pytest.mark.devnet

LOCKS = [Lock.of("cold/0", Kind.P2WPKH), Lock.of("cold/1", Kind.P2TR), Lock.of("cold/2", Kind.P2PKH)]
SHOP = Lock.of("shop").address


@pytest.fixture
def funded(firm: Firm, bitcoin_kernel: KernelNode) -> tuple[Firm, KernelNode]:
    """A firm with three addresses of unlike kinds that hold one bitcoin each, six blocks deep."""
    node = bitcoin_kernel.node
    rich = TestWallet(node, "rich")
    node.mine_history(COINBASE_MATURITY + 1, to=rich.new_address())
    rich.pay_many({lock.address: BITCOIN for lock in LOCKS})
    node.mine(6)
    configure(firm, node.url)
    pinned = node.block(node.block_hash(node.height - 5)).header.time
    take_books(firm, [lock.address for lock in LOCKS], 3 * BITCOIN, utc_text(datetime.fromtimestamp(pinned, UTC)))
    assert firm("sweep", "--json").code == 0
    return firm, bitcoin_kernel


def give(firm: Firm, request: dict[str, Any], *signatures: tuple[Lock, str, str]) -> Answer:
    document = {
        "format": "custody-verifier-key-answer",
        "version": 1,
        "nonce": request["challenge"]["nonce"],
        "challenge_sha256": request["challenge_sha256"],
        "signatures": [
            {"address": lock.address, "scheme": scheme, "signature": text} for lock, scheme, text in signatures
        ],
    }
    path = firm.path("answer.json")
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
    return firm("key-proof", "answer", path, "--actor", "ops.maker", "--json")


def words(request: dict[str, Any], lock: Lock) -> str:
    (found,) = [each["words"] for each in request["wallets"] if each["address"] == lock.address]
    return str(found)


def codes(answer: Answer) -> list[str]:
    return [each["code"] or each["outcome"] for each in answer.json["signatures"]]


def test_from_the_challenge_to_the_verified_bundle(funded: tuple[Firm, KernelNode], tmp_path: Path) -> None:
    firm, kernel = funded
    out = tmp_path / "to-sign.json"
    made = firm("key-proof", "challenge", CHAIN, "--actor", "ops.maker", "--asked-by", "Example Audit", "--out", out)
    assert made.code == 0, made
    assert "3 wallets" in made.out
    request = json.loads(out.read_text(encoding="utf-8"))
    native, taproot, old = LOCKS
    one = (native, "bip322-simple", simple(signed(native, words(request, native))))
    other_words = (taproot, "bip322-simple", simple(signed(taproot, words(request, native))))
    first = give(firm, request, one, other_words)
    assert (first.code, codes(first)) == (1, ["accepted", "other-key"])
    again = give(firm, request, one)
    assert (again.code, codes(again)) == (1, ["already-answered"])
    rest = give(
        firm,
        request,
        (taproot, "bip322-full", full(signed(taproot, words(request, taproot)))),
        (old, "legacy", legacy(old.keys[0], 31, words(request, old))),
    )
    assert (rest.code, codes(rest), rest.json["addresses_left"]) == (0, ["accepted"] * 2, 0)
    shown = firm("key-proof", "show", "--chain", CHAIN, "--json")
    (chain,) = shown.json["chains"]
    (asset,) = chain["assets"]
    assert (asset["proven"], asset["total"], asset["share_basis_points"]) == (str(3 * BITCOIN),) * 2 + (10_000,)
    assert {each["scheme"] for each in chain["proofs"]} == {"bip322-simple", "bip322-full", "legacy"}
    assert "100.00 %" in firm("key-proof", "show").out
    bundle = firm.path("audit.zip")
    assert firm("export", "--out", bundle, "--json").code == 0
    keys, node = firm.path("trusted-keys.json"), f"{CHAIN}={kernel.node.url}"
    verified = custody("verify", bundle, "--trusted-keys", keys, "--rpc", node)
    assert verified.code == 0, verified.out
    assert "a legacy message is the weakest of these" in " ".join(verified.out.split())
    assert firm("journal", "verify").code == 0


def test_a_transfer_is_agreed_on_and_found(funded: tuple[Firm, KernelNode]) -> None:
    firm, kernel = funded
    options = ("--actor", "ops.maker", "--json", "--transfer-to", SHOP, "--address", LOCKS[0].address)
    made = firm("key-proof", "challenge", CHAIN, *options)
    assert made.code == 0, made
    (asked,) = made.json["wallets"]
    assert asked["transfer"]["to"] == SHOP
    cold = TestWallet(kernel.node, "cold")
    cold.add(LOCKS[0])
    payment = cold.pay(SHOP, int(asked["transfer"]["base_units"]), change_to=LOCKS[0].address, fee=300)
    kernel.node.mine(5)
    early = give(firm, made.json, (LOCKS[0], "transfer", payment.txid))
    assert (early.code, codes(early)) == (1, ["no-such-transfer"])
    kernel.node.mine(1)
    found = give(firm, made.json, (LOCKS[0], "transfer", payment.txid))
    assert (found.code, codes(found)) == (0, ["accepted"])


def test_without_the_library_nothing_is_judged_and_nothing_recorded(
    funded: tuple[Firm, KernelNode], monkeypatch: pytest.MonkeyPatch
) -> None:
    firm, _ = funded
    request = firm("key-proof", "challenge", CHAIN, "--actor", "ops.maker", "--json").json
    one = (LOCKS[1], "bip322-simple", simple(signed(LOCKS[1], words(request, LOCKS[1]))))
    really = builtins.__import__

    def missing(name: str, *arguments: Any, **named: Any) -> Any:
        if name.partition(".")[0] == "pbk":
            raise ImportError(name)
        return really(name, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(builtins, "__import__", missing)
        answer = give(firm, request, one)
    assert (answer.code, answer.error) == (2, "script-engine-missing")
    assert "custody-verifier[bitcoin]" in answer.out
    assert firm("key-proof", "show", "--json").json["chains"][0]["challenges"][0]["refused"] == 0
    assert codes(give(firm, request, one)) == ["accepted"]


def test_what_cannot_be_asked_is_told(funded: tuple[Firm, KernelNode]) -> None:
    firm, _ = funded
    who = ("--actor", "ops.maker", "--json")
    for more, part in (
        (("--accept", "eip191"), "not known on"),
        (("--accept", "guess"), "is no scheme"),
        (("--accept", "transfer"), "where an agreed transfer goes"),
        (("--transfer-to", LOCKS[1].address), "wallet of the firm's"),
        (("--transfer-to", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"), "not of regtest"),
        (("--address", SHOP), "no open wallet"),
    ):
        answer = firm("key-proof", "challenge", CHAIN, *who, *more)
        assert answer.code == 2
        assert part in answer.json["error"]["message"]
    assert firm("key-proof", "show", "--json").json["chains"][0]["challenges"] == []
