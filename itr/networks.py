"""Addresses and networks as settings name them."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def read_networks(listed: str) -> tuple[Network, ...]:
    """Networks and single addresses, separated by commas; raises ValueError for anything else."""
    return tuple(ip_network(one.strip()) for one in listed.split(",") if one.strip())


@lru_cache(4096)
def read_address(said: str) -> Address | None:
    """An address, in its one form; None for what is none, also with the name of an interface."""
    try:
        address = ip_address(said)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    return None if address.scope_id else address.ipv4_mapped or address
