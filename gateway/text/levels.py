"""A book side's rows, as their bytes stand in a frame, as integers in the instrument's scales. Pure. HOT PATH.

The rows `["2683.8","3.02"],["2679","0"]` become JSON arrays of numbers (`arrays`: exact). Sound: without digits and dots
the rows must be exactly rows of empty texts; so a digit outside its quotes breaks one of the separators `","` and `"],["`,
and then a quote is left over, which no number has, or a text is missing. Whatever is not exactly so gives None, and the
caller's slow route reads it, decides, and names what is wrong.
"""

from bus.messages.feed import Levels, Scales
from gateway.text.arrays import DIGITS, SCALES, read_array, read_joined

FAST_SCALE = 8
"""Decimals of most instruments, whatever their grids."""
ROWS_MAX = 10_000  # of one call; more: the slow route

_ROWS = {width: (b"[" + b",".join([b'""'] * width) + b"],") * ROWS_MAX for width in (2, 3, 4)}
_ONE_SCALE = {
    Scales(decimals, decimals): (scale.between, scale.between + b"  ", scale.end, scale.finer)
    for decimals, scale in SCALES.items()
}
"""Where prices and quantities are in the same. A separator mostly replaces one as long: bytes.replace is faster then."""


def read_levels(rows: bytes, width: int, scales: Scales) -> Levels | None:
    """Return prices and quantities, each row's first and second text; None: not exactly as expected.

    rows: what stands inside the outer brackets. width: texts of a row; those behind the second one are not told (but read
    along where both scales are one: 2^53 units of it is their limit too).
    """
    if not rows:
        return (), ()
    shape = rows.translate(None, DIGITS)
    row = 3 * width + 2
    if (len(shape) + 1) % row or not _ROWS[width].startswith(shape):
        return None
    one = _ONE_SCALE.get(scales)
    if one is None:
        return _columns(rows, width, (len(shape) + 1) // row, scales)
    between, between_rows, end, finer = one
    joined = rows[2:-2].replace(b'","', between).replace(b'"],["', between_rows)
    if finer(joined):
        return None
    try:
        values = read_array(b"[" + joined + end)
    except ValueError:
        return None
    return values[::width], values[1::width]


def _columns(rows: bytes, width: int, count: int, scales: Scales) -> Levels | None:
    """The same in two scales: 1.3 of the time."""
    price, quantity = SCALES.get(scales.price), SCALES.get(scales.quantity)
    texts = rows[2:-2].replace(b'"],["', b'","').split(b'","')
    if price is None or quantity is None or len(texts) != width * count or rows[-2:] != b'"]':
        return None
    prices = read_joined(price.between.join(texts[::width]), price)
    quantities = read_joined(quantity.between.join(texts[1::width]), quantity)
    return None if prices is None or quantities is None else (prices, quantities)
