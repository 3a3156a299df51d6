"""A step after the first, for tests alone: a table and a column, as later steps may add them."""

from __future__ import annotations

import os
import signal

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Die half-way where a test wants it."""
    op.execute("CREATE TABLE tried_note (record_id BIGINT NOT NULL PRIMARY KEY, note TEXT)")
    op.execute("INSERT INTO tried_note VALUES (1, 'made by the step')")
    if os.environ.get("CUSTODY_TEST_DIE_IN_UPGRADE"):
        os.kill(os.getpid(), signal.SIGKILL)
    op.execute("ALTER TABLE client ADD COLUMN nickname TEXT")
