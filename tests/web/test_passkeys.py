"""Passkeys in a real Chromium with its virtual authenticator, and what somebody else could make of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import served
from tests.web.people import OPERATOR, PASSWORD, RealSite, digits
from verifier.accounts.roles import Role


@pytest.fixture
def page(chromium: Any) -> Iterator[Page]:
    """A page of a browser that was never here, with an authenticator that looks at who holds it."""
    context = chromium.new_context()
    made = context.new_page()
    made.set_default_timeout(120_000)
    expect.set_options(timeout=120_000)
    yield made
    context.close()


def authenticator(page: Page, **other: object) -> tuple[Any, str]:
    """A virtual authenticator of the browser: its session with the browser, and its id."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    answer = session.send("WebAuthn.addVirtualAuthenticator", {"options": options | other})
    return session, answer["authenticatorId"]


def signed_in_page(site: RealSite, address: str, page: Page) -> Any:
    """Somebody signs in with their password and opens their account."""
    person = site.person("ops.maker", Role.OPERATOR)
    site.wait(minutes=1)
    page.goto(f"{address}/sign-in?next=/account")
    page.get_by_label("Name").fill("ops.maker")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Six digits of your app").fill(digits(person.secret, site.time))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(f"{address}/account")
    return person


def add_passkey(page: Page) -> None:
    page.get_by_label("Name of a new passkey").fill("my telephone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("cell", name="my telephone", exact=True)).to_be_visible()


def test_somebody_makes_a_passkey_and_signs_in_with_it(real: RealSite, page: Page) -> None:
    with served(real) as address:
        session, key = authenticator(page)
        messages: list[str] = []
        page.on("console", lambda message: messages.append(message.text))
        signed_in_page(real, address, page)
        add_passkey(page)
        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_url(f"{address}/sign-in")
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page).not_to_have_url(f"{address}/sign-in")
        page.goto(f"{address}/account")
        expect(page.get_by_role("heading", name="Ops.Maker", exact=True)).to_be_visible()
        assert [text for text in messages if "Content Security Policy" in text or "Refused" in text] == []
        (kept,) = session.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"]
        assert kept["rpId"] == "localhost"
    credentials = real.store.credentials("ops.maker")
    assert [each.label for each in credentials if each.counter and each.kind.value == "passkey"] == ["my telephone"]


@pytest.mark.fault("F8")
def test_a_device_that_does_not_look_at_who_holds_it_signs_nobody_in(real: RealSite, page: Page) -> None:
    with served(real) as address:
        session, key = authenticator(page)
        signed_in_page(real, address, page)
        add_passkey(page)
        page.get_by_role("button", name="Sign out").click()
        session.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.get_by_text("The passkey did not sign you in")).to_be_visible()
        expect(page).to_have_url(f"{address}/sign-in")


@pytest.mark.fault("F3", "F7")
def test_a_copied_key_and_a_removed_one_sign_nobody_in(real: RealSite, page: Page) -> None:
    with served(real) as address:
        session, key = authenticator(page)
        signed_in_page(real, address, page)
        add_passkey(page)
        (copy,) = session.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"]
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page).not_to_have_url(f"{address}/sign-in")
        page.goto(f"{address}/account")
        page.get_by_role("button", name="Sign out").click()
        # An older copy of the key, whose counter stands where it stood: the signature is right, the counter is not.
        session.send("WebAuthn.clearCredentials", {"authenticatorId": key})
        session.send("WebAuthn.addCredential", {"authenticatorId": key, "credential": copy})
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.get_by_text("The passkey did not sign you in")).to_be_visible()
        session.send("WebAuthn.clearCredentials", {"authenticatorId": key})
        ahead = copy | {"signCount": 1_000}
        session.send("WebAuthn.addCredential", {"authenticatorId": key, "credential": ahead})
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page).not_to_have_url(f"{address}/sign-in")
        page.goto(f"{address}/account")
        page.get_by_role("button", name="Sign out").click()
        (passkey,) = [each for each in real.store.credentials("ops.maker") if each.label == "my telephone"]
        real.store.end_credential(passkey.key, "ops.maker", "lost", OPERATOR, real.time)
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.get_by_text("The passkey did not sign you in")).to_be_visible()
