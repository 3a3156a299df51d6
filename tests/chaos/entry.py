"""The `custody` command as the chaos runs it: on a clock that can be put forward and back, and with short leases.

`python -m tests.chaos.entry ARGUMENTS` is `custody ARGUMENTS`. Nothing else of the product is changed.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

CLOCK: Final = "CHAOS_CLOCK"
"""Names the file that says by how many seconds the machine's clock is wrong."""
LEASE_SECONDS: Final = "CHAOS_LEASE_SECONDS"
"""How long a lease lasts, in place of a minute, so that a process can sleep through one."""


def wrong_now() -> datetime:
    """The time as this machine has it."""
    text = Path(os.environ[CLOCK]).read_text(encoding="ascii")
    return datetime.now(UTC) + timedelta(seconds=int(text or 0))


def change_clocks() -> None:
    """Before any command is loaded: each takes the clock by name."""
    from verifier.cli import context

    context.now = wrong_now


def change_leases() -> None:
    """The defaults of the functions that take and hold leases."""
    from verifier.store.lease_store import LeaseStore

    seconds = float(os.environ[LEASE_SECONDS])
    held: Any = LeaseStore.leased
    for function in (LeaseStore.take_lease, LeaseStore.renew_lease, held.__wrapped__):
        changed: Any = function
        changed.__kwdefaults__["seconds"] = seconds
    held.__wrapped__.__kwdefaults__["clock"] = wrong_now


def main() -> None:
    """Run the command."""
    change_clocks()
    change_leases()
    from verifier.cli import main as run

    sys.argv[0] = "custody"
    run()


if __name__ == "__main__":
    main()
