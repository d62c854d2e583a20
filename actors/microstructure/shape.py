"""Metrics of one view, without memory. Integers in, one division at the end: the same float on every Python.

Sources: Gould and Bonart 2016, arXiv:1512.03492 (imbalance); the depth-weighted form and its decay are ours.
"""

from math import exp
from operator import mul

WEIGHT_ONE = 1 << 20  # weights are integers of this scale: rounded once, so that sums are exact
VIEW_LEVELS = 20


def rank_weights(decay: float) -> tuple[int, ...]:
    """e^(-decay * rank) for each level of a view, best first, in units of 1 / WEIGHT_ONE."""
    return tuple(round(exp(-decay * rank) * WEIGHT_ONE) for rank in range(VIEW_LEVELS))


def imbalance(bid_quantity: int, ask_quantity: int) -> float:
    """(q_b - q_a) / (q_b + q_a), in -1 to 1. Quantities of a level are positive."""
    return (bid_quantity - ask_quantity) / (bid_quantity + ask_quantity)


def imbalance_of_best(count: int, bids: tuple[int, ...], asks: tuple[int, ...]) -> float:
    """The same over the sums of the best `count` levels; of a side with fewer, over all it has. Neither side is empty."""
    return imbalance(sum(bids[:count]), sum(asks[:count]))


def depth_imbalance(weights: tuple[int, ...], bids: tuple[int, ...], asks: tuple[int, ...]) -> float:
    """(q_b - q_a) / (q_b + q_a) over all levels shown, each weighted by its rank. A rank that one side lacks counts for the other."""
    bid = sum(map(mul, weights, bids))
    ask = sum(map(mul, weights, asks))
    both = bid + ask
    return (bid - ask) / both if both else 0.0


def weighted_mid(bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> float:
    """I * P_a + (1 - I) * P_b with I = q_b / (q_b + q_a): the size-weighted mid, not Stoikov's microprice. Price units."""
    return (bid_quantity * ask + ask_quantity * bid) / (bid_quantity + ask_quantity)
