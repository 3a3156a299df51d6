"""Events: every journal entry as it is written; who was cut off names the last one and misses nothing."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from httpx2 import Response

from tests.web.api.conftest import PREFIX, Api
from verifier.accounts.roles import Role
from verifier.store import Store
from verifier.store.journal_view import newest_entries
from verifier.web.api.events import event_text

EVENT = re.compile(r"^event: entry\nid: ([0-9]+)\ndata: (\{.*\})$", re.MULTILINE)
LISTEN_SECONDS = 60


@pytest.fixture
def reader(api: Api) -> Api:
    """An auditor asks."""
    api.sign_in(Role.AUDITOR)
    return api


def told(text: str) -> list[tuple[int, dict[str, Any]]]:
    """Ids and contents of events."""
    return [(int(number), json.loads(data)) for number, data in EVENT.findall(text)]


def events(api: Api, *, last: str = "", **query: Any) -> Response:
    """What is there, without waiting for more."""
    headers = {"Last-Event-ID": last} if last else {}
    return api.client.get(f"{PREFIX}/events", params={"follow": "false", **query}, headers=headers)


def test_every_entry_is_an_event_with_its_number(reader: Api, firm_store: Store) -> None:
    answer = events(reader, after=0)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.startswith("retry: ")
    expected = [(each.sequence, each.to_dict()) for each in newest_entries(firm_store, 10_000)]
    assert told(answer.text) == expected
    assert len(expected) >= 5


def test_it_goes_on_after_the_last_event_that_was_received(reader: Api, firm_store: Store) -> None:
    newest = firm_store.head()
    assert newest is not None
    for last in (0, 2, newest.sequence - 1, newest.sequence, newest.sequence + 100):
        numbers = [number for number, _ in told(events(reader, last=str(last)).text)]
        assert numbers == list(range(last + 1, newest.sequence + 1))
    assert told(events(reader, last="3", after=0).text)[0][0] == 4, "the header leads"
    assert told(events(reader).text) == [], "from now on"


@pytest.mark.parametrize("last", ["-1", "x", "1e3", "9" * 40, "1 OR 1=1"])
def test_a_last_event_that_nobody_sent_is_refused(reader: Api, last: str) -> None:
    answer = reader.client.get(f"{PREFIX}/events", params={"follow": "false"}, headers={"Last-Event-ID": last})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-input")


def test_nothing_in_an_entry_can_pose_as_another_event(firm_store: Store, reader: Api) -> None:
    reader.sign_in(Role.OPERATOR)
    case_id = reader.items("/cases")[0]["case_id"]
    text = "one\n\nevent: entry\nid: 999\ndata: {}\n\n\u2028 two"
    assert reader.post(f"/cases/{case_id}/comment", {"text": text}).status_code == 200
    (entry,) = newest_entries(firm_store, 1)
    assert event_text(entry).count("\n") == 4
    assert told(event_text(entry))[0][0] == entry.sequence


@pytest.mark.fault("F3")
def test_a_stream_ends_so_that_who_asks_is_found_out_again(reader: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.web.live.STREAM_SECONDS", 0.0)
    text, ended = asyncio.run(listen(reader, lambda sent: False, after=0))
    assert ended
    assert len(told(text)) >= 5


def test_what_is_written_meanwhile_arrives(reader: Api, firm_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.web.live.POLL_SECONDS", 0.02)
    newest = firm_store.head()
    assert newest is not None
    case_id = firm_store.cases()[0].case_id
    written: list[int] = []

    def step(sent: str) -> bool:
        """Write when the stream has begun; done when what was written arrived."""
        if not written and "retry" in sent:
            written.append(newest.sequence + 1)
            firm_store.comment(case_id, "Said elsewhere.", "ops.other", reader.time)
        return bool(told(sent))

    text, ended = asyncio.run(listen(reader, step, after=newest.sequence))
    assert [(number, entry["actor"]) for number, entry in told(text)] == [(newest.sequence + 1, "ops.other")]
    assert not ended


@pytest.mark.fault("F3")
@pytest.mark.parametrize("is_shut_out", [True, False])
def test_somebody_who_is_shut_out_hears_nothing_more(
    reader: Api, firm_store: Store, monkeypatch: pytest.MonkeyPatch, is_shut_out: bool
) -> None:
    for name in ("ASKED_AGAIN_SECONDS", "POLL_SECONDS", "PING_SECONDS"):
        monkeypatch.setattr(f"verifier.web.live.{name}", 0.0 if name.startswith("ASKED") else 0.02)
    newest = firm_store.head()
    assert newest is not None
    case_id, written = firm_store.cases()[0].case_id, list[int]()

    def step(sent: str) -> bool:
        """Once the stream has begun, take the role away and write; done when what was written is told all the same."""
        if not written and "retry" in sent:
            written.append(newest.sequence + 1)
            if is_shut_out:
                reader.sign_in(Role.ADMINISTRATOR)
            firm_store.comment(case_id, "Not for everybody.", "ops.other", reader.time)
        return bool(told(sent))

    text, ended = asyncio.run(listen(reader, step, after=newest.sequence))
    assert (ended, [number for number, _ in told(text)]) == (is_shut_out, [] if is_shut_out else written)


@pytest.mark.fault("F21")
def test_there_are_no_more_listeners_than_that(reader: Api) -> None:
    class Full:
        def has_room(self, _: str) -> bool:
            return False

    reader.app.state.feed = Full()
    refused = reader.client.get(f"{PREFIX}/events")
    assert (refused.status_code, refused.json()["code"]) == (503, "busy")
    assert events(reader, after=0).status_code == 200, "who does not wait takes no place"


async def listen(api: Api, done: Callable[[str], bool], **query: int) -> tuple[str, bool]:
    """What a stream sends until `done` says so or it ends; and whether it ended by itself."""
    sent, left = [""], asyncio.Event()
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": f"{PREFIX}/events", "raw_path": b"", "query_string": asked.encode(),
        "root_path": "", "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1),
        "server": ("localhost", 80), "state": {},
    }  # fmt: skip
    first = [True]

    async def receive() -> dict[str, object]:
        if first[0]:
            first[0] = False
            return {"type": "http.request", "body": b"", "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            sent[0] += bytes(message.get("body", b"")).decode()
            if await asyncio.to_thread(done, sent[0]):
                left.set()
                raise OSError("the listener went away")

    try:
        await asyncio.wait_for(api.app(scope, receive, send), LISTEN_SECONDS)  # type: ignore[arg-type]
    except (OSError, ExceptionGroup):
        return sent[0], False
    except Exception as error:  # starlette tells that the client went in its own words
        if type(error).__name__ != "ClientDisconnect":
            raise
        return sent[0], False
    return sent[0], not left.is_set()
