"""Times as the text that SQLite keeps: UTC, always of one width, so that they sort as text."""

from datetime import UTC, datetime
from typing import overload


@overload
def to_text(moment: datetime) -> str: ...
@overload
def to_text(moment: datetime | None) -> str | None: ...
def to_text(moment: datetime | None) -> str | None:
    """RFC 3339 with microseconds."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds")


@overload
def from_text(text: str) -> datetime: ...
@overload
def from_text(text: str | None) -> datetime | None: ...
def from_text(text: str | None) -> datetime | None:
    """The moment that to_text wrote."""
    return None if text is None else datetime.fromisoformat(text)
