"""`touchline chaos --kills N`: one engine, killed N times in every way and at every point, against one venue; then the comparison.

Nothing is judged by what the engine says but its order journal and its ledger, and those are held against the venue's own log. Words:

- A **kill** is one harm done to the engine's process, its sockets or its disk; it is counted where it **hit**, not where it
  was meant to: a point that was not reached in time ends as a SIGKILL at that moment, and counts as `moment`.
- It hit **in recovery** when the process had no order accepted yet since its start.
- **Recovery** is the time from the start of a process to its first accepted order, by the venue's clock.
- An **order in flight** is one that our journal knows as sent and not as done, when the engine died.
- A **lost fill** is an execution of an order of ours that our journal has not booked; a **duplicate** one was booked twice.
- A **duplicate order** is a second request for one id, a second order for one command, or one for the same side while the first
  lived and nobody had wanted it canceled.
- An **unknown order** is one on the account, which is nobody else's, that our journal does not know.
- An **orphan** works at the venue when the last run has ended.
- A **limit violation** is an order that could have led beyond what the configuration allows, by what the venue knew then.

plan          which kills, drawn from the seed     ways      how each is done, with burst and checkpoints
engine        its configuration and processes      control   the venue's stage hand
ours, theirs  what our journal and the venue's log say       verdict   both compared, pure
run           all of it, from first start to end             result    the figures, and what a run must show
"""
