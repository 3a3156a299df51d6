"""What every channel raises."""

from __future__ import annotations


class NotSent(Exception):
    """The receiver did not accept a message, or nobody knows; it is tried again. Carries a code and no address."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
