"""Who else could move what stands in the wallets: one finding for each, with the amount that is exposed.

What the firm accepts (`acceptance`) is none. What could not be read is a finding of its own (`unverified`), never the
absence of one. Amounts of different findings do not add up: two spenders who may take the same balance expose it once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from chains.evm.encumbrance_types import (
    NONE,
    AccountRole,
    Answer,
    ControlState,
    EncumbranceReading,
    Fact,
    Grant,
    GrantKind,
    Restriction,
)
from chains.types import Address, Asset, AssetId, account_location
from verifier.records import Finding, FindingKind
from verifier.rules.acceptance import NOTHING_ACCEPTED, Acceptances
from verifier.rules.exposure import Exposure, exposed_text
from verifier.rules.operators import grants_by_case, operator_findings
from verifier.rules.reconcile import Observations
from verifier.rules.statements import figure
from verifier.rules.surroundings import Surroundings

TAKERS: Final = {
    Fact.MODULES: ("module", "The Safe's module {} may move everything here without its owners' signatures"),
    Fact.PROXY_ADMIN: ("proxy_admin", "{} may replace the code of this wallet and then move everything here"),
    Fact.BEACON: ("beacon", "Whoever controls the beacon {} may replace the code of this wallet"),
    Fact.DELEGATE: ("delegate", "The key delegated to the contract {}, whose code may move everything here"),
}
"""Facts about a wallet that let somebody other than its owners move all of it, each with a kind and a sentence."""


LATE_SHOWN_MAX: Final = 3
"""How many groups of late approvals a text names."""


def encumbrance_findings(
    reading: EncumbranceReading,
    observations: Observations,
    assets: Mapping[AssetId, Asset],
    surroundings: Surroundings,
    accepted: Acceptances = NOTHING_ACCEPTED,
) -> list[Finding]:
    """Everything that one reading has to say, for balances observed at the same block.

    `assets` are all assets of the chain by id, the native coin too: a delegation exposes it as well.
    """
    exposure = Exposure(reading, observations, assets)
    single, shared = grants_by_case(reading)
    return [
        *_not_asked(reading, surroundings),
        *(finding for grant in single for finding in _grant(grant, exposure, surroundings, accepted)),
        *(finding for grants in shared for finding in operator_findings(grants, exposure, surroundings, accepted)),
        *(finding for state in reading.controls for finding in _control(state, exposure, surroundings, accepted)),
        *(finding for each in reading.restrictions for finding in _restriction(each, exposure, surroundings)),
        *(
            surroundings.finding(
                FindingKind.UNPARSED_EVENTS,
                surroundings.chain_location,
                assets.get(asset_id),
                None,
                f"approvals:{asset_id}:{count}",
                f"{count} approvals by wallets in events of {asset_id} name no spender that could be read.",
            )
            for asset_id, count in sorted(reading.coverage.odd_approvals.items())
        ),
    ]


def _not_asked(reading: EncumbranceReading, surroundings: Surroundings) -> Iterator[Finding]:
    """Mapped wallets that the reading leaves out, and blocks before its first one."""
    for address in sorted(surroundings.wallets.keys() - set(reading.wallets)):
        if not surroundings.is_closed(address):
            text = "Who else could move what is here was not asked for this wallet."
            place = account_location(reading.block.chain_id, address)
            yield surroundings.finding(FindingKind.UNVERIFIED, place, None, None, "control", text)
    first_height, reached = reading.coverage.first_height, reading.coverage.last.height
    if (left := reading.block.height - reached) > 0:
        text = (
            f"Approvals were looked for up to block {reached:,} so far, and not in the {left:,} blocks since; "
            f"the next sweeps go on. Spenders known by now are asked for all the same."
        )
        kind, place = FindingKind.COVERAGE_GAP, surroundings.chain_location
        yield surroundings.finding(kind, place, None, None, "approvals_behind", text)
    if late := reading.coverage.late:
        groups = "; ".join(
            f"of {len(each.wallets)} wallets in {len(each.assets)} tokens in blocks {each.next_height:,} to "
            f"{each.last_height:,}"
            for each in late[:LATE_SHOWN_MAX]
        )
        more = f"; and {len(late) - LATE_SHOWN_MAX} groups more" if len(late) > LATE_SHOWN_MAX else ""
        text = (
            f"Some wallets or tokens were mapped after others: approvals {groups}{more} were not looked for yet; the "
            f"next sweeps go on. Spenders known by now are asked for all the same."
        )
        kind, place = FindingKind.COVERAGE_GAP, surroundings.chain_location
        yield surroundings.finding(kind, place, None, None, "approvals_late", text)
    if first_height > 0:
        text = (
            f"Approvals before block {first_height:,} were not looked for; an allowance from then shows only "
            f"where its spender is asked for anyway."
        )
        subject = f"approvals_before:{first_height}"
        kind, place = FindingKind.COVERAGE_GAP, surroundings.chain_location
        yield surroundings.finding(kind, place, None, None, subject, text)


def _grant(grant: Grant, exposure: Exposure, surroundings: Surroundings, accepted: Acceptances) -> Iterator[Finding]:
    place = account_location(surroundings.block.chain_id, grant.owner)
    subject = f"{grant.kind}:{grant.spender}"
    if grant.base_units is None:
        text = (
            f"What {grant.spender} may take of {grant.asset.symbol} here ({grant.kind}) is not known: {grant.reason}."
        )
        yield surroundings.finding(FindingKind.UNVERIFIED, place, grant.asset, None, subject, text)
        return
    if grant.base_units == 0 or not grant.holds_at(int(surroundings.block.timestamp.timestamp())):
        return
    if accepted.of_grant(grant) is not None:
        return
    exposed = exposure.of_grant(grant)
    limit = f"any amount of {grant.asset.symbol}" if grant.is_unlimited else figure(grant.base_units, grant.asset)
    if grant.kind is GrantKind.PERMIT2:
        means = f"by a Permit2 grant that ends at Unix second {grant.expires_at_seconds}"
    elif grant.kind is GrantKind.OPERATOR:
        means = "and every other token of the collection that is here or comes, as an operator (setApprovalForAll)"
    elif grant.kind is GrantKind.APPROVED:
        means = "by an approval of this token"
    elif grant.spender == exposure.reading.coverage.permit2:
        means = "by an allowance to Permit2, for whoever shows it a signature or grant of this wallet"
    else:
        means = "by an allowance of the token"
    text = f"{grant.spender} may take {limit} {means}{accepted.why_not(grant)}; {exposed_text(exposed, grant.asset)}."
    yield surroundings.finding(FindingKind.ENCUMBRANCE, place, grant.asset, exposed, subject, text)


def _control(
    state: ControlState, exposure: Exposure, surroundings: Surroundings, accepted: Acceptances
) -> Iterator[Finding]:
    is_wallet = state.role is AccountRole.WALLET
    place = account_location(surroundings.block.chain_id, state.address) if is_wallet else surroundings.chain_location
    unread = dict(sorted(state.unread.items()))
    if unread or (is_wallet and state.nonce is None):
        names = ", ".join([*unread, *(["nonce"] if is_wallet and state.nonce is None else [])])
        reason = next(iter(unread.values()), "nonce-unread: the node gave no transaction count")
        text = f"Who controls {state.address} is not fully known: {names} could not be read ({reason})."
        subject = "control" if is_wallet else f"control:{state.address}"
        yield surroundings.finding(FindingKind.UNVERIFIED, place, None, None, subject, text)
    if not is_wallet:
        return
    if state.facts.get(Fact.ACCOUNT_KIND) == "contract":
        text = (
            f"The wallet is a contract and answers as no kind that is known here (code hash "
            f"{state.facts.get(Fact.CODE_HASH, NONE)}): who can move what it holds is not known."
        )
        yield surroundings.finding(FindingKind.UNVERIFIED, place, None, None, "control:unknown_code", text)
    for fact, (name, sentence) in TAKERS.items():
        for taker in state.items(fact):
            if accepted.of_taker(surroundings.block.chain_id, state.address, name, taker) is not None:
                continue
            yield from exposing_all(
                FindingKind.ENCUMBRANCE,
                state.address,
                f"{name}:{taker}",
                sentence.format(taker),
                exposure,
                surroundings,
            )


def _restriction(each: Restriction, exposure: Exposure, surroundings: Surroundings) -> Iterator[Finding]:
    asset, chain = each.asset, surroundings.block.chain_id
    place = account_location(chain, each.holder) if each.holder is not None else surroundings.chain_location
    if each.answer is Answer.UNREAD:
        text = f"Whether the issuer of {asset.symbol} stopped it here is not known: {each.reason}."
        subject = f"restriction:{each.question}"
        yield surroundings.finding(FindingKind.UNVERIFIED, place, asset, None, subject, text)
    elif each.answer is Answer.RESTRICTED and each.holder is None:
        total = exposure.total(asset)
        text = (
            f"{asset.symbol} is stopped for everybody ({each.question}); {exposed_text(total, asset)} in all wallets."
        )
        yield surroundings.finding(FindingKind.ENCUMBRANCE, place, asset, total, f"stopped:{each.question}", text)
    elif each.answer is Answer.RESTRICTED and each.holder is not None:
        balance = exposure.balance(each.holder, asset.asset_id)
        text = f"The issuer of {asset.symbol} froze this wallet ({each.question}); {exposed_text(balance, asset)}."
        yield surroundings.finding(FindingKind.ENCUMBRANCE, place, asset, balance, f"frozen:{each.question}", text)


def exposing_all(
    kind: FindingKind,
    address: Address,
    subject: str,
    sentence: str,
    exposure: Exposure,
    surroundings: Surroundings,
) -> Iterator[Finding]:
    """One finding for each asset that stands at a wallet; a single one without an amount when nothing does."""
    place = account_location(surroundings.block.chain_id, address)
    held = exposure.of_all(address)
    for asset, amount in held:
        text = f"{sentence}; {exposed_text(amount, asset)}."
        yield surroundings.finding(kind, place, asset, amount, subject, text)
    if not held:
        yield surroundings.finding(kind, place, None, None, subject, f"{sentence}; nothing is here now.")
