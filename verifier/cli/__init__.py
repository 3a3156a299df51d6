"""The `custody` command. A leaf: nothing else in the package imports it.

Exit codes: 0 verified or done; 1 the evidence contradicts the books; 2 could not check, compared nothing, or
bad input; when both 1 and 2 apply, 1, with both counts in the JSON.
"""

from verifier.cli.app import main

__all__ = ["main"]
