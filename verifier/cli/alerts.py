"""`custody alerts`: who was told what, a test of a channel, and sending by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of
from verifier.errors import InputError

if TYPE_CHECKING:
    from verifier.alerts.records import ChannelCounts, DeliveryView
    from verifier.config import Settings
    from verifier.settings.alerts import AlertSettings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    alerts_app = typer.Typer(no_args_is_help=True, help="What people are told at once: webhooks, mail, chats.")
    app.add_typer(alerts_app, name="alerts")
    alerts_app.command("list")(list_)
    alerts_app.command()(send)
    alerts_app.command("test")(send_test_alert)
    alerts_app.command()(retry)


@command
def list_(
    ctx: typer.Context,
    channel: Annotated[str, typer.Option("--channel", help="Only this channel.")] = "",
    rows: Annotated[int, typer.Option("--rows", help="How many alerts, the newest first.", min=1)] = 50,
    as_json: JsonOption = False,
) -> int:
    """List each channel with what waits for it, and the alerts with what became of them.

    Exit code 0: everything was sent. 2: something waits after a failure or was given up, or no channel is
    configured.

    Example: custody alerts list --json
    """
    settings = settings_of(ctx)
    if channel:
        _channel(settings, channel)
    names = [channel] if channel else [each.name for each in settings.alerts]
    with opened_store(settings) as store:
        counts, found = store.alert_counts(names), store.deliveries(channel, limit=rows)
    if as_json:
        output.emit_json(
            {"channels": [_counts_json(each) for each in counts], "alerts": [_view_json(each) for each in found]}
        )
    else:
        columns = ["channel", "pending", "sent", "given up", "failed tries", "oldest", "why"]
        rows_shown = [_counts_row(each) for each in counts]
        output.out().print(output.table(output.counted(len(counts), "channel"), columns, rows_shown))
        columns = ["recorded", "channel", "state", "severity", "what"]
        rows_shown = [_view_row(each) for each in found]
        output.out().print(output.table(output.counted(len(found), "alert"), columns, rows_shown, folded=["what"]))
    bad = any(each.given_up or each.failing for each in counts)
    return output.EXIT_NOT_CHECKED if bad or not counts else output.EXIT_OK


@command
def send(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="One pass over the channels, then end.")] = False,
    actor: ActorOption = "alerts",
    as_json: JsonOption = False,
) -> int:
    """Send what waits, in order. `custody watch` does so by itself: this is for a firm that runs none.

    Exit code 0: nothing failed. 2: a message was not accepted, or was given up.

    Example: custody alerts send --once
    """
    from verifier.alerts.running import send_once

    if not once:
        raise InputError("say --once; `custody watch` sends by itself as long as it runs")
    settings = settings_of(ctx)
    _require(settings)
    with opened_store(settings) as store:
        outcomes = send_once(store, settings, now, actor)
    if as_json:
        output.emit_json(
            {
                "channels": [
                    {
                        "channel": each.channel,
                        "messages": each.sent,
                        "alerts": each.alerts,
                        "failed": each.failed,
                        "given_up": each.gave_up,
                    }
                    for each in outcomes
                ]
            }
        )
    else:
        for each in outcomes:
            failed = f", [yellow]failed: {output.clean(each.failed)}[/yellow]" if each.failed else ""
            output.say(f"{output.clean(each.channel)}: {output.counted(each.alerts, 'alert')} sent{failed}")
    return output.EXIT_NOT_CHECKED if any(each.failed for each in outcomes) else output.EXIT_OK


@command
def send_test_alert(
    ctx: typer.Context,
    channel: Annotated[str, typer.Argument(help="Name of the channel.")],
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Send a test alert to one channel at once, past the outbox's order, and say whether it was accepted.

    Exit code 0: accepted. 2: not.

    Example: custody alerts test operations-mail
    """
    from verifier.alerts.running import send_test

    settings = settings_of(ctx)
    section = _channel(settings, channel)
    with opened_store(settings) as store:
        code = send_test(store, settings, section, now, actor)
    if as_json:
        output.emit_json({"channel": channel, "accepted": not code, "failed": code})
    elif code:
        output.say(f"{output.clean(channel)}: [yellow]not accepted: {output.clean(code)}[/yellow]")
    else:
        output.say(f"{output.clean(channel)}: accepted")
    return output.EXIT_NOT_CHECKED if code else output.EXIT_OK


@command
def retry(
    ctx: typer.Context,
    channel: Annotated[str, typer.Argument(help="Name of the channel.")],
    as_json: JsonOption = False,
) -> int:
    """Put the alerts back into a channel's line that were given up; the next pass sends them, under new ids.

    Example: custody alerts retry operations-mail
    """
    settings = settings_of(ctx)
    _channel(settings, channel)
    with opened_store(settings) as store:
        count = store.try_alerts_again(channel)
    if as_json:
        output.emit_json({"channel": channel, "alerts": count})
    else:
        output.say(f"{output.counted(count, 'alert')} to be sent again")
    return output.EXIT_OK


def _require(settings: Settings) -> dict[str, AlertSettings]:
    """The channels by name."""
    known = {each.name: each for each in settings.alerts}
    if not known:
        raise InputError("no channel is configured", advice="Add a section [[alerts]]; see docs/alerts.md.")
    return known


def _channel(settings: Settings, name: str) -> AlertSettings:
    known = _require(settings)
    if name not in known:
        raise InputError(f"there is no channel {name}", advice=f"Configured are: {', '.join(known)}.")
    return known[name]


def _counts_json(counts: ChannelCounts) -> dict[str, object]:
    from chains.types import utc_text

    return {
        "channel": counts.channel,
        "pending": counts.pending,
        "sent": counts.sent,
        "given_up": counts.given_up,
        "failed_tries": counts.failing,
        "oldest_pending_at": utc_text(counts.oldest_at) if counts.oldest_at else None,
        "code": counts.code,
    }


def _view_json(view: DeliveryView) -> dict[str, object]:
    from chains.types import utc_text

    new = view.alert.new
    return {
        "channel": view.channel,
        "state": view.state.value,
        "message_id": view.message_id,
        "failed_or_sent_tries": view.attempts,
        "code": view.code,
        "ended_at": utc_text(view.sent_at) if view.sent_at else None,
        "position": view.alert.position,
        "journal_sequence": view.alert.sequence,
        "recorded_at": utc_text(view.alert.recorded_at),
        "event": new.event.value,
        "severity": new.severity.value,
        "title": new.title,
        "case_id": new.case_id or None,
    }


def _counts_row(counts: ChannelCounts) -> list[str]:
    oldest = f"{counts.oldest_at:%Y-%m-%d %H:%M}" if counts.oldest_at else ""
    numbers = [str(each) for each in (counts.pending, counts.sent, counts.given_up, counts.failing)]
    return [counts.channel, *numbers, oldest, counts.code]


def _view_row(view: DeliveryView) -> list[str]:
    new = view.alert.new
    state = view.state.value.replace("_", " ")
    return [f"{view.alert.recorded_at:%Y-%m-%d %H:%M:%S}", view.channel, state, new.severity.value, new.title]
