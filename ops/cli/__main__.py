"""`python -m ops.cli`: the same as `touchline`."""

from ops.cli.main import main

main()
