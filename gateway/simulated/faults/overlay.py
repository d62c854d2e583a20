"""Rules that faults hold over the listed ones: whichever of them ends, what is left shows. Pure."""

from collections.abc import Callable, Mapping

import msgspec

from ..core.instrument import Instrument

Rule = int | str
Undo = Callable[[], None]


class _Layers:
    """Of one rule: what it is without a fault, and what each fault makes of it, the latest on top."""

    __slots__ = ("base", "held")

    def __init__(self, base: Rule) -> None:
        self.base = base
        self.held: dict[int, Rule] = {}

    @property
    def top(self) -> Rule:
        return next(reversed(self.held.values()), self.base)


class Overlay:
    """Of all instruments. A rule that somebody else changes meanwhile is theirs from then on."""

    def __init__(self) -> None:
        self._layers: dict[tuple[Instrument, str], _Layers] = {}
        self._last = 0

    def put(self, listed: Instrument, changes: Mapping[str, Rule]) -> Undo:
        """Change rules, and return what takes the change off."""
        self._last += 1
        number = self._last
        for name, value in changes.items():
            shown, layers = getattr(listed.rules, name), self._layers.get((listed, name))
            if layers is None or layers.top != shown:
                layers = self._layers[listed, name] = _Layers(shown)
            layers.held[number] = value
        listed.rules = msgspec.structs.replace(listed.rules, **changes)
        return lambda: self._take_off(listed, number, list(changes))

    def _take_off(self, listed: Instrument, number: int, names: list[str]) -> None:
        left: dict[str, Rule] = {}
        for name in names:
            layers = self._layers.get((listed, name))
            if layers is None or number not in layers.held:
                continue
            is_ours = layers.top == getattr(listed.rules, name)
            del layers.held[number]
            if is_ours:
                left[name] = layers.top
            if not layers.held:
                del self._layers[listed, name]
        listed.rules = msgspec.structs.replace(listed.rules, **left)
