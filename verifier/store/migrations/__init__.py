"""The schema, step by step. Each step is one SQL script per database, checked in and never changed after release.

`python -m verifier.store.migrations` writes the scripts of the newest step from the table classes; that is for
the author of a step, before it is released.
"""

from __future__ import annotations

from typing import Final

FIRST_VERSION: Final = "0001"
"""The first step. All others are counted from it without a hole."""
SCHEMA_VERSION: Final = "0001"
"""The step this program works with."""
