"""Every route names the access it demands, and lets nobody else through."""

from __future__ import annotations

import pytest
from fastapi import APIRouter

from tests.web.conftest import Site, visitor
from verifier.accounts.roles import Access, Role
from verifier.web.routing import GuardedRouter, access_of, routes_of


@pytest.mark.fault("F5")
def test_a_route_without_an_access_cannot_be_told_apart_from_a_forbidden_one() -> None:
    past = APIRouter()
    past.add_api_route("/open", lambda: "all")
    assert [access_of(route) for route in past.routes] == [None]
    guarded = GuardedRouter()
    guarded.get("/closed", Access.READ)(lambda: "some")
    assert [access_of(route) for route in guarded.router.routes] == [Access.READ]


@pytest.mark.fault("F5")
def test_every_route_of_the_application_has_an_access(site: Site) -> None:
    found = {route.path: access_of(route) for route in routes_of(site.app) if route.path != "/static"}
    assert found["/sign-in"] is Access.PUBLIC
    assert None not in found.values(), found


@pytest.mark.fault("F5")
def test_a_route_that_was_added_past_the_guards_would_be_noticed(site: Site) -> None:
    past = APIRouter()
    past.add_api_route("/open", lambda: "all")
    site.app.include_router(past)
    site.app.add_api_route("/also", lambda: "all")
    assert {route.path for route in routes_of(site.app) if access_of(route) is None} == {"/open", "/also", "/static"}


def test_the_roles_of_an_access() -> None:
    assert visitor(Role.AUDITOR).may(Access.READ)
    assert not visitor(Role.AUDITOR).may(Access.MAKE)
    assert not visitor(Role.ADMINISTRATOR).may(Access.READ)
    assert not visitor(Role.OPERATOR).may(Access.CHECK)
    assert all(visitor(role).may(Access.PUBLIC) for role in Role)


def test_what_is_not_there(site: Site) -> None:
    page = site.client.get("/nowhere")
    assert (page.status_code, "Not Found" in page.text) == (404, True)
    problem = site.client.get("/api/nowhere")
    assert (problem.status_code, problem.json()["code"]) == (404, "not-found")
