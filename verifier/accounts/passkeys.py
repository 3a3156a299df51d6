"""Passkeys (WebAuthn level 2): a key on somebody's device that signs a challenge after a look at who holds it.

The device asks for a fingerprint or a PIN each time, so a passkey is two factors, and it signs for this site alone, so
that a look-alike gets nothing. It is found by what the device names; nobody types who they are.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson

from verifier.accounts.enrolment import made
from verifier.accounts.records import By, CredentialKind, checked_name
from verifier.accounts.secrets import digest_of, new_secret
from verifier.accounts.signing_in import Where, begin, refuse
from verifier.errors import InputError
from verifier.store.people_store import credential_in, raise_counter

if TYPE_CHECKING:
    from verifier.store import Store
    from verifier.store.unit import Unit

LASTS: Final = timedelta(minutes=5)
REGISTERING: Final = "passkey to add"
SIGNING_IN: Final = "passkey to sign in with"
KEYS_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Site:
    """What a passkey is for, as the browser sees it."""

    host: str
    """The relying party's id: the host without its port."""
    origin: str
    firm: str


def options_to_add(store: Store, person_id: str, site: Site, browser: str, now: datetime) -> dict[str, Any]:
    """What a browser makes a new passkey with, and the ticket to bring it back with. Raises `InputError`."""
    import webauthn
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    known = store.credentials(person_id, CredentialKind.PASSKEY)
    person = store.person(person_id)
    if person is None or len(known) >= KEYS_MAX:
        raise InputError(f"a person has at most {KEYS_MAX} passkeys")
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name=site.firm,
        user_name=person_id,
        user_id=digest_of(person_id)[:32].encode(),
        user_display_name=person.name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=_bytes(each.content["id"])) for each in known],
    )
    content = {"person": person_id, "challenge": _text(options.challenge)}
    ticket = _ticket(store, REGISTERING, content, browser, now)
    return {"ticket": ticket, "options": orjson.loads(webauthn.options_to_json(options))}


def add(
    store: Store,
    person_id: str,
    ticket: str,
    credential: dict[str, Any],
    label: str,
    site: Site,
    browser: str,
    by: By,
    now: datetime,
) -> None:
    """Record the passkey that a browser made. Raises `InputError` for anything but an answer to our challenge."""
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    asked = store.take_ticket(digest_of(ticket), REGISTERING, browser, now)
    if asked is None or asked["person"] != person_id:
        raise InputError("this took too long, or was done already; begin again")
    try:
        done = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=_bytes(asked["challenge"]),
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise InputError("this passkey was not made for this site, or without looking at who holds it") from None
    key_id = _text(done.credential_id)
    if store.credential_with(digest_of(key_id), CredentialKind.PASSKEY) is not None:
        raise InputError("this passkey is known already")
    content = {"id": key_id, "public_key": _text(done.credential_public_key), "device": done.aaguid}
    new = made(
        CredentialKind.PASSKEY,
        person_id,
        checked_name(label),
        digest_of(key_id),
        now,
        counter=done.sign_count,
        content=content,
    )
    store.add_credential(new, by, now)


def options_to_sign_in(store: Store, site: Site, browser: str, now: datetime) -> dict[str, Any]:
    """What a browser signs with one of its passkeys, and the ticket to bring it back with."""
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    options = webauthn.generate_authentication_options(
        rp_id=site.host, user_verification=UserVerificationRequirement.REQUIRED
    )
    ticket = _ticket(store, SIGNING_IN, {"challenge": _text(options.challenge)}, browser, now)
    return {"ticket": ticket, "options": orjson.loads(webauthn.options_to_json(options))}


def sign_in(
    store: Store, ticket: str, credential: dict[str, Any], site: Site, browser: str, where: Where, now: datetime
) -> str:
    """Begin a session for who holds a passkey; returns its secret.

    Raises `SignInRefused`, also for a counter that went back: then there are two devices with one key.
    """
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    asked = store.take_ticket(digest_of(ticket), SIGNING_IN, browser, now)
    key_id = credential.get("id")
    known = store.credential_with(digest_of(key_id), CredentialKind.PASSKEY) if isinstance(key_id, str) else None
    if asked is None or known is None:
        refuse(store, "passkey", "", where, now)
    try:
        done = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=_bytes(asked["challenge"]),
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=_bytes(known.content["public_key"]),
            credential_current_sign_count=known.counter,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        refuse(store, "passkey", known.person_id, where, now)

    def use(unit: Unit) -> bool:
        if credential_in(unit.connection, known.key) is None:
            return False
        return done.new_sign_count == 0 or raise_counter(unit.connection, known.key, done.new_sign_count)

    secret = begin(store, known.person_id, "passkey", {"credential": known.key}, use, where, now)
    if not secret:
        refuse(store, "passkey", known.person_id, where, now)
    return secret


def _ticket(store: Store, purpose: str, content: Mapping[str, object], browser: str, now: datetime) -> str:
    ticket = new_secret()
    store.add_ticket(digest_of(ticket), purpose, browser, content, now, now + LASTS)
    return ticket


def _text(given: bytes) -> str:
    return base64.urlsafe_b64encode(given).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
