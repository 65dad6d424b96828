"""The pages on which people sign in, as plain forms that a browser or a test can fill in."""

from collections.abc import Mapping
from html import escape
from urllib.parse import parse_qsl, urlencode

from tuiback.simtenant.api.call import Call, Reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.logins import Authorization, read_scopes
from tuiback.simtenant.api.signin_faults import SignInFault
from tuiback.simtenant.content.app_roles import ROLE_NAMES

_HTML = "text/html; charset=utf-8"
_BUTTONS = "".join(f'<button name="action" value="{name}">{name}</button>\n' for name in ("accept", "cancel"))


def device_page(cloud: Cloud, call: Call) -> Reply:
    """Where a person enters the code that the other device shows."""
    given = _form(call)
    if call.method == "GET":
        return _page("Enter the code", _fields(given, "user_code", "account"), call)
    flow = cloud.signin.logins.find_device(given.get("user_code", ""))
    if flow is None:
        return _page("That code didn't work", _fields(given, "user_code", "account"), call, 400)
    if given.get("action") == "cancel":
        flow.declined = True
        return _page("You have declined to sign in", "", call)
    flow.person = cloud.signin.logins.enter(given.get("account", ""), flow.scopes)
    return _page("You have signed in. You may close this window", "", call)


def authorize_page(cloud: Cloud, call: Call) -> Reply:
    """Where a person signs in for an application, and is led back to it with a code."""
    given = _form(call)
    asked = Authorization(
        client_id=given.get("client_id", ""),
        scopes=read_scopes(given.get("scope", "")),
        redirect_uri=given.get("redirect_uri", ""),
        state=given.get("state", ""),
        nonce=given.get("nonce", ""),
        challenge=given.get("code_challenge", ""),
        challenge_method=given.get("code_challenge_method", "plain"),
    )
    cloud.signin.check_client(asked.client_id)
    if given.get("response_type", "code") != "code" or not asked.redirect_uri:
        text = "The request must have response_type=code and a redirect_uri."
        raise SignInFault(400, "invalid_request", 900144, text)
    if call.method == "GET":
        return _page("Sign in", _fields(given | {"account": given.get("login_hint", "")}, "account"), call)
    back = {"state": asked.state} if asked.state else {}
    leading = _posting if given.get("response_mode") == "form_post" else _leading
    if given.get("action") == "cancel":
        return leading(asked.redirect_uri, {"error": "access_denied", **back})
    try:
        person = cloud.signin.logins.enter(given.get("account", ""), asked.scopes)
    except SignInFault as fault:
        return _page(f"AADSTS{fault.number}: {fault.text}", _fields(given, "account"), call, fault.status)
    return leading(asked.redirect_uri, {"code": cloud.signin.logins.new_code(asked, person), **back})


def consent_page(cloud: Cloud, call: Call) -> Reply:
    """Where an administrator grants an application all the permissions that it asks for.

    https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
    """
    given = _form(call)
    application = cloud.applications.find(given.get("client_id", ""))
    if application is None:
        text = f"Application with identifier '{given.get('client_id', '')}' was not found in the directory."
        raise SignInFault(400, "unauthorized_client", 700016, text)
    role_ids = [str(access["id"]) for each in application.required for access in each.get("resourceAccess", ())]
    if call.method == "GET":
        wanted = ", ".join(sorted(ROLE_NAMES.get(role_id, role_id) for role_id in role_ids))
        return _page(f"{application.name} asks for {wanted}", _fields(given, "account"), call)
    person = cloud.signin.logins.enter(given.get("account", ""), frozenset())
    if not cloud.signin.logins.is_administrator(person):
        raise SignInFault(400, "access_denied", 90094, "Only an administrator can grant these permissions.")
    known = cloud.applications
    principal = known.find_principal(application.app_id) or known.create_principal(application)
    granted = {grant.role_id for grant in known.grants(principal)}
    for role_id in role_ids:
        if role_id not in granted:
            known.grant(principal, role_id)
    answer = {"admin_consent": "True", "tenant": cloud.plan.tenant_id, "state": given.get("state", "")}
    if given.get("redirect_uri"):
        return _leading(given["redirect_uri"], answer)
    return _page("The permissions have been granted. You may close this window", "", call)


def _form(call: Call) -> dict[str, str]:
    """The query, and over it what the form sent."""
    return {**call.query, **dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))}


def _fields(given: Mapping[str, str], *names: str) -> str:
    return "".join(
        f'<label>{name} <input name="{name}" value="{escape(given.get(name, ""), quote=True)}"></label>\n'
        for name in names
    )


def _page(title: str, fields: str, call: Call, status: int = 200) -> Reply:
    form = ""
    if fields:
        form = f'<form method="post" action="{escape(_here(call), quote=True)}">\n{fields}{_BUTTONS}\n</form>'
    body = f"<!doctype html>\n<title>{escape(title)}</title>\n<h1>{escape(title)}</h1>\n{form}\n"
    return Reply(status, body.encode(), _HTML, {"Cache-Control": "no-store, no-cache"})


def _here(call: Call) -> str:
    return call.path + (f"?{call.raw_query}" if call.raw_query else "")


def _leading(redirect_uri: str, answer: Mapping[str, str]) -> Reply:
    joint = "&" if "?" in redirect_uri else "?"
    return Reply(302, headers={"Location": f"{redirect_uri}{joint}{urlencode(answer)}"})


def _posting(redirect_uri: str, answer: Mapping[str, str]) -> Reply:
    """The same by a form that sends itself: https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html."""
    inputs = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value, quote=True)}">\n' for name, value in answer.items()
    )
    form = f'<form method="post" action="{escape(redirect_uri, quote=True)}">\n{inputs}</form>'
    body = f'<!doctype html>\n<body onload="document.forms[0].submit()">\n{form}\n</body>\n'
    return Reply(200, body.encode(), _HTML, {"Cache-Control": "no-store, no-cache"})
