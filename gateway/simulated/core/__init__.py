"""The venue's matching core: orders, books, money, rules. Pure: no I/O, no clock, no randomness. Simulations run the same code.

Reading order: orders, filters; book and stops (where orders are), instrument; ledger, settlement (the money); matcher (what
happens between orders), matching (the commands), with sizing, amending and replace beside it; registry and reports (what is told).
"""
