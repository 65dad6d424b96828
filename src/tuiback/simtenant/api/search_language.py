"""Reads what is looked for in mail: words and properties joined by AND, OR and NOT, in parentheses where need be.

https://learn.microsoft.com/sharepoint/dev/general-development/keyword-query-language-kql-syntax-reference
"""

import re
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from tuiback.simtenant.api.call import Fault

T = TypeVar("T")
Test = Callable[[T], bool]
# The test for one term: the property before the operator ("" for none), the operator, and the value.
Term = Callable[[str, str, str], Test[T]]
_TOKEN = re.compile(r'\s*(\(|\)|(?:-?(\w+)(:|>=|<=|<>|>|<|=))?(-?"[^"]*"|[^\s()"]+|(?=\()))')
_OPERATORS = frozenset({"AND", "OR", "NOT"})


def parsed(text: str, term: Term[T]) -> Test[T]:
    """The test that `text` stands for. Raises Fault 400."""
    reader: _Reader[T] = _Reader(_tokens(text), term)
    test = reader.either("", "")
    if reader.left:
        raise _wrong(text)
    return test


def _tokens(text: str) -> list[tuple[str, str, str, str]]:
    """The pieces as written, each with its property, operator and value. Raises Fault 400."""
    found, place = [], 0
    while place < len(text.rstrip()):
        match = _TOKEN.match(text, place)
        if match is None or not match[1]:
            raise _wrong(text)
        found.append((match[1], match[2] or "", match[3] or "", match[4] or ""))
        place = match.end()
    return found


class _Reader(Generic[T]):
    """Reads a search by descent; a property before parentheses holds for every word in them."""

    def __init__(self, tokens: Sequence[tuple[str, str, str, str]], term: Term[T]) -> None:
        self.left = list(tokens)
        self._term = term

    def either(self, name: str, operator: str) -> Test[T]:
        """Terms joined by OR."""
        tests = [self._all(name, operator)]
        while self._takes("OR"):
            tests.append(self._all(name, operator))
        return tests[0] if len(tests) == 1 else lambda thing: any(test(thing) for test in tests)

    def _all(self, name: str, operator: str) -> Test[T]:
        """Terms joined by AND, or by nothing, which is the same."""
        tests = [self._single(name, operator)]
        while self.left and self.left[0][0] not in ("OR", ")"):
            self._takes("AND")
            tests.append(self._single(name, operator))
        return tests[0] if len(tests) == 1 else lambda thing: all(test(thing) for test in tests)

    def _single(self, name: str, operator: str) -> Test[T]:
        if self._takes("NOT"):
            refused = self._single(name, operator)
            return lambda thing: not refused(thing)
        if not self.left or self.left[0][0] in (*_OPERATORS, ")"):
            raise _wrong(self.left[0][0] if self.left else "")
        whole, own_name, own_operator, value = self.left.pop(0)
        is_refused = whole.startswith("-") and whole != "-"
        if whole == "(" or (own_name and not value):
            test = self._inside(whole, own_name or name, own_operator or operator)
        else:
            bare = value.removeprefix("-") if is_refused and not own_name else value
            test = self._term(own_name or name, own_operator or operator, bare)
        return (lambda thing: not test(thing)) if is_refused else test

    def _inside(self, opened: str, name: str, operator: str) -> Test[T]:
        if opened != "(" and not self._takes("("):
            raise _wrong(opened)
        test = self.either(name, operator)
        if not self._takes(")"):
            raise _wrong(opened)
        return test

    def _takes(self, word: str) -> bool:
        if self.left and self.left[0][0] == word:
            self.left.pop(0)
            return True
        return False


def _wrong(text: str) -> Fault:
    return Fault(400, "ErrorInvalidUrlQuery", f"The search query '{text}' is not valid.")
