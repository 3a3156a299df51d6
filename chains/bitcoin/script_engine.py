"""Whether inputs may spend their coins, by Bitcoin Core's own consensus library (py-bitcoinkernel).

The library knows consensus rules only; what BIP-322 asks beyond them is in `spending_rules`. It is loaded when the
first script is run: it is an optional part, 4.5 MB, and most commands need none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chains.bitcoin.transaction import Output
from chains.errors import ChainConfigError


class ScriptEngineMissing(ChainConfigError):
    """The consensus library is not installed; no script was run."""

    code = "script-engine-missing"
    advice = "Install it: pip install 'custody-verifier[bitcoin]'"


def input_accepted(raw: bytes, index: int, coins: Sequence[Output]) -> bool:
    """Whether an input of a transaction may spend its coin. `coins` are those of all inputs, in their order.

    All consensus rules up to taproot hold. Raises `ScriptEngineMissing`.
    """
    library = _library()
    try:
        spending = library.Transaction(raw)
    except RuntimeError:
        return False  # the library cannot read it
    outputs = [library.TransactionOutput(library.ScriptPubkey(coin.script), coin.value) for coin in coins]
    precomputed = library.PrecomputedTransactionData(spending, outputs)
    coin = coins[index]
    script = library.ScriptPubkey(coin.script)
    flags = library.ScriptVerificationFlags.ALL
    try:
        return bool(script.verify(coin.value, spending, precomputed, index, flags))
    except library.ScriptVerifyException:
        return False


def _library() -> Any:
    try:
        import pbk
        from pbk.script import PrecomputedTransactionData
    except ImportError:
        raise ScriptEngineMissing(
            "running Bitcoin scripts needs Bitcoin Core's consensus library (py-bitcoinkernel), which is not installed"
        ) from None
    pbk.PrecomputedTransactionData = PrecomputedTransactionData
    return pbk
