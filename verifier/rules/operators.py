"""Operators of collections: one may take every token of one, so one finding lists them all, however many are mapped.

Where only one token of a collection is mapped, its grant is a finding like that of any token (`encumbrance`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from chains.evm.addresses import checksum_address, token_of
from chains.evm.encumbrance_types import EncumbranceReading, Grant, GrantKind
from chains.types import Address, AssetId, account_location
from verifier.records import Finding, FindingKind
from verifier.rules.acceptance import Acceptances
from verifier.rules.exposure import Exposure
from verifier.rules.statements import figure
from verifier.rules.surroundings import Surroundings

NAMED_MAX: Final = 20
"""Most tokens of a collection that one text spells out; the rest are counted."""


def grants_by_case(reading: EncumbranceReading) -> tuple[list[Grant], list[list[Grant]]]:
    """The grants that are findings of their own, and those that share one: of an operator, a wallet and a collection.

    How many tokens of the collection are mapped decides it, and not what they hold or what is accepted, so that the
    same operator stays in the same case.
    """
    mapped = Counter(_collection(asset_id) for asset_id in reading.coverage.assets)
    single: list[Grant] = []
    shared: dict[tuple[Address, bytes, Address], list[Grant]] = defaultdict(list)
    for grant in reading.grants:
        collection = _collection(grant.asset.asset_id)
        if grant.kind is GrantKind.OPERATOR and collection and mapped[collection] > 1:
            shared[grant.owner, collection, grant.spender].append(grant)
        else:
            single.append(grant)
    return single, list(shared.values())


def operator_findings(
    grants: Sequence[Grant], exposure: Exposure, surroundings: Surroundings, accepted: Acceptances
) -> Iterator[Finding]:
    """What there is to say of one operator of one collection in one wallet: at most one finding of each kind."""
    owner, operator, collection = grants[0].owner, grants[0].spender, _collection(grants[0].asset.asset_id)
    place = account_location(surroundings.block.chain_id, owner)
    contract = checksum_address(collection)
    subject = f"{GrantKind.OPERATOR}:{operator}:{contract}"
    if unread := [grant for grant in grants if grant.base_units is None]:
        text = (
            f"Whether {operator} may take tokens of the collection {contract} here as an operator is not known, asked "
            f"for {len(unread)} of them; the first: {unread[0].reason}."
        )
        yield surroundings.finding(FindingKind.UNVERIFIED, place, None, None, subject, text)
    if taken := [grant for grant in grants if grant.base_units and accepted.of_grant(grant) is None]:
        told = [_token_text(grant, exposed, accepted) for grant in taken if (exposed := exposure.of_grant(grant)) != 0]
        more = f"; and {len(told) - NAMED_MAX} tokens more" if len(told) > NAMED_MAX else ""
        text = (
            f"{operator} may take every token of the collection {contract} that is here or comes, as an operator "
            f"(setApprovalForAll). Exposed of the {len(taken)} mapped tokens: "
            f"{'; '.join(told[:NAMED_MAX]) or 'none is here now'}{more}."
        )
        yield surroundings.finding(FindingKind.ENCUMBRANCE, place, None, None, subject, text)


def _token_text(grant: Grant, exposed: int | None, accepted: Acceptances) -> str:
    token = token_of(grant.asset.asset_id)
    assert token is not None
    amount = figure(exposed, grant.asset) if exposed is not None else f"an unknown amount of {grant.asset.symbol}"
    return f"{amount} with id {token.number}{accepted.why_not(grant)}"


def _collection(asset_id: AssetId) -> bytes:
    """The contract of a token with an id; empty for every other asset."""
    token = token_of(asset_id)
    return token.contract if token is not None and token.number is not None else b""
