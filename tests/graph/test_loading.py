"""What the way to Microsoft does without, and that nobody else misses it."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE

from tuiback.graph import AppIdentity

from .scripted import ScriptedServer

_TRY = """
import asyncio, json, ssl, sys
from tuiback.engine.clock import SystemClock
from tuiback.graph import AppIdentity
from tuiback.graph.identity import TokenSource
from tuiback.graph.transport import tls_context

async def sign_in():
    app = AppIdentity(*sys.argv[1:5], "secret", "s")
    return await TokenSource(app, clock=SystemClock()).token()

told = {"token": asyncio.run(sign_in()), "unneeded": sorted({"requests", "httpcore", "rich"} & set(sys.modules))}
trusting = sys.modules["aiohttp.connector"]._SSL_CONTEXT_VERIFIED
told["aiohttp"] = [trusting.verify_mode == ssl.CERT_REQUIRED, trusting.cert_store_stats()["x509_ca"]]
told["clients"] = tls_context().cert_store_stats()["x509_ca"]
told["restored"] = ssl.SSLContext.load_default_certs.__qualname__
from msal.managed_identity import ManagedIdentityClient
told["by_its_name"] = ManagedIdentityClient.__name__
print(json.dumps(told))
"""


async def test_a_sign_in_loads_no_second_http_library(server: ScriptedServer, app: AppIdentity) -> None:
    """Nor authorities but those of the clients; what msal was loaded without can be had by its name."""
    named = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
    environment = {name: value for name, value in os.environ.items() if name not in named}
    identity = (app.tenant_id, app.client_id, app.authority, app.graph_url)
    asked = await asyncio.create_subprocess_exec(sys.executable, "-c", _TRY, *identity, env=environment, stdout=PIPE)
    answer, _ = await asked.communicate()
    told = json.loads(answer)
    assert told.pop("clients") > 0
    assert server.tokens_issued == 1
    assert told == {
        "token": "token-1", "unneeded": [], "aiohttp": [True, 0], "restored": "SSLContext.load_default_certs",
        "by_its_name": "ManagedIdentityClient",
    }  # fmt: skip
