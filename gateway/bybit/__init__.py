"""Bybit v5 public market data, as pure functions: bytes in, values out. No I/O, no clock; the doors hold the sockets.

Reading order: market (what it offers), rule, codec (the hot path), book (one message's meaning), slow (all else), symbols.
"""
