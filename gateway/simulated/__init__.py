"""A simulated venue: one process that speaks Binance Spot's wire protocol. Independent of the engine, on purpose.

It imports nothing of the engine (not even its messages), so that one author's misreading of the venue is not repeated
on both sides. Reading order: orders, ledger, settlement, book, matching (pure); flow and replay (where the background
comes from); evidence (what is kept for whoever judges a run); then the doors: signing, payloads, streams, rest,
websocket_api, control; `server.SimulatedVenue` puts them together.
"""
