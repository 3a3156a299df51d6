"""Whatever a record's fields say within their forms, the checks answer and raise nothing, and so does the report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest

from chains.evm.encumbrance_types import Answer
from exports.block_lines import block_lines
from exports.bundle import Bundle, payload_members
from exports.codec import from_object, to_object
from exports.contents import Contents
from exports.control_lines import control_lines
from exports.disclosure import client_bundle
from exports.errors import RecordInvalid
from exports.liability_checks import liability_lines
from exports.possession_checks import possession_lines
from exports.records import RECORD_TYPES
from exports.reserve_checks import reserve_lines
from exports.securities_checks import securities_lines
from exports.superseded import SupersededBundleRecord
from exports.verify import answer_check, figure_checks
from tests.exports.answer_samples import with_answers
from tests.exports.inclusion_samples import with_transaction_proof
from tests.exports.output_samples import with_bitcoin
from tests.exports.outside_samples import record as outside_record
from tests.exports.outside_samples import row, snapshot, taken
from tests.exports.proof_samples import with_state_proofs
from tests.exports.sample import CHAIN, CREATED, evm_spelling
from tests.exports.test_acceptances import decision
from tests.exports.test_control_checks import proof, proven, with_restriction
from tests.exports.test_possession_checks import record as review_record
from tests.exports.test_reserve_checks import position, record, recorded
from tests.exports.test_securities_checks import record as securities_record

Step = str | int

VALUES: Final[tuple[object, ...]] = (
    0, 300, 2**53 - 1, "0", "-1", "9" * 80, "", "x", "ab" * 32, "0x" + "ab" * 32, None, [],
    "0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z", "0001-01-01", "9999-12-31",
    "eip155:1", "bip122:000000000019d6689c085ae165831e93", "eip155:1/slip44:60", "iso4217:USD",
)  # fmt: skip
"""The ends of each form, and good spellings of something else."""


def full_bundle() -> Bundle:
    """The sample, with a record of every kind."""
    bundle = with_restriction(proven(proof(1)), None, Answer.RESTRICTED)
    bundle = with_bitcoin(with_transaction_proof(with_state_proofs(bundle)))
    return replace(
        bundle,
        acceptances=(decision(),),
        node_answers=with_answers().node_answers,
        answers=with_answers().answers,
        imported_evidence=(outside_record(taken(snapshot(row()))),),
        possession_reviews=(review_record(),),
        reserve_computations=(record(),),
        reserve_positions=(recorded(position()),),
        securities_runs=(securities_record(),),
        superseded_bundles=(SupersededBundleRecord("bundle-0000", 1, "0" * 64, CHAIN, 9, "0x" + "0" * 64, CREATED),),
    )


BUNDLE: Final = full_bundle()
ANSWERS: Final = BUNDLE.answers


def contents(kind: str = "", records: tuple[object, ...] = (), bundle: Bundle = BUNDLE) -> Contents:
    every = {each: tuple(getattr(bundle, each)) for each in RECORD_TYPES}
    manifest = OWN_MANIFEST if bundle is not BUNDLE else MANIFEST
    return Contents(manifest=manifest, **{**every, **({kind: records} if kind else {})})


MANIFEST: Final = payload_members(BUNDLE)[0]
OWN: Final = client_bundle(contents(), "client-1")
"""A client's own bundle, which has an inclusion statement."""
OWN_MANIFEST: Final = payload_members(OWN)[0]


def steps(value: object, before: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """The way to every value inside a JSON object, of lists to the first."""
    if isinstance(value, dict):
        inside: list[tuple[Step, object]] = list(value.items())
    else:
        inside = list(enumerate(value[:1])) if isinstance(value, list) else []
    for step, each in inside:
        yield (*before, step)
        yield from steps(each, (*before, step))


def changed(value: dict[str, object], way: tuple[Step, ...], to: object) -> dict[str, object]:
    copy: dict[str, object] = json.loads(json.dumps(value))
    place: Any = copy
    for step in way[:-1]:
        place = place[step]
    place[way[-1]] = to
    return copy


def answers(found: Contents) -> int:
    """How many checks and lines there are: they are made to the end."""
    lines = [*block_lines(found), *control_lines(found), *liability_lines(found), *reserve_lines(found)]
    lines += possession_lines(found)
    lines += securities_lines(found)
    checks = [*figure_checks(found, evm_spelling), answer_check(found, ANSWERS.__getitem__)]
    return len(checks) + len(lines)


@pytest.mark.parametrize("kind", sorted(RECORD_TYPES))
def test_no_field_of_a_record_stops_a_check(kind: str) -> None:
    bundle = OWN if kind == "inclusion_statements" else BUNDLE
    first, *rest = getattr(bundle, kind)
    stated, tried = to_object(first), 0
    for way in steps(stated):
        for value in VALUES:
            try:
                other: object = from_object(RECORD_TYPES[kind], changed(stated, way, value))
            except RecordInvalid:
                continue
            tried += 1
            assert answers(contents(kind, (other, *rest), bundle))
    assert tried, "at least one field takes another value"
