"""The command line: one program, `touchline`. A module a command.

Exit codes: 0 fine, 1 the thing checked does not hold, 2 wrong usage, configuration or environment. `--json` prints
one JSON object as the last line of stdout.
"""

from ops.cli.main import main

__all__ = ["main"]
