"""The token endpoint: which applications may sign in, and what they get."""

from collections.abc import Iterable, Mapping
from typing import Any

from tuiback.simtenant.api.assertions import check_assertion
from tuiback.simtenant.api.logins import Logins
from tuiback.simtenant.api.signin_faults import SignInFault
from tuiback.simtenant.api.tokens import GRAPH, Bearer, Tokens
from tuiback.simtenant.content.app_roles import COMMAND_LINE_APP_ID
from tuiback.simtenant.plan import Plan
from tuiback.simtenant.state.applications import Application, Applications
from tuiback.simtenant.state.clock import Clock
from tuiback.simtenant.state.directory import Directory

# Scopes of these hosts are SharePoint's.
SHAREPOINT_ENDING = ".sharepoint.com"


class SignIn:
    """Applications, people and tokens of one tenant."""

    def __init__(self, plan: Plan, clock: Clock, directory: Directory, applications: Applications, key: bytes) -> None:
        self._clock = clock
        self._plan = plan
        self._applications = applications
        self.tokens = Tokens(plan, clock, key)
        self.logins = Logins(plan, clock, directory, self.tokens, applications.roles)
        self.register(plan.client_id, [plan.client_secret], plan.certificates, plan.roles)

    def register(
        self, client_id: str, secrets: Iterable[str], certificates: Iterable[str], roles: Iterable[str]
    ) -> None:
        """Make an application known at once, or replace it. Raises ValueError for a certificate that is not PEM."""
        self._applications.register(client_id, secrets, certificates, roles)

    def issue(self, form: Mapping[str, str], endpoint: str, issuer: str) -> dict[str, Any]:
        """The token endpoint's answer; `endpoint` is its URL without the scheme. Raises SignInFault."""
        match form.get("grant_type"):
            case "client_credentials":
                return self._for_application(form, endpoint)
            case "urn:ietf:params:oauth:grant-type:device_code":
                self.check_client(form.get("client_id", ""))
                return self.logins.redeem_device(form, issuer)
            case "authorization_code":
                self._check_credential_given(form, endpoint)
                return self.logins.redeem_code(form, issuer)
            case "refresh_token":
                self._check_credential_given(form, endpoint)
                return self.logins.refresh(form, issuer)
        raise SignInFault(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")

    def bearer(self, authorization: str) -> Bearer:
        """Whom an Authorization header stands for. Raises Fault 401."""
        return self.tokens.open(authorization)

    def payer(self, authorization: str) -> Bearer:
        """Whom a request of that header is charged to, at whatever service. Raises Fault 401."""
        return self.tokens.open_any(authorization)

    def check_client(self, client_id: str) -> None:
        """Let known applications pass. Raises SignInFault."""
        if client_id != COMMAND_LINE_APP_ID:
            self._application(client_id)

    def _for_application(self, form: Mapping[str, str], endpoint: str) -> dict[str, Any]:
        if not form.get("scope", "").endswith("/.default"):
            raise SignInFault(400, "invalid_scope", 1002012, "The provided value for scope is not valid.")
        application = self._application(form.get("client_id", ""))
        self._check_credential(application, form, endpoint)
        life, app_id = self._plan.token_seconds, application.app_id
        resource, by_certificate = form["scope"].removesuffix("/.default"), "client_assertion" in form
        if resource.endswith(SHAREPOINT_ENDING):
            roles = self._applications.sharepoint_roles(app_id)
        else:
            roles, resource = self._applications.roles(app_id), GRAPH
        principal = self._applications.find_principal(app_id)
        token = self.tokens.for_application(
            app_id, roles, resource, by_certificate=by_certificate, principal=principal
        )
        return {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token}

    def _application(self, client_id: str) -> Application:
        application = self._applications.find(client_id)
        if application is None or application.app_id != client_id or not self._applications.find_principal(client_id):
            text = f"Application with identifier '{client_id}' was not found in the directory."
            raise SignInFault(400, "unauthorized_client", 700016, text)
        return application

    def _check_credential_given(self, form: Mapping[str, str], endpoint: str) -> None:
        """Public clients give none; who gives one must give a good one."""
        self.check_client(form.get("client_id", ""))
        if "client_secret" in form or "client_assertion" in form:
            self._check_credential(self._application(form["client_id"]), form, endpoint)

    def _check_credential(self, application: Application, form: Mapping[str, str], endpoint: str) -> None:
        if "client_assertion" in form:
            check_assertion(form["client_assertion"], application, endpoint, self._clock)
            return
        secret = next((each for each in application.secrets if each.text == form.get("client_secret")), None)
        if secret is None:
            app_id = application.app_id
            text = f"Invalid client secret provided. Ensure the secret being sent is the value for app '{app_id}'."
            raise SignInFault(401, "invalid_client", 7000215, text)
        if secret.ends <= self._clock.seconds():
            text = f"The provided client secret keys for app '{application.app_id}' are expired."
            raise SignInFault(401, "invalid_client", 7000222, text)
