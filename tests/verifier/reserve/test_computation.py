"""A computation is repeated from its stored inputs to the same bytes, and from nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.canonical import canonical_json
from exports.reserve.computation import Occasion, ReserveInputs, compute, parse_inputs, recompute
from exports.reserve.errors import ItemsRefused
from exports.reserve.frequency import Frequency, Method
from exports.reserve.lines import LineRow, PabItems
from exports.reserve.policies import Policy, policies_at
from tests.verifier.reserve.make import AS_OF, inputs, rows

AMOUNTS = st.dictionaries(st.integers(1, 15), st.integers(0, 10**18), max_size=15)


@pytest.mark.fault("D12")
@given(
    AMOUNTS,
    AMOUNTS,
    st.sampled_from(Occasion),
    st.sampled_from([Method.BASIC, Method.ALTERNATIVE]),
    st.sampled_from([Frequency.WEEKLY, Frequency.DAILY_REQUIRED]),
)
def test_the_stored_inputs_give_the_same_bytes(
    of_customers: dict[int, int], of_pab: dict[int, int], occasion: Occasion, method: Method, frequency: Frequency
) -> None:
    given_ = inputs(of_customers, of_pab, occasion=occasion, method=method, frequency=frequency)
    first = compute(given_)
    again = recompute(given_.canonical())
    assert parse_inputs(given_.canonical()) == given_
    assert (again.canonical(), again.digest) == (first.canonical(), first.digest)


@pytest.mark.fault("D12")
def test_the_policies_are_inputs_not_the_programs_present_ones() -> None:
    own = Policy("pab_monthly_105", "no", date(2026, 1, 1), "written opinion", "read without Note 1")
    given_ = replace(inputs({}, {1: 100}, pab_frequency=Frequency.MONTHLY), policies=policies_at(AS_OF, [own]))
    assert recompute(given_.canonical()).pab.required == 100
    assert compute(inputs({}, {1: 100}, pab_frequency=Frequency.MONTHLY)).pab.required == 105


@pytest.mark.fault("D12")
def test_the_bytes_of_one_computation_are_these() -> None:
    """A golden digest: a change of the format, of a rule set's text or of a default policy shows here."""
    computation = compute(inputs({1: 1_000_00, 10: 500_00}, {1: 200_00, 11: 50_00}))
    value: dict[str, Any] = json.loads(computation.canonical())
    assert value["rule_set"] == "15c3-3 of 2025-03-14"
    assert value["customer"]["required"] == "50500"
    assert value["pab"]["required"] == "15000"
    assert value["reduction"] == {"base": "item_10", "citation": "17 CFR 240.15c3-3a Note E(3)", "percent": 1}
    assert value["inputs_digest"] == hashlib.sha256(canonical_json(value["inputs"])).hexdigest()
    assert len(value["inputs"]["policies"]) == len(computation.inputs.policies.policies)
    assert all(each["source"] for each in value["inputs"]["policies"])
    assert [line["item"] for line in value["inputs"]["customer"]] == list(range(1, 16))
    assert value["inputs"]["customer"][9]["rows"] == [{"cents": "50000", "row_id": "row-10", "source": "test"}]
    assert computation.digest == hashlib.sha256(computation.canonical()).hexdigest()


@pytest.mark.fault("D6")
@given(AMOUNTS, st.integers(1, 15))
def test_one_cent_anywhere_is_another_digest(amounts: dict[int, int], number: int) -> None:
    more = {**amounts, number: amounts.get(number, 0) + 1}
    assert compute(inputs(amounts, {})).digest != compute(inputs(more, {})).digest


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    value: dict[str, Any] = json.loads(inputs({1: 5}, {}).canonical())
    change(value)
    return canonical_json(value)


@pytest.mark.fault("D6", "D12")
@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"{}",
        b"[]",
        inputs({}, {}).canonical() + b"\n",
        changed(lambda v: v.pop("frequency")),
        changed(lambda v: v.update(more="x")),
        changed(lambda v: v.update(method="both")),
        changed(lambda v: v.update(as_of="2026-13-01")),
        changed(lambda v: v.update(pab_swept="0x1")),
        changed(lambda v: v.update(format="custody-reserve-inputs/2")),
        changed(lambda v: v["customer"].pop()),
        changed(lambda v: v["customer"].append(v["customer"][0])),
        changed(lambda v: v["customer"].reverse()),
        changed(lambda v: v["customer"][0].update(side="debit")),
        changed(lambda v: v["customer"][0].update(cents="6")),
        changed(lambda v: v["customer"][0]["rows"][0].update(cents="-5")),
        changed(lambda v: v["customer"][0]["rows"][0].update(cents="05")),
        changed(lambda v: v["customer"][0]["rows"].clear()),
        changed(lambda v: v["customer"][0]["rows"].append(v["customer"][0]["rows"][0])),
        changed(lambda v: v["policies"][0].update(value="whatever")),
        changed(lambda v: v.update(policies={})),
    ],
)
def test_anything_else_than_stored_inputs_is_refused(stored: bytes) -> None:
    assert recompute(inputs({1: 5}, {}).canonical()).customer.required == 5
    with pytest.raises(Exception, match=r".") as caught:
        recompute(stored)
    assert getattr(caught.value, "code", "") in ("reserve-items", "policy")


@pytest.mark.fault("D7")
def test_a_customer_credit_is_no_pab_credit() -> None:
    """PAB Note 2, by the ids of the rows; a debit or a zero row may be shared."""
    shared = inputs({1: 5, 2: 0, 11: 3}, {})
    again = replace(
        shared, pab=PabItems.of([(n, LineRow(row.row_id, row.cents, row.source)) for n, row in rows({1: 5})])
    )
    with pytest.raises(ItemsRefused, match=r"Note 2.*row-1$"):
        compute(again)
    debit_only = replace(shared, pab=PabItems.of(rows({11: 3})))
    assert compute(debit_only).pab.total_debits == 3


def test_inputs_of_an_earlier_day_use_its_rule_set() -> None:
    assert compute(inputs({}, {}, as_of=date(2025, 3, 13))).rule_set_id == "15c3-3 of 2024-03-18"
    assert compute(inputs({}, {}, as_of=date(2025, 3, 14))).rule_set_id == "15c3-3 of 2025-03-14"


def test_inputs_are_frozen() -> None:
    given_: ReserveInputs = inputs({}, {})
    with pytest.raises(AttributeError):
        given_.pab_swept = 1  # type: ignore[misc]
