"""The auditor's report: every figure of the bundle is in it, nothing of the bundle acts in it, the same bytes again."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from exports.audit_report import audit_report_html, audit_report_pdf
from exports.audit_report.wallet_map import SHOWN_MAX, wallet_map
from exports.bundle import Bundle
from exports.contents import Contents
from exports.errors import ReportLibraryMissing
from exports.manifest import Withheld
from exports.records import Status
from exports.verdict import VerificationReport
from exports.verify import verified_contents
from tests.exports.sample import ETH, NOW, Firm, allocation, make_firm, sample_bundle, write

HOSTILE = "<script>alert(1)</script><img/src=x/onerror=alert(1)>"


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


def read(folder: Path, firm: Firm, bundle: Bundle) -> tuple[Contents, VerificationReport]:
    report, contents = verified_contents(write(folder, firm, bundle), firm.trusted, now=NOW)
    assert contents is not None
    return contents, report


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, firm: Firm) -> str:
    return audit_report_html(*read(tmp_path_factory.mktemp("bundle"), firm, sample_bundle())).decode()


def test_every_assertion_has_its_part_and_every_holding_its_figures(page: str) -> None:
    for heading in (
        "glance",
        "scope",
        "existence",
        "rights",
        "completeness",
        "cut-off",
        "reserve",
        "possession",
        "custodians",
        "exceptions",
        "not-verified",
    ):
        assert f'<h2 id="{heading}">' in page
    for each in sample_bundle().reconciliations:
        assert f'<td class="mono">{each.location}</td>' in page
    assert "3.010000000000000000" in page
    assert "1,000.000000" in page
    assert "-10.000000" in page
    assert page.count('class="status unverified"') >= 1


def test_what_was_not_verified_is_said_with_its_reason(page: str) -> None:
    told = page[page.index('id="not-verified"') : page.index('id="checks"')]
    assert "your node has the pinned block: not requested, no node of your own was given" in told
    assert "1 comparisons are unverified: malformed-answer" in told
    assert "withheld by the firm: client names" in told
    assert "the value of assets in money" in told


def test_a_shortfall_is_shared_and_labelled(page: str) -> None:
    told = page[page.index("Shortfalls shared in proportion") : page.index('id="not-verified"')]
    assert "Illustrative, not a SIPA determination." in told
    assert "10.000000 USDX are missing at" in told


def test_the_same_bundle_and_verdict_give_the_same_bytes(tmp_path: Path, firm: Firm) -> None:
    contents, report = read(tmp_path, firm, sample_bundle())
    assert audit_report_html(contents, report) == audit_report_html(contents, report)


def test_nothing_of_the_bundle_acts_in_the_page(tmp_path: Path, firm: Firm) -> None:
    bundle = sample_bundle()
    allocations = tuple(
        replace(each, client_id=HOSTILE) if each.client_id == "client-1" else each for each in bundle.allocations
    )
    hostile = replace(bundle, allocations=allocations, withheld=(Withheld(HOSTILE, HOSTILE),), scope_text=HOSTILE)
    page = audit_report_html(*read(tmp_path, firm, hostile)).decode()
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert not re.search(r"\b(?:src|href)=", page.replace("src=x", ""))
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_a_refused_bundle_says_so_first_and_why(tmp_path: Path, firm: Firm) -> None:
    bundle = sample_bundle()
    wrong = replace(bundle, allocations=bundle.allocations[1:])
    stranger = make_firm(tmp_path, "stranger")
    report, contents = verified_contents(write(tmp_path, stranger, wrong), firm.trusted, now=NOW)
    assert contents is not None
    page = audit_report_html(contents, report).decode()
    assert 'class="verdict bad"' in page
    assert "Nothing below may be relied on." in page
    assert "check 3, trusted keys signed the manifest" in page[: page.index('id="glance"')]


def test_the_map_shows_what_is_wrong_first_and_counts_the_rest(tmp_path: Path, firm: Firm) -> None:
    bundle = sample_bundle()
    place = bundle.allocations[0].location
    many = (*bundle.allocations, *(allocation(f"z-client-{n:04}", place, ETH, 1) for n in range(300)))
    contents, _ = read(tmp_path, firm, replace(bundle, allocations=many))
    drawn = wallet_map(contents)
    assert drawn is not None
    clients = [box for box in drawn.boxes if box.left == 0]
    assert len(clients) == SHOWN_MAX
    assert clients[-1].label.endswith("more clients")
    owners = {each.client_id for each in many}
    assert clients[-1].label == f"{len(owners) - SHOWN_MAX + 1} more clients"
    short = next(each.location for each in bundle.reconciliations if each.status is Status.DIVERGED)
    hurt = {each.client_id for each in bundle.allocations if each.location == short}
    assert hurt <= {box.title for box in clients}
    assert wallet_map(replace(contents, allocations=())) is None


@pytest.mark.parametrize(("module", "make"), [("jinja2", "html"), ("weasyprint", "pdf")])
def test_without_the_library_it_is_named_and_nothing_else_breaks(
    module: str, make: str, tmp_path: Path, firm: Firm, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ReportLibraryMissing) as caught:
        audit_report_pdf(page.encode()) if make == "pdf" else audit_report_html(*read(tmp_path, firm, sample_bundle()))
    assert "custody-verifier[report]" in caught.value.advice


def test_the_pdf_holds_every_figure_of_the_page(page: str) -> None:
    pytest.importorskip("pypdf")
    import pypdf

    try:
        data = audit_report_pdf(page.encode())
    except ReportLibraryMissing as missing:
        pytest.skip(f"{missing}")
    reader = pypdf.PdfReader(io.BytesIO(data))
    text = re.sub(r"\s+", "", "".join(each.extract_text() for each in reader.pages))
    for figure in re.findall(r'<td class="number">([^<]+)</td>', page):
        assert re.sub(r"\s+", "", figure) in text
    assert "IllustrativenotaSIPAdetermination" in text.replace(",", "")
    assert reader.metadata is not None
    assert "report on bundle 1" in str(reader.metadata.title)
    assert data == audit_report_pdf(page.encode())
