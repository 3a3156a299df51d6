"""Check 18: who else could move what is in the wallets, computed again, and that somebody owns each of it. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from chains.evm.encumbrance_types import AccountRole, Answer, GrantKind
from chains.types import Address, AssetId, ChainId, LocationId, account_location, asset_chain_id
from exports.acceptances import Accepted
from exports.contents import Contents
from exports.control_records import (
    ControlReviewRecord,
    ControlStateRecord,
    GrantRecord,
    RestrictionRecord,
    ReviewStatus,
)
from exports.records import SweepRecord, WalletRecord
from exports.verdict import Outcome


def check_encumbrances(contents: Contents) -> Outcome:
    """18: every sweep says what it asked; exposures and counts compute; whatever was found or not read has its case.

    What the firm accepts needs none, within the decision and while it is in force.
    """
    problems = list(_References(contents).problems())
    compared = len(contents.sweeps)
    reviews: dict[str, list[ControlReviewRecord]] = defaultdict(list)
    for review in contents.control_reviews:
        reviews[review.sweep_id].append(review)
    for sweep in contents.sweeps:
        found = reviews.pop(sweep.sweep_id, [])
        if len(found) != 1:
            problems.append(f"sweep {sweep.sweep_id}: {len(found)} reviews of who else could move what is there")
            continue
        of_sweep = _OfSweep.of(contents, sweep, found[0])
        problems.extend(of_sweep.problems())
        compared += len(of_sweep.grants) + len(of_sweep.controls) + len(of_sweep.restrictions)
        compared += len(of_sweep.accepted.records)
    problems.extend(f"a review of sweep {sweep_id}, which is not in the bundle" for sweep_id in reviews)
    asked = Counter(review.status for review in contents.control_reviews)
    note = ", ".join(f"{asked[status]} {status.value.replace('_', ' ')}" for status in ReviewStatus if asked[status])
    return Outcome(compared, problems, note=note)


class _References:
    """Every record is of a known sweep, names mapped wallets and known assets, and stands once."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    def problems(self) -> Iterator[str]:
        contents = self._contents
        sweeps = {sweep.sweep_id: sweep.chain_id for sweep in contents.sweeps}
        wallets = {(wallet.chain_id, wallet.address) for wallet in contents.wallets}
        assets = {asset.asset_id for asset in contents.assets}
        for grant in contents.grants:
            if sweeps.get(grant.sweep_id) != grant.chain_id:
                yield f"grant of {grant.owner}: not of its chain's sweep"
            if (grant.chain_id, grant.owner) not in wallets:
                yield f"grant of {grant.owner}: no mapped wallet"
            if grant.asset_id not in assets or asset_chain_id(grant.asset_id) != grant.chain_id:
                yield f"grant of {grant.owner}: {grant.asset_id} is no asset of its chain"
        moments = {sweep.chain_id: sweep.block_time for sweep in contents.sweeps}
        for decision in contents.acceptances:
            name = f"acceptance {decision.acceptance_id}"
            if (decision.chain_id, decision.wallet) not in wallets:
                yield f"{name}: no mapped wallet"
            if decision.asset_id is not None and (
                decision.asset_id not in assets or asset_chain_id(decision.asset_id) != decision.chain_id
            ):
                yield f"{name}: {decision.asset_id} is no asset of its chain"
            if decision.chain_id not in moments or not decision.holds_at(moments[decision.chain_id]):
                yield f"{name}: not in force at the time of a sweep's block"
        tokens = {asset_id.rpartition(":")[2] for asset_id in assets}
        for state in contents.controls:
            if sweeps.get(state.sweep_id) != state.chain_id:
                yield f"control of {state.address}: not of its chain's sweep"
            if state.role is AccountRole.WALLET and (state.chain_id, state.address) not in wallets:
                yield f"control of {state.address}: no mapped wallet"
            if state.role is AccountRole.TOKEN and state.address not in tokens:
                yield f"control of {state.address}: no asset's contract"
        for each in contents.restrictions:
            if each.asset_id not in assets or sweeps.get(each.sweep_id) != asset_chain_id(each.asset_id):
                yield f"restriction of {each.asset_id}: no asset of its sweep's chain"
            elif each.holder is not None and (sweeps[each.sweep_id], each.holder) not in wallets:
                yield f"restriction of {each.holder}: no mapped wallet"
        for what, keys in (
            ("acceptance", Counter((a.acceptance_id,) for a in contents.acceptances)),
            ("grant", Counter((g.chain_id, g.kind, g.owner, g.asset_id, g.spender) for g in contents.grants)),
            ("control", Counter((s.chain_id, s.address) for s in contents.controls)),
            ("restriction", Counter((r.asset_id, r.question, r.holder) for r in contents.restrictions)),
        ):
            yield from (f"{what} {' '.join(map(str, key))} stands {n} times" for key, n in keys.items() if n > 1)


@dataclass(frozen=True, slots=True)
class _OfSweep:
    """Everything of one sweep."""

    sweep: SweepRecord
    review: ControlReviewRecord
    grants: list[GrantRecord]
    controls: list[ControlStateRecord]
    restrictions: list[RestrictionRecord]
    wallets: dict[Address, WalletRecord]
    """Mapped on the chain and not closed before the block's date."""
    balances: dict[tuple[Address, AssetId], int | None]
    cases: set[tuple[str, LocationId, AssetId | None]]
    places_with_cases: set[tuple[str, LocationId]]
    """The same, whatever the asset."""
    to_permit2: dict[tuple[Address, AssetId], int | None]
    """What Permit2 itself may take; None where that was not read."""
    accepted: Accepted

    @staticmethod
    def of(contents: Contents, sweep: SweepRecord, review: ControlReviewRecord) -> _OfSweep:
        on = sweep.block_time.date()
        chain_id = sweep.chain_id
        grants = [each for each in contents.grants if each.sweep_id == sweep.sweep_id]
        return _OfSweep(
            sweep,
            review,
            grants,
            [each for each in contents.controls if each.sweep_id == sweep.sweep_id],
            [each for each in contents.restrictions if each.sweep_id == sweep.sweep_id],
            {
                wallet.address: wallet
                for wallet in contents.wallets
                if wallet.chain_id == chain_id and (wallet.closed_on is None or wallet.closed_on >= on)
            },
            {(b.address, b.asset_id): b.base_units for b in contents.balances if b.chain_id == chain_id},
            {(case.kind, case.location, case.asset_id) for case in contents.cases},
            {(case.kind, case.location) for case in contents.cases},
            {
                (each.owner, each.asset_id): each.base_units
                for each in grants
                if each.kind is GrantKind.ALLOWANCE and each.spender == review.permit2
            },
            Accepted.of(contents.acceptances, chain_id, sweep.block_time),
        )

    def problems(self) -> Iterator[str]:
        name, review = self.sweep.sweep_id, self.review
        if review.chain_id != self.sweep.chain_id:
            yield f"review of {name}: of another chain"
        counts = (len(self.grants), len(self.controls), len(self.restrictions))
        if counts != (review.grants, review.controls, review.restrictions):
            stated = (review.grants, review.controls, review.restrictions)
            yield f"review of {name}: {stated} grants, controls and restrictions stated, there are {counts}"
        if review.status is ReviewStatus.FAILED and not self._has_case("unverified", self._chain, None):
            yield f"review of {name}: failed without a case"
        if review.status is not ReviewStatus.ANSWERED:
            return
        asked = sorted(state.address for state in self.controls if state.role is AccountRole.WALLET)
        if asked != sorted(self.wallets) or review.wallets_asked != len(asked):
            yield f"review of {name}: {len(asked)} wallets were asked, {len(self.wallets)} are mapped and open"
        yield from self._coverage_problems()
        if review.accepted != (accepted := self._count_accepted()):
            yield f"review of {name}: {review.accepted} accepted stated, the decisions accept {accepted}"
        for grant in self.grants:
            yield from self._grant_problems(grant)
        for state in self.controls:
            yield from self._control_problems(state)
        for each in self.restrictions:
            yield from self._restriction_problems(each)

    def _count_accepted(self) -> int:
        grants = sum(self._is_accepted(grant) for grant in self.grants)
        wallets = (state for state in self.controls if state.role is AccountRole.WALLET)
        return grants + sum(len(self.accepted.takers(state)[0]) for state in wallets)

    def _is_accepted(self, grant: GrantRecord) -> bool:
        return not self._has_ended(grant) and self.accepted.of_grant(grant) is not None

    def _has_ended(self, grant: GrantRecord) -> bool:
        block_second = int(self.sweep.block_time.timestamp())
        return grant.expires_at_seconds is not None and grant.expires_at_seconds < block_second

    @property
    def _chain(self) -> LocationId:
        return LocationId(self.sweep.chain_id)

    def _place(self, address: Address) -> LocationId:
        return account_location(ChainId(self.sweep.chain_id), address)

    def _has_case(self, kind: str, place: LocationId, asset_id: AssetId | None) -> bool:
        """A case in any state: people may have dealt with it since. Many unverified ones share one at the chain."""
        shared = kind == "unverified" and (kind, self._chain, asset_id) in self.cases
        return (kind, place, asset_id) in self.cases or shared

    def _has_case_at(self, kind: str, place: LocationId) -> bool:
        return (kind, place) in self.places_with_cases

    def _coverage_problems(self) -> Iterator[str]:
        review, height = self.review, self.sweep.height
        first, last = review.approvals_first, review.approvals_last
        assert first is not None
        assert last is not None
        if not first <= last <= height:
            yield f"review of {self.sweep.sweep_id}: approvals in blocks {first} to {last}, pinned is {height}"
        elif (first > 0 or last < height or review.approvals_late) and not self._has_case(
            "coverage_gap", self._chain, None
        ):
            yield (
                f"review of {self.sweep.sweep_id}: approvals only in blocks {first} to {last}, of which "
                f"{review.approvals_late} are left for what was mapped later, without a case"
            )

    def exposed(self, grant: GrantRecord) -> int | None:
        """What the spender could take at the block."""
        if self._has_ended(grant):
            return 0
        limits = [grant.base_units, self.balances.get((grant.owner, grant.asset_id))]
        if grant.kind is GrantKind.PERMIT2:
            limits.append(self.to_permit2.get((grant.owner, grant.asset_id), 0))
        known = [limit for limit in limits if limit is not None]
        if 0 in known:
            return 0
        return min(known) if len(known) == len(limits) else None

    def _grant_problems(self, grant: GrantRecord) -> Iterator[str]:
        where = f"grant of {grant.owner} to {grant.spender}"
        exposed = self.exposed(grant)
        if grant.exposed != exposed:
            yield f"{where}: exposed {grant.exposed}, should be {exposed}"
        needs_none = self._is_accepted(grant) or (self._has_ended(grant) and grant.base_units)
        kind = "unverified" if grant.base_units is None else "encumbrance"
        if not needs_none and not self._has_case_of_grant(kind, grant):
            yield f"{where}: without a case of kind {kind}"

    def _has_case_of_grant(self, kind: str, grant: GrantRecord) -> bool:
        """Its own, or for an operator of a collection one at the wallet for all tokens of it."""
        place = self._place(grant.owner)
        shared = grant.kind is GrantKind.OPERATOR and (kind, place, None) in self.cases
        return shared or self._has_case(kind, place, grant.asset_id)

    def _control_problems(self, state: ControlStateRecord) -> Iterator[str]:
        where, place = f"control of {state.address}", self._place(state.address)
        is_wallet = state.role is AccountRole.WALLET
        own_place = place if is_wallet else self._chain
        kind = state.fact("account_kind")
        if not kind and not any(fact.name == "account_kind" for fact in state.unread):
            yield f"{where}: neither says what kind of account it is nor why not"
        if (state.unread or (is_wallet and state.nonce is None)) and not self._has_case("unverified", own_place, None):
            yield f"{where}: not fully read, without a case"
        if not is_wallet:
            return
        if kind == "contract" and not self._has_case("unverified", place, None):
            yield f"{where}: a contract of an unknown kind, without a case"
        if self.accepted.takers(state)[1] and not self._has_case_at("encumbrance", place):
            yield f"{where}: somebody else can move everything here, without a case"
        if kind == "delegated" and not state.items("delegate"):
            yield f"{where}: delegated to nobody"
        wallet = self.wallets.get(state.address)
        if kind == "safe" and state.fact("owners") and state.fact("threshold") and wallet is not None:
            rule = (state.fact("threshold"), len(state.items("owners")))
            if rule != (str(wallet.threshold), wallet.share_count) and not self._has_case_at("control_change", place):
                yield f"{where}: {rule[0]} of {rule[1]} owners, mapped otherwise, without a case"

    def _restriction_problems(self, each: RestrictionRecord) -> Iterator[str]:
        place = self._chain if each.holder is None else self._place(each.holder)
        kind = {Answer.RESTRICTED: "encumbrance", Answer.UNREAD: "unverified"}.get(each.answer)
        if kind is not None and not self._has_case(kind, place, each.asset_id):
            yield f"{each.asset_id}: {each.question} of {each.holder or 'everybody'} is {each.answer}, without a case"
