"""Where Microsoft's clouds answer, and which addresses are refused."""

import pytest

from tuiback.engine.clouds import CLOUDS, Cloud, choose_cloud
from tuiback.errors import UsageError


def test_clouds() -> None:
    """Each of Microsoft's clouds brings both addresses; the authority names the tenant."""
    assert choose_cloud("global", "t", None, None) == Cloud(
        "global", "https://graph.microsoft.com", "https://login.microsoftonline.com/t"
    )
    roots = {name: choose_cloud(name, "t", None, None) for name in CLOUDS}
    assert roots["gcc-high"].graph_url == "https://graph.microsoft.us"
    assert roots["dod"].graph_url == "https://dod-graph.microsoft.us"
    assert roots["dod"].authority == roots["gcc-high"].authority == "https://login.microsoftonline.us/t"
    assert roots["china"] == Cloud(
        "china", "https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn/t"
    )


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:1", "127.9.9.9"])
def test_http_on_loopback(host: str) -> None:
    """The simulated tenant may be reached in clear on this machine."""
    cloud = choose_cloud("custom", "t", f"http://{host}/", f"http://{host}/t")
    assert (cloud.graph_url, cloud.authority) == (f"http://{host}", f"http://{host}/t")


@pytest.mark.parametrize(
    ("name", "graph_url", "authority"),
    [
        ("custom", "http://10.0.0.1", "https://login.example/t"),
        ("custom", "https://graph.example", "http://localhost.evil.example/t"),
        ("custom", "ftp://127.0.0.1", "http://127.0.0.1/t"),
        ("custom", "graph.example", "https://login.example/t"),
        ("custom", "https://graph.example", None),
        ("custom", None, None),
        ("global", "http://127.0.0.1", None),
        ("china", None, "https://login.example/t"),
    ],
)
def test_addresses_that_are_refused(name: str, graph_url: str | None, authority: str | None) -> None:
    """Clear text leaves this machine never, and only a custom cloud takes addresses."""
    with pytest.raises(UsageError):
        choose_cloud(name, "t", graph_url, authority)
