"""The canonical text of a review with its inputs, and the review of such a text, computed again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from chains.errors import InvalidValue
from chains.types import AssetId
from exports.canonical import canonical_json, parse_canonical_object
from exports.errors import BundleError
from exports.possession.errors import ReviewRefused
from exports.possession.review import InControl, IssueReview, Need, Owed, Review, ReviewInputs, compute
from exports.possession.sources import TERMS, SourceKind
from exports.possession.types import Evidence, Holder, Holding, Issue, IssueKind, Line, Move, OnChain, Place
from exports.reserve.errors import ReserveError
from exports.reserve.policies import policies_value, read_policies

FORMAT: Final = "custody-possession-review/1"


def document(review: Review) -> bytes:
    """The one text of a review, with everything it follows from."""
    inputs = _inputs_value(review.inputs)
    return canonical_json(
        {
            "format": FORMAT,
            "rule_set": review.rule_set_id,
            "inputs_digest": hashlib.sha256(canonical_json(inputs)).hexdigest(),
            "inputs": inputs,
            "issues": [_issue_review_value(each) for each in review.issues],
        }
    )


def inputs_digest(text: bytes) -> str:
    """The digest of the inputs that a review's text names."""
    return str(parse_canonical_object(text)["inputs_digest"])


@dataclass(frozen=True, slots=True)
class StatedFigures:
    """What a review's text states of one issue, in base units."""

    required: int
    control: int
    deficit: int
    due_from_loans: int
    """Of the deficit, what bank and stock loans are due to give back."""
    due_promptly: int
    """And what fails, distributions and short positions are."""

    @property
    def gap(self) -> int:
        """Required and not known to be in control."""
        return max(0, self.required - self.control)


NOT_STATED: Final = StatedFigures(0, 0, 0, 0, 0)
"""Of an issue that is not in a review."""


def stated_figures(text: bytes) -> dict[AssetId, StatedFigures]:
    """The figures of every issue as a review's text states them; nothing is computed again."""
    issues = parse_canonical_object(text)["issues"]
    return {AssetId(_text(each, "security_id")): _stated(each) for each in _objects(issues)}


def _stated(issue: dict[str, object]) -> StatedFigures:
    due = {True: 0, False: 0}
    for each in _objects(issue["sources"]):
        has_limit = TERMS[SourceKind(_text(each, "kind"))].possession_business_days is not None
        due[has_limit] += int(_text(each, "attributed"))
    required, control, deficit = (int(_text(issue, name)) for name in ("required", "control", "deficit"))
    return StatedFigures(required, control, deficit, due[True], due[False])


def read_review(text: bytes) -> Review:
    """The review of its text, computed again from the inputs in it; raises `ReserveError` when it comes out another."""
    try:
        value = parse_canonical_object(text)["inputs"]
        found = compute(_read_inputs(_object(value)))
        same = document(found) == text
    except ReserveError:
        raise
    except (BundleError, InvalidValue, ArithmeticError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReviewRefused("this is no stored review of possession or control") from error
    if not same:
        raise ReviewRefused("the inputs of this review of possession or control give another result")
    return found


def _inputs_value(inputs: ReviewInputs) -> dict[str, object]:
    owners, rest = inputs.owners, inputs.rest
    return {
        "as_of": inputs.as_of.isoformat(),
        "policies": policies_value(inputs.policies),
        "issues": [_issue_value(each) for each in inputs.issues],
        "owners": [_holder_value(each) for each in owners] if isinstance(owners, tuple) else _owed_value(owners),
        "moves": [
            {
                "move_id": each.move_id,
                "holder_id": each.holder_id,
                "from": each.from_id,
                "to": each.to_id,
                "base_units": str(each.base_units),
            }
            for each in inputs.moves
        ],
        "lines": [line_value(each) for each in inputs.lines],
        "rest": {
            "lines": rest.lines,
            "digest": rest.digest,
            "units": [{"security_id": name, "base_units": str(units)} for name, units in rest.units],
        }
        if rest is not None
        else None,
    }


def _issue_value(issue: Issue) -> dict[str, object]:
    return {
        "security_id": issue.security_id,
        "kind": issue.kind.value,
        "decimals": issue.decimals,
        "price": format(issue.price, "f"),
        "exempted": issue.exempted,
    }


def _holder_value(holder: Holder) -> dict[str, object]:
    return {
        "holder_id": holder.holder_id,
        "debit": str(holder.debit),
        "holdings": [
            {"security_id": each.security_id, "fully_paid": str(each.fully_paid), "margin": str(each.margin)}
            for each in holder.holdings
        ],
    }


def _owed_value(owed: Owed) -> dict[str, object]:
    return {
        "holders": owed.holders,
        "holdings": owed.holdings,
        "digest": owed.digest,
        "needs": [
            {
                "security_id": each.security_id,
                "fully_paid": str(each.fully_paid),
                "excess_margin": str(each.excess_margin),
            }
            for each in owed.needs
        ],
    }


def line_value(line: Line) -> dict[str, object]:
    """One line of the stock record as it stands in a text."""
    evidence, chain = line.evidence, line.on_chain
    return {
        "line_id": line.line_id,
        "security_id": line.security_id,
        "place": line.place.value,
        "base_units": str(line.base_units),
        "location_id": line.location_id,
        "since": _day(line.since),
        "confirmed_on": _day(line.confirmed_on),
        "business_age": line.business_age,
        "customer_sale": line.is_customer_sale,
        "evidence": {
            "paragraph": evidence.paragraph,
            "effective_from": evidence.effective_from.isoformat(),
            "evidence_on": evidence.evidence_on.isoformat(),
            "valid_until": _day(evidence.valid_until),
            "reference": evidence.reference,
        }
        if evidence is not None
        else None,
        "on_chain": {
            "observed": str(chain.observed) if chain.observed is not None else None,
            "firm_alone_can_sign": chain.firm_alone_can_sign,
            "others_can_sign": chain.others_can_sign,
            "others_could_move": chain.others_could_move,
            "proven_on": _day(chain.proven_on),
        }
        if chain is not None
        else None,
    }


def _issue_review_value(review: IssueReview) -> dict[str, object]:
    return {
        "security_id": review.issue.security_id,
        "fully_paid": str(review.need.fully_paid),
        "excess_margin": str(review.need.excess_margin),
        "required": str(review.need.required),
        "control": str(review.control),
        "not_known": str(review.not_known),
        "deficit": str(review.deficit),
        "unverified": review.unverified,
        "not_control": [
            {
                "line_id": each.line.line_id,
                "base_units": str(each.line.base_units - each.base_units),
                "cause": each.cause.value,
                "citation": each.citation,
            }
            for each in review.counted
            if each.cause is not None
        ],
        "sources": [
            {
                "line_id": each.line_id,
                "kind": each.kind.value,
                "citation": TERMS[each.kind].citation,
                "base_units": str(each.base_units),
                "attributed": str(each.attributed),
                "counts_from": _day(each.counts_from),
            }
            for each in review.sources
        ],
        "close_outs": [
            {"line_id": each.line_id, "base_units": str(each.base_units), "citation": each.citation, "text": each.text}
            for each in review.close_outs
        ],
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _read_inputs(value: dict[str, object]) -> ReviewInputs:
    owners = value["owners"]
    rest = value["rest"]
    return ReviewInputs(
        date.fromisoformat(str(value["as_of"])),
        read_policies(value["policies"]),
        tuple(
            Issue(
                AssetId(_text(each, "security_id")),
                IssueKind(_text(each, "kind")),
                _integer(each, "decimals"),
                Decimal(_text(each, "price")),
                _flag(each, "exempted"),
            )
            for each in _objects(value["issues"])
        ),
        tuple(map(_read_holder, _objects(owners))) if isinstance(owners, list) else _read_owed(_object(owners)),
        tuple(
            Move(
                _text(each, "move_id"),
                _text(each, "holder_id"),
                AssetId(_text(each, "from")),
                AssetId(_text(each, "to")),
                int(_text(each, "base_units")),
            )
            for each in _objects(value["moves"])
        ),
        tuple(map(_read_line, _objects(value["lines"]))),
        _read_rest(_object(rest)) if rest is not None else None,
    )


def _read_holder(value: dict[str, object]) -> Holder:
    holdings = tuple(
        Holding(AssetId(_text(each, "security_id")), int(_text(each, "fully_paid")), int(_text(each, "margin")))
        for each in _objects(value["holdings"])
    )
    return Holder(_text(value, "holder_id"), int(_text(value, "debit")), holdings)


def _read_owed(value: dict[str, object]) -> Owed:
    needs = tuple(
        Need(AssetId(_text(each, "security_id")), int(_text(each, "fully_paid")), int(_text(each, "excess_margin")))
        for each in _objects(value["needs"])
    )
    return Owed(_integer(value, "holders"), _integer(value, "holdings"), _text(value, "digest"), needs)


def _read_rest(value: dict[str, object]) -> InControl:
    units = tuple(
        (AssetId(_text(each, "security_id")), int(_text(each, "base_units"))) for each in _objects(value["units"])
    )
    return InControl(_integer(value, "lines"), _text(value, "digest"), units)


def _read_line(value: dict[str, object]) -> Line:
    evidence, chain, age = value["evidence"], value["on_chain"], value["business_age"]
    return Line(
        _text(value, "line_id"),
        AssetId(_text(value, "security_id")),
        Place(_text(value, "place")),
        int(_text(value, "base_units")),
        _text(value, "location_id"),
        _read_day(value, "since"),
        _read_day(value, "confirmed_on"),
        _integer(value, "business_age") if age is not None else None,
        _read_evidence(_object(evidence)) if evidence is not None else None,
        _read_on_chain(_object(chain)) if chain is not None else None,
        _flag(value, "customer_sale"),
    )


def _read_evidence(value: dict[str, object]) -> Evidence:
    return Evidence(
        _text(value, "paragraph"),
        date.fromisoformat(_text(value, "effective_from")),
        date.fromisoformat(_text(value, "evidence_on")),
        _read_day(value, "valid_until"),
        _text(value, "reference"),
    )


def _read_on_chain(value: dict[str, object]) -> OnChain:
    observed = int(_text(value, "observed")) if value["observed"] is not None else None
    return OnChain(
        observed,
        _flag(value, "firm_alone_can_sign"),
        _flag(value, "others_can_sign"),
        _flag(value, "others_could_move"),
        _read_day(value, "proven_on"),
    )


def _read_day(value: dict[str, object], name: str) -> date | None:
    return date.fromisoformat(_text(value, name)) if value[name] is not None else None


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError("an object is expected")
    return value


def _objects(value: object) -> Iterator[dict[str, object]]:
    if not isinstance(value, list):
        raise TypeError("a list is expected")
    return map(_object, value)


def _text(value: dict[str, object], name: str) -> str:
    found = value[name]
    if not isinstance(found, str):
        raise TypeError(f"{name} is a text")
    return found


def _integer(value: dict[str, object], name: str) -> int:
    found = value[name]
    if type(found) is not int:
        raise TypeError(f"{name} is a whole number")
    return found


def _flag(value: dict[str, object], name: str) -> bool:
    found = value[name]
    if not isinstance(found, bool):
        raise TypeError(f"{name} is true or false")
    return found
