"""Signing in at a real OpenID provider, run by node, and at one that lies."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.testclient import TestClient

from tests.web.people import OPERATOR, RealSite, form_token
from verifier.accounts import oidc
from verifier.accounts.binding import bind
from verifier.accounts.identity_provider import Described, IdentityProvider, ProviderFailed
from verifier.accounts.roles import Role
from verifier.config import Settings
from verifier.errors import InputError
from verifier.settings.web import OidcSettings, WebSettings
from verifier.store import Store

ROOT = Path(__file__).resolve().parents[2]
CALLBACK = "http://localhost/sign-in/oidc/callback"
SECRET = "the secret of the client"
SUBJECT = "00u-maker"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Where a real provider listens."""
    node = shutil.which("node")
    if node is None or not (ROOT / "node_modules" / "oidc-provider").is_dir():
        if os.environ.get("CI") and shutil.which("npm"):
            pytest.fail("npm is here, but node or oidc-provider is not: run npm ci")
        pytest.skip("node or its package oidc-provider is not installed")
    command = [node, str(Path(__file__).with_name("provider.mjs")), CALLBACK, "custody", SECRET]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:"), "the provider did not start"
        yield address
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def firm(issuer: str, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch) -> RealSite:
    """A firm whose people sign in there; ops.maker is bound to the provider's subject."""
    monkeypatch.setenv("TESTS_OIDC_SECRET", SECRET)
    own = OidcSettings(issuer=issuer, label="Example ID", client_id="custody", client_secret_env="TESTS_OIDC_SECRET")
    web = WebSettings(public_url="http://localhost", oidc=[own])
    made = RealSite(settings.model_copy(update={"web": web}), store)
    made.time = datetime.now(UTC)  # what a real provider signs is of today
    store.add_person("ops.maker", "Maker", frozenset({Role.OPERATOR}), "ops.maker", OPERATOR, made.time)
    bind(store, web, "ops.maker", issuer, SUBJECT, OPERATOR, made.time)
    return made


def left(browser: TestClient, onward: str = "/") -> str:
    """Press the button of the provider; the address that the page leads to."""
    token = form_token(browser, "/sign-in")
    page = browser.post("/sign-in/oidc", data={"csrf_token": token, "provider": "0", "next": onward})
    found = re.search(r'id="onward" href="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1].replace("&amp;", "&")


def at_the_provider(url: str, subject: str) -> str:
    """Sign in there as a person does; the address that it leads back to."""
    with httpx2.Client(follow_redirects=False) as client:
        answer = client.get(url)
        for _ in range(12):
            if answer.is_redirect:
                url = urljoin(str(answer.url), answer.headers["location"])
                if url.startswith(CALLBACK):
                    return url
                answer = client.get(url)
                continue
            action = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert action is not None, answer.text[:600]
            assert prompt is not None, answer.text[:600]
            typed = {"prompt": prompt[1], "login": subject, "password": "any"}
            answer = client.post(urljoin(str(answer.url), action[1]), data=typed)
    raise AssertionError("the provider leads nowhere")


def returned(browser: TestClient, url: str, **other: str) -> httpx2.Response:
    """Open what the provider led back to."""
    fields = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    return browser.get("/sign-in/oidc/callback", params=fields | other)


def test_who_is_bound_signs_in_there(firm: RealSite) -> None:
    browser = firm.browser()
    url = left(browser, "/account")
    asked = parse_qs(urlsplit(url).query)
    assert (asked["code_challenge_method"], asked["response_type"], asked["scope"]) == (["S256"], ["code"], ["openid"])
    back = at_the_provider(url, SUBJECT)
    answer = returned(browser, back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account"), answer.text
    assert firm.who(browser) == "ops.maker"
    again = returned(firm.browser(), back)
    assert again.status_code == 401


def test_who_is_not_bound_is_told_what_an_administrator_must_bind(firm: RealSite) -> None:
    """The provider gives the e-mail address of ops.maker to everybody: it counts for nothing."""
    browser = firm.browser()
    answer = returned(browser, at_the_provider(left(browser), "00u-somebody"))
    assert (answer.status_code, "00u-somebody" in answer.text) == (403, True)
    assert firm.who(browser) == ""


@pytest.mark.fault("F3")
def test_who_was_shut_out_does_not_come_in_by_the_provider(firm: RealSite) -> None:
    firm.store.change_person("ops.maker", OPERATOR, firm.time, is_disabled=True)
    browser = firm.browser()
    assert returned(browser, at_the_provider(left(browser), SUBJECT)).status_code == 401
    assert firm.who(browser) == ""


@pytest.mark.fault("F6")
@pytest.mark.parametrize("other", [{"state": "A" * 43}, {"iss": "https://evil.example"}, {"iss": ""}, {"code": ""}])
def test_what_was_not_asked_for_is_refused(firm: RealSite, other: dict[str, str]) -> None:
    browser = firm.browser()
    answer = returned(browser, at_the_provider(left(browser), SUBJECT), **other)
    assert answer.status_code == 401
    assert firm.who(browser) == ""


@pytest.mark.fault("F6", "F7")
def test_another_browser_cannot_come_back_in_its_place(firm: RealSite) -> None:
    mine, victim = firm.browser(), firm.browser()
    form_token(victim, "/sign-in")
    back = at_the_provider(left(mine), SUBJECT)
    assert returned(victim, back).status_code == 401
    assert firm.who(victim) == ""


def test_a_code_without_its_verifier_is_worth_nothing(firm: RealSite, issuer: str) -> None:
    provider = firm.app.state.providers[issuer]
    back = at_the_provider(left(firm.browser()), SUBJECT)
    code = parse_qs(urlsplit(back).query)["code"][0]
    with pytest.raises(ProviderFailed, match="answered HTTP 400"):
        provider.exchange(code, "another verifier, of 43 characters or more....", CALLBACK, firm.time)


@pytest.mark.fault("F14")
def test_the_secret_is_in_no_error(firm: RealSite, issuer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESTS_OIDC_SECRET", "another-wrong-secret")
    browser = firm.browser()
    answer = returned(browser, at_the_provider(left(browser), SUBJECT))
    assert answer.status_code == 502
    assert "another-wrong-secret" not in answer.text
    assert issuer not in answer.text


def test_only_configured_providers_are_bound(firm: RealSite) -> None:
    with pytest.raises(InputError, match="not one of the configured"):
        bind(firm.store, firm.settings.web, "ops.maker", "https://evil.example", "x", OPERATOR, firm.time)
    issuer = firm.settings.web.oidc[0].issuer
    firm.store.add_person("ops.other", "Other", frozenset({Role.OPERATOR}), "ops.other", OPERATOR, firm.time)
    with pytest.raises(InputError, match="already"):
        bind(firm.store, firm.settings.web, "ops.other", issuer, SUBJECT, OPERATOR, firm.time)


# What a provider, or somebody between, could put into a token -----------------------------------------------------

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one"})
SETTINGS = OidcSettings(issuer="https://id.example.com", label="Example ID", client_id="custody")
CLAIMS: dict[str, Any] = {
    "iss": "https://id.example.com",
    "aud": "custody",
    "sub": SUBJECT,
    "nonce": "the nonce",
    "iat": int(NOW.timestamp()),
    "exp": int((NOW + timedelta(minutes=5)).timestamp()),
}


class Still(IdentityProvider):
    """A provider whose description and keys are known, so that nothing is asked of it."""

    def described(self, now: datetime, *, fresh: bool = False) -> Described:
        """The same each time."""
        keys = KeySet([RSAKey.import_key(KEY.as_dict(private=False))])
        return Described("https://id.example.com/a", "https://id.example.com/t", ("RS256",), False, True, keys, now)


def subject(settings: OidcSettings = SETTINGS, *, key: Any = KEY, algorithm: str = "RS256", **other: object) -> str:
    claims = {name: value for name, value in (CLAIMS | other).items() if value is not None}
    token = jwt.encode({"alg": algorithm, "kid": "one"}, claims, key, algorithms=[algorithm])
    return oidc.subject_of(Still(settings), token, "the nonce", NOW)


def test_a_good_token_names_its_subject() -> None:
    assert subject() == SUBJECT
    assert subject(aud=["custody", "other"], azp="custody") == SUBJECT
    strict = SETTINGS.model_copy(update={"required_acr": ["mfa"]})
    assert subject(strict, acr="mfa") == SUBJECT


@pytest.mark.parametrize(
    "other",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["custody", "other"]},
        {"azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"exp": int((NOW - timedelta(minutes=2)).timestamp())},
        {"exp": None},
        {"iat": int((NOW - timedelta(hours=1)).timestamp())},
        {"iat": None},
        {"key": OTHER_KEY},
        {"algorithm": "RS384"},
        {"settings": SETTINGS.model_copy(update={"required_acr": ["mfa"]}), "acr": "password"},
    ],
    ids=lambda other: ",".join(f"{name}" for name in other),
)
def test_any_other_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(ProviderFailed):
        subject(**other)


def test_a_token_without_a_signature_is_refused() -> None:
    import base64
    import json

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    for token in (f"{part({'alg': 'none'})}.{part(CLAIMS)}.", "not a token", ""):
        with pytest.raises(ProviderFailed):
            oidc.subject_of(Still(SETTINGS), token, "the nonce", NOW)


def test_keys_of_the_secret_are_never_accepted() -> None:
    described = Still(SETTINGS).described(NOW)
    assert replace(described, algorithms=("RS256",)) == described
    from verifier.accounts.identity_provider import ALGORITHMS

    assert not {"none", "HS256", "HS384", "HS512"} & ALGORITHMS
