"""How errors leave the application: a page for people, problem details (RFC 9457) for programs, never a trace.

What the program did not foresee gets an incident id, in the answer and in the log, and nothing else (rows F14, F23).
"""

from __future__ import annotations

import secrets
import traceback
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from chains.errors import ChainError
from exports.errors import BundleError
from exports.reserve.errors import ReserveError
from mapping.errors import MappingError
from verifier.accounts.attempts import TooManyAttempts
from verifier.accounts.identity_provider import ProviderFailed
from verifier.accounts.oidc import NotBound
from verifier.accounts.signing_in import SignInRefused
from verifier.errors import (
    BundleRefused,
    CaseConflict,
    ConfigError,
    InputError,
    InstructionConflict,
    LeaseHeld,
    PoliciesNotApproved,
    ProposalConflict,
    StoreBusy,
    StoreError,
    StoreUnavailable,
    SubstitutionRefused,
    VerifierError,
    VersionConflict,
    WaitsForApproval,
    WithdrawalRefused,
    WorkflowConflict,
)
from verifier.web.errors import NotSignedIn, WebError
from verifier.web.templating import page

log = structlog.get_logger(__name__)

KNOWN = (VerifierError, ChainError, BundleError, MappingError, ReserveError)
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (TooManyAttempts, 429),
    (SignInRefused, 401),
    (NotBound, 403),
    (ProviderFailed, 502),
    (StoreBusy, 503),
    (StoreUnavailable, 503),
    (LeaseHeld, 503),
    (StoreError, 500),
    ((CaseConflict), 409),
    (WorkflowConflict, 409),
    (VersionConflict, 409),
    (ProposalConflict, 409),
    ((InstructionConflict), 409),
    (WithdrawalRefused, 409),
    (SubstitutionRefused, 409),
    (BundleRefused, 409),
    (PoliciesNotApproved, 409),
    (ConfigError, 409),
    (InputError, 422),
)


def install(app: FastAPI) -> None:
    """Answer every error of a request in one of the two shapes."""
    for known in KNOWN:
        app.add_exception_handler(known, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


def is_for_programs(request: Request) -> bool:
    """Whether the answer is JSON: of the API, which lives below one path."""
    return request.url.path.startswith("/api/")


def answer(request: Request, status: int, code: str, text: str, advice: str = "", **more: Any) -> Response:
    """A refusal as page or as problem details."""
    title = HTTPStatus(status).phrase
    if is_for_programs(request):
        body = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": text, **more}
        if advice:
            body["advice"] = advice
        return JSONResponse(body, status_code=status, media_type="application/problem+json")
    return page(request, "refused.html", status=status, title=title, code=code, text=text, advice=advice, **more)


async def answer_of(request: Request, error: Exception) -> Response:
    """The answer to any error, for what lies outside of the routes."""
    if isinstance(error, KNOWN):
        return await _known(request, error)
    return await _unforeseen(request, error)


async def _known(request: Request, error: Exception) -> Response:
    if isinstance(error, NotSignedIn) and not is_for_programs(request) and request.method == "GET":
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        sign_in = f"/sign-in?next={quote(path, safe='')}"
        if "hx-request" in request.headers:  # a part of an open page: the whole page goes there
            return Response(
                status_code=204, headers={"HX-Redirect": sign_in if request.url.path != "/events" else "/sign-in"}
            )
        return RedirectResponse(sign_in, status_code=303)
    if isinstance(error, WaitsForApproval):  # no refusal: it was taken, and counts when another person approves it
        if is_for_programs(request):
            return JSONResponse(waits_json(error), status_code=HTTPStatus.ACCEPTED)
        return RedirectResponse("/approvals", status_code=303)
    status = error.status if isinstance(error, WebError) else _status_of(error)
    if status == 500:
        return await _unforeseen(request, error)
    more = error.more if isinstance(error, WebError) else {}
    return answer(request, status, getattr(error, "code", "error"), str(error), getattr(error, "advice", ""), **more)


def waits_json(error: WaitsForApproval) -> dict[str, Any]:
    """What a program is told of an act that waits for another person: nothing counts yet."""
    return {"stored": False, "proposal_id": error.proposal_id}


def _status_of(error: Exception) -> int:
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 422)


async def _invalid(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    fields = [{"field": ".".join(str(part) for part in each["loc"][1:]), "reason": each["msg"]} for each in found]
    text = "; ".join(f"{each['field'] or 'the request'}: {each['reason']}" for each in fields)
    return answer(request, 422, "bad-input", text or "the request cannot be read", fields=fields)


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    words = {404: ("not-found", "there is nothing here"), 405: ("method-not-allowed", "this is not done that way")}
    code, text = words.get(status, ("refused", HTTPStatus(status).phrase.lower()))
    return answer(request, status, code, text)


async def _unforeseen(request: Request, error: Exception) -> Response:
    incident = secrets.token_hex(6)
    # Places and no values: the text of an error, or a local, could hold a password or a cookie (row F14).
    frames = [f"{each.filename}:{each.lineno} {each.name}" for each in traceback.extract_tb(error.__traceback__)]
    log.error("a request failed", incident=incident, path=request.url.path, error=type(error).__name__, frames=frames)
    advice = f"Tell the operator of the system the incident id {incident}; the log has the cause."
    return answer(request, 500, "failed", "something went wrong here", advice, incident=incident)
