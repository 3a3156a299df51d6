"""Every route of the API times every role. The table is made from the routes; one without a line here fails."""

from __future__ import annotations

import re

import pytest
from fastapi.routing import APIRoute
from httpx2 import Response

from tests.web.api.conftest import PREFIX, Api, new_key
from verifier.accounts.roles import Access, Role
from verifier.web.api.all import api_routers
from verifier.web.routing import access_of
from verifier.web.visitor import Visitor

READ = [
    "/approvals",
    "/archive",
    "/authorizations",
    "/bundles",
    "/bundles/{sequence}",
    "/bundles/{sequence}/verification",
    "/cases",
    "/cases/{case_id}",
    "/cases/{case_id}/attachments/{sha256}",
    "/changes",
    "/changes/{proposal_id}",
    "/chains",
    "/chains/{chain_id}/coverage",
    "/chains/{chain_id}/encumbrances",
    "/control",
    "/control/acts",
    "/control/reviews",
    "/control/reviews/{review_id}",
    "/control/reviews/{review_id}/issues",
    "/control/reviews/{review_id}/issues/{security_id:path}",
    "/control/substitutions",
    "/events",
    "/evidence",
    "/evidence/{evidence_id}",
    "/holdings",
    "/journal",
    "/journal/verification",
    "/key-proofs",
    "/mapping",
    "/mapping/descriptors",
    "/mapping/entries",
    "/mapping/periods",
    "/reconciliations",
    "/reconciliations/{run_id}",
    "/reports",
    "/reports/{report_id}",
    "/reserve",
    "/reserve/computations",
    "/reserve/computations/{computation_id}",
    "/reserve/computations/{computation_id}/file",
    "/reserve/computations/{computation_id}/items/{item}",
    "/reserve/instructions",
    "/reserve/movements",
    "/reserve/what-if/withdrawal",
    "/schedule",
    "/schedule/files",
    "/schedule/runs",
    "/statements",
    "/statements/messages/{digest}",
    "/status",
    "/sweeps",
    "/sweeps/{sweep_id:path}",
    "/tables",
    "/trades",
    "/trades/{trade_id:path}",
]
MAKE = [
    "/changes/{proposal_id}/return",
    "/cases/{case_id}/assign",
    "/cases/{case_id}/attachments",
    "/cases/{case_id}/comment",
    "/cases/{case_id}/explain",
    "/cases/{case_id}/propose",
    "/cases/{case_id}/root-cause",
    "/control/acts",
    "/control/acts/{act_id}/receipts",
    "/control/acts/{act_id}/refuse",
    "/control/substitutions",
    "/control/substitutions/{substitution_id}/refuse",
    "/reserve/instructions",
    "/reserve/instructions/{instruction_id}/refuse",
    "/rows/{table}",
    "/statements",
]
CHECK = [
    "/changes/{proposal_id}/approve",
    "/cases/{case_id}/approve",
    "/cases/{case_id}/return",
    "/control/acts/{act_id}/approve",
    "/control/substitutions/{substitution_id}/approve",
    "/reserve/instructions/{instruction_id}/approve",
]

EXPECTED = (
    {("GET", path): Access.READ for path in READ}
    | {("POST", path): Access.MAKE for path in MAKE}
    | {("POST", path): Access.CHECK for path in CHECK}
    | {("GET", "/bundles/{sequence}/file"): Access.EXPORT, ("POST", "/bundles"): Access.EXPORT}
    | {("GET", "/openapi.json"): Access.SIGNED_IN}
)

MAY = {
    Role.OPERATOR: {Access.READ, Access.MAKE, Access.EXPORT, Access.SIGNED_IN},
    Role.REVIEWER: {Access.READ, Access.MAKE, Access.CHECK, Access.EXPORT, Access.SIGNED_IN},
    Role.AUDITOR: {Access.READ, Access.EXPORT, Access.SIGNED_IN},
    Role.ADMINISTRATOR: {Access.SIGNED_IN},
}
"""Written out, so that a change of the roles is seen here too."""


def declared() -> dict[tuple[str, str], Access | None]:
    """Method and path of every route of the API, with the access it names."""
    routes = [route for router in api_routers() for route in router.router.routes if isinstance(route, APIRoute)]
    return {
        (method, route.path.removeprefix(PREFIX)): access_of(route)
        for route in routes
        for method in route.methods or ()
    }


@pytest.mark.fault("F5")
def test_every_route_demands_what_is_written_here() -> None:
    assert declared() == EXPECTED


@pytest.mark.fault("F5")
@pytest.mark.parametrize("role", [None, *Role])
def test_every_route_lets_in_these_and_nobody_else(api: Api, role: Role | None) -> None:
    if role is not None:
        api.sign_in(role)
    wrong = []
    for (method, path), access in EXPECTED.items():
        status = answer_of(api, method, path)
        let_in = role is not None and access in MAY[role]
        refused = 401 if role is None else 403
        if let_in == (status in (401, 403)) or (not let_in and status != refused):
            wrong.append((method, path, status))
    assert wrong == []
    assert len(EXPECTED) > 60


@pytest.mark.fault("F5")
def test_a_token_may_less_than_its_person(api: Api) -> None:
    api.visitor = Visitor("cco", "cco", frozenset(Role), accesses=frozenset({Access.READ}))
    found = {access: set[int]() for access in Access}
    for (method, path), access in EXPECTED.items():
        found[access].add(answer_of(api, method, path))
    assert 403 not in found[Access.READ] | found[Access.SIGNED_IN]
    assert found[Access.MAKE] == found[Access.CHECK] == found[Access.EXPORT] == {403}


@pytest.mark.fault("F4")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_not_there_is_not_found_everywhere_in_the_same_words(api: Api, method: str) -> None:
    api.sign_in(*Role)
    said = {}
    for each, path in EXPECTED:
        if each == method and "{" in path and path != "/rows/{table}":
            answer = call(api, method, path)
            problem = answer.json()
            said[path] = (answer.status_code, problem["code"], problem["detail"])
    assert set(said.values()) == {(404, "not-found", "there is nothing of this id here")}, said
    assert len(said) > (15 if method == "GET" else 12)


BODIES = {
    "/cases/{case_id}/assign": {"assignee": "ops.maker"},
    "/cases/{case_id}/root-cause": {"cause": "other", "text": "It was otherwise."},
    "/cases/{case_id}/approve": {"text": "Yes.", "seen": "0" * 64},
    "/cases/{case_id}/return": {"text": "No.", "seen": "0" * 64},
    "/changes/{proposal_id}/approve": {"seen": "0" * 64},
    "/rows/{table}": {"row": {"client_id": "C-9"}},
}


def answer_of(api: Api, method: str, path: str) -> int:
    return int(call(api, method, path).status_code)


def call(api: Api, method: str, path: str) -> Response:
    """Ask for something that is not there, in a form that the route takes."""
    url = PREFIX + re.sub(r"{[^}]*}", "NONE-1", path)
    if method == "GET":
        return api.client.get(url, params={"follow": "false"} if path == "/events" else {})
    if path.endswith(("/attachments", "/receipts")):
        url += "?kind=statement&reference=ST-1&received_on=2026-10-05" * path.endswith("/receipts")
        return api.client.post(url, files={"file": ("note.txt", b"text")}, headers=new_key())
    return api.client.post(url, json=BODIES.get(path, {"text": "Said."}), headers=new_key())
