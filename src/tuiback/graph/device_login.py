"""Signs an administrator in with a code that is entered in a browser, on any device.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuiback.errors import TuibackError
from tuiback.graph.identity import refusal_of, tenant_authority, unknown_tenant
from tuiback.graph.msal_loading import load_msal
from tuiback.graph.sign_in_http import SignInHttp, no_answer
from tuiback.graph.transport import BREAKS, web_origin
from tuiback.model import Clock

if TYPE_CHECKING:
    from msal import PublicClientApplication

# Microsoft's own public client for command lines ("Microsoft Graph Command Line Tools"), known in every tenant.
COMMAND_LINE_APP_ID = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
# Who leaves the tenant open signs in to the one of the account that is entered.
ANY_TENANT = "organizations"
_PENDING = frozenset({"authorization_pending", "slow_down"})


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What the administrator enters, and where; it ends after `seconds`."""

    user_code: str
    url: str
    seconds: float


class DeviceLogin:
    """One sign-in of a person by device code, for the delegated permissions `scopes` of Graph.

    `tenant_id` "" leaves the tenant to the person.
    """

    def __init__(self, authority: str, tenant_id: str, graph_url: str, scopes: Sequence[str], *, clock: Clock) -> None:
        self._authority = tenant_authority(authority, tenant_id or ANY_TENANT)
        root = web_origin(graph_url)
        # Without a resource Entra takes Graph's own; a loopback address is no resource that it could know.
        self._scopes = [scope if root.startswith("http://") else f"{root}/{scope}" for scope in scopes]
        self._clock = clock

    async def token(self, show: Callable[[DeviceCode], None]) -> str:
        """The person's access token, once `show` has told the code and it was entered.

        Raises MicrosoftRefuses when it was declined or ran out, Unreachable when nobody answers.
        """
        async with SignInHttp(self._authority) as http:
            application = await self._reached(lambda: _public_client(http))
            flow = await self._reached(lambda: application.initiate_device_flow(self._scopes))
            if "device_code" not in flow:
                raise refusal_of(flow, "the sign-in by code")
            show(DeviceCode(flow["user_code"], http.on_wire(flow["verification_uri"]), float(flow["expires_in"])))
            while True:
                # Slowing down is msal's part: it lengthens the interval when it is told to.
                await self._clock.sleep(flow.get("interval", 5))
                answer = await self._reached(lambda: _ask_once(application, flow))
                if answer.get("error") not in _PENDING:
                    break
        if "access_token" not in answer:
            raise refusal_of(answer, "the sign-in by code")
        return str(answer["access_token"])

    async def _reached(self, ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - msal has no types
        try:
            return await asyncio.to_thread(ask)
        except TuibackError:
            raise
        except BREAKS as error:
            raise no_answer(self._authority, str(error) or type(error).__name__) from error
        except ValueError as error:
            raise unknown_tenant(self._authority) from error


def _public_client(http: SignInHttp) -> "PublicClientApplication":
    made: PublicClientApplication = load_msal().PublicClientApplication(
        COMMAND_LINE_APP_ID, authority=http.authority, instance_discovery=False, http_client=http
    )
    return made


def _ask_once(application: "PublicClientApplication", flow: dict[str, Any]) -> dict[str, Any]:
    # The time of the last attempt is msal's to warn about; our own clock keeps the interval.
    flow.pop("latest_attempt_at", None)
    answer: dict[str, Any] = application.acquire_token_by_device_flow(flow, exit_condition=lambda _: True)
    return answer
