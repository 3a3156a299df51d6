"""The first page: the signal, a card for each rail, the next deadline, the chains and the open cases by age."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from exports.reserve.money import dollars_grouped
from verifier.reserve_show import remaining_text
from verifier.store.journal_view import newest_entries
from verifier.store.records import UNVERIFIED_KINDS
from verifier.web.views.drawing import Part, parts
from verifier.web.views.signal import Signal, chain_href, signal
from verifier.web.views.tones import Mark, Tone, age_words

if TYPE_CHECKING:
    from verifier.control_rail import PossessionView
    from verifier.overview import ChainOverview, Overview
    from verifier.reserve_rail import PurposeView, ReserveView
    from verifier.securities_rail import SecuritiesView
    from verifier.store import Case, Store

LATELY: Final = 8
AGES: Final = (
    ("under a day", timedelta(days=1)),
    ("1 to 3 days", timedelta(days=3)),
    ("3 to 10 days", timedelta(days=10)),
    ("10 days and more", timedelta.max),
)


@dataclass(frozen=True, slots=True)
class Card:
    """One rail in a few figures."""

    title: str
    href: str
    mark: Mark
    figures: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One amount beside others of its kind; `share` is its length in 1/1000 of the longest."""

    name: str
    amount: str
    share: int
    tone: Tone


@dataclass(frozen=True, slots=True)
class Funding:
    """Required, held and projected of one purpose."""

    title: str
    bars: tuple[Bar, ...]
    note: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a deposit is due, and whether one is needed."""

    text: str
    left: str
    at: datetime
    tone: Tone


@dataclass(frozen=True, slots=True)
class ChainLine:
    """The last sweep of a chain."""

    chain_id: str
    name: str
    href: str
    mark: Mark
    block: str
    age: str
    counts: tuple[Part, ...]
    expected: int


@dataclass(frozen=True, slots=True)
class AgeGroup:
    """Open cases of about one age, those that contradict and those of what is not known."""

    name: str
    contradicting: int
    unknown: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that was written lately."""

    at: datetime
    actor: str
    what: str


@dataclass(frozen=True, slots=True)
class Home:
    """Everything on the first page."""

    signal: Signal
    cards: tuple[Card, ...]
    fundings: tuple[Funding, ...]
    deadline: Deadline | None
    chains: tuple[ChainLine, ...]
    open_cases: int
    ages: tuple[AgeGroup, ...]
    lately: tuple[Happened, ...]


def home(store: Store, found: Overview, now: datetime) -> Home:
    """The first page of an overview."""
    cases = store.cases()
    cards = [_digital(found)]
    if found.securities is not None:
        cards.append(_securities(found.securities))
    if found.reserve is not None:
        cards.append(_cash(found.reserve))
    if found.possession is not None:
        cards.append(_control(found.possession))
    fundings = [funding_of(each) for each in found.reserve.purposes] if found.reserve is not None else []
    return Home(
        signal(found),
        tuple(cards),
        tuple(fundings),
        next_deadline(found.reserve, now) if found.reserve is not None else None,
        tuple(chain_line(each) for each in found.chains),
        len(cases),
        tuple(_ages(cases, now)),
        tuple(
            Happened(each.recorded_at, each.actor, each.kind.replace(".", " ").replace("_", " "))
            for each in reversed(newest_entries(store, LATELY))
        ),
    )


def _digital(found: Overview) -> Card:
    swept = [chain.summary for chain in found.chains if chain.summary is not None]
    diverged, unverified = sum(each.diverged for each in swept), sum(each.unverified for each in swept)
    expected, matched = sum(each.expected for each in swept), sum(each.matched for each in swept)
    old = [chain for chain in found.chains if chain.stale or chain.halted]
    if not found.chains or not expected:
        mark = Mark("nothing compared", Tone.OPEN)
    elif diverged:
        mark = Mark("diverged", Tone.BAD)
    elif unverified or old:
        mark = Mark("not verified", Tone.OPEN)
    else:
        mark = Mark("matched", Tone.GOOD)
    figures = [("Holdings matched", f"{matched:,} of {expected:,}"), ("Diverged", f"{diverged:,}")]
    figures += [("Not verified", f"{unverified:,}"), ("Chains", f"{len(swept)} of {len(found.chains)} swept")]
    return Card("Digital assets", "/chains", mark, tuple(figures))


def _securities(view: SecuritiesView) -> Card:
    run = view.run
    if run is None:
        return Card("Securities", "/securities", Mark("never compared", Tone.OPEN), ())
    mark = Mark("matched", Tone.GOOD)
    if run.diverged:
        mark = Mark("diverged", Tone.BAD)
    elif run.unverified or view.waiting or not run.expected:
        mark = Mark("not verified", Tone.OPEN)
    figures = (
        ("Positions matched", f"{run.matched:,} of {run.expected:,}"),
        ("Diverged", f"{run.diverged:,}"),
        ("Not verified", f"{run.unverified:,}"),
        ("Statements of", run.as_of.isoformat()),
    )
    return Card("Securities", "/securities", mark, figures)


def _cash(view: ReserveView) -> Card:
    short, gaps = any(_is_short(each) for each in view.purposes), any(each.gaps for each in view.purposes)
    mark = Mark("funded", Tone.GOOD)
    if short:
        mark = Mark("under-funded", Tone.BAD)
    elif gaps:
        mark = Mark("not verified", Tone.OPEN)
    figures: list[tuple[str, str]] = []
    for each in view.purposes:
        required = dollars(each.funding.requirement.cents) if each.funding is not None else "not known"
        name = purpose_name(each)
        figures += [(f"{name}: required", required), (f"{name}: held", dollars(each.held.cents))]
    return Card("Reserve (cash)", "/reserve", mark, tuple(figures))


def _control(view: PossessionView) -> Card:
    mark = Mark("in control", Tone.GOOD)
    if view.in_deficit:
        mark = Mark("deficit", Tone.BAD)
    elif view.gaps:
        mark = Mark("not verified", Tone.OPEN)
    review = view.review
    figures = [
        ("Issues short", f"{len(review.deficits):,} of {len(review.issues):,}" if review is not None else "not known"),
        ("Short by the books now", f"{len(view.projected.deficits):,}" if view.projected is not None else "not known"),
        ("Acts under way", f"{len(view.acts):,}"),
        ("Last review", view.last.as_of.isoformat() if view.last is not None else "none"),
    ]
    return Card("Possession or control", "/control", mark, tuple(figures))


def dollars(cents: int) -> str:
    """US cents for people: `$1,234.05`."""
    return f"-${dollars_grouped(-cents)}" if cents < 0 else f"${dollars_grouped(cents)}"


def purpose_name(view: PurposeView) -> str:
    """`Customers` or `PAB`."""
    return {"customer": "Customers", "pab": "PAB"}[view.purpose.value]


def _is_short(view: PurposeView) -> bool:
    return bool(view.shortfall or view.projected_shortfall)


def funding_of(view: PurposeView) -> Funding:
    """Required, held and projected beside each other."""
    required = view.funding.requirement.cents if view.funding is not None else None
    projected = view.projected.cents if view.projected is not None else None
    held = view.held.cents
    longest = max(1, held, required or 0, projected or 0)

    def bar(name: str, cents: int | None, tone: Tone) -> Bar:
        return Bar(name, "not known" if cents is None else dollars(cents), (cents or 0) * 1000 // longest, tone)

    note, tone = "", Tone.GOOD
    if view.shortfall:
        note, tone = f"Short by {dollars(view.shortfall)}", Tone.BAD
    elif view.projected_shortfall:
        note, tone = f"Projected short by {dollars(view.projected_shortfall)}", Tone.BAD
    elif view.gaps:
        note, tone = "Not verified", Tone.OPEN
    elif view.funding is not None:
        note = f"Excess of {dollars(view.funding.excess)}"
    bars = (bar("Required", required, Tone.IDLE), bar("Held", held, tone), bar("Projected", projected, Tone.IDLE))
    return Funding(f"{purpose_name(view)} reserve", bars, note, tone)


def next_deadline(view: ReserveView, now: datetime) -> Deadline | None:
    """The deposit that is due first: of what is short, then of what is projected to be; else when the next is fixed."""
    short = [
        Deadline(
            f"{purpose_name(each)}: deposit {dollars(each.shortfall)}",
            remaining_text(each.deposit.deposit_by, now),
            each.deposit.deposit_by,
            Tone.BAD,
        )
        for each in view.purposes
        if each.shortfall and each.deposit is not None
    ]
    later = [
        Deadline(
            f"{purpose_name(each)}: {_projected_words(each)}",
            remaining_text(each.projected_by, now),
            each.projected_by,
            Tone.BAD if each.projected_shortfall else Tone.GOOD,
        )
        for each in view.purposes
        if each.projected_by is not None
    ]
    return min(short or later, key=lambda each: each.at, default=None)


def _projected_words(view: PurposeView) -> str:
    if view.projected_shortfall:
        return f"projected deposit of {dollars(view.projected_shortfall)}"
    return "no deposit by what is projected"


def chain_line(chain: ChainOverview) -> ChainLine:
    """A chain by its last sweep."""
    summary = chain.summary
    if summary is None:
        never = Mark("never swept", Tone.OPEN)
        return ChainLine(chain.chain_id, chain.name, chain_href(chain.chain_id), never, "", "", (), 0)
    if chain.halted:
        mark = Mark("halted", Tone.BAD)
    elif summary.diverged:
        mark = Mark("diverged", Tone.BAD)
    elif summary.unverified or not summary.expected:
        mark = Mark("not verified", Tone.OPEN)
    elif chain.stale:
        mark = Mark("too old", Tone.OPEN)
    else:
        mark = Mark("matched", Tone.GOOD)
    counts = parts(
        (summary.matched, Tone.GOOD, "matched"),
        (summary.diverged, Tone.BAD, "diverged"),
        (summary.unverified, Tone.OPEN, "unverified"),
    )
    age = age_words(chain.age_seconds or 0)
    return ChainLine(
        chain.chain_id,
        chain.name,
        chain_href(chain.chain_id),
        mark,
        f"{summary.block.height:,}",
        age,
        counts,
        summary.expected,
    )


def _ages(cases: Sequence[Case], now: datetime) -> Iterable[AgeGroup]:
    groups: dict[str, list[int]] = {name: [0, 0] for name, _ in AGES}
    for case in cases:
        name = next(name for name, limit in AGES if now - case.opened_at < limit)
        groups[name][case.finding.kind in UNVERIFIED_KINDS] += 1
    most = max((sum(numbers) for numbers in groups.values()), default=0)
    for name, (contradicting, unknown) in groups.items():
        drawn = parts((contradicting, Tone.BAD, "contradicting"), (unknown, Tone.OPEN, "not known"), whole=most)
        yield AgeGroup(name, contradicting, unknown, drawn)
