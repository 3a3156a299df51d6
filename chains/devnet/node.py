"""A running Anvil node and the things only a devnet lets one do to a chain.

Not `chains.transport`: that one tries again when an answer is lost, which is right for reading and wrong here,
where most calls change the chain and must happen once or visibly fail.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from chains.devnet.post import PostFailed, post
from chains.errors import ChainConfigError, MalformedAnswer, NodeRefused, NodeUnavailable

NODE_ID = "anvil"
TIMEOUT_SECONDS = 120.0
MESSAGE_CHARACTERS_MAX = 200


class NotAnvil(ChainConfigError):
    """The node is not Anvil, and what a devnet helper does to it could be real."""

    code = "not-anvil"
    advice = "Give the URL of a local Anvil node; nothing was sent to this one but a question for its name."


class AnvilNode:
    """Talks to one Anvil node. Refuses any other client when it is made, before it can change anything.

    Raises `NotAnvil` or `ChainConfigError`; every method raises `NodeUnavailable`, `MalformedAnswer` or `NodeRefused`.
    """

    def __init__(self, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.url = url
        self._timeout_seconds = timeout_seconds
        self._last_id = 0
        self.impersonated: set[str] = set()
        """The addresses that `impersonate` was called for and `stop_impersonating` was not."""
        self.client_version = self._require_anvil()

    def __enter__(self) -> AnvilNode:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held open between calls; the context only frames the use of a node."""

    def __repr__(self) -> str:
        return f"<AnvilNode {self.client_version}>"

    def rpc(self, method: str, *params: object) -> Any:
        """The result of one JSON-RPC call, tried once."""
        self._last_id += 1
        call = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": list(params)}
        body = json.dumps(call).encode()
        try:
            status, _, payload = post(self.url, body, self._timeout_seconds)
        except PostFailed as error:
            raise NodeUnavailable(f"no answer to {method}: {error}", node_id=NODE_ID) from None
        if status != 200:
            raise NodeUnavailable(f"HTTP status {status} to {method}", node_id=NODE_ID)
        try:
            answer = json.loads(payload)
        except ValueError:
            raise MalformedAnswer(f"the answer to {method} is not JSON", node_id=NODE_ID) from None
        if not isinstance(answer, dict) or answer.get("id") != self._last_id:
            raise MalformedAnswer(f"the answer to {method} is not the one to this call", node_id=NODE_ID)
        if "error" in answer:
            error_object = answer["error"] if isinstance(answer["error"], dict) else {}
            message = str(error_object.get("message", ""))[:MESSAGE_CHARACTERS_MAX]
            raise NodeRefused(f"{method}: {message!r}", node_id=NODE_ID, rpc_code=error_object.get("code"))
        return answer.get("result")

    def _require_anvil(self) -> str:
        version = self.rpc("web3_clientVersion")
        if not isinstance(version, str) or not version.lower().startswith("anvil/"):
            raise NotAnvil("the node does not say that it is Anvil")
        return version[:MESSAGE_CHARACTERS_MAX]

    # What the chain says

    @property
    def chain_id(self) -> int:
        """The chain id the node answers now (`set_chain_id` changes it)."""
        return int(self.rpc("eth_chainId"), 16)

    def block_number(self) -> int:
        """Height of the newest block."""
        return int(self.rpc("eth_blockNumber"), 16)

    def block(self, height: int | str = "latest", *, full: bool = False) -> dict[str, Any]:
        """A block by height or tag, as the node spells it; `full` includes whole transactions."""
        block = self.rpc("eth_getBlockByNumber", hex(height) if isinstance(height, int) else height, full)
        if not isinstance(block, dict):
            raise MalformedAnswer(f"there is no block {height}", node_id=NODE_ID)
        return block

    def block_hash(self, height: int | str = "latest") -> str:
        """Hash of the block at a height or tag."""
        return str(self.block(height)["hash"])

    def accounts(self) -> list[str]:
        """The funded accounts that the node signs for, checksummed."""
        from eth_utils.address import to_checksum_address

        return [to_checksum_address(account) for account in self.rpc("eth_accounts")]

    def balance(self, address: str, height: int | str = "latest") -> int:
        """Balance of an address in wei."""
        return int(self.rpc("eth_getBalance", address, hex(height) if isinstance(height, int) else height), 16)

    # What only a devnet does

    def mine(self, blocks: int = 1, interval_seconds: int = 0) -> None:
        """Mine that many blocks, their timestamps that far apart (0: as Anvil's clock has it)."""
        self.rpc("anvil_mine", hex(blocks), *([hex(interval_seconds)] if interval_seconds else []))

    def set_automine(self, enabled: bool) -> None:
        """Whether each transaction is mined at once; otherwise it waits for `mine`."""
        self.rpc("evm_setAutomine", enabled)

    def automine(self) -> bool:
        """Whether each transaction is mined at once."""
        return bool(self.rpc("anvil_getAutomine"))

    def set_interval_mining(self, seconds: int) -> None:
        """Mine a block every so many seconds, and not at each transaction; 0 stops it."""
        self.rpc("evm_setIntervalMining", seconds)

    def interval_mining(self) -> int:
        """Every how many seconds a block is mined; 0: not by the clock."""
        return int(self.rpc("anvil_getIntervalMining") or 0)

    def set_next_block_timestamp(self, unix_seconds: int) -> None:
        """Timestamp of the next block; later than the newest block's."""
        self.rpc("evm_setNextBlockTimestamp", unix_seconds)

    def set_balance(self, address: str, wei: int) -> None:
        """Give an address exactly that balance, without a transaction."""
        self.rpc("anvil_setBalance", address, hex(wei))

    def set_code(self, address: str, code: str) -> None:
        """Place code (0x-prefixed hex) at an address, without a transaction."""
        self.rpc("anvil_setCode", address, code)

    def set_storage_at(self, address: str, slot: int, word: int) -> None:
        """Write one storage word of a contract, without a transaction or event."""
        self.rpc("anvil_setStorageAt", address, hex(slot), f"0x{word:064x}")

    def set_nonce(self, address: str, nonce: int) -> None:
        """Set the number of transactions an address is said to have sent."""
        self.rpc("anvil_setNonce", address, hex(nonce))

    def impersonate(self, address: str) -> None:
        """Let the node send transactions from an address without its key."""
        self.rpc("anvil_impersonateAccount", address)
        self.impersonated.add(address)

    def stop_impersonating(self, address: str) -> None:
        """End `impersonate`."""
        self.rpc("anvil_stopImpersonatingAccount", address)
        self.impersonated.discard(address)

    def set_chain_id(self, chain_id: int) -> None:
        """Answer another chain id from now on. Reverting a snapshot does not undo it."""
        self.rpc("anvil_setChainId", chain_id)

    def drop_transaction(self, transaction_hash: str) -> bool:
        """Drop a waiting transaction; False when none of that hash waits."""
        return self.rpc("anvil_dropTransaction", transaction_hash) is not None

    def drop_all_transactions(self) -> None:
        """Drop all waiting transactions."""
        self.rpc("anvil_dropAllTransactions")

    def snapshot(self) -> str:
        """Remember the state; the id is for one `revert`."""
        return str(self.rpc("evm_snapshot"))

    def revert(self, snapshot_id: str) -> bool:
        """Return to a snapshot and forget it and all later ones; False when the node does not know it.

        Raises `NodeRefused` when a reorganisation removed the block the snapshot stands on.
        """
        return bool(self.rpc("evm_revert", snapshot_id))

    def reorg(self, depth: int, transactions: Sequence[tuple[dict[str, object], int]] = ()) -> None:
        """Replace the newest `depth` blocks by as many others.

        Args:
            depth: How many blocks go; the height stays.
            transactions: What the new blocks hold, each as (transaction, block from 0 to depth - 1). Those of the
                removed blocks are not taken over.
        """
        self.rpc("anvil_reorg", depth, [[transaction, block] for transaction, block in transactions])

    def rollback(self, depth: int = 1) -> None:
        """Remove the newest `depth` blocks; the head goes back."""
        self.rpc("anvil_rollback", depth)
