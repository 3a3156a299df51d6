"""What goes wrong inside is told by an incident and nothing else; what is busy or not set up says so."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.web.api.conftest import PREFIX, Api
from verifier.accounts.roles import Role
from verifier.errors import StoreBusy, StoreError
from verifier.store import Store
from verifier.web.api.bundles import _VERIFYING

SECRET = "SELECT * FROM person WHERE hash = 'x9-secret-x9'"


@pytest.mark.fault("F23")
@pytest.mark.parametrize("error", [RuntimeError(SECRET), KeyError(SECRET), StoreError(SECRET)])
def test_what_nobody_foresaw_is_an_incident(api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    api.sign_in(Role.REVIEWER)
    client = TestClient(api.app, base_url="http://localhost", raise_server_exceptions=False)
    client.headers.update(api.client.headers)
    client.cookies.update(api.client.cookies)
    assert client.get(f"{PREFIX}/journal").status_code == 200  # what was read of cases would be remembered
    monkeypatch.setattr(Store, "cases", broken)
    monkeypatch.setattr(Store, "comment", broken)
    path, key = f"{PREFIX}/cases/CASE-000001/comment", {"Idempotency-Key": "incident-1"}
    for answer in (client.get(f"{PREFIX}/cases"), client.post(path, json={"text": "Said."}, headers=key)):
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (500, "failed")
        assert answer.headers["content-type"] == "application/problem+json"
        assert len(problem["incident"]) == 12
        for told in ("secret", "SELECT", "Traceback", "store.py", type(error).__name__):
            assert told not in answer.text


def test_a_busy_database_says_so_and_the_key_stays_free(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        raise StoreBusy("another writer holds the database")

    api.sign_in(Role.OPERATOR)
    row = {"row": {"client_id": "C-9", "name": "Nine", "opened_on": "2026-01-02"}}
    with monkeypatch.context() as patched:
        patched.setattr(Store, "apply_import", busy)
        answer = api.post("/rows/clients", row, key="while-busy")
    assert (answer.status_code, answer.json()["code"]) == (503, "store-busy")
    assert api.post("/rows/clients", row, key="while-busy").json()["stored"] is True


@pytest.mark.fault("F21")
def test_two_do_not_verify_at_once(api: Api, firm_store: Store) -> None:
    api.sign_in(Role.AUDITOR)
    from verifier.web.api import records

    with records._VERIFYING:
        busy = api.get("/journal/verification")
    assert (busy.status_code, busy.json()["code"]) == (503, "busy")
    assert api.get("/journal/verification").json()["intact"] is True
    assert not _VERIFYING.locked()


def test_what_is_not_set_up_is_told(api: Api) -> None:
    """No chain was swept: there is nothing that a bundle could speak of."""
    api.sign_in(Role.AUDITOR)
    answer = api.post("/bundles", {})
    assert answer.status_code in (409, 422)
    assert answer.json()["advice"]
    assert api.items("/bundles") == []


def test_a_body_that_is_no_json_is_refused(api: Api) -> None:
    api.sign_in(Role.OPERATOR)
    for body, kind in ((b"{", "application/json"), (b'{"text": 1e999}', "application/json"), (b"text=x", "text/plain")):
        headers = {"Idempotency-Key": "some-key-1", "content-type": kind}
        refused = api.client.post(f"{PREFIX}/cases/CASE-000001/comment", content=body, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (422, "bad-input")
    for text in ("", " \n", "a\x00b", "\x1b[31m", "x" * 4_001, "\u202eevil"):
        refused = api.post("/cases/CASE-000001/comment", {"text": text})
        assert (refused.status_code, refused.json()["fields"][0]["field"]) == (422, "text"), repr(text)
    assert api.post("/cases/CASE-000001/comment", {"text": "e\u0301 \U0001f600"}).json()["events"][-1]["text"] == "é 😀"
