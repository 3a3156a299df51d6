"""A verification report as plain text. The command line colours it; this says it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from exports.codec import time_text
from exports.holding_sample import HoldingSample
from exports.profiles import Profile
from exports.trust import AUDITOR
from exports.verdict import Check, CheckStatus, VerificationReport

WORDS: Final[dict[CheckStatus, str]] = {
    CheckStatus.PASSED: "passed",
    CheckStatus.FAILED: "FAILED",
    CheckStatus.NOT_POSSIBLE: "not possible",
    CheckStatus.NOT_REQUESTED: "not requested",
    CheckStatus.WITHHELD: "withheld",
}


def report_text(report: VerificationReport) -> str:
    """The whole report, line by line, the same bytes on every machine."""
    return "\n".join(_lines(report)) + "\n"


def check_line(check: Check) -> str:
    """One check on one line: number, status, name, how much was compared, detail."""
    subject = f" [{check.subject}]" if check.subject else ""
    compared = f"{check.compared} compared" if check.compared else ""
    tail = "; ".join(part for part in (compared, check.detail) if part)
    return f"{check.number:>3}  {WORDS[check.status]:<13}  {check.name}{subject}" + (f" ({tail})" if tail else "")


def verdict_line(report: VerificationReport) -> str:
    """The verdict in one sentence."""
    withheld = report.count(CheckStatus.WITHHELD)
    if report.exit_code == 0:
        skipped = report.count(CheckStatus.NOT_REQUESTED)
        rest = f", {skipped} not requested" if skipped else ""
        rest += f", {withheld} withheld: not checked" if withheld else ""
        facts = report.bundle
        shown = "" if facts is None or facts.profile is Profile.FULL else f" as far as a {facts.profile} bundle shows"
        return f"VERIFIED{shown}: {report.count(CheckStatus.PASSED)} checks passed{rest}."
    if report.exit_code == 1:
        return f"REFUSED: {report.count(CheckStatus.FAILED)} checks contradict the bundle."
    if not report.count(CheckStatus.NOT_POSSIBLE) and report.bundle is not None:
        if report.expected not in (None, report.bundle.profile):
            return f"NOT VERIFIED: a {report.expected} bundle was asked for, and this is a {report.bundle.profile} one."
        if withheld:
            return (
                f"NOT VERIFIED: {withheld} checks rest on what is withheld. "
                f"Say `--profile {report.bundle.profile}` if you asked for no more."
            )
    return f"NOT VERIFIED: {report.count(CheckStatus.NOT_POSSIBLE)} checks could not be made."


def _sample_lines(sample: HoldingSample) -> Iterator[str]:
    yield (
        f"Drawn by seed {sample.request.seed}: {len(sample.drawn)} of {sample.population} balances. "
        "Whoever has the bundle and the seed draws the same."
    )
    for each in sample.drawn:
        where = f"{each.chain_id} {each.address} {each.asset_id}"
        yield f"  {where}: {each.base_units} at block {each.height} ({each.grade})"


def _lines(report: VerificationReport) -> Iterator[str]:
    facts = report.bundle
    if facts is not None:
        yield f"Bundle {facts.bundle_id} (number {facts.sequence}) of {facts.firm}, as of {time_text(facts.as_of)}"
        yield f"SHA-256 of the manifest: {facts.digest}"
        if facts.full_digest:
            yield f"Profile: {facts.profile}, made from the full bundle with the SHA-256 {facts.full_digest}"
        else:
            yield f"Profile: {facts.profile}"
    yield f"Judged at {time_text(report.judged_at)} with trusted keys of version {report.trusted_keys_version}"
    yield ""
    for check in report.checks:
        yield check_line(check)
        yield from (f"       - {problem}" for problem in check.problems)
        if check.problem_count > len(check.problems):
            yield f"       - and {check.problem_count - len(check.problems)} more"
    yield ""
    if report.sample is not None:
        yield from _sample_lines(report.sample)
        yield ""
    yield verdict_line(report)
    if facts is not None:
        yield from facts.disclosure
    if facts is not None and report.exit_code == 0:
        speaker = "The bundle itself" if facts.profile is Profile.FULL else "What is shown of it"
        yield (
            f"{speaker} reports {facts.matched} matched, {facts.diverged} diverged, "
            f"{facts.unverified} unverified. A firm's signature proves origin, not truth."
        )
        yield f"Signatures: {'; '.join(count.text() for count in facts.roles)}."
        if any(count.role == AUDITOR and count.signed for count in facts.roles):
            yield "An auditor's counter-signature says that somebody outside the firm verified the bundle, and no more."
        yield from facts.blocks
        yield from facts.superseded
        yield from facts.control
        yield from facts.liabilities
        yield from facts.reserve
        yield from facts.possession
        yield from facts.securities
