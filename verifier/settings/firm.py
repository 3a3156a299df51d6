"""The firm: who it is, how it reads the rules, who must agree, how long what is kept."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from exports.reserve.errors import PolicyRefused
from exports.reserve.policies import Policy, policies_at
from verifier.settings.section import BundleText, CivilTime, Section


class FirmSettings(Section):
    """Who the books belong to."""

    name: BundleText


class ReservePolicySettings(Section):
    """A reading of the rule that the firm chose in the place of a default; see docs/rules.md."""

    name: str
    value: str
    effective_from: date
    source: BundleText
    reason: BundleText


class ReserveSettings(Section):
    """The reserve computations of 15c3-3(e)."""

    bank_opens: CivilTime = "09:00"
    """When the reserve banks open for business, in their civil time: a deposit is due one hour later."""
    bank_zone: str = "America/New_York"
    """IANA name of the banks' time zone."""
    closings: list[date] = Field(default=[])
    """Days on which the banks are shut besides the Federal Reserve's holidays."""
    policies: list[ReservePolicySettings] = Field(default=[])
    instruction_days: int = Field(default=2, ge=1, le=10)
    """Banking days after its making on which an instruction may be approved and executed."""
    sweep_credits_from: date | None = None
    """First as-of date whose required deposit customers' swept credits reduce: a staff view (FAQ of 2025-12-08, Q5),
    not in the rule's text, so off unless the firm gives a day."""

    @model_validator(mode="after")
    def _readable(self) -> ReserveSettings:
        try:
            ZoneInfo(self.bank_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"there is no time zone {self.bank_zone}") from None
        try:
            own = [Policy(p.name, p.value, p.effective_from, p.source, p.reason) for p in self.policies]
            policies_at(date.max, own)
        except PolicyRefused as error:
            raise ValueError(str(error)) from None
        return self


class CustodianSettings(Section):
    """Statements of depositories, banks and prime brokers; times are civil, in `reserve.bank_zone`."""

    closes: CivilTime = "18:00"
    """The moment of a statement that names a day alone."""
    warn_minutes: int = Field(default=120, ge=0, le=24 * 60)
    """How long before it is due a statement that is not there becomes a finding."""


class SupervisionSettings(Section):
    """Where what nobody explained goes."""

    wsp_section: str = Field(default="", max_length=200)
    """Section of the firm's written supervisory procedures, named in each escalation."""


class ApprovalSettings(Section):
    """What needs a second person besides cases, instructions and control acts; see docs/cases.md."""

    mapping: bool = False
    """Whether imported and posted rows of the mapping wait for another person before they count."""
    policies: bool = False
    """Whether a change of what judges (reserve policies, thresholds) waits for another person before anything runs."""
    second_above: dict[str, str] = Field(default={})
    """Quantity in whole units, by asset id or symbol, above which the resolution of a case needs two approvals."""

    @field_validator("second_above")
    @classmethod
    def _quantities(cls, given: dict[str, str]) -> dict[str, str]:
        for name, quantity in given.items():
            whole, _, part = quantity.partition(".")
            if not (whole.isascii() and whole.isdigit() and (not part or (part.isascii() and part.isdigit()))):
                raise ValueError(f'{name}: give a quantity in whole units as text, such as "1000" or "2.5"')
        return given


class ArchiveSettings(Section):
    """Where computations and reports are kept for examiners; see docs/reserve-reports.md."""

    folder: Path | None = None
    """The default is `archive` beside the database file."""
    retention_years: int = Field(default=6, ge=6, le=100)
    """Years each record is kept from the day it was archived: 17 CFR 240.17a-4 asks for at most six of these."""
