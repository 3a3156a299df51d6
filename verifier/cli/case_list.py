"""How a list of cases is shown to people: two lines each, so that the sentence stays readable at any width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from verifier.case_view import amount_text, block_text
from verifier.cli import output
from verifier.records import Finding


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case to show."""

    case_id: str
    state: str
    """In words; may hold markup."""
    finding: Finding
    age: str = ""


def show_cases(title: str, lines: Sequence[CaseLine]) -> None:
    """Print a heading, then for each case what it is, where it was seen, and what was found."""
    output.say(f"\n[bold]{title}[/bold]")
    for line in lines:
        finding = line.finding
        facts = (
            output.clean(amount_text(finding)),
            output.short(block_text(finding)),
            "" if finding.tx_id else f"at {output.short(finding.location_id)}",
            f"{line.age} old" if line.age else "",
        )
        kind = finding.kind.replace("_", " ")
        output.paragraph(
            f"[bold]{output.clean(line.case_id)}[/bold]  {line.state}  [bold]{kind}[/bold]  "
            + "  ".join(fact for fact in facts if fact),
            indent=0,
        )
        output.paragraph(output.short(finding.text), indent=4)
