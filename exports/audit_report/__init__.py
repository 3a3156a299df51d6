"""The auditor's report on one bundle, as a page and as a PDF, made from what the bundle says and what was checked.

The page needs Jinja2 and the PDF WeasyPrint (extra `report`); verifying needs neither. Whoever has the bundle makes the
report: the firm's own words are not taken. The same bundle and verdict give the same bytes of the page.
"""

from __future__ import annotations

from exports.audit_report.render import audit_report_html, audit_report_pdf

__all__ = ["audit_report_html", "audit_report_pdf"]
