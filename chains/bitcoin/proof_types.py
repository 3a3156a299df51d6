"""What a proof of control on Bitcoin is found to be. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn

from chains.bitcoin.transaction import Output
from chains.errors import ChainError

SEQUENCE_HAS_NO_AGE: Final = 1 << 31
"""With this bit an input's sequence is no relative time lock (BIP-68)."""
LOCK_TIME_IS_TIME: Final = 500_000_000
"""A lock time below is a block height, from here on a Unix time (BIP-65)."""


class ProofState(StrEnum):
    """The three results of BIP-322."""

    VALID = "valid"
    INVALID = "invalid"
    INCONCLUSIVE = "inconclusive"
    """Rules of the future could decide; nothing is shown today."""


class ProofRefused(ChainError):
    """A proof that shows nothing, with the stable name of the reason."""

    advice = "Sign the words of the request again, by the scheme that the answer names."

    def __init__(self, code: str, text: str, state: ProofState = ProofState.INVALID) -> None:
        super().__init__(text)
        self.code = code
        self.state = state


@dataclass(frozen=True, slots=True)
class ProvenCoin:
    """A coin for which a proof carries a valid signature."""

    outpoint: bytes
    """36 bytes."""
    value: int
    """Satoshis."""
    script: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a proof is found to be."""

    state: ProofState
    code: str = ""
    """Stable name of the reason; empty when valid."""
    reason: str = ""
    """One sentence; empty when valid."""
    lock_time: int = 0
    """T of BIP-322: valid from this height or time on; 0 from ever on."""
    age: int = 0
    """S of BIP-322, the largest of all inputs: valid for coins of this relative age (BIP-68); 0 for every coin."""
    coins: tuple[ProvenCoin, ...] = ()
    """The coins that it signs for; none but for proofs of funds or reserves."""


CoinOf = Callable[[bytes], Output | None]
"""The coin under an outpoint as our own ledger has it unspent at the challenge's block; None when it has none."""


def refuse(code: str, text: str) -> NoReturn:
    """Raise the reason why a proof is invalid."""
    raise ProofRefused(code, text)


def inconclusive(text: str) -> NoReturn:
    """Raise the reason why a proof can be neither valid nor invalid."""
    raise ProofRefused("inconclusive", text, ProofState.INCONCLUSIVE)
