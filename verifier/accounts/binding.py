"""Binding somebody at an identity provider to a person: an administrator's act, never by an e-mail address alone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from verifier.accounts.records import By
from verifier.errors import InputError

if TYPE_CHECKING:
    from verifier.settings.web import WebSettings
    from verifier.store import Store

SUBJECT_MAX: Final = 255
"""Of OpenID Connect Core 1.0, section 2."""


def bind(store: Store, settings: WebSettings, person_id: str, issuer: str, subject: str, by: By, now: datetime) -> None:
    """Let whom a configured provider names by `subject` sign in as a person. Raises `InputError`."""
    if issuer not in {each.issuer for each in settings.oidc}:
        raise InputError(f"{issuer[:200]} is not one of the configured identity providers, [[web.oidc]] issuer")
    if not subject or len(subject) > SUBJECT_MAX or not subject.isascii() or not subject.isprintable():
        raise InputError("a subject is what the provider's claim `sub` says, 1 to 255 printable ASCII characters")
    store.add_login(person_id, issuer, subject, by, now)
