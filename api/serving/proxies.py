"""What proxies say of a client's address: believed of those the settings name, of nobody else."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from itr.networks import Address, Network, read_address, read_networks
from itr.settings import Settings

_SCHEMES = {"http", "https"}


class TrustedProxies:
    """The proxies of `ITR_TRUSTED_PROXIES`."""

    def __init__(self, networks: tuple[Network, ...] = ()) -> None:
        self._networks = networks

    @classmethod
    def of(cls, settings: Settings) -> TrustedProxies:
        """Those a server with these settings believes."""
        return cls(read_networks(settings.trusted_proxies))

    def include(self, address: Address | None) -> bool:
        """Whether this is one of them."""
        return address is not None and any(
            address.version == network.version and address in network for network in self._networks
        )

    def client_of(self, peer: Address, forwarded_for: str) -> Address:
        """Who a trusted proxy speaks for: the nearest address that is no trusted proxy itself.

        What is no address ends the reading: the last one that could be read stands.
        """
        client = peer
        for said in reversed(forwarded_for.split(",")):
            address = _without_port(said.strip())
            if address is None:
                break
            client = address
            if not self.include(address):
                break
        return client


class ForwardedAddresses:
    """Takes over client and scheme from trusted proxies; whoever else says them is not heard."""

    def __init__(self, app: ASGIApp, proxies: TrustedProxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on as the proxy says it came."""
        if scope["type"] in ("http", "websocket") and scope.get("client"):
            peer = read_address(scope["client"][0])
            if peer is not None and self._proxies.include(peer):
                self._take_over(scope, peer)
        await self._app(scope, receive, send)

    def _take_over(self, scope: Scope, peer: Address) -> None:
        said = ",".join(_values(scope, b"x-forwarded-for"))
        if said:
            scope["client"] = (str(self._proxies.client_of(peer, said)), 0)
        schemes = _values(scope, b"x-forwarded-proto")
        if schemes and schemes[-1].strip() in _SCHEMES:
            secure = schemes[-1].strip() == "https"
            plain = "ws" if scope["type"] == "websocket" else "http"
            scope["scheme"] = plain + "s" * secure


def _values(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]


def _without_port(said: str) -> Address | None:
    """An address as `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`."""
    if said.startswith("["):
        return read_address(said[1:].partition("]")[0])
    return read_address(said.partition(":")[0] if said.count(":") == 1 else said)
