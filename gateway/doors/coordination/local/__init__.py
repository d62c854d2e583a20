"""The backend for one machine: no server, one SQLite file."""

from gateway.doors.coordination.local.coordinator import LocalCoordinator

__all__ = ["LocalCoordinator"]
