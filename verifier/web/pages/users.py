"""The people who sign in, for administrators: who they are, what they may do, and shutting them out.

Administrators see names and roles and nothing of what the system is about; every act of theirs is journalled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Form, Request
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from verifier.accounts import binding, enrolment
from verifier.accounts.records import SECOND_FACTORS, checked_login, checked_name, checked_person_id
from verifier.accounts.roles import Access, Role
from verifier.errors import InputError
from verifier.web.context import Acting, ActingOf, StoreOf
from verifier.web.errors import NotFound
from verifier.web.forms import PageForm
from verifier.web.pages.recent import require_recent
from verifier.web.routing import GuardedRouter
from verifier.web.templating import page

router = GuardedRouter(prefix="/users")


class NewPersonForm(PageForm):
    """Another person."""

    person_id: str = Field(max_length=100)
    name: str = Field(max_length=200)
    login: str = Field(default="", max_length=100)
    roles: list[Role] = Field(min_length=1)


class RolesForm(PageForm):
    """Other roles for a person."""

    roles: list[Role] = Field(min_length=1)
    reason: str = Field(default="", max_length=500)


class DisableForm(PageForm):
    """Shut a person out, or let them in again."""

    is_disabled: bool
    reason: str = Field(default="", max_length=500)


class LoginForm(PageForm):
    """A name that the person signs in under."""

    login: str = Field(max_length=100)


class BindForm(PageForm):
    """Whom an identity provider names."""

    issuer: str = Field(max_length=500)
    subject: str = Field(max_length=255)


class EndLoginForm(PageForm):
    """A login to end."""

    key: int


@router.get("", Access.ADMINISTER)
def show(request: Request, store: StoreOf) -> Response:
    """Everybody."""
    return _list(request, store)


@router.post("", Access.ADMINISTER)
def add(request: Request, form: Annotated[NewPersonForm, Form()], acting: ActingOf) -> Response:
    """A person, and the one-time code to hand over to them."""
    require_recent(request, acting)
    store, by, now = acting.store, acting.by, acting.now
    try:
        person_id, login = checked_person_id(form.person_id.strip()), checked_login(form.login or form.person_id)
        store.add_person(person_id, checked_name(form.name), frozenset(form.roles), login, by, now)
        code = enrolment.invite(store, person_id, login, by, now)
    except InputError as error:
        return _list(request, store, problem=error, form=form)
    return _one(request, store, person_id, code=code)


@router.get("/{person_id}", Access.ADMINISTER)
def one(request: Request, person_id: str, store: StoreOf) -> Response:
    """One person."""
    return _one(request, store, person_id)


@router.post("/{person_id}/roles", Access.ADMINISTER)
def roles(request: Request, person_id: str, form: Annotated[RolesForm, Form()], acting: ActingOf) -> Response:
    """Other roles; the person is signed out everywhere."""

    def act() -> None:
        held = frozenset(form.roles)
        acting.store.change_person(person_id, acting.by, acting.now, roles=held, reason=form.reason)

    return _acted(request, person_id, acting, act)


@router.post("/{person_id}/disable", Access.ADMINISTER)
def disable(request: Request, person_id: str, form: Annotated[DisableForm, Form()], acting: ActingOf) -> Response:
    """Shut out from the next request on, or let in again."""

    def act() -> None:
        is_disabled = form.is_disabled
        acting.store.change_person(person_id, acting.by, acting.now, is_disabled=is_disabled, reason=form.reason)

    return _acted(request, person_id, acting, act)


@router.post("/{person_id}/reset", Access.ADMINISTER)
def reset(request: Request, person_id: str, form: Annotated[LoginForm, Form()], acting: ActingOf) -> Response:
    """Take away what the person signs in with, and show the code to begin anew with."""

    def act() -> str:
        return enrolment.reset(acting.store, person_id, form.login, acting.by, acting.now)

    return _acted(request, person_id, acting, act)


@router.post("/{person_id}/logins", Access.ADMINISTER)
def add_login(request: Request, person_id: str, form: Annotated[LoginForm, Form()], acting: ActingOf) -> Response:
    """Another name to sign in under, for the same person."""

    def act() -> str:
        login = checked_login(form.login)
        acting.store.add_login(person_id, "", login, acting.by, acting.now)
        return enrolment.invite(acting.store, person_id, login, acting.by, acting.now)

    return _acted(request, person_id, acting, act)


@router.post("/{person_id}/bind", Access.ADMINISTER)
def bind(request: Request, person_id: str, form: Annotated[BindForm, Form()], acting: ActingOf) -> Response:
    """Whom an identity provider names is this person."""

    def act() -> None:
        web, subject = acting.settings.web, form.subject.strip()
        binding.bind(acting.store, web, person_id, form.issuer, subject, acting.by, acting.now)

    return _acted(request, person_id, acting, act)


@router.post("/{person_id}/end-login", Access.ADMINISTER)
def end_login(request: Request, person_id: str, form: Annotated[EndLoginForm, Form()], acting: ActingOf) -> Response:
    """End a login with its password."""

    def act() -> None:
        if form.key not in {each.key for each in acting.store.logins(person_id)}:
            raise InputError("there is no such login")
        acting.store.end_login(form.key, "ended by an administrator", acting.by, acting.now)

    return _acted(request, person_id, acting, act)


def _acted(request: Request, person_id: str, acting: Acting, act: Callable[[], str | None]) -> Response:
    """What follows an act on a person: their page again, with the one-time code or the problem it ended with."""
    require_recent(request, acting)
    try:
        code = act()
    except InputError as error:
        return _one(request, acting.store, person_id, problem=error)
    if code is None:
        return RedirectResponse(f"/users/{person_id}", status_code=303)
    return _one(request, acting.store, person_id, code=code)


def _list(request: Request, store: StoreOf, **more: Any) -> Response:
    values = {"problem": None, "form": None, "people": store.people(), "roles": list(Role)}
    return page(request, "users.html", status=422 if more else 200, **(values | more))


def _one(request: Request, store: StoreOf, person_id: str, **more: Any) -> Response:
    person = store.person(person_id)
    if person is None:
        raise NotFound("there is no such person")
    values = {
        "problem": None,
        "code": "",
        "person": person,
        "roles": list(Role),
        "logins": store.logins(person_id),
        "factors": [each for each in store.credentials(person_id) if each.kind in SECOND_FACTORS],
        "issuers": [each.issuer for each in request.app.state.settings.web.oidc],
    }
    return page(request, "user.html", status=422 if more.get("problem") else 200, **(values | more))
