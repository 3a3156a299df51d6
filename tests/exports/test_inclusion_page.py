"""The offline page says the same of every statement as the command does; its script shares no code with it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from exports.errors import StatementInvalid, StatementRefused
from exports.inclusion import InclusionStatement, verify_statement
from exports.inclusion_page import page_bytes
from exports.liabilities import LiabilityContext, Position, positions_of
from exports.records import AllocationRecord
from tests.exports.browser import Browser, chromium, find_chromium
from tests.exports.test_inclusion import (
    ALLOCATIONS,
    ASSETS,
    BROKEN,
    CONTEXT,
    REFUSED,
    UNREADABLE,
    edited,
    some,
    statements,
)

NODE, CHROMIUM = shutil.which("node"), find_chromium()
PAGE = page_bytes().decode("utf-8")
SCRIPT = re.findall(r"<script>(.*?)</script>", PAGE, re.DOTALL)[0]
ASK = """
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
const plain = (_, value) => (typeof value === "bigint" ? String(value) : value);
console.log(JSON.stringify(cases.map(([source, root]) => check(source, root)), plain));
"""
needs_node = pytest.mark.skipif(NODE is None, reason="there is no node to run the page's script with")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no headless Chromium")


def by_page(cases: list[tuple[bytes, str]]) -> list[dict[str, Any]]:
    """What the page's script says of statements and roots."""
    asked = json.dumps([(data.decode("utf-8", "replace"), root) for data, root in cases])
    ended = subprocess.run([str(NODE), "-e", SCRIPT + ASK], input=asked, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    found: list[dict[str, Any]] = json.loads(ended.stdout)
    return found


def by_command(data: bytes, root: str) -> int:
    """The exit code of the other implementation."""
    try:
        return verify_statement(InclusionStatement.parse(data), root or None).exit_code
    except StatementRefused:
        return 1
    except StatementInvalid:
        return 2


@needs_node
@given(ALLOCATIONS)
@settings(max_examples=8, deadline=None)
def test_both_agree_on_every_client_of_any_book(allocations: list[AllocationRecord]) -> None:
    found = list(statements(positions_of(allocations)))
    told = by_page([(each.to_bytes(), each.root) for each in found])
    assert [each["exit_code"] for each in told] == [0] * len(found), told
    assert [[p["base_units"] for p in each["statement"]["positions"]] for each in told] == [
        [str(p.base_units) for p in each.positions] for each in found
    ]


@needs_node
@pytest.mark.fault("G7", "G17")
def test_both_refuse_the_same_changes() -> None:
    good = next(statements(some()))
    cases = {name: (edited(good, edit), good.root) for name, edit in {**REFUSED, **BROKEN}.items()}
    cases |= {f"unreadable: {name}": (data, good.root) for name, data in UNREADABLE.items()}
    cases |= {"no root": (good.to_bytes(), ""), "not the published root": (good.to_bytes(), "0" * 64)}
    cases |= {"good": (good.to_bytes(), good.root), "spaces": (b" " + good.to_bytes(), good.root)}
    expected = {name: by_command(*case) for name, case in cases.items()}
    assert {code: list(expected.values()).count(code) for code in (0, 1, 2)} == {
        0: 1,
        1: len(REFUSED) + len(BROKEN) + 1,
        2: len(UNREADABLE) + 2,
    }
    told = dict(zip(cases, by_page(list(cases.values())), strict=True))
    assert {name: each["exit_code"] for name, each in told.items()} == expected
    assert all(each["problems"] for each in told.values() if each["exit_code"] == 1)
    assert all(each["obstacles"] for each in told.values() if each["exit_code"] == 2)


@needs_node
def test_names_and_amounts_at_the_edges_are_read_alike() -> None:
    context = LiabilityContext('Ünïted "Söhne" \\ 証券 🏦', CONTEXT.bundle_id, CONTEXT.as_of)
    amounts = (0, 1, 2**53 + 1, 2**255, 2**256 - 1)
    found = [
        next(statements([Position("!~\"\\'<b>", "pab", ASSETS[0], amount)], context=context)) for amount in amounts
    ]
    told = by_page([(each.to_bytes(), each.root) for each in found])
    assert [each["exit_code"] for each in told] == [0] * len(amounts)


def test_the_page_allows_its_own_script_and_style_and_nothing_else() -> None:
    policy = re.findall(r'Content-Security-Policy" content="([^"]+)"', PAGE)[0]
    style = re.findall(r"<style>(.*?)</style>", PAGE, re.DOTALL)[0]
    digests = [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in (SCRIPT, style)]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{digests[0]}'; style-src 'sha256-{digests[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert not re.findall(r"https?:|\bsrc=|\bhref=|@import|url\(|innerHTML|eval\(|fetch\(|\son[a-z]+=", PAGE)
    assert page_bytes() == page_bytes()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    folder = tmp_path_factory.mktemp("browser")
    page = folder / "check.html"
    page.write_bytes(page_bytes())
    with chromium(str(CHROMIUM), folder / "profile") as opened:
        opened.open(page.as_uri())
        yield opened


def press(browser: Browser, root: str) -> tuple[str, str]:
    """Give the root, press the button; the verdict and the whole text of the page."""
    browser.evaluate(f"document.getElementById('root').value = {json.dumps(root)}")
    browser.evaluate("document.getElementById('check').click()")
    verdict = browser.evaluate("document.getElementById('verdict').textContent")
    return verdict, browser.evaluate("document.body.innerText")


@needs_chromium
def test_a_client_opens_a_statement_in_a_browser_and_sees_the_result(browser: Browser, tmp_path: Path) -> None:
    good = next(statements(some()))
    file = tmp_path / "statement.json"
    file.write_bytes(good.to_bytes())
    browser.choose_file("#file", file)
    deadline = time.monotonic() + 120
    while not browser.evaluate("document.getElementById('text').value") and time.monotonic() < deadline:
        time.sleep(0.01)
    verdict, text = press(browser, good.root)
    assert verdict == "INCLUDED: all of it leads to the published root."
    assert "says it owes client client-1, as of 2026-01-31T00:00:00.000000Z" in text
    assert re.search(r"iso4217:EUR\s+customer\s+10\.07\s+1007", text)
    assert press(browser, "")[0] == "NOT CHECKED."
    verdict, text = press(browser, "0" * 64)
    assert verdict == "REFUSED: do not rely on this statement."
    assert "the stated root is not the published one" in text

    changed = edited(good, REFUSED["more owed"]).decode()
    browser.evaluate(f"document.getElementById('text').value = {json.dumps(changed)}")
    assert press(browser, good.root)[0] == "REFUSED: do not rely on this statement."
    urls = {
        event["params"]["request"]["url"] for event in browser.events if event["method"] == "Network.requestWillBeSent"
    }
    assert all(url.startswith("file:") for url in urls)
    assert len(urls) == 1
    logged = [event for event in browser.events if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")]
    assert logged == []


@needs_chromium
def test_the_browser_lets_the_page_reach_no_network(browser: Browser) -> None:
    """The policy in force: what a script that got in would try first."""
    tried = browser.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', (error) => String(error))")
    assert "TypeError" in tried
    refused = [event for event in browser.events if event["method"] == "Log.entryAdded"]
    assert any("Content Security Policy" in event["params"]["entry"]["text"] for event in refused)
