"""Between two hosts: what crosses, how it is told once and in order, and when a peer counts as lost. Pure.

`traffic` says how each message crosses, `link` is one end of a link, `frame` what is on the wire. Sockets are in
bus.mailbox.peers; bus.links puts both on a loop.
"""

from bus.link.frame import Unreadable, unpack
from bus.link.inbound import LOST_NS, Arrived
from bus.link.link import HEARTBEAT_NS, Event, Happening, Link, Own

__all__ = ["HEARTBEAT_NS", "LOST_NS", "Arrived", "Event", "Happening", "Link", "Own", "Unreadable", "unpack"]
