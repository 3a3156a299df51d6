"""Draw the pictures of the README: `python -m tests.screenshots`. They are small.

The firm on them does not exist. Needs Anvil and a Chromium; see docs/dashboard.md.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import sync_playwright

from chains.devnet.anvil import find_anvil
from tests.exports.browser import find_chromium
from tests.web.conftest import Site, served
from tests.web.firm import build
from verifier.accounts.roles import Role
from verifier.config import load_settings

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
WIDE, PHONE = (1200, 820), (390, 780)
PICTURES: Final[tuple[tuple[str, str, tuple[int, int], Literal["light", "dark"]], ...]] = (
    ("overview", "/", WIDE, "light"),
    ("reserve", "/reserve", WIDE, "light"),
    ("wallet-map", "/map", WIDE, "dark"),
    ("case-phone", "/cases/CASE-000013", PHONE, "dark"),
)


def main() -> int:
    """Draw all of them."""
    chromium = find_chromium()
    if chromium is None:
        sys.stderr.write("there is no Chromium: install one\n")
        return 2
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        made = build(find_anvil(None), Path(temporary) / "firm")
        site = Site(load_settings(made.folder / "custody.toml"))
        site.time = made.time
        site.sign_in(Role.OPERATOR, Role.REVIEWER)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        with served(site) as address:
            for name, path, (width, height), scheme in PICTURES:
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                page = context.new_page()
                page.goto(address + path, wait_until="load")
                page.screenshot(path=IMAGES / f"{name}.png")
                context.close()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
