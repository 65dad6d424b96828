"""What any message can tell about itself, whether generated, read from a file or written through Graph."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Address:
    """A person as a message names one."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Head:
    """What a message list shows. `conversation` is equal for all messages of one conversation (16 bytes)."""

    subject: str
    author: Address | None
    to: Sequence[Address]
    cc: Sequence[Address]
    sent: datetime
    received: datetime
    message_id: str
    conversation: bytes
    bcc: Sequence[Address] = ()
    reply_to: Sequence[Address] = ()
    importance: str = "normal"


@dataclass(frozen=True, slots=True)
class Body:
    """The text people read."""

    is_html: bool
    content: str
    preview: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a message; `size` counts its bytes, `read` makes them.

    `item` is the message, where a message is attached, `thing` the properties of an attached event or contact. A `link`
    leads to a file elsewhere, and no byte of it is in the message.
    """

    name: str
    content_type: str
    size: int
    read: Callable[[], bytes]
    is_inline: bool = False
    content_id: str | None = None
    item: "Mail | None" = None
    thing: dict[str, Any] | None = None
    link: dict[str, Any] | None = None


class Mail(Protocol):
    """The content of a message. Everything is made when asked for."""

    @property
    def head(self) -> Head:
        """Who wrote what to whom, and when."""
        ...

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """The header fields as they stand in the MIME."""
        ...

    @property
    def body(self) -> Body:
        """The text."""
        ...

    @property
    def attachments(self) -> Sequence[Attachment]:
        """The files."""
        ...

    @property
    def size(self) -> int:
        """How many bytes its MIME has."""
        ...

    def mime(self) -> bytes:
        """The message as RFC 822 bytes, what $value gives."""
        ...
