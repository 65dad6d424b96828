"""A lane that answers from a script, for what the simulated tenant never says."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

from tuiback.errors import GraphError
from tuiback.graph import GraphClient, Page

Answer = Page | GraphError | dict[str, Any]


class ScriptedLane:
    """Answers each path or link from a script and notes what it was asked with."""

    def __init__(self, script: Mapping[str, list[Answer]]) -> None:
        self._script = {link: list(answers) for link, answers in script.items()}
        self.asked: list[tuple[str, Mapping[str, Any] | None, str]] = []
        self.patience: list[int] = []

    async def get(
        self, path: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        answer = self._next(path, params, headers)
        assert isinstance(answer, dict)
        return answer

    async def pages(
        self,
        link: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        most_server_errors: int = 4,
    ) -> AsyncIterator[Page]:
        self.patience.append(most_server_errors)
        following: str | None = link
        while following:
            answer = self._next(following, params, headers)
            assert isinstance(answer, Page)
            yield answer
            following, params = answer.next_link, None

    def _next(self, link: str, params: Mapping[str, Any] | None, headers: Mapping[str, str] | None) -> Answer:
        self.asked.append((link, params, (headers or {}).get("Prefer", "")))
        answer = self._script[link].pop(0)
        if isinstance(answer, GraphError):
            raise answer
        return answer


def client_of(lane: ScriptedLane) -> GraphClient:
    """A client whose every lane is this one."""

    class Client:
        def lane(self, service: str, account: str = "") -> ScriptedLane:
            return lane

    return cast("GraphClient", Client())
