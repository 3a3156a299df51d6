"""Passwords: which are accepted, and how they are kept (Argon2id, RFC 9106)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Final

from verifier.errors import InputError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LENGTH_MIN, LENGTH_MAX = 12, 128
DIFFERENT_MIN: Final = 5
_AT_ONCE: Final = BoundedSemaphore(4)
"""Each hash takes 64 MiB; more at once would be a way to exhaust the machine."""
_LEET: Final = str.maketrans("013457@$!", "oleastasi")
_COMMON_TEXT: Final = (
    "password passwort passphrase qwerty qwertz azerty asdfgh asdf zxcvbn letmein welcome admin administrator "
    "iloveyou monkey dragon sunshine princess football baseball superman batman trustno master shadow michael "
    "charlie jordan secret login changeme default temp test guest user root custody securities broker trading "
    "wallstreet bitcoin ethereum crypto summer winter spring autumn fall january february march april may june "
    "july august september october november december monday friday company office security access hello computer "
    "internet samsung google whatever starwars pokemon liverpool chelsea arsenal freedom mustang pass word"
)
_COMMON: Final = frozenset(_COMMON_TEXT.split())
"""Words that passwords are made of by adding digits. They are looked for in what is left without digits and marks."""


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _nobody() -> str:
    """The hash that is checked when there is no such login, so that it takes as long (row F8)."""
    return hashed("nobody signs in with this")


def hashed(password: str) -> str:
    """The Argon2id hash of a password, with its salt and parameters."""
    with _AT_ONCE:
        return _hasher().hash(_normal(password))


def matches(stored: str, password: str) -> bool:
    """Whether a password is that of the stored hash; an empty hash, of nobody, takes as long and matches never."""
    from argon2.exceptions import InvalidHashError, VerificationError

    if len(password) > LENGTH_MAX:
        password = ""
    with _AT_ONCE:
        try:
            _hasher().verify(stored or _nobody(), _normal(password))
        except (VerificationError, InvalidHashError):
            return False
    return bool(stored)


def require_good(password: str, about: Iterable[str] = ()) -> None:
    """Raise `InputError` for a password that is quickly guessed; `about` are names that it must not be made of."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise InputError(f"a password has {LENGTH_MIN} to {LENGTH_MAX} characters; several words are best")
    if len(set(password.lower())) < DIFFERENT_MIN:
        raise InputError(f"a password has at least {DIFFERENT_MIN} different characters")
    if _is_run(password):
        raise InputError("this is a run of neighbouring letters or digits, which is guessed early")
    names = {part for name in about for part in re.split(r"[\W_]+", _normal(name).lower()) if len(part) > 2}
    letters = re.sub(r"[^a-z]", "", _normal(password).lower().translate(_LEET))
    plain = re.sub(r"[^a-z]", "", _normal(password).lower())
    for text in (letters, plain):
        rest = text
        for word in sorted(_COMMON | names, key=lambda each: (-len(each), each)):
            rest = rest.replace(word, "")
        if len(rest) < 4 and text != rest:
            raise InputError("this is made of a common word or a name and little else, which is guessed early")


def _is_run(password: str) -> bool:
    """Whether nearly every character follows the one before it, as in 123456789012 or abcdefghijkl."""
    steps = [ord(b) - ord(a) for a, b in pairwise(password)]
    return sum(step in (-1, 0, 1) for step in steps) >= len(steps) * 3 // 4


def _normal(text: str) -> str:
    """Letters coded in one way, however the keyboard made them."""
    return unicodedata.normalize("NFKC", text)
