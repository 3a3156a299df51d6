"""The pages in a real Chromium: nothing is blocked, everybody can use them, and what is new arrives by itself."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from tests.web.conftest import Site, served
from tests.web.firm import Template
from tests.web.people import PASSWORD, RealSite, digits
from tests.web.test_dashboard import DETAILS, LISTS, store_of
from tests.web.waiting import make_wait
from verifier.accounts import passwords
from verifier.accounts.roles import Role
from verifier.config import load_settings
from verifier.records import CaseState
from verifier.store import open_store

pytestmark = pytest.mark.devnet
AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
WAIT = 120_000
"""Milliseconds: a slow machine is no failure."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def test_every_page_can_be_used_by_everybody(full: Site, template: Template, chromium: Any) -> None:
    """axe finds nothing, wide and light or as narrow and dark as a phone; nothing is wider than its window."""
    if not AXE.is_file():
        if os.environ.get("CI"):
            pytest.fail("axe-core is not installed: npm ci")
        pytest.skip("axe-core is not installed")
    full.sign_in(Role.OPERATOR, Role.REVIEWER, person="cora.checker")
    store = store_of(full)
    make_wait(store, full.settings, full.time)
    store.close()
    axe, found = AXE.read_text(encoding="utf-8"), list[str]()
    every = (*LISTS, *DETAILS, template.wallet)
    both = {"/"}
    pages = {
        "light": [path for place, path in enumerate(every) if place % 2 or path in both],
        "dark": [path for place, path in enumerate(every) if not place % 2 or path in both],
    }
    with served(full) as site:
        for width, scheme in ((1280, "light"), (390, "dark")):
            context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page = context.new_page()
            page.set_default_timeout(WAIT)
            for path in pages[scheme]:
                page.goto(site + path, wait_until="load")
                page.evaluate(f"() => {{ {axe} }}")
                answer = page.evaluate(f"() => axe.run({{runOnly: {json.dumps(RULES)}}})")
                assert len(answer["passes"]) > 10, path
                problems = [
                    f"{each['id']}: {node['html'][:160]}" for each in answer["violations"] for node in each["nodes"][:3]
                ]
                if page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth"):
                    problems.append("wider than the window")
                found += [f"{path} {scheme}: {problem}" for problem in problems]
            context.close()
    assert not found, "\n".join(found)


def test_axe_finds_what_is_wrong(chromium: Any) -> None:
    """The twin of the test above: a page with an image that says nothing and text that cannot be read."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed")
    page = chromium.new_page()
    page.set_default_timeout(WAIT)
    page.set_content("<html><body><img src='data:,x'><p style='color:#ccc;background:#fff'>pale</p></body></html>")
    page.evaluate(f"() => {{ {AXE.read_text(encoding='utf-8')} }}")
    found = {each["id"] for each in page.evaluate(f"() => axe.run({{runOnly: {json.dumps(RULES)}}})")["violations"]}
    assert {"image-alt", "color-contrast", "html-has-lang"} <= found
    page.close()


def test_what_is_new_arrives_without_loading_the_page_again(full: Site, chromium: Any) -> None:
    said: list[str] = []
    with served(full) as site:
        context = chromium.new_context()
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        with page.expect_response(lambda answer: "/events?seen=" in answer.url) as stream:
            page.goto(f"{site}/cases/CASE-000013")
        assert stream.value.headers["content-type"].startswith("text/event-stream")
        page.evaluate("() => { window.untouched = true }")
        page.fill("#text", "half a sentence")
        store = store_of(full)
        store.comment("CASE-000013", "Said by somebody else meanwhile.", "otto.other", full.time)
        store.close()
        page.wait_for_selector("text=Said by somebody else meanwhile.")
        assert page.evaluate("() => window.untouched") is True
        assert page.input_value("#text") == "half a sentence"
        context.close()
    assert said == []  # also nothing that the policy of the page blocked


def test_a_page_listens_even_if_the_script_for_it_comes_late(full: Site, chromium: Any) -> None:
    """Whenever the network brings the scripts, no page is left that looks alive and hears nothing."""

    def late(route: Any) -> None:
        time.sleep(1)
        route.continue_()

    with served(full) as site:
        context = chromium.new_context()
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.route("**/hx-sse.min.js", late)
        with page.expect_response(lambda answer: "/events?seen=" in answer.url) as stream:
            page.goto(f"{site}/cases/CASE-000013")
        assert stream.value.ok
        context.close()


def test_two_people_who_signed_in_close_a_case_together(
    template: Template, tmp_path: Path, chromium: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with a browser of their own: what one does arrives at the other, and the maker cannot approve."""
    monkeypatch.setattr(passwords, "_hasher", lambda: PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    passwords._nobody.cache_clear()
    shutil.copytree(template.folder, tmp_path / "firm")
    settings = load_settings(tmp_path / "firm" / "custody.toml")
    store = open_store(settings.database.url.get_secret_value())
    real = RealSite(settings, store)
    real.time = template.time
    people = [real.person("olga.operator", Role.OPERATOR, Role.REVIEWER), real.person("cora.checker", Role.REVIEWER)]
    real.wait(minutes=1)
    case = "/cases/CASE-000013"
    with served(real) as site:
        pages = []
        for person in people:
            page = chromium.new_context().new_page()
            page.set_default_timeout(WAIT)
            page.goto(f"{site}/sign-in?next={case}")
            page.get_by_label("Name").fill(person.login)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_label("Six digits of your app").fill(digits(person.secret, real.time))
            page.get_by_role("button", name="Sign in", exact=True).click()
            page.wait_for_selector("h1:has-text('Unauthorized transfer')")
            pages.append(page)
        maker, checker = pages
        maker.fill("#text", "Paid back by the desk.")
        with maker.expect_navigation():
            maker.click("text=Propose as resolved")
        checker.wait_for_selector("text=Proposed by Olga.Operator")  # by itself
        maker.fill("#text", "I say so myself.")
        maker.click("button:text-is('Approve')")
        maker.wait_for_selector("h1:has-text('Conflict')")
        maker.goto(site + case)
        checker.goto(site + case)
        checker.fill("#text", "Seen the transfer back.")
        checker.click("button:text-is('Approve')")
        maker.wait_for_selector("p:has-text('closed')")  # by itself
        for page in pages:
            page.context.close()
    assert store.case("CASE-000013").state is CaseState.CLOSED
    assert [each.actor for each in store.case_events("CASE-000013")][-2:] == ["olga.operator", "cora.checker"]
    store.close()
    passwords._nobody.cache_clear()


def test_a_document_is_attached_and_a_bundle_verified_with_the_forms_alone(full: Site, chromium: Any) -> None:
    with served(full) as site:
        context = chromium.new_context()
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.goto(f"{site}/cases/CASE-000013")
        page.set_input_files("#file", {"name": "answer.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 yes"})
        page.click("button:text-is('Attach')")
        with page.expect_download() as download:
            page.click("a:has-text('answer.pdf')")
        assert Path(download.value.path()).read_bytes() == b"%PDF-1.4 yes"
        page.goto(f"{site}/bundles")
        page.click("text=Verify bundle 1")
        page.wait_for_selector("h1:has-text('Bundle 1: verified')")
        if AXE.is_file():
            page.evaluate(f"() => {{ {AXE.read_text(encoding='utf-8')} }}")
            found = page.evaluate(f"() => axe.run({{runOnly: {json.dumps(RULES)}}})")["violations"]
            assert [each["id"] for each in found] == []
        context.close()


def test_somebody_with_a_keyboard_alone_comments_a_case(full: Site, chromium: Any) -> None:
    with served(full) as site:
        context = chromium.new_context()
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.goto(f"{site}/cases")
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        page.focus("a[href='/cases/CASE-000013']")
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('Unauthorized transfer')")
        page.focus("#text")
        page.keyboard.type("Typed by hand.")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector(".history li:has-text('Typed by hand.')")
        context.close()
