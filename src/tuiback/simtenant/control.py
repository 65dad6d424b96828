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
from tuiback.simtenant.faults import FaultRule, Faults
from tuiback.simtenant.manifest import manifest
from tuiback.simtenant.mutations import mutate
from tuiback.simtenant.reception import Counts

_KINDS = frozenset({"mailbox", "drive"})


class Control:
    """The endpoints behind control_url. Each POST takes and gives one JSON object."""

    def __init__(self, cloud: Cloud, counts: Counts, faults: Faults) -> None:
        self._cloud = cloud
        self._counts = counts
        self._faults = faults

    def reset(self) -> None:
        """Undo every write, fault, clock move and registration, and count from zero."""
        self._faults.clear()
        self._counts.clear()
        self._cloud.reset()

    async def stats(self, _request: Request) -> JSONResponse:
        """GET /stats: requests so far, all and by route, 429 answers, most at once, what is in memory."""
        counts = self._counts
        return JSONResponse(
            {
                "requests": counts.requests,
                "by_route": dict(counts.by_route),
                "throttled": counts.throttled,
                "in_flight_max": counts.in_flight_max,
                "not_mail": self._cloud.tenant.not_mail,
                "in_memory": self._cloud.tenant.held_count,
            }
        )

    async def manifest(self, request: Request) -> JSONResponse:
        """GET /manifest?account=[mailbox:|drive:]NAME: what the account holds."""
        kind, _, name = request.query_params.get("account", "").rpartition(":")
        person = self._cloud.tenant.company.find(name)
        if person is None or (kind and kind not in _KINDS):
            raise HTTPException(404, f"no account '{request.query_params.get('account', '')}'")
        items = manifest(self._cloud, person, frozenset({kind}) if kind else _KINDS)
        return JSONResponse({"account": person.address, "items": items})

    async def mutate(self, request: Request) -> JSONResponse:
        """POST /mutate {changes, seed} | {reset: true}."""
        given = await _object(request)
        if given.get("reset"):
            self.reset()
            return JSONResponse({"reset": True})
        return JSONResponse(mutate(self._cloud, int(given.get("changes", 10)), int(given.get("seed", 1))))

    async def fault(self, request: Request) -> JSONResponse:
        """POST /fault {match, status, retry_after, times, body, drop_after_bytes}, or {clear: true}."""
        given = await _object(request)
        if given.get("clear"):
            self._faults.clear()
            return JSONResponse({"cleared": True})
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
        self._faults.add(rule)
        return JSONResponse({"match": rule.match.pattern, "times": rule.times})

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
            Route("/clock", control.clock, methods=["POST"]),
            Route("/behaviour", control.behaviour, methods=["POST"]),
            Route("/expire-deltas", control.expire_deltas, methods=["POST"]),
            Route("/applications", control.applications, methods=["POST"]),
        ]
    )


async def _object(request: Request) -> dict[str, Any]:
    try:
        given = await request.json()
    except ValueError as error:
        raise HTTPException(400, "the body is not JSON") from error
    if not isinstance(given, dict):
        raise HTTPException(400, "the body is not a JSON object")
    return given
