"""Answers at the sign-in URLs: discovery documents and the token endpoint."""

from collections.abc import Callable
from urllib.parse import parse_qsl
from uuid import uuid4

from tuiback.simtenant.api.call import Call, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.signin import SignInFault
from tuiback.simtenant.state.clock import stamp

_JSON = "application/json; charset=utf-8"


def resolve_sign_in(cloud: Cloud, call: Call) -> tuple[str, Callable[[], Reply]] | None:
    """The template of the URL and what answers it, or None for a URL that is not the sign-in service's."""
    match call.path.strip("/").split("/"):
        case ["common", "discovery", "instance"]:
            return call.path, lambda: _plain(_instance())
        case [tenant, "v2.0", ".well-known", "openid-configuration"]:
            template, answer = "/{tenant}/v2.0/.well-known/openid-configuration", _configuration
        case [tenant, "oauth2", "v2.0", "token"]:
            template, answer = "/{tenant}/oauth2/v2.0/token", _token
        case _:
            return None
    return template, lambda: _answered(cloud, call, tenant, answer)


def _answered(cloud: Cloud, call: Call, tenant: str, answer: Callable[[Cloud, Call], Reply]) -> Reply:
    try:
        _check_tenant(cloud, tenant)
        return answer(cloud, call)
    except SignInFault as fault:
        return _refusal(fault, call, cloud)


def _check_tenant(cloud: Cloud, tenant: str) -> None:
    if tenant.lower() != cloud.plan.tenant_id:
        text = f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."
        raise SignInFault(400, "invalid_tenant", 90002, text)


def _configuration(cloud: Cloud, call: Call) -> Reply:
    authority = f"{call.root}/{cloud.plan.tenant_id}"
    return _plain(
        {
            "token_endpoint": f"{authority}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{authority}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token", "token id_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "issuer": f"{authority}/v2.0",
            "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{authority}/oauth2/v2.0/devicecode",
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "msgraph_host": "graph.microsoft.com",
        }
    )


def _instance() -> dict[str, object]:
    host = "login.microsoftonline.com"
    aliases = [host, "login.windows.net", "login.microsoft.com", "sts.windows.net"]
    return {
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": "login.windows.net", "aliases": aliases}],
    }


def _token(cloud: Cloud, call: Call) -> Reply:
    if call.method != "POST":
        raise SignInFault(405, "invalid_request", 900561, "The endpoint only accepts POST requests.")
    form = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    endpoint = f"{call.root}{call.path}".partition("://")[2]
    return _plain(cloud.signin.issue(form, endpoint))


def _plain(document: object, status: int = 200) -> Reply:
    reply = json_reply(document, status, {"Cache-Control": "no-store, no-cache"})
    reply.content_type = _JSON
    return reply


def _refusal(fault: SignInFault, call: Call, cloud: Cloud) -> Reply:
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
