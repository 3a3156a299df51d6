"""The outbox: alerts that acts left behind, what of them each channel wants, and what became of it.

An alert is written by the act itself (`Unit.tell`). Senders hold a lease, so a channel has one sender; a message gets
its id, and its alerts, before it is sent first. Whoever is cut off after sending sends the same id again.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from chains.types import utc_text
from verifier.alerts.records import (
    Alert,
    ChannelCounts,
    DeliveryState,
    DeliveryView,
    Message,
    NewAlert,
)
from verifier.store.engine import Database, translated
from verifier.store.tables import AlertChannelRow, AlertDeliveryRow, AlertRow, JournalEntryRow, table

ALERT: Final = table(AlertRow)
CHANNEL: Final = table(AlertChannelRow)
DELIVERY: Final = table(AlertDeliveryRow)
ENTRY: Final = table(JournalEntryRow)
KEPT: Final = timedelta(days=90)
"""How long alerts are kept that wait for nothing any more."""
LOOK_BACK: Final = timedelta(days=1)
"""A channel that is new is told what was recorded so long before."""
PER_MESSAGE: Final = 500
"""Most alerts in one message."""


class AlertStore(Database):
    """The alerts' side of the store."""

    def plan_alerts(self, channel: str, wants: Callable[[Alert], bool], now: datetime) -> int:
        """Note which of the alerts that came since a channel wants; returns how many. No news, no write."""
        with self.read() as connection:
            known = connection.execute(sa.select(CHANNEL.c.planned_to).where(CHANNEL.c.name == channel)).scalar()
            newest = connection.execute(sa.select(sa.func.max(ALERT.c.position))).scalar() or 0
        if known is not None and newest <= known:
            return 0
        with translated(), self._writing() as connection:
            known = connection.execute(sa.select(CHANNEL.c.planned_to).where(CHANNEL.c.name == channel)).scalar()
            query = sa.select(ALERT).order_by(ALERT.c.position)
            query = query.where(ALERT.c.position > known) if known is not None else query.where(
                ALERT.c.recorded_at >= now - LOOK_BACK
            )  # fmt: skip
            rows = connection.execute(query).all()
            wanted = [row.position for row in rows if wants(_alert(row))]
            if wanted:
                fresh = {"state": DeliveryState.PENDING, "message_id": "", "attempts": 0, "code": ""}
                rest = {"channel": channel, "next_at": None, "ended_at": None}
                connection.execute(DELIVERY.insert(), [{"position": each, **fresh, **rest} for each in wanted])
            if known is None:
                newest = connection.execute(sa.select(sa.func.max(ALERT.c.position))).scalar() or 0
                connection.execute(CHANNEL.insert(), {"name": channel, "planned_to": newest})
            elif rows:
                changed = CHANNEL.update().where(CHANNEL.c.name == channel)
                connection.execute(changed.values(planned_to=rows[-1].position))
            return len(wanted)

    def message_under_way(self, channel: str) -> Message | None:
        """The message that has an id and is neither sent nor given up."""
        with self.read() as connection:
            return _under_way(connection, channel)

    def form_message(self, channel: str, may_go: Callable[[Alert], bool]) -> Message | None:
        """Put what waits into one message with an id, oldest first; None when nothing waits that may go now.

        A message that is under way comes first.
        """
        with self.read() as connection:
            if not any(may_go(_alert(each)) for each in _pending(connection, channel)):
                return None
        with translated(), self._writing() as connection:
            if (before := _under_way(connection, channel)) is not None:
                return before
            waiting = [each for each in _pending(connection, channel) if may_go(_alert(each))][:PER_MESSAGE]
            if not waiting:
                return None
            message_id = f"msg_{uuid.uuid4().hex}"
            chosen = DELIVERY.update().where(
                DELIVERY.c.channel == channel, DELIVERY.c.position.in_([each.position for each in waiting])
            )
            connection.execute(chosen.values(message_id=message_id))
            return Message(message_id, channel, tuple(_alert(each) for each in waiting))

    def alerts_sent(self, message: Message, actor: str, now: datetime) -> None:
        """Note, with a journal entry, that a message was accepted by its receiver."""
        self._end(message, DeliveryState.SENT, "", actor, now)

    def alerts_given_up(self, message: Message, code: str, actor: str, now: datetime) -> None:
        """Note, with a journal entry, that a message will not be tried again."""
        self._end(message, DeliveryState.GIVEN_UP, code, actor, now)

    def alerts_failed(self, message: Message, code: str, next_at: datetime) -> None:
        """Note that a try failed, and when the next one is."""
        with translated(), self._writing() as connection:
            connection.execute(
                _of(message).values(attempts=message.attempts + 1, next_at=next_at, code=code),
            )

    def try_alerts_again(self, channel: str) -> int:
        """Put what a channel was given up for back into its line; returns how many alerts."""
        given_up = DELIVERY.update().where(DELIVERY.c.channel == channel, DELIVERY.c.state == DeliveryState.GIVEN_UP)
        fresh = {"state": DeliveryState.PENDING, "message_id": "", "attempts": 0, "next_at": None, "ended_at": None}
        with translated(), self._writing() as connection:
            return int(connection.execute(given_up.values(**fresh)).rowcount)

    def note_act(self, kind: str, payload: dict[str, object], actor: str, now: datetime) -> None:
        """Record an act of which there is nothing but its journal entry; see `verifier.alerts.telling`."""
        with self.record(kind, actor, payload, now, payload_is_the_record=True):
            pass

    def newest_sent_at(self, channel: str) -> datetime | None:
        """When a channel was last sent something."""
        query = sa.select(sa.func.max(DELIVERY.c.ended_at)).where(
            DELIVERY.c.channel == channel, DELIVERY.c.state == DeliveryState.SENT
        )
        with self.read() as connection:
            return connection.execute(query).scalar()

    def alert_counts(self, channels: Sequence[str]) -> list[ChannelCounts]:
        """How each of the channels stands; what no sender has looked at yet is not counted."""
        with self.read() as connection:
            return [_counts(connection, each) for each in channels]

    def deliveries(self, channel: str = "", *, limit: int = 100) -> list[DeliveryView]:
        """Alerts on their channels, the newest first."""
        query = sa.select(ALERT, *DELIVERY.c["channel", "state", "message_id", "attempts", "code", "ended_at"])
        query = query.join_from(DELIVERY, ALERT, DELIVERY.c.position == ALERT.c.position)
        query = query.order_by(ALERT.c.position.desc(), DELIVERY.c.channel).limit(limit)
        with self.read() as connection:
            rows = connection.execute(query.where(DELIVERY.c.channel == channel) if channel else query).all()
        return [
            DeliveryView(_alert(row), row.channel, row.state, row.message_id, row.attempts, row.code, row.ended_at)
            for row in rows
        ]

    def newest_act(self, kind: str) -> dict[str, Any] | None:
        """The payload of the newest journal entry of a kind."""
        query = sa.select(ENTRY.c.payload).where(ENTRY.c.kind == kind).order_by(ENTRY.c.sequence.desc()).limit(1)
        with self.read() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else dict(json.loads(found))

    def acts(self, kind: str, since: datetime) -> list[dict[str, Any]]:
        """The payloads of the journal entries of a kind from a moment on."""
        query = sa.select(ENTRY.c.payload).where(ENTRY.c.kind == kind, ENTRY.c.recorded_at >= since)
        with self.read() as connection:
            return [dict(json.loads(each)) for each in connection.execute(query.order_by(ENTRY.c.sequence)).scalars()]

    def forget_old_alerts(self, now: datetime, channels: Collection[str]) -> None:
        """Drop alerts that are old and wait for none of the channels; the newest stays, so that positions rise."""
        with translated(), self._writing() as connection:
            newest = connection.execute(sa.select(sa.func.max(ALERT.c.position))).scalar() or 0
            waits = sa.select(DELIVERY.c.position).where(
                DELIVERY.c.state == DeliveryState.PENDING, DELIVERY.c.channel.in_(sorted(channels))
            )
            query = sa.select(ALERT.c.position).where(
                ALERT.c.recorded_at < now - KEPT, ALERT.c.position < newest, ALERT.c.position.not_in(waits)
            )
            old = [row.position for row in connection.execute(query.limit(10_000))]
            for first in range(0, len(old), PER_MESSAGE):
                some = old[first : first + PER_MESSAGE]
                connection.execute(DELIVERY.delete().where(DELIVERY.c.position.in_(some)))
                connection.execute(ALERT.delete().where(ALERT.c.position.in_(some)))

    def _end(self, message: Message, state: DeliveryState, code: str, actor: str, now: datetime) -> None:
        told: dict[str, object] = {
            "channel": message.channel,
            "message_id": message.message_id,
            "entries": [each.sequence for each in message.alerts],
            "recorded_at": utc_text(message.alerts[0].recorded_at),
        }
        told |= {"code": code, "attempts": message.attempts + 1} if code else {"attempts": message.attempts + 1}
        with self.record(f"alert.{state}", actor, told, now, payload_is_the_record=True) as unit:
            unit.connection.execute(
                _of(message).values(state=state, attempts=message.attempts + 1, next_at=None, ended_at=now, code=code)
            )


def _of(message: Message) -> sa.Update:
    return DELIVERY.update().where(
        DELIVERY.c.channel == message.channel,
        DELIVERY.c.message_id == message.message_id,
        DELIVERY.c.state == DeliveryState.PENDING,
    )


def _pending(connection: sa.Connection, channel: str, *more: Any) -> Sequence[Any]:
    query = (
        sa.select(ALERT, *DELIVERY.c["message_id", "attempts", "next_at", "code"])
        .join_from(DELIVERY, ALERT, DELIVERY.c.position == ALERT.c.position)
        .where(DELIVERY.c.channel == channel, DELIVERY.c.state == DeliveryState.PENDING, *more)
        .order_by(ALERT.c.position)
    )
    return connection.execute(query).all()


def _under_way(connection: sa.Connection, channel: str) -> Message | None:
    rows = _pending(connection, channel, DELIVERY.c.message_id != "")
    if not rows:
        return None
    first = rows[0]
    mine = tuple(_alert(row) for row in rows if row.message_id == first.message_id)
    return Message(first.message_id, channel, mine, first.attempts, first.next_at)


def _alert(row: Any) -> Alert:
    new = NewAlert(row.event, row.severity, row.title, row.details, row.case_id, row.chain_id)
    return Alert(row.position, row.sequence, row.recorded_at, new)


def _counts(connection: sa.Connection, channel: str) -> ChannelCounts:
    query = sa.select(DELIVERY.c.state, sa.func.count().label("how_many")).where(DELIVERY.c.channel == channel)
    numbers = {row.state: int(row.how_many) for row in connection.execute(query.group_by(DELIVERY.c.state))}
    waiting = (
        sa.select(ALERT.c.recorded_at, *DELIVERY.c["attempts", "code"])
        .join_from(DELIVERY, ALERT, DELIVERY.c.position == ALERT.c.position)
        .where(DELIVERY.c.channel == channel, DELIVERY.c.state == DeliveryState.PENDING)
        .order_by(ALERT.c.position)
        .limit(1)
    )
    first = connection.execute(waiting).first()
    return ChannelCounts(
        channel,
        numbers.get(DeliveryState.PENDING, 0),
        numbers.get(DeliveryState.GIVEN_UP, 0),
        numbers.get(DeliveryState.SENT, 0),
        first.attempts if first is not None else 0,
        first.recorded_at if first is not None else None,
        first.code if first is not None else "",
    )
