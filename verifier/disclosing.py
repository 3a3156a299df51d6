"""Bundles that show less, made from one that was issued: signed like it, and written into the journal.

They take no number of their own: the same moment, root and place in the sequence, and the digest of the full bundle.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from exports.bundle import WrittenBundle, bundle_digest, digest_of_file, spooled_members, write_bundle
from exports.bundle_file import read_contents
from exports.disclosure import client_bundle, pseudonymous_bundle
from exports.openings import Opening, open_commitment
from exports.profiles import Profile
from exports.selfcheck import refusals
from verifier.errors import BundleRefused, InputError, StoreError
from verifier.store import IssuedBundle, Store

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

DISCLOSED = "bundle.disclosed"
"""Kind of the journal entry of a bundle that shows less."""
OPENED = "commitment.opened"
"""Kind of the journal entry of records that were shown beside a bundle that commits to them."""


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom a bundle is made."""

    profile: Profile
    client_id: str = ""
    """Whose own bundle it is; empty for one that is not one client's."""

    @staticmethod
    def parse(text: str) -> Audience:
        """Of `full`, `pseudonymous` or `client:ID`. Raises `InputError` for anything else."""
        word, colon, client_id = text.partition(":")
        if word == Profile.CLIENT and client_id:
            return Audience(Profile.CLIENT, client_id)
        if colon or word not in (Profile.FULL, Profile.PSEUDONYMOUS):
            raise InputError(f"{text!r} is no profile: give full, pseudonymous or client:ID")
        return Audience(Profile(word))


def disclose_bundle(
    store: Store,
    source: Path | None,
    audience: Audience,
    path: Path,
    signers: Sequence[Signer],
    actor: str,
    clock: Callable[[], datetime],
    secret: bytes,
) -> WrittenBundle:
    """Make a pseudonymous or a client's own bundle from the full one at `source`, by default the newest issued one.

    Raises `InputError` when the full bundle is not one of this firm or another file is in the way,
    `DisclosureRefused` when it would show what it must not, `BundleRefused` when a verifier would refuse it.
    """
    issued = _issued(store, source)
    full = read_contents(Path(issued.path) if source is None else source)
    clients = store.clients(store.book_time(clock()))
    if audience.profile is Profile.PSEUDONYMOUS:
        bundle = pseudonymous_bundle(full, secret, [client.name for client in clients])
    else:
        others = [client.name for client in clients if client.client_id != audience.client_id]
        bundle = client_bundle(full, audience.client_id, others)
    members = spooled_members(bundle, path.parent)
    if reasons := refusals(bundle, payload=members):
        raise BundleRefused(f"a verifier would refuse this bundle: {reasons[0]}")
    if path.exists() and digest_of_file(path) != bundle_digest(bundle, members):
        raise InputError(f"{path} exists already and is another bundle; it was not overwritten")
    written = write_bundle(bundle, signers, path, members)
    payload = {
        "profile": str(audience.profile),
        "client_id": audience.client_id,
        "digest": written.digest,
        "full_digest": issued.digest,
    }
    with store.record(DISCLOSED, actor, payload, clock(), payload_is_the_record=True):
        pass
    return written


def open_kind(
    store: Store,
    source: Path | None,
    kind: str,
    path: Path,
    actor: str,
    clock: Callable[[], datetime],
    secret: bytes,
) -> tuple[Opening, int]:
    """Write what opens the commitment to one kind to a new file of mode 0600; returns it and how many records it shows.

    Raises `InputError` when the full bundle is not one of this firm or the file cannot be made, and
    `DisclosureRefused` when nothing of the kind is committed to.
    """
    issued = _issued(store, source)
    opening = open_commitment(read_contents(Path(issued.path) if source is None else source), kind, secret)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InputError(f"{path.name}: {error.strerror or 'cannot be written'}; it was not overwritten") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(opening.to_bytes())
        payload = {"kind": kind, "full_digest": issued.digest}
        with store.record(OPENED, actor, payload, clock(), payload_is_the_record=True):
            pass
    except (OSError, StoreError):
        path.unlink(missing_ok=True)  # what is not in the journal was not shown
        raise
    return opening, opening.lines.count(b"\n")


def _issued(store: Store, source: Path | None) -> IssuedBundle:
    issued = store.bundles()
    if not issued:
        raise InputError("no full bundle was issued yet: run `custody export --out FILE` first")
    if source is None:
        newest = issued[-1]
        if digest_of_file(Path(newest.path)) != newest.digest:
            raise InputError(f"bundle {newest.sequence} is not where it was written any more: name it with --of")
        return newest
    digest = digest_of_file(source)
    for each in issued:
        if each.digest == digest:
            return each
    raise InputError(f"{source.name} is none of the full bundles that this firm issued")
