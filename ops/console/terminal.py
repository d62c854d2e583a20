"""Can a console be drawn here? Asked before npyscreen is loaded: it ends the process where it cannot."""

import curses
import os


def able() -> bool:
    """Whether standard input and output are a terminal on which a cursor can be moved."""
    if not (os.isatty(0) and os.isatty(1)) or os.environ.get("TERM", "dumb") == "dumb":
        return False
    try:
        curses.setupterm()
    except curses.error:
        return False
    return bool(curses.tigetstr("cup"))
