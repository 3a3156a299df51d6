"""Write the SQL scripts of the newest schema step from the table classes."""

from __future__ import annotations

from verifier.store.migrations import SCHEMA_VERSION
from verifier.store.migrations.scripts import write_scripts

write_scripts(SCHEMA_VERSION)
