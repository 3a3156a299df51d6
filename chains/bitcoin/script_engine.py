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


class ScriptRun:
    """One transaction before the coins that it spends; what the library works out for all inputs is done once."""

    def __init__(self, raw: bytes, coins: Sequence[Output]) -> None:
        """`coins` are those of all inputs, in their order. Raises `ScriptEngineMissing`."""
        library = self._library = _library()
        self._coins = coins
        self._spending = None
        try:
            self._spending = library.Transaction(raw)
        except RuntimeError:
            return  # the library cannot read it, so it accepts nothing of it
        outputs = [library.TransactionOutput(library.ScriptPubkey(coin.script), coin.value) for coin in coins]
        self._precomputed = library.script.PrecomputedTransactionData(self._spending, outputs)

    def accepts(self, index: int) -> bool:
        """Whether an input may spend its coin, by all consensus rules up to taproot."""
        if self._spending is None:
            return False
        coin, library = self._coins[index], self._library
        script, flags = library.ScriptPubkey(coin.script), library.ScriptVerificationFlags.ALL
        try:
            return bool(script.verify(coin.value, self._spending, self._precomputed, index, flags))
        except library.ScriptVerifyException:
            return False


def _library() -> Any:
    try:
        import pbk
    except ImportError:
        raise ScriptEngineMissing(
            "running Bitcoin scripts needs Bitcoin Core's consensus library (py-bitcoinkernel), which is not installed"
        ) from None
    return pbk
