"""Check 30: others' evidence, each bundle with one thing said of it that it does not show."""

from __future__ import annotations

from exports.bundle import Bundle
from tests.conformance_bundles.recipe import bad, good
from tests.exports import test_outside_evidence as outside
from tests.exports.outside_samples import row, snapshot, taken, with_evidence


@good("a list of others' addresses with signatures that hold and one that does not, and a paper spend")
def others_evidence() -> Bundle:
    return outside.evidence()


@good("a list of others' addresses of EVM accounts alone")
def others_accounts() -> Bundle:
    return with_evidence(taken(snapshot(row())))


def _enter(name: str) -> None:
    def maker() -> Bundle:
        return outside.WRONG[name][0](outside.evidence())

    maker.__name__ = f"outside_{name.replace(' ', '_').replace(',', '')}"
    bad(30, f"of others' evidence: {name}")(maker)


for _name in (
    "a refused signature called shown",
    "other words",
    "another address",
    "no signature, and shown",
    "an amount that nobody stated",
    "read at no height",
    "another digest",
    "another kind",
    "one id twice",
):
    _enter(_name)
