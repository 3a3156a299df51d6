"""Proofs that transactions stand in blocks: against the `trie` package, and on a real node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account

from chains.devnet.lies import change_result
from chains.devnet.lying_proxy import LyingProxy
from chains.devnet.pytest_plugin import DeployErc20
from chains.errors import MalformedAnswer, ProofFailed, ReadError
from chains.evm.addresses import checksum_address
from chains.evm.inclusion import TransactionProof, check_inclusion
from chains.evm.trie_proof import NodePool
from chains.evm.trie_root import ordered_proof, ordered_root
from chains.types import AssetId, BlockRef
from tests.chains.evm.conftest import EvmChain
from tests.chains.evm.tries import proof_of, trie_of

KEY = b"\x0b" * 32
ALICE = checksum_address(bytes.fromhex(Account.from_key(KEY).address[2:]))
BOB = checksum_address(b"\x0c" * 20)


@pytest.mark.parametrize("count", [1, 2, 3, 16, 17, 127, 128, 129, 130, 257])
@pytest.mark.parametrize("length", [1, 33, 200])
def test_a_proof_is_the_one_of_the_trie_package(count: int, length: int) -> None:
    import rlp

    values = [bytes([1 + number % 255]) * length for number in range(count)]
    trie = trie_of({rlp.encode(index): value for index, value in enumerate(values)})
    root = ordered_root(values)
    for index in {0, 1, count // 2, count - 1} & set(range(count)):
        proof = ordered_proof(values, index)
        assert proof == proof_of(trie, rlp.encode(index))
        assert NodePool().prove(root, rlp.encode(index), proof, "it") == values[index]


class Bench:
    """A block with several transactions, signed and not, and their proofs."""

    def __init__(self, chain: EvmChain, token: str) -> None:
        self.chain, self.token = chain, token
        self.reader = chain.reader()

    def block_with(self, others: int = 0, **fields: object) -> tuple[BlockRef, str]:
        """A block with a payment of one wei by Alice, and others before it; the payment's transaction."""
        node = self.chain.node
        rich = node.accounts()[0]
        node.set_balance(ALICE, 10**18)
        node.set_automine(False)
        for number in range(others):
            node.rpc("eth_sendTransaction", {"from": rich, "to": BOB, "value": hex(number), "gasPrice": hex(10**11)})
        nonce = int(node.rpc("eth_getTransactionCount", ALICE, "latest"), 16)
        fees = {} if "gasPrice" in fields else {"maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**9}
        content = {"to": BOB, "value": 1, "gas": 100_000, "nonce": nonce, "chainId": node.chain_id, **fees, **fields}
        signed = Account.sign_transaction(content, KEY)
        tx_id = str(node.rpc("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex()))
        node.mine()
        node.set_automine(True)
        return self.chain.pin(self.reader).block, tx_id

    def proof(self, block: BlockRef, tx_id: str) -> TransactionProof:
        (proof,) = self.reader.prove_transactions(block, [tx_id])
        return proof


@pytest.fixture
def bench(chain: EvmChain, deploy_erc20: DeployErc20) -> Bench:
    return Bench(chain, deploy_erc20(supply=10).address)


@pytest.mark.devnet
@pytest.mark.parametrize(
    "fields",
    [{}, {"gasPrice": 10**10}, {"gasPrice": 10**10, "accessList": []}, {"gasPrice": 10**10, "chainId": None}],
    ids=["dynamic fee", "legacy", "access list", "before EIP-155"],
)
@pytest.mark.parametrize("others", [0, 1, 30])
def test_a_payment_is_proven_with_who_signed_it(bench: Bench, others: int, fields: dict[str, object]) -> None:
    if fields.get("chainId", 1) is None:
        fields = {name: value for name, value in fields.items() if name != "chainId"}
    block, tx_id = bench.block_with(others, **fields)
    proof = bench.proof(block, tx_id)
    included = check_inclusion(proof, block.block_hash)
    assert (included.height, included.timestamp, included.receipt.status) == (block.height, block.timestamp, 1)
    assert included.pays(ALICE, BOB, 1)
    assert not included.pays(ALICE, BOB, 2)
    assert not included.pays(BOB, BOB, 1)
    assert not included.pays(ALICE, ALICE, 1)


@pytest.mark.devnet
def test_a_transfer_of_a_token_is_proven_by_its_event(bench: Bench, deploy_erc20: DeployErc20) -> None:
    token = deploy_erc20(symbol="TKN", decimals=6, supply=0)
    receipt = token.transact("mint", ALICE, 500)
    asset = bench.chain.token(token, 6)
    other = replace(asset, asset_id=AssetId(asset.asset_id.replace(token.address, BOB)))
    block = bench.chain.pin(bench.reader).block
    included = check_inclusion(bench.proof(block, receipt["transactionHash"]), block.block_hash)
    (movement,) = included.movements(asset)
    assert (movement.receiver_address, movement.base_units) == (ALICE, 500)
    assert included.movements(other) == []


@pytest.mark.devnet
@pytest.mark.fault("A30")
def test_what_does_not_lead_from_the_hash_is_refused(bench: Bench) -> None:
    block, tx_id = bench.block_with(20)
    proof = bench.proof(block, tx_id)
    earlier = bench.chain.reader().block_at(block.height - 1)
    assert len(proof.transaction_nodes) > 1

    def cut(nodes: tuple[bytes, ...]) -> tuple[bytes, ...]:
        return nodes[:-1]

    def altered(nodes: tuple[bytes, ...]) -> tuple[bytes, ...]:
        return (*nodes[:-1], nodes[-1][:-1] + bytes([nodes[-1][-1] ^ 1]))

    wrong = [
        (proof, earlier.block_hash),
        (replace(proof, header=proof.header[:-1] + b"\x00"), block.block_hash),
        (replace(proof, tx_id="0x" + "ab" * 32), block.block_hash),
        (replace(proof, index=proof.index - 1), block.block_hash),
        (replace(proof, transaction_nodes=cut(proof.transaction_nodes)), block.block_hash),
        (replace(proof, receipt_nodes=cut(proof.receipt_nodes)), block.block_hash),
        (replace(proof, transaction_nodes=altered(proof.transaction_nodes)), block.block_hash),
        (replace(proof, receipt_nodes=altered(proof.receipt_nodes)), block.block_hash),
        (replace(proof, receipt_nodes=proof.transaction_nodes), block.block_hash),
        (replace(proof, transaction_nodes=(*proof.transaction_nodes, proof.transaction_nodes[-1])), block.block_hash),
    ]
    for changed, block_hash in wrong:
        with pytest.raises((ProofFailed, MalformedAnswer)):
            check_inclusion(changed, block_hash)


@pytest.mark.devnet
@pytest.mark.parametrize(
    ("method", "change"),
    [
        ("eth_getBlockByHash", lambda block: {**block, "transactions": block["transactions"][1:]}),
        ("eth_getBlockByHash", lambda block: {**block, "transactions": block["transactions"][::-1]}),
        ("eth_getBlockByHash", lambda block: {**block, "receiptsRoot": "0x" + "12" * 32}),
        ("eth_getBlockReceipts", lambda receipts: receipts[::-1]),
        ("eth_getBlockReceipts", lambda receipts: [{**each, "status": "0x0"} for each in receipts]),
        ("eth_getBlockReceipts", lambda receipts: receipts[1:]),
    ],
    ids=["one left out", "another order", "another root", "receipts in another order", "failed", "one receipt fewer"],
)
def test_a_node_that_lies_gives_no_proof(
    bench: Bench, method: str, change: Callable[[Any], Any], lying_node: Callable[..., LyingProxy]
) -> None:
    block, tx_id = bench.block_with(5)

    def told(params: list[Any], truth: Any) -> Any:
        return change(truth) if truth and (isinstance(truth, list) or params[1:] == [True]) else truth

    liar = bench.chain.reader(lying_node(change_result(method, told)).url)
    with pytest.raises(ReadError):
        liar.prove_transactions(block, [tx_id])
    assert bench.proof(block, tx_id).tx_id == tx_id


@pytest.mark.devnet
def test_a_transaction_of_another_block_has_no_proof(bench: Bench) -> None:
    _, before = bench.block_with()
    block, _ = bench.block_with()
    with pytest.raises(ProofFailed, match="has no transaction"):
        bench.reader.prove_transactions(block, [before])
