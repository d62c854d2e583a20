"""The topology file: which actors run on which host, and where each host listens. TOML, beside the configuration.

[[host]]       name, actors, endpoint ("ipc://data.ipc", "tcp://10.0.0.2:7001"); bind, when it listens elsewhere
[keys]         folder of CURVE keys, as `touchline keys` makes them: tcp needs them

A host's number is its place in the file; every host of a topology needs the same file. Without a file there is one
host with every actor.
"""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from bus.errors import BusError
from bus.mailbox import KeyPair, PeerListener, PeerSender, ZmqMailboxes, check_endpoint, check_ipc_path, keys
from bus.messages import Message
from ops.config import ConfigError
from ops.topology import ACTORS, DOORS, elsewhere

TOGETHER = (
    (("market_data", "orderbook", "microstructure"), "a book and what is made of it share one input"),
    (
        ("orders", "risk", "execution", "exits", "portfolio", "coordination", "persistence"),
        "they restart together, from one journal",
    ),
)
"""What no topology may separate, and why. The doors go with them: the order door with orders, the feed with market data."""
HOSTS_MAX = 16
"""Of one topology: every host speaks to every other; chosen."""


class HostSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """endpoint: where the others reach it. bind: where it listens, if that is another address of the same place."""

    name: str
    actors: tuple[str, ...]
    endpoint: str
    bind: str = ""


class KeysSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """folder: relative to the topology file. A host reads its own secret key there, and the others' public keys."""

    folder: str


class TopologyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: tuple[HostSection, ...]
    keys: KeysSection | None = None


class Placement(NamedTuple):
    """One host's view of the topology. others: the hosts besides it, by number."""

    number: int
    host: HostSection
    others: dict[int, HostSection]
    keys: Path | None = None

    @property
    def trades(self) -> bool:
        """Whether this is the host with the orders: the one with keys of the venue, journal and checkpoints."""
        return "orders" in self.host.actors

    @property
    def names(self) -> tuple[str, ...]:
        """Actors and doors of this host."""
        if self.trades:
            return (*self.host.actors, *DOORS)
        market = ("rest_door", "feed_door") if "market_data" in self.host.actors else ()
        return (*self.host.actors, *market, "timers", "supervision", "supervisor")

    def elsewhere(self) -> dict[type[Message], tuple[int, ...]]:
        """Messages of this host that somebody gets on others: by type, the numbers of those hosts."""
        return elsewhere(self.number, {number: row.actors for number, row in self.others.items()})

    def open_listener(self, mailboxes: ZmqMailboxes) -> PeerListener:
        """Raises BusError: not allowed, no key, or taken."""
        public = [self._public(number) for number in self.others]
        known = [key for key in public if key is not None]
        return PeerListener(mailboxes, self.host.bind or self.host.endpoint, self._pair(), known)

    def open_senders(self, mailboxes: ZmqMailboxes) -> dict[int, PeerSender]:
        """By the peer's number. Raises BusError."""
        return {
            number: PeerSender(mailboxes, row.endpoint, self._pair(), self._public(number))
            for number, row in self.others.items()
        }

    def _pair(self) -> KeyPair | None:
        return keys.load_pair(self.keys, self.host.name) if self.keys else None

    def _public(self, number: int) -> bytes | None:
        return keys.load_public(self.keys, self.others[number].name) if self.keys else None


ALONE = Placement(0, HostSection("engine", ACTORS, ""), {})
"""An engine on one host."""


def place(path: Path, name: str) -> Placement:
    """Host `name` of the topology file. Raises ConfigError with the file, the field and the remedy."""
    hosts, folder = _load(path)
    names = [host.name for host in hosts]
    if name not in names:
        raise ConfigError(f"--host {name!r}: {path} names no such host; known: {', '.join(names)}")
    number = names.index(name)
    others = {other: host for other, host in enumerate(hosts) if other != number}
    return Placement(number, hosts[number], others, folder)


def host_names(path: Path) -> tuple[str, ...]:
    """The hosts of a topology file that can be used, in the order of their numbers. Raises ConfigError as `place`."""
    hosts, _ = _load(path)
    return tuple([host.name for host in hosts])


def _load(path: Path) -> tuple[list[HostSection], Path | None]:
    try:
        file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), TopologyFile)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; check the path") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    except msgspec.ValidationError as error:
        known = f"known: [[host]] {', '.join(HostSection.__struct_fields__)}; [keys] folder"
        raise ConfigError(f"{path}: {error}; {known}") from error
    hosts = [_resolved(host, path) for host in file.host]
    try:
        _check_hosts(hosts)
        _check_actors(hosts)
        _check_endpoints(hosts, encrypted=file.keys is not None)
    except (ConfigError, BusError) as error:
        raise ConfigError(f"{path}: {error}") from error
    return hosts, path.parent / file.keys.folder if file.keys else None


def _resolved(host: HostSection, path: Path) -> HostSection:
    """ipc paths are relative to the file, so that every host means the same one."""

    def absolute(endpoint: str) -> str:
        if not endpoint.startswith("ipc://"):
            return endpoint
        return f"ipc://{(path.parent / endpoint.removeprefix('ipc://')).resolve()}"

    return msgspec.structs.replace(host, endpoint=absolute(host.endpoint), bind=absolute(host.bind))


def _check_hosts(hosts: Sequence[HostSection]) -> None:
    if not 0 < len(hosts) <= HOSTS_MAX:
        raise ConfigError(f"[[host]]: there are {len(hosts)}; name 1 to {HOSTS_MAX}")
    names = [host.name for host in hosts]
    for name in names:
        check_name(name, "[[host]] name")
        if names.count(name) > 1:
            raise ConfigError(f"[[host]] name: {name} stands twice; give each host its own")


def check_name(name: str, field: str) -> None:
    """It is part of file names and of lines in the log. Raises ConfigError."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,30}", name):
        raise ConfigError(f"{field}: {name!r} is no name of a host; write small letters, like data")


def _check_actors(hosts: Sequence[HostSection]) -> None:
    """Each actor on exactly one host, and together what belongs together."""
    placed = [(actor, host.name) for host in hosts for actor in host.actors]
    for actor, name in placed:
        if actor not in ACTORS:
            raise ConfigError(f"[[host]] {name} actors: {actor!r} is no actor; known: {', '.join(ACTORS)}")
    where = dict(placed)
    for actor in ACTORS:
        found = [name for named, name in placed if named == actor]
        if not found:
            raise ConfigError(f"[[host]] actors: {actor} is placed nowhere; add it to one host")
        if len(found) > 1:
            raise ConfigError(f"[[host]] actors: {actor} is placed {len(found)} times ({', '.join(found)}); keep one")
    for group, why in TOGETHER:
        apart = [actor for actor in group if where[actor] != where[group[0]]]
        if apart:
            raise ConfigError(
                f"[[host]] actors: {group[0]} is on {where[group[0]]} and {apart[0]} on {where[apart[0]]}; "
                f"put {', '.join(group)} on one host: {why}"
            )


def _check_endpoints(hosts: Sequence[HostSection], *, encrypted: bool) -> None:
    endpoints = [host.endpoint for host in hosts]
    for host in hosts:
        field = f"[[host]] {host.name} endpoint"
        if endpoints.count(host.endpoint) > 1:
            raise ConfigError(f"{field}: {host.endpoint} stands twice; give each host its own")
        parts = urlsplit(host.endpoint)
        if parts.scheme == "tcp" and re.search(r"^(\*|0\.0\.0\.0|\[?::\]?):|:(0|\*)?$", parts.netloc):
            raise ConfigError(
                f"{field}: nobody can connect to {host.endpoint}; write the address and port that the others use, "
                "and bind for where it listens"
            )
        for endpoint in filter(None, (host.endpoint, host.bind)):
            check_endpoint(endpoint, encrypted=encrypted)
            if endpoint.startswith("ipc://"):
                check_ipc_path(Path(endpoint.removeprefix("ipc://")), host.name)
