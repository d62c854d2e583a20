"""The backend for several machines. Raises Misconfigured on import when the extra packages are not installed."""

from gateway.doors.coordination.etcd.calls import TlsFiles
from gateway.doors.coordination.etcd.coordinator import EtcdCoordinator

__all__ = ["EtcdCoordinator", "TlsFiles"]
