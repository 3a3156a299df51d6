"""What pages are made of, without a browser: lists, drawings, what is remembered, and who hears of news."""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.types import Asset, AssetId, LocationId
from tests.web.conftest import Site
from verifier.accounts.roles import Role
from verifier.mapping_view import MappingRow
from verifier.records import Rail, Status
from verifier.store import Store
from verifier.web import live
from verifier.web.live import Feed, Remembered
from verifier.web.views.drawing import WIDTH, parts, place
from verifier.web.views.inventory import Compared, inventory
from verifier.web.views.listing import SIZE, address, listing
from verifier.web.views.signal import wallet_href
from verifier.web.views.tones import Tone, age_words
from verifier.web.views.wallet_map import map_shown

WEB = Path(__file__).resolve().parents[2] / "verifier" / "web"
VENDOR = WEB / "static" / "vendor"
PUBLISHED = Path(__file__).resolve().parents[2] / "node_modules" / "htmx.org"
NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)


@pytest.mark.fault("F21")
@given(st.integers(0, 500), st.integers(-5, 10**7))
def test_a_page_of_a_list_is_never_longer_than_a_page(total: int, number: int) -> None:
    found = listing(range(total), number)
    assert len(found.items) <= SIZE
    assert 1 <= found.number <= found.pages
    assert [each for page in range(1, found.pages + 1) for each in listing(range(total), page).items] == [*range(total)]
    assert (found.last - found.first + 1 if total else 0) == len(found.items)


def test_an_address_carries_only_what_was_asked_for() -> None:
    assert address("/cases", q="a&b", kind="", page=2) == "/cases?q=a%26b&page=2"
    assert wallet_href("eip155:1:0xAb") == "/wallets/eip155:1/0xAb"
    assert [wallet_href(each) for each in ("dtc:0123", "pool:A", "bank:x:y", "")] == ["", "", "", ""]


@given(st.lists(st.integers(0, 10**24), min_size=3, max_size=3))
def test_a_bar_shows_everything_that_is_there_and_never_more_than_its_width(counts: Sequence[int]) -> None:
    drawn = parts(*((count, Tone.GOOD, "x") for count in counts))
    assert [part.number for part in drawn] == [count for count in counts if count]
    assert all(part.length > 0 for part in drawn)
    assert sum(part.length for part in drawn) <= WIDTH
    assert [part.start for part in drawn[1:]] == [part.start + part.length for part in drawn[:-1]]


@given(st.integers(-(10**24), 10**24), st.integers(-(10**24), 10**24), st.integers(-(10**24), 10**24))
def test_a_value_lies_inside_of_its_drawing(value: int, one: int, other: int) -> None:
    assert 0 <= place(value, one, other) <= WIDTH


def test_ages_are_in_their_largest_unit() -> None:
    assert [age_words(each) for each in (-1, 59, 60, 7200, 172_800)] == ["0 s", "59 s", "1 min", "2 h", "2 d"]


def row(client: str, location: str, units: int = 1) -> MappingRow:
    """What a client owns somewhere."""
    asset = Asset(AssetId("eip155:1/slip44:60"), "ETH", 18)
    wallets = (location,) if location.startswith("eip155") else ()
    place_id = LocationId(location)
    return MappingRow(client, f"Name of {client}", "customer", asset, units, place_id, "omnibus", wallets, None)


def test_of_very_many_clients_the_map_shows_first_what_did_not_match() -> None:
    rows = [row(f"C-{number:05}", f"eip155:1:0x{number:040x}") for number in range(5_000)]
    key = (LocationId(f"eip155:1:0x{4_321:040x}"), AssetId("eip155:1/slip44:60"))
    known = {key: Compared(Status.DIVERGED, "read", 1)}
    shown = map_shown(rows, known, "", 1)
    assert shown.drawing is not None
    labels = [each.box.label for each in shown.boxes]
    assert (labels[0], len(labels) < 60) == ("C-04321", True)
    assert "4,983 more clients" in labels
    assert (len(shown.places.items), shown.places.total) == (SIZE, 5_000)
    assert shown.places.items[0].mark.word == "diverged"
    few = map_shown(rows, known, "C-00042", 1)
    assert [each.box.label for each in few.boxes if each.box.left == 0] == ["C-00042"]
    assert map_shown(rows, known, "nobody", 1).drawing is None


def test_the_inventory_says_what_was_not_compared_and_sums_only_what_clients_own() -> None:
    rows = [row("C-1", "eip155:1:0xa", 5), row("C-2", "eip155:1:0xb", 7), row("C-3", "dtc:1", 2)]
    known = {(LocationId("eip155:1:0xa"), AssetId("eip155:1/slip44:60")): Compared(Status.MATCHED, "read", 5)}
    found = inventory(rows, known, rail=Rail.DIGITAL, text="", sort="client", number=1)
    assert [(each.client_id, each.mark.word) for each in found.rows.items] == [
        ("C-1", "matched"),
        ("C-2", "not compared"),
    ]
    assert [total.mark.word for total in found.totals] == ["not compared"]
    assert dict(found.rails) == {"digital": 2, "securities": 1}


def test_what_is_remembered_holds_until_something_is_written_or_it_is_old(store: Store) -> None:
    made: list[int] = []
    kept = Remembered()

    def make() -> int:
        made.append(len(made))
        return made[-1]

    def recall(now: datetime) -> int:
        return kept.recall("it", store, now, make)

    assert [recall(NOW), recall(NOW), recall(NOW + live.AGE_MAX)] == [0, 0, 0]
    assert recall(NOW + live.AGE_MAX + timedelta(seconds=1)) == 1
    assert recall(NOW) == 2  # the clock went back: nothing is taken from the future
    with store.record("test.written", "tests", {}, NOW, payload_is_the_record=True):
        pass
    assert recall(NOW) == 3


def test_what_several_ask_for_at_once_is_made_once(store: Store) -> None:
    kept, made = Remembered(), list[int]()
    begun, go_on = threading.Event(), threading.Event()

    def make() -> int:
        made.append(1)
        begun.set()
        assert go_on.wait(120)
        return len(made)

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(kept.recall, "it", store, NOW, make) for _ in range(4)]
        assert begun.wait(120)
        go_on.set()
        assert [answer.result(120) for answer in answers] == [1, 1, 1, 1]
    assert made == [1]


def test_one_look_at_the_journal_tells_every_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "POLL_SECONDS", 0.001)
    looks, head = [0], [7]

    def read() -> int:
        looks[0] += 1
        return head[0]

    async def tell() -> list[list[int | None]]:
        feed = Feed(read, clients_max=50)
        listeners = [feed.heads(f"person {number}") for number in range(50)]
        first = [await anext(each) for each in listeners]
        room = [feed.has_room("another")]
        before = looks[0]
        head[0] = 8
        second = list(await asyncio.gather(*(anext(each) for each in listeners)))
        assert looks[0] - before < 50 * 2  # not one look for each of them and each moment
        for each in listeners:
            await each.aclose()
        room.append(feed.has_room("another"))
        assert room == [False, True]
        ended = looks[0]
        await asyncio.sleep(0.05)
        assert looks[0] - ended <= 1  # nobody listens, so nobody looks
        return [first, second]

    assert asyncio.run(tell()) == [[7] * 50, [8] * 50]


def test_several_first_listeners_at_once_make_one_look_between_them() -> None:
    looks = [0]

    def read() -> int:
        looks[0] += 1
        return 7

    async def tell() -> int:
        feed = Feed(read)
        listeners = [feed.heads(f"person {number}") for number in range(8)]
        assert await asyncio.gather(*(anext(each) for each in listeners)) == [7] * 8
        for each in listeners:
            await each.aclose()
        return len(asyncio.all_tasks())

    assert asyncio.run(tell()) <= 2, "besides this one at most the poller that was told to end"
    assert looks == [1]


@pytest.mark.fault("F21")
def test_nobody_takes_the_places_of_others() -> None:
    async def tell() -> None:
        feed = Feed(lambda: 7, clients_max=4, of_one_max=2)
        mine = [feed.heads("one") for _ in range(3)]
        assert [await anext(each, "ended") for each in mine] == [7, 7, "ended"], "the third asked at the same moment"
        assert not feed.has_room("one")
        assert feed.has_room("other")
        others = [feed.heads(name) for name in ("other", "third")]
        assert [await anext(each) for each in others] == [7, 7]
        assert not feed.has_room("fourth"), "all places are taken"
        await mine[0].aclose()
        assert feed.has_room("one")
        assert feed.has_room("fourth")
        for each in (*mine, *others):
            await each.aclose()

    asyncio.run(tell())


@pytest.mark.fault("F21")
def test_more_listeners_than_there_may_be_are_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.sign_in(Role.AUDITOR)
    monkeypatch.setattr(Feed, "has_room", lambda *_: False)
    answer = site.client.get("/events")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


@pytest.mark.fault("F15")
def test_no_template_has_a_script_or_a_style_of_its_own() -> None:
    found = []
    templates = sorted((WEB / "templates").glob("*.html"))
    for path in templates:
        text = path.read_text(encoding="utf-8")
        found += [
            (path.name, each)
            for each in re.findall(r"<style|<script(?![^>]* src=\"/static/)|\son[a-z]+=|\sstyle=", text)
        ]
        found += [(path.name, each) for each in re.findall(r"(?:src|href)=\"(?:https?:)?//[^\"]*", text)]
        found += [(path.name, each) for each in re.findall(r"\|\s*safe|hx-on|hx-vals='js|autoescape false", text)]
    assert len(templates) > 15
    assert found == [("welcome_code.html", "|safe")]  # the QR code, an SVG that segno draws


def test_libraries_of_others_are_as_they_were_published() -> None:
    listed = dict(
        re.findall(r"^\| `([^`]+)` \|.*`([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE)
    )
    scripts = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in VENDOR.glob("*.js")}
    assert len(scripts) == 2
    assert listed == scripts
    if not PUBLISHED.is_dir():
        pytest.skip("htmx.org is not installed: the list was compared with the files alone")
    for name, path in (("htmx.min.js", "dist/htmx.min.js"), ("hx-sse.min.js", "dist/ext/hx-sse.min.js")):
        assert (VENDOR / name).read_bytes() == (PUBLISHED / path).read_bytes(), name
    assert (VENDOR / "htmx.LICENSE").read_bytes() == (PUBLISHED / "LICENSE").read_bytes()
