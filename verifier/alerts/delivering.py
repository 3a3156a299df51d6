"""One try of one message, by its channel's kind."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from verifier.alerts import wording

if TYPE_CHECKING:
    from verifier.alerts.records import Message
    from verifier.alerts.sender import Deliver
    from verifier.config import Settings
    from verifier.settings.alerts import AlertSettings


def deliverer(settings: Settings) -> Deliver:
    """What sends a message once."""
    firm, public_url = settings.firm.name, settings.web.public_url

    def deliver(channel: AlertSettings, message: Message, now: datetime) -> None:
        if channel.kind == "webhook":
            from verifier.alerts import webhook

            body = wording.body_json(message, firm, public_url, details=channel.details)
            webhook.send(channel, message.message_id, body, now)
            return
        title = wording.subject(message, firm)
        said = wording.lines(message, public_url, details=channel.details)
        if channel.kind == "email":
            from verifier.alerts import mail

            mail.send(channel, message.message_id, title, said, now)
            return
        from verifier.alerts import chat

        chat.send(channel, title, said)

    return deliver
