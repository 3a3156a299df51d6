"""Bundles: asked for, one at a time; listed, downloaded, and verified with the keys that auditors are given."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Query, Request
from pydantic import Field, StringConstraints
from starlette.responses import FileResponse, Response

from exports.bundle import digest_of_file
from exports.keys import load_trusted_keys
from exports.profiles import Profile
from exports.verify import verify_bundle
from verifier.accounts.roles import Access
from verifier.bundle_view import issued_json, written_json
from verifier.bundling import issue_bundle
from verifier.disclosing import Audience, disclose_bundle
from verifier.errors import ConfigError, InputError
from verifier.signing import liabilities_secret_of, signers_of
from verifier.store import IssuedBundle, Store
from verifier.web.api.answers import Json, Page, page
from verifier.web.api.asking import Asked, Paged, PathId
from verifier.web.api.found import found
from verifier.web.api.once import OnceOf
from verifier.web.context import ActingOf, NowOf, SettingsOf, StoreOf
from verifier.web.errors import Busy, NotFound
from verifier.web.routing import GuardedRouter

if TYPE_CHECKING:
    from exports.bundle import WrittenBundle
    from exports.verdict import VerificationReport
    from verifier.config import Settings

router = GuardedRouter(prefix="/api/v1/bundles", tags=["bundles"], in_schema=True)

LEASE: Final = "web:export"
_VERIFYING: Final = Lock()
Height = Annotated[int, Field(ge=0, lt=2**63)]
ChainName = Annotated[str, StringConstraints(pattern=r"^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$")]


ProfileText = Annotated[str, StringConstraints(max_length=200, pattern=r"^(full|pseudonymous|client:[!-~]+)$")]
"""`full`, `pseudonymous`, or `client:ID` for one client's own."""


class Download(Asked):
    """Which of the files of a bundle."""

    profile: ProfileText = "full"


class Export(Asked):
    """A bundle that is wanted."""

    profile: ProfileText = "full"
    since: dict[ChainName, Height] = Field(default={}, max_length=50)
    """Include the movements of a chain from this height on; full bundles only."""


@router.get("", Access.READ)
def bundles(store: StoreOf, asked: Annotated[Paged, Query()]) -> Page:
    """Every full bundle that was issued, the newest first; `superseded` where a block it speaks of left its chain."""
    gone = {each.bundle.sequence for each in store.superseded_bundles()}

    def shown(each: IssuedBundle) -> Json:
        return issued_json(each) | {"superseded": each.sequence in gone}

    return page(store.bundles(), asked, shown, lambda each: (each.sequence,), newest_first=True)


@router.get("/{sequence}", Access.READ)
def bundle(sequence: PathId, store: StoreOf) -> Json:
    """One bundle, and whether its file is where it was written."""
    issued = _issued(store, sequence)
    return issued_json(issued) | {"is_here": digest_of_file(Path(issued.path)) == issued.digest}


@router.get(
    "/{sequence}/file",
    Access.EXPORT,
    response_class=Response,
    responses={200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)
def download(sequence: PathId, store: StoreOf, settings: SettingsOf, asked: Annotated[Download, Query()]) -> Response:
    """The bundle's file, or one that shows less and was asked for here. Compare its digest by another way."""
    issued, audience = _issued(store, sequence), Audience.parse(asked.profile)
    if audience.profile is Profile.FULL:
        return FileResponse(_file(issued), media_type="application/zip", filename=f"{issued.bundle_id}.zip")
    path = _path(settings, issued.sequence, audience)
    if not path.is_file():
        raise NotFound("no such bundle was asked for here")
    return FileResponse(path, media_type="application/zip", filename=path.name)


@router.get("/{sequence}/verification", Access.READ)
def verification(sequence: PathId, store: StoreOf, settings: SettingsOf, now: NowOf) -> Json:
    """Every check of the bundle with what it compared, as `custody verify` makes them, offline.

    The keys are those that the firm gives its auditors: what is worth something to an outsider is their own
    verification, with keys they had from elsewhere.
    """
    return verified(store, settings, sequence, now).to_dict()


def verified(store: Store, settings: Settings, sequence: str, now: datetime) -> VerificationReport:
    """The report on an issued bundle whose file is where it was written; `Busy` while another one is made."""
    path = _file(_issued(store, sequence))
    if settings.web.trusted_keys_file is None:
        raise ConfigError("no list of trusted keys is configured: set trusted_keys_file in [web]")
    if not _VERIFYING.acquire(blocking=False):
        raise Busy("another bundle is being verified")
    try:
        return verify_bundle(path, load_trusted_keys(settings.web.trusted_keys_file), now=now)
    finally:
        _VERIFYING.release()


@router.post("", Access.EXPORT, status_code=201)
def export(asked: Export, request: Request, acting: ActingOf, once: OnceOf) -> Response:
    """Have a bundle made and signed; one at a time. With another profile it is made from the newest full one."""
    audience = Audience.parse(asked.profile)
    if asked.since and audience.profile is not Profile.FULL:
        raise InputError("since goes with a full bundle: what shows less is made from one")
    clock: Callable[[], datetime] = request.app.state.clock

    def work() -> Json:
        with acting.store.leased(LEASE):
            return written_json(_written(acting.store, acting.settings, audience, asked, acting.actor, clock))

    return once(asked, work, status=201)


def _written(
    store: Store, settings: Settings, audience: Audience, asked: Export, actor: str, clock: Callable[[], datetime]
) -> WrittenBundle:
    signers, secret = signers_of(settings), liabilities_secret_of(settings)
    newest = store.newest_bundle()
    number = newest[0] if newest is not None else 0
    is_full = audience.profile is Profile.FULL
    path = _path(settings, number + 1 if is_full else number, audience)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_full:
        return issue_bundle(store, settings, path, asked.since, signers, actor, clock, secret)
    return disclose_bundle(store, None, audience, path, signers, actor, clock, secret)


def _path(settings: Settings, number: int, audience: Audience) -> Path:
    """Where a bundle is written. A client's id is in no file name: it may hold anything."""
    folder = settings.web.exports_folder
    if folder is None:
        raise ConfigError("no folder for bundles is configured: set exports_folder in [web]")
    if audience.profile is Profile.FULL:
        return folder / f"bundle-{number:06d}.zip"
    whose = f"-{hashlib.sha256(audience.client_id.encode()).hexdigest()[:16]}" if audience.client_id else ""
    return folder / f"bundle-{number:06d}-{audience.profile}{whose}.zip"


def _issued(store: Store, sequence: str) -> IssuedBundle:
    wanted = [each for each in store.bundles() if str(each.sequence) == sequence]
    return found(lambda: wanted[0] if wanted else None)


def _file(issued: IssuedBundle) -> Path:
    """The file of an issued bundle, when it is still the one that was issued."""
    path = Path(issued.path)
    if digest_of_file(path) != issued.digest:
        raise NotFound(f"the file of bundle {issued.sequence} is not where it was written any more")
    return path
