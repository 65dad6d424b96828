"""Every error that tuiback raises on purpose: what happened, to what, and what to do.

TuibackError                    exit 1
├── UsageError                  exit 2   an argument or a file of settings is wrong
├── WrongKey                    exit 4   the passphrase or key file does not open the repository
├── HomeBusy                    exit 5   another engine holds the home and cannot serve this
│   └── NotAllowed              exit 5   the engine does this only for people of a higher role
├── NoSuchThing                 exit 6   a named thing does not exist
│   └── Ambiguous               exit 6   a name fits several things
├── EnvironmentFault            exit 7   the machine, disk or mount is not as it must be
│   ├── RepositoryMissing       exit 7   not mounted, or another repository lies there
│   ├── FormatTooNew            exit 7   written by a newer tuiback
│   └── StorageFull             exit 7   no space, or writing failed
├── Overtaken                   exit 1   another engine has pruned the repository meanwhile
├── MicrosoftRefuses            exit 8   credential expired or wrong, consent missing
├── Damage                      exit 9   stored bytes are not what was written
│   └── WriterCloned            exit 9   another copy of this home has written in its name
└── GraphError                  exit 1   one request failed, for good or for now
    ├── Unreachable             exit 1   no answer: network, name or host
    ├── ItemGone                exit 1   404: deleted between the listing and the request
    ├── CursorExpired           exit 1   410: the change token is no longer known; list again
    ├── AccessDenied            exit 1   403 for this one account or item
    └── AccountAbsent           exit 1   the user has no mailbox or drive: nothing to back up
"""


class TuibackError(Exception):
    """What happened, to what (`subject`), and what to do (`remedy`); str() is the one line shown to people."""

    exit_code = 1
    code = "failed"

    def __init__(self, what: str, subject: str = "", remedy: str = "") -> None:
        super().__init__(what, subject, remedy)
        self.what = what
        self.subject = subject
        self.remedy = remedy

    def __str__(self) -> str:
        line = f"{self.subject}: {self.what}" if self.subject else self.what
        return f"{line}; {self.remedy}" if self.remedy else line


class UsageError(TuibackError):
    """An argument or a file of settings is wrong."""

    exit_code = 2
    code = "usage"


class WrongKey(TuibackError):
    """The passphrase or key file does not open the repository."""

    exit_code = 4
    code = "wrong_key"


class HomeBusy(TuibackError):
    """Another engine holds the home and cannot serve this."""

    exit_code = 5
    code = "home_busy"


class NotAllowed(HomeBusy):
    """The engine does this only for people of a higher role."""

    code = "not_allowed"


class NoSuchThing(TuibackError):
    """A named thing does not exist."""

    exit_code = 6
    code = "not_found"


class Ambiguous(NoSuchThing):
    """A name fits several things; `what` lists the candidates."""

    code = "ambiguous"


class EnvironmentFault(TuibackError):
    """The machine, disk or mount is not as it must be."""

    exit_code = 7
    code = "environment"


class RepositoryMissing(EnvironmentFault):
    """The repository is not mounted, or another one lies in its place."""

    code = "repository_missing"


class FormatTooNew(EnvironmentFault):
    """A newer tuiback wrote this."""

    code = "format_too_new"


class StorageFull(EnvironmentFault):
    """There is no space left, or writing failed."""

    code = "storage_full"


class Overtaken(TuibackError):
    """Another engine has pruned the repository meanwhile: what was staged is fetched again by the next run."""

    code = "overtaken"


class MicrosoftRefuses(TuibackError):
    """The credential is wrong or expired, or consent is missing."""

    exit_code = 8
    code = "microsoft_refuses"


class Damage(TuibackError):
    """Stored bytes are not what was written."""

    exit_code = 9
    code = "damage"


class WriterCloned(Damage):
    """Another copy of this home has written in its name: what was staged is fetched again under a new one."""

    code = "writer_cloned"


class GraphError(TuibackError):
    """One request to Microsoft failed: `status` 0 means that no answer came."""

    code = "graph"

    def __init__(
        self,
        what: str,
        subject: str = "",
        remedy: str = "",
        *,
        status: int = 0,
        graph_code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(what, subject, remedy)
        self.status = status
        self.graph_code = graph_code
        self.request_id = request_id


class Unreachable(GraphError):
    """No answer: network, name or host."""

    code = "unreachable"


class ItemGone(GraphError):
    """404: deleted between the listing and the request."""

    code = "item_gone"


class CursorExpired(GraphError):
    """410: the change token is no longer known; the container must be listed again."""

    code = "cursor_expired"


class AccessDenied(GraphError):
    """403 for this one account or item."""

    code = "access_denied"


class AccountAbsent(GraphError):
    """The user has no mailbox or drive: there is nothing to back up."""

    code = "account_absent"
