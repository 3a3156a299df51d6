"""A request that is sent twice is done once; another one under its key is refused; one cut off is not repeated."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.web.api.conftest import Api
from tests.web.firm import AT
from verifier.accounts.roles import Role
from verifier.errors import StoreUnavailable
from verifier.store import Store
from verifier.store.request_store import GIVEN_UP, KEPT, Known
from verifier.web.api.once import REPLAYED

ROW = {"row": {"client_id": "C-77", "name": "Seventy-seven", "opened_on": "2026-01-02"}}
OTHER = {"row": {"client_id": "C-78", "name": "Seventy-eight", "opened_on": "2026-01-02"}}
DEPOSIT = {"direction": "deposit", "account_id": "SRA-C", "cents": "6200000", "text": "Tops up."}
KEY = "a-key-of-its-own"


@pytest.fixture
def maker(api: Api) -> Api:
    """An operator asks."""
    api.sign_in(Role.OPERATOR)
    return api


@pytest.mark.fault("F2")
def test_the_same_request_gives_the_same_answer_and_is_done_once(maker: Api, firm_store: Store) -> None:
    first, head = maker.post("/reserve/instructions", DEPOSIT, key=KEY), firm_store.head()
    again = maker.post("/reserve/instructions", DEPOSIT, key=KEY)
    assert (first.status_code, first.json()["state"]) == (201, "waiting")
    assert (again.status_code, again.text, again.headers[REPLAYED]) == (201, first.text, "true")
    assert REPLAYED not in first.headers
    assert firm_store.head() == head
    assert len(firm_store.reserve_instructions()) == 1


def test_without_the_same_key_it_is_another_request(maker: Api, firm_store: Store) -> None:
    maker.post("/reserve/instructions", DEPOSIT)
    maker.post("/reserve/instructions", DEPOSIT)
    assert len(firm_store.reserve_instructions()) == 2


@pytest.mark.fault("F2")
@pytest.mark.parametrize("failure", [StoreUnavailable("the server closed the connection"), RuntimeError("a fault")])
def test_one_that_broke_after_it_was_stored_is_not_done_again(
    maker: Api, firm_store: Store, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """The server stored it and went away before it said so; or the answer could not be made of what was stored."""
    real = Store.add_instruction

    def stored_and_cut_off(store: Store, *arguments: Any, **named: Any) -> None:
        real(store, *arguments, **named)
        raise failure

    with monkeypatch.context() as patched:
        patched.setattr(Store, "add_instruction", stored_and_cut_off)
        quiet = TestClient(maker.app, base_url="http://localhost", raise_server_exceptions=False)
        quiet.headers.update(maker.client.headers)
        quiet.cookies.update(maker.client.cookies)
        patched.setattr(maker, "client", quiet)
        answer = maker.post("/reserve/instructions", DEPOSIT, key=KEY)
    assert answer.status_code == (503 if isinstance(failure, StoreUnavailable) else 500)
    again = maker.post("/reserve/instructions", DEPOSIT, key=KEY)
    assert (again.status_code, again.json()["code"]) == (409, "request-running")
    maker.time += GIVEN_UP
    late = maker.post("/reserve/instructions", DEPOSIT, key=KEY)
    assert (late.status_code, late.json()["code"]) == (409, "request-cut-off")
    assert len(firm_store.reserve_instructions()) == 1


@pytest.mark.fault("F2")
def test_another_request_under_the_same_key_is_refused(maker: Api, firm_store: Store) -> None:
    assert maker.post("/rows/clients", ROW, key=KEY).status_code == 200
    head = firm_store.head()
    for path, body in (("/rows/clients", OTHER), ("/rows/assets", ROW), ("/rows/clients", ROW | {"dry_run": True})):
        refused = maker.post(path, body, key=KEY)
        assert (refused.status_code, refused.json()["code"]) == (409, "idempotency-key-reused")
    assert firm_store.head() == head


def test_keys_of_two_people_are_two_keys(maker: Api) -> None:
    assert maker.post("/rows/clients", ROW, key=KEY).status_code == 200
    maker.sign_in(Role.OPERATOR, person="ops.other")
    answer = maker.post("/rows/clients", OTHER, key=KEY)
    assert (answer.status_code, answer.json()["stored"]) == (200, True)


def test_a_key_is_needed_and_has_a_form(maker: Api, firm_store: Store) -> None:
    head = firm_store.head()
    answers = [maker.client.post("/api/v1/rows/clients", json=ROW)]
    answers += [maker.post("/rows/clients", ROW, key=key) for key in ("short", "x" * 201, "with a space")]
    assert [(each.status_code, each.json()["code"]) for each in answers] == [(422, "bad-input")] * 4
    assert firm_store.head() == head


def test_what_was_refused_leaves_its_key_free(maker: Api) -> None:
    wrong = {"row": ROW["row"] | {"opened_on": "yesterday"}}
    refused = maker.post("/rows/clients", wrong, key=KEY)
    assert (refused.status_code, refused.json()["problems"][0]["column"]) == (422, "opened_on")
    assert maker.post("/rows/clients", ROW, key=KEY).json()["stored"] is True


@pytest.mark.fault("F2")
def test_two_at_once_are_one(maker: Api, firm_store: Store) -> None:
    begun = Event()

    def send(_: int) -> int:
        begun.wait(120)
        return int(maker.post("/reserve/instructions", DEPOSIT, key=KEY).status_code)

    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(send, number) for number in range(4)]
        begun.set()
        statuses = sorted(each.result(300) for each in sent)
    assert statuses[0] == 201
    assert set(statuses) <= {201, 409}
    assert len(firm_store.reserve_instructions()) == 1
    assert maker.post("/reserve/instructions", DEPOSIT, key=KEY).headers[REPLAYED] == "true"


def test_one_that_was_cut_off_is_not_done_again(maker: Api, firm_store: Store) -> None:
    """A process ended between the work and the answer: whether it was done, only a person can find out."""
    answer_request = Store.answer_request
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Store, "answer_request", lambda *_: None)
        maker.post("/reserve/instructions", DEPOSIT, key=KEY)
    assert Store.answer_request is answer_request
    running = maker.post("/reserve/instructions", DEPOSIT, key=KEY)
    assert (running.status_code, running.json()["code"]) == (409, "request-running")
    maker.time += GIVEN_UP
    cut = maker.post("/reserve/instructions", DEPOSIT, key=KEY)
    assert (cut.status_code, cut.json()["code"]) == (409, "request-cut-off")
    assert len(firm_store.reserve_instructions()) == 1


def test_keys_are_kept_for_a_week_and_no_record_of_anything(firm_store: Store) -> None:
    now, head = AT, firm_store.head()
    assert firm_store.begin_request("key", "request", now).known is Known.NEW
    firm_store.answer_request("key", 200, "{}")
    assert firm_store.begin_request("key", "request", now + KEPT).known is Known.ANSWERED
    later = now + KEPT + timedelta(seconds=1)
    assert firm_store.begin_request("key", "other", later).known is Known.NEW
    assert firm_store.head() == head
