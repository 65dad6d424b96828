"""The tester's way in: counts, faults, time, changes, applications, and what exists."""

import re
from dataclasses import asdict
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tuiback.simtenant.api.cloud import Behaviour, Cloud
from tuiback.simtenant.api.notifications import notify
from tuiback.simtenant.faults import FaultRule
from tuiback.simtenant.life import Life
from tuiback.simtenant.manifest import manifest
from tuiback.simtenant.mutations import FURTHER_KINDS, mutate
from tuiback.simtenant.people_changes import WrongOrder, carry_out
from tuiback.simtenant.reception import Counts, Orders

_KINDS = frozenset({"mailbox", "drive"})
# What is told only where it is named.
_NAMED_KINDS = _KINDS | {"contacts", "tasks", "calendar"}


class Control:
    """The endpoints behind control_url. Each POST takes and gives one JSON object."""

    def __init__(self, cloud: Cloud, counts: Counts, orders: Orders) -> None:
        self._cloud = cloud
        self._counts = counts
        self._orders = orders
        self._life = Life(cloud)

    def reset(self) -> None:
        """Undo every write, fault, clock move and registration, and count from zero."""
        self._life.end()
        self._orders.clear()
        self._orders.strikes.counts.clear()
        self._counts.clear()
        self._cloud.reset()

    async def stats(self, _request: Request) -> JSONResponse:
        """GET /stats: requests so far, all and by route, 429 answers, most at once, what is in memory.

        Also how often each named fault struck, and how many changes the background made.
        """
        counts = self._counts
        return JSONResponse(
            {
                "requests": counts.requests,
                "by_route": dict(counts.by_route),
                "throttled": counts.throttled,
                "in_flight_max": counts.in_flight_max,
                "not_mail": self._cloud.tenant.not_mail,
                "in_memory": self._cloud.tenant.held_count,
                "faults": dict(self._orders.strikes.counts),
                "life": self._life.changes,
            }
        )

    async def manifest(self, request: Request) -> JSONResponse:
        """GET /manifest?account=[mailbox:|drive:|contacts:|tasks:|calendar:]NAME: what the account holds.

        Without a kind it is mail and files.
        """
        kind, _, name = request.query_params.get("account", "").rpartition(":")
        person = self._cloud.tenant.directory.find_person(name)
        if person is None or (kind and kind not in _NAMED_KINDS):
            raise HTTPException(404, f"no account '{request.query_params.get('account', '')}'")
        items = manifest(self._cloud, person, frozenset({kind}) if kind else _KINDS)
        return JSONResponse({"account": person.address, "items": items})

    async def mutate(self, request: Request) -> JSONResponse:
        """POST /mutate {changes, seed, people, also} | {reset: true}.

        With people true some leave, come and are renamed; `also` lists further parts: outlook, teams, sites.
        """
        given = await _object(request)
        if given.get("reset"):
            self.reset()
            return JSONResponse({"reset": True})
        changes, seed = int(given.get("changes", 10)), int(given.get("seed", 1))
        done = mutate(self._cloud, changes, seed, people=bool(given.get("people")), also=_also(given))
        notify(self._cloud)
        return JSONResponse(done)

    async def life(self, request: Request) -> JSONResponse:
        """POST /life {changes_per_minute, seed, people, also} | {stop: true}: changes go on in the background."""
        given = await _object(request)
        if given.get("stop"):
            self._life.end()
        else:
            rate = float(given.get("changes_per_minute", 0))
            if rate <= 0:
                raise HTTPException(400, "changes_per_minute must be above 0")
            people, also = bool(given.get("people")), _also(given)
            self._life.begin(rate, int(given.get("seed", 1)), people=people, also=also)
        return JSONResponse({"on": self._life.is_on, "changes": self._life.changes})

    async def people(self, request: Request) -> JSONResponse:
        """POST /people {leave | rename | unlicense | rehire | hire | ...: user, ...}; see people_changes.carry_out."""
        try:
            done = carry_out(self._cloud, await _object(request))
            notify(self._cloud)
            return JSONResponse(done)
        except WrongOrder as wrong:
            raise HTTPException(400, str(wrong)) from wrong

    async def fault(self, request: Request) -> JSONResponse:
        """POST /fault {match, status, retry_after, times, body, drop_after_bytes} | {id, times} | {clear: true}."""
        given = await _object(request)
        if given.get("clear"):
            self._orders.clear()
            return JSONResponse({"cleared": True})
        if "id" in given:
            return self._order_by_name(str(given["id"]), int(given.get("times", 1)))
        try:
            rule = FaultRule(
                match=re.compile(given["match"]),
                status=given.get("status"),
                retry_after=given.get("retry_after"),
                times=int(given.get("times", 1)),
                body=given.get("body"),
                drop_after_bytes=given.get("drop_after_bytes"),
            )
        except (KeyError, TypeError, ValueError, re.error) as error:
            raise HTTPException(400, f"not a fault: {error!r}") from error
        self._orders.rules.add(rule)
        return JSONResponse({"match": rule.match.pattern, "times": rule.times})

    def _order_by_name(self, trouble_id: str, times: int) -> JSONResponse:
        try:
            self._orders.strikes.order(trouble_id, times)
        except KeyError as unknown:
            raise HTTPException(400, f"no fault {unknown} that can be ordered") from unknown
        return JSONResponse({"id": trouble_id, "times": times})

    async def faults(self, _request: Request) -> JSONResponse:
        """GET /faults: every fault that has a name, what it does, and whether it is in force."""
        return JSONResponse({"faults": self._orders.strikes.described()})

    async def chaos(self, request: Request) -> JSONResponse:
        """POST /chaos {rate, seed, ids}: each fault strikes the requests that it fits at that rate; rate 0 ends it.

        Without ids all but the lasting faults take part.
        """
        given = await _object(request)
        rate, seed, ids = float(given.get("rate", 0.02)), int(given.get("seed", 1)), given.get("ids")
        try:
            chosen = self._orders.strikes.let_chance(rate, seed, ids)
        except KeyError as unknown:
            raise HTTPException(400, f"no fault {unknown}") from unknown
        return JSONResponse({"rate": rate, "seed": seed, "ids": chosen})

    def close(self) -> None:
        """Let nothing go on in the background."""
        self._life.end()
        self._cloud.postman.close()

    async def clock(self, request: Request) -> JSONResponse:
        """POST /clock {seconds}: time jumps ahead, so tokens and links expire."""
        given = await _object(request)
        self._cloud.clock.ahead_seconds += float(given.get("seconds", 0))
        return JSONResponse({"now": self._cloud.clock.now().isoformat()})

    async def expire_deltas(self, _request: Request) -> JSONResponse:
        """POST /expire-deltas: every delta token so far is no longer known."""
        self._cloud.expire_deltas()
        return JSONResponse({"expired": True})

    async def behaviour(self, request: Request) -> JSONResponse:
        """POST /behaviour {open_ranges, strict_fragments}: which of several known ways the service acts in."""
        for name, value in (await _object(request)).items():
            if name not in Behaviour.__slots__:
                raise HTTPException(400, f"no behaviour '{name}'")
            setattr(self._cloud.behaviour, name, bool(value))
        return JSONResponse(asdict(self._cloud.behaviour))

    async def applications(self, request: Request) -> JSONResponse:
        """POST /applications {client_id, secret, certificate, roles}: another application, or another's rights."""
        given = await _object(request)
        client_id = str(given.get("client_id") or uuid4())
        secrets = [given["secret"]] if given.get("secret") else []
        certificates = [given["certificate"]] if given.get("certificate") else []
        roles = self._cloud.plan.roles if given.get("roles") is None else given["roles"]
        try:
            self._cloud.signin.register(client_id, secrets, certificates, roles)
        except ValueError as error:
            raise HTTPException(400, f"not a PEM certificate: {error}") from error
        return JSONResponse({"client_id": client_id})


def control_app(control: Control) -> Starlette:
    """The application behind control_url."""
    return Starlette(
        routes=[
            Route("/stats", control.stats),
            Route("/manifest", control.manifest),
            Route("/mutate", control.mutate, methods=["POST"]),
            Route("/fault", control.fault, methods=["POST"]),
            Route("/faults", control.faults),
            Route("/chaos", control.chaos, methods=["POST"]),
            Route("/life", control.life, methods=["POST"]),
            Route("/people", control.people, methods=["POST"]),
            Route("/clock", control.clock, methods=["POST"]),
            Route("/behaviour", control.behaviour, methods=["POST"]),
            Route("/expire-deltas", control.expire_deltas, methods=["POST"]),
            Route("/applications", control.applications, methods=["POST"]),
        ]
    )


def _also(given: dict[str, Any]) -> list[str]:
    """The further parts of the tenant where something is to happen. Raises HTTPException 400."""
    also = given.get("also") or []
    if not isinstance(also, list) or not FURTHER_KINDS.keys() >= set(map(str, also)):
        raise HTTPException(400, f"also lists any of {', '.join(FURTHER_KINDS)}")
    return [str(each) for each in also]


async def _object(request: Request) -> dict[str, Any]:
    try:
        given = await request.json()
    except ValueError as error:
        raise HTTPException(400, "the body is not JSON") from error
    if not isinstance(given, dict):
        raise HTTPException(400, "the body is not a JSON object")
    return given
