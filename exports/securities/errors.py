"""What is wrong with a stored comparison.

BundleError
└── ComparisonRefused        a document is no comparison, or its inputs give another result
"""

from __future__ import annotations

from exports.errors import BundleError


class ComparisonRefused(BundleError):
    """A document is no comparison with custodians' statements, or its inputs give another result."""

    code = "comparison-refused"
    advice = "Compare again: `custody reconcile`; a record that was changed shows in `custody journal verify`."
