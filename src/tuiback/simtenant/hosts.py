"""The hosts of the simulated cloud on their ports: API, storage and control, with TLS and a proxy where asked for."""

import socket

from starlette.types import ASGIApp, Receive, Scope, Send

from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.storage import resolve_storage
from tuiback.simtenant.capture import Capture
from tuiback.simtenant.certificates import Certificates, make_certificates
from tuiback.simtenant.control import Control, control_app
from tuiback.simtenant.front import Front, resolve_api
from tuiback.simtenant.plan import Endpoints, Plan
from tuiback.simtenant.proxy import ConnectProxy
from tuiback.simtenant.reception import Counts, Orders, Reception

_LOOPBACK = "127.0.0.1"
# The sign-in service has aliases: https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
_SIGN_IN_NAMES = ("login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net")
_API_NAMES = ("graph.microsoft.com", *_SIGN_IN_NAMES)
_STORAGE_NAMES = ("*.sharepoint.com", "outlook.office.com", "outlook.office365.com")


class Hosts:
    """One ASGI application for all ports. `plain` sockets are served by http, `secure` ones by https."""

    def __init__(self, plan: Plan, port: int) -> None:
        self.plain = [_listening(port), _listening(0), _listening(0)]
        self.secure = [_listening(0), _listening(0)] if plan.tls else []
        self.certificates: Certificates | None = make_certificates(plan.tls) if plan.tls else None
        self._proxy_socket = _listening(0) if plan.tls else None
        cloud, counts, orders = Cloud(plan), Counts(), Orders()
        self.control = Control(cloud, counts, orders)
        self._capture = Capture(plan.capture) if plan.capture is not None else None
        api = Front(Reception(cloud, counts, orders, resolve_api), counts, self._capture)
        storage = Front(Reception(cloud, counts, orders, resolve_storage), counts, self._capture)
        control = control_app(self.control)
        ports = [_port(each) for each in (*self.plain, *self.secure)]
        self._apps: dict[int, ASGIApp] = dict(zip(ports, (api, storage, control, api, storage), strict=False))
        cloud.storage_ports = dict(zip(("http", "https"), ports[1::3], strict=False))
        # Without TLS there is nobody behind Microsoft's names.
        api_port, storage_port = ports[3:] or (0, 0)
        self._proxy = ConnectProxy(dict.fromkeys(_API_NAMES, api_port) | dict.fromkeys(_STORAGE_NAMES, storage_port))
        self.endpoints = self._endpoints(plan, ports)

    def _endpoints(self, plan: Plan, ports: list[int]) -> Endpoints:
        root = f"http://{_LOOPBACK}:{ports[0]}"
        return Endpoints(
            graph_url=root,
            authority=f"{root}/{plan.tenant_id}",
            tenant_id=plan.tenant_id,
            client_id=plan.client_id,
            client_secret=plan.client_secret,
            control_url=f"http://{_LOOPBACK}:{ports[2]}",
            proxy_url=f"http://{_LOOPBACK}:{_port(self._proxy_socket)}" if self._proxy_socket else "",
            ca_file=str(self.certificates.authority.absolute()) if self.certificates else "",
        )

    async def open(self) -> None:
        """Begin to serve what needs a running loop beside the web servers."""
        if self._proxy_socket is not None:
            await self._proxy.start(self._proxy_socket)

    async def close(self) -> None:
        """Let go of what was opened."""
        self.control.close()
        await self._proxy.stop()
        if self._capture is not None:
            self._capture.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request by the port that it came to."""
        await self._apps[scope["server"][1]](scope, receive, send)


def _port(listening: socket.socket) -> int:
    return int(listening.getsockname()[1])


def _listening(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((_LOOPBACK, port))
    made.listen(128)
    return made
