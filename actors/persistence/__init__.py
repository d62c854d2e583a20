"""When a checkpoint is taken: by time, by facts, at a stop. Pure; the host takes it and a thread writes it."""

from actors.persistence.actor import Persistence, PersistenceSettings

__all__ = ["Persistence", "PersistenceSettings"]
