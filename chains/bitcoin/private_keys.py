"""Private keys are refused wherever they are met, and never repeated in the refusal.

Nothing here has a use for them, and whoever wrote one into a file should make new ones. Pure.
"""

from __future__ import annotations

import re
from typing import Final

from chains.errors import InvalidValue

_TOKEN: Final = re.compile(r"[0-9A-Za-z]+", re.ASCII)
_EXTENDED_PRIVATE: Final = re.compile(r"[a-zA-Z]prv[0-9A-Za-z]{16,}", re.ASCII)
_WIF: Final = re.compile(r"[5KL9c][1-9A-HJ-NP-Za-km-z]{49,51}", re.ASCII)


class PrivateKeyGiven(InvalidValue):
    """A private key stands where a public one belongs."""

    code = "private-key-given"
    advice = "Give the public key (xpub) instead; treat the private key as known to others, and move its coins."
    is_secret = True
    """The text that was refused must not be shown or kept."""


def refuse_private_keys(text: str) -> None:
    """Raise `PrivateKeyGiven` when a text holds what is, or looks like, a private key (xprv or WIF)."""
    for token in _TOKEN.findall(text):
        if _EXTENDED_PRIVATE.search(token) or _WIF.fullmatch(token):
            raise PrivateKeyGiven("this holds a private key; only public keys are taken")
