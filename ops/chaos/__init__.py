"""Chaos: real processes are killed, stopped and set against each other, and the venue's own log says what came of it.

A run starts a simulated venue, a store for coordination and two engines (`touchline run`), does its harm, stops the
engines cleanly, and judges. Nothing that an engine says of itself counts as evidence but its ledger, and that is held
against the venue's balances. Words:

- The **epoch** of an order is read from its client order id (actors/orders/ids). An accepted order whose id is none of
  ours makes the run fail.
- An order is **stale** when the venue receives it with an epoch below the highest one that it has received an order of,
  on the same account. It is **accepted** when the venue did as asked.
- A **stale fill** is one of an order whose epoch is below that of an order accepted before it: a leftover that the
  successor should have seen gone before he began.
- **Overlap**: at a change of the epoch, the time from the first accepted order of the new one to the last accepted one of
  any older epoch, if that came later. The greatest of all changes counts.
- **Takeover**: from the SIGKILL or SIGSTOP to the first accepted order of a later epoch.
- A **self-trade** has accounts of ours on both sides, be it one account or two.
- **Ledger equal**: after a clean stop no order works, and every engine that led at the end reports exactly the balances
  that the venue has. An engine that stands by keeps no ledger worth comparing.

A run in which nothing was exercised fails: no orders before a fault, no change of the epoch after one, an instance that
never traded. So does one whose evidence has holes.
"""
