"""Which kills, and in which order: drawn from the seed. Pure.

The shares are such that more than half of all kills are fired by the venue at its kill points, and more than a third hit
in recovery or while a checkpoint is written, with some to spare for those that hit somewhere else than they were meant to.
"""

from collections import Counter
from enum import StrEnum
from random import Random
from typing import NamedTuple


class Way(StrEnum):
    """Where, or how. The first five are the venue's kill points, by its own names."""

    REQUEST = "request-received"
    ANSWER = "answer-sent"
    FILL = "fill-sent"
    CANCEL = "cancel-received"
    PAGE = "query-page"
    CHECKPOINT = "checkpoint"
    RECOVERY = "recovery"
    MOMENT = "moment"
    STOPPED = "stopped"
    PAUSED = "paused"
    CUT = "sockets-cut"
    DISK = "disk-full"
    RESTART = "restart"


POINTS = (Way.REQUEST, Way.ANSWER, Way.FILL, Way.CANCEL, Way.PAGE)
SURVIVED = (Way.PAUSED, Way.CUT)
"""After these the process goes on."""
ENDS = (Way.DISK, Way.RESTART)
"""Of these it may end by itself."""
SPARE = (Way.STOPPED, Way.CUT, Way.PAUSED, Way.DISK, Way.RESTART)
"""Of these some may make room for what missed its point."""
KILLS_MIN = len(POINTS)
"""Fewer cannot hit every point."""


class Card(NamedTuple):
    """One kill. starting: while the process comes up. moment: 0 to 1, where in its window; after: chances that pass before
    the point fires. sweep: the crowd fills what the dead engine left behind.
    """

    way: Way
    starting: bool
    moment: float
    after: int
    sweep: bool


SHARES: tuple[tuple[Way, bool, int], ...] = (
    (Way.PAGE, True, 4),
    (Way.REQUEST, True, 4),
    (Way.ANSWER, True, 4),
    (Way.REQUEST, False, 4),
    (Way.ANSWER, False, 4),
    (Way.FILL, False, 4),
    (Way.CANCEL, False, 4),
    (Way.CHECKPOINT, False, 3),
    (Way.RECOVERY, True, 2),
    (Way.STOPPED, False, 2),
    (Way.CUT, False, 2),
    (Way.PAUSED, False, 1),
    (Way.DISK, False, 1),
    (Way.RESTART, False, 1),
)
"""Of forty: 28 at kill points, 17 in recovery or in a checkpoint; chosen."""
FIRST = (
    (Way.PAGE, True), (Way.ANSWER, True), (Way.REQUEST, False), (Way.FILL, False), (Way.CANCEL, False), (Way.CHECKPOINT, False),
)  # fmt: skip
"""What few kills consist of, as far as they go: each point once, two of five in recovery."""
AFTER_MAX = 5


def deck(count: int, random: Random) -> list[Card]:
    """As many cards, shuffled; fewer than KILLS_MIN leave points out."""
    rows = list(FIRST[:count])
    rows += _by_shares(count - len(rows))
    random.shuffle(rows)
    return [
        Card(way, starting, random.random(), random.randrange(AFTER_MAX), random.random() < 0.5)
        for way, starting in rows
    ]


def _by_shares(count: int) -> list[tuple[Way, bool]]:
    """The largest remainders get what whole shares leave over."""
    whole = sum(share for _, _, share in SHARES)
    exact = [count * share / whole for _, _, share in SHARES]
    counts = [int(amount) for amount in exact]
    by_rest = sorted(range(len(SHARES)), key=lambda index: counts[index] - exact[index])
    for index in by_rest[: count - sum(counts)]:
        counts[index] += 1
    return [(way, starting) for (way, starting, _), times in zip(SHARES, counts, strict=True) for _ in range(times)]


def draw(cards: list[Card], *, alive: bool) -> Card:
    """Take the next card that fits: what hits a process that comes up needs one that is down. The rest keeps its order."""
    index = next((index for index, card in enumerate(cards) if not (alive and card.starting)), 0)
    return cards.pop(index)


def make_room(cards: list[Card]) -> bool:
    """Give up a card for a kill that was not planned: the last one of what is left the most. False: all are needed."""
    left = Counter(card.way for card in cards if card.way in SPARE)
    if not left:
        return False
    [(way, _)] = left.most_common(1)
    del cards[max(index for index, card in enumerate(cards) if card.way is way)]
    return True
