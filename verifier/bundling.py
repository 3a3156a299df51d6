"""From the store to the auditor: the newest sweep of every chain as one signed bundle.

Only here and in the modules `*_bundling` do the verifier's own records become the bundle's record types. The bundle
speaks of the sweeps' blocks and of the books as they were known then; nothing that came later is mixed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from chains.types import ChainId, StateEvidence
from exports import records
from exports.bundle import Bundle, WrittenBundle, bundle_digest, digest_of_file, spooled_members, write_bundle
from exports.liabilities import LiabilityContext
from exports.liability_checks import Moment, make_liabilities
from exports.manifest import Withheld
from exports.selfcheck import refusals
from verifier.answer_bundling import bundled_answers
from verifier.chain_bundling import ChainPart
from verifier.config import Settings
from verifier.control_bundling import control_records, key_records
from verifier.errors import BundleRefused, InputError, StoreBusy, StoreError, StoreUnavailable
from verifier.firm_bundling import (
    bundled_cases,
    imported_evidence,
    possession_reviews,
    reserve_computations,
    reserve_positions,
    securities_runs,
    superseded_bundles,
)
from verifier.known_head import HeadFile, note_head
from verifier.output_bundling import chain_outputs
from verifier.proof_bundling import chain_proofs, proof_nodes
from verifier.records import SweepSummary
from verifier.store import IssuedBundle, JournalHead, Store, SweepStart

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

SCOPE = (
    "Client assets on the digital rail: every wallet the firm mapped on these chains, at one block each. "
    "Of the reserve, computations and what banks stated to the firm are in this bundle, of possession or control the "
    "firm's reviews, of securities at custodians the newest comparison with what they stated; cash is not."
)
PREPARED = "bundle.prepared"
"""Kind of the journal entry that is the moment of a bundle."""
WITHHELD = (Withheld(what="client names", why="clients are named by the firm's client ids; names stay with the firm"),)


def issue_bundle(
    store: Store,
    settings: Settings,
    path: Path,
    since: Mapping[str, int],
    signers: Sequence[Signer],
    actor: str,
    clock: Callable[[], datetime],
    liabilities_secret: bytes,
) -> WrittenBundle:
    """Write the bundle of each chain's sweep that stands, and record that it was issued.

    Movements are included from `since` (a height per chain), else from the block after the previous bundle's, else
    from the first covered one. The bundle's moment is a journal entry made first; until it is issued nothing new is
    recorded, so that an export that was killed gives the same digest when it is repeated. `liabilities_secret` salts
    the liabilities tree and never leaves the house. Last, the journal's head is noted outside the database.

    Raises `InputError` when there is no sweep to speak of or another file is in the way, `BundleRefused` when a
    verifier would refuse the bundle, `StoreBusy` when something was recorded in between; nothing is written then.
    """
    if not settings.chains:
        raise InputError("no chain is configured, so there is nothing to export")
    if unknown := set(since) - {section.chain_id for section in settings.chains}:
        raise InputError(f"--since names {min(unknown)}, which is not configured")
    for section in settings.chains:
        _standing(store, ChainId(section.chain_id))  # before anything is recorded
    bundle, head = _gather(store, settings, since, actor, clock)
    bundle = _with_liabilities(bundle, liabilities_secret)
    payload = spooled_members(bundle, path.parent)
    if reasons := refusals(bundle, payload=payload):
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        raise BundleRefused(f"a verifier would refuse this bundle: {reasons[0]}{more}")
    if path.exists() and digest_of_file(path) != bundle_digest(bundle, payload):
        raise InputError(f"{path} exists already and is another bundle; it was not overwritten")
    if store.head() != head:
        raise StoreBusy("something was recorded while the bundle was made")
    was_there = path.exists()  # the same bundle, perhaps with signatures and time stamps of others by now
    written = write_bundle(bundle, signers, path, payload)
    blocks = tuple((sweep.chain_id, sweep.height, sweep.block_hash) for sweep in bundle.sweeps)
    issued = IssuedBundle(bundle.bundle_id, bundle.sequence, written.digest, bundle.as_of, str(path), head, blocks)
    try:
        store.add_bundle(issued, actor, clock())
    except StoreError as error:
        recorded = _is_recorded(store, issued)
        if recorded is None:
            raise _not_known(path) from error
        if not recorded:
            if not was_there:
                path.unlink(missing_ok=True)  # a bundle that is not in the journal was not issued
            raise
    note_head(store, HeadFile.of(settings), "export", clock())
    return written


def _is_recorded(store: Store, issued: IssuedBundle) -> bool | None:
    """Whether a bundle is in the journal although recording it ended with an error; None while nobody can tell.

    A server that goes away has sometimes stored what it did not confirm any more, or is still about to.
    """
    try:
        store.wait_for_writers()
        return any((each.sequence, each.digest) == (issued.sequence, issued.digest) for each in store.bundles())
    except StoreError:
        return None


def _not_known(path: Path) -> StoreUnavailable:
    return StoreUnavailable(
        f"the database went away while the bundle was recorded: whether {path.name} was issued is not known",
        advice="When the database is back, look for it in `custody journal show`; where it is not, delete the file "
        "and export again.",
    )


def _gather(
    store: Store, settings: Settings, since: Mapping[str, int], actor: str, clock: Callable[[], datetime]
) -> tuple[Bundle, JournalHead]:
    """The bundle as of the newest journal entry, and that entry."""
    head = _prepared(store, actor, clock)
    issued = store.bundles()
    previous = issued[-1] if issued else None
    parts = []
    for section in settings.chains:
        chain_id = ChainId(section.chain_id)
        summary, start = _standing(store, chain_id)
        operators = {node.node_id: node.operator for node in section.nodes}
        first = since.get(chain_id, _next_height(store, chain_id, summary, previous))
        parts.append(ChainPart(store, start, summary, operators, first))
    before = store.newest_bundle()  # one that a restored database lost keeps its number
    sequence = before[0] + 1 if before else 1
    as_of = max(part.start.block.timestamp for part in parts)
    # A block's time may be a little ahead of the firm's clock.
    created_at = max(head.recorded_at, as_of, *(part.summary.finished_at for part in parts))
    control = [control_records(store, part.start, store.observations(part.start)) for part in parts]
    challenges, proofs = key_records(store, {part.start.chain_id: part.mapped() for part in parts})
    balances = [balance for part in parts for balance in part.balances()]
    sweeps = [part.sweep() for part in parts]
    parts_proofs = [chain_proofs(store, part.start) for part in parts]
    proven_on = {balance.chain_id for balance in balances if balance.state is StateEvidence.PROVEN}
    headers = [each.header for each in parts_proofs if each.header is not None and each.chain_id in proven_on]
    folders = {ChainId(section.chain_id): section.state_directory for section in settings.chains}
    outputs = [chain_outputs(part.start, balances, folders[part.start.chain_id]) for part in parts]
    kept = bundled_answers(store, [part.start for part in parts], balances)
    bundle = Bundle(
        bundle_id=f"bundle-{sequence:06d}",
        sequence=sequence,
        previous_digest=before[1] if before else None,
        firm=records.FirmRecord(settings.firm.name, ""),
        as_of=as_of,
        created_at=created_at,
        as_of_skew_seconds_max=settings.sweep.as_of_skew_seconds_max,
        journal=records.JournalHeadRecord(head.sequence, head.entry_digest),
        scope_text=SCOPE,
        withheld=WITHHELD,
        assets=[asset for part in parts for asset in part.assets()],
        wallets=[wallet for part in parts for wallet in part.wallets()],
        pools=[pool for part in parts for pool in part.pools()],
        balances=balances,
        proof_headers=headers,
        proof_nodes=proof_nodes(parts_proofs, headers, balances, sweeps),
        node_answers=kept.records,
        answers=kept.answers,
        proof_gaps=[gap for each in parts_proofs for gap in each.gaps],
        transaction_proofs=[proof for part in parts for proof in part.transaction_proofs()],
        token_layouts=[layout for each in parts_proofs for layout in each.layouts],
        bitcoin_headers=[record for each in outputs for record in each.headers],
        bitcoin_inclusions=[record for each in outputs for record in each.inclusions],
        bitcoin_outputs=[record for each in outputs for record in each.outputs],
        bitcoin_transactions=[record for each in outputs for record in each.transactions],
        allocations=[allocation for part in parts for allocation in part.allocations()],
        reconciliations=[reconciliation for part in parts for reconciliation in part.reconciliations()],
        transfers=[transfer for part in parts for transfer in part.transfers()],
        authorizations=[authorization for part in parts for authorization in part.authorizations()],
        cases=bundled_cases(store, {part.start.chain_id for part in parts}),
        sweeps=sweeps,
        acceptances=[decision for each in control for decision in each.acceptances],
        control_reviews=[each.review for each in control],
        grants=[grant for each in control for grant in each.grants],
        controls=[state for each in control for state in each.controls],
        restrictions=[restriction for each in control for restriction in each.restrictions],
        reserve_computations=reserve_computations(store),
        imported_evidence=imported_evidence(store),
        possession_reviews=possession_reviews(store),
        securities_runs=securities_runs(store),
        reserve_positions=reserve_positions(store, settings, head.recorded_at),
        superseded_bundles=superseded_bundles(store),
        key_challenges=challenges,
        key_proofs=proofs,
    )
    return bundle, head


def _with_liabilities(bundle: Bundle, secret: bytes) -> Bundle:
    """The bundle with the trees over what its allocations say is owed."""
    moment = Moment(LiabilityContext(bundle.firm.name, bundle.bundle_id, bundle.as_of), bundle.as_of_skew_seconds_max)
    made = make_liabilities(bundle.assets, bundle.allocations, bundle.reconciliations, moment, secret)
    return replace(
        bundle,
        liabilities=made.liabilities,
        liability_totals=made.liability_totals,
        liability_roots=made.liability_roots,
    )


def _prepared(store: Store, actor: str, clock: Callable[[], datetime]) -> JournalHead:
    """The journal entry that is the bundle's moment: the newest one when it is such an entry, else a new one."""
    from verifier.store.journal_view import newest_entries

    newest = newest_entries(store, 1)
    if not newest or newest[0].kind != PREPARED:
        with store.record(PREPARED, actor, {}, clock(), payload_is_the_record=True):
            pass
    head = store.head()
    assert head is not None
    return head


def _standing(store: Store, chain_id: ChainId) -> tuple[SweepSummary, SweepStart]:
    """The completed sweep at the chain's highest block that stands."""
    summary = store.standing_summary(chain_id)
    start = store.sweep(summary.sweep_id) if summary is not None else None
    if summary is None or start is None:
        raise InputError(f"{chain_id} has no completed sweep whose block stands: run `custody sweep` first")
    if not summary.expected:
        raise InputError(
            f"the sweep of {chain_id} compared nothing: import its wallets and sweep again, "
            "or take the chain out of custody.toml"
        )
    return summary, start


def _next_height(store: Store, chain_id: ChainId, summary: SweepSummary, previous: IssuedBundle | None) -> int:
    """The first height whose movements the previous bundle did not have; 0 when there is none before."""
    if previous is None:
        return 0
    before = [sweep for sweep in store.summaries(chain_id) if sweep.finished_at <= previous.head.recorded_at]
    heights = [sweep.block.height for sweep in before if not store.is_orphaned(sweep.block)]
    following = min(max(heights, default=-1) + 1, summary.block.height)
    # What was read afterwards for wallets mapped late lies in blocks that the previous bundle had without it, and so
    # do transfers traced where a balance could be read again only later.
    sequence = previous.head.sequence
    late = (store.backfilled_since(chain_id, sequence), store.traced_since(chain_id, sequence))
    return min([following, *(height for height in late if height is not None)])
