"""Requests that another site had a browser send, hosts that are not ours, and what stands on every answer."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from tests.web.conftest import Site
from tests.web.people import RealSite, form_token
from verifier.accounts.roles import Access, Role
from verifier.config import DatabaseSettings, Settings
from verifier.settings.web import WebSettings
from verifier.web.app import create_app
from verifier.web.forms import local_path
from verifier.web.routing import GuardedRouter, access_of, routes_of
from verifier.web.security import HEADERS


@pytest.mark.fault("F6")
def test_a_change_needs_the_token_of_the_page(real: RealSite) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    token = form_token(person.browser, "/account")
    post = person.browser.post
    assert post("/tried/make").status_code == 403
    assert post("/tried/make", headers={"x-csrf-token": "0" * 64}).status_code == 403
    assert post("/tried/make", data={"csrf_token": "0" * 64}).status_code == 403
    assert post("/tried/make", json={"csrf_token": token}).status_code == 403
    assert post("/tried/make", headers={"x-csrf-token": token}).status_code == 200
    assert post("/tried/make", data={"csrf_token": token}).status_code == 200


@pytest.mark.fault("F6")
def test_the_token_of_another_browser_or_session_is_refused(real: RealSite) -> None:
    first, second = real.person("ops.one", Role.OPERATOR), real.person("ops.two", Role.OPERATOR)
    theirs = form_token(second.browser, "/account")
    assert first.browser.post("/tried/make", headers={"x-csrf-token": theirs}).status_code == 403
    before = form_token(first.browser, "/account")
    real.wait(minutes=1)
    assert first.sign_in(real.browser()).status_code == 303
    token = {"csrf_token": before}
    first.browser.post("/sign-out", data=token)
    assert first.sign_in(first.browser, code=first.codes[0]).status_code == 303
    assert first.browser.post("/tried/make", data=token).status_code == 403, "from before signing in"


@pytest.mark.fault("F6")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "http://localhost"}, 200),
    ],
)
def test_what_the_browser_says_of_another_site_is_believed(
    real: RealSite, headers: dict[str, str], status: int
) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    token = form_token(person.browser, "/account")
    assert person.browser.post("/tried/make", headers={"x-csrf-token": token} | headers).status_code == status


@pytest.mark.fault("F6")
def test_signing_in_is_bound_to_the_browser_too(real: RealSite) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    real.wait(minutes=1)
    fields = {"login": "ops.maker", "password": "x", "code": "1", "csrf_token": form_token(person.browser, "/account")}
    assert real.browser().post("/sign-in", data=fields).status_code == 403


@pytest.mark.fault("F6")
def test_every_change_of_the_application_is_guarded_and_nothing_else_changes(site: Site) -> None:
    stranger = site.browser()
    site.sign_in(*Role)
    asked = 0
    for route in routes_of(site.app):
        methods = getattr(route, "methods", None) or set()
        assert methods <= {"GET", "HEAD", "POST"}, route.path
        if "POST" not in methods:
            continue
        answer = stranger.post(route.path.replace("{", "").replace("}", ""))
        assert answer.status_code in (403, 422), (route.path, answer.status_code)
        asked += 1
    assert asked > 10


@pytest.mark.fault("F5")
def test_no_route_lets_a_stranger_in(real: RealSite) -> None:
    asked = 0
    for route in routes_of(real.app):
        if route.path == "/static" or access_of(route) is Access.PUBLIC:
            continue
        method = next(iter(route.methods - {"HEAD"}))
        path = route.path.replace("{", "").replace("}", "")
        answer = real.browser().request(method, path, headers={"x-csrf-token": "0"}, json={})
        assert answer.status_code in (303, 401, 422), (method, path, answer.status_code)
        assert answer.headers.get("location", "/sign-in").startswith("/sign-in"), path
        asked += 1
    assert asked > 10


@pytest.mark.fault("F15")
@pytest.mark.parametrize(
    "path", ["/sign-in", "/nowhere", "/api/nowhere", "/tried/who", "/static/style.css", "/tried/fails"]
)
def test_the_headers_are_on_every_answer(real: RealSite, path: str) -> None:
    failing = GuardedRouter(prefix="/tried")
    failing.get("/fails", Access.PUBLIC)(_fail)
    real.app.include_router(failing.router)
    answer = real.browser().get(path)
    for name, value in HEADERS.items():
        if (path, name) != ("/static/style.css", "cache-control"):
            assert answer.headers[name] == value, name
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "strict-transport-security" not in answer.headers, "it would shut a site out that has no TLS"
    assert "secret of the fault" not in answer.text


def _fail() -> None:
    raise RuntimeError("secret of the fault")


@pytest.mark.fault("F15", "F11")
def test_no_page_has_a_script_or_style_of_its_own(real: RealSite) -> None:
    person = real.person("ops.admin", Role.ADMINISTRATOR)
    for path in ("/sign-in", "/welcome"):
        _no_inline(real.browser().get(path).text)
    for path in ("/account", "/users", "/users/ops.admin"):
        answer = person.browser.get(path)
        assert answer.status_code == 200, answer.text
        _no_inline(answer.text)


def _no_inline(page: str) -> None:
    assert "<main" in page
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:", page)


@pytest.mark.fault("F16")
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "localhost@evil.example", "[::2]"])
def test_a_host_that_is_not_ours_is_refused(real: RealSite, host: str) -> None:
    answer = real.browser().get("/sign-in", headers={"host": host})
    assert (answer.status_code, "set-cookie" in answer.headers) == (400, True)
    assert "evil" not in answer.text


@pytest.mark.fault("F16")
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000"])
def test_our_own_hosts_are_not(real: RealSite, host: str) -> None:
    assert real.browser().get("/sign-in", headers={"host": host}).status_code == 200


@pytest.mark.fault("F16")
@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "javascript:alert(1)",
        "evil",
        "",
        "/a\n/b",
    ],
)
def test_nobody_is_led_elsewhere(real: RealSite, elsewhere: str) -> None:
    assert local_path(elsewhere) == "/"
    person = real.person("ops.maker", Role.OPERATOR)
    real.wait(minutes=1)
    answer = person.sign_in(real.browser(), next=elsewhere)
    assert answer.headers["location"] == "/"
    assert person.browser.get("/sign-in", params={"next": elsewhere}).headers["location"] == "/"


@pytest.mark.fault("F16")
def test_but_to_where_they_wanted_to_go(real: RealSite) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    real.wait(minutes=1)
    assert person.sign_in(real.browser(), next="/cases?state=open#x").headers["location"] == "/cases?state=open#x"


@pytest.mark.fault("F21")
def test_a_request_that_is_too_large_is_refused_before_it_is_read(real: RealSite) -> None:
    stranger = real.browser()
    token = form_token(stranger, "/sign-in")
    assert stranger.post("/sign-in", content=b"x" * 70_000).status_code == 413

    def pieces() -> list[bytes]:
        return [b"csrf_token=" + token.encode() + b"&login=", *[b"x" * 10_000] * 8]

    typed = {"content-type": "application/x-www-form-urlencoded"}
    assert stranger.post("/sign-in", content=iter(pieces()), headers=typed).status_code == 413
    person = real.person("ops.maker", Role.OPERATOR)
    token = form_token(person.browser, "/account")
    large = person.browser.post("/tried/make", content=b"x" * 70_000, headers={"x-csrf-token": token})
    assert large.status_code == 200, "who is signed in may send more"


@pytest.mark.fault("F7", "F15")
def test_with_tls_cookies_are_bound_to_the_host(settings: Settings) -> None:
    url = DatabaseSettings(url=SecretStr(settings.database.url.get_secret_value()))
    web = WebSettings(public_url="https://custody.example.com")
    app = create_app(settings.model_copy(update={"database": url, "web": web}), clock=_never)
    client = TestClient(app, base_url="https://custody.example.com")
    answer = client.get("/static/style.css")
    assert answer.headers["strict-transport-security"].startswith("max-age=63072000")
    page = client.get("/sign-in")
    assert page.headers["set-cookie"].startswith("__Host-custody-browser=")
    assert "Secure" in page.headers["set-cookie"]
    assert "Path=/" in page.headers["set-cookie"]
    assert "Domain" not in page.headers["set-cookie"]
    assert client.get("/sign-in", headers={"host": "localhost"}).status_code == 400


def _never() -> datetime:
    return datetime(2026, 3, 4, tzinfo=UTC)
