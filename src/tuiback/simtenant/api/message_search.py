"""Answers $search among messages: https://learn.microsoft.com/graph/search-query-parameter."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import quote, urlencode

from tuiback.simtenant.api.call import Call, Fault
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.message_json import View
from tuiback.simtenant.api.odata import find_token, sealed_token
from tuiback.simtenant.api.search_language import parsed
from tuiback.simtenant.content.mail import Address
from tuiback.simtenant.state.mailbox import Message

Test = Callable[[Message], bool]
_MOST_FOUND = 1000
_MOMENTS = {"received": "received", "sent": "sent"}
_DAY_FORMATS = ("%m/%d/%Y", "%Y-%m-%d")


def search_page(
    cloud: Cloud, call: Call, view: View, folder: int | None, newest: Sequence[int], size: int
) -> tuple[Sequence[int], str | None]:
    """One page of what $search finds among `newest`, no more than 1,000 in all, and the nextLink. Raises Fault 400."""
    for option, code in (("$orderby", "SearchWithOrderBy"), ("$filter", "SearchWithFilter")):
        if option in call.query:
            shown = option.replace("b", "B")
            raise Fault(400, code, f"The query parameter '{shown}' is not supported with '$search'.")
    text = _query(call.query["$search"])
    found = view.mailbox.remembered(("search", folder, text), lambda: found_among(view, newest, text))
    start = _start(cloud, call)
    if start + size >= len(found):
        return found[start:], None
    query = {**call.query, "$skiptoken": sealed_token(cloud.token_key, {"start": start + size})}
    link = f"{call.root}{call.path}?{urlencode(query, quote_via=quote, safe='$')}"
    return found[start : start + size], link


def _query(text: str) -> str:
    """What stands between the quotes; without them only one word can be looked for. Raises Fault 400."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1].replace('\\"', '"')
    wrong = re.search(r"[^\w*]", text)
    if wrong is not None:
        message = f"Syntax error: character '{wrong[0]}' is not valid at position {wrong.start()} in '{text}'."
        raise Fault(400, "BadRequest", message)
    return text


def _start(cloud: Cloud, call: Call) -> int:
    if "$skiptoken" not in call.query:
        return 0
    token = find_token(cloud.token_key, call.query["$skiptoken"])
    if token is None or "start" not in token:
        raise Fault(400, "ErrorInvalidUrlQuery", "The skip token is not valid.")
    return int(token["start"])


def found_among(view: View, newest: Sequence[int], text: str) -> list[int]:
    """The first 1,000 of the messages that meet what is looked for. Raises Fault 400."""
    test = parsed(text, _term)
    found: list[int] = []
    for serial in newest:
        message = view.mailbox.find(serial)
        if message is not None and test(message):
            found.append(serial)
            if len(found) == _MOST_FOUND:
                break
    return found


def _term(name: str, operator: str, value: str) -> Test:
    """Raises Fault 400."""
    wanted = value.strip('"')
    if not name:
        found = _words(wanted)
        return lambda message: found(_text(message))
    if name.lower() in _MOMENTS:
        return _moment(_MOMENTS[name.lower()], operator, wanted)
    if name.lower() in _PROPERTIES:
        return _PROPERTIES[name.lower()](wanted)
    raise Fault(400, "ErrorInvalidUrlQuery", f"The property '{name}' can't be searched.")


def _words(wanted: str) -> Callable[[str], bool]:
    """Whether a text has these words one after the other, the last one begun so; punctuation is none of them.

    Scripts without spaces have no such words.
    """
    plain = r"\W+".join(re.findall(r"\w+", wanted.lower())) or re.escape(wanted.lower())
    pattern = re.compile(rf"(?<!\w){plain}" if wanted.isascii() else plain)
    return lambda text: pattern.search(text.lower()) is not None


def _text(message: Message) -> str:
    """What is searched unless a property is named: who wrote it, the subject and the body."""
    head, body = message.mail.head, message.mail.body
    content = re.sub(r"<[^>]*>", " ", body.content) if body.is_html else body.content
    return f"{_named([head.author] if head.author else [])}\n{head.subject}\n{content}"


def _named(people: Sequence[Address]) -> str:
    return "\n".join(f"{each.name} {each.address}" for each in people)


def _property(read: Callable[[Message], str]) -> Callable[[str], Test]:
    def made(wanted: str) -> Test:
        found = _words(wanted)
        return lambda message: found(read(message))

    return made


def _has_attachments(wanted: str) -> Test:
    is_wanted = wanted.lower() in ("true", "1", "yes")
    return lambda message: any(not each.is_inline for each in message.mail.attachments) == is_wanted


def _size(wanted: str) -> Test:
    first, _, last = wanted.partition("..")
    if not first.isdigit() or (last and not last.isdigit()):
        raise Fault(400, "ErrorInvalidUrlQuery", f"The size '{wanted}' is no number of bytes.")
    least, most = int(first), int(last or first)
    return lambda message: least <= message.mail.size <= most


def _importance(wanted: str) -> Test:
    level = {"medium": "normal"}.get(wanted.lower(), wanted.lower())
    return lambda message: message.properties.get("importance", message.mail.head.importance) == level


def _moment(name: str, operator: str, wanted: str) -> Test:
    """Days, compared as such; two of them with dots between are a span."""
    first, _, last = wanted.partition("..")
    start, end = _day(first), _day(last or first)
    tests: dict[str, Callable[[str], bool]] = {
        ":": lambda day: start <= day <= end, "=": lambda day: start <= day <= end,
        ">=": lambda day: day >= start, "<=": lambda day: day <= end,
        ">": lambda day: day > end, "<": lambda day: day < start,
    }  # fmt: skip
    test = tests[operator]
    return lambda message: test(getattr(message.mail.head, name).strftime("%Y-%m-%d"))


def _day(text: str) -> str:
    for shape in _DAY_FORMATS:
        try:
            return datetime.strptime(text, shape).strftime("%Y-%m-%d")  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise Fault(400, "ErrorInvalidUrlQuery", f"'{text}' is no day.")


def _kind(wanted: str) -> Test:
    return lambda _message: wanted.lower() == "email"


def _author(message: Message) -> str:
    author = message.mail.head.author
    return _named([author] if author is not None else [])


def _receivers(message: Message) -> str:
    head = message.mail.head
    return _named([*head.to, *head.cc, *head.bcc])


_PROPERTIES: dict[str, Callable[[str], Test]] = {
    "attachment": _property(lambda message: "\n".join(each.name for each in message.mail.attachments)),
    "bcc": _property(lambda message: _named(message.mail.head.bcc)),
    "body": _property(lambda message: message.mail.body.content),
    "cc": _property(lambda message: _named(message.mail.head.cc)),
    "from": _property(_author),
    "hasattachment": _has_attachments,
    "hasattachments": _has_attachments,
    "importance": _importance,
    "kind": _kind,
    "participants": _property(lambda message: f"{_author(message)}\n{_receivers(message)}"),
    "recipients": _property(_receivers),
    "size": _size,
    "subject": _property(lambda message: message.mail.head.subject),
    "to": _property(lambda message: _named(message.mail.head.to)),
}
