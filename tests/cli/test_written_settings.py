"""What `custody init` writes as an example is right when its marks are taken away."""

from __future__ import annotations

import re

import pytest

from tests.cli.command import Firm
from verifier.config import load_settings
from verifier.errors import ConfigError

EXAMPLE = re.compile(r"^#( *(?:\[{1,2}[a-z_.]+\]{1,2}|[a-z_]+ = .*))$", re.MULTILINE)


def test_every_example_can_be_used_as_it_is_written(firm: Firm) -> None:
    path = firm.path("custody.toml")
    written = path.read_text(encoding="utf-8")
    assert not load_settings(path).alerts
    told, taken = EXAMPLE.subn(lambda found: found.group(1).lstrip(), written)
    assert taken > 30
    path.write_text(told, encoding="utf-8")
    settings = load_settings(path)
    assert [(each.name, each.kind) for each in settings.alerts] == [("operations", "webhook"), ("compliance", "email")]
    assert [section.chain_id[:6] for section in settings.chains] == ["eip155", "bip122"]
    assert settings.bundle.signers
    assert settings.metrics.listen
    path.write_text(told.replace('severity = "breach"', 'severity = "loud"'), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"alerts\.1.*severity"):
        load_settings(path)
