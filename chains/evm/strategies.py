"""Four ways to read many balances at one block, with one result: a value or a failure for each balance.

    state-override   the scanner program in the place of an account: fastest, any output length
    initcode         the scanner program as creation code: for nodes without state override
    multicall3       the Multicall3 contract, where it exists at that block
    batch            plain eth_getBalance and eth_call in JSON-RPC batches: works everywhere

A strategy (`chains.evm.strategy`) only builds requests and decodes answers; sending, sizes and falling back are in
`chains.evm.balances`. The first three make the EVM say where it ran; an answer from another
block or chain is `WrongBlock`.
"""

from __future__ import annotations

from typing import Final

from chains.evm.multicall3 import Multicall3
from chains.evm.plain_batch import Batch
from chains.evm.scan_strategies import Initcode, StateOverride
from chains.evm.strategy import Strategy

STRATEGIES: Final[dict[str, Strategy]] = {
    strategy.name: strategy for strategy in (StateOverride(), Initcode(), Multicall3(), Batch())
}
"""All strategies by name, fastest first."""
