"""Which addresses of etcd are taken, and which only with TLS."""

import pytest

from gateway.doors.coordination.contract import Misconfigured
from gateway.doors.coordination.endpoints import ENDPOINTS_MAX, check_endpoints


@pytest.mark.parametrize("endpoint", ["127.0.0.1:2379", "127.1.2.3:1", "[::1]:2379", "localhost:65535"])
def test_this_machine_needs_no_tls(endpoint: str) -> None:
    check_endpoints((endpoint,), "", "", "")


@pytest.mark.parametrize("endpoint", ["10.0.0.1:2379", "etcd-1.example:2379", "0.0.0.0:2379", "[fe80::1]:2379"])
def test_other_machines_need_tls(endpoint: str) -> None:
    with pytest.raises(Misconfigured, match=r"is not on this machine.*give ca_file"):
        check_endpoints(("127.0.0.1:2379", endpoint), "", "", "")
    check_endpoints(("127.0.0.1:2379", endpoint), "ca.pem", "", "")
    check_endpoints(("127.0.0.1:2379", endpoint), "ca.pem", "cert.pem", "key.pem")


@pytest.mark.parametrize(
    "endpoint",
    ["", "127.0.0.1", "http://127.0.0.1:2379", "127.0.0.1:0", "127.0.0.1:65536", ":2379", "a b:1", "::1:2379"],
)
def test_what_is_no_address_is_refused(endpoint: str) -> None:
    with pytest.raises(Misconfigured, match="is not HOST:PORT; write it like"):
        check_endpoints((endpoint,), "ca.pem", "", "")


@pytest.mark.parametrize("count", [0, ENDPOINTS_MAX + 1])
def test_none_and_too_many_are_refused(count: int) -> None:
    with pytest.raises(Misconfigured, match=f"{count} are given"):
        check_endpoints(("127.0.0.1:2379",) * count, "", "", "")


@pytest.mark.parametrize("files", [("ca", "cert", ""), ("ca", "", "key"), ("", "cert", "key"), ("", "cert", "")])
def test_half_of_a_certificate_is_refused(files: tuple[str, str, str]) -> None:
    with pytest.raises(Misconfigured, match="give all three, or ca_file alone"):
        check_endpoints(("127.0.0.1:2379",), *files)
