"""People and sessions in both databases: one that is shut out, one that a writer holds up, and the journal over all."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from pydantic import ValidationError

from tests.postgres import MOMENT
from verifier.accounts import enrolment, second_factor, signing_in
from verifier.accounts.records import By, CredentialKind, checked_login, checked_name, checked_person_id
from verifier.accounts.roles import Role
from verifier.accounts.secrets import digest_of
from verifier.errors import InputError
from verifier.journal import verify_journal
from verifier.settings.web import OidcSettings, WebSettings
from verifier.store import Store, open_store
from verifier.store.session_store import SESSIONS_MAX

BY = By("tests", "192.0.2.1")
WHERE = signing_in.Where("192.0.2.1", "a browser", timedelta(hours=12))
IDLE = timedelta(minutes=30)


def enrolled(store: Store) -> str:
    """An administrator, signed in; the secret of the session."""
    code = enrolment.first_code(store, BY, MOMENT)
    chosen = enrolment.Chosen(code, "correct horse battery staple", "first", "ops.first", "First")
    begun = enrolment.begin(store, chosen, "browser", MOMENT)
    step = int(MOMENT.timestamp()) // 30
    import pyotp

    digits = pyotp.TOTP(begun.totp_secret).generate_otp(step)
    assert second_factor.step_of(begun.totp_secret, digits, MOMENT) == step
    return enrolment.finish(store, begun.ticket, digits, "browser", WHERE, MOMENT).session_secret


@pytest.mark.fault("F3", "F7")
def test_a_session_from_beginning_to_end(store: Store) -> None:
    digest = digest_of(enrolled(store))
    found = store.session(digest, MOMENT, IDLE)
    assert found is not None
    assert (found.person.person_id, found.person.roles, found.method) == (
        "ops.first",
        frozenset({Role.ADMINISTRATOR}),
        "enrolment",
    )
    assert store.session(digest, MOMENT + IDLE, IDLE) is None
    store.touch_session(digest, MOMENT + timedelta(minutes=20))
    assert store.session(digest, MOMENT + IDLE, IDLE) is not None
    store.touch_session(digest, MOMENT)
    assert store.session(digest, MOMENT + IDLE, IDLE) is not None, "a use does not go back"
    store.add_person("ops.second", "Second", frozenset({Role.ADMINISTRATOR}), "second", BY, MOMENT)
    store.change_person("ops.first", BY, MOMENT, is_disabled=True)
    assert store.session(digest, MOMENT, IDLE) is None
    assert verify_journal(store).ok


def test_a_use_is_not_waited_for_while_another_writes(store: Store, database_url: str) -> None:
    digest = digest_of(enrolled(store))
    other, patient = open_store(database_url), open_store(database_url, busy_seconds=300.0)
    try:
        with other.record("test.note", "tests", {}, MOMENT, payload_is_the_record=True):
            begun = time.monotonic()
            patient.touch_session(digest, MOMENT + timedelta(minutes=5))
            assert time.monotonic() - begun < 120, "what is written is waited for five minutes"
        patient.touch_session(digest, MOMENT + timedelta(minutes=6))
    finally:
        other.close()
        patient.close()
    found = store.session(digest, MOMENT + timedelta(minutes=6), IDLE)
    assert found is not None
    assert found.used_at == MOMENT + timedelta(minutes=6)


def test_a_person_has_so_many_sessions_at_once(store: Store) -> None:
    first = enrolled(store)
    secrets = [
        signing_in.begin(store, "ops.first", "test", {}, lambda _: True, WHERE, MOMENT + timedelta(seconds=number))
        for number in range(1, SESSIONS_MAX + 1)
    ]
    later = MOMENT + timedelta(minutes=1)
    assert store.session(digest_of(first), later, IDLE) is None
    assert all(store.session(digest_of(each), later, IDLE) for each in secrets)
    assert signing_in.begin(store, "ops.first", "test", {}, lambda _: False, WHERE, later) == ""
    assert signing_in.begin(store, "nobody", "test", {}, lambda _: True, WHERE, later) == ""
    assert len(store.sessions("ops.first", later, IDLE)) == SESSIONS_MAX


def test_a_ticket_serves_one_purpose_one_browser_and_once(store: Store) -> None:
    until = MOMENT + timedelta(minutes=5)
    store.add_ticket("digest", "purpose", "browser", {"a": 1}, MOMENT, until)
    assert store.take_ticket("digest", "another", "browser", MOMENT) is None
    assert store.take_ticket("digest", "purpose", "another", MOMENT) is None
    assert store.take_ticket("digest", "purpose", "browser", until) is None
    assert store.take_ticket("digest", "purpose", "browser", MOMENT) == {"a": 1}
    assert store.take_ticket("digest", "purpose", "browser", MOMENT) is None


def test_an_ended_login_takes_its_password_along(store: Store) -> None:
    digest = digest_of(enrolled(store))
    (login,) = store.logins("ops.first")
    store.end_login(login.key, "left", BY, MOMENT)
    assert (store.logins("ops.first"), store.credentials("ops.first", CredentialKind.PASSWORD)) == ([], [])
    assert store.session(digest, MOMENT, IDLE) is None
    with pytest.raises(InputError):
        store.end_login(login.key, "again", BY, MOMENT)
    store.add_person("ops.second", "Second", frozenset({Role.OPERATOR}), "first", BY, MOMENT)
    assert verify_journal(store).ok


@pytest.mark.parametrize("text", ["", "Ops.Maker", "ops maker", "ops/maker", "../users", "o" * 41, "öps"])
def test_what_is_no_person_id(text: str) -> None:
    with pytest.raises(InputError):
        checked_person_id(text)
    assert checked_person_id("ops.maker-2") == "ops.maker-2"


def test_names_are_cleaned_or_refused() -> None:
    assert checked_login(" Ops.Maker@Example.com ") == "ops.maker@example.com"
    assert checked_name("  A   name ") == "A name"
    for wrong in ("", "a\x1b[31m", "n" * 101):
        with pytest.raises(InputError):
            checked_name(wrong)
    with pytest.raises(InputError):
        checked_login("two words")


@pytest.mark.parametrize(
    "wrong",
    [
        {"public_url": "http://custody.example.com"},
        {"public_url": "https://user@custody.example.com"},
        {"public_url": "custody.example.com"},
        {"allowed_hosts": ["*.example.com"]},
        {"trusted_proxies": ["proxy"]},
        {"oidc": [OidcSettings(issuer="https://id.example.com", label="x", client_id="c")]},
    ],
)
def test_settings_that_would_open_a_door_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WebSettings.model_validate(wrong)
    good = WebSettings(
        public_url="https://custody.example.com/", allowed_hosts=["inside"], trusted_proxies=["10.0.0.0/8"]
    )
    assert (good.public_url, good.is_tls, good.hosts) == (
        "https://custody.example.com",
        True,
        frozenset({"custody.example.com", "inside"}),
    )
