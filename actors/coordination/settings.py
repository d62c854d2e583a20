"""What may be set of coordination, with the reason of each default. Times in nanoseconds."""

import msgspec


class CoordinationSettings(msgspec.Struct, frozen=True):
    """One account at one venue."""

    account: int
    request_timeout_ns: int = 2_000_000_000
    """Of one request to the store: chosen; etcd answers in 2-10 ms, and a broken one is asked again anyway."""
    retry_ns: int = 250_000_000
    """Between two tries of what the store did not answer or refused; chosen."""
    narrow_ns: int = 200_000_000
    """How long a band may be wider than our orders need while others are there: a quote that moves is not two writes, and
    others do not wait longer than a person notices. Chosen."""
    wish_ns: int = 6_000_000_000
    """How long a refused order's price stays wished for: execution tries again within 5 s, or wishes for it no more."""
    account_ns: int = 250_000_000
    """Between two publications of the account: what is lost of it, a successor reads off the venue's trades. Chosen."""
