"""docs/configuration.md names every setting once, with the default in use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from mapping.csvfile import CsvLimits
from verifier import config
from verifier.settings.alerts import AlertSettings
from verifier.settings.chains import NAMESPACE_DEFAULTS
from verifier.settings.web import OidcSettings, WebSettings

TEXT = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
SECTIONS: dict[str, type[BaseModel]] = {
    "[firm]": config.FirmSettings,
    "[database]": config.DatabaseSettings,
    "[sweep]": config.SweepSettings,
    "[watch]": config.WatchSettings,
    "[workers]": config.WorkerSettings,
    "[schedule]": config.ScheduleSettings,
    "[statements]": config.StatementSettings,
    "[[statements.sources]]": config.SourceSettings,
    "[statements.sources.https]": config.HttpsSettings,
    "[imports]": config.ImportSettings,
    "[bundle]": config.BundleSettings,
    "[[bundle.signers]]": config.SignerSettings,
    "[reserve]": config.ReserveSettings,
    "[custodians]": config.CustodianSettings,
    "[supervision]": config.SupervisionSettings,
    "[approvals]": config.ApprovalSettings,
    "[archive]": config.ArchiveSettings,
    "[metrics]": config.MetricsSettings,
    "[log]": config.LogSettings,
    "[web]": WebSettings,
    "[[web.oidc]]": OidcSettings,
    "[[alerts]]": AlertSettings,
    "[[chains]]": config.ChainSettings,
    "[[chains.nodes]]": config.NodeSettings,
    "[chains.limits]": config.LimitSettings,
}
NAMED_OTHERWISE = {"liabilities_secret_file", "history_from_height", "state_directory", "limits", "encumbrances"} | {
    "exports_folder",
    "trusted_keys_file",
}
"""Defaults that depend on other settings, or that another page tells."""
BITCOIN = {
    "finality": "(`confirmed(6)`)",
    "header_format": "(`bitcoin`)",
    "head_age_seconds_max": "(7200)",
    "head_future_seconds_max": "(7200)",
    "heartbeat_seconds_max": "(21600)",
    "state_proofs": "(`off`)",
}


def rows(section: str) -> dict[str, str]:
    """Key to the default that the page gives for it."""
    text = TEXT.split(f"\n### `{section}`\n")[1].split("\n### ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", text, re.MULTILINE))


def told(default: Any) -> str:
    """A default as the page writes it."""
    match default:
        case None | [] | "":
            return "none"
        case dict() if not default:
            return "none"
        case bool():
            return str(default).lower()
        case int() | float():
            return f"{default:g}" if isinstance(default, float) else str(default)
        case SecretStr():
            return f"`{default.get_secret_value()}`"
    return f"`{default}`"


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_named_in_order(section: str) -> None:
    assert list(rows(section)) == list(SECTIONS[section].model_fields)


def test_no_section_is_left_out() -> None:
    sections = re.findall(r"^### `(\[.+\])`$", TEXT, re.MULTILINE)
    assert sections == list(SECTIONS)
    top = {name.strip("[]") for name in SECTIONS if "." not in name}
    assert top == set(config.Settings.model_fields)


@pytest.mark.parametrize("section", SECTIONS)
def test_defaults_are_those_in_use(section: str) -> None:
    for key, written in rows(section).items():
        default = SECTIONS[section].model_fields[key].default
        own = written.removesuffix(BITCOIN[key]).strip() if section == "[[chains]]" and key in BITCOIN else written
        if default is PydanticUndefined:
            assert own == "required", key
        elif key not in NAMED_OTHERWISE and not own.startswith("as in"):
            assert own == told(default), key


def test_bitcoins_own_defaults_are_all_told() -> None:
    namespace = NAMESPACE_DEFAULTS["bip122"]
    assert {key: str(value) for key, value in namespace.items()} == {
        key: text.strip("(`)") + (")" if "confirmed" in text else "") for key, text in BITCOIN.items()
    }
    assert all(rows("[[chains]]")[key].endswith(text) for key, text in BITCOIN.items())


def test_the_importers_own_limits_are_those_of_the_configuration() -> None:
    limits, settings = CsvLimits(), config.ImportSettings()
    assert (limits.bytes_max, limits.rows_max) == (settings.file_bytes_max, settings.file_rows_max)
