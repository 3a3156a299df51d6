"""Every transfer that left custody, held against the approvals: each gets exactly one outcome.

How it is decided, in the order of the block times:

1. An approval fits when chain, wallet, asset and destination are the same, the block's time is in its validity and
   not before its approval, its purpose suits the destination, and what is left of it covers the amount. It may be
   executed in parts: uses count until `base_units_max` is reached, uses of earlier sweeps included.
2. Of several that fit, the one with the least left is used, so an exact one comes first and a large approval is not
   nibbled at; then the one that ends first; then by id. When none covers the amount alone, one transfer may execute
   several: the shortest run of those in force that suffices, in the order of their end and then their id, at most
   `APPROVALS_MAX`. The order of the input does not matter.
3. Purpose: between two custody wallets only `internal_rebalancing` and `gas_top_up`, and those nowhere else. To one
   of the firm's own addresses only `FIRM_PURPOSES`, which are listed for review; anything else there is commingling,
   approved or not.
4. What does not fit is named by the nearest approval: used up (duplicate), less left than moved (over amount), out
   of its validity (expired), else one that nothing else executed and that differs in destination or asset only.
5. A network fee paid by custody is judged per transaction against the sum of the limits of the approvals it
   executes; above it they are all `fee_over_limit`, and what they moved is used up all the same.

A transfer of zero, or to its own sender, moves nothing and needs no approval: it is matched, without an approval
named, and says so. Anybody can make a token emit a zero transfer in a wallet's name (address poisoning); a finding
for each would let strangers flood the queue, and leaving them out would hide that they happened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from typing import Final

from chains.errors import InvalidValue
from chains.types import Address, Asset, ChainId, Transfer, TransferKind, utc_text
from mapping.types import FIRM_PURPOSES, FirmAddress, TransferAuthorization
from verifier.records import ApprovalUse, MatchOutcome, TransferMatch
from verifier.rules.approval_places import Spent, Suits, near_places, places_of
from verifier.rules.approvals import CLOCK_TOLERANCE, InForce, Remaining
from verifier.rules.fees import fees_paid, with_fee_limits
from verifier.rules.firm import firm_lines, firm_lines_on
from verifier.rules.statements import figure
from verifier.rules.wording import some_of

APPROVALS_MAX: Final = 100
"""Most approvals that one transfer executes: a batch payment to one destination, not a search through the books."""

"""Most approvals that one text spells out; the rest are counted."""


def match_transfers(
    transfers: Iterable[Transfer],
    authorizations: Iterable[TransferAuthorization],
    custody_addresses: AbstractSet[Address],
    firm_addresses: Iterable[FirmAddress],
    used_before: Mapping[str, int],
) -> list[TransferMatch]:
    """One match for every distinct outgoing transfer of one chain's custody wallets, in the order of the chain.

    `used_before` has the base units of each approval (by id) that transfers of earlier sweeps used. Transfers into
    custody and fees by themselves are left out. Raises `InvalidValue` for transfers of two chains, or two different
    transfers or approvals of one id.
    """
    distinct = distinct_transfers(transfers)
    outgoing = [transfer for transfer in distinct if is_outgoing(transfer, custody_addresses)]
    if not outgoing:
        return []
    chain_id = outgoing[0].block.chain_id
    known = _by_id(authorizations, chain_id)
    matching = _Matching(known, Remaining(known, used_before), custody_addresses, firm_lines(firm_addresses, chain_id))
    matches = [matching.match(transfer) for transfer in outgoing]
    matches = matching.explain(matches)
    return with_fee_limits(matches, fees_paid(distinct, custody_addresses), known)


def review_late_approvals(matches: Iterable[TransferMatch], recorded_at: Mapping[str, datetime]) -> list[TransferMatch]:
    """The same matches; those whose approval was recorded only after the transfer's block are listed for review.

    What an approval says of its own time is the firm's word. That it was in the books before the assets left is not:
    one that came later may be in order, and somebody has to look at it.
    """
    reviewed = []
    for match in matches:
        recorded = [moment for use in match.uses if (moment := recorded_at.get(use.authorization_id)) is not None]
        if recorded and (late := max(recorded)) > match.transfer.block.timestamp + CLOCK_TOLERANCE:
            reason = f"{match.reason}; it was recorded at {utc_text(late)}, after the transfer"
            reviewed.append(replace(match, for_review=True, reason=reason))
        else:
            reviewed.append(match)
    return reviewed


def is_outgoing(transfer: Transfer, custody_addresses: AbstractSet[Address]) -> bool:
    """Whether something other than a fee left a custody wallet, to whomever or to nobody."""
    return transfer.kind is not TransferKind.FEE and transfer.sender in custody_addresses


def amounts_used(matches: Iterable[TransferMatch]) -> dict[str, int]:
    """Base units of each approval that these matches used: what a later sweep needs as `used_before`."""
    used: dict[str, int] = defaultdict(int)
    for match in matches:
        for use in match.uses:
            used[use.authorization_id] += use.base_units
    return dict(used)


class _Matching:
    def __init__(
        self,
        known: Mapping[str, TransferAuthorization],
        remaining: Remaining,
        custody: AbstractSet[Address],
        firm: Mapping[Address, Sequence[FirmAddress]],
    ) -> None:
        self._known = known
        self._remaining = remaining
        self._custody = custody
        self._firm = firm
        self._in_force = InForce(known.values(), remaining, places_of)
        self._spent = Spent()
        for authorization in known.values():
            if not remaining[authorization.authorization_id]:
                self._spent.add(authorization)

    def match(self, transfer: Transfer) -> TransferMatch:
        """Use the best approval that fits, or say which came nearest."""
        if transfer.base_units == 0 or transfer.sender == transfer.receiver:
            what = "a transfer of zero" if transfer.base_units == 0 else "a transfer to its own sender"
            reason = f"nothing-moved: {what} needs no authorization"
            return TransferMatch(transfer, MatchOutcome.MATCHED, "", commingling=False, for_review=False, reason=reason)
        to_firm = self._is_firm(transfer)
        self._in_force.move_to(transfer.block.timestamp)
        suitable = self._suitable(transfer, to_firm=to_firm)
        places = [(transfer.sender, transfer.asset.asset_id, transfer.receiver, suits) for suits in suitable]
        too_little: dict[Hashable, Sequence[ApprovalUse]] = {}
        for place in places:
            uses = self._taken_at(place, transfer.base_units)
            if sum(use.base_units for use in uses) == transfer.base_units:
                return self._matched(transfer, uses, to_firm=to_firm)
            too_little[place] = uses
        outcome, nearest, reason = self._nearest_at(too_little, transfer)
        return TransferMatch(transfer, outcome, nearest, commingling=to_firm, for_review=False, reason=reason)

    def _taken_at(self, place: Hashable, base_units: int) -> tuple[ApprovalUse, ...]:
        """The approval that covers the amount alone, else the first several together, though they may not suffice."""
        if found := self._in_force.best(place, base_units):
            return (ApprovalUse(found.authorization_id, base_units),)
        several = self._in_force.first_to_end(place, base_units, APPROVALS_MAX)
        return tuple(ApprovalUse(name, part) for name, part in several)

    def _matched(self, transfer: Transfer, uses: tuple[ApprovalUse, ...], *, to_firm: bool) -> TransferMatch:
        executed = [self._known[use.authorization_id] for use in uses]
        for use in uses:
            self._use(use)
        approved = all(each.purpose in FIRM_PURPOSES for each in executed)
        reason = _named(executed, uses, transfer.asset)
        if to_firm and not approved:
            do = "does" if len(uses) == 1 else "do"
            reason += f" {do} not allow a transfer to one of the firm's own addresses"
        return TransferMatch(
            transfer,
            MatchOutcome.MATCHED,
            uses[0].authorization_id,
            commingling=to_firm and not approved,
            for_review=to_firm and approved,
            reason=reason,
            uses=uses,
        )

    def explain(self, matches: list[TransferMatch]) -> list[TransferMatch]:
        """Name for what is still unauthorized an approval that nothing executed and that differs in one thing."""
        if all(match.outcome is not MatchOutcome.UNAUTHORIZED for match in matches):
            return matches
        left_over = InForce(self._known.values(), self._remaining, near_places)
        return [
            self._explained(match, left_over) if match.outcome is MatchOutcome.UNAUTHORIZED else match
            for match in matches
        ]

    def _explained(self, match: TransferMatch, left_over: InForce) -> TransferMatch:
        transfer = match.transfer
        wallet, asset_id, receiver = transfer.sender, transfer.asset.asset_id, transfer.receiver
        left_over.move_to(transfer.block.timestamp)
        if found := left_over.best(("all but purpose", wallet, asset_id, receiver), transfer.base_units):
            reason = f"the purpose {found.purpose} of authorization {found.authorization_id} does not suit {receiver}"
            return replace(match, authorization_id=found.authorization_id, reason=reason)
        if found := left_over.best(("all but destination", wallet, asset_id), transfer.base_units):
            reason = f"authorization {found.authorization_id} names the destination {found.destination}"
            outcome = MatchOutcome.WRONG_DESTINATION
            return replace(match, outcome=outcome, authorization_id=found.authorization_id, reason=reason)
        if found := left_over.best(("all but asset", wallet, receiver), 1):
            reason = f"authorization {found.authorization_id} names the asset {found.asset_id}"
            outcome = MatchOutcome.WRONG_ASSET
            return replace(match, outcome=outcome, authorization_id=found.authorization_id, reason=reason)
        return match

    def _suitable(self, transfer: Transfer, *, to_firm: bool) -> list[Suits]:
        to_custody = transfer.receiver in self._custody
        others = Suits.CUSTODY if to_custody else Suits.ELSEWHERE
        return [Suits.FIRM, others] if to_firm else [others]

    def _is_firm(self, transfer: Transfer) -> bool:
        if transfer.receiver is None:
            return False
        return bool(firm_lines_on(self._firm, transfer.receiver, transfer.block.timestamp.date()))

    def _use(self, use: ApprovalUse) -> None:
        authorization = self._known[use.authorization_id]
        self._remaining.use(use.authorization_id, use.base_units)
        if self._remaining[use.authorization_id]:
            self._in_force.put(authorization)
        else:
            self._spent.add(authorization)

    def _nearest_at(
        self, too_little: Mapping[Hashable, Sequence[ApprovalUse]], transfer: Transfer
    ) -> tuple[MatchOutcome, str, str]:
        """The approval for the same place, asset and destination that came nearest, and what was wrong with it.

        `too_little` has for each place what the approvals in force there could have given together.
        """
        moment = transfer.block.timestamp
        for place, several in too_little.items():
            spent = self._spent.latest((place, transfer.base_units))
            if spent is not None and spent.valid_until >= moment:
                return _duplicate(spent)
            if largest := self._in_force.largest(place):
                name = largest.authorization_id
                left = figure(self._remaining[name], transfer.asset)
                together = figure(sum(use.base_units for use in several), transfer.asset)
                others = f", the first {len(several)} in force {together} together" if len(several) > 1 else ""
                return MatchOutcome.OVER_AMOUNT, name, f"authorization {name} has {left} left{others}"
            if lapsed := self._in_force.lapsed(place):
                end = utc_text(self._known[lapsed].valid_until)
                return MatchOutcome.EXPIRED, lapsed, f"authorization {lapsed} was valid until {end}"
            if coming := self._in_force.coming(place):
                later = self._known[coming]
                begin = max(later.valid_from, later.approved_at)
                return MatchOutcome.EXPIRED, coming, f"authorization {coming} is valid only from {utc_text(begin)}"
            if spent := self._spent.latest(place):
                return _duplicate(spent)
        return MatchOutcome.UNAUTHORIZED, "", "no authorization comes near"


def _named(executed: Sequence[TransferAuthorization], uses: Sequence[ApprovalUse], asset: Asset) -> str:
    """The approvals a transfer executes, in words; what it takes from each where they are several."""
    if len(executed) == 1:
        only = executed[0]
        return f"authorization {only.authorization_id} ({only.purpose}, {only.reference})"
    parts = [
        f"{each.authorization_id} ({each.purpose}, {each.reference}: {figure(use.base_units, asset)})"
        for each, use in zip(executed, uses, strict=True)
    ]
    return f"authorizations {some_of(parts)}"


def _duplicate(spent: TransferAuthorization) -> tuple[MatchOutcome, str, str]:
    name = spent.authorization_id
    return MatchOutcome.DUPLICATE, name, f"authorization {name} was already used up"


def distinct_transfers(transfers: Iterable[Transfer]) -> list[Transfer]:
    """Every transfer once, in the order of the chain.

    Raises `InvalidValue` for transfers of two chains, or two different transfers of one id.
    """
    by_id: dict[str, Transfer] = {}
    for transfer in transfers:
        if by_id.setdefault(transfer.transfer_id, transfer) != transfer:
            raise InvalidValue(f"two different transfers have the id {transfer.transfer_id}")
    if len({transfer.block.chain_id for transfer in by_id.values()}) > 1:
        raise InvalidValue("transfers of two chains are matched separately")
    return sorted(
        by_id.values(), key=lambda t: (t.block.timestamp, t.block.height, t.block.block_hash, t.tx_id, t.kind, t.index)
    )


def _by_id(authorizations: Iterable[TransferAuthorization], chain_id: ChainId) -> dict[str, TransferAuthorization]:
    by_id: dict[str, TransferAuthorization] = {}
    for authorization in authorizations:
        if authorization.chain_id != chain_id:
            continue
        if by_id.setdefault(authorization.authorization_id, authorization) != authorization:
            raise InvalidValue(f"two different authorizations have the id {authorization.authorization_id}")
    return by_id
