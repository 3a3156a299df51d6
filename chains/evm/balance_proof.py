"""Balances out of proven state: of the native coin by the account, of a token by its reviewed storage layout. Pure.

All is looked up in a pool of trie nodes under one state root. The sweep does it with what a node just gave, and the
reader of a bundle with what the bundle carries: the same functions, so that they cannot disagree.
"""

from __future__ import annotations

from chains.evm.keccak import keccak256
from chains.evm.state_proof import ProvenAccount, account_at, slot_at
from chains.evm.token_layout import TokenLayout, minimal_proxy_code
from chains.evm.trie_proof import NodePool
from chains.types import Address


def native_balance(root: bytes, address: Address, pool: NodePool) -> int:
    """The balance in wei. Raises `ProofFailed` when a node is missing, `MalformedAnswer` when one is no trie's."""
    return account_at(root, address, pool).balance


class TokenState:
    """One token in one state, once its code is known to be the one that its layout was reviewed for."""

    def __init__(self, root: bytes, layout: TokenLayout, pool: NodePool) -> None:
        """Raises `ProofFailed` when a node is missing, `MalformedAnswer` when one is no trie's."""
        self._layout = layout
        self._pool = pool
        self._account = account_at(root, layout.token, pool)
        self.problem = _layout_problem(root, layout, self._account, pool)
        """Why the layout says nothing of this state; empty when it holds."""

    def balance(self, holder: Address) -> int:
        """The balance in base units of a token without a problem. Raises as the constructor does."""
        assert not self.problem, "a layout that does not hold proves nothing"
        slot = self._layout.slot(holder)
        return self._layout.balance(slot_at(self._account, self._layout.token, slot, self._pool))


def _layout_problem(root: bytes, layout: TokenLayout, account: ProvenAccount, pool: NodePool) -> str:
    if not layout.is_provable:
        return f"unprovable: {layout.reason}"
    if account.code_hash.hex() != layout.code_hash[2:]:
        return f"layout-stale: the code of the token {layout.token} is not the one its layout was reviewed for"
    implementation = layout.implementation
    if implementation is None:
        return ""
    if layout.implementation_slot is None:
        if keccak256(minimal_proxy_code(implementation)) != account.code_hash:
            return f"layout-stale: the code of {layout.token} is no minimal proxy to {implementation}"
    else:
        stored = slot_at(account, layout.token, layout.implementation_slot, pool)
        if stored != int(implementation, 16):
            return f"layout-stale: the proxy {layout.token} runs another implementation than its layout names"
    if account_at(root, implementation, pool).code_hash.hex() != layout.implementation_code_hash[2:]:
        return f"layout-stale: the code of the implementation {implementation} is not the reviewed one"
    return ""
