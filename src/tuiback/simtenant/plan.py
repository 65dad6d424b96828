"""Says what a simulated tenant is to hold, and where to reach it once it is served."""

from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_DNS, uuid5

from tuiback.simtenant.content.app_roles import APP_ROLE_IDS

EVERY_ROLE = frozenset(APP_ROLE_IDS)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the tenant holds, all of it a function of `seed`.

    `messages` and `files_per_user` count for each user. `mail` and `files` name folders whose files replace the
    generated mail and files. `throttled` tenants keep to Microsoft's limits; their time runs `time_scale` times as fast
    as the machine's. Exchanges are written to the file `capture`. With the folder `tls`, for its certificates, the
    tenant is served by https too, under Microsoft's host names. What is registered in the directory
    can be used `replication_seconds` later; who waits for a device code is told to ask every
    `device_interval_seconds`. Delta of messages gives no more than `filtered_messages` where a filter is given.
    `certificates` are PEM texts that may sign client assertions
    beside the secret.
    """

    users: int = 5
    messages: int = 120
    files_per_user: int = 60
    seed: int = 1
    mail: Path | None = None
    files: Path | None = None
    latency_seconds: float = 0.0
    throttled: bool = False
    time_scale: float = 1.0
    capture: Path | None = None
    tls: Path | None = None
    message_page: int = 10
    folder_page: int = 10
    user_page: int = 100
    file_page: int = 200
    filtered_messages: int = 5000
    token_seconds: int = 3599
    url_seconds: int = 3600
    replication_seconds: float = 2.0
    device_interval_seconds: int = 5
    roles: frozenset[str] = EVERY_ROLE
    certificates: tuple[str, ...] = ()

    @property
    def tenant_id(self) -> str:
        """The directory's id, a GUID."""
        return str(uuid5(NAMESPACE_DNS, f"tenant-{self.seed}.northwind.example"))

    @property
    def client_id(self) -> str:
        """The first application's id, a GUID."""
        return str(uuid5(NAMESPACE_DNS, f"client-{self.seed}.northwind.example"))

    @property
    def client_secret(self) -> str:
        """The first application's secret; it opens nothing but this tenant on loopback."""
        return f"sim~{uuid5(NAMESPACE_DNS, f'secret-{self.seed}.northwind.example').hex}"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the served tenant answers; `graph_url` is the root before /v1.0.

    With TLS, clients that go through `proxy_url` and trust `ca_file` reach it under Microsoft's host names.
    """

    graph_url: str
    authority: str
    tenant_id: str
    client_id: str
    client_secret: str
    control_url: str
    proxy_url: str = ""
    ca_file: str = ""
