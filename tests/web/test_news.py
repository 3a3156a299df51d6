"""Open pages miss nothing that is written: neither while they load, nor while their stream is away."""

from __future__ import annotations

from typing import Any

import pytest

from tests.postgres import MOMENT
from tests.web.conftest import Site
from verifier.accounts.roles import Role
from verifier.store import Store
from verifier.web.views.signal import signal


@pytest.fixture
def reader(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """An auditor asks; a stream ends after its first look."""
    monkeypatch.setattr("verifier.web.live.STREAM_SECONDS", 0.0)
    site.sign_in(Role.AUDITOR)
    return site


def write(store: Store) -> int:
    """Something is written; its number."""
    with store.record("test.note", "tests", {}, MOMENT, payload_is_the_record=True):
        pass
    head = store.head()
    assert head is not None
    return head.sequence


def told(site: Site, seen: str = "", last: str = "") -> list[str]:
    """What a new stream says at once."""
    answer = site.client.get(f"/events{seen}", headers={"Last-Event-ID": last} if last else {})
    assert answer.status_code == 200, answer.text
    return [line for line in answer.text.splitlines() if line.startswith(("event", "id"))]


def test_what_was_written_since_the_page_was_asked_for_is_told_at_once(reader: Site, store: Store) -> None:
    head = write(store)
    news = ["event: changed", f"id: {head}"]
    assert told(reader, f"?seen={head - 1}") == news
    assert told(reader, f"?seen={head}") == []
    assert told(reader) == [], "from now on"


def test_a_stream_that_is_taken_up_again_goes_on_after_its_last_event(reader: Site, store: Store) -> None:
    head = write(store)
    assert told(reader, f"?seen={head - 1}", last=str(head)) == [], "the page was told, and asked for its parts again"
    assert told(reader, f"?seen={head}", last=str(head - 1)) == ["event: changed", f"id: {head}"]
    assert told(reader, f"?seen={head}", last="no number") == []


@pytest.mark.parametrize("seen", ["-1", "x", "9" * 19, "1 OR 1=1"])
def test_a_head_that_no_page_saw_is_refused(reader: Site, seen: str) -> None:
    assert reader.client.get("/events", params={"seen": seen}).status_code == 422


def test_a_page_names_the_head_from_before_it_read_anything(
    reader: Site, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = write(store)

    def meanwhile(found: Any) -> Any:
        write(store)
        return signal(found)

    monkeypatch.setattr("verifier.web.pages.shared.signal", meanwhile)
    assert f'hx-sse:connect="/events?seen={before}"' in reader.client.get("/cases").text
    assert told(reader, f"?seen={before}") == ["event: changed", f"id: {before + 1}"]
