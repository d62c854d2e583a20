"""A book side's rows, as their bytes stand in a frame, as integers in the instrument's scales. Pure. HOT PATH.

The rows `["2683.8","3.02"],["2679","0"]` become JSON arrays of numbers (`arrays`: exact). Sound: without digits and dots
the rows must be exactly rows of empty texts; so a digit outside its quotes breaks one of the separators `","` and `"],["`,
and then a quote is left over, which no number has, or a text is missing. Whatever is not exactly so gives None, and the
caller's slow route reads it, decides, and names what is wrong.
"""

from bus.messages.feed import Levels, Scales
from gateway.text.arrays import DIGITS, SCALES, Scale, read_joined

FAST_SCALE = 8
"""Decimals of most instruments, whatever their grids."""
ROWS_MAX = 10_000  # of one call; more: the slow route

_ROWS = {width: (b"[" + b",".join([b'""'] * width) + b"],") * ROWS_MAX for width in (2, 3, 4)}


def read_levels(rows: bytes, width: int, scales: Scales) -> Levels | None:
    """Return prices and quantities, each row's first and second text; None: not exactly as expected.

    rows: what stands inside the outer brackets. width: texts of a row; those behind the second one are not told (but read
    along where both scales are one: 2^53 units of it is their limit too).
    """
    if not rows:
        return (), ()
    price, quantity = SCALES.get(scales.price), SCALES.get(scales.quantity)
    shape = rows.translate(None, DIGITS)
    row = 3 * width + 2
    if (len(shape) + 1) % row or not _ROWS[width].startswith(shape) or price is None or quantity is None:
        return None
    if price is not quantity:
        return _columns(rows, width, (len(shape) + 1) // row, price, quantity)
    values = read_joined(rows[2:-2].replace(b'","', price.between).replace(b'"],["', price.between_rows), price)
    return None if values is None else (values[::width], values[1::width])


def _columns(rows: bytes, width: int, count: int, price: Scale, quantity: Scale) -> Levels | None:
    """The same in two scales: 1.3 of the time."""
    texts = rows[2:-2].replace(b'"],["', b'","').split(b'","')
    if len(texts) != width * count or rows[-2:] != b'"]':
        return None
    prices = read_joined(price.between.join(texts[::width]), price)
    quantities = read_joined(quantity.between.join(texts[1::width]), quantity)
    return None if prices is None or quantities is None else (prices, quantities)
