"""Understands $filter: comparisons, lists, text functions and lambdas, joined and negated.

https://learn.microsoft.com/graph/filter-query-parameter
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from tuiback.simtenant.api.call import Call, Fault

Object = Mapping[str, Any]
Test = Callable[[Object], bool]
_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|[()]|,|[^\s(),']+)")
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith, "endswith": str.endswith, "contains": str.__contains__,
}  # fmt: skip
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b, "ne": lambda a, b: a is not None and a != b,
    "ge": lambda a, b: a is not None and a >= b, "gt": lambda a, b: a is not None and a > b,
    "le": lambda a, b: a is not None and a <= b, "lt": lambda a, b: a is not None and a < b,
}  # fmt: skip


def filter_of(call: Call, code: str = "Request_UnsupportedQuery") -> Test:
    """The test in $filter; without one everything passes. `code` is how the service refuses. Raises Fault 400."""
    text = call.query.get("$filter", "")
    return parsed(text, code) if text.strip() else lambda _: True


@lru_cache(maxsize=64)
def parsed(text: str, code: str) -> Test:
    """The test that a filter's text stands for. Raises Fault 400."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s+(?=(?:[^']*'[^']*')*[^']*$)", "", text):
        raise Fault(400, code, f"Invalid filter clause: {text}")
    parser = _Parser(tokens, text, code)
    test = parser.either()
    if parser.left:
        raise Fault(400, code, f"Invalid filter clause: {text}")
    return test


class _Parser:
    """Reads or-and-not expressions by descent."""

    def __init__(self, tokens: list[str], text: str, code: str) -> None:
        self.left = tokens
        self._text = text
        self._code = code

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
        if name.lower().endswith("/any"):
            return self._any(name[: -len("/any")])
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
        """`x/any(y:y eq 'z')` and `x/any(y:y/a/b eq 'z')`, the lambdas that are understood."""
        self._expect("(")
        bound, operator = self._take(), self._take()
        if operator.lower() != "eq" or ":" not in bound:
            raise self._wrong()
        wanted = self._value(self._take())
        self._expect(")")
        path = bound.partition(":")[2].partition("/")[2]
        return lambda thing: wanted in [
            _plain(member(each, path)) for each in self._read(thing, name) or ()
        ]

    def _one_of(self, name: str) -> Test:
        self._expect("(")
        wanted = [self._value(self._take())]
        while self._next_is(","):
            wanted.append(self._value(self._take()))
        self._expect(")")
        return lambda thing: self._read(thing, name) in wanted

    def _read(self, thing: Object, name: str) -> Any:  # noqa: ANN401 - whatever the property holds
        root, _, path = name.partition("/")
        if root not in thing:
            text = f"Unsupported or invalid query filter clause specified for property '{name}'."
            raise Fault(400, self._code, text)
        value = member(thing[root], path)
        return value if isinstance(value, list) else _plain(value)

    def _value(self, token: str) -> Any:  # noqa: ANN401 - a text, a number, a truth or nothing
        known = {"true": True, "false": False, "null": None}
        if token.startswith("'"):
            return token[1:-1].replace("''", "'").lower()
        if token.isdigit():
            return int(token)
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
        return Fault(400, self._code, f"Invalid filter clause: {self._text}")


def member(value: Any, path: str) -> Any:  # noqa: ANN401 - whatever the property holds
    """What lies at a path of names in an object; the object itself for none."""
    for name in filter(None, path.split("/")):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _plain(value: Any) -> Any:  # noqa: ANN401 - texts are compared without regard to case
    return value.lower() if isinstance(value, str) else value
