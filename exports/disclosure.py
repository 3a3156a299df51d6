"""Bundles that show less, made from a full one: without who the clients are, or one client's own alone.

The liabilities root, the block hashes and all figures that stay are those of the full bundle, which every such bundle
names by its digest. The same full bundle and secret give the same bytes. Pseudonyms and commitments are HMACs under the
firm's secret, for one bundle alone: nobody can guess a client by trying ids, and two bundles share no pseudonym.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from chains.types import LocationId, StateEvidence
from exports.bundle import Bundle, record_lines
from exports.bundle_liabilities import BundleLiabilities
from exports.codec import from_object, to_object
from exports.contents import Contents
from exports.errors import DisclosureRefused, LiabilityInvalid
from exports.liabilities import SECRET_BYTES_MIN, LiabilityContext, leaves_of
from exports.liability_records import LeafRecord, LiabilityRecord, LiabilityRootRecord, LiabilityTotalRecord
from exports.manifest import Manifest, Withheld, digest_hex
from exports.merkle_sum import text_bytes
from exports.profiles import Disclosure, Profile
from exports.proof_checks import needed_nodes
from exports.proof_records import ProofNodeRecord
from exports.records import PROOF_KINDS, RECORD_TYPES, AllocationRecord, BalanceRecord, SweepRecord

PREFIX: Final = b"custody-disclosure-1"
PSEUDONYM, COMMITMENT = PREFIX + b"\x00", PREFIX + b"\x01"
WITHHELD_TEXT: Final = "withheld"
SHARED_PLACE: Final = LocationId("pool:shared")
"""Stands for every place that a client shares with others."""
BY_HAND: Final[Mapping[str, tuple[str, ...]]] = {
    "acceptances": ("reason",),
    "authorizations": ("reference",),
    "cases": ("text",),
    "wallets": ("mpc_vault", "titling"),
}
"""Words that people wrote and that may name a client: never shown to whom clients are not named."""
NAMING: Final = ("allocations", "authorizations", "liabilities")
"""Kinds with a client's id in a field of its own."""
COMMITTED: Final = ("imported_evidence", "node_answers", "possession_reviews", "reserve_computations")
"""Kinds whose documents may name accounts row by row, and what is for the auditor alone: behind a commitment."""
TEXT_FIELDS: Final = frozenset({"reason", "text", "titling", "mpc_vault"})
"""Words in which a client's id or name becomes `withheld`. In any other field it has the bundle refused."""
_WORD: Final = re.compile(r"[A-Za-z0-9_.@#-]+")
_PROOF_BYTES: Final = frozenset(
    {"node", "header", "transaction_nodes", "receipt_nodes", "signature", "script", "headers", "transaction"}
)


def pseudonym(client_id: str, context: LiabilityContext, secret: bytes) -> str:
    """What a client is called in a pseudonymous bundle: 64 hex digits. Raises `LiabilityInvalid` for a short secret."""
    return hmac.digest(_key(secret), PSEUDONYM + context.to_bytes() + text_bytes(client_id), "sha256").hex()


def commitment_key(kind: str, context: LiabilityContext, secret: bytes) -> bytes:
    """What opens the commitment to one kind of record, for whoever is shown the records themselves."""
    return hmac.digest(_key(secret), COMMITMENT + context.to_bytes() + text_bytes(kind), "sha256")


def commitment(lines: bytes, key: bytes) -> str:
    """HMAC-SHA256 over a member of the full bundle."""
    return hmac.digest(key, lines, "sha256").hex()


def pseudonymous_bundle(full: Contents, secret: bytes, names: Collection[str] = ()) -> Bundle:
    """Everything of a full bundle but who the clients are. The liabilities root stays, and the trees can be made again.

    `names` are those of the clients; they and the ids are looked for in every word that stays. Raises
    `DisclosureRefused` where one stands in a field that cannot be replaced, such as the id of a pool.
    """
    context = _context(full)
    kinds: dict[str, list[Any]] = {kind: list(getattr(full, kind)) for kind in RECORD_TYPES}
    told: dict[str, set[str]] = {kind: set() for kind in RECORD_TYPES}
    commitments = {}
    for kind in COMMITTED:
        if kinds[kind]:
            commitments[kind] = commitment(record_lines(kinds[kind]), commitment_key(kind, context, secret))
            kinds[kind] = []
    client_ids = {record.client_id for kind in NAMING for record in getattr(full, kind) if record.client_id}
    called = {client_id: pseudonym(client_id, context, secret) for client_id in client_ids}
    kinds["liabilities"] = [_with_leaves(record, called) for record in full.liabilities]
    told["liabilities"] |= {"client_id", "leaves", "position_key"} if full.liabilities else set()
    for kind in ("allocations", "authorizations"):
        if any(record.client_id for record in kinds[kind]):
            told[kind].add("client_id")
        kinds[kind] = [replace(each, client_id=called.get(each.client_id, "")) for each in kinds[kind]]
    for kind, hidden in BY_HAND.items():
        for name in hidden:
            if any(getattr(record, name) for record in kinds[kind]):
                told[kind].add(name)
        kinds[kind] = [
            replace(each, **{name: WITHHELD_TEXT for name in hidden if getattr(each, name)}) for each in kinds[kind]
        ]
    hide = _Words(client_ids, names, full.manifest)
    for kind in sorted(set(RECORD_TYPES) - PROOF_KINDS - {"allocations", "liabilities"}):
        kinds[kind] = [hide.out_of(kind, record, told[kind]) for record in kinds[kind]]
    disclosure = [
        Disclosure(
            member.kind,
            len(kinds[member.kind]),
            member.records - len(kinds[member.kind]),
            0,
            commitments.get(member.kind),
            tuple(sorted(told[member.kind])),
        )
        for member in full.manifest.members
    ]
    why = Withheld(
        "who the clients are", "they have pseudonyms of this bundle alone; words that may name them are left out"
    )
    return _bundle(full, kinds, Profile.PSEUDONYMOUS, "", disclosure, why)


def client_bundle(full: Contents, client_id: str, names_of_others: Collection[str] = ()) -> Bundle:
    """One client's own: what they have and are owed, wallets that are theirs alone, what leads to the root, totals.

    What lies at places shared with others is one sum for each class and asset. Of other clients nothing is here.
    Raises `DisclosureRefused` for somebody who has no position in the bundle, and where an id or name of somebody else
    stands in a field that cannot be replaced.
    """
    own = [record for record in full.liabilities if record.client_id == client_id]
    if not own:
        raise DisclosureRefused(f"client {client_id} has no position in this bundle")
    places = _own_places(full, client_id)
    reconciliations = [each for each in full.reconciliations if each.location in places]
    held = {(each.location, each.asset_id) for each in reconciliations}
    assets = {record.asset_id for record in own} | {asset_id for _, asset_id in held}
    wallets = [each for each in full.wallets if each.location in places]
    addresses = {(each.chain_id, each.address): each.location for each in wallets}
    balances = [each for each in full.balances if (addresses.get((each.chain_id, each.address)), each.asset_id) in held]
    chains = {each.chain_id for each in wallets}
    sweeps = [each for each in full.sweeps if each.chain_id in chains]
    (statement,) = _liabilities(full).statements([client_id])
    kinds: dict[str, list[Any]] = {kind: [] for kind in RECORD_TYPES} | {
        "allocations": _summed(full.allocations, client_id, places),
        "assets": [each for each in full.assets if each.asset_id in assets],
        "balances": balances,
        "inclusion_statements": [statement],
        "liabilities": own,
        "liability_totals": [
            _of_others(each) for each in full.liability_totals if each.asset_id in {r.asset_id for r in own}
        ],
        "liability_roots": [LiabilityRootRecord(each.root, each.assets, None) for each in full.liability_roots],
        "reconciliations": reconciliations,
        "superseded_bundles": list(full.superseded_bundles),
        "sweeps": sweeps,
        "wallets": wallets,
        **_proofs_of(full, sweeps, [each for each in balances if each.state is StateEvidence.PROVEN]),
    }
    others = {each.client_id for kind in NAMING for each in getattr(full, kind)} - {client_id, ""}
    hide = _Words(others, names_of_others, full.manifest)
    words: dict[str, set[str]] = {
        kind: set() for kind in ("assets", "balances", "reconciliations", "sweeps", "token_layouts", "wallets")
    }
    for kind, names in words.items():
        kinds[kind] = [hide.out_of(kind, each, names) for each in kinds[kind]]
    replaced = {kind: tuple(sorted(names)) for kind, names in words.items()} | {
        "allocations": ("base_units", "location"),
        "liability_roots": ("positions",),
        "liability_totals": ("below_zero", "padding_key", "positions"),
    }
    counted = {member.kind: member.records - len(kinds[member.kind]) for member in full.manifest.members}
    untold = ("allocations", "liabilities")
    disclosure = [
        Disclosure(
            kind,
            len(kinds[kind]),
            0,
            0 if kind == "inclusion_statements" else None if kind in untold else left,
            None,
            replaced.get(kind, ()),
        )
        for kind, left in counted.items()
    ]
    why = Withheld("all that concerns others", "this bundle is of one client; what lies at shared places is one sum")
    return _bundle(full, kinds, Profile.CLIENT, client_id, disclosure, why)


def _bundle(
    full: Contents,
    kinds: Mapping[str, list[Any]],
    profile: Profile,
    subject: str,
    disclosure: Iterable[Disclosure],
    why: Withheld,
) -> Bundle:
    manifest = full.manifest
    if manifest.profile is not Profile.FULL:
        raise DisclosureRefused("it is made from a full bundle, and this is none")
    return Bundle(
        bundle_id=manifest.bundle_id,
        sequence=manifest.sequence,
        previous_digest=manifest.previous_digest,
        firm=manifest.firm,
        as_of=manifest.as_of,
        created_at=manifest.created_at,
        as_of_skew_seconds_max=manifest.as_of_skew_seconds_max,
        journal=manifest.journal,
        scope_text=manifest.scope.text,
        withheld=(*manifest.withheld, why),
        profile=profile,
        subject=subject,
        full_digest=digest_hex(manifest.to_bytes()),
        disclosure=tuple(disclosure),
        answers={},
        **kinds,
    )


def _key(secret: bytes) -> bytes:
    if len(secret) < SECRET_BYTES_MIN:
        raise LiabilityInvalid(f"the firm's secret has fewer than {SECRET_BYTES_MIN} bytes")
    return secret


def _context(full: Contents) -> LiabilityContext:
    manifest = full.manifest
    return LiabilityContext(manifest.firm.name, manifest.bundle_id, manifest.as_of)


def _liabilities(full: Contents) -> BundleLiabilities:
    if len(full.liability_roots) != 1:
        raise DisclosureRefused("the bundle has no liabilities root")
    manifest, root = full.manifest, full.liability_roots[0].root
    digest = digest_hex(manifest.to_bytes())
    return BundleLiabilities(manifest, digest, full.assets, full.liabilities, full.liability_totals, root)


def _with_leaves(record: LiabilityRecord, called: Mapping[str, str]) -> LiabilityRecord:
    leaves = tuple(LeafRecord(leaf[:32].hex(), int.from_bytes(leaf[32:], "big")) for leaf in leaves_of(record))
    return replace(record, client_id=called[record.client_id], position_key=None, leaves=leaves)


def _own_places(full: Contents, client_id: str) -> set[LocationId]:
    """Fully segregated wallets in which nobody else has anything, but for the firm's gas float."""
    mine = {each.location for each in full.allocations if each.client_id == client_id and not each.is_gas_float}
    others = {
        each.location
        for each in full.allocations
        if (each.client_id != client_id and not each.is_gas_float) or each.base_units < 0
    }
    segregated = {each.location for each in full.wallets if each.structure == "fully_segregated"}
    return segregated & mine - others


def _summed(
    allocations: Iterable[AllocationRecord], client_id: str, places: Collection[LocationId]
) -> list[AllocationRecord]:
    """A client's allocations: at their own places as they are, all others as one sum by class and asset."""
    found: dict[tuple[Any, ...], AllocationRecord] = {}
    for each in allocations:
        if each.client_id != client_id or each.is_gas_float:
            continue
        location = each.location if each.location in places else SHARED_PLACE
        key = (each.account_class, location, each.asset_id)
        before = found[key].base_units if key in found else 0
        found[key] = replace(each, location=location, base_units=before + each.base_units)
    return list(found.values())


def _proofs_of(full: Contents, sweeps: Sequence[SweepRecord], proven: Sequence[BalanceRecord]) -> dict[str, list[Any]]:
    """What the state proofs of these balances need, and nothing else: what lies beside their way stands as a hash."""
    if not proven:
        return {}
    chains, tokens = {each.chain_id for each in proven}, {each.asset_id for each in proven}
    headers = [each for each in full.proof_headers if each.chain_id in chains]
    layouts = [each for each in full.token_layouts if each.asset_id in tokens]
    by_token = {each.asset_id: each.layout() for each in layouts}
    nodes = needed_nodes(sweeps, headers, by_token, (each.encoded for each in full.proof_nodes), proven)
    return {
        "proof_headers": headers,
        "proof_nodes": [ProofNodeRecord(f"0x{node.hex()}") for node in nodes],
        "token_layouts": layouts,
    }


def _of_others(total: LiabilityTotalRecord) -> LiabilityTotalRecord:
    """The total without what tells of other owners: how many they are, what they owe, and which leaves are padding."""
    return replace(total, positions=None, below_zero=None, padding_key=None)


class _Words:
    """Ids and names of clients, looked for in all that stays."""

    def __init__(self, client_ids: Collection[str], names: Collection[str], manifest: Manifest) -> None:
        self._plain = frozenset(each for each in client_ids if _WORD.fullmatch(each))
        self._odd = sorted({each for each in client_ids if not _WORD.fullmatch(each)})
        self._names = sorted({name.casefold() for name in names if name.strip()})
        self._chains = tuple(manifest.scope.chains)
        self._known: dict[str, str] = {}

    def out_of(self, kind: str, record: Any, told: set[str]) -> Any:
        """The record without words about clients. Raises `DisclosureRefused` where they are no words."""
        given = to_object(record)
        value = {name: self._clean(kind, name, each, told) for name, each in given.items()}
        return record if value == given else from_object(type(record), value)

    def _clean(self, kind: str, name: str, value: object, told: set[str], top: str = "") -> object:
        top = top or name
        if isinstance(value, dict):
            return {inner: self._clean(kind, inner, each, told, top) for inner, each in value.items()}
        if isinstance(value, list):
            return [self._clean(kind, name, each, told, top) for each in value]
        if not isinstance(value, str) or name in _PROOF_BYTES or name == "client_id" or not self._names_one(value):
            return value
        if name not in TEXT_FIELDS:
            raise DisclosureRefused(f"{kind}.{name} names a client ({self._known[value]})")
        told.add(top)
        return WITHHELD_TEXT

    def _names_one(self, text: str) -> bool:
        if text not in self._known:
            self._known[text] = next(self._found(text), "")
        return bool(self._known[text])

    def _found(self, text: str) -> Iterator[str]:
        if text.lstrip("-").isdigit() or (" " not in text and text.startswith(self._chains)):
            return  # an amount, or a place or asset by its open id
        yield from sorted(self._plain.intersection(_WORD.findall(text)))
        yield from (each for each in self._odd if each in text)
        folded = text.casefold()
        yield from ("by name" for name in self._names if name in folded)


assert {field.name for field in fields(Bundle)} >= set(RECORD_TYPES)
