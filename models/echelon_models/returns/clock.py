"""Times of day as text, and as seconds after midnight."""

from __future__ import annotations

import re

DAY = 86_400  # seconds
_TIME = re.compile(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d))?")


def seconds(text: str) -> int | None:
    """Seconds after midnight of "08:30", "8:30" or "08:30:15", up to 48:00 (the end of the next day); None if the text
    is no time of day."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, rest = (int(part or 0) for part in match.groups())
    total = hours * 3600 + minutes * 60 + rest
    return total if total <= 2 * DAY else None


def text(moment: int) -> str:
    """The moment, in seconds after midnight, as hours:minutes:seconds; hours go on beyond 24."""
    hours, rest = divmod(moment, 3600)
    return f"{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"
