"""Calls to an etcd cluster: the endpoints in turn, a timeout on each attempt, and grpc's errors in our words.

An attempt that failed for a reason that may pass goes to the next endpoint; which endpoint answered last is remembered.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import grpc
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_delay

from bus.clock import boottime_ns
from gateway.doors.coordination.contract import CoordinationError, Misconfigured, Refused, Unreachable
from gateway.doors.coordination.endpoints import check_endpoints
from gateway.doors.coordination.etcd import wire
from gateway.doors.coordination.etcd.wire import Request, Stub

OPERATION_S_MAX = 4.0
"""One operation, all its attempts; then Unreachable. Chosen: an election of etcd takes 1 to 2 s with its defaults."""
ATTEMPT_S_MIN, ATTEMPT_S_MAX = 0.25, 1.0
"""One attempt: a quarter of the time to live within these, so that a frozen endpoint leaves time for another."""
PAUSE_S = 0.1
"""Between rounds over all endpoints. Chosen: an etcd that restarts refuses connections for some 300 ms."""
CHANNEL_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.keepalive_time_ms", 10_000),  # etcd hangs up on pings that are less than 5 s apart
    ("grpc.keepalive_timeout_ms", 2_000),
)
"""grpc's own back-off grows to 2 minutes; a connection that is dead without a word is given up after 12 s."""

PASSING = frozenset(
    (
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.INTERNAL,
    )
)
PASSING_FOR_LEASES = PASSING | {grpc.StatusCode.UNKNOWN}
"""LeaseKeepAlive says UNKNOWN while the cluster has no leader; taken for final, it cost 5 s of leadership."""

T = TypeVar("T")


class Endpoint(NamedTuple):
    """One member of the cluster. Stubs without types: see wire."""

    address: str
    channel: grpc.aio.Channel
    kv: Stub
    lease: Stub
    watch: Stub


class TlsFiles(NamedTuple):
    """PEM files. ca: who signs the servers' certificates. cert and key: ours, when the servers ask for one; or both ""."""

    ca: str
    cert: str = ""
    key: str = ""


class Kept(NamedTuple):
    """asked_ns: boottime before the request was sent. ttl_s: what the server granted; 0: the lease is gone."""

    asked_ns: int
    lease: int
    ttl_s: int


class Calls:
    """Open between `open` and `close`, on one event loop."""

    def __init__(self, addresses: tuple[str, ...], ttl_s: float, tls: TlsFiles | None) -> None:
        """Raises Misconfigured."""
        check_endpoints(addresses, *(tls or TlsFiles("")))
        self.attempt_s = min(max(ttl_s / 4, ATTEMPT_S_MIN), ATTEMPT_S_MAX)
        self._addresses = addresses
        self._credentials = None if tls is None else credentials(tls)
        self._endpoints: list[Endpoint] = []
        self._turn = 0

    @property
    def endpoint(self) -> Endpoint:
        """The one whose turn it is."""
        return self._endpoints[self._turn % len(self._endpoints)]

    def open(self) -> None:
        for address in self._addresses:
            channel = (
                grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)
                if self._credentials is None
                else grpc.aio.secure_channel(address, self._credentials, options=CHANNEL_OPTIONS)
            )
            stubs = (wire.KVStub(channel), wire.LeaseStub(channel), wire.WatchStub(channel))
            self._endpoints.append(Endpoint(address, channel, *stubs))

    async def close(self) -> None:
        for endpoint in self._endpoints:
            await endpoint.channel.close()

    async def txn(self, operation: str, request: Request) -> Any:
        """Repeated when its outcome is unknown: callers' transactions bear that. Raises Unreachable, Refused."""
        return await self._ask(operation, lambda endpoint: endpoint.kv.Txn(request, timeout=self.attempt_s))

    async def grant(self, ttl_s: int) -> Kept:
        """A new lease; the cluster may grant more than was asked for."""

        async def attempt(endpoint: Endpoint) -> Kept:
            asked_ns = boottime_ns()
            answer = await endpoint.lease.LeaseGrant(wire.grant(ttl_s), timeout=self.attempt_s)
            return Kept(asked_ns, answer.ID, answer.TTL)

        return await self._ask("grant a lease", attempt)

    async def revoke(self, lease: int) -> None:
        """It and all its keys are gone at once; one that is gone already is fine."""
        request = wire.revoke(lease)
        try:
            await self._ask("revoke a lease", lambda one: one.lease.LeaseRevoke(request, timeout=self.attempt_s))
        except Refused as error:
            if error.code != grpc.StatusCode.NOT_FOUND.name:
                raise

    async def keep_alive(self, lease: int) -> Kept:
        """One renewal on a stream of its own, so that none outlives its endpoint. ttl_s 0: the lease is gone."""

        async def attempt(endpoint: Endpoint) -> Kept:
            asked_ns = boottime_ns()
            stream = endpoint.lease.LeaseKeepAlive([wire.keep_alive(lease)], timeout=self.attempt_s)
            try:
                answer = await stream.read()
            finally:
                stream.cancel()
            if answer is grpc.aio.EOF:
                raise Unreachable(endpoint.address, "keep a lease alive", "the stream ended without an answer")
            return Kept(asked_ns, lease, answer.TTL)

        return await self._ask("keep a lease alive", attempt, PASSING_FOR_LEASES)

    async def _ask(
        self,
        operation: str,
        attempt: Callable[[Endpoint], Awaitable[T]],
        passing: frozenset[grpc.StatusCode] = PASSING,
    ) -> T:
        used = self.endpoint

        async def once() -> T:
            nonlocal used
            used = self.endpoint
            return await attempt(used)

        def may_pass(error: BaseException) -> bool:
            if not isinstance(error, grpc.aio.AioRpcError) or not passes(error, passing):
                return False
            self.leave(used)
            return True

        retrying = AsyncRetrying(
            retry=retry_if_exception(may_pass),
            stop=stop_after_delay(OPERATION_S_MAX - self.attempt_s),
            wait=self._pause,
            reraise=True,
        )
        try:
            return await retrying(once)
        except grpc.aio.AioRpcError as error:
            raise named(error, operation, used.address, passing) from error

    def leave(self, endpoint: Endpoint) -> None:
        """The next one's turn, unless another call has found out before us."""
        if endpoint is self.endpoint:
            self._turn += 1

    def _pause(self, state: RetryCallState) -> float:
        return 0.0 if state.attempt_number % len(self._endpoints) else PAUSE_S


def passes(error: grpc.aio.AioRpcError, passing: frozenset[grpc.StatusCode]) -> bool:
    """Whether to try again. RESOURCE_EXHAUSTED says both "too many requests" and "space exceeded"."""
    crowded = error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and "too many requests" in (error.details() or "")
    return crowded or error.code() in passing


def named(
    error: grpc.aio.AioRpcError, operation: str, address: str, passing: frozenset[grpc.StatusCode]
) -> CoordinationError:
    reason = f"{error.code().name} {error.details() or ''}".strip()
    if passes(error, passing):
        return Unreachable(f"etcd at {address}", operation, reason)
    return Refused(f"etcd at {address}", operation, reason, error.code().name)


def credentials(files: TlsFiles) -> grpc.ChannelCredentials:
    """Raises Misconfigured: a file that cannot be read."""
    read = {}
    for field, path in zip(("ca_file", "cert_file", "key_file"), files, strict=True):
        try:
            read[field] = Path(path).read_bytes() if path else None
        except OSError as error:
            raise Misconfigured(
                f"[coordination] {field}", f"{path}: cannot be read: {error.strerror}; check the path"
            ) from error
    return grpc.ssl_channel_credentials(read["ca_file"], read["key_file"], read["cert_file"])
