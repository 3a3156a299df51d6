"""The `custody` command. A leaf: nothing else in the package imports it.

Exit codes: 0 verified or done; 1 the evidence contradicts the books; 2 could not check, compared nothing, or
bad input; when both 1 and 2 apply, 1, with both counts in the JSON.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the `custody` command."""
    try:
        from verifier.cli.app import main as run_main
    except ImportError as error:
        # Python's own exit code would be 1, which says that the evidence contradicts.
        sys.stderr.write(
            f"error [broken-installation] {error.name or 'a module'} cannot be loaded as this program needs it\n"
            "  Install custody-verifier in an environment of its own: its import names (chains, mapping, exports, "
            "verifier) are generic, and another package may own one of them here.\n"
        )
        sys.exit(2)
    run_main()


__all__ = ["main"]
