"""The second verifier says of every bundle of the conformance folder what the first one does. It shares no code."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from exports.codec import time_text
from exports.records import RECORD_TYPES
from exports.table_lines import KINDS as TABLE_KINDS
from exports.table_lines import columns_of
from exports.verdict import CheckStatus
from exports.verifier_page import page_bytes, script
from exports.verify import NAMES, verify_bundle
from tests.conformance_bundles.firm import READERS
from tests.conformance_bundles.make import ORDER, write_folder
from tests.conformance_bundles.recipe import RECIPES, Made
from tests.exports.browser import Browser, chromium, find_chromium
from tests.exports.sample import NOW
from tests.exports.test_format_document import fields

CHROMIUM = find_chromium()
PAGE = page_bytes().decode("utf-8")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no headless Chromium")

NODE_CHECKS = {16, 17, 20, 21}
NOT_CHECKED_HERE = {recipe.name for recipe in ORDER if recipe.check in NODE_CHECKS}
"""The bad bundles that the page does not refuse: what they lie about it says not to have checked."""

READ_OUT = """
run().then(() => ({
  exit: Number(at("verdict").dataset.exit),
  checks: [...at("checks").tBodies[0].rows].map((row) => [Number(row.dataset.number), row.dataset.status]),
}))
"""


@dataclass(frozen=True)
class Opened:
    """The page in a browser, beside a conformance folder."""

    browser: Browser
    folder: Path
    made: dict[str, Made]

    def choose(self, name: str) -> None:
        """Put a bundle and its reader's files into the page."""
        made = self.made[name]
        self.browser.evaluate("for (const id of ['bundle', 'keys', 'earlier']) at(id).value = ''")
        self.browser.choose_file("#bundle", self.folder / RECIPES[name].file)
        self.browser.choose_file("#keys", self.folder / made.trusted)
        if made.after is not None:
            self.browser.choose_file("#earlier", self.folder / RECIPES["one-of-everything"].file)
        self.browser.evaluate(f"at('now').value = {json.dumps(time_text(NOW))}")

    def judge(self, name: str) -> dict[str, Any]:
        """What the page says of a bundle."""
        self.choose(name)
        found: dict[str, Any] = self.browser.evaluate(READ_OUT)
        return found


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("page")
    made = write_folder(folder / "bundles")
    page = folder / "verify.html"
    page.write_bytes(page_bytes())
    with chromium(str(CHROMIUM), folder / "profile") as browser:
        browser.open(page.as_uri())
        yield Opened(browser, folder / "bundles", made)


@needs_chromium
@pytest.mark.fault("E1", "E2", "E3", "E4", "E5", "E6", "E7", "E9", "E12", "E20")
@pytest.mark.parametrize("name", [recipe.name for recipe in ORDER])
def test_the_page_says_what_the_command_says(name: str, opened: Opened) -> None:
    recipe, told = RECIPES[name], opened.judge(name)
    said = dict(told["checks"])
    assert sorted(said) == list(NAMES)
    made = opened.made[name]
    report = verify_bundle(
        opened.folder / recipe.file, READERS[made.trusted], now=NOW, after=made.after, expected=made.profile
    )
    differing = {
        check.number: (str(check.status), said[check.number])
        for check in report.checks
        if said[check.number] not in (str(check.status), "not_here")
    }
    assert differing == {}
    refused = {number for number, status in said.items() if status in ("failed", "not_possible")}
    if name in NOT_CHECKED_HERE or recipe.check is None:
        assert (told["exit"], refused) == (2 if "withheld" in said.values() else 0, set())
        assert recipe.check is None or said[recipe.check] == "not_here"
    else:
        assert recipe.check in refused
        assert told["exit"] == (1 if recipe.possible else 2)


@needs_chromium
def test_what_the_page_leaves_out_is_short_and_printed_by_the_page_itself(opened: Opened) -> None:
    printed = opened.browser.evaluate("at('limits').innerText")
    left_out = {int(number) for number in re.findall(r"^(\d+)\. ", printed, re.MULTILINE)}
    assert left_out == NODE_CHECKS | {19, 23, 25, 26, 27, 30, 32}
    assert all(f"{number}. {NAMES[number]}: " in printed for number in left_out)
    assert {RECIPES[name].check for name in NOT_CHECKED_HERE} <= left_out


@needs_chromium
def test_a_person_chooses_files_and_reads_the_result_with_the_worst_first(opened: Opened) -> None:
    opened.choose("another-root")
    opened.browser.evaluate("at('verify').click()")
    deadline = time.monotonic() + 120
    while not opened.browser.evaluate("at('progress').textContent.startsWith('Done')") and time.monotonic() < deadline:
        time.sleep(0.01)
    text = opened.browser.evaluate("document.body.innerText")
    assert "Refused: the evidence contradicts itself" in text
    first = opened.browser.evaluate("document.querySelector('#checks tbody tr').innerText")
    assert "22. the liabilities tree is made from the allocations" in first
    assert "the root is not the one over these trees" in first
    assert "Example Securities LLC" in text
    assert text.index("diverged") < text.index("matched")


@needs_chromium
def test_without_keys_nobody_signed_and_without_the_algorithm_too(opened: Opened) -> None:
    opened.choose("smallest")
    opened.browser.evaluate("at('keys').value = ''")
    told = opened.browser.evaluate(READ_OUT)
    assert (told["exit"], dict(told["checks"])[3]) == (2, "not_possible")
    opened.choose("smallest")
    opened.browser.evaluate(
        "globalThis.kept = crypto.subtle.importKey; crypto.subtle.importKey = (form, key, algorithm, ...rest) =>"
        " algorithm.name === 'Ed25519' ? Promise.reject(new DOMException('no', 'NotSupportedError'))"
        " : kept.call(crypto.subtle, form, key, algorithm, ...rest)"
    )
    told = opened.browser.evaluate(READ_OUT)
    opened.browser.evaluate("crypto.subtle.importKey = kept")
    assert (told["exit"], dict(told["checks"])[3]) == (2, "not_possible")
    assert opened.judge("smallest")["exit"] == 0


@needs_chromium
@pytest.mark.fault("E1")
def test_the_page_refuses_flipped_bytes_cut_files_and_reads_large_ones_in_parts(opened: Opened) -> None:
    opened.choose("smallest")
    found = opened.browser.evaluate(
        """
        (async () => {
          const file = at("bundle").files[0], good = await (await sourceOf(file)).read(0, file.size), accepted = [];
          const reader = { trusted: await readTrustedKeys(new Uint8Array(await at("keys").files[0].arrayBuffer())), now: at("now").value };
          const code = async (bytes) => (await verify({ size: bytes.length, read: async (a, b) => bytes.slice(a, b) }, reader)).exit_code;
          for (let place = 0; place < good.length; place += 29) {
            const flipped = good.slice();
            flipped[place] ^= 1;
            if (await code(flipped) === 0) accepted.push(place);
            if (place % 10 === 0 && await code(good.slice(0, place)) === 0) accepted.push(-place);
          }
          const parts = { size: file.size, read: async (a, b) => new Uint8Array(await file.slice(a, b).arrayBuffer()) };
          return { accepted, whole: await code(good), inParts: (await verify(parts, reader)).exit_code };
        })()
        """  # noqa: E501
    )
    assert found == {"accepted": [], "whole": 0, "inParts": 0}


@needs_chromium
def test_files_are_dropped_on_the_page(opened: Opened) -> None:
    opened.choose("smallest")
    opened.browser.evaluate(
        """
        (() => {
          const files = new DataTransfer();
          for (const id of ["bundle", "keys"]) files.items.add(at(id).files[0]);
          for (const id of ["bundle", "keys", "earlier"]) at(id).value = "";
          document.dispatchEvent(new DragEvent("drop", { dataTransfer: files, cancelable: true }));
        })()
        """
    )
    assert opened.browser.evaluate(READ_OUT)["exit"] == 0


@needs_chromium
def test_the_browser_lets_the_page_reach_no_network(opened: Opened) -> None:
    tried = opened.browser.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', (error) => String(error))")
    assert "TypeError" in tried
    urls = {
        event["params"]["request"]["url"]
        for event in opened.browser.events
        if event["method"] == "Network.requestWillBeSent"
    }
    assert all(url.startswith(("file:", "http://127.0.0.1:9/")) for url in urls)
    assert not [event for event in opened.browser.events if event["method"] == "Runtime.exceptionThrown"]


def test_the_page_allows_its_own_script_and_style_and_nothing_else() -> None:
    policy = re.findall(r'Content-Security-Policy" content="([^"]+)"', PAGE)[0]
    parts = [re.findall(rf"<{tag}>(.*?)</{tag}>", PAGE, re.DOTALL)[0] for tag in ("script", "style")]
    digests = [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in parts]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{digests[0]}'; style-src 'sha256-{digests[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert parts[0] == script()
    assert not re.findall(r"https?:|\bsrc=|\bhref=|@import|url\(|innerHTML|eval\(|fetch\(|import\(|\son[a-z]+=", PAGE)
    assert page_bytes() == page_bytes()


@needs_chromium
@pytest.mark.parametrize("kind", sorted(RECORD_TYPES))
def test_the_page_knows_every_kind_and_field(kind: str, opened: Opened) -> None:
    """A field that is new in the format is new in exports/verifier_page/schema.js too."""
    known = opened.browser.evaluate(f"FIELDS.get(KINDS[{json.dumps(kind)}])")
    assert known == fields(RECORD_TYPES[kind])
    if kind in TABLE_KINDS:
        columns = opened.browser.evaluate(f"columnsOf({json.dumps(kind)})")
        assert columns == [column.descriptor() for column in columns_of(kind)]


@needs_chromium
def test_the_page_knows_every_check_by_its_name(opened: Opened) -> None:
    assert opened.browser.evaluate("NAMES") == {str(number): name for number, name in NAMES.items()}
    assert opened.browser.evaluate("Object.values(STATUS)") == [*(str(status) for status in CheckStatus), "not_here"]
