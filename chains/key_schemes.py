"""The ways in which control of a wallet can be shown, on every kind of chain. Pure.

The signer names the way; no other is tried, so that nothing is accepted for a reason nobody gave.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from chains.types import ChainId, chain_namespace


class SignatureScheme(StrEnum):
    """How a proof was made."""

    EIP191 = "eip191"
    """EVM: a key signed a text."""
    EIP712 = "eip712"
    """EVM: a key signed typed data."""
    EIP1271 = "eip1271"
    """EVM: a contract wallet accepts the signature for the digest of the typed data."""
    BIP322_SIMPLE = "bip322-simple"
    """Bitcoin: the witness of a native segwit address for a text."""
    BIP322_FULL = "bip322-full"
    """Bitcoin: a whole unspendable transaction, for an address of any kind."""
    BIP322_FUNDS = "bip322-funds"
    """Bitcoin: the same with coins of the wallet as further inputs (proof of funds)."""
    BIP127 = "bip127"
    """Bitcoin: a file of unspendable transactions that sign for coins (proof of reserves)."""
    LEGACY = "legacy"
    """Bitcoin: a key signed a text, of a P2PKH address. Weaker: such a signature does not commit to its key."""
    LEGACY_SEGWIT = "legacy-segwit"
    """Bitcoin: the same for P2WPKH and P2SH-P2WPKH, by the custom of some wallets and no standard."""
    MULTISIG_KEYS = "multisig-keys"
    """Bitcoin: enough keys of a multisig script signed the text, each by itself."""
    TRANSFER = "transfer"
    """The wallet sent an agreed small amount to an agreed address."""


EVM_SCHEMES: Final = (SignatureScheme.EIP191, SignatureScheme.EIP712, SignatureScheme.EIP1271)
BITCOIN_SCHEMES: Final = (
    SignatureScheme.BIP322_SIMPLE,
    SignatureScheme.BIP322_FULL,
    SignatureScheme.BIP322_FUNDS,
    SignatureScheme.BIP127,
    SignatureScheme.LEGACY,
    SignatureScheme.LEGACY_SEGWIT,
    SignatureScheme.MULTISIG_KEYS,
    SignatureScheme.TRANSFER,
)
ON_REQUEST: Final = (SignatureScheme.LEGACY_SEGWIT, SignatureScheme.TRANSFER)
"""Accepted only where the challenge says so."""
BY_CHAIN: Final = (SignatureScheme.EIP1271, SignatureScheme.TRANSFER)
"""Rest on what a chain says, and not on a signature that can be checked alone."""


def schemes_of(chain_id: ChainId) -> tuple[SignatureScheme, ...]:
    """Every scheme that a kind of chain knows; empty for chains whose proofs are not read here."""
    return {"eip155": EVM_SCHEMES, "bip122": BITCOIN_SCHEMES}.get(chain_namespace(chain_id), ())
