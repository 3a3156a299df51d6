"""The page from its template, and the PDF from the page. Both libraries are imported only here and only when needed."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NoReturn

from exports.audit_report import tables
from exports.audit_report.wallet_map import wallet_map
from exports.block_lines import block_lines
from exports.contents import Contents
from exports.control_lines import control_lines
from exports.errors import BundleError
from exports.liability_checks import liability_lines
from exports.pro_rata import LABEL
from exports.report import verdict_line
from exports.reserve_checks import reserve_lines
from exports.verdict import CheckStatus, VerificationReport

if TYPE_CHECKING:
    import jinja2

TEMPLATE: Final = "report.html.j2"
STYLE: Final = "report.css"


class ReportLibraryMissing(BundleError):
    """A library that only reports need is not installed."""

    code = "report-library-missing"
    advice = "Install custody-verifier[report]; verifying works without it."


def audit_report_html(contents: Contents, report: VerificationReport) -> bytes:
    """The whole report as one page without script, in UTF-8: the same bytes for the same bundle and verdict.

    Raises `ReportLibraryMissing` without Jinja2.
    """
    style = _resource(STYLE)
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    page = (
        _environment()
        .get_template(TEMPLATE)
        .render(style=style, style_digest=f"sha256-{digest}", **_told(contents, report))
    )
    return page.encode("utf-8")


def audit_report_pdf(page: bytes) -> bytes:
    """The page as a tagged PDF (PDF/UA). Its fonts are those of the machine, so its bytes may differ elsewhere.

    Raises `ReportLibraryMissing` without WeasyPrint and the Pango library it draws with.
    """
    try:
        import weasyprint
    except (ImportError, OSError) as error:  # OSError: WeasyPrint is there, Pango is not
        raise ReportLibraryMissing(f"the PDF cannot be drawn: {type(error).__name__}") from None
    document = weasyprint.HTML(string=page.decode("utf-8"), url_fetcher=_refuse)
    identifier = hashlib.sha256(page).digest()[:16]
    pdf = document.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=identifier)
    assert isinstance(pdf, bytes)
    return pdf


def _refuse(url: str, *_: object, **__: object) -> NoReturn:
    raise ValueError("a report loads nothing")


def _environment() -> jinja2.Environment:
    try:
        import jinja2
    except ImportError:
        raise ReportLibraryMissing("the page cannot be made: Jinja2 is not installed") from None
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_resource),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _resource(name: str) -> str:
    return files("exports.audit_report").joinpath(name).read_text(encoding="utf-8")


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
        "blocks": tables.blocks(contents),
        "block_lines": list(block_lines(contents)),
        "holdings": tables.holdings(contents),
        "map": wallet_map(contents),
        "governance": tables.governance(contents),
        "control": list(control_lines(contents)),
        "liabilities": tables.liabilities(contents),
        "liability_lines": list(liability_lines(contents)),
        "reserve": list(reserve_lines(contents)),
        "movements": tables.movements(contents),
        "exceptions": tables.exceptions(contents),
        "shortfalls": tables.shortfalls(contents),
        "pro_rata_label": LABEL,
        "not_verified": list(tables.not_verified(contents, report)),
        "checks": tables.checks(report),
        "passed": report.count(CheckStatus.PASSED),
        "sample": report.sample,
    }
