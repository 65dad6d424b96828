"""Draws what people write in channels and chats: text with mentions, pictures, files and cards, and reactions to it."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from html import escape

from tuiback.simtenant.content.chance import Chance, Key
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.content.documents import Document
from tuiback.simtenant.content.prose import paragraph, subject
from tuiback.simtenant.content.sources import GeneratedSource, Source

REFERENCE = "reference"
QUOTE = "messageReference"
CARD = "application/vnd.microsoft.card.adaptive"
# Each kind of thing is in one post of so many.
_HAS_MENTION, _HAS_PICTURE, _HAS_FILE, _HAS_CARD, _HAS_REACTIONS = 5, 6, 6, 12, 3
_HAS_SUBJECT, _IS_IMPORTANT = 4, 10
_TEXT_BYTES = 120
_TAG = re.compile(r"<[^>]*>")
_REACTIONS = (("👍", "Like"), ("❤️", "Heart"), ("😆", "Laugh"), ("😮", "Surprised"))


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one person thinks of a post."""

    symbol: str
    name: str
    person: int
    moment: datetime


@dataclass(frozen=True, slots=True)
class Attachment:
    """Something that hangs on a post.

    A REFERENCE is a file, which `file_number` names among those of the place, or `url` where it is from elsewhere; a
    QUOTE or CARD has its JSON in `content`.
    """

    mark: str
    content_type: str
    content: str | None = None
    file_number: int = 0
    url: str = ""
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """An image inside a post, which the service keeps for itself."""

    content_type: str
    source: Source


@dataclass(frozen=True, slots=True)
class PostContent:
    """A post as it is written: its text calls the first picture `../hostedContents/1/$value`.

    `mentions` are the numbers of people; the text has `<at id="0">` for the first of them.
    """

    html: str
    subject: str | None = None
    importance: str = "normal"
    mentions: tuple[int, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    pictures: tuple[Picture, ...] = ()
    reactions: tuple[Reaction, ...] = ()


def draw_post(
    chance: Chance, writers: Sequence[Person], author: Person, moment: datetime, key: tuple[Key, ...], *,
    is_root: bool,
) -> PostContent:  # fmt: skip
    """What `author`, one of `writers`, wrote at that moment; `key` names the post."""
    html = f"<p>{escape(paragraph(chance, author.language, _TEXT_BYTES, *key))}</p>"
    mentioned = chance.pick(writers, *key, "mentioned")
    mentions = (mentioned.index,) if _has(chance, _HAS_MENTION, "mention", key) else ()
    if mentions:
        html = f'<div><at id="0">{escape(mentioned.name)}</at> {html}</div>'
    pictures = _pictures(chance, key) if _has(chance, _HAS_PICTURE, "picture", key) else ()
    if pictures:
        html += '<p><img alt="image" src="../hostedContents/1/$value" style="vertical-align:bottom"></p>'
    attachments = _attachments(chance, key)
    html += "".join(f'<attachment id="{each.mark}"></attachment>' for each in attachments)
    title = subject(chance, author.language, *key) if is_root and _has(chance, _HAS_SUBJECT, "title", key) else None
    importance = "high" if _has(chance, _IS_IMPORTANT, "importance", key) else "normal"
    reactions = _reactions(chance, writers, moment, key) if _has(chance, _HAS_REACTIONS, "reactions", key) else ()
    return PostContent(html, title, importance, mentions, attachments, pictures, reactions)


def settled(chance: Chance, moment: datetime, key: tuple[Key, ...]) -> datetime:
    """When the post of that moment was last changed: people react soon."""
    return moment + timedelta(minutes=1) if _has(chance, _HAS_REACTIONS, "reactions", key) else moment


def with_quote(content: PostContent, number: int, author: Person, text: str) -> PostContent:
    """The same beneath a quotation of an earlier post of the place: its number, who wrote it, and its text as HTML."""
    user = {"userIdentityType": "aadUser", "id": author.object_id, "displayName": author.name}
    sender = {"application": None, "device": None, "user": user}
    told = {"messageId": str(number), "messagePreview": _TAG.sub("", text)[:80], "messageSender": sender}
    quote = Attachment(str(number), QUOTE, json.dumps(told, ensure_ascii=False))
    html = f'<attachment id="{number}"></attachment>{content.html}'
    return replace(content, html=html, attachments=(quote, *content.attachments))


def _has(chance: Chance, one_in: int, what: str, key: tuple[Key, ...]) -> bool:
    return chance.below(one_in, *key, what) == 0


def _pictures(chance: Chance, key: tuple[Key, ...]) -> tuple[Picture, ...]:
    size = 2_000 + chance.below(20_000, *key, "picture size")
    document = Document(" ".join(map(str, (*key, "picture"))), 0, "png", size)
    return (Picture("image/png", GeneratedSource(document, chance)),)


def _attachments(chance: Chance, key: tuple[Key, ...]) -> tuple[Attachment, ...]:
    found = []
    if _has(chance, _HAS_FILE, "file", key):
        number = chance.below(1 << 16, *key, "which file")
        found.append(Attachment(str(chance.guid(*key, "file")), REFERENCE, file_number=number))
    if _has(chance, _HAS_CARD, "card", key):
        text = f"Build {chance.below(9000, *key, 'build')} has finished"
        card = {"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "TextBlock", "text": text, "wrap": True}]}
        found.append(Attachment(chance.guid(*key, "card").hex, CARD, json.dumps(card)))
    return tuple(found)


def _reactions(
    chance: Chance, writers: Sequence[Person], moment: datetime, key: tuple[Key, ...]
) -> tuple[Reaction, ...]:
    found = {}
    for turn in range(1 + chance.below(3, *key, "reactions")):
        person = chance.pick(writers, *key, "reacts", turn).index
        symbol, name = chance.pick(_REACTIONS, *key, "symbol", turn)
        found[person] = Reaction(symbol, name, person, moment + timedelta(seconds=30 + turn))
    return tuple(found.values())
