"""Verify a bundle: numbered, named checks, in order, each with how much it compared.

The file is the only thing under test: keys come from the reader's own file, time is given by the caller, nodes
are the reader's own. Nothing is extracted to disk, and no database, scheduler or web part is needed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from chains.kept_answers import EXCHANGE_BYTES_MAX
from chains.types import ChainId, require_utc
from exports.answer_checks import check_answers
from exports.block_lines import block_lines
from exports.checkpoints import Checkpoint, check_checkpoint
from exports.contents import Contents, ReadLimits, read_member
from exports.control_checks import check_encumbrances
from exports.control_lines import control_lines
from exports.envelope import ENVELOPE_BYTES_MAX, SIGNATURES_MAX, SignatureVerdict, judge_signatures
from exports.errors import BundleError, ContainerInvalid, VersionUnknown
from exports.evidence_checks import (
    check_chain_of_bundles,
    check_exceptions,
    check_grades,
    check_pins,
    check_transfers,
)
from exports.holding_sample import HoldingSample, SampleRequest, holding_sample
from exports.inclusion_checks import check_transactions
from exports.key_checks import check_key_proofs
from exports.liability_checks import check_liabilities, check_own_liability, liability_lines
from exports.manifest import (
    ANSWER_FOLDER,
    MANIFEST_BYTES_MAX,
    MANIFEST_NAME,
    SIGNATURE_NAME,
    TIMESTAMP_NAME,
    FileMember,
    Manifest,
    Member,
    digest_hex,
    is_addition,
)
from exports.node_checks import NODE_CHECKS, ReaderOpener, check_with_node
from exports.openings import Opening, with_openings
from exports.output_checks import check_bitcoin_outputs, output_lines
from exports.outside_evidence import check_imported
from exports.possession_checks import check_possession, possession_lines
from exports.profiles import Profile, disclosure_lines, withheld_reason
from exports.proof_checks import check_state_proofs
from exports.record_checks import (
    Spelling,
    check_claims,
    check_counts,
    check_differences,
    check_observations,
    check_references,
    registry_spelling,
)
from exports.records import RECORD_TYPES, Status
from exports.reserve_checks import check_reserve, reserve_lines
from exports.securities_checks import check_securities, securities_lines
from exports.strictzip import StrictZip, ZipLimits
from exports.superseded import superseded_lines
from exports.table_lines import KINDS, TableDigest
from exports.timestamps import STAMP_BYTES_MAX, STAMPS_MAX, judge_stamps, stamp_name
from exports.trust import TrustedKeys
from exports.verdict import BundleFacts, Check, CheckStatus, Outcome, VerificationReport
from exports.views import check_views

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

NAMES: Final[dict[int, str]] = {
    1: "the container is one strict zip",
    2: "the manifest is canonical and of a known version",
    3: "trusted keys signed the manifest",
    4: "every member is the one the manifest names",
    5: "every record is canonical and of its schema",
    6: "every reference resolves, every id is unique",
    7: "claimed is the sum of allocations",
    8: "observed is the sum of balances",
    9: "differences and statuses compute",
    10: "sweeps account for every expected holding",
    11: "every exception has its case",
    12: "no grade is over-claimed",
    13: "balances are of one pinned block",
    14: "transfers are covered and judged",
    15: "the bundle has its place in the journal and sequence",
    16: "your node has the pinned block",
    17: "your node has the same balances",
    18: "who else could move it is stated and has its cases",
    19: "wallets' keys signed their proofs of control",
    20: "your node bears out proofs that rest on the chain",
    21: "your node says the same of who else could move it",
    22: "the liabilities tree is made from the allocations",
    23: "the reserve follows from its own inputs",
    24: "state proofs lead to the balances that claim them",
    25: "time stamps are of this bundle",
    26: "transactions with an exception stand in their blocks",
    27: "possession or control follows from its own inputs",
    28: "positions at custodians are compared with what they state",
    29: "Bitcoin outputs were made in their blocks",
    30: "others' evidence is worth what is said of it",
    31: "tables say what the records say",
    32: "kept answers of nodes say the balances",
}
"""The checks by number. Numbers and names are stable within a format version."""


READER_NAMES: Final[dict[int, str]] = {
    33: "what was opened is what was committed to",
    34: "your checkpoint is a block of the headers",
}
"""Checks of what the reader has beside the bundle: in a report only where the reader gave something."""

NOTHING_TO_ASK: Final = {
    17: "none of the drawn balances is on this chain",
    19: "the bundle has no proof of control",
    20: "the bundle has no proof that rests on this chain",
    21: "the bundle has no answers about who else could move what is on this chain",
    23: "the bundle says nothing of the reserve",
    24: "no balance claims a state proof",
    25: "the bundle has no time stamp",
    26: "the bundle proves no transaction",
    27: "the bundle says nothing of possession or control",
    28: "the bundle says nothing of securities at custodians",
    29: "the bundle has no balance of Bitcoin",
    30: "the bundle has no evidence of others",
    32: "the bundle keeps no answers of nodes",
}


@dataclass(frozen=True, slots=True)
class VerifyLimits:
    """Every limit of reading a bundle."""

    container: ZipLimits = field(default_factory=ZipLimits)
    content: ReadLimits = field(default_factory=ReadLimits)
    manifest_bytes_max: int = MANIFEST_BYTES_MAX


def verify_bundle(
    path: Path,
    trusted_keys: TrustedKeys,
    *,
    now: datetime,
    readers: Mapping[ChainId, ReaderOpener] | None = None,
    limits: VerifyLimits | None = None,
    after: tuple[int, str] | None = None,
    spelling: Spelling = registry_spelling,
    also_required: Collection[str] = (),
    partly_signed: bool = False,
    sample: SampleRequest | None = None,
    tsa_certificates: Sequence[Certificate] = (),
    expected: Profile | None = None,
    keep: Callable[[Contents], None] | None = None,
    openings: Sequence[Opening] = (),
    checkpoint: Checkpoint | None = None,
) -> VerificationReport:
    """Make every check and report on each. Raises nothing for a bad bundle: what is wrong is in the report.

    `now` is the moment at which expiry is judged. `readers` opens the reader's own nodes, by chain; without it
    the node checks are not requested. `after` is the sequence and digest of an earlier bundle this one must
    follow. `spelling` judges addresses and asset ids, by default with the installed chain adapters. `also_required` are
    roles that must have signed besides those that the list of trusted keys requires. With `partly_signed` signatures
    may be missing: they are counted and not asked for; that is for who is about to sign. With a `sample` only the drawn
    balances are asked of the reader's nodes; everything in the file is checked all the same. `keep` is given the
    records where they could be read, whatever the verdict. A reader who asks for a bundle of the profile `expected` is
    told when it has another; without it, a bundle of which something is withheld is not verified.
    `tsa_certificates` are the root certificates of time-stamp authorities that the reader trusts. `openings` are what
    the firm showed the reader of what the bundle only commits to: checks that rest on it are made where it holds.
    `checkpoint` is a Bitcoin block that the reader knows, to be found among the headers.
    """
    run = _Run(trusted_keys, require_utc(now, "now"), readers or {}, limits or VerifyLimits(), after, spelling)
    run.also_required, run.partly_signed, run.sample_request = tuple(also_required), partly_signed, sample
    run.tsa_certificates, run.expected, run.openings = tuple(tsa_certificates), expected, tuple(openings)
    run.checkpoint = checkpoint
    run.verify_file(path)
    if keep is not None and run.contents is not None:
        keep(run.contents)
    return run.report()


def verified_contents(
    path: Path, trusted_keys: TrustedKeys, *, now: datetime, expected: Profile | None = None
) -> tuple[VerificationReport, Contents | None]:
    """The report on a bundle without asking any node, and its records; None where they could not be read."""
    kept: list[Contents] = []
    report = verify_bundle(path, trusted_keys, now=now, expected=expected, keep=kept.append)
    return report, next(iter(kept), None)


class _Run:
    """One verification. Each step notes its checks and says whether the next may rely on it."""

    def __init__(
        self,
        trusted_keys: TrustedKeys,
        now: datetime,
        readers: Mapping[ChainId, ReaderOpener],
        limits: VerifyLimits,
        after: tuple[int, str] | None,
        spelling: Spelling,
    ) -> None:
        self.trusted_keys, self.now, self.readers = trusted_keys, now, readers
        self.limits, self.after, self.spelling = limits, after, spelling
        self.also_required: tuple[str, ...] = ()
        self.partly_signed = False
        self.tsa_certificates: tuple[Certificate, ...] = ()
        self.expected: Profile | None = None
        self.openings: tuple[Opening, ...] = ()
        self.checkpoint: Checkpoint | None = None
        self.sample_request: SampleRequest | None = None
        self.sample: HoldingSample | None = None
        self.contents: Contents | None = None
        self.checks: list[Check] = []
        self.facts: BundleFacts | None = None

    def verify_file(self, path: Path) -> None:
        """All checks on a file, which may not be there."""
        try:
            with path.open("rb") as file:
                self.verify(file)
        except OSError as error:
            self.obstruct(1, f"{path.name}: {error.strerror or 'cannot be read'}")

    def verify(self, file: BinaryIO) -> None:
        """All checks, as far as each can rely on those before it."""
        if (container := self._open(file)) is None:
            return
        digests = self._digests(container)
        if digests is None or (read := self._manifest(container)) is None:
            return
        manifest, manifest_bytes = read
        stamped_at = self._timestamps(container, manifest, manifest_bytes)
        verdict = self._signatures(container, manifest, manifest_bytes, stamped_at)
        self.facts = _facts(manifest, manifest_bytes, verdict)
        if not self._members(container, manifest, digests):
            return
        contents = self._records(container, manifest)
        if contents is None:
            return
        self.contents = contents
        contents, opened = with_openings(contents, self.openings)
        for kind, outcome in opened:
            self.note(33, outcome, kind)
        if self.checkpoint is not None:
            self.note(34, check_checkpoint(contents, self.checkpoint))
        if self.sample_request is not None:
            self.sample = holding_sample(contents.balances, digest_hex(manifest_bytes), self.sample_request)
        self.facts = _facts(manifest, manifest_bytes, verdict, contents)
        self._figures(contents)
        self._nodes(contents)

    def note(self, number: int, outcome: Outcome, subject: str = "") -> bool:
        """Add a check; True when it passed."""
        self.checks.append(Check.of(number, (NAMES | READER_NAMES)[number], outcome, subject))
        return self.checks[-1].status is CheckStatus.PASSED

    def obstruct(self, number: int, reason: str) -> None:
        """Add a check that could not be made."""
        self.note(number, Outcome(0, obstacles=[reason]))

    def report(self) -> VerificationReport:
        """The report; checks that were never reached appear as not possible."""
        made = {check.number for check in self.checks}
        stopped = next((c.number for c in self.checks if c.status in (CheckStatus.FAILED, CheckStatus.NOT_POSSIBLE)), 0)
        for number in NAMES:
            if number in made:
                continue
            if number in NODE_CHECKS and not self.readers:
                status, reason = CheckStatus.NOT_REQUESTED, "no node of your own was given"
            else:
                status, reason = CheckStatus.NOT_POSSIBLE, f"rests on check {stopped}"
            self.checks.append(Check.skipped(number, NAMES[number], status, reason))
        given = {33: bool(self.openings), 34: self.checkpoint is not None}
        for number, name in READER_NAMES.items():
            if given[number] and number not in made:
                skipped = Check.skipped(number, name, CheckStatus.NOT_POSSIBLE, f"rests on check {stopped}")
                self.checks.append(skipped)
        ordered = sorted(self.checks, key=lambda check: (check.number, check.subject))
        return VerificationReport(
            tuple(ordered), self.now, self.trusted_keys.version, self.facts, self.sample, self.expected
        )

    def _open(self, file: BinaryIO) -> StrictZip | None:
        head = file.read(2)
        if head != b"PK":
            self.obstruct(1, "the file is empty" if not head else "the file is not a zip")
            return None
        try:
            return StrictZip(file, self.limits.container)
        except ContainerInvalid as error:
            self.note(1, Outcome(1, [str(error)]))
            return None

    def _digests(self, container: StrictZip) -> dict[str, str] | None:
        """SHA-256 of every member, while every checksum is checked."""
        digests = {}
        problems = []
        for name in container.entries:
            digest = hashlib.sha256()
            try:
                for chunk in container.chunks(name):
                    digest.update(chunk)
            except ContainerInvalid as error:
                problems.append(str(error))
            digests[name] = digest.hexdigest()
        return digests if self.note(1, Outcome(len(digests), problems)) else None

    def _manifest(self, container: StrictZip) -> tuple[Manifest, bytes] | None:
        if MANIFEST_NAME not in container.entries:
            self.note(2, Outcome(1, [f"there is no {MANIFEST_NAME}"]))
            return None
        try:
            data = container.read(MANIFEST_NAME, self.limits.manifest_bytes_max)
            manifest = Manifest.parse(data)
        except VersionUnknown as error:
            self.obstruct(2, str(error))
            return None
        except BundleError as error:
            self.note(2, Outcome(1, [str(error)]))
            return None
        self.note(2, Outcome(1, note=f"SHA-256 {digest_hex(data)}"))
        return manifest, data

    def _timestamps(self, container: StrictZip, manifest: Manifest, data: bytes) -> datetime | None:
        """The earliest moment that a stamp the reader trusts shows the bundle to have existed at."""
        names = [name for name in container.entries if TIMESTAMP_NAME.fullmatch(name)]
        if too_large := [name for name in names if container.entries[name].size_bytes > STAMP_BYTES_MAX]:
            self.note(25, Outcome(len(names), [f"{name}: larger than {STAMP_BYTES_MAX} bytes" for name in too_large]))
            return None
        read = {name: container.read(name, STAMP_BYTES_MAX) for name in names[: STAMPS_MAX + 1]}
        # One that is not what its name says is refused by check 4, whether or not its authority can be read.
        stamps = {name: stamp for name, stamp in read.items() if name == stamp_name(stamp)}
        verdict = judge_stamps(
            digest_hex(data), stamps, self.tsa_certificates, created_at=manifest.created_at, now=self.now
        )
        if verdict.outcome is None:
            self.checks.append(Check.skipped(25, NAMES[25], CheckStatus.NOT_REQUESTED, verdict.reason))
        else:
            self.note(25, verdict.outcome)
        return verdict.stamped_at

    def _signatures(
        self, container: StrictZip, manifest: Manifest, data: bytes, stamped_at: datetime | None
    ) -> SignatureVerdict:
        envelopes: dict[str, bytes] = {}
        unreadable = []
        found = [match for name in container.entries if (match := SIGNATURE_NAME.fullmatch(name))]
        if len(found) > SIGNATURES_MAX:
            unreadable.append(f"{len(found)} signatures; at most {SIGNATURES_MAX} are read")
        for match in found[:SIGNATURES_MAX]:
            try:
                envelopes[match[1]] = container.read(match[0], ENVELOPE_BYTES_MAX)
            except ContainerInvalid as error:
                unreadable.append(str(error))
        verdict = judge_signatures(
            data,
            envelopes,
            self.trusted_keys,
            created_at=manifest.created_at,
            stamped_at=stamped_at,
            also_required=self.also_required,
        )
        keys = self.trusted_keys
        expired = []
        if self.now >= keys.expires:
            expired.append(
                f"the trusted-keys list (version {keys.version}) expired at {keys.expires.isoformat()}, "
                f"judged at {self.now.isoformat()}; the bundle says it was made at {manifest.created_at.isoformat()}"
            )
        note = "; ".join(count.text() for count in verdict.roles)
        if verdict.not_counted:
            note += f"; not counted: {', '.join(verdict.not_counted)}"
        missing = () if self.partly_signed else verdict.missing
        problems = [*unreadable, *verdict.problems, *missing]
        if problems:  # the reason a signature did not count belongs to the reason the threshold was missed
            problems += [f"not counted: {reason}" for reason in verdict.not_counted]
        self.note(3, Outcome(len(envelopes), problems, expired, note))
        return verdict

    def _members(self, container: StrictZip, manifest: Manifest, digests: Mapping[str, str]) -> bool:
        named: dict[str, Member | FileMember] = {member.name: member for member in manifest.members}
        named |= {file.name: file for file in manifest.files}
        problems = []
        for name, member in named.items():
            entry = container.entries.get(name)
            if entry is None:
                problems.append(f"{name} is missing")
            elif (entry.size_bytes, digests[name]) != (member.size_bytes, member.sha256):
                problems.append(f"{name} is not the member the manifest names")
        problems.extend(
            f"{name} is not in the manifest"
            for name in container.entries
            if name not in named and name != MANIFEST_NAME and not is_addition(name)
        )
        problems.extend(
            f"{name} is not what its name says"
            for name in container.entries
            if (stamp := TIMESTAMP_NAME.fullmatch(name)) and stamp[1] != digests[name]
        )
        return self.note(4, Outcome(len(named), problems))

    def _records(self, container: StrictZip, manifest: Manifest) -> Contents | None:
        records: dict[str, tuple[object, ...]] = {}
        problems: list[str] = []
        tables = {kind: TableDigest(kind) for kind in KINDS}
        for member in manifest.members:
            found, wrong = read_member(container, member, self.limits.content, tables.get(member.kind))
            records[member.kind] = tuple(found)
            problems.extend(wrong)
        problems.extend(
            f"{told.kind}: {len(records[told.kind])} records, {told.published} are told to be disclosed"
            for told in manifest.disclosure
            if told.published != len(records[told.kind])
        )
        if not self.note(5, Outcome(sum(map(len, records.values())), problems)):
            return None
        self.note(31, check_views(manifest, {kind: table.made() for kind, table in tables.items()}))
        assert set(records) == set(RECORD_TYPES)
        contents = Contents(manifest=manifest, **records)  # type: ignore[arg-type]
        self.checks.append(
            answer_check(contents, lambda digest: container.read(ANSWER_FOLDER + digest, EXCHANGE_BYTES_MAX))
        )
        return contents

    def _figures(self, contents: Contents) -> None:
        self.checks.extend(figure_checks(contents, self.spelling, self.after))

    def _nodes(self, contents: Contents) -> None:
        if not self.readers:
            return
        for chain_id in sorted({*self.readers, *(sweep.chain_id for sweep in contents.sweeps)}):
            sweep, opener = contents.sweep_of(chain_id), self.readers.get(chain_id)
            if sweep is None:
                obstacle = Outcome(0, obstacles=["the bundle has no sweep of this chain"])
                outcomes: tuple[Outcome | None, ...] = (obstacle, obstacle, obstacle, obstacle)
            elif opener is None:
                for number in NODE_CHECKS:
                    reason = "no node of your own was given for this chain"
                    skipped = Check.skipped(number, NAMES[number], CheckStatus.NOT_REQUESTED, reason, chain_id)
                    self.checks.append(skipped)
                continue
            else:
                outcomes = check_with_node(contents, sweep, opener, self.sample)
            for number, outcome in zip(NODE_CHECKS, outcomes, strict=True):
                if reason := withheld_reason(number, contents):
                    self.checks.append(Check.skipped(number, NAMES[number], CheckStatus.WITHHELD, reason, chain_id))
                elif outcome is None:
                    reason = NOTHING_TO_ASK[number]
                    skipped = Check.skipped(number, NAMES[number], CheckStatus.NOT_REQUESTED, reason, chain_id)
                    self.checks.append(skipped)
                else:
                    self.note(number, outcome, chain_id)


def answer_check(contents: Contents, read: Callable[[str], bytes]) -> Check:
    """Check 32, for which more is read than records: `read` gives a kept answer by its digest."""
    if reason := withheld_reason(32, contents):
        return Check.skipped(32, NAMES[32], CheckStatus.WITHHELD, reason)
    if (outcome := check_answers(contents, read)) is None:
        return Check.skipped(32, NAMES[32], CheckStatus.NOT_REQUESTED, NOTHING_TO_ASK[32])
    return Check.of(32, NAMES[32], outcome)


def figure_checks(
    contents: Contents, spelling: Spelling = registry_spelling, after: tuple[int, str] | None = None
) -> list[Check]:
    """Checks 6 to 15, 18, 19, 22 to 24 and 26 to 30: everything that the records of a bundle say about each other."""
    own = contents.manifest.profile is Profile.CLIENT
    made: dict[int, Callable[[], Outcome | None]] = {
        6: lambda: check_references(contents, spelling),
        7: lambda: check_claims(contents),
        8: lambda: check_observations(contents),
        9: lambda: check_differences(contents),
        10: lambda: check_counts(contents),
        11: lambda: check_exceptions(contents),
        12: lambda: check_grades(contents),
        13: lambda: check_pins(contents),
        14: lambda: check_transfers(contents),
        15: lambda: check_chain_of_bundles(contents, after),
        18: lambda: check_encumbrances(contents),
        19: lambda: check_key_proofs(contents),
        22: lambda: check_own_liability(contents) if own else check_liabilities(contents),
        23: lambda: check_reserve(contents),
        27: lambda: check_possession(contents),
        28: lambda: check_securities(contents),
        24: lambda: check_state_proofs(contents),
        26: lambda: check_transactions(contents),
        29: lambda: check_bitcoin_outputs(contents),
        30: lambda: check_imported(contents),
    }
    checks = []
    for number, check in made.items():
        if reason := withheld_reason(number, contents):
            checks.append(Check.skipped(number, NAMES[number], CheckStatus.WITHHELD, reason))
        elif (outcome := check()) is None:
            checks.append(Check.skipped(number, NAMES[number], CheckStatus.NOT_REQUESTED, NOTHING_TO_ASK[number]))
        else:
            checks.append(Check.of(number, NAMES[number], outcome))
    return checks


def _facts(manifest: Manifest, data: bytes, verdict: SignatureVerdict, contents: Contents | None = None) -> BundleFacts:
    counts = Counter(record.status for record in contents.reconciliations) if contents else Counter()
    return BundleFacts(
        bundle_id=manifest.bundle_id,
        digest=digest_hex(data),
        firm=manifest.firm.name,
        sequence=manifest.sequence,
        previous_digest=manifest.previous_digest,
        as_of=manifest.as_of,
        created_at=manifest.created_at,
        as_of_skew_seconds_max=manifest.as_of_skew_seconds_max,
        matched=counts[Status.MATCHED],
        diverged=counts[Status.DIVERGED],
        unverified=counts[Status.UNVERIFIED],
        signed_by=verdict.accepted,
        roles=verdict.roles,
        withheld=tuple(f"{item.what}: {item.why}" for item in manifest.withheld),
        profile=manifest.profile,
        subject=manifest.subject,
        full_digest=manifest.full_digest,
        disclosure=tuple(disclosure_lines(manifest.profile, manifest.subject, manifest.disclosure)),
        blocks=_told(block_lines, contents) + _told(output_lines, contents, 29),
        superseded=_told(lambda each: superseded_lines(each.superseded_bundles), contents),
        control=_told(control_lines, contents, 18, 19),
        liabilities=_told(liability_lines, contents),
        reserve=_told(reserve_lines, contents, 23),
        possession=_told(possession_lines, contents, 27),
        securities=_told(securities_lines, contents, 28),
        liabilities_root=next((record.root for record in contents.liability_roots), None) if contents else None,
    )


def _told(lines: Callable[[Contents], Iterable[str]], contents: Contents | None, *checks: int) -> tuple[str, ...]:
    """What the report says of a part of the bundle; nothing where a check of it is withheld."""
    if contents is None or any(withheld_reason(number, contents) for number in checks):
        return ()
    return tuple(lines(contents))
