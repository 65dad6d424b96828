"""Understands the $filter of directory objects: which objects pass, and whether the query is an advanced one.

https://learn.microsoft.com/graph/aad-advanced-queries
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tuiback.simtenant.api.call import Call, Fault

Object = Mapping[str, Any]
Test = Callable[[Object], bool]
_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|[()]|,|[^\s(),']+)")
_ADVANCED = re.compile(r"\b(ne|not)\b|\bendswith\(", re.IGNORECASE)
_TEXT = re.compile(r"'(?:[^']|'')*'")
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {"startswith": str.startswith, "endswith": str.endswith}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b, "ne": lambda a, b: a is not None and a != b,
    "ge": lambda a, b: a is not None and a >= b, "gt": lambda a, b: a is not None and a > b,
    "le": lambda a, b: a is not None and a <= b, "lt": lambda a, b: a is not None and a < b,
}  # fmt: skip


def check_advanced(call: Call, *, is_cast: bool = False) -> None:
    """Refuse an advanced query without ConsistencyLevel: eventual and $count=true. Raises Fault 400."""
    query = call.query
    eventual = call.headers.get("consistencylevel", "").lower() == "eventual"
    counted = query.get("$count", "").lower() == "true"
    if counted and not eventual:
        raise _unsupported("$count needs the header ConsistencyLevel: eventual.")
    advanced = is_cast or ("$filter" in query and "$orderby" in query)
    advanced = advanced or _ADVANCED.search(_TEXT.sub("", query.get("$filter", ""))) is not None
    if advanced and not (eventual and counted):
        raise _unsupported("This query needs ConsistencyLevel: eventual and $count=true.")


def filter_of(call: Call) -> Test:
    """The test in $filter; without one everything passes. Raises Fault 400."""
    text = call.query.get("$filter", "")
    if not text.strip():
        return lambda _: True
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s+(?=(?:[^']*'[^']*')*[^']*$)", "", text):
        raise _unsupported(f"Invalid filter clause: {text}")
    parser = _Parser(tokens, text)
    test = parser.either()
    if parser.left:
        raise _unsupported(f"Invalid filter clause: {text}")
    return test


class _Parser:
    """Reads or-and-not expressions by descent."""

    def __init__(self, tokens: list[str], text: str) -> None:
        self.left = tokens
        self._text = text

    def either(self) -> Test:
        """Terms joined by `or`."""
        tests = [self._both()]
        while self._next_is("or"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda thing: any(test(thing) for test in tests)

    def _both(self) -> Test:
        tests = [self._single()]
        while self._next_is("and"):
            tests.append(self._single())
        return tests[0] if len(tests) == 1 else lambda thing: all(test(thing) for test in tests)

    def _single(self) -> Test:
        if self._next_is("not"):
            inner = self._single()
            return lambda thing: not inner(thing)
        if self._next_is("("):
            inner = self.either()
            self._expect(")")
            return inner
        name = self._take()
        if name.lower() in _FUNCTIONS:
            return self._function(_FUNCTIONS[name.lower()])
        if name.endswith("/any"):
            return self._any(name.removesuffix("/any"))
        operator = self._take().lower()
        if operator == "in":
            return self._one_of(name)
        compare, wanted = _COMPARISONS.get(operator), self._value(self._take())
        if compare is None:
            raise self._wrong()
        return lambda thing: compare(self._read(thing, name), wanted)

    def _function(self, function: Callable[[str, str], bool]) -> Test:
        self._expect("(")
        name = self._take()
        self._expect(",")
        wanted = str(self._value(self._take()))
        self._expect(")")
        return lambda thing: function(str(self._read(thing, name) or ""), wanted)

    def _any(self, name: str) -> Test:
        """`x/any(y:y eq 'z')`, the one lambda that is understood."""
        self._expect("(")
        bound, operator = self._take(), self._take()
        if operator.lower() != "eq" or ":" not in bound:
            raise self._wrong()
        wanted = self._value(self._take())
        self._expect(")")
        return lambda thing: wanted in [_plain(each) for each in self._read(thing, name) or ()]

    def _one_of(self, name: str) -> Test:
        self._expect("(")
        wanted = [self._value(self._take())]
        while self._next_is(","):
            wanted.append(self._value(self._take()))
        self._expect(")")
        return lambda thing: self._read(thing, name) in wanted

    def _read(self, thing: Object, name: str) -> Any:  # noqa: ANN401 - whatever the property holds
        if name not in thing:
            raise _unsupported(f"Unsupported or invalid query filter clause specified for property '{name}'.")
        value = thing[name]
        return value if isinstance(value, list) else _plain(value)

    def _value(self, token: str) -> Any:  # noqa: ANN401 - a text, a truth or nothing
        known = {"true": True, "false": False, "null": None}
        if token.startswith("'"):
            return token[1:-1].replace("''", "'").lower()
        return known.get(token, token.lower())

    def _next_is(self, word: str) -> bool:
        if self.left and self.left[0].lower() == word:
            self.left.pop(0)
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._next_is(word):
            raise self._wrong()

    def _take(self) -> str:
        if not self.left:
            raise self._wrong()
        return self.left.pop(0)

    def _wrong(self) -> Fault:
        return _unsupported(f"Invalid filter clause: {self._text}")


def _plain(value: Any) -> Any:  # noqa: ANN401 - texts are compared without regard to case
    return value.lower() if isinstance(value, str) else value


def _unsupported(text: str) -> Fault:
    return Fault(400, "Request_UnsupportedQuery", text)
