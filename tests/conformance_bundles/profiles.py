"""Bundles that show less: what they leave out is told, not checked and never claimed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from exports.bundle import Bundle, payload_members
from exports.contents import Contents
from exports.disclosure import client_bundle, pseudonymous_bundle
from exports.inclusion import InclusionStatement
from exports.liability_records import LeafRecord
from exports.records import RECORD_TYPES
from tests.conformance_bundles.firm import SIGNERS
from tests.conformance_bundles.recipe import Made, bad, good
from tests.exports.proof_samples import proven_bundle
from tests.exports.sample import ETH, FIRM_SECRET, allocation, pack, resign, sample_bundle, signed_members
from tests.exports.test_possession_checks import bundle as with_review
from tests.exports.test_possession_checks import record as review
from tests.exports.test_reserve_checks import record as computation


def contents_of(bundle: Bundle) -> Contents:
    """A bundle as its reader has it."""
    return Contents(
        manifest=payload_members(bundle)[0], **{kind: tuple(getattr(bundle, kind)) for kind in RECORD_TYPES}
    )


@cache
def pseudonyms() -> Bundle:
    """The sample firm's bundle for somebody who need not know its clients."""
    return pseudonymous_bundle(contents_of(sample_bundle()), FIRM_SECRET)


def with_documents() -> Bundle:
    """A full bundle with a review of possession or control and a reserve computation."""
    return replace(with_review(review()), reserve_computations=(computation(),))


@cache
def own(client_id: str) -> Bundle:
    """The sample firm's bundle for one client."""
    return client_bundle(contents_of(sample_bundle()), client_id)


def asked_for(bundle: Bundle) -> Made:
    """A bundle whose reader asked for one of its profile."""
    told = tuple(replace(each, published=len(getattr(bundle, each.kind))) for each in bundle.disclosure)
    return Made(pack(signed_members(replace(bundle, disclosure=told), SIGNERS)), profile=bundle.profile)


def told_otherwise(bundle: Bundle, edit: Callable[[dict[str, Any]], object]) -> Made:
    """The firm signed a manifest that tells otherwise of what is disclosed."""

    def apply(manifest: dict[str, Any]) -> None:
        edit(manifest)

    return Made(resign(signed_members(bundle, SIGNERS), SIGNERS, apply), profile=bundle.profile)


def told_of(kind: str, **changes: object) -> Callable[[dict[str, Any]], object]:
    """What is told of one kind is changed."""
    return lambda manifest: next(each for each in manifest["disclosure"] if each["kind"] == kind).update(changes)


@good("clients have pseudonyms, and the trees can be made again from their leaves")
def pseudonymous() -> Made:
    return asked_for(pseudonyms())


@good("reviews and computations that name accounts stand behind commitments")
def pseudonymous_with_commitments() -> Made:
    return asked_for(pseudonymous_bundle(contents_of(with_documents()), FIRM_SECRET))


@good("one client's own, with a wallet that is theirs alone")
def own_with_a_wallet() -> Made:
    return asked_for(own("client-3"))


@cache
def own_proven() -> Bundle:
    """One client's own, whose wallet has a state proof."""
    return client_bundle(contents_of(proven_bundle()), "client-3")


@good("one client's own, with the state proof of the wallet that is theirs alone")
def own_with_a_state_proof() -> Made:
    return asked_for(own_proven())


@bad(24, "a client's own bundle that calls a balance proven and leaves the proof out")
def own_proven_by_nothing() -> Made:
    return asked_for(replace(own_proven(), proof_headers=(), proof_nodes=()))


@bad(24, "a client's own bundle in which one node of the proof is missing")
def own_proof_with_a_node_missing() -> Made:
    return asked_for(replace(own_proven(), proof_nodes=own_proven().proof_nodes[1:]))


@bad(24, "a client's own bundle with nodes that its proofs do not need")
def own_proof_with_nodes_of_others() -> Made:
    return asked_for(replace(own_proven(), proof_nodes=proven_bundle().proof_nodes))


@good("one client's own; all they have lies in shared places")
def own_in_shared_places() -> Made:
    return asked_for(own("client-1"))


@bad(2, "a full bundle that tells of a record which is not there")
def full_with_something_withheld() -> Made:
    return told_otherwise(sample_bundle(), told_of("transfers", withheld=1))


@bad(2, "a full bundle with a field that is not the full one's")
def full_with_something_replaced() -> Made:
    return told_otherwise(sample_bundle(), told_of("cases", replaced=["text"]))


@bad(2, "a pseudonymous bundle that withholds a record without a commitment")
def pseudonymous_without_a_commitment() -> Made:
    return told_otherwise(pseudonyms(), told_of("possession_reviews", withheld=1))


@bad(2, "a client's own bundle that does not say whose it is")
def own_of_nobody() -> Made:
    return told_otherwise(own("client-1"), lambda manifest: manifest.update(subject=""))


@bad(2, "a bundle that shows less and does not name the full one")
def less_than_nothing_known() -> Made:
    return told_otherwise(pseudonyms(), lambda manifest: manifest.update(full_digest=None))


@bad(2, "nothing is told of one kind of records")
def disclosure_left_out() -> Made:
    return told_otherwise(pseudonyms(), lambda manifest: manifest["disclosure"].pop())


@bad(5, "more allocations are told to be there than are")
def disclosed_more_than_is_there() -> Made:
    return told_otherwise(pseudonyms(), told_of("allocations", published=10))


@bad(22, "two leaves of a pseudonymous position take from each other")
def leaves_moved() -> Made:
    first, *rest = pseudonyms().liabilities
    one, two, *others = first.leaves
    moved = (LeafRecord(one.digest, one.base_units + 1), LeafRecord(two.digest, two.base_units - 1), *others)
    return asked_for(replace(pseudonyms(), liabilities=(replace(first, leaves=moved), *rest)))


@bad(22, "a pseudonymous owner's leaf is that of another owner")
def leaf_of_another() -> Made:
    first, second, *rest = pseudonyms().liabilities
    leaves = (LeafRecord(second.leaves[0].digest, first.leaves[0].base_units), *first.leaves[1:])
    return asked_for(replace(pseudonyms(), liabilities=(replace(first, leaves=leaves), second, *rest)))


@bad(22, "a pseudonymous bundle with the inclusion statement of a client")
def statement_where_none_belongs() -> Made:
    return asked_for(replace(pseudonyms(), inclusion_statements=own("client-1").inclusion_statements))


def stated(client_id: str, change: Callable[[InclusionStatement], InclusionStatement]) -> Made:
    """A client's own bundle with another statement."""
    (statement,) = own(client_id).inclusion_statements
    return asked_for(replace(own(client_id), inclusion_statements=(change(statement),)))


@bad(22, "a client's own bundle without the statement")
def own_without_a_statement() -> Made:
    return asked_for(replace(own("client-1"), inclusion_statements=()))


@bad(22, "the sum beside a client's leaf is changed")
def own_path_changed() -> Made:
    def change(statement: InclusionStatement) -> InclusionStatement:
        position, *rest = statement.positions
        path, *paths = position.paths
        sibling, *siblings = path.siblings
        sums = replace(path, siblings=(replace(sibling, base_units=sibling.base_units + 1), *siblings))
        return replace(statement, positions=(replace(position, paths=(sums, *paths)), *rest))

    return stated("client-1", change)


@bad(22, "the statement of another client")
def own_statement_of_another() -> Made:
    return stated("client-1", lambda _: own("client-2").inclusion_statements[0])


@bad(22, "what a client is owed is not what they were allocated")
def own_allocation_added() -> Made:
    more = allocation("client-3", own("client-3").wallets[0].location, ETH, 5)
    kept = [each for each in own("client-3").allocations if each.asset_id != ETH]
    return asked_for(replace(own("client-3"), allocations=(*kept, more)))


@bad(22, "a client's own bundle with an allocation of another client")
def own_with_another_client() -> Made:
    other = allocation("client-2", own("client-3").wallets[0].location, ETH, 5)
    return asked_for(replace(own("client-3"), allocations=(*own("client-3").allocations, other)))


@bad(22, "the total that a client is shown is not that of the tree")
def own_total_changed() -> Made:
    first, *rest = own("client-3").liability_totals
    return asked_for(replace(own("client-3"), liability_totals=(replace(first, owed=first.owed + 1), *rest)))


@bad(8, "the balance of a client's own wallet is less than was observed")
def own_balance_changed() -> Made:
    read = [each for each in own("client-3").balances if each.base_units]
    rest = [each for each in own("client-3").balances if not each.base_units]
    less = replace(read[0], base_units=1)
    return asked_for(replace(own("client-3"), balances=(less, *read[1:], *rest)))
