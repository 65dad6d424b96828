"""What a named trouble works on: the request, its true answer, and how the answer is to be sent."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from tuiback.simtenant.api.call import Call, Fault, Reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_json import DriveView
from tuiback.simtenant.api.drive_lookup import drive_of, node_of
from tuiback.simtenant.api.storage import DOWNLOAD_TEMPLATE, downloaded
from tuiback.simtenant.state.drive import Node

_JSON = "application/json"


@dataclass(slots=True)
class Scene:
    """One request on its way. `answer` carries it out, once.

    `cut` makes the connection break: -1 before anything is sent, else after so many bytes of the body.
    """

    cloud: Cloud
    call: Call
    template: str
    answer: Callable[[], Reply]
    luck: random.Random
    cut: int | None = None
    delay_seconds: float = 0.0

    def edited(self, edit: Callable[[dict[str, Any]], None]) -> Reply:
        """The true answer with its document edited; an answer that is none stays as it is."""
        reply = self.answer()
        if reply.status < 300 and reply.body and reply.content_type.startswith(_JSON):
            document = msgspec.json.decode(reply.body)
            edit(document)
            reply.body = msgspec.json.encode(document)
        return reply

    def find_node(self) -> tuple[DriveView, Node] | None:
        """The drive's node that the request is about."""
        try:
            if self.template == DOWNLOAD_TEMPLATE:
                return downloaded(self.cloud, self.call)[:2]
            view = drive_of(self.cloud, self.call)
            return view, node_of(view, self.call)
        except Fault:
            return None


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong, by name: on which requests it can strike, and what then happens.

    `fits` looks at the request and its route's template. `strike` gives the answer, or raises Fault. `lasting` ones
    stay: a backup can't get round them, so chance leaves them alone unless they are named. `always` ones are how the
    tenant behaves anyway and need no switch.
    """

    trouble_id: str
    text: str
    fits: Callable[[Call, str], bool] = lambda _call, _template: False
    strike: Callable[[Scene], Reply] = lambda scene: scene.answer()
    lasting: bool = False
    always: bool = False
