"""What a venue does wrong, on command. Independent of the face; a face says its words in a `FaultedFace`.

What can be said: kinds (the table), values, spec. When and whom it hits: schedule, whom, active. What is done: requests
(with plan, past, late_fill, falsehoods), market and users (with effects, lanes, corrupt), timers, points. `engine.FaultEngine` puts them
together; door and log are for whoever asks. Only points acts outside of the venue, on processes it is told of.
"""
