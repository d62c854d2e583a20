"""Coinbase Advanced market data, as pure functions: bytes in, values out. No I/O, no clock; the doors hold the sockets.

Reading order: market (what it offers), rule, codec (the hot path), book (one event), slow (all else), symbols.
"""
