"""Errors that say something of the state of things, and not that a request was wrong: their statuses."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import Request

from tests.web.conftest import Site
from verifier.errors import PoliciesNotApproved, VerifierError, WaitsForApproval
from verifier.web.problems import answer_of


@pytest.mark.parametrize(
    ("error", "path", "status", "told"),
    [
        (WaitsForApproval("CP-000007"), "/api/v1/rows/clients", 202, '"proposal_id":"CP-000007"'),
        (WaitsForApproval("CP-000007"), "/cases/CASE-000001", 303, ""),
        (PoliciesNotApproved("they wait"), "/api/v1/status", 409, '"code":"policies-not-approved"'),
        (VerifierError("anything else"), "/api/v1/status", 422, '"status":422'),
    ],
)
def test_what_waits_is_no_error_and_what_stands_in_the_way_is_a_conflict(
    site: Site, error: VerifierError, path: str, status: int, told: str
) -> None:
    request = Request({"type": "http", "app": site.app, "path": path, "headers": [], "method": "POST"})
    answer = asyncio.run(answer_of(request, error))
    assert (answer.status_code, told in bytes(answer.body).decode()) == (status, True)
