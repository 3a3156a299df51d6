"""The page from its template, and the PDF from the page. WeasyPrint is imported only here and when needed."""

from __future__ import annotations

import hashlib
from typing import Any, Final, NoReturn

from exports.audit_report import decisions, tables
from exports.audit_report.wallet_map import wallet_map
from exports.contents import Contents
from exports.errors import ReportLibraryMissing
from exports.liability_checks import liability_lines
from exports.pages import page
from exports.pro_rata import LABEL
from exports.profiles import left_out
from exports.report import verdict_line
from exports.verdict import CheckStatus, VerificationReport

TEMPLATE: Final = "audit_report.html.j2"


def audit_report_html(contents: Contents, report: VerificationReport) -> bytes:
    """The whole report as one page without script, in UTF-8: the same bytes for the same bundle and verdict.

    Raises `ReportLibraryMissing` without Jinja2.
    """
    return page(TEMPLATE, **_told(contents, report))


def audit_report_pdf(html: bytes) -> bytes:
    """The page as a tagged PDF (PDF/UA). Its fonts are those of the machine, so its bytes may differ elsewhere.

    Raises `ReportLibraryMissing` without WeasyPrint and the Pango library it draws with.
    """
    try:
        import weasyprint
    except (ImportError, OSError) as error:  # OSError: WeasyPrint is there, Pango is not
        raise ReportLibraryMissing(f"the PDF cannot be drawn: {type(error).__name__}") from None
    document = weasyprint.HTML(string=html.decode("utf-8"), url_fetcher=_refuse)
    identifier = hashlib.sha256(html).digest()[:16]
    pdf = document.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=identifier)
    assert isinstance(pdf, bytes)
    return pdf


def _refuse(url: str, *_: object, **__: object) -> NoReturn:
    raise ValueError("a report loads nothing")


def _told(contents: Contents, report: VerificationReport) -> dict[str, Any]:
    facts = report.bundle
    assert facts is not None, "contents were read, so the manifest was"
    return {
        "facts": facts,
        "manifest": contents.manifest,
        "as_of": tables.moment(contents.manifest.as_of),
        "created_at": tables.moment(contents.manifest.created_at),
        "judged_on": report.judged_at.isoformat(),
        "judged_at": tables.moment(report.judged_at),
        "keys_version": report.trusted_keys_version,
        "verdict": verdict_line(report),
        "verdict_class": ("good", "bad", "open")[report.exit_code],
        "roles": [count.text() for count in facts.roles],
        "problems": list(tables.problems(report)),
        "glance": tables.glance(contents),
        "grades": tables.grades(contents),
        "open_cases": sum(each.is_open for each in contents.cases),
        "all_cases": len(contents.cases),
        "cases_shown": "cases" not in left_out(contents.manifest.disclosure),
        "blocks": tables.blocks(contents),
        "block_lines": list(facts.blocks),
        "holdings": tables.holdings(contents),
        "map": wallet_map(contents),
        "governance": tables.governance(contents),
        "control": list(facts.control),
        "liabilities": tables.liabilities(contents),
        "liability_lines": list(liability_lines(contents)),
        "reserve": list(facts.reserve),
        "possession": list(facts.possession),
        "securities": list(facts.securities),
        "superseded": list(facts.superseded),
        "outside": len(contents.imported_evidence),
        "movements": tables.movements(contents),
        "exceptions": tables.exceptions(contents),
        "decisions": decisions.decisions(contents),
        "checkers": decisions.checkers(contents),
        "shortfalls": tables.shortfalls(contents),
        "pro_rata_label": LABEL,
        "not_verified": list(tables.not_verified(contents, report)),
        "checks": tables.checks(report),
        "passed": report.count(CheckStatus.PASSED),
        "sample": report.sample,
    }
