"""Everything that runs behind the URLs: the tenant, its clock, the sign-in service and the open transfers."""

from dataclasses import dataclass

from tuiback.simtenant.api.signin import SignIn
from tuiback.simtenant.api.transfers import Transfers
from tuiback.simtenant.plan import Plan
from tuiback.simtenant.postman import Postman
from tuiback.simtenant.state.applications import Applications
from tuiback.simtenant.state.clock import Clock
from tuiback.simtenant.state.subscriptions import Subscriptions
from tuiback.simtenant.state.tenant import Tenant
from tuiback.simtenant.throttling.gate import Gate

# Under Microsoft's names, files lie on the tenant's own SharePoint host.
OUTLOOK_HOST = "outlook.office.com"
STORAGE_HOST = "northwind-my.sharepoint.com"


@dataclass(slots=True)
class Behaviour:
    """Where the service is known to act in more than one way: which one it is now.

    An upload's nextExpectedRanges are documented with an end ("26-99") and, with `open_ranges`, without ("26-").
    Fragments that are no multiple of 320 KiB "can result in errors"; with `strict_fragments` they do.
    https://learn.microsoft.com/graph/api/driveitem-createuploadsession
    Reports show hashes instead of names unless an administrator has turned `concealed_names` off.
    https://learn.microsoft.com/graph/api/resources/adminreportsettings
    Delta of files is documented to tell no path of the parent; with `paths_in_delta` it does, as clients have met it.
    https://learn.microsoft.com/graph/api/driveitem-delta
    An upload session that does not say what is to become of a file of the same name is documented to fail; rclone has
    always overwritten files without saying so, as it can with `sessions_replace`.
    https://learn.microsoft.com/graph/api/driveitem-createuploadsession
    Answers are `compressed` for who accepts that, as the real service does; here only where somebody asks for it, since
    it takes time.
    Whether the id of a mailboxItem is that of the message is not documented; with `shared_item_ids` it is.
    """

    open_ranges: bool = False
    strict_fragments: bool = False
    concealed_names: bool = True
    paths_in_delta: bool = False
    sessions_replace: bool = False
    compressed: bool = False
    shared_item_ids: bool = False


class Cloud:
    """One simulated cloud with its only tenant."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.delta_generation = 1
        self.behaviour = Behaviour()
        self.storage_ports: dict[str, int] = {}
        self.postman = Postman()
        self._begin()

    def _begin(self) -> None:
        self.clock = Clock(self.plan.time_scale)
        self.gate = self._new_gate()
        self.tenant = Tenant(self.plan)
        self.subscriptions = Subscriptions()
        self.token_key = self.tenant.chance.digest(16, "tokens")
        graph_principal_id = str(self.tenant.chance.guid("graph principal"))
        self.applications = Applications(self.clock, graph_principal_id, self.plan.replication_seconds)
        self.signin = SignIn(self.plan, self.clock, self.tenant.directory, self.applications, self.token_key)
        self.transfers = Transfers(self.clock, self.token_key, self.plan.url_seconds)

    def _new_gate(self) -> Gate | None:
        plan = self.plan
        return Gate(self.clock.seconds, plan.users, plan.time_scale, plan.tenant_id) if plan.throttled else None

    def reset(self) -> None:
        """Undo every write and registration; delta tokens made before are no longer known."""
        self.delta_generation += 1
        self.behaviour = Behaviour()
        self._begin()

    def expire_deltas(self) -> None:
        """Make every delta token so far unknown."""
        self.delta_generation += 1

    def storage_root(self, root: str, host_name: str = STORAGE_HOST) -> str:
        """Scheme and host of download and upload URLs: another host than the one that the request came by.

        `host_name` is its name where Microsoft's names are in use.
        """
        scheme, _, host = root.partition("://")
        if host.endswith(".microsoft.com"):
            return f"{scheme}://{host_name}"
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        return f"{scheme}://{name}:{self.storage_ports[scheme]}"
