"""Whether a fault or a kill point can ever have a chance at this venue: what it names must be there, and go together. Pure.

A table that says what cannot be would pass every test it was written for.
"""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from ..core.matching import MatchingEngine
from ..core.orders import BACKGROUND, FEES, AccountId
from ..operations import Kind, Operation, Proof
from .face import BOOK_OPERATION, FaultedFace
from .kinds import KINDS, Acts
from .spec import FaultSpec, PointSpec, SpecError
from .whom import ALL

POINT_ASKS = {
    "cancel-received": (Kind.CANCEL,),
    "fill-sent": (Kind.PLACE, Kind.CANCEL, Kind.REPLACE, Kind.AMEND),
}
"""Requests at which a kill point is reached, where not at all."""
OF_AN_ORDER = ("side", "client_order_id")


def check(spec: FaultSpec | PointSpec, faces: Mapping[str, FaultedFace]) -> None:
    """Raise SpecError for what can never hit; the text names table, key and remedy."""
    whom = spec.whom
    if whom.face not in ("", *faces):
        raise _none(spec, "face", faces)
    among = [face for face in faces.values() if whom.face in ("", face.name)]
    engines = [face.market.engine for face in among]
    if whom.symbol:
        _known(spec, "symbol", {symbol for engine in engines for symbol in engine.instruments})
    if whom.account:
        _known(spec, "account", {account for _, account in _accounts(engines)})
    if whom.stream and not any(_has_stream(face, whom.stream) for face in among):
        raise SpecError(
            f"{spec.where}: stream {whom.stream!r} is none of this venue; give one as depth, trade or {ALL}"
        )
    if isinstance(spec, PointSpec) or spec.acts is Acts.REQUEST:
        _check_requests(spec, among)
    if isinstance(spec, FaultSpec) and spec.kind == "balance-wrong":
        assets = {asset for engine, account in _accounts(engines) for asset in engine.ledger.assets(account)}
        if spec.text("asset") not in assets:
            raise SpecError(_remedy(spec, "asset", spec.text("asset"), sorted(assets)))


def _accounts(engines: Collection[MatchingEngine]) -> Iterator[tuple[MatchingEngine, AccountId]]:
    """Whoever may be told of something: neither the crowd nor the venue's own till."""
    for engine in engines:
        yield from ((engine, account) for account in engine.ledger.free if account not in (BACKGROUND, FEES))


def _check_requests(spec: FaultSpec | PointSpec, faces: Collection[FaultedFace]) -> None:
    whom = spec.whom
    if isinstance(spec, FaultSpec) and KINDS[spec.kind].door not in ("", whom.door) and whom.door:
        raise SpecError(f"{spec.where}: door {whom.door!r} is not where it happens; give {KINDS[spec.kind].door}")
    named = [each for each in _operations(faces) if whom.operation in ("", each[0], each[1].kind.value)]
    if not named:
        raise _unknown_operation(spec, faces)
    chances = [operation for name, operation in named if _is_chance(spec, name, operation, faces)]
    if not chances:
        kinds = ", ".join(dict.fromkeys(kind.value for kind in _asks(spec)))
        raise SpecError(f"{spec.where}: operation {whom.operation!r} gives it no chance; its requests are: {kinds}")
    if whom.account and all(operation.proof is Proof.NONE for operation in chances):
        raise SpecError(f"{spec.where}: account: who asks for {whom.operation} is not known; leave it out")
    for key in OF_AN_ORDER:
        if getattr(whom, key) and all(operation.kind is Kind.MARKET for operation in chances):
            raise SpecError(f"{spec.where}: {key}: {whom.operation} is about no order; leave it out")


def _operations(faces: Collection[FaultedFace]) -> Iterator[tuple[str, Operation]]:
    for face in faces:
        yield from face.operations.items()


def _asks(spec: FaultSpec | PointSpec) -> tuple[Kind, ...]:
    return KINDS[spec.kind].asks if isinstance(spec, FaultSpec) else POINT_ASKS.get(spec.at, tuple(Kind))


def _is_chance(spec: FaultSpec | PointSpec, name: str, operation: Operation, faces: Collection[FaultedFace]) -> bool:
    """As `requests` and the desk find it when the request is there."""
    if operation.kind not in _asks(spec):
        return False
    match spec.kind if isinstance(spec, FaultSpec) else spec.at:
        case "snapshot-stale":
            return name == BOOK_OPERATION
        case "query-lag":
            return operation.kind is not Kind.ACCOUNT or operation.pages > 0
        case "balance-wrong":
            return any(name in face.balance_operations for face in faces)
        case "query-page":
            return operation.pages > 0
    return True


def _known(spec: FaultSpec | PointSpec, key: str, names: Collection[str]) -> None:
    if getattr(spec.whom, key) not in names:
        raise _none(spec, key, sorted(names))


def _none(spec: FaultSpec | PointSpec, key: str, names: Collection[str]) -> SpecError:
    return SpecError(_remedy(spec, key, getattr(spec.whom, key), names))


def _remedy(spec: FaultSpec | PointSpec, key: str, value: str, names: Collection[str]) -> str:
    return f"{spec.where}: {key} {value!r} is none of this venue; give one of {', '.join(names)}"


def _unknown_operation(spec: FaultSpec | PointSpec, faces: Collection[FaultedFace]) -> SpecError:
    """There are a hundred names: the nearest will do."""
    wanted, kinds = spec.whom.operation, [kind.value for kind in Kind]
    near = get_close_matches(wanted, [*kinds, *dict.fromkeys(name for name, _ in _operations(faces))], n=1)
    remedy = near[0] if near else "its name on the WebSocket API"
    return SpecError(
        f"{spec.where}: operation {wanted!r} is none of this venue; give {remedy}, or a kind of it: {', '.join(kinds)}"
    )


def _has_stream(face: FaultedFace, stream: str) -> bool:
    """Whether the face has a stream of that name, of a symbol or of all of them (`arr`)."""
    symbols = (symbol.lower() for symbol in face.market.engine.instruments)
    return stream in (ALL, "arr") or any(face.market.hub.is_topic(f"{symbol}@{stream}") for symbol in symbols)
