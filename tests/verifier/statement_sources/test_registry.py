"""Plugins of other packages are found by their entry point, and cannot take the place of the built-in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.verifier.statement_sources.packages import install
from verifier.statement_sources import https
from verifier.statement_sources.registry import installed_plugins, statement_plugin
from verifier.statement_sources.types import SourceFailed


def test_the_built_in_one_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert statement_plugin("https") is https.plugin
    assert "https" in installed_plugins()


def test_a_plugin_of_another_package_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "depository", "third_party_statements:plugin")
    assert statement_plugin("depository").name == "depository"
    assert {"depository", "https"} <= set(installed_plugins())


@pytest.mark.parametrize(
    ("name", "target", "said"),
    [
        ("depository", "third_party_statements:missing", "cannot be loaded: AttributeError"),
        ("depository", "third_party_nowhere:plugin", "cannot be loaded: ModuleNotFoundError"),
        ("other", "third_party_statements:plugin", "calls itself otherwise"),
        ("https", "third_party_statements:plugin", "two plugins are installed as https"),
    ],
)
def test_a_plugin_that_is_not_what_it_says_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, target: str, said: str
) -> None:
    install(tmp_path, monkeypatch, name, target)
    with pytest.raises(SourceFailed, match=said) as refused:
        statement_plugin(name)
    assert refused.value.code == "source-config"


def test_a_name_that_nobody_has() -> None:
    with pytest.raises(SourceFailed, match="no plugin nowhere is installed"):
        statement_plugin("nowhere")
