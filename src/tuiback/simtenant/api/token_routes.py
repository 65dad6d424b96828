"""Answers at the sign-in URLs: discovery documents, keys, tokens, device codes, and the pages for people."""

from base64 import b64decode
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote_plus
from uuid import uuid4

from tuiback.simtenant.api.call import Call, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.login_pages import authorize_page, consent_page, device_page
from tuiback.simtenant.api.signin_faults import SignInFault
from tuiback.simtenant.api.tokens import GRAPH
from tuiback.simtenant.content.app_roles import GRAPH_APP_ID
from tuiback.simtenant.content.company import DOMAIN
from tuiback.simtenant.state.clock import stamp

_JSON = "application/json; charset=utf-8"
# Who signs in tells then which tenant is meant; there is only one.
_ANY_TENANT = ("common", "organizations")


def resolve_sign_in(cloud: Cloud, call: Call) -> tuple[str, Callable[[], Reply]] | None:
    """The template of the URL and what answers it, or None for a URL that is not the sign-in service's."""
    match call.path.strip("/").split("/"):
        case ["common", "discovery", "instance"]:
            return call.path, lambda: _plain(_instance(call))
        case ["common" as tenant, "oauth2", "deviceauth"]:
            return call.path, lambda: _answered(cloud, call, tenant, device_page)
        case [""]:
            return call.path, lambda: Reply(200, b"<!doctype html>\n<title>Sign in</title>\n", "text/html")
        case [tenant, *rest] if "/".join(rest) in _ROUTES:
            template, answer = "/{tenant}/" + "/".join(rest), _ROUTES["/".join(rest)]
        case _:
            return None
    return template, lambda: _answered(cloud, call, tenant, answer)


def _answered(cloud: Cloud, call: Call, tenant: str, answer: Callable[[Cloud, Call], Reply]) -> Reply:
    try:
        _check_tenant(cloud, tenant)
        return answer(cloud, call)
    except SignInFault as fault:
        return refusal(fault, call, cloud)


def _check_tenant(cloud: Cloud, tenant: str) -> None:
    if tenant.lower() not in (cloud.plan.tenant_id, DOMAIN, *_ANY_TENANT):
        text = f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."
        raise SignInFault(400, "invalid_tenant", 90002, text)


def _configuration(cloud: Cloud, call: Call) -> Reply:
    authority = f"{call.root}/{cloud.plan.tenant_id}"
    return _plain(
        {
            "token_endpoint": f"{authority}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{authority}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "form_post"],
            "response_types_supported": ["code", "id_token", "token id_token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "issuer": f"{authority}/v2.0",
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid"],
            "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{authority}/oauth2/v2.0/devicecode",
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "msgraph_host": "graph.microsoft.com",
        }
    )


def _first_configuration(cloud: Cloud, call: Call) -> Reply:
    """The same of the first version of the endpoints, which older clients still look at.

    https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
    """
    authority = f"{call.root}/{cloud.plan.tenant_id}"
    return _plain(
        {
            "token_endpoint": f"{authority}/oauth2/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{call.root}/common/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token", "token id_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "issuer": f"https://sts.windows.net/{cloud.plan.tenant_id}/",
            "authorization_endpoint": f"{authority}/oauth2/authorize",
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "msgraph_host": "graph.microsoft.com",
        }
    )


def _instance(call: Call) -> dict[str, object]:
    """Which hosts are one cloud, and where the authority that is asked about has its configuration."""
    tenant = call.query.get("authorization_endpoint", "").partition("://")[2].split("/")[1:2] or ["common"]
    host = "login.microsoftonline.com"
    aliases = [host, "login.windows.net", "login.microsoft.com", "sts.windows.net"]
    return {
        "tenant_discovery_endpoint": f"{call.root}/{tenant[0]}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": "login.windows.net", "aliases": aliases}],
    }


def _token(cloud: Cloud, call: Call) -> Reply:
    return _plain(_issued(cloud, call, _token_form(call)))


def _first_token(cloud: Cloud, call: Call) -> Reply:
    """A token by the first version of the endpoint, where a resource is named instead of scopes.

    https://learn.microsoft.com/previous-versions/azure/active-directory/azuread-dev/v1-oauth2-client-creds-grant-flow
    """
    form = _token_form(call)
    resource = form.get("resource", "")
    if not resource:
        text = "The request body must contain the following parameter: 'resource'."
        raise SignInFault(400, "invalid_request", 900144, text)
    meant = GRAPH if resource == GRAPH_APP_ID else resource.rstrip("/")
    answer = _issued(cloud, call, form | {"scope": f"{meant}/.default"})
    now, life = int(cloud.clock.seconds()), int(answer["expires_in"])
    times = {"expires_in": str(life), "ext_expires_in": str(life), "expires_on": str(now + life)}
    return _plain(answer | times | {"not_before": str(now), "resource": resource})


def _token_form(call: Call) -> dict[str, str]:
    if call.method != "POST":
        raise SignInFault(405, "invalid_request", 900561, "The endpoint only accepts POST requests.")
    form = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    return form | _basic(call.headers.get("authorization", ""))


def _issued(cloud: Cloud, call: Call, form: dict[str, str]) -> dict[str, Any]:
    endpoint = f"{call.root}{call.path}".partition("://")[2]
    return cloud.signin.issue(form, endpoint, f"{call.root}/{cloud.plan.tenant_id}/v2.0")


def _basic(authorization: str) -> dict[str, str]:
    """The client that an Authorization header names: https://datatracker.ietf.org/doc/html/rfc6749#section-2.3.1."""
    scheme, _, text = authorization.partition(" ")
    try:
        name, _, secret = b64decode(text if scheme.lower() == "basic" else "").decode().partition(":")
    except ValueError:
        return {}
    return {"client_id": unquote_plus(name), "client_secret": unquote_plus(secret)} if name else {}


def _device_code(cloud: Cloud, call: Call) -> Reply:
    form = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    client_id = form.get("client_id", "")
    cloud.signin.check_client(client_id)
    flow = cloud.signin.logins.begin_device(client_id, form.get("scope", ""))
    page = f"{call.root}/common/oauth2/deviceauth"
    return _plain(
        {
            "user_code": flow.user_code,
            "device_code": flow.device_code,
            "verification_uri": page,
            "expires_in": int(flow.expires - cloud.clock.seconds()),
            "interval": cloud.plan.device_interval_seconds,
            "message": f"To sign in, use a web browser to open the page {page} and enter the code {flow.user_code} to "
            "authenticate.",
        }
    )


def _keys(cloud: Cloud, _call: Call) -> Reply:
    return _plain(cloud.signin.tokens.key_set())


_ROUTES: dict[str, Callable[[Cloud, Call], Reply]] = {
    "v2.0/.well-known/openid-configuration": _configuration,
    ".well-known/openid-configuration": _first_configuration,
    "discovery/v2.0/keys": _keys,
    "oauth2/token": _first_token,
    "oauth2/v2.0/token": _token,
    "oauth2/v2.0/devicecode": _device_code,
    "oauth2/v2.0/authorize": authorize_page,
    "adminconsent": consent_page,
    "v2.0/adminconsent": consent_page,
}


def _plain(document: object, status: int = 200) -> Reply:
    reply = json_reply(document, status, {"Cache-Control": "no-store, no-cache"})
    reply.content_type = _JSON
    return reply


def refusal(fault: SignInFault, call: Call, cloud: Cloud) -> Reply:
    """The error document, with when and which request."""
    trace = str(uuid4())
    moment = stamp(cloud.clock.now()).replace("T", " ")
    text = f"AADSTS{fault.number}: {fault.text} Trace ID: {trace} Correlation ID: {call.client_request_id}"
    document = {
        "error": fault.error,
        "error_description": f"{text} Timestamp: {moment}",
        "error_codes": [fault.number],
        "timestamp": moment,
        "trace_id": trace,
        "correlation_id": call.client_request_id,
        "error_uri": f"{call.root}/error?code={fault.number}",
    }
    return _plain(document, fault.status)
