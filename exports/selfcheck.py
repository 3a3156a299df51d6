"""What a verifier would find in a bundle, asked before it is signed: an issuer does not issue what will be refused."""

from __future__ import annotations

from exports.bundle import Bundle, Payload, spooled_members
from exports.contents import Contents
from exports.record_checks import Spelling, registry_spelling
from exports.records import RECORD_TYPES
from exports.verdict import CheckStatus
from exports.verify import answer_check, figure_checks


def refusals(bundle: Bundle, spelling: Spelling = registry_spelling, payload: Payload | None = None) -> list[str]:
    """Why checks 6 to 15, 18, 19, 22 to 24 and 32 would not pass, one sentence each; empty when all of them would.

    `payload` is what was made of this bundle before; it is made here without it.

    Raises `RecordInvalid` for a record that cannot be written at all.
    """
    manifest, _ = payload or spooled_members(bundle)
    contents = Contents(manifest=manifest, **{kind: tuple(getattr(bundle, kind)) for kind in RECORD_TYPES})
    return [
        f"check {check.number} ({check.name}): {text}"
        for check in (*figure_checks(contents, spelling), answer_check(contents, lambda digest: bundle.answers[digest]))
        if check.status in (CheckStatus.FAILED, CheckStatus.NOT_POSSIBLE)
        for text in check.problems or (check.detail,)
    ]
