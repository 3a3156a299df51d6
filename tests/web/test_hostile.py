"""What a hostile visitor sends: characters that cannot be kept, bodies that never end, decisions bound to nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from typing import Any

import pytest

from chains.types import LocationId
from tests.verifier.store.story import CHAIN, finding, sighting
from tests.web.conftest import Site
from tests.web.people import RealSite
from verifier.accounts.roles import Role
from verifier.records import FindingKind
from verifier.store import Case, Store
from verifier.store.case_seeing import see_cases
from verifier.web import security

Message = MutableMapping[str, Any]


@pytest.mark.fault("F10")
def test_a_zero_character_is_refused_before_it_reaches_a_database(site: Site) -> None:
    site.sign_in(Role.OPERATOR)
    for address in ("/cases/CASE%00", "/cases?q=%00", "/api/v1/cases?text=%00", "/api/v1/cases/%00"):
        assert site.client.get(address).status_code == 400, address
    assert site.client.get("/cases?q=%2500").status_code == 200, "an honest per cent sign"
    site.visitor = None
    form = {"login": "ops\0maker", "password": "no", "code": "123456"}
    assert site.client.post("/sign-in", data=form).status_code == 422
    assert site.client.post("/sign-in", data=form | {"login": "ops"}).status_code == 401


@pytest.mark.fault("F6")
@pytest.mark.parametrize(("header", "status"), [("Basic b3BzOm9wcw==", 403), ("", 403), ("Bearer cvt_unknown", 401)])
def test_only_a_token_stands_in_for_the_token_of_a_form(real: RealSite, header: str, status: int) -> None:
    """A browser sends `Basic` for an address with a name in it, so another site can have it sent."""
    form = {"login": "ops", "password": "no", "code": "123456"}
    assert real.browser(Authorization=header).post("/sign-in", data=form).status_code == status


@pytest.mark.fault("F1")
@pytest.mark.parametrize("act", ["approve", "return"])
def test_a_decision_by_a_page_names_what_was_seen(site: Site, act: str) -> None:
    site.sign_in(Role.REVIEWER)
    without = {"text": "fine", "version": "1"}
    assert site.client.post(f"/cases/CASE-000001/{act}", data=without).status_code == 422
    assert site.client.post(f"/cases/CASE-000001/{act}", data=without | {"seen": ""}).status_code == 422
    assert site.client.post(f"/cases/CASE-000001/{act}", data=without | {"seen": "0" * 64}).status_code == 404


@pytest.mark.fault("F7")
@pytest.mark.parametrize("address", ["/account", "/cases", "/no-such-page"])
def test_every_page_has_a_way_out(real: RealSite, address: str) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    found = re.search(
        r'action="/sign-out"><input type="hidden" name="csrf_token" value="([0-9a-f]{64})"',
        person.browser.get(address).text,
    )
    assert found is not None
    assert person.browser.post("/sign-out", data={"csrf_token": "0" * 64}).status_code == 403
    assert real.who(person.browser) == "ops.maker"
    assert person.browser.post("/sign-out", data={"csrf_token": found[1]}).status_code == 303
    assert real.who(person.browser) == ""


@pytest.mark.fault("F12")
def test_text_that_turns_the_line_around_is_refused_by_a_page_too(site: Site) -> None:
    site.sign_in(Role.OPERATOR)
    for text, status in (("a\u202eb", 422), ("a\x1b[2Jb", 422), ("plain\nwords", 404)):
        answer = site.client.post("/cases/CASE-000001/comment", data={"text": text, "version": "1"})
        assert answer.status_code == status


@pytest.mark.fault("F21")
@pytest.mark.parametrize(("seconds", "status"), [(0.05, 408), (60.0, 403)])
def test_a_body_that_never_ends_is_given_up(
    site: Site, monkeypatch: pytest.MonkeyPatch, seconds: float, status: int
) -> None:
    monkeypatch.setattr(security, "STRANGER_BODY_SECONDS", seconds)
    parts: list[Message] = [{"type": "http.request", "body": b"login=o", "more_body": True}]
    if status != 408:
        parts.append({"type": "http.request", "body": b"ps", "more_body": False})

    async def receive() -> Message:
        if parts:
            return parts.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    found, headers = asyncio.run(_answer(site, receive))
    assert found == status
    assert ((b"connection", b"close") in headers) is (status == 408), "what drips on has no connection any more"


@pytest.mark.fault("F16")
def test_a_slash_too_many_leads_nowhere(site: Site) -> None:
    site.sign_in(Role.OPERATOR)
    for address in ("/cases/", "/api/v1/cases/", "/account/"):
        answer = site.client.get(address)
        assert (answer.status_code, "location" in answer.headers) == (404, False), address
    assert site.client.get("/cases").status_code == 200


async def _answer(site: Site, receive: Callable[[], Awaitable[Message]]) -> tuple[int, list[tuple[bytes, bytes]]]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/x-www-form-urlencoded")]
    scope = {
        "type": "http", "method": "POST", "path": "/sign-in", "raw_path": b"/sign-in", "query_string": b"",
        "headers": headers, "http_version": "1.1", "scheme": "http", "client": ("127.0.0.1", 1),
        "server": ("localhost", 80), "root_path": "", "app": site.app,
    }  # fmt: skip
    await site.app(scope, receive, send)
    return int(sent[0]["status"]), sent[0]["headers"]


@pytest.mark.fault("F21")
def test_pages_of_a_long_list_read_the_cases_once_and_again_when_something_is_written(
    site: Site, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[bool] = []

    def cases(self: Store, **asked: Any) -> list[Case]:
        reads.append(True)
        return read(self, **asked)

    read = Store.cases
    monkeypatch.setattr(Store, "cases", cases)
    site.sign_in(Role.AUDITOR)
    for number in (0, 1, 2):
        see_one(store, site, number)
        for _ in range(3):
            assert site.client.get("/api/v1/cases?limit=1").json()["total"] == number + 1
        assert len(reads) == number + 1


def see_one(store: Store, site: Site, number: int) -> None:
    """A case of a wallet of its own."""
    seen = replace(finding(FindingKind.SHORTFALL, units=-5), location_id=LocationId(f"{CHAIN}:0x{number:040x}"))
    with store.record("test.sweep", "scheduler", {"number": number}, site.time) as unit:
        see_cases(unit, CHAIN, None, [sighting(seen)], "scheduler", all_seen=False)
