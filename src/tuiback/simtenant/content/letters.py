"""Makes the letters of the correspondence: headers, body, attachments and MIME, each part when it is asked for."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from email.header import Header
from email.utils import format_datetime, formataddr
from functools import cached_property, lru_cache, partial
from html import escape
from struct import Struct

from pybase64 import b64encode

from tuiback.simtenant.content.chance import Chance, log_normal
from tuiback.simtenant.content.company import COMPANY_ENDS, COMPANY_STARTS, DOMAIN, Company, Person
from tuiback.simtenant.content.correspondence import Kind, LetterKey, Pattern
from tuiback.simtenant.content.documents import CONTENT_TYPES, Document
from tuiback.simtenant.content.mail import Address, Attachment, Body, Head
from tuiback.simtenant.content.prose import paragraph, subject
from tuiback.simtenant.content.words import OUTSIDE, PROJECTS, SPOKEN, Language

# Sizes of real mailboxes are log-normal; these give a median near 22 KB and one message in a hundred above 2 MB.
_MEDIAN_BYTES = 24_000
_SIGMA = 2.05
_LIMIT_BYTES = 24_000_000
_GOLDEN = 0.6180339887498949
_PLAIN_BELOW_BYTES = 14_000
_BASE64_GROWTH = 1.37
# RFC 2045, section 6.8
_LINE_CHARACTERS = 76
_LINES = Struct(f"{_LINE_CHARACTERS}s" * 64)
# Documents that circulate: a ladder of sizes, three documents on each rung.
_SHARED_SHARE = 0.45
_RUNG_RATIO = 1.4
_RUNG_BYTES = 2_500
_VARIANTS = 3
# Of the small ones all are held, about 8 MB.
_HELD_BELOW_BYTES = 1_000_000
_HELD = 54
_KINDS = ("pdf", "docx", "xlsx", "png", "zip", "pptx", "jpg", "csv")


class Letters:
    """All letters of the tenant, by key."""

    def __init__(self, chance: Chance, company: Company, pattern: Pattern) -> None:
        self.chance = chance
        self.company = company
        self.pattern = pattern
        self.read = partial(Document.read, chance=chance)
        # What circulates is asked for again and again.
        self.read_held = lru_cache(_HELD)(self.read)

    def letter(self, key: LetterKey) -> "Letter":
        """The letter of this key."""
        return Letter(self, key)

    def sent_at(self, key: LetterKey) -> datetime:
        """When it was sent: turns follow each other, so an answer is later than what it answers."""
        turns = {
            Kind.INSIDE: len(self.pattern.turns),
            Kind.OUTSIDE: len(self.pattern.outside_parents),
            Kind.DRAFT: self.pattern.drafts,
        }[key.kind]
        part = (key.turn + 0.9 * self.chance.fraction("sent", key.kind.value, key.person, key.turn)) / turns
        moment = COMPANY_STARTS + (COMPANY_ENDS - COMPANY_STARTS) * part
        return moment.replace(microsecond=0)

    def message_id(self, key: LetterKey) -> str:
        """The Message-ID, with its angle brackets."""
        host = DOMAIN if key.kind is not Kind.OUTSIDE else "mail.example"
        return f"<{self.chance.digest(12, 'message-id', key.kind.value, key.person, key.turn).hex()}@{host}>"


class Letter:
    """One letter, the same for its author and every recipient (see Mail)."""

    def __init__(self, letters: Letters, key: LetterKey) -> None:
        self._letters = letters
        self._chance = letters.chance
        self.key = key
        self._seed = (key.kind.value, key.person, key.turn)

    @property
    def _person(self) -> Person:
        return self._letters.company.people[self.key.person]

    @cached_property
    def _root(self) -> LetterKey:
        return self._letters.pattern.root(self.key)

    @cached_property
    def _language(self) -> Language:
        """A conversation keeps the language of its first author."""
        if self._root.kind is Kind.OUTSIDE:
            return self._chance.pick(SPOKEN, "language", self._root.person, self._root.turn)
        return self._letters.company.people[self._root.person].language

    @cached_property
    def head(self) -> Head:
        """Who wrote what to whom, and when."""
        root, chance = self._root, self._chance
        first = subject(chance, self._language, root.kind.value, root.person, root.turn)
        travel = timedelta(seconds=1 + chance.below(50, "travel", *self._seed))
        return Head(
            subject=first if root == self.key else f"{self._language.reply}: {first}",
            author=self._author,
            to=self._recipients[:2],
            cc=self._recipients[2:],
            sent=self.sent,
            received=self.sent + travel,
            message_id=self._letters.message_id(self.key),
            conversation=chance.digest(16, "conversation", root.kind.value, root.person, root.turn),
            importance="high" if chance.below(20, "importance", *self._seed) == 0 else "normal",
        )

    @cached_property
    def _author(self) -> Address:
        if self.key.kind is Kind.OUTSIDE:
            return Address(*self._chance.pick(OUTSIDE, "author", *self._seed))
        return Address(self._person.name, self._person.address)

    @cached_property
    def _recipients(self) -> tuple[Address, ...]:
        people = self._letters.company.people
        if self.key.kind is Kind.INSIDE:
            return tuple(Address(people[i].name, people[i].address) for i in self._letters.pattern.recipients(self.key))
        if self.key.kind is Kind.OUTSIDE:
            return (Address(self._person.name, self._person.address),)
        other = people[self._chance.below(self._letters.pattern.people, "draft to", *self._seed)]
        return (Address(other.name, other.address),)

    @cached_property
    def sent(self) -> datetime:
        """When it was sent."""
        return self._letters.sent_at(self.key)

    @cached_property
    def _target_bytes(self) -> int:
        """Turns are spread evenly over the distribution, so that even a small mailbox shows its whole range."""
        start = self._chance.fraction("size", self.key.kind.value, self.key.person)
        return log_normal((start + self.key.turn * _GOLDEN) % 1, _MEDIAN_BYTES, _SIGMA, _LIMIT_BYTES)

    @property
    def _is_rich(self) -> bool:
        return self._target_bytes >= _PLAIN_BELOW_BYTES

    @cached_property
    def _own_text(self) -> str:
        if not self._is_rich:
            size = max(self._target_bytes - 1200, 300)
        else:
            size = 1500 + self._chance.below(3500, "body", *self._seed)
        name = self._recipients[0].name
        written = paragraph(self._chance, self._language, size, *self._seed)
        greeting = self._language.greeting.format(name=name)
        return f"{greeting}\r\n\r\n{written}\r\n\r\n{self._language.closing}\r\n{self._author.name}\r\n"

    @cached_property
    def _text(self) -> str:
        """The plain text; an answer quotes the beginning of what it answers."""
        parent = self._letters.pattern.find_parent(self.key)
        if parent is None:
            return self._own_text
        answered = Letter(self._letters, parent)
        quoted = "\r\n".join("> " + line for line in answered._own_text[:1500].split("\r\n"))
        return f"{self._own_text}\r\n{answered._author.name} <{answered._author.address}>:\r\n{quoted}\r\n"

    @property
    def body(self) -> Body:
        """HTML in the larger letters, plain text in the small ones."""
        return Body(self._is_rich, self._html if self._is_rich else self._text, self._own_text[:255])

    @cached_property
    def _html(self) -> str:
        lines = "".join(f"<p>{escape(line)}</p>\r\n" for line in self._text.split("\r\n") if line)
        return (
            '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">\r\n'
            f'</head><body dir="{"rtl" if self._language.code == "ar" else "ltr"}">\r\n{lines}</body></html>\r\n'
        )

    @cached_property
    def attachments(self) -> Sequence[Attachment]:
        """Files that bring the letter to its size; some of them circulate in the whole company."""
        if not self._is_rich:
            return ()
        rest = self._target_bytes - 12_000
        count = 1 if rest < 300_000 else 1 + self._chance.below(3, "attachments", *self._seed)
        size = max(int(rest / count / _BASE64_GROWTH), 1500)
        return tuple(self._attachment(size, place) for place in range(count))

    def _attachment(self, size: int, place: int) -> Attachment:
        chance, seed = self._chance, (*self._seed, place)
        is_shared = chance.fraction("shared", *seed) < _SHARED_SHARE
        if is_shared:
            rung = 0
            while _RUNG_BYTES * _RUNG_RATIO ** (rung + 0.5) < size:
                rung += 1
            family = f"shared {rung} {chance.below(_VARIANTS, 'variant', *seed)}"
            size = int(_RUNG_BYTES * _RUNG_RATIO**rung)
            language = chance.pick(SPOKEN, family, "language")
        else:
            family, language = f"attached {seed}", self._language
        document = Document(family, 0, chance.pick(_KINDS, family, "kind"), size)
        word = chance.pick(language.files, family, "word")
        name = f"{word} {chance.pick(PROJECTS, family, 'project')}.{document.kind}"
        is_held = is_shared and size < _HELD_BELOW_BYTES
        read = self._letters.read_held if is_held else self._letters.read
        return Attachment(name, CONTENT_TYPES[document.kind], size, partial(read, document))

    @cached_property
    def headers(self) -> Sequence[tuple[str, str]]:
        """The header fields, encoded."""
        head = self.head
        made = [("From", _written(self._author)), ("To", ", ".join(map(_written, head.to)))]
        if head.cc:
            made.append(("Cc", ", ".join(map(_written, head.cc))))
        charset = None if head.subject.isascii() else "utf-8"
        made.append(("Subject", Header(head.subject, charset, header_name="Subject").encode(linesep="\r\n")))
        made += [("Date", format_datetime(head.sent)), ("Message-ID", head.message_id)]
        parent = self._letters.pattern.find_parent(self.key)
        if parent is not None:
            answered, first = self._letters.message_id(parent), self._letters.message_id(self._root)
            made.append(("In-Reply-To", answered))
            made.append(("References", answered if parent == self._root else f"{first}\r\n {answered}"))
        return (*made, ("X-Mailer", "Northwind Mail 4.2"), ("MIME-Version", "1.0"))

    def mime(self) -> bytes:
        """The message as RFC 822 bytes: plain text, or text and HTML with attachments, lines ended by CRLF."""
        return self._assembled(encoded_part)

    @property
    def size(self) -> int:
        """How many bytes its MIME has; no attachment has to be made to tell it."""
        return len(self._assembled(_part_head)) + sum(encoded_bytes(each.size) for each in self.attachments)

    def _assembled(self, encode: Callable[[Attachment], bytes]) -> bytes:
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers).encode()
        plain = _as_part(b"plain", self._text)
        if not self._is_rich:
            return head + plain
        mark = self._chance.digest(12, "boundary", *self._seed).hex().encode()
        both = _joined(b"alternative", b"a" + mark, [plain, _as_part(b"html", self._html)])
        return head + _joined(b"mixed", b"m" + mark, [both, *map(encode, self.attachments)])


def _written(address: Address) -> str:
    return formataddr((address.name, address.address))


def _as_part(kind: bytes, text: str) -> bytes:
    head = b"Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" % kind
    return head + text.encode()


def _joined(kind: bytes, boundary: bytes, parts: Sequence[bytes]) -> bytes:
    head = b'Content-Type: multipart/%s; boundary="%s"\r\n\r\n' % (kind, boundary)
    pieces = [piece for part in parts for piece in (b"--%s\r\n" % boundary, part, b"\r\n")]
    return b"".join((head, *pieces, b"--%s--\r\n" % boundary))


def _part_head(attachment: Attachment) -> bytes:
    name = Header(attachment.name, "utf-8", maxlinelen=10_000).encode()
    return (
        f'Content-Type: {attachment.content_type}; name="{name}"\r\n'
        f'Content-Disposition: attachment; filename="{name}"; size={attachment.size}\r\n'
        "Content-Transfer-Encoding: base64\r\n"
    ).encode()


def encoded_part(attachment: Attachment) -> bytes:
    """The attachment as a part of MIME."""
    return b"\r\n".join((_part_head(attachment), *_lines(b64encode(attachment.read())), b""))


def _lines(text: bytes) -> list[bytes]:
    # Four times as fast as a regular expression or slices; base64.encodebytes would call the encoder once a line.
    whole = len(text) // _LINES.size * _LINES.size
    lines = [line for block in _LINES.iter_unpack(memoryview(text)[:whole]) for line in block]
    return [*lines, *(text[start : start + _LINE_CHARACTERS] for start in range(whole, len(text), _LINE_CHARACTERS))]


def encoded_bytes(size: int) -> int:
    """How long `size` bytes are as an empty line and lines of base64, each ended by CRLF."""
    characters = 4 * -(-size // 3)
    return 2 + characters + 2 * -(-characters // _LINE_CHARACTERS)
