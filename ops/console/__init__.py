"""The console: a running engine on a terminal, in a process of its own. The only importer of npyscreen.

`link` receives the engine's frames, `model` keeps what they said, `layout` and its panels turn that into lines of styled
text (pure functions, tested without a terminal), `screen` draws the lines with npyscreen, `plain` prints them instead.
"""
