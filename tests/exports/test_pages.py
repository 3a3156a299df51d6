"""Pages from templates: whatever they are given is text, nothing is loaded, and only they need the library."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from exports.daily_report import Section, Table
from exports.errors import ReportLibraryMissing
from exports.pages import STYLE, page
from exports.verify import verify_bundle
from tests.exports.browser import chromium, find_chromium
from tests.exports.sample import NOW, make_firm, sample_bundle, write

HOSTILE = """"'><script>alert(1)</script>{{ 7 * 7 }}{% raw %}<img src=x onerror=alert(1)>&amp;"""
DAILY = "daily_report.html.j2"


def hostile_page() -> str:
    """A page whose every text is hostile, those that become classes too."""
    table = Table((HOSTILE, "status", "amount"), ((HOSTILE, HOSTILE, HOSTILE),), ("amount",))
    section = Section(HOSTILE, ((HOSTILE, HOSTILE),), (table,), (HOSTILE,), (HOSTILE,))
    return page(DAILY, title=HOSTILE, verdict=HOSTILE, verdict_class=HOSTILE, sections=[section]).decode()


def test_hostile_text_stays_text() -> None:
    text = hostile_page()
    assert re.findall(r"<(?:script|img)\b", text) == []
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 14  # the title twice, a class twice
    assert text.count("{{ 7 * 7 }}") == 13  # of a status the first word is the class
    assert "&amp;amp;" in text
    assert len(re.findall(r"<(?!/)[a-z]", text)) == len(re.findall(r"<(?!/)[a-z]", plain_page()))


def plain_page() -> str:
    table = Table(("a", "status", "amount"), (("b", "matched", "1"),), ("amount",))
    section = Section("c", (("d", "e"),), (table,), ("f",), ("g",))
    return page(DAILY, title="t", verdict="v", verdict_class="good", sections=[section]).decode()


def test_the_policy_allows_the_one_style_and_nothing_else() -> None:
    text = plain_page()
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style == files("exports.pages").joinpath(STYLE).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in text
    assert re.findall(r"\b(?:src|href|style|on[a-z]+)=", text) == []
    assert "url(" not in style


@pytest.mark.skipif(find_chromium() is None, reason="no Chromium is installed here")
@pytest.mark.parametrize("screen", [380, 1000])
def test_long_words_do_not_make_a_page_wider_than_the_screen(tmp_path: Path, screen: int) -> None:
    long = "0123456789abcdef" * 8
    table = Table((long, "status", "amount"), ((long, "matched", long),), ("amount",))
    section = Section(long, ((long, long),), (table,), (long,), (long,))
    file = tmp_path / "page.html"
    file.write_bytes(page(DAILY, title=long, verdict=long, verdict_class="bad", sections=[section]))
    with chromium(str(find_chromium()), tmp_path / "profile") as browser:
        browser.open(file.as_uri())
        browser.call("Emulation.setDeviceMetricsOverride", width=screen, height=800, deviceScaleFactor=1, mobile=False)
        width, shown, inner = browser.evaluate(
            "[document.documentElement, document.querySelector('.scroll')]"
            ".flatMap(each => [each.scrollWidth, each.clientWidth]).slice(0, 3)"
        )
    assert width <= shown <= screen < inner  # the table alone scrolls


def test_the_same_content_gives_the_same_bytes() -> None:
    assert plain_page() == plain_page()


def test_a_table_without_rows_is_left_out() -> None:
    empty = Section("c", tables=(Table(("a",), ()),))
    assert "<table>" in plain_page()
    assert "<table>" not in page(DAILY, title="t", verdict="v", verdict_class="good", sections=[empty]).decode()


def test_a_name_the_template_does_not_get_is_an_error() -> None:
    import jinja2

    with pytest.raises(jinja2.UndefinedError):
        page(DAILY, title="t")


def test_without_the_library_it_is_named_and_bundles_still_verify(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ReportLibraryMissing) as caught:
        page(DAILY, title="t", verdict="v", verdict_class="good", sections=[])
    assert "custody-verifier[report]" in caught.value.advice
    firm = make_firm(tmp_path)
    assert verify_bundle(write(tmp_path, firm, sample_bundle()), firm.trusted, now=NOW).exit_code == 0
