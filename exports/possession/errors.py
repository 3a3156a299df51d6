"""What stops a review of possession or control. It is then unverified: no quantity is ever assumed."""

from __future__ import annotations

from exports.reserve.errors import ReserveError


class ReviewRefused(ReserveError):
    """The inputs of a review are not complete, contradict each other, or give another result than was recorded."""

    code = "control-review"
    advice = "Correct the named row of the books; possession or control stays unverified until then."
