"""The sign-in page, setting up a sign-in with a one-time code, and signing out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Form, Query, Request
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from verifier.accounts import enrolment, second_factor, signing_in
from verifier.accounts.attempts import Attempts, TooManyAttempts
from verifier.accounts.roles import Access
from verifier.accounts.signing_in import Given, SignInRefused
from verifier.errors import InputError
from verifier.web.context import ActingOf, NowOf, StoreOf
from verifier.web.cookies import SESSION, browser_digest, forget, write
from verifier.web.forms import PageForm, local_path
from verifier.web.routing import GuardedRouter
from verifier.web.sessions import address_of, home, home_of, where_of
from verifier.web.templating import page

router = GuardedRouter()


class SignInForm(PageForm):
    """What the sign-in page sends."""

    login: str = Field(max_length=100)
    password: str = Field(max_length=200, repr=False)
    code: str = Field(max_length=40, repr=False)
    next: str = Field(default="/", max_length=2_000)


class WelcomeForm(PageForm):
    """What somebody with a one-time code sends first."""

    code: str = Field(max_length=60, repr=False)
    password: str = Field(max_length=200, repr=False)
    repeated: str = Field(max_length=200, repr=False)
    login: str = Field(default="", max_length=100)
    person_id: str = Field(default="", max_length=100)
    name: str = Field(default="", max_length=100)


class DigitsForm(PageForm):
    """What they send second: the digits of their authenticator app."""

    ticket: str = Field(max_length=100, repr=False)
    digits: str = Field(max_length=20, repr=False)


@router.get("/sign-in", Access.PUBLIC)
def show(request: Request, next: Annotated[str, Query(max_length=2_000)] = "/") -> Response:  # noqa: A002
    """The form; who is signed in is led on."""
    onward = local_path(next)
    if (visitor := request.state.visitor) is not None:
        return RedirectResponse(home(visitor.roles, onward), status_code=303)
    return _form(request, onward)


@router.post("/sign-in", Access.PUBLIC)
def sign_in(request: Request, form: Annotated[SignInForm, Form()], store: StoreOf, now: NowOf) -> Response:
    """A session for who typed the right things, and the same answer for all others."""
    onward = local_path(form.next)
    login = form.login.strip().lower()
    attempts: Attempts = request.app.state.attempts
    try:
        attempts.count(address_of(request), login)
        secret = signing_in.sign_in(store, Given(login, form.password, form.code), where_of(request), now)
    except (SignInRefused, TooManyAttempts) as refused:
        status = 429 if isinstance(refused, TooManyAttempts) else 401
        return _form(request, onward, problem=refused, login=form.login, status=status)
    attempts.forget(login)
    return signed_in(request, secret, onward)


@router.post("/sign-out", Access.SIGNED_IN)
def sign_out(request: Request, acting: ActingOf) -> Response:
    """The session ends here and on the server."""
    acting.store.end_session(acting.visitor.session_key, acting.actor, "signed out", acting.by, acting.now)
    answer = RedirectResponse("/sign-in", status_code=303)
    forget(answer, request, SESSION)
    answer.headers["clear-site-data"] = '"cache", "storage"'
    return answer


@router.get("/welcome", Access.PUBLIC)
def welcome(request: Request, store: StoreOf) -> Response:
    """Where a one-time code is typed; with fields for the first administrator while one is to be made."""
    return _welcome(request, store)


@router.post("/welcome", Access.PUBLIC)
def choose(request: Request, form: Annotated[WelcomeForm, Form()], store: StoreOf, now: NowOf) -> Response:
    """The first step; answers with what an authenticator app is set up with."""
    attempts: Attempts = request.app.state.attempts
    try:
        attempts.count(address_of(request))
        if form.password != form.repeated:
            raise InputError("the two passwords are not the same")
        chosen = enrolment.Chosen(form.code, form.password, form.login, form.person_id, form.name)
        begun = enrolment.begin(store, chosen, browser_digest(request), now)
    except (InputError, SignInRefused, TooManyAttempts) as refused:
        return _welcome(request, store, problem=refused, form=form)
    return _second_step(request, begun)


@router.post("/welcome/finish", Access.PUBLIC)
def finish(request: Request, form: Annotated[DigitsForm, Form()], store: StoreOf, now: NowOf) -> Response:
    """The second step; answers with the recovery codes, which are shown once."""
    attempts: Attempts = request.app.state.attempts
    browser = browser_digest(request)
    try:
        attempts.count(address_of(request))
        done = enrolment.finish(store, form.ticket, form.digits, browser, where_of(request), now)
    except InputError as wrong:
        return _second_step(request, enrolment.again(store, form.ticket, browser, now), problem=wrong)
    except (SignInRefused, TooManyAttempts) as refused:
        return _welcome(request, store, problem=refused)
    answer = page(
        request, "recovery_codes.html", codes=done.recovery_codes, onward=home_of(request, done.session_secret, "/")
    )
    write(answer, request, SESSION, done.session_secret)
    return answer


def signed_in(request: Request, secret: str, onward: str) -> Response:
    """Lead somebody on with the cookie of their new session."""
    answer = RedirectResponse(home_of(request, secret, onward), status_code=303)
    write(answer, request, SESSION, secret)
    return answer


def _form(
    request: Request, onward: str, *, problem: Exception | None = None, login: str = "", status: int = 200
) -> Response:
    providers = [(place, each.label) for place, each in enumerate(request.app.state.settings.web.oidc)]
    values: dict[str, Any] = {"onward": onward, "problem": problem, "login": login, "providers": providers}
    return page(request, "sign_in.html", status=status, **values)


def _welcome(
    request: Request, store: StoreOf, *, problem: Exception | None = None, form: WelcomeForm | None = None
) -> Response:
    status = 200 if problem is None else 429 if isinstance(problem, TooManyAttempts) else 422
    is_first = bool(store.first_codes())
    return page(request, "welcome.html", status=status, problem=problem, form=form, is_first=is_first)


def _second_step(request: Request, begun: enrolment.Begun, *, problem: Exception | None = None) -> Response:
    firm = request.app.state.settings.firm.name
    address = second_factor.address(begun.totp_secret, begun.login, firm)
    picture = second_factor.picture(address)
    status = 200 if problem is None else 422
    return page(request, "welcome_code.html", status=status, begun=begun, picture=picture, problem=problem)
