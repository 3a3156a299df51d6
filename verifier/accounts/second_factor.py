"""The six digits of an authenticator app (RFC 6238), and the picture it is set up with."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import Final

PERIOD: Final = timedelta(seconds=30)
DRIFT_STEPS: Final = 1
"""How many steps a telephone's clock may be off, to each side."""


def new_secret() -> str:
    """160 random bits in base 32."""
    import pyotp

    return pyotp.random_base32(32)


def address(secret: str, login: str, firm: str) -> str:
    """What an authenticator app reads: `otpauth://totp/…`."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=firm)


def picture(text: str) -> str:
    """A QR code as the paths of an SVG image, to be put into a page; it takes the colours of the page."""
    import segno

    return segno.make(text, error="m", micro=False).svg_inline(
        scale=5, border=4, omitsize=True, dark="#000", light="#fff", title="Code for an authenticator app"
    )


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step that a code is of, now or a step beside; None when it is of neither."""
    import pyotp

    digits = "".join(code.split())
    if len(digits) != 6 or not digits.isascii() or not digits.isdigit():
        return None
    totp = pyotp.TOTP(secret)
    newest = int(now.timestamp()) // int(PERIOD.total_seconds())
    found = None
    for step in range(newest - DRIFT_STEPS, newest + DRIFT_STEPS + 1):
        if hmac.compare_digest(totp.generate_otp(step), digits):
            found = step
    return found
