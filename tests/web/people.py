"""The application as people use it: with real sessions, passwords and six digits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
from fastapi import FastAPI, Request
from httpx2 import Response
from starlette.testclient import TestClient

from verifier.accounts import enrolment
from verifier.accounts.records import By
from verifier.accounts.roles import Access, Role
from verifier.config import Settings
from verifier.store import Store
from verifier.web.app import create_app
from verifier.web.routing import GuardedRouter

PASSWORD = "correct horse battery staple"
OPERATOR = By("tests")


class RealSite:
    """The application without anybody in front of it; its time stands still until a test moves it."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings, self.store = settings, store
        self.time = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
        self.app: FastAPI = create_app(settings, clock=lambda: self.time)
        tried = GuardedRouter(prefix="/tried")
        tried.get("/who", Access.SIGNED_IN)(_who)
        tried.get("/read", Access.READ)(_who)
        tried.post("/make", Access.MAKE)(_who)
        tried.get("/people", Access.ADMINISTER)(_who)
        self.app.include_router(tried.router)
        self.app.router.routes.insert(0, self.app.router.routes.pop())

    def browser(self, **headers: str) -> TestClient:
        """A browser that has opened no page yet."""
        return TestClient(self.app, base_url="http://localhost", follow_redirects=False, headers=headers)

    def wait(self, **time: int) -> None:
        """Let time pass."""
        self.time += timedelta(**time)

    def first_code(self) -> str:
        """What the command line prints."""
        return enrolment.first_code(self.store, OPERATOR, self.time)

    def add(self, person_id: str, *roles: Role, by: By = OPERATOR) -> str:
        """Another person, with the code to begin with."""
        self.store.add_person(person_id, person_id.title(), frozenset(roles), person_id, by, self.time)
        return enrolment.invite(self.store, person_id, person_id, by, self.time)

    def person(self, person_id: str, *roles: Role) -> Enrolled:
        """Somebody who is signed in with a browser of their own."""
        browser = self.browser()
        answer, secret = enrol(self, browser, self.add(person_id, *roles))
        assert answer.status_code == 200, answer.text
        codes = re.findall(r"<li><code>([a-z0-9-]{14})</code>", answer.text)
        return Enrolled(self, browser, person_id, secret, codes)

    def who(self, browser: TestClient) -> str:
        """The person who is signed in with a browser; empty for nobody."""
        answer = browser.get("/tried/who", headers={"accept": "application/json"})
        return str(answer.json()["person_id"]) if answer.status_code == 200 else ""


class Enrolled:
    """A person with what they sign in with."""

    def __init__(self, site: RealSite, browser: TestClient, login: str, secret: str, codes: list[str]) -> None:
        self.site, self.browser, self.login, self.secret, self.codes = site, browser, login, secret, codes

    def sign_in(self, browser: TestClient, **other: str) -> Response:
        """With everything right, but for what is given otherwise."""
        return sign_in(
            browser, {"login": self.login, "password": PASSWORD, "code": digits(self.secret, self.site.time)} | other
        )


def _who(request: Request) -> dict[str, Any]:
    visitor = request.state.visitor
    return {"person_id": visitor.person_id, "address": visitor.address, "session": visitor.session_key}


def form_token(browser: TestClient, path: str) -> str:
    """The token of the form on a page."""
    found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', browser.get(path).text)
    assert found is not None, path
    return found[1]


def digits(secret: str, at: datetime) -> str:
    """What an authenticator app shows."""
    return pyotp.TOTP(secret).at(at)


def sign_in(browser: TestClient, fields: Mapping[str, str]) -> Response:
    """Fill in the sign-in form and send it."""
    return browser.post("/sign-in", data={"csrf_token": form_token(browser, "/sign-in"), **fields})


def enrol(site: RealSite, browser: TestClient, code: str, **fields: str) -> tuple[Response, str]:
    """Both steps of setting up a sign-in; the answer to the last one that was taken, and the app's secret."""
    token = form_token(browser, "/welcome")
    typed = {"code": code, "password": PASSWORD, "repeated": PASSWORD, "csrf_token": token} | fields
    first = browser.post("/welcome", data=typed)
    secret = re.search(r'class="key">([A-Z2-7]{32})<', first.text)
    ticket = re.search(r'name="ticket" value="([\w-]{43})"', first.text)
    if secret is None or ticket is None:
        return first, ""
    data = {"csrf_token": token, "ticket": ticket[1], "digits": digits(secret[1], site.time)}
    return browser.post("/welcome/finish", data=data), secret[1]
