"""One reserve computation, from stored inputs to the same bytes every time.

The inputs have one canonical text (JSON, exports/canonical.py), and so has the computation, which carries them, the
rule set, every policy with its source, and both results. Computing again from the stored inputs gives the same bytes,
whatever the program's default policies have become: the policies are inputs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any

from chains.errors import InvalidValue
from exports.canonical import canonical_json, parse_canonical_object
from exports.errors import BundleError
from exports.reserve.derived import DerivedFrom, origin_problems
from exports.reserve.errors import ItemsRefused
from exports.reserve.formula import CustomerResult, PabResult, customer_result, debit_reduction, pab_result
from exports.reserve.frequency import Frequency, Method
from exports.reserve.items import ReserveClass, item
from exports.reserve.lines import CustomerItems, ItemLine, LineRow, PabItems, credits_used_twice
from exports.reserve.money import require_cents
from exports.reserve.policies import PolicySet, policies_value, read_policies
from exports.reserve.rulesets import rule_set_at

INPUTS_FORMAT = "custody-reserve-inputs/1"
COMPUTATION_FORMAT = "custody-reserve-computation/1"


class Occasion(StrEnum):
    """Why a computation was made."""

    REGULAR = "regular"
    EXTRA = "extra"
    """As of any other business day, (e)(3)(iv): its deposit binds like any other."""
    TEST = "test"
    """Documented, and no ground for a withdrawal."""


class Scope(StrEnum):
    """Which of the two computations is made and binds. The other's lines are stated all the same."""

    CUSTOMER = "customer"
    PAB = "pab"
    BOTH = "both"

    @property
    def classes(self) -> tuple[ReserveClass, ...]:
        """Whose requirement it fixes."""
        return tuple(each for each in ReserveClass if self is Scope.BOTH or self.value == each.value)


@dataclass(frozen=True, slots=True)
class ReserveInputs:
    """Everything a computation follows from."""

    as_of: date
    occasion: Occasion
    method: Method
    frequency: Frequency
    """Of the customer computation."""
    pab_frequency: Frequency
    customer: CustomerItems
    pab: PabItems
    pab_swept: int
    """Cents by `pab.note_8_swept`."""
    policies: PolicySet
    scope: Scope = Scope.BOTH
    derived_from: DerivedFrom | None = None
    """None for lines that the firm stated."""

    def __post_init__(self) -> None:
        require_cents(self.pab_swept, "swept credits")

    def canonical(self) -> bytes:
        """The one text of these inputs."""
        return canonical_json(_inputs_value(self))


@dataclass(frozen=True, slots=True)
class ReserveComputation:
    """Both computations of one as-of date."""

    inputs: ReserveInputs
    rule_set_id: str
    customer: CustomerResult
    pab: PabResult

    def canonical(self) -> bytes:
        """The one text of the computation, with its inputs."""
        rule_set = rule_set_at(self.inputs.as_of)
        reduction = debit_reduction(rule_set, self.inputs.method, self.inputs.frequency)
        return canonical_json(
            {
                "format": COMPUTATION_FORMAT,
                "rule_set": self.rule_set_id,
                "sources": list(rule_set.sources),
                "reduction": {
                    "base": str(reduction.base),
                    "percent": reduction.percent,
                    "citation": reduction.citation,
                },
                "inputs_digest": hashlib.sha256(self.inputs.canonical()).hexdigest(),
                "inputs": _inputs_value(self.inputs),
                "customer": _amounts(self.customer),
                "pab": _amounts(self.pab),
            }
        )

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical text: what an archive and an approval name it by."""
        return hashlib.sha256(self.canonical()).hexdigest()


def compute(inputs: ReserveInputs) -> ReserveComputation:
    """Both computations; raises `ReserveError` where the inputs permit none, and never fills a gap by itself."""
    if wrong := next(origin_problems(inputs.customer, inputs.pab, inputs.derived_from), ""):
        raise ItemsRefused(wrong)
    if twice := credits_used_twice(inputs.customer, inputs.pab):
        raise ItemsRefused(f"PAB Note 2: a customer credit is no PAB credit: {', '.join(twice[:5])}")
    rule_set = rule_set_at(inputs.as_of)
    customer = customer_result(
        inputs.customer, inputs.as_of, rule_set, inputs.policies, inputs.method, inputs.frequency
    )
    pab = pab_result(
        inputs.pab,
        customer,
        rule_set,
        inputs.policies,
        inputs.pab_frequency,
        as_of=inputs.as_of,
        swept=inputs.pab_swept,
    )
    return ReserveComputation(inputs, rule_set.rule_set_id, customer, pab)


def recompute(stored: bytes) -> ReserveComputation:
    """The computation of stored canonical inputs; raises `ReserveError` when they are not exactly that."""
    return compute(parse_inputs(stored))


def read_computation(document: bytes) -> ReserveComputation:
    """The computation of its canonical text, computed again from the inputs in it.

    Raises `ReserveError` when the inputs give another text: then the text is not what the formula says, or another
    version of this program made it.
    """
    try:
        inputs = parse_canonical_object(document)["inputs"]
        if not isinstance(inputs, dict):
            raise TypeError("inputs are an object")
        found = recompute(canonical_json(inputs))
        same = found.canonical() == document
    except (BundleError, InvalidValue, KeyError, TypeError, ValueError) as error:
        raise ItemsRefused("this is no stored reserve computation") from error
    if not same:
        raise ItemsRefused("the inputs of this reserve computation give another result")
    return found


def _inputs_value(inputs: ReserveInputs) -> dict[str, object]:
    derived = inputs.derived_from
    return ({} if derived is None else {"derived_from": _derived_value(derived)}) | {
        "format": INPUTS_FORMAT,
        "as_of": inputs.as_of.isoformat(),
        "occasion": str(inputs.occasion),
        "scope": str(inputs.scope),
        "method": str(inputs.method),
        "frequency": str(inputs.frequency),
        "pab_frequency": str(inputs.pab_frequency),
        "pab_swept": str(inputs.pab_swept),
        "customer": [_line_value(line) for line in inputs.customer.lines],
        "pab": [_line_value(line) for line in inputs.pab.lines],
        "policies": policies_value(inputs.policies),
    }


def _derived_value(derived: DerivedFrom) -> dict[str, object]:
    return {
        "books_sha256": derived.books,
        "rows": derived.rows,
        "allocations_sha256": derived.allocations,
        "allocations": derived.allocation_count,
        "tentative_net_capital": str(derived.tentative_net_capital),
        "excluded": [{"what": what, "cents": str(cents)} for what, cents in derived.excluded],
        "findings": list(derived.findings),
    }


def _read_derived(value: Mapping[str, Any]) -> DerivedFrom:
    return DerivedFrom(
        value["books_sha256"],
        value["rows"],
        value["allocations_sha256"],
        value["allocations"],
        int(value["tentative_net_capital"]),
        tuple((each["what"], int(each["cents"])) for each in value["excluded"]),
        tuple(value["findings"]),
    )


def _line_value(line: ItemLine) -> dict[str, object]:
    return {
        "item": line.number,
        "side": str(item(line.number).side),
        "citation": item(line.number).citation,
        "cents": str(line.cents),
        "rows": [{"row_id": row.row_id, "cents": str(row.cents), "source": row.source} for row in line.rows],
    }


def _amounts(result: CustomerResult | PabResult) -> dict[str, object]:
    """Every field of a result: dates and cents as text, percentages as numbers."""
    values: dict[str, object] = {}
    for each in fields(result):
        value = getattr(result, each.name)
        is_percent = each.name == "deposit_percent"
        values[each.name] = value if is_percent else value.isoformat() if isinstance(value, date) else str(value)
    return values


def parse_inputs(data: bytes) -> ReserveInputs:
    """Inputs from their canonical text. Anything that does not give the same bytes back is refused."""
    try:
        value = parse_canonical_object(data)
        inputs = _read_inputs(value)
        same = inputs.canonical() == data
    except (BundleError, InvalidValue, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ItemsRefused("these are no stored inputs of a reserve computation") from error
    if not same:
        raise ItemsRefused("the stored inputs are not what this program would have written")
    return inputs


def _read_inputs(value: dict[str, object]) -> ReserveInputs:
    text = {key: each for key, each in value.items() if isinstance(each, str)}
    derived = value.get("derived_from")
    if derived is not None and not isinstance(derived, dict):
        raise TypeError("what lines were derived from is an object")
    return ReserveInputs(
        date.fromisoformat(text["as_of"]),
        Occasion(text["occasion"]),
        Method(text["method"]),
        Frequency(text["frequency"]),
        Frequency(text["pab_frequency"]),
        CustomerItems(_read_lines(value["customer"])),
        PabItems(_read_lines(value["pab"])),
        int(text["pab_swept"]),
        read_policies(value["policies"]),
        Scope(text["scope"]),
        _read_derived(derived) if derived is not None else None,
    )


def _read_lines(value: object) -> tuple[ItemLine, ...]:
    if not isinstance(value, list):
        raise TypeError("lines are a list")
    return tuple(
        ItemLine(
            line["item"],
            tuple(LineRow(row["row_id"], int(row["cents"]), row["source"]) for row in _objects(line["rows"])),
        )
        for line in value
    )


def _objects(value: object) -> list[dict[str, str]]:
    if not isinstance(value, list):
        raise TypeError("a list is expected")
    return value
