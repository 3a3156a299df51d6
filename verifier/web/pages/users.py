"""The people who sign in, for administrators: who they are, what they may do, and shutting them out.

Administrators see names and roles and nothing of what the system is about; every act of theirs is journalled.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Form, Request
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from verifier.accounts import binding, enrolment
from verifier.accounts.records import SECOND_FACTORS, By, checked_login, checked_name, checked_person_id
from verifier.accounts.roles import Access, Role
from verifier.errors import InputError
from verifier.web.context import NowOf, SettingsOf, StoreOf, VisitorOf
from verifier.web.errors import NotFound
from verifier.web.forms import PageForm
from verifier.web.pages.recent import require_recent
from verifier.web.routing import GuardedRouter
from verifier.web.templating import page
from verifier.web.visitor import Visitor

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
def add(
    request: Request, form: Annotated[NewPersonForm, Form()], store: StoreOf, visitor: VisitorOf, now: NowOf
) -> Response:
    """A person, and the one-time code to hand over to them."""
    require_recent(request, store, visitor, now)
    try:
        person_id, login = checked_person_id(form.person_id.strip()), checked_login(form.login or form.person_id)
        store.add_person(person_id, checked_name(form.name), frozenset(form.roles), login, _by(visitor), now)
        code = enrolment.invite(store, person_id, login, _by(visitor), now)
    except InputError as error:
        return _list(request, store, problem=error, form=form)
    return _one(request, store, person_id, code=code)


@router.get("/{person_id}", Access.ADMINISTER)
def one(request: Request, person_id: str, store: StoreOf) -> Response:
    """One person."""
    return _one(request, store, person_id)


@router.post("/{person_id}/roles", Access.ADMINISTER)
def roles(
    request: Request,
    person_id: str,
    form: Annotated[RolesForm, Form()],
    store: StoreOf,
    visitor: VisitorOf,
    now: NowOf,
) -> Response:
    """Other roles; the person is signed out everywhere."""
    require_recent(request, store, visitor, now)
    try:
        store.change_person(person_id, _by(visitor), now, roles=frozenset(form.roles), reason=form.reason)
    except InputError as error:
        return _one(request, store, person_id, problem=error)
    return _back(person_id)


@router.post("/{person_id}/disable", Access.ADMINISTER)
def disable(
    request: Request,
    person_id: str,
    form: Annotated[DisableForm, Form()],
    store: StoreOf,
    visitor: VisitorOf,
    now: NowOf,
) -> Response:
    """Shut out from the next request on, or let in again."""
    require_recent(request, store, visitor, now)
    try:
        store.change_person(person_id, _by(visitor), now, is_disabled=form.is_disabled, reason=form.reason)
    except InputError as error:
        return _one(request, store, person_id, problem=error)
    return _back(person_id)


@router.post("/{person_id}/reset", Access.ADMINISTER)
def reset(
    request: Request,
    person_id: str,
    form: Annotated[LoginForm, Form()],
    store: StoreOf,
    visitor: VisitorOf,
    now: NowOf,
) -> Response:
    """Take away what the person signs in with, and show the code to begin anew with."""
    require_recent(request, store, visitor, now)
    try:
        code = enrolment.reset(store, person_id, form.login, _by(visitor), now)
    except InputError as error:
        return _one(request, store, person_id, problem=error)
    return _one(request, store, person_id, code=code)


@router.post("/{person_id}/logins", Access.ADMINISTER)
def add_login(
    request: Request,
    person_id: str,
    form: Annotated[LoginForm, Form()],
    store: StoreOf,
    visitor: VisitorOf,
    now: NowOf,
) -> Response:
    """Another name to sign in under, for the same person."""
    require_recent(request, store, visitor, now)
    try:
        login = checked_login(form.login)
        store.add_login(person_id, "", login, _by(visitor), now)
        code = enrolment.invite(store, person_id, login, _by(visitor), now)
    except InputError as error:
        return _one(request, store, person_id, problem=error)
    return _one(request, store, person_id, code=code)


@router.post("/{person_id}/bind", Access.ADMINISTER)
def bind(
    request: Request,
    person_id: str,
    form: Annotated[BindForm, Form()],
    store: StoreOf,
    visitor: VisitorOf,
    settings: SettingsOf,
    now: NowOf,
) -> Response:
    """Whom an identity provider names is this person."""
    require_recent(request, store, visitor, now)
    try:
        binding.bind(store, settings.web, person_id, form.issuer, form.subject.strip(), _by(visitor), now)
    except InputError as error:
        return _one(request, store, person_id, problem=error)
    return _back(person_id)


@router.post("/{person_id}/end-login", Access.ADMINISTER)
def end_login(
    request: Request,
    person_id: str,
    form: Annotated[EndLoginForm, Form()],
    store: StoreOf,
    visitor: VisitorOf,
    now: NowOf,
) -> Response:
    """End a login with its password."""
    require_recent(request, store, visitor, now)
    if form.key not in {each.key for each in store.logins(person_id)}:
        return _one(request, store, person_id, problem=InputError("there is no such login"))
    store.end_login(form.key, "ended by an administrator", _by(visitor), now)
    return _back(person_id)


def _by(visitor: Visitor) -> By:
    return By(visitor.person_id, visitor.address)


def _back(person_id: str) -> Response:
    return RedirectResponse(f"/users/{person_id}", status_code=303)


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
