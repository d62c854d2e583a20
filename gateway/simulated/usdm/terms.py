"""What a futures order says beyond the core's own fields, kept by order id. Pure."""

import msgspec

KEPT_MAX = 200_000  # chosen: twice the closed orders that the core remembers; the oldest are forgotten first


class Terms(msgspec.Struct, frozen=True, gc=False):
    """`good_till_ms` is 0 but for GTD. `modified`: how often the order was. `liquidates`: it is the venue's own."""

    price_match: str = "NONE"
    good_till_ms: int = 0
    modified: int = 0
    liquidates: bool = False


PLAIN = Terms()


class TermsBook:
    """Orders with nothing special to say are not in it."""

    def __init__(self) -> None:
        self._terms: dict[int, Terms] = {}

    def of(self, order_id: int) -> Terms:
        return self._terms.get(order_id, PLAIN)

    def keep(self, order_id: int, terms: Terms) -> None:
        if terms == PLAIN:
            return
        if len(self._terms) >= KEPT_MAX and order_id not in self._terms:
            del self._terms[next(iter(self._terms))]
        self._terms[order_id] = terms
