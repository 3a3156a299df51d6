"""One's own account: password, second factors, tokens, sessions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Form, Request
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from verifier.accounts import own_account, tokens
from verifier.accounts.records import SECOND_FACTORS, By, CredentialKind
from verifier.accounts.roles import Access
from verifier.accounts.signing_in import SignInRefused
from verifier.errors import InputError
from verifier.web.context import NowOf, SettingsOf, StoreOf, VisitorOf
from verifier.web.forms import PageForm
from verifier.web.pages.recent import require_recent
from verifier.web.routing import GuardedRouter
from verifier.web.sessions import address_of, idle_of
from verifier.web.templating import page
from verifier.web.visitor import Visitor

router = GuardedRouter(prefix="/account")


class PasswordForm(PageForm):
    """Another password for one login."""

    login: str = Field(max_length=100)
    current: str = Field(max_length=200, repr=False)
    password: str = Field(max_length=200, repr=False)
    repeated: str = Field(max_length=200, repr=False)


class TokenForm(PageForm):
    """A token for a program."""

    label: str = Field(min_length=1, max_length=100)
    scope: list[Access]
    days: int = Field(ge=1, le=3_650)


class KeyForm(PageForm):
    """A second factor or token to remove."""

    key: int


class SessionForm(PageForm):
    """A session to end; every other one when it is empty."""

    session: str = Field(default="", max_length=40)


@router.get("", Access.SIGNED_IN)
def show(request: Request, store: StoreOf, visitor: VisitorOf, now: NowOf) -> Response:
    """The page."""
    return _show(request, store, visitor, now)


@router.post("/password", Access.SIGNED_IN)
def password(
    request: Request, form: Annotated[PasswordForm, Form()], store: StoreOf, visitor: VisitorOf, now: NowOf
) -> Response:
    """Exchange the password; every other session ends."""
    login = next(
        (each for each in store.logins(visitor.person_id) if not each.issuer and each.subject == form.login), None
    )
    try:
        if login is None or form.password != form.repeated:
            raise InputError("the two passwords are not the same")
        request.app.state.attempts.count(address_of(request), login.subject)
        by = By(visitor.person_id, visitor.address)
        own_account.change_password(store, visitor.person_id, login, form.current, form.password, by, now)
    except SignInRefused:
        return _show(request, store, visitor, now, problem=InputError("the current password is not right"))
    except InputError as error:
        return _show(request, store, visitor, now, problem=error)
    store.end_sessions(visitor.person_id, "password changed", by, now, but=visitor.session_key)
    return _back()


@router.post("/recovery-codes", Access.SIGNED_IN)
def recovery_codes(
    request: Request, form: Annotated[PageForm, Form()], store: StoreOf, visitor: VisitorOf, now: NowOf
) -> Response:
    """New codes, shown once."""
    require_recent(request, store, visitor, now)
    codes = own_account.new_recovery_codes(store, visitor.person_id, By(visitor.person_id, visitor.address), now)
    return page(request, "recovery_codes.html", codes=codes, onward="/account")


@router.post("/tokens", Access.SIGNED_IN)
def token(
    request: Request,
    form: Annotated[TokenForm, Form()],
    store: StoreOf,
    visitor: VisitorOf,
    settings: SettingsOf,
    now: NowOf,
) -> Response:
    """A new token, shown once."""
    require_recent(request, store, visitor, now)
    by, days_max = By(visitor.person_id, visitor.address), settings.web.token_days_max
    try:
        made = tokens.issue(store, visitor.person_id, form.label, frozenset(form.scope), form.days, days_max, by, now)
    except InputError as error:
        return _show(request, store, visitor, now, problem=error)
    return _show(request, store, visitor, now, token=made)


@router.post("/remove", Access.SIGNED_IN)
def remove(
    request: Request, form: Annotated[KeyForm, Form()], store: StoreOf, visitor: VisitorOf, now: NowOf
) -> Response:
    """End a token or a second factor."""
    require_recent(request, store, visitor, now)
    try:
        own_account.remove(store, visitor.person_id, form.key, By(visitor.person_id, visitor.address), now)
    except InputError as error:
        return _show(request, store, visitor, now, problem=error)
    return _back()


@router.post("/sessions", Access.SIGNED_IN)
def end_sessions(form: Annotated[SessionForm, Form()], store: StoreOf, visitor: VisitorOf, now: NowOf) -> Response:
    """End one of one's own sessions, or all but this one."""
    by = By(visitor.person_id, visitor.address)
    if form.session:
        store.end_session(form.session, visitor.person_id, "ended by hand", by, now)
    else:
        store.end_sessions(visitor.person_id, "ended by hand", by, now, but=visitor.session_key)
    return _back()


def _back() -> Response:
    return RedirectResponse("/account", status_code=303)


def _show(request: Request, store: StoreOf, visitor: Visitor, now: NowOf, **more: Any) -> Response:
    known = store.credentials(visitor.person_id)
    values = {
        "problem": None,
        "token": "",
        "logins": store.logins(visitor.person_id),
        "factors": [each for each in known if each.kind in SECOND_FACTORS],
        "codes_left": sum(each.kind is CredentialKind.RECOVERY_CODE for each in known),
        "tokens": [each for each in known if each.kind is CredentialKind.TOKEN],
        "sessions": store.sessions(visitor.person_id, now, idle_of(request)),
        "scopes": [scope for scope in tokens.SCOPES if visitor.roles & scope.roles],
        "days_max": request.app.state.settings.web.token_days_max,
    }
    status = 422 if more.get("problem") else 200
    return page(request, "account.html", status=status, **(values | more))
