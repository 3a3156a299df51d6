"""First schema: the mapping, sweeps, reconciliations, cases, bundles and the journal."""

from __future__ import annotations

from alembic import op

from verifier.store.migrations.scripts import run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table, index and trigger."""
    run_script(op.get_bind(), revision)


def downgrade() -> None:
    """There is no way back: records are never removed."""
    raise NotImplementedError("restore a backup instead")
