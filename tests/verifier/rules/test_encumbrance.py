"""Findings about who else could move what stands in a wallet: each kind, its amount, and its twin without one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.evm.encumbrance_types import (
    UINT160_MAX,
    AccountRole,
    Answer,
    ApprovalCoverage,
    Candidates,
    ControlState,
    EncumbranceReading,
    Fact,
    Grant,
    GrantKind,
    Restriction,
)
from chains.types import UINT256_MAX, Address, AssetId, BalanceObservation, Finality, LocationId
from tests.verifier.rules.make import (
    CHAIN,
    DAI,
    ETH,
    NOON,
    OUTSIDE,
    PIN,
    USDC,
    A,
    B,
    address,
    around,
    block,
    observed,
    place,
    read,
    wallet,
)
from verifier.records import Finding, FindingKind
from verifier.rules.control_changes import (
    changed_facts,
    control_change_findings,
    last_known,
    mapping_findings,
    unsigned_departures,
)
from verifier.rules.encumbrance import encumbrance_findings
from verifier.rules.exposure import Exposure

PERMIT2 = address(0x22)
ASSETS = {asset.asset_id: asset for asset in (ETH, USDC, DAI)}
TOKEN = Address("0x" + "c" * 40)
NOW = int(NOON.timestamp())
FAILED = "node-unavailable: silent"
KEY = ControlState(A, AccountRole.WALLET, {Fact.ACCOUNT_KIND: "key", Fact.CODE_HASH: "none"}, {}, 7)
SAFE = ControlState(
    A,
    AccountRole.WALLET,
    {
        Fact.ACCOUNT_KIND: "safe",
        Fact.CODE_HASH: "0x11",
        Fact.OWNERS: ",".join((B, OUTSIDE, PERMIT2)),
        Fact.THRESHOLD: "2",
        Fact.MODULES: "none",
    },
    {},
    1,
)
CLOSED_TOKEN = ControlState(TOKEN, AccountRole.TOKEN, {Fact.ACCOUNT_KIND: "contract", Fact.CODE_HASH: "0x22"})


def reading(
    *grants: Grant,
    controls: tuple[ControlState, ...] = (KEY,),
    restrictions: tuple[Restriction, ...] = (),
    wallets: tuple[Address, ...] = (A,),
    first_height: int = 0,
    odd: dict[AssetId, int] | None = None,
) -> EncumbranceReading:
    return EncumbranceReading(
        block=PIN,
        finality=Finality.parse("finalized"),
        node_id="node-1",
        wallets=wallets,
        assets=(USDC, DAI),
        coverage=ApprovalCoverage(
            first_height,
            PIN,
            frozenset(wallets),
            frozenset({USDC.asset_id, DAI.asset_id}),
            PERMIT2,
            Candidates(),
            odd or {},
        ),
        grants=grants,
        pairs_asked=len(grants),
        controls=controls,
        restrictions=restrictions,
    )


def allowance(base_units: int | None, *, spender: Address = OUTSIDE, owner: Address = A) -> Grant:
    reason = FAILED if base_units is None else ""
    return Grant(GrantKind.ALLOWANCE, owner, USDC, spender, base_units, reason=reason)


def permit2(base_units: int | None, *, until: int = NOW) -> Grant:
    reason = FAILED if base_units is None else ""
    expiry = None if base_units is None else until
    return Grant(GrantKind.PERMIT2, A, USDC, OUTSIDE, base_units, expires_at_seconds=expiry, reason=reason)


def found(of: EncumbranceReading, *reads: BalanceObservation, mapped: tuple[Address, ...] = (A,)) -> list[Finding]:
    balances = observed(*(reads or (read(A, USDC, 1_000), read(A, DAI, 0), read(A, ETH, 0))))
    return encumbrance_findings(of, balances, ASSETS, around(*(wallet(each) for each in mapped)))


def told(findings: list[Finding]) -> list[tuple[str, str, int | None]]:
    return [(str(each.kind), each.subject, each.base_units) for each in findings]


def test_a_key_without_grants_has_nothing_to_say() -> None:
    assert found(reading()) == []
    assert found(reading(allowance(0))) == []


@pytest.mark.parametrize(
    ("granted", "balance", "exposed"),
    [(700, 1_000, 700), (1_000, 1_000, 1_000), (UINT256_MAX, 1_000, 1_000), (700, 0, 0), (700, None, None)],
)
def test_an_allowance_exposes_no_more_than_itself_and_the_balance(
    granted: int, balance: int | None, exposed: int | None
) -> None:
    (finding,) = found(reading(allowance(granted)), read(A, USDC, balance))
    assert (finding.kind, finding.base_units, finding.asset) == (FindingKind.ENCUMBRANCE, exposed, USDC)
    assert (finding.location_id, finding.subject, finding.block) == (place(), f"allowance:{OUTSIDE}", PIN)
    assert ("any amount" in finding.text) == (granted == UINT256_MAX)
    assert ("not known" in finding.text) == (balance is None)


def test_a_balance_of_another_block_says_nothing_about_what_is_exposed() -> None:
    (finding,) = found(reading(allowance(700)), read(A, USDC, 1_000, pin=block(99)))
    assert finding.base_units is None


@pytest.mark.fault("G12")
def test_a_grant_that_was_not_read_is_unverified() -> None:
    for grant in (allowance(None), permit2(None)):
        (finding,) = found(reading(grant))
        assert (finding.kind, finding.base_units, finding.asset) == (FindingKind.UNVERIFIED, None, USDC)
        assert finding.subject == f"{grant.kind}:{OUTSIDE}"
        assert FAILED in finding.text


@pytest.mark.parametrize(
    ("granted", "to_permit2", "balance", "exposed"),
    [
        (500, UINT256_MAX, 1_000, 500),
        (UINT160_MAX, 300, 1_000, 300),
        (UINT160_MAX, UINT256_MAX, 1_000, 1_000),
        (500, 0, 1_000, 0),
        (500, 0, None, 0),
        (500, None, 1_000, None),
        (500, 300, None, None),
        (500, None, 0, 0),
    ],
)
def test_a_permit2_grant_needs_permit2s_own_allowance(
    granted: int, to_permit2: int | None, balance: int | None, exposed: int | None
) -> None:
    grants = [permit2(granted)] + ([allowance(to_permit2, spender=PERMIT2)] if to_permit2 != 0 else [])
    finding = found(reading(*grants), read(A, USDC, balance))[0]
    assert (finding.kind, finding.subject) == (FindingKind.ENCUMBRANCE, f"permit2:{OUTSIDE}")
    assert finding.base_units == exposed
    assert ("any amount" in finding.text) == (granted == UINT160_MAX)


def test_permit2_itself_is_named_as_what_it_is() -> None:
    (finding,) = found(reading(allowance(5, spender=PERMIT2)))
    assert "an allowance to Permit2" in finding.text
    (other,) = found(reading(allowance(5)))
    assert "Permit2" not in other.text


def test_a_grant_holds_through_its_last_second() -> None:
    assert told(found(reading(permit2(5, until=NOW)))) == [("encumbrance", f"permit2:{OUTSIDE}", 0)]
    assert found(reading(permit2(5, until=NOW - 1))) == []


def test_a_delegated_key_exposes_every_asset_that_stands_there() -> None:
    delegated = replace(KEY, facts={Fact.ACCOUNT_KIND: "delegated", Fact.DELEGATE: B})
    balances = (read(A, ETH, 9), read(A, USDC, 1_000), read(A, DAI, None))
    findings = found(reading(controls=(delegated,)), *balances)
    assert {each.asset: (str(each.kind), each.subject, each.base_units) for each in findings} == {
        ETH: ("encumbrance", f"delegate:{B}", 9),
        USDC: ("encumbrance", f"delegate:{B}", 1_000),
        DAI: ("encumbrance", f"delegate:{B}", None),
    }
    nothing = found(reading(controls=(delegated,)), *(read(A, asset, 0) for asset in ASSETS.values()))
    assert told(nothing) == [("encumbrance", f"delegate:{B}", None)]
    assert nothing[0].asset is None


def test_modules_admins_and_beacons_of_wallets() -> None:
    assert found(reading(controls=(SAFE,))) == []
    facts = {Fact.MODULES: f"{B},{OUTSIDE}", Fact.PROXY_ADMIN: B, Fact.BEACON: OUTSIDE, Fact.GUARD: B}
    findings = found(reading(controls=(replace(SAFE, facts={**SAFE.facts, **facts}),)))
    subjects = [f"module:{B}", f"module:{OUTSIDE}", f"proxy_admin:{B}", f"beacon:{OUTSIDE}"]
    assert told(findings) == [("encumbrance", subject, 1_000) for subject in subjects]
    token = replace(CLOSED_TOKEN, facts={**CLOSED_TOKEN.facts, Fact.PROXY_ADMIN: B})
    assert found(reading(controls=(token,))) == []  # every issuer's token has one


def test_code_of_an_unknown_kind_is_unverified() -> None:
    unknown = replace(KEY, facts={Fact.ACCOUNT_KIND: "contract", Fact.CODE_HASH: "0x33"})
    assert told(found(reading(controls=(unknown,)))) == [("unverified", "control:unknown_code", None)]


@pytest.mark.parametrize(
    ("state", "subject"),
    [
        (replace(KEY, facts={}, unread={Fact.ACCOUNT_KIND: FAILED}), "control"),
        (replace(KEY, nonce=None), "control"),
        (replace(SAFE, unread={Fact.GUARD: FAILED}), "control"),
        (replace(CLOSED_TOKEN, unread={Fact.PROXY_ADMIN: FAILED}), f"control:{TOKEN}"),
    ],
)
def test_control_that_was_not_read_is_unverified(state: ControlState, subject: str) -> None:
    assert told(found(reading(controls=(state,)))) == [("unverified", subject, None)]
    assert found(reading(controls=(replace(CLOSED_TOKEN),))) == []


def test_frozen_and_stopped() -> None:
    def asked(answer: Answer, holder: Address | None) -> Restriction:
        question = "paused()" if holder is None else "isBlacklisted(address)"
        return Restriction(USDC, question, holder, answer, FAILED if answer is Answer.UNREAD else "")

    balances = (read(A, USDC, 1_000), read(B, USDC, 50))

    def findings(answer: Answer, *reads: BalanceObservation) -> list[Finding]:
        asking = tuple(asked(answer, holder) for holder in (None, B))
        return found(reading(restrictions=asking, wallets=(A, B)), *(reads or balances), mapped=(A, B))

    assert findings(Answer.CLEAR) == findings(Answer.NOT_OFFERED) == []
    stopped, frozen = findings(Answer.RESTRICTED)
    assert (stopped.kind, stopped.location_id, stopped.base_units) == (
        FindingKind.ENCUMBRANCE,
        LocationId(CHAIN),
        1_050,
    )
    assert (frozen.kind, frozen.location_id, frozen.base_units) == (FindingKind.ENCUMBRANCE, place(B), 50)
    unread = findings(Answer.UNREAD)
    assert [(each.kind, each.location_id) for each in unread] == [
        (FindingKind.UNVERIFIED, LocationId(CHAIN)),
        (FindingKind.UNVERIFIED, place(B)),
    ]
    total, _ = findings(Answer.RESTRICTED, read(A, USDC, None), read(B, USDC, 50))
    assert total.base_units is None


@pytest.mark.fault("G14")
def test_what_was_not_asked_is_said() -> None:
    nobody = found(reading(controls=(), wallets=()), mapped=(A, B))
    assert [(each.kind, each.location_id) for each in nobody] == [
        (FindingKind.UNVERIFIED, place(A)),
        (FindingKind.UNVERIFIED, place(B)),
    ]
    closed = wallet(B, closed_on=PIN.timestamp.date().replace(day=1))
    balances = observed(read(A, USDC, 1))
    assert encumbrance_findings(reading(), balances, ASSETS, around(wallet(), closed)) == []
    assert len(encumbrance_findings(reading(), balances, ASSETS, around(wallet(), wallet(B)))) == 1
    assert told(found(reading(first_height=50))) == [("coverage_gap", "approvals_before:50", None)]
    assert told(found(reading(odd={USDC.asset_id: 2}))) == [("unparsed_events", f"approvals:{USDC.asset_id}:2", None)]


def test_the_same_encumbrance_is_one_case_whatever_its_amount() -> None:
    (first,), (later,) = (found(reading(allowance(amount))) for amount in (700, 5))
    assert first.finding_key == later.finding_key
    (other,) = found(reading(allowance(700, spender=B)))
    assert other.finding_key != first.finding_key


# Changes

BEFORE = block(90)


def exposure(*controls: ControlState, reads: tuple[BalanceObservation, ...] = ()) -> Exposure:
    balances = observed(*(reads or (read(A, USDC, 1_000), read(A, DAI, 0), read(A, ETH, 0))))
    return Exposure(reading(controls=controls), balances, ASSETS)


def changed(state: ControlState, **facts: str | None) -> ControlState:
    given = {Fact(name): text for name, text in facts.items()}
    kept = {fact: text for fact, text in state.facts.items() if fact not in given}
    return replace(state, facts={**kept, **{fact: text for fact, text in given.items() if text is not None}})


def test_a_change_of_control_shows_both_states_and_what_is_exposed() -> None:
    assert control_change_findings([SAFE], BEFORE, exposure(SAFE), around()) == []
    now = changed(SAFE, threshold="1", modules=OUTSIDE)
    (finding,) = control_change_findings([SAFE], BEFORE, exposure(now), around())
    assert (finding.kind, finding.asset, finding.base_units) == (FindingKind.CONTROL_CHANGE, USDC, 1_000)
    assert f"threshold was 2, is 1; modules was none, is {OUTSIDE}" in finding.text
    assert finding.location_id == place()
    # Back again is another event, and so is the same change later.
    (back,) = control_change_findings([now], PIN, exposure(SAFE), around())
    (again,) = control_change_findings([SAFE], PIN, exposure(now), around())
    assert len({each.finding_key for each in (finding, back, again)}) == 3
    assert control_change_findings([], BEFORE, exposure(now), around()) == []


@pytest.mark.parametrize("fact", list(Fact))
def test_every_fact_is_compared(fact: Fact) -> None:
    state = replace(SAFE, facts={**SAFE.facts, fact: "3"})
    assert changed_facts(state, replace(state, facts={**state.facts, fact: "4"})) == {fact: ("3", "4")}
    assert changed_facts(state, state) == {}


def test_a_key_that_delegates_has_changed_hands() -> None:
    delegated = replace(KEY, facts={Fact.ACCOUNT_KIND: "delegated", Fact.CODE_HASH: "0x44", Fact.DELEGATE: B})
    assert changed_facts(KEY, delegated) == {
        Fact.ACCOUNT_KIND: ("key", "delegated"),
        Fact.CODE_HASH: ("none", "0x44"),
        Fact.DELEGATE: ("none", B),
    }


def test_a_change_cannot_pass_behind_a_failed_read() -> None:
    silent = replace(SAFE, facts={}, unread={Fact.ACCOUNT_KIND: FAILED}, nonce=None)
    now = changed(SAFE, threshold="1")
    assert changed_facts(SAFE, silent) == changed_facts(silent, now) == {}
    carried = last_known(SAFE, silent)
    assert (carried.facts, carried.unread, carried.nonce) == (SAFE.facts, {}, 1)
    assert changed_facts(carried, now) == {Fact.THRESHOLD: ("2", "1")}
    half = replace(changed(SAFE, threshold=None, guard=B), unread={Fact.THRESHOLD: FAILED})
    assert changed_facts(SAFE, half) == {Fact.GUARD: ("none", B)}
    assert last_known(SAFE, half).facts == {**SAFE.facts, Fact.GUARD: B}
    never = replace(half, unread={Fact.THRESHOLD: FAILED, Fact.SINGLETON: FAILED})
    assert last_known(SAFE, never).unread == {Fact.SINGLETON: FAILED}


def test_a_token_that_gets_other_code() -> None:
    now = changed(CLOSED_TOKEN, implementation=B)
    (finding,) = control_change_findings([CLOSED_TOKEN], BEFORE, exposure(now), around())
    assert (finding.asset, finding.base_units) == (USDC, 1_000)
    assert finding.location_id == f"{CHAIN}:{TOKEN}"


def test_a_safe_is_held_against_the_mapping() -> None:
    assert mapping_findings(exposure(SAFE), around()) == []  # 2 of 3, as mapped
    assert mapping_findings(exposure(KEY), around()) == []
    (threshold,) = mapping_findings(exposure(changed(SAFE, threshold="1")), around())
    assert (threshold.kind, threshold.base_units) == (FindingKind.CONTROL_CHANGE, 1_000)
    assert "1 of 3 owners, the mapping says 2 of 3" in threshold.text
    (owners,) = mapping_findings(exposure(changed(SAFE, owners=f"{B},{OUTSIDE}")), around())
    assert "2 of 2 owners" in owners.text
    unread = replace(changed(SAFE, owners=None), unread={Fact.OWNERS: FAILED})
    assert mapping_findings(exposure(unread), around()) == []
    closed = around(wallet(closed_on=PIN.timestamp.date().replace(day=1)))
    assert mapping_findings(exposure(changed(SAFE, threshold="1")), closed) == []


@pytest.mark.parametrize(
    ("nonce", "before", "now", "departed"),
    [
        (7, 1_000, 400, -600),
        (8, 1_000, 400, None),
        (7, 1_000, 1_000, None),
        (7, 400, 1_000, None),
        (7, None, 400, None),
        (7, 1_000, None, None),
        (None, 1_000, 400, None),
    ],
)
def test_value_that_left_while_the_key_stood_still(
    nonce: int | None, before: int | None, now: int | None, departed: int | None
) -> None:
    reads = (read(A, USDC, now),)
    seen = exposure(replace(KEY, nonce=nonce), reads=reads)
    balances = {} if before is None else {(A, USDC.asset_id): before}
    findings = unsigned_departures([KEY], BEFORE, balances, seen, around())
    assert [each.base_units for each in findings] == ([] if departed is None else [departed])
    for each in findings:
        assert (each.kind, each.asset) == (FindingKind.CONTROL_CHANGE, USDC)
        assert "its nonce is still 7" in each.text
    assert unsigned_departures([SAFE], BEFORE, balances, exposure(SAFE, reads=reads), around()) == []
    assert unsigned_departures([], BEFORE, balances, seen, around()) == []


# Whatever comes

AMOUNTS = st.one_of(st.none(), st.integers(0, 20), st.just(UINT256_MAX))


@given(granted=AMOUNTS, to_permit2=AMOUNTS, balance=AMOUNTS, kind=st.sampled_from(GrantKind))
def test_what_is_exposed_is_never_more_than_could_be_taken(
    granted: int | None, to_permit2: int | None, balance: int | None, kind: GrantKind
) -> None:
    if kind is GrantKind.PERMIT2:
        granted = granted if granted is None else min(granted, UINT160_MAX)
    reason = FAILED if granted is None else ""
    grant = Grant(kind, A, USDC, OUTSIDE, granted, expires_at_seconds=NOW, reason=reason)
    grants = [grant] + ([allowance(to_permit2, spender=PERMIT2)] if to_permit2 != 0 else [])
    seen = Exposure(reading(*grants), observed(read(A, USDC, balance)), ASSETS)
    limits = [granted, balance, *([to_permit2] if kind is GrantKind.PERMIT2 else [])]
    exposed = seen.of_grant(grant)
    assert (exposed is None) == (None in limits and 0 not in limits)
    if exposed is not None:
        assert exposed == min(limit for limit in limits if limit is not None)


TEXTS = st.one_of(st.none(), st.sampled_from(["1", "2"]))
"""A fact's text, or None where it could not be read."""


@given(
    st.lists(st.tuples(st.booleans(), TEXTS, TEXTS), max_size=12),
)
def test_no_change_is_lost_and_none_invented_however_reads_fail(
    later: list[tuple[bool, str | None, str | None]],
) -> None:
    told: dict[Fact, str] = {Fact.OWNERS: "1", Fact.THRESHOLD: "1"}
    known = dict(told)
    carried = changed(SAFE, **told)
    for kind_known, owners, threshold in later:
        facts: dict[Fact, str] = {Fact.ACCOUNT_KIND: "safe"} if kind_known else {}
        unread = {} if kind_known else {Fact.ACCOUNT_KIND: FAILED}
        for fact, text in ((Fact.OWNERS, owners), (Fact.THRESHOLD, threshold)):
            if text is None:
                unread[fact] = FAILED
            else:
                facts[fact] = known[fact] = text
        facts |= {fact: SAFE.facts[fact] for fact in (Fact.CODE_HASH, Fact.MODULES)}
        now = replace(SAFE, facts=facts, unread=unread)
        for fact, (before, after) in changed_facts(carried, now).items():
            assert told[fact] == before != after
            told[fact] = after
        carried = last_known(carried, now)
        assert told == known
