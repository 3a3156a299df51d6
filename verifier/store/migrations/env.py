"""Alembic's entry: migrate on the connection, and in the transaction, that the store gives."""

from __future__ import annotations

from alembic import context

from verifier.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
