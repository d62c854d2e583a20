"""Decimal text in and out. Every price, quantity and amount of the simulated venue is an integer in units of 10^-8."""

DECIMALS = 8  # binance spot: baseAssetPrecision and quoteAssetPrecision are 8 for every symbol (exchangeInfo)
SCALE = 100_000_000
_DIGITS_MAX = 20  # chosen: 10^20 whole units is past any real supply; bounds the work a request can ask for


class NotDecimal(ValueError):
    """The text is not a plain non-negative decimal number."""


class TooPrecise(ValueError):
    """The text has more than eight decimals that are not zero."""


def parse_decimal(text: str) -> int:
    """Return `text` in units of 10^-8. Raises NotDecimal (signs, exponents, empty) or TooPrecise."""
    whole, _, fraction = text.partition(".")
    digits = whole + fraction
    if not digits.isascii() or not digits.isdigit() or len(whole) > _DIGITS_MAX or len(fraction) > _DIGITS_MAX:
        raise NotDecimal(text)
    significant = fraction.rstrip("0")
    if len(significant) > DECIMALS:
        raise TooPrecise(text)
    return int(whole or "0") * SCALE + int(significant.ljust(DECIMALS, "0") or "0")


def decimal_text(amount: int) -> str:
    """Return units of 10^-8 as the venue writes them: always eight decimals."""
    if amount < 0:
        return "-" + decimal_text(-amount)
    whole, fraction = divmod(amount, SCALE)
    return f"{whole}.{fraction:08d}"


def quote_amount(price: int, quantity: int) -> int:
    """Return what `quantity` costs at `price`, in the quote asset; a fraction below 10^-8 is dropped."""
    return price * quantity // SCALE


def quote_amount_up(price: int, quantity: int) -> int:
    """Return the amount to lock for `quantity` at `price`: the cost rounded up, so that fills never exceed it."""
    return -(-price * quantity // SCALE)
