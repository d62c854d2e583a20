"""What stands at our keys: JSON, so that `etcdctl get --prefix /touchline/` can be read. Pure.

/touchline/1/leader/SCOPE               who leads; on the leader's lease, its create revision is the term's token
/touchline/1/epoch/SCOPE                the highest epoch ever given out; written in the transaction that makes a leader
/touchline/1/account/SCOPE              what a successor must know, as the engine encoded it
/touchline/1/cooldown/GROUP/SYMBOL      a pause and its end; on no lease
/touchline/1/band/GROUP/SYMBOL/SCOPE    what a scope may rest at; on no lease
"""

from typing import TypeVar

import msgspec

from gateway.doors.coordination.contract import Band, Cooldown, Leader, Refused
from gateway.doors.coordination.etcd.wire import KeyValue, names


class LeaderValue(msgspec.Struct, frozen=True):
    epoch: int
    holder: str


class CooldownValue(msgspec.Struct, frozen=True):
    until_ns: int
    reason: str


class BandValue(msgspec.Struct, frozen=True):
    bid_max: int
    ask_min: int


V = TypeVar("V")

encode = msgspec.json.Encoder().encode


def decode(kind: type[V], found: KeyValue) -> V:
    """Raises Refused on what we never wrote: guessing could let two trade."""
    try:
        return msgspec.json.decode(found.value, type=kind)
    except ValueError as error:
        raise Refused(
            "etcd", f"read {found.key.decode()}", f"{error}; delete the key once you know who wrote it"
        ) from error


def leader(scope: str, found: list[KeyValue]) -> Leader | None:
    if not found:
        return None
    value = decode(LeaderValue, found[0])
    return Leader(scope, value.epoch, value.holder)


def epoch(found: list[KeyValue]) -> int:
    """The counter; 0 where no term was yet."""
    return decode(int, found[0]) if found else 0


def cooldown(found: KeyValue) -> Cooldown:
    value = decode(CooldownValue, found)
    return Cooldown(names(found.key)[-1], value.until_ns, value.reason)


def band(found: KeyValue) -> Band:
    value = decode(BandValue, found)
    symbol, scope = names(found.key)[-2:]
    return Band(symbol, scope, value.bid_max, value.ask_min)


def cooldowns(found: list[KeyValue]) -> tuple[Cooldown, ...]:
    """etcd returns a range in the order of its keys: by symbol."""
    return tuple(cooldown(one) for one in found)


def bands(found: list[KeyValue]) -> tuple[Band, ...]:
    """By symbol, then scope."""
    return tuple(band(one) for one in found)
