"""Deploying and using test contracts through the accounts an Anvil node signs for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chains.devnet.contracts import Contract, load
from chains.devnet.node import NODE_ID, AnvilNode
from chains.errors import MalformedAnswer, NodeRefused, NodeUnavailable

MINING_SECONDS_MAX = 120.0

MULTICALL3_ADDRESS = "0xcA11bde05977b3631167028862bE2a173976CA11"
"""Where Multicall3 stands on public chains; `place` puts ours there."""


class TransactionReverted(NodeRefused):
    """A transaction was mined and failed."""

    code = "transaction-reverted"
    advice = "Look at the arguments and the sender's balance; the devnet did as it was told."


def deploy(
    node: AnvilNode, name: str, args: Sequence[object] = (), *, sender: str | None = None, value_wei: int = 0
) -> str:
    """Deploy a test contract and return its checksummed address; `sender` defaults to the first account."""
    contract = load(name)
    return deploy_bytecode(node, contract, args, sender=sender, value_wei=value_wei)


def deploy_bytecode(
    node: AnvilNode, contract: Contract, args: Sequence[object] = (), *, sender: str | None = None, value_wei: int = 0
) -> str:
    """Deploy any compiled contract and return its checksummed address."""
    from eth_abi.abi import encode
    from eth_utils.address import to_checksum_address

    data = contract.bytecode + encode(contract.constructor_types(), list(args)).hex()
    receipt = send(node, sender or node.accounts()[0], None, data=data, value_wei=value_wei)
    return to_checksum_address(receipt["contractAddress"])


def place(node: AnvilNode, name: str, address: str) -> None:
    """Put a test contract's code at a chosen address, without a transaction; its storage starts empty."""
    node.set_code(address, load(name).runtime)


def send(
    node: AnvilNode, sender: str, to: str | None, *, data: str = "0x", value_wei: int = 0, **fields: object
) -> dict[str, Any]:
    """Send one transaction and return its receipt; raise `TransactionReverted` when it failed.

    Where the node mines neither at once nor by the clock, one block is mined for it. `fields` go into the
    transaction as they are (`gas`, `nonce`, …).
    """
    transaction: dict[str, object] = {"from": sender, "data": data, "value": hex(value_wei), **fields}
    if to is not None:
        transaction["to"] = to
    transaction_hash = str(node.rpc("eth_sendTransaction", transaction))
    receipt = node.rpc("eth_getTransactionReceipt", transaction_hash)
    if receipt is None:
        if not node.automine() and not node.interval_mining():
            node.mine()
        receipt = _wait_for_receipt(node, transaction_hash)
    assert isinstance(receipt, dict)
    if receipt["status"] != "0x1":
        raise TransactionReverted(f"transaction {transaction_hash} reverted", node_id=NODE_ID)
    return receipt


def _wait_for_receipt(node: AnvilNode, transaction_hash: str) -> dict[str, Any]:
    """The receipt once there is one: Anvil answers first and mines a moment later."""
    deadline = time.monotonic() + MINING_SECONDS_MAX
    while time.monotonic() < deadline:
        receipt = node.rpc("eth_getTransactionReceipt", transaction_hash)
        if isinstance(receipt, dict):
            return receipt
        time.sleep(0.005)
    raise NodeUnavailable(f"transaction {transaction_hash} was not mined in time", node_id=NODE_ID)


def transact(
    node: AnvilNode, sender: str, to: str, signature: str, args: Sequence[object] = (), value_wei: int = 0
) -> dict[str, Any]:
    """Call a function such as `transfer(address,uint256)` in a transaction and return the receipt."""
    return send(node, sender, to, data=call_data(signature, args), value_wei=value_wei)


def call(
    node: AnvilNode,
    to: str,
    signature: str,
    args: Sequence[object] = (),
    *,
    block: int | str | dict[str, object] = "latest",
    sender: str | None = None,
) -> Any:
    """Call a function such as `balanceOf(address)(uint256)` without a transaction; the second list is its results.

    One result is returned as it is, several as a tuple.
    """
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    transaction = {"to": to, "data": call_data(signature, args), **({"from": sender} if sender else {})}
    answer = node.rpc("eth_call", transaction, hex(block) if isinstance(block, int) else block)
    types = _split_types(_signature_parts(signature)[2])
    try:
        results = decode(types, bytes.fromhex(str(answer).removeprefix("0x")))
    except (DecodingError, UnicodeDecodeError):
        raise MalformedAnswer(f"the answer of {signature} is not {', '.join(types)}", node_id=NODE_ID) from None
    return results[0] if len(results) == 1 else results


def call_data(signature: str, args: Sequence[object] = ()) -> str:
    """Selector and encoded arguments of a call, as 0x-prefixed hex."""
    from eth_abi.abi import encode
    from eth_utils.crypto import keccak

    name, inputs, _ = _signature_parts(signature)
    selector = keccak(text=f"{name}({inputs})")[:4]
    return f"0x{selector.hex()}{encode(_split_types(inputs), list(args)).hex()}"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A test contract at its address, with its functions by name."""

    node: AnvilNode
    contract: Contract
    address: str
    """Checksummed."""
    deployer: str
    """The account that sends where no sender is named."""

    def transact(self, function: str, *args: object, sender: str | None = None, value_wei: int = 0) -> dict[str, Any]:
        """Call a function in a transaction and return the receipt."""
        inputs, _ = self.contract.function_types(function)
        return transact(
            self.node, sender or self.deployer, self.address, f"{function}({','.join(inputs)})", args, value_wei
        )

    def call(self, function: str, *args: object, block: int | str | dict[str, object] = "latest") -> Any:
        """Call a function without a transaction."""
        inputs, outputs = self.contract.function_types(function)
        return call(self.node, self.address, f"{function}({','.join(inputs)})({','.join(outputs)})", args, block=block)


def deployed(
    node: AnvilNode, name: str, args: Sequence[object] = (), *, sender: str | None = None, value_wei: int = 0
) -> Deployed:
    """Deploy a test contract and return it with its functions."""
    deployer = sender or node.accounts()[0]
    return Deployed(node, load(name), deploy(node, name, args, sender=deployer, value_wei=value_wei), deployer)


def _signature_parts(signature: str) -> tuple[str, str, str]:
    """Split `name(inputs)(outputs)` into its three parts; the outputs may be missing."""
    name, _, rest = signature.partition("(")
    depth = 1
    for position, character in enumerate(rest):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            inputs, outputs = rest[:position], rest[position + 1 :]
            if name and (not outputs or (outputs.startswith("(") and outputs.endswith(")"))):
                return name, inputs, outputs[1:-1]
            break
    raise ValueError(f"{signature!r} is not a signature such as balanceOf(address)(uint256)")


def _split_types(types: str) -> list[str]:
    """Split a comma-separated list of ABI types; tuples stay whole."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(types):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(types[start:position])
            start = position + 1
    return [*parts, types[start:]] if types else []
