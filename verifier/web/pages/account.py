"""One's own account: password, second factors, tokens, sessions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Form, Request
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from verifier.accounts import own_account, tokens
from verifier.accounts.records import SECOND_FACTORS, CredentialKind
from verifier.accounts.roles import Access
from verifier.accounts.signing_in import SignInRefused
from verifier.errors import InputError
from verifier.web.context import Acting, ActingOf
from verifier.web.forms import PageForm
from verifier.web.pages.recent import require_recent
from verifier.web.routing import GuardedRouter
from verifier.web.sessions import address_of, idle_of
from verifier.web.templating import page

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
def show(request: Request, acting: ActingOf) -> Response:
    """The page."""
    return _show(request, acting)


@router.post("/password", Access.SIGNED_IN)
def password(request: Request, form: Annotated[PasswordForm, Form()], acting: ActingOf) -> Response:
    """Exchange the password; every other session ends."""
    store, actor, by, now = acting.store, acting.actor, acting.by, acting.now
    login = next((each for each in store.logins(actor) if not each.issuer and each.subject == form.login), None)
    try:
        if login is None or form.password != form.repeated:
            raise InputError("the two passwords are not the same")
        request.app.state.attempts.count(address_of(request), login.subject)
        own_account.change_password(store, actor, login, form.current, form.password, by, now)
    except SignInRefused:
        return _show(request, acting, problem=InputError("the current password is not right"))
    except InputError as error:
        return _show(request, acting, problem=error)
    store.end_sessions(actor, "password changed", by, now, but=acting.visitor.session_key)
    return _back()


@router.post("/recovery-codes", Access.SIGNED_IN)
def recovery_codes(request: Request, form: Annotated[PageForm, Form()], acting: ActingOf) -> Response:
    """New codes, shown once."""
    require_recent(request, acting)
    codes = own_account.new_recovery_codes(acting.store, acting.actor, acting.by, acting.now)
    return page(request, "recovery_codes.html", codes=codes, onward="/account")


@router.post("/tokens", Access.SIGNED_IN)
def token(request: Request, form: Annotated[TokenForm, Form()], acting: ActingOf) -> Response:
    """A new token, shown once."""
    require_recent(request, acting)
    scope, days_max = frozenset(form.scope), acting.settings.web.token_days_max
    try:
        made = tokens.issue(acting.store, acting.actor, form.label, scope, form.days, days_max, acting.by, acting.now)
    except InputError as error:
        return _show(request, acting, problem=error)
    return _show(request, acting, token=made)


@router.post("/remove", Access.SIGNED_IN)
def remove(request: Request, form: Annotated[KeyForm, Form()], acting: ActingOf) -> Response:
    """End a token or a second factor."""
    require_recent(request, acting)
    try:
        own_account.remove(acting.store, acting.actor, form.key, acting.by, acting.now)
    except InputError as error:
        return _show(request, acting, problem=error)
    return _back()


@router.post("/sessions", Access.SIGNED_IN)
def end_sessions(form: Annotated[SessionForm, Form()], acting: ActingOf) -> Response:
    """End one of one's own sessions, or all but this one."""
    store, why = acting.store, "ended by hand"
    if form.session:
        store.end_session(form.session, acting.actor, why, acting.by, acting.now)
    else:
        store.end_sessions(acting.actor, why, acting.by, acting.now, but=acting.visitor.session_key)
    return _back()


def _back() -> Response:
    return RedirectResponse("/account", status_code=303)


def _show(request: Request, acting: Acting, **more: Any) -> Response:
    store, actor = acting.store, acting.actor
    known = store.credentials(actor)
    values = {
        "problem": None,
        "token": "",
        "logins": store.logins(actor),
        "factors": [each for each in known if each.kind in SECOND_FACTORS],
        "codes_left": sum(each.kind is CredentialKind.RECOVERY_CODE for each in known),
        "tokens": [each for each in known if each.kind is CredentialKind.TOKEN],
        "sessions": store.sessions(actor, acting.now, idle_of(request)),
        "scopes": [scope for scope in tokens.SCOPES if acting.visitor.roles & scope.roles],
        "days_max": acting.settings.web.token_days_max,
    }
    status = 422 if more.get("problem") else 200
    return page(request, "account.html", status=status, **(values | more))
