"""The store: one class over all topics, and how it is opened."""

from __future__ import annotations

from datetime import datetime

from verifier.store.alert_store import AlertStore
from verifier.store.answer_store import AnswerStore
from verifier.store.approval_store import ApprovalStore
from verifier.store.books_news_store import BooksNewsStore
from verifier.store.bundle_store import BundleStore
from verifier.store.change_store import ChangeStore
from verifier.store.coverage_store import CoverageStore
from verifier.store.custodian_store import CustodianStore
from verifier.store.dissent_store import DissentStore
from verifier.store.encumbrance_store import EncumbranceStore
from verifier.store.engine import BUSY_SECONDS, create_engine
from verifier.store.instruction_store import InstructionStore
from verifier.store.key_store import KeyStore
from verifier.store.known import KnownStore
from verifier.store.lease_store import LeaseStore
from verifier.store.look_store import LookStore
from verifier.store.mapping_store import MappingStore
from verifier.store.observation_store import ObservationStore
from verifier.store.outside_store import OutsideStore
from verifier.store.people_store import PeopleStore
from verifier.store.possession_store import PossessionStore
from verifier.store.proof_store import ProofStore
from verifier.store.proposal_store import ProposalStore
from verifier.store.report_store import ReportStore
from verifier.store.request_store import RequestStore
from verifier.store.reserve_store import ReserveStore
from verifier.store.result_store import ResultStore
from verifier.store.schedule_store import ScheduleStore
from verifier.store.session_store import SessionStore
from verifier.store.shard_store import ShardStore
from verifier.store.trade_store import TradeStore
from verifier.store.waiting_store import WaitingStore
from verifier.store.wallet_store import WalletStore


class Store(
    AlertStore,
    TradeStore,
    MappingStore,
    KnownStore,
    ResultStore,
    ObservationStore,
    CoverageStore,
    CustodianStore,
    LeaseStore,
    LookStore,
    ChangeStore,
    BooksNewsStore,
    BundleStore,
    KeyStore,
    DissentStore,
    ApprovalStore,
    EncumbranceStore,
    RequestStore,
    ReserveStore,
    PossessionStore,
    InstructionStore,
    ReportStore,
    ProofStore,
    ProposalStore,
    AnswerStore,
    ScheduleStore,
    ShardStore,
    WaitingStore,
    WalletStore,
    OutsideStore,
    PeopleStore,
    SessionStore,
):
    """Everything that is recorded. Records go in and come out as the frozen dataclasses of the packages."""

    def migrate(self, actor: str, now: datetime) -> str:
        """Bring the schema up to date and journal that it was; nothing happens when it is. Returns the version."""
        before = self.schema_version()
        after = self.migrate_schema()
        if before != after:
            with self.record("schema.migrated", actor, {"from": before, "to": after}, now, payload_is_the_record=True):
                pass
        return after

    def require_current(self) -> None:
        """Raise `SchemaOutdated` or `JournalBroken` unless this program can go on with the database."""
        from verifier.journal import require_intact_head

        self.require_schema()
        require_intact_head(self)


def open_store(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Store:
    """Open a database by URL, `sqlite:///FILE` or `postgresql+psycopg://…`; nothing is created but an empty file.

    Call `migrate` on a new one. Raises `StoreError`; no error shows the URL.
    """
    return Store(create_engine(url, busy_seconds=busy_seconds), busy_seconds=busy_seconds)
