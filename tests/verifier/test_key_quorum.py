"""Proof of control through several operators: a contract's "yes" counts when enough of them say it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest

from chains.devnet import lies
from chains.devnet.anvil import AnvilNode
from chains.devnet.deploy import deployed
from chains.devnet.lying_proxy import LyingProxy
from chains.errors import QuorumNotReached, ReadError
from chains.evm.accounts import ContractQuestion
from chains.evm.scanner import AccountKind
from chains.evm.signatures import signature_bytes
from chains.reader import ChainConfig, NodeConfig, ReadLimits
from chains.types import Address, Asset, AssetId, ChainId, Finality
from tests.verifier.key_signers import ADDRESSES, EIP712, EIP1271, KEYS, challenge_to, signed
from verifier.key_proof import signed_digest
from verifier.key_proving import first_witness
from verifier.rules.evm_key_answers import EvmWitness

pytestmark = pytest.mark.devnet

Lying = Callable[..., LyingProxy]
YES = "0x1626ba7e" + "00" * 28
NO = "0x" + "00" * 32


@pytest.fixture
def contract(anvil: AnvilNode) -> Address:
    return Address(deployed(anvil, "ContractWallet", [[ADDRESSES[0]], 1]).address)


def config(anvil: AnvilNode, *urls: str, quorum: int = 2) -> ChainConfig:
    chain_id = ChainId(f"eip155:{anvil.chain_id}")
    return ChainConfig(
        chain_id=chain_id,
        name="test chain",
        genesis_hash=anvil.block_hash(0),
        nodes=tuple(NodeConfig(f"node-{n}", f"operator-{n}", url) for n, url in enumerate(urls, 1)),
        finality=Finality.parse("latest"),
        native_asset=Asset(AssetId(f"{chain_id}/slip44:60"), "ETH", 18),
        limits=ReadLimits(
            connect_timeout_seconds=60, read_timeout_seconds=120, attempts_max=1, retry_wait_seconds_max=0
        ),
        head_age_seconds_max=10**9,
        head_future_seconds_max=10**9,
        quorum=quorum,
    )


def question(contract: Address, key: int) -> ContractQuestion:
    challenge = challenge_to([contract])
    given = signed(challenge, KEYS[key], EIP712, contract)
    digest = signed_digest(challenge, contract, EIP1271)
    return ContractQuestion(contract, digest, signature_bytes(given.signature, EIP1271))


def asked(settings: ChainConfig, contract: Address, key: int = 0) -> tuple[bool | ReadError, str]:
    with first_witness(settings, datetime.now(UTC)) as found:
        witness = cast("EvmWitness", found)
        (kind,) = witness.kinds([contract])
        assert kind is AccountKind.CONTRACT
        (answer,) = witness.accepts([question(contract, key)])
        return answer, witness.node_id


def test_what_operators_agree_on_is_the_answer(anvil: AnvilNode, contract: Address) -> None:
    settings = config(anvil, anvil.url, anvil.url)
    assert asked(settings, contract) == (True, "node-1+node-2")
    assert asked(settings, contract, key=1) == (False, "node-1+node-2")


@pytest.mark.fault("G5")
def test_one_node_that_says_yes_to_everything_is_outvoted(
    anvil: AnvilNode, contract: Address, lying_node: Lying
) -> None:
    liar = lying_node(lies.set_result("eth_call", YES)).url
    assert asked(config(anvil, liar, anvil.url, anvil.url), contract, key=1)[0] is False
    alone, _ = asked(config(anvil, liar, anvil.url), contract, key=1)
    assert isinstance(alone, QuorumNotReached)
    assert "node node-1 says True; node node-2 says False" in str(alone)
    # Without a quorum, its word would have counted.
    assert asked(config(anvil, liar, anvil.url, quorum=1), contract, key=1)[0] is True


def test_two_nodes_of_one_operator_are_one_witness(anvil: AnvilNode, contract: Address, lying_node: Lying) -> None:
    liar = lying_node(lies.set_result("eth_call", YES)).url
    settings = config(anvil, liar, liar, anvil.url)
    one, two, three = settings.nodes
    settings = replace(settings, nodes=(one, replace(two, operator=one.operator), three))
    answer, _ = asked(settings, contract, key=1)
    assert isinstance(answer, QuorumNotReached)


def test_a_node_that_cannot_say_abstains(anvil: AnvilNode, contract: Address, lying_node: Lying) -> None:
    silent = lying_node(lies.fail("eth_call", -32000, "missing trie node")).url
    assert asked(config(anvil, silent, anvil.url, anvil.url), contract)[0] is True
    assert isinstance(asked(config(anvil, silent, silent), contract)[0], ReadError)


def test_a_node_that_is_down_is_not_asked(anvil: AnvilNode, contract: Address) -> None:
    assert asked(config(anvil, "http://127.0.0.1:1", anvil.url, anvil.url), contract) == (True, "node-2+node-3")
    with pytest.raises(ReadError), first_witness(config(anvil, "http://127.0.0.1:1", anvil.url), datetime.now(UTC)):
        pass
