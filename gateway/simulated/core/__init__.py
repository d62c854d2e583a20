"""The venue's matching core: orders, books, money, rules. Pure: no I/O, no clock, no randomness. Simulations run the same code."""
