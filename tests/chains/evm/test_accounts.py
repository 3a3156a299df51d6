"""What stands at an address, and what contract wallets accept, on Anvil."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from eth_keys.datatypes import PrivateKey

from chains.devnet import lies
from chains.devnet.lying_proxy import LyingProxy
from chains.devnet.pytest_plugin import DeployContract, DeployErc20
from chains.errors import MalformedAnswer, NodeUnavailable, ReadError, StaleHead, WrongChain
from chains.evm.accounts import ContractQuestion, account_kinds, contract_answers
from chains.evm.keccak import keccak256
from chains.evm.key_witness import EvmKeyWitness, evm_key_witness
from chains.evm.scanner import AccountKind
from chains.jsonrpc import RpcCall
from chains.reader import NodeConfig
from chains.types import Address, BlockRef, ChainId, Finality
from tests.chains.evm.conftest import EvmChain

DIGEST = keccak256(b"what is signed")
KEYS = sorted((PrivateKey(bytes([number]) * 32) for number in range(1, 4)), key=lambda k: k.public_key.to_address())
OWNERS = [key.public_key.to_checksum_address() for key in KEYS]
BLOCK = BlockRef(ChainId("eip155:1"), 5, "0x" + "ab" * 32, "0x" + "cd" * 32, datetime(2026, 3, 2, tzinfo=UTC))
SOMEBODY = Address(OWNERS[0])
YES = "0x1626ba7e" + "00" * 28


def signature(key: PrivateKey, digest: bytes = DIGEST) -> bytes:
    made = key.sign_msg_hash(digest)
    return bytes(made.to_bytes()[:64]) + bytes([made.v + 27])


class ScriptedTransport:
    """Answers each call of a batch alike, and keeps what was asked."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.calls: list[RpcCall] = []

    def call(self, method: str, *params: object) -> object:
        raise AssertionError("only batches are used")

    def batch(self, calls: Sequence[RpcCall]) -> list[object]:
        self.calls += calls
        return [self.answer for _ in calls]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("0x", AccountKind.EOA),
        ("0xef0100" + "11" * 20, AccountKind.DELEGATED),
        ("0xef0100" + "11" * 21, AccountKind.CONTRACT),
        ("0xef0100", AccountKind.CONTRACT),
        ("0x00", AccountKind.CONTRACT),
    ],
)
def test_code_says_what_stands_there(code: str, kind: AccountKind) -> None:
    transport = ScriptedTransport(code)
    assert account_kinds(transport, BLOCK, [SOMEBODY]) == [kind]
    (call,) = transport.calls
    assert call.params == (SOMEBODY, {"blockHash": BLOCK.block_hash, "requireCanonical": True})


@pytest.mark.fault("G12")
@pytest.mark.parametrize("answer", [None, "", "0x1", 5, []])
def test_an_odd_answer_is_no_kind_and_no_verdict(answer: object) -> None:
    (kind,) = account_kinds(ScriptedTransport(answer), BLOCK, [SOMEBODY])
    assert isinstance(kind, MalformedAnswer)
    (verdict,) = contract_answers(ScriptedTransport(answer), BLOCK, [ContractQuestion(SOMEBODY, DIGEST, b"")])
    assert isinstance(verdict, MalformedAnswer)


@pytest.mark.parametrize(
    ("answer", "accepts"),
    [
        (YES, True),
        ("0x" + "00" * 28 + "1626ba7e", False),
        ("0x1626ba7e" + "00" * 27 + "01", False),
        ("0x1626ba7e", False),
        (YES + "00" * 32, False),
        ("0x" + "00" * 31 + "01", False),
        ("0xffffffff" + "00" * 28, False),
        ("0x", False),
    ],
)
def test_only_the_magic_value_means_yes(answer: str, accepts: bool) -> None:
    transport = ScriptedTransport(answer)
    assert contract_answers(transport, BLOCK, [ContractQuestion(SOMEBODY, DIGEST, b"\1" * 65)]) == [accepts]
    (call,) = transport.calls
    assert call.params[1] == {"blockHash": BLOCK.block_hash, "requireCanonical": True}


def test_the_question_is_encoded_as_the_abi_wants_it() -> None:
    from eth_abi.abi import encode

    for length in (0, 1, 31, 32, 33, 65, 130):
        transport = ScriptedTransport(YES)
        contract_answers(transport, BLOCK, [ContractQuestion(SOMEBODY, DIGEST, b"\7" * length)])
        (call,) = transport.calls
        arguments = encode(["bytes32", "bytes"], [DIGEST, b"\7" * length]).hex()
        assert call.params[0] == {"to": SOMEBODY, "data": "0x1626ba7e" + arguments}


def test_a_node_that_does_not_answer_is_no_verdict() -> None:
    down = NodeUnavailable("no answer in time")
    assert contract_answers(ScriptedTransport(down), BLOCK, [ContractQuestion(SOMEBODY, DIGEST, b"")]) == [down]
    assert account_kinds(ScriptedTransport(down), BLOCK, [SOMEBODY]) == [down]


# On a node

OpenWitness = Callable[..., EvmKeyWitness]


@pytest.fixture
def open_witness(chain: EvmChain) -> Iterator[OpenWitness]:
    with ExitStack() as stack:

        def opened(url: str = "") -> EvmKeyWitness:
            node = NodeConfig("node-1", "operator-1", url or chain.node.url)
            return stack.enter_context(evm_key_witness(chain.config, node, chain.now()))

        yield opened


@pytest.mark.devnet
def test_kinds_on_a_node(
    chain: EvmChain, open_witness: OpenWitness, deploy_erc20: DeployErc20, holders: list[Address]
) -> None:
    token = deploy_erc20()
    delegated = holders[3]
    chain.node.set_code(delegated, "0xef0100" + token.address[2:].lower())
    chain.node.mine()
    kinds = open_witness().kinds([holders[0], Address(token.address), delegated, SOMEBODY])
    assert kinds == [AccountKind.EOA, AccountKind.CONTRACT, AccountKind.DELEGATED, AccountKind.EOA]


@pytest.mark.devnet
@pytest.mark.fault("G4")
@pytest.mark.fault("G5")
def test_a_contract_wallet_counts_its_owners_once(open_witness: OpenWitness, deploy_contract: DeployContract) -> None:
    wallet = Address(deploy_contract("ContractWallet", OWNERS, 2).address)
    witness = open_witness()
    one, two, three = (signature(key) for key in KEYS)
    other = signature(KEYS[1], keccak256(b"other words"))
    stranger = signature(PrivateKey(b"\x09" * 32))
    cases = [
        (one + two, True),
        (one + three, True),
        (two + three, True),
        (one + one, False),
        (two + one, False),
        (one, False),
        (b"", False),
        (one + other, False),
        (one + stranger, False),
        (stranger + three, False),
    ]
    answers = witness.accepts([ContractQuestion(wallet, DIGEST, given) for given, _ in cases])
    assert answers == [good for _, good in cases]


@pytest.mark.devnet
def test_a_contract_is_asked_at_the_pinned_block(
    chain: EvmChain, open_witness: OpenWitness, deploy_contract: DeployContract
) -> None:
    owner = chain.node.accounts()[0]
    wallet = deploy_contract("ContractWallet", [owner], 1)
    question = [ContractQuestion(Address(wallet.address), DIGEST, b"")]
    before = open_witness()
    wallet.transact("approve", DIGEST)
    after = open_witness()
    assert (before.accepts(question), after.accepts(question)) == ([False], [True])
    wallet.transact("swapOwner", 0, OWNERS[0])
    by_owner = [ContractQuestion(Address(wallet.address), DIGEST, signature(KEYS[0]))]
    assert (after.accepts(by_owner), open_witness().accepts(by_owner)) == ([False], [True])


@pytest.mark.devnet
def test_a_contract_without_the_function_does_not_accept(open_witness: OpenWitness, deploy_erc20: DeployErc20) -> None:
    token = Address(deploy_erc20().address)
    assert open_witness().accepts([ContractQuestion(token, DIGEST, signature(KEYS[0]))]) == [False]


@pytest.mark.devnet
def test_a_block_is_on_the_chain_or_not(chain: EvmChain, open_witness: OpenWitness) -> None:
    chain.node.mine(3)
    witness = open_witness()
    height = witness.block.height - 1
    block_hash = chain.node.block_hash(height)
    assert witness.has_block(height, block_hash) is True
    assert witness.has_block(height, "0x" + "ab" * 32) is False
    chain.node.reorg(2)
    assert open_witness().has_block(height, block_hash) is False


@pytest.mark.devnet
def test_a_block_above_the_pinned_one_is_not_known_to_stay(chain: EvmChain) -> None:
    chain.node.mine(5)
    config = replace(chain.config, finality=Finality.parse("confirmed(3)"))
    with evm_key_witness(config, NodeConfig("node-1", "operator-1", chain.node.url), chain.now()) as witness:
        height = witness.block.height
        assert height == chain.node.block_number() - 2
        assert witness.has_block(height, chain.node.block_hash(height)) is True
        assert isinstance(witness.has_block(height + 1, chain.node.block_hash(height + 1)), StaleHead)


@pytest.mark.devnet
def test_after_a_reorganisation_nothing_is_said(
    chain: EvmChain, open_witness: OpenWitness, deploy_contract: DeployContract
) -> None:
    wallet = Address(deploy_contract("ContractWallet", OWNERS, 1).address)
    chain.node.mine(2)
    witness = open_witness()
    question = ContractQuestion(wallet, DIGEST, signature(KEYS[0]))
    assert witness.accepts([question]) == [True]
    chain.node.reorg(2)
    for answer in (*witness.accepts([question]), *witness.kinds([wallet])):
        assert isinstance(answer, ReadError)


@pytest.mark.devnet
@pytest.mark.fault("A15")
def test_a_witness_proves_its_chain_first(open_witness: OpenWitness, lying_node: Callable[..., LyingProxy]) -> None:
    with pytest.raises(WrongChain):
        open_witness(lying_node(lies.change_result("eth_chainId", lambda params, result: "0x1")).url)


@pytest.mark.devnet
def test_a_stale_node_is_no_witness(chain: EvmChain) -> None:
    node = NodeConfig("node-1", "operator-1", chain.node.url)
    with pytest.raises(StaleHead), evm_key_witness(chain.config, node, chain.now() + timedelta(days=1)):
        pass
