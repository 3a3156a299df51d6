"""What can go wrong in the verifier itself. A finding is a record, never one of these.

VerifierError                  every error of this package; has a stable `code` and an `advice`
├── ConfigError                custody.toml or the environment is wrong
├── InputError                 a command was given something that cannot be used
├── MissingExtra               an optional part of the distribution is not installed
├── StoreError                 the database cannot be used
│   ├── StoreUnavailable       it cannot be reached now; it may be there again later
│   │   └── StoreFull          its disk is full; it may have space again later
│   ├── StoreBusy              another writer holds it; nothing was written
│   ├── LeaseHeld              another process does this work already
│   ├── LeaseLost              another process took the work over; what was late is not written
│   ├── SchemaOutdated         the database has another schema version than this program
│   ├── JournalBroken          the journal or a row it speaks of was changed
│   ├── JournalRolledBack      entries that are known outside the database are not in it
│   └── HeadFileError          the file that says which entries are known cannot be read or written
├── PlanDiffers                a worker's books give other holdings than the sweep planned
├── QueueMissing               the workers' queue was not made in the database, or is another version's
├── ArchiveError               the archive folder cannot be written, or holds something else
├── BundleRefused              a verifier would refuse the bundle that was asked for
├── StoredNotJudged            what was given is stored, and what follows from it could not be judged
├── InstructionConflict        an instruction is not in the state the action needs, or maker and checker are one
├── WithdrawalRefused          a withdrawal that 15c3-3(g) does not permit
├── SubstitutionRefused        a substitution that would cure no control deficit, or make another
├── ProposalConflict           a change of mapping or policies is not in the state the action needs
├── WaitsForApproval           what was given is a proposal until another person approves it
├── PoliciesNotApproved        the configured policies wait for a second person
├── WorkflowConflict           maker and checker are one person; each kind of record raises its own in its place
├── VersionConflict            what was acted on has changed since it was looked at
└── CaseConflict               a case is not in the state the action needs, or maker and checker are one
"""

from __future__ import annotations


class VerifierError(Exception):
    """Base of all errors of this package."""

    code = "verifier-error"
    """Stable name of the kind of error, for programs."""
    advice = "Look at the log for the cause."
    """One sentence on what a person can do."""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        if advice:
            self.advice = advice


class ConfigError(VerifierError):
    """custody.toml or the environment is wrong."""

    code = "config"
    advice = "Correct the named setting; `custody init` writes a commented example."


class InputError(VerifierError):
    """A command was given something that cannot be used."""

    code = "bad-input"
    advice = "See the command's --help."


class MissingExtra(VerifierError):
    """An optional part of the distribution is not installed."""

    code = "missing-extra"

    def __init__(self, extra: str, what: str) -> None:
        super().__init__(
            f"{what} needs the optional part '{extra}', which is not installed",
            advice=f"Install it: pip install 'custody-verifier[{extra}]'",
        )


class StoreError(VerifierError):
    """The database cannot be used."""

    code = "store"
    advice = "Check the database URL and that the database is reachable."


class StoreUnavailable(StoreError):
    """The database cannot be reached now; what waits for it may go on later."""

    advice = "Check the database URL, that the database is reachable, and that its disk has space."


class StoreFull(StoreUnavailable):
    """The disk of the database is full; what waits for it goes on when there is space."""

    code = "store-full"
    advice = (
        "Make space on the disk of the database: what runs then goes on by itself; give a command again. "
        "What was written before is there and can be read."
    )


class StoreBusy(StoreError):
    """Another writer holds the database; nothing was written."""

    code = "store-busy"
    advice = "Wait until the other command ends and run this one again; nothing was written."


class LeaseHeld(StoreError):
    """Another process does this work already."""

    code = "lease-held"
    advice = "Let it finish, or stop it; when its process is gone its lease runs out within a minute."


class LeaseLost(StoreError):
    """Another process took the work over while this one slept or was cut off; what came too late is not written."""

    code = "lease-lost"
    advice = "Nothing is to be done: the other process goes on with the work."


class SchemaOutdated(StoreError):
    """The database has another schema version than this program."""

    code = "schema-outdated"
    advice = "Run `custody db upgrade` (or `custody init`) once with this version to bring the database up to date."


class JournalBroken(StoreError):
    """The journal, or a row it speaks of, was changed after it was written."""

    code = "journal-broken"
    advice = "Stop; restore a backup or investigate. `custody journal verify` names the first broken entry."


class JournalRolledBack(StoreError):
    """Entries that are known outside the database are not in it: an older copy was put back."""

    code = "journal-rolled-back"
    advice = (
        "Find the newer database; if this copy is the best there is, run `custody db accept-restore --reason TEXT`."
    )


class HeadFileError(StoreError):
    """The file that says which journal entry is known outside the database cannot be read or written."""

    code = "head-file"
    advice = (
        "Make the file named by [database] head_file readable and writable; move away one that is damaged, "
        "then run `custody db accept-restore --reason TEXT` where a bundle was issued, else `custody db record-head`."
    )


class PlanDiffers(VerifierError):
    """A process works out other holdings for a shard than the sweep planned; it reads and writes nothing."""

    code = "plan-differs"
    advice = "Run the same version of this program with the same database everywhere, and sweep again."


class QueueMissing(VerifierError):
    """The workers' queue was not made in the database, or is that of another version."""

    code = "queue-missing"
    advice = "Run `custody worker --prepare` once with this version."


class BundleRefused(VerifierError):
    """A verifier would refuse the bundle that was asked for; it was not written."""

    code = "bundle-refused"
    advice = "Run `custody sweep` or `custody reconcile` again: cases open for what still differs; export then."


class StoredNotJudged(VerifierError):
    """What was given is stored, and what follows from it could not be judged."""

    code = "stored-not-judged"
    advice = "Do not repeat it; remove the cause and run `custody reserve check`."


class WorkflowConflict(VerifierError):
    """Somebody would approve what they proposed, or approve it twice."""

    code = "workflow-conflict"
    advice = "Let another person decide."


class VersionConflict(VerifierError):
    """What was acted on has changed since it was looked at: an approval would be of something nobody saw."""

    code = "version-conflict"
    advice = "Look at it again as it is now, and decide then; a proposal on other facts is returned and made anew."


class ProposalConflict(VerifierError):
    """A proposed change of the mapping or the policies is not in the state the action needs."""

    code = "proposal-conflict"
    advice = "Look at `custody approvals list --all` and choose the action that fits."


class WaitsForApproval(VerifierError):
    """What was given changes the mapping: it is kept as a proposal, and counts when another person approves it."""

    code = "waits-for-approval"

    def __init__(self, proposal_id: str) -> None:
        super().__init__(
            f"nothing is changed yet: this is {proposal_id} until another person approves it",
            advice=f"Let another person run `custody approvals approve {proposal_id}`.",
        )
        self.proposal_id = proposal_id


class PoliciesNotApproved(VerifierError):
    """The configured policies are not those that two people agreed on; nothing runs on them."""

    code = "policies-not-approved"
    advice = "Let another person run `custody approvals approve`, or put the approved configuration back."


class CaseConflict(VerifierError):
    """A case is not in the state the action needs, or maker and checker are the same person."""

    code = "case-conflict"
    advice = "Look at the case with `custody cases show` and choose the action that fits its state."


class InstructionConflict(VerifierError):
    """An instruction, an act or a substitution is not in the state the action needs, or its maker would check it."""

    code = "instruction-conflict"
    advice = "Look at `custody reserve instructions` or `custody control history` and choose the action that fits."


class SubstitutionRefused(VerifierError):
    """A substitution of excess margin securities would cure nothing, or create or deepen a deficit."""

    code = "substitution-refused"
    advice = "Choose another security or a smaller quantity; `custody control substitute` without --to looks for one."


class WithdrawalRefused(VerifierError):
    """What would stay in the reserve is less than the amount then required, or is not known, 15c3-3(g)."""

    code = "withdrawal-refused"
    advice = "See what may leave with `custody reserve show`."

    def __init__(self, message: str, *, is_short: bool) -> None:
        super().__init__(message)
        self.is_short = is_short
        """Whether it would be too little, rather than not known."""


class ArchiveError(VerifierError):
    """The archive folder cannot be written, or holds something else under the same name."""

    code = "archive"
    advice = "Check the folder in [archive] and its free space, then run `custody archive write`."
