"""A mail over SMTP, encrypted, with the message's id as its own, so that doubles can be told apart."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING

from verifier.alerts.channel import NotSent
from verifier.alerts.webhook import trusted

if TYPE_CHECKING:
    from verifier.settings.alerts import AlertSettings


def mail_of(
    settings: AlertSettings, message_id: str, title: str, lines: Sequence[str], now: datetime, recipients: Sequence[str]
) -> EmailMessage:
    """The mail: plain text alone, so that nothing in it can act. No text may break a header."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = title
    mail["From"] = settings.sender
    mail["To"] = ", ".join(recipients)
    mail["Date"] = format_datetime(now)
    domain = settings.sender.rpartition("@")[2]
    mail["Message-ID"] = f"<{message_id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n".join(lines) + "\n")
    return mail


def send(settings: AlertSettings, message_id: str, title: str, lines: Sequence[str], now: datetime) -> None:
    """Hand a mail to the server once, for all recipients. Raises `NotSent`, also when it refuses one of them."""
    mail = mail_of(settings, message_id, title, lines, now, settings.recipients)
    password = settings.smtp_password()
    context = trusted(settings.ca_file) or ssl.create_default_context()
    try:
        with _connected(settings, context) as server:
            if settings.smtp_security == "starttls":
                server.starttls(context=context)
            if settings.smtp_user:
                server.login(settings.smtp_user, password)
            refused = server.send_message(mail)
    except ssl.SSLError:
        raise NotSent("certificate") from None
    except smtplib.SMTPAuthenticationError:
        raise NotSent("smtp-login") from None
    except smtplib.SMTPNotSupportedError:
        raise NotSent("smtp-not-encrypted") from None
    except smtplib.SMTPResponseException as error:
        raise NotSent(f"smtp-{error.smtp_code}") from None
    except smtplib.SMTPException:
        raise NotSent("smtp-refused") from None
    except TimeoutError:
        raise NotSent("timeout") from None
    except OSError:
        raise NotSent("connection") from None
    if refused:
        raise NotSent("smtp-recipient")


def _connected(settings: AlertSettings, context: ssl.SSLContext) -> smtplib.SMTP:
    host, port, seconds = settings.smtp_host, settings.smtp_port, settings.seconds_max
    if settings.smtp_security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=seconds, context=context)
    return smtplib.SMTP(host, port, timeout=seconds)
