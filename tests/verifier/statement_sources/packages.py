"""A package of somebody else that brings a source of statements, as its installation leaves it on the path."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

MODULE = "third_party_statements"
PLUGIN = """
from verifier.statement_sources.types import FetchedFile, NotFetched, SourceFailed


class Source:
    def __init__(self, options):
        self.options = options

    def fetch(self, request):
        mode = self.options["mode"].get_secret_value()
        if mode == "down":
            raise SourceFailed("connection", "the depository is closed")
        if mode == "odd":
            raise SourceFailed("connection", "line\\x00 one\\nline \\x1b[31mtwo" + "x" * 9999)
        if mode == "broken":
            raise RuntimeError("the token is " + self.options["token"].get_secret_value())
        if mode == "foreign":
            yield object()
        for day in request.business_dates:
            name = f"dtc-{day:%Y%m%d}-086.fin"
            with open(self.options["folder"].get_secret_value() + "/" + name, "rb") as file:
                data = file.read()
            if mode == "lies":
                yield FetchedFile(name, data, "0" * 64)
            elif mode == "escapes":
                yield FetchedFile.of("../" + name, data)
            else:
                yield FetchedFile.of(name, data, "\\u2603\\n" + "y" * 9999)

    def close(self):
        if self.options["mode"].get_secret_value() == "broken":
            raise RuntimeError("again")


class Plugin:
    name = "depository"

    def open(self, settings, hosts):
        return Source(settings.options)


plugin = Plugin()
"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, target: str) -> None:
    """Put the package on the path for one test."""
    site = folder / "site-packages"
    about = site / f"{MODULE}-1.0.dist-info"
    about.mkdir(parents=True)
    (site / f"{MODULE}.py").write_text(PLUGIN)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {MODULE}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[custody_verifier.statements]\n{name} = {target}\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
