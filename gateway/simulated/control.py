"""The administration door: what can be asked and done is a table; here it is served, to this machine alone.

`GET /control/` answers the table, docs/reference/venue-control.md shows it. Parameters are in the query (faults come as a
body of JSON), errors are the venue's own. A web page in somebody's browser is on this machine too: a request whose Host or
Origin is not a loopback address is refused.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from aiohttp import web

from .core.errors import BadRequest, VenueError
from .payload import Json, encode

PREFIX = "/control/"
NAMED_LOOPBACK = "localhost"

Run = Callable[[Mapping[str, str], bytes], object]
"""(parameters, body) -> what msgspec makes JSON of. Raises VenueError."""


class Command(NamedTuple):
    """One row of the table. `parameters`: name -> what it means."""

    method: str
    name: str
    what: str
    parameters: Mapping[str, str]
    run: Run

    @property
    def path(self) -> str:
        return PREFIX + self.name


class ControlDoor:
    def __init__(self, commands: Iterable[Command]) -> None:
        self._commands = tuple(commands)

    def routes(self) -> list[web.RouteDef]:
        index = Command("GET", "", "this list", {}, lambda params, body: self._index())
        return [web.route(each.method, each.path, _handler(each)) for each in (index, *self._commands)]

    def _index(self) -> object:
        return [
            {"method": each.method, "path": each.path, "what": each.what, "parameters": each.parameters}
            for each in self._commands
        ]


def _handler(command: Command) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        if not _is_of_this_machine(request):
            return _answer(
                403, {"code": -1002, "msg": "You are not authorized: the control door serves loopback only."}
            )
        try:
            payload = command.run(_params(command, request), await request.read())
        except VenueError as error:
            return _answer(error.status, {"code": error.code, "msg": error.message})
        return _answer(200, payload)

    return handle


def _answer(status: int, payload: object) -> web.Response:
    body = encode(cast(Json, payload))  # a log's rows are structs, which msgspec encodes as it does the rest
    return web.Response(body=body, status=status, content_type="application/json")


def _params(command: Command, request: web.Request) -> dict[str, str]:
    """Raises BadRequest for a name that is not in the table, or is there twice: a misspelt filter must not pass for none."""
    sent = request.query
    for name in sent:
        if name not in command.parameters:
            known = ", ".join(command.parameters) or "none"
            raise BadRequest(-1104, f"Not all sent parameters were read; {command.path} has: {known}.")
    if len(set(sent)) < len(sent):
        raise BadRequest(-1101, "Duplicate values for a parameter detected.")
    return dict(sent)


def _is_of_this_machine(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    return (
        _is_loopback(request.remote)
        and _is_loopback(_host(f"//{request.headers.get('Host', '')}"))
        and (origin is None or _is_loopback(_host(origin)))
    )


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _is_loopback(address: str | None) -> bool:
    if address is None or address == NAMED_LOOPBACK:
        return address is not None
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
