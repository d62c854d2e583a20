"""A simulated venue: a process that speaks Binance's wire protocols. It knows nothing of the engine, on purpose.

It imports nothing of it, not even its messages, so that one author's misreading of the venue is not repeated on both
sides. Read along a request:

    core/       the matching engine: orders, books, money, rules. Pure, and what simulations run
    crowd/      who else trades on a generated market. Pure, from a seed
    recorded/   a capture as the market instead
    market      the crowd's orders as time passes, and who is told of what they did
    operations  what can be asked; desk: the way of a request, the same for every door and face; limits, signing
    faults/     what goes wrong with it, on command
    spot/       Binance Spot's words: parameters, operations, REST, WebSocket API, streams, user data
    usdm/       USD-M futures' words over the same core
    evidence, control   what is kept for whoever judges a run, and who may ask
    server      `SimulatedVenue` puts them together

`wire/` writes other venues' market data frames for tests; it is no part of the running venue.
"""
