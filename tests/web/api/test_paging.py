"""Lists come in pages that lose nothing and shift nothing; what is not declared is refused; nothing is run as SQL."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.api.conftest import PREFIX, Api
from verifier.accounts.roles import Role
from verifier.errors import InputError
from verifier.store import Store
from verifier.web.api.answers import cursor_of, page
from verifier.web.api.asking import LIMIT_MAX, Paged
from verifier.web.api.openapi import document

LISTS = sorted(
    path.removeprefix(PREFIX)
    for path, operations in document()["paths"].items()
    if any(each["name"] == "cursor" for each in operations.get("get", {}).get("parameters", ()))
)
PLAIN_LISTS = [path for path in LISTS if "{" not in path]
INJECTIONS = ("' OR 1=1 --", '"; DROP TABLE journal_entry; --', "opened; DELETE FROM case_row", "%' UNION SELECT 1 --")


@pytest.fixture(scope="module")
def reader(shared_api: Api) -> Api:
    """An auditor asks, who changes nothing."""
    shared_api.sign_in(Role.AUDITOR)
    return shared_api


def whole(api: Api, path: str, limit: int, **query: Any) -> list[dict[str, Any]]:
    """Every item, page by page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = api.get(path, limit=limit, cursor=cursor, **query).json()
        assert len(answer["items"]) <= limit
        found += answer["items"]
        cursor = answer["next"]
        assert len(found) <= answer["total"], "it goes in circles"
    return found


@pytest.mark.fault("F21")
@pytest.mark.parametrize("path", ["/journal", "/tables", "/cases", "/mapping", "/mapping/entries", "/statements"])
def test_pages_together_are_the_list(reader: Api, path: str) -> None:
    at_once = whole(reader, path, LIMIT_MAX)
    assert len(at_once) >= 1
    assert whole(reader, path, 1) == at_once
    assert whole(reader, path, 2) == at_once


def test_the_journal_goes_both_ways(reader: Api) -> None:
    newest_first = whole(reader, "/journal", 3)
    assert [each["sequence"] for each in newest_first] == list(range(len(newest_first), 0, -1))
    assert whole(reader, "/journal", 4, sort="sequence") == newest_first[::-1]


def test_what_comes_between_two_pages_shifts_nothing(api: Api) -> None:
    api.sign_in(Role.OPERATOR)
    first = api.get("/mapping/entries", limit=1).json()
    row = {
        "entry_id": "E-NEW", "client_id": "C-2", "account_class": "customer", "location": "dtc:0123",
        "asset_id": "cusip:594918104", "quantity": "7", "effective_at": "2026-10-05T15:00:00Z", "kind": "movement",
    }  # fmt: skip
    posted = api.post("/rows/ledger_entries", {"row": row})
    assert posted.status_code == 200, posted.text
    second = api.get("/mapping/entries", limit=1, cursor=first["next"]).json()
    assert second["items"][0]["entry_id"] not in ("E-NEW", first["items"][0]["entry_id"])
    assert api.get("/mapping/entries", limit=1).json()["items"][0]["entry_id"] == "E-NEW"


@pytest.mark.fault("F21")
@pytest.mark.parametrize("path", PLAIN_LISTS)
def test_no_page_is_larger_than_that(reader: Api, path: str) -> None:
    assert reader.get(path, limit=LIMIT_MAX).status_code == 200
    for limit in (0, -1, LIMIT_MAX + 1, 10**30, "all"):
        refused = reader.get(path, limit=limit)
        assert (refused.status_code, refused.json()["code"]) == (422, "bad-input"), limit


@pytest.mark.fault("F10")
@pytest.mark.parametrize("path", PLAIN_LISTS)
def test_text_is_compared_and_never_run(reader: Api, path: str) -> None:
    store = Store(reader.app.state.engine, busy_seconds=1)
    head, cases = store.head(), store.cases(include_closed=True)
    operation = document()["paths"][PREFIX + path]["get"]
    names = [each["name"] for each in operation["parameters"] if each["in"] == "query"]
    for name in (*names, "order_by"):
        for text in INJECTIONS:
            answer = reader.get(path, **{name: text})
            assert answer.status_code in (200, 404, 422), answer.text
            if answer.status_code == 200:
                assert answer.json()["items"] == [], (name, text)
    assert (store.head(), store.cases(include_closed=True)) == (head, cases)


@pytest.mark.fault("F10")
@pytest.mark.parametrize("path", ["/cases", "/journal", "/statements", "/holdings"])
def test_the_order_is_one_of_those_named(reader: Api, path: str) -> None:
    operation = document()["paths"][PREFIX + path]["get"]
    (sort,) = (each for each in operation["parameters"] if each["name"] == "sort")
    for order in sort["schema"]["enum"]:
        assert reader.get(path, sort=order).status_code == 200
    for order in ("recorded_at", "1", "rowid", sort["schema"]["enum"][0].upper()):
        assert reader.get(path, sort=order).status_code == 422


@pytest.mark.fault("F17")
@pytest.mark.parametrize("path", PLAIN_LISTS)
def test_a_question_that_the_route_does_not_know_is_refused(reader: Api, path: str) -> None:
    refused = reader.get(path, offset=3)
    assert (refused.status_code, refused.json()["fields"][0]["field"]) == (422, "offset")


@pytest.mark.parametrize("cursor", ["x", "e30", cursor_of(("a", 1)), cursor_of((5, 6)), "é", "W10", "=" * 500])
def test_a_cursor_that_no_page_gave_is_refused(reader: Api, cursor: str) -> None:
    for path in ("/journal", "/tables", "/control/reviews"):
        refused = reader.get(path, cursor=cursor)
        assert (refused.status_code, refused.json()["code"]) == (422, "bad-input"), path


def test_a_cursor_of_another_list_is_refused() -> None:
    asked = Paged(cursor=cursor_of(("a",)))
    with pytest.raises(InputError, match="another list"):
        page([1, 2], asked, lambda each: {"number": each}, lambda each: (each,))
    assert page([1, 2], Paged(cursor=cursor_of((1,))), lambda each: {"n": each}, lambda each: (each,)).items == [
        {"n": 2}
    ]
