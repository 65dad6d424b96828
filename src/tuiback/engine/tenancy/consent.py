"""Says where an administrator grants an app what it asks for."""

from urllib.parse import urlencode

# https://learn.microsoft.com/entra/identity-platform/v2-admin-consent wants an address to lead back to; nobody
# listens there, and nothing is learned from it.
REDIRECT_URI = "http://localhost"


def consent_url(authority: str, graph_url: str, client_id: str) -> str:
    """Where an administrator grants what the app asks for."""
    query = {"client_id": client_id, "scope": f"{graph_url}/.default", "redirect_uri": REDIRECT_URI}
    return f"{authority}/v2.0/adminconsent?{urlencode(query)}"
