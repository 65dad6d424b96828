"""Leads every request to what answers it: past the tester's faults, the throttle and the counters."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from tuiback.simtenant.api.call import Call, Fault, Reply, fault_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.mailbox_imports import import_payer
from tuiback.simtenant.api.mailbox_lookup import Part, find_owner
from tuiback.simtenant.api.storage import UPLOAD_TEMPLATE, session_of
from tuiback.simtenant.faulting.scene import Scene
from tuiback.simtenant.faulting.strikes import Strikes
from tuiback.simtenant.faults import FaultRule, Faults
from tuiback.simtenant.throttling.charges import Request, charge_of
from tuiback.simtenant.throttling.gate import Admission, Gate


@dataclass(frozen=True, slots=True)
class Orders:
    """What a tester has ordered to go wrong: by pattern, and by name."""

    rules: Faults = field(default_factory=Faults)
    strikes: Strikes = field(default_factory=Strikes)

    def clear(self) -> None:
        """Let everything succeed again."""
        self.rules.clear()
        self.strikes.clear()


_ATTACHMENT = "/users/{user}/messages/{message}/attachments/{attachment}"
_STORE = re.compile(r"/mailboxes(?:/|\(')(MBX[^/']+)", re.IGNORECASE)
Resolve = Callable[[Cloud, Call], tuple[str, Callable[[], Reply]]]


class Counts:
    """How many requests came, by route, and how many at once."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.clear()

    def clear(self) -> None:
        """Count from zero."""
        self.requests = 0
        self.throttled = 0
        self.in_flight_max = 0
        self.by_route: Counter[str] = Counter()


@dataclass(frozen=True, slots=True)
class Taken:
    """An answer on its way; `leave` must be called when it has been sent, or given up.

    With `drop_after_bytes` -1 the connection breaks before anything is sent.
    """

    reply: Reply
    template: str
    drop_after_bytes: int | None = None
    delay_seconds: float = 0.0
    leave: Callable[[], None] = field(default=lambda: None)


class Reception:
    """Answers the requests of one host."""

    def __init__(self, cloud: Cloud, counts: Counts, orders: Orders, resolve: Resolve) -> None:
        self.cloud = cloud
        self._counts = counts
        self._orders = orders
        self._resolve = resolve

    def take(self, call: Call) -> Taken:
        """Carry the request out, unless a fault strikes it or the throttle refuses it."""
        rule = self._orders.rules.take(call)
        try:
            template, answer = self._resolve(self.cloud, call)
        except Fault as fault:
            template, answer = "(unknown)", _raising(fault)
        self._counts.by_route[f"{call.method} {template}"] += 1
        admission = Admission()
        scene: Scene | None = None
        try:
            reply = rule.reply() if rule is not None else None
            if reply is None:
                admission = self._admit(call, template)
                if self._orders.strikes.is_idle:
                    reply = answer()
                else:
                    scene = Scene(self.cloud, call, template, answer, self._orders.strikes.luck)
                    reply = self._orders.strikes.answer(scene)
        except Fault as fault:
            reply = fault_reply(fault, call, self.cloud.clock)
        self._counts.throttled += reply.status == 429
        reply.headers |= admission.headers
        cut = _cut(rule) if scene is None or rule is not None else scene.cut
        return Taken(reply, template, cut, scene.delay_seconds if scene is not None else 0.0, admission.leave)

    def take_whole(self, call: Call, template: str, answer: Callable[[], Taken]) -> Taken:
        """Carry out a request that holds others, unless a fault strikes it as a whole."""
        self._counts.by_route[f"{call.method} {template}"] += 1
        rule = self._orders.rules.take(call)
        if rule is None and self._orders.strikes.is_idle:
            return answer()
        parts: list[Taken] = []

        def carry_out() -> Reply:
            parts.append(answer())
            return parts[0].reply

        scene = Scene(self.cloud, call, template, carry_out, self._orders.strikes.luck)
        try:
            reply = rule.reply() if rule is not None else None
            if reply is None:
                reply = self._orders.strikes.answer(scene)
        except Fault as fault:
            reply = fault_reply(fault, call, self.cloud.clock)
        leave = parts[0].leave if parts else lambda: None
        return Taken(reply, template, _cut(rule) if rule is not None else scene.cut, scene.delay_seconds, leave)

    def _admit(self, call: Call, template: str) -> Admission:
        """Raises Fault 429, or 401 for a token that is none."""
        gate = self.cloud.gate
        if gate is None or not template.startswith("/") or template == "/$batch":
            return Admission()
        if template == UPLOAD_TEMPLATE:
            return self._admit_fragment(gate, call)
        request = Request(
            method=call.method,
            template=template,
            app_id=self._payer(call),
            mailbox=self._mailbox(call),
            team=call.where.get("team", ""),
            chat=call.where.get("chat", ""),
            person=self._person(call),
            options=tuple(call.query.items()),
            body_bytes=len(call.body),
        )
        return gate.admit(charge_of(request)) if request.app_id else Admission()

    def _admit_fragment(self, gate: Gate, call: Call) -> Admission:
        """Fragments of files have been paid for with their session; those of attachments count in the mailbox."""
        session = session_of(self.cloud, call)
        if session is None or not session.is_attachment:
            return Admission()
        request = Request(call.method, _ATTACHMENT, session.app_id, session.mailbox, body_bytes=len(call.body))
        return gate.admit(charge_of(request))

    def _payer(self, call: Call) -> str:
        """The application that the request is charged to; "" for requests that cost nothing. Raises Fault 401."""
        if "authorization" in call.headers:
            return self.cloud.signin.payer(call.headers["authorization"]).client_id
        # Later parts of a download are not charged again.
        if "tempauth" in call.query and call.headers.get("range", "bytes=0-").startswith("bytes=0-"):
            return self.cloud.transfers.payer(call.query["tempauth"].removeprefix("v1."))
        return import_payer(self.cloud, call) if "authtoken" in call.query else ""

    def _person(self, call: Call) -> str:
        """On whose behalf the application asks; "" where it asks by itself."""
        token = call.headers.get("authorization")
        return self.cloud.signin.payer(token).person_id if token is not None else ""

    def _mailbox(self, call: Call) -> str:
        found = _STORE.search(call.path)
        owner = find_owner(self.cloud, unquote(found.group(1))) if found is not None else None
        if owner is not None:
            return owner[0].person.object_id + ("" if owner[1] is Part.PRIMARY else f" {owner[1].name}")
        name = call.where.get("user") or call.where.get("group", "")
        person = self.cloud.tenant.directory.find_person(name) if name else None
        return person.object_id if person is not None else name.lower()


def _cut(rule: FaultRule | None) -> int | None:
    return rule.drop_after_bytes if rule is not None else None


def _raising(fault: Fault) -> Callable[[], Reply]:
    def refuse() -> Reply:
        raise fault

    return refuse
