"""A review of encumbrances as JSON, and the part of that JSON that a later review is compared with.

Amounts are strings of base units. A fact that was not read stands under `unread` with its reason, and a balance that
was not read is null.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chains.errors import InvalidValue
from chains.evm.encumbrance_types import AccountRole, ControlState, Fact, Grant, Restriction
from chains.types import Address, AssetId, BalanceObservation, BlockRef, ChainId, utc_text
from exports.canonical import parse_by_hand
from exports.errors import NotCanonical
from verifier.encumbrances import Earlier, EncumbranceReview
from verifier.errors import InputError
from verifier.records import Finding


def review_json(review: EncumbranceReview) -> dict[str, object]:
    """Everything asked and answered, for programs and for `--since`."""
    reading, block, earlier = review.reading, review.reading.block, review.compared_with
    return {
        "chain_id": block.chain_id,
        "height": block.height,
        "block_hash": block.block_hash,
        "parent_hash": block.parent_hash,
        "block_time": utc_text(block.timestamp),
        "finality": str(reading.finality),
        "node_id": reading.node_id,
        "exit_code": review.exit_code,
        "first_height": reading.coverage.first_height,
        "wallets": len(reading.wallets),
        "pairs_asked": reading.pairs_asked,
        "compared_with": {"height": earlier.height, "block_hash": earlier.block_hash} if earlier else None,
        "accounts_compared": review.accounts_compared,
        "findings": [_finding(finding) for finding in review.findings],
        "accepted": [each.to_dict() for each in review.accepted],
        "grants": [_grant(grant) for grant in reading.grants],
        "controls": [_control(state) for state in reading.controls],
        "restrictions": [_restriction(each) for each in reading.restrictions],
        "balances": [_balance(seen) for _, seen in sorted(review.observations.items())],
    }


def parse_earlier(text: str) -> Earlier:
    """The earlier review from its JSON text; raises `InputError` naming what does not fit."""
    try:
        document: Any = parse_by_hand(text.encode())
        chain_id = ChainId(_text(document, "chain_id"))
        block = BlockRef(
            chain_id,
            _whole(document["height"]),
            _text(document, "block_hash"),
            _text(document, "parent_hash"),
            datetime.fromisoformat(_text(document, "block_time")),
        )
        controls = tuple(_parse_control(each) for each in document["controls"])
        balances = {
            (Address(_text(each, "address")), AssetId(_text(each, "asset_id"))): _whole(int(_text(each, "base_units")))
            for each in document["balances"]
            if each["base_units"] is not None
        }
    except (ValueError, KeyError, TypeError, InvalidValue, NotCanonical) as error:
        detail = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"the earlier review is not one that --json wrote: {detail[:200]}") from None
    if len({state.address for state in controls}) != len(controls):
        raise InputError("the earlier review is not one that --json wrote: an account stands in it twice")
    return Earlier(chain_id, block, controls, balances)


def _finding(finding: Finding) -> dict[str, object]:
    asset, amount = finding.asset, finding.base_units
    return {
        "finding_key": finding.finding_key,
        "kind": finding.kind.value,
        "location": finding.location_id,
        "asset_id": asset.asset_id if asset is not None else None,
        "base_units": str(amount) if amount is not None else None,
        "quantity": asset.format_quantity(amount) if asset is not None and amount is not None else None,
        "subject": finding.subject,
        "text": finding.text,
        "provisional": finding.provisional,
    }


def _grant(grant: Grant) -> dict[str, object]:
    return {
        "kind": grant.kind.value,
        "owner": grant.owner,
        "asset_id": grant.asset.asset_id,
        "spender": grant.spender,
        "base_units": str(grant.base_units) if grant.base_units is not None else None,
        "unlimited": grant.is_unlimited,
        "expires_at_seconds": grant.expires_at_seconds,
        "reason": grant.reason or None,
    }


def _control(state: ControlState) -> dict[str, object]:
    return {
        "address": state.address,
        "role": state.role.value,
        "facts": {fact.value: text for fact, text in sorted(state.facts.items())},
        "unread": {fact.value: reason for fact, reason in sorted(state.unread.items())},
        "nonce": state.nonce,
    }


def _restriction(each: Restriction) -> dict[str, object]:
    return {
        "asset_id": each.asset.asset_id,
        "question": each.question,
        "holder": each.holder,
        "answer": each.answer.value,
        "reason": each.reason or None,
    }


def _balance(seen: BalanceObservation) -> dict[str, object]:
    return {
        "address": seen.holding.address,
        "asset_id": seen.holding.asset.asset_id,
        "base_units": str(seen.base_units) if seen.base_units is not None else None,
    }


def _parse_control(document: dict[str, object]) -> ControlState:
    facts, unread, nonce = document["facts"], document["unread"], document["nonce"]
    if not isinstance(facts, dict) or not isinstance(unread, dict):
        raise InvalidValue("facts and unread are objects")
    return ControlState(
        Address(_text(document, "address")),
        AccountRole(_text(document, "role")),
        {Fact(name): _text(facts, name) for name in facts},
        {Fact(name): _text(unread, name) for name in unread},
        None if nonce is None else _whole(nonce),
    )


def _text(document: object, name: str) -> str:
    value = document[name] if isinstance(document, dict) else None
    if not isinstance(value, str):
        raise InvalidValue(f"{name} is a text")
    return value


def _whole(value: object) -> int:
    if type(value) is not int or value < 0:
        raise InvalidValue(f"{value!r} is not a whole number from zero on")
    return value
