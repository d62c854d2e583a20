"""Numbers within bounds, as options take them. Click's own call a word that is no number "not a valid integer range"."""

import math

import click


class Whole(click.IntRange):
    name = "whole number"


class Real(click.FloatRange):
    name = "number"

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Not-a-number is neither below nor above a bound."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a valid number.", param, ctx)
        return number
