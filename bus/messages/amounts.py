"""Amounts in words. Messages carry integers and their scale; this is how people write them. Pure; off the hot path."""


def decimal_text(units: int, scale: int) -> str:
    """Units of 10^-scale as plain decimal text: exact, no exponent, no trailing zeros. -150000000, 8 -> -1.5."""
    whole, part = divmod(abs(units), 10**scale)
    fraction = f".{part:0{scale}d}".rstrip("0") if part else ""
    return f"{'-' if units < 0 else ''}{whole}{fraction}"
