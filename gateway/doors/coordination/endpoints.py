"""Addresses of an etcd cluster, and what may be said to them without TLS. Pure: the configuration is checked by it too."""

import ipaddress
import re

from gateway.doors.coordination.contract import Misconfigured

ENDPOINTS_MAX = 16
"""etcd advises 7 members at most; twice that for names of the same."""
FIELD = "[coordination] endpoints"

_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)):([0-9]{1,5})")


def check_endpoints(endpoints: tuple[str, ...], ca_file: str, cert_file: str, key_file: str) -> None:
    """Raises Misconfigured. Off this machine only with TLS: who can write to the wire can take the lead, or give it away."""
    if not 1 <= len(endpoints) <= ENDPOINTS_MAX:
        raise Misconfigured(FIELD, f'{len(endpoints)} are given; write 1 to {ENDPOINTS_MAX}, like "127.0.0.1:2379"')
    if bool(cert_file) != bool(key_file) or (cert_file and not ca_file):
        raise Misconfigured(
            "[coordination] ca_file, cert_file, key_file",
            "a certificate of ours needs its key, and the authority of the servers'; give all three, or ca_file alone",
        )
    for endpoint in endpoints:
        host = host_of(endpoint)
        if not ca_file and not is_loopback(host):
            raise Misconfigured(
                FIELD,
                f"{endpoint} is not on this machine, and without TLS anyone on the way could take the lead;"
                " give ca_file (and cert_file and key_file, if the servers ask for a certificate)",
            )


def host_of(endpoint: str) -> str:
    """Raises Misconfigured: not HOST:PORT."""
    match = _ADDRESS.fullmatch(endpoint)
    if match is None or not 0 < int(match[3]) < 1 << 16:
        raise Misconfigured(FIELD, f'{endpoint!r} is not HOST:PORT; write it like "127.0.0.1:2379" or "[::1]:2379"')
    return match[1] or match[2]


def is_loopback(host: str) -> bool:
    """Names other than localhost are not: what they stand for may change."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
