"""The coordination door: requests of the actor "coordination" to the backend, and what the backend saw as inputs."""

from bus.actor import Handler
from bus.messages import Message, PublishAccount, PublishBand, PublishCooldown


class CoordinationDoor:
    name = "coordination_door"

    def __init__(self) -> None:
        self.handlers: dict[type[Message], Handler] = dict.fromkeys(
            (PublishBand, PublishCooldown, PublishAccount), lambda message, now_ns: ()
        )
